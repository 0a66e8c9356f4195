package aws

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi-cloudflare/sdk/v5/go/cloudflare"
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
	// ProvedBy is a certificate of the same account with the same domains: ACM asks for the same
	// records in every region, and they can be there only once.
	ProvedBy *Certificate
	Tags     base.Tags
}

// Certificate is an ACM certificate proved through DNS records at Cloudflare. It is made in the
// region of the AWS provider that it is given.
type Certificate struct {
	pulumi.ResourceState
	// Arn of the certificate, known only once it is issued.
	Arn pulumi.StringOutput

	domains []string
	proofs  pulumi.StringArray // names of the records
}

func (a *CertificateArgs) validate(name string) error {
	p := base.Check("Certificate", name)
	p.Require(len(a.Domains) >= 1 && len(a.Domains) <= 10, "Domains", len(a.Domains), "1 to 10", "")
	seen := map[string]bool{}
	for _, d := range a.Domains {
		p.Require(domainName.MatchString(d) && len(d) <= 253, "Domains", d, "a domain name in lower case, perhaps with a leading *.", "")
		p.Require(!seen[d], "Domains", d, "each name once", "")
		seen[d] = true
	}
	if len(a.Domains) > 0 {
		p.Require(len(a.Domains[0]) <= 64, "Domains", a.Domains[0], "at most 64 characters for the first name", "")
	}
	p.Require(a.ProvedBy == nil || slices.Equal(a.ProvedBy.domains, a.Domains), "ProvedBy", "a certificate for other domains", strings.Join(a.Domains, " "), "")
	p.Require(a.CloudflareZoneID != nil, "CloudflareZoneID", "nothing", "the id of the zone at Cloudflare", "")
	return p.Err()
}

// NewCertificate registers the certificate, its proof in DNS and the wait for it to be issued.
func NewCertificate(ctx *pulumi.Context, name string, in *CertificateArgs, opts ...pulumi.ResourceOption) (*Certificate, error) {
	args := *in
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &Certificate{domains: args.Domains}
	if err := ctx.RegisterComponentResourceV2(CertificateType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	certificate, err := acm.NewCertificate(ctx, name+"-certificate", &acm.CertificateArgs{
		DomainName: pulumi.String(args.Domains[0]), SubjectAlternativeNames: pulumi.ToStringArray(args.Domains[1:]),
		ValidationMethod: pulumi.String("DNS"), KeyAlgorithm: pulumi.String("EC_prime256v1"),
		Tags: args.Tags.Pulumi("Name", args.Domains[0]),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, err
	}
	if args.ProvedBy != nil {
		c.proofs = args.ProvedBy.proofs
	} else if err := c.prove(ctx, name, certificate, args); err != nil {
		return nil, err
	}
	issued, err := acm.NewCertificateValidation(ctx, name+"-issued", &acm.CertificateValidationArgs{
		CertificateArn: certificate.Arn, ValidationRecordFqdns: c.proofs,
	}, pulumi.Parent(c))
	if err != nil {
		return nil, err
	}
	c.Arn = issued.CertificateArn
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"arn": c.Arn})
}

// prove registers the records that prove the domains.
func (c *Certificate) prove(ctx *pulumi.Context, name string, certificate *acm.Certificate, args CertificateArgs) error {
	done := map[string]bool{}
	for _, domain := range args.Domains {
		// A wildcard is proved by the same record as the name it is under.
		domain = strings.TrimPrefix(domain, "*.")
		if done[domain] {
			continue
		}
		done[domain] = true
		proof := proofOf(certificate, domain)
		record, err := cloudflare.NewRecord(ctx, name+"-proof-"+strings.ReplaceAll(domain, ".", "-"), &cloudflare.RecordArgs{
			ZoneId: args.CloudflareZoneID, Name: proof.Index(pulumi.Int(0)), Type: proof.Index(pulumi.Int(1)), Content: proof.Index(pulumi.Int(2)).ToStringPtrOutput(),
			// Not proxied: ACM must see the record itself, now and at every renewal.
			Proxied: pulumi.Bool(false), Ttl: pulumi.Int(300), Comment: pulumi.String("Proves ownership to ACM; needed for renewals"),
		}, pulumi.Parent(c))
		if err != nil {
			return err
		}
		c.proofs = append(c.proofs, record.Hostname)
	}
	return nil
}

// proofOf is the name, type and content of the DNS record that proves the domain. ACM lists them in
// no order.
func proofOf(certificate *acm.Certificate, domain string) pulumi.StringArrayOutput {
	return certificate.DomainValidationOptions.ApplyT(func(options []acm.CertificateDomainValidationOption) ([]string, error) {
		for _, o := range options {
			if o.DomainName == nil || o.ResourceRecordName == nil || o.ResourceRecordType == nil || o.ResourceRecordValue == nil {
				continue
			}
			if strings.TrimPrefix(*o.DomainName, "*.") == domain {
				return []string{strings.TrimSuffix(*o.ResourceRecordName, "."), *o.ResourceRecordType, strings.TrimSuffix(*o.ResourceRecordValue, ".")}, nil
			}
		}
		return nil, fmt.Errorf("certificate: ACM gave no DNS record to prove %s with; refresh the stack and try again", domain)
	}).(pulumi.StringArrayOutput)
}
