package config

import (
	"fmt"
	"sort"
	"strings"
)

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	Key        string // full key path, such as morphee:server.type or morphee:ssh.allowedSources[1]
	Value      string // what was found, quoted; [secret] for a secret's; empty when there is none
	Problem    string // what is wrong
	Allowed    string // what is allowed
	Mend       string // how to mend it
	Suggestion string // the nearest allowed word, for a misspelt one
}

// String is the problem on one line.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.Key + ": ")
	if p.Value != "" {
		b.WriteString(p.Value + " ")
	}
	b.WriteString(p.Problem)
	if p.Allowed != "" {
		b.WriteString("; allowed: " + p.Allowed)
	}
	if p.Suggestion != "" {
		fmt.Fprintf(&b, "; did you mean %q?", p.Suggestion)
	}
	if p.Mend != "" {
		b.WriteString("; " + p.Mend)
	}
	return b.String()
}

// Errors is every problem of a configuration, sorted by key.
type Errors []Problem

// Error is a line that says how many, and a line for each.
func (e Errors) Error() string {
	noun := "problems"
	if len(e) == 1 {
		noun = "problem"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the configuration has %d %s:", len(e), noun)
	for _, p := range e {
		b.WriteString("\n  " + p.String())
	}
	return b.String()
}

// List returns the problems.
func (e Errors) List() []Problem { return e }

func (e Errors) sorted() Errors {
	sort.SliceStable(e, func(i, j int) bool {
		if e[i].Key != e[j].Key {
			return e[i].Key < e[j].Key
		}
		return e[i].Problem < e[j].Problem
	})
	return e
}

// nearest returns the candidate most like word, or "" when none is like it.
func nearest(word string, candidates []string) string {
	best, bestDistance := "", 1+max(1, len(word)/3)
	if len(word) > 64 {
		return ""
	}
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance is how many letters must be added, left out, changed or swapped with their neighbour
// to make b of a.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
