package docker

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// authority issues certificates as a public one does: a root that clients know, and one between it
// and the servers.
type authority struct {
	t       *testing.T
	root    []byte // PEM
	between *x509.Certificate
	key     *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	rootKey, root := issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: "root"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, nil)
	key, between := issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: "between"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, root, rootKey)
	return &authority{t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}), between, key}
}

// issue signs a certificate; with no parent it signs itself.
func issue(t *testing.T, what, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*ecdsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	what.SerialNumber = big.NewInt(time.Now().UnixNano())
	what.NotBefore, what.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	if parent == nil {
		parent, parentKey = what, key
	}
	der, err := x509.CreateCertificate(rand.Reader, what, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, cert
}

func (a *authority) certificate(names ...string) tls.Certificate {
	a.t.Helper()
	key, leaf := issue(a.t, &x509.Certificate{Subject: pkix.Name{CommonName: names[0]}, DNSNames: names, KeyUsage: x509.KeyUsageDigitalSignature}, a.between, a.key)
	return tls.Certificate{Certificate: [][]byte{leaf.Raw, a.between.Raw}, PrivateKey: key}
}

// serveTLS serves on an address of the loopback network with a certificate.
func serveTLS(t *testing.T, address string, cert tls.Certificate, h http.Handler) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.Listener.Close()
	s.Listener = l
	s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	s.StartTLS()
	t.Cleanup(s.Close)
}

// names is a DNS server on loopback that answers every question with its present addresses.
type names struct {
	port int

	mu        sync.Mutex
	addresses []netip.Addr
	asked     map[string]bool
}

func newNames(t *testing.T, addresses ...string) *names {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	n := &names{port: conn.LocalAddr().(*net.UDPAddr).Port, asked: map[string]bool{}}
	n.are(addresses...)
	go func() {
		buf := make([]byte, 512)
		for {
			size, from, err := conn.ReadFromUDP(buf)
			if err != nil {
				return
			}
			if size > 12 {
				_, _ = conn.WriteToUDP(n.answer(buf[:size]), from)
			}
		}
	}()
	return n
}

// are the addresses from now on.
func (n *names) are(addresses ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.addresses = nil
	for _, a := range addresses {
		n.addresses = append(n.addresses, netip.MustParseAddr(a))
	}
}

// answer builds a reply: the header, the question again, and A records that are valid for an hour,
// so that only the relay's own limit can make it ask again.
func (n *names) answer(query []byte) []byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	end, name := 12, ""
	for query[end] != 0 {
		name += string(query[end+1:end+1+int(query[end])]) + "."
		end += 1 + int(query[end])
	}
	n.asked[name] = true
	out := append([]byte{}, query[:end+5]...)
	copy(out[2:], []byte{0x81, 0x80, 0, 1, 0, byte(len(n.addresses)), 0, 0, 0, 0})
	for _, a := range n.addresses {
		out = append(out, 0xc0, 12, 0, 1, 0, 1)
		out = binary.BigEndian.AppendUint32(out, 3600)
		out = append(out, 0, 4)
		out = append(out, a.AsSlice()...)
	}
	return out
}

func (n *names) wasAsked(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked[name]
}
