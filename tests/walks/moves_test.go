package walks

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/morphee-app/morphee-infra/internal/config"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
func contains(list []string, one string) bool   { return slices.Contains(list, one) }
func sortedOptions(list []option) []option {
	slices.SortStableFunc(list, func(a, b option) int { return cmp.Compare(a.path, b.path) })
	return list
}

// move is a step of the ladder, forward or on a way back that is offered.
type move struct {
	name string
	when func(c config.Config) bool
	to   func(t *rapid.T, s settings, c config.Config) settings
}

// GoString is how rapid names it.
func (m move) GoString() string { return m.name }

func set(pairs ...any) func(*rapid.T, settings, config.Config) settings {
	return func(_ *rapid.T, s settings, _ config.Config) settings { return s.sets(pairs...) }
}

// phaseIs is a stack at the phase and not on its way elsewhere.
func phaseIs(n int) func(config.Config) bool {
	return func(c config.Config) bool { return c.Phase == n && c.Migration.From == 0 }
}

// moving is a stack between the server and AWS, at a step.
func moving(step func(m config.Migration) bool) func(config.Config) bool {
	return func(c config.Config) bool { return c.Moving() && step(c.Migration) }
}

const supabaseCA = `-----BEGIN CERTIFICATE-----
MIIB1zCCAX2gAwIBAgIUbBhjGgM+g4OcabRA7oh3alIc7LUwCgYIKoZIzj0EAwIw
QTE/MD0GA1UEAww2cmVwbGFjZS1tZSB3aXRoIHRoZSBhdXRob3JpdHkgb2YgeW91
ciBTdXBhYmFzZSBwcm9qZWN0MB4XDTI2MTEyMjAxMTkzMloXDTM2MTExOTAxMTkz
MlowQTE/MD0GA1UEAww2cmVwbGFjZS1tZSB3aXRoIHRoZSBhdXRob3JpdHkgb2Yg
eW91ciBTdXBhYmFzZSBwcm9qZWN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
Snrl9YXnM00I2lop198E/XoVwKCIYrZopFHMhmHDkKb7QR6j8ICpAo3cdds61MNj
QuC6PNw+UuP9em+gUmk+1aNTMFEwHQYDVR0OBBYEFJ2B2lYFGzrt6oQnz8r9/1k3
t/2aMB8GA1UdIwQYMBaAFJ2B2lYFGzrt6oQnz8r9/1k3t/2aMA8GA1UdEwEB/wQF
MAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgSahQ5jcBZJ2tx9i7Pb0h/f+03JXVRqx2
aOg6CIRJ4k0CIQDLXEdrubnKdUV6HSwSCt1Q2f6cq2E8KU21ze0q/6+Ruw==
-----END CERTIFICATE-----
`

// databaseOf are the settings of a provider of the database, before the services use it.
func databaseOf(provider string) settings {
	out := settings{"provider": provider}
	switch provider {
	case "supabase":
		out["external"] = settings{"host": "aws-0-eu-central-1.pooler.supabase.com", "role": "postgres.abcdefghijklmnopqrst",
			"password": secret, "caCertificate": supabaseCA}
	case "neon":
		out["external"] = settings{"host": "ep-cool-name-123456.eu-central-1.aws.neon.tech", "role": "neondb_owner", "password": secret}
	}
	return out
}

// databases are the ways that phase 2 can have its database.
var databases = []string{"container", "hetzner", "supabase", "neon"}

// roomFor2 is a server that carries phase 2.
func roomFor2(s settings, c config.Config) settings {
	t := config.ServerTypes[c.Server.Type]
	if t.CPUs >= 8 {
		return s
	}
	larger := map[string]string{"x86": "ccx43", "arm": "cax41"}[t.Arch]
	if t.Arch == "x86" && contains(config.ServerTypes["cpx42"].Locations, c.Server.Location) {
		larger = "cpx42"
	}
	return s.with("server.type", larger)
}

// growTo2 adds phase 2's parts; what is there of a server for the database stays what it is.
func growTo2(t *rapid.T, s settings, c config.Config) settings {
	s = roomFor2(s, c).with("phase", 2)
	if c.Database.Provider == "container" {
		s = s.with("database", databaseOf(rapid.SampledFrom(databases).Draw(t, "database")))
	}
	return s
}

// backTo1 leaves phase 2: the servers that hold data stay, unused.
func backTo1(_ *rapid.T, s settings, c config.Config) settings {
	return s.sets("phase", 1, "backend.replicas", nil, "redis.sentinel", nil, "database.provider", c.Database.Provider)
}

// beside brings AWS up beside the server.
func beside(t *rapid.T, s settings, c config.Config) settings {
	engine := settings{"engine": "aurora"}
	if rapid.IntRange(0, 3).Draw(t, "engine") == 0 {
		engine = settings{"engine": "rds"}
	}
	return s.sets("phase", 3, "migration", settings{"from": c.Phase}, "dns.ttlSeconds", nil, "dns.proxied", nil,
		"migration.trial", rapid.SampledFrom([]any{nil, true}).Draw(t, "trial"),
		"aws", settings{"nat": rapid.SampledFrom([]any{"instance", "single"}).Draw(t, "nat"), "database": engine}, "alarms.emails", []any{"ops@morphee.app"})
}

// retire confirms everything.
func retire(_ *rapid.T, s settings, c config.Config) settings {
	var confirm []any
	for _, thing := range c.ServerThings() {
		confirm = append(confirm, thing.Name)
	}
	return s.with("migration.retire", settings{"state": "retiring", "backupVerified": "2026-11-20", "confirm": confirm})
}

// broughtIn lets the other platform's data count, as of a copy that was made after the last one.
func broughtIn(writes string) func(*rapid.T, settings, config.Config) settings {
	return func(_ *rapid.T, s settings, c config.Config) settings {
		last, err := time.Parse(stampFormat, c.Migration.Copy)
		if err != nil {
			last = time.Date(2026, 11, 6, 2, 15, 0, 0, time.UTC)
		}
		return s.sets("migration.writes", writes, "migration.copy", last.Add(time.Hour).Format(stampFormat), "migration.awsWeight", nil)
	}
}

const stampFormat = "20060102T150405Z"

// regions are those that a stack in eu-west-1 may add, in their order.
var regions = []string{"us-east-1", "us-west-2", "ap-southeast-1"}

// growTo4 adds a region, or one more. The first one gets its copy of the files by EFS or by DataSync.
func growTo4(t *rapid.T, s settings, c config.Config) settings {
	n := len(c.AWS.Regions)
	if n == 0 {
		s = s.with("aws.fileReplication", rapid.SampledFrom([]any{nil, nil, config.FileReplicationDataSync}).Draw(t, "files"))
	}
	below, _ := s["aws"].(settings)
	list, _ := below["regions"].([]any)
	return s.sets("phase", 4, "aws.regions", append(slices.Clone(list), settings{"name": regions[n], "index": n + 1, "nat": "instance", "backendTasks": 1}))
}

// lastRegion changes the state of the region that was added last.
func lastRegion(state string) func(*rapid.T, settings, config.Config) settings {
	return func(_ *rapid.T, s settings, _ config.Config) settings {
		list := slices.Clone(s["aws"].(settings)["regions"].([]any))
		list[len(list)-1] = list[len(list)-1].(settings).with("state", state)
		return s.with("aws.regions", list)
	}
}

func lastRegionIs(c config.Config, state string) bool {
	n := len(c.AWS.Regions)
	return c.Phase == 4 && n > 1 && c.AWS.Regions[n-1].State == state
}

func onServerData(m config.Migration) bool { return m.Writes == config.WritesServer }

// moves are the whole ladder.
func moves() []move {
	return []move{
		{"phase 0 to 1", phaseIs(0), set("phase", 1)},
		{"phase 1 to 2", phaseIs(1), growTo2},
		{"phase 2 to 1", func(c config.Config) bool {
			return phaseIs(2)(c) && !c.Database.Cutover && !c.Forgejo.Server.Cutover && c.Database.KeepContainer
		}, backTo1},
		{"database cutover", func(c config.Config) bool {
			return phaseIs(2)(c) && c.Database.Provider != "container" && !c.Database.Cutover
		}, set("database.cutover", true)},
		{"database back", func(c config.Config) bool {
			return phaseIs(2)(c) && c.Database.Cutover && c.Database.KeepContainer && !c.Forgejo.Server.Cutover
		}, set("database.cutover", nil)},
		{"a server for Forgejo", func(c config.Config) bool {
			return (phaseIs(1)(c) || phaseIs(2)(c)) && !c.Forgejo.Server.Enabled
		}, set("forgejo.server.enabled", true)},
		{"Forgejo cutover", func(c config.Config) bool {
			return phaseIs(2)(c) && c.Forgejo.Server.Enabled && !c.Forgejo.Server.Cutover && c.Database.Cutover
		}, set("forgejo.server.cutover", true)},
		{"Forgejo back", func(c config.Config) bool { return phaseIs(2)(c) && c.Forgejo.Server.Cutover }, set("forgejo.server.cutover", nil)},
		{"AWS beside", func(c config.Config) bool {
			return (phaseIs(1)(c) || phaseIs(2)(c)) && c.Forgejo.SSHPort == 0 && c.DNS.Manage && config.ServerTypes[c.Server.Type].CPUs >= 8
		}, beside},
		{"names weighted", moving(func(m config.Migration) bool { return !m.Weighted() }), set("migration.names", "weighted", "migration.trial", nil)},
		{"names back", moving(func(m config.Migration) bool { return m.Weighted() && m.AWSWeight == 0 && onServerData(m) }), set("migration.names", nil)},
		{"freeze the server", moving(func(m config.Migration) bool { return m.Weighted() && onServerData(m) }), set("migration.writes", config.WritesServerFrozen)},
		{"unfreeze the server", moving(func(m config.Migration) bool { return m.Writes == config.WritesServerFrozen }), set("migration.writes", config.WritesServer)},
		{"AWS writes", moving(func(m config.Migration) bool { return m.Writes == config.WritesServerFrozen }), broughtIn(config.WritesAWS)},
		{"half", moving(func(m config.Migration) bool { return m.Writes == config.WritesAWS && m.Weighted() && m.AWSWeight == 0 }), set("migration.awsWeight", 50)},
		{"all", moving(func(m config.Migration) bool { return m.AWSWeight == 50 }), set("migration.awsWeight", 100)},
		{"back to half", moving(func(m config.Migration) bool { return m.AWSWeight == 100 && m.Retire.State == "none" }), set("migration.awsWeight", 50)},
		{"back to none", moving(func(m config.Migration) bool { return m.AWSWeight == 50 }), set("migration.awsWeight", 0)},
		{"freeze AWS", moving(func(m config.Migration) bool { return m.Writes == config.WritesAWS && m.AWSWeight == 0 }), set("migration.writes", config.WritesAWSFrozen)},
		{"server writes again", moving(func(m config.Migration) bool { return m.Writes == config.WritesAWSFrozen }), broughtIn(config.WritesServer)},
		{"AWS writes again", moving(func(m config.Migration) bool { return m.Writes == config.WritesAWSFrozen }), set("migration.writes", config.WritesAWS)},
		{"retiring", moving(func(m config.Migration) bool { return m.AWSWeight == 100 && m.Retire.State == "none" }), retire},
		{"not retiring", moving(func(m config.Migration) bool { return m.Retire.State == "retiring" }), set("migration.retire", nil)},
		{"retired", moving(func(m config.Migration) bool { return m.Retire.State == "retiring" }), set("migration.retire.state", "retired")},
		{"the move is over", func(c config.Config) bool { return c.Migration.From > 0 && c.Migration.Retire.State == "retired" },
			set("migration", nil, "backend.replicas", nil, "redis.sentinel", nil)},
		{"phase 3 to 4", func(c config.Config) bool { return phaseIs(3)(c) && isAurora(c) && c.AWS.NAT != "none" }, growTo4},
		{"a third region", func(c config.Config) bool { return c.Phase == 4 && len(c.AWS.Regions) == 1 }, growTo4},
		{"region retiring", func(c config.Config) bool { return lastRegionIs(c, "active") }, lastRegion("retiring")},
		{"region active again", func(c config.Config) bool { return lastRegionIs(c, "retiring") }, lastRegion("active")},
		{"region retired", func(c config.Config) bool { return lastRegionIs(c, "retiring") }, lastRegion("retired")},
	}
}

// losing are changes that would take away what nobody can make again. They are refused.
func losing() []move {
	return []move{
		{"smaller volume", onServer, set("server.volumeSizeGiB", 10)},
		{"another location", func(c config.Config) bool { return c.UsesServer() && c.Server.Location != "fsn1" },
			set("server.location", "fsn1", "server.fallbackLocations", nil)},
		{"no IPv6", func(c config.Config) bool { return c.UsesServer() && c.Server.IPv6 }, set("server.ipv6", false)},
		{"another bucket", backedUp, set("backups.bucket", "another-bucket")},
		{"phase 1 to 0", phaseIs(1), set("phase", 0)},
		{"no database server", func(c config.Config) bool {
			return c.Phase <= 2 && c.UsesServer() && c.Database.Provider == "hetzner" && !c.Database.Cutover
		}, set("database", databaseOf("container"))},
		{"another region", onAWS, set("aws.region", "eu-central-1")},
		{"another place in the plan", onAWS, set("aws.regionIndex", 9)},
		{"another name of the database", onAWS, set("aws.database.name", "product")},
		{"the files by EFS again", func(c config.Config) bool { return c.Phase == 4 && c.AWS.DataSync() }, set("aws.fileReplication", nil, "aws.fileSyncHours", nil)},
		{"AWS writes without a freeze", moving(onServerData), func(t *rapid.T, s settings, c config.Config) settings {
			return broughtIn(config.WritesAWS)(t, s, c).with("migration.trial", nil)
		}},
		{"the server writes without a freeze", moving(func(m config.Migration) bool { return m.Writes == config.WritesAWS && m.Retire.State == "none" }), broughtIn(config.WritesServer)},
		{"AWS writes without a copy", moving(func(m config.Migration) bool { return m.Writes == config.WritesServerFrozen && m.Copy != "" }), set("migration.writes", config.WritesAWS)},
		{"the server writes without a copy", moving(func(m config.Migration) bool { return m.Writes == config.WritesAWSFrozen }), set("migration.writes", config.WritesServer, "migration.awsWeight", nil)},
	}
}

// invalid are values that the configuration refuses.
func invalid() []move {
	return []move{
		{"no such phase", always, set("phase", 7)},
		{"no such key", always, set("backend.prot", 8000)},
		{"no owner", always, set("owner", nil)},
		{"an image that moves", always, set("images.backend", "ghcr.io/morphee-app/backend:latest")},
		{"no such server type", onServer, set("server.type", nonsense)},
		{"limits beyond the server", onServer, set("limits.backend", settings{"memoryMiB": 190000, "cpus": 1})},
		{"nobody may sign in", onServer, set("ssh.authorizedKeys", nil)},
		{"a secret among the settings", always, set("backend.environment", settings{"API_TOKEN": "x"})},
		{"more zones than there are", onAWS, set("aws.zones", 6, "aws.region", "eu-west-1")},
		{"no such engine", onAWS, set("aws.database.engine", "mysql")},
		{"AWS's data without a copy", moving(func(m config.Migration) bool { return m.OnAWS() && m.Retire.State != "retired" }), set("migration.copy", nil)},
		{"a trial with weighted names", moving(config.Migration.Weighted), set("migration.trial", true)},
		{"weight without weighted names", onServer, set("migration.awsWeight", 30, "migration.names", nil)},
	}
}
