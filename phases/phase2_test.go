package phases

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/config"
	"github.com/morphee-app/morphee-infra/internal/recorder"
)

var large = map[string]any{"type": "cpx42"}

// neonDatabase is a database of Neon's.
func neonDatabase(cutover bool) map[string]any {
	return map[string]any{"provider": "neon", "cutover": cutover, "external": map[string]any{
		"host": "ep-x.eu-central-1.aws.neon.tech", "role": "owner", "password": config.Hidden{Value: "CANARYneon"}}}
}

func TestPhase2(t *testing.T) {
	list, outputs := recordPhase(t, Phase2, serverConfig(t, 2, map[string]any{"server": large}))
	got := recorder.Count(list)
	for typ, want := range map[string]int{
		// Phase 1's 10 with their 9 loaders, and a backend, a sign-in, a Redis, three Sentinels and the
		// databases of the new server, each with its files.
		"docker:index/container:Container": 19 + 7 + 7, "hcloud:index/server:Server": 2, "hcloud:index/volume:Volume": 2,
		"cloudflare:index/r2Bucket:R2Bucket": 2, "cloudflare:index/record:Record": 6, "pulumi:providers:docker": 1,
		"morphee:hetzner:PostgresServer": 1, "morphee:docker:Postgres": 1, "morphee:forgejo:ForgejoService": 1,
	} {
		if got[typ] != want {
			t.Errorf("%d of %s, want %d", got[typ], typ, want)
		}
	}
	if orphans := recorder.Orphans(list); len(orphans) > 0 {
		t.Errorf("orphans: %v", orphans)
	}
	checkOutputs(t, outputs, "apiUrl", "appUrl", "authUrl", "backupBucket", "backupEncryptionKey", "databaseArchiveBucket", "databaseCaCertificate",
		"databaseHost", "databasePublicIp", "forgejoAdminPassword", "forgejoAdminUser", "gitUrl", "publicIp", "publicIpv6", "sshUser")
	for _, r := range list {
		for k, v := range r.Inputs {
			if strings.Contains(recorder.PlainText(v), "CANARY") {
				t.Errorf("%s %s: %s holds a secret in plain", r.Type, r.Name, k)
			}
		}
	}
}

func uploads(t *testing.T, list []recorder.Resource, name string) string {
	t.Helper()
	r, err := recorder.Find(list, "docker:index/container:Container", name+"-secrets-loader")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(r.Input("uploads"))
}

func environment(t *testing.T, list []recorder.Resource, name string) string {
	t.Helper()
	r, err := recorder.Find(list, "docker:index/container:Container", name+"-container")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(r.Input("envs"))
}

// One switch moves every user of the database, and moves it back.
func TestCutoverMovesEverybody(t *testing.T) {
	for _, cutover := range []bool{false, true} {
		list, _ := recordPhase(t, Phase2, serverConfig(t, 2, map[string]any{"server": large, "database": neonDatabase(cutover)}))
		const here, there = "morphee-postgres", "ep-x.eu-central-1.aws.neon.tech"
		want, not := here, there
		if cutover {
			want, not = there, here
		}
		for what, text := range map[string]string{
			"backend": uploads(t, list, "backend-service"), "the other backend": uploads(t, list, "backend-replica-2"), "sign-in": uploads(t, list, "gotrue-service"),
			"Forgejo": environment(t, list, "forgejo-service"), "the backup": environment(t, list, "backup-service"),
		} {
			if !strings.Contains(text, want) || strings.Contains(text, not) {
				t.Errorf("cutover %v: %s does not use %s, or uses %s", cutover, what, want, not)
			}
			if secure := strings.Contains(text, "verify-full"); secure != cutover {
				t.Errorf("cutover %v: %s checks the server's certificate: %v", cutover, what, secure)
			}
		}
		if got := recorder.Count(list)["morphee:docker:Postgres"]; got != 1 {
			t.Errorf("cutover %v: %d containers of PostgreSQL, want it to stay", cutover, got)
		}
	}
}

// Sessions, cache and messages are in the replicated Redis; Forgejo's queue is not.
func TestPhase2TellsOfTheSentinels(t *testing.T) {
	list, _ := recordPhase(t, Phase2, serverConfig(t, 2, map[string]any{"server": large}))
	if got := uploads(t, list, "backend-service"); !strings.Contains(got, "redis+sentinel://") {
		t.Error("the backend is not told of the Sentinels")
	}
	if got := uploads(t, list, "forgejo-service"); !strings.Contains(got, "mastername=morphee") || !strings.Contains(got, "addrs=redis-sentinel-2:26379,redis-sentinel-3:26379") {
		t.Error("Forgejo is not told of the Sentinels")
	}
	if got := environment(t, list, "forgejo-service"); strings.Contains(got, "queue") || !strings.Contains(got, "session__PROVIDER=redis") {
		t.Errorf("Forgejo's settings: %s", got)
	}
}

// Forgejo on its own server: its volume is in both places, it runs in one, and its name leads there.
func TestForgejoOnItsOwnServer(t *testing.T) {
	for _, moved := range []bool{false, true} {
		list, outputs := recordPhase(t, Phase2, serverConfig(t, 2, map[string]any{
			"server": large, "database": neonDatabase(true), "forgejo": map[string]any{"sshPort": 222, "server": map[string]any{"enabled": true, "cutover": moved}},
		}))
		running, volumes := []string{}, 0
		for _, r := range list {
			if r.Type == "docker:index/container:Container" && r.Input("name") == "forgejo" {
				running = append(running, r.Name)
			}
			if r.Type == "docker:index/volume:Volume" && r.Input("name") == "forgejo-data" {
				volumes++
				if !r.Protect {
					t.Errorf("%s is not protected", r.Name)
				}
			}
		}
		want := "forgejo-service-container"
		if moved {
			want = "git-forgejo-service-container"
		}
		if !slices.Equal(running, []string{want}) || volumes != 2 {
			t.Errorf("moved %v: Forgejo runs as %v with %d volumes, want %s and 2", moved, running, volumes, want)
		}
		r, err := recorder.Find(list, "docker:index/container:Container", want)
		if err != nil {
			t.Fatal(err)
		}
		if onGit := strings.Contains(r.Provider, "git-vps-docker"); onGit != moved {
			t.Errorf("moved %v: it is on %s", moved, r.Provider)
		}
		for _, name := range []string{"vps", "git-vps"} {
			f, err := recorder.Find(list, "hcloud:index/firewall:Firewall", name+"-firewall")
			if err != nil {
				t.Fatal(err)
			}
			open := strings.Contains(fmt.Sprint(f.Input("rules")), "port:222")
			if want := name == "git-vps" || !moved; open != want {
				t.Errorf("moved %v: port 222 of %s is open: %v, want %v", moved, name, open, want)
			}
		}
		if got := uploads(t, list, "backend-service"); got == "" || strings.Contains(environment(t, list, "backend-service"), "FORGEJO_URL=https://git.morphee.app") != moved {
			t.Errorf("moved %v: the backend looks for Forgejo at the wrong place", moved)
		}
		if outputs["gitPublicIp"] == nil || outputs["gitUrl"] == nil {
			t.Errorf("moved %v: outputs %v", moved, outputs)
		}
		// Whoever has data is backed up, on both hosts.
		backed := strings.Contains(environment(t, list, "backup-service"), "GIT_SOURCES=memory forgejo")
		if !backed || moved && !strings.Contains(environment(t, list, "git-backup-service"), "GIT_SOURCES=forgejo") {
			t.Errorf("moved %v: repositories are not backed up", moved)
		}
	}
}

// A stack that never had the container does without.
func TestPhase2WithoutTheContainer(t *testing.T) {
	db := neonDatabase(true)
	db["keepContainer"] = false
	list, _ := recordPhase(t, Phase2, serverConfig(t, 2, map[string]any{"server": large, "database": db}))
	got := recorder.Count(list)
	if got["morphee:docker:Postgres"] != 0 || got["morphee:docker:PostgresDatabases"] != 1 {
		t.Errorf("%d containers and %d sets of databases, want 0 and 1", got["morphee:docker:Postgres"], got["morphee:docker:PostgresDatabases"])
	}
}
