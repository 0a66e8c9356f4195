// Package verdict judges what the simulator plans and does: the policy packs look once at all that a
// preview plans and once at all that an up has left, and what would be lost is refused unless the
// configuration accepts it.
package verdict

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/morphee-app/morphee-infra/internal/config"
	"github.com/morphee-app/morphee-infra/internal/leaving"
	"github.com/morphee-app/morphee-infra/internal/safety"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/policy/durability"
	"github.com/morphee-app/morphee-infra/policy/inprocess"
	"github.com/morphee-app/morphee-infra/policy/packs"
	"github.com/morphee-app/morphee-infra/policy/rule"
)

// ErrPolicy is in the error of an operation that violates a mandatory policy.
var ErrPolicy = errors.New("a mandatory policy is violated")

// Circumstances are those of a stack, for the rules. now decides which exceptions are over.
func Circumstances(stack sim.Stack, now time.Time) rule.Options {
	return rule.Options{Project: stack.Project, Stack: stack.Name, Config: stack.Config, SecretKeys: stack.Secret, Now: now}
}

// Safety says what a stack may lose: what its configuration gives up, and what its exceptions accept.
func Safety(options rule.Options) safety.Options {
	given := leaving.New(options.Config)
	return safety.Options{Disposable: options.Disposable(), Copied: copied(options.Config), Accept: func(c sim.ResourceChange) string {
		if c.Op == "delete" && given.Retired(c.Name) {
			return given.Reason(c.Name)
		}
		if e, err := options.Accepts(durability.NotReplaced, c.URN); err == nil && e != nil {
			return e.Reason
		}
		return ""
	}}
}

// copied is the stamp of the copy that was brought in last; "" where the configuration has none.
func copied(values map[string]string) string {
	var migration struct{ Copy string }
	_ = json.Unmarshal([]byte(values[config.Namespace+":migration"]), &migration) // no object has no stamp
	return migration.Copy
}

// Judge follows one preview or up of a stack.
type Judge struct {
	options rule.Options
	losses  []safety.Loss
	found   rule.Report // about the resources, as they are planned or as they are
	steps   rule.Report // about what the update does
}

// New makes a judge. It fails when the exceptions in the configuration cannot be read.
func New(stack sim.Stack, now time.Time) (*Judge, error) {
	j := &Judge{options: Circumstances(stack, now)}
	_, err := rule.ParseExceptions(j.options.Value(rule.ExceptionsKey))
	return j, err
}

// Run performs a preview or an up that the judge follows: what is planned is judged before, and what is
// there after. What it has found is in the result, which is nil only when the operation could not begin.
func (j *Judge) Run(ctx context.Context, store sim.Store, op sim.Operation, stack sim.Stack, opts sim.Options) (*sim.Result, error) {
	opts.Guard, opts.Inspect = j.planned, j.done
	result, err := store.Run(ctx, op, stack, opts)
	if result != nil {
		j.fill(result)
	}
	return result, err
}

// planned judges a preview, be it one of its own or the one before an up.
func (j *Judge) planned(preview *sim.Result) error {
	if err := j.evaluate(preview, true); err != nil {
		return err
	}
	var steps []rule.Step
	for _, c := range preview.Resources {
		steps = append(steps, rule.Step{URN: c.URN, Type: c.Type, Name: c.Name, Op: c.Op, Replaces: c.Replaces, Protected: c.Protected})
	}
	var err error
	if j.steps, err = rule.CheckSteps(packs.All(), steps, j.options); err != nil {
		return err
	}
	j.losses = safety.Losses(preview, Safety(j.options))
	errs := violated(j.found.Violations)
	if err := safety.Leaps(preview, Safety(j.options)); err != nil {
		errs = append(errs, err)
	}
	if err := safety.Refuse(j.losses); err != nil {
		errs = append(errs, err.(interface{ Unwrap() []error }).Unwrap()...)
	}
	// It says of the same resources what the rule about steps says, and more.
	return errors.Join(append(errs, violated(slices.DeleteFunc(slices.Clone(j.steps.Violations), func(f rule.Finding) bool {
		return slices.ContainsFunc(j.losses, func(l safety.Loss) bool { return l.URN == f.URN })
	}))...)...)
}

// done judges what an up has left. What was undetermined in the preview is known now.
func (j *Judge) done(up *sim.Result) error {
	if err := j.evaluate(up, false); err != nil {
		return err
	}
	return errors.Join(violated(j.found.Violations)...)
}

func (j *Judge) evaluate(r *sim.Result, preview bool) (err error) {
	j.options.Preview, j.options.Partial = preview, !r.Whole
	j.found, err = rule.Evaluate(packs.All(), inprocess.Resources(r.States), j.options)
	return err
}

// violation is one mandatory violation as an error.
type violation string

func (v violation) Error() string        { return string(v) }
func (v violation) Is(target error) bool { return target == ErrPolicy }

// violated are the errors for the mandatory ones among violations: what, why, how to mend.
func violated(list []rule.Finding) []error {
	var out []error
	for _, f := range list {
		if f.Level == rule.Mandatory {
			_, r, _ := packs.Find(f.Rule)
			out = append(out, violation(fmt.Sprintf("%s: %s: %s. %s To mend it: %s", f.Rule, rule.NameOf(f.URN), f.Message, r.Reason, r.Mend)))
		}
	}
	return out
}
