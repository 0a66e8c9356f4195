package aws

import (
	"net/netip"
	"regexp"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func recordType() cloud.Type {
	return written(cloud.Type{
		Token: recordToken,
		Check: func(c *cloud.CheckCall) {
			switch policy := routing(c.In); {
			case policy != "simple" && !c.In.Has("setIdentifier"):
				c.Fail("setIdentifier", "Missing required argument: a record with %s routing needs a setIdentifier", policy)
			case policy == "simple" && c.In.String("setIdentifier") != "" && !cloud.IsUnknown(c.In.Get("multivalueAnswerRoutingPolicy")):
				c.Fail("setIdentifier", "a setIdentifier goes with a routing policy, and this record has none")
			}
			if c.In.Has("records") && !c.In.Has("ttl") {
				c.Fail("ttl", "Missing required argument: \"records\": all of `records,ttl` must be specified")
			}
		},
		Same: func(property string, old, new any) bool {
			return (property == "name" || strings.HasSuffix(property, ".name")) && dnsEqual(cloud.Text(old), cloud.Text(new))
		},
		Takes: cloud.Durations{Create: seconds(30), Update: seconds(30), Delete: seconds(30)},
	}, writeRecord, func(c *cloud.Call) error {
		c.ID = strings.Join([]string{c.In.String("zoneId"), strings.ToLower(strings.TrimSuffix(c.In.String("name"), ".")), c.In.String("type")}, "_")
		if s := c.In.String("setIdentifier"); s != "" {
			c.ID += "_" + s
		}
		return nil
	})
}

// expandName is the full name of a record: the provider appends the zone to names that do not end in it.
func expandName(name, zone string) string {
	name, zone = strings.ToLower(strings.TrimSuffix(name, ".")), strings.ToLower(strings.TrimSuffix(zone, "."))
	switch {
	case name == "":
		return zone
	case name == zone, strings.HasSuffix(name, "."+zone):
		return name
	}
	return name + "." + zone
}

func badChange(format string, args ...any) error {
	return refuse("Route 53", "ChangeResourceRecordSets", "InvalidChangeBatch", "["+format+"]", args...)
}

func writeRecord(c *cloud.Call) error {
	zone := anywhere(c.World, zoneToken, c.In.String("zoneId"))
	if zone == nil {
		return refuseStatus(404, "Route 53", "ChangeResourceRecordSets", "NoSuchHostedZone", "No hosted zone found with ID: %s", c.In.String("zoneId"))
	}
	domain := strings.ToLower(strings.TrimSuffix(zone.Out.String("name"), "."))
	fqdn, kind := expandName(c.In.String("name"), domain), c.In.String("type")
	c.Out["fqdn"] = fqdn
	computed(c, "allowOverwrite", false)
	if given := strings.TrimSuffix(c.In.String("name"), "."); given != fqdn && strings.Count(given, ".") >= 2 && !updating(c) {
		c.Warn("record %s becomes %s: the provider appends the zone to names that do not end in it", given, fqdn)
	}
	if kind == "CNAME" && fqdn == domain {
		return badChange("RRSet of type CNAME with DNS name %s. is not permitted at apex in zone %s.", fqdn, domain)
	}
	if err := checkRecordValues(c, kind); err != nil {
		return err
	}
	if err := checkAlias(c, fqdn, kind); err != nil {
		return err
	}
	for _, w := range c.In.Objects("weightedRoutingPolicies") {
		if n := w.Int("weight"); n < 0 || n > 255 {
			return refuse("Route 53", "ChangeResourceRecordSets", "InvalidInput", "Invalid request: Expected a weight from 0 to 255, got %d", n)
		}
	}
	for _, l := range c.In.Objects("latencyRoutingPolicies") {
		if regions[l.String("region")] == nil {
			return refuse("Route 53", "ChangeResourceRecordSets", "InvalidInput", "Invalid request: %q is not a region for latency records", l.String("region"))
		}
	}
	if id := c.In.String("healthCheckId"); id != "" && anywhere(c.World, healthCheckToken, id) == nil {
		return badChange("The health check %s used by the RRSet with DNS name %s. does not exist", id, fqdn)
	}
	return checkNeighbours(c, zone, domain, fqdn, kind)
}

// routing names the routing policy of a record.
func routing(o cloud.Object) string {
	for _, p := range []struct{ property, name string }{
		{"weightedRoutingPolicies", "weighted"}, {"latencyRoutingPolicies", "latency"}, {"failoverRoutingPolicies", "failover"},
		{"geolocationRoutingPolicies", "geolocation"}, {"geoproximityRoutingPolicy", "geoproximity"}, {"cidrRoutingPolicy", "IP-based"},
	} {
		if v := o.Get(p.property); v != nil {
			if list, ok := v.([]any); !ok || len(list) > 0 {
				return p.name
			}
		}
	}
	if o.Bool("multivalueAnswerRoutingPolicy") {
		return "multivalue"
	}
	return "simple"
}

func checkNeighbours(c *cloud.Call, zone *cloud.Resource, domain, fqdn, kind string) error {
	if (kind == "NS" || kind == "SOA") && fqdn == domain && !c.In.Bool("allowOverwrite") {
		return badChange("Tried to create resource record set [name='%s.', type='%s'] but it already exists", fqdn, kind)
	}
	set := c.In.String("setIdentifier")
	for _, r := range c.Everywhere(recordToken) {
		if r.Out.String("zoneId") != zone.ID || !dnsEqual(r.Out.String("fqdn"), fqdn) {
			continue
		}
		other := r.Out.String("type")
		if other != kind {
			if kind == "CNAME" || other == "CNAME" {
				return badChange("RRSet of type %s with DNS name %s. is not permitted as it conflicts with other records with the same DNS name in zone %s.", kind, fqdn, domain)
			}
			continue
		}
		theirs := r.Out.String("setIdentifier")
		switch {
		case theirs == set:
			return badChange("Tried to create resource record set [name='%s.', type='%s', set-identifier='%s'] but it already exists", fqdn, kind, set)
		case routing(r.In) != routing(c.In):
			return badChange("RRSet with DNS name %s., type %s, SetIdentifier %s cannot be created because a %s RRSet with the same name and type already exists (this one is %s)", fqdn, kind, set, routing(r.In), routing(c.In))
		case routing(c.In) == "latency" && r.In.String("latencyRoutingPolicies.0.region") == c.In.String("latencyRoutingPolicies.0.region"),
			routing(c.In) == "failover" && r.In.String("failoverRoutingPolicies.0.type") == c.In.String("failoverRoutingPolicies.0.type"),
			routing(c.In) == "geolocation" && cloud.Equal(r.In.Get("geolocationRoutingPolicies"), c.In.Get("geolocationRoutingPolicies")):
			return badChange("RRSet with DNS name %s., type %s, SetIdentifier %s cannot be created because another RRSet has the same %s", fqdn, kind, set, routing(c.In))
		}
	}
	return nil
}

func checkRecordValues(c *cloud.Call, kind string) error {
	values := c.In.Strings("records")
	if kind == "CNAME" && len(values) > 1 {
		return badChange("Duplicate or multiple values: a CNAME has one value, got %d", len(values))
	}
	seen := map[string]bool{}
	for _, v := range values {
		if seen[v] {
			return badChange("Duplicate Resource Record: '%s'", v)
		}
		seen[v] = true
		if why := recordValueProblem(kind, v); why != "" {
			return badChange("Invalid Resource Record: 'FATAL problem: %s encountered with '%s''", why, v)
		}
	}
	return nil
}

var (
	domainValue = regexp.MustCompile(`^(\*\.)?([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?$`)
	mxValue     = regexp.MustCompile(`^[0-9]{1,5} \S+$`)
	srvValue    = regexp.MustCompile(`^[0-9]+ [0-9]+ [0-9]+ \S+$`)
	caaValue    = regexp.MustCompile(`^(0|128) [a-zA-Z0-9]+ ".*"$`)
)

func recordValueProblem(kind, v string) string {
	switch kind {
	case "A":
		if a, err := netip.ParseAddr(v); err != nil || !a.Is4() {
			return "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"
		}
	case "AAAA":
		if a, err := netip.ParseAddr(v); err != nil || !a.Is6() {
			return "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"
		}
	case "CNAME", "NS", "PTR":
		if _, err := netip.ParseAddr(v); err == nil || !domainValue.MatchString(v) {
			return "DomainLabelIllegal (Value is not a valid domain name)"
		}
	case "MX":
		if !mxValue.MatchString(v) {
			return "MXRRDATAMissingPriority (MX record doesn't have 2 fields)"
		}
	case "SRV":
		if !srvValue.MatchString(v) {
			return "SRVRRDATANotFourFields (SRV record doesn't have 4 fields)"
		}
	case "CAA":
		if !caaValue.MatchString(v) {
			return "CAARRDATAInvalid (flags tag \"value\")"
		}
	case "TXT", "SPF":
		for _, part := range strings.Split(v, `""`) {
			if len(strings.Trim(part, `"`)) > 255 {
				return "CharacterStringTooLong (Value is too long)"
			}
		}
	}
	return ""
}

var elbName = regexp.MustCompile(`\.([a-z]{2}(?:-[a-z]+)+-[0-9])\.elb\.amazonaws\.com$|\.elb\.([a-z]{2}(?:-[a-z]+)+-[0-9])\.amazonaws\.com$`)

// checkAlias refuses an alias whose target is not in the zone it names, or does not exist.
func checkAlias(c *cloud.Call, fqdn, kind string) error {
	for _, a := range c.In.Objects("aliases") {
		target, zone := strings.ToLower(strings.TrimSuffix(a.String("name"), ".")), a.String("zoneId")
		missing := badChange("Tried to create an alias that targets %s., type %s in zone %s, but that target was not found", target, kind, zone)
		outside := badChange("Tried to create an alias that targets %s., type %s in zone %s, but the alias target name does not lie within the target zone", target, kind, zone)
		switch elb := elbName.FindStringSubmatch(target); {
		case strings.HasSuffix(target, ".cloudfront.net"):
			if zone != cloudFrontHostedZone {
				return outside
			}
			if a.Bool("evaluateTargetHealth") {
				return refuse("Route 53", "ChangeResourceRecordSets", "InvalidInput", "Invalid request: EvaluateTargetHealth cannot be true for an alias to a CloudFront distribution")
			}
			if byProperty(c.World.All("", distributionToken), "domainName", target) == nil {
				return missing
			}
		case elb != nil:
			var lb *cloud.Resource
			for _, r := range c.World.All("", "aws:lb/loadBalancer:LoadBalancer") {
				if dnsEqual(r.Out.String("dnsName"), strings.TrimPrefix(target, "dualstack.")) {
					lb = r
				}
			}
			if lb == nil {
				return missing
			}
			if lb.Out.String("zoneId") != zone {
				return outside
			}
		case strings.HasPrefix(target, "s3-website"):
			if region := strings.TrimSuffix(strings.TrimLeft(strings.TrimPrefix(target, "s3-website"), ".-"), ".amazonaws.com"); websiteZone(region) != zone {
				return outside
			}
		default:
			if err := checkAliasInZone(c, a, fqdn, target, kind, missing, outside); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkAliasInZone(c *cloud.Call, a cloud.Object, fqdn, target, kind string, missing, outside error) error {
	z := anywhere(c.World, zoneToken, a.String("zoneId"))
	if z == nil {
		return nil // a zone that AWS keeps for another service
	}
	if z.ID != c.In.String("zoneId") || expandName(target, z.Out.String("name")) != target {
		return outside
	}
	if dnsEqual(target, fqdn) {
		return badChange("Tried to create an alias that targets itself: %s.", fqdn)
	}
	for _, r := range c.All(recordToken) {
		if r.Out.String("zoneId") == z.ID && dnsEqual(r.Out.String("fqdn"), target) && r.Out.String("type") == kind {
			return nil
		}
	}
	return missing
}
