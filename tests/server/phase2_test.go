package server

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
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
				serving := newServing(rig.World(t, store, one))
				r := rig.Run(t, store, sim.Up, step, sim.Options{})
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
				// Only what has one container is away for the moment of its replacement.
				for _, gone := range serving.replay(r, rig.World(t, store, one)) {
					if strings.HasPrefix(gone, "api.") && choice.Config.Backend.Replicas > 1 {
						t.Errorf("step %d: %s was served by nothing", i, gone)
					}
				}
				checkServed(t, rig.World(t, store, one), choice)
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

// hostsOf are the names that a container is published under.
func hostsOf(container map[string]any) []string {
	outputs, _ := container["state"].(map[string]any)
	if outputs["start"] == false {
		return nil
	}
	var out []string
	labels, _ := outputs["labels"].([]any)
	for _, l := range labels {
		m, _ := l.(map[string]any)
		key, _ := m["label"].(string)
		rule, _ := m["value"].(string)
		if strings.HasPrefix(key, "traefik.http.routers.") && strings.HasSuffix(key, ".rule") && !strings.Contains(key, "-http.rule") {
			out = append(out, strings.TrimSuffix(strings.TrimPrefix(rule, "Host(`"), "`)"))
		}
	}
	return out
}

// serving counts the containers behind each public name.
type serving struct {
	count map[string]int      // by public name
	names map[string][]string // public names by URN of the container
}

func newServing(world []map[string]any) *serving {
	s := &serving{count: map[string]int{}, names: map[string][]string{}}
	for _, r := range world {
		if r["type"] != "docker:index/container:Container" {
			continue
		}
		urn := r["urn"].(string)
		s.names[urn] = hostsOf(r)
		for _, h := range s.names[urn] {
			s.count[h]++
		}
	}
	return s
}

// replay follows the operations in their order and returns the names that were without a container at
// some moment. Containers count from when they are healthy: that is when their creation is finished.
func (s *serving) replay(r *sim.Result, after []map[string]any) (gone []string) {
	later := newServing(after)
	for _, op := range r.Log {
		urn := string(op.URN)
		if op.Type != "docker:index/container:Container" || op.Failed {
			continue
		}
		switch op.Kind {
		case "delete":
			for _, h := range s.names[urn] {
				if s.count[h]--; s.count[h] == 0 {
					gone = append(gone, h)
				}
			}
			delete(s.names, urn)
		case "create":
			s.names[urn] = later.names[urn]
			for _, h := range s.names[urn] {
				s.count[h]++
			}
		}
	}
	return gone
}

// checkServed holds the public names against what answers them: records at Cloudflare that lead to
// the machine on which a container is published under the name.
func checkServed(t *testing.T, world []map[string]any, stack *rehearsal.Stack) {
	t.Helper()
	machines := map[string]string{} // public name to the Docker host
	records := map[string]string{}
	for _, r := range world {
		outputs, _ := r["state"].(map[string]any)
		switch r["type"] {
		case "docker:index/container:Container":
			for _, h := range hostsOf(r) {
				machines[h] = strings.TrimPrefix(r["scope"].(string), "host ")
			}
		case "cloudflare:index/record:Record":
			if outputs["type"] == "A" || outputs["type"] == "CNAME" {
				records[outputs["hostname"].(string)] = outputs["content"].(string)
			}
		}
	}
	h := stack.Config.Hosts
	for _, name := range []string{h.App, h.API, h.Auth, h.Git} {
		if at := records[records[name]]; at == "" || at != machines[name] {
			t.Errorf("%s leads to %q, which is %q, and is served at %q", name, records[name], at, machines[name])
		}
	}
}

// A new image of the backend: one container is replaced, healthy, and only then the other goes.
func TestReplicasAreReplacedOneAtATime(t *testing.T) {
	for _, name := range phase2Choices {
		stack := rig.Load(t, rig.Shipped(t)[name])
		store := rig.NewStore(t)
		rig.Run(t, store, sim.Up, stack.Stack, sim.Options{})
		serving := newServing(rig.World(t, store, stack.Stack))
		if n := serving.count[stack.Config.Hosts.API]; n != 2 {
			t.Fatalf("%s: %d containers serve the API, want 2", name, n)
		}
		next := changed(t, stack.Stack, "images", map[string]any{"backend": "ghcr.io/morphee-app/backend:1.0.1"})
		r := rig.Run(t, store, sim.Up, next, sim.Options{})
		if gone := serving.replay(r, rig.World(t, store, stack.Stack)); len(gone) > 0 {
			t.Errorf("%s: %v were served by nothing", name, gone)
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
	serving := newServing(rig.World(t, store, stack.Stack))
	next := changed(t, stack.Stack, "images", map[string]any{"backend": "ghcr.io/morphee-app/backend:1.0.1"})
	r, err := rig.Try(store, sim.Up, next, sim.Options{Faults: failing(t, "docker:index/container:Container::backend-replica-2-container")})
	if err == nil {
		t.Fatal("the fault had no effect")
	}
	if gone := serving.replay(r, rig.World(t, store, stack.Stack)); len(gone) > 0 {
		t.Errorf("%v were served by nothing", gone)
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
