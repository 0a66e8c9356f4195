package ruletest

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

// Get finds a value in a tree by path. A "|" in the path goes into a text that holds JSON.
func Get(tree any, path string) any {
	outer, inner, nested := strings.Cut(path, "|")
	v := get(tree, outer)
	if !nested {
		return v
	}
	text, _ := v.(string)
	var doc any
	if json.Unmarshal([]byte(text), &doc) != nil {
		return nil
	}
	return get(doc, inner)
}

func get(tree any, path string) any {
	for _, key := range strings.Split(path, ".") {
		switch t := tree.(type) {
		case map[string]any:
			tree = t[strings.ReplaceAll(key, "~", ".")]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(t) {
				return nil
			}
			tree = t[i]
		default:
			return nil
		}
	}
	return tree
}

// Set puts a value at a path of a tree, making maps on the way; nil takes away what is there. A "~"
// in a key stands for a dot, a "|" goes into a text that holds JSON; an unknown or secret value there
// makes the whole text so.
func Set(tree map[string]any, path string, value any) {
	outer, inner, nested := strings.Cut(path, "|")
	if nested {
		text, _ := get(tree, outer).(string)
		var doc any
		if json.Unmarshal([]byte(text), &doc) != nil {
			doc = map[string]any{}
		}
		switch v := value.(type) {
		case rule.Unknown:
			Set(tree, outer, v)
			return
		case rule.Secret:
			put(doc, inner, v.V)
			data, _ := json.Marshal(doc)
			Set(tree, outer, rule.Secret{V: string(data)})
			return
		}
		put(doc, inner, value)
		data, _ := json.Marshal(doc)
		value, path = string(data), outer
	}
	put(tree, path, value)
}

func put(tree any, path string, value any) {
	keys := strings.Split(path, ".")
	for i, key := range keys {
		key = strings.ReplaceAll(key, "~", ".")
		last := i == len(keys)-1
		switch t := tree.(type) {
		case map[string]any:
			switch {
			case last && value == nil:
				delete(t, key)
			case last:
				t[key] = value
			default:
				if _, ok := t[key]; !ok {
					t[key] = map[string]any{}
				}
				tree = t[key]
			}
		case []any:
			n, err := strconv.Atoi(key)
			if err != nil || n >= len(t) {
				return
			}
			if last {
				t[n] = value
				return
			}
			tree = t[n]
		default:
			return
		}
	}
}
