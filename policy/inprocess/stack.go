package inprocess

import (
	"sync"

	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

// stack is what the packs of one operation share: every resource is converted once for all of them.
type stack struct {
	mu     sync.Mutex
	inputs map[resource.URN]*rule.Resource
	index  *rule.Index
}

// resource converts a resource that is about to be made.
func (s *stack) resource(r plugin.AnalyzerResource) *rule.Resource {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one := s.inputs[r.URN]; one != nil {
		return one
	}
	one := convert(r)
	one.Inputs = properties(r.Properties)
	if s.inputs == nil {
		s.inputs = map[resource.URN]*rule.Resource{}
	}
	s.inputs[r.URN] = one
	return one
}

// all converts the whole stack, with the inputs that were seen before.
func (s *stack) all(list []plugin.AnalyzerStackResource) *rule.Index {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.index != nil {
		return s.index
	}
	out := make([]*rule.Resource, len(list))
	for i, r := range list {
		one := convert(r.AnalyzerResource)
		one.Parent, one.Dependencies, one.Outputs = string(r.Parent), texts(r.Dependencies), properties(r.Properties)
		one.PropertyDeps = make(map[string][]string, len(r.PropertyDependencies))
		for k, v := range r.PropertyDependencies {
			one.PropertyDeps[string(k)] = texts(v)
		}
		if seen := s.inputs[r.URN]; seen != nil {
			one.Inputs = seen.Inputs
		}
		out[i] = one
	}
	s.index = rule.NewIndex(out)
	return s.index
}

func texts(list []resource.URN) []string {
	out := make([]string, len(list))
	for i, u := range list {
		out[i] = string(u)
	}
	return out
}

func convert(r plugin.AnalyzerResource) *rule.Resource {
	out := &rule.Resource{
		URN: string(r.URN), Type: string(r.Type), Name: r.Name, Protect: r.Options.Protect, Parent: string(r.Options.Parent),
	}
	for _, k := range r.Options.AdditionalSecretOutputs {
		out.AdditionalSecrets = append(out.AdditionalSecrets, string(k))
	}
	if r.Provider != nil {
		out.Provider = string(r.Provider.URN)
	}
	return out
}
