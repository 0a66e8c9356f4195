package hygiene

import (
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

var containers = []string{rule.DockerContainer}

// running leaves out containers that never run and only carry files.
func running(check func(*rule.Check)) func(*rule.Check) {
	return func(c *rule.Check) {
		if !rule.Idle(c.Resource) {
			check(c)
		}
	}
}

func named(c *rule.Check, setting string) bool {
	return slices.ContainsFunc(c.Strings(setting), func(p string) bool { return rule.Glob(p, c.In("name").Text()) })
}

// hostPaths are the paths of the host that a container sees, with whether it may write.
func hostPaths(c *rule.Check, visit func(path string, writable bool, v rule.Value)) {
	c.Each(c.In("volumes"), func(v rule.Value) {
		if p := v.At("hostPath"); p.Unknown() {
			c.Undecided(p)
		} else if p.Text() != "" {
			visit(p.Text(), !v.At("readOnly").True(), v)
		}
	})
	c.Each(c.In("mounts"), func(v rule.Value) {
		if v.At("type").Text() == "bind" {
			visit(v.At("source").Text(), !v.At("readOnly").True(), v)
		}
	})
}

var dockerRun = []rule.Rule{{
	ID: "docker-no-privileged", Level: rule.Mandatory, Refs: []string{"K:ae5b6871"}, Types: containers,
	Title:  "No container is privileged",
	Reason: "A privileged container is root on the host.",
	Mend:   "Leave privileged false.",
	Check:  func(c *rule.Check) { c.False("privileged", "the container is privileged") },
}, {
	ID: "docker-socket", Level: rule.Mandatory, Refs: []string{"K:d6355c88"}, Types: containers,
	Title:    "Only the proxy sees Docker's socket, and read-only",
	Reason:   "Whoever may talk to Docker is root on the host.",
	Mend:     "Take the mount away.",
	Settings: []rule.Setting{{Name: "proxies", Default: []string{"traefik"}, Description: "names of containers that may see the socket, read-only"}},
	Check: func(c *rule.Check) {
		hostPaths(c, func(path string, writable bool, _ rule.Value) {
			switch {
			case !strings.HasSuffix(path, "docker.sock"):
			case !named(c, "proxies"):
				c.Violate("the container sees Docker's socket")
			case writable:
				c.Violate("the container may write to Docker's socket")
			}
		})
	},
}, {
	ID: "docker-host-paths", Level: rule.Mandatory, Types: containers,
	Title:  "Containers see nothing of the host but what they need, read-only",
	Reason: "A writable path of the host is a way out of the container.",
	Mend:   "Use a volume.",
	Settings: []rule.Setting{{Name: "paths", Default: []string{"/etc/localtime", "/etc/timezone", "*/docker.sock", "/proc", "/sys", "/"},
		Description: "paths that may be mounted, read-only; the last three are for the agent that measures the host"},
		{Name: "agents", Default: []string{"node-exporter", "cadvisor"}, Description: "names of containers that measure the host"}},
	Check: func(c *rule.Check) {
		hostPaths(c, func(path string, writable bool, _ rule.Value) {
			allowed := slices.ContainsFunc(c.Strings("paths"), func(p string) bool { return rule.Glob(p, path) })
			if slices.Contains([]string{"/", "/proc", "/sys"}, path) && !named(c, "agents") {
				allowed = false
			}
			switch {
			case !allowed:
				c.Violate("the container sees %s of the host", path)
			case writable && !strings.HasSuffix(path, "docker.sock"):
				c.Violate("the container may write to %s of the host", path)
			}
		})
	},
}, {
	ID: "docker-no-new-privileges", Level: rule.Mandatory, Refs: []string{"K:27fcc7d6"}, Types: containers,
	Title:  "No process in a container gains rights",
	Reason: "It stops programs that become root by a flag on their file.",
	Mend:   "Add no-new-privileges:true to securityOpts.",
	Check: func(c *rule.Check) {
		v := c.In("securityOpts")
		if v.HoldsUnknown() {
			c.Undecided(v)
		} else if !slices.ContainsFunc(v.Texts(), func(s string) bool { return s == "no-new-privileges" || s == "no-new-privileges:true" }) {
			c.Violate("processes may gain rights")
		}
	},
}, {
	ID: "docker-seccomp", Level: rule.Mandatory, Types: containers,
	Title:  "No container switches the kernel's filters off",
	Reason: "They keep system calls away that nobody needs but attackers.",
	Mend:   "Take unconfined out of securityOpts.",
	Check: func(c *rule.Check) {
		c.Each(c.In("securityOpts"), func(v rule.Value) {
			if strings.HasSuffix(v.Text(), "unconfined") || v.Text() == "label:disable" {
				c.Violate("%s is set", v.Text())
			}
		})
	},
}, {
	ID: "docker-drop-capabilities", Level: rule.Mandatory, Refs: []string{"K:ce76b7d0"}, Types: containers,
	Title:  "Containers drop all capabilities, and take few back",
	Reason: "They are root's rights in pieces.",
	Mend:   "Set capabilities.drops to ALL; the setting lists what may be taken back.",
	Settings: []rule.Setting{{Name: "adds", Default: []string{"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_SETGID", "CAP_SETUID", "CAP_NET_BIND_SERVICE"},
		Description: "capabilities that may be taken back"}},
	Check: func(c *rule.Check) {
		drops := c.In("capabilities.drops")
		if drops.HoldsUnknown() {
			c.Undecided(drops)
		} else if !slices.Contains(drops.Texts(), "ALL") {
			c.Violate("the container keeps capabilities")
		}
		c.Each(c.In("capabilities.adds"), func(v rule.Value) {
			if name := "CAP_" + strings.TrimPrefix(v.Text(), "CAP_"); !slices.Contains(c.Strings("adds"), name) {
				c.Violate("the container takes %s", name)
			}
		})
	},
}, {
	ID: "docker-non-root", Level: rule.Mandatory, Refs: []string{"DS-0002", "K:fd54f200"}, Types: containers,
	Title:    "Containers run as a user who is not root, where the image allows it",
	Reason:   "Root inside a container is one mistake of the kernel away from root outside.",
	Mend:     "Set user. The setting names the containers that must be root: the proxy for Docker's socket, the backup to read everybody's files.",
	Settings: []rule.Setting{{Name: "containers", Default: []string{"traefik", "backup", "frontend"}, Description: "names of containers that may be root, or whatever user their image has"}},
	Check: running(func(c *rule.Check) {
		if named(c, "containers") {
			return
		}
		c.Want(c.In("user"), func(v rule.Value) bool {
			user, _, _ := strings.Cut(v.Text(), ":")
			return user != "" && user != "0" && user != "root"
		}, "the container runs as root, or as whoever its image says")
	}),
}, {
	ID: "docker-image-pinned", Level: rule.Mandatory, Refs: []string{"DS-0001", "K:f45ea400"}, Types: []string{"docker:index/remoteImage:RemoteImage", rule.DockerContainer},
	Title:  "Images name their version",
	Reason: "What runs must not change behind our back.",
	Mend:   "Give the image a tag other than latest, or a digest.",
	Check: func(c *rule.Check) {
		path := "image"
		if c.Type != rule.DockerContainer {
			path = "name"
		}
		c.Want(c.In(path), func(v rule.Value) bool { return rule.Pinned(v.Text()) }, "the image is not pinned")
	},
}, {
	ID: "docker-read-only-root", Level: rule.Mandatory, Types: containers,
	Title:    "The root file system of containers is read-only",
	Reason:   "Whoever breaks in can leave nothing behind, and change no program.",
	Mend:     "Set readOnly, and tmpfs where the program writes.",
	Settings: []rule.Setting{{Name: "containers", Default: []string{}, Description: "names of containers whose image needs to write to its root file system"}},
	Check: running(func(c *rule.Check) {
		if !named(c, "containers") {
			c.True("readOnly", "the container can write to its root file system")
		}
	}),
}}
