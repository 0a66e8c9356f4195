package hcloud

import (
	"net/netip"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// withServer lets an attachment go with its server.
func withServer(c *cloud.Call) error {
	if c.Find(serverType, c.Out.String("serverId")) == nil {
		return cloud.ErrGone
	}
	return nil
}

// member is one server's place in a private network.
type member struct {
	server string
	ip     netip.Addr
}

// members are the servers in the network, however they were attached.
func members(w *cloud.World, scope, network string) []member {
	var out []member
	add := func(server string, o cloud.Object) {
		if o.String("networkId") != network {
			return
		}
		for _, s := range append([]string{o.String("ip")}, o.Strings("aliasIps")...) {
			if a, err := netip.ParseAddr(s); err == nil {
				out = append(out, member{server, a})
			}
		}
	}
	for _, r := range w.All(scope, serverNetworkType) {
		add(r.Out.String("serverId"), r.Out)
	}
	for _, s := range w.All(scope, serverType) {
		for _, n := range s.Out.Objects("networks") {
			add(s.ID, n)
		}
	}
	return out
}

// place finds an address for the server in the network: the one asked for, or the first free one of
// the subnet, or of a subnet in the server's zone.
func place(c *cloud.Call, server, network, subnet, zone, wanted string) (string, error) {
	taken := map[netip.Addr]bool{}
	for _, m := range members(c.World, c.Scope, network) {
		if m.server == server {
			continue
		}
		taken[m.ip] = true
	}
	var found bool
	for _, s := range c.All(networkSubnetType) {
		if s.Out.String("networkId") != network || s.Out.String("networkZone") != zone || subnet != "" && s.ID != subnet {
			continue
		}
		found = true
		p, _ := parseRange(s.Out.String("ipRange"))
		taken[netip.MustParseAddr(s.Out.String("gateway"))] = true
		taken[p.Addr()] = true
		if wanted == "" {
			for a := p.Addr().Next(); p.Contains(a) && p.Contains(a.Next()); a = a.Next() {
				if !taken[a] {
					return a.String(), nil
				}
			}
			continue
		}
		a, err := netip.ParseAddr(wanted)
		if err != nil || !p.Contains(a) {
			continue
		}
		if taken[a] || !p.Contains(a.Next()) {
			return "", cloud.Refuse("ip_not_available", "IP %s is not available in subnet %s: it is in use, or the network's or gateway's own", a, p)
		}
		return wanted, nil
	}
	switch {
	case !found:
		return "", cloud.Refuse("no_subnet_available", "network %s has no subnet in the network zone %s of the server%s: create it first, and depend on it", network, zone, of(subnet))
	case wanted != "":
		return "", cloud.Refuse("ip_not_available", "IP %s is not in a subnet of network %s in network zone %s", wanted, network, zone)
	}
	return "", cloud.Refuse("ip_not_available", "network %s has no free IP left", network)
}

func of(subnet string) string {
	if subnet == "" {
		return ""
	}
	return " with id " + subnet
}

func serverNetwork() cloud.Type {
	return cloud.Type{
		Token: serverNetworkType,
		Read:  withServer,
		Check: func(c *cloud.CheckCall) {
			if c.In.Has("networkId") == c.In.Has("subnetId") {
				c.Fail("networkId", "exactly one of networkId and subnetId must be set")
			}
		},
		Create: func(c *cloud.Call) error {
			s, err := find(c, "server", serverType, "serverId")
			if err != nil {
				return err
			}
			if subnet := c.In.String("subnetId"); subnet != "" {
				id, _, _ := strings.Cut(subnet, "-")
				c.Out["networkId"] = num(id)
			}
			return joinNetwork(c, s)
		},
		Update: func(c *cloud.Call) error {
			c.Out.Default("aliasIps", []any{})
			return checkAliases(c, c.Out.String("serverId"), c.Out.String("networkId"), c.In.Strings("aliasIps"))
		},
	}
}

func joinNetwork(c *cloud.Call, s *cloud.Resource) error {
	n := c.Find(networkType, c.Out.String("networkId"))
	if n == nil {
		return notFound("network", c.Out.String("networkId"))
	}
	for _, m := range members(c.World, c.Scope, n.ID) {
		if m.server == s.ID {
			return cloud.Refuse("server_already_attached", "server %s is already attached to network %s", s.ID, n.ID)
		}
	}
	ip, err := place(c, s.ID, n.ID, c.In.String("subnetId"), locations[s.Out.String("location")].zone, c.In.String("ip"))
	if err != nil {
		return err
	}
	if err := checkAliases(c, s.ID, n.ID, c.In.Strings("aliasIps")); err != nil {
		return err
	}
	c.ID = s.ID + "-" + n.ID
	c.Out["ip"], c.Out["macAddress"] = ip, mac(c, n.ID)
	c.Out.Default("aliasIps", []any{})
	return nil
}

func checkAliases(c *cloud.Call, server, network string, aliases []string) error {
	s := c.Find(serverType, server)
	for _, a := range aliases {
		if s == nil {
			return nil
		}
		if _, err := place(c, server, network, "", locations[s.Out.String("location")].zone, a); err != nil {
			return err
		}
	}
	return nil
}

// inlineNetworks are the networks that a server lists itself.
func inlineNetworks(c *cloud.Call) error {
	nets := c.In.Objects("networks")
	if len(nets) > 3 {
		return cloud.Refuse("resource_limit_exceeded", "a server can be in at most 3 networks, got %d", len(nets))
	}
	zone := locations[c.Out.String("location")].zone
	var out []any
	for _, n := range nets {
		n = n.Clone()
		subnet := n.String("subnetId")
		if id, _, ok := strings.Cut(subnet, "-"); ok && !n.Has("networkId") {
			n["networkId"] = num(id)
		}
		id := n.String("networkId")
		if c.Find(networkType, id) == nil {
			return notFound("network", id)
		}
		ip, err := place(c, c.ID, id, subnet, zone, wantedIP(c, n))
		if err != nil {
			return err
		}
		n["ip"] = ip
		n.Default("aliasIps", []any{})
		n.Default("macAddress", mac(c, id))
		out = append(out, n)
	}
	if out != nil {
		c.Out["networks"] = out
	}
	return nil
}

// wantedIP is the address asked for, or the one the server has in that network already.
func wantedIP(c *cloud.Call, n cloud.Object) string {
	if ip := n.String("ip"); ip != "" {
		return ip
	}
	self := c.World.Find(c.Scope, serverType, c.ID)
	if self == nil {
		return ""
	}
	for _, before := range self.Out.Objects("networks") {
		if before.String("networkId") == n.String("networkId") {
			return before.String("ip")
		}
	}
	return ""
}
