package aws

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// The priorities of the rules that refuse what writes; a host's own rule comes after them. The two
// refusals of methods are split because AWS documents three values for a condition.
const (
	priorityGitReads  = 1
	priorityGitPush   = 2
	priorityChanges   = 3
	priorityDeletes   = 4
	priorityPaths     = 5 // to 9, one for each host that has WritePaths
	firstHostPriority = 10
)

// frozenMessage is what writers are told. A fixed response carries no headers of one's own, so there
// is no Retry-After.
const frozenMessage = `{"error":"read_only","message":"Changes are paused for a few minutes while we move to new servers. Nothing is lost; please try again soon."}`

// exactPath has none of the wildcards of a path pattern.
var exactPath = regexp.MustCompile(`^/[A-Za-z0-9/._-]{0,127}$`)

// ruleConditions are those that a request must meet together.
type ruleConditions = lb.ListenerRuleConditionArray

func hostIs(names []string) lb.ListenerRuleConditionInput {
	return &lb.ListenerRuleConditionArgs{HostHeader: &lb.ListenerRuleConditionHostHeaderArgs{Values: pulumi.ToStringArray(names)}}
}

func pathIs(patterns ...string) lb.ListenerRuleConditionInput {
	return &lb.ListenerRuleConditionArgs{PathPattern: &lb.ListenerRuleConditionPathPatternArgs{Values: pulumi.ToStringArray(patterns)}}
}

func methodIs(methods ...string) lb.ListenerRuleConditionInput {
	return &lb.ListenerRuleConditionArgs{HttpRequestMethod: &lb.ListenerRuleConditionHttpRequestMethodArgs{Values: pulumi.ToStringArray(methods)}}
}

// freeze refuses requests that write, for every host. Cloning and fetching are POST requests too:
// their rule is there before the refusals and goes after them.
func (c *PublicAlb) freeze(ctx *pulumi.Context, name string, args *PublicAlbArgs, https *lb.Listener) error {
	f := freezer{ctx: ctx, alb: c, name: name, args: args, https: https}
	hosts := slices.Sorted(maps.Keys(args.Hosts))
	for _, key := range hosts {
		if args.Hosts[key].Git {
			if err := f.git(key); err != nil {
				return err
			}
		}
	}
	priority := priorityPaths
	for _, key := range hosts {
		h := args.Hosts[key]
		if len(h.WritePaths) == 0 {
			continue
		}
		if err := f.refuse(key, priority, ruleConditions{hostIs(h.Hosts), pathIs(h.WritePaths...)}); err != nil {
			return err
		}
		priority++
	}
	if err := f.refuse("changes", priorityChanges, ruleConditions{methodIs("POST", "PUT", "PATCH")}); err != nil {
		return err
	}
	return f.refuse("deletes", priorityDeletes, ruleConditions{methodIs("DELETE")})
}

// freezer makes the rules.
type freezer struct {
	ctx   *pulumi.Context
	alb   *PublicAlb
	name  string
	args  *PublicAlbArgs
	https *lb.Listener
	reads []pulumi.Resource // rules that let through what a refusal would catch
}

// git lets clone and fetch through, and refuses a push at its first request, a GET: told at once, it
// sends nothing.
func (f *freezer) git(key string) error {
	h, child := f.args.Hosts[key], f.name+"-reads-"+key
	rule, err := lb.NewListenerRule(f.ctx, child, &lb.ListenerRuleArgs{
		ListenerArn: f.https.Arn, Priority: pulumi.Int(priorityGitReads),
		// The second path is the question where the large files are.
		Conditions: ruleConditions{hostIs(h.Hosts), methodIs("POST"), pathIs("*/git-upload-pack", "*/info/lfs/objects/batch")},
		Actions:    lb.ListenerRuleActionArray{&lb.ListenerRuleActionArgs{Type: pulumi.String("forward"), TargetGroupArn: f.alb.Targets[key].TargetGroupArn}},
		Tags:       f.args.Tags.Pulumi("Name", child),
	}, pulumi.Parent(f.alb))
	if err != nil {
		return err
	}
	f.reads = append(f.reads, rule)
	push := &lb.ListenerRuleConditionArgs{QueryStrings: lb.ListenerRuleConditionQueryStringArray{
		&lb.ListenerRuleConditionQueryStringArgs{Key: pulumi.String("service"), Value: pulumi.String("git-receive-pack")},
	}}
	return f.refuse("push", priorityGitPush, ruleConditions{hostIs(h.Hosts), pathIs("*/info/refs"), push})
}

// refuse answers 503 when all conditions are met.
func (f *freezer) refuse(what string, priority int, when ruleConditions) error {
	child := f.name + "-frozen-" + what
	rule, err := lb.NewListenerRule(f.ctx, child, &lb.ListenerRuleArgs{
		ListenerArn: f.https.Arn, Priority: pulumi.Int(priority), Conditions: when,
		Actions: lb.ListenerRuleActionArray{&lb.ListenerRuleActionArgs{Type: pulumi.String("fixed-response"), FixedResponse: &lb.ListenerRuleActionFixedResponseArgs{
			ContentType: pulumi.String("application/json"), MessageBody: pulumi.String(frozenMessage), StatusCode: pulumi.String("503"),
		}}},
		Tags: f.args.Tags.Pulumi("Name", child),
	}, pulumi.Parent(f.alb), pulumi.DependsOn(f.reads))
	if err != nil {
		return err
	}
	f.alb.Frozen = append(f.alb.Frozen, rule)
	return nil
}

// validateFreeze checks what only FreezeWrites needs.
func (a *PublicAlbArgs) validateFreeze(p *base.Problems) {
	if !a.FreezeWrites {
		return
	}
	git, paths := 0, 0
	for _, k := range slices.Sorted(maps.Keys(a.Hosts)) {
		h, field := a.Hosts[k], "Hosts."+k
		p.Require(h.Priority >= firstHostPriority, field+".Priority", h.Priority, fmt.Sprintf("%d or more with FreezeWrites, whose rules come first", firstHostPriority), "")
		if h.Git {
			git++
			p.Require(len(h.Hosts) <= 2, field+".Hosts", len(h.Hosts), "at most 2 for the git server: AWS allows 5 values in a rule, and 3 are the method and the paths", "")
		}
		if len(h.WritePaths) > 0 {
			paths++
			p.Require(!slices.Contains([]string{"push", "changes", "deletes"}, k), field, k, "another name for a host with WritePaths: a rule of FreezeWrites has this one", "")
			p.Require(len(h.WritePaths) <= 3 && len(h.Hosts)+len(h.WritePaths) <= 5, field+".WritePaths", len(h.WritePaths), "at most 3, and 5 together with Hosts", "")
		}
		for _, path := range h.WritePaths {
			p.Require(exactPath.MatchString(path), field+".WritePaths", path, "a path of letters, digits and /._-", "")
		}
	}
	p.Require(git <= 1, "Hosts", fmt.Sprintf("%d git servers", git), "at most one", "")
	p.Require(paths <= firstHostPriority-priorityPaths, "Hosts", fmt.Sprintf("%d with WritePaths", paths), "at most 5", "")
}
