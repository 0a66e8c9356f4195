package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"infra": main})
}

// The scripts say what the command does, exit codes and both streams included.
func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PROJECT", root)
			// The project's own stacks, without what runs left in its folder.
			for _, name := range []string{"Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml", "stacks/examples/phase0.yaml", "stacks/examples/phase1.yaml", "stacks/examples/phase4.yaml"} {
				data, err := os.ReadFile(filepath.Join(root, name))
				if err != nil {
					return err
				}
				to := filepath.Join(env.WorkDir, name)
				if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
					return err
				}
				if err := os.WriteFile(to, data, 0o644); err != nil {
					return err
				}
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"json": jsonField},
	})
}

// jsonField checks a field of the last command's standard output, which must be one JSON document:
// json changes.create 76, json errors.0 ~text.
func jsonField(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: json path value, or json path ~part")
	}
	dec := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	var doc any
	if err := dec.Decode(&doc); err != nil {
		ts.Fatalf("standard output is no JSON document: %v", err)
	}
	if dec.More() {
		ts.Fatalf("standard output has more than one JSON document")
	}
	for _, part := range strings.Split(args[0], ".") {
		switch at := doc.(type) {
		case map[string]any:
			doc = at[part]
		case []any:
			i := 0
			if part == "len" {
				doc = float64(len(at))
				continue
			}
			if _, err := fmt.Sscan(part, &i); err != nil || i >= len(at) {
				ts.Fatalf("%s: no element %s", args[0], part)
			}
			doc = at[i]
		default:
			doc = nil
		}
	}
	got := fmt.Sprint(doc)
	want, part := strings.CutPrefix(args[1], "~")
	if ok := got == want || part && strings.Contains(got, want); ok == neg {
		ts.Fatalf("%s is %q, want %q", args[0], got, args[1])
	}
}
