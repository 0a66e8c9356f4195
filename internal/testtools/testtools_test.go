package testtools

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// failing records a failure instead of ending the test.
type failing struct {
	testing.TB
	message string
}

func (f *failing) Helper() {}
func (f *failing) Fatalf(format string, args ...any) {
	f.message = format
	panic(f)
}

func TestNeed(t *testing.T) {
	dir := t.TempDir()
	tool := filepath.Join(dir, "some-tool")
	if err := os.WriteFile(tool, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir) // no apt-get here
	if got := Need(t, "some-tool", "none"); got != tool {
		t.Errorf("got %s, want %s", got, tool)
	}
	f := &failing{TB: t}
	func() {
		defer func() { _ = recover() }()
		Need(f, "no-such-tool", "first|second")
	}()
	if !strings.Contains(f.message, "sudo apt-get install") {
		t.Errorf("a missing tool does not fail with how to mend it: %q", f.message)
	}
}
