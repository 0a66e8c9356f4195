package rig

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// EnvChild is set in a process that Child started.
const EnvChild = "MORPHEE_TEST_CHILD"

const envResult = "MORPHEE_TEST_RESULT"

// Child runs one test of this test binary in a process of its own and reads what it answered with. The
// engine keeps some of every operation for as long as the process lives, megabytes of a preview, so that tests
// of many operations divide them. job is what the child gets with Job.
func Child(t testing.TB, test string, job, answer any, flags ...string) (output string, err error) {
	t.Helper()
	text, err := json.Marshal(job)
	if err != nil {
		return "", err
	}
	result, err := os.CreateTemp("", "morphee-test-")
	if err != nil {
		return "", err
	}
	defer os.Remove(result.Name())
	if err := result.Close(); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"-test.run=^" + test + "$", "-test.v", "-test.timeout=120m"}, flags...)...)
	// Memory for time, because a child does not live long; and one processor, because there is a child on each.
	cmd.Env = append(os.Environ(), EnvChild+"="+string(text), envResult+"="+result.Name(), "GOMAXPROCS=1", "GOGC=600", "GOMEMLIMIT=2GiB")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s in a process of its own: %w", test, err)
	}
	data, err := os.ReadFile(result.Name())
	if err != nil {
		return string(out), err
	}
	if len(data) == 0 {
		return string(out), fmt.Errorf("%s in a process of its own answered nothing", test)
	}
	return string(out), json.Unmarshal(data, answer)
}

// Job reads what the parent asks of this process; false when there is no parent.
func Job(t testing.TB, job any) bool {
	t.Helper()
	text := os.Getenv(EnvChild)
	if text == "" {
		return false
	}
	if err := json.Unmarshal([]byte(text), job); err != nil {
		t.Fatal(err)
	}
	return true
}

// Answer gives the parent, if there is one, what this process found.
func Answer(t testing.TB, answer any) {
	t.Helper()
	path := os.Getenv(envResult)
	if path == "" {
		return
	}
	data, err := json.Marshal(answer)
	if err == nil {
		err = os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// SideBySide does the jobs, as many at once as there are processors.
func SideBySide[T any](jobs []T, do func(T)) {
	next := make(chan T)
	var wait sync.WaitGroup
	for range runtime.NumCPU() {
		wait.Go(func() {
			for j := range next {
				do(j)
			}
		})
	}
	for _, j := range jobs {
		next <- j
	}
	close(next)
	wait.Wait()
}

// Long says whether the long tests run too, as make test-long does.
func Long() bool { return os.Getenv("MORPHEE_TEST_LONG") != "" }

// ProofDir is where make proof wants the figures; "" otherwise.
func ProofDir() string { return os.Getenv("MORPHEE_PROOF") }

// Proof writes figures of a test down when make proof runs it.
func Proof(t testing.TB, name string, figures any) {
	t.Helper()
	if ProofDir() == "" {
		return
	}
	data, err := json.MarshalIndent(figures, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(ProofDir(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(ProofDir(), name+".json"), append(data, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
