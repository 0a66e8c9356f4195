package forgejo

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"

	"github.com/pulumi/pulumi-random/sdk/v4/go/random"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// apiToken is a token for Forgejo's API, and what Forgejo keeps of it.
type apiToken struct {
	value, hash, salt, lastEight pulumi.StringOutput
}

// newAPIToken generates a token in the form that Forgejo takes: 40 hexadecimal digits.
func newAPIToken(ctx *pulumi.Context, name string, disposable bool, parent pulumi.Resource) (*apiToken, error) {
	// Digits are on by default; the 'special' characters are made the six letters of hexadecimal.
	token, err := random.NewRandomPassword(ctx, name, &random.RandomPasswordArgs{
		Length: pulumi.Int(40), Lower: pulumi.Bool(false), Upper: pulumi.Bool(false), OverrideSpecial: pulumi.String("abcdef"),
	}, base.Stateful(disposable, pulumi.Parent(parent))...)
	if err != nil {
		return nil, err
	}
	salt, err := random.NewRandomPassword(ctx, name+"-salt", &random.RandomPasswordArgs{
		Length: pulumi.Int(10), Special: pulumi.Bool(false),
	}, base.Stateful(disposable, pulumi.Parent(parent))...)
	if err != nil {
		return nil, err
	}
	secret := func(v pulumi.Output) pulumi.StringOutput { return pulumi.ToSecret(v).(pulumi.StringOutput) }
	t := &apiToken{value: secret(token.Result), salt: secret(salt.Result)}
	t.hash = secret(pulumi.All(t.value, t.salt).ApplyT(func(v []any) (string, error) { return tokenHash(v[0].(string), v[1].(string)) }))
	t.lastEight = secret(t.value.ApplyT(func(v string) string { return v[max(0, len(v)-8):] }))
	return t, nil
}

// tokenHash is what Forgejo stores of a token: PBKDF2 with SHA-256, 10,000 rounds, 50 bytes, in
// hexadecimal.
func tokenHash(token, salt string) (string, error) {
	key, err := pbkdf2.Key(sha256.New, token, []byte(salt), 10000, 50)
	return hex.EncodeToString(key), err
}
