package walks

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"pgregory.net/rapid"

	"github.com/morphee-app/morphee-infra/tests/rig"
)

// job is what a process is to walk.
type job struct {
	Steps int
	Keep  string // folder for what fails
	Plant fault  // a mistake to find
}

// fault is a mistake that is planted to see that it is found.
type fault string

const renamedVolume = fault("a volume is named after the owner")

// program makes the mistake.
func (f fault) program(p pulumi.RunFunc) pulumi.RunFunc {
	if f != renamedVolume {
		return p
	}
	return func(ctx *pulumi.Context) error {
		owner, _ := ctx.GetConfig("morphee:owner")
		err := ctx.RegisterResourceTransform(func(_ context.Context, args *pulumi.ResourceTransformArgs) *pulumi.ResourceTransformResult {
			if args.Type == "docker:index/volume:Volume" && args.Name == "postgres-data" {
				args.Props["name"] = pulumi.String("postgres-of-" + owner)
				args.Opts.Protect = false
			}
			return &pulumi.ResourceTransformResult{Props: args.Props, Opts: args.Opts}
		})
		if err != nil {
			return err
		}
		return p(ctx)
	}
}

// figures are what a process has walked.
type figures struct {
	Steps  int            `json:"steps"`
	Walks  int            `json:"walks"`
	ByStep map[string]int `json:"byStep"`
	ByKind map[string]int `json:"byKind"`
}

func (f *figures) add(o figures) {
	f.Steps += o.Steps
	f.Walks += o.Walks
	for k, n := range o.ByStep {
		f.ByStep[k] += n
	}
	for k, n := range o.ByKind {
		f.ByKind[k] += n
	}
}

func newFigures() figures { return figures{ByStep: map[string]int{}, ByKind: map[string]int{}} }

// TestWalk walks in this process: some steps, or as many as its parent says. The flags -rapid.seed,
// -rapid.steps (of a walk, on average) and -rapid.shrinktime are rapid's.
func TestWalk(t *testing.T) {
	todo := job{Steps: 20}
	rig.Job(t, &todo)
	done, failed := newFigures(), false
	base := rig.NewStore(t)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		if done.Steps >= todo.Steps && !failed {
			return
		}
		n++
		dir := filepath.Join(base.Dir, fmt.Sprint("walk", n))
		store := rig.StoreIn(t, dir)
		defer os.RemoveAll(dir)
		s := &script{dir: dir, keep: todo.Keep}
		finished := false
		defer func() { failed = failed || !finished }()
		w := begin(rt, store, s, todo.Plant)
		done.Walks++
		enough := func() bool { return done.Steps >= todo.Steps && !failed }
		rt.Repeat(w.steps(enough, func(step string) {
			done.Steps++
			done.ByStep[step]++
			done.ByKind[w.kind]++
		}))
		finished = true
	})
	rig.Answer(t, done)
	t.Logf("%+v", done)
}

// perProcess is how many steps a process walks: the engine keeps some of each operation, most of previews.
const perProcess = 250

// seed is where the random walks begin: fixed, so that the same change is judged the same way twice;
// random in the long tests, or as MORPHEE_WALK_SEED says.
func seed(t *testing.T) uint64 {
	if text := os.Getenv("MORPHEE_WALK_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 63)
		if err != nil || n == 0 {
			t.Fatalf("MORPHEE_WALK_SEED %q: want a number above 0", text)
		}
		return n
	}
	if rig.Long() {
		return 1 + rand.Uint64N(1<<40)
	}
	return 20261122
}

// amount is how many steps to walk: as MORPHEE_WALK_STEPS says, 100,000 in the long tests, else 2,000.
func amount(t *testing.T) int {
	if text := os.Getenv("MORPHEE_WALK_STEPS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("MORPHEE_WALK_STEPS %q: want a number above 0", text)
		}
		return n
	}
	if rig.Long() {
		return 100_000
	}
	return 2_000
}

// TestRandomWalks walks in processes of some hundred steps each, as many at once as there are processors.
func TestRandomWalks(t *testing.T) {
	from, steps := seed(t), amount(t)
	keep := filepath.Join(rig.Root(t), ".cache", "walks")
	t.Logf("seed %d, %d steps; the same again with MORPHEE_WALK_SEED=%[1]d MORPHEE_WALK_STEPS=%[2]d", from, steps)
	total := newFigures()
	var mu sync.Mutex
	var parts []int
	for i := 0; i*perProcess < steps; i++ {
		parts = append(parts, i)
	}
	rig.SideBySide(parts, func(i int) {
		if t.Failed() {
			return // one walk that fails is enough to look into
		}
		name := strconv.FormatUint(from+uint64(i), 10)
		f, out, err := child(t, name, job{min(perProcess, steps-i*perProcess), filepath.Join(keep, name), ""})
		mu.Lock()
		defer mu.Unlock()
		total.add(f)
		if err != nil {
			t.Errorf("%v\n%s\nthe walk is kept in %s: run its walk.sh", err, out, filepath.Join(keep, name))
		}
	})
	if total.Steps < steps {
		t.Errorf("walked only %d of %d steps", total.Steps, steps)
	}
	t.Logf("%d steps in %d walks; by step %v; by what they began with %v", total.Steps, total.Walks, total.ByStep, total.ByKind)
	rig.Proof(t, "walks", map[string]any{"seed": from, "asked": steps, "figures": total})
}

// child walks in a process of its own.
func child(t *testing.T, seed string, todo job) (figures, string, error) {
	f := newFigures()
	out, err := rig.Child(t, "TestWalk", todo, &f, "-rapid.nofailfile", "-rapid.seed="+seed,
		fmt.Sprint("-rapid.checks=", todo.Steps), "-rapid.steps=18", "-rapid.shrinktime="+shrinking(todo))
	return f, out, err
}

// shrinking is how long a failed walk is made smaller.
func shrinking(todo job) string {
	if todo.Plant != "" {
		return "20s"
	}
	return "3m"
}
