package aws

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi-random/sdk/v4/go/random"
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

// DefaultMasterUsername is the database's master user unless another is asked for.
const DefaultMasterUsername = "morphee_admin"

// AuroraOrRdsArgs are the decisions about the PostgreSQL database.
type AuroraOrRdsArgs struct {
	// Engine; required.
	Engine Engine
	// EngineVersion is a major ("15": AWS keeps the minor current in the maintenance window, and no
	// difference is ever shown) or a pinned minor ("15.12": changed here, and only here). Default
	// "15". Majors 15 to 17; going to another major is a migration of its own, never made in passing.
	// In a global database AWS keeps nothing current, a minor is upgraded by hand, those that follow
	// before the one that writes, and a secondary cluster begins with Global.EngineVersion instead; the
	// major says then which parameters it has.
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
	// RestoreFromSnapshot is the snapshot (name or ARN) the database is first made from; changing or
	// removing it later does nothing. MasterUsername and DatabaseName must be the snapshot's.
	RestoreFromSnapshot string
	// Global makes the cluster one of a global database's. Aurora only; nil for none.
	Global *GlobalMember

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
	// EngineVersionActual is the minor that the cluster runs, such as "15.8", as the state last read it.
	// Aurora only.
	EngineVersionActual pulumi.StringOutput
	// InstanceIdentifiers of each instance, for alarms.
	InstanceIdentifiers []pulumi.StringOutput

	args    *AuroraOrRdsArgs
	members []pulumi.Resource // instances of the cluster
}

var (
	enginePattern   = regexp.MustCompile(`^1[567](\.[0-9]{1,2})?$`)
	instanceClass   = regexp.MustCompile(`^db\.[a-z0-9]+\.[a-z0-9]+$`)
	sqlName         = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
	backupPattern   = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$`)
	reservedMasters = []string{"admin", "postgres", "rdsadmin", "rds_superuser", "root"}
)

func (a *AuroraOrRdsArgs) validate(name string) error {
	p := base.Check("AuroraOrRds", name)
	p.Require(shortName.MatchString(name) && len(name) <= 40, "name", name, "at most 40 lower case letters, digits and single hyphens: AWS allows 63 with what is added to it", "")
	p.Require(a.Engine == EngineRds || a.Engine == EngineAurora, "Engine", a.Engine, "rds or aurora", "")
	p.Require(enginePattern.MatchString(a.EngineVersion), "EngineVersion", a.EngineVersion, "15, 16 or 17, or a minor of one of them such as 15.12", "")
	p.Require(regionPattern.MatchString(a.Region), "Region", a.Region, "an AWS region such as eu-central-1", "")
	p.Require(a.AccountID != nil, "AccountID", "nothing", "the account's 12 digits", "")
	p.Require(a.VpcID != nil, "VpcID", "nothing", "the VPC of the private subnets", "")
	p.Require(a.SubnetIDs != nil, "SubnetIDs", "nothing", "private subnets in 2 or more zones", "")
	p.Require(a.KmsKeyArn != nil, "KmsKeyArn", "nothing", "the ARN of a customer KMS key", "")
	p.Require(a.SecretKmsKeyArn != nil, "SecretKmsKeyArn", "nothing", "the ARN of a customer KMS key", "")
	p.Require(a.LogKmsKeyArn != nil, "LogKmsKeyArn", "nothing", "the ARN of a customer KMS key", "")
	p.Require(sqlName.MatchString(a.DatabaseName), "DatabaseName", a.DatabaseName, "lower case letters, digits and underscores", "")
	p.Require(sqlName.MatchString(a.MasterUsername) && !slices.Contains(reservedMasters, a.MasterUsername), "MasterUsername", a.MasterUsername, fmt.Sprint("lower case letters, digits and underscores, none of ", reservedMasters), "")
	p.Require(a.BackupRetentionDays >= 1 && a.BackupRetentionDays <= 35, "BackupRetentionDays", a.BackupRetentionDays, "1 to 35", "")
	p.Require(backupPattern.MatchString(a.BackupWindow), "BackupWindow", a.BackupWindow, "such as 02:00-03:00", "")
	p.Require(windowPattern.MatchString(a.MaintenanceWindow), "MaintenanceWindow", a.MaintenanceWindow, "such as sun:03:30-sun:04:30", "")
	if backupPattern.MatchString(a.BackupWindow) && windowPattern.MatchString(a.MaintenanceWindow) {
		p.Require(!windowsOverlap(a.BackupWindow, a.MaintenanceWindow), "MaintenanceWindow", a.MaintenanceWindow, "a window that does not overlap BackupWindow "+a.BackupWindow, "")
	}
	months := a.InsightsDays / 31
	p.Require(a.InsightsDays == 7 || a.InsightsDays == 731 || a.InsightsDays%31 == 0 && months >= 1 && months <= 23, "InsightsDays", a.InsightsDays, "7, a multiple of 31 up to 713, or 731", "")
	p.Require(slices.Contains([]int{0, 1, 5, 10, 15, 30, 60}, *a.MonitoringSeconds), "MonitoringSeconds", *a.MonitoringSeconds, "0, 1, 5, 10, 15, 30 or 60", "")
	requireRetention(p, "LogRetentionDays", a.LogRetentionDays)
	for _, k := range sortedKeys(a.Parameters) {
		p.Require(k != "rds.force_ssl", "Parameters", k, "no change of rds.force_ssl: TLS is always forced", "")
	}
	a.validateGlobal(p)
	switch a.Engine {
	case EngineRds:
		a.validateRds(p)
	case EngineAurora:
		a.validateAurora(p)
	}
	return p.Err()
}

// windowsOverlap tells whether the daily window and the weekly one meet, each perhaps over midnight.
func windowsOverlap(daily, weekly string) bool {
	minutes := func(clock string) int {
		var h, m int
		fmt.Sscanf(clock, "%d:%d", &h, &m)
		return h*60 + m
	}
	const day, week = 24 * 60, 7 * 24 * 60
	weekdays := []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	at := func(s string) int { return slices.Index(weekdays, s[:3])*day + minutes(s[4:]) }
	wFrom, wTo := at(weekly[:9]), at(weekly[10:])
	if wTo <= wFrom {
		wTo += week
	}
	from, to := minutes(daily[:5]), minutes(daily[6:])
	if to <= from {
		to += day
	}
	for d := -1; d <= 14; d++ {
		if from+d*day < wTo && wFrom < to+d*day {
			return true
		}
	}
	return false
}

// NewAuroraOrRds registers the database.
func NewAuroraOrRds(ctx *pulumi.Context, name string, in *AuroraOrRdsArgs, opts ...pulumi.ResourceOption) (*AuroraOrRds, error) {
	args := in.withDefaults()
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &AuroraOrRds{
		Engine: args.Engine, Port: 5432, DatabaseName: args.DatabaseName, MasterUsername: args.MasterUsername,
		MasterSecretKmsKeyArn: args.SecretKmsKeyArn, args: args,
	}
	if err := ctx.RegisterComponentResourceV2(AuroraOrRdsType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	b := &databaseBuilder{ctx: ctx, name: name, args: args, c: c}
	engine := b.rds
	if args.Engine == EngineAurora {
		engine = b.aurora
	}
	if g := args.Global; g != nil {
		c.MasterSecretArn, c.MasterSecretKmsKeyArn = g.MasterSecretArn, g.MasterSecretKmsKeyArn
	}
	for _, step := range []func() error{b.common, engine} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"host": c.Host, "readerHost": c.ReaderHost, "port": pulumi.Int(c.Port), "arn": c.Arn, "identifier": c.Identifier,
		"masterSecretArn": c.MasterSecretArn, "securityGroupId": c.SecurityGroupID, "engine": pulumi.String(c.Engine),
	})
}

// Connection is how a service gets to the database.
func (c *AuroraOrRds) Connection() Connection {
	return Connection{Name: "database", SecurityGroupID: c.SecurityGroupID, Port: c.Port}
}

// ConnectStatement lets a task log in to the database as the role, with IAM instead of a password.
func (c *AuroraOrRds) ConnectStatement(role string) Statement {
	return Statement{
		Sid: "ConnectAs" + camel(role), Actions: []string{"rds-db:connect"},
		Resources: arns(pulumi.Sprintf("arn:aws:rds-db:%s:%s:dbuser:%s/%s", c.args.Region, c.args.AccountID, c.ResourceID, role)),
	}
}

func (a *AuroraOrRdsArgs) withDefaults() *AuroraOrRdsArgs {
	args := *a
	setDefault(&args.EngineVersion, "15")
	setDefault(&args.DatabaseName, "morphee")
	setDefault(&args.MasterUsername, DefaultMasterUsername)
	setDefault(&args.BackupRetentionDays, 30)
	setDefault(&args.BackupWindow, "02:00-03:00")
	setDefault(&args.MaintenanceWindow, "sun:03:30-sun:04:30")
	setDefault(&args.InsightsDays, 7)
	setDefault(&args.LogRetentionDays, 30)
	if args.MonitoringSeconds == nil {
		sixty := 60
		args.MonitoringSeconds = &sixty
	}
	switch args.Engine {
	case EngineRds:
		setDefault(&args.InstanceClass, "db.t4g.small")
		setDefault(&args.StorageGiB, 20)
		setDefault(&args.MaxStorageGiB, 100)
	case EngineAurora:
		setDefault(&args.MaxACU, 4)
		if args.MinACU == nil {
			half := 0.5
			args.MinACU = &half
		}
	}
	return &args
}

// major is the major version, the family of parameter groups.
func (a *AuroraOrRdsArgs) major() string {
	major, _, _ := strings.Cut(a.EngineVersion, ".")
	return major
}

// autoMinor lets AWS upgrade the minor where none is pinned. With a pinned one it would upgrade, and
// the next deployment would try to go back. AWS pays no attention to it in a global database; there it
// stays what it was, so that becoming a member changes no instance.
func (a *AuroraOrRdsArgs) autoMinor() pulumi.Bool {
	return pulumi.Bool(!strings.Contains(a.EngineVersion, "."))
}

// databaseBuilder carries what the steps of NewAuroraOrRds hand to each other.
type databaseBuilder struct {
	ctx  *pulumi.Context
	name string
	args *AuroraOrRdsArgs
	c    *AuroraOrRds

	identifier pulumi.StringOutput
	subnets    *rds.SubnetGroup
	monitoring pulumi.StringPtrInput // role; nil when monitoring is off
	ready      []pulumi.Resource     // before the database
}

// common registers what both engines need.
func (b *databaseBuilder) common() error {
	args := b.args
	group, err := closedGroup(b.ctx, b.name+"-sg", "PostgreSQL: from the services that use it", args.VpcID, args.Tags, b.c)
	if err != nil {
		return err
	}
	b.c.SecurityGroupID = group.ID().ToStringOutput()
	if b.subnets, err = rds.NewSubnetGroup(b.ctx, b.name+"-subnets", &rds.SubnetGroupArgs{
		Description: pulumi.String("Private subnets"), SubnetIds: args.SubnetIDs, Tags: args.Tags.Pulumi("Name", b.name+"-subnets"),
	}, pulumi.Parent(b.c)); err != nil {
		return err
	}
	// RDS writes its logs to groups named after the database, and makes them without encryption and
	// for ever if they are not there: so the name has to be known first.
	suffix, err := random.NewRandomId(b.ctx, b.name+"-suffix", &random.RandomIdArgs{ByteLength: pulumi.Int(4)}, pulumi.Parent(b.c))
	if err != nil {
		return err
	}
	b.identifier = pulumi.Sprintf("%s-%s", b.name, suffix.Hex)
	kind, logs := "instance", []string{"postgresql", "upgrade"}
	if args.Engine == EngineAurora {
		kind, logs = "cluster", []string{"postgresql"}
	}
	for _, log := range logs {
		group, err := encryptedLogs(b.ctx, b.name+"-logs-"+log, pulumi.Sprintf("/aws/rds/%s/%s/%s", kind, b.identifier, log).ToStringPtrOutput(), args.LogRetentionDays, args.LogKmsKeyArn, args.Tags, b.c)
		if err != nil {
			return err
		}
		b.ready = append(b.ready, group)
	}
	if *args.MonitoringSeconds == 0 {
		return nil
	}
	role, ready, err := serviceRole(b.ctx, b.name+"-monitoring", "monitoring.rds.amazonaws.com", "Enhanced monitoring of "+b.name, args.AccountID, nil, args.Tags, b.c)
	if err != nil {
		return err
	}
	attachment, err := iam.NewRolePolicyAttachment(b.ctx, b.name+"-monitoring-policy", &iam.RolePolicyAttachmentArgs{
		Role: role.Name, PolicyArn: pulumi.String("arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"),
	}, pulumi.Parent(b.c))
	b.monitoring, b.ready = role.Arn.ToStringPtrOutput(), append(append(b.ready, ready...), attachment)
	return err
}

// staticParameters only take effect at a restart.
var staticParameters = []string{"max_connections", "shared_buffers", "shared_preload_libraries", "track_activity_query_size", "wal_buffers"}

// parameters of the engine's parameter group, sorted: name, value and how it is applied.
func (b *databaseBuilder) parameters() [][3]string {
	values := map[string]string{
		"idle_in_transaction_session_timeout": "300000",
		"log_connections":                     "1",
		"log_disconnections":                  "1",
		"log_lock_waits":                      "1",
		"log_min_duration_statement":          "1000",
		"log_statement":                       "ddl",
		"rds.force_ssl":                       "1",
		"shared_preload_libraries":            "pg_stat_statements",
	}
	for k, v := range b.args.Parameters {
		values[k] = v
	}
	var out [][3]string
	for _, k := range sortedKeys(values) {
		apply := "immediate"
		if slices.Contains(staticParameters, k) {
			apply = "pending-reboot"
		}
		out = append(out, [3]string{k, values[k], apply})
	}
	return out
}

// stateful are the options of the instance or cluster.
func (b *databaseBuilder) stateful() []pulumi.ResourceOption {
	return base.Stateful(b.args.Disposable, pulumi.Parent(b.c), pulumi.DependsOn(b.ready),
		// A database restored from a snapshot must not be replaced when the snapshot is forgotten.
		pulumi.IgnoreChanges(b.ignored()),
		pulumi.Timeouts(&pulumi.CustomTimeouts{Create: "60m", Update: "90m", Delete: "60m"}))
}

// ignored are what AWS changes, or what only matters once. The members of a global database change
// places without being told to by a deployment, and giving back what AWS reports of it would cut a
// cluster loose.
func (b *databaseBuilder) ignored() []string {
	ignored := []string{"snapshotIdentifier"}
	if b.args.Engine == EngineAurora {
		ignored = append(ignored, "globalClusterIdentifier", "replicationSourceIdentifier")
	}
	if g := b.args.Global; g != nil && g.Identifier != nil {
		ignored = append(ignored, "engineVersion")
	}
	return ignored
}

func (b *databaseBuilder) snapshot() pulumi.StringPtrInput {
	if b.args.RestoreFromSnapshot == "" {
		return nil
	}
	return pulumi.String(b.args.RestoreFromSnapshot)
}
