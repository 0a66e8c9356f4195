package aws

import (
	"github.com/pulumi/pulumi-random/sdk/v4/go/random"
	"github.com/pulumi/pulumi-tls/sdk/v5/go/tls"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// CredentialsType is the type token of Credentials.
const CredentialsType = "morphee:aws:Credentials"

// CredentialsArgs say which secrets of the platform to generate.
type CredentialsArgs struct {
	// Passwords by a short stable name, such as "cache"; at least one. Each is 48 letters and digits,
	// which every service takes and no URL has to escape.
	Passwords []string
	// SSHHostKey generates a host key for git over SSH. Clients remember it: it must stay.
	SSHHostKey bool
	// Disposable leaves the secrets unprotected; for throw-away stacks only.
	Disposable bool
}

// Credentials are the secrets that the parts of the AWS platform share with each other.
type Credentials struct {
	pulumi.ResourceState
	// Passwords by name; secrets.
	Passwords map[string]pulumi.StringOutput
	// SSHHostKey is a private key in OpenSSH form; a secret. Unset unless asked for.
	SSHHostKey pulumi.StringOutput
	// SSHPublicKey is its public half, for people to compare.
	SSHPublicKey pulumi.StringOutput
}

// NewCredentials generates the secrets once.
func NewCredentials(ctx *pulumi.Context, name string, args *CredentialsArgs, opts ...pulumi.ResourceOption) (*Credentials, error) {
	p := base.Check("Credentials", name)
	p.Require(len(args.Passwords) > 0, "Passwords", "none", "at least one", "")
	seen := map[string]bool{}
	for _, k := range args.Passwords {
		p.Require(shortName.MatchString(k) && !seen[k], "Passwords", k, "a name of its own in lower case letters, digits and single hyphens", "")
		seen[k] = true
	}
	if err := p.Err(); err != nil {
		return nil, err
	}
	c := &Credentials{Passwords: map[string]pulumi.StringOutput{}}
	if err := ctx.RegisterComponentResourceV2(CredentialsType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	for _, k := range args.Passwords {
		generated, err := random.NewRandomPassword(ctx, name+"-"+k, &random.RandomPasswordArgs{
			Length: pulumi.Int(48), Special: pulumi.Bool(false),
		}, base.Stateful(args.Disposable, pulumi.Parent(c))...)
		if err != nil {
			return nil, err
		}
		c.Passwords[k] = pulumi.ToSecret(generated.Result).(pulumi.StringOutput)
	}
	if args.SSHHostKey {
		key, err := tls.NewPrivateKey(ctx, name+"-ssh-host-key", &tls.PrivateKeyArgs{Algorithm: pulumi.String("ED25519")},
			base.Stateful(args.Disposable, pulumi.Parent(c))...)
		if err != nil {
			return nil, err
		}
		c.SSHHostKey, c.SSHPublicKey = pulumi.ToSecret(key.PrivateKeyOpenssh).(pulumi.StringOutput), key.PublicKeyOpenssh
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"passwords": stringMap(c.Passwords)})
}
