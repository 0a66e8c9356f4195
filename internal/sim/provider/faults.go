package provider

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// FaultKind is what a fault does to the operation it hits.
type FaultKind string

// The kinds of fault.
const (
	// Fail refuses the operation before it has any effect.
	Fail FaultKind = "fail"
	// Timeout lets the operation take effect and then reports that waiting for it timed out, as a
	// provider does when the cloud is slow: the resource exists, its state is partly known.
	Timeout FaultKind = "timeout"
	// Kill lets the operation take effect and then ends the run at once, before anything of it is
	// written to the state, as when the machine that runs the deployment dies.
	Kill FaultKind = "kill"
)

// ErrKilled is what every operation of a killed run returns.
var ErrKilled = errors.New("the simulated run was killed")

// Fault hits operations on resources. The first one that matches an operation is used.
type Fault struct {
	Kind  FaultKind
	Match string // pattern on TYPE::NAME, on the type, or on the name; "*" matches any text; "" matches all
	At    int    // only the At-th operation of the run, counted from 1; 0 for any
	Times int    // how often it hits; 0 for ever
}

// ParseFault reads a pattern, or the number of an operation.
func ParseFault(kind FaultKind, text string) (Fault, error) {
	if text == "" {
		return Fault{}, fmt.Errorf("--%s needs the number of an operation or a pattern such as 'docker:index/container:Container::*forgejo*'", kind)
	}
	n := 0
	if _, err := fmt.Sscanf(text, "%d", &n); err == nil && fmt.Sprint(n) == text {
		if n < 1 {
			return Fault{}, fmt.Errorf("--%s %s: operations are counted from 1", kind, text)
		}
		return Fault{Kind: kind, At: n, Times: 1}, nil
	}
	if _, err := path.Match(glob(text), ""); err != nil {
		return Fault{}, fmt.Errorf("--%s %q is not a valid pattern: %w", kind, text, err)
	}
	return Fault{Kind: kind, Match: text}, nil
}

// Faults decides which operations go wrong, and counts operations.
type Faults struct {
	mu     sync.Mutex
	list   []Fault
	hits   []int
	count  int
	killed bool
	onKill func()
	kill   string
}

// NewFaults prepares the faults. onKill, which may be nil, runs once when a Kill hits.
func NewFaults(list []Fault, onKill func()) *Faults {
	return &Faults{list: list, hits: make([]int, len(list)), onKill: onKill}
}

// next counts an operation and returns the fault that hits it, if any.
func (f *Faults) next(urn resource.URN, typ string) (kind FaultKind, n int, err error) {
	if f == nil {
		return "", 0, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.killed {
		return "", 0, ErrKilled
	}
	f.count++
	for i, fault := range f.list {
		if fault.At != 0 && fault.At != f.count || fault.Times != 0 && f.hits[i] >= fault.Times {
			continue
		}
		if !Match(fault.Match, typ, urn.Name()) {
			continue
		}
		f.hits[i]++
		return fault.Kind, f.count, nil
	}
	return "", f.count, nil
}

func (f *Faults) killNow(what string) error {
	f.mu.Lock()
	first := !f.killed
	f.killed = true
	if first {
		f.kill = what
	}
	hook := f.onKill
	f.mu.Unlock()
	if first && hook != nil {
		hook()
	}
	return ErrKilled
}

// Killed tells whether a Kill has hit.
func (f *Faults) Killed() bool {
	if f == nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.killed
}

// Count is the number of operations so far.
func (f *Faults) Count() int {
	if f == nil {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count
}

// Unused lists the patterns that never hit anything, so that a mistyped one is noticed.
func (f *Faults) Unused() []Fault {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Fault
	for i, fault := range f.list {
		if f.hits[i] == 0 {
			out = append(out, fault)
		}
	}
	return out
}

// Match tells whether a pattern fits a resource: on TYPE::NAME, on the type or on the name alone, with
// "*" for any text and "" for everything.
func Match(pattern, typ, name string) bool {
	if pattern == "" {
		return true
	}
	for _, text := range []string{typ + "::" + name, typ, name} {
		if ok, _ := path.Match(glob(pattern), glob(text)); ok {
			return true
		}
	}
	return false
}

// Types contain slashes, which path.Match does not let "*" cross.
func glob(s string) string { return strings.ReplaceAll(s, "/", "\x01") }
