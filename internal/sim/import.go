package sim

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/provider"
)

// Import begins a stack with a deployment, as Export or `pulumi stack export` wrote it, and with simulated
// clouds that have what the deployment says. Its secrets are encrypted with this folder's key (see UseKey),
// or shown. It is an error when the stack is there already, or when the deployment was interrupted.
func (s Store) Import(ctx context.Context, name string, deployment []byte, packages ...cloud.Package) error {
	if _, err := os.Stat(filepath.Join(s.Dir, name, "state.json")); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("stack %q has a simulated state in %s already: import into another folder", name, s.Dir)
	}
	x, err := s.open(ctx, name)
	if err != nil {
		return err
	}
	defer x.close()
	defer x.forget()
	snap, err := decodeState(ctx, deployment, x.manager)
	if err != nil {
		return fmt.Errorf("reading the deployment: %w", err)
	}
	if n := len(snap.PendingOperations); n > 0 {
		return fmt.Errorf("the deployment was interrupted: %d operations are pending, of which nobody knows what they did", n)
	}
	x.loaded = append(x.loaded, snap)
	simulator, err := provider.New(x.world, packages...)
	if err != nil {
		return err
	}
	if err := simulator.Restore(ctx, snap.Resources); err != nil {
		return err
	}
	return x.save(ctx, snap)
}
