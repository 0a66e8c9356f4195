package ladder

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/ladder"
	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// planted is a program with a mistake in one resource.
func planted(p pulumi.RunFunc, name string, change func(args *pulumi.ResourceTransformArgs)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		if err := ctx.RegisterResourceTransform(func(_ context.Context, args *pulumi.ResourceTransformArgs) *pulumi.ResourceTransformResult {
			if args.Name == name {
				change(args)
			}
			return &pulumi.ResourceTransformResult{Props: args.Props, Opts: args.Opts}
		}); err != nil {
			return err
		}
		return p(ctx)
	}
}

// A mistake in the program that takes a name away, for ever or for a while, or loses data, is in the report
// of its step.
func TestMistakesAreFound(t *testing.T) {
	for _, c := range []struct {
		name, resource string
		change         func(args *pulumi.ResourceTransformArgs)
		want           string // in what is wrong with the second step
	}{
		{"no mistake", "names-api-dev-morphee-app", func(*pulumi.ResourceTransformArgs) {}, ""},
		{"a record that leads nowhere", "names-api-dev-morphee-app", func(args *pulumi.ResourceTransformArgs) {
			args.Props["content"] = pulumi.String("nowhere.morphee.app")
		}, "api.dev.morphee.app: 100% of the clients"},
		{"a record that is away for a moment", "names-git-dev-morphee-app", func(args *pulumi.ResourceTransformArgs) {
			args.Opts.ReplaceOnChanges, args.Opts.DeleteBeforeReplace = []string{"comment"}, true
			args.Props["comment"] = pulumi.String("changed")
		}, "git.dev.morphee.app: 100% of the clients"},
		{"a container on another network", "gotrue-service-container", func(args *pulumi.ResourceTransformArgs) {
			args.Props["networksAdvanced"] = pulumi.Array{pulumi.Map{"name": pulumi.String("morphee-data")}}
		}, "are not both on the network morphee-edge"},
		{"a volume of another name", "postgres-data", func(args *pulumi.ResourceTransformArgs) {
			args.Opts.Protect = false
			args.Props["name"] = pulumi.String("other-data")
		}, "docker:index/volume:Volume postgres-data: replaced"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			config, err := os.ReadFile(filepath.Join(rig.Root(t), "Pulumi.dev.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			for name, data := range map[string]string{"Pulumi.dev.yaml": string(config),
				ladder.ManifestFile: "steps: [{name: one, config: Pulumi.dev.yaml}, {name: two, config: Pulumi.dev.yaml}]"} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			ups := 0
			// Nothing stands before the mistake: no guard, no policy.
			run := func(ctx context.Context, op sim.Operation, store sim.Store, stack *rehearsal.Stack, opts sim.Options) (*sim.Result, error) {
				if op == sim.Up {
					ups++
				}
				program := stack.Stack
				if ups == 2 {
					program.Program = planted(program.Program, c.resource, c.change)
				}
				return store.Run(ctx, op, program, opts)
			}
			r, err := ladder.Climb(context.Background(), ladder.Options{Dir: dir, State: t.TempDir(), Run: run})
			if err != nil {
				t.Fatal(err)
			}
			s := r.Steps[len(r.Steps)-1]
			wrong := fmt.Sprint(s.StatefulLost, s.Unserved, s.Problems)
			if r.OK != (c.want == "") || !strings.Contains(wrong, c.want) {
				t.Errorf("OK %v, found %s; want %q", r.OK, wrong, c.want)
			}
		})
	}
}
