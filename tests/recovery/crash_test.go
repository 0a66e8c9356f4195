package recovery

import (
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/provider"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// Whatever operation a run dies after, or fails at, the next run gets to the world that an undisturbed
// run makes: nothing lost, nothing twice, nothing left over. Every operation is cut in the long tests;
// the ordinary ones cut a sample.
func TestEveryCutRecovers(t *testing.T) {
	stacks := map[string]int{"dev": 12, "prod": 80} // every how many operations, in the ordinary tests
	for _, name := range []string{"dev", "prod"} {
		t.Run(name, func(t *testing.T) {
			stride := stacks[name]
			if os.Getenv("MORPHEE_TEST_LONG") != "" {
				stride = 1
			}
			stack := rig.Load(t, rig.Shipped(t)[name])
			want := undisturbed(t, stack)
			cuts := 0
			for _, kind := range []provider.FaultKind{provider.Kill, provider.Fail} {
				for k := 1; ; k += stride {
					if !cut(t, stack, kind, k, want) {
						break
					}
					cuts++
				}
			}
			if cuts < 8 {
				t.Errorf("only %d cuts", cuts)
			}
			t.Logf("%d cuts, %d recovered", cuts, cuts)
		})
	}
}

func undisturbed(t *testing.T, stack *rehearsal.Stack) string {
	t.Helper()
	store := rig.NewStore(t)
	rig.Run(t, store, sim.Up, stack.Stack, sim.Options{Parallel: 1})
	return inventory(t, store, stack.Stack)
}

// inventory lists what exists in the simulated clouds.
func inventory(t *testing.T, store sim.Store, stack sim.Stack) string {
	t.Helper()
	var lines []string
	for _, r := range rig.World(t, store, stack) {
		lines = append(lines, fmt.Sprint(r["type"], " ", r["id"], " ", r["urn"]))
	}
	sort.Strings(lines)
	return strings.Join(lines, "\n")
}

// cut brings the stack up with one operation disturbed, and again without; it tells whether there was a
// k-th operation to disturb.
func cut(t *testing.T, stack *rehearsal.Stack, kind provider.FaultKind, k int, want string) bool {
	t.Helper()
	store := rig.NewStore(t)
	_, err := rig.Try(store, sim.Up, stack.Stack, sim.Options{Parallel: 1, Faults: []provider.Fault{{Kind: kind, At: k, Times: 1}}})
	if err == nil {
		return false
	}
	if kind == provider.Kill && !errors.Is(err, provider.ErrKilled) {
		t.Fatalf("cut %d: %v", k, err)
	}
	if _, err := rig.Try(store, sim.Up, stack.Stack, sim.Options{Parallel: 1}); err != nil {
		t.Fatalf("%s at operation %d: the next run failed: %v", kind, k, err)
	}
	if got := inventory(t, store, stack.Stack); got != want {
		t.Errorf("%s at operation %d: another world than undisturbed:\n%s", kind, k, rig.Differences(want, got))
	}
	if r := rig.Run(t, store, sim.Preview, stack.Stack, sim.Options{}); r.Changes.Any() {
		t.Errorf("%s at operation %d: not converged:%s", kind, k, rig.Describe(r.Resources))
	}
	return true
}
