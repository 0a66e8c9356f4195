package aws

import (
	"net/netip"
	"slices"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// checkCIDR refuses what the provider itself refuses of an address block: bad form, host bits set.
func checkCIDR(c *cloud.CheckCall, property string, v any) {
	s, ok := v.(string)
	if !ok || s == "" {
		return
	}
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		c.Fail(property, "%q is not a valid CIDR block: %v", s, err)
	case p.Masked() != p:
		c.Fail(property, "%q is not a valid CIDR block; did you mean %q?", s, p.Masked())
	}
}

// block parses an address block; the zero Prefix stands for a bad one.
func block(s string) netip.Prefix {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// inside tells whether the inner block lies wholly in the outer one.
func inside(inner, outer netip.Prefix) bool {
	return inner.IsValid() && outer.IsValid() && outer.Contains(inner.Addr()) && inner.Bits() >= outer.Bits()
}

// holders are the properties that hold an address of a subnet.
var holders = []struct{ typ, property string }{
	{instanceType, "privateIp"}, {natGatewayType, "privateIp"}, {networkInterfaceType, "privateIp"}, {mountTargetType, "ipAddress"},
}

// addressTaken tells whether something in the subnet's VPC has the address.
func addressTaken(c *cloud.Call, address, subnet string) bool {
	for _, h := range holders {
		for _, r := range c.All(h.typ) {
			if r.Out.String("subnetId") == subnet && r.Out.String(h.property) == address {
				return true
			}
		}
	}
	return false
}

// usableAddress tells whether the address is in the subnet and none of the five that AWS keeps.
func usableAddress(address string, subnet *cloud.Resource) bool {
	a, err := netip.ParseAddr(address)
	p := block(subnet.Out.String("cidrBlock"))
	if err != nil || !p.Contains(a) {
		return false
	}
	first := p.Addr()
	for range 4 {
		if a == first {
			return false
		}
		first = first.Next()
	}
	return p.Contains(a.Next())
}

// freeAddress picks an address of the subnet that nothing has, or "" when it is full.
func freeAddress(c *cloud.Call, label string, subnet *cloud.Resource) string {
	p := block(subnet.Out.String("cidrBlock"))
	if !p.IsValid() || !p.Addr().Is4() {
		return ""
	}
	size := 1 << (32 - p.Bits())
	start := c.Gen.Number(label, 0, size-1)
	base := p.Addr().As4()
	low := int(base[0])<<24 | int(base[1])<<16 | int(base[2])<<8 | int(base[3])
	for i := range size {
		n := low + (start+i)%size
		a := netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}).String()
		if usableAddress(a, subnet) && !addressTaken(c, a, subnet.ID) {
			return a
		}
	}
	return ""
}

// misplacedGroup returns the first security group that is not in the VPC, and the VPC it is in:
// "" when there is no such group.
func misplacedGroup(w *cloud.World, scope string, groups []string, vpc string) (group, in string) {
	for _, id := range groups {
		if at := groupVPC(w, scope, id); at != vpc {
			return id, at
		}
	}
	return "", ""
}

// groupVPC returns the VPC of a security group, the VPC's default group included.
func groupVPC(w *cloud.World, scope, id string) string {
	if g := w.Find(scope, securityGroupType, id); g != nil {
		return g.Out.String("vpcId")
	}
	if v := byProperty(w.All(scope, vpcType), "defaultSecurityGroupId", id); v != nil {
		return v.ID
	}
	return ""
}

// defaultGroup is what AWS puts something into that names no security group: the VPC's own.
func defaultGroup(c *cloud.Call, vpc string) []any {
	if v := c.Find(vpcType, vpc); v != nil {
		return []any{v.Out["defaultSecurityGroupId"]}
	}
	return []any{}
}

// placement is where a list of subnets lies.
type placement struct {
	subnets []*cloud.Resource
	missing []string
	vpcs    []string // distinct
	zones   []string // distinct, sorted
	sharing string   // a subnet whose zone another one has too
}

// place looks the subnets up.
func place(w *cloud.World, scope string, ids []string) placement {
	var p placement
	for _, id := range ids {
		s := w.Find(scope, subnetType, id)
		if s == nil {
			p.missing = append(p.missing, id)
			continue
		}
		p.subnets = append(p.subnets, s)
		if vpc := s.Out.String("vpcId"); !slices.Contains(p.vpcs, vpc) {
			p.vpcs = append(p.vpcs, vpc)
		}
		if zone := s.Out.String("availabilityZone"); !slices.Contains(p.zones, zone) {
			p.zones = append(p.zones, zone)
		} else if p.sharing == "" {
			p.sharing = id
		}
	}
	slices.Sort(p.zones)
	return p
}

// hasInternetGateway tells whether the VPC has one attached.
func hasInternetGateway(w *cloud.World, scope, vpc string) bool {
	return byProperty(w.All(scope, internetGatewayType), "vpcId", vpc) != nil
}

// computed sets an output that the cloud chooses when the program leaves the input out.
func computed(c *cloud.Call, key string, v any) {
	if !c.In.Has(key) {
		c.Out[key] = cloud.Plain(v)
	}
}
