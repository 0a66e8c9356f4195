// Package external has what the stack uses and somebody else runs.
package external

import (
	_ "embed"
	"regexp"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// ManagedDatabaseType is the type token of ManagedDatabase.
const ManagedDatabaseType = "morphee:external:ManagedDatabase"

// Providers of managed PostgreSQL.
const (
	Supabase = "supabase"
	Neon     = "neon"
)

// LetsEncryptRoots are the certificates of the authority that signs Neon's, ISRG Root X1 and X2:
// valid until 2035 and 2040.
//
//go:embed files/isrg-roots.pem
var LetsEncryptRoots string

// ManagedDatabaseArgs describes a PostgreSQL server that Supabase or Neon runs. The project itself
// is made there by hand: neither has an API that this program could be given a narrow key for.
type ManagedDatabaseArgs struct {
	// Provider is Supabase or Neon.
	Provider string
	// Host and Port, as the certificate and the project's settings have them.
	Host string
	Port int
	// Database to connect to for making the services' own.
	Database string
	// Role that may make databases and roles, and its password, a secret. On Supabase's pooler it
	// ends in a dot and the project's reference.
	Role     string
	Password pulumi.StringInput
	// SSLMode is require or verify-full; TLS is never optional.
	SSLMode string
	// CACertificate signed the server's, in PEM; default for Neon LetsEncryptRoots. Required for
	// Supabase with verify-full.
	CACertificate string
}

// ManagedDatabase is how the server is reached. It owns no resource: what it stands for is made and
// paid for elsewhere, and `infra check` looks at it.
type ManagedDatabase struct {
	pulumi.ResourceState

	// Host and Port of the server.
	Host pulumi.StringOutput
	Port int
	// Admin is the role, and AdminPassword a secret.
	Admin         string
	AdminPassword pulumi.StringOutput
	// UserSuffix is added to every role's name at login; empty for none.
	UserSuffix string
	// CACertificate in PEM; nil when the server's is not checked.
	CACertificate pulumi.StringInput
}

var (
	hostPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?\.[a-z]{2,}$`)
	rolePattern = regexp.MustCompile(`^([a-z_][a-z0-9_]*)(\.[a-z0-9]+)?$`)
	namePattern = regexp.MustCompile(`^[a-z_][a-z0-9_-]*$`)
)

// NewManagedDatabase registers the server.
func NewManagedDatabase(ctx *pulumi.Context, name string, args *ManagedDatabaseArgs, opts ...pulumi.ResourceOption) (*ManagedDatabase, error) {
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &ManagedDatabase{
		Host: pulumi.String(args.Host).ToStringOutput(), Port: args.Port, Admin: args.Role,
		AdminPassword: pulumi.ToSecret(args.Password).(pulumi.StringOutput), UserSuffix: rolePattern.FindStringSubmatch(args.Role)[2],
	}
	if ca := args.ca(); ca != "" {
		c.CACertificate = pulumi.String(ca)
	}
	// What is registered is what the cost report goes by, and what a diagram shows.
	props := pulumi.Map{"provider": pulumi.String(args.Provider), "host": pulumi.String(args.Host)}
	if err := ctx.RegisterComponentResourceV2(ManagedDatabaseType, name, props, c, opts...); err != nil {
		return nil, err
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"provider": pulumi.String(args.Provider), "host": c.Host, "port": pulumi.Int(c.Port), "adminPassword": c.AdminPassword,
	})
}

func (a *ManagedDatabaseArgs) ca() string {
	switch {
	case a.SSLMode != "verify-full":
		return ""
	case a.CACertificate == "" && a.Provider == Neon:
		return LetsEncryptRoots
	}
	return a.CACertificate
}

func (a *ManagedDatabaseArgs) validate(name string) error {
	p := base.Check("ManagedDatabase", name)
	p.Require(a.Provider == Supabase || a.Provider == Neon, "Provider", a.Provider, "supabase or neon", "morphee:database.provider")
	p.Require(hostPattern.MatchString(a.Host), "Host", a.Host, "a host name", "morphee:database.external.host")
	p.Require(a.Port >= 1 && a.Port <= 65535, "Port", a.Port, "1 to 65535", "morphee:database.external.port")
	p.Require(namePattern.MatchString(a.Database), "Database", a.Database, "a database's name", "morphee:database.external.database")
	p.Require(rolePattern.MatchString(a.Role), "Role", a.Role, "a role's name", "morphee:database.external.role")
	p.Require(a.Password != nil, "Password", "nothing", "a secret", "morphee:database.external.password")
	p.Require(a.SSLMode == "require" || a.SSLMode == "verify-full", "SSLMode", a.SSLMode, "require or verify-full", "morphee:database.external.tlsMode")
	p.Require(a.SSLMode != "verify-full" || a.ca() != "", "CACertificate", "nothing", "the certificate of who signed the server's", "morphee:database.external.caCertificate")
	return p.Err()
}
