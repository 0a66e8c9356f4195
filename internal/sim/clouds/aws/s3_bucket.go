package aws

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const (
	bucketToken       = "aws:s3/bucketV2:BucketV2"
	legacyBucketToken = "aws:s3/bucket:Bucket"
	objectToken       = "aws:s3/bucketObjectv2:BucketObjectv2"
	legacyObjectToken = "aws:s3/bucketObject:BucketObject"
	ownershipToken    = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
	publicBlockToken  = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
	bucketPolicyToken = "aws:s3/bucketPolicy:BucketPolicy"
	versioningToken   = "aws:s3/bucketVersioningV2:BucketVersioningV2"
	lifecycleToken    = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
	corsToken         = "aws:s3/bucketCorsConfigurationV2:BucketCorsConfigurationV2"
)

func s3Types() []cloud.Type {
	return slices.Concat(
		[]cloud.Type{bucketType(bucketToken), bucketType(legacyBucketToken)},
		s3SettingTypes(),
		[]cloud.Type{bucketPolicyType(), lifecycleType(), replicationType(), objectType(objectToken), objectType(legacyObjectToken)},
	)
}

// websiteZones are the hosted zones of S3 website endpoints.
var websiteZones = map[string]string{
	"us-east-1": "Z3AQBSTGFYJSTF", "us-east-2": "Z2O1EMRO9K5GLX", "us-west-1": "Z2F56UZL2M1ACD", "us-west-2": "Z3BJ6K6RIION7M",
	"eu-west-1": "Z1BKCTXD74EZPE", "eu-west-2": "Z3GKZC51ZF0DB4", "eu-west-3": "Z3R1K369G5AVDG", "eu-central-1": "Z21DNDUVLTQW6Q",
	"eu-north-1": "Z3BAZG2TWCNX0D", "eu-south-1": "Z30OZKI7KPW7MI", "ap-south-1": "Z11RGJOFQNVJUP", "ap-southeast-1": "Z3O0J2DXBE1FTB",
	"ap-southeast-2": "Z1WCIGYICN2BYD", "ap-northeast-1": "Z2M4EHUR26P7ZW", "ap-northeast-2": "Z3W03O7B5YMIYP", "ap-northeast-3": "Z2YQB5RD63NC85",
	"ap-east-1": "ZNB98KWMFR0R6", "sa-east-1": "Z7KQH4QJS55SO", "ca-central-1": "Z1QDHH18159H29", "me-south-1": "Z1MPMWCPA7YB62", "af-south-1": "Z83WF9RJE8B12",
}

func websiteZone(region string) string {
	if z := websiteZones[region]; z != "" {
		return z
	}
	return "Z" + strings.ToUpper(fixed(13, "s3-website", region))
}

// websiteDomain is the domain of a region's website endpoints: the older regions write it with a dash.
func websiteDomain(region string) string {
	switch region {
	case "us-east-1", "us-west-1", "us-west-2", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "eu-west-1", "sa-east-1":
		return "s3-website-" + region + ".amazonaws.com"
	}
	return "s3-website." + region + ".amazonaws.com"
}

func bucketType(token string) cloud.Type {
	return cloud.Type{
		Token:  token,
		Check:  func(c *cloud.CheckCall) { checkJSON(c, "policy") },
		Create: createBucket,
		Delete: deleteBucket,
		Takes:  cloud.Durations{Create: seconds(3), Update: seconds(2), Delete: seconds(2)},
	}
}

var bucketForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*[a-z0-9]$`)

// bucketNameProblem tells what is wrong with a bucket's name, or "".
func bucketNameProblem(name string) string {
	switch _, ip := netip.ParseAddr(name); {
	case len(name) < 3 || len(name) > 63:
		return "name must be between 3 and 63 characters"
	case strings.ContainsRune(name, '_') || name != strings.ToLower(name):
		return "only lowercase alphanumeric characters, hyphens and dots allowed"
	case !bucketForm.MatchString(name):
		return "only lowercase alphanumeric characters, hyphens and dots allowed, with a letter or digit at both ends"
	case strings.Contains(name, ".."):
		return "name must not contain two adjacent periods"
	case ip == nil:
		return "name must not be formatted as an IP address"
	case strings.HasPrefix(name, "xn--"), strings.HasPrefix(name, "sthree-"), strings.HasPrefix(name, "amzn-s3-demo-"):
		return "name has a reserved prefix (xn--, sthree-, amzn-s3-demo-)"
	case strings.HasSuffix(name, "-s3alias"), strings.HasSuffix(name, "--ol-s3"), strings.HasSuffix(name, ".mrap"), strings.HasSuffix(name, "--x-s3"):
		return "name has a reserved suffix (-s3alias, --ol-s3, .mrap, --x-s3)"
	}
	return ""
}

// takenBuckets are names that other people of the real world have had for long.
var takenBuckets = wordSet(`test backup backups logs log assets static data files media images uploads production staging dev prod
	website www terraform pulumi my-bucket mybucket test-bucket example example-bucket bucket app public private`)

func createBucket(c *cloud.Call) error {
	name := c.In.String("bucket")
	if why := bucketNameProblem(name); why != "" {
		return refuse("S3", "CreateBucket", "InvalidBucketName", "The specified bucket is not valid. (validating S3 Bucket (%s) name: %s)", name, why)
	}
	if takenBuckets[name] {
		return refuseStatus(409, "S3", "CreateBucket", "BucketAlreadyExists",
			"The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again. (%s)", name)
	}
	if findBucket(c.World, name) != nil {
		return refuseStatus(409, "S3", "CreateBucket", "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it. (%s)", name)
	}
	c.ID = name
	c.Out["arn"] = "arn:aws:s3:::" + name
	c.Out["bucketDomainName"] = name + ".s3.amazonaws.com"
	c.Out["bucketRegionalDomainName"] = name + ".s3." + c.Scope + ".amazonaws.com"
	c.Out["hostedZoneId"], c.Out["region"] = websiteZone(c.Scope), c.Scope
	for _, k := range []string{"bucketPrefix", "accelerationStatus", "websiteDomain", "websiteEndpoint"} {
		c.Out[k] = c.In.String(k)
	}
	computed(c, "requestPayer", "BucketOwner")
	if c.Type == bucketToken {
		computed(c, "policy", "")
		computed(c, "acl", "")
		computed(c, "objectLockEnabled", false)
	}
	if c.In.Has("website") || c.In.Has("websites") {
		c.Out["websiteDomain"], c.Out["websiteEndpoint"] = websiteDomain(c.Scope), name+"."+websiteDomain(c.Scope)
	}
	return nil
}

// findBucket finds a bucket of AWS by name: names are unique across regions. Buckets that live in
// R2 are another world.
func findBucket(w *cloud.World, name string) *cloud.Resource {
	for _, t := range []string{bucketToken, legacyBucketToken} {
		for _, r := range w.All("", t) {
			if r.ID == name && !strings.HasPrefix(r.Scope, "r2:") {
				return r
			}
		}
	}
	return nil
}

// mustHaveBucket refuses a bucket that does not exist, or that another region's provider must change.
func mustHaveBucket(c *cloud.Call, op string) error {
	name := c.In.String("bucket")
	r := findBucket(c.World, strings.TrimPrefix(name, "arn:aws:s3:::"))
	switch {
	case r == nil:
		return refuseStatus(404, "S3", op, "NoSuchBucket", "The specified bucket does not exist (%s)", name)
	case r.Scope != c.Scope:
		return refuseStatus(301, "S3", op, "PermanentRedirect",
			"The bucket %s is in %s, and this provider works in %s: give the resource the provider of the bucket's region", name, r.Scope, c.Scope)
	}
	return nil
}

// fillBucket records that something writes into the bucket by itself, so that it will not be empty
// when it is to be deleted. Load balancers, distributions and other buckets log that way.
func fillBucket(c *cloud.Call, bucket, what string) {
	c.World.Put(&cloud.Resource{Type: remnant("s3-contents"), ID: bucket, Out: cloud.Object{"what": what}})
}

func deleteBucket(c *cloud.Call) error {
	full := ""
	if r := c.World.Find("", remnant("s3-contents"), c.ID); r != nil {
		full = r.Out.String("what")
	}
	for _, t := range []string{objectToken, legacyObjectToken} {
		for _, o := range c.All(t) {
			if o.Out.String("bucket") == c.ID {
				full = "object " + o.Out.String("key")
			}
		}
	}
	if full != "" && !c.Old.Bool("forceDestroy") {
		return refuseStatus(409, "S3", "DeleteBucket", "BucketNotEmpty",
			"The bucket you tried to delete is not empty (%s has %s; empty it, or set forceDestroy: true and update first)", c.ID, full)
	}
	c.World.Remove("", remnant("s3-contents"), c.ID)
	return nil
}

// setting returns the settings resource of a bucket, or nil.
func setting(w *cloud.World, token, bucket string) *cloud.Resource {
	for _, r := range w.All("", token) {
		if r.Out.String("bucket") == bucket && !strings.HasPrefix(r.Scope, "r2:") {
			return r
		}
	}
	return nil
}

// aclsEnabled tells whether the bucket takes ACLs: new buckets do not, since April 2023.
func aclsEnabled(w *cloud.World, bucket string) bool {
	r := setting(w, ownershipToken, bucket)
	return r != nil && r.Out.String("rule.objectOwnership") != "BucketOwnerEnforced"
}

// blocks tells whether the bucket's public access block has the flag. New buckets have all four.
func blocks(w *cloud.World, bucket, flag string) bool {
	r := setting(w, publicBlockToken, bucket)
	return r == nil || r.Out.Bool(flag)
}

// versioned tells whether the bucket keeps versions.
func versioned(w *cloud.World, bucket string) bool {
	if r := setting(w, versioningToken, bucket); r != nil {
		return r.Out.String("versioningConfiguration.status") == "Enabled"
	}
	b := findBucket(w, bucket)
	return b != nil && (b.Out.Bool("versioning.enabled") || b.Out.Bool("versionings.0.enabled") || b.Out.Bool("objectLockEnabled"))
}

// bucketAllows tells whether the bucket's policy lets a service, or an account, do the action on the resource.
func bucketAllows(w *cloud.World, bucket, kind, principal, action, resource string, context map[string]string) bool {
	var text any
	if r := setting(w, bucketPolicyToken, bucket); r != nil {
		text = r.Out.Get("policy")
	} else if b := findBucket(w, bucket); b != nil {
		text = b.In.Get("policy")
	}
	doc, err := parsePolicy(text)
	return err == nil && doc.allows(accessRequest{kind: kind, principal: principal, action: action, resource: resource, context: context})
}
