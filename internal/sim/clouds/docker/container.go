package docker

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds/hcloud"
)

const minMemoryMiB = 6

func container() cloud.Type {
	return cloud.Type{
		Token:  containerType,
		Check:  checkContainer,
		Create: createContainer,
		Update: func(c *cloud.Call) error {
			host, err := daemon(c)
			if err != nil {
				return err
			}
			return limits(c, host)
		},
		Delete: reachable,
		// The provider takes "" for what the image has.
		Same: func(property string, old, new any) bool {
			return (property == "user" || property == "workingDir") && cloud.Text(new) == ""
		},
		Takes: cloud.Durations{Create: 8 * time.Second, Update: 2 * time.Second, Delete: 3 * time.Second},
	}
}

var cpus = regexp.MustCompile(`^\d+(\.\d+)?$`)

// checkContainer is the provider's own validation.
func checkContainer(c *cloud.CheckCall) {
	oneOf := func(o cloud.Object, at, property string, allowed ...string) {
		if o.Known(property) && !slices.Contains(allowed, o.String(property)) {
			c.Fail(at+property, "got %q, expected one of %s", o.String(property), strings.Join(allowed, ", "))
		}
	}
	at := func(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]." }
	oneOf(c.In, "", "restart", "no", "on-failure", "always", "unless-stopped")
	if c.In.Known("cpus") && !cpus.MatchString(c.In.String("cpus")) {
		c.Fail("cpus", "got %q, expected a number of processors such as \"0.5\"", c.In.String("cpus"))
	}
	for i, m := range c.In.Objects("mounts") {
		oneOf(m, at("mounts", i), "type", "bind", "volume", "tmpfs")
	}
	for i, p := range c.In.Objects("ports") {
		oneOf(p, at("ports", i), "protocol", "tcp", "udp", "sctp")
	}
	for i, v := range c.In.Objects("volumes") {
		if h := v.String("hostPath"); v.Known("hostPath") && !strings.HasPrefix(h, "/") {
			c.Fail(at("volumes", i)+"hostPath", "%q must be an absolute path", h)
		}
	}
	for i, u := range c.In.Objects("uploads") {
		n := 0
		for _, p := range []string{"content", "contentBase64", "source"} {
			if u.Has(p) {
				n++
			}
		}
		if n != 1 {
			c.Fail(at("uploads", i)+"content", "exactly one of content, contentBase64 and source must be set, got %d", n)
		}
	}
	checkHealth(c)
	for _, part := range c.In.Strings("command") {
		if part == "" {
			c.Fail("command", "values for command may not be empty")
		}
	}
}

func checkHealth(c *cloud.CheckCall) {
	h := c.In.Object("healthcheck")
	for _, p := range []string{"interval", "timeout", "startPeriod", "startInterval"} {
		if s := h.String(p); h.Known(p) && s != "" {
			if d, err := time.ParseDuration(s); err != nil || d < 0 {
				c.Fail("healthcheck."+p, "%q is not a valid duration: write it like \"30s\" or \"1m30s\"", s)
			} else if d > 0 && d < time.Millisecond {
				c.Fail("healthcheck."+p, "%s is less than 1ms, the least Docker takes", s)
			}
		}
	}
	if h.Int("retries") < 0 {
		c.Fail("healthcheck.retries", "must not be negative")
	}
	tests := h.List("tests")
	if len(tests) > 0 && !cloud.IsUnknown(tests[0]) {
		if first := cloud.Text(tests[0]); !slices.Contains([]string{"NONE", "CMD", "CMD-SHELL"}, first) {
			c.Fail("healthcheck.tests", "begins with %q, expected NONE, CMD or CMD-SHELL", first)
		} else if first != "NONE" && len(tests) < 2 {
			c.Fail("healthcheck.tests", "%s without a command", first)
		}
	}
	if c.In.Bool("wait") && h == nil && c.In["healthcheck"] == nil {
		c.Fail("wait", "waiting for a healthy container needs a healthcheck")
	}
}

func createContainer(c *cloud.Call) error {
	host, err := daemon(c)
	if err != nil {
		return err
	}
	name := c.In.String("name")
	if !objectName.MatchString(name) {
		return create("Invalid container name (%s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", name)
	}
	if other := c.Clash("name"); other != nil {
		return create("Conflict. The container name %q is already in use by container %q. You have to remove (or rename) that container to be able to reuse that name.", "/"+name, other.ID)
	}
	c.ID = hexID(c)
	steps := []func() error{
		func() error { return imageThere(c) },
		func() error { return limits(c, host) },
		func() error { return options(c) },
		func() error { return mounts(c) },
		func() error { return networks(c) },
		func() error { return uploads(c) },
		func() error { return publish(c) },
		func() error { return run(c) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	daemonDefaults(c)
	return nil
}

// create is the daemon's refusal to create a container, as the provider words it.
func create(format string, args ...any) error {
	return cloud.Refuse("", "Unable to create container: "+format, args...)
}

// imageThere refuses an image id that the host does not have. A name is pulled when it is missing.
func imageThere(c *cloud.Call) error {
	image := c.In.String("image")
	if strings.HasPrefix(image, "sha256:") || strings.Contains(image, "sha256:") && !strings.Contains(image, "@") {
		if !hasImage(c, image) {
			return cloud.Refuse("", "Unable to create container with image %s: unable to find or pull image %s: it is not on this host", image, image)
		}
		return nil
	}
	if hasImage(c, image) {
		return nil
	}
	_, err := parseImage(image)
	return err
}

func limits(c *cloud.Call, host *hcloud.Host) error {
	memory, swap, reserved := c.In.Int("memory"), c.In.Int("memorySwap"), c.In.Int("memoryReservation")
	switch {
	case memory != 0 && memory < minMemoryMiB:
		return create("Minimum memory limit allowed is %dMB (got %d MiB)", minMemoryMiB, memory)
	case swap > 0 && memory == 0:
		return create("You should always set the Memory limit when using Memoryswap limit, see usage")
	case swap > 0 && swap < memory:
		return create("Minimum memoryswap limit should be larger than memory limit, see usage (memorySwap %d MiB, memory %d MiB)", swap, memory)
	case memory != 0 && reserved > memory:
		return create("Minimum memory limit can not be less than memory reservation limit, see usage (memory %d MiB, memoryReservation %d MiB)", memory, reserved)
	}
	if n := c.In.Float("cpus"); c.In.Has("cpus") && host != nil && (n < 0.01 || n > float64(host.Cores)) {
		return create("range of CPUs is from 0.01 to %d.00, as there are only %d CPUs available", host.Cores, host.Cores)
	} else if c.In.Has("cpus") && n < 0.01 {
		return create("range of CPUs is from 0.01 upwards, got %v", n)
	}
	if c.In.Has("maxRetryCount") && c.In.Int("maxRetryCount") > 0 && c.In.String("restart") != "on-failure" {
		return create("invalid restart policy: maximum retry count can only be used with 'on-failure'")
	}
	if c.In.Bool("rm") && c.In.String("restart") != "no" && c.In.String("restart") != "" {
		return create("can't create 'AutoRemove' container with restart policy")
	}
	return nil
}

// run refuses what would not be running when the provider looks.
func run(c *cloud.Call) error {
	started := !c.In.Has("start") || c.In.Bool("start")
	mustRun := !c.In.Has("mustRun") || c.In.Bool("mustRun")
	restarts := c.In.String("restart") == "always" || c.In.String("restart") == "unless-stopped"
	if mustRun && !started {
		return cloud.Refuse("", "container failed to be in running state: start is false; set mustRun to false for a container that is not to run")
	}
	if mustRun && c.In.Bool("attach") && !restarts {
		return cloud.Refuse("", "container failed to be in running state: attach waits for its end; set mustRun to false for a container that runs once")
	}
	if c.In.Bool("wait") && c.In.String("healthcheck.tests.0") == "NONE" {
		return cloud.Refuse("", "container did not get healthy: its healthcheck is NONE, which never is; set wait to false")
	}
	return nil
}

// daemonDefaults are what the daemon chooses where the program leaves it open.
func daemonDefaults(c *cloud.Call) {
	c.Out["bridge"], c.Out["exitCode"], c.Out["containerLogs"] = "", 0.0, ""
	fill(c, "hostname", c.ID[:12])
	fill(c, "init", false)
	fill(c, "ipcMode", "private")
	fill(c, "logDriver", "json-file")
	fill(c, "runtime", "runc")
	fill(c, "shmSize", 64)
	fill(c, "stopSignal", "SIGTERM")
	fill(c, "stopTimeout", 0)
	for _, list := range []string{"command", "entrypoints", "envs", "labels", "securityOpts"} {
		fill(c, list, []any{})
	}
	if c.In["healthcheck"] == nil {
		delete(c.Out, "healthcheck")
	}
}
