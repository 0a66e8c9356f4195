package aws

import (
	"regexp"
	"slices"

	awsprovider "github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// AlarmsType is the type token of Alarms.
const AlarmsType = "morphee:aws:Alarms"

// AlarmsArgs say what is watched, from when on it is wrong, and who is told. What is left out is not
// watched.
type AlarmsArgs struct {
	// AccountID and Region of the account; required.
	AccountID pulumi.StringInput
	Region    string
	// KmsKeyArn encrypts the topic, and its policy lets CloudWatch and EventBridge use it; required
	// unless TopicArn is set.
	KmsKeyArn pulumi.StringInput
	// Emails are told; each confirms its subscription once. Up to 10.
	Emails []string
	// TopicArn is an existing topic to tell instead of a new one.
	TopicArn pulumi.StringInput
	// Thresholds default to the monitoring checklist's.
	Thresholds AlarmThresholds

	// ClusterName and Services are the ECS services, by a short stable name.
	ClusterName pulumi.StringInput
	Services    map[string]AlarmService
	// Api is the load balancer's side of the API.
	Api *AlarmApi
	// Database and Cache.
	Database *AlarmDatabase
	Cache    *AlarmCache
	// Backups and the export.
	Backups *AlarmBackups
	// FileSyncTaskArn is the task that copies the files to another region; nil for none.
	FileSyncTaskArn pulumi.StringInput
	// Global is what AWS only measures in us-east-1.
	Global *AlarmGlobal
	// MonthlyUSD is the account's budget, 0 for none; BudgetPercent of it, 1 to 100, default 80, is
	// when people are told, and when the forecast passes the whole.
	MonthlyUSD, BudgetPercent int
	Tags                      base.Tags
}

// AlarmThresholds are the limits. Zero takes the default.
type AlarmThresholds struct {
	CPUPercent                 int     // default 80
	MemoryPercent              int     // default 85
	DiskPercent                int     // default 90
	ErrorRatePercent           float64 // of API requests answered 5xx; default 5
	LatencyP95Milliseconds     int     // default 1000
	WebSocketDisconnectPercent float64 // of the WebSockets opened; default 10
	DatabaseConnections        int     // default 80
	RedisMemoryMB              int     // default 200
	PeriodMinutes              int     // how long it must last, 1 to 60; default 5
}

// AlarmService is one ECS service.
type AlarmService struct {
	// ServiceName in the cluster.
	ServiceName pulumi.StringInput
	// Target in the load balancer; nil for an internal service.
	Target *ServiceTarget
	// MinHealthy is how few healthy tasks behind the load balancer are too few; default 1.
	MinHealthy int
}

// AlarmApi is what the load balancer and the backend's log say about the API.
type AlarmApi struct {
	// AlbArnSuffix of the load balancer, and the target group of the API.
	AlbArnSuffix pulumi.StringInput
	Target       *ServiceTarget
	// LogGroupName of the backend, which writes one JSON object per line. It is read for lost
	// WebSockets and for an exhausted connection pool, which no AWS metric shows.
	LogGroupName pulumi.StringInput
}

// AlarmDatabase is the PostgreSQL database.
type AlarmDatabase struct {
	Engine Engine
	// Identifier of the instance or cluster, and of each instance.
	Identifier          pulumi.StringInput
	InstanceIdentifiers []pulumi.StringOutput
	// MemoryMiB of an instance: DatabaseMemoryMiB for RDS, 2048 for each ACU of the maximum for
	// Aurora, which reports free memory as if it had scaled there.
	MemoryMiB int
	// StorageGiB that RDS began with. Aurora's storage has no limit to come near to.
	StorageGiB int
}

// AlarmCache is the Redis cache.
type AlarmCache struct {
	NodeIDs pulumi.StringArrayOutput
	Nodes   int
}

// AlarmBackups are the AWS Backup vault and the daily export. Either may be left out.
type AlarmBackups struct {
	VaultName pulumi.StringInput
	// ClusterArn the export runs in, the family of its task definition, its schedule group and log.
	ClusterArn, ExportFamily, ScheduleGroup, ExportLogGroup pulumi.StringInput
}

// AlarmGlobal is what is only measured in us-east-1. Its alarms need a topic there, and the topic a
// key there.
type AlarmGlobal struct {
	UsEast1   *awsprovider.Provider
	KmsKeyArn pulumi.StringInput
	// DistributionID of the site; nil for none.
	DistributionID pulumi.StringInput
	// HealthChecks of public names, by host.
	HealthChecks map[string]pulumi.StringOutput
}

// Alarms tell people when the platform is not well.
type Alarms struct {
	pulumi.ResourceState
	TopicArn      pulumi.StringOutput
	DashboardName pulumi.StringOutput

	args   *AlarmsArgs
	name   string
	topic  pulumi.StringInput      // of the alarms being made
	opts   []pulumi.ResourceOption // of the alarms being made
	alarms pulumi.StringArray      // ARNs in this region, for the dashboard
}

var emailAddress = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[a-z]{2,}$`)

func (t *AlarmThresholds) setDefaults() {
	setDefault(&t.CPUPercent, 80)
	setDefault(&t.MemoryPercent, 85)
	setDefault(&t.DiskPercent, 90)
	setDefault(&t.ErrorRatePercent, 5)
	setDefault(&t.LatencyP95Milliseconds, 1000)
	setDefault(&t.WebSocketDisconnectPercent, 10)
	setDefault(&t.DatabaseConnections, 80)
	setDefault(&t.RedisMemoryMB, 200)
	setDefault(&t.PeriodMinutes, 5)
}

func (a *AlarmsArgs) validate(name string) error {
	p := base.Check("Alarms", name)
	p.Require(a.AccountID != nil, "AccountID", "nothing", "the account's id", "")
	p.Require(a.Region != "", "Region", a.Region, "the region's name", "")
	p.Require(a.KmsKeyArn != nil || a.TopicArn != nil, "KmsKeyArn", "nothing", "a customer key, or an existing TopicArn", "")
	p.Require(len(a.Emails) <= 10, "Emails", len(a.Emails), "at most 10", "")
	p.Require(len(a.Emails) > 0 || a.TopicArn != nil, "Emails", "none", "somebody to tell, or an existing TopicArn", "")
	for i, e := range a.Emails {
		p.Require(emailAddress.MatchString(e), "Emails", e, "a mail address", "")
		p.Require(!slices.Contains(a.Emails[:i], e), "Emails", e, "each address once", "")
	}
	t := a.Thresholds
	for field, v := range map[string]float64{
		"CPUPercent": float64(t.CPUPercent), "MemoryPercent": float64(t.MemoryPercent), "DiskPercent": float64(t.DiskPercent),
		"ErrorRatePercent": t.ErrorRatePercent, "WebSocketDisconnectPercent": t.WebSocketDisconnectPercent, "BudgetPercent": float64(a.BudgetPercent),
	} {
		p.Require(v > 0 && v <= 100, field, v, "above 0, at most 100", "")
	}
	p.Require(t.LatencyP95Milliseconds >= 50 && t.LatencyP95Milliseconds <= 60000, "LatencyP95Milliseconds", t.LatencyP95Milliseconds, "50 to 60000", "")
	p.Require(t.DatabaseConnections >= 1, "DatabaseConnections", t.DatabaseConnections, "1 or more", "")
	p.Require(t.RedisMemoryMB >= 1, "RedisMemoryMB", t.RedisMemoryMB, "1 or more", "")
	p.Require(t.PeriodMinutes >= 1 && t.PeriodMinutes <= 60, "PeriodMinutes", t.PeriodMinutes, "1 to 60", "")
	p.Require(len(a.Services) == 0 || a.ClusterName != nil, "ClusterName", "nothing", "the cluster of the services", "")
	p.Require(a.MonthlyUSD >= 0, "MonthlyUSD", a.MonthlyUSD, "0 or more", "")
	if d := a.Database; d != nil {
		p.Require(d.MemoryMiB >= 1024, "Database.MemoryMiB", d.MemoryMiB, "1024 or more", "")
		p.Require(len(d.InstanceIdentifiers) > 0, "Database.InstanceIdentifiers", "none", "at least one", "")
		p.Require(d.Engine == EngineAurora || d.StorageGiB >= 20, "Database.StorageGiB", d.StorageGiB, "20 or more for RDS", "")
	}
	p.Require(a.Cache == nil || a.Cache.Nodes >= 1, "Cache.Nodes", 0, "1 or more", "")
	if b := a.Backups; b != nil {
		p.Require(b.VaultName != nil || b.ExportFamily != nil, "Backups", "nothing", "a vault, an export, or both", "")
		p.Require(b.ExportFamily == nil || b.ClusterArn != nil && b.ScheduleGroup != nil && b.ExportLogGroup != nil, "Backups.ExportFamily",
			"alone", "with ClusterArn, ScheduleGroup and ExportLogGroup", "")
	}
	p.Require(a.Global == nil || a.Global.UsEast1 != nil && a.Global.KmsKeyArn != nil, "Global", "incomplete", "UsEast1 and KmsKeyArn", "")
	return p.Err()
}

// NewAlarms registers the topic, the alarms, the event rules, the budget and the dashboard.
func NewAlarms(ctx *pulumi.Context, name string, in *AlarmsArgs, opts ...pulumi.ResourceOption) (*Alarms, error) {
	args := *in
	args.Thresholds.setDefaults()
	setDefault(&args.BudgetPercent, 80)
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &Alarms{args: &args, name: name}
	if err := ctx.RegisterComponentResourceV2(AlarmsType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	c.opts = []pulumi.ResourceOption{pulumi.Parent(c)}
	if args.TopicArn != nil {
		c.TopicArn = args.TopicArn.ToStringOutput()
	} else if err := c.addTopic(ctx, name+"-topic", args.KmsKeyArn, &c.TopicArn); err != nil {
		return nil, err
	}
	c.topic = c.TopicArn
	for _, add := range []func(*pulumi.Context) error{
		c.watchServices, c.watchApi, c.watchLog, c.watchDatabase, c.watchCache, c.watchBackups, c.watchEvents, c.addBudget, c.addDashboard, c.watchGlobal,
	} {
		if err := add(ctx); err != nil {
			return nil, err
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"topicArn": c.TopicArn, "dashboardName": c.DashboardName})
}

// addTopic registers an encrypted topic that AWS's own messengers may write to, for this account
// only, and subscribes the mail addresses.
func (c *Alarms) addTopic(ctx *pulumi.Context, name string, key pulumi.StringInput, arn *pulumi.StringOutput) error {
	topic, err := sns.NewTopic(ctx, name, &sns.TopicArgs{
		KmsMasterKeyId: key.ToStringOutput().ToStringPtrOutput(), Tags: c.args.Tags.Pulumi("Name", name),
	}, c.opts...)
	if err != nil {
		return err
	}
	policy, err := PolicyDocument(
		Statement{
			Sid: "MessengersPublish", Actions: []string{"sns:Publish"}, Resources: arns(topic.Arn),
			Services:   []string{"cloudwatch.amazonaws.com", "events.amazonaws.com", "budgets.amazonaws.com"},
			Conditions: condition("StringEquals", "aws:SourceAccount", c.args.AccountID),
		},
		Statement{
			Sid: "TlsOnly", Deny: true, Actions: []string{"sns:Publish"}, Resources: arns(topic.Arn),
			Everyone:   true,
			Conditions: condition("Bool", "aws:SecureTransport", pulumi.String("false")),
		})
	if err != nil {
		return err
	}
	if _, err := sns.NewTopicPolicy(ctx, name+"-policy", &sns.TopicPolicyArgs{Arn: topic.Arn, Policy: policy}, c.opts...); err != nil {
		return err
	}
	for _, e := range c.args.Emails {
		if _, err := sns.NewTopicSubscription(ctx, name+"-to-"+e, &sns.TopicSubscriptionArgs{
			Topic: topic.Arn, Protocol: pulumi.String("email"), Endpoint: pulumi.String(e),
		}, c.opts...); err != nil {
			return err
		}
	}
	*arn = topic.Arn
	return nil
}
