package aws

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// privateBucket says what differs between the private buckets of this package. Everything else is
// the same for all: no public access of any kind, TLS only, encrypted, incomplete uploads removed.
type privateBucket struct {
	Versioned             bool // keep overwritten and deleted objects
	NoncurrentDays        int  // days an overwritten object is kept; needs Versioned; 0 keeps forever
	ExpireDays            int  // days an object is kept; 0 keeps forever
	AclsForCloudFrontLogs bool // CloudFront's standard logs are delivered with an ACL grant
	// WithoutPolicy leaves the bucket policy to the caller (newBucketPolicy), who then has more to
	// say in it.
	WithoutPolicy bool
	Disposable    bool
	Tags          base.Tags
}

// newPrivateBucket registers the bucket as name, and its settings as name-…. Whoever writes to the
// bucket, or sets its policy, waits for the settings returned.
func newPrivateBucket(ctx *pulumi.Context, name string, b privateBucket, parent pulumi.Resource) (*s3.BucketV2, []pulumi.Resource, error) {
	bucket, err := s3.NewBucketV2(ctx, name, &s3.BucketV2Args{
		ForceDestroy: pulumi.Bool(b.Disposable),
		Tags:         b.Tags.Pulumi("Name", name),
	}, base.Stateful(b.Disposable, pulumi.Parent(parent))...)
	if err != nil {
		return nil, nil, err
	}
	child := pulumi.Parent(parent)
	block, err := s3.NewBucketPublicAccessBlock(ctx, name+"-public-access", &s3.BucketPublicAccessBlockArgs{
		Bucket: bucket.ID(), BlockPublicAcls: pulumi.Bool(true), BlockPublicPolicy: pulumi.Bool(true),
		IgnorePublicAcls: pulumi.Bool(true), RestrictPublicBuckets: pulumi.Bool(true),
	}, child)
	if err != nil {
		return nil, nil, err
	}
	ownership := "BucketOwnerEnforced"
	if b.AclsForCloudFrontLogs {
		ownership = "BucketOwnerPreferred"
	}
	owner, err := s3.NewBucketOwnershipControls(ctx, name+"-ownership", &s3.BucketOwnershipControlsArgs{
		Bucket: bucket.ID(), Rule: &s3.BucketOwnershipControlsRuleArgs{ObjectOwnership: pulumi.String(ownership)},
	}, child)
	if err != nil {
		return nil, nil, err
	}
	// S3's own key: log delivery cannot write with a customer key, and site files are public anyway.
	if _, err := s3.NewBucketServerSideEncryptionConfigurationV2(ctx, name+"-encryption", &s3.BucketServerSideEncryptionConfigurationV2Args{
		Bucket: bucket.ID(),
		Rules: s3.BucketServerSideEncryptionConfigurationV2RuleArray{&s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
			ApplyServerSideEncryptionByDefault: &s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{SseAlgorithm: pulumi.String("AES256")},
		}},
	}, child); err != nil {
		return nil, nil, err
	}
	status := "Suspended"
	if b.Versioned {
		status = "Enabled"
	}
	versioning, err := s3.NewBucketVersioningV2(ctx, name+"-versioning", &s3.BucketVersioningV2Args{
		Bucket: bucket.ID(), VersioningConfiguration: &s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String(status)},
	}, child)
	if err != nil {
		return nil, nil, err
	}
	if _, err := s3.NewBucketLifecycleConfigurationV2(ctx, name+"-lifecycle", &s3.BucketLifecycleConfigurationV2Args{
		Bucket: bucket.ID(), Rules: b.lifecycle(),
	}, child, pulumi.DependsOn([]pulumi.Resource{versioning})); err != nil {
		return nil, nil, err
	}
	ready := []pulumi.Resource{block, owner}
	if b.WithoutPolicy {
		return bucket, ready, nil
	}
	policy, err := newBucketPolicy(ctx, name+"-policy", bucket, nil, parent, ready...)
	return bucket, append(ready, policy), err
}

// newBucketPolicy registers the policy of a private bucket: nothing over plain HTTP, and what the
// extra statements allow. It comes after the public access block, because S3 refuses the two being
// changed at the same moment.
func newBucketPolicy(ctx *pulumi.Context, name string, bucket *s3.BucketV2, allow pulumi.Array, parent pulumi.Resource, after ...pulumi.Resource) (*s3.BucketPolicy, error) {
	statements := append(pulumi.Array{tlsOnly(bucket.Arn)}, allow...)
	return s3.NewBucketPolicy(ctx, name, &s3.BucketPolicyArgs{
		Bucket: bucket.ID(), Policy: pulumi.JSONMarshal(pulumi.Map{"Version": pulumi.String("2012-10-17"), "Statement": statements}),
	}, pulumi.Parent(parent), pulumi.DependsOn(after))
}

func (b privateBucket) lifecycle() s3.BucketLifecycleConfigurationV2RuleArray {
	everything := &s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String("")}
	rules := s3.BucketLifecycleConfigurationV2RuleArray{&s3.BucketLifecycleConfigurationV2RuleArgs{
		Id: pulumi.String("abort-incomplete-uploads"), Status: pulumi.String("Enabled"), Filter: everything,
		AbortIncompleteMultipartUpload: &s3.BucketLifecycleConfigurationV2RuleAbortIncompleteMultipartUploadArgs{DaysAfterInitiation: pulumi.Int(7)},
	}}
	if b.ExpireDays > 0 {
		rules = append(rules, &s3.BucketLifecycleConfigurationV2RuleArgs{
			Id: pulumi.String("expire"), Status: pulumi.String("Enabled"), Filter: everything,
			Expiration: &s3.BucketLifecycleConfigurationV2RuleExpirationArgs{Days: pulumi.Int(b.ExpireDays)},
		})
	}
	if b.Versioned && b.NoncurrentDays > 0 {
		rules = append(rules, &s3.BucketLifecycleConfigurationV2RuleArgs{
			Id: pulumi.String("expire-overwritten"), Status: pulumi.String("Enabled"), Filter: everything,
			// What expires leaves a marker, which is all there is of it once its versions are gone.
			Expiration:                  &s3.BucketLifecycleConfigurationV2RuleExpirationArgs{ExpiredObjectDeleteMarker: pulumi.Bool(true)},
			NoncurrentVersionExpiration: &s3.BucketLifecycleConfigurationV2RuleNoncurrentVersionExpirationArgs{NoncurrentDays: pulumi.Int(b.NoncurrentDays)},
		})
	}
	return rules
}

// tlsOnly is the bucket policy statement that refuses every request that is not made over TLS. Its
// wildcards take rights away, they give none.
func tlsOnly(bucketArn pulumi.StringInput) pulumi.Map {
	return pulumi.Map{
		"Sid": pulumi.String("TlsOnly"), "Effect": pulumi.String("Deny"), "Principal": pulumi.String("*"), "Action": pulumi.String("s3:*"),
		"Resource":  pulumi.Array{bucketArn, pulumi.Sprintf("%s/*", bucketArn)},
		"Condition": pulumi.Map{"Bool": pulumi.Map{"aws:SecureTransport": pulumi.String("false")}},
	}
}
