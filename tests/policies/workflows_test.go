package policies

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/morphee-app/morphee-infra/internal/report"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// The comment is one, however often it is written, and goes to the pull request that GitHub names.
func TestGateComment(t *testing.T) {
	root := rig.Root(t)
	for _, c := range []struct {
		name, pulls, comments string
		files                 map[string]string
		code                  int
		want, body            []string
		not                   []string
	}{
		{"first", "7", "", map[string]string{"a.md": report.Marker + "\none\n", "b.md": report.Marker + "\ntwo\n"}, 0,
			[]string{"--method POST repos/o/r/issues/7/comments"}, []string{report.Marker, "one", "two", "abc123"}, nil},
		{"again", "7", "99", map[string]string{"a.md": "one\n"}, 0, []string{"--method PATCH repos/o/r/issues/comments/99"}, []string{"one"}, nil},
		{"closed", "", "", map[string]string{"a.md": "one\n"}, 0, nil, nil, []string{"POST", "PATCH"}},
		{"no report", "7", "", nil, 1, nil, nil, []string{"POST", "PATCH"}},
		{"long", "7", "", map[string]string{"a.md": strings.Repeat("a line\n", 6000), "b.md": strings.Repeat("b line\n", 6000)}, 0,
			[]string{"POST"}, []string{"a line", "too long for a comment"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			reports := filepath.Join(dir, "reports")
			if err := os.Mkdir(reports, 0o755); err != nil {
				t.Fatal(err)
			}
			for name, text := range c.files {
				if err := os.WriteFile(filepath.Join(reports, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			// A stand-in for GitHub's command that notes how it was called.
			stand := "#!/bin/bash\necho \"$*\" >>" + dir + "/calls\ncase \"$*\" in\n*' repos/o/r/pulls '*) echo '" + c.pulls + "' ;;\n" +
				"*--paginate*) echo '" + c.comments + "' ;;\n*) for a; do case $a in body=@*) cp \"${a#body=@}\" " + dir + "/body ;; esac; done ;;\nesac\n"
			if err := os.WriteFile(filepath.Join(dir, "gh"), []byte(stand), 0o755); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(filepath.Join(root, "ops", "ci", "comment.sh"))
			cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "GH_REPO=o/r", "HEAD_OWNER=o", "HEAD_BRANCH=b", "HEAD_SHA=abc123", "REPORTS="+reports)
			out, _ := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != c.code {
				t.Fatalf("exit code %d, want %d\n%s", code, c.code, out)
			}
			calls, _ := os.ReadFile(filepath.Join(dir, "calls"))
			body, _ := os.ReadFile(filepath.Join(dir, "body"))
			for _, w := range c.want {
				if !strings.Contains(string(calls), w) {
					t.Errorf("calls lack %q:\n%s", w, calls)
				}
			}
			for _, w := range c.not {
				if strings.Contains(string(calls), w) {
					t.Errorf("calls have %q:\n%s", w, calls)
				}
			}
			for _, w := range c.body {
				if !strings.Contains(string(body), w) {
					t.Errorf("the comment lacks %q", w)
				}
			}
			if n := strings.Count(string(body), report.Marker); len(c.body) > 0 && n != 1 {
				t.Errorf("the comment has %d markers", n)
			}
			if len(body) > 65_536 {
				t.Errorf("the comment has %d characters", len(body))
			}
		})
	}
}

// What makes the workflows safe, which no linter knows.
func TestWorkflowsAreSafe(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(rig.Root(t), ".github/workflows/*.yml"))
	if err != nil || len(files) < 5 {
		t.Fatal(err, files)
	}
	pin := regexp.MustCompile(`uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var flow struct {
				Permissions *map[string]string `yaml:"permissions"`
				Defaults    struct{ Run struct{ Shell string } }
				Jobs        map[string]struct {
					Permissions *map[string]string `yaml:"permissions"`
					Timeout     int                `yaml:"timeout-minutes"`
					Environment any                `yaml:"environment"`
					Steps       []step             `yaml:"steps"`
				}
			}
			if err := yaml.Unmarshal(data, &flow); err != nil {
				t.Fatal(err)
			}
			if flow.Permissions == nil || len(*flow.Permissions) != 0 {
				t.Error("permissions: {} is missing: a job would have what the repository gives by default")
			}
			if flow.Defaults.Run.Shell != "bash" {
				t.Error("defaults.run.shell is not bash: without it a pipe that fails passes")
			}
			for name, job := range flow.Jobs {
				if job.Timeout == 0 {
					t.Errorf("job %s has no timeout", name)
				}
				for _, s := range job.Steps {
					if strings.Contains(s.Run, "${{") {
						t.Errorf("job %s: an expression in a script is run as code: hand it over in env: %s", name, s.Run)
					}
				}
			}
			for n, line := range strings.Split(string(data), "\n") {
				if strings.Contains(line, "uses:") && !pin.MatchString(line) {
					t.Errorf("line %d: not pinned by a full commit with its version: %s", n+1, line)
				}
				if strings.Contains(line, "pull_request_target") && !strings.HasPrefix(strings.TrimSpace(line), "#") {
					t.Errorf("line %d: pull_request_target gives a fork's code our rights", n+1)
				}
			}
			if base := filepath.Base(path); base == "pull-request.yml" {
				job := flow.Jobs["offline"]
				if fmt.Sprint(*job.Permissions) != "map[contents:read]" || job.Environment != nil || strings.Contains(section(string(data), "  offline:", "  preview:"), "secrets.") {
					t.Error("the offline job must have no secret, and no right but to read")
				}
			}
		})
	}
	for _, path := range []string{"pull-request.sh", "comment.sh", "preview.sh", "drift.sh"} {
		if info, err := os.Stat(filepath.Join(rig.Root(t), "ops", "ci", path)); err != nil || info.Mode()&fs.ModePerm&0o111 == 0 {
			t.Errorf("%s cannot be run: %v", path, err)
		}
	}
}

func section(text, from, to string) string {
	_, text, _ = strings.Cut(text, from)
	text, _, _ = strings.Cut(text, to)
	return text
}
