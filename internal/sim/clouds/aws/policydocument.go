package aws

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// statement has the fields of a policy statement in the order in which the real lookup writes them.
type statement struct {
	Sid          string `json:"Sid,omitempty"`
	Effect       string `json:"Effect,omitempty"`
	Action       any    `json:"Action,omitempty"`
	NotAction    any    `json:"NotAction,omitempty"`
	Resource     any    `json:"Resource,omitempty"`
	NotResource  any    `json:"NotResource,omitempty"`
	Principal    any    `json:"Principal,omitempty"`
	NotPrincipal any    `json:"NotPrincipal,omitempty"`
	Condition    any    `json:"Condition,omitempty"`
}

// getPolicyDocument renders an IAM policy as the real lookup does: without calling the cloud, single
// values as a string, several sorted in reverse, statements of sources first.
func getPolicyDocument(c *cloud.InvokeCall) (cloud.Object, error) {
	doc := struct {
		Version   string `json:"Version,omitempty"`
		ID        string `json:"Id,omitempty"`
		Statement []any  `json:"Statement,omitempty"`
	}{Version: "2012-10-17", ID: c.In.String("policyId")}
	if v := c.In.String("version"); v != "" {
		doc.Version = v
	}
	for _, source := range c.In.Strings("sourcePolicyDocuments") {
		parsed, err := cloud.JSON(source)
		if err != nil {
			return nil, cloud.Refuse("", "source_policy_documents: %v", err)
		}
		object, _ := parsed.(cloud.Object)
		doc.Statement = append(doc.Statement, object.List("Statement")...)
	}
	sids := map[string]bool{}
	for _, s := range c.In.Objects("statements") {
		if sid := s.String("sid"); sid != "" {
			if sids[sid] {
				return nil, cloud.Refuse("", "duplicate Sid (%s) in the policy document: Sids must be unique", sid)
			}
			sids[sid] = true
		}
		effect := s.String("effect")
		if effect == "" {
			effect = "Allow"
		}
		doc.Statement = append(doc.Statement, statement{
			Sid: s.String("sid"), Effect: effect,
			Action: oneOrMany(s.Strings("actions")), NotAction: oneOrMany(s.Strings("notActions")),
			Resource: oneOrMany(s.Strings("resources")), NotResource: oneOrMany(s.Strings("notResources")),
			Principal: principals(s.Objects("principals")), NotPrincipal: principals(s.Objects("notPrincipals")),
			Condition: conditions(s.Objects("conditions")),
		})
	}
	full, err := marshal(doc, "  ")
	if err != nil {
		return nil, err
	}
	short, err := marshal(doc, "")
	if err != nil {
		return nil, err
	}
	return cloud.Object{"id": fixed(10, short), "json": full, "minifiedJson": short}, nil
}

func marshal(v any, indent string) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	err := e.Encode(v)
	return strings.TrimSpace(b.String()), err
}

func oneOrMany(values []string) any {
	switch len(values) {
	case 0:
		return nil
	case 1:
		return values[0]
	}
	out := slices.Sorted(slices.Values(values))
	slices.Reverse(out)
	return out
}

func principals(list []cloud.Object) any {
	grouped := map[string][]string{}
	for _, p := range list {
		grouped[p.String("type")] = append(grouped[p.String("type")], p.Strings("identifiers")...)
	}
	if len(grouped) == 0 {
		return nil
	}
	if all := grouped["*"]; len(grouped) == 1 && len(all) == 1 && all[0] == "*" {
		return "*"
	}
	out := map[string]any{}
	for kind, ids := range grouped {
		out[kind] = oneOrMany(ids)
	}
	return out
}

func conditions(list []cloud.Object) any {
	if len(list) == 0 {
		return nil
	}
	grouped := map[string]map[string][]string{}
	for _, c := range list {
		test := grouped[c.String("test")]
		if test == nil {
			test = map[string][]string{}
			grouped[c.String("test")] = test
		}
		test[c.String("variable")] = append(test[c.String("variable")], c.Strings("values")...)
	}
	out := map[string]map[string]any{}
	for test, variables := range grouped {
		out[test] = map[string]any{}
		for variable, values := range variables {
			out[test][variable] = values
			if len(values) == 1 {
				out[test][variable] = values[0]
			}
		}
	}
	return out
}
