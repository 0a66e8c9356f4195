package ladder

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/morphee-app/morphee-infra/internal/config"
	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/gate"
	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/report"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/provider"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// Whoever leaves out a step that keeps data safe is refused before anything runs, and told why.
func TestNoStepIsLeftOut(t *testing.T) {
	dir := filepath.Join(rig.Root(t), "stacks", "examples", "ladder")
	step := func(name string) *rehearsal.Stack { return rig.Load(t, filepath.Join(dir, name+".yaml")) }
	store, ctx := rig.NewStore(t), context.Background()
	up := func(stack *rehearsal.Stack) (*sim.Result, error) {
		return runner(ctx, sim.Up, store, stack, sim.Options{Packages: rehearsal.Packages(stack.Stack)})
	}
	if _, err := up(step("09-aws-100")); err != nil {
		t.Fatal(err)
	}
	before := rig.Resources(t, store, step("09-aws-100").Stack)
	for name, c := range map[string]struct {
		to   string
		says []string
	}{
		"the server taken away while protected":      {"11-retired", []string{"still protected", "state retiring comes before retired", "postgres-data"}},
		"the server forgotten":                       {"12-phase3", []string{"the server, or something on it, is no longer part of the stack", "morphee:migration.retire", "forgejo-data"}},
		"AWS forgotten, and back to the server":      {"03-phase2-database", []string{"leave aws for hetzner in one step", "aws-database"}},
		"further on without the server's retirement": {"13-phase4-two", []string{"leave hetzner for aws in one step"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := up(step(c.to))
			text := strings.Join(r.Errors, "\n")
			if !errors.Is(err, sim.ErrRefused) {
				t.Fatalf("want a refusal, got %v\n%s", err, text)
			}
			for _, say := range c.says {
				if !strings.Contains(text, say) {
					t.Errorf("want %q in\n%s", say, text)
				}
			}
			if after := rig.Resources(t, store, step(c.to).Stack); len(after) != len(before) {
				t.Errorf("%d resources, and there were %d", len(after), len(before))
			}
		})
	}
}

// Data is never left behind: whose data counts changes only after nobody could write any more, and with a
// copy that was made since.
func TestNoCopyIsLeftOut(t *testing.T) {
	dir := filepath.Join(rig.Root(t), "stacks", "examples", "ladder")
	changed := func(name string, pairs ...string) *rehearsal.Stack {
		path := filepath.Join(t.TempDir(), name+".yaml")
		text := read(t, filepath.Join(dir, name+".yaml"))
		for i := 0; i < len(pairs); i += 2 {
			if !strings.Contains(text, pairs[i]) {
				t.Fatalf("%s has no %q", name, pairs[i])
			}
			text = strings.Replace(text, pairs[i], pairs[i+1], 1)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return rig.Load(t, path)
	}
	store, ctx := rig.NewStore(t), context.Background()
	run := func(op sim.Operation, stack *rehearsal.Stack) (string, error) {
		r, err := runner(ctx, op, store, stack, sim.Options{Packages: rehearsal.Packages(stack.Stack)})
		if r == nil {
			t.Fatal(err)
		}
		return strings.Join(r.Errors, "\n"), err
	}
	type attempt struct {
		what string
		to   *rehearsal.Stack
		says string // "" is let through
	}
	const onAWS, back, noServer, noAWS = "copy: 20261106T021500Z", "copy: 20261106T184000Z", "people can write on the server until then", "people can write on AWS until then"
	for _, step := range []struct {
		at       *rehearsal.Stack
		attempts []attempt
	}{
		{changed("03-phase2-database"), []attempt{
			{"AWS made, and its data counts", changed("07-aws-writes"), noServer},
		}},
		{changed("05-names-weighted"), []attempt{
			{"AWS writes without a freeze", changed("07-aws-writes"), noServer},
			{"all of the traffic at once", changed("09-aws-100"), noServer},
			{"AWS frozen, and its data counts", changed("back-aws-frozen"), noServer},
			{"the server retires", changed("10-retiring"), noServer},
			{"a trial while the names are taken back", changed("04-aws-beside"), "in the very change that leads the public names elsewhere"},
			{"the names are taken back", changed("back-names-server"), ""},
			{"the freeze", changed("06-server-frozen"), ""},
		}},
		{changed("06-server-frozen"), []attempt{
			{"AWS writes", changed("07-aws-writes"), ""},
			{"the server writes again", changed("05-names-weighted"), ""},
		}},
		{changed("07-aws-writes"), []attempt{
			{"the server writes without a freeze", changed("back-server-writes"), noAWS},
			{"the same with the names at the server", changed("back-names-server"), noAWS},
			{"the server is frozen, and its data counts", changed("06-server-frozen"), noAWS},
			{"more traffic", changed("08-aws-50"), ""},
		}},
		{changed("back-aws-frozen", "awsWeight: 0", "awsWeight: 50"), []attempt{
			{"no copy", changed("05-names-weighted"), "no copy that was made since the last time"},
			{"the copy of the way there", changed("back-server-writes", back, onAWS), "no copy that was made since the last time"},
			{"AWS writes again", changed("07-aws-writes"), ""},
			{"the server writes", changed("back-server-writes"), ""},
		}},
		{changed("back-server-writes"), []attempt{
			{"AWS's data again", changed("07-aws-writes"), noServer},
		}},
		{changed("06-server-frozen", "server-frozen\n", "server-frozen\n    "+back+"\n"), []attempt{
			{"AWS writes, with the copy of the way back", changed("07-aws-writes", onAWS, back), "no copy that was made since the last time"},
			{"AWS writes, with a new copy", changed("07-aws-writes"), ""},
		}},
	} {
		if text, err := run(sim.Up, step.at); err != nil {
			t.Fatalf("%s: %v\n%s", step.at.Arg, err, text)
		}
		for _, a := range step.attempts {
			text, err := run(sim.Preview, a.to)
			if (err == nil) != (a.says == "") || !strings.Contains(text, a.says) {
				t.Errorf("at %s, %s: got %v, want %q in\n%s", filepath.Base(step.at.Arg), a.what, err, a.says, text)
			}
		}
	}
}

// The gate finds the same in what it is given of a change: two exports, or a preview of the whole stack.
func TestTheGateSeesALeap(t *testing.T) {
	dir := filepath.Join(rig.Root(t), "stacks", "examples", "ladder")
	step := func(name string) *rehearsal.Stack { return rig.Load(t, filepath.Join(dir, name+".yaml")) }
	leaps := func(from, to *rehearsal.Stack) (out []string) {
		t.Helper()
		store, sides := rig.NewStore(t), [][]deployment.Resource{}
		for _, s := range []*rehearsal.Stack{from, to} {
			rig.Run(t, store, sim.Up, s.Stack, sim.Options{})
			sides = append(sides, rig.Resources(t, store, s.Stack))
		}
		exported, err := gate.Exported(to.Name, sides[0], sides[1], to, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		// A preview knows no outputs of the stack after the change.
		planned := slices.DeleteFunc(slices.Clone(sides[1]), func(r deployment.Resource) bool { return r.Type == "pulumi:pulumi:Stack" })
		preview := &report.Preview{Stack: to.Name, Config: to.Stack.Config, Complete: true, Before: sides[0], After: planned}
		previewed, err := gate.Previewed(preview, nil, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return append(exported.Stack.Errors, previewed.Stack.Errors...)
	}
	for _, c := range []struct {
		from, to string
		leap     bool
	}{{"05-names-weighted", "07-aws-writes", true}, {"06-server-frozen", "07-aws-writes", false}, {"back-aws-frozen", "05-names-weighted", true}} {
		errs := leaps(step(c.from), step(c.to))
		if found := len(errs) == 2 && strings.Contains(errs[0], "leaves out a step of the move") && errs[0] == errs[1]; found != c.leap || !c.leap && len(errs) > 0 {
			t.Errorf("from %s to %s: %q", c.from, c.to, errs)
		}
	}
}

// A change that moves what counts and dies half-way is no leap when it is run again.
func TestAnInterruptedMoveGoesOn(t *testing.T) {
	dir := filepath.Join(rig.Root(t), "stacks", "examples", "ladder")
	step := func(name string) *rehearsal.Stack { return rig.Load(t, filepath.Join(dir, name+".yaml")) }
	ctx := context.Background()
	for _, c := range []struct{ from, to string }{{"06-server-frozen", "07-aws-writes"}, {"back-aws-frozen", "back-server-writes"}} {
		before, to := rig.NewStore(t), step(c.to)
		rig.Run(t, before, sim.Up, step(c.from).Stack, sim.Options{})
		whole := rig.Run(t, rig.Copy(t, before), sim.Up, to.Stack, sim.Options{Parallel: 1})
		for i := range 5 {
			at, store := 1+i*(len(whole.Log)-1)/4, rig.Copy(t, before)
			_, err := rig.Try(store, sim.Up, to.Stack, sim.Options{Parallel: 1, Faults: []provider.Fault{{Kind: provider.Fail, At: at, Times: 1}}})
			if err == nil {
				t.Fatalf("to %s: operation %d of %d did not fail", c.to, at, len(whole.Log))
			}
			if r, err := runner(ctx, sim.Up, store, to, sim.Options{Packages: rehearsal.Packages(to.Stack)}); err != nil {
				t.Errorf("to %s, after operation %d of %d failed: %v\n%s", c.to, at, len(whole.Log), err, strings.Join(r.Errors, "\n"))
			}
		}
	}
}

// Retirement is refused by the configuration already, while traffic goes to the server, before a
// verified backup, or with a thing left out.
func TestRetirementIsConfirmed(t *testing.T) {
	path := filepath.Join(rig.Root(t), "stacks", "examples", "ladder", "10-retiring.yaml")
	for _, c := range []struct{ from, to, says string }{
		{"awsWeight: 100", "awsWeight: 50", "still sends traffic to the server"},
		{"      backupVerified: '2026-11-20'\n", "", "last backup is all that will be left"},
		{"        - forgejo\n", "", "forgejo (repositories)"},
		{"        - database-archive\n", "", "database-archive (the bucket with its archive)"},
		{"writes: aws", "writes: server", "leaves the data that counts on the server"},
	} {
		text := read(t, path)
		if !strings.Contains(text, c.from) {
			t.Fatalf("%s has no %q", path, c.from)
		}
		f, err := config.ParseFile(path, []byte(strings.Replace(text, c.from, c.to, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := config.Parse(f.Typed()); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q for %q: got %v, want %q", c.to, c.from, err, c.says)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
