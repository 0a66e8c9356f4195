package docker

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// PostgresDatabasesType is the type token of PostgresDatabases.
const PostgresDatabasesType = "morphee:docker:PostgresDatabases"

var (
	//go:embed files/databases.sh
	databasesScript string
	//go:embed files/databases.sql
	databasesSQL string
)

// Database is a database with the role that owns it.
type Database struct {
	// Name of the database and Owner, its role: small letters, digits and underscores. A new name
	// makes a new, empty database and leaves the old one.
	Name, Owner string
	// Schema is made too and comes first for the owner; empty for none.
	Schema string
	// Password of the owner; generated when nil.
	Password pulumi.StringInput
}

// PostgresDatabasesArgs are the arguments of NewPostgresDatabases.
type PostgresDatabasesArgs struct {
	// Platform is the host's common part.
	Platform *Platform
	// Server is where the databases are made: the container on this host, or else Managed.
	Server *Postgres
	// Managed is where they are made otherwise.
	Managed *ManagedServer
	// ContainerName on the host.
	ContainerName string
	// Databases to make; at least one.
	Databases []Database
}

// PostgresDatabases makes databases and roles, before the services that need them start.
//
// It is a container of its own rather than PostgreSQL's init directory, which is only read when
// the data directory is new. It stays after its work, asleep: a container that has to be healthy
// orders a deployment and a Compose file alike, fails them when it fails, and does its work again
// after every restart, on a restored data directory too.
type PostgresDatabases struct {
	pulumi.ResourceState

	// Passwords of the owners by name; secrets.
	Passwords map[string]pulumi.StringOutput
	// Ready is there when all databases are; what uses one depends on it.
	Ready pulumi.Resource
}

// NewPostgresDatabases makes the databases.
func NewPostgresDatabases(ctx *pulumi.Context, name string, args *PostgresDatabasesArgs, opts ...pulumi.ResourceOption) (*PostgresDatabases, error) {
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &PostgresDatabases{Passwords: map[string]pulumi.StringOutput{}}
	if err := ctx.RegisterComponentResourceV2(PostgresDatabasesType, name, nil, c, opts...); err != nil {
		return nil, err
	}
	server := args.Managed
	if server == nil {
		server = args.Server.managed()
	}
	files := append([]File{
		{Name: "databases.sh", Content: pulumi.String(databasesScript)},
		{Name: "databases.sql", Content: pulumi.String(databasesSQL)},
		{Name: "databases.list", Content: pulumi.String(args.list())},
		{Name: "superuser-password", Content: server.AdminPassword},
	}, server.Files()...)
	for _, db := range args.Databases {
		if db.Password != nil {
			c.Passwords[db.Owner] = pulumi.ToSecret(db.Password).(pulumi.StringOutput)
		} else {
			generated, err := args.Platform.newPassword(ctx, name+"-"+db.Owner+"-password", 32, c)
			if err != nil {
				return nil, err
			}
			c.Passwords[db.Owner] = generated
		}
		files = append(files, File{Name: db.Owner + "-password", Content: c.Passwords[db.Owner]})
	}
	service, err := NewService(ctx, name+"-service", &ServiceArgs{
		Platform:      args.Platform,
		ContainerName: args.ContainerName,
		Image:         server.ClientImage,
		Limits:        Limits{MemoryMiB: 64, CPUs: 0.05, Pids: sharedUserPids},
		Entrypoint:    []string{"sh"},
		Command:       []string{FilePath("databases.sh")},
		Env:           server.adminEnv(),
		Files:         files,
		TmpfsMiB:      map[string]int{"/tmp": 1, "/var/run/postgresql": 1, "/var/lib/postgresql/data": 1},
		User:          "postgres",
		Init:          true,
		Healthcheck: Healthcheck{
			Test:     []string{"CMD", "test", "-f", "/tmp/ready"},
			Interval: 5 * time.Second, Timeout: 2 * time.Second, StartPeriod: 60 * time.Second, Retries: 6,
		},
		// Another server is reached through the network that leads out.
		Data:        args.Managed == nil,
		Edge:        args.Managed != nil,
		After:       server.Ready,
		StopSeconds: 5,
	}, pulumi.Parent(c))
	if err != nil {
		return nil, err
	}
	c.Ready = service.Container
	outputs := pulumi.Map{}
	for _, db := range args.Databases {
		outputs[db.Owner+"Password"] = c.Passwords[db.Owner]
	}
	return c, ctx.RegisterResourceOutputs(c, outputs)
}

// URL is the connection string of a database on the server, a secret.
func (c *PostgresDatabases) URL(server *Postgres, db Database) pulumi.StringOutput {
	return c.ManagedURL(server.managed(), db)
}

// ManagedURL is the connection string of a database on a managed server, a secret.
func (c *PostgresDatabases) ManagedURL(server *ManagedServer, db Database) pulumi.StringOutput {
	return pulumi.ToSecret(pulumi.Sprintf("postgres://%s%s:%s@%s:%d/%s?%s",
		db.Owner, server.UserSuffix, c.Passwords[db.Owner], server.Host, server.Port, db.Name, server.urlOptions())).(pulumi.StringOutput)
}

func (a *PostgresDatabasesArgs) list() string {
	var b strings.Builder
	for _, db := range a.Databases {
		schema := db.Schema
		if schema == "" {
			schema = "-"
		}
		fmt.Fprintf(&b, "%s %s %s\n", db.Name, db.Owner, schema)
	}
	return b.String()
}

var sqlNamePattern = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

func (a *PostgresDatabasesArgs) validate(name string) error {
	p := base.Check("PostgresDatabases", name)
	want := "a PostgreSQL name of small letters, digits and underscores"
	p.Require(a.Platform != nil, "Platform", a.Platform, "the host's platform", "")
	p.Require((a.Server != nil) != (a.Managed != nil), "Server, Managed", "neither or both", "one server", "")
	if a.Managed != nil {
		a.Managed.check(p)
	}
	p.Require(len(a.Databases) > 0, "Databases", "none", "at least one", "")
	owners := map[string]bool{}
	for _, db := range a.Databases {
		p.Require(sqlNamePattern.MatchString(db.Name) && db.Name != "postgres", "Databases.Name", db.Name, want+", and not postgres", "")
		p.Require(sqlNamePattern.MatchString(db.Owner) && db.Owner != superuser && !strings.HasPrefix(db.Owner, "pg_"), "Databases.Owner", db.Owner, want+", and neither the superuser nor reserved (pg_…)", "")
		p.Require(db.Schema == "" || sqlNamePattern.MatchString(db.Schema), "Databases.Schema", db.Schema, want, "")
		p.Require(!owners[db.Owner], "Databases.Owner", db.Owner, "a role of its own for each database", "")
		owners[db.Owner] = true
	}
	return p.Err()
}
