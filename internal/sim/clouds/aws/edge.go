package aws

import (
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// edgeTypes are identity, keys, buckets, delivery, names, monitoring and backup.
func edgeTypes() []cloud.Type {
	types := slices.Concat(
		iamTypes(), kmsTypes(), s3Types(),
		cloudFrontTypes(), acmTypes(), route53Types(), wafTypes(),
		secretTypes(), parameterTypes(), snsTypes(),
		alarmTypes(), logTypes(), eventTypes(), schedulerTypes(),
		backupTypes(), registryTypes(), dataSyncTypes(), budgetTypes(),
	)
	for i := range types {
		if strings.HasPrefix(types[i].Token, "aws:s3/") {
			types[i] = onR2(types[i])
		}
		types[i] = withPolicies(withChoices(withTags(types[i])))
	}
	return types
}

// withTags fills tagsAll after every write of a type that takes tags.
func withTags(t cloud.Type) cloud.Type {
	wrap := func(next func(*cloud.Call) error) func(*cloud.Call) error {
		return func(c *cloud.Call) error {
			if _, taggable := c.Out["tagsAll"]; taggable || c.In.Has("tags") {
				tagsAll(c)
			}
			if next == nil {
				return nil
			}
			return next(c)
		}
	}
	t.Create, t.Update = wrap(t.Create), wrap(t.Update)
	return t
}

// written makes a rule that a creation and an update share run on both, before what is particular
// to the creation.
func written(t cloud.Type, rule func(*cloud.Call) error, create func(*cloud.Call) error) cloud.Type {
	t.Update = rule
	t.Create = func(c *cloud.Call) error {
		if err := rule(c); err != nil || create == nil {
			return err
		}
		return create(c)
	}
	return t
}

// updating tells whether the call changes something that exists.
func updating(c *cloud.Call) bool { return c.Old != nil }

// operation names the API operation of a write: creation or update.
func operation(c *cloud.Call, create, update string) string {
	if updating(c) {
		return update
	}
	return create
}

// remnant is the type under which the world remembers what AWS keeps after a deletion, such as the
// name of a secret in its recovery window. Remnants are no resources: nothing lists or finds them.
func remnant(kind string) string { return "aws:remnant/" + kind }

// remember leaves a remnant behind.
func remember(c *cloud.Call, kind, id string, facts cloud.Object) {
	c.World.Put(&cloud.Resource{Type: remnant(kind), ID: id, Scope: c.Scope, Out: facts})
}

// remembered returns the remnant, or nil.
func remembered(c *cloud.Call, kind, id string) *cloud.Resource {
	return c.World.Find(c.Scope, remnant(kind), id)
}

// forget removes the remnant.
func forget(c *cloud.Call, kind, id string) { c.World.Remove(c.Scope, remnant(kind), id) }

// upper is the alphabet of AWS's unique ids.
const (
	upper    = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	upper32  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	lower    = "abcdefghijklmnopqrstuvwxyz0123456789"
	letters  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	base64ch = letters + "0123456789+/"
)
