package bench

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"testing"
	"time"

	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
)

// further are regions next to the first one, in the order in which they are added.
var further = []string{
	"us-east-1", "us-west-2", "eu-central-1", "ap-southeast-1", "ap-northeast-1", "us-east-2", "eu-north-1", "ap-southeast-2", "ca-central-1",
}

// regions is phase 4 with that many regions in all, the first one included; with one region, phase 3.
func regions(b *testing.B, n int) sim.Stack {
	b.Helper()
	stack, err := rehearsal.Load("../../stacks/examples/phase4.yaml", "")
	if err != nil {
		b.Fatal(err)
	}
	var platform map[string]any
	if err := json.Unmarshal([]byte(stack.Stack.Config["morphee:aws"]), &platform); err != nil {
		b.Fatal(err)
	}
	list := []any{}
	for i, name := range further[:n-1] {
		list = append(list, map[string]any{"name": name, "index": i + 1, "zones": 2, "nat": "single", "backendTasks": 2, "databaseInstances": 1})
	}
	platform["regions"] = list
	if n == 1 {
		delete(platform, "regions")
	}
	text, err := json.Marshal(platform)
	if err != nil {
		b.Fatal(err)
	}
	out := stack.Stack
	out.Name, out.Config = fmt.Sprintf("regions-%d", n), maps.Clone(out.Config)
	out.Config["morphee:aws"] = string(text)
	if n == 1 {
		out.Config["morphee:phase"] = "3" // which is what phase 4 in one region would be
	}
	return out
}

// straight is how far any preview may be from the straight line through all of them, as a share of it.
const straight = 0.2

// BenchmarkRegions measures how a preview of phase 4 grows from 1 to 10 regions. Every round previews all
// ten, so that whatever else the machine does is shared by them; the least time of each counts. x-off-line
// is the distance of the worst from the least-squares line, x-ten-to-one the time of ten regions to that of
// one. It fails above straight, by the processor's time.
func BenchmarkRegions(b *testing.B) {
	const most = 10
	store, rounds := sim.Store{Dir: b.TempDir()}, max(b.N, 1)
	var stacks []sim.Stack
	for n := 1; n <= most; n++ {
		stacks = append(stacks, regions(b, n))
	}
	judged(b, store, stacks[0], false) // makes the key of the folder
	least := make([]cost, most)
	for range rounds {
		for i, stack := range stacks {
			c := judged(b, store, stack, false)
			if least[i].cpu == 0 || c.cpu < least[i].cpu {
				least[i].cpu = c.cpu
			}
			if least[i].wall == 0 || c.wall < least[i].wall {
				least[i].wall = c.wall
			}
		}
	}
	off := func(of func(cost) time.Duration) (worst float64) {
		var y []float64
		for _, c := range least {
			y = append(y, of(c).Seconds())
		}
		first, slope := line(y)
		for i := range y {
			worst = max(worst, math.Abs(y[i]/(first+slope*float64(i))-1))
		}
		return worst
	}
	cpu := off(func(c cost) time.Duration { return c.cpu })
	b.ReportMetric(cpu, "x-off-line-cpu")
	b.ReportMetric(off(func(c cost) time.Duration { return c.wall }), "x-off-line")
	b.ReportMetric(least[most-1].cpu.Seconds()/least[0].cpu.Seconds(), "x-ten-to-one-cpu")
	b.ReportMetric(least[most-1].wall.Seconds()/least[0].wall.Seconds(), "x-ten-to-one")
	for i, c := range least {
		b.Logf("%2d regions: %v of the processor, %v in all", i+1, c.cpu.Round(time.Millisecond), c.wall.Round(time.Millisecond))
	}
	if b.N >= 5 && cpu > straight {
		b.Errorf("a preview is %.0f %% off the straight line from 1 to 10 regions, want %.0f %% at most", 100*cpu, 100*straight)
	}
}

// line is the least-squares line through y at 0, 1, 2, …: its value at 0 and its slope.
func line(y []float64) (first, slope float64) {
	n := float64(len(y))
	var sx, sy, sxx, sxy float64
	for i, v := range y {
		x := float64(i)
		sx, sy, sxx, sxy = sx+x, sy+v, sxx+x*x, sxy+x*v
	}
	slope = (n*sxy - sx*sy) / (n*sxx - sx*sx)
	return (sy - slope*sx) / n, slope
}
