package aws

import (
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

func inZone(good, mistake props) func(*simtest.Sim) (props, props) {
	return func(s *simtest.Sim) (props, props) {
		z := s.Must(zoneToken, "zone", props{"name": "edge.morphee.app"})
		record := func(name, kind string, more props) {
			s.Must(recordToken, name+kind, with(props{"zoneId": z.ID, "name": name, "type": kind, "ttl": 60}, more))
		}
		record("taken", "A", props{"records": []string{"192.0.2.1"}})
		record("alias", "CNAME", props{"records": []string{"morphee.app"}})
		record("split", "A", props{"records": []string{"192.0.2.1"}, "setIdentifier": "a", "weightedRoutingPolicies": []any{props{"weight": 50}}})
		record("near", "A", props{"records": []string{"192.0.2.1"}, "setIdentifier": "ireland", "latencyRoutingPolicies": []any{props{"region": "eu-west-1"}}})
		return with(props{"zoneId": z.ID, "name": "api", "type": "A", "ttl": 60, "records": []string{"192.0.2.1"}}, good), mistake
	}
}

func weighted(name, id string, weight int) props {
	return props{"name": name, "setIdentifier": id, "weightedRoutingPolicies": []any{props{"weight": weight}}}
}

func TestNameRefusals(t *testing.T) {
	cname := props{"type": "CNAME", "records": []string{"lb.example.com"}}
	alias := func(name, zone string, health bool) props {
		return props{"ttl": nil, "records": nil, "aliases": []any{props{"name": name, "zoneId": zone, "evaluateTargetHealth": health}}}
	}
	atEdge := func(mistake func(d *cloud.Resource) props) func(*simtest.Sim) (props, props) {
		return func(s *simtest.Sim) (props, props) {
			d := s.Must(distributionToken, "site", with(aSite(s), props{"aliases": nil, "viewerCertificate": props{"cloudfrontDefaultCertificate": true}}))
			good, _ := inZone(nil, nil)(s)
			return with(good, alias(d.Out.String("domainName"), cloudFrontHostedZone, false)), mistake(d)
		}
	}
	check := props{"type": "HTTPS", "fqdn": "api.morphee.app", "port": 443, "resourcePath": "/health"}
	runRefusals(t, []refusal{
		{"zone that does not exist", recordToken, "NoSuchHostedZone", inZone(nil, props{"zoneId": "Z00000000000000000000"})},
		{"record that exists", recordToken, "but it already exists", inZone(nil, props{"name": "taken"})},
		{"CNAME at the apex", recordToken, "not permitted at apex", inZone(cname, props{"name": "edge.morphee.app"})},
		{"CNAME beside another record", recordToken, "conflicts with other records", inZone(cname, props{"name": "taken.edge.morphee.app"})},
		{"record beside a CNAME", recordToken, "conflicts with other records", inZone(nil, props{"name": "alias"})},
		{"A with a name", recordToken, "ARRDATAIllegalIPv4Address", inZone(nil, props{"records": []string{"lb.example.com"}})},
		{"AAAA with an IPv4 address", recordToken, "AAAARRDATAIllegalIPv6Address", inZone(props{"type": "AAAA", "records": []string{"2001:db8::1"}}, props{"records": []string{"192.0.2.1"}})},
		{"MX without priority", recordToken, "MXRRDATAMissingPriority", inZone(props{"type": "MX", "records": []string{"10 mail.morphee.app"}}, props{"records": []string{"mail.morphee.app"}})},
		{"text too long", recordToken, "CharacterStringTooLong", inZone(props{"type": "TXT", "records": []string{strings.Repeat("a", 200) + `""` + strings.Repeat("a", 200)}}, props{"records": []string{strings.Repeat("a", 400)}})},
		{"weight too high", recordToken, "from 0 to 255", inZone(weighted("split", "b", 255), weighted("split", "b", 256))},
		{"set identifier twice", recordToken, "already exists", inZone(weighted("split", "b", 10), weighted("split", "a", 10))},
		{"weight without set identifier", recordToken, "must be set together with setIdentifier", inZone(weighted("split", "b", 10), props{"setIdentifier": nil})},
		{"two kinds of routing", recordToken, "cannot be created because a weighted RRSet", inZone(weighted("split", "b", 10),
			props{"weightedRoutingPolicies": nil, "latencyRoutingPolicies": []any{props{"region": "eu-west-1"}}})},
		{"one region twice", recordToken, "has the same latency", inZone(props{"name": "near", "setIdentifier": "frankfurt", "latencyRoutingPolicies": []any{props{"region": "eu-central-1"}}},
			props{"latencyRoutingPolicies": []any{props{"region": "eu-west-1"}}})},
		{"health check that does not exist", recordToken, "used by the RRSet", inZone(nil, props{"healthCheckId": "11111111-2222-4333-8444-555555555555"})},
		{"alias into the wrong zone", recordToken, "does not lie within the target zone", atEdge(func(d *cloud.Resource) props {
			return alias(d.Out.String("domainName"), "Z32O12XQLNTSW2", false)
		})},
		{"alias to no distribution", recordToken, "target was not found", atEdge(func(*cloud.Resource) props {
			return alias("d0000000000000.cloudfront.net", cloudFrontHostedZone, false)
		})},
		{"health of a distribution", recordToken, "EvaluateTargetHealth", atEdge(func(d *cloud.Resource) props {
			return alias(d.Out.String("domainName"), cloudFrontHostedZone, true)
		})},
		{"zone name that is none", zoneToken, "InvalidDomainName", fixedInputs(props{"name": "edge.morphee.app"}, props{"name": "edge morphee.app"})},
		{"private zone in no network", zoneToken, "InvalidVPCId", fixedInputs(props{"name": "morphee.internal"}, props{"vpcs": []any{props{"vpcId": "vpc-0123456789abcdef0"}}})},
		{"health check of a private address", healthCheckToken, "not an address that the health checkers can reach", fixedInputs(check, props{"fqdn": nil, "ipAddress": "10.0.0.5"})},
		{"health check of nothing", healthCheckToken, "must be specified", fixedInputs(check, props{"fqdn": nil})},
		{"search without a search type", healthCheckToken, "SearchString", fixedInputs(check, props{"searchString": "ok"})},
		{"health of an alarm that does not exist", healthCheckToken, "no CloudWatch alarm", fixedInputs(check, props{"type": "CLOUDWATCH_METRIC", "cloudwatchAlarmName": "x", "cloudwatchAlarmRegion": "eu-west-1"})},
	})
}

func TestCertificateRefusals(t *testing.T) {
	good := props{"domainName": "morphee.app", "subjectAlternativeNames": []string{"*.morphee.app"}, "validationMethod": "DNS"}
	many := []string{}
	for _, c := range "abcdefghijk" {
		many = append(many, string(c)+".morphee.app")
	}
	runRefusals(t, []refusal{
		{"wildcard in the middle", certificateToken, "ValidationException", fixedInputs(good, props{"domainName": "api.*.morphee.app"})},
		{"name with an end dot", certificateToken, "cannot end with a period", fixedInputs(good, props{"domainName": "morphee.app."})},
		{"too many names", certificateToken, "LimitExceededException", fixedInputs(good, props{"subjectAlternativeNames": many})},
		{"first name too long", certificateToken, "no longer than 64", fixedInputs(good, props{"domainName": strings.Repeat("a", 50) + "." + strings.Repeat("b", 10) + ".morphee.app"})},
		{"no way of validation", certificateToken, "validationMethod", fixedInputs(good, props{"validationMethod": nil})},
		{"certificate of another region", validationToken, "ResourceNotFoundException", func(s *simtest.Sim) (props, props) {
			here := issuedCertificate(s, "here", "morphee.app")
			there := issuedCertificate(s.With("aws", props{"region": "us-east-1"}), "there", "morphee.app")
			return props{"certificateArn": here.ID}, props{"certificateArn": there.ID}
		}},
		{"proof that is not passed on", validationToken, "missing *.morphee.app DNS validation record", func(s *simtest.Sim) (props, props) {
			c := issuedCertificate(s, "c", "*.morphee.app")
			return props{"certificateArn": c.ID, "validationRecordFqdns": []any{c.Out.Get("domainValidationOptions.0.resourceRecordName")}}, props{"validationRecordFqdns": []string{"_x.morphee.app"}}
		}},
	})
}

func TestValidationThroughCloudflare(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	cert := s.Must(certificateToken, "cert", props{"domainName": "morphee.app", "subjectAlternativeNames": []string{"*.morphee.app", "morphee.dev"}, "validationMethod": "DNS"})
	options := cert.Out.Objects("domainValidationOptions")
	if len(options) != 3 || options[0].String("resourceRecordName") != options[1].String("resourceRecordName") {
		t.Fatalf("a wildcard must share its parent's record: %v", options)
	}
	if cert.Out.String("status") != "PENDING_VALIDATION" {
		t.Fatalf("status %q before validation", cert.Out.String("status"))
	}
	valid := props{"certificateArn": cert.ID}
	record := func(o cloud.Object) props {
		return props{"zoneId": strings.Repeat("0", 32), "name": strings.TrimSuffix(o.String("resourceRecordName"), "."), "type": "CNAME", "content": strings.TrimSuffix(o.String("resourceRecordValue"), "."), "ttl": 60, "proxied": false}
	}
	s.Refuses(validationToken, "none", valid, "timeout while waiting for state to become 'ISSUED'")
	one := s.Must(cloudflareRecordToken, "one", with(record(options[0]), props{"proxied": true}))
	s.Refuses(validationToken, "proxied", valid, "is proxied by Cloudflare")
	if err := s.Delete(one); err != nil {
		t.Fatal(err)
	}
	s.Must(cloudflareRecordToken, "one", record(options[0]))
	s.Refuses(validationToken, "half", valid, "no CNAME "+strings.TrimSuffix(options[2].String("resourceRecordName"), "."))
	s.Must(cloudflareRecordToken, "two", record(options[2]))
	s.Must(validationToken, "valid", valid)
	if got := s.World.Find("eu-west-1", certificateToken, cert.ID).Out.String("status"); got != "ISSUED" {
		t.Errorf("status %q after validation", got)
	}
	// The proof of a domain is the same in every region.
	there := s.With("aws", props{"region": "us-east-1"}).Must(certificateToken, "there", props{"domainName": "morphee.app", "validationMethod": "DNS"})
	if there.Out.Get("domainValidationOptions.0.resourceRecordName") != options[0]["resourceRecordName"] {
		t.Error("another region wants another proof")
	}
}

func TestZoneOutputsAndDelete(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	z := s.Must(zoneToken, "zone", props{"name": "edge.morphee.app"})
	if n := z.Out.Strings("nameServers"); len(n) != 4 || !strings.HasPrefix(n[0], "ns-") || z.Out.String("arn") != "arn:aws:route53:::hostedzone/"+z.ID {
		t.Errorf("name servers %v, arn %q", n, z.Out.String("arn"))
	}
	r := s.Must(recordToken, "r", props{"zoneId": z.ID, "name": "API.edge.morphee.app.", "type": "A", "ttl": 60, "records": []string{"192.0.2.1"}})
	if r.ID != z.ID+"_api.edge.morphee.app_A" || r.Out.String("fqdn") != "api.edge.morphee.app" {
		t.Errorf("id %q, fqdn %q", r.ID, r.Out.String("fqdn"))
	}
	if err := s.Delete(z); err == nil || !strings.Contains(err.Error(), "HostedZoneNotEmpty") {
		t.Errorf("deleting a zone with records: %v", err)
	}
	if err := s.Delete(r); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(z); err != nil {
		t.Errorf("deleting the empty zone: %v", err)
	}
}
