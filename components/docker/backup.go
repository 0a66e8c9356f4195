package docker

import (
	"errors"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// BackupJobType is the type token of BackupJob.
const BackupJobType = "morphee:docker:BackupJob"

// BackupSource is one Docker volume to back up as a tar archive.
type BackupSource struct {
	// Name of the archive: lower-case letters, digits and dashes; unique over all sources.
	Name string
	// Kind decides prefix and retention: "git" or "files".
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
	// Prefix inside the bucket, without slashes at its ends. Default none. Lifecycle rules of
	// BackupBucket expect none.
	Prefix string
	// AccessKeyID and SecretAccessKey of a key that may read, write, list and delete objects.
	AccessKeyID, SecretAccessKey pulumi.StringInput
}

// BackupJobArgs describes the daily backup.
type BackupJobArgs struct {
	// Image to run, with tag or digest. Default: built on the Docker host from ops/images/backup.
	Image string
	// TimeUTC of the daily run, "HH:MM". Default "02:30".
	TimeUTC string
	// Databases to dump, each to its own file. At least one.
	Databases []string
	// PostgresHost and PostgresPort of the server. Port default 5432.
	PostgresHost pulumi.StringInput
	PostgresPort int
	// PostgresUser must be able to read every database and all roles. Default "postgres".
	PostgresUser string
	// PostgresPassword of that user; a secret.
	PostgresPassword pulumi.StringInput
	// Sources are the volumes to archive.
	Sources []BackupSource
	// EncryptionKey encrypts everything before it is written anywhere; a secret of 32 characters or
	// more. Without it no backup can be read again: keep a copy apart from the server.
	EncryptionKey pulumi.StringInput
	// Remote to upload to.
	Remote BackupRemote
	// WebhookURL, when not nil, receives a JSON POST about every failure and about recovery; a secret.
	WebhookURL pulumi.StringInput
	// LocalRetentionDays on the server, 1 to 60. Default 7.
	LocalRetentionDays int
	// PostgresRetentionDays, GitRetentionDays, FilesRetentionDays at the remote, 1 to 3650. Defaults 30,
	// 14, 14. The bucket's lifecycle does the work; the job verifies it and prunes what was left.
	PostgresRetentionDays, GitRetentionDays, FilesRetentionDays int
	// Networks are the Docker networks to join: the one PostgreSQL is on, and one that reaches the
	// Internet. At least one.
	Networks []pulumi.StringInput
	// ContainerName and prefix of the job's own volumes. Default "backup".
	ContainerName string
	// MemoryMiB limit, 64 to 8192. Default 384.
	MemoryMiB int
	// CPUs limit, such as "0.5" (default).
	CPUs string
	// Tags are written as container and volume labels.
	Tags base.Tags
	// Disposable leaves the volume of local copies unprotected: throw-away stacks only.
	Disposable bool
}

// BackupJob runs the daily backup as a container on the Docker host.
type BackupJob struct {
	pulumi.ResourceState

	// ContainerName to look at and to run restores in.
	ContainerName pulumi.StringOutput
	// VolumeName holds the encrypted local copies.
	VolumeName pulumi.StringOutput
	// Image that runs.
	Image pulumi.StringOutput
}

// NewBackupJob registers the component.
func NewBackupJob(ctx *pulumi.Context, name string, args *BackupJobArgs, opts ...pulumi.ResourceOption) (*BackupJob, error) {
	return nil, errors.New("BackupJob: not built yet")
}
