package hcloud_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds/hcloud"
	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

type props = simtest.Props

const (
	firewall   = "hcloud:index/firewall:Firewall"
	attachment = "hcloud:index/firewallAttachment:FirewallAttachment"
	floating   = "hcloud:index/floatingIp:FloatingIp"
	group      = "hcloud:index/placementGroup:PlacementGroup"
	key        = "hcloud:index/sshKey:SshKey"
	joined     = "hcloud:index/serverNetwork:ServerNetwork"
	netw       = "hcloud:index/network:Network"
	primary    = "hcloud:index/primaryIp:PrimaryIp"
	rdns       = "hcloud:index/rdns:Rdns"
	server     = "hcloud:index/server:Server"
	snapshot   = "hcloud:index/snapshot:Snapshot"
	subnet     = "hcloud:index/networkSubnet:NetworkSubnet"
	volAttach  = "hcloud:index/volumeAttachment:VolumeAttachment"
	volume     = "hcloud:index/volume:Volume"
)

const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIANfzphc7/dQ3yuBHWiMqTm6OVY58aY1VlPVooYxjIS/ one@example"

func start(t *testing.T) *simtest.Sim { t.Helper(); return simtest.New(t, hcloud.Package()) }

func with(base, more props) props { return simtest.Merge(base, more) }

func vps(more props) props {
	return with(props{"name": "web", "serverType": "cpx32", "image": "ubuntu-24.04", "location": "nbg1"}, more)
}

// Every line is refused as it is and accepted with the correction in good.
func TestRefusals(t *testing.T) {
	tests := []struct {
		rule, token string
		bad, good   props
		want        string
	}{
		{"host name alphabet", server, vps(props{"name": "web_1"}), props{"name": "web-1"}, "valid hostname"},
		{"label key", server, vps(props{"labels": props{"-a": "b"}}), props{"labels": props{"a": "b"}}, "label key '-a'"},
		{"label value", server, vps(props{"labels": props{"a": "b c"}}), props{"labels": props{"a": "b.c"}}, "label value 'b c'"},
		{"label length", volume, props{"size": 10, "location": "fsn1", "labels": props{"a": strings.Repeat("x", 64)}}, props{"labels": props{"a": strings.Repeat("x", 63)}}, "not correctly formatted"},
		{"server type is for sale", server, vps(props{"serverType": "cx22"}), props{"serverType": "cx23"}, "Hetzner no longer sells server type cx22"},
		{"server type exists", server, vps(props{"serverType": "cx24"}), props{"serverType": "cx23"}, "Hetzner has no server type cx24; nbg1 has cax11,"},
		{"location exists", server, vps(props{"location": "muc1"}), props{"location": "hel1"}, "location muc1 not found"},
		{"second CPX generation is not sold overseas", server, vps(props{"serverType": "cpx32", "location": "ash"}), props{"location": "nbg1"}, "ash has ccx23, cpx31 with as many cores"},
		{"Arm is in Europe only", server, vps(props{"serverType": "cax21", "location": "ash"}), props{"location": "fsn1"}, "unsupported location for server type"},
		{"data centre matches", server, vps(props{"datacenter": "hel1-dc2"}), props{"datacenter": "nbg1-dc3"}, "datacenter"},
		{"image exists", server, vps(props{"image": "ubuntu-18.04"}), props{"image": "debian-13"}, "image ubuntu-18.04 for architecture x86 not found"},
		{"image has the architecture", server, vps(props{"serverType": "cax21", "image": "gitlab"}), props{"image": "docker-ce"}, "image gitlab for architecture arm not found"},
		{"image is deprecated", server, vps(props{"image": "debian-11"}), props{"allowDeprecatedImages": true}, "is deprecated"},
		{"SSH key exists", server, vps(props{"sshKeys": []string{"nobody"}}), props{"sshKeys": []string{"ops"}}, "SSH key not found: nobody"},
		{"user data length", server, vps(props{"userData": strings.Repeat("x", 32*1024+1)}), props{"userData": "#cloud-config"}, "user_data"},
		{"protections are equal", server, vps(props{"deleteProtection": true}), props{"rebuildProtection": true}, "have to be equal"},
		{"firewall exists", server, vps(props{"firewallIds": []any{99.0}}), props{"firewallIds": []any{}}, "firewall with ID '99' not found"},
		{"placement group exists", server, vps(props{"placementGroupId": 99}), props{"placementGroupId": nil}, "placement group with ID '99' not found"},
		{"rescue system", server, vps(props{"rescue": "dos"}), props{"rescue": "linux64"}, "rescue"},
		{"name is unique", server, vps(props{"name": "taken"}), props{"name": "free"}, "uniqueness_error"},

		{"SSH key is one", key, props{"name": "a", "publicKey": "ssh-ed25519 nonsense"}, props{"publicKey": strings.Replace(publicKey, "IANf", "IANg", 1)}, "SSH key is not valid"},
		{"SSH key is unique", key, props{"name": "a", "publicKey": publicKey}, props{"publicKey": strings.Replace(publicKey, "IANf", "IANh", 1)}, "same fingerprint"},
		{"SSH key name is unique", key, props{"name": "ops", "publicKey": strings.Replace(publicKey, "IANf", "IANi", 1)}, props{"name": "b"}, "already used"},

		{"volume size, least", volume, props{"size": 9, "location": "fsn1"}, props{"size": 10}, "expected 10 to 10240"},
		{"volume size, most", volume, props{"size": 10241, "location": "fsn1"}, props{"size": 10240}, "expected 10 to 10240"},
		{"volume format", volume, props{"size": 10, "location": "fsn1", "format": "btrfs"}, props{"format": "xfs"}, "expected ext4 or xfs"},
		{"volume has a place", volume, props{"size": 10}, props{"location": "sin"}, "one of location and serverId"},
		{"volume place exists", volume, props{"size": 10, "location": "muc1"}, props{"location": "hil"}, "location muc1 not found"},
		{"automount needs a server", volume, props{"size": 10, "location": "fsn1", "automount": true}, props{"automount": nil}, "automount"},

		{"primary IP family", primary, props{"type": "ipv5", "location": "fsn1"}, props{"type": "ipv6"}, "expected ipv4 or ipv6"},
		{"primary IP holder", primary, props{"type": "ipv4", "location": "fsn1", "assigneeType": "lb"}, props{"assigneeType": "server"}, "expected server"},
		{"primary IP has a place", primary, props{"type": "ipv4"}, props{"location": "fsn1"}, "one of location, datacenter and assigneeId"},
		{"primary IP places agree", primary, props{"type": "ipv4", "location": "fsn1", "datacenter": "hel1-dc2"}, props{"datacenter": "fsn1-dc14"}, "different locations"},

		{"firewall direction", firewall, rule(props{"direction": "up"}), rule(nil), "expected in or out"},
		{"firewall protocol", firewall, rule(props{"protocol": "http"}), rule(nil), "expected one of tcp, udp"},
		{"firewall port required", firewall, rule(props{"port": nil}), rule(nil), "a port is required for tcp"},
		{"firewall port range", firewall, rule(props{"port": "90-80"}), rule(props{"port": "80-90"}), "expected a number from 1 to 65535"},
		{"firewall port limit", firewall, rule(props{"port": "65536"}), rule(props{"port": "any"}), "expected a number from 1 to 65535"},
		{"firewall port not for icmp", firewall, rule(props{"protocol": "icmp"}), rule(props{"protocol": "icmp", "port": nil}), "no port is allowed for icmp"},
		{"firewall source required", firewall, rule(props{"sourceIps": nil}), rule(nil), "at least one range is required"},
		{"firewall no destination inbound", firewall, rule(props{"destinationIps": []string{"0.0.0.0/0"}}), rule(nil), "not allowed for direction"},
		{"firewall CIDR", firewall, rule(props{"sourceIps": []string{"10.0.0.1"}}), rule(props{"sourceIps": []string{"10.0.0.1/32"}}), "is not a CIDR range"},
		{"firewall CIDR in network form", firewall, rule(props{"sourceIps": []string{"10.0.0.1/24"}}), rule(props{"sourceIps": []string{"10.0.0.0/24"}}), "is not the start of the cidr block 10.0.0.0/24"},
		{"firewall applies to a server", firewall, props{"applyTos": []any{props{"server": 99}}}, props{"applyTos": []any{props{"labelSelector": "a"}}}, "server with ID '99' not found"},

		{"network range is private", netw, props{"ipRange": "11.0.0.0/16"}, props{"ipRange": "10.0.0.0/16"}, "RFC 1918"},
		{"network range in network form", netw, props{"ipRange": "10.0.1.0/16"}, props{"ipRange": "172.16.0.0/12"}, "is not the start"},
		{"network size", netw, props{"ipRange": "192.168.0.0/25"}, props{"ipRange": "192.168.0.0/24"}, "at least a /24"},
		{"network is IPv4", netw, props{"ipRange": "fd00::/48"}, props{"ipRange": "10.9.0.0/16"}, "is not IPv4"},

		{"placement group type", group, props{"type": "pack"}, props{"type": "spread"}, "expected spread"},
		{"floating IP place", floating, props{"type": "ipv4"}, props{"homeLocation": "fsn1"}, "home_location"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			s := start(t)
			s.Must(key, "ops", props{"name": "ops", "publicKey": publicKey})
			s.Must(server, "first", vps(props{"name": "taken"}))
			s.Refuses(test.token, "x", test.bad, test.want)
			s.Must(test.token, "x", with(test.bad, test.good))
		})
	}
}

func rule(more props) props {
	return props{"rules": []any{with(props{"direction": "in", "protocol": "tcp", "port": "22", "sourceIps": []string{"0.0.0.0/0", "::/0"}}, more)}}
}

func TestServerOutputs(t *testing.T) {
	s := start(t)
	r := s.Must(server, "web", vps(props{"backups": true}))
	for property, pattern := range map[string]string{
		"ipv4Address": `^(49\.13|78\.47|91\.99|116\.203|157\.180|162\.55)\.\d+\.\d+$`, "ipv6Address": `^2a01:4f8:1c1b:[0-9a-f]+::1$`,
		"ipv6Network": `^2a01:4f8:1c1b:[0-9a-f]+::/64$`, "status": "^running$", "primaryDiskSize": "^160$", "datacenter": "^nbg1-dc3$",
		"backupWindow": `^\d\d-\d\d$`,
	} {
		if got := r.Out.String(property); !regexp.MustCompile(pattern).MatchString(got) {
			t.Errorf("%s is %q, want %s", property, got, pattern)
		}
	}
	if !regexp.MustCompile(`^\d{9}$`).MatchString(r.ID) {
		t.Errorf("id is %q, want a number", r.ID)
	}
	if other := start(t).Must(server, "web", vps(nil)); other.ID != r.ID {
		t.Errorf("two runs give the ids %s and %s", r.ID, other.ID)
	}
	if second := s.Must(server, "web2", vps(props{"name": "web2"})); second.Out["ipv4Address"] == r.Out["ipv4Address"] {
		t.Error("two servers have one address")
	}
}

func TestServerReplacesAndKeeps(t *testing.T) {
	s := start(t)
	r := s.Must(server, "web", vps(props{"userData": "a"}))
	for _, change := range []props{{"location": "hel1"}, {"image": "debian-13"}, {"userData": "b"}, {"sshKeys": []string{"x"}}} {
		if d := s.Diff(r, with(vps(props{"userData": "a"}), change)); len(d.ReplaceKeys) == 0 {
			t.Errorf("%v does not replace", change)
		}
	}
	if d := s.Diff(r, vps(props{"userData": "a\n"})); len(d.ChangedKeys) != 0 {
		t.Errorf("white space at the end of user data changes %v", d.ChangedKeys)
	}
	if d := s.Diff(r, vps(props{"userData": "a", "serverType": "cpx42"})); len(d.ReplaceKeys) != 0 || len(d.ChangedKeys) != 1 {
		t.Errorf("a resize changes %v and replaces %v", d.ChangedKeys, d.ReplaceKeys)
	}
}

func TestResize(t *testing.T) {
	s := start(t)
	r := s.Must(server, "web", vps(props{"keepDisk": true}))
	address := r.Out.String("ipv4Address")
	refuse := func(more props, want string) {
		t.Helper()
		if _, err := s.Update(r, vps(more)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", more, err, want)
		}
	}
	refuse(props{"serverType": "cax31"}, "architecture")
	refuse(props{"serverType": "cpx22"}, "can not shrink")
	refuse(props{"serverType": "nope"}, "Hetzner has no server type nope")
	refuse(props{"serverType": "cx42"}, "Hetzner no longer sells server type cx42")
	r, err := s.Update(r, vps(props{"serverType": "cpx42", "keepDisk": true}))
	if err != nil || r.Out.Int("primaryDiskSize") != 160 || r.Out.String("ipv4Address") != address {
		t.Fatalf("resizing with keepDisk: %v, disk %d", err, r.Out.Int("primaryDiskSize"))
	}
	if r, err = s.Update(r, vps(props{"serverType": "cpx32", "keepDisk": true})); err != nil {
		t.Fatalf("going back: %v", err)
	}
	if r, err = s.Update(r, vps(props{"serverType": "cpx42"})); err != nil || r.Out.Int("primaryDiskSize") != 320 {
		t.Fatalf("growing the disk: %v", err)
	}
	refuse(props{"serverType": "cpx32"}, "can not shrink")
}

// A server of a type that is out of sale goes on: it is changed like any other, and leaves the type for one
// that is sold. Only the way to such a type is closed, and that is known before anything runs.
func TestATypeOutOfSale(t *testing.T) {
	s := start(t)
	r := s.Must(server, "web", vps(props{"serverType": "cx43"}))
	old := *r
	old.In, old.Out = r.In.Clone(), r.Out.Clone()
	old.In["serverType"], old.Out["serverType"] = "cx42", "cx42"
	s.World.Put(&old)
	r, err := s.Update(&old, vps(props{"serverType": "cx42", "labels": props{"a": "b"}}))
	if err != nil {
		t.Fatalf("a server that has the type cannot be changed any more: %v", err)
	}
	if _, err := s.Update(r, vps(props{"serverType": "cax31"})); err == nil || !strings.Contains(err.Error(), "architecture") {
		t.Errorf("from x86 to Arm: got %v", err)
	}
	if r, err = s.Update(r, vps(props{"serverType": "cx43"})); err != nil {
		t.Fatalf("the server cannot leave the type: %v", err)
	}
	failures := s.Check(r, vps(props{"serverType": "cx42"}))
	for _, want := range []string{"Hetzner no longer sells server type cx42", "keeps it", "nbg1 has cax11,", " cx43,"} {
		if failures == nil || !strings.Contains(failures.Error(), want) {
			t.Errorf("back to it: got %v, want %q", failures, want)
		}
	}
	if failures != nil && strings.Contains(failures.Error(), "cpx31") {
		t.Errorf("names a type that is withdrawn at the location: %v", failures)
	}
}

func TestDeletionProtection(t *testing.T) {
	on := props{"deleteProtection": true}
	for token, p := range map[string]props{
		server: vps(with(on, props{"rebuildProtection": true})), volume: with(on, props{"size": 10, "location": "fsn1"}),
		primary: with(on, props{"type": "ipv4", "location": "fsn1"}), netw: with(on, props{"ipRange": "10.0.0.0/16"}),
		floating: with(on, props{"type": "ipv4", "homeLocation": "fsn1"}),
	} {
		s := start(t)
		r := s.Must(token, "x", p)
		if err := s.Delete(r); err == nil || !strings.Contains(err.Error(), "deletion is protected") {
			t.Errorf("%s: a protected one is deleted: %v", token, err)
		}
		off := with(p, props{"deleteProtection": false})
		if token == server {
			off["rebuildProtection"] = false
		}
		r, err := s.Update(r, off)
		if err != nil {
			t.Fatalf("%s: %v", token, err)
		}
		if err := s.Delete(r); err != nil {
			t.Errorf("%s: an unprotected one is not deleted: %v", token, err)
		}
	}
}

func TestPrimaryAddresses(t *testing.T) {
	s := start(t)
	ip := s.Must(primary, "ip", props{"type": "ipv4", "location": "nbg1"})
	ip6 := s.Must(primary, "ip6", props{"type": "ipv6", "location": "nbg1"})
	far := s.Must(primary, "far", props{"type": "ipv4", "location": "hel1"})
	nets := func(p props) props { return vps(props{"publicNets": []any{p}}) }
	s.Refuses(server, "web", nets(props{"ipv4": 99}), "primary IP with ID '99' not found")
	s.Refuses(server, "web", nets(props{"ipv4": ip6.ID}), "is of type ipv6")
	s.Refuses(server, "web", nets(props{"ipv4": far.ID}), "same location")
	s.Refuses(server, "web", nets(props{"ipv4": ip.ID, "ipv4Enabled": false}), "not allowed")
	r := s.Must(server, "web", nets(props{"ipv4": ip.ID, "ipv6": ip6.ID}))
	if r.Out["ipv4Address"] != ip.Out["ipAddress"] || r.Out["ipv6Network"] != ip6.Out["ipNetwork"] {
		t.Errorf("the server has %v and %v", r.Out["ipv4Address"], r.Out["ipv6Network"])
	}
	s.Refuses(server, "web2", with(nets(props{"ipv4": ip.ID}), props{"name": "web2"}), "already assigned to server "+r.ID)
	if err := s.Delete(ip); err == nil || !strings.Contains(err.Error(), "must be powered off") {
		t.Errorf("an address in use is deleted: %v", err)
	}
	if err := s.Delete(r); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(ip); err != nil {
		t.Errorf("a free address is not deleted: %v", err)
	}
	only6 := s.Must(server, "six", with(nets(props{"ipv4Enabled": false}), props{"name": "six"}))
	if only6.Out.String("ipv4Address") != "" || only6.Out.String("ipv6Address") == "" {
		t.Errorf("a server without IPv4 has %q", only6.Out.String("ipv4Address"))
	}
}

func TestVolumes(t *testing.T) {
	s := start(t)
	web := s.Must(server, "web", vps(nil))
	s.Refuses(volume, "far", props{"size": 10, "location": "fsn1", "serverId": web.ID}, "same location")
	v := s.Must(volume, "data", props{"size": 20, "location": "nbg1"})
	if want := "/dev/disk/by-id/scsi-0HC_Volume_" + v.ID; v.Out["linuxDevice"] != want {
		t.Errorf("linuxDevice is %v, want %s", v.Out["linuxDevice"], want)
	}
	elsewhere := s.Must(volume, "elsewhere", props{"size": 10, "location": "hel1"})
	s.Refuses(volAttach, "a", props{"volumeId": 99, "serverId": web.ID}, "volume with ID '99' not found")
	s.Refuses(volAttach, "a", props{"volumeId": v.ID, "serverId": 99}, "server with ID '99' not found")
	s.Refuses(volAttach, "a", props{"volumeId": elsewhere.ID, "serverId": web.ID}, "same location")
	s.Must(volAttach, "a", props{"volumeId": v.ID, "serverId": web.ID})
	s.Refuses(volAttach, "b", props{"volumeId": v.ID, "serverId": web.ID}, "volume_already_attached")
	if _, err := s.Update(v, props{"size": 10, "location": "nbg1"}); err == nil || !strings.Contains(err.Error(), "can not shrink") {
		t.Errorf("a volume shrinks: %v", err)
	}
	if _, err := s.Update(v, props{"size": 30, "location": "nbg1"}); err != nil {
		t.Errorf("a volume does not grow: %v", err)
	}
	for i := range 15 {
		s.Must(volume, fmt.Sprint("v", i), props{"size": 10, "serverId": web.ID})
	}
	s.Refuses(volume, "v16", props{"size": 10, "serverId": web.ID}, "already has 16 volumes")
}

func TestPrivateNetworks(t *testing.T) {
	s := start(t)
	n := s.Must(netw, "n", props{"ipRange": "10.0.0.0/16"})
	sub := func(more props) props {
		return with(props{"networkId": n.ID, "type": "cloud", "networkZone": "eu-central", "ipRange": "10.0.1.0/24"}, more)
	}
	web := s.Must(server, "web", vps(nil))
	s.Refuses(joined, "j", props{"serverId": web.ID, "networkId": n.ID}, "no_subnet_available")
	s.Refuses(subnet, "s", sub(props{"networkZone": "eu-west"}), "network_zone")
	s.Refuses(subnet, "s", sub(props{"type": "lan"}), "expected cloud")
	s.Refuses(subnet, "s", sub(props{"type": "vswitch"}), "vswitchId")
	s.Refuses(subnet, "s", sub(props{"ipRange": "10.1.1.0/24"}), "is not in the network's 10.0.0.0/16")
	s.Refuses(subnet, "s", sub(props{"ipRange": "10.0.1.0/31"}), "at least a /30")
	s.Refuses(subnet, "s", sub(props{"networkId": 99}), "network with ID '99' not found")
	one := s.Must(subnet, "s", sub(nil))
	if one.ID != n.ID+"-10.0.1.0/24" || one.Out["gateway"] != "10.0.0.1" {
		t.Errorf("subnet %s with gateway %v", one.ID, one.Out["gateway"])
	}
	s.Refuses(subnet, "s2", sub(props{"ipRange": "10.0.1.128/25"}), "networks_overlap")
	american := s.Must(subnet, "us", sub(props{"ipRange": "10.0.2.0/24", "networkZone": "us-east"}))
	s.Refuses(joined, "j", props{"serverId": web.ID, "subnetId": american.ID}, "no_subnet_available")
	s.Refuses(joined, "j", props{"serverId": web.ID}, "exactly one of networkId and subnetId")
	s.Refuses(joined, "j", props{"serverId": web.ID, "subnetId": one.ID, "ip": "10.0.2.5"}, "ip_not_available")
	s.Refuses(joined, "j", props{"serverId": web.ID, "subnetId": one.ID, "ip": "10.0.1.255"}, "ip_not_available")
	j := s.Must(joined, "j", props{"serverId": web.ID, "subnetId": one.ID, "ip": "10.0.1.10"})
	if j.ID != web.ID+"-"+n.ID || j.Out.String("networkId") != n.ID || !strings.HasPrefix(j.Out.String("macAddress"), "86:00:00:") {
		t.Errorf("joined as %s: %v", j.ID, j.Out)
	}
	s.Refuses(joined, "again", props{"serverId": web.ID, "networkId": n.ID}, "server_already_attached")
	two := s.Must(server, "two", vps(props{"name": "two"}))
	s.Refuses(joined, "j2", props{"serverId": two.ID, "networkId": n.ID, "ip": "10.0.1.10"}, "ip_not_available")
	if j2 := s.Must(joined, "j2", props{"serverId": two.ID, "networkId": n.ID}); j2.Out["ip"] != "10.0.1.1" {
		t.Errorf("the first free address is %v", j2.Out["ip"])
	}
	s.Refuses(server, "three", vps(props{"name": "three", "networks": []any{props{"networkId": n.ID, "ip": "10.0.1.10"}}}), "ip_not_available")
	three := s.Must(server, "three", vps(props{"name": "three", "networks": []any{props{"networkId": n.ID}}}))
	if three.Out.String("networks.0.ip") != "10.0.1.2" {
		t.Errorf("inline network gives %v", three.Out["networks"])
	}
	for what, r := range map[string]*cloud.Resource{"subnet": one, "network": n} {
		if err := s.Delete(r); err == nil || !strings.Contains(err.Error(), "resource_in_use") {
			t.Errorf("a %s with servers is deleted: %v", what, err)
		}
	}
	if err := s.Delete(american); err != nil {
		t.Errorf("a subnet without servers is not deleted: %v", err)
	}
}

func TestInUse(t *testing.T) {
	s := start(t)
	f := s.Must(firewall, "f", rule(nil))
	g := s.Must(group, "g", props{"type": "spread"})
	web := s.Must(server, "web", vps(props{"firewallIds": []any{f.ID}, "placementGroupId": g.ID}))
	for _, r := range []*cloud.Resource{f, g} {
		if err := s.Delete(r); err == nil || !strings.Contains(err.Error(), "resource_in_use") {
			t.Errorf("%s in use is deleted: %v", r.Type, err)
		}
	}
	if err := s.Delete(web); err != nil {
		t.Fatal(err)
	}
	for _, r := range []*cloud.Resource{f, g} {
		if err := s.Delete(r); err != nil {
			t.Errorf("%s not in use is not deleted: %v", r.Type, err)
		}
	}
}

func TestSpreadGroupHoldsTen(t *testing.T) {
	s := start(t)
	g := s.Must(group, "g", props{"type": "spread"})
	for i := range 10 {
		name := fmt.Sprint("w", i)
		s.Must(server, name, vps(props{"name": name, "placementGroupId": g.ID}))
	}
	s.Refuses(server, "w10", vps(props{"name": "w10", "placementGroupId": g.ID}), "already has 10 servers")
}

func TestReverseNames(t *testing.T) {
	s := start(t)
	web := s.Must(server, "web", vps(nil))
	p := props{"serverId": web.ID, "ipAddress": web.Out.String("ipv4Address"), "dnsPtr": "web.example.org"}
	s.Refuses(rdns, "r", with(p, props{"ipAddress": "192.0.2.1"}), "does not belong")
	s.Refuses(rdns, "r", with(p, props{"primaryIpId": 1}), "exactly one of")
	s.Refuses(rdns, "r", with(p, props{"dnsPtr": "no name"}), "is not a host name")
	if r := s.Must(rdns, "r", p); r.ID != "s-"+web.ID+"-"+web.Out.String("ipv4Address") {
		t.Errorf("id %s", r.ID)
	}
}

func TestFirewallAttachment(t *testing.T) {
	s := start(t)
	web := s.Must(server, "web", vps(nil))
	f := s.Must(firewall, "f", rule(nil))
	s.Refuses(attachment, "a", props{"firewallId": f.ID}, "at least one of serverIds and labelSelectors")
	s.Refuses(attachment, "a", props{"firewallId": f.ID, "serverIds": []any{99}}, "server with ID '99' not found")
	s.Refuses(attachment, "a", props{"firewallId": 99, "serverIds": []any{web.ID}}, "firewall with ID '99' not found")
	s.Must(attachment, "a", props{"firewallId": f.ID, "serverIds": []any{web.ID}})
	s.Refuses(attachment, "b", props{"firewallId": f.ID, "serverIds": []any{web.ID}}, "already has an attachment")
}

func TestServerFromSnapshot(t *testing.T) {
	s := start(t)
	s.Refuses(snapshot, "img", props{"serverId": 99}, "server with ID '99' not found")
	web := s.Must(server, "web", vps(nil))
	img := s.Must(snapshot, "img", props{"serverId": web.ID})
	s.Must(server, "copy", vps(props{"name": "copy", "image": img.ID}))
}

func TestReach(t *testing.T) {
	s := start(t)
	web := s.Must(server, "web", vps(props{"labels": props{"role": "web"}}))
	address := web.Out.String("ipv4Address")
	h, err := hcloud.Reach(s.World, address, 22)
	if err != nil || h == nil || h.Cores != 4 || h.MemoryMB != 8192 {
		t.Fatalf("a server without firewall is not reached: %v %v", h, err)
	}
	if _, err := hcloud.Reach(s.World, web.Out.String("ipv6Address"), 22); err != nil {
		t.Errorf("IPv6: %v", err)
	}
	for _, host := range []string{"localhost", "127.0.0.1", "10.0.0.5", "203.0.113.9", "2001:db8::1", "host.example.org"} {
		if h, err := hcloud.Reach(s.World, host, 22); err != nil || h != nil {
			t.Errorf("%s: %v %v", host, h, err)
		}
	}
	if _, err := hcloud.Reach(s.World, "5.5.5.5", 22); err == nil || !strings.Contains(err.Error(), "no route to host") {
		t.Errorf("an address that nobody has is reached: %v", err)
	}
	s.Must(firewall, "f", with(rule(props{"port": "443"}), props{"applyTos": []any{props{"labelSelector": "role in (db,web)"}}}))
	if _, err := hcloud.Reach(s.World, address, 22); err == nil || !strings.Contains(err.Error(), "no firewall of server") {
		t.Errorf("a closed port is reached: %v", err)
	}
	if _, err := hcloud.Reach(s.World, address, 443); err != nil {
		t.Errorf("an open port is not reached: %v", err)
	}
}

func TestFunctions(t *testing.T) {
	s := start(t)
	n := s.Must(netw, "n", props{"name": "inner", "ipRange": "10.0.0.0/16"})
	for _, test := range []struct {
		token    string
		args     props
		property string
		want     any
	}{
		{"getLocation", props{"name": "hel1"}, "networkZone", "eu-central"},
		{"getServerType", props{"name": "cpx31"}, "memory", 8.0},
		{"getImage", props{"name": "ubuntu-24.04", "withArchitecture": "arm"}, "architecture", "arm"},
		{"getNetwork", props{"name": "inner"}, "ipRange", "10.0.0.0/16"},
		{"getNetwork", props{"id": n.ID}, "name", "inner"},
	} {
		token := fmt.Sprintf("hcloud:index/%s:%s", test.token, test.token)
		out, err := s.Invoke(token, test.args)
		if err != nil || out[test.property] != test.want {
			t.Errorf("%s(%v) gives %v (%v), want %v", test.token, test.args, out[test.property], err, test.want)
		}
		if _, err := s.Invoke(token, props{"name": "nothing"}); err == nil || !strings.Contains(err.Error(), "not found") {
			t.Errorf("%s finds nothing: %v", test.token, err)
		}
	}
	if out, err := s.Invoke("hcloud:index/getServerType:getServerType", props{"name": "cx22"}); err == nil {
		t.Errorf("a server type that is gone from Hetzner's list is found: %v", out)
	}
	if out, err := s.Invoke("hcloud:index/getLocations:getLocations", props{}); err != nil || len(out.List("locations")) != 6 {
		t.Errorf("locations: %v %v", out, err)
	}
}

func TestWithdrawnTypesWarn(t *testing.T) {
	for at, want := range map[string]string{"nbg1": "there is ccx23, cpx32, cx33", "ash": ""} {
		in := cloud.Object{"name": "web", "serverType": "cpx31", "image": "ubuntu-24.04", "location": at}
		c := &cloud.Call{URN: "web", Name: "web", Type: server, Scope: "project", In: in, Out: in.Clone(), World: cloud.NewWorld("test"), Gen: cloud.Gen{Seed: "test"}}
		for _, typ := range hcloud.Package().Types {
			if typ.Token == server {
				if err := typ.Create(c); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := strings.Join(c.Warnings, ""); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: warned %q, want %q", at, got, want)
		}
	}
}
