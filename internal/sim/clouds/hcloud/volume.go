package hcloud

import (
	"slices"
	"strings"
	"time"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const volumesPerServer = 16

func volume() cloud.Type {
	return cloud.Type{
		Token: volumeType,
		Check: func(c *cloud.CheckCall) {
			checkLabels(c)
			if n := c.In.Int("size"); c.In.Known("size") && (n < 10 || n > 10240) {
				c.Fail("size", "got %d GB, expected 10 to 10240", n)
			}
			if f := c.In.String("format"); c.In.Known("format") && f != "ext4" && f != "xfs" {
				c.Fail("format", "got %q, expected ext4 or xfs", f)
			}
		},
		Create: createVolume,
		Update: updateVolume,
		// An attached volume is detached first: the provider does that by itself.
		Delete: protected("volume"),
		Takes:  cloud.Durations{Create: 10 * time.Second, Update: 10 * time.Second, Delete: 8 * time.Second},
	}
}

func createVolume(c *cloud.Call) error {
	server, err := find(c, "server", serverType, "serverId")
	if err != nil {
		return err
	}
	at := c.In.String("location")
	switch {
	case server == nil && at == "":
		return cloud.Refuse("invalid_input", "one of location and serverId is required")
	case server != nil && at != "" && at != server.Out.String("location"):
		return cloud.Refuse("invalid_input", "volume and server must be in the same location: the volume is to be in %s, server %s is in %s", at, server.ID, server.Out.String("location"))
	case server != nil:
		at = server.Out.String("location")
	}
	if !slices.Contains(locationNames, at) {
		return cloud.Refuse("invalid_input", "invalid input in field 'location': location %s not found; Hetzner has %s", at, strings.Join(locationNames, ", "))
	}
	if c.In.Bool("automount") && server == nil {
		return cloud.Refuse("invalid_input", "automount needs a server: set serverId, or automount of the volume attachment")
	}
	if err := uniqueName(c, "volume"); err != nil {
		return err
	}
	if err := roomForVolume(c, server); err != nil {
		return err
	}
	number(c, 100_000_000, 109_999_999)
	c.Out["location"] = at
	c.Out["serverId"] = float64(c.In.Int("serverId"))
	c.Out["linuxDevice"] = "/dev/disk/by-id/scsi-0HC_Volume_" + c.ID
	return nil
}

func updateVolume(c *cloud.Call) error {
	if before, now := c.Old.Int("size"), c.In.Int("size"); now < before {
		return cloud.Refuse("invalid_input", "the volume has %d GB and can not shrink to %d GB", before, now)
	}
	server, err := find(c, "server", serverType, "serverId")
	if err != nil {
		return err
	}
	if server != nil && server.Out.String("location") != c.Out.String("location") {
		return cloud.Refuse("invalid_input", "volume and server must be in the same location: the volume is in %s, server %s in %s", c.Out.String("location"), server.ID, server.Out.String("location"))
	}
	if server != nil && c.Old.String("serverId") != server.ID {
		if err := roomForVolume(c, server); err != nil {
			return err
		}
	}
	return uniqueName(c, "volume")
}

// volumeServer is the id of the server that the volume is attached to, or "".
func volumeServer(w *cloud.World, v *cloud.Resource) string {
	if id := v.Out.String("serverId"); id != "" && id != "0" {
		return id
	}
	for _, a := range w.Referrers(volumeAttachmentType, "volumeId", v.ID) {
		return a.Out.String("serverId")
	}
	return ""
}

func roomForVolume(c *cloud.Call, server *cloud.Resource) error {
	if server == nil {
		return nil
	}
	n := 0
	for _, v := range c.All(volumeType) {
		if volumeServer(c.World, v) == server.ID {
			n++
		}
	}
	if n >= volumesPerServer {
		return cloud.Refuse("resource_limit_exceeded", "server %s already has %d volumes, the most that can be attached", server.ID, n)
	}
	return nil
}

func volumeAttachment() cloud.Type {
	return cloud.Type{
		Token: volumeAttachmentType,
		Read:  withServer,
		Create: func(c *cloud.Call) error {
			v, err := find(c, "volume", volumeType, "volumeId")
			if err != nil {
				return err
			}
			s, err := find(c, "server", serverType, "serverId")
			if err != nil {
				return err
			}
			if a, b := v.Out.String("location"), s.Out.String("location"); a != b {
				return cloud.Refuse("invalid_input", "volume and server must be in the same location: volume %s is in %s, server %s in %s", v.ID, a, s.ID, b)
			}
			if to := volumeServer(c.World, v); to != "" {
				return cloud.Refuse("volume_already_attached", "volume is already attached to a server: volume %s to server %s", v.ID, to)
			}
			if err := roomForVolume(c, s); err != nil {
				return err
			}
			c.ID = v.ID
			c.Out.Default("automount", false)
			return nil
		},
		Takes: cloud.Durations{Create: 5 * time.Second, Delete: 5 * time.Second},
	}
}
