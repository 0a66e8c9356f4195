package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// MaxCharacters is what a rendered report never exceeds. A comment on GitHub holds 65,536 characters;
// counted here are bytes, which are never fewer.
const MaxCharacters = 65_000

// block is one piece of a report, in a form that both renderers know.
type block struct {
	title string     // a heading, or ""
	fold  bool       // folded away until it is opened
	text  string     // a paragraph above the table
	head  []string   // of the table
	rows  [][]cell   // of the table
	rest  string     // a paragraph below the table
	mark  blockLevel // how loud it is
}

type blockLevel int

const (
	plain blockLevel = iota
	alarm
)

// cell is a text in a table. Code is shown as it is, in a fixed width.
type cell struct {
	text string
	code bool
}

func words(s string) cell { return cell{text: clip(s, 600)} }
func code(s string) cell  { return cell{text: clip(s, 160), code: true} }

// clip shortens a text that no table can hold, and says so.
func clip(s string, runes int) string {
	r := []rune(s)
	if len(r) <= runes {
		return s
	}
	return fmt.Sprintf("%s… (%d more characters)", string(r[:runes]), len(r)-runes)
}

// section is a part of the report in several lengths, the shortest first. The shortest may be nothing.
type section struct {
	weight  int // lower is more important: it gets its full length first
	lengths []*block
}

// group is what stands under one heading: a stack, or the head of the report when title is empty.
type group struct {
	title    string
	sections []section
}

// renderer writes blocks; len of what it writes is what fit counts with.
type renderer interface {
	open(title string) string // of the document
	group(title string) string
	block(*block) string
	close(leftOut bool) string // of the document
}

// fit renders the groups at the greatest length that is still below the limit. Everything begins at
// its shortest, and the more important a section is, the sooner it is given more room; so a report is
// summarised where that hurts least, and never cut.
func fit(title string, groups []group, limit int, out renderer) string {
	type place struct{ group, section int }
	chosen := map[place]int{}
	texts := map[place][]string{}
	headings := make([]string, len(groups))
	shown := make([]int, len(groups)) // sections of a group that are not empty
	size := len(out.open(title)) + max(len(out.close(true)), len(out.close(false)))
	var order []place
	for g, grp := range groups {
		headings[g] = out.group(grp.title)
		for s, sec := range grp.sections {
			at := place{g, s}
			order = append(order, at)
			for _, b := range sec.lengths {
				text := ""
				if b != nil {
					text = out.block(b)
				}
				texts[at] = append(texts[at], text)
			}
			if first := texts[at][0]; first != "" {
				size += len(first)
				if shown[g]++; shown[g] == 1 {
					size += len(headings[g])
				}
			}
		}
	}
	slices.SortStableFunc(order, func(a, b place) int {
		return cmp.Compare(groups[a.group].sections[a.section].weight, groups[b.group].sections[b.section].weight)
	})
	leftOut := false
	for _, at := range order {
		for to := len(texts[at]) - 1; to > 0; to-- {
			more := len(texts[at][to]) - len(texts[at][0])
			if shown[at.group] == 0 {
				more += len(headings[at.group])
			}
			if size+more > limit {
				leftOut = true
				continue
			}
			if texts[at][0] == "" && texts[at][to] != "" {
				shown[at.group]++
			}
			chosen[at], size = to, size+more
			break
		}
	}
	var b strings.Builder
	b.WriteString(out.open(title))
	for g, grp := range groups {
		if shown[g] > 0 {
			b.WriteString(headings[g])
		}
		for s := range grp.sections {
			b.WriteString(texts[place{g, s}][chosen[place{g, s}]])
		}
	}
	b.WriteString(out.close(leftOut))
	return b.String()
}

// shares are how many rows of a list are shown in full, from none to all.
var shares = []int{0, 10, 50, 200}

// lengths makes a list in several lengths: nothing, then ever more rows in full and the rest counted by
// type. empty says whether the shortest is nothing, or already a count.
func lengths[T any](b block, list []T, empty bool, kind func(T) string, row func(T) []cell) []*block {
	var out []*block
	if empty {
		out = append(out, nil)
	}
	sizes := slices.DeleteFunc(slices.Clone(shares), func(n int) bool { return n >= len(list) })
	for _, n := range append(sizes, len(list)) {
		one := b
		for _, t := range list[:n] {
			one.rows = append(one.rows, row(t))
		}
		if n == 0 {
			one.head = nil
		}
		one.rest = tally(list[n:], n > 0, kind)
		out = append(out, &one)
	}
	return out
}

// kinds is how many different types a summary names.
const kinds = 15

// tally counts what a list leaves out, by type.
func tally[T any](list []T, further bool, kind func(T) string) string {
	if len(list) == 0 {
		return ""
	}
	counts := map[string]int{}
	for _, t := range list {
		counts[kind(t)]++
	}
	names := make([]string, 0, len(counts))
	for name := range counts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	var parts []string
	others := 0
	for i, name := range names {
		if i >= kinds {
			others += counts[name]
			continue
		}
		parts = append(parts, fmt.Sprintf("%d × %s", counts[name], clip(name, 80)))
	}
	if others > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d other kinds", others, len(names)-kinds))
	}
	if further {
		return fmt.Sprintf("And %d more: %s.", len(list), strings.Join(parts, ", "))
	}
	return fmt.Sprintf("%d in all: %s.", len(list), strings.Join(parts, ", "))
}
