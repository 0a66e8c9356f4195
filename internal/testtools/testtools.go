// Package testtools gets the ordinary Debian tools that some tests check shipped files with.
package testtools

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

// extra are places where Debian keeps programs outside the usual path.
var extra = []string{"/usr/lib/postgresql/15/bin", "/usr/sbin", "/sbin"}

// Need returns the path of a program. When it is missing it installs the Debian package, if the
// test runs as root where there is apt-get; otherwise the test fails and says how to mend that. It
// never skips: a check that silently does not run protects nothing.
func Need(t testing.TB, program, debianPackage string) string {
	t.Helper()
	if path := find(program); path != "" {
		return path
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		t.Fatalf("%s is needed and not there; install it (on Debian and Ubuntu: sudo apt-get install %s)", program, debianPackage)
	}
	// Lists may be old or absent in a fresh container; only then are they worth fetching.
	out, err := install(debianPackage)
	if err != nil {
		if update, updateErr := exec.Command("apt-get", "update", "-q").CombinedOutput(); updateErr != nil {
			t.Fatalf("apt-get update, to install %s: %v\n%s", debianPackage, updateErr, update)
		}
		out, err = install(debianPackage)
	}
	if err != nil {
		t.Fatalf("apt-get install %s: %v\n%s", debianPackage, err, out)
	}
	path := find(program)
	if path == "" {
		t.Fatalf("%s was installed but has no program %s", debianPackage, program)
	}
	return path
}

func find(program string) string {
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	for _, dir := range extra {
		if path, err := exec.LookPath(dir + "/" + program); err == nil {
			return path
		}
	}
	return ""
}

func install(pkg string) ([]byte, error) {
	cmd := exec.Command("apt-get", "install", "-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", pkg)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.Bytes(), err
}
