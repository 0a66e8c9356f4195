package hygiene

import "github.com/morphee-app/morphee-infra/policy/rule"

var logGroups = []string{"aws:cloudwatch/logGroup:LogGroup"}

var logs = []rule.Rule{{
	ID: "log-retention", Level: rule.Mandatory, Refs: []string{"C66", "C338"}, Types: logGroups,
	Title:    "It is decided how long logs are kept",
	Reason:   "For ever is paid for ever, and longer than personal data may be kept.",
	Mend:     "Set retentionInDays.",
	Settings: []rule.Setting{{Name: "days", Default: 7.0, Min: 1, Description: "least days that logs are kept"}},
	Check: func(c *rule.Check) {
		c.AtLeast("retentionInDays", c.Number("days"), "logs are kept for ever, or hardly")
	},
}, {
	ID: "log-encrypted", Level: rule.Mandatory, Refs: []string{"T0017", "C158"}, Types: logGroups,
	Title:  "Logs are encrypted with a key of ours",
	Reason: "Who may use the key decides a second time who may read.",
	Mend:   "Set kmsKeyId.",
	Check:  func(c *rule.Check) { c.Set("kmsKeyId", "logs are encrypted with AWS's own key") },
}, {
	ID: "alarm-tells-somebody", Level: rule.Mandatory, Refs: []string{"C319"}, Types: []string{"aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/compositeAlarm:CompositeAlarm"},
	Title:  "An alarm tells somebody",
	Reason: "An alarm that nobody hears is a colour on a page.",
	Mend:   "Set alarmActions, and leave actionsEnabled on.",
	Check: func(c *rule.Check) {
		c.Set("alarmActions", "nobody is told")
		c.Want(c.In("actionsEnabled"), func(v rule.Value) bool { return v.Absent() || v.True() }, "nobody is told")
	},
}}
