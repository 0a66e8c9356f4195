package aws

import "github.com/morphee-app/morphee-infra/internal/sim/cloud"

// getECSService looks a service up by cluster and name, as DescribeServices does.
func getECSService(c *cloud.InvokeCall) (cloud.Object, error) {
	cluster, name := c.In.String("clusterArn"), c.In.String("serviceName")
	for _, r := range c.World.All(c.Scope, ecsServiceType) {
		if r.Out.String("cluster") == cluster && r.Out.String("name") == name {
			return cloud.Object{
				"id": r.ID, "arn": r.ID, "clusterArn": cluster, "serviceName": name, "taskDefinition": r.Out.String("taskDefinition"), "desiredCount": r.Out.Int("desiredCount"),
				"launchType": r.Out.String("launchType"), "schedulingStrategy": "REPLICA", "availabilityZoneRebalancing": r.Out.String("availabilityZoneRebalancing"), "tags": map[string]any{},
			}, nil
		}
	}
	return nil, cloud.Refuse("ServiceNotFoundException", "no ECS service %s in %s", name, cluster)
}
