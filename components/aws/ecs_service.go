package aws

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// EcsServiceType is the type token of EcsService.
const EcsServiceType = "morphee:aws:EcsService"

// ServiceScaling follows the load; at least one target. The number of tasks is then AWS's to set.
type ServiceScaling struct {
	// MinTasks and MaxTasks, 1 <= min <= max.
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
	// SecretKmsKeyArns are the keys of the secrets that containers refer to.
	SecretKmsKeyArns []pulumi.StringInput
	// TaskStatements are what the running containers may do on AWS, beyond their volumes.
	TaskStatements []Statement
	// DesiredCount of tasks, 0 to 1000; default 1. Ignored after the first deployment with Scaling.
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
	// DiscoveryHost is the name that others in the VPC reach a task by; empty without discovery.
	DiscoveryHost string
}
