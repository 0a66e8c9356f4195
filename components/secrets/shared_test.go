package secrets

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/recorder"
)

func TestSharedTwice(t *testing.T) {
	list, err := recorder.Run(func(ctx *pulumi.Context) error {
		if _, err := NewShared(ctx, "a", &SharedArgs{}); err != nil {
			return err
		}
		_, err := NewShared(ctx, "b", &SharedArgs{Disposable: true})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	const password = "random:index/randomPassword:RandomPassword"
	if n := recorder.Count(list); n[SharedType] != 2 || n[password] != 4 {
		t.Errorf("registered %v", n)
	}
	if o := recorder.Orphans(list); len(o) > 0 {
		t.Errorf("orphans: %v", o)
	}
	for name, protect := range map[string]bool{"a-jwt-secret": true, "a-backup-key": true, "b-jwt-secret": false, "b-backup-key": false} {
		r := recorder.Must(t, list, password, name)
		if r.Protect != protect || r.Input("length") != 64.0 || r.Input("special") != false {
			t.Errorf("%s: protect %v, length %v, special %v", name, r.Protect, r.Input("length"), r.Input("special"))
		}
	}
}
