package aws

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// SecretsType is the type token of Secrets.
const SecretsType = "morphee:aws:Secrets"

// SecretSpec is one secret.
type SecretSpec struct {
	// Description for people; required, without the value.
	Description string
	// Value is kept a Pulumi secret to the end. Nil makes a secret without a version, to be filled
	// by a task (a container that refers to it does not start before that).
	Value pulumi.StringInput
	// Optional is for a value that people may take out of the configuration, and have: its secret is not
	// protected, and goes with it. stateful.Rewritten has to know its name. Default false.
	Optional bool
}

// SecretReplica is a region that the secrets are copied to.
type SecretReplica struct {
	Region string
	// KmsKeyArn is a customer key in that region.
	KmsKeyArn pulumi.StringInput
}

// SecretsArgs are the decisions about a set of Secrets Manager secrets.
type SecretsArgs struct {
	// Secrets by a short stable name (lower case letters, digits, hyphens); at least one. Adding one
	// touches no other; renaming one makes a new secret.
	Secrets map[string]SecretSpec
	// KmsKeyArn is the customer key that encrypts them; required.
	KmsKeyArn pulumi.StringInput
	// Replicas are copies in other regions, kept in step by Secrets Manager. Each region once. Adding
	// or removing one changes the secrets in place.
	Replicas []SecretReplica
	// RecoveryDays a deleted secret can be restored, 7 to 30; default 30. Disposable stacks use 0,
	// so that the next one with the same name is not refused.
	RecoveryDays int
	// Disposable leaves the secrets unprotected and deletes them at once; throw-away stacks only.
	Disposable bool
	Tags       base.Tags
}

// Secrets are Secrets Manager secrets encrypted with a customer key.
type Secrets struct {
	pulumi.ResourceState
	// Arns by the secret's short name, each waiting for its value to be stored: whatever refers to
	// one starts after it.
	Arns map[string]pulumi.StringOutput
}

// shortName is what children of a component are told apart by.
var shortName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

func (a *SecretsArgs) validate(name string) error {
	p := base.Check("Secrets", name)
	p.Require(len(a.Secrets) > 0, "Secrets", "none", "at least one", "")
	for _, k := range slices.Sorted(maps.Keys(a.Secrets)) {
		p.Require(shortName.MatchString(k), "Secrets", k, "a name of lower case letters, digits and single hyphens", "")
		p.Require(strings.TrimSpace(a.Secrets[k].Description) != "", "Secrets."+k+".Description", "nothing", "what it is for", "")
	}
	p.Require(a.KmsKeyArn != nil, "KmsKeyArn", "nothing", "the ARN of a customer KMS key", "")
	for i, r := range a.Replicas {
		p.Require(regionPattern.MatchString(r.Region) && !slices.ContainsFunc(a.Replicas[:i], func(o SecretReplica) bool { return o.Region == r.Region }), "Replicas", r.Region, "an AWS region, each once", "")
		p.Require(r.KmsKeyArn != nil, "Replicas."+r.Region+".KmsKeyArn", "nothing", "the ARN of a customer KMS key there", "")
	}
	if a.Disposable {
		p.Require(a.RecoveryDays == 0, "RecoveryDays", a.RecoveryDays, "nothing: a disposable stack's secrets are deleted at once", "")
	} else {
		p.Require(a.RecoveryDays >= 7 && a.RecoveryDays <= 30, "RecoveryDays", a.RecoveryDays, "7 to 30", "")
	}
	return p.Err()
}

// NewSecrets registers the secrets and their values.
func NewSecrets(ctx *pulumi.Context, name string, in *SecretsArgs, opts ...pulumi.ResourceOption) (*Secrets, error) {
	args := *in
	if !args.Disposable {
		setDefault(&args.RecoveryDays, 30)
	}
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &Secrets{Arns: map[string]pulumi.StringOutput{}}
	if err := ctx.RegisterComponentResourceV2(SecretsType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(args.Secrets)) {
		if err := c.add(ctx, name+"-"+key, key, &args); err != nil {
			return nil, err
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"arns": stringMap(c.Arns)})
}

func (c *Secrets) add(ctx *pulumi.Context, child, key string, args *SecretsArgs) error {
	spec := args.Secrets[key]
	var replicas secretsmanager.SecretReplicaArray
	for _, r := range args.Replicas {
		replicas = append(replicas, &secretsmanager.SecretReplicaArgs{Region: pulumi.String(r.Region), KmsKeyId: r.KmsKeyArn.ToStringOutput().ToStringPtrOutput()})
	}
	secret, err := secretsmanager.NewSecret(ctx, child, &secretsmanager.SecretArgs{
		// No Name: a generated one is never 'scheduled for deletion'.
		Description:          pulumi.String(spec.Description),
		KmsKeyId:             args.KmsKeyArn.ToStringOutput().ToStringPtrOutput(),
		RecoveryWindowInDays: pulumi.Int(args.RecoveryDays),
		Replicas:             replicas,
		Tags:                 args.Tags.Pulumi("Name", child),
	}, base.Stateful(args.Disposable || spec.Optional, pulumi.Parent(c))...)
	if err != nil {
		return err
	}
	if spec.Value == nil {
		c.Arns[key] = secret.Arn
		return nil
	}
	value := pulumi.ToSecret(spec.Value.ToStringOutput()).(pulumi.StringOutput)
	version, err := secretsmanager.NewSecretVersion(ctx, child+"-value", &secretsmanager.SecretVersionArgs{
		SecretId: secret.ID(), SecretString: value.ToStringPtrOutput(),
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	// The secret's ARN, but only once the version is there. The version's URN is known in a preview
	// even while the value is being replaced, so that a new value does not look like a new secret.
	c.Arns[key] = pulumi.All(secret.Arn, version.URN()).ApplyT(func(v []any) string { return v[0].(string) }).(pulumi.StringOutput)
	return nil
}

// SecretReplicaArn is the ARN of a secret's copy in another region: only the region differs.
func SecretReplicaArn(arn pulumi.StringInput, region string) pulumi.StringOutput {
	return arn.ToStringOutput().ApplyT(func(arn string) (string, error) {
		parts := strings.SplitN(arn, ":", 7)
		if len(parts) != 7 {
			return "", fmt.Errorf("%q is not the ARN of a secret", arn)
		}
		parts[3] = region
		return strings.Join(parts, ":"), nil
	}).(pulumi.StringOutput)
}
