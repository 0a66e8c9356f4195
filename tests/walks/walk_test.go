package walks

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/morphee-app/morphee-infra/internal/config"
	"github.com/morphee-app/morphee-infra/internal/leaving"
	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/safety"
	"github.com/morphee-app/morphee-infra/internal/serving"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/provider"
	"github.com/morphee-app/morphee-infra/internal/stateful"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// walk is one stack on its way.
type walk struct {
	store  sim.Store
	script *script
	plant  fault

	kind  string
	now   settings         // as deployed
	stack *rehearsal.Stack // the same, ready to run
	held  map[string]string

	destroyed bool // just now
	large     int  // steps on AWS
}

// begin brings up a first configuration.
func begin(t *rapid.T, store sim.Store, s *script, plant fault) *walk {
	w := &walk{store: store, script: s, plant: plant, held: map[string]string{}}
	w.kind, w.now = start(t)
	w.stack = w.load(t, "it begins with "+w.kind, w.now)
	w.up(t)
	if w.kind == ladder {
		// Somewhere on the way from the server to AWS and beyond, so that every part of it is walked.
		for range rapid.IntRange(0, 14).Draw(t, "steps before") {
			w.climb(t)
		}
	}
	w.check(t)
	return w
}

// load writes the configuration down and reads it as the command does.
func (w *walk) load(t *rapid.T, why string, s settings) *rehearsal.Stack {
	path := w.script.config(t, why, w.now, s)
	stack, err := rehearsal.Load(path, "")
	if err != nil {
		w.fail(t, "reading the configuration: %v", err)
	}
	stack.Program = w.plant.program(stack.Program)
	return stack
}

// run is one operation, which has to succeed.
func (w *walk) run(t *rapid.T, op sim.Operation, opts sim.Options, flags ...string) *sim.Result {
	w.script.operation(op, false, flags...)
	opts.Parallel = 1 // always the same order, so that a walk can be repeated
	r, err := rig.Try(w.store, op, w.stack.Stack, opts)
	if err != nil {
		w.fail(t, "%s: %v\n%s", op, err, strings.Join(r.Errors, "\n"))
	}
	return r
}

// up brings the stack up.
func (w *walk) up(t *rapid.T) { w.run(t, sim.Up, sim.Options{}) }

// fail ends the walk. What is written down of it repeats it.
func (w *walk) fail(t *rapid.T, format string, args ...any) {
	t.Helper()
	text := fmt.Sprintf(format, args...)
	w.script.save(text)
	t.Fatalf("%s", text)
}

// check asks, after a step, everything that has to be true of the stack. That a refresh changes nothing and
// that a second up changes nothing is one question: a preview that begins with a refresh. (The state was
// verified when it was written.)
func (w *walk) check(t *rapid.T) {
	w.keeps(t)
	w.script.operation(sim.Refresh, false)
	var unserved []string
	r := w.run(t, sim.Up, sim.Options{Refresh: true, Look: func(world *cloud.World) { unserved = w.unserved(world) }})
	if r.Changes.Any() {
		w.fail(t, "a refresh, or a second up, changes:%s", rig.Describe(r.Resources))
	}
	if len(unserved) > 0 {
		w.fail(t, "%s", strings.Join(unserved, "\n"))
	}
}

// keeps compares what is stateful with what was: by type and id, because a name may change with an alias.
// What a retirement took away was confirmed by name.
func (w *walk) keeps(t *rapid.T) {
	now := map[string]string{}
	for _, r := range w.state(t) {
		if holds(r) {
			now[r.Type+" "+r.ID] = r.URN
		}
	}
	for id, urn := range w.held {
		if _, there := now[id]; !there && !w.mayGo(urn) {
			w.fail(t, "lost: %s (%s)", id, urn)
		}
	}
	w.held = now
}

// stateResource is what a state has of a resource, as far as it is looked at here.
type stateResource struct {
	URN, ID, Type string
	Custom        bool
	Delete        bool
	Inputs        map[string]any
}

// state reads the stack's state, without opening its secrets.
func (w *walk) state(t *rapid.T) []stateResource {
	data := w.file(t, "state.json")
	var doc struct {
		Deployment struct {
			Resources  []stateResource
			Operations []any `json:"pending_operations"`
		}
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		w.fail(t, "the state is damaged: %v", err)
	}
	if n := len(doc.Deployment.Operations); n > 0 {
		w.fail(t, "%d operations are pending after a run that succeeded", n)
	}
	return doc.Deployment.Resources
}

func (w *walk) file(t *rapid.T, name string) []byte {
	data, err := os.ReadFile(filepath.Join(w.store.Dir, stackName, name))
	if err != nil {
		w.fail(t, "%v", err)
	}
	return data
}

func holds(r stateResource) bool {
	name := r.URN[strings.LastIndex(r.URN, "::")+2:]
	return r.Custom && !r.Delete && stateful.Resource(r.Type, r.Inputs) && stateful.Is(r.Type) && !stateful.Rewritten(r.Type, name)
}

// mayGo says whether somebody confirmed that the resource goes. What is retiring is not protected any more,
// so that a destroy takes it too.
func (w *walk) mayGo(urn string) bool {
	name, given := urn[strings.LastIndex(urn, "::")+2:], leaving.New(w.stack.Stack.Config)
	return given.Retired(name) || w.destroyed && given.Retiring(name)
}

// unserved follows every public name to what answers it, and lists those without an answer.
func (w *walk) unserved(world *cloud.World) []string {
	var out []string
	for _, a := range serving.All(world, w.stack.Config.PublicNames()) {
		if !a.Served() {
			out = append(out, fmt.Sprintf("%s is not served: %s", a.Host, a))
		}
	}
	return out
}

// written are the lines of all that is kept of the stack, but for the time at which it was written and for
// what is encrypted, which looks different every time.
func (w *walk) written(t *rapid.T) []string {
	var out []string
	for line := range strings.Lines(string(w.file(t, "state.json")) + string(w.file(t, "world.json"))) {
		if !strings.Contains(line, `"time": `) && !strings.Contains(line, `"ciphertext": `) {
			out = append(out, line)
		}
	}
	return out
}

// become makes another configuration the deployed one.
func (w *walk) become(t *rapid.T, why string, next settings) {
	w.stack = w.load(t, why, next)
	w.now = next
}

// unchanged runs something that has to fail without an effect, and goes back.
func (w *walk) unchanged(t *rapid.T, what string, run func() error) {
	before := w.written(t)
	err := run()
	if err == nil {
		w.fail(t, "%s was not refused", what)
	}
	after := w.written(t)
	if !slices.Equal(before, after) {
		w.fail(t, "%s was refused, but something changed: %v\n%s", what, err, rig.Differences(strings.Join(before, ""), strings.Join(after, "")))
	}
}

// refuse tries a change that would lose something, as the command does: with the guard.
func (w *walk) refuse(t *rapid.T, m move) {
	path := w.script.config(t, m.name+", which is refused", w.now, m.to(t, w.now, w.stack.Config))
	stack, err := rehearsal.Load(path, "")
	if err != nil {
		t.Skip("the configuration itself refuses it")
	}
	w.unchanged(t, m.name, func() error {
		w.script.operation(sim.Up, true)
		_, err := rig.Try(w.store, sim.Up, stack.Stack, sim.Options{Parallel: 1, Guard: safety.Guard(safety.Options{})})
		if err != nil && !errors.Is(err, sim.ErrRefused) {
			w.fail(t, "%s failed in the middle: %v", m.name, err)
		}
		return err
	})
	w.script.again()
}

// reject tries a configuration that is wrong: the program itself has to refuse it, whoever runs it.
func (w *walk) reject(t *rapid.T, m move) {
	path := w.script.config(t, m.name+", which is rejected", w.now, m.to(t, w.now, w.stack.Config))
	if _, err := rehearsal.Load(path, ""); err == nil {
		w.fail(t, "%s: the configuration is taken", m.name)
	}
	file, err := config.ReadFile(path)
	if err != nil {
		w.fail(t, "%v", err)
	}
	raw := w.stack.Stack
	raw.Config, raw.Secret, err = file.Program(func(string, string) (string, error) { return "stand-in", nil })
	if err != nil {
		w.fail(t, "%v", err)
	}
	w.unchanged(t, m.name, func() error {
		w.script.operation(sim.Up, true)
		_, err := rig.Try(w.store, sim.Up, raw, sim.Options{Parallel: 1})
		return err
	})
	w.script.again()
}

// disturb brings a change up while one operation goes wrong, and again without.
func (w *walk) disturb(t *rapid.T, kind provider.FaultKind, k int) {
	w.script.operation(sim.Up, true, fmt.Sprintf("--%s %d", kind, k))
	_, err := rig.Try(w.store, sim.Up, w.stack.Stack, sim.Options{Parallel: 1, Faults: []provider.Fault{{Kind: kind, At: k, Times: 1}}})
	if err != nil && kind == provider.Kill && !errors.Is(err, provider.ErrKilled) {
		w.fail(t, "killed at operation %d, it said: %v", k, err)
	}
	w.up(t)
}
