// Package packs lists the project's policy packs.
package packs

import (
	"github.com/morphee-app/morphee-infra/policy/durability"
	"github.com/morphee-app/morphee-infra/policy/hygiene"
	"github.com/morphee-app/morphee-infra/policy/isolation"
	"github.com/morphee-app/morphee-infra/policy/rule"
	"github.com/morphee-app/morphee-infra/policy/secrets"
)

// All are the packs, in the order of the documentation.
func All() []rule.Pack {
	return []rule.Pack{isolation.Pack, secrets.Pack, durability.Pack, hygiene.Pack}
}

// Find finds a rule by its id, with the pack it is in.
func Find(id string) (rule.Pack, rule.Rule, bool) {
	for _, p := range All() {
		if r, ok := p.Rule(id); ok {
			return p, r, true
		}
	}
	return rule.Pack{}, rule.Rule{}, false
}
