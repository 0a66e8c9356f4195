package hygiene

import (
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

var (
	identityPolicies = []string{"aws:iam/policy:Policy", "aws:iam/rolePolicy:RolePolicy", "aws:iam/userPolicy:UserPolicy",
		"aws:iam/groupPolicy:GroupPolicy", "aws:iam/role:Role"}
	attachments = []string{"aws:iam/rolePolicyAttachment:RolePolicyAttachment", "aws:iam/userPolicyAttachment:UserPolicyAttachment",
		"aws:iam/groupPolicyAttachment:GroupPolicyAttachment", "aws:iam/policyAttachment:PolicyAttachment"}
	roles = []string{"aws:iam/role:Role"}
)

// eachStatement makes a check of every statement that gives rights: in policies of their own and
// inside roles.
func eachStatement(visit func(c *rule.Check, s rule.Statement)) func(*rule.Check) {
	return func(c *rule.Check) {
		document := func(v rule.Value) {
			list, known := rule.Statements(v)
			if !known {
				c.Undecided(v)
			}
			for _, s := range list {
				if s.Allows() {
					visit(c, s)
				}
			}
		}
		if c.Type == "aws:iam/role:Role" {
			c.Each(c.In("inlinePolicies"), func(v rule.Value) { document(v.At("policy")) })
			return
		}
		document(c.In("policy"))
	}
}

var iam = []rule.Rule{{
	ID: "iam-no-wildcard-action", Level: rule.Mandatory, Refs: []string{"C62", "C63", "C355", "N-IAM5"}, Types: identityPolicies,
	Title:  "No policy allows actions by wildcard without a reason",
	Reason: "A wildcard allows what AWS will add next year, too.",
	Mend:   "Name the actions. Where that cannot be, say why in the statement's id: …Because….",
	Check: eachStatement(func(c *rule.Check, s rule.Statement) {
		if !s.At("NotAction").Absent() {
			c.Violate("statement %q allows everything but some actions", s.Sid())
		}
		for _, a := range s.Actions() {
			if strings.Contains(a, "*") && !s.Reasoned() {
				c.Violate("statement %q allows %s", s.Sid(), a)
			}
		}
	}),
}, {
	ID: "iam-no-wildcard-resource", Level: rule.Mandatory, Refs: []string{"C355", "C356", "N-IAM5"}, Types: identityPolicies,
	Title:  "No policy is for every resource without a reason",
	Reason: "The right is then for the neighbours' data, too.",
	Mend:   "Name the ARNs. Where an action has no resource level, say so in the statement's id: …Because….",
	Check: eachStatement(func(c *rule.Check, s rule.Statement) {
		if s.At("Resource").HoldsUnknown() {
			c.Undecided(s.At("Resource"))
		}
		passRole := slices.Contains(s.Actions(), "iam:PassRole")
		if slices.Contains(s.Resources(), "*") && !s.Reasoned() && !passRole {
			c.Violate("statement %q is for every resource", s.Sid())
		}
	}),
}, {
	ID: "iam-pass-role-scoped", Level: rule.Mandatory, Refs: []string{"T0342", "C110"}, Types: identityPolicies,
	Title:  "Roles can be handed on only by name, and only to one service",
	Reason: "Whoever may hand any role to a machine has the rights of all of them.",
	Mend:   "Name the roles, and add the condition iam:PassedToService.",
	Check: eachStatement(func(c *rule.Check, s rule.Statement) {
		if !slices.Contains(s.Actions(), "iam:PassRole") {
			return
		}
		if slices.Contains(s.Resources(), "*") {
			c.Violate("statement %q hands on any role", s.Sid())
			return
		}
		for _, operator := range s.At("Condition").Keys() {
			if !s.At("Condition").Key(operator).Key("iam:PassedToService").Absent() {
				return
			}
		}
		c.Violate("statement %q hands roles to any service", s.Sid())
	}),
}, {
	ID: "iam-trust-narrow", Level: rule.Mandatory, Refs: []string{"C60", "C61"}, Types: roles,
	Title:  "No role can be taken by just anybody",
	Reason: "A trust policy for everybody is for every AWS account.",
	Mend:   "Name the service, account or provider.",
	Check: func(c *rule.Check) {
		v := c.In("assumeRolePolicy")
		list, known := rule.Statements(v)
		if !known {
			c.Undecided(v)
		}
		for _, s := range list {
			if s.Allows() && s.Everyone() {
				c.Violate("statement %q lets anybody take the role", s.Sid())
			}
		}
	},
}, {
	ID: "github-oidc-subject", Level: rule.Mandatory, Refs: []string{"C358", "C393"}, Types: roles,
	Title:  "GitHub's workflows take a role only from one repository",
	Reason: "Without the subject, every workflow on GitHub may take it.",
	Mend:   "Compare token.actions.githubusercontent.com:sub with repo:OWNER/NAME:environment:…, by StringEquals.",
	Check:  oidcSubject,
}, {
	ID: "iam-no-admin", Level: rule.Mandatory, Refs: []string{"C274", "N-IAM4"}, Types: attachments,
	Title:  "Nothing has AWS's administrator policies",
	Reason: "They allow everything, the logs' deletion included.",
	Mend:   "Write a policy of what is needed.",
	Check: func(c *rule.Check) {
		c.Want(c.In("policyArn"), func(v rule.Value) bool {
			name := v.Text()[strings.LastIndex(v.Text(), "/")+1:]
			return !slices.Contains([]string{"AdministratorAccess", "PowerUserAccess", "IAMFullAccess"}, name)
		}, "everything is allowed")
	},
}, {
	ID: "iam-no-users", Level: rule.Mandatory, Refs: []string{"C273"}, Types: []string{"aws:iam/user:User", "aws:iam/userPolicy:UserPolicy", "aws:iam/userPolicyAttachment:UserPolicyAttachment"},
	Title:  "Rights are given to roles, not to users",
	Reason: "A user has keys that last, and rights that nobody takes away.",
	Mend:   "Let people come through the identity centre, and workloads through roles.",
	Check: func(c *rule.Check) {
		if c.In("permissionsBoundary").Absent() {
			c.Violate("an IAM user gets rights")
		}
	},
}}

func oidcSubject(c *rule.Check) {
	const issuer = "token.actions.githubusercontent.com"
	v := c.In("assumeRolePolicy")
	list, known := rule.Statements(v)
	if !known {
		return // iam-trust-narrow says that it is not known
	}
	for _, s := range list {
		github := slices.Contains(s.Actions(), "sts:AssumeRoleWithWebIdentity") && slices.ContainsFunc(s.At("Principal.Federated").Texts(),
			func(p string) bool { return strings.Contains(p, issuer) })
		if !github {
			continue
		}
		var subjects []string
		exact := true
		for _, operator := range s.At("Condition").Keys() {
			subject := s.At("Condition").Key(operator).Key(issuer + ":sub").Texts()
			subjects = append(subjects, subject...)
			exact = exact && (len(subject) == 0 || strings.HasPrefix(operator, "StringEquals") || strings.HasPrefix(operator, "StringLike"))
		}
		if len(subjects) == 0 || !exact {
			c.Violate("statement %q is for every repository on GitHub", s.Sid())
		}
		for _, text := range subjects {
			repository, rest, ok := strings.Cut(strings.TrimPrefix(text, "repo:"), ":")
			if !strings.HasPrefix(text, "repo:") || strings.Contains(repository, "*") || !ok || rest == "*" || !strings.Contains(repository, "/") {
				c.Violate("statement %q is for %s, not for one branch or environment of one repository", s.Sid(), text)
			}
		}
	}
}
