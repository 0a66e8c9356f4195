// Package ruletest tests rules by table: one case is a small stack that is good, the place in it that
// the rule is about, and a bad value for it. From that the package makes every situation that a rule
// must have an answer for: pass, fail, absent, unknown in a preview, and secret.
package ruletest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

// Case is one form of one rule.
type Case struct {
	Rule string
	Form string // when there are several: inline, separate, …
	// World is a good stack: one resource a line, "type name {inputs}". An id is "id:name", an ARN
	// "arn:name"; both may stand in inputs. A secret is {"!secret": value}. A line that begins with
	// "protected " is protected, one that begins with "outputs " has outputs instead of inputs.
	World string
	// At is the place that is changed, as "name path"; a path of "protect" is the option, and no path
	// is the whole resource, which is then only ever absent.
	At string
	// Bad is what must not stand there. With Add, resources are added instead.
	Bad any
	Add string
	// Absent and Unknown are the answers when nothing stands there, and when it is not known; "" is
	// violation, and undetermined.
	Absent, Unknown rule.Answer
	// Secret and BadSecret are the answers when the good and the bad value are Pulumi secrets; "" is
	// pass, and violation.
	Secret, BadSecret rule.Answer
	// Options of the evaluation.
	Options rule.Options
	// Good are further values that pass, BadToo further values that do not.
	Good, BadToo []any
}

// Run tests the pack's rules, and that none is without a case.
func Run(t *testing.T, pack rule.Pack, cases []Case) {
	t.Helper()
	seen := map[string]bool{}
	for _, c := range cases {
		if _, ok := pack.Rule(c.Rule); !ok {
			t.Errorf("there is no rule %s", c.Rule)
			continue
		}
		seen[c.Rule] = true
		name := c.Rule
		if c.Form != "" {
			name += "/" + c.Form
		}
		t.Run(name, func(t *testing.T) { c.run(t, pack) })
	}
	for _, r := range pack.Rules {
		if r.Steps == nil && !seen[r.ID] {
			t.Errorf("rule %s has no test case", r.ID)
		}
	}
}

func (c Case) run(t *testing.T, pack rule.Pack) {
	good := c.parse(t)
	if answer, looked := c.ask(t, pack, good); answer != rule.Pass || !looked {
		t.Fatalf("the good stack: got %s (looked: %v), want pass\n%s", answer, looked, c.explain(t, pack, good))
	}
	expect := func(what string, want rule.Answer, change func(w *world)) {
		t.Helper()
		w := c.parse(t)
		change(w)
		if got, _ := c.ask(t, pack, w); got != want {
			t.Errorf("%s: got %s, want %s\n%s", what, got, want, c.explain(t, pack, w))
		}
	}
	absent := or(c.Absent, rule.Violation)
	name, path, isPath := strings.Cut(c.At, " ")
	if c.Add != "" {
		expect("fail", rule.Violation, func(w *world) { w.add(t, c.Add) })
	}
	if !isPath {
		expect("absent", absent, func(w *world) { w.drop(name) })
		return
	}
	if path == "protect" {
		expect("fail", rule.Violation, func(w *world) { w.find(t, name).Protect = false })
		return
	}
	subject := good.find(t, name)
	value := Get(subject.Inputs, path)
	if rest, ok := strings.CutPrefix(path, "outputs."); ok {
		value = Get(subject.Outputs, rest)
	}
	if c.Add == "" {
		for _, bad := range append([]any{c.Bad}, c.BadToo...) {
			expect(fmt.Sprintf("fail with %v", bad), rule.Violation, func(w *world) { w.set(t, name, path, bad) })
		}
		expect("fail as a secret", or(c.BadSecret, rule.Violation), func(w *world) { w.set(t, name, path, rule.Secret{V: c.Bad}) })
	}
	for _, ok := range c.Good {
		expect(fmt.Sprintf("pass with %v", ok), rule.Pass, func(w *world) { w.set(t, name, path, ok) })
	}
	expect("absent", absent, func(w *world) { w.set(t, name, path, nil) })
	expect("unknown", or(c.Unknown, rule.Undetermined), func(w *world) {
		w.set(t, name, path, rule.Unknown{})
		for _, r := range w.list {
			r.PropertyDeps = nil
		}
	})
	expect("secret", or(c.Secret, rule.Pass), func(w *world) { w.set(t, name, path, rule.Secret{V: value}) })
	// What a property depends on is known even while the property is not.
	resolved := c.parse(t)
	resolved.set(t, name, path, rule.Unknown{})
	if got, _ := c.ask(t, pack, resolved); got == rule.Violation && c.Unknown != rule.Violation {
		t.Errorf("unknown with dependencies: got a violation\n%s", c.explain(t, pack, resolved))
	}
}

func or(a, b rule.Answer) rule.Answer {
	if a == "" {
		return b
	}
	return a
}

// ask runs the one rule over the stack.
func (c Case) ask(t *testing.T, pack rule.Pack, w *world) (answer rule.Answer, looked bool) {
	t.Helper()
	r, _ := pack.Rule(c.Rule)
	report, err := rule.Evaluate([]rule.Pack{{Name: pack.Name, Rules: []rule.Rule{r}}}, w.list, c.Options)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case len(report.Violations) > 0:
		return rule.Violation, true
	case len(report.Undetermined) > 0:
		return rule.Undetermined, true
	}
	return rule.Pass, report.Checks > 0
}

func (c Case) explain(t *testing.T, pack rule.Pack, w *world) string {
	r, _ := pack.Rule(c.Rule)
	report, _ := rule.Evaluate([]rule.Pack{{Name: pack.Name, Rules: []rule.Rule{r}}}, w.list, c.Options)
	var b strings.Builder
	for _, f := range append(report.Violations, report.Undetermined...) {
		fmt.Fprintf(&b, "  %s %s: %s\n", f.Answer, rule.NameOf(f.URN), f.Message)
	}
	return b.String()
}

type world struct{ list []*rule.Resource }

func (c Case) parse(t *testing.T) *world {
	t.Helper()
	w := &world{}
	w.add(t, "pulumi:pulumi:Stack stack {}\n"+c.World)
	return w
}

func (w *world) add(t *testing.T, text string) {
	t.Helper()
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		line, protected := strings.CutPrefix(line, "protected ")
		line, outputs := strings.CutPrefix(line, "outputs ")
		parts := strings.SplitN(line, " ", 3)
		if len(parts) != 3 {
			t.Fatalf("want type, name and inputs: %s", line)
		}
		r := &rule.Resource{Type: parts[0], Name: parts[1], ID: "id:" + parts[1], Protect: protected}
		r.URN = "urn:pulumi:prod::morphee::" + r.Type + "::" + r.Name
		if err := json.Unmarshal([]byte(parts[2]), &r.Inputs); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		r.Inputs, _ = secrets(r.Inputs).(map[string]any)
		r.Outputs = map[string]any{"id": r.ID, "arn": "arn:" + r.Name}
		if outputs {
			r.Outputs, r.Inputs = r.Inputs, nil
		}
		w.list = append(w.list, r)
	}
	w.depend()
}

// secrets makes Pulumi secrets of {"!secret": value}.
func secrets(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if inner, ok := v["!secret"]; ok {
			return rule.Secret{V: inner}
		}
		for k, e := range v {
			v[k] = secrets(e)
		}
	case []any:
		for i, e := range v {
			v[i] = secrets(e)
		}
	}
	return v
}

// depend tells of each property what it depends on, as the engine does.
func (w *world) depend() {
	for _, r := range w.list {
		r.PropertyDeps = map[string][]string{}
		for _, key := range rule.Of(r.Inputs).Keys() {
			rule.Of(r.Inputs).Key(key).Walk(func(v rule.Value) {
				for _, other := range w.list {
					if v.Text() == "id:"+other.Name || v.Text() == "arn:"+other.Name {
						r.PropertyDeps[key] = append(r.PropertyDeps[key], other.URN)
					}
				}
			})
		}
	}
}

func (w *world) find(t *testing.T, name string) *rule.Resource {
	t.Helper()
	for _, r := range w.list {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("there is no resource %s", name)
	return nil
}

func (w *world) drop(name string) {
	w.list = slices.DeleteFunc(w.list, func(r *rule.Resource) bool { return r.Name == name })
}

// set puts a value at a path; nil takes away what is there.
func (w *world) set(t *testing.T, name, path string, value any) {
	t.Helper()
	r := w.find(t, name)
	tree, where := r.Inputs, path
	if rest, ok := strings.CutPrefix(path, "outputs."); ok {
		tree, where = r.Outputs, rest
	}
	Set(tree, where, value)
	if s, ok := value.(string); ok && (strings.HasPrefix(s, "id:") || strings.HasPrefix(s, "arn:")) {
		w.depend()
	}
}
