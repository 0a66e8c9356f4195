package config_test

import (
	"errors"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/morphee-app/morphee-infra/internal/config"
)

const goodKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA a@b"

// base is a valid configuration that the cases change.
func base(phase int) map[string]any {
	tree := map[string]any{
		"phase": phase, "owner": "platform", "acmeEmail": "ops@morphee.app",
		"cloudflareAccountId": "0123456789abcdef0123456789abcdef",
		"ssh":                 map[string]any{"authorizedKeys": []any{goodKey}, "allowedSources": []any{"198.51.100.0/24"}},
		"alarms":              map[string]any{"emails": []any{"ops@morphee.app"}},
	}
	if phase == 2 {
		// Two backends and a Redis more are too much for the default's memory.
		tree["server"] = map[string]any{"type": "cpx42"}
	}
	if phase == 4 {
		tree["aws"] = map[string]any{"database": map[string]any{"engine": "aurora"}, "regions": []any{map[string]any{"name": "us-east-1", "index": 1}}}
	}
	return tree
}

// with lays a YAML text over a tree; a null takes a key away.
func with(t *testing.T, tree map[string]any, text string) map[string]any {
	t.Helper()
	var over map[string]any
	if err := yaml.Unmarshal([]byte(text), &over); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	merge(tree, over)
	return tree
}

func merge(tree, over map[string]any) {
	for k, v := range over {
		inner, ok := tree[k].(map[string]any)
		outer, both := v.(map[string]any)
		if ok && both {
			merge(inner, outer)
			continue
		}
		tree[k] = v
	}
}

// problems parses and returns what is wrong.
func problems(t *testing.T, tree map[string]any) config.Errors {
	t.Helper()
	_, err := config.Parse(tree)
	if err == nil {
		return nil
	}
	var errs config.Errors
	if !errors.As(err, &errs) {
		t.Fatalf("not an Errors: %v", err)
	}
	return errs
}

func TestBaseIsValid(t *testing.T) {
	for phase := range 5 {
		if errs := problems(t, base(phase)); errs != nil {
			t.Errorf("phase %d: %v", phase, errs)
		}
	}
}

// Each row is a mistake, the key it is reported under, and words that the report must hold.
var mistakes = []struct {
	phase    int
	yaml     string
	key      string
	contains []string
}{
	// Single values.
	{1, `phase: 5`, "phase", []string{"5 is too large", "0 to 4"}},
	{1, `phase: -1`, "phase", []string{"too small"}},
	{1, `phase: 1.5`, "phase", []string{"1.5 is a fraction where a whole number belongs"}},
	{1, `phase: one`, "phase", []string{`"one" is a text where a whole number belongs`}},
	{1, `phase: null`, "phase", []string{"is missing"}},
	{1, `owner: null`, "owner", []string{"is missing"}},
	{1, `owner: two words`, "owner", []string{"is not a tag's value"}},
	{1, `owner: 7`, "owner", []string{"a number where a text belongs", "quotes"}},
	{1, `disposable: perhaps`, "disposable", []string{"true or false"}},
	{1, `domain: morphee`, "domain", []string{"is not a host name"}},
	{1, `domain: ''`, "domain", []string{"is empty"}},
	{1, `acmeEmail: ops`, "acmeEmail", []string{`"ops" is not a mail address`}},
	{1, `acmeEmail: Ops <ops@morphee.app>`, "acmeEmail", []string{"is not a mail address"}},
	{0, `acmeEmail: null`, "acmeEmail", []string{"is missing"}},
	{1, `reverseProxy: treafik`, "reverseProxy", []string{"traefik, coolify", `did you mean "traefik"?`}},
	{1, `cloudflareAccountId: abc`, "cloudflareAccountId", []string{"32 hexadecimal digits"}},
	{1, `cloudflareAccountId: null`, "cloudflareAccountId", []string{"is missing"}},
	{1, `tags: [a]`, "tags", []string{"holds a list"}},
	{1, `tags: {Owner: x}`, "tags.Owner", []string{"the project sets itself"}},
	{1, `tags: {'aws:x': x}`, "tags.aws:x", []string{"not a valid tag name"}},
	{1, `tags: {team: 'a b'}`, "tags.team", []string{`"a b" is not a tag's value`}},
	{1, `tags: {team: 4}`, "tags.team", []string{"quotes"}},

	// Unknown keys.
	{1, `ownr: x`, "ownr", []string{"is not a known key", `did you mean "owner"?`}},
	{1, `server: {typ: cpx31}`, "server.typ", []string{`did you mean "type"?`}},
	{1, `aws: {database: {engin: rds}}`, "aws.database.engin", []string{`did you mean "engine"?`}},
	{1, `hosts: {qwertyuiop: x}`, "hosts.qwertyuiop", []string{"is not a known key"}},
	{1, `server: cpx31`, "server", []string{"holds a text where several keys belong", "type, image"}},

	// Names.
	{1, `hosts: {api: Api.morphee.app}`, "hosts.api", []string{"is not a host name"}},
	{1, `hosts: {git: app.morphee.app}`, "hosts.git", []string{"is the name of hosts.app too"}},
	{1, `hosts: {git: git.example.com}`, "hosts.git", []string{"is outside the zone"}},
	{1, `dns: {zoneId: xyz}`, "dns.zoneId", []string{"Cloudflare id"}},
	{1, `{dns: {proxied: true}, forgejo: {sshPort: 222}}`, "dns.proxied", []string{"git over SSH"}},
	{1, `aws: {subZone: aws.example.com}`, "aws.subZone", []string{"is not below the zone"}},

	// The server.
	{1, `server: {type: cpx3l}`, "server.type", []string{"is not a Hetzner server type", `did you mean "cpx31"?`}},
	{1, `server: {type: cx44}`, "server.type", []string{`did you mean "cx43"?`, "cx43, cx53; for a server that has it already also cx22, cx32, cx42, cx52"}},
	{1, `server: {location: nbg2}`, "server.location", []string{`did you mean "nbg1"?`}},
	{1, `server: {type: cax31, location: ash}`, "server.location", []string{`does not offer "cax31"`, "fsn1, hel1, nbg1"}},
	{1, `server: {fallbackLocations: [fsn1, nbg1]}`, "server.fallbackLocations[1]", []string{"is server.location itself"}},
	{1, `server: {fallbackLocations: [fsn1, fsn1]}`, "server.fallbackLocations[1]", []string{"twice"}},
	{1, `server: {fallbackLocations: fsn1}`, "server.fallbackLocations", []string{"a text where a list belongs"}},
	{1, `server: {type: cx32, fallbackLocations: [ash]}`, "server.fallbackLocations[0]", []string{`does not offer "cx32"`}},
	{1, `server: {volumeSizeGiB: 5}`, "server.volumeSizeGiB", []string{"5 is too small", "10 to 10240 GiB"}},
	{1, `server: {swapMiB: 99999}`, "server.swapMiB", []string{"too large"}},
	{1, `server: {timezone: Paris}`, "server.timezone", []string{"is not a time zone"}},
	{1, `server: {networkCidr: 10.10.0.1/16}`, "server.networkCidr", []string{"private address range"}},
	{1, `server: {networkCidr: 8.8.0.0/16}`, "server.networkCidr", []string{"private address range"}},
	{1, `server: {networkCidr: 192.168.0.0/16, subnetCidr: 192.168.1.0/24}`, "server.networkCidr", []string{"Docker takes for its networks"}},
	{1, `server: {subnetCidr: 10.11.0.0/24}`, "server.subnetCidr", []string{"outside the network"}},
	{1, `server: {networkCidr: 10.64.0.0/16, subnetCidr: 10.64.1.0/24}`, "server.networkCidr", []string{"the AWS regions"}},
	{1, `limits: {redis: {pids: 64}}`, "limits.redis.pids", []string{"64 is too small", "256 or more", "one user id"}},
	{1, `limits: {postgres: {pids: 128}}`, "limits.postgres.pids", []string{"256 or more"}},
	{1, `limits: {postgres: {memoryMiB: 256}}`, "limits.postgres.memoryMiB", []string{"512 MiB or more"}},
	{1, `ssh: {allowedSources: [128.0.0.0/2]}`, "ssh.allowedSources[0]", []string{"or nearly"}},
	{1, `images: {forgejo: 'codeberg.org/forgejo/forgejo:13.0.3'}`, "images.forgejo", []string{"rootless"}},
	{0, `cloudflareAccountId: null`, "cloudflareAccountId", []string{"the zone is looked up", "dns.zoneId"}},
	{3, `dns: {manage: false}`, "dns.manage", []string{"certificates"}},
	{3, `aws: {forgejo: {sshAllowedSources: ['::/0']}}`, "aws.forgejo.sshAllowedSources[0]", []string{"IPv4"}},
	{3, `aws: {regionIndex: 64}`, "aws.regionIndex", []string{"0 to 63"}},
	{3, `aws: {registry: {pullThrough: [docker.io]}}`, "aws.registry.pullThrough[0]", []string{"public.ecr.aws, quay.io"}},
	{1, `server: {rebootTime: '25:00'}`, "server.rebootTime", []string{"HH:MM"}},
	{1, `server: {rebootTime: '03:45'}`, "server.rebootTime", []string{"in the hour that the backup needs"}},
	{1, `server: {dockerVersion: latest}`, "server.dockerVersion", []string{"is not a version"}},
	{1, `{server: {dockerVersion: 29.0.1}, images: {traefik: 'traefik:v3.5.0'}}`, "images.traefik", []string{"cannot talk to Docker 29"}},
	{1, `server: {type: cax11, volumeSizeGiB: 40}
limits: {backend: {cpus: 0.05}, postgres: {cpus: 0.2}}`, "limits", []string{"MiB of memory", "3072 MiB"}},
	{1, `limits: {backend: {memoryMiB: 4096}}`, "limits", []string{"add up to 8000 MiB of memory", "7168 MiB"}},
	{1, `limits: {backend: {cpus: 2}}`, "limits", []string{"add up to 4.65 CPUs", "4 CPUs"}},
	{1, `limits: {redis: {memoryMiB: 200}}`, "alarms.redisMemoryMB", []string{"is never reached"}},
	{1, `limits: {forgejo: {memoryMiB: 512M}}`, "limits.forgejo.memoryMiB", []string{"where a whole number belongs"}},

	// SSH.
	{1, `ssh: {allowedSources: null}`, "ssh.allowedSources", []string{"is missing"}},
	{1, `ssh: {authorizedKeys: []}`, "ssh.authorizedKeys", []string{"is missing"}},
	{1, `ssh: {authorizedKeys: ["` + goodKey + `", "` + goodKey + `-again"]}`, "ssh.authorizedKeys[1]", []string{"is the same key as ssh.authorizedKeys[0]"}},
	{1, `ssh: {authorizedKeys: [ssh-ed25519 AAAA]}`, "ssh.authorizedKeys[0]", []string{"is not an SSH public key"}},
	{1, `ssh: {allowedSources: [0.0.0.0/0]}`, "ssh.allowedSources[0]", []string{"the whole internet", "allowAnySource"}},
	{1, `ssh: {allowedSources: ['::/0']}`, "ssh.allowedSources[0]", []string{"the whole internet"}},
	{1, `ssh: {allowedSources: [198.51.100.7]}`, "ssh.allowedSources[0]", []string{"is not an address range"}},
	{1, `ssh: {allowedSources: [null]}`, "ssh.allowedSources[0]", []string{"is empty"}},
	{1, `ssh: {user: root}`, "ssh.user", []string{"not root"}},
	{1, `ssh: {port: 443}`, "ssh.port", []string{"is the web's"}},
	{1, `ssh: {port: 70000}`, "ssh.port", []string{"too large"}},

	// Images.
	{1, `images: {redis: 'redis:latest'}`, "images.redis", []string{"is not a pinned image", "never latest"}},
	{1, `images: {backend: ghcr.io/morphee-app/backend}`, "images.backend", []string{"is not a pinned image"}},
	{1, `images: {frontend: 'ghcr.io/morphee-app/frontend:main'}`, "images.frontend", []string{"is not a pinned image"}},
	{1, `images: {postgres: 'postgres:16.4'}`, "images.postgres", []string{"is not PostgreSQL 15"}},
	{1, `images: {redis: 'redis:8.0.1'}`, "images.redis", []string{"is not Redis 7"}},
	{1, `images: {forgejo: ''}`, "images.forgejo", []string{"is empty"}},

	// Secrets and what is around them.
	{1, `registry: {host: ghcr.io, username: x}`, "registry.password", []string{"is missing", "--secret"}},
	{1, `auth: {smtp: {host: smtp.example.com, username: u, password: hunter22}}`, "auth.smtp.password", []string{"[secret] is a secret but stands unencrypted"}},
	{1, `backend: {secrets: {OPENAI: hunter22}}`, "backend.secrets.OPENAI", []string{"[secret] is a secret but stands unencrypted"}},
	{1, `backend: {environment: {DB_PASSWORD: x}}`, "backend.environment.DB_PASSWORD", []string{"looks like a secret"}},
	{1, `backend: {environment: {log-level: x}}`, "backend.environment.log-level", []string{"is not a valid name"}},
	{1, `backend: {healthPath: health}`, "backend.healthPath", []string{"a path that starts with /"}},
	{1, `auth: {tokenLifetimeSeconds: 60}`, "auth.tokenLifetimeSeconds", []string{"300 to 86400 s"}},

	// Forgejo and backups.
	{0, `forgejo: {enabled: true}`, "forgejo.enabled", []string{"does not go with phase 0"}},
	{1, `forgejo: {enabled: false}`, "forgejo.enabled", []string{"take the git server away"}},
	{1, `forgejo: {sshPort: 22}`, "forgejo.sshPort", []string{"is taken on the server"}},
	{1, `forgejo: {adminUser: admin}`, "forgejo.adminUser", []string{"reserved"}},
	{3, `images: {forgejo: 'codeberg.org/forgejo/forgejo:13'}`, "images.forgejo", []string{"rootless"}},
	{1, `forgejo: {database: postgres}`, "forgejo.database", []string{"is not a PostgreSQL name"}},
	{0, `backups: {enabled: true}`, "backups.enabled", []string{"does not go with phase 0"}},
	{1, `backups: {enabled: false}`, "backups.enabled", []string{"no copy"}},
	{1, `backups: {schedule: daily}`, "backups.schedule", []string{"is not a schedule", "03:15"}},
	{1, `backups: {schedule: '0 3 * * 1'}`, "backups.schedule", []string{"once every day"}},
	{1, `backups: {bucket: Morphee}`, "backups.bucket", []string{"is not a bucket name"}},
	{1, `backups: {retention: {postgresDays: 7}}`, "backups.retention.postgresDays", []string{"7 is shorter", "30 days or more"}},
	{1, `backups: {retention: {gitDays: 0}}`, "backups.retention.gitDays", []string{"too small"}},
	{1, `backups: {retention: {localDays: 3}}`, "backups.retention.localDays", []string{"7 days or more"}},
	{1, `backups: {locationHint: eu}`, "backups.locationHint", []string{"apac, eeur, enam"}},

	// AWS.
	{3, `aws: {region: eu-west-9}`, "aws.region", []string{"is not an AWS region", "did you mean"}},
	{3, `aws: {zones: 1}`, "aws.zones", []string{"too small", "2 to 6"}},
	{3, `aws: {zones: 4}`, "aws.zones", []string{`more than "eu-west-1" has`, "2 to 3"}},
	{3, `aws: {zoneNames: [eu-west-1a]}`, "aws.zoneNames", []string{"has 1 names"}},
	{3, `aws: {zoneNames: [eu-west-1a, us-east-1a]}`, "aws.zoneNames[1]", []string{`is not in "eu-west-1"`}},
	{3, `aws: {accountId: 12345}`, "aws.accountId", []string{"quotes"}},
	{3, `aws: {nat: gateway}`, "aws.nat", []string{"none, instance, single, per-zone"}},
	{3, `aws: {natInstanceType: t4g.micro}`, "aws.natInstanceType", []string{"has no effect"}},
	{3, `aws: {nat: none, interfaceEndpoints: [ecr.api, ecr.dkr, kms, logs, secretsmanager]}`, "aws.nat", []string{"no way to Cloudflare R2"}},
	{3, `{disposable: true, backups: {enabled: false}, aws: {nat: none, interfaceEndpoints: [ecr.api, ecr.dkr, kms, logs]}}`, "aws.interfaceEndpoints", []string{"secretsmanager is not in the list"}},
	{3, `aws: {interfaceEndpoints: [ecr.apl]}`, "aws.interfaceEndpoints[0]", []string{`did you mean "ecr.api"?`}},
	{3, `aws: {logRetentionDays: 31}`, "aws.logRetentionDays", []string{"CloudWatch Logs", "30, 60"}},
	{3, `aws: {database: {engine: aurora, multiAz: true}}`, "aws.database.multiAz", []string{"no effect with aws.database.engine: aurora"}},
	{3, `aws: {database: {readers: 2}}`, "aws.database.readers", []string{"only with engine: aurora"}},
	{3, `aws: {database: {engineVersion: '16.1'}}`, "aws.database.engineVersion", []string{"PostgreSQL 15"}},
	{3, `aws: {database: {engineVersion: 15.8}}`, "aws.database.engineVersion", []string{"quotes"}},
	{3, `aws: {database: {instanceClass: db.t3.small}}`, "aws.database.instanceClass", []string{`did you mean "db.t4g.small"?`}},
	{3, `aws: {database: {storageGiB: 100}}`, "aws.database.maxStorageGiB", []string{"no room to grow"}},
	{3, `aws: {database: {engine: aurora, minAcu: 8, maxAcu: 4}}`, "aws.database.maxAcu", []string{"less than minAcu"}},
	{3, `aws: {database: {engine: aurora, minAcu: 0.7}}`, "aws.database.minAcu", []string{"multiple of 0.5"}},
	{3, `aws: {database: {engine: aurora, minAcu: 0}}`, "aws.database.autoPauseSeconds", []string{"300 to 86400 s"}},
	{3, `aws: {database: {engine: aurora, autoPauseSeconds: 600}}`, "aws.database.autoPauseSeconds", []string{"while minAcu is above 0"}},
	{4, `aws: {database: {engine: aurora, minAcu: 0, autoPauseSeconds: 600}}`, "aws.database.minAcu", []string{"global database"}},
	{4, `aws: {database: {engine: rds}}`, "aws.database.engine", []string{"no global database", "move the data to Aurora in phase 3"}},
	{4, `aws: {regions: []}`, "aws.regions", []string{"at least one more"}},
	{4, `aws: {regions: us-east-1}`, "aws.regions", []string{"a list of maps with the keys name, index"}},
	{4, `aws: {regions: [us-east-1]}`, "aws.regions[0]", []string{"a text where several keys belong"}},
	{4, `aws: {regions: [{name: us-east-1}]}`, "aws.regions[0].index", []string{"is missing"}},
	{4, `aws: {regions: [{name: us-east-1, index: 1, zone: 2}]}`, "aws.regions[0].zone", []string{`did you mean "zones"?`}},
	{4, `aws: {regions: [{name: us-east-1, index: 1, zones: 7}]}`, "aws.regions[0].zones", []string{"2 to 6"}},
	{4, `aws: {regions: [{name: us-east-2, index: 1, zones: 4}]}`, "aws.regions[0].zones", []string{"more than us-east-2 has"}},
	{4, `aws: {regions: [{name: eu-west-1, index: 1}]}`, "aws.regions[0].name", []string{"is aws.region too"}},
	{4, `aws: {regions: [{name: us-east-1, index: 0}]}`, "aws.regions[0].index", []string{"networks would overlap"}},
	{4, `aws: {regions: [{name: us-east-1, index: 1}, {name: us-west-2, index: 1}]}`, "aws.regions[1].index", []string{"networks would overlap"}},
	{4, `aws: {regions: [{name: us-east-1, index: 1, state: retiring}]}`, "aws.regions[0].state", []string{"move that first"}},
	{4, `aws: {regions: [{name: us-east-1, index: 1, state: gone}]}`, "aws.regions[0].state", []string{"active, retiring, retired"}},
	{4, `aws: {regions: [{name: us-east-1, index: 1}, {name: us-west-2, index: 1, state: retired}]}`, "aws.regions[1].index", []string{"networks would overlap"}},
	{4, `aws: {regions: [{name: us-east-1, index: 1, state: retired}]}`, "aws.regions", []string{"at least one more"}},
	{4, `aws: {writePrimary: us-west-2}`, "aws.writePrimary", []string{"not a region of the stack"}},
	{4, `aws: {writePrimary: us-east-1}`, "aws.regions[0].fileSystemId", []string{"replicaFileSystemId", "runbook"}},
	{4, `aws: {regions: [{name: us-east-1, index: 1}, {name: us-west-2, index: 2}], writePrimary: us-west-2}`, "aws.writePrimary", []string{"no copy of the git repositories"}},
	{4, `aws: {fileReplica: us-west-2}`, "aws.fileReplica", []string{"not one of aws.regions"}},
	{4, `aws: {fileReplication: rsync}`, "aws.fileReplication", []string{"efs, datasync"}},
	{4, `aws: {fileSyncHours: 2}`, "aws.fileSyncHours", []string{"no effect with aws.fileReplication: efs", "leave the key out"}},
	{4, `aws: {fileReplication: datasync, fileSyncHours: 0}`, "aws.fileSyncHours", []string{"too small", "1 to 24 h"}},
	{4, `aws: {fileReplication: datasync, fileSyncHours: 25}`, "aws.fileSyncHours", []string{"too large"}},
	{4, `aws: {fileReplication: datasync, fileSystemId: fs-0123456789abcdef0}`, "aws.fileSystemId", []string{"EFS's replication made", "keep fileReplication: efs"}},
	{4, `aws: {fileReplication: datasync, regions: [{name: us-east-1, index: 1, fileSystemId: fs-0123456789abcdef0}]}`, "aws.regions[0].fileSystemId", []string{"only with fileReplication: efs"}},
	{4, `aws: {fileReplication: datasync, regions: [{name: us-east-1, index: 1}, {name: us-west-2, index: 2}], writePrimary: us-west-2}`, "aws.writePrimary", []string{"no copy of the git repositories"}},
	{3, `aws: {fileReplication: datasync}`, "aws.fileReplication", []string{"before phase 4"}},
	{3, `aws: {fileSyncHours: 2}`, "aws.fileSyncHours", []string{"before phase 4"}},
	{4, `aws: {primaryHost: api.morphee.app}`, "aws.primaryHost", []string{"name of its own"}},
	{4, `aws: {primaryHost: api.example.com}`, "aws.primaryHost", []string{"outside the zone"}},
	{4, `aws: {nat: none, interfaceEndpoints: [ecr.api, ecr.dkr, kms, logs, secretsmanager]}`, "aws.nat", []string{"no way"}},
	{4, `alarms: {emails: null, topicArn: 'arn:aws:sns:eu-west-1:123456789012:x'}`, "alarms.emails", []string{"others need somebody"}},
	{3, `aws: {writePrimary: eu-west-1}`, "aws.writePrimary", []string{"before phase 4"}},
	{3, `aws: {regions: [{name: us-east-1, index: 1}]}`, "aws.regions", []string{"before phase 4"}},
	{3, `aws: {database: {backupRetentionDays: 7}}`, "aws.database.backupRetentionDays", []string{"shorter"}},
	{3, `aws: {database: {backupRetentionDays: 36}}`, "aws.database.backupRetentionDays", []string{"too large"}},
	{3, `aws: {database: {backupWindow: '04:00-05:00'}}`, "aws.database.backupWindow", []string{"overlaps"}},
	{3, `aws: {database: {backupWindow: '04:00-04:10'}}`, "aws.database.backupWindow", []string{"30 minutes"}},
	{3, `aws: {backend: {memoryMiB: 512}}`, "aws.backend.memoryMiB", []string{"1024 to 4096 MiB", "512 CPU units"}},
	{3, `aws: {gotrue: {memoryMiB: 1536}}`, "aws.gotrue.memoryMiB", []string{"512, 1024 or 2048"}},
	{3, `aws: {forgejo: {cpuUnits: 300}}`, "aws.forgejo.cpuUnits", []string{"256, 512"}},
	{3, `aws: {backend: {autoscaling: {enabled: true, maxTasks: 1}}}`, "aws.backend.autoscaling.maxTasks", []string{"less than tasks"}},
	{3, `aws: {fileSystem: {archiveAfterDays: 14}}`, "aws.fileSystem.archiveAfterDays", []string{"before Infrequent Access"}},
	{3, `aws: {cache: {nodeType: cache.t4g.tiny}}`, "aws.cache.nodeType", []string{"cache node type"}},
	{3, `alarms: {emails: null}`, "alarms.emails", []string{"nobody would be told"}},
	{3, `alarms: {topicArn: 'arn:aws:sns:us-east-1:123456789012:x'}`, "alarms.topicArn", []string{"another region"}},
	{3, `alarms: {cpuPercent: 101}`, "alarms.cpuPercent", []string{"1 to 100 %"}},
	{3, `{disposable: true, aws: {backups: {vaultLock: true}}}`, "aws.backups.vaultLock", []string{"outlive"}},
	{3, `github: {repository: morphee}`, "github.repository", []string{"owner/name"}},
	{3, `budget: {monthlyUsd: 0}`, "budget.monthlyUsd", []string{"too small"}},
}

// Every mistake gives its one report and no other.
func TestMistakes(t *testing.T) {
	for _, m := range mistakes {
		errs := problems(t, with(t, base(m.phase), m.yaml))
		if len(errs) != 1 {
			t.Errorf("%s: want one problem, got %v", m.yaml, errs)
			continue
		}
		p := errs.List()[0]
		if p.Key != "morphee:"+m.key {
			t.Errorf("%s: reported under %s, want morphee:%s", m.yaml, p.Key, m.key)
		}
		for _, want := range m.contains {
			if !strings.Contains(p.String(), want) {
				t.Errorf("%s: %q does not say %q", m.yaml, p.String(), want)
			}
		}
		if p.Allowed == "" && p.Mend == "" && p.Suggestion == "" {
			t.Errorf("%s: %q does not say how to mend it", m.yaml, p.String())
		}
	}
}

func TestFiveMistakesAreFiveProblems(t *testing.T) {
	tree := with(t, base(1), `
server: {type: cpx3l, volumeSizeGiB: 5}
acmeEmail: ops
ownr: x
ssh: {allowedSources: [0.0.0.0/0]}
`)
	errs := problems(t, tree)
	var keys []string
	for _, p := range errs.List() {
		keys = append(keys, p.Key)
	}
	want := "morphee:acmeEmail morphee:ownr morphee:server.type morphee:server.volumeSizeGiB morphee:ssh.allowedSources[0]"
	if got := strings.Join(keys, " "); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if lines := strings.Split(errs.Error(), "\n"); len(lines) != 6 || lines[0] != "the configuration has 5 problems:" {
		t.Errorf("got %q", errs.Error())
	}
	for range 20 {
		if again := problems(t, tree); again.Error() != errs.Error() {
			t.Fatalf("the report is not stable:\n%v\n%v", errs, again)
		}
	}
}
