package tests

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/config"
)

// page is one Markdown file of the repository.
type page struct {
	path  string // from the root, with slashes
	prose string // without code
	code  []string
	heads map[string]bool // anchors
}

var (
	fence      = regexp.MustCompile("(?ms)^```[a-z]*\n(.*?)^```")
	indented   = regexp.MustCompile(`(?m)(?:^|\n\n)((?:    .*\n)+)`)
	inline     = regexp.MustCompile("`([^`\n]+)`")
	heading    = regexp.MustCompile(`(?m)^#{1,6} (.+)$`)
	link       = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	notAnchor  = regexp.MustCompile(`[^a-z0-9 _-]`)
	skipped    = []string{".git", ".sim", "bin", "testdata", ".cache"}
	minPages   = 10
	repository = ".."
)

// pages reads every Markdown file of the repository.
func pages(t *testing.T) map[string]*page {
	t.Helper()
	out := map[string]*page{}
	err := filepath.WalkDir(repository, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains(skipped, d.Name()) {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(p) != ".md" {
			return nil
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(repository, p)
		if err != nil {
			return err
		}
		one := readPage(filepath.ToSlash(rel), string(data))
		out[one.path] = one
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < minPages {
		t.Fatalf("only %d pages found", len(out))
	}
	return out
}

func readPage(name, text string) *page {
	p := &page{path: name, heads: map[string]bool{}}
	for _, pattern := range []*regexp.Regexp{fence, indented} {
		for _, m := range pattern.FindAllStringSubmatch(text, -1) {
			p.code = append(p.code, m[1])
		}
		text = pattern.ReplaceAllString(text, "\n")
	}
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		anchor := notAnchor.ReplaceAllString(strings.ToLower(strings.TrimSpace(m[1])), "")
		p.heads[strings.ReplaceAll(anchor, " ", "-")] = true
	}
	for _, m := range inline.FindAllStringSubmatch(text, -1) {
		p.code = append(p.code, m[1])
	}
	p.prose = inline.ReplaceAllString(text, "")
	return p
}

// eachPage runs a check for every page, by name.
func eachPage(t *testing.T, check func(t *testing.T, p *page)) {
	all := pages(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(strings.ReplaceAll(name, "/", "_"), func(t *testing.T) { check(t, all[name]) })
	}
}

// A link that leads nowhere costs the reader more than no link.
func TestDocsLinksResolve(t *testing.T) {
	all := pages(t)
	for name, p := range all {
		for _, m := range link.FindAllStringSubmatch(p.prose, -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			to := name
			if target != "" {
				to = path.Join(path.Dir(name), target)
				if _, err := os.Stat(filepath.Join(repository, filepath.FromSlash(to))); err != nil {
					t.Errorf("%s links to %s, which does not exist", name, m[1])
					continue
				}
			}
			if other := all[to]; anchor != "" && (other == nil || !other.heads[anchor]) {
				t.Errorf("%s links to %s, which has no such heading", name, m[1])
			}
		}
	}
}

// Every page is in the list of pages once: who looks for it there has to find it. A folder's pages are
// listed by the folder's own.
func TestDocsListEveryPage(t *testing.T) {
	all := pages(t)
	listed := func(index string) map[string]int {
		times := map[string]int{}
		for _, line := range strings.Split(all[index].prose, "\n") {
			if m := link.FindStringSubmatch(line); m != nil && strings.HasPrefix(line, "|") {
				target, _, _ := strings.Cut(m[1], "#")
				times[path.Join(path.Dir(index), target)]++
			}
		}
		return times
	}
	for index, folders := range map[string][]string{"docs/README.md": {"docs", "ops/runbooks"}, "docs/migrate/README.md": {"docs/migrate"}} {
		times := listed(index)
		for name := range all {
			n := times[name]
			if slices.Contains(folders, path.Dir(name)) && name != index && (n == 0 || n > 1 && index == "docs/README.md") {
				t.Errorf("%s lists %s %d times, want once", index, name, n)
			}
		}
	}
}

var (
	makeCall   = regexp.MustCompile(`(?m)(?:^|[\s;&(])make ([a-z][a-z-]*)((?: +[A-Z]+=\S*)*)`)
	makeTarget = regexp.MustCompile(`(?m)^([a-z][a-z-]*):`)
	makeVar    = regexp.MustCompile(`([A-Z]+)=`)
)

// What a page tells people to make must be a target, with variables that the Makefile reads.
func TestDocsMakeTargetsExist(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(repository, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]bool{}
	for _, m := range makeTarget.FindAllStringSubmatch(string(data), -1) {
		targets[m[1]] = true
	}
	if !targets["up"] || !targets["test"] {
		t.Fatalf("the Makefile was not understood: %v", targets)
	}
	eachPage(t, func(t *testing.T, p *page) {
		for _, code := range p.code {
			for _, m := range makeCall.FindAllStringSubmatch(code, -1) {
				if !targets[m[1]] {
					t.Errorf("there is no make target %s", m[1])
				}
				for _, v := range makeVar.FindAllStringSubmatch(m[2], -1) {
					if !strings.Contains(string(data), "("+v[1]+")") {
						t.Errorf("make %s: the Makefile does not read %s", m[1], v[1])
					}
				}
			}
		}
	})
}

var (
	infraCall   = regexp.MustCompile(`(?m)(?:^|[\s;&(])(?:bin/)?infra ([a-z]+)(?: ([a-z]+))?([^\n|;&#]*)`)
	infraUse    = regexp.MustCompile(`Use:\s+"([a-z]+)`)
	infraOp     = regexp.MustCompile(`operation\(sim\.([A-Z][a-z]+)`)
	infraFlag   = regexp.MustCompile(`\b(?:\w+Var|Bool|String|Int)\((?:&[\w.]+, )?"([a-z][a-z-]*)"`)
	flagMention = regexp.MustCompile(`--([a-z][a-z-]*)`)
)

// What a page tells people to type must be a command with such flags. The command's source says
// which there are, so that this test needs no built one.
func TestDocsInfraCommandsExist(t *testing.T) {
	commands, flags := map[string]bool{"help": true, "completion": true}, map[string]bool{"help": true}
	files, err := filepath.Glob(filepath.Join(repository, "cmd", "infra", "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, pattern := range []*regexp.Regexp{infraUse, infraOp} {
			for _, m := range pattern.FindAllStringSubmatch(string(data), -1) {
				commands[strings.ToLower(m[1])] = true
			}
		}
		for _, m := range infraFlag.FindAllStringSubmatch(string(data), -1) {
			flags[m[1]] = true
		}
	}
	for _, want := range []string{"sim", "up", "export", "compose"} {
		if !commands[want] {
			t.Fatalf("the command's source was not understood: %v", slices.Sorted(maps.Keys(commands)))
		}
	}
	if !flags["drift"] || !flags["json"] {
		t.Fatalf("the command's source was not understood: flags %v", slices.Sorted(maps.Keys(flags)))
	}
	eachPage(t, func(t *testing.T, p *page) {
		for _, code := range p.code {
			for _, m := range infraCall.FindAllStringSubmatch(code, -1) {
				if !commands[m[1]] {
					t.Errorf("infra has no command %s", m[1])
				}
				if m[1] == "sim" && m[2] != "" && !commands[m[2]] {
					t.Errorf("infra sim has no command %s", m[2])
				}
				for _, f := range flagMention.FindAllStringSubmatch(m[3], -1) {
					if !flags[f[1]] {
						t.Errorf("infra %s %s has no flag --%s", m[1], m[2], f[1])
					}
				}
			}
		}
	})
}

var (
	configKey = regexp.MustCompile(`\bmorphee:([a-z][A-Za-z]*(?:\.[A-Za-z]+)*)(:[A-Z])?`)
	knownKey  = regexp.MustCompile("(?m)^#{4} `([A-Za-z.]+)`\n\n[^\n]*\n\n- type: ([^\n]*)")
)

// Every key that a page names must be one, to the last part. docs/config.md, which a test of its own
// keeps up to date, lists them.
func TestDocsConfigKeysExist(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(repository, "docs", "config.md"))
	if err != nil {
		t.Fatal(err)
	}
	known, open := map[string]bool{}, map[string]bool{}
	for _, key := range config.Keys() {
		known[key] = true
	}
	for _, m := range knownKey.FindAllStringSubmatch(string(data), -1) {
		parts := strings.Split(m[1], ".")
		for i := range parts {
			known[strings.Join(parts[:i+1], ".")] = true
		}
		open[m[1]] = strings.HasPrefix(m[2], "map of ")
	}
	if !known["server.type"] || !open["backend.secrets"] {
		t.Fatal("docs/config.md was not understood")
	}
	eachPage(t, func(t *testing.T, p *page) {
		for _, text := range append(p.code, p.prose) {
			for _, m := range configKey.FindAllStringSubmatch(text, -1) {
				if m[2] != "" || known[m[1]] { // morphee:group:Component is a type
					continue
				}
				if i := strings.LastIndex(m[1], "."); i < 0 || !open[m[1][:i]] {
					t.Errorf("there is no configuration key morphee:%s", m[1])
				}
			}
		}
	})
}

var (
	outputMention = regexp.MustCompile(`pulumi stack output (?:--stack \S+ )?([a-z]\w*)|(?i:\boutputs?) [^.|]{0,20}\x60([a-z]\w*)\x60`)
	outputMade    = regexp.MustCompile(`out(?:puts)?\["(\w+)"\]`)
)

// An output of the stack that a page names must be one that a phase makes.
func TestDocsOutputsExist(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(repository, "phases", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]bool{}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range outputMade.FindAllStringSubmatch(string(data), -1) {
			made[m[1]] = true
		}
	}
	if !made["publicIp"] || !made["apiUrl"] {
		t.Fatalf("the phases were not understood: %v", slices.Sorted(maps.Keys(made)))
	}
	found := 0
	for name := range pages(t) {
		data, err := os.ReadFile(filepath.Join(repository, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range outputMention.FindAllStringSubmatch(string(data), -1) {
			found++
			if output := m[1] + m[2]; !made[output] {
				t.Errorf("%s: there is no output %s", name, output)
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d outputs are mentioned: this test looks in the wrong place", found)
	}
}

var repositoryPath = regexp.MustCompile(`^(?:\./)?([A-Za-z0-9._-]+(?:/[A-Za-z0-9._*-]+)+/?)$`)

// A path in code that starts like one of the repository must be one.
func TestDocsPathsExist(t *testing.T) {
	top := map[string]bool{}
	entries, err := os.ReadDir(repository)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		top[e.Name()] = e.IsDir() && !slices.Contains(skipped, e.Name())
	}
	eachPage(t, func(t *testing.T, p *page) {
		for _, code := range p.code {
			m := repositoryPath.FindStringSubmatch(code)
			if m == nil || !top[strings.Split(m[1], "/")[0]] {
				continue
			}
			if found, err := filepath.Glob(filepath.Join(repository, filepath.FromSlash(m[1]))); err != nil || len(found) == 0 {
				t.Errorf("there is no %s", m[1])
			}
		}
	})
}

// Pages speak of the repository, not of somebody's machine.
func TestDocsNameNoMachine(t *testing.T) {
	private := regexp.MustCompile(`/(?:home|root|Users|work)/`)
	eachPage(t, func(t *testing.T, p *page) {
		for _, text := range append(p.code, p.prose) {
			if found := private.FindString(text); found != "" {
				t.Errorf("a path under %s", found)
			}
		}
	})
}

var goExample = regexp.MustCompile("(?ms)^```go\n// (\\S+\\.go)\n(.*?)^```")

// The worked example of docs/add-cloud-behaviour.md is laid over the package that it is written for,
// and its own test is run.
func TestDocsExampleCompilesAndRuns(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(repository, "docs", "add-cloud-behaviour.md"))
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	dir, replace := t.TempDir(), map[string]string{}
	put := func(name, text string) {
		to := filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(root, filepath.FromSlash(name))] = to
	}
	for _, m := range goExample.FindAllStringSubmatch(string(data), -1) {
		put(m[1], m[2])
	}
	if len(replace) != 2 {
		t.Fatalf("%d files in the page, want the rule and its test", len(replace))
	}
	const list = "internal/sim/clouds/hcloud/hcloud.go"
	source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(list)))
	if err != nil {
		t.Fatal(err)
	}
	const before = "Types: []cloud.Type{"
	if strings.Count(string(source), before) != 1 {
		t.Fatalf("%s: the list of types is not where it was", list)
	}
	put(list, strings.Replace(string(source), before, before+"managedCertificate(),", 1))
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "test", "-overlay", file, "-run", "^TestManagedCertificate$", "-v", "./"+path.Dir(list))
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestManagedCertificate") {
		t.Fatalf("%v\n%s", err, out)
	}
}
