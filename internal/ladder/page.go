package ladder

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/serving"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"minutes":      Minutes,
	"timeline":     func(steps []Step) template.HTML { return Timeline(nil, steps) },
	"back":         func(r *Report, w Walk) template.HTML { return Timeline(r.named(w.After), w.Steps) },
	"interruption": Interruption,
	"path":         func(t serving.Target) string { return strings.Join(t.Path, " → ") },
	"percent":      func(f float64) string { return fmt.Sprintf("%.0f %%", 100*f) },
	"add":          func(a, b int) int { return a + b },
}).Parse(pageText))

// HTML is the report as a page that needs nothing else. No secret is in a report.
func (r *Report) HTML() ([]byte, error) {
	var b bytes.Buffer
	if err := page.Execute(&b, r); err != nil {
		return nil, fmt.Errorf("writing the page of the ladder: %w", err)
	}
	return b.Bytes(), nil
}

// named is the step of the way up with that name.
func (r *Report) named(name string) *Step {
	for i := range r.Steps {
		if r.Steps[i].Name == name {
			return &r.Steps[i]
		}
	}
	return nil
}

// Totals are what all steps come to.
type Totals struct{ Steps, Lost, Unserved, Interrupted, Problems int }

// Totals adds up the way up and the ways back.
func (r *Report) Totals() Totals {
	var t Totals
	add := func(steps []Step) {
		for _, s := range steps {
			t.Steps++
			t.Lost += len(s.StatefulLost)
			t.Unserved += len(s.Unserved)
			t.Interrupted += len(s.Interrupted)
			t.Problems += len(s.Problems)
		}
	}
	add(r.Steps)
	for _, w := range r.Walks {
		add(w.Steps)
	}
	return t
}
