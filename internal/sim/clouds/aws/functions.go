package aws

import (
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// coreFunctions are the lookups of the account, the region and the network.
func coreFunctions() map[string]cloud.Function {
	return map[string]cloud.Function{
		"aws:index/getCallerIdentity:getCallerIdentity":       getCallerIdentity,
		"aws:ecs/getService:getService":                       getECSService,
		"aws:index/getRegion:getRegion":                       getRegion,
		"aws:index/getAvailabilityZones:getAvailabilityZones": getAvailabilityZones,
		"aws:index/getPartition:getPartition":                 getPartition,
		"aws:elb/getServiceAccount:getServiceAccount":         getServiceAccount,
		"aws:lb/getHostedZoneId:getHostedZoneId":              getHostedZoneID,
		"aws:iam/getPolicyDocument:getPolicyDocument":         getPolicyDocument,
		"aws:ec2/getVpc:getVpc":                               byID(vpcType, "no matching EC2 VPC found: %s"),
		"aws:ec2/getSubnet:getSubnet":                         byID(subnetType, "no matching EC2 Subnet found: %s"),
		"aws:ec2/getSecurityGroup:getSecurityGroup":           byID(securityGroupType, "no matching EC2 Security Group found: %s"),
		"aws:ec2/getPrefixList:getPrefixList":                 getPrefixList,
		"aws:ecs/getCluster:getCluster":                       getCluster,
		"aws:rds/getCluster:getCluster":                       lookUp(dbClusterType, "clusterIdentifier", "DBCluster %s not found", false),
		"aws:lb/getLoadBalancer:getLoadBalancer":              lookUp(loadBalancerType, "arn", "no matching load balancer found: %s", false),
		"aws:lb/getTargetGroup:getTargetGroup":                lookUp(targetGroupType, "arn", "no matching target group found: %s", false),
	}
}

func getCallerIdentity(c *cloud.InvokeCall) (cloud.Object, error) {
	return cloud.Object{"accountId": accountID, "arn": arn("iam", "", "user/simulated"), "userId": "AIDASIMULATED0000USER", "id": accountID}, nil
}

// region returns the region that the call asks for, or the provider's.
func regionOf(c *cloud.InvokeCall) (string, error) {
	name := c.In.String("region")
	if name == "" {
		name = c.In.String("name")
	}
	if name == "" {
		name = c.Scope
	}
	if regions[name] == nil {
		return "", cloud.Refuse("InvalidRegion", "invalid AWS Region: %s", name)
	}
	return name, nil
}

func getRegion(c *cloud.InvokeCall) (cloud.Object, error) {
	name, err := regionOf(c)
	if err != nil {
		return nil, err
	}
	return cloud.Object{"name": name, "region": name, "id": name, "description": regions[name].name, "endpoint": "ec2." + name + ".amazonaws.com"}, nil
}

func getAvailabilityZones(c *cloud.InvokeCall) (cloud.Object, error) {
	if state := c.In.String("state"); state != "" && state != "available" {
		return cloud.Object{"id": c.Scope, "names": []any{}, "zoneIds": []any{}, "groupNames": []any{}}, nil
	}
	var names, ids []string
	for _, z := range zoneNames(c.Scope) {
		if !slices.Contains(c.In.Strings("excludeNames"), z) && !slices.Contains(c.In.Strings("excludeZoneIds"), zoneID(z)) {
			names, ids = append(names, z), append(ids, zoneID(z))
		}
	}
	return cloud.Object{"id": c.Scope, "names": cloud.Plain(names), "zoneIds": cloud.Plain(ids), "groupNames": []any{c.Scope}}, nil
}

func getPartition(c *cloud.InvokeCall) (cloud.Object, error) {
	return cloud.Object{"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}, nil
}

func getServiceAccount(c *cloud.InvokeCall) (cloud.Object, error) {
	name, err := regionOf(c)
	if err != nil {
		return nil, err
	}
	id := regions[name].elbUser
	if id == "" {
		return nil, cloud.Refuse("", "no Elastic Load Balancing account for region %s: allow the service principal logdelivery.elasticloadbalancing.amazonaws.com instead", name)
	}
	return cloud.Object{"id": id, "arn": "arn:aws:iam::" + id + ":root"}, nil
}

func getHostedZoneID(c *cloud.InvokeCall) (cloud.Object, error) {
	name, err := regionOf(c)
	if err != nil {
		return nil, err
	}
	id := regions[name].alb
	if strings.EqualFold(c.In.String("loadBalancerType"), "network") {
		id = regions[name].nlb
	}
	return cloud.Object{"id": id}, nil
}

// byID answers with the resource that has the id.
func byID(token, missing string) cloud.Function {
	return func(c *cloud.InvokeCall) (cloud.Object, error) {
		if r := c.World.Find(c.Scope, token, c.In.String("id")); r != nil {
			return found(r), nil
		}
		return nil, cloud.Refuse("NotFound", missing, c.In.String("id"))
	}
}

func getPrefixList(c *cloud.InvokeCall) (cloud.Object, error) {
	for _, short := range gatewayServices {
		id, name := prefixList(c.Scope, short), "com.amazonaws."+c.Scope+"."+short
		if c.In.String("name") == name || c.In.String("prefixListId") == id {
			return cloud.Object{"id": id, "name": name, "cidrBlocks": cloud.Plain([]string{"3.5.64.0/21", "52.218.0.0/17"})}, nil
		}
	}
	return nil, cloud.Refuse("NotFound", "no matching EC2 Prefix List found: %s", c.In.String("name"))
}

func getCluster(c *cloud.InvokeCall) (cloud.Object, error) {
	r := byProperty(c.World.All(c.Scope, ecsClusterType), "name", c.In.String("clusterName"))
	if r == nil {
		return nil, cloud.Refuse("ClusterNotFoundException", "reading ECS Cluster (%s): empty result", c.In.String("clusterName"))
	}
	out := found(r)
	out["clusterName"], out["status"] = r.Out["name"], "ACTIVE"
	for _, key := range []string{"pendingTasksCount", "runningTasksCount", "registeredContainerInstancesCount"} {
		out[key] = 0.0
	}
	return out, nil
}
