package main

import (
	"fmt"
	"io"

	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/policy/rule"
)

// policyLines say what the packs found: the counts, and every violation.
func policyLines(w io.Writer, p sim.Policies) {
	if p.Rules == 0 {
		return
	}
	mandatory := 0
	for _, v := range p.Violations {
		if v.Level == string(rule.Mandatory) {
			mandatory++
		}
	}
	fmt.Fprintf(w, "Policies: %d rules made %d checks: %d mandatory and %d advisory violations, %d accepted by exceptions, %d undetermined",
		p.Rules, p.Checks, mandatory, len(p.Violations)-mandatory, len(p.Exceptions), len(p.Undetermined))
	if len(p.Undetermined) > 0 {
		fmt.Fprint(w, " until the values are known")
	}
	fmt.Fprintln(w, ".")
	for _, v := range p.Violations {
		fmt.Fprintf(w, "  %s: %s: %s: %s\n", v.Level, v.Policy, rule.NameOf(v.URN), v.Message)
	}
	for _, v := range p.Exceptions {
		fmt.Fprintf(w, "  accepted: %s: %s: %s (%s)\n", v.Policy, rule.NameOf(v.URN), v.Message, v.Reason)
	}
}
