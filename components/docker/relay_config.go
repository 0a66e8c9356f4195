package docker

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

var (
	//go:embed files/relay.conf
	relayConf string
	//go:embed files/relay-freeze.conf
	relayFreezeConf string
	//go:embed files/relay-forward.conf
	relayForwardConf string
)

// config is Nginx's whole configuration.
func (a *RelayArgs) config() pulumi.StringOutput {
	if a.Mode == RelayFreeze {
		return pulumi.String(a.frozen()).ToStringOutput()
	}
	return a.Upstream.ToStringOutput().ApplyT(a.forwarding).(pulumi.StringOutput)
}

// frozen is the configuration of RelayFreeze: what arrives has been picked by the rule already.
func (a *RelayArgs) frozen() string {
	headers := ""
	if a.AppHost != "" {
		headers = fmt.Sprintf(`
        add_header Access-Control-Allow-Origin "https://%s" always;
        add_header Access-Control-Allow-Credentials true always;
        add_header Access-Control-Expose-Headers Retry-After always;
        add_header Vary Origin always;`, a.AppHost)
	}
	return a.fill(strings.Replace(relayFreezeConf, "@CORS@", headers, 1))
}

// forwarding is the configuration of RelayForward, one server for each host: the name is checked in
// the upstream's certificate.
func (a *RelayArgs) forwarding(upstream string) string {
	var servers strings.Builder
	for _, key := range sortedKeys(a.Hosts) {
		servers.WriteString(strings.NewReplacer("@HOST@", a.Hosts[key].Host, "@UPSTREAM@", upstream).Replace(relayForwardConf))
	}
	// A name that is none of ours must not end up at the first of them.
	servers.WriteString("\n    server {\n        listen @PORT@ default_server;\n        return 421;\n    }\n")
	return a.fill(servers.String())
}

// fill puts the servers and the numbers where they belong.
func (a *RelayArgs) fill(servers string) string {
	return strings.NewReplacer(
		"@PORT@", fmt.Sprint(relayPort), "@HEALTH_PORT@", fmt.Sprint(relayHealthPort), "@IDLE@", fmt.Sprint(a.IdleTimeoutSeconds),
	).Replace(strings.Replace(relayConf, "@SERVERS@", servers, 1))
}
