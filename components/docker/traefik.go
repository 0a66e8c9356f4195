package docker

import (
	_ "embed"
	"fmt"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// TraefikType is the type token of Traefik.
const TraefikType = "morphee:docker:Traefik"

// certificateResolver is the name that routes refer to.
const certificateResolver = "letsencrypt"

//go:embed files/traefik.yml
var traefikConfig string

// TraefikArgs are the arguments of NewTraefik.
type TraefikArgs struct {
	// Platform must be of ProxyTraefik.
	Platform *Platform
	// Image is pinned; 3.6.1 or newer for Docker 29, which refuses older API clients.
	Image string
	// AcmeEmail is told by Let's Encrypt when a certificate is about to expire.
	AcmeEmail string
	// UploadTimeoutSeconds bounds how long one request may take to arrive: a push of large files
	// must fit. 60 to 7200.
	UploadTimeoutSeconds int
	// IPv6 also listens on the host's IPv6 addresses.
	IPv6 bool
	// Limits bound the container.
	Limits Limits
}

// Traefik is the reverse proxy: the only container that publishes ports, and the only one that
// sees Docker's socket, read-only.
//
// A socket proxy between the two was considered and left out: it would narrow what a taken-over
// Traefik could ask Docker, but it is one more third-party program with the same socket, one more
// thing to keep patched, and the routes need most of what it would let through.
type Traefik struct {
	pulumi.ResourceState

	// Service is the container.
	Service *Service
}

// NewTraefik runs the proxy.
func NewTraefik(ctx *pulumi.Context, name string, args *TraefikArgs, opts ...pulumi.ResourceOption) (*Traefik, error) {
	if err := args.validate(name); err != nil {
		return nil, err
	}
	t := &Traefik{}
	if err := ctx.RegisterComponentResourceV2(TraefikType, name, nil, t, opts...); err != nil {
		return nil, err
	}
	// Certificates can be had again, but only so many a week: losing them can mean days without.
	acme, err := args.Platform.NewDataVolume(ctx, name+"-acme", "traefik-acme", t)
	if err != nil {
		return nil, err
	}
	t.Service, err = NewService(ctx, name+"-service", &ServiceArgs{
		Platform:      args.Platform,
		ContainerName: "traefik",
		Image:         args.Image,
		Limits:        args.Limits,
		Command:       args.flags(),
		Files:         []File{{Name: "traefik.yml", Content: pulumi.String(traefikConfig)}},
		FilesPath:     "/etc/traefik/dynamic",
		Mounts: []Mount{
			{Volume: acme.Name, Path: "/acme"},
			{HostPath: "/var/run/docker.sock", Path: "/var/run/docker.sock"},
		},
		TmpfsMiB: map[string]int{"/tmp": 16},
		// Root without capabilities: the socket belongs to root and a group whose number differs
		// from host to host.
		User: "0:0",
		Healthcheck: Healthcheck{
			Test:     []string{"CMD", "wget", "-q", "--spider", "http://127.0.0.1:8082/ping"},
			Interval: 10 * time.Second, Timeout: 5 * time.Second, StartPeriod: 10 * time.Second, Retries: 5,
		},
		Edge:  true,
		Ports: args.ports(),
	}, pulumi.Parent(t))
	if err != nil {
		return nil, err
	}
	return t, ctx.RegisterResourceOutputs(t, pulumi.Map{"containerName": t.Service.ContainerName})
}

// flags are Traefik's static configuration. There is no --api flag: any of them would switch the
// API on.
func (a *TraefikArgs) flags() []string {
	return []string{
		"--global.checknewversion=false",
		"--global.sendanonymoususage=false",
		"--log.level=INFO",
		"--log.format=json",
		"--accesslog=true",
		"--accesslog.format=json",
		"--accesslog.fields.headers.defaultmode=drop",
		"--ping=true",
		"--ping.entrypoint=ping",
		"--entrypoints.ping.address=127.0.0.1:8082",
		"--entrypoints.web.address=:80",
		"--entrypoints.web.http.redirections.entrypoint.to=websecure",
		"--entrypoints.web.http.redirections.entrypoint.scheme=https",
		"--entrypoints.web.http.redirections.entrypoint.permanent=true",
		"--entrypoints.websecure.address=:443",
		fmt.Sprintf("--entrypoints.websecure.transport.respondingtimeouts.readtimeout=%ds", a.UploadTimeoutSeconds),
		"--providers.docker=true",
		"--providers.docker.exposedbydefault=false",
		"--providers.docker.network=" + a.Platform.edgeName,
		"--providers.file.filename=/etc/traefik/dynamic/traefik.yml",
		"--providers.file.watch=false",
		// The HTTP challenge works whether or not Cloudflare proxies the records.
		"--certificatesresolvers." + certificateResolver + ".acme.email=" + a.AcmeEmail,
		"--certificatesresolvers." + certificateResolver + ".acme.storage=/acme/acme.json",
		"--certificatesresolvers." + certificateResolver + ".acme.httpchallenge=true",
		"--certificatesresolvers." + certificateResolver + ".acme.httpchallenge.entrypoint=web",
	}
}

func (a *TraefikArgs) ports() []Port {
	var out []Port
	for _, port := range []int{80, 443} {
		out = append(out, Port{External: port, Internal: port, IP: "0.0.0.0"})
		if a.IPv6 {
			out = append(out, Port{External: port, Internal: port, IP: "::"})
		}
	}
	return out
}

func (a *TraefikArgs) validate(name string) error {
	p := base.Check("Traefik", name)
	if a.Platform != nil {
		p.Require(a.Platform.proxy == ProxyTraefik, "Platform", a.Platform.proxy, "a platform of proxy traefik; Coolify brings its own", "morphee:reverseProxy")
	} else {
		p.Add("Platform", nil, "the host's platform", "")
	}
	p.Require(a.AcmeEmail != "", "AcmeEmail", a.AcmeEmail, "a mail address", "morphee:acmeEmail")
	p.Require(a.UploadTimeoutSeconds >= 60 && a.UploadTimeoutSeconds <= 7200, "UploadTimeoutSeconds", a.UploadTimeoutSeconds, "60 to 7200", "")
	return p.Err()
}
