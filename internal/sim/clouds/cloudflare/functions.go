package cloudflare

import (
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func functions(seen *zones) map[string]cloud.Function {
	getZone := func(c *cloud.InvokeCall) (cloud.Object, error) { return lookupZone(c, seen) }
	return map[string]cloud.Function{
		"cloudflare:index/getApiTokenPermissionGroups:getApiTokenPermissionGroups": permissionGroups,
		"cloudflare:index/getIpRanges:getIpRanges":                                 ipRanges,
		"cloudflare:index/getZone:getZone":                                         getZone,
	}
}

func lookupZone(c *cloud.InvokeCall, seen *zones) (cloud.Object, error) {
	name, id := strings.ToLower(c.In.String("name")), c.In.String("zoneId")
	for _, z := range c.World.All(c.Scope, zoneType) {
		if z.ID == id || name != "" && z.Out.String("zone") == name {
			return zoneObject(c, z.ID, z.Out.String("zone"), z.Out.String("accountId"), z.Out.String("status")), nil
		}
	}
	switch {
	case name == "" && id == "":
		return nil, cloud.Refuse("", "one of name and zoneId must be set")
	case name == "":
		name, err := seen.name(c.World, id)
		if err != nil {
			return nil, err
		}
		return zoneObject(c, id, name, c.In.String("accountId"), "active"), nil
	case !domain.MatchString(name):
		return nil, cloud.Refuse("", "no zone found: %q is not a domain name", name)
	}
	id = zoneID(c.World, name)
	seen.add(id, name)
	return zoneObject(c, id, name, c.In.String("accountId"), "active"), nil
}

func zoneObject(c *cloud.InvokeCall, id, name, account, status string) cloud.Object {
	if account == "" {
		account = cloud.Gen{Seed: c.World.Seed}.Hex("account", 32)
	}
	return cloud.Object{
		"id": id, "zoneId": id, "name": name, "accountId": account, "status": status, "paused": false, "plan": "Free Website",
		"nameServers": nameServers(cloud.Gen{Seed: c.World.Seed + id}), "vanityNameServers": []any{},
	}
}

// ipRanges are the networks that Cloudflare's proxies connect from.
func ipRanges(*cloud.InvokeCall) (cloud.Object, error) {
	v4 := cloud.Plain(strings.Fields(`103.21.244.0/22 103.22.200.0/22 103.31.4.0/22 104.16.0.0/13 104.24.0.0/14 108.162.192.0/18 131.0.72.0/22
		141.101.64.0/18 162.158.0.0/15 172.64.0.0/13 173.245.48.0/20 188.114.96.0/20 190.93.240.0/20 197.234.240.0/22 198.41.128.0/17`)).([]any)
	v6 := cloud.Plain(strings.Fields("2400:cb00::/32 2405:8100::/32 2405:b500::/32 2606:4700::/32 2803:f800::/32 2a06:98c0::/29 2c0f:f248::/32")).([]any)
	return cloud.Object{
		"ipv4CidrBlocks": v4, "ipv6CidrBlocks": v6, "cidrBlocks": append(append([]any{}, v4...), v6...),
		"chinaIpv4CidrBlocks": []any{}, "chinaIpv6CidrBlocks": []any{},
	}, nil
}
