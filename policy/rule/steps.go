package rule

import "fmt"

// Step is one thing that an update is about to do, as a preview tells it.
type Step struct {
	URN, Type, Name string
	Op              string   // create, update, replace, delete, …
	Replaces        []string // the properties that force a replacement
	Protected       bool     // in the state before the update
}

// StepCheck is the look of a rule at the steps of an update.
type StepCheck struct {
	context
	Steps []Step
}

// Violate reports a violation by a step.
func (c *StepCheck) Violate(s Step, format string, args ...any) {
	c.emit(s.URN, Violation, fmt.Sprintf(format, args...), nil)
}

// Leave reports the loss of what the configuration gives up, which is accepted and listed with the
// reason. It is false, and nothing is reported, when the configuration does not give it up.
func (c *StepCheck) Leave(s Step, format string, args ...any) bool {
	if !c.options.leaving.Retired(s.Name) {
		return false
	}
	c.emit(s.URN, Violation, fmt.Sprintf(format, args...), &Exception{Rule: c.rule.ID, Resource: s.Name, Reason: c.options.leaving.Reason(s.Name)})
	return true
}

// CheckSteps runs the rules for steps. A policy pack behind the engine's protocol never learns what
// an update is about to do with a resource, so this is called by whoever has the preview's steps.
func CheckSteps(packs []Pack, steps []Step, options Options) (Report, error) {
	var reports []Report
	for _, p := range packs {
		s, err := NewSession(p, options)
		if err != nil {
			return Report{}, err
		}
		var out []Finding
		rules := 0
		for i := range s.pack.Rules {
			if rule := &s.pack.Rules[i]; rule.Steps != nil && s.level(rule) != Disabled {
				rules++
				for _, step := range steps {
					s.look(rule.ID, step.URN)
				}
				rule.Steps(&StepCheck{context: s.context(rule, &out), Steps: steps})
			}
		}
		if rules == 0 {
			continue
		}
		s.settle(out)
		r := s.Report()
		r.Rules, r.Unused = rules, nil
		reports = append(reports, r)
	}
	return Merge(reports...), nil
}
