// Package report tells people what a change does to stacks: what is created, updated, replaced and
// deleted, what becomes of everything that holds data, what the policies say, and what the internet
// reaches. It renders one report of several stacks as Markdown, HTML or JSON.
//
// It reads deployments and knows nothing of how they were made.
package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/stateful"
)

// Report is a change of one or more stacks.
type Report struct {
	Base    string  `json:"base"` // what the change is compared with
	Head    string  `json:"head"`
	Verdict Verdict `json:"verdict"`
	Stacks  []Stack `json:"stacks"`
}

// Verdict says whether the change may be merged. Anything counted here but Pass stops it.
type Verdict struct {
	Pass      bool `json:"pass"`
	Mandatory int  `json:"mandatoryViolations"`
	Lost      int  `json:"statefulLost"`
	Failed    int  `json:"failedStacks"`
}

// Stack is what the change does to one stack.
type Stack struct {
	Name      string    `json:"stack"`
	Simulated bool      `json:"simulated"` // compared on the flight simulator
	New       bool      `json:"new"`       // there is no such stack in the base
	Counts    Counts    `json:"changes"`
	Changes   []Change  `json:"resources"` // what is not the same, by URN
	Stateful  Stateful  `json:"stateful"`
	Policies  *Policies `json:"policies"` // nil when they were not asked
	Reach     *Reach    `json:"internet"` // nil when it is not known
	// Seconds is how long the change would take on the real clouds; nil when it is not known.
	Seconds *float64 `json:"estimatedSeconds"`
	Errors  []string `json:"errors"` // why the change cannot be carried out
	Notes   []string `json:"notes"`  // what a reader must know to read the rest
}

// Counts are resources by what happens to them.
type Counts struct {
	Create  int `json:"create"`
	Update  int `json:"update"`
	Replace int `json:"replace"`
	Delete  int `json:"delete"`
	Same    int `json:"same"`
}

// Any says whether anything changes.
func (c Counts) Any() bool { return c.Create+c.Update+c.Replace+c.Delete > 0 }

// Change is one resource and what happens to it.
type Change struct {
	URN  string `json:"urn"`
	Type string `json:"type"`
	Name string `json:"name"`
	Op   string `json:"op"` // create, update, replace, delete
	// Properties that differ; Forces are those of them that force a replacement.
	Properties []string `json:"properties,omitempty"`
	Forces     []string `json:"forces,omitempty"`
}

// Stateful is what becomes of the resources that hold what nobody can rebuild.
type Stateful struct {
	Before int    `json:"before"`
	After  int    `json:"after"`
	Kept   int    `json:"kept"` // neither replaced nor deleted
	Lost   []Loss `json:"lost"` // replaced or deleted
	// Unprotected are those that Pulumi would delete without asking, after the change.
	Unprotected []string `json:"unprotected"`
	// Throwaway says that the stack's configuration calls its data disposable.
	Throwaway bool `json:"throwaway"`
}

// Loss is a stateful resource that is replaced or deleted.
type Loss struct {
	URN    string        `json:"urn"`
	Type   string        `json:"type"`
	Name   string        `json:"name"`
	Kind   stateful.Kind `json:"kind"`
	Op     string        `json:"op"`
	Forces []string      `json:"forces,omitempty"`
	// Cause is what in the change leads to it, and Mend what to do instead; "" when that is not known.
	Cause string `json:"cause,omitempty"`
	Mend  string `json:"mend,omitempty"`
	// Accepted is the reason of the exception that accepts it; "" when nothing does.
	Accepted string `json:"accepted,omitempty"`
}

// Policies are the answers of the policy packs about the stack after the change.
type Policies struct {
	Packs        []string  `json:"packs"`
	Rules        int       `json:"rules"`
	Checks       int       `json:"checks"`
	Violations   []Finding `json:"violations"`
	Exceptions   []Finding `json:"exceptions"` // violations that an exception accepts
	Undetermined []Finding `json:"undetermined"`
	Unused       []string  `json:"unusedExceptions"`
}

// Finding is one answer of a rule about a resource.
type Finding struct {
	Pack    string `json:"pack"`
	Rule    string `json:"policy"`
	Level   string `json:"level"` // mandatory or advisory
	URN     string `json:"urn"`
	Message string `json:"message"`
	Mend    string `json:"mend,omitempty"`
	New     bool   `json:"new"`              // not so in the base
	Reason  string `json:"reason,omitempty"` // of the exception
	Until   string `json:"until,omitempty"`
}

// Reach is what the internet can reach, one line for each way in, sorted.
type Reach struct {
	Before []string `json:"before"`
	After  []string `json:"after"`
}

// Opened and Closed are the ways in that the change adds and takes away.
func (r *Reach) Opened() []string { return without(r.After, r.Before) }
func (r *Reach) Closed() []string { return without(r.Before, r.After) }

func without(list, other []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(other, s) {
			out = append(out, s)
		}
	}
	return out
}

// New makes a report: everything in order, and the verdict on it.
func New(base, head string, stacks []Stack) *Report {
	r := &Report{Base: base, Head: head, Stacks: slices.Clone(stacks)}
	slices.SortStableFunc(r.Stacks, func(a, b Stack) int { return cmp.Compare(a.Name, b.Name) })
	for i := range r.Stacks {
		s := &r.Stacks[i]
		s.order()
		if len(s.Errors) > 0 {
			r.Verdict.Failed++
		}
		r.Verdict.Lost += len(s.unaccepted())
		r.Verdict.Mandatory += len(s.mandatory())
	}
	r.Verdict.Pass = r.Verdict.Failed+r.Verdict.Lost+r.Verdict.Mandatory == 0
	return r
}

// unaccepted are the losses that stop the change.
func (s *Stack) unaccepted() []Loss {
	if s.Stateful.Throwaway {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(s.Stateful.Lost), func(l Loss) bool { return l.Accepted != "" })
}

func (s *Stack) mandatory() []Finding { return s.findings(true) }
func (s *Stack) advisory() []Finding  { return s.findings(false) }

func (s *Stack) findings(mandatory bool) []Finding {
	if s.Policies == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(s.Policies.Violations), func(f Finding) bool { return (f.Level == "mandatory") != mandatory })
}

// order sorts everything, and makes empty lists of absent ones, so that two runs are the same.
func (s *Stack) order() {
	s.Changes = sorted(s.Changes, func(c Change) string { return c.URN })
	s.Stateful.Lost = sorted(s.Stateful.Lost, func(l Loss) string { return l.URN })
	s.Stateful.Unprotected = sorted(s.Stateful.Unprotected, func(t string) string { return t })
	s.Errors, s.Notes = slices.Concat([]string{}, s.Errors), slices.Concat([]string{}, s.Notes)
	if p := s.Policies; p != nil {
		key := func(f Finding) string { return strings.Join([]string{f.Pack, f.Rule, f.URN, f.Message}, "\x00") }
		p.Violations, p.Exceptions, p.Undetermined = sorted(p.Violations, key), sorted(p.Exceptions, key), sorted(p.Undetermined, key)
		p.Unused = sorted(p.Unused, func(t string) string { return t })
		p.Packs = slices.Concat([]string{}, p.Packs)
	}
	if r := s.Reach; r != nil {
		r.Before, r.After = sorted(r.Before, func(t string) string { return t }), sorted(r.After, func(t string) string { return t })
	}
}

func sorted[T any](list []T, key func(T) string) []T {
	out := slices.Concat([]T{}, list)
	slices.SortStableFunc(out, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
	return out
}

// Count counts the changes. same is how many resources stay as they are.
func (s *Stack) Count(same int) {
	s.Counts = Counts{Same: same}
	for _, c := range s.Changes {
		switch c.Op {
		case "create":
			s.Counts.Create++
		case "update":
			s.Counts.Update++
		case "replace":
			s.Counts.Replace++
		case "delete":
			s.Counts.Delete++
		}
	}
}

// Hold finds out what becomes of everything stateful. accepted gives the reason why the loss of a
// resource is accepted, or "".
func (s *Stack) Hold(before, after []deployment.Resource, throwaway bool, accepted func(urn string) string) {
	s.Stateful = Stateful{Throwaway: throwaway}
	changes := map[string]Change{}
	for _, c := range s.Changes {
		changes[c.URN] = c
	}
	for _, r := range before {
		if !holds(r) {
			continue
		}
		s.Stateful.Before++
		c := changes[r.URN]
		if c.Op != "replace" && c.Op != "delete" {
			s.Stateful.Kept++
			continue
		}
		kind, _ := stateful.Of(r.Type)
		loss := Loss{URN: r.URN, Type: r.Type, Name: r.Name, Kind: kind, Op: c.Op, Forces: c.Forces}
		if accepted != nil {
			loss.Accepted = accepted(r.URN)
		}
		s.Stateful.Lost = append(s.Stateful.Lost, loss)
	}
	for _, r := range after {
		if holds(r) {
			s.Stateful.After++
			if !r.Protect && !throwaway {
				s.Stateful.Unprotected = append(s.Stateful.Unprotected, r.URN)
			}
		}
	}
}

// Explain adds what is known of losses: their cause, and losses that are neither a replacement nor a
// deletion, such as a disk that would shrink.
func (s *Stack) Explain(losses []Loss) {
	for _, l := range losses {
		i := slices.IndexFunc(s.Stateful.Lost, func(have Loss) bool { return have.URN == l.URN })
		if i < 0 {
			s.Stateful.Lost = append(s.Stateful.Lost, l)
			if l.Op == "update" {
				s.Stateful.Kept--
			}
			continue
		}
		s.Stateful.Lost[i].Cause, s.Stateful.Lost[i].Mend = l.Cause, l.Mend
	}
}

func holds(r deployment.Resource) bool {
	return r.Custom && stateful.Resource(r.Type, r.Inputs) && !stateful.Rewritten(r.Type, r.Name)
}

// String is the verdict in words.
func (v Verdict) String() string {
	if v.Pass {
		return "This change passes the gate."
	}
	var why []string
	for _, part := range []struct {
		n         int
		one, many string
	}{
		{v.Lost, "stateful resource would be lost", "stateful resources would be lost"},
		{v.Mandatory, "mandatory policy violation", "mandatory policy violations"},
		{v.Failed, "stack cannot be deployed", "stacks cannot be deployed"},
	} {
		if part.n > 0 {
			why = append(why, plural(part.n, part.one, part.many))
		}
	}
	return "This change does not pass the gate: " + strings.Join(why, ", ") + "."
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// OnlyRules are the answers of some rules alone.
func (p *Policies) OnlyRules(ids map[string]bool) *Policies {
	only := func(list []Finding) []Finding {
		return slices.DeleteFunc(slices.Clone(list), func(f Finding) bool { return !ids[f.Rule] })
	}
	return &Policies{Packs: p.Packs, Rules: len(ids), Violations: only(p.Violations), Exceptions: only(p.Exceptions), Undetermined: only(p.Undetermined)}
}
