package rule

import (
	"strings"
	"testing"
	"time"
)

var example = Pack{Name: "example", Rules: []Rule{{
	ID: "named-thing", Title: "Things have a name", Level: Mandatory, Reason: "Why.", Mend: "Name it.", Types: []string{"x:y:Z"},
	Settings: []Setting{{Name: "characters", Default: 1.0, Description: "least length of a name"}},
	Check: func(c *Check) {
		c.Want(c.In("name"), func(v Value) bool { return float64(len(v.Text())) >= c.Number("characters") }, "no name")
	},
}}}

func thing(name any) *Resource {
	return &Resource{URN: "urn:pulumi:s::p::x:y:Parent$x:y:Z::thing", Type: "x:y:Z", Name: "thing", Inputs: map[string]any{"name": name}}
}

func evaluate(t *testing.T, name any, o Options) Report {
	t.Helper()
	r, err := Evaluate([]Pack{example}, []*Resource{thing(name)}, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestExceptions(t *testing.T) {
	on := func(exception string) Options {
		return Options{Config: map[string]string{"morphee:policyExceptions": "[" + exception + "]"}, Now: time.Date(2027, 1, 31, 23, 0, 0, 0, time.UTC)}
	}
	for name, c := range map[string]struct {
		exception                    string
		violations, excepted, unused int
	}{
		"none":               {"", 1, 0, 0},
		"by name":            {`{"rule":"named-thing","resource":"thing","reason":"it is just a test"}`, 0, 1, 0},
		"by pattern":         {`{"rule":"named-thing","resource":"th*","reason":"it is just a test"}`, 0, 1, 0},
		"by type":            {`{"rule":"named-thing","resource":"x:y:Z::thing","reason":"it is just a test"}`, 0, 1, 0},
		"by URN":             {`{"rule":"named-thing","resource":"urn:pulumi:s::*::thing","reason":"it is just a test"}`, 0, 1, 0},
		"of another":         {`{"rule":"named-thing","resource":"other","reason":"it is just a test"}`, 1, 0, 1},
		"on its last day":    {`{"rule":"named-thing","resource":"thing","reason":"it is just a test","until":"2027-01-31"}`, 0, 1, 0},
		"after its last day": {`{"rule":"named-thing","resource":"thing","reason":"it is just a test","until":"2027-01-30"}`, 1, 0, 1},
	} {
		r := evaluate(t, "", on(c.exception))
		if len(r.Violations) != c.violations || len(r.Excepted) != c.excepted || len(r.Unused) != c.unused {
			t.Errorf("%s: %d violations, %d accepted, %d unused; want %d, %d, %d", name, len(r.Violations), len(r.Excepted), len(r.Unused), c.violations, c.excepted, c.unused)
		}
		if r.Mandatory() != c.violations {
			t.Errorf("%s: %d mandatory", name, r.Mandatory())
		}
	}
	r := evaluate(t, "", on(`{"rule":"named-thing","resource":"thing","reason":"it is just a test","until":"2027-01-30"}`))
	if n := strings.Count(r.Violations[0].Message, "ended on 2027-01-30"); n != 1 {
		t.Errorf("the message says %d times that the exception is over: %s", n, r.Violations[0].Message)
	}
	for exception, want := range map[string]string{
		`{"rule":"*","resource":"a","reason":"it is just a test"}`:                         "not for a pattern",
		`{"rule":"named-thing","resource":"a","reason":"no"}`:                              "three words",
		`{"rule":"named-thing","reason":"it is just a test"}`:                              "resource is missing",
		`{"resource":"a","reason":"it is just a test"}`:                                    "rule is missing",
		`{"rule":"named-thing","resource":"a","reason":"it is a test","until":"tomorrow"}`: "want a day",
		`{"rule":"named-thing","resource":"a","why":"it is just a test"}`:                  "unknown field",
	} {
		if _, err := NewSession(example, on(exception)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", exception, err, want)
		}
	}
}

func TestAnswersAndSettings(t *testing.T) {
	if r := evaluate(t, "a", Options{}); len(r.Violations)+len(r.Undetermined) != 0 || r.Checks != 1 || r.Rules != 1 {
		t.Errorf("a good thing: %+v", r)
	}
	if r := evaluate(t, Unknown{}, Options{}); len(r.Undetermined) != 1 || r.Undetermined[0].Message != "name" {
		t.Errorf("an unknown thing: %+v", r.Undetermined)
	}
	if r := evaluate(t, "a", Options{Settings: map[string]map[string]any{"named-thing": {"characters": 2.0}}}); len(r.Violations) != 1 {
		t.Error("the setting changes nothing")
	}
	if r := evaluate(t, "", Options{Levels: map[string]Level{"named-thing": Advisory}}); r.Mandatory() != 0 || len(r.Violations) != 1 {
		t.Error("the level changes nothing")
	}
	if r := evaluate(t, "", Options{Levels: map[string]Level{"named-thing": Disabled}}); len(r.Violations) != 0 || r.Rules != 0 {
		t.Error("a disabled rule runs")
	}
}

// No message holds the value of a secret.
func TestMessagesHideSecrets(t *testing.T) {
	r := evaluate(t, Secret{"hunter22"}, Options{Settings: map[string]map[string]any{"named-thing": {"characters": 20.0}}})
	if len(r.Violations) != 1 || strings.Contains(r.Violations[0].Message, "hunter22") || !strings.Contains(r.Violations[0].Message, "[secret]") {
		t.Errorf("%+v", r.Violations)
	}
}

// What an engine is told: a violation with its mend, an exception as advice, the undetermined once at
// the end and never as passed.
func TestDiagnoses(t *testing.T) {
	s, err := NewSession(example, Options{})
	if err != nil {
		t.Fatal(err)
	}
	open := s.Diagnose(s.Resource(thing(Unknown{})))
	if len(open.Findings) != 0 || len(open.Undecided) != 1 {
		t.Errorf("an unknown value: %+v", open)
	}
	end := s.DiagnoseStack(s.Stack(nil))
	if len(end.Findings) != 1 || end.Findings[0].Level != Advisory || !strings.Contains(end.Findings[0].Message, "undetermined for 1 resources") {
		t.Errorf("at the end: %+v", end.Findings)
	}
	bad := s.Diagnose(s.Resource(thing("")))
	if len(bad.Findings) != 1 || bad.Findings[0].Level != Mandatory || !strings.Contains(bad.Findings[0].Message, "To mend it: Name it.") {
		t.Errorf("a violation: %+v", bad.Findings)
	}
	s, _ = NewSession(example, Options{Exceptions: []Exception{{Rule: "named-thing", Resource: "thing", Reason: "it is just a test", Until: "2027-01-31"}}})
	accepted := s.Diagnose(s.Resource(thing("")))
	if len(accepted.Findings) != 1 || accepted.Findings[0].Level != Advisory || !strings.Contains(accepted.Findings[0].Message, "it is just a test (until 2027-01-31)") {
		t.Errorf("an accepted violation: %+v", accepted.Findings)
	}
}

func TestRefs(t *testing.T) {
	subnet := func(name string) *Resource {
		return &Resource{URN: "urn:" + name, Type: "s", Name: name, ID: "id-" + name}
	}
	a, b := subnet("a"), subnet("b")
	user := func(v any, deps ...string) *Resource {
		return &Resource{URN: "urn:u", Type: "u", Inputs: map[string]any{"subnetIds": v}, PropertyDeps: map[string][]string{"subnetIds": deps}}
	}
	for name, c := range map[string]struct {
		user     *Resource
		found    int
		possible int
		foreign  int
		unknown  bool
	}{
		"known":                     {user([]any{"id-a"}), 1, 0, 0, false},
		"of another stack":          {user([]any{"id-c"}), 0, 0, 1, false},
		"unknown elements":          {user([]any{Unknown{}, Unknown{}}, "urn:a", "urn:b"), 2, 0, 0, false},
		"unknown list":              {user(Unknown{}, "urn:a", "urn:b"), 2, 0, 0, false},
		"fewer than it depends on":  {user([]any{Unknown{}}, "urn:a", "urn:b"), 0, 2, 0, true},
		"unknown without any trace": {user([]any{Unknown{}}), 0, 0, 0, true},
	} {
		ref := NewIndex([]*Resource{a, b, c.user}).Refs(c.user, "subnetIds", "s")
		if len(ref.Found) != c.found || len(ref.Possible) != c.possible || len(ref.Foreign) != c.foreign || ref.Unknown != c.unknown {
			t.Errorf("%s: %d found, %d possible, %d foreign, unknown %v", name, len(ref.Found), len(ref.Possible), len(ref.Foreign), ref.Unknown)
		}
	}
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{{"a", "a", true}, {"a", "ab", false}, {"a*", "ab", true}, {"*b", "ab", true}, {"a*c*e", "abcde", true}, {"a*c*e", "abde", false}, {"*", "", true}, {"ab*ba", "aba", false}} {
		if Glob(c.pattern, c.text) != c.want {
			t.Errorf("Glob(%q, %q): want %v", c.pattern, c.text, c.want)
		}
	}
}

func TestOpen(t *testing.T) {
	for cidr, want := range map[string]bool{"0.0.0.0/0": true, "::/0": true, "0.0.0.0/1": true, "128.0.0.0/1": true, "10.0.0.0/8": false, "198.51.100.0/24": false, "2001:db8::/32": false, "": false} {
		if Open(cidr) != want {
			t.Errorf("Open(%q): want %v", cidr, want)
		}
	}
}
