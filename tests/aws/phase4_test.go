package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	awscloud "github.com/morphee-app/morphee-infra/internal/sim/clouds/aws"
	"github.com/morphee-app/morphee-infra/internal/stateful"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

const (
	first  = "eu-west-1"
	second = "us-east-1"
	third  = "us-west-2"
)

// setAWS returns the stack with keys of morphee:aws changed; nil takes one away.
func setAWS(t testing.TB, stack sim.Stack, changes map[string]any) sim.Stack {
	t.Helper()
	tree := map[string]any{}
	if err := json.Unmarshal([]byte(stack.Config["morphee:aws"]), &tree); err != nil {
		t.Fatal(err)
	}
	for k, v := range changes {
		tree[k] = v
		if v == nil {
			delete(tree, k)
		}
	}
	text, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return rig.With(stack, "morphee:aws", string(text))
}

func awsRegion(name string, index int, extra map[string]any) map[string]any {
	out := map[string]any{"name": name, "index": index}
	for k, v := range extra {
		out[k] = v
	}
	return out
}

// phase4 is the stack of the example with these regions, under the name of the example of phase 3.
func phase4(t testing.TB, regions ...any) sim.Stack {
	t.Helper()
	stack := rig.Load(t, rig.Shipped(t)["phase4"]).Stack
	stack.Name = "grow"
	return setAWS(t, stack, map[string]any{"regions": regions})
}

// safe fails when a change replaces or deletes something stateful. allowed names exceptions.
func safe(t *testing.T, step string, r *sim.Result, allowed ...string) {
	t.Helper()
	for _, c := range r.Resources {
		if (c.Op == "replace" || c.Op == "delete") && stateful.Is(c.Type) && !slices.ContainsFunc(allowed, func(a string) bool { return strings.HasPrefix(c.Name, a) }) {
			t.Errorf("%s: %s %s %s because of %v", step, c.Op, c.Type, c.Name, c.Replaces)
		}
	}
}

func settled(t *testing.T, step string, store sim.Store, stack sim.Stack) {
	t.Helper()
	for _, op := range []sim.Operation{sim.Preview, sim.Refresh, sim.Preview} {
		if r := rig.Run(t, store, op, stack, sim.Options{}); r.Changes.Any() {
			t.Errorf("%s: not settled, %s changes:%s", step, op, rig.Describe(r.Resources))
		}
	}
}

// judged is an up or a preview as `infra sim` runs it: what is planned keeps to the policies, and what is
// there after.
func judged(t *testing.T, step string, store sim.Store, op sim.Operation, stack sim.Stack) *sim.Result {
	t.Helper()
	r, err := rig.Judged(t, store, op, stack)
	if err != nil {
		t.Fatalf("%s: %s: %v", step, op, err)
	}
	return r
}

// ids are what the stateful resources are in the cloud, by URN without the stack.
func ids(t *testing.T, store sim.Store, stack sim.Stack) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, r := range rig.Resources(t, store, stack) {
		if stateful.Is(r.Type) {
			out[r.URN] = r.ID
		}
	}
	return out
}

// From one region to two, to three, back to two and to three again: nothing of the first region that
// holds anything is touched, and a region only goes after somebody said so.
func TestPhase3GrowsIntoPhase4(t *testing.T) {
	three := rig.Load(t, rig.Shipped(t)["phase3-aurora"]).Stack
	three.Name = "grow"
	store := rig.NewStore(t)
	rig.Run(t, store, sim.Up, three, sim.Options{})
	before := ids(t, store, three)
	us, west := awsRegion(second, 1, nil), awsRegion(third, 2, nil)
	retiring := awsRegion(third, 2, map[string]any{"state": "retiring"})
	retired := awsRegion(third, 2, map[string]any{"state": "retired"})
	for _, step := range []struct {
		name  string
		stack sim.Stack
		fails string
		gone  string // prefix of what may go
	}{
		{"two regions", phase4(t, us), "", ""},
		{"three regions", phase4(t, us, west), "", ""},
		{"the third taken away unasked", phase4(t, us), "protected", ""},
		{"the third retiring", phase4(t, us, retiring), "", ""},
		{"two again", phase4(t, us, retired), "", "aws-usw2-"},
		{"three again", phase4(t, us, west), "", ""},
	} {
		r, err := rig.Try(store, sim.Up, step.stack, sim.Options{})
		if step.fails != "" {
			if text := strings.Join(r.Errors, "\n"); err == nil || !strings.Contains(text, step.fails) {
				t.Fatalf("%s: want a refusal with %q, got %v\n%s", step.name, step.fails, err, text)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v\n%s", step.name, err, strings.Join(r.Errors, "\n"))
		}
		if step.gone != "" {
			safe(t, step.name, r, step.gone)
		} else {
			safe(t, step.name, r)
		}
		settled(t, step.name, store, step.stack)
	}
	after := ids(t, store, three)
	for urn, id := range before {
		if after[urn] != id {
			t.Errorf("%s was %s, and is %q", urn, id, after[urn])
		}
	}
}

// A network of one region overlaps none of another.
func TestRegionsDoNotOverlap(t *testing.T) {
	store := rig.NewStore(t)
	stack := rig.Load(t, rig.Shipped(t)["phase4-three-regions"]).Stack
	rig.Run(t, store, sim.Up, stack, sim.Options{})
	seen := map[string]string{}
	for _, r := range rig.Resources(t, store, stack) {
		if r.Type != "aws:ec2/vpc:Vpc" {
			continue
		}
		block := fmt.Sprint(r.Inputs["cidrBlock"])
		if !strings.HasSuffix(block, ".0.0/16") || seen[block] != "" {
			t.Errorf("%s has %s, which is %s's too", r.Name, block, seen[block])
		}
		seen[block] = r.Name
	}
	if len(seen) != 3 {
		t.Errorf("networks: %v", seen)
	}
}

// Every AWS resource has an explicit provider, and the one of its region: what is named after a
// region is there, and nothing refers to what only another region has.
func TestEveryResourceIsInItsRegion(t *testing.T) {
	store := rig.NewStore(t)
	stack := rig.Load(t, rig.Shipped(t)["phase4-three-regions"]).Stack
	rig.Run(t, store, sim.Up, stack, sim.Options{})
	regions := map[string]string{} // by provider
	list := rig.Resources(t, store, stack)
	for _, r := range list {
		if r.Type == "pulumi:providers:aws" {
			if strings.HasPrefix(r.Name, "default") {
				t.Errorf("there is a default provider: %s", r.URN)
			}
			regions[r.URN] = fmt.Sprint(r.Inputs["region"])
		}
	}
	if len(regions) != 5 { // three, us-east-1 for what is global, and R2
		t.Errorf("providers: %v", regions)
	}
	count := map[string]int{}
	for _, r := range list {
		if !strings.HasPrefix(r.Type, "aws:") {
			continue
		}
		provider, _, _ := cutLast(r.Provider, "::")
		region, ok := regions[provider]
		if !ok {
			t.Errorf("%s has the provider %q", r.URN, r.Provider)
		}
		count[region]++
		want := first
		switch {
		case strings.HasPrefix(r.Name, "aws-use1-"):
			want = second
		case strings.HasPrefix(r.Name, "aws-usw2-"):
			want = third
		case strings.Contains(r.Name, "global-keys"), strings.Contains(r.Name, "alarms-global"), strings.HasPrefix(r.Name, "aws-alarms-reach-"), r.Name == "aws-alarms-site-errors", strings.HasPrefix(r.Name, "aws-site-certificate"), strings.HasPrefix(r.Name, "backups-"):
			continue // CloudFront's, billing's and R2's
		}
		if strings.HasSuffix(r.Name, "-files-replication") {
			want = first // where the source is
		}
		if region != want {
			t.Errorf("%s is in %s, want %s", r.URN, region, want)
		}
		strangers(t, r, region)
	}
	if count[first] < 200 || count[second] < 150 || count[third] < 150 {
		t.Errorf("resources by region: %v", count)
	}
}

// strangers fails for ARNs of other regions among the inputs of what only knows its own.
func strangers(t *testing.T, r deployment.Resource, region string) {
	t.Helper()
	switch r.Type {
	case "aws:cloudfront/distribution:Distribution", "aws:kms/replicaKey:ReplicaKey", "aws:rds/cluster:Cluster", "aws:efs/replicationConfiguration:ReplicationConfiguration",
		"aws:secretsmanager/secret:Secret", "aws:iam/rolePolicy:RolePolicy", "aws:ecr/replicationConfiguration:ReplicationConfiguration":
		return // these are what ties regions together
	}
	text, err := json.Marshal(r.Inputs)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{first, second, third} {
		if i := strings.Index(string(text), ":"+other+":123456789012:"); other != region && i >= 0 {
			t.Errorf("%s in %s refers to %s", r.URN, region, string(text)[max(0, i-30):i+60])
		}
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// The runbook, step by step, there and back: the writer moves, nothing that holds data does, and no policy
// refuses any of it.
func TestSwitchingTheWritePrimary(t *testing.T) {
	ctx := context.Background()
	store := rig.NewStore(t)
	us := awsRegion(second, 1, nil)
	stack := phase4(t, us)
	judged(t, "before", store, sim.Up, stack)
	kept := ids(t, store, stack)
	step := func(name string, changes map[string]any) *sim.Result {
		t.Helper()
		stack = setAWS(t, stack, changes)
		r := judged(t, name, store, sim.Up, stack)
		safe(t, name, r)
		settled(t, name, store, stack)
		return r
	}
	writers := func(want string) {
		t.Helper()
		for _, r := range rig.Resources(t, store, stack) {
			if r.Type != "aws:ecs/service:Service" || !strings.Contains(r.Name, "forgejo") {
				continue
			}
			tasks, region := fmt.Sprint(r.Inputs["desiredCount"]), first
			if strings.HasPrefix(r.Name, "aws-use1-") {
				region = second
			}
			if (tasks == "1") != (region == want) {
				t.Errorf("the git server runs %s tasks in %s while %s writes", tasks, region, want)
			}
		}
	}
	host := func() string { return fmt.Sprint(output(t, store, stack, "databaseHost")) }
	switchover := func(to string) {
		t.Helper()
		if err := store.Change(ctx, stack.Name, func(w *cloud.World) error { return awscloud.Switchover(w, to) }); err != nil {
			t.Fatal(err)
		}
		// AWS moved it without telling anybody: neither the state nor a refresh may make a change of it.
		if r := judged(t, "switchover", store, sim.Preview, stack); r.Changes.Any() {
			t.Errorf("after the switchover to %s the preview changes:%s", to, rig.Describe(r.Resources))
		}
		if r := rig.Run(t, store, sim.Refresh, stack, sim.Options{}); r.Changes.Replace+r.Changes.Delete > 0 {
			t.Errorf("after the switchover to %s the refresh changes:%s", to, rig.Describe(r.Resources))
		}
		if r := judged(t, "switchover and refresh", store, sim.Preview, stack); r.Changes.Any() {
			t.Errorf("after the switchover to %s and a refresh the preview changes:%s", to, rig.Describe(r.Resources))
		}
	}
	writers(first)
	home := host()

	// There.
	copied := fmt.Sprint(output(t, store, stack, "replicaFileSystemId"))
	step("freeze", map[string]any{"freezeWrites": true})
	writers("nowhere")
	step("promote the files", map[string]any{"regions": []any{awsRegion(second, 1, map[string]any{"fileSystemId": copied})}})
	switchover(second)
	r := step("let the second region write", map[string]any{"writePrimary": second, "freezeWrites": false})
	writers(second)
	if moved := host(); moved == home || !strings.Contains(moved, second) || strings.Contains(moved, "-ro-") {
		t.Errorf("the database to write to is %s, and was %s", moved, home)
	}
	created(t, r, "aws-files-replica-replication")

	// And back.
	back := fmt.Sprint(output(t, store, stack, "replicaFileSystemId"))
	if back == copied {
		t.Fatalf("the replica is still %s", back)
	}
	step("freeze again", map[string]any{"freezeWrites": true})
	step("promote the first region's files", map[string]any{"fileSystemId": back})
	switchover(first)
	r = step("let the first region write again", map[string]any{"writePrimary": first, "freezeWrites": false, "regions": []any{us}})
	writers(first)
	if host() != home {
		t.Errorf("the database to write to is %s, and was %s", host(), home)
	}
	created(t, r, "aws-use1-files-replication")

	now := ids(t, store, stack)
	for urn, id := range kept {
		if now[urn] != id {
			t.Errorf("%s was %s, and is %q", urn, id, now[urn])
		}
	}
}

// Sign-in that scales by itself stops at every freeze, not only at the first: AWS starts its tasks when the
// freeze is over, and no state knows of it until somebody refreshes.
func TestEveryFreezeStopsWhatScales(t *testing.T) {
	store := rig.NewStore(t)
	stack := setAWS(t, phase4(t, awsRegion(second, 1, nil)), map[string]any{
		"gotrue": map[string]any{"tasks": 2, "autoscaling": map[string]any{"enabled": true, "maxTasks": 4}},
	})
	runs := func(step string, want int) {
		t.Helper()
		stack = setAWS(t, stack, map[string]any{"freezeWrites": want == 0})
		r := judged(t, step, store, sim.Up, stack)
		safe(t, step, r)
		look(t, store, stack, func(w *cloud.World) {
			for region, want := range map[string]int{first: want, second: 0} {
				for _, s := range w.All(region, "aws:ecs/service:Service") {
					if got := s.Out.Int("desiredCount"); strings.Contains(s.URN, "gotrue") && got != want {
						t.Errorf("%s: sign-in runs %d tasks in %s, want %d", step, got, region, want)
					}
				}
			}
		})
		if r := judged(t, step, store, sim.Preview, stack); r.Changes.Any() {
			t.Errorf("%s: not settled:%s", step, rig.Describe(r.Resources))
		}
	}
	runs("at first", 2)
	runs("freeze", 0)
	runs("go on", 2)
	runs("freeze again", 0)
	runs("go on again", 2)
	// The same with a state that was told.
	rig.Run(t, store, sim.Refresh, stack, sim.Options{})
	runs("after a refresh", 2)
	runs("freeze after a refresh", 0)
}

// look reads the simulated clouds.
func look(t *testing.T, store sim.Store, stack sim.Stack, read func(*cloud.World)) {
	t.Helper()
	if err := store.Change(context.Background(), stack.Name, func(w *cloud.World) error { read(w); return nil }); err != nil {
		t.Fatal(err)
	}
}

func created(t *testing.T, r *sim.Result, name string) {
	t.Helper()
	if !slices.ContainsFunc(r.Resources, func(c sim.ResourceChange) bool { return c.Name == name && c.Op == "create" }) {
		t.Errorf("%s was not created", name)
	}
}

func output(t *testing.T, store sim.Store, stack sim.Stack, name string) any {
	t.Helper()
	for _, r := range rig.Resources(t, store, stack) {
		if r.Type == "pulumi:pulumi:Stack" {
			if v, ok := r.Outputs[name]; ok {
				return v
			}
		}
	}
	t.Fatalf("there is no output %s", name)
	return nil
}

// Without the freeze and the promotion, the configuration is refused before anything happens.
func TestTheWritePrimaryNeedsItsFiles(t *testing.T) {
	store := rig.NewStore(t)
	stack := phase4(t, awsRegion(second, 1, nil))
	rig.Run(t, store, sim.Up, stack, sim.Options{})
	_, err := rig.Try(store, sim.Up, setAWS(t, stack, map[string]any{"writePrimary": second}), sim.Options{})
	if err == nil {
		t.Error("the write primary moved to a region whose files are read only")
	}
	if err := store.Change(context.Background(), stack.Name, func(w *cloud.World) error { return awscloud.Switchover(w, third) }); err == nil || !strings.Contains(err.Error(), "no DB cluster in region") {
		t.Errorf("switching to a region that is not there: %v", err)
	}
}
