package report

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/morphee-app/morphee-infra/internal/deployment"
)

func urn(stack, typ, name string) string {
	return "urn:pulumi:" + stack + "::morphee::" + typ + "::" + name
}

func resource(typ, name, id string, inputs map[string]any) deployment.Resource {
	return deployment.Resource{URN: urn("s", typ, name), Type: typ, Name: name, ID: id, Custom: true, Protect: true, Inputs: inputs}
}

const (
	volume = "hcloud:index/volume:Volume"
	server = "hcloud:index/server:Server"
	record = "cloudflare:index/record:Record"
)

// A random report of any size, with names that nobody would choose.
func randomReport(t *rapid.T) *Report {
	wild := rapid.StringN(0, 400, -1)
	name := rapid.OneOf(rapid.StringMatching(`[a-z-]{1,30}`), wild)
	var stacks []Stack
	for range rapid.IntRange(0, 6).Draw(t, "stacks") {
		s := Stack{Name: name.Draw(t, "stack")}
		// Few drawn values, many resources: what counts is how many there are.
		types := rapid.SliceOfN(name, 1, 30).Draw(t, "types")
		names := rapid.SliceOfN(name, 1, 10).Draw(t, "names")
		texts := rapid.SliceOfN(wild, 0, 5).Draw(t, "texts")
		ops := []string{"create", "update", "replace", "delete"}
		for i := range rapid.SampledFrom([]int{0, 3, 200, 2_000}).Draw(t, "resources") {
			typ := types[i%len(types)]
			c := Change{Type: typ, Name: fmt.Sprint(names[i%len(names)], i), Op: ops[i%4], Properties: names, Forces: names}
			c.URN = urn(s.Name, typ, c.Name)
			s.Changes = append(s.Changes, c)
			if i%7 == 0 && c.Op == "replace" {
				s.Stateful.Lost = append(s.Stateful.Lost, Loss{URN: c.URN, Type: typ, Name: c.Name, Op: c.Op, Forces: names})
			}
		}
		s.Count(rapid.IntRange(0, 1000).Draw(t, "same"))
		s.Errors, s.Notes = texts, texts
		if rapid.Bool().Draw(t, "policies") {
			s.Policies = &Policies{Packs: names}
			for i := range rapid.SampledFrom([]int{0, 5, 1000}).Draw(t, "findings") {
				f := Finding{Rule: names[i%len(names)], Level: []string{"mandatory", "advisory"}[i%2], URN: urn(s.Name, "t", fmt.Sprint(i)), Message: strings.Repeat("long ", i%200)}
				s.Policies.Violations = append(s.Policies.Violations, f)
				s.Policies.Exceptions = append(s.Policies.Exceptions, f)
			}
		}
		if rapid.Bool().Draw(t, "reach") {
			s.Reach = &Reach{Before: texts, After: names}
		}
		stacks = append(stacks, s)
	}
	return New("base", "head", stacks)
}

// However large the change is, the report fits a comment, is whole, and is the same every time.
func TestFitsWhateverTheSize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := randomReport(t)
		limit := rapid.IntRange(4000, MaxCharacters).Draw(t, "limit")
		md, page := r.Markdown(limit), r.HTML(limit)
		if len(md) > limit || len(page) > limit {
			t.Fatalf("%d and %d characters, want at most %d", len(md), len(page), limit)
		}
		if md != r.Markdown(limit) || page != r.HTML(limit) {
			t.Fatal("two renderings differ")
		}
		if !strings.Contains(md, escape(r.Verdict.String())) || !strings.HasSuffix(page, "</body></html>\n") {
			t.Fatal("the verdict or the end is missing")
		}
		if a, b := strings.Count(md, "<details>"), strings.Count(md, "</details>"); a != b {
			t.Fatalf("%d details are opened and %d closed", a, b)
		}
		for _, tag := range []string{"table", "tr", "td", "details", "p", "code", "h2", "h3"} {
			if a, b := strings.Count(page, "<"+tag+">")+strings.Count(page, "<"+tag+" "), strings.Count(page, "</"+tag+">"); a != b {
				t.Fatalf("<%s>: %d are opened and %d closed", tag, a, b)
			}
		}
		// A row has as many cells as its head, or a name has broken out of its cell.
		columns := 0
		for _, line := range strings.Split(md, "\n") {
			if !strings.HasPrefix(line, "|") {
				columns = 0
				continue
			}
			n := strings.Count(line, "|") - strings.Count(line, `\|`)
			if columns != 0 && n != columns {
				t.Fatalf("a row has %d bars, its head %d: %q", n, columns, line)
			}
			columns = n
		}
	})
}

func TestSummariesCountEverything(t *testing.T) {
	s := Stack{Name: "big"}
	for i := range 30_000 {
		typ := []string{"aws:a/a:A", "aws:b/b:B"}[i%2]
		s.Changes = append(s.Changes, Change{URN: urn("big", typ, fmt.Sprintf("n%05d", i)), Type: typ, Name: fmt.Sprintf("n%05d", i), Op: "create"})
	}
	s.Changes = append(s.Changes, Change{URN: urn("big", volume, "data"), Type: volume, Name: "data", Op: "replace", Forces: []string{"location"}})
	s.Count(0)
	s.Hold([]deployment.Resource{resource(volume, "data", "1", nil)}, nil, false, nil)
	s.Stateful.Lost = []Loss{{URN: urn("big", volume, "data"), Type: volume, Name: "data", Kind: "data", Op: "replace", Forces: []string{"location"}}}
	md := New("b", "h", []Stack{s}).Markdown(MaxCharacters)
	if len(md) > MaxCharacters {
		t.Fatal(len(md))
	}
	for _, want := range []string{"30000 resources to create", "And 29800 more: 15000 × aws:b/b:B, 14800 × aws:a/a:A.", "`data`", "`location`", leftOutText} {
		if !strings.Contains(md, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
}

func TestHoldKnowsLossesFromUpdates(t *testing.T) {
	before := []deployment.Resource{
		resource(volume, "kept", "1", nil), resource(volume, "gone", "2", nil), resource(volume, "moved", "3", nil),
		resource(volume, "grown", "4", nil), resource(record, "dns", "5", nil),
	}
	open := resource(volume, "new", "6", nil)
	open.Protect = false
	s := Stack{Changes: []Change{
		{URN: before[1].URN, Op: "delete"}, {URN: before[2].URN, Op: "replace", Forces: []string{"location"}},
		{URN: before[3].URN, Op: "update"}, {URN: before[4].URN, Op: "replace"},
	}}
	s.Hold(before, []deployment.Resource{before[0], before[2], before[3], open}, false, func(urn string) string {
		if urn == before[1].URN {
			return "retired on purpose"
		}
		return ""
	})
	h := s.Stateful
	if h.Before != 4 || h.After != 4 || h.Kept != 2 || len(h.Lost) != 2 || len(h.Unprotected) != 1 {
		t.Fatalf("%+v", h)
	}
	r := New("b", "h", []Stack{s})
	if r.Verdict.Pass || r.Verdict.Lost != 1 {
		t.Fatalf("%+v", r.Verdict)
	}
	s.Stateful.Throwaway = true
	if r := New("b", "h", []Stack{s}); !r.Verdict.Pass {
		t.Fatalf("a throw-away stack: %+v", r.Verdict)
	}
}

func TestDiffNamesWhatForces(t *testing.T) {
	before := []deployment.Resource{
		resource(volume, "data", "1", map[string]any{"size": 10.0, "location": "nbg1", "labels": map[string]any{"a": "b"}}),
		resource(server, "web", "7", map[string]any{"name": "web"}), resource(record, "old", "8", nil),
	}
	after := []deployment.Resource{
		resource(volume, "data", "2", map[string]any{"size": 20.0, "location": "fsn1", "labels": map[string]any{"a": "b"}}),
		resource(server, "web", "7", map[string]any{"name": "www"}), resource(record, "new", "9", nil),
	}
	changes, same, err := Diff(before, after)
	if err != nil || same != 0 {
		t.Fatal(err, same)
	}
	got := map[string]string{}
	for _, c := range changes {
		got[c.Name] = fmt.Sprint(c.Op, c.Properties, c.Forces)
	}
	for name, want := range map[string]string{
		"data": "replace[location size] [location]", "web": "update[name] []", "old": "delete[] []", "new": "create[] []",
	} {
		if got[name] != want {
			t.Errorf("%s: %s, want %s", name, got[name], want)
		}
	}
	if changes, same, err := Diff(before, before); err != nil || len(changes) != 0 || same != 3 {
		t.Errorf("nothing changed: %v %d %v", changes, same, err)
	}
}

func TestReadPreview(t *testing.T) {
	state := func(typ, name, extra string) string {
		return fmt.Sprintf(`{"urn":%q,"type":%q,"custom":true%s}`, urn("dev", typ, name), typ, extra)
	}
	step := func(op, typ, name, rest string) string {
		return fmt.Sprintf(`{"op":%q,"urn":%q%s}`, op, urn("dev", typ, name), rest)
	}
	doc := `{"config":{"morphee:phase":"1"},"steps":[` + strings.Join([]string{
		step("same", record, "same", `,"oldState":`+state(record, "same", "")+`,"newState":`+state(record, "same", "")),
		step("create", record, "new", `,"newState":`+state(record, "new", `,"inputs":{"content":"`+Unknown+`","password":"[secret]"}`)),
		step("create-replacement", volume, "data", `,"oldState":`+state(volume, "data", `,"id":"1"`)+`,"newState":`+state(volume, "data", "")+
			`,"detailedDiff":{"location":{"kind":"update-replace"},"size":{"kind":"update"}}`),
		step("replace", volume, "data", `,"replaceReasons":["location"]`),
		step("delete-replaced", volume, "data", ""),
		step("delete", record, "old", `,"oldState":`+state(record, "old", "")),
		step("update", server, "web", `,"oldState":`+state(server, "web", "")+`,"newState":`+state(server, "web", "")+`,"diffReasons":["labels"]`),
	}, ",") + `],"changeSummary":{"same":1,"create":1,"delete":1,"replace":1,"update":1},"diagnostics":[{"severity":"error","message":"no"},{"severity":"info","message":"x"}]}`
	p, err := ReadPreview([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, c := range p.Changes {
		got += fmt.Sprintln(c.Op, c.Type, c.Name, c.Properties, c.Forces)
	}
	want := "create cloudflare:index/record:Record new [] []\n" + "delete cloudflare:index/record:Record old [] []\n" +
		"update hcloud:index/server:Server web [labels] []\n" + "replace hcloud:index/volume:Volume data [location size] [location]\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if p.Stack != "dev" || p.Same != 1 || !p.Complete || len(p.Errors) != 1 || len(p.Before) != 4 || len(p.After) != 4 {
		t.Errorf("%+v", p)
	}
	for _, r := range p.After {
		if r.Name == "new" && (r.Inputs["password"] != deployment.Secret{} || r.Inputs["content"] != Unknown) {
			t.Errorf("inputs %v", r.Inputs)
		}
	}
	for _, bad := range []string{"", "[]", "{}", `{"version":3}`, `{"steps":1}`} {
		if _, err := ReadPreview([]byte(bad)); err == nil {
			t.Errorf("%q is no preview", bad)
		}
	}
}

// Nothing that a pull request can name may do anything in a comment.
func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"<img src=x>": "&lt;img src=x&gt;", "@everyone": "@\u200beveryone", "a|b": `a\|b`, "[x](y)": `\[x\](y)`, "two\nlines": "two lines",
		"https://x.example": "https:\u200b//x.example", "&#64;me": `\&\#64;me`,
	} {
		if got := escape(in); got != want {
			t.Errorf("escape(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"a`b": "``a`b``", "`": "`` ` ``", "a|b\n": "`a\\|b`", "": ""} {
		if got := (markdown{}).cell(code(in)); got != want {
			t.Errorf("code %q = %q, want %q", in, got, want)
		}
	}
}

// A secret is nowhere in a report, wherever it came from.
func TestRedact(t *testing.T) {
	const canary = "Zq7-canary-Zq7"
	list := []deployment.Resource{resource(server, "postgres", "1", map[string]any{
		"userData": deployment.Secret{Value: map[string]any{"deep": []any{canary}}}, "user": deployment.Secret{Value: "postgres"},
	})}
	s := Stack{Name: "x", Errors: []string{"the cloud refuses " + canary}, Notes: []string{canary}, Policies: &Policies{
		Violations: []Finding{{Rule: "r", Level: "mandatory", URN: list[0].URN, Message: "found " + canary}}}, Reach: &Reach{After: []string{canary}}}
	r := New("b", "h", []Stack{s})
	r.Redact(list)
	data, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"json": string(data), "markdown": r.Markdown(MaxCharacters), "html": r.HTML(MaxCharacters)} {
		if strings.Contains(text, "canary") || !strings.Contains(text, "secret]") {
			t.Errorf("%s shows the secret: %s", name, text)
		}
	}
	// What is also a name stays readable.
	if !strings.Contains(r.Markdown(MaxCharacters), "`postgres`") {
		t.Error("the name of the resource is gone")
	}
	var back Report
	if err := json.Unmarshal(data, &back); err != nil || back.Verdict != r.Verdict {
		t.Error(err)
	}
}

func TestReachDifferences(t *testing.T) {
	r := &Reach{Before: []string{"a", "b"}, After: []string{"b", "c"}}
	if fmt.Sprint(r.Opened(), r.Closed()) != "[c] [a]" {
		t.Error(r.Opened(), r.Closed())
	}
}
