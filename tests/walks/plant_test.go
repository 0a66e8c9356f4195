package walks

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A mistake that is planted is found by the walks, which are reduced to what shows it, and kept as a script.
func TestAPlantedMistakeIsFound(t *testing.T) {
	keep := filepath.Join(t.TempDir(), "kept")
	_, out, err := child(t, "7", job{400, keep, renamedVolume})
	if err == nil {
		t.Fatal("it was not found")
	}
	script, err := os.ReadFile(filepath.Join(keep, "walk.sh"))
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text := string(script)
	if !strings.Contains(text, "# What is wrong") || !strings.Contains(text, "postgres") {
		t.Errorf("the script does not say what is wrong:\n%s", text)
	}
	if !strings.Contains(text, "owner: ") {
		t.Errorf("the script does not change the owner, which is what the mistake is about:\n%s", text)
	}
	commands := 0
	for line := range strings.Lines(text[strings.Index(text, "# it begins"):]) {
		if strings.HasPrefix(line, "sim ") {
			commands++
			if file := strings.Fields(line)[2]; !exists(filepath.Join(keep, file)) {
				t.Errorf("there is no %s beside the script", file)
			}
		}
	}
	if commands > 12 {
		t.Errorf("it is not reduced: %d commands\n%s", commands, text)
	}
	if out, err := exec.Command("bash", "-n", filepath.Join(keep, "walk.sh")).CombinedOutput(); err != nil {
		t.Errorf("the script is no script: %v\n%s", err, out)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
