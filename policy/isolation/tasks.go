package isolation

import "github.com/morphee-app/morphee-infra/policy/rule"

// placements are where tasks are given their subnets.
var placements = map[string]string{
	rule.EcsService: "networkConfiguration",
	tSchedule:       "target.ecsParameters.networkConfiguration",
	tEventTarget:    "ecsTarget.networkConfiguration",
}

var tasks = []rule.Rule{{
	ID: "tasks-in-private-subnets", Level: rule.Mandatory,
	Title:  "Tasks run in private subnets only",
	Reason: "A task in a public subnet can be reached from the internet as soon as it gets an address; in a private one it cannot.",
	Mend:   "Give the service or schedule the private subnets of the network.",
	Graph: func(g *rule.Graph) {
		for _, t := range []string{rule.EcsService, tSchedule, tEventTarget} {
			for _, r := range g.Of(t) {
				if r.Get(placements[t]).IsMap() || r.Get(placements[t]).Unknown() {
					onlyPrivate(g, r, placements[t]+".subnets", "tasks are started")
				}
			}
		}
	},
}, {
	ID: "data-in-private-subnets", Level: rule.Mandatory,
	Title:  "Databases, caches and mount targets are in private subnets only",
	Reason: "Data has no business in a subnet with a way in from the internet.",
	Mend:   "Give the subnet group or mount target the private subnets of the network.",
	Graph: func(g *rule.Graph) {
		for t, path := range map[string]string{
			"aws:rds/subnetGroup:SubnetGroup": "subnetIds", "aws:elasticache/subnetGroup:SubnetGroup": "subnetIds",
			"aws:efs/mountTarget:MountTarget": "subnetId", "aws:rds/proxy:Proxy": "vpcSubnetIds",
		} {
			for _, r := range g.Of(t) {
				onlyPrivate(g, r, path, "data is")
			}
		}
	},
}, {
	ID: "task-no-public-ip", Level: rule.Mandatory, Refs: []string{"C333"},
	Types:  []string{rule.EcsService, tSchedule, tEventTarget},
	Title:  "Tasks get no public address",
	Reason: "Only the load balancer is reached from outside.",
	Mend:   "Set assignPublicIp to false; a task gets out through NAT or VPC endpoints.",
	Check: func(c *rule.Check) {
		c.False(placements[c.Type]+".assignPublicIp", "the tasks get public addresses")
	},
}, {
	ID: "public-address-only-for-nat", Level: rule.Mandatory, Refs: []string{"C88"},
	Types:  []string{tInstance, "aws:ec2/launchTemplate:LaunchTemplate"},
	Title:  "Instances get no public address by themselves",
	Reason: "Only the load balancer and NAT have public addresses, and NAT gets its own as a resource that outlives it.",
	Mend:   "Set associatePublicIpAddress to false; give NAT an elastic address.",
	Check: func(c *rule.Check) {
		c.False("associatePublicIpAddress", "the instance gets a public address")
		c.Each(c.In("networkInterfaces"), func(v rule.Value) {
			c.Want(v.At("associatePublicIpAddress"), func(v rule.Value) bool { return !v.True() }, "the instance gets a public address")
		})
	},
}}
