package verdict

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/policy/durability"
	"github.com/morphee-app/morphee-infra/policy/packs"
	"github.com/morphee-app/morphee-infra/policy/rule"
)

// fill puts what the judge has found into the result: next to what other packs have.
func (j *Judge) fill(result *sim.Result) {
	all := rule.Merge(j.found, j.steps)
	p := &result.Policies
	p.Violations = append(p.Violations, convert(all.Violations)...)
	p.Exceptions = append(p.Exceptions, convert(all.Excepted)...)
	p.Exceptions = append(p.Exceptions, j.accepted(p.Exceptions)...)
	p.Undetermined = append(p.Undetermined, convert(all.Undetermined)...)
	for _, list := range [][]sim.Violation{p.Violations, p.Exceptions, p.Undetermined} {
		slices.SortFunc(list, func(a, b sim.Violation) int {
			return cmp.Or(cmp.Compare(a.Pack, b.Pack), cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.URN, b.URN), cmp.Compare(a.Message, b.Message))
		})
	}
	p.Packs = slices.Compact(slices.Sorted(slices.Values(append(p.Packs, j.found.Packs...))))
	p.Rules, p.Checks = all.Rules, all.Checks
	if j.options.Partial {
		return // what an exception is for may not have been reached
	}
	for _, e := range j.found.Unused {
		if _, r, _ := packs.Find(e.Rule); r.Steps == nil {
			result.Warnings = append(result.Warnings, fmt.Sprintf("the exception from %s for %s accepts nothing: take it out of morphee:%s", e.Rule, e.Resource, rule.ExceptionsKey))
		}
	}
}

// accepted are the accepted losses that the rule about steps does not know: it is about data only.
func (j *Judge) accepted(have []sim.Violation) []sim.Violation {
	var out []sim.Violation
	for _, l := range j.losses {
		if l.Refused() || slices.ContainsFunc(have, func(v sim.Violation) bool { return v.Policy == durability.NotReplaced && v.URN == l.URN }) {
			continue
		}
		out = append(out, sim.Violation{
			Pack: durability.Pack.Name, Policy: durability.NotReplaced, Level: string(rule.Mandatory), URN: l.URN,
			Message: map[string]string{"delete": "is deleted", "replace": "is replaced"}[l.Op], Reason: l.Accepted,
		})
	}
	return out
}

func convert(list []rule.Finding) []sim.Violation {
	var out []sim.Violation
	for _, f := range list {
		one := sim.Violation{Pack: f.Pack, Policy: f.Rule, Level: string(f.Level), URN: f.URN, Message: f.Message}
		if f.Exception != nil {
			one.Reason, one.Until = f.Exception.Reason, f.Exception.Until
		}
		out = append(out, one)
	}
	return out
}
