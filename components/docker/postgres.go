package docker

import (
	"fmt"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// PostgresType is the type token of Postgres.
const PostgresType = "morphee:docker:Postgres"

const (
	// postgresHost is an alias: Coolify's network, which services share with it, has a postgres of
	// its own, and a redis.
	postgresHost = "morphee-postgres"
	postgresPort = 5432
	superuser    = "postgres"
	// maxConnections leaves room above the threshold of the connection alarm (80).
	maxConnections = 100
)

// PostgresArgs are the arguments of NewPostgres.
type PostgresArgs struct {
	// Platform is the host's common part.
	Platform *Platform
	// Image is pinned and of major version 15: another one cannot read the data directory.
	Image string
	// Limits bound the container; 512 MiB and 256 processes or more. Shared buffers follow the memory.
	Limits Limits
}

// Postgres is the PostgreSQL server. Databases and roles are made by NewPostgresDatabases.
type Postgres struct {
	pulumi.ResourceState

	// Host and Port in the data network.
	Host pulumi.StringOutput
	Port int
	// Superuser, and its password; a secret.
	Superuser         string
	SuperuserPassword pulumi.StringOutput
	// Image that runs; what talks to it uses the same client.
	Image string
	// Service is the container.
	Service *Service
}

// NewPostgres runs the server.
func NewPostgres(ctx *pulumi.Context, name string, args *PostgresArgs, opts ...pulumi.ResourceOption) (*Postgres, error) {
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &Postgres{Port: postgresPort, Superuser: superuser, Image: args.Image}
	if err := ctx.RegisterComponentResourceV2(PostgresType, name, nil, c, opts...); err != nil {
		return nil, err
	}
	password, err := args.Platform.newPassword(ctx, name+"-password", 32, c)
	if err != nil {
		return nil, err
	}
	data, err := args.Platform.NewDataVolume(ctx, name+"-data", "postgres-data", c)
	if err != nil {
		return nil, err
	}
	c.Service, err = NewService(ctx, name+"-service", &ServiceArgs{
		Platform:      args.Platform,
		ContainerName: "postgres",
		Aliases:       []string{postgresHost},
		Image:         args.Image,
		Limits:        args.Limits,
		Command:       args.flags(),
		Env: plainEnv(map[string]string{
			"PGDATA":                 "/var/lib/postgresql/data/pgdata",
			"POSTGRES_USER":          superuser,
			"POSTGRES_PASSWORD_FILE": FilePath("superuser-password"),
			"POSTGRES_INITDB_ARGS":   "--data-checksums --auth-host=scram-sha-256",
		}),
		Files:    []File{{Name: "superuser-password", Content: password}},
		Mounts:   []Mount{{Volume: data.Name, Path: "/var/lib/postgresql/data"}},
		TmpfsMiB: map[string]int{"/var/run/postgresql": 1, "/tmp": 64},
		ShmMiB:   256, // parallel queries use it; Docker's 64 MiB are too little
		User:     "postgres",
		// Over TCP: while the data directory is being made, a server answers on the socket only.
		Healthcheck: Healthcheck{
			Test:     []string{"CMD", "pg_isready", "-q", "-h", "127.0.0.1", "-U", superuser},
			Interval: 10 * time.Second, Timeout: 5 * time.Second, StartPeriod: 60 * time.Second, Retries: 5,
		},
		Data:        true,
		StopSeconds: 60, // to write everything out
	}, pulumi.Parent(c))
	if err != nil {
		return nil, err
	}
	c.Host = pulumi.String(postgresHost).ToStringOutput()
	c.SuperuserPassword = password
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"host": c.Host, "port": pulumi.Int(c.Port), "superuserPassword": c.SuperuserPassword,
	})
}

// flags tune the server to its memory: a quarter for shared buffers, and three quarters is what
// the planner may expect to be cached.
func (a *PostgresArgs) flags() []string {
	mib := a.Limits.MemoryMiB
	set := []string{
		fmt.Sprintf("shared_buffers=%dMB", mib/4),
		fmt.Sprintf("effective_cache_size=%dMB", mib*3/4),
		fmt.Sprintf("maintenance_work_mem=%dMB", mib/16),
		fmt.Sprintf("work_mem=%dMB", max(4, mib/4/maxConnections)),
		fmt.Sprintf("max_connections=%d", maxConnections),
		"password_encryption=scram-sha-256",
		"wal_compression=on",
		"checkpoint_completion_target=0.9",
		"random_page_cost=1.1",
		"idle_in_transaction_session_timeout=10min",
		"log_min_duration_statement=1000",
		"log_lock_waits=on",
		"log_checkpoints=on",
	}
	flags := []string{"postgres"}
	for _, s := range set {
		flags = append(flags, "-c", s)
	}
	return flags
}

func (a *PostgresArgs) validate(name string) error {
	p := base.Check("Postgres", name)
	p.Require(a.Platform != nil, "Platform", a.Platform, "the host's platform", "")
	p.Require(strings.Contains(a.Image, ":15"), "Image", a.Image, "a PostgreSQL 15 image: another major version cannot read the data directory", "morphee:images.postgres")
	p.Require(a.Limits.MemoryMiB >= 512, "Limits.MemoryMiB", a.Limits.MemoryMiB, "512 or more", "morphee:limits.postgres.memoryMiB")
	p.Require(a.Limits.Pids >= sharedUserPids, "Limits.Pids", a.Limits.Pids, wantSharedPids, "morphee:limits.postgres.pids")
	return p.Err()
}
