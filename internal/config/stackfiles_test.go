package config_test

import (
	"path/filepath"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/config"
)

// load reads a stack file of the project.
func load(t *testing.T, path string) (config.File, config.Config) {
	t.Helper()
	f, c, err := config.LoadFile(filepath.Join("..", "..", path))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return f, c
}

func TestShippedStacks(t *testing.T) {
	want := map[string]struct {
		stack string
		phase int
	}{
		"Pulumi.dev.yaml":                     {"dev", 1},
		"Pulumi.prod.yaml":                    {"prod", 3},
		"stacks/examples/phase0.yaml":         {"growing", 0},
		"stacks/examples/phase1.yaml":         {"growing", 1},
		"stacks/examples/phase2.yaml":         {"growing", 2},
		"stacks/examples/phase3-aurora.yaml":  {"phase3-aurora", 3},
		"stacks/examples/phase3-minimal.yaml": {"phase3-minimal", 3},

		"stacks/examples/phase3-six-zones.yaml": {"phase3-six-zones", 3},
	}
	for path, w := range want {
		f, c := load(t, path)
		if f.Stack != w.stack || c.Phase != w.phase {
			t.Errorf("%s: stack %q at phase %d, want %q at %d", path, f.Stack, c.Phase, w.stack, w.phase)
		}
	}
}

// Every stack file there is must be valid, those added later too.
func TestEveryStackFileIsValid(t *testing.T) {
	for _, pattern := range []string{"Pulumi.*.yaml", "stacks/examples/*.yaml"} {
		files, err := filepath.Glob(filepath.Join("..", "..", pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, path := range files {
			if _, _, err := config.LoadFile(path); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
}

// Phase 1 must be phase 0 and more, so that growing from one to the other changes nothing there is.
func TestPhase1OnlyAddsToPhase0(t *testing.T) {
	f0, c0 := load(t, "stacks/examples/phase0.yaml")
	f1, c1 := load(t, "stacks/examples/phase1.yaml")
	if f0.Stack != f1.Stack {
		t.Errorf("stacks %q and %q differ", f0.Stack, f1.Stack)
	}
	if c0.Server.Type != c1.Server.Type || c0.Server.Location != c1.Server.Location || c0.Server.VolumeSizeGiB != c1.Server.VolumeSizeGiB {
		t.Errorf("servers differ: %+v and %+v", c0.Server, c1.Server)
	}
	if c0.Images != c1.Images || c0.Limits != c1.Limits || c0.Hosts != c1.Hosts {
		t.Error("images, limits or hosts differ")
	}
	if c0.Forgejo.Enabled || !c1.Forgejo.Enabled || c0.Backups.Enabled || !c1.Backups.Enabled {
		t.Error("Forgejo and the backups must come with phase 1")
	}
}
