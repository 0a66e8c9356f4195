package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Hidden wraps a value that was encrypted in the stack file and has been opened. It is decoded
// like any other and never printed. It may be anywhere in a tree.
type Hidden struct{ Value any }

// Sealed is an encrypted value that has not been opened. A secret key takes it as present; another
// key keeps its default, and nothing is said about it.
type Sealed struct{ Ciphertext string }

// Parse decodes and validates one stack's values, by key without the namespace, as plain trees of
// strings, numbers, booleans, []any and map[string]any, with Hidden and Sealed where they were
// encrypted. The error, if any, is an Errors with every problem.
func Parse(values map[string]any) (Config, error) {
	d := &decoder{set: map[string]bool{}, sealed: map[string]bool{}, hidden: map[string]bool{}}
	c := Defaults()
	d.object("", reflect.ValueOf(&c).Elem(), values, false)
	derive(&c, d)
	check(&c, d)
	if errs := d.finish(); len(errs) > 0 {
		return Config{}, errs
	}
	return c, nil
}

// Defaults is what the tags say, before anything is derived from other values.
func Defaults() Config {
	var c Config
	fillDefaults(reflect.ValueOf(&c).Elem())
	return c
}

// Keys returns the top-level keys, without the namespace, in the order of the struct.
func Keys() []string {
	return fieldKeys(reflect.TypeFor[Config]())
}

// Scalar says whether a top-level key holds a single value rather than a list or a map.
func Scalar(key string) bool {
	f, ok := fieldOf(reflect.TypeFor[Config](), key)
	if !ok {
		return true
	}
	switch f.Type.Kind() {
	case reflect.Map, reflect.Slice:
		return false
	case reflect.Struct:
		return f.Type == secretType
	}
	return true
}

var secretType = reflect.TypeFor[Secret]()

type decoder struct {
	errs    Errors
	set     map[string]bool // paths given a value
	sealed  map[string]bool // paths whose value could not be opened
	hidden  map[string]bool // paths whose value must not be printed
	secrets []string        // the values themselves, for a last look at the messages
}

// problem is what the decoder and the rules report with; the key is without the namespace.
func (d *decoder) problem(path string, p Problem) {
	p.Key = Namespace + ":" + path
	if d.under(d.hidden, path) {
		p.Suggestion = ""
		if p.Value != "" {
			p.Value = masked
		}
	}
	d.errs = append(d.errs, p)
}

// show is a value as messages print it.
func (d *decoder) show(path string, v any) string {
	if d.under(d.hidden, path) {
		return masked
	}
	switch v := v.(type) {
	case string:
		return shorten(strconv.Quote(v))
	case Secret:
		return masked
	}
	return shorten(fmt.Sprint(v))
}

func shorten(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// under says whether path or anything that holds it is in the set.
func (d *decoder) under(set map[string]bool, path string) bool {
	for p := range set {
		if path == p || strings.HasPrefix(path, p) && (path[len(p)] == '.' || path[len(p)] == '[') {
			return true
		}
	}
	return false
}

func (d *decoder) finish() Errors {
	var out Errors
	seen := map[Problem]bool{}
	for _, p := range d.errs {
		if seen[p] || d.under(d.sealed, strings.TrimPrefix(p.Key, Namespace+":")) {
			continue
		}
		seen[p] = true
		for _, s := range d.secrets {
			for _, text := range []*string{&p.Key, &p.Value, &p.Problem, &p.Allowed, &p.Mend, &p.Suggestion} {
				*text = strings.ReplaceAll(*text, s, masked)
			}
		}
		out = append(out, p)
	}
	return out.sorted()
}

// unwrap takes Hidden off a value and remembers its path.
func (d *decoder) unwrap(path string, v any, hidden bool) (any, bool) {
	for {
		h, ok := v.(Hidden)
		if !ok {
			break
		}
		v, hidden = h.Value, true
	}
	if hidden {
		d.hidden[path] = true
		// Shorter strings would blot out ordinary words of the messages.
		if s, ok := v.(string); ok && len(s) >= 6 {
			d.secrets = append(d.secrets, s)
		}
	}
	return v, hidden
}

func (d *decoder) value(path string, f reflect.StructField, rv reflect.Value, raw any, hidden bool) {
	raw, hidden = d.unwrap(path, raw, hidden)
	if raw == nil {
		return
	}
	if _, ok := raw.(Sealed); ok {
		d.set[path] = true
		if rv.Type() == secretType {
			rv.Set(reflect.ValueOf(NewSecret("")))
			return
		}
		d.sealed[path] = true
		return
	}
	d.set[path] = true
	switch {
	case rv.Type() == secretType:
		d.secret(path, f, rv, raw, hidden)
	case rv.Kind() == reflect.Struct:
		d.object(path, rv, raw, hidden)
	case rv.Kind() == reflect.Slice:
		d.list(path, f, rv, raw, hidden)
	case rv.Kind() == reflect.Map:
		d.dictionary(path, f, rv, raw, hidden)
	default:
		d.scalar(path, f, rv, raw)
	}
}

func (d *decoder) object(path string, rv reflect.Value, raw any, hidden bool) {
	m, ok := asMap(raw)
	if !ok {
		// The value is not shown: the keys under it may be secrets.
		d.problem(path, Problem{Problem: "holds " + kindOf(raw) + " where several keys belong",
			Allowed: "a map with the keys " + strings.Join(fieldKeys(rv.Type()), ", ")})
		return
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		sub := join(path, k)
		f, ok := fieldOf(rv.Type(), k)
		if !ok {
			// The value is not shown: it may be a secret under a misspelt key.
			d.problem(sub, Problem{Problem: "is not a known key", Suggestion: nearest(k, fieldKeys(rv.Type())),
				Mend: "the keys are in docs/config.md"})
			continue
		}
		d.value(sub, f, rv.FieldByIndex(f.Index), m[k], hidden)
	}
}

func (d *decoder) list(path string, f reflect.StructField, rv reflect.Value, raw any, hidden bool) {
	items, ok := raw.([]any)
	if !ok {
		p := Problem{Problem: "holds " + kindOf(raw) + " where a list belongs", Allowed: "a list of texts", Mend: "write it as [a, b]"}
		if rv.Type().Elem().Kind() == reflect.Struct {
			p.Allowed, p.Mend = "a list of maps with the keys "+strings.Join(fieldKeys(rv.Type().Elem()), ", "), ""
		}
		d.problem(path, p)
		return
	}
	d.size(path, f, len(items), "entries")
	if rv.Type().Elem().Kind() == reflect.Struct {
		d.objects(path, rv, items, hidden)
		return
	}
	out := reflect.MakeSlice(rv.Type(), 0, len(items))
	seen := map[any]bool{}
	for i, item := range items {
		sub := fmt.Sprintf("%s[%d]", path, i)
		item, _ := d.unwrap(sub, item, hidden)
		if _, ok := item.(Sealed); ok {
			// One entry unknown leaves the whole list undecided.
			d.sealed[path] = true
			continue
		}
		e := reflect.New(rv.Type().Elem()).Elem()
		d.scalar(sub, f, e, item)
		if v := e.Interface(); !seen[v] {
			seen[v] = true
		} else if s, _ := v.(string); s != "" {
			d.problem(sub, Problem{Value: d.show(sub, v), Problem: "is in the list twice", Mend: "leave one out"})
		}
		out = reflect.Append(out, e)
	}
	rv.Set(out)
}

// objects decodes a list of maps, each complete with its defaults.
func (d *decoder) objects(path string, rv reflect.Value, items []any, hidden bool) {
	out := reflect.MakeSlice(rv.Type(), 0, len(items))
	for i, item := range items {
		sub := fmt.Sprintf("%s[%d]", path, i)
		item, hidden := d.unwrap(sub, item, hidden)
		if _, ok := item.(Sealed); ok {
			d.sealed[path] = true
			continue
		}
		d.set[sub] = true
		e := reflect.New(rv.Type().Elem()).Elem()
		fillDefaults(e)
		d.object(sub, e, item, hidden)
		_, isMap := asMap(item)
		for _, f := range reflect.VisibleFields(e.Type()) {
			if !isMap {
				break
			}
			if key := join(sub, f.Tag.Get("key")); f.Tag.Get("required") == "always" && !d.set[key] {
				d.problem(key, Problem{Problem: "is missing", Allowed: Allowed(f)})
			}
		}
		out = reflect.Append(out, e)
	}
	rv.Set(out)
}

func (d *decoder) dictionary(path string, f reflect.StructField, rv reflect.Value, raw any, hidden bool) {
	m, ok := asMap(raw)
	if !ok {
		d.problem(path, Problem{Problem: "holds " + kindOf(raw) + " where names with values belong", Allowed: "a map",
			Mend: "write it as {name: value}"})
		return
	}
	d.size(path, f, len(m), "entries")
	out := reflect.MakeMap(rv.Type())
	for _, k := range slices.Sorted(maps.Keys(m)) {
		sub := join(path, k)
		if format := f.Tag.Get("format"); format != "" {
			if want := formats[format].check(k); want != "" {
				d.problem(sub, Problem{Problem: "is not a valid name", Allowed: want})
			}
		}
		item, h := d.unwrap(sub, m[k], hidden)
		e := reflect.New(rv.Type().Elem()).Elem()
		switch {
		case e.Type() == secretType:
			if _, sealed := item.(Sealed); sealed {
				e.Set(reflect.ValueOf(NewSecret("")))
			} else {
				d.secret(sub, reflect.StructField{}, e, item, h)
			}
		default:
			if _, sealed := item.(Sealed); sealed {
				d.sealed[sub] = true
			} else {
				d.scalar(sub, reflect.StructField{}, e, item)
			}
		}
		out.SetMapIndex(reflect.ValueOf(k), e)
	}
	rv.Set(out)
}

func (d *decoder) secret(path string, f reflect.StructField, rv reflect.Value, raw any, hidden bool) {
	d.hidden[path] = true
	s, ok := raw.(string)
	if ok && len(s) >= 6 {
		d.secrets = append(d.secrets, s)
	}
	mend := fmt.Sprintf("set it with: pulumi config set --secret --path '%s:%s'", Namespace, path)
	switch {
	case !ok:
		d.problem(path, Problem{Problem: "holds " + kindOf(raw) + " where a secret text belongs", Allowed: "an encrypted text", Mend: mend})
		return
	case s == "":
		return // absent, as an empty text is everywhere
	case !hidden:
		d.problem(path, Problem{Value: masked, Problem: "is a secret but stands unencrypted in the configuration",
			Allowed: "an encrypted text", Mend: mend + ", and change the secret where it was made: it has been seen"})
		return
	}
	if format := f.Tag.Get("format"); format != "" {
		if want := formats[format].check(s); want != "" {
			d.problem(path, Problem{Value: masked, Problem: "is not " + formats[format].name, Allowed: want, Mend: mend})
		}
	}
	rv.Set(reflect.ValueOf(NewSecret(s)))
}

func (d *decoder) scalar(path string, f reflect.StructField, rv reflect.Value, raw any) {
	if !assign(rv, raw) {
		p := Problem{Value: d.show(path, raw), Problem: "is " + kindOf(raw) + " where " + wantOf(rv.Kind()) + " belongs", Allowed: Allowed(f)}
		switch {
		case raw == nil:
			p.Value, p.Problem = "", "is empty"
		case isContainer(raw):
			p.Value, p.Problem = "", "holds "+kindOf(raw)+" where "+wantOf(rv.Kind())+" belongs"
		case rv.Kind() == reflect.String:
			p.Mend = "write it in quotes"
		}
		d.problem(path, p)
		return
	}
	d.constraints(path, f, rv)
}

// DefaultsOf is an entry of a list of maps, with its defaults, for the documentation.
func DefaultsOf(t reflect.Type) reflect.Value {
	e := reflect.New(t).Elem()
	fillDefaults(e)
	return e
}

// fillDefaults sets every field to its default tag, the inner ones first, so that a struct's
// own default can say where it differs.
func fillDefaults(rv reflect.Value) {
	d := &decoder{set: map[string]bool{}, sealed: map[string]bool{}, hidden: map[string]bool{}}
	for _, f := range reflect.VisibleFields(rv.Type()) {
		fv := rv.FieldByIndex(f.Index)
		if fv.Kind() == reflect.Struct && fv.Type() != secretType {
			fillDefaults(fv)
		}
		if text, ok := f.Tag.Lookup("default"); ok {
			var raw any
			if err := yaml.Unmarshal([]byte(text), &raw); err != nil {
				panic(fmt.Sprintf("config: default of %s: %v", f.Name, err))
			}
			if s, ok := raw.(string); fv.Kind() == reflect.String && !ok {
				panic(fmt.Sprintf("config: default of %s: %q must be quoted", f.Name, s))
			}
			d.value(f.Name, f, fv, raw, false)
		}
	}
	if len(d.errs) > 0 {
		panic("config: the defaults are wrong: " + d.errs.Error())
	}
}

// fieldOf finds the field with the given key.
func fieldOf(t reflect.Type, key string) (reflect.StructField, bool) {
	for _, f := range reflect.VisibleFields(t) {
		if f.Tag.Get("key") == key {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

func fieldKeys(t reflect.Type) []string {
	var out []string
	for _, f := range reflect.VisibleFields(t) {
		out = append(out, f.Tag.Get("key"))
	}
	return out
}

// join is a key path as Pulumi writes it.
func join(path, key string) string {
	if strings.ContainsAny(key, ".[]\" ") || key == "" {
		return path + "[" + strconv.Quote(shorten(key)) + "]"
	}
	if path == "" {
		return shorten(key)
	}
	return path + "." + shorten(key)
}
