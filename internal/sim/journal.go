package sim

import (
	"sync"

	"github.com/pulumi/pulumi/pkg/v3/engine"
	"github.com/pulumi/pulumi/pkg/v3/resource/deploy"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// journal collects what the engine did and makes the new state of it once, at the end. (The ordinary
// CLI writes the whole state at every step, which is most of the time that it takes.)
type journal struct {
	mu      sync.Mutex
	entries engine.JournalEntries
	base    *deploy.Snapshot
	dead    bool // the run was killed: nothing more is recorded, as if the process were gone
}

var _ engine.SnapshotManager = (*journal)(nil)

// mutation is one begun step.
type mutation struct{ j *journal }

func (j *journal) add(e engine.TestJournalEntry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.dead {
		j.entries = append(j.entries, e)
	}
}

// kill ends recording.
func (j *journal) kill() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.dead = true
}

// snapshot is the state after what was recorded.
func (j *journal) snapshot() (*deploy.Snapshot, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.entries.Snap(j.base)
}

func (j *journal) BeginMutation(step deploy.Step) (engine.SnapshotMutation, error) {
	j.add(engine.TestJournalEntry{Kind: engine.TestJournalEntryBegin, Step: step})
	return mutation{j}, nil
}

func (m mutation) End(step deploy.Step, success bool) error {
	kind := engine.TestJournalEntryFailure
	if success {
		kind = engine.TestJournalEntrySuccess
	}
	m.j.add(engine.TestJournalEntry{Kind: kind, Step: step})
	return nil
}

func (j *journal) RegisterResourceOutputs(step deploy.Step) error {
	j.add(engine.TestJournalEntry{Kind: engine.TestJournalEntryOutputs, Step: step})
	return nil
}

func (j *journal) SetSnippets(snippets []resource.Snippet) error {
	j.add(engine.TestJournalEntry{Kind: engine.TestJournalEntrySnippets, Snippets: snippets})
	return nil
}

func (j *journal) Write(base *deploy.Snapshot) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.base = base
	return nil
}

func (j *journal) RebuiltBaseState() error { return nil }
func (j *journal) Close() error            { return nil }
