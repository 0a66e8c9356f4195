// Package hygiene is the policy pack about the rest: containers, rights, keys, logs, images, tags,
// regions and cost.
package hygiene

import (
	"slices"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

// Pack has the rules, sorted by family.
var Pack = rule.Pack{
	Name: "morphee-hygiene", Title: "Hygiene: containers, rights, keys, logs, images, tags, regions and cost",
	Rules: slices.Concat(ecsTasks, ecsServices, images, iam, keys, logs, instances, dockerRun, dockerLimits, forgejo, governance),
}
