package hcloud

import (
	"net/netip"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// rdnsOwners are the inputs that name what the address belongs to, with the letter of the id's form.
var rdnsOwners = []struct{ property, letter, typ string }{
	{"serverId", "s", serverType}, {"primaryIpId", "p", primaryIPType},
	{"floatingIpId", "f", floatingIPType}, {"loadBalancerId", "l", loadBalancerType},
}

func rdns() cloud.Type {
	return cloud.Type{
		Token: rdnsType,
		Check: func(c *cloud.CheckCall) {
			n := 0
			for _, o := range rdnsOwners {
				if c.In.Has(o.property) {
					n++
				}
			}
			if n != 1 {
				c.Fail("serverId", "exactly one of serverId, primaryIpId, floatingIpId and loadBalancerId must be set, got %d", n)
			}
			if c.In.Known("dnsPtr") && !hostname.MatchString(c.In.String("dnsPtr")) {
				c.Fail("dnsPtr", "%q is not a host name", c.In.String("dnsPtr"))
			}
		},
		Create: func(c *cloud.Call) error {
			for _, o := range rdnsOwners {
				owner, err := find(c, kind(o.typ), o.typ, o.property)
				if err != nil {
					return err
				}
				if owner == nil {
					continue
				}
				if !owns(owner, c.In.String("ipAddress")) {
					return cloud.Refuse("invalid_input", "the address %s does not belong to %s %s", c.In.String("ipAddress"), kind(o.typ), owner.ID)
				}
				c.ID = o.letter + "-" + owner.ID + "-" + c.In.String("ipAddress")
			}
			return nil
		},
	}
}

// owns tells whether the address is one of the resource's, or in one of its networks.
func owns(r *cloud.Resource, address string) bool {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	for _, p := range []string{"ipv4Address", "ipAddress", "ipv4", "ipv6", "ipv6Address"} {
		if own, err := netip.ParseAddr(r.Out.String(p)); err == nil && own == a {
			return true
		}
	}
	for _, p := range []string{"ipv6Network", "ipNetwork"} {
		if own, err := netip.ParsePrefix(r.Out.String(p)); err == nil && own.Contains(a) {
			return true
		}
	}
	return false
}
