package inprocess

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi/pkg/v3/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/providers"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

// Resources turns the engine's states of resources, planned or real, into what rules look at, by URN.
func Resources(states []*resource.State) []*rule.Resource {
	out := make([]*rule.Resource, 0, len(states))
	for _, s := range states {
		out = append(out, one(s))
	}
	slices.SortFunc(out, func(a, b *rule.Resource) int { return strings.Compare(a.URN, b.URN) })
	return out
}

func one(s *resource.State) *rule.Resource {
	s.Lock.Lock()
	defer s.Lock.Unlock()
	out := &rule.Resource{
		URN: string(s.URN), Type: string(s.Type), Name: s.URN.Name(), ID: string(s.ID), Parent: string(s.Parent), Protect: s.Protect,
		Inputs: properties(s.Inputs), Outputs: properties(s.Outputs), Dependencies: texts(s.Dependencies),
		AdditionalSecrets: texts(s.AdditionalSecretOutputs),
	}
	if len(s.PropertyDependencies) > 0 {
		out.PropertyDeps = make(map[string][]string, len(s.PropertyDependencies))
	}
	for k, v := range s.PropertyDependencies {
		out.PropertyDeps[string(k)] = texts(v)
	}
	if ref, err := providers.ParseReference(s.Provider); err == nil {
		out.Provider = string(ref.URN())
	}
	return out
}

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, t := range list {
		out[i] = string(t)
	}
	return out
}
