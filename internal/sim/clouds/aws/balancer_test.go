package aws

import (
	"fmt"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

func TestBalancerRefusals(t *testing.T) {
	lb := func(s *simtest.Sim, n plant) props {
		return props{"name": "morphee", "subnets": n.public, "securityGroups": []string{n.group}}
	}
	group := func(s *simtest.Sim, n plant) props {
		return props{"name": "backend", "port": 8000, "protocol": "HTTP", "vpcId": n.vpc.ID, "targetType": "ip"}
	}
	logs := func(bucket string) props { return props{"accessLogs": props{"bucket": bucket, "enabled": true}} }
	writable := func(s *simtest.Sim, name string) {
		aBucket(s, name)
		s.Must(bucketPolicyToken, name, props{"bucket": name, "policy": bucketStatement(`{"Service":"logdelivery.elasticloadbalancing.amazonaws.com"}`, "s3:PutObject", "arn:aws:s3:::"+name+"/*")})
	}
	runRefusals(t, []refusal{
		{"balancer name of 33", loadBalancerType, "cannot be longer than 32 characters", plus(lb, props{"name": strings.Repeat("a", 33)})},
		{"balancer name with underscore", loadBalancerType, "only alphanumeric characters and hyphens", plus(lb, props{"name": "my_balancer"})},
		{"balancer name that AWS keeps", loadBalancerType, `cannot begin with "internal-"`, plus(lb, props{"name": "internal-web"})},
		{"balancer name with a hyphen at the end", loadBalancerType, "cannot end with a hyphen", plus(lb, props{"name": "web-"})},
		{"balancer name taken", loadBalancerType, "DuplicateLoadBalancerName", on(func(s *simtest.Sim, n plant) (props, props) {
			n.balancer(s, "taken")
			return lb(s, n), props{"name": "taken"}
		})},
		{"balancer in one zone", loadBalancerType, "At least two subnets in two different Availability Zones", on(func(s *simtest.Sim, n plant) (props, props) {
			return lb(s, n), props{"subnets": n.public[:1]}
		})},
		{"two subnets of a zone", loadBalancerType, "multiple subnets in the same Availability Zone", on(func(s *simtest.Sim, n plant) (props, props) {
			return lb(s, n), props{"subnets": []string{n.public[0], n.private[0]}}
		})},
		{"balancer in no subnet", loadBalancerType, "SubnetNotFound", on(func(s *simtest.Sim, n plant) (props, props) {
			return lb(s, n), props{"subnets": []string{n.public[0], "subnet-0123456789abcdef0"}}
		})},
		{"balancer in two networks", loadBalancerType, "same VPC", on(func(s *simtest.Sim, n plant) (props, props) {
			return lb(s, n), props{"subnets": []string{n.public[0], n.otherSubnets[1]}}
		})},
		{"group of another network", loadBalancerType, "One or more security groups are invalid", on(func(s *simtest.Sim, n plant) (props, props) {
			return lb(s, n), props{"securityGroups": []string{n.otherGroup}}
		})},
		{"public balancer without a way out", loadBalancerType, "has no internet gateway", on(func(s *simtest.Sim, n plant) (props, props) {
			v := s.Must(vpcType, "third", props{"cidrBlock": "10.40.0.0/16"})
			a := s.Must(subnetType, "a", props{"vpcId": v.ID, "cidrBlock": "10.40.0.0/24", "availabilityZone": "eu-west-1a"})
			b := s.Must(subnetType, "b", props{"vpcId": v.ID, "cidrBlock": "10.40.1.0/24", "availabilityZone": "eu-west-1b"})
			return with(lb(s, n), props{"subnets": []string{a.ID, b.ID}, "internal": true, "securityGroups": nil}), props{"internal": false}
		})},
		{"subnet too small for a balancer", loadBalancerType, "at least 8 free IP addresses", on(func(s *simtest.Sim, n plant) (props, props) {
			small := s.Must(subnetType, "small", props{"vpcId": n.vpc.ID, "cidrBlock": "10.20.64.0/28", "availabilityZone": "eu-west-1c"})
			return lb(s, n), props{"subnets": []string{n.public[0], small.ID}}
		})},
		{"idle timeout too long", loadBalancerType, "(1 - 4000)", plus(lb, props{"idleTimeout": 5000})},
		{"log bucket that does not exist", loadBalancerType, "does not exist", on(func(s *simtest.Sim, n plant) (props, props) {
			writable(s, "morphee-logs")
			return with(lb(s, n), logs("morphee-logs")), logs("morphee-nobody")
		})},
		{"log bucket without policy", loadBalancerType, "Access Denied for bucket: morphee-plain", on(func(s *simtest.Sim, n plant) (props, props) {
			writable(s, "morphee-logs")
			aBucket(s, "morphee-plain")
			return with(lb(s, n), logs("morphee-logs")), logs("morphee-plain")
		})},
		{"log bucket under a customer key", loadBalancerType, "SSE-S3 buckets only", on(func(s *simtest.Sim, n plant) (props, props) {
			writable(s, "morphee-logs")
			writable(s, "morphee-kms")
			s.Must(encryptionToken, "kms", props{"bucket": "morphee-kms", "rules": []any{props{"applyServerSideEncryptionByDefault": props{"sseAlgorithm": "aws:kms"}}}})
			return with(lb(s, n), logs("morphee-logs")), logs("morphee-kms")
		})},
		{"log bucket of another region", loadBalancerType, "is not in the region of the load balancer", on(func(s *simtest.Sim, n plant) (props, props) {
			writable(s, "morphee-logs")
			writable(s.With("aws", props{"region": "us-east-1"}), "morphee-far")
			return with(lb(s, n), logs("morphee-logs")), logs("morphee-far")
		})},
		{"target group name of 33", targetGroupType, "cannot be longer than 32 characters", plus(group, props{"name": strings.Repeat("b", 33)})},
		{"target group without VPC", targetGroupType, `"vpcId" must be specified`, plus(group, props{"vpcId": nil})},
		{"target group of no VPC", targetGroupType, "is not found", plus(group, props{"vpcId": "vpc-0123456789abcdef0"})},
		{"target group name taken", targetGroupType, "DuplicateTargetGroupName", on(func(s *simtest.Sim, n plant) (props, props) {
			n.targets(s, "taken", nil)
			return group(s, n), props{"name": "taken"}
		})},
		{"health check slower than its interval", targetGroupType, "must be smaller than the interval", on(func(s *simtest.Sim, n plant) (props, props) {
			return with(group(s, n), props{"healthCheck": props{"interval": 15, "timeout": 5}}), props{"healthCheck": props{"interval": 5, "timeout": 10}}
		})},
		{"health check path without slash", targetGroupType, "must begin with a '/'", on(func(s *simtest.Sim, n plant) (props, props) {
			return with(group(s, n), props{"healthCheck": props{"path": "/health"}}), props{"healthCheck": props{"path": "health"}}
		})},
		{"path of a TCP health check", targetGroupType, "cannot be specified", on(func(s *simtest.Sim, n plant) (props, props) {
			tcp := with(group(s, n), props{"protocol": "TCP", "healthCheck": props{"protocol": "TCP"}})
			return tcp, props{"healthCheck": props{"protocol": "TCP", "path": "/"}}
		})},
		{"cookie stickiness over TCP", targetGroupType, "Stickiness type 'lb_cookie' is not supported", on(func(s *simtest.Sim, n plant) (props, props) {
			sticky := props{"stickiness": props{"type": "lb_cookie", "enabled": true}}
			return with(group(s, n), sticky), props{"protocol": "TCP", "healthCheck": props{"protocol": "TCP"}}
		})},
		{"deregistration too long", targetGroupType, "(0 - 3600)", plus(group, props{"deregistrationDelay": 4000})},
		{"slow start too short", targetGroupType, "between 30 and 900", plus(group, props{"slowStart": 10})},
		{"target outside the network", attachmentType, "must specify an Availability Zone", on(func(s *simtest.Sim, n plant) (props, props) {
			return props{"targetGroupArn": n.targets(s, "t", nil).ID, "targetId": "10.20.16.9"}, props{"targetId": "10.99.0.9"}
		})},
	})
}

func TestListenerRefusals(t *testing.T) {
	https := func(s *simtest.Sim, n plant) props {
		return props{"loadBalancerArn": n.balancer(s, "web").ID, "port": 443, "protocol": "HTTPS", "certificateArn": certificate(s, "api.example.com"),
			"sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06", "defaultActions": []any{props{"type": "fixed-response", "fixedResponse": props{"contentType": "text/plain", "statusCode": "404"}}}}
	}
	to := func(s *simtest.Sim, n plant) (props, func(change props) props) {
		good := with(https(s, n), props{"defaultActions": forward(n.targets(s, "good", nil))})
		return good, func(change props) props {
			return props{"defaultActions": forward(n.targets(s, "wrong", change))}
		}
	}
	runRefusals(t, []refusal{
		{"listener of no balancer", listenerType, "LoadBalancerNotFound", plus(https, props{"loadBalancerArn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/no/0123456789abcdef"})},
		{"HTTPS without certificate", listenerType, "A certificate must be specified for HTTPS listeners", plus(https, props{"certificateArn": nil})},
		{"HTTP with certificate", listenerType, "A certificate cannot be specified", plus(https, props{"protocol": "HTTP", "sslPolicy": nil})},
		{"unknown TLS policy", listenerType, "SSLPolicyNotFound", plus(https, props{"sslPolicy": "ELBSecurityPolicy-TLS13-1-4-2031-06"})},
		{"certificate in the wrong region", listenerType, "Certificate ARN", on(func(s *simtest.Sim, n plant) (props, props) {
			return https(s, n), props{"certificateArn": certificate(s.With("aws", props{"region": "us-east-1"}), "api.example.com")}
		})},
		{"certificate that does not exist", listenerType, "CertificateNotFound", plus(https, props{"certificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-4333-8444-555555555555"})},
		{"certificate not yet issued", listenerType, "UnsupportedCertificate", on(func(s *simtest.Sim, n plant) (props, props) {
			waiting := s.Must(certificateToken, "waiting", props{"domainName": "git.example.com", "validationMethod": "DNS"})
			return https(s, n), props{"certificateArn": waiting.Out["arn"]}
		})},
		{"TCP on an application balancer", listenerType, "must be one of 'HTTP, HTTPS'", plus(https, props{"protocol": "TCP", "certificateArn": nil, "sslPolicy": nil})},
		{"port taken", listenerType, "DuplicateListener", on(func(s *simtest.Sim, n plant) (props, props) {
			good := https(s, n)
			s.Must(listenerType, "first", with(good, props{"port": 8443}))
			return good, props{"port": 8443}
		})},
		{"port out of range", listenerType, "1-65535", plus(https, props{"port": 70000})},
		{"forward to nowhere", listenerType, "must be specified when \"type\" is \"forward\"", plus(https, props{"defaultActions": []any{props{"type": "forward"}}})},
		{"forward to no group", listenerType, "TargetGroupNotFound", plus(https, props{"defaultActions": []any{props{"type": "forward", "targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/no/0123456789abcdef"}}})},
		{"forward to another network", listenerType, "in a different VPC", on(func(s *simtest.Sim, n plant) (props, props) {
			good, wrong := to(s, n)
			return good, wrong(props{"vpcId": n.other})
		})},
		{"forward to TCP", listenerType, "IncompatibleProtocols", on(func(s *simtest.Sim, n plant) (props, props) {
			good, wrong := to(s, n)
			return good, wrong(props{"protocol": "TCP", "healthCheck": props{"protocol": "TCP"}})
		})},
		{"group of two balancers", listenerType, "TargetGroupAssociationLimit", on(func(s *simtest.Sim, n plant) (props, props) {
			good, _ := to(s, n)
			taken := n.targets(s, "taken", nil)
			n.listener(s, n.balancer(s, "second"), taken)
			return good, props{"defaultActions": forward(taken)}
		})},
		{"redirect to itself", listenerType, "InvalidLoadBalancerAction", on(func(s *simtest.Sim, n plant) (props, props) {
			redirect := func(protocol, port string) []any {
				return []any{props{"type": "redirect", "redirect": props{"protocol": protocol, "port": port, "statusCode": "HTTP_301"}}}
			}
			http := with(https(s, n), props{"port": 80, "protocol": "HTTP", "certificateArn": nil, "sslPolicy": nil, "defaultActions": redirect("HTTPS", "443")})
			return http, props{"defaultActions": redirect("HTTP", "80")}
		})},
		{"redirect without a redirect", listenerType, "must be specified", plus(https, props{"defaultActions": []any{props{"type": "redirect"}}})},
		{"status code of no answer", listenerType, "2XX, 4XX or 5XX", plus(https, props{"defaultActions": []any{props{"type": "fixed-response", "fixedResponse": props{"contentType": "text/plain", "statusCode": "302"}}}})},
	})
}

func TestListenerRuleRefusals(t *testing.T) {
	host := func(values ...string) []any { return []any{props{"hostHeader": props{"values": values}}} }
	rule := func(s *simtest.Sim, n plant) props {
		g := n.targets(s, "backend", nil)
		l := n.listener(s, n.balancer(s, "web"), g)
		return props{"listenerArn": l.ID, "priority": 10, "actions": forward(g), "conditions": host("api.example.com")}
	}
	// like is a rule with one condition, and the same rule with a wrong one.
	like := func(good, wrong props) func(*simtest.Sim) (props, props) {
		return on(func(s *simtest.Sim, n plant) (props, props) {
			return with(rule(s, n), props{"conditions": []any{good}}), props{"conditions": []any{wrong}}
		})
	}
	query := func(pairs ...string) props {
		var list []any
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, props{"key": pairs[i], "value": pairs[i+1]})
		}
		return props{"queryStrings": list}
	}
	certified := func(s *simtest.Sim, n plant) props {
		l := s.Must(listenerType, "https", props{"loadBalancerArn": n.balancer(s, "tls").ID, "port": 443, "protocol": "HTTPS", "certificateArn": certificate(s, "a.example.com"), "defaultActions": forward(n.targets(s, "tls", nil))})
		return props{"listenerArn": l.ID, "certificateArn": certificate(s, "b.example.com")}
	}
	runRefusals(t, []refusal{
		{"rule of no listener", listenerRuleType, "ListenerNotFound", plus(rule, props{"listenerArn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/no/0123456789abcdef/0123456789abcdef"})},
		{"priority taken", listenerRuleType, "PriorityInUse: Priority '5' is currently in use", on(func(s *simtest.Sim, n plant) (props, props) {
			good := rule(s, n)
			s.Must(listenerRuleType, "first", with(good, props{"priority": 5}))
			return good, props{"priority": 5}
		})},
		{"priority too high", listenerRuleType, "(1 - 50000)", plus(rule, props{"priority": 60000})},
		{"too many condition values", listenerRuleType, "A rule can only have '5' condition values", plus(rule, props{"conditions": host("a.x", "b.x", "c.x", "d.x", "e.x", "f.x")})},
		{"host with an underscore", listenerRuleType, "contains a character that is not valid", plus(rule, props{"conditions": host("my_host.example.com")})},
		{"two host conditions", listenerRuleType, "can only have one 'host-header' condition", plus(rule, props{"conditions": append(host("a.x"), host("b.x")...)})},
		{"condition with two kinds", listenerRuleType, "Exactly one of", plus(rule, props{"conditions": []any{props{"hostHeader": props{"values": []string{"a.x"}}, "pathPattern": props{"values": []string{"/a"}}}}})},
		{"source that is no block", listenerRuleType, "must be in CIDR format", plus(rule, props{"conditions": []any{props{"sourceIp": props{"values": []string{"10.0.0.1"}}}}})},
		{"method in small letters", listenerRuleType, "'post' contains a character that is not valid", like(props{"httpRequestMethod": props{"values": []string{"POST"}}}, props{"httpRequestMethod": props{"values": []string{"post"}}})},
		{"method with a wildcard", listenerRuleType, "'P*' contains a character that is not valid", like(props{"httpRequestMethod": props{"values": []string{"PUT"}}}, props{"httpRequestMethod": props{"values": []string{"P*"}}})},
		{"method of 41 characters", listenerRuleType, "contains a character that is not valid", like(props{"httpRequestMethod": props{"values": []string{strings.Repeat("A", 40)}}}, props{"httpRequestMethod": props{"values": []string{strings.Repeat("A", 41)}}})},
		{"no method", listenerRuleType, "A condition value must be specified", like(props{"httpRequestMethod": props{"values": []string{"GET"}}}, props{"httpRequestMethod": props{"values": []string{}}})},
		{"two method conditions", listenerRuleType, "can only have one 'http-request-method' condition", on(func(s *simtest.Sim, n plant) (props, props) {
			method := func(values ...string) any { return props{"httpRequestMethod": props{"values": values}} }
			return with(rule(s, n), props{"conditions": []any{method("POST", "PUT")}}), props{"conditions": []any{method("POST"), method("PUT")}}
		})},
		{"query value too long", listenerRuleType, "must be at most 128 characters", like(query("service", strings.Repeat("a", 128)), query("service", strings.Repeat("a", 129)))},
		{"query key too long", listenerRuleType, "must be at most 128 characters", like(query(strings.Repeat("k", 128), "a"), query(strings.Repeat("k", 129), "a"))},
		{"query without a value", listenerRuleType, "A condition value must be specified", like(query("service", "a"), query("service", ""))},
		{"six query strings", listenerRuleType, "A rule can only have '5' condition values", like(query("a", "1", "b", "2", "c", "3", "d", "4", "e", "5"), query("a", "1", "b", "2", "c", "3", "d", "4", "e", "5", "f", "6"))},
		{"seven wildcards", listenerRuleType, "A rule can only have '6' condition wildcards", like(props{"pathPattern": props{"values": []string{"/*/*/*", "/?/?/?"}}}, props{"pathPattern": props{"values": []string{"/*/*/*", "/?/?/*/?"}}})},
		{"wildcards in both halves of a query", listenerRuleType, "A rule can only have '6' condition wildcards", like(query("***", "***"), query("****", "***"))},
		{"answer longer than a kilobyte", listenerRuleType, "1024", on(func(s *simtest.Sim, n plant) (props, props) {
			answer := func(n int) props {
				return props{"actions": []any{props{"type": "fixed-response", "fixedResponse": props{"contentType": "application/json", "statusCode": "503", "messageBody": strings.Repeat("a", n)}}}}
			}
			return with(rule(s, n), answer(1024)), answer(1025)
		})},
		{"answer of a kind that is not offered", listenerRuleType, "application/xml", on(func(s *simtest.Sim, n plant) (props, props) {
			answer := func(kind string) props {
				return props{"actions": []any{props{"type": "fixed-response", "fixedResponse": props{"contentType": kind, "statusCode": "503"}}}}
			}
			return with(rule(s, n), answer("application/json")), answer("application/xml")
		})},
		{"certificate for plain HTTP", listenerCertificateType, "OperationNotPermitted", on(func(s *simtest.Sim, n plant) (props, props) {
			return certified(s, n), props{"listenerArn": rule(s, n)["listenerArn"]}
		})},
		{"certificate that does not exist either", listenerCertificateType, "CertificateNotFound", plus(certified, props{"certificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-4333-8444-555555555555"})},
	})
}

func TestBalancerOutputsAndDeletion(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	n := aPlant(s)
	lb := s.Must(loadBalancerType, "web", props{"name": "web", "subnets": n.public, "securityGroups": []string{n.group}, "enableDeletionProtection": true})
	inner := s.Must(loadBalancerType, "in", props{"name": "in", "subnets": n.private, "internal": true})
	nlb := s.Must(loadBalancerType, "git", props{"name": "git", "subnets": n.public, "loadBalancerType": "network"})
	g := n.targets(s, "backend", nil)
	l := n.listener(s, lb, g)
	matches(t, "ARN", lb.ID, `^arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/web/[0-9a-f]{16}$`)
	matches(t, "suffix", lb.Out.String("arnSuffix"), `^app/web/[0-9a-f]{16}$`)
	matches(t, "name", lb.Out.String("dnsName"), `^web-\d+\.eu-west-1\.elb\.amazonaws\.com$`)
	matches(t, "internal name", inner.Out.String("dnsName"), `^internal-in-\d+\.eu-west-1\.elb\.amazonaws\.com$`)
	matches(t, "network name", nlb.Out.String("dnsName"), `^git-[0-9a-f]{16}\.elb\.eu-west-1\.amazonaws\.com$`)
	matches(t, "zone", lb.Out.String("zoneId"), `^Z32O12XQLNTSW2$`)
	matches(t, "network zone", nlb.Out.String("zoneId"), `^Z2IFOLAFXWLO4F$`)
	matches(t, "target group suffix", g.Out.String("arnSuffix"), `^targetgroup/backend/[0-9a-f]{16}$`)
	matches(t, "listener", l.ID, `^arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/web/[0-9a-f]{16}/[0-9a-f]{16}$`)
	refusedDelete(t, s, g, "ResourceInUse")
	refusedDelete(t, s, lb, "deletion protection is enabled")
	deletes(t, s, l)
	deletes(t, s, g)
	deletes(t, s, updates(t, s, lb, props{"enableDeletionProtection": false}))
	s.Refuses(listenerRuleType, "git", props{"listenerArn": s.Must(listenerType, "git", props{"loadBalancerArn": nlb.ID, "port": 22, "protocol": "TCP",
		"defaultActions": forward(n.targets(s, "git", props{"protocol": "TCP", "healthCheck": props{"protocol": "TCP"}}))}).ID, "actions": []any{props{"type": "forward", "targetGroupArn": g.ID}},
		"conditions": []any{props{"hostHeader": props{"values": []string{"a.x"}}}}}, "UnsupportedOperation")
}

func TestBalancerReplaces(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	n := aPlant(s)
	third := s.Must(subnetType, "third", props{"vpcId": n.vpc.ID, "cidrBlock": "10.20.2.0/24", "availabilityZone": "eu-west-1c"}).ID
	wider := append([]string{third}, n.public...)
	alb := n.balancer(s, "web")
	nlb := s.Must(loadBalancerType, "git", props{"name": "git", "subnets": n.public, "loadBalancerType": "network"})
	replaced(t, s, alb, props{"subnets": wider}, "")
	replaced(t, s, alb, props{"subnets": []string{n.public[0], third}}, "")
	replaced(t, s, alb, props{"idleTimeout": 300}, "")
	replaced(t, s, nlb, props{"subnets": wider}, "")
	replaced(t, s, nlb, props{"subnets": []string{n.public[0], third}}, "subnets")
	replaced(t, s, nlb, props{"securityGroups": []string{n.group}}, "securityGroups")
	replaced(t, s, alb, props{"internal": true}, "internal")
}

func TestRulePrioritiesAreGivenOut(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	n := aPlant(s)
	g := n.targets(s, "backend", nil)
	l := n.listener(s, n.balancer(s, "web"), g)
	for i := 1; i <= 3; i++ {
		r := s.Must(listenerRuleType, fmt.Sprint("r", i), props{"listenerArn": l.ID, "actions": forward(g), "conditions": []any{props{"pathPattern": props{"values": []string{fmt.Sprintf("/v%d/*", i)}}}}})
		if r.Out.Int("priority") != i {
			t.Errorf("rule %d got priority %d", i, r.Out.Int("priority"))
		}
	}
}
