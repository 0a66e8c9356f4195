package aws

import (
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

const (
	bucketACLToken     = "aws:s3/bucketAclV2:BucketAclV2"
	bucketLoggingToken = "aws:s3/bucketLoggingV2:BucketLoggingV2"
	encryptionToken    = "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"
	notificationToken  = "aws:s3/bucketNotification:BucketNotification"
	websiteToken       = "aws:s3/bucketWebsiteConfigurationV2:BucketWebsiteConfigurationV2"
)

func onSite(good, mistake props) func(*simtest.Sim) (props, props) {
	return func(s *simtest.Sim) (props, props) {
		aBucket(s, "morphee-site")
		return with(props{"bucket": "morphee-site"}, good), mistake
	}
}

func bucketStatement(principal, action, resource string) string {
	return allow(`{"Sid":"A","Effect":"Allow","Principal":` + principal + `,"Action":"` + action + `","Resource":"` + resource + `"}`)
}

func rules(list ...props) props {
	out := []any{}
	for i, r := range list {
		out = append(out, with(props{"id": "rule" + string(rune('a'+i)), "status": "Enabled", "filter": props{"prefix": ""}}, r))
	}
	return props{"rules": out}
}

func TestBucketRefusals(t *testing.T) {
	cloudFront := `{"Service":"cloudfront.amazonaws.com"}`
	goodPolicy := props{"policy": bucketStatement(cloudFront, "s3:GetObject", "arn:aws:s3:::morphee-site/*")}
	encrypt := func(algorithm, key string) props {
		d := props{"sseAlgorithm": algorithm}
		if key != "" {
			d["kmsMasterKeyId"] = key
		}
		return props{"rules": []any{props{"applyServerSideEncryptionByDefault": d}}}
	}
	expire := rules(props{"expiration": props{"days": 400}})
	runRefusals(t, []refusal{
		{"bucket name in capitals", bucketToken, "InvalidBucketName", fixedInputs(props{"bucket": "morphee-data"}, props{"bucket": "Morphee-Data"})},
		{"bucket name like an address", bucketToken, "InvalidBucketName", fixedInputs(props{"bucket": "morphee-data"}, props{"bucket": "192.168.5.4"})},
		{"bucket name too short", bucketToken, "InvalidBucketName", fixedInputs(props{"bucket": "abc"}, props{"bucket": "ab"})},
		{"reserved bucket suffix", bucketToken, "InvalidBucketName", fixedInputs(props{"bucket": "morphee-alias"}, props{"bucket": "morphee-s3alias"})},
		{"bucket that somebody has", bucketToken, "BucketAlreadyExists", fixedInputs(props{"bucket": "morphee-backups"}, props{"bucket": "backups"})},
		{"own bucket in another region", bucketToken, "BucketAlreadyOwnedByYou", func(s *simtest.Sim) (props, props) {
			aBucket(s.With("aws", props{"region": "us-east-1"}), "morphee-twice")
			return props{"bucket": "morphee-once"}, props{"bucket": "morphee-twice"}
		}},
		{"setting of no bucket", versioningToken, "NoSuchBucket", onSite(props{"versioningConfiguration": props{"status": "Enabled"}}, props{"bucket": "morphee-other"})},
		{"unknown versioning status", versioningToken, "expected versioningConfiguration.status", onSite(props{"versioningConfiguration": props{"status": "Enabled"}}, props{"versioningConfiguration": props{"status": "On"}})},
		{"setting through another region's provider", versioningToken, "PermanentRedirect", func(s *simtest.Sim) (props, props) {
			aBucket(s.With("aws", props{"region": "us-east-1"}), "morphee-far")
			aBucket(s, "morphee-near")
			return props{"bucket": "morphee-near", "versioningConfiguration": props{"status": "Enabled"}}, props{"bucket": "morphee-far"}
		}},
		{"second resource for one setting", ownershipToken, "SettingConflict", func(s *simtest.Sim) (props, props) {
			aBucket(s, "morphee-a")
			aBucket(s, "morphee-b")
			good := props{"bucket": "morphee-a", "rule": props{"objectOwnership": "BucketOwnerEnforced"}}
			s.Must(ownershipToken, "first", with(good, props{"bucket": "morphee-b"}))
			return good, props{"bucket": "morphee-b"}
		}},
		{"customer key with S3's algorithm", encryptionToken, "InvalidArgument", func(s *simtest.Sim) (props, props) {
			aBucket(s, "morphee-site")
			k := s.Must(keyToken, "key", props{}).Out.String("arn")
			return with(props{"bucket": "morphee-site"}, encrypt("aws:kms", k)), encrypt("AES256", k)
		}},
		{"key of another region", encryptionToken, "KMS.NotFoundException", func(s *simtest.Sim) (props, props) {
			aBucket(s, "morphee-site")
			far := s.With("aws", props{"region": "us-east-1"}).Must(keyToken, "far", props{})
			return with(props{"bucket": "morphee-site"}, encrypt("aws:kms", s.Must(keyToken, "key", props{}).Out.String("arn"))), encrypt("aws:kms", far.Out.String("arn"))
		}},
		{"ACL without ownership controls", bucketACLToken, "AccessControlListNotSupported", func(s *simtest.Sim) (props, props) {
			aBucket(s, "morphee-old")
			aBucket(s, "morphee-new")
			s.Must(ownershipToken, "own", props{"bucket": "morphee-old", "rule": props{"objectOwnership": "BucketOwnerPreferred"}})
			return props{"bucket": "morphee-old", "acl": "log-delivery-write"}, props{"bucket": "morphee-new"}
		}},
		{"public ACL under the public access block", bucketACLToken, "BlockPublicAcls", func(s *simtest.Sim) (props, props) {
			aBucket(s, "morphee-old")
			s.Must(ownershipToken, "own", props{"bucket": "morphee-old", "rule": props{"objectOwnership": "ObjectWriter"}})
			return props{"bucket": "morphee-old", "acl": "private"}, props{"acl": "public-read"}
		}},
		{"logging into no bucket", bucketLoggingToken, "InvalidTargetBucketForLogging", func(s *simtest.Sim) (props, props) {
			aBucket(s, "morphee-site")
			aBucket(s, "morphee-logs")
			return props{"bucket": "morphee-site", "targetBucket": "morphee-logs", "targetPrefix": "s3/"}, props{"targetBucket": "morphee-log"}
		}},
		{"logging into another region", bucketLoggingToken, "CrossLocationLoggingProhibitted", func(s *simtest.Sim) (props, props) {
			aBucket(s, "morphee-site")
			aBucket(s, "morphee-logs")
			aBucket(s.With("aws", props{"region": "us-east-1"}), "morphee-far-logs")
			return props{"bucket": "morphee-site", "targetBucket": "morphee-logs", "targetPrefix": "s3/"}, props{"targetBucket": "morphee-far-logs"}
		}},
		{"website without index", websiteToken, "IndexDocument", onSite(props{"indexDocument": props{"suffix": "index.html"}}, props{"indexDocument": nil})},
		{"unknown method in CORS", corsToken, "unsupported HTTP method", onSite(props{"corsRules": []any{props{"allowedMethods": []string{"GET"}, "allowedOrigins": []string{"*"}}}},
			props{"corsRules": []any{props{"allowedMethods": []string{"OPTIONS"}, "allowedOrigins": []string{"*"}}}})},
		{"policy for another bucket", bucketPolicyToken, "invalid resource", onSite(goodPolicy, props{"policy": bucketStatement(cloudFront, "s3:GetObject", "arn:aws:s3:::morphee-sight/*")})},
		{"policy without principal", bucketPolicyToken, "Missing required field Principal", onSite(goodPolicy, props{"policy": allow(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::morphee-site/*"}`)})},
		{"object action on the bucket", bucketPolicyToken, "Action does not apply", onSite(goodPolicy, props{"policy": bucketStatement(cloudFront, "s3:GetObject", "arn:aws:s3:::morphee-site")})},
		{"bucket action on objects", bucketPolicyToken, "Action does not apply", onSite(goodPolicy, props{"policy": bucketStatement(cloudFront, "s3:ListBucket", "arn:aws:s3:::morphee-site/*")})},
		{"policy for a role that does not exist", bucketPolicyToken, "Invalid principal", onSite(goodPolicy, props{"policy": bucketStatement(`{"AWS":"arn:aws:iam::123456789012:role/gone"}`, "s3:GetObject", "arn:aws:s3:::morphee-site/*")})},
		{"public policy under the public access block", bucketPolicyToken, "BlockPublicPolicy", onSite(goodPolicy, props{"policy": bucketStatement(`"*"`, "s3:GetObject", "arn:aws:s3:::morphee-site/*")})},
		{"infrequent access before 30 days", lifecycleToken, "greater than or equal to 30", onSite(rules(props{"transitions": []any{props{"days": 30, "storageClass": "STANDARD_IA"}}}), rules(props{"transitions": []any{props{"days": 7, "storageClass": "STANDARD_IA"}}}))},
		{"archive too soon after infrequent access", lifecycleToken, "30 days more", onSite(
			rules(props{"transitions": []any{props{"days": 30, "storageClass": "STANDARD_IA"}, props{"days": 90, "storageClass": "GLACIER"}}}),
			rules(props{"transitions": []any{props{"days": 30, "storageClass": "STANDARD_IA"}, props{"days": 40, "storageClass": "GLACIER"}}}))},
		{"expiry before transition", lifecycleToken, "must be greater than 'Days'", onSite(rules(props{"transitions": []any{props{"days": 60, "storageClass": "GLACIER"}}, "expiration": props{"days": 90}}),
			rules(props{"transitions": []any{props{"days": 60, "storageClass": "GLACIER"}}, "expiration": props{"days": 60}}))},
		{"rule that does nothing", lifecycleToken, "At least one action", onSite(expire, rules(props{}))},
		{"rule id twice", lifecycleToken, "Rule ID must be unique", onSite(expire, rules(props{"id": "x", "expiration": props{"days": 1}}, props{"id": "x", "expiration": props{"days": 2}}))},
		{"two criteria in a filter", lifecycleToken, "MalformedXML", onSite(expire, rules(props{"expiration": props{"days": 1}, "filter": props{"prefix": "a/", "objectSizeGreaterThan": 10}}))},
		{"incomplete uploads by tag", lifecycleToken, "cannot be specified with Tags", onSite(expire, rules(props{"abortIncompleteMultipartUpload": props{"daysAfterInitiation": 7}, "filter": props{"tag": props{"key": "a", "value": "b"}}}))},
		{"object in no bucket", objectToken, "NoSuchBucket", onSite(props{"key": "index.html", "content": "hi"}, props{"bucket": "morphee-other"})},
		{"object ACL on a bucket without ACLs", objectToken, "AccessControlListNotSupported", onSite(props{"key": "index.html", "content": "hi"}, props{"acl": "public-read"})},
		{"notification that the topic does not allow", notificationToken, "Unable to validate the following destination", func(s *simtest.Sim) (props, props) {
			aBucket(s, "morphee-site")
			open, shut := s.Must(topicToken, "open", props{}).ID, s.Must(topicToken, "shut", props{}).ID
			s.Must(topicPolicyToken, "open", props{"arn": open, "policy": allow(`{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sns:Publish","Resource":"` + open + `"}`)})
			to := func(topic string) props {
				return props{"topics": []any{props{"topicArn": topic, "events": []string{"s3:ObjectCreated:*"}}}}
			}
			return with(props{"bucket": "morphee-site"}, to(open)), to(shut)
		}},
		{"replication without versions", replicationToken, "Versioning must be 'Enabled'", func(s *simtest.Sim) (props, props) {
			aRole(s, "replicate", "s3.amazonaws.com")
			for _, b := range []string{"morphee-from", "morphee-to"} {
				aBucket(s, b)
				s.Must(versioningToken, b, props{"bucket": b, "versioningConfiguration": props{"status": "Enabled"}})
			}
			aBucket(s, "morphee-plain")
			return props{"bucket": "morphee-from", "role": "arn:aws:iam::123456789012:role/replicate",
				"rules": []any{props{"id": "all", "status": "Enabled", "destination": props{"bucket": "arn:aws:s3:::morphee-to"}}}}, props{"bucket": "morphee-plain"}
		}},
	})
}

func TestBucketKeepsItsContents(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	b := aBucket(s, "morphee-data")
	object := s.Must(objectToken, "object", props{"bucket": "morphee-data", "key": "a/b.txt", "content": "x"})
	if err := s.Delete(b); err == nil || !strings.Contains(err.Error(), "BucketNotEmpty") {
		t.Fatalf("deleting a bucket with an object: %v", err)
	}
	if err := s.Delete(object); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(b); err != nil {
		t.Fatalf("deleting the emptied bucket: %v", err)
	}

	logs, site := aBucket(s, "morphee-logs"), aBucket(s, "morphee-site")
	logging := s.Must(bucketLoggingToken, "logging", props{"bucket": "morphee-site", "targetBucket": "morphee-logs", "targetPrefix": "s3/"})
	for _, r := range []*cloud.Resource{logging, site} {
		if err := s.Delete(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Delete(logs); err == nil || !strings.Contains(err.Error(), "access logs of bucket morphee-site") {
		t.Fatalf("deleting a bucket that has logs: %v", err)
	}
	logs, err := s.Update(logs, props{"bucket": "morphee-logs", "forceDestroy": true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(logs); err != nil {
		t.Fatalf("deleting with forceDestroy: %v", err)
	}
	aBucket(s, "morphee-logs") // nothing of the old one's contents is left
}

func TestBucketOutputs(t *testing.T) {
	s := edgeSim(t, "eu-central-1")
	b := aBucket(s, "morphee-site")
	for property, want := range map[string]string{
		"arn": "arn:aws:s3:::morphee-site", "bucketDomainName": "morphee-site.s3.amazonaws.com", "region": "eu-central-1",
		"bucketRegionalDomainName": "morphee-site.s3.eu-central-1.amazonaws.com", "hostedZoneId": "Z21DNDUVLTQW6Q",
	} {
		if got := b.Out.String(property); got != want {
			t.Errorf("%s is %q, want %q", property, got, want)
		}
	}
	auto := s.Must(bucketToken, "auto", props{})
	if !strings.HasPrefix(auto.ID, "auto-") || bucketNameProblem(auto.ID) != "" {
		t.Errorf("automatic name %q", auto.ID)
	}
	if v := s.Must(objectToken, "o", props{"bucket": "morphee-site", "key": "k", "content": "x"}); v.Out.String("versionId") != "" {
		t.Errorf("an object of an unversioned bucket has version %q", v.Out.String("versionId"))
	}
	s.Must(versioningToken, "v", props{"bucket": "morphee-site", "versioningConfiguration": props{"status": "Enabled"}})
	if v := s.Must(objectToken, "o2", props{"bucket": "morphee-site", "key": "k2", "content": "x"}); len(v.Out.String("versionId")) != 32 || v.Out.String("etag") != "9dd4e461268c8034f5c8564e155c67a6" {
		t.Errorf("version %q, etag %q", v.Out.String("versionId"), v.Out.String("etag"))
	}
}

func TestVersioningIsNeverSwitchedBackOff(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	aBucket(s, "morphee-data")
	v := s.Must(versioningToken, "v", props{"bucket": "morphee-data", "versioningConfiguration": props{"status": "Enabled"}})
	if _, err := s.Update(v, props{"bucket": "morphee-data", "versioningConfiguration": props{"status": "Disabled"}}); err == nil {
		t.Error("versioning went from Enabled to Disabled")
	}
	if _, err := s.Update(v, props{"bucket": "morphee-data", "versioningConfiguration": props{"status": "Suspended"}}); err != nil {
		t.Error(err)
	}
}

func TestR2(t *testing.T) {
	account := strings.Repeat("ab", 16)
	s := simtest.New(t, Package(), dnsPackage()).With("aws", props{"region": "us-east-1", "skipRegionValidation": true,
		"endpoints": []any{props{"s3": "https://" + account + ".r2.cloudflarestorage.com"}}})
	s.Must(r2BucketToken, "backups", props{"accountId": account, "name": "morphee-backups"})
	good := with(rules(props{"expiration": props{"days": 30}, "filter": props{"prefix": "postgres/"}}), props{"bucket": "morphee-backups"})
	s.Refuses(lifecycleToken, "lost", with(good, props{"bucket": "morphee-elsewhere"}), "NoSuchBucket")
	s.Refuses(lifecycleToken, "versions", with(good, rules(props{"noncurrentVersionExpiration": props{"noncurrentDays": 3}})), "NotImplemented")
	s.Refuses(lifecycleToken, "glacier", with(good, rules(props{"transitions": []any{props{"days": 30, "storageClass": "GLACIER"}}})), "NotImplemented")
	s.Refuses(versioningToken, "v", props{"bucket": "morphee-backups", "versioningConfiguration": props{"status": "Enabled"}}, "NotImplemented")
	s.Refuses(bucketPolicyToken, "p", props{"bucket": "morphee-backups", "policy": bucketStatement(`"*"`, "s3:GetObject", "arn:aws:s3:::morphee-backups/*")}, "NotImplemented")
	s.Refuses(bucketACLToken, "a", props{"bucket": "morphee-backups", "acl": "private"}, "NotImplemented")
	l := s.Must(lifecycleToken, "lifecycle", good)
	if l.Scope != "r2:"+account || l.ID != "morphee-backups" {
		t.Errorf("scope %q, id %q", l.Scope, l.ID)
	}
	if _, err := s.Update(l, with(good, rules(props{"expiration": props{"days": 60}}))); err != nil {
		t.Error(err)
	}
	s.Must(objectToken, "o", props{"bucket": "morphee-backups", "key": "marker", "content": "x"})

	// The same name is free in AWS: another account's R2 has nothing to do with it.
	aBucket(s.With("aws", props{"region": "eu-west-1"}), "morphee-backups")
}
