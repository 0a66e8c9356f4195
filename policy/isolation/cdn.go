package isolation

import (
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

const tDistribution = "aws:cloudfront/distribution:Distribution"

func behaviors(c *rule.Check, visit func(rule.Value)) {
	visit(c.In("defaultCacheBehavior"))
	c.Each(c.In("orderedCacheBehaviors"), visit)
}

var cdn = []rule.Rule{{
	ID: "cloudfront-https-only", Level: rule.Mandatory, Refs: []string{"T0012", "C34"}, Types: []string{tDistribution},
	Title:  "CloudFront serves over HTTPS only",
	Reason: "A page over plain HTTP can be changed on its way.",
	Mend:   "Set viewerProtocolPolicy to redirect-to-https or https-only in every behaviour.",
	Check: func(c *rule.Check) {
		behaviors(c, func(b rule.Value) {
			c.Want(b.At("viewerProtocolPolicy"), func(v rule.Value) bool {
				return slices.Contains([]string{"redirect-to-https", "https-only"}, v.Text())
			}, "plain HTTP is served")
		})
	},
}, {
	ID: "cloudfront-tls-2021", Level: rule.Mandatory, Refs: []string{"T0013", "C174"}, Types: []string{tDistribution},
	Title:  "CloudFront speaks TLS 1.2 (2021) or newer",
	Reason: "The default certificate allows TLS 1.0.",
	Mend:   "Set viewerCertificate.minimumProtocolVersion to TLSv1.2_2021, with a certificate of your own.",
	Check: func(c *rule.Check) {
		c.OneOf("viewerCertificate.minimumProtocolVersion", "old versions of TLS are allowed", "TLSv1.2_2021", "TLSv1.2_2025", "TLSv1.3_2025")
	},
}, {
	ID: "cloudfront-origin-access-control", Level: rule.Mandatory, Refs: []string{"C2_46"}, Types: []string{tDistribution},
	Title:  "CloudFront reads buckets with an origin access control",
	Reason: "Otherwise the bucket would have to be public.",
	Mend:   "Set originAccessControlId on the origin.",
	Check: func(c *rule.Check) {
		c.Each(c.In("origins"), func(o rule.Value) {
			if o.At("customOriginConfig").Absent() {
				c.Want(o.At("originAccessControlId"), func(v rule.Value) bool { return v.Text() != "" }, "the bucket is read without an access control")
			}
		})
	},
}, {
	ID: "cloudfront-origin-https", Level: rule.Mandatory, Refs: []string{"C2_72"}, Types: []string{tDistribution},
	Title:  "CloudFront fetches from other origins over HTTPS",
	Reason: "Between CloudFront and the origin is the open internet.",
	Mend:   "Set customOriginConfig.originProtocolPolicy to https-only.",
	Check: func(c *rule.Check) {
		c.Each(c.In("origins"), func(o rule.Value) {
			if custom := o.At("customOriginConfig"); !custom.Absent() {
				c.Want(custom.At("originProtocolPolicy"), func(v rule.Value) bool { return v.Text() == "https-only" }, "the origin is asked over plain HTTP")
			}
		})
	},
}, {
	ID: "cloudfront-logs", Level: rule.Mandatory, Refs: []string{"T0010", "C86"}, Types: []string{tDistribution},
	Title:  "CloudFront records its requests",
	Reason: "They are the only record of who asked for what.",
	Mend:   "Set loggingConfig with a bucket.",
	Check:  func(c *rule.Check) { c.Set("loggingConfig.bucket", "requests are not recorded") },
}, {
	ID: "cloudfront-certificate-us-east-1", Level: rule.Mandatory, Types: []string{tDistribution},
	Title:  "CloudFront's certificate is in us-east-1",
	Reason: "CloudFront refuses certificates of any other region, at the end of a long deployment.",
	Mend:   "Make the certificate with a provider for us-east-1.",
	Check: func(c *rule.Check) {
		c.Want(c.In("viewerCertificate.acmCertificateArn"), func(v rule.Value) bool {
			return v.Absent() || strings.HasPrefix(v.Text(), "arn:aws:acm:us-east-1:")
		}, "the certificate is in another region")
	},
}, {
	ID: "cloudfront-security-headers", Level: rule.Advisory, Refs: []string{"C2_32"}, Types: []string{tDistribution},
	Title:  "CloudFront adds security headers",
	Reason: "Browsers guard against framing and sniffing only when they are told to.",
	Mend:   "Set responseHeadersPolicyId in every behaviour.",
	Check: func(c *rule.Check) {
		behaviors(c, func(b rule.Value) {
			c.Want(b.At("responseHeadersPolicyId"), func(v rule.Value) bool { return v.Text() != "" }, "no security headers are added")
		})
	},
}}
