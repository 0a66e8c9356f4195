package hetzner

import (
	"strconv"

	"github.com/pulumi/pulumi-docker/sdk/v4/go/docker"
	"github.com/pulumi/pulumi-hcloud/sdk/go/hcloud"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/ops"
)

// hostBuilder registers the parts of one VpsHost, in the order of its methods.
type hostBuilder struct {
	machine
	args   *VpsHostArgs
	host   *VpsHost
	keyIDs pulumi.StringArray
}

func newHostBuilder(ctx *pulumi.Context, name string, a *VpsHostArgs, host *VpsHost) *hostBuilder {
	position := ownPosition
	if a.Join != nil {
		position = a.Join.Position
	}
	return &hostBuilder{args: a, host: host, machine: machine{
		ctx: ctx, name: name, parent: host,
		serverType: a.ServerType, image: a.Image, location: a.Location,
		volumeSizeGiB: a.VolumeSizeGiB, disableBackups: a.DisableBackups,
		privateIP: nth(a.SubnetCIDR, position), readyTimeoutSeconds: a.ReadyTimeoutSeconds,
		boot: ops.Boot{
			Hostname: physical(a.Tags, name), User: a.SSHUser, AuthorizedKeys: a.AuthorizedKeys,
			SSHPort: a.SSHPort, Timezone: a.Timezone, RebootTime: a.RebootTime,
		},
		tags: a.Tags, disposable: a.Disposable,
	}}
}

func (b *hostBuilder) keys() error {
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

func (b *hostBuilder) network() error {
	if j := b.args.Join; j != nil {
		b.host.NetworkID, b.host.SubnetID = j.NetworkID.ToIntOutput(), j.SubnetID.ToStringOutput()
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
	return nil
}

func (b *hostBuilder) firewall() error {
	rules := hcloud.FirewallRuleArray{
		sshRule(b.args.SSHPort, b.args.SSHSources),
		rule("HTTP, redirected to HTTPS", "tcp", "80", anywhere),
		rule("HTTPS", "tcp", "443", anywhere),
		pingRule(),
	}
	if b.args.HTTP3 {
		rules = append(rules, rule("HTTP/3", "udp", "443", anywhere))
	}
	if port := b.args.ForgejoSSHPort; port != 0 {
		rules = append(rules, rule("git over SSH", "tcp", strconv.Itoa(port), anywhere))
	}
	return b.makeFirewall(rules)
}

func (b *hostBuilder) addresses() (err error) {
	if b.ipv4, err = b.makeAddress("ipv4"); err != nil {
		return err
	}
	b.host.PublicIP = b.ipv4.IpAddress
	b.host.PublicIPv6 = pulumi.String("").ToStringOutput()
	if b.args.IPv6 {
		b.ipv6, err = b.makeAddress("ipv6")
	}
	return err
}

func (b *hostBuilder) volume() error {
	err := b.makeVolume()
	b.host.VolumeID = b.volumeID
	return err
}

func (b *hostBuilder) server() error {
	a := b.args
	s, err := b.makeServer(b.keyIDs, func(boot ops.Boot) (string, error) {
		return ops.CloudInit{
			Boot: boot, DockerVersion: a.DockerVersion, CoolifyVersion: a.CoolifyVersion, SwapMiB: a.SwapMiB, IPv6: a.IPv6,
		}.Render()
	})
	if err != nil {
		return err
	}
	b.host.ServerID = b.serverID
	if a.IPv6 {
		// An IPv6 primary address is a network; the server has the first address in it.
		b.host.PublicIPv6 = s.Ipv6Address
	}
	return nil
}

func (b *hostBuilder) join() (err error) {
	b.host.PrivateIP, err = b.attach(b.host.SubnetID)
	return err
}

func (b *hostBuilder) bootstrap() error {
	err := b.awaitBoot(ops.ReadyScript)
	b.host.Ready = b.ready
	return err
}

func (b *hostBuilder) docker() error {
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
