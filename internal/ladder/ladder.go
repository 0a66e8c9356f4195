package ladder

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/leaving"
	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/serving"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// Runner runs one operation on a stack, with the safety guard and whatever policies look on. The result
// may be nil when the operation could not begin.
type Runner func(ctx context.Context, op sim.Operation, store sim.Store, stack *rehearsal.Stack, opts sim.Options) (*sim.Result, error)

// Options say what is walked.
type Options struct {
	Dir      string            // folder of the manifest and its configurations
	State    string            // empty or new folder for the simulated states; they stay there
	Run      Runner            // required
	Progress func(text string) // is told what is being done; nil tells nobody
}

// Climb walks the ladder and every way back. A step that fails ends its walk, and is in the report; the
// error is for what kept a walk from beginning.
func Climb(ctx context.Context, o Options) (*Report, error) {
	start := time.Now()
	m, err := ReadManifest(o.Dir)
	if err != nil {
		return nil, err
	}
	if entries, err := os.ReadDir(o.State); err == nil && len(entries) > 0 {
		return nil, fmt.Errorf("%s is not empty: the ladder begins with an empty world; give a new folder, or remove what is in this one", o.State)
	}
	r := &Report{Simulated: true, Steps: []Step{}, Walks: []Walk{}}
	climber := &walker{Options: o, store: sim.Store{Dir: filepath.Join(o.State, "up")}}
	for _, p := range m.Steps {
		s, err := climber.step(ctx, p)
		if err != nil {
			return nil, err
		}
		r.Steps = append(r.Steps, s)
		if len(s.Problems) > 0 {
			break
		}
		for _, b := range m.Back {
			if b.After == p.Name {
				w, err := o.back(ctx, climber, b)
				if err != nil {
					return nil, err
				}
				r.Walks = append(r.Walks, w)
			}
		}
	}
	r.Stack = climber.stack
	r.judge()
	r.DurationMs = time.Since(start).Milliseconds()
	return r, nil
}

// back walks one way back, on a copy of the world.
func (o Options) back(ctx context.Context, from *walker, b WayBack) (Walk, error) {
	dir := filepath.Join(o.State, "back-"+strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(b.Name)))
	if err := os.CopyFS(dir, os.DirFS(from.store.Dir)); err != nil {
		return Walk{}, fmt.Errorf("copying the world for the way back %q: %w", b.Name, err)
	}
	w := Walk{Name: b.Name, After: b.After, Steps: []Step{}}
	walker := &walker{Options: o, store: sim.Store{Dir: dir}, stack: from.stack, there: from.there}
	for _, p := range b.Steps {
		s, err := walker.step(ctx, p)
		if err != nil {
			return w, err
		}
		w.Steps = append(w.Steps, s)
		if len(s.Problems) > 0 {
			break
		}
	}
	return w, nil
}

// walker takes one world from step to step.
type walker struct {
	Options
	store sim.Store
	stack string                // the name that all configurations share
	there []deployment.Resource // after the last step
}

func (w *walker) step(ctx context.Context, p Planned) (Step, error) {
	s := newStep(p)
	if w.Progress != nil {
		w.Progress(p.Name)
	}
	stack, err := rehearsal.Load(filepath.Join(w.Dir, p.Config), "")
	if err != nil {
		return s, err
	}
	if w.stack == "" {
		w.stack = stack.Name
	}
	if stack.Name != w.stack {
		return s, fmt.Errorf("%s is of the stack %q and the steps before it of %q: one ladder is one stack", p.Config, stack.Name, w.stack)
	}
	s.Phase = stack.Config.Phase
	before := holdings(w.there)
	result, err := w.up(ctx, stack, &s)
	if err != nil {
		return s, err
	}
	after := holdings(w.there)
	gone, retired := lost(before, after, result, leaving.New(stack.Stack.Config))
	s.StatefulLost, s.Retired, s.Stateful = append(s.StatefulLost, gone...), append(s.Retired, retired...), len(after)
	if len(s.Problems) == 0 {
		w.settled(ctx, stack, &s)
	}
	return s, nil
}

// up brings the configuration up, one operation after the other, and looks at the names meanwhile.
func (w *walker) up(ctx context.Context, stack *rehearsal.Stack, s *Step) (*sim.Result, error) {
	var watch *serving.Watch
	if err := w.store.Look(ctx, stack.Name, func(world *cloud.World) {
		watch = serving.NewWatch(world, stack.Config.PublicNames(), stack.Config.ServiceNames())
	}); err != nil {
		return nil, err
	}
	result, failed := w.Run(ctx, sim.Up, w.store, stack, sim.Options{Packages: rehearsal.Packages(stack.Stack), Parallel: 1, Observe: watch.Observe})
	if result == nil {
		return nil, failed
	}
	s.add(result, failed)
	if err := w.read(ctx); err != nil {
		return nil, err
	}
	needs := map[string][]string{}
	for _, r := range w.there {
		needs[r.URN] = r.Dependencies
	}
	return result, w.store.Look(ctx, stack.Name, func(world *cloud.World) {
		gaps, answers := watch.End(world)
		for _, g := range gaps {
			if g.Interruption() {
				s.Interrupted = append(s.Interrupted, g.Narrow(needs))
			} else {
				s.Unserved = append(s.Unserved, g)
			}
		}
		// The engine takes what is independent in any order.
		byName := func(a, b serving.Gap) int { return cmp.Compare(a.Host, b.Host) }
		slices.SortStableFunc(s.Interrupted, byName)
		slices.SortStableFunc(s.Unserved, byName)
		s.Names = answers
		s.idle()
		if split := watch.Split(); split != "" {
			s.Problems = append(s.Problems, split)
		}
		s.Servers, s.Regions = places(world)
	})
}

// idle lists what gets no clients although it should.
func (s *Step) idle() {
	for _, a := range s.Names {
		for _, t := range a.Targets {
			if text := fmt.Sprintf("%s gets none of %s: %s", t.Place, a.Host, t.Why); t.Out && !slices.Contains(s.Idle, text) {
				s.Idle = append(s.Idle, text)
			}
		}
	}
}

// add takes over what an operation did.
func (s *Step) add(r *sim.Result, failed error) {
	s.Changes = r.Changes
	s.UpMinutes = r.EstimatedSeconds / 60
	s.EstimatedMinutes = s.UpMinutes + s.ManualMinutes + s.WaitMinutes
	s.Warnings = append(s.Warnings, r.Warnings...)
	if failed != nil {
		s.Problems = append(s.Problems, "the up failed, and with it the walk")
		if len(r.Errors) == 0 {
			s.Problems = append(s.Problems, failed.Error())
		}
		s.Problems = append(s.Problems, r.Errors...)
		for _, v := range r.Policies.Violations {
			if v.Level == "mandatory" {
				s.Problems = append(s.Problems, fmt.Sprintf("policy %s: %s %s", v.Policy, v.URN[strings.LastIndex(v.URN, ":")+1:], v.Message))
			}
		}
	}
	for _, c := range r.Resources {
		if c.Op == "replace" && c.Type == "docker:index/container:Container" && !strings.HasSuffix(c.Name, "-loader") {
			s.Restarted = append(s.Restarted, c.Name)
		}
	}
}

// settled checks that the step is complete in itself: nothing is left to do, and the state knows all.
func (w *walker) settled(ctx context.Context, stack *rehearsal.Stack, s *Step) {
	public := map[string]bool{}
	for _, g := range s.Interrupted {
		for _, name := range g.Replaced {
			public[name] = true
		}
	}
	s.Restarted = slices.DeleteFunc(s.Restarted, func(name string) bool { return public[name] })
	for _, op := range []sim.Operation{sim.Preview, sim.Refresh} {
		r, err := w.Run(ctx, op, w.store, stack, sim.Options{Packages: rehearsal.Packages(stack.Stack)})
		if err != nil {
			s.Problems = append(s.Problems, fmt.Sprintf("the %s after the step failed: %v", op, err))
			continue
		}
		for _, c := range r.Resources {
			s.Problems = append(s.Problems, fmt.Sprintf("not settled: the %s after the step would %s %s %s %s", op, c.Op, c.Type, c.Name, strings.Join(c.Diff, " ")))
		}
	}
}

// read takes the stack's resources, secrets in plain: they are compared, and never shown.
func (w *walker) read(ctx context.Context) error {
	data, err := w.store.Export(ctx, w.stack, true)
	if err != nil {
		return err
	}
	w.there, err = deployment.Read(data)
	return err
}

// places are the servers and the regions of AWS that exist.
func places(world *cloud.World) (servers, regions []string) {
	servers, regions = []string{}, []string{}
	for _, r := range world.All("", "hcloud:index/server:Server") {
		servers = append(servers, r.Out.String("name"))
	}
	for _, r := range world.All("", "aws:ec2/vpc:Vpc") {
		if !slices.Contains(regions, r.Scope) {
			regions = append(regions, r.Scope)
		}
	}
	slices.Sort(servers)
	return servers, regions
}
