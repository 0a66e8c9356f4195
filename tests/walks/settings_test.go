// Package walks takes random walks: random valid configurations of every phase, and random sequences of
// what happens to a stack (changes, drift, failures, a destroy), each followed by the same questions. Is
// everything stateful still there? Does a second up change nothing, and a refresh? Is the state sound?
// Is every public name served?
package walks

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/morphee-app/morphee-infra/internal/config"
)

// settings are a stack file's values, as in YAML, without the namespace.
type settings map[string]any

// with is a copy in which the key at the path has another value; nil takes it away.
func (s settings) with(path string, value any) settings {
	head, rest, deep := strings.Cut(path, ".")
	out := maps.Clone(s)
	if out == nil {
		out = settings{}
	}
	if deep {
		below, _ := out[head].(settings)
		value = below.with(rest, value)
		if len(value.(settings)) == 0 {
			value = nil
		}
	}
	if value == nil {
		delete(out, head)
	} else {
		out[head] = value
	}
	return out
}

// sets is with for several pairs of path and value.
func (s settings) sets(pairs ...any) settings {
	for i := 0; i+1 < len(pairs); i += 2 {
		s = s.with(pairs[i].(string), pairs[i+1])
	}
	return s
}

// yaml is the stack file.
func (s settings) yaml() []byte {
	values := map[string]any{}
	for key, v := range s {
		values[config.Namespace+":"+key] = v
	}
	data, err := yaml.Marshal(map[string]any{"stack": stackName, "config": values})
	if err != nil {
		panic(err) // plain values always have a YAML form
	}
	return data
}

// parse checks the whole configuration.
func (s settings) parse() (config.Config, error) {
	file, err := config.ParseFile(stackName+".yaml", s.yaml())
	if err != nil {
		return config.Config{}, err
	}
	return config.Parse(file.Typed())
}

// difference lists the keys that differ, for the script that repeats a walk.
func difference(from, to settings) string {
	var lines []string
	a, b := flat("", from), flat("", to)
	for _, key := range slices.Sorted(maps.Keys(b)) {
		if a[key] != b[key] {
			lines = append(lines, key+": "+shortened(b[key]))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(a)) {
		if _, there := b[key]; !there {
			lines = append(lines, key+" is taken away")
		}
	}
	return strings.Join(lines, ", ")
}

func flat(prefix string, s settings) map[string]string {
	out := map[string]string{}
	for key, v := range s {
		if below, ok := v.(settings); ok {
			maps.Copy(out, flat(prefix+key+".", below))
			continue
		}
		out[prefix+key] = fmt.Sprint(v)
	}
	return out
}

func shortened(text string) string {
	if len(text) > 100 {
		text = text[:100] + "…"
	}
	return strings.ReplaceAll(text, "\n", " ")
}
