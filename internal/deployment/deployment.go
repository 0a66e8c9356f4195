// Package deployment reads a deployment as `pulumi stack export` and `infra sim export` write it. What
// looks at a deployment (Compose, cost, reports) reads it through here and knows nothing of how it
// was made.
package deployment

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Resource is one resource of a deployment.
type Resource struct {
	URN, Type, Name, ID string
	Parent              string // URN
	Provider            string // URN, "::" and id of the provider; empty for a component
	Custom, Protect     bool
	Inputs, Outputs     map[string]any // plain values, with Secret where one is
	Dependencies        []string       // URNs
}

// Secret is a secret value. It is known only in an export with --show-secrets; else Value is nil.
type Secret struct{ Value any }

// String hides the value, so that printing a tree shows nothing.
func (Secret) String() string { return "[secret]" }

// MarshalJSON hides the value.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"[secret]"`), nil }

// The signature that marks special objects in a deployment, and the one of a secret.
const (
	signature       = "4dabf18193072939515e22adb298388d"
	secretSignature = "1b47061264138c4ac30d75fd1eb44270"
)

// Read parses an export.
func Read(data []byte) ([]Resource, error) {
	var file struct {
		Version    int
		Deployment struct {
			Resources []struct {
				URN          string         `json:"urn"`
				ID           string         `json:"id"`
				Type         string         `json:"type"`
				Custom       bool           `json:"custom"`
				Protect      bool           `json:"protect"`
				Delete       bool           `json:"delete"`
				Parent       string         `json:"parent"`
				Provider     string         `json:"provider"`
				Inputs       map[string]any `json:"inputs"`
				Outputs      map[string]any `json:"outputs"`
				Dependencies []string       `json:"dependencies"`
			} `json:"resources"`
		} `json:"deployment"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("reading the deployment: %w", err)
	}
	if file.Version != 3 && file.Version != 4 {
		return nil, fmt.Errorf("the deployment has version %d; versions 3 and 4 can be read: is this the output of `pulumi stack export`?", file.Version)
	}
	var out []Resource
	for _, r := range file.Deployment.Resources {
		if r.Delete {
			continue // waiting to be deleted: no longer part of the stack
		}
		one := Resource{
			URN: r.URN, Type: r.Type, Name: r.URN[strings.LastIndex(r.URN, "::")+2:], ID: r.ID, Parent: r.Parent, Provider: r.Provider,
			Custom: r.Custom, Protect: r.Protect, Dependencies: r.Dependencies,
		}
		one.Inputs, _ = open(r.Inputs).(map[string]any)
		one.Outputs, _ = open(r.Outputs).(map[string]any)
		out = append(out, one)
	}
	return out, nil
}

func open(v any) any {
	if m, ok := v.(map[string]any); ok && m[signature] == secretSignature {
		text, ok := m["plaintext"].(string)
		if !ok {
			return Secret{}
		}
		var plain any
		if json.Unmarshal([]byte(text), &plain) != nil {
			return Secret{}
		}
		return Secret{open(plain)}
	}
	return Map(v, open)
}

// Map returns a copy of a map or list with f applied to each of its values; anything else as it is.
func Map(v any, f func(any) any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = f(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = f(e)
		}
		return out
	}
	return v
}

// Plain unwraps every secret in a value.
func Plain(v any) any {
	if s, ok := v.(Secret); ok {
		return Plain(s.Value)
	}
	return Map(v, Plain)
}

// Secrets returns every text inside a secret of the value, with the path to it.
func Secrets(v any) map[string]string {
	out := map[string]string{}
	collect("", v, false, out)
	return out
}

func collect(path string, v any, secret bool, out map[string]string) {
	switch v := v.(type) {
	case Secret:
		collect(path, v.Value, true, out)
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			collect(strings.TrimPrefix(path+"."+k, "."), v[k], secret, out)
		}
	case []any:
		for i, e := range v {
			collect(fmt.Sprintf("%s[%d]", path, i), e, secret, out)
		}
	case string:
		if secret && v != "" {
			out[path] = v
		}
	}
}
