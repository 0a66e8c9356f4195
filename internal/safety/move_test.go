package safety_test

import (
	"strings"
	"testing"

	pkgresource "github.com/pulumi/pulumi/pkg/v3/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/safety"
	"github.com/morphee-app/morphee-infra/internal/sim"
)

// things are those of a stack that tell how far it is on the move.
var things = map[string]deployment.Resource{
	"server":  {URN: "urn:pulumi:s::p::hcloud:index/server:Server::vps", Type: "hcloud:index/server:Server"},
	"aws":     {URN: "urn:pulumi:s::p::aws:ecs/cluster:Cluster::aws-cluster-cluster", Type: "aws:ecs/cluster:Cluster"},
	"freeze":  {URN: "urn:pulumi:s::p::docker:index/container:Container::relay-freeze-service-container", Type: "docker:index/container:Container"},
	"forward": {URN: "urn:pulumi:s::p::docker:index/container:Container::relay-forward-service-container", Type: "docker:index/container:Container"},
	"refuses": {URN: "urn:pulumi:s::p::aws:lb/listenerRule:ListenerRule::aws-alb-frozen-changes", Type: "aws:lb/listenerRule:ListenerRule"},
	"direct":  name("vps.morphee.app"), "weighted": name("api.aws.morphee.app"),
	"copy-1": copied("20261106T021500Z to aws"), "copy-2": copied("20261106T184000Z to server"), "copy-3": copied("20261108T021500Z to aws"),
}

func name(content string) deployment.Resource {
	return deployment.Resource{URN: "urn:pulumi:s::p::cloudflare:index/record:Record::names-api-morphee-app", Type: "cloudflare:index/record:Record",
		Inputs: map[string]any{"content": content}}
}

func copied(stamp string) deployment.Resource {
	return deployment.Resource{URN: "urn:pulumi:s::p::pulumi:pulumi:Stack::p-s", Type: "pulumi:pulumi:Stack", Outputs: map[string]any{safety.CopyOutput: stamp}}
}

// The files may only be copied the other way when nobody can write to the original any more, which is when
// the task has no schedule.
func TestFilesDoNotTurnWhileTheyAreWrittenTo(t *testing.T) {
	task := func(from, to string, schedule any) safety.Standing {
		inputs := map[string]any{"sourceLocationArn": from, "destinationLocationArn": to}
		if schedule != nil {
			inputs["schedule"] = schedule
		}
		return safety.StandingOf([]deployment.Resource{things["aws"], {URN: "urn:pulumi:s::p::aws:datasync/task:Task::aws-file-sync-task", Type: "aws:datasync/task:Task", Inputs: inputs}})
	}
	hourly := map[string]any{"scheduleExpression": "rate(1 hour)"}
	for what, c := range map[string]struct {
		before, after safety.Standing
		refused       bool
	}{
		"turned at once":           {task("a", "b", hourly), task("b", "a", hourly), true},
		"turned and frozen":        {task("a", "b", hourly), task("b", "a", nil), true},
		"frozen":                   {task("a", "b", hourly), task("a", "b", nil), false},
		"turned after the freeze":  {task("a", "b", nil), task("b", "a", hourly), false},
		"less often":               {task("a", "b", hourly), task("a", "b", map[string]any{"scheduleExpression": "rate(2 hours)"}), false},
		"another location":         {task("a", "b", hourly), task("c", "b", hourly), false},
		"begun":                    {standing("aws"), task("a", "b", hourly), false},
		"not known in the preview": {task("a", "b", hourly), task("", "", hourly), false},
	} {
		err := safety.Leap(c.before, c.after, "")
		if (err != nil) != c.refused || err != nil && !strings.Contains(err.Error(), "freezeWrites first") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func standing(words string) safety.Standing {
	var list []deployment.Resource
	for _, word := range strings.Fields(words) {
		list = append(list, things[word])
	}
	return safety.StandingOf(list)
}

func TestLeaps(t *testing.T) {
	const noFreeze, noCopy, names = "until then", "no copy that was made since", "leads the public names elsewhere"
	for _, c := range []struct{ before, after, stamp, says string }{
		{"", "server forward aws copy-1", "", ""}, // new
		{"server", "server aws", "", ""},
		{"server", "aws", "", noFreeze},
		{"server", "server forward aws copy-1", "", noFreeze},
		{"server aws refuses weighted", "server freeze aws refuses weighted", "", ""},
		{"server aws refuses weighted", "server forward aws copy-1 weighted", "", noFreeze},
		{"server aws refuses weighted", "server forward aws refuses copy-1 weighted", "", noFreeze},
		{"server freeze aws refuses", "server forward aws", "", noCopy},
		{"server freeze aws refuses", "server forward aws copy-1", "", ""},
		{"server freeze aws refuses", "server forward aws", "20261106T021500Z", ""},
		{"server freeze aws refuses copy-2", "server forward aws", "20261106T184000Z", noCopy},
		{"server freeze aws refuses copy-2", "server forward aws copy-3", "", ""},
		// A change that was interrupted goes on, or back: nobody could write in between.
		{"server freeze forward aws refuses", "server forward aws copy-1", "", ""},
		{"server freeze aws refuses copy-1", "server forward aws copy-1", "", ""},
		{"server freeze forward aws refuses copy-1", "server forward aws copy-1", "", ""},
		{"server freeze forward aws refuses copy-1", "server aws refuses", "", ""},
		{"server forward aws refuses copy-2", "server aws refuses copy-2", "", ""},
		{"server forward freeze aws copy-1", "server aws refuses", "", noFreeze},
		{"server forward aws copy-1", "server freeze aws refuses", "", noFreeze},
		{"server forward aws copy-1", "server aws refuses copy-2", "", noFreeze},
		{"server forward aws copy-1", "server aws", "", noFreeze},
		{"server forward aws refuses copy-1", "server aws refuses", "", noCopy},
		{"server forward aws refuses copy-1", "server aws refuses", "20261106T021500Z", noCopy},
		{"server forward aws refuses copy-1", "server aws refuses copy-2", "", ""},
		{"server forward aws copy-1", "aws", "", ""}, // retired
		{"aws", "server forward aws copy-1", "", ""}, // a server beside
		{"aws", "server aws", "", noFreeze},          // its data would count
		{"server aws refuses direct", "server aws direct", "", ""},
		{"server aws refuses weighted", "server aws direct", "", names},
		{"server forward aws refuses copy-1 weighted", "server aws direct copy-2", "", names},
		{"server aws refuses weighted", "server aws refuses direct", "", ""},
	} {
		err := safety.Leap(standing(c.before), standing(c.after), c.stamp)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("from %q to %q: got %v, want %q", c.before, c.after, err, c.says)
		}
	}
}

// A guard looks at the whole plan: not at one that stopped half-way, and not at what may be thrown away.
func TestTheGuardSeesLeaps(t *testing.T) {
	states := func(words string) (out []*pkgresource.State) {
		for _, word := range strings.Fields(words) {
			r := things[word]
			out = append(out, &pkgresource.State{URN: resource.URN(r.URN), Type: tokens.Type(r.Type)})
		}
		return out
	}
	for _, c := range []struct {
		whole, disposable, refused bool
	}{{true, false, true}, {false, false, false}, {true, true, false}} {
		plan := &sim.Result{Whole: c.whole, Had: states("server aws"), States: states("server aws forward")}
		if err := safety.Guard(safety.Options{Disposable: c.disposable, Copied: "20261106T021500Z"})(plan); (err != nil) != c.refused {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
