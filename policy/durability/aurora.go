package durability

import "github.com/morphee-app/morphee-infra/policy/rule"

var aurora = []rule.Rule{{
	ID: "aurora-no-zones", Level: rule.Mandatory, Types: []string{tCluster},
	Title:  "Aurora's availability zones are never set",
	Reason: "AWS adds the zones it uses; the difference replaces the cluster with all its data at the next update (pulumi-aws issue 1793).",
	Mend:   "Leave availabilityZones out.",
	Check: func(c *rule.Check) {
		if v := c.In("availabilityZones"); !v.Absent() {
			c.Violate("availabilityZones is set")
		}
	},
}, {
	ID: "aurora-pause-needs-zero", Level: rule.Mandatory, Types: []string{tCluster},
	Title:  "Aurora pauses only when its minimum is zero",
	Reason: "AWS refuses secondsUntilAutoPause with any other minimum, at the end of a long deployment.",
	Mend:   "Set minCapacity to 0, or take secondsUntilAutoPause away.",
	Check: func(c *rule.Check) {
		if s := c.In("serverlessv2ScalingConfiguration"); !s.At("secondsUntilAutoPause").Absent() {
			c.Want(s.At("minCapacity"), func(v rule.Value) bool { n, ok := v.Number(); return ok && n == 0 }, "the cluster cannot pause")
		}
	},
}}
