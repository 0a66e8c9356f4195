// Package hetzner holds the components that live at Hetzner Cloud.
package hetzner

import (
	"errors"

	"github.com/pulumi/pulumi-docker/sdk/v4/go/docker"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// VpsHostType is the type token of VpsHost.
const VpsHostType = "morphee:hetzner:VpsHost"

// AuthorizedKey is one public SSH key that may log in.
type AuthorizedKey struct {
	// Name tells whose key it is: lower-case letters, digits and dashes. It becomes part of a
	// logical name, so renaming one replaces that key's registration (nothing else).
	Name string
	// PublicKey in OpenSSH's one-line form: "ssh-ed25519 AAAA… comment".
	PublicKey string
}

// Registry is a container registry the host pulls private images from.
type Registry struct {
	// Address is the registry's host name, such as "ghcr.io".
	Address string
	// Username to log in with.
	Username string
	// Password or token; hand it over as a secret.
	Password pulumi.StringInput
}

// VpsHostArgs describes one server that runs Docker.
type VpsHostArgs struct {
	// ServerType is Hetzner's name of the size. Default "cpx31" (4 vCPU, 8 GB). A change resizes the
	// server in place, with a restart; the disk keeps its size so that going back stays possible.
	ServerType string
	// Image is Hetzner's name of the operating system: "ubuntu-24.04" (default) or "debian-12".
	// Read at first boot only; later changes are ignored, because they would replace the server.
	Image string
	// Location of the server, its addresses and its volume: fsn1, nbg1, hel1 (Europe), ash, hil
	// (United States) or sin (Singapore). Required. Data can not follow to another location, so a
	// change would replace server, addresses and volume: their protection makes Pulumi refuse it
	// in the preview already. To move, build a second stack there and restore a backup into it.
	Location string
	// VolumeSizeGB is the size of the data volume, 10 to 10240. Default 40. It can grow in place
	// (then run resize2fs) and never shrink.
	VolumeSizeGB int
	// SwapMiB is the size of the swap file, 0 to 16384. Bootstrap only. Default none.
	SwapMiB int
	// DockerVersion is the exact Docker CE version. Default ops.DockerVersion. Bootstrap only.
	DockerVersion string
	// CoolifyVersion, when not empty, installs that version of Coolify ("4.0.0-beta.442"), whose
	// Traefik then owns ports 80 and 443. Bootstrap only.
	CoolifyVersion string
	// RebootTimeUTC is when a security update that needs it may restart the host: "HH:MM", or
	// "never". Default "04:30". Bootstrap only.
	RebootTimeUTC string

	// DeployUser is the Unix user Pulumi and people log in as. Default "deploy". Bootstrap only.
	DeployUser string
	// AuthorizedKeys may log in as DeployUser. At least one. Kept up to date after bootstrap.
	AuthorizedKeys []AuthorizedKey
	// SSHSources are the CIDR ranges port 22 is open to: at least one, and no wider than /8 (IPv4)
	// or /16 (IPv6). Include where Pulumi runs.
	SSHSources []string
	// SSHOptions are passed to ssh by the Docker provider. Default: accept a host key the first
	// time it is seen, refuse a changed one, keep the connection alive.
	SSHOptions []string
	// HTTP3 also opens 443/udp.
	HTTP3 bool
	// ForgejoSSHPort opens this TCP port to everyone for git over SSH; 0 (default) opens none.
	ForgejoSSHPort int
	// IPv6 gives the server a public IPv6 address too. Changing it needs a restart.
	IPv6 bool

	// NetworkCIDR is the private network, a private IPv4 range of /8 to /28. Default "10.40.0.0/16".
	// It must not overlap ops.DockerAddressPool. Replaces the network.
	NetworkCIDR string
	// SubnetCIDR is the part of NetworkCIDR this host lives in; the host takes its tenth address.
	// Default: NetworkCIDR's first /24. Replaces the subnet.
	SubnetCIDR string

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
	// ServerID is Hetzner's number of the server, as a string.
	ServerID pulumi.StringOutput
	// NetworkID is Hetzner's number of the private network, for other servers to join.
	NetworkID pulumi.IntOutput
	// NetworkZone is the zone of the private network, such as "eu-central".
	NetworkZone string
	// VolumeID is Hetzner's number of the data volume, as a string.
	VolumeID pulumi.StringOutput
	// SSHUser is who to log in as.
	SSHUser string
}

// NewVpsHost registers the host.
func NewVpsHost(ctx *pulumi.Context, name string, args *VpsHostArgs, opts ...pulumi.ResourceOption) (*VpsHost, error) {
	return nil, errors.New("VpsHost: not built yet")
}
