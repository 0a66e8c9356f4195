package provider

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/facts"
)

// errUnconfigured is a mistake of the caller: the engine never acts through such a provider.
func (p *Provider) errUnconfigured() error {
	return fmt.Errorf("provider %s: its configuration is not known, nothing can be changed through it", p.name)
}

// initError makes the engine keep the resource although the operation failed.
func initError(reason string) error { return &plugin.InitError{Reasons: []string{reason}} }

// Create makes a resource in the world; in a preview it says what would be known.
func (p *Provider) Create(ctx context.Context, req plugin.CreateRequest) (plugin.CreateResponse, error) {
	known, config, scope := p.state()
	if !known {
		if req.Preview {
			return plugin.CreateResponse{}, nil
		}
		return plugin.CreateResponse{}, p.errUnconfigured()
	}
	schema, typ, err := p.lookup(req.URN.Type())
	if err != nil {
		return plugin.CreateResponse{}, err
	}
	inputs := normalMap(req.Properties)
	secrets := secretOutputs(schema, typ)
	if req.Preview {
		out := plainMap(inputs)
		for _, name := range computedOutputs(schema) {
			if out[name] == nil {
				out[name] = cloud.Unknown
			}
		}
		return plugin.CreateResponse{Properties: propertyMap(out, secrets, inputs), Status: resource.StatusOK}, nil
	}
	if err := contextErr(ctx); err != nil {
		return plugin.CreateResponse{}, err
	}
	fault, n, err := p.sim.Faults.next(req.URN, string(req.URN.Type()))
	if err != nil {
		return plugin.CreateResponse{}, err
	}
	op := Operation{URN: req.URN, Type: string(req.URN.Type()), Kind: "create", Takes: p.sim.TakesFor(string(req.URN.Type()), "create", inputs)}
	if fault == Fail {
		return plugin.CreateResponse{}, p.refused(op, n)
	}

	w := p.sim.World
	w.Lock()
	defer w.Unlock()
	plain := plainMap(inputs)
	gen := w.GenFor(string(req.URN))
	call := &cloud.Call{
		URN: string(req.URN), Name: req.URN.Name(), Type: string(req.URN.Type()), Config: config, Scope: scope,
		In: resolved(schema, plain, nil, gen), World: w, Gen: gen,
	}
	call.Out = call.In.Clone()
	call.ID = defaultID(call)
	composeOutputs(schema, call)
	if typ.Create != nil {
		if err := typ.Create(call); err != nil {
			op.Failed = true
			p.sim.record(op)
			return plugin.CreateResponse{}, fmt.Errorf("creating %s: %w", call.Name, err)
		}
		p.sim.warn(call.Name, call.Warnings)
	}
	// Counted only now: a creation that was refused leaves no trace, so that the next attempt makes
	// just what an undisturbed run would have made.
	// What exists in the state only is not there either when the run dies before it is written down.
	if !typ.Local || fault != Kill {
		w.CountCreation(call.URN)
	}
	if !typ.Local {
		if call.ID == "" {
			return plugin.CreateResponse{}, fmt.Errorf("creating %s: the simulated cloud gave out no id: this is a mistake in the rule of %s", call.Name, call.Type)
		}
		if w.Find(scope, call.Type, call.ID) != nil {
			return plugin.CreateResponse{}, fmt.Errorf("creating %s: the simulated cloud gave out the id %q twice; its rule must make ids unique", call.Name, call.ID)
		}
		w.Put(&cloud.Resource{
			Type: call.Type, ID: call.ID, Scope: scope, URN: call.URN, In: plain, Out: call.Out.Clone(),
			Secret: union(secretKeys(inputs), secrets),
		})
	}
	p.sim.record(op)
	out := propertyMap(call.Out, secrets, inputs)
	response := plugin.CreateResponse{ID: resource.ID(call.ID), Properties: out, Status: resource.StatusOK}
	switch fault {
	case Kill:
		return plugin.CreateResponse{}, p.sim.Faults.killNow(call.Name)
	case Timeout:
		response.Status = resource.StatusPartialFailure
		return response, initError(timeoutText(op))
	}
	return response, nil
}

// Update changes a resource in the world; in a preview it says what would stay known.
func (p *Provider) Update(ctx context.Context, req plugin.UpdateRequest) (plugin.UpdateResponse, error) {
	known, config, scope := p.state()
	if !known {
		if req.Preview {
			return plugin.UpdateResponse{Properties: resource.PropertyMap{}}, nil
		}
		return plugin.UpdateResponse{}, p.errUnconfigured()
	}
	schema, typ, err := p.lookup(req.URN.Type())
	if err != nil {
		return plugin.UpdateResponse{}, err
	}
	inputs, oldInputs, oldOutputs := normalMap(req.NewInputs), normalMap(req.OldInputs), normalMap(req.OldOutputs)
	secrets := secretOutputs(schema, typ)
	plain, old := plainMap(inputs), plainMap(oldInputs)
	out := overlay(schema, plainMap(oldOutputs), old, plain)
	if req.Preview {
		for _, name := range recomputed(typ, compareInputs(schema, typ, old, plain)) {
			out[name] = cloud.Unknown
		}
		return plugin.UpdateResponse{Properties: propertyMap(out, secrets, inputs, oldOutputs)}, nil
	}
	if err := contextErr(ctx); err != nil {
		return plugin.UpdateResponse{Status: resource.StatusOK}, err
	}
	fault, n, err := p.sim.Faults.next(req.URN, string(req.URN.Type()))
	if err != nil {
		return plugin.UpdateResponse{}, err
	}
	op := Operation{URN: req.URN, Type: string(req.URN.Type()), Kind: "update", Takes: p.pkg.takes(string(req.URN.Type()), "update")}
	if fault == Fail {
		return plugin.UpdateResponse{}, p.refused(op, n)
	}

	w := p.sim.World
	w.Lock()
	defer w.Unlock()
	live := w.Find(scope, string(req.URN.Type()), string(req.ID))
	if live == nil && !typ.Local {
		return plugin.UpdateResponse{}, fmt.Errorf("updating %s: there is no such resource any more (id %s): run a refresh so that the state learns of it", req.URN.Name(), req.ID)
	}
	if live != nil {
		// What the cloud computed since the state was written (a certificate that was issued meanwhile)
		// is as true after the update as before.
		for name, v := range live.Out.Clone() {
			if plain[name] == nil && old[name] == nil {
				out[name] = v
			}
		}
	}
	call := &cloud.Call{
		URN: string(req.URN), Name: req.URN.Name(), Type: string(req.URN.Type()), Config: config, Scope: scope,
		ID: string(req.ID), In: resolved(schema, plain, out, cloud.Gen{}), Old: old, Out: out, World: w,
		Gen: cloud.Gen{Seed: fmt.Sprintf("%s\x00%s\x00%s", w.Seed, req.URN, req.ID)},
	}
	if typ.Update != nil {
		if err := typ.Update(call); err != nil {
			op.Failed = true
			p.sim.record(op)
			return plugin.UpdateResponse{}, fmt.Errorf("updating %s: %w", call.Name, err)
		}
		p.sim.warn(call.Name, call.Warnings)
	}
	if !typ.Local {
		changed := *live
		changed.In, changed.Out, changed.Secret = plain, call.Out.Clone(), union(secretKeys(inputs), secrets)
		w.Put(&changed)
	}
	p.sim.record(op)
	response := plugin.UpdateResponse{Properties: propertyMap(call.Out, secrets, inputs, oldOutputs), Status: resource.StatusOK}
	switch fault {
	case Kill:
		return plugin.UpdateResponse{}, p.sim.Faults.killNow(call.Name)
	case Timeout:
		response.Status = resource.StatusPartialFailure
		return response, initError(timeoutText(op))
	}
	return response, nil
}

// Delete takes a resource out of the world, unless the cloud would refuse.
func (p *Provider) Delete(ctx context.Context, req plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	known, config, scope := p.state()
	if !known {
		return plugin.DeleteResponse{}, p.errUnconfigured()
	}
	if err := contextErr(ctx); err != nil {
		return plugin.DeleteResponse{}, err
	}
	_, typ, err := p.lookup(req.URN.Type())
	if err != nil {
		return plugin.DeleteResponse{}, err
	}
	fault, n, err := p.sim.Faults.next(req.URN, string(req.URN.Type()))
	if err != nil {
		return plugin.DeleteResponse{}, err
	}
	op := Operation{URN: req.URN, Type: string(req.URN.Type()), Kind: "delete", Takes: p.pkg.takes(string(req.URN.Type()), "delete")}
	if fault == Fail {
		return plugin.DeleteResponse{}, p.refused(op, n)
	}
	w := p.sim.World
	w.Lock()
	defer w.Unlock()
	live := w.Find(scope, string(req.URN.Type()), string(req.ID))
	if live != nil {
		call := &cloud.Call{
			URN: string(req.URN), Name: req.URN.Name(), Type: live.Type, Config: config, Scope: scope, ID: live.ID,
			In: live.In.Clone(), Old: live.In.Clone(), Out: live.Out.Clone(), World: w,
			Gen: cloud.Gen{Seed: fmt.Sprintf("%s\x00%s\x00%s", w.Seed, req.URN, req.ID)},
		}
		err := inUse(w, typ, live)
		if err == nil && typ.Delete != nil {
			err = typ.Delete(call)
		}
		if err != nil {
			op.Failed = true
			p.sim.record(op)
			return plugin.DeleteResponse{}, fmt.Errorf("deleting %s: %w", call.Name, err)
		}
		w.Remove(scope, live.Type, live.ID)
	}
	p.sim.record(op)
	switch fault {
	case Kill:
		return plugin.DeleteResponse{}, p.sim.Faults.killNow(req.URN.Name())
	case Timeout:
		return plugin.DeleteResponse{Status: resource.StatusUnknown}, fmt.Errorf("deleting %s: %s", req.URN.Name(), timeoutText(op))
	}
	return plugin.DeleteResponse{Status: resource.StatusOK}, nil
}

// Read looks a resource up in the world, for refresh, import and get.
func (p *Provider) Read(_ context.Context, req plugin.ReadRequest) (plugin.ReadResponse, error) {
	known, config, scope := p.state()
	if !known {
		return plugin.ReadResponse{ReadResult: plugin.ReadResult{
			Inputs: resource.PropertyMap{}, Outputs: resource.PropertyMap{},
		}, Status: resource.StatusUnknown}, nil
	}
	schema, typ, err := p.lookup(req.URN.Type())
	if err != nil {
		return plugin.ReadResponse{}, err
	}
	if typ.Local {
		if req.State == nil && req.Inputs == nil {
			return plugin.ReadResponse{}, fmt.Errorf("%s exists in Pulumi's state only; it cannot be read from a cloud", req.URN.Type())
		}
		return plugin.ReadResponse{ReadResult: plugin.ReadResult{ID: req.ID, Inputs: req.Inputs, Outputs: req.State}, Status: resource.StatusOK}, nil
	}
	w := p.sim.World
	w.Lock()
	defer w.Unlock()
	live := w.Find(scope, string(req.URN.Type()), string(req.ID))
	if live == nil {
		return plugin.ReadResponse{ReadResult: plugin.ReadResult{}, Status: resource.StatusOK}, nil
	}
	if typ.Read != nil {
		call := &cloud.Call{
			URN: string(req.URN), Name: req.URN.Name(), Type: live.Type, Config: config, Scope: scope, ID: live.ID,
			In: live.In.Clone(), Old: live.In.Clone(), Out: live.Out.Clone(), World: w,
			Gen: cloud.Gen{Seed: fmt.Sprintf("%s\x00%s\x00%s", w.Seed, req.URN, req.ID)},
		}
		err := typ.Read(call)
		if errors.Is(err, cloud.ErrGone) {
			w.Remove(scope, live.Type, live.ID)
			return plugin.ReadResponse{Status: resource.StatusOK}, nil
		}
		if err != nil {
			return plugin.ReadResponse{}, fmt.Errorf("reading %s: %w", req.URN.Name(), err)
		}
		if !cloud.Equal(call.Out, live.Out) || !cloud.Equal(call.In, live.In) {
			changed := *live
			changed.In, changed.Out = call.In, call.Out
			w.Put(&changed)
			live = &changed
		}
	}
	secrets := union(live.Secret, secretOutputs(schema, typ))
	oldInputs, oldState := normalMap(req.Inputs), normalMap(req.State)
	inputs := propertyMap(live.In, intersection(secrets, live.In), oldInputs)
	if v, ok := oldInputs[defaultsKey]; ok {
		inputs[defaultsKey] = v
	}
	return plugin.ReadResponse{ReadResult: plugin.ReadResult{
		ID: resource.ID(live.ID), Inputs: inputs, Outputs: propertyMap(live.Out, secrets, oldState),
	}, Status: resource.StatusOK}, nil
}

// inUse refuses a delete while something that must go first still refers to the resource.
func inUse(w *cloud.World, typ *cloud.Type, live *cloud.Resource) error {
	for _, ref := range typ.InUse {
		value := live.ID
		if ref.By != "" {
			value = live.Out.String(ref.By)
		}
		for _, by := range w.Referrers(ref.Type, ref.Path, value) {
			if ref.Error != nil {
				if err := ref.Error(live, by); err != nil {
					return err
				}
				continue
			}
			return cloud.Refuse("in_use", "%s %s is still used by %s %s", live.Type, live.ID, by.Type, by.ID)
		}
	}
	return nil
}

func (p *Provider) refused(op Operation, n int) error {
	op.Failed = true
	p.sim.record(op)
	return fmt.Errorf("%s %s: injected fault at operation %d: the simulated cloud answered 503 Service Unavailable", gerund(op.Kind), op.URN.Name(), n)
}

func gerund(kind string) string {
	return map[string]string{"create": "creating", "update": "updating", "delete": "deleting"}[kind]
}

func timeoutText(op Operation) string {
	return fmt.Sprintf("injected fault: timeout while waiting for the %s to finish (typically %s)", op.Kind, op.Takes.Round(time.Second))
}

// overlay lays new inputs over old outputs: what was an input and is none any more goes, unless the
// provider keeps it as computed.
func overlay(schema *facts.Schema, oldOut, oldIn, in cloud.Object) cloud.Object {
	out := oldOut.Clone()
	if out == nil {
		out = cloud.Object{}
	}
	for name := range oldIn {
		prop := schema.Inputs[name]
		if in[name] == nil && (prop == nil || !prop.Computed) {
			delete(out, name)
		}
	}
	maps.Copy(out, in.Clone())
	return out
}

func recomputed(typ *cloud.Type, changes []change) []string {
	var out []string
	for _, c := range changes {
		out = union(out, typ.Recomputed[topLevel(c.path)])
	}
	if len(changes) > 0 {
		out = union(out, typ.Recomputed["*"])
	}
	return out
}

func secretOutputs(schema *facts.Schema, typ *cloud.Type) []string {
	out := union(schema.SecretOutputs, typ.SecretOutputs)
	for name, prop := range schema.Inputs {
		if prop.Sensitive {
			out = union(out, []string{name})
		}
	}
	return out
}

func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	sort.Strings(out)
	return out
}

func intersection(names []string, in cloud.Object) []string {
	var out []string
	for _, n := range names {
		if _, ok := in[n]; ok {
			out = append(out, n)
		}
	}
	return out
}
