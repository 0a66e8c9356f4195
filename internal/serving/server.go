package serving

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/reach"
	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds/docker"
)

const (
	serverType    = "hcloud:index/server:Server"
	containerType = "docker:index/container:Container"
)

// address goes on at an address. Only servers have one that is known: what AWS has is behind names.
func (v *view) address(ip string, y way) []Target {
	for _, s := range v.world.All("", serverType) {
		if same(s.Out.String("ipv4Address"), ip) || same(s.Out.String("ipv6Address"), ip) {
			return v.server(s, y.to("server "+named(s), s.URN).answered(ip))
		}
	}
	return y.dead("", "", "no machine has the address %s", ip)
}

func same(a, b string) bool {
	x, err1 := netip.ParseAddr(a)
	y, err2 := netip.ParseAddr(b)
	return err1 == nil && err2 == nil && x == y
}

// server asks the proxy on a server.
func (v *view) server(s *cloud.Resource, y way) []Target {
	place := named(s)
	if status := s.Out.String("status"); status != "running" {
		return y.dead(Server, place, "the server %s is %s", place, status)
	}
	if !v.open[open(s.URN, v.family)] {
		return y.dead(Server, place, "no firewall rule lets HTTPS over %s in to %s", v.family, place)
	}
	p, why := v.proxyOn(s)
	if why != "" {
		return y.dead(Server, place, "%s", why)
	}
	y = y.to(p.name, p.urns...)
	router, why := p.route(v)
	if why != "" {
		return y.dead(Server, place, "%s", why)
	}
	y = y.to("router "+router.name, router.urns()...).to("container " + strings.Join(router.names(), " or "))
	return v.behindRouter(router, place, y)
}

// proxy is a Traefik on a host.
type proxy struct {
	name     string
	urns     []string
	entry    string   // its entry point for HTTPS
	network  string   // that it reaches containers over, unless they name another
	networks []string // that it is on
	hosted   []*cloud.Resource
}

// containers of a server, by the address that Docker is spoken to at.
func (v *view) containers(s *cloud.Resource) []*cloud.Resource {
	var out []*cloud.Resource
	for _, c := range v.world.All("", containerType) {
		at := strings.TrimPrefix(c.Scope, "host ")
		if same(at, s.Out.String("ipv4Address")) || same(at, s.Out.String("ipv6Address")) {
			out = append(out, c)
		}
	}
	return out
}

// proxyOn finds what listens on port 443 of a server.
func (v *view) proxyOn(s *cloud.Resource) (p proxy, why string) {
	p.hosted = v.containers(s)
	for _, c := range p.hosted {
		if !publishes(c, v.family, s) {
			continue
		}
		if why := away(c); why != "" {
			return p, why
		}
		p.name, p.urns, p.networks = "proxy "+named(c), []string{c.URN}, networksOf(c)
		for _, arg := range c.Out.Strings("command") {
			if at, ok := strings.CutSuffix(arg, ".address=:443"); ok {
				p.entry = strings.TrimPrefix(at, "--entrypoints.")
			}
			if name, ok := strings.CutPrefix(arg, "--providers.docker.network="); ok {
				p.network = name
			}
		}
		if !slices.Contains(c.Out.Strings("command"), "--providers.docker=true") || p.entry == "" {
			return p, "container " + named(c) + " has port 443, and is no proxy that this check knows"
		}
		return p, ""
	}
	if docker.InstallsCoolify(s.In.String("userData")) {
		p.name, p.entry, p.network, p.networks = "Coolify's proxy", "https", docker.CoolifyNetwork, []string{docker.CoolifyNetwork}
		return p, ""
	}
	return p, "no container on " + named(s) + " has port 443 over " + string(v.family)
}

func publishes(c *cloud.Resource, family reach.Family, s *cloud.Resource) bool {
	every := map[reach.Family]string{reach.IPv4: "0.0.0.0", reach.IPv6: "::"}[family]
	for _, p := range c.Out.Objects("ports") {
		ip := p.String("ip")
		if p.Int("external") == 443 && p.String("protocol") != "udp" && (ip == "" || ip == every || same(ip, s.Out.String(string(family)+"Address"))) {
			return true
		}
	}
	return false
}

// away says why a container serves nobody. One with a health check counts only when the deployment waits
// until it is healthy: nobody knows of the others.
func away(c *cloud.Resource) string {
	switch check := c.Out.Object("healthcheck"); {
	case c.Out.Has("start") && !c.Out.Bool("start"):
		return "container " + named(c) + " is not started"
	case c.Out.Int("exitCode") != 0:
		return "container " + named(c) + " has ended"
	case check.String("tests.0") != "" && check.String("tests.0") != "NONE" && !c.Out.Bool("wait"):
		return "nobody waits until container " + named(c) + " is healthy"
	}
	return ""
}

func networksOf(c *cloud.Resource) []string {
	var out []string
	for _, n := range c.Out.Objects("networksAdvanced") {
		out = append(out, n.String("name"))
	}
	return out
}
