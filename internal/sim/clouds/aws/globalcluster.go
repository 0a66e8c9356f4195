package aws

import (
	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func globalCluster() cloud.Type {
	return cloud.Type{
		Token: globalClusterType,
		Check: func(c *cloud.CheckCall) {
			checkIdentifier(c, "globalClusterIdentifier")
		},
		Create: createGlobal,
		Update: func(c *cloud.Call) error {
			asked := c.In.String("engineVersion")
			if asked == "" || asked == c.Old.String("engineVersion") {
				return nil
			}
			engine := c.Out.String("engine")
			version := actualVersion(c.World, engine, asked)
			if err := upgrade(c, "ModifyGlobalCluster", engine, c.Out.String("engineVersionActual"), version, asked); err != nil {
				return err
			}
			// The provider takes the members one by one, as often as it needs for the primary to be the last.
			for _, m := range globalMembers(c, c.In.String("globalClusterIdentifier")) {
				putVersion(c.World, m, version)
				for _, i := range instancesOf(c.World, m) {
					putVersion(c.World, i, version)
				}
			}
			c.Out["engineVersionActual"] = version
			return nil
		},
		Delete: func(c *cloud.Call) error {
			const op = "DeleteGlobalCluster"
			if c.Old.Bool("deletionProtection") {
				return rds(op, "InvalidParameterCombination", "This cluster has deletion protection enabled. To delete this cluster, modify it to disable deletion protection.")
			}
			if len(globalMembers(c, c.In.String("globalClusterIdentifier"))) > 0 && !c.Old.Bool("forceDestroy") {
				return rds(op, "InvalidGlobalClusterStateFault", "Global Cluster %s is not empty", c.Out.String("arn"))
			}
			dissolve(c)
			return nil
		},
		Read:       readGlobal,
		Recomputed: map[string][]string{"engineVersion": {"engineVersionActual"}},
		Takes:      cloud.Durations{Create: seconds(30), Update: minutes(2), Delete: minutes(2)},
	}
}

func globalByID(c *cloud.Call, id string) *cloud.Resource {
	return byProperty(c.Everywhere(globalClusterType), "globalClusterIdentifier", id)
}

// globalMembers are the other clusters of a global cluster in all regions.
func globalMembers(c *cloud.Call, id string) []*cloud.Resource {
	var out []*cloud.Resource
	for _, r := range c.Everywhere(dbClusterType) {
		if id != "" && r.Out.String("globalClusterIdentifier") == id {
			out = append(out, r)
		}
	}
	return out
}

func createGlobal(c *cloud.Call) error {
	const op = "CreateGlobalCluster"
	id := c.In.String("globalClusterIdentifier")
	if globalByID(c, id) != nil {
		return rds(op, "GlobalClusterAlreadyExistsFault", "Global cluster %s already exists", id)
	}
	engine, version := orText(c.In.String("engine"), "aurora-postgresql"), c.In.String("engineVersion")
	encrypted := c.In.Bool("storageEncrypted")
	if ref := c.In.String("sourceDbClusterIdentifier"); ref != "" {
		source := byProperty(c.Everywhere(dbClusterType), "arn", ref)
		if source == nil {
			return rds(op, "DBClusterNotFoundFault", "DBCluster %s not found.", ref)
		}
		if source.Out.String("globalClusterIdentifier") != "" {
			return rds(op, "InvalidDBClusterStateFault", "DB cluster %s is already a member of a global cluster", ref)
		}
		if source.Out.Bool("manageMasterUserPassword") {
			return managedInGlobal(op)
		}
		engine, version = source.Out.String("engine"), source.Out.String("engineVersionActual")
		encrypted = source.Out.Bool("storageEncrypted")
		join(c, source, id)
	}
	actual := actualVersion(c.World, engine, version)
	if actual == "" {
		return rds(op, "InvalidParameterCombination", "Cannot find version %s for %s", version, engine)
	}
	c.ID = id
	c.Out["arn"] = arn("rds", "", "global-cluster:"+id)
	c.Out["globalClusterResourceId"] = "cluster-" + c.Gen.Hex("resource", 16)
	c.Out["endpoint"] = id + ".global-" + c.Gen.Pick("host", lower, 12) + ".global.rds.amazonaws.com"
	c.Out["engineVersionActual"], c.Out["globalClusterMembers"] = actual, []any{}
	computed(c, "engine", engine)
	computed(c, "engineVersion", actual)
	computed(c, "storageEncrypted", encrypted)
	computed(c, "sourceDbClusterIdentifier", "")
	return nil
}

// joinGlobal refuses a cluster that cannot be a member of its global cluster; it tells whether the
// cluster joins as a secondary, which has no user of its own.
func joinGlobal(c *cloud.Call, op, version string) (secondary bool, err error) {
	id := c.In.String("globalClusterIdentifier")
	if id == "" {
		return false, nil
	}
	g := globalByID(c, id)
	if g == nil {
		return false, rds(op, "GlobalClusterNotFoundFault", "Global cluster %s not found", id)
	}
	if c.In.Bool("manageMasterUserPassword") {
		return false, managedInGlobal(op)
	}
	others := globalMembers(c, id)
	if engine := c.In.String("engine"); engine != g.Out.String("engine") {
		return false, rds(op, "InvalidParameterValue", "Value for engine should match setting for global cluster %s", id)
	} else if version != "" && version != g.Out.String("engineVersionActual") {
		// AWS names the global cluster only; who rehearses is told both versions.
		return false, rds(op, "InvalidParameterValue", "Value for engineVersion should match setting for global cluster %s (%s %s, and not %s)", id, engine, g.Out.String("engineVersionActual"), version)
	}
	if len(others) == 0 {
		if g.Out.Bool("storageEncrypted") && !c.In.Bool("storageEncrypted") && !c.In.Has("kmsKeyId") {
			return false, rds(op, "InvalidParameterCombination", "An unencrypted DB cluster cannot join the encrypted global cluster %s.", id)
		}
		return false, nil
	}
	for _, o := range others {
		if o.Scope == c.Scope {
			return true, rds(op, "InvalidGlobalClusterStateFault", "Global cluster %s already has a DB cluster in region %s.", id, c.Scope)
		}
	}
	return true, secondaryFits(c, op, g, others)
}

func secondaryFits(c *cloud.Call, op string, g *cloud.Resource, others []*cloud.Resource) error {
	switch {
	case len(others) >= 11:
		return rds(op, "GlobalClusterQuotaExceededFault", "Global cluster %s already has the maximum of 10 secondary clusters.", g.ID)
	case c.In.Has("masterUsername") || c.In.Has("masterPassword") || c.In.Bool("manageMasterUserPassword"):
		return rds(op, "InvalidParameterCombination", "Cannot specify user name or password for cross region replication cluster")
	case c.In.Has("databaseName"):
		return rds(op, "InvalidParameterCombination", "Cannot specify database name for cross region replication cluster")
	case g.Out.Bool("storageEncrypted") && !c.In.Has("kmsKeyId"):
		return rds(op, "InvalidParameterCombination", "For encrypted cross-region replica, kmsKeyId should be explicitly specified")
	}
	for _, o := range others {
		for _, i := range c.World.All(o.Scope, clusterInstanceType) {
			if i.Out.String("clusterIdentifier") == o.ID {
				return nil
			}
		}
	}
	return rds(op, "InvalidDBClusterStateFault", "Source cluster: %s is in a state which is not valid for physical replication: it has no DB instance", others[0].Out.String("arn"))
}
