package aws

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// postgres is a server of the test's own, listening on a socket in dir.
type postgres struct {
	t   *testing.T
	dir string
	as  *syscall.SysProcAttr
}

// startPostgres makes a server with a master user like that of RDS: it may make roles and databases
// and is no superuser. Without the server's programs on this machine the test is skipped.
func startPostgres(t *testing.T) *postgres {
	t.Helper()
	initdb, server := program("initdb"), program("postgres")
	if initdb == "" || server == "" || program("psql") == "" {
		t.Skip("no PostgreSQL on this machine")
	}
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &postgres{t: t, dir: dir, as: &syscall.SysProcAttr{Setsid: true}}
	if os.Getuid() == 0 { // PostgreSQL refuses to run as root
		p.as.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
		if err := os.Chown(dir, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	data := filepath.Join(dir, "data")
	p.must(nil, initdb, "-D", data, "-U", "postgres", "-A", "trust", "--no-sync")
	hba := "local all postgres trust\nlocal all all scram-sha-256\n"
	if err := os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte(hba), 0o644); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(server, "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "log_statement=all", "-c", "fsync=off")
	cmd.SysProcAttr, cmd.Stderr, cmd.Dir = p.as, log, dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Signal(syscall.SIGINT); cmd.Wait(); log.Close() })
	p.must(nil, "sh", "-c", `i=0; until pg_isready -q -h "$0" -U postgres; do i=$((i+1)); [ $i -lt 100 ] || exit 1; sleep 0.1; done`, dir)
	p.sql("postgres", "", "postgres", `CREATE ROLE rds_iam; CREATE ROLE morphee_admin LOGIN CREATEROLE CREATEDB PASSWORD 'master'`)
	p.sql("postgres", "", "postgres", `CREATE DATABASE morphee OWNER morphee_admin`)
	return p
}

// program is the newest of that name, on the path or where Debian puts it.
func program(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	slices.Sort(found)
	if len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}

func (p *postgres) run(env []string, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr, cmd.Dir = p.as, p.dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "HOME=" + p.dir}, env...)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (p *postgres) must(env []string, name string, args ...string) string {
	p.t.Helper()
	out, err := p.run(env, name, args...)
	if err != nil {
		p.t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return out
}

func (p *postgres) try(user, password, database, sql string) (string, error) {
	return p.run([]string{"PGPASSWORD=" + password}, "psql", "-h", p.dir, "-U", user, "-d", database, "-X", "-At", "-v", "ON_ERROR_STOP=1", "-c", sql)
}

func (p *postgres) sql(user, password, database, sql string) string {
	p.t.Helper()
	out, err := p.try(user, password, database, sql)
	if err != nil {
		p.t.Fatalf("%s in %s as %s: %v\n%s", sql, database, user, err, out)
	}
	return out
}

// bootstrap runs what the container runs.
func (p *postgres) bootstrap(name, role, password string, schemas ...string) {
	p.t.Helper()
	args := DatabaseBootstrapArgs{Name: name, Role: role, Schemas: schemas}
	env := []string{"PGHOST=" + p.dir, "PGDATABASE=morphee", "PGUSER=morphee_admin", "PGPASSWORD=master", "ROLE_NAME=" + role, "DATABASE_NAME=" + name}
	if password != "" {
		args.PasswordArn = pulumi.String("arn")
		env = append(env, "ROLE_PASSWORD="+password)
	}
	p.must(append(env, "ROLE_SQL="+args.roleSQL(), "DATABASE_SQL="+args.databaseSQL()), "sh", "-c", bootstrapScript)
}

func TestDatabaseBootstrapOnPostgres(t *testing.T) {
	p := startPostgres(t)
	for range 2 { // as often as tasks start
		p.bootstrap("forgejo", "forgejo", "canary-forgejo")
		p.bootstrap("morphee", "backend", "") // logs in with IAM
		p.bootstrap("morphee", "gotrue", "canary-gotrue", "auth")
	}
	p.sql("forgejo", "canary-forgejo", "forgejo", "CREATE TABLE mine (id int)")
	p.sql("gotrue", "canary-gotrue", "morphee", "CREATE TABLE users (id int)")
	for query, want := range map[string]string{
		"SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'forgejo'":                                                           "forgejo",
		"SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'morphee'":                                                           "backend",
		"SELECT schemaname || ' ' || tableowner FROM pg_tables WHERE tablename = 'users'":                                                     "auth gotrue",
		"SELECT pg_get_userbyid(roleid) || ' ' || pg_get_userbyid(member) FROM pg_auth_members WHERE pg_get_userbyid(roleid) NOT LIKE 'pg_%'": "rds_iam backend",
		"SELECT count(*) FROM pg_roles WHERE rolname IN ('backend', 'forgejo', 'gotrue') AND (rolsuper OR rolcreaterole OR rolcreatedb)":      "0",
		"SELECT has_database_privilege('morphee_admin', 'forgejo', 'CONNECT')":                                                                "t",
		"SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = 'backend'":                                                                 "t",
	} {
		if got := p.sql("postgres", "", "morphee", query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for what, c := range map[string][3]string{
		"another role's database": {"gotrue", "canary-gotrue", "forgejo"},
		"a wrong password":        {"forgejo", "wrong", "forgejo"},
	} {
		if out, err := p.try(c[0], c[1], c[2], "SELECT 1"); err == nil {
			t.Errorf("%s let in: %s", what, out)
		}
	}
	if out, err := p.try("gotrue", "canary-gotrue", "morphee", "CREATE TABLE public.theirs (id int)"); err == nil {
		t.Errorf("a second role may write to the owner's schema: %s", out)
	}

	p.bootstrap("forgejo", "forgejo", "canary-rotated")
	p.sql("forgejo", "canary-rotated", "forgejo", "SELECT 1")
	if _, err := p.try("forgejo", "canary-forgejo", "forgejo", "SELECT 1"); err == nil {
		t.Error("the old password is still good")
	}
	log, err := os.ReadFile(filepath.Join(p.dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(log), `CREATE ROLE "forgejo"`) || strings.Contains(string(log), "canary-") {
		t.Error("the server's log shows no statements, or shows a password")
	}

	// From IAM to a password and back.
	p.bootstrap("morphee", "backend", "canary-backend")
	p.sql("backend", "canary-backend", "morphee", "SELECT 1")
	if got := p.sql("postgres", "", "morphee", "SELECT count(*) FROM pg_auth_members WHERE pg_get_userbyid(roleid) = 'rds_iam'"); got != "0" {
		t.Error("a member of rds_iam cannot log in with a password")
	}
}

func TestDatabaseBootstrapRefuses(t *testing.T) {
	db := &AuroraOrRds{MasterUsername: "morphee_admin"}
	image := pulumi.String("postgres:15.12")
	for field, args := range map[string]DatabaseBootstrapArgs{
		"Database: got nothing":   {Image: image, Name: "a", Role: "a"},
		"Image: got nothing":      {Database: db, Name: "a", Role: "a"},
		`Name: got a"b`:           {Database: db, Image: image, Name: `a"b`, Role: "a"},
		"Role: got A":             {Database: db, Image: image, Name: "a", Role: "A"},
		"Role: got rdsadmin":      {Database: db, Image: image, Name: "a", Role: "rdsadmin"},
		"Role: got morphee_admin": {Database: db, Image: image, Name: "a", Role: "morphee_admin"},
		"Schemas: got pg_x":       {Database: db, Image: image, Name: "a", Role: "a", Schemas: []string{"pg_x"}},
		"Schemas: got a":          {Database: db, Image: image, Name: "a", Role: "a", Schemas: []string{"a", "a"}},
	} {
		_, err := DatabaseBootstrap(args)
		wantError(t, err, field)
	}
	c, err := DatabaseBootstrap(DatabaseBootstrapArgs{Database: db, Image: image, Name: "a_b", Role: "a_b"})
	if err != nil || c.Name != "database-a-b" || !c.Init || fmt.Sprint(sortedKeys(c.Secrets)) != "[PGPASSWORD PGUSER]" {
		t.Errorf("%+v %v", c, err)
	}
}
