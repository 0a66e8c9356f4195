package policies

import (
	"encoding/json"
	"os"
	"os/exec"
	"path"
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
		} else if err != nil || !gateStack(name) {
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

// gateStack says whether the clone has the file. Of the stacks it has those that the changes are about, and
// one example: whether every shipped stack comes up and keeps to the policies is for other tests.
func gateStack(name string) bool {
	dir, file := path.Split(name)
	switch stack, isStack := strings.CutPrefix(file, "Pulumi."); {
	case dir == "" && isStack && stack != "yaml":
		return stack == "dev.yaml" || stack == "prod.yaml"
	case strings.HasPrefix(dir, "stacks/examples/"):
		return name == gateExample
	}
	return true
}

// gateExample is what --all adds to the project's own stacks.
const gateExample = "stacks/examples/phase0.yaml"

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
	file := filepath.Join(dir, name)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	re := regexp.MustCompile(pattern)
	if !re.Match(data) {
		t.Fatalf("%s has nothing like %s", name, pattern)
	}
	if err := os.WriteFile(file, re.ReplaceAll(data, []byte(with)), 0o644); err != nil {
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
			// All that the clone has: the project's own stacks, and the example.
			if len(r.Stacks) != 3 {
				t.Errorf("%d stacks were compared, want 3", len(r.Stacks))
			}
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
			t.Cleanup(func() {
				if t.Failed() {
					t.Log(log)
				}
			})
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
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
