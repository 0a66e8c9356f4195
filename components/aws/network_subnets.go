package aws

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// subnets registers the subnets of each tier and a route table for the public tier, for the private
// subnet of each zone (so that changing NAT changes routes only) and for the isolated tier.
func (n *networkBuilder) subnets() error {
	var err error
	if n.c.Public, err = n.tier(TierPublic); err != nil {
		return err
	}
	if n.c.Private, err = n.tier(TierPrivate); err != nil {
		return err
	}
	if n.args.IsolatedTier {
		if n.c.Isolated, err = n.tier(TierIsolated); err != nil {
			return err
		}
	}
	n.c.PublicSubnetIDs, n.c.PrivateSubnetIDs, n.c.IsolatedSubnetIDs = ids(n.c.Public), ids(n.c.Private), ids(n.c.Isolated)
	return nil
}

func (n *networkBuilder) tier(tier Tier) ([]ZoneSubnet, error) {
	var list []ZoneSubnet
	for _, zone := range n.args.Zones {
		letter := zoneLetter(zone)
		block, err := n.plan.Subnet(tier, letter)
		if err != nil {
			return nil, err
		}
		child := n.name + "-" + string(tier) + "-" + letter
		subnet, err := ec2.NewSubnet(n.ctx, child, &ec2.SubnetArgs{
			VpcId: n.c.VpcID, CidrBlock: pulumi.String(block.String()), AvailabilityZone: pulumi.String(zone),
			// Not even public subnets hand out public addresses by themselves: only the load balancer
			// and NAT have one.
			MapPublicIpOnLaunch: pulumi.Bool(false),
			Tags:                n.args.Tags.Pulumi("Name", child, "tier", string(tier)),
		}, pulumi.Parent(n.c))
		if err != nil {
			return nil, err
		}
		list = append(list, ZoneSubnet{Zone: zone, Letter: letter, Cidr: block.String(), ID: subnet.ID().ToStringOutput()})
	}
	return list, nil
}

// acl guards the private tiers a second time, whatever a security group lets through: from outside
// the VPC only answers, to the ports that Linux connects from, which no service of ours listens on.
func (n *networkBuilder) acl() error {
	allow := func(number int, protocol, cidr string, from, to int) ec2.NetworkAclIngressArgs {
		return ec2.NetworkAclIngressArgs{RuleNo: pulumi.Int(number), Action: pulumi.String("allow"), Protocol: pulumi.String(protocol), CidrBlock: pulumi.String(cidr), FromPort: pulumi.Int(from), ToPort: pulumi.Int(to)}
	}
	_, err := ec2.NewNetworkAcl(n.ctx, n.name+"-private-acl", &ec2.NetworkAclArgs{
		VpcId:     n.c.VpcID,
		SubnetIds: n.c.PrivateSubnetIDs,
		Ingress: ec2.NetworkAclIngressArray{
			allow(100, "-1", n.c.VpcCidr, 0, 0),
			allow(200, "tcp", anywhere, 32768, 65535),
		},
		Egress: ec2.NetworkAclEgressArray{ec2.NetworkAclEgressArgs{
			RuleNo: pulumi.Int(100), Action: pulumi.String("allow"), Protocol: pulumi.String("-1"), CidrBlock: pulumi.String(anywhere), FromPort: pulumi.Int(0), ToPort: pulumi.Int(0),
		}},
		Tags: n.args.Tags.Pulumi("Name", n.name+"-private-acl"),
	}, pulumi.Parent(n.c))
	if err != nil || len(n.c.Isolated) == 0 {
		return err
	}
	_, err = ec2.NewNetworkAcl(n.ctx, n.name+"-isolated-acl", &ec2.NetworkAclArgs{
		VpcId:     n.c.VpcID,
		SubnetIds: n.c.IsolatedSubnetIDs,
		Ingress:   ec2.NetworkAclIngressArray{allow(100, "-1", n.c.VpcCidr, 0, 0)},
		Egress: ec2.NetworkAclEgressArray{ec2.NetworkAclEgressArgs{
			RuleNo: pulumi.Int(100), Action: pulumi.String("allow"), Protocol: pulumi.String("-1"), CidrBlock: pulumi.String(n.c.VpcCidr), FromPort: pulumi.Int(0), ToPort: pulumi.Int(0),
		}},
		Tags: n.args.Tags.Pulumi("Name", n.name+"-isolated-acl"),
	}, pulumi.Parent(n.c))
	return err
}

func ids(list []ZoneSubnet) pulumi.StringArrayOutput {
	out := pulumi.StringArray{}
	for _, s := range list {
		out = append(out, s.ID)
	}
	return out.ToStringArrayOutput()
}
