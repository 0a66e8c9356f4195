package aws

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// policy is a parsed access policy, in IAM's language.
type policy struct {
	ID         string
	Statements []policyStatement
}

type policyStatement struct {
	Sid, Effect                                  string
	Actions, NotActions, Resources, NotResources []string
	Principals                                   map[string][]string // by kind: AWS, Service, Federated, CanonicalUser
	HasPrincipal, HasNotPrincipal                bool
	Condition                                    cloud.Object
}

// policyText returns the JSON text of a policy property, which may be given as an object.
func policyText(v any) string {
	if o, ok := v.(cloud.Object); ok {
		out, err := json.Marshal(o)
		if err != nil {
			return ""
		}
		return string(out)
	}
	return cloud.Text(v)
}

// checkJSON refuses in the plan, as the provider does, what is no JSON object at all.
func checkJSON(c *cloud.CheckCall, properties ...string) {
	for _, p := range properties {
		v := c.In.Get(p)
		if v == nil || cloud.HasUnknown(v) {
			continue
		}
		text := policyText(v)
		if text == "" {
			continue
		}
		var out any
		if err := json.Unmarshal([]byte(text), &out); err != nil {
			c.Fail(p, "%q contains an invalid JSON policy: %v", p, err)
		} else if _, ok := out.(map[string]any); !ok {
			c.Fail(p, "%q contains an invalid JSON policy: not a JSON object", p)
		}
	}
}

// iamSays is IAM's message about a policy; the caller adds the service's code for it.
func iamSays(format string, args ...any) error { return cloud.Refuse("", format, args...) }

var policyFields = map[string]bool{"Version": true, "Id": true, "Statement": true}
var statementFields = map[string]bool{"Sid": true, "Effect": true, "Action": true, "NotAction": true, "Resource": true,
	"NotResource": true, "Principal": true, "NotPrincipal": true, "Condition": true}

// parsePolicy reads a policy; the error is IAM's message without a code.
func parsePolicy(v any) (*policy, error) {
	parsed, err := cloud.JSON(policyText(v))
	doc, ok := parsed.(cloud.Object)
	if err != nil || !ok {
		return nil, iamSays("Syntax errors in policy.")
	}
	for _, k := range doc.Keys() {
		if !policyFields[k] {
			return nil, iamSays("Syntax errors in policy. (unknown field %q)", k)
		}
	}
	if v := doc.Get("Version"); v != nil && v != "2012-10-17" && v != "2008-10-17" {
		return nil, iamSays("The policy must contain a valid version string. (got %q, allowed are 2012-10-17 and 2008-10-17)", cloud.Text(v))
	}
	statements := doc.Objects("Statement")
	if one := doc.Object("Statement"); one != nil {
		statements = []cloud.Object{one}
	}
	if len(statements) == 0 {
		return nil, iamSays("Syntax errors in policy. (no statement)")
	}
	out := &policy{ID: doc.String("Id")}
	for _, s := range statements {
		one, err := parseStatement(s)
		if err != nil {
			return nil, err
		}
		out.Statements = append(out.Statements, one)
	}
	return out, nil
}

func parseStatement(s cloud.Object) (policyStatement, error) {
	for _, k := range s.Keys() {
		if !statementFields[k] {
			return policyStatement{}, iamSays("Syntax errors in policy. (unknown field %q in a statement)", k)
		}
	}
	out := policyStatement{Sid: s.String("Sid"), Effect: s.String("Effect"),
		Actions: textList(s["Action"]), NotActions: textList(s["NotAction"]),
		Resources: textList(s["Resource"]), NotResources: textList(s["NotResource"]),
		HasPrincipal: s["Principal"] != nil, HasNotPrincipal: s["NotPrincipal"] != nil,
		Condition: s.Object("Condition")}
	if out.Effect != "Allow" && out.Effect != "Deny" {
		return out, iamSays("Syntax errors in policy. (Effect is %q, must be Allow or Deny)", out.Effect)
	}
	if s["Condition"] != nil && out.Condition == nil {
		return out, iamSays("Syntax errors in policy. (Condition is no object)")
	}
	for _, op := range out.Condition.Keys() {
		if !conditionOperator(op) {
			return out, iamSays("Syntax error at position (1,1): Invalid Condition type : %s.", op)
		}
	}
	switch p := s["Principal"].(type) {
	case string:
		if p != "*" {
			return out, iamSays("Syntax errors in policy. (a Principal is \"*\" or an object such as {\"Service\": …})")
		}
		out.Principals = map[string][]string{"AWS": {"*"}, "*": {"*"}}
	case cloud.Object:
		out.Principals = map[string][]string{}
		for _, kind := range p.Keys() {
			if !slices.Contains([]string{"AWS", "Service", "Federated", "CanonicalUser"}, kind) {
				return out, iamSays("Syntax errors in policy. (unknown kind of principal %q)", kind)
			}
			out.Principals[kind] = textList(p[kind])
		}
	}
	return out, nil
}

// textList returns a string or a list of strings as a list.
func textList(v any) []string {
	if s, ok := v.(string); ok {
		return []string{s}
	}
	return cloud.Object{"v": v}.Strings("v")
}

var sidForm = regexp.MustCompile(`^[0-9A-Za-z]*$`)

// check applies what holds for every IAM policy.
func (p *policy) check() error {
	sids := map[string]bool{}
	for _, s := range p.Statements {
		if s.Sid != "" && sids[s.Sid] {
			return iamSays("Statement IDs (SID) in a single policy must be unique. (%q is there twice)", s.Sid)
		}
		sids[s.Sid] = true
		if len(s.Actions) == 0 && len(s.NotActions) == 0 {
			return iamSays("Policy statement must contain actions.")
		}
		for _, a := range slices.Concat(s.Actions, s.NotActions) {
			if a != "*" && !strings.Contains(a, ":") {
				return iamSays("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc. (got %q)", a)
			}
			if vendor, _, _ := strings.Cut(a, ":"); a != "*" && !regexp.MustCompile(`^[a-zA-Z0-9-]+$`).MatchString(vendor) {
				return iamSays("Vendor %s is not valid", vendor)
			}
		}
	}
	return nil
}

// identity applies the rules of policies attached to a role or user.
func (p *policy) identity() error {
	if err := p.check(); err != nil {
		return err
	}
	for _, s := range p.Statements {
		if s.HasPrincipal || s.HasNotPrincipal {
			return iamSays("Policy document should not specify a principal.")
		}
		if !sidForm.MatchString(s.Sid) {
			return iamSays("Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]* (got %q)", s.Sid)
		}
		if len(s.Resources) == 0 && len(s.NotResources) == 0 {
			return iamSays("Policy statement must contain resources.")
		}
		for _, r := range slices.Concat(s.Resources, s.NotResources) {
			if r != "*" && len(strings.SplitN(r, ":", 6)) < 6 && !strings.HasSuffix(r, "*") {
				return iamSays("Resource %s must be in ARN format or \"*\".", r)
			}
			if part := strings.SplitN(r, ":", 6); r != "*" && part[0] != "arn" {
				return iamSays("Resource %s must be in ARN format or \"*\".", r)
			} else if len(part) == 6 && part[1] != "*" && part[1] != "aws" {
				return iamSays("Partition %q is not valid for resource %q.", part[1], r)
			}
		}
	}
	return nil
}

var githubToken = "token.actions.githubusercontent.com"

// trust applies the rules of a role's assume-role policy.
func (p *policy) trust(w *cloud.World) error {
	if err := p.check(); err != nil {
		return err
	}
	for _, s := range p.Statements {
		if !s.HasPrincipal && !s.HasNotPrincipal {
			return iamSays("Missing required field Principal")
		}
		if len(s.Resources) > 0 || len(s.NotResources) > 0 {
			return iamSays("Has prohibited field Resource")
		}
		for _, a := range s.Actions {
			if a != "*" && !strings.HasPrefix(a, "sts:") {
				return iamSays("AssumeRole policy may only specify STS AssumeRole actions. (got %q)", a)
			}
		}
		if err := s.principalsExist(w); err != nil {
			return err
		}
		for _, f := range s.Principals["Federated"] {
			if strings.HasSuffix(f, "oidc-provider/"+githubToken) && s.Effect == "Allow" && !s.pinsSubject(githubToken+":sub") {
				return iamSays("Missing required condition: a trust of %s must evaluate %s:sub against more than a wildcard", f, githubToken)
			}
		}
	}
	return nil
}

// pinsSubject tells whether the condition compares the key with something narrower than "*".
func (s policyStatement) pinsSubject(key string) bool {
	for _, op := range s.Condition.Keys() {
		if !strings.Contains(op, "String") {
			continue
		}
		block, _ := s.Condition[op].(cloud.Object)
		for k, v := range block {
			if !strings.EqualFold(k, key) {
				continue
			}
			values := textList(v)
			return len(values) > 0 && !slices.ContainsFunc(values, func(x string) bool { return strings.Trim(x, "*?") == "" })
		}
	}
	return false
}

// principalsExist refuses principals that AWS cannot resolve.
func (s policyStatement) principalsExist(w *cloud.World) error {
	for _, id := range s.Principals["Service"] {
		if id != "*" && !knownService(id) {
			return iamSays("Invalid principal in policy: \"SERVICE\":%q", id)
		}
	}
	for _, id := range s.Principals["AWS"] {
		if !principalExists(w, id) {
			return iamSays("Invalid principal in policy: \"AWS\":%q", id)
		}
	}
	for _, id := range s.Principals["Federated"] {
		if !isARN(id, "iam") && !strings.Contains(id, ".") {
			return iamSays("Federated principals must be valid domain names or SAML metadata ARNs (got %q)", id)
		}
	}
	return nil
}

var twelveDigits = regexp.MustCompile(`^[0-9]{12}$`)

// principalExists tells whether an AWS principal resolves. Other accounts cannot be looked into.
func principalExists(w *cloud.World, id string) bool {
	if id == "*" || twelveDigits.MatchString(id) {
		return true
	}
	if regexp.MustCompile(`^A(ROA|IDA)[A-Z0-9]{16,}$`).MatchString(id) {
		return true
	}
	if isARN(id, "sts") {
		return true
	}
	if !isARN(id, "iam") {
		return false
	}
	if arnPart(id, 4) != accountID {
		return twelveDigits.MatchString(arnPart(id, 4)) || strings.HasPrefix(id, "arn:aws:iam::cloudfront:user/")
	}
	resource := arnPart(id, 5)
	switch {
	case resource == "root", resource == "user/simulated", strings.HasPrefix(resource, "role/aws-service-role/"):
		return true
	case strings.HasPrefix(resource, "role/"):
		return anywhere(w, roleToken, id) != nil
	case strings.HasPrefix(resource, "user/"):
		return anywhere(w, userToken, id) != nil
	}
	return false
}

// size counts the characters of a policy as IAM does: white space is free.
func policySize(v any) int {
	n := 0
	for _, r := range policyText(v) {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}
