package docker

import (
	"fmt"
	"net/netip"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// builtin are the networks that every daemon has.
var builtin = map[string]bool{"bridge": true, "host": true, "none": true}

func network() cloud.Type {
	return cloud.Type{
		Token: networkType,
		Create: func(c *cloud.Call) error {
			if err := reachable(c); err != nil {
				return err
			}
			name := c.In.String("name")
			switch {
			case !networkName.MatchString(name):
				return cloud.Refuse("", "invalid network name %q: only letters, digits, '_', '.' and '-' are allowed, beginning with a letter or digit", name)
			case builtin[name]:
				return cloud.Refuse("", "operation is not permitted on predefined %s network", name)
			case c.Clash("name") != nil:
				return cloud.Refuse("conflict", "network with name %s already exists", name)
			}
			if err := pools(c); err != nil {
				return err
			}
			c.ID = hexID(c)
			fill(c, "driver", "bridge")
			c.Out["scope"] = "local"
			if c.In.String("driver") == "overlay" {
				c.Out["scope"] = "swarm"
			}
			fill(c, "internal", false)
			fill(c, "options", cloud.Object{})
			return nil
		},
		Delete: func(c *cloud.Call) error {
			if err := reachable(c); err != nil {
				return err
			}
			name := c.Out.String("name")
			for _, r := range users(c, func(o cloud.Object) bool { return attached(o, name, c.ID) }) {
				return cloud.Refuse("", "error while removing network: network %s has active endpoints (name:%q id:%q)", name, r.Out.String("name"), r.ID[:12])
			}
			return nil
		},
	}
}

// attached tells whether the container is in the network.
func attached(o cloud.Object, name, id string) bool {
	if m := o.String("networkMode"); m == name || m == id {
		return true
	}
	for _, n := range o.Objects("networksAdvanced") {
		if s := n.String("name"); s == name || s == id {
			return true
		}
	}
	return false
}

// docker0 is the default bridge's own network.
var docker0 = netip.MustParsePrefix("172.17.0.0/16")

// pools settles the network's address ranges: those asked for, or a free one.
func pools(c *cloud.Call) error {
	taken := []netip.Prefix{docker0}
	for _, other := range c.All(networkType) {
		taken = append(taken, subnets(other.Out)...)
	}
	overlaps := func(p netip.Prefix) bool {
		for _, t := range taken {
			if t.Overlaps(p) {
				return true
			}
		}
		return false
	}
	out := []any{}
	for _, ipam := range c.In.Objects("ipamConfigs") {
		ipam = ipam.Clone()
		s := ipam.String("subnet")
		if s == "" {
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil || p != p.Masked() {
			return cloud.Refuse("", "invalid network config: invalid subnet %s: it must be the start of a CIDR range", s)
		}
		if overlaps(p) {
			return cloud.Refuse("", "invalid pool request: Pool overlaps with other one on this address space (%s)", p)
		}
		if g := ipam.String("gateway"); g != "" {
			if a, err := netip.ParseAddr(g); err != nil || !p.Contains(a) {
				return cloud.Refuse("", "invalid network config: invalid gateway %s: parent subnet is %s", g, p)
			}
		}
		if r := ipam.String("ipRange"); r != "" {
			if q, err := netip.ParsePrefix(r); err != nil || !p.Contains(q.Addr()) || q.Bits() < p.Bits() {
				return cloud.Refuse("", "invalid network config: invalid ip-range %s: parent subnet is %s", r, p)
			}
		}
		taken = append(taken, p)
		ipam.Default("gateway", p.Addr().Next().String())
		out = append(out, ipam)
	}
	if len(out) == 0 && c.In.String("driver") != "host" && c.In.String("driver") != "null" {
		p := freePool(c, overlaps)
		out = []any{cloud.Object{"subnet": p.String(), "gateway": p.Addr().Next().String()}}
	}
	c.Out["ipamConfigs"] = out
	return nil
}

// freePool takes a /20 out of the part of 172.16.0.0/12 that Docker's default pools are in. Docker
// itself goes through them in order; here the first guess depends on the network alone, so that the
// order in which networks happen to be made does not show.
func freePool(c *cloud.Call, overlaps func(netip.Prefix) bool) netip.Prefix {
	const count = 14 * 16 // 172.18.0.0 to 172.31.240.0
	start := c.Gen.Number("pool", 0, count-1)
	for i := range count {
		n := (start + i) % count
		p := netip.MustParsePrefix(fmt.Sprintf("172.%d.%d.0/20", 18+n/16, n%16*16))
		if !overlaps(p) {
			return p
		}
	}
	return netip.MustParsePrefix("192.168.0.0/20")
}

func subnets(o cloud.Object) []netip.Prefix {
	var out []netip.Prefix
	for _, ipam := range o.Objects("ipamConfigs") {
		if p, err := netip.ParsePrefix(ipam.String("subnet")); err == nil {
			out = append(out, p)
		}
	}
	return out
}
