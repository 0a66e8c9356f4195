package gate

import (
	"strings"
	"time"

	"github.com/morphee-app/morphee-infra/internal/config"
	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/report"
	"github.com/morphee-app/morphee-infra/internal/verdict"
	"github.com/morphee-app/morphee-infra/policy/packs"
	"github.com/morphee-app/morphee-infra/policy/rule"
)

// Previewed is the report's part for a preview of the ordinary CLI. stack is its configuration, or nil
// to take what the preview says of it.
func Previewed(p *report.Preview, stack *rehearsal.Stack, now time.Time) (*Compared, error) {
	s := report.Stack{Name: p.Stack, Changes: p.Changes, Errors: p.Errors, New: len(p.Before) == 0}
	s.Count(p.Same)
	c := &Compared{Stack: s, Before: p.Before, After: p.After}
	options := rule.Options{Project: config.Namespace, Stack: p.Stack, Config: p.Config, Preview: true, Now: now}
	for key, value := range p.Config {
		if value == "[secret]" {
			options.SecretKeys = append(options.SecretKeys, key)
		}
	}
	if stack != nil {
		options = verdict.Circumstances(stack.Stack, now)
		options.Preview = true
	}
	if p.Complete || s.New {
		reached(&c.Stack, c.Before, c.After)
		leaps(&c.Stack, c.Before, c.After, options)
		return c, judge(&c.Stack, c.Before, c.After, options)
	}
	// Part of a stack would look as if the rest were missing.
	err := judge(&c.Stack, c.Before, c.After, options)
	if err != nil {
		return nil, err
	}
	c.Stack.Policies = c.Stack.Policies.OnlyRules(stepRules())
	c.Stack.Stateful.Unprotected = nil
	c.Stack.Notes = append(c.Stack.Notes, "The preview lists only what changes, so only the policies about changes were asked, whether a step of a move is left out was not looked for, and the counts of stateful "+
		"resources are of what changes. pulumi preview --json --show-sames gives the whole stack.")
	return c, nil
}

// Exported is the report's part for two exports of the ordinary CLI.
func Exported(name string, before, after []deployment.Resource, stack *rehearsal.Stack, now time.Time) (*Compared, error) {
	changes, same, err := report.Diff(before, after)
	if err != nil {
		return nil, err
	}
	s := report.Stack{Name: name, Changes: changes, New: len(before) == 0}
	s.Count(same)
	options := rule.Options{Project: config.Namespace, Stack: name, Now: now}
	if stack != nil {
		options = verdict.Circumstances(stack.Stack, now)
	} else {
		s.Notes = append(s.Notes, "The stack's configuration is not known, so no policy exception holds: name it with --stack.")
	}
	c := &Compared{Stack: s, Before: before, After: after}
	reached(&c.Stack, before, after)
	leaps(&c.Stack, before, after, options)
	return c, judge(&c.Stack, before, after, options)
}

// StackOf is the name of the stack that the resources are of.
func StackOf(list []deployment.Resource) string {
	for _, r := range list {
		if name, _, ok := strings.Cut(strings.TrimPrefix(r.URN, "urn:pulumi:"), "::"); ok {
			return name
		}
	}
	return "unknown"
}

// stepRules are the rules about what an update does, rather than about what there is.
func stepRules() map[string]bool {
	out := map[string]bool{}
	for _, p := range packs.All() {
		for _, r := range p.Rules {
			if r.Steps != nil {
				out[r.ID] = true
			}
		}
	}
	return out
}
