package docker

import "github.com/morphee-app/morphee-infra/internal/sim/cloud"

func volume() cloud.Type {
	return cloud.Type{
		Token: volumeType,
		Create: func(c *cloud.Call) error {
			if err := reachable(c); err != nil {
				return err
			}
			name := c.In.String("name")
			if !objectName.MatchString(name) {
				return cloud.Refuse("", "create %s: %q includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed, at least two of them", name, name)
			}
			if other := c.Clash("name"); other != nil {
				return cloud.Refuse("conflict", "volume %q is on this host already: the daemon would give two resources the same data, and deleting one would delete it for both", name)
			}
			c.ID = name
			fill(c, "driver", "local")
			c.Out["mountpoint"] = "/var/lib/docker/volumes/" + name + "/_data"
			return nil
		},
		Delete: func(c *cloud.Call) error {
			if err := reachable(c); err != nil {
				return err
			}
			for _, r := range users(c, func(o cloud.Object) bool { return mountsVolume(o, c.ID) }) {
				return cloud.Refuse("conflict", "remove %s: volume is in use - [%s] (container %s)", c.ID, r.ID, r.Out.String("name"))
			}
			return nil
		},
	}
}

// mountsVolume tells whether the container has the volume.
func mountsVolume(o cloud.Object, name string) bool {
	for _, v := range o.Objects("volumes") {
		if v.String("volumeName") == name {
			return true
		}
	}
	for _, m := range o.Objects("mounts") {
		if m.String("type") == "volume" && m.String("source") == name {
			return true
		}
	}
	return false
}
