package aws

import (
	"strings"
	"testing"

	awsprovider "github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/recorder"
)

// usEast1Provider is a provider below a component, as a program has it.
func usEast1Provider(ctx *pulumi.Context, name string) (*awsprovider.Provider, error) {
	p, err := NewProviders(ctx, name, &ProvidersArgs{Region: testRegion, AccountID: testAccount})
	if err != nil {
		return nil, err
	}
	return p.UsEast1, nil
}

func siteArgs(p *awsprovider.Provider) *StaticSiteArgs {
	return &StaticSiteArgs{
		Domains: []string{"app.morphee.app", "www.morphee.app"}, ZoneID: pulumi.String("zone"), UsEast1: p,
		ContentSecurityPolicy: "default-src 'self'", Tags: testTags,
	}
}

func TestStaticSiteTwice(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		p, err := usEast1Provider(ctx, "aws")
		if err != nil {
			return err
		}
		if _, err := NewStaticSite(ctx, "a", siteArgs(p)); err != nil {
			return err
		}
		args := siteArgs(p)
		args.Domains, args.PriceClass, args.Disposable = []string{"b.morphee.app"}, "PriceClass_All", true
		_, err = NewStaticSite(ctx, "b", args)
		return err
	})
	recorder.ExpectCounts(t, list, map[string]int{
		ProvidersType: 1, "pulumi:providers:aws": 2, StaticSiteType: 2, CertificateType: 2,
		"aws:acm/certificate:Certificate": 2, "aws:acm/certificateValidation:CertificateValidation": 2, "cloudflare:index/record:Record": 3,
		"aws:s3/bucketV2:BucketV2": 4, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": 4, "aws:s3/bucketOwnershipControls:BucketOwnershipControls": 4,
		"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": 4, "aws:s3/bucketVersioningV2:BucketVersioningV2": 4,
		"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2": 4, "aws:s3/bucketPolicy:BucketPolicy": 4,
		"aws:cloudfront/distribution:Distribution": 2, "aws:cloudfront/function:Function": 2, "aws:cloudfront/cachePolicy:CachePolicy": 2,
		"aws:cloudfront/originAccessControl:OriginAccessControl": 2, "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": 2,
	})
	cdn := recorder.Must(t, list, "aws:cloudfront/distribution:Distribution", "a-cdn")
	recorder.Expect(t, cdn, map[string]any{
		"enabled": true, "httpVersion": "http2and3", "isIpv6Enabled": true, "priceClass": "PriceClass_100", "aliases.0": "app.morphee.app",
		"viewerCertificate.minimumProtocolVersion": "TLSv1.2_2021", "viewerCertificate.sslSupportMethod": "sni-only",
		"viewerCertificate.acmCertificateArn":                   "arn:aws:a-certificate-certificate",
		"defaultCacheBehavior.viewerProtocolPolicy":             "redirect-to-https",
		"defaultCacheBehavior.compress":                         true,
		"origins.0.originAccessControlId":                       "a-access-id",
		"customErrorResponses.0.responseCode":                   404,
		"defaultCacheBehavior.allowedMethods.2":                 nil,
		"defaultCacheBehavior.functionAssociations.0.eventType": "viewer-request",
	})
	if cdn.Input("loggingConfig.prefix") != "cdn/" || !strings.Contains(strings.Join(cdn.Dependencies, " "), "a-logs-ownership") {
		t.Error("the distribution does not log, or before the bucket takes its logs")
	}
	for _, name := range []string{"a-files", "a-logs"} {
		b := recorder.Must(t, list, "aws:s3/bucketV2:BucketV2", name)
		if !b.Protect || b.Input("forceDestroy") != false {
			t.Errorf("%s is not protected", name)
		}
		recorder.Expect(t, recorder.Must(t, list, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", name+"-public-access"), map[string]any{
			"blockPublicAcls": true, "blockPublicPolicy": true, "ignorePublicAcls": true, "restrictPublicBuckets": true,
		})
		policy := policyOf(t, recorder.Must(t, list, "aws:s3/bucketPolicy:BucketPolicy", name+"-policy"), "policy")
		if s := statement(t, policy, "TlsOnly"); s.Effect != "Deny" || s.Condition["Bool"]["aws:SecureTransport"] != "false" {
			t.Errorf("%s takes plain HTTP: %+v", name, s)
		}
	}
	const lifecycle = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
	recorder.Expect(t, recorder.Must(t, list, lifecycle, "a-logs-lifecycle"), map[string]any{
		"rules.1.expiration.days": 90, "rules.2.noncurrentVersionExpiration.noncurrentDays": 7, "rules.2.expiration.expiredObjectDeleteMarker": true,
	})
	recorder.Expect(t, recorder.Must(t, list, lifecycle, "a-files-lifecycle"), map[string]any{"rules.1.noncurrentVersionExpiration.noncurrentDays": 30, "rules.1.expiration.days": nil})
	if recorder.Must(t, list, "aws:s3/bucketV2:BucketV2", "b-files").Protect {
		t.Error("a disposable site is protected")
	}
	read := statement(t, policyOf(t, recorder.Must(t, list, "aws:s3/bucketPolicy:BucketPolicy", "a-files-policy"), "policy"), "CloudFrontReads")
	if read.Action != "s3:GetObject" || read.Condition["StringEquals"]["AWS:SourceArn"] != "arn:aws:a-cdn" {
		t.Errorf("not only this distribution may read: %+v", read)
	}
	recorder.Expect(t, recorder.Must(t, list, "aws:s3/bucketOwnershipControls:BucketOwnershipControls", "a-logs-ownership"), map[string]any{"rule.objectOwnership": "BucketOwnerPreferred"})
	recorder.Expect(t, recorder.Must(t, list, "aws:s3/bucketOwnershipControls:BucketOwnershipControls", "a-files-ownership"), map[string]any{"rule.objectOwnership": "BucketOwnerEnforced"})
	recorder.Expect(t, recorder.Must(t, list, "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy", "a-headers"), map[string]any{
		"securityHeadersConfig.strictTransportSecurity.accessControlMaxAgeSec": 63072000,
		"securityHeadersConfig.contentSecurityPolicy.contentSecurityPolicy":    "default-src 'self'",
		"securityHeadersConfig.frameOptions.frameOption":                       "DENY",
		"securityHeadersConfig.contentTypeOptions.override":                    true,
	})
	for _, r := range list {
		if strings.HasPrefix(r.Type, "aws:acm/") && !strings.Contains(r.Provider, "aws-us-east-1") {
			t.Errorf("%s is not in us-east-1 but at %q", r.Name, r.Provider)
		}
	}
}

func TestStaticSiteRefuses(t *testing.T) {
	for field, spoil := range map[string]func(*StaticSiteArgs){
		"Domains":               func(a *StaticSiteArgs) { a.Domains = []string{"App.morphee.app"} },
		"ZoneID":                func(a *StaticSiteArgs) { a.ZoneID = nil },
		"UsEast1":               func(a *StaticSiteArgs) { a.UsEast1 = nil },
		"ContentSecurityPolicy": func(a *StaticSiteArgs) { a.ContentSecurityPolicy = "" },
		"PriceClass":            func(a *StaticSiteArgs) { a.PriceClass = "PriceClass_300" },
		"LogRetentionDays":      func(a *StaticSiteArgs) { a.LogRetentionDays = 4000 },
		"PreviousVersionDays":   func(a *StaticSiteArgs) { a.PreviousVersionDays = 366 },
	} {
		recorder.Refuses(t, field, func(ctx *pulumi.Context) error {
			args := siteArgs(&awsprovider.Provider{})
			spoil(args)
			_, err := NewStaticSite(ctx, "a", args)
			return err
		})
	}
}
