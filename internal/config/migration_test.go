package config_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/config"
)

// moving is the least configuration with both platforms, and the changes to it.
func moving(t *testing.T, yaml string) map[string]any {
	t.Helper()
	tree := base(3)
	for k, v := range base(2) {
		if k != "phase" {
			tree[k] = v
		}
	}
	return with(t, tree, yaml)
}

const (
	confirmed = `confirm: [vps, traefik, postgres, databases, redis, backend, forgejo, backup, managed-databases, database, database-archive]`
	retiring  = `migration: {from: 2, names: weighted, writes: aws, copy: 20261106T021500Z, awsWeight: 100, retire: {state: retiring, backupVerified: '2026-11-20', ` + confirmed + `}}`
)

func TestMigrationSteps(t *testing.T) {
	for _, yaml := range []string{
		`migration: {from: 2}`, `migration: {from: 1}`, `migration: {from: 2, names: weighted}`,
		`migration: {from: 2, names: weighted, writes: server-frozen}`, `migration: {from: 2, copy: 20261106T021500Z, writes: aws}`, `migration: {from: 2, trial: true}`, `migration: {from: 2, copy: 20261106T021500Z, writes: server}`,
		`migration: {from: 2, names: weighted, writes: aws, copy: 20261106T021500Z, awsWeight: 50}`, `migration: {from: 2, names: weighted, writes: aws-frozen, copy: 20261106T021500Z, awsWeight: 100}`,
		retiring, strings.Replace(retiring, "retiring", "retired", 1),
		strings.Replace(strings.Replace(retiring, "retiring", "retired", 1), "copy: 20261106T021500Z, ", "", 1),
	} {
		if errs := problems(t, moving(t, yaml)); errs != nil {
			t.Errorf("%s: %v", yaml, errs)
		}
	}
}

func TestMigrationMistakes(t *testing.T) {
	for _, m := range []struct {
		phase          int
		yaml, key, say string
	}{
		{2, `migration: {from: 1}`, "migration.from", "has no effect"},
		{3, `migration: {writes: aws}`, "migration.writes", "has no effect"},
		{3, `migration: {retire: {confirm: [vps]}}`, "migration.retire.confirm", "has no effect"},
		{3, `migration: {from: 3}`, "migration.from", "0, 1, 2"},
		{3, `migration: {from: 2, writes: both}`, "migration.writes", "server, server-frozen, aws-frozen, aws"},
		{3, `migration: {from: 2, names: weighted, writes: aws, awsWeight: 101}`, "migration.awsWeight", "too large"},
		{3, `migration: {from: 2, writes: aws, awsWeight: 50}`, "migration.awsWeight", "names lead straight to the server"},
		{3, `migration: {from: 2, names: weighted, awsWeight: 1}`, "migration.awsWeight", "while the server's data counts"},
		{3, `migration: {from: 2, names: weighted, writes: server-frozen, awsWeight: 50}`, "migration.awsWeight", "while the server's data counts"},
		{3, `migration: {from: 2, writes: aws}`, "migration.copy", "empty databases"},
		{3, `migration: {from: 2, names: weighted, writes: aws-frozen}`, "migration.copy", "empty databases"},
		{3, strings.Replace(retiring, "copy: 20261106T021500Z, ", "", 1), "migration.copy", "empty databases"},
		{3, strings.Replace(retiring, "20261106T021500Z", "20261306T021500Z", 1), "migration.copy", "is not a copy's stamp"},
		{3, `migration: {copy: 20261106T021500Z}`, "migration.copy", "has no effect"},
		{3, `migration: {trial: true}`, "migration.trial", "has no effect"},
		{3, `migration: {from: 2, names: weighted, trial: true}`, "migration.trial", "given its address"},
		{3, `migration: {from: 2, writes: server-frozen, trial: true}`, "migration.trial", "has no effect"},
		{3, `migration: {from: 2, copy: 20261106T021500Z, trial: true}`, "migration.trial", "still remember its address"},
		{3, `{dns: {ttlSeconds: 300}, migration: {from: 2}}`, "dns.ttlSeconds", "60 during a migration"},
		{3, `{database: {cutover: true}, forgejo: {server: {enabled: true, cutover: true}}, migration: {from: 2}}`, "forgejo.server.cutover", "a bucket of their own"},
		{3, `{disposable: true, backups: {enabled: false}, database: {provider: container}, migration: {from: 2}}`, "backups.enabled", "nothing to bring to AWS"},
		{3, strings.Replace(retiring, "100", "99", 1), "migration.awsWeight", "still sends traffic to the server"},
		{3, strings.Replace(retiring, "writes: aws", "writes: aws-frozen", 1), "migration.writes", "on the server that is to be retired"},
		{3, strings.Replace(retiring, "backupVerified: '2026-11-20', ", "", 1), "migration.retire.backupVerified", "last backup"},
		{3, strings.Replace(retiring, "2026-11-20", "yesterday", 1), "migration.retire.backupVerified", "is not a day"},
		{3, strings.Replace(retiring, "forgejo, ", "", 1), "migration.retire.confirm", "forgejo (repositories)"},
		{3, strings.Replace(retiring, "[vps", "[servr, vps", 1), "migration.retire.confirm", "is no stateful thing"},
	} {
		tree := with(t, base(m.phase), m.yaml)
		if m.phase == 3 {
			tree = moving(t, m.yaml)
		}
		errs := problems(t, tree)
		if len(errs) == 0 || !slices.ContainsFunc(errs.List(), func(p config.Problem) bool {
			return p.Key == "morphee:"+m.key && strings.Contains(p.String(), m.say)
		}) {
			t.Errorf("%s: got %v, want %q of %s", m.yaml, errs, m.say, m.key)
		}
	}
}

func TestMigrationDerives(t *testing.T) {
	c, err := config.Parse(moving(t, `migration: {from: 2}`))
	if err != nil {
		t.Fatal(err)
	}
	if !c.UsesServer() || !c.UsesAWS() || c.ServerPhase() != 2 || c.DNS.TTLSeconds != 60 || c.Database.Provider != "hetzner" || c.Relays() {
		t.Errorf("got %+v", c)
	}
	services := func(yaml string) string {
		c, err := config.Parse(moving(t, yaml))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, s := range c.ServerServices() {
			names = append(names, s.Service)
		}
		return strings.Join(names, " ")
	}
	if got := services(`migration: {from: 1, writes: server-frozen}`); got != "traefik frontend backend relay redis postgres gotrue forgejo backup" {
		t.Error(got)
	}
	if got := services(`migration: {from: 1, copy: 20261106T021500Z, writes: aws}`); got != "traefik frontend relay redis postgres backup" {
		t.Error(got)
	}
	gone, err := config.Parse(moving(t, strings.Replace(retiring, "retiring", "retired", 1)))
	if err != nil || gone.UsesServer() || gone.Moving() || gone.DNS.TTLSeconds != 300 {
		t.Errorf("a retired server is still there: %v %+v", err, gone)
	}
}
