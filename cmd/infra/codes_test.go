package main

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"
)

// Exit codes are part of the interface: scripts and CI tell a failed deployment from a wrong call by them.
func TestExitCodes(t *testing.T) {
	dev, err := filepath.Abs("../../Pulumi.dev.yaml")
	if err != nil {
		t.Fatal(err)
	}
	state := t.TempDir()
	for _, c := range []struct {
		name string
		args []string
		want int
	}{
		{"done", []string{"sim", "preview", dev, "--state", state}, exitDone},
		{"failed", []string{"sim", "up", dev, "--state", t.TempDir(), "--fail", "hcloud:index/server:Server"}, exitFailed},
		{"failed, JSON", []string{"sim", "up", dev, "--json", "--state", t.TempDir(), "--fail", "1"}, exitFailed},
		{"nothing to export", []string{"sim", "export", dev, "--state", t.TempDir()}, exitFailed},
		{"no stack", []string{"sim", "up"}, exitUsage},
		{"unknown flag", []string{"sim", "up", dev, "--what"}, exitUsage},
		{"unknown stack", []string{"sim", "up", "nope"}, exitUsage},
		{"unknown file", []string{"sim", "up", "no/such.yaml"}, exitUsage},
		{"wrong confirmation", []string{"sim", "destroy", dev, "--state", state, "--delete-protected", "x"}, exitUsage},
		{"unknown command", []string{"simulate"}, exitUsage},
		{"unknown subcommand", []string{"sim", "upp", dev}, exitUsage},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, errOut bytes.Buffer
			if got := run(context.Background(), c.args, &out, &errOut); got != c.want {
				t.Errorf("exit code %d, want %d\n%s%s", got, c.want, out.String(), errOut.String())
			}
		})
	}
}
