package hygiene

import (
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

var tasks = []string{rule.TaskDefinition}

// eachContainer makes a check of every container of a task definition.
func eachContainer(visit func(c *rule.Check, name string, v rule.Value)) func(*rule.Check) {
	return func(c *rule.Check) {
		list, known := rule.TaskContainers(c.Resource)
		if !known {
			c.Undecided(c.In("containerDefinitions"))
		}
		for _, container := range list {
			visit(c, container.At("name").Text(), container)
		}
	}
}

var ecsTasks = []rule.Rule{{
	ID: "ecs-no-privileged", Level: rule.Mandatory, Refs: []string{"C334"}, Types: tasks,
	Title:  "No container of a task is privileged",
	Reason: "A privileged container is root on its host.",
	Mend:   "Set privileged to false.",
	Check: eachContainer(func(c *rule.Check, name string, v rule.Value) {
		if v.At("privileged").True() {
			c.Violate("container %s is privileged", name)
		}
	}),
}, {
	ID: "ecs-read-only-root", Level: rule.Mandatory, Refs: []string{"C336"}, Types: tasks,
	Title:  "The root file system of containers is read-only",
	Reason: "Whoever breaks in can leave nothing behind, and change no program.",
	Mend:   "Set readonlyRootFilesystem, and mount scratch volumes where the program writes.",
	Check: eachContainer(func(c *rule.Check, name string, v rule.Value) {
		if !v.At("readonlyRootFilesystem").True() {
			c.Violate("container %s can write to its root file system", name)
		}
	}),
}, {
	ID: "ecs-non-root", Level: rule.Mandatory, Refs: []string{"DS-0002"}, Types: tasks,
	Title:    "Containers run as a user who is not root",
	Reason:   "Root inside a container is one mistake of the kernel away from root outside.",
	Mend:     "Set user to numbers other than 0.",
	Settings: []rule.Setting{{Name: "containers", Default: []string{"*-scratch"}, Description: "names of helper containers that may be root: they open fresh directories to the container's user, and end"}},
	Check: eachContainer(func(c *rule.Check, name string, v rule.Value) {
		user, _, _ := strings.Cut(v.At("user").Text(), ":")
		helper := slices.ContainsFunc(c.Strings("containers"), func(p string) bool { return rule.Glob(p, name) }) && !v.At("essential").True()
		if (user == "" || user == "0" || user == "root") && !helper {
			c.Violate("container %s runs as root, or as whoever its image says", name)
		}
	}),
}, {
	ID: "ecs-drop-capabilities", Level: rule.Mandatory, Types: tasks,
	Title:  "Containers drop all capabilities, and add none",
	Reason: "They are root's rights in pieces; a web service needs none.",
	Mend:   "Set linuxParameters.capabilities.drop to ALL.",
	Check: eachContainer(func(c *rule.Check, name string, v rule.Value) {
		capabilities := v.At("linuxParameters.capabilities")
		if !slices.Contains(capabilities.At("drop").Texts(), "ALL") {
			c.Violate("container %s keeps capabilities", name)
		} else if added := capabilities.At("add").Texts(); len(added) > 0 {
			c.Violate("container %s adds %s", name, strings.Join(added, ", "))
		}
	}),
}, {
	ID: "ecs-logging", Level: rule.Mandatory, Refs: []string{"N-ECS7"}, Types: tasks,
	Title:  "Every container's output is kept",
	Reason: "A container that stops takes what it said with it.",
	Mend:   "Set logConfiguration.",
	Check: eachContainer(func(c *rule.Check, name string, v rule.Value) {
		if v.At("logConfiguration.logDriver").Text() == "" {
			c.Violate("container %s has no log", name)
		}
	}),
}, {
	ID: "ecs-image-pinned", Level: rule.Mandatory, Refs: []string{"DS-0001"}, Types: tasks,
	Title:  "Containers name the version of their image",
	Reason: "What runs must not change behind our back, and must be the same in every task.",
	Mend:   "Give the image a tag other than latest, or a digest.",
	Check: eachContainer(func(c *rule.Check, name string, v rule.Value) {
		if !rule.Pinned(v.At("image").Text()) {
			c.Violate("the image of container %s is not pinned: %s", name, v.At("image").Show())
		}
	}),
}, {
	ID: "ecs-network-mode", Level: rule.Mandatory, Types: tasks,
	Title:  "Each task has a network interface of its own",
	Reason: "Security groups are for interfaces: without its own, a task shares its neighbours' rights.",
	Mend:   "Set networkMode to awsvpc.",
	Check:  func(c *rule.Check) { c.OneOf("networkMode", "the task shares a network", "awsvpc") },
}, {
	ID: "ecs-efs-in-transit", Level: rule.Mandatory, Refs: []string{"T0035", "C97"}, Types: tasks,
	Title:  "Tasks mount file systems over TLS, with their role, through an access point",
	Reason: "NFS itself is in plain text, and believes whoever asks.",
	Mend:   "Set transitEncryption and authorizationConfig.iam to ENABLED, and accessPointId.",
	Check: func(c *rule.Check) {
		c.Each(c.In("volumes"), func(v rule.Value) {
			efs := v.At("efsVolumeConfiguration")
			if efs.Absent() {
				return
			}
			enabled := func(v rule.Value) bool { return v.Text() == "ENABLED" }
			c.Want(efs.At("transitEncryption"), enabled, "files cross the network in plain")
			c.Want(efs.At("authorizationConfig.iam"), enabled, "the mount does not ask who it is")
			c.Want(efs.At("authorizationConfig.accessPointId"), func(v rule.Value) bool { return v.Text() != "" }, "the whole file system is mounted")
		})
	},
}, {
	ID: "ecs-distinct-roles", Level: rule.Mandatory, Refs: []string{"C249"},
	Title:  "What starts a task and what runs in it have different roles",
	Reason: "The execution role reads secrets and pulls images; the program must not.",
	Mend:   "Give the task definition two roles.",
	Graph: func(g *rule.Graph) {
		const tRole = "aws:iam/role:Role"
		for _, t := range g.Of(rule.TaskDefinition) {
			g.Looked(t)
			execution, task := t.Get("executionRoleArn"), t.Get("taskRoleArn")
			if execution.Absent() || task.Absent() {
				continue
			}
			a, b := g.Refs(t, "executionRoleArn", tRole), g.Refs(t, "taskRoleArn", tRole)
			switch {
			case execution.Text() != "" && execution.Text() == task.Text(), len(a.Found) > 0 && len(b.Found) > 0 && a.Found[0] == b.Found[0]:
				g.Violate(t, "both roles are the same")
			case a.Unknown || b.Unknown:
				g.Undecided(t, "taskRoleArn")
			}
		}
	},
}}
