package aws

import (
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const r2BucketToken = "cloudflare:index/r2Bucket:R2Bucket"

// r2Answers are the S3 types that Cloudflare R2's API implements enough of.
var r2Answers = map[string]bool{bucketToken: true, lifecycleToken: true, corsToken: true, objectToken: true, legacyObjectToken: true}

// onR2 makes an S3 type behave as R2 does when the provider's endpoint is R2's: the bucket must be
// an R2 bucket, and what R2's API lacks is refused.
func onR2(t cloud.Type) cloud.Type {
	gate := func(op string, next func(*cloud.Call) error) func(*cloud.Call) error {
		return func(c *cloud.Call) error {
			if !strings.HasPrefix(c.Scope, "r2:") {
				if next == nil {
					return nil
				}
				return next(c)
			}
			return writeR2(c, op, next)
		}
	}
	create, remove := t.Create, t.Delete
	t.Create = gate("create", create)
	t.Update = gate("update", t.Update)
	t.Delete = func(c *cloud.Call) error {
		if strings.HasPrefix(c.Scope, "r2:") || remove == nil {
			return nil
		}
		return remove(c)
	}
	return t
}

func writeR2(c *cloud.Call, op string, next func(*cloud.Call) error) error {
	kind := c.Type[strings.LastIndex(c.Type, ":")+1:]
	missing := func(what string) error {
		return refuseStatus(501, "S3", kind, "NotImplemented", "%s not implemented (Cloudflare R2 has no %s)", what, what)
	}
	if !r2Answers[c.Type] {
		return missing(kind)
	}
	name := c.In.String("bucket")
	switch c.Type {
	case bucketToken:
		for _, p := range []string{"tags", "acl", "policy", "versionings", "objectLockEnabled", "websites", "loggings", "replicationConfigurations", "serverSideEncryptionConfigurations"} {
			if v := c.In.Get(p); v != nil && v != false && v != "" {
				return missing(p)
			}
		}
		if op == "create" && findR2Bucket(c, name) != nil {
			return refuseStatus(409, "S3", "CreateBucket", "BucketAlreadyOwnedByYou", "The bucket %s already exists in R2", name)
		}
		c.ID = name
		c.Out["arn"] = "arn:aws:s3:::" + name
		return nil
	case objectToken, legacyObjectToken:
		for _, p := range []string{"tags", "kmsKeyId", "objectLockMode", "objectLockLegalHoldStatus"} {
			if c.In.Has(p) && c.In.Get(p) != "" {
				return missing(p)
			}
		}
	}
	if findR2Bucket(c, name) == nil {
		return refuseStatus(404, "S3", kind, "NoSuchBucket", "The specified bucket does not exist. (%s in R2 account %s)", name, strings.TrimPrefix(c.Scope, "r2:"))
	}
	switch c.Type {
	case lifecycleToken:
		return writeR2Lifecycle(c, op)
	case corsToken:
		if err := checkCORS(c); err != nil {
			return err
		}
		c.ID = name
		return nil
	}
	return next(c)
}

// findR2Bucket finds the bucket that Cloudflare's own provider, or this one, made in the account.
func findR2Bucket(c *cloud.Call, name string) *cloud.Resource {
	account := strings.TrimPrefix(c.Scope, "r2:")
	for _, r := range c.World.All("", r2BucketToken) {
		if id := r.Out.String("accountId"); r.Out.String("name") == name && (id == account || id == "") {
			return r
		}
	}
	if c.Type == bucketToken {
		return nil
	}
	return c.World.Find(c.Scope, bucketToken, name)
}

func writeR2Lifecycle(c *cloud.Call, op string) error {
	for _, r := range c.In.Objects("rules") {
		for _, p := range []string{"noncurrentVersionExpiration", "noncurrentVersionTransitions", "filter.tag", "filter.and", "filter.objectSizeGreaterThan", "filter.objectSizeLessThan", "expiration.expiredObjectDeleteMarker"} {
			if v := r.Get(p); v != nil && v != false {
				if list, ok := v.([]any); ok && len(list) == 0 {
					continue
				}
				return refuseStatus(501, "S3", "PutBucketLifecycleConfiguration", "NotImplemented", "lifecycle rule %q: %s not implemented (R2 knows a prefix, expiration, transition to STANDARD_IA and incomplete uploads)", r.String("id"), p)
			}
		}
		for _, t := range r.Objects("transitions") {
			if t.String("storageClass") != "STANDARD_IA" {
				return refuseStatus(501, "S3", "PutBucketLifecycleConfiguration", "NotImplemented", "lifecycle rule %q: storage class %s not implemented (R2 has STANDARD_IA)", r.String("id"), t.String("storageClass"))
			}
		}
	}
	if err := checkLifecycle(c); err != nil {
		return err
	}
	if op == "create" {
		c.ID = c.In.String("bucket")
	}
	return nil
}
