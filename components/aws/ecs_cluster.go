package aws

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/servicediscovery"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// EcsClusterType is the type token of EcsCluster.
const EcsClusterType = "morphee:aws:EcsCluster"

// EcsClusterArgs are the decisions about a cluster.
type EcsClusterArgs struct {
	// VpcID of the private namespace; required with Namespace.
	VpcID pulumi.StringInput
	// Namespace is the private DNS name that services find each other under, such as
	// "morphee.internal"; empty for none. Changing it replaces the namespace.
	Namespace string
	// ExecLogs keeps what is typed through ECS Exec in an encrypted log group. Default false; needed
	// when a service allows ECS Exec.
	ExecLogs bool
	// LogRetentionDays of that log group as CloudWatch allows them; default 90.
	LogRetentionDays int
	// LogKmsKeyArn encrypts it; required with ExecLogs.
	LogKmsKeyArn pulumi.StringInput
	Tags         base.Tags
}

// EcsCluster is a Fargate cluster with container insights and, by choice, service discovery.
type EcsCluster struct {
	pulumi.ResourceState
	Arn, Name pulumi.StringOutput
	// Namespace is its DNS name, empty for none; NamespaceID its id.
	Namespace   string
	NamespaceID pulumi.StringOutput

	execLogs   bool
	execLogArn pulumi.StringOutput
	providers  pulumi.Resource
}

func (a *EcsClusterArgs) validate(name string) error {
	p := base.Check("EcsCluster", name)
	if a.Namespace != "" {
		p.Require(domainName.MatchString(a.Namespace), "Namespace", a.Namespace, "a private domain name such as morphee.internal", "")
		p.Require(a.VpcID != nil, "VpcID", "nothing", "the VPC that resolves the namespace", "")
	}
	if a.ExecLogs {
		requireRetention(p, "LogRetentionDays", a.LogRetentionDays)
		p.Require(a.LogKmsKeyArn != nil, "LogKmsKeyArn", "nothing", "the ARN of a customer KMS key", "")
	}
	return p.Err()
}

// NewEcsCluster registers the cluster.
func NewEcsCluster(ctx *pulumi.Context, name string, in *EcsClusterArgs, opts ...pulumi.ResourceOption) (*EcsCluster, error) {
	args := *in
	setDefault(&args.LogRetentionDays, 90)
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &EcsCluster{Namespace: args.Namespace, execLogs: args.ExecLogs}
	if err := ctx.RegisterComponentResourceV2(EcsClusterType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	clusterArgs := &ecs.ClusterArgs{
		Settings: ecs.ClusterSettingArray{&ecs.ClusterSettingArgs{Name: pulumi.String("containerInsights"), Value: pulumi.String("enabled")}},
		Tags:     args.Tags.Pulumi("Name", name),
	}
	if args.ExecLogs {
		logs, err := encryptedLogs(ctx, name+"-exec-logs", nil, args.LogRetentionDays, args.LogKmsKeyArn, args.Tags, c)
		if err != nil {
			return nil, err
		}
		c.execLogArn = logs.Arn
		clusterArgs.Configuration = &ecs.ClusterConfigurationArgs{ExecuteCommandConfiguration: &ecs.ClusterConfigurationExecuteCommandConfigurationArgs{
			Logging: pulumi.String("OVERRIDE"),
			LogConfiguration: &ecs.ClusterConfigurationExecuteCommandConfigurationLogConfigurationArgs{
				CloudWatchLogGroupName: logs.Name, CloudWatchEncryptionEnabled: pulumi.Bool(true),
			},
		}}
	}
	cluster, err := ecs.NewCluster(ctx, name+"-cluster", clusterArgs, pulumi.Parent(c))
	if err != nil {
		return nil, err
	}
	c.Arn, c.Name = cluster.Arn, cluster.Name
	if c.providers, err = ecs.NewClusterCapacityProviders(ctx, name+"-providers", &ecs.ClusterCapacityProvidersArgs{
		ClusterName: cluster.Name, CapacityProviders: pulumi.ToStringArray([]string{"FARGATE", "FARGATE_SPOT"}),
		DefaultCapacityProviderStrategies: ecs.ClusterCapacityProvidersDefaultCapacityProviderStrategyArray{
			&ecs.ClusterCapacityProvidersDefaultCapacityProviderStrategyArgs{CapacityProvider: pulumi.String("FARGATE"), Weight: pulumi.Int(1), Base: pulumi.Int(0)},
		},
	}, pulumi.Parent(c)); err != nil {
		return nil, err
	}
	out := pulumi.Map{"arn": c.Arn, "name": c.Name}
	if args.Namespace != "" {
		namespace, err := servicediscovery.NewPrivateDnsNamespace(ctx, name+"-namespace", &servicediscovery.PrivateDnsNamespaceArgs{
			Name: pulumi.String(args.Namespace), Vpc: args.VpcID, Description: pulumi.String("How services find each other"),
			Tags: args.Tags.Pulumi("Name", args.Namespace),
		}, pulumi.Parent(c))
		if err != nil {
			return nil, err
		}
		c.NamespaceID = namespace.ID().ToStringOutput()
		out["namespaceId"] = c.NamespaceID
	}
	return c, ctx.RegisterResourceOutputs(c, out)
}
