package ops

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/testtools"
)

func TestScriptsPassShellcheck(t *testing.T) {
	t.Parallel()
	shellcheck := testtools.Need(t, "shellcheck", "shellcheck")
	var scripts []string
	for _, pattern := range []string{"boot/*.sh", "cloud-init/*.sh", "postgres/*.sh", "images/backup/bin/*"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("no scripts at %s: %v", pattern, err)
		}
		for _, path := range found {
			scripts = append(scripts, "ops/"+path)
		}
	}
	for name, script := range map[string]string{
		"bootstrap.sh": completed(t, "cloud-init/bootstrap.sh"), "bootstrap-postgres.sh": completed(t, "postgres/bootstrap.sh"),
		"ready.sh": ReadyScript, "ready-postgres.sh": PostgresReadyScript,
	} {
		if strings.Contains(script, "ops/boot") {
			t.Errorf("%s sources a file that is not shipped:\n%s", name, script)
		}
		scripts = append(scripts, write(t, filepath.Join(t.TempDir(), name), script, 0o755))
	}
	// The scripts source each other by their paths in the repository.
	if out, err := run(t, "..", nil, shellcheck, append([]string{"--external-sources"}, scripts...)...); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// completed is a script of ours as it is shipped.
func completed(t *testing.T, name string) string {
	t.Helper()
	script, err := render(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	return script
}

func TestScriptsAreCompleted(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		"echo a\n": "echo a\n",
		"# shellcheck source=ops/boot/ready.sh\necho a\n":                  "stands alone",
		"# shellcheck source=ops/boot/ready.sh\n. ops/boot/other.sh\n":     "stands alone",
		"# shellcheck source=ops/boot/missing.sh\n. ops/boot/missing.sh\n": "missing.sh",
	} {
		got, err := complete(script)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%q became %q, want %q", script, got, want)
		}
	}
	for script, want := range map[string]string{ReadyScript: "the host is not ready", PostgresReadyScript: "the database server is not ready"} {
		if !strings.HasPrefix(script, "#!/bin/bash\n# Run over SSH") || !strings.Contains(script, want) || strings.Contains(script, "MACHINE") || strings.Contains(script, "PLACE") {
			t.Errorf("want %q in\n%s", want, script)
		}
	}
}

// A volume that is lost stays mounted: it is found all the same, before anything is deployed onto it.
func TestALostVolumeIsFound(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		attached, mounted string // numbers of volumes
		want              string
	}{
		"as it should be":    {"42", "42", "the database server is ready"},
		"not mounted":        {"42", "", "not mounted at /srv/data"},
		"lost":               {"", "42", "volume 42, which /etc/morphee/bootstrap.env names, is not attached"},
		"another one's here": {"43", "42", "volume 42, which /etc/morphee/bootstrap.env names, is not attached"},
		"the old one's left": {"42", "41", "what is mounted at /srv/data is not volume 42"},
	} {
		root, bin := t.TempDir(), t.TempDir()
		devices := root + "/dev/disk/by-id/scsi-0HC_Volume_"
		for name, body := range map[string]string{
			"cloud-init": "", "mountpoint": "[ -n '" + c.mounted + "' ]", "findmnt": "echo " + devices + c.mounted,
		} {
			write(t, filepath.Join(bin, name), "#!/bin/bash\n"+body+"\n", 0o755)
		}
		write(t, root+"/etc/morphee/bootstrap.env", "VOLUME_ID=\"42\"\nDEPLOY_USER=\"morphee\"\n", 0o644)
		write(t, root+"/var/lib/morphee/bootstrap.done", "", 0o644)
		write(t, root+"/usr/lib/postgresql/15/bin/postgres", "", 0o755)
		if c.attached != "" {
			write(t, devices+c.attached, "", 0o644)
		}
		env := []string{"ROOT=" + root, "PATH=" + bin + ":" + os.Getenv("PATH"), "READY_TIMEOUT_SECONDS=60"}
		out, err := run(t, root, env, "bash", "-c", PostgresReadyScript)
		if !strings.Contains(out, c.want) || (err == nil) != (what == "as it should be") {
			t.Errorf("%s: %v\n%s", what, err, out)
		}
	}
}

// rehearse runs a folder's bootstrap.sh in a root directory of its own with stand-ins for everything
// that would touch the machine, and returns what was called.
func rehearse(t *testing.T, folder, filesystem string, attach, keys bool) (string, string, error) {
	t.Helper()
	root, bin := t.TempDir(), t.TempDir()
	calls := filepath.Join(root, "calls")
	stand := "#!/bin/bash\necho \"$(basename \"$0\") $*\" >>" + calls + "\n"
	for name, body := range map[string]string{
		"systemctl": `case "$1" in is-enabled) exit 1;; esac`, "mount": "", "mountpoint": "exit 1", "resize2fs": "", "apt-get": "", "sshd": "", "sysctl": "",
		"blkid":   "echo " + filesystem,
		"curl":    `while [ $# -gt 0 ]; do [ "$1" = -o ] && echo x >"$2"; shift; done`,
		"gpg":     "echo fpr:::::::::9DC858229FC7DD38854AE2D88D81803C0EBFCD88:",
		"dpkg":    "echo amd64",
		"docker":  "echo 28.5.2",
		"getent":  "echo morphee:x:1000:1000::/home/morphee:/bin/bash",
		"sleep":   "",
		"install": `cp "${@: -2:1}" "${@: -1}"`,
	} {
		write(t, filepath.Join(bin, name), stand+body+"\n", 0o755)
	}
	write(t, root+"/etc/morphee/bootstrap.env", "VOLUME_ID=42\nDOCKER_VERSION=28.5.2\nCOOLIFY_VERSION=\nDEPLOY_USER=morphee\n", 0o644)
	write(t, root+"/etc/morphee/sshd.conf", "Port 22\n", 0o644)
	write(t, root+"/etc/os-release", "ID=ubuntu\nVERSION_CODENAME=noble\n", 0o644)
	write(t, root+"/etc/fstab", "LABEL=root / ext4 defaults 0 1\n", 0o644)
	for _, dir := range []string{"/etc/ssh/sshd_config.d", "/etc/apt/sources.list.d", "/etc/apt/preferences.d", "/dev/disk/by-id"} {
		if err := os.MkdirAll(root+dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if attach {
		write(t, root+"/dev/disk/by-id/scsi-0HC_Volume_42", "", 0o644)
	}
	if keys {
		write(t, root+"/home/morphee/.ssh/authorized_keys", "ssh-ed25519 AAAA\n", 0o600)
	}
	script := write(t, filepath.Join(t.TempDir(), "bootstrap.sh"), completed(t, folder+"/bootstrap.sh"), 0o755)
	env := []string{"ROOT=" + root, "PATH=" + bin + ":" + os.Getenv("PATH"), "DEVICE_WAIT_SECONDS=3", "RETRY_PAUSE_SECONDS=0"}
	out, err := run(t, root, env, "bash", script)
	log, _ := os.ReadFile(calls)
	if err == nil {
		again, _ := run(t, root, env, "bash", script)
		fstab, _ := os.ReadFile(root + "/etc/fstab")
		want := map[string]int{"cloud-init": 3, "postgres": 2}[folder]
		if n := strings.Count(string(fstab), "\n"); n != want {
			t.Errorf("%s: fstab has %d lines after two runs, want %d:\n%s\n%s", folder, n, want, fstab, again)
		}
		if _, err := os.Stat(root + "/var/lib/morphee/bootstrap.done"); err != nil {
			t.Errorf("no mark of success: %v", err)
		}
	}
	return out, string(log), err
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

func TestBootstrapMountsBeforeInstalling(t *testing.T) {
	t.Parallel()
	for folder, want := range map[string][]string{
		"cloud-init": {"mount /srv/data\n", "mount /var/lib/docker/volumes\n", "docker-ce ", "restart ssh.service"},
		"postgres":   {"mount /srv/data\n", "install -y --no-install-recommends postgresql-15 ", "restart ssh.service"},
	} {
		out, calls, err := rehearse(t, folder, "ext4", true, true)
		if err != nil {
			t.Errorf("%s: %v\n%s\n%s", folder, err, out, calls)
			continue
		}
		at := 0
		for _, call := range want {
			next := strings.Index(calls[at:], call)
			if next < 0 {
				t.Errorf("%s: no %q, or too early, in\n%s", folder, call, calls)
				break
			}
			at += next
		}
		if strings.Contains(calls, "mkfs") {
			t.Errorf("%s: bootstrap formats:\n%s", folder, calls)
		}
	}
}

func TestBootstrapRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, filesystem string
		attach, keys     bool
		want, never      string
	}{
		{"no volume", "ext4", false, true, "was not attached", "--no-install-recommends"},
		{"no file system", "", true, true, "no file system", "--no-install-recommends"},
		{"foreign file system", "xfs", true, true, "'xfs'", "--no-install-recommends"},
		{"no key", "ext4", true, false, "no authorized keys", "restart ssh"},
	} {
		for _, folder := range []string{"cloud-init", "postgres"} {
			out, calls, err := rehearse(t, folder, c.filesystem, c.attach, c.keys)
			if err == nil || !strings.Contains(out, c.want) {
				t.Errorf("%s, %s: got %v, %s; want an error with %q", folder, c.name, err, out, c.want)
			}
			if strings.Contains(calls, c.never) {
				t.Errorf("%s, %s: went on to %q", folder, c.name, c.never)
			}
		}
	}
}
