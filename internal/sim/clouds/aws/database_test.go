package aws

import (
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

func (n plant) dbSubnets(s *simtest.Sim) string {
	return s.Must(dbSubnetGroupType, "db", props{"name": "db", "subnetIds": n.private}).ID
}

func (n plant) database(s *simtest.Sim) props {
	return props{"identifier": "morphee", "engine": "postgres", "engineVersion": "15.10", "instanceClass": "db.t4g.small", "allocatedStorage": 20, "storageType": "gp3",
		"maxAllocatedStorage": 100, "username": "morphee", "manageMasterUserPassword": true, "dbName": "morphee", "dbSubnetGroupName": n.dbSubnets(s),
		"vpcSecurityGroupIds": []string{n.group}, "backupRetentionPeriod": 30, "storageEncrypted": true, "skipFinalSnapshot": true}
}

func (n plant) aurora(s *simtest.Sim) props {
	return props{"clusterIdentifier": "morphee", "engine": "aurora-postgresql", "engineVersion": "15.10", "masterUsername": "morphee", "manageMasterUserPassword": true,
		"dbSubnetGroupName": n.dbSubnets(s), "vpcSecurityGroupIds": []string{n.group}, "storageEncrypted": true, "skipFinalSnapshot": true,
		"serverlessv2ScalingConfiguration": props{"minCapacity": 0.5, "maxCapacity": 8}}
}

func TestDatabaseRefusals(t *testing.T) {
	db := func(mistake props) func(*simtest.Sim) (props, props) {
		return plus(func(s *simtest.Sim, n plant) props { return n.database(s) }, mistake)
	}
	both := func(good, mistake props) func(*simtest.Sim) (props, props) {
		return on(func(s *simtest.Sim, n plant) (props, props) { return with(n.database(s), good), mistake })
	}
	password := func(value string) func(*simtest.Sim) (props, props) {
		return both(props{"manageMasterUserPassword": nil, "password": "correct-horse-battery"}, props{"password": value})
	}
	runRefusals(t, []refusal{
		{"version that RDS has not", dbInstanceType, "Cannot find version 15.99 for postgres", db(props{"engineVersion": "15.99"})},
		{"engine that RDS has not", dbInstanceType, "Invalid DB engine: postgresql", db(props{"engine": "postgresql"})},
		{"Aurora without cluster", dbInstanceType, "needs a DB cluster", db(props{"engine": "aurora-postgresql"})},
		{"class that RDS has not", dbInstanceType, "Invalid DB Instance class: db.t9.small", db(props{"instanceClass": "db.t9.small"})},
		{"class of EC2", dbInstanceType, "Invalid DB Instance class: t4g.small", db(props{"instanceClass": "t4g.small"})},
		{"class of Aurora only", dbInstanceType, "RDS does not support creating a DB instance with the following combination", db(props{"instanceClass": "db.serverless"})},
		{"too little storage", dbInstanceType, "Invalid storage size for engine name postgres and storage type gp3: 10", db(props{"allocatedStorage": 10})},
		{"speed of small storage", dbInstanceType, "storage size less than 400", db(props{"iops": 4000})},
		{"provisioned speed without a number", dbInstanceType, "must specify iops", both(props{"storageType": "io1", "allocatedStorage": 100, "iops": 1000, "maxAllocatedStorage": nil}, props{"iops": nil})},
		{"growth to less", dbInstanceType, "Max storage size must be greater than storage size", db(props{"maxAllocatedStorage": 20})},
		{"growth by next to nothing", dbInstanceType, "at least 10% more", db(props{"maxAllocatedStorage": 21})},
		{"identifier in capitals", dbInstanceType, "only lowercase alphanumeric characters", db(props{"identifier": "Morphee"})},
		{"identifier with two hyphens", dbInstanceType, "two consecutive hyphens", db(props{"identifier": "mor--phee"})},
		{"identifier with hyphen at the end", dbInstanceType, "cannot end in a hyphen", db(props{"identifier": "morphee-"})},
		{"identifier taken", dbInstanceType, "DBInstanceAlreadyExists", on(func(s *simtest.Sim, n plant) (props, props) {
			good := n.database(s)
			s.Must(dbInstanceType, "first", with(good, props{"identifier": "taken"}))
			return good, props{"identifier": "taken"}
		})},
		{"backups kept too long", dbInstanceType, "at most 35", db(props{"backupRetentionPeriod": 36})},
		{"no subnet group", dbInstanceType, "No default subnet detected", db(props{"dbSubnetGroupName": nil})},
		{"subnet group that does not exist", dbInstanceType, "DBSubnetGroupNotFoundFault", db(props{"dbSubnetGroupName": "nobody"})},
		{"group of another VPC", dbInstanceType, "The DB instance and EC2 security group are in different VPCs", on(func(s *simtest.Sim, n plant) (props, props) {
			return n.database(s), props{"vpcSecurityGroupIds": []string{n.otherGroup}}
		})},
		{"group that does not exist", dbInstanceType, "Invalid security group , groupId= sg-0123456789abcdef0", db(props{"vpcSecurityGroupIds": []string{"sg-0123456789abcdef0"}})},
		{"password with a slash", dbInstanceType, "Only printable ASCII characters besides", password("secret/secret")},
		{"password too short", dbInstanceType, "shorter than 8 characters", password("secret")},
		{"no password", dbInstanceType, "MasterUserPassword must be provided", db(props{"manageMasterUserPassword": nil})},
		{"user that RDS keeps", dbInstanceType, "is a reserved word", db(props{"username": "admin"})},
		{"no user", dbInstanceType, "MasterUsername must be provided", db(props{"username": nil})},
		{"database name with hyphen", dbInstanceType, "DBName must begin with a letter", db(props{"dbName": "mor-phee"})},
		{"zone and multi-zone", dbInstanceType, "Requesting a specific availability zone is not valid for Multi-AZ", db(props{"multiAz": true, "availabilityZone": "eu-west-1a"})},
		{"insights kept for 10 days", dbInstanceType, "Invalid Performance Insights retention period", both(props{"performanceInsightsEnabled": true, "performanceInsightsRetentionPeriod": 7}, props{"performanceInsightsRetentionPeriod": 10})},
		{"monitoring without role", dbInstanceType, "A MonitoringRoleARN value is required", db(props{"monitoringInterval": 60})},
		{"monitoring with another role", dbInstanceType, "ENHANCED_MONITORING", on(func(s *simtest.Sim, n plant) (props, props) {
			r := aRole(s, "monitoring", "monitoring.rds.amazonaws.com")
			return with(n.database(s), props{"monitoringInterval": 60, "monitoringRoleArn": r.Out["arn"]}), props{"monitoringRoleArn": n.taskRole}
		})},
		{"log of another engine", dbInstanceType, "You cannot use the log types 'slowquery'", both(props{"enabledCloudwatchLogsExports": []string{"postgresql", "upgrade"}}, props{"enabledCloudwatchLogsExports": []string{"slowquery"}})},
		{"key of another region", dbInstanceType, "KMSKeyNotAccessibleFault", on(func(s *simtest.Sim, n plant) (props, props) {
			near, far := s.Must(keyToken, "near", props{}), s.With("aws", props{"region": "us-east-1"}).Must(keyToken, "far", props{})
			return with(n.database(s), props{"kmsKeyId": near.Out["arn"]}), props{"kmsKeyId": far.Out["arn"]}
		})},
		{"key without encryption", dbInstanceType, "only be specified for encrypted storage", on(func(s *simtest.Sim, n plant) (props, props) {
			return with(n.database(s), props{"kmsKeyId": s.Must(keyToken, "k", props{}).Out["arn"]}), props{"storageEncrypted": false}
		})},
		{"windows overlap", dbInstanceType, "must not overlap", both(props{"backupWindow": "03:00-04:00", "maintenanceWindow": "sun:05:00-sun:06:00"}, props{"maintenanceWindow": "sun:03:30-sun:04:30"})},
		{"backup window too short", dbInstanceType, "at least 30 minutes", both(props{"backupWindow": "03:00-04:00"}, props{"backupWindow": "03:00-03:15"})},
		{"backup window in words", dbInstanceType, "hh24:mi-hh24:mi", both(props{"backupWindow": "03:00-04:00"}, props{"backupWindow": "3am-4am"})},
		{"parameters of no group", dbInstanceType, "DBParameterGroupNotFound", db(props{"parameterGroupName": "nobody"})},
		{"parameters of another version", dbInstanceType, "Please use a parameter group with DBParameterGroupFamily postgres15", on(func(s *simtest.Sim, n plant) (props, props) {
			right := s.Must(dbParametersType, "pg15", props{"name": "pg15", "family": "postgres15"})
			wrong := s.Must(dbParametersType, "pg14", props{"name": "pg14", "family": "postgres14"})
			return with(n.database(s), props{"parameterGroupName": right.ID}), props{"parameterGroupName": wrong.ID}
		})},
		{"certificate authority", dbInstanceType, "CertificateNotFound", db(props{"caCertIdentifier": "rds-ca-2019"})},
		{"snapshot that does not exist", dbInstanceType, "DBSnapshotNotFound", db(props{"snapshotIdentifier": "nobody"})},
		{"replica of nothing", dbInstanceType, "DBInstanceNotFound", on(func(s *simtest.Sim, n plant) (props, props) {
			s.Must(dbInstanceType, "source", n.database(s))
			return props{"identifier": "replica", "replicateSourceDb": "morphee", "instanceClass": "db.t4g.small", "skipFinalSnapshot": true}, props{"replicateSourceDb": "nobody"}
		})},
		{"subnet group in one zone", dbSubnetGroupType, "DBSubnetGroupDoesNotCoverEnoughAZs", on(func(s *simtest.Sim, n plant) (props, props) {
			return props{"subnetIds": n.private}, props{"subnetIds": []string{n.private[0], n.public[0]}}
		})},
		{"subnet group of nothing", dbSubnetGroupType, "InvalidSubnet", on(func(s *simtest.Sim, n plant) (props, props) {
			return props{"subnetIds": n.private}, props{"subnetIds": []string{n.private[0], "subnet-0123456789abcdef0"}}
		})},
		{"subnet group of two networks", dbSubnetGroupType, "InvalidSubnet", on(func(s *simtest.Sim, n plant) (props, props) {
			return props{"subnetIds": n.private}, props{"subnetIds": []string{n.private[0], n.otherSubnets[1]}}
		})},
		{"subnet group name in capitals", dbSubnetGroupType, "only lowercase alphanumeric", on(func(s *simtest.Sim, n plant) (props, props) {
			return props{"name": "db", "subnetIds": n.private}, props{"name": "DB"}
		})},
		{"family that does not exist", dbParametersType, "is not a valid parameter group family", fixedInputs(props{"family": "postgres15"}, props{"family": "postgres99"})},
		{"static parameter at once", dbParametersType, "cannot use immediate apply method for static parameter", parameterRow("shared_preload_libraries", "pg_stat_statements", "pending-reboot", "immediate")},
		{"switch that is neither on nor off", dbParametersType, "allowed values are: 0,1", fixedInputs(parameters("rds.force_ssl", "1", "immediate"), parameters("rds.force_ssl", "2", "immediate"))},
		{"parameter that is no name", dbParametersType, "Could not find parameter with name", fixedInputs(parameters("log_statement", "ddl", "immediate"), parameters("Log Statement", "ddl", "immediate"))},
	})
}

func parameters(name, value, method string) props {
	return props{"family": "postgres15", "parameters": []any{props{"name": name, "value": value, "applyMethod": method}}}
}

func parameterRow(name, value, good, wrong string) func(*simtest.Sim) (props, props) {
	return fixedInputs(parameters(name, value, good), parameters(name, value, wrong))
}

func TestAuroraRefusals(t *testing.T) {
	cluster := func(mistake props) func(*simtest.Sim) (props, props) {
		return plus(func(s *simtest.Sim, n plant) props { return n.aurora(s) }, mistake)
	}
	capacity := func(low, high any, pause any) props {
		return props{"serverlessv2ScalingConfiguration": with(props{"minCapacity": low, "maxCapacity": high}, props{"secondsUntilAutoPause": pause})}
	}
	pausing := func(mistake props) func(*simtest.Sim) (props, props) {
		return on(func(s *simtest.Sim, n plant) (props, props) {
			return with(n.aurora(s), capacity(0, 4, 300)), mistake
		})
	}
	member := func(mistake props) func(*simtest.Sim) (props, props) {
		return on(func(s *simtest.Sim, n plant) (props, props) {
			c := s.Must(dbClusterType, "c", n.aurora(s))
			return props{"identifier": "writer", "clusterIdentifier": c.ID, "engine": "aurora-postgresql", "instanceClass": "db.serverless"}, mistake
		})
	}
	following := func(mistake props) func(*simtest.Sim) (props, props) {
		return on(func(s *simtest.Sim, n plant) (props, props) { return n.follower(s), mistake })
	}
	runRefusals(t, []refusal{
		{"capacity between steps", dbClusterType, "in steps of 0.5", cluster(capacity(0.7, 8, nil))},
		{"capacity too high", dbClusterType, "from 0 to 256", cluster(capacity(0.5, 300, nil))},
		{"capacity upside down", dbClusterType, "greater than or equal to the minimum", cluster(capacity(8, 4, nil))},
		{"pause that never comes", dbClusterType, "SecondsUntilAutoPause can only be set when", pausing(capacity(0.5, 4, 300))},
		{"pause too soon", dbClusterType, "from 300 to 86400", pausing(capacity(0, 4, 60))},
		{"pause of an old version", dbClusterType, "isn't supported for the engine version 15.5", pausing(props{"engineVersion": "15.5"})},
		{"Aurora version", dbClusterType, "Cannot find version 15.99 for aurora-postgresql", cluster(props{"engineVersion": "15.99"})},
		{"Aurora without backups", dbClusterType, "must be between 1 and 35 days", cluster(props{"backupRetentionPeriod": 0})},
		{"Aurora storage type", dbClusterType, "Invalid storage type: gp3", cluster(props{"storageType": "gp3"})},
		{"Aurora zone of another region", dbClusterType, "is unavailable in this region", cluster(props{"availabilityZones": []string{"us-east-1a"}})},
		{"Aurora group of another VPC", dbClusterType, "different VPCs", on(func(s *simtest.Sim, n plant) (props, props) {
			return n.aurora(s), props{"vpcSecurityGroupIds": []string{n.otherGroup}}
		})},
		{"Aurora without user", dbClusterType, "MasterUsername must be provided", cluster(props{"masterUsername": nil})},
		{"Aurora backtrack", dbClusterType, "Backtrack is not enabled", cluster(props{"backtrackWindow": 3600})},
		{"Aurora parameters of RDS", dbClusterType, "DBClusterParameterGroupNotFound", on(func(s *simtest.Sim, n plant) (props, props) {
			right := s.Must(clusterParamsType, "c", props{"name": "c", "family": "aurora-postgresql15"})
			wrong := s.Must(dbParametersType, "i", props{"name": "i", "family": "aurora-postgresql15"})
			return with(n.aurora(s), props{"dbClusterParameterGroupName": right.ID}), props{"dbClusterParameterGroupName": wrong.ID}
		})},
		{"snapshot of no cluster", dbClusterType, "DBClusterSnapshotNotFoundFault", cluster(props{"snapshotIdentifier": "nobody"})},
		{"global cluster that does not exist", dbClusterType, "GlobalClusterNotFoundFault", cluster(props{"globalClusterIdentifier": "nobody"})},
		{"secondary of another version", dbClusterType, "Value for engineVersion should match setting for global cluster world", following(props{"engineVersion": "15.12"})},
		{"secondary of whatever version is the default", dbClusterType, "Value for engineVersion should match setting for global cluster world", following(props{"engineVersion": nil})},
		{"secondary of another engine", dbClusterType, "Value for engine should match setting for global cluster world", following(props{"engine": "aurora-mysql", "engineVersion": "8.0"})},
		{"member of no cluster", clusterInstanceType, "DBClusterNotFoundFault", member(props{"clusterIdentifier": "nobody"})},
		{"member class too small", clusterInstanceType, "RDS does not support creating a DB instance", member(props{"instanceClass": "db.t4g.micro"})},
		{"member of another engine", clusterInstanceType, "doesn't match the engine name of your DB cluster", member(props{"engine": "aurora-mysql"})},
		{"member outside the subnet group", clusterInstanceType, "is not covered by the DB subnet group", member(props{"availabilityZone": "eu-west-1c"})},
		{"serverless member of a plain cluster", clusterInstanceType, "Set the Serverless v2 scaling configuration on the parent DB cluster", on(func(s *simtest.Sim, n plant) (props, props) {
			good := n.aurora(s)
			s.Must(dbClusterType, "serverless", good)
			s.Must(dbClusterType, "plain", with(good, props{"clusterIdentifier": "plain", "serverlessv2ScalingConfiguration": nil}))
			return props{"clusterIdentifier": "morphee", "engine": "aurora-postgresql", "instanceClass": "db.serverless"}, props{"clusterIdentifier": "plain"}
		})},
		{"global cluster taken", globalClusterType, "GlobalClusterAlreadyExistsFault", func(s *simtest.Sim) (props, props) {
			s.Must(globalClusterType, "g", props{"globalClusterIdentifier": "taken", "engine": "aurora-postgresql", "engineVersion": "15.10"})
			return props{"globalClusterIdentifier": "world", "engine": "aurora-postgresql", "engineVersion": "15.10"}, props{"globalClusterIdentifier": "taken"}
		}},
		{"global cluster version", globalClusterType, "Cannot find version", fixedInputs(props{"globalClusterIdentifier": "world", "engine": "aurora-postgresql", "engineVersion": "15.10"}, props{"engineVersion": "12.1"})},
		{"proxy in one zone", dbProxyType, "at least 2 subnets in different Availability Zones", on(func(s *simtest.Sim, n plant) (props, props) {
			r := aRole(s, "proxy", "rds.amazonaws.com")
			return props{"name": "proxy", "engineFamily": "POSTGRESQL", "roleArn": r.Out["arn"], "vpcSubnetIds": n.private, "auths": []any{props{"authScheme": "SECRETS"}}}, props{"vpcSubnetIds": n.private[:1]}
		})},
		{"proxy with another role", dbProxyType, "does not trust rds.amazonaws.com", on(func(s *simtest.Sim, n plant) (props, props) {
			r := aRole(s, "proxy", "rds.amazonaws.com")
			return props{"name": "proxy", "engineFamily": "POSTGRESQL", "roleArn": r.Out["arn"], "vpcSubnetIds": n.private, "auths": []any{props{"authScheme": "SECRETS"}}}, props{"roleArn": n.taskRole}
		})},
	})
}

func TestDatabaseLife(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	n := aPlant(s)
	group := n.database(s)
	db := s.Must(dbInstanceType, "db", with(group, props{"deletionProtection": true, "skipFinalSnapshot": false, "finalSnapshotIdentifier": "last"}))
	subnets := s.World.Find("eu-west-1", dbSubnetGroupType, "db")
	matches(t, "endpoint", db.Out.String("endpoint"), `^morphee\.c[0-9a-z]{11}\.eu-west-1\.rds\.amazonaws\.com:5432$`)
	matches(t, "resource", db.ID, `^db-[A-Z0-9]{26}$`)
	matches(t, "secret", db.Out.String("masterUserSecrets.0.secretArn"), `^arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!db-[0-9a-f-]{36}-[A-Za-z]{6}$`)
	refusedDelete(t, s, db, "Cannot delete protected DB Instance")
	refusedDelete(t, s, subnets, "Cannot delete the subnet group 'db' because at least one database instance: morphee is still using it")
	refusedDelete(t, s, s.World.Find("eu-west-1", subnetType, n.private[0]), "DependencyViolation")
	refusedUpdate(t, s, db, props{"engineVersion": "15.4"}, "Cannot upgrade postgres from 15.10 to 15.4")
	refusedUpdate(t, s, db, props{"engineVersion": "16.4"}, "AllowMajorVersionUpgrade flag must be present")
	refusedUpdate(t, s, db, props{"allocatedStorage": 10}, "cannot be smaller")
	moved := s.Must(dbSubnetGroupType, "moved", props{"name": "moved", "subnetIds": n.private})
	refusedUpdate(t, s, db, props{"dbSubnetGroupName": moved.ID}, "InvalidVPCNetworkStateFault")
	db = updates(t, s, db, props{"multiAz": true, "engineVersion": "16.4", "allowMajorVersionUpgrade": true, "allocatedStorage": 40})
	if got := db.Out.String("engineVersionActual"); got != "16.4" {
		t.Errorf("after the upgrade the version is %q", got)
	}
	replaced(t, s, db, props{"engine": "mysql"}, "engine")
	replaced(t, s, db, props{"instanceClass": "db.t4g.medium"}, "")
	db = updates(t, s, db, props{"deletionProtection": false})
	deletes(t, s, db)
	again := s.Must(dbInstanceType, "again", with(group, props{"snapshotIdentifier": "last", "engineVersion": "16.4", "skipFinalSnapshot": false, "finalSnapshotIdentifier": "last"}))
	refusedDelete(t, s, again, "a snapshot with the identifier last already exists")
	again = updates(t, s, again, props{"finalSnapshotIdentifier": nil})
	refusedDelete(t, s, again, "final_snapshot_identifier is required")
	deletes(t, s, updates(t, s, again, props{"skipFinalSnapshot": true}))
	deletes(t, s, subnets)
}

func TestAuroraLife(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	n := aPlant(s)
	c := s.Must(dbClusterType, "c", with(n.aurora(s), props{"deletionProtection": true}))
	member := func(name string) *cloud.Resource {
		return s.Must(clusterInstanceType, name, props{"identifier": name, "clusterIdentifier": c.ID, "engine": "aurora-postgresql", "instanceClass": "db.serverless"})
	}
	writer, reader := member("one"), member("two")
	if !writer.Out.Bool("writer") || reader.Out.Bool("writer") {
		t.Error("the first member is the writer, and only it")
	}
	if writer.Out["availabilityZone"] == reader.Out["availabilityZone"] {
		t.Error("both members are in one zone")
	}
	matches(t, "endpoint", c.Out.String("endpoint"), `^morphee\.cluster-c[0-9a-z]{11}\.eu-west-1\.rds\.amazonaws\.com$`)
	matches(t, "reader endpoint", c.Out.String("readerEndpoint"), `^morphee\.cluster-ro-c[0-9a-z]{11}\.eu-west-1\.rds\.amazonaws\.com$`)
	refusedDelete(t, s, c, "it still contains DB instances")
	refusedUpdate(t, s, c, props{"serverlessv2ScalingConfiguration": nil}, "can't be removed")
	replaced(t, s, c, props{"serverlessv2ScalingConfiguration": props{"minCapacity": 1, "maxCapacity": 16}}, "")
	replaced(t, s, c, props{"engineVersion": "15.12"}, "")
	replaced(t, s, c, props{"availabilityZones": []string{"eu-west-1a"}}, "availabilityZones")
	deletes(t, s, reader)
	deletes(t, s, writer)
	refusedDelete(t, s, c, "Cannot delete protected Cluster")
	deletes(t, s, updates(t, s, c, props{"deletionProtection": false}))
}

func TestGlobalDatabase(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	n := aPlant(s)
	g := s.Must(globalClusterType, "g", props{"globalClusterIdentifier": "world", "engine": "aurora-postgresql", "engineVersion": "15.10", "storageEncrypted": true})
	joined := props{"globalClusterIdentifier": "world"}
	own := props{"manageMasterUserPassword": nil, "masterPassword": "correct-horse-battery"}
	alone := n.aurora(s)
	s.Refuses(dbClusterType, "managed", with(alone, joined), "Managing master user passwords")
	primary := s.Must(dbClusterType, "primary", with(with(alone, joined), own))
	there := s.With("aws", props{"region": "eu-central-1"})
	far := there.Must(vpcType, "far", props{"cidrBlock": "10.50.0.0/16"})
	var ids []string
	for i, zone := range []string{"eu-central-1a", "eu-central-1b"} {
		ids = append(ids, there.Must(subnetType, zone, props{"vpcId": far.ID, "cidrBlock": "10.50." + string(rune('0'+i)) + ".0/24", "availabilityZone": zone}).ID)
	}
	there.Must(dbSubnetGroupType, "far", props{"name": "far", "subnetIds": ids})
	key := there.Must(keyToken, "far", props{})
	secondary := props{"clusterIdentifier": "far", "engine": "aurora-postgresql", "engineVersion": "15.10", "dbSubnetGroupName": "far", "globalClusterIdentifier": "world",
		"storageEncrypted": true, "kmsKeyId": key.Out["arn"], "skipFinalSnapshot": true, "serverlessv2ScalingConfiguration": props{"minCapacity": 0.5, "maxCapacity": 8}}
	there.Refuses(dbClusterType, "early", secondary, "is in a state which is not valid for physical replication")
	instance := props{"clusterIdentifier": primary.ID, "engine": "aurora-postgresql", "instanceClass": "db.serverless"}
	s.Refuses(clusterInstanceType, "small", with(instance, props{"instanceClass": "db.t4g.medium"}), "Global databases are not supported")
	s.Must(clusterInstanceType, "one", instance)
	there.Refuses(dbClusterType, "user", with(secondary, props{"masterUsername": "morphee", "masterPassword": "correct-horse-battery"}), "Cannot specify user name")
	there.Refuses(dbClusterType, "name", with(secondary, props{"databaseName": "morphee"}), "Cannot specify database name")
	there.Refuses(dbClusterType, "key", with(secondary, props{"kmsKeyId": nil}), "kmsKeyId should be explicitly specified")
	there.Refuses(dbClusterType, "version", with(secondary, props{"engineVersion": "15.8"}), "Value for engineVersion should match setting for global cluster")
	second := there.Must(dbClusterType, "far", secondary)
	there.Refuses(dbClusterType, "third", with(secondary, props{"clusterIdentifier": "third"}), "already has a DB cluster in region eu-central-1")
	refusedDelete(t, s, g, "is not empty")
	deletes(t, there, second)
}
