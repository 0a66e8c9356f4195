package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds/aws"
)

// switchoverCommand does in the simulated AWS what the runbook does with AWS's own tools: moving the
// writer of a global database is no deployment's business.
func (a *app) switchoverCommand() *cobra.Command {
	f := &simFlags{}
	to := ""
	cmd := &cobra.Command{
		Use: "switchover STACK --to REGION", Short: "Move the writer of the simulated global database to another region", Args: exactArgs("STACK"),
		Long: "Move the writer of the simulated Aurora global database, as `aws rds switchover-global-cluster` does.\n" +
			"It is one step of ops/runbooks/switch-write-primary.md; the state learns of it with the next refresh.",
		RunE: func(cmd *cobra.Command, args []string) error {
			stack, err := loadStack(args[0], f.name)
			if err != nil {
				return err
			}
			if to == "" {
				return usageError{fmt.Errorf("switchover needs --to REGION, the region that is to write")}
			}
			return a.changeWorld(cmd, f, stack.Name, func(w *cloud.World) error { return aws.Switchover(w, to) },
				map[string]any{"operation": "switchover", "writePrimary": to}, fmt.Sprintf("The simulated global database of %s now writes in %s.\nNext: set aws.writePrimary to %[2]s, refresh and bring the stack up.\n", stack.Name, to))
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "region that is to write")
	f.addTo(cmd)
	return cmd
}
