package aws

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// How a value relates to its threshold when it is wrong.
const (
	above = "GreaterThanThreshold"
	below = "LessThanThreshold"
)

// What a gap in the data means.
const (
	gapIsFine = "notBreaching" // nothing happened
	gapIsBad  = "breaching"    // what should report is gone
	gapIsGap  = "missing"
)

const daySeconds = 24 * 60 * 60

// metricQuery is one metric of an alarm or of its formula.
type metricQuery struct {
	id, namespace, metric, stat string
	dims                        pulumi.StringMap
}

// rule is one alarm: a metric, or a formula over several, against a threshold.
type rule struct {
	name, says string // child name, and what people read
	metric     metricQuery
	formula    string // over inputs, by their ids
	inputs     []metricQuery
	is         string
	threshold  float64
	period     int // seconds of one data point; default 60
	points     int // data points in a row that must be wrong; default: the checklist's minutes
	gap        string
}

// add registers an alarm that tells the topic when it begins and when it ends.
func (c *Alarms) add(ctx *pulumi.Context, r rule) error {
	setDefault(&r.period, 60)
	setDefault(&r.points, c.args.Thresholds.PeriodMinutes)
	setDefault(&r.gap, gapIsGap)
	full := c.name + "-" + r.name
	args := &cloudwatch.MetricAlarmArgs{
		AlarmDescription: pulumi.String(r.says), ComparisonOperator: pulumi.String(r.is), Threshold: pulumi.Float64(r.threshold),
		EvaluationPeriods: pulumi.Int(r.points), DatapointsToAlarm: pulumi.Int(r.points), TreatMissingData: pulumi.String(r.gap),
		AlarmActions: pulumi.Array{c.topic}, OkActions: pulumi.Array{c.topic}, Tags: c.args.Tags.Pulumi("Name", full),
	}
	switch m := r.metric; {
	case r.formula != "":
		args.MetricQueries = r.queries()
	default:
		args.Namespace, args.MetricName, args.Dimensions = pulumi.String(m.namespace), pulumi.String(m.metric), m.dims
		args.Period = pulumi.Int(r.period)
		if m.stat[0] == 'p' {
			args.ExtendedStatistic, args.EvaluateLowSampleCountPercentiles = pulumi.String(m.stat), pulumi.String("ignore")
		} else {
			args.Statistic = pulumi.String(m.stat)
		}
	}
	alarm, err := cloudwatch.NewMetricAlarm(ctx, full, args, c.opts...)
	if err != nil {
		return err
	}
	c.alarms = append(c.alarms, alarm.Arn)
	return nil
}

func (r rule) queries() cloudwatch.MetricAlarmMetricQueryArray {
	out := cloudwatch.MetricAlarmMetricQueryArray{&cloudwatch.MetricAlarmMetricQueryArgs{
		Id: pulumi.String("result"), Expression: pulumi.String(r.formula), Label: pulumi.String(r.name), ReturnData: pulumi.Bool(true),
	}}
	for _, m := range r.inputs {
		out = append(out, &cloudwatch.MetricAlarmMetricQueryArgs{
			Id: pulumi.String(m.id), ReturnData: pulumi.Bool(false),
			Metric: &cloudwatch.MetricAlarmMetricQueryMetricArgs{
				Namespace: pulumi.String(m.namespace), MetricName: pulumi.String(m.metric), Dimensions: m.dims,
				Period: pulumi.Int(r.period), Stat: pulumi.String(m.stat),
			},
		})
	}
	return out
}

func (c *Alarms) addAll(ctx *pulumi.Context, rules ...rule) error {
	for _, r := range rules {
		if err := c.add(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// watchServices: CPU, memory and disk of each ECS service, tasks that do not run, healthy hosts.
func (c *Alarms) watchServices(ctx *pulumi.Context) error {
	t := c.args.Thresholds
	for _, name := range slices.Sorted(maps.Keys(c.args.Services)) {
		s := c.args.Services[name]
		dims := pulumi.StringMap{"ClusterName": c.args.ClusterName, "ServiceName": s.ServiceName}
		insight := func(id, metric, stat string) metricQuery {
			return metricQuery{id, "ECS/ContainerInsights", metric, stat, dims}
		}
		if err := c.addAll(ctx,
			rule{name: name + "-cpu", says: fmt.Sprintf("%s uses more than %d%% of its CPU", name, t.CPUPercent), is: above, threshold: float64(t.CPUPercent),
				metric: metricQuery{"", "AWS/ECS", "CPUUtilization", "Average", dims}},
			rule{name: name + "-memory", says: fmt.Sprintf("%s uses more than %d%% of its memory", name, t.MemoryPercent), is: above, threshold: float64(t.MemoryPercent),
				metric: metricQuery{"", "AWS/ECS", "MemoryUtilization", "Average", dims}},
			rule{name: name + "-disk", says: fmt.Sprintf("%s uses more than %d%% of a task's own disk", name, t.DiskPercent), is: above, threshold: float64(t.DiskPercent),
				formula: "100 * used / reserved", inputs: []metricQuery{insight("used", "EphemeralStorageUtilized", "Maximum"), insight("reserved", "EphemeralStorageReserved", "Maximum")}},
			rule{name: name + "-tasks", says: name + " has run fewer tasks than it should for ten minutes", is: above, threshold: 0, points: 10,
				formula: "desired - running", inputs: []metricQuery{insight("desired", "DesiredTaskCount", "Average"), insight("running", "RunningTaskCount", "Average")}},
		); err != nil {
			return err
		}
		if s.Target == nil || c.args.Api == nil {
			continue
		}
		setDefault(&s.MinHealthy, 1)
		if err := c.add(ctx, rule{
			name: name + "-healthy", says: fmt.Sprintf("fewer than %d tasks of %s answer the load balancer", s.MinHealthy, name),
			// As long as the rest: a single writer is away for a minute or two at every deployment.
			is: below, threshold: float64(s.MinHealthy), gap: gapIsBad,
			metric: metricQuery{"", "AWS/ApplicationELB", "HealthyHostCount", "Minimum", c.targetDims(s.Target)},
		}); err != nil {
			return err
		}
	}
	return nil
}

func (c *Alarms) targetDims(t *ServiceTarget) pulumi.StringMap {
	return pulumi.StringMap{"LoadBalancer": c.args.Api.AlbArnSuffix, "TargetGroup": t.ArnSuffix}
}

// watchApi: the share of requests answered 5xx, the 95th percentile of latency, and connections to
// tasks that fail, which is how the load balancer sees WebSockets being cut.
func (c *Alarms) watchApi(ctx *pulumi.Context) error {
	if c.args.Api == nil {
		return nil
	}
	t, dims := c.args.Thresholds, c.targetDims(c.args.Api.Target)
	alb := pulumi.StringMap{"LoadBalancer": c.args.Api.AlbArnSuffix}
	elb := func(id, metric string, dims pulumi.StringMap) metricQuery {
		return metricQuery{id, "AWS/ApplicationELB", metric, "Sum", dims}
	}
	return c.addAll(ctx,
		rule{name: "api-errors", says: fmt.Sprintf("more than %g%% of the API's requests fail", t.ErrorRatePercent), is: above, threshold: t.ErrorRatePercent,
			period: t.PeriodMinutes * 60, points: 1, gap: gapIsFine,
			// A handful of requests is no rate: one failure at night is not an outage.
			formula: "IF(requests >= 20, 100 * (FILL(failed, 0) + FILL(unreached, 0)) / requests, 0)",
			inputs: []metricQuery{elb("requests", "RequestCount", dims), elb("failed", "HTTPCode_Target_5XX_Count", dims),
				// The load balancer's own 502 to 504 are counted when no task could answer at all.
				elb("unreached", "HTTPCode_ELB_5XX_Count", alb)}},
		rule{name: "api-latency", says: fmt.Sprintf("the slowest 5%% of the API's answers take more than %d ms", t.LatencyP95Milliseconds), is: above,
			threshold: float64(t.LatencyP95Milliseconds) / 1000, gap: gapIsFine,
			metric: metricQuery{"", "AWS/ApplicationELB", "TargetResponseTime", "p95", dims}},
		rule{name: "api-connections", says: "the load balancer loses connections to the backend; WebSockets are cut", is: above, threshold: 10,
			period: t.PeriodMinutes * 60, points: 1, gap: gapIsFine, metric: elb("", "TargetConnectionErrorCount", dims)},
	)
}

// logCount is something that is counted in the backend's log.
type logCount struct{ name, metric, pattern string }

// logCounts are the lines that the backend writes about what AWS cannot see. The events are part of
// the backend's contract with the platform; the texts are those of SQLAlchemy and PostgreSQL.
var logCounts = []logCount{
	{"websockets-opened", "WebSocketOpened", `{ $.event = "websocket.opened" }`},
	{"websockets-lost", "WebSocketLost", `{ $.event = "websocket.lost" }`},
	{"pool-exhausted", "PoolExhausted", `?"QueuePool limit" ?"too many clients already" ?"remaining connection slots" ?"PoolTimeout"`},
}

// watchLog: WebSockets lost and an exhausted connection pool, counted in the backend's log.
func (c *Alarms) watchLog(ctx *pulumi.Context) error {
	if c.args.Api == nil || c.args.Api.LogGroupName == nil {
		return nil
	}
	space := "Morphee/" + c.name
	for _, l := range logCounts {
		if _, err := cloudwatch.NewLogMetricFilter(ctx, c.name+"-"+l.name, &cloudwatch.LogMetricFilterArgs{
			LogGroupName: c.args.Api.LogGroupName, Pattern: pulumi.String(l.pattern),
			MetricTransformation: &cloudwatch.LogMetricFilterMetricTransformationArgs{
				Namespace: pulumi.String(space), Name: pulumi.String(l.metric), Value: pulumi.String("1"), DefaultValue: pulumi.String("0"),
			},
		}, c.opts...); err != nil {
			return err
		}
	}
	t := c.args.Thresholds
	count := func(id, metric string) metricQuery { return metricQuery{id, space, metric, "Sum", nil} }
	return c.addAll(ctx,
		rule{name: "websockets", says: fmt.Sprintf("more than %g%% of WebSockets end unexpectedly", t.WebSocketDisconnectPercent), is: above,
			threshold: t.WebSocketDisconnectPercent, period: t.PeriodMinutes * 60, points: 1, gap: gapIsFine,
			// Many lost while hardly any opened is an outage too: every one counts against at least ten.
			formula: "100 * FILL(lost, 0) / IF(FILL(opened, 0) > 10, opened, 10)",
			inputs:  []metricQuery{count("opened", "WebSocketOpened"), count("lost", "WebSocketLost")}},
		rule{name: "pool", says: "the backend waits in vain for a database connection", is: above, threshold: 0, period: t.PeriodMinutes * 60, points: 1,
			gap: gapIsFine, metric: count("", "PoolExhausted")},
	)
}
