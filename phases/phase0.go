package phases

import (
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/cloudflare"
	"github.com/morphee-app/morphee-infra/components/docker"
	"github.com/morphee-app/morphee-infra/components/forgejo"
	"github.com/morphee-app/morphee-infra/components/hetzner"
	"github.com/morphee-app/morphee-infra/components/secrets"
	"github.com/morphee-app/morphee-infra/internal/config"
)

// Phase0 is everything on one server: proxy, frontend, backend, sign-in, PostgreSQL and Redis.
func Phase0(ctx *pulumi.Context, in Input) (pulumi.Map, error) {
	s := &server{ctx: ctx, in: in, cfg: in.Config}
	return s.compose(s.shared, s.machine, s.data, s.signIn, s.app, s.names)
}

// server is a stack whose platform is the Hetzner server, while it is being composed. The steps
// fill it in, each from what those before it made. Phase 1 puts further steps between phase 0's,
// so the two have the same names and parents, and going up replaces no data.
type server struct {
	ctx *pulumi.Context
	in  Input
	cfg config.Config

	secrets   *secrets.Shared
	host      *hetzner.VpsHost
	hostArgs  hetzner.VpsHostArgs // how it was made; further servers are made alike
	platform  *docker.Platform
	postgres  *docker.Postgres
	databases *docker.PostgresDatabases
	redis     *docker.Redis
	gotrue    *docker.GoTrue
	backend   *docker.Backend
	frontend  *docker.Frontend
	git       *git // from phase 1 on

	// The database server that the services use, and what was made on it for them.
	db    *docker.ManagedServer
	roles *docker.PostgresDatabases

	bucket      *cloudflare.BackupBucket // of the daily backups, when another platform shares it
	credentials *forgejo.Credentials     // from phase 1 on
	gitHost     *hetzner.VpsHost         // in phase 2, when Forgejo has or will have a server of its own
	gitPlatform *docker.Platform

	outputs pulumi.Map
}

// url is the connection string of a database on the server that the services use.
func (s *server) url(db docker.Database) pulumi.StringOutput { return s.roles.ManagedURL(s.db, db) }

// The databases of phase 0. GoTrue keeps its tables in a schema of that name.
var (
	appDatabase  = docker.Database{Name: "morphee", Owner: "morphee"}
	authDatabase = docker.Database{Name: "auth", Owner: "auth", Schema: "auth"}
)

func (s *server) compose(steps ...func() error) (pulumi.Map, error) {
	s.outputs = pulumi.Map{}
	return s.outputs, inOrder(steps...)
}

func (s *server) shared() (err error) {
	s.secrets, err = sharedSecrets(s.ctx, s.in)
	return err
}

// machine is the server, and Docker's networks and proxy on it.
func (s *server) machine() (err error) {
	c := s.cfg
	args := &hetzner.VpsHostArgs{
		ServerType: c.Server.Type, Image: c.Server.Image, Location: c.Server.Location,
		VolumeSizeGiB: c.Server.VolumeSizeGiB, SwapMiB: c.Server.SwapMiB, Timezone: c.Server.Timezone,
		DockerVersion: c.Server.DockerVersion, RebootTime: c.Server.RebootTime, DisableBackups: !c.Server.Backups,
		IPv6: c.Server.IPv6, NetworkCIDR: c.Server.NetworkCIDR, SubnetCIDR: c.Server.SubnetCIDR,
		SSHUser: c.SSH.User, AuthorizedKeys: c.SSH.AuthorizedKeys, SSHSources: c.SSH.AllowedSources,
		AllowAnySSHSource: c.SSH.AllowAnySource, SSHPort: c.SSH.Port, SSHOptions: c.SSH.Options,
		ReadyTimeoutSeconds: c.SSH.ReadyTimeoutSeconds,
		Tags:                s.in.Tags(), Disposable: c.Disposable,
	}
	if c.Forgejo.Enabled && !c.ForgejoMoved() && !c.Relays() { // a relay sees no SSH
		args.ForgejoSSHPort = c.Forgejo.SSHPort
	}
	if c.ReverseProxy == docker.ProxyCoolify {
		args.CoolifyVersion = c.Coolify.Version
	}
	if c.Registry.Host != "" {
		args.Registries = []hetzner.Registry{{Address: c.Registry.Host, Username: c.Registry.Username, Password: s.in.secret(c.Registry.Password)}}
	}
	if s.host, err = hetzner.NewVpsHost(s.ctx, "vps", args); err != nil {
		return err
	}
	s.hostArgs = *args
	s.outputs["publicIp"] = s.host.PublicIP
	if c.Server.IPv6 {
		s.outputs["publicIpv6"] = s.host.PublicIPv6
	}
	s.outputs["sshUser"] = pulumi.String(s.host.SSHUser)

	s.platform, err = docker.NewPlatform(s.ctx, "docker", &docker.PlatformArgs{
		Prefix: "morphee", Proxy: c.ReverseProxy, CoolifyNetwork: c.Coolify.Network,
		MemoryMiB: c.ContainerMemoryMiB(), Tags: s.in.Tags(), Disposable: c.Disposable,
	}, pulumi.Providers(s.host.DockerProvider))
	if err != nil || c.ReverseProxy != docker.ProxyTraefik {
		return err
	}
	_, err = docker.NewTraefik(s.ctx, "traefik", &docker.TraefikArgs{
		Platform: s.platform, Image: c.Images.Traefik, AcmeEmail: c.AcmeEmail, IPv6: c.Server.IPv6,
		UploadTimeoutSeconds: c.Forgejo.GitTimeoutSeconds, Limits: limits(c.Limits.Traefik),
	}, pulumi.Parent(s.platform))
	return err
}

// data is PostgreSQL with the databases of phase 0, and Redis.
func (s *server) data() (err error) {
	c, child := s.cfg, pulumi.Parent(s.platform)
	if !c.Database.KeepContainer {
		return s.cache()
	}
	if s.postgres, err = docker.NewPostgres(s.ctx, "postgres", &docker.PostgresArgs{
		Platform: s.platform, Image: c.Images.Postgres, Limits: limits(c.Limits.Postgres),
	}, child); err != nil {
		return err
	}
	if s.databases, err = docker.NewPostgresDatabases(s.ctx, "databases", &docker.PostgresDatabasesArgs{
		Platform: s.platform, Server: s.postgres, ContainerName: "databases",
		Databases: []docker.Database{appDatabase, authDatabase},
	}, child); err != nil {
		return err
	}
	s.db, s.roles = s.postgres.Managed(), s.databases
	return s.cache()
}

// cache is Redis, from phase 2 on with a replica and Sentinels.
func (s *server) cache() (err error) {
	c := s.cfg
	args := &docker.RedisArgs{
		Platform: s.platform, Image: c.Images.Redis, Limits: limits(c.Limits.Redis), AlarmMiB: c.Alarms.RedisMemoryMB,
	}
	if c.Redis.Sentinel {
		args.Sentinel = &docker.SentinelArgs{Limits: limits(c.Limits.Sentinel)}
	}
	s.redis, err = docker.NewRedis(s.ctx, "redis", args, pulumi.Parent(s.platform))
	return err
}

// away says whether another platform's data counts, and the services here have stopped.
func (s *server) away() bool { return s.cfg.Moving() && s.cfg.Migration.OnAWS() }

func (s *server) signIn() (err error) {
	c := s.cfg
	if s.away() {
		return nil
	}
	s.gotrue, err = docker.NewGoTrue(s.ctx, "gotrue", &docker.GoTrueArgs{
		Platform: s.platform, Image: c.Images.GoTrue, Limits: limits(c.Limits.GoTrue), Replicas: c.Auth.Replicas,
		Host: c.Hosts.Auth, AppHost: c.Hosts.App,
		SignupEnabled: c.Auth.SignupEnabled, TokenLifetimeSeconds: c.Auth.TokenLifetimeSeconds,
		SMTP: docker.SMTP{
			Host: c.Auth.SMTP.Host, Port: c.Auth.SMTP.Port, Username: c.Auth.SMTP.Username,
			Password: s.in.secret(c.Auth.SMTP.Password), Sender: c.Auth.SMTP.Sender,
		},
		DatabaseURL: s.url(authDatabase), DatabaseServer: s.db, JWTSecret: s.secrets.JWTSecret, Database: s.roles.Ready,
	}, pulumi.Parent(s.platform))
	if err != nil {
		return err
	}
	s.outputs["authUrl"] = s.gotrue.PublicURL
	return nil
}

// app is the backend and the frontend.
func (s *server) app() (err error) {
	c, child := s.cfg, pulumi.Parent(s.platform)
	args := &docker.BackendArgs{
		Platform: s.platform, Image: c.Images.Backend, Limits: limits(c.Limits.Backend),
		Host: c.Hosts.API, AppHost: c.Hosts.App, Port: c.Backend.Port, HealthPath: c.Backend.HealthPath,
		Replicas: c.Backend.Replicas, Environment: c.Backend.Environment, Secrets: s.in.secretMap(c.Backend.Secrets), Stopped: s.away(),
	}
	if !args.Stopped {
		args.DatabaseURL, args.DatabaseServer, args.RedisURL = s.url(appDatabase), s.db, s.redis.URL
		args.AuthURL, args.JWTSecret = s.gotrue.InternalURL, s.secrets.JWTSecret
		args.After = []pulumi.Resource{s.roles.Ready, s.redis.Ready, s.gotrue.Service.Container}
	}
	if c.Moving() && c.Migration.Frozen() {
		args.Environment = map[string]string{}
		maps.Copy(args.Environment, c.Backend.Environment)
		maps.Copy(args.Environment, frozen)
	}
	if s.git != nil && !args.Stopped {
		args.Forgejo = s.git.link()
	}
	if s.backend, err = docker.NewBackend(s.ctx, "backend", args, child); err != nil {
		return err
	}
	s.outputs["apiUrl"] = s.backend.PublicURL
	if s.frontend, err = docker.NewFrontend(s.ctx, "frontend", &docker.FrontendArgs{
		Platform: s.platform, Image: c.Images.Frontend, Limits: limits(c.Limits.Frontend), Host: c.Hosts.App,
	}, child); err != nil {
		return err
	}
	s.outputs["appUrl"] = s.frontend.PublicURL
	return nil
}

// names are the public names at Cloudflare, which lead to the names of the servers.
func (s *server) names() error {
	if !s.cfg.DNS.Manage {
		return nil
	}
	records, err := s.addresses()
	if err != nil {
		return err
	}
	_, err = publicNames(s.ctx, s.in, records.ZoneID, s.hosts(), []pulumi.Resource{records})
	return err
}

// addresses are the names of the servers themselves.
func (s *server) addresses() (*cloudflare.DnsRecords, error) {
	c := s.cfg
	args := &cloudflare.DnsRecordsArgs{
		AccountID: c.CloudflareAccountID, ZoneID: c.DNS.ZoneID, ZoneName: c.DNS.Zone,
		IPv4: s.host.PublicIP, TTLSeconds: c.DNS.TTLSeconds, Tags: s.in.Tags(),
		Hosts: []cloudflare.DnsHost{{Name: c.Hosts.Server, Proxied: c.DNS.Proxied}},
	}
	if c.Server.IPv6 {
		args.IPv6 = s.host.PublicIPv6
	}
	if s.gitHost != nil {
		host := cloudflare.DnsHost{Name: c.Hosts.GitServer, Proxied: c.DNS.Proxied, IPv4: s.gitHost.PublicIP}
		if c.Server.IPv6 {
			host.IPv6 = s.gitHost.PublicIPv6
		}
		args.Hosts = append(args.Hosts, host)
	}
	return cloudflare.NewDnsRecords(s.ctx, "dns", args)
}

// hosts say which server each public name leads to.
func (s *server) hosts() []cloudflare.PublicName {
	c := s.cfg
	var out []cloudflare.PublicName
	for _, host := range c.PublicNames() {
		name := cloudflare.PublicName{Host: host, Target: c.Hosts.Server, Proxied: c.DNS.Proxied}
		if host == c.Hosts.Git && c.ForgejoMoved() {
			name.Target = c.Hosts.GitServer
		}
		out = append(out, name)
	}
	return out
}

func limits(l config.Limits) docker.Limits {
	return docker.Limits{MemoryMiB: l.MemoryMiB, CPUs: l.CPUs, Pids: l.Pids}
}
