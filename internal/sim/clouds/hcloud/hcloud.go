// Package hcloud is what the simulator knows of Hetzner Cloud beyond the schema: which server types,
// locations and images exist, what is unique, what fits where, and what may not be deleted.
//
// One API token belongs to one project. The simulated project is one, whatever the token, so that a
// rotated token still finds its resources; a token itself is never asked for.
//
// What one resource changes about another (an attached volume's serverId, an assigned address's
// assigneeId) is looked up through the attaching resource and not written into the other's outputs.
package hcloud

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// The types with rules of their own.
const (
	firewallType           = "hcloud:index/firewall:Firewall"
	firewallAttachmentType = "hcloud:index/firewallAttachment:FirewallAttachment"
	floatingIPType         = "hcloud:index/floatingIp:FloatingIp"
	loadBalancerType       = "hcloud:index/loadBalancer:LoadBalancer"
	networkType            = "hcloud:index/network:Network"
	networkSubnetType      = "hcloud:index/networkSubnet:NetworkSubnet"
	placementGroupType     = "hcloud:index/placementGroup:PlacementGroup"
	primaryIPType          = "hcloud:index/primaryIp:PrimaryIp"
	rdnsType               = "hcloud:index/rdns:Rdns"
	serverType             = "hcloud:index/server:Server"
	serverNetworkType      = "hcloud:index/serverNetwork:ServerNetwork"
	snapshotType           = "hcloud:index/snapshot:Snapshot"
	sshKeyType             = "hcloud:index/sshKey:SshKey"
	volumeType             = "hcloud:index/volume:Volume"
	volumeAttachmentType   = "hcloud:index/volumeAttachment:VolumeAttachment"
)

// Package is the simulated hcloud provider.
func Package() cloud.Package {
	return cloud.Package{
		Name: "hcloud",
		Types: []cloud.Type{
			firewallRules(), firewallAttachment(), floatingIP(), network(), networkSubnet(),
			placementGroup(), primaryIP(), rdns(), server(), serverNetwork(), snapshot(), sshKey(), volume(), volumeAttachment(),
		},
		Scope:     func(cloud.Object) string { return "project" },
		Functions: functions(),
		Takes:     cloud.Durations{Create: 2 * time.Second, Update: 2 * time.Second, Delete: 2 * time.Second},
	}
}

// number sets the resource's id to a number of the range that is not taken yet.
func number(c *cloud.Call, low, high int) {
	for n := c.Gen.Number("id", low, high); ; n++ {
		if id := strconv.Itoa(n); c.Find(c.Type, id) == nil {
			c.ID = id
			return
		}
	}
}

var (
	hostname   = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$`)
	labelKey   = regexp.MustCompile(`^([a-z0-9A-Z]((?:[\-_.]|[a-z0-9A-Z]){0,253}[a-z0-9A-Z])?/)?[a-z0-9A-Z]((?:[\-_.]|[a-z0-9A-Z]){0,61}[a-z0-9A-Z])?$`)
	labelValue = regexp.MustCompile(`^(([a-z0-9A-Z](?:[\-_.]|[a-z0-9A-Z]){0,61})?[a-z0-9A-Z]$|$)`)
)

// checkLabels is the provider's own validation of labels.
func checkLabels(c *cloud.CheckCall) {
	labels := c.In.Object("labels")
	for _, k := range labels.Keys() {
		if !labelKey.MatchString(k) {
			c.Fail("labels", "label key '%s' is not correctly formatted: up to 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit, with an optional prefix and '/'", k)
		}
		if v, ok := labels[k].(string); ok && !labelValue.MatchString(v) {
			c.Fail("labels", "label value '%s' (key: %s) is not correctly formatted: up to 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit", v, k)
		}
	}
}

// uniqueName refuses a name that another resource of the type has.
func uniqueName(c *cloud.Call, what string) error {
	if name := c.In.String("name"); len(name) > 128 {
		return cloud.Refuse("invalid_input", "invalid input in field 'name': %d characters, at most 128 are allowed", len(name))
	}
	if other := c.Clash("name"); other != nil {
		return cloud.Refuse("uniqueness_error", "%s name is already used: %q is the name of %s %s", what, c.In.String("name"), what, other.ID)
	}
	return nil
}

// protected refuses the deletion of what has delete protection.
func protected(what string) func(c *cloud.Call) error {
	return func(c *cloud.Call) error {
		if c.Out.Bool("deleteProtection") {
			return cloud.Refuse("protected", "%s deletion is protected: set deleteProtection to false and deploy that before deleting %s %s", what, what, c.ID)
		}
		return nil
	}
}

// find returns the resource an input refers to by number; absent when the input is absent or 0.
func find(c *cloud.Call, what, typ, property string) (found *cloud.Resource, err error) {
	id := c.In.String(property)
	if id == "" || id == "0" {
		return nil, nil
	}
	if found = c.Find(typ, id); found == nil {
		return nil, notFound(what, id)
	}
	return found, nil
}

// fill gives an output that the program left open its value.
func fill(c *cloud.Call, property string, v any) {
	if c.In[property] == nil {
		c.Out[property] = cloud.Plain(v)
	}
}

func notFound(what, id string) error {
	return cloud.Refuse("not_found", "%s with ID '%s' not found", what, id)
}

// inUse is the refusal to delete what is still referred to.
func inUse(what string) func(self, by *cloud.Resource) error {
	return func(self, by *cloud.Resource) error {
		return cloud.Refuse("resource_in_use", "%s with ID %s is still in use by %s %s", what, self.ID, kind(by.Type), by.ID)
	}
}

// kind is the last part of a type token: "Server".
func kind(token string) string { return token[strings.LastIndex(token, ":")+1:] }

// num is a numeric id as an output holds it.
func num(id string) float64 {
	n, _ := strconv.ParseFloat(id, 64)
	return n
}
