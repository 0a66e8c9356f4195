package aws

import (
	"regexp"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func bucketPolicyType() cloud.Type {
	t := bucketSetting(bucketPolicyToken, "PutBucketPolicy", checkBucketPolicy)
	t.Check = func(c *cloud.CheckCall) { checkJSON(c, "policy") }
	return t
}

// onBucket are the actions that act on the bucket itself; the other s3 actions act on its objects.
var onBucket = regexp.MustCompile(`^s3:(List(Bucket|BucketVersions|BucketMultipartUploads)|Get(Bucket|Lifecycle|Replication|Encryption|Accelerate|Analytics|Inventory|Metrics|IntelligentTiering).*|Put(Bucket|Lifecycle|Replication|Encryption|Accelerate|Analytics|Inventory|Metrics|IntelligentTiering).*|DeleteBucket.*|CreateBucket)$`)
var onObject = regexp.MustCompile(`^s3:(GetObject.*|PutObject.*|DeleteObject.*|RestoreObject|AbortMultipartUpload|ListMultipartUploadParts|Replicate.*)$`)

func checkBucketPolicy(c *cloud.Call) error {
	bucket := c.In.String("bucket")
	malformed := func(format string, args ...any) error {
		return refuse("S3", "PutBucketPolicy", "MalformedPolicy", format, args...)
	}
	if n := len(policyText(c.In.Get("policy"))); n > 20480 {
		return refuse("S3", "PutBucketPolicy", "PolicyTooLarge", "Policies must not be larger than 20480 bytes (%d)", n)
	}
	doc, err := parsePolicy(c.In.Get("policy"))
	if err != nil {
		return malformed("%v", err)
	}
	for _, s := range doc.Statements {
		if err := checkBucketStatement(c, bucket, s); err != "" {
			return malformed("%s (statement %q)", err, s.Sid)
		}
	}
	if doc.public() && blocks(c.World, bucket, "blockPublicPolicy") {
		return refuseStatus(403, "S3", "PutBucketPolicy", "AccessDenied", "User: %s is not authorized to perform: s3:PutBucketPolicy on resource: \"arn:aws:s3:::%s\" "+
			"because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.", arn("iam", "", caller), bucket)
	}
	return nil
}

func checkBucketStatement(c *cloud.Call, bucket string, s policyStatement) string {
	if !s.HasPrincipal && !s.HasNotPrincipal {
		return "Missing required field Principal"
	}
	if len(s.Actions) == 0 && len(s.NotActions) == 0 {
		return "Missing required field Action"
	}
	if len(s.Resources) == 0 && len(s.NotResources) == 0 {
		return "Missing required field Resource"
	}
	for _, a := range slices.Concat(s.Actions, s.NotActions) {
		if a != "*" && !strings.HasPrefix(a, "s3:") {
			return "Policy has invalid action"
		}
	}
	self, objects := false, false
	for _, r := range slices.Concat(s.Resources, s.NotResources) {
		name, path, slash := strings.Cut(strings.TrimPrefix(r, "arn:aws:s3:::"), "/")
		if !strings.HasPrefix(r, "arn:aws:s3:::") || !globMatch(name, bucket) || slash && path == "" {
			return "Policy has invalid resource: " + r
		}
		self, objects = self || !slash, objects || slash || strings.HasSuffix(name, "*")
	}
	for _, a := range s.Actions {
		if onObject.MatchString(a) && !objects || onBucket.MatchString(a) && !self {
			return "Action does not apply to any resource(s) in statement: " + a
		}
	}
	if err := s.principalsExist(c.World); err != nil {
		return "Invalid principal in policy: " + strings.TrimPrefix(err.Error(), "Invalid principal in policy: ")
	}
	return ""
}
