package docker

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi-docker/sdk/v4/go/docker"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// PlatformType is the type token of Platform.
const PlatformType = "morphee:docker:Platform"

// Proxies that can stand before the services.
const (
	ProxyTraefik = "traefik" // the project's own Traefik, see NewTraefik
	ProxyCoolify = "coolify" // the Traefik of a Coolify installation on the host
)

// PlatformArgs are the arguments of NewPlatform.
type PlatformArgs struct {
	// Prefix of the networks' names on the host, such as "morphee". Replaces the networks, and
	// every container with them.
	Prefix string
	// Proxy is ProxyTraefik (default) or ProxyCoolify. Replaces the routed containers.
	Proxy string
	// CoolifyNetwork is the existing network of Coolify's Traefik. Required with ProxyCoolify.
	CoolifyNetwork string
	// MemoryMiB is what all containers together may be given: the server's memory less what the
	// system needs. In MiB, 512 or more.
	MemoryMiB int
	// Tags become labels of everything, all but the phase: a label can not change without
	// replacing what it is on, and a phase must be able to.
	Tags base.Tags
	// Disposable leaves data volumes unprotected; for throw-away stacks only.
	Disposable bool
}

// Platform is a Docker host's common part: the two networks, and what every service on it must
// agree on. The services' components are its children and inherit its Docker provider.
//
// Edge reaches the Internet, and the proxy reaches services there. Data is internal: no route
// leads out of it, so PostgreSQL and Redis can neither call out nor be called from outside.
type Platform struct {
	pulumi.ResourceState

	// EdgeNetwork is the name of the network that the proxy is on.
	EdgeNetwork pulumi.StringOutput
	// DataNetwork is the name of the internal network.
	DataNetwork pulumi.StringOutput

	edgeName   string
	proxy      string
	tags       base.Tags
	disposable bool
	budgetMiB  int
	usedMiB    int
}

// NewPlatform creates the networks. The Docker provider comes with opts: pulumi.Providers.
func NewPlatform(ctx *pulumi.Context, name string, args *PlatformArgs, opts ...pulumi.ResourceOption) (*Platform, error) {
	if err := args.validate(name); err != nil {
		return nil, err
	}
	p := &Platform{
		proxy: args.Proxy, tags: args.Tags, disposable: args.Disposable, budgetMiB: args.MemoryMiB,
	}
	if p.proxy == "" {
		p.proxy = ProxyTraefik
	}
	if err := ctx.RegisterComponentResourceV2(PlatformType, name, nil, p, opts...); err != nil {
		return nil, err
	}
	if p.proxy == ProxyCoolify {
		p.edgeName = args.CoolifyNetwork
		p.EdgeNetwork = pulumi.String(args.CoolifyNetwork).ToStringOutput()
	} else {
		p.edgeName = args.Prefix + "-edge"
		edge, err := p.network(ctx, name+"-edge", p.edgeName, false)
		if err != nil {
			return nil, err
		}
		p.EdgeNetwork = edge.Name
	}
	data, err := p.network(ctx, name+"-data", args.Prefix+"-data", true)
	if err != nil {
		return nil, err
	}
	p.DataNetwork = data.Name
	return p, ctx.RegisterResourceOutputs(p, pulumi.Map{
		"edgeNetwork": p.EdgeNetwork, "dataNetwork": p.DataNetwork,
	})
}

func (a *PlatformArgs) validate(name string) error {
	p := base.Check("Platform", name)
	p.Require(namePattern.MatchString(a.Prefix), "Prefix", a.Prefix, "a Docker name", "")
	switch a.Proxy {
	case "", ProxyTraefik:
	case ProxyCoolify:
		p.Require(namePattern.MatchString(a.CoolifyNetwork), "CoolifyNetwork", a.CoolifyNetwork, "the name of Coolify's Docker network", "morphee:coolify.network")
	default:
		p.Add("Proxy", a.Proxy, "traefik or coolify", "morphee:reverseProxy")
	}
	p.Require(a.MemoryMiB >= 512, "MemoryMiB", a.MemoryMiB, "512 or more", "morphee:server.type")
	return p.Err()
}

func (p *Platform) network(ctx *pulumi.Context, logical, name string, internal bool) (*docker.Network, error) {
	return docker.NewNetwork(ctx, logical, &docker.NetworkArgs{
		Name:       pulumi.String(name),
		Driver:     pulumi.String("bridge"),
		Internal:   pulumi.Bool(internal),
		Attachable: pulumi.Bool(false),
		Ipv6:       pulumi.Bool(false),
		Labels:     networkLabels(p.labels(nil)),
		// Labels of a network can only change by replacing it, with every container on it.
	}, pulumi.Parent(p), pulumi.DeleteBeforeReplace(true), pulumi.IgnoreChanges([]string{"labels"}))
}

// reserve takes memory from what the host has, so that no stack is deployed whose containers,
// each within its limit, can together exhaust the server.
func (p *Platform) reserve(component, name string, mib int) error {
	p.usedMiB += mib
	if p.usedMiB > p.budgetMiB {
		return fmt.Errorf("%s %q: Limits.MemoryMiB: the containers so far take %d MiB with its %d, and the server has %d MiB for them; lower a limit under morphee:limits or set a larger morphee:server.type",
			component, name, p.usedMiB, mib, p.budgetMiB)
	}
	return nil
}

// labels are the tags that identify what belongs to the stack, and the extra ones.
func (p *Platform) labels(extra map[string]string) map[string]string {
	m := p.tags.Map()
	delete(m, "phase")
	maps.Copy(m, extra)
	return m
}

// namePattern is what Docker accepts for containers, volumes and networks.
var namePattern = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,62}$`)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func containerLabels(m map[string]string) docker.ContainerLabelArray {
	var out docker.ContainerLabelArray
	for _, k := range sortedKeys(m) {
		out = append(out, docker.ContainerLabelArgs{Label: pulumi.String(k), Value: pulumi.String(m[k])})
	}
	return out
}

func networkLabels(m map[string]string) docker.NetworkLabelArray {
	var out docker.NetworkLabelArray
	for _, k := range sortedKeys(m) {
		out = append(out, docker.NetworkLabelArgs{Label: pulumi.String(k), Value: pulumi.String(m[k])})
	}
	return out
}

func volumeLabels(m map[string]string) docker.VolumeLabelArray {
	var out docker.VolumeLabelArray
	for _, k := range sortedKeys(m) {
		out = append(out, docker.VolumeLabelArgs{Label: pulumi.String(k), Value: pulumi.String(m[k])})
	}
	return out
}
