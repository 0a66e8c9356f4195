package aws

import (
	"fmt"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

func TestSecurityGroupRefusals(t *testing.T) {
	group := func(s *simtest.Sim, n plant) props {
		return props{"vpcId": n.vpc.ID, "name": "web", "description": "Web servers"}
	}
	web := func(change props) []any {
		return []any{with(props{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": []string{"0.0.0.0/0"}, "description": "HTTPS"}, change)}
	}
	inline := func(change props) func(*simtest.Sim) (props, props) {
		return on(func(s *simtest.Sim, n plant) (props, props) {
			return with(group(s, n), props{"ingress": web(nil)}), props{"ingress": web(change)}
		})
	}
	ingress := func(s *simtest.Sim, n plant) props {
		return props{"securityGroupId": n.group, "ipProtocol": "tcp", "fromPort": 8000, "toPort": 8000, "referencedSecurityGroupId": n.client, "description": "From the balancer"}
	}
	old := func(s *simtest.Sim, n plant) props {
		return props{"securityGroupId": n.group, "type": "egress", "protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": []string{"0.0.0.0/0"}}
	}
	runRefusals(t, []refusal{
		{"group without VPC", securityGroupType, "VPCIdNotSpecified", plus(group, props{"vpcId": nil})},
		{"group of no VPC", securityGroupType, "InvalidVpcID.NotFound", plus(group, props{"vpcId": "vpc-0123456789abcdef0"})},
		{"group name taken", securityGroupType, "InvalidGroup.Duplicate: The security group 'app' already exists for VPC", plus(group, props{"name": "app"})},
		{"reserved group name", securityGroupType, "Cannot use reserved security group name", plus(group, props{"name": "default"})},
		{"group name like an id", securityGroupType, "sg-*", plus(group, props{"name": "sg-web"})},
		{"group description with an umlaut", securityGroupType, "Invalid rule description", plus(group, props{"description": "für alle"})},
		{"ports the wrong way round", securityGroupType, "Invalid TCP port range (443:80)", inline(props{"toPort": 80})},
		{"port too high", securityGroupType, "Invalid TCP port range", inline(props{"fromPort": 65000, "toPort": 70000})},
		{"unknown protocol", securityGroupType, "Unknown protocol", inline(props{"protocol": "https"})},
		{"all protocols with ports", securityGroupType, "must both be 0", inline(props{"protocol": "-1"})},
		{"source with host bits", securityGroupType, "did you mean", inline(props{"cidrBlocks": []string{"10.0.0.1/8"}})},
		{"source without prefix", securityGroupType, "not a valid CIDR block", inline(props{"cidrBlocks": []string{"10.0.0.1"}})},
		{"description too long", securityGroupType, "Invalid rule description", inline(props{"description": strings.Repeat("x", 256)})},
		{"description with a question", securityGroupType, "Invalid rule description", inline(props{"description": "why?"})},
		{"same source twice", securityGroupType, "InvalidPermission.Duplicate", inline(props{"cidrBlocks": []string{"0.0.0.0/0", "0.0.0.0/0"}})},
		{"rule of no group", ingressRuleType, "InvalidGroup.NotFound", plus(ingress, props{"securityGroupId": "sg-0123456789abcdef0"})},
		{"rule from no group", ingressRuleType, "InvalidGroup.NotFound", plus(ingress, props{"referencedSecurityGroupId": "sg-0123456789abcdef0"})},
		{"rule from another network's group", ingressRuleType, "two resources that belong to different networks", on(func(s *simtest.Sim, n plant) (props, props) {
			return ingress(s, n), props{"referencedSecurityGroupId": n.otherGroup}
		})},
		{"rule with two sources", ingressRuleType, "exactly one of", plus(ingress, props{"cidrIpv4": "10.0.0.0/8"})},
		{"rule without source", ingressRuleType, "exactly one of", plus(ingress, props{"referencedSecurityGroupId": nil})},
		{"tcp without ports", ingressRuleType, "Must specify both from and to ports", plus(ingress, props{"fromPort": nil, "toPort": nil})},
		{"everything with ports", ingressRuleType, "leave fromPort and toPort out", plus(ingress, props{"ipProtocol": "-1"})},
		{"rule twice", ingressRuleType, "InvalidPermission.Duplicate", on(func(s *simtest.Sim, n plant) (props, props) {
			s.Must(ingressRuleType, "first", ingress(s, n))
			return with(ingress(s, n), props{"fromPort": 8001, "toPort": 8001}), props{"fromPort": 8000, "toPort": 8000}
		})},
		{"rule twice in two forms", securityRuleType, "InvalidPermission.Duplicate", on(func(s *simtest.Sim, n plant) (props, props) {
			s.Must(egressRuleType, "first", props{"securityGroupId": n.group, "ipProtocol": "6", "fromPort": 443, "toPort": 443, "cidrIpv4": "0.0.0.0/0"})
			return with(old(s, n), props{"fromPort": 80, "toPort": 80}), props{"fromPort": 443, "toPort": 443}
		})},
		{"older rule of no group", securityRuleType, "InvalidGroup.NotFound", plus(old, props{"securityGroupId": "sg-0123456789abcdef0"})},
		{"default group of no VPC", defaultGroupType, "InvalidVpcID.NotFound", on(func(s *simtest.Sim, n plant) (props, props) {
			return props{"vpcId": n.vpc.ID}, props{"vpcId": "vpc-0123456789abcdef0"}
		})},
	})
}

func TestSecurityGroupRuleQuota(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	n := aPlant(s)
	one := func(i int) props {
		return props{"securityGroupId": n.group, "ipProtocol": "tcp", "fromPort": i, "toPort": i, "cidrIpv4": "10.0.0.0/8"}
	}
	for i := range 60 {
		s.Must(ingressRuleType, fmt.Sprint("r", i), one(1000+i))
	}
	s.Refuses(ingressRuleType, "r61", one(2000), "RulesPerSecurityGroupLimitExceeded")
	// The other direction counts by itself.
	s.Must(egressRuleType, "out", one(2000))
}

func TestSecurityGroupDeleteOrder(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	n := aPlant(s)
	app, client := s.World.Find("eu-west-1", securityGroupType, n.group), s.World.Find("eu-west-1", securityGroupType, n.client)
	rule := s.Must(ingressRuleType, "r", props{"securityGroupId": n.group, "ipProtocol": "-1", "referencedSecurityGroupId": n.client})
	self := s.Must(securityRuleType, "self", props{"securityGroupId": n.client, "type": "ingress", "protocol": "-1", "fromPort": 0, "toPort": 0, "self": true})
	refusedDelete(t, s, client, "DependencyViolation")
	deletes(t, s, rule)
	lb := n.balancer(s, "web")
	refusedDelete(t, s, app, "DependencyViolation: resource "+n.group+" has a dependent object")
	deletes(t, s, self)
	deletes(t, s, client)
	deletes(t, s, lb)
	deletes(t, s, app)
	matches(t, "rule id", rule.ID, `^sgr-0[0-9a-f]{16}$`)
	matches(t, "older rule id", self.ID, `^sgrule-\d+$`)
}

func TestAclEndpointAndFlowLogRefusals(t *testing.T) {
	entry := func(change props) []any {
		return []any{with(props{"ruleNo": 100, "action": "allow", "protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlock": "0.0.0.0/0"}, change)}
	}
	acl := func(s *simtest.Sim, n plant) props {
		return props{"vpcId": n.vpc.ID, "subnetIds": n.private, "ingress": entry(nil)}
	}
	many := []any{}
	for i := range 21 {
		many = append(many, entry(props{"ruleNo": 100 + i})...)
	}
	gateway := func(s *simtest.Sim, n plant) props {
		return props{"vpcId": n.vpc.ID, "serviceName": "com.amazonaws.eu-west-1.s3", "vpcEndpointType": "Gateway", "routeTableIds": []string{n.table}}
	}
	private := func(s *simtest.Sim, n plant) props {
		return props{"vpcId": n.vpc.ID, "serviceName": "com.amazonaws.eu-west-1.secretsmanager", "vpcEndpointType": "Interface", "privateDnsEnabled": true,
			"subnetIds": n.private, "securityGroupIds": []string{n.group}}
	}
	flow := func(s *simtest.Sim, n plant) props {
		r := aRole(s, "flow", "vpc-flow-logs.amazonaws.com")
		g := s.Must(logGroupToken, "flow", props{"name": "/morphee/flow"})
		return props{"vpcId": n.vpc.ID, "trafficType": "ALL", "iamRoleArn": r.Out["arn"], "logDestination": g.Out["arn"]}
	}
	runRefusals(t, []refusal{
		{"ACL of no VPC", networkAclType, "InvalidVpcID.NotFound", plus(acl, props{"vpcId": "vpc-0123456789abcdef0"})},
		{"ACL number twice", networkAclType, "NetworkAclEntryAlreadyExists", plus(acl, props{"ingress": append(entry(nil), entry(props{"fromPort": 80, "toPort": 80})...)})},
		{"ACL with too many entries", networkAclType, "NetworkAclEntryLimitExceeded", plus(acl, props{"ingress": many})},
		{"ACL entry without source", networkAclType, "MissingParameter", plus(acl, props{"ingress": entry(props{"cidrBlock": nil})})},
		{"ACL entry for all with ports", networkAclType, "must both be 0", plus(acl, props{"egress": entry(props{"protocol": "-1"})})},
		{"ACL on another network's subnet", networkAclType, "belong to different networks", on(func(s *simtest.Sim, n plant) (props, props) {
			return acl(s, n), props{"subnetIds": n.otherSubnets}
		})},
		{"endpoint of no service", vpcEndpointType, "InvalidServiceName", plus(gateway, props{"serviceName": "com.amazonaws.eu-west-1.s4"})},
		{"endpoint of another region", vpcEndpointType, "InvalidServiceName", plus(gateway, props{"serviceName": "com.amazonaws.us-east-1.s3"})},
		{"gateway endpoint of an interface service", vpcEndpointType, "does not match available service types ([Interface])", plus(gateway, props{"serviceName": "com.amazonaws.eu-west-1.logs"})},
		{"gateway endpoint with subnets", vpcEndpointType, "not supported for Gateway", on(func(s *simtest.Sim, n plant) (props, props) {
			return gateway(s, n), props{"subnetIds": n.private}
		})},
		{"gateway endpoint in no table", vpcEndpointType, "InvalidRouteTableId.NotFound", plus(gateway, props{"routeTableIds": []string{"rtb-0123456789abcdef0"}})},
		{"gateway endpoint twice in a table", vpcEndpointType, "RouteAlreadyExists", on(func(s *simtest.Sim, n plant) (props, props) {
			s.Must(vpcEndpointType, "first", gateway(s, n))
			return with(gateway(s, n), props{"serviceName": "com.amazonaws.eu-west-1.dynamodb"}), props{"serviceName": "com.amazonaws.eu-west-1.s3"}
		})},
		{"endpoint with two subnets of a zone", vpcEndpointType, "DuplicateSubnetsInSameZone", on(func(s *simtest.Sim, n plant) (props, props) {
			return private(s, n), props{"subnetIds": []string{n.private[0], n.public[0]}}
		})},
		{"endpoint with a foreign group", vpcEndpointType, "InvalidSecurityGroupId.NotFound", on(func(s *simtest.Sim, n plant) (props, props) {
			return private(s, n), props{"securityGroupIds": []string{n.otherGroup}}
		})},
		{"private DNS without host names", vpcEndpointType, "enableDnsHostnames", on(func(s *simtest.Sim, n plant) (props, props) {
			return private(s, n), props{"vpcId": n.other, "subnetIds": n.otherSubnets, "securityGroupIds": []string{n.otherGroup}}
		})},
		{"private DNS twice", vpcEndpointType, "conflicting DNS domain for secretsmanager.eu-west-1.amazonaws.com", on(func(s *simtest.Sim, n plant) (props, props) {
			s.Must(vpcEndpointType, "first", private(s, n))
			return with(private(s, n), props{"serviceName": "com.amazonaws.eu-west-1.logs"}), props{"serviceName": "com.amazonaws.eu-west-1.secretsmanager"}
		})},
		{"association with an interface endpoint", endpointRouteType, "Gateway type VPC Endpoint", on(func(s *simtest.Sim, n plant) (props, props) {
			e := s.Must(vpcEndpointType, "s3", with(gateway(s, n), props{"routeTableIds": nil}))
			return props{"vpcEndpointId": e.ID, "routeTableId": n.table}, props{"vpcEndpointId": s.Must(vpcEndpointType, "sm", private(s, n)).ID}
		})},
		{"flow log without role", flowLogType, "DeliverLogsPermissionArn can't be empty", plus(flow, props{"iamRoleArn": nil})},
		{"flow log with a role that trusts another service", flowLogType, "Access Denied for DeliverLogsPermissionArn", on(func(s *simtest.Sim, n plant) (props, props) {
			return flow(s, n), props{"iamRoleArn": n.taskRole}
		})},
		{"flow log to no group", flowLogType, "LogDestination: /nobody does not exist", plus(flow, props{"logDestination": "arn:aws:logs:eu-west-1:123456789012:log-group:/nobody"})},
		{"flow log to no bucket", flowLogType, "does not exist", on(func(s *simtest.Sim, n plant) (props, props) {
			b := aBucket(s, "morphee-flow")
			return props{"vpcId": n.vpc.ID, "trafficType": "ALL", "logDestinationType": "s3", "logDestination": b.Out["arn"]}, props{"logDestination": "arn:aws:s3:::morphee-nobody"}
		})},
		{"flow log of no VPC", flowLogType, "InvalidVpcId.NotFound", plus(flow, props{"vpcId": "vpc-0123456789abcdef0"})},
		{"flow log twice", flowLogType, "FlowLogAlreadyExists", on(func(s *simtest.Sim, n plant) (props, props) {
			good := flow(s, n)
			s.Must(flowLogType, "first", good)
			return with(good, props{"trafficType": "REJECT"}), props{"trafficType": "ALL"}
		})},
	})
}
