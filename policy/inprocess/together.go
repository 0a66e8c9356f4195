package inprocess

import (
	"context"
	"sync"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

// TogetherName is the name under which the engine knows all packs as one.
const TogetherName = "morphee-policies"

// Together is all packs as one analyzer for one operation. The engine's own work for an analyzer (it
// converts every resource three times and sends two events about it) is then done once and not for
// each pack. In a preview, where nothing is made, the rules for single resources wait until the end
// and the packs run side by side; in an up they come before the resource is made. Findings name
// their own pack.
type Together struct {
	analyzers []*Analyzer
	preview   bool

	mu   sync.Mutex
	seen []plugin.AnalyzerResource // of a preview, not looked at yet
}

// NewTogether makes the analyzer. It fails when the exceptions in the configuration cannot be read.
func NewTogether(packs []rule.Pack, options rule.Options) (*Together, error) {
	t := &Together{preview: options.Preview}
	shared := &stack{}
	for _, p := range packs {
		a, err := newAnalyzer(p, options, shared)
		if err != nil {
			return nil, err
		}
		t.analyzers = append(t.analyzers, a)
	}
	return t, nil
}

// Report is what the packs have found. What a preview that failed had not come to is looked at now.
func (t *Together) Report() rule.Report {
	t.catchUp()
	var list []rule.Report
	for _, a := range t.analyzers {
		list = append(list, a.Report())
	}
	return rule.Merge(list...)
}

// catchUp looks at the resources that wait, all packs at once.
func (t *Together) catchUp() []rule.Diagnosis {
	t.mu.Lock()
	waiting := t.seen
	t.seen = nil
	t.mu.Unlock()
	return t.each(func(a *Analyzer) (out rule.Diagnosis) {
		for _, r := range waiting {
			out.Findings = append(out.Findings, a.session.Diagnose(a.session.Resource(a.stack.resource(r))).Findings...)
		}
		return out
	})
}

// each asks all packs at once; the answers are in the order of the packs.
func (t *Together) each(ask func(*Analyzer) rule.Diagnosis) []rule.Diagnosis {
	out := make([]rule.Diagnosis, len(t.analyzers))
	var wait sync.WaitGroup
	for i, a := range t.analyzers {
		wait.Go(func() { out[i] = ask(a) })
	}
	wait.Wait()
	return out
}

func answer(lists ...[]rule.Diagnosis) plugin.AnalyzeResponse {
	var all rule.Diagnosis
	for _, list := range lists {
		for _, d := range list {
			all.Findings = append(all.Findings, d.Findings...)
			all.Undecided = append(all.Undecided, d.Undecided...)
		}
	}
	return respond(all)
}

// Analyze implements plugin.Analyzer.
func (t *Together) Analyze(_ context.Context, r plugin.AnalyzerResource) (plugin.AnalyzeResponse, error) {
	if t.preview {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.seen = append(t.seen, r)
		return plugin.AnalyzeResponse{}, nil
	}
	return answer(t.each(func(a *Analyzer) rule.Diagnosis { return a.session.Diagnose(a.session.Resource(a.stack.resource(r))) })), nil
}

// AnalyzeStack implements plugin.Analyzer.
func (t *Together) AnalyzeStack(_ context.Context, list []plugin.AnalyzerStackResource) (plugin.AnalyzeResponse, error) {
	resources := t.catchUp()
	return answer(resources, t.each(func(a *Analyzer) rule.Diagnosis { return a.session.DiagnoseStack(a.session.StackOf(a.stack.all(list))) })), nil
}

// Name implements plugin.Analyzer.
func (t *Together) Name() tokens.QName { return TogetherName }

// GetAnalyzerInfo implements plugin.Analyzer. The rules are left out for the reason that
// Analyzer.GetAnalyzerInfo gives; a policy configuration is for packs one by one.
func (t *Together) GetAnalyzerInfo(context.Context) (plugin.AnalyzerInfo, error) {
	return plugin.AnalyzerInfo{Name: TogetherName, Version: rule.Version}, nil
}

// GetPluginInfo implements plugin.Analyzer.
func (t *Together) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	v := semver.MustParse(rule.Version)
	return plugin.PluginInfo{Version: &v}, nil
}

// Configure implements plugin.Analyzer.
func (t *Together) Configure(context.Context, map[string]plugin.AnalyzerPolicyConfig) error {
	return nil
}

// Remediate implements plugin.Analyzer; it changes nothing.
func (t *Together) Remediate(context.Context, plugin.AnalyzerResource) (plugin.RemediateResponse, error) {
	return plugin.RemediateResponse{}, nil
}

// Cancel implements plugin.Analyzer.
func (t *Together) Cancel(context.Context) error { return nil }

// Close implements plugin.Analyzer.
func (t *Together) Close() error { return nil }
