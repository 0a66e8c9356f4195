package aws

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

var httpCodes = regexp.MustCompile(`^\d{3}(-\d{3})?(,\d{3}(-\d{3})?)*$`)

func targetGroup() cloud.Type {
	inUse := func(self, by *cloud.Resource) error {
		return elb("DeleteTargetGroup", "ResourceInUse", "Target group '%s' is currently in use by a listener or a rule", self.ID)
	}
	var refs []cloud.Ref
	for _, path := range []string{"targetGroupArn", "forward.targetGroups.*.arn"} {
		refs = append(refs, cloud.Ref{Type: listenerType, Path: "defaultActions.*." + path, Error: inUse},
			cloud.Ref{Type: listenerRuleType, Path: "actions.*." + path, Error: inUse})
	}
	return cloud.Type{
		Token:  targetGroupType,
		Check:  checkTargetGroup,
		Create: createTargetGroup,
		Update: targetGroupHealth,
		InUse:  refs,
		Takes:  cloud.Durations{Create: seconds(2), Update: seconds(2), Delete: seconds(1)},
	}
}

// checkTargetGroup holds what the provider refuses in its plan.
func checkTargetGroup(c *cloud.CheckCall) {
	checkBalancerName(c, "name")
	checkBalancerName(c, "namePrefix")
	kind := c.In.String("targetType")
	if kind != "lambda" {
		for _, key := range []string{"port", "protocol", "vpcId"} {
			if !c.In.Has(key) {
				c.Fail(key, "Attribute %q must be specified when \"target_type\" is %q", key, orText(kind, "instance"))
			}
		}
	}
	if d := c.In.Int("deregistrationDelay"); c.In.Known("deregistrationDelay") && (d < 0 || d > 3600) {
		c.Fail("deregistrationDelay", "expected deregistration_delay to be in the range (0 - 3600), got %d", d)
	}
	if s := c.In.Int("slowStart"); s != 0 && (s < 30 || s > 900) {
		c.Fail("slowStart", "\"slow_start\" must be 0 to disable, or between 30 and 900 seconds, got %d", s)
	}
	health := c.In.Object("healthCheck")
	if strings.EqualFold(health.String("protocol"), "TCP") {
		for _, key := range []string{"path", "matcher"} {
			if health.Has(key) {
				c.Fail("healthCheck."+key, "Attribute \"health_check.%s\" cannot be specified when \"health_check.protocol\" is \"TCP\"", key)
			}
		}
	}
	if path := health.String("path"); path != "" && !strings.HasPrefix(path, "/") && c.In.String("protocolVersion") != "GRPC" {
		c.Fail("healthCheck.path", "\"health_check.path\" must begin with a '/' character: %q", path)
	}
}

func createTargetGroup(c *cloud.Call) error {
	const op = "CreateTargetGroup"
	name := c.In.String("name")
	if c.Clash("name") != nil {
		return elb(op, "DuplicateTargetGroupName", "A target group with the same name '%s' exists, but with different settings", name)
	}
	if vpc := c.In.String("vpcId"); vpc != "" && c.Find(vpcType, vpc) == nil {
		return elb(op, "ValidationError", "The VPC ID '%s' is not found", vpc)
	}
	if err := targetGroupHealth(c); err != nil {
		return err
	}
	suffix := fmt.Sprintf("targetgroup/%s/%s", name, c.Gen.Hex("tg", 16))
	c.ID = arn("elasticloadbalancing", c.Scope, suffix)
	c.Out["arn"], c.Out["arnSuffix"], c.Out["loadBalancerArns"] = c.ID, suffix, []any{}
	computed(c, "ipAddressType", "ipv4")
	computed(c, "loadBalancingAlgorithmType", "round_robin")
	computed(c, "loadBalancingCrossZoneEnabled", "use_load_balancer_configuration")
	if layer7(c.In.String("protocol")) {
		computed(c, "protocolVersion", "HTTP1")
	}
	return nil
}

func layer7(protocol string) bool {
	return strings.EqualFold(protocol, "HTTP") || strings.EqualFold(protocol, "HTTPS")
}

// targetGroupHealth refuses health checks and stickiness that do not fit.
func targetGroupHealth(c *cloud.Call) error {
	op := operation(c, "CreateTargetGroup", "ModifyTargetGroup")
	health, protocol := c.In.Object("healthCheck"), c.In.String("protocol")
	interval, timeout := health.Int("interval"), health.Int("timeout")
	if interval == 0 {
		interval = 30
	}
	if timeout >= interval {
		return elb(op, "ValidationError", "Health check timeout '%d' must be smaller than the interval '%d'", timeout, interval)
	}
	if m := health.String("matcher"); m != "" && c.In.String("protocolVersion") != "GRPC" && !httpCodes.MatchString(m) {
		return elb(op, "ValidationError", "Health check matcher HTTP code '%s' must be within '200-499' inclusive", m)
	}
	if p := health.String("port"); p != "" && p != "traffic-port" && (health.Int("port") < 1 || health.Int("port") > 65535) {
		return elb(op, "ValidationError", "Health check port '%s' must be 'traffic-port' or in the range 1-65535", p)
	}
	if layer7(protocol) && strings.EqualFold(health.String("protocol"), "TCP") {
		return elb(op, "ValidationError", "Health check protocol 'TCP' is not supported for target groups with the protocol %s", protocol)
	}
	sticky := c.In.Object("stickiness")
	if sticky == nil || sticky.Has("enabled") && !sticky.Bool("enabled") {
		return nil
	}
	cookie := slices.Contains([]string{"lb_cookie", "app_cookie"}, sticky.String("type"))
	if cookie != layer7(protocol) {
		return elb(op, "InvalidConfigurationRequest", "Stickiness type '%s' is not supported for target groups with the %s protocol", sticky.String("type"), protocol)
	}
	if sticky.String("type") == "app_cookie" {
		if name := sticky.String("cookieName"); name == "" || strings.HasPrefix(name, "AWSALB") {
			return elb(op, "InvalidConfigurationRequest", "The cookie name '%s' is not valid for application-based stickiness", name)
		}
	}
	return nil
}

func attachment() cloud.Type {
	return cloud.Type{
		Token: attachmentType,
		Create: func(c *cloud.Call) error {
			const op = "RegisterTargets"
			g := c.Find(targetGroupType, c.In.String("targetGroupArn"))
			if g == nil {
				return elb(op, "TargetGroupNotFound", "Target groups '%s' not found", c.In.String("targetGroupArn"))
			}
			id := c.In.String("targetId")
			switch g.Out.String("targetType") {
			case "ip":
				if err := targetAddress(c, g, id); err != nil {
					return err
				}
			case "alb":
				if c.Find(loadBalancerType, id) == nil {
					return elb(op, "InvalidTarget", "The load balancer '%s' does not exist", id)
				}
			case "lambda":
			default:
				if c.Find(instanceType, id) == nil {
					return elb(op, "InvalidTarget", "The following targets are not in a running state and cannot be registered: '%s'", id)
				}
			}
			c.ID = fmt.Sprintf("%s-%s", g.ID, c.Gen.Hex("attachment", 26))
			return nil
		},
	}
}

var privateRanges = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("100.64.0.0/10"),
}

// targetAddress refuses addresses that a target group of type ip does not take.
func targetAddress(c *cloud.Call, g *cloud.Resource, address string) error {
	const op = "RegisterTargets"
	a, err := netip.ParseAddr(address)
	if err != nil {
		return elb(op, "ValidationError", "The IP address '%s' is not a valid IPv4 address", address)
	}
	v := c.Find(vpcType, g.Out.String("vpcId"))
	if v != nil && block(v.Out.String("cidrBlock")).Contains(a) {
		return nil
	}
	private := slices.ContainsFunc(privateRanges, func(p netip.Prefix) bool { return p.Contains(a) })
	if private && c.In.String("availabilityZone") == "all" {
		return nil
	}
	return elb(op, "InvalidTarget", "You must specify an Availability Zone for the IP address '%s': it is outside the VPC", address)
}
