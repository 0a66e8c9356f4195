package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds/aws"
)

// upgradeCommand does in the simulated AWS what ops/runbooks/upgrade-database.md does with AWS's own
// tools: a deployment would go from the cluster that writes to the others, and AWS wants it last.
func (a *app) upgradeCommand() *cobra.Command {
	f := &simFlags{}
	region, version := "", ""
	cmd := &cobra.Command{
		Use: "upgrade STACK --region REGION --to VERSION", Short: "Upgrade the simulated Aurora cluster of a region to another minor version", Args: exactArgs("STACK"),
		Long: "Upgrade the simulated Aurora cluster of a region to another minor version, as `aws rds modify-db-cluster` does.\n" +
			"A version newer than those that the simulator knows is taken for one that AWS released since.\n" +
			"It is one step of ops/runbooks/upgrade-database.md; the state learns of it with the next refresh.",
		RunE: func(cmd *cobra.Command, args []string) error {
			stack, err := loadStack(args[0], f.name)
			if err != nil {
				return err
			}
			if region == "" || version == "" {
				return usageError{fmt.Errorf("upgrade needs --region REGION and --to VERSION, such as --region us-east-1 --to 15.14")}
			}
			return a.changeWorld(cmd, f, stack.Name, func(w *cloud.World) error { return aws.Upgrade(w, region, version) },
				map[string]any{"operation": "upgrade", "region": region, "engineVersion": version}, fmt.Sprintf("The simulated database cluster of %s in %s now runs %s.\nNext: the other regions, the one that writes last; then refresh.\n", stack.Name, region, version))
		},
	}
	cmd.Flags().StringVar(&region, "region", "", "region of the cluster")
	cmd.Flags().StringVar(&version, "to", "", "minor version that it is to run")
	f.addTo(cmd)
	return cmd
}
