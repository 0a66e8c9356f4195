package aws

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// albLogs is the bucket that load balancers deliver their logs to, and what must be there before AWS
// accepts it as a destination.
type albLogs struct {
	bucket *s3.BucketV2
	ready  []pulumi.Resource
}

// logs registers the bucket for access logs. Load balancers write to it in their own name, under
// the account's folder only.
func (c *PublicAlb) logs(ctx *pulumi.Context, name string, args *PublicAlbArgs) (*albLogs, error) {
	child := name + "-logs"
	bucket, settings, err := newPrivateBucket(ctx, child, privateBucket{
		Versioned: true, NoncurrentDays: 7, ExpireDays: args.AccessLogDays, WithoutPolicy: true, Disposable: args.Disposable, Tags: args.Tags,
	}, c)
	if err != nil {
		return nil, err
	}
	folder := func(prefix string) []pulumi.StringInput {
		return arns(pulumi.Sprintf("%s/%s/AWSLogs/%s/*", bucket.Arn, prefix, args.AccountID))
	}
	sourceAccount := map[string][]pulumi.StringInput{"aws:SourceAccount": {args.AccountID}}
	statements := []Statement{{
		Sid: "ApplicationLoadBalancer", Services: []string{"logdelivery.elasticloadbalancing.amazonaws.com"}, Actions: []string{"s3:PutObject"}, Resources: folder("alb"),
	}}
	if args.Ssh != nil {
		statements = append(statements, Statement{
			Sid: "NetworkLoadBalancer", Services: []string{"delivery.logs.amazonaws.com"}, Actions: []string{"s3:PutObject"}, Resources: folder("ssh"),
			Conditions: map[string]map[string][]pulumi.StringInput{"StringEquals": {
				"aws:SourceAccount": sourceAccount["aws:SourceAccount"], "s3:x-amz-acl": {pulumi.String("bucket-owner-full-control")},
			}},
		}, Statement{
			Sid: "NetworkLoadBalancerCheck", Services: []string{"delivery.logs.amazonaws.com"}, Actions: []string{"s3:GetBucketAcl"}, Resources: arns(bucket.Arn),
			Conditions: map[string]map[string][]pulumi.StringInput{"StringEquals": sourceAccount},
		})
	}
	allow, err := statementList(statements...)
	if err != nil {
		return nil, err
	}
	policy, err := newBucketPolicy(ctx, child+"-policy", bucket, allow, c, settings...)
	if err != nil {
		return nil, err
	}
	c.LogBucket = bucket.Bucket
	return &albLogs{bucket: bucket, ready: append([]pulumi.Resource{policy}, settings...)}, nil
}
