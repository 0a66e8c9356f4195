package configdoc

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/morphee-app/morphee-infra/internal/config"
)

// generatedMark is the line of Pulumi.yaml from which on the file is generated.
const generatedMark = "# From here on generated from internal/config by go run ./cmd/gen-config-docs."

// ProjectFile returns Pulumi.yaml with its config section brought up to date. Everything above the
// mark is kept.
func ProjectFile(current string) (string, error) {
	model, err := Model()
	if err != nil {
		return "", err
	}
	head, _, found := strings.Cut(current, generatedMark)
	if !found {
		return "", fmt.Errorf("there is no line %q in Pulumi.yaml", generatedMark)
	}
	section := yaml.Node{Kind: yaml.MappingNode}
	for _, e := range model {
		var key, value yaml.Node
		key.SetString(config.Namespace + ":" + e.Key)
		if err := value.Encode(declaration(e)); err != nil {
			return "", err
		}
		section.Content = append(section.Content, &key, &value)
	}
	root := yaml.Node{Kind: yaml.MappingNode}
	var name yaml.Node
	name.SetString("config")
	root.Content = []*yaml.Node{&name, &section}
	return head + generatedMark + "\n" + encode(&root), nil
}

type projectKey struct {
	Type        string      `yaml:"type"`
	Items       *projectKey `yaml:"items,omitempty"`
	Description string      `yaml:"description,omitempty"`
}

// declaration is a key as Pulumi.yaml declares it. A key without a default is one that Pulumi asks
// every stack for, so that all but those have one, if only an empty one.
func declaration(e Entry) any {
	d := projectKey{Type: e.Type, Description: e.Doc}
	var fallback any
	switch e.Type {
	case "object", "map":
		d.Type = "object"
		fallback = map[string]any{}
	case "objects":
		d.Type, d.Items = "array", &projectKey{Type: "object"}
		fallback = []any{}
	case "string":
		fallback = ""
	}
	if e.Default != nil && e.Type != "object" && e.Type != "map" {
		fallback = e.Default
	}
	if e.Required == "always" {
		return d
	}
	var n yaml.Node
	_ = n.Encode(d)
	var key, value yaml.Node
	key.SetString("default")
	_ = value.Encode(fallback)
	n.Content = append(n.Content, &key, &value)
	return &n
}

// JSONSchema is the schema of stack files for editors.
func JSONSchema() (string, error) {
	model, err := Model()
	if err != nil {
		return "", err
	}
	properties := map[string]any{}
	var required []string
	for _, e := range model {
		properties[config.Namespace+":"+e.Key] = schemaOf(e)
		if e.Required == "always" {
			required = append(required, config.Namespace+":"+e.Key)
		}
	}
	schema := map[string]any{
		"$schema":     "http://json-schema.org/draft-07/schema#",
		"title":       "Stack file of the morphee project",
		"description": "Generated from internal/config by go run ./cmd/gen-config-docs.",
		"type":        "object",
		"required":    []string{"config"},
		"properties": map[string]any{"config": map[string]any{
			"type": "object", "properties": properties, "required": required,
			// Keys of the providers' namespaces, such as aws:profile, are not ours to judge.
			"patternProperties":    map[string]any{"^(?!" + config.Namespace + ":)[^:]+:": map[string]any{}},
			"additionalProperties": false,
		}},
		"definitions": map[string]any{"secure": map[string]any{
			"type": "object", "description": "An encrypted value.", "required": []string{"secure"},
			"properties": map[string]any{"secure": map[string]any{"type": "string"}}, "additionalProperties": false,
		}},
	}
	out, err := json.MarshalIndent(schema, "", "  ")
	return string(out) + "\n", err
}

var secure = map[string]any{"$ref": "#/definitions/secure"}

func schemaOf(e Entry) map[string]any {
	s := map[string]any{"description": e.Doc}
	switch e.Type {
	case "object":
		properties := map[string]any{}
		for _, c := range e.Children {
			properties[c.Key] = schemaOf(c)
		}
		s["type"], s["properties"], s["additionalProperties"] = "object", properties, false
		return s
	case "objects":
		properties, required := map[string]any{}, []string{}
		for _, c := range e.Children {
			properties[c.Key] = schemaOf(c)
			if c.Required == "always" {
				required = append(required, c.Key)
			}
		}
		s["type"], s["items"] = "array", map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
		number(s, "maxItems", e.Field.Tag.Get("max"))
		return s
	case "secret":
		return map[string]any{"description": e.Doc, "allOf": []any{secure}}
	case "secrets":
		s["type"], s["additionalProperties"] = "object", secure
		return s
	case "map":
		s["type"], s["additionalProperties"] = "object", map[string]any{"anyOf": []any{map[string]any{"type": "string"}, secure}}
		return s
	case "list":
		s["type"], s["uniqueItems"], s["items"] = "array", true, value(e, "string")
		number(s, "maxItems", e.Field.Tag.Get("max"))
		return s
	}
	one := value(e, e.Type)
	number(one, "minimum", e.Field.Tag.Get("min"))
	number(one, "maximum", e.Field.Tag.Get("max"))
	number(one, "multipleOf", e.Field.Tag.Get("step"))
	s["anyOf"] = []any{one, secure}
	if e.Default != nil {
		s["default"] = e.Default
	}
	return s
}

// value is the schema of a single value with its enumeration.
func value(e Entry, kind string) map[string]any {
	v := map[string]any{"type": kind}
	enum := e.Field.Tag.Get("enum")
	if enum == "" {
		return v
	}
	var words []any
	for _, w := range strings.Split(enum, "|") {
		if e.Field.Type.Kind() == reflect.Int {
			n, _ := strconv.Atoi(w)
			words = append(words, n)
			continue
		}
		words = append(words, w)
	}
	v["enum"] = words
	return v
}

func number(s map[string]any, key, text string) {
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		s[key] = n
	}
}
