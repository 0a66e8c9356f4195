package hygiene

import "github.com/morphee-app/morphee-infra/policy/rule"

const (
	tInstance = "aws:ec2/instance:Instance"
	tTemplate = "aws:ec2/launchTemplate:LaunchTemplate"
)

// templated says whether an instance takes its settings from a launch template.
func templated(c *rule.Check) bool { return c.Type == tInstance && !c.In("launchTemplate").Absent() }

var instances = []rule.Rule{{
	ID: "instance-imdsv2", Level: rule.Mandatory, Refs: []string{"T0028", "C79"}, Types: []string{tInstance, tTemplate},
	Title:  "Instances give their credentials only to who asks with a token",
	Reason: "Version 1 gives them to any request that a web service can be talked into.",
	Mend:   "Set metadataOptions.httpTokens to required.",
	Check: func(c *rule.Check) {
		if !templated(c) {
			c.OneOf("metadataOptions.httpTokens", "credentials are given without a token", "required")
		}
	},
}, {
	ID: "instance-disk-encrypted", Level: rule.Mandatory, Refs: []string{"T0131", "T0008", "C8"}, Types: []string{tInstance, tTemplate, "aws:ebs/volume:Volume"},
	Title:  "Disks are encrypted",
	Reason: "Snapshots and discarded disks are readable otherwise.",
	Mend:   "Set encrypted.",
	Check: func(c *rule.Check) {
		switch {
		case c.Type == "aws:ebs/volume:Volume":
			c.True("encrypted", "the disk is not encrypted")
		case c.Type == tTemplate:
			c.Each(c.In("blockDeviceMappings"), func(v rule.Value) {
				c.Want(v.At("ebs.encrypted"), rule.Value.True, "the disk is not encrypted")
			})
		case !templated(c):
			c.True("rootBlockDevice.encrypted", "the disk is not encrypted")
		}
	},
}}
