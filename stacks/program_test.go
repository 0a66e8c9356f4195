package stacks_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/stacks"
)

// counter counts what is registered beside the stack itself.
type counter struct {
	mu    sync.Mutex
	types map[string]int
}

func (c *counter) NewResource(a pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a.TypeToken != string(resource.RootStackType) {
		c.types[a.TypeToken]++
	}
	return "1", a.Inputs, nil // Hetzner's ids are numbers
}

func (c *counter) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }

// runProgram runs the whole program with phase 0's least configuration and the changes to it.
func runProgram(changes map[string]string) (map[string]int, error) {
	values := map[string]string{
		"morphee:phase": "0", "morphee:owner": "platform", "morphee:acmeEmail": "ops@morphee.app",
		"morphee:dns": `{"manage":false}`,
		"morphee:ssh": `{"allowedSources":["198.51.100.0/24"],"authorizedKeys":["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIANfzphc7/dQ3yuBHWiMqTm6OVY58aY1VlPVooYxjIS/ a@b"]}`,
	}
	for k, v := range changes {
		values[k] = v
	}
	c := &counter{types: map[string]int{}}
	err := pulumi.RunErr(stacks.Program, pulumi.WithMocks("morphee", "test", c), func(info *pulumi.RunInfo) { info.Config = values })
	return c.types, err
}

func TestProgramBuildsThePhase(t *testing.T) {
	types, err := runProgram(nil)
	if err != nil {
		t.Fatal(err)
	}
	for typ, want := range map[string]int{
		"morphee:hetzner:VpsHost": 1, "morphee:docker:Backend": 1, "morphee:forgejo:ForgejoService": 0, "morphee:cloudflare:DnsRecords": 0,
	} {
		if types[typ] != want {
			t.Errorf("%d of %s, want %d", types[typ], typ, want)
		}
	}
}

func TestProgramRefusesBeforeItRegisters(t *testing.T) {
	for name, c := range map[string]struct {
		changes map[string]string
		want    []string
	}{
		"two mistakes": {map[string]string{"morphee:acmeEmail": "nobody", "morphee:reverseProxy": "nginx"}, []string{"morphee:acmeEmail", "morphee:reverseProxy"}},
		"phase 4":      {map[string]string{"morphee:phase": "4", "morphee:disposable": "true", "morphee:backups": `{"enabled":false}`, "morphee:cloudflareAccountId": "0123456789abcdef0123456789abcdef", "morphee:dns": `{}`, "morphee:alarms": `{"emails":["ops@morphee.app"]}`}, []string{"morphee:aws.regions"}},
	} {
		t.Run(name, func(t *testing.T) {
			types, err := runProgram(c.changes)
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error is %v, want one with %q", err, want)
				}
			}
			if len(types) > 0 {
				t.Errorf("registered all the same: %v", types)
			}
		})
	}
}
