package aws

import (
	"encoding/pem"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const (
	certificateToken = "aws:acm/certificate:Certificate"
	validationToken  = "aws:acm/certificateValidation:CertificateValidation"
)

func acmTypes() []cloud.Type { return []cloud.Type{certificateType(), validationType()} }

func certificateType() cloud.Type {
	inUse := func(self, by *cloud.Resource) error {
		return refuse("ACM", "DeleteCertificate", "ResourceInUseException", "Certificate %s in account %s is in use. (by %s %s)", self.ID, accountID, by.Type, by.ID)
	}
	return cloud.Type{
		Token:  certificateToken,
		Check:  checkCertificate,
		Create: createCertificate,
		InUse: []cloud.Ref{
			{Type: distributionToken, Path: "viewerCertificate.acmCertificateArn", Error: inUse},
			{Type: "aws:lb/listener:Listener", Path: "certificateArn", Error: inUse},
			{Type: "aws:lb/listenerCertificate:ListenerCertificate", Path: "certificateArn", Error: inUse},
		},
		// Another way of writing the same names is no other certificate.
		Same: func(property string, old, new any) bool {
			return property == "domainName" && strings.EqualFold(strings.TrimSuffix(cloud.Text(old), "."), strings.TrimSuffix(cloud.Text(new), "."))
		},
		Takes: cloud.Durations{Create: seconds(10), Update: seconds(2), Delete: seconds(10)},
	}
}

var certificateDomain = regexp.MustCompile(`^(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

func checkCertificate(c *cloud.CheckCall) {
	for _, d := range append([]string{c.In.String("domainName")}, c.In.Strings("subjectAlternativeNames")...) {
		if strings.HasSuffix(d, ".") {
			c.Fail("domainName", "invalid value for domain_name (cannot end with a period): %q", d)
		}
	}
	if c.In.Has("domainName") && !c.In.Has("validationMethod") && !c.In.Has("certificateAuthorityArn") {
		c.Fail("validationMethod", "one of validationMethod (DNS or EMAIL) and certificateAuthorityArn is needed for a certificate that AWS issues")
	}
}

func createCertificate(c *cloud.Call) error {
	imported := c.In.String("privateKey") != ""
	if imported {
		if block, _ := pem.Decode([]byte(c.In.String("certificateBody"))); block == nil {
			return refuse("ACM", "ImportCertificate", "ValidationException", "The certificate field contains more than one certificate or no PEM-encoded one. You can specify only one certificate in this field.")
		}
	} else if err := checkCertificateNames(c); err != nil {
		return err
	}
	c.ID = arn("acm", c.Scope, "certificate/"+c.Gen.UUID("certificate"))
	c.Out["arn"], c.Out["pendingRenewal"] = c.ID, false
	c.Out["notAfter"], c.Out["notBefore"], c.Out["renewalEligibility"] = "", "", "INELIGIBLE"
	c.Out["type"], c.Out["status"] = "AMAZON_ISSUED", "PENDING_VALIDATION"
	c.Out["validationEmails"], c.Out["domainValidationOptions"] = []any{}, []any{}
	computed(c, "keyAlgorithm", "RSA_2048")
	switch {
	case imported:
		c.Out["type"] = "IMPORTED"
		markIssued(c.Out)
	case c.In.String("certificateAuthorityArn") != "":
		c.Out["type"] = "PRIVATE"
		markIssued(c.Out)
	case c.In.String("validationMethod") == "EMAIL":
		c.Out["validationEmails"] = []any{"admin@" + strings.TrimPrefix(c.In.String("domainName"), "*."), "hostmaster@" + strings.TrimPrefix(c.In.String("domainName"), "*.")}
	default:
		var options []any
		for _, d := range certificateNames(c.In) {
			name, value := validationRecord(c.World, d)
			options = append(options, cloud.Object{"domainName": d, "resourceRecordName": name, "resourceRecordType": "CNAME", "resourceRecordValue": value})
		}
		c.Out["domainValidationOptions"] = options
	}
	if !imported {
		computed(c, "subjectAlternativeNames", certificateNames(c.In))
	}
	return nil
}

func checkCertificateNames(c *cloud.Call) error {
	const op = "RequestCertificate"
	names := certificateNames(c.In)
	if len(names) > 10 {
		return refuse("ACM", op, "LimitExceededException", "Error: you have reached your limit of 10 domain names in a certificate (got %d)", len(names))
	}
	for i, d := range names {
		switch {
		case !certificateDomain.MatchString(d):
			return refuse("ACM", op, "ValidationException", "1 validation error detected: Value '%s' at 'domainName' failed to satisfy constraint: Member must satisfy regular expression pattern: a fully qualified domain name, whose first label may be *", d)
		case i == 0 && len(d) > 64:
			return refuse("ACM", op, "ValidationException", "The first domain name can be no longer than 64 characters. (%s has %d)", d, len(d))
		case strings.HasSuffix(d, ".amazonaws.com") || strings.HasSuffix(d, ".cloudfront.net"):
			return refuse("ACM", op, "InvalidParameterException", "Cannot request certificates for domains that belong to AWS: %s", d)
		}
	}
	for _, o := range c.In.Objects("validationOptions") {
		if d := o.String("domainName"); !slices.Contains(names, d) || !strings.HasSuffix("."+d, "."+o.String("validationDomain")) {
			return refuse("ACM", op, "InvalidDomainValidationOptionsException", "Validation domain %s must be %s or a superdomain of it, and that one of the certificate's names", o.String("validationDomain"), d)
		}
	}
	return nil
}

// certificateNames are the certificate's names, each once, in the program's order.
func certificateNames(in cloud.Object) []string {
	var out []string
	for _, d := range append([]string{in.String("domainName")}, in.Strings("subjectAlternativeNames")...) {
		if d = strings.ToLower(d); d != "" && !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	return out
}

// validationRecord is the CNAME that proves a domain to ACM. It belongs to the domain and the
// account: a wildcard shares it with its parent, and so do certificates in other regions.
func validationRecord(w *cloud.World, domain string) (name, value string) {
	base := strings.TrimPrefix(domain, "*.")
	g := cloud.Gen{Seed: w.Seed + "\x00acm\x00" + accountID}
	return fmt.Sprintf("_%s.%s.", g.Hex("name "+base, 32), base), fmt.Sprintf("_%s.%s.acm-validations.aws.", g.Hex("value "+base, 32), g.Pick("part "+base, "bcdfghjklmnpqrstvwxz", 10))
}

func markIssued(out cloud.Object) {
	out["status"], out["notBefore"], out["notAfter"] = "ISSUED", "2026-01-01T00:00:00Z", "2027-01-31T23:59:59Z"
	if out["type"] == "AMAZON_ISSUED" {
		out["renewalEligibility"] = "ELIGIBLE"
	}
}

// issued tells whether a service would take the certificate.
func issued(w *cloud.World, cert *cloud.Resource) bool { return cert.Out.String("status") == "ISSUED" }

// covers tells whether the certificate is good for the domain: a wildcard stands for one label.
func covers(cert *cloud.Resource, domain string) bool {
	names := append(certificateNames(cert.In), cert.Out.Strings("subjectAlternativeNames")...)
	if cert.Out.String("type") == "IMPORTED" {
		return true
	}
	return slices.ContainsFunc(names, func(n string) bool {
		if strings.EqualFold(n, domain) {
			return true
		}
		parent, wild := strings.CutPrefix(n, "*")
		_, rest, _ := strings.Cut(domain, ".")
		return wild && "."+rest == parent && !strings.HasPrefix(domain, "*")
	})
}

func validationType() cloud.Type {
	return cloud.Type{
		Token:  validationToken,
		Create: validate,
		Takes:  cloud.Durations{Create: minutes(2)},
	}
}

// validate waits for ACM to issue the certificate, which it does once every proof is in the public
// DNS. What is missing never comes while the simulator waits, so the wait ends as it would after 75 minutes.
func validate(c *cloud.Call) error {
	ref := c.In.String("certificateArn")
	cert := c.Find(certificateToken, ref)
	if cert == nil {
		return refuse("ACM", "DescribeCertificate", "ResourceNotFoundException", "Could not find certificate %s. (a certificate is validated by a provider of its own region)", ref)
	}
	if cert.Out.String("type") != "AMAZON_ISSUED" {
		return cloud.Refuse("", "ACM Certificate (%s) has type %s, no validation necessary", ref, cert.Out.String("type"))
	}
	if fqdns := c.In.Strings("validationRecordFqdns"); len(fqdns) > 0 {
		if cert.In.String("validationMethod") != "DNS" {
			return cloud.Refuse("", "validation_record_fqdns is not valid for %s validation", cert.In.String("validationMethod"))
		}
		for _, o := range cert.Out.Objects("domainValidationOptions") {
			if want := o.String("resourceRecordName"); !slices.ContainsFunc(fqdns, func(f string) bool { return dnsEqual(f, want) }) {
				return cloud.Refuse("", "missing %s DNS validation record: %s", o.String("domainName"), strings.TrimSuffix(want, "."))
			}
		}
	}
	for _, o := range cert.Out.Objects("domainValidationOptions") {
		if why := proofMissing(c.World, o.String("resourceRecordName"), o.String("resourceRecordValue")); why != "" {
			return notIssued(ref, why)
		}
	}
	if cert.In.String("validationMethod") == "EMAIL" {
		return notIssued(ref, "validation by e-mail waits for a person")
	}
	if !issued(c.World, cert) {
		changed := *cert
		changed.Out = cert.Out.Clone()
		markIssued(changed.Out)
		c.World.Put(&changed)
	}
	c.ID = c.Gen.Time()[:19] + "." + c.Gen.Pick("id", "0123456789", 9) + " +0000 UTC"
	return nil
}

func notIssued(ref, why string) error {
	return cloud.Refuse("timeout", "waiting for ACM Certificate (%s) to be issued: timeout while waiting for state to become 'ISSUED' (last state: 'PENDING_VALIDATION', timeout: 1h15m0s): %s", ref, why)
}
