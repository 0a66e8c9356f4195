package rig

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Proof writes figures of a test into a folder, from which docs/proof.md is made.
func Proof(t testing.TB, dir, name string, figures any) {
	t.Helper()
	data, err := json.MarshalIndent(figures, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".json"), append(data, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
