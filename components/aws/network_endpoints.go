package aws

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// endpoints registers the S3 gateway endpoint, which is free and keeps image layers and backups off
// NAT, and the interface endpoints that were asked for.
func (n *networkBuilder) endpoints() error {
	tables := pulumi.StringArray{n.publicTable.ID()}
	for _, s := range n.c.Private {
		tables = append(tables, n.privateTables[s.Letter].ID())
	}
	if n.isolatedTable != nil {
		tables = append(tables, n.isolatedTable.ID())
	}
	s3, err := ec2.NewVpcEndpoint(n.ctx, n.name+"-endpoint-s3", &ec2.VpcEndpointArgs{
		VpcId: n.c.VpcID, ServiceName: pulumi.String("com.amazonaws." + n.args.Region + ".s3"), VpcEndpointType: pulumi.String("Gateway"),
		RouteTableIds: tables, Tags: n.args.Tags.Pulumi("Name", n.name+"-endpoint-s3"),
	}, pulumi.Parent(n.c))
	if err != nil {
		return err
	}
	n.c.S3PrefixListID = s3.PrefixListId
	n.c.ready = append(n.c.ready, s3)
	if len(n.args.Endpoints) == 0 {
		return nil
	}
	// Opened to each client by the client: see EndpointConnection.
	group, err := closedGroup(n.ctx, n.name+"-endpoints-sg", "Interface endpoints: HTTPS from the services that use them", n.c.VpcID, n.args.Tags, n.c)
	if err != nil {
		return err
	}
	id := group.ID().ToStringOutput()
	n.c.EndpointSecurityGroupID = &id
	for _, service := range slices.Sorted(slices.Values(n.args.Endpoints)) {
		child := n.name + "-endpoint-" + strings.ReplaceAll(service, ".", "-")
		endpoint, err := ec2.NewVpcEndpoint(n.ctx, child, &ec2.VpcEndpointArgs{
			VpcId: n.c.VpcID, ServiceName: pulumi.String("com.amazonaws." + n.args.Region + "." + service), VpcEndpointType: pulumi.String("Interface"),
			SubnetIds: n.c.PrivateSubnetIDs, SecurityGroupIds: pulumi.StringArray{id}, PrivateDnsEnabled: pulumi.Bool(true),
			Tags: n.args.Tags.Pulumi("Name", child),
		}, pulumi.Parent(n.c))
		if err != nil {
			return err
		}
		n.c.ready = append(n.c.ready, endpoint)
	}
	return nil
}

// flowLogs registers the record of every connection, accepted or refused.
func (n *networkBuilder) flowLogs() error {
	child := n.name + "-flow-logs"
	group, err := encryptedLogs(n.ctx, child, nil, n.args.FlowLogRetentionDays, n.args.LogKmsKeyArn, n.args.Tags, n.c)
	if err != nil {
		return err
	}
	role, ready, err := serviceRole(n.ctx, child+"-role", "vpc-flow-logs.amazonaws.com", "Writes the VPC's flow logs", n.args.AccountID, []Statement{{
		Sid: "Write", Actions: []string{"logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"}, Resources: arns(pulumi.Sprintf("%s:*", group.Arn)),
	}, {
		Sid: "Find", Actions: []string{"logs:DescribeLogGroups"}, Resources: arns(pulumi.String("*")), Reason: "DescribeLogGroups has no resource level",
	}}, n.args.Tags, n.c)
	if err != nil {
		return err
	}
	_, err = ec2.NewFlowLog(n.ctx, n.name+"-flow-log", &ec2.FlowLogArgs{
		VpcId: n.c.VpcID, TrafficType: pulumi.String("ALL"), LogDestinationType: pulumi.String("cloud-watch-logs"),
		LogDestination: group.Arn, IamRoleArn: role.Arn, MaxAggregationInterval: pulumi.Int(600),
		Tags: n.args.Tags.Pulumi("Name", n.name+"-flow-log"),
	}, pulumi.Parent(n.c), pulumi.DependsOn(ready))
	return err
}
