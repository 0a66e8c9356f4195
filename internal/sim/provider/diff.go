package provider

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/facts"
)

// change is one differing property path.
type change struct {
	path    string
	kind    plugin.DiffKind
	replace bool
}

type differ struct {
	same    func(property string, old, new any) bool
	changes []change
}

// compareInputs lists the differences that mean something to the provider, by path.
func compareInputs(schema *facts.Schema, typ *cloud.Type, old, new cloud.Object) []change {
	d := differ{}
	if typ != nil {
		d.same = typ.Same
	}
	d.objects("", old, new, schema.Inputs, false)
	if typ != nil && typ.Replaces != nil {
		for _, name := range typ.Replaces(old, new) {
			d.markReplace(name)
		}
	}
	sort.Slice(d.changes, func(i, j int) bool { return d.changes[i].path < d.changes[j].path })
	return d.changes
}

// markReplace makes the changes at or below the property replace. A property that has not changed
// by itself (its meaning changed through another) is added.
func (d *differ) markReplace(name string) {
	found := false
	for i := range d.changes {
		if p := d.changes[i].path; p == name || strings.HasPrefix(p, name+".") || strings.HasPrefix(p, name+"[") {
			d.changes[i].replace, found = true, true
		}
	}
	if !found {
		d.changes = append(d.changes, change{name, plugin.DiffUpdate, true})
	}
}

func (d *differ) objects(path string, old, new cloud.Object, props map[string]*facts.Property, replace bool) {
	names := map[string]bool{}
	for k := range old {
		names[k] = true
	}
	for k := range new {
		names[k] = true
	}
	for name := range names {
		p := props[name]
		if p == nil {
			p = &facts.Property{}
		}
		a, b := old[name], new[name]
		// What the provider computes when it is left out is kept when it is taken out of the program.
		if b == nil && p.Computed {
			continue
		}
		d.values(join(path, name), a, b, p, replace || p.ForceNew)
	}
}

// isZero tells whether a value equals leaving it out, as it does for providers: "", 0, false, empty.
func isZero(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case float64:
		return v == 0
	case bool:
		return !v
	case []any:
		return len(v) == 0
	case cloud.Object:
		return len(v) == 0
	}
	return false
}

func (d *differ) values(path string, old, new any, p *facts.Property, replace bool) {
	if (old == nil || new == nil) && isZero(old) && isZero(new) {
		return
	}
	if !cloud.HasUnknown(new) {
		if canonical(old, p) == canonical(new, p) {
			return
		}
		if d.same != nil && d.same(path, old, new) {
			return
		}
	}
	switch {
	case old == nil:
		d.changes = append(d.changes, change{path, plugin.DiffAdd, replace || below(new, p)})
		return
	case new == nil:
		d.changes = append(d.changes, change{path, plugin.DiffDelete, replace || below(old, p)})
		return
	}
	a, aok := old.(cloud.Object)
	b, bok := new.(cloud.Object)
	if aok && bok && p.Type == "object" && p.Properties != nil {
		d.objects(path, a, b, p.Properties, replace)
		return
	}
	la, aok := old.([]any)
	lb, bok := new.([]any)
	if aok && bok && !p.Set {
		d.lists(path, la, lb, p, replace)
		return
	}
	d.changes = append(d.changes, change{path, plugin.DiffUpdate, replace || p.Set && below(new, p)})
}

func (d *differ) lists(path string, old, new []any, p *facts.Property, replace bool) {
	element := &facts.Property{Type: p.ItemType, Properties: p.Properties}
	for i := range max(len(old), len(new)) {
		at := fmt.Sprintf("%s[%d]", path, i)
		var a, b any
		if i < len(old) {
			a = old[i]
		}
		if i < len(new) {
			b = new[i]
		}
		d.values(at, a, b, element, replace)
	}
}

// below tells whether adding or removing this value touches an input inside it that replaces.
func below(v any, p *facts.Property) bool {
	switch v := v.(type) {
	case cloud.Object:
		for name, q := range p.Properties {
			if v[name] != nil && (q.ForceNew || below(v[name], q)) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { return below(e, p) })
	}
	return false
}

// canonical writes a value so that two spellings of one meaning are equal: sets sorted, JSON
// documents rewritten, empty values left out.
func canonical(v any, p *facts.Property) string {
	out, err := json.Marshal(canonicalValue(v, p))
	if err != nil {
		return fmt.Sprintf("%v", v)
	}
	return string(out)
}

func canonicalValue(v any, p *facts.Property) any {
	switch v := v.(type) {
	case string:
		if p.Type == "string" || p.Type == "" {
			return canonicalJSON(v)
		}
		return v
	case cloud.Object:
		if p.AcceptsObject && p.Type == "string" {
			out, _ := json.Marshal(v)
			return canonicalJSON(string(out))
		}
		out := make(map[string]any, len(v))
		for k, e := range v {
			q := p.Properties[k]
			if q == nil {
				q = &facts.Property{}
			}
			if isZero(e) && p.Type != "map" {
				continue
			}
			out[k] = canonicalValue(e, q)
		}
		return out
	case []any:
		element := &facts.Property{Type: p.ItemType, Properties: p.Properties}
		out := make([]any, 0, len(v))
		for _, e := range v {
			out = append(out, canonicalValue(e, element))
		}
		if p.Set {
			sort.Slice(out, func(i, j int) bool {
				a, _ := json.Marshal(out[i])
				b, _ := json.Marshal(out[j])
				return string(a) < string(b)
			})
		}
		return out
	}
	return v
}

// result is the engine's form of the differences.
func result(changes []change, deleteBeforeReplace bool) plugin.DiffResult {
	if len(changes) == 0 {
		return plugin.DiffResult{Changes: plugin.DiffNone}
	}
	r := plugin.DiffResult{Changes: plugin.DiffSome, DetailedDiff: map[string]plugin.PropertyDiff{}}
	for _, c := range changes {
		top := resource.PropertyKey(topLevel(c.path))
		if !slices.Contains(r.ChangedKeys, top) {
			r.ChangedKeys = append(r.ChangedKeys, top)
		}
		kind := c.kind
		if c.replace {
			kind = kind.AsReplace()
			if !slices.Contains(r.ReplaceKeys, top) {
				r.ReplaceKeys = append(r.ReplaceKeys, top)
			}
		}
		r.DetailedDiff[c.path] = plugin.PropertyDiff{Kind: kind, InputDiff: true}
	}
	r.DeleteBeforeReplace = deleteBeforeReplace && len(r.ReplaceKeys) > 0
	return r
}

func topLevel(path string) string {
	if i := strings.IndexAny(path, ".["); i >= 0 {
		return path[:i]
	}
	return path
}
