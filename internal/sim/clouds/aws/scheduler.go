package aws

import (
	"regexp"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const (
	scheduleToken      = "aws:scheduler/schedule:Schedule"
	scheduleGroupToken = "aws:scheduler/scheduleGroup:ScheduleGroup"
)

func schedulerTypes() []cloud.Type { return []cloud.Type{scheduleType(), scheduleGroupType()} }

var schedulerName = regexp.MustCompile(`^[0-9a-zA-Z_.-]{1,64}$`)
var timeZone = regexp.MustCompile(`^(UTC|GMT|[A-Z][A-Za-z_]+(/[A-Za-z0-9_+-]+)+)$`)

func scheduleType() cloud.Type {
	return written(cloud.Type{
		Token: scheduleToken,
		Check: func(c *cloud.CheckCall) {
			if n := c.In.String("name"); n != "" && !schedulerName.MatchString(n) {
				c.Fail("name", "The name must consist of up to 64 alphanumerics, hyphens, underscores and dots, got %q", n)
			}
		},
		Takes: cloud.Durations{Create: seconds(2), Update: seconds(2), Delete: seconds(2)},
	}, writeSchedule, func(c *cloud.Call) error {
		group := c.In.String("groupName")
		if group == "" {
			group = "default"
		}
		c.ID = group + "/" + c.In.String("name")
		if c.Find(scheduleToken, c.ID) != nil {
			return refuseStatus(409, "Scheduler", "CreateSchedule", "ConflictException", "Schedule %s already exists.", c.In.String("name"))
		}
		computed(c, "groupName", "default")
		computed(c, "namePrefix", "")
		c.Out["arn"] = arn("scheduler", c.Scope, "schedule/"+c.ID)
		return nil
	})
}

func writeSchedule(c *cloud.Call) error {
	op := operation(c, "CreateSchedule", "UpdateSchedule")
	bad := func(format string, args ...any) error {
		return refuse("Scheduler", op, "ValidationException", format, args...)
	}
	if g := c.In.String("groupName"); g != "" && g != "default" && c.Find(scheduleGroupToken, g) == nil {
		return refuseStatus(404, "Scheduler", op, "ResourceNotFoundException", "Schedule group %s does not exist.", g)
	}
	if why := scheduleProblem(c.In.String("scheduleExpression")); why != "" {
		return bad("Invalid Schedule Expression %s. (%s)", c.In.String("scheduleExpression"), why)
	}
	if tz := c.In.String("scheduleExpressionTimezone"); tz != "" && !timeZone.MatchString(tz) {
		return bad("Invalid timezone %s.", tz)
	}
	w := c.In.Object("flexibleTimeWindow")
	if (w.String("mode") == "FLEXIBLE") != w.Has("maximumWindowInMinutes") {
		return bad("FlexibleTimeWindow: mode %s and maximumWindowInMinutes do not go together: FLEXIBLE needs it, OFF forbids it", w.String("mode"))
	}
	return checkScheduleTarget(c, bad)
}

func checkScheduleTarget(c *cloud.Call, bad func(string, ...any) error) error {
	ref, role := c.In.String("target.arn"), c.In.String("target.roleArn")
	switch {
	case !strings.HasPrefix(ref, "arn:aws:"):
		return bad("Provided Arn is not in correct format: %q", ref)
	case !roleARN(c.World, role):
		return bad("The execution role you provide must exist: %s", role)
	case !trusts(c.World, role, "scheduler.amazonaws.com"):
		return bad("The execution role you provide must allow AWS EventBridge Scheduler to assume the role. (%s)", role)
	case isARN(ref, "ecs") && !c.In.Has("target.ecsParameters"):
		return bad("Missing EcsParameters for target %s", ref)
	case !isARN(ref, "ecs") && c.In.Has("target.ecsParameters"):
		return bad("EcsParameters go with the ARN of an ECS cluster, not with %s", ref)
	}
	if e := c.In.Object("target.ecsParameters"); e != nil {
		fargate := e.String("launchType") == "FARGATE" || len(e.Objects("capacityProviderStrategies")) > 0
		switch {
		case e.String("launchType") != "" && len(e.Objects("capacityProviderStrategies")) > 0:
			return bad("Either launchType or capacityProviderStrategies, not both.")
		case fargate && !e.Has("networkConfiguration"):
			return bad("NetworkConfiguration is required for tasks on FARGATE (awsvpc).")
		}
	}
	if a := c.In.String("target.deadLetterConfig.arn"); a != "" && !isARN(a, "sqs") {
		return bad("The dead-letter queue must be an SQS queue: %s", a)
	}
	if why := keyUsable(c, c.In.String("kmsKeyArn")); why != "" {
		return bad("The KMS key cannot be used: %s", why)
	}
	return nil
}

func scheduleGroupType() cloud.Type {
	return cloud.Type{Token: scheduleGroupToken, Create: func(c *cloud.Call) error {
		name := c.In.String("name")
		if !schedulerName.MatchString(name) || name == "default" {
			return refuse("Scheduler", "CreateScheduleGroup", "ValidationException", "Invalid or reserved group name %q", name)
		}
		if c.Find(scheduleGroupToken, name) != nil {
			return refuseStatus(409, "Scheduler", "CreateScheduleGroup", "ConflictException", "Schedule group %s already exists.", name)
		}
		c.ID, c.Out["arn"] = name, arn("scheduler", c.Scope, "schedule-group/"+name)
		c.Out["creationDate"], c.Out["lastModificationDate"], c.Out["state"] = c.Gen.Time(), c.Gen.Time(), "ACTIVE"
		computed(c, "namePrefix", "")
		return nil
	}}
}
