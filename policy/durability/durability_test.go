package durability

import (
	"slices"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/stateful"
	"github.com/morphee-app/morphee-infra/policy/rule"
	"github.com/morphee-app/morphee-infra/policy/ruletest"
)

const (
	pass = rule.Pass
	r2   = "cloudflare:index/r2Bucket:R2Bucket morphee-backups {\"name\":\"morphee-backups\"}\n"
	life = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2 life "
)

var phase1 = rule.Options{Stack: "prod", Config: map[string]string{"morphee:phase": "1"}}

func TestRules(t *testing.T) {
	db := `aws:rds/instance:Instance d {"engine":"postgres","deletionProtection":true,"skipFinalSnapshot":false,"deleteAutomatedBackups":false,"storageEncrypted":true,"kmsKeyId":"k","backupRetentionPeriod":30,"iamDatabaseAuthenticationEnabled":true,"enabledCloudwatchLogsExports":["postgresql"],"copyTagsToSnapshot":true,"allocatedStorage":20,"maxAllocatedStorage":100,"multiAz":true,"parameterGroupName":"id:pg"}
		aws:rds/parameterGroup:ParameterGroup pg {"parameters":[{"name":"rds.force_ssl","value":"1"}]}`
	cluster := `aws:rds/cluster:Cluster c {"engine":"aurora-postgresql","deletionProtection":true,"skipFinalSnapshot":false,"deleteAutomatedBackups":false,"storageEncrypted":true,"kmsKeyId":"k","backupRetentionPeriod":35,"iamDatabaseAuthenticationEnabled":true,"enabledCloudwatchLogsExports":["postgresql"],"copyTagsToSnapshot":true,"dbClusterParameterGroupName":"id:cpg","serverlessv2ScalingConfiguration":{"minCapacity":0,"secondsUntilAutoPause":300}}
		aws:rds/clusterParameterGroup:ClusterParameterGroup cpg {"parameters":[{"name":"rds.force_ssl","value":"1"}]}
		aws:rds/clusterInstance:ClusterInstance m1 {"clusterIdentifier":"id:c"}
		aws:rds/clusterInstance:ClusterInstance m2 {"clusterIdentifier":"id:c"}`
	cache := `aws:elasticache/replicationGroup:ReplicationGroup r {"atRestEncryptionEnabled":true,"transitEncryptionEnabled":true,"transitEncryptionMode":"required","kmsKeyId":"k","authToken":{"!secret":"x"},"snapshotRetentionLimit":0}`
	efs := `aws:efs/fileSystem:FileSystem f {"encrypted":true,"kmsKeyId":"k","throughputMode":"elastic"}
		aws:efs/backupPolicy:BackupPolicy bp {"fileSystemId":"id:f","backupPolicy":{"status":"ENABLED"}}
		aws:efs/fileSystemPolicy:FileSystemPolicy fp {"fileSystemId":"id:f","policy":"` + tlsOnly + `"}
		aws:efs/accessPoint:AccessPoint a {"posixUser":{"uid":1000},"rootDirectory":{"path":"/git","creationInfo":{"ownerUid":1000}}}`
	// The access point that shows everything is DataSync's, and no task's.
	sync := efs + `
		aws:efs/accessPoint:AccessPoint all {"rootDirectory":{"path":"/"}}
		aws:datasync/efsLocation:EfsLocation l {"inTransitEncryption":"TLS1_2","fileSystemAccessRoleArn":"arn:aws:iam::1:role/sync","accessPointArn":"arn:all"}
		aws:datasync/task:Task t {"cloudwatchLogGroupArn":"arn:logs","options":{"logLevel":"BASIC"}}`
	mounts := `aws:ecs/taskDefinition:TaskDefinition d {"volumes":[{"efsVolumeConfiguration":{"authorizationConfig":{"accessPointId":"id:all"}}}]}`
	hetzner := `hcloud:index/server:Server s {"deleteProtection":true,"rebuildProtection":true,"backups":true}
		hcloud:index/primaryIp:PrimaryIp ip {"deleteProtection":true,"autoDelete":false}`
	bucket := `aws:s3/bucketV2:BucketV2 b {"forceDestroy":false}
		aws:s3/bucketVersioningV2:BucketVersioningV2 v {"bucket":"id:b","versioningConfiguration":{"status":"Enabled"}}
		aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2 e {"bucket":"id:b"}
		aws:s3/bucketPolicy:BucketPolicy p {"bucket":"id:b","policy":"` + tlsOnly + `"}
		` + life + `{"bucket":"id:b","rules":[{"status":"Enabled","abortIncompleteMultipartUpload":{"daysAfterInitiation":7}},{"status":"Enabled","filter":{"prefix":"old/"},"expiration":{"days":30}}]}`
	old := `aws:s3/bucket:Bucket o {"versioning":{"enabled":true},"serverSideEncryptionConfiguration":{"rule":{}},"policy":"` + tlsOnly + `","lifecycleRules":[{"enabled":true,"abortIncompleteMultipartUploadDays":7}]}`
	backup := r2 + `docker:index/volume:Volume data {"name":"data"}
		` + life + `{"bucket":"morphee-backups","rules":[{"status":"Enabled","filter":{"prefix":"postgres/"},"expiration":{"days":30}},{"status":"Enabled","filter":{"prefix":"git/"},"expiration":{"days":14}}]}
		docker:index/container:Container backup {"name":"backup"}`
	plan := `aws:backup/vault:Vault v {"kmsKeyArn":"k"}
		aws:backup/vaultPolicy:VaultPolicy vp {"backupVaultName":"id:v","policy":"{\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":[\"backup:DeleteRecoveryPoint\"],\"Resource\":\"*\"}]}"}
		aws:backup/plan:Plan p {"rules":[{"lifecycle":{"deleteAfter":30}}]}
		aws:backup/selection:Selection s {"planId":"id:p","resources":["arn:d"]}
		` + db
	dbNoBackup := func(at string, bad any, absent rule.Answer, id string) ruletest.Case {
		return ruletest.Case{Rule: id, Form: "instance", World: db, At: "d " + at, Bad: bad, Absent: absent}
	}
	inCluster := func(at string, bad any, absent rule.Answer, id string) ruletest.Case {
		return ruletest.Case{Rule: id, Form: "cluster", World: cluster, At: "c " + at, Bad: bad, Absent: absent}
	}
	cases := []ruletest.Case{
		{Rule: "stateful-protected", World: `protected aws:kms/key:Key k {}`, At: "k protect"},
		{Rule: "stateful-protected", Form: "volume", World: "protected docker:index/volume:Volume v {\"name\":\"data\"}\ndocker:index/volume:Volume w {\"name\":\"app-secrets\"}", At: "v protect"},
		{Rule: "hetzner-delete-protection", World: hetzner, At: "s deleteProtection", Bad: false},
		{Rule: "hetzner-delete-protection", Form: "address", World: hetzner, At: "ip deleteProtection", Bad: false},
		{Rule: "hetzner-rebuild-protection", World: hetzner, At: "s rebuildProtection", Bad: false},
		{Rule: "hetzner-address-kept", World: hetzner, At: "ip autoDelete", Bad: true, Absent: pass},
		{Rule: "hetzner-backups", World: hetzner, At: "s backups", Bad: false},
		dbNoBackup("deletionProtection", false, "", "database-deletion-protection"), inCluster("deletionProtection", false, "", "database-deletion-protection"),
		dbNoBackup("skipFinalSnapshot", true, pass, "database-final-snapshot"), inCluster("deleteAutomatedBackups", true, "", "database-final-snapshot"),
		{Rule: "no-force-destroy", World: bucket, At: "b forceDestroy", Bad: true, Absent: pass},
		{Rule: "no-force-destroy", Form: "repository", World: `aws:ecr/repository:Repository r {"forceDelete":false}`, At: "r forceDelete", Bad: true, Absent: pass},
		{Rule: "secret-recovery-window", World: `aws:secretsmanager/secret:Secret s {"recoveryWindowInDays":30}`, At: "s recoveryWindowInDays", Bad: 0.0, Absent: pass},
		{Rule: "key-deletion-window", World: `aws:kms/key:Key k {"deletionWindowInDays":30}`, At: "k deletionWindowInDays", Bad: 7.0, Absent: pass},
		dbNoBackup("storageEncrypted", false, "", "database-encrypted"), inCluster("storageEncrypted", false, "", "database-encrypted"),
		dbNoBackup("kmsKeyId", "", "", "database-customer-key"), inCluster("kmsKeyId", "", "", "database-customer-key"),
		dbNoBackup("backupRetentionPeriod", 29.0, "", "database-backup-retention"), inCluster("backupRetentionPeriod", 7.0, "", "database-backup-retention"),
		dbNoBackup("iamDatabaseAuthenticationEnabled", false, "", "database-iam-auth"), inCluster("iamDatabaseAuthenticationEnabled", false, "", "database-iam-auth"),
		dbNoBackup("enabledCloudwatchLogsExports", []any{"upgrade"}, "", "database-logs"), inCluster("enabledCloudwatchLogsExports", []any{}, "", "database-logs"),
		{Rule: "database-ssl-forced", Form: "instance", World: db, At: "pg parameters.0.value", Bad: "0"},
		{Rule: "database-ssl-forced", Form: "cluster", World: cluster, At: "cpg parameters.0.value", Bad: "0"},
		{Rule: "database-ssl-forced", Form: "no group", World: db, At: "d parameterGroupName", Bad: "default.postgres15", Add: "aws:rds/instance:Instance d2 {\"engine\":\"postgres\",\"parameterGroupName\":\"default.postgres15\"}"},
		dbNoBackup("copyTagsToSnapshot", false, "", "database-copies-tags"), inCluster("copyTagsToSnapshot", false, "", "database-copies-tags"),
		{Rule: "database-multi-zone", Form: "instance", World: db, At: "d multiAz", Bad: false, Options: phase1},
		{Rule: "database-multi-zone", Form: "cluster", World: cluster, At: "m2 clusterIdentifier", Bad: "other", Options: phase1, Add: "aws:rds/cluster:Cluster c2 {}"},
		dbNoBackup("maxAllocatedStorage", 20.0, "", "database-storage-grows"),
		{Rule: "aurora-no-zones", World: cluster, At: "c availabilityZones", Bad: []any{"eu-west-1a"}, Absent: pass, Unknown: rule.Violation},
		{Rule: "aurora-pause-needs-zero", World: cluster, At: "c serverlessv2ScalingConfiguration.minCapacity", Bad: 0.5},
		{Rule: "cache-encrypted-at-rest", World: cache, At: "r atRestEncryptionEnabled", Bad: false},
		{Rule: "cache-customer-key", World: cache, At: "r kmsKeyId", Bad: ""},
		{Rule: "cache-encrypted-in-transit", World: cache, At: "r transitEncryptionEnabled", Bad: false},
		{Rule: "cache-encrypted-in-transit", Form: "mode", World: cache, At: "r transitEncryptionMode", Bad: "preferred", Absent: pass},
		{Rule: "cache-encrypted-in-transit", Form: "cluster", World: `aws:elasticache/cluster:Cluster c {"engine":"redis","transitEncryptionEnabled":true}`, At: "c transitEncryptionEnabled", Bad: false},
		{Rule: "cache-password", World: cache, At: "r authToken", Bad: nil},
		{Rule: "cache-snapshots-decided", World: cache, At: "r snapshotRetentionLimit", Bad: nil},
		{Rule: "cache-keeps-no-data", World: `aws:elasticache/parameterGroup:ParameterGroup p {"parameters":[{"name":"maxmemory-policy","value":"volatile-lru"}]}`, At: "p parameters.0.value", Bad: "noeviction"},
		{Rule: "efs-encrypted", World: efs, At: "f encrypted", Bad: false},
		{Rule: "efs-customer-key", World: efs, At: "f kmsKeyId", Bad: ""},
		{Rule: "efs-access-point-root", World: efs, At: "a rootDirectory.path", Bad: "/"},
		{Rule: "efs-access-point-user", World: efs, At: "a posixUser.uid", Bad: 0.0},
		{Rule: "efs-access-point-user", Form: "folder", World: efs, At: "a rootDirectory.creationInfo.ownerUid", Bad: 0.0},
		{Rule: "efs-access-point-root", Form: "not DataSync's", World: sync, At: "l accessPointArn", Bad: "arn:other", BadSecret: pass},
		{Rule: "efs-access-point-root", Form: "mounted", World: sync, At: "l", Add: mounts},
		{Rule: "efs-access-point-user", Form: "not DataSync's", World: sync, At: "l accessPointArn", Bad: "arn:other", BadSecret: pass},
		{Rule: "efs-access-point-user", Form: "mounted", World: sync, At: "l", Add: mounts},
		{Rule: "datasync-in-transit", World: sync, At: "l inTransitEncryption", Bad: "NONE"},
		{Rule: "datasync-in-transit", Form: "role", World: sync, At: "l fileSystemAccessRoleArn", Bad: ""},
		{Rule: "datasync-in-transit", Form: "access point", World: sync, At: "l accessPointArn", Bad: ""},
		{Rule: "datasync-logged", World: sync, At: "t cloudwatchLogGroupArn", Bad: ""},
		{Rule: "datasync-logged", Form: "level", World: sync, At: "t options.logLevel", Bad: "OFF"},
		{Rule: "efs-backup-policy", World: efs, At: "bp backupPolicy.status", Bad: "DISABLED"},
		{Rule: "efs-backup-policy", Form: "missing", World: efs, At: "bp"},
		{Rule: "efs-policy", World: efs, At: "fp policy|Statement.0.Effect", Bad: "Allow"},
		{Rule: "efs-policy", Form: "missing", World: efs, At: "fp"},
		{Rule: "efs-elastic-throughput", World: efs, At: "f throughputMode", Bad: "bursting"},
		{Rule: "s3-versioning", Form: "separate", World: bucket, At: "v versioningConfiguration.status", Bad: "Suspended"},
		{Rule: "s3-versioning", Form: "inline", World: old, At: "o versioning.enabled", Bad: false, Unknown: rule.Violation},
		{Rule: "s3-versioning", Form: "expiring", World: `aws:s3/bucketV2:BucketV2 b {}
			` + life + `{"bucket":"id:b","rules":[{"status":"Enabled","filter":{"prefix":""},"expiration":{"days":90}}]}`, At: "life rules.0.filter.prefix", Bad: "logs/", Absent: pass, Unknown: pass},
		{Rule: "s3-lifecycle", Form: "separate", World: bucket, At: "life rules.0.status", Bad: "Disabled", Unknown: rule.Violation},
		{Rule: "s3-lifecycle", Form: "inline", World: old, At: "o lifecycleRules.0.enabled", Bad: false, Unknown: rule.Violation},
		{Rule: "s3-lifecycle", Form: "missing", World: bucket, At: "life"},
		{Rule: "s3-encrypted", Form: "separate", World: bucket, At: "e"},
		{Rule: "s3-encrypted", Form: "inline", World: old, At: "o serverSideEncryptionConfiguration", Bad: nil, Unknown: rule.Violation},
		{Rule: "s3-tls-only", Form: "separate", World: bucket, At: "p policy|Statement.0.Condition.Bool.aws:SecureTransport", Bad: "true"},
		{Rule: "s3-tls-only", Form: "inline", World: old, At: "o policy|Statement.0.Effect", Bad: "Allow", Unknown: rule.Violation},
		{Rule: "s3-tls-only", Form: "missing", World: bucket, At: "p"},
		{Rule: "backup-retention", World: backup, At: "life rules.0.expiration.days", Bad: 29.0, Options: phase1},
		{Rule: "backup-retention", Form: "git", World: backup, At: "life rules.1.expiration.days", Bad: 13.0, Options: phase1},
		{Rule: "backup-job", World: backup, At: "backup", Options: phase1},
		{Rule: "backup-plan", World: plan, At: "p rules.0.lifecycle.deleteAfter", Bad: 14.0, Absent: pass},
		{Rule: "backup-plan", Form: "not selected", World: plan, At: "s"},
		{Rule: "backup-vault-key", World: plan, At: "v kmsKeyArn", Bad: ""},
		{Rule: "backup-vault-locked", Form: "policy", World: plan, At: "vp policy|Statement.0.Action", Bad: []any{"backup:ListTags"}},
		{Rule: "backup-vault-locked", Form: "lock", World: "aws:backup/vault:Vault v {}\naws:backup/vaultLockConfiguration:VaultLockConfiguration l {\"backupVaultName\":\"id:v\"}", At: "l"},
		{Rule: "backup-key-narrow", World: `cloudflare:index/apiToken:ApiToken uploader {"policies":[{"resources":{"com.cloudflare.edge.r2.bucket.x":"*"}}]}`,
			At: "uploader policies.0.resources", Bad: map[string]any{"com.cloudflare.api.account.x": "*"}, Absent: pass},
		{Rule: "backup-bucket", World: backup, At: "morphee-backups", Options: phase1},
	}
	ruletest.Run(t, Pack, cases)
}

const tlsOnly = `{\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"Bool\":{\"aws:SecureTransport\":\"false\"}}}]}`

// TestSteps: what an update may not do to what holds data.
func TestSteps(t *testing.T) {
	step := func(op, token, name string) rule.Step {
		return rule.Step{URN: "urn:pulumi:prod::morphee::" + token + "::" + name, Type: token, Name: name, Op: op, Replaces: []string{"kmsKeyId"}}
	}
	for name, c := range map[string]struct {
		step    rule.Step
		options rule.Options
		want    int
	}{
		"replaced":                 {step("replace", "aws:efs/fileSystem:FileSystem", "files"), rule.Options{}, 1},
		"deleted":                  {step("delete", "docker:index/volume:Volume", "data"), rule.Options{}, 1},
		"updated":                  {step("update", "aws:rds/instance:Instance", "db"), rule.Options{}, 0},
		"created":                  {step("create", "aws:rds/instance:Instance", "db"), rule.Options{}, 0},
		"stateless":                {step("replace", "aws:ecs/taskDefinition:TaskDefinition", "task"), rule.Options{}, 0},
		"written again at need":    {step("replace", "docker:index/volume:Volume", "app-service-secrets"), rule.Options{}, 0},
		"a throw-away stack":       {step("delete", "aws:rds/instance:Instance", "db"), rule.Options{Config: map[string]string{"morphee:disposable": "true"}}, 0},
		"retired by exception":     {step("delete", "aws:rds/instance:Instance", "db"), rule.Options{Exceptions: []rule.Exception{{Rule: "stateful-not-replaced", Resource: "db", Reason: "retired after the move"}}}, 0},
		"of a region that retires": {step("delete", "aws:rds/instance:Instance", "aws-usw2-db"), region("retiring"), 1},
		"of a retired region":      {step("delete", "aws:rds/instance:Instance", "aws-usw2-db"), region("retired"), 0},
		"of another region":        {step("delete", "aws:rds/instance:Instance", "aws-use1-db"), region("retired"), 1},
		"replaced, though retired": {step("replace", "aws:rds/instance:Instance", "aws-usw2-db"), region("retired"), 1},
		"confirmed and retired":    {step("delete", "docker:index/volume:Volume", "postgres-data"), server("retired"), 0},
		"confirmed, not retired":   {step("delete", "docker:index/volume:Volume", "postgres-data"), server("retiring"), 1},
		"not confirmed":            {step("delete", "docker:index/volume:Volume", "backend-data"), server("retired"), 1},
		"another is the excepted":  {step("delete", "aws:rds/instance:Instance", "db"), rule.Options{Exceptions: []rule.Exception{{Rule: "stateful-not-replaced", Resource: "other", Reason: "retired after the move"}}}, 1},
	} {
		report, err := rule.CheckSteps([]rule.Pack{Pack}, []rule.Step{c.step}, c.options)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(report.Violations); got != c.want {
			t.Errorf("%s: got %d violations, want %d", name, got, c.want)
		}
		if c.want == 1 && c.step.Op == "replace" && !strings.Contains(report.Violations[0].Message, "kmsKeyId") {
			t.Errorf("%s: the message does not name the property: %s", name, report.Violations[0].Message)
		}
	}
}

func region(state string) rule.Options {
	return rule.Options{Config: map[string]string{"morphee:aws": `{"regions":[{"name":"us-west-2","index":1,"state":"` + state + `"}]}`}}
}

func server(state string) rule.Options {
	return rule.Options{Config: map[string]string{"morphee:migration": `{"from":1,"retire":{"state":"` + state + `","confirm":["postgres"]}}`}}
}

// What is retired is listed when it is deleted, with the place in the configuration that says so.
func TestRetiredIsListed(t *testing.T) {
	steps := []rule.Step{{URN: "urn:pulumi:s::p::aws:rds/instance:Instance::aws-usw2-db", Type: "aws:rds/instance:Instance", Name: "aws-usw2-db", Op: "delete"}}
	report, err := rule.CheckSteps([]rule.Pack{Pack}, steps, region("retired"))
	if err != nil || len(report.Excepted) != 1 || report.Excepted[0].Exception.Reason != "retired: morphee:aws.regions, us-west-2" {
		t.Errorf("%v: %+v", err, report)
	}
}

// What is given up needs neither protection nor backups; the rest of the stack still does.
func TestGivenUp(t *testing.T) {
	list := func(name string) []*rule.Resource {
		urn := func(typ, name string) string { return "urn:pulumi:s::p::" + typ + "::" + name }
		return []*rule.Resource{
			{URN: urn(tInstance, name), Type: tInstance, Name: name, Inputs: map[string]any{"skipFinalSnapshot": true, "storageEncrypted": true}},
			{URN: urn(tVault, name+"-vault"), Type: tVault, Name: name + "-vault", Inputs: map[string]any{"forceDestroy": true}},
		}
	}
	rules := []string{"stateful-protected", "database-deletion-protection", "database-final-snapshot", "database-backup-retention", "no-force-destroy", "backup-plan", "backup-vault-locked"}
	for _, state := range []string{"active", "retiring", "retired"} {
		for _, name := range []string{"aws-usw2-db", "aws-use1-db"} {
			report, err := rule.Evaluate([]rule.Pack{Pack}, list(name), region(state))
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range rules {
				found := slices.ContainsFunc(report.Violations, func(f rule.Finding) bool { return f.Rule == id })
				if want := state == "active" || name == "aws-use1-db"; found != want {
					t.Errorf("%s, %s: violation of %s: %v", state, name, id, found)
				}
			}
		}
	}
}

// TestDisposable: a throw-away stack need not protect anything.
func TestDisposable(t *testing.T) {
	list := []*rule.Resource{{URN: "urn:pulumi:a::b::aws:rds/instance:Instance::d", Type: "aws:rds/instance:Instance", Name: "d", Inputs: map[string]any{"skipFinalSnapshot": true}}}
	for _, disposable := range []string{"true", "false"} {
		report, err := rule.Evaluate([]rule.Pack{Pack}, list, rule.Options{Config: map[string]string{"morphee:disposable": disposable}})
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range report.Violations {
			found = found || f.Rule == "stateful-protected" || f.Rule == "database-final-snapshot"
		}
		if found != (disposable == "false") {
			t.Errorf("disposable %s: a violation of the protection: %v", disposable, found)
		}
	}
}

func TestStatefulTypes(t *testing.T) {
	if n := len(stateful.Types()); n < 20 {
		t.Errorf("got %d stateful types", n)
	}
	for token, want := range map[string]bool{"aws:rds/instance:Instance": true, "docker:index/volume:Volume": true, "aws:elasticache/replicationGroup:ReplicationGroup": false, "docker:index/container:Container": false} {
		if stateful.Is(token) != want {
			t.Errorf("%s: got stateful %v", token, !want)
		}
	}
	if stateful.Resource("aws:rds/instance:Instance", map[string]any{"replicateSourceDb": "x"}) {
		t.Error("a read replica counts as stateful")
	}
}
