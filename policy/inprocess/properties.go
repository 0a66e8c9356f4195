package inprocess

import (
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

// properties turns the engine's properties into what rules look at. Internal properties are left
// out, as the plugin protocol leaves them out.
func properties(m property.Map) map[string]any {
	out := make(map[string]any, m.Len())
	for k, v := range m.All {
		if len(k) < 2 || k[:2] != "__" {
			out[k] = value(v)
		}
	}
	return out
}

func value(v property.Value) any {
	plain := bare(v)
	if v.Secret() {
		return rule.Secret{V: plain}
	}
	return plain
}

func bare(v property.Value) any {
	switch {
	case v.IsComputed():
		return rule.Unknown{}
	case v.IsBool():
		return v.AsBool()
	case v.IsNumber():
		return v.AsNumber()
	case v.IsString():
		return v.AsString()
	case v.IsArray():
		out := make([]any, 0, v.AsArray().Len())
		for _, e := range v.AsArray().All {
			out = append(out, value(e))
		}
		return out
	case v.IsMap():
		out := make(map[string]any, v.AsMap().Len())
		for k, e := range v.AsMap().All {
			out[k] = value(e)
		}
		return out
	case v.IsAsset():
		// The protocol hands assets over as maps with their text in them.
		return map[string]any{"text": v.AsAsset().Text, "path": v.AsAsset().Path, "uri": v.AsAsset().URI}
	}
	return nil
}
