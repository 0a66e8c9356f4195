package sim

import (
	"context"
	"fmt"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// Change changes a stack's simulated clouds outside of any deployment, as an operator does with the
// cloud's own tools. The state learns of it with the next refresh. edit is given the world unlocked.
func (s Store) Change(ctx context.Context, name string, edit func(*cloud.World) error) error {
	x, err := s.open(ctx, name)
	if err != nil {
		return err
	}
	defer x.close()
	if x.snapshot == nil {
		return fmt.Errorf("stack %q has no simulated state in %s: bring it up first", name, s.Dir)
	}
	if err := edit(x.world); err != nil {
		return err
	}
	return x.save(ctx, nil)
}

// Look shows a stack's simulated clouds to somebody who only reads them.
func (s Store) Look(ctx context.Context, name string, see func(*cloud.World)) error {
	x, err := s.open(ctx, name)
	if err != nil {
		return err
	}
	see(x.world)
	return x.close()
}
