package secrets

import (
	"encoding/base64"
	"regexp"
	"strings"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

var places = []rule.Rule{{
	ID: "container-env-no-secret", Level: rule.Mandatory, Refs: []string{"T0036", "N-ECS2"},
	Types:  []string{rule.DockerContainer, rule.TaskDefinition},
	Title:  "Containers get no secret in a plain environment variable",
	Reason: "The environment is shown by docker inspect, in the task definition and in crash reports. A Pulumi secret is no better there.",
	Mend:   "Hand it over as a file, or from Secrets Manager.",
	Check: func(c *rule.Check) {
		unknown := undecidedOnce(c)
		scan(c.Resource, func(l leaf) {
			if l.place != environment {
				return
			}
			switch text := l.Text(); {
			case l.Secret():
				c.Violate("the environment variable %s holds a Pulumi secret", named(l.name))
			case l.Unknown():
				unknown(l.Value)
			case l.named && secretText(text):
				c.Violate("the environment variable %s is named like a secret and is plain text", l.name)
			case l.format != "":
				c.Violate("the environment variable %s holds %s", named(l.name), l.format)
			case l.random != "":
				c.Violate("the environment variable %s holds %d random-looking characters", named(l.name), len(l.random))
			}
		})
	},
}, {
	ID: "user-data-no-secret", Level: rule.Mandatory, Refs: []string{"T0029", "C46"},
	Types:  []string{"aws:ec2/instance:Instance", "aws:ec2/launchTemplate:LaunchTemplate", "hcloud:index/server:Server"},
	Title:  "User data holds no secret",
	Reason: "Every process on the machine can ask for its user data, and so can everybody who may look at the server.",
	Mend:   "Fetch it on the machine from where it is kept, or copy it over SSH after the first boot.",
	Check: func(c *rule.Check) {
		scan(c.Resource, func(l leaf) {
			if l.place != userData || l.Absent() {
				return
			}
			text := l.Text()
			if plain, err := base64.StdEncoding.DecodeString(text); err == nil && len(plain) > 0 {
				text = string(plain)
			}
			switch {
			case l.Secret():
				c.Violate("the user data holds a Pulumi secret")
			case l.Unknown():
				c.Undecided(l.Value)
			case knownFormat(text) != "":
				c.Violate("the user data holds %s", knownFormat(text))
			default:
				if name := assignment(text); name != "" {
					c.Violate("the user data sets %s to a plain text", name)
				} else if run, yes := random(text); yes {
					c.Violate("the user data holds %d random-looking characters", len(run))
				}
			}
		})
	},
}, {
	ID: "tags-no-secret", Level: rule.Mandatory, Refs: []string{"K:487f4be7"},
	Title:  "Tags and labels hold no secret",
	Reason: "They are shown in bills, lists and logs.",
	Mend:   "Take it out of the tag.",
	Check: func(c *rule.Check) {
		unknown := undecidedOnce(c)
		scan(c.Resource, func(l leaf) {
			if l.place != tags {
				return
			}
			switch text := l.Text(); {
			case l.Secret():
				c.Violate("the tag %s holds a Pulumi secret", named(l.name))
			case l.Unknown():
				unknown(l.Value)
			case l.format != "":
				c.Violate("the tag %s holds %s", named(l.name), l.format)
			case l.named && secretText(text):
				c.Violate("the tag %s is named like a secret", l.name)
			case l.random != "":
				c.Violate("the tag %s holds random-looking characters", named(l.name))
			}
		})
	},
}, {
	ID: "command-output-hidden", Level: rule.Mandatory, Types: []string{"command:remote:Command", "command:local:Command"},
	Title:  "A command that gets a secret does not log its output",
	Reason: "What a script prints ends up in the log of the deployment; a script with a secret at hand prints it sooner or later.",
	Mend:   "Set logging to stderr or none.",
	Check: func(c *rule.Check) {
		secret := false
		for _, p := range []string{"stdin", "environment", "create", "update", "delete"} {
			secret = secret || c.In(p).HoldsSecret()
		}
		if secret {
			c.OneOf("logging", "the output of a command with a secret is logged", "none", "stderr")
		}
	},
}}

func named(name string) string {
	if name == "" {
		return "(name not known)"
	}
	return name
}

var assignments = regexp.MustCompile(`(?m)^[ \t-]*(?:export[ \t]+)?"?([A-Za-z0-9_.-]+)"?[ \t]*[:=][ \t]*["']?([^\s"'$<{|>#]{6,})`)

// assignment finds the first line of a script or file that gives a secret's name a plain value.
func assignment(text string) string {
	for _, m := range assignments.FindAllStringSubmatch(text, -1) {
		if secretName(m[1]) && secretText(m[2]) && !strings.ContainsAny(m[2], "()") {
			return m[1]
		}
	}
	return ""
}
