package hetzner

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi-command/sdk/go/command/remote"
	"github.com/pulumi/pulumi-hcloud/sdk/go/hcloud"
	"github.com/pulumi/pulumi-random/sdk/v4/go/random"
	"github.com/pulumi/pulumi-tls/sdk/v5/go/tls"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
	"github.com/morphee-app/morphee-infra/ops"
)

// certificateHours is ten years: the authority is known to this stack alone, and a certificate that
// ran out would stop everything.
const certificateHours = 10 * 365 * 24

// postgresBuilder registers the parts of a PostgresServer, in the order of its methods.
type postgresBuilder struct {
	ctx  *pulumi.Context
	name string
	args *PostgresServerArgs
	c    *PostgresServer

	firewallID pulumi.IntOutput
	ipv4       *hcloud.PrimaryIp
	data       *hcloud.Volume
	serverID   pulumi.IntOutput
	attached   []pulumi.Resource
	ready      pulumi.Resource

	serverKey, serverCert pulumi.StringOutput
}

func (b *postgresBuilder) child(suffix string) string { return b.name + "-" + suffix }

func (b *postgresBuilder) physical(suffix string) pulumi.String {
	return pulumi.String(physical(b.args.Tags, b.child(suffix)))
}

func (b *postgresBuilder) opts(more ...pulumi.ResourceOption) []pulumi.ResourceOption {
	return append([]pulumi.ResourceOption{pulumi.Parent(b.c)}, more...)
}

func (b *postgresBuilder) stateful(more ...pulumi.ResourceOption) []pulumi.ResourceOption {
	return base.Stateful(b.args.Disposable, b.opts(more...)...)
}

// firewall is for the public address. Hetzner's firewalls do not see the private network; who may
// connect there is PostgreSQL's to say (pg_hba.conf).
func (b *postgresBuilder) firewall() error {
	f, err := hcloud.NewFirewall(b.ctx, b.child("firewall"), &hcloud.FirewallArgs{
		Name: b.physical("firewall"),
		Rules: hcloud.FirewallRuleArray{
			rule("SSH for operators and deployments", "tcp", strconv.Itoa(b.args.SSHPort), b.args.SSHSources),
			rule("ping and path MTU discovery", "icmp", "", []string{"0.0.0.0/0", "::/0"}),
		},
		Labels: labels(b.args.Tags),
	}, b.opts()...)
	if err == nil {
		b.firewallID = number(f.ID())
	}
	return err
}

// address is kept when the server goes: the archive's key works from it alone.
func (b *postgresBuilder) address() (err error) {
	b.ipv4, err = hcloud.NewPrimaryIp(b.ctx, b.child("ipv4"), &hcloud.PrimaryIpArgs{
		Name:             b.physical("ipv4"),
		Type:             pulumi.String("ipv4"),
		AssigneeType:     pulumi.String("server"),
		Location:         pulumi.String(b.args.Location),
		AutoDelete:       pulumi.Bool(false),
		DeleteProtection: base.CloudProtection(b.args.Disposable),
		Labels:           labels(b.args.Tags),
	}, b.stateful()...)
	if err == nil {
		b.c.PublicIP = b.ipv4.IpAddress
	}
	return err
}

func (b *postgresBuilder) volume() (err error) {
	b.data, err = hcloud.NewVolume(b.ctx, b.child("data"), &hcloud.VolumeArgs{
		Name:             b.physical("data"),
		Location:         pulumi.String(b.args.Location),
		Size:             pulumi.Int(b.args.VolumeSizeGiB),
		Format:           pulumi.String("ext4"),
		DeleteProtection: base.CloudProtection(b.args.Disposable),
		Labels:           labels(b.args.Tags),
		// The format is used once; Hetzner does not give it back.
	}, b.stateful(pulumi.IgnoreChanges([]string{"format"}))...)
	return err
}

func (b *postgresBuilder) server() error {
	a := b.args
	userData := b.data.ID().ApplyT(func(id pulumi.ID) (string, error) {
		return ops.PostgresHost{
			Hostname: physical(a.Tags, b.name), User: a.SSHUser, AuthorizedKeys: a.AuthorizedKeys, SSHPort: a.SSHPort,
			VolumeID: string(id), Timezone: a.Timezone, RebootTimeUTC: a.RebootTimeUTC,
		}.Render()
	}).(pulumi.StringOutput)
	s, err := hcloud.NewServer(b.ctx, b.child("server"), &hcloud.ServerArgs{
		Name:        pulumi.String(physical(a.Tags, b.name)),
		ServerType:  pulumi.String(a.ServerType),
		Image:       pulumi.String(postgresImage),
		Location:    pulumi.String(a.Location),
		UserData:    userData,
		SshKeys:     a.Join.SSHKeyIDs,
		FirewallIds: pulumi.IntArray{b.firewallID},
		PublicNets: hcloud.ServerPublicNetArray{hcloud.ServerPublicNetArgs{
			Ipv4Enabled: pulumi.Bool(true), Ipv4: number(b.ipv4.ID()), Ipv6Enabled: pulumi.Bool(false),
		}},
		Backups:                pulumi.Bool(!a.DisableBackups),
		KeepDisk:               pulumi.Bool(true),
		DeleteProtection:       base.CloudProtection(a.Disposable),
		RebuildProtection:      base.CloudProtection(a.Disposable),
		ShutdownBeforeDeletion: pulumi.Bool(true),
		Labels:                 labels(a.Tags),
	}, b.stateful(pulumi.IgnoreChanges([]string{"image", "sshKeys", "userData"}))...)
	if err == nil {
		b.serverID = number(s.ID())
	}
	return err
}

func (b *postgresBuilder) attach() error {
	disk, err := hcloud.NewVolumeAttachment(b.ctx, b.child("data-attachment"), &hcloud.VolumeAttachmentArgs{
		ServerId: b.serverID, VolumeId: number(b.data.ID()), Automount: pulumi.Bool(false),
	}, b.opts()...)
	if err != nil {
		return err
	}
	private, err := hcloud.NewServerNetwork(b.ctx, b.child("private"), &hcloud.ServerNetworkArgs{
		ServerId: b.serverID,
		SubnetId: b.args.Join.SubnetID.ToStringOutput().ToStringPtrOutput(),
		Ip:       pulumi.String(b.privateIP()),
	}, b.opts()...)
	if err != nil {
		return err
	}
	b.c.Host = private.Ip
	b.attached = []pulumi.Resource{disk, private}
	return nil
}

func (b *postgresBuilder) privateIP() string { return nth(b.args.SubnetCIDR, b.args.Join.Position) }

// certificate makes an authority of the stack's own, and the server's certificate for its private
// address. Clients check it in full.
func (b *postgresBuilder) certificate() error {
	caKey, err := b.key("ca-key")
	if err != nil {
		return err
	}
	serverKey, err := b.key("server-key")
	if err != nil {
		return err
	}
	ca, err := tls.NewSelfSignedCert(b.ctx, b.child("ca"), &tls.SelfSignedCertArgs{
		PrivateKeyPem:       caKey.PrivateKeyPem,
		Subject:             tls.SelfSignedCertSubjectArgs{CommonName: pulumi.String(physical(b.args.Tags, b.child("ca")))},
		IsCaCertificate:     pulumi.Bool(true),
		SetSubjectKeyId:     pulumi.Bool(true),
		AllowedUses:         pulumi.ToStringArray([]string{"cert_signing", "crl_signing"}),
		ValidityPeriodHours: pulumi.Int(certificateHours),
	}, b.opts()...)
	if err != nil {
		return err
	}
	request, err := tls.NewCertRequest(b.ctx, b.child("server-request"), &tls.CertRequestArgs{
		PrivateKeyPem: serverKey.PrivateKeyPem,
		Subject:       tls.CertRequestSubjectArgs{CommonName: pulumi.String(physical(b.args.Tags, b.name))},
		IpAddresses:   pulumi.ToStringArray([]string{b.privateIP()}),
	}, b.opts()...)
	if err != nil {
		return err
	}
	cert, err := tls.NewLocallySignedCert(b.ctx, b.child("server-certificate"), &tls.LocallySignedCertArgs{
		// No secret, but it looks like one to whoever reads the state for secrets.
		CertRequestPem:      pulumi.ToSecret(request.CertRequestPem).(pulumi.StringOutput),
		CaPrivateKeyPem:     caKey.PrivateKeyPem,
		CaCertPem:           ca.CertPem,
		AllowedUses:         pulumi.ToStringArray([]string{"digital_signature", "key_encipherment", "server_auth"}),
		ValidityPeriodHours: pulumi.Int(certificateHours),
	}, b.opts()...)
	if err != nil {
		return err
	}
	b.c.CACertificate = ca.CertPem
	b.serverKey, b.serverCert = pulumi.ToSecret(serverKey.PrivateKeyPem).(pulumi.StringOutput), cert.CertPem
	return nil
}

func (b *postgresBuilder) key(suffix string) (*tls.PrivateKey, error) {
	return tls.NewPrivateKey(b.ctx, b.child(suffix), &tls.PrivateKeyArgs{
		Algorithm: pulumi.String("ECDSA"), EcdsaCurve: pulumi.String("P256"),
	}, b.stateful()...)
}

func (b *postgresBuilder) secrets() error {
	password, err := random.NewRandomPassword(b.ctx, b.child("password"), &random.RandomPasswordArgs{
		Length: pulumi.Int(40), Special: pulumi.Bool(false),
	}, b.stateful()...)
	if err != nil {
		return err
	}
	b.c.SuperuserPassword = pulumi.ToSecret(password.Result).(pulumi.StringOutput)
	return nil
}

func (b *postgresBuilder) connection() remote.ConnectionArgs {
	return remote.ConnectionArgs{
		Host:           b.c.PublicIP,
		Port:           pulumi.Float64(float64(b.args.SSHPort)),
		User:           pulumi.String(b.args.SSHUser),
		DialErrorLimit: pulumi.Int(b.args.ReadyTimeoutSeconds / 5),
		PerDialTimeout: pulumi.Int(10),
	}
}

func (b *postgresBuilder) bootstrap() error {
	ready, err := remote.NewCommand(b.ctx, b.child("ready"), &remote.CommandArgs{
		Connection: b.connection(),
		Create:     pulumi.String(fmt.Sprintf("READY_TIMEOUT_SECONDS=%d\nexport READY_TIMEOUT_SECONDS\n%s", b.args.ReadyTimeoutSeconds, ops.PostgresReadyScript)),
		Triggers:   pulumi.Array{b.serverID},
	}, b.opts(pulumi.DependsOn(b.attached))...)
	if err != nil {
		return err
	}
	b.ready = ready
	_, err = remote.NewCommand(b.ctx, b.child("authorized-keys"), &remote.CommandArgs{
		Connection: b.connection(),
		Create:     pulumi.String(ops.AuthorizedKeysScript),
		Stdin:      pulumi.String(strings.Join(b.args.AuthorizedKeys, "\n") + "\n"),
		Triggers:   pulumi.Array{b.serverID},
	}, b.opts(pulumi.DependsOn([]pulumi.Resource{ready}))...)
	return err
}

// configure brings the settings and the secrets. User data is read once and by everybody, so neither
// what changes nor what is secret is in it.
func (b *postgresBuilder) configure() error {
	a := b.args
	archive, err := a.Archive(b.c.PublicIP)
	if err != nil {
		return err
	}
	webhook := a.WebhookURL
	if webhook == nil {
		webhook = pulumi.String("")
	}
	server := ops.PostgresServer{
		Name: physical(a.Tags, b.name), PrivateIP: b.privateIP(), NetworkCIDR: a.NetworkCIDR, MemoryMiB: a.MemoryMiB,
		MaxConnections: a.MaxConnections, ArchiveTimeoutSeconds: a.ArchiveTimeoutSeconds, RetentionDays: a.RetentionDays,
		BackupTime: a.BackupTime, Pooler: a.Pooler, DiskPercent: a.DiskPercent,
	}
	document := pulumi.All(b.c.SuperuserPassword, b.serverKey, b.serverCert, archive.EncryptionKey, webhook,
		archive.Endpoint, archive.Region, archive.Bucket, archive.AccessKeyID, archive.SecretAccessKey).
		ApplyT(func(v []any) (string, error) {
			s := make([]string, len(v))
			for i := range v {
				s[i] = v[i].(string)
			}
			return server.Document(ops.PostgresSecrets{
				SuperuserPassword: s[0], ServerKey: s[1], ServerCert: s[2], CipherPass: s[3], WebhookURL: s[4],
				Repository: ops.R2Repository(s[5], s[6], s[7], s[8], s[9]),
			})
		}).(pulumi.StringOutput)
	configured, err := remote.NewCommand(b.ctx, b.child("configure"), &remote.CommandArgs{
		Connection: b.connection(),
		// sudo takes the script as an argument and leaves standard input to it.
		Create: pulumi.Sprintf("sudo bash -c '%s'\n", strings.ReplaceAll(ops.PostgresConfigureScript, "'", `'\''`)),
		Stdin:  pulumi.ToSecret(document).(pulumi.StringOutput),
		// Another server is configured anew.
		Triggers: pulumi.Array{b.serverID},
		Logging:  remote.LoggingStderr,
		// The script's own words are no secret, but nothing of an earlier run is handed on.
		AddPreviousOutputInEnv: pulumi.Bool(false),
	}, b.opts(pulumi.DependsOn([]pulumi.Resource{b.ready}))...)
	b.c.Ready = configured
	return err
}
