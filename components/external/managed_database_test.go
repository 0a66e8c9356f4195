package external

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/recorder"
)

func neon() *ManagedDatabaseArgs {
	return &ManagedDatabaseArgs{
		Provider: Neon, Host: "ep-x.eu-central-1.aws.neon.tech", Port: 5432, Database: "neondb", Role: "owner",
		Password: pulumi.String("CANARY"), SSLMode: "verify-full",
	}
}

func TestManagedDatabaseTwice(t *testing.T) {
	var first, second *ManagedDatabase
	list, err := recorder.Run(func(ctx *pulumi.Context) (err error) {
		if first, err = NewManagedDatabase(ctx, "a", neon()); err != nil {
			return err
		}
		b := neon()
		b.Provider, b.Role, b.CACertificate = Supabase, "postgres.abcdef", "PEM"
		second, err = NewManagedDatabase(ctx, "b", b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := recorder.Count(list); got[ManagedDatabaseType] != 2 || len(list) != 2+got["pulumi:pulumi:Stack"] {
		t.Errorf("registered %v", got)
	}
	if first.UserSuffix != "" || second.UserSuffix != ".abcdef" {
		t.Errorf("suffixes %q and %q", first.UserSuffix, second.UserSuffix)
	}
	if first.CACertificate != pulumi.String(LetsEncryptRoots) || second.CACertificate != pulumi.String("PEM") {
		t.Error("the authorities are not those of the providers")
	}
	if !pulumi.IsSecret(first.AdminPassword) {
		t.Error("the password is in plain")
	}
	for _, r := range list {
		if strings.Contains(r.Name, "CANARY") || r.Input("adminPassword") != nil {
			t.Errorf("%s has the password among its inputs", r.Name)
		}
	}
}

func TestManagedDatabaseRefuses(t *testing.T) {
	for want, spoil := range map[string]func(*ManagedDatabaseArgs){
		"Provider":      func(a *ManagedDatabaseArgs) { a.Provider = "rds" },
		"Host":          func(a *ManagedDatabaseArgs) { a.Host = "10.0.0.1" },
		"Port":          func(a *ManagedDatabaseArgs) { a.Port = 0 },
		"Database":      func(a *ManagedDatabaseArgs) { a.Database = "x y" },
		"Role":          func(a *ManagedDatabaseArgs) { a.Role = "" },
		"Password":      func(a *ManagedDatabaseArgs) { a.Password = nil },
		"SSLMode":       func(a *ManagedDatabaseArgs) { a.SSLMode = "disable" },
		"CACertificate": func(a *ManagedDatabaseArgs) { a.Provider = Supabase },
	} {
		list, err := recorder.Run(func(ctx *pulumi.Context) error {
			args := neon()
			spoil(args)
			_, err := NewManagedDatabase(ctx, "x", args)
			return err
		})
		if err == nil || !strings.Contains(err.Error(), `ManagedDatabase "x": `+want+":") {
			t.Errorf("got %v, want an error about %s", err, want)
		}
		if recorder.Count(list)[ManagedDatabaseType] > 0 {
			t.Errorf("%s: registered all the same", want)
		}
	}
}

// The built-in authorities are two, and are authorities.
func TestLetsEncryptRoots(t *testing.T) {
	rest := []byte(LetsEncryptRoots)
	var names []string
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil || !c.IsCA {
			t.Fatalf("%v, authority %v", err, c != nil && c.IsCA)
		}
		names = append(names, c.Subject.CommonName)
	}
	if strings.Join(names, " ") != "ISRG Root X1 ISRG Root X2" {
		t.Errorf("got %v", names)
	}
}
