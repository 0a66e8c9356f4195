package aws

import (
	"regexp"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const (
	roleToken           = "aws:iam/role:Role"
	rolePolicyToken     = "aws:iam/rolePolicy:RolePolicy"
	roleAttachmentToken = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	managedPolicyToken  = "aws:iam/policy:Policy"
	userToken           = "aws:iam/user:User"
	userPolicyToken     = "aws:iam/userPolicy:UserPolicy"
	userAttachmentToken = "aws:iam/userPolicyAttachment:UserPolicyAttachment"
	accessKeyToken      = "aws:iam/accessKey:AccessKey"
	profileToken        = "aws:iam/instanceProfile:InstanceProfile"
	oidcToken           = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
)

func iamTypes() []cloud.Type {
	return []cloud.Type{roleType(), rolePolicyType(), roleAttachmentType(), managedPolicyType(),
		userType(), userPolicyType(), userAttachmentType(), accessKeyType(), profileType(), oidcType()}
}

func roleType() cloud.Type {
	return written(cloud.Type{
		Token: roleToken,
		Check: func(c *cloud.CheckCall) {
			checkIAMName(c, "name", "path")
			checkJSON(c, "assumeRolePolicy")
		},
		Delete: deleteRole,
		Takes:  cloud.Durations{Create: seconds(2), Update: seconds(2), Delete: seconds(2)},
	}, writeRole, createRole)
}

var iamNameForm = regexp.MustCompile(`^[0-9A-Za-z=,.@_+-]+$`)
var iamPathForm = regexp.MustCompile(`^(/|/[\x21-\x7e]+/)$`)

// checkIAMName refuses in the plan the names and paths that the provider refuses.
func checkIAMName(c *cloud.CheckCall, name, path string) {
	if n := c.In.String(name); n != "" && !iamNameForm.MatchString(n) {
		c.Fail(name, "invalid value for %s (must match [\\w+=,.@-]): %q", name, n)
	}
	if p := c.In.String(path); path != "" && p != "" && !iamPathForm.MatchString(p) {
		c.Fail(path, "invalid value for %s (must begin and end with a slash): %q", path, p)
	}
}

func writeRole(c *cloud.Call) error {
	op := operation(c, "CreateRole", "UpdateAssumeRolePolicy")
	if n := policySize(c.In.Get("assumeRolePolicy")); n > 2048 {
		return refuseStatus(409, "IAM", op, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048 (this trust policy has %d)", n)
	}
	doc, err := parsePolicy(c.In.Get("assumeRolePolicy"))
	if err == nil {
		err = doc.trust(c.World)
	}
	if err != nil {
		return refuse("IAM", op, "MalformedPolicyDocument", "%v", err)
	}
	for _, p := range c.In.Objects("inlinePolicies") {
		if err := checkInline(c, "PutRolePolicy", p.Get("policy")); err != nil {
			return err
		}
	}
	if err := inlineQuota(c, c.In.String("name"), "", 0); err != nil {
		return err
	}
	list := c.In.Strings("managedPolicyArns")
	if len(list) > 10 {
		return refuseStatus(409, "IAM", "AttachRolePolicy", "LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10")
	}
	if b := c.In.String("permissionsBoundary"); b != "" {
		list = append(list, b)
	}
	for _, p := range list {
		if err := policyAttachable(c, "AttachRolePolicy", p); err != nil {
			return err
		}
	}
	return nil
}

func createRole(c *cloud.Call) error {
	if err := newEntity(c, "CreateRole", "Role with name", "role", "AROA"); err != nil {
		return err
	}
	c.Out["createDate"] = c.Gen.Time()
	computed(c, "namePrefix", "")
	return nil
}

// newEntity names an IAM entity, whose name may not be another's in capital or small letters either.
func newEntity(c *cloud.Call, op, what, resource, idPrefix string) error {
	name := c.In.String("name")
	for _, r := range c.Everywhere(c.Type) {
		if strings.EqualFold(r.ID, name) {
			return refuseStatus(409, "IAM", op, "EntityAlreadyExists", "%s %s already exists.", what, name)
		}
	}
	c.ID = name
	c.Out["arn"] = arn("iam", "", resource+pathOf(c)+name)
	c.Out["uniqueId"] = idPrefix + c.Gen.Pick("unique", upper, 17)
	return nil
}

// pathOf is the path of an IAM entity, "/" when none is given.
func pathOf(c *cloud.Call) string {
	if p := c.In.String("path"); p != "" {
		return p
	}
	return "/"
}

// deleteRole refuses while something hangs on the role: the provider detaches only on request.
func deleteRole(c *cloud.Call) error {
	if c.Old.Bool("forceDetachPolicies") {
		return nil
	}
	if len(owned(c, roleAttachmentToken, "role", c.ID)) > 0 {
		return refuseStatus(409, "IAM", "DeleteRole", "DeleteConflict", "Cannot delete entity, must detach all policies first.")
	}
	if len(owned(c, rolePolicyToken, "role", c.ID)) > 0 {
		return refuseStatus(409, "IAM", "DeleteRole", "DeleteConflict", "Cannot delete entity, must delete policies first.")
	}
	return nil
}

// owned are the resources of a type whose input refers to the owner by name.
func owned(c *cloud.Call, typ, property, owner string) []*cloud.Resource {
	var out []*cloud.Resource
	for _, r := range c.Everywhere(typ) {
		if r.Out.String(property) == owner {
			out = append(out, r)
		}
	}
	return out
}

// roleARN finds the role behind an ARN given to a service, in the account's simulated world. Roles
// of other accounts are taken on trust.
func roleARN(w *cloud.World, id string) bool {
	if !isARN(id, "iam") {
		return false
	}
	if arnPart(id, 4) != accountID {
		return true
	}
	return strings.HasPrefix(arnPart(id, 5), "role/aws-service-role/") || anywhere(w, roleToken, id) != nil
}

// trusts tells whether a role's trust policy lets the service assume it.
func trusts(w *cloud.World, id, service string) bool {
	r := anywhere(w, roleToken, id)
	if r == nil {
		return true
	}
	doc, err := parsePolicy(r.Out.Get("assumeRolePolicy"))
	if err != nil {
		return false
	}
	return slices.ContainsFunc(doc.Statements, func(s policyStatement) bool {
		return s.Effect == "Allow" && (slices.Contains(s.Principals["Service"], service) || slices.Contains(s.Principals["*"], "*"))
	})
}
