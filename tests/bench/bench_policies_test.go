package bench

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds"
	"github.com/morphee-app/morphee-infra/internal/verdict"
)

// cost is what one preview takes.
type cost struct{ wall, cpu time.Duration }

// judged previews a stack, with or without the policy packs, as `infra sim preview` does.
func judged(tb testing.TB, store sim.Store, stack sim.Stack, policies bool) cost {
	tb.Helper()
	runtime.GC() // what one preview leaves, the next one does not pay for
	start, used := time.Now(), processorTime()
	ctx, opts := context.Background(), sim.Options{Packages: clouds.All()}
	judge, err := verdict.New(stack, start)
	if err != nil {
		tb.Fatal(err)
	}
	var r *sim.Result
	if policies {
		r, err = judge.Run(ctx, store, sim.Preview, stack, opts)
	} else {
		r, err = store.Run(ctx, sim.Preview, stack, opts)
	}
	if err != nil {
		tb.Fatal(err, r.Errors)
	}
	if policies && (r.Policies.Rules < 100 || r.Policies.Checks < 1000) {
		tb.Fatalf("%d rules made %d checks: this measures nothing", r.Policies.Rules, r.Policies.Checks)
	}
	return cost{time.Since(start), processorTime() - used}
}

// overhead previews n times without and with the policies in turn, so that whatever else the machine does
// is shared by both, and gives the medians of each.
func overhead(tb testing.TB, stack sim.Stack, n int) (without, with cost) {
	tb.Helper()
	store := sim.Store{Dir: tb.TempDir()}
	var list [2][]cost
	for i := range n + 1 {
		for _, policies := range []bool{i%2 == 0, i%2 != 0} {
			c := judged(tb, store, stack, policies)
			if i > 0 { // the first ones warm up
				list[index(policies)] = append(list[index(policies)], c)
			}
		}
	}
	return median(list[0]), median(list[1])
}

func index(policies bool) int {
	if policies {
		return 1
	}
	return 0
}

func median(list []cost) cost {
	middle := func(of func(cost) time.Duration) time.Duration {
		var all []time.Duration
		for _, c := range list {
			all = append(all, of(c))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	return cost{middle(func(c cost) time.Duration { return c.wall }), middle(func(c cost) time.Duration { return c.cpu })}
}

// most is how much longer a preview may take the processor with the policies than without.
const most = 1.15

// BenchmarkPolicies measures what the policy packs add to a preview: x-cpu and x-wall are the ratios of
// the processor's time and of the time that passes, to those of the same preview without them.
func BenchmarkPolicies(b *testing.B) {
	for _, path := range measured {
		stack, err := rehearsal.Load(path, "")
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("%s/preview", stack.Name), func(b *testing.B) {
			without, with := overhead(b, stack.Stack, b.N)
			ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
			b.ReportMetric(ms(without.cpu), "cpu-ms-without")
			b.ReportMetric(ms(with.cpu), "cpu-ms-with")
			ratio := with.cpu.Seconds() / without.cpu.Seconds()
			b.ReportMetric(ratio, "x-cpu")
			b.ReportMetric(with.wall.Seconds()/without.wall.Seconds(), "x-wall")
			if b.N >= 10 && ratio > most {
				b.Errorf("the policies take %.2f times the processor's time of a preview without them, want %.2f at most", ratio, most)
			}
		})
	}
}
