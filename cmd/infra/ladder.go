package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/morphee-app/morphee-infra/internal/ladder"
	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
)

// errLadder says that a step lost something, left a name unserved or was not complete.
var errLadder = errors.New("the ladder has a step that loses something, leaves a name unserved, or is not complete: see above")

// ladderFlags are the flags of infra sim ladder.
type ladderFlags struct {
	simFlags
	dir, html string
}

func (a *app) ladderCommand() *cobra.Command {
	f := &ladderFlags{}
	cmd := &cobra.Command{
		Use:   "ladder",
		Short: "Walk one simulated world through every step of the way up, and every way back",
		Long: "Walk one simulated world through every step that a stack grows by, and back where a way back is offered.\n" +
			"Of every step it says what changed, whether anything was lost that nobody can make again, whether every\n" +
			"public name was served between any two operations, and how long it would take. See docs/ladder.md.\n\n" +
			"It ends with 1 when anything was lost or unserved, or a step was not complete in itself.",
		Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.ladder(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.json, "json", false, "print one JSON document and nothing else")
	flags.StringVar(&f.html, "html", filepath.Join(".sim", "ladder.html"), "file for the same as a page, with a timeline")
	flags.StringVar(&f.dir, "dir", filepath.Join("stacks", "examples", "ladder"), "folder of the configurations, with a ladder.yaml that says their order")
	flags.StringVar(&f.state, "state", "", "new folder in which the simulated states and worlds stay; without it they are thrown away")
	flags.BoolVar(&f.noPolicy, "no-policy", false, "do not run the project's own policy packs")
	return cmd
}

func (a *app) ladder(ctx context.Context, f *ladderFlags) (err error) {
	if f.state == "" {
		if f.state, err = os.MkdirTemp("", "ladder"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(f.state)) }()
	}
	o := ladder.Options{Dir: f.dir, State: f.state, Run: f.runStep}
	if !f.json {
		fmt.Fprint(a.stdout, "SIMULATED ladder: the engine and the program are real, every cloud is simulated.\n\n")
		o.Progress = func(text string) { fmt.Fprintln(a.stderr, "  walking:", text) }
	}
	r, err := ladder.Climb(ctx, o)
	if err != nil {
		return usageError{err}
	}
	if err := writePage(f.html, r); err != nil {
		return err
	}
	if f.json {
		err = a.showJSON(r, nil)
	} else if err = r.Text(a.stdout); err == nil {
		fmt.Fprintf(a.stdout, "The same as a page, with a timeline: %s\n", f.html)
	}
	if err == nil && !r.OK {
		err = errLadder
		if f.json {
			err = reported{err}
		}
	}
	return err
}

// runStep runs one operation of a step as `infra sim` does.
func (f *ladderFlags) runStep(ctx context.Context, op sim.Operation, store sim.Store, stack *rehearsal.Stack, opts sim.Options) (*sim.Result, error) {
	return f.watched(ctx, op, store, stack, opts)
}

func writePage(path string, r *ladder.Report) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("making the folder of the page: %w", err)
	}
	page, err := r.HTML()
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, page, 0o644); err != nil {
		return fmt.Errorf("writing the page: %w; name another file with --html", err)
	}
	return nil
}
