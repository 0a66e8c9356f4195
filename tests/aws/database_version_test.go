package aws

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	awscloud "github.com/morphee-app/morphee-infra/internal/sim/clouds/aws"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// world changes the simulated clouds of the stack behind Pulumi's back.
func world(t *testing.T, store sim.Store, stack sim.Stack, change func(*cloud.World) error) {
	t.Helper()
	if err := store.Change(context.Background(), stack.Name, change); err != nil {
		t.Fatal(err)
	}
}

// releases lets time pass: the version is the newest minor that AWS offers from then on.
func releases(version string) func(*cloud.World) error {
	return func(w *cloud.World) error { return awscloud.Release(w, "aurora-postgresql", version) }
}

// versions are what the database clusters and their instances run, by name, as the state has them.
func versions(t *testing.T, store sim.Store, stack sim.Stack) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, r := range rig.Resources(t, store, stack) {
		switch r.Type {
		case "aws:rds/cluster:Cluster", "aws:rds/clusterInstance:ClusterInstance", "aws:rds/globalCluster:GlobalCluster":
			out[r.Name] = fmt.Sprint(r.Outputs["engineVersionActual"])
		}
	}
	return out
}

func allRun(t *testing.T, step string, store sim.Store, stack sim.Stack, want string, clusters int) {
	t.Helper()
	found := 0
	for name, version := range versions(t, store, stack) {
		if strings.HasSuffix(name, "-cluster") {
			found++
		}
		if version != want {
			t.Errorf("%s: %s runs %s, want %s", step, name, version, want)
		}
	}
	if found != clusters {
		t.Errorf("%s: %d database clusters, want %d", step, found, clusters)
	}
}

// quiet fails when the state or the clouds give a deployment anything to do.
func quiet(t *testing.T, step string, store sim.Store, stack sim.Stack) {
	t.Helper()
	if r := rig.Run(t, store, sim.Preview, stack, sim.Options{Refresh: true}); r.Changes.Any() {
		t.Errorf("%s: not settled, a preview changes:%s", step, rig.Describe(r.Resources))
	}
}

// engine is the stack with this version of the database.
func engine(t *testing.T, stack sim.Stack, version string, regions ...any) sim.Stack {
	t.Helper()
	database := map[string]any{"engine": "aurora", "minAcu": 0.5, "maxAcu": 8, "engineVersion": version}
	return setAWS(t, stack, map[string]any{"database": database, "regions": regions})
}

// AWS upgrades no member of a global database by itself, and "15" is another minor some years later: a
// region that comes then has to get what the others run.
func TestARegionAddedYearsLater(t *testing.T) {
	us, west := awsRegion(second, 1, nil), awsRegion(third, 2, nil)
	for name, version := range map[string]string{"a major": "15", "a minor": "15.12"} {
		t.Run(name, func(t *testing.T) {
			store := rig.NewStore(t)
			stack := engine(t, phase4(t, us), version, us)
			rig.Run(t, store, sim.Up, stack, sim.Options{})
			before := versions(t, store, stack)["aws-database-cluster"]
			world(t, store, stack, releases("15.40"))
			quiet(t, "years later", store, stack)
			stack = engine(t, stack, version, us, west)
			safe(t, "a third region", rig.Run(t, store, sim.Up, stack, sim.Options{}))
			quiet(t, "a third region", store, stack)
			allRun(t, "a third region", store, stack, before, 3)
		})
	}
}

// In phase 3 AWS moves the minor, and no state knows of it: the first region that is added gets the one
// that runs, without a refresh.
func TestGrowingAfterAnUpgradeByAWS(t *testing.T) {
	store := rig.NewStore(t)
	three := rig.Load(t, rig.Shipped(t)["phase3-aurora"]).Stack
	three.Name = "grow"
	rig.Run(t, store, sim.Up, three, sim.Options{})
	world(t, store, three, func(w *cloud.World) error { return awscloud.Upgrade(w, first, "15.20") })
	world(t, store, three, releases("15.40"))
	stack := phase4(t, awsRegion(second, 1, nil))
	safe(t, "two regions", rig.Run(t, store, sim.Up, stack, sim.Options{}))
	rig.Run(t, store, sim.Refresh, stack, sim.Options{})
	allRun(t, "two regions", store, stack, "15.20", 2)
	quiet(t, "two regions", store, stack)
}

// ops/runbooks/upgrade-database.md, step by step, also while the second region writes.
func TestUpgradingTheGlobalDatabase(t *testing.T) {
	us, west := awsRegion(second, 1, nil), awsRegion(third, 2, nil)
	const next = "15.40"
	for _, c := range []struct {
		name          string
		version       string
		writer, other string
	}{{"a major", "15", first, second}, {"a minor, and another region writes", "15.12", second, first}} {
		t.Run(c.name, func(t *testing.T) {
			store := rig.NewStore(t)
			stack := engine(t, phase4(t, us), c.version, us)
			rig.Run(t, store, sim.Up, stack, sim.Options{})
			if c.writer != first {
				world(t, store, stack, func(w *cloud.World) error { return awscloud.Switchover(w, c.writer) })
				rig.Run(t, store, sim.Refresh, stack, sim.Options{})
			}
			kept := ids(t, store, stack)
			upgrade := func(region string) error {
				return store.Change(context.Background(), stack.Name, func(w *cloud.World) error { return awscloud.Upgrade(w, region, next) })
			}
			if err := upgrade(c.writer); err == nil || !strings.Contains(err.Error(), "upgrade global replicas first") {
				t.Errorf("the writer before the others: %v", err)
			}
			for _, region := range []string{c.other, c.writer} {
				if err := upgrade(region); err != nil {
					t.Fatal(err)
				}
			}
			if c.version != "15" {
				stack = engine(t, stack, next, us)
			}
			rig.Run(t, store, sim.Refresh, stack, sim.Options{})
			quiet(t, "upgraded", store, stack)
			allRun(t, "upgraded", store, stack, next, 2)
			for urn, id := range ids(t, store, stack) {
				if kept[urn] != id {
					t.Errorf("%s was %s, and is %s", urn, kept[urn], id)
				}
			}
			world(t, store, stack, releases("15.41"))
			stack = setAWS(t, stack, map[string]any{"regions": []any{us, west}})
			safe(t, "a third region", rig.Run(t, store, sim.Up, stack, sim.Options{}))
			quiet(t, "a third region", store, stack)
			allRun(t, "a third region", store, stack, next, 3)
		})
	}
}

// Whoever changes the version in the configuration first is told by AWS what to do first, and loses nothing.
func TestUpgradingTheGlobalDatabaseByDeploymentIsRefused(t *testing.T) {
	us := awsRegion(second, 1, nil)
	store := rig.NewStore(t)
	stack := engine(t, phase4(t, us), "15.12", us)
	rig.Run(t, store, sim.Up, stack, sim.Options{})
	r, err := rig.Try(store, sim.Up, engine(t, stack, "15.13", us), sim.Options{})
	if text := strings.Join(r.Errors, "\n"); err == nil || !strings.Contains(text, "upgrade global replicas first") {
		t.Errorf("want a refusal, got %v\n%s", err, text)
	}
	safe(t, "refused", r)
	rig.Run(t, store, sim.Up, stack, sim.Options{})
	quiet(t, "as it was", store, stack)
	allRun(t, "as it was", store, stack, "15.12", 2)
}
