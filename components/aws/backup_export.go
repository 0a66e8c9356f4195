package aws

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

var (
	//go:embed backup_secrets.sh
	secretsScript string
	//go:embed backup_export.sh
	exportScript string
)

// BackupExport is the daily copy out of AWS: a task that dumps the databases and archives the files,
// encrypts, and uploads to a bucket elsewhere. It runs the backup image that the server runs too, so
// that either's copies can be restored on the other.
type BackupExport struct {
	// Task says where it runs: Cluster, VpcID, SubnetIDs, InternetPorts, S3PrefixListID, Connections
	// to interface endpoints, LogKmsKeyArn, LogRetentionDays, Ready, and, when not
	// the default of 512 and 1024, CPUUnits and MemoryMiB. The rest of it is the export's.
	Task EcsServiceArgs
	// Image with tag or digest; required.
	Image pulumi.StringInput
	// Cron is when it runs, UTC, in AWS's six fields without cron(); default "15 3 * * ? *".
	Cron string
	// Paused exports nothing for now, and keeps what an export needs.
	Paused bool
	// ScratchGiB holds one run's encrypted copies, 21 to 200; default 0, Fargate's own 20.
	ScratchGiB int
	// Database whose Databases are dumped.
	Database  *AuroraOrRds
	Databases []string
	// Store whose access points GitAccessPoints and FilesAccessPoints are archived, read only.
	Store                              *EfsRepoStore
	GitAccessPoints, FilesAccessPoints []string
	// Excludes are tar patterns relative to an access point's root, such as "./tmp", by access point.
	Excludes map[string][]string
	// Bucket, Endpoint and Region of the S3 API it uploads to.
	Bucket, Endpoint, Region pulumi.StringInput
	// AccessKeyID and SecretAccessKey of that API, and the EncryptionKey of 32 characters or more,
	// without which no copy can be read: all secrets, in Secrets Manager under SecretsKmsKeyArn.
	AccessKeyID, SecretAccessKey, EncryptionKey pulumi.StringInput
	// WebhookURL, when not nil, is told about failures and recovery; a secret.
	WebhookURL       pulumi.StringInput
	SecretsKmsKeyArn pulumi.StringInput
	// PostgresDays, GitDays and FilesDays that copies are kept; defaults 30, 14, 14. The bucket's
	// lifecycle does the work; the task checks it.
	PostgresDays, GitDays, FilesDays int
}

func (e *BackupExport) setDefaults() {
	setDefault(&e.Cron, "15 3 * * ? *")
	setDefault(&e.PostgresDays, 30)
	setDefault(&e.GitDays, 14)
	setDefault(&e.FilesDays, 14)
	setDefault(&e.Task.CPUUnits, 512)
	setDefault(&e.Task.MemoryMiB, 1024)
}

func (e *BackupExport) validate(p *base.Problems) {
	for field, missing := range map[string]bool{
		"Task.Cluster": e.Task.Cluster == nil, "Image": e.Image == nil, "Bucket": e.Bucket == nil, "Endpoint": e.Endpoint == nil, "Region": e.Region == nil,
		"AccessKeyID": e.AccessKeyID == nil, "SecretAccessKey": e.SecretAccessKey == nil, "EncryptionKey": e.EncryptionKey == nil, "SecretsKmsKeyArn": e.SecretsKmsKeyArn == nil,
	} {
		p.Require(!missing, "Export."+field, "nothing", "a value", "")
	}
	p.Require(awsCron.MatchString(e.Cron), "Export.Cron", e.Cron, "six fields, such as 15 3 * * ? *", "morphee:backups.schedule")
	p.Require((e.Database == nil) == (len(e.Databases) == 0), "Export.Databases", e.Databases, "names, exactly with a Database", "")
	p.Require((e.Store == nil) == (len(e.GitAccessPoints)+len(e.FilesAccessPoints) == 0), "Export.GitAccessPoints", "none", "access points, exactly with a Store", "")
	for _, point := range sortedKeys(e.Excludes) {
		p.Require(slices.Contains(e.sources(), point), "Export.Excludes", point, "an access point that is exported", "")
	}
	p.Require(e.Database != nil || e.Store != nil, "Export", "nothing", "databases or files to export", "")
	for field, days := range map[string]int{"PostgresDays": e.PostgresDays, "GitDays": e.GitDays, "FilesDays": e.FilesDays} {
		p.Require(days >= 1 && days <= 3650, "Export."+field, days, "1 to 3650", "")
	}
}

// export registers the scheduled task.
func (c *AwsBackups) export(ctx *pulumi.Context, name string, args *AwsBackupsArgs, secrets *Secrets) error {
	e := args.Export
	task := e.task(args, e.container(secrets), e.sources(), true)
	task.EphemeralGiB = e.ScratchGiB
	scheduled, err := NewScheduledTask(ctx, name, &ScheduledTaskArgs{Task: task, Cron: e.Cron, Paused: e.Paused}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	c.ExportFamily, c.ExportScheduleGroup, c.ExportLogGroup = scheduled.Family, scheduled.ScheduleGroup, scheduled.LogGroupName
	c.ExportCommand = runTaskCommand(&task, scheduled.Family, scheduled.SecurityGroupID, "")
	return nil
}

// secrets are what a task needs to read and write copies, in Secrets Manager.
func (e *BackupExport) secrets(ctx *pulumi.Context, name string, args *AwsBackupsArgs, parent pulumi.Resource) (*Secrets, error) {
	values := map[string]SecretSpec{
		"encryption-key":    {Description: "Encrypts exported backups; keep a copy elsewhere", Value: e.EncryptionKey},
		"access-key-id":     {Description: "Key id of the bucket for exported backups", Value: e.AccessKeyID},
		"secret-access-key": {Description: "Key of the bucket for exported backups", Value: e.SecretAccessKey},
	}
	if e.WebhookURL != nil {
		values["webhook-url"] = SecretSpec{Description: "Told when the export fails", Value: e.WebhookURL, Optional: true}
	}
	return NewSecrets(ctx, name, &SecretsArgs{
		Secrets: values, KmsKeyArn: e.SecretsKmsKeyArn, Disposable: args.Disposable, Tags: args.Tags,
	}, pulumi.Parent(parent))
}

// task is where a container of the backup image runs: with the access points it mounts, and the ways
// to them and to the database.
func (e *BackupExport) task(args *AwsBackupsArgs, container Container, points []string, readOnly bool) EcsServiceArgs {
	task := e.Task
	task.AccountID, task.Region, task.Tags = args.AccountID, args.Region, args.Tags
	task.Containers = []Container{container}
	task.Connections, task.Volumes = slices.Clone(task.Connections), slices.Clone(task.Volumes)
	if e.Database != nil {
		task.Connections = append(task.Connections, e.Database.Connection())
	}
	for _, point := range points {
		volume := e.Store.Volume(point, point)
		volume.ReadOnly = readOnly
		task.Volumes = append(task.Volumes, volume)
	}
	if len(points) > 0 {
		task.Connections = append(task.Connections, e.Store.Connection())
	}
	return task
}

func (e *BackupExport) sources() []string {
	return append(e.GitAccessPoints[:len(e.GitAccessPoints):len(e.GitAccessPoints)], e.FilesAccessPoints...)
}

// excludes are lines of access point and pattern, as the backup program reads them.
func (e *BackupExport) excludes() string {
	var lines []string
	for _, point := range sortedKeys(e.Excludes) {
		for _, pattern := range e.Excludes[point] {
			lines = append(lines, point+":"+pattern)
		}
	}
	return strings.Join(lines, "\n")
}

// container dumps, archives and uploads.
func (e *BackupExport) container(secrets *Secrets) Container {
	c := e.tool("export", exportScript, secrets)
	for k, v := range map[string]any{
		"SOURCES_DIR": "/sources", "EXCLUDES": e.excludes(), "DATABASES": strings.Join(e.Databases, " "),
		"GIT_SOURCES": strings.Join(e.GitAccessPoints, " "), "FILES_SOURCES": strings.Join(e.FilesAccessPoints, " "),
		"POSTGRES_DAYS": e.PostgresDays, "GIT_DAYS": e.GitDays, "FILES_DAYS": e.FilesDays,
	} {
		c.Environment[k] = pulumi.String(fmt.Sprint(v))
	}
	if e.WebhookURL != nil {
		c.Secrets["FILE_webhook_url"] = SecretRef{Arn: secrets.Arns["webhook-url"], KmsKeyArn: e.SecretsKmsKeyArn}
	}
	for _, point := range e.sources() {
		c.Mounts = append(c.Mounts, Mount{Volume: point, Path: "/sources/" + point, ReadOnly: true})
	}
	return c
}

// tool is the backup image with the bucket and the database, run once. It wants its secrets in files;
// ECS has only variables, so a line of shell writes them to the task's own scratch space and takes the
// variables away.
func (e *BackupExport) tool(name, script string, secrets *Secrets) Container {
	text := func(v any) pulumi.StringInput { return pulumi.String(fmt.Sprint(v)) }
	c := Container{
		Name: name, Image: e.Image, User: "1000:1000", EntryPoint: []string{"bash", "-c"}, Command: []string{secretsScript + script},
		Scratch: []string{"/backups", "/run/secrets", "/tmp"},
		Environment: map[string]pulumi.StringInput{
			"BACKUP_DIR": text("/backups"), "SECRETS_DIR": text("/run/secrets"), "NAME": text("aws"), "HOME": text("/tmp"),
			"REMOTE_PATH": e.Bucket, "REMOTE_ENDPOINT": e.Endpoint, "REMOTE_REGION": e.Region,
		},
		Secrets: map[string]SecretRef{
			"FILE_encryption_key":           {Arn: secrets.Arns["encryption-key"], KmsKeyArn: e.SecretsKmsKeyArn},
			"FILE_remote_access_key_id":     {Arn: secrets.Arns["access-key-id"], KmsKeyArn: e.SecretsKmsKeyArn},
			"FILE_remote_secret_access_key": {Arn: secrets.Arns["secret-access-key"], KmsKeyArn: e.SecretsKmsKeyArn},
		},
	}
	if d := e.Database; d != nil {
		c.Environment["PGHOST"], c.Environment["PGPORT"], c.Environment["PGUSER"], c.Environment["PGSSLMODE"] = d.Host, text(d.Port), text(d.MasterUsername), text("require")
		c.Secrets["FILE_postgres_password"] = SecretRef{Arn: d.MasterSecretArn, JSONKey: "password", KmsKeyArn: d.MasterSecretKmsKeyArn}
	}
	return c
}
