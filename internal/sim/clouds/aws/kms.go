package aws

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const (
	keyToken     = "aws:kms/key:Key"
	aliasToken   = "aws:kms/alias:Alias"
	replicaToken = "aws:kms/replicaKey:ReplicaKey"
)

func kmsTypes() []cloud.Type { return []cloud.Type{keyType(), replicaKeyType(), aliasType()} }

// defaultKeyPolicy is the policy of a key that is made without one: the account, and through it
// every IAM policy in it, may do everything.
var defaultKeyPolicy = `{"Id":"key-default-1","Statement":[{"Action":"kms:*","Effect":"Allow","Principal":{"AWS":"` + arn("iam", "", "root") +
	`"},"Resource":"*","Sid":"Enable IAM User Permissions"}],"Version":"2012-10-17"}`

func keyType() cloud.Type {
	return written(cloud.Type{
		Token: keyToken,
		Check: func(c *cloud.CheckCall) {
			checkJSON(c, "policy")
			if n := c.In.Int("rotationPeriodInDays"); c.In.Known("rotationPeriodInDays") && (n < 90 || n > 2560) {
				c.Fail("rotationPeriodInDays", "expected rotation_period_in_days to be in the range (90 - 2560), got %d", n)
			}
		},
		Delete: deleteKey,
		Takes:  cloud.Durations{Create: seconds(15), Update: seconds(10), Delete: seconds(2)},
	}, writeKey, func(c *cloud.Call) error {
		c.ID = c.Gen.UUID("key")
		if c.In.Bool("multiRegion") {
			c.ID = "mrk-" + c.Gen.Hex("key", 32)
		}
		c.Out["keyId"], c.Out["arn"] = c.ID, arn("kms", c.Scope, "key/"+c.ID)
		computed(c, "multiRegion", false)
		computed(c, "description", "")
		if c.In.Bool("enableKeyRotation") {
			computed(c, "rotationPeriodInDays", 365)
		} else {
			computed(c, "rotationPeriodInDays", 0)
		}
		return nil
	})
}

func writeKey(c *cloud.Call) error {
	op := operation(c, "CreateKey", "PutKeyPolicy")
	spec, usage := c.In.String("customerMasterKeySpec"), c.In.String("keyUsage")
	if want := usages(spec); spec != "" && usage != "" && !slices.Contains(want, usage) {
		return refuse("KMS", "CreateKey", "ValidationException", "The KeyUsage value %s is not compatible with the KeySpec %s (allowed: %s)", usage, spec, strings.Join(want, ", "))
	}
	if c.In.Bool("enableKeyRotation") && spec != "" && spec != "SYMMETRIC_DEFAULT" {
		return refuse("KMS", "EnableKeyRotation", "UnsupportedOperationException", "automatic rotation is for symmetric keys only, this key is %s", spec)
	}
	if c.In.Has("rotationPeriodInDays") && c.In.Int("rotationPeriodInDays") > 0 && !c.In.Bool("enableKeyRotation") {
		return refuse("KMS", "EnableKeyRotation", "ValidationException", "rotationPeriodInDays needs enableKeyRotation: true")
	}
	if c.In.String("policy") == "" {
		c.Out["policy"] = defaultKeyPolicy
		return nil
	}
	return checkKeyPolicy(c, op)
}

// checkKeyPolicy refuses policies KMS cannot read, and those that lock everyone out.
func checkKeyPolicy(c *cloud.Call, op string) error {
	malformed := func(format string, args ...any) error {
		return refuse("KMS", op, "MalformedPolicyDocumentException", format, args...)
	}
	text := c.In.String("policy")
	if len(text) > 32768 {
		return refuse("KMS", op, "LimitExceededException", "Key policy size exceeds the maximum of 32768 bytes (%d)", len(text))
	}
	doc, err := parsePolicy(text)
	if err == nil {
		err = doc.check()
	}
	if err != nil {
		return malformed("%v", err)
	}
	for _, s := range doc.Statements {
		if !s.HasPrincipal && !s.HasNotPrincipal {
			return malformed("Policy document must contain a principal in every statement (statement %q)", s.Sid)
		}
		if len(s.Resources) == 0 {
			return malformed("Policy statement must contain resources (a key policy's Resource is \"*\"; statement %q)", s.Sid)
		}
		if err := s.principalsExist(c.World); err != nil {
			return malformed("Policy contains a statement with one or more invalid principals. (%v)", err)
		}
	}
	if c.In.Bool("bypassPolicyLockoutSafetyCheck") {
		return nil
	}
	if !doc.allows(accessRequest{kind: "AWS", principal: arn("iam", "", caller), action: "kms:PutKeyPolicy",
		context: map[string]string{"kms:CallerAccount": accountID, "aws:PrincipalAccount": accountID}}) {
		return malformed("The new key policy will not allow you to update the key policy in the future. (allow kms:* to %s)", arn("iam", "", "root"))
	}
	return nil
}

func usages(spec string) []string {
	switch {
	case spec == "SYMMETRIC_DEFAULT":
		return []string{"ENCRYPT_DECRYPT"}
	case strings.HasPrefix(spec, "HMAC"):
		return []string{"GENERATE_VERIFY_MAC"}
	case strings.HasPrefix(spec, "ECC"):
		return []string{"SIGN_VERIFY", "KEY_AGREEMENT"}
	}
	return []string{"ENCRYPT_DECRYPT", "SIGN_VERIFY"}
}

// deleteKey schedules the deletion: the key is unusable from now on, and what it encrypts is lost
// when the window ends. AWS does not refuse, whatever still uses the key.
func deleteKey(c *cloud.Call) error {
	days := c.Old.Int("deletionWindowInDays")
	if days == 0 {
		days = 30
	}
	if users := usersOfKey(c); len(users) > 0 {
		c.Warn("key %s is pending deletion for %d days while %s still use it: cancel the deletion, or lose their data", c.ID, days, strings.Join(users, ", "))
	}
	remember(c, "kms-key", c.ID, cloud.Object{"arn": c.Out.String("arn"), "days": float64(days)})
	return nil
}

// usersOfKey names what in the world refers to the key, aliases and policies apart.
func usersOfKey(c *cloud.Call) []string {
	id := c.Out.String("arn")
	var out []string
	for _, r := range c.World.All("", "") {
		if r.Type == c.Type && r.ID == c.ID || r.Type == aliasToken || strings.HasPrefix(r.Type, remnant("")) {
			continue
		}
		for _, k := range r.In.Keys() {
			if s, ok := r.In[k].(string); ok && id != "" && s == id {
				out = append(out, r.Type+" "+r.ID)
			}
		}
	}
	return out
}

// findKey returns the key behind an id, an ARN or an alias, as a service in the region sees it.
func findKey(w *cloud.World, region, ref string) *cloud.Resource {
	if isARN(ref, "kms") {
		if arnPart(ref, 3) != region {
			return nil
		}
		ref = strings.TrimPrefix(arnPart(ref, 5), "key/")
	}
	if strings.HasPrefix(ref, "alias/") {
		a := w.Find(region, aliasToken, ref)
		if a == nil {
			return nil
		}
		ref = strings.TrimPrefix(arnPart(a.Out.String("targetKeyArn"), 5), "key/")
	}
	for _, t := range []string{keyToken, replicaToken} {
		if r := w.Find(region, t, ref); r != nil {
			return r
		}
	}
	return nil
}

// awsKey tells whether the reference is to a key that AWS keeps for a service ("alias/aws/s3").
func awsKey(ref string) bool {
	return strings.HasPrefix(ref, "alias/aws/") || strings.HasPrefix(arnPart(ref, 5), "alias/aws/")
}

// keyUsable tells why a service in the region cannot use the key, or "".
func keyUsable(c *cloud.Call, ref string) string {
	if ref == "" || awsKey(ref) {
		return ""
	}
	if isARN(ref, "kms") && arnPart(ref, 3) != c.Scope {
		return fmt.Sprintf("key %s is in %s, this is %s", ref, arnPart(ref, 3), c.Scope)
	}
	if remembered(c, "kms-key", strings.TrimPrefix(strings.TrimPrefix(ref, "key/"), arn("kms", c.Scope, "key/"))) != nil {
		return fmt.Sprintf("%s is pending deletion.", ref)
	}
	k := findKey(c.World, c.Scope, ref)
	switch {
	case k == nil:
		return fmt.Sprintf("Invalid keyId '%s'", ref)
	case k.Out.Get("isEnabled") == false || k.Out.Get("enabled") == false:
		return fmt.Sprintf("%s is disabled.", k.Out.String("arn"))
	}
	return ""
}

// keyAllows tells whether the key's policy lets the service do the action in the context.
func keyAllows(k *cloud.Resource, service, action string, context map[string]string) bool {
	doc, err := parsePolicy(k.Out.Get("policy"))
	return err == nil && doc.allows(accessRequest{kind: "Service", principal: service, action: action, context: context})
}

func replicaKeyType() cloud.Type {
	return written(cloud.Type{
		Token:  replicaToken,
		Check:  func(c *cloud.CheckCall) { checkJSON(c, "policy") },
		Delete: deleteKey,
		Takes:  cloud.Durations{Create: minutes(2), Update: seconds(10), Delete: seconds(2)},
	}, func(c *cloud.Call) error {
		if c.In.String("policy") == "" {
			c.Out["policy"] = defaultKeyPolicy
			return nil
		}
		return checkKeyPolicy(c, operation(c, "ReplicateKey", "PutKeyPolicy"))
	}, func(c *cloud.Call) error {
		ref := c.In.String("primaryKeyArn")
		primary := anywhere(c.World, keyToken, ref)
		switch {
		case !isARN(ref, "kms"):
			return refuse("KMS", "ReplicateKey", "ValidationException", "primaryKeyArn must be the ARN of a key, got %q", ref)
		case arnPart(ref, 3) == c.Scope:
			return refuse("KMS", "ReplicateKey", "ValidationException", "the replica region must differ from the primary key's region %s", c.Scope)
		case primary == nil:
			return refuse("KMS", "ReplicateKey", "NotFoundException", "Key '%s' does not exist", ref)
		case !primary.Out.Bool("multiRegion"):
			return refuse("KMS", "ReplicateKey", "UnsupportedOperationException", "%s is not a multi-Region primary key (set multiRegion: true, which replaces the key)", ref)
		case c.World.Find(c.Scope, replicaToken, primary.ID) != nil, remembered(c, "kms-key", primary.ID) != nil:
			return refuse("KMS", "ReplicateKey", "AlreadyExistsException", "A replica of %s exists in %s, or is pending deletion there: cancel the deletion and import it", ref, c.Scope)
		}
		c.ID = primary.ID
		c.Out["keyId"], c.Out["arn"] = c.ID, arn("kms", c.Scope, "key/"+c.ID)
		c.Out["keySpec"], c.Out["keyUsage"] = primary.Out.String("customerMasterKeySpec"), primary.Out.String("keyUsage")
		c.Out["keyRotationEnabled"] = primary.Out.Bool("enableKeyRotation")
		return nil
	})
}

var aliasForm = regexp.MustCompile(`^alias/[a-zA-Z0-9/_-]+$`)

func aliasType() cloud.Type {
	return written(cloud.Type{
		Token: aliasToken,
		Check: func(c *cloud.CheckCall) {
			n := c.In.String("name")
			switch {
			case n == "":
			case strings.HasPrefix(n, "alias/aws/"):
				c.Fail("name", "name cannot begin with reserved AWS CMK prefix 'alias/aws/': %q", n)
			case !aliasForm.MatchString(n):
				c.Fail("name", "\"name\" must begin with 'alias/' and be comprised of only [a-zA-Z0-9/_-], got %q", n)
			}
		},
		Same: func(property string, old, new any) bool {
			// The provider takes a key's id and its ARN for the same.
			a, b := cloud.Text(old), cloud.Text(new)
			return property == "targetKeyId" && (strings.HasSuffix(a, "key/"+b) || strings.HasSuffix(b, "key/"+a))
		},
	}, func(c *cloud.Call) error {
		op, ref := operation(c, "CreateAlias", "UpdateAlias"), c.In.String("targetKeyId")
		k := findKey(c.World, c.Scope, ref)
		if why := keyUsable(c, ref); strings.HasSuffix(why, "pending deletion.") {
			return refuse("KMS", op, "KMSInvalidStateException", "%s", why)
		} else if k == nil {
			return refuse("KMS", op, "NotFoundException", "Key '%s' does not exist", ref)
		}
		c.Out["targetKeyArn"] = k.Out.String("arn")
		return nil
	}, func(c *cloud.Call) error {
		name := c.In.String("name")
		if c.Find(aliasToken, name) != nil {
			return refuse("KMS", "CreateAlias", "AlreadyExistsException", "An alias with the name %s already exists", arn("kms", c.Scope, name))
		}
		c.ID = name
		c.Out["arn"] = arn("kms", c.Scope, name)
		computed(c, "namePrefix", "")
		return nil
	})
}
