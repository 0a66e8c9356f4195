package serving

import (
	"strings"
	"time"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const healthCheckType = "aws:route53/healthCheck:HealthCheck"

// choose picks among the records of a name and type as Route 53 does.
func (v *view) choose(zone *cloud.Resource, list []*cloud.Resource, y way) []Target {
	if len(list) == 0 {
		return nil
	}
	if len(list) == 1 && list[0].Out.String("setIdentifier") == "" {
		return v.record(zone, list[0], y)
	}
	weights, err := weigh(list)
	if err != "" {
		return y.dead("", "", "%s: %s", list[0].Out.String("fqdn"), err)
	}
	healthy, ill := make([]bool, len(list)), make([]string, len(list))
	for i, r := range list {
		ill[i] = v.ill(zone, r)
		healthy[i] = ill[i] == ""
	}
	nominal, actual := shares(weights, nil), shares(weights, healthy)
	var out []Target
	for i, r := range list {
		one := y.part(actual[i])
		dropped := nominal[i] > 0 && actual[i] == 0 && !healthy[i]
		if dropped {
			one = y.part(nominal[i])
		}
		if one.share == 0 {
			continue
		}
		one.notice = v.notices(r)
		for _, t := range v.record(zone, r, one) {
			if t.Out = t.Out || dropped; dropped && t.Answers() {
				t.Why = ill[i]
			}
			out = append(out, t)
		}
	}
	return out
}

// shares says how much of the questions each record answers. Route 53 answers with something whenever it
// can: with what has weight 0 when everything else is dead, and with the dead when everything is. All are
// healthy when healthy is nil.
func shares(weights []float64, healthy []bool) []float64 {
	out := make([]float64, len(weights))
	for _, take := range []func(i int) float64{
		func(i int) float64 { return weights[i] * float(healthy == nil || healthy[i]) },
		func(i int) float64 { return float(healthy == nil || healthy[i]) },
		func(i int) float64 { return weights[i] },
		func(int) float64 { return 1 },
	} {
		total := 0.0
		for i := range weights {
			out[i] = take(i)
			total += out[i]
		}
		if total == 0 {
			continue
		}
		for i := range out {
			out[i] /= total
		}
		break
	}
	return out
}

func float(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// weigh gives each record its weight. Records by latency weigh the same: nobody knows where clients are.
func weigh(list []*cloud.Resource) (out []float64, err string) {
	weighted, latency := 0, 0
	for _, r := range list {
		switch {
		case len(r.Out.Objects("weightedRoutingPolicies")) > 0:
			weighted++
			out = append(out, r.Out.Objects("weightedRoutingPolicies")[0].Float("weight"))
		case len(r.Out.Objects("latencyRoutingPolicies")) > 0:
			latency++
			out = append(out, 1)
		}
	}
	if len(out) != len(list) || weighted > 0 && latency > 0 {
		return nil, "only weighted and latency records are followed here, and not both under one name"
	}
	return out, ""
}

// ill says why Route 53 takes a record for dead; "" when it does not, as without any health check.
func (v *view) ill(zone, r *cloud.Resource) string {
	if id := r.Out.String("healthCheckId"); id != "" {
		for _, check := range v.world.All("", healthCheckType) {
			if check.ID == id && !v.passes(check) {
				return "its health check " + named(check) + " fails"
			}
		}
	}
	for _, alias := range r.Out.Objects("aliases") {
		if !alias.Bool("evaluateTargetHealth") {
			continue
		}
		if why := v.aliasIll(zone, strings.TrimSuffix(alias.String("name"), "."), alias.String("zoneId")); why != "" {
			return "the record evaluates its target's health, and " + why
		}
	}
	return ""
}

// aliasIll is the health that an alias takes over from its target.
func (v *view) aliasIll(zone *cloud.Resource, name, in string) string {
	if lb := v.balancerOf(name); lb != nil {
		return v.balancerIll(lb)
	}
	if in != zone.ID {
		return ""
	}
	why := "there is no record " + name
	for _, r := range v.world.All("", recordType) {
		if r.Out.String("zoneId") == zone.ID && strings.EqualFold(r.Out.String("fqdn"), name) && r.Out.String("type") == v.addressType() {
			if why = v.ill(zone, r); why == "" {
				return ""
			}
		}
	}
	return why
}

// passes says whether a health check succeeds: whether what it asks answers. One that is judged already
// asks for its own name; it does not decide then.
func (v *view) passes(check *cloud.Resource) bool {
	for _, id := range v.checking {
		if id == check.ID {
			return true
		}
	}
	if !strings.HasPrefix(check.Out.String("type"), "HTTP") || check.Out.Bool("disabled") {
		return true
	}
	asked := *v
	asked.checking = append(append([]string{}, v.checking...), check.ID)
	asked.host, asked.method, asked.path = check.Out.String("fqdn"), "GET", check.Out.String("resourcePath")
	var targets []Target
	if ip := check.Out.String("ipAddress"); ip != "" {
		targets = asked.address(ip, way{share: 1})
	} else {
		targets = asked.follow(asked.host, way{share: 1})
	}
	for _, t := range targets {
		if t.Answers() && t.Share > 0 {
			return !check.Out.Bool("invertHealthcheck")
		}
	}
	return check.Out.Bool("invertHealthcheck")
}

// notices is how long the record's health check takes to notice that its target is dead.
func (v *view) notices(r *cloud.Resource) time.Duration {
	for _, check := range v.world.All("", healthCheckType) {
		if id := r.Out.String("healthCheckId"); id != "" && check.ID == id {
			return time.Duration(check.Out.Int("requestInterval")*check.Out.Int("failureThreshold")) * time.Second
		}
	}
	for _, alias := range r.Out.Objects("aliases") {
		if alias.Bool("evaluateTargetHealth") {
			return time.Minute // the load balancer's own checks, which are at least that fast here
		}
	}
	return 0
}
