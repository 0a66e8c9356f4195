// Command morphee-infra is the Pulumi program of all stacks.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/stacks"
)

func main() { pulumi.Run(stacks.Program) }
