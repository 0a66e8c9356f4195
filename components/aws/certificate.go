package aws

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi-cloudflare/sdk/v5/go/cloudflare"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// edgeCertificate registers a certificate for the domains in the region of the aws provider among
// opts, proves the domains through records of the Cloudflare zone, and returns the ARN once the
// certificate is valid.
func edgeCertificate(ctx *pulumi.Context, name string, domains []string, zoneID pulumi.StringInput, tags base.Tags, parent pulumi.Resource, region pulumi.ResourceOption) (pulumi.StringOutput, error) {
	cert, err := acm.NewCertificate(ctx, name, &acm.CertificateArgs{
		DomainName:              pulumi.String(domains[0]),
		SubjectAlternativeNames: pulumi.ToStringArray(domains[1:]),
		ValidationMethod:        pulumi.String("DNS"),
		Tags:                    tags.Pulumi("Name", name),
	}, pulumi.Parent(parent), region) // a replacement is made and validated before the old one goes
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	fqdns := pulumi.StringArray{}
	for _, domain := range domains {
		proof := validationOf(cert, domain)
		record, err := cloudflare.NewRecord(ctx, name+"-proof-"+domain, &cloudflare.RecordArgs{
			ZoneId:  zoneID,
			Name:    trimDot(proof.ResourceRecordName()),
			Type:    proof.ResourceRecordType().Elem(),
			Content: trimDot(proof.ResourceRecordValue()),
			Ttl:     pulumi.Int(60),
			Proxied: pulumi.Bool(false),
			Comment: pulumi.String("Proves " + domain + " to AWS Certificate Manager; also needed for renewal"),
			// A wildcard and its parent, or the same name in two regions, share one record.
			AllowOverwrite: pulumi.Bool(true),
		}, pulumi.Parent(parent))
		if err != nil {
			return pulumi.StringOutput{}, err
		}
		fqdns = append(fqdns, record.Hostname)
	}
	valid, err := acm.NewCertificateValidation(ctx, name+"-valid", &acm.CertificateValidationArgs{
		CertificateArn: cert.Arn, ValidationRecordFqdns: fqdns,
	}, pulumi.Parent(parent), region)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return valid.CertificateArn, nil
}

// validationOf finds the proof AWS wants for a domain. AWS gives them in no particular order.
func validationOf(cert *acm.Certificate, domain string) acm.CertificateDomainValidationOptionOutput {
	return cert.DomainValidationOptions.ApplyT(func(options []acm.CertificateDomainValidationOption) (acm.CertificateDomainValidationOption, error) {
		for _, o := range options {
			if o.DomainName != nil && *o.DomainName == domain {
				return o, nil
			}
		}
		return acm.CertificateDomainValidationOption{}, fmt.Errorf("certificate: AWS gave no validation record for %s", domain)
	}).(acm.CertificateDomainValidationOptionOutput)
}

// trimDot drops the dot that AWS ends names with and Cloudflare does not, which would be a
// difference at every preview.
func trimDot(s pulumi.StringPtrOutput) pulumi.StringOutput {
	return s.Elem().ApplyT(func(v string) string { return strings.TrimSuffix(v, ".") }).(pulumi.StringOutput)
}
