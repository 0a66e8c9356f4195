package durability

import (
	"strings"

	"github.com/morphee-app/morphee-infra/internal/stateful"
	"github.com/morphee-app/morphee-infra/policy/rule"
)

// NotReplaced is the rule about what an update loses. Its exceptions also hold for losses of what is no
// data itself, such as the network that the data is in.
const NotReplaced = "stateful-not-replaced"

var steps = []rule.Rule{{
	ID: NotReplaced, Level: rule.Mandatory,
	Title:  "Nothing that holds data is replaced or deleted by an update",
	Reason: "A replacement is a deletion with an empty successor. Moving data is a sequence of small steps, never a side effect.",
	Mend: "Find the property named here and set it back, or carry an alias if the resource was renamed. To retire it for good, set the state of its " +
		"region or of morphee:migration.retire, first to retiring, then to retired; for anything else, lift its protection and except it in " +
		"morphee:policyExceptions with the reason.",
	Steps: func(c *rule.StepCheck) {
		if c.Options().Disposable() {
			return
		}
		for _, s := range c.Steps {
			if !stateful.Is(s.Type) || stateful.Rewritten(s.Type, s.Name) {
				continue
			}
			switch s.Op {
			case "replace":
				why := "another name, type or parent"
				if len(s.Replaces) > 0 {
					why = strings.Join(s.Replaces, ", ")
				}
				c.Violate(s, "would be replaced, because of %s", why)
			case "delete":
				if !c.Leave(s, "is deleted") {
					c.Violate(s, "would be deleted")
				}
			}
		}
	},
}}
