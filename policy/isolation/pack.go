// Package isolation is the policy pack about the network: what can be reached from where.
package isolation

import (
	"slices"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

// Pack has the rules, sorted by family.
var Pack = rule.Pack{
	Name: "morphee-isolation", Title: "Network isolation: what can be reached from where",
	Rules: slices.Concat(subnets, tasks, groups, vpc, balancers, cdn, public, hetzner, docker),
}

// Types of several files.
const (
	tSubnet      = "aws:ec2/subnet:Subnet"
	tVpc         = "aws:ec2/vpc:Vpc"
	tGroup       = "aws:ec2/securityGroup:SecurityGroup"
	tRule        = "aws:ec2/securityGroupRule:SecurityGroupRule"
	tIngress     = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	tEgress      = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	tLb          = "aws:lb/loadBalancer:LoadBalancer"
	tListener    = "aws:lb/listener:Listener"
	tGateway     = "aws:ec2/internetGateway:InternetGateway"
	tTable       = "aws:ec2/routeTable:RouteTable"
	tRoute       = "aws:ec2/route:Route"
	tAssociation = "aws:ec2/routeTableAssociation:RouteTableAssociation"
	tMain        = "aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation"
	tSchedule    = "aws:scheduler/schedule:Schedule"
	tEventTarget = "aws:cloudwatch/eventTarget:EventTarget"
	tInstance    = "aws:ec2/instance:Instance"
	tInterface   = "aws:ec2/networkInterface:NetworkInterface"
)
