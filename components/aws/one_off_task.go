package aws

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// OneOffTaskType is the type token of OneOffTask.
const OneOffTaskType = "morphee:aws:OneOffTask"

// OneOffTask is a Fargate task that somebody starts by hand, with everything it needs of its own:
// task definition, roles, logs and security group.
type OneOffTask struct {
	// Component is the resource that everything here is a child of.
	Component                 *EcsService
	TaskDefinitionArn, Family pulumi.StringOutput
	// ClusterArn, SubnetIDs and SecurityGroupID are where it has to run.
	ClusterArn      pulumi.StringOutput
	SubnetIDs       pulumi.StringArrayOutput
	SecurityGroupID pulumi.StringOutput
	LogGroupName    pulumi.StringOutput
	// Command starts it, for the aws command line, with what its last container is told.
	Command pulumi.StringOutput
}

// NewOneOffTask registers the task, described like a service: but it has no count, load balancer,
// scaling, discovery or deployment, which must be left out. arguments are for the command of the last
// container, in Command; empty leaves the task definition's.
func NewOneOffTask(ctx *pulumi.Context, name string, in *EcsServiceArgs, arguments string, opts ...pulumi.ResourceOption) (*OneOffTask, error) {
	task := in.withDefaults()
	if err := validateTask(base.Check("OneOffTask", name), task).Err(); err != nil {
		return nil, err
	}
	if err := task.validate(name); err != nil {
		return nil, err
	}
	b, err := newTask(ctx, OneOffTaskType, name, task, opts)
	if err != nil {
		return nil, err
	}
	c := &OneOffTask{
		Component: b.c, TaskDefinitionArn: b.task.Arn, Family: b.task.Family, ClusterArn: task.Cluster.Arn,
		SubnetIDs: task.SubnetIDs.ToStringArrayOutput(), SecurityGroupID: b.c.SecurityGroupID, LogGroupName: b.c.LogGroupName,
	}
	c.Command = runTaskCommand(task, c.Family, c.SecurityGroupID, arguments)
	return c, ctx.RegisterResourceOutputs(b.c, pulumi.Map{
		"taskDefinitionArn": c.TaskDefinitionArn, "family": c.Family, "clusterArn": c.ClusterArn, "subnetIds": c.SubnetIDs,
		"securityGroupId": c.SecurityGroupID, "logGroupName": c.LogGroupName, "command": c.Command,
	})
}

// validateTask refuses what only a service has.
func validateTask(p *base.Problems, t *EcsServiceArgs) *base.Problems {
	p.Require(len(t.LoadBalancers) == 0 && t.Scaling == nil && t.DiscoveryName == "" && !t.SingleWriter, "Task", "a service's settings", "no load balancer, scaling, discovery or single writer", "")
	return p
}

// newTask registers a component of the type with a task that no service runs, by the first half of the
// steps of a service.
func newTask(ctx *pulumi.Context, typ, name string, task *EcsServiceArgs, opts []pulumi.ResourceOption) (*serviceBuilder, error) {
	c := &EcsService{}
	if err := ctx.RegisterComponentResourceV2(typ, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	b := &serviceBuilder{ctx: ctx, name: name, args: task, c: c, ready: slices.Clone(task.Ready)}
	for _, step := range []func() error{b.logs, b.network, b.roles, b.taskDefinition} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// runTaskCommand is the command that starts a task once.
func runTaskCommand(task *EcsServiceArgs, family, group pulumi.StringOutput, arguments string) pulumi.StringOutput {
	subnets := task.SubnetIDs.ToStringArrayOutput().ApplyT(func(ids []string) string { return strings.Join(ids, ",") }).(pulumi.StringOutput)
	overrides := ""
	if arguments != "" {
		last := task.Containers[len(task.Containers)-1].Name
		overrides = ` --overrides '{"containerOverrides":[{"name":"` + last + `","command":["` + arguments + `"]}]}'`
	}
	return pulumi.Sprintf("aws ecs run-task --region %s --cluster %s --task-definition %s --launch-type FARGATE --enable-ecs-managed-tags --propagate-tags TASK_DEFINITION"+
		" --network-configuration 'awsvpcConfiguration={subnets=[%s],securityGroups=[%s],assignPublicIp=DISABLED}'%s", task.Region, task.Cluster.Arn, family, subnets, group, overrides)
}
