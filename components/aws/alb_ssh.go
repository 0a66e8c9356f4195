package aws

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// ssh registers the network load balancer for git over SSH.
func (c *PublicAlb) ssh(ctx *pulumi.Context, child string, args *PublicAlbArgs, logs *albLogs) error {
	group, err := closedGroup(ctx, child+"-sg", "Git over SSH: from the allowed sources, on to the git server", args.VpcID, args.Tags, c)
	if err != nil {
		return err
	}
	sources := args.Ssh.SourceCidrs
	if args.FreezeWrites {
		sources = nil // a push cannot be told from a fetch there
	}
	for _, cidr := range sources {
		suffix := strings.NewReplacer(".", "-", "/", "-").Replace(cidr)
		if _, err := openIn(ctx, child+"-sg-in-"+suffix, fmt.Sprintf("Git over SSH from %s", cidr), group.ID(), cidr, args.Ssh.ListenPort, args.Tags, c); err != nil {
			return err
		}
	}
	nlb, err := lb.NewLoadBalancer(ctx, child, &lb.LoadBalancerArgs{
		LoadBalancerType: pulumi.String("network"), Internal: pulumi.Bool(false), IpAddressType: pulumi.String("ipv4"),
		Subnets: args.SubnetIDs, SecurityGroups: pulumi.StringArray{group.ID()},
		EnableCrossZoneLoadBalancing: pulumi.Bool(true), // there is one git task, in one zone
		EnableDeletionProtection:     base.CloudProtection(args.Disposable),
		AccessLogs:                   &lb.LoadBalancerAccessLogsArgs{Enabled: pulumi.Bool(true), Bucket: logs.bucket.Bucket, Prefix: pulumi.String("ssh")},
		Tags:                         args.Tags.Pulumi("Name", child),
	}, base.Stateful(args.Disposable, pulumi.Parent(c), pulumi.DependsOn(append(slices.Clone(args.Ready), logs.ready...)))...)
	if err != nil {
		return err
	}
	target, err := lb.NewTargetGroup(ctx, child+"-tg", &lb.TargetGroupArgs{
		TargetType: pulumi.String("ip"), Protocol: pulumi.String("TCP"), Port: pulumi.Int(args.Ssh.TargetPort), VpcId: args.VpcID.ToStringOutput().ToStringPtrOutput(),
		DeregistrationDelay: pulumi.Int(60),
		// Without the client's address the container's port can be opened to the load balancer alone.
		PreserveClientIp: pulumi.String("false"),
		HealthCheck: &lb.TargetGroupHealthCheckArgs{
			Enabled: pulumi.Bool(true), Protocol: pulumi.String("TCP"), Port: pulumi.String("traffic-port"),
			Interval: pulumi.Int(30), HealthyThreshold: pulumi.Int(2), UnhealthyThreshold: pulumi.Int(2),
		},
		Tags: args.Tags.Pulumi("Name", child+"-tg"),
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	listener, err := lb.NewListener(ctx, child+"-listener", &lb.ListenerArgs{
		LoadBalancerArn: nlb.Arn, Port: pulumi.Int(args.Ssh.ListenPort), Protocol: pulumi.String("TCP"),
		DefaultActions: lb.ListenerDefaultActionArray{&lb.ListenerDefaultActionArgs{Type: pulumi.String("forward"), TargetGroupArn: target.Arn}},
		Tags:           args.Tags.Pulumi("Name", child+"-listener"),
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	c.SshDnsName, c.SshZoneID = nlb.DnsName, nlb.ZoneId
	c.Ssh = &ServiceTarget{
		TargetGroupArn: target.Arn, SecurityGroupID: group.ID().ToStringOutput(), Port: args.Ssh.TargetPort, ArnSuffix: target.ArnSuffix, listener: listener,
	}
	return nil
}
