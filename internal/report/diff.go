package report

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/sim/facts"
)

// Diff compares two deployments of a stack. A resource that has got another id was replaced; the
// facts about the providers say which of the properties that differ forced it.
func Diff(before, after []deployment.Resource) ([]Change, int, error) {
	table, err := facts.Load()
	if err != nil {
		return nil, 0, err
	}
	old := map[string]deployment.Resource{}
	for _, r := range before {
		old[r.URN] = r
	}
	var out []Change
	same := 0
	for _, r := range after {
		was, ok := old[r.URN]
		delete(old, r.URN)
		c := Change{URN: r.URN, Type: r.Type, Name: r.Name, Op: "create"}
		if ok {
			c.Properties = differing(was.Inputs, r.Inputs)
			switch {
			case was.ID != r.ID:
				c.Op, c.Forces = "replace", forcing(table, r.Type, c.Properties)
			case len(c.Properties) > 0:
				c.Op = "update"
			default:
				same++
				continue
			}
		}
		out = append(out, c)
	}
	for _, urn := range slices.Sorted(maps.Keys(old)) {
		r := old[urn]
		out = append(out, Change{URN: r.URN, Type: r.Type, Name: r.Name, Op: "delete"})
	}
	return out, same, nil
}

// differing are the paths at which two trees differ. Only names of properties come out, never values.
func differing(a, b map[string]any) []string {
	var out []string
	walk("", a, b, &out)
	slices.Sort(out)
	return out
}

func walk(path string, a, b any, out *[]string) {
	am, aOK := a.(map[string]any)
	bm, bOK := b.(map[string]any)
	if aOK && bOK {
		keys := map[string]bool{}
		for k := range am {
			keys[k] = true
		}
		for k := range bm {
			keys[k] = true
		}
		for k := range keys {
			if path == "" && strings.HasPrefix(k, "__") {
				continue // the provider's own notes
			}
			walk(strings.TrimPrefix(path+"."+k, "."), am[k], bm[k], out)
		}
		return
	}
	al, aOK := a.([]any)
	bl, bOK := b.([]any)
	if aOK && bOK && len(al) == len(bl) {
		for i := range al {
			walk(fmt.Sprintf("%s[%d]", path, i), al[i], bl[i], out)
		}
		return
	}
	if !reflect.DeepEqual(a, b) {
		*out = append(*out, path)
	}
}

// forcing are the properties that force a replacement; all that differ when the type is not known.
func forcing(table *facts.Table, token string, paths []string) []string {
	schema, ok := table.Get(token)
	if !ok {
		return paths
	}
	var out []string
	for _, p := range paths {
		top, _, _ := strings.Cut(p, ".")
		top, _, _ = strings.Cut(top, "[")
		if in, ok := schema.Inputs[top]; ok && in.ForceNew {
			out = append(out, p)
		}
	}
	return out
}
