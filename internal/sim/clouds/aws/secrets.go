package aws

import (
	"regexp"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const (
	secretToken        = "aws:secretsmanager/secret:Secret"
	secretVersionToken = "aws:secretsmanager/secretVersion:SecretVersion"
)

func secretTypes() []cloud.Type {
	return []cloud.Type{secretType(), secretVersionType(), secretPolicyType(), secretRotationType()}
}

var secretName = regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]{1,512}$`)

func secretType() cloud.Type {
	return written(cloud.Type{
		Token: secretToken,
		Check: func(c *cloud.CheckCall) {
			if n := c.In.String("name"); n != "" && !secretName.MatchString(n) {
				c.Fail("name", "invalid value for name: only alphanumeric characters and the characters /_+=.@- are allowed, 1 to 512 of them, got %q", n)
			}
			if d := c.In.Int("recoveryWindowInDays"); c.In.Known("recoveryWindowInDays") && d != 0 && (d < 7 || d > 30) {
				c.Fail("recoveryWindowInDays", "expected recovery_window_in_days to be one of [0] or in the range (7 - 30), got %d", d)
			}
			checkJSON(c, "policy")
		},
		Delete: deleteSecret,
		Takes:  cloud.Durations{Create: seconds(2), Update: seconds(2), Delete: seconds(2)},
	}, writeSecret, func(c *cloud.Call) error {
		name := c.In.String("name")
		if remembered(c, "secret", name) != nil {
			return refuse("Secrets Manager", "CreateSecret", "InvalidRequestException",
				"You can't create this secret because a secret with this name is already scheduled for deletion. (%s: restore or force-delete it, or leave the name to be generated)", name)
		}
		if byProperty(c.All(secretToken), "name", name) != nil {
			return refuse("Secrets Manager", "CreateSecret", "ResourceExistsException", "The operation failed because the secret %s already exists.", name)
		}
		c.ID = arn("secretsmanager", c.Scope, "secret:"+name+"-"+c.Gen.Pick("suffix", letters+"0123456789", 6))
		c.Out["arn"] = c.ID
		computed(c, "namePrefix", "")
		computed(c, "policy", "")
		return replicate(c)
	})
}

func writeSecret(c *cloud.Call) error {
	op := operation(c, "CreateSecret", "UpdateSecret")
	if why := keyUsable(c, c.In.String("kmsKeyId")); why != "" {
		return refuse("Secrets Manager", op, "InvalidParameterException", "The KMS key cannot be used: %s", why)
	}
	var out []any
	for _, r := range c.In.Objects("replicas") {
		region := r.String("region")
		if region == c.Scope || regions[region] == nil {
			return refuse("Secrets Manager", op, "InvalidParameterException", "Invalid replica region %q: a replica is in another region than the secret (%s)", region, c.Scope)
		}
		if key := r.String("kmsKeyId"); key != "" && !awsKey(key) && findKey(c.World, region, key) == nil {
			return refuse("Secrets Manager", op, "InvalidParameterException", "The KMS key %s is not in the replica's region %s", key, region)
		}
		status := cloud.Object{"region": region, "status": "InSync", "statusMessage": "", "lastAccessedDate": "", "kmsKeyId": r.String("kmsKeyId")}
		out = append(out, status)
	}
	if out != nil {
		c.Out["replicas"] = out
	}
	if updating(c) {
		return replicate(c)
	}
	return nil
}

// deleteSecret schedules the deletion. The name stays taken until the recovery window ends.
func deleteSecret(c *cloud.Call) error {
	unreplicate(c)
	if days := c.Old.Int("recoveryWindowInDays"); days > 0 {
		remember(c, "secret", c.Old.String("name"), cloud.Object{"arn": c.ID, "days": float64(days)})
	}
	return nil
}

// findSecret finds a secret by ARN, by ARN without its suffix, or by name.
func findSecret(w *cloud.World, region, ref string) *cloud.Resource {
	for _, r := range w.All(region, secretToken) {
		if r.ID == ref || r.Out.String("name") == ref || strings.HasPrefix(ref, "arn:") && len(r.ID) > 7 && r.ID[:len(r.ID)-7] == ref {
			return r
		}
	}
	return nil
}

// mustHaveSecret refuses a secret that does not exist, or is going.
func mustHaveSecret(c *cloud.Call, op, ref string) error {
	if findSecret(c.World, c.Scope, ref) != nil {
		return nil
	}
	for _, r := range c.World.All(c.Scope, remnant("secret")) {
		if r.ID == ref || r.Out.String("arn") == ref {
			return refuse("Secrets Manager", op, "InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion. (%s)", ref)
		}
	}
	return refuse("Secrets Manager", op, "ResourceNotFoundException", "Secrets Manager can't find the specified secret. (%s)", ref)
}

func secretVersionType() cloud.Type {
	return cloud.Type{
		Token: secretVersionToken,
		Create: func(c *cloud.Call) error {
			ref := c.In.String("secretId")
			if err := mustHaveSecret(c, "PutSecretValue", ref); err != nil {
				return err
			}
			text, binary := c.In.String("secretString"), c.In.String("secretBinary")
			switch {
			case text == "" && binary == "":
				return refuse("Secrets Manager", "PutSecretValue", "InvalidRequestException", "You must provide either SecretString or SecretBinary, and not an empty one.")
			case len(text) > 65536 || len(binary) > 65536:
				return refuse("Secrets Manager", "PutSecretValue", "ValidationException", "1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must have length less than or equal to 65536")
			}
			s := findSecret(c.World, c.Scope, ref)
			if why := keyUsable(c, s.Out.String("kmsKeyId")); why != "" {
				return refuse("Secrets Manager", "PutSecretValue", "AccessDeniedException", "Access to KMS is not allowed: %s", why)
			}
			c.Out["versionId"] = "terraform-" + c.Gen.Pick("version", "0123456789abcdef", 26)
			c.Out["arn"] = s.ID
			c.ID = ref + "|" + c.Out.String("versionId")
			computed(c, "versionStages", []string{"AWSCURRENT"})
			return nil
		},
		Takes: cloud.Durations{Create: seconds(1), Update: seconds(1), Delete: seconds(1)},
	}
}

func secretPolicyType() cloud.Type {
	return written(cloud.Type{
		Token: "aws:secretsmanager/secretPolicy:SecretPolicy",
		Check: func(c *cloud.CheckCall) { checkJSON(c, "policy") },
	}, func(c *cloud.Call) error {
		ref := c.In.String("secretArn")
		if err := mustHaveSecret(c, "PutResourcePolicy", ref); err != nil {
			return err
		}
		doc, why := checkResourcePolicy(c.World, c.In.Get("policy"), 20480)
		if why != "" {
			return refuse("Secrets Manager", "PutResourcePolicy", "MalformedPolicyDocumentException", "This resource policy contains a problem: %s", why)
		}
		if c.In.Bool("blockPublicPolicy") && doc.public() {
			return refuse("Secrets Manager", "PutResourcePolicy", "PublicPolicyException", "This resource policy grants broad access to the secret, which blockPublicPolicy forbids.")
		}
		return nil
	}, func(c *cloud.Call) error {
		c.ID = c.In.String("secretArn")
		return nil
	})
}

// checkResourcePolicy parses a policy that is attached to a resource, and tells what is wrong with it.
func checkResourcePolicy(w *cloud.World, v any, limit int) (*policy, string) {
	if n := len(policyText(v)); n > limit {
		return nil, "the policy has " + cloud.Text(float64(n)) + " bytes, more than " + cloud.Text(float64(limit))
	}
	doc, err := parsePolicy(v)
	if err == nil {
		err = doc.check()
	}
	if err != nil {
		return nil, err.Error()
	}
	for _, s := range doc.Statements {
		if !s.HasPrincipal && !s.HasNotPrincipal {
			return nil, "Missing required field Principal"
		}
		if err := s.principalsExist(w); err != nil {
			return nil, err.Error()
		}
	}
	return doc, ""
}

func secretRotationType() cloud.Type {
	return written(cloud.Type{
		Token: "aws:secretsmanager/secretRotation:SecretRotation",
		Check: func(c *cloud.CheckCall) {
			if e := c.In.String("rotationRules.scheduleExpression"); e != "" && scheduleProblem(e) != "" {
				c.Fail("rotationRules.scheduleExpression", "%s", scheduleProblem(e))
			}
		},
	}, func(c *cloud.Call) error {
		ref := c.In.String("secretId")
		if err := mustHaveSecret(c, "RotateSecret", ref); err != nil && !rotatesItself(c.World, ref) {
			return err
		}
		if l := c.In.String("rotationLambdaArn"); l == "" && !rotatesItself(c.World, ref) {
			return refuse("Secrets Manager", "RotateSecret", "InvalidRequestException", "No Lambda rotation function ARN is associated with this secret. (only secrets that another service manages rotate without one)")
		} else if l != "" && !isARN(l, "lambda") {
			return refuse("Secrets Manager", "RotateSecret", "InvalidParameterException", "The parameter RotationLambdaARN is no ARN of a function: %q", l)
		}
		c.Out["rotationEnabled"] = true
		return nil
	}, func(c *cloud.Call) error {
		c.ID = c.In.String("secretId")
		return nil
	})
}

// rotatesItself tells whether the secret belongs to a service, such as a database's master password.
func rotatesItself(w *cloud.World, ref string) bool {
	s := anywhere(w, secretToken, ref)
	return s != nil && s.Out.String("owningService") != "" || strings.Contains(ref, "secret:rds!")
}
