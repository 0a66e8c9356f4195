package safety

import (
	"fmt"
	"maps"
	"strings"

	pkgresource "github.com/pulumi/pulumi/pkg/v3/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/sim"
)

// CopyOutput is the stack's output that keeps which copy was brought in last, and where to: "STAMP to aws"
// or "STAMP to server".
const CopyOutput = "dataCopy"

// Standing is how far a stack is on the move between the server and AWS, told by what is in its state:
// the configuration before a change is nowhere else.
type Standing struct {
	server, aws     bool // the platform is there
	freeze, forward bool // the server's relay refuses what writes, or passes everything on to AWS
	refuses         bool // AWS's load balancer refuses what writes
	copied          string
	names           map[string]string // content of the public names' records at Cloudflare, by the resource
	files           copying
}

// copying is what DataSync does between two regions: from where to where, and whether by a schedule.
type copying struct {
	from, to  string
	scheduled bool
}

// StandingOf reads a whole state, as an export or a complete preview has it.
func StandingOf(list []deployment.Resource) Standing {
	s := Standing{names: map[string]string{}}
	for _, r := range list {
		s.add(r.Type, r.URN[strings.LastIndex(r.URN, "::")+2:],
			func() map[string]any { return r.Inputs }, func() map[string]any { return r.Outputs })
	}
	return s
}

// add takes a resource in. Of most the inputs and outputs are not asked for.
func (s *Standing) add(token, name string, inputs, outputs func() map[string]any) {
	text := func(m map[string]any, key string) string { v, _ := m[key].(string); return v }
	switch token {
	case "hcloud:index/server:Server":
		s.server = true
	case "aws:ecs/cluster:Cluster":
		s.aws = true
	case "docker:index/container:Container":
		s.freeze = s.freeze || name == "relay-freeze-service-container"
		s.forward = s.forward || name == "relay-forward-service-container"
	case "aws:lb/listenerRule:ListenerRule":
		s.refuses = s.refuses || strings.HasSuffix(name, "-frozen-changes")
	case "cloudflare:index/record:Record":
		if strings.HasPrefix(name, "names-") {
			s.names[name] = text(inputs(), "content")
		}
	case string(resource.RootStackType):
		s.copied = text(outputs(), CopyOutput)
	case "aws:datasync/task:Task":
		in := inputs()
		s.files = copying{text(in, "sourceLocationArn"), text(in, "destinationLocationArn"), in["schedule"] != nil}
	}
}

// onAWS says whether AWS's data counts. While both entrances still refuse what writes, it does not yet: that
// is what a change leaves behind which was interrupted.
func (s Standing) onAWS() bool {
	return s.aws && (!s.server || s.forward && !(s.freeze && s.refuses))
}

// writable says whether clients can write to the data that counts.
func (s Standing) writable() bool {
	if s.onAWS() {
		return !s.refuses
	}
	return !s.freeze
}

// Leap is the error of a change that leaves out a step of the move between the server and AWS, or between
// two regions with DataSync, by which what is written would be lost; nil when it leaves out none. copied is morphee:migration.copy after the
// change; "" takes the output of the stack after it. A new stack has nothing to lose.
func Leap(before, after Standing, copied string) error {
	if copied == "" {
		copied, _, _ = strings.Cut(after.copied, " ")
	}
	if !before.server && !before.aws || !after.server && !after.aws {
		return nil
	}
	if b, a := before.files, after.files; b.scheduled && b.from != "" && b.from == a.to && b.to == a.from {
		return leap("the files would be copied the other way from now on, and people can write to the original until then (morphee:aws.writePrimary)",
			"what was written there since DataSync's last run",
			"put aws.writePrimary back; deploy aws.freezeWrites first, run the task once more (ops/runbooks/switch-write-primary.md), and then make this change")
	}
	if before.onAWS() != after.onAWS() {
		from, to, freeze, other := "the server", "AWS", "server-frozen", " to server"
		if before.onAWS() {
			from, to, freeze, other = "AWS", "the server", "aws-frozen", " to aws"
		}
		switch {
		case before.writable():
			return leap(fmt.Sprintf("%s's data would count from now on, and people can write on %s until then (morphee:migration.writes)", to, from),
				fmt.Sprintf("what was written on %s and is in no copy", from),
				fmt.Sprintf("put migration.writes back; deploy %s first, bring the last copy in (ops/runbooks/move-data.md), and then make this change", freeze))
		case after.aws && after.server && (copied == "" || copied+other == before.copied):
			return leap(fmt.Sprintf("%s's data would count from now on, and no copy that was made since the last time was brought in (morphee:migration.copy)", to),
				fmt.Sprintf("what was written on %s since then", from),
				"make a copy, bring it in (ops/runbooks/move-data.md), and set migration.copy to the stamp of it, together with migration.writes")
		}
	}
	if before.refuses && !after.refuses && !after.onAWS() && !maps.Equal(before.names, after.names) {
		return leap("AWS would take what is written in the very change that leads the public names elsewhere (morphee:migration.trial)",
			"what is written on AWS by those who remember its address",
			"deploy migration.names first, and migration.trial after it, in a change of its own")
	}
	return nil
}

func leap(why, lost, mend string) error {
	return fmt.Errorf("this change leaves out a step of the move, so nothing of it was begun\n  why:  %s\n  lost: %s\n  mend: %s", why, lost, mend)
}

// Leaps judges what a preview plans, as Leap does. One that stopped half-way does not show the whole stack,
// and is refused for that alone.
func Leaps(planned *sim.Result, o Options) error {
	if o.Disposable || !planned.Whole {
		return nil
	}
	before, after := Standing{names: map[string]string{}}, Standing{names: map[string]string{}}
	for s, list := range map[*Standing][]*pkgresource.State{&before: planned.Had, &after: planned.States} {
		for _, r := range list {
			s.add(string(r.Type), r.URN.Name(), r.Inputs.Mappable, r.Outputs.Mappable)
		}
	}
	return Leap(before, after, o.Copied)
}
