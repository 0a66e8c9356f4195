// Command gen-proof writes docs/proof.md from what the long tests found, and from the ladder's report.
// make proof runs both and then this.
package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/morphee-app/morphee-infra/internal/ladder"
)

func main() {
	figures := flag.String("figures", "", "folder with what the tests wrote (MORPHEE_PROOF)")
	report := flag.String("ladder", "", "file with what infra sim ladder --json wrote")
	out := flag.String("out", filepath.Join("docs", "proof.md"), "file to write")
	flag.Parse()
	if err := run(*figures, *report, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen-proof:", err)
		os.Exit(1)
	}
}

// proof is everything that the page says.
type proof struct {
	Walks struct {
		Seed    uint64
		Asked   int
		Figures struct {
			Steps, Walks   int
			ByStep, ByKind map[string]int
		}
	}
	Cuts struct {
		Every    int
		Subjects []struct {
			Name                        string
			Operations, Cuts, Recovered int
		}
	}
	Baseline map[string]int
	Ladder   ladder.Report
}

func run(figures, report, out string) error {
	var p proof
	err := errors.Join(
		read(filepath.Join(figures, "walks.json"), &p.Walks), read(filepath.Join(figures, "cuts.json"), &p.Cuts),
		read(filepath.Join(figures, "baseline.json"), &p.Baseline), read(report, &p.Ladder),
	)
	if err != nil {
		return fmt.Errorf("run make proof, which makes what this reads: %w", err)
	}
	if bad := p.failed(); len(bad) > 0 {
		return fmt.Errorf("there is nothing to prove while this is so: %s", strings.Join(bad, "; "))
	}
	page, err := p.page()
	if err != nil {
		return err
	}
	if err := os.WriteFile(out, page, 0o644); err != nil {
		return err
	}
	fmt.Println("wrote", out)
	return nil
}

func read(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// failed lists what keeps the page from being a proof.
func (p proof) failed() []string {
	var out []string
	if p.Walks.Figures.Steps < p.Walks.Asked {
		out = append(out, fmt.Sprintf("only %d of %d steps were walked", p.Walks.Figures.Steps, p.Walks.Asked))
	}
	for _, s := range p.Cuts.Subjects {
		if s.Recovered != s.Cuts {
			out = append(out, fmt.Sprintf("%s: %d of %d cuts recovered", s.Name, s.Recovered, s.Cuts))
		}
	}
	if !p.Ladder.OK {
		out = append(out, "the ladder is not sound: see bin/infra sim ladder")
	}
	if len(p.Baseline) == 0 {
		out = append(out, "no release is recorded")
	}
	return out
}

//go:embed proof.md.tmpl
var text string

func (p proof) page() ([]byte, error) {
	t, err := template.New("proof").Funcs(template.FuncMap{
		"sorted":  func(m map[string]int) []string { return slices.Sorted(maps.Keys(m)) },
		"number":  number,
		"minutes": ladder.Minutes,
		"cell":    func(s string) string { return strings.ReplaceAll(s, "|", `\|`) },
	}).Parse(text)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, p)
	return b.Bytes(), err
}

// number writes 100000 as 100,000.
func number(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// CutCount and the rest are sums for the page.
func (p proof) CutCount() (n int) {
	for _, s := range p.Cuts.Subjects {
		n += s.Cuts
	}
	return n
}

// Recovered is how many of them.
func (p proof) Recovered() (n int) {
	for _, s := range p.Cuts.Subjects {
		n += s.Recovered
	}
	return n
}

// Operations is how many there are to cut at.
func (p proof) Operations() (n int) {
	for _, s := range p.Cuts.Subjects {
		n += s.Operations
	}
	return n
}
