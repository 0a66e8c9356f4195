// Package command simulates the command provider. Nothing is executed: not here, not anywhere. A
// command on a simulated server needs that server to be reachable, and its output is made up.
package command

import (
	"regexp"
	"strings"
	"time"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds/hcloud"
)

const (
	localType        = "command:local:Command"
	remoteType       = "command:remote:Command"
	copyFileType     = "command:remote:CopyFile"
	copyToRemoteType = "command:remote:CopyToRemote"
)

// Package is the simulated command provider.
func Package() cloud.Package {
	outputs := map[string][]string{"*": {"stdout", "stderr"}}
	slow := cloud.Durations{Create: 5 * time.Second, Update: 5 * time.Second, Delete: time.Second}
	return cloud.Package{
		Name: "command",
		Types: []cloud.Type{
			{Token: localType, Check: checkLogging, Create: create, Update: update, Recomputed: outputs, Takes: slow},
			{Token: remoteType, Check: checkRemote, Create: create, Update: update, Delete: remove, Recomputed: outputs, Takes: slow, Waits: firstBoot},
			{Token: copyFileType, Check: checkRemote, Create: copied, Takes: slow},
			{Token: copyToRemoteType, Check: checkRemote, Create: copied, Update: connect, Takes: slow},
		},
		Scope: func(cloud.Object) string { return "command" },
	}
}

// firstBoot is how long a command takes that waits for a new server to be set up: updating packages and
// installing Docker, some three minutes.
func firstBoot(in cloud.Object) time.Duration {
	if strings.Contains(in.String("create"), "cloud-init status") {
		return 3 * time.Minute
	}
	return 0
}

func checkLogging(c *cloud.CheckCall) {
	switch l := c.In.String("logging"); l {
	case "", "stdout", "stderr", "stdoutAndStderr", "none":
	default:
		if c.In.Known("logging") {
			c.Fail("logging", "got %q, expected one of stdout, stderr, stdoutAndStderr, none", l)
		}
	}
}

func checkRemote(c *cloud.CheckCall) {
	checkLogging(c)
	conn := c.In.Object("connection")
	if conn.Known("host") && conn.String("host") == "" {
		c.Fail("connection.host", "must not be empty")
	}
	if n := conn.Int("port"); conn.Known("port") && (n < 1 || n > 65535) {
		c.Fail("connection.port", "got %d, expected 1 to 65535", n)
	}
}

// connect refuses when the machine cannot be reached over SSH, through its bastion if it has one.
func connect(c *cloud.Call) error {
	conn := c.In.Object("connection")
	if conn == nil {
		return nil // a local command
	}
	if proxy := conn.Object("proxy"); proxy != nil {
		// What is behind a bastion is the bastion's to reach.
		conn = proxy
	}
	port := 22
	if conn.Has("port") {
		port = conn.Int("port")
	}
	if _, err := hcloud.Reach(c.World, conn.String("host"), port); err != nil {
		return cloud.Refuse("", "ssh: %v", err)
	}
	return nil
}

func create(c *cloud.Call) error {
	if err := connect(c); err != nil {
		return err
	}
	c.ID = c.Name + c.Gen.Hex("id", 8)
	run(c, c.In.String("create"))
	return nil
}

func update(c *cloud.Call) error {
	if err := connect(c); err != nil {
		return err
	}
	if text := c.In.String("update"); text != "" {
		run(c, text)
	} else if text := c.In.String("create"); text != "" {
		run(c, text)
	}
	return nil
}

// remove runs the delete command, for which the machine must still be there.
func remove(c *cloud.Call) error {
	if c.In.String("delete") == "" {
		return nil
	}
	return connect(c)
}

func copied(c *cloud.Call) error {
	if err := connect(c); err != nil {
		return err
	}
	c.ID = c.Gen.Hex("id", 8)
	return nil
}

// makesToken tells a command whose output is an access token, such as Forgejo's
// "admin user generate-access-token".
var makesToken = regexp.MustCompile(`(?i)access[-_ ]?token`)

// run makes up what the command would have written.
func run(c *cloud.Call, text string) {
	c.Out["stdout"], c.Out["stderr"] = "", ""
	if makesToken.MatchString(text) {
		c.Out["stdout"] = c.Gen.Hex("token", 40)
	}
	for _, p := range []string{"archive", "assets"} {
		delete(c.Out, p)
	}
}
