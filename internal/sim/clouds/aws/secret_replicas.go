package aws

import (
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// replicate brings a secret's copies in other regions in step with what is asked for. A copy has the
// secret's ARN but for the region, and is read there like any secret.
func replicate(c *cloud.Call) error {
	op := operation(c, "CreateSecret", "ReplicateSecretToRegions")
	wanted := map[string]bool{}
	for _, r := range c.In.Objects("replicas") {
		region := r.String("region")
		wanted[region] = true
		id := replicaARN(c.ID, region)
		if c.World.Find(region, secretToken, id) != nil {
			continue
		}
		name := c.Out.String("name")
		if byProperty(c.World.All(region, secretToken), "name", name) != nil && !c.In.Bool("forceOverwriteReplicaSecret") {
			return refuse("Secrets Manager", op, "ResourceExistsException", "Replication failed: Secret name simple conflict - a secret with the name %s already exists in %s", name, region)
		}
		c.World.Put(&cloud.Resource{Type: secretToken, ID: id, Scope: region, In: cloud.Object{}, Out: cloud.Object{
			"arn": id, "name": name, "kmsKeyId": r.String("kmsKeyId"), "primaryArn": c.ID,
		}})
	}
	for _, r := range c.World.All("", secretToken) {
		if r.Out.String("primaryArn") == c.ID && !wanted[r.Scope] {
			c.World.Remove(r.Scope, secretToken, r.ID)
		}
	}
	return nil
}

// unreplicate takes the copies away, as the provider does before it deletes the secret.
func unreplicate(c *cloud.Call) {
	for _, r := range c.World.All("", secretToken) {
		if r.Out.String("primaryArn") == c.ID {
			c.World.Remove(r.Scope, secretToken, r.ID)
		}
	}
}

func replicaARN(id, region string) string {
	parts := strings.SplitN(id, ":", 5)
	parts[3] = region
	return strings.Join(parts, ":")
}
