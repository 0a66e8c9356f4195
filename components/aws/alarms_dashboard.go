package aws

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// addDashboard registers one page with the state of every alarm in the region and the few curves
// that are looked at first.
func (c *Alarms) addDashboard(ctx *pulumi.Context) error {
	region := pulumi.String(c.args.Region)
	widgets := pulumi.Array{}
	place := func(kind string, width, height int, properties pulumi.Map) {
		widgets = append(widgets, pulumi.Map{"type": pulumi.String(kind), "width": pulumi.Int(width), "height": pulumi.Int(height), "properties": properties})
	}
	graph := func(title, stat string, metrics ...pulumi.Array) {
		lines := pulumi.Array{}
		for _, m := range metrics {
			lines = append(lines, m)
		}
		place("metric", 12, 6, pulumi.Map{
			"title": pulumi.String(title), "stat": pulumi.String(stat), "period": pulumi.Int(60), "region": region, "view": pulumi.String("timeSeries"), "metrics": lines,
		})
	}
	if len(c.alarms) > 0 {
		place("alarm", 24, 6, pulumi.Map{"title": pulumi.String("Alarms"), "alarms": c.alarms})
	}
	line := func(namespace, metric string, dims ...pulumi.Input) pulumi.Array {
		return append(pulumi.Array{pulumi.String(namespace), pulumi.String(metric)}, dims...)
	}
	if a := c.args.Api; a != nil {
		dims := []pulumi.Input{pulumi.String("LoadBalancer"), a.AlbArnSuffix, pulumi.String("TargetGroup"), a.Target.ArnSuffix}
		graph("API requests and failures", "Sum", line("AWS/ApplicationELB", "RequestCount", dims...), line("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", dims...))
		graph("API latency, p95 (s)", "p95", line("AWS/ApplicationELB", "TargetResponseTime", dims...))
	}
	cpu, memory := []pulumi.Array{}, []pulumi.Array{}
	for _, name := range sortedKeys(c.args.Services) {
		dims := []pulumi.Input{pulumi.String("ClusterName"), c.args.ClusterName, pulumi.String("ServiceName"), c.args.Services[name].ServiceName}
		cpu, memory = append(cpu, line("AWS/ECS", "CPUUtilization", dims...)), append(memory, line("AWS/ECS", "MemoryUtilization", dims...))
	}
	if len(cpu) > 0 {
		graph("Services: CPU (%)", "Average", cpu...)
		graph("Services: memory (%)", "Average", memory...)
	}
	if d := c.args.Database; d != nil {
		lines := []pulumi.Array{}
		for _, id := range d.InstanceIdentifiers {
			lines = append(lines, line("AWS/RDS", "CPUUtilization", pulumi.String("DBInstanceIdentifier"), id), line("AWS/RDS", "DatabaseConnections", pulumi.String("DBInstanceIdentifier"), id))
		}
		graph("Database: CPU (%) and connections", "Average", lines...)
	}
	if n := c.args.Cache; n != nil {
		lines := []pulumi.Array{}
		for i := range n.Nodes {
			lines = append(lines, line("AWS/ElastiCache", "BytesUsedForCache", pulumi.String("CacheClusterId"), n.NodeIDs.Index(pulumi.Int(i))))
		}
		graph("Redis: memory (bytes)", "Maximum", lines...)
	}
	name := c.args.Tags.Project + "-" + c.args.Tags.Stack + "-" + c.name
	dashboard, err := cloudwatch.NewDashboard(ctx, c.name+"-dashboard", &cloudwatch.DashboardArgs{
		DashboardName: pulumi.String(name), DashboardBody: pulumi.JSONMarshal(pulumi.Map{"widgets": widgets}),
	}, c.opts...)
	if err != nil {
		return err
	}
	c.DashboardName = dashboard.DashboardName
	return nil
}
