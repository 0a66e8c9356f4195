package server

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/reach"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// A server that hands over has a relay, whose rules and configuration are full of dollar signs: Compose
// must take none of them for a variable of its own.
func TestComposeHasTheRelay(t *testing.T) {
	for step, mode := range map[string]string{"06-server-frozen": "freeze", "07-aws-writes": "forward"} {
		t.Run(step, func(t *testing.T) {
			stack := rig.Load(t, filepath.Join(rig.Root(t), "stacks", "examples", "ladder", step+".yaml"))
			project, all := composed(t, stack)
			relay, err := project.GetService("relay-" + mode)
			if err != nil {
				t.Fatal(err)
			}
			rule := relay.Labels[fmt.Sprintf("traefik.http.routers.relay-%s-auth.rule", mode)]
			conf := ""
			for _, c := range relay.Configs {
				conf += project.Configs[c.Source].Content
			}
			wantRule, wantConf := "Host(`"+stack.Config.Hosts.Auth+"`)", "proxy_pass https://$upstream:443;"
			if mode == "freeze" {
				wantRule, wantConf = "PathRegexp(`^/verify/?$`)", "return 503"
			}
			if !strings.Contains(rule, wantRule) || !strings.Contains(conf, wantConf) {
				t.Errorf("rule %s\nand configuration\n%s\nwant %s and %s", rule, conf, wantRule, wantConf)
			}
			for _, r := range reach.FromInternet(all) {
				if strings.Contains(strings.Join(r.Path, " "), "relay") {
					t.Errorf("the relay can be reached past the proxy: %s over %v", r, r.Path)
				}
			}
		})
	}
}
