package aws

import (
	"fmt"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func managedPolicyType() cloud.Type {
	return written(cloud.Type{
		Token: managedPolicyToken,
		Check: func(c *cloud.CheckCall) {
			checkIAMName(c, "name", "path")
			checkJSON(c, "policy")
		},
		Delete: func(c *cloud.Call) error {
			used := len(owned(c, roleAttachmentToken, "policyArn", c.ID)) + len(owned(c, userAttachmentToken, "policyArn", c.ID)) +
				len(c.World.Referrers(roleToken, "managedPolicyArns", c.ID)) + len(c.World.Referrers(roleToken, "permissionsBoundary", c.ID))
			if used > 0 {
				return refuseStatus(409, "IAM", "DeletePolicy", "DeleteConflict", "Cannot delete a policy attached to entities.")
			}
			return nil
		},
	}, writeManagedPolicy, func(c *cloud.Call) error {
		name := c.In.String("name")
		c.ID = arn("iam", "", "policy"+pathOf(c)+name)
		for _, r := range c.Everywhere(managedPolicyToken) {
			if r.Out.String("name") == name {
				return refuseStatus(409, "IAM", "CreatePolicy", "EntityAlreadyExists", "A policy called %s already exists. Duplicate names are not allowed.", name)
			}
		}
		c.Out["arn"], c.Out["policyId"] = c.ID, "ANPA"+c.Gen.Pick("unique", upper, 17)
		c.Out["attachmentCount"] = 0.0
		computed(c, "namePrefix", "")
		return nil
	})
}

func writeManagedPolicy(c *cloud.Call) error {
	op := operation(c, "CreatePolicy", "CreatePolicyVersion")
	if n := policySize(c.In.Get("policy")); n > 6144 {
		return refuseStatus(409, "IAM", op, "LimitExceeded", "Cannot exceed quota for PolicySize: 6144 (this policy has %d)", n)
	}
	return checkInline(c, op, c.In.Get("policy"))
}

// checkInline refuses what IAM refuses in the document of an identity's policy.
func checkInline(c *cloud.Call, op string, v any) error {
	doc, err := parsePolicy(v)
	if err == nil {
		err = doc.identity()
	}
	if err != nil {
		return refuse("IAM", op, "MalformedPolicyDocument", "%v", err)
	}
	return nil
}

func rolePolicyType() cloud.Type {
	return written(cloud.Type{
		Token: rolePolicyToken,
		Check: func(c *cloud.CheckCall) {
			checkIAMName(c, "name", "")
			checkJSON(c, "policy")
		},
	}, func(c *cloud.Call) error {
		role := c.In.String("role")
		if err := mustBeRole(c, "PutRolePolicy", role); err != nil {
			return err
		}
		if err := inlineQuota(c, role, c.In.String("name"), policySize(c.In.Get("policy"))); err != nil {
			return err
		}
		return checkInline(c, "PutRolePolicy", c.In.Get("policy"))
	}, func(c *cloud.Call) error {
		c.ID = c.In.String("role") + ":" + c.In.String("name")
		computed(c, "namePrefix", "")
		return nil
	})
}

// inlineQuota adds up the inline policies of a role: 10,240 characters together.
func inlineQuota(c *cloud.Call, role, name string, size int) error {
	for _, r := range owned(c, rolePolicyToken, "role", role) {
		if r.Out.String("name") != name {
			size += policySize(r.Out.Get("policy"))
		}
	}
	list := c.In.Objects("inlinePolicies")
	if r := anywhere(c.World, roleToken, role); r != nil && c.Type != roleToken {
		list = r.In.Objects("inlinePolicies")
	}
	for _, p := range list {
		size += policySize(p.Get("policy"))
	}
	if size > 10240 {
		return refuseStatus(409, "IAM", "PutRolePolicy", "LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role %s (%d together)", role, size)
	}
	return nil
}

// mustBeRole refuses a name that no role has.
func mustBeRole(c *cloud.Call, op, name string) error {
	if !iamNameForm.MatchString(name) {
		return refuse("IAM", op, "ValidationError", "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_- (got %q; give the role's name, not its ARN)", name)
	}
	for _, r := range c.Everywhere(roleToken) {
		if r.ID == name {
			return nil
		}
	}
	return refuseStatus(404, "IAM", op, "NoSuchEntity", "The role with name %s cannot be found.", name)
}

// policyAttachable refuses the ARN of a policy that does not exist.
func policyAttachable(c *cloud.Call, op, id string) error {
	switch {
	case !isARN(id, "iam"):
		return refuse("IAM", op, "ValidationError", "ARN %s is not valid.", id)
	case arnPart(id, 4) == "aws" && serviceRolePolicy(id):
		return refuse("IAM", op, "PolicyNotAttachable", "Cannot attach a Service Role Policy to a Customer Role.")
	case arnPart(id, 4) == "aws" && awsManaged[arnPart(id, 5)], anywhere(c.World, managedPolicyToken, id) != nil:
		return nil
	case arnPart(id, 4) == "aws":
		return refuseStatus(404, "IAM", op, "NoSuchEntity", "Policy %s does not exist or is not attachable.", id)
	}
	return refuseStatus(404, "IAM", op, "NoSuchEntity", "Policy %s was not found.", id)
}

func roleAttachmentType() cloud.Type {
	return cloud.Type{
		Token: roleAttachmentToken,
		Create: func(c *cloud.Call) error {
			role, id := c.In.String("role"), c.In.String("policyArn")
			if err := mustBeRole(c, "AttachRolePolicy", role); err != nil {
				return err
			}
			if err := policyAttachable(c, "AttachRolePolicy", id); err != nil {
				return err
			}
			attached := len(owned(c, roleAttachmentToken, "role", role))
			if r := anywhere(c.World, roleToken, role); r != nil {
				attached += len(r.In.Strings("managedPolicyArns"))
			}
			if attached >= 10 {
				return refuseStatus(409, "IAM", "AttachRolePolicy", "LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10")
			}
			c.ID = fmt.Sprintf("%s-%s", role, c.Gen.Pick("suffix", "0123456789", 26))
			return nil
		},
	}
}
