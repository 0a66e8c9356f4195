package isolation

import (
	"slices"
	"strconv"
	"strings"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

const (
	tServer   = "hcloud:index/server:Server"
	tFirewall = "hcloud:index/firewall:Firewall"
	tAttach   = "hcloud:index/firewallAttachment:FirewallAttachment"
)

var hetzner = []rule.Rule{{
	ID: "hetzner-firewall", Level: rule.Mandatory,
	Title:  "Every server is behind a firewall, from its first moment on",
	Reason: "Docker publishes ports past the server's own firewall; Hetzner's is the one that holds.",
	Mend:   "Set firewallIds of the server (or attach the firewall to it).",
	Graph: func(g *rule.Graph) {
		for _, s := range g.Of(tServer) {
			g.Looked(s)
			ids := s.Get("firewallIds")
			if len(ids.List()) > 0 || ids.Unknown() && len(g.Refs(s, "firewallIds", tFirewall).Found) > 0 {
				continue
			}
			attached, maybe := g.Referring(s, "serverIds", tAttach)
			applied := false
			for _, f := range g.Of(tFirewall) {
				for _, a := range f.In("applyTos").List() {
					applied = applied || a.At("server").Text() != "" && a.At("server").Text() == s.Identity()
					if a.At("server").Unknown() {
						maybe = append(maybe, f)
					}
				}
			}
			switch {
			case len(attached) > 0 || applied:
			case len(maybe) > 0 || ids.Unknown():
				g.Undecided(s, "firewallIds")
			default:
				g.Violate(s, "no firewall is before the server")
			}
		}
	},
}, {
	ID: "hetzner-ssh-sources", Level: rule.Mandatory, Types: []string{tFirewall},
	Title:    "SSH to a server is open to named sources only",
	Reason:   "The whole internet tries passwords and the exploit of the day on port 22.",
	Mend:     "Set morphee:ssh.allowedSources to the addresses of operators and deployments.",
	Settings: []rule.Setting{{Name: "port", Default: 22.0, Min: 1, Description: "port of SSH, when morphee:ssh.port does not say"}},
	Check:    func(c *rule.Check) { openPorts(c, true) },
}, {
	ID: "hetzner-open-ports", Level: rule.Mandatory, Types: []string{tFirewall},
	Title:  "Nothing but HTTP and HTTPS (and git over SSH if asked for) is open on a server",
	Reason: "Everything else is reached through the proxy.",
	Mend:   "Take the firewall rule away, or name its sources.",
	Settings: []rule.Setting{{Name: "ports", Default: []string{"80", "443"}, Description: "ports that may be open to everybody"},
		{Name: "port", Default: 22.0, Min: 1, Description: "port of SSH, which has a rule of its own"}},
	Check: func(c *rule.Check) { openPorts(c, false) },
}}

// openPorts looks at what a firewall opens to everybody: SSH, or everything else.
func openPorts(c *rule.Check, ssh bool) {
	sshPort := strconv.Itoa(int(c.Number("port")))
	if p := c.Options().Nested("ssh", "port").Text(); p != "" {
		sshPort = p
	}
	var allowed []string
	if !ssh {
		allowed = c.Strings("ports")
		if p := c.Options().Nested("forgejo", "sshPort").Text(); p != "" && p != "0" {
			allowed = append(allowed, p)
		}
	}
	c.Each(c.In("rules"), func(r rule.Value) {
		if !slices.Contains([]string{"in", ""}, r.At("direction").Text()) || slices.Contains([]string{"icmp", "esp", "gre"}, r.At("protocol").Text()) {
			return
		}
		port := r.At("port")
		if r.At("sourceIps").HoldsUnknown() || port.Unknown() {
			c.Undecided(r.At("sourceIps"))
			return
		}
		if !slices.ContainsFunc(r.At("sourceIps").Texts(), rule.Open) {
			return
		}
		covers := within(sshPort, port.Text()) && r.At("protocol").Text() != "udp"
		switch {
		case ssh && covers:
			c.Violate("SSH (port %s) is open to everybody", sshPort)
		case !ssh && !covers && !slices.Contains(allowed, port.Text()):
			c.Violate("port %s is open to everybody", port.Text())
		}
	})
}

// within says whether a port is the port or in the range, such as "1-1024" or "any".
func within(port, ports string) bool {
	if ports == port || ports == "any" || ports == "" {
		return true
	}
	from, to, ok := strings.Cut(ports, "-")
	if !ok {
		return false
	}
	p, _ := strconv.Atoi(port)
	low, _ := strconv.Atoi(from)
	high, _ := strconv.Atoi(to)
	return low <= p && p <= high
}
