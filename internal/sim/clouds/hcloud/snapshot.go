package hcloud

import (
	"time"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func snapshot() cloud.Type {
	return cloud.Type{
		Token: snapshotType,
		Check: checkLabels,
		Create: func(c *cloud.Call) error {
			if _, err := find(c, "server", serverType, "serverId"); err != nil {
				return err
			}
			number(c, 200_000_000, 399_999_999)
			return nil
		},
		Takes: cloud.Durations{Create: 90 * time.Second},
	}
}
