package serving

import (
	"fmt"
	"time"

	"github.com/morphee-app/morphee-infra/internal/sim/provider"
)

// Gap is a time during which some of a name's clients got no answer.
type Gap struct {
	Host    string  `json:"name"`
	Share   float64 `json:"share"`   // 0 to 1 of its clients, at worst
	Seconds float64 `json:"seconds"` // at most: as if one operation came after the other
	Why     string  `json:"why"`
	During  string  `json:"during"` // the operation that it began with
	// Replaced are the containers, tasks or machines that came back in the same place. They are the whole
	// reason for the gap when there are any.
	Replaced []string `json:"replaced,omitempty"`
	// Lasting gaps are still there after the last operation.
	Lasting bool `json:"lasting,omitempty"`

	operations []provider.Operation // from the one that it began with to the one that ended it
}

// Narrow counts only the operations that had to come before the gap could end: those on what the resource
// that ended it needs, by URN. Others only happened to be in between; a deployment does them at the same
// time. It returns the gap with those seconds.
func (g Gap) Narrow(needs map[string][]string) Gap {
	if len(g.operations) == 0 || !g.Interruption() {
		return g
	}
	related := map[string]bool{}
	var add func(urn string)
	add = func(urn string) {
		if !related[urn] {
			related[urn] = true
			for _, n := range needs[urn] {
				add(n)
			}
		}
	}
	add(string(g.operations[len(g.operations)-1].URN))
	var took time.Duration
	for _, op := range g.operations {
		if related[string(op.URN)] {
			took += op.Takes
		}
	}
	g.Seconds = took.Seconds()
	return g
}

// Interruption says whether the gap is no more than something that is there once being replaced in place.
func (g Gap) Interruption() bool { return len(g.Replaced) > 0 && !g.Lasting }

// String is the gap in one line.
func (g Gap) String() string {
	out := fmt.Sprintf("%s: %.0f%% of the clients for %s at most (%s): %s", g.Host, 100*g.Share, time.Duration(g.Seconds*float64(time.Second)), g.During, g.Why)
	if g.Lasting {
		out += "; it is still so after the step"
	}
	return out
}
