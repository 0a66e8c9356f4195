package bench

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds"
)

// inRegions is the example of phase 4 in n regions.
func inRegions(tb testing.TB, n int) sim.Stack {
	tb.Helper()
	stack, err := rehearsal.Load("../../stacks/examples/phase4.yaml", "")
	if err != nil {
		tb.Fatal(err)
	}
	tree := map[string]any{}
	if err := json.Unmarshal([]byte(stack.Stack.Config["morphee:aws"]), &tree); err != nil {
		tb.Fatal(err)
	}
	var list []any
	for i, name := range further[:n-1] {
		list = append(list, map[string]any{"name": name, "index": i + 1})
	}
	tree["regions"] = list
	text, err := json.Marshal(tree)
	if err != nil {
		tb.Fatal(err)
	}
	stack.Stack.Config["morphee:aws"] = string(text)
	return stack.Stack
}

// The preview of phase 4 takes time in proportion to its resources: those of ten regions no more than
// a fifth longer each than those of two. What counts is the processor's time, and the best of several
// runs: that is what the program costs, whatever else the machine does.
func TestPreviewGrowsLinearlyWithRegions(t *testing.T) {
	if testing.Short() {
		t.Skip("it measures time")
	}
	best := func(stack sim.Stack) (time.Duration, int) {
		shortest, resources := time.Hour, 0
		store := sim.Store{Dir: t.TempDir()}
		for range 7 {
			start := processorTime()
			r := preview(t, store, stack)
			shortest, resources = min(shortest, processorTime()-start), r.Changes.Create
		}
		return shortest, resources
	}
	few, nFew := best(inRegions(t, 2))
	many, nMany := best(inRegions(t, 10))
	each := func(d time.Duration, n int) float64 { return float64(d.Microseconds()) / float64(n) }
	ratio := each(many, nMany) / each(few, nFew)
	t.Logf("2 regions: %d resources in %v; 10 regions: %d in %v; each takes %.2f times as long", nFew, few, nMany, many, ratio)
	if ratio > 1.2 {
		t.Errorf("in 10 regions a resource takes %.2f times as long as in 2, want 1.2 at most", ratio)
	}
}

func preview(t *testing.T, store sim.Store, stack sim.Stack) *sim.Result {
	t.Helper()
	r, err := store.Run(context.Background(), sim.Preview, stack, sim.Options{Packages: clouds.All()})
	if err != nil {
		t.Fatal(err, r.Errors)
	}
	return r
}
