package isolation

import (
	"slices"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

var vpc = []rule.Rule{{
	ID: "vpc-flow-logs", Level: rule.Mandatory, Refs: []string{"T0178", "C2_11", "N-VPC7"},
	Title:  "Every VPC records its connections, accepted and refused",
	Reason: "Without flow logs nobody can tell afterwards who was reached from where.",
	Mend:   "Add a FlowLog of the VPC with traffic type ALL.",
	Graph: func(g *rule.Graph) {
		for _, v := range g.Of(tVpc) {
			g.Needs(v, "vpcId", "there is no flow log of all of the VPC's traffic", func(r *rule.Resource) rule.Value {
				if t := r.Get("trafficType"); t.Unknown() {
					return t
				}
				return rule.Of(r.Get("trafficType").Text() == "ALL")
			}, "aws:ec2/flowLog:FlowLog")
		}
	},
}, {
	ID: "network-acl-no-admin-ports", Level: rule.Mandatory, Refs: []string{"T0105", "C231", "C232"},
	Types:  []string{"aws:ec2/networkAcl:NetworkAcl", "aws:ec2/networkAclRule:NetworkAclRule"},
	Title:  "Network ACLs let nobody in to SSH or RDP from the internet",
	Reason: "The ACL is the second line, for the day a security group is wrong.",
	Mend:   "Limit the rule to the ports that answers come back to.",
	Check: func(c *rule.Check) {
		bad := func(v rule.Value) {
			if v.At("cidrBlock").Unknown() || v.At("fromPort").Unknown() {
				c.Undecided(v)
				return
			}
			action := v.At("action").Text() + v.At("ruleAction").Text()
			if action != "allow" || v.At("egress").True() || !rule.Open(v.At("cidrBlock").Text()) && !rule.Open(v.At("ipv6CidrBlock").Text()) {
				return
			}
			from, _ := v.At("fromPort").Number()
			to, _ := v.At("toPort").Number()
			all := slices.Contains([]string{"-1", "all"}, v.At("protocol").Text())
			for _, port := range []float64{22, 3389} {
				if all || from <= port && port <= to {
					c.Violate("port %.0f is open to everybody", port)
				}
			}
		}
		if c.Type == "aws:ec2/networkAclRule:NetworkAclRule" {
			bad(rule.Of(c.Inputs))
			return
		}
		c.Each(c.In("ingress"), bad)
	},
}, {
	ID: "endpoint-group", Level: rule.Advisory, Types: []string{"aws:ec2/vpcEndpoint:VpcEndpoint"},
	Title:  "Interface endpoints have a security group of their own",
	Reason: "Without one they get the VPC's default group, which lets nobody in.",
	Mend:   "Set securityGroupIds.",
	Check: func(c *rule.Check) {
		if c.In("vpcEndpointType").Text() == "Interface" {
			c.Set("securityGroupIds", "the endpoint has no security group")
		}
	},
}}
