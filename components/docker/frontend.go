package docker

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// FrontendType is the type token of Frontend.
const FrontendType = "morphee:docker:Frontend"

// frontendPort is above 1024: the image's Nginx does not start as root.
const frontendPort = 8080

// FrontendArgs are the arguments of NewFrontend.
type FrontendArgs struct {
	// Platform is the host's common part.
	Platform *Platform
	// Image is pinned: Nginx as user 101 on port 8080 with the built files.
	Image string
	// Limits bound the container.
	Limits Limits
	// Host is the public name, such as app.morphee.app.
	Host string
}

// Frontend is the web application.
type Frontend struct {
	pulumi.ResourceState

	// PublicURL is how browsers reach it.
	PublicURL pulumi.StringOutput
	// Service is the container.
	Service *Service
}

// NewFrontend runs the web application's Nginx.
func NewFrontend(ctx *pulumi.Context, name string, args *FrontendArgs, opts ...pulumi.ResourceOption) (*Frontend, error) {
	p := base.Check("Frontend", name)
	p.Require(args.Platform != nil, "Platform", args.Platform, "the host's platform", "")
	p.Require(args.Host != "", "Host", args.Host, "a host name", "morphee:hosts.app")
	if err := p.Err(); err != nil {
		return nil, err
	}
	c := &Frontend{}
	if err := ctx.RegisterComponentResourceV2(FrontendType, name, nil, c, opts...); err != nil {
		return nil, err
	}
	var err error
	c.Service, err = NewService(ctx, name+"-service", &ServiceArgs{
		Platform:      args.Platform,
		ContainerName: "frontend",
		Image:         args.Image,
		Limits:        args.Limits,
		TmpfsMiB:      map[string]int{"/tmp": 16, "/var/cache/nginx": 32, "/var/run": 1},
		User:          "101:101",
		Healthcheck: Healthcheck{
			Test:     []string{"CMD", "wget", "-q", "--spider", fmt.Sprintf("http://127.0.0.1:%d/", frontendPort)},
			Interval: 10 * time.Second, Timeout: 5 * time.Second, StartPeriod: 10 * time.Second, Retries: 3,
		},
		Edge:  true,
		Route: &Route{Name: "frontend", Host: args.Host, Port: frontendPort},
	}, pulumi.Parent(c))
	if err != nil {
		return nil, err
	}
	c.PublicURL = pulumi.Sprintf("https://%s", args.Host)
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"publicUrl": c.PublicURL})
}
