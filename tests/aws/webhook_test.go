package aws

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// The address that is told of failed backups comes and goes with the configuration, and nothing else does.
func TestTheWebhookComesAndGoes(t *testing.T) {
	without := rig.Load(t, rig.Shipped(t)["phase4"]).Stack
	tree := map[string]any{}
	if err := json.Unmarshal([]byte(without.Config["morphee:backups"]), &tree); err != nil {
		t.Fatal(err)
	}
	tree["alertWebhook"] = "https://hooks.example.com/services/x"
	text, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	with := rig.With(without, "morphee:backups", string(text))
	with.Secret = append(slices.Clone(with.Secret), "morphee:backups")

	store := rig.NewStore(t)
	judged(t, "with", store, sim.Up, with)
	kept := ids(t, store, with)
	r := judged(t, "without", store, sim.Up, without)
	if r.Changes.Delete == 0 || r.Changes.Create > 0 {
		t.Errorf("taking the address away: %+v", r.Changes)
	}
	for _, c := range r.Resources {
		if c.Op == "delete" && !strings.Contains(c.Name, "-webhook-url") {
			t.Errorf("taking the address away deletes %s", c.Name)
		}
	}
	now := ids(t, store, without)
	for urn, id := range kept {
		if now[urn] != id && !strings.HasSuffix(urn, "-webhook-url") {
			t.Errorf("%s was %s and is %q", urn, id, now[urn])
		}
	}
	if r := judged(t, "again", store, sim.Preview, without); r.Changes.Any() {
		t.Errorf("not settled:%s", rig.Describe(r.Resources))
	}
}
