package aws

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
		// A member of rds_iam, however indirect, gets in with IAM or not at all.
		Superuser: "rdsadmin", Password: "unused", HBA: "local all rdsadmin trust\nlocal all +rds_iam reject\nlocal all all scram-sha-256\n", Settings: []string{"log_statement=all"},
	}), t}
	p.sql("rdsadmin", "", "postgres", `CREATE ROLE rds_iam; CREATE ROLE rds_superuser IN ROLE pg_monitor, pg_signal_backend, pg_read_all_data;
		CREATE ROLE morphee_admin LOGIN CREATEROLE CREATEDB IN ROLE rds_superuser PASSWORD 'master'`)
	p.sql("rdsadmin", "", "postgres", `CREATE DATABASE morphee OWNER morphee_admin`)
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
	if out, err := p.tryBootstrap(name, role, password, schemas...); err != nil {
		p.t.Fatalf("%v\n%s", err, out)
	}
}

func (p *postgres) bootstrapFails(name, role, password, want string) {
	p.t.Helper()
	if out, err := p.tryBootstrap(name, role, password); err == nil || !strings.Contains(out, want) {
		p.t.Errorf("%s of %s: %v, want a failure with %q\n%s", name, role, err, want, out)
	}
}

func (p *postgres) tryBootstrap(name, role, password string, schemas ...string) (string, error) {
	args := DatabaseBootstrapArgs{Name: name, Role: role, Schemas: schemas}
	env := []string{"PGHOST=" + p.Dir, "PGDATABASE=morphee", "PGUSER=morphee_admin", "PGPASSWORD=master", "ROLE_NAME=" + role, "DATABASE_NAME=" + name}
	if password != "" {
		args.PasswordArn = pulumi.String("arn")
		env = append(env, "ROLE_PASSWORD="+password)
	}
	run := exec.Command("sh", "-c", bootstrapScript)
	run.Env = append([]string{"PATH=" + os.Getenv("PATH")}, append(env, "ROLE_SQL="+args.roleSQL(), "DATABASE_SQL="+args.databaseSQL())...)
	out, err := run.CombinedOutput()
	return string(out), err
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
		"SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'forgejo'":       "forgejo",
		"SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'morphee'":       "backend",
		"SELECT schemaname || ' ' || tableowner FROM pg_tables WHERE tablename = 'users'": "auth gotrue",
		memberships: "backend in backend_tables, backend in rds_iam, morphee_admin in backend_tables, morphee_admin in forgejo, morphee_admin in gotrue",
		"SELECT count(*) FROM pg_roles WHERE rolname IN ('backend', 'forgejo', 'gotrue') AND (rolsuper OR rolcreaterole OR rolcreatedb)": "0",
		"SELECT has_database_privilege('morphee_admin', 'forgejo', 'CONNECT')":                                                           "t",
		"SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = 'backend'":                                                            "t",
	} {
		if got := p.sql("rdsadmin", "", "morphee", query); got != want {
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
	if got := p.sql("rdsadmin", "", "morphee", memberships); got != "backend in backend_tables, morphee_admin in backend, morphee_admin in backend_tables, morphee_admin in forgejo, morphee_admin in gotrue" {
		t.Errorf("with passwords alone: %s", got)
	}
	p.bootstrap("morphee", "backend", "")
	if got := p.sql("morphee_admin", "master", "morphee", memberships); got != "backend in backend_tables, backend in rds_iam, morphee_admin in backend_tables, morphee_admin in forgejo, morphee_admin in gotrue" {
		t.Errorf("with IAM again: %s", got)
	}
	// A role that is let in with its password, and is a member of one that is not.
	p.sql("rdsadmin", "", "morphee", "CREATE ROLE between; GRANT between TO forgejo; GRANT backend TO between; REVOKE forgejo FROM morphee_admin")
	for range 2 {
		p.bootstrap("morphee", "backend", "")
		p.bootstrapFails("forgejo", "forgejo", "canary-rotated", "rds_iam")
		p.sql("morphee_admin", "master", "morphee", "SELECT 1")
	}
	// The other way round: the one with a password was there first.
	p.sql("rdsadmin", "", "morphee", "REVOKE backend FROM between; CREATE ROLE late LOGIN; GRANT late TO between")
	p.bootstrap("forgejo", "forgejo", "canary-rotated")
	p.bootstrapFails("morphee", "late", "", "rds_iam")
	p.sql("morphee_admin", "master", "morphee", "SELECT 1")
}

// memberships are those that are not the cloud's own.
const memberships = `SELECT string_agg(format('%s in %s', member::regrole, roleid::regrole), ', ' ORDER BY member::regrole::text, roleid::regrole::text)
	FROM pg_auth_members WHERE roleid::regrole::text !~ '^pg_' AND roleid <> 'rds_superuser'::regrole`

// Sign-in's migrations grant to a role postgres and protect the rows of all of its tables; the daily
// export reads them as the master user all the same.
func TestSignInsTablesAreExported(t *testing.T) {
	p := startPostgres(t)
	// A database as earlier releases left it, which had no such role and left the master out.
	p.sql("morphee_admin", "master", "postgres", `CREATE ROLE auth LOGIN; CREATE DATABASE auth`)
	p.sql("morphee_admin", "master", "postgres", `BEGIN; GRANT auth TO CURRENT_USER; ALTER DATABASE auth OWNER TO auth; REVOKE ALL ON DATABASE auth FROM PUBLIC;
		GRANT CONNECT ON DATABASE auth TO CURRENT_USER; REVOKE auth FROM CURRENT_USER; COMMIT`)
	for range 2 {
		p.bootstrap("auth", "auth", "canary-auth", "auth")
		p.bootstrap("morphee", "backend", "")
	}
	p.sql("auth", "canary-auth", "auth", testtools.GoTrueMigration())
	p.bootstrap("auth", "auth", "canary-auth", "auth")
	dump := exec.Command(filepath.Join(p.Bin, "pg_dump"), "-h", p.Dir, "-U", "morphee_admin", "-w", "-d", "auth")
	dump.Env = []string{"PGPASSWORD=master"}
	out, err := dump.CombinedOutput()
	if err != nil || strings.Count(string(out), "@example.org") != 50 {
		t.Fatalf("the dump: %v\n%s", err, out)
	}
	for statement, want := range map[string]int{"ENABLE ROW LEVEL SECURITY;": len(testtools.GoTrueTables), "TO postgres WITH GRANT OPTION;": len(testtools.GoTrueTables)} {
		if got := strings.Count(string(out), statement); got != want {
			t.Errorf("the dump has %q %d times, want %d", statement, got, want)
		}
	}
	for query, want := range map[string]string{
		"SELECT rolcanlogin OR rolsuper OR rolcreaterole OR rolcreatedb OR rolpassword IS NOT NULL FROM pg_authid WHERE rolname = 'postgres'": "f",
		memberships: "backend in backend_tables, backend in rds_iam, morphee_admin in auth, morphee_admin in backend_tables",
	} {
		if got := p.sql("rdsadmin", "", "auth", query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}

// The backend signs in with IAM, so the master may be no member of its role: not even to export what it
// protects with row level security.
func TestTheBackendsProtectedTablesAreExported(t *testing.T) {
	p := startPostgres(t)
	p.bootstrap("morphee", "backend", "")
	as := func(sql string) string {
		t.Helper()
		return p.sql("rdsadmin", "", "morphee", "SET SESSION AUTHORIZATION backend; "+sql)
	}
	as(`CREATE SCHEMA more; CREATE TABLE more.parents (id serial PRIMARY KEY); ALTER TABLE more.parents ENABLE ROW LEVEL SECURITY;
		CREATE TABLE "Odd Notes" (id serial, body text, parent int REFERENCES more.parents); ALTER TABLE "Odd Notes" ENABLE ROW LEVEL SECURITY;
		CREATE POLICY none ON "Odd Notes" USING (false); CREATE TABLE plain (id int); INSERT INTO more.parents DEFAULT VALUES; INSERT INTO "Odd Notes" (body, parent) VALUES ('protected', 1)`)
	dump := func() (string, error) {
		cmd := exec.Command(filepath.Join(p.Bin, "pg_dump"), "-h", p.Dir, "-U", "morphee_admin", "-w", "-d", "morphee")
		cmd.Env = []string{"PGPASSWORD=master"}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := dump(); err == nil {
		t.Fatalf("this test shows nothing: %s", out)
	}
	p.bootstrap("morphee", "backend", "") // as when its task starts the next time
	out, err := dump()
	if err != nil || !strings.Contains(out, "protected") || !strings.Contains(out, `CREATE POLICY "none"`) {
		t.Errorf("the dump: %v\n%s", err, out)
	}
	p.sql("morphee_admin", "master", "morphee", "SELECT 1")
	if got := as(`INSERT INTO "Odd Notes" (body, parent) VALUES ('more', 1); DELETE FROM more.parents WHERE id = 2; ALTER TABLE "Odd Notes" ADD at date; SELECT count(*) FROM "Odd Notes"`); got != "2" {
		t.Errorf("the backend sees %s of its rows, want 2", got)
	}
	if got := p.sql("rdsadmin", "", "morphee", "SELECT string_agg(tablename || ' ' || tableowner, ', ' ORDER BY tablename) FROM pg_tables WHERE schemaname IN ('public', 'more')"); got != "Odd Notes backend_tables, parents backend_tables, plain backend" {
		t.Errorf("the tables are %s", got)
	}
	// In use, it is left as it is, and the task starts.
	as(`CREATE TABLE busy (id int); ALTER TABLE busy ENABLE ROW LEVEL SECURITY`)
	hold := exec.Command(filepath.Join(p.Bin, "psql"), "-Xq", "-h", p.Dir, "-U", "rdsadmin", "-d", "morphee", "-c", "BEGIN; TABLE busy; SELECT pg_sleep(60)")
	if err := hold.Start(); err != nil {
		t.Fatal(err)
	}
	for p.sql("rdsadmin", "", "morphee", "SELECT count(*) FROM pg_locks WHERE relation = 'busy'::regclass") == "0" {
		time.Sleep(50 * time.Millisecond)
	}
	if out, err := p.tryBootstrap("morphee", "backend", ""); err != nil || !strings.Contains(out, "the table busy is in use") {
		t.Errorf("a table in use: %v %s", err, out)
	}
	_ = hold.Process.Kill()
	_ = hold.Wait()
	p.sql("rdsadmin", "", "morphee", "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = 'busy'::regclass")
	p.bootstrap("morphee", "backend", "")
	if got := p.sql("rdsadmin", "", "morphee", "SELECT tableowner FROM pg_tables WHERE tablename = 'busy'"); got != "backend_tables" {
		t.Errorf("the table that was in use is of %s", got)
	}
}

func TestDatabaseBootstrapRefuses(t *testing.T) {
	db := &AuroraOrRds{MasterUsername: "morphee_admin"}
	image := pulumi.String("postgres:15.12")
	for field, args := range map[string]DatabaseBootstrapArgs{
		"Database: got nothing":   {Image: image, Name: "a", Role: "a"},
		"Image: got nothing":      {Database: db, Name: "a", Role: "a"},
		`Name: got a"b`:           {Database: db, Image: image, Name: `a"b`, Role: "a"},
		"Role: got xxxxx":         {Database: db, Image: image, Name: "a", Role: strings.Repeat("x", 57)},
		"Role: got A":             {Database: db, Image: image, Name: "a", Role: "A"},
		"Role: got rdsadmin":      {Database: db, Image: image, Name: "a", Role: "rdsadmin"},
		"Role: got postgres":      {Database: db, Image: image, Name: "a", Role: "postgres"},
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
