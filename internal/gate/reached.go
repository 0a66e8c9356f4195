package gate

import (
	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/report"
)

// reached finds out what the internet reaches before and after.
func reached(*report.Stack, []deployment.Resource, []deployment.Resource) {}
