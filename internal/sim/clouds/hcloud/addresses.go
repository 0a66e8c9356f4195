package hcloud

import (
	"fmt"
	"net/netip"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// newIPv4 returns a public address of the location that nobody has yet.
func newIPv4(c *cloud.Call, at string) string {
	ranges := locations[at].ipv4
	for i := 0; ; i++ {
		label := fmt.Sprintf("ipv4/%d", i)
		a := fmt.Sprintf("%s.%d.%d", ranges[c.Gen.Number(label, 0, len(ranges)-1)], c.Gen.Number(label+"c", 0, 255), c.Gen.Number(label+"d", 1, 254))
		if Machine(c.World, a) == nil && !addressTaken(c, "ipAddress", a) {
			return a
		}
	}
}

// newIPv6 returns a public /64 network of the location that nobody has yet, without its length.
func newIPv6(c *cloud.Call, at string) string {
	for i := 0; ; i++ {
		prefix := fmt.Sprintf("%s:%x::", locations[at].ipv6, c.Gen.Number(fmt.Sprintf("ipv6/%d", i), 0x10, 0xffff))
		taken := addressTaken(c, "ipAddress", prefix)
		for _, s := range c.All(serverType) {
			taken = taken || s.Out.String("ipv6Network") == prefix+"/64"
		}
		if !taken {
			return prefix
		}
	}
}

func addressTaken(c *cloud.Call, property, address string) bool {
	for _, typ := range []string{primaryIPType, floatingIPType} {
		for _, r := range c.All(typ) {
			if r.Out.String(property) == address {
				return true
			}
		}
	}
	return false
}

// parseRange parses a CIDR range in network form; reason tells what is wrong with it.
func parseRange(s string) (p netip.Prefix, reason string) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Sprintf("%q is not a CIDR range: write it like 10.0.0.0/16", s)
	}
	if p != p.Masked() {
		return p, fmt.Sprintf("%s is not the start of the cidr block %s", s, p.Masked())
	}
	return p, ""
}

var private = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16")}

// within tells whether inner lies wholly in outer.
func within(inner, outer netip.Prefix) bool {
	return inner.Bits() >= outer.Bits() && outer.Contains(inner.Addr())
}

// mac is a network card's address as Hetzner gives them.
func mac(c *cloud.Call, label string) string {
	b := c.Gen.Bytes("mac/"+label, 3)
	return fmt.Sprintf("86:00:00:%02x:%02x:%02x", b[0], b[1], b[2])
}
