package ladder

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/config"
	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
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
