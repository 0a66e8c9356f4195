package aws

import (
	"regexp"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const parameterToken = "aws:ssm/parameter:Parameter"

func parameterTypes() []cloud.Type { return []cloud.Type{parameterType()} }

var parameterName = regexp.MustCompile(`^[a-zA-Z0-9_.-]+$|^(/[a-zA-Z0-9_.-]+)+$`)

func parameterType() cloud.Type {
	return written(cloud.Type{
		Token: parameterToken,
		Replaces: func(old, new cloud.Object) []string {
			if old.String("tier") == "Advanced" && new.String("tier") == "Standard" {
				return []string{"tier"}
			}
			return nil
		},
		Recomputed: map[string][]string{"*": {"version"}},
	}, writeParameter, func(c *cloud.Call) error {
		name := c.In.String("name")
		if c.Find(parameterToken, name) != nil && !c.In.Bool("overwrite") {
			return refuse("SSM", "PutParameter", "ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true. (%s)", name)
		}
		c.ID, c.Out["version"] = name, 1.0
		computed(c, "dataType", "text")
		computed(c, "tier", "Standard")
		return nil
	})
}

func writeParameter(c *cloud.Call) error {
	bad := func(code, format string, args ...any) error {
		return refuse("SSM", "PutParameter", code, format, args...)
	}
	name, value, kind := c.In.String("name"), c.In.String("value")+c.In.String("insecureValue"), c.In.String("type")
	limit := 4096
	if c.In.String("tier") == "Advanced" || c.In.String("tier") == "Intelligent-Tiering" {
		limit = 8192
	}
	first := strings.ToLower(strings.TrimPrefix(name, "/"))
	switch {
	case !parameterName.MatchString(name):
		return bad("ValidationException", "Parameter name: can't be prefixed with \"ssm\" and consists of letters, numbers and .-_ in parts that / separates, with a leading / if there are several (got %q)", name)
	case strings.HasPrefix(first, "aws") || strings.HasPrefix(first, "ssm"):
		return bad("ValidationException", "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive): %s", name)
	case strings.Count(name, "/") > 15:
		return bad("HierarchyLevelLimitExceededException", "A hierarchy can have a maximum of 15 levels: %s", name)
	case value == "":
		return bad("ValidationException", "1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1")
	case len(value) > limit:
		return bad("ValidationException", "Standard tier parameters support a maximum parameter value of 4096 characters, advanced ones of 8192 (this one has %d)", len(value))
	case c.In.Has("insecureValue") && kind == "SecureString":
		return bad("ValidationException", "invalid value: a SecureString takes value, not insecureValue")
	case c.In.String("keyId") != "" && kind != "SecureString":
		return bad("ValidationException", "KeyId is not supported for parameters of type %s", kind)
	}
	if p := c.In.String("allowedPattern"); p != "" {
		if re, err := regexp.Compile(p); err != nil {
			return bad("InvalidAllowedPatternException", "The request does not meet the regular expression requirement. (%v)", err)
		} else if !re.MatchString(value) {
			return bad("ParameterPatternMismatchException", "Parameter value failed to satisfy the allowed pattern %s", p)
		}
	}
	if why := keyUsable(c, c.In.String("keyId")); why != "" {
		return bad("InvalidKeyId", "%s", why)
	}
	c.Out["arn"] = arn("ssm", c.Scope, "parameter/"+strings.TrimPrefix(name, "/"))
	if kind == "SecureString" {
		computed(c, "keyId", "alias/aws/ssm")
	}
	if !c.In.Has("insecureValue") {
		c.Out["value"] = value
	}
	if updating(c) {
		c.Out["version"] = float64(c.Out.Int("version") + 1)
	}
	return nil
}
