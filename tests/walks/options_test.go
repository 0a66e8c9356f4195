package walks

import (
	"fmt"

	"pgregory.net/rapid"

	"github.com/morphee-app/morphee-infra/internal/config"
)

// option is a key that a walk may change on a living stack.
type option struct {
	path string
	when func(c config.Config) bool
	// draw makes another value; nil takes the key away.
	draw func(t *rapid.T, c config.Config) any
}

// GoString is how rapid names it.
func (o option) GoString() string { return o.path }

func always(config.Config) bool     { return true }
func onServer(c config.Config) bool { return c.UsesServer() }
func onAWS(c config.Config) bool    { return c.UsesAWS() }
func forgejo(c config.Config) bool  { return c.Forgejo.Enabled }
func managed(c config.Config) bool  { return c.ServerPhase() == 2 }
func hetzner(c config.Config) bool {
	return c.UsesServer() && c.Database.Provider == "hetzner"
}
func gitServer(c config.Config) bool { return c.UsesServer() && c.Forgejo.Server.Enabled }
func isRDS(c config.Config) bool     { return c.UsesAWS() && c.AWS.Database.Engine == "rds" }
func isAurora(c config.Config) bool {
	return c.UsesAWS() && c.AWS.Database.Engine == "aurora"
}

// one is an option with some values to choose from.
func one(path string, when func(config.Config) bool, values ...any) option {
	return option{path, when, func(t *rapid.T, _ config.Config) any { return rapid.SampledFrom(values).Draw(t, path) }}
}

// between is an option with a range of numbers, in steps.
func between(path string, when func(config.Config) bool, low, high, step int) option {
	return option{path, when, func(t *rapid.T, _ config.Config) any {
		return low + step*rapid.IntRange(0, (high-low)/step).Draw(t, path)
	}}
}

// grows is an option whose number only grows.
func grows(path string, when func(config.Config) bool, now func(config.Config) int, most, step int) option {
	room := func(c config.Config) bool { return when(c) && now(c)+step <= most }
	return option{path, room, func(t *rapid.T, c config.Config) any {
		return now(c) + step*rapid.IntRange(1, max(1, min(4, (most-now(c))/step))).Draw(t, path)
	}}
}

// some is an option whose value is a list of some of the values, in their order.
func some(path string, when func(config.Config) bool, least int, values ...any) option {
	return option{path, when, func(t *rapid.T, _ config.Config) any {
		n := rapid.IntRange(least, len(values)).Draw(t, path)
		if n == 0 {
			return nil
		}
		first := rapid.IntRange(0, len(values)-n).Draw(t, path+" from")
		return values[first : first+n]
	}}
}

const (
	sshKey   = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIANfzphc7/dQ3yuBHWiMqTm6OVY58aY1VlPVooYxjIS/ "
	otherKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBfzphc7/dQ3yuBHWiMqTm6OVY58aY1VlPVooYxjISAA "
	sealed   = "v1:cGxhY2Vob2xkZXI=:cGxhY2Vob2xkZXI=" // opened by a stand-in
	nonsense = "no-such-thing"
)

var secret = settings{"secure": sealed}

// commonOptions are those of every phase.
func commonOptions() []option {
	return []option{
		one("owner", always, "platform", "product", "ops-team"),
		one("tags", always, nil, settings{"cost-centre": "4200"}, settings{"cost-centre": "4711", "tier": "a"}),
		one("images.backend", always, "ghcr.io/morphee-app/backend:1.0.1", "ghcr.io/morphee-app/backend:1.1.0", nil),
		one("images.frontend", onServer, "ghcr.io/morphee-app/frontend:1.0.1", nil),
		one("images.redis", onServer, "redis:7.4.8-alpine", nil),
		one("images.postgres", onServer, "postgres:15.15-bookworm", nil),
		one("images.gotrue", always, "supabase/gotrue:v2.187.0", nil),
		one("images.forgejo", forgejo, "codeberg.org/forgejo/forgejo:13.0.4-rootless", nil),
		one("images.traefik", onServer, "traefik:v3.6.8", nil),
		one("images.backup", always, "ghcr.io/morphee-app/backup:1.0.1", nil),
		one("backend.port", always, 8000, 8080, 9000),
		one("backend.healthPath", always, "/health", "/healthz", nil),
		one("backend.environment", always, nil, settings{"LOG_LEVEL": "info"}, settings{"LOG_LEVEL": "debug", "FEATURE_A": "on"}),
		one("backend.secrets", always, nil, settings{"API_SIGNING": secret}, settings{"API_SIGNING": secret, "WEBHOOK": secret}),
		one("auth.signupEnabled", always, true, false),
		between("auth.tokenLifetimeSeconds", always, 300, 86400, 300),
		one("auth.smtp", func(c config.Config) bool { return c.AWS.NAT != "none" }, nil,
			settings{"host": "smtp.example.com", "username": "morphee", "password": secret}),
		one("registry", always, nil, settings{"host": "ghcr.io", "username": "morphee-deploy", "password": secret}),
		one("forgejo.adminEmail", forgejo, "git@morphee.app", nil),
		between("forgejo.maxUploadMiB", forgejo, 10, 500, 10),
		between("forgejo.gitTimeoutSeconds", forgejo, 60, 3600, 60),
		one("forgejo.sshPort", forgejo, 0, 222, 2222),
		one("backups.schedule", backedUp, "01:15", "03:15", "15 2 * * *"),
		between("backups.retention.postgresDays", backedUp, 30, 120, 10),
		between("backups.retention.gitDays", backedUp, 14, 60, 2),
		between("backups.retention.filesDays", backedUp, 14, 60, 2),
		between("backups.retention.localDays", backedUp, 7, 30, 1),
		one("backups.alertWebhook", backedUp, nil, secret),
		one("dns.ttlSeconds", func(c config.Config) bool { return !c.Moving() }, 60, 300, 3600),
		one("dns.proxied", func(c config.Config) bool { return c.Phase <= 2 }, true, false),
		some("alarms.emails", always, 1, "ops@morphee.app", "oncall@morphee.app", "dev@morphee.app"),
		between("alarms.cpuPercent", always, 50, 95, 5),
		between("alarms.diskPercent", always, 50, 95, 5),
		between("budget.monthlyUsd", always, 50, 2000, 50),
	}
}

func backedUp(c config.Config) bool { return c.Backups.Enabled }

// serverOptions are those of the server.
func serverOptions() []option {
	list := []option{
		{"server.type", onServer, largerServer},
		grows("server.volumeSizeGiB", onServer, func(c config.Config) int { return c.Server.VolumeSizeGiB }, 1000, 10),
		between("server.reservedMemoryMiB", onServer, 512, 1536, 256),
		between("server.swapMiB", onServer, 0, 4096, 1024),
		one("server.timezone", onServer, "Etc/UTC", "Europe/Paris"),
		one("server.dockerVersion", onServer, "28.5.2", "29.0.1"),
		one("server.rebootTime", onServer, "04:30", "05:45"),
		one("server.backups", onServer, true, false),
		one("server.image", onServer, "ubuntu-24.04", "debian-12"),
		some("ssh.authorizedKeys", onServer, 1, sshKey+"ops@morphee.app", otherKey+"dev@morphee.app"),
		some("ssh.allowedSources", onServer, 1, "198.51.100.0/24", "203.0.113.7/32", "2001:db8::/32"),
		one("ssh.user", onServer, "morphee", "deployer"),
		between("ssh.readyTimeoutSeconds", onServer, 300, 1200, 300),
		one("coolify.version", func(c config.Config) bool { return c.ReverseProxy == "coolify" }, "4.0.0-beta.464", "4.0.0-beta.470"),
		between("backend.replicas", managed, 1, 3, 1),
		one("redis.sentinel", managed, true, false),
		{"database.hetzner.serverType", hetzner, func(t *rapid.T, c config.Config) any {
			return largerThan(t, c.Database.Hetzner.ServerType, c.Server.Location)
		}},
		grows("database.hetzner.volumeSizeGiB", hetzner, func(c config.Config) int { return c.Database.Hetzner.VolumeSizeGiB }, 1000, 10),
		between("database.hetzner.maxConnections", hetzner, 50, 300, 50),
		one("database.hetzner.pooler", hetzner, true, false),
		between("database.hetzner.archiveTimeoutSeconds", hetzner, 30, 300, 30),
		between("database.hetzner.retentionDays", hetzner, 30, 60, 10),
		{"forgejo.server.serverType", gitServer, func(t *rapid.T, c config.Config) any {
			return largerThan(t, c.Forgejo.Server.ServerType, c.Server.Location)
		}},
		grows("forgejo.server.volumeSizeGiB", gitServer, func(c config.Config) int { return c.Forgejo.Server.VolumeSizeGiB }, 1000, 10),
	}
	for service, memory := range map[string][]any{
		"backend": {1024, 1536, 2048}, "frontend": {64, 128, 256}, "gotrue": {192, 256, 384}, "redis": {320, 384, 512}, "postgres": {1024, 1536, 2048},
	} {
		list = append(list, option{"limits." + service, onServer, func(t *rapid.T, _ config.Config) any {
			return settings{"memoryMiB": rapid.SampledFrom(memory).Draw(t, service), "cpus": 0.25}
		}})
	}
	return sortedOptions(list)
}

// awsOptions are those of AWS.
func awsOptions() []option {
	return []option{
		grows("aws.zones", func(c config.Config) bool { return onAWS(c) && c.AWS.Zones < len(config.ZonesOf(c.AWS.Region)) },
			func(c config.Config) int { return c.AWS.Zones }, 6, 1),
		one("aws.nat", onAWS, "instance", "single", "per-zone"),
		some("aws.interfaceEndpoints", onAWS, 0, "ecr.api", "ecr.dkr", "kms", "logs", "secretsmanager", "ssm"),
		one("aws.flowLogRetentionDays", onAWS, 14, 30, 60),
		one("aws.logRetentionDays", onAWS, 14, 30, 90),
		one("aws.loadBalancer", onAWS, nil, settings{"idleTimeoutSeconds": 1200, "drainSeconds": 30}),
		one("aws.database.instanceClass", isRDS, "db.t4g.small", "db.t4g.medium", "db.r7g.large"),
		one("aws.database.multiAz", isRDS, true, false),
		grows("aws.database.storageGiB", isRDS, func(c config.Config) int { return c.AWS.Database.StorageGiB }, 80, 10),
		between("aws.database.maxStorageGiB", isRDS, 100, 1000, 100),
		between("aws.database.maxAcu", isAurora, 4, 32, 4),
		between("aws.database.readers", isAurora, 0, 2, 1),
		between("aws.database.backupRetentionDays", onAWS, 30, 35, 1),
		one("aws.database.applyImmediately", onAWS, true, false),
		one("aws.backend", onAWS, nil, settings{"tasks": 3}, settings{"tasks": 2, "cpuUnits": 1024, "memoryMiB": 2048},
			settings{"tasks": 2, "autoscaling": settings{"enabled": true, "maxTasks": 8}}, settings{"tasks": 2, "spotWeight": 50}),
		one("aws.gotrue", onAWS, nil, settings{"tasks": 2}, settings{"tasks": 1, "cpuUnits": 512, "memoryMiB": 1024},
			settings{"autoscaling": settings{"enabled": true, "maxTasks": 4}}),
		one("aws.fileSyncHours", func(c config.Config) bool { return c.UsesAWS() && c.AWS.DataSync() }, nil, 2, 24),
		one("aws.forgejo", onAWS, nil, settings{"cpuUnits": 1024, "memoryMiB": 2048}, settings{"sshLoadBalancer": true}),
		one("aws.fileSystem", onAWS, nil, settings{"infrequentAfterDays": 7, "archiveAfterDays": 180}),
		one("aws.cache.nodeType", onAWS, "cache.t4g.micro", "cache.t4g.small"),
		between("aws.cache.replicas", onAWS, 0, 2, 1),
		one("aws.cdn", onAWS, nil, settings{"priceClass": "PriceClass_200", "versionRetentionDays": 60}),
		one("aws.registry", onAWS, nil, settings{"keepImages": 10}, settings{"pullThrough": []any{"public.ecr.aws"}}),
		between("aws.backups.databaseDays", onAWS, 30, 90, 10),
		one("github", onAWS, nil, settings{"repository": "morphee-app/morphee-infra"}),
	}
}

// largerServer draws a server type that the server can grow into.
func largerServer(t *rapid.T, c config.Config) any {
	return largerThan(t, c.Server.Type, c.Server.Location)
}

// largerThan draws a type that is sold, of the same architecture, with a disk that is not smaller.
func largerThan(t *rapid.T, now, location string) any {
	var fit []any
	have := config.ServerTypes[now]
	for _, name := range sortedKeys(config.ServerTypes) {
		s := config.ServerTypes[name]
		if !contains(config.OutOfSale, name) && s.Arch == have.Arch && s.DiskGB >= have.DiskGB && s.MemoryMiB >= have.MemoryMiB && contains(s.Locations, location) {
			fit = append(fit, name)
		}
	}
	return rapid.SampledFrom(fit).Draw(t, fmt.Sprintf("larger than %s", now))
}
