package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// addTo gives the command the flags of what is done to the simulated clouds besides deploying.
func (f *simFlags) addTo(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.state, "state", ".sim", "folder of the simulated states and worlds")
	cmd.Flags().StringVar(&f.name, "stack", "", "name of the stack, instead of the one that the configuration file gives")
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON document and nothing else")
}

// changeWorld does to the simulated clouds of a stack what people do with a cloud's own tools, and says so:
// with the fields as a JSON document, or with the text.
func (a *app) changeWorld(cmd *cobra.Command, f *simFlags, stack string, change func(*cloud.World) error, fields map[string]any, text string) error {
	if err := (sim.Store{Dir: f.state}).Change(cmd.Context(), stack, change); err != nil {
		return err
	}
	if f.json {
		fields["simulated"], fields["stack"] = true, stack
		return json.NewEncoder(a.stdout).Encode(fields)
	}
	_, err := fmt.Fprint(a.stdout, text)
	return err
}
