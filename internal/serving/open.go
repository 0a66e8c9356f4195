package serving

import (
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/reach"
	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// networks are the types that decide whether the internet gets in.
var networks = []string{
	serverType, "hcloud:index/firewall:Firewall", "hcloud:index/firewallAttachment:FirewallAttachment",
	"aws:ec2/subnet:Subnet", "aws:ec2/internetGateway:InternetGateway", "aws:ec2/route:Route", "aws:ec2/routeTable:RouteTable",
	"aws:ec2/defaultRouteTable:DefaultRouteTable", "aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation",
	"aws:ec2/routeTableAssociation:RouteTableAssociation", "aws:ec2/securityGroup:SecurityGroup",
	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "aws:ec2/securityGroupRule:SecurityGroupRule", ingressType,
	"aws:ec2/managedPrefixList:ManagedPrefixList", "aws:ec2/networkAcl:NetworkAcl", "aws:ec2/networkAclRule:NetworkAclRule",
	"aws:ec2/networkAclAssociation:NetworkAclAssociation", "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl", balancerType, listenerType,
}

func network(token string) bool { return slices.Contains(networks, token) }

func open(urn string, family reach.Family) string { return urn + " " + string(family) }

// openToAll are the servers and load balancers to which the whole internet can send HTTPS, by open.
func openToAll(w *cloud.World) map[string]bool {
	var list []deployment.Resource
	for _, token := range networks {
		for _, r := range w.All("", token) {
			list = append(list, deployment.Resource{
				URN: r.URN, Type: r.Type, Name: named(r), ID: strings.TrimSpace(r.ID), Custom: true, Inputs: tree(r.In), Outputs: tree(r.Out),
			})
		}
	}
	out := map[string]bool{}
	for _, r := range reach.FromInternet(list) {
		if (r.Protocol == "tcp" || r.Protocol == "all") && r.Ports.From <= 443 && 443 <= r.Ports.To {
			out[open(r.URN, r.Family)] = true
		}
	}
	return out
}

// tree is an object in ordinary maps.
func tree(o cloud.Object) map[string]any {
	out := make(map[string]any, len(o))
	for k, v := range o {
		out[k] = plain(v)
	}
	return out
}

func plain(v any) any {
	switch v := v.(type) {
	case cloud.Object:
		return tree(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = plain(e)
		}
		return out
	}
	return v
}
