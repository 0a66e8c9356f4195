// Package configdoc writes down what the types of package config say: the reference page, the
// schema in Pulumi.yaml, and the schema that editors use for stack files.
package configdoc

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/morphee-app/morphee-infra/internal/config"
)

// Entry is one key.
type Entry struct {
	Key      string // its own name
	Path     string // with the keys it is under
	Doc      string
	Type     string // string, integer, number, boolean, secret, list, map, secrets, object, objects
	Default  any    // what is in effect when it is absent; nil when there is nothing
	Derived  string
	Required string
	Unit     string
	Allowed  string
	Empty    string
	Replaces string
	Example  any
	Field    reflect.StructField
	Children []Entry
}

// Model returns the top-level keys with everything under them, in the order of the types.
func Model() ([]Entry, error) {
	comments, err := comments()
	if err != nil {
		return nil, err
	}
	return entries("", reflect.ValueOf(config.Defaults()), comments)
}

func entries(path string, rv reflect.Value, comments map[string]string) ([]Entry, error) {
	var out []Entry
	for _, f := range reflect.VisibleFields(rv.Type()) {
		e := Entry{Key: f.Tag.Get("key"), Field: f, Type: typeOf(f.Type), Derived: f.Tag.Get("derived"),
			Required: f.Tag.Get("required"), Unit: f.Tag.Get("unit"), Allowed: config.Allowed(f),
			Empty: f.Tag.Get("empty"), Replaces: f.Tag.Get("replaces")}
		e.Path = strings.TrimPrefix(path+"."+e.Key, ".")
		e.Doc = comments[rv.Type().Name()+"."+f.Name]
		if e.Doc == "" || e.Key == "" {
			return nil, fmt.Errorf("%s.%s: a configuration field needs a comment and a key tag", rv.Type().Name(), f.Name)
		}
		fv := rv.FieldByIndex(f.Index)
		if _, tagged := f.Tag.Lookup("default"); tagged || !fv.IsZero() {
			e.Default = fv.Interface()
		}
		if text := f.Tag.Get("example"); text != "" {
			if err := yaml.Unmarshal([]byte(text), &e.Example); err != nil {
				return nil, fmt.Errorf("example of %s: %w", e.Path, err)
			}
		}
		if e.Type == "object" {
			children, err := entries(e.Path, fv, comments)
			if err != nil {
				return nil, err
			}
			e.Children = children
		}
		if e.Type == "objects" {
			// An entry of its own, as it is with nothing but its defaults.
			one := config.DefaultsOf(fv.Type().Elem())
			children, err := entries(e.Path+"[]", one, comments)
			if err != nil {
				return nil, err
			}
			e.Children = children
		}
		out = append(out, e)
	}
	return out, nil
}

func typeOf(t reflect.Type) string {
	secret := reflect.TypeFor[config.Secret]()
	switch {
	case t == secret:
		return "secret"
	case t.Kind() == reflect.Map && t.Elem() == secret:
		return "secrets"
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return "objects"
	}
	return map[reflect.Kind]string{reflect.String: "string", reflect.Int: "integer", reflect.Float64: "number",
		reflect.Bool: "boolean", reflect.Slice: "list", reflect.Map: "map", reflect.Struct: "object"}[t.Kind()]
}

// comments reads the fields' comments, by Type.Field.
func comments() (map[string]string, error) {
	out := map[string]string{}
	files, err := config.Sources.ReadDir(".")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := config.Sources.ReadFile(file.Name())
		if err != nil {
			return nil, err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file.Name(), text, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok {
				for _, f := range s.Fields.List {
					for _, name := range f.Names {
						out[spec.Name.Name+"."+name.Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
					}
				}
			}
			return false
		})
	}
	return out, nil
}
