package aws

import (
	"fmt"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func dbInstance() cloud.Type {
	return cloud.Type{
		Token: dbInstanceType,
		Check: func(c *cloud.CheckCall) {
			checkIdentifier(c, "identifier", "identifierPrefix")
			checkWindows(c, "backupWindow", "maintenanceWindow")
		},
		Create: createInstanceDB,
		Update: updateInstanceDB,
		Delete: func(c *cloud.Call) error {
			const op = "DeleteDBInstance"
			if c.Old.Bool("deletionProtection") {
				return rds(op, "InvalidParameterCombination", "Cannot delete protected DB Instance, please disable deletion protection and try again.")
			}
			if c.Old.Has("replicateSourceDb") {
				return nil
			}
			return finalSnapshot(c, "db-snapshot", op, "DBSnapshotAlreadyExists")
		},
		Recomputed: map[string][]string{
			"engineVersion": {"engineVersionActual"}, "identifier": {"address", "endpoint", "arn"}, "port": {"endpoint"},
			"manageMasterUserPassword": {"masterUserSecrets"},
		},
		Takes: cloud.Durations{Create: minutes(8), Update: minutes(5), Delete: minutes(6)},
	}
}

func createInstanceDB(c *cloud.Call) error {
	const op = "CreateDBInstance"
	id := c.In.String("identifier")
	if c.Clash("identifier") != nil {
		return rds(op, "DBInstanceAlreadyExists", "DB instance already exists")
	}
	source, err := dbSource(c)
	if err != nil {
		return err
	}
	engine := orText(c.In.String("engine"), source.String("engine"))
	if err := newInstanceDB(c, op, engine, source != nil); err != nil {
		return err
	}
	computed(c, "engine", engine)
	computed(c, "allocatedStorage", source.Int("allocatedStorage"))
	computed(c, "storageType", "gp2")
	if _, err := dbPlaceOf(c, op, source); err != nil {
		return err
	}
	version := actualVersion(c.World, engine, orText(c.In.String("engineVersion"), source.String("engineVersion")))
	if err := checkInstanceDB(c, op, engine, version); err != nil {
		return err
	}
	port := c.In.Int("port")
	if port == 0 {
		port = defaultPort(engine)
	}
	c.ID = "db-" + c.Gen.Pick("resource", upper, 26)
	c.Out["resourceId"] = c.ID
	c.Out["arn"] = arn("rds", c.Scope, "db:"+id)
	c.Out["address"] = id + "." + dbHost(c.Scope)
	c.Out["endpoint"] = fmt.Sprintf("%s:%d", c.Out["address"], port)
	c.Out["hostedZoneId"], c.Out["status"] = dbZone(c.Scope), "available"
	c.Out["engineVersionActual"], c.Out["latestRestorableTime"] = version, ""
	c.Out["listenerEndpoints"], c.Out["replicas"] = []any{}, []any{}
	computed(c, "engineVersion", version)
	computed(c, "port", port)
	computed(c, "username", source.String("username"))
	computed(c, "multiAz", false)
	computed(c, "backupRetentionPeriod", 0)
	computed(c, "networkType", "IPV4")
	computed(c, "caCertIdentifier", certificateAuthorities[0])
	computed(c, "parameterGroupName", "default."+family(engine, version))
	computed(c, "licenseModel", map[bool]string{true: "postgresql-license", false: "general-public-license"}[strings.Contains(engine, "postgres")])
	computed(c, "backupWindow", "03:00-03:30")
	computed(c, "maintenanceWindow", "sun:04:30-sun:05:00")
	computed(c, "backupTarget", "region")
	computed(c, "dbName", "")
	if c.In.Bool("storageEncrypted") {
		computed(c, "kmsKeyId", arn("kms", c.Scope, "key/"+requestID("aws/rds", c.Scope)))
	}
	g := byProperty(c.All(dbSubnetGroupType), "name", c.Out.String("dbSubnetGroupName"))
	if zones := place(c.World, c.Scope, g.Out.Strings("subnetIds")).zones; len(zones) > 0 {
		computed(c, "availabilityZone", zones[c.Gen.Number("zone", 0, len(zones)-1)])
	}
	managedSecret(c, "db")
	return nil
}

// dbSource returns what the instance is made from: a source to replicate, a snapshot, or nothing.
func dbSource(c *cloud.Call) (cloud.Object, error) {
	if ref := c.In.String("replicateSourceDb"); ref != "" {
		for _, r := range c.Everywhere(dbInstanceType) {
			if (r.Scope == c.Scope && r.Out.String("identifier") == ref) || r.Out.String("arn") == ref {
				if r.Out.Int("backupRetentionPeriod") == 0 {
					return nil, rds("CreateDBInstanceReadReplica", "InvalidDBInstanceState", "Automated backups are not enabled for this database instance. To enable automated backups, use ModifyDBInstance to set the backup retention period to a non-zero value.")
				}
				return r.Out, nil
			}
		}
		return nil, rds("CreateDBInstanceReadReplica", "DBInstanceNotFound", "DBInstance %s not found.", ref)
	}
	if ref := c.In.String("snapshotIdentifier"); ref != "" {
		if s := snapshot(c, "db-snapshot", ref); s != nil {
			return s.Out, nil
		}
		return nil, rds("RestoreDBInstanceFromDBSnapshot", "DBSnapshotNotFound", "DBSnapshot not found: %s", ref)
	}
	if from := c.In.Object("restoreToPointInTime"); from != nil {
		if ref := from.String("sourceDbInstanceIdentifier"); ref != "" {
			if r := byProperty(c.All(dbInstanceType), "identifier", ref); r != nil {
				return r.Out, nil
			}
			return nil, rds("RestoreDBInstanceToPointInTime", "DBInstanceNotFound", "DBInstance %s not found.", ref)
		}
		return cloud.Object{}, nil
	}
	return nil, nil
}

// dbPlaceOf is dbPlace for an instance that may inherit its source's subnet group.
func dbPlaceOf(c *cloud.Call, op string, source cloud.Object) (string, error) {
	if !c.In.Has("dbSubnetGroupName") {
		c.Out["dbSubnetGroupName"] = ""
		if c.In.Has("replicateSourceDb") {
			c.Out["dbSubnetGroupName"] = source.String("dbSubnetGroupName")
		}
	}
	return dbPlace(c, op, "DB instance")
}

// newInstanceDB refuses what only a creation from nothing needs.
func newInstanceDB(c *cloud.Call, op, engine string, copied bool) error {
	if copied {
		return nil
	}
	switch {
	case engine == "":
		return rds(op, "MissingParameter", "\"engine\": required field is not set")
	case engines[engine] == nil && !strings.HasPrefix(engine, "oracle") && !strings.HasPrefix(engine, "sqlserver"):
		return rds(op, "InvalidParameterValue", "Invalid DB engine: %s", engine)
	case strings.HasPrefix(engine, "aurora"):
		return rds(op, "InvalidParameterCombination", "The engine %s needs a DB cluster: set DBClusterIdentifier.", engine)
	case !c.In.Has("allocatedStorage"):
		return rds(op, "MissingParameter", "\"allocated_storage\": required field is not set")
	case !c.In.Has("username"):
		return rds(op, "InvalidParameterValue", "The parameter MasterUsername must be provided and must not be blank.")
	case !c.In.Has("password") && !c.In.Bool("manageMasterUserPassword"):
		return rds(op, "InvalidParameterValue", "The parameter MasterUserPassword must be provided and must not be blank.")
	}
	return nil
}

// checkInstanceDB refuses what no instance can be, new or changed.
func checkInstanceDB(c *cloud.Call, op, engine, version string) error {
	class := c.In.String("instanceClass")
	asked := c.In.String("engineVersion")
	switch {
	case version == "" && engines[engine] != nil:
		return rds(op, "InvalidParameterCombination", "Cannot find version %s for %s", asked, engine)
	case !knownClass(class):
		return rds(op, "InvalidParameterValue", "Invalid DB Instance class: %s", class)
	case !classFits(engine, class):
		return rds(op, "InvalidParameterCombination", "RDS does not support creating a DB instance with the following combination: DBInstanceClass=%s, Engine=%s, EngineVersion=%s. For supported combinations of instance class and database engine version, see the documentation.", class, engine, version)
	case c.In.Bool("multiAz") && c.In.Has("availabilityZone"):
		return rds(op, "InvalidParameterCombination", "Requesting a specific availability zone is not valid for Multi-AZ instances.")
	case c.In.Int("backupRetentionPeriod") > 35 || c.In.Int("backupRetentionPeriod") < 0:
		return rds(op, "InvalidParameterValue", "Invalid backup retention period: %d. Retention period must be between 0 and 35 days", c.In.Int("backupRetentionPeriod"))
	case c.In.Has("port") && (c.In.Int("port") < 1150 || c.In.Int("port") > 65535):
		return rds(op, "InvalidParameterValue", "Invalid database port: %d. Valid port range: 1150-65535", c.In.Int("port"))
	}
	if z := c.In.String("availabilityZone"); z != "" && !slices.Contains(zoneNames(c.Scope), z) {
		return rds(op, "InvalidParameterValue", "Invalid availability zone: %s", z)
	}
	if burst := strings.HasPrefix(class, "db.t"); burst && c.In.Bool("performanceInsightsEnabled") && !strings.Contains(engine, "postgres") && (strings.HasSuffix(class, ".micro") || strings.HasSuffix(class, ".small")) {
		return rds(op, "InvalidParameterCombination", "Performance Insights not supported for this configuration, please disable this feature.")
	}
	if name := c.In.String("parameterGroupName"); name != "" {
		if err := parametersFit(c, op, dbParametersType, name, family(engine, version)); err != nil {
			return err
		}
	}
	for _, rule := range []func() error{
		func() error { return dbStorage(c, op, engine) },
		func() error { return masterUser(c, op, engine, "username", "password") },
		func() error { return dbName(c, op, c.In.String("dbName"), engine) },
		func() error { return dbKeys(c, op) },
		func() error { return insights(c, op, engine, version) },
		func() error { return windows(op, c, "backupWindow", "maintenanceWindow") },
	} {
		if err := rule(); err != nil {
			return err
		}
	}
	return nil
}

// dbName refuses names of the first database.
func dbName(c *cloud.Call, op, name, engine string) error {
	if name == "" {
		return nil
	}
	if len(name) > 63 || strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_')
	}) || name[0] >= '0' && name[0] <= '9' {
		return rds(op, "InvalidParameterValue", "DBName must begin with a letter and contain only alphanumeric characters.")
	}
	if slices.Contains([]string{"db", "rdsadmin", "template0", "template1", "user", "default", "select", "table"}, strings.ToLower(name)) {
		return rds(op, "InvalidParameterValue", "DBName %s cannot be used as it is a reserved word for this engine", name)
	}
	return nil
}

// dbStorage refuses sizes and speeds that RDS does not offer.
func dbStorage(c *cloud.Call, op, engine string) error {
	kind, size := orText(c.Out.String("storageType"), "gp2"), c.Out.Int("allocatedStorage")
	limits, ok := map[string][2]int{"gp2": {20, 65536}, "gp3": {20, 65536}, "io1": {100, 65536}, "io2": {100, 65536}, "standard": {5, 3072}}[kind]
	if !ok {
		return rds(op, "InvalidParameterValue", "Invalid storage type: %s", kind)
	}
	if size < limits[0] || size > limits[1] {
		return rds(op, "InvalidParameterCombination", "Invalid storage size for engine name %s and storage type %s: %d", engine, kind, size)
	}
	if kind == "gp3" && size < 400 && (c.In.Int("iops") > 0 || c.In.Int("storageThroughput") > 0) {
		return rds(op, "InvalidParameterCombination", "You can't specify IOPS or storage throughput for engine %s and a storage size less than 400.", engine)
	}
	if (kind == "io1" || kind == "io2") && c.In.Int("iops") < 1000 {
		return rds(op, "InvalidParameterCombination", "You must specify iops of at least 1000 when you create a DB instance with storage type %s.", kind)
	}
	if kind == "gp2" && c.In.Int("iops") > 0 {
		return rds(op, "InvalidParameterCombination", "You can't specify IOPS for storage type gp2.")
	}
	top := c.In.Int("maxAllocatedStorage")
	if top > 0 && top <= size {
		return rds(op, "InvalidParameterCombination", "Max storage size must be greater than storage size")
	}
	if top > 0 && top*10 < size*11 {
		return rds(op, "InvalidParameterCombination", "Invalid max storage size for engine name %s and storage type %s: %d. It must be at least 10%% more than the allocated storage", engine, kind, top)
	}
	return nil
}
