// Package docker has the services that run on one Docker host, and what they have in common.
package docker

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pulumi/pulumi-docker/sdk/v4/go/docker"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// ServiceType is the type token of Service.
const ServiceType = "morphee:docker:Service"

// Limits bound one container.
type Limits struct {
	// MemoryMiB is the most memory, in MiB, 16 or more; the container is killed above it. Swap
	// is not added to it. Changes in place.
	MemoryMiB int
	// CPUs is the most processor time, in cores, 0.01 or more. Replaces the container.
	CPUs float64
	// Pids is the most processes and threads, 16 or more. The provider has no pids cgroup, so it
	// is the nproc limit, which counts over all containers that run as the same user id. Replaces
	// the container.
	Pids int
}

// sharedUserPids is the least for a container of PostgreSQL's or Redis's image. Both run as user 999, and
// the limit counts the processes and threads of all of them: 100 connections, the servers' own, the
// Sentinels and the health checks are some 180.
const sharedUserPids = 256

var wantSharedPids = fmt.Sprintf("%d or more: PostgreSQL's and Redis's containers run as one user id", sharedUserPids)

// Healthcheck says when the container works. Durations must be whole seconds.
type Healthcheck struct {
	// Test in Docker's form: "CMD", "executable", … or "CMD-SHELL", "command".
	Test []string
	// Interval between checks, Timeout of one, and StartPeriod in which failures do not count.
	Interval, Timeout, StartPeriod time.Duration
	// Retries is how many failures in a row make it unhealthy, 1 or more.
	Retries int
}

// Mount puts a volume or a path of the host into the container.
type Mount struct {
	// Volume is the name of a volume. Either it or HostPath is set.
	Volume pulumi.StringInput
	// HostPath is a path of the host; always read-only.
	HostPath string
	// Path in the container.
	Path string
	// ReadOnly mounts the volume read-only.
	ReadOnly bool
}

// Port is published on the host. Only the proxy has any, and Forgejo's SSH if asked for.
type Port struct {
	External, Internal int
	// IP of the host to listen on: "0.0.0.0" or "::".
	IP string
}

// ServiceArgs are the arguments of NewService. Unless said otherwise, a change replaces the
// container, which is stopped and removed before the new one starts; volumes stay.
type ServiceArgs struct {
	// Platform is the host's common part.
	Platform *Platform
	// ContainerName is the name on the host and in the networks.
	ContainerName string
	// Image is pinned by tag or digest, never latest.
	Image string
	// Limits bound the container.
	Limits Limits
	// Entrypoint and Command; empty keeps the image's.
	Entrypoint, Command []string
	// Env are plain settings; secrets go into Files.
	Env map[string]pulumi.StringInput
	// Files are secrets and configuration, read-only under FilesPath.
	Files []File
	// FilesPath is where Files are; default /run/secrets.
	FilesPath string
	// Mounts are the volumes and host paths.
	Mounts []Mount
	// TmpfsMiB are writable scratch places and their sizes in MiB.
	TmpfsMiB map[string]int
	// ShmMiB is the size of /dev/shm in MiB; default 64.
	ShmMiB int
	// User as name or uid[:gid]; empty keeps the image's, for images that are not root anyway or
	// must start as root.
	User string
	// AddCapabilities are given back after all were dropped.
	AddCapabilities []string
	// Writable leaves the root file system writable, for images that need it; say why.
	Writable bool
	// Init runs a small init as process 1, for commands that reap no children.
	Init bool
	// Healthcheck is required; the deployment waits until it passes.
	Healthcheck Healthcheck
	// Edge and Data join the networks. Aliases are further names there.
	Edge, Data bool
	Aliases    []string
	// Route, if any, makes the proxy serve the container, and so do further Routes.
	Route  *Route
	Routes []*Route
	// Ports are published on the host.
	Ports []Port
	// After must be there before the container starts. (A dependency given as an option of the
	// component would not reach the container: Pulumi does not hand it on to children.)
	After []pulumi.Resource
	// StopSeconds is how long the container may take to stop, 1 to 600; default 30.
	StopSeconds int
}

// Service is a container with its image, its files and their volume.
type Service struct {
	pulumi.ResourceState

	// ContainerName is the name on the host.
	ContainerName pulumi.StringOutput
	// Container is there when the service is healthy; depend on it.
	Container *docker.Container
}

// NewService runs a container as every container here is run: pinned image, bounded, healthy
// before it counts as up, no capabilities, no new privileges, read-only root file system, secrets
// as files.
func NewService(ctx *pulumi.Context, name string, args *ServiceArgs, opts ...pulumi.ResourceOption) (*Service, error) {
	if err := args.validate(name); err != nil {
		return nil, err
	}
	if err := args.Platform.reserve("Service", name, args.Limits.MemoryMiB); err != nil {
		return nil, err
	}
	s := &Service{}
	if err := ctx.RegisterComponentResourceV2(ServiceType, name, nil, s, opts...); err != nil {
		return nil, err
	}
	image, err := docker.NewRemoteImage(ctx, name+"-image", &docker.RemoteImageArgs{
		Name: pulumi.String(args.Image),
		// Kept on the host, so that going back to it needs no registry.
		KeepLocally: pulumi.Bool(true),
	}, pulumi.Parent(s))
	if err != nil {
		return nil, err
	}
	volumes := mounts(args.Mounts)
	labels := containerLabels(args.Platform.labels(args.Platform.routesLabels(args.routes())))
	if len(args.Files) > 0 {
		loaded, err := loadFiles(ctx, name, args, image, s)
		if err != nil {
			return nil, err
		}
		volumes = append(volumes, loaded.mount)
		labels = append(labels, loaded.label)
	}
	container := args.container(image, volumes, labels)
	s.Container, err = docker.NewContainer(ctx, name+"-container", container,
		pulumi.Parent(s), pulumi.DeleteBeforeReplace(true), pulumi.DependsOn(args.After))
	if err != nil {
		return nil, err
	}
	s.ContainerName = s.Container.Name
	return s, ctx.RegisterResourceOutputs(s, pulumi.Map{"containerName": s.ContainerName})
}

// container is the container's whole description. Values that Docker would otherwise choose
// (network and IPC mode, runtime, log driver, …) are written out: the provider reads them back,
// and what was left open would show as a change for ever.
func (a *ServiceArgs) container(image *docker.RemoteImage, volumes docker.ContainerVolumeArray, labels docker.ContainerLabelArray) *docker.ContainerArgs {
	c := &docker.ContainerArgs{
		Name:     pulumi.String(a.ContainerName),
		Hostname: pulumi.String(a.ContainerName),
		// The provider reads the image back as an id, so anything else would show as a change.
		Image:       image.ImageId,
		Command:     stringArray(a.Command),
		Entrypoints: stringArray(a.Entrypoint),
		Envs:        envs(a.Env),
		Labels:      labels,
		Volumes:     volumes,
		Tmpfs:       tmpfs(a.TmpfsMiB),

		Restart: pulumi.String("unless-stopped"),
		MustRun: pulumi.Bool(true),
		Start:   pulumi.Bool(true),
		Init:    pulumi.Bool(a.Init),

		Memory:     pulumi.Int(a.Limits.MemoryMiB),
		MemorySwap: pulumi.Int(a.Limits.MemoryMiB), // the same: no swap on top
		Cpus:       pulumi.String(strconv.FormatFloat(a.Limits.CPUs, 'f', -1, 64)),
		ShmSize:    pulumi.Int(orDefault(a.ShmMiB, 64)),
		Ulimits:    pidsLimit(a.Limits.Pids),

		Privileged:      pulumi.Bool(false),
		PublishAllPorts: pulumi.Bool(false),
		ReadOnly:        pulumi.Bool(!a.Writable),
		Capabilities:    capabilities(a.AddCapabilities),
		SecurityOpts:    pulumi.StringArray{pulumi.String("no-new-privileges:true")},

		NetworkMode:      pulumi.String("bridge"),
		NetworksAdvanced: a.networks(),
		IpcMode:          pulumi.String("private"),
		CgroupnsMode:     pulumi.String("private"),
		Runtime:          pulumi.String("runc"),
		LogDriver:        pulumi.String("json-file"),
		LogOpts:          pulumi.StringMap{"max-size": pulumi.String("10m"), "max-file": pulumi.String("5")},

		Healthcheck: a.Healthcheck.input(),
		Wait:        pulumi.Bool(true),
		WaitTimeout: pulumi.Int(a.Healthcheck.waitSeconds()),

		StopTimeout:         pulumi.Int(orDefault(a.StopSeconds, 30)),
		DestroyGraceSeconds: pulumi.Int(orDefault(a.StopSeconds, 30)),
		RemoveVolumes:       pulumi.Bool(true), // anonymous ones only
	}
	if a.User != "" {
		c.User = pulumi.String(a.User)
	}
	var ports docker.ContainerPortArray
	for _, p := range a.Ports {
		ports = append(ports, docker.ContainerPortArgs{
			External: pulumi.Int(p.External), Internal: pulumi.Int(p.Internal),
			Ip: pulumi.String(p.IP), Protocol: pulumi.String("tcp"),
		})
	}
	if len(ports) > 0 {
		c.Ports = ports
	}
	return c
}

// routes are all of them.
func (a *ServiceArgs) routes() []*Route {
	if a.Route == nil {
		return a.Routes
	}
	return append([]*Route{a.Route}, a.Routes...)
}

func (a *ServiceArgs) networks() docker.ContainerNetworksAdvancedArray {
	aliases := pulumi.StringArray{pulumi.String(a.ContainerName)}
	for _, n := range a.Aliases {
		aliases = append(aliases, pulumi.String(n))
	}
	var out docker.ContainerNetworksAdvancedArray
	if a.Edge {
		out = append(out, docker.ContainerNetworksAdvancedArgs{Name: a.Platform.EdgeNetwork, Aliases: aliases})
	}
	if a.Data {
		out = append(out, docker.ContainerNetworksAdvancedArgs{Name: a.Platform.DataNetwork, Aliases: aliases})
	}
	return out
}

func (h Healthcheck) input() docker.ContainerHealthcheckPtrInput {
	return docker.ContainerHealthcheckArgs{
		Tests:       stringArray(h.Test),
		Interval:    pulumi.String(h.Interval.String()),
		Timeout:     pulumi.String(h.Timeout.String()),
		StartPeriod: pulumi.String(h.StartPeriod.String()),
		Retries:     pulumi.Int(h.Retries),
	}
}

// waitSeconds is when a container that is still not healthy never will be.
func (h Healthcheck) waitSeconds() int {
	return int((h.StartPeriod + time.Duration(h.Retries+1)*(h.Interval+h.Timeout)).Seconds())
}

func mounts(list []Mount) docker.ContainerVolumeArray {
	var out docker.ContainerVolumeArray
	for _, m := range list {
		v := docker.ContainerVolumeArgs{ContainerPath: pulumi.String(m.Path), ReadOnly: pulumi.Bool(m.ReadOnly || m.HostPath != "")}
		if m.HostPath != "" {
			v.HostPath = pulumi.String(m.HostPath)
		} else {
			v.VolumeName = m.Volume.ToStringOutput().ToStringPtrOutput()
		}
		out = append(out, v)
	}
	return out
}

// tmpfs mounts are writable for every user, because which one an image runs as is its own matter.
func tmpfs(sizes map[string]int) pulumi.StringMap {
	if len(sizes) == 0 {
		return nil
	}
	out := pulumi.StringMap{}
	for path, mib := range sizes {
		out[path] = pulumi.String(fmt.Sprintf("rw,noexec,nosuid,nodev,size=%dm,mode=1777", mib))
	}
	return out
}

func envs(env map[string]pulumi.StringInput) pulumi.StringArray {
	var out pulumi.StringArray
	for _, k := range sortedKeys(env) {
		if v, ok := env[k].(pulumi.String); ok {
			out = append(out, pulumi.String(k+"="+string(v)))
			continue
		}
		out = append(out, pulumi.Sprintf("%s=%s", k, env[k]))
	}
	return out
}

func capabilities(add []string) docker.ContainerCapabilitiesPtrInput {
	return docker.ContainerCapabilitiesArgs{Drops: stringArray([]string{"ALL"}), Adds: stringArray(add)}
}

func pidsLimit(n int) docker.ContainerUlimitArray {
	return docker.ContainerUlimitArray{docker.ContainerUlimitArgs{Name: pulumi.String("nproc"), Soft: pulumi.Int(n), Hard: pulumi.Int(n)}}
}

func stringArray(list []string) pulumi.StringArray {
	var out pulumi.StringArray
	for _, s := range list {
		out = append(out, pulumi.String(s))
	}
	return out
}

func orDefault(n, def int) int {
	if n == 0 {
		return def
	}
	return n
}

func plainEnv(m map[string]string) map[string]pulumi.StringInput {
	out := map[string]pulumi.StringInput{}
	for k, v := range m {
		out[k] = pulumi.String(v)
	}
	return out
}

func (a *ServiceArgs) validate(name string) error {
	p := base.Check("Service", name)
	p.Require(a.Platform != nil, "Platform", a.Platform, "the host's platform", "")
	p.Require(namePattern.MatchString(a.ContainerName), "ContainerName", a.ContainerName, "a Docker name", "")
	checkImage(p, a.Image)
	p.Require(a.Limits.MemoryMiB >= 16, "Limits.MemoryMiB", a.Limits.MemoryMiB, "16 or more", "morphee:limits")
	p.Require(a.Limits.CPUs >= 0.01, "Limits.CPUs", a.Limits.CPUs, "0.01 or more", "morphee:limits")
	p.Require(a.Limits.Pids >= 16, "Limits.Pids", a.Limits.Pids, "16 or more", "morphee:limits")
	p.Require(a.Edge || a.Data, "Edge, Data", "neither", "at least one network", "")
	p.Require(len(a.routes()) == 0 || a.Edge, "Route", "a route without Edge", "Edge: the proxy is nowhere else", "")
	for _, r := range a.routes() {
		p.Require(!r.Shared || strings.HasPrefix(r.HealthPath, "/"), "Route.HealthPath", "nothing", "a path that tells whether a container of a shared route can serve", "")
	}
	p.Require(a.StopSeconds >= 0 && a.StopSeconds <= 600, "StopSeconds", a.StopSeconds, "1 to 600", "")
	h := a.Healthcheck
	p.Require(len(h.Test) > 1 && strings.HasPrefix(h.Test[0], "CMD"), "Healthcheck.Test", h.Test, "CMD or CMD-SHELL and what to run", "")
	p.Require(h.Interval >= time.Second && h.Timeout >= time.Second && h.Retries >= 1, "Healthcheck", h, "an interval and a timeout of 1 s or more, and 1 retry or more", "")
	for _, m := range a.Mounts {
		p.Require((m.Volume == nil) != (m.HostPath == ""), "Mounts", m.Path, "either a volume or a host path", "")
		p.Require(strings.HasPrefix(m.Path, "/"), "Mounts", m.Path, "an absolute path", "")
	}
	for _, port := range a.Ports {
		p.Require(port.External >= 1 && port.External <= 65535 && port.Internal >= 1 && port.Internal <= 65535, "Ports", port, "1 to 65535", "")
		p.Require(port.IP == "0.0.0.0" || port.IP == "::", "Ports", port.IP, "0.0.0.0 or ::", "")
	}
	for _, k := range sortedKeys(a.Env) {
		p.Require(a.Env[k] != nil, "Env", k, "a value", "")
	}
	checkFiles(p, a)
	return p.Err()
}

// checkImage wants an image that names its version: what runs must not change behind our back.
func checkImage(p *base.Problems, image string) {
	want := "an image pinned by tag or digest, never latest"
	name, digest, hasDigest := strings.Cut(image, "@")
	if hasDigest {
		p.Require(name != "" && strings.HasPrefix(digest, "sha256:") && len(digest) == len("sha256:")+64, "Image", image, want, "morphee:images")
		return
	}
	last := name[strings.LastIndex(name, "/")+1:]
	repo, tag, ok := strings.Cut(last, ":")
	p.Require(ok && repo != "" && tag != "" && tag != "latest" && !strings.ContainsAny(image, " \t"), "Image", image, want, "morphee:images")
}
