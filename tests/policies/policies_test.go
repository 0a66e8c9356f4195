package policies

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/stateful"
	"github.com/morphee-app/morphee-infra/internal/verdict"
	"github.com/morphee-app/morphee-infra/policy/inprocess"
	"github.com/morphee-app/morphee-infra/policy/mutation"
	"github.com/morphee-app/morphee-infra/policy/packs"
	"github.com/morphee-app/morphee-infra/policy/rule"
	"github.com/morphee-app/morphee-infra/policy/serve"
	"github.com/morphee-app/morphee-infra/policy/snapshot"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

func circumstances(stack sim.Stack) rule.Options {
	return rule.Options{Project: stack.Project, Stack: stack.Name, Config: stack.Config, SecretKeys: stack.Secret}
}

func analyzers(t testing.TB, stack sim.Stack, preview bool) map[string]plugin.Analyzer {
	t.Helper()
	options := circumstances(stack)
	options.Preview = preview
	out, err := inprocess.All(packs.All(), options)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func findings(list []rule.Finding) string {
	var b strings.Builder
	for _, f := range list {
		fmt.Fprintf(&b, "\n  %s %s %s: %s", f.Level, f.Rule, rule.NameOf(f.URN), f.Message)
	}
	return b.String()
}

// Every shipped stack keeps to all rules: while it is previewed, while it comes up, and when it is up.
// Once everything is known, nothing is left undetermined.
func TestPoliciesHold(t *testing.T) {
	rig.Each(t, func(t *testing.T, stack *rehearsal.Stack) {
		store := rig.NewStore(t)
		for _, op := range []sim.Operation{sim.Preview, sim.Up} {
			policies := analyzers(t, stack.Stack, op == sim.Preview)
			once := &look{options: circumstances(stack.Stack)}
			rig.Run(t, store, op, stack.Stack, once.at(op, sim.Options{Policies: policies}))
			report := inprocess.Report(policies, packs.All())
			alike(t, string(op), report, once.report)
			if len(report.Packs) != 4 || report.Checks < 500 {
				t.Errorf("%s: %d packs made %d checks", op, len(report.Packs), report.Checks)
			}
			if len(report.Violations) > 0 {
				t.Errorf("%s: violations:%s", op, findings(report.Violations))
			}
			if op == sim.Up && len(report.Undetermined) > 0 {
				t.Errorf("up: undetermined:%s", findings(report.Undetermined))
			}
			t.Logf("%s: %d checks, %d undetermined, %d exceptions", op, report.Checks, len(report.Undetermined), len(report.Excepted))
		}
		report, err := rule.Evaluate(packs.All(), snapshot.Resources(rig.Resources(t, store, stack.Stack)), circumstances(stack.Stack))
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Violations)+len(report.Undetermined)+len(report.Unused) > 0 {
			t.Errorf("the deployment: violations:%s\nundetermined:%s\nunused exceptions: %v", findings(report.Violations), findings(report.Undetermined), report.Unused)
		}
		for _, f := range report.Excepted {
			t.Logf("exception: %s %s: %s", f.Rule, rule.NameOf(f.URN), f.Exception.Reason)
		}
	})
}

// Each mutant breaks a shipped stack in one place, and is noticed by exactly the rule that is about it.
func TestMutants(t *testing.T) {
	var broken []mutation.Stack
	clean := map[string]rule.Report{}
	names := []string{"prod", "dev"}
	for name := range rig.Shipped(t) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names[2:])
	for _, name := range names {
		stack := rig.Load(t, rig.Shipped(t)[name])
		store := rig.NewStore(t)
		rig.Run(t, store, sim.Up, stack.Stack, sim.Options{})
		one := mutation.Stack{Name: name, Resources: snapshot.Resources(rig.Resources(t, store, stack.Stack)), Options: circumstances(stack.Stack)}
		report, err := rule.Evaluate(packs.All(), one.Resources, one.Options)
		if err != nil {
			t.Fatal(err)
		}
		broken, clean[name] = append(broken, one), report
	}
	killed, byRule := 0, map[string]int{}
	for _, m := range mutation.All() {
		r, err := mutation.Try(m, packs.All(), broken, clean)
		switch {
		case err != nil:
			t.Fatal(err)
		case r.Stack == "":
			t.Errorf("%s: no shipped stack has a %s", m.Rule, m)
		case len(r.Killed) == 0:
			t.Errorf("%s: %s of %s: no rule noticed it", m.Rule, m, r.Stack)
		case !r.OK():
			t.Errorf("%s: %s of %s: noticed by %s", m.Rule, m, r.Stack, strings.Join(r.Killed, ", "))
		default:
			killed++
			byRule[m.Rule]++
			t.Logf("%s kills: %s (%s)", m.Rule, m, r.Stack)
		}
	}
	t.Logf("%d mutants, %d killed", len(mutation.All()), killed)
	if len(mutation.All()) < 100 {
		t.Errorf("there are only %d mutants", len(mutation.All()))
	}
	for _, p := range packs.All() {
		for _, r := range p.Rules {
			if byRule[r.ID] == 0 {
				t.Errorf("no mutant is killed by %s", r.ID)
			}
		}
	}
	// Whatever holds data in a shipped stack may be neither replaced nor deleted.
	for _, s := range broken {
		for _, r := range s.Resources {
			if !stateful.Is(r.Type) || stateful.Rewritten(r.Type, r.Name) {
				continue
			}
			for _, op := range []string{"replace", "delete"} {
				report, err := rule.CheckSteps(packs.All(), []rule.Step{{URN: r.URN, Type: r.Type, Name: r.Name, Op: op}}, s.Options)
				if err != nil || report.Mandatory() != 1 {
					t.Errorf("%s: to %s %s: %d violations, %v", s.Name, op, r.URN, report.Mandatory(), err)
				}
			}
		}
	}
}

// breaking breaks resources of a type as they are registered.
func breaking(program pulumi.RunFunc, token string, change func(pulumi.Map)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		err := ctx.RegisterResourceTransform(func(_ context.Context, args *pulumi.ResourceTransformArgs) *pulumi.ResourceTransformResult {
			if args.Type == token {
				change(args.Props)
			}
			return &pulumi.ResourceTransformResult{Props: args.Props, Opts: args.Opts}
		})
		if err != nil {
			return err
		}
		return program(ctx)
	}
}

// mistakes break shipped stacks in one place each.
var mistakes = map[string]struct {
	stack, token, rule string
	change             func(pulumi.Map)
}{
	"a public database": {"prod", "aws:rds/instance:Instance", "database-not-public", func(p pulumi.Map) { p["publiclyAccessible"] = pulumi.Bool(true) }},
	"an open server": {"dev", "hcloud:index/firewall:Firewall", "hetzner-ssh-sources", func(p pulumi.Map) {
		p["rules"] = pulumi.Array{pulumi.Map{"direction": pulumi.String("in"), "protocol": pulumi.String("tcp"), "port": pulumi.String("22"), "sourceIps": pulumi.ToStringArray([]string{"0.0.0.0/0"})}}
	}},
	"a plain secret": {"dev", "docker:index/network:Network", "secret-by-name", func(p pulumi.Map) { p["options"] = pulumi.Map{"apiToken": pulumi.String("hunter22")} }},
	"plain connections to the database": {"prod", "aws:rds/parameterGroup:ParameterGroup", "database-ssl-forced", func(p pulumi.Map) {
		p["parameters"] = pulumi.Array{pulumi.Map{"name": pulumi.String("rds.force_ssl"), "value": pulumi.String("0")}}
	}},
}

// What a rule forbids is not made: the engine, asking a pack, fails before it asks the cloud, and says how
// to mend it. One look at what the preview plans comes to the same verdicts, and refuses all of it.
func TestViolationStopsTheDeployment(t *testing.T) {
	for name, c := range mistakes {
		t.Run(name, func(t *testing.T) {
			stack := rig.Load(t, rig.Shipped(t)[c.stack]).Stack
			stack.Program = breaking(stack.Program, c.token, c.change)
			for _, op := range []sim.Operation{sim.Preview, sim.Up} {
				policies := analyzers(t, stack, op == sim.Preview)
				r, err := rig.Try(rig.NewStore(t), op, stack, sim.Options{Policies: policies})
				if err == nil {
					t.Fatalf("%s succeeds", op)
				}
				wants(t, string(op), r, c.rule)
				for _, v := range r.Policies.Violations {
					if v.Level == "mandatory" && !strings.Contains(v.Message, "To mend it") {
						t.Errorf("%s: nothing says how to mend %s", op, v.Message)
					}
				}
				store := rig.NewStore(t)
				r, err = rig.Judged(t, store, op, stack)
				if err == nil || !errors.Is(err, verdict.ErrPolicy) || r.Refused != (op == sim.Up) {
					t.Fatalf("%s at one look: refused %v, %v", op, r.Refused, err)
				}
				wants(t, string(op)+" at one look", r, c.rule)
				if len(r.Errors) == 0 || slices.ContainsFunc(r.Errors, func(e string) bool { return !strings.HasPrefix(e, c.rule+": ") || !strings.Contains(e, "To mend it") }) {
					t.Errorf("%s at one look: errors %q", op, r.Errors)
				}
				if _, err := os.Stat(filepath.Join(store.Dir, stack.Name, "state.json")); err == nil {
					t.Errorf("%s at one look: something was made", op)
				}
				if op == sim.Preview {
					once := &look{options: circumstances(stack)}
					rig.Run(t, store, op, stack, once.at(op, sim.Options{}))
					alike(t, name, inprocess.Report(policies, packs.All()), once.report)
				}
			}
		})
	}
}

// wants fails unless every mandatory violation is one of the rule, and there is one.
func wants(t *testing.T, what string, r *sim.Result, rule string) {
	t.Helper()
	mandatory := slices.DeleteFunc(slices.Clone(r.Policies.Violations), func(v sim.Violation) bool { return v.Level != "mandatory" })
	if len(mandatory) == 0 || slices.ContainsFunc(mandatory, func(v sim.Violation) bool { return v.Policy != rule }) {
		t.Errorf("%s: got %+v, want %s", what, mandatory, rule)
	}
}

// The rules say the same behind the plugin protocol as in this process.
func TestPoliciesBehindTheProtocol(t *testing.T) {
	for _, name := range []string{"dev", "prod"} {
		t.Run(name, func(t *testing.T) {
			stack := rig.Load(t, rig.Shipped(t)[name]).Stack
			for _, op := range []sim.Operation{sim.Preview, sim.Up} {
				here := rig.Run(t, rig.NewStore(t), op, stack, sim.Options{Policies: analyzers(t, stack, op == sim.Preview)})
				there := rig.Run(t, rig.NewStore(t), op, stack, sim.Options{Policies: served(t, stack, op == sim.Preview)})
				same(t, string(op), here, there)
				if op == sim.Preview && len(here.Policies.Violations) == 0 {
					t.Error("a preview of a new stack knows everything")
				}
			}
		})
	}
}

func same(t *testing.T, what string, here, there *sim.Result) {
	t.Helper()
	if a, b := fmt.Sprintf("%+v", here.Policies), fmt.Sprintf("%+v", there.Policies); a != b {
		t.Errorf("%s: in this process\n%s\nbehind the protocol\n%s", what, a, b)
	}
}

// served are the packs behind the plugin protocol, on the loopback address.
func served(t *testing.T, stack sim.Stack, preview bool) map[string]plugin.Analyzer {
	t.Helper()
	out := map[string]plugin.Analyzer{}
	for _, p := range packs.All() {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		server := grpc.NewServer(grpc.MaxRecvMsgSize(400 << 20))
		pulumirpc.RegisterAnalyzerServer(server, serve.New(p, func() time.Time { return time.Time{} }))
		go func() { _ = server.Serve(listener) }()
		t.Cleanup(server.Stop)
		connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(400<<20)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = connection.Close() })
		client := pulumirpc.NewAnalyzerClient(connection)
		if _, err := client.ConfigureStack(context.Background(), &pulumirpc.AnalyzerStackConfigureRequest{
			Project: stack.Project, Stack: stack.Name, Config: stack.Config, ConfigSecretKeys: stack.Secret, DryRun: preview,
		}); err != nil {
			t.Fatal(err)
		}
		out[p.Name] = plugin.NewAnalyzerWithClient(tokens.QName(p.Name), client)
	}
	return out
}

// The built executables are what --policy-pack takes: the engine starts them, and they say the same.
func TestPolicyExecutables(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for _, name := range []string{"durability", "hygiene", "isolation", "secrets"} {
		path := filepath.Join(dir, "policy-"+name)
		if out, err := exec.Command("go", "build", "-o", path, filepath.Join(rig.Root(t), "policy", name, "cmd")).CombinedOutput(); err != nil {
			t.Fatalf("building %s: %v\n%s", name, err, out)
		}
		paths = append(paths, path)
		start := time.Now()
		quickly(t, path)
		t.Logf("policy-%s is ready after %v", name, time.Since(start).Round(time.Millisecond))
	}
	stack := rig.Load(t, rig.Shipped(t)["dev"]).Stack
	for _, op := range []sim.Operation{sim.Preview, sim.Up} {
		here := rig.Run(t, rig.NewStore(t), op, stack, sim.Options{Policies: analyzers(t, stack, op == sim.Preview)})
		there := rig.Run(t, rig.NewStore(t), op, stack, sim.Options{PackPaths: paths})
		same(t, string(op), here, there)
	}
}

// quickly wants the pack to be ready within 100 ms.
func quickly(t *testing.T, path string) {
	t.Helper()
	best := time.Hour
	for range 3 {
		start := time.Now()
		command := exec.Command(path)
		out, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 16)); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(start))
		_ = command.Process.Signal(os.Interrupt)
		if err := command.Wait(); err != nil {
			t.Errorf("%s ends with %v", path, err)
		}
	}
	if best > 100*time.Millisecond {
		t.Errorf("%s needs %v to start, at most 100 ms is permitted", path, best)
	}
}
