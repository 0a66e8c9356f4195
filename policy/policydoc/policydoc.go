// Package policydoc writes down what the rules say of themselves: docs/policies.md.
package policydoc

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

// Path is where the page is, from the project's folder.
const Path = "docs/policies.md"

// Reference writes an id of another tool in full.
func Reference(id string) string {
	switch {
	case strings.HasPrefix(id, "N-"):
		return "AwsSolutions-" + id[2:]
	case strings.HasPrefix(id, "K:"):
		return "KICS " + id[2:]
	case strings.HasPrefix(id, "DS-"):
		return id
	case strings.HasPrefix(id, "C2_"):
		return "CKV2_AWS_" + id[3:]
	case strings.HasPrefix(id, "C"):
		return "CKV_AWS_" + id[1:]
	case strings.HasPrefix(id, "T"):
		return "AWS-" + id[1:]
	}
	return id
}

// Page is the whole page.
func Page(packs []rule.Pack) string {
	var b strings.Builder
	total, settings := 0, 0
	for _, p := range packs {
		total += len(p.Rules)
		for _, r := range p.Rules {
			settings += len(r.Settings)
		}
	}
	fmt.Fprintf(&b, intro, total, len(packs), settings)
	for _, p := range packs {
		fmt.Fprintf(&b, "| [%s](#%s) | %d | %s |\n", p.Name, p.Name, len(p.Rules), p.Title)
	}
	for _, p := range packs {
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n", p.Name, p.Title)
		for _, r := range p.Rules {
			b.WriteString(entry(r))
		}
	}
	return b.String()
}

const intro = `# Policies

<!-- Generated from the rules by go run ./cmd/gen-policy-docs; do not edit. -->

%d rules in %d packs hold for every stack, on every pull request and at every deployment. ` + "`infra sim`" + `
runs them in process; ` + "`make policies`" + ` builds them for the ordinary CLI:

` + "```console" + `
$ pulumi preview --policy-pack bin/policy-isolation --policy-pack bin/policy-secrets \
    --policy-pack bin/policy-durability --policy-pack bin/policy-hygiene
` + "```" + `

With the full CLI and its Go language host, the folders policy/*/cmd work in their place.

## Answers

A rule gives one of three answers for each resource.

| answer | what it does |
|---|---|
| pass | nothing |
| violation | mandatory: the deployment is refused or fails (see below). advisory: it is reported |
| undetermined | a value that the rule needs is not known before the deployment. It is counted and listed, never taken for a pass; the rule decides when the value is known |

| | when the rules look | what a mandatory violation does |
|---|---|---|
| ` + "`infra sim preview`, `up`" + ` | once at all that the preview plans; after an up once more at all that there is, when everything is known | refuses the up before anything is made. What was undetermined and turns out a violation fails the up at its end |
| the ordinary CLI | at each resource before it is made or changed; rules about the whole stack after the preview, and after the deployment | fails the deployment before the resource is made or changed; a rule about the whole stack fails it at its end |
| ` + "`infra report`" + ` | at the stack before and after the change, when everything is known | the change does not pass |

All three come to the same verdicts. One look at everything adds less than a tenth to the time that a preview takes
the processor, and ` + "`make bench`" + ` fails above 15 %%. When a preview or an up fails half-way for other reasons, rules about the
whole stack are not asked: part of a stack would look as if the rest were missing.

A policy pack never learns what an update is about to do with a resource, so ` + "`stateful-not-replaced`" + ` is
asked by ` + "`infra`" + `, which has the preview's steps. With the ordinary CLI, ` + "`stateful-protected`" + ` and Pulumi's own
refusal to delete what is protected do the same in two steps.

## Exceptions

A violation can be accepted in the stack's configuration, for one rule, with a reason, if need be until a day.
Every report lists it; after the day it is a violation again. An exception that accepts nothing is reported too.

` + "```yaml" + `
config:
  morphee:policyExceptions:
    - rule: ecs-exec-off
      resource: aws-backend-service   # logical name, type::name or URN; * stands for any text
      reason: finding out why sessions are lost
      until: "2027-01-31"
` + "```" + `

An exception from ` + "`stateful-not-replaced`" + ` also lets ` + "`infra sim up`" + ` delete or replace what it names. What is
still protected in the state is not deleted even then, because Pulumi refuses that: the protection is lifted first, by
a change of its own.

## What is given up

A throw-away stack (` + "`morphee:disposable`" + `) need not protect anything. Neither need what the configuration gives up:

| configuration | what it gives up |
|---|---|
| ` + "`morphee:aws.regions[].state`" + ` | everything of the region: the names that begin with its prefix, such as ` + "`aws-usw2-`" + ` |
| ` + "`morphee:migration.retire`" + ` | what is named in ` + "`confirm`" + `, and everything whose name goes on from there with a dash |

While the state is ` + "`retiring`" + `, the rules about protection, deletion protection and backups pass for it. When the
state is ` + "`retired`" + `, it may also be deleted, though not replaced; every report lists what is deleted as accepted, with
the reason ` + "`retired: …`" + `.

## Thresholds

%d thresholds can be changed in a policy configuration, together with the level of a rule (mandatory, advisory,
disabled); the ordinary CLI takes it as ` + "`--policy-pack-config FILE`" + `:

` + "```json" + `
{ "database-backup-retention": { "enforcementLevel": "mandatory", "days": 35 } }
` + "```" + `

[How to write a rule](write-a-policy.md) has its own page.

## Packs

| pack | rules | what it is about |
|---|---|---|
`

func entry(r rule.Rule) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s\n\n%s. *%s*", r.ID, r.Title, r.Level)
	if r.Graph != nil {
		b.WriteString(" · the whole stack")
	}
	if r.Steps != nil {
		b.WriteString(" · the steps of an update")
	}
	fmt.Fprintf(&b, "\n\n- Why: %s\n- Mend: %s\n", r.Reason, r.Mend)
	for _, s := range r.Settings {
		text, _ := json.Marshal(s.Default)
		fmt.Fprintf(&b, "- Threshold `%s`: %s (default `%s`)\n", s.Name, s.Description, text)
	}
	if len(r.Refs) > 0 {
		list := make([]string, len(r.Refs))
		for i, id := range r.Refs {
			list[i] = Reference(id)
		}
		fmt.Fprintf(&b, "- Elsewhere: %s\n", strings.Join(list, ", "))
	}
	return b.String()
}
