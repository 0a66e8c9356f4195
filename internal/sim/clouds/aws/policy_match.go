package aws

import (
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// caller is who runs the deployment in the simulated account.
const caller = "user/simulated"

// accessRequest is what a policy is asked about.
type accessRequest struct {
	kind, principal  string            // "Service" and "logs.eu-west-1.amazonaws.com", or "AWS" and an ARN
	action, resource string            // resource may be empty: not compared
	context          map[string]string // condition keys that have a value
}

// allows tells whether the policy by itself allows the request.
func (p *policy) allows(r accessRequest) bool {
	if p == nil {
		return false
	}
	allowed := false
	for _, s := range p.Statements {
		if !s.applies(r) {
			continue
		}
		if s.Effect == "Deny" {
			return false
		}
		allowed = true
	}
	return allowed
}

func (s policyStatement) applies(r accessRequest) bool {
	if !s.names(r) {
		return false
	}
	match := func(list []string, value string) bool {
		return slices.ContainsFunc(list, func(p string) bool { return globMatch(strings.ToLower(p), strings.ToLower(value)) })
	}
	if len(s.NotActions) > 0 && match(s.NotActions, r.action) || len(s.Actions) > 0 && !match(s.Actions, r.action) {
		return false
	}
	if r.resource != "" {
		exact := func(list []string) bool {
			return slices.ContainsFunc(list, func(p string) bool { return globMatch(p, r.resource) })
		}
		if len(s.Resources) > 0 && !exact(s.Resources) || len(s.NotResources) > 0 && exact(s.NotResources) {
			return false
		}
	}
	return conditionHolds(s.Condition, r.context)
}

// names tells whether the statement's principal covers the requester.
func (s policyStatement) names(r accessRequest) bool {
	for _, id := range s.Principals["*"] {
		if id == "*" {
			return true
		}
	}
	for _, id := range s.Principals[r.kind] {
		if id == r.principal || id == "*" {
			return true
		}
		// The account stands for every identity in it.
		if r.kind == "AWS" && (id == accountID || id == arn("iam", "", "root")) && arnPart(r.principal, 4) == accountID {
			return true
		}
	}
	return false
}

// conditionOperator tells whether IAM knows the operator.
func conditionOperator(op string) bool {
	for _, prefix := range []string{"ForAllValues:", "ForAnyValue:"} {
		op = strings.TrimPrefix(op, prefix)
	}
	return slices.Contains([]string{"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
		"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals",
		"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
		"Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null"},
		strings.TrimSuffix(op, "IfExists"))
}

// conditionHolds evaluates a condition block. A key without a value in the context fails a positive operator.
func conditionHolds(condition cloud.Object, context map[string]string) bool {
	for _, op := range condition.Keys() {
		block, _ := condition[op].(cloud.Object)
		for _, key := range block.Keys() {
			value, present := contextValue(context, key)
			plain := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(op, "ForAllValues:"), "ForAnyValue:"), "IfExists")
			negative := strings.Contains(plain, "Not")
			if !present {
				if negative || strings.HasSuffix(op, "IfExists") || strings.HasPrefix(op, "ForAllValues:") || plain == "Null" {
					continue
				}
				return false
			}
			wildcards := strings.Contains(plain, "Like") || strings.HasPrefix(plain, "Arn")
			hit := slices.ContainsFunc(textList(block[key]), func(want string) bool {
				return want == value || wildcards && globMatch(want, value) || strings.Contains(plain, "IgnoreCase") && strings.EqualFold(want, value)
			})
			if hit == negative {
				return false
			}
		}
	}
	return true
}

func contextValue(context map[string]string, key string) (string, bool) {
	for k, v := range context {
		if strings.EqualFold(k, key) {
			return v, true
		}
	}
	return "", false
}

// globMatch matches * and ? as IAM does: across every character, slashes and colons included.
func globMatch(pattern, s string) bool {
	for pattern != "" {
		switch pattern[0] {
		case '*':
			for i := 0; i <= len(s); i++ {
				if globMatch(pattern[1:], s[i:]) {
					return true
				}
			}
			return false
		case '?':
			if s == "" {
				return false
			}
		default:
			if s == "" || s[0] != pattern[0] {
				return false
			}
		}
		pattern, s = pattern[1:], s[1:]
	}
	return s == ""
}

// narrowing are the condition keys that keep an "everyone" statement from being public.
var narrowing = []string{"aws:sourcearn", "aws:sourceaccount", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceip", "aws:principalarn",
	"aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:userid", "aws:sourceorgid", "aws:sourceowner", "s3:dataaccesspointarn"}

// public tells whether the policy gives something to everyone.
func (p *policy) public() bool {
	for _, s := range p.Statements {
		if s.Effect != "Allow" || !slices.Contains(s.Principals["AWS"], "*") {
			continue
		}
		narrow := false
		for op, block := range s.Condition {
			o, _ := block.(cloud.Object)
			for key, v := range o {
				narrow = narrow || !strings.Contains(op, "Not") && slices.Contains(narrowing, strings.ToLower(key)) &&
					!slices.ContainsFunc(textList(v), func(x string) bool { return x == "*" || x == "0.0.0.0/0" || x == "::/0" })
			}
		}
		if !narrow {
			return true
		}
	}
	return false
}
