package aws

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/appautoscaling"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// scaling registers the range of tasks and a policy for each thing to aim at.
//
// A service that is stopped keeps a range, of no task. DesiredCount alone would not stop it twice: when it
// goes on, AWS starts its tasks and the state still says 0, so that the next 0 is no change. A new range
// always is one, and AWS keeps to it.
func (b *serviceBuilder) scaling() error {
	s := b.args.Scaling
	if s == nil {
		return nil
	}
	target, err := appautoscaling.NewTarget(b.ctx, b.name+"-scaling", &appautoscaling.TargetArgs{
		ServiceNamespace: pulumi.String("ecs"), ScalableDimension: pulumi.String("ecs:service:DesiredCount"),
		ResourceId:  pulumi.Sprintf("service/%s/%s", b.args.Cluster.Name, b.svc.Name),
		MinCapacity: pulumi.Int(s.MinTasks), MaxCapacity: pulumi.Int(s.MaxTasks),
		Tags: b.args.Tags.Pulumi("Name", b.name+"-scaling"),
	}, pulumi.Parent(b.c))
	if err != nil || s.stopped() {
		return err
	}
	for _, aim := range []struct {
		name, metric string
		value        int
		label        pulumi.StringPtrInput
	}{
		{"cpu", "ECSServiceAverageCPUUtilization", s.CPUPercent, nil},
		{"memory", "ECSServiceAverageMemoryUtilization", s.MemoryPercent, nil},
		{"requests", "ALBRequestCountPerTarget", s.RequestsPerTask, b.requestLabel()},
	} {
		if aim.value == 0 {
			continue
		}
		if _, err := appautoscaling.NewPolicy(b.ctx, b.name+"-scaling-"+aim.name, &appautoscaling.PolicyArgs{
			PolicyType:       pulumi.String("TargetTrackingScaling"),
			ServiceNamespace: target.ServiceNamespace, ScalableDimension: target.ScalableDimension, ResourceId: target.ResourceId,
			TargetTrackingScalingPolicyConfiguration: &appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs{
				PredefinedMetricSpecification: &appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs{
					PredefinedMetricType: pulumi.String(aim.metric), ResourceLabel: aim.label,
				},
				TargetValue: pulumi.Float64(aim.value),
				// Quick to grow, slow to shrink: open WebSockets are cut when a task goes.
				ScaleOutCooldown: pulumi.Int(60), ScaleInCooldown: pulumi.Int(300),
			},
		}, pulumi.Parent(b.c)); err != nil {
			return err
		}
	}
	return nil
}

func (b *serviceBuilder) requestLabel() pulumi.StringPtrInput {
	if t := b.args.requestTarget(); t != nil {
		return t.ResourceLabel.ToStringPtrOutput()
	}
	return nil
}
