// Package ladder walks one simulated world through every step of the way that a stack grows, and back
// where a way back is offered, and says of every step what it changed, whether it lost anything that
// nobody can make again, and whether every public name was served all the while.
package ladder

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gopkg.in/yaml.v3"
)

// Manifest is ladder.yaml: the steps up, and the ways back.
type Manifest struct {
	Steps []Planned `yaml:"steps"`
	Back  []WayBack `yaml:"back"`
}

// Planned is one step: a configuration that is brought up, and what a person does before.
type Planned struct {
	Name   string `yaml:"name"`
	Config string `yaml:"config"` // file, in the manifest's folder
	// Manual is what a person does before the configuration is brought up; "" is nothing.
	Manual string `yaml:"manual"`
	// Minutes that Manual takes a person.
	Minutes float64 `yaml:"minutes"`
	// Wait is what is waited for before the step, such as the days that two platforms run side by side,
	// and WaitMinutes how long that takes at least.
	Wait        string  `yaml:"wait"`
	WaitMinutes float64 `yaml:"waitMinutes"`
}

// WayBack is a walk that begins where the ladder was after one of its steps.
type WayBack struct {
	Name  string    `yaml:"name"`
	After string    `yaml:"after"` // name of the step
	Steps []Planned `yaml:"steps"`
}

// ManifestFile is the manifest's name in the folder of the configurations.
const ManifestFile = "ladder.yaml"

// ReadManifest reads and checks the manifest of a folder. Every mistake is in the error.
func ReadManifest(dir string) (*Manifest, error) {
	path := filepath.Join(dir, ManifestFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the steps of the ladder: %w; give a folder with a %s, such as stacks/examples/ladder", err, ManifestFile)
	}
	var m Manifest
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&m); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := m.check(dir); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &m, nil
}

func (m *Manifest) check(dir string) error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	names := map[string]bool{}
	steps := func(where string, list []Planned, seen map[string]bool) {
		if len(list) == 0 {
			wrong("%s has no steps", where)
		}
		for i, s := range list {
			if s.Name == "" || seen[s.Name] {
				wrong("%s: step %d needs a name of its own, got %q", where, i+1, s.Name)
			}
			seen[s.Name] = true
			if info, err := os.Stat(filepath.Join(dir, s.Config)); s.Config == "" || err != nil || info.IsDir() {
				wrong("%s: step %q: config: there is no file %q in the folder", where, s.Name, s.Config)
			}
			if s.Minutes < 0 || s.WaitMinutes < 0 {
				wrong("%s: step %q: minutes are 0 or more", where, s.Name)
			}
			if (s.Manual == "") != (s.Minutes == 0) || (s.Wait == "") != (s.WaitMinutes == 0) {
				wrong("%s: step %q: manual goes with minutes, and wait with waitMinutes", where, s.Name)
			}
		}
	}
	steps("steps", m.Steps, names)
	for _, b := range m.Back {
		where := fmt.Sprintf("back %q", b.Name)
		if !names[b.After] {
			wrong("%s: after: there is no step %q", where, b.After)
		}
		steps(where, b.Steps, map[string]bool{})
	}
	return errors.Join(errs...)
}
