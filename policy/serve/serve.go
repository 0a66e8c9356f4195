// Package serve offers a policy pack to the ordinary CLI: it is the analyzer service of Pulumi's
// plugin protocol, with nothing of the engine and of the SDK, so that a pack starts at once.
package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

// largest is the largest message: the whole stack comes in one.
const largest = 400 << 20

// Main serves the pack until it is told to stop, or its parent is gone. It is all that the packs'
// commands do.
func Main(pack rule.Pack) {
	if err := run(pack); err != nil {
		fmt.Fprintf(os.Stderr, "policy pack %s: %v\n", pack.Name, err)
		os.Exit(1)
	}
}

func run(pack rule.Pack) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening on the loopback address: %w", err)
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(largest), grpc.MaxSendMsgSize(largest))
	pulumirpc.RegisterAnalyzerServer(server, New(pack, time.Now))
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	go func() {
		orphaned(os.Getppid(), stop)
		server.Stop()
	}()
	// The protocol: the first line on standard output is the port.
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	if err := server.Serve(listener); !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil // told to stop before it began
}

// orphaned returns when a signal comes, or when whoever started this process is gone: a killed CLI
// must not leave its packs behind.
func orphaned(parent int, stop <-chan os.Signal) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(2 * time.Second):
			if os.Getppid() != parent {
				return
			}
		}
	}
}

// Server is the analyzer service of one pack.
type Server struct {
	pulumirpc.UnimplementedAnalyzerServer
	pack rule.Pack
	now  func() time.Time

	mu      sync.Mutex
	session *rule.Session
}

// New makes the service. now decides which exceptions are over.
func New(pack rule.Pack, now func() time.Time) *Server { return &Server{pack: pack, now: now} }

// Handshake is the engine's greeting.
func (s *Server) Handshake(context.Context, *pulumirpc.AnalyzerHandshakeRequest) (*pulumirpc.AnalyzerHandshakeResponse, error) {
	return &pulumirpc.AnalyzerHandshakeResponse{}, nil
}

// ConfigureStack begins an operation: it brings the stack's configuration, and the exceptions in it.
func (s *Server) ConfigureStack(_ context.Context, r *pulumirpc.AnalyzerStackConfigureRequest) (*pulumirpc.AnalyzerStackConfigureResponse, error) {
	session, err := rule.NewSession(s.pack, rule.Options{
		Project: r.GetProject(), Stack: r.GetStack(), Config: r.GetConfig(), SecretKeys: r.GetConfigSecretKeys(), Preview: r.GetDryRun(), Now: s.now(),
	})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.session = session
	return &pulumirpc.AnalyzerStackConfigureResponse{}, nil
}

// current is the session; without a stack (as in `pulumi policy publish`) it is one without
// configuration.
func (s *Server) current() (*rule.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session == nil {
		session, err := rule.NewSession(s.pack, rule.Options{Now: s.now()})
		if err != nil {
			return nil, err
		}
		s.session = session
	}
	return s.session, nil
}

// GetPluginInfo tells the pack's version.
func (s *Server) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: rule.Version}, nil
}

// GetAnalyzerInfo describes the pack.
func (s *Server) GetAnalyzerInfo(context.Context, *emptypb.Empty) (*pulumirpc.AnalyzerInfo, error) {
	info := &pulumirpc.AnalyzerInfo{
		Name: s.pack.Name, DisplayName: s.pack.Title, Description: s.pack.Title, Version: rule.Version, SupportsConfig: true,
	}
	for _, r := range s.pack.Rules {
		p := &pulumirpc.PolicyInfo{
			Name: r.ID, DisplayName: r.Title, Description: r.Title, Message: r.Reason, RemediationSteps: r.Mend, Tags: r.Refs,
			EnforcementLevel: level(r.Level), PolicyType: pulumirpc.PolicyType_POLICY_TYPE_STACK,
		}
		if r.Check != nil {
			p.PolicyType = pulumirpc.PolicyType_POLICY_TYPE_RESOURCE
		}
		if len(r.Settings) > 0 {
			properties := map[string]any{}
			for _, x := range r.Settings {
				properties[x.Name] = x.Schema()
			}
			schema, err := structpb.NewStruct(properties)
			if err != nil {
				return nil, fmt.Errorf("settings of rule %s: %w", r.ID, err)
			}
			p.ConfigSchema = &pulumirpc.PolicyConfigSchema{Properties: schema}
		}
		info.Policies = append(info.Policies, p)
	}
	return info, nil
}

func level(l rule.Level) pulumirpc.EnforcementLevel {
	switch l {
	case rule.Mandatory:
		return pulumirpc.EnforcementLevel_MANDATORY
	case rule.Disabled:
		return pulumirpc.EnforcementLevel_DISABLED
	}
	return pulumirpc.EnforcementLevel_ADVISORY
}

// Configure brings the policy configuration.
func (s *Server) Configure(_ context.Context, r *pulumirpc.ConfigureAnalyzerRequest) (*emptypb.Empty, error) {
	session, err := s.current()
	if err != nil {
		return nil, err
	}
	levels, settings := map[string]rule.Level{}, map[string]map[string]any{}
	for name, p := range r.GetPolicyConfig() {
		switch p.GetEnforcementLevel() {
		case pulumirpc.EnforcementLevel_MANDATORY, pulumirpc.EnforcementLevel_REMEDIATE:
			levels[name] = rule.Mandatory
		case pulumirpc.EnforcementLevel_ADVISORY:
			levels[name] = rule.Advisory
		case pulumirpc.EnforcementLevel_DISABLED:
			levels[name] = rule.Disabled
		}
		settings[name] = p.GetProperties().AsMap()
	}
	session.Configure(levels, settings)
	return &emptypb.Empty{}, nil
}

// Analyze looks at the inputs of one resource before it is made or changed.
func (s *Server) Analyze(_ context.Context, r *pulumirpc.AnalyzeRequest) (*pulumirpc.AnalyzeResponse, error) {
	session, err := s.current()
	if err != nil {
		return nil, err
	}
	findings := session.Resource(&rule.Resource{
		URN: r.GetUrn(), Type: r.GetType(), Name: r.GetName(), Parent: r.GetOptions().GetParent(), Inputs: tree(r.GetProperties()),
		Protect: r.GetOptions().GetProtect(), AdditionalSecrets: r.GetOptions().GetAdditionalSecretOutputs(), Provider: r.GetProvider().GetUrn(),
	})
	return respond(session.Diagnose(findings)), nil
}

// AnalyzeStack looks at the whole stack.
func (s *Server) AnalyzeStack(_ context.Context, r *pulumirpc.AnalyzeStackRequest) (*pulumirpc.AnalyzeResponse, error) {
	session, err := s.current()
	if err != nil {
		return nil, err
	}
	var list []*rule.Resource
	for _, p := range r.GetResources() {
		dependencies := map[string][]string{}
		for k, v := range p.GetPropertyDependencies() {
			dependencies[k] = v.GetUrns()
		}
		list = append(list, &rule.Resource{
			URN: p.GetUrn(), Type: p.GetType(), Name: p.GetName(), Parent: p.GetParent(), Outputs: tree(p.GetProperties()),
			Protect: p.GetOptions().GetProtect(), AdditionalSecrets: p.GetOptions().GetAdditionalSecretOutputs(),
			Dependencies: p.GetDependencies(), PropertyDeps: dependencies, Provider: p.GetProvider().GetUrn(),
		})
	}
	findings := session.Stack(list)
	return respond(session.DiagnoseStack(findings)), nil
}

func respond(d rule.Diagnosis) *pulumirpc.AnalyzeResponse {
	out := &pulumirpc.AnalyzeResponse{}
	for _, f := range d.Findings {
		out.Diagnostics = append(out.Diagnostics, &pulumirpc.AnalyzeDiagnostic{
			PolicyName: f.Rule, PolicyPackName: f.Pack, PolicyPackVersion: rule.Version, Description: f.Title, Message: f.Message,
			EnforcementLevel: level(f.Level), Urn: f.URN,
		})
	}
	for _, n := range d.Undecided {
		out.NotApplicable = append(out.NotApplicable, &pulumirpc.PolicyNotApplicable{PolicyName: n.Rule, Reason: n.Message})
	}
	return out
}

// Remediate changes nothing: the program is mended, not what it says.
func (s *Server) Remediate(context.Context, *pulumirpc.AnalyzeRequest) (*pulumirpc.RemediateResponse, error) {
	return &pulumirpc.RemediateResponse{}, nil
}

// Cancel has nothing to stop: checks are quick.
func (s *Server) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}
