package aws

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/recorder"
)

func balancer(weight int) EdgeTarget {
	return EdgeTarget{Identifier: "aws", Weight: weight, AliasName: pulumi.String("alb.example"), AliasZoneID: pulumi.String("Z1")}
}

func vps(weight int) EdgeTarget {
	return EdgeTarget{Identifier: "vps", Weight: weight, Address: pulumi.String("203.0.113.7"), AddressV6: pulumi.String("2001:db8::7"), CheckPath: "/health"}
}

func dnsArgs(names ...EdgeName) *EdgeDnsArgs {
	return &EdgeDnsArgs{ZoneID: pulumi.String("zone"), ZoneName: "morphee.app", SubZone: "aws.morphee.app", Names: names, Tags: testTags}
}

const (
	cloudflareRecord = "cloudflare:index/record:Record"
	route53Record    = "aws:route53/record:Record"
)

func TestEdgeDnsTwice(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		cdn := EdgeTarget{Identifier: "aws", Weight: 100, AliasName: pulumi.String("d.cloudfront.net"), AliasZoneID: pulumi.String("Z2"), CloudFront: true, IPv6: true}
		if _, err := NewEdgeDns(ctx, "a", dnsArgs(
			EdgeName{Host: "app.morphee.app", Targets: []EdgeTarget{cdn}},
			EdgeName{Host: "api.morphee.app", Targets: []EdgeTarget{balancer(50), vps(50)}, PublicCheckPath: "/health"},
			EdgeName{Host: "git.morphee.app", Targets: []EdgeTarget{balancer(100), vps(0)}, WithoutPublicRecord: true},
		)); err != nil {
			return err
		}
		args := dnsArgs(EdgeName{Host: "morphee.app", ByLatency: true, Targets: []EdgeTarget{
			{Identifier: "eu", Region: "eu-west-1", AliasName: pulumi.String("x"), AliasZoneID: pulumi.String("Z3")},
			{Identifier: "us", Region: "us-east-1", AliasName: pulumi.String("y"), AliasZoneID: pulumi.String("Z4")},
		}})
		args.SubZone, args.Disposable = "b.morphee.app", true
		_, err := NewEdgeDns(ctx, "b", args)
		return err
	})
	recorder.ExpectCounts(t, list, map[string]int{
		EdgeDnsType: 2, "aws:route53/zone:Zone": 2, "aws:route53/healthCheck:HealthCheck": 3,
		// App: A and AAAA. API and git: two A each, no AAAA, as the load balancer has none. Latency: two.
		route53Record: 8,
		// Four name servers for each zone, and three public names: git's is left out.
		cloudflareRecord: 11,
	})
	zone := recorder.Must(t, list, "aws:route53/zone:Zone", "a-zone")
	if !zone.Protect || zone.Input("forceDestroy") != false || recorder.Must(t, list, "aws:route53/zone:Zone", "b-zone").Protect {
		t.Error("the zone's protection is not what the stack is")
	}
	recorder.Expect(t, recorder.Must(t, list, cloudflareRecord, "a-api"), map[string]any{"name": "api", "type": "CNAME", "content": "api.aws.morphee.app", "ttl": 60, "proxied": false})
	recorder.Expect(t, recorder.Must(t, list, cloudflareRecord, "b-root"), map[string]any{"name": "@", "content": "root.b.morphee.app"})
	recorder.Expect(t, recorder.Must(t, list, cloudflareRecord, "a-ns-4"), map[string]any{"name": "aws", "type": "NS"})

	half := recorder.Must(t, list, route53Record, "a-api-aws-a")
	recorder.Expect(t, half, map[string]any{
		"name": "api.aws.morphee.app", "type": "A", "setIdentifier": "aws", "weightedRoutingPolicies.0.weight": 50,
		"aliases.0.name": "alb.example", "aliases.0.evaluateTargetHealth": true, "ttl": nil,
	})
	recorder.Expect(t, recorder.Must(t, list, route53Record, "a-api-vps-a"), map[string]any{
		"weightedRoutingPolicies.0.weight": 50, "records.0": "203.0.113.7", "ttl": 60, "healthCheckId": "a-api-vps-check-id",
	})
	// With one live target nothing fails over to the other, whose data may be old.
	recorder.Expect(t, recorder.Must(t, list, route53Record, "a-git-aws-a"), map[string]any{"aliases.0.evaluateTargetHealth": false})
	recorder.Expect(t, recorder.Must(t, list, route53Record, "a-git-vps-a"), map[string]any{"healthCheckId": nil, "weightedRoutingPolicies.0.weight": 0})
	recorder.Expect(t, recorder.Must(t, list, route53Record, "a-app-aws-aaaa"), map[string]any{"type": "AAAA", "aliases.0.evaluateTargetHealth": false})
	recorder.Expect(t, recorder.Must(t, list, route53Record, "b-root-eu-a"), map[string]any{"latencyRoutingPolicies.0.region": "eu-west-1", "weightedRoutingPolicies": nil})
	recorder.Expect(t, recorder.Must(t, list, "aws:route53/healthCheck:HealthCheck", "a-api-public"), map[string]any{
		"type": "HTTPS", "fqdn": "api.morphee.app", "resourcePath": "/health", "enableSni": true, "ipAddress": nil,
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:route53/healthCheck:HealthCheck", "a-api-vps-check"), map[string]any{"ipAddress": "203.0.113.7", "fqdn": "api.morphee.app"})
}

// A second platform, and moved weights, change no name, type or identifier of the first one's record.
func TestAddingATargetKeepsTheOther(t *testing.T) {
	record := func(targets ...EdgeTarget) map[string]any {
		list := register(t, func(ctx *pulumi.Context) error {
			_, err := NewEdgeDns(ctx, "a", dnsArgs(EdgeName{Host: "api.morphee.app", Targets: targets}))
			return err
		})
		r := recorder.Must(t, list, route53Record, "a-api-aws-a")
		return map[string]any{"name": r.Input("name"), "type": r.Input("type"), "setIdentifier": r.Input("setIdentifier"), "urn": r.URN()}
	}
	alone, together := record(balancer(100)), record(vps(90), balancer(10))
	for k, v := range alone {
		if together[k] != v {
			t.Errorf("%s is %v alone and %v beside another", k, v, together[k])
		}
	}
}

func TestEdgeDnsRefuses(t *testing.T) {
	one := func(n EdgeName) *EdgeDnsArgs { return dnsArgs(n) }
	api := func(targets ...EdgeTarget) *EdgeDnsArgs {
		return one(EdgeName{Host: "api.morphee.app", Targets: targets})
	}
	both := balancer(1)
	both.Address = pulumi.String("203.0.113.7")
	cases := map[string]*EdgeDnsArgs{
		"no weight above 0":  api(balancer(0), vps(0)),
		"0 to 100":           api(balancer(101)),
		"each identifier":    api(balancer(1), balancer(1)),
		"an Address":         api(both),
		"name in":            one(EdgeName{Host: "api.example.com", Targets: []EdgeTarget{balancer(1)}}),
		"outside the deleg":  one(EdgeName{Host: "x.aws.morphee.app", Targets: []EdgeTarget{balancer(1)}}),
		"Targets: got none":  api(),
		"a region exactly":   one(EdgeName{Host: "api.morphee.app", ByLatency: true, Targets: []EdgeTarget{balancer(1)}}),
		"Names: got none":    dnsArgs(),
		"each name once":     dnsArgs(EdgeName{Host: "api.morphee.app", Targets: []EdgeTarget{balancer(1)}}, EdgeName{Host: "api.morphee.app", Targets: []EdgeTarget{balancer(1)}}),
		"path starting with": one(EdgeName{Host: "api.morphee.app", PublicCheckPath: "health", Targets: []EdgeTarget{balancer(1)}}),
	}
	sub := api(balancer(1))
	sub.SubZone = "aws.example.com"
	cases["domain below"] = sub
	for want, args := range cases {
		recorder.Refuses(t, want, func(ctx *pulumi.Context) error {
			_, err := NewEdgeDns(ctx, "a", args)
			return err
		})
	}
}

func TestNamesInTheSubZone(t *testing.T) {
	for host, want := range map[string]string{"morphee.app": "root.aws.morphee.app", "ssh.git.morphee.app": "ssh.git.aws.morphee.app"} {
		if got := EdgeNameIn(host, "morphee.app", "aws.morphee.app"); got != want || strings.Contains(got, "..") {
			t.Errorf("%s leads to %s, want %s", host, got, want)
		}
	}
}
