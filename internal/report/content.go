package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

// What matters more is shown in full first.
const (
	weighTotals = iota
	weighErrors
	weighLosses
	weighMandatory
	weighStacks
	weighReach
	weighReplaced
	weighDeleted
	weighNotes
	weighExceptions
	weighUndetermined
	weighUpdated
	weighAdvisory
	weighStateful
	weighCreated
)

// groups are the contents of the report.
func (r *Report) groups() []group {
	out := []group{{sections: []section{r.totals(), r.table()}}}
	for i := range r.Stacks {
		s := &r.Stacks[i]
		out = append(out, group{title: "Stack " + clip(s.Name, 100), sections: s.sections()})
	}
	return out
}

// totals always stands in a report.
func (r *Report) totals() section {
	var sum Counts
	simulated, changed := 0, 0
	for _, s := range r.Stacks {
		sum.Create += s.Counts.Create
		sum.Update += s.Counts.Update
		sum.Replace += s.Counts.Replace
		sum.Delete += s.Counts.Delete
		if s.Simulated {
			simulated++
		}
		if s.Counts.Any() {
			changed++
		}
	}
	text := r.Verdict.String()
	more := fmt.Sprintf("%s compared with %s. Of %s, %d change: %d resources to create, %d to update, %d to replace, %d to delete.",
		orElse(clip(r.Head, 100), "The change"), orElse(clip(r.Base, 100), "what there is"), plural(len(r.Stacks), "stack", "stacks"), changed,
		sum.Create, sum.Update, sum.Replace, sum.Delete)
	if simulated > 0 {
		more += " Simulated: the engine, the program and the policies are real, the clouds are not."
	}
	level := plain
	if !r.Verdict.Pass {
		level = alarm
	}
	return section{weighTotals, []*block{{text: text, rest: more, mark: level}}}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func (r *Report) table() section {
	b := block{head: []string{"Stack", "Create", "Update", "Replace", "Delete", "Same", "Stateful", "Policies", "Internet", "Time to deploy"}}
	return section{weighStacks, lengths(b, r.Stacks, true, func(s Stack) string {
		if s.Counts.Any() {
			return "with changes"
		}
		return "without changes"
	}, func(s Stack) []cell { return s.line() })}
}

func (s *Stack) line() []cell {
	name := s.Name
	c := s.Counts
	out := []cell{code(name)}
	for _, n := range []int{c.Create, c.Update, c.Replace, c.Delete, c.Same} {
		out = append(out, words(fmt.Sprint(n)))
	}
	return append(out, words(s.statefulWords()), words(s.policyWords()), words(s.reachWords()), words(s.timeWords()))
}

func (s *Stack) statefulWords() string {
	switch lost := len(s.Stateful.Lost); {
	case lost > 0 && s.Stateful.Throwaway:
		return fmt.Sprintf("%d replaced or deleted, in a throw-away stack", lost)
	case len(s.unaccepted()) > 0:
		return fmt.Sprintf("%d of %d lost", len(s.unaccepted()), s.Stateful.Before)
	case lost > 0:
		return fmt.Sprintf("%d lost, each by an exception", lost)
	case s.Stateful.Before+s.Stateful.After == 0:
		return "none"
	case s.Stateful.Before == 0:
		return fmt.Sprintf("%d new", s.Stateful.After)
	}
	return fmt.Sprintf("all %d safe", s.Stateful.Before)
}

func (s *Stack) policyWords() string {
	p := s.Policies
	if p == nil {
		return "not asked"
	}
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{{len(s.mandatory()), "mandatory"}, {len(s.advisory()), "advisory"}, {len(p.Exceptions), "excepted"}, {len(p.Undetermined), "undetermined"}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	if len(parts) == 0 {
		return fmt.Sprintf("%d rules pass", p.Rules)
	}
	return strings.Join(parts, ", ")
}

func (s *Stack) reachWords() string {
	if s.Reach == nil {
		return "not known"
	}
	opened, closed := len(s.Reach.Opened()), len(s.Reach.Closed())
	if opened+closed == 0 {
		return fmt.Sprintf("as before (%d)", len(s.Reach.After))
	}
	return fmt.Sprintf("%d opened, %d closed", opened, closed)
}

func (s *Stack) timeWords() string {
	if !s.Counts.Any() {
		return "nothing to deploy"
	}
	if s.Seconds == nil {
		return "not known"
	}
	return "about " + (time.Duration(*s.Seconds) * time.Second).String()
}

func (s *Stack) sections() []section {
	text := func(t string) []cell { return []cell{words(t)} }
	same := func(string) string { return "messages" }
	byType := func(c Change) string { return c.Type }
	var out []section
	add := func(weight int, list int, l func() []*block) {
		if list > 0 {
			out = append(out, section{weight, l()})
		}
	}
	add(weighErrors, len(s.Errors), func() []*block {
		return lengths(block{title: "Cannot be deployed", mark: alarm, head: []string{"Why"}}, s.Errors, true, same, text)
	})
	out = append(out, s.losses()...)
	out = append(out, s.policies("Mandatory violations", weighMandatory, s.mandatory(), true)...)
	out = append(out, s.reach()...)
	add(weighNotes, len(s.Notes), func() []*block {
		return lengths(block{title: "Notes", head: []string{"To know"}}, s.Notes, true, same, text)
	})
	for _, part := range []struct {
		op, title string
		weight    int
		fold      bool
	}{
		{"replace", "Replaced", weighReplaced, false}, {"delete", "Deleted", weighDeleted, false},
		{"update", "Updated", weighUpdated, true}, {"create", "Created", weighCreated, true},
	} {
		list := slices.DeleteFunc(slices.Clone(s.Changes), func(c Change) bool { return c.Op != part.op })
		b := block{title: fmt.Sprintf("%s: %d", part.title, len(list)), fold: part.fold, head: []string{"Type", "Name"}}
		switch part.op {
		case "replace":
			b.head = append(b.head, "Because of")
		case "update":
			b.head = append(b.head, "Properties")
		}
		add(part.weight, len(list), func() []*block {
			return lengths(b, list, true, byType, func(c Change) []cell { return c.cells() })
		})
	}
	out = append(out, s.policies("Advisory findings", weighAdvisory, s.advisory(), false)...)
	if p := s.Policies; p != nil {
		out = append(out, s.policies("Accepted by exceptions", weighExceptions, p.Exceptions, false)...)
		out = append(out, s.policies("Undetermined", weighUndetermined, p.Undetermined, false)...)
		add(weighExceptions, len(p.Unused), func() []*block {
			return lengths(block{title: "Exceptions that accept nothing", head: []string{"Exception"}}, p.Unused, true, same, text)
		})
	}
	return append(out, s.safe()...)
}

func (c Change) cells() []cell {
	out := []cell{code(c.Type), code(c.Name)}
	switch c.Op {
	case "replace":
		return append(out, names(c.Forces, "another id"))
	case "update":
		return append(out, names(c.Properties, "outputs only"))
	}
	return out
}

// properties is how many properties of one resource are named.
const properties = 8

func names(list []string, none string) cell {
	if len(list) == 0 {
		return words(none)
	}
	more := ""
	if n := len(list) - properties; n > 0 {
		list, more = list[:properties], fmt.Sprintf(" and %d more", n)
	}
	return code(strings.Join(list, ", ") + more)
}

func (s *Stack) losses() []section {
	if len(s.Stateful.Lost) == 0 {
		return nil
	}
	b := block{title: "Stateful resources that would be lost", mark: alarm, head: []string{"Type", "Name", "Holds", "Would be", "Because of", "Accepted"},
		text: "What they hold cannot be rebuilt. A replacement is a deletion with an empty successor."}
	if len(s.unaccepted()) == 0 {
		b.mark = plain
	}
	return []section{{weighLosses, lengths(b, s.Stateful.Lost, true, func(l Loss) string { return l.Type }, func(l Loss) []cell {
		accepted := l.Accepted
		if accepted == "" {
			accepted = "no"
			if s.Stateful.Throwaway {
				accepted = "throw-away stack"
			}
		}
		because := names(l.Forces, "another id")
		switch {
		case l.Cause != "":
			text := l.Cause
			if l.Mend != "" && accepted == "no" {
				text += ". To mend it: " + l.Mend
			}
			because = words(text)
		case l.Op == "delete":
			because = words("no longer in the program, or under another name")
		}
		return []cell{code(l.Type), code(l.Name), words(orElse(string(l.Kind), "what is protected")), words(would(l.Op)), because, words(accepted)}
	})}}
}

// would is what becomes of a resource, in a word.
func would(op string) string {
	if op == "update" {
		return "shrunk"
	}
	return op + "d"
}

// safe says which stateful resources there are, and that nothing happens to them.
func (s *Stack) safe() []section {
	b := block{title: "Stateful resources", fold: true, text: fmt.Sprintf("%d before the change, %d of them neither replaced nor deleted; %d after it.",
		s.Stateful.Before, s.Stateful.Kept, s.Stateful.After)}
	if s.Stateful.Before+s.Stateful.After == 0 {
		return nil
	}
	if len(s.Stateful.Unprotected) == 0 {
		if s.Stateful.Throwaway {
			b.text += " The stack is a throw-away: nothing in it is protected."
		} else {
			b.text += " After it all are protected from deletion in Pulumi."
		}
		return []section{{weighStateful, []*block{nil, &b}}}
	}
	b.text += " Not protected from deletion in Pulumi:"
	b.head = []string{"Resource"}
	return []section{{weighStateful, lengths(b, s.Stateful.Unprotected, true, func(string) string { return "resources" },
		func(urn string) []cell { return []cell{code(rule.NameOf(urn))} })}}
}

func (s *Stack) reach() []section {
	if s.Reach == nil || len(s.Reach.Before)+len(s.Reach.After) == 0 {
		return nil
	}
	type way struct{ how, what string }
	var changed, kept []way
	for _, t := range s.Reach.Opened() {
		changed = append(changed, way{"opened", t})
	}
	for _, t := range s.Reach.Closed() {
		changed = append(changed, way{"closed", t})
	}
	for _, t := range without(s.Reach.After, s.Reach.Opened()) {
		kept = append(kept, way{"as before", t})
	}
	row := func(w way) []cell { return []cell{words(w.how), code(w.what)} }
	kind := func(w way) string { return w.how }
	head := []string{"", "Reachable from the internet"}
	var out []section
	if len(changed) > 0 {
		out = append(out, section{weighReach, lengths(block{title: "What the internet reaches differently", head: head}, changed, true, kind, row)})
	}
	if len(kept) > 0 {
		out = append(out, section{weighAdvisory, lengths(block{title: fmt.Sprintf("Reachable from the internet as before: %d", len(kept)), fold: true, head: head}, kept, true, kind, row)})
	}
	return out
}

func (s *Stack) policies(title string, weight int, list []Finding, loud bool) []section {
	if len(list) == 0 {
		return nil
	}
	b := block{title: fmt.Sprintf("%s: %d", title, len(list)), fold: !loud, head: []string{"Policy", "Resource", "Finding"}}
	if loud {
		b.mark = alarm
	}
	return []section{{weight, lengths(b, list, true, func(f Finding) string { return f.Rule }, func(f Finding) []cell {
		message := f.Message
		if f.Reason != "" {
			message += ". Accepted: " + f.Reason
		}
		if f.Until != "" {
			message += " (until " + f.Until + ")"
		}
		if loud && f.Mend != "" {
			message += ". To mend it: " + f.Mend
		}
		if loud && !f.New && !s.New {
			message += " (it is so in the base, too)"
		}
		return []cell{code(f.Rule), code(rule.NameOf(f.URN)), words(message)}
	})}}
}
