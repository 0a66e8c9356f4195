package gate

import (
	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/reach"
	"github.com/morphee-app/morphee-infra/internal/report"
)

// reached finds out what the internet reaches before and after.
func reached(s *report.Stack, before, after []deployment.Resource) {
	s.Reach = &report.Reach{Before: ways(before), After: ways(after)}
}

func ways(list []deployment.Resource) []string {
	out := []string{}
	for _, r := range reach.FromInternet(list) {
		out = append(out, r.String())
	}
	return out
}
