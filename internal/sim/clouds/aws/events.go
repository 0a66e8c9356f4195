package aws

import (
	"regexp"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const (
	eventRuleToken   = "aws:cloudwatch/eventRule:EventRule"
	eventTargetToken = "aws:cloudwatch/eventTarget:EventTarget"
	eventBusToken    = "aws:cloudwatch/eventBus:EventBus"
)

func eventTypes() []cloud.Type {
	return []cloud.Type{eventBusType(), eventRuleType(), eventTargetType()}
}

var eventName = regexp.MustCompile(`^[0-9A-Za-z_.-]{1,64}$`)

func eventBusType() cloud.Type {
	return written(cloud.Type{
		Token: eventBusToken,
		Delete: func(c *cloud.Call) error {
			for _, r := range c.All(eventRuleToken) {
				if busName(r.Out.String("eventBusName")) == c.ID {
					return refuse("EventBridge", "DeleteEventBus", "ValidationException", "Event bus can't be deleted since it has rules. (%s)", r.ID)
				}
			}
			return nil
		},
	}, noRule, func(c *cloud.Call) error {
		name := c.In.String("name")
		if name == "default" || strings.HasPrefix(name, "aws.") && !c.In.Has("eventSourceName") {
			return refuse("EventBridge", "CreateEventBus", "ValidationException", "The name %q is reserved", name)
		}
		if c.Find(eventBusToken, name) != nil {
			return refuse("EventBridge", "CreateEventBus", "ResourceAlreadyExistsException", "Event bus %s already exists.", name)
		}
		c.ID, c.Out["arn"] = name, arn("events", c.Scope, "event-bus/"+name)
		return nil
	})
}

// noRule is a write without a rule of its own.
func noRule(*cloud.Call) error { return nil }

// busName is the name of an event bus given by name or ARN.
func busName(ref string) string {
	if isARN(ref, "events") {
		return strings.TrimPrefix(arnPart(ref, 5), "event-bus/")
	}
	if ref == "" {
		return "default"
	}
	return ref
}

func busExists(c *cloud.Call, ref string) bool {
	name := busName(ref)
	return name == "default" || c.Find(eventBusToken, name) != nil
}

func eventRuleType() cloud.Type {
	return written(cloud.Type{
		Token: eventRuleToken,
		Check: func(c *cloud.CheckCall) {
			if n := c.In.String("name"); n != "" && !eventName.MatchString(n) {
				c.Fail("name", "invalid rule name: up to 64 letters, digits and _ . -, got %q", n)
			}
			checkJSON(c, "eventPattern")
		},
		Delete: func(c *cloud.Call) error {
			for _, t := range c.All(eventTargetToken) {
				if t.Out.String("rule") == c.Out.String("name") && busName(t.Out.String("eventBusName")) == busName(c.Out.String("eventBusName")) {
					return refuse("EventBridge", "DeleteRule", "ValidationException", "Rule can't be deleted since it has targets. (%s)", t.ID)
				}
			}
			return nil
		},
	}, func(c *cloud.Call) error {
		if !busExists(c, c.In.String("eventBusName")) {
			return refuse("EventBridge", "PutRule", "ResourceNotFoundException", "Event bus %s does not exist.", busName(c.In.String("eventBusName")))
		}
		if e := c.In.String("scheduleExpression"); e != "" {
			if why := scheduleProblem(e); why != "" || strings.HasPrefix(e, "at(") {
				return refuse("EventBridge", "PutRule", "ValidationException", "Parameter ScheduleExpression is not valid. (%s)", why)
			}
			if busName(c.In.String("eventBusName")) != "default" {
				return refuse("EventBridge", "PutRule", "ValidationException", "ScheduleExpression is supported only on the default event bus.")
			}
		}
		if p := c.In.String("eventPattern"); p != "" {
			parsed, _ := cloud.JSON(p)
			if why := eventPatternProblem(parsed); why != "" {
				return refuse("EventBridge", "PutRule", "InvalidEventPatternException", "Event pattern is not valid. Reason: %s", why)
			}
		}
		return nil
	}, func(c *cloud.Call) error {
		name, bus := c.In.String("name"), busName(c.In.String("eventBusName"))
		c.ID, c.Out["arn"] = name, arn("events", c.Scope, "rule/"+name)
		if bus != "default" {
			c.ID, c.Out["arn"] = bus+"/"+name, arn("events", c.Scope, "rule/"+bus+"/"+name)
		}
		if c.Find(eventRuleToken, c.ID) != nil {
			return refuse("EventBridge", "PutRule", "ResourceAlreadyExistsException", "The rule %s exists and would be overwritten.", c.ID)
		}
		computed(c, "namePrefix", "")
		return nil
	})
}

// eventPatternProblem: every leaf of a pattern is a list of what matches.
func eventPatternProblem(v any) string {
	o, ok := v.(cloud.Object)
	if !ok || len(o) == 0 {
		return "Filter is not an object"
	}
	for _, k := range o.Keys() {
		switch e := o[k].(type) {
		case []any:
			if len(e) == 0 {
				return "Empty arrays are not allowed (" + k + ")"
			}
		case cloud.Object:
			if why := eventPatternProblem(e); why != "" {
				return why
			}
		default:
			return "\"" + k + "\" must be an object or an array"
		}
	}
	return ""
}

func eventTargetType() cloud.Type {
	return written(cloud.Type{Token: eventTargetToken}, func(c *cloud.Call) error {
		bad := func(code, format string, args ...any) error {
			return refuse("EventBridge", "PutTargets", code, format, args...)
		}
		rule, bus := c.In.String("rule"), busName(c.In.String("eventBusName"))
		id := rule
		if bus != "default" {
			id = bus + "/" + rule
		}
		if c.Find(eventRuleToken, id) == nil {
			return bad("ResourceNotFoundException", "Rule %s does not exist on EventBus %s.", rule, bus)
		}
		ref, role := c.In.String("arn"), c.In.String("roleArn")
		n := 0
		for _, t := range c.All(eventTargetToken) {
			if t.Out.String("rule") == rule && busName(t.Out.String("eventBusName")) == bus {
				n++
			}
		}
		switch {
		case n >= 5:
			return bad("LimitExceededException", "The requested resource exceeds the maximum number allowed: 5 targets per rule.")
		case !strings.HasPrefix(ref, "arn:aws:"):
			return bad("ValidationException", "Parameter %q is not valid. Reason: Provided Arn is not in correct format.", ref)
		case role != "" && !roleARN(c.World, role):
			return bad("ValidationException", "Provided role '%s' cannot be found.", role)
		case role != "" && !trusts(c.World, role, "events.amazonaws.com"):
			return bad("ValidationException", "Provided role '%s' cannot be assumed by principal 'events.amazonaws.com'.", role)
		case role == "" && (isARN(ref, "ecs") || isARN(ref, "states") || isARN(ref, "kinesis") || isARN(ref, "batch")):
			return bad("ValidationException", "RoleArn is required for target %s.", ref)
		case isARN(ref, "ecs") && !c.In.Has("ecsTarget"):
			return bad("ValidationException", "EcsParameters is required for target %s.", ref)
		case isARN(ref, "sns") && arnPart(ref, 4) == accountID && c.Find(topicToken, ref) == nil:
			c.Warn("target %s: there is no such topic, events are lost", ref)
		}
		return nil
	}, func(c *cloud.Call) error {
		c.ID = c.In.String("rule") + "-" + c.In.String("targetId")
		if bus := busName(c.In.String("eventBusName")); bus != "default" {
			c.ID = bus + "-" + c.ID
		}
		return nil
	})
}
