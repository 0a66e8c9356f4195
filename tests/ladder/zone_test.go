package ladder

import (
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// With the zone given by its id the program looks nothing up, and the names are served all the same. An
// id taken out of the configuration is found again by the zone's name.
func TestServedWithTheZoneByItsID(t *testing.T) {
	const zone = "fedcba9876543210fedcba9876543210"
	for _, name := range []string{"phase0", "phase1", "prod"} {
		t.Run(name, func(t *testing.T) {
			stack := rig.Load(t, rig.Shipped(t)[name])
			plain := stack.Stack
			stack.Stack = rig.With(plain, "morphee:dns", `{"zoneId":"`+zone+`"}`)
			store := rig.NewStore(t)
			rig.Run(t, store, sim.Up, stack.Stack, sim.Options{})
			served(t, store, stack)
			records := 0
			for _, r := range rig.World(t, store, stack.Stack) {
				if out := r["state"].(map[string]any); r["type"] == "cloudflare:index/record:Record" {
					records++
					if host := out["hostname"].(string); out["zoneId"] != zone || !strings.HasSuffix(host, "."+stack.Config.DNS.Zone) {
						t.Errorf("record %s in the zone %v", host, out["zoneId"])
					}
				}
			}
			if records < 3 {
				t.Errorf("%d records: this test looks in the wrong place", records)
			}
			if r := rig.Run(t, store, sim.Preview, stack.Stack, sim.Options{Refresh: true}); r.Changes.Any() {
				t.Errorf("it does not settle:%s", rig.Describe(r.Resources))
			}
			if r := rig.Run(t, store, sim.Preview, rig.With(plain, "morphee:dns", `{}`), sim.Options{}); r.Changes.Any() {
				t.Errorf("the zone is another one when it is looked up:%s", rig.Describe(r.Resources))
			}
		})
	}
}

func served(t *testing.T, store sim.Store, stack *rehearsal.Stack) {
	t.Helper()
	for _, a := range answers(t, store, stack) {
		if !a.Served() {
			t.Error(a)
		}
	}
}
