package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/facts"
)

// Provider is one configured instance of a simulated provider.
type Provider struct {
	plugin.UnimplementedProvider

	sim  *Simulator
	pkg  *pkg
	name string

	mu     sync.Mutex
	known  bool // the configuration has no unknowns
	config cloud.Object
	scope  string
	// explicit configuration is there; until then the provider refuses to act
	configured bool
}

var _ plugin.Provider = (*Provider)(nil)

// Provider returns a new, unconfigured instance of the package's provider.
func (s *Simulator) Provider(name string) (*Provider, error) {
	p := s.packages[name]
	if p == nil {
		return nil, fmt.Errorf("the simulator has no provider %q; it has %s", name, strings.Join(s.Packages(), ", "))
	}
	return &Provider{sim: s, pkg: p, name: name}, nil
}

// Pkg is the package's name.
func (p *Provider) Pkg() tokens.Package { return tokens.Package(p.name) }

// Handshake tells the engine what this provider understands.
func (p *Provider) Handshake(context.Context, plugin.ProviderHandshakeRequest) (*plugin.ProviderHandshakeResponse, error) {
	return &plugin.ProviderHandshakeResponse{AcceptSecrets: true}, nil
}

// GetPluginInfo names the plugin. It has no version of its own: it serves whichever is asked for.
func (p *Provider) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	return plugin.PluginInfo{Version: &semver.Version{}}, nil
}

// Close implements plugin.Provider.
func (p *Provider) Close() error { return nil }

// SignalCancellation implements plugin.Provider: operations are short, there is nothing to stop.
func (p *Provider) SignalCancellation(context.Context) error { return nil }

// GetMapping implements plugin.Provider: there is no mapping.
func (p *Provider) GetMapping(context.Context, plugin.GetMappingRequest) (plugin.GetMappingResponse, error) {
	return plugin.GetMappingResponse{}, nil
}

// GetMappings implements plugin.Provider: there are no mappings.
func (p *Provider) GetMappings(context.Context, plugin.GetMappingsRequest) (plugin.GetMappingsResponse, error) {
	return plugin.GetMappingsResponse{}, nil
}

// CheckConfig checks the provider's configuration.
func (p *Provider) CheckConfig(_ context.Context, req plugin.CheckConfigRequest) (plugin.CheckConfigResponse, error) {
	news := normalMap(resource.ToResourcePropertyMap(req.News))
	config, failures := p.decodeConfig(news)
	if p.pkg.CheckConfig != nil {
		c := &cloud.CheckCall{URN: string(req.URN), Name: req.URN.Name(), Type: string(req.URN.Type()), Config: config, In: config}
		p.pkg.CheckConfig(c)
		failures = append(failures, c.Failures...)
	}
	return plugin.CheckConfigResponse{
		Properties: resource.FromResourcePropertyMap(news), Failures: engineFailures(failures),
	}, nil
}

// decodeConfig turns the configuration into typed values: all of it but strings arrives as JSON text.
func (p *Provider) decodeConfig(in resource.PropertyMap) (cloud.Object, []cloud.Failure) {
	schema, ok := p.sim.table.Get("pulumi:providers:" + p.name)
	raw := plainMap(in)
	delete(raw, "version")
	delete(raw, "pluginDownloadURL")
	delete(raw, "__internal")
	for name, v := range raw {
		text, isText := v.(string)
		kind := ""
		if ok && schema.Inputs[name] != nil {
			kind = schema.Inputs[name].Type
		}
		if !isText || kind == "string" {
			continue
		}
		if kind == "" && !strings.HasPrefix(text, "[") && !strings.HasPrefix(text, "{") {
			continue
		}
		var decoded any
		if json.Unmarshal([]byte(text), &decoded) == nil {
			raw[name] = cloud.Plain(decoded)
		}
	}
	if !ok {
		return raw, nil
	}
	inputs := maps.Clone(schema.Inputs)
	for name, q := range inputs {
		// What may come from the environment (a token, say) is not needed to simulate.
		if q.Required {
			relaxed := *q
			relaxed.Required = false
			inputs[name] = &relaxed
		}
	}
	c := checker{in: raw}
	return c.object("", raw, inputs), c.failures
}

// DiffConfig tells what differs in the provider's configuration, and whether it replaces the provider.
func (p *Provider) DiffConfig(_ context.Context, req plugin.DiffConfigRequest) (plugin.DiffConfigResponse, error) {
	old, _ := p.decodeConfig(normalMap(req.OldInputs))
	new, _ := p.decodeConfig(normalMap(req.NewInputs))
	schema, ok := p.sim.table.Get("pulumi:providers:" + p.name)
	if !ok {
		schema = &facts.Schema{}
	}
	changes := compareInputs(schema, nil, old, new)
	for i := range changes {
		if slices.Contains(p.pkg.Replaces, topLevel(changes[i].path)) {
			changes[i].replace = true
		}
	}
	return result(changes, false), nil
}

// Configure sets the configuration. While some of it is unknown, in a preview, the provider answers
// as a real one does: it knows nothing.
func (p *Provider) Configure(_ context.Context, req plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	config, _ := p.decodeConfig(normalMap(req.Inputs))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.configured, p.known, p.config, p.scope = true, !cloud.HasUnknown(config), config, p.name
	if p.known && p.pkg.Scope != nil {
		p.scope = p.pkg.Scope(config)
	}
	return plugin.ConfigureResponse{}, nil
}

// ReadIn reads a resource in a scope, without a configured provider of the program: for settling what
// an interrupted run left.
func (s *Simulator) ReadIn(ctx context.Context, scope string, req plugin.ReadRequest) (plugin.ReadResponse, error) {
	p, err := s.Provider(string(req.Type.Package()))
	if err != nil {
		return plugin.ReadResponse{}, err
	}
	p.configured, p.known, p.scope = true, true, scope
	return p.Read(ctx, req)
}

func (p *Provider) state() (known bool, config cloud.Object, scope string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.known, p.config, p.scope
}

func (p *Provider) lookup(typ tokens.Type) (*facts.Schema, *cloud.Type, error) {
	schema, ok := p.sim.table.Get(string(typ))
	if !ok {
		return nil, nil, fmt.Errorf("the simulator knows nothing of the type %s: add its facts to internal/sim/facts/data", typ)
	}
	t := p.pkg.types[string(typ)]
	if t == nil {
		t = &cloud.Type{Token: string(typ)}
	}
	return schema, t, nil
}

// Check refuses inputs the provider would refuse, and fills in defaults and automatic names.
func (p *Provider) Check(_ context.Context, req plugin.CheckRequest) (plugin.CheckResponse, error) {
	known, config, _ := p.state()
	if !known {
		return plugin.CheckResponse{Properties: req.News}, nil
	}
	schema, typ, err := p.lookup(req.URN.Type())
	if err != nil {
		return plugin.CheckResponse{}, err
	}
	news := normalMap(req.News)
	plain := plainMap(news)
	c := checker{in: plain}
	checked := c.object("", plain, schema.Inputs)
	p.sim.World.Lock()
	gen := p.sim.World.GenFor(string(req.URN))
	p.sim.World.Unlock()
	defaults, failures := fillDefaults(schema, checked, req, gen)
	failures = append(c.failures, failures...)
	if len(failures) == 0 && typ.Check != nil {
		call := &cloud.CheckCall{URN: string(req.URN), Name: req.URN.Name(), Type: string(req.URN.Type()), Config: config, In: checked.Clone()}
		if req.Olds != nil {
			call.Old = plainMap(normalMap(req.Olds))
		}
		typ.Check(call)
		failures = append(failures, call.Failures...)
	}
	out := propertyMap(checked, nil, news)
	if len(defaults) > 0 {
		list := make([]resource.PropertyValue, 0, len(defaults))
		for _, name := range defaults {
			list = append(list, resource.NewProperty(name))
		}
		out[defaultsKey] = resource.NewProperty(list)
	}
	return plugin.CheckResponse{Properties: out, Failures: engineFailures(failures)}, nil
}

func engineFailures(in []cloud.Failure) []plugin.CheckFailure {
	var out []plugin.CheckFailure
	for _, f := range in {
		out = append(out, plugin.CheckFailure{Property: resource.PropertyKey(f.Property), Reason: f.Reason})
	}
	return out
}

// Diff compares the inputs before and now.
func (p *Provider) Diff(_ context.Context, req plugin.DiffRequest) (plugin.DiffResponse, error) {
	if known, _, _ := p.state(); !known {
		return plugin.DiffResult{}, plugin.DiffUnavailable("The provider for this resource has inputs that are not known " +
			"during preview.\nThis preview may not correctly represent the changes that will be applied during an update.")
	}
	schema, typ, err := p.lookup(req.URN.Type())
	if err != nil {
		return plugin.DiffResult{}, err
	}
	old, new := plainMap(req.OldInputs), plainMap(req.NewInputs)
	changes := compareInputs(schema, typ, old, new)
	changes = withoutIgnored(changes, req.IgnoreChanges)
	if schema.NoUpdate {
		for i := range changes {
			changes[i].replace = true
		}
	}
	return result(changes, schema.DeleteBeforeReplace || namedByProgram(schema, req.NewInputs, old, new)), nil
}

func withoutIgnored(changes []change, ignored []string) []change {
	return slices.DeleteFunc(changes, func(c change) bool {
		return slices.ContainsFunc(ignored, func(path string) bool {
			return c.path == path || strings.HasPrefix(c.path, path+".") || strings.HasPrefix(c.path, path+"[")
		})
	})
}

// namedByProgram tells whether the program itself names the resource, and still the same: then the
// old one has to go before the new one can have the name.
func namedByProgram(schema *facts.Schema, news resource.PropertyMap, old, new cloud.Object) bool {
	defaults := defaultNames(news)
	for name, prop := range schema.Inputs {
		if prop.AutoName && new[name] != nil && cloud.Equal(old[name], new[name]) && !slices.Contains(defaults, name) {
			return true
		}
	}
	return false
}

// Invoke answers a provider function.
func (p *Provider) Invoke(_ context.Context, req plugin.InvokeRequest) (plugin.InvokeResponse, error) {
	_, config, scope := p.state()
	f := p.pkg.Functions[string(req.Tok)]
	if f == nil {
		return plugin.InvokeResponse{}, fmt.Errorf("the simulator does not know the function %s: add it to the Functions of package %s", req.Tok, p.name)
	}
	args := plainMap(resource.ToResourcePropertyMap(req.Args))
	p.sim.World.Lock()
	defer p.sim.World.Unlock()
	out, err := f(&cloud.InvokeCall{
		Token: string(req.Tok), Config: config, Scope: scope, In: args, World: p.sim.World,
		Gen: cloud.Gen{Seed: p.sim.World.Seed + "\x00" + string(req.Tok)},
	})
	if err != nil {
		return plugin.InvokeResponse{}, fmt.Errorf("invoking %s: %w", req.Tok, err)
	}
	return plugin.InvokeResponse{Properties: resource.FromResourcePropertyMap(propertyMap(out, nil)).Set("id", property.New(stringOr(out["id"], string(req.Tok))))}, nil
}

func stringOr(v any, fallback string) string {
	if s := cloud.Text(v); s != "" {
		return s
	}
	return fallback
}

// Construct, Call, List and Parameterize are not offered by simulated providers.
func (p *Provider) Construct(context.Context, plugin.ConstructRequest) (plugin.ConstructResponse, error) {
	return plugin.ConstructResponse{}, errors.New("simulated providers have no remote components")
}

func cutToken(token string) (pkg, module, name string) {
	parts := strings.SplitN(token, ":", 3)
	for len(parts) < 3 {
		parts = append(parts, "")
	}
	return parts[0], parts[1], parts[2]
}
