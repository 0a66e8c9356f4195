package hcloud

import (
	"slices"
	"strings"
	"time"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const maxUserData = 32 * 1024

func server() cloud.Type {
	return cloud.Type{
		Token:  serverType,
		Check:  checkServer,
		Create: createServer,
		Update: updateServer,
		Delete: protected("server"),
		// The provider compares user data without white space at its ends.
		Same: func(property string, old, new any) bool {
			return property == "userData" && strings.TrimSpace(cloud.Text(old)) == strings.TrimSpace(cloud.Text(new))
		},
		Recomputed: map[string][]string{
			"publicNets": {"ipv4Address", "ipv6Address", "ipv6Network"},
			"serverType": {"primaryDiskSize"},
			"backups":    {"backupWindow"},
		},
		Takes: cloud.Durations{Create: 60 * time.Second, Update: 30 * time.Second, Delete: 20 * time.Second},
	}
}

func checkServer(c *cloud.CheckCall) {
	checkLabels(c)
	if c.In.Known("name") && !hostname.MatchString(c.In.String("name")) {
		c.Fail("name", "%q is not a valid hostname as per RFC 1123: letters, digits and dashes, up to 63 in a part", c.In.String("name"))
	}
	if c.In.Has("image") && c.In.String("image") == "" && c.In.Known("image") {
		c.Fail("image", "must have more than 0 characters. Have you set the name instead of an ID?")
	}
	// The cloud itself says so only when the time comes to order, in the middle of a deployment.
	if name := c.In.String("serverType"); c.In.Known("serverType") && name != c.Old.String("serverType") {
		if why := notSold(name, c.In.String("location")); why != "" {
			c.Fail("serverType", "%s", why)
		}
	}
	if c.In.Known("rescue") && !slices.Contains([]string{"", "linux64", "linux32", "freebsd64"}, c.In.String("rescue")) {
		c.Fail("rescue", "got %q, expected linux64", c.In.String("rescue"))
	}
}

func createServer(c *cloud.Call) error {
	s, err := orderable(c)
	if err != nil {
		return err
	}
	if err := imageExists(c, s); err != nil {
		return err
	}
	if n := len(c.In.String("userData")); n > maxUserData {
		return cloud.Refuse("invalid_input", "invalid input in field 'user_data': %d bytes, at most %d are allowed", n, maxUserData)
	}
	for _, key := range c.In.Strings("sshKeys") {
		if !sshKeyExists(c, key) {
			return cloud.Refuse("", "SSH key not found: %s", key)
		}
	}
	number(c, 100_000_000, 139_999_999)
	if err := common(c); err != nil {
		return err
	}
	c.Out["status"] = "running"
	c.Out["primaryDiskSize"] = float64(s.diskGB)
	c.Out["datacenter"] = locations[c.Out.String("location")].datacenter
	c.Out.Default("image", "")
	return nil
}

// orderable finds type and location, and settles the location where the program leaves it open.
func orderable(c *cloud.Call) (size, error) {
	name := c.In.String("serverType")
	s := sizes[name]
	if why := notSold(name, c.In.String("location")); why != "" {
		return s, cloud.Refuse("", "server type not found: %s", why)
	}
	at := c.In.String("location")
	if dc := c.In.String("datacenter"); dc != "" {
		of, ok := locationOfDatacenter(dc)
		if !ok || at != "" && at != of {
			return s, cloud.Refuse("invalid_input", "invalid input in field 'datacenter': datacenter %s not found or not in location %s", dc, at)
		}
		at = of
	}
	if at == "" {
		at = placeOfAddresses(c)
	}
	if at == "" {
		at = s.locations[0]
	}
	if _, ok := locations[at]; !ok {
		return s, cloud.Refuse("invalid_input", "invalid input in field 'location': location %s not found; Hetzner has %s", at, strings.Join(locationNames, ", "))
	}
	c.Out["location"] = at
	return s, offered(c, name, s, at)
}

// offered refuses a type that does not exist at the location, and warns of one that is on its way out.
func offered(c *cloud.Call, name string, s size, at string) error {
	if slices.Contains(s.locations, at) {
		if withdrawn(name, at) {
			c.Warn("server %s: since 2026 Hetzner takes no new orders for %s in %s (servers that exist go on); for a new one there is %s", c.Name, name, at, alternatives(s, at))
		}
		return nil
	}
	hint := ""
	if other := alternatives(s, at); other != "" {
		hint = "; " + at + " has " + other + " with as many cores"
	}
	return cloud.Refuse("invalid_input", "unsupported location for server type: %s can not be ordered in %s, only in %s%s",
		name, at, strings.Join(s.locations, ", "), hint)
}

// placeOfAddresses is the location of the primary addresses that the server is to have.
func placeOfAddresses(c *cloud.Call) string {
	for _, n := range c.In.Objects("publicNets") {
		for _, family := range []string{"ipv4", "ipv6"} {
			if ip := c.Find(primaryIPType, n.String(family)); ip != nil {
				return ip.Out.String("location")
			}
		}
	}
	return ""
}

func imageExists(c *cloud.Call, s size) error {
	image := c.In.String("image")
	if snapshot := c.Find(snapshotType, image); snapshot != nil {
		return nil
	}
	deprecated, known := images[image]
	if !known || s.architecture == "arm" && slices.Contains(onlyX86, image) {
		return cloud.Refuse("", "image %s for architecture %s not found", image, s.architecture)
	}
	if deprecated && !c.In.Bool("allowDeprecatedImages") {
		return cloud.Refuse("", "image %s is deprecated. If you want to use it, specify the allowDeprecatedImages option", image)
	}
	return nil
}

func sshKeyExists(c *cloud.Call, key string) bool {
	return slices.ContainsFunc(c.All(sshKeyType), func(k *cloud.Resource) bool { return k.ID == key || k.Out.String("name") == key })
}

// common are the rules and outputs that creation and update share.
func common(c *cloud.Call) error {
	if err := uniqueName(c, "server"); err != nil {
		return err
	}
	if c.In.Bool("deleteProtection") != c.In.Bool("rebuildProtection") {
		return cloud.Refuse("invalid_input", "delete and rebuild protection have to be equal: set deleteProtection and rebuildProtection to the same value")
	}
	attached := c.In.List("firewallIds")
	if len(attached) > 5 {
		return cloud.Refuse("invalid_input", "at most 5 firewalls can be applied to a server, got %d", len(attached))
	}
	for _, id := range attached {
		if c.Find(firewallType, cloud.Text(id)) == nil {
			return notFound("firewall", cloud.Text(id))
		}
	}
	if err := placement(c); err != nil {
		return err
	}
	if err := publicNets(c); err != nil {
		return err
	}
	if err := inlineNetworks(c); err != nil {
		return err
	}
	c.Out.Default("firewallIds", []any{})
	c.Out["backupWindow"] = ""
	if c.In.Bool("backups") {
		c.Out["backupWindow"] = []string{"22-02", "02-06", "06-10", "10-14", "14-18", "18-22"}[c.Gen.Number("backups", 0, 5)]
		if old := c.Old.String("backupWindow"); old != "" {
			c.Out["backupWindow"] = old
		}
	}
	return nil
}

func placement(c *cloud.Call) error {
	group, err := find(c, "placement group", placementGroupType, "placementGroupId")
	if group == nil || err != nil {
		return err
	}
	n := 0
	for _, s := range c.All(serverType) {
		if s.Out.String("placementGroupId") == group.ID {
			n++
		}
	}
	if n >= 10 {
		return cloud.Refuse("placement_error", "placement group %s already has 10 servers, the most a spread group can hold", group.ID)
	}
	return nil
}

func updateServer(c *cloud.Call) error {
	if name := c.In.String("serverType"); name != c.Old.String("serverType") {
		if err := resize(c, name); err != nil {
			return err
		}
	}
	return common(c)
}

func resize(c *cloud.Call, name string) error {
	s, before, at := sizes[name], sizes[c.Old.String("serverType")], c.Out.String("location")
	if why := notSold(name, at); why != "" {
		return cloud.Refuse("", "server type not found: %s", why)
	}
	if before.architecture != "" && before.architecture != s.architecture {
		return cloud.Refuse("invalid_server_type", "server type %s has architecture %s, the server has %s: an architecture can not be changed", name, s.architecture, before.architecture)
	}
	if err := offered(c, name, s, at); err != nil {
		return err
	}
	if disk := c.Out.Int("primaryDiskSize"); disk > s.diskGB {
		return cloud.Refuse("invalid_server_type", "the disk of the server (%d GB) is bigger than that of server type %s (%d GB): a disk can not shrink; resize with keepDisk to be able to go back", disk, name, s.diskGB)
	}
	if !c.In.Bool("keepDisk") {
		c.Out["primaryDiskSize"] = float64(s.diskGB)
	}
	return nil
}
