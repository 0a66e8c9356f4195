package aws

import (
	"fmt"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// scalingTypes are Application Auto Scaling.
func scalingTypes() []cloud.Type { return []cloud.Type{scalingTarget(), scalingPolicy()} }

func autoscale(operation, code, format string, args ...any) error {
	return refuse("Application Auto Scaling", operation, code, format, args...)
}

// scalable are the dimensions of the services that a program of ours scales.
var scalable = map[string][]string{
	"ecs": {"ecs:service:DesiredCount"},
	"rds": {"rds:cluster:ReadReplicaCount"},
	"elasticache": {
		"elasticache:replication-group:NodeGroups", "elasticache:replication-group:Replicas",
	},
}

func scalingTarget() cloud.Type {
	return written(cloud.Type{
		Token: scalingTargetType,
		Takes: cloud.Durations{Create: seconds(2), Update: seconds(2), Delete: seconds(2)},
	}, func(c *cloud.Call) error {
		const op = "RegisterScalableTarget"
		namespace, dimension, id := c.In.String("serviceNamespace"), c.In.String("scalableDimension"), c.In.String("resourceId")
		if dims, known := scalable[namespace]; known && !slices.Contains(dims, dimension) {
			return autoscale(op, "ValidationException", "Unsupported service namespace, resource type or scalable dimension")
		}
		if c.In.Int("minCapacity") < 0 || c.In.Int("maxCapacity") < c.In.Int("minCapacity") {
			return autoscale(op, "ValidationException", "Maximum capacity cannot be less than minimum capacity")
		}
		switch namespace {
		case "ecs":
			service := c.Find(ecsServiceType, arn("ecs", c.Scope, id))
			if service == nil {
				return autoscale(op, "ValidationException", "ECS service doesn't exist: %s", id)
			}
			bring(c.World, service, c.In.Float("minCapacity"), c.In.Float("maxCapacity"))
		case "rds":
			if byProperty(c.All(dbClusterType), "clusterIdentifier", strings.TrimPrefix(id, "cluster:")) == nil {
				return autoscale(op, "ValidationException", "DB cluster doesn't exist: %s", id)
			}
		}
		return nil
	}, func(c *cloud.Call) error {
		c.ID = c.In.String("resourceId")
		c.Out["arn"] = arn("application-autoscaling", c.Scope, "scalable-target/"+c.Gen.Hex("target", 32))
		namespace := c.In.String("serviceNamespace")
		suffix := map[string]string{"ecs": "ECSService", "rds": "RDSCluster", "elasticache": "ElastiCacheRG"}[namespace]
		computed(c, "roleArn", arn("iam", "", fmt.Sprintf("role/aws-service-role/%s.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_%s", namespace, suffix)))
		return nil
	})
}

// bring takes a service's number of tasks into the range that is registered for it, as AWS does at once,
// whatever is in any state.
func bring(w *cloud.World, service *cloud.Resource, least, most float64) {
	now := service.Out.Float("desiredCount")
	if n := min(max(now, least), most); n != now {
		change(w, service, func(out cloud.Object) { out["desiredCount"] = n })
	}
}

// trackable are the predefined metrics per namespace.
var trackable = map[string][]string{
	"ecs": {"ECSServiceAverageCPUUtilization", "ECSServiceAverageMemoryUtilization", "ALBRequestCountPerTarget"},
	"rds": {"RDSReaderAverageCPUUtilization", "RDSReaderAverageDatabaseConnections"},
}

func scalingPolicy() cloud.Type {
	return written(cloud.Type{
		Token: scalingPolicyType,
		Takes: cloud.Durations{Create: seconds(2), Update: seconds(2), Delete: seconds(2)},
	}, checkPolicy, func(c *cloud.Call) error {
		c.ID = c.In.String("name")
		if c.Find(scalingPolicyType, c.ID) != nil {
			// Names are unique per target only; the longer form is the one that imports take.
			c.ID = strings.Join([]string{c.In.String("serviceNamespace"), c.In.String("resourceId"), c.In.String("scalableDimension"), c.ID}, "/")
		}
		id := c.Gen.UUID("policy")
		c.Out["arn"] = "arn:aws:autoscaling:" + c.Scope + ":" + accountID + ":scalingPolicy:" + id + ":resource/" + c.In.String("serviceNamespace") + "/" + c.In.String("resourceId") + ":policyName/" + c.In.String("name")
		c.Out["alarmArns"] = []any{}
		if c.In.String("policyType") == "TargetTrackingScaling" {
			base := "alarm:TargetTracking-" + c.In.String("resourceId")
			c.Out["alarmArns"] = cloud.Plain([]string{
				arn("cloudwatch", c.Scope, base+"-AlarmHigh-"+c.Gen.UUID("high")), arn("cloudwatch", c.Scope, base+"-AlarmLow-"+c.Gen.UUID("low")),
			})
		}
		return nil
	})
}

func checkPolicy(c *cloud.Call) error {
	const op = "PutScalingPolicy"
	namespace, id, dimension := c.In.String("serviceNamespace"), c.In.String("resourceId"), c.In.String("scalableDimension")
	registered := slices.ContainsFunc(c.All(scalingTargetType), func(t *cloud.Resource) bool {
		return t.Out.String("resourceId") == id && t.Out.String("scalableDimension") == dimension
	})
	if !registered {
		return autoscale(op, "ObjectNotFoundException", "No scalable target registered for service namespace: %s, resource ID: %s, scalable dimension: %s", namespace, id, dimension)
	}
	kind := c.In.String("policyType")
	tracking := c.In.Object("targetTrackingScalingPolicyConfiguration")
	switch {
	case kind == "TargetTrackingScaling" && tracking == nil:
		return autoscale(op, "ValidationException", "Target tracking scaling policies require a target tracking configuration")
	case kind == "StepScaling" && c.In.Object("stepScalingPolicyConfiguration") == nil:
		return autoscale(op, "ValidationException", "Step scaling policies require a step scaling configuration")
	case tracking == nil:
		return nil
	case tracking.Float("targetValue") <= 0:
		return autoscale(op, "ValidationException", "Target value must be positive")
	}
	metric := tracking.Object("predefinedMetricSpecification")
	if metric == nil {
		if !tracking.Has("customizedMetricSpecification") {
			return autoscale(op, "ValidationException", "A target tracking configuration must have a predefined or a customized metric")
		}
		return nil
	}
	name := metric.String("predefinedMetricType")
	if known, ok := trackable[namespace]; ok && !slices.Contains(known, name) {
		return autoscale(op, "ValidationException", "Invalid predefined metric type %s for service namespace %s", name, namespace)
	}
	if name == "ALBRequestCountPerTarget" {
		if err := resourceLabel(c, op, metric.String("resourceLabel")); err != nil {
			return err
		}
	}
	for _, other := range c.All(scalingPolicyType) {
		if other.Out.String("resourceId") == id && other.Out.String("targetTrackingScalingPolicyConfiguration.predefinedMetricSpecification.predefinedMetricType") == name {
			return autoscale(op, "ValidationException", "Only one TargetTrackingScaling policy for a given metric specification is allowed.")
		}
	}
	return nil
}

// resourceLabel refuses a label that names no load balancer with that target group behind it.
func resourceLabel(c *cloud.Call, op, label string) error {
	if label == "" {
		return autoscale(op, "ValidationException", "You must specify a resource label for the metric ALBRequestCountPerTarget")
	}
	lb, group, ok := strings.Cut(label, "/targetgroup/")
	b := byProperty(c.All(loadBalancerType), "arnSuffix", lb)
	g := byProperty(c.All(targetGroupType), "arnSuffix", "targetgroup/"+group)
	if !ok || b == nil || g == nil {
		return autoscale(op, "ValidationException", "The resource label %s is not valid: expected app/<load-balancer-name>/<id>/targetgroup/<target-group-name>/<id>", label)
	}
	if balancerOf(c, g) != b.ID {
		return autoscale(op, "ValidationException", "The target group is not associated with the load balancer: %s", label)
	}
	return nil
}
