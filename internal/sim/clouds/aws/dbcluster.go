package aws

import (
	"fmt"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func dbCluster() cloud.Type {
	return cloud.Type{
		Token: dbClusterType,
		Check: func(c *cloud.CheckCall) {
			checkIdentifier(c, "clusterIdentifier", "clusterIdentifierPrefix")
			checkWindows(c, "preferredBackupWindow", "preferredMaintenanceWindow")
		},
		Create: createClusterDB,
		Update: updateClusterDB,
		Read:   readClusterDB,
		Delete: func(c *cloud.Call) error {
			const op = "DeleteDBCluster"
			if c.Old.Bool("deletionProtection") {
				return rds(op, "InvalidParameterCombination", "Cannot delete protected Cluster, please disable deletion protection and try again.")
			}
			if err := leaveGlobal(c, op); err != nil {
				return err
			}
			return finalSnapshot(c, "cluster-snapshot", op, "DBClusterSnapshotAlreadyExistsFault")
		},
		InUse: []cloud.Ref{{Type: clusterInstanceType, Path: "clusterIdentifier", Error: func(self, by *cloud.Resource) error {
			return rds("DeleteDBCluster", "InvalidDBClusterStateFault", "Cluster cannot be deleted, it still contains DB instances in non-deleting state.")
		}}},
		Replaces: func(old, new cloud.Object) []string {
			if !strings.HasPrefix(old.String("engine"), "aurora") && !cloud.Equal(old.Get("storageType"), new.Get("storageType")) {
				return []string{"storageType"}
			}
			return nil
		},
		Recomputed: map[string][]string{"engineVersion": {"engineVersionActual"}, "manageMasterUserPassword": {"masterUserSecrets"}},
		Takes:      cloud.Durations{Create: minutes(2), Update: minutes(2), Delete: minutes(2)},
	}
}

func createClusterDB(c *cloud.Call) error {
	const op = "CreateDBCluster"
	computed(c, "clusterIdentifier", strings.ToLower(c.In.String("clusterIdentifierPrefix")+"tf-"+c.Gen.Hex("cluster", 24)))
	id := c.Out.String("clusterIdentifier")
	if byProperty(c.All(dbClusterType), "clusterIdentifier", id) != nil {
		return rds(op, "DBClusterAlreadyExistsFault", "DB Cluster already exists")
	}
	source := cloud.Object{}
	if ref := c.In.String("snapshotIdentifier"); ref != "" {
		s := snapshot(c, "cluster-snapshot", ref)
		if s == nil {
			return rds("RestoreDBClusterFromSnapshot", "DBClusterSnapshotNotFoundFault", "DBClusterSnapshot not found: %s", ref)
		}
		source = s.Out
	}
	engine := c.In.String("engine")
	version := actualVersion(c.World, engine, orText(c.In.String("engineVersion"), source.String("engineVersion")))
	secondary, err := joinGlobal(c, op, version)
	if err != nil {
		return err
	}
	if err := newCluster(c, op, secondary, len(source) > 0); err != nil {
		return err
	}
	computed(c, "dbSubnetGroupName", "")
	if _, err := dbPlace(c, op, "DB cluster"); err != nil {
		return err
	}
	if err := checkClusterDB(c, op, engine, version); err != nil {
		return err
	}
	for _, z := range c.In.Strings("availabilityZones") {
		if !slices.Contains(zoneNames(c.Scope), z) {
			return rds(op, "InvalidVPCNetworkStateFault", "Availability zone '%s' is unavailable in this region", z)
		}
	}
	fillCluster(c, id, engine, version, secondary, source)
	return nil
}

// newCluster refuses what only a cluster from nothing needs.
func newCluster(c *cloud.Call, op string, secondary, restored bool) error {
	if secondary || restored || c.In.Has("replicationSourceIdentifier") || c.In.Has("restoreToPointInTime") || c.In.Has("s3Import") {
		return nil
	}
	switch {
	case !c.In.Has("masterUsername"):
		return rds(op, "InvalidParameterValue", "The parameter MasterUsername must be provided and must not be blank.")
	case !c.In.Has("masterPassword") && !c.In.Bool("manageMasterUserPassword"):
		return rds(op, "InvalidParameterValue", "The parameter MasterUserPassword must be provided and must not be blank.")
	}
	return nil
}

func fillCluster(c *cloud.Call, id, engine, version string, secondary bool, source cloud.Object) {
	suffix := strings.TrimPrefix(dbHost(c.Scope), "c")
	c.ID = id
	c.Out["arn"] = arn("rds", c.Scope, "cluster:"+id)
	c.Out["clusterResourceId"] = "cluster-" + c.Gen.Pick("resource", upper, 26)
	c.Out["endpoint"] = fmt.Sprintf("%s.cluster-c%s", id, suffix)
	c.Out["readerEndpoint"] = fmt.Sprintf("%s.cluster-ro-c%s", id, suffix)
	if secondary {
		c.Out["endpoint"] = ""
		for _, m := range globalMembers(c, c.In.String("globalClusterIdentifier")) {
			if m.Out.String("endpoint") != "" {
				c.Out["replicationSourceIdentifier"] = m.Out.String("arn")
			}
		}
	}
	c.Out["hostedZoneId"], c.Out["engineVersionActual"] = dbZone(c.Scope), version
	c.Out["clusterMembers"] = []any{}
	// Aurora spreads its storage over three zones and says so, whatever was asked for.
	zones := zoneNames(c.Scope)
	c.Out["availabilityZones"] = cloud.Plain(zones[:min(3, len(zones))])
	computed(c, "engineVersion", version)
	computed(c, "port", defaultPort(engine))
	computed(c, "masterUsername", source.String("masterUsername"))
	computed(c, "databaseName", "")
	computed(c, "backupRetentionPeriod", 1)
	computed(c, "allocatedStorage", 1)
	computed(c, "networkType", "IPV4")
	computed(c, "storageType", "")
	computed(c, "dbClusterParameterGroupName", "default."+family(engine, version))
	computed(c, "preferredBackupWindow", "03:00-03:30")
	computed(c, "preferredMaintenanceWindow", "sun:04:30-sun:05:00")
	computed(c, "storageEncrypted", c.In.Has("kmsKeyId"))
	if c.Out.Bool("storageEncrypted") {
		computed(c, "kmsKeyId", arn("kms", c.Scope, "key/"+requestID("aws/rds", c.Scope)))
	} else {
		computed(c, "kmsKeyId", "")
	}
	managedSecret(c, "cluster")
}

// checkClusterDB refuses what no cluster can be, new or changed.
func checkClusterDB(c *cloud.Call, op, engine, version string) error {
	switch days := c.In.Int("backupRetentionPeriod"); {
	case version == "":
		return rds(op, "InvalidParameterCombination", "Cannot find version %s for %s", c.In.String("engineVersion"), engine)
	case c.In.Has("backupRetentionPeriod") && (days < 1 || days > 35):
		return rds(op, "InvalidParameterValue", "Invalid backup retention period: %d. Retention period must be between 1 and 35 days", days)
	case c.In.Int("backtrackWindow") > 0 && engine != "aurora-mysql":
		return rds(op, "InvalidParameterCombination", "Backtrack is not enabled for the %s engine.", engine)
	}
	if kind := c.In.String("storageType"); strings.HasPrefix(engine, "aurora") && !slices.Contains([]string{"", "aurora", "aurora-iopt1"}, kind) {
		return rds(op, "InvalidParameterValue", "Invalid storage type: %s. Valid values for Aurora are aurora and aurora-iopt1", kind)
	}
	if name := c.In.String("dbClusterParameterGroupName"); name != "" {
		if err := parametersFit(c, op, clusterParamsType, name, family(engine, version)); err != nil {
			return err
		}
	}
	for _, rule := range []func() error{
		func() error { return serverless(c, op, engine, version) },
		func() error { return masterUser(c, op, engine, "masterUsername", "masterPassword") },
		func() error { return dbName(c, op, c.In.String("databaseName"), engine) },
		func() error { return dbKeys(c, op) },
		func() error { return insights(c, op, engine, version) },
		func() error { return windows(op, c, "preferredBackupWindow", "preferredMaintenanceWindow") },
	} {
		if err := rule(); err != nil {
			return err
		}
	}
	return nil
}

// pausing are the first minor versions of Aurora PostgreSQL that can pause at 0 ACU.
var pausing = map[string]int{"13": 15, "14": 12, "15": 7, "16": 3, "17": 4}

// serverless refuses capacities that Aurora Serverless v2 does not have.
func serverless(c *cloud.Call, op, engine, version string) error {
	s := c.In.Object("serverlessv2ScalingConfiguration")
	if s == nil {
		return nil
	}
	low, high := s.Float("minCapacity"), s.Float("maxCapacity")
	for _, v := range []float64{low, high} {
		if v < 0 || v > 256 || v*2 != float64(int(v*2)) {
			return rds(op, "InvalidParameterValue", "Serverless v2 capacity %v isn't valid. Specify a value from 0 to 256 in steps of 0.5.", v)
		}
	}
	if high < 1 || high < low {
		return rds(op, "InvalidParameterValue", "Serverless v2 maximum capacity %v isn't valid. The maximum capacity must be at least 1 and greater than or equal to the minimum capacity %v.", high, low)
	}
	if engine == "aurora-postgresql" {
		major, minor := splitVersion(engine, version)
		if first, ok := pausing[major]; low == 0 && (!ok || minor < first) {
			return rds(op, "InvalidParameterCombination", "Serverless v2 minimum capacity 0 isn't supported for the engine version %s.", version)
		}
	}
	if s.Has("secondsUntilAutoPause") {
		pause := s.Int("secondsUntilAutoPause")
		if low != 0 {
			return rds(op, "InvalidParameterCombination", "SecondsUntilAutoPause can only be set when the Serverless v2 minimum capacity is 0, got %v.", low)
		}
		if pause < 300 || pause > 86400 {
			return rds(op, "InvalidParameterValue", "SecondsUntilAutoPause %d isn't valid. Specify a value from 300 to 86400.", pause)
		}
	}
	return nil
}

func updateClusterDB(c *cloud.Call) error {
	const op = "ModifyDBCluster"
	engine, version := c.In.String("engine"), c.Out.String("engineVersionActual")
	if asked := c.In.String("engineVersion"); asked != "" && asked != c.Old.String("engineVersion") {
		was := version
		version = actualVersion(c.World, engine, asked)
		if err := upgrade(c, op, engine, was, version, asked); err != nil {
			return err
		}
		if err := primaryLast(c.World, op, &cloud.Resource{ID: c.ID, Out: c.Out}, version); err != nil {
			return err
		}
	}
	if _, err := dbPlace(c, op, "DB cluster"); err != nil {
		return err
	}
	if err := checkClusterDB(c, op, engine, version); err != nil {
		return err
	}
	if was, now := c.Old.String("globalClusterIdentifier"), c.In.String("globalClusterIdentifier"); was != now && now != "" {
		return rds(op, "InvalidParameterCombination", "existing RDS Clusters cannot be added to an existing RDS Global Cluster")
	}
	if c.In.Bool("manageMasterUserPassword") && c.Out.String("globalClusterIdentifier") != "" {
		return managedInGlobal(op)
	}
	if c.Old.Has("serverlessv2ScalingConfiguration") && !c.In.Has("serverlessv2ScalingConfiguration") {
		for _, i := range c.All(clusterInstanceType) {
			if i.Out.String("clusterIdentifier") == c.ID && i.Out.String("instanceClass") == "db.serverless" {
				return rds(op, "InvalidDBClusterStateFault", "The Serverless v2 scaling configuration can't be removed while the DB cluster has Serverless v2 DB instances.")
			}
		}
	}
	c.Out["engineVersionActual"] = version
	runs(c.World, &cloud.Resource{ID: c.ID, Scope: c.Scope, Out: c.Out}, version)
	managedSecret(c, "cluster")
	return nil
}
