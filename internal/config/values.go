package config

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// assign sets rv from raw, without rounding or guessing. Numbers and booleans may be texts, since
// that is how the ordinary CLI hands over a single value.
func assign(rv reflect.Value, raw any) bool {
	switch rv.Kind() {
	case reflect.String:
		s, ok := raw.(string)
		if ok {
			rv.SetString(s)
		}
		return ok
	case reflect.Bool:
		b, ok := raw.(bool)
		if s, isText := raw.(string); isText {
			b, ok = s == "true", s == "true" || s == "false"
		}
		if ok {
			rv.SetBool(b)
		}
		return ok
	}
	n, ok := number(raw)
	if !ok {
		return false
	}
	if rv.Kind() == reflect.Int {
		if n != math.Trunc(n) || math.Abs(n) > 1<<53 {
			return false
		}
		rv.SetInt(int64(n))
		return true
	}
	rv.SetFloat(n)
	return true
}

func number(raw any) (float64, bool) {
	switch v := raw.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	case json.Number:
		return number(v.String())
	case string:
		// No hexadecimal, no underscores, no infinities: those are typing errors here.
		if v == "" || strings.Trim(v, "0123456789.-") != "" {
			return 0, false
		}
		n, err := strconv.ParseFloat(v, 64)
		return n, err == nil
	}
	return 0, false
}

// asMap takes the two kinds of map that decoders of YAML and JSON make.
func asMap(raw any) (map[string]any, bool) {
	switch m := raw.(type) {
	case map[string]any:
		return m, true
	case map[any]any:
		out := map[string]any{}
		for k, v := range m {
			out[fmt.Sprint(k)] = v
		}
		return out, true
	}
	return nil, false
}

func isContainer(raw any) bool {
	switch raw.(type) {
	case []any, map[string]any, map[any]any:
		return true
	}
	return false
}

func kindOf(raw any) string {
	switch v := raw.(type) {
	case nil:
		return "nothing"
	case string:
		return "a text"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any, map[any]any:
		return "a map"
	case float64, json.Number:
		if n, ok := number(v); ok && n != math.Trunc(n) {
			return "a fraction"
		}
		return "a number"
	case int, int64, uint64:
		return "a number"
	}
	return "something else"
}

func wantOf(k reflect.Kind) string {
	switch k {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	}
	return "a text"
}
