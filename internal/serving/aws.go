package serving

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const (
	balancerType     = "aws:lb/loadBalancer:LoadBalancer"
	listenerType     = "aws:lb/listener:Listener"
	ruleType         = "aws:lb/listenerRule:ListenerRule"
	targetGroupType  = "aws:lb/targetGroup:TargetGroup"
	serviceType      = "aws:ecs/service:Service"
	taskType         = "aws:ecs/taskDefinition:TaskDefinition"
	certificateType  = "aws:acm/certificate:Certificate"
	distributionType = "aws:cloudfront/distribution:Distribution"
	bucketPolicyType = "aws:s3/bucketPolicy:BucketPolicy"
	ingressType      = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
)

// balancerOf finds the load balancer with a DNS name; nil for other names.
func (v *view) balancerOf(name string) *cloud.Resource {
	if !strings.HasSuffix(name, ".amazonaws.com") {
		return nil
	}
	for _, lb := range v.world.All("", balancerType) {
		if strings.EqualFold(lb.Out.String("dnsName"), name) {
			return lb
		}
	}
	return nil
}

// balancer asks a load balancer.
func (v *view) balancer(lb *cloud.Resource, y way) []Target {
	place, name := lb.Scope, named(lb)
	y = y.to("load balancer "+name+" in "+place, lb.URN).answered(lb.Out.String("dnsName"))
	if v.family != "ipv4" && !strings.HasPrefix(lb.Out.String("ipAddressType"), "dualstack") {
		return nil // its name has no such address
	}
	if !v.open[open(lb.URN, v.family)] {
		return y.dead(AWS, place, "no security group lets HTTPS in to load balancer %s", name)
	}
	var listener *cloud.Resource
	for _, l := range v.world.All(place, listenerType) {
		if l.Out.String("loadBalancerArn") == lb.ID && l.Out.Int("port") == 443 && l.Out.String("protocol") == "HTTPS" {
			listener = l
		}
	}
	if listener == nil {
		return y.dead(AWS, place, "load balancer %s does not listen on port 443", name)
	}
	if why := v.certified(listener.Out.String("certificateArn")); why != "" && len(v.checking) == 0 {
		// Health checks of Route 53 do not look at certificates.
		return y.dead(AWS, place, "%s", why)
	}
	return v.act(lb, v.action(listener), y)
}

// certified says why a certificate is not good for the host.
func (v *view) certified(arn string) string {
	for _, c := range v.world.All("", certificateType) {
		if c.ID != arn {
			continue
		}
		if status := c.Out.String("status"); status != "ISSUED" {
			return "certificate " + named(c) + " is " + status
		}
		if !covers(append(c.Out.Strings("subjectAlternativeNames"), c.Out.String("domainName")), v.host) {
			return "certificate " + named(c) + " is not for " + v.host
		}
		return ""
	}
	return "there is no certificate " + arn
}

// covers says whether one of the names is the host, or a wildcard for it.
func covers(names []string, host string) bool {
	_, parent, _ := strings.Cut(host, ".")
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, host) || strings.EqualFold(n, "*."+parent) })
}

// action is what a listener does with the request: the first rule that fits decides.
func (v *view) action(listener *cloud.Resource) cloud.Object {
	var rules []*cloud.Resource
	for _, r := range v.world.All(listener.Scope, ruleType) {
		if r.Out.String("listenerArn") == listener.ID && v.fits(r.Out.Objects("conditions")) {
			rules = append(rules, r)
		}
	}
	slices.SortFunc(rules, func(a, b *cloud.Resource) int { return cmp.Compare(a.Out.Int("priority"), b.Out.Int("priority")) })
	list := listener.Out.Objects("defaultActions")
	if len(rules) > 0 {
		list = rules[0].Out.Objects("actions")
	}
	for _, a := range list {
		if a.String("type") != "" {
			return a
		}
	}
	return cloud.Object{}
}

// fits says whether all conditions of a rule fit the request. One that is not known here does not.
func (v *view) fits(conditions []cloud.Object) bool {
	for _, c := range conditions {
		ok := false
		for kind, value := range map[string]string{"hostHeader": v.host, "pathPattern": v.path, "httpRequestMethod": v.method} {
			for _, pattern := range c.Strings(kind + ".values") {
				hit, err := path.Match(strings.ReplaceAll(pattern, "/", "\x01"), strings.ReplaceAll(value, "/", "\x01"))
				ok = ok || err == nil && hit
			}
		}
		if !ok {
			return false
		}
	}
	return true
}

func (v *view) act(lb *cloud.Resource, a cloud.Object, y way) []Target {
	place, name := lb.Scope, named(lb)
	if a.String("type") != "forward" {
		return y.dead(AWS, place, "load balancer %s answers %s to %s for %s", name, cmp.Or(a.String("fixedResponse.statusCode"), a.String("type"), "nothing"), v.method, v.host)
	}
	group := cmp.Or(a.String("targetGroupArn"), a.String("forward.targetGroups.0.arn"))
	services, why := v.registered(lb, group)
	if why != "" {
		return y.dead(AWS, place, "%s", why)
	}
	var names, urns []string
	for _, s := range services {
		names, urns = append(names, named(s)), append(urns, s.URN)
	}
	return []Target{y.to("service "+strings.Join(names, " or "), urns...).end(AWS, place)}
}

// registered are the services whose tasks answer in a target group.
func (v *view) registered(lb *cloud.Resource, group string) (out []*cloud.Resource, why string) {
	g := v.world.Find(lb.Scope, targetGroupType, group)
	if g == nil {
		return nil, "there is no target group " + group
	}
	why = "no service is registered in target group " + named(g)
	for _, s := range v.world.All(lb.Scope, serviceType) {
		for _, at := range s.Out.Objects("loadBalancers") {
			if at.String("targetGroupArn") != g.ID {
				continue
			}
			if reason := v.idle(lb, s, at.Int("containerPort")); reason != "" {
				why = reason
				continue
			}
			out = append(out, s)
		}
	}
	if len(out) > 0 {
		why = ""
	}
	return out, why
}

// idle says why a service's tasks answer nothing that the load balancer hands on.
func (v *view) idle(lb, s *cloud.Resource, port int) string {
	switch {
	case s.Out.Int("desiredCount") < 1:
		return "service " + named(s) + " runs no task"
	case !s.Out.Bool("waitForSteadyState"):
		return "nobody waits until the tasks of service " + named(s) + " are healthy"
	case v.world.Find(s.Scope, taskType, s.Out.String("taskDefinition")) == nil:
		return "the task definition of service " + named(s) + " is gone"
	}
	for _, r := range v.world.All(s.Scope, ingressType) {
		from, to := r.Out.Int("fromPort"), r.Out.Int("toPort")
		any := r.Out.String("ipProtocol") == "-1"
		source := slices.Contains(lb.Out.Strings("securityGroups"), r.Out.String("referencedSecurityGroupId")) || r.Out.String("cidrIpv4") != ""
		if slices.Contains(s.Out.Strings("networkConfiguration.securityGroups"), r.Out.String("securityGroupId")) && source && (any || from <= port && port <= to) {
			return ""
		}
	}
	return "no security group lets load balancer " + named(lb) + " in to service " + named(s)
}

// balancerIll says why a load balancer is dead to a record that evaluates its health: each of its target
// groups needs a target that answers. AWS says of an empty group that it counts as unhealthy.
func (v *view) balancerIll(lb *cloud.Resource) string {
	groups := v.groups(lb)
	for _, group := range groups {
		if _, why := v.registered(lb, group); why != "" {
			return why
		}
	}
	if len(groups) == 0 {
		return "load balancer " + named(lb) + " has no target group"
	}
	return ""
}

// groups are the target groups that a load balancer's listeners and rules lead to.
func (v *view) groups(lb *cloud.Resource) []string {
	var out []string
	add := func(actions []cloud.Object) {
		for _, a := range actions {
			if g := cmp.Or(a.String("targetGroupArn"), a.String("forward.targetGroups.0.arn")); g != "" && !slices.Contains(out, g) {
				out = append(out, g)
			}
		}
	}
	for _, l := range v.world.All(lb.Scope, listenerType) {
		if l.Out.String("loadBalancerArn") != lb.ID {
			continue
		}
		add(l.Out.Objects("defaultActions"))
		for _, r := range v.world.All(lb.Scope, ruleType) {
			if r.Out.String("listenerArn") == l.ID {
				add(r.Out.Objects("actions"))
			}
		}
	}
	return out
}
