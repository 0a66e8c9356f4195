package serving

import (
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/reach"
	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const (
	cloudflareRecord = "cloudflare:index/record:Record"
	zoneType         = "aws:route53/zone:Zone"
	recordType       = "aws:route53/record:Record"
)

// longest is more names than any resolver follows.
const longest = 12

// follow resolves a name and goes on to what it leads to. Nothing comes back when the name exists but has
// no address of the family.
func (v *view) follow(name string, y way) []Target {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	v.depth++
	defer func() { v.depth-- }()
	if v.depth > longest {
		return y.dead("", "", "%s is an alias of an alias of an alias: nobody follows that many", name)
	}
	if lb := v.balancerOf(name); lb != nil {
		return v.balancer(lb, y)
	}
	if strings.HasSuffix(name, ".cloudfront.net") {
		return v.distribution(name, y)
	}
	for zone := name; strings.Contains(zone, "."); zone = zone[strings.Index(zone, ".")+1:] {
		if servers := v.cloudflare(zone, "NS"); len(servers) > 0 {
			return v.delegated(zone, servers, name, y)
		}
	}
	return v.atCloudflare(name, y)
}

// cloudflare lists the records of a name and type.
func (v *view) cloudflare(name, typ string) []*cloud.Resource {
	var out []*cloud.Resource
	for _, r := range v.world.All("", cloudflareRecord) {
		if r.Out.String("type") == typ && strings.EqualFold(r.Out.String("hostname"), name) {
			out = append(out, r)
		}
	}
	return out
}

// addressType is the type of the records that hold addresses of the family.
func (v *view) addressType() string {
	if v.family == reach.IPv6 {
		return "AAAA"
	}
	return "A"
}

func (v *view) atCloudflare(name string, y way) []Target {
	if aliases := v.cloudflare(name, "CNAME"); len(aliases) > 0 {
		to := aliases[0].Out.String("content")
		return v.follow(to, y.to("Cloudflare "+name+" CNAME "+to).answered(to))
	}
	var out []Target
	list := v.cloudflare(name, v.addressType())
	for _, r := range list {
		content := r.Out.String("content")
		out = append(out, v.address(content, y.part(1/float64(len(list))).to("Cloudflare "+name+" "+v.addressType()+" "+content))...)
	}
	if len(list) == 0 && len(v.cloudflare(name, "A"))+len(v.cloudflare(name, "AAAA")) == 0 {
		return y.dead("", "", "there is no record of %s at Cloudflare", name)
	}
	return out
}

// delegated goes on in the Route 53 zone that the name servers of a zone at Cloudflare belong to. A name
// server that does not know the zone is passed over by resolvers, as long as there is another.
func (v *view) delegated(zone string, servers []*cloud.Resource, name string, y way) []Target {
	for _, z := range v.world.All("", zoneType) {
		if !strings.EqualFold(strings.TrimSuffix(z.Out.String("name"), "."), zone) {
			continue
		}
		if slices.ContainsFunc(servers, func(s *cloud.Resource) bool {
			return slices.Contains(z.Out.Strings("nameServers"), strings.TrimSuffix(s.Out.String("content"), "."))
		}) {
			return v.inZone(z, name, y.to("Route 53 zone "+zone))
		}
		return y.dead("", "", "%s is delegated to name servers that are not those of its Route 53 zone", zone)
	}
	return y.dead("", "", "%s is delegated, but there is no Route 53 zone of that name", zone)
}

// inZone answers from a Route 53 zone.
func (v *view) inZone(zone *cloud.Resource, name string, y way) []Target {
	var list []*cloud.Resource
	exists := false
	for _, r := range v.world.All("", recordType) {
		if r.Out.String("zoneId") != zone.ID || !strings.EqualFold(strings.TrimSuffix(r.Out.String("fqdn"), "."), name) {
			continue
		}
		exists = true
		if typ := r.Out.String("type"); typ == v.addressType() || typ == "CNAME" {
			list = append(list, r)
		}
	}
	if !exists {
		return y.dead("", "", "there is no record of %s in the Route 53 zone %s", name, zone.Out.String("name"))
	}
	return v.choose(zone, list, y)
}

// record goes on to what a Route 53 record leads to.
func (v *view) record(zone, r *cloud.Resource, y way) []Target {
	y = y.to("Route 53 " + label(r))
	if alias := r.Out.Objects("aliases"); len(alias) > 0 {
		to := strings.TrimSuffix(alias[0].String("name"), ".")
		if alias[0].String("zoneId") == zone.ID {
			// An alias within the zone never leaves Route 53.
			return v.inZone(zone, to, y)
		}
		return v.follow(to, y)
	}
	var out []Target
	values := r.Out.Strings("records")
	for _, value := range values {
		one := y.part(1 / float64(len(values)))
		if r.Out.String("type") == "CNAME" {
			out = append(out, v.follow(value, one)...)
		} else {
			out = append(out, v.address(value, one.to(value))...)
		}
	}
	if len(values) == 0 {
		return y.dead("", "", "the record %s has no value", label(r))
	}
	return out
}

// label is a Route 53 record for people: "api.aws.morphee.app (aws)".
func label(r *cloud.Resource) string {
	out := r.Out.String("fqdn")
	if id := r.Out.String("setIdentifier"); id != "" {
		out += " (" + id + ")"
	}
	return out
}
