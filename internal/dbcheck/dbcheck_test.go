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
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/morphee-app/morphee-infra/internal/testtools"
)

// server is a real PostgreSQL 15 on the loopback address, with TLS or without.
type server struct {
	t    *testing.T
	bin  string
	dir  string
	port int
	ca   string
	as   *syscall.SysProcAttr
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

func startServer(t *testing.T, withTLS bool, flags ...string) *server {
	t.Helper()
	initdb, err := filepath.EvalSymlinks(testtools.Need(t, "initdb", "postgresql-15"))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/tmp", "dbcheck")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, bin: filepath.Dir(initdb), dir: dir, port: l.Addr().(*net.TCPAddr).Port, as: &syscall.SysProcAttr{}}
	l.Close()
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
		s.write("server.crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
		s.write("server.key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})))
		flags = append(flags, "-c ssl=on", "-c ssl_cert_file="+dir+"/server.crt", "-c ssl_key_file="+dir+"/server.key")
	}
	s.write("password", "super")
	if os.Geteuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		s.as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := filepath.Walk(dir, func(p string, _ os.FileInfo, err error) error {
			if err != nil {
				return err
			}
			return os.Chown(p, uid, gid)
		}); err != nil {
			t.Fatal(err)
		}
	}
	s.do("initdb", "-D", dir+"/data", "-U", "postgres", "--auth=scram-sha-256", "--pwfile="+dir+"/password", "--no-sync")
	s.do("pg_ctl", "-D", dir+"/data", "-w", "-l", dir+"/log", "-o", fmt.Sprintf("-c listen_addresses=localhost -p %d -k %s -c fsync=off %s", s.port, dir, strings.Join(flags, " ")), "start")
	t.Cleanup(func() { s.do("pg_ctl", "-D", dir+"/data", "-w", "-m", "immediate", "stop") })
	return s
}

func (s *server) write(name, content string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) do(program string, args ...string) {
	s.t.Helper()
	out, err := os.CreateTemp(s.t.TempDir(), "out")
	if err != nil {
		s.t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(filepath.Join(s.bin, program), args...)
	cmd.Dir, cmd.SysProcAttr, cmd.Stdout, cmd.Stderr = "/", s.as, out, out
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(out.Name())
		s.t.Fatalf("%s: %v\n%s", program, err, text)
	}
}

func (s *server) sql(text string) {
	s.t.Helper()
	cmd := exec.Command(filepath.Join(s.bin, "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", s.dir, "-p", strconv.Itoa(s.port), "-U", "postgres", "-c", text)
	cmd.Env = append(os.Environ(), "PGPASSWORD=super")
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %s", text, out)
	}
}

func (s *server) target() Target {
	return Target{Host: "localhost", Port: s.port, Database: "postgres", Role: "postgres", Password: "super", VerifyFull: true, CACertificate: s.ca}
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
	s.sql("create role cloud_admin login createdb createrole password 'admin'")
	s.sql("create role half login createdb password 'half'")
	s.sql("create role nobody login password 'nobody'")

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
	s := startServer(t, false, "-c max_connections=20")
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
	s := startServer(t, true, "-c max_connections=20")
	if f := find(Check(context.Background(), s.target()), "connections"); f.Level != Warning || !strings.Contains(f.Found, "of 20") {
		t.Errorf("got %+v", f)
	}
}
