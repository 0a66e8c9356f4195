// Package ladder has the tests of the way up and the ways back, with the real program on the flight
// simulator.
package ladder

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/ladder"
	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/serving"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/verdict"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// The command lets the heap grow as well: a walk leaves much behind, and collecting it takes a third of
// the time.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}

// runner runs operations as `infra sim` does: what is planned is judged before, and what is there after.
func runner(ctx context.Context, op sim.Operation, store sim.Store, stack *rehearsal.Stack, opts sim.Options) (*sim.Result, error) {
	if op == sim.Refresh {
		return store.Run(ctx, op, stack.Stack, opts)
	}
	judge, err := verdict.New(stack.Stack, time.Now())
	if err != nil {
		return nil, err
	}
	return judge.Run(ctx, store, op, stack.Stack, opts)
}

// The whole of it: every step up, and every way back that is offered. Each keeps to the policies.
func TestTheLadder(t *testing.T) {
	state := t.TempDir()
	dir := filepath.Join(rig.Root(t), "stacks", "examples", "ladder")
	var step string // that is being walked
	ups, lost := 0, map[string]map[string]int{}
	run := func(ctx context.Context, op sim.Operation, store sim.Store, stack *rehearsal.Stack, opts sim.Options) (*sim.Result, error) {
		r, err := runner(ctx, op, store, stack, opts)
		if op == sim.Up && err == nil {
			ups++
			keeps(t, step, r, lost)
		}
		return r, err
	}
	r, err := ladder.Climb(context.Background(), ladder.Options{Dir: dir, State: state, Run: run, Progress: func(name string) { step = name }})
	if err != nil {
		t.Fatal(err)
	}
	steps := len(r.Steps)
	for _, s := range r.Steps {
		check(t, s)
	}
	for _, w := range r.Walks {
		steps += len(w.Steps)
		for _, s := range w.Steps {
			check(t, s)
		}
	}
	if !r.OK && !t.Failed() {
		t.Error("the report is not OK, and no step says why")
	}
	if ups != steps {
		t.Errorf("the policies looked at %d of %d steps", ups, steps)
	}
	onlyConfirmed(t, lost)
	complete(t, dir, r)
	documented(t, r)
	document(t, r)
	noSecrets(t, filepath.Join(state, "up"), r)
}

// keeps holds the policies against a step, and counts what it loses by the step and the reason.
func keeps(t *testing.T, step string, r *sim.Result, lost map[string]map[string]int) {
	t.Helper()
	p := r.Policies
	if len(p.Violations)+len(p.Undetermined) > 0 || len(p.Packs) != 4 || p.Checks == 0 {
		t.Errorf("%s: %d packs made %d checks, violations %v, undetermined %v", step, len(p.Packs), p.Checks, p.Violations, p.Undetermined)
	}
	for _, e := range p.Exceptions {
		if lost[step] == nil {
			lost[step] = map[string]int{}
		}
		lost[step][e.Reason]++
	}
}

// onlyConfirmed checks what is lost on the way: the server's things, and the region's, each confirmed.
func onlyConfirmed(t *testing.T, lost map[string]map[string]int) {
	t.Helper()
	server, region := lost["server retired"], lost["third region retired"]
	if len(lost) != 2 || len(server) != 1 || len(region) != 1 ||
		server["retired: morphee:migration.retire.confirm"] < 20 || region["retired: morphee:aws.regions, us-west-2"] < 10 {
		t.Errorf("lost on the way: %v", lost)
	}
}

func check(t *testing.T, s ladder.Step) {
	t.Helper()
	for _, text := range slices.Concat(s.StatefulLost, s.Problems) {
		t.Errorf("%s: %s", s.Name, text)
	}
	for _, g := range s.Unserved {
		t.Errorf("%s: unserved: %s", s.Name, g)
	}
	for _, text := range s.Idle {
		t.Errorf("%s: idle: %s", s.Name, text)
	}
	for _, g := range s.Interrupted {
		if g.Seconds <= 0 || g.Seconds > 180 {
			t.Errorf("%s: interrupted for longer than three minutes: %s", s.Name, g)
		}
	}
	for _, a := range s.Names {
		if !a.Served() {
			t.Errorf("%s: %s", s.Name, a)
		}
	}
	if len(s.Names) < 3 || s.Stateful < 10 || s.EstimatedMinutes <= 0 && s.Changes.Any() {
		t.Errorf("%s: %d names, %d stateful things, %v minutes: this test looks in the wrong place", s.Name, len(s.Names), s.Stateful, s.EstimatedMinutes)
	}
}

// complete holds the walk against the folder: every configuration in it is walked, and the ends are as
// they should be.
func complete(t *testing.T, dir string, r *ladder.Report) {
	t.Helper()
	walked := map[string]bool{ladder.ManifestFile: true}
	phases := map[int]bool{}
	for _, s := range r.Steps {
		walked[s.Config], phases[s.Phase] = true, true
	}
	for _, w := range r.Walks {
		for _, s := range w.Steps {
			walked[s.Config] = true
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) < 15 {
		t.Fatalf("%d files in %s: %v", len(files), dir, err)
	}
	for _, f := range files {
		if !walked[filepath.Base(f)] {
			t.Errorf("%s is in the folder and in no walk of %s", filepath.Base(f), ladder.ManifestFile)
		}
	}
	for phase := range 5 {
		if !phases[phase] {
			t.Errorf("no step is in phase %d", phase)
		}
	}
	first, last := r.Steps[0], r.Steps[len(r.Steps)-1]
	if len(first.Servers) != 1 || len(first.Regions) != 0 || len(last.Servers) != 0 || len(last.Regions) != 3 {
		t.Errorf("it begins with %v %v and ends with %v %v; want one server, and three regions", first.Servers, first.Regions, last.Servers, last.Regions)
	}
	var shares []float64
	for _, s := range r.Steps {
		for _, a := range s.Names {
			if a.Host == "api.morphee.app" {
				shares = append(shares, onAWS(a))
			}
		}
	}
	if !slices.IsSorted(shares) || !slices.Contains(shares, 0.5) || shares[0] != 0 || shares[len(shares)-1] != 1 {
		t.Errorf("AWS gets %v of the API's clients from step to step; want from 0 over 0.5 to 1", shares)
	}
}

// onAWS is the share of clients that come straight to AWS.
func onAWS(a serving.Answer) float64 {
	out := 0.0
	for _, t := range a.Main() {
		if t.Platform == serving.AWS && t.Via == "" {
			out += t.Share
		}
	}
	return out
}

// document checks what others read of the report.
func document(t *testing.T, r *ladder.Report) {
	t.Helper()
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Simulated bool
		Steps     []struct {
			Name             string
			Phase            *int
			Changes          map[string]int
			StatefulLost     []string
			Unserved         []any
			EstimatedMinutes *float64
		}
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	if !doc.Simulated || len(doc.Steps) != len(r.Steps) {
		t.Errorf("simulated %v, %d steps", doc.Simulated, len(doc.Steps))
	}
	for _, s := range doc.Steps {
		if s.Name == "" || s.Phase == nil || len(s.Changes) != 5 || s.StatefulLost == nil || s.Unserved == nil || s.EstimatedMinutes == nil {
			t.Errorf("%+v lacks something", s)
		}
	}
}

// noSecrets looks for every secret of the last state in the report and the page.
func noSecrets(t *testing.T, dir string, r *ladder.Report) {
	t.Helper()
	page, err := r.HTML()
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	export, err := sim.Store{Dir: dir}.Export(context.Background(), r.Stack, true)
	if err != nil {
		t.Fatal(err)
	}
	list, err := deployment.Read(export)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, one := range list {
		for path, text := range deployment.Secrets(map[string]any{"in": one.Inputs, "out": one.Outputs}) {
			if len(text) < 12 {
				continue
			}
			n++
			if bytes.Contains(page, []byte(text)) || bytes.Contains(data, []byte(text)) {
				t.Errorf("the secret %s of %s is in the report", path, one.Name)
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d secrets were looked for", n)
	}
}

// Every shipped stack serves its names once it is up.
func TestEveryShippedStackIsServed(t *testing.T) {
	rig.Each(t, func(t *testing.T, stack *rehearsal.Stack) {
		store := rig.NewStore(t)
		rig.Run(t, store, sim.Up, stack.Stack, sim.Options{})
		served(t, store, stack)
	})
}

func answers(t *testing.T, store sim.Store, stack *rehearsal.Stack) (out []serving.Answer) {
	t.Helper()
	if err := store.Look(context.Background(), stack.Name, func(w *cloud.World) {
		out = serving.All(w, stack.Config.PublicNames())
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// What breaks behind Pulumi's back is found, in the real stacks.
func TestWhatBreaksIsFound(t *testing.T) {
	for _, c := range []struct {
		stack, drift string
		lost         map[string]float64 // by the first label of the name
		why          string
	}{
		{"phase1", "cloudflare:index/record:Record::*api*:delete", map[string]float64{"api": 1}, "no record of api.morphee.app"},
		{"phase1", "docker:index/container:Container::forgejo-service-container:start=false", map[string]float64{"git": 1}, "not started"},
		{"phase1", "docker:index/container:Container::traefik-service-container:delete", map[string]float64{"app": 1, "api": 1, "auth": 1, "git": 1}, "has port 443"},
		{"phase1", "hcloud:index/server:Server::*:status=off", map[string]float64{"app": 1, "api": 1, "auth": 1, "git": 1}, "is off"},
		{"phase2", "docker:index/container:Container::backend-replica-2-container:delete", nil, ""},
		{"prod", "aws:ecs/service:Service::aws-gotrue-service:desiredCount=0", map[string]float64{"auth": 1}, "runs no task"},
		{"prod", "aws:lb/listenerRule:ListenerRule::*git*:delete", map[string]float64{"git": 1}, "answers 404"},
		{"prod", "aws:cloudfront/distribution:Distribution::*:enabled=false", map[string]float64{"app": 1}, "is disabled"},
		{"prod", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule::aws-alb-sg-443-in:delete", map[string]float64{"api": 1, "auth": 1, "git": 1}, "lets HTTPS in"},
		{"phase4-three-regions", "aws:ecs/service:Service::aws-use1-backend-service:desiredCount=0", nil, ""},
	} {
		t.Run(c.stack+" "+c.drift, func(t *testing.T) {
			stack := rig.Load(t, rig.Shipped(t)[c.stack])
			store := rig.NewStore(t)
			rig.Run(t, store, sim.Up, stack.Stack, sim.Options{})
			drift, err := sim.ParseDrift(c.drift)
			if err != nil {
				t.Fatal(err)
			}
			rig.Run(t, store, sim.Refresh, stack.Stack, sim.Options{Drift: []sim.Drift{drift}})
			for _, a := range answers(t, store, stack) {
				label, _, _ := strings.Cut(a.Host, ".")
				if a.Lost != c.lost[label] || a.Lost > 0 && !strings.Contains(a.String(), c.why) {
					t.Errorf("%s; want %v lost because of %q", a, c.lost[label], c.why)
				}
			}
		})
	}
}
