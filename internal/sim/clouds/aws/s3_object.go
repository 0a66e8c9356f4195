package aws

import (
	"crypto/md5"
	"encoding/hex"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func objectType(token string) cloud.Type {
	return written(cloud.Type{
		Token: token,
		Check: func(c *cloud.CheckCall) {
			if k := c.In.String("key"); len(k) > 1024 {
				c.Fail("key", "KeyTooLongError: an object's key has at most 1024 bytes, got %d", len(k))
			}
		},
		Recomputed: map[string][]string{"content": {"etag", "versionId"}, "contentBase64": {"etag", "versionId"}, "source": {"etag", "versionId"}, "sourceHash": {"etag", "versionId"}},
		Takes:      cloud.Durations{Create: seconds(1), Update: seconds(1), Delete: seconds(1)},
	}, writeObject, func(c *cloud.Call) error {
		key := strings.TrimPrefix(c.In.String("key"), "/")
		c.ID = c.In.String("bucket") + "/" + key
		if o := c.Find(c.Type, c.ID); o != nil {
			c.Warn("object %s is there already and is overwritten", c.ID)
		}
		return nil
	})
}

func writeObject(c *cloud.Call) error {
	if !strings.HasPrefix(c.Scope, "r2:") {
		if err := mustHaveBucket(c, "PutObject"); err != nil {
			return err
		}
	}
	bucket, acl := c.In.String("bucket"), c.In.String("acl")
	if acl != "" && acl != "private" && acl != "bucket-owner-full-control" && !aclsEnabled(c.World, bucket) {
		return refuse("S3", "PutObject", "AccessControlListNotSupported", "The bucket does not allow ACLs (%s, acl %s)", bucket, acl)
	}
	if strings.HasPrefix(acl, "public-") && blocks(c.World, bucket, "blockPublicAcls") {
		return refuseStatus(403, "S3", "PutObject", "AccessDenied", "User: %s is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::%s/%s\" "+
			"because public access control lists (ACLs) are prevented by the BlockPublicAcls setting in S3 Block Public Access", arn("iam", "", caller), bucket, c.In.String("key"))
	}
	if key := c.In.String("kmsKeyId"); key != "" {
		if why := keyUsable(c, key); why != "" {
			return refuse("S3", "PutObject", "KMS.NotFoundException", "%s", why)
		}
		computed(c, "serverSideEncryption", "aws:kms")
	}
	computed(c, "serverSideEncryption", "AES256")
	computed(c, "storageClass", "STANDARD")
	computed(c, "contentType", "application/octet-stream")
	computed(c, "bucketKeyEnabled", false)
	computed(c, "kmsKeyId", "")
	key := strings.TrimPrefix(c.In.String("key"), "/")
	c.Out["arn"] = "arn:aws:s3:::" + bucket + "/" + key
	content := c.In.String("content") + c.In.String("contentBase64") + c.In.String("sourceHash")
	if content == "" {
		content = c.Gen.Hex("content", 8)
	}
	sum := md5.Sum([]byte(content))
	c.Out["etag"] = hex.EncodeToString(sum[:])
	c.Out["versionId"] = ""
	if versioned(c.World, bucket) {
		c.Out["versionId"] = c.Gen.Pick("version"+content, letters+"0123456789._", 32)
	}
	for _, k := range []string{"checksumCrc32", "checksumCrc32c", "checksumCrc64nvme", "checksumSha1", "checksumSha256"} {
		if c.Type == objectToken {
			c.Out[k] = ""
		}
	}
	return nil
}
