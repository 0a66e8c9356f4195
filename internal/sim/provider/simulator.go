// Package provider implements the engine's plugin.Provider for simulated clouds: faithful to each
// provider's schema by itself, and to the cloud's behaviour through the rules of package cloud.
package provider

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/facts"
)

// Simulator is the state shared by all simulated providers of one run: the world they act on, what
// is known of the clouds, the faults to inject, and a record of what was done.
type Simulator struct {
	World  *cloud.World
	Faults *Faults // nil injects nothing

	// Observe, which may be nil, is called after every operation that took effect, with the world locked.
	Observe func(*cloud.World, Operation)

	table    *facts.Table
	packages map[string]*pkg

	mu         sync.Mutex
	operations []Operation
	warnings   []string
}

// pkg is a cloud.Package with its types by token.
type pkg struct {
	cloud.Package
	types map[string]*cloud.Type
}

// Operation is one change made to the world, or one attempt at it.
type Operation struct {
	URN    resource.URN
	Type   string
	Kind   string        // create, update or delete
	Takes  time.Duration // typical duration in the real cloud
	Failed bool
}

// New returns a simulator of the packages on the world. It fails when a rule names a type of which
// no facts are known, or two rules name the same type: both are mistakes in the program.
func New(world *cloud.World, packages ...cloud.Package) (*Simulator, error) {
	table, err := facts.Load()
	if err != nil {
		return nil, err
	}
	s := &Simulator{World: world, table: table, packages: map[string]*pkg{}}
	for _, p := range packages {
		one := &pkg{Package: p, types: map[string]*cloud.Type{}}
		for _, t := range p.Types {
			if !table.Has(t.Token) {
				return nil, fmt.Errorf("simulator: package %s has a rule for %s, of which there are no facts", p.Name, t.Token)
			}
			if one.types[t.Token] != nil {
				return nil, fmt.Errorf("simulator: package %s has two rules for %s", p.Name, t.Token)
			}
			one.types[t.Token] = &t
		}
		s.packages[p.Name] = one
	}
	s.begin()
	return s, nil
}

// begin puts what the clouds have before any stack into the world.
func (s *Simulator) begin() {
	s.World.Lock()
	defer s.World.Unlock()
	for _, name := range s.Packages() {
		for _, r := range s.packages[name].Existing {
			if s.World.Find(r.Scope, r.Type, r.ID) == nil {
				r.In, r.Out = r.In.Clone(), r.Out.Clone()
				s.World.Put(&r)
			}
		}
	}
}

// Packages lists the simulated packages, sorted.
func (s *Simulator) Packages() []string {
	var out []string
	for name := range s.packages {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}

// Operations returns what was done to the world so far, in order of completion.
func (s *Simulator) Operations() []Operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Operation(nil), s.operations...)
}

// record keeps what was done. The world is locked, unless the operation failed.
func (s *Simulator) record(op Operation) {
	s.mu.Lock()
	s.operations = append(s.operations, op)
	s.mu.Unlock()
	if s.Observe != nil && !op.Failed {
		s.Observe(s.World, op)
	}
}

// Warnings returns what the simulated clouds warned of, sorted, each once.
func (s *Simulator) Warnings() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	sort.Strings(s.warnings)
	return slices.Compact(slices.Clone(s.warnings))
}

// warn keeps the warnings of one call.
func (s *Simulator) warn(name string, list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range list {
		s.warnings = append(s.warnings, name+": "+text)
	}
}

// takes is the typical duration of an operation: the type's own, or its package's, or a second.
func (p *pkg) takes(token, kind string) time.Duration {
	pick := func(d cloud.Durations) time.Duration {
		switch kind {
		case "create":
			return d.Create
		case "update":
			return d.Update
		}
		return d.Delete
	}
	if t := p.types[token]; t != nil {
		if t.Local {
			return 0
		}
		if d := pick(t.Takes); d > 0 {
			return d
		}
	}
	if d := pick(p.Takes); d > 0 {
		return d
	}
	return time.Second
}

// TakesFor is the typical real duration of an operation ("create", "update", "delete") on a resource
// with these inputs.
func (s *Simulator) TakesFor(token, kind string, inputs resource.PropertyMap) time.Duration {
	name, _, _ := cutToken(token)
	p := s.packages[name]
	if p == nil {
		return 0
	}
	if t := p.types[token]; kind == "create" && t != nil && t.Waits != nil {
		if d := t.Waits(plainMap(inputs)); d > 0 {
			return d
		}
	}
	return p.takes(token, kind)
}

// Schema returns the facts of a type.
func (s *Simulator) Schema(token string) (*facts.Schema, bool) { return s.table.Get(token) }

// IsLocal tells whether resources of the type exist in Pulumi's state only.
func (s *Simulator) IsLocal(token string) bool {
	name, _, _ := cutToken(token)
	p := s.packages[name]
	return p != nil && p.types[token] != nil && p.types[token].Local
}

// contextErr is the context's error, said plainly.
func contextErr(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("the operation was cancelled: %w", err)
	}
	return nil
}
