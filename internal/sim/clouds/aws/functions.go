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
