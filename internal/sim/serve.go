package sim

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"

	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/provider"
)

// Server offers the simulated providers over gRPC on the loopback address, for the ordinary CLI.
type Server struct {
	// Debug is the value for the environment variable PULUMI_DEBUG_PROVIDERS.
	Debug string

	session *session
	cancel  chan bool
	done    []<-chan error
	saved   int
	mu      sync.Mutex
}

// Serve opens the stack's world and serves the providers until Close.
func (s Store) Serve(ctx context.Context, stack string, packages []cloud.Package, faults []provider.Fault) (*Server, error) {
	x, err := s.open(ctx, stack)
	if err != nil {
		return nil, err
	}
	simulator, err := provider.New(x.world, packages...)
	if err != nil {
		return nil, errors.Join(err, x.close())
	}
	simulator.Faults = provider.NewFaults(faults, nil)
	srv := &Server{session: x, cancel: make(chan bool), saved: x.world.Revision()}
	var debug []string
	for _, name := range simulator.Packages() {
		handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
			Cancel: srv.cancel,
			Init: func(g *grpc.Server) error {
				shared := &sharedProvider{sim: simulator, name: name, instances: map[string]*provider.Provider{}}
				pulumirpc.RegisterResourceProviderServer(g, plugin.NewProviderServer(shared))
				return nil
			},
		})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("serving %s: %w", name, err), srv.Close(ctx))
		}
		srv.done = append(srv.done, handle.Done)
		debug = append(debug, fmt.Sprintf("%s:%d", name, handle.Port))
	}
	slices.Sort(debug)
	srv.Debug = strings.Join(debug, ",")
	return srv, nil
}

// Save writes the world when it has changed since the last time. The state is the CLI's own affair.
func (s *Server) Save(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.session.world.Lock()
	now := s.session.world.Revision()
	s.session.world.Unlock()
	if now == s.saved {
		return nil
	}
	if err := writeWorld(ctx, filepath.Join(s.session.dir, "world.json"), s.session.world, s.session.manager); err != nil {
		return fmt.Errorf("writing the simulated world: %w", err)
	}
	s.saved = now
	return nil
}

// Wait saves the world as it changes until the context ends.
func (s *Server) Wait(ctx context.Context) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := s.Save(ctx); err != nil {
				return err
			}
		}
	}
}

// Close stops serving and writes the world.
func (s *Server) Close(ctx context.Context) error {
	close(s.cancel)
	var errs []error
	for _, done := range s.done {
		errs = append(errs, <-done)
	}
	return errors.Join(append(errs, s.Save(context.WithoutCancel(ctx)), s.session.close())...)
}

// sharedProvider stands for a package on its port. The CLI connects once for every provider resource
// of the program, all of them to this one port, and configures each by itself: the connection tells
// them apart.
type sharedProvider struct {
	plugin.UnimplementedProvider
	sim       *provider.Simulator
	name      string
	mu        sync.Mutex
	instances map[string]*provider.Provider
}

func (p *sharedProvider) of(ctx context.Context) (*provider.Provider, error) {
	key := ""
	if from, ok := peer.FromContext(ctx); ok {
		key = from.Addr.String()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if one := p.instances[key]; one != nil {
		return one, nil
	}
	one, err := p.sim.Provider(p.name)
	if err == nil {
		p.instances[key] = one
	}
	return one, err
}

// on calls one method of the connection's own instance.
func on[Req, Resp any](
	ctx context.Context, p *sharedProvider, req Req, call func(*provider.Provider, context.Context, Req) (Resp, error),
) (Resp, error) {
	one, err := p.of(ctx)
	if err != nil {
		var none Resp
		return none, err
	}
	return call(one, ctx, req)
}

func (p *sharedProvider) Pkg() tokens.Package                      { return tokens.Package(p.name) }
func (p *sharedProvider) Close() error                             { return nil }
func (p *sharedProvider) SignalCancellation(context.Context) error { return nil }

// Attach is how the CLI greets a provider that it did not start itself. There is nothing to tell it.
func (p *sharedProvider) Attach(string) error { return nil }

func (p *sharedProvider) Handshake(ctx context.Context, r plugin.ProviderHandshakeRequest) (*plugin.ProviderHandshakeResponse, error) {
	return on(ctx, p, r, (*provider.Provider).Handshake)
}
func (p *sharedProvider) GetPluginInfo(ctx context.Context) (plugin.PluginInfo, error) {
	one, err := p.of(ctx)
	if err != nil {
		return plugin.PluginInfo{}, err
	}
	return one.GetPluginInfo(ctx)
}
func (p *sharedProvider) GetMapping(ctx context.Context, r plugin.GetMappingRequest) (plugin.GetMappingResponse, error) {
	return on(ctx, p, r, (*provider.Provider).GetMapping)
}
func (p *sharedProvider) GetMappings(ctx context.Context, r plugin.GetMappingsRequest) (plugin.GetMappingsResponse, error) {
	return on(ctx, p, r, (*provider.Provider).GetMappings)
}
func (p *sharedProvider) CheckConfig(ctx context.Context, r plugin.CheckConfigRequest) (plugin.CheckConfigResponse, error) {
	return on(ctx, p, r, (*provider.Provider).CheckConfig)
}
func (p *sharedProvider) DiffConfig(ctx context.Context, r plugin.DiffConfigRequest) (plugin.DiffConfigResponse, error) {
	return on(ctx, p, r, (*provider.Provider).DiffConfig)
}
func (p *sharedProvider) Configure(ctx context.Context, r plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	return on(ctx, p, r, (*provider.Provider).Configure)
}
func (p *sharedProvider) Check(ctx context.Context, r plugin.CheckRequest) (plugin.CheckResponse, error) {
	return on(ctx, p, r, (*provider.Provider).Check)
}
func (p *sharedProvider) Diff(ctx context.Context, r plugin.DiffRequest) (plugin.DiffResponse, error) {
	return on(ctx, p, r, (*provider.Provider).Diff)
}
func (p *sharedProvider) Create(ctx context.Context, r plugin.CreateRequest) (plugin.CreateResponse, error) {
	return on(ctx, p, r, (*provider.Provider).Create)
}
func (p *sharedProvider) Read(ctx context.Context, r plugin.ReadRequest) (plugin.ReadResponse, error) {
	return on(ctx, p, r, (*provider.Provider).Read)
}
func (p *sharedProvider) Update(ctx context.Context, r plugin.UpdateRequest) (plugin.UpdateResponse, error) {
	return on(ctx, p, r, (*provider.Provider).Update)
}
func (p *sharedProvider) Delete(ctx context.Context, r plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	return on(ctx, p, r, (*provider.Provider).Delete)
}
func (p *sharedProvider) Invoke(ctx context.Context, r plugin.InvokeRequest) (plugin.InvokeResponse, error) {
	return on(ctx, p, r, (*provider.Provider).Invoke)
}
