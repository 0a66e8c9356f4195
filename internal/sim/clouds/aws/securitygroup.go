package aws

import (
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func securityGroup() cloud.Type {
	inUse := func(self, by *cloud.Resource) error {
		return ec2("DeleteSecurityGroup", "DependencyViolation", "resource %s has a dependent object (%s %s)", self.ID, by.Type, by.ID)
	}
	var refs []cloud.Ref
	for _, r := range [][2]string{
		{loadBalancerType, "securityGroups"}, {instanceType, "vpcSecurityGroupIds"}, {networkInterfaceType, "securityGroups"},
		{ecsServiceType, "networkConfiguration.securityGroups"}, {mountTargetType, "securityGroups"}, {vpcEndpointType, "securityGroupIds"},
		{dbInstanceType, "vpcSecurityGroupIds"}, {dbClusterType, "vpcSecurityGroupIds"}, {dbProxyType, "vpcSecurityGroupIds"},
		{replicationGroupType, "securityGroupIds"}, {cacheClusterType, "securityGroupIds"},
		{securityRuleType, "sourceSecurityGroupId"}, {ingressRuleType, "referencedSecurityGroupId"}, {egressRuleType, "referencedSecurityGroupId"},
	} {
		refs = append(refs, cloud.Ref{Type: r[0], Path: r[1], Error: func(self, by *cloud.Resource) error {
			// A group's own rule that refers to the group goes with it.
			if by.Out.String("securityGroupId") == self.ID {
				return nil
			}
			return inUse(self, by)
		}})
	}
	for _, path := range []string{"ingress.*.securityGroups", "egress.*.securityGroups"} {
		refs = append(refs, cloud.Ref{Type: securityGroupType, Path: path, Error: func(self, by *cloud.Resource) error {
			if by.ID == self.ID {
				return nil
			}
			return inUse(self, by)
		}})
	}
	return cloud.Type{
		Token: securityGroupType,
		Check: func(c *cloud.CheckCall) {
			if name := c.In.String("name"); strings.HasPrefix(name, "sg-") {
				c.Fail("name", "invalid value for name: Group names may not be in the format sg-*, got %q", name)
			}
			checkRuleText(c, "description", c.In.String("description"))
			checkGroupRules(c)
		},
		Create: func(c *cloud.Call) error {
			const op = "CreateSecurityGroup"
			if !c.In.Has("vpcId") {
				return ec2(op, "VPCIdNotSpecified", "No default VPC for this user. GroupName is only supported for EC2-Classic and default VPC.")
			}
			if c.Find(vpcType, c.In.String("vpcId")) == nil {
				return ec2(op, "InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", c.In.String("vpcId"))
			}
			name := c.In.String("name")
			if strings.EqualFold(name, "default") {
				return ec2(op, "InvalidParameterValue", "Cannot use reserved security group name: %s", name)
			}
			for _, g := range c.All(securityGroupType) {
				if g.Out.String("vpcId") == c.In.String("vpcId") && g.Out.String("name") == name {
					return ec2(op, "InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", name, c.In.String("vpcId"))
				}
			}
			c.ID = ec2ID(c.Gen, "sg")
			c.Out["arn"] = arn("ec2", c.Scope, "security-group/"+c.ID)
			c.Out["ownerId"] = accountID
			computed(c, "namePrefix", "")
			computed(c, "ingress", []any{})
			computed(c, "egress", []any{})
			return checkInlineRules(c)
		},
		Update: checkInlineRules,
		InUse:  refs,
		Takes:  cloud.Durations{Create: seconds(2), Update: seconds(1), Delete: seconds(1)},
	}
}

func defaultSecurityGroup() cloud.Type {
	return cloud.Type{
		Token: defaultGroupType,
		Check: checkGroupRules,
		Create: func(c *cloud.Call) error {
			v := c.Find(vpcType, c.In.String("vpcId"))
			if v == nil {
				return ec2("DescribeSecurityGroups", "InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", c.In.String("vpcId"))
			}
			c.ID = v.Out.String("defaultSecurityGroupId")
			c.Out["arn"] = arn("ec2", c.Scope, "security-group/"+c.ID)
			c.Out["ownerId"], c.Out["name"], c.Out["namePrefix"] = accountID, "default", ""
			c.Out["description"] = "default VPC security group"
			// The provider adopts the group and takes away every rule that is not in the program.
			computed(c, "ingress", []any{})
			computed(c, "egress", []any{})
			return checkInlineRules(c)
		},
		Update: checkInlineRules,
	}
}
