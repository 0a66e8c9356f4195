package hcloud

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func network() cloud.Type {
	return cloud.Type{
		Token: networkType,
		Check: func(c *cloud.CheckCall) {
			checkLabels(c)
			checkRange(c, "ipRange")
		},
		Create: func(c *cloud.Call) error {
			p, _ := parseRange(c.In.String("ipRange"))
			if !slices.ContainsFunc(private, func(r netip.Prefix) bool { return within(p, r) }) {
				return cloud.Refuse("invalid_input", "invalid input in field 'ip_range': %s is not in a private range of RFC 1918 (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16)", p)
			}
			if p.Bits() > 24 {
				return cloud.Refuse("invalid_input", "invalid input in field 'ip_range': %s is too small, a network has at least a /24", p)
			}
			if err := uniqueName(c, "network"); err != nil {
				return err
			}
			number(c, 10_000_000, 12_999_999)
			return nil
		},
		Update: func(c *cloud.Call) error { return uniqueName(c, "network") },
		Delete: protected("network"),
		InUse: []cloud.Ref{
			{Type: serverType, Path: "networks.*.networkId", Error: inUse("network")},
			{Type: serverNetworkType, Path: "networkId", Error: inUse("network")},
			{Type: "hcloud:index/loadBalancerNetwork:LoadBalancerNetwork", Path: "networkId", Error: inUse("network")},
		},
	}
}

func checkRange(c *cloud.CheckCall, property string) {
	if !c.In.Known(property) {
		return
	}
	if p, reason := parseRange(c.In.String(property)); reason != "" {
		c.Fail(property, "%s", reason)
	} else if !p.Addr().Is4() {
		c.Fail(property, "%s is not IPv4: private networks have no IPv6", p)
	}
}

func networkSubnet() cloud.Type {
	return cloud.Type{
		Token: networkSubnetType,
		Check: func(c *cloud.CheckCall) {
			checkRange(c, "ipRange")
			if t := c.In.String("type"); c.In.Known("type") && !slices.Contains([]string{"cloud", "server", "vswitch"}, t) {
				c.Fail("type", "got %q, expected cloud, server or vswitch", t)
			}
			if c.In.String("type") == "vswitch" && !c.In.Has("vswitchId") {
				c.Fail("vswitchId", "required for a subnet of type vswitch")
			}
		},
		Create: createSubnet,
		Delete: func(c *cloud.Call) error {
			for _, m := range members(c.World, c.Scope, c.Old.String("networkId")) {
				if p, _ := parseRange(c.Old.String("ipRange")); p.Contains(m.ip) {
					return cloud.Refuse("resource_in_use", "cannot remove subnet because servers are attached to it: server %s has %s in it", m.server, m.ip)
				}
			}
			return nil
		},
	}
}

func createSubnet(c *cloud.Call) error {
	n, err := find(c, "network", networkType, "networkId")
	if err != nil {
		return err
	}
	if zone := c.In.String("networkZone"); !slices.Contains(zones, zone) {
		return cloud.Refuse("invalid_input", "invalid input in field 'network_zone': got %q, Hetzner has %s", zone, strings.Join(zones, ", "))
	}
	p, _ := parseRange(c.In.String("ipRange"))
	whole, _ := parseRange(n.Out.String("ipRange"))
	if !within(p, whole) {
		return cloud.Refuse("invalid_input", "ip_range %s of the subnet is not in the network's %s", p, whole)
	}
	if p.Bits() > 30 {
		return cloud.Refuse("invalid_input", "invalid input in field 'ip_range': %s is too small, a subnet has at least a /30", p)
	}
	if p.Contains(netip.MustParseAddr("172.31.1.1")) {
		return cloud.Refuse("invalid_input", "invalid input in field 'ip_range': %s contains 172.31.1.1, which is reserved", p)
	}
	count := 0
	for _, other := range c.All(networkSubnetType) {
		if other.Out.String("networkId") != n.ID {
			continue
		}
		count++
		if q, _ := parseRange(other.Out.String("ipRange")); q.Overlaps(p) {
			return cloud.Refuse("networks_overlap", "ip_range %s overlaps with the subnet %s of the same network", p, q)
		}
	}
	if count >= 50 {
		return cloud.Refuse("resource_limit_exceeded", "network %s already has 50 subnets, the most it can have", n.ID)
	}
	c.ID = n.ID + "-" + p.String()
	c.Out["gateway"] = whole.Addr().Next().String()
	return nil
}
