package forgejo

import (
	_ "embed"
	"fmt"
	"time"

	"github.com/pulumi/pulumi-command/sdk/go/command/remote"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
	"github.com/morphee-app/morphee-infra/components/docker"
)

const (
	containerName = "forgejo"
	// apiScopes are what the backend needs: organizations for groups, repositories with their
	// webhooks for spaces, and to see who it is.
	apiScopes = "write:organization,write:repository,read:user"
)

//go:embed files/bootstrap.sh
var bootstrapScript string

// DockerHome runs Forgejo as a container on a Docker host.
type DockerHome struct {
	// Platform is the host's common part.
	Platform *docker.Platform
	// Database is there before Forgejo starts.
	Database pulumi.Resource
	// SSHHost, SSHUser and SSHPort are how the host is reached to make the administrator. The key
	// is the one of the SSH agent, as for the Docker provider.
	SSHHost pulumi.StringInput
	SSHUser string
	SSHPort int
	// HostID changes when the host is another one; the administrator is then made sure of again.
	HostID pulumi.StringInput
	// DatabaseServer is the database's, when that is not on the host; default nil.
	DatabaseServer *docker.ManagedServer
	// RedisURL, when not nil, keeps sessions and the cache in Redis, each in a database of its own
	// (see docker.Redis.ForgejoURL). The queue stays on the volume: it must survive.
	RedisURL func(database int) pulumi.StringOutput
	// ByPublicName says that who uses Forgejo is on another host, and reaches it by its public name.
	ByPublicName bool
	// Stopped keeps the data volume and nothing else: the installation has moved elsewhere.
	Stopped bool
}

func (h *DockerHome) validate(p *base.Problems) {
	p.Require(h.Platform != nil, "Home.Platform", h.Platform, "the host's platform", "")
	p.Require(h.Database != nil, "Home.Database", h.Database, "what makes the database", "")
	p.Require(h.SSHHost != nil && h.SSHUser != "", "Home.SSHHost, SSHUser", "something missing", "both", "morphee:ssh")
	p.Require(h.SSHPort >= 1 && h.SSHPort <= 65535, "Home.SSHPort", h.SSHPort, "1 to 65535", "morphee:ssh.port")
	p.Require(h.HostID != nil, "Home.HostID", h.HostID, "the host's id", "")
}

func (h *DockerHome) deploy(ctx *pulumi.Context, name string, c *ForgejoService, args *ServiceArgs) (Placement, error) {
	data, err := h.Platform.NewDataVolume(ctx, name+"-data", "forgejo-data", c)
	if err != nil {
		return Placement{}, err
	}
	if h.Stopped {
		nothing := pulumi.String("").ToStringOutput()
		return Placement{InternalURL: nothing, APIToken: nothing, Data: data.Name, Ready: data}, nil
	}
	env := environment(args)
	var files []docker.File
	secrets := secretSettings(args)
	if h.RedisURL != nil {
		env["FORGEJO__cache__ADAPTER"] = pulumi.String("redis")
		env["FORGEJO__session__PROVIDER"] = pulumi.String("redis")
		secrets = append(secrets,
			secretSetting{"FORGEJO__cache__HOST", "cache_host", h.RedisURL(1)},
			secretSetting{"FORGEJO__session__PROVIDER_CONFIG", "session_provider_config", h.RedisURL(2)})
	}
	if s := h.DatabaseServer; s != nil {
		files = s.Files()
		for k, v := range s.Env() {
			env[k] = pulumi.String(v)
		}
	}
	for _, s := range secrets {
		env[s.Env+"__FILE"] = pulumi.String(docker.FilePath(s.File))
		files = append(files, docker.File{Name: s.File, Content: s.Value})
	}
	service, err := docker.NewService(ctx, name+"-service", &docker.ServiceArgs{
		Platform:      h.Platform,
		ContainerName: containerName,
		Image:         args.Settings.Image,
		Limits:        docker.Limits(args.Settings.Limits),
		Env:           env,
		Files:         files,
		Mounts: []docker.Mount{
			{Volume: data.Name, Path: dataPath},
			// The same volume where the image has its data: Docker gives a new volume the owner
			// of the image's folder at its place, and the image has no /data.
			{Volume: data.Name, Path: "/var/lib/gitea"},
			{HostPath: "/etc/timezone", Path: "/etc/timezone"},
			{HostPath: "/etc/localtime", Path: "/etc/localtime"},
		},
		TmpfsMiB: map[string]int{"/tmp": 64, "/etc/gitea": 1},
		User:     "1000:1000",
		Healthcheck: docker.Healthcheck{
			Test:     []string{"CMD", "curl", "-f", fmt.Sprintf("http://localhost:%d/api/v1/version", port)},
			Interval: 30 * time.Second, Timeout: 5 * time.Second, StartPeriod: 60 * time.Second, Retries: 3,
		},
		Edge: true, Data: true,
		Route:       &docker.Route{Name: containerName, Host: args.Settings.Domain, Port: port},
		Ports:       sshPorts(args.Settings.SSHPort),
		After:       []pulumi.Resource{h.Database},
		StopSeconds: 60, // to finish what git is doing
	}, pulumi.Parent(c))
	if err != nil {
		return Placement{}, err
	}
	admin, err := h.bootstrap(ctx, name, c, args, service)
	if err != nil {
		return Placement{}, err
	}
	internal := pulumi.Sprintf("http://%s:%d", containerName, port)
	if h.ByPublicName {
		internal = pulumi.Sprintf("https://%s", args.Settings.Domain)
	}
	return Placement{
		InternalURL: internal,
		APIToken:    pulumi.ToSecret(admin.Stdout).(pulumi.StringOutput),
		Data:        data.Name,
		Ready:       admin,
	}, nil
}

// bootstrap makes the administrator and its token. Forgejo has no way to be given either in its
// configuration, and its command line shows its arguments, so a script on the host does it.
func (h *DockerHome) bootstrap(ctx *pulumi.Context, name string, c *ForgejoService, args *ServiceArgs, service *docker.Service) (*remote.Command, error) {
	s := args.Settings
	script := fmt.Sprintf("container=%s user=%s email=%s scopes=%s\n%s", containerName, s.AdminUser, s.AdminEmail, apiScopes, bootstrapScript)
	return remote.NewCommand(ctx, name+"-admin", &remote.CommandArgs{
		Connection: remote.ConnectionArgs{
			Host: h.SSHHost.ToStringOutput(),
			User: pulumi.String(h.SSHUser),
			Port: pulumi.Float64(float64(h.SSHPort)),
		},
		Create:   pulumi.String(script),
		Stdin:    pulumi.Sprintf("%s\n", args.Credentials.AdminPassword),
		Triggers: pulumi.Array{h.HostID, pulumi.String(s.AdminUser)},
		// Output is the token: it is neither logged nor handed to the next run.
		Logging:                remote.LoggingStderr,
		AddPreviousOutputInEnv: pulumi.Bool(false),
	}, pulumi.Parent(c), pulumi.DependsOn([]pulumi.Resource{service.Container}),
		pulumi.AdditionalSecretOutputs([]string{"stdout"}))
}

// sshPorts publish Forgejo's SSH server if it was asked for.
func sshPorts(external int) []docker.Port {
	if external == 0 {
		return nil
	}
	return []docker.Port{{External: external, Internal: sshPort, IP: "0.0.0.0"}}
}
