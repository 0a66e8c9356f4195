package hetzner

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/components/base"
	"github.com/morphee-app/morphee-infra/ops"
)

// networkZones tells in which zone's networks a location is.
var networkZones = map[string]string{
	"fsn1": "eu-central", "nbg1": "eu-central", "hel1": "eu-central",
	"ash": "us-east", "hil": "us-west", "sin": "ap-southeast",
}

var (
	serverTypePattern = regexp.MustCompile(`^(cx|cpx|cax|ccx)\d{2}$`)
	imagePattern      = regexp.MustCompile(`^(ubuntu-2[24]\.04|debian-12)$`)
	versionPattern    = regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?$`)
	dockerPattern     = regexp.MustCompile(`^\d+\.\d+\.\d+$`)
	userPattern       = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)
	timezonePattern   = regexp.MustCompile(`^[A-Za-z]+(/[A-Za-z0-9_+-]+){0,2}$`)
	timePattern       = regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d$`)
	publicKeyPattern  = regexp.MustCompile(`^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-ssh-ed25519@openssh\.com|sk-ecdsa-sha2-nistp256@openssh\.com) [A-Za-z0-9+/]+=*( [^\r\n]*)?$`)
)

// withDefaults returns a copy with what was left out filled in.
func (a VpsHostArgs) withDefaults() *VpsHostArgs {
	text := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	number := func(field *int, value int) {
		if *field == 0 {
			*field = value
		}
	}
	text(&a.ServerType, "cpx31")
	text(&a.Image, "ubuntu-24.04")
	text(&a.Timezone, "Etc/UTC")
	text(&a.DockerVersion, ops.DockerVersion)
	text(&a.SSHUser, "morphee")
	text(&a.NetworkCIDR, "10.10.0.0/16")
	number(&a.VolumeSizeGiB, 40)
	number(&a.SSHPort, 22)
	number(&a.ReadyTimeoutSeconds, 600)
	if a.SSHOptions == nil {
		a.SSHOptions = []string{
			"-o", "StrictHostKeyChecking=accept-new",
			"-o", "ServerAliveInterval=30",
			"-o", "ConnectTimeout=30",
		}
	}
	if a.SubnetCIDR == "" {
		if network, err := netip.ParsePrefix(a.NetworkCIDR); err == nil && network.Addr().Is4() {
			a.SubnetCIDR = defaultSubnet(network)
		}
	}
	return &a
}

func (a *VpsHostArgs) validate(name string) error {
	p := base.Check("VpsHost", name)
	locations := slices.Sorted(maps.Keys(networkZones))
	p.Require(serverTypePattern.MatchString(a.ServerType), "ServerType", quoted(a.ServerType), `a Hetzner type such as "cpx31"`, "server.type")
	p.Require(imagePattern.MatchString(a.Image), "Image", quoted(a.Image), `"ubuntu-24.04", "ubuntu-22.04" or "debian-12"`, "server.image")
	p.Require(slices.Contains(locations, a.Location), "Location", quoted(a.Location), "one of "+strings.Join(locations, ", "), "server.location")
	p.Require(a.VolumeSizeGiB >= 10 && a.VolumeSizeGiB <= 10240, "VolumeSizeGiB", a.VolumeSizeGiB, "10 to 10240", "server.volumeSizeGiB")
	p.Require(a.SwapMiB >= 0 && a.SwapMiB <= 16384, "SwapMiB", a.SwapMiB, "0 to 16384", "server.swapMiB")
	p.Require(timezonePattern.MatchString(a.Timezone), "Timezone", quoted(a.Timezone), `a zone such as "Etc/UTC"`, "server.timezone")
	p.Require(dockerPattern.MatchString(a.DockerVersion), "DockerVersion", quoted(a.DockerVersion), `an exact version such as "28.5.2"`, "server.dockerVersion")
	p.Require(a.CoolifyVersion == "" || versionPattern.MatchString(a.CoolifyVersion), "CoolifyVersion", quoted(a.CoolifyVersion), `an exact version such as "4.0.0-beta.442"`, "coolify.version")
	p.Require(a.RebootTime == "" || timePattern.MatchString(a.RebootTime), "RebootTime", quoted(a.RebootTime), `"HH:MM" or nothing`, "server.rebootTime")
	p.Require(a.ReadyTimeoutSeconds >= 60 && a.ReadyTimeoutSeconds <= 3600, "ReadyTimeoutSeconds", a.ReadyTimeoutSeconds, "60 to 3600", "ssh.readyTimeoutSeconds")
	p.Require(userPattern.MatchString(a.SSHUser) && a.SSHUser != "root", "SSHUser", quoted(a.SSHUser), "a Unix user name other than root", "ssh.user")
	a.validateAccess(p)
	a.validateNetwork(p)
	for i, r := range a.Registries {
		p.Require(r.Address != "" && r.Username != "" && r.Password != nil, fmt.Sprintf("Registries[%d]", i), quoted(r.Address), "address, username and password", "registry")
	}
	for _, tag := range [][2]string{{"project", a.Tags.Project}, {"stack", a.Tags.Stack}, {"owner", a.Tags.Owner}} {
		p.Require(label(tag[1]) != "", "Tags", quoted(tag[1]), "a "+tag[0]+" with at least one letter or digit", tag[0])
	}
	return p.Err()
}

func (a *VpsHostArgs) validateAccess(p *base.Problems) {
	p.Require(len(a.AuthorizedKeys) > 0, "AuthorizedKeys", "none", "at least one public key", "ssh.authorizedKeys")
	seen := map[string]bool{}
	for i, key := range a.AuthorizedKeys {
		field := fmt.Sprintf("AuthorizedKeys[%d]", i)
		if !publicKeyPattern.MatchString(key) {
			// What was given might be a private key: it must not be repeated in an error.
			p.Add(field, "something else", `a public key in one line, such as "ssh-ed25519 AAAA… name"`, "ssh.authorizedKeys")
			continue
		}
		p.Require(!seen[keyID(key)], field, "a key for the second time", "every key once", "ssh.authorizedKeys")
		seen[keyID(key)] = true
	}
	p.Require(len(a.SSHSources) > 0, "SSHSources", "none", "at least one CIDR range; it must include where Pulumi runs", "ssh.allowedSources")
	for i, source := range a.SSHSources {
		field := fmt.Sprintf("SSHSources[%d]", i)
		prefix, err := netip.ParsePrefix(source)
		if err != nil || prefix != prefix.Masked() {
			p.Add(field, quoted(source), `a CIDR range such as "198.51.100.7/32", without bits after its prefix`, "ssh.allowedSources")
			continue
		}
		narrow := prefix.Bits() >= 8
		if prefix.Addr().Is6() {
			narrow = prefix.Bits() >= 16
		}
		p.Require(narrow || a.AllowAnySSHSource, field, quoted(source), "a range no wider than /8 (IPv6: /16), or an explicit allowance", "ssh.allowAnySource")
	}
	port := func(field string, value int, key string) {
		p.Require(value >= 1 && value <= 65535 && value != 80 && value != 443, field, value, "1 to 65535, not 80 or 443", key)
	}
	port("SSHPort", a.SSHPort, "ssh.port")
	if a.ForgejoSSHPort != 0 {
		port("ForgejoSSHPort", a.ForgejoSSHPort, "forgejo.sshPort")
		p.Require(a.ForgejoSSHPort != a.SSHPort, "ForgejoSSHPort", a.ForgejoSSHPort, "another port than the host's own SSH", "forgejo.sshPort")
	}
}

func (m *Membership) check(p *base.Problems) {
	p.Require(m.NetworkID != nil && m.SubnetID != nil && len(m.SSHKeyIDs) > 0, "Join", "something missing", "NetworkID, SubnetID and SSHKeyIDs", "")
	p.Require(m.Position > ownPosition && m.Position <= ownPosition+4, "Join.Position", m.Position, "11 to 14: a /28 has no more", "")
}

func (a *VpsHostArgs) validateNetwork(p *base.Problems) {
	if a.Join != nil {
		a.Join.check(p)
	}
	const key = "server.networkCidr"
	network, err := netip.ParsePrefix(a.NetworkCIDR)
	if err != nil || !network.Addr().Is4() || !network.Addr().IsPrivate() || network != network.Masked() || network.Bits() < 8 || network.Bits() > 24 {
		p.Add("NetworkCIDR", quoted(a.NetworkCIDR), `a private IPv4 range of /8 to /24 such as "10.10.0.0/16"`, key)
		return
	}
	p.Require(!network.Overlaps(netip.MustParsePrefix(ops.DockerAddressPool)), "NetworkCIDR", quoted(a.NetworkCIDR), "a range apart from Docker's "+ops.DockerAddressPool, key)
	subnet, err := netip.ParsePrefix(a.SubnetCIDR)
	inside := err == nil && subnet == subnet.Masked() && subnet.Bits() >= network.Bits() && subnet.Bits() <= 28 && network.Contains(subnet.Addr())
	p.Require(inside, "SubnetCIDR", quoted(a.SubnetCIDR), "a range of at most /28 inside "+a.NetworkCIDR, "server.subnetCidr")
}

// defaultSubnet is the second /24, so that the first stays free for what needs low addresses.
func defaultSubnet(network netip.Prefix) string {
	if network.Bits() > 23 {
		return network.String()
	}
	b := network.Masked().Addr().As4()
	b[2]++
	return netip.PrefixFrom(netip.AddrFrom4(b), 24).String()
}

// ownPosition is a host's place in its own subnet.
const ownPosition = 10

// nth is an address in a subnet; Hetzner keeps the first for the gateway.
func nth(subnet string, n int) string {
	addr := netip.MustParsePrefix(subnet).Addr()
	for range n {
		addr = addr.Next()
	}
	return addr.String()
}

func quoted(s string) string { return fmt.Sprintf("%q", s) }
