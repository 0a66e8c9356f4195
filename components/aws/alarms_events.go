package aws

import (
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/budgets"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// event is something AWS announces rather than measures.
type event struct {
	name, says string
	pattern    pulumi.Map
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func texts(values ...string) pulumi.StringArray { return pulumi.ToStringArray(values) }

// events lists what is listened for, given what there is.
func (c *Alarms) events() []event {
	out := []event{}
	if len(c.args.Services) > 0 {
		arns := pulumi.Sprintf("arn:aws:ecs:%s:%s:service/%s/", c.args.Region, c.args.AccountID, c.args.ClusterName)
		out = append(out, event{"deployment-failed", "A deployment failed; ECS went back to the version before.", pulumi.Map{
			"source": texts("aws.ecs"), "detail-type": texts("ECS Deployment State Change"),
			"resources": pulumi.Array{pulumi.Map{"prefix": arns}},
			"detail":    pulumi.Map{"eventName": texts("SERVICE_DEPLOYMENT_FAILED")},
		}})
	}
	if d := c.args.Database; d != nil {
		kind, source := "RDS DB Instance Event", pulumi.StringArray{}
		for _, id := range d.InstanceIdentifiers {
			source = append(source, id)
		}
		// 'Low storage' is sent when 90 % of what is allocated is used, whatever it has grown to.
		out = append(out, event{"database-event", "The database fails, fails over or is short of storage.", pulumi.Map{
			"source": texts("aws.rds"), "detail-type": texts(kind),
			"detail": pulumi.Map{"SourceIdentifier": source, "EventCategories": texts("availability", "failure", "failover", "low storage", "recovery")},
		}})
	}
	if b := c.args.Backups; b != nil {
		if b.VaultName != nil {
			out = append(out, event{"backup-failed", "A backup job failed.", pulumi.Map{
				"source": texts("aws.backup"), "detail-type": texts("Backup Job State Change"),
				"detail": pulumi.Map{"state": texts("FAILED", "ABORTED", "EXPIRED"), "backupVaultName": pulumi.Array{b.VaultName}},
			}})
		}
		if b.ExportFamily != nil {
			out = append(out, event{"export-failed", "The daily export to R2 failed.", pulumi.Map{
				"source": texts("aws.ecs"), "detail-type": texts("ECS Task State Change"),
				"detail": pulumi.Map{
					"clusterArn": pulumi.Array{b.ClusterArn}, "group": pulumi.Array{pulumi.Sprintf("family:%s", b.ExportFamily)}, "lastStatus": texts("STOPPED"),
					"$or": pulumi.Array{
						pulumi.Map{"containers": pulumi.Map{"exitCode": pulumi.Array{pulumi.Map{"anything-but": pulumi.Int(0)}}}},
						pulumi.Map{"stopCode": texts("TaskFailedToStart")},
					},
				},
			}})
		}
	}
	if c.args.FileSyncTaskArn != nil {
		out = append(out, event{"file-sync-failed", "DataSync did not copy the files to the other region, or not all.", pulumi.Map{
			"source": texts("aws.datasync"), "detail-type": texts("DataSync Task Execution State Change"),
			"resources": pulumi.Array{pulumi.Map{"prefix": pulumi.Sprintf("%s/", c.args.FileSyncTaskArn)}},
			"detail":    pulumi.Map{"State": texts("ERROR")},
		}})
	}
	return out
}

// watchEvents registers a rule for each event, which hands it to the topic.
func (c *Alarms) watchEvents(ctx *pulumi.Context) error {
	for _, e := range c.events() {
		name := c.name + "-" + e.name
		r, err := cloudwatch.NewEventRule(ctx, name, &cloudwatch.EventRuleArgs{
			Description: pulumi.String(e.says), EventPattern: pulumi.JSONMarshal(e.pattern), Tags: c.args.Tags.Pulumi("Name", name),
		}, c.opts...)
		if err != nil {
			return err
		}
		if _, err := cloudwatch.NewEventTarget(ctx, name+"-tell", &cloudwatch.EventTargetArgs{
			Rule: r.Name, Arn: c.topic, TargetId: pulumi.String("topic"),
		}, c.opts...); err != nil {
			return err
		}
	}
	return nil
}

// addBudget registers the monthly budget. It is the whole account's: a filter by tag shows nothing
// until somebody activates the tag for billing, and a budget that sees no cost never warns.
func (c *Alarms) addBudget(ctx *pulumi.Context) error {
	if c.args.MonthlyUSD == 0 {
		return nil
	}
	notify := func(kind string, percent int) *budgets.BudgetNotificationArgs {
		n := &budgets.BudgetNotificationArgs{
			ComparisonOperator: pulumi.String("GREATER_THAN"), NotificationType: pulumi.String(kind),
			Threshold: pulumi.Float64(percent), ThresholdType: pulumi.String("PERCENTAGE"),
		}
		if len(c.args.Emails) > 0 {
			n.SubscriberEmailAddresses = pulumi.ToStringArray(c.args.Emails)
		} else {
			n.SubscriberSnsTopicArns = pulumi.StringArray{c.topic}
		}
		return n
	}
	_, err := budgets.NewBudget(ctx, c.name+"-budget", &budgets.BudgetArgs{
		BudgetType: pulumi.String("COST"), TimeUnit: pulumi.String("MONTHLY"),
		LimitAmount: pulumi.Sprintf("%d", c.args.MonthlyUSD), LimitUnit: pulumi.String("USD"),
		Notifications: budgets.BudgetNotificationArray{notify("ACTUAL", c.args.BudgetPercent), notify("FORECASTED", 100)},
		Tags:          c.args.Tags.Pulumi("Name", c.name+"-budget"),
	}, c.opts...)
	return err
}
