package rule

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Exception accepts the violations of one rule by some resources, with a reason. It stands in the
// stack's configuration, where it is reviewed, and is listed in every report.
type Exception struct {
	Rule     string `json:"rule"`
	Resource string `json:"resource"` // logical name, type::name or URN; * stands for any text
	Reason   string `json:"reason"`
	Until    string `json:"until,omitempty"` // last day it holds, YYYY-MM-DD; empty for always
}

// ExceptionsKey is the configuration key of the exceptions.
const ExceptionsKey = "policyExceptions"

// ParseExceptions reads the configuration's list, which Pulumi hands over as JSON.
func ParseExceptions(text string) ([]Exception, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	var list []Exception
	if err := dec.Decode(&list); err != nil {
		return nil, fmt.Errorf("%s: %w; want a list of {rule, resource, reason, until}", ExceptionsKey, err)
	}
	var errs []error
	for i, e := range list {
		if err := e.validate(); err != nil {
			errs = append(errs, fmt.Errorf("%s[%d]: %w", ExceptionsKey, i, err))
		}
	}
	return list, errors.Join(errs...)
}

func (e Exception) validate() error {
	switch {
	case e.Rule == "":
		return errors.New("rule is missing: an exception is for one rule; the ids are in docs/policies.md")
	case strings.Contains(e.Rule, "*"):
		return fmt.Errorf("rule %q: an exception is for one rule, not for a pattern", e.Rule)
	case e.Resource == "":
		return errors.New("resource is missing: give the logical name of the resource; * stands for any text")
	case len(strings.Fields(e.Reason)) < 3:
		return fmt.Errorf("reason %q: say in three words or more why this is acceptable", e.Reason)
	}
	if e.Until != "" {
		if _, err := time.Parse(time.DateOnly, e.Until); err != nil {
			return fmt.Errorf("until %q: want a day such as 2027-03-31", e.Until)
		}
	}
	return nil
}

// expired says whether the exception's last day is over.
func (e Exception) expired(now time.Time) bool {
	return e.Until != "" && !now.IsZero() && now.UTC().Format(time.DateOnly) > e.Until
}

func (e Exception) covers(rule, urn string) bool {
	if e.Rule != rule {
		return false
	}
	name := NameOf(urn)
	return Glob(e.Resource, name) || Glob(e.Resource, urn) || Glob(e.Resource, typeOf(urn)+"::"+name)
}

// exceptions are those in the configuration, and the others that hold.
func (o *Options) exceptions() ([]Exception, error) {
	list, err := ParseExceptions(o.Value(ExceptionsKey))
	return append(list, o.Exceptions...), err
}

// Accepts finds the exception that accepts violations of a rule by a resource; nil when there is none, or
// its last day is over.
func (o *Options) Accepts(rule, urn string) (*Exception, error) {
	list, err := o.exceptions()
	if err != nil {
		return nil, err
	}
	for i, e := range list {
		if e.covers(rule, urn) && !e.expired(o.Now) {
			return &list[i], nil
		}
	}
	return nil, nil
}

// typeOf is the resource's own type in a URN, without those of its parents.
func typeOf(urn string) string {
	parts := strings.Split(urn, "::")
	if len(parts) < 4 {
		return ""
	}
	return parts[2][strings.LastIndex(parts[2], "$")+1:]
}
