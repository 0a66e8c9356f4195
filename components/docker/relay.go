package docker

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// RelayType is the type token of Relay.
const RelayType = "morphee:docker:Relay"

// RelayMode says what a Relay does.
type RelayMode string

const (
	// RelayFreeze refuses requests that write, with 503 and Retry-After. Everything else never sees
	// the relay and goes to the services as before.
	RelayFreeze RelayMode = "freeze"
	// RelayForward hands everything on to another platform.
	RelayForward RelayMode = "forward"
)

const (
	relayPort       = 8080
	relayHealthPort = 8081
	// relayPriority puts the relay's routes before all others for the same name, and freezePriority
	// what refuses before what hands on, while there are both.
	relayPriority  = 2000
	freezePriority = 2001
)

// RelayHost is a public name that the relay answers for.
type RelayHost struct {
	// Host is the public name, such as api.morphee.app.
	Host string
	// Git says that it is the git server's: in RelayFreeze cloning and fetching go on, although
	// they are POST requests, and pushing ends at its first request, although that is a GET.
	Git bool
	// WritePaths are paths on which even a GET writes, such as /verify of the sign-in, each exact.
	// Refused in RelayFreeze with any method.
	WritePaths []string
}

// RelayArgs are the arguments of NewRelay. Every change replaces the container; for the seconds in
// between the services behind it answer, if they are there.
type RelayArgs struct {
	// Platform is the host's common part. Its proxy must be Traefik 3: the rules are in its syntax.
	Platform *Platform
	// Image is pinned: Nginx 1.22 or newer with a user 101 and a bundle of CA certificates at
	// /etc/ssl/certs/ca-certificates.crt. The official images have both.
	Image string
	// Limits bound the container. 64 MiB carry some hundred WebSockets.
	Limits Limits
	// Mode is what the relay does.
	Mode RelayMode
	// Hosts by a short stable name, such as "api"; one or more, at most one of them Git.
	Hosts map[string]RelayHost
	// AppHost is the public name of the web application, which may read the refusals of
	// RelayFreeze: without it a browser tells the application only that something failed. Optional.
	AppHost string
	// Upstream is the DNS name of the other platform's load balancer. It is resolved again and
	// again, at most 30 s stale; it must present a valid certificate for each of Hosts on port 443.
	// Required by RelayForward, which alone takes it.
	Upstream pulumi.StringInput
	// After must be up before, such as the services behind Upstream.
	After []pulumi.Resource
	// IdleTimeoutSeconds after which a silent connection is closed, 60 to 4000; default 3600, for
	// WebSockets. As long as the load balancer's, so that neither hides the other's.
	IdleTimeoutSeconds int
}

// Relay answers for public names in place of the services on this host, while another platform
// takes over.
type Relay struct {
	pulumi.ResourceState

	// Service is the container.
	Service *Service
}

// NewRelay runs the relay.
func NewRelay(ctx *pulumi.Context, name string, in *RelayArgs, opts ...pulumi.ResourceOption) (*Relay, error) {
	args := *in
	args.IdleTimeoutSeconds = orDefault(args.IdleTimeoutSeconds, 3600)
	if err := args.validate(name); err != nil {
		return nil, err
	}
	r := &Relay{}
	if err := ctx.RegisterComponentResourceV2(RelayType, name, nil, r, opts...); err != nil {
		return nil, err
	}
	var err error
	r.Service, err = NewService(ctx, name+"-service", &ServiceArgs{
		Platform: args.Platform,
		// One of each mode can be there at once, so that what writes is refused until the other is up.
		ContainerName: "relay-" + string(args.Mode),
		Image:         args.Image,
		Limits:        args.Limits,
		// The image's own start script would edit its configuration, which is read-only.
		Entrypoint: []string{"nginx"},
		Command:    []string{"-e", "stderr", "-c", FilePath("nginx.conf")},
		Files:      []File{{Name: "nginx.conf", Content: args.config()}},
		TmpfsMiB:   map[string]int{"/tmp": 16},
		User:       "101:101",
		Healthcheck: Healthcheck{
			Test:     []string{"CMD", "wget", "-q", "--spider", fmt.Sprintf("http://127.0.0.1:%d/", relayHealthPort)},
			Interval: 5 * time.Second, Timeout: 5 * time.Second, StartPeriod: 10 * time.Second, Retries: 3,
		},
		Edge:   true,
		Routes: args.routes(),
		After:  args.After,
	}, pulumi.Parent(r))
	if err != nil {
		return nil, err
	}
	return r, ctx.RegisterResourceOutputs(r, pulumi.Map{"containerName": r.Service.ContainerName, "mode": pulumi.String(args.Mode)})
}

// routes are one for each host. Their names carry the mode, so that the routes of the container that
// goes and of the one that comes never contradict each other.
func (a *RelayArgs) routes() []*Route {
	var out []*Route
	for _, key := range sortedKeys(a.Hosts) {
		r := &Route{Name: fmt.Sprintf("relay-%s-%s", a.Mode, key), Host: a.Hosts[key].Host, Port: relayPort, Priority: relayPriority}
		if a.Mode == RelayFreeze {
			r.Priority = freezePriority
			r.Rule = a.Hosts[key].writes()
		}
		out = append(out, r)
	}
	return out
}

var (
	relayKeyPattern  = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	relayHostPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$`)
	relayPathPattern = regexp.MustCompile(`^/[A-Za-z0-9/._-]*$`)
)

func (a *RelayArgs) validate(name string) error {
	p := base.Check("Relay", name)
	p.Require(a.Platform != nil, "Platform", a.Platform, "the host's platform", "")
	p.Require(slices.Contains([]RelayMode{RelayFreeze, RelayForward}, a.Mode), "Mode", a.Mode, "freeze or forward", "morphee:migration.writes")
	p.Require(len(a.Hosts) > 0, "Hosts", "none", "at least one", "")
	git, seen := 0, map[string]bool{}
	for _, key := range sortedKeys(a.Hosts) {
		h, field := a.Hosts[key], "Hosts."+key
		p.Require(relayKeyPattern.MatchString(key), field, key, "a name of lower case letters, digits and single hyphens", "")
		p.Require(relayHostPattern.MatchString(h.Host), field+".Host", h.Host, "a host name in lower case", "morphee:hosts")
		p.Require(!seen[h.Host], field+".Host", h.Host, "each name once", "morphee:hosts")
		seen[h.Host] = true
		if h.Git {
			git++
		}
		for _, path := range h.WritePaths {
			p.Require(relayPathPattern.MatchString(path), field+".WritePaths", path, "a path of letters, digits and /._-", "")
		}
	}
	p.Require(git <= 1, "Hosts", fmt.Sprintf("%d git servers", git), "at most one", "")
	p.Require(a.AppHost == "" || relayHostPattern.MatchString(a.AppHost), "AppHost", a.AppHost, "a host name in lower case", "morphee:hosts.app")
	p.Require((a.Upstream != nil) == (a.Mode == RelayForward), "Upstream", a.Upstream, "the other platform's load balancer with mode forward, nothing with freeze", "")
	p.Require(a.IdleTimeoutSeconds >= 60 && a.IdleTimeoutSeconds <= 4000, "IdleTimeoutSeconds", a.IdleTimeoutSeconds, "60 to 4000", "")
	return p.Err()
}
