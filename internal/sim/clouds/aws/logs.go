package aws

import (
	"regexp"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const (
	logGroupToken  = "aws:cloudwatch/logGroup:LogGroup"
	logPolicyToken = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
)

func logTypes() []cloud.Type {
	return []cloud.Type{logGroupType(), logPolicyType(), metricFilterType()}
}

var logGroupName = regexp.MustCompile(`^[0-9A-Za-z_/.#-]{1,512}$`)

func logGroupType() cloud.Type {
	return written(cloud.Type{
		Token: logGroupToken,
		Check: func(c *cloud.CheckCall) {
			if n := c.In.String("name"); n != "" && !logGroupName.MatchString(n) {
				c.Fail("name", "\"name\" isn't a valid log group name (alphanumeric characters, underscores, hyphens, slashes, hash signs and dots are allowed): %q", n)
			}
		},
		Delete: func(c *cloud.Call) error {
			if c.Old.Bool("skipDestroy") {
				c.Warn("log group %s is kept in AWS (skipDestroy), and out of the state", c.ID)
			}
			return nil
		},
		Takes: cloud.Durations{Create: seconds(2), Update: seconds(2), Delete: seconds(1)},
	}, writeLogGroup, func(c *cloud.Call) error {
		name := c.In.String("name")
		if c.Find(logGroupToken, name) != nil {
			return refuse("CloudWatch Logs", "CreateLogGroup", "ResourceAlreadyExistsException", "The specified log group already exists (%s)", name)
		}
		if strings.HasPrefix(name, "aws/") {
			return refuse("CloudWatch Logs", "CreateLogGroup", "InvalidParameterException", "Log groups starting with aws/ are reserved for AWS. (%s)", name)
		}
		c.ID, c.Out["arn"] = name, arn("logs", c.Scope, "log-group:"+name)
		computed(c, "logGroupClass", "STANDARD")
		computed(c, "namePrefix", "")
		return nil
	})
}

// writeLogGroup refuses a key that the logs service of the region may not use for this very group.
func writeLogGroup(c *cloud.Call) error {
	ref := c.In.String("kmsKeyId")
	if ref == "" {
		return nil
	}
	op, group := operation(c, "CreateLogGroup", "AssociateKmsKey"), arn("logs", c.Scope, "log-group:"+c.In.String("name"))
	denied := func(why string) error {
		return refuse("CloudWatch Logs", op, "AccessDeniedException", "The specified KMS key does not exist or is not allowed to be used with Arn '%s' (%s)", group, why)
	}
	if !isARN(ref, "kms") {
		return refuse("CloudWatch Logs", op, "InvalidParameterException", "The specified KMS Key Id could not be found. (%s: give the key's ARN)", ref)
	}
	if why := keyUsable(c, ref); why != "" {
		return denied(why)
	}
	k := findKey(c.World, c.Scope, ref)
	if k == nil {
		return denied("keys that AWS manages cannot encrypt log groups")
	}
	context := map[string]string{"kms:EncryptionContext:aws:logs:arn": group, "aws:SourceArn": group, "aws:SourceAccount": accountID, "kms:ViaService": "logs." + c.Scope + ".amazonaws.com"}
	for _, action := range []string{"kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"} {
		if !keyAllows(k, "logs."+c.Scope+".amazonaws.com", action, context) && !keyAllows(k, "logs.amazonaws.com", action, context) {
			return denied("the key's policy does not let logs." + c.Scope + ".amazonaws.com " + action + " for this log group")
		}
	}
	return nil
}

// logPolicyType lets services of AWS write to log groups. A region of an account has room for ten.
func logPolicyType() cloud.Type {
	return written(cloud.Type{
		Token: logPolicyToken,
		Check: func(c *cloud.CheckCall) { checkJSON(c, "policyDocument") },
	}, func(c *cloud.Call) error {
		const op = "PutResourcePolicy"
		doc, err := parsePolicy(c.In.Get("policyDocument"))
		if err != nil {
			return refuse("CloudWatch Logs", op, "InvalidParameterException", "Invalid policy document: %v", err)
		}
		for _, s := range doc.Statements {
			if !s.HasPrincipal {
				return refuse("CloudWatch Logs", op, "InvalidParameterException", "Invalid policy document: a statement has no Principal")
			}
		}
		return nil
	}, func(c *cloud.Call) error {
		const op, most = "PutResourcePolicy", 10
		name := c.In.String("policyName")
		if c.Find(logPolicyToken, name) != nil {
			return refuse("CloudWatch Logs", op, "OperationAbortedException", "A resource policy %s exists in %s and would be overwritten", name, c.Scope)
		}
		if len(c.All(logPolicyToken)) >= most {
			return refuse("CloudWatch Logs", op, "LimitExceededException", "Resource limit exceeded: an account has at most %d resource policies in a region.", most)
		}
		c.ID = name
		return nil
	})
}

// mayLog tells whether a resource policy of the region lets the service write to the log group.
func mayLog(c *cloud.Call, service, group, source string) bool {
	context := map[string]string{"aws:SourceArn": source, "aws:SourceAccount": accountID}
	for _, r := range c.All(logPolicyToken) {
		doc, err := parsePolicy(r.Out.Get("policyDocument"))
		if err != nil {
			continue
		}
		all := true
		for _, action := range []string{"logs:CreateLogStream", "logs:PutLogEvents"} {
			all = all && doc.allows(accessRequest{kind: "Service", principal: service, action: action, resource: strings.TrimSuffix(group, ":*") + ":log-stream:x", context: context})
		}
		if all {
			return true
		}
	}
	return false
}

func metricFilterType() cloud.Type {
	return written(cloud.Type{
		Token: "aws:cloudwatch/logMetricFilter:LogMetricFilter",
	}, func(c *cloud.Call) error {
		op := "PutMetricFilter"
		if c.Find(logGroupToken, c.In.String("logGroupName")) == nil {
			return refuse("CloudWatch Logs", op, "ResourceNotFoundException", "The specified log group does not exist. (%s)", c.In.String("logGroupName"))
		}
		t := c.In.Object("metricTransformation")
		if strings.HasPrefix(t.String("namespace"), "AWS/") {
			return refuse("CloudWatch Logs", op, "InvalidParameterException", "Invalid metric transformation: metricNamespace must not begin with AWS/ (%s)", t.String("namespace"))
		}
		if t.Has("defaultValue") && len(t.Object("dimensions")) > 0 {
			return refuse("CloudWatch Logs", op, "InvalidParameterException", "Invalid metric transformation: dimensions and default value are mutually exclusive properties.")
		}
		if n := len(t.Object("dimensions")); n > 3 {
			return refuse("CloudWatch Logs", op, "InvalidParameterException", "Invalid metric transformation: at most 3 dimensions, got %d", n)
		}
		return checkFilterPattern(c.In.String("pattern"))
	}, func(c *cloud.Call) error {
		for _, r := range c.All(c.Type) {
			if r.Out.String("logGroupName") == c.In.String("logGroupName") && r.Out.String("name") == c.In.String("name") {
				return refuse("CloudWatch Logs", "PutMetricFilter", "OperationAbortedException", "A metric filter %s of this log group exists and would be overwritten", c.In.String("name"))
			}
		}
		c.ID = c.In.String("logGroupName") + ":" + c.In.String("name")
		return nil
	})
}

func checkFilterPattern(p string) error {
	p = strings.TrimSpace(p)
	if strings.Count(p, `"`)%2 != 0 || strings.HasPrefix(p, "{") != strings.HasSuffix(p, "}") || strings.HasPrefix(p, "[") != strings.HasSuffix(p, "]") {
		return refuse("CloudWatch Logs", "PutMetricFilter", "InvalidParameterException", "Invalid metric filter pattern: %q", p)
	}
	if strings.HasPrefix(p, "{") && !strings.Contains(p, "$") {
		return refuse("CloudWatch Logs", "PutMetricFilter", "InvalidParameterException", "Invalid metric filter pattern: a JSON pattern selects with $. (%q)", p)
	}
	return nil
}
