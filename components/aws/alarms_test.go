package aws

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/recorder"
)

const metricAlarm = "aws:cloudwatch/metricAlarm:MetricAlarm"

func out(s string) pulumi.StringOutput { return pulumi.String(s).ToStringOutput() }

func target(name string) *ServiceTarget {
	return &ServiceTarget{ArnSuffix: out("targetgroup/" + name + "/1")}
}

// everything watches all that there is on RDS.
func everything(p *Providers) *AlarmsArgs {
	return &AlarmsArgs{
		AccountID: pulumi.String(testAccount), Region: testRegion, KmsKeyArn: keyArn("alarms"), Emails: []string{"ops@morphee.app", "two@morphee.app"}, Tags: testTags,
		ClusterName: pulumi.String("cluster"),
		Services: map[string]AlarmService{
			"backend": {ServiceName: pulumi.String("backend-1"), Target: target("api")},
			"forgejo": {ServiceName: pulumi.String("forgejo-1"), Target: target("git")},
		},
		Api:        &AlarmApi{AlbArnSuffix: pulumi.String("app/alb/1"), Target: target("api"), LogGroupName: pulumi.String("backend-logs")},
		Database:   &AlarmDatabase{Engine: EngineRds, Identifier: pulumi.String("db"), InstanceIdentifiers: []pulumi.StringOutput{out("db")}, MemoryMiB: 2048, StorageGiB: 20},
		Cache:      &AlarmCache{NodeIDs: pulumi.ToStringArray([]string{"redis-001"}).ToStringArrayOutput(), Nodes: 1},
		Backups:    &AlarmBackups{VaultName: pulumi.String("vault"), ClusterArn: pulumi.String("arn:cluster"), ExportFamily: pulumi.String("export"), ScheduleGroup: pulumi.String("group"), ExportLogGroup: pulumi.String("export-logs")},
		Global:     &AlarmGlobal{UsEast1: p.UsEast1, KmsKeyArn: keyArn("global"), DistributionID: pulumi.String("E1"), HealthChecks: map[string]pulumi.StringOutput{"api.morphee.app": out("hc")}},
		MonthlyUSD: 400,
	}
}

func allAlarms(t *testing.T) []recorder.Resource {
	return register(t, func(ctx *pulumi.Context) error {
		p, err := NewProviders(ctx, "aws", &ProvidersArgs{Region: testRegion, AccountID: testAccount})
		if err != nil {
			return err
		}
		if _, err := NewAlarms(ctx, "a", everything(p)); err != nil {
			return err
		}
		_, err = NewAlarms(ctx, "b", &AlarmsArgs{
			AccountID: pulumi.String(testAccount), Region: testRegion, TopicArn: pulumi.String("arn:topic"), Tags: testTags, MonthlyUSD: 10,
			Database: &AlarmDatabase{Engine: EngineAurora, Identifier: pulumi.String("c"), InstanceIdentifiers: []pulumi.StringOutput{out("w"), out("r")}, MemoryMiB: 8192},
		})
		return err
	})
}

func TestAlarmsTwice(t *testing.T) {
	list := allAlarms(t)
	recorder.ExpectCounts(t, list, map[string]int{
		ProvidersType: 1, "pulumi:providers:aws": 2, AlarmsType: 2, "aws:sns/topic:Topic": 2, "aws:sns/topicPolicy:TopicPolicy": 2, "aws:sns/topicSubscription:TopicSubscription": 4,
		// First: 2 services of 5, API 3, log 2, RDS 4, cache 4, backups 3, global 2. Second: 2 instances of 4.
		metricAlarm: 36, "aws:cloudwatch/logMetricFilter:LogMetricFilter": 3,
		// Deployment, database, backup, export; and the second's database.
		"aws:cloudwatch/eventRule:EventRule": 5, "aws:cloudwatch/eventTarget:EventTarget": 5,
		"aws:budgets/budget:Budget": 2, "aws:cloudwatch/dashboard:Dashboard": 2,
	})
	topic := recorder.Must(t, list, "aws:sns/topic:Topic", "a-topic")
	if key, _ := topic.Input("kmsMasterKeyId").(string); !strings.HasSuffix(key, "key/alarms") {
		t.Errorf("the topic is encrypted with %q", key)
	}
	policy := policyOf(t, recorder.Must(t, list, "aws:sns/topicPolicy:TopicPolicy", "a-topic-policy"), "policy")
	if s := statement(t, policy, "MessengersPublish"); s.Condition["StringEquals"]["aws:SourceAccount"] == nil {
		t.Errorf("another account's alarms may publish: %+v", s)
	}
	if s := statement(t, policy, "TlsOnly"); s.Effect != "Deny" {
		t.Errorf("the topic takes plain HTTP: %+v", s)
	}
	if g := recorder.Must(t, list, "aws:sns/topic:Topic", "a-global-topic"); !strings.Contains(g.Provider, "aws-us-east-1") {
		t.Errorf("the topic of us-east-1's alarms is at %q", g.Provider)
	}
	recorder.Expect(t, recorder.Must(t, list, "aws:budgets/budget:Budget", "a-budget"), map[string]any{
		"limitAmount": "400", "timeUnit": "MONTHLY", "notifications.0.threshold": 80, "notifications.0.notificationType": "ACTUAL",
		"notifications.1.threshold": 100, "notifications.1.notificationType": "FORECASTED", "notifications.0.subscriberEmailAddresses.0": "ops@morphee.app",
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:budgets/budget:Budget", "b-budget"), map[string]any{"notifications.0.subscriberSnsTopicArns.0": "arn:topic"})
}

// Each line of the source document's monitoring checklist, with its number.
func TestMonitoringChecklist(t *testing.T) {
	list := allAlarms(t)
	const above, below = "GreaterThanThreshold", "LessThanThreshold"
	five := map[string]any{"period": 60, "evaluationPeriods": 5, "datapointsToAlarm": 5}
	for _, c := range []struct {
		line, alarm, metric, comparison string
		threshold                       float64
		five                            bool
	}{
		{"CPU > 80 % for 5 minutes", "a-backend-cpu", "CPUUtilization", above, 80, true},
		{"CPU, Forgejo", "a-forgejo-cpu", "CPUUtilization", above, 80, true},
		{"CPU, database", "a-database-1-cpu", "CPUUtilization", above, 80, true},
		{"CPU, Redis", "a-cache-1-cpu", "EngineCPUUtilization", above, 80, true},
		{"memory > 85 % for 5 minutes", "a-backend-memory", "MemoryUtilization", above, 85, true},
		{"memory, database: 15 % of 2 GiB left", "a-database-1-memory", "FreeableMemory", below, 0.15 * 2 * (1 << 30), true},
		{"disk > 90 %, database: 10 % of 20 GiB left", "a-database-1-disk", "FreeStorageSpace", below, 0.1 * 20 * (1 << 30), true},
		{"API latency p95 > 1 second", "a-api-latency", "TargetResponseTime", above, 1, true},
		{"connection pool: connections", "a-database-1-connections", "DatabaseConnections", above, 80, true},
		{"connection pool: exhausted", "a-pool", "PoolExhausted", above, 0, false},
		{"Redis memory > 200 MB", "a-cache-1-memory", "BytesUsedForCache", above, 200e6, true},
		{"healthy hosts of Forgejo", "a-forgejo-healthy", "HealthyHostCount", below, 1, true},
		{"backups missing", "a-backup-missing", "NumberOfBackupJobsCompleted", below, 1, false},
		{"export missing", "a-export-missing", "IncomingLogEvents", below, 1, false},
		{"export not started", "a-export-not-started", "TargetErrorCount", above, 0, false},
		{"the site", "a-site-errors", "5xxErrorRate", above, 5, true},
		{"the API from outside", "a-reach-api.morphee.app", "HealthCheckStatus", below, 1, false},
		{"Aurora near its maximum", "b-database-2-capacity", "ACUUtilization", above, 90, true},
	} {
		r := recorder.Must(t, list, metricAlarm, c.alarm)
		recorder.Expect(t, r, map[string]any{"metricName": c.metric, "comparisonOperator": c.comparison})
		if got, _ := r.Input("threshold").(float64); got < c.threshold*0.999 || got > c.threshold*1.001 {
			t.Errorf("%s: threshold %v, want %v", c.line, got, c.threshold)
		}
		if c.five {
			recorder.Expect(t, r, five)
		}
		if r.Input("alarmActions.0") == nil || r.Input("okActions.0") == nil || r.Input("alarmDescription") == nil {
			t.Errorf("%s tells nobody, or not what", c.line)
		}
	}
	for _, c := range []struct {
		line, alarm, formula string
		threshold            float64
		inputs               int
	}{
		{"API error rate > 5 %", "a-api-errors", "/ requests", 5, 3},
		{"WebSocket disconnection rate > 10 %", "a-websockets", "FILL(lost, 0)", 10, 2},
		{"disk > 90 %, a task's own", "a-backend-disk", "100 * used / reserved", 90, 2},
		{"fewer tasks than wanted", "a-backend-tasks", "desired - running", 0, 2},
	} {
		r := recorder.Must(t, list, metricAlarm, c.alarm)
		queries, _ := r.Input("metricQueries").([]any)
		formula, _ := r.Input("metricQueries.0.expression").(string)
		if !strings.Contains(formula, c.formula) || len(queries) != c.inputs+1 || r.Input("threshold") != c.threshold {
			t.Errorf("%s: formula %q over %d metrics, threshold %v", c.line, formula, len(queries)-1, r.Input("threshold"))
		}
	}
	if recorder.Must(t, list, metricAlarm, "a-forgejo-healthy").Input("treatMissingData") != "breaching" || recorder.Must(t, list, metricAlarm, "a-backup-missing").Input("treatMissingData") != "breaching" {
		t.Error("silence where something should report counts as fine")
	}
}

func TestEventsReachTheTopic(t *testing.T) {
	list := allAlarms(t)
	for rule, parts := range map[string][]string{
		"a-deployment-failed": {"SERVICE_DEPLOYMENT_FAILED", "service/cluster/"},
		"a-database-event":    {"low storage", `"db"`},
		"a-backup-failed":     {`"backupVaultName":["vault"]`, "FAILED"},
		"a-export-failed":     {"family:export", `"anything-but":0`, "TaskFailedToStart"},
	} {
		pattern, _ := recorder.Must(t, list, "aws:cloudwatch/eventRule:EventRule", rule).Input("eventPattern").(string)
		for _, p := range parts {
			if !strings.Contains(pattern, p) {
				t.Errorf("%s does not listen for %s: %s", rule, p, pattern)
			}
		}
		recorder.Expect(t, recorder.Must(t, list, "aws:cloudwatch/eventTarget:EventTarget", rule+"-tell"), map[string]any{"arn": "arn:aws:a-topic"})
	}
}

func TestAlarmsRefuse(t *testing.T) {
	for field, spoil := range map[string]func(*AlarmsArgs){
		"KmsKeyArn":              func(a *AlarmsArgs) { a.KmsKeyArn = nil },
		"Emails":                 func(a *AlarmsArgs) { a.Emails = []string{"nobody"} },
		"somebody to tell":       func(a *AlarmsArgs) { a.Emails = nil },
		"ErrorRatePercent":       func(a *AlarmsArgs) { a.Thresholds.ErrorRatePercent = 101 },
		"LatencyP95Milliseconds": func(a *AlarmsArgs) { a.Thresholds.LatencyP95Milliseconds = 1 },
		"PeriodMinutes":          func(a *AlarmsArgs) { a.Thresholds.PeriodMinutes = 61 },
		"Database.MemoryMiB":     func(a *AlarmsArgs) { a.Database.MemoryMiB = 0 },
		"Database.StorageGiB":    func(a *AlarmsArgs) { a.Database.StorageGiB = 0 },
		"Backups.ExportFamily":   func(a *AlarmsArgs) { a.Backups.ExportLogGroup = nil },
		"ClusterName":            func(a *AlarmsArgs) { a.ClusterName = nil },
		"Global":                 func(a *AlarmsArgs) { a.Global.KmsKeyArn = nil },
		"Cache.Nodes":            func(a *AlarmsArgs) { a.Cache.Nodes = 0 },
	} {
		recorder.Refuses(t, field, func(ctx *pulumi.Context) error {
			args := everything(&Providers{})
			spoil(args)
			_, err := NewAlarms(ctx, "a", args)
			return err
		})
	}
}

func TestDatabaseMemory(t *testing.T) {
	for class, want := range map[string]int{"db.t4g.micro": 1024, "db.t4g.small": 2048, "db.t4g.medium": 4096, "db.m7g.large": 8192, "db.r6g.xlarge": 32768, "db.t4g": 0, "db.z9.large": 0} {
		got, known := DatabaseMemoryMiB(class)
		if known != (want > 0) || known && got != want {
			t.Errorf("%s has %d MiB (%v), want %d", class, got, known, want)
		}
	}
}
