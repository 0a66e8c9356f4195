package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/morphee-app/morphee-infra/internal/config"
	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/gate"
	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/report"
)

type reportFlags struct {
	base          string
	previews      []string
	before, after string
	stacks        []string
	all           bool
	format        string
	out           []string
	limit         int
}

func (a *app) reportCommand() *cobra.Command {
	f := &reportFlags{}
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Say what a change does to stacks, what the policies say of it, and whether it may be merged",
		Long: "Report a change of one or more stacks: what is created, updated, replaced (and because of which property) and\n" +
			"deleted, what becomes of everything that holds data, what the policies say, what the internet reaches, and how\n" +
			"long it would take to deploy. The change is one of:\n\n" +
			"  --base REVISION            the working tree compared with a revision, both on the flight simulator; the\n" +
			"                             base's own program brings the stack up first\n" +
			"  --preview FILE             what `pulumi preview --json` printed (with --show-sames the policies see the whole stack)\n" +
			"  --before FILE --after FILE two outputs of `pulumi stack export`\n\n" +
			"--stack (repeatable) is a stack's name or the path of a configuration file; with --base the default is every\n" +
			"stack of the project, else it says whose configuration holds, such as its policy exceptions.\n\n" +
			"Exit code 1: a mandatory policy is violated, a stateful resource would be lost, or a stack cannot be deployed.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.report(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.base, "base", "", "revision to compare the working tree with")
	flags.StringArrayVar(&f.previews, "preview", nil, "output of `pulumi preview --json` (repeatable)")
	flags.StringVar(&f.before, "before", "", "output of `pulumi stack export` before the change")
	flags.StringVar(&f.after, "after", "", "output of `pulumi stack export` after the change")
	flags.StringArrayVar(&f.stacks, "stack", nil, "stack name or configuration file (repeatable)")
	flags.BoolVar(&f.all, "all", false, "with --base: every stack of the project and every one of stacks/examples")
	flags.StringVar(&f.format, "format", "", "markdown, html or json (default: by the name of the file, else markdown)")
	flags.StringArrayVar(&f.out, "out", nil, "write the report to this file instead (repeatable)")
	flags.IntVar(&f.limit, "limit", report.MaxCharacters, "most characters of a Markdown or HTML report; what does not fit is summarised")
	return cmd
}

var formats = []string{"markdown", "html", "json"}

// inputs says which of the three kinds of input is meant.
func (f *reportFlags) inputs() error {
	kinds := 0
	for _, given := range []bool{f.base != "", len(f.previews) > 0, f.before != "" || f.after != ""} {
		if given {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		return usageError{errors.New("infra report needs exactly one of --base, --preview, and --before with --after; see infra report --help")}
	case (f.before == "") != (f.after == ""):
		return usageError{errors.New("infra report: --before and --after go together")}
	case f.format != "" && !slices.Contains(formats, f.format):
		return usageError{fmt.Errorf("--format %q: want %s", f.format, strings.Join(formats, ", "))}
	case f.limit < 4000 || f.limit > report.MaxCharacters:
		return usageError{fmt.Errorf("--limit %d: want 4000 to %d", f.limit, report.MaxCharacters)}
	case f.all && (f.base == "" || len(f.stacks) > 0):
		return usageError{errors.New("--all goes with --base and without --stack")}
	}
	return nil
}

func (a *app) report(ctx context.Context, f *reportFlags) error {
	if err := f.inputs(); err != nil {
		return err
	}
	var list []*gate.Compared
	var err error
	var base string
	head := "The working tree"
	switch {
	case f.base != "":
		list, base, err = a.compare(ctx, f)
	case len(f.previews) > 0:
		base, head = "the deployed stacks", "The preview"
		list, err = f.readPreviews()
	default:
		base, head = "the export before", "The export after"
		list, err = f.readExports()
	}
	if err != nil {
		return err
	}
	var stacks []report.Stack
	var seen [][]deployment.Resource
	for _, c := range list {
		stacks = append(stacks, c.Stack)
		seen = append(seen, c.Before, c.After)
	}
	r := report.New(base, head, stacks)
	r.Redact(seen...)
	if err := a.write(r, f); err != nil {
		return err
	}
	if !r.Verdict.Pass {
		fmt.Fprintln(a.stderr, "infra:", r.Verdict)
		return reported{errors.New(r.Verdict.String())}
	}
	return nil
}

// write prints the report, or writes it to the files.
func (a *app) write(r *report.Report, f *reportFlags) error {
	render := func(format string) ([]byte, error) {
		switch format {
		case "json":
			return r.JSON()
		case "html":
			return []byte(r.HTML(f.limit)), nil
		}
		return []byte(r.Markdown(f.limit)), nil
	}
	if len(f.out) == 0 {
		data, err := render(f.format)
		if err == nil {
			_, err = a.stdout.Write(data)
		}
		return err
	}
	for _, path := range f.out {
		format := f.format
		if format == "" {
			format = map[string]string{".html": "html", ".json": "json"}[filepath.Ext(path)]
		}
		data, err := render(format)
		if err == nil {
			err = os.WriteFile(path, data, 0o644)
		}
		if err != nil {
			return fmt.Errorf("writing the report: %w", err)
		}
	}
	return nil
}

// compare runs base and working tree on the simulator.
func (a *app) compare(ctx context.Context, f *reportFlags) ([]*gate.Compared, string, error) {
	root, err := rehearsal.ProjectRoot()
	if err != nil {
		return nil, "", usageError{err}
	}
	named := f.stacks
	if len(named) == 0 {
		named = gate.Stacks(root)
	}
	if f.all {
		examples, err := filepath.Glob(filepath.Join(root, "stacks", "examples", "*.yaml"))
		if err != nil {
			return nil, "", err
		}
		named = append(named, examples...)
	}
	type one struct{ arg, file string }
	var wanted []one
	for _, arg := range named {
		file, err := rehearsal.StackFile(arg)
		if err != nil {
			return nil, "", usageError{err}
		}
		wanted = append(wanted, one{arg, file})
	}
	base, err := gate.OpenBase(ctx, root, f.base, a.stderr)
	if err != nil {
		return nil, "", usageError{err}
	}
	defer base.Close()
	out := make([]*gate.Compared, len(wanted))
	now := time.Now()
	errs := make([]error, len(wanted))
	turns := make(chan struct{}, runtime.NumCPU())
	var all sync.WaitGroup
	for i, w := range wanted {
		all.Go(func() {
			turns <- struct{}{}
			out[i], errs[i] = compareOne(ctx, root, base, w.arg, w.file, now)
			<-turns
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, "", err
	}
	// Configurations of one stack at several steps of its life have one name.
	count := map[string]int{}
	for _, c := range out {
		count[c.Stack.Name]++
	}
	for i, c := range out {
		if count[c.Stack.Name] > 1 {
			c.Stack.Name += " (" + filepath.Base(wanted[i].file) + ")"
		}
	}
	if len(f.stacks) == 0 {
		for _, name := range base.Stacks() {
			if !slices.Contains(named, name) {
				out = append(out, &gate.Compared{Stack: report.Stack{Name: name, Notes: []string{
					"The configuration of this stack is removed. That destroys nothing by itself: what is deployed stays, and nobody looks after it any more.",
				}}})
			}
		}
	}
	return out, fmt.Sprintf("%s (%.12s)", base.Revision, base.Commit), nil
}

// compareOne compares one stack. A configuration that is wrong is part of the change, and of the report.
func compareOne(ctx context.Context, root string, base *gate.Base, arg, file string, now time.Time) (*gate.Compared, error) {
	stack, err := rehearsal.Load(file, "")
	if wrong := (config.Errors{}); errors.As(err, &wrong) {
		return &gate.Compared{Stack: report.Stack{Name: arg, Simulated: true, Errors: messages(err)}}, nil
	} else if err != nil {
		return nil, usageError{err}
	}
	c, err := gate.Compare(ctx, root, base, stack, file, now)
	if err != nil {
		return nil, fmt.Errorf("stack %s: %w", arg, err)
	}
	return c, nil
}

// configured reads the configurations that --stack names, by the stacks' names.
func (f *reportFlags) configured() (map[string]*rehearsal.Stack, error) {
	out := map[string]*rehearsal.Stack{}
	for _, arg := range f.stacks {
		stack, err := loadStack(arg, "")
		if err != nil {
			return nil, err
		}
		out[stack.Name] = stack
	}
	return out, nil
}

func (f *reportFlags) readPreviews() ([]*gate.Compared, error) {
	stacks, err := f.configured()
	if err != nil {
		return nil, err
	}
	var out []*gate.Compared
	for _, path := range f.previews {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, usageError{err}
		}
		p, err := report.ReadPreview(data)
		if err != nil {
			return nil, usageError{fmt.Errorf("%s: %w", path, err)}
		}
		c, err := gate.Previewed(p, stacks[p.Stack], time.Now())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		out = append(out, c)
	}
	return out, nil
}

func (f *reportFlags) readExports() ([]*gate.Compared, error) {
	stacks, err := f.configured()
	if err != nil {
		return nil, err
	}
	var both [2][]deployment.Resource
	for i, path := range []string{f.before, f.after} {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, usageError{err}
		}
		if both[i], err = deployment.Read(data); err != nil {
			return nil, usageError{fmt.Errorf("%s: %w", path, err)}
		}
	}
	name := gate.StackOf(slices.Concat(both[1], both[0]))
	c, err := gate.Exported(name, both[0], both[1], stacks[name], time.Now())
	if err != nil {
		return nil, err
	}
	return []*gate.Compared{c}, nil
}
