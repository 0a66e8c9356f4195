package aws

import (
	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// networkTypes are the virtual network and what is in it.
func networkTypes() []cloud.Type {
	return nil
}
