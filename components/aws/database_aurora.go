package aws

import (
	"fmt"
	"math"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

func (a *AuroraOrRdsArgs) validateAurora(p *base.Problems) {
	halves := func(v float64) bool { return math.Trunc(v*2) == v*2 }
	p.Require(*a.MinACU >= 0 && *a.MinACU <= 256 && halves(*a.MinACU), "MinACU", *a.MinACU, "0 to 256 in halves", "")
	p.Require(a.MaxACU >= 1 && a.MaxACU <= 256 && halves(a.MaxACU) && a.MaxACU >= *a.MinACU, "MaxACU", a.MaxACU, fmt.Sprintf("1 to 256 in halves, not below MinACU (%v)", *a.MinACU), "")
	p.Require(a.Readers >= 0 && a.Readers <= 15, "Readers", a.Readers, "0 to 15", "")
	if a.AutoPauseSeconds != 0 {
		p.Require(*a.MinACU == 0, "AutoPauseSeconds", a.AutoPauseSeconds, fmt.Sprintf("none unless MinACU is 0 (it is %v): only then does Aurora pause", *a.MinACU), "")
		p.Require(a.AutoPauseSeconds >= 300 && a.AutoPauseSeconds <= 86400, "AutoPauseSeconds", a.AutoPauseSeconds, "300 to 86400", "")
	}
	p.Require(a.InstanceClass == "" && a.StorageGiB == 0 && a.MaxStorageGiB == 0 && !a.MultiZone, "InstanceClass, StorageGiB, MaxStorageGiB and MultiZone", "a value", "none with engine aurora (its storage is in three zones; readers stand by)", "")
}

// aurora registers a Serverless v2 cluster. Its zones are never set: AWS adds the ones it uses, and
// the difference would replace the cluster, data and all.
func (b *databaseBuilder) aurora() error {
	args := b.args
	clusterGroup, instanceGroup, err := b.auroraParameters()
	if err != nil {
		return err
	}
	scaling := &rds.ClusterServerlessv2ScalingConfigurationArgs{MinCapacity: pulumi.Float64(*args.MinACU), MaxCapacity: pulumi.Float64(args.MaxACU)}
	if args.AutoPauseSeconds > 0 {
		scaling.SecondsUntilAutoPause = pulumi.Int(args.AutoPauseSeconds)
	}
	clusterArgs := &rds.ClusterArgs{
		ClusterIdentifier: b.identifier, Engine: pulumi.String("aurora-postgresql"), EngineMode: pulumi.String("provisioned"), EngineVersion: pulumi.String(args.EngineVersion),
		Serverlessv2ScalingConfiguration: scaling,
		StorageEncrypted:                 pulumi.Bool(true), KmsKeyId: args.KmsKeyArn.ToStringOutput().ToStringPtrOutput(),
		DatabaseName: pulumi.String(args.DatabaseName), MasterUsername: pulumi.String(args.MasterUsername), Port: pulumi.Int(b.c.Port),
		ManageMasterUserPassword: pulumi.Bool(true), MasterUserSecretKmsKeyId: args.SecretKmsKeyArn.ToStringOutput().ToStringPtrOutput(),
		IamDatabaseAuthenticationEnabled: pulumi.Bool(true),
		DbSubnetGroupName:                b.subnets.Name, VpcSecurityGroupIds: pulumi.StringArray{b.c.SecurityGroupID},
		DbClusterParameterGroupName: clusterGroup.Name,
		BackupRetentionPeriod:       pulumi.Int(args.BackupRetentionDays), PreferredBackupWindow: pulumi.String(args.BackupWindow), PreferredMaintenanceWindow: pulumi.String(args.MaintenanceWindow),
		CopyTagsToSnapshot: pulumi.Bool(true), DeleteAutomatedBackups: pulumi.Bool(args.Disposable),
		DeletionProtection: base.CloudProtection(args.Disposable), SkipFinalSnapshot: pulumi.Bool(args.Disposable), FinalSnapshotIdentifier: pulumi.Sprintf("%s-final", b.identifier),
		EnabledCloudwatchLogsExports: pulumi.ToStringArray([]string{"postgresql"}),
		SnapshotIdentifier:           b.snapshot(), ApplyImmediately: pulumi.Bool(args.ApplyImmediately),
		Tags: args.Tags.Pulumi("Name", b.name),
	}
	args.Global.apply(clusterArgs)
	cluster, err := rds.NewCluster(b.ctx, b.name+"-cluster", clusterArgs, b.stateful()...)
	if err != nil {
		return err
	}
	b.c.Host, b.c.ReaderHost = cluster.Endpoint, cluster.Endpoint
	if args.Readers > 0 || args.Global != nil {
		b.c.ReaderHost = cluster.ReaderEndpoint
	}
	b.c.EngineVersionActual = cluster.EngineVersionActual
	b.c.Arn, b.c.Identifier, b.c.ResourceID = cluster.Arn, cluster.ClusterIdentifier, cluster.ClusterResourceId
	if args.Global != nil {
		b.c.Host = writerOf(cluster.ReaderEndpoint)
	} else {
		b.c.MasterSecretArn = cluster.MasterUserSecrets.Index(pulumi.Int(0)).SecretArn().Elem()
	}
	for i := 1; i <= args.Readers+1; i++ {
		if err := b.auroraInstance(i, cluster, instanceGroup); err != nil {
			return err
		}
	}
	return nil
}

// auroraInstance registers the i-th instance. The first begins as the writer; after a failover any
// may be. They hold no data: the cluster does.
func (b *databaseBuilder) auroraInstance(i int, cluster *rds.Cluster, group *rds.ParameterGroup) error {
	args, child := b.args, fmt.Sprintf("%s-instance-%d", b.name, i)
	instance, err := rds.NewClusterInstance(b.ctx, child, &rds.ClusterInstanceArgs{
		Identifier: pulumi.Sprintf("%s-%d", b.identifier, i), ClusterIdentifier: cluster.ClusterIdentifier, Engine: pulumi.String("aurora-postgresql"),
		InstanceClass: pulumi.String("db.serverless"), AutoMinorVersionUpgrade: args.autoMinor(), CaCertIdentifier: pulumi.String("rds-ca-rsa2048-g1"),
		DbSubnetGroupName: b.subnets.Name, DbParameterGroupName: group.Name, PubliclyAccessible: pulumi.Bool(false),
		// Readers of the first two tiers are kept as large as the writer: one can take over at once.
		PromotionTier:              pulumi.Int(min(i-1, 15)),
		CopyTagsToSnapshot:         pulumi.Bool(true),
		PerformanceInsightsEnabled: pulumi.Bool(true), PerformanceInsightsKmsKeyId: args.KmsKeyArn.ToStringOutput().ToStringPtrOutput(), PerformanceInsightsRetentionPeriod: pulumi.Int(args.InsightsDays),
		MonitoringInterval: pulumi.Int(*args.MonitoringSeconds), MonitoringRoleArn: b.monitoring,
		PreferredMaintenanceWindow: pulumi.String(args.MaintenanceWindow), ApplyImmediately: pulumi.Bool(args.ApplyImmediately),
		Tags: args.Tags.Pulumi("Name", child),
	}, pulumi.Parent(b.c), pulumi.DependsOn(b.ready), pulumi.Timeouts(&pulumi.CustomTimeouts{Create: "60m", Update: "90m", Delete: "60m"}))
	if err != nil {
		return err
	}
	b.c.members = append(b.c.members, instance)
	b.c.InstanceIdentifiers = append(b.c.InstanceIdentifiers, instance.Identifier)
	return nil
}

func (b *databaseBuilder) auroraParameters() (*rds.ClusterParameterGroup, *rds.ParameterGroup, error) {
	args := b.args
	parameters := rds.ClusterParameterGroupParameterArray{}
	for _, p := range b.parameters() {
		parameters = append(parameters, &rds.ClusterParameterGroupParameterArgs{Name: pulumi.String(p[0]), Value: pulumi.String(p[1]), ApplyMethod: pulumi.String(p[2])})
	}
	family := pulumi.String("aurora-postgresql" + args.major())
	cluster, err := rds.NewClusterParameterGroup(b.ctx, b.name+"-cluster-postgres"+args.major(), &rds.ClusterParameterGroupArgs{
		Family: family, Description: pulumi.String("Aurora PostgreSQL " + args.major() + " of " + b.name),
		Parameters: parameters, Tags: args.Tags.Pulumi("Name", b.name+"-cluster-parameters"),
	}, pulumi.Parent(b.c))
	if err != nil {
		return nil, nil, err
	}
	// Empty, but ours: an instance on the default group could not be given a parameter of its own
	// without a restart.
	instance, err := rds.NewParameterGroup(b.ctx, b.name+"-instance-postgres"+args.major(), &rds.ParameterGroupArgs{
		Family: family, Description: pulumi.String("Instances of Aurora PostgreSQL " + args.major() + " of " + b.name),
		Tags: args.Tags.Pulumi("Name", b.name+"-instance-parameters"),
	}, pulumi.Parent(b.c))
	return cluster, instance, err
}
