// Package tls simulates the tls provider. It has no cloud: its resources live in Pulumi's state.
//
// Keys and certificates are real ones that real tools accept, but derive from the world's seed, so
// that two runs make the same. Whoever knows the seed knows the keys: they protect nothing.
package tls

import (
	"encoding/pem"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// Package is the simulated tls provider.
func Package() cloud.Package {
	types := []cloud.Type{
		{Token: "tls:index/privateKey:PrivateKey", Check: checkPrivateKey, Create: createPrivateKey},
		{Token: "tls:index/certRequest:CertRequest", Check: checkSubject, Create: createRequest},
		{Token: "tls:index/selfSignedCert:SelfSignedCert", Check: checkCertificate, Create: createSelfSigned},
		{Token: "tls:index/locallySignedCert:LocallySignedCert", Check: checkCertificate, Create: createLocallySigned},
	}
	for i := range types {
		types[i].Local = true
	}
	return cloud.Package{
		Name: "tls", Types: types,
		Functions: map[string]cloud.Function{"tls:index/getPublicKey:getPublicKey": getPublicKey},
	}
}

func encode(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// block decodes the first PEM block of a kind that ends so ("PRIVATE KEY", "CERTIFICATE").
func block(text, kind, property string) (*pem.Block, error) {
	b, _ := pem.Decode([]byte(text))
	if b == nil {
		return nil, cloud.Refuse("", "%s: no PEM block found", property)
	}
	if !strings.HasSuffix(b.Type, kind) {
		return nil, cloud.Refuse("", "%s: unexpected PEM preamble %q, want %s", property, b.Type, kind)
	}
	return b, nil
}
