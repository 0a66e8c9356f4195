package server

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/serving"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/provider"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// phase2Choices are the ways that phase 2 can be.
var phase2Choices = []string{"phase2", "phase2-hetzner", "phase2-supabase", "phase2-neon", "phase2-forgejo-server"}

// changed returns the stack with keys of one configuration map changed, as a person edits the file.
func changed(t *testing.T, stack sim.Stack, key string, change map[string]any) sim.Stack {
	t.Helper()
	tree := map[string]any{}
	if text := stack.Config["morphee:"+key]; text != "" {
		if err := json.Unmarshal([]byte(text), &tree); err != nil {
			t.Fatal(err)
		}
	}
	maps.Copy(tree, change)
	data, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return rig.With(stack, "morphee:"+key, string(data))
}

// stepsTo are the reviewed changes from phase 1 to the choice, and back: both servers first, then one
// switch at a time.
func stepsTo(t *testing.T, stack *rehearsal.Stack) (up []sim.Stack, back []sim.Stack) {
	t.Helper()
	full := stack.Stack
	forgejo := func(s sim.Stack, cutover bool) sim.Stack {
		return changed(t, s, "forgejo", map[string]any{"server": map[string]any{"enabled": true, "cutover": cutover}})
	}
	beside := full
	if stack.Config.Forgejo.Server.Cutover {
		beside = forgejo(beside, false)
	}
	database := beside
	if stack.Config.Database.Cutover {
		beside = changed(t, beside, "database", map[string]any{"cutover": false})
	}
	for _, s := range []sim.Stack{beside, database, full} {
		if len(up) == 0 || fmt.Sprint(up[len(up)-1].Config) != fmt.Sprint(s.Config) {
			up = append(up, s)
		}
	}
	back = slices.Clone(up[:len(up)-1])
	slices.Reverse(back)
	// Phase 1, with the servers that hold data: unused, and there until they are retired.
	one := rig.With(beside, "morphee:phase", "1")
	one = changed(t, one, "database", map[string]any{"provider": stack.Config.Database.Provider})
	return up, append(back, one)
}

// Dev grows into every kind of phase 2 and comes back: nothing that holds data is replaced or deleted,
// every public name is served all the while, and each step is complete in itself.
func TestPhase1GrowsIntoPhase2AndBack(t *testing.T) {
	for _, name := range phase2Choices {
		t.Run(name, func(t *testing.T) {
			choice := rig.Load(t, rig.Shipped(t)[name])
			up, back := stepsTo(t, choice)
			one := rig.With(choice.Stack, "morphee:phase", "1", "morphee:database", "{}", "morphee:forgejo", "{}")
			one = changed(t, one, "server", map[string]any{"type": "cpx31"})
			store := rig.NewStore(t)
			rig.Run(t, store, sim.Up, one, sim.Options{})
			begin := protected(t, store, one)
			before := begin
			for i, step := range append(up, back...) {
				r, gaps, answers, err := watched(t, store, step, namesOf(choice), sim.Options{})
				if err != nil {
					t.Fatalf("step %d: %v\n%s", i, err, strings.Join(r.Errors, "\n"))
				}
				after := protected(t, store, one)
				for id, what := range before {
					if _, ok := after[id]; !ok {
						t.Errorf("step %d lost %s", i, what)
					}
				}
				before = after
				for _, c := range r.Resources {
					if (c.Op == "replace" || c.Op == "delete") && !rebuilt(c) {
						t.Errorf("step %d: %s %s %s %v", i, c.Op, c.Type, c.Name, c.Replaces)
					}
				}
				// The server restarts to grow. Beside that, only what has one container is away for the moment of
				// its replacement.
				for _, g := range gaps {
					if g.Host != choice.Config.Hosts.Git && !slices.Equal(g.Replaced, []string{"vps-server"}) {
						t.Errorf("step %d: %s", i, g)
					}
				}
				for _, a := range answers {
					if !a.Served() {
						t.Errorf("step %d: %s", i, a)
					}
				}
				if running := forgejos(t, store, step); len(running) != 1 {
					t.Errorf("step %d: %v run at once, and two that write damage the repositories", i, running)
				}
				if r := rig.Run(t, store, sim.Preview, step, sim.Options{}); r.Changes.Any() {
					t.Errorf("step %d is not converged:%s", i, rig.Describe(r.Resources))
				}
			}
			for id, what := range begin {
				if _, ok := before[id]; !ok {
					t.Errorf("lost %s", what)
				}
			}
		})
	}
}

// rebuilt tells what may come and go: containers and what carries files into them, and commands.
func rebuilt(c sim.ResourceChange) bool {
	switch c.Type {
	case "docker:index/container:Container", "docker:index/remoteImage:RemoteImage", "command:remote:Command":
		return true
	case "docker:index/volume:Volume":
		return strings.HasSuffix(c.Name, "-secrets")
	}
	// Components are nothing of their own.
	return strings.HasPrefix(c.Type, "morphee:")
}

// protected are the resources of a stack by type, name and id.
func protected(t *testing.T, store sim.Store, stack sim.Stack) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, r := range rig.Resources(t, store, stack) {
		if r.Protect {
			out[r.URN+" "+r.ID] = r.Type + " " + r.Name
		}
	}
	if len(out) < 15 {
		t.Fatalf("only %d protected resources: this test looks in the wrong place", len(out))
	}
	return out
}

// watched runs an operation, and says how long which of the public names were not served meanwhile, and
// who answers under them afterwards. Several resources are changed at a time, as in a deployment.
func watched(t *testing.T, store sim.Store, stack sim.Stack, hosts []string, opts sim.Options) (r *sim.Result, gaps []serving.Gap, answers []serving.Answer, failed error) {
	t.Helper()
	var watch *serving.Watch
	look(t, store, stack, func(w *cloud.World) { watch = serving.NewWatch(w, hosts, nil) })
	opts.Observe = watch.Observe
	r, failed = rig.Try(store, sim.Up, stack, opts)
	look(t, store, stack, func(w *cloud.World) { gaps, answers = watch.End(w) })
	return r, gaps, answers, failed
}

// namesOf are the public names, written out here: one that the program forgets must be missed.
func namesOf(stack *rehearsal.Stack) []string {
	h := stack.Config.Hosts
	return []string{h.App, h.API, h.Auth, h.Git}
}

// forgejos are the containers of Forgejo that run.
func forgejos(t *testing.T, store sim.Store, stack sim.Stack) (running []string) {
	t.Helper()
	look(t, store, stack, func(w *cloud.World) {
		for _, c := range w.All("", "docker:index/container:Container") {
			if strings.HasSuffix(c.URN, "forgejo-service-container") && c.Out["start"] != false {
				running = append(running, c.URN[strings.LastIndex(c.URN, ":")+1:])
			}
		}
	})
	return running
}

func look(t *testing.T, store sim.Store, stack sim.Stack, see func(*cloud.World)) {
	t.Helper()
	if err := store.Look(context.Background(), stack.Name, see); err != nil {
		t.Fatal(err)
	}
}

// A new image of the backend: one container is replaced, healthy, and only then the other goes.
func TestReplicasAreReplacedOneAtATime(t *testing.T) {
	for _, name := range phase2Choices {
		stack := rig.Load(t, rig.Shipped(t)[name])
		store := rig.NewStore(t)
		rig.Run(t, store, sim.Up, stack.Stack, sim.Options{})
		next := changed(t, stack.Stack, "images", map[string]any{"backend": "ghcr.io/morphee-app/backend:1.0.1"})
		r, gaps, answers, err := watched(t, store, next, namesOf(stack), sim.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(gaps) > 0 {
			t.Errorf("%s: %v", name, gaps)
		}
		api := slices.IndexFunc(answers, func(a serving.Answer) bool { return a.Host == stack.Config.Hosts.API })
		for _, target := range answers[api].Main() {
			if last := target.Path[len(target.Path)-1]; strings.Count(last, " or ") != 1 {
				t.Errorf("%s: the API is served by %s, want two containers", name, last)
			}
		}
		var order []string
		for _, op := range r.Log {
			if op.Type == "docker:index/container:Container" && !strings.Contains(op.URN.Name(), "secrets-loader") {
				order = append(order, op.Kind+" "+strings.TrimSuffix(op.URN.Name(), "-container"))
			}
		}
		want := []string{"delete backend-replica-2", "create backend-replica-2", "delete backend-service", "create backend-service"}
		if !slices.Equal(order, want) {
			t.Errorf("%s: the order was %v, want %v", name, order, want)
		}
	}
}

// A new image of Redis: never two of the servers at once, and never two of the Sentinels.
func TestRedisIsReplacedOneAtATime(t *testing.T) {
	stack := rig.Load(t, rig.Shipped(t)["phase2"])
	store := rig.NewStore(t)
	rig.Run(t, store, sim.Up, stack.Stack, sim.Options{})
	next := changed(t, stack.Stack, "images", map[string]any{"redis": "redis:7.4.8-alpine"})
	r := rig.Run(t, store, sim.Up, next, sim.Options{})
	var order []string
	for _, op := range r.Log {
		if op.Type == "docker:index/container:Container" && !strings.Contains(op.URN.Name(), "secrets-loader") {
			order = append(order, op.Kind+" "+strings.TrimSuffix(op.URN.Name(), "-container"))
		}
	}
	var want []string
	for _, n := range []string{"redis-replica", "redis-service", "redis-sentinel-1", "redis-sentinel-2", "redis-sentinel-3"} {
		want = append(want, "delete "+n, "create "+n)
	}
	if !slices.Equal(order, want) {
		t.Errorf("the order was %v, want %v", order, want)
	}
}

// When the first replica that is replaced does not come up, the other one is left alone.
func TestAReplicaThatFailsStopsTheReplacement(t *testing.T) {
	stack := rig.Load(t, rig.Shipped(t)["phase2"])
	store := rig.NewStore(t)
	rig.Run(t, store, sim.Up, stack.Stack, sim.Options{})
	next := changed(t, stack.Stack, "images", map[string]any{"backend": "ghcr.io/morphee-app/backend:1.0.1"})
	r, gaps, _, err := watched(t, store, next, namesOf(stack), sim.Options{Faults: failing(t, "docker:index/container:Container::backend-replica-2-container")})
	if err == nil {
		t.Fatal("the fault had no effect")
	}
	if len(gaps) > 0 {
		t.Errorf("%v", gaps)
	}
	for _, op := range r.Log {
		if strings.HasPrefix(op.URN.Name(), "backend-service-container") {
			t.Errorf("the other replica was touched: %s", op.Kind)
		}
	}
	rig.Run(t, store, sim.Up, next, sim.Options{})
	if r := rig.Run(t, store, sim.Preview, next, sim.Options{}); r.Changes.Any() {
		t.Errorf("not converged:%s", rig.Describe(r.Resources))
	}
}

func failing(t *testing.T, pattern string) []provider.Fault {
	t.Helper()
	fault, err := provider.ParseFault(provider.Fail, pattern)
	if err != nil {
		t.Fatal(err)
	}
	fault.Times = 1
	return []provider.Fault{fault}
}

// A volume that is lost is made anew, empty: the deployment looks for it on the server and configures the
// database again, where it stops until the data is restored. Nothing else that is stateful is touched.
func TestALostVolumeIsWaitedFor(t *testing.T) {
	stack := rig.Load(t, rig.Shipped(t)["phase2-hetzner"])
	store := rig.NewStore(t)
	rig.Run(t, store, sim.Up, stack.Stack, sim.Options{})
	var lost []sim.Drift
	for _, text := range []string{"hcloud:index/volumeAttachment:VolumeAttachment::database-data-attachment:delete", "hcloud:index/volume:Volume::database-data:delete"} {
		drift, err := sim.ParseDrift(text)
		if err != nil {
			t.Fatal(err)
		}
		lost = append(lost, drift)
	}
	rig.Run(t, store, sim.Refresh, stack.Stack, sim.Options{Drift: lost})
	r := rig.Run(t, store, sim.Up, stack.Stack, sim.Options{})
	got := map[string]string{}
	for _, c := range r.Resources {
		if c.Op != "same" {
			got[c.Name] = c.Op
		}
	}
	want := map[string]string{"database-data": "create", "database-data-attachment": "create", "database-ready": "replace", "database-configure": "replace"}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
