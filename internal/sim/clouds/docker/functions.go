package docker

import "github.com/morphee-app/morphee-infra/internal/sim/cloud"

func functions() map[string]cloud.Function {
	return map[string]cloud.Function{
		"docker:index/getNetwork:getNetwork":             getNetwork,
		"docker:index/getRegistryImage:getRegistryImage": getRegistryImage,
		"docker:index/getRemoteImage:getRemoteImage":     getRemoteImage,
	}
}

func getNetwork(c *cloud.InvokeCall) (cloud.Object, error) {
	name := c.In.String("name")
	for _, n := range c.World.All(c.Scope, networkType) {
		if n.Out.String("name") == name || n.ID == name {
			out := n.Out.Clone()
			out["id"] = n.ID
			return out, nil
		}
	}
	return nil, cloud.Refuse("not_found", "Could not find docker network: %s", name)
}

func getRegistryImage(c *cloud.InvokeCall) (cloud.Object, error) {
	name := c.In.String("name")
	ref, err := parseImage(name)
	if err != nil {
		return nil, err
	}
	_, repoDigest := content(ref)
	d := repoDigest[len(repoDigest)-len("sha256:")-64:]
	return cloud.Object{"id": d, "name": name, "sha256Digest": d}, nil
}

func getRemoteImage(c *cloud.InvokeCall) (cloud.Object, error) {
	name := c.In.String("name")
	for _, i := range c.World.All(c.Scope, remoteImageType) {
		if i.Out.String("name") == name {
			return cloud.Object{"id": i.Out["imageId"], "name": name, "repoDigest": i.Out["repoDigest"]}, nil
		}
	}
	return nil, cloud.Refuse("not_found", "did not find docker image '%s'", name)
}
