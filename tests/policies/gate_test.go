package policies

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/morphee-app/morphee-infra/internal/report"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// gateClone makes a clean clone of the repository, with the working tree as its last commit. It is always
// in the same folder, because the compiler's cache goes by folder: so only what differs from the last
// run is compiled.
func gateClone(t *testing.T) string {
	t.Helper()
	root := rig.Root(t)
	if _, err := os.Stat(filepath.Join(root, ".git")); err != nil {
		t.Skip("the sources are no git repository, so there is no base to compare with")
	}
	dir := filepath.Join(root, ".cache", "gate-test", "clone")
	if err := errorsOf(os.RemoveAll(dir), os.MkdirAll(filepath.Dir(dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	command(t, root, nil, "git", "clone", "--quiet", "--no-hardlinks", root, dir)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	// Exactly what is not ignored in the working tree, and nothing that is.
	for _, name := range strings.Split(command(t, root, nil, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"), "\x00") {
		from, to := filepath.Join(root, name), filepath.Join(dir, name)
		info, err := os.Lstat(from)
		if name == "" {
			continue
		} else if err != nil {
			_ = os.Remove(to)
			continue
		}
		data, err := os.ReadFile(from)
		if err := errorsOf(err, os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, data, info.Mode().Perm())); err != nil {
			t.Fatal(err)
		}
	}
	commit(t, dir, "the working tree")
	command(t, dir, nil, "git", "branch", "--force", "base")
	return dir
}

func errorsOf(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

func commit(t *testing.T, dir, message string) {
	t.Helper()
	command(t, dir, nil, "git", "add", "--all")
	command(t, dir, nil, "git", "-c", "user.name=test", "-c", "user.email=test@morphee.app", "-c", "commit.gpgsign=false",
		"commit", "--quiet", "--allow-empty", "-m", message)
}

func command(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var errOut strings.Builder
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, errOut.String())
	}
	return string(out)
}

// step is one step of a workflow's job that runs a command.
type step struct {
	Name string            `yaml:"name"`
	Run  string            `yaml:"run"`
	Env  map[string]string `yaml:"env"`
}

// offlineSteps are the commands of the offline job, as the workflow has them, for one value of its matrix.
func offlineSteps(t *testing.T, dir, value string) []step {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, ".github", "workflows", "pull-request.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var flow struct {
		Jobs map[string]struct {
			Strategy struct {
				Matrix map[string][]string `yaml:"matrix"`
			} `yaml:"strategy"`
			Steps []step `yaml:"steps"`
		} `yaml:"jobs"`
	}
	if err := yaml.Unmarshal(data, &flow); err != nil {
		t.Fatal(err)
	}
	job := flow.Jobs["offline"]
	if !slices.Contains(job.Strategy.Matrix["step"], value) {
		t.Fatalf("the offline job has no step %q: %v", value, job.Strategy.Matrix)
	}
	var out []step
	for _, s := range job.Steps {
		if s.Run == "" {
			continue // an action: it fetches the repository, the toolchain or a cache
		}
		for k, v := range s.Env {
			s.Env[k] = strings.ReplaceAll(v, "${{ matrix.step }}", value)
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		t.Fatal("the offline job runs nothing")
	}
	return out
}

// offline runs the steps of the offline job as GitHub runs them, and returns the exit code of the last.
func offline(t *testing.T, dir, value, out string, extra ...string) (int, string) {
	t.Helper()
	env := append(os.Environ(), "BASE=base", "OUT="+out, "LIMIT=40000", "GOFLAGS=-buildvcs=false", "CI=true")
	env = append(env, extra...)
	log := ""
	for _, s := range offlineSteps(t, dir, value) {
		cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", s.Run)
		cmd.Dir, cmd.Env = dir, env
		for k, v := range s.Env {
			cmd.Env = append(cmd.Env, k+"="+v)
		}
		text, err := cmd.CombinedOutput()
		log += string(text)
		if err != nil {
			return cmd.ProcessState.ExitCode(), log
		}
	}
	return 0, log
}

// edit changes a file of the clone; a change that finds nothing to change is a mistake of the test.
func edit(t *testing.T, dir, name, pattern, with string) {
	t.Helper()
	path := filepath.Join(dir, name)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	re := regexp.MustCompile(pattern)
	if !re.Match(data) {
		t.Fatalf("%s has nothing like %s", name, pattern)
	}
	if err := os.WriteFile(path, re.ReplaceAll(data, []byte(with)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A key that Stripe might give, made here so that no scanner takes it for a real one.
var gateCanary = "sk_" + "live_" + "9fKq2ZxT7vLmB4nR8wYc"

// The gate works: the steps of the offline job, run in a clean clone on a branch with one change, let
// harmless changes pass and refuse what must not be merged.
func TestGate(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the program three times")
	}
	dir := gateClone(t)
	for _, c := range []struct {
		name   string
		change func(t *testing.T)
		code   int
		check  func(t *testing.T, r *report.Report, md string)
	}{
		{"nothing", func(*testing.T) {}, 0, func(t *testing.T, r *report.Report, md string) {
			for _, s := range r.Stacks {
				if s.Counts.Any() || s.New {
					t.Errorf("stack %s changes: %+v", s.Name, s.Counts)
				}
			}
		}},
		{"harmless", func(t *testing.T) {
			edit(t, dir, "Pulumi.prod.yaml", `memoryMiB: 1024`, `memoryMiB: 2048`)
		}, 0, func(t *testing.T, r *report.Report, md string) {
			s := stackOf(t, r, "prod")
			if !s.Counts.Any() || len(s.Stateful.Lost) > 0 || s.Stateful.Kept == 0 || s.Stateful.Kept != s.Stateful.Before {
				t.Errorf("%+v %+v", s.Counts, s.Stateful)
			}
			if s.Seconds == nil || *s.Seconds <= 0 || s.Reach == nil || len(s.Reach.After) == 0 {
				t.Errorf("the report lacks the time to deploy or what the internet reaches: %v %v", s.Seconds, s.Reach)
			}
			if len(s.Policies.Undetermined) > 0 {
				t.Errorf("undetermined after the simulated up: %v", s.Policies.Undetermined)
			}
		}},
		{"replaced volume", func(t *testing.T) {
			edit(t, dir, "Pulumi.dev.yaml", `location: nbg1`, `location: fsn1`)
			edit(t, dir, "Pulumi.dev.yaml", `fallbackLocations: \[fsn1, hel1\]`, `fallbackLocations: [hel1]`)
		}, 1, func(t *testing.T, r *report.Report, md string) {
			s := stackOf(t, r, "dev")
			lost := map[string]string{}
			for _, l := range s.Stateful.Lost {
				lost[l.Type] = l.Op + " " + strings.Join(l.Forces, ",")
			}
			if lost["hcloud:index/volume:Volume"] != "replace location" {
				t.Errorf("lost: %v", lost)
			}
			if !violates(s, "stateful-not-replaced") {
				t.Errorf("violations: %v", s.Policies.Violations)
			}
		}},
		{"plain secret", func(t *testing.T) {
			edit(t, dir, "Pulumi.prod.yaml", `(?m)^  morphee:alarms:`, "  morphee:backend:\n    environment:\n      PAYMENT_ACCOUNT: "+gateCanary+"\n  morphee:alarms:")
		}, 1, func(t *testing.T, r *report.Report, md string) {
			s := stackOf(t, r, "prod")
			if s.Policies == nil {
				t.Fatalf("the policies were not asked: %v", s.Errors)
			}
			secrets := false
			for _, v := range s.Policies.Violations {
				secrets = secrets || v.Level == "mandatory" && strings.HasSuffix(v.Pack, "secrets") && v.New
			}
			if !secrets {
				t.Errorf("violations: %v", s.Policies.Violations)
			}
		}},
		{"public database", func(t *testing.T) {
			edit(t, dir, "components/aws/database_rds.go", `PubliclyAccessible: pulumi\.Bool\(false\)`, `PubliclyAccessible: pulumi.Bool(true)`)
		}, 1, func(t *testing.T, r *report.Report, md string) {
			s := stackOf(t, r, "prod")
			if s.Policies == nil {
				t.Fatalf("the policies were not asked: %v", s.Errors)
			}
			if !violates(s, "database-not-public") {
				t.Errorf("violations: %v", s.Policies.Violations)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			command(t, dir, nil, "git", "switch", "--quiet", "--force-create", "change", "base")
			c.change(t)
			commit(t, dir, c.name)
			out := t.TempDir()
			start := time.Now()
			code, log := offline(t, dir, "report", out)
			t.Logf("exit code %d after %s", code, time.Since(start).Round(100*time.Millisecond))
			if code != c.code {
				t.Errorf("exit code %d, want %d\n%s", code, c.code, log)
			}
			r, md := readReport(t, out)
			if r.Verdict.Pass != (c.code == 0) {
				t.Errorf("verdict %+v", r.Verdict)
			}
			if t.Failed() {
				t.Log(md)
			}
			c.check(t, r, md)
			// No secret may be in any form of it.
			for _, name := range []string{"report.md", "report.html", "report.json", "report.log"} {
				data, err := os.ReadFile(filepath.Join(out, name))
				if err != nil {
					t.Error(err)
				}
				if strings.Contains(string(data), gateCanary) {
					t.Errorf("%s shows the secret", name)
				}
			}
		})
	}
}

func readReport(t *testing.T, out string) (*report.Report, string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(out, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r report.Report
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	md, err := os.ReadFile(filepath.Join(out, "report.md"))
	if err != nil || len(md) > 40_000 || !strings.HasPrefix(string(md), report.Marker) {
		t.Fatalf("report.md: %v, %d characters", err, len(md))
	}
	return &r, string(md)
}

func stackOf(t *testing.T, r *report.Report, name string) report.Stack {
	t.Helper()
	for _, s := range r.Stacks {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("the report has no stack %s", name)
	return report.Stack{}
}

func violates(s report.Stack, rule string) bool {
	return slices.ContainsFunc(s.Policies.Violations, func(f report.Finding) bool { return f.Rule == rule && f.Level == "mandatory" })
}

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
