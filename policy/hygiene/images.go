package hygiene

import "github.com/morphee-app/morphee-infra/policy/rule"

var repositories = []string{"aws:ecr/repository:Repository"}

var images = []rule.Rule{{
	ID: "ecr-immutable", Level: rule.Mandatory, Refs: []string{"T0031", "C51"}, Types: repositories,
	Title:  "A tag of an image is never moved",
	Reason: "What was tested under a tag is what runs under it.",
	Mend:   "Set imageTagMutability to IMMUTABLE.",
	Check: func(c *rule.Check) {
		c.OneOf("imageTagMutability", "tags can be moved", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION")
	},
}, {
	ID: "ecr-scan", Level: rule.Mandatory, Refs: []string{"T0030", "C163"}, Types: repositories,
	Title:  "Images are scanned when they are pushed",
	Reason: "Known holes are found before they run.",
	Mend:   "Set imageScanningConfiguration.scanOnPush.",
	Check:  func(c *rule.Check) { c.True("imageScanningConfiguration.scanOnPush", "images are not scanned") },
}, {
	ID: "ecr-customer-key", Level: rule.Mandatory, Refs: []string{"T0033", "C136"}, Types: repositories,
	Title:  "Images are encrypted with a key of ours",
	Reason: "Who may use the key decides a second time who may pull.",
	Mend:   "Set encryptionConfigurations with type KMS and kmsKey.",
	Check: func(c *rule.Check) {
		c.OneOf("encryptionConfigurations.0.encryptionType", "images are encrypted with AWS's own key", "KMS", "KMS_DSSE")
		c.Set("encryptionConfigurations.0.kmsKey", "images are encrypted with AWS's own key")
	},
}, {
	ID: "ecr-lifecycle", Level: rule.Advisory,
	Title:  "Old images are removed",
	Reason: "They are paid for, and are scanned for ever.",
	Mend:   "Add a LifecyclePolicy.",
	Graph: func(g *rule.Graph) {
		for _, r := range g.Of(repositories...) {
			g.Needs(r, "repository", "images are kept for ever", nil, "aws:ecr/lifecyclePolicy:LifecyclePolicy")
		}
	},
}}
