package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"

	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/policy/inprocess"
	"github.com/morphee-app/morphee-infra/policy/packs"
	"github.com/morphee-app/morphee-infra/policy/rule"
)

// errPolicy says that a mandatory policy is violated by what an update would do.
var errPolicy = errors.New("a mandatory policy is violated")

// watchers are the project's own policy packs through one operation.
type watchers struct {
	options   rule.Options
	analyzers map[string]plugin.Analyzer
	planned   rule.Report // what the packs found in the preview before an up
	steps     rule.Report // what the rules about steps found
	refusals  []string
}

// watch makes the packs ready. It is nil for operations that run no program, and with --no-policy.
func (f *simFlags) watch(op sim.Operation, stack *rehearsal.Stack) (*watchers, error) {
	if f.noPolicy || op != sim.Preview && op != sim.Up {
		return nil, nil
	}
	w := &watchers{analyzers: map[string]plugin.Analyzer{}, options: rule.Options{
		Project: stack.Project, Stack: stack.Name, Config: stack.Stack.Config, SecretKeys: stack.Secret,
		Preview: true, Now: time.Now(),
	}}
	return w, w.begin()
}

// begin gives every pack a new session. An up begins twice: for the preview that the guard judges, and
// for what really happens, when everything is known.
func (w *watchers) begin() error {
	all, err := inprocess.All(packs.All(), w.options)
	maps.Copy(w.analyzers, all)
	return err
}

// guard judges what a preview says, be it one of its own or the one before an up. A pack never learns
// what becomes of a resource while the engine works: by then what is replaced may be gone.
func (w *watchers) guard(op sim.Operation, next func(*sim.Result) error) func(*sim.Result) error {
	return func(planned *sim.Result) error {
		w.planned = inprocess.Report(w.analyzers, packs.All())
		var errs []error
		if err := w.check(planned); err != nil {
			for _, text := range w.refusals {
				errs = append(errs, errors.New(text))
			}
		}
		if next != nil {
			if err := next(planned); err != nil {
				// It says of the same resources what the rules say, and more.
				errs = []error{err}
				if many, ok := err.(interface{ Unwrap() []error }); ok {
					errs = many.Unwrap()
				}
			}
		}
		if op == sim.Up {
			w.options.Preview = false
			errs = append(errs, w.begin())
		}
		return errors.Join(errs...)
	}
}

// check runs the rules about steps on what a preview says.
func (w *watchers) check(preview *sim.Result) error {
	var steps []rule.Step
	for _, c := range preview.Resources {
		steps = append(steps, rule.Step{URN: c.URN, Type: c.Type, Name: c.Name, Op: c.Op, Replaces: c.Replaces})
	}
	var err error
	if w.steps, err = rule.CheckSteps(packs.All(), steps, w.options); err != nil {
		return err
	}
	for _, f := range w.steps.Violations {
		if f.Level == rule.Mandatory {
			w.refusals = append(w.refusals, fmt.Sprintf("%s: %s %s. To mend it: %s", f.Rule, rule.NameOf(f.URN), f.Message, mend(f.Rule)))
		}
	}
	if len(w.refusals) > 0 {
		return errPolicy
	}
	return nil
}

func mend(id string) string {
	_, r, _ := packs.Find(id)
	return r.Mend
}

// fill puts the packs' answers into the result, in place of the engine's wording of them.
func (w *watchers) fill(result *sim.Result) {
	found := inprocess.Report(w.analyzers, packs.All())
	if result.Refused {
		found = w.planned
	}
	ran := found.Packs
	found = rule.Merge(found, w.steps)
	p := &result.Policies
	p.Violations = slices.DeleteFunc(p.Violations, func(v sim.Violation) bool { return w.analyzers[v.Pack] != nil })
	for _, f := range found.Violations {
		p.Violations = append(p.Violations, violation(f))
	}
	slices.SortFunc(p.Violations, func(a, b sim.Violation) int {
		return cmp.Or(cmp.Compare(a.Pack, b.Pack), cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.URN, b.URN), cmp.Compare(a.Message, b.Message))
	})
	for _, f := range found.Excepted {
		one := violation(f)
		one.Reason, one.Until = f.Exception.Reason, f.Exception.Until
		p.Exceptions = append(p.Exceptions, one)
	}
	for _, f := range found.Undetermined {
		p.Undetermined = append(p.Undetermined, violation(f))
	}
	for _, name := range ran {
		if !slices.Contains(p.Packs, name) {
			p.Packs = append(p.Packs, name)
		}
	}
	slices.Sort(p.Packs)
	p.Rules, p.Checks = found.Rules, found.Checks
}

func violation(f rule.Finding) sim.Violation {
	return sim.Violation{Pack: f.Pack, Policy: f.Rule, Level: string(f.Level), URN: f.URN, Message: f.Message}
}

// policyLine says in one line what the packs found.
func policyLine(w io.Writer, p sim.Policies) {
	if p.Rules == 0 {
		return
	}
	mandatory := 0
	for _, v := range p.Violations {
		if v.Level == string(rule.Mandatory) {
			mandatory++
		}
	}
	fmt.Fprintf(w, "Policies: %d rules made %d checks: %d mandatory and %d advisory violations, %d accepted by exceptions, %d undetermined",
		p.Rules, p.Checks, mandatory, len(p.Violations)-mandatory, len(p.Exceptions), len(p.Undetermined))
	if len(p.Undetermined) > 0 {
		fmt.Fprint(w, " until the values are known")
	}
	fmt.Fprintln(w, ".")
}
