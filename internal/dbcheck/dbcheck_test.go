package dbcheck

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/morphee-app/morphee-infra/internal/testtools"
)

// server is a real PostgreSQL 15 on the loopback address, with TLS or without.
type server struct {
	*testtools.Postgres
	ca string
}

func authority(t *testing.T) (*x509.Certificate, *ecdsa.PrivateKey, string) {
	t.Helper()
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return c, key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func startServer(t *testing.T, withTLS bool, settings ...string) *server {
	t.Helper()
	s, options := &server{}, testtools.PostgresOptions{Password: "super", TCP: true, Settings: settings}
	if withTLS {
		ca, caKey, caPEM := authority(t)
		s.ca = caPEM
		key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		leaf := &x509.Certificate{SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
		der, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey)
		if err != nil {
			t.Fatal(err)
		}
		keyDER, _ := x509.MarshalPKCS8PrivateKey(key)
		options.Files = map[string]string{
			"server.crt": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
			"server.key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})),
		}
		options.Settings = append(options.Settings, "ssl=on", "ssl_cert_file=../server.crt", "ssl_key_file=../server.key")
	}
	s.Postgres = testtools.StartPostgres(t, options)
	return s
}

func (s *server) target() Target {
	return Target{Host: "localhost", Port: s.Port, Database: "postgres", Role: "postgres", Password: "super", VerifyFull: true, CACertificate: s.ca, Connections: 80}
}

func find(list []Finding, check string) Finding {
	for _, f := range list {
		if f.Check == check {
			return f
		}
	}
	return Finding{}
}

func TestCheckOnRealPostgres(t *testing.T) {
	s := startServer(t, true)
	ctx := context.Background()
	list := Check(ctx, s.target())
	if Failed(list) || len(list) != 6 {
		t.Fatalf("a good server: %+v", list)
	}
	for check, want := range map[string]string{"TLS": "TLS 1.3, the certificate is checked in full", "version": "PostgreSQL 15.", "rights": "may make databases and roles", "sessions": "keeps"} {
		if f := find(list, check); f.Level != Good || !strings.Contains(f.Found, want) {
			t.Errorf("%s: %+v, want %q", check, f, want)
		}
	}
	s.SQL("postgres", "create role cloud_admin login createdb createrole password 'admin'")
	s.SQL("postgres", "create role half login createdb password 'half'")
	s.SQL("postgres", "create role nobody login password 'nobody'")

	_, _, otherCA := authority(t)
	for name, c := range map[string]struct {
		change func(*Target)
		check  string
		level  Level
		found  string
	}{
		"an administrator of the provider's kind": {func(t *Target) { t.Role, t.Password = "cloud_admin", "admin" }, "rights", Good, "cloud_admin may"},
		"no CREATEROLE":     {func(t *Target) { t.Role, t.Password = "half", "half" }, "rights", Bad, "may not make roles"},
		"no rights":         {func(t *Target) { t.Role, t.Password = "nobody", "nobody" }, "rights", Bad, "may not make databases"},
		"a wrong password":  {func(t *Target) { t.Password = "CANARY" }, "sign-in", Bad, "refuses the role"},
		"a wrong database":  {func(t *Target) { t.Database = "nowhere" }, "sign-in", Bad, "there is no database nowhere"},
		"another authority": {func(t *Target) { t.CACertificate = otherCA }, "certificate", Bad, "not signed by"},
		"another name":      {func(t *Target) { t.Host = "127.0.0.1" }, "certificate", Bad, "not for 127.0.0.1"},
		"no PEM":            {func(t *Target) { t.CACertificate = "x" }, "certificate", Bad, "not PEM"},
		"unchecked":         {func(t *Target) { t.VerifyFull, t.CACertificate = false, "" }, "TLS", Warning, "was not checked"},
		"a wrong port":      {func(t *Target) { t.Port = 1 }, "connection", Bad, "cannot be reached"},
	} {
		target := s.target()
		c.change(&target)
		list := Check(ctx, target)
		f := find(list, c.check)
		if f.Level != c.level || !strings.Contains(f.Found, c.found) {
			t.Errorf("%s: %+v, want %s: %q", name, list, c.level, c.found)
		}
		if f.Level != Good && f.Mend == "" {
			t.Errorf("%s: it does not say how to mend it: %+v", name, f)
		}
		if strings.Contains(fmt.Sprint(list), "CANARY") {
			t.Errorf("%s: the password is shown", name)
		}
	}
}

func TestCheckRefusesAServerWithoutTLS(t *testing.T) {
	s := startServer(t, false, "max_connections=20")
	target := s.target()
	target.CACertificate = ""
	for _, full := range []bool{true, false} {
		target.VerifyFull = full
		if list := Check(context.Background(), target); !Failed(list) || find(list, "TLS").Found != "the server does not offer TLS" {
			t.Errorf("got %+v", list)
		}
	}
}

func TestCheckWarnsOfTooFewConnections(t *testing.T) {
	s := startServer(t, true, "max_connections=20")
	target := s.target()
	if f := find(Check(context.Background(), target), "connections"); f.Level != Warning || !strings.Contains(f.Found, "of 20") || !strings.Contains(f.Mend, "may use 80") {
		t.Errorf("got %+v", f)
	}
	target.Connections = 5
	if f := find(Check(context.Background(), target), "connections"); f.Level != Good {
		t.Errorf("got %+v", f)
	}
}

// A pooler's own limit is not the server's: it refuses what is more, and only the provider can tell it.
func TestCheckSaysHowLargeThePoolMustBe(t *testing.T) {
	s := startServer(t, true)
	target := s.target()
	if f := find(Check(context.Background(), target), "pool"); f.Check != "" {
		t.Errorf("without a pooler: %+v", f)
	}
	target.SessionPooler, target.SignIn = true, 20
	list := Check(context.Background(), target)
	if f := find(list, "pool"); f.Level != Warning || !strings.Contains(f.Mend, "to 80 or more") || !strings.Contains(f.Mend, "up to 20") || Failed(list) {
		t.Errorf("got %+v", f)
	}
}

// Another version is refused before the cutover: the daily backup could not dump it, and no way led back.
func TestCheckWantsOurVersion(t *testing.T) {
	for n, want := range map[int]Level{140011: Bad, 150014: Good, 160002: Bad, 170006: Bad} {
		f := ofVersion(n)
		if f.Level != want || Failed([]Finding{f}) != (want == Bad) {
			t.Errorf("%d: %+v, want %s", n, f, want)
		}
		if want == Bad && (!strings.Contains(f.Mend, "PostgreSQL 15") || !strings.Contains(f.Mend, "morphee:database.provider to hetzner") || strings.Contains(f.Mend, "images.")) {
			t.Errorf("%d: the mend does not lead anywhere: %s", n, f.Mend)
		}
	}
}
