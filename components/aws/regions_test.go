package aws

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	awsprovider "github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/recorder"
)

func member(change func(*GlobalMember)) *GlobalMember {
	m := &GlobalMember{MasterPassword: pulumi.String("CANARY-master-password"), MasterSecretArn: pulumi.String("arn:aws:secretsmanager:eu-central-1:123456789012:secret:master-AbCdEf").ToStringOutput(), MasterSecretKmsKeyArn: keyArn("shared")}
	if change != nil {
		change(m)
	}
	return m
}

func secondary(m *GlobalMember) {
	m.MasterPassword, m.Identifier, m.EngineVersion = nil, pulumi.String("world"), pulumi.String("15.8")
}

func TestGlobalDatabaseTwice(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		for i, disposable := range []bool{false, true} {
			name := fmt.Sprintf("db%d", i+1)
			source, err := NewAuroraOrRds(ctx, name, databaseArgs(EngineAurora, func(a *AuroraOrRdsArgs) { a.Global, a.Disposable = member(nil), disposable }))
			if err != nil {
				return err
			}
			global, err := NewGlobalDatabase(ctx, name+"-world", &GlobalDatabaseArgs{Source: source, Disposable: disposable, Tags: testTags})
			if err != nil {
				return err
			}
			if _, err := NewAuroraOrRds(ctx, name+"-far", databaseArgs(EngineAurora, func(a *AuroraOrRdsArgs) {
				a.Global = member(secondary)
				a.Global.Identifier = global.Identifier
			})); err != nil {
				return err
			}
		}
		return nil
	})
	recorder.ExpectCounts(t, list, map[string]int{
		GlobalDatabaseType: 2, "aws:rds/globalCluster:GlobalCluster": 2, AuroraOrRdsType: 4, "aws:rds/cluster:Cluster": 4, "aws:rds/clusterInstance:ClusterInstance": 4,
		"aws:rds/subnetGroup:SubnetGroup": 4, "aws:rds/parameterGroup:ParameterGroup": 4, "aws:rds/clusterParameterGroup:ClusterParameterGroup": 4, "random:index/randomId:RandomId": 4,
		"aws:cloudwatch/logGroup:LogGroup": 4, "aws:ec2/securityGroup:SecurityGroup": 4, "aws:iam/role:Role": 4, "aws:iam/rolePolicyAttachment:RolePolicyAttachment": 4,
	})
	global := recorder.Must(t, list, "aws:rds/globalCluster:GlobalCluster", "db1-world-global")
	recorder.Expect(t, global, map[string]any{
		"sourceDbClusterIdentifier": "arn:aws:db1-cluster", "deletionProtection": true, "forceDestroy": true, "engine": nil, "databaseName": nil, "storageEncrypted": nil,
		"globalClusterIdentifier": "db1-deadbeef-global",
	})
	for _, p := range []string{"databaseName", "sourceDbClusterIdentifier", "engineVersion", "storageEncrypted"} {
		if !slices.Contains(global.IgnoreChanges, p) {
			t.Errorf("what AWS says of %s would replace the global database", p)
		}
	}
	if !global.Protect || recorder.Must(t, list, "aws:rds/globalCluster:GlobalCluster", "db2-world-global").Protect {
		t.Error("the global database is protected, except in a disposable stack")
	}
	if !slices.Contains(global.Dependencies, recorder.Must(t, list, "aws:rds/clusterInstance:ClusterInstance", "db1-instance-1").URN()) {
		t.Error("the global database must wait for an instance to copy from")
	}
	source := recorder.Must(t, list, "aws:rds/cluster:Cluster", "db1-cluster")
	recorder.Expect(t, source, map[string]any{"manageMasterUserPassword": nil, "masterUsername": "morphee_admin", "globalClusterIdentifier": nil, "masterUserSecretKmsKeyId": nil})
	if !source.IsSecret("masterPassword") {
		t.Error("the master password is no secret")
	}
	far := recorder.Must(t, list, "aws:rds/cluster:Cluster", "db1-far-cluster")
	recorder.Expect(t, far, map[string]any{
		"manageMasterUserPassword": nil, "masterPassword": nil, "masterUsername": nil, "databaseName": nil, "globalClusterIdentifier": "db1-world-global-id",
		"storageEncrypted": true, "deletionProtection": true, "iamDatabaseAuthenticationEnabled": true, "backupRetentionPeriod": 30,
		"engineVersion": "15.8",
	})
	recorder.Expect(t, source, map[string]any{"engineVersion": "15"})
	if slices.Contains(source.IgnoreChanges, "engineVersion") || !slices.Contains(far.IgnoreChanges, "engineVersion") {
		t.Errorf("the version is decided for the source, which ignores %v, and read once for the others, which ignore %v", source.IgnoreChanges, far.IgnoreChanges)
	}
	for _, r := range []recorder.Resource{source, far} {
		if !r.Protect || !slices.Contains(r.IgnoreChanges, "globalClusterIdentifier") || !slices.Contains(r.IgnoreChanges, "replicationSourceIdentifier") {
			t.Errorf("%s: protected %v, ignores %v", r.Name, r.Protect, r.IgnoreChanges)
		}
	}
}

// The name to write to is known of every member, and stays when the writer moves.
func TestWriterOf(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		host := writerOf(pulumi.String("db.cluster-ro-abc.eu-west-1.rds.amazonaws.com").ToStringOutput())
		_, err := NewReplicaKey(ctx, "k", &ReplicaKeyArgs{PrimaryKeyArn: host, Purpose: KeySecrets, Region: testRegion, AccountID: pulumi.String(testAccount), Tags: testTags})
		return err
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:kms/replicaKey:ReplicaKey", "k-key"), map[string]any{"primaryKeyArn": "db.cluster-abc.eu-west-1.rds.amazonaws.com"})
}

func TestGlobalDatabaseRefuses(t *testing.T) {
	for want, change := range map[string]func(*AuroraOrRdsArgs){
		"none with engine rds": func(a *AuroraOrRdsArgs) { a.Engine, a.Global = EngineRds, member(nil) },
		"a password for the source, an identifier": func(a *AuroraOrRdsArgs) {
			a.Global = member(func(m *GlobalMember) { m.Identifier = pulumi.String("x") })
		},
		"Global.EngineVersion: got one of Identifier and EngineVersion": func(a *AuroraOrRdsArgs) {
			a.Global = member(func(m *GlobalMember) { secondary(m); m.EngineVersion = nil })
		},
		"both for a secondary cluster, which has to run": func(a *AuroraOrRdsArgs) {
			a.Global = member(func(m *GlobalMember) { m.EngineVersion = pulumi.String("15.8") })
		},
		"Global.MasterSecretArn":                                 func(a *AuroraOrRdsArgs) { a.Global = &GlobalMember{MasterPassword: pulumi.String("x")} },
		"none of its members may pause":                          func(a *AuroraOrRdsArgs) { zero := 0.0; a.Global, a.MinACU = member(nil), &zero },
		"none for a secondary cluster: it has the source's data": func(a *AuroraOrRdsArgs) { a.Global, a.RestoreFromSnapshot = member(secondary), "snap" },
	} {
		recorder.Refuses(t, want, func(ctx *pulumi.Context) error {
			_, err := NewAuroraOrRds(ctx, "db", databaseArgs(EngineAurora, change))
			return err
		})
	}
	for want, source := range map[string]*AuroraOrRds{
		"an Aurora cluster":           {Engine: EngineRds, args: &AuroraOrRdsArgs{Global: member(nil)}},
		"AWS manages no passwords in": {Engine: EngineAurora, args: &AuroraOrRdsArgs{}},
	} {
		recorder.Refuses(t, want, func(ctx *pulumi.Context) error {
			_, err := NewGlobalDatabase(ctx, "world", &GlobalDatabaseArgs{Source: source})
			return err
		})
	}
}

func TestReplicaKeyTwice(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		for i, disposable := range []bool{false, true} {
			if _, err := NewReplicaKey(ctx, fmt.Sprintf("shared%d", i+1), &ReplicaKeyArgs{
				PrimaryKeyArn: keyArn("mrk"), Purpose: KeySecrets, Region: "us-east-1", AccountID: pulumi.String(testAccount), Disposable: disposable, Tags: testTags,
			}); err != nil {
				return err
			}
		}
		return nil
	})
	recorder.ExpectCounts(t, list, map[string]int{ReplicaKeyType: 2, "aws:kms/replicaKey:ReplicaKey": 2, "aws:kms/alias:Alias": 2})
	key := recorder.Must(t, list, "aws:kms/replicaKey:ReplicaKey", "shared1-key")
	recorder.Expect(t, key, map[string]any{"deletionWindowInDays": 30, "tags.project": "morphee"})
	if !key.Protect || recorder.Must(t, list, "aws:kms/replicaKey:ReplicaKey", "shared2-key").Protect {
		t.Error("a replica key is protected, except in a disposable stack")
	}
	if text, _ := key.Input("policy").(string); !strings.Contains(text, "secretsmanager.us-east-1.amazonaws.com") || strings.Contains(text, testRegion) {
		t.Errorf("the replica's policy is not that of its region: %s", text)
	}
	recorder.Refuses(t, "PrimaryKeyArn", func(ctx *pulumi.Context) error {
		_, err := NewReplicaKey(ctx, "k", &ReplicaKeyArgs{Purpose: KeySecrets, Region: "us-east-1", AccountID: pulumi.String(testAccount)})
		return err
	})
	recorder.Refuses(t, "Purposes", func(ctx *pulumi.Context) error {
		_, err := NewReplicaKey(ctx, "k", &ReplicaKeyArgs{PrimaryKeyArn: keyArn("mrk"), Purpose: "fun", Region: "us-east-1", AccountID: pulumi.String(testAccount)})
		return err
	})
}

func efsReplica(source *awsprovider.Provider, change func(*EfsReplicaArgs)) *EfsReplicaArgs {
	args := &EfsReplicaArgs{
		SourceFileSystemID: pulumi.String("fs-0aaa0aaa"), SourceProvider: source, Region: "us-east-1", AccountID: pulumi.String(testAccount),
		VpcID: pulumi.String("vpc-1"), KmsKeyArn: keyArn("files"), Tags: testTags,
		Subnets: []ZoneSubnet{
			{Zone: "us-east-1a", Letter: "a", ID: pulumi.String("subnet-a").ToStringOutput()}, {Zone: "us-east-1b", Letter: "b", ID: pulumi.String("subnet-b").ToStringOutput()},
		},
		AccessPoints: map[string]EfsAccessPoint{"forgejo": {Path: "/forgejo"}, "files": {Path: "/files"}},
	}
	if change != nil {
		change(args)
	}
	return args
}

func TestEfsReplicaTwice(t *testing.T) {
	program := func(ctx *pulumi.Context) error {
		providers, err := NewProviders(ctx, "aws", &ProvidersArgs{Region: testRegion, AccountID: testAccount, Others: []string{"us-east-1"}})
		if err != nil {
			return err
		}
		args := efsReplica(providers.In(testRegion), nil)
		following, err := NewEfsReplica(ctx, "copy1", args)
		if err != nil {
			return err
		}
		promoted := *args
		promoted.FileSystemID, promoted.SourceFileSystemID, promoted.SourceProvider = "fs-0bbb0bbb", nil, nil
		if _, err := NewEfsReplica(ctx, "copy2", &promoted); err != nil {
			return err
		}
		v := following.Volume("data", "forgejo")
		if v.AccessPointID == nil || len(v.Ready) == 0 {
			t.Error("a copy can be mounted like any file system")
		}
		return nil
	}
	list, err := (&recorder.Recorder{Outputs: func(typ, name string, in resource.PropertyMap) resource.PropertyMap {
		if typ == "aws:efs/replicationConfiguration:ReplicationConfiguration" {
			d := in["destination"].ObjectValue().Copy()
			d["fileSystemId"] = resource.NewProperty("fs-0ccc0ccc")
			return resource.PropertyMap{"destination": resource.NewProperty(d)}
		}
		return recorder.Computed(typ, name, in)
	}, Calls: recorder.RunningAsAsked}).Run(program)
	if err != nil {
		t.Fatal(err)
	}
	recorder.ExpectCounts(t, list, map[string]int{
		EfsReplicaType: 2, "aws:efs/replicationConfiguration:ReplicationConfiguration": 1, "aws:efs/mountTarget:MountTarget": 4,
		"aws:efs/accessPoint:AccessPoint": 4, "aws:efs/fileSystemPolicy:FileSystemPolicy": 2, "aws:efs/backupPolicy:BackupPolicy": 2, "aws:ec2/securityGroup:SecurityGroup": 2,
		ProvidersType: 1, "pulumi:providers:aws": 3,
	})
	replication := recorder.Must(t, list, "aws:efs/replicationConfiguration:ReplicationConfiguration", "copy1-replication")
	recorder.Expect(t, replication, map[string]any{"sourceFileSystemId": "fs-0aaa0aaa", "destination.region": "us-east-1", "destination.fileSystemId": nil, "destination.kmsKeyId": "arn:aws:kms:eu-central-1:123456789012:key/files"})
	if !strings.Contains(replication.Provider, "aws-regional") {
		t.Errorf("a replication is made where the source is, not with %s", replication.Provider)
	}
	recorder.Expect(t, recorder.Must(t, list, "aws:efs/mountTarget:MountTarget", "copy1-mount-a"), map[string]any{"fileSystemId": "fs-0ccc0ccc", "subnetId": "subnet-a"})
	recorder.Expect(t, recorder.Must(t, list, "aws:efs/mountTarget:MountTarget", "copy2-mount-a"), map[string]any{"fileSystemId": "fs-0bbb0bbb"})
	policy := recorder.Must(t, list, "aws:efs/fileSystemPolicy:FileSystemPolicy", "copy1-policy")
	if text, _ := policy.Input("policy").(string); !strings.Contains(text, "arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/fs-0ccc0ccc") || !strings.Contains(text, "SecureTransport") {
		t.Errorf("the copy's policy: %s", text)
	}
}

func TestEfsReplicaRefuses(t *testing.T) {
	for want, change := range map[string]func(*EfsReplicaArgs){
		"Region: got x":                     func(a *EfsReplicaArgs) { a.Region = "x" },
		"AccountID":                         func(a *EfsReplicaArgs) { a.AccountID = nil },
		"FileSystemID: got vol-1":           func(a *EfsReplicaArgs) { a.FileSystemID = "vol-1" },
		"the file system to follow":         func(a *EfsReplicaArgs) { a.SourceFileSystemID = nil },
		"SourceFileSystemID and SourceProv": func(a *EfsReplicaArgs) { a.SourceProvider = nil },
		"KmsKeyArn":                         func(a *EfsReplicaArgs) { a.KmsKeyArn = nil },
		"2 or more zones":                   func(a *EfsReplicaArgs) { a.Subnets = a.Subnets[:1] },
	} {
		recorder.Refuses(t, want, func(ctx *pulumi.Context) error {
			args := efsReplica(&awsprovider.Provider{}, change)
			_, err := NewEfsReplica(ctx, "copy", args)
			return err
		})
	}
}

func TestRegistryReplicationTwice(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		for i, regions := range [][]string{{"us-east-1"}, {"us-east-1", "us-west-2"}} {
			if _, err := NewRegistryReplication(ctx, fmt.Sprintf("r%d", i+1), &RegistryReplicationArgs{AccountID: pulumi.String(testAccount), Namespace: "morphee-test", Regions: regions}); err != nil {
				return err
			}
		}
		return nil
	})
	recorder.ExpectCounts(t, list, map[string]int{RegistryReplicationType: 2, "aws:ecr/replicationConfiguration:ReplicationConfiguration": 2})
	recorder.Expect(t, recorder.Must(t, list, "aws:ecr/replicationConfiguration:ReplicationConfiguration", "r2-replication"), map[string]any{
		"replicationConfiguration.rules.0.destinations.0.region": "us-east-1", "replicationConfiguration.rules.0.destinations.1.region": "us-west-2",
		"replicationConfiguration.rules.0.destinations.0.registryId":  testAccount,
		"replicationConfiguration.rules.0.repositoryFilters.0.filter": "morphee-test/", "replicationConfiguration.rules.0.repositoryFilters.0.filterType": "PREFIX_MATCH",
	})
	for want, args := range map[string]RegistryReplicationArgs{
		"Regions: got 0":          {AccountID: pulumi.String(testAccount), Namespace: "n"},
		"Regions: got us-east-1":  {AccountID: pulumi.String(testAccount), Namespace: "n", Regions: []string{"us-east-1", "us-east-1"}},
		"Namespace: got N":        {AccountID: pulumi.String(testAccount), Namespace: "N", Regions: []string{"us-east-1"}},
		"AccountID: got nothing,": {Namespace: "n", Regions: []string{"us-east-1"}},
	} {
		recorder.Refuses(t, want, func(ctx *pulumi.Context) error {
			_, err := NewRegistryReplication(ctx, "r", &args)
			return err
		})
	}
}

func TestSecretsInOtherRegions(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		_, err := NewSecrets(ctx, "s", &SecretsArgs{
			KmsKeyArn: keyArn("secrets"), Tags: testTags, Secrets: map[string]SecretSpec{"a": {Description: "for a test", Value: pulumi.String("CANARY-value")}},
			Replicas: []SecretReplica{{Region: "us-east-1", KmsKeyArn: keyArn("us")}},
		})
		return err
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:secretsmanager/secret:Secret", "s-a"), map[string]any{
		"replicas.0.region": "us-east-1", "replicas.0.kmsKeyId": "arn:aws:kms:eu-central-1:123456789012:key/us", "forceOverwriteReplicaSecret": nil,
	})
	for want, replicas := range map[string][]SecretReplica{
		"each once":        {{Region: "us-east-1", KmsKeyArn: keyArn("us")}, {Region: "us-east-1", KmsKeyArn: keyArn("us")}},
		"Replicas: got x":  {{Region: "x", KmsKeyArn: keyArn("us")}},
		"customer KMS key": {{Region: "us-east-1"}},
	} {
		recorder.Refuses(t, want, func(ctx *pulumi.Context) error {
			_, err := NewSecrets(ctx, "s", &SecretsArgs{KmsKeyArn: keyArn("secrets"), Replicas: replicas, Secrets: map[string]SecretSpec{"a": {Description: "for a test"}}})
			return err
		})
	}
}

func TestSecretReplicaArn(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		arn := SecretReplicaArn(pulumi.String("arn:aws:secretsmanager:eu-west-1:123456789012:secret:eu-west-1-thing-AbCdEf"), "us-east-1")
		_, err := NewReplicaKey(ctx, "k", &ReplicaKeyArgs{PrimaryKeyArn: arn, Purpose: KeySecrets, Region: testRegion, AccountID: pulumi.String(testAccount), Tags: testTags})
		return err
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:kms/replicaKey:ReplicaKey", "k-key"), map[string]any{"primaryKeyArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:eu-west-1-thing-AbCdEf"})
}

// Further regions of one stack ask for the same proofs: they are made once.
func TestCertificateInASecondRegion(t *testing.T) {
	certificate := func(by *Certificate, domains ...string) *CertificateArgs {
		return &CertificateArgs{Domains: domains, CloudflareZoneID: pulumi.String("zone"), ProvedBy: by, Tags: testTags}
	}
	list := register(t, func(ctx *pulumi.Context) error {
		one, err := NewCertificate(ctx, "one", certificate(nil, "api.morphee.app", "git.morphee.app"))
		if err != nil {
			return err
		}
		_, err = NewCertificate(ctx, "two", certificate(one, "api.morphee.app", "git.morphee.app"))
		return err
	})
	recorder.ExpectCounts(t, list, map[string]int{CertificateType: 2, "aws:acm/certificate:Certificate": 2, "aws:acm/certificateValidation:CertificateValidation": 2, "cloudflare:index/record:Record": 2})
	recorder.Expect(t, recorder.Must(t, list, "aws:acm/certificateValidation:CertificateValidation", "two-issued"), map[string]any{
		"certificateArn": "arn:aws:two-certificate", "validationRecordFqdns.0": "proof.example", "validationRecordFqdns.1": "proof.example",
	})
	recorder.Refuses(t, "a certificate for other domains", func(ctx *pulumi.Context) error {
		_, err := NewCertificate(ctx, "two", certificate(&Certificate{domains: []string{"api.morphee.app"}}, "git.morphee.app"))
		return err
	})
}

func latencyDns(change func(*EdgeTarget)) *EdgeDnsArgs {
	balancer := func(region string) EdgeRegion {
		return EdgeRegion{Region: region, AliasName: pulumi.String(region + ".elb.amazonaws.com"), AliasZoneID: pulumi.String("Z" + region), CheckPath: "/health"}
	}
	target := EdgeTarget{Identifier: "aws", Weight: 100, Regions: []EdgeRegion{balancer("eu-west-1"), balancer("us-east-1")}}
	if change != nil {
		change(&target)
	}
	return &EdgeDnsArgs{ZoneID: pulumi.String("zone"), ZoneName: "morphee.app", SubZone: "aws.morphee.app", Tags: testTags,
		Names: []EdgeName{{Host: "api.morphee.app", Targets: []EdgeTarget{target}}}}
}

// The record of the name stays what it is in one region, and leads to records by latency.
func TestLatencyDns(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		_, err := NewEdgeDns(ctx, "dns", latencyDns(nil))
		return err
	})
	recorder.ExpectCounts(t, list, map[string]int{EdgeDnsType: 1, "aws:route53/zone:Zone": 1, "aws:route53/record:Record": 5, "aws:route53/healthCheck:HealthCheck": 2, "cloudflare:index/record:Record": 5})
	top := recorder.Must(t, list, "aws:route53/record:Record", "dns-api-aws-a")
	recorder.Expect(t, top, map[string]any{
		"name": "api.aws.morphee.app", "setIdentifier": "aws", "weightedRoutingPolicies.0.weight": 100, "aliases.0.name": "aws.api.aws.morphee.app", "latencyRoutingPolicies": nil,
	})
	near := recorder.Must(t, list, "aws:route53/record:Record", "dns-api-us-east-1-latency")
	recorder.Expect(t, near, map[string]any{
		"name": "aws.api.aws.morphee.app", "setIdentifier": "us-east-1", "latencyRoutingPolicies.0.region": "us-east-1", "aliases.0.name": "us-east-1.elb.amazonaws.com",
		"aliases.0.evaluateTargetHealth": false, "healthCheckId": "dns-api-us-east-1-check-id",
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:route53/healthCheck:HealthCheck", "dns-api-us-east-1-check"), map[string]any{"fqdn": "us-east-1.api.aws.morphee.app", "type": "HTTPS", "resourcePath": "/health", "enableSni": true})
	recorder.Expect(t, recorder.Must(t, list, "aws:route53/record:Record", "dns-api-us-east-1-own"), map[string]any{"name": "us-east-1.api.aws.morphee.app", "setIdentifier": nil, "aliases.0.zoneId": "Zus-east-1"})
	if !slices.Contains(top.Dependencies, recorder.Must(t, list, "aws:route53/record:Record", "dns-api-eu-west-1-latency").URN()) {
		t.Error("an alias is refused before what it leads to is there")
	}
	for want, change := range map[string]func(*EdgeTarget){
		"each once":              func(e *EdgeTarget) { e.Regions = append(e.Regions, e.Regions[0]) },
		"AliasZoneID":            func(e *EdgeTarget) { e.Regions[0].AliasZoneID = nil },
		"starting with /":        func(e *EdgeTarget) { e.Regions[0].CheckPath = "" },
		"Regions: got with":      func(e *EdgeTarget) { e.AliasName, e.AliasZoneID = pulumi.String("a"), pulumi.String("Z") },
		"an alias or an Address": func(e *EdgeTarget) { e.Address = pulumi.String("198.51.100.1") },
	} {
		recorder.Refuses(t, want, func(ctx *pulumi.Context) error {
			_, err := NewEdgeDns(ctx, "dns", latencyDns(change))
			return err
		})
	}
}

func TestProvidersOfRegions(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		p, err := NewProviders(ctx, "aws", &ProvidersArgs{Region: testRegion, AccountID: testAccount, Others: []string{"us-east-1", "us-west-2"}})
		if err != nil {
			return err
		}
		if p.In(testRegion) != p.Regional || p.In("us-west-2") == nil || p.In("us-east-1") == p.UsEast1 || p.In("ap-south-1") != nil {
			t.Error("a region has not the provider of its own")
		}
		return nil
	})
	recorder.ExpectCounts(t, list, map[string]int{ProvidersType: 1, "pulumi:providers:aws": 4})
	recorder.Expect(t, recorder.Must(t, list, "pulumi:providers:aws", "aws-region-us-west-2"), map[string]any{"region": "us-west-2"})
	for _, others := range [][]string{{testRegion}, {"us-east-1", "us-east-1"}, {"x"}} {
		recorder.Refuses(t, "Others", func(ctx *pulumi.Context) error {
			_, err := NewProviders(ctx, "aws", &ProvidersArgs{Region: testRegion, AccountID: testAccount, Others: others})
			return err
		})
	}
}

// A schedule that is paused keeps everything but its times.
func TestPausedSchedule(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		cluster, err := NewEcsCluster(ctx, "main", &EcsClusterArgs{Tags: testTags})
		if err != nil {
			return err
		}
		task := *serviceArgs(cluster, nil)
		task.LoadBalancers, task.DesiredCount, task.DiscoveryName, task.Scaling = nil, nil, "", nil
		for name, paused := range map[string]bool{"runs": false, "waits": true} {
			if _, err := NewScheduledTask(ctx, name, &ScheduledTaskArgs{Task: task, Cron: "15 3 * * ? *", Paused: paused}); err != nil {
				return err
			}
		}
		return nil
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:scheduler/schedule:Schedule", "waits-schedule"), map[string]any{"state": "DISABLED"})
	recorder.Expect(t, recorder.Must(t, list, "aws:scheduler/schedule:Schedule", "runs-schedule"), map[string]any{"state": nil})
}
