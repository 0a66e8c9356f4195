package aws

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/servicediscovery"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// EcsServiceType is the type token of EcsService.
const EcsServiceType = "morphee:aws:EcsService"

// ServiceScaling follows the load; at least one target. The number of tasks is then AWS's to set.
type ServiceScaling struct {
	// MinTasks and MaxTasks, 1 <= min <= max. Both 0 stop the service for now, whatever it was scaled to,
	// with a DesiredCount of 0; then nothing is aimed at, and no target is needed.
	MinTasks, MaxTasks int
	// CPUPercent and MemoryPercent to aim at, 10 to 95; 0 is off.
	CPUPercent, MemoryPercent int
	// RequestsPerTask to aim at in a minute, at the first target of the service; 0 is off.
	RequestsPerTask int
}

// ServiceLoadBalancer registers tasks in a load balancer's target group.
type ServiceLoadBalancer struct {
	Target *ServiceTarget
	// Container that listens on the target's port.
	Container string
}

// EcsServiceArgs are the decisions about one service.
type EcsServiceArgs struct {
	Cluster *EcsCluster
	// Region and AccountID of the account; required.
	Region    string
	AccountID pulumi.StringInput
	// VpcID, and SubnetIDs: private; required.
	VpcID     pulumi.StringInput
	SubnetIDs pulumi.StringArrayInput
	// CPUUnits (256 to 16384, 1024 is one vCPU) and MemoryMiB of a task, one of Fargate's pairs.
	CPUUnits, MemoryMiB int
	// X86 runs on x86-64 instead of ARM64, which costs a fifth less.
	X86 bool
	// EphemeralGiB of scratch space, 21 to 200; 0 is Fargate's own 20.
	EphemeralGiB int
	// Containers of the task; at least one that is not Init.
	Containers []Container
	Volumes    []EfsVolume
	// SharedScratch are names of volumes that live and die with the task, for containers that hand
	// files to each other.
	SharedScratch []string
	// RepositoryArns are the ECR repositories that images are pulled from; none for public images.
	// PullThroughArns are those that ECR fills from another registry at first use.
	RepositoryArns, PullThroughArns []pulumi.StringInput
	// SecretKmsKeyArns are the keys of the secrets that containers refer to; needed with Secrets.
	SecretKmsKeyArns []pulumi.StringInput
	// TaskStatements are what the running containers may do on AWS, beyond their volumes.
	TaskStatements []Statement
	// DesiredCount of tasks, 0 to 1000; default 1. Ignored after the first deployment with Scaling, unless
	// that stops the service.
	DesiredCount *int
	// SingleWriter never has two tasks at once: minimum 0 %, maximum 100 %, desired count 0 or 1, no
	// scaling. For whatever keeps files that two tasks would fight over.
	SingleWriter bool
	// MinHealthyPercent (default 100) and MaxPercent (default 200) during a deployment.
	MinHealthyPercent, MaxPercent *int
	Scaling                       *ServiceScaling
	// LoadBalancers that tasks are registered in; none for an internal service.
	LoadBalancers []ServiceLoadBalancer
	// GraceSeconds after a task's start in which failing health checks are ignored; default 120 with
	// a load balancer.
	GraceSeconds int
	// DiscoveryName makes tasks resolvable as this name under the cluster's namespace.
	DiscoveryName string
	// Connections the service makes inside the VPC.
	Connections []Connection
	// InternetPorts it connects to anywhere, TCP; default 443 only (images, AWS, web hooks). An empty
	// but not nil list means none, for networks with endpoints only.
	InternetPorts []int
	// S3PrefixListID opens 443 to S3's gateway endpoint, which image layers come through; needed
	// where InternetPorts has no 443.
	S3PrefixListID pulumi.StringInput
	// OnDemandWeight and SpotWeight share tasks between FARGATE and FARGATE_SPOT, 0 to 1000 each;
	// default all on demand. OnDemandBase tasks come first on demand.
	OnDemandWeight, SpotWeight, OnDemandBase int
	// LogRetentionDays as CloudWatch allows them; default 30. LogKmsKeyArn encrypts; required.
	LogRetentionDays int
	LogKmsKeyArn     pulumi.StringInput
	// Exec allows ECS Exec, to look into a running container. Default false.
	Exec bool
	// DeployMinutes that a deployment may take before it counts as failed, 5 to 120; default 20.
	DeployMinutes int
	// Ready must exist before the first task: the network's ways out, for instance (Network.Ready).
	Ready []pulumi.Resource
	Tags  base.Tags
}

// EcsService is a Fargate service with its task definition, roles, logs, security group, scaling and
// discovery.
type EcsService struct {
	pulumi.ResourceState
	Name, Arn, TaskDefinitionArn pulumi.StringOutput
	SecurityGroupID              pulumi.StringOutput
	TaskRoleArn, TaskRoleName    pulumi.StringOutput
	ExecutionRoleArn             pulumi.StringOutput
	LogGroupName, LogGroupArn    pulumi.StringOutput
	// RunningTaskDefinitionArn is what AWS says is running after the update. It fails the deployment
	// when that is not the task definition that was asked for: ECS reports a deployment that it
	// rolled back as finished.
	RunningTaskDefinitionArn pulumi.StringOutput
	DesiredCount             int
	// DiscoveryHost is the name that others in the VPC reach a task by; empty without discovery.
	DiscoveryHost string
}

// NewEcsService registers the service and everything it needs of its own.
func NewEcsService(ctx *pulumi.Context, name string, in *EcsServiceArgs, opts ...pulumi.ResourceOption) (*EcsService, error) {
	args := in.withDefaults()
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &EcsService{DesiredCount: *args.DesiredCount}
	if err := ctx.RegisterComponentResourceV2(EcsServiceType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	b := &serviceBuilder{ctx: ctx, name: name, args: args, c: c, ready: slices.Clone(args.Ready)}
	for _, step := range []func() error{b.logs, b.network, b.roles, b.taskDefinition, b.discovery, b.service, b.scaling} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	b.check()
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"name": c.Name, "arn": c.Arn, "taskDefinitionArn": c.TaskDefinitionArn, "runningTaskDefinitionArn": c.RunningTaskDefinitionArn,
		"securityGroupId": c.SecurityGroupID, "taskRoleArn": c.TaskRoleArn, "logGroupName": c.LogGroupName,
	})
}

func (a *EcsServiceArgs) withDefaults() *EcsServiceArgs {
	args := *a
	setDefault(&args.LogRetentionDays, 30)
	setDefault(&args.DeployMinutes, 20)
	orElse := func(p **int, v int) {
		if *p == nil {
			*p = &v
		}
	}
	if args.Scaling != nil {
		orElse(&args.DesiredCount, args.Scaling.MinTasks)
	}
	orElse(&args.DesiredCount, 1)
	if args.SingleWriter {
		orElse(&args.MinHealthyPercent, 0)
		orElse(&args.MaxPercent, 100)
	}
	orElse(&args.MinHealthyPercent, 100)
	orElse(&args.MaxPercent, 200)
	if len(args.LoadBalancers) > 0 {
		setDefault(&args.GraceSeconds, 120)
	}
	if args.OnDemandWeight == 0 && args.SpotWeight == 0 {
		args.OnDemandWeight = 1
	}
	if args.InternetPorts == nil {
		args.InternetPorts = []int{443}
	}
	return &args
}

// stopped says whether the scaling lets no task run.
func (s *ServiceScaling) stopped() bool { return s.MinTasks == 0 && s.MaxTasks == 0 }

// requestTarget is the first target that requests can be counted at.
func (a *EcsServiceArgs) requestTarget() *ServiceTarget {
	for _, l := range a.LoadBalancers {
		if l.Target != nil && l.Target.scalable {
			return l.Target
		}
	}
	return nil
}

// serviceBuilder carries what the steps of NewEcsService hand to each other.
type serviceBuilder struct {
	ctx  *pulumi.Context
	name string
	args *EcsServiceArgs
	c    *EcsService

	group     *ec2.SecurityGroup
	execution pulumi.StringInput
	role      pulumi.StringInput
	task      *ecs.TaskDefinition
	registry  *servicediscovery.Service
	svc       *ecs.Service
	// ready must exist before the first task starts.
	ready []pulumi.Resource
}

func (b *serviceBuilder) logs() error {
	group, err := encryptedLogs(b.ctx, b.name+"-logs", nil, b.args.LogRetentionDays, b.args.LogKmsKeyArn, b.args.Tags, b.c)
	if err == nil {
		b.c.LogGroupName, b.c.LogGroupArn = group.Name, group.Arn
	}
	return err
}

// network registers the service's security group and the rules on both sides of what it connects to
// and what connects to it.
func (b *serviceBuilder) network() error {
	group, err := closedGroup(b.ctx, b.name+"-sg", "Service "+b.name, b.args.VpcID, b.args.Tags, b.c)
	if err != nil {
		return err
	}
	b.group, b.c.SecurityGroupID = group, group.ID().ToStringOutput()
	for i, l := range b.args.LoadBalancers {
		child := b.name + "-sg-lb"
		if i > 0 {
			child = fmt.Sprintf("%s-%d", child, l.Target.Port)
		}
		rules, err := connect(b.ctx, child, "Load balancer to "+b.name, l.Target.SecurityGroupID, b.c.SecurityGroupID, l.Target.Port, b.args.Tags, b.c)
		if err != nil {
			return err
		}
		b.ready = append(append(b.ready, rules...), l.Target.listener)
	}
	for _, to := range b.args.Connections {
		rules, err := connect(b.ctx, b.name+"-sg-"+to.Name, b.name+" to "+to.Name, b.c.SecurityGroupID, to.SecurityGroupID, to.Port, b.args.Tags, b.c)
		if err != nil {
			return err
		}
		b.ready = append(b.ready, rules...)
	}
	for _, port := range b.args.InternetPorts {
		rule, err := openOut(b.ctx, fmt.Sprintf("%s-sg-internet-%d", b.name, port), fmt.Sprintf("%s to port %d anywhere", b.name, port), b.c.SecurityGroupID, port, b.args.Tags, b.c)
		if err != nil {
			return err
		}
		b.ready = append(b.ready, rule)
	}
	if b.args.S3PrefixListID == nil {
		return nil
	}
	child := b.name + "-sg-s3"
	rule, err := vpc.NewSecurityGroupEgressRule(b.ctx, child, &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: b.c.SecurityGroupID, PrefixListId: b.args.S3PrefixListID.ToStringOutput().ToStringPtrOutput(), IpProtocol: pulumi.String("tcp"),
		FromPort: pulumi.Int(443), ToPort: pulumi.Int(443), Description: pulumi.String(b.name + " to S3, image layers included"), Tags: b.args.Tags.Pulumi("Name", child),
	}, pulumi.Parent(b.c))
	b.ready = append(b.ready, rule)
	return err
}

func (b *serviceBuilder) taskDefinition() error {
	args := b.args
	architecture := "ARM64"
	if args.X86 {
		architecture = "X86_64"
	}
	task := &ecs.TaskDefinitionArgs{
		// The family is the task's name in the account: it says which stack it is of.
		Family: pulumi.String(taskFamily(args.Tags.Project, args.Tags.Stack, b.name)),
		Cpu:    pulumi.String(fmt.Sprint(args.CPUUnits)), Memory: pulumi.String(fmt.Sprint(args.MemoryMiB)),
		NetworkMode: pulumi.String("awsvpc"), RequiresCompatibilities: pulumi.ToStringArray([]string{"FARGATE"}),
		RuntimePlatform: &ecs.TaskDefinitionRuntimePlatformArgs{
			CpuArchitecture: pulumi.String(architecture), OperatingSystemFamily: pulumi.String("LINUX"),
		},
		ExecutionRoleArn: b.execution.ToStringOutput().ToStringPtrOutput(), TaskRoleArn: b.role.ToStringOutput().ToStringPtrOutput(),
		ContainerDefinitions: containerDefinitions(args, b.c.LogGroupName),
		Volumes:              taskVolumes(args),
		Tags:                 args.Tags.Pulumi("Name", b.name),
	}
	if args.EphemeralGiB > 0 {
		task.EphemeralStorage = &ecs.TaskDefinitionEphemeralStorageArgs{SizeInGib: pulumi.Int(args.EphemeralGiB)}
	}
	var err error
	if b.task, err = ecs.NewTaskDefinition(b.ctx, b.name+"-task", task, pulumi.Parent(b.c)); err != nil {
		return err
	}
	b.c.TaskDefinitionArn = b.task.Arn
	for _, v := range args.Volumes {
		b.ready = append(b.ready, v.Ready...)
	}
	return nil
}

func taskFamily(project, stack, name string) string {
	family := name
	for _, part := range []string{stack, project} {
		if part != "" {
			family = part + "-" + family
		}
	}
	return family
}

// discovery registers the service's name in the cluster's private namespace.
func (b *serviceBuilder) discovery() error {
	if b.args.DiscoveryName == "" {
		return nil
	}
	var err error
	b.registry, err = servicediscovery.NewService(b.ctx, b.name+"-discovery", &servicediscovery.ServiceArgs{
		Name: pulumi.String(b.args.DiscoveryName), Description: pulumi.String("Addresses of the tasks of " + b.name),
		DnsConfig: &servicediscovery.ServiceDnsConfigArgs{
			NamespaceId: b.args.Cluster.NamespaceID, RoutingPolicy: pulumi.String("MULTIVALUE"),
			DnsRecords: servicediscovery.ServiceDnsConfigDnsRecordArray{&servicediscovery.ServiceDnsConfigDnsRecordArgs{
				// Short: a task that was replaced has a new address.
				Type: pulumi.String("A"), Ttl: pulumi.Int(10),
			}},
		},
		// ECS tells Cloud Map which tasks are fit.
		HealthCheckCustomConfig: &servicediscovery.ServiceHealthCheckCustomConfigArgs{FailureThreshold: pulumi.Int(1)},
		Tags:                    b.args.Tags.Pulumi("Name", b.name+"-discovery"),
	}, pulumi.Parent(b.c))
	b.c.DiscoveryHost = b.args.DiscoveryName + "." + b.args.Cluster.Namespace
	return err
}

func (b *serviceBuilder) service() error {
	args := b.args
	strategies := ecs.ServiceCapacityProviderStrategyArray{}
	add := func(provider string, weight, base int) {
		if weight > 0 || base > 0 {
			strategies = append(strategies, &ecs.ServiceCapacityProviderStrategyArgs{CapacityProvider: pulumi.String(provider), Weight: pulumi.Int(weight), Base: pulumi.Int(base)})
		}
	}
	add("FARGATE", args.OnDemandWeight, args.OnDemandBase)
	add("FARGATE_SPOT", args.SpotWeight, 0)
	balancing := "ENABLED"
	if *args.MaxPercent <= 100 {
		balancing = "DISABLED" // needs room for a second task
	}
	service := &ecs.ServiceArgs{
		Cluster: args.Cluster.Arn.ToStringPtrOutput(), TaskDefinition: b.task.Arn.ToStringPtrOutput(), DesiredCount: pulumi.Int(*args.DesiredCount),
		CapacityProviderStrategies: strategies,
		// Without it, changing the weights would replace the service.
		ForceNewDeployment:              pulumi.Bool(true),
		PlatformVersion:                 pulumi.String("LATEST"),
		DeploymentMinimumHealthyPercent: pulumi.Int(*args.MinHealthyPercent), DeploymentMaximumPercent: pulumi.Int(*args.MaxPercent),
		DeploymentCircuitBreaker:    &ecs.ServiceDeploymentCircuitBreakerArgs{Enable: pulumi.Bool(true), Rollback: pulumi.Bool(true)},
		WaitForSteadyState:          pulumi.Bool(true),
		AvailabilityZoneRebalancing: pulumi.String(balancing),
		EnableExecuteCommand:        pulumi.Bool(args.Exec), EnableEcsManagedTags: pulumi.Bool(true), PropagateTags: pulumi.String("SERVICE"),
		NetworkConfiguration: &ecs.ServiceNetworkConfigurationArgs{
			Subnets: args.SubnetIDs, SecurityGroups: pulumi.StringArray{b.c.SecurityGroupID}, AssignPublicIp: pulumi.Bool(false),
		},
		Tags: args.Tags.Pulumi("Name", b.name),
	}
	if len(args.LoadBalancers) > 0 {
		list := ecs.ServiceLoadBalancerArray{}
		for _, l := range args.LoadBalancers {
			list = append(list, &ecs.ServiceLoadBalancerArgs{
				TargetGroupArn: l.Target.TargetGroupArn.ToStringPtrOutput(), ContainerName: pulumi.String(l.Container), ContainerPort: pulumi.Int(l.Target.Port),
			})
		}
		service.LoadBalancers, service.HealthCheckGracePeriodSeconds = list, pulumi.Int(args.GraceSeconds)
	}
	if b.registry != nil {
		service.ServiceRegistries = &ecs.ServiceServiceRegistriesArgs{RegistryArn: b.registry.Arn}
	}
	minutes := fmt.Sprintf("%dm", args.DeployMinutes)
	opts := []pulumi.ResourceOption{
		pulumi.Parent(b.c), pulumi.DependsOn(append(b.ready, args.Cluster.providers)),
		pulumi.Timeouts(&pulumi.CustomTimeouts{Create: minutes, Update: minutes, Delete: minutes}),
	}
	if args.Scaling != nil && !args.Scaling.stopped() {
		opts = append(opts, pulumi.IgnoreChanges([]string{"desiredCount"}))
	}
	var err error
	b.svc, err = ecs.NewService(b.ctx, b.name+"-service", service, opts...)
	if err == nil {
		b.c.Name, b.c.Arn = b.svc.Name, b.svc.ID().ToStringOutput()
	}
	return err
}

// check asks AWS, once the service is there or updated, which task definition it runs, and fails the
// deployment when that is not the one that was asked for. A preview only asks.
func (b *serviceBuilder) check() {
	// The id is unknown until the service exists, and so is the answer.
	name := pulumi.All(b.svc.ID(), b.svc.Name).ApplyT(func(v []any) string { return v[1].(string) }).(pulumi.StringOutput)
	running := ecs.LookupServiceOutput(b.ctx, ecs.LookupServiceOutputArgs{ClusterArn: b.args.Cluster.Arn, ServiceName: name}, pulumi.Parent(b.c)).TaskDefinition()
	preview, service := b.ctx.DryRun(), b.name
	b.c.RunningTaskDefinitionArn = pulumi.All(b.task.Arn, running).ApplyT(func(v []any) (string, error) {
		want, got := v[0].(string), v[1].(string)
		if preview || want == got {
			return got, nil
		}
		return "", fmt.Errorf("EcsService %q: AWS runs the task definition %s, not %s that was asked for: the deployment failed and was rolled back. "+
			"See the service's events and its log group for why the new tasks stopped, mend that, then run pulumi up --refresh", service, got, want)
	}).(pulumi.StringOutput)
}
