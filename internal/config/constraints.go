package config

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// constraints checks one value against its field's tags.
func (d *decoder) constraints(path string, f reflect.StructField, rv reflect.Value) {
	if rv.Kind() == reflect.String && rv.String() == "" {
		if !mayBeEmpty(f) {
			d.problem(path, Problem{Problem: "is empty", Allowed: Allowed(f), Mend: "leave it out for the default"})
		}
		return
	}
	text := fmt.Sprint(rv.Interface())
	bad := func(problem string, candidates []string) {
		d.problem(path, Problem{Value: d.show(path, rv.Interface()), Problem: problem, Allowed: Allowed(f), Suggestion: nearest(text, candidates)})
	}
	if enum := f.Tag.Get("enum"); enum != "" {
		if words := strings.Split(enum, "|"); !slices.Contains(words, text) {
			bad("is not one of the allowed values", words)
		}
		return
	}
	if format := f.Tag.Get("format"); format != "" {
		if formats[format].check(text) != "" {
			bad("is not "+formats[format].name, formats[format].words)
			return
		}
	}
	n, isNumber := numeric(rv)
	if !isNumber {
		return
	}
	low, hasLow := bound(f, "min")
	high, hasHigh := bound(f, "max")
	step, hasStep := bound(f, "step")
	switch {
	case hasLow && n < low:
		bad("is too small", nil)
	case hasHigh && n > high:
		bad("is too large", nil)
	case hasStep && math.Mod(n, step) != 0:
		bad("is not a multiple of "+trim(step), nil)
	}
}

// mayBeEmpty says whether an empty text stands for an absent one: where there is a default to fall
// back on it is rather a slip, unless the field gives the empty text a meaning of its own.
func mayBeEmpty(f reflect.StructField) bool {
	if f.Type != nil && f.Type.Kind() == reflect.Slice {
		return false
	}
	_, hasDefault := f.Tag.Lookup("default")
	_, means := f.Tag.Lookup("empty")
	return !hasDefault || means
}

// size checks the length of a list or map.
func (d *decoder) size(path string, f reflect.StructField, n int, what string) {
	if high, ok := bound(f, "max"); ok && n > int(high) {
		d.problem(path, Problem{Problem: fmt.Sprintf("has %d %s", n, what), Allowed: fmt.Sprintf("at most %d", int(high))})
	}
}

// Allowed says in words which values a field takes.
func Allowed(f reflect.StructField) string {
	if enum := f.Tag.Get("enum"); enum != "" {
		return strings.Join(strings.Split(enum, "|"), ", ")
	}
	var parts []string
	if format := f.Tag.Get("format"); format != "" && f.Type != nil && f.Type.Kind() != reflect.Map {
		parts = append(parts, formats[format].want)
	}
	if f.Type != nil && (f.Type.Kind() == reflect.Int || f.Type.Kind() == reflect.Float64) {
		low, hasLow := bound(f, "min")
		high, hasHigh := bound(f, "max")
		unit := f.Tag.Get("unit")
		if unit != "" {
			unit = " " + unit
		}
		switch {
		case hasLow && hasHigh:
			parts = append(parts, trim(low)+" to "+trim(high)+unit)
		case hasLow:
			parts = append(parts, trim(low)+unit+" or more")
		}
		if step, ok := bound(f, "step"); ok {
			parts = append(parts, "in steps of "+trim(step))
		}
	}
	if f.Type != nil && f.Type.Kind() == reflect.Bool {
		parts = append(parts, "true or false")
	}
	return strings.Join(parts, ", ")
}

func numeric(rv reflect.Value) (float64, bool) {
	switch rv.Kind() {
	case reflect.Int:
		return float64(rv.Int()), true
	case reflect.Float64:
		return rv.Float(), true
	}
	return 0, false
}

func bound(f reflect.StructField, tag string) (float64, bool) {
	text, ok := f.Tag.Lookup(tag)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic("config: tag " + tag + " of " + f.Name + " is not a number")
	}
	return n, true
}

func trim(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
