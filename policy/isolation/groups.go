package isolation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

var groups = []rule.Rule{{
	ID: "default-security-group-closed", Level: rule.Mandatory, Refs: []string{"T0173", "C2_12"},
	Title:  "The default security group of each VPC is taken over and empty",
	Reason: "What is started without a group of its own gets this one; as AWS makes it, everything in it may talk to everything else.",
	Mend:   "Declare the VPC's DefaultSecurityGroup with no ingress and no egress.",
	Graph: func(g *rule.Graph) {
		const t = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
		for _, vpc := range g.Of(tVpc) {
			g.Needs(vpc, "vpcId", "the VPC's default security group is as AWS made it, or lets something in or out", func(r *rule.Resource) rule.Value {
				for _, direction := range []string{"ingress", "egress"} {
					if v := r.In(direction); v.Unknown() {
						return v
					} else if len(v.List()) > 0 {
						return rule.Of(false)
					}
				}
				return rule.Of(true)
			}, t)
		}
	},
}, {
	ID: "no-open-ingress", Level: rule.Mandatory, Refs: []string{"T0107", "C24", "C25", "C260", "C277", "N-EC23"},
	Title:  "Nothing is open to the internet but the ports of a public load balancer",
	Reason: "An open port is found within minutes. Rules inside a group and rules that are resources of their own count the same.",
	Mend:   "Let the load balancer's security group in by reference instead of an address range.",
	Settings: []rule.Setting{{Name: "applicationPorts", Default: []string{"80", "443"}, Description: "ports that may be open on an application load balancer"},
		{Name: "networkPorts", Default: []string{"22"}, Description: "ports that may be open on a network load balancer, for git over SSH"}},
	Graph: openIngress,
}, {
	ID: "ingress-by-reference", Level: rule.Mandatory,
	Title:  "Inside the VPC, security groups let other groups in, not address ranges",
	Reason: "An address range lets in whatever gets an address there next; a reference lets in one service.",
	Mend:   "Use referencedSecurityGroupId (or securityGroups, sourceSecurityGroupId). Only NAT, which forwards for the whole VPC, needs its range.",
	Graph:  ingressByReference,
}, {
	ID: "security-group-description", Level: rule.Mandatory, Refs: []string{"T0099", "T0124", "C23"},
	Types:  []string{tGroup, tRule, tIngress, tEgress},
	Title:  "Security groups and their rules say what they are for",
	Reason: "A rule that nobody can explain is never removed.",
	Mend:   "Write a description.",
	Check: func(c *rule.Check) {
		described := func(v rule.Value) bool { return v.Text() != "" && !strings.HasPrefix(v.Text(), "Managed by") }
		c.Want(c.In("description"), described, "there is no description of its own")
		for _, direction := range []string{"ingress", "egress"} {
			c.Each(c.In(direction), func(v rule.Value) { c.Want(v.At("description"), described, "a rule has no description") })
		}
	},
}}

// ingress is one way in.
type ingress struct {
	by       *rule.Resource // the resource the rule stands in
	group    *rule.Resource // nil while it is not known or not of this stack
	unknown  bool           // some source is not known
	anyPort  bool           // the ports are not known
	cidrs    []string
	from, to float64
	protocol string
}

// ingressRules are all ways in, of the three forms there are.
func ingressRules(g *rule.Graph) []ingress {
	var out []ingress
	for _, r := range g.Of(tGroup) {
		for _, v := range r.In("ingress").List() {
			i := ingress{by: r, group: r, unknown: v.At("cidrBlocks").HoldsUnknown() || v.At("ipv6CidrBlocks").HoldsUnknown() || v.Unknown()}
			i.cidrs = append(v.At("cidrBlocks").Texts(), v.At("ipv6CidrBlocks").Texts()...)
			i.ports(v.At("fromPort"), v.At("toPort"), v.At("protocol"))
			out = append(out, i)
		}
		if v := r.In("ingress"); v.Unknown() {
			out = append(out, ingress{by: r, group: r, unknown: true})
		}
	}
	for _, r := range g.Of(tRule, tIngress) {
		if r.Type == tRule && r.Get("type").Text() == "egress" {
			continue
		}
		i := ingress{by: r}
		ref := g.Refs(r, "securityGroupId", tGroup)
		if len(ref.Found) > 0 {
			i.group = ref.Found[0]
		}
		protocol := r.Get("protocol")
		if r.Type == tIngress {
			protocol = r.Get("ipProtocol")
		}
		for _, path := range []string{"cidrBlocks", "ipv6CidrBlocks", "cidrIpv4", "cidrIpv6"} {
			v := r.In(path)
			i.unknown = i.unknown || v.HoldsUnknown()
			i.cidrs = append(i.cidrs, v.Texts()...)
		}
		i.ports(r.In("fromPort"), r.In("toPort"), protocol)
		out = append(out, i)
	}
	return out
}

func (i *ingress) ports(from, to, protocol rule.Value) {
	i.anyPort = from.Unknown() || to.Unknown() || protocol.Unknown()
	i.from, _ = from.Number()
	i.to, _ = to.Number()
	i.protocol = protocol.Text()
	if i.protocol == "-1" || i.protocol == "all" {
		i.from, i.to = 0, 65535
	}
}

func openIngress(g *rule.Graph) {
	for _, i := range ingressRules(g) {
		g.Looked(i.by)
		at := slices.IndexFunc(i.cidrs, rule.Open)
		switch {
		case at < 0 && i.unknown:
			g.Undecided(i.by, "ingress")
		case at >= 0:
			allowed, known := balancerPort(g, i)
			switch {
			case allowed:
			case !known:
				g.Undecided(i.by, "securityGroupId")
			default:
				g.Violate(i.by, "%s is open to %s", i.what(), i.cidrs[at])
			}
		}
	}
}

func (i ingress) what() string {
	if i.from == i.to {
		return fmt.Sprintf("port %.0f", i.from)
	}
	return fmt.Sprintf("ports %.0f to %.0f", i.from, i.to)
}

// balancerPort says whether the way in is a permitted port of a load balancer, and of nothing else.
func balancerPort(g *rule.Graph, i ingress) (allowed, known bool) {
	if i.anyPort {
		return false, false
	}
	if i.from != i.to {
		return false, true
	}
	if i.group == nil {
		return false, !i.unknown
	}
	for t, path := range holders {
		if used, _ := g.Referring(i.group, path, t); len(used) > 0 {
			return false, true
		}
	}
	balancers, maybe := g.Referring(i.group, "securityGroups", tLb)
	for _, b := range balancers {
		ports := g.Strings("applicationPorts")
		if b.Get("loadBalancerType").Text() == "network" {
			ports = g.Strings("networkPorts")
		}
		if slices.Contains(ports, fmt.Sprintf("%.0f", i.from)) {
			return true, true
		}
	}
	return false, len(maybe) == 0
}

// holders have security groups and must not be open, with the property that names the groups.
var holders = map[string]string{
	rule.EcsService: "networkConfiguration.securityGroups", tSchedule: "target.ecsParameters.networkConfiguration.securityGroups",
	"aws:rds/instance:Instance": "vpcSecurityGroupIds", "aws:rds/cluster:Cluster": "vpcSecurityGroupIds",
	"aws:elasticache/replicationGroup:ReplicationGroup": "securityGroupIds", "aws:efs/mountTarget:MountTarget": "securityGroups",
	tInstance: "vpcSecurityGroupIds", tInterface: "securityGroups", "aws:ec2/vpcEndpoint:VpcEndpoint": "securityGroupIds",
}

func ingressByReference(g *rule.Graph) {
	for _, i := range ingressRules(g) {
		g.Looked(i.by)
		at := slices.IndexFunc(i.cidrs, rule.Private)
		if at < 0 {
			if i.unknown {
				g.Undecided(i.by, "ingress")
			}
			continue
		}
		if i.group != nil {
			if nat, _ := g.Referring(i.group, "securityGroups", tInterface); slices.ContainsFunc(nat, forwards) {
				continue
			}
			if nat, _ := g.Referring(i.group, "vpcSecurityGroupIds", tInstance); slices.ContainsFunc(nat, forwards) {
				continue
			}
		}
		g.Violate(i.by, "%s is open to the range %s instead of to a security group", i.what(), i.cidrs[at])
	}
}

// forwards says whether an instance or interface is NAT's.
func forwards(r *rule.Resource) bool {
	v := r.Get("sourceDestCheck")
	return !v.Absent() && !v.Unknown() && !v.True()
}
