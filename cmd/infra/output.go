package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/provider"
	"github.com/morphee-app/morphee-infra/internal/verdict"
)

// showJSON prints one indented document. An error that it tells of is then reported.
func (a *app) showJSON(document any, err error) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetIndent("", "  ")
	if encErr := enc.Encode(document); encErr != nil {
		return errors.Join(err, encErr)
	}
	if err != nil {
		return reported{err}
	}
	return nil
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// banner says, before anything else, that this is not real.
func banner(w io.Writer, op sim.Operation, stack *rehearsal.Stack) {
	fmt.Fprintf(w, "SIMULATED %s of stack %s (phase %d): the engine and the program are real, every cloud is simulated.\n\n",
		op, stack.Name, stack.Config.Phase)
}

// summary says what happened and what to do next.
func summary(w, stderr io.Writer, r *sim.Result, stack *rehearsal.Stack, err error) {
	if r.Refused {
		complain(stderr, r, err)
		return
	}
	c := r.Changes
	fmt.Fprintf(w, "\nSimulated %s of %s in %d ms: %d to create, %d to update, %d to replace, %d to delete, %d unchanged.\n",
		r.Operation, r.Stack, r.DurationMs, c.Create, c.Update, c.Replace, c.Delete, c.Same)
	if r.EstimatedSeconds > 0 {
		fmt.Fprintf(w, "On the real clouds this would take about %s.\n", time.Duration(r.EstimatedSeconds*float64(time.Second)).Round(time.Second))
	}
	for _, change := range r.Resources {
		if change.Op == "replace" {
			fmt.Fprintf(w, "  replaced: %s %s, because of %s\n", change.Type, change.Name, strings.Join(change.Replaces, ", "))
		}
	}
	policyLines(w, r.Policies)
	if len(r.Protected) > 0 {
		fmt.Fprintf(w, "\n%d protected resources were kept, with what they stand on:\n", len(r.Protected))
		for _, urn := range r.Protected {
			fmt.Fprintln(w, "  "+urn[strings.LastIndex(urn, "$")+1:])
		}
		fmt.Fprintf(w, "To delete them as well: bin/infra sim destroy %s --delete-protected %s\n", stack.Arg, r.Stack)
	}
	printOutputs(w, r)
	complain(stderr, r, err)
	if err == nil {
		printNext(w, r, stack)
	}
}

// complain says what went wrong.
func complain(stderr io.Writer, r *sim.Result, err error) {
	for _, text := range r.Warnings {
		fmt.Fprintln(stderr, "warning:", text)
	}
	if err != nil {
		fmt.Fprintln(stderr)
		for _, text := range r.Errors {
			fmt.Fprintln(stderr, "error:", text)
		}
		fmt.Fprintln(stderr, "infra: "+failure(r.Operation, err))
	}
}

func failure(op sim.Operation, err error) string {
	if op == sim.Preview {
		return "the simulated preview failed; nothing was changed: mend the cause and run it again"
	}
	if errors.Is(err, sim.ErrRefused) {
		return fmt.Sprintf("the simulated %s was refused before anything ran; nothing was changed", op)
	}
	if errors.Is(err, verdict.ErrPolicy) {
		return fmt.Sprintf("after the simulated %s the stack violates a policy, which could not be known before: mend the cause, or except the resource in morphee:policyExceptions with a reason", op)
	}
	if errors.Is(err, provider.ErrKilled) {
		return fmt.Sprintf("the simulated %s was killed; the state is what had been written by then", op)
	}
	return fmt.Sprintf("the simulated %s failed; what was done before is in the state: mend the cause and run it again", op)
}

func printOutputs(w io.Writer, r *sim.Result) {
	if len(r.Outputs) == 0 || r.Operation == sim.Destroy {
		return
	}
	fmt.Fprintln(w, "\nOutputs:")
	for _, name := range slices.Sorted(maps.Keys(r.Outputs)) {
		text, ok := r.Outputs[name].(string)
		if !ok {
			data, _ := json.Marshal(r.Outputs[name])
			text = string(data)
		}
		fmt.Fprintf(w, "  %-24s %s\n", name, text)
	}
}

func printNext(w io.Writer, r *sim.Result, stack *rehearsal.Stack) {
	if r.Operation != sim.Up {
		return
	}
	fmt.Fprintf(w, `
The stack is up, on the simulator. What you can do next:
  see it      bin/infra sim export %[1]s
  change it   edit its configuration, then: make preview STACK=%[1]s and make up STACK=%[1]s
  destroy it  make destroy STACK=%[1]s
`, stack.Arg)
}
