package provider

import (
	"sort"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/facts"
)

// computedOutputs lists what the cloud fills in: pure outputs, and inputs it computes when left out.
func computedOutputs(schema *facts.Schema) []string {
	out := append([]string(nil), schema.Outputs...)
	for name, p := range schema.Inputs {
		if p.Computed {
			out = append(out, name)
		}
	}
	sort.Strings(out)
	return out
}

// defaultID is the id of a resource whose rule gives none: its name and a few digits.
func defaultID(c *cloud.Call) string {
	return c.Name + "-" + c.Gen.Hex("id", 8)
}

// composeOutputs gives every computed output a plausible value of its type, which the type's rule
// may then correct. The table, from the program's side:
//
//	set by the program              -> that value
//	left out, not computed          -> absent
//	computed and always present     -> composed here
//	computed, not always present    -> composed for scalars, else absent
func composeOutputs(schema *facts.Schema, c *cloud.Call) {
	always := map[string]bool{}
	for _, name := range schema.AlwaysPresentOutputs {
		always[name] = true
	}
	for _, name := range computedOutputs(schema) {
		if c.Out[name] != nil {
			continue
		}
		p := schema.OutputTypes[name]
		if p == nil {
			p = schema.Inputs[name]
		}
		if v := compose(name, p, c, always[name]); v != nil {
			c.Out[name] = v
		}
	}
}

func compose(name string, p *facts.Property, c *cloud.Call, always bool) any {
	kind := "string"
	if p != nil {
		kind = p.Type
	}
	switch kind {
	case "integer", "number":
		if always || p == nil {
			return float64(0)
		}
		return nil
	case "boolean":
		return false
	case "array":
		if always {
			return []any{}
		}
		return nil
	case "map":
		if always || name == "tagsAll" {
			return tagsAll(name, c)
		}
		return nil
	case "object":
		if !always {
			return nil
		}
		out := cloud.Object{}
		for field, q := range p.Properties {
			if v := compose(field, q, c, false); v != nil {
				out[field] = v
			}
		}
		return out
	}
	lower := strings.ToLower(name)
	switch {
	case strings.HasSuffix(lower, "arn"):
		return ""
	case strings.HasSuffix(lower, "id") || strings.HasSuffix(lower, "ids"):
		if !always {
			return nil
		}
		return c.Gen.Hex(name, 12)
	case strings.Contains(lower, "created") || strings.HasSuffix(lower, "date") || strings.HasSuffix(lower, "time"):
		return c.Gen.Time()
	case lower == "status" || lower == "state":
		return "active"
	}
	if !always {
		return nil
	}
	return ""
}

// tagsAll is a resource's own tags over the provider's default tags.
func tagsAll(name string, c *cloud.Call) cloud.Object {
	out := cloud.Object{}
	if name != "tagsAll" {
		return out
	}
	for k, v := range c.Config.Object("defaultTags.tags") {
		out[k] = v
	}
	for k, v := range c.In.Object("tags") {
		out[k] = v
	}
	return out
}
