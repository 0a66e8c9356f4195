package aws

import (
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

const (
	metricFilterToken = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
	dashboardToken    = "aws:cloudwatch/dashboard:Dashboard"
	pullThroughToken  = "aws:ecr/pullThroughCacheRule:PullThroughCacheRule"
	budgetToken       = "aws:budgets/budget:Budget"
)

func TestMonitoringRefusals(t *testing.T) {
	alarm := props{"comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 3, "threshold": 80, "metricName": "CPUUtilization", "namespace": "AWS/ECS", "period": 300, "statistic": "Average"}
	query := func(returned int) props {
		list := []any{
			props{"id": "errors", "returnData": returned > 1, "metric": props{"metricName": "5xx", "namespace": "AWS/ApplicationELB", "period": 60, "stat": "Sum"}},
			props{"id": "rate", "expression": "errors / 2", "returnData": returned > 0},
		}
		return props{"metricQueries": list, "metricName": nil, "namespace": nil, "period": nil, "statistic": nil}
	}
	filter := func(more props) props {
		return with(props{"logGroupName": "/morphee/app", "pattern": "ERROR", "metricTransformation": with(props{"name": "errors", "namespace": "Morphee", "value": "1"}, more)}, nil)
	}
	onGroup := func(good, mistake props) func(*simtest.Sim) (props, props) {
		return func(s *simtest.Sim) (props, props) {
			s.Must(logGroupToken, "app", props{"name": "/morphee/app"})
			return good, mistake
		}
	}
	onRule := func(good, mistake props) func(*simtest.Sim) (props, props) {
		return func(s *simtest.Sim) (props, props) {
			aRole(s, "run", "events.amazonaws.com")
			aRole(s, "task", "ecs-tasks.amazonaws.com")
			s.Must(eventRuleToken, "nightly", props{"name": "nightly", "scheduleExpression": "rate(1 day)"})
			return with(props{"rule": "nightly", "arn": "arn:aws:ecs:eu-west-1:123456789012:cluster/morphee", "roleArn": "arn:aws:iam::123456789012:role/run",
				"ecsTarget": props{"taskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/x:1"}}, good), mistake
		}
	}
	runRefusals(t, []refusal{
		{"operator that is none", metricAlarmToken, "expected comparisonOperator", fixedInputs(alarm, props{"comparisonOperator": ">"})},
		{"no statistic", metricAlarmToken, "One of `statistic`", fixedInputs(alarm, props{"statistic": nil})},
		{"percentile that is none", metricAlarmToken, "invalid extended statistic", fixedInputs(with(alarm, props{"statistic": nil, "extendedStatistic": "p99.9"}), props{"extendedStatistic": "99th"})},
		{"period of 45 seconds", metricAlarmToken, "divisible by 60", fixedInputs(with(alarm, props{"period": 30}), props{"period": 45})},
		{"more than a day", metricAlarmToken, "more than a day", fixedInputs(with(alarm, props{"evaluationPeriods": 288}), props{"evaluationPeriods": 289})},
		{"more datapoints than periods", metricAlarmToken, "DatapointsToAlarm", fixedInputs(alarm, props{"datapointsToAlarm": 4})},
		{"no threshold", metricAlarmToken, "Threshold is required", fixedInputs(alarm, props{"threshold": nil})},
		{"no query that returns", metricAlarmToken, "should return data", fixedInputs(with(alarm, query(1)), query(0))},
		{"topic in another region", metricAlarmToken, "Invalid region us-east-1", fixedInputs(with(alarm, props{"alarmActions": []string{"arn:aws:sns:eu-west-1:123456789012:ops"}}), props{"alarmActions": []string{"arn:aws:sns:us-east-1:123456789012:ops"}})},
		{"composite of no alarm", compositeAlarmToken, "do not exist", func(s *simtest.Sim) (props, props) {
			s.Must(metricAlarmToken, "cpu", with(alarm, props{"name": "cpu"}))
			return props{"alarmName": "all", "alarmRule": `ALARM("cpu")`}, props{"alarmRule": `ALARM("cpu") OR ALARM("memory")`}
		}},
		{"dashboard without widgets", dashboardToken, "required property 'widgets'", fixedInputs(props{"dashboardName": "ops", "dashboardBody": `{"widgets":[{"type":"text","x":0,"y":0,"width":24,"height":2,"properties":{"markdown":"x"}}]}`}, props{"dashboardBody": `{"wigdets":[]}`})},
		{"retention of 45 days", logGroupToken, "expected retentionInDays", fixedInputs(props{"retentionInDays": 30}, props{"retentionInDays": 45})},
		{"log group name with a space", logGroupToken, "valid log group name", fixedInputs(props{"name": "/morphee/app"}, props{"name": "/morphee/my app"})},
		{"log group that exists", logGroupToken, "ResourceAlreadyExistsException", onGroup(props{"name": "/morphee/other"}, props{"name": "/morphee/app"})},
		{"filter of no group", metricFilterToken, "ResourceNotFoundException", onGroup(filter(nil), props{"logGroupName": "/morphee/none"})},
		{"metric in AWS's namespace", metricFilterToken, "must not begin with AWS/", onGroup(filter(nil), filter(props{"namespace": "AWS/ECS"}))},
		{"default value with dimensions", metricFilterToken, "mutually exclusive", onGroup(filter(props{"defaultValue": "0"}), filter(props{"defaultValue": "0", "dimensions": props{"host": "$.host"}}))},
		{"schedule with five fields", eventRuleToken, "six fields", fixedInputs(props{"scheduleExpression": "cron(0 3 * * ? *)"}, props{"scheduleExpression": "cron(0 3 * * *)"})},
		{"both days in a schedule", eventRuleToken, "must be ?", fixedInputs(props{"scheduleExpression": "cron(0 3 * * ? *)"}, props{"scheduleExpression": "cron(0 3 * * * *)"})},
		{"pattern with a bare value", eventRuleToken, "InvalidEventPatternException", fixedInputs(props{"eventPattern": `{"source":["aws.ecs"]}`}, props{"eventPattern": `{"source":"aws.ecs"}`})},
		{"target of no rule", eventTargetToken, "ResourceNotFoundException", onRule(nil, props{"rule": "weekly"})},
		{"role that events cannot assume", eventTargetToken, "cannot be assumed by principal", onRule(nil, props{"roleArn": "arn:aws:iam::123456789012:role/task"})},
		{"task without a role", eventTargetToken, "RoleArn is required", onRule(nil, props{"roleArn": nil})},
	})
}

func TestOperationsRefusals(t *testing.T) {
	day := func(change props) props {
		return props{"rules": []any{with(props{"ruleName": "daily", "targetVaultName": "main", "schedule": "cron(0 3 * * ? *)", "lifecycle": props{"deleteAfter": 30}}, change)}}
	}
	onVault := func(good, mistake props) func(*simtest.Sim) (props, props) {
		return func(s *simtest.Sim) (props, props) {
			s.Must(vaultToken, "main", props{"name": "main"})
			return with(props{"name": "plan"}, good), mistake
		}
	}
	selection := func(mistake props) func(*simtest.Sim) (props, props) {
		return func(s *simtest.Sim) (props, props) {
			s.Must(vaultToken, "main", props{"name": "main"})
			aRole(s, "backup", "backup.amazonaws.com")
			aRole(s, "task", "ecs-tasks.amazonaws.com")
			return props{"planId": s.Must(planToken, "plan", day(nil)).ID, "name": "all", "iamRoleArn": "arn:aws:iam::123456789012:role/backup", "resources": []string{"arn:aws:elasticfilesystem:eu-west-1:123456789012:file-system/fs-1"}}, mistake
		}
	}
	images := func(rules string) func(*simtest.Sim) (props, props) {
		return func(s *simtest.Sim) (props, props) {
			s.Must(repositoryToken, "app", props{"name": "app"})
			return props{"repository": "app", "policy": `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":7},"action":{"type":"expire"}}]}`}, props{"policy": `{"rules":[` + rules + `]}`}
		}
	}
	imageRule := func(priority, selection string) string {
		return `{"rulePriority":` + priority + `,"selection":{` + selection + `,"countType":"imageCountMoreThan","countNumber":9},"action":{"type":"expire"}}`
	}
	schedule := func(mistake props) func(*simtest.Sim) (props, props) {
		return func(s *simtest.Sim) (props, props) {
			aRole(s, "run", "scheduler.amazonaws.com")
			aRole(s, "task", "ecs-tasks.amazonaws.com")
			return props{"scheduleExpression": "rate(1 day)", "flexibleTimeWindow": props{"mode": "OFF"}, "target": scheduleTarget("run", nil)}, mistake
		}
	}
	budget := props{"budgetType": "COST", "limitAmount": "300", "limitUnit": "USD", "timeUnit": "MONTHLY"}
	notify := func(mail ...string) props {
		return props{"notifications": []any{props{"comparisonOperator": "GREATER_THAN", "notificationType": "FORECASTED", "threshold": 100, "thresholdType": "PERCENTAGE", "subscriberEmailAddresses": mail}}}
	}
	runRefusals(t, []refusal{
		{"vault name with a dot", vaultToken, "2 to 50", fixedInputs(props{"name": "main"}, props{"name": "main.vault"})},
		{"cold storage for less than 90 days", planToken, "90 days apart", onVault(day(props{"lifecycle": props{"coldStorageAfter": 30, "deleteAfter": 120}}), day(props{"lifecycle": props{"coldStorageAfter": 30, "deleteAfter": 60}}))},
		{"plan into no vault", planToken, "ResourceNotFoundException", onVault(day(nil), day(props{"targetVaultName": "other"}))},
		{"plan by rate", planToken, "takes cron", onVault(day(nil), day(props{"schedule": "rate(1 day)"}))},
		{"window too short", planToken, "Invalid completion window", onVault(day(nil), day(props{"startWindow": 120, "completionWindow": 150}))},
		{"continuous backups for a year", planToken, "1 to 35 days", onVault(day(props{"enableContinuousBackup": true, "lifecycle": props{"deleteAfter": 35}}), day(props{"enableContinuousBackup": true, "lifecycle": props{"deleteAfter": 365}}))},
		{"selection of nothing", selectionToken, "needs resources", selection(props{"resources": nil})},
		{"selection by a role that backup cannot assume", selectionToken, "not authorized to be assumed", selection(props{"iamRoleArn": "arn:aws:iam::123456789012:role/task"})},
		{"repository in capitals", repositoryToken, "InvalidParameterException", fixedInputs(props{"name": "morphee/app"}, props{"name": "Morphee/App"})},
		{"mutability that is none", repositoryToken, "expected imageTagMutability", fixedInputs(props{"imageTagMutability": "IMMUTABLE"}, props{"imageTagMutability": "FROZEN"})},
		{"image rule priority twice", registryLifecycle, "unique rulePriority", images(imageRule("1", `"tagStatus":"untagged"`) + "," + imageRule("1", `"tagStatus":"any"`))},
		{"tagged without tags", registryLifecycle, "needs tagPrefixList", images(imageRule("1", `"tagStatus":"tagged"`))},
		{"any before the rest", registryLifecycle, "highest rulePriority", images(imageRule("1", `"tagStatus":"any"`) + "," + imageRule("2", `"tagStatus":"untagged"`))},
		{"upstream that is none", pullThroughToken, "UnsupportedUpstreamRegistryException", fixedInputs(props{"ecrRepositoryPrefix": "quay", "upstreamRegistryUrl": "quay.io"}, props{"upstreamRegistryUrl": "codeberg.org"})},
		{"Docker Hub without credentials", pullThroughToken, "requires a credentialArn", func(s *simtest.Sim) (props, props) {
			secret := s.Must(secretToken, "hub", props{"name": "ecr-pullthroughcache/hub"}).ID
			return props{"ecrRepositoryPrefix": "hub", "upstreamRegistryUrl": "registry-1.docker.io", "credentialArn": secret}, props{"credentialArn": nil}
		}},
		{"singular with two", scheduleToken, "Invalid Schedule Expression", schedule(props{"scheduleExpression": "rate(2 day)"})},
		{"flexible without a window", scheduleToken, "FlexibleTimeWindow", schedule(props{"flexibleTimeWindow": props{"mode": "FLEXIBLE"}})},
		{"role that the scheduler cannot assume", scheduleToken, "must allow AWS EventBridge Scheduler", schedule(props{"target": scheduleTarget("task", nil)})},
		{"task on Fargate without a network", scheduleToken, "NetworkConfiguration is required", schedule(props{"target": scheduleTarget("run", props{"networkConfiguration": nil})})},
		{"group that does not exist", scheduleToken, "ResourceNotFoundException", schedule(props{"groupName": "nightly"})},
		{"budget in euros", budgetToken, "is USD", fixedInputs(budget, props{"limitUnit": "EUR"})},
		{"notification to nobody", budgetToken, "at least one subscriber", fixedInputs(with(budget, notify("ops@morphee.app")), notify())},
		{"files that are not there to copy", dataSyncTaskToken, "is not found", func(s *simtest.Sim) (props, props) {
			aRole(s, "sync", "datasync.amazonaws.com")
			at := func(bucket string) any {
				aBucket(s, bucket)
				return s.Must(s3LocationToken, bucket, props{"s3BucketArn": "arn:aws:s3:::" + bucket, "subdirectory": "/", "s3Config": props{"bucketAccessRoleArn": "arn:aws:iam::123456789012:role/sync"}}).ID
			}
			return props{"sourceLocationArn": at("morphee-from"), "destinationLocationArn": at("morphee-to")}, props{"sourceLocationArn": "arn:aws:datasync:eu-west-1:123456789012:location/loc-00000000000000000"}
		}},
		{"bucket that DataSync may not enter", s3LocationToken, "unable to assume role", func(s *simtest.Sim) (props, props) {
			aBucket(s, "morphee-to")
			aRole(s, "sync", "datasync.amazonaws.com")
			aRole(s, "task", "ecs-tasks.amazonaws.com")
			by := func(role string) props {
				return props{"s3Config": props{"bucketAccessRoleArn": "arn:aws:iam::123456789012:role/" + role}}
			}
			return with(props{"s3BucketArn": "arn:aws:s3:::morphee-to", "subdirectory": "/"}, by("sync")), by("task")
		}},
	})
}

func scheduleTarget(role string, change props) props {
	return props{"arn": "arn:aws:ecs:eu-west-1:123456789012:cluster/morphee", "roleArn": "arn:aws:iam::123456789012:role/" + role,
		"ecsParameters": with(props{"taskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/export:1", "launchType": "FARGATE",
			"networkConfiguration": props{"subnets": []string{"subnet-1"}}}, change)}
}

func TestDeletesThatAreRefused(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	vault := s.Must(vaultToken, "main", props{"name": "main"})
	vault.Out["recoveryPoints"] = 2.0
	repository := s.Must(repositoryToken, "app", props{"name": "app"})
	s.World.Put(&cloud.Resource{Type: remnant("ecr-images"), ID: "app", Scope: "eu-west-1", Out: cloud.Object{}})
	plan := s.Must(planToken, "plan", props{"rules": []any{props{"ruleName": "daily", "targetVaultName": "main"}}})
	aRole(s, "backup", "backup.amazonaws.com")
	s.Must(selectionToken, "all", props{"planId": plan.ID, "name": "all", "iamRoleArn": "arn:aws:iam::123456789012:role/backup", "resources": []string{"*"}})
	rule := s.Must(eventRuleToken, "rule", props{"scheduleExpression": "rate(1 day)"})
	s.Must(eventTargetToken, "target", props{"rule": rule.ID, "arn": "arn:aws:sns:eu-west-1:123456789012:ops"})
	user := s.Must(userToken, "u", props{"name": "u"})
	s.Must(accessKeyToken, "k", props{"user": "u"})
	for _, d := range []struct {
		r    *cloud.Resource
		want string
	}{
		{vault, "contains recovery points"}, {repository, "RepositoryNotEmptyException"}, {plan, "selections must be deleted prior"},
		{rule, "has targets"}, {user, "must delete access keys first"},
	} {
		if err := s.Delete(d.r); err == nil || !strings.Contains(err.Error(), d.want) {
			t.Errorf("deleting %s: %v, want %q", d.r.Type, err, d.want)
		}
	}
	full, err := s.Update(repository, props{"name": "app", "forceDelete": true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(full); err != nil {
		t.Errorf("deleting a repository with forceDelete: %v", err)
	}
}

func TestSchedules(t *testing.T) {
	for _, e := range []string{"rate(1 hour)", "rate(15 minutes)", "cron(0 3 * * ? *)", "cron(0/15 8-18 ? * MON-FRI *)", "cron(0 0 L * ? 2030)", "cron(0 9 ? * 2#1 *)", "cron(0 1,13 1 JAN,JUL ? *)", "at(2030-01-01T00:00:00)"} {
		if why := scheduleProblem(e); why != "" {
			t.Errorf("%s is refused: %s", e, why)
		}
	}
	for _, e := range []string{"", "daily", "rate(0 days)", "rate(1 hours)", "rate(5 minute)", "rate(2 weeks)", "cron(60 3 * * ? *)", "cron(0 24 * * ? *)", "cron(0 3 32 * ? *)", "cron(0 3 ? * ? *)", "cron(0 3 * 13 ? *)", "cron(0 3 * * ? 1900)", "at(tomorrow)"} {
		if scheduleProblem(e) == "" {
			t.Errorf("%s is accepted", e)
		}
	}
}

func TestLookups(t *testing.T) {
	for token := range edgeFunctions() {
		if p := strings.Split(token, ":"); len(p) != 3 || !strings.HasSuffix(p[1], "/"+p[2]) {
			t.Errorf("token %q has not the form package:module/name:name", token)
		}
	}
	s := edgeSim(t, "eu-west-1")
	aBucket(s, "morphee-data")
	ask := func(token string, in cloud.Object) (cloud.Object, error) {
		return edgeFunctions()[token](&cloud.InvokeCall{Token: token, In: in, Scope: "eu-west-1", World: s.World, Gen: cloud.Gen{Seed: "x"}})
	}
	if out, err := ask("aws:cloudfront/getCachePolicy:getCachePolicy", cloud.Object{"name": "Managed-CachingDisabled"}); err != nil || out.String("id") != "4135ea2d-6df8-44a3-9df3-4b5a84be39ad" {
		t.Errorf("managed cache policy: %v %v", out, err)
	}
	if out, err := ask("aws:s3/getBucket:getBucket", cloud.Object{"bucket": "morphee-data"}); err != nil || out.String("arn") != "arn:aws:s3:::morphee-data" {
		t.Errorf("bucket: %v %v", out, err)
	}
	for token, in := range map[string]cloud.Object{
		"aws:s3/getBucket:getBucket": {"bucket": "other"}, "aws:route53/getZone:getZone": {"name": "morphee.app"}, "aws:iam/getRole:getRole": {"name": "x"},
		"aws:secretsmanager/getSecret:getSecret": {"name": "x"}, "aws:kms/getKey:getKey": {"keyId": "alias/x"}, "aws:ssm/getParameter:getParameter": {"name": "/x"},
	} {
		if out, err := ask(token, in); err == nil {
			t.Errorf("%s found what is not there: %v", token, out)
		}
	}
}
