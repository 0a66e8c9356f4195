package hetzner

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
	"github.com/morphee-app/morphee-infra/internal/recorder"
)

const (
	keyA = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDYVzZ8J0q0nFhQyq7p1pYx8Xk1Zq3bqz2lq6Q0q0q0A a@morphee"
	keyB = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDYVzZ8J0q0nFhQyq7p1pYx8Xk1Zq3bqz2lq6Q0q0q0B b@morphee"
)

func args() *VpsHostArgs {
	return &VpsHostArgs{
		Location: "nbg1", AuthorizedKeys: []string{keyA, keyB}, SSHSources: []string{"198.51.100.0/24"}, IPv6: true, SwapMiB: 2048,
		Registries: []Registry{{Address: "registry.example", Username: "puller", Password: pulumi.String("canary-password")}},
		Tags:       base.Tags{Project: "morphee", Stack: "dev", Phase: 1, Owner: "ops@morphee.app"},
	}
}

func record(t *testing.T, hosts map[string]*VpsHostArgs) []recorder.Resource {
	t.Helper()
	list, err := (&recorder.Recorder{Outputs: recorder.Computed}).Run(func(ctx *pulumi.Context) error {
		for name, a := range hosts {
			h, err := NewVpsHost(ctx, name, a)
			if err != nil {
				return err
			}
			ctx.Export(name, pulumi.Map{"ip": h.PublicIP, "ip6": h.PublicIPv6, "private": h.PrivateIP, "server": h.ServerID, "network": h.NetworkID, "volume": h.VolumeID})
			if h.DockerProvider == nil || h.Ready == nil {
				t.Errorf("%s: provider or readiness is missing", name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestVpsHostTwiceInOneProgram(t *testing.T) {
	second := args()
	second.IPv6, second.AuthorizedKeys = false, []string{keyA}
	list := record(t, map[string]*VpsHostArgs{"vps": args(), "git": second})
	recorder.ExpectCounts(t, list, map[string]int{
		VpsHostType:                                      2,
		"hcloud:index/sshKey:SshKey":                     3,
		"hcloud:index/network:Network":                   2,
		"hcloud:index/networkSubnet:NetworkSubnet":       2,
		"hcloud:index/firewall:Firewall":                 2,
		"hcloud:index/primaryIp:PrimaryIp":               3,
		"hcloud:index/volume:Volume":                     2,
		"hcloud:index/server:Server":                     2,
		"hcloud:index/volumeAttachment:VolumeAttachment": 2,
		"hcloud:index/serverNetwork:ServerNetwork":       2,
		"command:remote:Command":                         4,
		"pulumi:providers:docker":                        2,
	})
	if orphans := recorder.Orphans(list); len(orphans) > 0 {
		t.Errorf("without a component above them: %v", orphans)
	}
	names := map[string]bool{}
	for _, r := range list {
		if name, ok := r.Input("name").(string); ok && strings.HasPrefix(r.Type, "hcloud:") {
			if names[r.Type+name] {
				t.Errorf("two %s are named %s", r.Type, name)
			}
			names[r.Type+name] = true
		}
	}
}

func TestVpsHostProtectsWhatHoldsData(t *testing.T) {
	stateful := map[string]string{
		"hcloud:index/server:Server": "vps-server", "hcloud:index/volume:Volume": "vps-data",
		"hcloud:index/primaryIp:PrimaryIp": "vps-ipv4",
	}
	for _, disposable := range []bool{false, true} {
		a := args()
		a.Disposable = disposable
		list := record(t, map[string]*VpsHostArgs{"vps": a})
		for typ, name := range stateful {
			r := recorder.Must(t, list, typ, name)
			if r.Protect == disposable {
				t.Errorf("disposable %v: %s has protect %v", disposable, name, r.Protect)
			}
			recorder.Expect(t, r, map[string]any{"deleteProtection": !disposable, "location": "nbg1"})
		}
		server := recorder.Must(t, list, "hcloud:index/server:Server", "vps-server")
		recorder.Expect(t, server, map[string]any{"rebuildProtection": !disposable, "backups": true, "keepDisk": true})
		// What would replace the server must be ignored, its location not: that is refused instead.
		if got := fmt.Sprint(server.IgnoreChanges); got != "[image sshKeys userData]" {
			t.Errorf("the server ignores %s", got)
		}
		for typ, name := range stateful {
			if r := recorder.Must(t, list, typ, name); strings.Contains(fmt.Sprint(r.IgnoreChanges), "location") {
				t.Errorf("%s silently ignores its location", name)
			}
		}
	}
}

func TestVpsHostServer(t *testing.T) {
	list := record(t, map[string]*VpsHostArgs{"vps": args()})
	server := recorder.Must(t, list, "hcloud:index/server:Server", "vps-server")
	recorder.Expect(t, server, map[string]any{
		"name": "morphee-dev-vps", "serverType": "cpx31", "image": "ubuntu-24.04",
		"publicNets.0.ipv4Enabled": true, "publicNets.0.ipv6Enabled": true,
		"labels.project": "morphee", "labels.stack": "dev", "labels.phase": "1", "labels.owner": "ops-morphee.app",
	})
	for _, path := range []string{"firewallIds.0", "publicNets.0.ipv4", "publicNets.0.ipv6"} {
		if n, ok := server.Input(path).(float64); !ok || n < 1 {
			t.Errorf("%s is %v, want a number", path, server.Input(path))
		}
	}
	data, _ := server.Input("userData").(string)
	if !strings.HasPrefix(data, "#cloud-config\n") || !strings.Contains(data, "VOLUME_ID=\"") || !strings.Contains(data, keyA) {
		t.Errorf("user data is\n%s", data)
	}
	if strings.Contains(data, "canary") {
		t.Error("user data holds a secret")
	}
	for _, name := range []string{"vps-ipv4", "vps-ipv6"} {
		recorder.Expect(t, recorder.Must(t, list, "hcloud:index/primaryIp:PrimaryIp", name), map[string]any{"autoDelete": false, "assigneeType": "server"})
	}
	recorder.Expect(t, recorder.Must(t, list, "hcloud:index/volume:Volume", "vps-data"), map[string]any{"format": "ext4", "size": 40.0})
	recorder.Expect(t, recorder.Must(t, list, "hcloud:index/volumeAttachment:VolumeAttachment", "vps-data-attachment"), map[string]any{"automount": false})
	recorder.Expect(t, recorder.Must(t, list, "hcloud:index/networkSubnet:NetworkSubnet", "vps-subnet"), map[string]any{"ipRange": "10.10.1.0/24", "networkZone": "eu-central", "type": "cloud"})
	recorder.Expect(t, recorder.Must(t, list, "hcloud:index/serverNetwork:ServerNetwork", "vps-private"), map[string]any{"ip": "10.10.1.10"})
}

func TestVpsHostFirewall(t *testing.T) {
	type open struct{ protocol, port string }
	rules := func(a *VpsHostArgs) map[open][]any {
		list := record(t, map[string]*VpsHostArgs{"vps": a})
		out := map[open][]any{}
		for _, r := range recorder.Must(t, list, "hcloud:index/firewall:Firewall", "vps-firewall").Input("rules").([]any) {
			m := r.(map[string]any)
			if m["direction"] != "in" || m["description"] == "" {
				t.Errorf("rule %v", m)
			}
			port, _ := m["port"].(string)
			out[open{m["protocol"].(string), port}] = m["sourceIps"].([]any)
		}
		return out
	}
	got := rules(args())
	if len(got) != 4 || fmt.Sprint(got[open{"tcp", "22"}]) != "[198.51.100.0/24]" {
		t.Errorf("rules are %v", got)
	}
	for _, port := range []open{{"tcp", "80"}, {"tcp", "443"}, {"icmp", ""}} {
		if fmt.Sprint(got[port]) != "[0.0.0.0/0 ::/0]" {
			t.Errorf("%v is open to %v", port, got[port])
		}
	}
	a := args()
	a.HTTP3, a.ForgejoSSHPort, a.SSHPort = true, 222, 2022
	got = rules(a)
	if len(got) != 6 || got[open{"udp", "443"}] == nil || got[open{"tcp", "222"}] == nil || fmt.Sprint(got[open{"tcp", "2022"}]) != "[198.51.100.0/24]" {
		t.Errorf("rules are %v", got)
	}
}

func TestVpsHostIsReadyBeforeDocker(t *testing.T) {
	list := record(t, map[string]*VpsHostArgs{"vps": args()})
	ready := recorder.Must(t, list, "command:remote:Command", "vps-ready")
	depends := func(r recorder.Resource, name string) bool {
		return strings.Contains(strings.Join(r.Dependencies, " "), "::"+name)
	}
	for _, name := range []string{"vps-data-attachment", "vps-private", "vps-server"} {
		if !depends(ready, name) {
			t.Errorf("readiness does not wait for %s: %v", name, ready.Dependencies)
		}
	}
	recorder.Expect(t, ready, map[string]any{"connection.user": "morphee", "connection.host": "203.0.113.7", "connection.port": 22.0, "connection.dialErrorLimit": 120.0})
	if ready.Input("connection.privateKey") != nil || ready.Input("connection.password") != nil {
		t.Error("the connection holds a credential; it must come from ssh-agent")
	}
	keys := recorder.Must(t, list, "command:remote:Command", "vps-authorized-keys")
	recorder.Expect(t, keys, map[string]any{"stdin": keyA + "\n" + keyB + "\n"})
	docker := recorder.Must(t, list, "pulumi:providers:docker", "vps-docker")
	if !depends(docker, "vps-ready") || !depends(keys, "vps-ready") {
		t.Errorf("Docker or the keys do not wait: %v, %v", docker.Dependencies, keys.Dependencies)
	}
	recorder.Expect(t, docker, map[string]any{"host": "ssh://morphee@203.0.113.7:22"})
	if !docker.IsSecret("registryAuth") {
		t.Error("the registry's password is not a secret")
	}
}

func TestVpsHostReorderedKeysRenameNothing(t *testing.T) {
	names := func(keys ...string) string {
		a, out := args(), []string{}
		a.AuthorizedKeys = keys
		for _, r := range record(t, map[string]*VpsHostArgs{"vps": a}) {
			if r.Type == "hcloud:index/sshKey:SshKey" {
				out = append(out, r.Name)
			}
		}
		return strings.Join(out, " ")
	}
	if a, b := names(keyA, keyB), names(strings.Replace(keyB, "b@", "new@", 1), keyA); a != b {
		t.Errorf("names changed from %s to %s", a, b)
	}
}

func TestVpsHostRefuses(t *testing.T) {
	for want, change := range map[string]func(*VpsHostArgs){
		`ServerType: got "t3.large"`:       func(a *VpsHostArgs) { a.ServerType = "t3.large" },
		`Image: got "windows"`:             func(a *VpsHostArgs) { a.Image = "windows" },
		`Location: got ""`:                 func(a *VpsHostArgs) { a.Location = "" },
		`Location: got "mars"`:             func(a *VpsHostArgs) { a.Location = "mars" },
		`VolumeSizeGiB: got 5`:             func(a *VpsHostArgs) { a.VolumeSizeGiB = 5 },
		`SwapMiB: got -1`:                  func(a *VpsHostArgs) { a.SwapMiB = -1 },
		`Timezone: got "UTC; rm"`:          func(a *VpsHostArgs) { a.Timezone = "UTC; rm" },
		`DockerVersion: got "28"`:          func(a *VpsHostArgs) { a.DockerVersion = "28" },
		`CoolifyVersion: got "latest"`:     func(a *VpsHostArgs) { a.CoolifyVersion = "latest" },
		`RebootTime: got "25:00"`:          func(a *VpsHostArgs) { a.RebootTime = "25:00" },
		`ReadyTimeoutSeconds: got 5`:       func(a *VpsHostArgs) { a.ReadyTimeoutSeconds = 5 },
		`SSHUser: got "root"`:              func(a *VpsHostArgs) { a.SSHUser = "root" },
		`AuthorizedKeys: got none`:         func(a *VpsHostArgs) { a.AuthorizedKeys = nil },
		`AuthorizedKeys[1]: got something`: func(a *VpsHostArgs) { a.AuthorizedKeys[1] = "-----BEGIN OPENSSH PRIVATE KEY-----" },
		`AuthorizedKeys[1]: got a key for`: func(a *VpsHostArgs) { a.AuthorizedKeys[1] = keyA },
		`SSHSources: got none`:             func(a *VpsHostArgs) { a.SSHSources = nil },
		`SSHSources[0]: got "0.0.0.0/0"`:   func(a *VpsHostArgs) { a.SSHSources = []string{"0.0.0.0/0"} },
		`SSHSources[0]: got "128.0.0.0/1"`: func(a *VpsHostArgs) { a.SSHSources = []string{"128.0.0.0/1"} },
		`SSHSources[0]: got "10.0.0.1/24"`: func(a *VpsHostArgs) { a.SSHSources = []string{"10.0.0.1/24"} },
		`SSHPort: got 443`:                 func(a *VpsHostArgs) { a.SSHPort = 443 },
		`ForgejoSSHPort: got 22`:           func(a *VpsHostArgs) { a.ForgejoSSHPort = 22 },
		`NetworkCIDR: got "8.8.0.0/16"`:    func(a *VpsHostArgs) { a.NetworkCIDR = "8.8.0.0/16" },
		`NetworkCIDR: got "172.16.0.0/12"`: func(a *VpsHostArgs) { a.NetworkCIDR = "172.16.0.0/12" },
		`SubnetCIDR: got "10.11.0.0/24"`:   func(a *VpsHostArgs) { a.SubnetCIDR = "10.11.0.0/24" },
		`Registries[0]: got "r"`:           func(a *VpsHostArgs) { a.Registries = []Registry{{Address: "r"}} },
		`Tags: got "@"`:                    func(a *VpsHostArgs) { a.Tags.Owner = "@" },
	} {
		a := args()
		change(a)
		err := recorder.Refuses(t, `VpsHost "vps": `+want, func(ctx *pulumi.Context) error {
			_, err := NewVpsHost(ctx, "vps", a)
			return err
		})
		if err != nil && strings.Contains(err.Error(), "PRIVATE KEY") {
			t.Error("the error repeats a private key")
		}
	}
	open := args()
	open.SSHSources, open.AllowAnySSHSource = []string{"0.0.0.0/0", "::/0"}, true
	record(t, map[string]*VpsHostArgs{"vps": open})
}

func TestLabels(t *testing.T) {
	for in, want := range map[string]string{
		"platform": "platform", "ops@morphee.app": "ops-morphee.app", "-x-": "x", "": "",
		strings.Repeat("a", 80): strings.Repeat("a", 63), "Équipe": "quipe",
	} {
		if got := label(in); got != want {
			t.Errorf("label(%q) is %q, want %q", in, got, want)
		}
	}
}
