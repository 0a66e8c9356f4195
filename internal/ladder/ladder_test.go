package ladder

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/leaving"
	"github.com/morphee-app/morphee-infra/internal/serving"
	"github.com/morphee-app/morphee-infra/internal/sim"
)

func TestManifest(t *testing.T) {
	const good = "steps:\n- {name: one, config: a.yaml}\n- {name: two, config: a.yaml, manual: look, minutes: 5, wait: a day, waitMinutes: 1440}\n" +
		"back:\n- {name: home, after: two, steps: [{name: one, config: a.yaml}]}\n"
	for _, c := range []struct{ name, from, to, want string }{
		{"as it should be", "", "", ""},
		{"a key that is not known", "manual: look", "manul: look", "manul"},
		{"a file that is not there", "name: one, config: a.yaml}\n- {name: two", "name: one, config: b.yaml}\n- {name: two", `no file "b.yaml"`},
		{"no file", "{name: one, config: a.yaml}\n", "{name: one}\n", `no file ""`},
		{"a folder", "{name: one, config: a.yaml}\n", "{name: one, config: .}\n", `no file "."`},
		{"a name twice", "name: two", "name: one", "needs a name of its own"},
		{"no name", "name: two, ", "", "needs a name of its own"},
		{"negative minutes", "minutes: 5", "minutes: -5", "0 or more"},
		{"minutes of nothing", "manual: look, ", "", "manual goes with minutes"},
		{"a wait of no time", ", waitMinutes: 1440", "", "wait with waitMinutes"},
		{"a way back from nowhere", "after: two", "after: three", `no step "three"`},
		{"a way back without steps", "[{name: one, config: a.yaml}]", "[]", "has no steps"},
		{"nothing", good, "", "has no steps"},
		{"no YAML", good, "steps: [", "ladder.yaml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "a.yaml", "")
			if !strings.Contains(good, c.from) {
				t.Fatalf("%q is not in the manifest", c.from)
			}
			write(t, dir, ManifestFile, strings.Replace(good, c.from, c.to, 1))
			m, err := ReadManifest(dir)
			switch {
			case c.want == "" && (err != nil || len(m.Steps) != 2 || len(m.Back) != 1):
				t.Errorf("%+v, %v", m, err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	if _, err := ReadManifest(t.TempDir()); err == nil || !strings.Contains(err.Error(), "stacks/examples/ladder") {
		t.Errorf("%v", err)
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestTheShippedManifest(t *testing.T) {
	m, err := ReadManifest("../../stacks/examples/ladder")
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Steps) < 15 || len(m.Back) < 5 {
		t.Errorf("%d steps, %d ways back", len(m.Steps), len(m.Back))
	}
	parallel := func(p Planned) bool { return p.WaitMinutes == 48*60 }
	if !slices.ContainsFunc(m.Steps, parallel) {
		t.Error("no step waits for the 48 hours in parallel")
	}
}

func TestAClimbNeedsAnEmptyFolder(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "something", "")
	_, err := Climb(t.Context(), Options{Dir: "../../stacks/examples/ladder", State: dir})
	if err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("%v", err)
	}
}

const (
	volume   = "docker:index/volume:Volume"
	password = "random:index/randomPassword:RandomPassword"
)

func held(token, name, id string, more ...string) deployment.Resource {
	r := deployment.Resource{URN: "urn:pulumi:s::p::" + token + "::" + name, Type: token, Name: name, ID: id, Custom: true,
		Inputs: map[string]any{"name": name}, Outputs: map[string]any{}}
	for _, m := range more {
		if m == "protected" {
			r.Protect = true
		} else {
			r.Outputs["result"] = deployment.Secret{Value: m}
		}
	}
	return r
}

func TestLost(t *testing.T) {
	before := []deployment.Resource{
		held(volume, "data", "v1", "protected"), held(volume, "app-secrets", "v2"), held(password, "key", "none", "s3cret"),
		held("docker:index/container:Container", "app", "c1"),
	}
	retired := leaving.New(map[string]string{"morphee:migration": `{"retire":{"state":"retired","confirm":["data"]}}`})
	for _, c := range []struct {
		name          string
		after         []deployment.Resource
		replaced      string
		gives         leaving.Set
		unprotected   bool
		lost, retired string
	}{
		{name: "everything stays", after: before},
		{name: "what is written again may go", after: []deployment.Resource{before[0], before[2]}},
		{name: "data goes", after: before[1:], lost: volume + " data: deleted"},
		{name: "data is another", after: append([]deployment.Resource{held(volume, "data", "v9")}, before[1:]...), lost: volume + " data: replaced"},
		{name: "data is renamed", after: append([]deployment.Resource{held(volume, "files", "v1")}, before[1:]...)},
		{name: "a password has another value", after: []deployment.Resource{before[0], held(password, "key", "none", "other")}, lost: password + " key: replaced"},
		{name: "a password is renamed", after: []deployment.Resource{before[0], held(password, "secret", "none", "s3cret")}},
		{name: "a password is made again", after: before, replaced: before[2].URN, lost: password + " key: replaced"},
		{name: "data is retired", after: before[1:], gives: retired, unprotected: true, retired: volume + " data"},
		{name: "data is retired, still protected", after: before[1:], gives: retired, lost: volume + " data: deleted"},
		{name: "something else is retired", after: before[:1], gives: retired, unprotected: true, lost: password + " key: deleted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			there := slices.Clone(before)
			there[0].Protect = !c.unprotected
			result := &sim.Result{}
			if c.replaced != "" {
				result.Resources = append(result.Resources, sim.ResourceChange{URN: c.replaced, Op: "replace"})
			}
			gone, retired := lost(holdings(there), holdings(c.after), result, c.gives)
			if got := strings.Join(gone, "\n"); got != c.lost {
				t.Errorf("lost %q, want %q", got, c.lost)
			}
			if got := strings.Join(retired, "\n"); got != c.retired {
				t.Errorf("retired %q, want %q", got, c.retired)
			}
		})
	}
}

// report is one with something of everything in it, and names that could do harm in a page.
func report() *Report {
	answer := func(places ...string) serving.Answer {
		a := serving.Answer{Host: "api.<b>.example"}
		for _, p := range places {
			t := serving.Target{Platform: serving.AWS, Place: p, Family: "ipv4", Share: 1 / float64(len(places)), Path: []string{"a", "b"}}
			if p == "vps" {
				t.Platform = serving.Server
			}
			a.Targets = append(a.Targets, t)
		}
		return a
	}
	step := func(name string, up, manual, wait float64, answers ...serving.Answer) Step {
		s := newStep(Planned{Name: name, Config: name + ".yaml", Manual: "look", Minutes: manual, Wait: "wait", WaitMinutes: wait})
		s.UpMinutes, s.EstimatedMinutes, s.Names = up, up+manual+wait, answers
		s.Servers, s.Regions = []string{"vps"}, []string{"eu-west-1", "us-east-1"}
		return s
	}
	r := &Report{Simulated: true, Stack: "test", Steps: []Step{
		step("one", 4, 30, 0, answer("vps")),
		step("two <script>", 0.1, 0, 0, answer("vps", "eu-west-1")),
		step("three", 20, 60, 2880, answer("eu-west-1", "us-east-1")),
	}}
	r.Steps[1].Interrupted = []serving.Gap{{Host: "api.<b>.example", Share: 0.5, Seconds: 11, Replaced: []string{"backend"}}}
	r.Walks = []Walk{{Name: "back", After: "three", Steps: []Step{step("again", 0.05, 0, 0, answer("vps"))}}}
	r.judge()
	return r
}

// The axis goes from left to right without a hole, shows every step, and cuts what is long.
func TestAxis(t *testing.T) {
	for name, steps := range map[string][]Step{"up": report().Steps, "back": report().Walks[0].Steps, "one that failed": {newStep(Planned{})}} {
		list := axis(steps)
		at, last := leftEdge, map[int][2]float64{}
		for _, p := range list {
			if p.from < at-0.01 || p.to < p.from || p.to > width {
				t.Errorf("%s: %+v begins before %v, or ends before it begins", name, p, at)
			}
			if p.cut != (p.minutes > long) {
				t.Errorf("%s: %+v: cut %v", name, p, p.cut)
			}
			at = p.to
			span, ok := last[p.step]
			if !ok {
				span[0] = p.from
			}
			last[p.step] = [2]float64{span[0], p.to}
		}
		if len(last) != len(steps) {
			t.Errorf("%s: %d of %d steps are on the axis", name, len(last), len(steps))
		}
		for i, span := range last {
			if span[1]-span[0] < narrowest-1 {
				t.Errorf("%s: step %d is %.1f wide, too narrow for its number", name, i, span[1]-span[0])
			}
		}
	}
}

func TestPage(t *testing.T) {
	r := report()
	data, err := r.HTML()
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, bad := range []string{"<script", "<b>.example", "http://", "https://", "url(\"", "@import", "src="} {
		if strings.Contains(text, bad) {
			t.Errorf("%q is in the page", bad)
		}
	}
	for _, want := range []string{"two &lt;script&gt;", "SIMULATED", "prefers-color-scheme: dark", "backend replaced in place", `class="bar gap"`, "48 h", "The way back back"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
	pictures := strings.Split(text, "<svg ")[1:]
	if len(pictures) != 2 {
		t.Fatalf("%d pictures, want one for the way up and one for the way back", len(pictures))
	}
	for _, p := range pictures {
		svg, _, _ := strings.Cut("<svg "+p, "</svg>")
		dec := xml.NewDecoder(strings.NewReader(svg + "</svg>"))
		for {
			if _, err := dec.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("a picture is no XML: %v", err)
			}
		}
	}
}

func TestIdle(t *testing.T) {
	s := newStep(Planned{Name: "one"})
	s.Names = []serving.Answer{{Host: "api.example", Targets: []serving.Target{
		{Place: "here", Share: 1}, {Place: "there", Family: "ipv4", Share: 1, Out: true, Why: "it is dead"}, {Place: "there", Family: "ipv6", Share: 1, Out: true, Why: "it is dead"},
	}}}
	s.idle()
	if want := "there gets none of api.example: it is dead"; len(s.Idle) != 1 || s.Idle[0] != want || !slices.Contains(s.notes(), "idle "+want) {
		t.Errorf("%q, want %q once", s.Idle, want)
	}
	if !s.OK() {
		t.Error("nobody lost anything")
	}
}

// What went wrong is never hidden: not in the verdict, the table or the page.
func TestWhatGoesWrongShows(t *testing.T) {
	for name, spoil := range map[string]func(s *Step){
		"LOST volume data":     func(s *Step) { s.StatefulLost = []string{"volume data"} },
		"UNSERVED git.example": func(s *Step) { s.Unserved = []serving.Gap{{Host: "git.example", Share: 1}} },
		"PROBLEM not settled":  func(s *Step) { s.Problems = []string{"not settled"} },
	} {
		for _, back := range []bool{false, true} {
			r := report()
			if !r.OK {
				t.Fatal("it is not OK to begin with")
			}
			at := &r.Steps[1]
			if back {
				at = &r.Walks[0].Steps[0]
			}
			spoil(at)
			if r.judge(); r.OK {
				t.Errorf("%s: still OK", name)
			}
			var b strings.Builder
			if err := r.Text(&b); err != nil || !strings.Contains(b.String(), name) {
				t.Errorf("%s is not in the text (%v):\n%s", name, err, b.String())
			}
			_, what, _ := strings.Cut(name, " ")
			if page, err := r.HTML(); err != nil || !strings.Contains(string(page), what) || !strings.Contains(string(page), ">fails<") {
				t.Errorf("%s is not in the page, or the page holds (%v)", what, err)
			}
		}
	}
	empty := &Report{}
	if empty.judge(); empty.OK {
		t.Error("a walk of no steps proves something")
	}
}
