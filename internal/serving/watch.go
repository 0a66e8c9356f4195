package serving

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/provider"
)

// Watch follows public names through the operations of a deployment.
type Watch struct {
	checker Checker
	hosts   []string
	now     time.Duration
	last    map[string]Answer
	names   map[string]*watched
	known   map[string]*cloud.Resource // services and servers as they were, by URN
	gaps    []Gap
	data    []string // the hosts under which something is written
	writers []string // the platforms that were written to, one after the other
}

// watched is what is remembered of a name.
type watched struct {
	good    Answer             // the last one without a loss
	seen    bool               // it was served before: from then on it has to be
	served  map[string]bool    // targets that have answered, by platform, place and family
	old     map[string]float64 // what resolvers may remember, with the share of clients that were told so
	open    *Gap
	during  []provider.Operation // while it is open
	begun   time.Duration
	missing map[string]string // containers on the way that were deleted and are not back, URN to name
	other   bool              // something else than a container was the reason
	noticed time.Duration     // when not 0, a health check ends the gap after so long
}

// NewWatch begins with the world as it is. The hosts that are served now have to be from now on, the
// others from when they are served first. data are those of the hosts under which clients write data, so
// that only one platform may take it at a time.
func NewWatch(w *cloud.World, hosts, data []string) *Watch {
	out := &Watch{hosts: hosts, data: data, last: map[string]Answer{}, names: map[string]*watched{}, known: map[string]*cloud.Resource{}}
	for _, h := range hosts {
		out.names[h] = &watched{served: map[string]bool{}, old: map[string]float64{}}
	}
	out.remember(w, serviceType)
	out.remember(w, serverType)
	out.look(w, "", false)
	return out
}

func (o *Watch) remember(w *cloud.World, token string) {
	for _, r := range w.All("", token) {
		o.known[r.URN] = r
	}
}

// Observe looks at the world after an operation. It is made for sim.Options.Observe.
func (o *Watch) Observe(w *cloud.World, op provider.Operation) {
	o.now += op.Takes
	for _, n := range o.names {
		if n.open == nil {
			n.during = nil
		}
		n.during = append(n.during, op)
	}
	urn, what := string(op.URN), op.Kind+" "+op.URN.Name()
	if op.Type == serviceType || op.Type == serverType {
		if op.Kind == "update" {
			o.inPlace(w, urn, what, op)
		}
		o.remember(w, op.Type)
	}
	if !o.checker.Touch(op.Type) {
		return
	}
	if op.Type == containerType {
		o.container(urn, op)
	}
	for _, n := range o.names {
		if n.open == nil {
			n.begun = o.now - op.Takes
			n.other = op.Kind != "delete" || n.missing[urn] == ""
		}
	}
	o.look(w, what, op.Type == containerType && op.Kind == "create")
}

// container notes which containers on the way to a name are away.
func (o *Watch) container(urn string, op provider.Operation) {
	for _, h := range o.hosts {
		n := o.names[h]
		switch {
		case op.Kind == "delete" && through(n.good, urn) > 0:
			if n.open == nil {
				n.missing = map[string]string{}
			}
			n.missing[urn] = op.URN.Name()
		case op.Kind == "create" && n.missing[urn] != "":
			if n.open != nil {
				n.open.Replaced = append(n.open.Replaced, n.missing[urn])
			}
			delete(n.missing, urn)
		}
	}
}

// through is the share of a name's clients whose way leads over a resource.
func through(a Answer, urn string) float64 {
	out := 0.0
	for _, t := range a.Main() {
		if slices.Contains(t.through, urn) {
			out += t.Share
		}
	}
	return out
}

// inPlace notes what stops while it is changed, although it exists before and after.
func (o *Watch) inPlace(w *cloud.World, urn, what string, op provider.Operation) {
	before := o.known[urn]
	var after *cloud.Resource
	for _, r := range w.All("", op.Type) {
		if r.URN == urn {
			after = r
		}
	}
	if before == nil || after == nil {
		return
	}
	why, takes := stops(before, after), op.Takes
	if why == "" {
		return
	}
	if op.Type == serverType {
		takes = max(takes, rescale)
	}
	for _, h := range o.hosts {
		if share := through(o.names[h].good, urn); share > 0 && o.names[h].open == nil {
			o.gaps = append(o.gaps, Gap{Host: h, Share: share, Seconds: takes.Seconds(), Why: why, During: what, Replaced: []string{named(after)}})
		}
	}
}

// rescale is how long a server is away while its type changes: off, moved to a place with room, booted.
const rescale = 3 * time.Minute

// stops says why a change stops what it changes for a while; "" when it does not.
func stops(before, after *cloud.Resource) string {
	if after.Type == serverType {
		for _, p := range []string{"serverType", "publicNets"} {
			if !cloud.Equal(before.Out[p], after.Out[p]) {
				return "the server is switched off while its " + p + " changes"
			}
		}
		return ""
	}
	wanted := after.Out.Float("desiredCount")
	kept := math.Ceil(wanted * after.Out.Float("deploymentMinimumHealthyPercent") / 100)
	if wanted > 0 && kept == 0 && before.Out.String("taskDefinition") != after.Out.String("taskDefinition") {
		return "the service's only task stops before its successor starts"
	}
	return ""
}

// look asks for every name again. A gap is a replacement's only when a new container ends it.
func (o *Watch) look(w *cloud.World, what string, container bool) {
	writers := map[string]bool{}
	for _, h := range o.hosts {
		a := o.checker.Of(w, h)
		n := o.names[h]
		lost, notice := n.lost(a)
		why := reasons(a)
		written := a.Targets
		for _, old := range n.outdated(a) {
			b := o.checker.from(w, h, old)
			written = append(written[:len(written):len(written)], b.Targets...)
			if len(b.Targets) == 0 {
				b.Lost = 1
			}
			if b.Lost > 0 && lost == 0 {
				lost, why = b.Lost*n.old[old], "who still has the answer from before, "+old+", finds nobody: "+reasons(b)
			}
		}
		switch {
		case lost == 0 && n.open != nil:
			n.other = n.other || !container
			o.close(n)
		case lost > 0 && n.open == nil && n.seen:
			n.open = &Gap{Host: h, During: what, Why: why}
			fallthrough
		case lost > 0 && n.open != nil:
			n.open.Share = max(n.open.Share, lost)
			n.noticed = notice
		}
		if n.seen = n.seen || a.Served(); lost == 0 {
			n.good = a
		}
		n.learn(a)
		o.last[h] = a
		for _, t := range written {
			if slices.Contains(o.data, h) && t.Answers() && !t.Out && !t.ReadOnly && t.Share > 0 {
				writers[t.Platform] = true
			}
		}
	}
	if now := strings.Join(slices.Sorted(maps.Keys(writers)), " and "); len(o.writers) == 0 || o.writers[len(o.writers)-1] != now {
		o.writers = append(o.writers, now)
	}
}

// learn remembers what answers.
func (n *watched) learn(a Answer) {
	for _, t := range a.Targets {
		if !t.Answers() || t.Out {
			continue
		}
		n.served[t.key()] = true
		for _, what := range t.answers {
			n.old[what] = max(n.old[what], t.Share)
		}
	}
}

// outdated lists what resolvers may remember and would not be told any more. Nobody knows how fast the
// operations of a deployment follow each other, so that nothing is forgotten until the deployment ends.
func (n *watched) outdated(a Answer) []string {
	var out []string
	for _, what := range slices.Sorted(maps.Keys(n.old)) {
		if !slices.ContainsFunc(a.Targets, func(t Target) bool { return slices.Contains(t.answers, what) && t.Share > 0 }) {
			out = append(out, what)
		}
	}
	return out
}

func (t Target) key() string { return t.Platform + " " + t.Place + " " + t.Family }

// lost is the share of clients without an answer: of those that are led to what is dead, and of those that
// a health check has yet to keep from what has just died. Notice is how long that takes; 0 when the former
// are among them.
func (n *watched) lost(a Answer) (share float64, notice time.Duration) {
	dying := map[string]float64{}
	for _, t := range a.Targets {
		if t.Out && n.served[t.key()] {
			dying[t.Family] += t.Share
			notice = max(notice, t.notice)
		}
	}
	for _, s := range dying {
		share = max(share, s)
	}
	if a.Lost > 0 {
		return min(1, a.Lost+share), 0
	}
	return share, notice
}

func reasons(a Answer) string {
	list := a.Why()
	for _, t := range a.Targets {
		if t.Out && !slices.Contains(list, t.Why) {
			list = append(list, t.Why)
		}
	}
	return strings.Join(list, "; ")
}

// close ends a gap.
func (o *Watch) close(n *watched) {
	took := o.now - n.begun
	if n.noticed > 0 {
		took = min(took, n.noticed)
	}
	n.open.Seconds, n.open.operations = took.Seconds(), n.during
	if n.other || len(n.missing) > 0 {
		n.open.Replaced = nil
	}
	o.gaps = append(o.gaps, *n.open)
	n.open, n.noticed = nil, 0
}

// End ends the watch and returns what it saw, and who answers now. A host that is not served now has a
// lasting gap, even when it never was.
func (o *Watch) End(w *cloud.World) ([]Gap, []Answer) {
	o.checker.open = nil
	o.look(w, "after the last operation", false)
	var answers []Answer
	for _, h := range o.hosts {
		n, a := o.names[h], o.last[h]
		if n.open == nil && !a.Served() {
			n.open, n.begun = &Gap{Host: h, Share: a.Lost, Why: reasons(a), During: "all of it"}, 0
		}
		if n.open != nil {
			if n.open.Lasting = !a.Served(); n.open.Lasting {
				n.open.Why = reasons(a) // what it began with may be mended, and something else be wrong
			}
			o.close(n)
		}
		answers = append(answers, a)
	}
	return o.gaps, answers
}

// Split says how the watch saw data being written on two platforms: at once, or on one right after the
// other, so that what is written last on the first is missing on the second. It is "" when neither was.
func (o *Watch) Split() string {
	for i, now := range o.writers {
		if strings.Contains(now, " and ") {
			return "clients could write on " + now + " at the same time"
		}
		if i > 0 && now != "" && o.writers[i-1] != "" {
			return "writing moved from " + o.writers[i-1] + " to " + now + " without a time in which nothing could be written"
		}
	}
	return ""
}
