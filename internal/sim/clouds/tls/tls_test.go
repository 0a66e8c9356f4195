package tls_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/morphee-app/morphee-infra/internal/sim/clouds/tls"
	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

type props = simtest.Props

const (
	privateKey = "tls:index/privateKey:PrivateKey"
	request    = "tls:index/certRequest:CertRequest"
	selfSigned = "tls:index/selfSignedCert:SelfSignedCert"
	signed     = "tls:index/locallySignedCert:LocallySignedCert"
)

func start(t *testing.T) *simtest.Sim { t.Helper(); return simtest.New(t, tls.Package()) }

var algorithms = map[string]props{
	"ED25519": {"algorithm": "ED25519"}, "P256": {"algorithm": "ECDSA", "ecdsaCurve": "P256"}, "P384": {"algorithm": "ECDSA", "ecdsaCurve": "P384"},
	"P521": {"algorithm": "ECDSA", "ecdsaCurve": "P521"}, "RSA": {"algorithm": "RSA"},
}

func TestKeysAreRealAndRepeat(t *testing.T) {
	for name, p := range algorithms {
		t.Run(name, func(t *testing.T) {
			r := start(t).Must(privateKey, "k", p)
			for _, form := range []string{"privateKeyPem", "privateKeyOpenssh"} {
				signer, err := ssh.ParsePrivateKey([]byte(r.Out.String(form)))
				if err != nil {
					t.Fatalf("%s: %v", form, err)
				}
				if got := string(ssh.MarshalAuthorizedKey(signer.PublicKey())); got != r.Out["publicKeyOpenssh"] {
					t.Errorf("%s belongs to %s, the public key is %s", form, got, r.Out["publicKeyOpenssh"])
				}
				if ssh.FingerprintSHA256(signer.PublicKey()) != r.Out["publicKeyFingerprintSha256"] || ssh.FingerprintLegacyMD5(signer.PublicKey()) != r.Out["publicKeyFingerprintMd5"] {
					t.Error("fingerprints differ")
				}
			}
			b, _ := pem.Decode([]byte(r.Out.String("privateKeyPemPkcs8")))
			key, err := x509.ParsePKCS8PrivateKey(b.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			b, _ = pem.Decode([]byte(r.Out.String("publicKeyPem")))
			der, err := x509.MarshalPKIXPublicKey(key.(crypto.Signer).Public())
			if err != nil || !bytes.Equal(b.Bytes, der) {
				t.Errorf("publicKeyPem is not the key's: %v", err)
			}
			again := start(t).Must(privateKey, "k", p)
			for property, v := range r.Out {
				if again.Out.String(property) != r.Out.String(property) {
					t.Errorf("two runs differ in %s: %v", property, v)
				}
			}
		})
	}
}

func TestP224HasNoOpenSSHForm(t *testing.T) {
	r := start(t).Must(privateKey, "k", props{"algorithm": "ECDSA"})
	if r.Out["publicKeyOpenssh"] != "" || r.Out["privateKeyOpenssh"] != "" || r.Out["privateKeyPem"] == "" {
		t.Errorf("%v", r.Out.Keys())
	}
}

func TestRefusals(t *testing.T) {
	key := start(t).Must(privateKey, "k", algorithms["ED25519"]).Out.String("privateKeyPem")
	cert := props{"privateKeyPem": key, "allowedUses": []string{"server_auth"}, "validityPeriodHours": 1}
	tests := []struct {
		rule, token string
		bad, good   props
		want        string
	}{
		{"algorithm", privateKey, props{"algorithm": "DSA"}, props{"algorithm": "ED25519"}, "expected one of RSA, ECDSA, ED25519"},
		{"curve", privateKey, props{"algorithm": "ECDSA", "ecdsaCurve": "P1"}, props{"ecdsaCurve": "P256"}, "expected one of P224"},
		{"RSA bits", privateKey, props{"algorithm": "RSA", "rsaBits": 512}, props{"rsaBits": 1024}, "expected 1024 to 8192"},
		{"key of a request", request, props{"privateKeyPem": "x"}, props{"privateKeyPem": key}, "no PEM block"},
		{"address of a request", request, props{"privateKeyPem": key, "ipAddresses": []string{"x"}}, props{"ipAddresses": []string{"::1"}}, "is not an IP address"},
		{"URI of a request", request, props{"privateKeyPem": key, "uris": []string{":"}}, props{"uris": []string{"spiffe://a/b"}}, "is not a URI"},
		{"use", selfSigned, with(cert, props{"allowedUses": []string{"serverAuth"}}), cert, "is no key usage"},
		{"key of a certificate", selfSigned, with(cert, props{"privateKeyPem": "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"}), cert, "unexpected PEM preamble"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			s := start(t)
			s.Refuses(test.token, "x", test.bad, test.want)
			s.Must(test.token, "x", with(test.bad, test.good))
		})
	}
}

func with(base, more props) props { return simtest.Merge(base, more) }

func TestCertificateChain(t *testing.T) {
	for name, p := range algorithms {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			key := s.Must(privateKey, "k", p).Out["privateKeyPem"]
			authority := s.Must(selfSigned, "ca", props{
				"privateKeyPem": key, "allowedUses": []string{"cert_signing", "crl_signing"}, "validityPeriodHours": 24 * 365 * 10, "isCaCertificate": true,
				"setAuthorityKeyId": true, "subject": props{"commonName": "Test CA", "organization": "Test"},
			})
			ask := s.Must(request, "r", props{"privateKeyPem": key, "dnsNames": []string{"db.internal"}, "ipAddresses": []string{"10.0.0.1"}, "subject": props{"commonName": "db", "emailAddress": "a@b.c"}})
			leaf := s.Must(signed, "leaf", props{
				"caPrivateKeyPem": key, "caCertPem": authority.Out["certPem"], "certRequestPem": ask.Out["certRequestPem"],
				"allowedUses": []string{"server_auth", "digital_signature"}, "validityPeriodHours": 24,
			})
			parse := func(text string) *x509.Certificate {
				b, _ := pem.Decode([]byte(text))
				c, err := x509.ParseCertificate(b.Bytes)
				if err != nil {
					t.Fatal(err)
				}
				return c
			}
			roots := x509.NewCertPool()
			roots.AddCert(parse(authority.Out.String("certPem")))
			c := parse(leaf.Out.String("certPem"))
			_, err := c.Verify(x509.VerifyOptions{Roots: roots, DNSName: "db.internal", CurrentTime: c.NotBefore.Add(1), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
			if err != nil || c.VerifyHostname("10.0.0.1") != nil || c.Subject.CommonName != "db" {
				t.Errorf("the chain does not hold: %v", err)
			}
			if leaf.Out["readyForRenewal"] != false || !strings.HasPrefix(leaf.Out.String("validityEndTime"), "2026-01-02T") {
				t.Errorf("valid until %v", leaf.Out["validityEndTime"])
			}
		})
	}
	s := start(t)
	key := s.Must(privateKey, "k", algorithms["ED25519"]).Out["privateKeyPem"]
	for _, bad := range []props{{"caCertPem": "x"}, {"certRequestPem": "x"}, {"caPrivateKeyPem": "x"}} {
		s.Refuses(signed, "x", with(props{"caPrivateKeyPem": key, "caCertPem": "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "certRequestPem": "y", "allowedUses": []string{}, "validityPeriodHours": 1}, bad), "Pem: ")
	}
}

func TestPublicKeyOfAPrivateOne(t *testing.T) {
	s := start(t)
	k := s.Must(privateKey, "k", algorithms["ED25519"])
	for _, form := range []string{"privateKeyPem", "privateKeyOpenssh"} {
		out, err := s.Invoke("tls:index/getPublicKey:getPublicKey", props{form: k.Out[form]})
		if err != nil || out["publicKeyOpenssh"] != k.Out["publicKeyOpenssh"] || out["algorithm"] != "ED25519" {
			t.Errorf("%s: %v", form, err)
		}
	}
	if _, err := s.Invoke("tls:index/getPublicKey:getPublicKey", props{"privateKeyPem": "x"}); err == nil {
		t.Error("nonsense has a public key")
	}
}
