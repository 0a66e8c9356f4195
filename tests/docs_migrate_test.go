package tests

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const ladderFolder = "stacks/examples/ladder/"

var (
	diffBlock  = regexp.MustCompile("(?ms)^```diff\n(.*?)^```")
	ladderStep = regexp.MustCompile(`^\d\d-`)
)

// ladderDiff is a block of a runbook that says what changes from one configuration to another.
type ladderDiff struct {
	page, old, new string
	hunks          []string
}

// ladderDiffs are all blocks of the runbooks.
func ladderDiffs(t *testing.T) []ladderDiff {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(repository, "docs", "migrate", "*.md"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d runbooks, %v", len(files), err)
	}
	var out []ladderDiff
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range diffBlock.FindAllStringSubmatch(string(data), -1) {
			lines := strings.Split(strings.TrimSuffix(m[1], "\n"), "\n")
			d := ladderDiff{page: filepath.Base(f)}
			if len(lines) < 3 || !strings.HasPrefix(lines[0], "--- "+ladderFolder) || !strings.HasPrefix(lines[1], "+++ "+ladderFolder) {
				t.Fatalf("%s: a diff does not begin with the names of two files of %s: %s", d.page, ladderFolder, lines[0])
			}
			d.old, d.new = strings.TrimPrefix(lines[0], "--- "+ladderFolder), strings.TrimPrefix(lines[1], "+++ "+ladderFolder)
			for hunk := range strings.SplitSeq(strings.Join(lines[2:], "\n"), "@@\n") {
				if hunk = strings.TrimSuffix(hunk, "\n"); hunk != "" {
					d.hunks = append(d.hunks, hunk)
				}
			}
			out = append(out, d)
		}
	}
	return out
}

// What a runbook says is to be changed is what the examples change: no line more, none fewer.
func TestDocsMigrateDiffsAreTheExamples(t *testing.T) {
	shown := map[string]bool{}
	for _, d := range ladderDiffs(t) {
		before, after := ladderLines(t, d.old), ladderLines(t, d.new)
		got, problem := d.apply(before)
		if problem == "" && !slices.Equal(got, after) {
			problem = "it makes\n" + strings.Join(got, "\n")
		}
		if problem != "" {
			t.Errorf("%s: the diff from %s to %s is not theirs: %s", d.page, d.old, d.new, problem)
		}
		shown[d.old+" "+d.new], shown[d.new] = true, true
	}
	files, err := filepath.Glob(filepath.Join(repository, ladderFolder, "*-*.yaml"))
	if err != nil || len(files) < 15 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	var last string
	for _, f := range files { // in the order of their numbers
		name := filepath.Base(f)
		if up := ladderStep.MatchString(name); up && last != "" && !shown[last+" "+name] || !up && !shown[name] {
			t.Errorf("no runbook shows how to come to %s", name)
		}
		if ladderStep.MatchString(name) {
			last = name
		}
	}
}

// Each runbook says how to come to where it leads, what to look at, and how to come back.
func TestDocsMigrateRunbooksAreComplete(t *testing.T) {
	links := map[string]bool{}
	all := pages(t)
	for _, m := range link.FindAllStringSubmatch(all["docs/migrate/README.md"].prose, -1) {
		links[m[1]] = true
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		dir, file := filepath.Split(name)
		if dir != "docs/migrate/" || file == "README.md" {
			continue
		}
		for _, part := range []string{"before-you-begin", "check", "back", "what-cannot-be-undone"} {
			if !all[name].heads[part] {
				t.Errorf("%s has no heading for %s", file, part)
			}
		}
		if !links[file] {
			t.Errorf("the ladder's table does not lead to %s", file)
		}
	}
}

// ladderLines are an example's, without what introduces it.
func ladderLines(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(repository, ladderFolder, name))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Split(strings.TrimSpace(string(data)), "\n"), func(line string) bool { return strings.HasPrefix(line, "#") })
}

// apply changes the lines as the hunks say, each at the first place that fits.
func (d ladderDiff) apply(lines []string) (out []string, problem string) {
	for _, hunk := range d.hunks {
		var find, put []string
		changes := false
		for line := range strings.SplitSeq(hunk, "\n") {
			kind, text := " ", ""
			if line != "" {
				kind, text = line[:1], line[1:]
			}
			changes = changes || kind != " "
			if kind != "+" {
				find = append(find, text)
			}
			if kind != "-" {
				put = append(put, text)
			}
		}
		if !changes || len(find) == 0 {
			return nil, "this part changes nothing, or does not say where:\n" + hunk
		}
		at := 0
		for at+len(find) <= len(lines) && !slices.Equal(lines[at:at+len(find)], find) {
			at++
		}
		if at+len(find) > len(lines) {
			return nil, "it has no such lines:\n" + strings.Join(find, "\n")
		}
		out = append(append(out, lines[:at]...), put...)
		lines = lines[at+len(find):]
	}
	return append(out, lines...), ""
}
