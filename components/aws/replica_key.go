package aws

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// ReplicaKeyType is the type token of ReplicaKey.
const ReplicaKeyType = "morphee:aws:ReplicaKey"

// ReplicaKeyArgs are the decisions about the copy of a multi-region key in another region.
type ReplicaKeyArgs struct {
	// PrimaryKeyArn is a key made with Keys.MultiRegion in another region; required. Changing it
	// replaces the replica, which its protection refuses.
	PrimaryKeyArn pulumi.StringInput
	// Purpose, Region (the replica's) and AccountID are part of its policy, which is its own; required.
	Purpose   KeyPurpose
	Region    string
	AccountID pulumi.StringInput
	// DeletionWindowDays between a deletion being asked for and being done, 7 to 30; default 30.
	DeletionWindowDays int
	// Disposable leaves the key unprotected; throw-away stacks, and regions that are given up.
	Disposable bool
	Tags       base.Tags
}

// ReplicaKey is the same key in another region: what one encrypted, the other can decrypt.
type ReplicaKey struct {
	pulumi.ResourceState
	Arn pulumi.StringOutput
}

// NewReplicaKey registers the replica and its alias, in the region of the provider that it is given.
func NewReplicaKey(ctx *pulumi.Context, name string, in *ReplicaKeyArgs, opts ...pulumi.ResourceOption) (*ReplicaKey, error) {
	args := *in
	setDefault(&args.DeletionWindowDays, 30)
	// Its policy is that of a key of its own in that region.
	like := &KeysArgs{Region: args.Region, AccountID: args.AccountID, Purposes: []KeyPurpose{args.Purpose}, DeletionWindowDays: args.DeletionWindowDays}
	if err := like.validate(name); err != nil {
		return nil, err
	}
	p := base.Check("ReplicaKey", name)
	p.Require(args.PrimaryKeyArn != nil, "PrimaryKeyArn", "nothing", "a multi-region key in another region", "")
	if err := p.Err(); err != nil {
		return nil, err
	}
	c := &ReplicaKey{}
	if err := ctx.RegisterComponentResourceV2(ReplicaKeyType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	policy, err := PolicyDocument(like.statements(args.Purpose)...)
	if err != nil {
		return nil, err
	}
	key, err := kms.NewReplicaKey(ctx, name+"-key", &kms.ReplicaKeyArgs{
		PrimaryKeyArn: args.PrimaryKeyArn, Description: pulumi.Sprintf("%s in %s", keyUses[args.Purpose].description, args.Region),
		DeletionWindowInDays: pulumi.Int(args.DeletionWindowDays), Policy: policy, Tags: args.Tags.Pulumi("Name", name),
	}, base.Stateful(args.Disposable, pulumi.Parent(c))...)
	if err != nil {
		return nil, err
	}
	if _, err := kms.NewAlias(ctx, name+"-alias", &kms.AliasArgs{
		NamePrefix: pulumi.String("alias/" + name + "-"), TargetKeyId: key.KeyId,
	}, pulumi.Parent(c)); err != nil {
		return nil, err
	}
	c.Arn = key.Arn
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"arn": c.Arn})
}
