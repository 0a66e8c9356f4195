package hetzner

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi-command/sdk/go/command/remote"
	"github.com/pulumi/pulumi-hcloud/sdk/go/hcloud"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
	"github.com/morphee-app/morphee-infra/ops"
)

// machine registers what every server at Hetzner has, whatever runs on it: a firewall, addresses and a
// volume that outlive it, its place in the private network, and the commands that wait for its first
// boot. Components hold one and add what is their own; the methods are called in the order they stand
// in here.
type machine struct {
	ctx    *pulumi.Context
	name   string          // every logical name begins with it
	parent pulumi.Resource // the component

	serverType, image, location string
	volumeSizeGiB               int
	disableBackups              bool
	privateIP                   string
	readyTimeoutSeconds         int
	boot                        ops.Boot // all but the volume, which is not made yet
	tags                        base.Tags
	disposable                  bool

	firewallID, serverID, volumeID pulumi.IntOutput
	ipv4, ipv6                     *hcloud.PrimaryIp // ipv6 may be nil
	data                           *hcloud.Volume
	attached                       []pulumi.Resource // what must be there before the first boot can end
	ready                          pulumi.Resource   // what comes with the first boot over
}

func (m *machine) child(suffix string) string { return m.name + "-" + suffix }

func (m *machine) physical(suffix string) pulumi.String {
	return pulumi.String(physical(m.tags, m.child(suffix)))
}

func (m *machine) opts(more ...pulumi.ResourceOption) []pulumi.ResourceOption {
	return append([]pulumi.ResourceOption{pulumi.Parent(m.parent)}, more...)
}

// stateful are the options of what holds data, or an address people know.
func (m *machine) stateful(more ...pulumi.ResourceOption) []pulumi.ResourceOption {
	return base.Stateful(m.disposable, m.opts(more...)...)
}

var anywhere = []string{"0.0.0.0/0", "::/0"}

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

func sshRule(port int, sources []string) hcloud.FirewallRuleArgs {
	return rule("SSH for operators and deployments", "tcp", strconv.Itoa(port), sources)
}

func pingRule() hcloud.FirewallRuleArgs {
	return rule("ping and path MTU discovery", "icmp", "", anywhere)
}

func (m *machine) makeFirewall(rules hcloud.FirewallRuleArray) error {
	f, err := hcloud.NewFirewall(m.ctx, m.child("firewall"), &hcloud.FirewallArgs{
		Name:   m.physical("firewall"),
		Rules:  rules,
		Labels: labels(m.tags),
	}, m.opts()...)
	if err == nil {
		m.firewallID = number(f.ID())
	}
	return err
}

// makeAddress makes the address of a family, "ipv4" or "ipv6", which is kept when the server goes.
func (m *machine) makeAddress(family string) (*hcloud.PrimaryIp, error) {
	return hcloud.NewPrimaryIp(m.ctx, m.child(family), &hcloud.PrimaryIpArgs{
		Name:             m.physical(family),
		Type:             pulumi.String(family),
		AssigneeType:     pulumi.String("server"),
		Location:         pulumi.String(m.location),
		AutoDelete:       pulumi.Bool(false),
		DeleteProtection: base.CloudProtection(m.disposable),
		Labels:           labels(m.tags),
	}, m.stateful()...)
}

func (m *machine) makeVolume() (err error) {
	m.data, err = hcloud.NewVolume(m.ctx, m.child("data"), &hcloud.VolumeArgs{
		Name:             m.physical("data"),
		Location:         pulumi.String(m.location),
		Size:             pulumi.Int(m.volumeSizeGiB),
		Format:           pulumi.String("ext4"),
		DeleteProtection: base.CloudProtection(m.disposable),
		Labels:           labels(m.tags),
		// The format is used once; Hetzner does not give it back.
	}, m.stateful(pulumi.IgnoreChanges([]string{"format"}))...)
	if err == nil {
		m.volumeID = number(m.data.ID())
	}
	return err
}

// makeServer makes the server with Hetzner's numbers of the keys that may log in, and the user data
// that render returns. The server's own disk holds nothing but what can be rebuilt, yet replacing it
// stops everything.
func (m *machine) makeServer(sshKeys pulumi.StringArray, render func(ops.Boot) (string, error)) (*hcloud.Server, error) {
	public := hcloud.ServerPublicNetArgs{
		Ipv4Enabled: pulumi.Bool(true),
		Ipv4:        number(m.ipv4.ID()),
		Ipv6Enabled: pulumi.Bool(m.ipv6 != nil),
	}
	if m.ipv6 != nil {
		public.Ipv6 = number(m.ipv6.ID())
	}
	s, err := hcloud.NewServer(m.ctx, m.child("server"), &hcloud.ServerArgs{
		Name:       pulumi.String(m.boot.Hostname),
		ServerType: pulumi.String(m.serverType),
		Image:      pulumi.String(m.image),
		Location:   pulumi.String(m.location),
		UserData:   m.userData(render),
		SshKeys:    sshKeys,
		// From its first moment on, not attached later.
		FirewallIds:            pulumi.IntArray{m.firewallID},
		PublicNets:             hcloud.ServerPublicNetArray{public},
		Backups:                pulumi.Bool(!m.disableBackups),
		KeepDisk:               pulumi.Bool(true),
		DeleteProtection:       base.CloudProtection(m.disposable),
		RebuildProtection:      base.CloudProtection(m.disposable),
		ShutdownBeforeDeletion: pulumi.Bool(true),
		Labels:                 labels(m.tags),
	}, m.stateful(pulumi.IgnoreChanges([]string{"image", "sshKeys", "userData"}))...)
	if err == nil {
		m.serverID = number(s.ID())
	}
	return s, err
}

// userData needs the volume's number, which is known once the volume is made.
func (m *machine) userData(render func(ops.Boot) (string, error)) pulumi.StringInput {
	return m.data.ID().ApplyT(func(id pulumi.ID) (string, error) {
		boot := m.boot
		boot.VolumeID = string(id)
		return render(boot)
	}).(pulumi.StringOutput)
}

// attach gives the server its volume and its address in the subnet, which it returns.
func (m *machine) attach(subnetID pulumi.StringInput) (pulumi.StringOutput, error) {
	disk, err := hcloud.NewVolumeAttachment(m.ctx, m.child("data-attachment"), &hcloud.VolumeAttachmentArgs{
		ServerId: m.serverID,
		VolumeId: m.volumeID,
		// The bootstrap mounts it where it is wanted.
		Automount: pulumi.Bool(false),
	}, m.opts()...)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	private, err := hcloud.NewServerNetwork(m.ctx, m.child("private"), &hcloud.ServerNetworkArgs{
		ServerId: m.serverID,
		SubnetId: subnetID.ToStringOutput().ToStringPtrOutput(),
		Ip:       pulumi.String(m.privateIP),
	}, m.opts()...)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	m.attached = []pulumi.Resource{disk, private}
	return private.Ip, nil
}

func (m *machine) connection() remote.ConnectionArgs {
	return remote.ConnectionArgs{
		Host: m.ipv4.IpAddress,
		Port: pulumi.Float64(float64(m.boot.SSHPort)),
		User: pulumi.String(m.boot.User),
		// The key stays in ssh-agent. A young server refuses connections for a while, and resets
		// some while sshd takes its settings.
		DialErrorLimit: pulumi.Int(m.readyTimeoutSeconds / 5),
		PerDialTimeout: pulumi.Int(10),
	}
}

// awaitBoot runs the script that waits for the first boot, then brings the authorized keys up to date.
func (m *machine) awaitBoot(script string) error {
	ready, err := remote.NewCommand(m.ctx, m.child("ready"), &remote.CommandArgs{
		Connection: m.connection(),
		Create:     pulumi.String(fmt.Sprintf("READY_TIMEOUT_SECONDS=%d\nexport READY_TIMEOUT_SECONDS\n%s", m.readyTimeoutSeconds, script)),
		// Another server must be waited for anew, and so must another volume: nobody has mounted it.
		Triggers: pulumi.Array{m.serverID, m.volumeID},
	}, m.opts(pulumi.DependsOn(m.attached))...)
	if err != nil {
		return err
	}
	m.ready = ready
	_, err = remote.NewCommand(m.ctx, m.child("authorized-keys"), &remote.CommandArgs{
		Connection: m.connection(),
		Create:     pulumi.String(ops.AuthorizedKeysScript),
		Stdin:      pulumi.String(strings.Join(m.boot.AuthorizedKeys, "\n") + "\n"),
		Triggers:   pulumi.Array{m.serverID},
	}, m.opts(pulumi.DependsOn([]pulumi.Resource{ready}))...)
	return err
}

// number turns a resource's id into the number that Hetzner's other resources refer to it by.
func number(id pulumi.IDOutput) pulumi.IntOutput {
	return id.ApplyT(func(id pulumi.ID) (int, error) { return strconv.Atoi(string(id)) }).(pulumi.IntOutput)
}
