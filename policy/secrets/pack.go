// Package secrets is the policy pack about secrets: none stands where somebody can read it.
package secrets

import (
	"slices"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

// Pack has the rules, sorted by family.
var Pack = rule.Pack{
	Name: "morphee-secrets", Title: "Secrets: none stands where somebody can read it",
	Rules: slices.Concat(plain, places, stack, stores),
}
