package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/morphee-app/morphee-infra/internal/config"
	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/safety"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/provider"
	"github.com/morphee-app/morphee-infra/internal/verdict"
)

// simFlags are the flags of the simulator's operations.
type simFlags struct {
	json                bool
	state, name, seed   string
	fail, timeout, kill []string
	drift               []string
	packs               []string
	noPolicy, diff      bool
	refresh             bool
	color               string
	parallel            int
	confirm             string
}

func (a *app) simCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sim",
		Short: "Run a stack on the flight simulator: Pulumi's real engine, simulated clouds",
		Long: "Run a stack on the flight simulator: Pulumi's real engine and state, the real program and its policies,\n" +
			"with every cloud simulated in this process. No account is needed and no cloud is touched.\n\n" +
			"STACK is a stack's name (Pulumi.STACK.yaml) or the path of a configuration file.",
	}
	cmd.AddCommand(
		a.operation(sim.Preview, "Show what an up would change"),
		a.operation(sim.Up, "Bring the stack up, or up to date"),
		a.operation(sim.Refresh, "Compare the state with the simulated clouds and take over what differs"),
		a.operation(sim.Destroy, "Destroy what is not protected"),
		a.switchoverCommand(),
		a.upgradeCommand(),
		a.ladderCommand(),
		a.exportCommand(),
		a.serveCommand(),
	)
	return cmd
}

func (a *app) operation(op sim.Operation, short string) *cobra.Command {
	f := &simFlags{}
	cmd := &cobra.Command{
		Use: string(op) + " STACK", Short: short, Args: exactArgs("STACK"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runOperation(cmd.Context(), op, args[0], f) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.json, "json", false, "print one JSON document and nothing else")
	flags.BoolVar(&f.diff, "diff", false, "show every property that differs")
	flags.StringVar(&f.color, "color", "auto", "auto, always or never")
	flags.StringArrayVar(&f.fail, "fail", nil, "fail the operations that match a pattern ('TYPE::NAME', '*' for any text), or the N-th operation")
	flags.StringArrayVar(&f.timeout, "timeout", nil, "as --fail, but the operation takes effect and then times out")
	flags.StringArrayVar(&f.kill, "kill", nil, "as --fail, but the operation takes effect and then the whole run dies")
	flags.StringArrayVar(&f.drift, "drift", nil, "first change the simulated cloud behind Pulumi's back: 'TYPE::NAME:property=value' or 'TYPE::NAME:delete'")
	flags.StringArrayVar(&f.packs, "policy-pack", nil, "run this policy pack too (an executable or a folder; repeatable)")
	flags.BoolVar(&f.noPolicy, "no-policy", false, "do not run the project's own policy packs")
	flags.IntVar(&f.parallel, "parallel", 16, "operations at once")
	if op == sim.Preview || op == sim.Up {
		flags.BoolVar(&f.refresh, "refresh", false, "first compare the state with the simulated clouds, as 'pulumi up --refresh' does")
	}
	if op == sim.Destroy {
		flags.StringVar(&f.confirm, "delete-protected", "", "also delete what is protected; the value is the stack's name, as a confirmation")
	}
	f.store(cmd)
	return cmd
}

// store adds the flags that say which simulated stack is meant.
func (f *simFlags) store(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.state, "state", ".sim", "folder of the simulated states and worlds")
	cmd.Flags().StringVar(&f.name, "stack", "", "name of the stack, instead of the one that the configuration file gives")
	cmd.Flags().StringVar(&f.seed, "seed", "", "seed of generated names, addresses and secrets of a new world")
}

func (f *simFlags) options(a *app, op sim.Operation) (sim.Options, error) {
	o := sim.Options{Parallel: f.parallel, Diff: f.diff, Refresh: f.refresh}
	for kind, texts := range map[provider.FaultKind][]string{provider.Fail: f.fail, provider.Timeout: f.timeout, provider.Kill: f.kill} {
		for _, text := range texts {
			fault, err := provider.ParseFault(kind, text)
			if err != nil {
				return o, usageError{err}
			}
			o.Faults = append(o.Faults, fault)
		}
	}
	for _, text := range f.drift {
		d, err := sim.ParseDrift(text)
		if err != nil {
			return o, usageError{err}
		}
		o.Drift = append(o.Drift, d)
	}
	switch f.color {
	case "always":
		o.Color = true
	case "auto":
		o.Color = isTerminal(a.stdout) && os.Getenv("NO_COLOR") == ""
	case "never":
	default:
		return o, usageError{fmt.Errorf("--color %q: want auto, always or never", f.color)}
	}
	if !f.json {
		o.Out = a.stdout
	}
	o.PackPaths = f.packs
	return o, nil
}

func (a *app) runOperation(ctx context.Context, op sim.Operation, arg string, f *simFlags) error {
	result, err := a.operate(ctx, op, arg, f)
	if !f.json {
		return err
	}
	// One document, whatever happened.
	if result == nil {
		result = &sim.Result{Simulated: true, Stack: arg, Operation: op, Resources: []sim.ResourceChange{}, Outputs: map[string]any{},
			Policies: sim.NoPolicies(), Errors: messages(err)}
	}
	return a.showJSON(result, err)
}

func (a *app) operate(ctx context.Context, op sim.Operation, arg string, f *simFlags) (*sim.Result, error) {
	stack, err := loadStack(arg, f.name)
	if err != nil {
		return nil, err
	}
	opts, err := f.options(a, op)
	if err != nil {
		return nil, err
	}
	opts.Packages = rehearsal.Packages(stack.Stack)
	if f.confirm != "" && f.confirm != stack.Name {
		return nil, usageError{fmt.Errorf("--delete-protected %q: to delete what is protected in this stack, give its name, %q", f.confirm, stack.Name)}
	}
	store := sim.Store{Dir: f.state, Seed: f.seed}
	if !f.json {
		banner(a.stdout, op, stack)
	}
	if f.confirm != "" {
		// As an operator would: lift the protection with a reviewed change first, then destroy.
		lifted := stack.Stack
		lifted.Config = withValue(stack.Stack.Config, "morphee:disposable", "true")
		if result, err := store.Run(ctx, sim.Up, lifted, sim.Options{Packages: opts.Packages, Out: opts.Out, Color: opts.Color}); err != nil {
			return result, fmt.Errorf("lifting the protection: %w", err)
		}
	}
	result, err := f.watched(ctx, op, store, stack, opts)
	if result == nil {
		return nil, err
	}
	result.Warnings = append(result.Warnings, stack.Warnings...)
	if !f.json {
		summary(a.stdout, a.stderr, result, stack, err)
		if err != nil {
			err = reported{err}
		}
	}
	return result, err
}

// watched runs the operation with the safety guard before it and the project's own policy packs looking on.
// Operations that run no program have nothing to judge.
func (f *simFlags) watched(ctx context.Context, op sim.Operation, store sim.Store, stack *rehearsal.Stack, opts sim.Options) (*sim.Result, error) {
	now := time.Now()
	if f.noPolicy || op != sim.Preview && op != sim.Up {
		opts.Guard = safety.Guard(verdict.Safety(verdict.Circumstances(stack.Stack, now)))
		return store.Run(ctx, op, stack.Stack, opts)
	}
	judge, err := verdict.New(stack.Stack, now)
	if err != nil {
		return nil, usageError{err}
	}
	return judge.Run(ctx, store, op, stack.Stack, opts)
}

func withValue(in map[string]string, key, value string) map[string]string {
	out := map[string]string{}
	for k, v := range in {
		out[k] = v
	}
	out[key] = value
	return out
}

// messages lists an error's lines for the JSON document.
func messages(err error) []string {
	out := []string{}
	var wrong config.Errors
	if errors.As(err, &wrong) {
		for _, p := range wrong.List() {
			out = append(out, p.String())
		}
		return out
	}
	if err != nil {
		out = append(out, err.Error())
	}
	return out
}

func (a *app) exportCommand() *cobra.Command {
	f := &simFlags{}
	show := false
	cmd := &cobra.Command{
		Use: "export STACK", Short: "Print the simulated state, in the form of `pulumi stack export`", Args: exactArgs("STACK"),
		RunE: func(cmd *cobra.Command, args []string) error {
			stack, err := loadStack(args[0], f.name)
			if err != nil {
				return err
			}
			data, err := sim.Store{Dir: f.state}.Export(cmd.Context(), stack.Name, show)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.stdout, "%s\n", data)
			return err
		},
	}
	cmd.Flags().BoolVar(&show, "show-secrets", false, "print secrets in plain text")
	cmd.Flags().Bool("json", true, "accepted for uniformity: the export is always JSON")
	f.store(cmd)
	return cmd
}

func (a *app) serveCommand() *cobra.Command {
	f := &simFlags{}
	cmd := &cobra.Command{
		Use:   "serve STACK",
		Short: "Serve the simulated providers to the ordinary pulumi CLI",
		Long: "Serve the simulated providers on the loopback address and print the environment with which the ordinary\n" +
			"pulumi CLI uses them. The state is the CLI's own; the simulated clouds are kept in the state folder.\n" +
			"It serves until it is interrupted.",
		Args: exactArgs("STACK"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.serve(cmd.Context(), args[0], f) },
	}
	f.store(cmd)
	cmd.Flags().BoolVar(&f.json, "json", false, "print the environment as one JSON document")
	return cmd
}

func (a *app) serve(ctx context.Context, arg string, f *simFlags) (err error) {
	stack, err := loadStack(arg, f.name)
	if err != nil {
		return err
	}
	server, err := sim.Store{Dir: f.state, Seed: f.seed}.Serve(ctx, stack.Name, rehearsal.Packages(stack.Stack), nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close(ctx)) }()
	env := map[string]string{
		"PULUMI_DEBUG_PROVIDERS":                      server.Debug,
		"PULUMI_SKIP_UPDATE_CHECK":                    "true",
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
	}
	if f.json {
		if err := json.NewEncoder(a.stdout).Encode(map[string]any{"simulated": true, "stack": stack.Name, "environment": env}); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(a.stderr, "Serving simulated clouds for stack %s; nothing real is touched. Stop with Ctrl-C.\n", stack.Name)
		for _, key := range []string{"PULUMI_DEBUG_PROVIDERS", "PULUMI_SKIP_UPDATE_CHECK", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"} {
			fmt.Fprintf(a.stdout, "export %s=%s\n", key, env[key])
		}
	}
	return server.Wait(ctx)
}
