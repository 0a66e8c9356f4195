package tests

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/policy/inprocess"
	"github.com/morphee-app/morphee-infra/policy/packs"
	"github.com/morphee-app/morphee-infra/policy/rule"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// long skips a test that only `make test-long` runs.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv("MORPHEE_TEST_LONG") == "" {
		t.Skip("long: run by make test-long")
	}
}

// ordinaryCLI returns an environment with the ordinary pulumi CLI first on the path.
func ordinaryCLI(t *testing.T) map[string]string {
	t.Helper()
	cli := os.Getenv("PULUMI_CLI")
	if cli == "" {
		t.Fatal("PULUMI_CLI does not say where the pulumi CLI is: run make test-long")
	}
	if out, err := exec.Command(cli, "version").CombinedOutput(); err != nil {
		t.Fatalf("%s version: %v\n%s", cli, err, out)
	}
	return map[string]string{
		"PATH":                     filepath.Dir(cli) + string(os.PathListSeparator) + os.Getenv("PATH"),
		"PULUMI_BACKEND_URL":       "file://" + t.TempDir(),
		"PULUMI_HOME":              t.TempDir(),
		"PULUMI_CONFIG_PASSPHRASE": "correct horse battery staple",
		"PULUMI_SKIP_UPDATE_CHECK": "true",
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
	}
}

// The ordinary CLI, with its own state and the simulated providers over gRPC, does what the simulator
// does in one process. The program runs inline, because no language host is needed for that.
func TestOrdinaryCLIOnServedProviders(t *testing.T) {
	long(t)
	for _, name := range []string{"dev", "prod"} {
		t.Run(name, func(t *testing.T) { ordinary(t, rig.Load(t, rig.Shipped(t)[name])) })
	}
}

// cliStack makes the stack known to the ordinary CLI, with served providers, and the program inline.
func cliStack(t *testing.T, stack *rehearsal.Stack) auto.Stack {
	t.Helper()
	ctx := context.Background()
	env := ordinaryCLI(t)
	server, err := rig.NewStore(t).Serve(ctx, stack.Name, rehearsal.Packages(stack.Stack), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	env["PULUMI_DEBUG_PROVIDERS"] = server.Debug
	cli, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Root: cliRoot(t)})
	if err != nil {
		t.Fatal(err)
	}
	project := workspace.Project{Name: tokens.PackageName(stack.Project), Runtime: workspace.NewProjectRuntimeInfo("go", nil)}
	one, err := auto.UpsertStackInlineSource(ctx, stack.Name, stack.Project, stack.Program,
		auto.EnvVars(env), auto.Project(project), auto.Pulumi(cli), auto.WorkDir(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	for key, text := range stack.Stack.Config {
		if err := one.SetConfig(ctx, key, auto.ConfigValue{Value: text}); err != nil {
			t.Fatal(err)
		}
	}
	return one
}

func ordinary(t *testing.T, stack *rehearsal.Stack) {
	ctx := context.Background()
	one := cliStack(t, stack)
	here := rig.Run(t, rig.NewStore(t), sim.Up, stack.Stack, sim.Options{})

	up, err := one.Up(ctx, optup.SuppressProgress())
	if err != nil {
		t.Fatal(err)
	}
	if got := (*up.Summary.ResourceChanges)["create"]; got != here.Changes.Create {
		t.Errorf("the CLI created %d resources, the simulator %d", got, here.Changes.Create)
	}
	for key, want := range here.Outputs {
		got := up.Outputs[key]
		if got.Secret != (want == "[secret]") {
			t.Errorf("output %s: secret with the CLI %v, with the simulator %v", key, got.Secret, want == "[secret]")
		}
		if s, ok := want.(string); ok && !got.Secret && got.Value != s {
			t.Errorf("output %s: %v with the CLI, %v with the simulator", key, got.Value, s)
		}
	}
	preview, err := one.Preview(ctx, optpreview.SuppressProgress())
	if err != nil {
		t.Fatal(err)
	}
	for op, n := range preview.ChangeSummary {
		if op != "same" && n > 0 {
			t.Errorf("preview after up: %d to %s\n%s", n, op, preview.StdOut)
		}
	}
	refresh, err := one.Refresh(ctx, optrefresh.SuppressProgress())
	if err != nil {
		t.Fatal(err)
	}
	for op, n := range *refresh.Summary.ResourceChanges {
		if op != "same" && n > 0 {
			t.Errorf("refresh after up: %d %s\n%s", n, op, refresh.StdOut)
		}
	}
	compareExports(t, one, stack)
	// What is protected stays; a plain destroy is refused and says so.
	if _, err := one.Destroy(ctx, optdestroy.SuppressProgress()); err == nil || !strings.Contains(err.Error(), "protect") {
		t.Errorf("destroying a protected stack: %v", err)
	}
}

// cliRoot is the folder above the bin folder that the CLI is in.
func cliRoot(t *testing.T) string {
	t.Helper()
	return filepath.Dir(filepath.Dir(os.Getenv("PULUMI_CLI")))
}

// compareExports checks that both made the same resources, with the same ids.
func compareExports(t *testing.T, one auto.Stack, stack *rehearsal.Stack) {
	t.Helper()
	exported, err := one.Export(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var theirs struct {
		Resources []struct{ URN, ID, Type string }
	}
	if err := json.Unmarshal(exported.Deployment, &theirs); err != nil {
		t.Fatal(err)
	}
	own := rig.NewStore(t)
	rig.Run(t, own, sim.Up, stack.Stack, sim.Options{})
	ids := map[string]string{}
	for _, r := range rig.Resources(t, own, stack.Stack) {
		ids[r.URN] = r.ID
	}
	seen := 0
	for _, r := range theirs.Resources {
		if strings.HasPrefix(r.Type, "pulumi:providers:") {
			continue
		}
		seen++
		if want, ok := ids[r.URN]; !ok || want != r.ID {
			t.Errorf("%s: id %q with the CLI, %q with the simulator", r.URN, r.ID, want)
		}
	}
	if seen < 50 {
		t.Errorf("only %d resources compared", seen)
	}
}

// The packs as executables, in the ordinary CLI, come to the verdicts that they come to in one process:
// nothing about a shipped stack, and the same rules about one with a mistake in it.
func TestPackExecutablesInTheOrdinaryCLI(t *testing.T) {
	long(t)
	dir := t.TempDir()
	var paths []string
	for _, name := range []string{"isolation", "secrets", "durability", "hygiene"} {
		path := filepath.Join(dir, "policy-"+name)
		build := exec.Command("go", "build", "-o", path, "./policy/"+name+"/cmd")
		build.Dir = ".."
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		paths = append(paths, path)
	}
	good := rig.Load(t, rig.Shipped(t)["dev"])
	accepted := cliStack(t, good)
	if _, err := accepted.Preview(context.Background(), optpreview.PolicyPacks(paths...), optpreview.SuppressProgress()); err != nil {
		t.Errorf("the packs refuse a shipped stack: %v", err)
	}

	bad := rig.Load(t, rig.Shipped(t)["dev"])
	program := bad.Program
	bad.Program = func(ctx *pulumi.Context) error {
		var open pulumi.CustomResourceState
		err := ctx.RegisterResource("hcloud:index/firewall:Firewall", "open", pulumi.Map{
			"rules": pulumi.Array{pulumi.Map{
				"direction": pulumi.String("in"), "protocol": pulumi.String("tcp"), "port": pulumi.String("22"),
				"sourceIps": pulumi.ToStringArray([]string{"0.0.0.0/0"}),
			}},
		}, &open)
		return errors.Join(err, program(ctx))
	}
	analyzers, err := inprocess.All(packs.All(), rule.Options{Project: bad.Project, Stack: bad.Name, Config: bad.Stack.Config, Preview: true})
	if err != nil {
		t.Fatal(err)
	}
	here, err := rig.Try(rig.NewStore(t), sim.Preview, bad.Stack, sim.Options{Policies: analyzers})
	if err == nil {
		t.Fatal("the mistake is not refused in one process: this test proves nothing")
	}
	mandatory := map[string]bool{}
	for _, v := range here.Policies.Violations {
		if v.Level == "mandatory" {
			mandatory[v.Policy] = true
		}
	}
	refused := cliStack(t, bad)
	_, err = refused.Preview(context.Background(), optpreview.PolicyPacks(paths...), optpreview.SuppressProgress())
	if err == nil {
		t.Fatal("the mistake is not refused by the executables")
	}
	if len(mandatory) == 0 {
		t.Fatalf("no mandatory violation in one process: %v", here.Errors)
	}
	for name := range mandatory {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("rule %s is violated in one process, but not in the CLI:\n%v", name, err)
		}
	}
}
