package aws

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// AuroraOrRdsType is the type token of AuroraOrRds.
const AuroraOrRdsType = "morphee:aws:AuroraOrRds"

// Engine is how PostgreSQL runs.
type Engine string

// The engines. Moving from one to the other is a restore, never a change of this field: the old
// database's protection refuses it.
const (
	EngineRds    Engine = "rds"    // RDS for PostgreSQL, one instance, a standby by choice
	EngineAurora Engine = "aurora" // Aurora Serverless v2, writer and readers
)

// AuroraOrRdsArgs are the decisions about the PostgreSQL database.
type AuroraOrRdsArgs struct {
	// Engine; required.
	Engine Engine
	// EngineVersion is a major ("15", AWS then keeps the minor current in the maintenance window) or
	// a pinned minor ("15.12", upgraded by changing it here). Default "15" for RDS and a pinned minor
	// of 15 for Aurora. Majors other than 15 to 17 are refused; a new major is a migration.
	EngineVersion string
	// VpcID and SubnetIDs (private, 2 or more zones); required. The VPC cannot change.
	VpcID     pulumi.StringInput
	SubnetIDs pulumi.StringArrayInput
	// KmsKeyArn encrypts storage, snapshots and insights; required. Changing it would replace the
	// database. SecretKmsKeyArn encrypts the master password. LogKmsKeyArn encrypts exported logs.
	KmsKeyArn, SecretKmsKeyArn, LogKmsKeyArn pulumi.StringInput
	// AccountID and Region of the account; required.
	AccountID pulumi.StringInput
	Region    string
	// DatabaseName created at first, default "morphee"; MasterUsername default "morphee_admin". Both
	// would replace the database.
	DatabaseName, MasterUsername string

	// InstanceClass for RDS; default "db.t4g.small".
	InstanceClass string
	// StorageGiB to begin with, 20 to 65536, default 20; MaxStorageGiB it may grow to by itself, at
	// least a tenth more, default 100. RDS only; storage never shrinks.
	StorageGiB, MaxStorageGiB int
	// MultiZone keeps a standby in another zone. RDS only; default false, changed in place.
	MultiZone bool

	// MinACU 0 to 256 in halves, default 0.5; MaxACU 1 to 256, default 4. Aurora only.
	MinACU *float64
	MaxACU float64
	// Readers 0 to 15 next to the writer. Aurora only.
	Readers int
	// AutoPauseSeconds of idleness until the database pauses, 300 to 86400; only with MinACU 0.
	AutoPauseSeconds int

	// BackupRetentionDays 1 to 35; default 30.
	BackupRetentionDays int
	// BackupWindow (UTC, default "02:00-03:00") and MaintenanceWindow (default
	// "sun:03:30-sun:04:30") must not overlap.
	BackupWindow, MaintenanceWindow string
	// InsightsDays of performance insights: 7, 31 times 1 to 23, or 731; default 7 (free).
	InsightsDays int
	// MonitoringSeconds between samples of the operating system: 0 (off), 1, 5, 10, 15, 30, 60;
	// default 60.
	MonitoringSeconds *int
	// LogRetentionDays of the exported logs; default 30.
	LogRetentionDays int
	// Parameters added to, or overriding, the parameter group's; static ones apply at the next
	// restart.
	Parameters map[string]string
	// RestoreFromSnapshot is the snapshot the database is first made from; ignored afterwards.
	RestoreFromSnapshot string
	// ApplyImmediately instead of in the maintenance window. Default false.
	ApplyImmediately bool
	// Disposable leaves the database unprotected and skips the final snapshot; throw-away stacks only.
	Disposable bool
	Tags       base.Tags
}

// AuroraOrRds is a PostgreSQL database: encrypted, TLS forced, its master password managed by AWS.
type AuroraOrRds struct {
	pulumi.ResourceState
	Engine Engine
	// Host to write to; ReaderHost to read from (the same as Host without readers).
	Host, ReaderHost pulumi.StringOutput
	Port             int
	DatabaseName     string
	MasterUsername   string
	// MasterSecretArn holds {"username", "password"}, rotated by AWS.
	MasterSecretArn pulumi.StringOutput
	// MasterSecretKmsKeyArn is what a reader of that secret must be able to decrypt with.
	MasterSecretKmsKeyArn pulumi.StringInput
	SecurityGroupID       pulumi.StringOutput
	// Arn of the instance or cluster (for backups); Identifier is its name; ResourceID is its id in
	// IAM's rds-db:connect.
	Arn, Identifier, ResourceID pulumi.StringOutput
	// InstanceIdentifiers of each instance, for alarms.
	InstanceIdentifiers []pulumi.StringOutput
	region              string
	accountID           pulumi.StringInput
}
