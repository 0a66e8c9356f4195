// Package secrets has the secrets that belong to the product, not to a platform.
package secrets

import (
	"github.com/pulumi/pulumi-random/sdk/v4/go/random"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// SharedType is the type token of Shared.
const SharedType = "morphee:secrets:Shared"

// SharedArgs are the arguments of NewShared.
type SharedArgs struct {
	// Disposable leaves the secrets unprotected; for throw-away stacks only.
	Disposable bool
}

// Shared are secrets that stay when the platform changes: people stay signed in while traffic
// moves from one platform to the other, and old backups stay readable.
type Shared struct {
	pulumi.ResourceState

	// JWTSecret signs access tokens; 64 characters.
	JWTSecret pulumi.StringOutput
	// BackupEncryptionKey encrypts every backup; 64 characters. Keep a copy apart from the stack.
	BackupEncryptionKey pulumi.StringOutput
}

// NewShared generates the secrets once.
func NewShared(ctx *pulumi.Context, name string, args *SharedArgs, opts ...pulumi.ResourceOption) (*Shared, error) {
	c := &Shared{}
	if err := ctx.RegisterComponentResourceV2(SharedType, name, nil, c, opts...); err != nil {
		return nil, err
	}
	for _, s := range []struct {
		suffix string
		to     *pulumi.StringOutput
	}{{"jwt-secret", &c.JWTSecret}, {"backup-key", &c.BackupEncryptionKey}} {
		p, err := random.NewRandomPassword(ctx, name+"-"+s.suffix, &random.RandomPasswordArgs{
			Length:  pulumi.Int(64),
			Special: pulumi.Bool(false),
		}, base.Stateful(args.Disposable, pulumi.Parent(c))...)
		if err != nil {
			return nil, err
		}
		*s.to = pulumi.ToSecret(p.Result).(pulumi.StringOutput)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"jwtSecret": c.JWTSecret, "backupEncryptionKey": c.BackupEncryptionKey,
	})
}
