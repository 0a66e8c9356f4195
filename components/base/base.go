// Package base holds the few conventions that every component shares: how stateful
// resources are protected, how things are tagged, and how a wrong argument is reported.
package base

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Stateful returns the options of a resource that holds data nobody can rebuild: a volume, a
// database, a bucket, a key. Every such resource is created through it, and nowhere else is
// pulumi.Protect written, so that protection cannot be forgotten in one place and not another.
//
// disposable is for throw-away stacks only: it leaves the resource unprotected. The caller must
// hand the same flag to the cloud's own deletion protection (see CloudProtection).
func Stateful(disposable bool, opts ...pulumi.ResourceOption) []pulumi.ResourceOption {
	return append(slices.Clone(opts), pulumi.Protect(!disposable))
}

// CloudProtection is the value for a cloud's own deletion-protection switch of a resource made
// with Stateful. pulumi's protect can be bypassed on the command line; the cloud's can not.
func CloudProtection(disposable bool) pulumi.Bool { return pulumi.Bool(!disposable) }

// Tags are the governance tags that everything taggable carries. All four are required.
type Tags struct {
	Project string // name of the Pulumi project
	Stack   string // name of the Pulumi stack
	Phase   int    // phase of the stack's growth, 0 to 4
	Owner   string // team or person answering for the stack
	Extra   map[string]string
}

// Map returns the tags as plain strings under their standard keys, Extra first so that it can
// never hide one of the four.
func (t Tags) Map() map[string]string {
	m := map[string]string{}
	maps.Copy(m, t.Extra)
	m["project"] = t.Project
	m["stack"] = t.Stack
	m["phase"] = fmt.Sprint(t.Phase)
	m["owner"] = t.Owner
	return m
}

// Pulumi returns the tags as an input, with the extra pairs given (key, value, key, value, …),
// such as "Name", "morphee-dev-vpc".
func (t Tags) Pulumi(pairs ...string) pulumi.StringMap {
	out := pulumi.StringMap{}
	for k, v := range t.Map() {
		out[k] = pulumi.String(v)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		out[pairs[i]] = pulumi.String(pairs[i+1])
	}
	return out
}

// Problems collects what is wrong with a component's arguments, so that all of it is reported at
// once and before anything is registered.
type Problems struct {
	component, name string
	list            []string
}

// Check starts the list for one instance of a component.
func Check(component, name string) *Problems { return &Problems{component: component, name: name} }

// Add records that field has got where want was wanted. key, when not empty, is the configuration
// key to set.
func (p *Problems) Add(field string, got any, want, key string) {
	s := fmt.Sprintf("%s %q: %s: got %v, want %s", p.component, p.name, field, got, want)
	if key != "" {
		s += "; set " + key
	}
	p.list = append(p.list, s)
}

// Require records a problem unless ok.
func (p *Problems) Require(ok bool, field string, got any, want, key string) {
	if !ok {
		p.Add(field, got, want, key)
	}
}

// Err is nil when nothing was recorded, otherwise one error with every problem on its own line.
func (p *Problems) Err() error {
	if len(p.list) == 0 {
		return nil
	}
	return errors.New(strings.Join(p.list, "\n"))
}
