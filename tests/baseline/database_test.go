package baseline

import (
	"slices"
	"strings"
	"testing"
)

// A cluster whose state says "15" goes on with the minor that it has: a newer one is given to it by somebody
// who follows ops/runbooks/upgrade-database.md, never by newer code.
func TestNoRecordedDatabaseIsUpgraded(t *testing.T) {
	previewed := 0
	for release, stacks := range releases(t) {
		for _, r := range stacks {
			if !strings.Contains(r.name, "phase4") {
				continue
			}
			previewed++
			result, _ := r.preview(t)
			for _, c := range result.Resources {
				if strings.HasPrefix(c.Type, "aws:rds/") && slices.Contains(c.Diff, "engineVersion") {
					t.Errorf("%s/%s: %s of %s: its version is another", release, r.name, c.Op, c.Name)
				}
			}
		}
	}
	if previewed < 4 {
		t.Errorf("%d recorded stacks with a global database were previewed, want 4 or more", previewed)
	}
}
