package rule

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// Report is the result of packs over a stack.
type Report struct {
	Packs        []string  `json:"packs"`
	Rules        int       `json:"rules"`        // that ran
	Checks       int       `json:"checks"`       // a rule on a resource is one
	Violations   []Finding `json:"violations"`   // not accepted
	Excepted     []Finding `json:"exceptions"`   // violations that an exception accepts
	Undetermined []Finding `json:"undetermined"` // what could not be decided yet
	// Unused are exceptions that accept nothing: they should be taken out.
	Unused []Exception `json:"unusedExceptions"`
}

// Mandatory counts the violations that stop a deployment.
func (r Report) Mandatory() int {
	n := 0
	for _, f := range r.Violations {
		if f.Level == Mandatory {
			n++
		}
	}
	return n
}

// Report is what the session has found so far.
func (s *Session) Report() Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Report{Packs: []string{s.pack.Name}, Violations: []Finding{}, Excepted: []Finding{}, Undetermined: []Finding{}, Unused: []Exception{}}
	for i := range s.pack.Rules {
		if r := &s.pack.Rules[i]; (r.Check != nil || r.Graph != nil) && s.level(r) != Disabled {
			out.Rules++
		}
	}
	for _, urns := range s.looked {
		out.Checks += len(urns)
	}
	for f := range s.findings {
		if f.Answer == Violation {
			s.except(&f)
		}
		out.add(f)
	}
	for i, e := range s.exceptions {
		if _, ours := s.pack.Rule(e.Rule); ours && !s.used[i] {
			out.Unused = append(out.Unused, e)
		}
	}
	out.sort()
	return out
}

func (r *Report) add(f Finding) {
	switch {
	case f.Answer == Undetermined:
		r.Undetermined = append(r.Undetermined, f)
	case f.Exception != nil:
		r.Excepted = append(r.Excepted, f)
	default:
		r.Violations = append(r.Violations, f)
	}
}

func (r *Report) sort() {
	sortFindings(r.Violations)
	sortFindings(r.Excepted)
	sortFindings(r.Undetermined)
}

// Merge puts the reports of several packs together.
func Merge(reports ...Report) Report {
	out := Report{Packs: []string{}, Violations: []Finding{}, Excepted: []Finding{}, Undetermined: []Finding{}, Unused: []Exception{}}
	for _, r := range reports {
		out.Packs = append(out.Packs, r.Packs...)
		out.Rules += r.Rules
		out.Checks += r.Checks
		out.Violations = append(out.Violations, r.Violations...)
		out.Excepted = append(out.Excepted, r.Excepted...)
		out.Undetermined = append(out.Undetermined, r.Undetermined...)
		out.Unused = append(out.Unused, r.Unused...)
	}
	out.sort()
	return out
}

// Evaluate runs packs over a finished deployment, or over one that a preview plans. The packs run side
// by side.
func Evaluate(packs []Pack, list []*Resource, options Options) (Report, error) {
	sessions := make([]*Session, len(packs))
	for i, p := range packs {
		var err error
		if sessions[i], err = NewSession(p, options); err != nil {
			return Report{}, err
		}
	}
	var index *Index
	if !options.Partial {
		index = NewIndex(list)
	}
	reports := make([]Report, len(packs))
	var wait sync.WaitGroup
	for i, s := range sessions {
		wait.Go(func() {
			for _, r := range list {
				s.Resource(r)
			}
			if index != nil {
				s.stackOf(index)
			}
			reports[i] = s.Report()
		})
	}
	wait.Wait()
	return Merge(reports...), nil
}

// Summary groups undetermined findings for people: one line per rule, with the resources.
func Summary(list []Finding) map[string]string {
	byRule := map[string]map[string]bool{}
	for _, f := range list {
		if byRule[f.Rule] == nil {
			byRule[f.Rule] = map[string]bool{}
		}
		byRule[f.Rule][NameOf(f.URN)] = true
	}
	out := map[string]string{}
	for id, names := range byRule {
		out[id] = strings.Join(slices.Sorted(maps.Keys(names)), ", ")
	}
	return out
}
