// Package config is the typed configuration of a Morphee stack.
//
// The structs of this package are the only place where a key exists. The decoder, the validation,
// docs/config.md, the schema in Pulumi.yaml and the editors' JSON schema are all derived from
// them: the field's comment is its documentation, and its tags say the rest.
//
//	key       the name in the stack file
//	default   the value when the key is absent, written as YAML
//	derived   in words, where an absent value comes from (see derive.go)
//	required  "always", or in words when it is required (see rules.go)
//	unit      what a number counts
//	min, max  the range of a number, or the length of a list
//	step      a number must be a multiple of it
//	enum      the allowed values, separated by |
//	format    a named format (see formats.go)
//	replaces  in words, what changing the value replaces
//	empty     in words, what an empty text means where there is a default
//	example   a value for the documentation, written as YAML
//
// Nothing here knows Pulumi: package stacks reads the values from a running program, and LoadFile
// reads them from a stack file.
package config

import "embed"

// Sources are the files that the types are in: their comments are the documentation.
//
//go:embed config.go host.go managed.go aws.go migration.go
var Sources embed.FS

// Namespace is the configuration namespace of the project, as in `morphee:phase`.
const Namespace = "morphee"

// Config is one stack's configuration, decoded, complete with defaults, and valid.
type Config struct {
	// Where the stack is on its growth path. 0: one server with Docker. 1: the same server with
	// Forgejo and backups. 2: managed parts and replicas. 3: AWS, one region. 4: AWS, several
	// regions. Going up only ever adds.
	Phase int `key:"phase" required:"always" min:"0" max:"4" example:"1"`
	// Team or person answering for the stack; a tag on everything that takes tags.
	Owner string `key:"owner" required:"always" format:"tag-value" example:"platform"`
	// Registered domain of the product. The public names are under it.
	Domain string `key:"domain" default:"morphee.app" format:"hostname" replaces:"every DNS record and certificate"`
	// Public names of the services.
	Hosts Hosts `key:"hosts"`
	// Mail address that Let's Encrypt writes to when a certificate is about to expire.
	AcmeEmail string `key:"acmeEmail" required:"in phases 0 to 2 with Traefik" format:"email" example:"ops@morphee.app"`
	// A throw-away stack: nothing in it is protected, databases leave no final snapshot and
	// secrets are deleted at once. Never for a stack whose data anybody would miss.
	Disposable bool `key:"disposable" default:"false"`
	// Further tags, next to project, stack, phase and owner, which are always there.
	Tags map[string]string `key:"tags" max:"40" example:"{cost-centre: '4200'}"`

	// The Hetzner server of phases 0 to 2.
	Server Server `key:"server"`
	// How people and deployments reach the server.
	SSH SSH `key:"ssh"`
	// What terminates TLS on the server: the project's own Traefik, or a Coolify installation
	// whose Traefik the services are labelled for.
	ReverseProxy string `key:"reverseProxy" default:"traefik" enum:"traefik|coolify" replaces:"the proxy container"`
	// Coolify, when it is the reverse proxy.
	Coolify Coolify `key:"coolify"`
	// Container images. Every one is pinned to a version (a digest may follow), never latest.
	Images Images `key:"images"`
	// Where private images are pulled from by the server.
	Registry Registry `key:"registry"`
	// Memory and CPU limits of the containers on the server. Together they must fit it.
	Limits ServiceLimits `key:"limits"`

	// The product's backend, wherever it runs.
	Backend Backend `key:"backend"`
	// Sign-in (GoTrue), wherever it runs.
	Auth Auth `key:"auth"`
	// The git server.
	Forgejo Forgejo `key:"forgejo"`
	// Daily backups off the platform, to Cloudflare R2.
	Backups Backups `key:"backups"`
	// The PostgreSQL server of phases 0 to 2. (That of AWS is aws.database.)
	Database ManagedDatabase `key:"database"`
	// Redis on the server. (That of AWS is aws.cache.)
	Redis RedisSettings `key:"redis"`

	// Cloudflare account that holds the DNS zone and the backup bucket.
	CloudflareAccountID string `key:"cloudflareAccountId" required:"when backups are on, or the zone is looked up by name" format:"hex32" replaces:"the backup bucket" example:"0123456789abcdef0123456789abcdef"`
	// DNS at Cloudflare.
	DNS DNS `key:"dns"`
	// The AWS platform of phases 3 and 4.
	AWS AWS `key:"aws"`
	// The move from the server to AWS, while it lasts.
	Migration Migration `key:"migration"`
	// Who is told when something is wrong, and what counts as wrong.
	Alarms Alarms `key:"alarms"`
	// What the stack may cost.
	Budget Budget `key:"budget"`
	// The repository whose workflows may deploy the stack.
	GitHub GitHub `key:"github"`
	// Violations of policies that are accepted. Each is listed in every report.
	PolicyExceptions []PolicyException `key:"policyExceptions" max:"50"`
}

// UsesServer says whether the stack has the Hetzner server: by its phase, or still, during a move.
func (c Config) UsesServer() bool { return c.ServerPhase() >= 0 }

// UsesAWS says whether the stack's phase runs on AWS.
func (c Config) UsesAWS() bool { return c.Phase >= 3 }

// Hosts are the public names.
type Hosts struct {
	// Name of the web application.
	App string `key:"app" derived:"app. and the domain" format:"hostname"`
	// Name of the backend's API.
	API string `key:"api" derived:"api. and the domain" format:"hostname"`
	// Name of the git server.
	Git string `key:"git" derived:"git. and the domain" format:"hostname"`
	// Name of the sign-in service.
	Auth string `key:"auth" derived:"auth. and the domain" format:"hostname"`
	// Name of the server itself, which the names above lead to. Two stacks of one zone need two.
	Server string `key:"server" derived:"vps. and the domain" format:"hostname" replaces:"its address records"`
	// Name of Forgejo's own server.
	GitServer string `key:"gitServer" derived:"git-vps. and the domain" format:"hostname" replaces:"its address records"`
}

// PublicNames are the names that clients open, the application's pages first.
func (c Config) PublicNames() []string { return append([]string{c.Hosts.App}, c.ServiceNames()...) }

// ServiceNames are those of the services that clients write to: all but the application's pages.
func (c Config) ServiceNames() []string {
	out := []string{c.Hosts.API, c.Hosts.Auth}
	if c.Forgejo.Enabled {
		out = append(out, c.Hosts.Git)
	}
	return out
}

// Images are the container images, each with a pinned tag.
type Images struct {
	// Reverse proxy. Docker 29 needs Traefik 3.6.1 or newer; change the pair together.
	Traefik string `key:"traefik" default:"traefik:v3.6.7" format:"image"`
	// Web application (Nginx with the built files), phases 0 to 2.
	Frontend string `key:"frontend" default:"ghcr.io/morphee-app/frontend:1.0.0" format:"image"`
	// Backend (FastAPI).
	Backend string `key:"backend" default:"ghcr.io/morphee-app/backend:1.0.0" format:"image"`
	// Redis 7.
	Redis string `key:"redis" default:"redis:7.4.9-alpine" format:"image"`
	// PostgreSQL 15. Another major version cannot read the data directory.
	Postgres string `key:"postgres" default:"postgres:15.14-bookworm" format:"image"`
	// Sign-in.
	GoTrue string `key:"gotrue" default:"supabase/gotrue:v2.186.0" format:"image"`
	// Git server; the rootless variant, so that it runs as user 1000 on both platforms.
	Forgejo string `key:"forgejo" default:"codeberg.org/forgejo/forgejo:13.0.3-rootless" format:"image"`
	// Relay to the other platform during a migration.
	Relay string `key:"relay" default:"nginx:1.28.0-alpine" format:"image"`
	// Daily backup job, the project's own image. It is built from ops/images/backup.
	Backup string `key:"backup" default:"ghcr.io/morphee-app/backup:1.0.0" format:"image"`
}

// Registry is where private images are pulled from.
type Registry struct {
	// Host of the registry; empty when all images are public.
	Host string `key:"host" format:"hostname" example:"ghcr.io"`
	// User to pull as.
	Username string `key:"username" required:"when registry.host is set" example:"morphee-deploy"`
	// Password or token of that user.
	Password Secret `key:"password" required:"when registry.host is set"`
}

// Backend is the product's API, the same on every platform.
type Backend struct {
	// Port that the container listens on.
	Port int `key:"port" default:"8000" min:"1" max:"65535"`
	// Path that answers 200 when the backend can serve.
	HealthPath string `key:"healthPath" default:"/health" format:"path"`
	// How many containers run it on the server. Two or more are replaced one at a time, without an
	// interruption, and a browser's WebSockets stay with one of them. (On AWS it is
	// aws.backend.tasks.)
	Replicas int `key:"replicas" derived:"2 in phase 2, else 1" min:"1" max:"4"`
	// Further settings, as environment variables. Not for secrets.
	Environment map[string]string `key:"environment" max:"100" format:"env-name" example:"{LOG_LEVEL: info}"`
	// Further secrets. Each reaches the container as a file, or from Secrets Manager.
	Secrets map[string]Secret `key:"secrets" max:"50" format:"env-name"`
}

// Auth is the sign-in service.
type Auth struct {
	// Whether people may sign up by themselves.
	SignupEnabled bool `key:"signupEnabled" default:"true"`
	// How many containers run it on the server. Two or more are replaced one at a time, without an
	// interruption. (On AWS it is aws.gotrue.tasks.)
	Replicas int `key:"replicas" derived:"2 in phase 2, else 1" min:"1" max:"4"`
	// Life of an access token.
	TokenLifetimeSeconds int `key:"tokenLifetimeSeconds" default:"3600" unit:"s" min:"300" max:"86400"`
	// The mail server for confirmations and password resets.
	SMTP SMTP `key:"smtp"`
}

// SMTP is a mail server.
type SMTP struct {
	// Host of the mail server; empty means that no mail is sent and addresses count as confirmed.
	Host string `key:"host" format:"hostname" example:"smtp.example.com"`
	// Submission port, with STARTTLS.
	Port int `key:"port" default:"587" min:"1" max:"65535"`
	// User at the mail server.
	Username string `key:"username" required:"when auth.smtp.host is set" example:"morphee"`
	// Password of that user.
	Password Secret `key:"password" required:"when auth.smtp.host is set"`
	// Address that mails come from.
	Sender string `key:"sender" derived:"no-reply@ and the domain" format:"email"`
}

// Forgejo is the git server, the same on every platform.
type Forgejo struct {
	// Whether the git server runs.
	Enabled bool `key:"enabled" derived:"true from phase 1 on"`
	// Public port for git over SSH; 0 publishes none, and git goes over HTTPS only.
	SSHPort int `key:"sshPort" default:"0" min:"0" max:"65535" example:"222"`
	// Name of the administrator made at first start. Its password is generated.
	AdminUser string `key:"adminUser" default:"morphee-admin" format:"forgejo-user"`
	// Mail address of the administrator.
	AdminEmail string `key:"adminEmail" derived:"forgejo@ and the domain" format:"email"`
	// Name of Forgejo's database and of the role that owns it.
	Database string `key:"database" default:"forgejo" format:"postgres-name" replaces:"nothing, but Forgejo would start empty"`
	// Largest file accepted through the web and API.
	MaxUploadMiB int `key:"maxUploadMiB" default:"50" unit:"MiB" min:"1" max:"4096"`
	// Longest that one git operation (clone, push, migrate) may take.
	GitTimeoutSeconds int `key:"gitTimeoutSeconds" default:"600" unit:"s" min:"60" max:"7200"`
	// A server of its own, from phase 2 on.
	Server ForgejoServer `key:"server"`
}

// Backups are the daily copies off the platform.
type Backups struct {
	// Whether the daily backup runs. Only a disposable stack may switch it off from phase 1 on.
	Enabled bool `key:"enabled" derived:"true from phase 1 on"`
	// When the backup runs, in UTC: a time of day such as 03:15, or the same as five
	// cron fields, 15 3 * * *.
	Schedule string `key:"schedule" default:"'03:15'" format:"schedule"`
	// Name of the R2 bucket. Two stacks of one account need two names.
	Bucket string `key:"bucket" default:"morphee-backups" format:"bucket" replaces:"the backup bucket, refused while it is protected"`
	// Where R2 should keep the data. (Its jurisdictions, which promise it, are beyond the pinned
	// version of the Cloudflare provider.)
	LocationHint string `key:"locationHint" default:"weur" enum:"apac|eeur|enam|oc|weur|wnam" replaces:"the backup bucket, refused while it is protected"`
	// How long copies are kept.
	Retention Retention `key:"retention"`
	// URL that is told when a backup fails. A secret, because such URLs carry their own key.
	AlertWebhook Secret `key:"alertWebhook" format:"https-url"`
}

// Retention is how long backups are kept. Shorter than the defaults only in disposable stacks.
type Retention struct {
	// Database dumps in the bucket.
	PostgresDays int `key:"postgresDays" default:"30" unit:"days" min:"1" max:"3650"`
	// Archives of the git repositories in the bucket.
	GitDays int `key:"gitDays" default:"14" unit:"days" min:"1" max:"3650"`
	// Uploaded files in the bucket.
	FilesDays int `key:"filesDays" default:"14" unit:"days" min:"1" max:"3650"`
	// Copies kept on the server itself.
	LocalDays int `key:"localDays" default:"7" unit:"days" min:"1" max:"60"`
}

// DNS is the zone at Cloudflare.
type DNS struct {
	// Whether the stack manages the records of its public names. On AWS it must: certificates are
	// validated through them.
	Manage bool `key:"manage" default:"true"`
	// Name of the zone.
	Zone string `key:"zone" derived:"the domain" format:"hostname" replaces:"every DNS record"`
	// Id of the zone; looked up by name when empty.
	ZoneID string `key:"zoneId" format:"hex32" replaces:"every DNS record" example:"fedcba9876543210fedcba9876543210"`
	// Whether Cloudflare proxies the records. It cannot proxy git over SSH.
	Proxied bool `key:"proxied" default:"false"`
	// How long resolvers may remember a record. 60 during a migration.
	TTLSeconds int `key:"ttlSeconds" default:"300" unit:"s" min:"60" max:"86400"`
}

// Alarms are the monitoring checklist.
type Alarms struct {
	// Mail addresses that are told. Each must confirm the subscription once.
	Emails []string `key:"emails" max:"10" format:"email" example:"[ops@morphee.app]"`
	// An existing SNS topic to tell instead of a new one.
	TopicARN string `key:"topicArn" format:"sns-arn" example:"arn:aws:sns:eu-west-1:123456789012:pager"`
	// CPU in use, of a service, database, cache or server.
	CPUPercent int `key:"cpuPercent" default:"80" unit:"%" min:"1" max:"100"`
	// Memory in use.
	MemoryPercent int `key:"memoryPercent" default:"85" unit:"%" min:"1" max:"100"`
	// Disk in use.
	DiskPercent int `key:"diskPercent" default:"90" unit:"%" min:"1" max:"100"`
	// API answers with a 5xx status.
	ErrorRatePercent float64 `key:"errorRatePercent" default:"5" unit:"%" min:"0.1" max:"100"`
	// 95th percentile of the API's latency.
	LatencyP95Milliseconds int `key:"latencyP95Milliseconds" default:"1000" unit:"ms" min:"50" max:"60000"`
	// WebSockets that end unexpectedly.
	WebSocketDisconnectPercent float64 `key:"webSocketDisconnectPercent" default:"10" unit:"%" min:"0.1" max:"100"`
	// Database connections in use, before the pool is exhausted.
	DatabaseConnections int `key:"databaseConnections" default:"80" unit:"connections" min:"1" max:"16000"`
	// Memory that Redis uses for data.
	RedisMemoryMB int `key:"redisMemoryMB" default:"200" unit:"MB" min:"1" max:"100000"`
	// How long a value must be over its threshold.
	PeriodMinutes int `key:"periodMinutes" default:"5" unit:"min" min:"1" max:"60"`
}

// Budget is what the stack may cost.
type Budget struct {
	// Most that a month may cost.
	MonthlyUSD int `key:"monthlyUsd" derived:"by phase: 25, 25, 120, 400, 1400" unit:"USD" min:"1" max:"1000000"`
	// Share of the budget at which people are told.
	AlertPercent int `key:"alertPercent" default:"80" unit:"%" min:"1" max:"100"`
}

// GitHub is the repository that deploys.
type GitHub struct {
	// Repository whose workflows may assume the deploy role, as owner/name; empty makes no role.
	Repository string `key:"repository" format:"github-repo" example:"morphee-app/morphee-infra"`
	// Environment of that repository that the role is pinned to.
	Environment string `key:"environment" default:"production" format:"name"`
	// Whether to make the account's OIDC provider. An account has one; false when it is there.
	CreateProvider bool `key:"createProvider" default:"true"`
}

// PolicyException accepts the violations of one policy by some resources.
type PolicyException struct {
	// Id of the rule, as in docs/policies.md.
	Rule string `key:"rule" required:"always" format:"policy-rule" example:"ecs-exec-off"`
	// Logical name of the resource, type::name or URN; * stands for any text.
	Resource string `key:"resource" required:"always" format:"pattern" example:"aws-backend-service"`
	// Why the violation is acceptable, in three words or more.
	Reason string `key:"reason" required:"always" format:"reason" example:"finding out why sessions are lost"`
	// Last day on which it is; empty for always.
	Until string `key:"until" format:"day" example:"'2027-01-31'"`
}
