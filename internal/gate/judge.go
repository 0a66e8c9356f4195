package gate

import (
	"fmt"

	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/report"
	"github.com/morphee-app/morphee-infra/internal/safety"
	"github.com/morphee-app/morphee-infra/internal/verdict"
	"github.com/morphee-app/morphee-infra/policy/packs"
	"github.com/morphee-app/morphee-infra/policy/rule"
	"github.com/morphee-app/morphee-infra/policy/snapshot"
)

// judge asks the policies about the stack after the change and about the steps that lead there, and
// finds out what becomes of everything stateful.
func judge(s *report.Stack, before, after []deployment.Resource, options rule.Options) error {
	is, err := rule.Evaluate(packs.All(), resources(after), options)
	if err != nil {
		return err
	}
	was := is
	if s.Counts.Any() || len(s.Errors) > 0 {
		if was, err = rule.Evaluate(packs.All(), resources(before), options); err != nil {
			return err
		}
	}
	protected := map[string]bool{}
	for _, r := range before {
		protected[r.URN] = r.Protect
	}
	var steps []rule.Step
	for _, c := range s.Changes {
		steps = append(steps, rule.Step{URN: c.URN, Type: c.Type, Name: c.Name, Op: c.Op, Replaces: c.Forces, Protected: protected[c.URN]})
	}
	of, err := rule.CheckSteps(packs.All(), steps, options)
	if err != nil {
		return err
	}
	s.Policies = policies(is, of, was)
	accepted := map[string]string{}
	for _, f := range of.Excepted {
		accepted[f.URN] = f.Exception.Reason
	}
	s.Hold(before, after, options.Disposable(), func(urn string) string { return accepted[urn] })
	return nil
}

// leaps finds the step of the move to AWS that a change leaves out. Of a change that cannot be carried out
// the stack after it is not known.
func leaps(s *report.Stack, before, after []deployment.Resource, options rule.Options) {
	o := verdict.Safety(options)
	if o.Disposable || len(s.Errors) > 0 {
		return
	}
	if err := safety.Leap(safety.StandingOf(before), safety.StandingOf(after), o.Copied); err != nil {
		s.Errors = append(s.Errors, err.Error())
	}
}

func policies(is, of, was rule.Report) *report.Policies {
	type key struct{ rule, urn, message string }
	old := map[key]bool{}
	for _, f := range was.Violations {
		old[key{f.Rule, f.URN, f.Message}] = true
	}
	// An exception for a step rule is used by the steps alone, and one for another rule by the
	// resources alone; it is unused when neither uses it.
	usedByStep := map[string]bool{}
	for _, f := range of.Excepted {
		usedByStep[f.Rule+" "+f.Exception.Resource] = true
	}
	all := rule.Merge(is, of)
	out := &report.Policies{Packs: is.Packs, Rules: all.Rules, Checks: all.Checks}
	convert := func(list []rule.Finding) []report.Finding {
		found := []report.Finding{}
		for _, f := range list {
			one := report.Finding{Pack: f.Pack, Rule: f.Rule, Level: string(f.Level), URN: f.URN, Message: f.Message,
				New: !old[key{f.Rule, f.URN, f.Message}]}
			if _, r, ok := packs.Find(f.Rule); ok {
				one.Mend = r.Mend
			}
			if f.Exception != nil {
				one.Reason, one.Until = f.Exception.Reason, f.Exception.Until
			}
			found = append(found, one)
		}
		return found
	}
	out.Violations, out.Exceptions, out.Undetermined = convert(all.Violations), convert(all.Excepted), convert(all.Undetermined)
	for _, e := range is.Unused {
		if !usedByStep[e.Rule+" "+e.Resource] {
			out.Unused = append(out.Unused, fmt.Sprintf("%s for %s: %s", e.Rule, e.Resource, e.Reason))
		}
	}
	return out
}

// resources turns a deployment into what rules look at. What a preview does not know yet is unknown.
func resources(list []deployment.Resource) []*rule.Resource {
	out := snapshot.Resources(list)
	for _, r := range out {
		r.Inputs, _ = unknown(r.Inputs).(map[string]any)
		r.Outputs, _ = unknown(r.Outputs).(map[string]any)
	}
	return out
}

func unknown(v any) any {
	switch v := v.(type) {
	case string:
		if v == report.Unknown {
			return rule.Unknown{}
		}
	case rule.Secret:
		return rule.Secret{V: unknown(v.V)}
	case map[string]any:
		for k, e := range v {
			v[k] = unknown(e)
		}
	case []any:
		for i, e := range v {
			v[i] = unknown(e)
		}
	}
	return v
}
