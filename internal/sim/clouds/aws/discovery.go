package aws

import "github.com/morphee-app/morphee-infra/internal/sim/cloud"

// discoveryTypes are Cloud Map, as far as there are facts of it.
func discoveryTypes() []cloud.Type { return nil }
