package aws

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/recorder"
)

func testSubnets(letters string) []ZoneSubnet {
	var out []ZoneSubnet
	for _, l := range letters {
		out = append(out, ZoneSubnet{Zone: testRegion + string(l), Letter: string(l), ID: pulumi.Sprintf("subnet-%s", string(l))})
	}
	return out
}

func efsArgs(change func(*EfsRepoStoreArgs)) *EfsRepoStoreArgs {
	args := &EfsRepoStoreArgs{
		VpcID: pulumi.String("vpc-1"), Subnets: testSubnets("ab"), KmsKeyArn: keyArn("files"), Tags: testTags,
		AccessPoints: map[string]EfsAccessPoint{"forgejo": {Path: "/forgejo"}},
	}
	if change != nil {
		change(args)
	}
	return args
}

func TestEfsRepoStoreTwice(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		if _, err := NewEfsRepoStore(ctx, "repos", efsArgs(nil)); err != nil {
			return err
		}
		_, err := NewEfsRepoStore(ctx, "other", efsArgs(func(a *EfsRepoStoreArgs) {
			a.Disposable, a.Subnets, a.AccessPoints["memory"] = true, testSubnets("abc"), EfsAccessPoint{Path: "/memory", UID: 1001, GID: 1001, Permissions: "0700"}
		}))
		return err
	})
	recorder.ExpectCounts(t, list, map[string]int{
		EfsRepoStoreType: 2, "aws:efs/fileSystem:FileSystem": 2, "aws:efs/mountTarget:MountTarget": 5, "aws:efs/accessPoint:AccessPoint": 3,
		"aws:efs/fileSystemPolicy:FileSystemPolicy": 2, "aws:efs/backupPolicy:BackupPolicy": 2, "aws:ec2/securityGroup:SecurityGroup": 2,
	})
	wantSeparateRules(t, list)
	fs := recorder.Must(t, list, "aws:efs/fileSystem:FileSystem", "repos-files")
	recorder.Expect(t, fs, map[string]any{
		"encrypted": true, "kmsKeyId": "arn:aws:kms:eu-central-1:123456789012:key/files", "throughputMode": "elastic",
		"lifecyclePolicies.0.transitionToIa": "AFTER_30_DAYS", "lifecyclePolicies.1.transitionToArchive": "AFTER_90_DAYS", "lifecyclePolicies.2.transitionToPrimaryStorageClass": "AFTER_1_ACCESS",
	})
	if !fs.Protect || recorder.Must(t, list, "aws:efs/fileSystem:FileSystem", "other-files").Protect {
		t.Error("the file system is protected unless the stack is disposable")
	}
	recorder.Expect(t, recorder.Must(t, list, "aws:efs/accessPoint:AccessPoint", "repos-access-forgejo"), map[string]any{
		"posixUser.uid": 1000, "posixUser.gid": 1000, "rootDirectory.path": "/forgejo",
		"rootDirectory.creationInfo.ownerUid": 1000, "rootDirectory.creationInfo.ownerGid": 1000, "rootDirectory.creationInfo.permissions": "0750",
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:efs/mountTarget:MountTarget", "other-mount-c"), map[string]any{"subnetId": "subnet-c", "securityGroups.0": "other-sg-id"})
	recorder.Expect(t, recorder.Must(t, list, "aws:efs/backupPolicy:BackupPolicy", "repos-backup"), map[string]any{"backupPolicy.status": "ENABLED"})
	for _, s := range policyOf(t, recorder.Must(t, list, "aws:efs/fileSystemPolicy:FileSystemPolicy", "repos-policy"), "policy") {
		if s.Effect != "Deny" {
			t.Errorf("%s: the file system's policy grants nothing, IAM does", s.Sid)
		}
	}
	policy := policyOf(t, recorder.Must(t, list, "aws:efs/fileSystemPolicy:FileSystemPolicy", "repos-policy"), "policy")
	if got := fmt.Sprint(statement(t, policy, "TlsOnly").Condition); got != "map[Bool:map[aws:SecureTransport:[false]]]" {
		t.Error(got)
	}
	if got := fmt.Sprint(statement(t, policy, "AccessPointsOnly").Condition); got != "map[Null:map[elasticfilesystem:AccessPointArn:[true]]]" {
		t.Error(got)
	}
}

func TestEfsRepoStoreRefuses(t *testing.T) {
	point := func(change func(*EfsAccessPoint)) func(*EfsRepoStoreArgs) {
		return func(a *EfsRepoStoreArgs) {
			ap := EfsAccessPoint{Path: "/x"}
			change(&ap)
			a.AccessPoints["x"] = ap
		}
	}
	for field, change := range map[string]func(*EfsRepoStoreArgs){
		"VpcID":                       func(a *EfsRepoStoreArgs) { a.VpcID = nil },
		"Subnets: got 1":              func(a *EfsRepoStoreArgs) { a.Subnets = testSubnets("a") },
		"one subnet in a zone":        func(a *EfsRepoStoreArgs) { a.Subnets = testSubnets("aa") },
		"KmsKeyArn":                   func(a *EfsRepoStoreArgs) { a.KmsKeyArn = nil },
		"AccessPoints: got none":      func(a *EfsRepoStoreArgs) { a.AccessPoints = nil },
		"AccessPoints.x.Path: got x":  point(func(p *EfsAccessPoint) { p.Path = "x" }),
		"AccessPoints.x.Path: got /,": point(func(p *EfsAccessPoint) { p.Path = "/" }),
		"a path of its own":           point(func(p *EfsAccessPoint) { p.Path = "/forgejo" }),
		"1 or more: git":              point(func(p *EfsAccessPoint) { p.UID, p.GID = 0, 1000 }),
		"AccessPoints.x.Permissions":  point(func(p *EfsAccessPoint) { p.Permissions = "0999" }),
		"InfrequentDays: got 31":      func(a *EfsRepoStoreArgs) { a.InfrequentDays = 31 },
		"later than InfrequentDays":   func(a *EfsRepoStoreArgs) { a.ArchiveDays = 30 },
	} {
		t.Run(field, func(t *testing.T) {
			recorder.Refuses(t, field, func(ctx *pulumi.Context) error {
				_, err := NewEfsRepoStore(ctx, "repos", efsArgs(change))
				return err
			})
		})
	}
}

func redisArgs(change func(*RedisCacheArgs)) *RedisCacheArgs {
	args := &RedisCacheArgs{
		VpcID: pulumi.String("vpc-1"), SubnetIDs: pulumi.ToStringArray([]string{"subnet-a", "subnet-b"}), KmsKeyArn: keyArn("cache"), LogKmsKeyArn: keyArn("logs"),
		AuthToken: pulumi.String("canary-token-canary-token"), Tags: testTags,
	}
	if change != nil {
		change(args)
	}
	return args
}

func TestRedisCacheTwice(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		if _, err := NewRedisCache(ctx, "cache", redisArgs(nil)); err != nil {
			return err
		}
		_, err := NewRedisCache(ctx, "other", redisArgs(func(a *RedisCacheArgs) { a.Nodes = 3 }))
		return err
	})
	recorder.ExpectCounts(t, list, map[string]int{
		RedisCacheType: 2, "aws:elasticache/replicationGroup:ReplicationGroup": 2, "aws:elasticache/subnetGroup:SubnetGroup": 2, "aws:elasticache/parameterGroup:ParameterGroup": 2,
		"aws:cloudwatch/logGroup:LogGroup": 2, "aws:ec2/securityGroup:SecurityGroup": 2,
	})
	redis := recorder.Must(t, list, "aws:elasticache/replicationGroup:ReplicationGroup", "cache-redis")
	recorder.Expect(t, redis, map[string]any{
		"engine": "redis", "engineVersion": "7.1", "nodeType": "cache.t4g.micro", "numCacheClusters": 1, "automaticFailoverEnabled": false, "snapshotRetentionLimit": 0,
		"atRestEncryptionEnabled": true, "kmsKeyId": "arn:aws:kms:eu-central-1:123456789012:key/cache", "transitEncryptionEnabled": true, "transitEncryptionMode": "required",
		"authToken": "canary-token-canary-token", "securityGroupIds.0": "cache-sg-id", "replicationGroupId": nil,
	})
	if !redis.IsSecret("authToken") {
		t.Error("the token is not kept a secret")
	}
	recorder.Expect(t, recorder.Must(t, list, "aws:elasticache/replicationGroup:ReplicationGroup", "other-redis"), map[string]any{"numCacheClusters": 3, "automaticFailoverEnabled": true, "multiAzEnabled": true})
	recorder.Expect(t, recorder.Must(t, list, "aws:elasticache/parameterGroup:ParameterGroup", "cache-parameters"), map[string]any{"family": "redis7", "parameters.0.value": "volatile-lru"})
}

func TestRedisCacheRefuses(t *testing.T) {
	for field, change := range map[string]func(*RedisCacheArgs){
		"VpcID":                   func(a *RedisCacheArgs) { a.VpcID = nil },
		"SubnetIDs":               func(a *RedisCacheArgs) { a.SubnetIDs = nil },
		"NodeType: got t4g":       func(a *RedisCacheArgs) { a.NodeType = "t4g" },
		"Nodes: got 7":            func(a *RedisCacheArgs) { a.Nodes = 7 },
		"EngineVersion: got 6.2":  func(a *RedisCacheArgs) { a.EngineVersion = "6.2" },
		"AuthToken: got nothing":  func(a *RedisCacheArgs) { a.AuthToken = nil },
		"AWS refuses (not shown)": func(a *RedisCacheArgs) { a.AuthToken = pulumi.String("short") },
		"KmsKeyArn":               func(a *RedisCacheArgs) { a.KmsKeyArn = nil },
		"LogKmsKeyArn":            func(a *RedisCacheArgs) { a.LogKmsKeyArn = nil },
		"LogRetentionDays":        func(a *RedisCacheArgs) { a.LogRetentionDays = 2 },
		"EvictionPolicy: got lru": func(a *RedisCacheArgs) { a.EvictionPolicy = "lru" },
		"MaintenanceWindow":       func(a *RedisCacheArgs) { a.MaintenanceWindow = "sunday" },
	} {
		t.Run(field, func(t *testing.T) {
			recorder.Refuses(t, field, func(ctx *pulumi.Context) error {
				_, err := NewRedisCache(ctx, "cache", redisArgs(change))
				return err
			})
		})
	}
}

func databaseArgs(engine Engine, change func(*AuroraOrRdsArgs)) *AuroraOrRdsArgs {
	args := &AuroraOrRdsArgs{
		Engine: engine, VpcID: pulumi.String("vpc-1"), SubnetIDs: pulumi.ToStringArray([]string{"subnet-a", "subnet-b"}), Region: testRegion, AccountID: pulumi.String(testAccount),
		KmsKeyArn: keyArn("database"), SecretKmsKeyArn: keyArn("secrets"), LogKmsKeyArn: keyArn("logs"), Tags: testTags,
	}
	if change != nil {
		change(args)
	}
	return args
}

func databases(t *testing.T, args ...*AuroraOrRdsArgs) []recorder.Resource {
	t.Helper()
	return register(t, func(ctx *pulumi.Context) error {
		for i, a := range args {
			if _, err := NewAuroraOrRds(ctx, fmt.Sprintf("db%d", i+1), a); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestRdsTwice(t *testing.T) {
	list := databases(t, databaseArgs(EngineRds, nil), databaseArgs(EngineRds, func(a *AuroraOrRdsArgs) {
		zero := 0
		a.Disposable, a.MultiZone, a.EngineVersion, a.MonitoringSeconds, a.RestoreFromSnapshot = true, true, "15.12", &zero, "snap"
	}))
	recorder.ExpectCounts(t, list, map[string]int{
		AuroraOrRdsType: 2, "aws:rds/instance:Instance": 2, "aws:rds/subnetGroup:SubnetGroup": 2, "aws:rds/parameterGroup:ParameterGroup": 2, "random:index/randomId:RandomId": 2,
		"aws:cloudwatch/logGroup:LogGroup": 4, "aws:ec2/securityGroup:SecurityGroup": 2, "aws:iam/role:Role": 1, "aws:iam/rolePolicyAttachment:RolePolicyAttachment": 1,
	})
	db := recorder.Must(t, list, "aws:rds/instance:Instance", "db1-instance")
	recorder.Expect(t, db, map[string]any{
		"engine": "postgres", "engineVersion": "15", "autoMinorVersionUpgrade": true, "instanceClass": "db.t4g.small", "storageEncrypted": true, "publiclyAccessible": false,
		"kmsKeyId": "arn:aws:kms:eu-central-1:123456789012:key/database", "masterUserSecretKmsKeyId": "arn:aws:kms:eu-central-1:123456789012:key/secrets",
		"manageMasterUserPassword": true, "password": nil, "iamDatabaseAuthenticationEnabled": true, "multiAz": false, "availabilityZone": nil,
		"backupRetentionPeriod": 30, "deletionProtection": true, "skipFinalSnapshot": false, "finalSnapshotIdentifier": "db1-deadbeef-final", "deleteAutomatedBackups": false,
		"copyTagsToSnapshot": true, "performanceInsightsEnabled": true, "enabledCloudwatchLogsExports.0": "postgresql", "monitoringInterval": 60, "monitoringRoleArn": "arn:aws:db1-monitoring",
		"allocatedStorage": 20, "maxAllocatedStorage": 100, "storageType": "gp3", "identifier": "db1-deadbeef", "snapshotIdentifier": nil, "vpcSecurityGroupIds.0": "db1-sg-id",
	})
	if !db.Protect || !slices.Contains(db.IgnoreChanges, "snapshotIdentifier") {
		t.Errorf("protected %v, ignores %v", db.Protect, db.IgnoreChanges)
	}
	other := recorder.Must(t, list, "aws:rds/instance:Instance", "db2-instance")
	recorder.Expect(t, other, map[string]any{
		"multiAz": true, "engineVersion": "15.12", "autoMinorVersionUpgrade": false, "deletionProtection": false, "skipFinalSnapshot": true, "monitoringInterval": 0, "monitoringRoleArn": nil, "snapshotIdentifier": "snap",
	})
	if other.Protect {
		t.Error("a disposable stack's database is protected")
	}
	logs := recorder.Must(t, list, "aws:cloudwatch/logGroup:LogGroup", "db1-logs-postgresql")
	recorder.Expect(t, logs, map[string]any{"name": "/aws/rds/instance/db1-deadbeef/postgresql", "retentionInDays": 30})
	if !slices.Contains(db.Dependencies, logs.URN()) {
		t.Error("the log group must be there before RDS makes one without encryption")
	}
	group := recorder.Must(t, list, "aws:rds/parameterGroup:ParameterGroup", "db1-postgres15")
	recorder.Expect(t, group, map[string]any{"family": "postgres15"})
	wantParameter(t, group, "rds.force_ssl", "1", "immediate")
	wantParameter(t, group, "shared_preload_libraries", "pg_stat_statements", "pending-reboot")
}

func wantParameter(t *testing.T, group recorder.Resource, name, value, apply string) {
	t.Helper()
	list, _ := group.Input("parameters").([]any)
	for _, p := range list {
		m := p.(map[string]any)
		if m["name"] == name {
			if m["value"] != value || m["applyMethod"] != apply {
				t.Errorf("%s: %v", group.Name, m)
			}
			return
		}
	}
	t.Errorf("%s: no parameter %s", group.Name, name)
}

func TestAuroraTwice(t *testing.T) {
	list := databases(t, databaseArgs(EngineAurora, nil), databaseArgs(EngineAurora, func(a *AuroraOrRdsArgs) {
		zero := 0.0
		a.Readers, a.MinACU, a.MaxACU, a.AutoPauseSeconds, a.Parameters = 2, &zero, 8, 600, map[string]string{"max_connections": "500"}
	}))
	recorder.ExpectCounts(t, list, map[string]int{
		AuroraOrRdsType: 2, "aws:rds/cluster:Cluster": 2, "aws:rds/clusterInstance:ClusterInstance": 4, "aws:rds/subnetGroup:SubnetGroup": 2, "aws:rds/parameterGroup:ParameterGroup": 2,
		"aws:rds/clusterParameterGroup:ClusterParameterGroup": 2, "random:index/randomId:RandomId": 2, "aws:cloudwatch/logGroup:LogGroup": 2, "aws:ec2/securityGroup:SecurityGroup": 2,
		"aws:iam/role:Role": 2, "aws:iam/rolePolicyAttachment:RolePolicyAttachment": 2,
	})
	cluster := recorder.Must(t, list, "aws:rds/cluster:Cluster", "db1-cluster")
	recorder.Expect(t, cluster, map[string]any{
		"engine": "aurora-postgresql", "availabilityZones": nil, "storageEncrypted": true, "manageMasterUserPassword": true, "masterPassword": nil, "iamDatabaseAuthenticationEnabled": true,
		"serverlessv2ScalingConfiguration.minCapacity": 0.5, "serverlessv2ScalingConfiguration.maxCapacity": 4, "serverlessv2ScalingConfiguration.secondsUntilAutoPause": nil,
		"backupRetentionPeriod": 30, "deletionProtection": true, "skipFinalSnapshot": false, "finalSnapshotIdentifier": "db1-deadbeef-final", "copyTagsToSnapshot": true, "clusterIdentifier": "db1-deadbeef",
	})
	if !cluster.Protect || !slices.Contains(cluster.IgnoreChanges, "snapshotIdentifier") {
		t.Errorf("protected %v, ignores %v", cluster.Protect, cluster.IgnoreChanges)
	}
	recorder.Expect(t, recorder.Must(t, list, "aws:rds/cluster:Cluster", "db2-cluster"), map[string]any{"serverlessv2ScalingConfiguration.minCapacity": 0, "serverlessv2ScalingConfiguration.secondsUntilAutoPause": 600})
	recorder.Expect(t, recorder.Must(t, list, "aws:rds/clusterInstance:ClusterInstance", "db2-instance-3"), map[string]any{
		"instanceClass": "db.serverless", "publiclyAccessible": false, "identifier": "db2-deadbeef-3", "performanceInsightsEnabled": true, "promotionTier": 2, "availabilityZone": nil,
	})
	parameters := recorder.Must(t, list, "aws:rds/clusterParameterGroup:ClusterParameterGroup", "db2-cluster-postgres15")
	wantParameter(t, parameters, "rds.force_ssl", "1", "immediate")
	wantParameter(t, parameters, "max_connections", "500", "pending-reboot")
}

// What is changed in the life of a database changes no input that would replace it.
func TestDatabaseChangesReplaceNothing(t *testing.T) {
	replacing := map[string][]string{
		"aws:rds/instance:Instance":               {"availabilityZone", "dbName", "engine", "kmsKeyId", "storageEncrypted", "username", "identifier"},
		"aws:rds/cluster:Cluster":                 {"availabilityZones", "clusterIdentifier", "databaseName", "dbSubnetGroupName", "engine", "engineMode", "kmsKeyId", "masterUsername", "storageEncrypted"},
		"aws:rds/clusterInstance:ClusterInstance": {"availabilityZone", "clusterIdentifier", "dbSubnetGroupName", "engine", "identifier"},
		"aws:rds/subnetGroup:SubnetGroup":         {"name"},
		"aws:cloudwatch/logGroup:LogGroup":        {"name"},
	}
	for name, c := range map[string]struct {
		engine Engine
		change func(*AuroraOrRdsArgs)
	}{
		"rds multi zone": {EngineRds, func(a *AuroraOrRdsArgs) { a.MultiZone = true }},
		"rds class":      {EngineRds, func(a *AuroraOrRdsArgs) { a.InstanceClass = "db.t4g.medium" }},
		"rds storage":    {EngineRds, func(a *AuroraOrRdsArgs) { a.MaxStorageGiB = 500 }},
		"rds retention":  {EngineRds, func(a *AuroraOrRdsArgs) { a.BackupRetentionDays, a.LogRetentionDays = 35, 90 }},
		"rds a zone": {EngineRds, func(a *AuroraOrRdsArgs) {
			a.SubnetIDs = pulumi.ToStringArray([]string{"subnet-a", "subnet-b", "subnet-c"})
		}},
		"rds pinned minor": {EngineRds, func(a *AuroraOrRdsArgs) { a.EngineVersion = "15.12" }},
		"aurora reader":    {EngineAurora, func(a *AuroraOrRdsArgs) { a.Readers = 2 }},
		"aurora capacity":  {EngineAurora, func(a *AuroraOrRdsArgs) { a.MaxACU = 16 }},
		"aurora a zone": {EngineAurora, func(a *AuroraOrRdsArgs) {
			a.SubnetIDs = pulumi.ToStringArray([]string{"subnet-a", "subnet-b", "subnet-c"})
		}},
		"aurora retention": {EngineAurora, func(a *AuroraOrRdsArgs) { a.BackupRetentionDays = 35 }},
	} {
		t.Run(name, func(t *testing.T) {
			before, after := databases(t, databaseArgs(c.engine, nil)), databases(t, databaseArgs(c.engine, c.change))
			for _, old := range before {
				now, err := recorder.Find(after, old.Type, old.Name)
				if err != nil {
					t.Error(err)
					continue
				}
				for _, p := range replacing[old.Type] {
					if fmt.Sprint(now.Input(p)) != fmt.Sprint(old.Input(p)) {
						t.Errorf("%s: %s goes from %v to %v", old.Name, p, old.Input(p), now.Input(p))
					}
				}
			}
		})
	}
}

func TestAuroraOrRdsRefuses(t *testing.T) {
	acu := func(v float64) *float64 { return &v }
	seconds := func(v int) *int { return &v }
	for field, c := range map[string]struct {
		engine Engine
		change func(*AuroraOrRdsArgs)
	}{
		"Engine: got mysql":                  {"mysql", nil},
		"EngineVersion: got 14":              {EngineRds, func(a *AuroraOrRdsArgs) { a.EngineVersion = "14" }},
		"EngineVersion: got 15.x":            {EngineRds, func(a *AuroraOrRdsArgs) { a.EngineVersion = "15.x" }},
		"Region: got x":                      {EngineRds, func(a *AuroraOrRdsArgs) { a.Region = "x" }},
		"AccountID":                          {EngineRds, func(a *AuroraOrRdsArgs) { a.AccountID = nil }},
		"VpcID":                              {EngineRds, func(a *AuroraOrRdsArgs) { a.VpcID = nil }},
		"SubnetIDs":                          {EngineRds, func(a *AuroraOrRdsArgs) { a.SubnetIDs = nil }},
		": KmsKeyArn":                        {EngineRds, func(a *AuroraOrRdsArgs) { a.KmsKeyArn = nil }},
		"SecretKmsKeyArn":                    {EngineRds, func(a *AuroraOrRdsArgs) { a.SecretKmsKeyArn = nil }},
		"LogKmsKeyArn":                       {EngineRds, func(a *AuroraOrRdsArgs) { a.LogKmsKeyArn = nil }},
		"DatabaseName: got a-b":              {EngineRds, func(a *AuroraOrRdsArgs) { a.DatabaseName = "a-b" }},
		"MasterUsername: got postgres":       {EngineRds, func(a *AuroraOrRdsArgs) { a.MasterUsername = "postgres" }},
		"BackupRetentionDays: got 36":        {EngineRds, func(a *AuroraOrRdsArgs) { a.BackupRetentionDays = 36 }},
		"BackupWindow: got 2-3":              {EngineRds, func(a *AuroraOrRdsArgs) { a.BackupWindow = "2-3" }},
		"MaintenanceWindow: got sunday":      {EngineRds, func(a *AuroraOrRdsArgs) { a.MaintenanceWindow = "sunday" }},
		"does not overlap BackupWindow":      {EngineRds, func(a *AuroraOrRdsArgs) { a.MaintenanceWindow = "wed:02:30-wed:03:30" }},
		"InsightsDays: got 30":               {EngineRds, func(a *AuroraOrRdsArgs) { a.InsightsDays = 30 }},
		"MonitoringSeconds: got 20":          {EngineRds, func(a *AuroraOrRdsArgs) { a.MonitoringSeconds = seconds(20) }},
		"LogRetentionDays: got 4":            {EngineRds, func(a *AuroraOrRdsArgs) { a.LogRetentionDays = 4 }},
		"TLS is always forced":               {EngineRds, func(a *AuroraOrRdsArgs) { a.Parameters = map[string]string{"rds.force_ssl": "0"} }},
		"InstanceClass: got t4g.small":       {EngineRds, func(a *AuroraOrRdsArgs) { a.InstanceClass = "t4g.small" }},
		"StorageGiB: got 10":                 {EngineRds, func(a *AuroraOrRdsArgs) { a.StorageGiB = 10 }},
		"MaxStorageGiB: got 100":             {EngineRds, func(a *AuroraOrRdsArgs) { a.StorageGiB, a.MaxStorageGiB = 95, 100 }},
		"none with engine rds":               {EngineRds, func(a *AuroraOrRdsArgs) { a.Readers = 1 }},
		"MinACU: got 0.7":                    {EngineAurora, func(a *AuroraOrRdsArgs) { a.MinACU = acu(0.7) }},
		"MinACU: got -1":                     {EngineAurora, func(a *AuroraOrRdsArgs) { a.MinACU = acu(-1) }},
		"not below MinACU (8)":               {EngineAurora, func(a *AuroraOrRdsArgs) { a.MinACU = acu(8) }},
		"Readers: got 16":                    {EngineAurora, func(a *AuroraOrRdsArgs) { a.Readers = 16 }},
		"none unless MinACU is 0":            {EngineAurora, func(a *AuroraOrRdsArgs) { a.AutoPauseSeconds = 300 }},
		"AutoPauseSeconds: got 60, want 300": {EngineAurora, func(a *AuroraOrRdsArgs) { a.MinACU, a.AutoPauseSeconds = acu(0), 60 }},
		"none with engine aurora":            {EngineAurora, func(a *AuroraOrRdsArgs) { a.MultiZone = true }},
	} {
		t.Run(field, func(t *testing.T) {
			recorder.Refuses(t, field, func(ctx *pulumi.Context) error {
				_, err := NewAuroraOrRds(ctx, "db", databaseArgs(c.engine, c.change))
				return err
			})
		})
	}
	recorder.Refuses(t, "name: got", func(ctx *pulumi.Context) error {
		_, err := NewAuroraOrRds(ctx, strings.Repeat("d", 41), databaseArgs(EngineRds, nil))
		return err
	})
}

func TestWindowsOverlap(t *testing.T) {
	for _, c := range []struct {
		daily, weekly string
		want          bool
	}{
		{"02:00-03:00", "sun:03:30-sun:04:30", false},
		{"02:00-03:00", "sun:03:00-sun:04:00", false},
		{"02:00-03:00", "sun:02:59-sun:04:00", true},
		{"02:00-03:00", "mon:01:00-mon:02:01", true},
		{"23:30-00:30", "mon:00:15-mon:01:00", true},
		{"23:30-00:30", "sun:23:00-sun:23:45", true},
		{"01:00-02:00", "sun:23:30-mon:00:30", false},
		{"00:00-01:00", "sun:23:30-mon:00:30", true},
	} {
		if got := windowsOverlap(c.daily, c.weekly); got != c.want {
			t.Errorf("%s and %s: got %v", c.daily, c.weekly, got)
		}
	}
}

func TestConnectStatement(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		db, err := NewAuroraOrRds(ctx, "db", databaseArgs(EngineRds, nil))
		if err != nil {
			return err
		}
		cluster, err := NewEcsCluster(ctx, "main", &EcsClusterArgs{Tags: testTags})
		if err != nil {
			return err
		}
		_, err = NewEcsService(ctx, "backend", serviceArgs(cluster, func(a *EcsServiceArgs) { a.TaskStatements = []Statement{db.ConnectStatement("backend")} }))
		return err
	})
	s := statement(t, policyOf(t, recorder.Must(t, list, "aws:iam/rolePolicy:RolePolicy", "backend-role-policy"), "policy"), "ConnectAsBackend")
	if fmt.Sprint(s.Resource) != "[arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-RES/backend]" || fmt.Sprint(s.Action) != "[rds-db:connect]" {
		t.Errorf("%+v", s)
	}
}
