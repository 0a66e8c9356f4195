package docker

import (
	"github.com/pulumi/pulumi-random/sdk/v4/go/random"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// newPassword generates a secret of letters and digits once. Letters and digits only, so that it
// is the same in a URL, a configuration file and a shell.
func (p *Platform) newPassword(ctx *pulumi.Context, logical string, length int, parent pulumi.Resource) (pulumi.StringOutput, error) {
	r, err := random.NewRandomPassword(ctx, logical, &random.RandomPasswordArgs{
		Length:  pulumi.Int(length),
		Special: pulumi.Bool(false),
	}, base.Stateful(p.disposable, pulumi.Parent(parent))...)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return pulumi.ToSecret(r.Result).(pulumi.StringOutput), nil
}
