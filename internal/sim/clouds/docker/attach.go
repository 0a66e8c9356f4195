package docker

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// networks attaches the container to its networks, which must exist, and gives it addresses.
func networks(c *cloud.Call) error {
	mode := c.In.String("networkMode")
	if kind, other, ok := strings.Cut(mode, ":"); ok && kind == "container" {
		if !containerThere(c, other) {
			return create("No such container: %s", other)
		}
	} else if mode != "" && mode != "default" && !builtin[mode] && findNetwork(c, mode) == nil {
		return cloud.Refuse("", "Unable to start container: network %s not found", mode)
	}
	joined := c.In.Objects("networksAdvanced")
	if len(joined) > 0 && (mode == "host" || strings.HasPrefix(mode, "container:")) {
		return cloud.Refuse("", "Unable to connect to network '%s': container sharing network namespace with another container or host cannot be connected to any other network", joined[0].String("name"))
	}
	if mode == "host" && len(c.In.Objects("ports")) > 0 {
		c.Warn("published ports are discarded when using host network mode (container %s)", c.In.String("name"))
	}
	var datas []any
	for i, n := range joined {
		data, err := join(c, n, i)
		if err != nil {
			return err
		}
		datas = append(datas, data)
	}
	if datas == nil && (mode == "bridge" || mode == "default" || mode == "") {
		datas = []any{endpointData(c, "bridge", docker0, netip.MustParseAddr("172.17.0.1"), hostAddress(c, docker0, "bridge"))}
	}
	c.Out["networkDatas"] = datas
	if datas == nil {
		c.Out["networkDatas"] = []any{}
	}
	return nil
}

func findNetwork(c *cloud.Call, nameOrID string) *cloud.Resource {
	if n := c.Find(networkType, nameOrID); n != nil {
		return n
	}
	for _, n := range c.All(networkType) {
		if n.Out.String("name") == nameOrID {
			return n
		}
	}
	return coolifyNetwork(c, nameOrID)
}

func join(c *cloud.Call, n cloud.Object, i int) (cloud.Object, error) {
	name := n.String("name")
	refuse := func(format string, args ...any) error {
		return cloud.Refuse("", "Unable to connect to network '%s': %s", name, fmt.Sprintf(format, args...))
	}
	if name == "bridge" {
		if n.Has("aliases") {
			return nil, refuse("network-scoped alias is supported only for containers in user defined networks")
		}
		return endpointData(c, name, docker0, netip.MustParseAddr("172.17.0.1"), hostAddress(c, docker0, name)), nil
	}
	r := findNetwork(c, name)
	if r == nil {
		return nil, refuse("network %s not found: create it first, and refer to its name so that it is", name)
	}
	for _, before := range c.In.Objects("networksAdvanced")[:i] {
		if b := findNetwork(c, before.String("name")); b != nil && b.ID == r.ID {
			return nil, refuse("endpoint with name %s already exists in network %s", c.In.String("name"), r.Out.String("name"))
		}
	}
	ranges := subnets(r.Out)
	if len(ranges) == 0 {
		return cloud.Object{"networkName": r.Out.String("name")}, nil
	}
	p := ranges[0]
	gateway, _ := netip.ParseAddr(r.Out.String("ipamConfigs.0.gateway"))
	wanted := n.String("ipv4Address")
	if wanted == "" {
		return endpointData(c, r.Out.String("name"), p, gateway, hostAddress(c, p, r.Out.String("name"))), nil
	}
	a, err := netip.ParseAddr(wanted)
	if err != nil || !p.Contains(a) {
		return nil, refuse("invalid endpoint settings: no configured subnet contains IP address %s", wanted)
	}
	if a == gateway || addresses(c, r.Out.String("name"))[a] {
		return nil, refuse("Address already in use")
	}
	return endpointData(c, r.Out.String("name"), p, gateway, a), nil
}

func endpointData(c *cloud.Call, network string, p netip.Prefix, gateway, address netip.Addr) cloud.Object {
	b := c.Gen.Bytes("mac/"+network, 6)
	return cloud.Object{
		"networkName": network, "ipAddress": address.String(), "ipPrefixLength": float64(p.Bits()), "gateway": gateway.String(),
		"ipv6Gateway": "", "globalIpv6Address": "", "globalIpv6PrefixLength": 0.0,
		"macAddress": fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", b[0]&0xfe|2, b[1], b[2], b[3], b[4], b[5]),
	}
}

// addresses are the ones that containers of this host have in the network.
func addresses(c *cloud.Call, network string) map[netip.Addr]bool {
	out := map[netip.Addr]bool{}
	for _, r := range c.All(containerType) {
		for _, d := range r.Out.Objects("networkDatas") {
			if a, err := netip.ParseAddr(d.String("ipAddress")); err == nil && d.String("networkName") == network {
				out[a] = true
			}
		}
	}
	return out
}

// hostAddress is a free address of the range. The first guess depends on the container alone.
func hostAddress(c *cloud.Call, p netip.Prefix, network string) netip.Addr {
	taken := addresses(c, network)
	first := p.Addr().Next().Next() // after the network's own and the gateway's
	room := max(1<<min(32-p.Bits(), 16)-3, 1)
	a := first
	for range c.Gen.Number("address/"+network, 0, room-1) {
		a = a.Next()
	}
	for range room {
		if !taken[a] {
			break
		}
		if a = a.Next(); !p.Contains(a.Next()) {
			a = first
		}
	}
	return a
}
