package docker

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// BackupJobType is the type token of BackupJob.
const BackupJobType = "morphee:docker:BackupJob"

// Kinds of backup sources; each has its own prefix and retention at the remote.
const (
	BackupGit   = "git"   // git repositories
	BackupFiles = "files" // uploaded files
)

// backupMaxAgeHours is when a missing backup is an illness: a day, and time to run and retry.
const backupMaxAgeHours = 26

// BackupSource is one Docker volume to back up as a tar archive.
type BackupSource struct {
	// Name of the archive: lower-case letters, digits and dashes; unique over all sources.
	Name string
	// Kind is BackupGit or BackupFiles.
	Kind string
	// Volume is the name of the Docker volume. It is mounted read-only.
	Volume pulumi.StringInput
	// Excludes are tar patterns relative to the volume's root, such as "./gitea/log".
	Excludes []string
}

// BackupRemote is where backups are uploaded: a bucket with an S3 API.
type BackupRemote struct {
	// Provider is rclone's name of the S3 dialect: "Cloudflare" (default), "AWS" or "Other".
	Provider string
	// Endpoint with scheme; nil for AWS.
	Endpoint pulumi.StringInput
	// Region, such as "auto" for R2.
	Region pulumi.StringInput
	// Bucket is the bucket's name.
	Bucket pulumi.StringInput
	// Prefix inside the bucket, without slashes at its ends. Default none. The lifecycle rules of
	// cloudflare.BackupBucket expect none.
	Prefix string
	// AccessKeyID and SecretAccessKey of a key that may read, write, list and delete objects;
	// secrets.
	AccessKeyID, SecretAccessKey pulumi.StringInput
}

// BackupJobArgs describes the daily backup. Changes replace the container; the local copies stay.
type BackupJobArgs struct {
	// Platform is the host's common part.
	Platform *Platform
	// Image is built from ops/images/backup and pinned.
	Image string
	// Limits bound the container.
	Limits Limits
	// Schedule is the time of day of the daily run in UTC, "HH:MM". Default "03:15". A run that was
	// missed or failed is made up for.
	Schedule string
	// Databases to dump, each to its own file. At least one.
	Databases []string
	// PostgresHost, and PostgresPort (default 5432).
	PostgresHost pulumi.StringInput
	PostgresPort int
	// PostgresUser must be able to read every database and all roles. Default "postgres".
	PostgresUser string
	// PostgresPassword of that user; a secret.
	PostgresPassword pulumi.StringInput
	// PostgresServer, when not nil, is a server apart from this host, and says all of the above.
	PostgresServer *ManagedServer
	// Sources are the volumes to archive.
	Sources []BackupSource
	// EncryptionKey encrypts everything before it is written anywhere; a secret of 32 characters or
	// more. Without it no backup can be read: keep a copy apart from the server and from Pulumi.
	// Older copies need the key they were made with.
	EncryptionKey pulumi.StringInput
	// Remote to upload to.
	Remote BackupRemote
	// WebhookURL, when not nil, receives a JSON POST about every failure and about recovery; a secret.
	WebhookURL pulumi.StringInput
	// LocalRetentionDays on the server, 1 to 90. Default 7.
	LocalRetentionDays int
	// PostgresRetentionDays, GitRetentionDays, FilesRetentionDays at the remote, 1 to 3650. Defaults
	// 30, 14, 14. The bucket's lifecycle does the work; the job removes what that left two days
	// later, and says so.
	PostgresRetentionDays, GitRetentionDays, FilesRetentionDays int
	// Paused starts nothing by itself: the container is there, healthy, for backups and restores by
	// hand, while another platform's data is what counts.
	Paused bool
	// Stopped keeps the volume with the local copies and nothing else.
	Stopped bool
	// ContainerName, and the start of its volumes' names. Default "backup". Replaces the volume of
	// local copies (refused while it is protected).
	ContainerName string
}

// BackupJob runs the daily backup as a container on the Docker host: dumps and archives, encrypted,
// kept locally and uploaded, verified and pruned. To read one back, see `restore` in the container.
type BackupJob struct {
	pulumi.ResourceState

	// ContainerName to look at, and to run restores in.
	ContainerName pulumi.StringOutput
	// VolumeName holds the encrypted local copies.
	VolumeName pulumi.StringOutput
	// Service is the container.
	Service *Service
}

// NewBackupJob runs the backup.
func NewBackupJob(ctx *pulumi.Context, name string, args *BackupJobArgs, opts ...pulumi.ResourceOption) (*BackupJob, error) {
	a := args.withDefaults()
	if err := a.validate(name); err != nil {
		return nil, err
	}
	c := &BackupJob{}
	if err := ctx.RegisterComponentResourceV2(BackupJobType, name, nil, c, opts...); err != nil {
		return nil, err
	}
	local, err := a.Platform.NewDataVolume(ctx, name+"-data", a.ContainerName+"-data", c)
	if err != nil {
		return nil, err
	}
	if a.Stopped {
		c.ContainerName, c.VolumeName = pulumi.String("").ToStringOutput(), local.Name
		return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"volumeName": c.VolumeName})
	}
	c.Service, err = NewService(ctx, name+"-service", &ServiceArgs{
		Platform:      a.Platform,
		ContainerName: a.ContainerName,
		Image:         a.Image,
		Limits:        a.Limits,
		Env:           a.env(),
		Files:         a.files(),
		Mounts:        append([]Mount{{Volume: local.Name, Path: "/backups"}}, a.sourceMounts()...),
		// Settings with passwords, for as long as a run lasts: in memory only.
		TmpfsMiB: map[string]int{"/tmp": 16},
		// The volumes belong to many users, and only with this one capability can root read them
		// all; they are mounted read-only. (DAC_READ_SEARCH sounds like less, but opens files by
		// handle, past the container's own mounts.)
		User:            "0:0",
		AddCapabilities: []string{"CAP_DAC_OVERRIDE"},
		Healthcheck: Healthcheck{
			Test:     []string{"CMD", "backup-health"},
			Interval: time.Minute, Timeout: 10 * time.Second, StartPeriod: 30 * time.Second, Retries: 2,
		},
		// PostgreSQL is on one network, the way out on the other.
		Data: true, Edge: true,
		// A run under way is cut off then; it leaves nothing behind that looks complete.
		StopSeconds: 10,
	}, pulumi.Parent(c))
	if err != nil {
		return nil, err
	}
	c.ContainerName, c.VolumeName = c.Service.ContainerName, local.Name
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"containerName": c.ContainerName, "volumeName": c.VolumeName,
	})
}

func (a BackupJobArgs) withDefaults() *BackupJobArgs {
	for field, value := range map[*string]string{
		&a.Schedule: "03:15", &a.PostgresUser: superuser, &a.ContainerName: "backup", &a.Remote.Provider: "Cloudflare",
	} {
		if *field == "" {
			*field = value
		}
	}
	for field, value := range map[*int]int{
		&a.PostgresPort: postgresPort, &a.LocalRetentionDays: 7, &a.PostgresRetentionDays: 30, &a.GitRetentionDays: 14, &a.FilesRetentionDays: 14,
	} {
		*field = orDefault(*field, value)
	}
	if s := a.PostgresServer; s != nil {
		a.PostgresHost, a.PostgresPort, a.PostgresUser, a.PostgresPassword = s.Host, s.AdminPort, s.Admin, s.AdminPassword
	}
	return &a
}

// env are the settings of ops/images/backup/bin/backup-lib; none is a secret.
func (a *BackupJobArgs) env() map[string]pulumi.StringInput {
	var excludes []string
	names := map[string][]string{}
	for _, s := range a.Sources {
		names[s.Kind] = append(names[s.Kind], s.Name)
		for _, pattern := range s.Excludes {
			excludes = append(excludes, s.Name+":"+pattern)
		}
	}
	env := plainEnv(map[string]string{
		"NAME":            a.Platform.tags.Project + "-" + a.Platform.tags.Stack,
		"HOME":            "/tmp",
		"SCHEDULE":        a.schedule(),
		"MAX_AGE_HOURS":   fmt.Sprint(backupMaxAgeHours),
		"DATABASES":       strings.Join(a.Databases, " "),
		"GIT_SOURCES":     strings.Join(names[BackupGit], " "),
		"FILES_SOURCES":   strings.Join(names[BackupFiles], " "),
		"EXCLUDES":        strings.Join(excludes, "|"),
		"PGPORT":          fmt.Sprint(a.PostgresPort),
		"PGUSER":          a.PostgresUser,
		"LOCAL_DAYS":      fmt.Sprint(a.LocalRetentionDays),
		"POSTGRES_DAYS":   fmt.Sprint(a.PostgresRetentionDays),
		"GIT_DAYS":        fmt.Sprint(a.GitRetentionDays),
		"FILES_DAYS":      fmt.Sprint(a.FilesRetentionDays),
		"REMOTE_TYPE":     "s3",
		"REMOTE_PROVIDER": a.Remote.Provider,
	})
	env["PGHOST"] = a.PostgresHost
	env["REMOTE_PATH"] = a.Remote.Bucket
	if a.Remote.Prefix != "" {
		env["REMOTE_PATH"] = pulumi.Sprintf("%s/%s", a.Remote.Bucket, a.Remote.Prefix)
	}
	env["REMOTE_REGION"] = a.Remote.Region
	if s := a.PostgresServer; s != nil {
		for k, v := range s.adminEnv() {
			env[k] = v
		}
		// Roles can be listed by anybody; only a superuser sees what their passwords are checked with.
		if s.Admin != superuser {
			env["GLOBALS_OPTIONS"] = pulumi.String("--no-role-passwords")
		}
	}
	if a.Remote.Endpoint != nil {
		env["REMOTE_ENDPOINT"] = a.Remote.Endpoint
	}
	return env
}

func (a *BackupJobArgs) files() []File {
	secret := func(s pulumi.StringInput) pulumi.StringInput { return pulumi.ToSecret(s).(pulumi.StringOutput) }
	list := []File{
		{Name: "encryption_key", Content: secret(a.EncryptionKey)},
		{Name: "postgres_password", Content: secret(a.PostgresPassword)},
		{Name: "remote_access_key_id", Content: secret(a.Remote.AccessKeyID)},
		{Name: "remote_secret_access_key", Content: secret(a.Remote.SecretAccessKey)},
	}
	if a.PostgresServer != nil {
		list = append(list, a.PostgresServer.Files()...)
	}
	if a.WebhookURL != nil {
		list = append(list, File{Name: "webhook_url", Content: secret(a.WebhookURL)})
	}
	return list
}

func (a *BackupJobArgs) sourceMounts() []Mount {
	var list []Mount
	for _, s := range a.Sources {
		list = append(list, Mount{Volume: s.Volume, Path: "/sources/" + s.Name, ReadOnly: true})
	}
	return list
}

var (
	timeOfDayPattern = regexp.MustCompile(`^([01]\d|2[0-3]):([0-5]\d)$`)
	sourcePattern    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,40}$`)
	databasePattern  = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)
	prefixPattern    = regexp.MustCompile(`^([A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*)?$`)
)

// daily turns a time of day into cron's five fields, which the scheduler in the image reads.
func daily(timeOfDay string) string {
	hour, minute, _ := strings.Cut(timeOfDay, ":")
	return strings.TrimPrefix(minute, "0") + " " + strings.TrimPrefix(hour, "0") + " * * *"
}

func (a *BackupJobArgs) schedule() string {
	if a.Paused {
		return "never"
	}
	return daily(a.Schedule)
}

func (a *BackupJobArgs) validate(name string) error {
	p := base.Check("BackupJob", name)
	p.Require(a.Platform != nil, "Platform", a.Platform, "the host's platform", "")
	p.Require(timeOfDayPattern.MatchString(a.Schedule), "Schedule", fmt.Sprintf("%q", a.Schedule), `a time of day such as "03:15"`, "morphee:backups.schedule")
	p.Require(!a.Paused || !a.Stopped, "Paused", "with Stopped", "one of them: what is stopped has no container", "")
	p.Require(len(a.Databases) > 0, "Databases", "none", "at least one", "")
	for i, db := range a.Databases {
		// "globals" is the name of the copy of the roles.
		ok := databasePattern.MatchString(db) && db != "globals" && !slices.Contains(a.Databases[:i], db)
		p.Require(ok, fmt.Sprintf("Databases[%d]", i), fmt.Sprintf("%q", db), "a database's name, once, other than globals", "")
	}
	seen := map[string]bool{}
	for i, s := range a.Sources {
		field, got := fmt.Sprintf("Sources[%d]", i), fmt.Sprintf("%q", s.Name)
		p.Require(sourcePattern.MatchString(s.Name) && !seen[s.Name], field, got, "a name of lower-case letters, digits and dashes, once", "")
		p.Require(s.Kind == BackupGit || s.Kind == BackupFiles, field, fmt.Sprintf("kind %q", s.Kind), BackupGit+" or "+BackupFiles, "")
		p.Require(s.Volume != nil, field, got+" without a volume", "a volume", "")
		for _, pattern := range s.Excludes {
			p.Require(strings.HasPrefix(pattern, "./") && !strings.ContainsAny(pattern, "|\n\r"), field, fmt.Sprintf("exclude %q", pattern), `a pattern that starts with "./" and has no |`, "")
		}
		seen[s.Name] = true
	}
	for _, in := range []struct {
		field string
		value pulumi.StringInput
	}{
		{"EncryptionKey", a.EncryptionKey}, {"PostgresHost", a.PostgresHost}, {"PostgresPassword", a.PostgresPassword}, {"Remote.Bucket", a.Remote.Bucket}, {"Remote.Region", a.Remote.Region},
		{"Remote.AccessKeyID", a.Remote.AccessKeyID}, {"Remote.SecretAccessKey", a.Remote.SecretAccessKey},
	} {
		p.Require(in.value != nil, in.field, "nothing", "a value", "")
	}
	p.Require(slices.Contains([]string{"Cloudflare", "AWS", "Other"}, a.Remote.Provider), "Remote.Provider", fmt.Sprintf("%q", a.Remote.Provider), "Cloudflare, AWS or Other", "")
	p.Require(a.Remote.Endpoint != nil || a.Remote.Provider == "AWS", "Remote.Endpoint", "nothing", "an address, unless the provider is AWS", "")
	p.Require(prefixPattern.MatchString(a.Remote.Prefix), "Remote.Prefix", fmt.Sprintf("%q", a.Remote.Prefix), "a path without slashes at its ends", "")
	if a.PostgresServer != nil {
		a.PostgresServer.check(p)
	}
	days := func(field string, value, most int, key string) {
		p.Require(value >= 1 && value <= most, field, value, fmt.Sprintf("1 to %d", most), "morphee:backups.retention."+key)
	}
	days("LocalRetentionDays", a.LocalRetentionDays, 90, "localDays")
	days("PostgresRetentionDays", a.PostgresRetentionDays, 3650, "postgresDays")
	days("GitRetentionDays", a.GitRetentionDays, 3650, "gitDays")
	days("FilesRetentionDays", a.FilesRetentionDays, 3650, "filesDays")
	p.Require(a.PostgresPort >= 1 && a.PostgresPort <= 65535, "PostgresPort", a.PostgresPort, "1 to 65535", "")
	return p.Err()
}
