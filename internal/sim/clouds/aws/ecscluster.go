package aws

import (
	"regexp"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// containerTypes are ECS.
func containerTypes() []cloud.Type {
	return []cloud.Type{ecsCluster(), clusterCapacity(), taskDefinition(), ecsService()}
}

// ecs is an error of the ECS API.
func ecs(operation, code, format string, args ...any) error {
	return refuse("ECS", operation, code, format, args...)
}

var ecsName = regexp.MustCompile(`^[0-9A-Za-z_-]{1,255}$`)

func ecsCluster() cloud.Type {
	busy := func(self, by *cloud.Resource) error {
		return ecs("DeleteCluster", "ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.")
	}
	check := func(c *cloud.Call) error {
		op := operation(c, "CreateCluster", "UpdateCluster")
		for _, s := range c.In.Objects("settings") {
			if v := s.String("value"); s.String("name") == "containerInsights" && !slices.Contains([]string{"enabled", "disabled", "enhanced"}, v) {
				return ecs(op, "InvalidParameterException", "Invalid cluster setting value: %s. Valid values are enabled, disabled and enhanced.", v)
			}
		}
		exec := c.In.Object("configuration.executeCommandConfiguration")
		if exec.String("logging") == "OVERRIDE" && !exec.Has("logConfiguration") {
			return ecs(op, "InvalidParameterException", "Log configuration must be specified when logging is set to OVERRIDE.")
		}
		if name := exec.String("logConfiguration.cloudWatchLogGroupName"); name != "" && !logGroupExists(c, name) {
			return ecs(op, "InvalidParameterException", "The CloudWatch log group %s does not exist.", name)
		}
		for _, key := range []string{"executeCommandConfiguration.kmsKeyId", "managedStorageConfiguration.kmsKeyId", "managedStorageConfiguration.fargateEphemeralStorageKmsKeyId"} {
			if reason := keyUsable(c, c.In.String("configuration."+key)); reason != "" {
				return ecs(op, "InvalidParameterException", "Invalid KMS key: %s", reason)
			}
		}
		return nil
	}
	return written(cloud.Type{
		Token: ecsClusterType,
		Check: func(c *cloud.CheckCall) {
			if name := c.In.String("name"); name != "" && !ecsName.MatchString(name) {
				c.Fail("name", "invalid value for name (The cluster name must consist of alphanumerics, hyphens, and underscores.): %q", name)
			}
			if ns := c.In.String("serviceConnectDefaults.namespace"); ns != "" && !isARN(ns, "servicediscovery") {
				c.Fail("serviceConnectDefaults.namespace", "%q is an invalid ARN: arn: invalid prefix", ns)
			}
		},
		InUse: []cloud.Ref{
			{Type: ecsServiceType, Path: "cluster", Error: busy}, {Type: ecsServiceType, Path: "cluster", By: "name", Error: busy},
		},
		Takes: cloud.Durations{Create: seconds(11), Update: seconds(10), Delete: seconds(12)},
	}, check, func(c *cloud.Call) error {
		name := c.In.String("name")
		if c.Clash("name") != nil {
			// CreateCluster would hand out the existing one, and two resources would own it.
			return ecs("CreateCluster", "InvalidParameterException", "A cluster with the name %s exists already.", name)
		}
		c.ID = arn("ecs", c.Scope, "cluster/"+name)
		c.Out["arn"] = c.ID
		computed(c, "settings", []any{cloud.Object{"name": "containerInsights", "value": "disabled"}})
		return nil
	})
}

// clusterOf finds a cluster by ARN or name.
func clusterOf(c *cloud.Call, ref string) *cloud.Resource {
	if r := c.Find(ecsClusterType, ref); r != nil {
		return r
	}
	return byProperty(c.All(ecsClusterType), "name", ref)
}

func clusterCapacity() cloud.Type {
	return written(cloud.Type{
		Token: clusterCapacityType,
		Delete: func(c *cloud.Call) error {
			for _, s := range c.All(ecsServiceType) {
				if at := clusterOf(c, s.Out.String("cluster")); at != nil && at.Out.String("name") == c.ID && len(s.In.Objects("capacityProviderStrategies")) > 0 {
					return ecs("PutClusterCapacityProviders", "ResourceInUseException", "The specified capacity provider is in use and cannot be removed.")
				}
			}
			return nil
		},
		Takes: cloud.Durations{Create: seconds(12), Update: seconds(12), Delete: seconds(12)},
	}, func(c *cloud.Call) error {
		const op = "PutClusterCapacityProviders"
		name := c.In.String("clusterName")
		if byProperty(c.All(ecsClusterType), "name", name) == nil {
			return ecs(op, "ClusterNotFoundException", "Cluster not found.")
		}
		providers := c.In.Strings("capacityProviders")
		for _, p := range providers {
			if p != "FARGATE" && p != "FARGATE_SPOT" && byProperty(c.All(capacityType), "name", p) == nil {
				return ecs(op, "InvalidParameterException", "The specified capacity provider '%s' was not found. Specify a valid name or ARN and try again.", p)
			}
		}
		return strategy(op, c.In.Objects("defaultCapacityProviderStrategies"), providers)
	}, func(c *cloud.Call) error {
		c.ID = c.In.String("clusterName")
		return nil
	})
}

// strategy refuses a capacity provider strategy that the cluster cannot follow.
func strategy(op string, items []cloud.Object, providers []string) error {
	bases, weights := 0, 0
	for _, s := range items {
		if !slices.Contains(providers, s.String("capacityProvider")) {
			return ecs(op, "InvalidParameterException", "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster and try again.")
		}
		if s.Int("base") > 0 {
			bases++
		}
		weights += s.Int("weight")
	}
	switch {
	case bases > 1:
		return ecs(op, "InvalidParameterException", "The specified capacity provider strategy can only have one capacity provider with a base value defined.")
	case len(items) > 0 && weights == 0:
		return ecs(op, "InvalidParameterException", "A capacity provider strategy must have at least one capacity provider with a weight greater than 0.")
	}
	return nil
}

// fargate tells whether one of the capacity providers is Fargate.
func fargate(names []string) bool {
	return slices.ContainsFunc(names, func(s string) bool { return strings.HasPrefix(s, "FARGATE") })
}
