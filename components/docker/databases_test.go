package docker

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/testtools"
)

// pgServer is a real PostgreSQL with the settings of the container.
type pgServer struct {
	*testtools.Postgres
	t *testing.T
}

func startPostgres(t *testing.T) *pgServer {
	t.Helper()
	var settings []string
	for _, flag := range (&PostgresArgs{Limits: Limits{MemoryMiB: 512}}).flags()[1:] {
		if flag != "-c" {
			settings = append(settings, flag)
		}
	}
	s := &pgServer{testtools.StartPostgres(t, testtools.PostgresOptions{Superuser: superuser, Password: "super", Settings: settings}), t}
	s.write("superuser-password", "super")
	return s
}

func (s *pgServer) write(name, content string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.Dir, name), []byte(content), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// prepare runs the container's script with the list of databases.
func (s *pgServer) prepare(list string, env ...string) (string, error) {
	s.write("databases.list", list)
	s.write("databases.sql", databasesSQL)
	script := strings.NewReplacer("dir="+DefaultFilesPath, "dir="+s.Dir, "/tmp/ready", s.Dir+"/ready", "exec sleep infinity", "exit 0").Replace(databasesScript)
	cmd := exec.Command("sh", "-c", script)
	cmd.Env = append(os.Environ(), "PATH="+s.Bin+":"+os.Getenv("PATH"), "PGHOST="+s.Dir, "PGUSER="+superuser)
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// query answers as the role, or with psql's error.
func (s *pgServer) query(role, password, db, sql string) (string, error) {
	return s.SQLAs(role, password, db, sql)
}

func TestDatabasesOnRealPostgres(t *testing.T) {
	s := startPostgres(t)
	s.write("morphee-password", "app1")
	s.write("auth-password", "auth1")
	list := (&PostgresDatabasesArgs{Databases: []Database{{Name: "morphee", Owner: "morphee"}, {Name: "auth", Owner: "auth", Schema: "auth"}}}).list()
	if out, err := s.prepare(list); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got, err := s.query("auth", "auth1", "auth", "show search_path"); err != nil || got != "auth" {
		t.Errorf("search path is %q, %v", got, err)
	}
	if out, err := s.query("morphee", "app1", "morphee", "create table kept (i int); insert into kept values (7)"); err != nil {
		t.Errorf("the owner can not use its database: %s", out)
	}
	if out, err := s.query("auth", "auth1", "morphee", "select 1"); err == nil || !strings.Contains(out, "permission denied") {
		t.Errorf("another service's database answers: %s", out)
	}
	for _, sql := range []string{"create role x", "create database x", "select pg_read_file('PG_VERSION')"} {
		if out, err := s.query("morphee", "app1", "morphee", sql); err == nil {
			t.Errorf("the role may %s: %s", sql, out)
		}
	}

	// Again, on a server that has it all, with another password: as after a restore.
	s.write("auth-password", "auth2")
	if out, err := s.prepare(list); err != nil {
		t.Fatalf("second run: %v\n%s", err, out)
	}
	if _, err := s.query("auth", "auth1", "auth", "select 1"); err == nil {
		t.Error("the old password still works")
	}
	if out, err := s.query("auth", "auth2", "auth", "select 1"); err != nil {
		t.Errorf("the new password does not work: %s", out)
	}
	if got, err := s.query("morphee", "app1", "morphee", "select i from kept"); err != nil || got != "7" {
		t.Errorf("data after the second run: %q, %v", got, err)
	}

	// A failure is one, and leaves no password behind.
	s.write("pg_bad-password", "CANARYlog")
	if err := os.Remove(filepath.Join(s.Dir, "ready")); err != nil {
		t.Fatal(err)
	}
	if out, err := s.prepare("bad pg_bad -\n"); err == nil {
		t.Errorf("a role that can not be made counts as made: %s", out)
	}
	if _, err := os.Stat(filepath.Join(s.Dir, "ready")); err == nil {
		t.Error("it says it is ready after a failure")
	}
	log, err := os.ReadFile(filepath.Join(s.Dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"CANARY", "auth1", "auth2", "app1", "super'"} {
		if strings.Contains(string(log), secret) {
			t.Errorf("%s is in the server's log", secret)
		}
	}
}

// On a server that somebody else runs, the administrator may make databases and roles and no more.
func TestDatabasesByAnAdministratorWhoIsNoSuperuser(t *testing.T) {
	s := startPostgres(t)
	for _, sql := range []string{"create role cloud_admin login createdb createrole password 'admin1'", "create database neondb owner cloud_admin"} {
		if out, err := s.query(superuser, "super", "postgres", sql); err != nil {
			t.Fatal(out)
		}
	}
	s.write("superuser-password", "admin1")
	s.write("morphee-password", "app1")
	s.write("auth-password", "auth1")
	list := (&PostgresDatabasesArgs{Databases: []Database{{Name: "morphee", Owner: "morphee"}, {Name: "auth", Owner: "auth", Schema: "auth"}}}).list()
	for _, password := range []string{"auth1", "auth2"} {
		s.write("auth-password", password)
		if out, err := s.prepare(list, "PGUSER=cloud_admin", "MAINTENANCE_DATABASE=neondb"); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if got, err := s.query("auth", password, "auth", "show search_path"); err != nil || got != "auth" {
			t.Errorf("search path is %q, %v", got, err)
		}
		if out, err := s.query("auth", password, "auth", "create table if not exists auth.users (id int)"); err != nil {
			t.Errorf("the owner can not use its schema: %s", out)
		}
	}
	if out, err := s.query("auth", "auth2", "morphee", "select 1"); err == nil || !strings.Contains(out, "permission denied") {
		t.Errorf("another service's database answers: %s", out)
	}
	if got, err := s.query(superuser, "super", "postgres", "select rolsuper or rolcreatedb or rolcreaterole from pg_roles where rolname = 'morphee'"); err != nil || got != "f" {
		t.Errorf("the role may too much: %s %v", got, err)
	}
	// The daily dump reads it as the administrator.
	cmd := exec.Command(filepath.Join(s.Bin, "pg_dump"), "-h", s.Dir, "-U", "cloud_admin", "-w", "auth")
	cmd.Env = append(os.Environ(), "PGPASSWORD=admin1")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "CREATE TABLE auth.users") {
		t.Errorf("the dump: %v\n%s", err, out)
	}
	cmd = exec.Command(filepath.Join(s.Bin, "pg_dumpall"), "-h", s.Dir, "-U", "cloud_admin", "-w", "-l", "neondb", "--globals-only", "--no-role-passwords")
	cmd.Env = append(os.Environ(), "PGPASSWORD=admin1")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "CREATE ROLE morphee") || !strings.Contains(string(out), "cluster dump complete") {
		t.Errorf("the list of roles: %v\n%s", err, out)
	}
}

// Sign-in's migrations grant to a role postgres and protect the rows of all of its tables, on whatever
// server; the daily dump reads them as that server's administrator all the same.
func TestSignInsTablesOnEveryServer(t *testing.T) {
	list := (&PostgresDatabasesArgs{Databases: []Database{{Name: "morphee", Owner: "morphee"}, {Name: "auth", Owner: "auth", Schema: "auth"}}}).list()
	for server, c := range map[string]struct {
		superuser, admin string
		setup            string // makes the administrator, on a server that somebody else runs
	}{
		"the container, and Hetzner's server": {superuser: superuser, admin: superuser},
		// Its postgres is no superuser. See https://supabase.com/docs/guides/database/postgres/roles.
		"Supabase": {superuser: "supabase_admin", admin: "postgres", setup: "create role postgres login createdb createrole replication bypassrls password 'super'"},
		// Projects of before August 2023 have administrators without BYPASSRLS.
		"Neon": {superuser: "cloud_admin", admin: "neondb_owner", setup: `create role neon_superuser createdb createrole nologin in role pg_read_all_data, pg_write_all_data;
			create role neondb_owner login createdb createrole in role neon_superuser password 'super'; create database neondb owner neondb_owner`},
	} {
		t.Run(server, func(t *testing.T) {
			t.Parallel()
			s := &pgServer{testtools.StartPostgres(t, testtools.PostgresOptions{Superuser: c.superuser, Password: "super"}), t}
			if c.setup != "" {
				s.SQL("postgres", c.setup)
			}
			for _, file := range []string{"superuser-password", "morphee-password", "auth-password"} {
				s.write(file, "super")
			}
			env := []string{"PGUSER=" + c.admin}
			if c.admin == "neondb_owner" {
				env = append(env, "MAINTENANCE_DATABASE=neondb")
			}
			for range 2 {
				if out, err := s.prepare(list, env...); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				if out, err := s.query("auth", "super", "auth", testtools.GoTrueMigration()+"delete from auth.users; insert into auth.users (email) values ('one@example.org')"); err != nil {
					t.Fatalf("sign-in does not start: %s", out)
				}
			}
			cmd := exec.Command(filepath.Join(s.Bin, "pg_dump"), "-h", s.Dir, "-U", c.admin, "-w", "auth")
			cmd.Env = append(os.Environ(), "PGPASSWORD=super")
			if out, err := cmd.CombinedOutput(); err != nil || strings.Count(string(out), "ENABLE ROW LEVEL SECURITY") != len(testtools.GoTrueTables) || !strings.Contains(string(out), "one@example.org") {
				t.Errorf("the dump: %v\n%s", err, out)
			}
			if out, err := s.query("morphee", "super", "auth", "select 1"); err == nil {
				t.Errorf("the backend reads sign-in's database: %s", out)
			}
			// The moves of docs/migrate/1-to-2.md: from the container to here, and back.
			container := &pgServer{testtools.StartPostgres(t, testtools.PostgresOptions{Superuser: superuser, Password: "super"}), t}
			for _, file := range []string{"superuser-password", "morphee-password", "auth-password"} {
				container.write(file, "super")
			}
			if out, err := container.prepare(list); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if out, err := container.query("auth", "super", "auth", testtools.GoTrueMigration()+"create policy mine on auth.users using (email like '1%')"); err != nil {
				t.Fatal(out)
			}
			const state = `select count(*), (select string_agg(email, '' order by email) from auth.users), bool_and(relrowsecurity), string_agg(distinct array_to_string(relacl, ','), ' '),
				string_agg(distinct pg_get_userbyid(relowner), ' '), (select string_agg(policyname || qual, '') from pg_policies) from pg_class where relnamespace = 'auth'::regnamespace and relkind = 'r'`
			want := container.SQL("auth", state)
			move := func(from *pgServer, fromUser string, to *pgServer, toUser string) {
				t.Helper()
				script := fmt.Sprintf(`set -o pipefail; pg_dump -Fc -Z0 --no-comments -h %s -U %s -d auth | pg_restore --single-transaction --clean --if-exists -h %s -U %s -d auth`, from.Dir, fromUser, to.Dir, toUser)
				cmd := exec.Command("bash", "-c", script)
				cmd.Env = append(os.Environ(), "PATH="+s.Bin+":"+os.Getenv("PATH"), "PGPASSWORD=super")
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("from %s to %s: %v\n%s", fromUser, toUser, err, out)
				}
				if got := to.SQL("auth", state); got != want {
					t.Errorf("from %s to %s: the tables are\n%s\nwant\n%s", fromUser, toUser, got, want)
				}
			}
			move(container, superuser, s, c.admin)
			container.SQL("auth", "truncate auth.users cascade; alter table auth.users disable row level security")
			move(s, c.admin, container, superuser)
			if got := s.SQL("postgres", "select rolname from pg_roles where rolname = 'postgres' and (rolcanlogin or rolsuper)"); c.admin == "neondb_owner" && got != "" {
				t.Error("somebody signs in as a role that is nobody's")
			}
		})
	}
}

func TestScriptsShellcheck(t *testing.T) {
	shellcheck := testtools.Need(t, "shellcheck", "shellcheck")
	if out, err := exec.Command(shellcheck, "files/databases.sh", "files/redis-start.sh", "files/redis-health.sh", "files/sentinel-start.sh").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
