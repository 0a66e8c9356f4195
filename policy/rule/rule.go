// Package rule is the library that the policy packs are made of. A rule gives one of three
// answers: pass, violation, or undetermined when a value it needs is not known yet. It never takes
// silence for a pass: every read says whether the value is known, and what could not be decided is
// counted and listed.
//
// The package knows neither Pulumi's engine nor any provider: package serve offers a pack to the
// ordinary CLI, package inprocess to an engine in this process, and Evaluate runs packs over a
// finished deployment.
package rule

import (
	"fmt"
	"slices"
	"strings"
)

// Level says what a violation does.
type Level string

// The levels.
const (
	Mandatory Level = "mandatory" // stops the deployment, and the merge
	Advisory  Level = "advisory"  // is reported
	Disabled  Level = "disabled"  // by policy configuration only
)

// Rule is one policy.
type Rule struct {
	ID     string   // stable; the name in reports and exceptions
	Title  string   // what must hold, in one sentence
	Level  Level    // unless the policy configuration says otherwise
	Reason string   // why
	Mend   string   // how to mend a violation
	Refs   []string // ids of the same rule elsewhere: T Trivy AWS-, C Checkov CKV_AWS_, C2 CKV2_AWS_, N cdk-nag, K KICS, DS Dockle/Trivy

	Settings []Setting // thresholds that are a choice

	// Types are the resource types that Check looks at; none means all.
	Types []string
	// Check looks at the inputs of one resource, before it is made or changed.
	Check func(*Check)
	// Graph looks at the whole stack.
	Graph func(*Graph)
	// Steps looks at what an update is about to do; see CheckSteps.
	Steps func(*StepCheck)
}

// Setting is a threshold that the policy configuration can change.
type Setting struct {
	Name, Description string
	Default           any // float64, string, bool or []string
	Min               float64
}

// Schema is the setting's JSON schema.
func (s Setting) Schema() map[string]any {
	m := map[string]any{"description": s.Description}
	switch d := s.Default.(type) {
	case float64:
		m["type"], m["default"], m["minimum"] = "number", d, s.Min
	case bool:
		m["type"], m["default"] = "boolean", d
	case string:
		m["type"], m["default"] = "string", d
	case []string:
		list := make([]any, len(d))
		for i, e := range d {
			list[i] = e
		}
		m["type"], m["items"], m["default"] = "array", map[string]any{"type": "string"}, list
	}
	return m
}

// Pack is a set of rules that is loaded together.
type Pack struct {
	Name, Title string
	Rules       []Rule
}

// Version of the packs, as they tell it to the engine.
const Version = "1.0.0"

// Rule finds a rule by its id.
func (p Pack) Rule(id string) (Rule, bool) {
	for _, r := range p.Rules {
		if r.ID == id {
			return r, true
		}
	}
	return Rule{}, false
}

// Answer is what a rule says of one resource.
type Answer string

// The answers.
const (
	Pass         Answer = "pass"
	Violation    Answer = "violation"
	Undetermined Answer = "undetermined"
)

// Finding is a violation, or something undetermined.
type Finding struct {
	Pack    string `json:"pack"`
	Rule    string `json:"policy"`
	Level   Level  `json:"level"`
	Answer  Answer `json:"answer"`
	URN     string `json:"urn"`
	Message string `json:"message"`
	// Exception is why a violation is accepted; nil for what is not.
	Exception *Exception `json:"exception,omitempty"`
}

// context is what every kind of check has.
type context struct {
	rule    *Rule
	options *Options
	emit    func(urn string, a Answer, message string, e *Exception)
}

// Options are the circumstances of the evaluation.
func (c *context) Options() *Options { return c.options }

func (c *context) setting(name string) any {
	if v, ok := c.options.Settings[c.rule.ID][name]; ok {
		return v
	}
	for _, s := range c.rule.Settings {
		if s.Name == name {
			return s.Default
		}
	}
	panic(fmt.Sprintf("rule %s has no setting %q", c.rule.ID, name))
}

// Number is a setting.
func (c *context) Number(name string) float64 {
	switch v := c.setting(name).(type) {
	case float64:
		return v
	case int:
		return float64(v)
	}
	return 0
}

// Strings is a setting.
func (c *context) Strings(name string) []string {
	switch v := c.setting(name).(type) {
	case []string:
		return v
	case []any:
		var out []string
		for _, e := range v {
			out = append(out, fmt.Sprint(e))
		}
		return out
	}
	return nil
}

// Check is the look of a rule at one resource.
type Check struct {
	context
	*Resource
}

// Violate reports a violation.
func (c *Check) Violate(format string, args ...any) {
	c.emit(c.URN, Violation, fmt.Sprintf(format, args...), nil)
}

// Undecided reports that the value is not known yet.
func (c *Check) Undecided(v Value) { c.emit(c.URN, Undetermined, v.Path(), nil) }

// True wants the input to be true. Absent is not true.
func (c *Check) True(path, why string) { c.Want(c.In(path), Value.True, why) }

// False wants the input not to be true. Absent is false.
func (c *Check) False(path, why string) {
	c.Want(c.In(path), func(v Value) bool { return !v.True() }, why)
}

// Set wants the input to be there, and not empty.
func (c *Check) Set(path, why string) {
	c.Want(c.In(path), func(v Value) bool { return !v.Empty() }, why)
}

// OneOf wants the input to be one of the texts. A first text of "" lets it be absent.
func (c *Check) OneOf(path, why string, allowed ...string) {
	c.Want(c.In(path), func(v Value) bool { return slices.Contains(allowed, v.Text()) }, why)
}

// AtLeast wants the input to be a number not below n. Absent is below.
func (c *Check) AtLeast(path string, n float64, why string) {
	c.Want(c.In(path), func(v Value) bool { got, ok := v.Number(); return ok && got >= n }, why)
}

// Want reports a violation unless the value is good, and nothing is decided while it is unknown.
func (c *Check) Want(v Value, good func(Value) bool, why string) {
	switch {
	case v.Unknown():
		c.Undecided(v)
	case !good(v):
		c.Violate("%s: %s is %s", why, v.Path(), v.Show())
	}
}

// Each visits the elements of a list; while the list or an element is unknown that much is undecided.
func (c *Check) Each(v Value, visit func(Value)) {
	if v.Unknown() {
		c.Undecided(v)
		return
	}
	for _, e := range v.List() {
		switch {
		case e.Unknown():
			c.Undecided(e)
		case !e.Absent():
			visit(e)
		}
	}
}

// Glob matches a text against a pattern in which * stands for any text.
func Glob(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	if !strings.HasPrefix(text, parts[0]) {
		return false
	}
	text = text[len(parts[0]):]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(text, p)
		if i < 0 {
			return false
		}
		text = text[i+len(p):]
	}
	return strings.HasSuffix(text, parts[len(parts)-1])
}
