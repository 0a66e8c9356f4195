package docker

import (
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// How strictly a client checks the server it talks to, in PostgreSQL's words.
const (
	SSLDisable    = "disable"     // only inside the host's own internal network
	SSLRequire    = "require"     // encrypted, but to whom is not checked
	SSLVerifyFull = "verify-full" // signed by the authority, for this host name
)

// caFile is the name of the authority's certificate among a service's files.
const caFile = "database-ca.crt"

// ManagedServer is a PostgreSQL server that is not a container of this host, as services here
// reach it.
type ManagedServer struct {
	// Host and Port are where services connect, maybe to a pooler.
	Host pulumi.StringInput
	Port int
	// AdminPort is the server itself, without a pooler: for making databases and for dumps.
	AdminPort int
	// Admin may make databases and roles; AdminPassword is a secret.
	Admin         string
	AdminPassword pulumi.StringInput
	// MaintenanceDatabase is there from the start; default postgres.
	MaintenanceDatabase string
	// UserSuffix is added to a role's name at login, for poolers of many projects; default none.
	UserSuffix string
	// SSLMode is SSLRequire or SSLVerifyFull.
	SSLMode string
	// CACertificate signed the server's, in PEM; required with SSLVerifyFull.
	CACertificate pulumi.StringInput
	// ClientImage has psql of the server's major version or newer.
	ClientImage string
	// Ready must be there before anybody connects.
	Ready []pulumi.Resource
}

// managed is the container as a server like any other.
func (c *Postgres) managed() *ManagedServer {
	return &ManagedServer{
		Host: c.Host, Port: c.Port, AdminPort: c.Port, Admin: c.Superuser, AdminPassword: c.SuperuserPassword,
		ClientImage: c.Image, SSLMode: SSLDisable, Ready: []pulumi.Resource{c.Service.Container},
	}
}

// Managed is the container as services reach it, in the same form as any other server.
func (c *Postgres) Managed() *ManagedServer { return c.managed() }

// Files are what clients need beside their password.
func (s *ManagedServer) Files() []File {
	if s.CACertificate == nil {
		return nil
	}
	return []File{{Name: caFile, Content: s.CACertificate}}
}

// Env are the settings that every client library reads, for what a connection string leaves out.
func (s *ManagedServer) Env() map[string]string {
	if s.SSLMode == SSLDisable {
		return nil
	}
	env := map[string]string{"PGSSLMODE": s.SSLMode}
	if s.CACertificate != nil {
		env["PGSSLROOTCERT"] = FilePath(caFile)
	}
	return env
}

// adminEnv are those of the administrator's own connections.
func (s *ManagedServer) adminEnv() map[string]pulumi.StringInput {
	env := plainEnv(s.Env())
	env["PGHOST"] = s.Host
	env["PGPORT"] = pulumi.String(strconv.Itoa(s.AdminPort))
	env["PGUSER"] = pulumi.String(s.Admin)
	if s.MaintenanceDatabase != "" {
		env["MAINTENANCE_DATABASE"] = pulumi.String(s.MaintenanceDatabase)
	}
	return env
}

func (s *ManagedServer) urlOptions() string {
	if s.CACertificate == nil {
		return "sslmode=" + s.SSLMode
	}
	return "sslmode=" + s.SSLMode + "&sslrootcert=" + FilePath(caFile)
}

func (s *ManagedServer) check(p *base.Problems) {
	p.Require(s.Host != nil && s.AdminPassword != nil && s.Admin != "", "Managed", "something missing", "Host, Admin and AdminPassword", "morphee:database")
	port := func(field string, n int) { p.Require(n >= 1 && n <= 65535, field, n, "1 to 65535", "morphee:database") }
	port("Managed.Port", s.Port)
	port("Managed.AdminPort", s.AdminPort)
	p.Require(s.SSLMode == SSLRequire || s.SSLMode == SSLVerifyFull, "Managed.SSLMode", s.SSLMode, "require or verify-full: the connection leaves the host", "morphee:database.external.tlsMode")
	p.Require(s.SSLMode != SSLVerifyFull || s.CACertificate != nil, "Managed.CACertificate", "nothing", "the authority's certificate", "morphee:database.external.caCertificate")
	checkImage(p, s.ClientImage)
}
