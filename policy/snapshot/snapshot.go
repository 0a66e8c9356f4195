// Package snapshot gives a finished deployment to the rules: everything in it is known.
package snapshot

import (
	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/policy/rule"
)

// Resources turns a deployment, as deployment.Read reads it, into what rules look at. Secrets that
// the deployment does not show are unknown: read one with its secrets shown.
func Resources(list []deployment.Resource) []*rule.Resource {
	out := make([]*rule.Resource, len(list))
	for i, r := range list {
		out[i] = &rule.Resource{
			URN: r.URN, Type: r.Type, Name: r.Name, ID: r.ID, Parent: r.Parent, Protect: r.Protect, Dependencies: r.Dependencies,
			Inputs: tree(r.Inputs), Outputs: tree(r.Outputs),
		}
	}
	return out
}

func tree(m map[string]any) map[string]any {
	out, _ := convert(m).(map[string]any)
	return out
}

func convert(v any) any {
	switch v := v.(type) {
	case deployment.Secret:
		if v.Value == nil {
			return rule.Secret{V: rule.Unknown{}}
		}
		return rule.Secret{V: convert(v.Value)}
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = convert(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = convert(e)
		}
		return out
	}
	return v
}

// Read parses an export and turns it into what rules look at.
func Read(export []byte) ([]*rule.Resource, error) {
	list, err := deployment.Read(export)
	if err != nil {
		return nil, err
	}
	return Resources(list), nil
}
