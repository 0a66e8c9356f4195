package hygiene

import (
	"slices"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

// serverMiB is the memory of Hetzner's server types.
var serverMiB = map[string]float64{
	"cx22": 4096, "cx23": 4096, "cx32": 8192, "cx33": 8192, "cx42": 16384, "cx43": 16384, "cx52": 32768, "cx53": 32768,
	"cpx11": 2048, "cpx12": 2048, "cpx21": 4096, "cpx22": 4096, "cpx31": 8192, "cpx32": 8192, "cpx41": 16384, "cpx42": 16384, "cpx51": 32768, "cpx52": 24576, "cpx62": 32768,
	"cax11": 4096, "cax21": 8192, "cax31": 16384, "cax41": 32768,
	"ccx13": 8192, "ccx23": 16384, "ccx33": 32768, "ccx43": 65536, "ccx53": 131072, "ccx63": 196608,
}

var dockerLimits = []rule.Rule{{
	ID: "docker-memory-limit", Level: rule.Mandatory, Refs: []string{"K:bb9ac4f7"}, Types: containers,
	Title:  "Every container has a memory limit, swap included",
	Reason: "One leak otherwise takes the whole server down.",
	Mend:   "Set memory, and memorySwap to the same.",
	Check: func(c *rule.Check) {
		c.AtLeast("memory", 1, "the container's memory is not limited")
		memory := c.In("memory")
		if memory.Unknown() {
			return
		}
		c.Want(c.In("memorySwap"), func(v rule.Value) bool {
			n, ok := v.Number()
			m, _ := memory.Number()
			return ok && n >= 0 && n <= 2*m
		}, "the container may swap without end")
	},
}, {
	ID: "docker-memory-fits", Level: rule.Mandatory,
	Title:    "The memory limits of all containers fit the server",
	Reason:   "Limits that do not fit together limit nothing: the kernel kills whatever it likes.",
	Mend:     "Lower limits under morphee:limits, or take a larger morphee:server.type.",
	Settings: []rule.Setting{{Name: "reservedMiB", Default: 512.0, Min: 0, Description: "memory kept for the system and Docker"}},
	Graph:    memoryFits,
}, {
	ID: "docker-pids-limit", Level: rule.Mandatory, Refs: []string{"K:221e0658"}, Types: containers,
	Title:  "Every container has a limit of processes",
	Reason: "A process that starts processes stops the server otherwise.",
	Mend:   "Set the ulimit nproc (the provider has no pids limit of its own).",
	Check: func(c *rule.Check) {
		v := c.In("ulimits")
		if v.HoldsUnknown() {
			c.Undecided(v)
			return
		}
		if !slices.ContainsFunc(v.List(), func(u rule.Value) bool {
			n, ok := u.At("hard").Number()
			return u.At("name").Text() == "nproc" && ok && n > 0 && n <= 32768
		}) {
			c.Violate("the container's processes are not limited")
		}
	},
}, {
	ID: "docker-healthcheck", Level: rule.Mandatory, Refs: []string{"K:698ed579", "DS-0026"}, Types: containers,
	Title:  "Every container says when it works",
	Reason: "A process that runs and answers nothing looks well otherwise.",
	Mend:   "Set healthcheck.tests.",
	Check: running(func(c *rule.Check) {
		v := c.In("healthcheck.tests")
		if v.HoldsUnknown() {
			c.Undecided(v)
		} else if t := v.Texts(); len(t) == 0 || t[0] == "NONE" {
			c.Violate("nothing checks whether the container works")
		}
	}),
}, {
	ID: "docker-restart", Level: rule.Mandatory, Types: containers,
	Title:  "Every container comes back after a crash and a reboot",
	Reason: "The source document promises thirty seconds.",
	Mend:   "Set restart to unless-stopped.",
	Check:  running(func(c *rule.Check) { c.OneOf("restart", "the container stays down", "unless-stopped", "always") }),
}, {
	ID: "docker-log-rotation", Level: rule.Mandatory, Types: containers,
	Title:  "What a container says does not fill the disk",
	Reason: "Docker keeps logs without end by default, and a full disk stops the database.",
	Mend:   "Set logOpts with max-size and max-file.",
	Check: running(func(c *rule.Check) {
		if driver := c.In("logDriver"); driver.Unknown() {
			c.Undecided(driver)
			return
		} else if !slices.Contains([]string{"", "json-file"}, driver.Text()) {
			return // local rotates by itself, the others write elsewhere
		}
		c.Set("logOpts.max-size", "the log grows without end")
	}),
}}

func memoryFits(g *rule.Graph) {
	servers := g.Of("hcloud:index/server:Server")
	if len(servers) != 1 {
		return // which container is on which server is then not known
	}
	s := servers[0]
	g.Looked(s)
	have, known := serverMiB[s.Get("serverType").Text()]
	if !known {
		g.Undecided(s, "serverType")
		return
	}
	sum := 0.0
	for _, c := range g.Of(rule.DockerContainer) {
		if rule.Idle(c) {
			continue
		}
		v := c.Get("memory")
		if v.Unknown() {
			g.Undecided(s, c.Name+".memory")
			return
		}
		n, _ := v.Number()
		sum += n
	}
	if most := have - g.Number("reservedMiB"); sum > most {
		g.Violate(s, "the containers may use %.0f MiB together, the server has %.0f MiB for them", sum, most)
	}
}
