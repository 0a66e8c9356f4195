package serving

import (
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// edge is the place of what CloudFront serves, which is everywhere.
const edge = "cloudfront"

// distribution asks the CloudFront distribution with a domain name.
func (v *view) distribution(name string, y way) []Target {
	for _, d := range v.world.All("", distributionType) {
		if !strings.EqualFold(d.Out.String("domainName"), name) {
			continue
		}
		if v.family == "ipv6" && !d.Out.Bool("isIpv6Enabled") {
			return nil
		}
		y = y.to("distribution "+named(d), d.URN).answered(name)
		switch {
		case !d.Out.Bool("enabled"):
			return y.dead(AWS, edge, "distribution %s is disabled", named(d))
		case !covers(d.Out.Strings("aliases"), v.host):
			return y.dead(AWS, edge, "distribution %s does not serve %s", named(d), v.host)
		}
		if why := v.certified(d.Out.String("viewerCertificate.acmCertificateArn")); why != "" {
			return y.dead(AWS, edge, "%s", why)
		}
		return v.origin(d, y)
	}
	return y.dead(AWS, edge, "there is no distribution %s", name)
}

// origin asks where a distribution fetches from. What is in the bucket is not the deployment's business.
func (v *view) origin(d *cloud.Resource, y way) []Target {
	for _, o := range d.Out.Objects("origins") {
		if o.String("originId") != d.Out.String("defaultCacheBehavior.targetOriginId") {
			continue
		}
		for _, b := range append(v.world.All("", "aws:s3/bucketV2:BucketV2"), v.world.All("", "aws:s3/bucket:Bucket")...) {
			if b.Out.String("bucketRegionalDomainName") != o.String("domainName") {
				continue
			}
			for _, p := range v.world.All(b.Scope, bucketPolicyType) {
				if p.Out.String("bucket") == b.ID && strings.Contains(p.Out.String("policy"), d.Out.String("arn")) {
					return []Target{y.to("bucket "+named(b), b.URN).end(AWS, edge)}
				}
			}
			return y.dead(AWS, edge, "the policy of bucket %s does not let distribution %s read", named(b), named(d))
		}
		return y.dead(AWS, edge, "there is no bucket %s", o.String("domainName"))
	}
	return y.dead(AWS, edge, "distribution %s has no origin", named(d))
}
