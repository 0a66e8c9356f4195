package ops

import (
	_ "embed"
	"encoding/base64"
	"fmt"
	"strings"
)

// PostgresReadyScript waits, on the database server, until its first boot is over. It reads
// READY_TIMEOUT_SECONDS.
var PostgresReadyScript = readyScript("postgres", "database server", "server")

// PostgresConfigureScript makes and configures the database from the files on standard input
// (PostgresDocument).
//
//go:embed postgres/configure.sh
var PostgresConfigureScript string

// Ports of the database server on the private network.
const (
	PostgresPort  = 5432
	PgBouncerPort = 6432
)

// PostgresHost is what differs between database servers at first boot.
type PostgresHost struct{ Boot }

// CoolifyVersion is what the SSH settings ask for; there is no Coolify here.
func (PostgresHost) CoolifyVersion() string { return "" }

// DockerPool is as CoolifyVersion.
func (PostgresHost) DockerPool() string { return DockerAddressPool }

// Render returns the user data. Equal input gives equal output. It holds no secret.
func (h PostgresHost) Render() (string, error) {
	return userData("postgres/user-data.yaml.tmpl", h, []file{
		{"/etc/morphee/bootstrap.env", "0644", fmt.Sprintf("VOLUME_ID=%q\nDEPLOY_USER=%q\n", h.VolumeID, h.User)},
	}, []file{
		{"/etc/morphee/sshd.conf", "0644", "cloud-init/sshd.conf.tmpl"},
		{"/etc/apt/apt.conf.d/60morphee-unattended", "0644", "cloud-init/unattended-upgrades.conf.tmpl"},
		{"/etc/systemd/system/postgresql@15-main.service.d/10-mount.conf", "0644", "postgres/postgresql-mount.conf"},
		{"/usr/local/sbin/morphee-bootstrap", "0755", "postgres/bootstrap.sh"},
	})
}

// PostgresServer is what the database server's settings follow from.
type PostgresServer struct {
	Name                  string // in messages
	PrivateIP             string
	NetworkCIDR           string // who may connect
	MemoryMiB             int
	MaxConnections        int
	ArchiveTimeoutSeconds int
	RetentionDays         int
	BackupTime            string // of day, in UTC: "HH:MM"
	Pooler                bool
	DiskPercent           int // at which people are told
}

// PostgresSecrets are what the server is given beside its settings.
type PostgresSecrets struct {
	SuperuserPassword     string
	ServerKey, ServerCert string // PEM
	CipherPass            string // encrypts the archive
	Repository            string // lines of pgbackrest.conf that say where the archive is
	WebhookURL            string // empty: nobody is told
}

// SharedBuffersMiB and the three after it follow from the memory, as for the container.
func (s PostgresServer) SharedBuffersMiB() int { return s.MemoryMiB / 4 }

// CacheMiB is what the planner may expect to be cached.
func (s PostgresServer) CacheMiB() int { return s.MemoryMiB * 5 / 8 }

// MaintenanceMiB is for one VACUUM or CREATE INDEX.
func (s PostgresServer) MaintenanceMiB() int { return s.MemoryMiB / 16 }

// WorkMiB is for one sort.
func (s PostgresServer) WorkMiB() int { return max(4, s.MemoryMiB/4/s.MaxConnections) }

// PoolSize is how many connections the pooler opens to one database: with three databases there is
// room left for administration and dumps.
func (s PostgresServer) PoolSize() int { return max(5, (s.MaxConnections-10)*3/10) }

// R2Repository are the lines of pgbackrest.conf for an archive in a Cloudflare R2 bucket.
func R2Repository(endpoint, region, bucket, accessKeyID, secretAccessKey string) string {
	return fmt.Sprintf(`repo1-type = s3
repo1-s3-endpoint = %s
repo1-s3-region = %s
repo1-s3-bucket = %s
repo1-s3-uri-style = path
repo1-s3-key = %s
repo1-s3-key-secret = %s
`, strings.TrimPrefix(endpoint, "https://"), region, bucket, accessKeyID, secretAccessKey)
}

// placed is a file on the server.
type placed struct{ path, mode, owner, content string }

// Document is everything for PostgresConfigureScript: a secret.
func (s PostgresServer) Document(secrets PostgresSecrets) (string, error) {
	pooler := "off"
	if s.Pooler {
		pooler = "on"
	}
	env := fmt.Sprintf("NAME=%q\nMAX_ARCHIVE_AGE_SECONDS=%d\nMAX_BACKUP_AGE_HOURS=26\nMAX_DISK_PERCENT=%d\n",
		s.Name, max(600, 5*s.ArchiveTimeoutSeconds), s.DiskPercent)
	list := []placed{
		{"/etc/morphee/superuser-password", "0600", "root:root", secrets.SuperuserPassword},
		{"/etc/morphee/ssl/server.key", "0600", "postgres:postgres", secrets.ServerKey},
		{"/etc/morphee/ssl/server.crt", "0644", "root:root", secrets.ServerCert},
		{"/etc/morphee/webhook-url", "0640", "root:postgres", secrets.WebhookURL},
		{"/etc/morphee/archive-health.env", "0644", "root:root", env},
		{"/etc/morphee/pooler", "0644", "root:root", pooler},
		// PgBouncer wants the file to be there.
		{"/etc/pgbouncer/userlist.txt", "0640", "postgres:postgres", "\n"},
	}
	backrest := struct {
		Repository, CipherPass string
		RetentionDays          int
	}{secrets.Repository, secrets.CipherPass, s.RetentionDays}
	hour, minute, _ := strings.Cut(s.BackupTime, ":")
	unit := func(kind, days string) any {
		return struct{ Kind, OnCalendar string }{kind, fmt.Sprintf("%s *-*-* %s:%s:00 UTC", days, hour, minute)}
	}
	for _, f := range []struct {
		path, mode, owner, name string
		data                    any
	}{
		{"/etc/postgresql/15/main/conf.d/60-morphee.conf", "0644", "root:root", "postgresql.conf.tmpl", s},
		{"/etc/postgresql/15/main/pg_hba.conf", "0640", "postgres:postgres", "pg_hba.conf.tmpl", s},
		{"/etc/pgbouncer/pgbouncer.ini", "0640", "postgres:postgres", "pgbouncer.ini.tmpl", s},
		{"/etc/pgbackrest.conf", "0640", "postgres:postgres", "pgbackrest.conf.tmpl", backrest},
		{"/etc/sysctl.d/60-morphee.conf", "0644", "root:root", "sysctl.conf", s},
		{"/etc/systemd/system/pgbouncer.service.d/10-restart.conf", "0644", "root:root", "pgbouncer-restart.conf", s},
		{"/etc/systemd/system/morphee-backup-full.service", "0644", "root:root", "backup.service.tmpl", unit("full", "")},
		{"/etc/systemd/system/morphee-backup-full.timer", "0644", "root:root", "backup.timer.tmpl", unit("full", "Sun")},
		{"/etc/systemd/system/morphee-backup-diff.service", "0644", "root:root", "backup.service.tmpl", unit("diff", "")},
		{"/etc/systemd/system/morphee-backup-diff.timer", "0644", "root:root", "backup.timer.tmpl", unit("diff", "Mon..Sat")},
		{"/etc/systemd/system/morphee-archive-health.service", "0644", "root:root", "archive-health.service", s},
		{"/etc/systemd/system/morphee-archive-health.timer", "0644", "root:root", "archive-health.timer", s},
		{"/usr/local/sbin/morphee-archive-health", "0755", "root:root", "archive-health.sh", s},
	} {
		content, err := render("postgres/"+f.name, f.data)
		if err != nil {
			return "", err
		}
		list = append(list, placed{f.path, f.mode, f.owner, content})
	}
	var b strings.Builder
	for _, p := range list {
		fmt.Fprintf(&b, "%s %s %s %s\n", p.path, p.mode, p.owner, base64.StdEncoding.EncodeToString([]byte(p.content)))
	}
	return b.String(), nil
}
