package cloud

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Resource is one thing that exists in the simulated clouds.
type Resource struct {
	Type, ID string
	Scope    string
	URN      string   // the URN that created it; empty for what was there before Pulumi
	In       Object   // inputs as last applied
	Out      Object   // everything the cloud says of it, inputs included
	Secret   []string // top-level properties that must be encrypted wherever they are written down
}

// World is everything that exists in the simulated clouds, apart from Pulumi's state.
type World struct {
	mu       sync.Mutex
	Seed     string
	byKey    map[string]*Resource            // scope \0 type \0 id
	byType   map[string]map[string]*Resource // type -> the same key
	created  map[string]int                  // how often each URN was created
	revision int                             // grows with every change
}

// NewWorld returns an empty world. Everything generated in it depends on the seed.
func NewWorld(seed string) *World {
	return &World{Seed: seed, byKey: map[string]*Resource{}, byType: map[string]map[string]*Resource{}, created: map[string]int{}}
}

// Lock makes the calls that follow, up to Unlock, one step: rules always run under it.
func (w *World) Lock() { w.mu.Lock() }

// Unlock ends what Lock began.
func (w *World) Unlock() { w.mu.Unlock() }

// Revision grows with every change of the world.
func (w *World) Revision() int { return w.revision }

func key(scope, typ, id string) string { return scope + "\x00" + typ + "\x00" + id }

// Put adds or replaces a resource.
func (w *World) Put(r *Resource) {
	k := key(r.Scope, r.Type, r.ID)
	if w.byType[r.Type] == nil {
		w.byType[r.Type] = map[string]*Resource{}
	}
	w.revision++
	w.byKey[k], w.byType[r.Type][k] = r, r
}

// Remove takes a resource out. Removing what is not there does nothing.
func (w *World) Remove(scope, typ, id string) {
	if k := key(scope, typ, id); w.byKey[k] != nil {
		w.revision++
		delete(w.byKey, k)
		delete(w.byType[typ], k)
	}
}

// Find returns the resource with that id, or with that ARN, or nil.
func (w *World) Find(scope, typ, id string) *Resource {
	if id == "" {
		return nil
	}
	if r := w.byKey[key(scope, typ, id)]; r != nil {
		return r
	}
	if strings.HasPrefix(id, "arn:") {
		for _, r := range w.byType[typ] {
			if r.Scope == scope && r.Out["arn"] == id {
				return r
			}
		}
	}
	return nil
}

// All returns the resources of the type in the scope (in every scope when it is empty), by scope and id.
// With an empty type it returns everything.
func (w *World) All(scope, typ string) []*Resource {
	var out []*Resource
	from := w.byType[typ]
	if typ == "" {
		from = w.byKey
	}
	for _, r := range from {
		if scope == "" || r.Scope == scope {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *Resource) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// Created is how often the URN was created in this world before.
func (w *World) Created() map[string]int { return w.created }

// CountCreation notes that the URN was created once more.
func (w *World) CountCreation(urn string) { w.created[urn]++ }

// GenFor returns the generator for the next creation of the URN. Until CountCreation it stays the same.
func (w *World) GenFor(urn string) Gen {
	return Gen{Seed: fmt.Sprintf("%s\x00%s\x00%d", w.Seed, urn, w.created[urn])}
}

// values returns what the path refers to, where "*" stands for every element of an array or object.
func values(v any, path []string) []any {
	if len(path) == 0 {
		if list, ok := v.([]any); ok {
			return list
		}
		return []any{v}
	}
	if path[0] != "*" {
		if o, ok := v.(Object); ok && o[path[0]] != nil {
			return values(o[path[0]], path[1:])
		}
		return nil
	}
	var out []any
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			out = append(out, values(e, path[1:])...)
		}
	case Object:
		for _, k := range v.Keys() {
			out = append(out, values(v[k], path[1:])...)
		}
	}
	return out
}

// Referrers returns the resources of the type, in any scope, whose inputs have the value at the path.
// "*" in the path stands for every element; a list at the end of the path is looked through.
func (w *World) Referrers(typ, path, value string) []*Resource {
	var out []*Resource
	for _, r := range w.All("", typ) {
		if slices.ContainsFunc(values(r.Out, strings.Split(path, ".")), func(v any) bool { return Text(v) == value }) {
			out = append(out, r)
		}
	}
	return out
}
