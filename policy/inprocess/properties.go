package inprocess

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

// properties turns the engine's properties into what rules look at. Internal properties are left
// out, as the plugin protocol leaves them out.
func properties(m resource.PropertyMap) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		if len(k) < 2 || k[:2] != "__" {
			out[string(k)] = value(v)
		}
	}
	return out
}

func value(v resource.PropertyValue) any {
	switch v := v.V.(type) {
	case bool, float64, string:
		return v
	case []resource.PropertyValue:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = value(e)
		}
		return out
	case resource.PropertyMap:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[string(k)] = value(e)
		}
		return out
	case *resource.Secret:
		return secret(value(v.Element))
	case resource.Computed:
		return rule.Unknown{}
	case resource.Output:
		return output(v)
	case *resource.Asset:
		// The protocol hands assets over as maps with their text in them.
		return map[string]any{"text": v.Text, "path": v.Path, "uri": v.URI}
	}
	return nil
}

func output(o resource.Output) any {
	var out any = rule.Unknown{}
	if o.Known {
		out = value(o.Element)
	}
	if o.Secret {
		return secret(out)
	}
	return out
}

func secret(v any) any {
	if _, already := v.(rule.Secret); already {
		return v
	}
	return rule.Secret{V: v}
}
