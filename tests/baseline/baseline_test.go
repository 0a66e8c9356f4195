package baseline

import (
	"bytes"
	"compress/gzip"
	"context"
	"flag"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/safety"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

var record = flag.String("record", "", "record the states of this release under this name, such as 1.0")

const (
	stateSuffix  = ".state.json.gz"
	configSuffix = ".yaml"
	keyName      = "key.json"
)

// TestRecord records what every shipped stack and every step of the ladder leaves: its configuration, and
// its state as `infra sim export` gives it. A release is recorded once: later code is held against it.
func TestRecord(t *testing.T) {
	if *record == "" {
		t.Skip("nothing to record: make baseline RELEASE=name")
	}
	if !regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.-]*$`).MatchString(*record) {
		t.Fatalf("RELEASE=%s: want letters, digits, dots and hyphens", *record)
	}
	if err := os.Mkdir(*record, 0o755); os.IsExist(err) {
		t.Fatalf("release %s is recorded already, and what was released does not change: give another name", *record)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() { // half a release is none
			_ = os.RemoveAll(*record)
		}
	})
	key, err := sim.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(*record, keyName), key)
	files := rig.Shipped(t)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		keep(t, emptyStore(t, key), name, rig.Load(t, files[name]))
	}
	store := emptyStore(t, key)
	for _, s := range rig.Ladder(t) {
		keep(t, store, "ladder-"+s.Name, s.Stack)
	}
}

func emptyStore(t *testing.T, key []byte) sim.Store {
	t.Helper()
	store := sim.Store{Dir: t.TempDir()}
	if err := store.UseKey(key); err != nil {
		t.Fatal(err)
	}
	return store
}

// keep brings the stack up and writes down its configuration and state.
func keep(t *testing.T, store sim.Store, name string, stack *rehearsal.Stack) {
	t.Helper()
	rig.Run(t, store, sim.Up, stack.Stack, sim.Options{})
	state, err := store.Export(context.Background(), stack.Name, false)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if _, err := w.Write(state); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(stack.Arg)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(*record, name+stateSuffix), packed.Bytes())
	write(t, filepath.Join(*record, name+configSuffix), config)
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// recorded is one stack of a release.
type recorded struct {
	name  string
	key   []byte
	state []byte
	stack *rehearsal.Stack
}

// releases reads all that is recorded, by release and stack.
func releases(t *testing.T) map[string][]recorded {
	t.Helper()
	files, err := filepath.Glob("*/*" + stateSuffix)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]recorded{}
	for _, f := range files {
		release, name := filepath.Dir(f), strings.TrimSuffix(filepath.Base(f), stateSuffix)
		key, err := os.ReadFile(filepath.Join(release, keyName))
		if err != nil {
			t.Fatal(err)
		}
		stack, err := rehearsal.Load(asked(t, filepath.Join(release, name+configSuffix)), stackOf(name))
		if err != nil {
			t.Errorf("what release %s takes as a configuration is not taken any more: %v", release, err)
			continue
		}
		out[release] = append(out[release], recorded{name, key, unpack(t, f), stack})
	}
	return out
}

// dataOnAWS is where a configuration says that AWS's data counts, with no copy named after it.
var dataOnAWS = regexp.MustCompile(`(?m)^( +)writes: aws(?:-frozen)?$`)

// asked is the configuration with what was asked for since it was recorded, as the error tells whoever deploys:
// the copy that AWS's data began with. It is the path of a file.
func asked(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte(" copy: ")) || !dataOnAWS.Match(data) {
		return path
	}
	path = filepath.Join(t.TempDir(), filepath.Base(path))
	write(t, path, dataOnAWS.ReplaceAll(data, []byte("$0\n${1}copy: 20261106T021500Z")))
	return path
}

// stackOf is the name that only the name of a file gives: Pulumi.dev.yaml is recorded as dev.yaml.
func stackOf(name string) string {
	if name == "dev" || name == "prod" {
		return name
	}
	return ""
}

func unpack(t *testing.T, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// preview runs this code's program against a recorded state, with the clouds made again from it, and
// returns what would be lost.
func (r recorded) preview(t *testing.T) (*sim.Result, []safety.Loss) {
	t.Helper()
	store := emptyStore(t, r.key)
	if err := store.Import(context.Background(), r.stack.Name, r.state, clouds.All()...); err != nil {
		t.Fatal(err)
	}
	result, err := rig.Try(store, sim.Preview, r.stack.Stack, sim.Options{})
	losses := safety.Losses(result, safety.Options{})
	if err != nil && len(losses) == 0 {
		t.Fatalf("%v\n%s", err, strings.Join(result.Errors, "\n"))
	}
	return result, losses
}

// What was deployed by an earlier release loses nothing by this code.
func TestNothingRecordedIsLost(t *testing.T) {
	all := releases(t)
	if len(all) == 0 {
		t.Fatal("no release is recorded: make baseline RELEASE=name")
	}
	for release, stacks := range all {
		for _, r := range stacks {
			t.Run(release+"/"+r.name, func(t *testing.T) {
				_, losses := r.preview(t)
				for _, l := range losses {
					t.Errorf("%s %s %s: %s; a resource that was renamed or moved needs an alias", l.Op, l.Type, l.Name, l.Cause.Text)
				}
			})
		}
	}
	counts := map[string]int{}
	for release, stacks := range all {
		counts[release] = len(stacks)
	}
	rig.Proof(t, "baseline", counts)
}

// A stateful resource that has another name than in the recorded state is seen, and an alias mends it.
func TestARenameWithoutAliasIsSeen(t *testing.T) {
	const was, is = "::postgres-store", "::postgres-data"
	stack := rig.Load(t, rig.Shipped(t)["phase0"])
	key, err := sim.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	store := emptyStore(t, key)
	rig.Run(t, store, sim.Up, stack.Stack, sim.Options{})
	state, err := store.Export(context.Background(), stack.Name, false)
	if err != nil {
		t.Fatal(err)
	}
	old := bytes.ReplaceAll(state, []byte(is+`"`), []byte(was+`"`))
	if bytes.Equal(old, state) {
		t.Fatalf("the state has no %s to rename", is)
	}
	r := recorded{"phase0", key, old, stack}
	if _, losses := r.preview(t); !slices.ContainsFunc(losses, func(l safety.Loss) bool { return l.Op == "delete" && "::"+l.Name == was }) {
		t.Errorf("the rename is not seen: %+v", losses)
	}
	program := stack.Program
	stack.Program = func(ctx *pulumi.Context) error {
		err := ctx.RegisterResourceTransform(func(_ context.Context, args *pulumi.ResourceTransformArgs) *pulumi.ResourceTransformResult {
			if "::"+args.Name == is && args.Type == "docker:index/volume:Volume" {
				args.Opts.Aliases = append(args.Opts.Aliases, pulumi.Alias{Name: pulumi.String(strings.TrimPrefix(was, "::"))})
			}
			return &pulumi.ResourceTransformResult{Props: args.Props, Opts: args.Opts}
		})
		if err != nil {
			return err
		}
		return program(ctx)
	}
	if _, losses := r.preview(t); len(losses) > 0 {
		t.Errorf("an alias does not mend it: %+v", losses)
	}
}
