package rule

import (
	"net/netip"
	"slices"
	"strings"
)

// Statement is one statement of an IAM policy document.
type Statement struct{ Value }

// Statements opens a policy document, given as JSON text. known is false while it is unknown.
func Statements(doc Value) (list []Statement, known bool) {
	doc = doc.JSON()
	if doc.Unknown() {
		return nil, false
	}
	for _, s := range doc.At("Statement").List() {
		list = append(list, Statement{s})
	}
	return list, true
}

// Allows says whether the statement gives rights.
func (s Statement) Allows() bool { return s.At("Effect").Text() == "Allow" }

// Actions and Resources are what it is about.
func (s Statement) Actions() []string   { return s.At("Action").Texts() }
func (s Statement) Resources() []string { return s.At("Resource").Texts() }

// Sid is its id.
func (s Statement) Sid() string { return s.At("Sid").Text() }

// Reasoned says that the id gives the reason for a wildcard ("…Because…"): IAM leaves no other room
// for a remark.
func (s Statement) Reasoned() bool {
	_, why, ok := strings.Cut(s.Sid(), "Because")
	return ok && len(why) >= 8
}

// Everyone says that the statement is for anybody at all.
func (s Statement) Everyone() bool {
	p := s.At("Principal")
	if p.Text() == "*" {
		return true
	}
	for _, kind := range []string{"AWS", "Federated", "CanonicalUser"} {
		if slices.Contains(p.Key(kind).Texts(), "*") {
			return true
		}
	}
	return false
}

// Narrowed says that a condition limits who the statement is for: to an account, an organisation, a
// source or a network of ours.
func (s Statement) Narrowed() bool {
	c := s.At("Condition")
	for _, operator := range c.Keys() {
		if strings.HasPrefix(operator, "StringNot") || strings.HasPrefix(operator, "ArnNot") {
			continue
		}
		for _, key := range c.Key(operator).Keys() {
			switch strings.ToLower(key) {
			case "aws:sourcearn", "aws:sourceaccount", "aws:principalarn", "aws:principalaccount", "aws:principalorgid",
				"aws:sourcevpc", "aws:sourcevpce", "aws:sourceorgid", "kms:calleraccount":
				return true
			}
		}
	}
	return false
}

// Open says whether an address range is, for practical purposes, everybody: 0.0.0.0/0, ::/0, or a
// range so wide that it was written to look narrower.
func Open(cidr string) bool {
	p, err := netip.ParsePrefix(strings.TrimSpace(cidr))
	if err != nil {
		return false
	}
	return p.Addr().Is4() && p.Bits() < 8 || p.Addr().Is6() && p.Bits() < 16
}

// Private says whether an address range is of a private network.
func Private(cidr string) bool {
	p, err := netip.ParsePrefix(strings.TrimSpace(cidr))
	return err == nil && p.Addr().IsPrivate()
}
