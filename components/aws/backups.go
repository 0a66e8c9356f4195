package aws

import (
	"regexp"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/backup"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// AwsBackupsType is the type token of AwsBackups.
const AwsBackupsType = "morphee:aws:AwsBackups"

// AwsBackupsArgs are the decisions about backups inside AWS, and the export out of it.
type AwsBackupsArgs struct {
	// AccountID and Region of the account; required.
	AccountID pulumi.StringInput
	Region    string
	// KmsKeyArn is the customer key that encrypts the vault; required. Changing it replaces the
	// vault, which its protection refuses.
	KmsKeyArn pulumi.StringInput
	// DatabaseArn and FileSystemArn are backed up; nil leaves one out. At least one.
	DatabaseArn, FileSystemArn pulumi.StringInput
	// FileCopyArn is another file system of the region, for as long as there is one, kept by the same
	// plan as FileSystemArn, which it needs; nil for none. It has a selection of its own: AWS changes
	// none, so that one for both would be gone for a moment whenever the copy comes or goes.
	FileCopyArn pulumi.StringInput
	// DatabaseDays and FilesDays that recovery points are kept, 1 to 3650; defaults 30 and 14.
	DatabaseDays, FilesDays int
	// Cron is when backups start, UTC, in AWS's six fields without cron(); default "0 3 * * ? *".
	Cron string
	// VaultLock refuses to delete a recovery point early, also to administrators, until somebody who
	// may takes the lock away. Default false.
	VaultLock bool
	// Export is the daily copy out of AWS; nil for none.
	Export *BackupExport
	// Import is the task that brings a copy into AWS; nil for none. It needs an Export, and shares its
	// bucket, secrets, database and file system.
	Import *BackupImport
	// Disposable leaves the vault unprotected and lets it be deleted with recovery points in it.
	Disposable bool
	Tags       base.Tags
}

// AwsBackups are an encrypted vault, daily backups of the database and the file system into it, and
// the daily export.
type AwsBackups struct {
	pulumi.ResourceState
	VaultName, VaultArn pulumi.StringOutput
	// ExportFamily (of the task definition), ExportScheduleGroup and ExportLogGroup are what Alarms
	// watches; unset without an export.
	ExportFamily, ExportScheduleGroup, ExportLogGroup pulumi.StringOutput
	// ExportCommand runs the export at once; unset without an export.
	ExportCommand pulumi.StringOutput
	// Import is the task that brings a copy in; nil without one. ImportCommand runs it, with STAMP in
	// place of the copy's.
	Import        *OneOffTask
	ImportCommand pulumi.StringOutput
}

var awsCron = regexp.MustCompile(`^\S+ \S+ \S+ \S+ \S+ \S+$`)

func (a *AwsBackupsArgs) validate(name string) error {
	p := base.Check("AwsBackups", name)
	p.Require(len(name) <= 34, "name", name, "at most 34 characters: a vault's name ends at 50", "")
	p.Require(a.AccountID != nil, "AccountID", "nothing", "the account's id", "")
	p.Require(regionPattern.MatchString(a.Region), "Region", a.Region, "an AWS region such as eu-central-1", "")
	p.Require(a.KmsKeyArn != nil, "KmsKeyArn", "nothing", "the ARN of a customer KMS key", "")
	p.Require(a.DatabaseArn != nil || a.FileSystemArn != nil, "DatabaseArn", "nothing", "a database or a file system to back up", "")
	p.Require(a.FileCopyArn == nil || a.FileSystemArn != nil, "FileCopyArn", "no FileSystemArn", "the first file system of the two in FileSystemArn", "")
	p.Require(a.DatabaseDays >= 1 && a.DatabaseDays <= 3650, "DatabaseDays", a.DatabaseDays, "1 to 3650", "")
	p.Require(a.FilesDays >= 1 && a.FilesDays <= 3650, "FilesDays", a.FilesDays, "1 to 3650", "")
	p.Require(awsCron.MatchString(a.Cron), "Cron", a.Cron, "six fields, such as 0 3 * * ? *", "")
	if a.Export != nil {
		a.Export.validate(p)
	}
	if a.Import != nil {
		a.Import.validate(p, a.Export)
	}
	return p.Err()
}

// NewAwsBackups registers the vault, the plans and the export.
func NewAwsBackups(ctx *pulumi.Context, name string, in *AwsBackupsArgs, opts ...pulumi.ResourceOption) (*AwsBackups, error) {
	args := *in
	setDefault(&args.DatabaseDays, 30)
	setDefault(&args.FilesDays, 14)
	setDefault(&args.Cron, "0 3 * * ? *")
	if args.Export != nil {
		export := *args.Export
		export.setDefaults()
		args.Export = &export
	}
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &AwsBackups{}
	if err := ctx.RegisterComponentResourceV2(AwsBackupsType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	vault, err := c.vault(ctx, name, &args)
	if err != nil {
		return nil, err
	}
	role, ready, err := c.role(ctx, name+"-role", &args)
	if err != nil {
		return nil, err
	}
	// Two plans, because a plan's rules hold for everything it selects, and retention differs.
	for _, b := range []struct {
		what     string
		arn, too pulumi.StringInput
		days     int
	}{{"database", args.DatabaseArn, nil, args.DatabaseDays}, {"files", args.FileSystemArn, args.FileCopyArn, args.FilesDays}} {
		if b.arn == nil {
			continue
		}
		if err := c.plan(ctx, name+"-"+b.what, b.what, b.arn, b.too, b.days, vault, role, ready, &args); err != nil {
			return nil, err
		}
	}
	c.VaultName, c.VaultArn = vault.Name, vault.Arn
	outputs := pulumi.Map{"vaultName": c.VaultName, "vaultArn": c.VaultArn}
	if args.Export != nil {
		if err := c.copies(ctx, name, &args); err != nil {
			return nil, err
		}
		outputs["exportFamily"], outputs["exportScheduleGroup"], outputs["exportLogGroup"] = c.ExportFamily, c.ExportScheduleGroup, c.ExportLogGroup
	}
	return c, ctx.RegisterResourceOutputs(c, outputs)
}

// copies registers what moves copies out of AWS and into it.
func (c *AwsBackups) copies(ctx *pulumi.Context, name string, args *AwsBackupsArgs) error {
	secrets, err := args.Export.secrets(ctx, name+"-export-secrets", args, c)
	if err != nil {
		return err
	}
	if err := c.export(ctx, name+"-export", args, secrets); err != nil || args.Import == nil {
		return err
	}
	return c.bringIn(ctx, name+"-import", args, secrets)
}

func (c *AwsBackups) vault(ctx *pulumi.Context, name string, args *AwsBackupsArgs) (*backup.Vault, error) {
	vault, err := backup.NewVault(ctx, name+"-vault", &backup.VaultArgs{
		KmsKeyArn: args.KmsKeyArn.ToStringOutput().ToStringPtrOutput(), ForceDestroy: pulumi.Bool(args.Disposable), Tags: args.Tags.Pulumi("Name", name+"-vault"),
	}, base.Stateful(args.Disposable, pulumi.Parent(c))...)
	if err != nil || args.Disposable {
		return vault, err
	}
	// The cloud's own protection: recovery points go when they expire, not before. Whoever must
	// delete one has to take this policy away first, which is seen.
	policy, err := PolicyDocument(Statement{
		Sid: "KeepUntilExpiry", Deny: true, Everyone: true, Resources: arns(pulumi.String("*")),
		Actions: []string{"backup:DeleteRecoveryPoint", "backup:UpdateRecoveryPointLifecycle", "backup:DisassociateRecoveryPoint"},
		Reason:  "recovery points have ARNs of the services they come from",
	})
	if err != nil {
		return nil, err
	}
	if _, err := backup.NewVaultPolicy(ctx, name+"-vault-policy", &backup.VaultPolicyArgs{BackupVaultName: vault.Name, Policy: policy}, pulumi.Parent(c)); err != nil {
		return nil, err
	}
	if args.VaultLock {
		// Without a grace period this is governance mode: the lock can be taken away, by a right that
		// nobody needs in daily work. Compliance mode could not, not even by AWS.
		_, err = backup.NewVaultLockConfiguration(ctx, name+"-vault-lock", &backup.VaultLockConfigurationArgs{
			BackupVaultName: vault.Name, MinRetentionDays: pulumi.Int(min(args.DatabaseDays, args.FilesDays)), MaxRetentionDays: pulumi.Int(3650),
		}, pulumi.Parent(c))
	}
	return vault, err
}

// role is what AWS Backup acts as. Its rights are AWS's own two policies: what it must be able to do
// differs by service and changes with AWS Backup, which keeps them up to date.
func (c *AwsBackups) role(ctx *pulumi.Context, name string, args *AwsBackupsArgs) (*iam.Role, []pulumi.Resource, error) {
	role, ready, err := serviceRole(ctx, name, "backup.amazonaws.com", "AWS Backup of the database and the file system", args.AccountID, nil, args.Tags, c)
	if err != nil {
		return nil, nil, err
	}
	for _, use := range []string{"Backup", "Restores"} {
		a, err := iam.NewRolePolicyAttachment(ctx, name+"-"+use, &iam.RolePolicyAttachmentArgs{
			Role: role.Name, PolicyArn: pulumi.String("arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyFor" + use),
		}, pulumi.Parent(c))
		if err != nil {
			return nil, nil, err
		}
		ready = append(ready, a)
	}
	return role, ready, nil
}

func (c *AwsBackups) plan(ctx *pulumi.Context, name, what string, arn, too pulumi.StringInput, days int, vault *backup.Vault, role *iam.Role, ready []pulumi.Resource, args *AwsBackupsArgs) error {
	plan, err := backup.NewPlan(ctx, name+"-plan", &backup.PlanArgs{
		Rules: backup.PlanRuleArray{&backup.PlanRuleArgs{
			RuleName: pulumi.String("daily-" + what), TargetVaultName: vault.Name, Schedule: pulumi.Sprintf("cron(%s)", args.Cron),
			StartWindow: pulumi.Int(60), CompletionWindow: pulumi.Int(360),
			// Not continuous: AWS Backup would then take over RDS's own retention and window, and every
			// preview would want to take them back.
			Lifecycle:         &backup.PlanRuleLifecycleArgs{DeleteAfter: pulumi.Int(days)},
			RecoveryPointTags: args.Tags.Pulumi(),
		}},
		Tags: args.Tags.Pulumi("Name", name+"-plan"),
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	selected := func(child string, arn pulumi.StringInput) error {
		_, err := backup.NewSelection(ctx, child, &backup.SelectionArgs{
			PlanId: plan.ID(), IamRoleArn: role.Arn, Resources: pulumi.StringArray{arn},
		}, pulumi.Parent(c), pulumi.DependsOn(ready))
		return err
	}
	if err := selected(name+"-selection", arn); err != nil || too == nil {
		return err
	}
	return selected(name+"-copy-selection", too)
}
