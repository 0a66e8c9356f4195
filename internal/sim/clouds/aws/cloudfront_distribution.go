package aws

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func distributionType() cloud.Type {
	return written(cloud.Type{
		Token:      distributionToken,
		Recomputed: map[string][]string{"*": {"etag", "lastModifiedTime"}},
		Takes:      cloud.Durations{Create: minutes(5), Update: minutes(4), Delete: minutes(8)},
	}, writeDistribution, func(c *cloud.Call) error {
		c.ID = "E" + c.Gen.Pick("id", upper, 13)
		c.Out["arn"] = arn("cloudfront", "", "distribution/"+c.ID)
		c.Out["domainName"] = "d" + c.Gen.Pick("domain", lower, 13) + ".cloudfront.net"
		c.Out["hostedZoneId"], c.Out["status"] = cloudFrontHostedZone, "Deployed"
		c.Out["callerReference"] = "terraform-" + c.Gen.Pick("reference", "0123456789", 26)
		c.Out["inProgressValidationBatches"] = 0.0
		disabled := []any{cloud.Object{"enabled": false, "items": []any{}}}
		c.Out["trustedSigners"], c.Out["trustedKeyGroups"] = disabled, disabled
		computed(c, "continuousDeploymentPolicyId", "")
		return nil
	})
}

func writeDistribution(c *cloud.Call) error {
	op := operation(c, "CreateDistributionWithTags", "UpdateDistribution")
	for _, check := range []func(*cloud.Call, string) error{checkOrigins, checkBehaviors, checkViewerCertificate, checkAliases, checkDelivery} {
		if err := check(c, op); err != nil {
			return err
		}
	}
	if b := c.In.String("loggingConfig.bucket"); b != "" {
		fillBucket(c, b[:strings.LastIndex(b, ".s3")], "access logs of distribution "+c.Name)
	}
	c.Out["etag"] = "E" + c.Gen.Pick("etag"+policyText(c.In), upper, 13)
	c.Out["lastModifiedTime"] = c.Gen.Time()
	return nil
}

// s3Origin is the form of a bucket's domain name (not of its website).
var s3Origin = regexp.MustCompile(`^([a-z0-9.-]+)\.s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com$|^([a-z0-9.-]+)\.s3\.amazonaws\.com$`)

func checkOrigins(c *cloud.Call, op string) error {
	ids := map[string]bool{}
	origins := c.In.Objects("origins")
	if len(origins) > 25 {
		return refuse("CloudFront", op, "TooManyOrigins", "A distribution has at most 25 origins, got %d", len(origins))
	}
	for _, o := range origins {
		id, domain := o.String("originId"), o.String("domainName")
		if ids[id] {
			return invalid(op, "The parameter Origin Id is invalid: two origins are called %s", id)
		}
		ids[id] = true
		if _, err := netip.ParseAddr(domain); err == nil || strings.ContainsAny(domain, "/:") || !strings.Contains(domain, ".") {
			return invalid(op, "The parameter origin name must be a domain name. (got %q: no scheme, port, path or address)", domain)
		}
		if p := o.String("originPath"); p != "" && (!strings.HasPrefix(p, "/") || strings.HasSuffix(p, "/")) {
			return invalid(op, "The parameter OriginPath is invalid: it begins with a slash and does not end with one, got %q", p)
		}
		bucket := s3Origin.MatchString(domain) && !strings.Contains(domain, "s3-website")
		if !bucket && !o.Has("customOriginConfig") && !o.Has("vpcOriginConfig") {
			return invalid(op, "The parameter Origin DomainName does not refer to a valid S3 bucket. (%s; other origins need customOriginConfig)", domain)
		}
		if bucket && findBucket(c.World, domain[:strings.LastIndex(domain, ".s3")]) == nil {
			c.Warn("origin %s: there is no bucket behind %s; CloudFront takes it, visitors get errors", id, domain)
		}
		if err := checkOriginAccess(c, op, o); err != nil {
			return err
		}
	}
	for _, g := range c.In.Objects("originGroups") {
		for _, m := range g.Objects("members") {
			if !ids[m.String("originId")] {
				return refuse("CloudFront", op, "NoSuchOrigin", "One or more of your origins or origin groups do not exist. (member %s of group %s)", m.String("originId"), g.String("originId"))
			}
		}
	}
	return nil
}

func checkOriginAccess(c *cloud.Call, op string, o cloud.Object) error {
	oac, oai := o.String("originAccessControlId"), o.String("s3OriginConfig.originAccessIdentity")
	switch {
	case oac != "" && oai != "":
		return refuse("CloudFront", op, "IllegalOriginAccessConfiguration", "An origin cannot contain both an origin access control (OAC) and an origin access identity (OAI). (origin %s)", o.String("originId"))
	case oai != "" && anywhere(c.World, oaiToken, strings.TrimPrefix(oai, "origin-access-identity/cloudfront/")) == nil:
		return refuse("CloudFront", op, "InvalidOriginAccessIdentity", "The specified origin access identity does not exist or is not valid. (%s)", oai)
	case oac == "":
		return nil
	}
	r := anywhere(c.World, oacToken, oac)
	if r == nil {
		return refuseStatus(404, "CloudFront", op, "NoSuchOriginAccessControl", "The specified origin access control does not exist. (%s)", oac)
	}
	if kind := r.Out.String("originAccessControlOriginType"); kind == "s3" && (!s3Origin.MatchString(o.String("domainName")) || o.Has("customOriginConfig")) {
		return refuse("CloudFront", op, "InvalidOriginAccessControl", "Illegal configuration: The origin type and OAC origin type differ. (origin %s, %s)", o.String("originId"), kind)
	}
	return nil
}

var edgeMethods = [][]string{{"GET", "HEAD"}, {"GET", "HEAD", "OPTIONS"}, {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}}

func checkBehaviors(c *cloud.Call, op string) error {
	targets := map[string]bool{}
	for _, o := range slices.Concat(c.In.Objects("origins"), c.In.Objects("originGroups")) {
		targets[o.String("originId")] = true
	}
	ordered := c.In.Objects("orderedCacheBehaviors")
	if len(ordered) > 24 {
		return refuse("CloudFront", op, "TooManyCacheBehaviors", "A distribution has at most 25 cache behaviors with the default one, got %d", len(ordered)+1)
	}
	paths := map[string]bool{}
	for _, b := range ordered {
		if p := b.String("pathPattern"); paths[p] {
			return invalid(op, "The parameter PathPattern contains duplicate %s", p)
		} else {
			paths[p] = true
		}
	}
	for _, b := range append([]cloud.Object{c.In.Object("defaultCacheBehavior")}, ordered...) {
		if !targets[b.String("targetOriginId")] {
			return refuseStatus(404, "CloudFront", op, "NoSuchOrigin", "One or more of your origins or origin groups do not exist. (a cache behavior targets %s)", b.String("targetOriginId"))
		}
		if err := checkBehavior(c, op, b); err != nil {
			return err
		}
	}
	return nil
}

func checkBehavior(c *cloud.Call, op string, b cloud.Object) error {
	allowed, cached := slices.Sorted(slices.Values(b.Strings("allowedMethods"))), slices.Sorted(slices.Values(b.Strings("cachedMethods")))
	in := func(list []string, sets [][]string) bool {
		return slices.ContainsFunc(sets, func(s []string) bool { return slices.Equal(s, list) })
	}
	cache := b.String("cachePolicyId")
	switch {
	case !in(allowed, edgeMethods):
		return invalid(op, "The parameter AllowedMethods is invalid: GET, HEAD; or GET, HEAD, OPTIONS; or all seven, got %s", strings.Join(allowed, ", "))
	case !in(cached, edgeMethods[:2]):
		return invalid(op, "The parameter CachedMethods is invalid: GET, HEAD; or GET, HEAD, OPTIONS, got %s", strings.Join(cached, ", "))
	case slices.ContainsFunc(cached, func(m string) bool { return !slices.Contains(allowed, m) }):
		return invalid(op, "The parameter CachedMethods must be a subset of AllowedMethods.")
	case cache != "" && b.Has("forwardedValues"):
		return invalid(op, "The parameter ForwardedValues cannot be used when a cache policy is associated to the cache behavior.")
	case cache == "" && !b.Has("forwardedValues"):
		return invalid(op, "The parameter ForwardedValues is required. (or set cachePolicyId)")
	case cache != "" && (b.Int("minTtl") > 0 || b.Int("maxTtl") > 0 || b.Int("defaultTtl") > 0):
		return invalid(op, "The parameter MinTTL cannot be used when a cache policy is associated to the cache behavior.")
	case cache == "" && b.Has("maxTtl") && (b.Int("minTtl") > b.Int("defaultTtl") || b.Int("defaultTtl") > b.Int("maxTtl")):
		return refuse("CloudFront", op, "InvalidTTLOrder", "The order of the TTLs must be min <= default <= max.")
	}
	for _, ref := range []struct{ property, token, code string }{
		{"cachePolicyId", cachePolicyToken, "NoSuchCachePolicy"},
		{"originRequestPolicyId", originPolicyToken, "NoSuchOriginRequestPolicy"},
		{"responseHeadersPolicyId", headersPolicyToken, "NoSuchResponseHeadersPolicy"},
	} {
		if id := b.String(ref.property); id != "" && !behaviorPolicyExists(c.World, ref.token, id) {
			return refuseStatus(404, "CloudFront", op, ref.code, "The policy does not exist. (%s %s)", ref.property, id)
		}
	}
	return checkAssociations(c, op, b)
}

func checkAssociations(c *cloud.Call, op string, b cloud.Object) error {
	events := map[string]bool{}
	for _, f := range b.Objects("functionAssociations") {
		event, ref := f.String("eventType"), f.String("functionArn")
		if !strings.HasPrefix(event, "viewer-") {
			return refuse("CloudFront", op, "InvalidFunctionAssociation", "A function runs on viewer-request or viewer-response, not on %s", event)
		}
		if events[event] {
			return refuse("CloudFront", op, "InvalidFunctionAssociation", "Two functions are associated with %s", event)
		}
		events[event] = true
		r := anywhere(c.World, edgeFunctionToken, ref)
		if r == nil || r.Out.String("liveStageEtag") == "" {
			return refuse("CloudFront", op, "InvalidFunctionAssociation", "The function %s does not exist or is not published", ref)
		}
	}
	for _, l := range b.Objects("lambdaFunctionAssociations") {
		ref := l.String("lambdaArn")
		if arnPart(ref, 3) != "us-east-1" {
			return refuse("CloudFront", op, "InvalidLambdaFunctionAssociation", "The function must be in region us-east-1. ARN: %s", ref)
		}
		if strings.HasSuffix(ref, "$LATEST") || strings.Count(ref, ":") < 7 {
			return refuse("CloudFront", op, "InvalidLambdaFunctionAssociation", "The function ARN must reference a specific function version. ARN: %s", ref)
		}
		if events[l.String("eventType")] {
			return refuse("CloudFront", op, "InvalidLambdaFunctionAssociation", "Two functions are associated with %s", l.String("eventType"))
		}
	}
	return nil
}

func checkViewerCertificate(c *cloud.Call, op string) error {
	v := c.In.Object("viewerCertificate")
	cert := v.String("acmCertificateArn")
	bad := func(format string, args ...any) error {
		return refuse("CloudFront", op, "InvalidViewerCertificate", format, args...)
	}
	switch n := boolCount(cert != "", v.Bool("cloudfrontDefaultCertificate"), v.String("iamCertificateId") != ""); {
	case n != 1:
		return bad("Exactly one of acmCertificateArn, cloudfrontDefaultCertificate and iamCertificateId must be set, got %d", n)
	case v.Bool("cloudfrontDefaultCertificate"):
		if len(c.In.Strings("aliases")) > 0 {
			return bad("To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a trusted certificate that validates your authorization to use the domain name.")
		}
		return nil
	case v.String("sslSupportMethod") == "":
		return invalid(op, "The parameter SSLSupportMethod is required with a certificate of your own.")
	case v.String("sslSupportMethod") == "sni-only" && v.String("minimumProtocolVersion") == "SSLv3":
		return refuse("CloudFront", op, "InvalidProtocolSettings", "SSLv3 cannot be used with sni-only")
	case cert == "":
		return nil
	}
	if region := arnPart(cert, 3); region != "us-east-1" {
		return bad("The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't include a valid certificate chain. (%s is in %q)", cert, region)
	}
	r := anywhere(c.World, certificateToken, cert)
	if r == nil || !issued(c.World, r) {
		return bad("The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't include a valid certificate chain. (%s is not issued: refer to the certificateArn of its CertificateValidation)", cert)
	}
	for _, a := range c.In.Strings("aliases") {
		if !covers(r, a) {
			return bad("The certificate that is attached to your distribution doesn't cover the alternate domain name (CNAME) that you're trying to add. (%s)", a)
		}
	}
	return nil
}

var aliasDomain = regexp.MustCompile(`^(\*\.)?([a-z0-9_]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]{2,}$`)

func checkAliases(c *cloud.Call, op string) error {
	list := c.In.Strings("aliases")
	if len(list) > 100 {
		return refuse("CloudFront", op, "TooManyDistributionCNAMEs", "Your request contains more CNAMEs than are allowed per distribution. (%d)", len(list))
	}
	for _, a := range list {
		if !aliasDomain.MatchString(a) {
			return invalid(op, "The parameter CNAME contains one or more parameters that are not valid. (%s)", a)
		}
		for _, d := range c.Everywhere(distributionToken) {
			if slices.Contains(d.Out.Strings("aliases"), a) {
				return refuseStatus(409, "CloudFront", op, "CNAMEAlreadyExists", "One or more of the CNAMEs you provided are already associated with a different resource. (%s, distribution %s)", a, d.ID)
			}
		}
	}
	return nil
}

var countryCode = regexp.MustCompile(`^[A-Z]{2}$`)

func checkDelivery(c *cloud.Call, op string) error {
	if root := c.In.String("defaultRootObject"); strings.HasPrefix(root, "/") {
		return refuse("CloudFront", op, "InvalidDefaultRootObject", "The default root object file name is too big or contains an invalid character. (%q: no leading slash)", root)
	}
	geo := c.In.Object("restrictions.geoRestriction")
	locations := geo.Strings("locations")
	if none := geo.String("restrictionType") == "none"; none != (len(locations) == 0) {
		return refuse("CloudFront", op, "InvalidGeoRestrictionParameter", "The geo restriction %s and its %d locations do not go together", geo.String("restrictionType"), len(locations))
	}
	for _, l := range locations {
		if !countryCode.MatchString(l) {
			return refuse("CloudFront", op, "InvalidGeoRestrictionParameter", "The location %q is no ISO 3166-1 alpha-2 country code", l)
		}
	}
	for _, e := range c.In.Objects("customErrorResponses") {
		code := e.Int("errorCode")
		if !slices.Contains([]int{400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504}, code) {
			return refuse("CloudFront", op, "InvalidErrorCode", "An error code that you specified is not valid: %d", code)
		}
		page := e.String("responsePagePath")
		if (page == "") != (e.Int("responseCode") == 0) || page != "" && !strings.HasPrefix(page, "/") {
			return refuse("CloudFront", op, "InvalidResponseCode", "responseCode and responsePagePath (which begins with a slash) go together, for error code %d", code)
		}
	}
	if acl := c.In.String("webAclId"); strings.HasPrefix(acl, "arn:") {
		r := anywhere(c.World, webACLToken, acl)
		if r == nil || r.Out.String("scope") != "CLOUDFRONT" {
			return refuse("CloudFront", op, "InvalidWebACLId", "Web ACL is not accessible by the requester. (%s: a web ACL of scope CLOUDFRONT, made in us-east-1)", acl)
		}
	}
	return checkCloudFrontLogs(c, op)
}

func checkCloudFrontLogs(c *cloud.Call, op string) error {
	domain := c.In.String("loggingConfig.bucket")
	if domain == "" {
		return nil
	}
	if !s3Origin.MatchString(domain) {
		return invalid(op, "The parameter Logging Bucket does not refer to a valid S3 bucket. (%s: give the bucket's domain name, such as b.s3.amazonaws.com)", domain)
	}
	name := domain[:strings.LastIndex(domain, ".s3")]
	if findBucket(c.World, name) == nil {
		return invalid(op, "The parameter Logging Bucket does not refer to a valid S3 bucket. (%s)", domain)
	}
	if !aclsEnabled(c.World, name) {
		return invalid(op, "The S3 bucket that you specified for CloudFront logs does not enable ACL access: %s (set its object ownership to BucketOwnerPreferred first)", domain)
	}
	return nil
}
