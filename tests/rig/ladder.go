package rig

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/ladder"
	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
)

// Step is one step of the ladder.
type Step struct {
	Name  string // of its configuration file, such as 05-names-weighted
	Stack *rehearsal.Stack
}

// Ladder is the way up, in the order in which one stack takes it.
func Ladder(t testing.TB) []Step {
	t.Helper()
	dir := filepath.Join(Root(t), "stacks", "examples", "ladder")
	m, err := ladder.ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []Step
	for _, s := range m.Steps {
		name := s.Config[:len(s.Config)-len(filepath.Ext(s.Config))]
		out = append(out, Step{name, Load(t, filepath.Join(dir, s.Config))})
	}
	return out
}

// Copy is another store with the same content.
func Copy(t testing.TB, from sim.Store) sim.Store {
	t.Helper()
	to := sim.Store{Dir: filepath.Join(t.TempDir(), "copy"), Seed: from.Seed}
	if err := os.CopyFS(to.Dir, os.DirFS(from.Dir)); err != nil {
		t.Fatal(err)
	}
	return to
}
