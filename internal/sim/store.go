package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/pulumi/pulumi/pkg/v3/resource/deploy"
	"github.com/pulumi/pulumi/pkg/v3/resource/stack"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// Store is where the simulated stacks live: one folder per stack with Pulumi's state (state.json, as
// `pulumi stack export` writes it) and the simulated clouds (world.json), and one key for all.
type Store struct {
	Dir  string
	Seed string // what is generated in the worlds depends on it; "" is the usual seed
}

// session is one stack opened for one operation.
type session struct {
	dir      string
	manager  *manager
	snapshot *deploy.Snapshot
	world    *cloud.World
	lock     *os.File
	loaded   []*deploy.Snapshot // every snapshot of the session
}

// open locks and reads a stack. A stack that is not there yet is empty.
func (s Store) open(ctx context.Context, name string) (*session, error) {
	if name == "" || name != filepath.Base(name) || name[0] == '.' {
		return nil, fmt.Errorf("%q is not a stack name", name)
	}
	dir := filepath.Join(s.Dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the state folder: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	out := &session{dir: dir, lock: lock}
	if err := out.read(ctx, s); err != nil {
		return nil, errors.Join(err, out.close())
	}
	return out, nil
}

func (x *session) read(ctx context.Context, s Store) error {
	m, err := openKey(s.Dir)
	if err != nil {
		return err
	}
	x.manager = m
	if x.snapshot, err = readState(ctx, filepath.Join(x.dir, "state.json"), m); err != nil {
		return err
	}
	if x.snapshot != nil {
		x.loaded = append(x.loaded, x.snapshot)
	}
	seed := s.Seed
	if seed == "" {
		seed = "morphee"
	}
	x.world, err = readWorld(filepath.Join(x.dir, "world.json"), seed, m)
	return err
}

func (x *session) close() error { return x.lock.Close() }

// lockDir keeps two operations on one stack from running at once. The lock goes with the process.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another operation is running on %s: wait for it to end", filepath.Base(dir)), f.Close())
	}
	return f, nil
}

func readState(ctx context.Context, path string, m *manager) (*deploy.Snapshot, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	snap, err := decodeState(ctx, data, m)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return snap, nil
}

// decodeState reads a deployment as encodeState and `pulumi stack export` write it. Most are of the present
// form, and are read in one go: reading is a good part of what an operation takes.
func decodeState(ctx context.Context, data []byte, m *manager) (*deploy.Snapshot, error) {
	var present struct {
		Version    int                   `json:"version"`
		Deployment *apitype.DeploymentV3 `json:"deployment"`
	}
	if err := json.Unmarshal(data, &present); err == nil && present.Version == 3 && present.Deployment != nil {
		return stack.DeserializeDeploymentV3(ctx, *present.Deployment, m)
	}
	var untyped apitype.UntypedDeployment
	if err := json.Unmarshal(data, &untyped); err != nil {
		return nil, fmt.Errorf("it is damaged: %w", err)
	}
	return stack.DeserializeUntypedDeployment(ctx, &untyped, m)
}

// save writes state and world. The state goes last: with a world that is ahead of it, a refresh or
// the next run finds what is there; the other way round resources would seem lost.
func (x *session) save(ctx context.Context, snap *deploy.Snapshot) error {
	if err := writeWorld(ctx, filepath.Join(x.dir, "world.json"), x.world, x.manager); err != nil {
		return fmt.Errorf("writing the simulated world: %w", err)
	}
	if snap == nil {
		return nil
	}
	if err := snap.VerifyIntegrity(); err != nil {
		return fmt.Errorf("the new state is not sound, and was not written: %w", err)
	}
	data, err := encodeState(ctx, snap, x.manager, false)
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(x.dir, "state.json"), data); err != nil {
		return fmt.Errorf("writing the state: %w", err)
	}
	x.snapshot = snap
	return nil
}

// encodeState writes a deployment as `pulumi stack export` does.
func encodeState(ctx context.Context, snap *deploy.Snapshot, m *manager, showSecrets bool) ([]byte, error) {
	snap.SecretsManager = m
	untyped, err := stack.SerializeUntypedDeployment(ctx, snap, &stack.SerializeOptions{ShowSecrets: showSecrets})
	if err != nil {
		return nil, fmt.Errorf("encoding the state: %w", err)
	}
	return json.MarshalIndent(untyped, "", "    ")
}

// Export returns the stack's deployment as `pulumi stack export` prints it.
func (s Store) Export(ctx context.Context, name string, showSecrets bool) ([]byte, error) {
	if _, err := os.Stat(filepath.Join(s.Dir, name, "state.json")); err != nil {
		return nil, fmt.Errorf("stack %q has no simulated state in %s: bring it up first", name, s.Dir)
	}
	x, err := s.open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer x.close()
	return encodeState(ctx, x.snapshot, x.manager, showSecrets)
}
