package aws

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const (
	distributionToken    = "aws:cloudfront/distribution:Distribution"
	oacToken             = "aws:cloudfront/originAccessControl:OriginAccessControl"
	oaiToken             = "aws:cloudfront/originAccessIdentity:OriginAccessIdentity"
	cachePolicyToken     = "aws:cloudfront/cachePolicy:CachePolicy"
	originPolicyToken    = "aws:cloudfront/originRequestPolicy:OriginRequestPolicy"
	headersPolicyToken   = "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy"
	edgeFunctionToken    = "aws:cloudfront/function:Function"
	cloudFrontHostedZone = "Z2FDTNDATAQYW2"
)

func cloudFrontTypes() []cloud.Type {
	return []cloud.Type{distributionType(), oacType(), oaiType(), edgeFunctionType(),
		behaviorPolicyType(cachePolicyToken, "CachePolicy", "cache-policy", "cachePolicyId", checkCachePolicy),
		behaviorPolicyType(originPolicyToken, "OriginRequestPolicy", "origin-request-policy", "originRequestPolicyId", checkOriginPolicy),
		behaviorPolicyType(headersPolicyToken, "ResponseHeadersPolicy", "response-headers-policy", "responseHeadersPolicyId", checkHeadersPolicy),
	}
}

// The policies that AWS keeps for everyone, by name.
var (
	managedCachePolicies = map[string]string{
		"Managed-CachingOptimized": "658327ea-f89d-4fab-a63d-7e88639e58f6", "Managed-CachingDisabled": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
		"Managed-CachingOptimizedForUncompressedObjects": "b2884449-e4de-46a7-ac36-70bc7f1ddd6d", "Managed-Elemental-MediaPackage": "08627262-05a9-4f76-9ded-b50ca2e3a84f",
		"Managed-Amplify": "2e54312d-136d-493c-8eb9-b001f22f67d2", "UseOriginCacheControlHeaders": "83da9c7e-98b4-4e11-a168-04f0df8e2c65",
		"UseOriginCacheControlHeaders-QueryStrings": "4cc15a8a-d715-48a4-82b8-cc0b614638fe",
	}
	managedOriginPolicies = map[string]string{
		"Managed-AllViewer": "216adef6-5c7f-47e4-b989-5492eafa07d3", "Managed-AllViewerExceptHostHeader": "b689b0a8-53d0-40ab-baf2-68738e2966ac",
		"Managed-AllViewerAndCloudFrontHeaders-2022-06": "33f36d7e-f396-46d9-90e0-52428a34d9dc", "Managed-CORS-CustomOrigin": "59781a5b-3903-41f3-afcb-af62929ccde1",
		"Managed-CORS-S3Origin": "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf", "Managed-UserAgentRefererHeaders": "acba4595-bd28-49b8-b9fe-13317c0390fa",
		"Managed-Elemental-MediaTailor-PersonalizedManifests": "775133bc-15f2-49f9-abea-afb2e0bf67d2", "Managed-HostHeaderOnly": "bf0718e1-ba1e-49d1-88b1-f726733018ae",
	}
	managedHeadersPolicies = map[string]string{
		"Managed-SimpleCORS": "60669652-455b-4ae9-85a4-c4c02393f86c", "Managed-CORS-With-Preflight": "5cc3b908-e619-4b99-88e5-2cf7f45965bd",
		"Managed-SecurityHeadersPolicy": "67f7725c-6f97-4210-82d7-5512b31e9d03", "Managed-CORS-and-SecurityHeadersPolicy": "e61eb60c-9c35-4d20-a928-2b84e02af89c",
		"Managed-CORS-with-preflight-and-SecurityHeadersPolicy": "eaab4381-ed33-4a86-88ca-d9558dc6cd63",
	}
	managedPolicies = map[string]map[string]string{cachePolicyToken: managedCachePolicies, originPolicyToken: managedOriginPolicies, headersPolicyToken: managedHeadersPolicies}
)

// behaviorPolicyExists tells whether the id is AWS's or ours.
func behaviorPolicyExists(w *cloud.World, token, id string) bool {
	for _, managed := range managedPolicies[token] {
		if managed == id {
			return true
		}
	}
	return anywhere(w, token, id) != nil
}

// behaviorPolicyType is one of the three kinds of policy that a cache behavior refers to.
func behaviorPolicyType(token, kind, resource, property string, rule func(c *cloud.Call) error) cloud.Type {
	inUse := func(self, by *cloud.Resource) error {
		return refuseStatus(409, "CloudFront", "Delete"+kind, kind+"InUse", "The %s %s is attached to distribution %s: detach it first", kind, self.ID, by.ID)
	}
	return written(cloud.Type{
		Token: token,
		InUse: []cloud.Ref{
			{Type: distributionToken, Path: "defaultCacheBehavior." + property, Error: inUse},
			{Type: distributionToken, Path: "orderedCacheBehaviors.*." + property, Error: inUse},
		},
		Recomputed: map[string][]string{"*": {"etag"}},
		Takes:      cloud.Durations{Create: seconds(2), Update: seconds(2), Delete: seconds(2)},
	}, func(c *cloud.Call) error {
		name := c.In.String("name")
		for _, r := range c.Everywhere(token) {
			if r.Out.String("name") == name {
				return refuseStatus(409, "CloudFront", operation(c, "Create", "Update")+kind, kind+"AlreadyExists", "A %s with name %s already exists.", kind, name)
			}
		}
		if managedPolicies[token][name] != "" {
			return refuseStatus(409, "CloudFront", "Create"+kind, kind+"AlreadyExists", "%s is the name of a policy that AWS manages", name)
		}
		c.Out["etag"] = "E" + c.Gen.Pick(fmt.Sprint("etag", len(policyText(cloud.Plain(map[string]any(c.In))))), upper, 13)
		return rule(c)
	}, func(c *cloud.Call) error {
		c.ID = c.Gen.UUID("policy")
		c.Out["arn"] = arn("cloudfront", "", resource+"/"+c.ID)
		return nil
	})
}

// invalid is CloudFront's answer to a value it does not take.
func invalid(op, format string, args ...any) error {
	return refuse("CloudFront", op, "InvalidArgument", format, args...)
}

// listed checks a {behavior, items} pair: lists go with whitelist or allExcept, and with nothing else.
func listed(op, what, behavior string, items []string) error {
	needs := behavior == "whitelist" || behavior == "allExcept" || behavior == "allViewerAndWhitelistCloudFront"
	if needs && len(items) == 0 {
		return invalid(op, "The parameter %s is missing: behavior %s needs a list of names", what, behavior)
	}
	if !needs && len(items) > 0 {
		return invalid(op, "The parameter %s is invalid: behavior %s takes no list of names", what, behavior)
	}
	return nil
}

func checkCachePolicy(c *cloud.Call) error {
	const op = "CreateCachePolicy"
	low, normal, high := c.In.Int("minTtl"), c.In.Int("defaultTtl"), c.In.Int("maxTtl")
	if low > normal || normal > high {
		return refuse("CloudFront", op, "InvalidTTLOrder", "The MinTTL (%d) must not be above the DefaultTTL (%d), nor that above the MaxTTL (%d).", low, normal, high)
	}
	p := c.In.Object("parametersInCacheKeyAndForwardedToOrigin")
	for _, part := range []struct{ what, behavior, items string }{
		{"Cookies", "cookiesConfig.cookieBehavior", "cookiesConfig.cookies.items"},
		{"Headers", "headersConfig.headerBehavior", "headersConfig.headers.items"},
		{"QueryStrings", "queryStringsConfig.queryStringBehavior", "queryStringsConfig.queryStrings.items"},
	} {
		if err := listed(op, part.what, p.String(part.behavior), p.Strings(part.items)); err != nil {
			return err
		}
		if b := p.String(part.behavior); high == 0 && b != "none" && b != "" {
			return invalid(op, "The parameter %s is invalid for policy with caching disabled.", part.what)
		}
	}
	if high == 0 && (p.Bool("enableAcceptEncodingGzip") || p.Bool("enableAcceptEncodingBrotli")) {
		return invalid(op, "The parameter EnableAcceptEncodingGzip is invalid for policy with caching disabled.")
	}
	if n := len(p.Strings("headersConfig.headers.items")); n > 10 {
		return refuse("CloudFront", op, "TooManyHeadersInCachePolicy", "A cache policy has at most 10 headers, got %d", n)
	}
	return nil
}

func checkOriginPolicy(c *cloud.Call) error {
	for _, part := range []struct{ what, behavior, items string }{
		{"Cookies", "cookiesConfig.cookieBehavior", "cookiesConfig.cookies.items"},
		{"Headers", "headersConfig.headerBehavior", "headersConfig.headers.items"},
		{"QueryStrings", "queryStringsConfig.queryStringBehavior", "queryStringsConfig.queryStrings.items"},
	} {
		if err := listed("CreateOriginRequestPolicy", part.what, c.In.String(part.behavior), c.In.Strings(part.items)); err != nil {
			return err
		}
	}
	return nil
}

// securityHeaders have their own place in a policy and may not be set as custom headers.
var securityHeaders = wordSet("strict-transport-security content-security-policy x-content-type-options x-frame-options referrer-policy x-xss-protection")
var reservedHeaders = wordSet("connection content-length content-encoding transfer-encoding upgrade via warning host expect keep-alive te trailer proxy-authenticate proxy-authorization proxy-connection")

func checkHeadersPolicy(c *cloud.Call) error {
	const op = "CreateResponseHeadersPolicy"
	custom := c.In.Objects("customHeadersConfig.items")
	if len(custom) > 10 {
		return refuse("CloudFront", op, "TooManyCustomHeadersInResponseHeadersPolicy", "A response headers policy has at most 10 custom headers, got %d", len(custom))
	}
	seen := map[string]bool{}
	for _, h := range custom {
		name := strings.ToLower(h.String("header"))
		switch {
		case securityHeaders[name]:
			return invalid(op, "The parameter CustomHeaders contains %s that is a security header and cannot be set as custom header.", name)
		case reservedHeaders[name]:
			return invalid(op, "The parameter CustomHeaders contains %s that is not allowed.", name)
		case seen[name]:
			return invalid(op, "The parameter CustomHeaders contains duplicate header %s.", name)
		}
		seen[name] = true
	}
	if cors := c.In.Object("corsConfig"); cors != nil {
		if cors.Bool("accessControlAllowCredentials") && (slices.Contains(cors.Strings("accessControlAllowOrigins.items"), "*") || slices.Contains(cors.Strings("accessControlAllowHeaders.items"), "*")) {
			return invalid(op, "The parameter AccessControlAllowOrigins cannot contain * when AccessControlAllowCredentials is true.")
		}
	}
	if age := c.In.Int("securityHeadersConfig.strictTransportSecurity.accessControlMaxAgeSec"); age < 0 {
		return invalid(op, "The parameter AccessControlMaxAgeSec is invalid (%d)", age)
	}
	return nil
}

func oacType() cloud.Type {
	return written(cloud.Type{
		Token: oacToken,
		InUse: []cloud.Ref{{Type: distributionToken, Path: "origins.*.originAccessControlId", Error: func(self, by *cloud.Resource) error {
			return refuseStatus(409, "CloudFront", "DeleteOriginAccessControl", "OriginAccessControlInUse", "Cannot delete the origin access control because it's in use by one or more distributions. (%s)", by.ID)
		}}},
	}, func(c *cloud.Call) error {
		for _, r := range c.Everywhere(oacToken) {
			if r.Out.String("name") == c.In.String("name") {
				return refuseStatus(409, "CloudFront", operation(c, "CreateOriginAccessControl", "UpdateOriginAccessControl"), "OriginAccessControlAlreadyExists",
					"An origin access control with the same name already exists. (%s)", c.In.String("name"))
			}
		}
		if n := len(c.In.String("name")); n > 64 {
			return invalid("CreateOriginAccessControl", "The parameter Name is too long: at most 64 characters, got %d", n)
		}
		return nil
	}, func(c *cloud.Call) error {
		c.ID = "E" + c.Gen.Pick("oac", upper, 13)
		c.Out["arn"] = arn("cloudfront", "", "origin-access-control/"+c.ID)
		c.Out["etag"] = "E" + c.Gen.Pick("etag", upper, 13)
		return nil
	})
}

func oaiType() cloud.Type {
	return cloud.Type{Token: oaiToken, Create: func(c *cloud.Call) error {
		c.ID = "E" + c.Gen.Pick("oai", upper, 13)
		c.Out["arn"] = "arn:aws:cloudfront::" + accountID + ":origin-access-identity/" + c.ID
		c.Out["etag"] = "E" + c.Gen.Pick("etag", upper, 13)
		c.Out["cloudfrontAccessIdentityPath"] = "origin-access-identity/cloudfront/" + c.ID
		c.Out["iamArn"] = "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity " + c.ID
		c.Out["s3CanonicalUserId"] = c.Gen.Hex("canonical", 96)
		c.Out["callerReference"] = c.Gen.Pick("reference", "0123456789", 20)
		return nil
	}}
}

var edgeFunctionName = regexp.MustCompile(`^[a-zA-Z0-9-_]{1,64}$`)

func edgeFunctionType() cloud.Type {
	inUse := func(self, by *cloud.Resource) error {
		return refuseStatus(409, "CloudFront", "DeleteFunction", "FunctionInUse", "Cannot delete function, it is in use by distribution %s", by.ID)
	}
	return written(cloud.Type{
		Token: edgeFunctionToken,
		InUse: []cloud.Ref{
			{Type: distributionToken, Path: "defaultCacheBehavior.functionAssociations.*.functionArn", By: "arn", Error: inUse},
			{Type: distributionToken, Path: "orderedCacheBehaviors.*.functionAssociations.*.functionArn", By: "arn", Error: inUse},
		},
		Recomputed: map[string][]string{"*": {"etag", "liveStageEtag"}},
		Takes:      cloud.Durations{Create: seconds(10), Update: seconds(10), Delete: seconds(5)},
	}, func(c *cloud.Call) error {
		op, code := operation(c, "CreateFunction", "UpdateFunction"), c.In.String("code")
		switch {
		case len(code) > 10*1024:
			return refuse("CloudFront", op, "FunctionSizeLimitExceeded", "The function's code has %d bytes, at most 10240 are allowed", len(code))
		case !strings.Contains(code, "handler"):
			return invalid(op, "The parameter FunctionCode is invalid: there is no function named handler")
		}
		stage := "LIVE"
		if c.In.Get("publish") == false {
			stage = "DEVELOPMENT"
		}
		c.Out["status"] = map[string]string{"LIVE": "UNASSOCIATED", "DEVELOPMENT": "UNPUBLISHED"}[stage]
		c.Out["etag"] = "ETV" + strings.ToUpper(fixed(10, code, c.In.String("comment")))
		c.Out["liveStageEtag"] = ""
		if stage == "LIVE" {
			c.Out["liveStageEtag"] = c.Out["etag"]
		}
		return nil
	}, func(c *cloud.Call) error {
		name := c.In.String("name")
		if !edgeFunctionName.MatchString(name) {
			return invalid("CreateFunction", "The parameter Name is invalid: 1 to 64 letters, digits, - or _, got %q", name)
		}
		for _, r := range c.Everywhere(edgeFunctionToken) {
			if r.ID == name {
				return refuseStatus(409, "CloudFront", "CreateFunction", "FunctionAlreadyExists", "A function with name %s already exists.", name)
			}
		}
		c.ID = name
		c.Out["arn"] = arn("cloudfront", "", "function/"+name)
		return nil
	})
}
