// Package testtools gets the ordinary Debian tools that some tests check shipped files with.
package testtools

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Need returns the path of a program. When it is missing it installs the Debian package, if the
// test runs as root where there is apt-get; otherwise the test fails and says how to mend that. It
// never skips: a check that silently does not run protects nothing.
//
// Several packages, separated by |, are tried in order: distributions name them differently.
func Need(t testing.TB, program, packages string) string {
	t.Helper()
	path := find(program)
	if path != "" {
		return path
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		t.Fatalf("%s is needed and not there; install it (on Debian and Ubuntu: sudo apt-get install %s)", program, strings.Split(packages, "|")[0])
	}
	// Test packages run side by side, and apt-get does not wait for another's lists.
	unlock, err := lock(filepath.Join(os.TempDir(), "testtools-apt.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if path = find(program); path != "" {
		return path
	}
	if err := install(strings.Split(packages, "|")); err != nil {
		t.Fatalf("%s is needed and not there, and could not be installed: %v", program, err)
	}
	if path = find(program); path == "" {
		t.Fatalf("%s was installed but has no program %s", packages, program)
	}
	return path
}

// find looks in the usual path, and where Debian keeps what is not for every user.
func find(program string) string {
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	postgres, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	for _, dir := range append(postgres, "/usr/sbin", "/sbin") {
		if path, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return path
		}
	}
	return ""
}

// install tries the packages in order, and once more with fresh lists: those of a new container
// are empty.
func install(packages []string) (err error) {
	for _, update := range []bool{false, true} {
		if update {
			if err := apt("update", "-q"); err != nil {
				return err
			}
		}
		for _, pkg := range packages {
			if err = apt("install", "-y", "-q", "--no-install-recommends", pkg); err == nil {
				return nil
			}
		}
	}
	return err
}

func apt(args ...string) error {
	cmd := exec.Command("apt-get", append([]string{"-o", "DPkg::Lock::Timeout=300"}, args...)...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}
