package aws

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// Connection is something a service connects to: the service opens the way on both sides before its
// first task starts.
type Connection struct {
	// Name is short and stable, such as "database"; part of logical names, unique in the service.
	Name string
	// SecurityGroupID of the other side.
	SecurityGroupID pulumi.StringInput
	// Port, TCP.
	Port int
}

// closedGroup registers a security group that lets nothing in or out. Rules are resources of their
// own: a client can add its own without touching the group.
func closedGroup(ctx *pulumi.Context, name, description string, vpcID pulumi.StringInput, tags base.Tags, parent pulumi.Resource) (*ec2.SecurityGroup, error) {
	return ec2.NewSecurityGroup(ctx, name, &ec2.SecurityGroupArgs{
		Description: pulumi.String(description), VpcId: vpcID, Tags: tags.Pulumi("Name", name),
	}, pulumi.Parent(parent))
}

// connect opens one TCP port from one security group to another, on both sides.
func connect(ctx *pulumi.Context, name, what string, from, to pulumi.StringInput, port int, tags base.Tags, parent pulumi.Resource) ([]pulumi.Resource, error) {
	out, err := vpc.NewSecurityGroupEgressRule(ctx, name+"-out", &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: from, ReferencedSecurityGroupId: to.ToStringOutput().ToStringPtrOutput(), IpProtocol: pulumi.String("tcp"),
		FromPort: pulumi.Int(port), ToPort: pulumi.Int(port), Description: pulumi.String(what), Tags: tags.Pulumi("Name", name+"-out"),
	}, pulumi.Parent(parent))
	if err != nil {
		return nil, err
	}
	in, err := vpc.NewSecurityGroupIngressRule(ctx, name+"-in", &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId: to, ReferencedSecurityGroupId: from.ToStringOutput().ToStringPtrOutput(), IpProtocol: pulumi.String("tcp"),
		FromPort: pulumi.Int(port), ToPort: pulumi.Int(port), Description: pulumi.String(what), Tags: tags.Pulumi("Name", name+"-in"),
	}, pulumi.Parent(parent))
	return []pulumi.Resource{out, in}, err
}

// openIn lets an address block in to one TCP port.
func openIn(ctx *pulumi.Context, name, what string, group pulumi.StringInput, cidr string, port int, tags base.Tags, parent pulumi.Resource) (pulumi.Resource, error) {
	return vpc.NewSecurityGroupIngressRule(ctx, name, &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId: group, CidrIpv4: pulumi.String(cidr), IpProtocol: pulumi.String("tcp"),
		FromPort: pulumi.Int(port), ToPort: pulumi.Int(port), Description: pulumi.String(what), Tags: tags.Pulumi("Name", name),
	}, pulumi.Parent(parent))
}

// openOut lets out to one TCP port anywhere.
func openOut(ctx *pulumi.Context, name, what string, group pulumi.StringInput, port int, tags base.Tags, parent pulumi.Resource) (pulumi.Resource, error) {
	return vpc.NewSecurityGroupEgressRule(ctx, name, &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: group, CidrIpv4: pulumi.String(anywhere), IpProtocol: pulumi.String("tcp"),
		FromPort: pulumi.Int(port), ToPort: pulumi.Int(port), Description: pulumi.String(what), Tags: tags.Pulumi("Name", name),
	}, pulumi.Parent(parent))
}

const anywhere = "0.0.0.0/0"
