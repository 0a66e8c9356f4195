package policydoc

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/policy/packs"
)

func TestPageIsFresh(t *testing.T) {
	current, err := os.ReadFile(filepath.Join("..", "..", Path))
	if err != nil {
		t.Fatal(err)
	}
	if string(current) != Page(packs.All()) {
		t.Errorf("%s is stale; run: go run ./cmd/gen-policy-docs", Path)
	}
}

// Every rule says what a reader needs, under an id that no other has.
func TestRulesAreComplete(t *testing.T) {
	id := regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)+$`)
	reference := regexp.MustCompile(`^(T\d{4}|C\d+|C2_\d+|N-[A-Z0-9]+|K:[0-9a-f]{8}|DS-\d{4})$`)
	seen := map[string]string{}
	for _, p := range packs.All() {
		if len(p.Rules) < 10 {
			t.Errorf("%s has only %d rules", p.Name, len(p.Rules))
		}
		for _, r := range p.Rules {
			if !id.MatchString(r.ID) || seen[r.ID] != "" {
				t.Errorf("%s: the id %q is not of small letters and dashes, or %s has it, too", p.Name, r.ID, seen[r.ID])
			}
			seen[r.ID] = p.Name
			kinds := 0
			for _, has := range []bool{r.Check != nil, r.Graph != nil, r.Steps != nil} {
				if has {
					kinds++
				}
			}
			if kinds != 1 {
				t.Errorf("%s looks in %d ways, want one", r.ID, kinds)
			}
			for field, text := range map[string]string{"reason": r.Reason, "mend": r.Mend} {
				if len(text) < 8 || !strings.HasSuffix(text, ".") {
					t.Errorf("%s: the %s is no sentence: %q", r.ID, field, text)
				}
			}
			if r.Title == "" || strings.HasSuffix(r.Title, ".") {
				t.Errorf("%s: the title is empty or ends in a full stop: %q", r.ID, r.Title)
			}
			for _, ref := range r.Refs {
				if !reference.MatchString(ref) {
					t.Errorf("%s: %q is no id of another tool", r.ID, ref)
				}
			}
			names := map[string]bool{}
			for _, s := range r.Settings {
				if s.Name == "" || s.Description == "" || s.Default == nil || names[s.Name] || s.Schema()["type"] == nil {
					t.Errorf("%s: the setting %q is not complete, or there twice", r.ID, s.Name)
				}
				names[s.Name] = true
			}
		}
	}
}
