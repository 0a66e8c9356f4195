package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/morphee-app/morphee-infra/internal/compose"
	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
)

func (a *app) composeCommand() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "compose STACK",
		Short: "Render the stack's containers as a Docker Compose file",
		Long: "Render the containers of a stack in phase 0 to 2 as a Docker Compose file, for pasting into Coolify.\n" +
			"Secrets become ${VARIABLES}, listed at the top of the file.",
		Args: exactArgs("STACK"),
		RunE: func(cmd *cobra.Command, args []string) error {
			stack, err := loadStack(args[0], "")
			if err != nil {
				return err
			}
			file, err := renderCompose(cmd.Context(), stack)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(a.stdout).Encode(map[string]any{
					"simulated": true, "stack": stack.Name, "compose": string(file.YAML), "variables": file.Variables,
				})
			}
			_, err = a.stdout.Write(file.YAML)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document with the file and its variables")
	return cmd
}

// renderCompose brings the stack up on a simulator of its own, which is thrown away: only a deployment
// knows what its containers are made of.
func renderCompose(ctx context.Context, stack *rehearsal.Stack) (*compose.File, error) {
	dir, err := os.MkdirTemp("", "infra-compose-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	store := sim.Store{Dir: dir}
	if result, err := store.Run(ctx, sim.Up, stack.Stack, sim.Options{Packages: rehearsal.Packages(stack.Stack)}); err != nil {
		if result != nil && len(result.Errors) > 0 {
			err = fmt.Errorf("%w: %s", err, result.Errors[0])
		}
		return nil, fmt.Errorf("bringing the stack up on the simulator: %w", err)
	}
	data, err := store.Export(ctx, stack.Name, true)
	if err != nil {
		return nil, err
	}
	resources, err := deployment.Read(data)
	if err != nil {
		return nil, err
	}
	return compose.Render(stack.Name, resources, stack.Opened)
}
