// Package dbcheck looks at a PostgreSQL server that somebody else runs before services are pointed
// at it: whether it is reached, with TLS as demanded, is of our version, and lets our role do its work.
package dbcheck

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// major is the only version that works: the client of the daily backup is of it, which dumps no newer
// server, and so are the container and AWS, which take no newer dump.
const major = 15

// Target is the server, and who connects.
type Target struct {
	Host          string
	Port          int
	Database      string
	Role          string
	Password      string
	VerifyFull    bool   // check the certificate and the name in it
	CACertificate string // PEM; empty: the machine's own authorities

	// Connections is how many the services may use together.
	Connections int
	// SessionPooler says that the server is behind a pooler with a pool size of its own, which refuses
	// sessions beyond it whatever the server would take. SignIn is how many sign-in alone may open.
	SessionPooler bool
	SignIn        int
}

// Level is how much a finding matters.
type Level string

// The levels.
const (
	Good    Level = "ok"
	Warning Level = "warning"
	Bad     Level = "failed"
)

// Finding is one thing that was looked at.
type Finding struct {
	Check string `json:"check"`
	Level Level  `json:"level"`
	Found string `json:"found"`
	Mend  string `json:"mend,omitempty"`
}

// Check connects once and looks. What cannot be looked at because of an earlier failure is left out.
func Check(ctx context.Context, t Target) []Finding {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	cfg, err := t.config()
	if err != nil {
		return []Finding{{"certificate", Bad, err.Error(), "set database.external.caCertificate to the authority's certificate in PEM"}}
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return []Finding{t.refused(err)}
	}
	defer conn.Close(context.WithoutCancel(ctx))
	out := []Finding{{"connection", Good, fmt.Sprintf("%s:%d answers", t.Host, t.Port), ""}, t.encryption(conn)}
	for _, look := range []func(context.Context, *pgx.Conn) (Finding, error){version, rights, t.room, session} {
		f, err := look(ctx, conn)
		if err != nil {
			return append(out, Finding{"connection", Bad, "a question to the server failed: " + err.Error(), "try again; if it stays, look at the provider's status page"})
		}
		out = append(out, f)
	}
	if t.SessionPooler {
		out = append(out, t.pool())
	}
	return out
}

// Failed says whether any finding is bad.
func Failed(list []Finding) bool {
	for _, f := range list {
		if f.Level == Bad {
			return true
		}
	}
	return false
}

func (t Target) config() (*pgx.ConnConfig, error) {
	// Nothing but what is said here: no settings of whoever runs this.
	cfg, err := pgx.ParseConfig("sslmode=disable host=localhost")
	if err != nil {
		return nil, err
	}
	cfg.Host, cfg.Port, cfg.Database, cfg.User, cfg.Password = t.Host, uint16(t.Port), t.Database, t.Role, t.Password
	cfg.ConnectTimeout = 10 * time.Second
	cfg.RuntimeParams = map[string]string{"application_name": "infra check"}
	// A connection without TLS is never tried, not even after one with it failed.
	cfg.Fallbacks = nil
	cfg.TLSConfig = &tls.Config{ServerName: t.Host, MinVersion: tls.VersionTLS12, InsecureSkipVerify: !t.VerifyFull}
	if t.CACertificate != "" {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM([]byte(t.CACertificate)) {
			return nil, errors.New("the authority's certificate is not PEM")
		}
		cfg.TLSConfig.RootCAs = pool
	}
	return cfg, nil
}

// refused says why no connection came about, in words that lead somewhere.
func (t Target) refused(err error) Finding {
	var (
		pg       *pgconn.PgError
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		verify   *tls.CertificateVerificationError
		dns      *net.DNSError
	)
	switch {
	case errors.As(err, &hostname):
		return Finding{"certificate", Bad, "it is not for " + t.Host, "set database.external.host to the name in the provider's settings, not to an address or an alias"}
	case errors.As(err, &unknown), errors.As(err, &invalid), errors.As(err, &verify):
		return Finding{"certificate", Bad, "it is not signed by the authority that was given", "copy the provider's certificate to database.external.caCertificate"}
	case errors.As(err, &pg) && (pg.Code == "28P01" || pg.Code == "28000"):
		return Finding{"sign-in", Bad, fmt.Sprintf("the server refuses the role %s with this password", t.Role), "set database.external.role and password anew; on Supabase's pooler the role ends in the project's reference"}
	case errors.As(err, &pg) && pg.Code == "3D000":
		return Finding{"sign-in", Bad, fmt.Sprintf("there is no database %s", t.Database), "set database.external.database"}
	case errors.As(err, &pg):
		return Finding{"sign-in", Bad, "the server says: " + pg.Message, "look at the project's settings"}
	case errors.As(err, &dns):
		return Finding{"connection", Bad, "the name " + t.Host + " is not known", "set database.external.host to the name in the provider's settings"}
	case errors.Is(err, context.DeadlineExceeded):
		return Finding{"connection", Bad, fmt.Sprintf("%s:%d did not answer in time", t.Host, t.Port), "check the address, the provider's list of allowed addresses, and that it is not reached over IPv6 only"}
	case isTLSRefusal(err):
		return Finding{"TLS", Bad, "the server does not offer TLS", "switch TLS on at the provider; without it nothing connects"}
	}
	return Finding{"connection", Bad, fmt.Sprintf("%s:%d cannot be reached", t.Host, t.Port), "check the address and the provider's list of allowed addresses"}
}

// isTLSRefusal reads the driver's words: it has no error of its own for it.
func isTLSRefusal(err error) bool {
	return strings.Contains(err.Error(), "server refused TLS connection")
}

func (t Target) encryption(conn *pgx.Conn) Finding {
	c, ok := conn.PgConn().Conn().(*tls.Conn)
	if !ok {
		return Finding{"TLS", Bad, "the connection is not encrypted", "switch TLS on at the provider"}
	}
	f := Finding{"TLS", Good, tls.VersionName(c.ConnectionState().Version) + ", the certificate is checked in full", ""}
	if !t.VerifyFull {
		f = Finding{"TLS", Warning, tls.VersionName(c.ConnectionState().Version) + ", but whose certificate it is was not checked", "set database.external.tlsMode to verify-full"}
	}
	return f
}

func version(ctx context.Context, conn *pgx.Conn) (Finding, error) {
	var n int
	if err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&n); err != nil {
		return Finding{}, err
	}
	return ofVersion(n), nil
}

// ofVersion judges a version as PostgreSQL counts them: 150014 is 15.14.
func ofVersion(n int) Finding {
	f := Finding{"version", Good, fmt.Sprintf("PostgreSQL %d.%d", n/10000, n%10000), ""}
	switch {
	case n/10000 > major:
		f.Level, f.Mend = Bad, fmt.Sprintf("the daily backup cannot dump a server newer than PostgreSQL %d, and the data could move neither back to the container nor on to AWS: make a project with PostgreSQL %[1]d (Neon asks for the version when a project is made), or set morphee:database.provider to hetzner", major)
	case n/10000 < major:
		f.Level, f.Mend = Bad, fmt.Sprintf("the services need PostgreSQL %d: make a project with it (Neon asks for the version when a project is made), or set morphee:database.provider to hetzner", major)
	}
	return f
}

func rights(ctx context.Context, conn *pgx.Conn) (Finding, error) {
	var role string
	var super, databases, roles bool
	if err := conn.QueryRow(ctx, "SELECT rolname, rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user").Scan(&role, &super, &databases, &roles); err != nil {
		return Finding{}, err
	}
	switch {
	case super, databases && roles:
		return Finding{"rights", Good, role + " may make databases and roles", ""}, nil
	case databases:
		return Finding{"rights", Bad, role + " may not make roles", "grant it CREATEROLE, or use the project's own administrator"}, nil
	}
	return Finding{"rights", Bad, role + " may not make databases", "grant it CREATEDB and CREATEROLE, or use the project's own administrator"}, nil
}

func (t Target) room(ctx context.Context, conn *pgx.Conn) (Finding, error) {
	var most, used int
	if err := conn.QueryRow(ctx, "SELECT current_setting('max_connections')::int, (SELECT count(*) FROM pg_stat_activity)").Scan(&most, &used); err != nil {
		return Finding{}, err
	}
	f := Finding{"connections", Good, fmt.Sprintf("%d of %d are in use", used, most), ""}
	if most-used < t.Connections {
		f.Level, f.Mend = Warning, fmt.Sprintf("the services may use %d together (morphee:alarms.databaseConnections): choose a larger size at the provider", t.Connections)
	}
	return f, nil
}

// pool says what the pooler has to be set to: nobody but the provider can read what it is.
func (t Target) pool() Finding {
	return Finding{"pool", Warning, "in session mode the pooler refuses every session beyond its pool size (15 at Supabase's small sizes, unless set), which cannot be read from here",
		fmt.Sprintf("set the pool size in the project's database settings to %d or more: sign-in alone opens up to %d, the backend and Forgejo add theirs", max(t.Connections, t.SignIn), t.SignIn)}
}

// session tells a pooler in transaction mode, which gives every transaction another connection: what
// a session sets is not there in the next one.
func session(ctx context.Context, conn *pgx.Conn) (Finding, error) {
	const name = "infra_check"
	mend := "use the direct port, or the pooler in session mode (5432): in transaction mode prepared statements break"
	if _, err := conn.Prepare(ctx, name, "SELECT 1"); err != nil {
		return Finding{}, err
	}
	for range 5 {
		var one int
		if err := conn.QueryRow(ctx, name).Scan(&one); err != nil {
			return Finding{"sessions", Bad, "a prepared statement was gone", mend}, nil
		}
	}
	var pid, again uint32
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		return Finding{}, err
	}
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&again); err != nil {
		return Finding{}, err
	}
	if pid != again {
		return Finding{"sessions", Bad, "two questions were answered by two connections", mend}, nil
	}
	return Finding{"sessions", Good, "a session keeps its connection", ""}, nil
}
