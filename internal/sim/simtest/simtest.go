// Package simtest drives simulated providers one operation at a time, without a program and without
// the engine, so that a rule of the cloud can be tested by itself.
package simtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/provider"
)

// Sim is a simulator with an empty world.
type Sim struct {
	t      testing.TB
	Sim    *provider.Simulator
	World  *cloud.World
	config map[string]map[string]any // by package
}

// Props are inputs, written as ordinary Go values. provider secrets and unknowns are not needed here.
type Props = map[string]any

// New returns a simulator of the packages.
func New(t testing.TB, packages ...cloud.Package) *Sim {
	t.Helper()
	world := cloud.NewWorld("test")
	sim, err := provider.New(world, packages...)
	if err != nil {
		t.Fatal(err)
	}
	return &Sim{t: t, Sim: sim, World: world, config: map[string]map[string]any{}}
}

// Merge returns the properties with more laid over them; what is nil there is left out.
func Merge(base, more Props) Props {
	out := maps.Clone(base)
	for k, v := range more {
		if v == nil {
			delete(out, k)
		} else {
			out[k] = v
		}
	}
	return out
}

// With returns the same simulator whose provider of that package is configured so:
// s.With("aws", Props{"region": "us-east-1"}).
func (s *Sim) With(pkg string, config Props) *Sim {
	out := *s
	out.config = map[string]map[string]any{}
	for k, v := range s.config {
		out.config[k] = v
	}
	out.config[pkg] = config
	return &out
}

func (s *Sim) provider(token string) *provider.Provider {
	s.t.Helper()
	pkg, _, _ := strings.Cut(token, ":")
	p, err := s.Sim.Provider(pkg)
	if err != nil {
		s.t.Fatal(err)
	}
	typ := tokens.Type("pulumi:providers:" + pkg)
	if _, err := p.Configure(context.Background(), plugin.ConfigureRequest{Type: &typ, Inputs: properties(s.config[pkg])}); err != nil {
		s.t.Fatal(err)
	}
	return p
}

func properties(in map[string]any) resource.PropertyMap {
	return resource.NewPropertyMapFromMap(plainMap(in))
}

// plainMap writes cloud.Object and string slices in the kinds the SDK understands.
func plainMap(in map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range in {
		out[k] = sdkValue(cloud.Plain(v))
	}
	return out
}

func sdkValue(v any) any {
	switch v := v.(type) {
	case cloud.Object:
		return plainMap(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = sdkValue(e)
		}
		return out
	}
	return v
}

func urn(token, name string) resource.URN {
	return resource.NewURN("test", "morphee", "", tokens.Type(token), name)
}

// failuresError joins check failures in the engine's form.
func failuresError(list []plugin.CheckFailure) error {
	var errs []error
	for _, f := range list {
		errs = append(errs, fmt.Errorf("%s: %s", f.Property, f.Reason))
	}
	return errors.Join(errs...)
}

// Create checks and creates a resource; the error is the schema's or the cloud's refusal.
func (s *Sim) Create(token, name string, props Props) (*cloud.Resource, error) {
	s.t.Helper()
	p, ctx, u := s.provider(token), context.Background(), urn(token, name)
	check, err := p.Check(ctx, plugin.CheckRequest{URN: u, News: properties(props)})
	if err == nil {
		err = failuresError(check.Failures)
	}
	if err != nil {
		return nil, err
	}
	created, err := p.Create(ctx, plugin.CreateRequest{URN: u, Properties: check.Properties})
	if err != nil {
		return nil, err
	}
	if r := s.find(token, string(created.ID)); r != nil {
		return r, nil
	}
	// Local resources are not in the world: give the caller their properties all the same.
	out := cloud.Object{}
	for k, v := range created.Properties {
		out[string(k)] = Plain(v)
	}
	return &cloud.Resource{Type: token, ID: string(created.ID), URN: string(u), In: cloud.Plain(props).(cloud.Object), Out: out}, nil
}

// Plain unwraps secrets of a property value.
func Plain(v resource.PropertyValue) any { return cloud.Plain(toAny(v)) }

func toAny(v resource.PropertyValue) any {
	return v.MapRepl(nil, func(v resource.PropertyValue) (any, bool) {
		if v.IsSecret() {
			return toAny(v.SecretValue().Element), true
		}
		return nil, false
	})
}

func (s *Sim) find(token, id string) *cloud.Resource {
	for _, r := range s.World.All("", token) {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// Must creates a resource that has to be accepted.
func (s *Sim) Must(token, name string, props Props) *cloud.Resource {
	s.t.Helper()
	r, err := s.Create(token, name, props)
	if err != nil {
		s.t.Fatalf("%s %q was refused: %v", token, name, err)
	}
	return r
}

// Refuses creates a resource that has to be refused with a message that contains want, and must
// leave no trace in the world.
func (s *Sim) Refuses(token, name string, props Props, want string) {
	s.t.Helper()
	before := s.World.Revision()
	_, err := s.Create(token, name, props)
	switch {
	case err == nil:
		s.t.Errorf("%s %q was accepted, want a refusal with %q", token, name, want)
	case !strings.Contains(err.Error(), want):
		s.t.Errorf("%s %q was refused with\n  %v\nwant a message with %q", token, name, err, want)
	case s.World.Revision() != before:
		s.t.Errorf("%s %q was refused but changed the world", token, name)
	}
}

// Check tells what a preview would refuse in changing the resource's inputs to props; nil for nothing.
func (s *Sim) Check(r *cloud.Resource, props Props) error {
	s.t.Helper()
	check, err := s.provider(r.Type).Check(context.Background(), plugin.CheckRequest{
		URN: resource.URN(r.URN), Olds: properties(r.In), News: properties(props),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return failuresError(check.Failures)
}

// Diff tells what changing the resource's inputs to props would change and replace.
func (s *Sim) Diff(r *cloud.Resource, props Props) plugin.DiffResult {
	s.t.Helper()
	p, ctx, u := s.provider(r.Type), context.Background(), resource.URN(r.URN)
	check, err := p.Check(ctx, plugin.CheckRequest{URN: u, Olds: properties(r.In), News: properties(props)})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := failuresError(check.Failures); err != nil {
		s.t.Fatal(err)
	}
	d, err := p.Diff(ctx, plugin.DiffRequest{
		URN: u, ID: resource.ID(r.ID), OldInputs: properties(r.In), OldOutputs: properties(r.Out), NewInputs: check.Properties,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

// Update checks and updates a resource in place.
func (s *Sim) Update(r *cloud.Resource, props Props) (*cloud.Resource, error) {
	s.t.Helper()
	p, ctx, u := s.provider(r.Type), context.Background(), resource.URN(r.URN)
	check, err := p.Check(ctx, plugin.CheckRequest{URN: u, Olds: properties(r.In), News: properties(props)})
	if err == nil {
		err = failuresError(check.Failures)
	}
	if err != nil {
		return nil, err
	}
	_, err = p.Update(ctx, plugin.UpdateRequest{
		URN: u, ID: resource.ID(r.ID), OldInputs: properties(r.In), OldOutputs: properties(r.Out), NewInputs: check.Properties,
	})
	if err != nil {
		return nil, err
	}
	return s.find(r.Type, r.ID), nil
}

// Delete deletes a resource.
func (s *Sim) Delete(r *cloud.Resource) error {
	s.t.Helper()
	_, err := s.provider(r.Type).Delete(context.Background(), plugin.DeleteRequest{
		URN: resource.URN(r.URN), ID: resource.ID(r.ID), Inputs: properties(r.In), Outputs: properties(r.Out),
	})
	return err
}

// Read reads a resource back, as refresh does; nil when it is gone.
func (s *Sim) Read(r *cloud.Resource) (cloud.Object, error) {
	s.t.Helper()
	resp, err := s.provider(r.Type).Read(context.Background(), plugin.ReadRequest{
		URN: resource.URN(r.URN), ID: resource.ID(r.ID), Inputs: properties(r.In), State: properties(r.Out),
	})
	if err != nil || resp.Outputs == nil {
		return nil, err
	}
	out := cloud.Object{}
	for k, v := range resp.Outputs {
		out[string(k)] = Plain(v)
	}
	return out, nil
}

// Invoke calls a provider function.
func (s *Sim) Invoke(token string, args Props) (cloud.Object, error) {
	s.t.Helper()
	resp, err := s.provider(token).Invoke(context.Background(), plugin.InvokeRequest{
		Tok: tokens.ModuleMember(token), Args: resource.FromResourcePropertyMap(properties(args)),
	})
	if err != nil {
		return nil, err
	}
	out := cloud.Object{}
	for k, v := range resource.ToResourcePropertyMap(resp.Properties) {
		out[string(k)] = Plain(v)
	}
	return out, nil
}
