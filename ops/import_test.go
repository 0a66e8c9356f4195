package ops

import (
	"bytes"
	"crypto/sha256"
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
		create table auth.users (id uuid primary key default gen_random_uuid(), email text); insert into auth.users (email) select i || '@example.org' from generate_series(1, 50) i`)
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
		create table private (who text); insert into private values ('nobody'); alter table private enable row level security; alter table private force row level security;
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
	for role, db := range map[string]string{"morphee": "app", "auth": "auth", "forgejo": "forgejo"} {
		m.master("postgres", "create role "+role+" login password 'canary-aws-"+role+"'")
		m.master("postgres", "create database "+db)
		m.master("postgres", fmt.Sprintf(`begin; grant %[1]s to current_user; alter database %[2]s owner to %[1]s; revoke all on database %[2]s from public;
			grant connect on database %[2]s to current_user; revoke %[1]s from current_user; commit`, role, db))
	}
	m.master("postgres", "create database mine")
	m.master("postgres", `grant rds_iam to morphee; alter role auth in database auth set search_path = auth, public; alter role auth in database auth set statement_timeout = '1min'`)
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
func (m *migration) backup(stamp string) {
	m.t.Helper()
	at := regexp.MustCompile(`^(....)(..)(..)T(..)(..)(..)Z$`).ReplaceAllString(stamp, "$1-$2-$3 $4:$5:$6 UTC")
	m.server.must([]string{"BACKUP_NOW=" + at}, "backup")
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
func (m *migration) killed(point, program, pattern, script string, env ...string) {
	m.t.Helper()
	env = m.aws.shim(program, `if [[ "$*" =~ `+pattern+` ]]; then
`+script+`
kill -9 0
fi
exec "$REAL" "$@"`, env...)
	cmd := m.aws.command(env, "import", fixedStamp)
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
			`select n.nspname, c.relname, c.relkind, case pg_get_userbyid(c.relowner) when 'postgres' then 'morphee' else pg_get_userbyid(c.relowner) end from pg_class c join pg_namespace n on n.oid = relnamespace where nspname !~ '^pg_' and nspname <> 'information_schema' order by 1, 2`,
			`select extname from pg_extension order by 1`,
			`select pg_get_userbyid(datdba) from pg_database where datname = current_database()`,
			`select loid, convert_from(lo_get(loid), 'UTF8') from (select oid as loid from pg_largeobject_metadata) l`,
			`select tgname from pg_trigger where not tgisinternal union all select polname from pg_policy`,
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
		`select count(*) from pg_auth_members where member = 'morphee_admin'::regrole and roleid <> 'rds_superuser'::regrole`:                                                                                                                                  "0",
		`select string_agg(member::regrole || ' in ' || roleid::regrole, ',') from pg_auth_members where roleid::regrole::text !~ '^pg_' and member <> 'morphee_admin'::regrole`:                                                                               "morphee in rds_iam",
		`select count(*) from pg_roles where rolname in ('postgres', 'reporting', 'Odd Role') and not rolsuper`:                                                                                                                                                "0",
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

func TestImport(t *testing.T) {
	t.Parallel()
	m := newMigration(t)
	m.backup(fixedStamp)
	if out, err := exec.Command("bash", "-c", `cp -a "$0/sources" "$0/expected" && rm -r "$0/expected/forgejo/tmp" "$0/expected/forgejo/gitea/log"`, m.server.dir).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	if out := m.aws.must(nil, "import", "list"); !strings.Contains(out, fixedStamp+"  complete") || !strings.Contains(out, "server") {
		t.Errorf("list gives %s", out)
	}
	m.refusals()
	m.interruptions()
	v := m.mustImport(m.aws.recording(), fixedStamp)
	m.aws.noSecretsRecorded()
	if v.Result != "imported" || v.Bytes == 0 {
		t.Errorf("the result is %+v", v)
	}
	m.arrived()
	for _, p := range v.Parts {
		if p.Part == "postgres/morphee" && p.State == "imported" && (p.Tables != 7 || p.Rows != 2104) {
			t.Errorf("counted %d tables, %d rows, want 7 and 2104", p.Tables, p.Rows)
		}
	}
	m.again()
	m.newer()
	for _, secret := range []string{canary, "canary-", bucketKey, `pa:ss`, "k3y-k3y", "SCRAM-SHA-256"} {
		if strings.Contains(m.outputs.String(), secret) {
			t.Errorf("an output shows %q", secret)
		}
	}
}

// refusals are imports that are stopped before anything is changed.
func (m *migration) refusals() {
	m.t.Helper()
	name := "backups/manifests/" + fixedStamp + ".json"
	good := m.bucket.objects[name]
	spoil := func(old, new string) {
		o := good
		o.content = bytes.ReplaceAll(good.content, []byte(old), []byte(new))
		m.bucket.objects[name] = o
	}
	volumes, databases := []string{"DATABASES="}, []string{"GIT_SOURCES=", "FILES_SOURCES="}
	spoil(`"complete": true`, `"complete": false`)
	m.refused("an incomplete copy", "is not complete", volumes, fixedStamp)
	spoil(`"git/memory-`, `"git/other-`)
	m.refused("a copy without a part", "has no git/memory-", volumes, fixedStamp)
	m.bucket.objects[name] = good
	m.refused("no copy", "has no manifest", volumes, laterStamp)
	m.refused("no folder", "there is no folder", append(volumes, "TARGETS_DIR=/nowhere"), fixedStamp)
	m.refused("nothing to do", "nothing to import", append(volumes, databases...), fixedStamp)
	m.refused("no database", "there is no database nowhere", append(databases, "DATABASES=auth=nowhere"), fixedStamp)
	m.refused("a database without an owner", "there is no database mine", append(databases, "DATABASES=auth=mine"), fixedStamp)
	m.refused("the maintenance database", "others are made from", append(databases, "DATABASES=auth=postgres"), fixedStamp)
	for db, want := range map[string]string{"forgejo": "forgejo is in use by forgejo", "postgres": "another import is running"} {
		end := m.session("forgejo", db, "select pg_advisory_lock(hashtext('morphee-import'))")
		m.refused("another session in "+db, want, append(databases, "DATABASES=forgejo"), fixedStamp)
		end()
	}
	if code, out := m.aws.try(nil, "import", "latest"); code != 2 {
		m.t.Errorf("what is no stamp: exit code %d %s", code, out)
	}
	// A damaged copy, and one whose manifest was changed to fit.
	only := []string{"DATABASES=", "GIT_SOURCES=memory", "FILES_SOURCES="}
	part := "backups/git/memory-" + fixedStamp + ".tar.gz.bin"
	whole := m.bucket.objects[part]
	damaged := whole
	damaged.content = bytes.Clone(whole.content)
	damaged.content[len(damaged.content)/2] ^= 1
	m.bucket.objects[part] = damaged
	m.refused("a damaged copy", "checksum", only, fixedStamp)
	spoil(fmt.Sprintf("%x", sha256.Sum256(whole.content)), fmt.Sprintf("%x", sha256.Sum256(damaged.content)))
	m.refused("a forged copy", "could not be extracted", only, fixedStamp)
	m.bucket.objects[part], m.bucket.objects[name] = whole, good
	if _, err := os.Stat(m.aws.dir + "/targets/memory/of the smoke test/left"); err != nil {
		m.t.Error("a refused import changed something")
	}
	if got := m.aws.pg.SQL("app", "select count(*) from smoke"); got != "0" {
		m.t.Errorf("a refused import changed the database: %s", got)
	}
}

// session keeps a connection open on AWS until the returned function is called.
func (m *migration) session(role, db, query string) func() {
	m.t.Helper()
	cmd := exec.Command("psql", "-XqAt", "-h", m.aws.pg.Dir, "-U", role, "-d", db)
	cmd.Env = append(os.Environ(), "PGPASSWORD=canary-aws-"+role)
	in, err := cmd.StdinPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	fmt.Fprintln(in, query+"; select 'there';")
	for text := make([]byte, 64); ; {
		n, err := out.Read(text)
		if err != nil {
			m.t.Fatalf("no session: %v", err)
		}
		if strings.Contains(string(text[:n]), "there") {
			return func() { in.Close(); _ = cmd.Wait() }
		}
	}
}

// interruptions cut imports off at every stage, one after another, on the same platform.
func (m *migration) interruptions() {
	m.t.Helper()
	volume := []string{"DATABASES=", "GIT_SOURCES=forgejo", "FILES_SOURCES="}
	for _, c := range []struct{ point, program, pattern, script string }{
		{"while a copy is fetched", "rclone", `^copyto.*forgejo-`, `mkdir -p "$(dirname "$3")"; head -c 100 /dev/zero >"$3"`},
		{"while an archive is extracted", "tar", `-xpzf`, `head -c 400 | "$REAL" "$@"`},
		{"before what is extracted counts", "mv", `/ready$`, ``},
		{"half way out", "mv", `^-t.*/old`, `"$REAL" -t "$2" "$3"`},
		{"after all is out", "mv", `/emptied$`, ``},
		{"half way in", "mv", `^-t.*/targets/forgejo`, `"$REAL" -t "$2" "$3"`},
		{"before what is in counts", "mv", `/imported$`, ``},
	} {
		m.killed(c.point, c.program, c.pattern, c.script, volume...)
		if _, err := os.Stat(m.aws.dir + "/targets/forgejo/.morphee-import/imported"); err == nil {
			m.t.Errorf("killed %s, and taken for complete", c.point)
		}
	}
	m.killed("before the rest is tidied away", "rm", `/incoming.*/old`, ``, volume...)

	app := []string{"DATABASES=morphee=app", "GIT_SOURCES=", "FILES_SOURCES="}
	m.killed("among the rows", "psql", `terse.*app_importing`, `head -c 60000 | "$REAL" "$@"`, app...)
	if got := m.master("app_importing", "select count(*) from pg_class where relname = 'notes'"); got != "0" {
		m.t.Errorf("half a database is there: %s", got)
	}
	m.killed("before the rows are counted", "pg_restore", `data-only`, ``, app...)
	m.killed("before the databases change places", "psql", `from=app`, ``, app...)
	m.killed("after the databases changed places", "psql", `from=auth`, `"$REAL" "$@"`, "DATABASES=auth", "GIT_SOURCES=", "FILES_SOURCES=")
}

// again imports the same copy once more, after the services have gone on.
func (m *migration) again() {
	m.t.Helper()
	m.aws.pg.SQL("app", "set role morphee; insert into notes (body) values ('written on AWS')")
	write(m.t, m.aws.dir+"/targets/files/written on AWS", "x", 0o644)
	state := func() string {
		out, err := exec.Command("find", m.aws.dir+"/targets", "-printf", `%p %i %C@\n`).Output()
		if err != nil {
			m.t.Fatal(err)
		}
		return string(out) + m.aws.pg.SQL("postgres", "select oid, datname from pg_database order by 1") + fmt.Sprint(m.bucket.puts)
	}
	before := state()
	v := m.mustImport(nil, fixedStamp)
	if v.Result != "unchanged" || v.Bytes != 0 || strings.Contains(v.states(), "imported") || len(v.Parts) != 6 {
		m.t.Errorf("the second import says %+v", v)
	}
	if after := state(); after != before {
		m.t.Errorf("the second import changed\n%s\nto\n%s", before, after)
	}
}

// newer brings a later copy, goes back to the first, and then all the way back to the server.
func (m *migration) newer() {
	m.t.Helper()
	m.server.pg.SQL("forgejo", "insert into repository values ('another')")
	if err := os.RemoveAll(m.server.dir + "/sources/memory"); err != nil {
		m.t.Fatal(err)
	}
	write(m.t, m.server.dir+"/sources/memory/only this", "x", 0o644)
	m.backup(laterStamp)
	some := []string{"DATABASES=forgejo", "GIT_SOURCES=memory", "FILES_SOURCES="}
	if v := m.mustImport(some, laterStamp); v.states() != "postgres/forgejo imported, git/memory imported" {
		m.t.Errorf("the later copy: %s", v.states())
	}
	entries := func() string { return strings.Join(m.aws.files("targets/memory/*"), " ") }
	if got := entries(); !strings.HasSuffix(got, "/only this") || strings.Contains(got, "note.md") {
		m.t.Errorf("the later copy has %s", got)
	}
	m.refused("an older copy", "--older", some, fixedStamp)
	m.mustImport(some, fixedStamp, "--older")
	if got := entries() + m.aws.pg.SQL("forgejo", "select count(*) from repository"); !strings.HasSuffix(got, "note.md1") {
		m.t.Errorf("the older copy has %s", got)
	}
	m.wayBack()
}

func (m *migration) wayBack() {
	m.t.Helper()
	const stamp = "20260222T031500Z"
	// Only a superuser reads these.
	m.aws.pg.SQL("app", "drop table private; select lo_unlink(4711)")
	if code, out := m.aws.try([]string{"DATABASES=app auth forgejo", "GLOBALS_OPTIONS=--no-role-passwords", "BACKUP_NOW=2026-02-22 03:15:00 UTC"}, "backup"); code != 0 {
		m.t.Fatalf("the export: %s", out)
	}
	m.server.must(nil, "restore", "database", "app", "--into", "morphee", "--replace", "--stamp", stamp, "--from", "remote", "--adopt")
	if got := m.server.pg.SQL("morphee", "select count(*) from notes where body = 'written on AWS' and exists (select from made_by_the_superuser)"); got != "1" {
		m.t.Errorf("%s notes from AWS on the server", got)
	}
	code, out := m.server.try([]string{"DATABASES=app=morphee auth forgejo", "TARGETS_DIR=" + m.server.dir + "/sources"}, "import", stamp)
	if code != 0 || !strings.Contains(out, `"part":"postgres/app","target":"morphee","state":"unchanged"`) || !strings.Contains(out, `"part":"files/files"`) {
		m.t.Errorf("the import on the server: %d %s", code, out)
	}
	for _, name := range []string{"forgejo", "memory", "files"} {
		if got, want := tree(m.t, m.server.dir+"/sources/"+name, true), tree(m.t, m.aws.dir+"/targets/"+name, true); got != want {
			m.t.Errorf("%s on the server is\n%s\nwant\n%s", name, got, want)
		}
	}
	for db, want := range map[string]string{"auth": "search_path=auth", "forgejo": ""} {
		got := m.server.pg.SQL("postgres", "select coalesce(string_agg(array_to_string(setconfig, ';'), ''), '') from pg_db_role_setting join pg_database d on d.oid = setdatabase where datname = '"+db+"'")
		if got != want {
			m.t.Errorf("the settings in %s are %q, want %q", db, got, want)
		}
		if out, err := m.server.pg.SQLAs(db, "server-"+db, db, "select 1"); err != nil {
			m.t.Errorf("%s cannot sign in on the server: %s", db, out)
		}
		if out, err := m.server.pg.SQLAs("morphee", "server-morphee", db, "select 1"); err == nil {
			m.t.Errorf("another role is let into %s: %s", db, out)
		}
	}
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

func TestImportIntoABucket(t *testing.T) {
	t.Parallel()
	r, bucket := newRig(t), newS3(t, "files-key-id")
	r.env = append(r.env, "DATABASES=", "GIT_SOURCES=", "TARGETS_DIR=/nowhere", "FILES_TO_PROVIDER=Other", "FILES_TO_ENDPOINT="+bucket.URL, "AWS_REGION=eu-central-1", "NO_PROXY=127.0.0.1", "AWS_CA_BUNDLE=")
	write(t, r.dir+"/secrets/files_access_key_id", "files-key-id", 0o600)
	write(t, r.dir+"/secrets/files_secret_access_key", bucketKey, 0o600)
	for i := range 20 {
		write(t, fmt.Sprintf("%s/sources/files/many/%d.bin", r.dir, i), strings.Repeat("x", i), 0o600)
	}
	r.must([]string{"BACKUP_NOW=2026-02-20 03:15:00 UTC"}, "backup")
	to := []string{"--files-to", "s3:uploads/app"}
	keys := func() string { return strings.Join(bucket.names("uploads/"), "\n") }
	bucket.objects["uploads/other/kept"] = object{content: []byte("x")}
	bucket.objects["uploads/app/strange"] = object{content: []byte("x")}
	if code, out := r.try(nil, "import", append([]string{fixedStamp}, to...)...); code != 1 || !strings.Contains(out, "which would be deleted") {
		t.Errorf("somebody else's files were deleted: %d %s", code, out)
	}
	delete(bucket.objects, "uploads/app/strange")
	// Cut off after half of the files.
	cut := r.shim("rclone", `if [ "$1" = sync ]; then "$REAL" copy --include '/many/1*' "${@: -2}"; kill -9 $PPID; sleep 0.2; exit 9; fi; exec "$REAL" "$@"`)
	if code, out := r.try(cut, "import", append([]string{fixedStamp}, to...)...); code != -1 {
		t.Errorf("not cut off: %d %s", code, out)
	}
	if got := strings.Count(keys(), "many/"); got != 11 {
		t.Errorf("%d files of the first run, want 11", got)
	}
	bucket.objects["uploads/app/many/1.bin"] = object{content: []byte("damaged")}
	bucket.objects["uploads/app/too much"] = object{content: []byte("x")}
	before := bucket.puts
	out := r.must(r.recording(), "import", append([]string{fixedStamp}, to...)...)
	if !strings.Contains(out, `"result":"imported"`) || !strings.Contains(out, `"files":21`) {
		t.Errorf("the import says %s", out)
	}
	// 10 that were missing, 1 damaged, the mark twice.
	if got := bucket.puts - before; got != 13 {
		t.Errorf("%d objects written, want 13", got)
	}
	if got := string(bucket.objects["uploads/app/a b/ü.bin"].content); got != canary+"\x00\x01" || strings.Contains(keys(), "too much") || !strings.Contains(keys(), "other/kept") {
		t.Errorf("the bucket has\n%s", keys())
	}
	before = bucket.puts
	if out = r.must(nil, "import", append([]string{fixedStamp}, to...)...); !strings.Contains(out, `"result":"unchanged"`) || bucket.puts != before {
		t.Errorf("the second import says %s", out)
	}
	r.noSecretsRecorded()
}
