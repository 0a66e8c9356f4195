package aws

import (
	"fmt"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// s3SettingTypes are the settings that a bucket has one of each. Their id is the bucket's name.
func s3SettingTypes() []cloud.Type {
	return []cloud.Type{
		bucketSetting(versioningToken, "PutBucketVersioning", checkVersioning),
		bucketSetting("aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2", "PutBucketEncryption", checkEncryption),
		bucketSetting(publicBlockToken, "PutPublicAccessBlock", nil),
		bucketSetting(ownershipToken, "PutBucketOwnershipControls", nil),
		bucketSetting("aws:s3/bucketAclV2:BucketAclV2", "PutBucketAcl", checkACL),
		bucketSetting("aws:s3/bucketLoggingV2:BucketLoggingV2", "PutBucketLogging", checkLogging),
		bucketSetting("aws:s3/bucketWebsiteConfigurationV2:BucketWebsiteConfigurationV2", "PutBucketWebsite", checkWebsite),
		bucketSetting("aws:s3/bucketNotification:BucketNotification", "PutBucketNotificationConfiguration", checkNotification),
		bucketSetting(corsToken, "PutBucketCors", checkCORS),
	}
}

// bucketSetting is a type whose resources set one thing of a bucket.
func bucketSetting(token, op string, rule func(c *cloud.Call) error) cloud.Type {
	return written(cloud.Type{Token: token, Takes: cloud.Durations{Create: seconds(1), Update: seconds(1), Delete: seconds(1)}},
		func(c *cloud.Call) error {
			if err := mustHaveBucket(c, op); err != nil || rule == nil {
				return err
			}
			return rule(c)
		}, func(c *cloud.Call) error {
			c.ID = c.In.String("bucket")
			if owner := c.In.String("expectedBucketOwner"); owner != "" {
				if owner != accountID {
					return refuseStatus(403, "S3", op, "AccessDenied", "Access Denied (expectedBucketOwner %s is not the bucket's owner)", owner)
				}
				c.ID += "," + owner
			}
			// S3 itself lets the last writer win, and the first deletion take the setting away for both:
			// no working program has two, so the simulator stops here instead of losing one of them.
			if c.Find(token, c.ID) != nil {
				return cloud.Refuse("SettingConflict", "bucket %s has this setting from another resource already, each would overwrite the other: keep one", c.In.String("bucket"))
			}
			return nil
		})
}

func checkVersioning(c *cloud.Call) error {
	status, old := c.In.String("versioningConfiguration.status"), c.Old.String("versioningConfiguration.status")
	if status == "Disabled" && (old == "Enabled" || old == "Suspended") {
		return refuse("S3", "PutBucketVersioning", "MalformedXML", "versioning_configuration.status cannot be updated from '%s' to 'Disabled' (use Suspended)", old)
	}
	if status != "Enabled" && setting(c.World, replicationToken, c.In.String("bucket")) != nil {
		return refuseStatus(409, "S3", "PutBucketVersioning", "InvalidBucketState", "A replication configuration is present on this bucket, so the versioning state cannot be changed.")
	}
	return nil
}

func checkEncryption(c *cloud.Call) error {
	for _, r := range c.In.Objects("rules") {
		d := r.Object("applyServerSideEncryptionByDefault")
		key := d.String("kmsMasterKeyId")
		if key != "" && d.String("sseAlgorithm") == "AES256" {
			return refuse("S3", "PutBucketEncryption", "InvalidArgument", "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse")
		}
		if isARN(key, "kms") && arnPart(key, 3) != c.Scope {
			return refuse("S3", "PutBucketEncryption", "KMS.NotFoundException", "Invalid arn %s: the key must be in the bucket's region", arnPart(key, 3))
		}
		if why := keyUsable(c, key); key != "" && why != "" {
			c.Warn("S3 takes any key id here, but every upload to %s will fail: %s", c.In.String("bucket"), why)
		}
	}
	return nil
}

func checkACL(c *cloud.Call) error {
	b, acl := c.In.String("bucket"), c.In.String("acl")
	if !aclsEnabled(c.World, b) {
		return refuse("S3", "PutBucketAcl", "AccessControlListNotSupported",
			"The bucket does not allow ACLs (%s has object ownership BucketOwnerEnforced; set BucketOwnershipControls first, and depend on them)", b)
	}
	everyone := strings.HasPrefix(acl, "public-") || acl == "authenticated-read"
	for _, g := range c.In.Objects("accessControlPolicy.grants") {
		uri := g.String("grantee.uri")
		everyone = everyone || strings.HasSuffix(uri, "/AllUsers") || strings.HasSuffix(uri, "/AuthenticatedUsers")
	}
	if everyone && blocks(c.World, b, "blockPublicAcls") {
		return refuseStatus(403, "S3", "PutBucketAcl", "AccessDenied", "User: %s is not authorized to perform: s3:PutBucketAcl on resource: \"arn:aws:s3:::%s\" "+
			"because public access control lists (ACLs) are prevented by the BlockPublicAcls setting in S3 Block Public Access", arn("iam", "", caller), b)
	}
	return nil
}

func checkLogging(c *cloud.Call) error {
	target := c.In.String("targetBucket")
	r := findBucket(c.World, target)
	switch {
	case r == nil:
		return refuse("S3", "PutBucketLogging", "InvalidTargetBucketForLogging", "The target bucket for logging does not exist (%s)", target)
	case r.Scope != c.Scope:
		return refuseStatus(403, "S3", "PutBucketLogging", "CrossLocationLoggingProhibitted", "Cross S3 location logging not allowed. Between %s and %s", c.Scope, r.Scope)
	case len(c.In.Objects("targetGrants")) > 0 && !aclsEnabled(c.World, target):
		return refuse("S3", "PutBucketLogging", "AccessControlListNotSupported", "The target bucket %s does not allow ACLs: leave targetGrants out", target)
	}
	if prefix := c.In.String("targetPrefix"); !bucketAllows(c.World, target, "Service", "logging.s3.amazonaws.com", "s3:PutObject", "arn:aws:s3:::"+target+"/"+prefix+"x",
		map[string]string{"aws:SourceArn": "arn:aws:s3:::" + c.In.String("bucket"), "aws:SourceAccount": accountID, "aws:SecureTransport": "true"}) && !aclsEnabled(c.World, target) {
		c.Warn("no log will arrive: the policy of %s does not let logging.s3.amazonaws.com put objects under %q", target, prefix)
	}
	fillBucket(c, target, "access logs of bucket "+c.In.String("bucket"))
	return nil
}

func checkWebsite(c *cloud.Call) error {
	if !c.In.Has("indexDocument") && !c.In.Has("redirectAllRequestsTo") {
		return refuse("S3", "PutBucketWebsite", "InvalidArgument", "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty")
	}
	if s := c.In.String("indexDocument.suffix"); strings.Contains(s, "/") {
		return refuse("S3", "PutBucketWebsite", "InvalidArgument", "The IndexDocument Suffix is not well formed (%q has a slash)", s)
	}
	c.Out["websiteDomain"] = websiteDomain(c.Scope)
	c.Out["websiteEndpoint"] = c.In.String("bucket") + "." + websiteDomain(c.Scope)
	computed(c, "routingRuleDetails", "")
	return nil
}

var corsMethods = wordSet("GET PUT HEAD POST DELETE")

func checkCORS(c *cloud.Call) error {
	for _, r := range c.In.Objects("corsRules") {
		for _, m := range r.Strings("allowedMethods") {
			if !corsMethods[m] {
				return refuse("S3", "PutBucketCors", "InvalidRequest", "Found unsupported HTTP method in CORS config. Unsupported method is %s", m)
			}
		}
		for _, o := range r.Strings("allowedOrigins") {
			if strings.Count(o, "*") > 1 {
				return refuse("S3", "PutBucketCors", "InvalidRequest", "AllowedOrigin %q can not have more than one wildcard.", o)
			}
		}
	}
	return nil
}

func checkNotification(c *cloud.Call) error {
	source := "arn:aws:s3:::" + c.In.String("bucket")
	for i, t := range c.In.Objects("topics") {
		ref := t.String("topicArn")
		topic := c.World.Find(c.Scope, topicToken, ref)
		if topic == nil || !topicAllows(c.World, topic, "s3.amazonaws.com", map[string]string{"aws:SourceArn": source, "aws:SourceAccount": accountID}) {
			return refuse("S3", "PutBucketNotificationConfiguration", "InvalidArgument",
				"Unable to validate the following destination configurations (topic %s must exist in %s and its policy let s3.amazonaws.com publish)", ref, c.Scope)
		}
		if t.String("id") == "" {
			c.Out.Objects("topics")[i]["id"] = fmt.Sprintf("tf-s3-topic-%s", c.Gen.Pick(fmt.Sprint("topic", i), "0123456789", 26))
		}
	}
	for _, kind := range []string{"topics", "queues", "lambdaFunctions"} {
		for _, t := range c.In.Objects(kind) {
			for _, e := range t.Strings("events") {
				if !strings.HasPrefix(e, "s3:") {
					return refuse("S3", "PutBucketNotificationConfiguration", "InvalidArgument", "A specified event is not supported for notifications (%q)", e)
				}
			}
		}
	}
	return nil
}
