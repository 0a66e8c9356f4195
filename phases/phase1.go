package phases

import (
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/cloudflare"
	"github.com/morphee-app/morphee-infra/components/docker"
	"github.com/morphee-app/morphee-infra/components/forgejo"
	"github.com/morphee-app/morphee-infra/internal/config"
)

// Phase1 is phase 0 with Forgejo and daily backups off the server.
func Phase1(ctx *pulumi.Context, in Input) (pulumi.Map, error) {
	s := &server{ctx: ctx, in: in, cfg: in.Config}
	return s.compose(s.shared, s.machine, s.data, s.signIn, s.forgejo, s.app, s.backups, s.names)
}

// git is Forgejo and what was made for it.
type git struct {
	database docker.Database
	service  *forgejo.ForgejoService
}

// link is how the backend uses Forgejo.
func (g *git) link() *docker.ForgejoLink {
	return &docker.ForgejoLink{
		URL: g.service.InternalURL, Token: g.service.APIToken, WebhookSecret: g.service.WebhookSecret, Ready: g.service.Ready,
	}
}

// forgejo shares PostgreSQL, with a database and a role of its own.
func (s *server) forgejo() error {
	c, child := s.cfg, pulumi.Parent(s.platform)
	if !c.Forgejo.Enabled {
		return nil
	}
	credentials, err := forgejo.NewCredentials(s.ctx, "forgejo-credentials", &forgejo.CredentialsArgs{Disposable: c.Disposable})
	if err != nil {
		return err
	}
	db := docker.Database{Name: c.Forgejo.Database, Owner: c.Forgejo.Database, Password: credentials.DatabasePassword}
	databases, err := docker.NewPostgresDatabases(s.ctx, "forgejo-databases", &docker.PostgresDatabasesArgs{
		Platform: s.platform, Server: s.postgres, ContainerName: "forgejo-databases", Databases: []docker.Database{db},
	}, child)
	if err != nil {
		return err
	}
	service, err := forgejo.NewForgejoService(s.ctx, "forgejo", &forgejo.ServiceArgs{
		Settings: forgejoSettings(c),
		Database: forgejo.Database{
			Host: s.postgres.Host, Port: s.postgres.Port, Name: db.Name, User: db.Owner,
			Password: credentials.DatabasePassword, SSLMode: "disable", // inside the host's internal network
		},
		Credentials: credentials,
		Home: &forgejo.DockerHome{
			Platform: s.platform, Database: databases.Ready,
			SSHHost: s.host.PublicIP, SSHUser: s.host.SSHUser, SSHPort: c.SSH.Port,
			HostID: s.host.ServerID.ApplyT(strconv.Itoa).(pulumi.StringOutput),
		},
		Tags: s.in.Tags(), Disposable: c.Disposable,
	}, child)
	if err != nil {
		return err
	}
	s.git = &git{database: db, service: service}
	s.outputs["gitUrl"] = service.PublicURL
	s.outputs["forgejoAdminUser"] = service.AdminUser
	s.outputs["forgejoAdminPassword"] = service.AdminPassword
	return nil
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
	bucket, err := cloudflare.NewBackupBucket(s.ctx, "backups", &cloudflare.BackupBucketArgs{
		AccountID: c.CloudflareAccountID, BucketName: c.Backups.Bucket, Location: c.Backups.LocationHint,
		PostgresRetentionDays: c.Backups.Retention.PostgresDays,
		GitRetentionDays:      c.Backups.Retention.GitDays,
		FilesRetentionDays:    c.Backups.Retention.FilesDays,
		// Containers reach the Internet over IPv4 only.
		UploaderSources: pulumi.StringArray{pulumi.Sprintf("%s/32", s.host.PublicIP)},
		Tags:            s.in.Tags(), Disposable: c.Disposable,
	})
	if err != nil {
		return err
	}
	args := &docker.BackupJobArgs{
		Platform: s.platform, Image: c.Images.Backup, Limits: limits(c.Limits.Backup),
		Schedule:     c.Backups.Daily().Time(),
		Databases:    []string{appDatabase.Name, authDatabase.Name},
		PostgresHost: s.postgres.Host, PostgresPort: s.postgres.Port,
		PostgresUser: s.postgres.Superuser, PostgresPassword: s.postgres.SuperuserPassword,
		Sources: []docker.BackupSource{
			{Name: "memory", Kind: docker.BackupGit, Volume: s.backend.MemoryVolume},
			{Name: "files", Kind: docker.BackupFiles, Volume: s.backend.FilesVolume},
		},
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
	}
	if s.git != nil {
		args.Databases = append(args.Databases, s.git.database.Name)
		args.Sources = append(args.Sources, docker.BackupSource{
			Name: "forgejo", Kind: docker.BackupGit, Volume: s.git.service.Data, Excludes: []string{"./tmp"},
		})
	}
	if _, err := docker.NewBackupJob(s.ctx, "backup", args, pulumi.Parent(s.platform)); err != nil {
		return err
	}
	s.outputs["backupBucket"] = bucket.BucketName
	// To be kept apart from the stack: without it no backup can be read.
	s.outputs["backupEncryptionKey"] = s.secrets.BackupEncryptionKey
	return nil
}
