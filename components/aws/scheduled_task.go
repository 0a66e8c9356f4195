package aws

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/scheduler"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// ScheduledTaskType is the type token of ScheduledTask.
const ScheduledTaskType = "morphee:aws:ScheduledTask"

// ScheduledTaskArgs are the decisions about a task that runs now and then, to its end.
type ScheduledTaskArgs struct {
	// Task is what runs, described like a service: but it has no count, load balancer, scaling,
	// discovery or deployment, which must be left out.
	Task EcsServiceArgs
	// Cron is when it runs, UTC, in AWS's six fields without cron(); required.
	Cron string
	// Retries is how often starting it is tried again, 0 to 185; default 3. A task that started and
	// failed is not run again before its next time.
	Retries *int
	// Paused keeps everything and starts nothing.
	Paused bool
}

// ScheduledTask is a Fargate task that EventBridge Scheduler starts.
type ScheduledTask struct {
	// Component is the resource that everything here is a child of. It is built by the steps of an
	// EcsService, of which a scheduled task has the first half.
	Component                   *EcsService
	TaskDefinitionArn, Family   pulumi.StringOutput
	ScheduleGroup, ScheduleName pulumi.StringOutput
	SecurityGroupID             pulumi.StringOutput
	LogGroupName                pulumi.StringOutput
}

func (a *ScheduledTaskArgs) validate(name string) error {
	p := base.Check("ScheduledTask", name)
	p.Require(awsCron.MatchString(a.Cron), "Cron", a.Cron, "six fields, such as 15 3 * * ? *", "")
	p.Require(*a.Retries >= 0 && *a.Retries <= 185, "Retries", *a.Retries, "0 to 185", "")
	return validateTask(p, &a.Task).Err()
}

// NewScheduledTask registers the task definition with its roles, logs and security group, and the
// schedule that starts it.
func NewScheduledTask(ctx *pulumi.Context, name string, in *ScheduledTaskArgs, opts ...pulumi.ResourceOption) (*ScheduledTask, error) {
	args := *in
	if args.Retries == nil {
		three := 3
		args.Retries = &three
	}
	task := args.Task.withDefaults()
	if err := args.validate(name); err != nil {
		return nil, err
	}
	if err := task.validate(name); err != nil {
		return nil, err
	}
	b, err := newTask(ctx, ScheduledTaskType, name, task, opts)
	if err != nil {
		return nil, err
	}
	c := &ScheduledTask{Component: b.c}
	c.TaskDefinitionArn, c.Family, c.SecurityGroupID, c.LogGroupName = b.task.Arn, b.task.Family, b.c.SecurityGroupID, b.c.LogGroupName
	if err := c.schedule(ctx, name, &args, b); err != nil {
		return nil, err
	}
	return c, ctx.RegisterResourceOutputs(c.Component, pulumi.Map{
		"taskDefinitionArn": c.TaskDefinitionArn, "family": c.Family, "scheduleGroup": c.ScheduleGroup, "scheduleName": c.ScheduleName,
		"securityGroupId": c.SecurityGroupID, "logGroupName": c.LogGroupName,
	})
}

func (c *ScheduledTask) schedule(ctx *pulumi.Context, name string, args *ScheduledTaskArgs, b *serviceBuilder) error {
	group, err := scheduler.NewScheduleGroup(ctx, name+"-group", &scheduler.ScheduleGroupArgs{Tags: args.Task.Tags.Pulumi("Name", name+"-group")}, pulumi.Parent(c.Component))
	if err != nil {
		return err
	}
	starter, ready, err := c.starter(ctx, name+"-starter", args, b)
	if err != nil {
		return err
	}
	var state pulumi.StringPtrInput
	if args.Paused {
		state = pulumi.String("DISABLED")
	}
	schedule, err := scheduler.NewSchedule(ctx, name+"-schedule", &scheduler.ScheduleArgs{
		State: state, GroupName: group.Name, Description: pulumi.String("Starts " + name),
		ScheduleExpression: pulumi.Sprintf("cron(%s)", args.Cron), ScheduleExpressionTimezone: pulumi.String("UTC"),
		FlexibleTimeWindow: &scheduler.ScheduleFlexibleTimeWindowArgs{Mode: pulumi.String("OFF")},
		Target: &scheduler.ScheduleTargetArgs{
			Arn: args.Task.Cluster.Arn, RoleArn: starter,
			RetryPolicy: &scheduler.ScheduleTargetRetryPolicyArgs{MaximumRetryAttempts: pulumi.Int(*args.Retries), MaximumEventAgeInSeconds: pulumi.Int(3600)},
			EcsParameters: &scheduler.ScheduleTargetEcsParametersArgs{
				TaskDefinitionArn: b.task.Arn, TaskCount: pulumi.Int(1), LaunchType: pulumi.String("FARGATE"), PlatformVersion: pulumi.String("LATEST"),
				EnableEcsManagedTags: pulumi.Bool(true), EnableExecuteCommand: pulumi.Bool(false), PropagateTags: pulumi.String("TASK_DEFINITION"),
				NetworkConfiguration: &scheduler.ScheduleTargetEcsParametersNetworkConfigurationArgs{
					Subnets: args.Task.SubnetIDs, SecurityGroups: pulumi.StringArray{c.SecurityGroupID}, AssignPublicIp: pulumi.Bool(false),
				},
			},
		},
	}, pulumi.Parent(c.Component), pulumi.DependsOn(append(b.ready, ready...)))
	if err != nil {
		return err
	}
	c.ScheduleGroup, c.ScheduleName = group.Name, schedule.Name
	return nil
}

// starter registers the role that the scheduler takes: it starts this task, and hands it its roles.
func (c *ScheduledTask) starter(ctx *pulumi.Context, name string, args *ScheduledTaskArgs, b *serviceBuilder) (pulumi.StringInput, []pulumi.Resource, error) {
	role, ready, err := serviceRole(ctx, name, "scheduler.amazonaws.com", "Starts "+b.name, args.Task.AccountID, []Statement{
		{Sid: "RunTask", Actions: []string{"ecs:RunTask"}, Resources: arns(b.task.Arn), Conditions: condition("ArnEquals", "ecs:cluster", args.Task.Cluster.Arn)},
		{Sid: "TagTask", Actions: []string{"ecs:TagResource"}, Resources: arns(pulumi.Sprintf("arn:aws:ecs:%s:%s:task/%s/*", args.Task.Region, args.Task.AccountID, args.Task.Cluster.Name)),
			Conditions: condition("StringEquals", "ecs:CreateAction", pulumi.String("RunTask"))},
		{Sid: "HandOverRoles", Actions: []string{"iam:PassRole"}, Resources: arns(b.execution, b.role),
			Conditions: condition("StringEquals", "iam:PassedToService", pulumi.String("ecs-tasks.amazonaws.com"))},
	}, args.Task.Tags, c.Component)
	if err != nil {
		return nil, nil, err
	}
	return role.Arn, ready, nil
}
