package gate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/report"
	"github.com/morphee-app/morphee-infra/internal/safety"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/verdict"
	"github.com/morphee-app/morphee-infra/policy/rule"
)

// Compared is a stack's part of the report, and the deployments it was made of: their secrets must not
// be in the report.
type Compared struct {
	Stack         report.Stack
	Before, After []deployment.Resource
}

// Compare finds out what the change does to a stack. now decides which exceptions are over.
func Compare(ctx context.Context, root string, base *Base, stack *rehearsal.Stack, file string, now time.Time) (*Compared, error) {
	dir, err := os.MkdirTemp("", "infra-gate-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	c := &comparison{stack: stack, circumstances: verdict.Circumstances(stack.Stack, now), before: sim.Store{Dir: filepath.Join(dir, "base")}, dir: dir}
	c.out.Stack = report.Stack{Name: stack.Name, Simulated: true}
	if err := os.MkdirAll(c.before.Dir, 0o700); err != nil {
		return nil, err
	}
	inProject, err := inside(root, file)
	switch {
	case err != nil:
		return nil, err
	case inProject == "" || !base.Has(inProject):
		c.out.Stack.New = true
	default:
		if err := base.Up(ctx, inProject, stack.Name, c.before.Dir); err != nil {
			// Without the base nothing can be said of what the change would replace or delete.
			c.out.Stack.Errors = append(c.out.Stack.Errors, fmt.Sprintf("the base %s does not come up, so what this change would lose is not known: %v", base.Revision, err))
			return &c.out, nil
		}
	}
	if err := c.run(ctx); err != nil {
		return nil, err
	}
	s := &c.out.Stack
	reached(s, c.out.Before, c.out.After)
	leaps(s, c.out.Before, c.out.After, c.circumstances)
	if err := judge(s, c.out.Before, c.out.After, c.circumstances); err != nil {
		return nil, err
	}
	s.Explain(c.losses)
	return &c.out, nil
}

// inside is the path of a file in the project, or "" when it is elsewhere.
func inside(root, file string) (string, error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(root, abs)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return "", nil
	}
	return rel, nil
}

type comparison struct {
	stack         *rehearsal.Stack
	circumstances rule.Options
	before        sim.Store // the base is up in it
	dir           string
	out           Compared
	losses        []report.Loss
}

// run previews the change on the base's state and world, then carries it out on a copy.
func (c *comparison) run(ctx context.Context) (err error) {
	if c.out.Before, err = c.export(ctx, c.before); err != nil {
		return err
	}
	s := &c.out.Stack
	preview, err := c.operate(ctx, "preview", sim.Preview)
	if preview == nil {
		return err
	}
	s.Errors = append(s.Errors, preview.Errors...)
	if len(s.Errors) > 1 { // what only says that there are others
		s.Errors = slices.DeleteFunc(s.Errors, func(t string) bool { return t == "preview failed" })
	}
	if len(preview.Errors) > 0 {
		// What is protected stops a preview before it has told everything. What else it would do is
		// worth knowing: the errors stand in the report anyway.
		if lifted, liftErr := c.lifted(ctx); liftErr == nil {
			lifted.Errors = preview.Errors
			preview = lifted
		}
	}
	for _, l := range safety.Losses(preview, verdict.Safety(c.circumstances)) {
		one := report.Loss{URN: l.URN, Type: l.Type, Name: l.Name, Kind: l.Kind, Op: l.Op, Cause: l.Cause.Text, Mend: l.Cause.Mend}
		if !l.Refused() {
			one.Accepted = l.Accepted
		}
		c.losses = append(c.losses, one)
	}
	for _, r := range preview.Resources {
		if r.Op == "import" {
			r.Op = "create"
		}
		s.Changes = append(s.Changes, report.Change{URN: r.URN, Type: r.Type, Name: r.Name, Op: r.Op, Properties: r.Diff, Forces: r.Replaces})
	}
	s.Count(preview.Changes.Same)
	s.Seconds = &preview.EstimatedSeconds
	return c.carryOut(ctx)
}

// carryOut finds the stack as it is after the change.
func (c *comparison) carryOut(ctx context.Context) (err error) {
	s := &c.out.Stack
	if !s.Counts.Any() && len(s.Errors) == 0 {
		c.out.After = c.out.Before
		return nil
	}
	if len(s.Errors) == 0 {
		up, err := c.operate(ctx, "after", sim.Up)
		if up == nil {
			return err
		}
		s.Errors = append(s.Errors, up.Errors...)
	}
	if len(s.Errors) == 0 {
		c.out.After, err = c.export(ctx, sim.Store{Dir: filepath.Join(c.dir, "after")})
		return err
	}
	// The change cannot be carried out. The policies still look at what it wants: the stack made anew.
	fresh := sim.Store{Dir: filepath.Join(c.dir, "fresh")}
	result, err := fresh.Run(ctx, sim.Up, c.stack.Stack, sim.Options{Packages: rehearsal.Packages(c.stack.Stack)})
	if result == nil {
		return err
	}
	if err != nil {
		s.Notes = append(s.Notes, "The stack after the change could not be simulated, so its policies and its reach are those of what came up.")
	} else {
		s.Notes = append(s.Notes, "Because the change cannot be carried out, its policies and its reach are those of the stack made anew.")
	}
	c.out.After, err = c.export(ctx, fresh)
	return err
}

// operate runs an operation on a copy of the base's state. The result is nil when it could not begin.
func (c *comparison) operate(ctx context.Context, name string, op sim.Operation) (*sim.Result, error) {
	to := filepath.Join(c.dir, name)
	if err := os.CopyFS(to, os.DirFS(c.before.Dir)); err != nil {
		return nil, err
	}
	result, err := sim.Store{Dir: to}.Run(ctx, op, c.stack.Stack, sim.Options{Packages: rehearsal.Packages(c.stack.Stack)})
	if result != nil && err != nil && len(result.Errors) == 0 {
		result.Errors = append(result.Errors, err.Error())
	}
	return result, err
}

// lifted previews the change as if nothing were protected in Pulumi.
func (c *comparison) lifted(ctx context.Context) (*sim.Result, error) {
	state := filepath.Join(c.before.Dir, c.stack.Name, "state.json")
	data, err := os.ReadFile(state)
	if err != nil {
		return nil, err
	}
	open, err := unprotect(data)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(state, open, 0o600); err != nil {
		return nil, err
	}
	result, err := c.operate(ctx, "lifted", sim.Preview)
	return result, errors.Join(err, os.WriteFile(state, data, 0o600))
}

// unprotect takes the protection off everything in a state.
func unprotect(state []byte) ([]byte, error) {
	var file map[string]any
	if err := json.Unmarshal(state, &file); err != nil {
		return nil, err
	}
	d, _ := file["deployment"].(map[string]any)
	list, _ := d["resources"].([]any)
	for _, r := range list {
		if one, ok := r.(map[string]any); ok {
			delete(one, "protect")
		}
	}
	return json.Marshal(file)
}

// export reads a stack with its secrets, which the policies must see and the report must not show. A
// stack that was never brought up is empty.
func (c *comparison) export(ctx context.Context, store sim.Store) ([]deployment.Resource, error) {
	if _, err := os.Stat(filepath.Join(store.Dir, c.stack.Name, "state.json")); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	data, err := store.Export(ctx, c.stack.Name, true)
	if err != nil {
		return nil, err
	}
	return deployment.Read(data)
}
