package aws

import (
	"slices"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// networkTypes are the virtual network and what is in it.
func networkTypes() []cloud.Type {
	return []cloud.Type{
		vpc(), subnet(), internetGateway(), eip(), natGateway(), networkInterface(), instance(), launchTemplate(),
		routeTable(), route(), routeTableAssociation(), peering(),
		securityGroup(), securityGroupRule(), groupRule(ingressRuleType, "ingress"), groupRule(egressRuleType, "egress"), defaultSecurityGroup(),
		networkACL(), vpcEndpoint(), endpointRouteTable(), flowLog(),
	}
}

// ec2 is an error of the EC2 API.
func ec2(operation, code, format string, args ...any) error {
	return refuse("EC2", operation, code, format, args...)
}

// dependency is EC2's refusal to delete what something else needs.
func dependency(operation, kind string) func(self, by *cloud.Resource) error {
	return func(self, by *cloud.Resource) error {
		return ec2(operation, "DependencyViolation", "The %s '%s' has dependencies and cannot be deleted (%s %s).", kind, self.ID, by.Type, by.ID)
	}
}

// Quotas of a new account.
const (
	vpcQuota = 5 // VPCs and internet gateways per region
	eipQuota = 5 // Elastic IP addresses per region
	natQuota = 5 // NAT gateways per zone
)

func vpc() cloud.Type {
	gone := dependency("DeleteVpc", "vpc")
	return cloud.Type{
		Token: vpcType,
		Check: func(c *cloud.CheckCall) {
			checkCIDR(c, "cidrBlock", c.In["cidrBlock"])
			if p := block(c.In.String("cidrBlock")); p.IsValid() && (p.Bits() < 16 || p.Bits() > 28) {
				c.Fail("cidrBlock", "expected \"cidr_block\" to contain a network Value with between 16 and 28 significant bits, got: %d (InvalidVpc.Range)", p.Bits())
			}
		},
		Create: func(c *cloud.Call) error {
			if !c.In.Has("cidrBlock") && !c.In.Has("ipv4IpamPoolId") {
				return ec2("CreateVpc", "MissingParameter", "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.")
			}
			if len(c.All(vpcType)) >= vpcQuota {
				return ec2("CreateVpc", "VpcLimitExceeded", "The maximum number of VPCs has been reached.")
			}
			c.ID = ec2ID(c.Gen, "vpc")
			c.Out["arn"] = arn("ec2", c.Scope, "vpc/"+c.ID)
			c.Out["ownerId"] = accountID
			for key, prefix := range map[string]string{"defaultNetworkAclId": "acl", "defaultRouteTableId": "rtb", "defaultSecurityGroupId": "sg"} {
				c.Out[key] = prefix + "-0" + c.Gen.Hex(key, 16)
			}
			c.Out["mainRouteTableId"] = c.Out["defaultRouteTableId"]
			c.Out["dhcpOptionsId"] = "dopt-0" + fixed(16, "dhcp", c.Scope)
			c.Out["ipv6AssociationId"] = ""
			if c.In.Bool("assignGeneratedIpv6CidrBlock") {
				c.Out["ipv6AssociationId"] = "vpc-cidr-assoc-0" + c.Gen.Hex("ipv6", 16)
				computed(c, "ipv6CidrBlock", "2a05:d018:"+c.Gen.Hex("net", 3)+":"+c.Gen.Hex("sub", 2)+"00::/56")
				computed(c, "ipv6CidrBlockNetworkBorderGroup", c.Scope)
			} else {
				computed(c, "ipv6CidrBlock", "")
				computed(c, "ipv6CidrBlockNetworkBorderGroup", "")
			}
			computed(c, "enableDnsHostnames", false)
			computed(c, "enableDnsSupport", true)
			computed(c, "enableNetworkAddressUsageMetrics", false)
			computed(c, "instanceTenancy", "default")
			return dnsHostnames(c)
		},
		Update: dnsHostnames,
		Replaces: func(old, new cloud.Object) []string {
			a, b := old.String("instanceTenancy"), new.String("instanceTenancy")
			if a != b && !(a == "dedicated" && b == "default") {
				return []string{"instanceTenancy"}
			}
			return nil
		},
		InUse: []cloud.Ref{
			{Type: subnetType, Path: "vpcId", Error: gone}, {Type: internetGatewayType, Path: "vpcId", Error: gone},
			{Type: routeTableType, Path: "vpcId", Error: gone}, {Type: securityGroupType, Path: "vpcId", Error: gone},
			{Type: networkAclType, Path: "vpcId", Error: gone}, {Type: vpcEndpointType, Path: "vpcId", Error: gone},
			{Type: peeringType, Path: "vpcId", Error: gone},
		},
		Takes: cloud.Durations{Create: seconds(12), Update: seconds(11), Delete: seconds(1)},
	}
}

// dnsHostnames refuses names without the resolver that serves them.
func dnsHostnames(c *cloud.Call) error {
	if c.Out.Bool("enableDnsHostnames") && !c.Out.Bool("enableDnsSupport") {
		return ec2("ModifyVpcAttribute", "InvalidParameterValue", "enableDnsHostnames cannot be true while enableDnsSupport is false.")
	}
	return nil
}

func subnet() cloud.Type {
	gone := dependency("DeleteSubnet", "subnet")
	return cloud.Type{
		Token: subnetType,
		Check: func(c *cloud.CheckCall) {
			checkCIDR(c, "cidrBlock", c.In["cidrBlock"])
			checkCIDR(c, "ipv6CidrBlock", c.In["ipv6CidrBlock"])
			if c.In.Bool("assignIpv6AddressOnCreation") && !c.In.Has("ipv6CidrBlock") && !c.In.Bool("ipv6Native") {
				c.Fail("assignIpv6AddressOnCreation", "\"ipv6_cidr_block\" must be set when \"assign_ipv6_address_on_creation\" is true")
			}
		},
		Create: createSubnet,
		Delete: func(c *cloud.Call) error {
			if user := subnetUser(c); user != nil {
				return gone(&cloud.Resource{ID: c.ID}, user)
			}
			return nil
		},
		InUse: []cloud.Ref{
			{Type: natGatewayType, Path: "subnetId", Error: gone}, {Type: instanceType, Path: "subnetId", Error: gone},
			{Type: networkInterfaceType, Path: "subnetId", Error: gone}, {Type: mountTargetType, Path: "subnetId", Error: gone},
			{Type: loadBalancerType, Path: "subnets", Error: gone}, {Type: loadBalancerType, Path: "subnetMappings.*.subnetId", Error: gone},
			{Type: vpcEndpointType, Path: "subnetIds", Error: gone}, {Type: ecsServiceType, Path: "networkConfiguration.subnets", Error: gone},
			{Type: dbProxyType, Path: "vpcSubnetIds", Error: gone},
		},
		Takes: cloud.Durations{Create: seconds(1), Update: seconds(11), Delete: seconds(1)},
	}
}

func createSubnet(c *cloud.Call) error {
	v := c.Find(vpcType, c.In.String("vpcId"))
	if v == nil {
		return ec2("CreateSubnet", "InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", c.In.String("vpcId"))
	}
	cidr := c.In.String("cidrBlock")
	p := block(cidr)
	if !c.In.Bool("ipv6Native") && (!inside(p, block(v.Out.String("cidrBlock"))) || p.Bits() < 16 || p.Bits() > 28) {
		return ec2("CreateSubnet", "InvalidSubnet.Range", "The CIDR '%s' is invalid.", cidr)
	}
	for _, other := range c.All(subnetType) {
		if other.Out.String("vpcId") == v.ID && p.IsValid() && p.Overlaps(block(other.Out.String("cidrBlock"))) {
			return ec2("CreateSubnet", "InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", cidr)
		}
	}
	zones := zoneNames(c.Scope)
	zone := c.In.String("availabilityZone")
	if id := c.In.String("availabilityZoneId"); id != "" {
		if zone = zoneOfID(c.Scope, id); zone == "" {
			return ec2("CreateSubnet", "InvalidParameterValue", "Value (%s) for parameter availabilityZoneId is invalid. Subnets can currently only be created in the following availability zones: %s.", id, list(zoneIDs(c.Scope)))
		}
	}
	if zone == "" && len(zones) > 0 {
		zone = zones[c.Gen.Number("zone", 0, len(zones)-1)]
	}
	if !slices.Contains(zones, zone) {
		return ec2("CreateSubnet", "InvalidParameterValue", "Value (%s) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: %s.", zone, list(zones))
	}
	if six := c.In.String("ipv6CidrBlock"); six != "" && (block(six).Bits() != 64 || !inside(block(six), block(v.Out.String("ipv6CidrBlock")))) {
		return ec2("CreateSubnet", "InvalidSubnet.Range", "The CIDR '%s' is invalid.", six)
	}
	c.ID = ec2ID(c.Gen, "subnet")
	c.Out["arn"] = arn("ec2", c.Scope, "subnet/"+c.ID)
	c.Out["ownerId"] = accountID
	c.Out["availabilityZone"], c.Out["availabilityZoneId"] = zone, zoneID(zone)
	c.Out["ipv6CidrBlockAssociationId"] = ""
	if c.In.Has("ipv6CidrBlock") {
		c.Out["ipv6CidrBlockAssociationId"] = "subnet-cidr-assoc-0" + c.Gen.Hex("ipv6", 16)
	}
	computed(c, "privateDnsHostnameTypeOnLaunch", "ip-name")
	return nil
}

// subnetUser finds a database or cache that lives in the subnet through its subnet group.
func subnetUser(c *cloud.Call) *cloud.Resource {
	for _, via := range []struct{ group, user, property string }{
		{dbSubnetGroupType, dbInstanceType, "dbSubnetGroupName"}, {dbSubnetGroupType, dbClusterType, "dbSubnetGroupName"},
		{cacheSubnetType, replicationGroupType, "subnetGroupName"}, {cacheSubnetType, cacheClusterType, "subnetGroupName"},
	} {
		for _, g := range c.All(via.group) {
			if slices.Contains(g.Out.Strings("subnetIds"), c.ID) {
				if user := byProperty(c.All(via.user), via.property, g.Out.String("name")); user != nil {
					return user
				}
			}
		}
	}
	return nil
}

func zoneIDs(region string) []string {
	var out []string
	for _, z := range zoneNames(region) {
		out = append(out, zoneID(z))
	}
	return out
}
