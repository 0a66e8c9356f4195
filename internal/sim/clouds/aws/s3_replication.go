package aws

import (
	"fmt"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const replicationToken = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"

func replicationType() cloud.Type {
	return bucketSetting(replicationToken, "PutBucketReplication", func(c *cloud.Call) error {
		bad := func(code, format string, args ...any) error {
			return refuse("S3", "PutBucketReplication", code, format, args...)
		}
		if !versioned(c.World, c.In.String("bucket")) {
			return bad("InvalidRequest", "Versioning must be 'Enabled' on the bucket to apply a replication configuration (%s)", c.In.String("bucket"))
		}
		if !roleARN(c.World, c.In.String("role")) {
			return bad("InvalidArgument", "Role ARN is invalid: %q", c.In.String("role"))
		}
		if !trusts(c.World, c.In.String("role"), "s3.amazonaws.com") {
			return bad("InvalidRequest", "S3 cannot assume the role %s: its trust policy must name s3.amazonaws.com", c.In.String("role"))
		}
		ids, priorities := map[string]bool{}, map[int]bool{}
		for i, r := range c.In.Objects("rules") {
			dest := r.Object("destination")
			name := arnPart(dest.String("bucket"), 5)
			target := findBucket(c.World, name)
			switch {
			case !isARN(dest.String("bucket"), "s3"):
				return bad("InvalidArgument", "destination.bucket must be the ARN of a bucket, got %q", dest.String("bucket"))
			case target == nil && dest.String("account") == "":
				return bad("InvalidRequest", "Destination bucket must exist. (%s)", name)
			case target != nil && !versioned(c.World, name):
				return bad("InvalidRequest", "Destination bucket must have versioning enabled. (%s)", name)
			case name == c.In.String("bucket"):
				return bad("InvalidRequest", "Destination bucket cannot be the same as the source bucket.")
			case ids[r.String("id")] && r.String("id") != "":
				return bad("InvalidRequest", "Rule Id must be unique. Found same Id for more than one rule: %s", r.String("id"))
			case r.Has("filter") && !r.Has("deleteMarkerReplication"):
				return bad("InvalidRequest", "DeleteMarkerReplication must be specified for this version of Cross Region Replication configuration schema.")
			case len(c.In.Objects("rules")) > 1 && r.Has("filter") && priorities[r.Int("priority")]:
				return bad("InvalidRequest", "Found duplicate priority %d in the rules", r.Int("priority"))
			case dest.Has("replicationTime") && !dest.Has("metrics"):
				return bad("InvalidRequest", "Metrics must be enabled when S3 replication time control is enabled.")
			case dest.Has("encryptionConfiguration") != (r.String("sourceSelectionCriteria.sseKmsEncryptedObjects.status") == "Enabled"):
				return bad("InvalidRequest", "SseKmsEncryptedObjects must be specified if EncryptionConfiguration is present, and the reverse")
			}
			ids[r.String("id")], priorities[r.Int("priority")] = true, true
			if r.String("id") == "" {
				c.Out.Objects("rules")[i]["id"] = c.Gen.Pick(fmt.Sprint("rule", i), lower, 20)
			}
		}
		for _, r := range c.In.Objects("rules") {
			fillBucket(c, arnPart(r.String("destination.bucket"), 5), "replicas of bucket "+c.In.String("bucket"))
		}
		return nil
	})
}
