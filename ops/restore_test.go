package ops

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A restore that is under way is neither disturbed by whoever looks nor joined by another.
func TestRestoreIsLeftAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.postgres()
	r.must([]string{"BACKUP_NOW=2026-02-20 03:15:00 UTC"}, "backup")
	// What runs that were cut off left, of this release and of an earlier one, and what lives.
	for _, name := range []string{"restoring/old", "restoring.gone/old", "restoring.lives/new"} {
		write(t, filepath.Join(r.dir, "backups", name), "x", 0o600)
	}
	lives := exec.Command("flock", "--no-fork", r.dir+"/backups/restoring.lives", "sleep", "300")
	if err := lives.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lives.Process.Kill(); _ = lives.Wait() })
	until(t, "another run holds its folder", func() bool { return exec.Command("flock", "-n", r.dir+"/backups/restoring.lives", "true").Run() != nil })

	// One that waits in the middle, its copy fetched.
	running := r.command(r.shim("pg_restore", `touch "`+r.dir+`/reached"; until [ -e "`+r.dir+`/go" ]; do sleep 0.05; done; exec "$REAL" "$@"`), "restore", "database", "morphee", "--into", "morphee_then", "--from", "remote")
	var out bytes.Buffer
	running.Stdout, running.Stderr = &out, &out
	if err := running.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "the restore runs", func() bool { _, err := os.Stat(r.dir + "/reached"); return err == nil })
	r.count("backups/restoring.*/morphee-*", 1)
	r.count("backups/restoring*/old", 0)
	r.count("backups/restoring.lives/new", 1)

	if list := r.must(nil, "restore", "list"); !strings.Contains(list, "local postgres/morphee-"+fixedStamp) {
		t.Errorf("restore list gives %s", list)
	}
	r.must(nil, "import", "list")
	into := filepath.Join(r.dir, "into")
	if err := os.Mkdir(into, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"restore", "database", "forgejo", "--replace"}, {"restore", "globals"}, {"restore", "volume", "memory", "--into", into}, {"import", fixedStamp}} {
		if code, said := r.try([]string{"TARGETS_DIR=" + r.dir + "/sources"}, args[0], args[1:]...); code != 1 || !strings.Contains(said, "another import or restore is running") {
			t.Errorf("%v meanwhile: exit code %d %s", args, code, said)
		}
	}
	r.count("backups/restoring.*/morphee-*", 1)
	// On another machine, with copies of its own, the database says so.
	if code, said := r.try([]string{"BACKUP_DIR=" + r.dir + "/elsewhere"}, "restore", "database", "forgejo", "--replace", "--from", "remote"); code != 1 || !strings.Contains(said, "another import or restore is running") {
		t.Errorf("from elsewhere: exit code %d %s", code, said)
	}

	write(t, r.dir+"/go", "", 0o600)
	if err := running.Wait(); err != nil || r.sql("morphee_then", "select count(*) from notes") != "1000" {
		t.Errorf("the restore that was under way: %v\n%s", err, out.String())
	}
	r.must(nil, "restore", "volume", "memory", "--into", into)
	r.count("into/note.md", 1)
	r.count("backups/restoring*", 1) // the one that lives
}

// until waits for something that takes a moment.
func until(t *testing.T, what string, there func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !there(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}
