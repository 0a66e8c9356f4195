package aws

import (
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

// issuedCertificate makes a certificate that its Route 53 records have proved.
func issuedCertificate(s *simtest.Sim, name string, domains ...string) *cloud.Resource {
	var zone *cloud.Resource
	for _, z := range s.World.All("", zoneToken) {
		zone = z
	}
	if zone == nil {
		zone = s.Must(zoneToken, "zone", props{"name": "morphee.app"})
	}
	cert := s.Must(certificateToken, name, props{"domainName": domains[0], "subjectAlternativeNames": domains[1:], "validationMethod": "DNS"})
	for _, o := range cert.Out.Objects("domainValidationOptions") {
		// A wildcard shares its record with its parent, and a certificate in another region too.
		if n := o.String("resourceRecordName"); !recordThere(s, n) {
			s.Must(recordToken, name+n, props{"zoneId": zone.ID, "name": n, "type": "CNAME", "ttl": 60, "records": []any{o.String("resourceRecordValue")}})
		}
	}
	s.Must(validationToken, name, props{"certificateArn": cert.ID})
	return s.World.Find(cert.Scope, certificateToken, cert.ID)
}

func recordThere(s *simtest.Sim, name string) bool {
	for _, r := range s.World.All("", recordToken) {
		if dnsEqual(r.Out.String("fqdn"), name) {
			return true
		}
	}
	return false
}

func behavior(change props) props {
	return with(props{"targetOriginId": "site", "viewerProtocolPolicy": "redirect-to-https", "allowedMethods": []string{"GET", "HEAD"}, "cachedMethods": []string{"GET", "HEAD"},
		"cachePolicyId": managedCachePolicies["Managed-CachingOptimized"], "compress": true}, change)
}

// aSite gives the inputs of a distribution over a private bucket with its own name.
func aSite(s *simtest.Sim) props {
	edge := s.With("aws", props{"region": "us-east-1"})
	aBucket(s, "morphee-site")
	oac := s.Must(oacToken, "oac", props{"name": "site", "originAccessControlOriginType": "s3", "signingBehavior": "always", "signingProtocol": "sigv4"})
	cert := issuedCertificate(edge, "site", "morphee.app", "*.morphee.app")
	return props{
		"enabled": true, "aliases": []string{"www.morphee.app"}, "defaultRootObject": "index.html", "httpVersion": "http2and3", "priceClass": "PriceClass_100",
		"origins":              []any{props{"originId": "site", "domainName": "morphee-site.s3.eu-west-1.amazonaws.com", "originAccessControlId": oac.ID}},
		"defaultCacheBehavior": behavior(nil),
		"restrictions":         props{"geoRestriction": props{"restrictionType": "none"}},
		"viewerCertificate":    props{"acmCertificateArn": cert.ID, "sslSupportMethod": "sni-only", "minimumProtocolVersion": "TLSv1.2_2021"},
		"customErrorResponses": []any{props{"errorCode": 403, "responseCode": 200, "responsePagePath": "/index.html"}},
	}
}

func site(mistake props) func(*simtest.Sim) (props, props) {
	return func(s *simtest.Sim) (props, props) { return aSite(s), mistake }
}

func TestDeliveryRefusals(t *testing.T) {
	certificate := func(ref string) props {
		return props{"viewerCertificate": props{"acmCertificateArn": ref, "sslSupportMethod": "sni-only", "minimumProtocolVersion": "TLSv1.2_2021"}}
	}
	origin := func(change props) props {
		return props{"origins": []any{with(props{"originId": "site", "domainName": "morphee-site.s3.eu-west-1.amazonaws.com"}, change)}}
	}
	headers := props{"name": "headers", "securityHeadersConfig": props{"contentTypeOptions": props{"override": true}}}
	cache := props{"name": "api", "parametersInCacheKeyAndForwardedToOrigin": props{"cookiesConfig": props{"cookieBehavior": "none"}, "headersConfig": props{"headerBehavior": "none"}, "queryStringsConfig": props{"queryStringBehavior": "all"}}}
	runRefusals(t, []refusal{
		{"certificate in the wrong region", distributionToken, "isn't in us-east-1 region", func(s *simtest.Sim) (props, props) {
			good := aSite(s)
			return good, certificate(issuedCertificate(s, "here", "morphee.app", "*.morphee.app").ID)
		}},
		{"certificate not yet issued", distributionToken, "is not issued", func(s *simtest.Sim) (props, props) {
			good := aSite(s)
			pending := s.With("aws", props{"region": "us-east-1"}).Must(certificateToken, "new", props{"domainName": "www.morphee.app", "validationMethod": "DNS"})
			return good, certificate(pending.ID)
		}},
		{"name that the certificate does not cover", distributionToken, "doesn't cover the alternate domain name", site(props{"aliases": []string{"a.b.morphee.app"}})},
		{"name without a certificate", distributionToken, "you must attach a trusted certificate", site(props{"viewerCertificate": props{"cloudfrontDefaultCertificate": true}})},
		{"name that another distribution has", distributionToken, "CNAMEAlreadyExists", func(s *simtest.Sim) (props, props) {
			good := aSite(s)
			s.Must(distributionToken, "first", with(good, props{"aliases": []string{"app.morphee.app"}}))
			return good, props{"aliases": []string{"app.morphee.app"}}
		}},
		{"root object with a slash", distributionToken, "InvalidDefaultRootObject", site(props{"defaultRootObject": "/index.html"})},
		{"behavior to no origin", distributionToken, "NoSuchOrigin", site(props{"defaultCacheBehavior": behavior(props{"targetOriginId": "sight"})})},
		{"cache policy that does not exist", distributionToken, "NoSuchCachePolicy", site(props{"defaultCacheBehavior": behavior(props{"cachePolicyId": "00000000-0000-4000-8000-000000000000"})})},
		{"headers policy that does not exist", distributionToken, "NoSuchResponseHeadersPolicy", site(props{"defaultCacheBehavior": behavior(props{"responseHeadersPolicyId": managedCachePolicies["Managed-CachingOptimized"]})})},
		{"no cache policy and no forwarded values", distributionToken, "ForwardedValues is required", site(props{"defaultCacheBehavior": behavior(props{"cachePolicyId": nil})})},
		{"methods that do not go together", distributionToken, "AllowedMethods", site(props{"defaultCacheBehavior": behavior(props{"allowedMethods": []string{"GET", "HEAD", "POST"}})})},
		{"origin with a scheme", distributionToken, "origin name must be a domain name", site(origin(props{"domainName": "https://morphee-site.s3.eu-west-1.amazonaws.com"}))},
		{"custom origin without its settings", distributionToken, "does not refer to a valid S3 bucket", site(origin(props{"domainName": "api.morphee.app"}))},
		{"origin access control that does not exist", distributionToken, "NoSuchOriginAccessControl", site(origin(props{"originAccessControlId": "E0000000000000"}))},
		{"country that is none", distributionToken, "InvalidGeoRestrictionParameter", site(props{"restrictions": props{"geoRestriction": props{"restrictionType": "whitelist", "locations": []string{"germany"}}}})},
		{"error page for a code that has none", distributionToken, "InvalidErrorCode", site(props{"customErrorResponses": []any{props{"errorCode": 401}}})},
		{"price class that is none", distributionToken, "expected priceClass", site(props{"priceClass": "PriceClass_300"})},
		{"function on an origin event", distributionToken, "InvalidFunctionAssociation", func(s *simtest.Sim) (props, props) {
			good := aSite(s)
			f := s.Must(edgeFunctionToken, "spa", props{"name": "spa", "runtime": "cloudfront-js-2.0", "code": "function handler(event) { return event.request }"})
			use := func(event string) props {
				return props{"defaultCacheBehavior": behavior(props{"functionAssociations": []any{props{"eventType": event, "functionArn": f.Out["arn"]}}})}
			}
			return with(good, use("viewer-request")), use("origin-request")
		}},
		{"logs into a bucket without ACLs", distributionToken, "does not enable ACL access", func(s *simtest.Sim) (props, props) {
			good := aSite(s)
			aBucket(s, "morphee-cdn-logs")
			aBucket(s, "morphee-plain-logs")
			s.Must(ownershipToken, "own", props{"bucket": "morphee-cdn-logs", "rule": props{"objectOwnership": "BucketOwnerPreferred"}})
			return with(good, props{"loggingConfig": props{"bucket": "morphee-cdn-logs.s3.amazonaws.com"}}), props{"loggingConfig": props{"bucket": "morphee-plain-logs.s3.amazonaws.com"}}
		}},
		{"regional web ACL", distributionToken, "InvalidWebACLId", func(s *simtest.Sim) (props, props) {
			good := aSite(s)
			acl := props{"name": "acl", "scope": "CLOUDFRONT", "defaultAction": props{"allow": props{}}, "visibilityConfig": props{"cloudwatchMetricsEnabled": true, "metricName": "m", "sampledRequestsEnabled": true}}
			global := s.With("aws", props{"region": "us-east-1"}).Must(webACLToken, "global", acl)
			regional := s.Must(webACLToken, "regional", with(acl, props{"scope": "REGIONAL"}))
			return with(good, props{"webAclId": global.Out["arn"]}), props{"webAclId": regional.Out["arn"]}
		}},
		{"security header as a custom one", headersPolicyToken, "is a security header", fixedInputs(headers, props{"customHeadersConfig": props{"items": []any{props{"header": "Strict-Transport-Security", "value": "max-age=1", "override": true}}}})},
		{"lifetimes out of order", cachePolicyToken, "InvalidTTLOrder", fixedInputs(cache, props{"minTtl": 100, "defaultTtl": 10})},
		{"list without names", cachePolicyToken, "InvalidArgument", fixedInputs(cache, props{"parametersInCacheKeyAndForwardedToOrigin": props{"cookiesConfig": props{"cookieBehavior": "whitelist"}, "headersConfig": props{"headerBehavior": "none"}, "queryStringsConfig": props{"queryStringBehavior": "all"}}})},
		{"keyed on what is never cached", cachePolicyToken, "caching disabled", fixedInputs(cache, props{"maxTtl": 0, "defaultTtl": 0})},
		{"name of a policy of AWS", originPolicyToken, "OriginRequestPolicyAlreadyExists", fixedInputs(
			props{"name": "own", "cookiesConfig": props{"cookieBehavior": "none"}, "headersConfig": props{"headerBehavior": "none"}, "queryStringsConfig": props{"queryStringBehavior": "none"}}, props{"name": "Managed-AllViewer"})},
		{"function too long", edgeFunctionToken, "FunctionSizeLimitExceeded", fixedInputs(props{"name": "spa", "runtime": "cloudfront-js-2.0", "code": "function handler(event) {}"}, props{"code": "function handler(event) {}" + strings.Repeat(" ", 10240)})},
		{"function runtime that is none", edgeFunctionToken, "expected runtime", fixedInputs(props{"name": "spa", "runtime": "cloudfront-js-2.0", "code": "function handler(event) {}"}, props{"runtime": "nodejs20.x"})},
		{"web ACL for CloudFront outside us-east-1", webACLToken, "The scope is not valid", fixedInputs(
			props{"name": "acl", "scope": "REGIONAL", "defaultAction": props{"allow": props{}}, "visibilityConfig": props{"cloudwatchMetricsEnabled": true, "metricName": "m", "sampledRequestsEnabled": true}}, props{"scope": "CLOUDFRONT"})},
		{"address without a mask", ipSetToken, "IP_ADDRESS", fixedInputs(props{"scope": "REGIONAL", "ipAddressVersion": "IPV4", "addresses": []string{"192.0.2.1/32"}}, props{"addresses": []string{"192.0.2.1"}})},
	})
}

func TestDistributionOutputsAndUse(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	good := aSite(s)
	d := s.Must(distributionToken, "site", good)
	domain := d.Out.String("domainName")
	if !strings.HasPrefix(domain, "d") || !strings.HasSuffix(domain, ".cloudfront.net") || len(domain) != 14+len(".cloudfront.net") {
		t.Errorf("domain %q", domain)
	}
	if d.Out.String("hostedZoneId") != "Z2FDTNDATAQYW2" || d.Out.String("arn") != "arn:aws:cloudfront::123456789012:distribution/"+d.ID {
		t.Errorf("zone %q, arn %q", d.Out.String("hostedZoneId"), d.Out.String("arn"))
	}
	for token, want := range map[string]string{oacToken: "OriginAccessControlInUse", certificateToken: "ResourceInUseException"} {
		for _, r := range s.World.All("", token) {
			err := s.With("aws", props{"region": r.Scope}).Delete(r)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("deleting the used %s: %v, want %s", token, err, want)
			}
		}
	}
	if err := s.Delete(d); err != nil {
		t.Fatal(err)
	}
	for _, r := range s.World.All("", oacToken) {
		if err := s.Delete(r); err != nil {
			t.Errorf("deleting the unused %s: %v", r.Type, err)
		}
	}
}
