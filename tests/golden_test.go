package tests

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// The golden files hold what a preview of each shipped stack says: every resource as an event, and
// the text a person reads. A changed name, parent or type shows up here first.
func TestGoldenPreviews(t *testing.T) {
	rig.Each(t, func(t *testing.T, stack *rehearsal.Stack) {
		var shown bytes.Buffer
		r := rig.Run(t, rig.NewStore(t), sim.Preview, stack.Stack, sim.Options{Out: &shown, Parallel: 1})
		r.DurationMs = 0
		events, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		rig.Golden(t, stack.Config.Phase, filepath.Base(t.Name())+".json", string(events)+"\n")
		rig.Golden(t, stack.Config.Phase, filepath.Base(t.Name())+".txt", normal(shown.String()))
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
