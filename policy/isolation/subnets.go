package isolation

import (
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

var subnets = []rule.Rule{{
	ID: "subnet-no-public-ip", Level: rule.Mandatory, Refs: []string{"T0164", "C130"}, Types: []string{tSubnet},
	Title:  "Subnets do not hand out public addresses by themselves",
	Reason: "What is started in such a subnet is on the internet without anybody having said so.",
	Mend:   "Set mapPublicIpOnLaunch to false; give a public address to what needs one, one by one.",
	Check: func(c *rule.Check) {
		c.False("mapPublicIpOnLaunch", "the subnet gives everything in it a public address")
	},
}, {
	ID: "private-subnet-no-internet-route", Level: rule.Mandatory,
	Title:  "A private subnet's route table has no route to an internet gateway",
	Reason: "With such a route the subnet is public, whatever it is called, and one public address or security group away from the internet.",
	Mend:   "Route through a NAT gateway or VPC endpoints, or take the association with this route table away.",
	Graph:  privateRoutes,
}}

// privateRoutes follows each private subnet to its route table (its own, or the VPC's main one) and
// looks at the routes inside the table and at those that are resources of their own.
func privateRoutes(g *rule.Graph) {
	for _, s := range g.Of(tSubnet) {
		if !private(s) {
			continue
		}
		g.Looked(s)
		switch public, known, by := internetRoute(g, s); {
		case public:
			g.Violate(s, "the private subnet has a route to an internet gateway: %s", by)
		case !known:
			g.Undecided(s, "routes")
		}
	}
}

// private says whether a subnet is declared private.
func private(s *rule.Resource) bool {
	return slices.Contains([]string{"private", "isolated", "data"}, s.Get("tags.tier").Text())
}

// internetRoute says whether a subnet has a route to an internet gateway, and by which resource.
func internetRoute(g *rule.Graph, s *rule.Resource) (public, known bool, by string) {
	known = true
	var tables []*rule.Resource
	associations, maybe := g.Referring(s, "subnetId", tAssociation)
	for _, a := range associations {
		ref := g.Refs(a, "routeTableId", tTable)
		known = known && !ref.Unknown
		tables = append(tables, ref.Found...)
	}
	if len(maybe) > 0 && len(associations) == 0 {
		known = false
	}
	if len(associations) == 0 {
		for _, m := range g.Of(tMain) {
			if len(shared(g.Refs(m, "vpcId", tVpc).Found, g.Refs(s, "vpcId", tVpc).Found)) > 0 {
				tables = append(tables, g.Refs(m, "routeTableId", tTable).Found...)
			}
		}
	}
	for _, table := range tables {
		for _, r := range table.Get("routes").List() {
			// Inside a list the gateway is known by its id only.
			id := r.At("gatewayId")
			for _, gw := range g.Of(tGateway) {
				if id.Text() != "" && id.Text() == gw.Identity() || !id.Absent() && slices.Contains(table.PropertyDeps["routes"], gw.URN) {
					return true, true, table.Name
				}
			}
			known = known && !id.Unknown()
		}
		routes, open := g.Referring(table, "routeTableId", tRoute)
		known = known && len(open) == 0
		for _, r := range routes {
			switch ref := g.Refs(r, "gatewayId", tGateway); {
			case len(ref.Found) > 0:
				return true, true, r.Name
			case ref.Unknown && len(ref.Possible) > 0:
				known = false
			case slices.ContainsFunc(ref.Foreign, func(id string) bool { return strings.HasPrefix(id, "igw-") }):
				return true, true, r.Name
			}
		}
	}
	return false, known, ""
}

func shared(a, b []*rule.Resource) []*rule.Resource {
	var out []*rule.Resource
	for _, r := range a {
		if slices.Contains(b, r) {
			out = append(out, r)
		}
	}
	return out
}

// publicSubnet says whether a subnet is public: by what it is declared, else by its routes.
func publicSubnet(g *rule.Graph, s *rule.Resource) (public, known bool) {
	switch tier := s.Get("tags.tier").Text(); {
	case tier == "public":
		return true, true
	case private(s):
		return false, true
	}
	public, known, _ = internetRoute(g, s)
	return public, known
}

// onlyPrivate reports a resource that a property places into public subnets.
func onlyPrivate(g *rule.Graph, r *rule.Resource, path, what string) {
	g.Looked(r)
	ref := g.Refs(r, path, tSubnet)
	undecided := ref.Unknown && len(ref.Possible) == 0
	for i, s := range append(ref.Found, ref.Possible...) {
		public, known := publicSubnet(g, s)
		switch {
		case public && i < len(ref.Found):
			g.Violate(r, "%s in the public subnet %s", what, s.Name)
			return
		case public || !known:
			undecided = true
		}
	}
	if undecided {
		g.Undecided(r, path)
	}
}
