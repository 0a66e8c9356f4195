package phases

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/aws"
	"github.com/morphee-app/morphee-infra/components/cloudflare"
	"github.com/morphee-app/morphee-infra/internal/config"
)

// backups are AWS's own, and the daily export to the same bucket, of the same form, as the server's.
func (r *region) backups() error {
	c := r.cfg
	args := &aws.AwsBackupsArgs{
		AccountID: r.providers.AccountID, Region: c.AWS.Region, KmsKeyArn: r.key[aws.KeyBackups],
		DatabaseArn:  r.postgres.Arn,
		DatabaseDays: c.AWS.Backups.DatabaseDays, FilesDays: c.AWS.Backups.FilesDays, VaultLock: c.AWS.Backups.VaultLock,
		Disposable: c.Disposable, Tags: r.in.Tags(),
	}
	if r.store != nil {
		args.FileSystemArn = r.store.FileSystemArn
	}
	if r.original != nil {
		args.FileSystemArn, args.FileCopyArn = r.original.FileSystemArn, r.store.FileSystemArn
	}
	var err error
	if c.Backups.Enabled && r.store != nil {
		if args.Export, err = r.export(); err != nil {
			return err
		}
	}
	if r.beside != nil && args.Export != nil {
		names := map[string]string{appDatabase.Name: c.AWS.Database.Name, authDatabase.Name: authDatabase.Name}
		if c.Forgejo.Enabled {
			names[c.Forgejo.Database] = c.Forgejo.Database
		}
		args.Import = &aws.BackupImport{Databases: names}
	}
	if r.safe, err = aws.NewAwsBackups(r.ctx, r.name("backups"), args, r.here()); err != nil {
		return err
	}
	if args.Import != nil {
		r.outputs["importCommand"], r.outputs["exportCommand"] = r.safe.ImportCommand, r.safe.ExportCommand
	}
	return nil
}

func (r *region) export() (*aws.BackupExport, error) {
	c := r.cfg
	bucket, err := r.exportBucket()
	if err != nil {
		return nil, err
	}
	schedule, err := config.ParseSchedule(c.Backups.Schedule)
	if err != nil {
		return nil, err
	}
	databases, git, excludes := []string{c.AWS.Database.Name, authDatabase.Name}, []string{pointMemory}, map[string][]string{}
	if c.Forgejo.Enabled {
		databases, git = append(databases, c.Forgejo.Database), append(git, pointForgejo)
		excludes[pointForgejo] = []string{"./tmp"}
	}
	r.outputs["backupBucket"] = bucket.BucketName
	// To be kept apart from the stack: without it no backup can be read.
	r.outputs["backupEncryptionKey"] = r.product.BackupEncryptionKey
	return &aws.BackupExport{
		Task: r.task(), Paused: !r.exports(), Image: r.image(c.Images.Backup), Cron: schedule.AWS(),
		Database: r.postgres, Databases: databases, Store: r.store, GitAccessPoints: git, FilesAccessPoints: []string{pointFiles},
		Excludes: excludes,
		Bucket:   bucket.BucketName, Endpoint: bucket.Endpoint, Region: bucket.Region,
		AccessKeyID: bucket.AccessKeyID, SecretAccessKey: bucket.SecretAccessKey, EncryptionKey: r.product.BackupEncryptionKey,
		WebhookURL: r.in.secret(c.Backups.AlertWebhook), SecretsKmsKeyArn: r.key[aws.KeySecrets],
		PostgresDays: c.Backups.Retention.PostgresDays, GitDays: c.Backups.Retention.GitDays, FilesDays: c.Backups.Retention.FilesDays,
	}, nil
}

// exportBucket is one bucket for every region that may export.
func (r *region) exportBucket() (*cloudflare.BackupBucket, error) {
	if r.home.bucket != nil {
		return r.home.bucket, nil
	}
	c := r.home.cfg
	made, err := backupBucket(r.ctx, r.in, c, "backups", c.Backups.Bucket, r.uploaderSources())
	r.home.bucket = made
	return made, err
}

// uploaderSources are the addresses that the export comes from: those of the NAT, and during a move
// the server's.
func (r *region) uploaderSources() pulumi.StringArrayInput {
	if r.cfg.AWS.NAT == "none" {
		return nil
	}
	var from []any
	if r.beside != nil {
		from = append(from, r.beside.host.PublicIP.ApplyT(func(ip string) []string { return []string{ip} }))
	}
	for _, in := range r.all.every(r) {
		if in.store != nil {
			from = append(from, in.vpc.NatPublicIPs)
		}
	}
	return pulumi.All(from...).ApplyT(func(lists []any) []string {
		var out []string
		for _, ips := range lists {
			for _, ip := range ips.([]string) {
				out = append(out, ip+"/32")
			}
		}
		return out
	}).(pulumi.StringArrayOutput)
}

// deployRole is for the workflow that releases.
func (r *region) deployRole() error {
	c := r.cfg.GitHub
	if c.Repository == "" {
		return nil
	}
	here := r.all.every(r)
	args := &aws.DeployRoleArgs{
		Repository: c.Repository, Environment: c.Environment, SiteBucketArn: r.frontend.BucketArn, DistributionArn: r.frontend.DistributionArn, Tags: r.in.Tags(),
	}
	if !c.CreateProvider {
		args.ProviderArn = pulumi.Sprintf("arn:aws:iam::%s:oidc-provider/token.actions.githubusercontent.com", r.providers.AccountID)
	}
	for _, name := range sortedNames(r.images.RepositoryArns) {
		args.RepositoryArns = append(args.RepositoryArns, r.images.RepositoryArns[name])
	}
	for _, in := range here {
		for _, s := range []*aws.EcsService{in.app, in.gotrue} {
			args.ServiceArns = append(args.ServiceArns, s.Arn)
			args.PassRoleArns = append(args.PassRoleArns, s.ExecutionRoleArn, s.TaskRoleArn)
		}
	}
	role, err := aws.NewDeployRole(r.ctx, r.name("deploy"), args, r.here())
	if err != nil {
		return err
	}
	r.outputs["deployRoleArn"] = role.Arn
	return nil
}

// alarms are the monitoring checklist.
func (r *region) alarms() error {
	c, t := r.cfg, r.cfg.Alarms
	args := &aws.AlarmsArgs{
		AccountID: r.providers.AccountID, Region: c.AWS.Region, KmsKeyArn: r.key[aws.KeyAlarms], Emails: t.Emails, Tags: r.in.Tags(),
		Thresholds: aws.AlarmThresholds{
			CPUPercent: t.CPUPercent, MemoryPercent: t.MemoryPercent, DiskPercent: t.DiskPercent, ErrorRatePercent: t.ErrorRatePercent,
			LatencyP95Milliseconds: t.LatencyP95Milliseconds, WebSocketDisconnectPercent: t.WebSocketDisconnectPercent,
			DatabaseConnections: t.DatabaseConnections, RedisMemoryMB: t.RedisMemoryMB, PeriodMinutes: t.PeriodMinutes,
		},
		ClusterName: r.ecs.Name,
		Services: map[string]aws.AlarmService{
			"backend": {ServiceName: r.app.Name, Target: r.alb.Targets["api"]},
		},
		Api:     &aws.AlarmApi{AlbArnSuffix: r.alb.ArnSuffix, Target: r.alb.Targets["api"], LogGroupName: r.app.LogGroupName},
		Cache:   &aws.AlarmCache{NodeIDs: r.redis.NodeIDs, Nodes: c.AWS.Cache.Replicas + 1},
		Backups: &aws.AlarmBackups{VaultName: r.safe.VaultName},
	}
	if r.isHome() {
		args.MonthlyUSD, args.BudgetPercent = c.Budget.MonthlyUSD, c.Budget.AlertPercent
		args.FileSyncTaskArn = r.all.syncTask()
	}
	if r.writes() {
		args.Services["gotrue"] = aws.AlarmService{ServiceName: r.gotrue.Name, Target: r.alb.Targets["auth"]}
	}
	if len(t.Emails) > 0 && r.isHome() { // a topic of one's own is in one region, and cannot be told from another
		args.Global = &aws.AlarmGlobal{UsEast1: r.providers.UsEast1, KmsKeyArn: r.globalKey, DistributionID: r.frontend.DistributionId, HealthChecks: r.edge.HealthChecks}
	}
	if t.TopicARN != "" && r.isHome() {
		args.TopicArn = pulumi.String(t.TopicARN)
	}
	if r.git != nil && r.writes() {
		args.Services["forgejo"] = aws.AlarmService{ServiceName: r.git.Service.Name, Target: r.alb.Targets["git"]}
	}
	if c.Backups.Enabled && r.exports() {
		args.Backups.ClusterArn, args.Backups.ExportFamily = r.ecs.Arn, r.safe.ExportFamily
		args.Backups.ScheduleGroup, args.Backups.ExportLogGroup = r.safe.ExportScheduleGroup, r.safe.ExportLogGroup
	}
	args.Database = &aws.AlarmDatabase{
		Engine: r.postgres.Engine, Identifier: r.postgres.Identifier, InstanceIdentifiers: r.postgres.InstanceIdentifiers,
		MemoryMiB: int(c.AWS.Database.MaxACU * 2048),
	}
	if r.postgres.Engine == aws.EngineRds {
		args.Database.MemoryMiB, _ = aws.DatabaseMemoryMiB(c.AWS.Database.InstanceClass)
		args.Database.StorageGiB = c.AWS.Database.StorageGiB
	}
	alarms, err := aws.NewAlarms(r.ctx, r.name("alarms"), args, r.here())
	if err != nil {
		return err
	}
	if !r.isHome() {
		return nil
	}
	r.outputs["alarmTopicArn"], r.outputs["dashboard"] = alarms.TopicArn, alarms.DashboardName
	return nil
}
