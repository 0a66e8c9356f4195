package aws

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// CertificateType is the type token of Certificate.
const CertificateType = "morphee:aws:Certificate"

// CertificateArgs are the decisions about one certificate.
type CertificateArgs struct {
	// Domains: the first is the certificate's name; 1 to 10, each once, lower case. Changing them
	// replaces the certificate, the new one before the old.
	Domains []string
	// CloudflareZoneID holds the records that prove ownership; required.
	CloudflareZoneID pulumi.StringInput
	Tags             base.Tags
}

// Certificate is an ACM certificate proved through DNS records at Cloudflare. It is made in the
// region of the AWS provider that it is given.
type Certificate struct {
	pulumi.ResourceState
	// Arn of the certificate, known only once it is issued.
	Arn pulumi.StringOutput
}
