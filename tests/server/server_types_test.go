package server

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/config"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds/hcloud"
	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// refused runs a preview that has to say that the type is out of sale and what is sold, and to write
// nothing.
func refused(t *testing.T, store sim.Store, stack sim.Stack) {
	t.Helper()
	files := func() string {
		var text []byte
		for _, name := range []string{"state.json", "world.json"} {
			data, err := os.ReadFile(filepath.Join(store.Dir, stack.Name, name))
			if err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			text = append(text, data...)
		}
		return string(text)
	}
	before := files()
	r, err := rig.Try(store, sim.Preview, stack, sim.Options{})
	said := strings.Join(r.Errors, "\n")
	if err == nil {
		t.Fatal("the preview of a server type that is out of sale succeeds")
	}
	for _, want := range []string{"Hetzner no longer sells server type cx42", "cx43"} {
		if !strings.Contains(said, want) {
			t.Errorf("the preview says %q, want %q in it", said, want)
		}
	}
	if files() != before {
		t.Error("the preview that was refused changed the state or the world")
	}
}

// Nobody can order a type that is out of sale: the preview refuses a new server of it, and a server's change
// to it. A server that has it already goes on, and can leave it.
func TestAServerTypeOutOfSale(t *testing.T) {
	dev := rig.Load(t, rig.Shipped(t)["dev"]).Stack
	of := func(name string) sim.Stack { return changed(t, dev, "server", map[string]any{"type": name}) }
	refused(t, rig.NewStore(t), of("cx42"))

	store := rig.NewStore(t)
	rig.Run(t, store, sim.Up, of("cx43"), sim.Options{})
	refused(t, store, of("cx42"))

	// Behind Pulumi's back the server becomes one of those that still run.
	drift, err := sim.ParseDrift("hcloud:index/server:Server::*:serverType=cx42")
	if err != nil {
		t.Fatal(err)
	}
	rig.Run(t, store, sim.Refresh, of("cx43"), sim.Options{Drift: []sim.Drift{drift}})
	if r := rig.Run(t, store, sim.Preview, of("cx42"), sim.Options{}); r.Changes.Any() {
		t.Errorf("a stack whose server has the type already changes:%s", rig.Describe(r.Resources))
	}
	tagged := rig.With(of("cx42"), "morphee:owner", "somebody")
	if r := rig.Run(t, store, sim.Up, tagged, sim.Options{}); r.Changes.Update == 0 {
		t.Error("another owner changes nothing: the server's labels were not updated")
	}
	rig.Run(t, store, sim.Up, of("cx43"), sim.Options{})
}

// The configuration says which types are out of sale, the simulated Hetzner which it sells: they agree.
func TestTheServerTypesForSale(t *testing.T) {
	for name, offered := range config.ServerTypes {
		for location := range config.Locations {
			_, err := simtest.New(t, hcloud.Package()).Create("hcloud:index/server:Server", "s", simtest.Props{
				"serverType": name, "image": "ubuntu-24.04", "location": location,
			})
			want := slices.Contains(offered.Locations, location) && !slices.Contains(config.OutOfSale, name)
			if sold := err == nil; sold != want {
				t.Errorf("%s at %s: the simulated Hetzner sells it: %v (%v), by the configuration: %v", name, location, sold, err, want)
			}
		}
	}
	for _, name := range config.OutOfSale {
		if _, known := config.ServerTypes[name]; !known {
			t.Errorf("%s is out of sale and not among the types", name)
		}
	}
}
