// Command infra is the companion of the Morphee infrastructure program: it rehearses stacks on the
// flight simulator and renders them in other forms.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/morphee-app/morphee-infra/internal/rehearsal"
)

// Exit codes, part of the command's interface.
const (
	exitDone   = 0
	exitFailed = 1 // the deployment failed, or a mandatory policy
	exitUsage  = 2 // wrong usage or wrong configuration
)

func main() { os.Exit(Main()) }

// Main runs the command on the process's arguments and returns its exit code.
func Main() int {
	// The process lives for a second at most and its heap is small: collecting garbage half as often
	// saves a fifth of the time.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	app := &app{stdout: stdout, stderr: stderr}
	root := &cobra.Command{
		Use:           "infra",
		Short:         "Rehearse and inspect the Morphee infrastructure without touching a cloud",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(app.simCommand(), app.composeCommand(), app.reportCommand(), app.checkCommand())
	strict(root)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	code := exitCode(err)
	if !errors.As(err, new(reported)) {
		fmt.Fprintln(stderr, "infra:", err)
	}
	return code
}

// strict makes a command that only groups others refuse what it does not know, instead of printing its
// help as if all were well.
func strict(cmd *cobra.Command) {
	if cmd.HasSubCommands() && cmd.RunE == nil {
		cmd.Args = cobra.ArbitraryArgs
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return usageError{fmt.Errorf("%s has no command %q; see %s --help", cmd.CommandPath(), args[0], cmd.CommandPath())}
		}
	}
	for _, sub := range cmd.Commands() {
		strict(sub)
	}
}

// app is what the commands share.
type app struct{ stdout, stderr io.Writer }

// usageError is a mistake in how the command was called, or in the configuration it was given.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// loadStack reads a stack; whatever is wrong with it is the caller's to mend.
func loadStack(arg, name string) (*rehearsal.Stack, error) {
	stack, err := rehearsal.Load(arg, name)
	if err != nil {
		return nil, usageError{err}
	}
	return stack, nil
}

// reported is an error that the user has been shown already.
type reported struct{ error }

func (e reported) Unwrap() error { return e.error }

func exitCode(err error) int {
	if errors.As(err, new(usageError)) {
		return exitUsage
	}
	return exitFailed
}

// exactArgs is cobra's check with our exit code.
func exactArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != len(names) {
			return usageError{fmt.Errorf("%s needs %v, got %d argument(s); see %s --help", cmd.CommandPath(), names, len(args), cmd.CommandPath())}
		}
		return nil
	}
}
