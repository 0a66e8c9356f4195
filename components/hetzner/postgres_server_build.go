package hetzner

import (
	"strings"

	"github.com/pulumi/pulumi-command/sdk/go/command/remote"
	"github.com/pulumi/pulumi-hcloud/sdk/go/hcloud"
	"github.com/pulumi/pulumi-random/sdk/v4/go/random"
	"github.com/pulumi/pulumi-tls/sdk/v5/go/tls"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/ops"
)

// certificateHours is ten years: the authority is known to this stack alone, and a certificate that
// ran out would stop everything.
const certificateHours = 10 * 365 * 24

// postgresBuilder registers the parts of a PostgresServer, in the order of its methods.
type postgresBuilder struct {
	machine
	args *PostgresServerArgs
	c    *PostgresServer

	serverKey, serverCert pulumi.StringOutput
}

func newPostgresBuilder(ctx *pulumi.Context, name string, a *PostgresServerArgs, c *PostgresServer) *postgresBuilder {
	return &postgresBuilder{args: a, c: c, machine: machine{
		ctx: ctx, name: name, parent: c,
		serverType: a.ServerType, image: postgresImage, location: a.Location,
		volumeSizeGiB: a.VolumeSizeGiB, disableBackups: a.DisableBackups,
		privateIP: nth(a.SubnetCIDR, a.Join.Position), readyTimeoutSeconds: a.ReadyTimeoutSeconds,
		boot: ops.Boot{
			Hostname: physical(a.Tags, name), User: a.SSHUser, AuthorizedKeys: a.AuthorizedKeys,
			SSHPort: a.SSHPort, Timezone: a.Timezone, RebootTime: a.RebootTime,
		},
		tags: a.Tags, disposable: a.Disposable,
	}}
}

// firewall is for the public address. Hetzner's firewalls do not see the private network; who may
// connect there is PostgreSQL's to say (pg_hba.conf).
func (b *postgresBuilder) firewall() error {
	return b.makeFirewall(hcloud.FirewallRuleArray{sshRule(b.args.SSHPort, b.args.SSHSources), pingRule()})
}

// address is kept when the server goes: the archive's key works from it alone.
func (b *postgresBuilder) address() (err error) {
	if b.ipv4, err = b.makeAddress("ipv4"); err != nil {
		return err
	}
	b.c.PublicIP = b.ipv4.IpAddress
	return nil
}

func (b *postgresBuilder) server() error {
	_, err := b.makeServer(b.args.Join.SSHKeyIDs, func(boot ops.Boot) (string, error) {
		return ops.PostgresHost{Boot: boot}.Render()
	})
	return err
}

func (b *postgresBuilder) join() (err error) {
	b.c.Host, err = b.attach(b.args.Join.SubnetID)
	return err
}

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
		IpAddresses:   pulumi.ToStringArray([]string{b.privateIP}),
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

func (b *postgresBuilder) bootstrap() error { return b.awaitBoot(ops.PostgresReadyScript) }

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
		Name: physical(a.Tags, b.name), PrivateIP: b.privateIP, NetworkCIDR: a.NetworkCIDR, MemoryMiB: a.MemoryMiB,
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
		// Another server is configured anew. Another volume has no data: it is seen to here, or told of.
		Triggers: pulumi.Array{b.serverID, b.volumeID},
		Logging:  remote.LoggingStderr,
		// The script's own words are no secret, but nothing of an earlier run is handed on.
		AddPreviousOutputInEnv: pulumi.Bool(false),
	}, b.opts(pulumi.DependsOn([]pulumi.Resource{b.ready}))...)
	b.c.Ready = configured
	return err
}
