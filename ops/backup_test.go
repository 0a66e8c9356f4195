package ops

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/morphee-app/morphee-infra/internal/testtools"
)

const canary = "canary-in-plain-sight"

// rig is a real PostgreSQL with data, volumes with files, and a folder that plays the remote.
type rig struct {
	t             *testing.T
	dir, bin      string
	pg            *testtools.Postgres
	as            *syscall.SysProcAttr
	env           []string
	mu            sync.Mutex
	notifications []map[string]string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	for program, pkg := range map[string]string{"rclone": "rclone", "jq": "jq", "curl": "curl", "psql": "postgresql-client-15|postgresql-client", "pg_dump": "postgresql-client-15|postgresql-client"} {
		testtools.Need(t, program, pkg)
	}
	dir, err := os.MkdirTemp("", "backup-rig")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	r := &rig{t: t, dir: dir, bin: absolute(t, "images/backup/bin")}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		var m map[string]string
		if err := json.Unmarshal(body, &m); err != nil {
			m = map[string]string{"bad": string(body)}
		}
		r.mu.Lock()
		r.notifications = append(r.notifications, m)
		r.mu.Unlock()
	}))
	t.Cleanup(hook.Close)
	for name, content := range map[string]string{
		"secrets/postgres_password": `pa:ss\word`, "secrets/encryption_key": strings.Repeat("k3y-", 12) + "\n", "secrets/webhook_url": hook.URL + "/hook\n",
		"sources/forgejo/git/repositories/group/space.git/HEAD": "ref: refs/heads/main\n" + canary,
		"sources/forgejo/gitea/log/x.log":                       "noise",
		"sources/forgejo/git/repositories/gitea/log/keep":       "looks like a log folder, is a repository",
		"sources/forgejo/tmp/x":                                 "noise",
		"sources/memory/note.md":                                canary,
		"sources/files/a b/ü.bin":                               canary + "\x00\x01",
	} {
		write(t, filepath.Join(dir, name), content, 0o600)
	}
	for _, name := range []string{"backups", "remote"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r.env = []string{
		"BACKUP_DIR=" + dir + "/backups", "SECRETS_DIR=" + dir + "/secrets", "SOURCES_DIR=" + dir + "/sources",
		"REMOTE_TYPE=local", "REMOTE_PATH=" + dir + "/remote", "NAME=rehearsal", "PG_WAIT_SECONDS=1", "TMPDIR=" + dir,
		"PGUSER=postgres", "DATABASES=morphee forgejo",
		"GIT_SOURCES=forgejo memory", "FILES_SOURCES=files", "EXCLUDES=forgejo:./gitea/log|forgejo:./tmp",
		"http_proxy=", "HTTP_PROXY=", "no_proxy=127.0.0.1",
	}
	return r
}

// postgres starts a server of its own, with the data that is backed up.
func (r *rig) postgres() {
	r.t.Helper()
	r.pg = testtools.StartPostgres(r.t, testtools.PostgresOptions{Password: `pa:ss\word`})
	r.env = append(r.env, "PGHOST="+r.pg.Dir)
	r.sql("postgres", `create role forgejo login password 'forgejo'`)
	r.sql("postgres", `create database morphee`)
	r.sql("postgres", `create database forgejo owner forgejo`)
	r.sql("morphee", `create table notes (id int primary key, body text); insert into notes select i, '`+canary+`' || i from generate_series(1, 1000) i`)
	r.sql("forgejo", `set role forgejo; create table repository (name text); insert into repository values ('space')`)
}

func (r *rig) sql(db, query string) string {
	r.t.Helper()
	return r.pg.SQL(db, query)
}

// command is one of the programs, ready to run.
func (r *rig) command(env []string, program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(r.bin, program), args...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = "/", append(append(os.Environ(), r.env...), env...), r.as
	return cmd
}

// try runs one of the programs and returns its exit code and output.
func (r *rig) try(env []string, program string, args ...string) (int, string) {
	r.t.Helper()
	out, err := r.command(env, program, args...).CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, string(out)
	case errors.As(err, &exit):
		return exit.ExitCode(), string(out)
	}
	r.t.Fatal(err)
	return -1, ""
}

func (r *rig) must(env []string, program string, args ...string) string {
	r.t.Helper()
	code, out := r.try(env, program, args...)
	if code != 0 {
		r.t.Fatalf("%s %v: exit code %d\n%s", program, args, code, out)
	}
	return out
}

func (r *rig) files(pattern string) []string {
	r.t.Helper()
	list, err := filepath.Glob(filepath.Join(r.dir, pattern))
	if err != nil {
		r.t.Fatal(err)
	}
	return list
}

func (r *rig) count(pattern string, want int) {
	r.t.Helper()
	if list := r.files(pattern); len(list) != want {
		r.t.Errorf("%s: %d files, want %d: %v", pattern, len(list), want, list)
	}
}

// shim puts a program in front of a real one.
func (r *rig) shim(program, script string, env ...string) []string {
	r.t.Helper()
	real, err := exec.LookPath(program)
	if err != nil {
		r.t.Fatal(err)
	}
	dir, err := os.MkdirTemp(r.dir, "shim")
	if err != nil {
		r.t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		r.t.Fatal(err)
	}
	write(r.t, filepath.Join(dir, program), "#!/bin/bash\nREAL="+real+"\n"+script, 0o755)
	return append(env, "PATH="+dir+":"+os.Getenv("PATH"))
}

func (r *rig) told(state string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, m := range r.notifications {
		if m["state"] == state && m["service"] == "rehearsal" && m["message"] != "" {
			n++
		}
	}
	return n
}

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.postgres()
	r.must(nil, "backup")

	for _, place := range []string{"backups", "remote"} {
		r.count(place+"/postgres/*.bin", 3)
		r.count(place+"/git/*.bin", 2)
		r.count(place+"/files/*.bin", 1)
		r.count(place+"/manifests/*.json", 1)
	}
	r.count("backups/staging/*", 0)
	// Nothing in the clear, neither here nor there; nor any password in what is left behind.
	for _, secret := range []string{canary, "SCRAM-SHA-256", `pa:ss`, "k3y-k3y"} {
		if out, err := run(t, r.dir, nil, "grep", "-rlaF", secret, "backups", "remote"); err == nil {
			t.Errorf("%q is readable in %s", secret, out)
		}
	}
	r.must(nil, "backup-health")
	if r.told("failed")+r.told("recovered") != 0 {
		t.Errorf("a good run is nothing to tell: %v", r.notifications)
	}
	if out := r.must(nil, "restore", "list"); strings.Count(out, "\n") != 12 {
		t.Errorf("list gives\n%s", out)
	}

	// A live database with wrong data is swapped only when asked to, and kept.
	r.sql("morphee", "delete from notes where id > 1")
	if code, out := r.try(nil, "restore", "database", "morphee"); code == 0 || !strings.Contains(out, "--replace") {
		t.Errorf("a database with data was overwritten: %d %s", code, out)
	}
	r.must(nil, "restore", "database", "morphee", "--replace")
	if n := r.sql("morphee", "select count(*) from notes"); n != "1000" {
		t.Errorf("%s notes after the restore, want 1000", n)
	}
	if n := r.sql("postgres", "select count(*) from pg_database where datname like 'morphee_before_%'"); n != "1" {
		t.Errorf("%s databases kept as they were, want 1", n)
	}

	// A new server: no local copies, no databases, no roles.
	r.sql("postgres", "drop database forgejo")
	r.sql("postgres", "drop role forgejo")
	if err := os.RemoveAll(r.dir + "/backups"); err != nil {
		t.Fatal(err)
	}
	if code, out := r.try(nil, "restore", "database", "forgejo"); code == 0 || !strings.Contains(out, "restore globals") {
		t.Errorf("restored without its role: %d %s", code, out)
	}
	r.must(nil, "restore", "globals")
	r.must(nil, "restore", "database", "forgejo", "--from", "remote")
	if owner := r.sql("forgejo", "select tableowner || ' ' || (select rolname from pg_roles join pg_database on datdba = pg_roles.oid where datname = 'forgejo') from pg_tables where tablename = 'repository'"); owner != "forgejo forgejo" {
		t.Errorf("owners are %s", owner)
	}
	r.must(nil, "restore", "database", "morphee", "--into", "rehearsal")
	if n := r.sql("rehearsal", "select count(*) from notes"); n != "1000" {
		t.Errorf("%s notes in the rehearsal", n)
	}

	for series, name := range map[string]string{"forgejo": "git/repositories/group/space.git/HEAD", "memory": "note.md", "files": "a b/ü.bin"} {
		into := filepath.Join(r.dir, "into", series)
		if err := os.MkdirAll(into, 0o755); err != nil {
			t.Fatal(err)
		}
		r.must(nil, "restore", "volume", series, "--into", into)
		want, _ := os.ReadFile(filepath.Join(r.dir, "sources", series, name))
		if got, err := os.ReadFile(filepath.Join(into, name)); err != nil || string(got) != string(want) {
			t.Errorf("%s/%s is %q, %v", series, name, got, err)
		}
	}
	if code, out := r.try(nil, "restore", "volume", "memory", "--into", r.dir+"/into/memory"); code == 0 || !strings.Contains(out, "not empty") {
		t.Errorf("wrote over files: %d %s", code, out)
	}
	r.count("into/forgejo/gitea/log", 0)
	r.count("into/forgejo/tmp", 0)
	r.count("into/forgejo/git/repositories/gitea/log/keep", 1)

	// What was damaged on the way, or is read with another key, is refused.
	dump := r.files("remote/files/*.bin")[0]
	content, _ := os.ReadFile(dump)
	content[len(content)/2] ^= 1
	write(t, dump, string(content), 0o600)
	if code, out := r.try(nil, "restore", "volume", "files", "--into", t.TempDir(), "--from", "remote"); code == 0 || !strings.Contains(out, "checksum") {
		t.Errorf("a damaged copy was restored: %d %s", code, out)
	}
	write(t, r.dir+"/secrets/encryption_key", strings.Repeat("other", 10), 0o600)
	if code, _ := r.try(nil, "restore", "volume", "memory", "--into", t.TempDir()); code == 0 {
		t.Error("a copy was restored with another key")
	}
}

func TestBackupFailures(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.postgres()
	failed := func(name string, env []string, want string) {
		t.Helper()
		before := r.told("failed")
		// One small archive is enough to fail.
		code, out := r.try(append([]string{"DATABASES=", "GIT_SOURCES=memory", "FILES_SOURCES="}, env...), "backup")
		if code != 1 || !strings.Contains(out, want) {
			t.Errorf("%s: exit code %d, want 1 and %q in\n%s", name, code, want, out)
		}
		if r.told("failed") != before+1 {
			t.Errorf("%s: the webhook was told %d times", name, r.told("failed")-before)
		}
		if text, _ := os.ReadFile(r.dir + "/backups/status/last-failure"); !strings.Contains(string(text), want) {
			t.Errorf("%s: on record is %q", name, text)
		}
		if _, err := os.Stat(r.dir + "/backups/status/last-success"); err == nil {
			t.Errorf("%s: counted as a success", name)
		}
		for _, dir := range []string{"backups", "remote"} {
			for _, sub := range []string{"postgres", "git", "files", "manifests"} {
				os.RemoveAll(filepath.Join(r.dir, dir, sub))
			}
		}
	}

	failed("a dump that breaks off", r.shim("pg_dump", `"$REAL" "$@" | head -c 500; exit 3`, "DATABASES=morphee"), "postgres/morphee could not be read")
	failed("a dump that is cut short", r.shim("pg_dump", `"$REAL" "$@" | head -c 1500; exit 0`, "DATABASES=morphee"), "postgres/morphee can not be read back")
	failed("an upload that is damaged", r.shim("rclone", `"$REAL" "$@" || exit $?
[ "$1" != copy ] || printf X | dd of="$(ls `+r.dir+`/remote/git/memory-*)" bs=1 seek=50 conv=notrunc status=none`), "is not the same at the remote (*)")
	failed("an upload that is lost", r.shim("rclone", `"$REAL" "$@" || exit $?
[ "$1" != copy ] || rm -f `+r.dir+`/remote/git/memory-*`), "is not the same at the remote (+)")
	failed("no remote", []string{"REMOTE_PATH=" + r.dir + "/secrets/encryption_key"}, "could not be uploaded")
	failed("a volume that is not mounted", []string{"FILES_SOURCES=missing"}, "there is no")
	write(t, r.dir+"/secrets/encryption_key", "short", 0o600)
	failed("a short key", nil, "settings or secrets")
	write(t, r.dir+"/secrets/encryption_key", strings.Repeat("k3y-", 12), 0o600)

	// Without the database, the volumes are saved all the same.
	r.pg.Stop()
	code, out := r.try(nil, "backup")
	if code != 1 || !strings.Contains(out, "PostgreSQL") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	r.count("remote/git/*.bin", 2)
	r.count("remote/postgres/*.bin", 0)
	var manifest struct {
		Complete bool
		Files    []struct{ Path string }
	}
	text, _ := os.ReadFile(r.files("remote/manifests/*.json")[0])
	if err := json.Unmarshal(text, &manifest); err != nil || manifest.Complete || len(manifest.Files) != 3 {
		t.Errorf("the manifest is %s, %v", text, err)
	}
	r.pg.Start()
	r.must(nil, "backup")
	if r.told("recovered") != 1 {
		t.Errorf("recovery was told %d times", r.told("recovered"))
	}
	r.must([]string{"BACKUP_NOW=now + 25 hours"}, "backup-health")
	if code, out := r.try([]string{"BACKUP_NOW=now + 27 hours"}, "backup-health"); code != 1 || !strings.Contains(out, "27 hours") && !strings.Contains(out, "26 hours") {
		t.Errorf("healthy after 27 hours: %d %s", code, out)
	}

	lock, err := os.OpenFile(r.dir+"/backups/.lock", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if code, out := r.try(nil, "backup"); code != 75 {
		t.Errorf("two at once: exit code %d\n%s", code, out)
	}
}

func TestBackupRetention(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.env = append(r.env, "DATABASES=", "GIT_SOURCES=memory", "LOCAL_DAYS=7", "GIT_DAYS=14", "FILES_DAYS=14")
	// What a year of daily runs left: dump, archive and manifest of every fifth day, and strangers.
	start := time.Date(2026, 1, 1, 3, 15, 0, 0, time.UTC)
	for day := 0; day < 60; day += 5 {
		stamp := start.AddDate(0, 0, day).Format("20060102T150405Z")
		for _, place := range []string{"backups", "remote"} {
			write(t, filepath.Join(r.dir, place, "postgres/morphee-"+stamp+".dump.bin"), "x", 0o600)
			write(t, filepath.Join(r.dir, place, "git/memory-"+stamp+".tar.gz.bin"), "x", 0o600)
			write(t, filepath.Join(r.dir, place, "manifests/"+stamp+".json"), "{}", 0o600)
		}
	}
	write(t, r.dir+"/backups/git/notes.txt", "not ours", 0o600)
	write(t, r.dir+"/remote/git/old-project-20200101T000000Z.tar.gz.bin", "the only copy of something", 0o600)
	out := r.must([]string{"BACKUP_NOW=2026-03-01 03:15:00 UTC"}, "backup") // day 59
	// Local: 7 days back is day 52, so day 55 and today; of the dumps, day 55. Remote: git 14+2 days,
	// the rest 30+2.
	for pattern, want := range map[string]int{
		"backups/git/memory-*": 2, "backups/postgres/morphee-*": 1, "backups/manifests/*": 2, "backups/git/notes.txt": 1,
		"remote/git/memory-*": 4, "remote/postgres/morphee-*": 6, "remote/manifests/*": 7, "remote/git/old-project-*": 1,
	} {
		r.count(pattern, want)
	}
	if !strings.Contains(out, "outlived their retention") {
		t.Errorf("no word about the lifecycle that did not work:\n%s", out)
	}
	// Long after the last dump, its newest copy is still there.
	r.must([]string{"BACKUP_NOW=2027-01-01 03:15:00 UTC"}, "backup")
	r.count("backups/postgres/morphee-*", 1)
	r.count("remote/postgres/morphee-*", 1)
}

func TestBackupSchedule(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, c := range []struct {
		schedule, now string
		want          bool
	}{
		{"15 3 * * *", "2026-02-20 03:15:40", true},
		{"15 3 * * *", "2026-02-20 03:16:00", false},
		{"15 3 * * *", "2026-02-20 15:15:00", false},
		{"*/20 * * * *", "2026-02-20 09:40:00", true},
		{"*/20 * * * *", "2026-02-20 09:41:00", false},
		{"0 1-5/2 * * *", "2026-02-20 03:00:00", true},
		{"0 1-5/2 * * *", "2026-02-20 04:00:00", false},
		{"8,9 8 * * *", "2026-02-20 08:09:00", true},
		{"5/10 * * * *", "2026-02-20 08:25:00", true},
		{"0 3 * * 5", "2026-02-20 03:00:00", true}, // a Friday
		{"0 3 * * 7", "2026-02-22 03:00:00", true}, // a Sunday
		{"0 3 * * 0", "2026-02-22 03:00:00", true},
		{"0 3 1 * 5", "2026-02-20 03:00:00", true},
		{"0 3 1 * *", "2026-02-20 03:00:00", false},
		{"0 3 20 2 *", "2026-02-20 03:00:00", true},
		{"0 3 20 3 *", "2026-02-20 03:00:00", false},
	} {
		_, err := run(t, r.dir, append(r.env, "BACKUP_NOW="+c.now+" UTC"), "bash", "-c", `. "$0/backup-lib"; schedule_matches "$1"`, r.bin, c.schedule)
		if (err == nil) != c.want {
			t.Errorf("%q at %s: %v, want %v", c.schedule, c.now, err == nil, c.want)
		}
	}
}

func TestBackupSchedulerCatchesUpAndStops(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	// A leap day: the schedule itself never comes due in this test.
	cmd := exec.Command(filepath.Join(r.bin, "backup-scheduler"))
	cmd.Env = append(append(os.Environ(), r.env...), "DATABASES=", "SCHEDULE=0 0 29 2 *", "TICK_SECONDS=1")
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(15 * time.Second)
	for {
		if _, err := os.Stat(r.dir + "/backups/status/last-success"); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a container that never succeeded does not run a backup")
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, out.String())
	}
	r.count("remote/git/*.bin", 2)
	if n := len(r.files("backups/manifests/*")); n != 1 {
		t.Errorf("%d runs, want 1: %s", n, fmt.Sprint(out.String()))
	}
}

func TestBackupSchedulerPaused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cmd := r.command([]string{"DATABASES=", "SCHEDULE=never", "TICK_SECONDS=0.05"}, "backup-scheduler")
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second) // some ten times it looks whether a backup is due, and there never was one
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, out.String())
	}
	r.count("backups/manifests/*", 0)
	old := []string{"SCHEDULE=never", "BACKUP_NOW=now + 1000 hours"}
	if said := r.must(old, "backup-health"); !strings.Contains(said, "paused") {
		t.Errorf("a paused backup's health: %s", said)
	}
	// By hand it works.
	r.must([]string{"DATABASES=", "SCHEDULE=never"}, "backup")
	r.count("remote/git/*.bin", 2)
	if code, _ := r.try([]string{"SCHEDULE=15 3 * * *", "BACKUP_NOW=now + 1000 hours"}, "backup-health"); code != 1 {
		t.Error("a missing backup is healthy when it is not paused")
	}
}
