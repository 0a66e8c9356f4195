package aws

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// withPolicies makes two writings of one policy no change, as the provider does: a list of one is
// its element, and the order of statements and values means nothing.
func withPolicies(t cloud.Type) cloud.Type {
	next := t.Same
	t.Same = func(property string, old, new any) bool {
		name := property[strings.LastIndex(property, ".")+1:]
		if name == "policy" || name == "assumeRolePolicy" {
			return samePolicy(old, new)
		}
		return next != nil && next(property, old, new)
	}
	return t
}

func samePolicy(old, new any) bool {
	a, errA := cloud.JSON(policyText(old))
	b, errB := cloud.JSON(policyText(new))
	return errA == nil && errB == nil && a != nil && b != nil && canonicalPolicy(a) == canonicalPolicy(b)
}

// canonicalPolicy writes a policy, or a part of it, in one way of many.
func canonicalPolicy(v any) string {
	switch v := v.(type) {
	case cloud.Object:
		var parts []string
		for _, k := range v.Keys() {
			parts = append(parts, k+":"+canonicalPolicy(v[k]))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case []any:
		var parts []string
		for _, e := range v {
			parts = append(parts, canonicalPolicy(e))
		}
		slices.Sort(parts)
		if len(parts) == 1 {
			return parts[0]
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	out, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(out)
}
