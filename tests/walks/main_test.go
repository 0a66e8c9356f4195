package walks

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"pgregory.net/rapid"

	"github.com/morphee-app/morphee-infra/tests/rig"
)

// The tests pass these to the processes that they start.
const (
	envSteps = "MORPHEE_WALK_CHILD" // how many steps to walk in this process
	envKeep  = "MORPHEE_WALK_KEEP"  // folder for what fails
	envPlant = "MORPHEE_WALK_PLANT" // a fault to find
	envStats = "MORPHEE_WALK_STATS" // file for the figures
)

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
			if args.Type == "docker:index/volume:Volume" && strings.HasPrefix(args.Name, "postgres") {
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
	want := 20
	if text := os.Getenv(envSteps); text != "" {
		var err error
		if want, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	done, failed := newFigures(), false
	base := rig.NewStore(t)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		if done.Steps >= want && !failed {
			return
		}
		n++
		dir := filepath.Join(base.Dir, fmt.Sprint("walk", n))
		store := rig.StoreIn(t, dir)
		defer os.RemoveAll(dir)
		s := &script{dir: dir, keep: os.Getenv(envKeep)}
		finished := false
		defer func() { failed = failed || !finished }()
		w := begin(rt, store, s, fault(os.Getenv(envPlant)))
		done.Walks++
		rt.Repeat(w.steps(func(step string) {
			done.Steps++
			done.ByStep[step]++
			done.ByKind[w.kind]++
		}))
		finished = true
	})
	if path := os.Getenv(envStats); path != "" {
		data, err := json.Marshal(done)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%+v", done)
}

// perProcess is how many steps a process walks: the engine keeps some of each operation.
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
	if long() {
		return 1 + rand.Uint64N(1<<40)
	}
	return 20261122
}

func long() bool { return os.Getenv("MORPHEE_TEST_LONG") != "" }

// amount is how many steps to walk: as MORPHEE_WALK_STEPS says, 100,000 in the long tests, else 2,000.
func amount(t *testing.T) int {
	if text := os.Getenv("MORPHEE_WALK_STEPS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("MORPHEE_WALK_STEPS %q: want a number above 0", text)
		}
		return n
	}
	if long() {
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
	var wait sync.WaitGroup
	jobs := make(chan int)
	for range runtime.NumCPU() {
		wait.Go(func() {
			for i := range jobs {
				name := strconv.FormatUint(from+uint64(i), 10)
				f, out, err := child(t, min(perProcess, steps-i*perProcess), name, filepath.Join(keep, name), "")
				mu.Lock()
				total.add(f)
				if err != nil {
					t.Errorf("%v\n%s\nthe walk is kept in %s: run its walk.sh", err, out, filepath.Join(keep, name))
				}
				mu.Unlock()
			}
		})
	}
	for i := 0; i*perProcess < steps && !t.Failed(); i++ {
		jobs <- i
	}
	close(jobs)
	wait.Wait()
	if total.Steps < steps {
		t.Errorf("walked only %d of %d steps", total.Steps, steps)
	}
	t.Logf("%d steps in %d walks; by step %v; by what they began with %v", total.Steps, total.Walks, total.ByStep, total.ByKind)
	if path := os.Getenv("MORPHEE_PROOF"); path != "" {
		rig.Proof(t, path, "walks", map[string]any{"seed": from, "asked": steps, "figures": total})
	}
}

// child walks in a process of its own.
func child(t *testing.T, steps int, seed, keep string, plant fault) (figures, string, error) {
	stats := filepath.Join(t.TempDir(), "stats.json")
	cmd := exec.Command(os.Args[0], "-test.run=^TestWalk$", "-test.v", "-test.timeout=60m", "-rapid.nofailfile", "-rapid.seed="+seed,
		fmt.Sprint("-rapid.checks=", max(steps, 1)), "-rapid.steps=18", "-rapid.shrinktime=2m")
	cmd.Env = append(os.Environ(), fmt.Sprint(envSteps, "=", steps), envKeep+"="+keep, envStats+"="+stats, envPlant+"="+string(plant), "GOGC=300")
	out, err := cmd.CombinedOutput()
	f := newFigures()
	if err != nil {
		return f, string(out), fmt.Errorf("the walks of seed %s failed: %w", seed, err)
	}
	data, err := os.ReadFile(stats)
	if err != nil {
		return f, string(out), err
	}
	return f, string(out), json.Unmarshal(data, &f)
}
