// Package inprocess gives the engine's own view of resources to the policy packs, in this process. Either
// the packs look once at all that an operation plans or leaves (Resources), or the engine asks them
// itself, as it asks the executables of package serve (Analyzer): that comes to the same verdicts,
// and takes the engine several times as long.
package inprocess

import (
	"context"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

// Analyzer is one pack for one operation: make a new one for each.
type Analyzer struct {
	session *rule.Session
	info    plugin.AnalyzerInfo
}

// New makes an analyzer. It fails when the exceptions in the configuration cannot be read.
func New(pack rule.Pack, options rule.Options) (*Analyzer, error) {
	session, err := rule.NewSession(pack, options)
	if err != nil {
		return nil, err
	}
	return &Analyzer{session: session, info: describe(pack)}, nil
}

// All makes an analyzer of each pack, by name, as sim.Options takes them.
func All(packs []rule.Pack, options rule.Options) (map[string]plugin.Analyzer, error) {
	out := map[string]plugin.Analyzer{}
	for _, p := range packs {
		a, err := New(p, options)
		if err != nil {
			return nil, err
		}
		out[p.Name] = a
	}
	return out, nil
}

// Report is what the analyzers of All have found: violations, exceptions, and what is undetermined.
func Report(analyzers map[string]plugin.Analyzer, packs []rule.Pack) rule.Report {
	var list []rule.Report
	for _, p := range packs {
		if a, ok := analyzers[p.Name].(*Analyzer); ok {
			list = append(list, a.Report())
		}
	}
	return rule.Merge(list...)
}

// Report is what the analyzer has found.
func (a *Analyzer) Report() rule.Report { return a.session.Report() }

func describe(pack rule.Pack) plugin.AnalyzerInfo {
	info := plugin.AnalyzerInfo{Name: pack.Name, DisplayName: pack.Title, Description: pack.Title, Version: rule.Version, SupportsConfig: true}
	for _, r := range pack.Rules {
		p := plugin.AnalyzerPolicyInfo{
			Name: r.ID, DisplayName: r.Title, Description: r.Title, Message: r.Reason, RemediationSteps: r.Mend, Tags: r.Refs,
			EnforcementLevel: apitype.EnforcementLevel(r.Level), Type: plugin.AnalyzerPolicyTypeStack,
		}
		if r.Check != nil {
			p.Type = plugin.AnalyzerPolicyTypeResource
		}
		if len(r.Settings) > 0 {
			p.ConfigSchema = &plugin.AnalyzerPolicyConfigSchema{Properties: map[string]plugin.JSONSchema{}}
			for _, s := range r.Settings {
				p.ConfigSchema.Properties[s.Name] = s.Schema()
			}
		}
		info.Policies = append(info.Policies, p)
	}
	return info
}

// Name implements plugin.Analyzer.
func (a *Analyzer) Name() tokens.QName { return tokens.QName(a.info.Name) }

// Close implements plugin.Analyzer.
func (a *Analyzer) Close() error { return nil }

// Cancel implements plugin.Analyzer.
func (a *Analyzer) Cancel(context.Context) error { return nil }

// GetAnalyzerInfo implements plugin.Analyzer.
func (a *Analyzer) GetAnalyzerInfo(context.Context) (plugin.AnalyzerInfo, error) { return a.info, nil }

// GetPluginInfo implements plugin.Analyzer.
func (a *Analyzer) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	v := semver.MustParse(rule.Version)
	return plugin.PluginInfo{Version: &v}, nil
}

// Configure implements plugin.Analyzer.
func (a *Analyzer) Configure(_ context.Context, config map[string]plugin.AnalyzerPolicyConfig) error {
	levels, settings := map[string]rule.Level{}, map[string]map[string]any{}
	for name, c := range config {
		levels[name] = rule.Level(c.EnforcementLevel)
		if c.EnforcementLevel == apitype.Remediate {
			levels[name] = rule.Mandatory
		}
		settings[name] = c.Properties
	}
	a.session.Configure(levels, settings)
	return nil
}

// Remediate implements plugin.Analyzer; it changes nothing.
func (a *Analyzer) Remediate(context.Context, plugin.AnalyzerResource) (plugin.RemediateResponse, error) {
	return plugin.RemediateResponse{}, nil
}

// Analyze implements plugin.Analyzer.
func (a *Analyzer) Analyze(_ context.Context, r plugin.AnalyzerResource) (plugin.AnalyzeResponse, error) {
	one := described(r)
	one.Inputs = properties(resource.ToResourcePropertyMap(r.Properties))
	return respond(a.session.Diagnose(a.session.Resource(one))), nil
}

// AnalyzeStack implements plugin.Analyzer.
func (a *Analyzer) AnalyzeStack(_ context.Context, list []plugin.AnalyzerStackResource) (plugin.AnalyzeResponse, error) {
	all := make([]*rule.Resource, len(list))
	for i, r := range list {
		all[i] = described(r.AnalyzerResource)
		all[i].Outputs = properties(resource.ToResourcePropertyMap(r.Properties))
		all[i].Dependencies, all[i].PropertyDeps = texts(r.Dependencies), map[string][]string{}
		for k, v := range r.PropertyDependencies {
			all[i].PropertyDeps[string(k)] = texts(v)
		}
	}
	return respond(a.session.DiagnoseStack(a.session.Stack(all))), nil
}

func described(r plugin.AnalyzerResource) *rule.Resource {
	out := &rule.Resource{
		URN: string(r.URN), Type: string(r.Type), Name: r.Name, Protect: r.Options.Protect, Parent: string(r.Options.Parent),
		AdditionalSecrets: texts(r.Options.AdditionalSecretOutputs),
	}
	if r.Provider != nil {
		out.Provider = string(r.Provider.URN)
	}
	return out
}

func respond(d rule.Diagnosis) plugin.AnalyzeResponse {
	out := plugin.AnalyzeResponse{}
	for _, f := range d.Findings {
		out.Diagnostics = append(out.Diagnostics, plugin.AnalyzeDiagnostic{
			PolicyName: f.Rule, PolicyPackName: f.Pack, PolicyPackVersion: rule.Version, Description: f.Title, Message: f.Message,
			EnforcementLevel: apitype.EnforcementLevel(f.Level), URN: resource.URN(f.URN),
		})
	}
	for _, n := range d.Undecided {
		out.NotApplicable = append(out.NotApplicable, plugin.PolicyNotApplicable{PolicyName: n.Rule, Reason: n.Message})
	}
	return out
}
