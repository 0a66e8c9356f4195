// Package cloud is the language in which the simulator's knowledge of the clouds is written: one
// small file per resource type, on top of what provider-facts.json already says about its schema.
//
// The schema layer (package provider) has already refused unknown, missing, wrongly typed and
// conflicting inputs, filled in defaults and automatic names, and decides what replaces. A Type adds
// what no schema says: the rules whose violation fails a real deployment, and what the cloud computes.
package cloud

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Type is what the simulator knows of one resource type beyond its schema. Every field but Token
// may be left out; a type without any rule still works from its schema alone.
type Type struct {
	// Token is the Pulumi type, such as "hcloud:index/server:Server".
	Token string

	// Check holds the checks that the real provider makes without calling the cloud. It runs in
	// preview too, with Unknown where a value is not known yet. Report with c.Fail.
	Check func(c *CheckCall)

	// Create makes the resource. c.Out already has the inputs and a plausible value for every
	// computed output; the rule corrects those that matter and sets c.ID where the cloud has its
	// own form of id. An error is the cloud's refusal, and leaves no trace in the world.
	Create func(c *Call) error

	// Update changes the resource. c.Old has the inputs before, c.Out the outputs before with the
	// new inputs laid over.
	Update func(c *Call) error

	// Delete is asked before the resource goes; an error refuses (deletion protection, not empty).
	Delete func(c *Call) error

	// Read may refresh what the cloud changes by itself. It runs on refresh and import. Returning ErrGone
	// says that the resource went with another one. What it sets in c.In is what the provider reads back
	// into the inputs.
	Read func(c *Call) error

	// InUse lists the references that keep the cloud from deleting this resource while they exist.
	InUse []Ref

	// Replaces names the inputs whose change from old to new replaces the resource although the
	// schema does not say so (the provider's plan-time logic). Values may be Unknown.
	Replaces func(old, new Object) []string

	// Recomputed names the outputs that a preview cannot know once any of the given inputs change.
	// The key "*" stands for any change at all.
	Recomputed map[string][]string

	// SecretOutputs are outputs that are secret although the schema does not mark them.
	SecretOutputs []string

	// Same tells that two values of a property mean the same to the provider, so that a difference
	// in writing (JSON, letter case, order) is no change. Only asked when they differ.
	Same func(property string, old, new any) bool

	// Local resources exist in Pulumi's state only (random, tls): nothing of them is in the world,
	// and refresh finds them unchanged.
	Local bool

	// Takes are typical real durations, for the estimated time to deploy.
	Takes Durations

	// Waits is the typical duration of a creation that depends on the inputs; zero means Takes.
	Waits func(in Object) time.Duration
}

// Durations are how long the real cloud typically takes. Zero means the package's default.
type Durations struct{ Create, Update, Delete time.Duration }

// Ref is a property of another type that refers to this resource.
type Ref struct {
	Type  string // the referring type
	Path  string // dotted path of the reference in its inputs; "*" for every element of an array
	By    string // the output of this resource that is referred to; "" is its id
	Error func(self, by *Resource) error
}

// Package is one simulated provider.
type Package struct {
	Name  string
	Types []Type

	// Scope is the part of the world that a provider configured so works in: the region of an AWS
	// provider, the host of a Docker provider. Names are unique, and ids found, within a scope.
	Scope func(config Object) string

	// Replaces names the settings of the provider whose change replaces it, and with it everything
	// that it made.
	Replaces []string

	// CheckConfig reports what is wrong with the provider's configuration.
	CheckConfig func(c *CheckCall)

	// Existing is what the cloud has before any stack. It joins the world once and stays; a copy that the
	// world has already is left as it is.
	Existing []Resource

	// Functions answers invokes, by token ("cloudflare:index/getZone:getZone").
	Functions map[string]Function

	// Takes are the durations of types that give none.
	Takes Durations
}

// Function answers one invoke. It may look at the world; what it does not find is an error, as it
// is in the real provider.
type Function func(c *InvokeCall) (Object, error)

// CheckCall is what a Check sees.
type CheckCall struct {
	URN, Name, Type string
	Config          Object // the provider's configuration
	In              Object // inputs with defaults and automatic names; Unknown where not known
	Old             Object // inputs before; nil for what is to be created, in place of another too
	Failures        []Failure
}

// Failure is one refused input.
type Failure struct{ Property, Reason string }

// Fail refuses the property: what it got, what is allowed, how to mend.
func (c *CheckCall) Fail(property, format string, args ...any) {
	c.Failures = append(c.Failures, Failure{property, fmt.Sprintf(format, args...)})
}

// Call is what Create, Update, Delete and Read see. The world is locked for the whole call.
type Call struct {
	URN, Name, Type string
	Config          Object // the provider's configuration
	Scope           string
	ID              string // filled with a generated id on Create; may be set there
	In              Object // new inputs, all known
	Old             Object // inputs before (Update, Delete, Read)
	Out             Object // outputs; see Type.Create and Type.Update
	World           *World
	Gen             Gen // deterministic identifiers for this very creation
	Warnings        []string
}

// InvokeCall is what a Function sees.
type InvokeCall struct {
	Token  string
	Config Object
	Scope  string
	In     Object
	World  *World
	Gen    Gen
}

// Find returns the resource of the type with that id (or ARN, where the type has one) in this call's scope.
func (c *Call) Find(typ, id string) *Resource { return c.World.Find(c.Scope, typ, id) }

// All returns all resources of the type in this call's scope, but the called one itself.
func (c *Call) All(typ string) []*Resource { return without(c.World.All(c.Scope, typ), c.Type, c.ID) }

// Everywhere returns all resources of the type in every scope, but the called one itself.
func (c *Call) Everywhere(typ string) []*Resource {
	return without(c.World.All("", typ), c.Type, c.ID)
}

// Clash returns another live resource of the same type and scope whose property has this value.
// The property's value is compared as it is; an absent or empty value never clashes.
func (c *Call) Clash(property string) *Resource {
	want := c.In.Get(property)
	if want == nil || want == "" {
		return nil
	}
	for _, r := range c.All(c.Type) {
		if Equal(r.Out.Get(property), want) {
			return r
		}
	}
	return nil
}

// Warn adds a warning to the operation's output.
func (c *Call) Warn(format string, args ...any) {
	c.Warnings = append(c.Warnings, fmt.Sprintf(format, args...))
}

func without(list []*Resource, typ, id string) []*Resource {
	out := list[:0:0]
	for _, r := range list {
		if r.Type != typ || r.ID != id {
			out = append(out, r)
		}
	}
	return out
}

// Error is a cloud's refusal, in the cloud's own words.
type Error struct {
	Code    string // the API's error code, such as "uniqueness_error"
	Message string
}

func (e *Error) Error() string {
	if e.Code == "" || strings.Contains(e.Message, e.Code) {
		return e.Message
	}
	return fmt.Sprintf("%s (%s)", e.Message, e.Code)
}

// ErrGone is what Read returns when the cloud took the resource away together with another one, as an
// attachment goes with what it was attached to.
var ErrGone = errors.New("the resource does not exist any more")

// Refuse builds an Error.
func Refuse(code, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
