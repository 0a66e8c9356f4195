// Package clouds lists the simulated providers.
package clouds

import (
	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds/aws"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds/cloudflare"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds/command"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds/docker"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds/hcloud"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds/random"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds/tls"
)

// All returns every simulated provider. zones are those that the account at Cloudflare has before any
// stack, beside the ones that are looked up by name.
func All(zones ...cloudflare.Zone) []cloud.Package {
	return []cloud.Package{
		aws.Package(), cloudflare.Package(zones...), command.Package(), docker.Package(),
		hcloud.Package(), random.Package(), tls.Package(),
	}
}
