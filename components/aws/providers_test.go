package aws

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/recorder"
)

func TestProvidersTwice(t *testing.T) {
	const provider = "pulumi:providers:aws"
	accounts := make(chan string, 2)
	list, err := (&recorder.Recorder{Calls: func(token string, _ resource.PropertyMap) (resource.PropertyMap, error) {
		return resource.PropertyMap{"accountId": resource.NewProperty("210987654321")}, nil
	}}).Run(func(ctx *pulumi.Context) error {
		for name, account := range map[string]string{"a": testAccount, "b": ""} {
			p, err := NewProviders(ctx, name, &ProvidersArgs{Region: testRegion, AccountID: account})
			if err != nil {
				return err
			}
			p.AccountID.ApplyT(func(id string) string { accounts <- name + id; return id })
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	recorder.ExpectCounts(t, list, map[string]int{ProvidersType: 2, provider: 4})
	got := map[string]bool{<-accounts: true, <-accounts: true}
	if !got["a"+testAccount] || !got["b210987654321"] {
		t.Errorf("accounts are %v", got)
	}
	recorder.Expect(t, recorder.Must(t, list, provider, "a-regional"), map[string]any{"region": testRegion, "allowedAccountIds.0": testAccount})
	recorder.Expect(t, recorder.Must(t, list, provider, "a-us-east-1"), map[string]any{"region": "us-east-1"})
	recorder.Expect(t, recorder.Must(t, list, provider, "b-regional"), map[string]any{"allowedAccountIds": nil})
	for _, args := range []*ProvidersArgs{{Region: "europe"}, {Region: testRegion, AccountID: "12"}} {
		recorder.Refuses(t, "Providers", func(ctx *pulumi.Context) error {
			_, err := NewProviders(ctx, "a", args)
			return err
		})
	}
}

func TestCredentialsTwice(t *testing.T) {
	const password, key = "random:index/randomPassword:RandomPassword", "tls:index/privateKey:PrivateKey"
	list := register(t, func(ctx *pulumi.Context) error {
		if _, err := NewCredentials(ctx, "a", &CredentialsArgs{Passwords: []string{"cache", "gotrue-database"}}); err != nil {
			return err
		}
		_, err := NewCredentials(ctx, "b", &CredentialsArgs{Passwords: []string{"cache"}, SSHHostKey: true, Disposable: true})
		return err
	})
	recorder.ExpectCounts(t, list, map[string]int{CredentialsType: 2, password: 3, key: 1})
	a, b := recorder.Must(t, list, password, "a-cache"), recorder.Must(t, list, key, "b-ssh-host-key")
	recorder.Expect(t, a, map[string]any{"length": 48, "special": false})
	recorder.Expect(t, b, map[string]any{"algorithm": "ED25519"})
	if !a.Protect || b.Protect {
		t.Errorf("protect is %v and %v, want true and false", a.Protect, b.Protect)
	}
	for _, passwords := range [][]string{nil, {"a", "a"}, {"Cache"}} {
		recorder.Refuses(t, "Passwords", func(ctx *pulumi.Context) error {
			_, err := NewCredentials(ctx, "a", &CredentialsArgs{Passwords: passwords})
			return err
		})
	}
}
