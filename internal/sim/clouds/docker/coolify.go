package docker

import (
	"regexp"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// CoolifyNetwork is the network that Coolify's installer makes for its proxy.
const CoolifyNetwork = "coolify"

// A server's first boot installs Coolify when its user data names a version.
var installsCoolify = regexp.MustCompile(`COOLIFY_VERSION="?[0-9v]`)

// InstallsCoolify says whether a server's first boot installs Coolify, with its proxy, by its user data.
func InstallsCoolify(userData string) bool { return installsCoolify.MatchString(userData) }

// coolifyNetwork is Coolify's own network, on a host whose first boot installs Coolify. Nothing in the
// program makes it, so it is not in the world.
func coolifyNetwork(c *cloud.Call, name string) *cloud.Resource {
	if name != CoolifyNetwork {
		return nil
	}
	host, err := daemon(c)
	if err != nil || host == nil || !InstallsCoolify(host.Server.In.String("userData")) {
		return nil
	}
	return &cloud.Resource{Type: networkType, ID: CoolifyNetwork, Scope: c.Scope, Out: cloud.Object{
		"name": CoolifyNetwork, "driver": "bridge",
		"ipamConfigs": []any{cloud.Object{"subnet": "10.0.1.0/24", "gateway": "10.0.1.1"}},
	}}
}
