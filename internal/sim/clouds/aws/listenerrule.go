package aws

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const (
	conditionValueQuota = 5   // values of all conditions of one rule
	wildcardQuota       = 6   // * and ? in all conditions of one rule
	rulesQuota          = 100 // rules per load balancer, defaults not counted
	certificateQuota    = 25  // certificates per load balancer, defaults not counted
)

var (
	hostPattern = regexp.MustCompile(`^[A-Za-z0-9.*?-]+$`)
	pathPattern = regexp.MustCompile(`^[A-Za-z0-9_.$/~"'@:+&*?-]+$`)
	// Any method may be named, but as it is sent: in capitals, and without wildcards.
	methodPattern = regexp.MustCompile(`^[A-Z_-]{1,40}$`)
	sourceKinds   = []string{"hostHeader", "httpHeader", "httpRequestMethod", "pathPattern", "queryStrings", "sourceIp"}
)

func listenerRule() cloud.Type {
	return cloud.Type{
		Token: listenerRuleType,
		Check: func(c *cloud.CheckCall) {
			checkActions(c, "actions", "action")
			for i, cond := range c.In.Objects("conditions") {
				n := 0
				for _, key := range sourceKinds {
					if cond.Has(key) {
						n++
					}
				}
				if n != 1 {
					c.Fail(fmt.Sprintf("conditions[%d]", i), "Exactly one of host_header, http_header, http_request_method, path_pattern, query_string or source_ip must be set in a condition, got %d", n)
				}
			}
			if p := c.In.Int("priority"); c.In.Known("priority") && (p < 1 || p > 50000) {
				c.Fail("priority", "expected priority to be in the range (1 - 50000), got %d", p)
			}
		},
		Create: createListenerRule,
		Update: func(c *cloud.Call) error { return checkListenerRule(c, "ModifyRule") },
		Takes:  cloud.Durations{Create: seconds(1), Update: seconds(1), Delete: seconds(1)},
	}
}

func createListenerRule(c *cloud.Call) error {
	const op = "CreateRule"
	if err := checkListenerRule(c, op); err != nil {
		return err
	}
	ref := c.In.String("listenerArn")
	c.ID = fmt.Sprintf("%s/%s", strings.Replace(ref, ":listener/", ":listener-rule/", 1), c.Gen.Hex("rule", 16))
	c.Out["arn"] = c.ID
	highest := 0
	for _, r := range rulesOfListener(c, ref) {
		highest = max(highest, r.Out.Int("priority"))
	}
	computed(c, "priority", highest+1)
	return nil
}

func rulesOfListener(c *cloud.Call, listener string) []*cloud.Resource {
	return slices.DeleteFunc(slices.Clone(c.All(listenerRuleType)), func(r *cloud.Resource) bool { return r.Out.String("listenerArn") != listener })
}

func checkListenerRule(c *cloud.Call, op string) error {
	ref := c.In.String("listenerArn")
	l := c.Find(listenerType, ref)
	if l == nil {
		return elb(op, "ListenerNotFound", "Listener '%s' not found", ref)
	}
	lb := c.Find(loadBalancerType, l.Out.String("loadBalancerArn"))
	if lb == nil || lb.Out.String("loadBalancerType") == "network" {
		return elb(op, "UnsupportedOperation", "Rules are unsupported for this listener")
	}
	others := rulesOfListener(c, ref)
	if len(others) >= rulesQuota {
		return elb(op, "TooManyRules", "The maximum number of rules on load balancer '%s' has been reached", lb.ID)
	}
	for _, r := range others {
		if c.In.Has("priority") && r.Out.Int("priority") == c.In.Int("priority") {
			return elb(op, "PriorityInUse", "Priority '%d' is currently in use", c.In.Int("priority"))
		}
	}
	if err := ruleConditions(c, op); err != nil {
		return err
	}
	return checkTargets(c, op, lb, c.In.Objects("actions"), l.Out.String("protocol"), l.Out.String("port"))
}

func ruleConditions(c *cloud.Call, op string) error {
	values, wildcards := 0, 0
	seen := map[string]bool{}
	for _, cond := range c.In.Objects("conditions") {
		key := sourceKinds[slices.IndexFunc(sourceKinds, cond.Has)] // Check wants exactly one
		if seen[key] && key != "httpHeader" && key != "queryStrings" {
			return elb(op, "ValidationError", "A rule can only have one '%s' condition", kebab(key))
		}
		seen[key] = true
		list := cond.Strings(key + ".values")
		for _, pair := range cond.Objects("queryStrings") {
			list = append(list, pair.String("value"))
			if len(pair.String("key")) > 128 {
				return elb(op, "ValidationError", "Condition value '%s' must be at most 128 characters long", pair.String("key"))
			}
			wildcards += countWildcards(pair.String("key"))
		}
		if err := conditionValues(op, key, list); err != nil {
			return err
		}
		values += len(list)
		for _, v := range list {
			wildcards += countWildcards(v)
		}
	}
	switch {
	case values > conditionValueQuota:
		return elb(op, "ValidationError", "A rule can only have '%d' condition values", conditionValueQuota)
	case wildcards > wildcardQuota:
		return elb(op, "ValidationError", "A rule can only have '%d' condition wildcards", wildcardQuota)
	}
	return nil
}

func countWildcards(s string) int { return strings.Count(s, "*") + strings.Count(s, "?") }

func conditionValues(op, key string, values []string) error {
	form := map[string]*regexp.Regexp{"hostHeader": hostPattern, "pathPattern": pathPattern, "httpRequestMethod": methodPattern}[key]
	if len(values) == 0 {
		return elb(op, "ValidationError", "A condition value must be specified")
	}
	for _, v := range values {
		switch {
		case v == "":
			return elb(op, "ValidationError", "A condition value must be specified")
		case len(v) > 128:
			return elb(op, "ValidationError", "Condition value '%s' must be at most 128 characters long", v)
		case form != nil && !form.MatchString(v):
			return elb(op, "ValidationError", "Condition value '%s' contains a character that is not valid", v)
		case key == "sourceIp" && !block(v).IsValid():
			return elb(op, "ValidationError", "The source IP '%s' must be in CIDR format", v)
		}
	}
	return nil
}

// kebab writes hostHeader as host-header.
func kebab(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('-')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

func listenerCertificate() cloud.Type {
	return cloud.Type{
		Token: listenerCertificateType,
		Create: func(c *cloud.Call) error {
			const op = "AddListenerCertificates"
			ref := c.In.String("listenerArn")
			l := c.Find(listenerType, ref)
			if l == nil {
				return elb(op, "ListenerNotFound", "Listener '%s' not found", ref)
			}
			if p := l.Out.String("protocol"); p != "HTTPS" && p != "TLS" {
				return elb(op, "OperationNotPermitted", "Certificates can be added to HTTPS and TLS listeners only")
			}
			count := 0
			for _, other := range c.All(listenerCertificateType) {
				if at := c.Find(listenerType, other.Out.String("listenerArn")); at != nil && at.Out.String("loadBalancerArn") == l.Out.String("loadBalancerArn") {
					count++
				}
			}
			if count >= certificateQuota {
				return elb(op, "TooManyCertificates", "The maximum number of certificates for load balancer '%s' has been reached", l.Out.String("loadBalancerArn"))
			}
			c.ID = ref + "_" + c.In.String("certificateArn")
			return listenerCert(c, op, c.In.String("certificateArn"))
		},
	}
}
