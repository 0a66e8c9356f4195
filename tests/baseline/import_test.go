package baseline

import (
	"context"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// A state alone is enough to go on with: the clouds made again from it are those that it was made with.
func TestAWorldFromAState(t *testing.T) {
	for _, name := range []string{"dev", "phase1-coolify", "phase2-forgejo-server", "prod", "phase4"} {
		stack := rig.Load(t, rig.Shipped(t)[name])
		from, to := rig.NewStore(t), rig.NewStore(t)
		rig.Run(t, from, sim.Up, stack.Stack, sim.Options{})
		state, err := from.Export(context.Background(), stack.Name, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := to.Import(context.Background(), stack.Name, state, clouds.All()...); err != nil {
			t.Fatal(err)
		}
		for _, op := range []sim.Operation{sim.Preview, sim.Refresh} {
			if r := rig.Run(t, to, op, stack.Stack, sim.Options{}); r.Changes.Any() {
				t.Errorf("%s: %s changes:%s", name, op, rig.Describe(r.Resources))
			}
		}
	}
}
