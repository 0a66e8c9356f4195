package sim_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/provider"
)

func read(t *testing.T, store sim.Store, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(store.Dir, "test", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestAGuardRefusesBeforeAnythingRuns(t *testing.T) {
	store := sim.Store{Dir: t.TempDir()}
	run(t, store, sim.Up, volumes(20, "a", "b"), sim.Options{})
	state, world := read(t, store, "state.json"), read(t, store, "world.json")
	var seen *sim.Result
	guard := func(planned *sim.Result) error {
		seen = planned
		return errors.Join(errors.New("first reason"), errors.New("second reason"))
	}
	r, err := try(store, sim.Up, volumes(10, "a", "c"), sim.Options{Guard: guard})
	if !errors.Is(err, sim.ErrRefused) || !r.Refused || r.Changes.Any() || len(r.Resources) != 0 || r.Operation != sim.Up {
		t.Fatalf("refused: %v %+v", err, r)
	}
	if strings.Join(r.Errors, "|") != "first reason|second reason" || r.Outputs["size"] != 20.0 {
		t.Errorf("errors %q, outputs %v", r.Errors, r.Outputs)
	}
	if seen.Operation != sim.Preview || seen.Changes != (sim.Changes{Create: 1, Update: 1, Delete: 1, Same: 1}) {
		t.Errorf("the guard saw %s %+v", seen.Operation, seen.Changes)
	}
	for _, c := range seen.Resources {
		if c.Name == "a" && (c.Before["size"] != 20.0 || c.After["size"] != 10.0 || c.Protected) {
			t.Errorf("the update is seen as %+v", c)
		}
	}
	if read(t, store, "state.json") != state || read(t, store, "world.json") != world {
		t.Error("a refused up changed the state or the world")
	}
	if r, err := try(store, sim.Preview, volumes(10, "a"), sim.Options{Guard: guard}); err == nil || len(r.Errors) != 2 || r.Changes.Update != 1 {
		t.Errorf("preview: %v %+v", err, r)
	}
}

func TestAGuardThatAgreesChangesNothing(t *testing.T) {
	agree := func(*sim.Result) error { return nil }
	bare, guarded := sim.Store{Dir: t.TempDir()}, sim.Store{Dir: t.TempDir()}
	for _, size := range []int{10, 20} {
		a := run(t, bare, sim.Up, volumes(size, "a"), sim.Options{})
		b := run(t, guarded, sim.Up, volumes(size, "a"), sim.Options{Guard: agree})
		if a.Changes != b.Changes || read(t, bare, "world.json") != read(t, guarded, "world.json") {
			t.Errorf("size %d: %+v and %+v", size, a.Changes, b.Changes)
		}
	}
	// The faults are for what really runs.
	r, err := try(guarded, sim.Up, volumes(30, "a"), sim.Options{Guard: agree, Faults: fault(t, provider.Fail, volumeType+"::a")})
	if err == nil || r.Refused || !strings.Contains(strings.Join(r.Errors, " "), "injected fault") {
		t.Errorf("fault: %v %+v", err, r)
	}
}

// As with `pulumi up`, a preview that fails ends it.
func TestAFailingPlanRefuses(t *testing.T) {
	store := sim.Store{Dir: t.TempDir()}
	wrong := func(ctx *pulumi.Context) error {
		if _, err := newBare(ctx, volumeType, "a", pulumi.Map{"size": pulumi.Int(10), "location": pulumi.String("nbg1")}); err != nil {
			return err
		}
		_, err := newBare(ctx, volumeType, "b", pulumi.Map{"sizes": pulumi.Int(10)})
		return err
	}
	r, err := try(store, sim.Up, wrong, sim.Options{Guard: func(*sim.Result) error { return nil }})
	if !errors.Is(err, sim.ErrRefused) || !r.Refused || !strings.Contains(strings.Join(r.Errors, " "), "sizes") {
		t.Fatalf("%v %+v", err, r)
	}
	if _, err := os.Stat(filepath.Join(store.Dir, "test", "state.json")); err == nil {
		t.Error("the first volume was made")
	}
}
