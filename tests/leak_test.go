package tests

import (
	"runtime"
	"testing"
	"time"

	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// engineLeaves is how many goroutines the engine itself leaves behind per operation: it never closes its
// server of provider schemas (two) nor ends the one that watches for panics (pulumi v3.259.0).
const engineLeaves = 3

// A process that rehearses many operations, as these tests do, must not keep anything of those that are
// over, but for what the engine keeps.
func TestOperationsLeaveNothingRunning(t *testing.T) {
	stack := rig.Load(t, rig.Shipped(t)["phase0"])
	store := rig.NewStore(t)
	rig.Run(t, store, sim.Preview, stack.Stack, sim.Options{})
	settle := func() int {
		last, since := 0, 0
		for since < 10 {
			time.Sleep(20 * time.Millisecond)
			since++
			if n := runtime.NumGoroutine(); n != last {
				last, since = n, 0
			}
		}
		return last
	}
	before := settle()
	const operations = 10
	for range operations {
		rig.Run(t, store, sim.Preview, stack.Stack, sim.Options{})
	}
	if after := settle(); after > before+operations*engineLeaves {
		buf := make([]byte, 1<<20)
		t.Errorf("%d goroutines before, %d after ten previews:\n%.6000s", before, after, buf[:runtime.Stack(buf, true)])
	}
}

// What the engine's goroutines hold is emptied: an up keeps hardly any memory.
func TestOperationsLeaveNoMemory(t *testing.T) {
	stack := rig.Load(t, rig.Shipped(t)["phase0"])
	store := rig.NewStore(t)
	up := func() { rig.Run(t, store, sim.Up, stack.Stack, sim.Options{Refresh: true}) }
	held := func() uint64 {
		time.Sleep(100 * time.Millisecond) // the engine closes its host behind our back
		runtime.GC()
		runtime.GC() // the second frees what the first found to be finalized
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	up()
	up()
	before := held()
	const operations = 10
	for range operations {
		up()
	}
	if after := held(); after > before+operations*500<<10 {
		t.Errorf("%d KiB before, %d KiB after ten ups: each keeps %d KiB", before>>10, after>>10, (after-before)/operations>>10)
	}
}
