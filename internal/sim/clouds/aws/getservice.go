package aws

import "github.com/morphee-app/morphee-infra/internal/sim/cloud"

// getECSService tells what a service runs by now, which is not what was asked for when the deployment
// was rolled back.
func getECSService(c *cloud.InvokeCall) (cloud.Object, error) {
	cluster, name := c.In.String("clusterArn"), c.In.String("serviceName")
	for _, r := range c.World.All(c.Scope, ecsServiceType) {
		if r.Out.String("name") != name || r.Out.String("cluster") != cluster && arn("ecs", c.Scope, "cluster/"+r.Out.String("cluster")) != cluster {
			continue
		}
		task := r.Out.String("taskDefinition")
		if d := taskByRef(c.World.All(c.Scope, taskDefinitionType), task); d != nil {
			task = d.Out.String("arn")
		}
		return cloud.Object{
			"id": r.ID, "arn": r.ID, "clusterArn": cluster, "serviceName": name, "taskDefinition": task, "desiredCount": r.Out.Float("desiredCount"),
			"launchType": r.Out.String("launchType"), "schedulingStrategy": orText(r.Out.String("schedulingStrategy"), "REPLICA"),
			"availabilityZoneRebalancing": orText(r.Out.String("availabilityZoneRebalancing"), "DISABLED"), "tags": orObject(r.Out.Object("tagsAll")),
		}, nil
	}
	return nil, cloud.Refuse("ServiceNotFoundException", "reading ECS Service (%s): couldn't find resource", name)
}

func orObject(o cloud.Object) cloud.Object {
	if o == nil {
		return cloud.Object{}
	}
	return o
}
