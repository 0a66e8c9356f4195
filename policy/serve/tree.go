package serve

import (
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

// How the plugin protocol marks what JSON cannot say. The values are part of the protocol.
const (
	signature       = "4dabf18193072939515e22adb298388d"
	secretSignature = "1b47061264138c4ac30d75fd1eb44270"
	outputSignature = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
)

// unknowns are the texts that stand for unknown values of each kind.
var unknowns = map[string]bool{
	"1c4a061d-8072-4f0a-a4cb-0ff528b18fe7": true, "3eeb2bf0-c639-47a8-9e75-3b44932eb421": true,
	"04da6b54-80e4-46f7-96ec-b56ff0331ba9": true, "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2": true,
	"030794c1-ac77-496b-92df-f27374a8bd58": true, "e48ece36-62e2-4504-bad9-02848725956a": true,
	"dd056dcd-154b-4c76-9bd3-c8f88648b5ff": true,
}

func tree(s *structpb.Struct) map[string]any {
	out := make(map[string]any, len(s.GetFields()))
	for k, v := range s.GetFields() {
		out[k] = open(v)
	}
	return out
}

func open(v *structpb.Value) any {
	switch k := v.GetKind().(type) {
	case *structpb.Value_BoolValue:
		return k.BoolValue
	case *structpb.Value_NumberValue:
		return k.NumberValue
	case *structpb.Value_StringValue:
		if unknowns[k.StringValue] {
			return rule.Unknown{}
		}
		return k.StringValue
	case *structpb.Value_ListValue:
		out := make([]any, len(k.ListValue.GetValues()))
		for i, e := range k.ListValue.GetValues() {
			out[i] = open(e)
		}
		return out
	case *structpb.Value_StructValue:
		return object(k.StructValue)
	}
	return nil
}

// object opens a map, or what a marked map stands for.
func object(s *structpb.Struct) any {
	f := s.GetFields()
	switch f[signature].GetStringValue() {
	case secretSignature:
		return rule.Secret{V: open(f["value"])}
	case outputSignature:
		value, known := f["value"]
		var v any = rule.Unknown{}
		if known {
			v = open(value)
		}
		if f["secret"].GetBoolValue() {
			return rule.Secret{V: v}
		}
		return v
	}
	out := make(map[string]any, len(f))
	for k, e := range f {
		if k != signature {
			out[k] = open(e)
		}
	}
	return out
}
