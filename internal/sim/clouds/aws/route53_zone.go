package aws

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const (
	zoneToken        = "aws:route53/zone:Zone"
	recordToken      = "aws:route53/record:Record"
	healthCheckToken = "aws:route53/healthCheck:HealthCheck"
)

func route53Types() []cloud.Type { return []cloud.Type{zoneType(), recordType(), healthCheckType()} }

var zoneName = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

func zoneType() cloud.Type {
	return written(cloud.Type{
		Token:  zoneToken,
		Delete: deleteZone,
		Takes:  cloud.Durations{Create: seconds(40), Update: seconds(30), Delete: seconds(5)},
	}, func(c *cloud.Call) error {
		for _, v := range c.In.Objects("vpcs") {
			region := v.String("vpcRegion")
			if region == "" {
				region = c.Scope
			}
			if c.World.Find(region, "aws:ec2/vpc:Vpc", v.String("vpcId")) == nil {
				return refuse("Route 53", "AssociateVPCWithHostedZone", "InvalidVPCId", "The VPC %s in region %s that you provided is not authorized to make the association, or does not exist", v.String("vpcId"), region)
			}
		}
		return checkPrivateZoneClash(c)
	}, func(c *cloud.Call) error {
		name := strings.ToLower(strings.TrimSuffix(c.In.String("name"), "."))
		if !zoneName.MatchString(name) || len(name) > 255 {
			return refuse("Route 53", "CreateHostedZone", "InvalidDomainName", "The domain name %q is not a valid domain name", c.In.String("name"))
		}
		c.ID = "Z" + c.Gen.Pick("zone", upper, 20)
		c.Out["zoneId"], c.Out["arn"] = c.ID, "arn:aws:route53:::hostedzone/"+c.ID
		servers := zoneServers(c)
		c.Out["nameServers"], c.Out["primaryNameServer"] = cloud.Plain(servers), servers[0]
		return nil
	})
}

// zoneServers are the four name servers of a zone, one in each top-level domain, in order.
func zoneServers(c *cloud.Call) []string {
	if len(c.In.Objects("vpcs")) > 0 {
		return []string{"ns-0.awsdns-00.com", "ns-1024.awsdns-00.org", "ns-1536.awsdns-00.co.uk", "ns-512.awsdns-00.net"}
	}
	var out []string
	for i, tld := range []string{"com", "org", "co.uk", "net"} {
		base := map[string]int{"com": 0, "net": 512, "org": 1024, "co.uk": 1536}[tld]
		out = append(out, fmt.Sprintf("ns-%d.awsdns-%02d.%s", base+c.Gen.Number(fmt.Sprint("ns", i), 0, 511), c.Gen.Number(fmt.Sprint("set", i), 0, 63), tld))
	}
	return out
}

func checkPrivateZoneClash(c *cloud.Call) error {
	for _, z := range c.Everywhere(zoneToken) {
		if !dnsEqual(z.Out.String("name"), c.In.String("name")) {
			continue
		}
		for _, theirs := range z.Out.Objects("vpcs") {
			for _, ours := range c.In.Objects("vpcs") {
				if theirs.String("vpcId") == ours.String("vpcId") {
					return refuse("Route 53", "CreateHostedZone", "ConflictingDomainExists", "The VPC %s is already associated with another hosted zone for %s", ours.String("vpcId"), c.In.String("name"))
				}
			}
		}
	}
	return nil
}

func deleteZone(c *cloud.Call) error {
	if c.Old.Bool("forceDestroy") {
		return nil
	}
	for _, r := range c.Everywhere(recordToken) {
		if r.Out.String("zoneId") == c.ID {
			return refuse("Route 53", "DeleteHostedZone", "HostedZoneNotEmpty", "The specified hosted zone contains non-required resource record sets and so cannot be deleted. (%s)", r.ID)
		}
	}
	return nil
}

func healthCheckType() cloud.Type {
	return written(cloud.Type{
		Token: healthCheckToken,
		Takes: cloud.Durations{Create: seconds(2), Update: seconds(2), Delete: seconds(2)},
	}, writeHealthCheck, func(c *cloud.Call) error {
		c.ID = c.Gen.UUID("check")
		c.Out["arn"] = "arn:aws:route53:::healthcheck/" + c.ID
		computed(c, "failureThreshold", 3)
		computed(c, "enableSni", strings.HasPrefix(c.In.String("type"), "HTTPS"))
		return nil
	})
}

func writeHealthCheck(c *cloud.Call) error {
	op := operation(c, "CreateHealthCheck", "UpdateHealthCheck")
	bad := func(format string, args ...any) error {
		return refuse("Route 53", op, "InvalidInput", format, args...)
	}
	kind := strings.ToUpper(c.In.String("type"))
	switch kind {
	case "CALCULATED":
		for _, id := range c.In.Strings("childHealthchecks") {
			if anywhere(c.World, healthCheckToken, id) == nil {
				return bad("Invalid parameter : child health check %s does not exist", id)
			}
		}
		if c.In.Int("childHealthThreshold") > len(c.In.Strings("childHealthchecks")) {
			return bad("Invalid parameter : HealthThreshold %d is above the number of children", c.In.Int("childHealthThreshold"))
		}
		return nil
	case "CLOUDWATCH_METRIC":
		region, name := c.In.String("cloudwatchAlarmRegion"), c.In.String("cloudwatchAlarmName")
		if c.World.Find(region, metricAlarmToken, name) == nil {
			return bad("Invalid parameter : there is no CloudWatch alarm %q in %q", name, region)
		}
		return nil
	case "RECOVERY_CONTROL":
		return nil
	}
	if c.In.String("fqdn") == "" && c.In.String("ipAddress") == "" {
		return bad("Invalid parameter : Either the IPAddress or the FullyQualifiedDomainName must be specified for a %s health check", kind)
	}
	if ip := c.In.String("ipAddress"); ip != "" {
		a, err := netip.ParseAddr(ip)
		if err != nil || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() {
			return bad("Invalid parameter : IPAddress %s is not an address that the health checkers can reach", ip)
		}
	}
	if strings.HasSuffix(kind, "_STR_MATCH") != (c.In.String("searchString") != "") {
		return bad("Invalid parameter : SearchString goes with the types HTTP_STR_MATCH and HTTPS_STR_MATCH, and they need one")
	}
	if kind == "TCP" && (c.In.Int("port") == 0 || c.In.String("resourcePath") != "") {
		return bad("Invalid parameter : a TCP health check has a port and no resource path")
	}
	if p := c.In.Int("port"); p < 0 || p > 65535 {
		return bad("Invalid parameter : port %d", p)
	}
	return nil
}
