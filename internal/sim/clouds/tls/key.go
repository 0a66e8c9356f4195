package tls

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"

	"golang.org/x/crypto/ssh"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

var curves = map[string]elliptic.Curve{"P224": elliptic.P224(), "P256": elliptic.P256(), "P384": elliptic.P384(), "P521": elliptic.P521()}

func checkPrivateKey(c *cloud.CheckCall) {
	if a := c.In.String("algorithm"); c.In.Known("algorithm") && !slices.Contains([]string{"RSA", "ECDSA", "ED25519"}, a) {
		c.Fail("algorithm", "got %q, expected one of RSA, ECDSA, ED25519", a)
	}
	if e := c.In.String("ecdsaCurve"); c.In.Known("ecdsaCurve") && curves[e] == nil {
		c.Fail("ecdsaCurve", "got %q, expected one of P224, P256, P384, P521", e)
	}
	if n := c.In.Int("rsaBits"); c.In.Known("rsaBits") && (n < 1024 || n > 8192 || n%8 != 0) {
		c.Fail("rsaBits", "got %d, expected 1024 to 8192", n)
	}
}

func createPrivateKey(c *cloud.Call) error {
	key, err := generate(c)
	if err != nil {
		return err
	}
	kind, der, err := traditional(key)
	if err != nil {
		return err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	c.Out["privateKeyPem"], c.Out["privateKeyPemPkcs8"] = encode(kind, der), encode("PRIVATE KEY", pkcs8)
	c.Out["privateKeyOpenssh"] = ""
	if openssh, err := ssh.MarshalPrivateKey(key, ""); err == nil { // not for P224
		fixCheck(openssh.Bytes, c.Gen.Bytes("openssh", 4))
		c.Out["privateKeyOpenssh"] = string(pem.EncodeToMemory(openssh))
	}
	public, err := publicParts(key.Public())
	for name, v := range public {
		c.Out[name] = v
	}
	sum := sha1.Sum([]byte(c.Out.String("publicKeyPem")))
	c.ID = hex.EncodeToString(sum[:])
	return err
}

// publicParts are the forms of a public key.
func publicParts(key crypto.PublicKey) (cloud.Object, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, err
	}
	out := cloud.Object{"publicKeyPem": encode("PUBLIC KEY", der), "publicKeyOpenssh": "", "publicKeyFingerprintMd5": "", "publicKeyFingerprintSha256": ""}
	if k, err := ssh.NewPublicKey(key); err == nil { // not for P224
		out["publicKeyOpenssh"] = string(ssh.MarshalAuthorizedKey(k))
		out["publicKeyFingerprintMd5"] = ssh.FingerprintLegacyMD5(k)
		out["publicKeyFingerprintSha256"] = ssh.FingerprintSHA256(k)
	}
	return out, nil
}

func generate(c *cloud.Call) (crypto.Signer, error) {
	switch c.In.String("algorithm") {
	case "ED25519":
		return ed25519.NewKeyFromSeed(c.Gen.Bytes("ed25519", ed25519.SeedSize)), nil
	case "ECDSA":
		curve := curves[c.In.String("ecdsaCurve")]
		if curve == nil {
			curve = elliptic.P224()
		}
		order := curve.Params().N
		d := new(big.Int).SetBytes(c.Gen.Bytes("ecdsa", (order.BitLen()+7)/8+8))
		d.Mod(d, new(big.Int).Sub(order, big.NewInt(1))).Add(d, big.NewInt(1))
		return ecdsa.ParseRawPrivateKey(curve, d.FillBytes(make([]byte, (order.BitLen()+7)/8)))
	}
	bits := c.In.Int("rsaBits")
	if bits == 0 {
		bits = 2048
	}
	return rsaKey(c.Gen, bits)
}

// rsaKey makes a key out of primes that derive from the generator: crypto/rsa always draws its own.
func rsaKey(g cloud.Gen, bits int) (*rsa.PrivateKey, error) {
	e, one := big.NewInt(65537), big.NewInt(1)
	prime := func(label string, bits int) *big.Int {
		p := new(big.Int).SetBytes(g.Bytes(label, (bits+7)/8))
		for i := p.BitLen(); i > bits; i-- {
			p.SetBit(p, i-1, 0)
		}
		// Both top bits set make the product as long as it has to be.
		p.SetBit(p, bits-1, 1).SetBit(p, bits-2, 1).SetBit(p, 0, 1)
		for !p.ProbablyPrime(0) || new(big.Int).Mod(new(big.Int).Sub(p, one), e).Sign() == 0 {
			p.Add(p, big.NewInt(2))
		}
		return p
	}
	p, q := prime("rsa/p", bits/2), prime("rsa/q", bits-bits/2)
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: int(e.Int64())},
		D:         new(big.Int).ModInverse(e, phi), Primes: []*big.Int{p, q},
	}
	key.Precompute()
	return key, key.Validate()
}

// traditional is the form that privateKeyPem has for each algorithm.
func traditional(key crypto.Signer) (kind string, der []byte, err error) {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(k), nil
	case *ecdsa.PrivateKey:
		der, err = x509.MarshalECPrivateKey(k)
		return "EC PRIVATE KEY", der, err
	}
	der, err = x509.MarshalPKCS8PrivateKey(key)
	return "PRIVATE KEY", der, err
}

// fixCheck replaces the two equal random numbers that begin the private part of an OpenSSH key.
func fixCheck(b, check []byte) {
	at := len("openssh-key-v1\x00")
	skip := func() { at += 4 + int(binary.BigEndian.Uint32(b[at:])) }
	skip() // cipher
	skip() // key derivation
	skip() // its options
	at += 4
	skip() // public key
	at += 4
	copy(b[at:], check)
	copy(b[at+4:], check)
}

// parseKey reads a private key in any of its PEM forms.
func parseKey(text, property string) (crypto.Signer, error) {
	b, err := block(text, "PRIVATE KEY", property)
	if err != nil {
		return nil, err
	}
	var key any
	switch b.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(b.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(b.Bytes)
	case "OPENSSH PRIVATE KEY":
		key, err = ssh.ParseRawPrivateKey([]byte(text))
		if k, ok := key.(*ed25519.PrivateKey); ok {
			key = *k
		}
	default:
		key, err = x509.ParsePKCS8PrivateKey(b.Bytes)
	}
	signer, ok := key.(crypto.Signer)
	if err != nil || !ok {
		return nil, cloud.Refuse("", "%s: failed to parse private key", property)
	}
	return signer, nil
}

func algorithm(key crypto.PublicKey) string {
	switch key.(type) {
	case *rsa.PublicKey:
		return "RSA"
	case *ecdsa.PublicKey:
		return "ECDSA"
	}
	return "ED25519"
}

func getPublicKey(c *cloud.InvokeCall) (cloud.Object, error) {
	property := "privateKeyPem"
	if !c.In.Has(property) {
		property = "privateKeyOpenssh"
	}
	key, err := parseKey(c.In.String(property), property)
	if err != nil {
		return nil, fmt.Errorf("reading the key: %w", err)
	}
	out, err := publicParts(key.Public())
	if err != nil {
		return nil, err
	}
	sum := sha1.Sum([]byte(out.String("publicKeyPem")))
	out["algorithm"], out["id"] = algorithm(key.Public()), hex.EncodeToString(sum[:])
	out[property] = c.In[property]
	return out, nil
}
