package config

// ManagedDatabase says which PostgreSQL server the services of phases 0 to 2 use. The container of
// phases 0 and 1 stays while another server is made ready, and until it is retired.
type ManagedDatabase struct {
	// Which server phase 2 has: one of its own at Hetzner, a Supabase or Neon project, or still the
	// container.
	Provider string `key:"provider" derived:"container in phases 0 and 1, hetzner in phase 2" enum:"container|hetzner|supabase|neon"`
	// Whether the services use that server. While it is false the server is there, with empty
	// databases, and the services use the container. Switching copies no data: the runbook does.
	Cutover bool `key:"cutover" default:"false" replaces:"the containers that use the database"`
	// Whether PostgreSQL's container stays. False only in a stack that never had one: in any other
	// its volume is protected, and Pulumi refuses.
	KeepContainer bool `key:"keepContainer" default:"true"`
	// The Supabase or Neon project's database.
	External ExternalDatabase `key:"external"`
	// The PostgreSQL server at Hetzner.
	Hetzner HetznerDatabase `key:"hetzner"`
}

// ExternalDatabase is how a PostgreSQL server that somebody else runs is reached. TLS is required.
type ExternalDatabase struct {
	// Name of the server, as the certificate has it. With Supabase that of the session pooler: the
	// direct one has an IPv6 address only, and containers speak IPv4.
	Host string `key:"host" required:"with database.provider supabase or neon" format:"hostname" example:"aws-0-eu-central-1.pooler.supabase.com"`
	// Port of the server. Not that of a pooler in transaction mode (6543), which breaks prepared
	// statements.
	Port int `key:"port" default:"5432" min:"1" max:"65535"`
	// Database to connect to for making the services' own: postgres at Supabase, neondb at Neon.
	Database string `key:"database" derived:"postgres, or neondb with database.provider neon" format:"postgres-database"`
	// Role that may create databases and roles. On Supabase's pooler it ends in the project's
	// reference, as in postgres.abcdefghijklmnopqrst, and so do then the services' roles.
	Role string `key:"role" required:"with database.provider supabase or neon" format:"postgres-login" example:"postgres.abcdefghijklmnopqrst"`
	// Password of that role.
	Password Secret `key:"password" required:"with database.provider supabase or neon"`
	// What is demanded of the server's certificate: verify-full checks who signed it and whose it
	// is, require only encrypts.
	TLSMode string `key:"tlsMode" default:"verify-full" enum:"verify-full|require"`
	// Certificate of who signs the server's, in PEM. Supabase shows its own in the database
	// settings; for Neon it is there (Let's Encrypt's).
	CACertificate string `key:"caCertificate" required:"with database.provider supabase and tlsMode verify-full" format:"pem-certificate"`
}

// HetznerDatabase is PostgreSQL 15 on a server of its own, on the private network, with its data
// on a protected volume and its write-ahead log archived to Cloudflare R2.
type HetznerDatabase struct {
	// Hetzner server type. A change restarts the server.
	ServerType string `key:"serverType" default:"cpx22" format:"server-type"`
	// Size of the data volume. It only grows.
	VolumeSizeGiB int `key:"volumeSizeGiB" default:"40" unit:"GiB" min:"10" max:"10240"`
	// Most connections that PostgreSQL takes.
	MaxConnections int `key:"maxConnections" default:"100" unit:"connections" min:"20" max:"1000"`
	// Whether the services connect through PgBouncer, which makes them wait for a connection instead
	// of failing. The threshold for it is 80 connections in use.
	Pooler bool `key:"pooler" default:"true"`
	// Longest that a change may wait until it is in the archive: what a lost server may lose.
	ArchiveTimeoutSeconds int `key:"archiveTimeoutSeconds" default:"60" unit:"s" min:"10" max:"3600"`
	// How many days back the database can be restored to any moment of. Shorter than the default
	// only in disposable stacks.
	RetentionDays int `key:"retentionDays" default:"30" unit:"days" min:"1" max:"365"`
	// Name of the R2 bucket of the archive.
	ArchiveBucket string `key:"archiveBucket" derived:"backups.bucket and -pitr" format:"bucket" replaces:"the archive's bucket, refused while it is protected"`
}

// RedisSettings are about Redis on the server.
type RedisSettings struct {
	// Whether Redis has a replica and three Sentinels, which promote the replica when the first
	// fails. The services are then given the Sentinels' addresses.
	Sentinel bool `key:"sentinel" derived:"true in phase 2" replaces:"the containers of Redis and of what uses it"`
}

// ForgejoServer is a small server of its own for the git server.
type ForgejoServer struct {
	// Whether the server is there, with Docker and a proxy.
	Enabled bool `key:"enabled" default:"false"`
	// Whether Forgejo runs there. Where it ran before, its volume stays and nothing else. Switching
	// copies no repositories: the runbook does.
	Cutover bool `key:"cutover" default:"false"`
	// Hetzner server type. A change restarts the server.
	ServerType string `key:"serverType" default:"cx23" format:"server-type"`
	// Size of the data volume. It only grows.
	VolumeSizeGiB int `key:"volumeSizeGiB" default:"40" unit:"GiB" min:"10" max:"10240"`
	// Name of the R2 bucket of its backups.
	BackupBucket string `key:"backupBucket" derived:"backups.bucket and -git" format:"bucket" replaces:"that bucket, refused while it is protected"`
}

// InUse is the provider of the database that the services use.
func (d ManagedDatabase) InUse() string {
	if d.Cutover {
		return d.Provider
	}
	return "container"
}

// IsExternal says whether somebody else runs the database server.
func (d ManagedDatabase) IsExternal() bool { return d.Provider == "supabase" || d.Provider == "neon" }

// ForgejoMoved says whether Forgejo runs on a server of its own.
func (c Config) ForgejoMoved() bool { return c.Forgejo.Server.Enabled && c.Forgejo.Server.Cutover }

// gitReservedMemoryMiB is kept on Forgejo's own server for the kernel, Docker and the page cache.
const gitReservedMemoryMiB = 512

// GitContainerMemoryMiB is what all containers may use on Forgejo's own server.
func (c Config) GitContainerMemoryMiB() int {
	return ServerTypes[c.Forgejo.Server.ServerType].MemoryMiB - gitReservedMemoryMiB
}
