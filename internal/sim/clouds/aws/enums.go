package aws

import (
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// choice is an input whose values are a closed list. The lists are complete as of provider v6.83,
// unlike those of the facts, which stem from an older one. "*" in a path is every element.
type choice struct{ path, values string }

var choices = map[string][]choice{
	keyToken: {{"keyUsage", "ENCRYPT_DECRYPT SIGN_VERIFY GENERATE_VERIFY_MAC KEY_AGREEMENT"},
		{"customerMasterKeySpec", "SYMMETRIC_DEFAULT RSA_2048 RSA_3072 RSA_4096 HMAC_224 HMAC_256 HMAC_384 HMAC_512 ECC_NIST_P256 ECC_NIST_P384 ECC_NIST_P521 ECC_SECG_P256K1 ML_DSA_44 ML_DSA_65 ML_DSA_87 SM2"}},
	versioningToken:                  {{"versioningConfiguration.status", "Enabled Suspended Disabled"}, {"versioningConfiguration.mfaDelete", "Enabled Disabled"}},
	ownershipToken:                   {{"rule.objectOwnership", "BucketOwnerPreferred ObjectWriter BucketOwnerEnforced"}},
	"aws:s3/bucketAclV2:BucketAclV2": {{"acl", "private public-read public-read-write authenticated-read aws-exec-read log-delivery-write bucket-owner-read bucket-owner-full-control"}},
	"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": {{"rules.*.applyServerSideEncryptionByDefault.sseAlgorithm", "AES256 aws:kms aws:kms:dsse"}},
	lifecycleToken: {{"rules.*.status", "Enabled Disabled"}, {"rules.*.transitions.*.storageClass", s3TransitionClasses},
		{"rules.*.noncurrentVersionTransitions.*.storageClass", s3TransitionClasses}},
	objectToken: {{"storageClass", s3Classes}, {"serverSideEncryption", "AES256 aws:kms aws:kms:dsse"}},
	distributionToken: {{"priceClass", "PriceClass_All PriceClass_200 PriceClass_100 None"}, {"httpVersion", "http1.1 http2 http3 http2and3"},
		{"defaultCacheBehavior.viewerProtocolPolicy", viewerProtocols}, {"orderedCacheBehaviors.*.viewerProtocolPolicy", viewerProtocols},
		{"viewerCertificate.minimumProtocolVersion", "SSLv3 TLSv1 TLSv1_2016 TLSv1.1_2016 TLSv1.2_2018 TLSv1.2_2019 TLSv1.2_2021 TLSv1.2_2025 TLSv1.3_2025"},
		{"viewerCertificate.sslSupportMethod", "sni-only vip static-ip"}, {"restrictions.geoRestriction.restrictionType", "none whitelist blacklist"},
		{"origins.*.customOriginConfig.originProtocolPolicy", "http-only https-only match-viewer"}, {"origins.*.customOriginConfig.originSslProtocols.*", "SSLv3 TLSv1 TLSv1.1 TLSv1.2"}},
	oacToken:          {{"originAccessControlOriginType", "s3 mediastore mediapackagev2 lambda"}, {"signingBehavior", "always never no-override"}, {"signingProtocol", "sigv4"}},
	edgeFunctionToken: {{"runtime", "cloudfront-js-1.0 cloudfront-js-2.0"}},
	headersPolicyToken: {{"securityHeadersConfig.frameOptions.frameOption", "DENY SAMEORIGIN"},
		{"securityHeadersConfig.referrerPolicy.referrerPolicy", "no-referrer no-referrer-when-downgrade origin origin-when-cross-origin same-origin strict-origin strict-origin-when-cross-origin unsafe-url"}},
	certificateToken: {{"validationMethod", "DNS EMAIL"}, {"keyAlgorithm", "RSA_1024 RSA_2048 RSA_3072 RSA_4096 EC_prime256v1 EC_secp384r1 EC_secp521r1"}},
	recordToken: {{"type", "A AAAA CAA CNAME DS HTTPS MX NAPTR NS PTR SOA SPF SRV SSHFP SVCB TLSA TXT"},
		{"failoverRoutingPolicies.*.type", "PRIMARY SECONDARY"}},
	healthCheckToken: {{"requestInterval", "10 30"}},
	logGroupToken: {{"retentionInDays", "0 1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653"},
		{"logGroupClass", "STANDARD INFREQUENT_ACCESS DELIVERY"}},
	metricAlarmToken: {{"comparisonOperator", "GreaterThanOrEqualToThreshold GreaterThanThreshold LessThanThreshold LessThanOrEqualToThreshold " + strings.Join(anomalyOperators, " ")},
		{"statistic", "SampleCount Average Sum Minimum Maximum"}, {"treatMissingData", "breaching notBreaching ignore missing"}, {"evaluateLowSampleCountPercentiles", "evaluate ignore"}},
	scheduleToken: {{"flexibleTimeWindow.mode", "OFF FLEXIBLE"}, {"state", "ENABLED DISABLED"}},
	repositoryToken: {{"imageTagMutability", "MUTABLE IMMUTABLE IMMUTABLE_WITH_EXCLUSION MUTABLE_WITH_EXCLUSION"},
		{"encryptionConfigurations.*.encryptionType", "AES256 KMS KMS_DSSE"}},
	"aws:sns/topicSubscription:TopicSubscription": {{"protocol", "application email email-json firehose http https lambda sms sqs"}},
	parameterToken: {{"type", "String StringList SecureString"}, {"tier", "Standard Advanced Intelligent-Tiering"}},
	"aws:budgets/budget:Budget": {{"budgetType", "USAGE COST RI_UTILIZATION RI_COVERAGE SAVINGS_PLANS_UTILIZATION SAVINGS_PLANS_COVERAGE"},
		{"timeUnit", "DAILY MONTHLY QUARTERLY ANNUALLY CUSTOM"}, {"notifications.*.comparisonOperator", "GREATER_THAN LESS_THAN EQUAL_TO"}, {"notifications.*.notificationType", "ACTUAL FORECASTED"}},
	webACLToken:    {{"scope", "REGIONAL CLOUDFRONT"}},
	ipSetToken:     {{"scope", "REGIONAL CLOUDFRONT"}, {"ipAddressVersion", "IPV4 IPV6"}},
	accessKeyToken: {{"status", "Active Inactive"}},
}

const (
	s3TransitionClasses = "GLACIER STANDARD_IA ONEZONE_IA INTELLIGENT_TIERING DEEP_ARCHIVE GLACIER_IR"
	s3Classes           = "STANDARD REDUCED_REDUNDANCY OUTPOSTS SNOW EXPRESS_ONEZONE FSX_OPENZFS " + s3TransitionClasses
	viewerProtocols     = "allow-all https-only redirect-to-https"
)

// withChoices refuses in the plan what is not in a closed list, as the provider does.
func withChoices(t cloud.Type) cloud.Type {
	list, next := choices[t.Token], t.Check
	if list == nil {
		return t
	}
	t.Check = func(c *cloud.CheckCall) {
		for _, ch := range list {
			allowed := strings.Fields(ch.values)
			for _, v := range every(c.In, strings.Split(ch.path, ".")) {
				if s := cloud.Text(v); s != "" && !slices.Contains(allowed, s) {
					c.Fail(ch.path, "expected %s to be one of [%s], got %s", ch.path, ch.values, s)
				}
			}
		}
		if next != nil {
			next(c)
		}
	}
	return t
}

// every returns the values at a path in which "*" stands for every element of a list.
func every(v any, path []string) []any {
	if len(path) == 0 {
		return []any{v}
	}
	switch at := v.(type) {
	case cloud.Object:
		if e := at[path[0]]; e != nil {
			return every(e, path[1:])
		}
	case []any:
		var out []any
		if path[0] == "*" {
			for _, e := range at {
				out = append(out, every(e, path[1:])...)
			}
		}
		return out
	}
	return nil
}
