package aws

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// KeysType is the type token of Keys.
const KeysType = "morphee:aws:Keys"

// KeyPurpose names what a customer key encrypts. One key per purpose: who may use one says nothing
// about the others.
type KeyPurpose string

// The purposes, each with a key policy of its own.
const (
	KeyFiles    KeyPurpose = "files"    // EFS
	KeyDatabase KeyPurpose = "database" // RDS or Aurora storage, snapshots and performance insights
	KeySecrets  KeyPurpose = "secrets"  // Secrets Manager
	KeyLogs     KeyPurpose = "logs"     // CloudWatch log groups
	KeyCache    KeyPurpose = "cache"    // ElastiCache
	KeyImages   KeyPurpose = "images"   // ECR
	KeyAlarms   KeyPurpose = "alarms"   // SNS topics that CloudWatch publishes to
	KeyBackups  KeyPurpose = "backups"  // AWS Backup vaults, and envelopes of exported backups
)

// KeysArgs are the decisions about a set of customer KMS keys.
type KeysArgs struct {
	// Region the keys live in, such as "eu-central-1"; required. Part of the policies.
	Region string
	// AccountID of the account, 12 digits; required. Part of the policies.
	AccountID pulumi.StringInput
	// Purposes to make a key for; at least one, no duplicates. Removing one schedules its key for
	// deletion, and what it encrypted is lost with it.
	Purposes []KeyPurpose
	// DirectUsers are roles that call KMS themselves with the key of a purpose, such as the task
	// that encrypts exported backups. Everyone else goes through the AWS service.
	DirectUsers map[KeyPurpose][]pulumi.StringInput
	// DeletionWindowDays between a deletion being asked for and being done, 7 to 30; default 30.
	DeletionWindowDays int
	// MultiRegion makes keys that can be replicated to other regions. Changing it replaces the keys.
	MultiRegion bool
	// Disposable leaves the keys unprotected; throw-away stacks only.
	Disposable bool
	Tags       base.Tags
}

// Keys are customer KMS keys with yearly rotation, one per purpose.
type Keys struct {
	pulumi.ResourceState
	// Arns by purpose.
	Arns map[KeyPurpose]pulumi.StringOutput
}

// keyUse says which AWS services use the key of a purpose for whoever IAM lets call them, and which
// act in their own name.
type keyUse struct {
	description string
	via         []string // <service>.<region>.amazonaws.com on behalf of a caller
}

var keyUses = map[KeyPurpose]keyUse{
	KeyFiles:    {"EFS file systems", []string{"elasticfilesystem", "backup"}},
	KeyDatabase: {"database storage, snapshots and insights", []string{"rds", "backup"}},
	KeySecrets:  {"Secrets Manager secrets", []string{"secretsmanager", "rds"}},
	KeyLogs:     {"CloudWatch log groups", []string{"logs"}},
	KeyCache:    {"ElastiCache", []string{"elasticache"}},
	KeyImages:   {"ECR repositories", []string{"ecr"}},
	KeyAlarms:   {"SNS topics", []string{"sns"}},
	KeyBackups:  {"backup vaults and exported backups", []string{"backup"}},
}

func (a *KeysArgs) validate(name string) error {
	p := base.Check("Keys", name)
	p.Require(regionPattern.MatchString(a.Region), "Region", a.Region, "an AWS region such as eu-central-1", "")
	p.Require(a.AccountID != nil, "AccountID", "nothing", "the account's 12 digits", "")
	p.Require(len(a.Purposes) > 0, "Purposes", "none", "at least one", "")
	seen := map[KeyPurpose]bool{}
	for _, u := range a.Purposes {
		_, known := keyUses[u]
		p.Require(known, "Purposes", u, fmt.Sprint("one of ", slices.Sorted(maps.Keys(keyUses))), "")
		p.Require(!seen[u], "Purposes", u, "each purpose once", "")
		seen[u] = true
	}
	for _, u := range slices.Sorted(maps.Keys(a.DirectUsers)) {
		p.Require(seen[u], "DirectUsers", u, "a purpose that has a key", "")
	}
	p.Require(a.DeletionWindowDays >= 7 && a.DeletionWindowDays <= 30, "DeletionWindowDays", a.DeletionWindowDays, "7 to 30", "")
	return p.Err()
}

// NewKeys registers the keys, each with an alias.
func NewKeys(ctx *pulumi.Context, name string, in *KeysArgs, opts ...pulumi.ResourceOption) (*Keys, error) {
	args := *in
	setDefault(&args.DeletionWindowDays, 30)
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &Keys{Arns: map[KeyPurpose]pulumi.StringOutput{}}
	if err := ctx.RegisterComponentResourceV2(KeysType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	out := map[string]pulumi.StringOutput{}
	for _, purpose := range args.Purposes {
		policy, err := PolicyDocument(args.statements(purpose)...)
		if err != nil {
			return nil, err
		}
		child := name + "-" + string(purpose)
		key, err := kms.NewKey(ctx, child, &kms.KeyArgs{
			Description:          pulumi.Sprintf("%s of %s", keyUses[purpose].description, name),
			EnableKeyRotation:    pulumi.Bool(true),
			DeletionWindowInDays: pulumi.Int(args.DeletionWindowDays),
			MultiRegion:          pulumi.Bool(args.MultiRegion),
			Policy:               policy,
			Tags:                 args.Tags.Pulumi("Name", child),
		}, base.Stateful(args.Disposable, pulumi.Parent(c))...)
		if err != nil {
			return nil, err
		}
		// The alias's name is generated: a fixed one could not be used again while a deleted key waits.
		if _, err := kms.NewAlias(ctx, child+"-alias", &kms.AliasArgs{
			NamePrefix: pulumi.String("alias/" + child + "-"), TargetKeyId: key.KeyId,
		}, pulumi.Parent(c)); err != nil {
			return nil, err
		}
		c.Arns[purpose], out[string(purpose)] = key.Arn, key.Arn
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"arns": stringMap(out)})
}

// statements of a key policy. Nobody may use a key just because IAM says so: use goes through the
// services of its purpose, or by the roles named as direct users. In a key policy the resource can
// only be written as "*", and means the key itself.
func (a *KeysArgs) statements(purpose KeyPurpose) []Statement {
	const itself = "in a key policy it means this key"
	all := arns(pulumi.String("*"))
	account := arns(pulumi.Sprintf("arn:aws:iam::%s:root", a.AccountID))
	use := []string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey"}
	var via []pulumi.StringInput
	for _, s := range keyUses[purpose].via {
		via = append(via, pulumi.String(s+"."+a.Region+".amazonaws.com"))
	}
	viaServices := map[string]map[string][]pulumi.StringInput{"StringEquals": {"kms:ViaService": via, "kms:CallerAccount": arns(a.AccountID)}}
	grants := map[string]map[string][]pulumi.StringInput{"StringEquals": viaServices["StringEquals"], "Bool": {"kms:GrantIsForAWSResource": arns(pulumi.String("true"))}}
	list := []Statement{{
		Sid: "Administer", Principals: account, Resources: all, Reason: itself,
		Actions: []string{"kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy", "kms:GetKeyRotationStatus", "kms:EnableKeyRotation", "kms:DisableKeyRotation", "kms:ListKeyRotations",
			"kms:EnableKey", "kms:DisableKey", "kms:UpdateKeyDescription", "kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias", "kms:ListResourceTags", "kms:TagResource",
			"kms:UntagResource", "kms:ListGrants", "kms:RevokeGrant", "kms:RetireGrant", "kms:ReplicateKey", "kms:UpdatePrimaryRegion", "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"},
	}, {
		Sid: "UseThroughServices", Principals: account, Resources: all, Actions: use, Conditions: viaServices, Reason: itself,
	}, {
		Sid: "GrantToServices", Principals: account, Resources: all, Actions: []string{"kms:CreateGrant"}, Conditions: grants, Reason: itself,
	}}
	switch purpose {
	case KeyLogs:
		list = append(list, Statement{
			Sid: "LogGroups", Services: []string{"logs." + a.Region + ".amazonaws.com"}, Resources: all, Actions: use, Reason: itself,
			Conditions: condition("ArnLike", "kms:EncryptionContext:aws:logs:arn", pulumi.Sprintf("arn:aws:logs:%s:%s:log-group:*", a.Region, a.AccountID)),
		})
	case KeyAlarms:
		list = append(list, Statement{
			Sid: "Publishers", Services: []string{"backup.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com"}, Resources: all,
			Actions: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Reason: itself,
			Conditions: condition("StringEquals", "aws:SourceAccount", a.AccountID),
		})
	}
	if users := a.DirectUsers[purpose]; len(users) > 0 {
		list = append(list, Statement{Sid: "DirectUsers", Principals: users, Resources: all, Actions: use, Reason: itself})
	}
	return list
}
