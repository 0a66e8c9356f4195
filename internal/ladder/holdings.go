package ladder

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/leaving"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/stateful"
)

// holding is one thing that nobody can make again.
type holding struct {
	urn, typ, name string
	identity       string // the same for as long as it is the same thing
	protected      bool
}

// holdings are the stateful things of a deployment, by URN.
func holdings(list []deployment.Resource) map[string]holding {
	out := map[string]holding{}
	for _, r := range list {
		inputs, _ := deployment.Plain(r.Inputs).(map[string]any)
		if !r.Custom || !stateful.Resource(r.Type, inputs) || stateful.Rewritten(r.Type, r.Name) {
			continue
		}
		h := holding{urn: r.URN, typ: r.Type, name: r.Name, identity: r.ID, protected: r.Protect}
		if r.ID == "none" { // what exists in the state only is its value
			h.identity = fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, deployment.Plain(r.Outputs["result"]))))
		}
		out[r.URN] = h
	}
	return out
}

func (h holding) String() string { return h.typ + " " + h.name }

// lost compares what there was with what there is. A thing that was renamed is still there. What the
// configuration retires may go once its protection was lifted by a step before.
func lost(before, after map[string]holding, r *sim.Result, gives leaving.Set) (lost, retired []string) {
	there := map[string]bool{}
	for _, h := range after {
		there[h.typ+" "+h.identity] = true
	}
	replaced := map[string]bool{}
	for _, c := range r.Resources {
		replaced[c.URN] = c.Op == "replace"
	}
	for _, urn := range slices.Sorted(maps.Keys(before)) {
		h := before[urn]
		switch now, still := after[urn]; {
		case still && now.identity != h.identity, replaced[urn]:
			lost = append(lost, h.String()+": replaced")
		case still || there[h.typ+" "+h.identity]:
		case gives.Retired(h.name) && !h.protected:
			retired = append(retired, h.String())
		default:
			lost = append(lost, h.String()+": deleted")
		}
	}
	return lost, retired
}
