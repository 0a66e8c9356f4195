package aws

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// routes registers the route tables and their ways out. Every table and association is there in
// every NAT mode; only the private default routes change their target.
func (n *networkBuilder) routes() error {
	igw, err := ec2.NewInternetGateway(n.ctx, n.name+"-igw", &ec2.InternetGatewayArgs{
		VpcId: n.c.VpcID, Tags: n.args.Tags.Pulumi("Name", n.name+"-igw"),
	}, pulumi.Parent(n.c))
	if err != nil {
		return err
	}
	if n.publicTable, err = n.table(n.name+"-public", n.c.Public...); err != nil {
		return err
	}
	out, err := ec2.NewRoute(n.ctx, n.name+"-public-out", &ec2.RouteArgs{
		RouteTableId: n.publicTable.ID(), DestinationCidrBlock: pulumi.String(anywhere), GatewayId: igw.ID(),
	}, pulumi.Parent(n.c))
	if err != nil {
		return err
	}
	n.c.publicReady = []pulumi.Resource{out}
	if err := n.nat(out); err != nil {
		return err
	}
	n.privateTables = map[string]*ec2.RouteTable{}
	for _, s := range n.c.Private {
		table, err := n.table(n.name+"-private-"+s.Letter, s)
		if err != nil {
			return err
		}
		n.privateTables[s.Letter] = table
		target := n.natTarget[s.Letter]
		if target == nil {
			continue
		}
		args := &ec2.RouteArgs{RouteTableId: table.ID(), DestinationCidrBlock: pulumi.String(anywhere)}
		target(args)
		route, err := ec2.NewRoute(n.ctx, n.name+"-private-"+s.Letter+"-out", args, pulumi.Parent(n.c))
		if err != nil {
			return err
		}
		n.c.ready = append(n.c.ready, route)
	}
	if len(n.c.Isolated) > 0 {
		n.isolatedTable, err = n.table(n.name+"-isolated", n.c.Isolated...)
	}
	return err
}

// table registers a route table and its associations. Routes are resources of their own.
func (n *networkBuilder) table(name string, subnets ...ZoneSubnet) (*ec2.RouteTable, error) {
	table, err := ec2.NewRouteTable(n.ctx, name+"-routes", &ec2.RouteTableArgs{
		VpcId: n.c.VpcID, Tags: n.args.Tags.Pulumi("Name", name+"-routes"),
	}, pulumi.Parent(n.c))
	if err != nil {
		return nil, err
	}
	for _, s := range subnets {
		child := name
		if len(subnets) > 1 {
			child = name + "-" + s.Letter
		}
		if _, err := ec2.NewRouteTableAssociation(n.ctx, child+"-association", &ec2.RouteTableAssociationArgs{
			RouteTableId: table.ID(), SubnetId: s.ID,
		}, pulumi.Parent(n.c)); err != nil {
			return nil, err
		}
	}
	return table, nil
}
