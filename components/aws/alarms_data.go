package aws

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const mebibyte = 1 << 20

// DatabaseMemoryMiB is the memory of an RDS instance class; false for a class it does not know.
func DatabaseMemoryMiB(class string) (int, bool) {
	parts := strings.Split(class, ".")
	if len(parts) != 3 || parts[0] != "db" {
		return 0, false
	}
	sizes := map[string]int{"micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16, "2xlarge": 32, "4xlarge": 64, "8xlarge": 128, "12xlarge": 192, "16xlarge": 256}
	gib, ok := sizes[parts[2]]
	switch parts[1][0] {
	case 't', 'm':
	case 'r', 'x': // memory-heavy families have twice as much at each size
		gib *= 2
	default:
		ok = false
	}
	return gib * 1024, ok
}

// watchDatabase: CPU, memory, connections of each instance; the disk of RDS; the scaling limit of
// Aurora. That the disk is 90 % full when storage has grown is AWS's own event (watchEvents).
func (c *Alarms) watchDatabase(ctx *pulumi.Context) error {
	d := c.args.Database
	if d == nil {
		return nil
	}
	t := c.args.Thresholds
	for i, id := range d.InstanceIdentifiers {
		name := fmt.Sprintf("database-%d", i+1)
		metric := func(metric, stat string) metricQuery {
			return metricQuery{"", "AWS/RDS", metric, stat, pulumi.StringMap{"DBInstanceIdentifier": id}}
		}
		rules := []rule{
			{name: name + "-cpu", says: fmt.Sprintf("the database uses more than %d%% of its CPU", t.CPUPercent), is: above, threshold: float64(t.CPUPercent),
				metric: metric("CPUUtilization", "Average")},
			{name: name + "-memory", says: fmt.Sprintf("the database uses more than %d%% of its memory", t.MemoryPercent), is: below,
				threshold: float64(100-t.MemoryPercent) / 100 * float64(d.MemoryMiB) * mebibyte, metric: metric("FreeableMemory", "Average")},
			{name: name + "-connections", says: fmt.Sprintf("more than %d connections to the database are open; it needs a pooler", t.DatabaseConnections), is: above,
				threshold: float64(t.DatabaseConnections), metric: metric("DatabaseConnections", "Maximum")},
		}
		if d.Engine == EngineRds {
			rules = append(rules, rule{name: name + "-disk", says: fmt.Sprintf("less than %d%% of the database's first disk size is free", 100-t.DiskPercent), is: below,
				threshold: float64(100-t.DiskPercent) / 100 * float64(d.StorageGiB) * 1024 * mebibyte, metric: metric("FreeStorageSpace", "Minimum")})
		} else {
			rules = append(rules, rule{name: name + "-capacity", says: "the database is near its largest capacity", is: above, threshold: 90,
				metric: metric("ACUUtilization", "Average")})
		}
		if err := c.addAll(ctx, rules...); err != nil {
			return err
		}
	}
	return nil
}

// watchCache: memory, CPU and evictions of each Redis node.
func (c *Alarms) watchCache(ctx *pulumi.Context) error {
	if c.args.Cache == nil {
		return nil
	}
	t := c.args.Thresholds
	for i := range c.args.Cache.Nodes {
		name := fmt.Sprintf("cache-%d", i+1)
		metric := func(metric, stat string) metricQuery {
			return metricQuery{"", "AWS/ElastiCache", metric, stat, pulumi.StringMap{"CacheClusterId": c.args.Cache.NodeIDs.Index(pulumi.Int(i))}}
		}
		if err := c.addAll(ctx,
			rule{name: name + "-memory", says: fmt.Sprintf("Redis holds more than %d MB", t.RedisMemoryMB), is: above, threshold: float64(t.RedisMemoryMB) * 1e6,
				metric: metric("BytesUsedForCache", "Maximum")},
			rule{name: name + "-memory-share", says: fmt.Sprintf("Redis uses more than %d%% of its memory", t.MemoryPercent), is: above, threshold: float64(t.MemoryPercent),
				metric: metric("DatabaseMemoryUsagePercentage", "Maximum")},
			// Redis runs its commands on one core: the engine's share says more than the host's.
			rule{name: name + "-cpu", says: fmt.Sprintf("Redis uses more than %d%% of its core", t.CPUPercent), is: above, threshold: float64(t.CPUPercent),
				metric: metric("EngineCPUUtilization", "Average")},
			rule{name: name + "-evictions", says: "Redis drops keys for lack of memory", is: above, threshold: 0, points: 1, period: t.PeriodMinutes * 60,
				metric: metric("Evictions", "Sum")},
		); err != nil {
			return err
		}
	}
	return nil
}

// watchBackups: a day without a finished backup, and an export that did not start or ran not at all.
// That one has failed is an event (watchEvents).
func (c *Alarms) watchBackups(ctx *pulumi.Context) error {
	b := c.args.Backups
	if b == nil {
		return nil
	}
	if b.VaultName != nil {
		if err := c.add(ctx, rule{
			name: "backup-missing", says: "AWS Backup has finished nothing for a day", is: below, threshold: 1, period: daySeconds, points: 1, gap: gapIsBad,
			metric: metricQuery{"", "AWS/Backup", "NumberOfBackupJobsCompleted", "Sum", pulumi.StringMap{"BackupVaultName": b.VaultName}},
		}); err != nil {
			return err
		}
	}
	if b.ExportFamily == nil {
		return nil
	}
	return c.addAll(ctx,
		rule{name: "export-missing", says: "the daily export to R2 has not run for a day", is: below, threshold: 1, period: daySeconds, points: 1, gap: gapIsBad,
			metric: metricQuery{"", "AWS/Logs", "IncomingLogEvents", "Sum", pulumi.StringMap{"LogGroupName": b.ExportLogGroup}}},
		rule{name: "export-not-started", says: "the daily export to R2 could not be started", is: above, threshold: 0, period: 300, points: 1, gap: gapIsFine,
			metric: metricQuery{"", "AWS/Scheduler", "TargetErrorCount", "Sum", pulumi.StringMap{"ScheduleGroup": b.ScheduleGroup}}},
	)
}

// watchGlobal: what AWS measures in us-east-1 only, told to a topic there.
func (c *Alarms) watchGlobal(ctx *pulumi.Context) error {
	g := c.args.Global
	if g == nil {
		return nil
	}
	c.opts = []pulumi.ResourceOption{pulumi.Parent(c), pulumi.Provider(g.UsEast1)}
	var topic pulumi.StringOutput
	if err := c.addTopic(ctx, c.name+"-global-topic", g.KmsKeyArn, &topic); err != nil {
		return err
	}
	c.topic = topic
	if g.DistributionID != nil {
		if err := c.add(ctx, rule{
			name: "site-errors", says: fmt.Sprintf("more than %g%% of the site's requests fail", c.args.Thresholds.ErrorRatePercent), is: above, threshold: c.args.Thresholds.ErrorRatePercent, gap: gapIsFine,
			metric: metricQuery{"", "AWS/CloudFront", "5xxErrorRate", "Average", pulumi.StringMap{"DistributionId": g.DistributionID, "Region": pulumi.String("Global")}},
		}); err != nil {
			return err
		}
	}
	for _, host := range sortedKeys(g.HealthChecks) {
		if err := c.add(ctx, rule{
			name: "reach-" + host, says: "https://" + host + " does not answer from around the world", is: below, threshold: 1, points: 3, gap: gapIsBad,
			metric: metricQuery{"", "AWS/Route53", "HealthCheckStatus", "Minimum", pulumi.StringMap{"HealthCheckId": g.HealthChecks[host]}},
		}); err != nil {
			return err
		}
	}
	return nil
}
