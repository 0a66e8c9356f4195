package hygiene

import (
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

// forgejoEnv gives a check the plain settings of Forgejo, wherever it runs: a Docker container or a
// container of a task.
func forgejoEnv(visit func(c *rule.Check, where string, env map[string]rule.Value)) func(*rule.Check) {
	return func(c *rule.Check) {
		env := map[string]rule.Value{}
		if c.Type == rule.DockerContainer {
			if !strings.HasPrefix(c.In("name").Text(), "forgejo") || rule.Idle(c.Resource) {
				return
			}
			for _, e := range rule.DockerEnv(c.In("envs")) {
				env[e.Name] = e.Value
			}
			// A container beside it, such as the one that makes its database, has none of its settings.
			if c.In("envs").Unknown() {
				c.Undecided(c.In("envs"))
			} else if hasPrefix(env, "FORGEJO__") {
				visit(c, "the container", env)
			}
			return
		}
		list, known := rule.TaskContainers(c.Resource)
		if !known && strings.Contains(c.Name, "forgejo") {
			c.Undecided(c.In("containerDefinitions"))
		}
		for _, container := range list {
			if container.At("name").Text() != "forgejo" {
				continue
			}
			for _, e := range rule.EcsEnv(container) {
				env[e.Name] = e.Value
			}
			visit(c, "the container forgejo", env)
		}
	}
}

func hasPrefix(env map[string]rule.Value, prefix string) bool {
	for k := range env {
		if strings.HasPrefix(k, prefix) {
			return true
		}
	}
	return false
}

// setting wants one of Forgejo's settings to have one of the values.
func setting(name, why string, values ...string) func(*rule.Check) {
	return forgejoEnv(func(c *rule.Check, where string, env map[string]rule.Value) {
		v := env[name]
		switch {
		case v.Unknown():
			c.Undecided(v)
		case !slices.Contains(values, v.Text()):
			c.Violate("%s: %s of %s is %s", why, name, where, v.Show())
		}
	})
}

var homes = []string{rule.DockerContainer, rule.TaskDefinition}

var forgejo = []rule.Rule{{
	ID: "forgejo-no-registration", Level: rule.Mandatory, Types: homes,
	Title:  "Nobody can register at Forgejo",
	Reason: "All access goes through the backend's token.",
	Mend:   "Set FORGEJO__service__DISABLE_REGISTRATION to true.",
	Check:  setting("FORGEJO__service__DISABLE_REGISTRATION", "anybody can register", "true"),
}, {
	ID: "forgejo-signin-required", Level: rule.Mandatory, Types: homes,
	Title:  "Forgejo shows nothing without signing in",
	Reason: "Names of groups and spaces are private, too.",
	Mend:   "Set FORGEJO__service__REQUIRE_SIGNIN_VIEW to true.",
	Check:  setting("FORGEJO__service__REQUIRE_SIGNIN_VIEW", "anybody can look around", "true"),
}, {
	ID: "forgejo-private-by-default", Level: rule.Mandatory, Types: homes,
	Title:  "Repositories are private unless somebody says otherwise",
	Reason: "A space that was made without thinking must not be public.",
	Mend:   "Set FORGEJO__repository__DEFAULT_PRIVATE to private.",
	Check:  setting("FORGEJO__repository__DEFAULT_PRIVATE", "repositories are public", "private", "always"),
}, {
	ID: "forgejo-installed", Level: rule.Mandatory, Types: homes,
	Title:  "Forgejo's web installer never opens",
	Reason: "Whoever is first there becomes the administrator.",
	Mend:   "Set FORGEJO__security__INSTALL_LOCK to true.",
	Check:  setting("FORGEJO__security__INSTALL_LOCK", "the web installer opens", "true"),
}, {
	ID: "forgejo-no-git-hooks", Level: rule.Mandatory, Types: homes,
	Title:  "Nobody can run programs on the git server through hooks",
	Reason: "A hook is a script that the server runs.",
	Mend:   "Set FORGEJO__security__DISABLE_GIT_HOOKS to true.",
	Check:  setting("FORGEJO__security__DISABLE_GIT_HOOKS", "hooks run programs", "true"),
}, {
	ID: "forgejo-no-admin-password", Level: rule.Mandatory, Types: homes,
	Title:  "Forgejo's administrator has no password in the environment",
	Reason: "The environment is shown by docker inspect and in the task definition.",
	Mend:   "Make the administrator at first start, with the password on standard input.",
	Check: forgejoEnv(func(c *rule.Check, where string, env map[string]rule.Value) {
		for name := range env {
			upper := strings.ToUpper(name)
			if strings.Contains(upper, "ADMIN") && strings.Contains(upper, "PASS") && !strings.HasSuffix(upper, "_FILE") {
				c.Violate("%s has the variable %s", where, name)
			}
		}
	}),
}, {
	ID: "forgejo-one-writer", Level: rule.Mandatory,
	Title:  "One Forgejo writes to its volume",
	Reason: "Two damage it: queues and locks are files.",
	Mend:   "Run one container with the volume.",
	Graph: func(g *rule.Graph) {
		writers := map[string][]*rule.Resource{}
		for _, c := range g.Of(rule.DockerContainer) {
			name := c.Get("name")
			if name.Unknown() || !strings.HasPrefix(name.Text(), "forgejo") || rule.Idle(c) {
				continue
			}
			g.Looked(c)
			seen := map[string]bool{}
			for _, v := range c.Get("volumes").List() {
				volume := v.At("volumeName")
				if volume.Unknown() {
					for _, r := range g.Refs(c, "volumes", rule.DockerVolume).Found {
						volume = r.Get("name")
					}
				}
				if text := volume.Text(); text != "" && !v.At("readOnly").True() && !seen[text] {
					seen[text] = true
					writers[text] = append(writers[text], c)
				} else if volume.Unknown() {
					g.Undecided(c, volume.Path())
				}
			}
		}
		for volume, list := range writers {
			for _, c := range list[1:] {
				g.Violate(c, "%s writes to the volume %s, too", list[0].Name, volume)
			}
		}
	},
}}
