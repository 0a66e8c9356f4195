// Package hetzner holds the components that live at Hetzner Cloud.
package hetzner

import (
	"github.com/pulumi/pulumi-docker/sdk/v4/go/docker"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// VpsHostType is the type token of VpsHost.
const VpsHostType = "morphee:hetzner:VpsHost"

// Registry is a container registry the host pulls private images from.
type Registry struct {
	// Address is the registry's host name, such as "ghcr.io".
	Address string
	// Username to log in with.
	Username string
	// Password or token; hand it over as a secret.
	Password pulumi.StringInput
}

// Membership is what a further server needs to be beside a host.
type Membership struct {
	// NetworkID and SubnetID of the host's private network.
	NetworkID pulumi.IntInput
	SubnetID  pulumi.StringInput
	// Position is the server's place in the subnet, 11 to 14: the host has the tenth address.
	// Replaces the membership.
	Position int
	// SSHKeyIDs of the host: Hetzner takes every key once.
	SSHKeyIDs pulumi.StringArray
}

// Beside is how a further server joins the host's network at a position.
func (c *VpsHost) Beside(position int) *Membership {
	return &Membership{NetworkID: c.NetworkID, SubnetID: c.SubnetID, Position: position, SSHKeyIDs: c.SSHKeyIDs}
}

// VpsHostArgs describes one server that runs Docker. "Bootstrap only" means that the value is read
// when the server is first made and later changes are ignored, because they would replace it.
type VpsHostArgs struct {
	// ServerType is Hetzner's name of the size. Default "cpx31" (4 vCPU, 8 GB). A change resizes the
	// server in place, with a restart; the disk keeps its size so that going back stays possible.
	ServerType string
	// Image is Hetzner's name of the operating system: "ubuntu-24.04" (default), "ubuntu-22.04" or
	// "debian-12". Bootstrap only.
	Image string
	// Location of the server, its addresses and its volume: fsn1, nbg1, hel1 (Europe), ash, hil
	// (United States) or sin (Singapore). Required. Data can not follow to another location, so a
	// change would replace server, addresses and volume: their protection makes Pulumi refuse it
	// in the preview already. To move, build a second stack there and restore a backup into it.
	// When Hetzner has no such server left there, choose another location before the first
	// deployment; nothing falls back by itself.
	Location string
	// VolumeSizeGiB is the size of the data volume, 10 to 10240. Default 40. It can grow in place
	// (then run resize2fs) and never shrink.
	VolumeSizeGiB int
	// SwapMiB is the size of the swap file, 0 (none) to 16384. Bootstrap only.
	SwapMiB int
	// Timezone such as "Etc/UTC" (default). Bootstrap only.
	Timezone string
	// DockerVersion is the exact Docker CE version. Default ops.DockerVersion. Bootstrap only.
	DockerVersion string
	// CoolifyVersion, when not empty, installs that version of Coolify ("4.0.0-beta.442"), whose
	// Traefik then owns ports 80 and 443. Bootstrap only.
	CoolifyVersion string
	// RebootTime is when a security update that needs it may restart the host, "HH:MM" in Timezone;
	// empty means never. Bootstrap only.
	RebootTime string
	// DisableBackups switches off Hetzner's daily image of the server's disk.
	DisableBackups bool

	// SSHUser is the Unix user Pulumi and people log in as. Default "morphee". Bootstrap only.
	SSHUser string
	// AuthorizedKeys may log in as SSHUser, in OpenSSH's one-line form. At least one. Kept up to
	// date after bootstrap.
	AuthorizedKeys []string
	// SSHSources are the CIDR ranges the SSH port is open to: at least one, and no wider than /8
	// (IPv4) or /16 (IPv6). Include where Pulumi runs.
	SSHSources []string
	// AllowAnySSHSource lifts the limit on SSHSources.
	AllowAnySSHSource bool
	// SSHPort is the port sshd listens on. Default 22. Bootstrap only.
	SSHPort int
	// SSHOptions are passed to ssh by the Docker provider. Default: accept a host key the first
	// time it is seen, refuse a changed one, keep the connection alive.
	SSHOptions []string
	// ReadyTimeoutSeconds is how long the first boot may take, 60 to 3600. Default 600.
	ReadyTimeoutSeconds int
	// HTTP3 also opens 443/udp.
	HTTP3 bool
	// ForgejoSSHPort opens this TCP port to everyone for git over SSH; 0 (default) opens none.
	ForgejoSSHPort int
	// IPv6 gives the server a public IPv6 address too.
	IPv6 bool

	// NetworkCIDR is the private network, a private IPv4 range of /8 to /24. Default "10.10.0.0/16".
	// It must not overlap ops.DockerAddressPool. Replaces the network.
	NetworkCIDR string
	// SubnetCIDR is the part of NetworkCIDR this host lives in, /28 or larger; the host takes its
	// tenth address. Default: NetworkCIDR's second /24, or all of it when it has only one. Replaces
	// the subnet.
	SubnetCIDR string

	// Join, when not nil, puts the host into another one's network instead of a network of its own:
	// NetworkCIDR and SubnetCIDR are then that host's.
	Join *Membership

	// Registries the Docker provider logs in to.
	Registries []Registry

	// Tags are written as labels; characters Hetzner does not allow become dashes.
	Tags base.Tags
	// Disposable leaves everything unprotected: throw-away stacks only.
	Disposable bool
}

// VpsHost is a Hetzner server ready to run containers: firewall, private network, addresses that
// outlive it, a volume holding all Docker volumes, and a Docker provider that waits for it.
type VpsHost struct {
	pulumi.ResourceState

	// DockerProvider talks to the host's Docker over SSH, once the host is ready.
	DockerProvider *docker.Provider
	// Ready is the resource to depend on for anything else that needs the host up.
	Ready pulumi.Resource
	// PublicIP is the public IPv4 address. It survives the server.
	PublicIP pulumi.StringOutput
	// PublicIPv6 is the public IPv6 address, empty unless IPv6 was asked for.
	PublicIPv6 pulumi.StringOutput
	// PrivateIP is the address in the private network.
	PrivateIP pulumi.StringOutput
	// ServerID is Hetzner's number of the server.
	ServerID pulumi.IntOutput
	// NetworkID is Hetzner's number of the private network, for other servers to join.
	NetworkID pulumi.IntOutput
	// NetworkZone is the zone of the private network, such as "eu-central".
	NetworkZone string
	// SubnetID is Hetzner's id of the subnet in it.
	SubnetID pulumi.StringOutput
	// SSHKeyIDs are Hetzner's numbers of the authorized keys.
	SSHKeyIDs pulumi.StringArray
	// VolumeID is Hetzner's number of the data volume.
	VolumeID pulumi.IntOutput
	// SSHUser is who to log in as.
	SSHUser string
}

// NewVpsHost registers the host.
func NewVpsHost(ctx *pulumi.Context, name string, args *VpsHostArgs, opts ...pulumi.ResourceOption) (*VpsHost, error) {
	a := args.withDefaults()
	if err := a.validate(name); err != nil {
		return nil, err
	}
	c := &VpsHost{SSHUser: a.SSHUser, NetworkZone: networkZones[a.Location]}
	if err := ctx.RegisterComponentResourceV2(VpsHostType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	b := newHostBuilder(ctx, name, a, c)
	for _, step := range []func() error{b.keys, b.network, b.firewall, b.addresses, b.volume, b.server, b.join, b.bootstrap, b.docker} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"publicIp":   c.PublicIP,
		"publicIpv6": c.PublicIPv6,
		"privateIp":  c.PrivateIP,
		"serverId":   c.ServerID,
		"networkId":  c.NetworkID,
		"volumeId":   c.VolumeID,
		"sshUser":    pulumi.String(c.SSHUser),
	})
}
