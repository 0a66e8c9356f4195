package rule

import (
	"strings"
	"sync"
)

// Resource is one resource as a rule sees it, however it was come by: from the engine while it
// works, or from a finished deployment.
type Resource struct {
	URN, Type, Name, ID string
	Parent              string // URN
	Inputs, Outputs     map[string]any
	Protect             bool
	Dependencies        []string            // URNs
	PropertyDeps        map[string][]string // URNs by top-level property
	AdditionalSecrets   []string            // outputs that the program declared secret
	Provider            string              // URN of the provider, when known

	mu   sync.Mutex
	memo map[string]any
}

// Memo keeps what is derived from the resource's inputs for several rules, under a name. What is
// derived may ask for another memo; two packs at once may derive the same twice.
func (r *Resource) Memo(name string, derive func() any) any {
	r.mu.Lock()
	v, ok := r.memo[name]
	r.mu.Unlock()
	if ok {
		return v
	}
	v = derive()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.memo == nil {
		r.memo = map[string]any{}
	}
	r.memo[name] = v
	return v
}

// Clone is another resource with the same values, to be changed: the maps are shared until they are
// replaced.
func (r *Resource) Clone() *Resource {
	return &Resource{
		URN: r.URN, Type: r.Type, Name: r.Name, ID: r.ID, Parent: r.Parent, Inputs: r.Inputs, Outputs: r.Outputs, Protect: r.Protect,
		Dependencies: r.Dependencies, PropertyDeps: r.PropertyDeps, AdditionalSecrets: r.AdditionalSecrets, Provider: r.Provider,
	}
}

// In is an input.
func (r *Resource) In(path string) Value { return Of(r.Inputs).At(path) }

// Get is an input, or the output of that name when there is no such input.
func (r *Resource) Get(path string) Value {
	if v := r.In(path); !v.Absent() {
		return v
	}
	return Of(r.Outputs).At(path)
}

// Identity is the resource's id, when it is known.
func (r *Resource) Identity() string {
	if r.ID != "" {
		return r.ID
	}
	return Of(r.Outputs).At("id").Text()
}

// Provider types, the stack and components are not of any cloud.
func (r *Resource) real() bool { return !strings.HasPrefix(r.Type, "pulumi:") }

// NameOf is the logical name in a URN.
func NameOf(urn string) string { return urn[strings.LastIndex(urn, "::")+2:] }
