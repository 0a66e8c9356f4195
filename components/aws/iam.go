package aws

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// Statement is one statement of a policy document.
type Statement struct {
	// Sid: letters and digits; required.
	Sid string
	// Deny instead of Allow.
	Deny bool
	// Actions, such as "s3:GetObject"; at least one.
	Actions []string
	// Resources are ARNs. None in a trust policy.
	Resources []pulumi.StringInput
	// Everyone, Services, Principals (ARNs) and Federated say who, in key, bucket and trust policies.
	// Everyone is for statements that deny.
	Everyone   bool
	Services   []string
	Principals []pulumi.StringInput
	Federated  []pulumi.StringInput
	// Conditions: operator -> key -> values.
	Conditions map[string]map[string][]pulumi.StringInput
	// Reason, in a few words, why an action or the resource has to be a wildcard; an Allow with a
	// wildcard is refused without one. It is written into the statement's id ("…Because…"), where
	// reviewers and policy checks find it.
	Reason string
}

var (
	sidPattern    = regexp.MustCompile(`^[A-Za-z0-9]{1,60}$`)
	actionPattern = regexp.MustCompile(`^(\*|[a-z0-9-]+:[A-Za-z*]+)$`)
)

// PolicyDocument renders an IAM policy document, or says what is wrong with its statements.
func PolicyDocument(statements ...Statement) (pulumi.StringOutput, error) {
	list, err := statementList(statements...)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return pulumi.JSONMarshal(pulumi.Map{"Version": pulumi.String("2012-10-17"), "Statement": list}), nil
}

// statementList checks and renders the statements of one document.
func statementList(statements ...Statement) (pulumi.Array, error) {
	p := base.Check("PolicyDocument", "statements")
	p.Require(len(statements) > 0, "Statements", "none", "at least one", "")
	seen := map[string]bool{}
	list := pulumi.Array{}
	for _, s := range statements {
		s.check(p)
		p.Require(!seen[s.Sid], s.Sid, "the id twice", "each id once", "")
		seen[s.Sid] = true
		list = append(list, s.render())
	}
	return list, p.Err()
}

func (s Statement) check(p *base.Problems) {
	p.Require(sidPattern.MatchString(s.Sid), "Sid", s.Sid, "1 to 60 letters and digits", "")
	p.Require(len(s.Actions) > 0, s.Sid+".Actions", "none", "at least one", "")
	wildcard := s.Everyone
	for _, a := range s.Actions {
		p.Require(actionPattern.MatchString(a), s.Sid+".Actions", a, "service:Action", "")
		wildcard = wildcard || strings.Contains(a, "*")
	}
	for _, r := range s.Resources {
		p.Require(r != nil, s.Sid+".Resources", "nothing", "an ARN", "")
		wildcard = wildcard || r == pulumi.StringInput(pulumi.String("*"))
	}
	if !s.Deny && wildcard {
		p.Require(strings.TrimSpace(s.Reason) != "", s.Sid, "a wildcard without a reason", "exact actions and ARNs, or Reason saying why that cannot be", "")
	}
}

func (s Statement) render() pulumi.Map {
	m := pulumi.Map{"Sid": pulumi.String(s.sid()), "Effect": pulumi.String("Allow"), "Action": pulumi.ToStringArray(s.Actions)}
	if s.Deny {
		m["Effect"] = pulumi.String("Deny")
	}
	if len(s.Resources) > 0 {
		m["Resource"] = pulumi.StringArray(s.Resources)
	}
	who := pulumi.Map{}
	if len(s.Services) > 0 {
		who["Service"] = pulumi.ToStringArray(s.Services)
	}
	if len(s.Principals) > 0 {
		who["AWS"] = pulumi.StringArray(s.Principals)
	}
	if len(s.Federated) > 0 {
		who["Federated"] = pulumi.StringArray(s.Federated)
	}
	if s.Everyone {
		m["Principal"] = pulumi.String("*")
	} else if len(who) > 0 {
		m["Principal"] = who
	}
	if len(s.Conditions) > 0 {
		conditions := pulumi.Map{}
		for _, op := range slices.Sorted(maps.Keys(s.Conditions)) {
			keys := pulumi.Map{}
			for k, values := range s.Conditions[op] {
				keys[k] = pulumi.StringArray(values)
			}
			conditions[op] = keys
		}
		m["Condition"] = conditions
	}
	return m
}

// sid carries the reason for a wildcard, as IAM leaves no other room for a remark.
func (s Statement) sid() string {
	if s.Reason == "" {
		return s.Sid
	}
	return s.Sid + "Because" + camel(s.Reason)
}

// camel keeps the letters and digits of a text and begins each word with a capital.
func camel(text string) string {
	var b strings.Builder
	start := true
	for _, r := range text {
		switch {
		case r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r):
			start = true
		case start:
			b.WriteRune(unicode.ToUpper(r))
			start = false
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// condition is a Statement's Conditions with one key.
func condition(operator, key string, values ...pulumi.StringInput) map[string]map[string][]pulumi.StringInput {
	return map[string]map[string][]pulumi.StringInput{operator: {key: values}}
}

// arns is a list of plain or computed ARNs.
func arns(list ...pulumi.StringInput) []pulumi.StringInput { return list }

// serviceRole registers a role that one AWS service may take, for this account's resources only,
// with the statements (if any) as its one policy. What it returns besides the role must exist before
// the role is used.
func serviceRole(ctx *pulumi.Context, name, service, description string, account pulumi.StringInput, statements []Statement, tags base.Tags, parent pulumi.Resource) (*iam.Role, []pulumi.Resource, error) {
	trust, err := PolicyDocument(Statement{
		Sid: "Assume", Actions: []string{"sts:AssumeRole"}, Services: []string{service},
		// Against the confused deputy: only on behalf of this account.
		Conditions: condition("StringEquals", "aws:SourceAccount", account),
	})
	if err != nil {
		return nil, nil, err
	}
	role, err := iam.NewRole(ctx, name, &iam.RoleArgs{
		Description: pulumi.String(description), AssumeRolePolicy: trust, Tags: tags.Pulumi("Name", name),
	}, pulumi.Parent(parent))
	if err != nil || len(statements) == 0 {
		return role, []pulumi.Resource{role}, err
	}
	doc, err := PolicyDocument(statements...)
	if err != nil {
		return nil, nil, err
	}
	policy, err := iam.NewRolePolicy(ctx, name+"-policy", &iam.RolePolicyArgs{Role: role.ID(), Policy: doc}, pulumi.Parent(parent))
	return role, []pulumi.Resource{role, policy}, err
}
