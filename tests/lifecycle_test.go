package tests

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/provider"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// Every shipped stack comes up, is then what the program says, and goes down again: what is
// protected only after its protection was lifted.
func TestLifeCycle(t *testing.T) {
	rig.Each(t, func(t *testing.T, stack *rehearsal.Stack) {
		store := rig.NewStore(t)
		preview := rig.Run(t, store, sim.Preview, stack.Stack, sim.Options{})
		up := rig.Run(t, store, sim.Up, stack.Stack, sim.Options{})
		if preview.Changes != up.Changes {
			t.Errorf("the preview said %+v, the up did %+v", preview.Changes, up.Changes)
		}
		for _, op := range []sim.Operation{sim.Preview, sim.Up, sim.Refresh, sim.Preview} {
			if r := rig.Run(t, store, op, stack.Stack, sim.Options{}); r.Changes.Any() {
				t.Fatalf("the second %s changes:%s", op, rig.Describe(r.Resources))
			}
		}
		destroyed := rig.Run(t, store, sim.Destroy, stack.Stack, sim.Options{})
		if len(destroyed.Protected) == 0 || destroyed.Changes.Delete == 0 {
			t.Errorf("destroy kept %d protected and deleted %d", len(destroyed.Protected), destroyed.Changes.Delete)
		}
		kept := map[string]bool{}
		all := rig.Resources(t, store, stack.Stack)
		needed := map[string]bool{}
		for i := len(all) - 1; i >= 0; i-- {
			r := all[i]
			if r.Protect || needed[r.URN] || r.Type == "pulumi:pulumi:Stack" || strings.HasPrefix(r.Type, "pulumi:providers:") {
				kept[r.URN] = true
				needed[r.Parent] = true
				for _, d := range r.Dependencies {
					needed[d] = true
				}
				continue
			}
			t.Errorf("destroy left %s, which is neither protected nor needed by what is", r.URN)
		}
		lifted := rig.With(stack.Stack, "morphee:disposable", "true")
		if r := rig.Run(t, store, sim.Up, lifted, sim.Options{}); r.Changes.Replace+r.Changes.Delete > 0 {
			t.Errorf("lifting the protection replaces or deletes:%s", rig.Describe(r.Resources))
		}
		if r := rig.Run(t, store, sim.Destroy, lifted, sim.Options{}); len(r.Protected) > 0 {
			t.Errorf("still protected: %v", r.Protected)
		}
		for _, r := range rig.World(t, store, stack.Stack) {
			// AWS itself keeps some things after they are deleted, such as keys that wait for their end.
			if typ := r["type"].(string); !strings.HasPrefix(typ, "aws:remnant/") {
				t.Errorf("left in the simulated clouds: %s %v", typ, r["id"])
			}
		}
		if left := rig.Resources(t, store, stack.Stack); len(left) > 0 {
			t.Errorf("%d resources are left in the state, such as %s", len(left), left[0].URN)
		}
	})
}

func TestTwoRunsMakeTheSameWorld(t *testing.T) {
	for _, name := range []string{"dev", "phase0"} {
		stack := rig.Load(t, rig.Shipped(t)[name])
		read := func() string {
			store := rig.NewStore(t)
			rig.Run(t, store, sim.Up, rig.With(stack.Stack, "morphee:disposable", "true"), sim.Options{})
			var b strings.Builder
			for _, r := range rig.Resources(t, store, stack.Stack) {
				if strings.HasPrefix(r.Type, "pulumi:providers:") {
					continue // the engine gives providers a random id
				}
				b.WriteString(r.URN + " " + r.ID + "\n")
			}
			return sorted(b.String())
		}
		if a, b := read(), read(); a != b {
			t.Errorf("%s: two runs differ:\n%s", name, firstDifference(a, b))
		}
	}
}

func sorted(s string) string {
	lines := strings.Split(s, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range x {
		if i >= len(y) || x[i] != y[i] {
			other := ""
			if i < len(y) {
				other = y[i]
			}
			return x[i] + "\n" + other
		}
	}
	return "the second has more lines"
}

// Growing from phase 0 to 1 adds Forgejo and the backups, and nothing else happens to what is there.
func TestPhase0GrowsIntoPhase1(t *testing.T) {
	files := rig.Shipped(t)
	zero, one := rig.Load(t, files["phase0"]), rig.Load(t, files["phase1"])
	if zero.Name != one.Name {
		t.Fatalf("the examples are not one stack: %s and %s", zero.Name, one.Name)
	}
	store := rig.NewStore(t)
	rig.Run(t, store, sim.Up, zero.Stack, sim.Options{})
	r := rig.Run(t, store, sim.Up, one.Stack, sim.Options{})
	forgejo, backup := false, false
	for _, c := range r.Resources {
		if c.Op == "replace" && c.Type != "docker:index/container:Container" || c.Op == "delete" {
			t.Errorf("%s %s %s %v", c.Op, c.Type, c.Name, c.Replaces)
		}
		if c.Type == "hcloud:index/server:Server" && c.Op != "update" && c.Op != "same" {
			t.Errorf("the server: %s", c.Op)
		}
		forgejo = forgejo || c.Op == "create" && c.Type == "morphee:forgejo:ForgejoService"
		backup = backup || c.Op == "create" && c.Type == "morphee:docker:BackupJob"
	}
	if !forgejo || !backup {
		t.Errorf("Forgejo created: %v, backups created: %v; changes:%s", forgejo, backup, rig.Describe(r.Resources))
	}
	if r := rig.Run(t, store, sim.Preview, one.Stack, sim.Options{}); r.Changes.Any() {
		t.Errorf("not converged:%s", rig.Describe(r.Resources))
	}
}

func TestAFailureInForgejoConverges(t *testing.T) {
	stack := rig.Load(t, rig.Shipped(t)["dev"])
	for _, kind := range []provider.FaultKind{provider.Fail, provider.Timeout} {
		t.Run(string(kind), func(t *testing.T) {
			store := rig.NewStore(t)
			fault, err := provider.ParseFault(kind, "docker:index/container:Container::*forgejo*")
			if err != nil {
				t.Fatal(err)
			}
			r, err := rig.Try(store, sim.Up, stack.Stack, sim.Options{Faults: []provider.Fault{fault}})
			if err == nil || !strings.Contains(strings.Join(r.Errors, "\n"), "injected fault") {
				t.Fatalf("want an injected fault, got %v %v", err, r.Errors)
			}
			rig.Run(t, store, sim.Up, stack.Stack, sim.Options{})
			for _, op := range []sim.Operation{sim.Preview, sim.Refresh} {
				if r := rig.Run(t, store, op, stack.Stack, sim.Options{}); r.Changes.Any() {
					t.Errorf("not converged:%s", rig.Describe(r.Resources))
				}
			}
		})
	}
}

// Every resource is a child of a component of ours, however far up.
func TestEveryResourceDescendsFromAComponent(t *testing.T) {
	rig.Each(t, func(t *testing.T, stack *rehearsal.Stack) {
		store := rig.NewStore(t)
		rig.Run(t, store, sim.Up, stack.Stack, sim.Options{})
		parents := map[string]string{}
		var orphans []string
		all := rig.Resources(t, store, stack.Stack)
		for _, r := range all {
			parents[r.URN] = r.Parent
		}
		for _, r := range all {
			if r.Type == "pulumi:pulumi:Stack" || strings.HasPrefix(r.Type, "pulumi:providers:") && strings.Contains(r.Name, "default") {
				continue // the engine's own
			}
			at := r.URN
			for at != "" && !strings.Contains(typeOf(at), "morphee:") {
				at = parents[at]
			}
			if at == "" {
				orphans = append(orphans, r.URN)
			}
		}
		if len(orphans) > 0 {
			t.Errorf("%d resources without a component:\n%s", len(orphans), strings.Join(orphans, "\n"))
		}
	})
}

// typeOf is the last type in a URN's chain of types.
func typeOf(urn string) string {
	parts := strings.Split(urn, "::")
	chain := strings.Split(parts[2], "$")
	return chain[len(chain)-1]
}

// A preview is free of side effects.
func TestAPreviewWritesNothing(t *testing.T) {
	store := rig.NewStore(t)
	stack := rig.Load(t, rig.Shipped(t)["dev"])
	rig.Run(t, store, sim.Preview, stack.Stack, sim.Options{})
	for _, name := range []string{"state.json", "world.json"} {
		if _, err := os.Stat(filepath.Join(store.Dir, stack.Name, name)); err == nil {
			t.Errorf("a preview wrote %s", name)
		}
	}
}
