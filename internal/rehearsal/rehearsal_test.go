package rehearsal

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/config"
	"github.com/morphee-app/morphee-infra/internal/sim"
)

// What stands in for an encrypted value has to pass the same checks, or a stack could only be rehearsed
// by those who may read its secrets.
func TestStandInsAreValid(t *testing.T) {
	os.Unsetenv("PULUMI_CONFIG_PASSPHRASE")
	path := filepath.Join(t.TempDir(), "stack.yaml")
	text := `stack: one
config:
  morphee:phase: 1
  morphee:owner: platform
  morphee:acmeEmail: ops@morphee.app
  morphee:cloudflareAccountId: 0123456789abcdef0123456789abcdef
  morphee:ssh:
    allowedSources: [198.51.100.0/24]
    authorizedKeys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIANfzphc7/dQ3yuBHWiMqTm6OVY58aY1VlPVooYxjIS/ ops@morphee.app]
  morphee:backups:
    alertWebhook:
      secure: v1:cGxhY2Vob2xkZXI=:cGxhY2Vob2xkZXI=
  morphee:auth:
    smtp:
      host: smtp.example.com
      username: morphee
      password:
        secure: v1:cGxhY2Vob2xkZXI=:cGxhY2Vob2xkZXI=
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	stack, err := Load(path, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"morphee:backups.alertWebhook", "morphee:auth.smtp.password"} {
		if v := stack.Opened[key]; !IsStandIn(v) {
			t.Errorf("%s: %q is not known as a stand-in", key, v)
		}
	}
	values := map[string]any{}
	for key, v := range map[string]string{"backups": "morphee:backups.alertWebhook"} {
		values[key] = map[string]any{"alertWebhook": config.Hidden{Value: stack.Opened[v]}}
	}
	for key, v := range map[string]any{"phase": 1, "owner": "platform", "acmeEmail": "ops@morphee.app", "cloudflareAccountId": "0123456789abcdef0123456789abcdef",
		"ssh": map[string]any{"allowedSources": []any{"198.51.100.0/24"}, "authorizedKeys": []any{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIANfzphc7/dQ3yuBHWiMqTm6OVY58aY1VlPVooYxjIS/ ops@morphee.app"}}} {
		values[key] = v
	}
	if _, err := config.Parse(values); err != nil {
		t.Errorf("the stand-ins do not pass: %v", err)
	}
}

// The simulated account has the zone that a configuration names by its id.
func TestTheZoneExists(t *testing.T) {
	const id = "fedcba9876543210fedcba9876543210"
	for _, c := range []struct{ dns, domain, want string }{
		{"", "", ""},
		{`{"zone":"example.org"}`, "", ""},
		{`{"zoneId":"` + id + `"}`, "", "morphee.app"},
		{`{"zoneId":"` + id + `"}`, "example.com", "example.com"},
		{`{"zoneId":"` + id + `","zone":"example.org"}`, "dev.example.org", "example.org"},
		{`{"zoneId":`, "", ""}, // the program refuses it
	} {
		values := map[string]string{"morphee:dns": c.dns}
		if c.domain != "" {
			values["morphee:domain"] = c.domain
		}
		got := ""
		for _, p := range Packages(sim.Stack{Config: values}) {
			for _, r := range p.Existing {
				if got += r.Out.String("zone"); r.ID != id || p.Name != "cloudflare" {
					t.Errorf("%s has %s", p.Name, r.ID)
				}
			}
		}
		if got != c.want {
			t.Errorf("dns %s, domain %q: the zone %q exists, want %q", c.dns, c.domain, got, c.want)
		}
	}
}
