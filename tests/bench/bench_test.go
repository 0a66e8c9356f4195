// Package bench measures preview and up of the shipped stacks against a flat program of as many
// resources that do nothing, on the same engine in the same process, and against the very same
// resources and inputs registered one after the other, without components, wiring or rules. The first
// ratio says what all of it costs on top of an empty engine; the second what of that is the program and
// the rules, and not the size of what is described.
package bench

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds"
)

var measured = []string{"../../Pulumi.dev.yaml", "../../Pulumi.prod.yaml"}

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

// same registers the resources of a deployment as they are, one after the other.
func same(list []deployment.Resource) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		for _, r := range list {
			var err error
			switch {
			case strings.HasPrefix(r.Type, "pulumi:"):
			case !r.Custom:
				err = ctx.RegisterComponentResource(r.Type, r.Name, &struct{ pulumi.ResourceState }{})
			default:
				in := pulumi.Map{}
				for k, v := range r.Inputs {
					if k != "__defaults" {
						in[k] = pulumi.Any(deployment.Plain(v))
					}
				}
				err = ctx.RegisterResource(r.Type, r.Name, in, &struct{ pulumi.CustomResourceState }{})
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// bare are the simulated providers without what they know of their clouds.
func bare() []cloud.Package {
	var out []cloud.Package
	for _, p := range clouds.All() {
		out = append(out, cloud.Package{Name: p.Name})
	}
	return out
}

func operate(b *testing.B, store sim.Store, op sim.Operation, stack sim.Stack, packages ...cloud.Package) *sim.Result {
	b.Helper()
	if packages == nil {
		packages = clouds.All()
	}
	r, err := store.Run(context.Background(), op, stack, sim.Options{Packages: packages})
	if err != nil {
		b.Fatal(err, r.Errors)
	}
	return r
}

func deployed(b *testing.B, stack sim.Stack) []deployment.Resource {
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
	return all
}

// TestMain collects garbage as the command does.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}

// perOp is the mean duration of an operation on an empty stack, and the processor time that it takes
// (which other work on the machine hardly changes), in milliseconds. The key of the state folder is
// made beforehand: it is made once in a folder's life.
func perOp(b *testing.B, op sim.Operation, stack sim.Stack, packages ...cloud.Package) (ms, cpu float64) {
	b.Helper()
	store := sim.Store{Dir: b.TempDir()}
	operate(b, store, sim.Preview, stack, packages...)
	b.ResetTimer()
	b.StopTimer()
	for i := range b.N {
		one := stack
		one.Name = fmt.Sprintf("bench%d", i)
		start := processorTime()
		b.StartTimer()
		operate(b, store, op, one, packages...)
		b.StopTimer()
		cpu += float64((processorTime() - start).Microseconds()) / 1000 / float64(b.N)
	}
	return float64(b.Elapsed().Microseconds()) / 1000 / float64(b.N), cpu
}

func BenchmarkStacks(b *testing.B) {
	for _, path := range measured {
		stack, err := rehearsal.Load(path, "")
		if err != nil {
			b.Fatal(err)
		}
		all := deployed(b, stack.Stack)
		n := len(all)
		base := sim.Stack{Project: stack.Project, Name: "flat", Program: flat(n)}
		for _, op := range []sim.Operation{sim.Preview, sim.Up} {
			ms, cpu := map[string]float64{}, map[string]float64{}
			b.Run(fmt.Sprintf("%s/%s/flat", stack.Name, op), func(b *testing.B) {
				ms["flat"], cpu["flat"] = perOp(b, op, base)
				b.ReportMetric(ms["flat"], "ms/op")
				b.ReportMetric(cpu["flat"], "cpu-ms/op")
				b.ReportMetric(float64(n), "resources")
			})
			if op == sim.Preview {
				b.Run(fmt.Sprintf("%s/%s/same", stack.Name, op), func(b *testing.B) {
					ms["same"], cpu["same"] = perOp(b, op, sim.Stack{Project: stack.Project, Name: "same", Program: same(all)}, bare()...)
					b.ReportMetric(ms["same"], "ms/op")
					b.ReportMetric(cpu["same"], "cpu-ms/op")
				})
			}
			b.Run(fmt.Sprintf("%s/%s/stack", stack.Name, op), func(b *testing.B) {
				ms["stack"], cpu["stack"] = perOp(b, op, stack.Stack)
				b.ReportMetric(ms["stack"], "ms/op")
				b.ReportMetric(cpu["stack"], "cpu-ms/op")
				b.ReportMetric(ms["stack"]/ms["flat"], "x-flat")
				b.ReportMetric(cpu["stack"]/cpu["flat"], "x-flat-cpu")
				if op == sim.Preview {
					b.ReportMetric(ms["stack"]/ms["same"], "x-same")
					b.ReportMetric(cpu["stack"]/cpu["same"], "x-same-cpu")
				}
				b.ReportMetric(float64(n), "resources")
			})
		}
	}
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
