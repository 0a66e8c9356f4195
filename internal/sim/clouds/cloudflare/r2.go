package cloudflare

import (
	"regexp"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

var (
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`)
	hints      = strings.Fields("WNAM ENAM WEUR EEUR APAC OC")
)

func r2Bucket() cloud.Type {
	return cloud.Type{
		Token: r2BucketType,
		Check: func(c *cloud.CheckCall) {
			if l := strings.ToUpper(c.In.String("location")); c.In.Known("location") && !slices.Contains(hints, l) {
				c.Fail("location", "got %q, expected one of %s", c.In.String("location"), strings.Join(hints, ", "))
			}
		},
		Create: func(c *cloud.Call) error {
			name := c.In.String("name")
			if err := route("accounts", c.In.String("accountId")); err != nil {
				return err
			}
			if !bucketName.MatchString(name) {
				return cloud.Refuse("10005", "The specified bucket name is not valid: %q; use 3 to 63 lower-case letters, digits and dashes, beginning and ending with a letter or digit", name)
			}
			for _, other := range c.All(r2BucketType) {
				if other.Out.String("name") == name && other.Out.String("accountId") == c.In.String("accountId") {
					return cloud.Refuse("10004", "The bucket you tried to create already exists, and you own it: %s", name)
				}
			}
			c.ID = name
			if !c.In.Has("location") {
				c.Out["location"] = "ENAM"
			}
			return nil
		},
		Delete: func(c *cloud.Call) error {
			if holdsObjects(c) {
				return cloud.Refuse("10008", "The bucket you tried to delete (%s) is not empty (account %s): delete its objects first", c.ID, c.Out.String("accountId"))
			}
			return nil
		},
		// Letter case does not matter in a location hint.
		Same: func(property string, old, new any) bool {
			return property == "location" && strings.EqualFold(cloud.Text(old), cloud.Text(new))
		},
	}
}

// holdsObjects tells whether there is anything in the bucket: an output simObjects that a drift set,
// or an object that was written through the bucket's S3 interface.
func holdsObjects(c *cloud.Call) bool {
	if n := c.Out.Get("simObjects"); n != nil && n != false && n != 0.0 && n != "" && n != "0" {
		return true
	}
	for _, r := range c.World.All("r2:"+c.Out.String("accountId"), "") {
		if strings.Contains(strings.ToLower(r.Type), "bucketobject") && r.Out.String("bucket") == c.ID {
			return true
		}
	}
	return false
}
