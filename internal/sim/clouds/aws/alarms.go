package aws

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const (
	metricAlarmToken    = "aws:cloudwatch/metricAlarm:MetricAlarm"
	compositeAlarmToken = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
)

func alarmTypes() []cloud.Type {
	return []cloud.Type{metricAlarmType(), compositeAlarmType(), dashboardType()}
}

var extendedStatistic = regexp.MustCompile(`^((p|tm|tc|ts|wm)([0-9]{1,2}(\.[0-9]{1,2})?|100)|IQM|(PR|TC|TM|TS|WM)\([0-9.%]*:[0-9.%]*\))$`)

// anomalyOperators compare with a band and need thresholdMetricId.
var anomalyOperators = []string{"LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold"}

func metricAlarmType() cloud.Type {
	return written(cloud.Type{
		Token: metricAlarmToken,
		Check: checkMetricAlarm,
		Takes: cloud.Durations{Create: seconds(1), Update: seconds(1), Delete: seconds(1)},
	}, writeMetricAlarm, func(c *cloud.Call) error {
		c.ID = c.In.String("name")
		c.Out["arn"] = arn("cloudwatch", c.Scope, "alarm:"+c.ID)
		computed(c, "evaluateLowSampleCountPercentiles", "")
		for _, t := range []string{metricAlarmToken, compositeAlarmToken} {
			if c.Find(t, c.ID) != nil {
				return refuse("CloudWatch", "PutMetricAlarm", "ValidationError", "An alarm called %s exists; writing it again would silently replace it", c.ID)
			}
		}
		return nil
	})
}

func checkMetricAlarm(c *cloud.CheckCall) {
	in := c.In
	stat := boolCount(in.Has("statistic"), in.Has("extendedStatistic"))
	switch {
	case !in.Has("metricQueries") && !in.Has("metricName"):
		c.Fail("metricName", "One of `statistic` or `extended_statistic` and a `metric_name`, or `metric_query`, must be set for a cloudwatch metric alarm")
	case in.Has("metricName") && stat == 0:
		c.Fail("statistic", "One of `statistic` or `extended_statistic` must be set for a cloudwatch metric alarm")
	}
	if e := in.String("extendedStatistic"); e != "" && !extendedStatistic.MatchString(e) {
		c.Fail("extendedStatistic", "invalid extended statistic %q: such as p99, p99.9, tm90 or PR(1:100)", e)
	}
	if n := in.Int("period"); in.Known("period") && !alarmPeriod(n) {
		c.Fail("period", "expected period to be one of [10 20 30] or divisible by 60, got %d", n)
	}
	queries := in.Objects("metricQueries")
	for i, q := range queries {
		if q.Has("expression") && q.Has("metric") {
			c.Fail(fmt.Sprintf("metricQueries[%d]", i), "a metric_query has an expression or a metric, not both")
		}
	}
}

func alarmPeriod(n int) bool {
	return n == 10 || n == 20 || n == 30 || n > 0 && n%60 == 0
}

var queryID = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]*$`)

func writeMetricAlarm(c *cloud.Call) error {
	bad := func(format string, args ...any) error {
		return refuse("CloudWatch", "PutMetricAlarm", "ValidationError", format, args...)
	}
	in := c.In
	periods := in.Int("evaluationPeriods")
	op := in.String("comparisonOperator")
	anomaly := slices.Contains(anomalyOperators, op)
	switch {
	case in.Has("datapointsToAlarm") && in.Int("datapointsToAlarm") > periods:
		return bad("DatapointsToAlarm (%d) must be less than or equal to EvaluationPeriods (%d)", in.Int("datapointsToAlarm"), periods)
	case in.Has("metricName") && in.String("namespace") == "":
		return bad("Namespace is required with MetricName")
	case in.Has("metricName") && in.Int("period") == 0:
		return bad("Period must not be null")
	case anomaly != in.Has("thresholdMetricId"):
		return bad("ComparisonOperator %s and ThresholdMetricId do not go together: a band operator needs one, the others a threshold", op)
	case !anomaly && !in.Has("threshold"):
		return bad("Threshold is required for the operator %s", op)
	}
	day := func(period int) error {
		limit := 86400
		if period >= 3600 {
			limit = 7 * 86400
		}
		if total := period * periods; total > limit {
			return bad("Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= %d, is %d)", limit, total)
		}
		return nil
	}
	if err := day(in.Int("period")); err != nil {
		return err
	}
	if err := checkMetricQueries(in, bad, day); err != nil {
		return err
	}
	return checkAlarmActions(c, "PutMetricAlarm")
}

func checkMetricQueries(in cloud.Object, bad func(string, ...any) error, day func(int) error) error {
	queries := in.Objects("metricQueries")
	if len(queries) == 0 {
		return nil
	}
	ids, returned := map[string]bool{}, 0
	for _, q := range queries {
		id := q.String("id")
		if ids[id] || !queryID.MatchString(id) {
			return bad("Invalid metrics list: the id %q is there twice, or does not begin with a lower-case letter", id)
		}
		ids[id] = true
		if q.Bool("returnData") {
			returned++
		}
		if m := q.Object("metric"); m != nil {
			if !alarmPeriod(m.Int("period")) {
				return bad("Period %d of metric %s must be 10, 20, 30 or a multiple of 60", m.Int("period"), id)
			}
			if err := day(m.Int("period")); err != nil {
				return err
			}
		} else if !q.Has("expression") {
			return bad("Invalid metrics list: query %s has neither a metric nor an expression", id)
		}
	}
	if returned != 1 {
		return bad("Exactly one element of the metrics list should return data. (%d do)", returned)
	}
	if id := in.String("thresholdMetricId"); id != "" && !ids[id] {
		return bad("ThresholdMetricId %q is no id in the metrics list", id)
	}
	return nil
}

// checkAlarmActions refuses actions that are no ARNs, and topics that do not exist in the region.
func checkAlarmActions(c *cloud.Call, op string) error {
	for _, list := range []string{"alarmActions", "okActions", "insufficientDataActions"} {
		actions := c.In.Strings(list)
		if len(actions) > 5 {
			return refuse("CloudWatch", op, "ValidationError", "At most 5 actions per state, %s has %d", list, len(actions))
		}
		for _, a := range actions {
			if !strings.HasPrefix(a, "arn:aws:") {
				return refuse("CloudWatch", op, "ValidationError", "Invalid arn syntax: %s", a)
			}
			if isARN(a, "sns") && arnPart(a, 3) != c.Scope {
				return refuse("CloudWatch", op, "ValidationError", "Invalid region %s specified. Only %s is supported. (%s)", arnPart(a, 3), c.Scope, a)
			}
			if isARN(a, "sns") && arnPart(a, 4) == accountID && c.Find(topicToken, a) == nil {
				c.Warn("%s: CloudWatch takes the action, but there is no topic %s", c.Name, a)
			}
		}
	}
	return nil
}

var ruleAlarm = regexp.MustCompile(`\b(ALARM|OK|INSUFFICIENT_DATA)\(\s*"?([^")]+?)"?\s*\)`)

func compositeAlarmType() cloud.Type {
	return written(cloud.Type{
		Token: compositeAlarmToken,
	}, func(c *cloud.Call) error {
		rule := c.In.String("alarmRule")
		refs := ruleAlarm.FindAllStringSubmatch(rule, -1)
		if len(refs) == 0 && !strings.Contains(rule, "TRUE") && !strings.Contains(rule, "FALSE") || strings.Count(rule, "(") != strings.Count(rule, ")") {
			return refuse("CloudWatch", "PutCompositeAlarm", "ValidationError", "AlarmRule is not valid: %q (such as ALARM(\"a\") OR ALARM(\"b\"))", rule)
		}
		for _, m := range refs {
			name := strings.TrimPrefix(m[2], arn("cloudwatch", c.Scope, "alarm:"))
			if c.Find(metricAlarmToken, name) == nil && c.Find(compositeAlarmToken, name) == nil {
				return refuse("CloudWatch", "PutCompositeAlarm", "ValidationError", "AlarmRule must not contain references to alarms that do not exist: %s", name)
			}
		}
		return checkAlarmActions(c, "PutCompositeAlarm")
	}, func(c *cloud.Call) error {
		c.ID = c.In.String("alarmName")
		c.Out["arn"] = arn("cloudwatch", c.Scope, "alarm:"+c.ID)
		return nil
	})
}

func dashboardType() cloud.Type {
	return written(cloud.Type{
		Token: "aws:cloudwatch/dashboard:Dashboard",
		Check: func(c *cloud.CheckCall) {
			if c.In.Known("dashboardBody") && !json.Valid([]byte(c.In.String("dashboardBody"))) {
				c.Fail("dashboardBody", "\"dashboard_body\" contains an invalid JSON")
			}
			if n := c.In.String("dashboardName"); n != "" && !regexp.MustCompile(`^[0-9A-Za-z_-]{1,255}$`).MatchString(n) {
				c.Fail("dashboardName", "only alphanumeric characters, hyphens and underscores allowed in \"dashboard_name\", got %q", n)
			}
		},
	}, func(c *cloud.Call) error {
		body, _ := cloud.JSON(c.In.Get("dashboardBody"))
		o, _ := body.(cloud.Object)
		if _, ok := o["widgets"].([]any); !ok {
			return refuse("CloudWatch", "PutDashboard", "InvalidParameterInput", "The dashboard body is invalid, there are 1 validation errors: Should have required property 'widgets'")
		}
		for i, w := range o.Objects("widgets") {
			if kind := w.String("type"); !slices.Contains([]string{"metric", "text", "log", "alarm", "explorer", "custom"}, kind) {
				return refuse("CloudWatch", "PutDashboard", "InvalidParameterInput", "The dashboard body is invalid: /widgets/%d/type %q is none of metric, text, log, alarm, explorer, custom", i, kind)
			}
			if w.Has("width") && (w.Int("width") < 1 || w.Int("width")+w.Int("x") > 24) {
				return refuse("CloudWatch", "PutDashboard", "InvalidParameterInput", "The dashboard body is invalid: /widgets/%d is wider than the 24 columns", i)
			}
		}
		return nil
	}, func(c *cloud.Call) error {
		c.ID = c.In.String("dashboardName")
		c.Out["dashboardArn"] = arn("cloudwatch", "", "dashboard/"+c.ID)
		return nil
	})
}
