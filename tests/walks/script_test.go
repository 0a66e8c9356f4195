package walks

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"pgregory.net/rapid"

	"github.com/morphee-app/morphee-infra/internal/sim"
)

// script is a walk written down as commands: a folder of configuration files, and walk.sh.
type script struct {
	dir    string // of the walk
	keep   string // where it is kept when the walk fails
	n      int
	file   string // the last configuration
	before string // the one before it
	lines  []string
}

// config writes a configuration file and returns its path.
func (s *script) config(t *rapid.T, why string, from, to settings) string {
	s.before = s.file
	s.file = fmt.Sprintf("%03d.yaml", s.n)
	s.n++
	s.say(why)
	if d := difference(from, to); s.before != "" && d != "" {
		s.say(d)
	}
	path := filepath.Join(s.dir, s.file)
	if err := os.WriteFile(path, to.yaml(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// again returns to the configuration before the last one.
func (s *script) again() { s.file = s.before }

func (s *script) say(text string) { s.lines = append(s.lines, "# "+text) }

// operation notes a command; one that fails is meant to.
func (s *script) operation(op sim.Operation, fails bool, flags ...string) {
	line := fmt.Sprintf("sim %s %s", op, s.file)
	for i, f := range flags {
		if i > 0 {
			f = "'" + strings.ReplaceAll(f, "'", `'\''`) + "'"
		}
		line += " " + f
	}
	if fails {
		line += " || true # may fail"
	}
	s.lines = append(s.lines, line)
}

const scriptHead = `#!/usr/bin/env bash
# A random walk that failed, reduced. Run it in the project's folder, after make build.
# What is wrong after the last command:
%s
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
state="$(mktemp -d)"
echo "state in $state"
sim() {
	local op="$1" file="$2"
	shift 2
	echo "--- infra sim $op $file $*"
	bin/infra sim "$op" "$here/$file" --state "$state" --parallel 1 --no-policy --color never "$@"
}

%s
`

// save keeps the walk. Whatever failed before it in the same process is replaced: the last failure is
// the smallest.
func (s *script) save(problem string) {
	if s.keep == "" {
		return
	}
	if err := s.write(problem); err != nil {
		panic(fmt.Sprintf("keeping the failed walk: %v", err))
	}
}

func (s *script) write(problem string) error {
	if err := os.RemoveAll(s.keep); err != nil {
		return err
	}
	if err := os.MkdirAll(s.keep, 0o755); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(s.dir, "*.yaml"))
	if err != nil {
		return err
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(s.keep, filepath.Base(f)), data, 0o644); err != nil {
			return err
		}
	}
	text := fmt.Sprintf(scriptHead, "#   "+strings.ReplaceAll(problem, "\n", "\n#   "), strings.Join(s.lines, "\n"))
	return os.WriteFile(filepath.Join(s.keep, "walk.sh"), []byte(text), 0o755)
}

// resourceOf is a URN's TYPE::NAME, which names it on a command line.
func resourceOf(urn string) string {
	parts := strings.Split(urn, "::")
	return parts[2][strings.LastIndex(parts[2], "$")+1:] + "::" + parts[3]
}
