package rule

import "strings"

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
