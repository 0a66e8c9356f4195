package tests

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
)

var update = flag.Bool("update", false, "rewrite the golden files (the test then fails, so that the change is looked at)")

// The golden files hold what a preview of each shipped stack says: every resource as an event, and
// the text a person reads. A changed name, parent or type shows up here first.
func TestGoldenPreviews(t *testing.T) {
	each(t, func(t *testing.T, stack *rehearsal.Stack) {
		var shown bytes.Buffer
		r := run(t, newStore(t), sim.Preview, stack.Stack, sim.Options{Out: &shown, Parallel: 1})
		r.DurationMs = 0
		events, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, stack.Config.Phase, filepath.Base(t.Name())+".json", string(events)+"\n")
		golden(t, stack.Config.Phase, filepath.Base(t.Name())+".txt", normal(shown.String()))
	})
}

var (
	spinner  = regexp.MustCompile(`(?m)^[@⣾⣽⣻⢿⡿⣟⣯⣷].*$\n`)
	trailing = regexp.MustCompile(`(?m)[ \t]+$`)
)

// normal takes out of the shown text what depends on timing: the order of parallel events.
func normal(s string) string {
	s = strings.ReplaceAll(s, "\r", "")
	s = trailing.ReplaceAllString(spinner.ReplaceAllString(s, ""), "")
	return sorted(s)
}

func golden(t *testing.T, phase int, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		old, _ := os.ReadFile(path)
		if string(old) == got {
			return
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s was rewritten: look at the change, then run the test again", path)
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: run make golden", err)
	}
	if string(want) != got {
		t.Errorf("phase %d: %s is not what the preview says now; if the change is meant, run make golden\n%s",
			phase, path, differences(string(want), got))
	}
}

// differences lists the first lines that differ, both ways.
func differences(want, got string) string {
	count := map[string]int{}
	for _, line := range strings.Split(want, "\n") {
		count[line]--
	}
	for _, line := range strings.Split(got, "\n") {
		count[line]++
	}
	var b strings.Builder
	shown := 0
	for _, both := range []struct{ text, sign string }{{want, "-"}, {got, "+"}} {
		for _, line := range strings.Split(both.text, "\n") {
			if (both.sign == "-") == (count[line] < 0) && count[line] != 0 && shown < 20 {
				fmt.Fprintf(&b, "%s %s\n", both.sign, line)
				shown++
			}
		}
	}
	return b.String()
}
