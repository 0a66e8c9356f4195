// Package recorder runs Pulumi programs against mocks and remembers what they registered, so that
// component tests can assert on types, names, parents, options and inputs.
package recorder

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Project and Stack are the names that every recorded program runs under.
const (
	Project = "morphee"
	Stack   = "test"
)

// Resource is one registration.
type Resource struct {
	Type, Name, Parent, Provider string
	Custom, Protect              bool
	Inputs                       resource.PropertyMap // as registered, secrets still wrapped
	Dependencies                 []string             // URNs
	Aliases                      int
	IgnoreChanges                []string
	DeleteBeforeReplace          bool
	SecretOutputs                []string
	DeletedWith                  string
	RetainOnDelete               bool
}

// URN of a recorded resource, as the mock monitor builds it.
func (r Resource) URN() string {
	parent := ""
	if r.Parent != "" {
		if p := resource.URN(r.Parent); p.QualifiedType() != resource.RootStackType {
			parent = string(p.QualifiedType()) + "$"
		}
	}
	return fmt.Sprintf("urn:pulumi:%s::%s::%s%s::%s", Stack, Project, parent, r.Type, r.Name)
}

// Input returns the input at a dotted path with secrets unwrapped, or nil when it is absent.
// Array elements are written as numbers: "healthcheck.tests.0".
func (r Resource) Input(path string) any {
	var v = resource.NewObjectProperty(r.Inputs)
	for _, part := range strings.Split(path, ".") {
		v = unwrap(v)
		switch {
		case v.IsObject():
			v = v.ObjectValue()[resource.PropertyKey(part)]
		case v.IsArray():
			i := -1
			if _, err := fmt.Sscan(part, &i); err != nil || i < 0 || i >= len(v.ArrayValue()) {
				return nil
			}
			v = v.ArrayValue()[i]
		default:
			return nil
		}
	}
	return plain(v)
}

// IsSecret tells whether the top-level input is a secret, wholly or somewhere inside.
func (r Resource) IsSecret(key string) bool {
	return r.Inputs[resource.PropertyKey(key)].ContainsSecrets()
}

// Recorder is a mock monitor that remembers. Outputs may add computed outputs for a type; what it
// returns is laid over the inputs. Calls answers invokes; without it an invoke echoes its arguments.
type Recorder struct {
	Outputs func(typ, name string, inputs resource.PropertyMap) resource.PropertyMap
	Calls   func(token string, args resource.PropertyMap) (resource.PropertyMap, error)

	mu   sync.Mutex
	list []Resource
}

// Run executes the program and returns what it registered, sorted by type and name.
func (rec *Recorder) Run(program pulumi.RunFunc) ([]Resource, error) {
	rec.list = nil
	err := pulumi.RunErr(program, pulumi.WithMocks(Project, Stack, rec))
	slices.SortFunc(rec.list, func(a, b Resource) int {
		return strings.Compare(a.Type+"\x00"+a.Name, b.Type+"\x00"+b.Name)
	})
	return rec.list, err
}

// Run executes the program under a recorder without special outputs.
func Run(program pulumi.RunFunc) ([]Resource, error) { return new(Recorder).Run(program) }

// NewResource implements pulumi.MockResourceMonitor.
func (rec *Recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r := Resource{Type: args.TypeToken, Name: args.Name, Provider: args.Provider, Custom: args.Custom, Inputs: args.Inputs}
	if rpc := args.RegisterRPC; rpc != nil {
		r.Parent, r.Protect, r.Dependencies = rpc.GetParent(), rpc.GetProtect(), rpc.GetDependencies()
		r.Aliases, r.IgnoreChanges = len(rpc.GetAliases())+len(rpc.GetAliasURNs()), rpc.GetIgnoreChanges()
		r.DeleteBeforeReplace, r.SecretOutputs = rpc.GetDeleteBeforeReplace(), rpc.GetAdditionalSecretOutputs()
		r.DeletedWith, r.RetainOnDelete = rpc.GetDeletedWith(), rpc.GetRetainOnDelete()
	}
	rec.mu.Lock()
	rec.list = append(rec.list, r)
	rec.mu.Unlock()
	outs := maps.Clone(args.Inputs)
	if outs == nil {
		outs = resource.PropertyMap{}
	}
	if rec.Outputs != nil {
		maps.Copy(outs, rec.Outputs(args.TypeToken, args.Name, args.Inputs))
	}
	id := args.ID
	if id == "" {
		id = args.Name + "-id"
	}
	if strings.HasPrefix(args.TypeToken, "hcloud:") {
		id = number(id) // Hetzner's ids are numbers, and other resources refer to them as numbers
	}
	return id, outs, nil
}

// number turns a text into a number of eight digits, the same one every time.
func number(text string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(text))
	return fmt.Sprint(10_000_000 + h.Sum32()%90_000_000)
}

// Call implements pulumi.MockResourceMonitor.
func (rec *Recorder) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	if rec.Calls != nil {
		return rec.Calls(args.Token, args.Args)
	}
	return args.Args, nil
}

// Find returns the one resource of the type and name, or an error that lists what there is.
func Find(list []Resource, typ, name string) (Resource, error) {
	var have []string
	for _, r := range list {
		if r.Type == typ {
			if r.Name == name {
				return r, nil
			}
			have = append(have, r.Name)
		}
	}
	return Resource{}, fmt.Errorf("no %s named %q; there are %v", typ, name, have)
}

// Count tells how many of each type were registered.
func Count(list []Resource) map[string]int {
	m := map[string]int{}
	for _, r := range list {
		m[r.Type]++
	}
	return m
}

// Orphans lists the custom resources (providers included) that do not descend from a component
// whose type starts with "morphee:".
func Orphans(list []Resource) []string {
	byURN := map[string]Resource{}
	for _, r := range list {
		byURN[r.URN()] = r
	}
	var out []string
	for _, r := range list {
		at := r
		for !strings.HasPrefix(at.Type, "morphee:") {
			up, ok := byURN[at.Parent]
			if !ok {
				if r.Type != "pulumi:pulumi:Stack" {
					out = append(out, r.Type+"::"+r.Name)
				}
				break
			}
			at = up
		}
	}
	return out
}

func unwrap(v resource.PropertyValue) resource.PropertyValue {
	for {
		inner, wrapped := unwrapOnce(v)
		if !wrapped {
			return v
		}
		v = inner
	}
}

func unwrapOnce(v resource.PropertyValue) (resource.PropertyValue, bool) {
	switch {
	case v.IsSecret():
		return v.SecretValue().Element, true
	case v.IsOutput() && v.OutputValue().Known:
		return v.OutputValue().Element, true
	}
	return v, false
}

func plain(v resource.PropertyValue) any {
	return v.MapRepl(nil, func(v resource.PropertyValue) (any, bool) {
		inner, wrapped := unwrapOnce(v)
		if !wrapped {
			return nil, false
		}
		return plain(inner), true
	})
}
