package aws

import (
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// logRetentions are the days that CloudWatch can keep logs for.
var logRetentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

func requireRetention(p *base.Problems, field string, days int) {
	p.Require(slices.Contains(logRetentions, days), field, days, "a number of days that CloudWatch has: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, …", "")
}

// encryptedLogs registers a log group. groupName is nil where AWS does not prescribe one.
func encryptedLogs(ctx *pulumi.Context, name string, groupName pulumi.StringPtrInput, days int, key pulumi.StringInput, tags base.Tags, parent pulumi.Resource) (*cloudwatch.LogGroup, error) {
	return cloudwatch.NewLogGroup(ctx, name, &cloudwatch.LogGroupArgs{
		Name: groupName, RetentionInDays: pulumi.Int(days), KmsKeyId: pulumi.StringPtrInput(key.ToStringOutput().ToStringPtrOutput()), Tags: tags.Pulumi("Name", name),
	}, pulumi.Parent(parent))
}
