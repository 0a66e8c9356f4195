package aws

import (
	"fmt"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const aclQuota = 20 // entries per network ACL and direction

func networkACL() cloud.Type {
	apply := func(c *cloud.Call) error {
		const op = "CreateNetworkAclEntry"
		vpc := c.In.String("vpcId")
		for _, direction := range []string{"ingress", "egress"} {
			numbers := map[int]bool{}
			entries := c.In.Objects(direction)
			if len(entries) > aclQuota {
				return ec2(op, "NetworkAclEntryLimitExceeded", "The maximum number of network acl entries has been reached.")
			}
			for _, e := range entries {
				n := e.Int("ruleNo")
				if numbers[n] {
					return ec2(op, "NetworkAclEntryAlreadyExists", "The network acl entry identified by %d already exists.", n)
				}
				numbers[n] = true
				p := protocol(e.String("protocol"))
				if err := portRange(op, rule{protocol: p, from: e.Int("fromPort"), to: e.Int("toPort")}); err != nil {
					return err
				}
				if !e.Has("cidrBlock") && !e.Has("ipv6CidrBlock") {
					return ec2(op, "MissingParameter", "The request must contain the parameter cidrBlock or ipv6CidrBlock")
				}
			}
		}
		for _, id := range c.In.Strings("subnetIds") {
			s := c.Find(subnetType, id)
			if s == nil {
				return ec2("ReplaceNetworkAclAssociation", "InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist", id)
			}
			if s.Out.String("vpcId") != vpc {
				return ec2("ReplaceNetworkAclAssociation", "InvalidParameterValue", "Network acl %s and subnet %s belong to different networks", c.ID, id)
			}
		}
		return nil
	}
	return cloud.Type{
		Token: networkAclType,
		Check: func(c *cloud.CheckCall) {
			for _, direction := range []string{"ingress", "egress"} {
				for i, e := range c.In.Objects(direction) {
					at := fmt.Sprintf("%s[%d].", direction, i)
					checkCIDR(c, at+"cidrBlock", e["cidrBlock"])
					checkCIDR(c, at+"ipv6CidrBlock", e["ipv6CidrBlock"])
					if protocol(e.String("protocol")) == "-1" && (e.Int("fromPort") != 0 || e.Int("toPort") != 0) {
						c.Fail(at+"fromPort", "to_port (%d) and from_port (%d) must both be 0 to use the the 'all' \"-1\" protocol!", e.Int("toPort"), e.Int("fromPort"))
					}
				}
			}
		},
		Create: func(c *cloud.Call) error {
			if c.Find(vpcType, c.In.String("vpcId")) == nil {
				return ec2("CreateNetworkAcl", "InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", c.In.String("vpcId"))
			}
			c.ID = ec2ID(c.Gen, "acl")
			c.Out["arn"] = arn("ec2", c.Scope, "network-acl/"+c.ID)
			c.Out["ownerId"] = accountID
			for _, key := range []string{"ingress", "egress", "subnetIds"} {
				computed(c, key, []any{})
			}
			return apply(c)
		},
		Update: apply,
		Same:   sameProtocol,
		Takes:  cloud.Durations{Create: seconds(2), Update: seconds(2), Delete: seconds(1)},
	}
}

// sameProtocol knows that "tcp" and "6" are one protocol.
func sameProtocol(property string, old, new any) bool {
	a, b := protocol(cloud.Text(old)), protocol(cloud.Text(new))
	return len(property) >= 8 && property[len(property)-8:] == "protocol" && a != "" && a == b
}
