package sim

import (
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/morphee-app/morphee-infra/internal/sim/provider"
)

// step is one engine step with what it depends on, for the estimate.
type step struct {
	urn    string
	typ    string
	kind   string // create, update, delete
	needs  []string
	inputs resource.PropertyMap
}

// estimate is the real duration along the critical path: what can run at once does.
func (r *Result) estimate(seen *observed, s *provider.Simulator) {
	var total time.Duration
	for _, deleting := range []bool{false, true} {
		total += criticalPath(seen.steps, deleting, s)
	}
	r.EstimatedSeconds = total.Seconds()
}

func criticalPath(steps []step, deleting bool, s *provider.Simulator) time.Duration {
	byURN := map[string]step{}
	users := map[string][]string{}
	for _, st := range steps {
		if (st.kind == "delete") == deleting {
			byURN[st.urn] = st
		}
	}
	for _, st := range byURN {
		for _, need := range st.needs {
			users[need] = append(users[need], st.urn)
		}
	}
	memo := map[string]time.Duration{}
	var finish func(urn string) time.Duration
	finish = func(urn string) time.Duration {
		if d, ok := memo[urn]; ok {
			return d
		}
		st, ok := byURN[urn]
		if !ok {
			return 0
		}
		memo[urn] = 0 // the state is a graph without cycles; this only guards
		before := st.needs
		if deleting {
			before = users[urn]
		}
		var wait time.Duration
		for _, b := range before {
			wait = max(wait, finish(b))
		}
		memo[urn] = wait + s.TakesFor(st.typ, st.kind, st.inputs)
		return memo[urn]
	}
	var longest time.Duration
	for urn := range byURN {
		longest = max(longest, finish(urn))
	}
	return longest
}
