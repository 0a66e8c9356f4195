package rig

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files (the test then fails, so that the change is looked at)")

// Golden compares text with the golden file of that name, or rewrites it when the tests run with -update.
// phase is what the message of a difference names.
func Golden(t *testing.T, phase int, name, got string) {
	t.Helper()
	path := filepath.Join(Root(t), "tests", "testdata", "golden", filepath.FromSlash(name))
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
			phase, path, Differences(string(want), got))
	}
}

// Differences lists the first lines that differ, both ways.
func Differences(want, got string) string {
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
