package rule

import (
	"fmt"
	"slices"
	"strings"
)

// Diagnostic is a finding in the words that the engine shows.
type Diagnostic struct {
	Finding
	Title string
}

// Diagnosis is what an engine is told after a check.
type Diagnosis struct {
	Findings []Diagnostic
	// Undecided must not count as passed.
	Undecided []Finding
}

// Diagnose words the findings of single resources. What is undetermined is said once, at the end,
// by DiagnoseStack: in a preview of a new stack it would be hundreds of lines.
func (s *Session) Diagnose(list []Finding) Diagnosis {
	var out Diagnosis
	said := map[string]bool{}
	for _, f := range list {
		if f.Answer == Undetermined {
			if !said[f.Rule] {
				said[f.Rule] = true
				out.Undecided = append(out.Undecided, Finding{Rule: f.Rule, Message: "undetermined: " + f.Message + " is not known yet"})
			}
			continue
		}
		out.Findings = append(out.Findings, s.word(f))
	}
	return out
}

func (s *Session) word(f Finding) Diagnostic {
	r, _ := s.pack.Rule(f.Rule)
	d := Diagnostic{Finding: f, Title: r.Title}
	if f.Exception != nil {
		d.Level = Advisory
		d.Message = fmt.Sprintf("%s. Accepted by an exception: %s", f.Message, f.Exception.Reason)
		if f.Exception.Until != "" {
			d.Message += " (until " + f.Exception.Until + ")"
		}
		return d
	}
	d.Message = fmt.Sprintf("%s. %s To mend it: %s", f.Message, r.Reason, r.Mend)
	return d
}

// DiagnoseStack words the findings of the whole stack, and says of each rule what it could not
// decide in this operation.
func (s *Session) DiagnoseStack(list []Finding) Diagnosis {
	out := s.Diagnose(list)
	report := s.Report()
	byRule := map[string][]string{}
	for _, f := range report.Undetermined {
		if name := NameOf(f.URN); !slices.Contains(byRule[f.Rule], name) {
			byRule[f.Rule] = append(byRule[f.Rule], name)
		}
	}
	for _, r := range s.pack.Rules {
		names := byRule[r.ID]
		if len(names) == 0 {
			continue
		}
		shown := names
		if len(shown) > 5 {
			shown = append(slices.Clone(shown[:5]), "…")
		}
		out.Findings = append(out.Findings, Diagnostic{Title: r.Title, Finding: Finding{
			Pack: s.pack.Name, Rule: r.ID, Level: Advisory, Answer: Undetermined,
			Message: fmt.Sprintf("undetermined for %d resources, because values are not known yet: %s. It is checked again when they are.", len(names), strings.Join(shown, ", ")),
		}})
	}
	for _, e := range report.Unused {
		if r, _ := s.pack.Rule(e.Rule); r.Steps != nil {
			continue // what an update is about to do is not seen here
		}
		out.Findings = append(out.Findings, Diagnostic{Title: "Exceptions accept something", Finding: Finding{
			Pack: s.pack.Name, Rule: e.Rule, Level: Advisory, Answer: Violation,
			Message: fmt.Sprintf("the exception for %s accepts nothing: take it out of %s", e.Resource, ExceptionsKey),
		}})
	}
	return out
}
