package facts

import (
	"strings"
	"testing"
)

func TestEveryLineDecodes(t *testing.T) {
	table, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	tokens := table.Tokens("")
	if len(tokens) < 180 {
		t.Fatalf("only %d types; the facts file has more", len(tokens))
	}
	for _, token := range tokens {
		s, ok := table.Get(token)
		if !ok || len(s.Inputs) == 0 && !strings.HasPrefix(token, "pulumi:providers:") {
			t.Errorf("%s: no inputs", token)
			continue
		}
		for name, p := range s.Inputs {
			if p.Type == "" {
				t.Errorf("%s: input %s has no type", token, name)
			}
		}
		if s.Provenance == "" && !strings.HasPrefix(token, "pulumi:providers:") {
			t.Errorf("%s: no provenance", token)
		}
	}
}

func TestKnownFacts(t *testing.T) {
	table, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	server, _ := table.Get("hcloud:index/server:Server")
	if !server.Inputs["userData"].ForceNew {
		t.Error("hcloud server: userData must replace")
	}
	if server.Inputs["serverType"].ForceNew {
		t.Error("hcloud server: serverType must not replace")
	}
	if got := strings.Join(server.Required(), ","); got != "serverType" {
		t.Errorf("hcloud server requires %q", got)
	}
	if _, ok := table.Get("aws:nothing/here:Here"); ok {
		t.Error("facts about a type that does not exist")
	}
}
