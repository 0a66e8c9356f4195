package hcloud

import "github.com/morphee-app/morphee-infra/internal/sim/cloud"

func placementGroup() cloud.Type {
	return cloud.Type{
		Token: placementGroupType,
		Check: func(c *cloud.CheckCall) {
			checkLabels(c)
			if t := c.In.String("type"); c.In.Known("type") && t != "spread" {
				c.Fail("type", "got %q, expected spread", t)
			}
		},
		Create: func(c *cloud.Call) error {
			if err := uniqueName(c, "placement group"); err != nil {
				return err
			}
			number(c, 500_000, 999_999)
			c.Out["servers"] = []any{}
			return nil
		},
		Update: func(c *cloud.Call) error { return uniqueName(c, "placement group") },
		InUse:  []cloud.Ref{{Type: serverType, Path: "placementGroupId", Error: inUse("placement group")}},
	}
}
