// Package tests has what crosses packages: life cycles, golden previews, secrets, and the way from
// one phase to the next, all of it with the real program on the flight simulator.
package tests

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds"
)

// shipped are the stacks and examples of the repository, by a short name.
func shipped(t testing.TB) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"../Pulumi.*.yaml", "../stacks/examples/*.yaml"} {
		files, err := filepath.Glob(pattern)
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

// each runs a test for every shipped stack.
func each(t *testing.T, test func(t *testing.T, stack *rehearsal.Stack)) {
	stacks := shipped(t)
	names := make([]string, 0, len(stacks))
	for name := range stacks {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		t.Run(name, func(t *testing.T) { test(t, load(t, stacks[name])) })
	}
}

func load(t testing.TB, path string) *rehearsal.Stack {
	t.Helper()
	stack, err := rehearsal.Load(path, "")
	if err != nil {
		t.Fatal(err)
	}
	return stack
}

func newStore(t testing.TB) sim.Store { return sim.Store{Dir: t.TempDir()} }

// try runs an operation; the result is never nil.
func try(store sim.Store, op sim.Operation, stack sim.Stack, opts sim.Options) (*sim.Result, error) {
	opts.Packages = clouds.All()
	r, err := store.Run(context.Background(), op, stack, opts)
	if r == nil {
		r = &sim.Result{}
	}
	return r, err
}

// run runs an operation that has to succeed.
func run(t testing.TB, store sim.Store, op sim.Operation, stack sim.Stack, opts sim.Options) *sim.Result {
	t.Helper()
	r, err := try(store, op, stack, opts)
	if err != nil {
		t.Fatalf("%s: %v\n%s", op, err, strings.Join(r.Errors, "\n"))
	}
	return r
}

// with returns the stack with configuration values changed: "morphee:disposable", "true".
func with(stack sim.Stack, pairs ...string) sim.Stack {
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

// resources reads the stack's deployment, secrets in plain.
func resources(t testing.TB, store sim.Store, stack sim.Stack) []deployment.Resource {
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

// world reads the resources of the simulated world.
func world(t testing.TB, store sim.Store, stack sim.Stack) []map[string]any {
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

// describe lists changes for an error message.
func describe(list []sim.ResourceChange) string {
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
