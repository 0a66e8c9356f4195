package aws

import (
	_ "embed"
	"regexp"
	"slices"
	"strings"

	awsprovider "github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudfront"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// StaticSiteType is the type token of StaticSite.
const StaticSiteType = "morphee:aws:StaticSite"

//go:embed site_spa.js
var spaFallback string

// StaticSiteArgs are the decisions about a site of static files behind a CDN.
type StaticSiteArgs struct {
	// Domains the site answers to, the main one first; 1 to 10. Changing them replaces the
	// certificate, the new one being valid before the old one goes; the distribution is updated.
	Domains []string
	// ZoneID is the Cloudflare zone in which the domains are proved; required.
	ZoneID pulumi.StringInput
	// UsEast1 is an AWS provider for us-east-1, the one region CloudFront takes certificates from;
	// required.
	UsEast1 *awsprovider.Provider
	// ContentSecurityPolicy is the header's value; required. A policy nobody has thought about would
	// be worth nothing, hence no default.
	ContentSecurityPolicy string
	// PriceClass is where the site is served from: PriceClass_100 (North America and Europe; the
	// default), PriceClass_200, or PriceClass_All.
	PriceClass string
	// LogRetentionDays is how long access logs are kept, 1 to 3650; default 90.
	LogRetentionDays int
	// PreviousVersionDays is how long overwritten files are kept, 1 to 365; default 30.
	PreviousVersionDays int
	// Disposable leaves the buckets unprotected and lets them be deleted with files in them.
	Disposable bool
	Tags       base.Tags
}

// StaticSite is a private bucket served by CloudFront over HTTPS and HTTP/3, with security headers
// and the single-page fallback.
type StaticSite struct {
	pulumi.ResourceState
	BucketName      pulumi.StringOutput
	BucketArn       pulumi.StringOutput
	DistributionId  pulumi.StringOutput
	DistributionArn pulumi.StringOutput
	DomainName      pulumi.StringOutput // the distribution's own, under cloudfront.net
	HostedZoneId    pulumi.StringOutput // of CloudFront, for alias records
	Url             pulumi.StringOutput
}

var domainName = regexp.MustCompile(`^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}$`)

func (a *StaticSiteArgs) validate(name string) error {
	p := base.Check("StaticSite", name)
	p.Require(len(name) <= 40, "name", name, "at most 40 characters: CloudFront's names derived from it end at 64", "")
	p.Require(len(a.Domains) >= 1 && len(a.Domains) <= 10, "Domains", a.Domains, "1 to 10 domain names", "")
	for i, d := range a.Domains {
		p.Require(domainName.MatchString(d), "Domains", d, "a lower-case domain name", "")
		p.Require(!slices.Contains(a.Domains[:i], d), "Domains", d, "each domain once", "")
	}
	p.Require(a.ZoneID != nil, "ZoneID", "nothing", "the id of the Cloudflare zone", "")
	p.Require(a.UsEast1 != nil, "UsEast1", "nothing", "an aws provider for us-east-1", "")
	p.Require(strings.Contains(a.ContentSecurityPolicy, "default-src"), "ContentSecurityPolicy", a.ContentSecurityPolicy, "a policy with a default-src", "")
	p.Require(slices.Contains([]string{"PriceClass_100", "PriceClass_200", "PriceClass_All"}, a.PriceClass), "PriceClass", a.PriceClass, "PriceClass_100, PriceClass_200 or PriceClass_All", "")
	p.Require(a.LogRetentionDays >= 1 && a.LogRetentionDays <= 3650, "LogRetentionDays", a.LogRetentionDays, "1 to 3650", "")
	p.Require(a.PreviousVersionDays >= 1 && a.PreviousVersionDays <= 365, "PreviousVersionDays", a.PreviousVersionDays, "1 to 365", "")
	return p.Err()
}

// NewStaticSite registers the buckets, the certificate and the distribution.
func NewStaticSite(ctx *pulumi.Context, name string, in *StaticSiteArgs, opts ...pulumi.ResourceOption) (*StaticSite, error) {
	args := *in
	setDefault(&args.PriceClass, "PriceClass_100")
	setDefault(&args.LogRetentionDays, 90)
	setDefault(&args.PreviousVersionDays, 30)
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &StaticSite{}
	if err := ctx.RegisterComponentResourceV2(StaticSiteType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	certificate, err := NewCertificate(ctx, name+"-certificate", &CertificateArgs{
		Domains: args.Domains, CloudflareZoneID: args.ZoneID, Tags: args.Tags,
	}, pulumi.Parent(c), pulumi.Provider(args.UsEast1))
	if err != nil {
		return nil, err
	}
	files, filesReady, err := newPrivateBucket(ctx, name+"-files", privateBucket{
		Versioned: true, NoncurrentDays: args.PreviousVersionDays, Disposable: args.Disposable, Tags: args.Tags,
		// The distribution's ARN is not known before it exists, and it needs the bucket to exist: the
		// policy that lets it read is the one below, made last.
		WithoutPolicy: true,
	}, c)
	if err != nil {
		return nil, err
	}
	logs, logsReady, err := newPrivateBucket(ctx, name+"-logs", privateBucket{
		Versioned: true, NoncurrentDays: 7, ExpireDays: args.LogRetentionDays, AclsForCloudFrontLogs: true, Disposable: args.Disposable, Tags: args.Tags,
	}, c)
	if err != nil {
		return nil, err
	}
	distribution, err := c.distribution(ctx, name, &args, files, logs, logsReady, certificate.Arn)
	if err != nil {
		return nil, err
	}
	if err := c.letRead(ctx, name, files, distribution, filesReady); err != nil {
		return nil, err
	}
	c.BucketName, c.BucketArn = files.Bucket, files.Arn
	c.DistributionId, c.DistributionArn = distribution.ID().ToStringOutput(), distribution.Arn
	c.DomainName, c.HostedZoneId = distribution.DomainName, distribution.HostedZoneId
	c.Url = pulumi.Sprintf("https://%s", args.Domains[0])
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"bucketName": c.BucketName, "bucketArn": c.BucketArn, "distributionId": c.DistributionId,
		"distributionArn": c.DistributionArn, "domainName": c.DomainName, "hostedZoneId": c.HostedZoneId, "url": c.Url,
	})
}

func (c *StaticSite) distribution(ctx *pulumi.Context, name string, args *StaticSiteArgs, files, logs *s3.BucketV2, logsReady []pulumi.Resource, certificate pulumi.StringInput) (*cloudfront.Distribution, error) {
	behavior, access, err := c.delivery(ctx, name, args)
	if err != nil {
		return nil, err
	}
	// Without the right to list, S3 answers 403 for a file that is not there.
	notFound := cloudfront.DistributionCustomErrorResponseArray{}
	for _, code := range []int{403, 404} {
		notFound = append(notFound, &cloudfront.DistributionCustomErrorResponseArgs{
			ErrorCode: pulumi.Int(code), ResponseCode: pulumi.Int(404), ResponsePagePath: pulumi.String("/index.html"), ErrorCachingMinTtl: pulumi.Int(10),
		})
	}
	return cloudfront.NewDistribution(ctx, name+"-cdn", &cloudfront.DistributionArgs{
		Enabled: pulumi.Bool(true), Comment: pulumi.String("Static site " + args.Domains[0]),
		Aliases:     pulumi.ToStringArray(args.Domains),
		HttpVersion: pulumi.String("http2and3"), IsIpv6Enabled: pulumi.Bool(true),
		PriceClass:        pulumi.String(args.PriceClass),
		DefaultRootObject: pulumi.String("index.html"),
		Origins: cloudfront.DistributionOriginArray{&cloudfront.DistributionOriginArgs{
			OriginId: pulumi.String("files"), DomainName: files.BucketRegionalDomainName, OriginAccessControlId: access,
		}},
		DefaultCacheBehavior: behavior,
		CustomErrorResponses: notFound,
		LoggingConfig:        &cloudfront.DistributionLoggingConfigArgs{Bucket: logs.BucketDomainName, Prefix: pulumi.String("cdn/"), IncludeCookies: pulumi.Bool(false)},
		Restrictions: &cloudfront.DistributionRestrictionsArgs{GeoRestriction: &cloudfront.DistributionRestrictionsGeoRestrictionArgs{
			RestrictionType: pulumi.String("none"),
		}},
		ViewerCertificate: &cloudfront.DistributionViewerCertificateArgs{
			AcmCertificateArn: certificate, SslSupportMethod: pulumi.String("sni-only"), MinimumProtocolVersion: pulumi.String("TLSv1.2_2021"),
		},
		Tags: args.Tags.Pulumi("Name", name),
	}, pulumi.Parent(c), pulumi.DependsOn(logsReady))
}

// delivery registers how a file gets to a viewer, and how CloudFront signs its requests to S3.
func (c *StaticSite) delivery(ctx *pulumi.Context, name string, args *StaticSiteArgs) (*cloudfront.DistributionDefaultCacheBehaviorArgs, pulumi.StringInput, error) {
	access, err := cloudfront.NewOriginAccessControl(ctx, name+"-access", &cloudfront.OriginAccessControlArgs{
		Description:                   pulumi.String("CloudFront to the files of " + args.Domains[0]),
		OriginAccessControlOriginType: pulumi.String("s3"), SigningBehavior: pulumi.String("always"), SigningProtocol: pulumi.String("sigv4"),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, nil, err
	}
	fallback, err := cloudfront.NewFunction(ctx, name+"-spa", &cloudfront.FunctionArgs{
		Runtime: pulumi.String("cloudfront-js-2.0"), Code: pulumi.String(spaFallback), Publish: pulumi.Bool(true),
		Comment: pulumi.String("Single-page fallback"),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, nil, err
	}
	// Files with a hash in their name say how long they live; a file that says nothing, like the
	// entry page, is asked for again after a minute, so that a release shows at once.
	cache, err := cloudfront.NewCachePolicy(ctx, name+"-cache", &cloudfront.CachePolicyArgs{
		Comment: pulumi.String("Static files"),
		MinTtl:  pulumi.Int(0), DefaultTtl: pulumi.Int(60), MaxTtl: pulumi.Int(31536000),
		ParametersInCacheKeyAndForwardedToOrigin: &cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginArgs{
			EnableAcceptEncodingBrotli: pulumi.Bool(true), EnableAcceptEncodingGzip: pulumi.Bool(true),
			CookiesConfig:      &cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginCookiesConfigArgs{CookieBehavior: pulumi.String("none")},
			HeadersConfig:      &cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginHeadersConfigArgs{HeaderBehavior: pulumi.String("none")},
			QueryStringsConfig: &cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginQueryStringsConfigArgs{QueryStringBehavior: pulumi.String("none")},
		},
	}, pulumi.Parent(c))
	if err != nil {
		return nil, nil, err
	}
	headers, err := c.securityHeaders(ctx, name+"-headers", args)
	if err != nil {
		return nil, nil, err
	}
	read := pulumi.ToStringArray([]string{"GET", "HEAD"})
	return &cloudfront.DistributionDefaultCacheBehaviorArgs{
		TargetOriginId: pulumi.String("files"), ViewerProtocolPolicy: pulumi.String("redirect-to-https"),
		AllowedMethods: read, CachedMethods: read, Compress: pulumi.Bool(true),
		CachePolicyId: cache.ID(), ResponseHeadersPolicyId: headers.ID(),
		FunctionAssociations: cloudfront.DistributionDefaultCacheBehaviorFunctionAssociationArray{
			&cloudfront.DistributionDefaultCacheBehaviorFunctionAssociationArgs{EventType: pulumi.String("viewer-request"), FunctionArn: fallback.Arn},
		},
	}, access.ID(), nil
}

func (c *StaticSite) securityHeaders(ctx *pulumi.Context, name string, args *StaticSiteArgs) (*cloudfront.ResponseHeadersPolicy, error) {
	yes := pulumi.Bool(true)
	return cloudfront.NewResponseHeadersPolicy(ctx, name, &cloudfront.ResponseHeadersPolicyArgs{
		Comment: pulumi.String("Security headers of " + args.Domains[0]),
		SecurityHeadersConfig: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigArgs{
			ContentSecurityPolicy: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigContentSecurityPolicyArgs{
				ContentSecurityPolicy: pulumi.String(args.ContentSecurityPolicy), Override: yes,
			},
			ContentTypeOptions: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigContentTypeOptionsArgs{Override: yes},
			FrameOptions:       &cloudfront.ResponseHeadersPolicySecurityHeadersConfigFrameOptionsArgs{FrameOption: pulumi.String("DENY"), Override: yes},
			ReferrerPolicy: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigReferrerPolicyArgs{
				ReferrerPolicy: pulumi.String("strict-origin-when-cross-origin"), Override: yes,
			},
			// No preload: that is a promise for the whole of the zone, made elsewhere.
			StrictTransportSecurity: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigStrictTransportSecurityArgs{
				AccessControlMaxAgeSec: pulumi.Int(63072000), IncludeSubdomains: yes, Override: yes,
			},
		},
		CustomHeadersConfig: &cloudfront.ResponseHeadersPolicyCustomHeadersConfigArgs{Items: cloudfront.ResponseHeadersPolicyCustomHeadersConfigItemArray{
			&cloudfront.ResponseHeadersPolicyCustomHeadersConfigItemArgs{
				Header: pulumi.String("Permissions-Policy"), Value: pulumi.String("camera=(), geolocation=(), payment=()"), Override: yes,
			},
			&cloudfront.ResponseHeadersPolicyCustomHeadersConfigItemArgs{
				Header: pulumi.String("Cross-Origin-Opener-Policy"), Value: pulumi.String("same-origin"), Override: yes,
			},
		}},
	}, pulumi.Parent(c))
}

// letRead lets this one distribution, and no other, read the files.
func (c *StaticSite) letRead(ctx *pulumi.Context, name string, files *s3.BucketV2, distribution *cloudfront.Distribution, ready []pulumi.Resource) error {
	_, err := newBucketPolicy(ctx, name+"-files-policy", files, pulumi.Array{pulumi.Map{
		"Sid": pulumi.String("CloudFrontReads"), "Effect": pulumi.String("Allow"),
		"Principal": pulumi.Map{"Service": pulumi.String("cloudfront.amazonaws.com")},
		"Action":    pulumi.String("s3:GetObject"),
		"Resource":  pulumi.Sprintf("%s/*", files.Arn),
		"Condition": pulumi.Map{"StringEquals": pulumi.Map{"AWS:SourceArn": distribution.Arn}},
	}}, c, ready...)
	return err
}
