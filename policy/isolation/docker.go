package isolation

import (
	"slices"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

var dockerTypes = []string{rule.DockerContainer}

var docker = []rule.Rule{{
	ID: "docker-only-proxy-publishes", Level: rule.Mandatory, Refs: []string{"K:451d79dc"}, Types: dockerTypes,
	Title:  "Only the proxy publishes ports on the host",
	Reason: "A published port goes past the proxy's TLS, logs and limits. Forgejo's web interface is reached through the proxy and the internal network.",
	Mend:   "Route the service through the proxy. Git over SSH is published by setting morphee:forgejo.sshPort.",
	Settings: []rule.Setting{{Name: "proxies", Default: []string{"traefik"}, Description: "names of the proxy's container"},
		{Name: "git", Default: []string{"forgejo"}, Description: "names of the git server's container"},
		{Name: "gitSSH", Default: []string{"22", "2222"}, Description: "ports of SSH inside the git server's container"}},
	Check: func(c *rule.Check) {
		if slices.Contains(c.Strings("proxies"), c.In("name").Text()) {
			return
		}
		c.Each(c.In("ports"), func(p rule.Value) {
			if p.At("external").Unknown() {
				c.Undecided(p.At("external"))
				return
			}
			if slices.Contains(c.Strings("git"), c.In("name").Text()) && slices.Contains(c.Strings("gitSSH"), p.At("internal").Text()) {
				return
			}
			c.Violate("the container publishes port %s on the host", p.At("external").Text())
		})
	},
}, {
	ID: "docker-proxy-web-only", Level: rule.Mandatory, Types: dockerTypes,
	Title:  "The proxy publishes HTTP and HTTPS, nothing else",
	Reason: "Its dashboard and its ping endpoint are for the inside.",
	Mend:   "Publish ports 80 and 443 only.",
	Settings: []rule.Setting{{Name: "proxies", Default: []string{"traefik"}, Description: "names of the proxy's container"},
		{Name: "ports", Default: []string{"80", "443"}, Description: "ports that the proxy may publish"}},
	Check: func(c *rule.Check) {
		if !slices.Contains(c.Strings("proxies"), c.In("name").Text()) {
			return
		}
		c.Each(c.In("ports"), func(p rule.Value) {
			c.Want(p.At("external"), func(v rule.Value) bool { return slices.Contains(c.Strings("ports"), v.Text()) }, "the proxy publishes more than HTTP and HTTPS")
		})
	},
}, {
	ID: "docker-no-publish-all", Level: rule.Mandatory, Types: dockerTypes,
	Title:  "No container publishes whatever its image exposes",
	Reason: "An image decides then what is on the host's addresses.",
	Mend:   "Leave publishAllPorts false.",
	Check:  func(c *rule.Check) { c.False("publishAllPorts", "all exposed ports are published") },
}, {
	ID: "docker-no-host-namespaces", Level: rule.Mandatory, Types: dockerTypes,
	Title:  "No container shares the host's network, processes or memory",
	Reason: "Sharing them takes the container's walls away: it listens on the host, sees and signals other processes.",
	Mend:   "Use networks of your own, and private namespaces.",
	Check: func(c *rule.Check) {
		for _, p := range []string{"networkMode", "pidMode", "ipcMode", "usernsMode"} {
			c.Want(c.In(p), func(v rule.Value) bool { return v.Text() != "host" }, "the container shares a namespace of the host")
		}
	},
}, {
	ID: "docker-own-networks", Level: rule.Mandatory, Types: dockerTypes,
	Title:  "Containers are on networks of their own, not on Docker's default bridge",
	Reason: "On the default bridge every container reaches every other.",
	Mend:   "Set networksAdvanced.",
	Check: func(c *rule.Check) {
		if slices.Contains([]string{"none", "host"}, c.In("networkMode").Text()) {
			return
		}
		c.Set("networksAdvanced", "the container is on the default bridge")
	},
}, {
	ID: "docker-data-internal", Level: rule.Mandatory,
	Title:    "Databases and caches on a Docker host are on internal networks only",
	Reason:   "An internal network has no way out or in but through what is on both sides.",
	Mend:     "Join the container to the network with internal: true, and to no other.",
	Settings: []rule.Setting{{Name: "containers", Default: []string{"postgres", "postgres-*", "redis", "redis-*", "sentinel*"}, Description: "names of containers that hold data"}},
	Graph:    dataInternal,
}}

func dataInternal(g *rule.Graph) {
	const tNetwork = "docker:index/network:Network"
	for _, c := range g.Of(rule.DockerContainer) {
		name := c.Get("name").Text()
		if !slices.ContainsFunc(g.Strings("containers"), func(p string) bool { return rule.Glob(p, name) }) || rule.Idle(c) {
			continue
		}
		g.Looked(c)
		for i, n := range c.Get("networksAdvanced").List() {
			text := n.At("name")
			if text.Unknown() {
				ref := g.Refs(c, "networksAdvanced", tNetwork)
				if len(ref.Found)+len(ref.Possible) != len(c.Get("networksAdvanced").List()) {
					g.Undecided(c, n.At("name").Path())
					continue
				}
				text = append(ref.Found, ref.Possible...)[i].Get("name")
			}
			internal := slices.ContainsFunc(g.Of(tNetwork), func(r *rule.Resource) bool {
				return r.Get("name").Text() == text.Text() && r.Get("internal").True()
			})
			if !internal {
				g.Violate(c, "the container is on the network %s, which is not internal", text.Show())
			}
		}
	}
}
