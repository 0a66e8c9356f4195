package hygiene

import (
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

var services = []string{rule.EcsService}

var ecsServices = []rule.Rule{{
	ID: "ecs-platform-version", Level: rule.Mandatory, Refs: []string{"C332"}, Types: services,
	Title:  "Services run on the latest Fargate platform",
	Reason: "Older ones get no security updates.",
	Mend:   "Set platformVersion to LATEST, or leave it out.",
	Check:  func(c *rule.Check) { c.OneOf("platformVersion", "the platform is pinned", "", "LATEST") },
}, {
	ID: "ecs-circuit-breaker", Level: rule.Mandatory, Types: services,
	Title:  "A deployment that does not come up is rolled back",
	Reason: "Otherwise ECS starts failing tasks for ever, and the old ones may be gone.",
	Mend:   "Set deploymentCircuitBreaker with enable and rollback.",
	Check: func(c *rule.Check) {
		c.True("deploymentCircuitBreaker.enable", "a failing deployment goes on for ever")
		c.True("deploymentCircuitBreaker.rollback", "a failed deployment is left as it is")
	},
}, {
	ID: "ecs-wait-steady", Level: rule.Mandatory, Types: services,
	Title:  "A deployment counts as done when the tasks run",
	Reason: "Otherwise a deployment that failed is reported as success (pulumi-aws issue 4487).",
	Mend:   "Set waitForSteadyState.",
	Check:  func(c *rule.Check) { c.True("waitForSteadyState", "the deployment does not wait for its tasks") },
}, {
	ID: "ecs-exec-off", Level: rule.Mandatory, Types: services,
	Title:  "Nobody can open a shell in running tasks",
	Reason: "A shell has the task's rights and secrets.",
	Mend:   "Leave enableExecuteCommand false; switch it on for the time it is needed, by an exception with an end.",
	Check:  func(c *rule.Check) { c.False("enableExecuteCommand", "shells can be opened in the tasks") },
}, {
	ID: "ecs-container-insights", Level: rule.Mandatory, Refs: []string{"T0034", "C65", "N-ECS4"}, Types: []string{"aws:ecs/cluster:Cluster"},
	Title:  "Clusters measure their containers",
	Reason: "The alarms on memory and tasks are made of these numbers.",
	Mend:   "Set containerInsights to enabled.",
	Check: func(c *rule.Check) {
		v := c.In("settings")
		if v.HoldsUnknown() {
			c.Undecided(v)
			return
		}
		if !slices.ContainsFunc(v.List(), func(s rule.Value) bool {
			return s.At("name").Text() == "containerInsights" && strings.HasPrefix(s.At("value").Text(), "en")
		}) {
			c.Violate("container insights are off")
		}
	},
}, {
	ID: "ecs-single-writer", Level: rule.Mandatory,
	Title:    "There is one Forgejo at a time, deployments included",
	Reason:   "Two on one file system damage it: queues and locks are files, and git gives errors (gitea issues 39282, 15879).",
	Mend:     "Set desiredCount 1, deploymentMinimumHealthyPercent 0, deploymentMaximumPercent 100, and no scaling.",
	Settings: []rule.Setting{{Name: "services", Default: []string{"*forgejo*"}, Description: "logical names of services that must not run twice"}},
	Graph:    singleWriter,
}}

func singleWriter(g *rule.Graph) {
	for _, s := range g.Of(rule.EcsService) {
		if !slices.ContainsFunc(g.Strings("services"), func(p string) bool { return rule.Glob(p, s.Name) }) {
			continue
		}
		g.Looked(s)
		for path, most := range map[string]float64{"desiredCount": 1, "deploymentMaximumPercent": 100, "deploymentMinimumHealthyPercent": 0} {
			v := s.Get(path)
			switch n, ok := v.Number(); {
			case v.Unknown():
				g.Undecided(s, path)
			case v.Absent() && path == "desiredCount":
			case !ok || n > most:
				g.Violate(s, "%s is %s, at most %.0f keeps it to one task", path, v.Show(), most)
			}
		}
		for _, t := range g.Of("aws:appautoscaling/target:Target") {
			id := t.Get("resourceId")
			depends := slices.Contains(t.PropertyDeps["resourceId"], s.URN) || slices.Contains(t.Dependencies, s.URN)
			if name := s.Get("name").Text(); name != "" && strings.HasSuffix(id.Text(), "/"+name) || depends {
				g.Violate(s, "it is scaled by %s", t.Name)
			}
		}
	}
}
