package hcloud

import (
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func floatingIP() cloud.Type {
	return cloud.Type{
		Token: floatingIPType,
		Check: func(c *cloud.CheckCall) { checkLabels(c); checkFamily(c, "type") },
		Create: func(c *cloud.Call) error {
			server, err := find(c, "server", serverType, "serverId")
			if err != nil {
				return err
			}
			at := c.In.String("homeLocation")
			if at == "" && server != nil {
				at = server.Out.String("location")
			}
			if _, ok := locations[at]; !ok {
				return cloud.Refuse("invalid_input", "invalid input in field 'home_location': got %q, expected one of %s, or a server", at, strings.Join(locationNames, ", "))
			}
			if err := uniqueName(c, "floating IP"); err != nil {
				return err
			}
			number(c, 10_000_000, 19_999_999)
			c.Out["homeLocation"], c.Out["serverId"] = at, float64(c.In.Int("serverId"))
			setAddress(c, at)
			return nil
		},
		Update: func(c *cloud.Call) error {
			if _, err := find(c, "server", serverType, "serverId"); err != nil {
				return err
			}
			return uniqueName(c, "floating IP")
		},
		Delete: protected("floating IP"),
	}
}
