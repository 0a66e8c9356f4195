// Package cloudflare holds the components that live at Cloudflare.
package cloudflare

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi-cloudflare/sdk/v5/go/cloudflare"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// BackupBucketType is the type token of BackupBucket.
const BackupBucketType = "morphee:cloudflare:BackupBucket"

// lifecyclePlugin is the version of the aws plugin that sets the bucket's lifecycle. It is the last
// kind that works with others than AWS: from terraform-provider-aws 5.70.0 on (its issue 49019) the
// plugin waits for the store to repeat a header that only AWS knows, and fails after three minutes
// although the rules were set. This version has 5.65.0.
const lifecyclePlugin = "6.51.0"

// Permission groups by the names Cloudflare lists them under.
const (
	itemWrite    = "Workers R2 Storage Bucket Item Write"
	itemRead     = "Workers R2 Storage Bucket Item Read"
	storageWrite = "Workers R2 Storage Write"
)

var (
	hex32Pattern  = regexp.MustCompile(`^[0-9a-f]{32}$`)
	bucketPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`)
	locations     = []string{"APAC", "EEUR", "ENAM", "OC", "WEUR", "WNAM"}
)

// BackupBucketArgs describes the bucket backups are uploaded to.
type BackupBucketArgs struct {
	// AccountID is Cloudflare's account, 32 hexadecimal digits. Replaces the bucket (refused while
	// it is protected).
	AccountID string
	// BucketName, 3 to 63 lower-case letters, digits and dashes. Replaces the bucket (refused).
	BucketName string
	// Location hint: WNAM, ENAM, WEUR, EEUR, APAC or OC, in either case. Default "WEUR". Replaces
	// the bucket (refused).
	Location string
	// Jurisdiction must be "default" (or empty): the pinned Cloudflare provider can not create
	// buckets in another one.
	Jurisdiction string
	// PostgresRetentionDays is how long objects under postgres/ are kept, 1 to 3650. Default 30.
	// Manifests are kept as long as the longest of the three.
	PostgresRetentionDays int
	// GitRetentionDays is how long objects under git/ are kept, 1 to 3650. Default 14.
	GitRetentionDays int
	// FilesRetentionDays is how long objects under files/ are kept, 1 to 3650. Default 14.
	FilesRetentionDays int
	// AbortMultipartDays is after how long an unfinished upload is dropped, 1 to 30. Default 2.
	AbortMultipartDays int
	// UploaderSources, when not nil, are the only CIDR ranges the uploader's key works from: the
	// server's addresses, IPv6 included when it has one.
	UploaderSources pulumi.StringArrayInput
	// AdminSources, when not empty, are the only CIDR ranges the lifecycle key works from: where
	// Pulumi runs.
	AdminSources []string
	// Tags name the keys; R2 buckets take no tags.
	Tags base.Tags
	// Disposable leaves the bucket unprotected: throw-away stacks only. R2 itself refuses to delete
	// a bucket that is not empty.
	Disposable bool
}

// BackupBucket is a Cloudflare R2 bucket with its retention, and a key that may do nothing but read
// and write objects in it.
type BackupBucket struct {
	pulumi.ResourceState

	// Bucket is the bucket itself, to depend on.
	Bucket *cloudflare.R2Bucket
	// BucketName as created.
	BucketName pulumi.StringOutput
	// Endpoint of the S3 API, with scheme.
	Endpoint pulumi.StringOutput
	// Region to give to S3 clients: "auto".
	Region pulumi.StringOutput
	// AccessKeyID of the uploader; a secret.
	AccessKeyID pulumi.StringOutput
	// SecretAccessKey of the uploader; a secret.
	SecretAccessKey pulumi.StringOutput
}

func (a BackupBucketArgs) withDefaults() *BackupBucketArgs {
	for field, value := range map[*int]int{
		&a.PostgresRetentionDays: 30, &a.GitRetentionDays: 14, &a.FilesRetentionDays: 14, &a.AbortMultipartDays: 2,
	} {
		if *field == 0 {
			*field = value
		}
	}
	if a.Location == "" {
		a.Location = "WEUR"
	}
	a.Location = strings.ToUpper(a.Location)
	return &a
}

func (a *BackupBucketArgs) validate(name string) error {
	p := base.Check("BackupBucket", name)
	p.Require(hex32Pattern.MatchString(a.AccountID), "AccountID", fmt.Sprintf("%q", a.AccountID), "32 hexadecimal digits", "cloudflareAccountId")
	p.Require(bucketPattern.MatchString(a.BucketName), "BucketName", fmt.Sprintf("%q", a.BucketName), "3 to 63 lower-case letters, digits and dashes", "backups.bucket")
	p.Require(slices.Contains(locations, a.Location), "Location", fmt.Sprintf("%q", a.Location), "one of "+strings.Join(locations, ", "), "backups.locationHint")
	p.Require(a.Jurisdiction == "" || a.Jurisdiction == "default", "Jurisdiction", fmt.Sprintf("%q", a.Jurisdiction),
		`"default": the Cloudflare provider in use can not create buckets in another jurisdiction`, "backups.jurisdiction")
	days := func(field string, value, most int, key string) {
		p.Require(value >= 1 && value <= most, field, value, fmt.Sprintf("1 to %d", most), key)
	}
	days("PostgresRetentionDays", a.PostgresRetentionDays, 3650, "backups.retention.postgresDays")
	days("GitRetentionDays", a.GitRetentionDays, 3650, "backups.retention.gitDays")
	days("FilesRetentionDays", a.FilesRetentionDays, 3650, "backups.retention.filesDays")
	days("AbortMultipartDays", a.AbortMultipartDays, 30, "")
	for i, source := range a.AdminSources {
		_, err := netip.ParsePrefix(source)
		p.Require(err == nil, fmt.Sprintf("AdminSources[%d]", i), fmt.Sprintf("%q", source), "a CIDR range", "")
	}
	return p.Err()
}

// NewBackupBucket registers the bucket, its keys and its lifecycle.
func NewBackupBucket(ctx *pulumi.Context, name string, args *BackupBucketArgs, opts ...pulumi.ResourceOption) (*BackupBucket, error) {
	a := args.withDefaults()
	if err := a.validate(name); err != nil {
		return nil, err
	}
	c := &BackupBucket{}
	if err := ctx.RegisterComponentResourceV2(BackupBucketType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	bucket, err := cloudflare.NewR2Bucket(ctx, name+"-bucket", &cloudflare.R2BucketArgs{
		AccountId: pulumi.String(a.AccountID),
		Name:      pulumi.String(a.BucketName),
		Location:  pulumi.String(a.Location),
	}, base.Stateful(a.Disposable, pulumi.Parent(c))...)
	if err != nil {
		return nil, err
	}
	groups := cloudflare.GetApiTokenPermissionGroupsOutput(ctx, pulumi.Parent(c))

	// The server's key: objects of this bucket, nothing else. It can not even see other buckets.
	uploader, err := token(ctx, c, name+"-uploader", a.Tags, bucket, cloudflare.ApiTokenPolicyArgs{
		PermissionGroups: pulumi.StringArray{group(groups.R2(), itemRead), group(groups.R2(), itemWrite)},
		Resources:        pulumi.StringMap{"com.cloudflare.edge.r2.bucket." + a.AccountID + "_default_" + a.BucketName: pulumi.String("*")},
	}, a.UploaderSources)
	if err != nil {
		return nil, err
	}
	if err := lifecycle(ctx, c, name, a, bucket, groups); err != nil {
		return nil, err
	}
	c.Bucket = bucket
	c.BucketName = bucket.Name
	c.Endpoint = pulumi.String(a.endpoint()).ToStringOutput()
	c.Region = pulumi.String("auto").ToStringOutput()
	c.AccessKeyID, c.SecretAccessKey = s3Key(uploader)
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"bucketName":      c.BucketName,
		"endpoint":        c.Endpoint,
		"region":          c.Region,
		"accessKeyId":     c.AccessKeyID,
		"secretAccessKey": c.SecretAccessKey,
	})
}

func (a *BackupBucketArgs) endpoint() string {
	return "https://" + a.AccountID + ".r2.cloudflarestorage.com"
}

// lifecycle sets the retention through R2's S3 API, the only one this provider version leaves.
// Cloudflare has no permission for one bucket's settings, so the key that does it may administer
// the account's R2; it never leaves Pulumi's state.
func lifecycle(ctx *pulumi.Context, c *BackupBucket, name string, a *BackupBucketArgs, bucket *cloudflare.R2Bucket, groups cloudflare.GetApiTokenPermissionGroupsResultOutput) error {
	var sources pulumi.StringArrayInput
	if len(a.AdminSources) > 0 {
		sources = pulumi.ToStringArray(a.AdminSources)
	}
	admin, err := token(ctx, c, name+"-lifecycle-admin", a.Tags, bucket, cloudflare.ApiTokenPolicyArgs{
		PermissionGroups: pulumi.StringArray{group(groups.Account(), storageWrite)},
		Resources:        pulumi.StringMap{"com.cloudflare.api.account." + a.AccountID: pulumi.String("*")},
	}, sources)
	if err != nil {
		return err
	}
	id, secret := s3Key(admin)
	provider, err := aws.NewProvider(ctx, name+"-s3", &aws.ProviderArgs{
		AccessKey:                 id,
		SecretKey:                 secret,
		Region:                    pulumi.String("us-east-1"), // R2 takes it for "auto"
		Endpoints:                 aws.ProviderEndpointArray{aws.ProviderEndpointArgs{S3: pulumi.String(a.endpoint())}},
		S3UsePathStyle:            pulumi.Bool(true),
		SkipCredentialsValidation: pulumi.Bool(true),
		SkipMetadataApiCheck:      pulumi.Bool(true),
		SkipRegionValidation:      pulumi.Bool(true),
		SkipRequestingAccountId:   pulumi.Bool(true),
	}, pulumi.Parent(c), pulumi.Version(lifecyclePlugin))
	if err != nil {
		return err
	}
	rules := s3.BucketLifecycleConfigurationV2RuleArray{
		expire("postgres", a.PostgresRetentionDays),
		expire("git", a.GitRetentionDays),
		expire("files", a.FilesRetentionDays),
		expire("manifests", max(a.PostgresRetentionDays, a.GitRetentionDays, a.FilesRetentionDays)),
		s3.BucketLifecycleConfigurationV2RuleArgs{
			Id:     pulumi.String("abort-incomplete-uploads"),
			Status: pulumi.String("Enabled"),
			Filter: s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String("")},
			AbortIncompleteMultipartUpload: s3.BucketLifecycleConfigurationV2RuleAbortIncompleteMultipartUploadArgs{
				DaysAfterInitiation: pulumi.Int(a.AbortMultipartDays),
			},
		},
	}
	_, err = s3.NewBucketLifecycleConfigurationV2(ctx, name+"-lifecycle", &s3.BucketLifecycleConfigurationV2Args{
		Bucket: bucket.Name,
		Rules:  rules,
	}, pulumi.Parent(c), pulumi.Provider(provider))
	return err
}

func expire(prefix string, days int) s3.BucketLifecycleConfigurationV2RuleArgs {
	return s3.BucketLifecycleConfigurationV2RuleArgs{
		Id:         pulumi.String("expire-" + prefix),
		Status:     pulumi.String("Enabled"),
		Filter:     s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String(prefix + "/")},
		Expiration: s3.BucketLifecycleConfigurationV2RuleExpirationArgs{Days: pulumi.Int(days)},
	}
}

// token makes an API token with one policy. It waits for the bucket, for a policy may name it.
func token(ctx *pulumi.Context, c pulumi.Resource, name string, tags base.Tags, bucket pulumi.Resource, policy cloudflare.ApiTokenPolicyArgs, sources pulumi.StringArrayInput) (*cloudflare.ApiToken, error) {
	policy.Effect = pulumi.String("allow")
	args := &cloudflare.ApiTokenArgs{
		Name:     pulumi.String(fmt.Sprintf("%s %s: %s", tags.Project, tags.Stack, name)),
		Policies: cloudflare.ApiTokenPolicyArray{policy},
	}
	if sources != nil {
		args.Condition = cloudflare.ApiTokenConditionArgs{RequestIp: cloudflare.ApiTokenConditionRequestIpArgs{Ins: sources}}
	}
	return cloudflare.NewApiToken(ctx, name, args, pulumi.Parent(c), pulumi.DependsOn([]pulumi.Resource{bucket}))
}

// group finds a permission group's id by name.
func group(groups pulumi.StringMapOutput, name string) pulumi.StringOutput {
	return groups.ApplyT(func(m map[string]string) (string, error) {
		if id := m[name]; id != "" {
			return id, nil
		}
		return "", fmt.Errorf("no permission group at Cloudflare is called %q; the API token Pulumi uses must be able to create tokens (permission \"API Tokens Write\") and R2 must be enabled in the account", name)
	}).(pulumi.StringOutput)
}

// s3Key derives a token's S3 credentials, as Cloudflare defines them.
func s3Key(t *cloudflare.ApiToken) (id, secret pulumi.StringOutput) {
	id = pulumi.ToSecret(t.ID().ToStringOutput()).(pulumi.StringOutput)
	secret = pulumi.ToSecret(t.Value.ApplyT(func(value string) string {
		sum := sha256.Sum256([]byte(value))
		return hex.EncodeToString(sum[:])
	})).(pulumi.StringOutput)
	return id, secret
}
