package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ssh is a stand-in: each host is a folder, and what runs there runs here.
const standInSSH = `#!/bin/bash
host=${1#morphee@}; shift
[ "$host" != "$BROKEN" ] || { echo "no route to $host" >&2; exit 255; }
HOST=$WORLD/$host exec bash -c "$*"
`

// docker is a stand-in: a container's /data is a folder of the host.
const standInDocker = `#!/bin/bash
echo "$HOST $*" >> "$WORLD/log"
case $1 in
inspect) echo sha256:0 ;;
stop) [ "${@: -1}" = forgejo ] ;;
run)
	case " $* " in *" -v forgejo-data:/data "*) ;; *) exit 9 ;; esac
	while [ "$1" != --entrypoint ]; do shift; done
	program=$2; shift 3 # and the image
	exec "$program" "${@//\/data/$HOST/forgejo-data}" ;;
*) exit 9 ;;
esac
`

// Forgejo moves to its own server, people push there, and it moves back: every push is there. Where the copy
// does not arrive the runbook says so.
func TestDocsMovingForgejoLosesNoPush(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(repository, "docs", "migrate", "1-to-2.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := ""
	for _, m := range fence.FindAllStringSubmatch(string(data), -1) {
		if strings.Contains(m[1], "forgejo-data") {
			block = m[1]
		}
	}
	definitions, calls, found := strings.Cut(block, "ssh morphee@SERVER docker exec backup backup\n")
	if !found || !strings.Contains(calls, "move SERVER GIT") || !strings.Contains(string(data), "`move GIT SERVER`") {
		t.Fatalf("the runbook moves Forgejo in another way; teach this test:\n%s", block)
	}

	world, bin := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{"ssh": standInSSH, "docker": standInDocker} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	run := func(script string, env ...string) (string, error) {
		cmd := exec.Command("bash", "-c", script)
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "WORLD="+world, "HOME="+world,
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com", "GIT_CONFIG_NOSYSTEM=1")
		cmd.Env = append(cmd.Env, env...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	must := func(script string) string {
		t.Helper()
		out, err := run("set -e\n" + script)
		if err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
		return out
	}
	must(`cd "$WORLD"; mkdir -p SERVER/forgejo-data/git GIT/forgejo-data; echo left > GIT/forgejo-data/from-before
		git init -q --bare -b main SERVER/forgejo-data/git/space.git; git clone -q SERVER/forgejo-data/git/space.git work 2>&1`)
	push := func(host, message string) {
		must(`cd "$WORLD/work"; git commit -q --allow-empty -m "` + message + `"; git push -q "$WORLD/` + host + `/forgejo-data/git/space.git" HEAD:main; git -C "$WORLD/` + host + `/forgejo-data/git/space.git" gc -q`)
	}
	tip := func(host string) string {
		return strings.TrimSpace(must(`git -C "$WORLD/` + host + `/forgejo-data/git/space.git" log -1 --format=%s main`))
	}
	move := func(from, to string) {
		t.Helper()
		if out, err := run(definitions + "move " + from + " " + to); err != nil || !strings.Contains(out, "moved\n") {
			t.Fatalf("from %s to %s: %v\n%s", from, to, err, out)
		}
	}

	must(`cd "$WORLD/work"; git commit -q --allow-empty -m one; git push -q "$WORLD/SERVER/forgejo-data/git/space.git" HEAD:main`)
	move("SERVER", "GIT")
	push("GIT", "two")
	move("GIT", "SERVER")
	if got := tip("SERVER"); got != "two" {
		t.Errorf("moved back, main is at %q: what was pushed meanwhile is lost", got)
	}
	must(`cd "$WORLD/work"; git commit -q --allow-empty -m three; git push -q "$WORLD/SERVER/forgejo-data/git/space.git" HEAD:main`)
	move("SERVER", "GIT")
	if got := tip("GIT"); got != "three" {
		t.Errorf("moved for the second time, main is at %q", got)
	}
	if out := must(`ls "$WORLD/GIT/forgejo-data"`); strings.Contains(out, "from-before") {
		t.Error("what the target had before is still there")
	}

	for _, broken := range []string{"SERVER", "GIT"} {
		out, err := run(definitions+"move SERVER GIT", "BROKEN="+broken)
		if err == nil || strings.Contains(out, "moved\n") {
			t.Errorf("%s cannot be reached, and it says: %v\n%s", broken, err, out)
		}
		if got := tip("SERVER"); got != "three" {
			t.Errorf("after a failure main is at %q", got)
		}
	}
}
