package ladder

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/morphee-app/morphee-infra/internal/serving"
)

// Text writes the report for people.
func (r *Report) Text(out io.Writer) error {
	var b strings.Builder
	b.WriteString("The way up:\n\n")
	table(&b, r.Steps)
	for _, w := range r.Walks {
		fmt.Fprintf(&b, "\nThe way back %s (after %q):\n\n", w.Name, w.After)
		table(&b, w.Steps)
	}
	n := r.Totals()
	fmt.Fprintf(&b, "\n%d steps: %d stateful lost, %d times a name unserved, %d times interrupted, %d problems. Simulated in %s.\n",
		n.Steps, n.Lost, n.Unserved, n.Interrupted, n.Problems, (time.Duration(r.DurationMs) * time.Millisecond).Round(100*time.Millisecond))
	_, err := io.WriteString(out, b.String())
	return err
}

func table(b *strings.Builder, steps []Step) {
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "step\tphase\tnew\tupdated\treplaced\tdeleted\tsame\tlost\tretired\tunserved\tinterrupted\tminutes\t")
	for _, s := range steps {
		c := s.Changes
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t\n", s.Name, s.Phase, c.Create, c.Update, c.Replace, c.Delete, c.Same,
			len(s.StatefulLost), len(s.Retired), len(s.Unserved), len(s.Interrupted), Minutes(s.EstimatedMinutes))
	}
	_ = t.Flush() // a strings.Builder takes everything
	for _, s := range steps {
		for _, text := range s.notes() {
			fmt.Fprintf(b, "  %s: %s\n", s.Name, text)
		}
	}
}

// notes are what the table only counts.
func (s Step) notes() []string {
	var out []string
	for _, text := range s.StatefulLost {
		out = append(out, "LOST "+text)
	}
	for _, g := range s.Unserved {
		out = append(out, "UNSERVED "+g.String())
	}
	for _, text := range s.Problems {
		out = append(out, "PROBLEM "+text)
	}
	for _, g := range s.Interrupted {
		out = append(out, "interrupted "+Interruption(g))
	}
	for _, text := range s.Idle {
		out = append(out, "idle "+text)
	}
	return out
}

// Interruption says which name was interrupted, for how long and why.
func Interruption(g serving.Gap) string {
	share := ""
	if g.Share < 1 {
		share = fmt.Sprintf(" of %.0f%% of the clients", 100*g.Share)
	}
	return fmt.Sprintf("%s for %.0f s at most%s: %s replaced in place", g.Host, g.Seconds, share, strings.Join(g.Replaced, ", "))
}

// Minutes writes an estimate: "40 s", "12 min", "48 h".
func Minutes(m float64) string {
	switch {
	case m == 0:
		return "0"
	case m < 1:
		return fmt.Sprintf("%.0f s", m*60)
	case m < 120:
		return fmt.Sprintf("%.0f min", m)
	case m < 60*72:
		return fmt.Sprintf("%.0f h", m/60)
	}
	return fmt.Sprintf("%.1f d", m/60/24)
}
