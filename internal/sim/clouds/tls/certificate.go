package tls

import (
	"crypto"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net"
	"net/url"
	"time"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

var keyUses = map[string]x509.KeyUsage{
	"cert_signing": x509.KeyUsageCertSign, "content_commitment": x509.KeyUsageContentCommitment, "crl_signing": x509.KeyUsageCRLSign,
	"data_encipherment": x509.KeyUsageDataEncipherment, "decipher_only": x509.KeyUsageDecipherOnly, "digital_signature": x509.KeyUsageDigitalSignature,
	"encipher_only": x509.KeyUsageEncipherOnly, "key_agreement": x509.KeyUsageKeyAgreement, "key_encipherment": x509.KeyUsageKeyEncipherment,
}

var extendedUses = map[string]x509.ExtKeyUsage{
	"any_extended": x509.ExtKeyUsageAny, "client_auth": x509.ExtKeyUsageClientAuth, "code_signing": x509.ExtKeyUsageCodeSigning,
	"email_protection": x509.ExtKeyUsageEmailProtection, "ocsp_signing": x509.ExtKeyUsageOCSPSigning, "server_auth": x509.ExtKeyUsageServerAuth,
	"timestamping": x509.ExtKeyUsageTimeStamping, "ipsec_end_system": x509.ExtKeyUsageIPSECEndSystem, "ipsec_tunnel": x509.ExtKeyUsageIPSECTunnel,
	"ipsec_user": x509.ExtKeyUsageIPSECUser, "microsoft_server_gated_crypto": x509.ExtKeyUsageMicrosoftServerGatedCrypto,
	"netscape_server_gated_crypto": x509.ExtKeyUsageNetscapeServerGatedCrypto, "microsoft_commercial_code_signing": x509.ExtKeyUsageMicrosoftCommercialCodeSigning,
	"microsoft_kernel_code_signing": x509.ExtKeyUsageMicrosoftKernelCodeSigning,
}

func checkCertificate(c *cloud.CheckCall) {
	checkSubject(c)
	for _, use := range c.In.Strings("allowedUses") {
		_, plain := keyUses[use]
		if _, extended := extendedUses[use]; !plain && !extended {
			c.Fail("allowedUses", "%q is no key usage; write it like server_auth, digital_signature, cert_signing", use)
		}
	}
}

func checkSubject(c *cloud.CheckCall) {
	for _, ip := range c.In.Strings("ipAddresses") {
		if net.ParseIP(ip) == nil {
			c.Fail("ipAddresses", "%q is not an IP address", ip)
		}
	}
	for _, u := range c.In.Strings("uris") {
		if _, err := url.Parse(u); err != nil {
			c.Fail("uris", "%q is not a URI", u)
		}
	}
}

var emailOID = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}

func subject(o cloud.Object) pkix.Name {
	list := func(property string) []string {
		if s := o.String(property); s != "" {
			return []string{s}
		}
		return nil
	}
	n := pkix.Name{
		CommonName: o.String("commonName"), SerialNumber: o.String("serialNumber"), Country: list("country"), Locality: list("locality"),
		Organization: list("organization"), OrganizationalUnit: list("organizationalUnit"), PostalCode: list("postalCode"),
		Province: list("province"), StreetAddress: o.Strings("streetAddresses"),
	}
	if email := o.String("emailAddress"); email != "" {
		n.ExtraNames = append(n.ExtraNames, pkix.AttributeTypeAndValue{Type: emailOID, Value: asn1.RawValue{Tag: asn1.TagIA5String, Bytes: []byte(email)}})
	}
	return n
}

func names(o cloud.Object) (ips []net.IP, uris []*url.URL) {
	for _, s := range o.Strings("ipAddresses") {
		ips = append(ips, net.ParseIP(s))
	}
	for _, s := range o.Strings("uris") {
		if u, err := url.Parse(s); err == nil {
			uris = append(uris, u)
		}
	}
	return ips, uris
}

// Signatures take no random numbers: with a nil source ECDSA derives its own from key and message.

func createRequest(c *cloud.Call) error {
	key, err := parseKey(c.In.String("privateKeyPem"), "privateKeyPem")
	if err != nil {
		return err
	}
	ips, uris := names(c.In)
	der, err := x509.CreateCertificateRequest(nil, &x509.CertificateRequest{
		Subject: subject(c.In.Object("subject")), DNSNames: c.In.Strings("dnsNames"), IPAddresses: ips, URIs: uris,
	}, key)
	if err != nil {
		return cloud.Refuse("", "failed to create certificate request: %v", err)
	}
	c.Out["keyAlgorithm"], c.Out["certRequestPem"] = algorithm(key.Public()), encode("CERTIFICATE REQUEST", der)
	c.ID = c.Gen.Hex("id", 40)
	return nil
}

func createSelfSigned(c *cloud.Call) error {
	key, err := parseKey(c.In.String("privateKeyPem"), "privateKeyPem")
	if err != nil {
		return err
	}
	ips, uris := names(c.In)
	t := &x509.Certificate{Subject: subject(c.In.Object("subject")), DNSNames: c.In.Strings("dnsNames"), IPAddresses: ips, URIs: uris}
	c.Out["keyAlgorithm"] = algorithm(key.Public())
	if c.In.Bool("setAuthorityKeyId") {
		t.AuthorityKeyId = keyID(key.Public())
	}
	return sign(c, t, t, key.Public(), key)
}

func createLocallySigned(c *cloud.Call) error {
	key, err := parseKey(c.In.String("caPrivateKeyPem"), "caPrivateKeyPem")
	if err != nil {
		return err
	}
	b, err := block(c.In.String("caCertPem"), "CERTIFICATE", "caCertPem")
	if err != nil {
		return err
	}
	ca, err := x509.ParseCertificate(b.Bytes)
	if err != nil {
		return cloud.Refuse("", "caCertPem: failed to parse certificate")
	}
	if b, err = block(c.In.String("certRequestPem"), "CERTIFICATE REQUEST", "certRequestPem"); err != nil {
		return err
	}
	request, err := x509.ParseCertificateRequest(b.Bytes)
	if err != nil {
		return cloud.Refuse("", "certRequestPem: failed to parse certificate request")
	}
	c.Out["caKeyAlgorithm"] = algorithm(key.Public())
	return sign(c, &x509.Certificate{
		Subject: request.Subject, DNSNames: request.DNSNames, IPAddresses: request.IPAddresses, URIs: request.URIs,
	}, ca, request.PublicKey, key)
}

func keyID(key crypto.PublicKey) []byte {
	der, _ := x509.MarshalPKIXPublicKey(key)
	sum := sha1.Sum(der)
	return sum[:]
}

// sign completes the certificate as the inputs say and sets the outputs.
func sign(c *cloud.Call, t, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) error {
	// One moment for all, so that no certificate is older than the one that signed it.
	start := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	end := start.Add(time.Duration(c.In.Int("validityPeriodHours")) * time.Hour)
	t.NotBefore, t.NotAfter, t.BasicConstraintsValid, t.IsCA = start, end, true, c.In.Bool("isCaCertificate")
	t.SerialNumber = new(big.Int).SetBytes(append([]byte{1}, c.Gen.Bytes("serial", 15)...))
	if c.In.Bool("setSubjectKeyId") || t.IsCA {
		t.SubjectKeyId = keyID(public)
	}
	for _, use := range c.In.Strings("allowedUses") {
		if u, ok := keyUses[use]; ok {
			t.KeyUsage |= u
		} else {
			t.ExtKeyUsage = append(t.ExtKeyUsage, extendedUses[use])
		}
	}
	der, err := x509.CreateCertificate(nil, t, parent, public, key)
	if err != nil {
		return cloud.Refuse("", "failed to create certificate: %v", err)
	}
	c.ID = t.SerialNumber.String()
	c.Out["certPem"], c.Out["readyForRenewal"] = encode("CERTIFICATE", der), false
	c.Out["validityStartTime"], c.Out["validityEndTime"] = start.Format(time.RFC3339), end.Format(time.RFC3339)
	return nil
}
