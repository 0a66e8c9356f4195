package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The scaffold compiles, and its test says what is left to do; then it passes.
func TestScaffold(t *testing.T) {
	root := filepath.Join("..", "..")
	p := policy{Pack: "durability", ID: "scaffold-of-rule", Type: "aws:sqs/queue:Queue"}
	dir := t.TempDir()
	// A copy of the pack, next to the rest of the module by an overlay.
	for _, sub := range []string{"policy/durability"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	pack, err := os.ReadFile(filepath.Join(root, "policy", "durability", "pack.go"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "policy/durability/pack.go"), string(pack))
	if err := run(dir, p); err != nil {
		t.Fatal(err)
	}
	if err := run(dir, p); err == nil || !strings.Contains(err.Error(), "there already") {
		t.Errorf("writing it twice: %v", err)
	}
	if out, err := overlaid(t, root, dir, ""); err == nil || !strings.Contains(out, "add scaffoldOfRule to") {
		t.Errorf("before it is in the pack: %v\n%s", err, out)
	}
	if out, err := overlaid(t, root, dir, strings.Replace(string(pack), "slices.Concat(steps,", "slices.Concat(scaffoldOfRule, steps,", 1)); err != nil {
		t.Errorf("once it is in the pack: %v\n%s", err, out)
	}
}

// overlaid runs the scaffold's test as if its files were in the project.
func overlaid(t *testing.T, root, dir, pack string) (string, error) {
	t.Helper()
	here, err := filepath.Abs(filepath.Join(root, "policy", "durability"))
	if err != nil {
		t.Fatal(err)
	}
	there := filepath.Join(dir, "policy", "durability")
	replace := []string{}
	for _, f := range []string{"scaffold_of_rule.go", "scaffold_of_rule_test.go"} {
		if _, err := os.Stat(filepath.Join(there, f)); err != nil {
			t.Fatal(err)
		}
		replace = append(replace, quote(filepath.Join(here, f))+":"+quote(filepath.Join(there, f)))
	}
	if pack != "" {
		write(t, filepath.Join(there, "pack.go"), pack)
		replace = append(replace, quote(filepath.Join(here, "pack.go"))+":"+quote(filepath.Join(there, "pack.go")))
	}
	overlay := filepath.Join(dir, "overlay.json")
	write(t, overlay, `{"Replace":{`+strings.Join(replace, ",")+`}}`)
	command := exec.Command("go", "test", "-overlay", overlay, "-run", "Scaffold", "./policy/durability")
	command.Dir = root
	out, err := command.CombinedOutput()
	return string(out), err
}

func quote(s string) string { return `"` + s + `"` }

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestWrongUse(t *testing.T) {
	err := run(filepath.Join("..", ".."), policy{Pack: "x", ID: "Bad", Type: "queue"})
	for _, want := range []string{"-pack", "-id", "-type"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
	if err := run(filepath.Join("..", ".."), policy{Pack: "hygiene", ID: "kms-rotation", Type: "a:b:C"}); err == nil || !strings.Contains(err.Error(), "morphee-hygiene has a rule of that id") {
		t.Errorf("an id that is taken: %v", err)
	}
}
