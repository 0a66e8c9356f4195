package hcloud

import (
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func primaryIP() cloud.Type {
	return cloud.Type{
		Token: primaryIPType,
		Check: func(c *cloud.CheckCall) {
			checkLabels(c)
			checkFamily(c, "type")
			if a := c.In.String("assigneeType"); c.In.Known("assigneeType") && a != "server" {
				c.Fail("assigneeType", "got %q, expected server: nothing else can hold a primary IP", a)
			}
		},
		Create: func(c *cloud.Call) error {
			at, err := placeOfIP(c)
			if err != nil {
				return err
			}
			if err := uniqueName(c, "primary IP"); err != nil {
				return err
			}
			number(c, 60_000_000, 119_999_999)
			c.Out["location"], c.Out["datacenter"] = at, locations[at].datacenter
			fill(c, "assigneeType", "server")
			fill(c, "labels", cloud.Object{})
			c.Out["assigneeId"] = float64(c.In.Int("assigneeId"))
			setAddress(c, at)
			return nil
		},
		Update: func(c *cloud.Call) error {
			server, err := find(c, "server", serverType, "assigneeId")
			if err != nil {
				return err
			}
			if server != nil && server.Out.String("location") != c.Out.String("location") {
				return cloud.Refuse("invalid_input", "server %s is in %s, the primary IP in %s", server.ID, server.Out.String("location"), c.Out.String("location"))
			}
			return uniqueName(c, "primary IP")
		},
		Delete: func(c *cloud.Call) error {
			if err := protected("primary IP")(c); err != nil {
				return err
			}
			self := c.World.Find(c.Scope, c.Type, c.ID)
			if self == nil {
				return nil
			}
			if s := holder(c.World, self); s != nil && s.Out.String("status") == "running" {
				return cloud.Refuse("server_not_stopped", "primary IP %s is assigned to server %s, which must be powered off before it can be taken away: assign another address to the server first", c.ID, s.ID)
			}
			return nil
		},
	}
}

func checkFamily(c *cloud.CheckCall, property string) {
	if t := c.In.String(property); c.In.Known(property) && t != "ipv4" && t != "ipv6" {
		c.Fail(property, "got %q, expected ipv4 or ipv6", t)
	}
}

// placeOfIP finds the one location that the inputs give.
func placeOfIP(c *cloud.Call) (string, error) {
	server, err := find(c, "server", serverType, "assigneeId")
	if err != nil {
		return "", err
	}
	var given []string
	if server != nil {
		given = append(given, server.Out.String("location"))
	}
	if at := c.In.String("location"); at != "" {
		given = append(given, at)
	}
	if dc := c.In.String("datacenter"); dc != "" {
		at, ok := locationOfDatacenter(dc)
		if !ok {
			return "", cloud.Refuse("invalid_input", "invalid input in field 'datacenter': datacenter %s not found", dc)
		}
		given = append(given, at)
	}
	given = slices.Compact(given)
	switch {
	case len(given) == 0:
		return "", cloud.Refuse("invalid_input", "one of location, datacenter and assigneeId is required")
	case len(given) > 1:
		return "", cloud.Refuse("invalid_input", "location, datacenter and assigneeId name different locations: %s", strings.Join(given, ", "))
	}
	if _, ok := locations[given[0]]; !ok {
		return "", cloud.Refuse("invalid_input", "invalid input in field 'location': location %s not found; Hetzner has %s", given[0], strings.Join(locationNames, ", "))
	}
	return given[0], nil
}

func setAddress(c *cloud.Call, at string) {
	if c.In.String("type") == "ipv6" {
		network := newIPv6(c, at)
		c.Out["ipAddress"], c.Out["ipNetwork"] = network, network+"/64"
		return
	}
	c.Out["ipAddress"], c.Out["ipNetwork"] = newIPv4(c, at), ""
}
