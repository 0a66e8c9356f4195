package aws

import (
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
