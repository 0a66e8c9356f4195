package sim

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/pulumi/pulumi/pkg/v3/engine"
	"github.com/pulumi/pulumi/pkg/v3/resource/deploy/deploytest"
	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/env"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/sim/provider"
)

// host gives the engine simulated providers, in-process policies, and the program in this process.
type host struct {
	plugin.Host // the engine's own test host: the engine service and the language runtime

	mu        sync.Mutex
	sim       *provider.Simulator // nil when the operation is over
	analyzers map[string]plugin.Analyzer
}

func newHost(s *provider.Simulator, program pulumi.RunFunc, analyzers map[string]plugin.Analyzer) engine.HostFactory {
	return func(ctx context.Context, d, statusD diag.Sink, _ plugin.DebugContext) (plugin.Host, error) {
		runtime := &runtime{program: program}
		runtime.LanguageRuntime = deploytest.NewLanguageRuntime(nil)
		base := deploytest.NewPluginHost(d, statusD, runtime)
		runtime.engineAddr = base.ServerAddr()
		return &host{Host: base, sim: s, analyzers: analyzers}, nil
	}
}

// Close lets go of the simulated clouds: a server that the engine starts for every program and never stops
// (that of the provider schemas, pulumi v3.259.0) holds the host for as long as the process lives.
func (h *host) Close() error {
	h.mu.Lock()
	h.sim, h.analyzers = nil, nil
	h.mu.Unlock()
	return h.Host.Close()
}

// Provider serves whichever version is asked for: the simulator has one behaviour per provider.
func (h *host) Provider(_ *plugin.Context, d workspace.PluginDescriptor, _ env.Env) (plugin.Provider, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sim == nil {
		return nil, errors.New("the operation is over")
	}
	return h.sim.Provider(d.Name)
}

// PolicyAnalyzer returns the in-process policy pack of that name; the engine asks by absolute path.
func (h *host) PolicyAnalyzer(
	ctx *plugin.Context, name tokens.QName, path string, opts *plugin.PolicyAnalyzerOptions,
) (plugin.Analyzer, error) {
	h.mu.Lock()
	a := h.analyzers[filepath.Base(path)]
	h.mu.Unlock()
	if a != nil {
		return a, nil
	}
	return plugin.NewPolicyAnalyzer(h, ctx, name, path, opts, nil)
}

// ResolvePlugin says that every simulated plugin is installed.
func (h *host) ResolvePlugin(_ *plugin.Context, spec workspace.PluginDescriptor) (*workspace.PluginInfo, error) {
	return &workspace.PluginInfo{Kind: apitype.ResourcePlugin, Name: spec.Name, Version: spec.Version}, nil
}

// runtime runs the program in this process.
type runtime struct {
	plugin.LanguageRuntime
	program    pulumi.RunFunc
	engineAddr string
}

// Run implements plugin.LanguageRuntime. A program's error is returned as text, as a language host
// would print it; only a failure to run it at all is an error.
func (r *runtime) Run(ctx context.Context, info plugin.RunInfo) (string, bool, error) {
	run := pulumi.RunInfo{
		Project: info.Project, Stack: info.Stack, Parallel: info.Parallel, DryRun: info.DryRun,
		MonitorAddr: info.MonitorAddress, EngineAddr: r.engineAddr, Organization: info.Organization,
		Config: map[string]string{},
	}
	for key, value := range info.Config {
		run.Config[key.String()] = value
	}
	for _, key := range info.ConfigSecretKeys {
		run.ConfigSecretKeys = append(run.ConfigSecretKeys, key.String())
	}
	program, err := pulumi.NewContext(ctx, run)
	if err != nil {
		return "", false, fmt.Errorf("starting the program: %w", err)
	}
	defer program.Close()
	if err := runProgram(program, r.program); err != nil {
		return err.Error(), false, nil
	}
	return "", false, nil
}

// runProgram turns a panic in the program into an error: with an ordinary language host it would end
// the program's own process, here it must not end the simulator's.
func runProgram(ctx *pulumi.Context, program pulumi.RunFunc) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the program panicked: %v", p)
		}
	}()
	return pulumi.RunWithContext(ctx, program)
}
