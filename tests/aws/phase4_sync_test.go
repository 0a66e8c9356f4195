package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	awscloud "github.com/morphee-app/morphee-infra/internal/sim/clouds/aws"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

const (
	syncTaskType = "aws:datasync/task:Task"
	storeType    = "aws:efs/fileSystem:FileSystem"
)

// syncStack is the example with DataSync, under the name of the example of phase 3.
func syncStack(t *testing.T) sim.Stack {
	t.Helper()
	stack := rig.Load(t, rig.Shipped(t)["phase4-datasync"]).Stack
	stack.Name = "grow"
	return stack
}

func named(t *testing.T, store sim.Store, stack sim.Stack, typ, name string) *deployment.Resource {
	t.Helper()
	list := rig.Resources(t, store, stack)
	i := slices.IndexFunc(list, func(r deployment.Resource) bool { return r.Type == typ && r.Name == name })
	if i < 0 {
		return nil
	}
	return &list[i]
}

// direction is where the task copies from and to, and when.
func direction(t *testing.T, store sim.Store, stack sim.Stack) string {
	t.Helper()
	task := named(t, store, stack, syncTaskType, "aws-file-sync-task")
	if task == nil {
		t.Fatal("there is no task")
	}
	at := func(property string) string {
		for region, name := range map[string]string{first: "aws-file-location-location", second: "aws-use1-file-location-location"} {
			if l := named(t, store, stack, "aws:datasync/efsLocation:EfsLocation", name); l != nil && l.ID == task.Inputs[property] {
				return region
			}
		}
		return fmt.Sprint(task.Inputs[property])
	}
	when := "when started"
	if s, ok := task.Inputs["schedule"].(map[string]any); ok {
		when = fmt.Sprint(s["scheduleExpression"])
	}
	return at("sourceLocationArn") + " to " + at("destinationLocationArn") + ", " + when
}

// With DataSync, the write primary moves there and back with the same two file systems: what turns is
// the task, before anything writes where it would write over.
func TestSwitchingTheWritePrimaryWithDataSync(t *testing.T) {
	store := rig.NewStore(t)
	stack := syncStack(t)
	rig.Run(t, store, sim.Up, func() sim.Stack {
		three := rig.Load(t, rig.Shipped(t)["phase3-aurora"]).Stack
		three.Name = "grow"
		return three
	}(), sim.Options{})
	step := func(name, want string, changes map[string]any) *sim.Result {
		t.Helper()
		stack = setAWS(t, stack, changes)
		r, err := rig.Judged(t, store, sim.Up, stack)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, strings.Join(r.Errors, "\n"))
		}
		safe(t, name, r)
		if name != "freeze again" {
			settled(t, name, store, stack)
		}
		if got := direction(t, store, stack); got != want {
			t.Errorf("%s: the files go from %s, want from %s", name, got, want)
		}
		return r
	}
	switchover := func(to string) {
		t.Helper()
		if err := store.Change(context.Background(), stack.Name, func(w *cloud.World) error { return awscloud.Switchover(w, to) }); err != nil {
			t.Fatal(err)
		}
		rig.Run(t, store, sim.Refresh, stack, sim.Options{})
	}
	there, back := first+" to "+second+", ", second+" to "+first+", "

	step("grow", there+"rate(2 hours)", nil)
	kept := ids(t, store, stack)
	copied := named(t, store, stack, storeType, "aws-use1-files-files")
	if copied == nil || !copied.Protect {
		t.Fatal("the second region has no protected file system of its own")
	}
	if got := output(t, store, stack, "replicaFileSystemId"); got != copied.ID {
		t.Errorf("the copy is %s, and the output says %v", copied.ID, got)
	}
	leap := setAWS(t, stack, map[string]any{"writePrimary": second})
	if _, err := rig.Judged(t, store, sim.Up, leap); err == nil || !strings.Contains(err.Error(), "freezeWrites first") {
		t.Errorf("the write primary moves without the freeze and the last run: %v", err)
	}
	step("freeze", there+"when started", map[string]any{"freezeWrites": true})
	switchover(second)
	turned := step("let the second region write", back+"rate(2 hours)", map[string]any{"writePrimary": second, "freezeWrites": false})
	if got := output(t, store, stack, "fileSystemId"); got != copied.ID {
		t.Errorf("%v is written to, want %s", got, copied.ID)
	}
	turnsBeforeItIsWrittenTo(t, store, stack, turned)
	step("freeze again", back+"when started", map[string]any{"freezeWrites": true})
	switchover(first)
	step("let the first region write again", there+"rate(2 hours)", map[string]any{"writePrimary": first, "freezeWrites": false})
	step("less often", there+"rate(12 hours)", map[string]any{"fileSyncHours": 12})

	now := ids(t, store, stack)
	for urn, id := range kept {
		if now[urn] != id {
			t.Errorf("%s was %s, and is %q", urn, id, now[urn])
		}
	}
	if len(now) != len(kept) {
		t.Errorf("%d stateful resources were there, and %d are", len(kept), len(now))
	}
}

// turnsBeforeItIsWrittenTo checks that whatever mounts the files waits for the task: by then the one
// of the other direction is gone.
func turnsBeforeItIsWrittenTo(t *testing.T, store sim.Store, stack sim.Stack, r *sim.Result) {
	t.Helper()
	if !slices.ContainsFunc(r.Resources, func(c sim.ResourceChange) bool { return c.Name == "aws-file-sync-task" && c.Op == "replace" }) {
		t.Error("the task was not replaced")
	}
	task := named(t, store, stack, syncTaskType, "aws-file-sync-task")
	for _, name := range []string{"aws-use1-forgejo-service-service", "aws-use1-backend-service", "aws-forgejo-service-service", "aws-backend-service"} {
		service := named(t, store, stack, "aws:ecs/service:Service", name)
		if service == nil || !slices.Contains(service.Dependencies, task.URN) {
			t.Errorf("%s does not wait for the task", name)
		}
	}
}

// A living stack may go from EFS's replication to DataSync: the copy of before stays in the account.
// It may not go back, and the copy may not move, while the copy is protected.
func TestFromReplicationToDataSync(t *testing.T) {
	store := rig.NewStore(t)
	stack := phase4(t, awsRegion(second, 1, nil))
	rig.Run(t, store, sim.Up, stack, sim.Options{})
	kept := ids(t, store, stack)
	copied := fmt.Sprint(output(t, store, stack, "replicaFileSystemId"))

	synced := setAWS(t, stack, map[string]any{"fileReplication": "datasync"})
	r, err := rig.Judged(t, store, sim.Up, synced)
	if err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(r.Errors, "\n"))
	}
	safe(t, "to DataSync", r)
	settled(t, "to DataSync", store, synced)
	now := ids(t, store, synced)
	for urn, id := range kept {
		if now[urn] != id {
			t.Errorf("%s was %s, and is %q", urn, id, now[urn])
		}
	}
	if world := fmt.Sprint(rig.World(t, store, synced)); !strings.Contains(world, copied) {
		t.Errorf("the copy %s is gone from the account", copied)
	}
	if got := output(t, store, synced, "replicaFileSystemId"); got == copied {
		t.Errorf("DataSync writes to %s, which EFS's replication made", got)
	}

	us, west := awsRegion(second, 1, nil), awsRegion(third, 2, nil)
	for what, change := range map[string]map[string]any{
		"back to EFS":             {"fileReplication": "efs"},
		"the copy somewhere else": {"fileReplication": "datasync", "regions": []any{us, west}, "fileReplica": third},
	} {
		r, err := rig.Judged(t, store, sim.Up, setAWS(t, stack, change))
		if text := strings.Join(r.Errors, "\n") + fmt.Sprint(err); err == nil || !strings.Contains(text, "aws-use1-files-files") {
			t.Errorf("%s: want a refusal that names the copy, got %v\n%s", what, err, text)
		}
		if named(t, store, synced, storeType, "aws-use1-files-files") == nil {
			t.Fatalf("%s: the copy is gone", what)
		}
	}
}
