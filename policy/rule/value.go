package rule

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Unknown stands for a value that a preview cannot know yet.
type Unknown struct{}

// Secret wraps a Pulumi secret in a tree of values. V is Unknown{} when it cannot be seen.
type Secret struct{ V any }

// String hides the value, so that printing a tree shows nothing.
func (Secret) String() string { return "[secret]" }

// Value is one value of a resource: a view of a tree of string, float64, bool, nil, []any,
// map[string]any, Unknown and Secret. Every read of it says whether the answer is known, so that
// no rule can take an unknown value for a good one.
type Value struct {
	raw    any
	secret bool
	path   string
}

// Of makes a Value of a tree.
func Of(tree any) Value { return Value{}.with("", tree) }

func (v Value) with(path string, raw any) Value {
	out := Value{secret: v.secret, path: path}
	for {
		s, ok := raw.(Secret)
		if !ok {
			out.raw = raw
			return out
		}
		raw, out.secret = s.V, true
	}
}

// At goes down a path such as "rules.0.fromPort". Below an unknown value everything is unknown.
func (v Value) At(path string) Value {
	for _, key := range strings.Split(path, ".") {
		sub := strings.TrimPrefix(v.path+"."+key, ".")
		switch raw := v.raw.(type) {
		case Unknown:
			v.path = sub
		case map[string]any:
			v = v.with(sub, raw[key])
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(raw) {
				return v.with(sub, nil)
			}
			v = v.with(sub, raw[i])
		default:
			v = v.with(sub, nil)
		}
	}
	return v
}

// Path is where the value stands in its resource.
func (v Value) Path() string { return v.path }

// Unknown says that the value is not known yet.
func (v Value) Unknown() bool { _, ok := v.raw.(Unknown); return ok }

// Absent says that there is no value, and that this is known.
func (v Value) Absent() bool { return v.raw == nil }

// Empty says that there is no value, or one without anything in it, and that this is known.
func (v Value) Empty() bool {
	switch raw := v.raw.(type) {
	case nil:
		return true
	case string:
		return raw == ""
	case []any:
		return len(raw) == 0
	case map[string]any:
		return len(raw) == 0
	}
	return false
}

// Secret says that the value, or what holds it, is a Pulumi secret.
func (v Value) Secret() bool { return v.secret }

// HoldsSecret says that the value is a secret or has one somewhere inside.
func (v Value) HoldsSecret() bool {
	if v.secret {
		return true
	}
	found := false
	v.Walk(func(leaf Value) { found = found || leaf.secret })
	return found
}

// HoldsUnknown says that the value or something inside it is not known yet.
func (v Value) HoldsUnknown() bool {
	found := false
	v.Walk(func(leaf Value) { found = found || leaf.Unknown() })
	return found
}

// Text is the value as text; numbers and booleans are written out. Unknown and absent values,
// lists and maps are "".
func (v Value) Text() string {
	switch raw := v.raw.(type) {
	case string:
		return raw
	case bool:
		return strconv.FormatBool(raw)
	case float64:
		return strconv.FormatFloat(raw, 'f', -1, 64)
	}
	return ""
}

// Number is the value as a number; ok is false when it is none.
func (v Value) Number() (n float64, ok bool) {
	switch raw := v.raw.(type) {
	case float64:
		return raw, true
	case string:
		n, err := strconv.ParseFloat(raw, 64)
		return n, err == nil
	}
	return 0, false
}

// True says that the value is known to be true; texts count, as the providers take them.
func (v Value) True() bool { return v.raw == true || v.raw == "true" }

// List returns the elements of a list, a single value being a list of one; nil when there is none
// or it is not known.
func (v Value) List() []Value {
	switch raw := v.raw.(type) {
	case []any:
		out := make([]Value, len(raw))
		for i, e := range raw {
			out[i] = v.with(strings.TrimPrefix(v.path+"."+strconv.Itoa(i), "."), e)
		}
		return out
	case nil, Unknown:
		return nil
	}
	return []Value{v}
}

// Texts are the known texts of a list.
func (v Value) Texts() []string {
	var out []string
	for _, e := range v.List() {
		if t := e.Text(); t != "" {
			out = append(out, t)
		}
	}
	return out
}

// Keys are the sorted keys of a map.
func (v Value) Keys() []string {
	m, _ := v.raw.(map[string]any)
	return slices.Sorted(maps.Keys(m))
}

// Key is the value under a key that may hold dots.
func (v Value) Key(key string) Value {
	m, ok := v.raw.(map[string]any)
	if !ok {
		return v.At(key)
	}
	return v.with(strings.TrimPrefix(v.path+"."+key, "."), m[key])
}

// IsMap says that the value is a map.
func (v Value) IsMap() bool { _, ok := v.raw.(map[string]any); return ok }

// JSON opens a text that holds a JSON document; what is no JSON is absent, what is unknown stays so.
func (v Value) JSON() Value {
	text, ok := v.raw.(string)
	if !ok {
		return v
	}
	var tree any
	if json.Unmarshal([]byte(text), &tree) != nil {
		return v.with(v.path, nil)
	}
	return v.with(v.path, tree)
}

// Walk visits every leaf, in order: texts, numbers, booleans, unknown values, nulls.
func (v Value) Walk(visit func(Value)) {
	switch raw := v.raw.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(raw)) {
			v.Key(k).Walk(visit)
		}
	case []any:
		for _, e := range v.List() {
			e.Walk(visit)
		}
	default:
		visit(v)
	}
}

// Show writes the value for a message, never a secret's.
func (v Value) Show() string {
	if v.secret {
		return "[secret]"
	}
	switch raw := v.raw.(type) {
	case nil:
		return "nothing"
	case Unknown:
		return "[unknown]"
	case string:
		if len(raw) > 60 {
			raw = raw[:57] + "…"
		}
		return strconv.Quote(raw)
	case bool, float64:
		return v.Text()
	}
	return "a value"
}
