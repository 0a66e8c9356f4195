// Package rig is what the tests that cross packages share: the shipped stacks, and the flight simulator
// With the real program on it.
package rig

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/verdict"
)

// Root is the project's folder.
func Root(t testing.TB) string {
	t.Helper()
	root, err := rehearsal.ProjectRoot()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// Shipped are the stacks and examples of the repository, by a short name.
func Shipped(t testing.TB) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"Pulumi.*.yaml", "stacks/examples/*.yaml"} {
		files, err := filepath.Glob(filepath.Join(Root(t), pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("no stacks at %s: %v", pattern, err)
		}
		for _, f := range files {
			name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(f), "Pulumi."), ".yaml")
			out[name] = f
		}
	}
	return out
}

// Each runs a test for every shipped stack.
func Each(t *testing.T, test func(t *testing.T, stack *rehearsal.Stack)) {
	stacks := Shipped(t)
	names := make([]string, 0, len(stacks))
	for name := range stacks {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		t.Run(name, func(t *testing.T) { test(t, Load(t, stacks[name])) })
	}
}

// Load reads and checks a configuration file, which has to be right.
func Load(t testing.TB, path string) *rehearsal.Stack {
	t.Helper()
	stack, err := rehearsal.Load(path, "")
	if err != nil {
		t.Fatal(err)
	}
	return stack
}

// key is made once per process: deriving one takes longer than bringing up a small stack.
var key = sync.OnceValues(sim.NewKey)

// NewStore is an empty folder for states, gone after the test. All stores of a process have the same key.
func NewStore(t testing.TB) sim.Store {
	t.Helper()
	return StoreIn(t, t.TempDir())
}

// StoreIn is an empty folder for states at a place of the caller's.
func StoreIn(t testing.TB, dir string) sim.Store {
	t.Helper()
	data, err := key()
	if err != nil {
		t.Fatal(err)
	}
	store := sim.Store{Dir: dir}
	if err := store.UseKey(data); err != nil {
		t.Fatal(err)
	}
	return store
}

// Try runs an operation; the result is never nil.
func Try(store sim.Store, op sim.Operation, stack sim.Stack, opts sim.Options) (*sim.Result, error) {
	opts.Packages = rehearsal.Packages(stack)
	r, err := store.Run(context.Background(), op, stack, opts)
	if r == nil {
		r = &sim.Result{}
	}
	return r, err
}

// Run runs an operation that has to succeed.
func Run(t testing.TB, store sim.Store, op sim.Operation, stack sim.Stack, opts sim.Options) *sim.Result {
	t.Helper()
	r, err := Try(store, op, stack, opts)
	if err != nil {
		t.Fatalf("%s: %v\n%s", op, err, strings.Join(r.Errors, "\n"))
	}
	return r
}

// With returns the stack with configuration values changed: "morphee:disposable", "true".
func With(stack sim.Stack, pairs ...string) sim.Stack {
	values := map[string]string{}
	for k, v := range stack.Config {
		values[k] = v
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	stack.Config = values
	return stack
}

// Resources reads the stack's deployment, secrets in plain.
func Resources(t testing.TB, store sim.Store, stack sim.Stack) []deployment.Resource {
	t.Helper()
	data, err := store.Export(context.Background(), stack.Name, true)
	if err != nil {
		t.Fatal(err)
	}
	out, err := deployment.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// World reads the resources of the simulated world.
func World(t testing.TB, store sim.Store, stack sim.Stack) []map[string]any {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(store.Dir, stack.Name, "world.json"))
	if err != nil {
		t.Fatal(err)
	}
	var w struct{ Resources []map[string]any }
	if err := json.Unmarshal(data, &w); err != nil {
		t.Fatal(err)
	}
	return w.Resources
}

// Describe lists changes for an error message.
func Describe(list []sim.ResourceChange) string {
	var b strings.Builder
	for _, c := range list {
		b.WriteString("\n  " + c.Op + " " + c.Type + " " + c.Name)
		if len(c.Diff) > 0 {
			b.WriteString(" [" + strings.Join(c.Diff, " ") + "]")
		}
		if len(c.Replaces) > 0 {
			b.WriteString(" because of " + strings.Join(c.Replaces, " "))
		}
	}
	return b.String()
}

// Judged runs a preview or an up as `infra sim` does: what is planned is judged before, and what is there
// after. The error is of what was refused or failed.
func Judged(t testing.TB, store sim.Store, op sim.Operation, stack sim.Stack) (*sim.Result, error) {
	t.Helper()
	judge, err := verdict.New(stack, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	r, err := judge.Run(t.Context(), store, op, stack, sim.Options{Packages: rehearsal.Packages(stack)})
	if r == nil {
		t.Fatal(err)
	}
	return r, err
}
