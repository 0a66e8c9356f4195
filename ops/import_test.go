package ops

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/testtools"
)

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
	for db, want := range map[string]string{"forgejo": "forgejo is in use by forgejo", "postgres": "another import or restore is running"} {
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
	// What is written is compared with the copy: here something else changes it meanwhile.
	m.refused("a file that is not as in the copy", "what was extracted is not what", m.aws.shim("tar", `"$REAL" "$@"; code=$?; case "$*" in *-xpzf*) echo more >>"$2/note.md";; esac; exit $code`, only...), fixedStamp)
	m.refused("a file that is not in the copy", "what was extracted is not what", m.aws.shim("tar", `"$REAL" "$@"; code=$?; case "$*" in *-xpzf*) touch -d 2020-01-01 "$2" && mkdir "$2/more";; esac; exit $code`, only...), fixedStamp)
	lost := m.aws.shim("psql", `"$REAL" "$@"; code=$?; case "$*" in *terse*) PGPASSFILE= PGPASSWORD=rdsadmin "$REAL" -q -U rdsadmin -d forgejo_importing -c 'truncate repository';; esac; exit $code`, append(databases, "DATABASES=forgejo")...)
	m.refused("a row that was lost", "1 public.repository", lost, fixedStamp)
	forced := m.aws.shim("psql", `"$REAL" "$@"; code=$?; case "$*" in *terse*) PGPASSFILE= PGPASSWORD=rdsadmin "$REAL" -q -U rdsadmin -d app_importing -c 'alter table private force row level security';; esac; exit $code`, append(databases, "DATABASES=morphee=app")...)
	m.refused("a table that no export could read", "row level security keeps public.private from morphee_admin", forced, fixedStamp)
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
		m.killed(c.point, fixedStamp, c.program, c.pattern, c.script, volume...)
		if _, err := os.Stat(m.aws.dir + "/targets/forgejo/.morphee-import/imported"); err == nil {
			m.t.Errorf("killed %s, and taken for complete", c.point)
		}
	}
	m.killed("before the rest is tidied away", fixedStamp, "rm", `/incoming.*/old`, ``, volume...)

	app := []string{"DATABASES=morphee=app", "GIT_SOURCES=", "FILES_SOURCES="}
	m.killed("among the rows", fixedStamp, "psql", `terse.*app_importing`, `head -c 60000 | "$REAL" "$@"`, app...)
	if got := m.master("app_importing", "select count(*) from pg_class where relname = 'notes'"); got != "0" {
		m.t.Errorf("half a database is there: %s", got)
	}
	m.killed("before the rows are counted", fixedStamp, "pg_restore", `data-only`, ``, app...)
	m.killed("before the databases change places", fixedStamp, "psql", `from=app`, ``, app...)
	m.killed("after the databases changed places", fixedStamp, "psql", `from=auth`, `"$REAL" "$@"`, "DATABASES=auth", "GIT_SOURCES=", "FILES_SOURCES=")
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
	end := m.session("auth", "auth", "select 1") // the services run, and are not disturbed
	defer end()
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
	some := []string{"DATABASES=forgejo", "GIT_SOURCES=memory", "FILES_SOURCES="}
	m.backup(laterStamp, some...)
	if v := m.mustImport(some, laterStamp); v.states() != "postgres/forgejo imported, git/memory imported" {
		m.t.Errorf("the later copy: %s", v.states())
	}
	entries := func() string { return strings.Join(m.aws.files("targets/memory/*"), " ") }
	if got := entries(); !strings.HasSuffix(got, "/only this") || strings.Contains(got, "note.md") {
		m.t.Errorf("the later copy has %s", got)
	}
	m.refused("an older copy", "--older", some, fixedStamp)
	end := m.session("forgejo", "forgejo", "select 1")
	m.refused("a database in use", "is in use by forgejo", some, fixedStamp, "--older")
	m.mustImport(some, fixedStamp, "--older", "--in-use")
	end()
	// Another copy takes the place of one that was interrupted while it moved in, if it may.
	volume := []string{"DATABASES=", "GIT_SOURCES=memory", "FILES_SOURCES="}
	m.killed("while another moves in", laterStamp, "mv", `^-t.*/targets/memory`, ``, volume...)
	m.refused("a copy older than one that was moving in", "--older", volume, fixedStamp)
	m.mustImport(volume, fixedStamp, "--older")
	if got := entries() + m.aws.pg.SQL("forgejo", "select count(*) from repository"); !strings.HasSuffix(got, "note.md1") {
		m.t.Errorf("the older copy has %s", got)
	}
	m.wayBack()
}

func (m *migration) wayBack() {
	m.t.Helper()
	const stamp = "20260222T031500Z"
	m.aws.pg.SQL("app", "select lo_unlink(4711)") // only a superuser reads it
	export := []string{"DATABASES=app auth forgejo", "GLOBALS_OPTIONS=--no-role-passwords"}
	m.aws.pg.SQL("app", "alter table private force row level security")
	if code, out := m.aws.try(export, "backup"); code != 1 || !strings.Contains(out, "postgres/app: row level security keeps public.private from morphee_admin") {
		m.t.Errorf("an export that cannot read a table: %d %s", code, out)
	}
	m.aws.pg.SQL("app", "alter table private no force row level security")
	if code, out := m.aws.try(append(export, "BACKUP_NOW=2026-02-22 03:15:00 UTC"), "backup"); code != 0 {
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
	// Row level security is as it was before the data went to AWS.
	for db, query := range map[string]string{
		"morphee": `select relrowsecurity::text || relforcerowsecurity::text || ' ' || pg_get_userbyid(relowner) || (select string_agg(polname, '') from pg_policy) || (table private) from pg_class where relname = 'private'`,
		"auth": `select count(*) || ' ' || bool_and(relrowsecurity) || ' ' || min(relacl::text) || max(relacl::text) || (select string_agg(policyname || roles::text || qual, '') from pg_policies) || (select count(*) from auth.users)
			from pg_class where relnamespace = 'auth'::regnamespace and relkind = 'r'`,
	} {
		want := map[string]string{"morphee": "truefalse morpheeminenobody", "auth": fmt.Sprintf("%d true {auth=arwdDxt/auth,postgres=r*/auth}{auth=arwdDxt/auth,postgres=r*/auth}own{postgres}(email ~~ '1%%'::text)50", len(testtools.GoTrueTables))}[db]
		if got := m.server.pg.SQL(db, query); got != want {
			m.t.Errorf("%s on the server is %s, want %s", db, got, want)
		}
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
