package cloudflare

import (
	"regexp"
	"slices"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

var domain = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$`)

func zone() cloud.Type {
	return cloud.Type{
		Token: zoneType,
		Check: func(c *cloud.CheckCall) {
			if t := c.In.String("type"); c.In.Known("type") && !slices.Contains([]string{"full", "partial", "secondary"}, t) {
				c.Fail("type", "got %q, expected one of full, partial, secondary", t)
			}
		},
		Create: func(c *cloud.Call) error {
			name := c.In.String("zone")
			if err := route("accounts", c.In.String("accountId")); err != nil {
				return err
			}
			if !domain.MatchString(name) {
				return cloud.Refuse("1099", "%s is not a registered domain", name)
			}
			if c.Clash("zone") != nil {
				return cloud.Refuse("1061", "%s already exists", name)
			}
			c.ID = zoneID(c.World, name)
			c.Out["nameServers"] = nameServers(c.Gen)
			c.Out["status"] = "pending"
			c.Out["verificationKey"] = c.Gen.Pick("verification", "0123456789", 9) + "-" + c.Gen.Pick("key", "0123456789", 9)
			c.Out["meta"] = cloud.Object{"phishing_detected": false, "wildcard_proxiable": true}
			if !c.In.Has("plan") {
				c.Out["plan"] = "free"
			}
			return nil
		},
	}
}

// zoneID is the id of the zone of that name: the same for a lookup and a resource.
func zoneID(w *cloud.World, name string) string {
	return cloud.Gen{Seed: w.Seed}.Hex("zone/"+name, 32)
}

func nameServers(g cloud.Gen) any {
	first := []string{"ada", "bob", "chad", "dana", "elma", "fred", "gina", "hugh"}
	n := g.Number("nameservers", 0, len(first)-1)
	return cloud.Plain([]string{first[n] + ".ns.cloudflare.com", first[(n+3)%len(first)] + ".ns.cloudflare.com"})
}
