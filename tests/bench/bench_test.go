// Package bench measures preview and up of the shipped stacks against a flat program of as many
// resources that do nothing, on the same engine in the same process. What counts is the ratio: it says
// what the program, the schemas and the clouds' rules cost on top of the engine.
package bench

import (
	"context"
	"fmt"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds"
)

var measured = []string{"../../Pulumi.dev.yaml"}

// flat registers n resources without any wiring or rule.
func flat(n int) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		for i := range n {
			var r pulumi.CustomResourceState
			err := ctx.RegisterResource("random:index/randomId:RandomId", fmt.Sprintf("flat-%d", i), pulumi.Map{"byteLength": pulumi.Int(8)}, &r)
			if err != nil {
				return err
			}
		}
		return nil
	}
}

func operate(b *testing.B, store sim.Store, op sim.Operation, stack sim.Stack) *sim.Result {
	b.Helper()
	r, err := store.Run(context.Background(), op, stack, sim.Options{Packages: clouds.All()})
	if err != nil {
		b.Fatal(err, r.Errors)
	}
	return r
}

func count(b *testing.B, stack sim.Stack) int {
	b.Helper()
	store := sim.Store{Dir: b.TempDir()}
	operate(b, store, sim.Up, stack)
	data, err := store.Export(context.Background(), stack.Name, true)
	if err != nil {
		b.Fatal(err)
	}
	all, err := deployment.Read(data)
	if err != nil {
		b.Fatal(err)
	}
	return len(all)
}

// perOp is the mean duration of an operation on an empty stack, in milliseconds. The key of the state
// folder is made beforehand: it is made once in a folder's life.
func perOp(b *testing.B, op sim.Operation, stack sim.Stack) float64 {
	b.Helper()
	store := sim.Store{Dir: b.TempDir()}
	operate(b, store, sim.Preview, stack)
	b.ResetTimer()
	b.StopTimer()
	for i := range b.N {
		one := stack
		one.Name = fmt.Sprintf("bench%d", i)
		b.StartTimer()
		operate(b, store, op, one)
		b.StopTimer()
	}
	return float64(b.Elapsed().Microseconds()) / 1000 / float64(b.N)
}

func BenchmarkStacks(b *testing.B) {
	for _, path := range measured {
		stack, err := rehearsal.Load(path, "")
		if err != nil {
			b.Fatal(err)
		}
		n := count(b, stack.Stack)
		base := sim.Stack{Project: stack.Project, Name: "flat", Program: flat(n)}
		for _, op := range []sim.Operation{sim.Preview, sim.Up} {
			ms := map[string]float64{}
			b.Run(fmt.Sprintf("%s/%s/flat", stack.Name, op), func(b *testing.B) {
				ms["flat"] = perOp(b, op, base)
				b.ReportMetric(ms["flat"], "ms/op")
				b.ReportMetric(float64(n), "resources")
			})
			b.Run(fmt.Sprintf("%s/%s/stack", stack.Name, op), func(b *testing.B) {
				ms["stack"] = perOp(b, op, stack.Stack)
				b.ReportMetric(ms["stack"], "ms/op")
				b.ReportMetric(ms["stack"]/ms["flat"], "x-flat")
				b.ReportMetric(float64(n), "resources")
			})
		}
	}
}
