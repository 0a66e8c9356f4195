package phases

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/docker"
	"github.com/morphee-app/morphee-infra/components/external"
	"github.com/morphee-app/morphee-infra/components/forgejo"
	"github.com/morphee-app/morphee-infra/components/hetzner"
	"github.com/morphee-app/morphee-infra/internal/config"
)

// Phase2 is phase 1 with a PostgreSQL server beside the container's, replicas of the backend, Redis
// under Sentinels, and, when asked for, a server of its own for Forgejo. Nothing of phase 1 goes:
// which database the services use is a switch of its own (database.cutover), and so is where Forgejo
// runs (forgejo.server.cutover), because data has to be copied in between.
func Phase2(ctx *pulumi.Context, in Input) (pulumi.Map, error) {
	s := &server{ctx: ctx, in: in, cfg: in.Config}
	return s.compose(s.shared, s.machine, s.data, s.managedDatabase, s.gitServer, s.signIn, s.forgejo, s.app, s.backups, s.names)
}

// Places in the private subnet; the server itself has the tenth.
const (
	databasePosition = 11
	gitPosition      = 12
)

// managedDatabase is the PostgreSQL server that is not a container, with the services' databases on
// it; since the cutover, the one that they use.
func (s *server) managedDatabase() (err error) {
	c := s.cfg
	var db *docker.ManagedServer
	switch {
	case c.Database.Provider == "container":
		return nil
	case c.Database.IsExternal():
		db, err = s.externalDatabase()
	default:
		db, err = s.databaseServer()
	}
	if err != nil {
		return err
	}
	db.ClientImage = c.Images.Postgres
	databases := []docker.Database{appDatabase, authDatabase}
	if c.Forgejo.Enabled {
		credentials, err := s.forgejoCredentials()
		if err != nil {
			return err
		}
		databases = append(databases, docker.Database{Name: c.Forgejo.Database, Owner: c.Forgejo.Database, Password: credentials.DatabasePassword})
	}
	roles, err := docker.NewPostgresDatabases(s.ctx, "managed-databases", &docker.PostgresDatabasesArgs{
		Platform: s.platform, Managed: db, ContainerName: "managed-databases", Databases: databases,
	}, pulumi.Parent(s.platform))
	if err != nil {
		return err
	}
	s.outputs["databaseHost"] = pulumi.Sprintf("%s", db.Host)
	if c.Database.Cutover {
		s.db, s.roles = db, roles
	}
	return nil
}

// externalDatabase is Supabase's or Neon's.
func (s *server) externalDatabase() (*docker.ManagedServer, error) {
	e := s.cfg.Database.External
	db, err := external.NewManagedDatabase(s.ctx, "database", &external.ManagedDatabaseArgs{
		Provider: s.cfg.Database.Provider, Host: e.Host, Port: e.Port, Database: e.Database,
		Role: e.Role, Password: s.in.secret(e.Password), SSLMode: e.TLSMode, CACertificate: e.CACertificate,
	})
	if err != nil {
		return nil, err
	}
	return &docker.ManagedServer{
		Host: db.Host, Port: db.Port, AdminPort: db.Port, Admin: db.Admin, AdminPassword: db.AdminPassword,
		MaintenanceDatabase: e.Database, UserSuffix: db.UserSuffix, SSLMode: e.TLSMode, CACertificate: db.CACertificate,
	}, nil
}

// databaseServer is PostgreSQL on a Hetzner server of its own.
func (s *server) databaseServer() (*docker.ManagedServer, error) {
	c, h := s.cfg, s.cfg.Database.Hetzner
	db, err := hetzner.NewPostgresServer(s.ctx, "database", &hetzner.PostgresServerArgs{
		ServerType: h.ServerType, MemoryMiB: config.ServerTypes[h.ServerType].MemoryMiB, Location: c.Server.Location,
		VolumeSizeGiB: h.VolumeSizeGiB, DisableBackups: !c.Server.Backups, Timezone: c.Server.Timezone, RebootTime: c.Server.RebootTime,
		Join: s.host.Beside(databasePosition), NetworkCIDR: c.Server.NetworkCIDR, SubnetCIDR: c.Server.SubnetCIDR,
		SSHUser: c.SSH.User, AuthorizedKeys: c.SSH.AuthorizedKeys, SSHSources: c.SSH.AllowedSources,
		AllowAnySSHSource: c.SSH.AllowAnySource, SSHPort: c.SSH.Port, ReadyTimeoutSeconds: c.SSH.ReadyTimeoutSeconds,
		MaxConnections: h.MaxConnections, Pooler: h.Pooler, ArchiveTimeoutSeconds: h.ArchiveTimeoutSeconds,
		RetentionDays: h.RetentionDays, BackupTime: c.Backups.Daily().Time(), DiskPercent: c.Alarms.DiskPercent,
		Archive: s.databaseArchive, WebhookURL: s.in.secret(c.Backups.AlertWebhook),
		Tags: s.in.Tags(), Disposable: c.Disposable,
	})
	if err != nil {
		return nil, err
	}
	s.outputs["databasePublicIp"] = db.PublicIP
	s.outputs["databaseCaCertificate"] = db.CACertificate
	return &docker.ManagedServer{
		Host: db.Host, Port: db.Port, AdminPort: db.AdminPort, Admin: db.Superuser, AdminPassword: db.SuperuserPassword,
		SSLMode: docker.SSLVerifyFull, CACertificate: db.CACertificate, Ready: []pulumi.Resource{db.Ready},
	}, nil
}

// databaseArchive is a bucket of its own: whoever takes over the server with the containers can
// neither read nor delete what the database is restored from.
func (s *server) databaseArchive(publicIP pulumi.StringOutput) (*hetzner.Archive, error) {
	bucket, err := s.newBucket("database-archive", s.cfg.Database.Hetzner.ArchiveBucket, publicIP)
	if err != nil {
		return nil, err
	}
	s.outputs["databaseArchiveBucket"] = bucket.BucketName
	return &hetzner.Archive{
		Endpoint: bucket.Endpoint, Region: bucket.Region, Bucket: bucket.BucketName,
		AccessKeyID: bucket.AccessKeyID, SecretAccessKey: bucket.SecretAccessKey, EncryptionKey: s.secrets.BackupEncryptionKey,
	}, nil
}

// gitServer is a second host with Docker and a proxy, for Forgejo alone.
func (s *server) gitServer() (err error) {
	c := s.cfg
	if !c.Forgejo.Server.Enabled {
		return nil
	}
	args := s.hostArgs // as the other, in its network
	args.ServerType, args.VolumeSizeGiB = c.Forgejo.Server.ServerType, c.Forgejo.Server.VolumeSizeGiB
	args.ForgejoSSHPort, args.CoolifyVersion = c.Forgejo.SSHPort, ""
	args.Join = s.host.Beside(gitPosition)
	if s.gitHost, err = hetzner.NewVpsHost(s.ctx, "git-vps", &args); err != nil {
		return err
	}
	s.outputs["gitPublicIp"] = s.gitHost.PublicIP
	if s.gitPlatform, err = docker.NewPlatform(s.ctx, "git-docker", &docker.PlatformArgs{
		Prefix: "morphee", MemoryMiB: c.GitContainerMemoryMiB(), Tags: s.in.Tags(), Disposable: c.Disposable,
	}, pulumi.Providers(s.gitHost.DockerProvider)); err != nil {
		return err
	}
	_, err = docker.NewTraefik(s.ctx, "git-traefik", &docker.TraefikArgs{
		Platform: s.gitPlatform, Image: c.Images.Traefik, AcmeEmail: c.AcmeEmail, IPv6: c.Server.IPv6,
		UploadTimeoutSeconds: c.Forgejo.GitTimeoutSeconds, Limits: limits(c.Limits.Traefik),
	}, pulumi.Parent(s.gitPlatform))
	return err
}

// forgejoElsewhere is Forgejo on its own server: until it moves, and after it moved back, its volume
// and nothing else.
func (s *server) forgejoElsewhere(credentials *forgejo.Credentials, roles *docker.PostgresDatabases) error {
	here := s.git.service
	service, err := forgejo.NewForgejoService(s.ctx, "git-forgejo", s.forgejoArgs(credentials, s.git.database, &forgejo.DockerHome{
		Platform: s.gitPlatform, Database: roles.Ready, DatabaseServer: s.db, ByPublicName: true,
		SSHHost: s.gitHost.PublicIP, SSHUser: s.gitHost.SSHUser, SSHPort: s.cfg.SSH.Port, HostID: hostID(s.gitHost),
		Stopped: !s.cfg.ForgejoMoved() || s.away(),
	}), pulumi.Parent(s.gitPlatform))
	if err != nil || !s.cfg.ForgejoMoved() {
		return err
	}
	s.git = &git{database: s.git.database, service: service, host: s.gitHost, left: here.Data}
	return nil
}

// backupsElsewhere are those of Forgejo's own server, to a bucket of its own. Both are there as long
// as the server is; nothing is backed up while Forgejo is not there.
func (s *server) backupsElsewhere() error {
	bucket, err := s.newBucket("git-backups", s.cfg.Forgejo.Server.BackupBucket, s.gitHost.PublicIP)
	if err != nil {
		return err
	}
	args := s.backupArgs(s.gitPlatform, bucket)
	args.Databases = []string{s.git.database.Name}
	args.Sources = []docker.BackupSource{forgejoSource(s.git.service.Data)}
	args.Stopped, args.Paused = !s.cfg.ForgejoMoved(), false
	_, err = docker.NewBackupJob(s.ctx, "git-backup", args, pulumi.Parent(s.gitPlatform))
	s.outputs["gitBackupBucket"] = bucket.BucketName
	return err
}
