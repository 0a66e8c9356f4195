// Package cloudflare holds the components that live at Cloudflare.
package cloudflare

import (
	"errors"

	"github.com/pulumi/pulumi-cloudflare/sdk/v5/go/cloudflare"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// BackupBucketType is the type token of BackupBucket.
const BackupBucketType = "morphee:cloudflare:BackupBucket"

// BackupBucketArgs describes the bucket backups are uploaded to.
type BackupBucketArgs struct {
	// AccountID is Cloudflare's account, 32 hexadecimal digits. Replaces the bucket (refused while
	// it is protected).
	AccountID string
	// BucketName, 3 to 63 lower-case letters, digits and dashes. Replaces the bucket (refused).
	BucketName string
	// Location hint: WNAM, ENAM, WEUR, EEUR, APAC or OC. Default "WEUR". Replaces the bucket (refused).
	Location string
	// PostgresRetentionDays is how long objects under postgres/ are kept, 1 to 3650. Default 30.
	PostgresRetentionDays int
	// GitRetentionDays is how long objects under git/ are kept, 1 to 3650. Default 14.
	GitRetentionDays int
	// FilesRetentionDays is how long objects under files/ are kept, 1 to 3650. Default 14.
	FilesRetentionDays int
	// AbortMultipartDays is after how long an unfinished upload is dropped, 1 to 30. Default 2.
	AbortMultipartDays int
	// UploaderSources, when not empty, are the only CIDR ranges the uploader's key works from, such
	// as the server's address.
	UploaderSources pulumi.StringArrayInput
	// AdminSources, when not empty, are the only CIDR ranges the lifecycle key works from: where
	// Pulumi runs.
	AdminSources []string
	// Tags name the tokens; R2 buckets take no tags.
	Tags base.Tags
	// Disposable leaves the bucket unprotected: throw-away stacks only.
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

// NewBackupBucket registers the component.
func NewBackupBucket(ctx *pulumi.Context, name string, args *BackupBucketArgs, opts ...pulumi.ResourceOption) (*BackupBucket, error) {
	return nil, errors.New("BackupBucket: not built yet")
}
