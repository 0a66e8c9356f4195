package docker

import (
	"path"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// mounts refuses volumes that are not there and places in the container that cannot be mounted on.
//
// The daemon itself makes a named volume that is missing. A program that declares its volumes gets
// here only when a name is wrong or the order is, and would have its data in a volume nobody
// protects: so that is refused, and the message says so.
func mounts(c *cloud.Call) error {
	seen := map[string]bool{}
	at := func(target string) error {
		if !strings.HasPrefix(target, "/") {
			return create("invalid mount config: invalid mount path: '%s' mount path must be absolute", target)
		}
		if target = path.Clean(target); target == "/" {
			return create("invalid mount config: invalid specification: destination can't be '/'")
		}
		if seen[target] {
			return create("Duplicate mount point: %s", target)
		}
		seen[target] = true
		return nil
	}
	there := func(volume string) error {
		if volume == "" || c.Find(volumeType, volume) != nil {
			return nil
		}
		return create("volume %q is not on this host: declare it as a docker.Volume and refer to its name, so that it exists before the container (the daemon would silently make an empty one)", volume)
	}
	for _, v := range c.In.Objects("volumes") {
		if err := at(v.String("containerPath")); err != nil && v.String("fromContainer") == "" {
			return err
		}
		if err := there(v.String("volumeName")); err != nil {
			return err
		}
		if from := v.String("fromContainer"); from != "" && !containerThere(c, from) {
			return create("No such container: %s", from)
		}
	}
	for _, m := range c.In.Objects("mounts") {
		if err := at(m.String("target")); err != nil {
			return err
		}
		switch source := m.String("source"); m.String("type") {
		case "volume":
			if err := there(source); err != nil {
				return err
			}
		case "bind":
			if !strings.HasPrefix(source, "/") {
				return create("invalid mount config for type \"bind\": invalid mount path: '%s' mount path must be absolute", source)
			}
		case "tmpfs":
			if source != "" {
				return create("invalid mount config for type \"tmpfs\": field Source must not be specified")
			}
		}
	}
	for _, target := range c.In.Object("tmpfs").Keys() {
		if err := at(target); err != nil {
			return err
		}
	}
	return nil
}

func containerThere(c *cloud.Call, nameOrID string) bool {
	return len(users(c, func(o cloud.Object) bool { return o.String("name") == nameOrID })) > 0 || c.Find(containerType, nameOrID) != nil
}

// uploads refuses files for a container whose root is read-only. The provider copies every file to
// "/", so that it does not help when the file's own directory is a writable volume.
func uploads(c *cloud.Call) error {
	list := c.In.Objects("uploads")
	if len(list) > 0 && c.In.Bool("readOnly") {
		return cloud.Refuse("", "Unable to upload volume content: Error response from daemon: container rootfs is marked read-only (the provider copies %s to the root of the container)", list[0].String("file"))
	}
	for _, u := range list {
		file := u.String("file")
		for _, v := range c.In.Objects("volumes") {
			if dir := v.String("containerPath"); v.Bool("readOnly") && (file == dir || strings.HasPrefix(file, dir+"/")) {
				return cloud.Refuse("", "Unable to upload volume content: Error response from daemon: mounted volume is marked read-only (%s is in %s)", file, dir)
			}
		}
	}
	return nil
}
