package stacks

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/config"
	"github.com/morphee-app/morphee-infra/phases"
)

// Program is the whole of a stack: its configuration, the phase it is at, and its outputs. Nothing
// is registered when the configuration is wrong.
func Program(ctx *pulumi.Context) error {
	cfg, err := Load(ctx)
	if err != nil {
		return err
	}
	phase, err := phaseOf(cfg)
	if err != nil {
		return err
	}
	outputs, err := phase(ctx, phases.Input{Config: cfg, Project: ctx.Project(), Stack: ctx.Stack(), Secret: Secret})
	if err != nil {
		return err
	}
	export(ctx, cfg, outputs)
	return nil
}

// phaseOf is what composes the phase, or the move from one to another.
func phaseOf(cfg config.Config) (func(*pulumi.Context, phases.Input) (pulumi.Map, error), error) {
	if cfg.Moving() {
		return phases.Moving, nil
	}
	switch n := cfg.Phase; n {
	case 0:
		return phases.Phase0, nil
	case 1:
		return phases.Phase1, nil
	case 2:
		return phases.Phase2, nil
	case 3:
		return phases.Phase3, nil
	case 4:
		return phases.Phase4, nil
	default:
		return nil, fmt.Errorf("phase %d is not built yet: set morphee:phase to 0 to 4", n)
	}
}
