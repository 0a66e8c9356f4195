package sim

import (
	"context"
	"fmt"
	"slices"

	pkgresource "github.com/pulumi/pulumi/pkg/v3/resource"
	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/morphee-app/morphee-infra/internal/sim/provider"
)

// recover settles what a run that died had begun. Pulumi cannot know whether an interrupted creation
// took effect, and asks the operator to look (`pulumi refresh --import-pending-creates`). Here the
// simulated cloud is asked instead: what was created is taken into the state, what was not is
// forgotten. Interrupted updates and deletions need nothing, the next run repeats them.
func (x *session) recover(ctx context.Context, simulator *provider.Simulator) ([]string, error) {
	if x.snapshot == nil || len(x.snapshot.PendingOperations) == 0 {
		return nil, nil
	}
	var said []string
	var rest []pkgresource.Operation
	for _, op := range x.snapshot.PendingOperations {
		if op.Type != pkgresource.OperationTypeCreating {
			rest = append(rest, op)
			continue
		}
		state, err := x.adopt(ctx, simulator, op.Resource)
		if err != nil {
			return nil, fmt.Errorf("settling the interrupted creation of %s: %w", op.Resource.URN, err)
		}
		if state == nil {
			said = append(said, fmt.Sprintf("the interrupted creation of %s had not taken effect", op.Resource.URN.Name()))
			continue
		}
		x.insert(state)
		said = append(said, fmt.Sprintf("the interrupted creation of %s had taken effect: %s is taken into the state", op.Resource.URN.Name(), state.ID))
	}
	x.snapshot.PendingOperations = rest
	return said, nil
}

// adopt finds the resource that the interrupted creation made; nil when there is none.
func (x *session) adopt(ctx context.Context, simulator *provider.Simulator, want *pkgresource.State) (*pkgresource.State, error) {
	known := map[resource.ID]bool{}
	for _, r := range x.snapshot.Resources {
		if r.URN == want.URN {
			known[r.ID] = true
		}
	}
	x.world.Lock()
	found, scope := resource.ID(""), ""
	for _, r := range x.world.All("", string(want.Type)) {
		if r.URN == string(want.URN) && !known[resource.ID(r.ID)] {
			found, scope = resource.ID(r.ID), r.Scope
		}
	}
	x.world.Unlock()
	if found == "" {
		return nil, nil
	}
	read, err := simulator.ReadIn(ctx, scope, plugin.ReadRequest{
		URN: want.URN, Name: want.URN.Name(), Type: want.Type, ID: found, Inputs: want.Inputs, State: want.Inputs,
	})
	if err != nil {
		return nil, err
	}
	state := want.Copy()
	state.ID, state.Outputs = found, read.Outputs
	return state, nil
}

// insert puts an adopted resource into the state. If the creation was part of a replacement, the one
// to be replaced is still there: it waits for its deletion, as it would have without the interruption.
func (x *session) insert(state *pkgresource.State) {
	list := x.snapshot.Resources
	at := slices.IndexFunc(list, func(r *pkgresource.State) bool { return r.URN == state.URN && !r.Delete })
	if at < 0 {
		x.snapshot.Resources = append(list, state)
		return
	}
	old := list[at].Copy()
	list[at] = state
	if old.PendingReplacement {
		// Deleted before the replacement was created: only a note of it was left.
		x.snapshot.Resources = list
		return
	}
	old.Delete = true
	x.snapshot.Resources = append(list, old)
}
