package command_test

import (
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds/command"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds/hcloud"
	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

type props = simtest.Props

const (
	local    = "command:local:Command"
	remote   = "command:remote:Command"
	copyFile = "command:remote:CopyFile"
	copyTo   = "command:remote:CopyToRemote"
	server   = "hcloud:index/server:Server"
	firewall = "hcloud:index/firewall:Firewall"
)

func start(t *testing.T) (*simtest.Sim, *cloud.Resource) {
	t.Helper()
	s := simtest.New(t, hcloud.Package(), command.Package())
	return s, s.Must(server, "host", props{"name": "host", "serverType": "cpx32", "image": "ubuntu-24.04", "location": "nbg1"})
}

func on(host string, more props) props {
	out := props{"connection": props{"host": host, "user": "root"}}
	maps.Copy(out, more)
	return out
}

func TestNeedsItsMachine(t *testing.T) {
	for token, p := range map[string]props{
		remote: {"create": "true"}, copyFile: {"localPath": "a", "remotePath": "b"}, copyTo: {"source": "a", "remotePath": "b"},
	} {
		s, host := start(t)
		address := host.Out.String("ipv4Address")
		s.Refuses(token, "c", on("9.9.9.9", p), "no route to host")
		s.Must(token, "here", on(address, p))
		closed := s.Must(firewall, "f", props{"applyTos": []any{props{"server": host.ID}}})
		s.Refuses(token, "c", on(address, p), "lets TCP port 22 in")
		open := on(address, p)
		open["connection"].(props)["port"] = 2222
		if err := s.Delete(closed); err != nil {
			t.Fatal(err)
		}
		s.Must(firewall, "g", props{"applyTos": []any{props{"server": host.ID}}, "rules": []any{props{"direction": "in", "protocol": "tcp", "port": "2222", "sourceIps": []string{"198.51.100.0/24"}}}})
		s.Must(token, "there", open)
		behind := on("10.0.0.9", p)
		behind["connection"].(props)["proxy"] = props{"host": address}
		s.Refuses(token, "c", behind, "lets TCP port 22 in")
		behind["connection"].(props)["proxy"] = props{"host": address, "port": 2222}
		s.Must(token, "behind", behind)
	}
}

func TestInputs(t *testing.T) {
	s, host := start(t)
	address := host.Out.String("ipv4Address")
	s.Refuses(local, "c", props{"create": "true", "logging": "loud"}, "expected one of stdout")
	s.Must(local, "c", props{"create": "true", "logging": "none"})
	s.Refuses(remote, "c", on("", nil), "must not be empty")
	s.Refuses(remote, "c", props{"connection": props{"host": address, "port": 70000}}, "expected 1 to 65535")
	s.Refuses(remote, "c", props{"create": "true"}, "connection")
	s.Must(remote, "c", on(address, props{"create": "true"}))
}

func TestOutput(t *testing.T) {
	s, host := start(t)
	address := host.Out.String("ipv4Address")
	if r := s.Must(remote, "quiet", on(address, props{"create": "uname -a"})); r.Out["stdout"] != "" || r.Out["stderr"] != "" {
		t.Errorf("output %v", r.Out)
	}
	script := "forgejo admin user generate-access-token --raw"
	r := s.Must(remote, "token", on(address, props{"create": script}))
	if !regexp.MustCompile(`^[0-9a-f]{40}$`).MatchString(r.Out.String("stdout")) {
		t.Errorf("token %q", r.Out["stdout"])
	}
	if l := s.Must(local, "token", props{"create": script}); l.Out["stdout"] == r.Out["stdout"] {
		t.Error("two commands give one token")
	}
	if strings.Join(r.Secret, ",") != "connection" {
		t.Errorf("secret are %v", r.Secret)
	}
}

func TestUpdatesAndReplaces(t *testing.T) {
	s, host := start(t)
	address := host.Out.String("ipv4Address")
	base := on(address, props{"create": "a", "update": "make an access token", "triggers": []any{"1"}})
	r := s.Must(remote, "c", base)
	change := func(more props) props { p := maps.Clone(base); maps.Copy(p, more); return p }
	for _, more := range []props{{"create": "b"}, {"delete": "b"}, {"stdin": "b"}, {"environment": props{"A": "b"}}, {"connection": props{"host": "localhost"}}} {
		if d := s.Diff(r, change(more)); len(d.ChangedKeys) != 1 || len(d.ReplaceKeys) != 0 {
			t.Errorf("%v changes %v and replaces %v", more, d.ChangedKeys, d.ReplaceKeys)
		}
	}
	if d := s.Diff(r, change(props{"triggers": []any{"2"}})); len(d.ReplaceKeys) != 1 {
		t.Errorf("a trigger replaces %v", d.ReplaceKeys)
	}
	if r, err := s.Update(r, change(props{"stdin": "b"})); err != nil || len(r.Out.String("stdout")) != 40 {
		t.Errorf("the update command did not run: %v", err)
	}
	if _, err := s.Update(r, change(props{"connection": props{"host": "9.9.9.9"}})); err == nil {
		t.Error("an update reaches no machine")
	}
	c := s.Must(copyFile, "f", on(address, props{"localPath": "a", "remotePath": "b"}))
	if d := s.Diff(c, on(address, props{"localPath": "a", "remotePath": "c"})); len(d.ReplaceKeys) != 1 {
		t.Errorf("a copy elsewhere replaces %v", d.ReplaceKeys)
	}
}

func TestDeleteCommandNeedsTheMachine(t *testing.T) {
	s, host := start(t)
	address := host.Out.String("ipv4Address")
	with := s.Must(remote, "with", on(address, props{"create": "a", "delete": "b"}))
	without := s.Must(remote, "without", on(address, props{"create": "a"}))
	if err := s.Delete(host); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(with); err == nil || !strings.Contains(err.Error(), "no route to host") {
		t.Errorf("a delete command runs on no machine: %v", err)
	}
	if err := s.Delete(without); err != nil {
		t.Errorf("no delete command: %v", err)
	}
}
