package aws

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

func (a *AuroraOrRdsArgs) validateRds(p *base.Problems) {
	p.Require(instanceClass.MatchString(a.InstanceClass), "InstanceClass", a.InstanceClass, "a class such as db.t4g.small", "")
	p.Require(a.StorageGiB >= 20 && a.StorageGiB <= 65536, "StorageGiB", a.StorageGiB, "20 to 65536", "")
	p.Require(a.MaxStorageGiB <= 65536 && a.MaxStorageGiB*10 >= a.StorageGiB*11, "MaxStorageGiB", a.MaxStorageGiB, fmt.Sprintf("a tenth more than StorageGiB (%d) or better, at most 65536", a.StorageGiB), "")
	p.Require(a.MinACU == nil && a.MaxACU == 0 && a.Readers == 0 && a.AutoPauseSeconds == 0, "MinACU, MaxACU, Readers and AutoPauseSeconds", "a value", "none with engine rds", "")
}

// rds registers one PostgreSQL instance, with a standby in another zone by choice.
func (b *databaseBuilder) rds() error {
	args := b.args
	parameters := rds.ParameterGroupParameterArray{}
	for _, p := range b.parameters() {
		parameters = append(parameters, &rds.ParameterGroupParameterArgs{Name: pulumi.String(p[0]), Value: pulumi.String(p[1]), ApplyMethod: pulumi.String(p[2])})
	}
	group, err := rds.NewParameterGroup(b.ctx, b.name+"-postgres"+args.major(), &rds.ParameterGroupArgs{
		Family: pulumi.String("postgres" + args.major()), Description: pulumi.String("PostgreSQL " + args.major() + " of " + b.name),
		Parameters: parameters, Tags: args.Tags.Pulumi("Name", b.name+"-parameters"),
	}, pulumi.Parent(b.c))
	if err != nil {
		return err
	}
	instance, err := rds.NewInstance(b.ctx, b.name+"-instance", &rds.InstanceArgs{
		Identifier: b.identifier, Engine: pulumi.String("postgres"), EngineVersion: pulumi.String(args.EngineVersion), AutoMinorVersionUpgrade: args.autoMinor(),
		InstanceClass: pulumi.String(args.InstanceClass),
		StorageType:   pulumi.String("gp3"), AllocatedStorage: pulumi.Int(args.StorageGiB), MaxAllocatedStorage: pulumi.Int(args.MaxStorageGiB),
		StorageEncrypted: pulumi.Bool(true), KmsKeyId: args.KmsKeyArn.ToStringOutput().ToStringPtrOutput(),
		DbName: pulumi.String(args.DatabaseName), Username: pulumi.String(args.MasterUsername), Port: pulumi.Int(b.c.Port),
		ManageMasterUserPassword: pulumi.Bool(true), MasterUserSecretKmsKeyId: args.SecretKmsKeyArn.ToStringOutput().ToStringPtrOutput(),
		IamDatabaseAuthenticationEnabled: pulumi.Bool(true), CaCertIdentifier: pulumi.String("rds-ca-rsa2048-g1"),
		DbSubnetGroupName: b.subnets.Name, VpcSecurityGroupIds: pulumi.StringArray{b.c.SecurityGroupID}, PubliclyAccessible: pulumi.Bool(false),
		MultiAz: pulumi.Bool(args.MultiZone), ParameterGroupName: group.Name,
		BackupRetentionPeriod: pulumi.Int(args.BackupRetentionDays), BackupWindow: pulumi.String(args.BackupWindow), MaintenanceWindow: pulumi.String(args.MaintenanceWindow),
		CopyTagsToSnapshot: pulumi.Bool(true), DeleteAutomatedBackups: pulumi.Bool(args.Disposable),
		DeletionProtection: base.CloudProtection(args.Disposable), SkipFinalSnapshot: pulumi.Bool(args.Disposable), FinalSnapshotIdentifier: pulumi.Sprintf("%s-final", b.identifier),
		PerformanceInsightsEnabled: pulumi.Bool(true), PerformanceInsightsKmsKeyId: args.KmsKeyArn.ToStringOutput().ToStringPtrOutput(), PerformanceInsightsRetentionPeriod: pulumi.Int(args.InsightsDays),
		MonitoringInterval: pulumi.Int(*args.MonitoringSeconds), MonitoringRoleArn: b.monitoring,
		EnabledCloudwatchLogsExports: pulumi.ToStringArray([]string{"postgresql", "upgrade"}),
		SnapshotIdentifier:           b.snapshot(), ApplyImmediately: pulumi.Bool(args.ApplyImmediately),
		Tags: args.Tags.Pulumi("Name", b.name),
	}, b.stateful()...)
	if err != nil {
		return err
	}
	b.c.Host, b.c.ReaderHost = instance.Address, instance.Address
	b.c.Arn, b.c.Identifier, b.c.ResourceID = instance.Arn, instance.Identifier, instance.ResourceId
	b.c.InstanceIdentifiers = []pulumi.StringOutput{instance.Identifier}
	b.c.MasterSecretArn = instance.MasterUserSecrets.Index(pulumi.Int(0)).SecretArn().Elem()
	return nil
}
