package docker

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	dockersdk "github.com/pulumi/pulumi-docker/sdk/v4/go/docker"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
	"github.com/morphee-app/morphee-infra/internal/recorder"
)

const (
	containerType = "docker:index/container:Container"
	volumeType    = "docker:index/volume:Volume"
	networkType   = "docker:index/network:Network"
	imageType     = "docker:index/remoteImage:RemoteImage"
	passwordType  = "random:index/randomPassword:RandomPassword"
	canary        = recorder.Canary
)

var (
	testTags   = base.Tags{Project: "morphee", Stack: "test", Phase: 0, Owner: "platform"}
	testLimits = Limits{MemoryMiB: 512, CPUs: 0.25, Pids: 256}
)

// record runs the program with passwords that are all called CANARY.
func record(t *testing.T, program func(ctx *pulumi.Context) error) []recorder.Resource {
	t.Helper()
	list, err := (&recorder.Recorder{Outputs: recorder.Computed}).Run(program)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func testPlatform(ctx *pulumi.Context, name, proxy string) (*Platform, error) {
	provider, err := dockersdk.NewProvider(ctx, name+"-provider", &dockersdk.ProviderArgs{})
	if err != nil {
		return nil, err
	}
	return NewPlatform(ctx, name, &PlatformArgs{
		Prefix: name, Proxy: proxy, CoolifyNetwork: "coolify", MemoryMiB: 6144, Tags: testTags,
	}, pulumi.Providers(provider))
}

// everything is one platform with all its services, named prefix+"x".
func everything(ctx *pulumi.Context, prefix, proxy string) error {
	p, err := testPlatform(ctx, prefix+"platform", proxy)
	if err != nil {
		return err
	}
	child := pulumi.Parent(p)
	if proxy == ProxyTraefik {
		if _, err := NewTraefik(ctx, prefix+"traefik", &TraefikArgs{
			Platform: p, Image: "traefik:v3.6.2", AcmeEmail: "ops@example.com", UploadTimeoutSeconds: 600, IPv6: true, Limits: testLimits,
		}, child); err != nil {
			return err
		}
	}
	pg, err := NewPostgres(ctx, prefix+"postgres", &PostgresArgs{Platform: p, Image: "postgres:15.14", Limits: Limits{2048, 1, 512}}, child)
	if err != nil {
		return err
	}
	app, auth := Database{Name: "morphee", Owner: "morphee"}, Database{Name: "auth", Owner: "auth", Schema: "auth"}
	dbs, err := NewPostgresDatabases(ctx, prefix+"databases", &PostgresDatabasesArgs{
		Platform: p, Server: pg, ContainerName: "databases", Databases: []Database{app, auth},
	}, child)
	if err != nil {
		return err
	}
	redis, err := NewRedis(ctx, prefix+"redis", &RedisArgs{Platform: p, Image: "redis:7.4.6", Limits: testLimits, AlarmMiB: 200}, child)
	if err != nil {
		return err
	}
	gotrue, err := NewGoTrue(ctx, prefix+"gotrue", &GoTrueArgs{
		Platform: p, Image: "supabase/gotrue:v2.180.0", Limits: testLimits, Host: "auth.example.com", AppHost: "app.example.com",
		TokenLifetimeSeconds: 3600, DatabaseURL: dbs.URL(pg, auth), Database: dbs.Ready, JWTSecret: pulumi.ToSecret(pulumi.String(canary + "jwt")).(pulumi.StringOutput),
		SMTP: SMTP{Host: "smtp.example.com", Port: 587, Username: "u", Password: pulumi.ToSecret(pulumi.String(canary + "smtp")).(pulumi.StringOutput), Sender: "a@b.c"},
	}, child)
	if err != nil {
		return err
	}
	if _, err := NewBackend(ctx, prefix+"backend", &BackendArgs{
		Platform: p, Image: "ghcr.io/morphee-app/backend:1.0.0", Limits: testLimits, Host: "api.example.com", AppHost: "app.example.com",
		Port: 8000, HealthPath: "/health", DatabaseURL: dbs.URL(pg, app), RedisURL: redis.URL, AuthURL: gotrue.InternalURL, JWTSecret: pulumi.String(canary + "jwt"),
		Environment: map[string]string{"LOG_LEVEL": "info"},
		Secrets:     map[string]pulumi.StringInput{"STRIPE_KEY": pulumi.String(canary + "stripe")},
		Forgejo: &ForgejoLink{
			URL: pulumi.String("http://forgejo:3000"), Token: pulumi.String(canary + "token"),
			WebhookSecret: pulumi.String(canary + "hook"), Ready: gotrue.Service.Container,
		},
		After: []pulumi.Resource{dbs.Ready, redis.Service.Container},
	}, child); err != nil {
		return err
	}
	_, err = NewFrontend(ctx, prefix+"frontend", &FrontendArgs{Platform: p, Image: "ghcr.io/morphee-app/frontend:1.0.0", Limits: testLimits, Host: "app.example.com"}, child)
	return err
}

func TestEverythingTwice(t *testing.T) {
	list := record(t, func(ctx *pulumi.Context) error {
		if err := everything(ctx, "a-", ProxyTraefik); err != nil {
			return err
		}
		return everything(ctx, "b-", ProxyTraefik)
	})
	want := map[string]int{
		PlatformType: 2, ServiceType: 14, TraefikType: 2, PostgresType: 2, PostgresDatabasesType: 2, RedisType: 2,
		GoTrueType: 2, BackendType: 2, FrontendType: 2,
		// Six of the seven services have files, each with a loader.
		containerType: 2 * (7 + 6), imageType: 2 * 7, networkType: 2 * 2,
		volumeType:                2 * (6 + 4), // files; acme, postgres, memory, uploads
		passwordType:              2 * 4,       // superuser, morphee, auth, redis
		"pulumi:providers:docker": 2,
	}
	got := recorder.Count(list)
	delete(got, "pulumi:pulumi:Stack")
	if !maps.Equal(got, want) {
		t.Errorf("registered\n%v\nwant\n%v", got, want)
	}
	// The provider is the host's, which this test does without.
	orphans := slices.DeleteFunc(recorder.Orphans(list), func(s string) bool { return strings.HasPrefix(s, "pulumi:providers:") })
	if len(orphans) > 0 {
		t.Errorf("orphans: %v", orphans)
	}
	for _, r := range list {
		if strings.HasPrefix(r.Type, "docker:") && !strings.Contains(r.Provider, "platform-provider") {
			t.Errorf("%s %s has provider %q, want the host's", r.Type, r.Name, r.Provider)
		}
	}
}

// TestEveryContainer holds the security inputs of every container against the same rules.
func TestEveryContainer(t *testing.T) {
	for _, proxy := range []string{ProxyTraefik, ProxyCoolify} {
		list := record(t, func(ctx *pulumi.Context) error { return everything(ctx, "", proxy) })
		sawSocket, sawPorts := 0, 0
		for _, r := range list {
			if r.Type != containerType {
				continue
			}
			t.Run(proxy+"/"+r.Name, func(t *testing.T) {
				checkContainer(t, r)
			})
			name := r.Input("name")
			for _, v := range asList(r.Input("volumes")) {
				m := v.(map[string]any)
				if m["hostPath"] != nil && m["readOnly"] != true {
					t.Errorf("%s: %v is writable", r.Name, m["hostPath"])
				}
				if m["hostPath"] == "/var/run/docker.sock" {
					sawSocket++
					if name != "traefik" {
						t.Errorf("%s sees Docker's socket", r.Name)
					}
				}
			}
			for _, v := range asList(r.Input("ports")) {
				sawPorts++
				if p := v.(map[string]any)["external"]; name != "traefik" || p != 80.0 && p != 443.0 {
					t.Errorf("%s publishes %v", r.Name, p)
				}
			}
		}
		wantSocket, wantPorts := 1, 4
		if proxy == ProxyCoolify {
			wantSocket, wantPorts = 0, 0
		}
		if sawSocket != wantSocket || sawPorts != wantPorts {
			t.Errorf("%s: %d containers see the socket and %d ports are published, want %d and %d", proxy, sawSocket, sawPorts, wantSocket, wantPorts)
		}
	}
}

func checkContainer(t *testing.T, r recorder.Resource) {
	loader := strings.HasSuffix(r.Name, "-secrets-loader")
	want := map[string]any{
		"privileged": false, "publishAllPorts": false, "capabilities.drops.0": "ALL",
		"securityOpts.0": "no-new-privileges:true", "ipcMode": "private", "cgroupnsMode": "private",
		"runtime": "runc", "ulimits.0.name": "nproc", "removeVolumes": true,
		// Loaders alone have a writable root file system; they are never started.
		"readOnly": !loader, "start": !loader, "mustRun": !loader,
		"restart": "unless-stopped", "networkMode": "bridge", "logDriver": "json-file", "wait": true,
	}
	if loader {
		maps.Copy(want, map[string]any{"restart": "no", "networkMode": "none", "logDriver": "none", "wait": nil, "healthcheck.tests.0": "NONE"})
	} else {
		// The kernel counts over all of them together: whoever may have less starves when the others are busy.
		if user := r.Input("user"); user == "postgres" || user == "redis" {
			if hard, _ := r.Input("ulimits.0.hard").(float64); hard < sharedUserPids {
				t.Errorf("%s runs as a user that others share, and may have %v processes", r.Name, hard)
			}
		}
		for _, k := range []string{"healthcheck.tests.1", "healthcheck.interval", "networksAdvanced.0.name", "logOpts.max-size", "user"} {
			if r.Input(k) == nil {
				t.Errorf("%s is not set", k)
			}
		}
	}
	for k, v := range want {
		if got := r.Input(k); got != v {
			t.Errorf("%s is %v, want %v", k, got, v)
		}
	}
	if adds := asList(r.Input("capabilities.adds")); len(adds) > 0 {
		t.Errorf("capabilities %v were given back", adds)
	}
	if m := r.Input("memory"); m == nil || m != r.Input("memorySwap") {
		t.Errorf("memory %v with swap %v", m, r.Input("memorySwap"))
	}
	if u := r.Input("user"); !loader && (u == "0:0") != (r.Input("name") == "traefik") {
		t.Errorf("runs as %v", u)
	}
	if !strings.HasPrefix(fmt.Sprint(r.Input("image")), "sha256:") {
		t.Errorf("image %v is not an id", r.Input("image"))
	}
	if !r.DeleteBeforeReplace {
		t.Error("two containers of one name would be needed to replace it")
	}
	labels := map[string]string{}
	for _, l := range asList(r.Input("labels")) {
		labels[l.(map[string]any)["label"].(string)] = fmt.Sprint(l.(map[string]any)["value"])
	}
	if labels["project"] != "morphee" || labels["stack"] != "test" || labels["owner"] != "platform" {
		t.Errorf("labels %v lack the tags", labels)
	}
	if _, ok := labels["phase"]; ok {
		t.Error("the phase is a label: going up a phase would replace every container")
	}
	for _, k := range []string{"envs", "labels", "command", "entrypoints", "healthcheck"} {
		if strings.Contains(fmt.Sprint(r.Input(k)), canary) {
			t.Errorf("%s holds a secret: %v", k, r.Input(k))
		}
	}
	if uploads := fmt.Sprint(r.Input("uploads")); strings.Contains(uploads, canary) && !r.IsSecret("uploads") {
		t.Errorf("uploads are not secret: %v", uploads)
	}
}

func TestSecretsAreSecret(t *testing.T) {
	list := record(t, func(ctx *pulumi.Context) error { return everything(ctx, "", ProxyTraefik) })
	for _, r := range list {
		for k, v := range r.Inputs {
			if strings.Contains(recorder.PlainText(v), canary) {
				t.Errorf("%s %s: %s holds a secret in plain", r.Type, r.Name, k)
			}
		}
	}
	for container, names := range map[string][]string{
		"postgres":  {"superuser-password"},
		"databases": {"databases.sh", "databases.sql", "databases.list", "superuser-password", "morphee-password", "auth-password"},
		"redis":     {"redis.conf", "redis-password"},
		"gotrue":    {"gotrue.env"},
		"backend":   {"database_url", "forgejo_token", "forgejo_webhook_secret", "gotrue_jwt_secret", "redis_url", "stripe_key"},
	} {
		r := recorder.Must(t, list, containerType, container+"-service-secrets-loader")
		var got []string
		for _, u := range asList(r.Input("uploads")) {
			got = append(got, strings.TrimPrefix(u.(map[string]any)["file"].(string), "/run/secrets/"))
		}
		if !slices.Equal(got, names) {
			t.Errorf("%s has files %v, want %v", container, got, names)
		}
	}
}

// TestOrder: what a service needs at start is up before it, and is told by the label when one of
// its files changed.
func TestOrder(t *testing.T) {
	list := record(t, func(ctx *pulumi.Context) error { return everything(ctx, "", ProxyTraefik) })
	for container, needs := range map[string][]string{
		"databases": {"postgres"}, "gotrue": {"databases"}, "backend": {"databases", "redis", "gotrue"},
		"postgres": nil, "redis": nil, "traefik": nil,
	} {
		r := recorder.Must(t, list, containerType, container+"-service-container")
		after := strings.Join(r.Dependencies, " ")
		for _, n := range append(needs[:len(needs):len(needs)], container) {
			what := "::" + n + "-service-container"
			if n == container {
				what = "::" + n + "-service-secrets-loader"
			}
			if !strings.Contains(after+" ", what+" ") {
				t.Errorf("%s starts without waiting for %s: %s", container, what, after)
			}
		}
		found := false
		for _, l := range asList(r.Input("labels")) {
			m := l.(map[string]any)
			found = found || m["label"] == "morphee.files" && m["value"] == container+"-service-secrets-loader-id"
		}
		if !found {
			t.Errorf("%s goes on with old files when they change", container)
		}
	}
}

func TestDataIsProtected(t *testing.T) {
	list := record(t, func(ctx *pulumi.Context) error { return everything(ctx, "", ProxyTraefik) })
	for _, r := range list {
		files := strings.HasSuffix(r.Name, "-secrets")
		if r.Type == volumeType && r.Protect == files || r.Type == passwordType && !r.Protect {
			t.Errorf("%s %s: protect is %v", r.Type, r.Name, r.Protect)
		}
		if (r.Type == volumeType || r.Type == networkType) && !slices.Equal(r.IgnoreChanges, []string{"labels"}) {
			t.Errorf("%s: a change of tags would replace it (ignores %v)", r.Name, r.IgnoreChanges)
		}
	}
}

func TestNetworks(t *testing.T) {
	list := record(t, func(ctx *pulumi.Context) error { return everything(ctx, "", ProxyTraefik) })
	for name, internal := range map[string]bool{"platform-edge": false, "platform-data": true} {
		n := recorder.Must(t, list, networkType, name)
		if n.Input("internal") != internal {
			t.Errorf("%s: internal is %v, want %v", name, n.Input("internal"), internal)
		}
	}
	for container, want := range map[string]string{
		"traefik": "platform-edge", "frontend": "platform-edge", "postgres": "platform-data", "redis": "platform-data", "databases": "platform-data",
		"gotrue": "platform-edge platform-data", "backend": "platform-edge platform-data",
	} {
		r := recorder.Must(t, list, containerType, container+"-service-container")
		var got []string
		for _, n := range asList(r.Input("networksAdvanced")) {
			got = append(got, n.(map[string]any)["name"].(string))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s is on %v, want %s", container, got, want)
		}
	}
}

func TestRoutes(t *testing.T) {
	for proxy, want := range map[string]map[string]string{
		ProxyTraefik: {"traefik.docker.network": "platform-edge", "traefik.http.routers.backend.entrypoints": "websecure", "traefik.http.routers.backend-http.rule": ""},
		ProxyCoolify: {"traefik.docker.network": "coolify", "traefik.http.routers.backend.entrypoints": "https", "traefik.http.routers.backend-http.middlewares": "backend-https"},
	} {
		list := record(t, func(ctx *pulumi.Context) error { return everything(ctx, "", proxy) })
		r := recorder.Must(t, list, containerType, "backend-service-container")
		got := map[string]string{}
		for _, l := range asList(r.Input("labels")) {
			got[l.(map[string]any)["label"].(string)] = fmt.Sprint(l.(map[string]any)["value"])
		}
		maps.Copy(want, map[string]string{
			"traefik.enable": "true", "traefik.http.routers.backend.rule": "Host(`api.example.com`)",
			"traefik.http.routers.backend.tls.certresolver":                       "letsencrypt",
			"traefik.http.services.backend.loadbalancer.server.port":              "8000",
			"traefik.http.routers.backend.middlewares":                            "backend-headers",
			"traefik.http.middlewares.backend-headers.headers.stsseconds":         "31536000",
			"traefik.http.middlewares.backend-headers.headers.contenttypenosniff": "true",
		})
		for k, v := range want {
			if got[k] != v {
				t.Errorf("%s: label %s is %q, want %q", proxy, k, got[k], v)
			}
		}
	}
}

func TestTraefikFlags(t *testing.T) {
	list := record(t, func(ctx *pulumi.Context) error { return everything(ctx, "", ProxyTraefik) })
	r := recorder.Must(t, list, containerType, "traefik-service-container")
	flags := fmt.Sprint(r.Input("command"))
	for _, want := range []string{"exposedbydefault=false", "redirections.entrypoint.to=websecure", "acme.email=ops@example.com", "accesslog=true", "readtimeout=600s"} {
		if !strings.Contains(flags, want) {
			t.Errorf("no %s in %s", want, flags)
		}
	}
	if strings.Contains(flags, "--api") {
		t.Errorf("the API is on: %s", flags)
	}
	if !strings.Contains(traefikConfig, "minVersion: VersionTLS12") {
		t.Error("TLS below 1.2 is accepted")
	}
}

func TestServiceRefusals(t *testing.T) {
	good := func(p *Platform) *ServiceArgs {
		return &ServiceArgs{
			Platform: p, ContainerName: "x1", Image: "a/b:1", Limits: testLimits, Edge: true,
			Healthcheck: Healthcheck{Test: []string{"CMD", "true"}, Interval: time.Second, Timeout: time.Second, Retries: 1},
		}
	}
	for name, c := range map[string]struct {
		change func(*ServiceArgs)
		want   string
	}{
		"good":            {func(a *ServiceArgs) {}, ""},
		"digest":          {func(a *ServiceArgs) { a.Image = "a/b@sha256:" + strings.Repeat("0", 64) }, ""},
		"short digest":    {func(a *ServiceArgs) { a.Image = "a/b@sha256:00" }, "Image"},
		"latest":          {func(a *ServiceArgs) { a.Image = "a/b:latest" }, "Image"},
		"untagged":        {func(a *ServiceArgs) { a.Image = "host:5000/a/b" }, "Image"},
		"no memory":       {func(a *ServiceArgs) { a.Limits.MemoryMiB = 0 }, "Limits.MemoryMiB"},
		"too much memory": {func(a *ServiceArgs) { a.Limits.MemoryMiB = 7000 }, "6144 MiB"},
		"no cpus":         {func(a *ServiceArgs) { a.Limits.CPUs = 0 }, "Limits.CPUs"},
		"no pids":         {func(a *ServiceArgs) { a.Limits.Pids = 0 }, "Limits.Pids"},
		"no network":      {func(a *ServiceArgs) { a.Edge = false }, "Edge, Data"},
		"route":           {func(a *ServiceArgs) { a.Edge, a.Data, a.Route = false, true, &Route{} }, "Route"},
		"no check":        {func(a *ServiceArgs) { a.Healthcheck = Healthcheck{} }, "Healthcheck.Test"},
		"mount":           {func(a *ServiceArgs) { a.Mounts = []Mount{{Path: "/x"}} }, "Mounts"},
		"port":            {func(a *ServiceArgs) { a.Ports = []Port{{External: 1, Internal: 1, IP: "10.0.0.1"}} }, "Ports"},
		"file":            {func(a *ServiceArgs) { a.Files = []File{{Name: "../x", Content: pulumi.String("a")}} }, "Files"},
		"file twice": {func(a *ServiceArgs) {
			a.Files = []File{{Name: "x", Content: pulumi.String("a")}, {Name: "x", Content: pulumi.String("a")}}
		}, "each name once"},
		"env": {func(a *ServiceArgs) { a.Env = map[string]pulumi.StringInput{"A": nil} }, "Env"},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := recorder.Run(func(ctx *pulumi.Context) error {
				p, err := testPlatform(ctx, "platform", ProxyTraefik)
				if err != nil {
					return err
				}
				args := good(p)
				c.change(args)
				_, err = NewService(ctx, "x", args, pulumi.Parent(p))
				return err
			})
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one about %s", err, c.want)
			}
			if n := recorder.Count(list)[ServiceType]; n != 0 {
				t.Errorf("%d services were registered all the same", n)
			}
		})
	}
}

func TestComponentRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		try  func(ctx *pulumi.Context, p *Platform) error
		want string
	}{
		"another postgres": {func(ctx *pulumi.Context, p *Platform) error {
			_, err := NewPostgres(ctx, "x", &PostgresArgs{Platform: p, Image: "postgres:16.1", Limits: testLimits})
			return err
		}, "PostgreSQL 15"},
		"small redis": {func(ctx *pulumi.Context, p *Platform) error {
			_, err := NewRedis(ctx, "x", &RedisArgs{Platform: p, Image: "redis:7", Limits: Limits{250, 1, 256}, AlarmMiB: 200})
			return err
		}, "more than 250"},
		"few processes for redis": {func(ctx *pulumi.Context, p *Platform) error {
			_, err := NewRedis(ctx, "x", &RedisArgs{Platform: p, Image: "redis:7", Limits: Limits{512, 1, 255}, AlarmMiB: 200})
			return err
		}, "256 or more"},
		"few processes for the sentinels": {func(ctx *pulumi.Context, p *Platform) error {
			_, err := NewRedis(ctx, "x", &RedisArgs{Platform: p, Image: "redis:7", Limits: testLimits, AlarmMiB: 200, Sentinel: &SentinelArgs{Limits: Limits{32, 0.05, 64}}})
			return err
		}, "Sentinel.Limits.Pids"},
		"few processes for postgres": {func(ctx *pulumi.Context, p *Platform) error {
			_, err := NewPostgres(ctx, "x", &PostgresArgs{Platform: p, Image: "postgres:15.14", Limits: Limits{512, 1, 64}})
			return err
		}, "256 or more"},
		"two proxies": {func(ctx *pulumi.Context, _ *Platform) error {
			p, err := testPlatform(ctx, "other", ProxyCoolify)
			if err != nil {
				return err
			}
			_, err = NewTraefik(ctx, "x", &TraefikArgs{Platform: p, Image: "traefik:v3.6.2", AcmeEmail: "a@b.c", UploadTimeoutSeconds: 60, Limits: testLimits})
			return err
		}, "Coolify brings its own"},
		"unknown proxy": {func(ctx *pulumi.Context, _ *Platform) error {
			_, err := testPlatform(ctx, "other", "nginx")
			return err
		}, "traefik or coolify"},
		"reserved role": {func(ctx *pulumi.Context, p *Platform) error {
			_, err := NewPostgresDatabases(ctx, "x", &PostgresDatabasesArgs{Platform: p, Server: &Postgres{}, Databases: []Database{{Name: "a", Owner: "pg_a"}}})
			return err
		}, "reserved"},
		"one role twice": {func(ctx *pulumi.Context, p *Platform) error {
			_, err := NewPostgresDatabases(ctx, "x", &PostgresDatabasesArgs{Platform: p, Server: &Postgres{}, Databases: []Database{{Name: "a", Owner: "a"}, {Name: "b", Owner: "a"}}})
			return err
		}, "role of its own"},
		"quote in path": {func(ctx *pulumi.Context, p *Platform) error {
			_, err := NewBackend(ctx, "x", &BackendArgs{Platform: p, HealthPath: "/a'b"})
			return err
		}, "HealthPath"},
		"frontend": {func(ctx *pulumi.Context, p *Platform) error {
			_, err := NewFrontend(ctx, "x", &FrontendArgs{Platform: p})
			return err
		}, "morphee:hosts.app"},
		"gotrue": {func(ctx *pulumi.Context, p *Platform) error {
			_, err := NewGoTrue(ctx, "x", &GoTrueArgs{Platform: p, Host: "a/b"})
			return err
		}, "morphee:hosts.auth"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := recorder.Run(func(ctx *pulumi.Context) error {
				p, err := testPlatform(ctx, "platform", ProxyTraefik)
				if err != nil {
					return err
				}
				return c.try(ctx, p)
			})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one about %s", err, c.want)
			}
		})
	}
}

func asList(v any) []any {
	list, _ := v.([]any)
	return list
}
