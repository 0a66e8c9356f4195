package forgejo

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	dockersdk "github.com/pulumi/pulumi-docker/sdk/v4/go/docker"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
	"github.com/morphee-app/morphee-infra/components/docker"
	"github.com/morphee-app/morphee-infra/internal/recorder"
)

const (
	containerType = "docker:index/container:Container"
	passwordType  = "random:index/randomPassword:RandomPassword"
	commandType   = "command:remote:Command"
)

var homeTags = base.Tags{Project: "morphee", Stack: "test", Phase: 1, Owner: "platform"}

// homeArgs are good arguments, on a platform and with credentials of the prefix.
func homeArgs(ctx *pulumi.Context, prefix string) (*ServiceArgs, *docker.Platform, error) {
	provider, err := dockersdk.NewProvider(ctx, prefix+"provider", &dockersdk.ProviderArgs{})
	if err != nil {
		return nil, nil, err
	}
	platform, err := docker.NewPlatform(ctx, prefix+"platform", &docker.PlatformArgs{Prefix: prefix + "morphee", MemoryMiB: 4096, Tags: homeTags}, pulumi.Providers(provider))
	if err != nil {
		return nil, nil, err
	}
	credentials, err := NewCredentials(ctx, prefix+"credentials", &CredentialsArgs{})
	if err != nil {
		return nil, nil, err
	}
	return &ServiceArgs{
		Settings: Settings{
			Image: "codeberg.org/forgejo/forgejo:13.0.3-rootless", Domain: "git.example.com",
			AdminUser: "morphee-admin", AdminEmail: "forgejo@example.com", MaxUploadMiB: 50, GitTimeoutSeconds: 600,
			WebhookHosts: []string{"backend"}, Limits: Limits{MemoryMiB: 512, CPUs: 0.5, Pids: 512},
		},
		Database: Database{
			Host: pulumi.String("morphee-postgres"), Port: 5432, Name: "forgejo", User: "forgejo",
			Password: credentials.DatabasePassword, SSLMode: "disable",
		},
		Credentials: credentials,
		Home: &DockerHome{
			Platform: platform, Database: provider, SSHHost: pulumi.String("203.0.113.1"), SSHUser: "morphee", SSHPort: 22, HostID: pulumi.String("42"),
		},
		Tags: homeTags,
	}, platform, nil
}

func recordHome(t *testing.T, program func(ctx *pulumi.Context) error) []recorder.Resource {
	t.Helper()
	list, err := (&recorder.Recorder{Outputs: recorder.Computed}).Run(program)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// oneHome runs Forgejo once under the prefix, after change.
func oneHome(ctx *pulumi.Context, prefix string, change func(*ServiceArgs)) (*ForgejoService, error) {
	args, platform, err := homeArgs(ctx, prefix)
	if err != nil {
		return nil, err
	}
	if change != nil {
		change(args)
	}
	return NewForgejoService(ctx, prefix+"forgejo", args, pulumi.Parent(platform))
}

func TestDockerHomeTwice(t *testing.T) {
	list := recordHome(t, func(ctx *pulumi.Context) error {
		if _, err := oneHome(ctx, "a-", nil); err != nil {
			return err
		}
		_, err := oneHome(ctx, "b-", nil)
		return err
	})
	got := recorder.Count(list)
	delete(got, "pulumi:pulumi:Stack")
	want := map[string]int{
		ServiceType: 2, CredentialsType: 2, docker.PlatformType: 2, docker.ServiceType: 2, "pulumi:providers:docker": 2,
		containerType: 4, "docker:index/remoteImage:RemoteImage": 2, "docker:index/network:Network": 4,
		"docker:index/volume:Volume": 4, passwordType: 14, commandType: 2,
	}
	if !maps.Equal(got, want) {
		t.Errorf("registered\n%v\nwant\n%v", got, want)
	}
	for _, o := range recorder.Orphans(list) {
		if !strings.HasPrefix(o, "pulumi:providers:docker") { // the host's, which this test does without
			t.Errorf("orphan: %s", o)
		}
	}
}

// TestDocumentedSettings holds the container against the compose service of the source document.
func TestDocumentedSettings(t *testing.T) {
	list := recordHome(t, func(ctx *pulumi.Context) error { _, err := oneHome(ctx, "", nil); return err })
	r := recorder.Must(t, list, containerType, "forgejo-service-container")
	env := map[string]string{}
	for _, e := range r.Input("envs").([]any) {
		k, v, _ := strings.Cut(e.(string), "=")
		env[k] = v
		if strings.ContainsAny(v, " \t;&|<>()$`\"'") {
			t.Errorf("%s=%s: the image's start script feeds it to a shell", k, v)
		}
	}
	for k, want := range map[string]string{
		"FORGEJO__database__DB_TYPE":              "postgres",
		"FORGEJO__database__HOST":                 "morphee-postgres:5432",
		"FORGEJO__database__NAME":                 "forgejo",
		"FORGEJO__database__USER":                 "forgejo",
		"FORGEJO__database__PASSWD__FILE":         "/run/secrets/db_password",
		"FORGEJO__database__SSL_MODE":             "disable",
		"FORGEJO__server__DOMAIN":                 "git.example.com",
		"FORGEJO__server__ROOT_URL":               "https://git.example.com/",
		"FORGEJO__server__SSH_DOMAIN":             "git.example.com",
		"FORGEJO__server__HTTP_PORT":              "3000",
		"FORGEJO__server__LFS_START_SERVER":       "true",
		"FORGEJO__service__DISABLE_REGISTRATION":  "true",
		"FORGEJO__service__REQUIRE_SIGNIN_VIEW":   "true",
		"FORGEJO__repository__DEFAULT_BRANCH":     "main",
		"FORGEJO__repository__DEFAULT_PRIVATE":    "private",
		"FORGEJO__security__INSTALL_LOCK":         "true",
		"FORGEJO__security__SECRET_KEY__FILE":     "/run/secrets/secret_key",
		"FORGEJO__security__INTERNAL_TOKEN__FILE": "/run/secrets/internal_token",
		"FORGEJO__server__LFS_JWT_SECRET__FILE":   "/run/secrets/lfs_jwt_secret",
		"FORGEJO__oauth2__JWT_SECRET__FILE":       "/run/secrets/oauth2_jwt_secret",
		"FORGEJO__webhook__ALLOWED_HOST_LIST":     "external,backend",
		"FORGEJO__server__DISABLE_SSH":            "true",
		"FORGEJO__repository__ROOT":               "/data/git/repositories",
		"FORGEJO__database__PASSWD":               "",
		"FORGEJO__security__SECRET_KEY":           "",
	} {
		if env[k] != want {
			t.Errorf("%s is %q, want %q", k, env[k], want)
		}
	}
	for k, want := range map[string]any{
		"name": "forgejo", "restart": "unless-stopped", "memory": 512.0, "memorySwap": 512.0, "cpus": "0.5",
		"healthcheck.interval": "30s", "healthcheck.timeout": "5s", "healthcheck.retries": 3.0,
		"user": "1000:1000", "readOnly": true, "capabilities.drops.0": "ALL", "ports": nil, "wait": true,
	} {
		if got := r.Input(k); got != want {
			t.Errorf("%s is %v, want %v", k, got, want)
		}
	}
	if got := fmt.Sprint(r.Input("healthcheck.tests")); got != "[CMD curl -f http://localhost:3000/api/v1/version]" {
		t.Errorf("healthcheck is %s", got)
	}
	var mounts []string
	for _, v := range r.Input("volumes").([]any) {
		m := v.(map[string]any)
		from := m["volumeName"]
		if from == nil {
			from = m["hostPath"]
		}
		mounts = append(mounts, fmt.Sprintf("%v:%v:%v", from, m["containerPath"], m["readOnly"]))
	}
	for _, want := range []string{
		"forgejo-data:/data:false", "/etc/timezone:/etc/timezone:true", "/etc/localtime:/etc/localtime:true", "forgejo-secrets:/run/secrets:true",
	} {
		if !slices.Contains(mounts, want) {
			t.Errorf("no mount %s in %v", want, mounts)
		}
	}
	if after := strings.Join(r.Dependencies, " "); !strings.Contains(after, "pulumi:providers:docker::provider") {
		t.Errorf("Forgejo starts before its database is there: %s", after) // the provider stands for it here
	}
	volume := recorder.Must(t, list, "docker:index/volume:Volume", "forgejo-data")
	if !volume.Protect {
		t.Error("the data volume is not protected")
	}
}

func TestSSHOnRequest(t *testing.T) {
	list := recordHome(t, func(ctx *pulumi.Context) error {
		_, err := oneHome(ctx, "", func(a *ServiceArgs) { a.Settings.SSHPort = 222 })
		return err
	})
	r := recorder.Must(t, list, containerType, "forgejo-service-container")
	if got := r.Input("ports"); len(got.([]any)) != 1 || r.Input("ports.0.external") != 222.0 || r.Input("ports.0.internal") != 2222.0 {
		t.Errorf("publishes %v", got)
	}
	env := fmt.Sprint(r.Input("envs"))
	for _, want := range []string{"server__DISABLE_SSH=false", "server__START_SSH_SERVER=true", "server__SSH_PORT=222", "server__SSH_LISTEN_PORT=2222"} {
		if !strings.Contains(env, want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestSecretsStaySecret(t *testing.T) {
	var out *ForgejoService
	list := recordHome(t, func(ctx *pulumi.Context) (err error) {
		out, err = oneHome(ctx, "", nil)
		if err == nil && (!pulumi.IsSecret(out.APIToken) || !pulumi.IsSecret(out.AdminPassword) || !pulumi.IsSecret(out.WebhookSecret)) {
			t.Error("token, password or webhook secret is no secret")
		}
		return err
	})
	for _, r := range list {
		for k, v := range r.Inputs {
			if plain := recorder.PlainText(v); strings.Contains(plain, "CANARY") {
				t.Errorf("%s %s: %s holds a secret in plain: %s", r.Type, r.Name, k, plain)
			}
		}
		if r.Type == passwordType {
			least := map[string]float64{"credentials-webhook-secret": 32, "credentials-lfs-jwt-secret": 43, "credentials-oauth2-jwt-secret": 43}[r.Name]
			if n := r.Input("length").(float64); n < max(32, least) || !r.Protect || r.Input("special") != false {
				t.Errorf("%s: length %v, protect %v, special %v", r.Name, n, r.Protect, r.Input("special"))
			}
		}
	}
	admin := recorder.Must(t, list, commandType, "forgejo-admin")
	if got := admin.Input("stdin"); got != "CANARYcredentials-admin-password\n" || !admin.IsSecret("stdin") {
		t.Errorf("stdin is %v, secret %v", got, admin.IsSecret("stdin"))
	}
	if !slices.Contains(admin.SecretOutputs, "stdout") || admin.Input("logging") != "stderr" || admin.Input("addPreviousOutputInEnv") != false {
		t.Errorf("the token could be seen: secret outputs %v, logging %v, handed on %v", admin.SecretOutputs, admin.Input("logging"), admin.Input("addPreviousOutputInEnv"))
	}
	if len(admin.Dependencies) == 0 || !strings.Contains(strings.Join(admin.Dependencies, " "), "forgejo-service-container") {
		t.Errorf("the administrator is made before Forgejo runs: %v", admin.Dependencies)
	}
}

// A copy of a Forgejo that runs elsewhere tells nobody outside of what happens to it.
func TestWebhooksOfACopyStayInside(t *testing.T) {
	for inside, want := range map[bool]string{false: "external,backend,other", true: "backend,other"} {
		if got := webhookHosts(Settings{WebhookHosts: []string{"backend", "other"}, WebhooksInside: inside}); got != want {
			t.Errorf("inside %v: %s, want %s", inside, got, want)
		}
	}
}

// TestJWTSecretLength: Forgejo replaces a secret that is not 32 bytes in base64url by its own.
func TestJWTSecretLength(t *testing.T) {
	key, err := base64.RawURLEncoding.DecodeString(strings.Repeat("z", 43))
	if err != nil || len(key) != 32 {
		t.Errorf("43 letters are %d bytes, %v", len(key), err)
	}
}

func TestRefusals(t *testing.T) {
	for want, change := range map[string]func(*ServiceArgs){
		"rootless":               func(a *ServiceArgs) { a.Settings.Image = "codeberg.org/forgejo/forgejo:13" },
		"Settings.Domain":        func(a *ServiceArgs) { a.Settings.Domain = "git example" },
		"Settings.SSHPort":       func(a *ServiceArgs) { a.Settings.SSHPort = 70000 },
		"which Forgejo reserves": func(a *ServiceArgs) { a.Settings.AdminUser = "admin" },
		"Settings.AdminEmail":    func(a *ServiceArgs) { a.Settings.AdminEmail = "$(reboot)" },
		"Settings.MaxUploadMiB":  func(a *ServiceArgs) { a.Settings.MaxUploadMiB = 0 },
		"GitTimeoutSeconds":      func(a *ServiceArgs) { a.Settings.GitTimeoutSeconds = 1 },
		"WebhookHosts":           func(a *ServiceArgs) { a.Settings.WebhookHosts = []string{"a b"} },
		"with WebhooksInside":    func(a *ServiceArgs) { a.Settings.WebhookHosts, a.Settings.WebhooksInside = nil, true },
		"Limits.MemoryMiB":       func(a *ServiceArgs) { a.Settings.Limits.MemoryMiB = 128 },
		"Limits.CPUs":            func(a *ServiceArgs) { a.Settings.Limits.CPUs = 0 },
		"Database.Host":          func(a *ServiceArgs) { a.Database.Host = nil },
		"Database.Port":          func(a *ServiceArgs) { a.Database.Port = 0 },
		"Database.Name":          func(a *ServiceArgs) { a.Database.Name = "a;b" },
		"Database.User":          func(a *ServiceArgs) { a.Database.User = "A" },
		"Database.Password":      func(a *ServiceArgs) { a.Database.Password = nil },
		"Database.SSLMode":       func(a *ServiceArgs) { a.Database.SSLMode = "prefer" },
		"Credentials":            func(a *ServiceArgs) { a.Credentials = nil },
		"a DockerHome or an Ecs": func(a *ServiceArgs) { a.Home = nil },
		"Home.Platform":          func(a *ServiceArgs) { a.Home.(*DockerHome).Platform = nil },
		"Home.Database":          func(a *ServiceArgs) { a.Home.(*DockerHome).Database = nil },
		"Home.SSHHost":           func(a *ServiceArgs) { a.Home.(*DockerHome).SSHUser = "" },
		"Home.SSHPort":           func(a *ServiceArgs) { a.Home.(*DockerHome).SSHPort = 0 },
		"Home.HostID":            func(a *ServiceArgs) { a.Home.(*DockerHome).HostID = nil },
	} {
		list, err := recorder.Run(func(ctx *pulumi.Context) error { _, err := oneHome(ctx, "", change); return err })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want one about %s", err, want)
		}
		if recorder.Count(list)[ServiceType] != 0 {
			t.Errorf("%s: registered all the same", want)
		}
	}
}
