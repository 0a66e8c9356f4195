package aws

import "github.com/morphee-app/morphee-infra/internal/sim/cloud"

// edgeTypes are identity, keys, buckets, delivery, names, monitoring and backup.
func edgeTypes() []cloud.Type { return nil }

// edgeFunctions are the lookups of those services.
func edgeFunctions() map[string]cloud.Function { return nil }
