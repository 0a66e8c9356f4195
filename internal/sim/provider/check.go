package provider

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/facts"
)

// checker refuses what the provider's schema refuses, with the provider's own kind of message.
type checker struct {
	in       cloud.Object // the whole resource, for references between properties
	failures []cloud.Failure
}

func (c *checker) fail(path, format string, args ...any) {
	c.failures = append(c.failures, cloud.Failure{Property: path, Reason: fmt.Sprintf(format, args...)})
}

// object checks one object against its properties and returns it with values coerced to their type.
func (c *checker) object(path string, in cloud.Object, props map[string]*facts.Property) cloud.Object {
	out := make(cloud.Object, len(in))
	for _, name := range in.Keys() {
		at := join(path, name)
		p := props[name]
		if p == nil {
			c.fail(at, "Unsupported argument: there is no input %q%s", name, suggestion(name, props))
			continue
		}
		out[name] = c.value(at, in[name], p)
	}
	first := len(c.failures)
	for name, p := range props {
		present := in[name] != nil
		if p.Required && !present && p.Default == nil {
			c.fail(join(path, name), "Missing required argument: the argument %q is required, but no definition was found", name)
		}
		c.relations(join(path, name), name, p, present)
	}
	slices.SortStableFunc(c.failures[first:], func(a, b cloud.Failure) int { return strings.Compare(a.Property, b.Property) })
	return out
}

// relations checks conflictsWith, exactlyOneOf, atLeastOneOf and requiredWith. The facts give the
// other properties as dotted paths from the resource's top.
func (c *checker) relations(at, name string, p *facts.Property, present bool) {
	if present {
		for _, other := range p.ConflictsWith {
			if other != at && c.in.Has(other) {
				c.fail(at, "Conflicting configuration arguments: %q conflicts with %s", name, other)
			}
		}
		for _, other := range p.RequiredWith {
			if other != at && !c.in.Has(other) {
				c.fail(at, "Missing required argument: %q must be set together with %s", name, other)
			}
		}
	}
	count := func(list []string) (n int) {
		for _, other := range list {
			if c.in.Has(other) {
				n++
			}
		}
		return n
	}
	// A group is reported once, at its first property.
	first := func(list []string) bool {
		sorted := slices.Clone(list)
		sort.Strings(sorted)
		return len(sorted) > 0 && sorted[0] == at
	}
	if list := p.ExactlyOneOf; first(list) {
		if n := count(list); n != 1 {
			c.fail(at, "Invalid combination of arguments: exactly one of %s must be set, got %d", strings.Join(list, ", "), n)
		}
	}
	if list := p.AtLeastOneOf; first(list) && count(list) == 0 {
		c.fail(at, "Missing required argument: at least one of %s must be set", strings.Join(list, ", "))
	}
}

// value checks one value and coerces it the way providers do ("8080" for a number, "true" for a boolean).
func (c *checker) value(at string, v any, p *facts.Property) any {
	if cloud.IsUnknown(v) || v == nil {
		return v
	}
	switch p.Type {
	case "string":
		return c.text(at, v, p)
	case "integer", "number":
		return c.number(at, v, p)
	case "boolean":
		switch b := v.(type) {
		case bool:
			return b
		case string:
			if b == "true" || b == "false" {
				return b == "true"
			}
		}
		c.fail(at, "Incorrect attribute value type: got %s, a boolean is required", describe(v))
	case "array":
		return c.array(at, v, p)
	case "map":
		m, ok := v.(cloud.Object)
		if !ok {
			c.fail(at, "Incorrect attribute value type: got %s, a map is required", describe(v))
			return v
		}
		out := make(cloud.Object, len(m))
		for _, k := range m.Keys() {
			out[k] = c.item(at+"."+k, m[k], p)
		}
		return out
	case "object":
		m, ok := v.(cloud.Object)
		if !ok {
			c.fail(at, "Incorrect attribute value type: got %s, an object is required", describe(v))
			return v
		}
		if p.Truncated || p.Properties == nil {
			return m
		}
		return c.object(at, m, p.Properties)
	}
	return v
}

func (c *checker) text(at string, v any, p *facts.Property) any {
	switch v.(type) {
	case string, float64, bool:
	case cloud.Object:
		if p.AcceptsObject {
			return v
		}
		c.fail(at, "Incorrect attribute value type: got an object, a string is required")
		return v
	default:
		c.fail(at, "Incorrect attribute value type: got %s, a string is required", describe(v))
		return v
	}
	s := cloud.Text(v)
	if p.MinLength != nil && len(s) < *p.MinLength {
		c.fail(at, "expected length to be at least %d, got %d", *p.MinLength, len(s))
	}
	if p.MaxLength != nil && *p.MaxLength > 0 && len(s) > *p.MaxLength {
		c.fail(at, "expected length to be at most %d, got %d", *p.MaxLength, len(s))
	}
	return s
}

func (c *checker) number(at string, v any, p *facts.Property) any {
	var n float64
	switch x := v.(type) {
	case float64:
		n = x
	case string:
		f, err := strconv.ParseFloat(x, 64)
		if err != nil {
			c.fail(at, "Incorrect attribute value type: got a string, a number is required")
			return v
		}
		n = f
	default:
		c.fail(at, "Incorrect attribute value type: got %s, a number is required", describe(v))
		return v
	}
	if p.Type == "integer" && n != float64(int64(n)) {
		c.fail(at, "Incorrect attribute value type: got %v, a whole number is required", n)
	}
	if p.Min != nil && n < *p.Min {
		c.fail(at, "expected to be at least %v, got %v", *p.Min, n)
	}
	if p.Max != nil && n > *p.Max {
		c.fail(at, "expected to be at most %v, got %v", *p.Max, n)
	}
	return n
}

func (c *checker) array(at string, v any, p *facts.Property) any {
	list, ok := v.([]any)
	if !ok {
		c.fail(at, "Incorrect attribute value type: got %s, a list is required", describe(v))
		return v
	}
	if p.MaxItems > 0 && len(list) > p.MaxItems && !outgrown(p) {
		c.fail(at, "Too many list items: at most %d, got %d", p.MaxItems, len(list))
	}
	if len(list) < p.MinItems {
		c.fail(at, "Not enough list items: at least %d, got %d", p.MinItems, len(list))
	}
	out := make([]any, 0, len(list))
	for i, e := range list {
		out = append(out, c.item(fmt.Sprintf("%s[%d]", at, i), e, p))
	}
	return out
}

// outgrown tells that the elements have inputs which the provider version that the limits were read
// from did not know yet: then the limit on their number is not to be trusted either.
func outgrown(p *facts.Property) bool {
	for _, q := range p.Properties {
		if q.Unverified {
			return true
		}
	}
	return false
}

func (c *checker) item(at string, v any, p *facts.Property) any {
	if p.ItemType == "" {
		return v
	}
	element := facts.Property{Type: p.ItemType, Properties: p.Properties, Truncated: p.Truncated}
	return c.value(at, v, &element)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// describe names the kind of a value without showing it: it may be a secret.
func describe(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case float64:
		return "a number"
	case bool:
		return "a boolean"
	case []any:
		return "a list"
	case cloud.Object:
		return "an object"
	}
	return "null"
}

// suggestion offers the nearest property name, when there is a near one.
func suggestion(name string, props map[string]*facts.Property) string {
	best, distance := "", 1+len(name)/3
	names := make([]string, 0, len(props))
	for n := range props {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		if d := editDistance(name, n); d <= distance && d < len(n) {
			best, distance = n, d-1
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(row[j]+1, row[j-1]+1, cost)
		}
	}
	return row[len(b)]
}
