// Package mutation proves the rules on real stacks: it breaks a stack in one place, and asks which
// rules notice. Exactly one must, the one that is named: a rule that stays silent guards nothing, and
// rules that all shout say nothing about where the fault is.
package mutation

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/morphee-app/morphee-infra/policy/rule"
	"github.com/morphee-app/morphee-infra/policy/ruletest"
)

// Mutant is one way to break a stack.
type Mutant struct {
	// Rule must notice it, and no other.
	Rule string
	// Type and Name (a pattern) find the resource; the first that has something at Path, or with New
	// the first at all.
	Type, Name string
	// Path is what is changed, Value what is put there; nil takes away what is there. In a path "?x" is
	// the element of a list that is called x (or is a text x=…), and "|" goes into a text of JSON. The
	// value "ref:TYPE NAME" stands for the id of a resource, "secret:TYPE NAME" for a secret of its
	// outputs, "same:PATH" for what else stands in the resource.
	Path  string
	Value any
	New   bool
	// Drop takes the resource out, Add puts one of the type in with Value as its inputs, Twin puts in
	// a copy under another name.
	Drop, Add, Twin bool
	// Unprotect takes the resource's protection away.
	Unprotect bool
	// Op is what an update is about to do with the resource: replace or delete.
	Op string
	// Cost is what the stack costs a month.
	Cost float64
}

// String says what the mutant does.
func (m Mutant) String() string {
	what := fmt.Sprintf("%s %s: ", m.Type[strings.LastIndex(m.Type, ":")+1:], m.Name)
	switch {
	case m.Cost > 0:
		return fmt.Sprintf("the stack costs %.0f USD", m.Cost)
	case m.Op != "":
		return what + m.Op
	case m.Drop:
		return what + "taken out"
	case m.Add:
		return what + "put in"
	case m.Unprotect:
		return what + "not protected"
	case m.Twin:
		return what + "there twice"
	}
	return fmt.Sprintf("%s%s = %v", what, m.Path, m.Value)
}

// Stack is a shipped stack, deployed.
type Stack struct {
	Name      string
	Resources []*rule.Resource
	Options   rule.Options
}

// Result is what became of one mutant.
type Result struct {
	Mutant
	// Stack is where it was tried; empty when no stack has such a resource.
	Stack string
	// Killed are the rules that noticed it.
	Killed []string
}

// OK says that exactly the named rule noticed.
func (r Result) OK() bool { return len(r.Killed) == 1 && r.Killed[0] == r.Rule }

// Try breaks the first stack that has what the mutant is about.
func Try(m Mutant, packs []rule.Pack, stacks []Stack, clean map[string]rule.Report) (Result, error) {
	for _, s := range stacks {
		list, options, ok := m.apply(s)
		if !ok {
			continue
		}
		if m.Op != "" {
			return m.step(packs, s)
		}
		report, err := rule.Evaluate(packs, list, options)
		if err != nil {
			return Result{}, err
		}
		before := map[string]bool{}
		for _, f := range clean[s.Name].Violations {
			before[f.Rule+f.URN+f.Message] = true
		}
		killed := map[string]bool{}
		for _, f := range report.Violations {
			if !before[f.Rule+f.URN+f.Message] {
				killed[f.Rule] = true
			}
		}
		return Result{Mutant: m, Stack: s.Name, Killed: slices.Sorted(maps.Keys(killed))}, nil
	}
	return Result{Mutant: m}, nil
}

func (m Mutant) step(packs []rule.Pack, s Stack) (Result, error) {
	r := m.find(s)
	report, err := rule.CheckSteps(packs, []rule.Step{{URN: r.URN, Type: r.Type, Name: r.Name, Op: m.Op}}, s.Options)
	if err != nil {
		return Result{}, err
	}
	out := Result{Mutant: m, Stack: s.Name}
	for _, f := range report.Violations {
		out.Killed = append(out.Killed, f.Rule)
	}
	return out, nil
}

// find finds the resource in a stack.
func (m Mutant) find(s Stack) *rule.Resource {
	for _, r := range s.Resources {
		if r.Type != m.Type || !rule.Glob(m.Name, r.Name) {
			continue
		}
		tree, path := r.Inputs, m.Path
		if rest, ok := strings.CutPrefix(path, "outputs."); ok {
			tree, path = r.Outputs, rest
		}
		found, ok := expand(tree, path)
		if m.New || m.Drop || m.Twin || m.Unprotect && r.Protect || m.Op != "" || m.Path != "" && ok && ruletest.Get(tree, found) != nil {
			return r
		}
	}
	return nil
}

// apply makes the broken stack; ok is false when the stack has nothing to break.
func (m Mutant) apply(s Stack) (list []*rule.Resource, options rule.Options, ok bool) {
	options = s.Options
	if m.Cost > 0 {
		options.MonthlyUSD = &m.Cost
		return s.Resources, options, true
	}
	value, ok := m.value(m.Value, s)
	if !ok {
		return nil, options, false
	}
	if m.Add {
		if m.Name != "" && !slices.ContainsFunc(s.Resources, func(r *rule.Resource) bool { return rule.Glob(m.Name, r.Name) }) {
			return nil, options, false // it belongs into another stack
		}
		added := &rule.Resource{URN: "urn:pulumi:" + s.Name + "::morphee::" + m.Type + "::mutant-secret", Type: m.Type, Name: "mutant-secret", ID: "mutant"}
		added.Inputs, _ = value.(map[string]any)
		added.Outputs = added.Inputs
		return append(slices.Clone(s.Resources), added), options, true
	}
	target := m.find(s)
	if target == nil {
		return nil, options, false
	}
	for _, r := range s.Resources {
		if r != target {
			list = append(list, r)
			continue
		}
		if m.Drop {
			continue
		}
		if m.Twin {
			list = append(list, r, twin(r))
			continue
		}
		broken := r.Clone()
		broken.Inputs, broken.Outputs = clone(r.Inputs), clone(r.Outputs)
		switch rest, output := strings.CutPrefix(m.Path, "outputs."); {
		case m.Unprotect:
			broken.Protect = false
		case output:
			ruletest.Set(broken.Outputs, rest, value)
		default:
			if text, ok := value.(string); ok && strings.HasPrefix(text, "same:") {
				value = ruletest.Get(broken.Inputs, strings.TrimPrefix(text, "same:"))
			}
			path, _ := expand(broken.Inputs, m.Path)
			ruletest.Set(broken.Inputs, path, value)
			// After an update the cloud has what was asked for.
			ruletest.Set(broken.Outputs, path, value)
		}
		list = append(list, broken)
	}
	return list, options, true
}

// value puts ids and secrets of the stack in place of what stands for them.
func (m Mutant) value(v any, s Stack) (any, bool) {
	switch v := v.(type) {
	case string:
		kind, rest, ok := strings.Cut(v, ":")
		if !ok || kind != "ref" && kind != "secret" {
			return v, true
		}
		token, name, _ := strings.Cut(rest, " ")
		for _, r := range s.Resources {
			if r.Type != token || !rule.Glob(name, r.Name) {
				continue
			}
			if kind == "ref" {
				return r.ID, true
			}
			secret := ""
			rule.Of(r.Outputs).Walk(func(v rule.Value) {
				if v.Secret() && len(v.Text()) > len(secret) {
					secret = v.Text()
				}
			})
			return secret, secret != ""
		}
		return nil, false
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			one, ok := m.value(e, s)
			if !ok {
				return nil, false
			}
			out[k] = one
		}
		return out, true
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			one, ok := m.value(e, s)
			if !ok {
				return nil, false
			}
			out[i] = one
		}
		return out, true
	}
	return v, true
}

// expand replaces "?x" in a path by the position of x in its list.
func expand(tree any, path string) (string, bool) {
	outer, inner, nested := strings.Cut(path, "|")
	where, ok := positions(tree, outer)
	if !nested || !ok {
		return where, ok
	}
	text, _ := ruletest.Get(tree, where).(string)
	var doc any
	if json.Unmarshal([]byte(text), &doc) != nil {
		return path, false
	}
	inside, ok := positions(doc, inner)
	return where + "|" + inside, ok
}

func positions(tree any, path string) (string, bool) {
	keys := strings.Split(path, ".")
	for i, key := range keys {
		name, search := strings.CutPrefix(key, "?")
		if search {
			list, _ := ruletest.Get(tree, strings.Join(keys[:i], ".")).([]any)
			if i == 0 {
				list, _ = tree.([]any)
			}
			at := slices.IndexFunc(list, func(e any) bool {
				one, _ := e.(map[string]any)
				text, _ := e.(string)
				return one["name"] == name || strings.HasPrefix(text, name+"=")
			})
			if at < 0 {
				return path, false
			}
			keys[i] = strconv.Itoa(at)
		}
	}
	return strings.Join(keys, "."), true
}

// twin is another resource just like it.
func twin(r *rule.Resource) *rule.Resource {
	out := r.Clone()
	out.URN, out.Name, out.ID = r.URN+"-twin", r.Name+"-twin", r.ID+"-twin"
	out.Inputs = clone(r.Inputs)
	if name, ok := out.Inputs["name"].(string); ok {
		out.Inputs["name"] = name + "-twin"
	}
	out.Outputs = out.Inputs
	return out
}

func clone(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	out, _ := copyTree(m).(map[string]any)
	return out
}

func copyTree(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = copyTree(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = copyTree(e)
		}
		return out
	}
	return v
}
