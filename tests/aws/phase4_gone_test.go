package aws

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	awscloud "github.com/morphee-app/morphee-infra/internal/sim/clouds/aws"
	"github.com/morphee-app/morphee-infra/internal/testtools"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// When the region that writes is gone, the runbook brings up the other by hand. What it changes there is what
// a deployment changes; and when the region is back, one deployment makes the whole of it as it is after a
// switch, whatever was done by hand.
func TestWhenTheWritePrimaryIsGone(t *testing.T) {
	store := rig.NewStore(t)
	stack := phase4(t, awsRegion(second, 1, nil))
	judged(t, "before", store, sim.Up, stack)
	kept := ids(t, store, stack)
	copied := fmt.Sprint(output(t, store, stack, "replicaFileSystemId"))

	// By hand.
	var byHand taskDefinition
	var moved struct {
		Changes []struct {
			Action            string
			ResourceRecordSet recordSet
		}
	}
	look(t, store, stack, func(w *cloud.World) {
		jq(t, "before.json", backendIn(w, second), &byHand)
		for _, lb := range w.All(second, "aws:lb/loadBalancer:LoadBalancer") {
			if strings.HasPrefix(lb.Out.String("name"), "aws-use1-alb") && lb.Out.String("loadBalancerType") == "application" {
				jq(t, "records.json", map[string]any{"ResourceRecordSets": aliases(w)}, &moved, "--arg", "alb", lb.Out.String("dnsName"), "--arg", "zone", lb.Out.String("zoneId"))
			}
		}
	})
	if byHand.Revision != 0 || byHand.Family == "" {
		t.Errorf("AWS would not register %+v", byHand)
	}
	if err := store.Change(context.Background(), stack.Name, func(w *cloud.World) error { return awscloud.Switchover(w, second) }); err != nil {
		t.Fatal(err)
	}
	var drifts []sim.Drift
	for _, text := range []string{
		"aws:efs/replicationConfiguration:ReplicationConfiguration::aws-use1-files-replication:delete",
		"aws:ecs/service:Service::aws-use1-gotrue-service:desiredCount=1",
		"aws:ecs/service:Service::aws-use1-forgejo-service-service:desiredCount=1",
	} {
		drift, err := sim.ParseDrift(text)
		if err != nil {
			t.Fatal(err)
		}
		drifts = append(drifts, drift)
	}

	// It is back.
	rig.Run(t, store, sim.Refresh, stack, sim.Options{Drift: drifts})
	stack = setAWS(t, stack, map[string]any{"writePrimary": second, "regions": []any{awsRegion(second, 1, map[string]any{"fileSystemId": copied})}})
	r := judged(t, "it is back", store, sim.Up, stack)
	safe(t, "it is back", r)
	settled(t, "it is back", store, stack)
	created(t, r, "aws-files-replica-replication")
	now := ids(t, store, stack)
	for urn, id := range kept {
		if now[urn] != id {
			t.Errorf("%s was %s, and is %q", urn, id, now[urn])
		}
	}
	look(t, store, stack, func(w *cloud.World) {
		want, got := backendIn(w, second).settings(), byHand.settings()
		for _, only := range []string{"FORGEJO_URL", "GOTRUE_URL"} { // the way there inside the region
			delete(want, only)
			delete(got, only)
		}
		if !maps.Equal(want, got) {
			t.Errorf("by hand the backend has\n%v, and after a deployment\n%v", got, want)
		}
		leads := map[string]aliasTarget{}
		for _, a := range aliases(w) {
			if a.AliasTarget != nil {
				leads[a.Name+a.SetIdentifier] = *a.AliasTarget
			}
		}
		if len(moved.Changes) != 3 {
			t.Errorf("%d names are moved by hand, want auth, git and api-primary", len(moved.Changes))
		}
		for _, c := range moved.Changes {
			if a := c.ResourceRecordSet; c.Action != "UPSERT" || a.SetIdentifier == "" || leads[a.Name+a.SetIdentifier] != *a.AliasTarget {
				t.Errorf("%s of %s leads to %v, and after a deployment to %v", c.Action, a.Name, *a.AliasTarget, leads[a.Name+a.SetIdentifier])
			}
		}
	})
}

// jq runs the program that the runbook has for a file, on that file's content.
func jq(t *testing.T, file string, content, answer any, args ...string) {
	t.Helper()
	path := testtools.Need(t, "jq", "jq")
	runbook, err := os.ReadFile(filepath.Join(rig.Root(t), "ops", "runbooks", "switch-write-primary.md"))
	if err != nil {
		t.Fatal(err)
	}
	program := regexp.MustCompile(`jq [^'\n]*'([^']*)' ` + regexp.QuoteMeta(file)).FindStringSubmatch(string(runbook))
	if program == nil {
		t.Fatalf("the runbook does nothing with %s", file)
	}
	text, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	run := exec.Command(path, append(args, program[1])...)
	run.Stdin = bytes.NewReader(text)
	out, err := run.CombinedOutput()
	if err == nil {
		err = json.Unmarshal(out, answer)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

type taskDefinition struct {
	Family               string      `json:"family"`
	Revision             int         `json:"revision,omitempty"`
	ContainerDefinitions []container `json:"containerDefinitions"`
}

type container struct {
	Name        string     `json:"name"`
	Environment []variable `json:"environment"`
}

type variable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// backendIn is the newest task definition of a region's backend.
func backendIn(w *cloud.World, region string) taskDefinition {
	var newest taskDefinition
	for _, r := range w.All(region, "aws:ecs/taskDefinition:TaskDefinition") {
		one := taskDefinition{Family: r.Out.String("family"), Revision: r.Out.Int("revision")}
		if strings.HasSuffix(one.Family, "-backend") && one.Revision > newest.Revision && json.Unmarshal([]byte(r.Out.String("containerDefinitions")), &one.ContainerDefinitions) == nil {
			newest = one
		}
	}
	return newest
}

// settings are the backend's variables.
func (d taskDefinition) settings() map[string]string {
	out := map[string]string{}
	for _, c := range d.ContainerDefinitions {
		for _, v := range c.Environment {
			if c.Name == "backend" {
				out[v.Name] = v.Value
			}
		}
	}
	return out
}

type recordSet struct {
	Name, Type, SetIdentifier string
	AliasTarget               *aliasTarget
}

type aliasTarget struct {
	DNSName      string
	HostedZoneID string `json:"HostedZoneId"`
}

func aliases(w *cloud.World) []recordSet {
	list := []recordSet{{Name: "auth.example.", Type: "TXT"}}
	for _, r := range w.All("", "aws:route53/record:Record") {
		for _, a := range r.Out.Objects("aliases") {
			list = append(list, recordSet{
				Name: r.Out.String("name") + ".", Type: r.Out.String("type"), SetIdentifier: r.Out.String("setIdentifier"),
				AliasTarget: &aliasTarget{a.String("name"), a.String("zoneId")},
			})
		}
	}
	return list
}
