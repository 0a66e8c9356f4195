package hygiene

import "github.com/morphee-app/morphee-infra/policy/rule"

var keyTypes = []string{"aws:kms/key:Key"}

var keys = []rule.Rule{{
	ID: "kms-rotation", Level: rule.Mandatory, Refs: []string{"T0065", "C7", "N-KMS5"}, Types: keyTypes,
	Title:  "Keys rotate every year",
	Reason: "The less is encrypted with one key, the less is lost with it.",
	Mend:   "Set enableKeyRotation.",
	Check: func(c *rule.Check) {
		if u := c.In("keyUsage").Text(); u == "" || u == "ENCRYPT_DECRYPT" {
			c.True("enableKeyRotation", "the key never rotates")
		}
	},
}, {
	ID: "kms-policy-principal", Level: rule.Mandatory, Refs: []string{"C33"}, Types: append([]string{"aws:kms/replicaKey:ReplicaKey"}, keyTypes...),
	Title:  "Every key has a policy of its own, for named principals",
	Reason: "The default leaves everything to IAM: whoever may call KMS may use every key.",
	Mend:   "Write a policy with the account and services that need the key.",
	Check: func(c *rule.Check) {
		v := c.In("policy")
		if v.Absent() {
			c.Violate("the key has no policy of its own")
			return
		}
		list, known := rule.Statements(v)
		if !known {
			c.Undecided(v)
		}
		for _, s := range list {
			if s.Allows() && s.Everyone() && !s.Narrowed() {
				c.Violate("statement %q is for anybody", s.Sid())
			}
		}
	},
}, {
	ID: "sns-encrypted", Level: rule.Mandatory, Refs: []string{"T0095", "C26", "N-SNS2"}, Types: []string{"aws:sns/topic:Topic"},
	Title:  "Topics are encrypted",
	Reason: "Alarms say what is wrong, and where.",
	Mend:   "Set kmsMasterKeyId.",
	Check:  func(c *rule.Check) { c.Set("kmsMasterKeyId", "the topic is not encrypted") },
}}
