package stacks

import (
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/config"
)

// export gives the stack its outputs: the phase, and what the phase answers. Secrets among them
// stay secret.
func export(ctx *pulumi.Context, cfg config.Config, outputs pulumi.Map) {
	ctx.Export("phase", pulumi.Int(cfg.Phase))
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		ctx.Export(name, outputs[name])
	}
}
