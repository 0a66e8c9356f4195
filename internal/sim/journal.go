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

// forget empties what the engine keeps of its deployment for as long as the process lives: the goroutine that
// watches each of its executors for panics never ends (pulumi v3.259.0), and holds the steps that were
// taken, and they the deployment with every state and goal. The engine has to be done with them, and so has
// the program. A preview shows nobody its steps, and keeps some megabytes.
func (j *journal) forget() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range j.entries {
		if e.Step == nil {
			continue
		}
		if d := e.Step.Deployment(); d != nil {
			*d = deploy.Deployment{}
		}
		switch s := e.Step.(type) {
		case *deploy.SameStep:
			*s = deploy.SameStep{}
		case *deploy.CreateStep:
			*s = deploy.CreateStep{}
		case *deploy.UpdateStep:
			*s = deploy.UpdateStep{}
		case *deploy.ReplaceStep:
			*s = deploy.ReplaceStep{}
		case *deploy.DeleteStep:
			*s = deploy.DeleteStep{}
		case *deploy.RefreshStep:
			*s = deploy.RefreshStep{}
		}
	}
	j.entries = nil
}

// snapshot is the state after what was recorded.
func (j *journal) snapshot() (*deploy.Snapshot, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.entries.Snap(j.base)
}

// BeginMutation leaves the program's stack traces out of the state: they were a fifth of it, name this
// machine's folders, and the source position, which stays, says where a resource comes from.
func (j *journal) BeginMutation(step deploy.Step) (engine.SnapshotMutation, error) {
	if s := step.New(); s != nil {
		s.Lock.Lock()
		s.StackTrace = nil
		s.Lock.Unlock()
	}
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
