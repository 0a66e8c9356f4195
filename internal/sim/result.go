package sim

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	pulumidisplay "github.com/pulumi/pulumi/pkg/v3/display"
	"github.com/pulumi/pulumi/pkg/v3/engine"
	pkgresource "github.com/pulumi/pulumi/pkg/v3/resource"
	"github.com/pulumi/pulumi/pkg/v3/resource/deploy"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/providers"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/provider"
)

// Result is what an operation did, in the form of `infra sim … --json`.
type Result struct {
	Simulated bool             `json:"simulated"` // always true
	Stack     string           `json:"stack"`
	Operation Operation        `json:"operation"`
	Changes   Changes          `json:"changes"`
	Resources []ResourceChange `json:"resources"` // what is not the same, by URN
	Policies  Policies         `json:"policies"`
	Outputs   map[string]any   `json:"outputs"`             // secrets are "[secret]", what is not known yet "[unknown]"
	Protected []string         `json:"protected,omitempty"` // what a destroy left because it is protected
	Refused   bool             `json:"refused,omitempty"`   // nothing ran, because of what would have happened

	// States are all resources, as a preview plans them or an up leaves them, for as long as Guard or
	// Inspect looks at the result. They are not the whole stack unless Whole.
	States []*pkgresource.State `json:"-"`
	Whole  bool                 `json:"-"`
	// Had are all resources as the state has them before, for as long and as far as States.
	Had []*pkgresource.State `json:"-"`

	// Log is what was done to the simulated clouds, in the order in which it was finished.
	Log []provider.Operation `json:"-"`

	DurationMs       int64    `json:"durationMs"`       // of the simulation
	EstimatedSeconds float64  `json:"estimatedSeconds"` // of the same operation on the real clouds
	Errors           []string `json:"errors"`
	Warnings         []string `json:"warnings,omitempty"`
}

// Changes counts resources by what happens to them.
type Changes struct {
	Create  int `json:"create"`
	Update  int `json:"update"`
	Replace int `json:"replace"`
	Delete  int `json:"delete"`
	Same    int `json:"same"`
}

// Any tells whether anything changes.
func (c Changes) Any() bool { return c.Create+c.Update+c.Replace+c.Delete > 0 }

// ResourceChange is one resource and what happens to it.
type ResourceChange struct {
	URN      string   `json:"urn"`
	Type     string   `json:"type"`
	Name     string   `json:"name"`
	Op       string   `json:"op"` // create, update, replace, delete, refresh, import, read
	Provider string   `json:"provider"`
	Diff     []string `json:"diff,omitempty"`     // the property paths that differ
	Replaces []string `json:"replaces,omitempty"` // those that force the replacement
	Failed   bool     `json:"failed,omitempty"`

	// Protected: it is, in the state, so that Pulumi refuses to delete or replace it.
	Protected bool `json:"-"`
	// Before and After are the inputs in the state and in the program, secrets hidden, of what is not created.
	Before, After map[string]any `json:"-"`
}

// Policies are the policy packs that ran and what they found.
type Policies struct {
	Packs        []string    `json:"packs"`
	Rules        int         `json:"rules,omitempty"`
	Checks       int         `json:"checks,omitempty"` // a rule on a resource is one
	Violations   []Violation `json:"violations"`
	Exceptions   []Violation `json:"exceptions"`   // violations that an exception accepts
	Undetermined []Violation `json:"undetermined"` // what could not be decided while values are unknown
}

// NoPolicies are those of an operation that ran none.
func NoPolicies() Policies {
	return Policies{Packs: []string{}, Violations: []Violation{}, Exceptions: []Violation{}, Undetermined: []Violation{}}
}

// Violation is one finding of a policy pack.
type Violation struct {
	Pack    string `json:"pack"`
	Policy  string `json:"policy"`
	Level   string `json:"level"` // mandatory or advisory
	URN     string `json:"urn"`
	Message string `json:"message"`
	Reason  string `json:"reason,omitempty"` // why an exception accepts it
	Until   string `json:"until,omitempty"`  // last day of the exception
}

// observed is what the engine's events told.
type observed struct {
	changes    map[string]*ResourceChange
	states     map[resource.URN]*pkgresource.State
	had        map[resource.URN]*pkgresource.State
	packs      map[string]bool
	violations []Violation
	errors     []string
	warnings   []string
	steps      []step
	outputs    resource.PropertyMap
}

func newObserved() *observed {
	return &observed{changes: map[string]*ResourceChange{}, states: map[resource.URN]*pkgresource.State{}, had: map[resource.URN]*pkgresource.State{}, packs: map[string]bool{}}
}

func (o *observed) add(e engine.Event) {
	switch p := e.Payload().(type) {
	case engine.ResourcePreEventPayload:
		o.keep(p.Metadata)
		if !p.Internal {
			o.step(p.Metadata)
		}
	case engine.ResourceOutputsEventPayload:
		o.keep(p.Metadata)
		o.done(p.Metadata)
	case engine.ResourceOperationFailedPayload:
		if c := o.changes[string(p.Metadata.URN)]; c != nil {
			c.Failed = true
		}
	case engine.PolicyViolationEventPayload:
		o.violations = append(o.violations, Violation{
			Pack: p.PolicyPackName, Policy: p.PolicyName, Level: string(p.EnforcementLevel),
			URN: string(p.ResourceURN), Message: plainText(p.Message),
		})
	case engine.PolicyLoadEventPayload:
	case engine.SummaryEventPayload:
		for name := range p.PolicyPacks {
			o.packs[strings.SplitN(name, "|", 2)[0]] = true
		}
	case engine.DiagEventPayload:
		if p.Ephemeral {
			return
		}
		text := strings.TrimPrefix(plainText(p.Message), "error: ")
		if p.URN != "" {
			text = p.URN.Name() + ": " + text
		}
		switch p.Severity {
		case diag.Error:
			o.errors = append(o.errors, text)
		case diag.Warning:
			o.warnings = append(o.warnings, text)
		}
	}
}

// keep notes the resource as the state has it, and as the program wants it. The event has a copy: before the step its inputs, after it
// the outputs too. What a refresh finds, and what is only read, is not the program's.
func (o *observed) keep(m engine.StepEventMetadata) {
	switch m.Op {
	case deploy.OpRead, deploy.OpReadReplacement, deploy.OpRefresh:
		return
	}
	if m.Old != nil {
		o.had[m.URN] = m.Old.State
	}
	if m.New != nil {
		o.states[m.URN] = m.New.State
	}
}

func plainText(s string) string {
	return strings.TrimSpace(colors.Never.Colorize(s))
}

// opNames are the engine's steps in our words. The parts of a replacement count as one.
var opNames = map[pulumidisplay.StepOp]string{
	deploy.OpCreate: "create", deploy.OpUpdate: "update", deploy.OpDelete: "delete",
	deploy.OpReplace: "replace", deploy.OpCreateReplacement: "replace", deploy.OpDeleteReplaced: "replace",
	deploy.OpRead: "read", deploy.OpReadReplacement: "read", deploy.OpRefresh: "refresh",
	deploy.OpImport: "import", deploy.OpImportReplacement: "import",
}

func (o *observed) step(m engine.StepEventMetadata) {
	op, ok := opNames[m.Op]
	if !ok {
		return
	}
	urn := string(m.URN)
	c := o.changes[urn]
	if c == nil {
		c = &ResourceChange{URN: urn, Type: string(m.Type), Name: m.URN.Name(), Op: op, Provider: providerName(m.Provider)}
		o.changes[urn] = c
	} else if op == "replace" {
		c.Op = op
	}
	c.compare(m)
	for path, d := range m.DetailedDiff {
		c.Diff = appendNew(c.Diff, path)
		if d.Kind.IsReplace() {
			c.Replaces = appendNew(c.Replaces, path)
		}
	}
	for _, k := range m.Diffs {
		if len(m.DetailedDiff) == 0 {
			c.Diff = appendNew(c.Diff, string(k))
		}
	}
	for _, k := range m.Keys {
		if len(c.Replaces) == 0 || len(m.DetailedDiff) == 0 {
			c.Replaces = appendNew(c.Replaces, string(k))
		}
	}
	kind := map[pulumidisplay.StepOp]string{
		deploy.OpCreate: "create", deploy.OpCreateReplacement: "create", deploy.OpUpdate: "update",
		deploy.OpDelete: "delete", deploy.OpDeleteReplaced: "delete",
	}[m.Op]
	if kind != "" && m.Res != nil && m.Res.Custom && m.Res.State != nil {
		s := step{urn: urn, typ: string(m.Type), kind: kind, inputs: m.Res.Inputs}
		_, deps := m.Res.State.GetAllDependencies()
		for _, d := range deps {
			s.needs = append(s.needs, string(d.URN))
		}
		o.steps = append(o.steps, s)
	}
}

// compare notes what the resource was in the state and what the program wants.
func (c *ResourceChange) compare(m engine.StepEventMetadata) {
	if m.Old == nil || c.Op == "create" {
		return
	}
	c.Protected = c.Protected || m.Old.Protect
	if c.Before == nil {
		c.Before, _ = visible(resource.NewProperty(m.Old.Inputs)).(map[string]any)
	}
	if c.After == nil && m.New != nil {
		c.After, _ = visible(resource.NewProperty(m.New.Inputs)).(map[string]any)
	}
}

// done looks at finished steps: a refresh knows only then what it found.
func (o *observed) done(m engine.StepEventMetadata) {
	if m.Type == resource.RootStackType && m.New != nil {
		o.outputs = m.New.Outputs
	}
	c := o.changes[string(m.URN)]
	if c == nil || c.Op != "refresh" {
		return
	}
	switch m.Op {
	case deploy.OpUpdate, deploy.OpDelete:
		c.Op = string(m.Op)
		for path := range m.DetailedDiff {
			c.Diff = appendNew(c.Diff, path)
		}
	default:
		delete(o.changes, string(m.URN))
	}
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	list = append(list, s)
	slices.Sort(list)
	return list
}

// providerName shortens a provider reference to its package.
func providerName(ref string) string {
	r, err := providers.ParseReference(ref)
	if err != nil {
		return "" // a component has no provider
	}
	return string(providers.GetProviderPackage(r.URN().Type()))
}

// keep lists the protected ones among what a destroy left.
func (r *Result) keep(snap *deploy.Snapshot, kept []resource.URN) {
	if len(kept) == 0 {
		return
	}
	for _, res := range snap.Resources {
		if res.Protect {
			r.Protected = append(r.Protected, string(res.URN))
		}
	}
	slices.Sort(r.Protected)
}

func (o *observed) result(op Operation, stack Stack, changes pulumidisplay.ResourceChanges) *Result {
	r := &Result{
		Simulated: true, Stack: stack.Name, Operation: op,
		Resources: []ResourceChange{}, Errors: []string{}, Outputs: map[string]any{},
		Policies: NoPolicies(),
	}
	r.Changes.Same = changes[deploy.OpSame]
	for _, c := range o.changes {
		switch c.Op {
		case "create", "import":
			r.Changes.Create++
		case "update":
			r.Changes.Update++
		case "replace":
			r.Changes.Replace++
		case "delete":
			r.Changes.Delete++
		}
		r.Resources = append(r.Resources, *c)
	}
	slices.SortFunc(r.Resources, func(a, b ResourceChange) int { return cmp.Compare(a.URN, b.URN) })
	r.States, r.Had = slices.Collect(maps.Values(o.states)), slices.Collect(maps.Values(o.had))
	for name := range o.packs {
		r.Policies.Packs = appendNew(r.Policies.Packs, name)
	}
	slices.SortFunc(o.violations, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.Pack, b.Pack), cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.URN, b.URN))
	})
	r.Policies.Violations = append(r.Policies.Violations, o.violations...)
	for k, v := range o.outputs {
		r.Outputs[string(k)] = visible(v)
	}
	r.Errors = append(r.Errors, o.errors...)
	r.Warnings = o.warnings
	return r
}

// finish adds what is known only at the end.
func (r *Result) finish(opErr, saved error, snap *deploy.Snapshot, start time.Time) {
	r.DurationMs, r.Whole = time.Since(start).Milliseconds(), opErr == nil
	if r.Operation != Preview {
		r.Outputs = outputs(snap)
	}
	for _, err := range []error{opErr, saved} {
		// What the engine reported as a diagnostic is there already, in more words.
		if err != nil && (len(r.Errors) == 0 || err == saved) {
			r.Errors = append(r.Errors, plainText(err.Error()))
		}
	}
}

// visible writes an output for people and JSON.
func visible(v resource.PropertyValue) any {
	switch {
	case v.IsSecret(), v.IsOutput() && v.OutputValue().Secret:
		return "[secret]"
	case v.IsComputed(), v.IsOutput() && !v.OutputValue().Known:
		return "[unknown]"
	case v.IsOutput():
		return visible(v.OutputValue().Element)
	case v.IsArray():
		out := []any{}
		for _, e := range v.ArrayValue() {
			out = append(out, visible(e))
		}
		return out
	case v.IsObject():
		out := map[string]any{}
		for k, e := range v.ObjectValue() {
			out[string(k)] = visible(e)
		}
		return out
	case v.IsNull():
		return nil
	}
	return cloud.Plain(v.V)
}
