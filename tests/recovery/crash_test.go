// Package recovery has runs die and fail at any operation.
package recovery

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/serving"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/provider"
	"github.com/morphee-app/morphee-infra/internal/stateful"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// subject is a deployment to be cut: what was there before, what is brought up, and what comes of it
// undisturbed.
type subject struct {
	Name   string
	Config string // path of the configuration file
	Before string // folder of the store
	Want   string // the undisturbed world
	Ops    int    // how many operations it takes
}

// cuts are some of a subject's.
type cuts struct {
	Subject subject
	Kind    provider.FaultKind
	At      []int
}

// tally is what came of cuts.
type tally struct {
	Name      string `json:"name"`
	Ops       int    `json:"operations"`
	Cuts      int    `json:"cuts"`
	Recovered int    `json:"recovered"`
}

// Whatever operation a run dies after, or fails at, the next run gets to the world that an undisturbed
// run makes: nothing lost, nothing twice, nothing left over. That holds for dev and prod from nothing and
// for every step of the ladder from the one before it. The long tests cut at every operation, the
// ordinary ones a few of each.
//
// The same world is: the same resources, each once, by type, place and name; the stateful ones with the
// same ids; no difference left between the clouds, the state and the program; and the same public names
// served. Ids of what holds nothing may differ: what was being replaced when the run died may have been
// made once more.
func TestEveryCutRecovers(t *testing.T) {
	var jobs []cuts
	list := subjects(t)
	for _, s := range list {
		jobs = append(jobs, s.cuts(every(t))...)
	}
	var mu sync.Mutex
	total := map[string]*tally{}
	for _, s := range list {
		total[s.Name] = &tally{Name: s.Name, Ops: s.Ops}
	}
	rig.SideBySide(jobs, func(j cuts) {
		var got tally
		out, err := rig.Child(t, "TestCuts", j, &got)
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			t.Errorf("%s, %s at %v: %v\n%s", j.Subject.Name, j.Kind, j.At, err, out)
		}
		sum := total[j.Subject.Name]
		sum.Cuts += got.Cuts
		sum.Recovered += got.Recovered
	})
	var figures []tally
	for _, s := range list {
		t.Logf("%s: %d operations, %d cuts, %d recovered", s.Name, s.Ops, total[s.Name].Cuts, total[s.Name].Recovered)
		figures = append(figures, *total[s.Name])
	}
	rig.Proof(t, "cuts", map[string]any{"every": every(t), "subjects": figures})
}

// subjects are dev and prod, and the steps of the ladder.
func subjects(t *testing.T) []subject {
	t.Helper()
	var out []subject
	for _, name := range []string{"dev", "prod"} {
		s, _ := undisturbed(t, name, rig.Load(t, rig.Shipped(t)[name]), rig.NewStore(t))
		out = append(out, s)
	}
	before := rig.NewStore(t)
	for _, step := range rig.Ladder(t) {
		var s subject
		s, before = undisturbed(t, step.Name, step.Stack, before)
		out = append(out, s)
	}
	return out
}

func undisturbed(t *testing.T, name string, stack *rehearsal.Stack, before sim.Store) (subject, sim.Store) {
	t.Helper()
	after := rig.Copy(t, before)
	r := rig.Run(t, after, sim.Up, stack.Stack, sim.Options{Parallel: 1})
	want, problems := inventory(after, stack)
	if len(problems) > 0 {
		t.Errorf("%s, undisturbed: %v", name, problems)
	}
	path, err := filepath.Abs(stack.Arg)
	if err != nil {
		t.Fatal(err)
	}
	return subject{Name: name, Config: path, Before: before.Dir, Want: want, Ops: len(r.Log)}, after
}

// perProcess is how many cuts a process makes.
const perProcess = 30

// every is the distance between the operations that the long tests cut at: 1, or what MORPHEE_CUT_EVERY says,
// for when there is no time for all.
func every(t *testing.T) int {
	text := os.Getenv("MORPHEE_CUT_EVERY")
	if text == "" {
		return 1
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("MORPHEE_CUT_EVERY %q: want a number above 0", text)
	}
	return n
}

// cuts are all of them in the long tests, and a few otherwise. With a distance, kills and failures take
// turns, so that they do not hit the same operations.
func (s subject) cuts(distance int) []cuts {
	var out []cuts
	for i, kind := range []provider.FaultKind{provider.Kill, provider.Fail} {
		var at []int
		if rig.Long() {
			for k := 1 + i*(distance/2); k <= s.Ops; k += distance {
				at = append(at, k)
			}
		} else if k := (i + 1) * s.Ops / 3; k > 0 {
			at = []int{k}
		}
		for part := range slices.Chunk(at, perProcess) {
			out = append(out, cuts{s, kind, part})
		}
	}
	return out
}

// TestCuts makes the cuts that TestEveryCutRecovers asks of its process.
func TestCuts(t *testing.T) {
	var job cuts
	if !rig.Job(t, &job) {
		t.Skip("runs in processes of TestEveryCutRecovers")
	}
	stack := rig.Load(t, job.Subject.Config)
	got := tally{}
	for _, k := range job.At {
		got.Cuts++
		if problem := job.cut(t, stack, k); problem != "" {
			t.Errorf("%s: %s at operation %d of %d: %s", job.Subject.Name, job.Kind, k, job.Subject.Ops, problem)
			continue
		}
		got.Recovered++
	}
	rig.Answer(t, got)
}

// cut brings the stack up with one operation disturbed, and again without; it returns what is wrong then.
func (c cuts) cut(t *testing.T, stack *rehearsal.Stack, k int) string {
	t.Helper()
	store := sim.Store{Dir: filepath.Join(t.TempDir(), "store")}
	defer os.RemoveAll(store.Dir)
	if err := os.CopyFS(store.Dir, os.DirFS(c.Subject.Before)); err != nil {
		t.Fatal(err)
	}
	_, err := rig.Try(store, sim.Up, stack.Stack, sim.Options{Parallel: 1, Faults: []provider.Fault{{Kind: c.Kind, At: k, Times: 1}}})
	if err == nil {
		return "the disturbed run succeeded"
	}
	if c.Kind == provider.Kill && !errors.Is(err, provider.ErrKilled) {
		return "the run was not killed: " + err.Error()
	}
	if r, err := rig.Try(store, sim.Up, stack.Stack, sim.Options{Parallel: 1}); err != nil {
		return fmt.Sprintf("the next run failed: %v\n%s", err, strings.Join(r.Errors, "\n"))
	}
	got, problems := inventory(store, stack)
	if len(problems) > 0 {
		return strings.Join(problems, "; ")
	}
	if got != c.Subject.Want {
		return "another world than undisturbed:\n" + rig.Differences(c.Subject.Want, got)
	}
	r, err := rig.Try(store, sim.Up, stack.Stack, sim.Options{Refresh: true})
	if err != nil {
		return fmt.Sprintf("a refresh and another up: %v", err)
	}
	if r.Changes.Any() {
		return "a refresh, or another up, finds differences:" + rig.Describe(r.Resources)
	}
	return ""
}

// inventory lists what exists in the simulated clouds, and what is not served of the public names.
func inventory(store sim.Store, stack *rehearsal.Stack) (text string, problems []string) {
	var lines []string
	err := store.Look(context.Background(), stack.Name, func(w *cloud.World) {
		for _, r := range w.All("", "") {
			line := r.Type + " " + r.Scope + " " + r.URN
			name := r.URN[strings.LastIndex(r.URN, ":")+1:]
			if stateful.Is(r.Type) && !stateful.Rewritten(r.Type, name) {
				line += " " + r.ID
			}
			lines = append(lines, line)
		}
		for _, a := range serving.All(w, stack.Config.PublicNames()) {
			if !a.Served() {
				problems = append(problems, a.String())
			}
		}
	})
	if err != nil {
		problems = append(problems, err.Error())
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n"), problems
}
