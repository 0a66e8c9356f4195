package secrets

import (
	"strings"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

const (
	tSecret   = "aws:secretsmanager/secret:Secret"
	tRotation = "aws:secretsmanager/secretRotation:SecretRotation"
)

var stores = []rule.Rule{{
	ID: "secret-customer-key", Level: rule.Mandatory, Refs: []string{"T0098", "C149"}, Types: []string{tSecret},
	Title:  "Secrets Manager encrypts with a key of ours",
	Reason: "Who may use the key decides a second time who may read the secret.",
	Mend:   "Set kmsKeyId.",
	Check:  func(c *rule.Check) { c.Set("kmsKeyId", "the secret is encrypted with AWS's own key") },
}, {
	ID: "database-password-managed", Level: rule.Mandatory, Refs: []string{"C2_57", "N-SMG4"},
	Types:  []string{"aws:rds/instance:Instance", "aws:rds/cluster:Cluster"},
	Title:  "AWS generates, keeps and rotates the master password of databases",
	Reason: "A password that nobody has to know cannot leak, and this is the one secret here that can rotate by itself.",
	Mend:   "Set manageMasterUserPassword, and no password.",
	Check: func(c *rule.Check) {
		for _, p := range []string{"replicateSourceDb", "globalClusterIdentifier", "replicationSourceIdentifier"} {
			if !c.In(p).Absent() {
				return // the password is the source's
			}
		}
		if c.Type == "aws:rds/cluster:Cluster" && c.Options().Value("phase") == "4" && !c.In("masterPassword").Absent() {
			return // RDS manages no passwords in a global database
		}
		c.True("manageMasterUserPassword", "the master password is not managed by AWS")
	},
}, {
	ID: "secret-rotation-age", Level: rule.Mandatory, Refs: []string{"C304"}, Types: []string{tRotation},
	Title:    "Secrets that rotate do so often enough",
	Reason:   "Rotation is of use only while it is faster than those who found the secret.",
	Mend:     "Set rotationRules.automaticallyAfterDays.",
	Settings: []rule.Setting{{Name: "days", Default: 90.0, Min: 1, Description: "most days between two rotations"}},
	Check: func(c *rule.Check) {
		if !c.In("rotationRules.scheduleExpression").Absent() {
			return
		}
		c.Want(c.In("rotationRules.automaticallyAfterDays"), func(v rule.Value) bool {
			n, ok := v.Number()
			return ok && n <= c.Number("days")
		}, "the secret rotates too rarely")
	},
}, {
	ID: "generated-secret-length", Level: rule.Mandatory,
	Types:  []string{"random:index/randomPassword:RandomPassword", "random:index/randomString:RandomString", "random:index/randomBytes:RandomBytes"},
	Title:  "Generated secrets are long enough; webhook secrets and backup keys longer",
	Reason: "Length is what guessing fails at. A backup's key has to hold for as long as the backup is kept.",
	Mend:   "Raise length.",
	Settings: []rule.Setting{{Name: "characters", Default: 24.0, Min: 8, Description: "least characters of a password"},
		{Name: "keyCharacters", Default: 32.0, Min: 16, Description: "least characters of a webhook secret or key"}},
	Check: func(c *rule.Check) {
		least := c.Number("characters")
		name := strings.ToLower(c.Name)
		switch {
		case strings.HasSuffix(name, "salt"):
			return // no secret: it stands beside what it salts
		case c.Type == "random:index/randomBytes:RandomBytes":
			least = 32
		case c.Type == "random:index/randomString:RandomString" && !secretName(c.Name):
			return
		case strings.Contains(name, "webhook"), strings.Contains(name, "backup"), strings.HasSuffix(name, "key"):
			least = c.Number("keyCharacters")
		}
		c.AtLeast("length", least, "the generated secret is short")
	},
}, {
	ID: "parameter-secure", Level: rule.Mandatory, Refs: []string{"C2_34"}, Types: []string{"aws:ssm/parameter:Parameter"},
	Title:  "Parameters named like a secret are SecureStrings",
	Reason: "Other parameters are readable by whoever may list them.",
	Mend:   "Use Secrets Manager, or type SecureString.",
	Check: func(c *rule.Check) {
		if secretName(c.In("name").Text()) || secretName(c.Name) {
			c.OneOf("type", "the parameter is not encrypted", "SecureString")
		}
	},
}, {
	ID: "no-access-keys", Level: rule.Mandatory, Refs: []string{"C273"}, Types: []string{"aws:iam/accessKey:AccessKey"},
	Title:  "There are no long-lived AWS keys",
	Reason: "A key that never ends is found in a laptop or a log one day. Roles and OIDC need none.",
	Mend:   "Let the workload take a role; GitHub through OIDC.",
	Check: func(c *rule.Check) {
		c.Want(c.In("status"), func(v rule.Value) bool { return v.Text() == "Inactive" }, "the key is in use")
	},
}}
