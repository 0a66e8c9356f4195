package hetzner

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi-command/sdk/go/command/remote"
	"github.com/pulumi/pulumi-docker/sdk/v4/go/docker"
	"github.com/pulumi/pulumi-hcloud/sdk/go/hcloud"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
	"github.com/morphee-app/morphee-infra/ops"
)

// builder registers the parts of one host, in the order of its methods.
type builder struct {
	ctx  *pulumi.Context
	name string
	args *VpsHostArgs
	host *VpsHost

	keyIDs     pulumi.StringArray
	subnetID   pulumi.StringInput
	firewallID pulumi.IntOutput
	ipv4, ipv6 *hcloud.PrimaryIp
	data       *hcloud.Volume
	vps        *hcloud.Server
	attached   []pulumi.Resource // what must be there before the host can be ready
}

func (b *builder) child(suffix string) string { return b.name + "-" + suffix }

func (b *builder) physical(suffix string) pulumi.String {
	return pulumi.String(physical(b.args.Tags, b.child(suffix)))
}

func (b *builder) opts(more ...pulumi.ResourceOption) []pulumi.ResourceOption {
	return append([]pulumi.ResourceOption{pulumi.Parent(b.host)}, more...)
}

// stateful are the options of what holds data, or an address people know.
func (b *builder) stateful(more ...pulumi.ResourceOption) []pulumi.ResourceOption {
	return base.Stateful(b.args.Disposable, b.opts(more...)...)
}

func (b *builder) keys() error {
	if j := b.args.Join; j != nil {
		b.keyIDs = j.SSHKeyIDs
		return nil
	}
	for _, key := range b.args.AuthorizedKeys {
		id := keyID(key)
		k, err := hcloud.NewSshKey(b.ctx, b.child("key-"+id), &hcloud.SshKeyArgs{
			Name:      b.physical("key-" + id),
			PublicKey: pulumi.String(key),
			Labels:    labels(b.args.Tags),
			// Hetzner gives the key back without surrounding space and Pulumi compares text; a
			// changed comment must not replace the registration either.
		}, b.opts(pulumi.IgnoreChanges([]string{"publicKey"}))...)
		if err != nil {
			return err
		}
		b.keyIDs = append(b.keyIDs, k.ID().ToStringOutput())
	}
	b.host.SSHKeyIDs = b.keyIDs
	return nil
}

func (b *builder) network() error {
	if j := b.args.Join; j != nil {
		b.subnetID, b.host.NetworkID, b.host.SubnetID = j.SubnetID, j.NetworkID.ToIntOutput(), j.SubnetID.ToStringOutput()
		return nil
	}
	n, err := hcloud.NewNetwork(b.ctx, b.child("network"), &hcloud.NetworkArgs{
		Name:    b.physical("network"),
		IpRange: pulumi.String(b.args.NetworkCIDR),
		Labels:  labels(b.args.Tags),
	}, b.opts()...)
	if err != nil {
		return err
	}
	b.host.NetworkID = number(n.ID())
	subnet, err := hcloud.NewNetworkSubnet(b.ctx, b.child("subnet"), &hcloud.NetworkSubnetArgs{
		NetworkId:   b.host.NetworkID,
		Type:        pulumi.String("cloud"),
		NetworkZone: pulumi.String(b.host.NetworkZone),
		IpRange:     pulumi.String(b.args.SubnetCIDR),
	}, b.opts()...)
	if err != nil {
		return err
	}
	b.host.SubnetID = subnet.ID().ToStringOutput()
	b.subnetID = b.host.SubnetID
	return nil
}

func (b *builder) firewall() error {
	anywhere := []string{"0.0.0.0/0", "::/0"}
	rules := hcloud.FirewallRuleArray{
		rule("SSH for operators and deployments", "tcp", strconv.Itoa(b.args.SSHPort), b.args.SSHSources),
		rule("HTTP, redirected to HTTPS", "tcp", "80", anywhere),
		rule("HTTPS", "tcp", "443", anywhere),
		rule("ping and path MTU discovery", "icmp", "", anywhere),
	}
	if b.args.HTTP3 {
		rules = append(rules, rule("HTTP/3", "udp", "443", anywhere))
	}
	if port := b.args.ForgejoSSHPort; port != 0 {
		rules = append(rules, rule("git over SSH", "tcp", strconv.Itoa(port), anywhere))
	}
	f, err := hcloud.NewFirewall(b.ctx, b.child("firewall"), &hcloud.FirewallArgs{
		Name:   b.physical("firewall"),
		Rules:  rules,
		Labels: labels(b.args.Tags),
	}, b.opts()...)
	if err != nil {
		return err
	}
	b.firewallID = number(f.ID())
	return nil
}

// rule opens inbound traffic; what no rule opens, Hetzner drops. Outbound stays open, for images,
// certificates, updates and backups come from names whose addresses change.
func rule(description, protocol, port string, sources []string) hcloud.FirewallRuleArgs {
	r := hcloud.FirewallRuleArgs{
		Description: pulumi.String(description),
		Direction:   pulumi.String("in"),
		Protocol:    pulumi.String(protocol),
		SourceIps:   pulumi.ToStringArray(sources),
	}
	if port != "" {
		r.Port = pulumi.String(port)
	}
	return r
}

func (b *builder) addresses() (err error) {
	if b.ipv4, err = b.address("ipv4"); err != nil {
		return err
	}
	b.host.PublicIP = b.ipv4.IpAddress
	b.host.PublicIPv6 = pulumi.String("").ToStringOutput()
	if b.args.IPv6 {
		if b.ipv6, err = b.address("ipv6"); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) address(family string) (*hcloud.PrimaryIp, error) {
	return hcloud.NewPrimaryIp(b.ctx, b.child(family), &hcloud.PrimaryIpArgs{
		Name:             b.physical(family),
		Type:             pulumi.String(family),
		AssigneeType:     pulumi.String("server"),
		Location:         pulumi.String(b.args.Location),
		AutoDelete:       pulumi.Bool(false),
		DeleteProtection: base.CloudProtection(b.args.Disposable),
		Labels:           labels(b.args.Tags),
	}, b.stateful()...)
}

func (b *builder) volume() (err error) {
	b.data, err = hcloud.NewVolume(b.ctx, b.child("data"), &hcloud.VolumeArgs{
		Name:             b.physical("data"),
		Location:         pulumi.String(b.args.Location),
		Size:             pulumi.Int(b.args.VolumeSizeGiB),
		Format:           pulumi.String("ext4"),
		DeleteProtection: base.CloudProtection(b.args.Disposable),
		Labels:           labels(b.args.Tags),
		// The format is used once; Hetzner does not give it back.
	}, b.stateful(pulumi.IgnoreChanges([]string{"format"}))...)
	if err == nil {
		b.host.VolumeID = number(b.data.ID())
	}
	return err
}

func (b *builder) server() (err error) {
	public := hcloud.ServerPublicNetArgs{
		Ipv4Enabled: pulumi.Bool(true),
		Ipv4:        number(b.ipv4.ID()),
		Ipv6Enabled: pulumi.Bool(b.args.IPv6),
	}
	if b.ipv6 != nil {
		public.Ipv6 = number(b.ipv6.ID())
	}
	// The server's own disk holds nothing but what can be rebuilt, yet replacing it stops everything.
	b.vps, err = hcloud.NewServer(b.ctx, b.child("server"), &hcloud.ServerArgs{
		Name:       pulumi.String(physical(b.args.Tags, b.name)),
		ServerType: pulumi.String(b.args.ServerType),
		Image:      pulumi.String(b.args.Image),
		Location:   pulumi.String(b.args.Location),
		UserData:   b.userData(),
		SshKeys:    b.keyIDs,
		// From its first moment on, not attached later.
		FirewallIds:            pulumi.IntArray{b.firewallID},
		PublicNets:             hcloud.ServerPublicNetArray{public},
		Backups:                pulumi.Bool(!b.args.DisableBackups),
		KeepDisk:               pulumi.Bool(true),
		DeleteProtection:       base.CloudProtection(b.args.Disposable),
		RebuildProtection:      base.CloudProtection(b.args.Disposable),
		ShutdownBeforeDeletion: pulumi.Bool(true),
		Labels:                 labels(b.args.Tags),
	}, b.stateful(pulumi.IgnoreChanges([]string{"image", "sshKeys", "userData"}))...)
	if err != nil {
		return err
	}
	b.host.ServerID = number(b.vps.ID())
	if b.args.IPv6 {
		// An IPv6 primary address is a network; the server has the first address in it.
		b.host.PublicIPv6 = b.vps.Ipv6Address
	}
	return nil
}

func (b *builder) attach() error {
	disk, err := hcloud.NewVolumeAttachment(b.ctx, b.child("data-attachment"), &hcloud.VolumeAttachmentArgs{
		ServerId: b.host.ServerID,
		VolumeId: b.host.VolumeID,
		// The bootstrap mounts it where Docker wants it.
		Automount: pulumi.Bool(false),
	}, b.opts()...)
	if err != nil {
		return err
	}
	private, err := hcloud.NewServerNetwork(b.ctx, b.child("private"), &hcloud.ServerNetworkArgs{
		ServerId: b.host.ServerID,
		SubnetId: b.subnetID.ToStringOutput().ToStringPtrOutput(),
		Ip:       pulumi.String(nth(b.args.SubnetCIDR, b.position())),
	}, b.opts()...)
	if err != nil {
		return err
	}
	b.host.PrivateIP = private.Ip
	b.attached = []pulumi.Resource{disk, private}
	return nil
}

// position is the host's place in the subnet.
func (b *builder) position() int {
	if b.args.Join != nil {
		return b.args.Join.Position
	}
	return ownPosition
}

// userData needs the volume's number, which is known once the volume is made.
func (b *builder) userData() pulumi.StringInput {
	a := b.args
	return b.data.ID().ApplyT(func(id pulumi.ID) (string, error) {
		return ops.CloudInit{
			Hostname: physical(a.Tags, b.name), User: a.SSHUser, AuthorizedKeys: a.AuthorizedKeys, SSHPort: a.SSHPort,
			VolumeID: string(id), DockerVersion: a.DockerVersion, CoolifyVersion: a.CoolifyVersion, SwapMiB: a.SwapMiB,
			Timezone: a.Timezone, RebootTimeUTC: a.RebootTimeUTC, IPv6: a.IPv6,
		}.Render()
	}).(pulumi.StringOutput)
}

func (b *builder) connection() remote.ConnectionArgs {
	return remote.ConnectionArgs{
		Host: b.host.PublicIP,
		Port: pulumi.Float64(float64(b.args.SSHPort)),
		User: pulumi.String(b.args.SSHUser),
		// The key stays in ssh-agent. A young server refuses connections for a while, and resets
		// some while sshd takes its settings.
		DialErrorLimit: pulumi.Int(b.args.ReadyTimeoutSeconds / 5),
		PerDialTimeout: pulumi.Int(10),
	}
}

func (b *builder) ready() error {
	ready, err := remote.NewCommand(b.ctx, b.child("ready"), &remote.CommandArgs{
		Connection: b.connection(),
		Create:     pulumi.String(fmt.Sprintf("READY_TIMEOUT_SECONDS=%d\nexport READY_TIMEOUT_SECONDS\n%s", b.args.ReadyTimeoutSeconds, ops.ReadyScript)),
		// Another server must be waited for anew.
		Triggers: pulumi.Array{b.host.ServerID},
	}, b.opts(pulumi.DependsOn(b.attached))...)
	if err != nil {
		return err
	}
	b.host.Ready = ready
	_, err = remote.NewCommand(b.ctx, b.child("authorized-keys"), &remote.CommandArgs{
		Connection: b.connection(),
		Create:     pulumi.String(ops.AuthorizedKeysScript),
		Stdin:      pulumi.String(strings.Join(b.args.AuthorizedKeys, "\n") + "\n"),
		Triggers:   pulumi.Array{b.host.ServerID},
	}, b.opts(pulumi.DependsOn([]pulumi.Resource{ready}))...)
	return err
}

func (b *builder) docker() error {
	args := &docker.ProviderArgs{
		Host:    pulumi.Sprintf("ssh://%s@%s:%d", b.args.SSHUser, b.host.PublicIP, b.args.SSHPort),
		SshOpts: pulumi.ToStringArray(b.args.SSHOptions),
	}
	var registries docker.ProviderRegistryAuthArray
	for _, r := range b.args.Registries {
		registries = append(registries, docker.ProviderRegistryAuthArgs{
			Address:  pulumi.String(r.Address),
			Username: pulumi.String(r.Username),
			Password: pulumi.ToSecret(r.Password).(pulumi.StringOutput),
		})
	}
	if registries != nil {
		args.RegistryAuth = registries
	}
	provider, err := docker.NewProvider(b.ctx, b.child("docker"), args, b.opts(pulumi.DependsOn([]pulumi.Resource{b.host.Ready}))...)
	b.host.DockerProvider = provider
	return err
}

// number turns a resource's id into the number that Hetzner's other resources refer to it by.
func number(id pulumi.IDOutput) pulumi.IntOutput {
	return id.ApplyT(func(id pulumi.ID) (int, error) { return strconv.Atoi(string(id)) }).(pulumi.IntOutput)
}
