package aws

import (
	"fmt"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func ecsService() cloud.Type {
	t := written(cloud.Type{
		Token: ecsServiceType,
		Check: func(c *cloud.CheckCall) {
			if name := c.In.String("name"); name != "" && !ecsName.MatchString(name) {
				c.Fail("name", "invalid value for name (up to 255 letters, digits, hyphens and underscores): %q", name)
			}
		},
		Replaces: func(old, new cloud.Object) []string {
			const key = "capacityProviderStrategies"
			a, b := old.List(key), new.List(key)
			if new.Has(key) && !new.Known(key) || sameStrategy(old.Objects(key), new.Objects(key)) {
				return nil
			}
			if !new.Bool("forceNewDeployment") || (len(a) == 0) != (len(b) == 0) {
				return []string{key}
			}
			return nil
		},
		Takes: cloud.Durations{Create: minutes(3), Update: minutes(3), Delete: minutes(2)},
	}, checkService, createService)
	check := t.Update
	t.Update = func(c *cloud.Call) error {
		// The provider sends the number of tasks only when it changes: any other update leaves it as
		// Application Auto Scaling has made it.
		if live := c.Find(ecsServiceType, c.ID); live != nil && live.Out.Has("desiredCount") && cloud.Equal(c.In.Get("desiredCount"), c.Old.Get("desiredCount")) {
			c.Out["desiredCount"] = live.Out.Get("desiredCount")
		}
		return check(c)
	}
	t.Read = func(c *cloud.Call) error {
		if c.In.Has("desiredCount") {
			c.In["desiredCount"] = c.Out.Get("desiredCount")
		}
		return nil
	}
	return t
}

func sameStrategy(a, b []cloud.Object) bool {
	write := func(list []cloud.Object) []string {
		var out []string
		for _, s := range list {
			out = append(out, fmt.Sprint(s.String("capacityProvider"), s.Int("base"), s.Int("weight")))
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(write(a), write(b))
}

func createService(c *cloud.Call) error {
	cluster := clusterOf(c, orText(c.In.String("cluster"), "default"))
	name := c.In.String("name")
	c.ID = arn("ecs", c.Scope, fmt.Sprintf("service/%s/%s", cluster.Out.String("name"), name))
	if c.Find(ecsServiceType, c.ID) != nil {
		return ecs("CreateService", "InvalidParameterException", "Creation of service was not idempotent.")
	}
	computed(c, "cluster", cluster.ID)
	computed(c, "iamRole", "/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS")
	computed(c, "triggers", map[string]any{})
	if len(c.In.List("capacityProviderStrategies")) == 0 {
		computed(c, "launchType", "EC2")
	} else {
		computed(c, "launchType", "")
	}
	if serviceOnFargate(c, cluster) {
		computed(c, "platformVersion", "LATEST")
	} else {
		computed(c, "platformVersion", "")
	}
	return nil
}

// serviceOnFargate tells whether the service's tasks run on Fargate: by its launch type, its own
// strategy, or the cluster's.
func serviceOnFargate(c *cloud.Call, cluster *cloud.Resource) bool {
	if kind := c.In.String("launchType"); kind != "" {
		return kind == "FARGATE"
	}
	items := c.In.Objects("capacityProviderStrategies")
	if len(items) == 0 {
		items = defaultStrategy(c, cluster)
	}
	var names []string
	for _, s := range items {
		names = append(names, s.String("capacityProvider"))
	}
	return fargate(names)
}

// defaultStrategy is what the cluster does with services that say nothing.
func defaultStrategy(c *cloud.Call, cluster *cloud.Resource) []cloud.Object {
	if p := byProperty(c.All(clusterCapacityType), "clusterName", cluster.Out.String("name")); p != nil {
		return p.Out.Objects("defaultCapacityProviderStrategies")
	}
	return nil
}

// findTask finds a task definition by ARN, family:revision or family.
func findTask(c *cloud.Call, ref string) *cloud.Resource {
	return taskByRef(c.All(taskDefinitionType), ref)
}

// taskByRef finds it in the list. A family alone means its newest revision.
func taskByRef(list []*cloud.Resource, ref string) *cloud.Resource {
	short := strings.TrimPrefix(orText(arnPart(ref, 5), ref), "task-definition/")
	var best *cloud.Resource
	for _, r := range list {
		family, revision := r.Out.String("family"), r.Out.Int("revision")
		if short == fmt.Sprintf("%s:%d", family, revision) {
			return r
		}
		if short == family && (best == nil || revision > best.Out.Int("revision")) {
			best = r
		}
	}
	return best
}

// checkService refuses what CreateService and UpdateService refuse, and a deployment that could never
// reach a steady state.
func checkService(c *cloud.Call) error {
	op := operation(c, "CreateService", "UpdateService")
	invalid := func(format string, args ...any) error {
		return ecs(op, "InvalidParameterException", format, args...)
	}
	cluster := clusterOf(c, orText(c.In.String("cluster"), "default"))
	if cluster == nil {
		return ecs(op, "ClusterNotFoundException", "Cluster not found.")
	}
	if err := serviceCapacity(c, op, cluster); err != nil {
		return err
	}
	if err := servicePercentages(c, op); err != nil {
		return err
	}
	if c.In.String("deploymentController.type") == "EXTERNAL" {
		return nil
	}
	ref := c.In.String("taskDefinition")
	if ref == "" {
		return invalid("TaskDefinition can not be blank.")
	}
	def := findTask(c, ref)
	if def == nil {
		return ecs(op, "ClientException", "Unable to describe task definition: %s", ref)
	}
	if serviceOnFargate(c, cluster) && !slices.Contains(def.In.Strings("requiresCompatibilities"), "FARGATE") {
		return invalid("Task definition does not support launch_type FARGATE.")
	}
	if c.In.Bool("enableExecuteCommand") && !def.In.Has("taskRoleArn") {
		return invalid("The service couldn't be created because a valid taskRoleArn is not being used. Specify a valid task role in your task definition and try again.")
	}
	if err := serviceNetwork(c, op, cluster, def); err != nil {
		return err
	}
	if err := serviceBalancers(c, op, def); err != nil {
		return err
	}
	if err := serviceDiscovery(c, op, def); err != nil {
		return err
	}
	if c.In.Int("desiredCount") == 0 && c.In.Has("desiredCount") {
		return nil
	}
	return taskStarts(c, def)
}

func serviceCapacity(c *cloud.Call, op string, cluster *cloud.Resource) error {
	items := c.In.Objects("capacityProviderStrategies")
	if len(items) > 0 && c.In.Has("launchType") {
		return ecs(op, "InvalidParameterException", "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.")
	}
	var providers []string
	for _, p := range c.All(clusterCapacityType) {
		if p.Out.String("clusterName") == cluster.Out.String("name") {
			providers = append(providers, p.Out.Strings("capacityProviders")...)
		}
	}
	if err := strategy(op, items, providers); err != nil {
		return err
	}
	if v := c.In.String("platformVersion"); v != "" && serviceOnFargate(c, cluster) && !slices.Contains([]string{"LATEST", "1.4.0", "1.3.0"}, v) {
		return ecs(op, "PlatformUnknownException", "The specified platform does not exist: %s", v)
	}
	if !c.In.Has("launchType") && len(items) == 0 && len(defaultStrategy(c, cluster)) == 0 && c.In.String("deploymentController.type") != "EXTERNAL" && len(c.All("aws:autoscaling/group:Group")) == 0 && c.In.Int("desiredCount") > 0 {
		return ecs(op, "InvalidParameterException", "No Container Instances were found in your cluster. Set launchType FARGATE or a capacity provider strategy.")
	}
	return nil
}

func servicePercentages(c *cloud.Call, op string) error {
	low, high := 100, 200
	if c.In.Has("deploymentMinimumHealthyPercent") {
		low = c.In.Int("deploymentMinimumHealthyPercent")
	}
	if c.In.Has("deploymentMaximumPercent") {
		high = c.In.Int("deploymentMaximumPercent")
	}
	switch {
	case c.In.String("schedulingStrategy") == "DAEMON":
		return nil
	case low == 100 && high == 100:
		return ecs(op, "InvalidParameterException", "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.")
	case high < low || high < 1 || high > 200 || low < 0:
		return ecs(op, "InvalidParameterException", "maximumPercent %d must be at most 200 and not below minimumHealthyPercent %d.", high, low)
	case low == 0 && high == 0:
		return ecs(op, "InvalidParameterException", "maximumPercent cannot be 0 when minimumHealthyPercent is 0.")
	}
	if c.In.Bool("deploymentCircuitBreaker.enable") && orText(c.In.String("deploymentController.type"), "ECS") != "ECS" {
		return ecs(op, "InvalidParameterException", "Deployment circuit breaker feature can only be used with ECS deployment controller")
	}
	if c.In.Has("healthCheckGracePeriodSeconds") && c.In.Int("healthCheckGracePeriodSeconds") > 0 && len(c.In.List("loadBalancers")) == 0 {
		return ecs(op, "InvalidParameterException", "Health check grace period is only valid for services configured to use load balancers")
	}
	return nil
}
