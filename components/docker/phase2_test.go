package docker

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/recorder"
)

func managedServer() *ManagedServer {
	return &ManagedServer{
		Host: pulumi.String("db.example.com"), Port: 6432, AdminPort: 5432, Admin: "postgres", AdminPassword: pulumi.String(canary + "admin"),
		UserSuffix: ".ref", SSLMode: SSLVerifyFull, CACertificate: pulumi.String("PEM"), ClientImage: "postgres:15.14",
	}
}

// replicatedBackend is a platform with a replicated Redis and backend, and a database elsewhere.
func replicatedBackend(ctx *pulumi.Context, prefix string, spoil ...func(*BackendArgs, *RedisArgs)) (*Backend, error) {
	p, err := testPlatform(ctx, prefix+"platform", ProxyTraefik)
	if err != nil {
		return nil, err
	}
	redisArgs := &RedisArgs{Platform: p, Image: "redis:7.4.6", Limits: testLimits, AlarmMiB: 200, Sentinel: &SentinelArgs{Limits: Limits{32, 0.05, 256}}}
	args := &BackendArgs{
		Platform: p, Image: "ghcr.io/morphee-app/backend:1.0.0", Limits: testLimits, Host: "api.example.com", AppHost: "app.example.com",
		Port: 8000, HealthPath: "/health", Replicas: 3, DatabaseServer: managedServer(), AuthURL: pulumi.String("http://gotrue:9999"), JWTSecret: pulumi.String(canary + "jwt"),
	}
	for _, f := range spoil {
		f(args, redisArgs)
	}
	redis, err := NewRedis(ctx, prefix+"redis", redisArgs, pulumi.Parent(p))
	if err != nil {
		return nil, err
	}
	app := Database{Name: "morphee", Owner: "morphee"}
	dbs, err := NewPostgresDatabases(ctx, prefix+"managed-databases", &PostgresDatabasesArgs{
		Platform: p, Managed: managedServer(), ContainerName: "managed-databases", Databases: []Database{app},
	}, pulumi.Parent(p))
	if err != nil {
		return nil, err
	}
	args.RedisURL, args.DatabaseURL = redis.URL, dbs.ManagedURL(managedServer(), app)
	args.After = []pulumi.Resource{redis.Ready, dbs.Ready}
	return NewBackend(ctx, prefix+"backend", args, pulumi.Parent(p))
}

func TestReplicasAndSentinelsTwice(t *testing.T) {
	list := record(t, func(ctx *pulumi.Context) error {
		if _, err := replicatedBackend(ctx, "a-"); err != nil {
			return err
		}
		_, err := replicatedBackend(ctx, "b-")
		return err
	})
	got := recorder.Count(list)
	// Three backends, two servers, three Sentinels, one for the databases; each with a loader.
	for typ, want := range map[string]int{ServiceType: 2 * 9, containerType: 2 * 18, imageType: 2 * 9, volumeType: 2 * (9 + 2), passwordType: 2 * 2} {
		if got[typ] != want {
			t.Errorf("%d of %s, want %d", got[typ], typ, want)
		}
	}
	for _, r := range list {
		if r.Type == containerType {
			t.Run(r.Name, func(t *testing.T) { checkContainer(t, r) })
		}
		if r.Type == passwordType && !r.Protect {
			t.Errorf("%s is not protected", r.Name)
		}
	}
	// Each container waits for the one before it, and so do its files.
	for name, before := range map[string]string{
		"a-backend-replica-2": "a-backend-replica-3", "a-backend-service": "a-backend-replica-2",
		"a-redis-service": "a-redis-replica", "a-redis-sentinel-1": "a-redis-service", "a-redis-sentinel-3": "a-redis-sentinel-2",
		"a-backend-replica-3": "a-redis-sentinel-3",
	} {
		for _, suffix := range []string{"-container", "-secrets-loader"} {
			r := recorder.Must(t, list, containerType, name+suffix)
			if !strings.Contains(fmt.Sprint(r.Dependencies), "::"+before+"-container") {
				t.Errorf("%s does not wait for %s: %v", r.Name, before, r.Dependencies)
			}
		}
	}
}

func labelsOf(t *testing.T, list []recorder.Resource, name string) map[string]string {
	t.Helper()
	r := recorder.Must(t, list, containerType, name+"-container")
	out := map[string]string{}
	for _, l := range asList(r.Input("labels")) {
		m := l.(map[string]any)
		if s, ok := m["value"].(string); ok && strings.HasPrefix(m["label"].(string), "traefik.") {
			out[m["label"].(string)] = s
		}
	}
	return out
}

// Traefik drops a router that two containers describe differently, so all replicas say the same; and
// when what they say changes, so does the router's name.
func TestReplicasShareARoute(t *testing.T) {
	run := func(host string) []recorder.Resource {
		return record(t, func(ctx *pulumi.Context) error {
			_, err := replicatedBackend(ctx, "", func(a *BackendArgs, _ *RedisArgs) { a.Host = host })
			return err
		})
	}
	list := run("api.example.com")
	first, second := labelsOf(t, list, "backend-service"), labelsOf(t, list, "backend-replica-2")
	if fmt.Sprint(first) != fmt.Sprint(second) {
		t.Errorf("the replicas differ:\n%v\n%v", first, second)
	}
	found := map[string]string{}
	names := map[string]bool{}
	for k, v := range first {
		parts := strings.Split(k, ".")
		if len(parts) > 4 {
			found[strings.Join(parts[4:], ".")] = v
		}
		if len(parts) > 3 && parts[2] == "routers" {
			names[parts[3]] = true
		}
	}
	for k, want := range map[string]string{
		"priority": "1000", "loadbalancer.sticky.cookie": "true", "loadbalancer.sticky.cookie.secure": "true", "loadbalancer.sticky.cookie.httponly": "true",
		"loadbalancer.healthcheck.path": "/health", "loadbalancer.server.port": "8000", "retry.attempts": "6",
	} {
		if found[k] != want {
			t.Errorf("%s is %q, want %q", k, found[k], want)
		}
	}
	if len(names) != 1 || names["backend"] {
		t.Errorf("routers %v, want one with a digest", names)
	}
	for k := range labelsOf(t, run("api2.example.com"), "backend-service") {
		if parts := strings.Split(k, "."); len(parts) > 3 && names[parts[3]] {
			t.Errorf("another host has the same router %s", k)
		}
	}
	single := record(t, func(ctx *pulumi.Context) error {
		_, err := replicatedBackend(ctx, "", func(a *BackendArgs, _ *RedisArgs) { a.Replicas = 1 })
		return err
	})
	labels := labelsOf(t, single, "backend-service")
	if labels["traefik.http.routers.backend.rule"] == "" || strings.Contains(fmt.Sprint(labels), "sticky") {
		t.Errorf("one container alone has %v", labels)
	}
}

// What leaves the host is encrypted, checked, and logs in as the pooler wants.
func TestManagedServerIsReachedWithTLS(t *testing.T) {
	list := record(t, func(ctx *pulumi.Context) error {
		_, err := replicatedBackend(ctx, "")
		return err
	})
	loader := recorder.Must(t, list, containerType, "backend-replica-2-secrets-loader")
	uploads := fmt.Sprint(loader.Input("uploads"))
	for _, want := range []string{
		"postgres://morphee.ref:", "@db.example.com:6432/morphee?sslmode=verify-full&sslrootcert=/run/secrets/database-ca.crt", "/run/secrets/database-ca.crt",
		"redis+sentinel://:CANARYredis-password@redis-sentinel-1:26379,redis-sentinel-2:26379,redis-sentinel-3:26379/morphee/0",
	} {
		if !strings.Contains(uploads, want) {
			t.Errorf("the backend's files lack %s", want)
		}
	}
	r := recorder.Must(t, list, containerType, "managed-databases-service-container")
	envs, nets := fmt.Sprint(r.Input("envs")), fmt.Sprint(r.Input("networksAdvanced"))
	for _, want := range []string{"PGHOST=db.example.com", "PGPORT=5432", "PGSSLMODE=verify-full", "PGSSLROOTCERT=/run/secrets/database-ca.crt"} {
		if !strings.Contains(envs, want) {
			t.Errorf("the databases' environment lacks %s: %s", want, envs)
		}
	}
	if strings.Contains(nets, "name:platform-data") || !strings.Contains(nets, "name:platform-edge") {
		t.Errorf("the databases are made from %s, want the network that leads out", nets)
	}
}

func TestPhase2Refuses(t *testing.T) {
	for want, spoil := range map[string]func(*BackendArgs, *RedisArgs){
		"Replicas":                  func(a *BackendArgs, _ *RedisArgs) { a.Replicas = 5 },
		"Sentinel.Limits.MemoryMiB": func(_ *BackendArgs, r *RedisArgs) { r.Sentinel.Limits.MemoryMiB = 16 },
	} {
		_, err := (&recorder.Recorder{}).Run(func(ctx *pulumi.Context) error {
			_, err := replicatedBackend(ctx, "", spoil)
			return err
		})
		if err == nil || !strings.Contains(err.Error(), want+":") {
			t.Errorf("got %v, want an error about %s", err, want)
		}
	}
	for want, spoil := range map[string]func(*ManagedServer){
		"Managed.SSLMode":       func(s *ManagedServer) { s.SSLMode = SSLDisable },
		"Managed.CACertificate": func(s *ManagedServer) { s.CACertificate = nil },
		"Managed.Port":          func(s *ManagedServer) { s.Port = 0 },
	} {
		_, err := (&recorder.Recorder{}).Run(func(ctx *pulumi.Context) error {
			p, err := testPlatform(ctx, "platform", ProxyTraefik)
			if err != nil {
				return err
			}
			s := managedServer()
			spoil(s)
			_, err = NewPostgresDatabases(ctx, "x", &PostgresDatabasesArgs{Platform: p, Managed: s, ContainerName: "x", Databases: []Database{{Name: "a", Owner: "a"}}})
			return err
		})
		if err == nil || !strings.Contains(err.Error(), want+":") {
			t.Errorf("got %v, want an error about %s", err, want)
		}
	}
}

// A visitor whose cookie names a container that stops is tried again until the health check has found
// out, or gets an error while the other one serves.
func TestRetriesOutlastTheHealthCheck(t *testing.T) {
	labels := labelsOf(t, record(t, func(ctx *pulumi.Context) error {
		_, err := replicatedBackend(ctx, "")
		return err
	}), "backend-service")
	value := func(suffix string) string {
		for k, v := range labels {
			if strings.HasSuffix(k, suffix) {
				return v
			}
		}
		t.Fatalf("no label %s in %v", suffix, labels)
		return ""
	}
	seconds := func(suffix string) float64 {
		d, err := time.ParseDuration(value(suffix))
		if err != nil {
			t.Fatal(err)
		}
		return d.Seconds()
	}
	attempts, err := strconv.Atoi(value(".retry.attempts"))
	if err != nil {
		t.Fatal(err)
	}
	// As Traefik 3 does it: the waits grow to twice the first one, and each is up to half shorter or longer.
	least, wait := 0.0, seconds(".retry.initialinterval")
	for range attempts - 1 {
		least += wait / 2
		wait *= math.Pow(2, 1/float64(attempts-1))
	}
	if found := seconds(".healthcheck.interval") + seconds(".healthcheck.timeout"); least <= found {
		t.Errorf("the last attempt may come after %.1f s, and a container that is gone is found after %.1f s", least, found)
	}
}
