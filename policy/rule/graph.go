package rule

import (
	"fmt"
	"slices"
	"strings"
)

// Graph is the look of a rule at the whole stack.
type Graph struct {
	context
	*Index
}

// Index finds the resources of a stack. It is built once for all rules, and for all packs.
type Index struct {
	all    []*Resource
	byURN  map[string]*Resource
	byType map[string][]*Resource
	byKey  map[string][]*Resource // by id, ARN, name and the like
}

// identities are the properties by which other resources refer to one.
var identities = []string{"id", "arn", "name", "bucket", "bucketRegionalDomainName", "bucketDomainName", "identifier",
	"clusterIdentifier", "keyId", "dnsName", "family", "arnWithoutRevision", "resourceId"}

// NewIndex makes the index of a stack.
func NewIndex(list []*Resource) *Index {
	x := &Index{all: slices.Clone(list), byURN: map[string]*Resource{}, byType: map[string][]*Resource{}, byKey: map[string][]*Resource{}}
	slices.SortFunc(x.all, func(a, b *Resource) int { return strings.Compare(a.URN, b.URN) })
	for _, r := range x.all {
		x.byURN[r.URN] = r
		x.byType[r.Type] = append(x.byType[r.Type], r)
		seen := map[string]bool{"": true}
		add := func(key string) {
			if !seen[key] {
				seen[key] = true
				x.byKey[key] = append(x.byKey[key], r)
			}
		}
		add(r.ID)
		for _, p := range identities {
			add(r.Get(p).Text())
		}
	}
	return x
}

// All are the resources, by URN.
func (x *Index) All() []*Resource { return x.all }

// Of are the resources of the types.
func (x *Index) Of(types ...string) []*Resource {
	var out []*Resource
	for _, t := range types {
		out = append(out, x.byType[t]...)
	}
	return out
}

// ByURN finds a resource.
func (x *Index) ByURN(urn string) *Resource { return x.byURN[urn] }

// Ref is what a property refers to.
type Ref struct {
	// Found are the resources of the wanted types that are referred to.
	Found []*Resource
	// Possible are those that may be, while the property is unknown and depends on several.
	Possible []*Resource
	// Foreign are references to something outside the stack.
	Foreign []string
	// Unknown says that some reference cannot be resolved yet.
	Unknown bool
}

// Is says whether r is referred to.
func (f Ref) Is(r *Resource) bool { return slices.Contains(f.Found, r) }

// MayBe says whether r is referred to, or may turn out to be.
func (f Ref) MayBe(r *Resource) bool { return f.Is(r) || slices.Contains(f.Possible, r) }

// Refs resolves a property to the resources of the types that it names. What is not known in a
// preview is resolved through what the property depends on: a subnet's id is unknown until there
// is a subnet, but that it is this subnet's is known.
func (x *Index) Refs(r *Resource, path string, types ...string) Ref {
	var out Ref
	v := r.Get(path)
	var foreign []string
	open := 0
	if v.Unknown() {
		open = 1
	}
	for _, e := range v.List() {
		text := e.Text()
		if e.Unknown() {
			open++
			continue
		}
		if text == "" {
			continue
		}
		known := false
		for _, other := range x.byKey[text] {
			if slices.Contains(types, other.Type) {
				known = true
				out.Found = appendNew(out.Found, other)
			}
		}
		if !known {
			foreign = append(foreign, text)
		}
	}
	// The engine does not tell a policy the ids of resources, only what a property depends on; so what
	// is known and still not found may be one of those, too.
	var candidates []*Resource
	if open+len(foreign) > 0 {
		top, _, _ := strings.Cut(path, ".")
		for _, urn := range r.PropertyDeps[top] {
			if other := x.byURN[urn]; other != nil && slices.Contains(types, other.Type) && !out.Is(other) {
				candidates = appendNew(candidates, other)
			}
		}
	}
	switch {
	case open == 0 && len(candidates) == 0:
		out.Foreign = foreign
	case len(candidates) > 0 && (len(candidates) <= open+len(foreign) || v.Unknown() && plural(path)):
		// A list that is unknown as a whole is made of what it depends on; a list of unknown elements
		// has one for each.
		for _, c := range candidates {
			out.Found = appendNew(out.Found, c)
		}
	default:
		out.Possible, out.Unknown = candidates, true
	}
	return out
}

// plural says whether the property's name is that of a list.
func plural(path string) bool { return strings.HasSuffix(path, "s") }

func appendNew(list []*Resource, r *Resource) []*Resource {
	if slices.Contains(list, r) {
		return list
	}
	return append(list, r)
}

// Violate reports a violation of a resource.
func (g *Graph) Violate(r *Resource, format string, args ...any) {
	g.emit(r.URN, Violation, fmt.Sprintf(format, args...), nil)
}

// ViolateStack reports a violation of the stack as a whole.
func (g *Graph) ViolateStack(format string, args ...any) {
	g.emit(g.Root(), Violation, fmt.Sprintf(format, args...), nil)
}

// Undecided reports that something of a resource is not known yet.
func (g *Graph) Undecided(r *Resource, what string) { g.emit(r.URN, Undetermined, what, nil) }

// Looked counts a resource that the rule has looked at, for the report.
func (g *Graph) Looked(r *Resource) { g.emit(r.URN, Pass, "", nil) }

// LookedStack counts that the rule has looked at the stack as a whole.
func (g *Graph) LookedStack() { g.emit(g.Root(), Pass, "", nil) }

// Root is the URN of the stack.
func (x *Index) Root() string {
	for _, r := range x.byType["pulumi:pulumi:Stack"] {
		return r.URN
	}
	return ""
}

// Referring are the resources of a type whose property refers to r, and those that may.
func (g *Graph) Referring(r *Resource, path string, types ...string) (sure, maybe []*Resource) {
	for _, other := range g.Of(types...) {
		switch ref := g.Refs(other, path, r.Type); {
		case ref.Is(r):
			sure = append(sure, other)
		case ref.Unknown && (len(ref.Possible) == 0 || slices.Contains(ref.Possible, r)):
			maybe = append(maybe, other)
		}
	}
	return sure, maybe
}

// Needs wants a companion resource: one of the types whose property refers to r, and that is good.
// good may be nil.
func (g *Graph) Needs(r *Resource, path, why string, good func(*Resource) Value, types ...string) {
	g.Looked(r)
	sure, maybe := g.Referring(r, path, types...)
	unknown := len(maybe) > 0
	for _, other := range sure {
		if good == nil {
			return
		}
		switch v := good(other); {
		case v.Unknown():
			unknown = true
		case v.True():
			return
		}
	}
	if unknown {
		g.Undecided(r, path)
		return
	}
	g.Violate(r, "%s", why)
}

// UndecidedStack reports that something of the whole stack is not known yet.
func (g *Graph) UndecidedStack(what string) { g.emit(g.Root(), Undetermined, what, nil) }
