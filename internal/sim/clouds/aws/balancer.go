package aws

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// balancerTypes are load balancers and what hangs on them.
func balancerTypes() []cloud.Type {
	return []cloud.Type{loadBalancer(), targetGroup(), listener(), listenerRule(), listenerCertificate(), attachment()}
}

// elb is an error of the Elastic Load Balancing API.
func elb(operation, code, format string, args ...any) error {
	return refuse("Elastic Load Balancing v2", operation, code, format, args...)
}

var balancerName = regexp.MustCompile(`^[0-9A-Za-z-]*$`)

// checkBalancerName holds the provider's checks of the names of load balancers and target groups.
func checkBalancerName(c *cloud.CheckCall, property string) {
	name := c.In.String(property)
	if name == "" {
		return
	}
	switch limit := map[string]int{"name": 32, "namePrefix": 6}[property]; {
	case len(name) > limit:
		c.Fail(property, "%q cannot be longer than %d characters: %q has %d", property, limit, name, len(name))
	case !balancerName.MatchString(name):
		c.Fail(property, "only alphanumeric characters and hyphens allowed in %q: %q", property, name)
	case strings.HasPrefix(name, "-"):
		c.Fail(property, "%q cannot begin with a hyphen: %q", property, name)
	case property == "name" && strings.HasSuffix(name, "-"):
		c.Fail(property, "%q cannot end with a hyphen: %q", property, name)
	case c.Type == loadBalancerType && strings.HasPrefix(name, "internal-"):
		c.Fail(property, "%q cannot begin with \"internal-\": %q", property, name)
	}
}

func loadBalancer() cloud.Type {
	return cloud.Type{
		Token: loadBalancerType,
		Check: func(c *cloud.CheckCall) {
			checkBalancerName(c, "name")
			checkBalancerName(c, "namePrefix")
			if c.In.Known("idleTimeout") && (c.In.Int("idleTimeout") < 1 || c.In.Int("idleTimeout") > 4000) {
				c.Fail("idleTimeout", "expected idle_timeout to be in the range (1 - 4000), got %d", c.In.Int("idleTimeout"))
			}
			if c.In.Known("clientKeepAlive") && (c.In.Int("clientKeepAlive") < 60 || c.In.Int("clientKeepAlive") > 604800) {
				c.Fail("clientKeepAlive", "expected client_keep_alive to be in the range (60 - 604800), got %d", c.In.Int("clientKeepAlive"))
			}
		},
		Create: createBalancer,
		Update: func(c *cloud.Call) error {
			if err := balancerPlace(c, "SetSubnets"); err != nil {
				return err
			}
			return balancerLogs(c)
		},
		Delete: func(c *cloud.Call) error {
			if c.Old.Bool("enableDeletionProtection") {
				return elb("DeleteLoadBalancer", "OperationNotPermitted", "Load balancer '%s' cannot be deleted because deletion protection is enabled", c.ID)
			}
			return nil
		},
		Replaces: balancerReplaces,
		Takes:    cloud.Durations{Create: minutes(3), Update: seconds(15), Delete: seconds(20)},
	}
}

func createBalancer(c *cloud.Call) error {
	const op = "CreateLoadBalancer"
	name := c.In.String("name")
	if c.Clash("name") != nil {
		return elb(op, "DuplicateLoadBalancerName", "A load balancer with the same name '%s' exists, but with different settings", name)
	}
	if err := balancerPlace(c, op); err != nil {
		return err
	}
	if err := balancerLogs(c); err != nil {
		return err
	}
	kind, hash := c.In.String("loadBalancerType"), c.Gen.Hex("lb", 16)
	prefix := map[string]string{"network": "net", "gateway": "gwy"}[kind]
	if prefix == "" {
		prefix = "app"
	}
	suffix := fmt.Sprintf("%s/%s/%s", prefix, name, hash)
	c.ID = arn("elasticloadbalancing", c.Scope, "loadbalancer/"+suffix)
	c.Out["arn"], c.Out["arnSuffix"] = c.ID, suffix
	computed(c, "internal", false)
	computed(c, "ipAddressType", "ipv4")
	r, host := regions[c.Scope], name
	if c.In.Bool("internal") {
		host = "internal-" + name
	}
	if kind == "network" {
		c.Out["dnsName"] = fmt.Sprintf("%s-%s.elb.%s.amazonaws.com", name, hash, c.Scope)
		c.Out["zoneId"] = r.nlb
	} else {
		c.Out["dnsName"] = strings.ToLower(fmt.Sprintf("%s-%d.%s.elb.amazonaws.com", host, c.Gen.Number("dns", 100000000, 2147483647), c.Scope))
		c.Out["zoneId"] = r.alb
		if len(c.In.Strings("securityGroups")) == 0 {
			c.Out["securityGroups"] = defaultGroup(c, c.Out.String("vpcId"))
		}
	}
	return nil
}

// balancerSubnets are the subnets that a load balancer is put into, by either property.
func balancerSubnets(o cloud.Object) []string {
	if ids := o.Strings("subnets"); len(ids) > 0 {
		return ids
	}
	var out []string
	for _, m := range o.Objects("subnetMappings") {
		out = append(out, m.String("subnetId"))
	}
	return out
}

// balancerPlace refuses subnets and security groups that a load balancer cannot be in.
func balancerPlace(c *cloud.Call, op string) error {
	p := place(c.World, c.Scope, balancerSubnets(c.In))
	kind := c.In.String("loadBalancerType")
	switch {
	case len(p.missing) > 0:
		return elb(op, "SubnetNotFound", "The subnet ID '%s' does not exist", p.missing[0])
	case len(p.vpcs) > 1:
		return elb(op, "InvalidConfigurationRequest", "All subnets must belong to the same VPC: '%s'", p.vpcs[0])
	case p.sharing != "":
		return elb(op, "InvalidConfigurationRequest", "A load balancer cannot be attached to multiple subnets in the same Availability Zone")
	case kind != "network" && kind != "gateway" && len(p.zones) < 2:
		return elb(op, "ValidationError", "At least two subnets in two different Availability Zones must be specified")
	case len(p.vpcs) == 0:
		return elb(op, "ValidationError", "At least one subnet must be specified")
	}
	vpc := p.vpcs[0]
	if !c.In.Bool("internal") && !hasInternetGateway(c.World, c.Scope, vpc) {
		return elb(op, "InvalidSubnet", "VPC %s has no internet gateway", vpc)
	}
	for _, s := range p.subnets {
		if block(s.Out.String("cidrBlock")).Bits() > 27 {
			return elb(op, "InvalidSubnet", "Not enough IP space available in %s. ELB requires at least 8 free IP addresses in each subnet.", s.ID)
		}
	}
	if g, _ := misplacedGroup(c.World, c.Scope, c.In.Strings("securityGroups"), vpc); g != "" {
		return elb(op, "InvalidConfigurationRequest", "One or more security groups are invalid: %s is not in VPC '%s'", g, vpc)
	}
	for _, m := range c.In.Objects("subnetMappings") {
		id := m.String("allocationId")
		if id == "" {
			continue
		}
		if kind != "network" || c.In.Bool("internal") {
			return elb(op, "ValidationError", "Elastic IPs are not supported for load balancers with type '%s' and scheme '%s'", orText(kind, "application"), scheme(c.In))
		}
		if c.Find(eipType, id) == nil {
			return elb(op, "AllocationIdNotFound", "The allocation ID '%s' does not exist", id)
		}
	}
	c.Out["vpcId"] = vpc
	return nil
}

func scheme(o cloud.Object) string {
	if o.Bool("internal") {
		return "internal"
	}
	return "internet-facing"
}

func orText(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// balancerLogs refuses a log bucket that the load balancer cannot write to. It writes a test object
// when logging is switched on, so the bucket, its policy and its encryption must be there already.
func balancerLogs(c *cloud.Call) error {
	const op = "ModifyLoadBalancerAttributes"
	for _, key := range []string{"accessLogs", "connectionLogs"} {
		logs := c.In.Object(key)
		if !logs.Bool("enabled") {
			continue
		}
		name := logs.String("bucket")
		b := bucket(c, name)
		if b == nil {
			return elb(op, "InvalidConfigurationRequest", "The specified bucket '%s' does not exist", name)
		}
		if b.Scope != c.Scope {
			return elb(op, "InvalidConfigurationRequest", "Bucket: %s is not in the region of the load balancer (%s, not %s)", name, b.Scope, c.Scope)
		}
		if strings.Contains(logs.String("prefix"), "AWSLogs") {
			return elb(op, "InvalidConfigurationRequest", "The S3 prefix '%s' must not include AWSLogs", logs.String("prefix"))
		}
		if reason := logsDenied(c, b); reason != "" {
			return elb(op, "InvalidConfigurationRequest", "Access Denied for bucket: %s. Please check S3bucket permission (%s)", name, reason)
		}
	}
	return nil
}

// logsDenied says why load balancer logs cannot be written to the bucket, or "".
func logsDenied(c *cloud.Call, b *cloud.Resource) string {
	for _, e := range c.All("aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2") {
		if e.Out.String("bucket") != b.ID {
			continue
		}
		for _, r := range e.Out.Objects("rules") {
			algorithm := r.String("applyServerSideEncryptionByDefault.sseAlgorithm")
			if c.In.String("loadBalancerType") != "network" && strings.HasPrefix(algorithm, "aws:kms") {
				return "its default encryption is " + algorithm + "; application load balancers write to SSE-S3 buckets only"
			}
		}
	}
	text := policyText(b.Out.Get("policy"))
	for _, p := range c.All("aws:s3/bucketPolicy:BucketPolicy") {
		if p.Out.String("bucket") == b.ID {
			text += policyText(p.Out.Get("policy"))
		}
	}
	for _, writer := range []string{"logdelivery.elasticloadbalancing.amazonaws.com", "delivery.logs.amazonaws.com", regions[c.Scope].elbUser} {
		if writer != "" && strings.Contains(text, writer) && (strings.Contains(text, "s3:PutObject") || strings.Contains(text, "s3:*")) {
			return ""
		}
	}
	return "its policy does not let logdelivery.elasticloadbalancing.amazonaws.com put objects"
}

// balancerReplaces is the provider's plan-time logic: network load balancers keep their subnets
// unless some are added, and security groups cannot come or go as a whole.
func balancerReplaces(old, new cloud.Object) []string {
	var out []string
	network := old.String("loadBalancerType") == "network"
	if network && new.Known("subnets") && old.Has("subnets") {
		a, b := old.Strings("subnets"), new.Strings("subnets")
		if !sameSet(a, b) && len(b) <= len(a) {
			out = append(out, "subnets")
		}
	}
	if network && (len(old.List("securityGroups")) == 0) != (len(new.List("securityGroups")) == 0) {
		out = append(out, "securityGroups")
	}
	if old.Has("subnetMappings") && new.Known("subnetMappings") {
		a, b := mappingKeys(old), mappingKeys(new)
		kept := len(b) > len(a) && subset(a, b)
		if !network {
			kept = subset(a, b) || subset(b, a)
		}
		if !sameSet(a, b) && !kept {
			out = append(out, "subnetMappings")
		}
	}
	return out
}

func mappingKeys(o cloud.Object) []string {
	var out []string
	for _, m := range o.Objects("subnetMappings") {
		out = append(out, m.String("subnetId")+m.String("allocationId")+m.String("privateIpv4Address"))
	}
	return out
}

func subset(a, b []string) bool {
	return !slices.ContainsFunc(a, func(s string) bool { return !slices.Contains(b, s) })
}

func sameSet(a, b []string) bool { return subset(a, b) && subset(b, a) }
