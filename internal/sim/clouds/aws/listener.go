package aws

import (
	"fmt"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// sslPolicies are the predefined security policies of listeners.
var sslPolicies = strings.Fields(`ELBSecurityPolicy-2016-08 ELBSecurityPolicy-TLS-1-0-2015-04 ELBSecurityPolicy-TLS-1-1-2017-01
ELBSecurityPolicy-TLS-1-2-2017-01 ELBSecurityPolicy-TLS-1-2-Ext-2018-06 ELBSecurityPolicy-FS-2018-06 ELBSecurityPolicy-FS-1-1-2019-08
ELBSecurityPolicy-FS-1-2-2019-08 ELBSecurityPolicy-FS-1-2-Res-2019-08 ELBSecurityPolicy-FS-1-2-Res-2020-10 ELBSecurityPolicy-2015-05
ELBSecurityPolicy-TLS13-1-0-2021-06 ELBSecurityPolicy-TLS13-1-1-2021-06 ELBSecurityPolicy-TLS13-1-2-2021-06 ELBSecurityPolicy-TLS13-1-3-2021-06
ELBSecurityPolicy-TLS13-1-2-Res-2021-06 ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06 ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06
ELBSecurityPolicy-TLS13-1-0-FIPS-2023-04 ELBSecurityPolicy-TLS13-1-1-FIPS-2023-04 ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04
ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04 ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04 ELBSecurityPolicy-TLS13-1-2-Ext0-FIPS-2023-04
ELBSecurityPolicy-TLS13-1-2-Ext1-FIPS-2023-04 ELBSecurityPolicy-TLS13-1-2-Ext2-FIPS-2023-04
ELBSecurityPolicy-TLS13-1-2-PQ-2025-09 ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09 ELBSecurityPolicy-TLS13-1-3-PQ-2025-09`)

// answerKinds are the content types of fixed responses.
var answerKinds = []string{"text/plain", "text/css", "text/html", "application/javascript", "application/json"}

func listener() cloud.Type {
	return cloud.Type{
		Token: listenerType,
		Check: func(c *cloud.CheckCall) { checkActions(c, "defaultActions", "default_action") },
		Create: func(c *cloud.Call) error {
			const op = "CreateListener"
			lb := c.Find(loadBalancerType, c.In.String("loadBalancerArn"))
			if lb == nil {
				return elb(op, "LoadBalancerNotFound", "Load balancer '%s' not found", c.In.String("loadBalancerArn"))
			}
			if err := checkListener(c, op, lb); err != nil {
				return err
			}
			c.ID = fmt.Sprintf("%s/%s", strings.Replace(lb.ID, ":loadbalancer/", ":listener/", 1), c.Gen.Hex("listener", 16))
			c.Out["arn"] = c.ID
			return nil
		},
		Update: func(c *cloud.Call) error {
			return checkListener(c, "ModifyListener", c.Find(loadBalancerType, c.In.String("loadBalancerArn")))
		},
		Takes: cloud.Durations{Create: seconds(2), Update: seconds(2), Delete: seconds(1)},
	}
}

// checkActions holds the provider's plan-time checks of listener and rule actions.
func checkActions(c *cloud.CheckCall, key, attribute string) {
	for i, a := range c.In.Objects(key) {
		need := map[string]string{"redirect": "redirect", "fixed-response": "fixedResponse", "authenticate-cognito": "authenticateCognito", "authenticate-oidc": "authenticateOidc"}[a.String("type")]
		if need != "" && !a.Has(need) {
			c.Fail(fmt.Sprintf("%s[%d].%s", key, i, need), "Attribute \"%s.%d.%s\" must be specified when \"%[1]s.%[2]d.type\" is %q", attribute, i, need, a.String("type"))
		}
		if a.String("type") == "forward" && !a.Has("targetGroupArn") && !a.Has("forward") {
			c.Fail(fmt.Sprintf("%s[%d].targetGroupArn", key, i), "Either \"%s.%d.target_group_arn\" or \"forward\" must be specified when \"type\" is \"forward\"", attribute, i)
		}
		if text := a.String("fixedResponse.messageBody"); len(text) > 1024 {
			c.Fail(fmt.Sprintf("%s[%d].fixedResponse.messageBody", key, i), "expected length of message_body to be in the range (0 - 1024), got %d", len(text))
		}
		if kind := a.String("fixedResponse.contentType"); kind != "" && !slices.Contains(answerKinds, kind) {
			c.Fail(fmt.Sprintf("%s[%d].fixedResponse.contentType", key, i), "expected content_type to be one of %q, got %s", answerKinds, kind)
		}
		if code := a.String("fixedResponse.statusCode"); code != "" && (len(code) != 3 || !strings.ContainsAny(code[:1], "245")) {
			c.Fail(fmt.Sprintf("%s[%d].fixedResponse.statusCode", key, i), "invalid value for status_code (must be 2XX, 4XX or 5XX): %q", code)
		}
	}
}

func checkListener(c *cloud.Call, op string, lb *cloud.Resource) error {
	if lb == nil {
		return elb(op, "LoadBalancerNotFound", "Load balancer '%s' not found", c.In.String("loadBalancerArn"))
	}
	application := lb.Out.String("loadBalancerType") != "network" && lb.Out.String("loadBalancerType") != "gateway"
	port, protocol := c.In.Int("port"), strings.ToUpper(c.In.String("protocol"))
	if protocol == "" && application {
		protocol = map[int]string{443: "HTTPS"}[port]
		protocol = orText(protocol, "HTTP")
		c.Out["protocol"] = protocol
	}
	if application && !slices.Contains([]string{"HTTP", "HTTPS"}, protocol) {
		return elb(op, "ValidationError", "Listener protocol '%s' must be one of 'HTTP, HTTPS'", protocol)
	}
	if lb.Out.String("loadBalancerType") == "network" && !slices.Contains([]string{"TCP", "TLS", "UDP", "TCP_UDP"}, protocol) {
		return elb(op, "ValidationError", "Listener protocol '%s' must be one of 'UDP, TCP, TCP_UDP, TLS'", protocol)
	}
	if c.In.Has("port") && (port < 1 || port > 65535) {
		return elb(op, "ValidationError", "Listener port '%d' must be in the range 1-65535", port)
	}
	for _, other := range c.All(listenerType) {
		if other.Out.String("loadBalancerArn") == lb.ID && other.Out.Int("port") == port {
			return elb(op, "DuplicateListener", "A listener already exists on this port for this load balancer '%s'", lb.ID)
		}
	}
	if err := listenerTLS(c, op, protocol); err != nil {
		return err
	}
	return checkTargets(c, op, lb, c.In.Objects("defaultActions"), protocol, c.In.String("port"))
}

func listenerTLS(c *cloud.Call, op, protocol string) error {
	secure := protocol == "HTTPS" || protocol == "TLS"
	certificate, policy := c.In.String("certificateArn"), c.In.String("sslPolicy")
	switch {
	case secure && certificate == "":
		return elb(op, "ValidationError", "A certificate must be specified for %s listeners", protocol)
	case !secure && certificate != "":
		return elb(op, "ValidationError", "A certificate cannot be specified for %s listeners", protocol)
	case !secure && policy != "":
		return elb(op, "ValidationError", "An SSL policy cannot be specified for %s listeners", protocol)
	case policy != "" && !slices.Contains(sslPolicies, policy):
		return elb(op, "SSLPolicyNotFound", "SSL policy '%s' not found", policy)
	}
	if secure {
		computed(c, "sslPolicy", "ELBSecurityPolicy-2016-08")
		return listenerCert(c, op, certificate)
	}
	return nil
}

// listenerCert refuses a certificate that a listener of the region cannot serve.
func listenerCert(c *cloud.Call, op, ref string) error {
	if isARN(ref, "iam") {
		return nil
	}
	if !isARN(ref, "acm") || arnPart(ref, 3) != c.Scope {
		return elb(op, "ValidationError", "Certificate ARN '%s' is not valid", ref)
	}
	cert := c.Find("aws:acm/certificate:Certificate", ref)
	if cert == nil {
		return elb(op, "CertificateNotFound", "Certificate '%s' not found", ref)
	}
	issued := cert.Out.String("status") == "ISSUED" || cert.In.Has("privateKey") ||
		byProperty(c.All("aws:acm/certificateValidation:CertificateValidation"), "certificateArn", ref) != nil
	if !issued {
		return elb(op, "UnsupportedCertificate", "The certificate '%s' must have a fully-qualified domain name, a supported signature, and a supported key size.", ref)
	}
	return nil
}

// checkTargets refuses actions whose targets do not exist or cannot be reached from the balancer.
func checkTargets(c *cloud.Call, op string, lb *cloud.Resource, actions []cloud.Object, protocol, port string) error {
	for _, a := range actions {
		groups := a.Objects("forward.targetGroups")
		if ref := a.String("targetGroupArn"); ref != "" {
			groups = append(groups, cloud.Object{"arn": ref})
		}
		for _, g := range groups {
			if err := checkTarget(c, op, lb, g.String("arn")); err != nil {
				return err
			}
		}
		if a.String("type") == "redirect" && redirectLoops(a.Object("redirect"), protocol, port) {
			return elb(op, "InvalidLoadBalancerAction", "The redirect must change at least one of protocol, port, hostname or path: it leads back to itself")
		}
	}
	return nil
}

func redirectLoops(r cloud.Object, protocol, port string) bool {
	same := func(key, keep, now string) bool {
		v := r.String(key)
		return v == "" || v == keep || v == now && now != ""
	}
	return same("host", "#{host}", "") && same("path", "/#{path}", "") && same("protocol", "#{protocol}", protocol) && same("port", "#{port}", port)
}

func checkTarget(c *cloud.Call, op string, lb *cloud.Resource, ref string) error {
	g := c.Find(targetGroupType, ref)
	if g == nil {
		return elb(op, "TargetGroupNotFound", "One or more target groups not found: '%s'", ref)
	}
	if vpc := g.Out.String("vpcId"); vpc != "" && vpc != lb.Out.String("vpcId") {
		return elb(op, "InvalidConfigurationRequest", "The following target groups are in a different VPC than load balancer '%s': '%s'", lb.ID, ref)
	}
	network := lb.Out.String("loadBalancerType") == "network"
	if g.Out.String("targetType") != "lambda" && layer7(g.Out.String("protocol")) == network {
		return elb(op, "IncompatibleProtocols", "The target group '%s' with protocol %s cannot be used with a load balancer of type '%s'", ref, g.Out.String("protocol"), orText(lb.Out.String("loadBalancerType"), "application"))
	}
	if other := balancerOf(c, g); other != "" && other != lb.ID {
		return elb(op, "TargetGroupAssociationLimit", "The following target groups cannot be associated with more than one load balancer: '%s'", ref)
	}
	return nil
}

// forwards tells whether one of the actions sends traffic to the target group.
func forwards(actions []cloud.Object, group string) bool {
	return slices.ContainsFunc(actions, func(a cloud.Object) bool {
		return a.String("targetGroupArn") == group || slices.ContainsFunc(a.Objects("forward.targetGroups"), func(t cloud.Object) bool {
			return t.String("arn") == group
		})
	})
}

// balancerOf returns the load balancer that a listener or rule connects the target group with, or "".
func balancerOf(c *cloud.Call, group *cloud.Resource) string {
	for _, l := range c.All(listenerType) {
		if forwards(l.Out.Objects("defaultActions"), group.ID) {
			return l.Out.String("loadBalancerArn")
		}
	}
	for _, r := range c.All(listenerRuleType) {
		if forwards(r.Out.Objects("actions"), group.ID) {
			if l := c.World.Find(c.Scope, listenerType, r.Out.String("listenerArn")); l != nil {
				return l.Out.String("loadBalancerArn")
			}
		}
	}
	return ""
}
