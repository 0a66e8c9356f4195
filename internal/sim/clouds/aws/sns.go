package aws

import (
	"net/mail"
	"regexp"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const (
	topicToken       = "aws:sns/topic:Topic"
	topicPolicyToken = "aws:sns/topicPolicy:TopicPolicy"
)

func snsTypes() []cloud.Type { return []cloud.Type{topicType(), topicPolicyType(), subscriptionType()} }

var topicName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,256}$`)
var fifoTopicName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,251}\.fifo$`)

func topicType() cloud.Type {
	return written(cloud.Type{
		Token: topicToken,
		Check: func(c *cloud.CheckCall) {
			n := c.In.String("name")
			switch {
			case n == "" || cloud.IsUnknown(c.In.Get("fifoTopic")):
			case c.In.Bool("fifoTopic") && !fifoTopicName.MatchString(n):
				c.Fail("name", "invalid FIFO topic name: must end with \".fifo\" and otherwise have letters, digits, - and _, got %q", n)
			case !c.In.Bool("fifoTopic") && !topicName.MatchString(n):
				c.Fail("name", "invalid topic name: letters, digits, - and _, up to 256, got %q", n)
			}
			if !c.In.Bool("fifoTopic") && c.In.Bool("contentBasedDeduplication") {
				c.Fail("contentBasedDeduplication", "content-based deduplication can only be set for FIFO topics")
			}
			checkJSON(c, "policy", "deliveryPolicy")
		},
		Takes: cloud.Durations{Create: seconds(2), Update: seconds(2), Delete: seconds(2)},
	}, func(c *cloud.Call) error {
		if why := keyUsable(c, c.In.String("kmsMasterKeyId")); why != "" {
			return refuse("SNS", operation(c, "CreateTopic", "SetTopicAttributes"), "InvalidParameter", "Invalid parameter: KmsMasterKeyId: %s", why)
		}
		if c.In.String("policy") != "" {
			return checkTopicPolicy(c)
		}
		return nil
	}, func(c *cloud.Call) error {
		name := c.In.String("name")
		c.ID = arn("sns", c.Scope, name)
		if c.Find(topicToken, c.ID) != nil {
			return refuse("SNS", "CreateTopic", "InvalidParameter", "Invalid parameter: Attributes Reason: Topic already exists with different attributes (%s)", name)
		}
		c.Out["arn"], c.Out["owner"] = c.ID, accountID
		computed(c, "namePrefix", "")
		computed(c, "policy", defaultTopicPolicy(c.ID))
		computed(c, "signatureVersion", 0)
		computed(c, "tracingConfig", "")
		computed(c, "fifoThroughputScope", "")
		c.Out["beginningArchiveTime"] = ""
		return nil
	})
}

func defaultTopicPolicy(topic string) string {
	return `{"Id":"__default_policy_ID","Statement":[{"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes","SNS:AddPermission","SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic","SNS:Publish"],` +
		`"Condition":{"StringEquals":{"AWS:SourceOwner":"` + accountID + `"}},"Effect":"Allow","Principal":{"AWS":"*"},"Resource":"` + topic + `","Sid":"__default_statement_ID"}],"Version":"2008-10-17"}`
}

func checkTopicPolicy(c *cloud.Call) error {
	doc, why := checkResourcePolicy(c.World, c.In.Get("policy"), 30720)
	if why == "" {
		for _, s := range doc.Statements {
			for _, a := range s.Actions {
				if a != "*" && !strings.HasPrefix(strings.ToLower(a), "sns:") {
					why = "Policy statement action out of service scope! (" + a + ")"
				}
			}
			for _, r := range s.Resources {
				if topic := c.In.String("arn"); topic != "" && !globMatch(r, topic) {
					why = "Invalid policy element: Resource " + r + " is not the topic"
				}
			}
		}
	}
	if why != "" {
		return refuse("SNS", "SetTopicAttributes", "InvalidParameter", "Invalid parameter: Policy Error: %s", why)
	}
	return nil
}

// topicAllows tells whether a service may publish to the topic.
func topicAllows(w *cloud.World, topic *cloud.Resource, service string, context map[string]string) bool {
	text := topic.Out.Get("policy")
	if p := byProperty(w.All("", topicPolicyToken), "arn", topic.ID); p != nil {
		text = p.Out.Get("policy")
	}
	doc, err := parsePolicy(text)
	return err == nil && doc.allows(accessRequest{kind: "Service", principal: service, action: "sns:Publish", resource: topic.ID, context: context})
}

func topicPolicyType() cloud.Type {
	return written(cloud.Type{
		Token: topicPolicyToken,
		Check: func(c *cloud.CheckCall) { checkJSON(c, "policy") },
	}, func(c *cloud.Call) error {
		if c.Find(topicToken, c.In.String("arn")) == nil {
			return refuseStatus(404, "SNS", "SetTopicAttributes", "NotFound", "Topic does not exist (%s)", c.In.String("arn"))
		}
		return checkTopicPolicy(c)
	}, func(c *cloud.Call) error {
		c.ID, c.Out["owner"] = c.In.String("arn"), accountID
		return nil
	})
}

var phoneNumber = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

func subscriptionType() cloud.Type {
	return cloud.Type{
		Token: "aws:sns/topicSubscription:TopicSubscription",
		Check: func(c *cloud.CheckCall) { checkJSON(c, "filterPolicy", "redrivePolicy", "deliveryPolicy") },
		Create: func(c *cloud.Call) error {
			topic, protocol, endpoint := c.In.String("topic"), c.In.String("protocol"), c.In.String("endpoint")
			if !isARN(topic, "sns") {
				return refuse("SNS", "Subscribe", "InvalidParameter", "Invalid parameter: TopicArn (%q is no ARN of a topic)", topic)
			}
			r := c.World.Find(arnPart(topic, 3), topicToken, topic)
			if r == nil {
				return refuseStatus(404, "SNS", "Subscribe", "NotFound", "Topic does not exist (%s)", topic)
			}
			if why := endpointProblem(protocol, endpoint); why != "" {
				return refuse("SNS", "Subscribe", "InvalidParameter", "Invalid parameter: %s", why)
			}
			if r.Out.Bool("fifoTopic") && protocol != "sqs" {
				return refuse("SNS", "Subscribe", "InvalidParameter", "Invalid parameter: Invalid protocol type: %s (a FIFO topic takes queues only)", protocol)
			}
			if protocol == "firehose" && !roleARN(c.World, c.In.String("subscriptionRoleArn")) {
				return refuse("SNS", "Subscribe", "InvalidParameter", "Invalid parameter: SubscriptionRoleArn must be a role that exists")
			}
			c.ID = topic + ":" + c.Gen.UUID("subscription")
			c.Out["arn"], c.Out["ownerId"] = c.ID, accountID
			waits := strings.HasPrefix(protocol, "email") || strings.HasPrefix(protocol, "http") && !c.In.Bool("endpointAutoConfirms")
			c.Out["pendingConfirmation"], c.Out["confirmationWasAuthenticated"] = waits, !waits
			if waits {
				c.Warn("nothing is delivered to %s until the subscription is confirmed there", endpoint)
			}
			if c.In.Has("filterPolicy") {
				computed(c, "filterPolicyScope", "MessageAttributes")
			}
			return nil
		},
	}
}

func endpointProblem(protocol, endpoint string) string {
	switch protocol {
	case "email", "email-json":
		if a, err := mail.ParseAddress(endpoint); err != nil || a.Address != endpoint {
			return "Email endpoint: " + endpoint
		}
	case "https":
		if !strings.HasPrefix(endpoint, "https://") {
			return "Endpoint must match the specified protocol (https)"
		}
	case "http":
		if !strings.HasPrefix(endpoint, "http://") {
			return "Endpoint must match the specified protocol (http)"
		}
	case "sms":
		if !phoneNumber.MatchString(endpoint) {
			return "Invalid SMS endpoint: " + endpoint
		}
	case "lambda", "sqs", "firehose":
		if !isARN(endpoint, protocol) {
			return strings.ToUpper(protocol) + " endpoint ARN"
		}
	}
	return ""
}
