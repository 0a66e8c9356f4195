package aws

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The line of shell around the backup program: secrets become files that nobody else can read, and
// are in no environment; roles are dumped without their passwords.
func TestExportScript(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"backup":     "#!/bin/sh\nenv\npg_dumpall --globals-only\nls -l $SECRETS_DIR\ncat $SECRETS_DIR/encryption_key\n",
		"pg_dumpall": "#!/bin/sh\necho dumped with \"$@\"\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	secrets := filepath.Join(dir, "secrets")
	if err := os.Mkdir(secrets, 0o700); err != nil {
		t.Fatal(err)
	}
	run := exec.Command(bash, "-c", secretsScript+exportScript)
	run.Env = []string{"PATH=" + dir + ":/usr/bin:/bin", "TMPDIR=" + dir, "SECRETS_DIR=" + secrets, "FILE_encryption_key=a key\nof two lines", "PGHOST=db"}
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text := string(out)
	for _, want := range []string{"a key\nof two lines", "dumped with --no-role-passwords --globals-only", "-rw------- ", "PGHOST=db", "postgres_password"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	if strings.Contains(text, "FILE_") {
		t.Errorf("the backup program's environment still has the secrets:\n%s", text)
	}
}
