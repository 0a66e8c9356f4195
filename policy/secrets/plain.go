package secrets

import "github.com/morphee-app/morphee-infra/policy/rule"

var plain = []rule.Rule{{
	ID: "secret-by-name", Level: rule.Mandatory, Refs: []string{"C41", "C45", "C46", "K:487f4be7"},
	Title:  "What is named like a secret is a Pulumi secret",
	Reason: "A plain input stands readable in the state, in previews and in the cloud's own consoles.",
	Mend:   "Generate it with the random provider or set it with pulumi config set --secret, and change the value: it has been seen.",
	Check: func(c *rule.Check) {
		scan(c.Resource, func(l leaf) {
			if l.place != elsewhere || l.Secret() || !l.named {
				return
			}
			switch {
			case l.Unknown():
				c.Undecided(l.Value)
			case secretText(l.Text()) && l.format == "":
				c.Violate("%s is named like a secret and is plain text", l.Path())
			}
		})
	},
}, {
	ID: "secret-by-format", Level: rule.Mandatory, Refs: []string{"C41", "K:487f4be7"},
	Title:  "Nothing that looks like a known kind of secret stands in plain",
	Reason: "Keys, tokens and addresses with passwords are recognised by whoever looks for them, too.",
	Mend:   "Make it a Pulumi secret, and change the value: it has been seen.",
	Check: func(c *rule.Check) {
		unknown := undecidedOnce(c)
		scan(c.Resource, func(l leaf) {
			if l.place != elsewhere || l.Secret() {
				return
			}
			if l.Unknown() {
				unknown(l.Value)
			} else if l.format != "" {
				c.Violate("%s holds %s in plain text", l.Path(), l.format)
			}
		})
	},
}, {
	ID: "secret-by-entropy", Level: rule.Mandatory,
	Title:  "Nothing random-looking stands in plain",
	Reason: "A long text of letters and digits in no order is a key or a password, whatever it is called.",
	Mend:   "Make it a Pulumi secret. If it is none, except the resource with the reason.",
	Check: func(c *rule.Check) {
		unknown := undecidedOnce(c)
		scan(c.Resource, func(l leaf) {
			if l.place != elsewhere || l.Secret() {
				return
			}
			if l.Unknown() {
				unknown(l.Value)
				return
			}
			if l.random != "" && !(l.named && secretText(l.Text())) {
				c.Violate("%s holds %d random-looking characters (%s…)", l.Path(), len(l.random), l.random[:3])
			}
		})
	},
}, {
	ID: "secret-input-is-secret", Level: rule.Mandatory, Refs: []string{"C41"},
	Title:  "Inputs that always hold a secret are Pulumi secrets",
	Reason: "Passwords of databases, values of secrets and credentials of providers are kept encrypted in the state only as Pulumi secrets.",
	Mend:   "Pass it through pulumi.ToSecret, or take it from --secret configuration.",
	Check: func(c *rule.Check) {
		for _, path := range sensitiveInputs[c.Type] {
			if c.Type == "aws:ssm/parameter:Parameter" && c.In("type").Text() != "SecureString" {
				continue
			}
			c.In(path).Walk(func(v rule.Value) {
				switch {
				case v.Absent() || v.Secret():
				case v.Unknown():
					c.Undecided(v)
				case v.Text() != "":
					c.Violate("%s is plain text", path)
				}
			})
		}
	},
}}

// undecidedOnce reports one unknown value of a resource for all of them.
func undecidedOnce(c *rule.Check) func(rule.Value) {
	said := false
	return func(v rule.Value) {
		if !said {
			said = true
			c.Undecided(v)
		}
	}
}
