package phases

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/config"
	"github.com/morphee-app/morphee-infra/internal/recorder"
)

// movingConfig is both platforms, at a step of the move.
func movingConfig(t *testing.T, migration map[string]any) config.Config {
	t.Helper()
	tree := map[string]any{"from": 2, "names": "weighted"}
	maps.Copy(tree, migration)
	if writes, _ := tree["writes"].(string); strings.HasPrefix(writes, "aws") {
		tree["copy"] = "20261106T021500Z"
	}
	return serverConfig(t, 3, map[string]any{"server": large, "alarms": map[string]any{"emails": []any{"ops@morphee.app"}}, "migration": tree})
}

func recordMoving(t *testing.T, c config.Config) ([]recorder.Resource, pulumi.Map) {
	t.Helper()
	return recordPhase(t, Moving, c)
}

func tasksOf(list []recorder.Resource) map[string]float64 {
	out := map[string]float64{}
	for _, r := range list {
		if r.Type == "aws:ecs/service:Service" {
			out[r.Name] = r.Inputs["desiredCount"].NumberValue()
		}
	}
	return out
}

func containers(list []recorder.Resource) []string {
	var out []string
	for _, r := range list {
		if r.Type == "docker:index/container:Container" && !strings.Contains(r.Name, "-files") {
			out = append(out, r.Inputs["name"].StringValue())
		}
	}
	slices.Sort(out)
	return out
}

func TestMovingFollowsTheData(t *testing.T) {
	serves := []string{"backend", "backend-2", "forgejo", "gotrue"}
	for _, c := range []struct {
		writes string
		here   bool // the services are on the server
		relay  string
		tasks  bool // and on AWS
		export bool
	}{
		{"server", true, "", true, false},
		{"server-frozen", true, "relay-freeze", false, false},
		{"aws-frozen", false, "relay-forward", true, true},
		{"aws", false, "relay-forward", true, true},
	} {
		t.Run(c.writes, func(t *testing.T) {
			list, _ := recordMoving(t, movingConfig(t, map[string]any{"writes": c.writes}))
			if orphans := recorder.Orphans(list); len(orphans) > 0 {
				t.Errorf("orphans: %v", orphans)
			}
			have := containers(list)
			for _, name := range serves {
				if slices.Contains(have, name) != c.here {
					t.Errorf("container %s: want %v, there are %v", name, c.here, have)
				}
			}
			for _, name := range []string{"relay-freeze", "relay-forward"} {
				if slices.Contains(have, name) != (name == c.relay) {
					t.Errorf("want the relay %q, there are %v", c.relay, have)
				}
			}
			for _, name := range []string{"postgres", "frontend", "backup", "traefik"} {
				if !slices.Contains(have, name) {
					t.Errorf("%s is gone: %v", name, have)
				}
			}
			for name, n := range tasksOf(list) {
				if n > 0 != c.tasks {
					t.Errorf("%s runs %v tasks", name, n)
				}
			}
			for _, r := range list {
				if r.Type == "aws:scheduler/schedule:Schedule" && (r.Inputs["state"] != resource.NewStringProperty("DISABLED")) != c.export {
					t.Errorf("%s is %v", r.Name, r.Inputs["state"])
				}
				for k, v := range r.Inputs {
					if strings.Contains(recorder.PlainText(v), "CANARY") {
						t.Errorf("%s %s: %s holds a secret in plain", r.Type, r.Name, k)
					}
				}
			}
		})
	}
}

// Wherever the public names lead, they are the same records.
func TestMovingKeepsTheNames(t *testing.T) {
	content := func(names string, weight int) (map[string]string, map[string]float64) {
		writes := "server"
		if weight > 0 {
			writes = "aws"
		}
		list, _ := recordMoving(t, movingConfig(t, map[string]any{"names": names, "writes": writes, "awsWeight": weight}))
		cnames, weights := map[string]string{}, map[string]float64{}
		for _, r := range list {
			switch {
			case strings.HasPrefix(r.Name, "names-"):
				cnames[r.Name] = r.Inputs["content"].StringValue()
			case r.Type == "aws:route53/record:Record" && r.Inputs["weightedRoutingPolicies"].IsArray() && !r.Inputs["name"].IsNull():
				policy := r.Inputs["weightedRoutingPolicies"].ArrayValue()[0].ObjectValue()
				key := fmt.Sprintf("%s %s %s", r.Inputs["name"].StringValue(), r.Inputs["type"].StringValue(), r.Inputs["setIdentifier"].StringValue())
				weights[key] = policy["weight"].NumberValue()
			}
		}
		return cnames, weights
	}
	direct, _ := content("server", 0)
	weighted, weights := content("weighted", 50)
	if len(direct) != 4 || !slices.Equal(slices.Sorted(maps.Keys(direct)), slices.Sorted(maps.Keys(weighted))) {
		t.Fatalf("%v, then %v", direct, weighted)
	}
	for name, to := range direct {
		if to != "vps.morphee.app" || weighted[name] != strings.TrimSuffix(strings.TrimPrefix(name, "names-"), "-morphee-app")+".aws.morphee.app" {
			t.Errorf("%s leads to %s, then to %s", name, to, weighted[name])
		}
	}
	for _, label := range []string{"app", "api", "auth", "git"} {
		for _, id := range []string{"vps", "aws"} {
			key := label + ".aws.morphee.app A " + id
			if weights[key] != 50 {
				t.Errorf("%s has weight %v; all: %v", key, weights[key], weights)
			}
		}
	}
}

// What cannot be looked into is closed while nothing may be written: git over SSH.
func TestMovingClosesSSHWhileFrozen(t *testing.T) {
	open := func(writes, names string, trial bool) (server, balancer bool) {
		c := movingConfig(t, map[string]any{"writes": writes, "names": names, "trial": trial})
		c.Forgejo.SSHPort, c.AWS.Forgejo.SSHLoadBalancer, c.AWS.Forgejo.SSHAllowedSources = 222, true, []string{"198.51.100.0/24"}
		list, _ := recordMoving(t, c)
		for _, r := range list {
			if r.Type == "hcloud:index/firewall:Firewall" && strings.Contains(fmt.Sprint(r.Inputs["rules"]), "{222}") {
				server = true
			}
			balancer = balancer || strings.HasPrefix(r.Name, "aws-alb-ssh-sg-in-")
		}
		return server, balancer
	}
	for _, c := range []struct {
		writes, names           string
		trial, server, balancer bool
	}{
		{"server", "server", true, true, true}, {"server", "server", false, true, false}, {"server", "weighted", false, true, false},
		{"server-frozen", "weighted", false, false, false}, {"aws-frozen", "weighted", false, false, false}, {"aws", "weighted", false, false, true},
	} {
		if server, balancer := open(c.writes, c.names, c.trial); server != c.server || balancer != c.balancer {
			t.Errorf("%s, names %s: open on the server %v, on AWS %v", c.writes, c.names, server, balancer)
		}
	}
}

// AWS takes what is written only where its data counts, or where somebody tries it out before anybody was
// sent there; and only where its data counts do its webhooks reach anybody.
func TestMovingKeepsCopiesQuiet(t *testing.T) {
	for _, c := range []struct {
		writes, names              string
		trial, refuses, callsOut   bool
		forgejoWaitsForTheRefusals bool
	}{
		{"server", "server", true, false, false, false}, {"server", "server", false, true, false, false}, {"server", "weighted", false, true, false, false},
		{"server-frozen", "server", false, true, false, false}, {"server-frozen", "weighted", false, true, false, false},
		{"aws", "server", false, false, true, false}, {"aws", "weighted", false, false, true, false}, {"aws-frozen", "weighted", false, true, false, true},
	} {
		list, outputs := recordMoving(t, movingConfig(t, map[string]any{"writes": c.writes, "names": c.names, "trial": c.trial}))
		refuses, callsOut, tasks, waits := false, false, 0, false
		for _, r := range list {
			refuses = refuses || strings.HasPrefix(r.Name, "aws-alb-frozen-")
			if r.Type == "aws:ecs/taskDefinition:TaskDefinition" && strings.HasPrefix(r.Name, "aws-forgejo-") {
				tasks++
				text := fmt.Sprint(r.Inputs["containerDefinitions"])
				callsOut = strings.Contains(text, "external,backend.morphee.internal")
				if !strings.Contains(text, "backend.morphee.internal") {
					t.Errorf("%+v: the webhooks do not reach the backend beside it: %s", c, text)
				}
			}
			if r.Type == "aws:ecs/service:Service" && strings.HasPrefix(r.Name, "aws-forgejo-") {
				waits = strings.Contains(fmt.Sprint(r.Dependencies), "aws-alb-frozen-changes")
			}
		}
		if refuses != c.refuses || callsOut != c.callsOut || tasks != 1 || waits != c.forgejoWaitsForTheRefusals {
			t.Errorf("%+v: refuses %v, calls out %v, %d task definitions, waits %v", c, refuses, callsOut, tasks, waits)
		}
		if stamp := outputs["dataCopy"]; (stamp != nil) != strings.HasPrefix(c.writes, "aws") {
			t.Errorf("%+v: the output dataCopy is %v", c, stamp)
		}
	}
}

// The data goes through the backups' bucket, which both platforms reach from their own addresses.
func TestMovingBringsTheDataOver(t *testing.T) {
	c := movingConfig(t, nil)
	c.AWS.Database.Name = "product"
	list, outputs := recordMoving(t, c)
	for _, name := range []string{"importCommand", "exportCommand"} {
		if outputs[name] == nil {
			t.Errorf("there is no output %s", name)
		}
	}
	buckets, told, from := 0, false, ""
	for _, r := range list {
		if r.Type == "aws:ecs/taskDefinition:TaskDefinition" && strings.Contains(r.Name, "import") {
			told = strings.Contains(fmt.Sprint(r.Inputs["containerDefinitions"]), "morphee=product")
		}
		if r.Type == "cloudflare:index/r2Bucket:R2Bucket" && strings.HasPrefix(r.Name, "backups") {
			buckets++
		}
		if r.Type == "cloudflare:index/apiToken:ApiToken" && r.Name == "backups-uploader" {
			from = fmt.Sprint(r.Inputs["condition"])
		}
	}
	if strings.Count(from, "/32") != 2 {
		t.Errorf("the bucket's key works from %s, want the server and the NAT", from)
	}
	if !told {
		t.Error("the import does not know what the database is called")
	}
	if buckets != 1 {
		t.Errorf("%d buckets of backups", buckets)
	}
}
