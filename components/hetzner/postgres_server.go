package hetzner

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
	"github.com/morphee-app/morphee-infra/ops"
)

// PostgresServerType is the type token of PostgresServer.
const PostgresServerType = "morphee:hetzner:PostgresServer"

// postgresImage is the operating system: PostgreSQL 15 is Debian 12's own, and so are the pooler and
// the archiver; all three get its security updates.
const postgresImage = "debian-12"

// Archive is where the write-ahead log and the backups go: a bucket with an S3 API.
type Archive struct {
	Endpoint, Region, Bucket     pulumi.StringInput
	AccessKeyID, SecretAccessKey pulumi.StringInput // secrets
	// EncryptionKey encrypts everything before it leaves; a secret of 32 characters or more.
	EncryptionKey pulumi.StringInput
}

// PostgresServerArgs describes a server for PostgreSQL 15. "Bootstrap only" is as in VpsHostArgs.
type PostgresServerArgs struct {
	// ServerType is Hetzner's name of the size. Default "cpx22" (2 vCPU, 4 GB). A change resizes the
	// server in place, with a restart.
	ServerType string
	// MemoryMiB of that type, which the buffers follow from; 1024 or more.
	MemoryMiB int
	// Location of the server, its address and its volume: that of the host it serves. A change would
	// replace them, which their protection refuses.
	Location string
	// VolumeSizeGiB is the size of the data volume, 10 to 10240. Default 40. It can grow in place
	// (then run resize2fs) and never shrink.
	VolumeSizeGiB int
	// DisableBackups switches off Hetzner's daily image of the system disk (not of the volume).
	DisableBackups bool
	// Timezone, and RebootTime: as in VpsHostArgs. Bootstrap only.
	Timezone, RebootTime string

	// Join is the private network, and the place in it.
	Join *Membership
	// NetworkCIDR is that network: the only addresses that may connect. SubnetCIDR is the part of it
	// that the server is in.
	NetworkCIDR, SubnetCIDR string

	// SSHUser, AuthorizedKeys, SSHSources, AllowAnySSHSource, SSHPort, ReadyTimeoutSeconds: as in
	// VpsHostArgs. The keys are kept up to date.
	SSHUser             string
	AuthorizedKeys      []string
	SSHSources          []string
	AllowAnySSHSource   bool
	SSHPort             int
	ReadyTimeoutSeconds int

	// MaxConnections, 20 to 1000. Default 100. A change restarts PostgreSQL.
	MaxConnections int
	// Pooler puts PgBouncer before it; services then connect to its port.
	Pooler bool
	// ArchiveTimeoutSeconds is what a lost server may lose, 10 to 3600. Default 60.
	ArchiveTimeoutSeconds int
	// RetentionDays is how far back it can be restored to any moment, 1 to 365. Default 30.
	RetentionDays int
	// BackupTime of day in UTC, "HH:MM": a full backup on Sundays, what changed since on other days.
	// Default "02:15".
	BackupTime string
	// DiskPercent of the volume in use at which people are told, 1 to 100. Default 90.
	DiskPercent int
	// Archive makes the archive from the server's public address, the only one its key may be used
	// from.
	Archive func(publicIP pulumi.StringOutput) (*Archive, error)
	// WebhookURL, when not nil, is told when the archive fails and when it works again; a secret.
	WebhookURL pulumi.StringInput

	// Tags are written as labels.
	Tags base.Tags
	// Disposable leaves everything unprotected: throw-away stacks only.
	Disposable bool
}

// PostgresServer is PostgreSQL 15 on a server of its own: reached over the private network only,
// with TLS; its data on a protected volume; every change archived off the server, encrypted, so that
// it can be restored to any moment.
//
// The server has a public address for its own way out (updates, the archive) and for operators'
// SSH. Its firewall lets nothing else in, and PostgreSQL does not listen there.
type PostgresServer struct {
	pulumi.ResourceState

	// Host is the private address; the certificate is for it.
	Host pulumi.StringOutput
	// Port for services (the pooler's, if there is one), and AdminPort of PostgreSQL itself.
	Port, AdminPort int
	// Superuser, and its password; a secret.
	Superuser         string
	SuperuserPassword pulumi.StringOutput
	// CACertificate signed the server's, in PEM.
	CACertificate pulumi.StringOutput
	// PublicIP is where operators reach it.
	PublicIP pulumi.StringOutput
	// Ready is there when PostgreSQL answers and its archive works.
	Ready pulumi.Resource
}

// NewPostgresServer registers the server.
func NewPostgresServer(ctx *pulumi.Context, name string, args *PostgresServerArgs, opts ...pulumi.ResourceOption) (*PostgresServer, error) {
	a := args.withDefaults()
	if err := a.validate(name); err != nil {
		return nil, err
	}
	c := &PostgresServer{Port: ops.PostgresPort, AdminPort: ops.PostgresPort, Superuser: "postgres"}
	if a.Pooler {
		c.Port = ops.PgBouncerPort
	}
	if err := ctx.RegisterComponentResourceV2(PostgresServerType, name, nil, c, opts...); err != nil {
		return nil, err
	}
	b := newPostgresBuilder(ctx, name, a, c)
	for _, step := range []func() error{b.firewall, b.address, b.makeVolume, b.server, b.join, b.certificate, b.secrets, b.bootstrap, b.configure} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"host": c.Host, "port": pulumi.Int(c.Port), "publicIp": c.PublicIP,
		"caCertificate": c.CACertificate, "superuserPassword": c.SuperuserPassword,
	})
}

func (a PostgresServerArgs) withDefaults() *PostgresServerArgs {
	for field, value := range map[*string]string{
		&a.ServerType: "cpx22", &a.Timezone: "Etc/UTC", &a.SSHUser: "morphee", &a.BackupTime: "02:15",
	} {
		if *field == "" {
			*field = value
		}
	}
	for field, value := range map[*int]int{
		&a.VolumeSizeGiB: 40, &a.SSHPort: 22, &a.ReadyTimeoutSeconds: 600, &a.MaxConnections: 100,
		&a.ArchiveTimeoutSeconds: 60, &a.RetentionDays: 30, &a.DiskPercent: 90,
	} {
		if *field == 0 {
			*field = value
		}
	}
	return &a
}

func (a *PostgresServerArgs) validate(name string) error {
	p := base.Check("PostgresServer", name)
	within := func(field string, value, least, most int, key string) {
		p.Require(value >= least && value <= most, field, value, fmt.Sprintf("%d to %d", least, most), "morphee:"+key)
	}
	locations := slices.Sorted(maps.Keys(networkZones))
	p.Require(serverTypePattern.MatchString(a.ServerType), "ServerType", quoted(a.ServerType), `a Hetzner type such as "cpx22"`, "morphee:database.hetzner.serverType")
	p.Require(slices.Contains(locations, a.Location), "Location", quoted(a.Location), "one of "+strings.Join(locations, ", "), "morphee:server.location")
	within("MemoryMiB", a.MemoryMiB, 1024, 1<<20, "database.hetzner.serverType")
	within("VolumeSizeGiB", a.VolumeSizeGiB, 10, 10240, "database.hetzner.volumeSizeGiB")
	within("MaxConnections", a.MaxConnections, 20, 1000, "database.hetzner.maxConnections")
	within("ArchiveTimeoutSeconds", a.ArchiveTimeoutSeconds, 10, 3600, "database.hetzner.archiveTimeoutSeconds")
	within("RetentionDays", a.RetentionDays, 1, 365, "database.hetzner.retentionDays")
	within("DiskPercent", a.DiskPercent, 1, 100, "alarms.diskPercent")
	within("ReadyTimeoutSeconds", a.ReadyTimeoutSeconds, 60, 3600, "ssh.readyTimeoutSeconds")
	p.Require(timezonePattern.MatchString(a.Timezone), "Timezone", quoted(a.Timezone), `a zone such as "Etc/UTC"`, "morphee:server.timezone")
	p.Require(timePattern.MatchString(a.BackupTime), "BackupTime", quoted(a.BackupTime), `"HH:MM"`, "")
	p.Require(a.RebootTime == "" || timePattern.MatchString(a.RebootTime), "RebootTime", quoted(a.RebootTime), `"HH:MM" or nothing`, "morphee:server.rebootTime")
	p.Require(userPattern.MatchString(a.SSHUser) && a.SSHUser != "root", "SSHUser", quoted(a.SSHUser), "a Unix user name other than root", "morphee:ssh.user")
	p.Require(a.Archive != nil, "Archive", "nothing", "where the log and the backups go", "morphee:backups")
	if a.Join == nil {
		p.Add("Join", "nothing", "the private network", "")
	} else {
		a.Join.check(p)
	}
	network, err := netip.ParsePrefix(a.NetworkCIDR)
	p.Require(err == nil && network.Addr().Is4() && network.Addr().IsPrivate(), "NetworkCIDR", quoted(a.NetworkCIDR), "the private network's range", "morphee:server.networkCidr")
	subnet, err := netip.ParsePrefix(a.SubnetCIDR)
	p.Require(err == nil && network.Contains(subnet.Addr()) && subnet.Bits() <= 28, "SubnetCIDR", quoted(a.SubnetCIDR), "a range in NetworkCIDR of at most /28", "morphee:server.subnetCidr")
	(&VpsHostArgs{
		AuthorizedKeys: a.AuthorizedKeys, SSHSources: a.SSHSources, AllowAnySSHSource: a.AllowAnySSHSource, SSHPort: a.SSHPort,
	}).validateAccess(p)
	return p.Err()
}
