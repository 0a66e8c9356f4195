package forgejo

import (
	"github.com/pulumi/pulumi-random/sdk/v4/go/random"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// CredentialsType is the type token of Credentials.
const CredentialsType = "morphee:forgejo:Credentials"

// CredentialsArgs are the arguments of NewCredentials.
type CredentialsArgs struct {
	// Disposable leaves the secrets unprotected; for throw-away stacks only.
	Disposable bool
}

// Credentials are Forgejo's own secrets. They belong to its data, not to the place where it runs:
// the database is encrypted and signed with them, so they outlive a move from the Docker host to
// ECS, and both homes are given the same ones.
type Credentials struct {
	pulumi.ResourceState

	// AdminPassword of the administrator.
	AdminPassword pulumi.StringOutput
	// DatabasePassword of the database role.
	DatabasePassword pulumi.StringOutput
	// WebhookSecret signs webhooks (HMAC-SHA256); 48 characters.
	WebhookSecret pulumi.StringOutput
	// SecretKey encrypts values in the database; losing it loses them.
	SecretKey pulumi.StringOutput
	// InternalToken authenticates Forgejo's own git hooks to its server.
	InternalToken pulumi.StringOutput
	// LFSJWTSecret and OAuth2JWTSecret sign tokens.
	LFSJWTSecret, OAuth2JWTSecret pulumi.StringOutput
}

// NewCredentials generates the secrets once.
func NewCredentials(ctx *pulumi.Context, name string, args *CredentialsArgs, opts ...pulumi.ResourceOption) (*Credentials, error) {
	c := &Credentials{}
	if err := ctx.RegisterComponentResourceV2(CredentialsType, name, nil, c, opts...); err != nil {
		return nil, err
	}
	// Lengths: Forgejo wants 32 bytes in unpadded base64url for its JWT secrets, which is what 43
	// letters and digits decode to; anything else it would replace by a secret of its own.
	for _, s := range []struct {
		suffix string
		length int
		to     *pulumi.StringOutput
	}{
		{"admin-password", 32, &c.AdminPassword},
		{"db-password", 32, &c.DatabasePassword},
		{"webhook-secret", 48, &c.WebhookSecret},
		{"secret-key", 64, &c.SecretKey},
		{"internal-token", 64, &c.InternalToken},
		{"lfs-jwt-secret", 43, &c.LFSJWTSecret},
		{"oauth2-jwt-secret", 43, &c.OAuth2JWTSecret},
	} {
		p, err := random.NewRandomPassword(ctx, name+"-"+s.suffix, &random.RandomPasswordArgs{
			Length:  pulumi.Int(s.length),
			Special: pulumi.Bool(false),
		}, base.Stateful(args.Disposable, pulumi.Parent(c))...)
		if err != nil {
			return nil, err
		}
		*s.to = pulumi.ToSecret(p.Result).(pulumi.StringOutput)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"adminPassword":    c.AdminPassword,
		"databasePassword": c.DatabasePassword,
		"webhookSecret":    c.WebhookSecret,
		"secretKey":        c.SecretKey,
		"internalToken":    c.InternalToken,
		"lfsJwtSecret":     c.LFSJWTSecret,
		"oauth2JwtSecret":  c.OAuth2JWTSecret,
	})
}
