package cloudflare

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"time"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const tokenAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

// resourceKey is what a policy may name: an account, a zone, an R2 bucket, a user.
var resourceKey = regexp.MustCompile(`^com\.cloudflare\.(api\.account\.(\*|[0-9a-f]{32})|api\.account\.zone\.(\*|[0-9a-f]{32})|api\.user\.[0-9a-f]{32}|edge\.r2\.bucket\.[0-9a-f]{32}_(default|eu|fedramp)_[a-z0-9][a-z0-9-]{1,61}[a-z0-9])$`)

func apiToken() cloud.Type {
	apply := func(c *cloud.Call) error {
		for i, p := range c.In.Objects("policies") {
			if err := policy(c, fmt.Sprintf("policies[%d]", i), p); err != nil {
				return err
			}
		}
		c.Out["modifiedOn"], c.Out["status"] = c.Gen.Time(), "active"
		return nil
	}
	return cloud.Type{
		Token: apiTokenType,
		Check: checkToken,
		Create: func(c *cloud.Call) error {
			if err := apply(c); err != nil {
				return err
			}
			c.ID = c.Gen.Hex("id", 32)
			c.Out["issuedOn"] = c.Gen.Time()
			c.Out["value"] = c.Gen.Pick("value", tokenAlphabet, 40)
			return nil
		},
		Update:     apply,
		Recomputed: map[string][]string{"*": {"modifiedOn"}},
	}
}

func checkToken(c *cloud.CheckCall) {
	if n := c.In.String("name"); c.In.Known("name") && (n == "" || len(n) > 120) {
		c.Fail("name", "%d characters, 1 to 120 are allowed", len(n))
	}
	for i, p := range c.In.Objects("policies") {
		at := fmt.Sprintf("policies[%d].", i)
		if e := p.String("effect"); p.Known("effect") && e != "allow" && e != "deny" {
			c.Fail(at+"effect", "got %q, expected allow or deny", e)
		}
		if len(p.List("permissionGroups")) == 0 && !cloud.IsUnknown(p["permissionGroups"]) {
			c.Fail(at+"permissionGroups", "at least one is required")
		}
		if len(p.Object("resources")) == 0 && !cloud.IsUnknown(p["resources"]) {
			c.Fail(at+"resources", "at least one is required")
		}
	}
	for _, p := range []string{"expiresOn", "notBefore"} {
		if _, err := time.Parse(time.RFC3339, c.In.String(p)); c.In.Known(p) && err != nil {
			c.Fail(p, "%q is not a time like 2030-01-01T00:00:00Z", c.In.String(p))
		}
	}
	ip := c.In.Object("condition").Object("requestIp")
	for _, s := range slices.Concat(ip.Strings("ins"), ip.Strings("notIns")) {
		_, err := netip.ParsePrefix(s)
		if _, one := netip.ParseAddr(s); err != nil && one != nil {
			c.Fail("condition.requestIp", "%q is neither an address nor a CIDR range", s)
		}
	}
}

func policy(c *cloud.Call, at string, p cloud.Object) error {
	for _, id := range p.Strings("permissionGroups") {
		if !hex32.MatchString(id) {
			return cloud.Refuse("1001", "Invalid permission group in %s: %q is not an id of 32 hexadecimal digits; look it up by name with getApiTokenPermissionGroups", at, id)
		}
		if groupName(id) == "" {
			c.Warn("permission group %s of %s is none of those the simulator knows", id, c.Name)
		}
	}
	resources := p.Object("resources")
	for _, key := range resources.Keys() {
		if !resourceKey.MatchString(key) {
			return cloud.Refuse("1001", "Invalid resource name in %s: %q; write com.cloudflare.api.account.ACCOUNT, com.cloudflare.api.account.zone.ZONE or com.cloudflare.edge.r2.bucket.ACCOUNT_default_BUCKET", at, key)
		}
		if resources.String(key) == "" {
			return cloud.Refuse("1001", "Invalid resource in %s: %q needs a value, usually \"*\"", at, key)
		}
	}
	return nil
}
