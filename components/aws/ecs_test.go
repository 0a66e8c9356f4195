package aws

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/recorder"
)

func serviceArgs(cluster *EcsCluster, change func(*EcsServiceArgs)) *EcsServiceArgs {
	args := &EcsServiceArgs{
		Cluster: cluster, Region: testRegion, AccountID: pulumi.String(testAccount), VpcID: pulumi.String("vpc-1"), SubnetIDs: pulumi.ToStringArray([]string{"subnet-a", "subnet-b"}),
		CPUUnits: 512, MemoryMiB: 1024, LogKmsKeyArn: keyArn("logs"), Tags: testTags,
		Containers: []Container{{Name: "app", Image: pulumi.String("ghcr.io/morphee-app/backend:1.2.3"), User: "1000:1000", Ports: []int{8000}}},
	}
	if change != nil {
		change(args)
	}
	return args
}

// service registers a cluster and one service in it.
func service(ctx *pulumi.Context, name string, change func(*EcsServiceArgs)) (*EcsService, error) {
	cluster, err := NewEcsCluster(ctx, name+"-cluster", &EcsClusterArgs{
		VpcID: pulumi.String("vpc-1"), Namespace: "morphee.internal", ExecLogs: true, LogKmsKeyArn: keyArn("logs"), Tags: testTags,
	})
	if err != nil {
		return nil, err
	}
	return NewEcsService(ctx, name, serviceArgs(cluster, change))
}

func services(t *testing.T, changes ...func(*EcsServiceArgs)) []recorder.Resource {
	t.Helper()
	return register(t, func(ctx *pulumi.Context) error {
		for i, change := range changes {
			if _, err := service(ctx, fmt.Sprintf("svc%d", i+1), change); err != nil {
				return err
			}
		}
		return nil
	})
}

func containersOf(t *testing.T, list []recorder.Resource, task string) map[string]map[string]any {
	t.Helper()
	var all []map[string]any
	text, _ := recorder.Must(t, list, "aws:ecs/taskDefinition:TaskDefinition", task).Input("containerDefinitions").(string)
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]any{}
	for _, c := range all {
		out[c["name"].(string)] = c
	}
	return out
}

func TestEcsServiceTwice(t *testing.T) {
	list := services(t, nil, nil)
	recorder.ExpectCounts(t, list, map[string]int{
		EcsClusterType: 2, EcsServiceType: 2, "aws:ecs/cluster:Cluster": 2, "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": 2, "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": 2,
		"aws:ecs/service:Service": 2, "aws:ecs/taskDefinition:TaskDefinition": 2, "aws:cloudwatch/logGroup:LogGroup": 4, "aws:iam/role:Role": 4, "aws:iam/rolePolicy:RolePolicy": 2,
		"aws:ec2/securityGroup:SecurityGroup": 2, "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": 2,
	})
	wantSeparateRules(t, list)
	recorder.Expect(t, recorder.Must(t, list, "aws:ecs/cluster:Cluster", "svc1-cluster-cluster"), map[string]any{
		"settings.0.name": "containerInsights", "settings.0.value": "enabled", "configuration.executeCommandConfiguration.logging": "OVERRIDE",
		"configuration.executeCommandConfiguration.logConfiguration.cloudWatchEncryptionEnabled": true,
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:ecs/service:Service", "svc1-service"), map[string]any{
		"desiredCount": 1, "deploymentMinimumHealthyPercent": 100, "deploymentMaximumPercent": 200, "deploymentCircuitBreaker.enable": true, "deploymentCircuitBreaker.rollback": true,
		"waitForSteadyState": true, "enableExecuteCommand": false, "networkConfiguration.assignPublicIp": false, "networkConfiguration.subnets.0": "subnet-a",
		"networkConfiguration.securityGroups.0": "svc1-sg-id", "capacityProviderStrategies.0.capacityProvider": "FARGATE", "capacityProviderStrategies.1": nil, "launchType": nil,
		"forceNewDeployment": true, "platformVersion": "LATEST", "propagateTags": "SERVICE", "healthCheckGracePeriodSeconds": nil, "availabilityZoneRebalancing": "ENABLED",
		"taskDefinition": "arn:aws:svc1-task",
	})
	task := recorder.Must(t, list, "aws:ecs/taskDefinition:TaskDefinition", "svc1-task")
	recorder.Expect(t, task, map[string]any{
		"family": "morphee-test-svc1", "cpu": "512", "memory": "1024", "networkMode": "awsvpc", "requiresCompatibilities.0": "FARGATE",
		"runtimePlatform.cpuArchitecture": "ARM64", "runtimePlatform.operatingSystemFamily": "LINUX",
		"executionRoleArn": "arn:aws:svc1-execution", "taskRoleArn": "arn:aws:svc1-role", "ephemeralStorage": nil,
	})
	want := `[{"cpu":0,"dependsOn":[],"environment":[],"essential":true,"image":"ghcr.io/morphee-app/backend:1.2.3",` +
		`"linuxParameters":{"capabilities":{"add":[],"drop":["ALL"]},"initProcessEnabled":true},` +
		`"logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"svc1-logs-1234567","awslogs-region":"eu-central-1","awslogs-stream-prefix":"app","max-buffer-size":"25m","mode":"non-blocking"}},` +
		`"mountPoints":[],"name":"app","portMappings":[{"containerPort":8000,"hostPort":8000,"protocol":"tcp"}],"privileged":false,"readonlyRootFilesystem":true,"secrets":[],"stopTimeout":30,"systemControls":[],"user":"1000:1000","volumesFrom":[]}]`
	if got := task.Input("containerDefinitions"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	recorder.Expect(t, recorder.Must(t, list, "aws:cloudwatch/logGroup:LogGroup", "svc1-logs"), map[string]any{"retentionInDays": 30, "kmsKeyId": "arn:aws:kms:eu-central-1:123456789012:key/logs"})
	recorder.Expect(t, recorder.Must(t, list, "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "svc1-sg-internet-443"), map[string]any{"cidrIpv4": "0.0.0.0/0", "fromPort": 443, "toPort": 443})
	if got := publicSources(list); len(got) != 0 {
		t.Errorf("open to everyone: %v", got)
	}
	execution := policyOf(t, recorder.Must(t, list, "aws:iam/rolePolicy:RolePolicy", "svc1-execution-policy"), "policy")
	if len(execution) != 1 || fmt.Sprint(statement(t, execution, "WriteLogs").Resource) != "[arn:aws:svc1-logs:*]" {
		t.Errorf("execution role: %+v", execution)
	}
}

// full is a service with everything.
func full(ctx *pulumi.Context, a *EcsServiceArgs) error {
	alb, err := NewPublicAlb(ctx, "web", albArgs(func(b *PublicAlbArgs) { b.Ssh = &SshNlb{TargetPort: 2222} }))
	if err != nil {
		return err
	}
	store, err := NewEfsRepoStore(ctx, "repos", efsArgs(nil))
	if err != nil {
		return err
	}
	db, err := NewAuroraOrRds(ctx, "db", databaseArgs(EngineRds, nil))
	if err != nil {
		return err
	}
	bootstrap, err := DatabaseBootstrap(DatabaseBootstrapArgs{Database: db, Image: pulumi.String("postgres:15.12"), Name: "forgejo", Role: "forgejo", PasswordArn: pulumi.String("arn:secret:db"), PasswordKmsKeyArn: keyArn("secrets")})
	if err != nil {
		return err
	}
	a.Containers = []Container{bootstrap, {
		Name: "git", Image: pulumi.String("forgejo:13-rootless"), User: "1000:1000", Ports: []int{3000, 2222}, After: []string{"side"},
		Environment: map[string]pulumi.StringInput{"B": pulumi.String("2"), "A": pulumi.String("1"), "PASSWD__FILE": pulumi.String("/run/x")},
		Secrets:     map[string]SecretRef{"REDIS_PASSWORD": {Arn: pulumi.String("arn:secret:redis")}},
		Mounts:      []Mount{{Volume: "data", Path: "/var/lib/gitea"}}, Scratch: []string{"/tmp", "/run/app"},
	}, {
		Name: "side", Image: pulumi.String("side@sha256:abc"), User: "1000:1000", Optional: true, Health: &ContainerHealth{Command: []string{"CMD", "true"}},
	}}
	a.SingleWriter, a.Exec, a.DiscoveryName = true, true, "forgejo"
	a.LoadBalancers = []ServiceLoadBalancer{{Target: alb.Targets["git"], Container: "git"}, {Target: alb.Ssh, Container: "git"}}
	a.Volumes, a.Connections = []EfsVolume{store.Volume("data", "forgejo")}, []Connection{store.Connection(), db.Connection()}
	a.RepositoryArns, a.SecretKmsKeyArns = []pulumi.StringInput{pulumi.String("arn:ecr:forgejo")}, []pulumi.StringInput{keyArn("secrets")}
	a.InternetPorts, a.S3PrefixListID = []int{}, pulumi.String("pl-1")
	return nil
}

func registerFull(t *testing.T) []recorder.Resource {
	t.Helper()
	return register(t, func(ctx *pulumi.Context) error {
		var failed error
		_, err := service(ctx, "forgejo", func(a *EcsServiceArgs) { failed = full(ctx, a) })
		if failed != nil {
			return failed
		}
		return err
	})
}

func TestEcsServiceContainers(t *testing.T) {
	list := registerFull(t)
	containers := containersOf(t, list, "forgejo-task")
	if len(containers) != 4 {
		t.Fatalf("%d containers, want the bootstrap, the one for scratch directories, git and its sidecar", len(containers))
	}
	for name, c := range containers {
		if c["readonlyRootFilesystem"] != true || c["privileged"] != false {
			t.Errorf("%s: read-only root %v, privileged %v", name, c["readonlyRootFilesystem"], c["privileged"])
		}
		if root := strings.HasPrefix(c["user"].(string), "0:"); root != (name == "git-scratch") {
			t.Errorf("%s runs as %v", name, c["user"])
		}
	}
	for path, want := range map[string]string{
		"database-forgejo essential": "false", "git-scratch essential": "false", "side essential": "false", "git essential": "true",
		"database-forgejo dependsOn": "[]",
		"git-scratch dependsOn":      "[map[condition:SUCCESS containerName:database-forgejo]]",
		"git dependsOn":              "[map[condition:SUCCESS containerName:database-forgejo] map[condition:SUCCESS containerName:git-scratch] map[condition:HEALTHY containerName:side]]",
		"git environment":            "[map[name:A value:1] map[name:B value:2] map[name:PASSWD__FILE value:/run/x]]",
		"git secrets":                "[map[name:REDIS_PASSWORD valueFrom:arn:secret:redis]]",
		"git portMappings":           "[map[containerPort:2222 hostPort:2222 protocol:tcp] map[containerPort:3000 hostPort:3000 protocol:tcp]]",
		"git mountPoints":            "[map[containerPath:/var/lib/gitea readOnly:false sourceVolume:data] map[containerPath:/tmp readOnly:false sourceVolume:git-scratch-0] map[containerPath:/run/app readOnly:false sourceVolume:git-scratch-1]]",
		"git-scratch entryPoint":     "[chmod]", "git-scratch command": "[1777 /tmp /run/app]",
		"side healthCheck":         "map[command:[CMD true] interval:30 retries:3 startPeriod:0 timeout:5]",
		"database-forgejo secrets": "[map[name:PGPASSWORD valueFrom:arn:aws:secretsmanager:master:password::] map[name:PGUSER valueFrom:arn:aws:secretsmanager:master:username::] map[name:ROLE_PASSWORD valueFrom:arn:secret:db]]",
	} {
		container, key, _ := strings.Cut(path, " ")
		if got := fmt.Sprint(containers[container][key]); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	recorder.Expect(t, recorder.Must(t, list, "aws:ecs/taskDefinition:TaskDefinition", "forgejo-task"), map[string]any{
		"volumes.0.name": "data", "volumes.0.efsVolumeConfiguration.transitEncryption": "ENABLED", "volumes.0.efsVolumeConfiguration.fileSystemId": "repos-files-id",
		"volumes.0.efsVolumeConfiguration.authorizationConfig.iam": "ENABLED", "volumes.0.efsVolumeConfiguration.authorizationConfig.accessPointId": "repos-access-forgejo-id",
		"volumes.1.name": "git-scratch-0", "volumes.2.name": "git-scratch-1", "volumes.3": nil,
	})
}

func TestEcsServiceRolesAreLeast(t *testing.T) {
	list := registerFull(t)
	execution := policyOf(t, recorder.Must(t, list, "aws:iam/rolePolicy:RolePolicy", "forgejo-execution-policy"), "policy")
	for sid, want := range map[string]string{
		"WriteLogs": "[arn:aws:forgejo-logs:*]",
		"LogInToRegistryBecauseGetAuthorizationTokenHasNoResourceLevel": "[*]",
		"PullImages":     "[arn:ecr:forgejo]",
		"ReadSecrets":    "[arn:aws:secretsmanager:master arn:secret:db arn:secret:redis]",
		"DecryptSecrets": "[arn:aws:kms:eu-central-1:123456789012:key/secrets]",
	} {
		if got := fmt.Sprint(statement(t, execution, sid).Resource); got != want {
			t.Errorf("%s: %s, want %s", sid, got, want)
		}
	}
	if got := fmt.Sprint(statement(t, execution, "DecryptSecrets").Condition); got != "map[StringEquals:map[kms:ViaService:[secretsmanager.eu-central-1.amazonaws.com]]]" {
		t.Error(got)
	}
	task := policyOf(t, recorder.Must(t, list, "aws:iam/rolePolicy:RolePolicy", "forgejo-role-policy"), "policy")
	mount := statement(t, task, "MountData")
	if fmt.Sprint(mount.Resource, mount.Action, mount.Condition) != "[arn:aws:repos-files] [elasticfilesystem:ClientMount elasticfilesystem:ClientWrite] map[StringEquals:map[elasticfilesystem:AccessPointArn:[arn:aws:repos-access-forgejo]]]" {
		t.Errorf("%+v", mount)
	}
	if len(execution) != 5 || len(task) != 4 {
		t.Errorf("%d statements to start, %d to run; want 5 and 4 (mount and ECS Exec's three)", len(execution), len(task))
	}
	for _, s := range task {
		if strings.Contains(fmt.Sprint(s.Action), "secretsmanager") {
			t.Errorf("the running containers may read secrets: %v", s)
		}
	}
}

// Everything a task needs is there before the service is made.
func TestEcsServiceComesLast(t *testing.T) {
	list := registerFull(t)
	deps := recorder.Must(t, list, "aws:ecs/service:Service", "forgejo-service").Dependencies
	for _, want := range []string{
		"aws:efs/mountTarget:MountTarget::repos-mount-a", "aws:efs/mountTarget:MountTarget::repos-mount-b", "aws:efs/fileSystemPolicy:FileSystemPolicy::repos-policy",
		"aws:lb/listenerRule:ListenerRule::web-git-rule", "aws:lb/listener:Listener::web-ssh-listener", "aws:iam/rolePolicy:RolePolicy::forgejo-execution-policy", "aws:iam/rolePolicy:RolePolicy::forgejo-role-policy",
		"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule::forgejo-sg-files-in", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule::forgejo-sg-database-in",
		"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule::forgejo-sg-s3", "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders::forgejo-cluster-providers",
	} {
		if !slices.ContainsFunc(deps, func(d string) bool { return strings.HasSuffix(d, want) }) {
			t.Errorf("the service does not wait for %s", want)
		}
	}
	recorder.Expect(t, recorder.Must(t, list, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "forgejo-sg-database-in"), map[string]any{
		"securityGroupId": "db-sg-id", "referencedSecurityGroupId": "forgejo-sg-id", "fromPort": 5432, "toPort": 5432, "cidrIpv4": nil,
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "forgejo-sg-lb-in"), map[string]any{"securityGroupId": "forgejo-sg-id", "referencedSecurityGroupId": "web-sg-id", "fromPort": 3000})
	recorder.Expect(t, recorder.Must(t, list, "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "forgejo-sg-lb-2222-out"), map[string]any{"securityGroupId": "web-ssh-sg-id", "referencedSecurityGroupId": "forgejo-sg-id", "fromPort": 2222})
	wantSeparateRules(t, list)
}

func TestEcsServiceSingleWriter(t *testing.T) {
	list := registerFull(t)
	recorder.Expect(t, recorder.Must(t, list, "aws:ecs/service:Service", "forgejo-service"), map[string]any{
		"desiredCount": 1, "deploymentMinimumHealthyPercent": 0, "deploymentMaximumPercent": 100, "availabilityZoneRebalancing": "DISABLED", "enableExecuteCommand": true,
		"healthCheckGracePeriodSeconds": 120, "loadBalancers.0.containerPort": 3000, "loadBalancers.1.containerPort": 2222, "serviceRegistries.registryArn": "arn:aws:forgejo-discovery",
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:servicediscovery/service:Service", "forgejo-discovery"), map[string]any{"name": "forgejo", "dnsConfig.dnsRecords.0.type": "A", "dnsConfig.dnsRecords.0.ttl": 10})
}

func TestEcsServiceScaling(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		alb, err := NewPublicAlb(ctx, "web", albArgs(nil))
		if err != nil {
			return err
		}
		_, err = service(ctx, "backend", func(a *EcsServiceArgs) {
			a.LoadBalancers = []ServiceLoadBalancer{{Target: alb.Targets["api"], Container: "app"}}
			a.Scaling = &ServiceScaling{MinTasks: 2, MaxTasks: 10, CPUPercent: 70, MemoryPercent: 80, RequestsPerTask: 1000}
			a.OnDemandWeight, a.SpotWeight, a.OnDemandBase = 1, 3, 2
		})
		return err
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:appautoscaling/target:Target", "backend-scaling"), map[string]any{
		"minCapacity": 2, "maxCapacity": 10, "resourceId": "service/backend-cluster-cluster-1234567/backend-service-1234567", "scalableDimension": "ecs:service:DesiredCount",
	})
	for name, want := range map[string][2]any{"cpu": {"ECSServiceAverageCPUUtilization", 70}, "memory": {"ECSServiceAverageMemoryUtilization", 80}, "requests": {"ALBRequestCountPerTarget", 1000}} {
		policy := recorder.Must(t, list, "aws:appautoscaling/policy:Policy", "backend-scaling-"+name)
		recorder.Expect(t, policy, map[string]any{
			"policyType": "TargetTrackingScaling", "targetTrackingScalingPolicyConfiguration.targetValue": want[1],
			"targetTrackingScalingPolicyConfiguration.predefinedMetricSpecification.predefinedMetricType": want[0],
		})
		label := policy.Input("targetTrackingScalingPolicyConfiguration.predefinedMetricSpecification.resourceLabel")
		if name == "requests" && label != "app/web/0123/targetgroup/web-api/4567" || name != "requests" && label != nil {
			t.Errorf("%s: resource label %v", name, label)
		}
	}
	svc := recorder.Must(t, list, "aws:ecs/service:Service", "backend-service")
	recorder.Expect(t, svc, map[string]any{
		"desiredCount": 2, "capacityProviderStrategies.0.capacityProvider": "FARGATE", "capacityProviderStrategies.0.weight": 1, "capacityProviderStrategies.0.base": 2,
		"capacityProviderStrategies.1.capacityProvider": "FARGATE_SPOT", "capacityProviderStrategies.1.weight": 3, "capacityProviderStrategies.1.base": 0,
	})
	if !slices.Contains(svc.IgnoreChanges, "desiredCount") {
		t.Error("a deployment would undo what scaling did")
	}
	if one := recorder.Must(t, services(t, nil), "aws:ecs/service:Service", "svc1-service"); slices.Contains(one.IgnoreChanges, "desiredCount") {
		t.Error("without scaling the count is ours")
	}
}

// A service that is stopped keeps a range of no task: AWS keeps to it whatever the state says of the count.
func TestEcsServiceStopped(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		_, err := service(ctx, "gotrue", func(a *EcsServiceArgs) { a.DesiredCount, a.Scaling = new(int), &ServiceScaling{} })
		return err
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:appautoscaling/target:Target", "gotrue-scaling"), map[string]any{"minCapacity": 0, "maxCapacity": 0})
	if n := recorder.Count(list)["aws:appautoscaling/policy:Policy"]; n != 0 {
		t.Errorf("%d things to aim at with no task", n)
	}
	svc := recorder.Must(t, list, "aws:ecs/service:Service", "gotrue-service")
	recorder.Expect(t, svc, map[string]any{"desiredCount": 0})
	if slices.Contains(svc.IgnoreChanges, "desiredCount") {
		t.Error("the first time, the deployment would not wait until the tasks are gone")
	}
}

// rolledBack answers that the service still runs an older task definition.
func rolledBack(string, resource.PropertyMap) (resource.PropertyMap, error) {
	return resource.PropertyMap{"taskDefinition": resource.NewProperty("arn:aws:svc1-task:1")}, nil
}

func TestEcsServiceRolledBackFails(t *testing.T) {
	program := func(ctx *pulumi.Context) error {
		_, err := service(ctx, "svc1", nil)
		return err
	}
	_, err := (&recorder.Recorder{Outputs: recorder.Computed, Calls: rolledBack}).Run(program)
	wantError(t, err, `EcsService "svc1"`, "arn:aws:svc1-task:1", "rolled back", "--refresh")
	if err := inPreview(program, &recorder.Recorder{Outputs: recorder.Computed, Calls: rolledBack}); err != nil {
		t.Errorf("a preview must not fail for what the update would mend: %v", err)
	}
}

func TestFargatePairs(t *testing.T) {
	want := map[int][]int{
		256: {512, 1024, 2048}, 512: span(1024, 4096, 1024), 1024: span(2048, 8192, 1024), 2048: span(4096, 16384, 1024),
		4096: span(8192, 30720, 1024), 8192: span(16384, 61440, 4096), 16384: span(32768, 122880, 8192),
	}
	cpus := []int{0, 128, 256, 384, 512, 1024, 1536, 2048, 4096, 8192, 16384, 32768}
	accepted := 0
	for _, cpu := range cpus {
		for memory := 256; memory <= 131072; memory += 256 {
			err := FargatePair(cpu, memory)
			if ok := slices.Contains(want[cpu], memory); ok != (err == nil) {
				t.Errorf("%d CPU units and %d MiB: %v", cpu, memory, err)
			}
			if err == nil {
				accepted++
			}
		}
	}
	if accepted != 3+4+7+13+23+12+12 {
		t.Errorf("%d pairs", accepted)
	}
}

func span(from, to, step int) (out []int) {
	for v := from; v <= to; v += step {
		out = append(out, v)
	}
	return out
}

func TestEcsServiceRefuses(t *testing.T) {
	app := func(change func(*Container)) func(*EcsServiceArgs) {
		return func(a *EcsServiceArgs) { change(&a.Containers[0]) }
	}
	number := func(v int) *int { return &v }
	for field, change := range map[string]func(*EcsServiceArgs){
		"Cluster: got nothing":             func(a *EcsServiceArgs) { a.Cluster = nil },
		"Region: got x":                    func(a *EcsServiceArgs) { a.Region = "x" },
		"AccountID":                        func(a *EcsServiceArgs) { a.AccountID = nil },
		"VpcID":                            func(a *EcsServiceArgs) { a.VpcID = nil },
		"SubnetIDs":                        func(a *EcsServiceArgs) { a.SubnetIDs = nil },
		"LogKmsKeyArn":                     func(a *EcsServiceArgs) { a.LogKmsKeyArn = nil },
		"got 512 and 512":                  func(a *EcsServiceArgs) { a.MemoryMiB = 512 },
		"no task has 300 CPU units":        func(a *EcsServiceArgs) { a.CPUUnits = 300 },
		"EphemeralGiB: got 20":             func(a *EcsServiceArgs) { a.EphemeralGiB = 20 },
		"LogRetentionDays: got 2":          func(a *EcsServiceArgs) { a.LogRetentionDays = 2 },
		"DeployMinutes: got 1":             func(a *EcsServiceArgs) { a.DeployMinutes = 1 },
		"SpotWeight: got -1":               func(a *EcsServiceArgs) { a.SpotWeight = -1 },
		"DiscoveryName: got A":             func(a *EcsServiceArgs) { a.DiscoveryName = "A" },
		"DesiredCount: got -1":             func(a *EcsServiceArgs) { a.DesiredCount = number(-1) },
		"DesiredCount: got 2, want 0 or 1": func(a *EcsServiceArgs) { a.SingleWriter, a.DesiredCount = true, number(2) },
		"none with SingleWriter": func(a *EcsServiceArgs) {
			a.SingleWriter, a.Scaling = true, &ServiceScaling{MinTasks: 1, MaxTasks: 1, CPUPercent: 50}
		},
		"0 and 100 with SingleWriter":     func(a *EcsServiceArgs) { a.SingleWriter, a.MaxPercent = true, number(200) },
		"MaxPercent: got 300":             func(a *EcsServiceArgs) { a.MaxPercent = number(300) },
		"no deployment could ever begin":  func(a *EcsServiceArgs) { a.MaxPercent = number(100) },
		"Scaling: got 3 to 2 tasks":       func(a *EcsServiceArgs) { a.Scaling = &ServiceScaling{MinTasks: 3, MaxTasks: 2, CPUPercent: 50} },
		"0 with Scaling to 0 tasks":       func(a *EcsServiceArgs) { a.DesiredCount, a.Scaling = number(1), &ServiceScaling{} },
		"Scaling: got no target":          func(a *EcsServiceArgs) { a.Scaling = &ServiceScaling{MinTasks: 1, MaxTasks: 2} },
		"Scaling.CPUPercent: got 5":       func(a *EcsServiceArgs) { a.Scaling = &ServiceScaling{MinTasks: 1, MaxTasks: 2, CPUPercent: 5} },
		"Scaling.RequestsPerTask: got 10": func(a *EcsServiceArgs) { a.Scaling = &ServiceScaling{MinTasks: 1, MaxTasks: 2, RequestsPerTask: 10} },
		"Containers: got none":            func(a *EcsServiceArgs) { a.Containers = nil },
		"Containers: got App":             app(func(c *Container) { c.Name = "App" }),
		"Containers: got app":             func(a *EcsServiceArgs) { a.Containers = append(a.Containers, a.Containers[0]) },
		"app.Image: got nothing":          app(func(c *Container) { c.Image = nil }),
		"app.Image: got x:latest":         app(func(c *Container) { c.Image = pulumi.String("x:latest") }),
		"app.Image: got host:5000/x":      app(func(c *Container) { c.Image = pulumi.String("host:5000/x") }),
		"app.User: got git":               app(func(c *Container) { c.User = "git" }),
		"other than root":                 app(func(c *Container) { c.User = "0:0" }),
		"app.StopSeconds: got 121":        app(func(c *Container) { c.StopSeconds = 121 }),
		"app.Ports: got 0":                app(func(c *Container) { c.Ports = []int{0} }),
		"each once in the task":           app(func(c *Container) { c.Ports = []int{80, 80} }),
		"app.Scratch: got tmp":            app(func(c *Container) { c.Scratch = []string{"tmp"} }),
		"app.Mounts: got data":            app(func(c *Container) { c.Mounts = []Mount{{Volume: "data", Path: "/data"}} }),
		"app.Environment: got DB_PASSWORD": app(func(c *Container) {
			c.Environment = map[string]pulumi.StringInput{"DB_PASSWORD": pulumi.String("canary")}
		}),
		"app.Environment: got A-B": app(func(c *Container) { c.Environment = map[string]pulumi.StringInput{"A-B": pulumi.String("x")} }),
		"not among Secrets too": app(func(c *Container) {
			c.Environment, c.Secrets = map[string]pulumi.StringInput{"A": pulumi.String("x")}, map[string]SecretRef{"A": {Arn: pulumi.String("arn")}}
		}),
		"app.Secrets.A":       app(func(c *Container) { c.Secrets = map[string]SecretRef{"A": {}} }),
		"app.Health.Command":  app(func(c *Container) { c.Health = &ContainerHealth{Command: []string{"true"}} }),
		"app.Health.Retries":  app(func(c *Container) { c.Health = &ContainerHealth{Command: []string{"CMD", "true"}, Retries: 11} }),
		"app.After: got none": app(func(c *Container) { c.After = []string{"none"} }),
		"at most 10 in a task": func(a *EcsServiceArgs) {
			for i := range 10 {
				c := a.Containers[0]
				c.Name, c.Ports = fmt.Sprintf("app%d", i), nil
				a.Containers = append(a.Containers, c)
			}
		},
		"2048 MiB together":       app(func(c *Container) { c.MemoryMiB = 2048 }),
		"1024 CPU units together": app(func(c *Container) { c.CPUUnits = 1024 }),
		"LoadBalancers.0": func(a *EcsServiceArgs) {
			a.LoadBalancers = []ServiceLoadBalancer{{Target: &ServiceTarget{Port: 9000}, Container: "app"}}
		},
		"Volumes: got Data": func(a *EcsServiceArgs) { a.Volumes = []EfsVolume{{Name: "Data"}} },
		"Connections.db.Port: got 0": func(a *EcsServiceArgs) {
			a.Connections = []Connection{{Name: "db", SecurityGroupID: pulumi.String("sg")}}
		},
		"InternetPorts: got 0": func(a *EcsServiceArgs) { a.InternetPorts = []int{0} },
	} {
		t.Run(field, func(t *testing.T) {
			recorder.Refuses(t, field, func(ctx *pulumi.Context) error {
				_, err := NewEcsService(ctx, "svc", serviceArgs(&EcsCluster{Namespace: "morphee.internal"}, change))
				return err
			})
		})
	}
	recorder.Refuses(t, "Exec: got true", func(ctx *pulumi.Context) error {
		_, err := NewEcsService(ctx, "svc", serviceArgs(&EcsCluster{}, func(a *EcsServiceArgs) { a.Exec = true }))
		return err
	})
	recorder.Refuses(t, "a cluster with a Namespace", func(ctx *pulumi.Context) error {
		_, err := NewEcsService(ctx, "svc", serviceArgs(&EcsCluster{}, func(a *EcsServiceArgs) { a.DiscoveryName = "svc" }))
		return err
	})
	_, err := recorder.Run(func(ctx *pulumi.Context) error {
		_, err := NewEcsService(ctx, "svc", serviceArgs(&EcsCluster{}, app(func(c *Container) {
			c.Environment = map[string]pulumi.StringInput{"API_TOKEN": pulumi.String("canary")}
		})))
		return err
	})
	if err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("the error must not show the value: %v", err)
	}
}

func TestEcsServiceSecretInPlain(t *testing.T) {
	_, err := (&recorder.Recorder{Outputs: recorder.Computed, Calls: recorder.RunningAsAsked}).Run(func(ctx *pulumi.Context) error {
		_, err := service(ctx, "svc1", func(a *EcsServiceArgs) {
			a.Containers[0].Environment = map[string]pulumi.StringInput{"DATABASE_URL": pulumi.ToSecret(pulumi.String("postgres://u:canary@h/d")).(pulumi.StringOutput)}
		})
		return err
	})
	wantError(t, err, "Pulumi secret in plain", "Secrets")
	if strings.Contains(err.Error(), "canary") {
		t.Errorf("the error shows the value: %v", err)
	}
}

func TestEcsClusterRefuses(t *testing.T) {
	for field, args := range map[string]*EcsClusterArgs{
		"Namespace: got internal_": {Namespace: "internal_", VpcID: pulumi.String("vpc")},
		"VpcID":                    {Namespace: "morphee.internal"},
		"LogKmsKeyArn":             {ExecLogs: true},
		"LogRetentionDays: got 8":  {ExecLogs: true, LogKmsKeyArn: keyArn("logs"), LogRetentionDays: 8},
	} {
		t.Run(field, func(t *testing.T) {
			recorder.Refuses(t, field, func(ctx *pulumi.Context) error {
				_, err := NewEcsCluster(ctx, "main", args)
				return err
			})
		})
	}
}
