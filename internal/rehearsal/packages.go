package rehearsal

import (
	"cmp"
	"encoding/json"

	"github.com/morphee-app/morphee-infra/internal/config"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds/cloudflare"
)

// Packages are the simulated clouds with what the stack's configuration takes to exist in them: the zone
// at Cloudflare, when it is given by its id. The program does not look it up then, and its records do not
// say its name. What cannot be read adds nothing; the program refuses it.
func Packages(stack sim.Stack) []cloud.Package {
	var dns struct{ Zone, ZoneID string }
	if json.Unmarshal([]byte(stack.Config[config.Namespace+":dns"]), &dns) != nil || dns.ZoneID == "" {
		return clouds.All()
	}
	name := cmp.Or(dns.Zone, stack.Config[config.Namespace+":domain"], config.Defaults().Domain)
	return clouds.All(cloudflare.Zone{ID: dns.ZoneID, Name: name})
}
