package phases

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/config"
	"github.com/morphee-app/morphee-infra/internal/recorder"
)

// serverConfig is a valid configuration of the phase, with the extra keys laid over it.
func serverConfig(t *testing.T, phase int, extra map[string]any) config.Config {
	t.Helper()
	values := map[string]any{
		"phase": phase, "owner": "platform", "acmeEmail": "ops@morphee.app",
		"cloudflareAccountId": "0123456789abcdef0123456789abcdef",
		"images":              map[string]any{"backup": "ghcr.io/morphee-app/backup:1.0.0"},
		"ssh": map[string]any{
			"allowedSources": []any{"198.51.100.0/24"},
			"authorizedKeys": []any{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIANfzphc7/dQ3yuBHWiMqTm6OVY58aY1VlPVooYxjIS/ a@b"},
		},
	}
	maps.Copy(values, extra)
	c, err := config.Parse(values)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// recordPhase composes the phase with secrets that are all called CANARY.
func recordPhase(t *testing.T, compose func(*pulumi.Context, Input) (pulumi.Map, error), c config.Config) (list []recorder.Resource, outputs pulumi.Map) {
	t.Helper()
	list, err := (&recorder.Recorder{Outputs: computed, Calls: asked}).Run(func(ctx *pulumi.Context) (err error) {
		outputs, err = compose(ctx, Input{
			Config: c, Project: recorder.Project, Stack: recorder.Stack,
			Secret: func(s config.Secret) pulumi.StringOutput {
				return pulumi.ToSecret(pulumi.String(s.Reveal())).(pulumi.StringOutput)
			},
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list, outputs
}

func TestPhase0(t *testing.T) {
	list, outputs := recordPhase(t, Phase0, serverConfig(t, 0, nil))
	checkServer(t, list, map[string]int{
		"docker:index/container:Container": 7 + 6, "docker:index/network:Network": 2, "docker:index/remoteImage:RemoteImage": 7,
		"docker:index/volume:Volume": 6 + 4, "random:index/randomPassword:RandomPassword": 6, "hcloud:index/server:Server": 1,
		"pulumi:providers:docker": 1, "cloudflare:index/record:Record": 5,
	})
	checkOutputs(t, outputs, "apiUrl", "appUrl", "authUrl", "publicIp", "publicIpv6", "sshUser")
}

func TestPhase1(t *testing.T) {
	list, outputs := recordPhase(t, Phase1, serverConfig(t, 1, nil))
	checkServer(t, list, map[string]int{
		// Further: forgejo, its databases, the backup, and what they are given.
		"docker:index/container:Container": 7 + 6 + 3 + 3, "docker:index/network:Network": 2, "docker:index/remoteImage:RemoteImage": 7 + 3,
		"docker:index/volume:Volume": 6 + 4 + 3 + 2, "random:index/randomPassword:RandomPassword": 6 + 7, "hcloud:index/server:Server": 1,
		"pulumi:providers:docker": 1, "cloudflare:index/record:Record": 6, "cloudflare:index/r2Bucket:R2Bucket": 1,
	})
	checkOutputs(t, outputs, "apiUrl", "appUrl", "authUrl", "backupBucket", "backupEncryptionKey", "forgejoAdminPassword",
		"forgejoAdminUser", "gitUrl", "publicIp", "publicIpv6", "sshUser")
}

// TestBackupHasEverything: a database or volume with data that the backup does not know is lost
// with the server.
func TestBackupHasEverything(t *testing.T) {
	list, _ := recordPhase(t, Phase1, serverConfig(t, 1, nil))
	r, err := recorder.Find(list, "docker:index/container:Container", "backup-service-container")
	if err != nil {
		t.Fatal(err)
	}
	envs := fmt.Sprint(r.Input("envs"))
	if !strings.Contains(envs, "DATABASES=morphee auth forgejo ") {
		t.Errorf("databases are missing: %s", envs)
	}
	mounted := fmt.Sprint(r.Input("volumes"))
	for _, v := range list {
		// Certificates come again, the server's own dumps cover PostgreSQL, and the rest is files.
		name := fmt.Sprint(v.Input("name"))
		skip := strings.HasSuffix(name, "-secrets") || slices.Contains([]string{"traefik-acme", "postgres-data"}, name)
		if v.Type == "docker:index/volume:Volume" && !skip && !strings.Contains(mounted, "volumeName:"+name+"]") {
			t.Errorf("volume %s is not backed up: %s", name, mounted)
		}
	}
}

// checkServer holds for every phase on the server.
func checkServer(t *testing.T, list []recorder.Resource, counts map[string]int) {
	t.Helper()
	got := recorder.Count(list)
	for typ, n := range counts {
		if got[typ] != n {
			t.Errorf("%d of %s, want %d", got[typ], typ, n)
		}
	}
	if orphans := recorder.Orphans(list); len(orphans) > 0 {
		t.Errorf("orphans: %v", orphans)
	}
	names := map[any]bool{}
	memory := 0.0
	for _, r := range list {
		for k, v := range r.Inputs {
			if plain := recorder.PlainText(v); strings.Contains(plain, "CANARY") {
				t.Errorf("%s %s: %s holds a secret in plain", r.Type, r.Name, k)
			}
		}
		if r.Type != "docker:index/container:Container" {
			continue
		}
		if name := r.Input("name"); names[name] {
			t.Errorf("two containers are called %v", name)
		} else {
			names[name] = true
		}
		if r.Input("start") == true {
			memory += r.Input("memory").(float64)
		}
		if !strings.Contains(r.Provider, "pulumi:providers:docker::vps") {
			t.Errorf("%s is not on the server: %s", r.Name, r.Provider)
		}
	}
	if memory > 8192-1024 {
		t.Errorf("containers take %v MiB of a CPX31", memory)
	}
}

func checkOutputs(t *testing.T, outputs pulumi.Map, want ...string) {
	t.Helper()
	if got := slices.Sorted(maps.Keys(outputs)); !slices.Equal(got, want) {
		t.Errorf("outputs are %v, want %v", got, want)
	}
}

// TestPhase0To1 says exactly what going up changes: the backend learns of Forgejo, and the name
// git. is added. Whatever holds data is the same to the last input.
func TestPhase0To1(t *testing.T) {
	before, _ := recordPhase(t, Phase0, serverConfig(t, 0, nil))
	after, _ := recordPhase(t, Phase1, serverConfig(t, 1, nil))
	now := map[string]recorder.Resource{}
	for _, r := range after {
		now[r.URN()] = r
	}
	var changed []string
	for _, old := range before {
		r, ok := now[old.URN()]
		if !ok {
			t.Errorf("%s is gone", old.URN())
			continue
		}
		if r.Protect != old.Protect {
			t.Errorf("%s: protect goes from %v to %v", old.URN(), old.Protect, r.Protect)
		}
		for _, k := range slices.Sorted(maps.Keys(old.Inputs)) {
			if slices.Contains(r.IgnoreChanges, string(k)) || reflect.DeepEqual(old.Input(string(k)), r.Input(string(k))) {
				continue
			}
			changed = append(changed, r.Name+" "+string(k))
		}
	}
	slices.Sort(changed)
	// Labels and tags carry the phase; these types change them in place.
	changed = slices.DeleteFunc(changed, func(s string) bool {
		return strings.HasPrefix(s, "vps-") && strings.HasSuffix(s, " labels") || strings.HasPrefix(s, "dns-") && strings.HasSuffix(s, " comment")
	})
	want := []string{"backend-service-container envs", "backend-service-secrets-loader uploads"}
	if !slices.Equal(changed, want) {
		t.Errorf("going up changes %v, want %v", changed, want)
	}
}

func TestCoolify(t *testing.T) {
	list, _ := recordPhase(t, Phase1, serverConfig(t, 1, map[string]any{"reverseProxy": "coolify"}))
	got := recorder.Count(list)
	if got["morphee:docker:Traefik"] != 0 || got["docker:index/network:Network"] != 1 {
		t.Errorf("%d of our own Traefik and %d networks, want 0 and 1", got["morphee:docker:Traefik"], got["docker:index/network:Network"])
	}
	for _, name := range []string{"frontend", "backend", "gotrue", "forgejo"} {
		r, err := recorder.Find(list, "docker:index/container:Container", name+"-service-container")
		if err != nil {
			t.Fatal(err)
		}
		if nets := fmt.Sprint(r.Input("networksAdvanced")); !strings.Contains(nets, "name:coolify") {
			t.Errorf("%s is not on Coolify's network: %s", name, nets)
		}
		if r.Input("ports") != nil {
			t.Errorf("%s publishes %v", name, r.Input("ports"))
		}
	}
}

func TestConfiguredSecretsAndChoices(t *testing.T) {
	c := serverConfig(t, 1, map[string]any{
		"backend":  map[string]any{"secrets": map[string]any{"STRIPE_KEY": config.Hidden{Value: "CANARYstripe"}}, "environment": map[string]any{"LOG_LEVEL": "debug"}},
		"auth":     map[string]any{"smtp": map[string]any{"host": "smtp.example.com", "username": "u", "password": config.Hidden{Value: "CANARYsmtp"}}},
		"backups":  map[string]any{"alertWebhook": config.Hidden{Value: "https://example.com/CANARY"}},
		"registry": map[string]any{"host": "ghcr.io", "username": "u", "password": config.Hidden{Value: "CANARYregistry"}},
		"forgejo":  map[string]any{"sshPort": 222},
	})
	list, _ := recordPhase(t, Phase1, c)
	checkServer(t, list, nil)
	loader, err := recorder.Find(list, "docker:index/container:Container", "backend-service-secrets-loader")
	if err != nil {
		t.Fatal(err)
	}
	if files := fmt.Sprint(loader.Input("uploads")); !strings.Contains(files, "CANARYstripe") || !strings.Contains(files, "stripe_key") {
		t.Error("the backend is not given its configured secret")
	}
	git, err := recorder.Find(list, "docker:index/container:Container", "forgejo-service-container")
	if err != nil {
		t.Fatal(err)
	}
	if git.Input("ports.0.external") != 222.0 {
		t.Errorf("Forgejo publishes %v, want 222", git.Input("ports"))
	}
}
