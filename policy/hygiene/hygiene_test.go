package hygiene

import (
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/policy/rule"
	"github.com/morphee-app/morphee-infra/policy/ruletest"
)

const pass = rule.Pass

// text quotes a JSON document as it stands inside another.
func text(doc string) string { return strings.ReplaceAll(doc, `"`, `\"`) }

func TestRules(t *testing.T) {
	task := `aws:ecs/taskDefinition:TaskDefinition t {"networkMode":"awsvpc","volumes":[{"efsVolumeConfiguration":{"transitEncryption":"ENABLED","authorizationConfig":{"iam":"ENABLED","accessPointId":"ap"}}}],` +
		`"executionRoleArn":"arn:exec","taskRoleArn":"arn:task","containerDefinitions":"` + text(`[{"name":"app","essential":true,"image":"app:1.0","user":"1000:1000","privileged":false,"readonlyRootFilesystem":true,`+
		`"linuxParameters":{"capabilities":{"drop":["ALL"],"add":[]}},"logConfiguration":{"logDriver":"awslogs"}}]`) + `"}
		aws:iam/role:Role exec {}
		aws:iam/role:Role task {}`
	at := func(path string) string { return "t containerDefinitions|0." + path }
	service := `aws:ecs/service:Service forgejo-service {"platformVersion":"LATEST","deploymentCircuitBreaker":{"enable":true,"rollback":true},"waitForSteadyState":true,"enableExecuteCommand":false,"desiredCount":1,"deploymentMaximumPercent":100,"deploymentMinimumHealthyPercent":0}`
	repository := `aws:ecr/repository:Repository r {"imageTagMutability":"IMMUTABLE","imageScanningConfiguration":{"scanOnPush":true},"encryptionConfigurations":[{"encryptionType":"KMS","kmsKey":"k"}]}
		aws:ecr/lifecyclePolicy:LifecyclePolicy l {"repository":"id:r"}`
	policy := func(statement string) string {
		return `{"Version":"2012-10-17","Statement":[` + statement + `]}`
	}
	good := policy(`{"Sid":"Read","Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::b/*"]},{"Sid":"ListBecauseThereIsNoResourceLevel","Effect":"Allow","Action":"logs:Describe*","Resource":"*"}`)
	wildAction := policy(`{"Sid":"X","Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b"}`)
	wildResource := policy(`{"Sid":"X","Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`)
	passRole := policy(`{"Sid":"P","Effect":"Allow","Action":"iam:PassRole","Resource":"arn:r","Condition":{"StringEquals":{"iam:PassedToService":"ecs-tasks.amazonaws.com"}}}`)
	rolePolicy := func(doc string) string { return `aws:iam/rolePolicy:RolePolicy p {"policy":"` + text(doc) + `"}` }
	inline := func(doc string) string {
		return `aws:iam/role:Role p {"inlinePolicies":[{"policy":"` + text(doc) + `"}]}`
	}
	trust := policy(`{"Sid":"T","Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ec2.amazonaws.com"}}`)
	anybody := policy(`{"Sid":"T","Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"}}`)
	github := func(condition string) string {
		return policy(`{"Sid":"G","Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com"},"Condition":{` + condition + `}}`)
	}
	subject := func(s string) string {
		return github(`"StringEquals":{"token.actions.githubusercontent.com:sub":"` + s + `"}`)
	}
	container := `docker:index/container:Container c {"name":"app","privileged":false,"volumes":[{"containerPath":"/etc/localtime","hostPath":"/etc/localtime","readOnly":true}],"securityOpts":["no-new-privileges:true","seccomp=default"],"capabilities":{"drops":["ALL"],"adds":["CAP_CHOWN"]},"user":"1000:1000","image":"app:1.0","readOnly":true,"memory":512,"memorySwap":512,"ulimits":[{"name":"nproc","hard":256}],"healthcheck":{"tests":["CMD","true"]},"restart":"unless-stopped","logOpts":{"max-size":"10m"}}`
	proxy := `docker:index/container:Container c {"name":"traefik","volumes":[{"hostPath":"/var/run/docker.sock","readOnly":true}]}`
	forgejoDocker := `docker:index/container:Container c {"name":"forgejo","envs":["FORGEJO__service__DISABLE_REGISTRATION=true","FORGEJO__service__REQUIRE_SIGNIN_VIEW=true","FORGEJO__repository__DEFAULT_PRIVATE=private","FORGEJO__security__INSTALL_LOCK=true","FORGEJO__security__DISABLE_GIT_HOOKS=true","FORGEJO__log__LEVEL=Info"],"volumes":[{"volumeName":"forgejo-data"}]}`
	forgejoTask := `aws:ecs/taskDefinition:TaskDefinition forgejo {"containerDefinitions":"` + text(`[{"name":"forgejo","environment":[{"name":"FORGEJO__service__DISABLE_REGISTRATION","value":"true"},{"name":"FORGEJO__service__REQUIRE_SIGNIN_VIEW","value":"true"},{"name":"FORGEJO__repository__DEFAULT_PRIVATE","value":"private"},{"name":"FORGEJO__security__INSTALL_LOCK","value":"true"},{"name":"FORGEJO__security__DISABLE_GIT_HOOKS","value":"true"},{"name":"FORGEJO__log__LEVEL","value":"Info"}]}]`) + `"}`
	var cases []ruletest.Case
	for i, id := range []string{"forgejo-no-registration", "forgejo-signin-required", "forgejo-private-by-default", "forgejo-installed", "forgejo-no-git-hooks"} {
		n := string(rune('0' + i))
		name := strings.Split(strings.Split(forgejoDocker, `"FORGEJO__`)[i+1], "=")[0]
		cases = append(cases,
			ruletest.Case{Rule: id, Form: "Docker", World: forgejoDocker, At: "c envs." + n, Bad: "FORGEJO__" + name + "=false", Unknown: rule.Violation},
			ruletest.Case{Rule: id, Form: "task", World: forgejoTask, At: "forgejo containerDefinitions|0.environment." + n + ".value", Bad: "false"})
	}
	cost := 130.0
	cases = append(cases, []ruletest.Case{
		{Rule: "ecs-no-privileged", World: task, At: at("privileged"), Bad: true, Absent: pass},
		{Rule: "ecs-read-only-root", World: task, At: at("readonlyRootFilesystem"), Bad: false},
		{Rule: "ecs-non-root", World: task, At: at("user"), Bad: "0:0", BadToo: []any{"root", ""}},
		{Rule: "ecs-drop-capabilities", World: task, At: at("linuxParameters.capabilities.drop"), Bad: []any{}},
		{Rule: "ecs-drop-capabilities", Form: "add", World: task, At: at("linuxParameters.capabilities.add"), Bad: []any{"SYS_ADMIN"}, Absent: pass},
		{Rule: "ecs-logging", World: task, At: at("logConfiguration.logDriver"), Bad: ""},
		{Rule: "ecs-image-pinned", World: task, At: at("image"), Bad: "app:latest", BadToo: []any{"app", "registry:5000/app"}, Good: []any{"app@sha256:" + strings.Repeat("a", 64)}},
		{Rule: "ecs-network-mode", World: task, At: "t networkMode", Bad: "host"},
		{Rule: "ecs-efs-in-transit", World: task, At: "t volumes.0.efsVolumeConfiguration.transitEncryption", Bad: "DISABLED"},
		{Rule: "ecs-efs-in-transit", Form: "role", World: task, At: "t volumes.0.efsVolumeConfiguration.authorizationConfig.iam", Bad: "DISABLED"},
		{Rule: "ecs-distinct-roles", World: task, At: "t taskRoleArn", Bad: "arn:exec", Absent: pass},
		{Rule: "ecs-platform-version", World: service, At: "forgejo-service platformVersion", Bad: "1.3.0", Absent: pass},
		{Rule: "ecs-circuit-breaker", World: service, At: "forgejo-service deploymentCircuitBreaker.rollback", Bad: false},
		{Rule: "ecs-wait-steady", World: service, At: "forgejo-service waitForSteadyState", Bad: false},
		{Rule: "ecs-exec-off", World: service, At: "forgejo-service enableExecuteCommand", Bad: true, Absent: pass},
		{Rule: "ecs-container-insights", World: `aws:ecs/cluster:Cluster c {"settings":[{"name":"containerInsights","value":"enabled"}]}`, At: "c settings.0.value", Bad: "disabled"},
		{Rule: "ecs-single-writer", World: service, At: "forgejo-service deploymentMaximumPercent", Bad: 200.0},
		{Rule: "ecs-single-writer", Form: "count", World: service, At: "forgejo-service desiredCount", Bad: 2.0, Absent: pass},
		{Rule: "ecs-single-writer", Form: "scaling", World: strings.Replace(service, `"desiredCount":1`, `"name":"forgejo","desiredCount":1`, 1), At: "forgejo-service deploymentMinimumHealthyPercent", Bad: 100.0,
			Add: `aws:appautoscaling/target:Target s {"resourceId":"service/cluster/forgejo"}`},
		{Rule: "ecr-immutable", World: repository, At: "r imageTagMutability", Bad: "MUTABLE"},
		{Rule: "ecr-scan", World: repository, At: "r imageScanningConfiguration.scanOnPush", Bad: false},
		{Rule: "ecr-customer-key", World: repository, At: "r encryptionConfigurations.0.encryptionType", Bad: "AES256"},
		{Rule: "ecr-lifecycle", World: repository, At: "l"},
		{Rule: "iam-no-wildcard-action", Form: "separate", World: rolePolicy(good), At: "p policy", Bad: wildAction, BadToo: []any{policy(`{"Effect":"Allow","Action":"*","Resource":"x"}`), policy(`{"Effect":"Allow","NotAction":"iam:*","Resource":"x"}`)}, Absent: pass},
		{Rule: "iam-no-wildcard-action", Form: "inline", World: inline(good), At: "p inlinePolicies.0.policy", Bad: wildAction, Absent: pass},
		{Rule: "iam-no-wildcard-resource", Form: "separate", World: rolePolicy(good), At: "p policy", Bad: wildResource, Absent: pass},
		{Rule: "iam-no-wildcard-resource", Form: "inline", World: inline(good), At: "p inlinePolicies.0.policy", Bad: wildResource, Absent: pass},
		{Rule: "iam-pass-role-scoped", Form: "separate", World: rolePolicy(passRole), At: "p policy", Bad: strings.Replace(passRole, "arn:r", "*", 1), BadToo: []any{strings.Replace(passRole, "iam:PassedToService", "aws:x", 1)}, Absent: pass},
		{Rule: "iam-pass-role-scoped", Form: "inline", World: inline(passRole), At: "p inlinePolicies.0.policy", Bad: strings.Replace(passRole, "arn:r", "*", 1), Absent: pass},
		{Rule: "iam-trust-narrow", World: `aws:iam/role:Role r {"assumeRolePolicy":"` + text(trust) + `"}`, At: "r assumeRolePolicy", Bad: anybody, Absent: pass},
		{Rule: "github-oidc-subject", World: `aws:iam/role:Role r {"assumeRolePolicy":"` + text(subject("repo:morphee-app/morphee-infra:environment:production")) + `"}`, At: "r assumeRolePolicy",
			Bad: subject("repo:morphee-app/*:environment:production"), BadToo: []any{subject("repo:morphee-app/morphee-infra:*"), github(`"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}`), subject("*")}, Absent: pass, Unknown: pass},
		{Rule: "iam-no-admin", World: `aws:iam/rolePolicyAttachment:RolePolicyAttachment a {"policyArn":"arn:aws:iam::aws:policy/ReadOnlyAccess"}`, At: "a policyArn", Bad: "arn:aws:iam::aws:policy/AdministratorAccess", Absent: pass},
		{Rule: "iam-no-users", World: `aws:iam/user:User u {"permissionsBoundary":"arn:b"}`, At: "u permissionsBoundary", Bad: nil, Unknown: pass},
		{Rule: "kms-rotation", World: `aws:kms/key:Key k {"enableKeyRotation":true}`, At: "k enableKeyRotation", Bad: false},
		{Rule: "kms-policy-principal", World: `aws:kms/key:Key k {"policy":"` + text(policy(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:root"},"Action":"kms:*","Resource":"*"}`)) + `"}`, At: "k policy",
			Bad: policy(`{"Sid":"X","Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*"}`)},
		{Rule: "sns-encrypted", World: `aws:sns/topic:Topic t {"kmsMasterKeyId":"k"}`, At: "t kmsMasterKeyId", Bad: ""},
		{Rule: "log-retention", World: `aws:cloudwatch/logGroup:LogGroup l {"retentionInDays":90}`, At: "l retentionInDays", Bad: 0.0},
		{Rule: "log-encrypted", World: `aws:cloudwatch/logGroup:LogGroup l {"kmsKeyId":"k"}`, At: "l kmsKeyId", Bad: ""},
		{Rule: "alarm-tells-somebody", World: `aws:cloudwatch/metricAlarm:MetricAlarm a {"alarmActions":["arn:t"]}`, At: "a alarmActions", Bad: []any{}},
		{Rule: "instance-imdsv2", Form: "instance", World: `aws:ec2/instance:Instance i {"metadataOptions":{"httpTokens":"required"}}`, At: "i metadataOptions.httpTokens", Bad: "optional"},
		{Rule: "instance-imdsv2", Form: "template", World: `aws:ec2/launchTemplate:LaunchTemplate i {"metadataOptions":{"httpTokens":"required"}}`, At: "i metadataOptions.httpTokens", Bad: "optional"},
		{Rule: "instance-disk-encrypted", Form: "instance", World: `aws:ec2/instance:Instance i {"rootBlockDevice":{"encrypted":true}}`, At: "i rootBlockDevice.encrypted", Bad: false},
		{Rule: "instance-disk-encrypted", Form: "template", World: `aws:ec2/launchTemplate:LaunchTemplate i {"blockDeviceMappings":[{"ebs":{"encrypted":"true"}}]}`, At: "i blockDeviceMappings.0.ebs.encrypted", Bad: "false"},
		{Rule: "instance-disk-encrypted", Form: "volume", World: `aws:ebs/volume:Volume i {"encrypted":true}`, At: "i encrypted", Bad: false},
		{Rule: "docker-no-privileged", World: container, At: "c privileged", Bad: true, Absent: pass},
		{Rule: "docker-socket", Form: "another", World: container, At: "c volumes.0.hostPath", Bad: "/var/run/docker.sock", Absent: pass},
		{Rule: "docker-socket", Form: "proxy", World: proxy, At: "c volumes.0.readOnly", Bad: false, Unknown: rule.Violation},
		{Rule: "docker-host-paths", Form: "volumes", World: container, At: "c volumes.0.hostPath", Bad: "/etc", BadToo: []any{"/"}, Absent: pass},
		{Rule: "docker-host-paths", Form: "mounts", World: `docker:index/container:Container c {"name":"app","mounts":[{"type":"bind","source":"/etc/localtime","readOnly":true}]}`, At: "c mounts.0.source", Bad: "/root", Unknown: rule.Violation},
		{Rule: "docker-no-new-privileges", World: container, At: "c securityOpts", Bad: []any{}},
		{Rule: "docker-seccomp", World: container, At: "c securityOpts.1", Bad: "seccomp=unconfined", Absent: pass},
		{Rule: "docker-drop-capabilities", World: container, At: "c capabilities.drops", Bad: []any{"CAP_NET_RAW"}},
		{Rule: "docker-drop-capabilities", Form: "adds", World: container, At: "c capabilities.adds.0", Bad: "SYS_ADMIN", Absent: pass},
		{Rule: "docker-non-root", World: container, At: "c user", Bad: "0:0", BadToo: []any{"root", ""}},
		{Rule: "docker-image-pinned", Form: "container", World: container, At: "c image", Bad: "app:latest"},
		{Rule: "docker-image-pinned", Form: "image", World: `docker:index/remoteImage:RemoteImage i {"name":"redis:7.4.9-alpine"}`, At: "i name", Bad: "redis"},
		{Rule: "docker-read-only-root", World: container, At: "c readOnly", Bad: false},
		{Rule: "docker-memory-limit", World: container, At: "c memory", Bad: 0.0},
		{Rule: "docker-memory-limit", Form: "swap", World: container, At: "c memorySwap", Bad: -1.0},
		{Rule: "docker-memory-fits", World: container + "\n" + `hcloud:index/server:Server s {"serverType":"cx22"}`, At: "c memory", Bad: 4096.0, Absent: pass},
		{Rule: "docker-memory-fits", Form: "server", World: strings.Replace(container, `"memory":512`, `"memory":3000`, 1) + "\n" + `hcloud:index/server:Server s {"serverType":"cx22"}`, At: "s serverType", Bad: "cpx11", Absent: rule.Undetermined},
		{Rule: "docker-pids-limit", World: container, At: "c ulimits", Bad: []any{}},
		{Rule: "docker-healthcheck", World: container, At: "c healthcheck.tests", Bad: []any{"NONE"}},
		{Rule: "docker-restart", World: container, At: "c restart", Bad: "no"},
		{Rule: "docker-log-rotation", World: container, At: "c logOpts.max-size", Bad: ""},
		{Rule: "forgejo-no-admin-password", Form: "Docker", World: forgejoDocker, At: "c envs.5", Bad: "FORGEJO_ADMIN_PASSWORD=x", Absent: pass, Unknown: pass},
		{Rule: "forgejo-no-admin-password", Form: "task", World: forgejoTask, At: "forgejo containerDefinitions|0.environment.5.name", Bad: "ADMIN_PASSWORD", Absent: pass},
		{Rule: "forgejo-one-writer", World: forgejoDocker + "\n" + `docker:index/container:Container d {"name":"forgejo-2","volumes":[{"volumeName":"other"}]}`, At: "d volumes.0.volumeName", Bad: "forgejo-data", Absent: pass},
		{Rule: "governance-tags", Form: "tags", World: `aws:ec2/vpc:Vpc v {"tags":{"project":"m","stack":"prod","phase":"3","owner":"platform"}}`, At: "v tags.owner", Bad: ""},
		{Rule: "governance-tags", Form: "labels", World: `docker:index/volume:Volume v {"labels":[{"label":"project","value":"m"},{"label":"stack","value":"prod"},{"label":"owner","value":"platform"}]}`, At: "v labels.2.value", Bad: ""},
		{Rule: "allowed-regions", World: `pulumi:providers:aws p {"region":"eu-west-1"}`, At: "p region", Bad: "cn-north-1", Absent: pass},
		{Rule: "allowed-locations", Form: "Hetzner", World: `hcloud:index/server:Server s {"location":"nbg1"}`, At: "s location", Bad: "sin", Absent: pass},
		{Rule: "allowed-locations", Form: "R2", World: `cloudflare:index/r2Bucket:R2Bucket s {"location":"WEUR"}`, At: "s location", Bad: "apac", Absent: pass},
	}...)
	t.Run("cost", func(t *testing.T) { testCost(t, cost) })
	ruletest.Run(t, Pack, append(cases, ruletest.Case{Rule: "monthly-cost", World: `x:y:Z r {}`, At: "none", Absent: pass,
		Options: rule.Options{MonthlyUSD: &cost, Config: map[string]string{"morphee:phase": "3"}}}))
}

// testCost: the budget of the configuration, else the phase's.
func testCost(t *testing.T, cost float64) {
	r, _ := Pack.Rule("monthly-cost")
	for name, c := range map[string]struct {
		config map[string]string
		want   rule.Answer
	}{
		"within the phase's":         {map[string]string{"morphee:phase": "3"}, rule.Pass},
		"over the phase's":           {map[string]string{"morphee:phase": "2"}, rule.Violation},
		"over the configuration's":   {map[string]string{"morphee:phase": "3", "morphee:budget": `{"monthlyUsd":100}`}, rule.Violation},
		"within the configuration's": {map[string]string{"morphee:phase": "2", "morphee:budget": `{"monthlyUsd":200}`}, rule.Pass},
		"no phase":                   {nil, rule.Undetermined},
	} {
		report, err := rule.Evaluate([]rule.Pack{{Name: "p", Rules: []rule.Rule{r}}}, nil, rule.Options{MonthlyUSD: &cost, Config: c.config})
		if err != nil {
			t.Fatal(err)
		}
		got := rule.Pass
		switch {
		case len(report.Violations) > 0:
			got = rule.Violation
		case len(report.Undetermined) > 0:
			got = rule.Undetermined
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	report, _ := rule.Evaluate([]rule.Pack{{Name: "p", Rules: []rule.Rule{r}}}, nil, rule.Options{})
	if len(report.Violations)+len(report.Undetermined) > 0 {
		t.Error("without a cost report the rule says something")
	}
}
