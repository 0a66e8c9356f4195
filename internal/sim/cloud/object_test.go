package cloud

import "testing"

func TestGet(t *testing.T) {
	o := Plain(map[string]any{
		"a": map[string]any{"b": []any{map[string]any{"c": "x"}, "y"}, "n": 7, "t": true},
		"u": Unknown, "com.example.key": "dotted",
	}).(Object)
	for path, want := range map[string]any{
		"a.b.0.c": "x", "a.b.1": "y", "a.b.2": nil, "a.b.x": nil, "a.n": 7.0, "a.t": true,
		"u": Unknown, "u.deeper": Unknown, "com.example.key": "dotted", "com": nil, "": nil,
	} {
		if got := o.Get(path); got != want {
			t.Errorf("Get(%q) = %v, want %v", path, got, want)
		}
	}
	if o.Known("u") || !o.Known("a") || !HasUnknown(o) {
		t.Error("known and unknown are mixed up")
	}
}

func TestCloneIsDeep(t *testing.T) {
	o := Object{"a": Object{"b": []any{"x"}}}
	c := o.Clone()
	c["a"].(Object)["b"].([]any)[0] = "changed"
	if o.String("a.b.0") != "x" {
		t.Error("a clone shares its list")
	}
}

func TestGen(t *testing.T) {
	g := Gen{Seed: "s"}
	if len(g.Hex("a", 17)) != 17 || len(g.Pick("a", "abc", 50)) != 50 || g.Hex("a", 8) == g.Hex("b", 8) {
		t.Error("lengths or labels are off")
	}
	for i := range 100 {
		if n := (Gen{Seed: string(rune(i))}).Number("n", 3, 5); n < 3 || n > 5 {
			t.Fatalf("number %d", n)
		}
	}
}

func TestReferrers(t *testing.T) {
	w := NewWorld("s")
	w.Put(&Resource{Type: "t:a:A", ID: "1", Scope: "x", Out: Object{"subnets": []any{"s-1", "s-2"}, "net": Object{"groups": []any{Object{"id": "g"}}}}})
	for path, value := range map[string]string{"subnets": "s-2", "net.groups.*.id": "g"} {
		if got := w.Referrers("t:a:A", path, value); len(got) != 1 {
			t.Errorf("%s=%s: %d referrers", path, value, len(got))
		}
	}
	if got := w.Referrers("t:a:A", "subnets", "s-3"); len(got) != 0 {
		t.Error("found a referrer that is none")
	}
}
