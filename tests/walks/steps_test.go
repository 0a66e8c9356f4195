package walks

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/morphee-app/morphee-infra/internal/config"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/provider"

	"github.com/morphee-app/morphee-infra/tests/rig"
)

// steps are what can happen to a stack. A name that ends in a digit is the same step again, so that it is
// taken more often. Nothing happens any more when there were enough.
func (w *walk) steps(enough func() bool, count func(step string)) map[string]func(*rapid.T) {
	all := map[string]func(*rapid.T){
		"change": w.change, "move": w.move, "disturbed change": w.disturbedChange, "disturbed move": w.disturbedMove,
		"drift": w.drift, "destroy": w.destroy, "losing change": w.losing, "invalid configuration": w.invalid,
	}
	out := map[string]func(*rapid.T){}
	for name, step := range all {
		times := map[string]int{"change": 6, "move": 3, "disturbed change": 2, "drift": 2, "losing change": 2, "invalid configuration": 2}[name]
		for i := range max(1, times) {
			out[fmt.Sprint(name, " ", i)] = func(t *rapid.T) {
				if enough() || w.tooLarge() {
					return
				}
				step(t)
				count(name)
			}
		}
	}
	return out
}

// largeSteps are how many steps one walk takes on AWS, whose stacks cost ten times the server's, where
// the long tests have no bound.
const largeSteps = 6

// tooLarge says whether the walk had its share of steps on AWS, and counts them.
func (w *walk) tooLarge() bool {
	if rig.Long() || w.stack.Config.Phase < 3 {
		return false
	}
	w.large++
	return w.large > largeSteps
}

// change takes one to three options to other values.
func (w *walk) change(t *rapid.T) {
	w.become(t, "options change", w.varied(t))
	w.up(t)
	w.check(t)
}

func (w *walk) varied(t *rapid.T) settings {
	next := w.now
	for range rapid.IntRange(1, 3).Draw(t, "changes") {
		if s, ok := vary(t, next); ok {
			next = s
		}
	}
	return next
}

// move takes a step of the ladder.
func (w *walk) move(t *rapid.T) {
	name, next := w.moved(t)
	w.become(t, name, next)
	w.up(t)
	w.check(t)
}

// climb takes a step of the ladder without looking at what comes of it, where there is one.
func (w *walk) climb(t *rapid.T) {
	var list []move
	for _, m := range allMoves {
		if m.when(w.stack.Config) && !strings.Contains(m.name, "back") {
			list = append(list, m)
		}
	}
	if len(list) == 0 {
		return
	}
	m := rapid.SampledFrom(list).Draw(t, "move")
	next := m.to(t, w.now, w.stack.Config)
	if _, err := next.parse(); err != nil {
		return
	}
	w.become(t, m.name, next)
	w.up(t)
}

func (w *walk) moved(t *rapid.T) (string, settings) {
	var list []move
	for _, m := range allMoves {
		if m.when(w.stack.Config) && w.affordable(m) {
			list = append(list, m)
		}
	}
	if len(list) == 0 {
		t.Skip("nowhere to go")
	}
	m := rapid.SampledFrom(list).Draw(t, "move")
	next := m.to(t, w.now, w.stack.Config)
	if _, err := next.parse(); err != nil {
		t.Skip("the configuration refuses it as things are")
	}
	return m.name, next
}

// affordable keeps walks that begin small from growing to many times their size: what a step costs goes by
// the number of resources.
func (w *walk) affordable(m move) bool {
	switch m.name {
	case "AWS beside":
		return w.kind == ladder
	case "phase 1 to 2", "a server for Forgejo":
		return w.kind != "phase 0"
	}
	return true
}

var allMoves = moves()

func (w *walk) disturbedChange(t *rapid.T) { w.disturbed(t, "options change", w.varied(t)) }

func (w *walk) disturbedMove(t *rapid.T) {
	name, next := w.moved(t)
	w.disturbed(t, name, next)
}

func (w *walk) disturbed(t *rapid.T, why string, next settings) {
	kind := rapid.SampledFrom([]provider.FaultKind{provider.Fail, provider.Timeout, provider.Kill}).Draw(t, "fault")
	w.become(t, why, next)
	w.disturb(t, kind, rapid.IntRange(1, 40).Draw(t, "operation"))
	w.check(t)
}

// drifts are what people and clouds change behind Pulumi's back.
var drifts = []struct {
	token, flag string
}{
	{"docker:index/container:Container", "delete"},
	{"docker:index/container:Container", `restart="no"`},
	{"cloudflare:index/record:Record", "ttl=7200"},
	{"cloudflare:index/record:Record", "delete"},
	{"hcloud:index/server:Server", `labels={"by":"hand"}`},
	{"hcloud:index/firewall:Firewall", `labels={"by":"hand"}`},
	{"hcloud:index/volume:Volume", `labels={"by":"hand"}`},
	{"aws:ecs/service:Service", "desiredCount=7"},
	{"aws:cloudwatch/metricAlarm:MetricAlarm", "delete"},
	{"aws:cloudwatch/logGroup:LogGroup", "retentionInDays=1"},
	{"aws:route53/record:Record", "delete"},
	{"aws:efs/fileSystem:FileSystem", `tags={"by":"hand"}`},
}

// drift changes one thing behind Pulumi's back; a refresh sees it and an up mends it.
func (w *walk) drift(t *rapid.T) {
	var names []string
	var flags []string
	for _, r := range w.state(t) {
		for _, d := range drifts {
			// A loader runs once and is not restarted: it has that value already.
			if r.Type == d.token && !strings.HasSuffix(r.URN, "-loader") {
				names, flags = append(names, r.URN), append(flags, d.flag)
			}
		}
	}
	at := rapid.IntRange(0, len(names)-1).Draw(t, "drift")
	text := resourceOf(names[at]) + ":" + flags[at]
	d, err := sim.ParseDrift(text)
	if err != nil {
		w.fail(t, "%v", err)
	}
	w.script.say("something changes behind Pulumi's back")
	var r *sim.Result
	switch rapid.SampledFrom([]string{"refresh", "up", "both at once"}).Draw(t, "operation") {
	case "refresh":
		r = w.run(t, sim.Refresh, sim.Options{Drift: []sim.Drift{d}}, "--drift", text)
		w.up(t)
	case "up":
		// An up without a refresh trusts the state, and a refresh finds out.
		w.run(t, sim.Up, sim.Options{Drift: []sim.Drift{d}}, "--drift", text)
		r = w.run(t, sim.Refresh, sim.Options{})
		w.up(t)
	default:
		r = w.run(t, sim.Up, sim.Options{Drift: []sim.Drift{d}, Refresh: true}, "--refresh", "--drift", text)
	}
	if !r.Changes.Any() {
		w.fail(t, "the refresh did not see %s", text)
	}
	w.check(t)
}

// destroy leaves what is protected, and an up makes the rest again.
func (w *walk) destroy(t *rapid.T) {
	if slices.ContainsFunc(w.stack.Config.AWS.Regions, func(r config.AWSRegion) bool { return r.State == config.StateRetired }) {
		t.Skip("a retired region's copy of the shared key is not protected, and would wait 30 days for its deletion")
	}
	w.script.say("somebody destroys it: what is protected stays")
	if r := w.run(t, sim.Destroy, sim.Options{}); len(r.Protected) == 0 {
		w.fail(t, "nothing was protected")
	}
	w.destroyed = true
	w.keeps(t)
	w.destroyed = false
	w.up(t)
	w.check(t)
}

func (w *walk) losing(t *rapid.T) { w.refuse(t, w.oneOf(t, allLosing)) }

func (w *walk) invalid(t *rapid.T) { w.reject(t, w.oneOf(t, allInvalid)) }

var allLosing, allInvalid = losing(), invalid()

func (w *walk) oneOf(t *rapid.T, list []move) move {
	var fit []move
	for _, m := range list {
		if m.when(w.stack.Config) {
			fit = append(fit, m)
		}
	}
	if len(fit) == 0 {
		t.Skip("there is none for this stack")
	}
	return rapid.SampledFrom(fit).Draw(t, "which")
}
