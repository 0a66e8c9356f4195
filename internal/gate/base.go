// Package gate compares a change with its base on the flight simulator: the base's own program brings
// each stack up, and the changed program is run on what that left. The result is a report.
package gate

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Base is the project as it was at another revision: its files, and its own infra command.
type Base struct {
	Revision, Commit string
	dir              string // the project's files
	binary           string
}

// kept is how many builds of other revisions are kept: each is some hundred megabytes.
const kept = 3

// OpenBase gets the project's files at a revision and builds its infra command, unless an earlier
// call has built it: builds are kept by commit in the project's .cache folder. Close it after use.
func OpenBase(ctx context.Context, root, revision string, progress io.Writer) (*Base, error) {
	commit, err := git(ctx, root, "rev-parse", "--verify", "--quiet", "--end-of-options", revision+"^{commit}")
	if err != nil {
		return nil, fmt.Errorf("there is no revision %q here: fetch it first (git fetch origin %[1]s), or name a branch, tag or commit that is: %w", revision, err)
	}
	b := &Base{Revision: revision, Commit: strings.TrimSpace(commit)}
	if b.dir, err = os.MkdirTemp("", "infra-base-"); err != nil {
		return nil, err
	}
	if err := b.open(ctx, root, progress); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func (b *Base) open(ctx context.Context, root string, progress io.Writer) error {
	if err := checkOut(ctx, root, b.Commit, b.dir); err != nil {
		return err
	}
	cache := filepath.Join(root, ".cache", "base")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return err
	}
	// One build at a time: the second finds what the first has built.
	lock, err := os.OpenFile(filepath.Join(cache, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("waiting for another build of a base: %w", err)
	}
	// A hard link of its own stays, should another run tidy up meanwhile.
	b.binary = filepath.Join(b.dir, ".infra-base")
	built := filepath.Join(cache, "infra-"+b.Commit)
	if _, err := os.Stat(built); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(progress, "building infra of the base, %s (%.12s)\n", b.Revision, b.Commit)
		if err := build(ctx, root, b.Commit, cache, built); err != nil {
			return fmt.Errorf("building infra of the base %s: %w", b.Revision, err)
		}
	} else if err != nil {
		return err
	}
	if err := tidy(cache, built); err != nil {
		return err
	}
	return linkOrCopy(built, b.binary)
}

// build compiles the base in a folder that is always the same: the compiler's cache goes by folder, so
// only what differs between two bases is compiled again.
func build(ctx context.Context, root, commit, cache, to string) error {
	src := filepath.Join(cache, "src")
	if err := os.RemoveAll(src); err != nil {
		return err
	}
	if err := checkOut(ctx, root, commit, src); err != nil {
		return err
	}
	defer os.RemoveAll(src)
	cmd := exec.CommandContext(ctx, "go", "build", "-ldflags=-s -w", "-buildvcs=false", "-o", to+".new", "./cmd/infra")
	cmd.Dir = src
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, bytes.TrimSpace(out))
	}
	return os.Rename(to+".new", to)
}

// checkOut writes the files of a commit to a folder. It is no git worktree, which would leave traces
// in the repository when the run is killed.
func checkOut(ctx context.Context, root, commit, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	index, err := os.CreateTemp("", "infra-index-")
	if err != nil {
		return err
	}
	name := index.Name()
	if err := errors.Join(index.Close(), os.Remove(name)); err != nil {
		return err
	}
	defer os.Remove(name)
	for _, args := range [][]string{{"read-tree", commit}, {"checkout-index", "--all", "--force", "--prefix=" + filepath.ToSlash(dir) + "/"}} {
		cmd := exec.CommandContext(ctx, "git", append([]string{"-C", root}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_INDEX_FILE="+name)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("git %s: %w: %s", args[0], err, bytes.TrimSpace(out))
		}
	}
	return nil
}

// tidy removes all builds but the last few, and this one.
func tidy(cache, this string) error {
	type one struct {
		path string
		age  int64
	}
	files, err := filepath.Glob(filepath.Join(cache, "infra-*"))
	if err != nil {
		return err
	}
	var list []one
	for _, f := range files {
		if info, err := os.Stat(f); err == nil && f != this {
			list = append(list, one{f, info.ModTime().UnixNano()})
		}
	}
	slices.SortFunc(list, func(a, b one) int { return cmp.Compare(b.age, a.age) })
	var errs []error
	for i, o := range list {
		if i >= kept-1 {
			errs = append(errs, os.Remove(o.path))
		}
	}
	return errors.Join(errs...)
}

func linkOrCopy(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o755)
}

// Close removes the base's files. The build stays.
func (b *Base) Close() error { return os.RemoveAll(b.dir) }

// Has says whether the base has the file, by its path in the project.
func (b *Base) Has(path string) bool {
	info, err := os.Stat(filepath.Join(b.dir, path))
	return err == nil && !info.IsDir()
}

// Stacks are the names of the base's own stacks.
func (b *Base) Stacks() []string { return Stacks(b.dir) }

// Up brings a stack of the base up, by its own program, without policies: what the base did wrong must
// not keep anybody from mending it.
func (b *Base) Up(ctx context.Context, path, name, state string) error {
	cmd := exec.CommandContext(ctx, b.binary, "sim", "up", "./"+filepath.ToSlash(path), "--stack", name, "--state", state, "--no-policy", "--color", "never")
	cmd.Dir = b.dir
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(errOut.Bytes()))
	}
	return nil
}

// Stacks are the names of the stacks in a project's folder, sorted.
func Stacks(root string) []string {
	var out []string
	files, _ := filepath.Glob(filepath.Join(root, "Pulumi.*.yaml"))
	for _, f := range files {
		out = append(out, strings.TrimSuffix(strings.TrimPrefix(filepath.Base(f), "Pulumi."), ".yaml"))
	}
	slices.Sort(out)
	return out
}

func git(ctx context.Context, root string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", root}, args...)...)
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w %s", args[0], err, bytes.TrimSpace(errOut.Bytes()))
	}
	return string(out), nil
}
