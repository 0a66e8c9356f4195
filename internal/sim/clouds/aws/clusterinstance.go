package aws

import (
	"fmt"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const memberQuota = 16 // instances per Aurora cluster: a writer and 15 readers

func clusterInstance() cloud.Type {
	return written(cloud.Type{
		Token: clusterInstanceType,
		Check: func(c *cloud.CheckCall) {
			checkIdentifier(c, "identifier", "identifierPrefix")
			checkWindows(c, "preferredBackupWindow", "preferredMaintenanceWindow")
		},
		Takes: cloud.Durations{Create: minutes(10), Update: minutes(5), Delete: minutes(6)},
	}, checkMember, createMember)
}

func clusterByID(c *cloud.Call, id string) *cloud.Resource {
	return byProperty(c.All(dbClusterType), "clusterIdentifier", id)
}

func members(c *cloud.Call, cluster string) []*cloud.Resource {
	return slices.DeleteFunc(slices.Clone(c.All(clusterInstanceType)), func(r *cloud.Resource) bool { return r.Out.String("clusterIdentifier") != cluster })
}

func checkMember(c *cloud.Call) error {
	op := operation(c, "CreateDBInstance", "ModifyDBInstance")
	id, class, engine := c.In.String("clusterIdentifier"), c.In.String("instanceClass"), c.In.String("engine")
	cluster := clusterByID(c, id)
	if cluster == nil {
		return rds(op, "DBClusterNotFoundFault", "DBCluster %s not found.", id)
	}
	version := cluster.Out.String("engineVersionActual")
	switch {
	case engine != cluster.Out.String("engine"):
		return rds(op, "InvalidParameterCombination", "The engine name requested for your DB instance (%s) doesn't match the engine name of your DB cluster (%s).", engine, cluster.Out.String("engine"))
	case c.In.Has("engineVersion") && actualVersion(c.World, engine, c.In.String("engineVersion")) != version:
		return rds(op, "InvalidParameterCombination", "The engine version that you requested for your DB instance (%s) does not match the engine version of your DB cluster (%s).", c.In.String("engineVersion"), version)
	case !knownClass(class):
		return rds(op, "InvalidParameterValue", "Invalid DB Instance class: %s", class)
	case !classFits(engine, class):
		return rds(op, "InvalidParameterCombination", "RDS does not support creating a DB instance with the following combination: DBInstanceClass=%s, Engine=%s, EngineVersion=%s. For supported combinations of instance class and database engine version, see the documentation.", class, engine, version)
	case class == "db.serverless" && !cluster.Out.Has("serverlessv2ScalingConfiguration"):
		return rds(op, "InvalidDBClusterStateFault", "Set the Serverless v2 scaling configuration on the parent DB cluster before creating a Serverless v2 DB instance.")
	case cluster.Out.String("globalClusterIdentifier") != "" && strings.HasPrefix(class, "db.t"):
		return rds(op, "InvalidParameterCombination", "Global databases are not supported on the DB instance class %s: use a memory optimized class or db.serverless.", class)
	case c.In.Int("promotionTier") < 0 || c.In.Int("promotionTier") > 15:
		return rds(op, "InvalidParameterValue", "Invalid promotion tier: %d. Valid values: 0-15", c.In.Int("promotionTier"))
	case len(members(c, id)) >= memberQuota:
		return rds(op, "InstanceQuotaExceeded", "DB cluster %s already has the maximum of %d DB instances.", id, memberQuota)
	}
	if group := c.In.String("dbSubnetGroupName"); group != "" && group != cluster.Out.String("dbSubnetGroupName") {
		return rds(op, "InvalidParameterCombination", "The DB subnet group %s is not the one of the DB cluster (%s).", group, cluster.Out.String("dbSubnetGroupName"))
	}
	if name := c.In.String("dbParameterGroupName"); name != "" {
		if err := parametersFit(c, op, dbParametersType, name, family(engine, version)); err != nil {
			return err
		}
	}
	if err := dbKeys(c, op); err != nil {
		return err
	}
	if err := memberZone(c, op, cluster); err != nil {
		return err
	}
	return insights(c, op, engine, version)
}

func memberZone(c *cloud.Call, op string, cluster *cloud.Resource) error {
	zone := c.In.String("availabilityZone")
	g := byProperty(c.All(dbSubnetGroupType), "name", cluster.Out.String("dbSubnetGroupName"))
	if zone == "" || g == nil {
		return nil
	}
	if zones := place(c.World, c.Scope, g.Out.Strings("subnetIds")).zones; !slices.Contains(zones, zone) {
		return rds(op, "InvalidVPCNetworkStateFault", "Availability zone '%s' is not covered by the DB subnet group %s (%s)", zone, g.ID, list(zones))
	}
	return nil
}

func createMember(c *cloud.Call) error {
	cluster := clusterByID(c, c.In.String("clusterIdentifier"))
	computed(c, "identifier", strings.ToLower(c.In.String("identifierPrefix")+"tf-"+c.Gen.Hex("instance", 24)))
	id := c.Out.String("identifier")
	if byProperty(c.All(clusterInstanceType), "identifier", id) != nil || byProperty(c.All(dbInstanceType), "identifier", id) != nil {
		return rds("CreateDBInstance", "DBInstanceAlreadyExists", "DB instance already exists")
	}
	others := members(c, cluster.ID)
	c.ID = id
	c.Out["arn"] = arn("rds", c.Scope, "db:"+id)
	c.Out["dbiResourceId"] = "db-" + c.Gen.Pick("resource", upper, 26)
	c.Out["endpoint"] = fmt.Sprintf("%s.%s", id, dbHost(c.Scope))
	c.Out["port"], c.Out["storageEncrypted"] = cluster.Out["port"], cluster.Out.Bool("storageEncrypted")
	c.Out["kmsKeyId"], c.Out["networkType"] = cluster.Out["kmsKeyId"], "IPV4"
	c.Out["engineVersionActual"] = cluster.Out["engineVersionActual"]
	c.Out["writer"] = len(others) == 0 && cluster.Out.String("endpoint") != ""
	computed(c, "engineVersion", cluster.Out["engineVersionActual"])
	computed(c, "dbSubnetGroupName", cluster.Out["dbSubnetGroupName"])
	computed(c, "dbParameterGroupName", "default."+family(c.In.String("engine"), cluster.Out.String("engineVersionActual")))
	computed(c, "caCertIdentifier", certificateAuthorities[0])
	computed(c, "publiclyAccessible", false)
	computed(c, "performanceInsightsEnabled", false)
	computed(c, "preferredBackupWindow", cluster.Out["preferredBackupWindow"])
	computed(c, "preferredMaintenanceWindow", "sun:05:30-sun:06:00")
	if g := byProperty(c.All(dbSubnetGroupType), "name", cluster.Out.String("dbSubnetGroupName")); g != nil {
		zones := place(c.World, c.Scope, g.Out.Strings("subnetIds")).zones
		computed(c, "availabilityZone", zones[len(others)%len(zones)])
	}
	return nil
}
