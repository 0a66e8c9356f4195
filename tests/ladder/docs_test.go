package ladder

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/ladder"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// documented holds the table of the runbooks against the walk: whoever deploys compares a preview with it.
func documented(t *testing.T, r *ladder.Report) {
	t.Helper()
	const page = "docs/migrate/README.md"
	data, err := os.ReadFile(filepath.Join(rig.Root(t), filepath.FromSlash(page)))
	if err != nil {
		t.Fatal(err)
	}
	steps := r.Steps
	for _, w := range r.Walks {
		steps = append(steps[:len(steps):len(steps)], w.Steps...)
	}
	var rows []string
	for _, s := range steps {
		rows = append(rows, documentedRow(s))
	}
	if want := strings.Join(rows, "\n") + "\n"; !strings.Contains(string(data), "|\n"+want+"\n") {
		t.Errorf("%s has another table; the rows are now\n%s", page, want)
	}
}

// documentedRow is a step's row of the table.
func documentedRow(s ladder.Step) string {
	away := "none"
	if len(s.Interrupted) > 0 {
		var parts []string
		for _, g := range s.Interrupted {
			parts = append(parts, fmt.Sprintf("%s %d s", strings.Split(g.Host, ".")[0], int(math.Ceil(g.Seconds))))
		}
		away = strings.Join(parts, ", ")
	}
	c := s.Changes
	return fmt.Sprintf("| %s | `%s` | %d | %d | %d | %d | %.1f | %s |",
		s.Name, s.Config, c.Create, c.Update, c.Replace, c.Delete, s.UpMinutes, away)
}
