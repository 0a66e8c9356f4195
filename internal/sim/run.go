package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/pulumi/pulumi/pkg/v3/backend/display"
	pulumidisplay "github.com/pulumi/pulumi/pkg/v3/display"
	"github.com/pulumi/pulumi/pkg/v3/engine"
	"github.com/pulumi/pulumi/pkg/v3/resource/deploy"
	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/pkg/v3/util/cancel"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/providers"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/provider"
)

// Operation is what to do with a stack.
type Operation string

// The operations.
const (
	Preview Operation = "preview"
	Up      Operation = "up"
	Refresh Operation = "refresh"
	Destroy Operation = "destroy"
)

// Stack is a program with its configuration.
type Stack struct {
	Project string
	Name    string
	Program pulumi.RunFunc
	Config  map[string]string // full key ("morphee:phase") to text; objects as JSON
	Secret  []string          // keys whose value is secret
}

// Options are how to run an operation.
type Options struct {
	Packages []cloud.Package  // the simulated providers
	Faults   []provider.Fault // what goes wrong
	Drift    []Drift          // what changes in the world beforehand, behind Pulumi's back

	// Guard judges what an Up would do, from a preview made just before, as `pulumi up` makes one. An
	// error refuses: nothing runs then. Errors that it joins are reported one by one. A Preview is
	// judged too, and fails where an Up would be refused.
	Guard func(planned *Result) error

	// Observe is called after every operation that took effect on the simulated clouds, so that somebody
	// can look at the world between any two of them. The world is locked: Observe only reads. With
	// Parallel 1 the order is that of one operation after the other.
	Observe func(*cloud.World, provider.Operation)

	// Inspect judges the stack as an Up has left it, when everything is known. Its error fails the
	// operation, and is reported as Guard's is.
	Inspect func(done *Result) error

	// Look is shown the simulated clouds when the operation is over. It only reads.
	Look func(*cloud.World)

	Policies  map[string]plugin.Analyzer // in-process policy packs, by name
	PackPaths []string                   // policy packs as executables or folders

	Refresh  bool      // a Preview or Up first compares the state with the clouds, as `pulumi up --refresh` does
	Parallel int       // operations at once; 0 is 16
	Out      io.Writer // where progress is shown; nil shows none
	Color    bool
	Diff     bool // show a rich diff instead of progress
}

// Run performs the operation and returns what happened. The result is there even when the error is
// not nil, unless the operation could not begin at all.
func (s Store) Run(ctx context.Context, op Operation, stack Stack, opts Options) (*Result, error) {
	x, err := s.open(ctx, stack.Name)
	if err != nil {
		return nil, err
	}
	defer x.close()
	defer x.forget()
	if op == Up && opts.Guard != nil {
		if refused, err := s.consider(ctx, x, stack, opts); err != nil {
			return refused, err
		}
	}
	result, err := x.run(ctx, op, stack, opts)
	switch {
	case result == nil:
		return nil, err
	case op == Preview && opts.Guard != nil:
		err = result.judge(opts.Guard, err)
	case op == Up && opts.Inspect != nil:
		err = result.inspect(opts.Inspect, err)
	}
	result.States, result.Had = nil, nil
	return result, err
}

func (x *session) run(ctx context.Context, op Operation, stack Stack, opts Options) (*Result, error) {
	start := time.Now()
	if len(opts.Drift) > 0 {
		if err := applyDrift(x.world, opts.Drift); err != nil {
			return nil, err
		}
	}
	simulator, err := provider.New(x.world, opts.Packages...)
	if err != nil {
		return nil, err
	}
	recovered, err := x.recover(ctx, simulator)
	if err != nil {
		return nil, err
	}
	simulator.Observe = opts.Observe
	cancelCtx, source := cancel.NewContext(ctx)
	defer source.Terminate()
	j := &journal{base: x.snapshot}
	simulator.Faults = provider.NewFaults(opts.Faults, func() { j.kill(); source.Cancel() })

	target, err := x.target(stack)
	if err != nil {
		return nil, err
	}
	project := &workspace.Project{Name: tokens.PackageName(stack.Project), Runtime: workspace.NewProjectRuntimeInfo("go", nil)}
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	events, wait := watch(op, stack, opts)
	engineCtx := &engine.Context{
		Cancel: cancelCtx, Events: events, SnapshotManager: j,
		BackendClient: noReferences{}, PluginManager: noPlugins{},
	}
	update := engine.UpdateOptions{
		Parallel:    int32(opts.Parallel),
		Refresh:     opts.Refresh,
		HostFactory: newHost(simulator, stack.Program, opts.Policies),
	}
	if update.Parallel == 0 {
		update.Parallel = 16
	}
	for _, name := range slices.Sorted(maps.Keys(opts.Policies)) {
		update.LocalPolicyPacks = append(update.LocalPolicyPacks, engine.LocalPolicyPack{Path: name})
	}
	update.LocalPolicyPacks = append(update.LocalPolicyPacks, engine.MakeLocalPolicyPacks(opts.PackPaths, nil)...)
	info := engine.UpdateInfo{Root: root, Project: project, Target: target}

	var kept []resource.URN
	if op == Destroy {
		var gone []resource.URN
		if gone, kept = split(x.snapshot); len(kept) > 0 {
			update.Targets = deploy.NewUrnTargetsFromUrns(gone)
		}
	}
	changes, opErr := perform(op, info, engineCtx, update)
	close(events)
	seen := wait()
	if opts.Look != nil {
		opts.Look(x.world)
	}

	result := seen.result(op, stack, changes)
	result.keep(x.snapshot, kept)
	if simulator.Faults.Killed() {
		opErr = errors.Join(provider.ErrKilled, opErr)
	}
	var saved error
	if op != Preview {
		saved = x.finish(ctx, j, len(opts.Drift) > 0)
	}
	result.Warnings = append(append(recovered, result.Warnings...), simulator.Warnings()...)
	result.Log = simulator.Operations()
	result.estimate(seen, simulator)
	result.finish(opErr, saved, x.snapshot, start)
	if opErr == nil {
		j.forget() // a run that failed may have left the program running, which still asks the engine
	}
	for _, f := range simulator.Faults.Unused() {
		result.Warnings = append(result.Warnings, fmt.Sprintf("the fault %s %s hit no operation", f.Kind, f.Match))
	}
	return result, errors.Join(opErr, saved)
}

func perform(
	op Operation, info engine.UpdateInfo, ctx *engine.Context, opts engine.UpdateOptions,
) (changes pulumidisplay.ResourceChanges, err error) {
	switch op {
	case Preview, Up:
		_, changes, err = engine.Update(info, ctx, opts, op == Preview)
	case Refresh:
		_, changes, err = engine.Refresh(info, ctx, opts, false)
	case Destroy:
		_, changes, err = engine.Destroy(info, ctx, opts, false)
	default:
		err = fmt.Errorf("there is no operation %q", op)
	}
	return changes, err
}

// split tells what a destroy takes and what it leaves: what is protected, and everything that it
// stands on (its parents, its provider, what it depends on).
func split(snap *deploy.Snapshot) (gone, kept []resource.URN) {
	if snap == nil {
		return nil, nil
	}
	keep := map[resource.URN]bool{}
	for i := len(snap.Resources) - 1; i >= 0; i-- { // dependencies come first in a state
		r := snap.Resources[i]
		if r.Protect {
			keep[r.URN] = true
		}
		if !keep[r.URN] {
			continue
		}
		provider, deps := r.GetAllDependencies()
		for _, d := range deps {
			keep[d.URN] = true
		}
		if ref, err := providers.ParseReference(provider); err == nil {
			keep[ref.URN()] = true
		}
	}
	for _, r := range snap.Resources {
		if keep[r.URN] {
			kept = append(kept, r.URN)
		} else {
			gone = append(gone, r.URN)
		}
	}
	return gone, kept
}

// forget lets go of the properties of the states that were loaded and made. The deployment of a preview stays
// in the engine for as long as the process lives (see journal.forget), and much of its weight is these.
func (x *session) forget() {
	for _, snap := range x.loaded {
		for _, r := range snap.Resources {
			r.Lock.Lock()
			r.Inputs, r.Outputs = nil, nil
			r.Lock.Unlock()
		}
	}
}

// finish writes the new state and world.
func (x *session) finish(ctx context.Context, j *journal, force bool) error {
	if len(j.entries) == 0 && !force && x.snapshot == nil {
		return nil
	}
	snap, err := j.snapshot()
	if err != nil {
		return fmt.Errorf("making the new state: %w", err)
	}
	x.loaded = append(x.loaded, snap)
	return x.save(ctx, snap)
}

func (x *session) target(stack Stack) (*deploy.Target, error) {
	name, err := tokens.ParseStackName(stack.Name)
	if err != nil {
		return nil, fmt.Errorf("stack name %q: %w", stack.Name, err)
	}
	values := config.Map{}
	for key, text := range stack.Config {
		k, err := config.ParseKey(key)
		if err != nil {
			return nil, fmt.Errorf("configuration key %q: %w", key, err)
		}
		if !slices.Contains(stack.Secret, key) {
			values[k] = config.NewValue(text)
			continue
		}
		cipher, err := x.manager.crypter.EncryptValue(context.Background(), text)
		if err != nil {
			return nil, fmt.Errorf("configuration key %q: %w", key, err)
		}
		values[k] = config.NewSecureValue(cipher)
	}
	return &deploy.Target{Name: name, Config: values, Decrypter: x.manager.crypter, Snapshot: x.snapshot}, nil
}

// watch collects the engine's events, and shows them as they come when there is somewhere to.
func watch(op Operation, stack Stack, opts Options) (chan<- engine.Event, func() *observed) {
	in := make(chan engine.Event)
	done := make(chan *observed, 1)
	var shown chan engine.Event
	shownDone := make(chan bool)
	if opts.Out != nil {
		shown = make(chan engine.Event)
		color := colors.Never
		if opts.Color {
			color = colors.Always
		}
		how := display.Options{
			Color: color, Type: display.DisplayProgress, Stdout: opts.Out, Stderr: opts.Out, Stdin: noInput{},
			SuppressPermalink: true, SuppressTimings: true, ShowReplacementSteps: false, TruncateOutput: true,
			SuppressOutputs: true,
		}
		if opts.Diff {
			how.Type = display.DisplayDiff
		}
		kind := map[Operation]apitype.UpdateKind{
			Preview: apitype.PreviewUpdate, Up: apitype.UpdateUpdate, Refresh: apitype.RefreshUpdate, Destroy: apitype.DestroyUpdate,
		}[op]
		title := map[Operation]string{
			Preview: "Previewing update", Up: "Updating", Refresh: "Refreshing", Destroy: "Destroying",
		}[op] + " (simulated)"
		name, _ := tokens.ParseStackName(stack.Name)
		go display.ShowEvents(title, kind, name, tokens.PackageName(stack.Project), "", shown, shownDone, how, op == Preview)
	}
	go func() {
		seen := newObserved()
		for e := range in {
			seen.add(e)
			if shown != nil {
				shown <- e
			}
		}
		if shown != nil {
			close(shown)
			<-shownDone
		}
		done <- seen
	}()
	return in, func() *observed { return <-done }
}

// noInput is an empty standard input for the display, which otherwise asks the terminal.
type noInput struct{}

func (noInput) Read([]byte) (int, error) { return 0, io.EOF }

// outputs returns the stack's outputs, secrets replaced.
func outputs(snap *deploy.Snapshot) map[string]any {
	out := map[string]any{}
	if snap == nil {
		return out
	}
	for _, r := range snap.Resources {
		if r.Type == resource.RootStackType && !r.Delete {
			for k, v := range r.Outputs {
				out[string(k)] = visible(v)
			}
		}
	}
	return out
}
