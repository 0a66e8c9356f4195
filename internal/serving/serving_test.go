package serving

import (
	"fmt"
	"strings"
	"testing"
)

// What a server serves, and every way in which it does not.
func TestOnAServer(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(m made)
		lost float64
		why  string
	}{
		{"as it should be", func(made) {}, 0, ""},
		{"no record", func(m made) { m.remove("dns-" + host + "-CNAME") }, 1, "no record of api.example.org"},
		{"a name that leads nowhere", func(m made) { m.remove("dns-vps.example.org-A") }, 1, "no record of vps.example.org"},
		{"another address", func(m made) { m.set("dns-vps.example.org-A", "content", "203.0.113.99") }, 1, "no machine has the address 203.0.113.99"},
		{"a second address of nobody", func(m made) { m.record("vps.example.org", "A", "203.0.113.99") }, 0.5, "no machine"},
		{"an address that only IPv6 has", func(m made) { m.record("vps.example.org", "AAAA", "2001:db8::1") }, 1, "has port 443 over ipv6"},
		{"a server that is off", func(m made) { m.set("vps", "status", "off") }, 1, "the server vps is off"},
		{"a firewall that lets nobody in", func(m made) { m.set("wall", "rules", list()) }, 1, "no firewall rule lets HTTPS"},
		{"a firewall for some", func(m made) {
			m.set("wall", "rules", list(object{"direction": "in", "protocol": "tcp", "port": "443", "sourceIps": list("198.51.100.0/24")}))
		}, 1, "no firewall rule lets HTTPS"},
		{"no proxy", func(m made) { m.remove("traefik") }, 1, "no container on vps has port 443"},
		{"a proxy that is stopped", func(m made) { m.set("traefik", "start", false) }, 1, "traefik is not started"},
		{"something else on the port", func(m made) { m.set("traefik", "command", list("nginx")) }, 1, "no proxy that this check knows"},
		{"no container", func(m made) { m.remove("backend") }, 1, "takes requests for api.example.org"},
		{"a container that is stopped", func(m made) { m.set("backend", "start", false) }, 1, "backend is not started"},
		{"a container that has ended", func(m made) { m.set("backend", "exitCode", 1) }, 1, "backend has ended"},
		{"a container that nobody waited for", func(m made) { m.set("backend", "wait", false) }, 1, "nobody waits until container backend is healthy"},
		{"a container without a health check", func(m made) { m.set("backend", "healthcheck", nil); m.set("backend", "wait", false) }, 0, ""},
		{"a container on another network", func(m made) { m.set("backend", "networksAdvanced", list(object{"name": "data"})) }, 1, "not both on the network edge"},
		{"another name", func(m made) { m.container("backend", routed("Host(`www.example.org`)", "8000")) }, 1, "takes requests"},
		{"another entry point", func(m made) {
			m.container("backend", routed("Host(`api.example.org`)", "8000", "traefik.http.routers.r.entrypoints", "web"))
		}, 1, "takes requests"},
		{"containers that contradict each other", func(m made) {
			m.container("second", routed("Host(`api.example.org`) || Host(`www.example.org`)", "8000"))
		}, 1, "contradict each other about router r"},
		{"a second container of the same", func(m made) { m.container("second", routed("Host(`api.example.org`)", "8000")); m.remove("backend") }, 0, ""},
		{"a rule that is not known", func(m made) { m.container("backend", routed("HostSNI(`*`)", "8000")) }, 1, "HostSNI is not known"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := server(t)
			c.edit(m)
			expect(t, m.of(host), c.lost, c.why)
		})
	}
}

func TestOnAWS(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(m made)
		why  string
	}{
		{"as it should be", func(made) {}, ""},
		{"no delegation", func(m made) { m.remove("dns-aws.example.org-NS") }, "no record of api.aws.example.org at Cloudflare"},
		{"name servers of another zone", func(m made) { m.set("dns-aws.example.org-NS", "content", "ns-9.awsdns.com") }, "not those of its Route 53 zone"},
		{"no zone", func(m made) { m.remove("zone") }, "no Route 53 zone"},
		{"no record in the zone", func(m made) { m.remove("record-aws") }, "no record of api.aws.example.org in the Route 53 zone"},
		{"no route to the internet", func(m made) { m.remove("route") }, "no security group lets HTTPS in to load balancer alb"},
		{"no rule that lets HTTPS in", func(m made) { m.remove("https-in") }, "no security group lets HTTPS in to load balancer alb"},
		{"no listener", func(m made) { m.remove("https") }, "lets HTTPS in to load balancer alb"},
		{"a certificate that waits", func(m made) { m.set("certificate", "status", "PENDING_VALIDATION") }, "PENDING_VALIDATION"},
		{"a certificate for others", func(m made) { m.set("certificate", "domainName", "www.example.org") }, "is not for api.example.org"},
		{"no rule for the name", func(m made) { m.remove("rule") }, "answers 404"},
		{"no target group", func(m made) { m.remove("group") }, "no target group"},
		{"no service", func(m made) { m.remove("service") }, "no service is registered"},
		{"a service without tasks", func(m made) { m.set("service", "desiredCount", 0) }, "service service runs no task"},
		{"a service that nobody waits for", func(m made) { m.set("service", "waitForSteadyState", false) }, "nobody waits"},
		{"no task definition", func(m made) { m.remove("task") }, "task definition of service service is gone"},
		{"a load balancer that is not let in", func(m made) { m.remove("task-in") }, "lets load balancer alb in to service"},
		{"a balancer that is gone", func(m made) { m.remove("alb") }, "no record of alb.eu-west-1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := server(t).aws()
			m.weighted("aws", 100, "", nil)
			c.edit(m)
			lost := 1.0
			if c.why == "" {
				lost = 0
			}
			expect(t, m.of(host), lost, c.why)
		})
	}
}

// Weights decide who gets clients, and health checks who is left out.
func TestWeights(t *testing.T) {
	dead := func(m made) { m.set("service", "desiredCount", 0) }
	check := func(m made) {
		m.put("eu-west-1", healthCheckType, "hc", "check", object{"type": "HTTPS", "fqdn": "eu.aws.example.org", "resourcePath": "/health", "requestInterval": 30.0, "failureThreshold": 3.0})
		m.put("eu-west-1", recordType, "eu", "record-eu", object{"zoneId": "Z1", "fqdn": "eu.aws.example.org", "type": "A",
			"aliases": list(object{"name": "alb.eu-west-1.elb.amazonaws.com", "zoneId": "Z32"})})
		m.set("record-aws", "healthCheckId", "hc")
	}
	for _, c := range []struct {
		name        string
		vps, aws    float64
		edit        func(m made)
		lost        float64
		why, shares string
	}{
		{"half and half", 50, 50, func(made) {}, 0, "", "50% eu-west-1, 50% vps"},
		{"all on the server", 100, 0, func(made) {}, 0, "", "100% vps"},
		{"weight 0 may be dead", 100, 0, dead, 0, "", "100% vps"},
		{"weight on the dead, without a health check", 75, 25, dead, 0.25, "runs no task", "25% eu-west-1, 75% vps"},
		{"weight on the dead, with a health check", 75, 25, func(m made) { check(m); dead(m) }, 0, "", "100% vps"},
		{"a health check on the living", 75, 25, check, 0, "", "25% eu-west-1, 75% vps"},
		{"the living may have weight 0 then", 0, 100, func(m made) { check(m); dead(m) }, 0, "", "100% vps"},
		{"all of weight 0", 0, 0, func(made) {}, 0, "", "50% eu-west-1, 50% vps"},
		{"the balancer's own health", 50, 50, func(m made) {
			m.set("record-aws", "aliases", list(object{"name": "alb.eu-west-1.elb.amazonaws.com", "zoneId": "Z32", "evaluateTargetHealth": true}))
			dead(m)
		}, 0, "", "100% vps"},
		{"a second target group of the balancer's, empty", 50, 50, func(m made) {
			m.set("record-aws", "aliases", list(object{"name": "alb.eu-west-1.elb.amazonaws.com", "zoneId": "Z32", "evaluateTargetHealth": true}))
			m.put("eu-west-1", targetGroupType, "arn:tg2", "group2", object{})
			m.put("eu-west-1", ruleType, "arn:r2", "rule2", object{"listenerArn": "arn:l", "priority": 20.0,
				"conditions": list(object{"hostHeader": object{"values": list("www.example.org")}}),
				"actions":    list(object{"type": "forward", "targetGroupArn": "arn:tg2"})})
		}, 0, "", "100% vps"},
		{"everything is dead", 50, 50, func(m made) { check(m); m.set("record-vps", "healthCheckId", "hc"); dead(m); m.remove("backend") }, 1, "runs no task", "50% eu-west-1, 50% vps"},
		{"a policy that is not known", 50, 50, func(m made) { m.set("record-aws", "weightedRoutingPolicies", nil) }, 1, "only weighted and latency", "100% "},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := both(t, c.vps, c.aws)
			c.edit(m)
			a := m.of(host)
			expect(t, a, c.lost, c.why)
			if got := shown(a); got != c.shares {
				t.Errorf("clients go to %s, want %s", got, c.shares)
			}
		})
	}
}

func shown(a Answer) string {
	var out []string
	for _, t := range a.Main() {
		out = append(out, fmt.Sprintf("%.0f%% %s", 100*t.Share, t.Place))
	}
	return strings.Join(out, ", ")
}

func TestLatency(t *testing.T) {
	m := server(t).aws()
	m.weighted("aws", 100, serves, object{"weightedRoutingPolicies": nil, "latencyRoutingPolicies": list(object{"region": "eu-west-1"})})
	expect(t, m.of(host), 0, "")
}

// A relay hands on, or refuses only what writes.
func TestRelay(t *testing.T) {
	relay := func(m made, rule, config string) {
		m.container("relay-files", object{"start": false, "uploads": list(object{"file": "/run/secrets/nginx.conf", "content": config})})
		more := routed(rule, "8080", "traefik.http.routers.relay.rule", rule, "traefik.http.routers.relay.priority", "2000",
			"traefik.http.routers.relay.service", "relay", "traefik.http.services.relay.loadbalancer.server.port", "8080", "morphee.files", "id of relay-files")
		more["labels"] = append(list(more["labels"].([]any)[0]), more["labels"].([]any)[5:]...) // only its own router
		m.container("relay", more)
	}
	const forward = "server {\n listen 8080 default_server;\n return 421;\n}\nserver {\n listen 8080;\n server_name api.example.org;\n set $upstream alb.eu-west-1.elb.amazonaws.com;\n}\n"
	t.Run("forward", func(t *testing.T) {
		m := both(t, 100, 0)
		relay(m, "Host(`api.example.org`)", forward)
		a := m.of(host)
		expect(t, a, 0, "")
		if got := a.Main()[0]; got.Platform != AWS || got.Via != "vps" || got.ReadOnly {
			t.Errorf("%+v, want AWS through the server", got)
		}
		m.set("service", "desiredCount", 0)
		expect(t, m.of(host), 1, "runs no task")
	})
	t.Run("forward another name", func(t *testing.T) {
		m := both(t, 100, 0)
		relay(m, "Host(`api.example.org`)", strings.ReplaceAll(forward, host, "www.example.org"))
		expect(t, m.of(host), 1, "relay answers 421")
	})
	t.Run("freeze", func(t *testing.T) {
		m := both(t, 100, 0)
		relay(m, "Host(`api.example.org`) && (Method(`POST`) || PathRegexp(`^/verify/?$`))", "server {\n listen 8080 default_server;\n return 503 'later';\n}\n")
		a := m.of(host)
		expect(t, a, 0, "")
		if got := a.Main()[0]; got.Platform != Server || !got.ReadOnly {
			t.Errorf("%+v, want the server, read-only", got)
		}
	})
}

func TestRules(t *testing.T) {
	v := &view{host: "a.example.org", method: "POST", path: "/x/git-upload-pack"}
	for rule, want := range map[string]bool{
		"Host(`a.example.org`)":                                                              true,
		"Host(`b.example.org`, `a.example.org`)":                                             true,
		"Host(`A.example.org`) && Method(`GET`)":                                             false,
		"Host(`a.example.org`) && (Method(`GET`) || Method(`POST`))":                         true,
		"Host(`a.example.org`) && !(Method(`POST`) && PathRegexp(`/git-upload-pack$`))":      false,
		"Host(`b.example.org`) || PathPrefix(`/x`) && !Path(`/x`)":                           true,
		"PathRegexp(`/info/refs$`) && Query(`service`, `git-receive-pack`)":                  false,
		"(Host(`a.example.org`) && (Method(`PUT`) || Method(`PATCH`))) || Host(`c.example`)": false,
	} {
		if got, err := matches(rule, v); got != want || err != nil {
			t.Errorf("%s: %v %v, want %v", rule, got, err, want)
		}
	}
	for _, rule := range []string{"", "Host(`a`", "Host(`a`) &&", "(Host(`a`)", "Nobody(`a`)", "PathRegexp(`(`)", "Host(`a`) Host(`b`)"} {
		if _, err := matches(rule, v); err == nil {
			t.Errorf("%q was understood", rule)
		}
	}
}

func TestDistribution(t *testing.T) {
	world := func(t *testing.T) made {
		m := server(t).aws()
		m.put("eu-west-1", distributionType, "E1", "cdn", object{"arn": "arn:cdn", "domainName": "d1.cloudfront.net", "enabled": true, "aliases": list(host),
			"viewerCertificate":    object{"acmCertificateArn": "arn:cert"},
			"defaultCacheBehavior": object{"targetOriginId": "files"}, "origins": list(object{"originId": "files", "domainName": "files.s3.eu-west-1.amazonaws.com"})})
		m.put("eu-west-1", "aws:s3/bucketV2:BucketV2", "files", "bucket", object{"bucketRegionalDomainName": "files.s3.eu-west-1.amazonaws.com"})
		m.put("eu-west-1", bucketPolicyType, "p", "policy", object{"bucket": "files", "policy": "… arn:cdn …"})
		m.weighted("aws", 100, "", object{"aliases": list(object{"name": "d1.cloudfront.net", "zoneId": "Z2"})})
		return m
	}
	for name, c := range map[string]struct {
		edit func(m made)
		why  string
	}{
		"as it should be": {func(made) {}, ""},
		"disabled":        {func(m made) { m.set("cdn", "enabled", false) }, "is disabled"},
		"another name":    {func(m made) { m.set("cdn", "aliases", list("www.example.org")) }, "does not serve api.example.org"},
		"no certificate":  {func(m made) { m.remove("certificate") }, "no certificate"},
		"no bucket":       {func(m made) { m.remove("bucket") }, "no bucket"},
		"not let in":      {func(m made) { m.set("policy", "policy", "{}") }, "does not let distribution cdn read"},
		"gone":            {func(m made) { m.remove("cdn") }, "no distribution"},
	} {
		t.Run(name, func(t *testing.T) {
			m := world(t)
			c.edit(m)
			lost := 0.0
			if c.why != "" {
				lost = 1
			}
			expect(t, m.of(host), lost, c.why)
		})
	}
}
