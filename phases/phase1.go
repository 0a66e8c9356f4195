package phases

import (
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/cloudflare"
	"github.com/morphee-app/morphee-infra/components/docker"
	"github.com/morphee-app/morphee-infra/components/forgejo"
	"github.com/morphee-app/morphee-infra/components/hetzner"
	"github.com/morphee-app/morphee-infra/internal/config"
)

// Phase1 is phase 0 with Forgejo and daily backups off the server.
func Phase1(ctx *pulumi.Context, in Input) (pulumi.Map, error) {
	s := &server{ctx: ctx, in: in, cfg: in.Config}
	// Whoever comes back from phase 2 keeps the servers that it made: they hold data.
	return s.compose(s.shared, s.machine, s.data, s.managedDatabase, s.gitServer, s.signIn, s.forgejo, s.app, s.backups, s.names)
}

// git is Forgejo and what was made for it.
type git struct {
	database docker.Database
	service  *forgejo.ForgejoService
	host     *hetzner.VpsHost    // its own, when it has one
	left     pulumi.StringOutput // the volume where it was before
}

// link is how the backend uses Forgejo.
func (g *git) link() *docker.ForgejoLink {
	return &docker.ForgejoLink{
		URL: g.service.InternalURL, Token: g.service.APIToken, WebhookSecret: g.service.WebhookSecret, Ready: g.service.Ready,
	}
}

// forgejoCredentials are made once, for whoever needs them first.
func (s *server) forgejoCredentials() (*forgejo.Credentials, error) {
	var err error
	if s.credentials == nil {
		s.credentials, err = forgejo.NewCredentials(s.ctx, "forgejo-credentials", &forgejo.CredentialsArgs{Disposable: s.in.Config.Disposable})
	}
	return s.credentials, err
}

// forgejo shares PostgreSQL, with a database and a role of its own.
func (s *server) forgejo() error {
	c := s.cfg
	if !c.Forgejo.Enabled {
		return nil
	}
	credentials, err := s.forgejoCredentials()
	if err != nil {
		return err
	}
	db := docker.Database{Name: c.Forgejo.Database, Owner: c.Forgejo.Database, Password: credentials.DatabasePassword}
	roles := s.roles
	if s.postgres != nil {
		// On PostgreSQL's container each phase made its own. They stay as long as it does.
		made, err := docker.NewPostgresDatabases(s.ctx, "forgejo-databases", &docker.PostgresDatabasesArgs{
			Platform: s.platform, Server: s.postgres, ContainerName: "forgejo-databases", Databases: []docker.Database{db},
		}, pulumi.Parent(s.platform))
		if err != nil {
			return err
		}
		if !c.Database.Cutover {
			roles = made
		}
	}
	service, err := forgejo.NewForgejoService(s.ctx, "forgejo", s.forgejoArgs(credentials, db, &forgejo.DockerHome{
		Platform: s.platform, Database: roles.Ready, DatabaseServer: s.db, RedisURL: s.redisForForgejo(),
		SSHHost: s.host.PublicIP, SSHUser: s.host.SSHUser, SSHPort: c.SSH.Port, HostID: hostID(s.host),
		Stopped: c.ForgejoMoved() || s.away(),
	}), pulumi.Parent(s.platform))
	if err != nil {
		return err
	}
	s.git = &git{database: db, service: service}
	if s.gitHost != nil {
		if err := s.forgejoElsewhere(credentials, roles); err != nil {
			return err
		}
	}
	s.outputs["gitUrl"] = s.git.service.PublicURL
	s.outputs["forgejoAdminUser"] = s.git.service.AdminUser
	s.outputs["forgejoAdminPassword"] = s.git.service.AdminPassword
	return nil
}

// forgejoArgs are the same wherever on Docker Forgejo runs, but for its home.
func (s *server) forgejoArgs(credentials *forgejo.Credentials, db docker.Database, home *forgejo.DockerHome) *forgejo.ServiceArgs {
	return &forgejo.ServiceArgs{
		Settings: forgejoSettings(s.cfg),
		Database: forgejo.Database{
			Host: s.db.Host, Port: s.db.Port, Name: db.Name, User: db.Owner + s.db.UserSuffix,
			Password: credentials.DatabasePassword, SSLMode: s.db.SSLMode,
		},
		Credentials: credentials, Home: home, Tags: s.in.Tags(), Disposable: s.cfg.Disposable,
	}
}

// redisForForgejo keeps its sessions where they survive a container; nil without Sentinels.
func (s *server) redisForForgejo() func(int) pulumi.StringOutput {
	if !s.cfg.Redis.Sentinel {
		return nil
	}
	return s.redis.ForgejoURL
}

func hostID(h *hetzner.VpsHost) pulumi.StringOutput {
	return h.ServerID.ApplyT(strconv.Itoa).(pulumi.StringOutput)
}

// forgejoSettings are the same wherever Forgejo runs, but for its limits.
func forgejoSettings(c config.Config) forgejo.Settings {
	return forgejo.Settings{
		Image: c.Images.Forgejo, Domain: c.Hosts.Git, SSHPort: c.Forgejo.SSHPort,
		AdminUser: c.Forgejo.AdminUser, AdminEmail: c.Forgejo.AdminEmail,
		MaxUploadMiB: c.Forgejo.MaxUploadMiB, GitTimeoutSeconds: c.Forgejo.GitTimeoutSeconds,
		WebhookHosts: []string{"backend"},
		Limits:       forgejo.Limits(limits(c.Limits.Forgejo)),
	}
}

// backups go to Cloudflare R2 every day.
func (s *server) backups() error {
	c := s.cfg
	if !c.Backups.Enabled {
		return nil
	}
	if s.bucket == nil {
		made, err := s.newBucket("backups", c.Backups.Bucket, s.host.PublicIP)
		if err != nil {
			return err
		}
		s.bucket = made
	}
	bucket := s.bucket
	args := s.backupArgs(s.platform, bucket)
	args.Databases = []string{appDatabase.Name, authDatabase.Name}
	args.Sources = []docker.BackupSource{
		{Name: "memory", Kind: docker.BackupGit, Volume: s.backend.MemoryVolume},
		{Name: "files", Kind: docker.BackupFiles, Volume: s.backend.FilesVolume},
	}
	if s.git != nil && s.git.host == nil {
		args.Databases = append(args.Databases, s.git.database.Name)
		args.Sources = append(args.Sources, forgejoSource(s.git.service.Data))
	}
	if s.git != nil && s.git.host != nil {
		// What it left here stays until it is retired.
		args.Sources = append(args.Sources, forgejoSource(s.git.left))
	}
	if s.gitHost != nil {
		if err := s.backupsElsewhere(); err != nil {
			return err
		}
	}
	if _, err := docker.NewBackupJob(s.ctx, "backup", args, pulumi.Parent(s.platform)); err != nil {
		return err
	}
	s.outputs["backupBucket"] = bucket.BucketName
	// To be kept apart from the stack: without it no backup can be read.
	s.outputs["backupEncryptionKey"] = s.secrets.BackupEncryptionKey
	return nil
}

// newBucket is one of Cloudflare R2's, whose key works from one server only. (Containers reach the
// Internet over IPv4 only.)
func (s *server) newBucket(logical, name string, from pulumi.StringOutput) (*cloudflare.BackupBucket, error) {
	return backupBucket(s.ctx, s.in, s.cfg, logical, name, pulumi.StringArray{pulumi.Sprintf("%s/32", from)})
}

// backupArgs are what the backup of any host here has in common.
func (s *server) backupArgs(platform *docker.Platform, bucket *cloudflare.BackupBucket) *docker.BackupJobArgs {
	c := s.cfg
	args := &docker.BackupJobArgs{
		Platform: platform, Image: c.Images.Backup, Limits: limits(c.Limits.Backup),
		Schedule:      c.Backups.Daily().Time(),
		EncryptionKey: s.secrets.BackupEncryptionKey,
		Remote: docker.BackupRemote{
			Endpoint: bucket.Endpoint, Region: bucket.Region, Bucket: bucket.BucketName,
			AccessKeyID: bucket.AccessKeyID, SecretAccessKey: bucket.SecretAccessKey,
		},
		WebhookURL:            s.in.secret(c.Backups.AlertWebhook),
		LocalRetentionDays:    c.Backups.Retention.LocalDays,
		PostgresRetentionDays: c.Backups.Retention.PostgresDays,
		GitRetentionDays:      c.Backups.Retention.GitDays,
		FilesRetentionDays:    c.Backups.Retention.FilesDays,
		// What is old by now must never be the newest copy.
		Paused: s.away(),
	}
	if c.Database.Cutover {
		args.PostgresServer = s.db
	} else {
		args.PostgresHost, args.PostgresPort = s.postgres.Host, s.postgres.Port
		args.PostgresUser, args.PostgresPassword = s.postgres.Superuser, s.postgres.SuperuserPassword
	}
	return args
}

func forgejoSource(volume pulumi.StringInput) docker.BackupSource {
	return docker.BackupSource{Name: "forgejo", Kind: docker.BackupGit, Volume: volume, Excludes: []string{"./tmp"}}
}
