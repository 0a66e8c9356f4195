package sim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/provider"
)

// The tests use bare resources, without a provider SDK: the simulator must not need one.
type bare struct{ pulumi.CustomResourceState }

const (
	volumeType  = "hcloud:index/volume:Volume"
	networkType = "hcloud:index/network:Network"
)

func newBare(ctx *pulumi.Context, typ, name string, props pulumi.Map, opts ...pulumi.ResourceOption) (*bare, error) {
	r := &bare{}
	return r, ctx.RegisterResource(typ, name, props, r, opts...)
}

func packages() []cloud.Package {
	return []cloud.Package{{Name: "hcloud"}, {Name: "docker"}}
}

// run performs an operation that has to succeed.
func run(t *testing.T, store sim.Store, op sim.Operation, program pulumi.RunFunc, opts sim.Options) *sim.Result {
	t.Helper()
	r, err := try(store, op, program, opts)
	if err != nil {
		t.Fatalf("%s: %v\n%s", op, err, strings.Join(r.Errors, "\n"))
	}
	return r
}

func try(store sim.Store, op sim.Operation, program pulumi.RunFunc, opts sim.Options) (*sim.Result, error) {
	opts.Packages = packages()
	r, err := store.Run(context.Background(), op, sim.Stack{Project: "morphee", Name: "test", Program: program}, opts)
	if r == nil {
		r = &sim.Result{}
	}
	return r, err
}

func volumes(size int, names ...string) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		for _, name := range names {
			_, err := newBare(ctx, volumeType, name, pulumi.Map{"size": pulumi.Int(size), "location": pulumi.String("nbg1")})
			if err != nil {
				return err
			}
		}
		ctx.Export("size", pulumi.Int(size))
		ctx.Export("token", pulumi.ToSecret(pulumi.String("canary-output")))
		return nil
	}
}

func TestLifeCycle(t *testing.T) {
	store := sim.Store{Dir: t.TempDir()}
	program := volumes(10, "a", "b")

	r := run(t, store, sim.Preview, program, sim.Options{})
	if r.Changes.Create != 3 || !r.Simulated || r.Outputs["token"] != "[secret]" {
		t.Fatalf("preview: %+v", r)
	}
	if entries, _ := filepath.Glob(filepath.Join(store.Dir, "test", "*.json")); len(entries) != 0 {
		t.Fatalf("a preview wrote %v", entries)
	}
	r = run(t, store, sim.Up, program, sim.Options{})
	if r.Changes.Create != 3 || r.Outputs["size"] != 10.0 {
		t.Fatalf("up: %+v", r)
	}
	if r.EstimatedSeconds != 1 {
		t.Errorf("two independent volumes of a second each take %v s, want 1", r.EstimatedSeconds)
	}
	for _, op := range []sim.Operation{sim.Preview, sim.Up, sim.Refresh} {
		if r = run(t, store, op, program, sim.Options{}); r.Changes.Any() {
			t.Fatalf("second %s changes %+v", op, r.Resources)
		}
	}
	r = run(t, store, sim.Up, volumes(20, "a", "c"), sim.Options{})
	if r.Changes != (sim.Changes{Create: 1, Update: 1, Delete: 1, Same: 1}) {
		t.Fatalf("change: %+v", r.Changes)
	}
	r = run(t, store, sim.Destroy, program, sim.Options{})
	if r.Changes.Delete != 3 {
		t.Fatalf("destroy: %+v", r.Changes)
	}
	world, err := os.ReadFile(filepath.Join(store.Dir, "test", "world.json"))
	if err != nil || !bytes.Contains(world, []byte(`"resources": []`)) {
		t.Fatalf("the world after destroy: %s %v", world, err)
	}
}

func TestReplacementNamesTheProperty(t *testing.T) {
	store := sim.Store{Dir: t.TempDir()}
	at := func(location string) pulumi.RunFunc {
		return func(ctx *pulumi.Context) error {
			_, err := newBare(ctx, volumeType, "data", pulumi.Map{"size": pulumi.Int(10), "location": pulumi.String(location)})
			return err
		}
	}
	run(t, store, sim.Up, at("nbg1"), sim.Options{})
	for _, op := range []sim.Operation{sim.Preview, sim.Up} {
		r := run(t, store, op, at("hel1"), sim.Options{})
		if r.Changes.Replace != 1 || len(r.Resources) != 1 || strings.Join(r.Resources[0].Replaces, ",") != "location" {
			t.Fatalf("%s: %+v %+v", op, r.Changes, r.Resources)
		}
	}
}

func TestDriftIsFoundAndMended(t *testing.T) {
	store := sim.Store{Dir: t.TempDir()}
	program := volumes(10, "a", "b")
	run(t, store, sim.Up, program, sim.Options{})
	drift := func(text string) []sim.Drift {
		d, err := sim.ParseDrift(text)
		if err != nil {
			t.Fatal(err)
		}
		return []sim.Drift{d}
	}
	r := run(t, store, sim.Refresh, program, sim.Options{Drift: drift(volumeType + "::a:size=30")})
	if r.Changes.Update != 1 {
		t.Fatalf("refresh after drift: %+v %+v", r.Changes, r.Resources)
	}
	r = run(t, store, sim.Up, program, sim.Options{})
	if r.Changes.Update != 1 || strings.Join(r.Resources[0].Diff, ",") != "size" {
		t.Fatalf("mending drift: %+v", r.Resources)
	}
	r = run(t, store, sim.Refresh, program, sim.Options{Drift: drift("b:delete")})
	if r.Changes.Delete != 1 {
		t.Fatalf("refresh after deletion: %+v", r.Changes)
	}
	if r = run(t, store, sim.Up, program, sim.Options{}); r.Changes.Create != 1 {
		t.Fatalf("up after deletion: %+v", r.Changes)
	}
	if _, err := try(store, sim.Refresh, program, sim.Options{Drift: drift("nothing:delete")}); err == nil {
		t.Error("drift that matches nothing must be an error")
	}
}

func fault(t *testing.T, kind provider.FaultKind, text string) []provider.Fault {
	t.Helper()
	f, err := provider.ParseFault(kind, text)
	if err != nil {
		t.Fatal(err)
	}
	return []provider.Fault{f}
}

func TestFaultsThenConverges(t *testing.T) {
	for _, kind := range []provider.FaultKind{provider.Fail, provider.Timeout} {
		t.Run(string(kind), func(t *testing.T) {
			store := sim.Store{Dir: t.TempDir()}
			program := volumes(10, "a", "b")
			r, err := try(store, sim.Up, program, sim.Options{Faults: fault(t, kind, volumeType+"::b")})
			if err == nil || !strings.Contains(strings.Join(r.Errors, "\n"), "injected fault") {
				t.Fatalf("want an injected fault, got %v %v", err, r.Errors)
			}
			run(t, store, sim.Up, program, sim.Options{})
			if r := run(t, store, sim.Preview, program, sim.Options{}); r.Changes.Any() {
				t.Fatalf("not converged: %+v", r.Resources)
			}
			if r := run(t, store, sim.Refresh, program, sim.Options{}); r.Changes.Any() {
				t.Fatalf("not converged: %+v", r.Resources)
			}
		})
	}
}

func TestKillLeavesThePendingOperationInTheState(t *testing.T) {
	store := sim.Store{Dir: t.TempDir()}
	_, err := try(store, sim.Up, volumes(10, "a"), sim.Options{Faults: fault(t, provider.Kill, "1")})
	if err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("got %v", err)
	}
	data, err := store.Export(context.Background(), "test", false)
	if err != nil {
		t.Fatal(err)
	}
	var state struct {
		Deployment struct {
			Pending []struct{ Type string } `json:"pending_operations"`
		}
	}
	if err := json.Unmarshal(data, &state); err != nil || len(state.Deployment.Pending) != 1 || state.Deployment.Pending[0].Type != "creating" {
		t.Fatalf("pending operations: %+v %v", state, err)
	}
}

func TestProtectionKeepsAndReleases(t *testing.T) {
	store := sim.Store{Dir: t.TempDir()}
	protected := func(on bool) pulumi.RunFunc {
		return func(ctx *pulumi.Context) error {
			n, err := newBare(ctx, networkType, "net", pulumi.Map{"ipRange": pulumi.String("10.0.0.0/16")})
			if err != nil {
				return err
			}
			_, err = newBare(ctx, volumeType, "data", pulumi.Map{"size": pulumi.Int(10), "location": pulumi.String("nbg1")},
				pulumi.Protect(on), pulumi.DependsOn([]pulumi.Resource{n}))
			if err != nil {
				return err
			}
			_, err = newBare(ctx, volumeType, "scratch", pulumi.Map{"size": pulumi.Int(10), "location": pulumi.String("nbg1")})
			return err
		}
	}
	run(t, store, sim.Up, protected(true), sim.Options{})
	r := run(t, store, sim.Destroy, protected(true), sim.Options{})
	if r.Changes.Delete != 1 || len(r.Protected) != 1 || !strings.HasSuffix(r.Protected[0], "::data") {
		t.Fatalf("destroy with protection: %+v, protected %v", r.Changes, r.Protected)
	}
	run(t, store, sim.Up, protected(false), sim.Options{})
	if r = run(t, store, sim.Destroy, protected(false), sim.Options{}); r.Changes.Delete != 4 || len(r.Protected) != 0 {
		t.Fatalf("destroy without protection: %+v", r.Changes)
	}
}

func TestImport(t *testing.T) {
	store := sim.Store{Dir: t.TempDir()}
	// The program leaves the name to the provider, which makes up another one: an import adopts the
	// resource as it is and reports the difference.
	run(t, store, sim.Up, volumes(10, "a"), sim.Options{})
	data, err := store.Export(context.Background(), "test", false)
	if err != nil {
		t.Fatal(err)
	}
	var state struct {
		Deployment struct {
			Resources []struct{ Type, ID string }
		}
	}
	if err := json.Unmarshal(data, &state); err != nil {
		t.Fatal(err)
	}
	id := ""
	for _, r := range state.Deployment.Resources {
		if r.Type == volumeType {
			id = r.ID
		}
	}
	// The state is lost, the cloud is not.
	if err := os.Remove(filepath.Join(store.Dir, "test", "state.json")); err != nil {
		t.Fatal(err)
	}
	adopt := func(size int, id string) pulumi.RunFunc {
		return func(ctx *pulumi.Context) error {
			_, err := newBare(ctx, volumeType, "a", pulumi.Map{"size": pulumi.Int(size), "location": pulumi.String("nbg1")}, pulumi.Import(pulumi.ID(id)))
			return err
		}
	}
	if _, err := try(store, sim.Up, adopt(10, "no-such-volume"), sim.Options{}); err == nil {
		t.Error("importing what does not exist must fail")
	}
	r := run(t, store, sim.Up, adopt(10, id), sim.Options{})
	if r.Changes != (sim.Changes{Create: 1, Same: 1}) || strings.Join(r.Resources[0].Diff, ",") != "name" {
		t.Errorf("import: %+v %+v", r.Changes, r.Resources)
	}
	if r := run(t, store, sim.Up, volumes(10, "a"), sim.Options{}); r.Changes.Create+r.Changes.Replace+r.Changes.Delete > 0 {
		t.Errorf("after the import: %+v", r.Resources)
	}
}

func TestSecretsAreNowhereInPlain(t *testing.T) {
	const canary = "canary-7f3a91"
	store := sim.Store{Dir: t.TempDir()}
	program := func(ctx *pulumi.Context) error {
		_, err := newBare(ctx, volumeType, "a", pulumi.Map{
			"size": pulumi.Int(10), "location": pulumi.String("nbg1"),
			"labels": pulumi.Map{"plain": pulumi.String("x"), "hidden": pulumi.ToSecret(pulumi.String(canary))},
		})
		ctx.Export("secret", pulumi.ToSecret(pulumi.Map{"deep": pulumi.String(canary)}))
		return err
	}
	var shown bytes.Buffer
	for _, diff := range []bool{false, true} {
		run(t, store, sim.Preview, program, sim.Options{Out: &shown, Diff: diff})
	}
	r := run(t, store, sim.Up, program, sim.Options{Out: &shown})
	out, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	shown.Write(out)
	if r := run(t, store, sim.Refresh, program, sim.Options{Out: &shown}); r.Changes.Any() {
		t.Errorf("refresh finds changes in secrets: %+v", r.Resources)
	}
	export, err := store.Export(context.Background(), "test", false)
	if err != nil {
		t.Fatal(err)
	}
	shown.Write(export)
	err = filepath.Walk(store.Dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is readable by others: %v", path, info.Mode())
		}
		data, err := os.ReadFile(path)
		shown.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(shown.String(), canary) {
		t.Error("the canary secret is somewhere in plain")
	}
	if !strings.Contains(shown.String(), "simulated") {
		t.Error("the output does not say that it is simulated")
	}
	plain, err := store.Export(context.Background(), "test", true)
	if err != nil || !bytes.Contains(plain, []byte(canary)) {
		t.Errorf("--show-secrets must show it: %v", err)
	}
}

func TestTheSameTwice(t *testing.T) {
	program := volumes(10, "a", "b", "c")
	read := func() string {
		store := sim.Store{Dir: t.TempDir()}
		run(t, store, sim.Up, program, sim.Options{})
		world, err := os.ReadFile(filepath.Join(store.Dir, "test", "world.json"))
		if err != nil {
			t.Fatal(err)
		}
		return string(world)
	}
	if a, b := read(), read(); a != b {
		t.Errorf("two runs made different worlds:\n%s\n%s", a, b)
	}
}

func TestAPanickingProgramIsAnError(t *testing.T) {
	_, err := try(sim.Store{Dir: t.TempDir()}, sim.Preview, func(*pulumi.Context) error { panic("oh") }, sim.Options{})
	if err == nil {
		t.Error("no error")
	}
}

// A program may go on when its run has failed, and ask the engine for more: that must not end the process.
func TestAProgramMayOutliveItsRun(t *testing.T) {
	program := func(ctx *pulumi.Context) error {
		for range 8 {
			go func() {
				for {
					var answer map[string]any
					if err := ctx.Invoke("hcloud:index/getNetwork:getNetwork", pulumi.Map{}, &answer); err != nil && !strings.Contains(err.Error(), "getNetwork") {
						return
					}
				}
			}()
		}
		return volumes(10, "a", "b", "c", "d", "e", "f")(ctx)
	}
	for range 20 {
		store := sim.Store{Dir: t.TempDir()}
		if _, err := try(store, sim.Up, program, sim.Options{Faults: fault(t, provider.Kill, "4")}); !errors.Is(err, provider.ErrKilled) {
			t.Fatalf("the run was not killed: %v", err)
		}
	}
}
