package hetzner

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
	"github.com/morphee-app/morphee-infra/internal/recorder"
)

func postgresArgs(join *Membership) *PostgresServerArgs {
	secret := func(s string) pulumi.StringInput { return pulumi.ToSecret(pulumi.String(s)).(pulumi.StringOutput) }
	return &PostgresServerArgs{
		MemoryMiB: 4096, Location: "nbg1", Join: join, NetworkCIDR: "10.10.0.0/16", SubnetCIDR: "10.10.1.0/24", Pooler: true,
		AuthorizedKeys: []string{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIANfzphc7/dQ3yuBHWiMqTm6OVY58aY1VlPVooYxjIS/ a@b"},
		SSHSources:     []string{"198.51.100.0/24"},
		Archive: func(publicIP pulumi.StringOutput) (*Archive, error) {
			return &Archive{Endpoint: pulumi.String("https://x.r2.cloudflarestorage.com"), Region: pulumi.String("auto"), Bucket: pulumi.String("b"),
				AccessKeyID: secret("CANARYid"), SecretAccessKey: secret("CANARYkey"), EncryptionKey: secret("CANARYcipher")}, nil
		},
		WebhookURL: secret("https://CANARYhook"),
		Tags:       base.Tags{Project: "morphee", Stack: "test", Phase: 2, Owner: "platform"},
	}
}

func recordPostgres(t *testing.T, program func(ctx *pulumi.Context) error) ([]recorder.Resource, error) {
	t.Helper()
	return (&recorder.Recorder{Outputs: recorder.Computed}).Run(program)
}

func joinTest() *Membership {
	return &Membership{NetworkID: pulumi.Int(1), SubnetID: pulumi.String("1-10.10.1.0/24"), Position: 11, SSHKeyIDs: pulumi.StringArray{pulumi.String("7")}}
}

func TestPostgresServerTwice(t *testing.T) {
	var server *PostgresServer
	list, err := recordPostgres(t, func(ctx *pulumi.Context) (err error) {
		if server, err = NewPostgresServer(ctx, "a", postgresArgs(joinTest())); err != nil {
			return err
		}
		second := postgresArgs(joinTest())
		second.Join.Position, second.Pooler, second.Disposable = 12, false, true
		_, err = NewPostgresServer(ctx, "b", second)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	got := recorder.Count(list)
	for typ, want := range map[string]int{
		PostgresServerType: 2, "hcloud:index/server:Server": 2, "hcloud:index/volume:Volume": 2, "hcloud:index/primaryIp:PrimaryIp": 2,
		"hcloud:index/firewall:Firewall": 2, "hcloud:index/network:Network": 0, "hcloud:index/sshKey:SshKey": 0, "tls:index/privateKey:PrivateKey": 4,
		"random:index/randomPassword:RandomPassword": 2, "command:remote:Command": 6,
	} {
		if got[typ] != want {
			t.Errorf("%d of %s, want %d", got[typ], typ, want)
		}
	}
	if orphans := recorder.Orphans(list); len(orphans) > 0 {
		t.Errorf("orphans: %v", orphans)
	}
	if server.Port != 6432 || server.AdminPort != 5432 || !pulumi.IsSecret(server.SuperuserPassword) {
		t.Errorf("ports %d and %d, or a password in plain", server.Port, server.AdminPort)
	}
	for _, r := range list {
		stateful := map[string]bool{"hcloud:index/server:Server": true, "hcloud:index/volume:Volume": true, "hcloud:index/primaryIp:PrimaryIp": true,
			"random:index/randomPassword:RandomPassword": true, "tls:index/privateKey:PrivateKey": true}[r.Type]
		if own := strings.HasPrefix(r.Name, "a-"); r.Protect != (stateful && own) {
			t.Errorf("%s %s: protect is %v", r.Type, r.Name, r.Protect)
		}
		if strings.HasPrefix(r.Type, "hcloud:") && stateful && r.Input("deleteProtection") != strings.HasPrefix(r.Name, "a-") {
			t.Errorf("%s: deletion protection is %v", r.Name, r.Input("deleteProtection"))
		}
		for k := range r.Inputs {
			if strings.Contains(fmt.Sprint(r.Input(string(k))), "CANARY") && !r.IsSecret(string(k)) {
				t.Errorf("%s: %s holds a secret in plain", r.Name, k)
			}
		}
	}
}

// Nothing but SSH from named sources comes in at the public address, and user data knows no secret.
func TestPostgresServerIsClosed(t *testing.T) {
	list, err := recordPostgres(t, func(ctx *pulumi.Context) error {
		_, err := NewPostgresServer(ctx, "a", postgresArgs(joinTest()))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	find := func(typ, name string) recorder.Resource {
		r := recorder.Must(t, list, typ, name)
		return r
	}
	firewall := find("hcloud:index/firewall:Firewall", "a-firewall")
	rules, _ := firewall.Input("rules").([]any)
	if len(rules) != 2 {
		t.Errorf("%d rules, want SSH and ping", len(rules))
	}
	for _, r := range rules {
		m := r.(map[string]any)
		if m["protocol"] == "tcp" && (m["port"] != "22" || fmt.Sprint(m["sourceIps"]) != "[198.51.100.0/24]") {
			t.Errorf("open: %v", m)
		}
	}
	server := find("hcloud:index/server:Server", "a-server")
	if server.Input("image") != "debian-12" || len(server.Input("firewallIds").([]any)) != 1 {
		t.Errorf("image %v, firewalls %v", server.Input("image"), server.Input("firewallIds"))
	}
	if data := fmt.Sprint(server.Input("userData")); strings.Contains(data, "CANARY") || !strings.Contains(data, "#cloud-config") {
		t.Error("user data holds a secret, or is none")
	}
	private := find("hcloud:index/serverNetwork:ServerNetwork", "a-private")
	if private.Input("ip") != "10.10.1.11" {
		t.Errorf("private address %v", private.Input("ip"))
	}
	request := find("tls:index/certRequest:CertRequest", "a-server-request")
	if fmt.Sprint(request.Input("ipAddresses")) != "[10.10.1.11]" {
		t.Errorf("the certificate is for %v", request.Input("ipAddresses"))
	}
	configure := find("command:remote:Command", "a-configure")
	if !configure.IsSecret("stdin") || strings.Contains(fmt.Sprint(configure.Input("create")), "CANARY") || configure.Input("addPreviousOutputInEnv") != false {
		t.Error("the configuration is handed over in plain")
	}
	// Another server, or another volume, is waited for and configured anew.
	for _, command := range []recorder.Resource{configure, find("command:remote:Command", "a-ready")} {
		if triggers, _ := command.Input("triggers").([]any); len(triggers) != 2 {
			t.Errorf("%s runs anew for %v, want the server and the volume", command.Name, triggers)
		}
	}
}

func TestPostgresServerRefuses(t *testing.T) {
	for want, spoil := range map[string]func(*PostgresServerArgs){
		"ServerType":            func(a *PostgresServerArgs) { a.ServerType = "huge" },
		"Location":              func(a *PostgresServerArgs) { a.Location = "moon" },
		"MemoryMiB":             func(a *PostgresServerArgs) { a.MemoryMiB = 512 },
		"MaxConnections":        func(a *PostgresServerArgs) { a.MaxConnections = 5 },
		"ArchiveTimeoutSeconds": func(a *PostgresServerArgs) { a.ArchiveTimeoutSeconds = 1 },
		"RetentionDays":         func(a *PostgresServerArgs) { a.RetentionDays = 9999 },
		"Archive":               func(a *PostgresServerArgs) { a.Archive = nil },
		"Join":                  func(a *PostgresServerArgs) { a.Join = nil },
		"Join.Position":         func(a *PostgresServerArgs) { a.Join.Position = 10 },
		"NetworkCIDR":           func(a *PostgresServerArgs) { a.NetworkCIDR = "8.8.8.0/24" },
		"SSHSources[0]":         func(a *PostgresServerArgs) { a.SSHSources = []string{"0.0.0.0/0"} },
		"AuthorizedKeys":        func(a *PostgresServerArgs) { a.AuthorizedKeys = nil },
		"BackupTime":            func(a *PostgresServerArgs) { a.BackupTime = "25:00" },
	} {
		recorder.Refuses(t, `PostgresServer "x": `+want+":", func(ctx *pulumi.Context) error {
			args := postgresArgs(joinTest())
			spoil(args)
			_, err := NewPostgresServer(ctx, "x", args)
			return err
		})
	}
}

// A host in another's network has no network and no keys of its own.
func TestAHostBesideAnother(t *testing.T) {
	var first *VpsHost
	list, err := recordPostgres(t, func(ctx *pulumi.Context) (err error) {
		args := VpsHostArgs{
			Location: "nbg1", AuthorizedKeys: postgresArgs(nil).AuthorizedKeys, SSHSources: []string{"198.51.100.0/24"},
			SubnetCIDR: "10.10.1.0/24", Tags: postgresArgs(nil).Tags,
		}
		if first, err = NewVpsHost(ctx, "vps", &args); err != nil {
			return err
		}
		args.Join = first.Beside(12)
		_, err = NewVpsHost(ctx, "git", &args)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	got := recorder.Count(list)
	if got["hcloud:index/network:Network"] != 1 || got["hcloud:index/networkSubnet:NetworkSubnet"] != 1 || got["hcloud:index/sshKey:SshKey"] != 1 || got["hcloud:index/server:Server"] != 2 {
		t.Errorf("got %v", got)
	}
	r, err := recorder.Find(list, "hcloud:index/serverNetwork:ServerNetwork", "git-private")
	if err != nil || r.Input("ip") != "10.10.1.12" {
		t.Errorf("%v, address %v", err, r.Input("ip"))
	}
}
