package cloud

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Object is a resource's properties as plain Go values: string, float64, bool, nil, []any, Object,
// and Unknown for what a preview does not know yet. Secrets are unwrapped: what was secret stays
// secret in state because the provider, not the rule, writes the properties back.
type Object map[string]any

type unknown struct{}

func (unknown) String() string { return "[unknown]" }

// Unknown stands for a value that only the deployment will know. It appears during preview only.
var Unknown any = unknown{}

// IsUnknown tells whether v is Unknown.
func IsUnknown(v any) bool { _, is := v.(unknown); return is }

// HasUnknown tells whether v is or contains Unknown.
func HasUnknown(v any) bool {
	switch v := v.(type) {
	case unknown:
		return true
	case []any:
		return slices.ContainsFunc(v, HasUnknown)
	case Object:
		for _, e := range v {
			if HasUnknown(e) {
				return true
			}
		}
	}
	return false
}

// Get returns the value at a dotted path ("vpcConfig.subnetIds.0"), or nil when any step of it is
// absent. When a step is unknown the result is Unknown. A key that itself has dots in it is found by its
// whole name ("com.example.key" of a map of labels).
func (o Object) Get(path string) any {
	if v, ok := o[path]; ok {
		return v
	}
	var v any = o
	for _, part := range strings.Split(path, ".") {
		switch at := v.(type) {
		case unknown:
			return Unknown
		case Object:
			v = at[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(at) {
				return nil
			}
			v = at[i]
		default:
			return nil
		}
	}
	return v
}

// Has tells whether the path is present (an unknown value is present, null is not).
func (o Object) Has(path string) bool { return o.Get(path) != nil }

// Known tells whether the path is present and wholly known.
func (o Object) Known(path string) bool { v := o.Get(path); return v != nil && !HasUnknown(v) }

// String returns the string at path; numbers and booleans are written out; "" when absent or unknown.
func (o Object) String(path string) string { return Text(o.Get(path)) }

// Int returns the whole number at path, or 0. A numeric string counts, as providers coerce it.
func (o Object) Int(path string) int {
	switch v := o.Get(path).(type) {
	case float64:
		return int(v)
	case string:
		n, _ := strconv.Atoi(v)
		return n
	}
	return 0
}

// Float returns the number at path, or 0.
func (o Object) Float(path string) float64 {
	switch v := o.Get(path).(type) {
	case float64:
		return v
	case string:
		n, _ := strconv.ParseFloat(v, 64)
		return n
	}
	return 0
}

// Bool returns the boolean at path, or false.
func (o Object) Bool(path string) bool {
	switch v := o.Get(path).(type) {
	case bool:
		return v
	case string:
		return v == "true"
	}
	return false
}

// List returns the array at path, or nil.
func (o Object) List(path string) []any { v, _ := o.Get(path).([]any); return v }

// Objects returns those elements of the array at path that are objects.
func (o Object) Objects(path string) []Object {
	var out []Object
	for _, e := range o.List(path) {
		if m, ok := e.(Object); ok {
			out = append(out, m)
		}
	}
	return out
}

// Strings returns the known strings of the array at path, in order.
func (o Object) Strings(path string) []string {
	var out []string
	for _, e := range o.List(path) {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// Object returns the object at path, or nil.
func (o Object) Object(path string) Object { m, _ := o.Get(path).(Object); return m }

// Keys are the object's keys in order.
func (o Object) Keys() []string { return slices.Sorted(maps.Keys(o)) }

// Default sets key unless it is there already.
func (o Object) Default(key string, v any) {
	if o[key] == nil {
		o[key] = Plain(v)
	}
}

// Clone copies the object deeply.
func (o Object) Clone() Object {
	if o == nil {
		return nil
	}
	return clone(o).(Object)
}

func clone(v any) any {
	switch v := v.(type) {
	case Object:
		out := make(Object, len(v))
		for k, e := range v {
			out[k] = clone(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = clone(e)
		}
		return out
	}
	return v
}

// Equal compares two plain values.
func Equal(a, b any) bool { return reflect.DeepEqual(a, b) }

// Text writes a scalar as text; "" for anything else.
func Text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// Plain turns ordinary Go values (ints, string slices, maps) into the kinds an Object holds.
func Plain(v any) any {
	switch v := v.(type) {
	case nil, string, float64, bool, unknown, Object:
		return v
	case int:
		return float64(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = Plain(e)
		}
		return out
	case []string:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = e
		}
		return out
	case []Object:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = e
		}
		return out
	case map[string]any:
		out := Object{}
		for k, e := range v {
			out[k] = Plain(e)
		}
		return out
	case map[string]string:
		out := Object{}
		for k, e := range v {
			out[k] = e
		}
		return out
	}
	panic(fmt.Sprintf("cloud.Plain: unsupported kind %T", v))
}

// JSON parses a JSON document held in a string property, such as an IAM policy or container
// definitions, into plain values. Unknown or empty text gives nil without error.
func JSON(v any) (any, error) {
	s, _ := v.(string)
	if s == "" {
		return nil, nil
	}
	var out any
	if err := json.Unmarshal([]byte(s), &out); err != nil {
		return nil, err
	}
	return Plain(out), nil
}
