package hcloud

import (
	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// publicNets gives the server its public addresses: primary IPs that it names, new ones otherwise.
func publicNets(c *cloud.Call) error {
	before4, before6 := c.Out.String("ipv4Address"), c.Out.String("ipv6Network")
	if c.Old == nil {
		before4, before6 = "", ""
	}
	nets := c.In.Objects("publicNets")
	if len(nets) == 0 {
		// Without the block the server keeps what it has; a new one has both families.
		setIPv4(c, before4, nil)
		setIPv6(c, before6, nil)
		return nil
	}
	for _, n := range nets {
		ip4, err := primaryFor(c, n, "ipv4")
		if err != nil {
			return err
		}
		ip6, err := primaryFor(c, n, "ipv6")
		if err != nil {
			return err
		}
		if enabled(n, "ipv4Enabled") {
			setIPv4(c, keep(c, before4, ip4), ip4)
		} else {
			c.Out["ipv4Address"] = ""
		}
		if enabled(n, "ipv6Enabled") {
			setIPv6(c, keep(c, before6, ip6), ip6)
		} else {
			c.Out["ipv6Address"], c.Out["ipv6Network"] = "", ""
		}
	}
	return nil
}

func enabled(n cloud.Object, property string) bool { return !n.Has(property) || n.Bool(property) }

// keep is the address to go on with when no primary IP is named: the one before, unless that was a
// primary IP of the program's own.
func keep(c *cloud.Call, before string, ip *cloud.Resource) string {
	if ip != nil || addressTaken(c, "ipAddress", before) || addressTaken(c, "ipNetwork", before) {
		return ""
	}
	return before
}

// primaryFor returns the primary IP that the block names for the family, and refuses one that is not
// there, of the other family, elsewhere or in use.
func primaryFor(c *cloud.Call, n cloud.Object, family string) (*cloud.Resource, error) {
	id := n.String(family)
	if id == "" || id == "0" {
		return nil, nil
	}
	if !enabled(n, family+"Enabled") {
		return nil, cloud.Refuse("", "this operation is not allowed: %sEnabled = false | %s = %s", family, family, id)
	}
	ip := c.Find(primaryIPType, id)
	if ip == nil {
		return nil, notFound("primary IP", id)
	}
	if got := ip.Out.String("type"); got != family {
		return nil, cloud.Refuse("invalid_input", "primary IP %s is of type %s and can not be the server's %s address", id, got, family)
	}
	if at := ip.Out.String("location"); at != c.Out.String("location") {
		return nil, cloud.Refuse("invalid_input", "primary IP %s is in %s, the server in %s: both must be in the same location", id, at, c.Out.String("location"))
	}
	if s := holder(c.World, ip); s != nil && s.ID != c.ID {
		return nil, cloud.Refuse("invalid_input", "primary IP %s is already assigned to server %s", id, s.ID)
	}
	return ip, nil
}

func setIPv4(c *cloud.Call, before string, ip *cloud.Resource) {
	switch {
	case ip != nil:
		c.Out["ipv4Address"] = ip.Out.String("ipAddress")
	case before != "":
		c.Out["ipv4Address"] = before
	default:
		c.Out["ipv4Address"] = newIPv4(c, c.Out.String("location"))
	}
}

func setIPv6(c *cloud.Call, before string, ip *cloud.Resource) {
	network := before
	switch {
	case ip != nil:
		network = ip.Out.String("ipNetwork")
	case network == "":
		network = newIPv6(c, c.Out.String("location")) + "/64"
	}
	c.Out["ipv6Network"] = network
	c.Out["ipv6Address"] = network[:len(network)-len("/64")] + "1"
}

// holder is the server that the primary IP is assigned to, or nil.
func holder(w *cloud.World, ip *cloud.Resource) *cloud.Resource {
	if id := ip.Out.String("assigneeId"); id != "" && id != "0" {
		return w.Find(ip.Scope, serverType, id)
	}
	for _, s := range w.All(ip.Scope, serverType) {
		for _, n := range s.Out.Objects("publicNets") {
			if n.String("ipv4") == ip.ID || n.String("ipv6") == ip.ID {
				return s
			}
		}
	}
	return nil
}
