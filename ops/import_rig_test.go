package ops

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/testtools"
)

const (
	masterPassword = "canary-master"
	bucketKey      = "canary-bucket-key"
	fixedStamp     = "20260220T031500Z"
	laterStamp     = "20260221T031500Z"
)

// migration is a server and AWS, each with a PostgreSQL of its own, and the bucket between them.
type migration struct {
	t           *testing.T
	server, aws *rig
	bucket      *s3
	outputs     strings.Builder
}

func newMigration(t *testing.T) *migration {
	m := &migration{t: t, server: newRig(t), aws: newRig(t), bucket: newS3(t, "bucket-key-id")}
	m.server.pg = testtools.StartPostgres(t, testtools.PostgresOptions{Password: `pa:ss\word`})
	// As on RDS, a member of rds_iam, however indirect, gets in with IAM or not at all.
	m.aws.pg = testtools.StartPostgres(t, testtools.PostgresOptions{
		Superuser: "rdsadmin", Password: "rdsadmin", HBA: "local all rdsadmin scram-sha-256\nlocal all +rds_iam reject\nlocal all all scram-sha-256\n"})
	remote := []string{"REMOTE_TYPE=s3", "REMOTE_PROVIDER=Other", "REMOTE_PATH=backups", "REMOTE_ENDPOINT=" + m.bucket.URL, "REMOTE_REGION=auto", "NO_PROXY=127.0.0.1", "AWS_CA_BUNDLE=",
		"DATABASES=morphee auth forgejo"}
	for r, name := range map[*rig]string{m.server: "server", m.aws: "aws"} {
		write(t, r.dir+"/secrets/remote_access_key_id", "bucket-key-id", 0o600)
		write(t, r.dir+"/secrets/remote_secret_access_key", bucketKey, 0o600)
		r.env = append(append(r.env, remote...), "PGHOST="+r.pg.Dir, "NAME="+name)
	}
	write(t, m.aws.dir+"/secrets/postgres_password", masterPassword, 0o600)
	m.aws.env = append(m.aws.env, "PGUSER=morphee_admin", "DATABASES=morphee=app auth forgejo", "TARGETS_DIR="+m.aws.dir+"/targets", "SOURCES_DIR="+m.aws.dir+"/targets")
	for _, name := range []string{"forgejo", "memory", "files"} {
		write(t, filepath.Join(m.aws.dir, "targets", name, "of the smoke test/left"), "x", 0o644)
	}
	if os.Geteuid() == 0 { // the task's user is not root, and the file system lets nobody give files away
		m.aws.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1000, Gid: 1000}}
		if out, err := exec.Command("chown", "-R", "1000:1000", m.aws.dir).CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
	}
	m.serverData()
	m.awsData()
	return m
}

func (m *migration) serverData() {
	pg := m.server.pg
	pg.SQL("postgres", `create role morphee login password 'server-morphee'; create role auth login password 'server-auth'; create role forgejo login password 'server-forgejo';
		create role reporting; create role "Odd Role"`)
	for _, db := range []string{"morphee", "auth", "forgejo"} {
		pg.SQL("postgres", "create database "+db+" owner "+db)
		pg.SQL("postgres", "revoke connect, temporary on database "+db+" from public")
	}
	pg.SQL("auth", `create schema auth authorization auth; alter role auth in database auth set search_path = auth; set role auth;
		`+testtools.GoTrueMigration()+`create policy own on auth.users for select to postgres using (email like '1%')`)
	pg.SQL("forgejo", "set role forgejo; create table repository (name text); insert into repository values ('space')")
	pg.SQL("morphee", `create extension pgcrypto; create extension citext; create extension "uuid-ossp"; create extension hstore; comment on extension hstore is 'ours';
		alter default privileges for role morphee grant select on tables to reporting;
		set role morphee;
		create table notes (id serial primary key, body citext, twice int generated always as (length(body::text) * 2) stored);
		insert into notes (body) select '`+canary+` COMMIT;' || E'\nCOMMIT;\t\\.' || i from generate_series(1, 2000) i;
		create table events (at date, what text) partition by range (at);
		create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01');
		create index on events (what); insert into events select date '2026-01-01' + i, 'e' || i from generate_series(0, 99) i;
		create schema "Odd Schema"; create table "Odd Schema"."t (x) ""q"" FROM stdin;" ("a)b" text); insert into "Odd Schema"."t (x) ""q"" FROM stdin;" values (E'COPY x FROM stdin;\n');
		create table empty (); create unlogged table fleeting (i int); insert into fleeting values (1);
		create materialized view counts as select count(*) from notes; create view last as select max(id) from notes;
		create function guard() returns trigger language plpgsql as $$ begin raise exception 'rows of a copy are not new'; end $$;
		create trigger guard before delete on notes for each row execute function guard();
		grant select on notes to reporting; grant usage on schema "Odd Schema" to "Odd Role"; grant select on "Odd Schema"."t (x) ""q"" FROM stdin;" to "Odd Role" with grant option;
		create table private (who text); insert into private values ('nobody'); alter table private enable row level security;
		create policy mine on private using (false);
		select lo_from_bytea(4711, 'a large object');
		reset role; create table made_by_the_superuser (i int); insert into made_by_the_superuser values (7); grant all on made_by_the_superuser to morphee`)
	dir := m.server.dir + "/sources/forgejo/git/repositories/"
	write(m.t, dir+"a.git/hooks/post-receive", "#!/bin/sh\n", 0o755)
	write(m.t, dir+"a.git/objects/ab/cdef", "object", 0o444)
	write(m.t, dir+"-rf * \"odd\"\nname/ü\\x", "odd", 0o640)
	for _, script := range []string{
		`ln -s ../a.git/HEAD "$0link"; ln -s /nowhere/at/all "$0broken"; mkdir -p "$0empty/also empty"; truncate -s 3M "$0sparse"; printf x >>"$0sparse"; ln "$0sparse" "$0hard"; chmod 2750 "$0empty"`,
		`chown -R 1000:1000 "$0" 2>/dev/null || true; touch -d '2020-02-02 02:02:02' "$0empty"`,
	} {
		if out, err := exec.Command("bash", "-c", script, dir).CombinedOutput(); err != nil {
			m.t.Fatalf("%v %s", err, out)
		}
	}
}

func (m *migration) awsData() {
	pg := m.aws.pg
	pg.SQL("postgres", `create role rds_superuser in role pg_monitor, pg_signal_backend, pg_read_all_data; create role rds_iam;
		create role morphee_admin login createdb createrole in role rds_superuser password '`+masterPassword+`'`)
	// As the services' init containers leave it (components/aws/database_bootstrap.go): the master is a
	// member of the roles that have a password, and of none that only IAM lets in.
	m.master("postgres", "create role postgres nologin")
	for role, db := range map[string]string{"morphee": "app", "auth": "auth", "forgejo": "forgejo"} {
		m.master("postgres", "create role "+role+" login password 'canary-aws-"+role+"'")
		m.master("postgres", "create database "+db)
		m.master("postgres", fmt.Sprintf(`begin; grant %[1]s to current_user; alter database %[2]s owner to %[1]s; revoke all on database %[2]s from public;
			grant connect on database %[2]s to current_user; revoke %[1]s from current_user; commit`, role, db))
	}
	m.master("postgres", "create database mine")
	m.master("postgres", `create role morphee_tables nologin; grant morphee_tables to morphee, current_user;
		grant rds_iam to morphee; grant auth, forgejo to current_user; alter role auth in database auth set search_path = auth, public; alter role auth in database auth set statement_timeout = '1min'`)
	pg.SQL("auth", "alter role auth in database auth set log_statement = 'ddl'") // a superuser's, which nobody else may set again
	pg.SQL("app", "set role morphee; create table smoke (i int)")
}

func (m *migration) master(db, query string) string {
	m.t.Helper()
	out, err := m.aws.pg.SQLAs("morphee_admin", masterPassword, db, query)
	if err != nil {
		m.t.Fatalf("%s: %v\n%s", query, err, out)
	}
	return out
}

// backup makes a copy of the server under a stamp.
func (m *migration) backup(stamp string, env ...string) {
	m.t.Helper()
	at := regexp.MustCompile(`^(....)(..)(..)T(..)(..)(..)Z$`).ReplaceAllString(stamp, "$1-$2-$3 $4:$5:$6 UTC")
	m.server.must(append(env, "BACKUP_NOW="+at), "backup")
}

// verdict is the last line of an import.
type verdict struct {
	Stamp, Result, Error string
	Bytes, Seconds       int
	Parts                []struct {
		Part, Target, State string
		Bytes, Tables, Rows int
		Entries, Files      int
	}
}

func (v verdict) states() string {
	var list []string
	for _, p := range v.Parts {
		list = append(list, p.Part+" "+p.State)
	}
	return strings.Join(list, ", ")
}

func (m *migration) tryImport(env []string, args ...string) (int, verdict, string) {
	m.t.Helper()
	code, out := m.aws.try(env, "import", args...)
	m.outputs.WriteString(out)
	var v verdict
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &v); err != nil {
		v.Error = out
	}
	return code, v, out
}

func (m *migration) mustImport(env []string, args ...string) verdict {
	m.t.Helper()
	code, v, out := m.tryImport(env, args...)
	if code != 0 || v.Stamp != args[0] {
		m.t.Fatalf("import %v: exit code %d\n%s", args, code, out)
	}
	return v
}

// refused wants an import that changes nothing.
func (m *migration) refused(why, want string, env []string, args ...string) {
	m.t.Helper()
	code, v, out := m.tryImport(env, args...)
	if code != 1 || v.Result != "failed" || !strings.Contains(v.Error, want) || len(v.Parts) != 0 {
		m.t.Errorf("%s: exit code %d, want 1 and %q:\n%s", why, code, want, out)
	}
}

// killed is an import that ends by force where the program does what the pattern says: its arguments
// are matched, and script runs in place of it or before it is cut off.
func (m *migration) killed(point, stamp, program, pattern, script string, env ...string) {
	m.t.Helper()
	env = m.aws.shim(program, `if [[ "$*" =~ `+pattern+` ]]; then
`+script+`
kill -9 0
fi
exec "$REAL" "$@"`, env...)
	cmd := m.aws.command(env, "import", stamp)
	attr := syscall.SysProcAttr{Setpgid: true}
	if cmd.SysProcAttr != nil {
		attr.Credential = cmd.SysProcAttr.Credential
	}
	cmd.SysProcAttr = &attr
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	m.outputs.Write(out.Bytes())
	if cmd.ProcessState == nil || cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL || strings.Contains(out.String(), `"result"`) {
		m.t.Errorf("killed %s: it ended with %v\n%s", point, err, out.String())
	}
}

// tree lists a folder as find sees it, contents included, without the notes of an import.
func tree(t *testing.T, dir string, owners bool) string {
	t.Helper()
	format := `%P %y %m %s %l %TY%Tm%Td%TH%TM%.2TS`
	if owners {
		format += ` %U:%G`
	}
	out, err := exec.Command("bash", "-c", `set -e; cd "$0"
		{ find . -mindepth 1 -path ./.morphee-import -prune -o ! -type d -printf "$1\0" -o -type d -mindepth 1 -printf "%P d %m\0"
		find . -path ./.morphee-import -prune -o -type f -print0 | xargs -0r sha256sum -z; } | sort -z`, dir, format).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(out), "\x00", "\n---\n")
}

// arrived compares AWS with what the server had.
func (m *migration) arrived() {
	m.t.Helper()
	for _, name := range []string{"forgejo", "memory", "files"} {
		want := tree(m.t, m.server.dir+"/expected/"+name, false)
		if got := tree(m.t, m.aws.dir+"/targets/"+name, false); got != want {
			m.t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
		}
	}
	for from, to := range map[string]string{"morphee": "app", "auth": "auth", "forgejo": "forgejo"} {
		for _, query := range []string{
			`select n.nspname, c.relname, c.relkind, case when pg_get_userbyid(c.relowner) = 'morphee_tables' or (select rolsuper from pg_roles r where r.oid = relowner) then 'morphee' else pg_get_userbyid(c.relowner) end from pg_class c join pg_namespace n on n.oid = relnamespace where nspname !~ '^pg_' and nspname <> 'information_schema' order by 1, 2`,
			`select extname from pg_extension order by 1`,
			`select pg_get_userbyid(datdba) from pg_database where datname = current_database()`,
			`select loid, convert_from(lo_get(loid), 'UTF8') from (select oid as loid from pg_largeobject_metadata) l`,
			`select tgname from pg_trigger where not tgisinternal union all select polname from pg_policy`,
			`select tablename, policyname, permissive, roles, cmd, qual from pg_policies order by 1, 2`,
			`select c.oid::regclass::text, relrowsecurity, relforcerowsecurity, case nspname when 'auth' then relacl::text end from pg_class c join pg_namespace n on n.oid = relnamespace where relkind = 'r' and nspname !~ '^pg_' and nspname <> 'information_schema' order by 1`,
			`select schemaname, sequencename, last_value from pg_sequences`,
		} {
			if want, got := m.server.pg.SQL(from, query), m.aws.pg.SQL(to, query); got != want {
				m.t.Errorf("%s: %s\ngives %s\nwant  %s", to, query, got, want)
			}
		}
	}
	sum := `select count(*), md5(string_agg(id || body || twice, '' order by id)) from notes`
	if want, got := m.server.pg.SQL("morphee", sum), m.aws.pg.SQL("app", sum); got != want {
		m.t.Errorf("the notes are %s, want %s", got, want)
	}
	// What was before a copy is, and what must not be left behind.
	for query, want := range map[string]string{
		`select string_agg(roleid::regrole::text, ',' order by roleid::regrole::text) from pg_auth_members where member = 'morphee_admin'::regrole`:                                                                                                            "auth,forgejo,morphee_tables,rds_superuser",
		`select pg_has_role('morphee_admin', 'rds_iam', 'member')`:                                                                                                                                                                                             "f",
		`select string_agg(member::regrole || ' in ' || roleid::regrole, ',') from pg_auth_members where roleid::regrole::text !~ '^pg_' and member <> 'morphee_admin'::regrole`:                                                                               "morphee in morphee_tables,morphee in rds_iam",
		`select count(*) from pg_roles where rolname in ('reporting', 'Odd Role')`:                                                                                                                                                                             "0",
		`select count(*) from pg_database where datname ~ '_importing$' or not datallowconn and datname !~ '^template0|_before_'`:                                                                                                                              "0",
		`select string_agg(datname || has_database_privilege('pg_monitor', datname, 'connect')::text || has_database_privilege('morphee_admin', datname, 'connect')::text, ' ' order by datname) from pg_database where datname in ('app', 'auth', 'forgejo')`: "appfalsetrue authfalsetrue forgejofalsetrue",
		`select array_to_string(setconfig, ';') from pg_db_role_setting join pg_database d on d.oid = setdatabase where datname = 'auth' and setrole = 'auth'::regrole`:                                                                                        "search_path=auth, public;statement_timeout=1min",
	} {
		if got := m.aws.pg.SQL("postgres", query); got != want {
			m.t.Errorf("%s\ngives %q, want %q", query, got, want)
		}
	}
	// The passwords are the platform's own, and the master's is still good.
	for role, db := range map[string]string{"auth": "auth", "forgejo": "forgejo"} {
		if out, err := m.aws.pg.SQLAs(role, "canary-aws-"+role, db, "select 1"); err != nil {
			m.t.Errorf("%s cannot sign in any more: %s", role, out)
		}
	}
	m.master("app", "select 1")
}

// recording notes the arguments and the environment of every program that is started.
func (r *rig) recording() []string {
	r.t.Helper()
	for _, dir := range []string{"recorded", "recorders"} {
		if err := os.Mkdir(filepath.Join(r.dir, dir), 0o777); err != nil {
			r.t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(r.dir, dir), 0o777); err != nil {
			r.t.Fatal(err)
		}
	}
	for _, program := range []string{"rclone", "psql", "pg_restore", "tar", "jq", "awk", "mv"} {
		real, err := exec.LookPath(program)
		if err != nil {
			r.t.Fatal(err)
		}
		write(r.t, r.dir+"/recorders/"+program, "#!/bin/bash\n{ printf '%s\\n' \"$@\"; env; } >"+r.dir+"/recorded/"+program+"-$$\nexec "+real+" \"$@\"\n", 0o755)
	}
	return []string{"PATH=" + r.dir + "/recorders:" + os.Getenv("PATH")}
}

// noSecretsRecorded looks at what was recorded.
func (r *rig) noSecretsRecorded() {
	r.t.Helper()
	if len(r.files("recorded/rclone-*")) < 3 {
		r.t.Error("nothing was recorded")
	}
	for _, secret := range []string{canary, "canary-", bucketKey, "k3y-k3y", `pa:ss`} {
		if said, err := run(r.t, r.dir, nil, "grep", "-rF", secret, "recorded"); err == nil {
			r.t.Errorf("an argument or a variable is %s", said)
		}
	}
}
