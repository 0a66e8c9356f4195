package ladder

import (
	"github.com/morphee-app/morphee-infra/internal/serving"
	"github.com/morphee-app/morphee-infra/internal/sim"
)

// Report is what was found, in the form of `infra sim ladder --json`.
type Report struct {
	Simulated bool   `json:"simulated"` // always true
	Stack     string `json:"stack"`
	// OK says that nothing was lost, every name was served but for the interruptions that are listed,
	// and every step was complete in itself.
	OK    bool   `json:"ok"`
	Steps []Step `json:"steps"` // the way up
	Walks []Walk `json:"walks"` // the ways back

	DurationMs int64 `json:"durationMs"` // of the simulation
}

// Walk is one way back.
type Walk struct {
	Name  string `json:"name"`
	After string `json:"after"` // the step of the ladder that it begins after
	Steps []Step `json:"steps"`
}

// Step is what one step did.
type Step struct {
	Name   string `json:"name"`
	Config string `json:"config"` // the file
	Phase  int    `json:"phase"`
	Manual string `json:"manual,omitempty"` // what a person does before
	Wait   string `json:"wait,omitempty"`   // what is waited for before

	Changes sim.Changes `json:"changes"`
	// StatefulLost are the things that nobody can make again and that the step replaced or deleted,
	// apart from those whose retirement the configuration confirms: they are in Retired.
	StatefulLost []string `json:"statefulLost"`
	Retired      []string `json:"retired"`
	Stateful     int      `json:"stateful"` // how many there are after the step
	// Unserved are the times during which a name was not answered, for other reasons than that its only
	// container was replaced in place: those are in Interrupted.
	Unserved    []serving.Gap `json:"unserved"`
	Interrupted []serving.Gap `json:"interrupted"`
	// Restarted are containers without a public name of their own that were replaced, such as databases:
	// what needs them waits for them.
	Restarted []string `json:"restarted"`
	// Idle are targets that should get clients of a name after the step and get none, because a health
	// check takes them for dead. Everybody is served, by others.
	Idle []string `json:"idle"`
	// Problems are all that went wrong: an error, or something left to do after the step.
	Problems []string `json:"problems"`
	Warnings []string `json:"warnings"`

	EstimatedMinutes float64 `json:"estimatedMinutes"` // the three together
	UpMinutes        float64 `json:"upMinutes"`        // of the deployment on the real clouds
	ManualMinutes    float64 `json:"manualMinutes"`
	WaitMinutes      float64 `json:"waitMinutes"`

	Servers []string         `json:"servers"` // that exist after the step
	Regions []string         `json:"regions"` // of AWS with a network after the step
	Names   []serving.Answer `json:"names"`   // who answers after the step
}

// OK says whether nothing was lost or unserved, and nothing is left to do.
func (s Step) OK() bool { return len(s.StatefulLost)+len(s.Unserved)+len(s.Problems) == 0 }

func newStep(p Planned) Step {
	return Step{
		Name: p.Name, Config: p.Config, Manual: p.Manual, Wait: p.Wait, ManualMinutes: p.Minutes, WaitMinutes: p.WaitMinutes,
		StatefulLost: []string{}, Retired: []string{}, Unserved: []serving.Gap{}, Interrupted: []serving.Gap{}, Restarted: []string{}, Idle: []string{},
		Problems: []string{}, Warnings: []string{}, Servers: []string{}, Regions: []string{}, Names: []serving.Answer{},
	}
}

func (r *Report) judge() {
	r.OK = len(r.Steps) > 0
	for _, s := range r.Steps {
		r.OK = r.OK && s.OK()
	}
	for _, w := range r.Walks {
		for _, s := range w.Steps {
			r.OK = r.OK && s.OK()
		}
	}
}
