package aws

import (
	"slices"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func serviceNetwork(c *cloud.Call, op string, cluster, def *cloud.Resource) error {
	network := c.In.Object("networkConfiguration")
	awsvpc := def.Out.String("networkMode") == "awsvpc"
	switch {
	case awsvpc && network == nil:
		return ecs(op, "InvalidParameterException", "Network Configuration must be provided when networkMode 'awsvpc' is specified.")
	case !awsvpc && network != nil:
		return ecs(op, "InvalidParameterException", "Network Configuration is not valid for the given networkMode of this task definition.")
	case !awsvpc:
		return nil
	case network.Bool("assignPublicIp") && !serviceOnFargate(c, cluster):
		return ecs(op, "InvalidParameterException", "Assign public IP is not supported for this launch type.")
	}
	ids := network.Strings("subnets")
	p := place(c.World, c.Scope, ids)
	switch {
	case len(p.missing) > 0:
		return ecs(op, "InvalidParameterException", "Error retrieving subnet information for [%s]: The subnet ID '%s' does not exist (ErrorCode: InvalidSubnetID.NotFound)", list(ids), p.missing[0])
	case len(p.vpcs) > 1:
		return ecs(op, "InvalidParameterException", "All subnets must belong to the same VPC: %s", list(p.vpcs))
	case len(p.subnets) == 0 || len(p.subnets) > 16:
		return ecs(op, "InvalidParameterException", "subnets must have between 1 and 16 items, got %d", len(p.subnets))
	}
	groups := network.Strings("securityGroups")
	if len(groups) > 5 {
		return ecs(op, "InvalidParameterException", "securityGroups can have at most 5 items.")
	}
	if g, at := misplacedGroup(c.World, c.Scope, groups, p.vpcs[0]); g != "" {
		if at == "" {
			return ecs(op, "InvalidParameterException", "Error retrieving security group information for [%s]: The security group '%s' does not exist (ErrorCode: InvalidGroup.NotFound)", list(groups), g)
		}
		return ecs(op, "InvalidParameterException", "Security group %s does not appear to belong to the same VPC as the input subnets.", g)
	}
	return nil
}

func serviceBalancers(c *cloud.Call, op string, def *cloud.Resource) error {
	balancers := c.In.Objects("loadBalancers")
	if len(balancers) > 5 {
		return ecs(op, "InvalidParameterException", "load balancers can have at most 5 items.")
	}
	for _, b := range balancers {
		ref := b.String("targetGroupArn")
		g := c.Find(targetGroupType, ref)
		if g == nil {
			return ecs(op, "InvalidParameterException", "Unable to find target group: %s", ref)
		}
		if kind := g.Out.String("targetType"); def.Out.String("networkMode") == "awsvpc" && kind != "ip" {
			return ecs(op, "InvalidParameterException", "The provided target group %s has target type %s, which is incompatible with the awsvpc network mode specified in the task definition.", ref, kind)
		}
		if err := containerPort(op, def, b.String("containerName"), b.Int("containerPort")); err != nil {
			return err
		}
		if balancerOf(c, g) == "" {
			return ecs(op, "InvalidParameterException", "The target group with targetGroupArn %s does not have an associated load balancer.", ref)
		}
		if subnets := place(c.World, c.Scope, c.In.Strings("networkConfiguration.subnets")); len(subnets.vpcs) == 1 && g.Out.String("vpcId") != subnets.vpcs[0] {
			return ecs(op, "InvalidParameterException", "The target group %s is in VPC %s, the subnets of the service are in %s.", ref, g.Out.String("vpcId"), subnets.vpcs[0])
		}
	}
	return nil
}

// containerPort refuses a container or port that the task definition does not have.
func containerPort(op string, def *cloud.Resource, name string, port int) error {
	list, _ := containers(def.Out)
	for _, c := range list {
		if c.String("name") != name {
			continue
		}
		if slices.ContainsFunc(c.Objects("portMappings"), func(p cloud.Object) bool { return p.Int("containerPort") == port }) {
			return nil
		}
		return ecs(op, "InvalidParameterException", "The container %s did not have a container port %d defined.", name, port)
	}
	return ecs(op, "InvalidParameterException", "The container %s does not exist in the task definition.", name)
}

func serviceDiscovery(c *cloud.Call, op string, def *cloud.Resource) error {
	if r := c.In.Object("serviceRegistries"); r != nil {
		ref := r.String("registryArn")
		if !isARN(ref, "servicediscovery") || c.Find(discoveryServiceType, ref) == nil {
			return ecs(op, "InvalidParameterException", "Unable to find the service registry: %s", ref)
		}
		if name := r.String("containerName"); name != "" && r.Has("containerPort") {
			return containerPort(op, def, name, r.Int("containerPort"))
		}
	}
	connect := c.In.Object("serviceConnectConfiguration")
	if !connect.Bool("enabled") {
		return nil
	}
	list, _ := containers(def.Out)
	for _, s := range connect.Objects("services") {
		name := s.String("portName")
		found := slices.ContainsFunc(list, func(o cloud.Object) bool {
			return slices.ContainsFunc(o.Objects("portMappings"), func(p cloud.Object) bool { return p.String("name") == name })
		})
		if !found {
			return ecs(op, "InvalidParameterException", "portName(%s) does not refer to any named PortMapping in the Task Definition.", name)
		}
	}
	return nil
}
