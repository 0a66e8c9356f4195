package config_test

import (
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/config"
)

// Each row is a mistake about phase 2, as in mistakes.
func TestManagedMistakes(t *testing.T) {
	secret := func(tree map[string]any) map[string]any {
		if db, ok := tree["database"].(map[string]any); ok {
			if e, ok := db["external"].(map[string]any); ok && e["password"] == "hide" {
				e["password"] = config.Hidden{Value: "correct-horse"}
			}
		}
		return tree
	}
	const neon = `database: {provider: neon, external: {host: ep-x.eu-central-1.aws.neon.tech, role: owner, password: hide}}`
	for _, m := range []struct {
		phase    int
		yaml     string
		key      string
		contains string
	}{
		{1, `database: {cutover: true}`, "database.cutover", "does not go with phase 1"},
		{0, `database: {provider: hetzner}`, "database.provider", "does not go with phase 0"},
		{1, `database: {provider: hetzner, cutover: true}`, "database.cutover", "does not go with phase 1"},
		{1, `redis: {sentinel: true}`, "redis.sentinel", "does not go with phase 1"},
		{2, `database: {provider: mysql}`, "database.provider", "container, hetzner, supabase, neon"},
		{2, `database: {provider: container, cutover: true}`, "database.cutover", "has nothing to go to"},
		{2, `database: {keepContainer: false}`, "database.keepContainer", "without a database"},
		{2, `backend: {replicas: 5}`, "backend.replicas", "too large"},
		{2, `database: {hetzner: {serverType: cx22x}}`, "database.hetzner.serverType", "is not a Hetzner server type"},
		{2, `{server: {type: cpx41, location: ash}, database: {hetzner: {serverType: cpx22}}}`, "database.hetzner.serverType", "is not offered at"},
		{2, `database: {hetzner: {maxConnections: 900}}`, "database.hetzner.maxConnections", "more than the server's memory carries"},
		{2, `database: {hetzner: {retentionDays: 7}}`, "database.hetzner.retentionDays", "shorter than the promised"},
		{2, `{disposable: true, backups: {enabled: false}}`, "backups.enabled", "without a bucket"},
		{2, `database: {provider: neon, external: {role: owner, password: hide}}`, "database.external.host", "is missing"},
		{2, `database: {provider: neon, external: {host: ep-x.aws.neon.tech, password: hide}}`, "database.external.role", "is missing"},
		{2, `database: {provider: neon, external: {host: ep-x.aws.neon.tech, role: owner}}`, "database.external.password", "config set --secret"},
		{2, `database: {provider: neon, external: {host: ep-x-pooler.aws.neon.tech, role: owner, password: hide}}`, "database.external.host", "Neon's pooler"},
		{2, `database: {provider: neon, external: {host: ep-x.aws.neon.tech, role: owner, port: 6543, password: hide}}`, "database.external.port", "transaction mode"},
		{2, `database: {provider: neon, external: {host: ep-x.aws.neon.tech, role: owner, tlsMode: disable, password: hide}}`, "database.external.tlsMode", "verify-full, require"},
		{2, `database: {provider: supabase, external: {host: db.x.supabase.co, role: postgres, password: hide}}`, "database.external.caCertificate", "is missing"},
		{2, `database: {provider: supabase, external: {host: aws-0-eu-central-1.pooler.supabase.com, role: postgres, tlsMode: require, password: hide}}`, "database.external.role", "does not name the project"},
		{2, `database: {provider: supabase, external: {host: db.x.supabase.co, role: postgres, caCertificate: nonsense, password: hide}}`, "database.external.caCertificate", "is not a certificate"},
		{2, `forgejo: {server: {cutover: true}}`, "forgejo.server.cutover", "has no server to go to"},
		{2, `forgejo: {server: {enabled: true, cutover: true}}`, "forgejo.server.cutover", "without its database"},
		{2, `{limits: {forgejo: {memoryMiB: 3500, cpus: 0.5}}, forgejo: {server: {enabled: true}}}`, "forgejo.server.serverType", "has room for 3584 MiB"},
		{2, neon + "\nserver: {type: cpx31}", "limits", "MiB of memory"},
		{2, `{server: {type: cpx41}, limits: {sentinel: {pids: 64}}}`, "limits.sentinel.pids", "256 or more"},
	} {
		errs := problems(t, secret(with(t, base(m.phase), m.yaml)))
		// Too little memory comes with too few processors.
		if len(errs) == 0 || len(errs) > 1 && m.key != "limits" && m.phase != 1 {
			t.Errorf("%s: want one problem, got %v", m.yaml, errs)
			continue
		}
		found := false
		for _, p := range errs.List() {
			found = found || p.Key == "morphee:"+m.key && strings.Contains(p.String(), m.contains)
			if strings.Contains(p.String(), "correct-horse") {
				t.Errorf("%s: the password is shown", m.yaml)
			}
		}
		if !found {
			t.Errorf("%s: got %v, want %s to be said of %s", m.yaml, errs, m.contains, m.key)
		}
	}
}

func TestPhase2Derives(t *testing.T) {
	c, err := config.Parse(base(2))
	if err != nil {
		t.Fatal(err)
	}
	if c.Database.Provider != "hetzner" || c.Database.InUse() != "container" || c.Backend.Replicas != 2 || c.Auth.Replicas != 2 || !c.Redis.Sentinel ||
		c.Database.Hetzner.ArchiveBucket != c.Backups.Bucket+"-pitr" || c.Forgejo.Server.BackupBucket != c.Backups.Bucket+"-git" {
		t.Errorf("got %+v %+v %+v", c.Database, c.Backend, c.Redis)
	}
	var names []string
	for _, s := range c.ServerServices() {
		names = append(names, s.Service)
	}
	if got := strings.Join(names, " "); got != "traefik frontend backend backend-2 redis redis-replica redis-sentinel-1 redis-sentinel-2 redis-sentinel-3 postgres gotrue gotrue-2 forgejo backup" {
		t.Error(got)
	}
	one, err := config.Parse(base(1))
	if err != nil {
		t.Fatal(err)
	}
	if one.Database.Provider != "container" || one.Backend.Replicas != 1 || one.Auth.Replicas != 1 || one.Redis.Sentinel {
		t.Errorf("phase 1 has %+v %+v %+v", one.Database, one.Backend, one.Redis)
	}
	// The way back keeps the server, unused.
	if errs := problems(t, with(t, base(1), `database: {provider: hetzner}`)); errs != nil {
		t.Error(errs)
	}
	fresh, err := config.Parse(with(t, base(2), `database: {cutover: true, keepContainer: false}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range fresh.ServerServices() {
		if s.Service == "postgres" {
			t.Error("a stack without the container has it")
		}
	}
}
