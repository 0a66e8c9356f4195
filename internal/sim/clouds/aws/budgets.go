package aws

import (
	"net/mail"
	"regexp"
	"strconv"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func budgetTypes() []cloud.Type { return []cloud.Type{budgetType()} }

var budgetTime = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}_[0-9]{2}:[0-9]{2}$`)

func budgetType() cloud.Type {
	return written(cloud.Type{Token: "aws:budgets/budget:Budget"}, writeBudget, func(c *cloud.Call) error {
		name := c.In.String("name")
		if strings.ContainsAny(name, `:\`) || len(name) > 100 {
			return refuse("Budgets", "CreateBudget", "ValidationException", "1 validation error detected: Value '%s' at 'budget.budgetName' failed to satisfy constraint: up to 100 characters without : and \\", name)
		}
		c.ID = accountID + ":" + name
		for _, r := range c.Everywhere(c.Type) {
			if r.ID == c.ID {
				return refuse("Budgets", "CreateBudget", "DuplicateRecordException", "Error creating budget: %s - the budget already exists.", name)
			}
		}
		computed(c, "accountId", accountID)
		computed(c, "timePeriodStart", "2026-01-01_00:00")
		computed(c, "namePrefix", "")
		c.Out["arn"] = arn("budgets", "", "budget/"+name)
		return nil
	})
}

func writeBudget(c *cloud.Call) error {
	op := operation(c, "CreateBudget", "UpdateBudget")
	bad := func(format string, args ...any) error {
		return refuse("Budgets", op, "InvalidParameterException", format, args...)
	}
	planned := len(c.In.Objects("plannedLimits")) > 0 || c.In.Has("autoAdjustData")
	if n, err := strconv.ParseFloat(c.In.String("limitAmount"), 64); !planned && (err != nil || n <= 0) {
		return bad("The budget limit must be a number above 0, got %q", c.In.String("limitAmount"))
	}
	if u := c.In.String("limitUnit"); !planned && c.In.String("budgetType") == "COST" && u != "USD" {
		return bad("The unit of a cost budget is USD, got %q", u)
	}
	for _, p := range []string{"timePeriodStart", "timePeriodEnd"} {
		if v := c.In.String(p); v != "" && !budgetTime.MatchString(v) {
			return bad("%s must have the form 2026-01-01_00:00, got %q", p, v)
		}
	}
	if len(c.In.Objects("notifications")) > 5 {
		return refuse("Budgets", op, "CreationLimitExceededException", "A budget has at most 5 notifications")
	}
	for _, n := range c.In.Objects("notifications") {
		mails, topics := n.Strings("subscriberEmailAddresses"), n.Strings("subscriberSnsTopicArns")
		if len(mails)+len(topics) == 0 {
			return bad("Notification must have at least one subscriber and no more than 11")
		}
		if len(mails) > 10 || len(topics) > 1 {
			return bad("A notification has up to 10 e-mail subscribers and one topic, got %d and %d", len(mails), len(topics))
		}
		for _, m := range mails {
			if a, err := mail.ParseAddress(m); err != nil || a.Address != m {
				return bad("Invalid e-mail address: %s", m)
			}
		}
		for _, t := range topics {
			if !isARN(t, "sns") {
				return bad("Invalid topic ARN: %s", t)
			}
			if r := anywhere(c.World, topicToken, t); r != nil && !topicAllows(c.World, r, "budgets.amazonaws.com", map[string]string{"aws:SourceAccount": accountID, "aws:SourceArn": arn("budgets", "", "budget/"+c.In.String("name"))}) {
				return bad("budgets.amazonaws.com may not publish to %s: allow it in the topic's policy", t)
			}
		}
		if n.Float("threshold") <= 0 {
			return bad("A notification's threshold must be above 0")
		}
	}
	return nil
}
