package mutation

const (
	oidc     = `{"Version":"2012-10-17","Statement":[{"Sid":"G","Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com"},"Condition":{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:morphee-app/*"}}}]}`
	anybody  = `{"Version":"2012-10-17","Statement":[{"Sid":"T","Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"}}]}`
	wild     = `{"Version":"2012-10-17","Statement":[{"Sid":"W","Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b"}]}`
	every    = `{"Version":"2012-10-17","Statement":[{"Sid":"W","Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	handOver = `{"Version":"2012-10-17","Statement":[{"Sid":"W","Effect":"Allow","Action":"iam:PassRole","Resource":"*"}]}`
)

func container(path string, value any, rule string) Mutant {
	return Mutant{Rule: rule, Type: task, Name: "*backend*", Path: "containerDefinitions|0." + path, Value: value}
}

func run(name, path string, value any, rule string) Mutant {
	return Mutant{Rule: rule, Type: docker, Name: name + "-service-container", Path: path, Value: value}
}

func forgejoSetting(env, value, rule string) []Mutant {
	return []Mutant{
		{Rule: rule, Type: docker, Name: "forgejo-service-container", Path: "envs.?FORGEJO__" + env, Value: "FORGEJO__" + env + "=" + value},
		{Rule: rule, Type: task, Name: "*forgejo*", Path: "containerDefinitions|?forgejo.environment.?FORGEJO__" + env + ".value", Value: value},
	}
}

var hygiene = append(append(append(append([]Mutant{
	container("privileged", true, "ecs-no-privileged"),
	container("readonlyRootFilesystem", false, "ecs-read-only-root"),
	container("user", "0:0", "ecs-non-root"),
	container("linuxParameters.capabilities.drop", l{}, "ecs-drop-capabilities"),
	container("linuxParameters.capabilities.add", l{"SYS_PTRACE"}, "ecs-drop-capabilities"),
	container("logConfiguration", nil, "ecs-logging"),
	container("image", "backend:latest", "ecs-image-pinned"),
	{Rule: "ecs-network-mode", Type: task, Name: "*", Path: "networkMode", Value: "host"},
	{Rule: "ecs-efs-in-transit", Type: task, Name: "*", Path: "volumes.0.efsVolumeConfiguration.transitEncryption", Value: "DISABLED"},
	{Rule: "ecs-efs-in-transit", Type: task, Name: "*", Path: "volumes.0.efsVolumeConfiguration.authorizationConfig.accessPointId"},
	{Rule: "ecs-distinct-roles", Type: task, Name: "*", Path: "taskRoleArn", Value: "same:executionRoleArn"},
	{Rule: "ecs-platform-version", Type: service, Name: "*", Path: "platformVersion", Value: "1.3.0"},
	{Rule: "ecs-circuit-breaker", Type: service, Name: "*", Path: "deploymentCircuitBreaker.rollback", Value: false},
	{Rule: "ecs-wait-steady", Type: service, Name: "*", Path: "waitForSteadyState", Value: false},
	{Rule: "ecs-exec-off", Type: service, Name: "*", Path: "enableExecuteCommand", Value: true},
	{Rule: "ecs-container-insights", Type: "aws:ecs/cluster:Cluster", Name: "*", Path: "settings.0.value", Value: "disabled"},
	{Rule: "ecs-single-writer", Type: service, Name: "*forgejo*", Path: "desiredCount", Value: 2.0},
	{Rule: "ecs-single-writer", Type: service, Name: "*forgejo*", Path: "deploymentMaximumPercent", Value: 200.0},
	{Rule: "ecs-single-writer", Type: service, Name: "*forgejo*", Path: "deploymentMinimumHealthyPercent", Value: 100.0},
	{Rule: "ecr-immutable", Type: images, Name: "*", Path: "imageTagMutability", Value: "MUTABLE"},
	{Rule: "ecr-scan", Type: images, Name: "*", Path: "imageScanningConfiguration.scanOnPush", Value: false},
	{Rule: "ecr-customer-key", Type: images, Name: "*", Path: "encryptionConfigurations.0.encryptionType", Value: "AES256"},
	{Rule: "ecr-lifecycle", Type: "aws:ecr/lifecyclePolicy:LifecyclePolicy", Name: "*", Drop: true},
	{Rule: "iam-no-wildcard-action", Type: rights, Name: "*", Path: "policy", Value: wild},
	{Rule: "iam-no-wildcard-action", Type: role, Name: "*", Path: "inlinePolicies", New: true, Value: l{m{"policy": wild}}},
	{Rule: "iam-no-wildcard-resource", Type: rights, Name: "*", Path: "policy", Value: every},
	{Rule: "iam-pass-role-scoped", Type: rights, Name: "*", Path: "policy", Value: handOver},
	{Rule: "iam-trust-narrow", Type: role, Name: "*", Path: "assumeRolePolicy", Value: anybody},
	{Rule: "github-oidc-subject", Type: role, Name: "*", Path: "assumeRolePolicy", Value: oidc},
	{Rule: "iam-no-admin", Type: "aws:iam/rolePolicyAttachment:RolePolicyAttachment", Name: "*", Path: "policyArn", Value: "arn:aws:iam::aws:policy/AdministratorAccess"},
	{Rule: "iam-no-users", Type: "aws:iam/user:User", Name: "aws-keys*", Add: true, Value: m{"name": "x"}},
	{Rule: "kms-rotation", Type: key, Name: "*", Path: "enableKeyRotation", Value: false},
	{Rule: "kms-policy-principal", Type: key, Name: "*", Path: "policy"},
	{Rule: "kms-policy-principal", Type: key, Name: "*", Path: "policy|Statement.0", Value: open},
	{Rule: "sns-encrypted", Type: "aws:sns/topic:Topic", Name: "*", Path: "kmsMasterKeyId"},
	{Rule: "log-retention", Type: logGroup, Name: "*", Path: "retentionInDays", Value: 0.0},
	{Rule: "log-encrypted", Type: logGroup, Name: "*", Path: "kmsKeyId"},
	{Rule: "alarm-tells-somebody", Type: "aws:cloudwatch/metricAlarm:MetricAlarm", Name: "*", Path: "alarmActions", Value: l{}},
	{Rule: "instance-imdsv2", Type: "aws:ec2/launchTemplate:LaunchTemplate", Name: "*", Path: "metadataOptions.httpTokens", Value: "optional"},
	{Rule: "instance-disk-encrypted", Type: "aws:ec2/launchTemplate:LaunchTemplate", Name: "*", Path: "blockDeviceMappings.0.ebs.encrypted", Value: "false"},
	run("backend", "privileged", true, "docker-no-privileged"),
	{Rule: "docker-socket", Type: docker, Name: "backend-service-container", Path: "volumes.0", Value: m{"hostPath": "/var/run/docker.sock", "containerPath": "/var/run/docker.sock", "readOnly": true}},
	{Rule: "docker-socket", Type: docker, Name: "traefik-service-container", Path: "volumes.1.readOnly", Value: false},
	{Rule: "docker-host-paths", Type: docker, Name: "backend-service-container", Path: "volumes.0", Value: m{"hostPath": "/etc", "containerPath": "/host", "readOnly": true}},
	run("backend", "securityOpts", l{}, "docker-no-new-privileges"),
	run("backend", "securityOpts", l{"no-new-privileges:true", "seccomp=unconfined"}, "docker-seccomp"),
	run("backend", "capabilities", nil, "docker-drop-capabilities"),
	{Rule: "docker-drop-capabilities", Type: docker, Name: "backend-service-container", Path: "capabilities.adds", New: true, Value: l{"CAP_SYS_ADMIN"}},
	run("postgres", "user", "root", "docker-non-root"),
	{Rule: "docker-image-pinned", Type: "docker:index/remoteImage:RemoteImage", Name: "*", Path: "name", Value: "redis:latest"},
	run("backend", "readOnly", false, "docker-read-only-root"),
	run("backend", "memorySwap", -1.0, "docker-memory-limit"),
	run("postgres", "memory", 8192.0, "docker-memory-fits"),
	run("backend", "ulimits", l{}, "docker-pids-limit"),
	run("backend", "healthcheck", nil, "docker-healthcheck"),
	run("backend", "restart", "no", "docker-restart"),
	run("backend", "logOpts", nil, "docker-log-rotation"),
	{Rule: "forgejo-no-admin-password", Type: docker, Name: "forgejo-service-container", Path: "envs.0", Value: "FORGEJO_ADMIN_PASSWD_HINT_PASS=/x"},
	{Rule: "forgejo-one-writer", Type: docker, Name: "forgejo-service-container", Twin: true},
	{Rule: "governance-tags", Type: "aws:ec2/vpc:Vpc", Name: "*", Path: "tags.owner"},
	{Rule: "governance-tags", Type: server, Name: "*", Path: "labels.phase"},
	{Rule: "governance-tags", Type: "docker:index/network:Network", Name: "*", Path: "labels", Value: l{}},
	{Rule: "allowed-regions", Type: "pulumi:providers:aws", Name: "*", Path: "region", Value: "cn-north-1"},
	{Rule: "allowed-locations", Type: server, Name: "*", Path: "location", Value: "sin"},
	{Rule: "allowed-locations", Type: "cloudflare:index/r2Bucket:R2Bucket", Name: "*", Path: "location", Value: "APAC"},
	{Rule: "monthly-cost", Type: "stack:x", Cost: 5000},
},
	forgejoSetting("service__DISABLE_REGISTRATION", "false", "forgejo-no-registration")...),
	forgejoSetting("service__REQUIRE_SIGNIN_VIEW", "false", "forgejo-signin-required")...),
	forgejoSetting("repository__DEFAULT_PRIVATE", "public", "forgejo-private-by-default")...),
	append(forgejoSetting("security__INSTALL_LOCK", "false", "forgejo-installed"),
		forgejoSetting("security__DISABLE_GIT_HOOKS", "false", "forgejo-no-git-hooks")...)...)
