package policies

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi-random/sdk/v4/go/random"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/policy/inprocess"
	"github.com/morphee-app/morphee-infra/policy/packs"
	"github.com/morphee-app/morphee-infra/policy/rule"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// look evaluates the packs once, on what a preview plans or an up leaves.
type look struct {
	options rule.Options
	report  rule.Report
}

func (l *look) at(op sim.Operation, o sim.Options) sim.Options {
	evaluate := func(r *sim.Result) (err error) {
		l.options.Preview, l.options.Partial = op == sim.Preview, !r.Whole
		l.report, err = rule.Evaluate(packs.All(), inprocess.Resources(r.States), l.options)
		return err
	}
	if op == sim.Preview {
		o.Guard = evaluate
	} else {
		o.Inspect = evaluate
	}
	return o
}

// alike fails unless the engine, asking the packs about one resource after the other, and one look at all
// of them come to the same verdicts.
func alike(t *testing.T, what string, engine, once rule.Report) {
	t.Helper()
	for name, lists := range map[string][2][]rule.Finding{
		"violations": {engine.Violations, once.Violations}, "exceptions": {engine.Excepted, once.Excepted}, "undetermined": {engine.Undetermined, once.Undetermined},
	} {
		if a, b := findings(lists[0]), findings(lists[1]); a != b {
			t.Errorf("%s: %s: the engine's:%s\nat one look:%s", what, name, a, b)
		}
	}
	if engine.Rules != once.Rules || engine.Checks != once.Checks {
		t.Errorf("%s: %d rules and %d checks by the engine, %d and %d at one look", what, engine.Rules, engine.Checks, once.Rules, once.Checks)
	}
}

// up brings a stack up, which must pass.
func up(t *testing.T, store sim.Store, step string, stack sim.Stack) *sim.Result {
	t.Helper()
	r, err := rig.Judged(t, store, sim.Up, stack)
	if err != nil {
		t.Fatalf("%s: %v\n%s", step, err, strings.Join(r.Errors, "\n"))
	}
	if p := r.Policies; len(p.Violations)+len(p.Undetermined) > 0 || len(p.Packs) != 4 {
		t.Errorf("%s: %d packs, violations %v, undetermined %v", step, len(p.Packs), p.Violations, p.Undetermined)
	}
	return r
}

func refused(t *testing.T, store sim.Store, step string, stack sim.Stack, says ...string) {
	t.Helper()
	r, err := rig.Judged(t, store, sim.Up, stack)
	if err == nil || !r.Refused {
		t.Fatalf("%s: not refused: %v", step, err)
	}
	for _, want := range says {
		if text := strings.Join(r.Errors, "\n"); !strings.Contains(text, want) {
			t.Errorf("%s: no %q in:\n%s", step, want, text)
		}
	}
}

// regionState is the stack with the state of one of its further regions.
func regionState(t *testing.T, stack sim.Stack, index int, state string) sim.Stack {
	t.Helper()
	var aws map[string]any
	if err := json.Unmarshal([]byte(stack.Config["morphee:aws"]), &aws); err != nil {
		t.Fatal(err)
	}
	aws["regions"].([]any)[index].(map[string]any)["state"] = state
	text, err := json.Marshal(aws)
	if err != nil {
		t.Fatal(err)
	}
	return rig.With(stack, "morphee:aws", string(text))
}

// A region is given up in two steps. Neither is a violation, and the second loses nothing that the
// configuration does not give up; everything that is lost is listed with the reason.
func TestARegionIsGivenUp(t *testing.T) {
	store := rig.NewStore(t)
	stack := rig.Load(t, rig.Shipped(t)["phase4-three-regions"]).Stack
	up(t, store, "three regions", stack)
	refused(t, store, "retired at once", regionState(t, stack, 1, "retired"), "still protected in the state", "retiring comes before retired")
	if r := up(t, store, "retiring", regionState(t, stack, 1, "retiring")); len(r.Policies.Exceptions) > 0 || r.Changes.Update == 0 {
		t.Errorf("retiring: %+v, exceptions %v", r.Changes, r.Policies.Exceptions)
	}
	r := up(t, store, "retired", regionState(t, stack, 1, "retired"))
	var lost []string
	for _, e := range r.Policies.Exceptions {
		if !strings.Contains(e.URN, "::aws-usw2-") || e.Reason != "retired: morphee:aws.regions, us-west-2" || e.Policy != "stateful-not-replaced" {
			t.Errorf("accepted: %+v", e)
		}
		lost = append(lost, e.URN)
	}
	for _, typ := range []string{"aws:rds/cluster:Cluster", "aws:ec2/vpc:Vpc", "aws:s3/bucketV2:BucketV2"} {
		if !slices.ContainsFunc(lost, func(urn string) bool { return strings.Contains(urn, "$"+typ+"::") }) {
			t.Errorf("no %s among what is lost: %v", typ, lost)
		}
	}
	again, err := rig.Judged(t, store, sim.Preview, regionState(t, stack, 1, "retired"))
	if err != nil || again.Changes.Any() {
		t.Errorf("afterwards: %v %s", err, rig.Describe(again.Resources))
	}
}

// The stack's outputs are looked at too, in the preview, and what is known only afterwards by the up.
func TestOutputsAreLookedAt(t *testing.T) {
	const rule = "output-no-secret"
	for name, value := range map[string]func(*pulumi.Context) (pulumi.Output, error){
		"known in the preview": func(*pulumi.Context) (pulumi.Output, error) {
			return pulumi.String("Xk39fj20dkf93jf02kfQz81").ToStringOutput(), nil
		},
		"known after the up": func(ctx *pulumi.Context) (pulumi.Output, error) {
			p, err := random.NewRandomPassword(ctx, "spare", &random.RandomPasswordArgs{Length: pulumi.Int(32)}, pulumi.Protect(true))
			if err != nil {
				return nil, err
			}
			return pulumi.Unsecret(p.Result), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := rig.NewStore(t)
			stack := rig.Load(t, rig.Shipped(t)["phase0"]).Stack
			program := stack.Program
			stack.Program = func(ctx *pulumi.Context) error {
				out, err := value(ctx)
				if err != nil {
					return err
				}
				ctx.Export("databasePassword", out)
				return program(ctx)
			}
			preview, err := rig.Judged(t, store, sim.Preview, stack)
			known := err != nil && strings.Contains(err.Error(), rule)
			undecided := slices.ContainsFunc(preview.Policies.Undetermined, func(v sim.Violation) bool { return v.Policy == rule })
			if known == undecided {
				t.Errorf("preview: %v, undetermined %v", err, preview.Policies.Undetermined)
			}
			if r, err := rig.Judged(t, store, sim.Up, stack); err == nil || !strings.Contains(err.Error(), rule) || r.Refused != known {
				t.Errorf("up, refused %v: %v", r.Refused, err)
			}
		})
	}
}

// spare is a program with one more thing that holds something.
func spare(program pulumi.RunFunc, protect bool) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		var r pulumi.CustomResourceState
		err := ctx.RegisterResource("random:index/randomPassword:RandomPassword", "spare", pulumi.Map{"length": pulumi.Int(32)}, &r, pulumi.Protect(protect))
		return errors.Join(err, program(ctx))
	}
}

// excepting is the stack with exceptions for the spare password.
func excepting(stack sim.Stack, program pulumi.RunFunc, rule, until string) sim.Stack {
	stack.Program = program
	if rule == "" {
		return stack
	}
	return rig.With(stack, "morphee:policyExceptions",
		fmt.Sprintf(`[{"rule":%q,"resource":"spare","reason":"nobody uses it any more","until":%q}]`, rule, until))
}

// A loss that an exception accepts is not refused, and is listed with the reason; but what is still
// protected in the state stays until a change of its own lifts that.
func TestAnExceptionAcceptsALoss(t *testing.T) {
	const lost, bare = "stateful-not-replaced", "stateful-protected"
	store := rig.NewStore(t)
	stack := rig.Load(t, rig.Shipped(t)["phase0"]).Stack
	without, with, lifted := stack.Program, spare(stack.Program, true), spare(stack.Program, false)
	up(t, store, "with it", excepting(stack, with, "", ""))
	refused(t, store, "gone unasked", excepting(stack, without, "", ""), "no longer part of the stack", "spare, deleted")
	refused(t, store, "accepted, but protected", excepting(stack, without, lost, ""), "its loss is accepted (nobody uses it any more), but it is still protected in the state", "lift the protection by a change of its own first")
	refused(t, store, "lifted unasked", excepting(stack, lifted, "", ""), bare)
	r := up(t, store, "lifted", excepting(stack, lifted, bare, ""))
	accepts(t, r, bare)
	refused(t, store, "unprotected, gone unasked", excepting(stack, without, "", ""), "no longer part of the stack")
	refused(t, store, "accepted until yesterday", excepting(stack, without, lost, time.Now().Add(-48*time.Hour).Format(time.DateOnly)), "no longer part of the stack")
	r = up(t, store, "gone", excepting(stack, without, lost, ""))
	accepts(t, r, lost)
	if r.Changes.Delete != 1 {
		t.Errorf("%+v", r.Changes)
	}
	r = up(t, store, "afterwards", excepting(stack, without, bare, ""))
	if text := strings.Join(r.Warnings, "\n"); !strings.Contains(text, "the exception from "+bare+" for spare accepts nothing") {
		t.Errorf("nobody says that the exception can go: %s", text)
	}
}

func accepts(t *testing.T, r *sim.Result, rule string) {
	t.Helper()
	if list := r.Policies.Exceptions; len(list) != 1 || list[0].Policy != rule || list[0].Reason != "nobody uses it any more" || !strings.HasSuffix(list[0].URN, "::spare") {
		t.Errorf("exceptions: %+v, want one from %s", list, rule)
	}
}
