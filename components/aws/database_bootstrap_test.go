package aws

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/testtools"
)

// postgres is a server of the test's own, with a master user like that of RDS: it may make roles and
// databases and is no superuser.
type postgres struct {
	*testtools.Postgres
	t *testing.T
}

func startPostgres(t *testing.T) *postgres {
	t.Helper()
	p := &postgres{testtools.StartPostgres(t, testtools.PostgresOptions{
		Password: "unused", HBA: "local all postgres trust\nlocal all all scram-sha-256\n", Settings: []string{"log_statement=all"},
	}), t}
	p.sql("postgres", "", "postgres", `CREATE ROLE rds_iam; CREATE ROLE morphee_admin LOGIN CREATEROLE CREATEDB PASSWORD 'master'`)
	p.sql("postgres", "", "postgres", `CREATE DATABASE morphee OWNER morphee_admin`)
	return p
}

func (p *postgres) sql(user, password, database, sql string) string {
	p.t.Helper()
	out, err := p.SQLAs(user, password, database, sql)
	if err != nil {
		p.t.Fatalf("%s in %s as %s: %v\n%s", sql, database, user, err, out)
	}
	return out
}

// bootstrap runs what the container runs.
func (p *postgres) bootstrap(name, role, password string, schemas ...string) {
	p.t.Helper()
	args := DatabaseBootstrapArgs{Name: name, Role: role, Schemas: schemas}
	env := []string{"PGHOST=" + p.Dir, "PGDATABASE=morphee", "PGUSER=morphee_admin", "PGPASSWORD=master", "ROLE_NAME=" + role, "DATABASE_NAME=" + name}
	if password != "" {
		args.PasswordArn = pulumi.String("arn")
		env = append(env, "ROLE_PASSWORD="+password)
	}
	run := exec.Command("sh", "-c", bootstrapScript)
	run.Env = append([]string{"PATH=" + os.Getenv("PATH")}, append(env, "ROLE_SQL="+args.roleSQL(), "DATABASE_SQL="+args.databaseSQL())...)
	if out, err := run.CombinedOutput(); err != nil {
		p.t.Fatalf("%v\n%s", err, out)
	}
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
		if out, err := p.SQLAs(c[0], c[1], c[2], "SELECT 1"); err == nil {
			t.Errorf("%s let in: %s", what, out)
		}
	}
	if out, err := p.SQLAs("gotrue", "canary-gotrue", "morphee", "CREATE TABLE public.theirs (id int)"); err == nil {
		t.Errorf("a second role may write to the owner's schema: %s", out)
	}

	p.bootstrap("forgejo", "forgejo", "canary-rotated")
	p.sql("forgejo", "canary-rotated", "forgejo", "SELECT 1")
	if _, err := p.SQLAs("forgejo", "canary-forgejo", "forgejo", "SELECT 1"); err == nil {
		t.Error("the old password is still good")
	}
	log, err := os.ReadFile(filepath.Join(p.Dir, "log"))
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
