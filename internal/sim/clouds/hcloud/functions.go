package hcloud

import (
	"maps"
	"slices"
	"strconv"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func functions() map[string]cloud.Function {
	return map[string]cloud.Function{
		"hcloud:index/getLocation:getLocation":             getLocation,
		"hcloud:index/getLocations:getLocations":           getLocations,
		"hcloud:index/getServerType:getServerType":         getServerType,
		"hcloud:index/getImage:getImage":                   getImage,
		"hcloud:index/getNetwork:getNetwork":               lookup("network", networkType),
		"hcloud:index/getServer:getServer":                 lookup("server", serverType),
		"hcloud:index/getSshKey:getSshKey":                 lookup("SSH key", sshKeyType),
		"hcloud:index/getPrimaryIp:getPrimaryIp":           lookup("primary IP", primaryIPType),
		"hcloud:index/getVolume:getVolume":                 lookup("volume", volumeType),
		"hcloud:index/getFirewall:getFirewall":             lookup("firewall", firewallType),
		"hcloud:index/getPlacementGroup:getPlacementGroup": lookup("placement group", placementGroupType),
	}
}

func describeLocation(name string) cloud.Object {
	l := locations[name]
	return cloud.Object{
		"id": float64(l.id), "name": name, "networkZone": l.zone, "city": l.city, "country": l.country,
		"description": l.description, "latitude": l.latitude, "longitude": l.longitude,
	}
}

func getLocation(c *cloud.InvokeCall) (cloud.Object, error) {
	for _, name := range locationNames {
		if name == c.In.String("name") || c.In.Has("id") && locations[name].id == c.In.Int("id") {
			return describeLocation(name), nil
		}
	}
	return nil, notFound("location", c.In.String("name")+c.In.String("id"))
}

func getLocations(*cloud.InvokeCall) (cloud.Object, error) {
	var list, ids, names, descriptions []any
	for _, name := range locationNames {
		o := describeLocation(name)
		list, ids = append(list, o), append(ids, cloud.Text(o["id"]))
		names, descriptions = append(names, name), append(descriptions, o["description"])
	}
	return cloud.Object{"locations": list, "locationIds": ids, "names": names, "descriptions": descriptions}, nil
}

func getServerType(c *cloud.InvokeCall) (cloud.Object, error) {
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		s := sizes[name]
		if len(s.locations) == 0 { // gone from the API
			continue
		}
		if name != c.In.String("name") && !(c.In.Has("id") && s.id == c.In.Int("id")) {
			continue
		}
		var at []any
		for _, l := range s.locations {
			at = append(at, cloud.Object{"id": float64(locations[l].id), "name": l, "isDeprecated": withdrawn(name, l)})
		}
		return cloud.Object{
			"id": float64(s.id), "name": name, "description": name, "cores": float64(s.cores), "memory": float64(s.memoryGB), "disk": float64(s.diskGB),
			"architecture": s.architecture, "cpuType": s.cpu, "storageType": "local", "isDeprecated": false, "locations": at,
			"category": "", "deprecationAnnounced": "", "unavailableAfter": "", "includedTraffic": 0.0,
		}, nil
	}
	return nil, notFound("server type", c.In.String("name")+c.In.String("id"))
}

func getImage(c *cloud.InvokeCall) (cloud.Object, error) {
	architecture := c.In.String("withArchitecture")
	if architecture == "" {
		architecture = "x86"
	}
	names := slices.Sorted(maps.Keys(images))
	for i, name := range names {
		if name != c.In.String("name") || architecture == "arm" && slices.Contains(onlyX86, name) {
			continue
		}
		id := 100_000_000 + 2*i
		if architecture == "arm" {
			id++
		}
		return cloud.Object{"id": float64(id), "name": name, "architecture": architecture, "type": "system", "description": name, "deprecated": ""}, nil
	}
	return nil, notFound("image", c.In.String("name")+" for architecture "+architecture)
}

// lookup finds a resource of the project by id or name, as the provider's data sources do.
func lookup(what, typ string) cloud.Function {
	return func(c *cloud.InvokeCall) (cloud.Object, error) {
		for _, r := range c.World.All(c.Scope, typ) {
			if r.ID == c.In.String("id") || c.In.Has("name") && r.Out.String("name") == c.In.String("name") {
				out := r.Out.Clone()
				if n, err := strconv.ParseFloat(r.ID, 64); err == nil {
					out["id"] = n
				}
				return out, nil
			}
		}
		return nil, notFound(what, c.In.String("id")+c.In.String("name"))
	}
}
