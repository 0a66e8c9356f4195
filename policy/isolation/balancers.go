package isolation

import (
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

// application says whether a load balancer speaks HTTP.
func application(c *rule.Check) bool {
	t := c.In("loadBalancerType").Text()
	return t == "" || t == "application"
}

var balancers = []rule.Rule{{
	ID: "lb-tls-policy", Level: rule.Mandatory, Refs: []string{"T0047", "C103"}, Types: []string{tListener},
	Title:  "Listeners speak TLS 1.2 or newer",
	Reason: "Older versions are broken.",
	Mend:   "Set sslPolicy to ELBSecurityPolicy-TLS13-1-2-2021-06 or another of TLS 1.2 and newer.",
	Check: func(c *rule.Check) {
		if !slices.Contains([]string{"HTTPS", "TLS"}, c.In("protocol").Text()) {
			return
		}
		c.Want(c.In("sslPolicy"), func(v rule.Value) bool {
			p := v.Text()
			return strings.Contains(p, "TLS13-1-2") || strings.Contains(p, "TLS13-1-3") || strings.Contains(p, "FS-1-2") || strings.Contains(p, "TLS-1-2")
		}, "the policy allows old versions of TLS")
	},
}, {
	ID: "lb-http-redirects", Level: rule.Mandatory, Refs: []string{"T0054", "C2_20", "C2"}, Types: []string{tListener},
	Title:  "Plain HTTP is answered by a redirect to HTTPS",
	Reason: "Passwords and cookies must not cross the network in plain text.",
	Mend:   "Make the default action a redirect with protocol HTTPS.",
	Check: func(c *rule.Check) {
		if p := c.In("protocol"); p.Unknown() {
			c.Undecided(p)
			return
		} else if p.Text() != "HTTP" {
			return
		}
		actions := c.In("defaultActions")
		c.Each(actions, func(a rule.Value) {
			c.Want(a.At("redirect.protocol"), func(v rule.Value) bool { return v.Text() == "HTTPS" }, "the listener serves plain HTTP")
		})
		if len(actions.List()) == 0 && !actions.Unknown() {
			c.Violate("the listener serves plain HTTP")
		}
	},
}, {
	ID: "lb-access-logs", Level: rule.Mandatory, Refs: []string{"C91", "N-ELB2"}, Types: []string{tLb},
	Title:  "Load balancers record their requests",
	Reason: "They are the only record of who asked for what.",
	Mend:   "Set accessLogs with a bucket, and enabled.",
	Check:  func(c *rule.Check) { c.True("accessLogs.enabled", "requests are not recorded") },
}, {
	ID: "lb-drop-invalid-headers", Level: rule.Mandatory, Refs: []string{"T0052", "C131"}, Types: []string{tLb},
	Title:  "Application load balancers drop invalid headers",
	Reason: "Requests are smuggled past the load balancer with them.",
	Mend:   "Set dropInvalidHeaderFields.",
	Check: func(c *rule.Check) {
		if application(c) {
			c.True("dropInvalidHeaderFields", "invalid headers are passed on")
		}
	},
}, {
	ID: "lb-desync-mode", Level: rule.Mandatory, Refs: []string{"C328"}, Types: []string{tLb},
	Title:  "Application load balancers guard against request smuggling",
	Reason: "In monitor mode ambiguous requests reach the services.",
	Mend:   "Leave desyncMitigationMode at defensive, or set strictest.",
	Check: func(c *rule.Check) {
		if application(c) {
			c.OneOf("desyncMitigationMode", "ambiguous requests are passed on", "", "defensive", "strictest")
		}
	},
}, {
	ID: "lb-deletion-protection", Level: rule.Mandatory, Refs: []string{"C150"}, Types: []string{tLb},
	Title:  "Load balancers are protected against deletion",
	Reason: "With the load balancer goes the address that everything points to.",
	Mend:   "Set enableDeletionProtection; only a disposable stack, or a region that is given up, does without.",
	Check: func(c *rule.Check) {
		if !c.Options().Leaving(c.Name) {
			c.True("enableDeletionProtection", "the load balancer can be deleted")
		}
	},
}}
