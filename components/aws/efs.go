package aws

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/efs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// EfsRepoStoreType is the type token of EfsRepoStore.
const EfsRepoStoreType = "morphee:aws:EfsRepoStore"

// EfsAccessPoint is a directory of the file system, seen by its clients as the root and as one user.
type EfsAccessPoint struct {
	// Path such as "/forgejo"; made at first use, owned by UID:GID. Changing it replaces the access
	// point, not the files.
	Path string
	// UID and GID that every access is made as, 1 or more; default 1000. Root is refused: git calls
	// its files 'dubious'.
	UID, GID int
	// Permissions of the directory when it is made, octal; default "0750".
	Permissions string
}

// EfsRepoStoreArgs are the decisions about the shared file system for git repositories and files.
type EfsRepoStoreArgs struct {
	// VpcID and Subnets (private, one per zone); required. Adding a zone adds a mount target.
	VpcID   pulumi.StringInput
	Subnets []ZoneSubnet
	// KmsKeyArn is the file system's own customer key; required. Changing it replaces the file
	// system, that is, loses the data: refused by its protection.
	KmsKeyArn pulumi.StringInput
	// AccessPoints by a short stable name; at least one.
	AccessPoints map[string]EfsAccessPoint
	// InfrequentDays and ArchiveDays without access until a file moves to the cheaper class, one of
	// AWS's steps (1, 7, 14, 30, 60, 90, 180, 270, 365), Archive the later; default 30 and 90.
	InfrequentDays, ArchiveDays int
	// Synced adds an access point that shows everything and acts as root, for DataSync alone
	// (FileLocation); default false.
	Synced bool
	// Disposable leaves the file system unprotected; throw-away stacks only.
	Disposable bool
	Tags       base.Tags
}

// EfsRepoStore is an encrypted EFS file system, reached only over TLS, with IAM, through an access
// point, by the security groups that connect to it.
type EfsRepoStore struct {
	pulumi.ResourceState
	FileSystemID, FileSystemArn, SecurityGroupID pulumi.StringOutput
	AccessPointIDs, AccessPointArns              map[string]pulumi.StringOutput
	// SyncAccessPointArn is DataSync's way in; nothing without Synced.
	SyncAccessPointArn pulumi.StringOutput
	// MountTargets must exist before a task that mounts the file system.
	MountTargets []pulumi.Resource

	ready []pulumi.Resource
}

// efsAges are the days without access that EFS can move files after.
var efsAges = []int{1, 7, 14, 30, 60, 90, 180, 270, 365}

var (
	permissionsPattern = regexp.MustCompile(`^0?[0-7]{3}$`)
	efsPathPattern     = regexp.MustCompile(`^(/[A-Za-z0-9][A-Za-z0-9._-]*){1,4}$`)
)

func (a *EfsRepoStoreArgs) validate(name string) error {
	p := base.Check("EfsRepoStore", name)
	p.Require(a.VpcID != nil, "VpcID", "nothing", "the VPC of the private subnets", "")
	p.Require(len(a.Subnets) >= 2, "Subnets", len(a.Subnets), "private subnets in 2 or more zones", "")
	letters := map[string]bool{}
	for _, s := range a.Subnets {
		p.Require(s.Letter != "" && !letters[s.Letter], "Subnets", s.Zone, "one subnet in a zone: EFS has one mount target there", "")
		letters[s.Letter] = true
	}
	p.Require(a.KmsKeyArn != nil, "KmsKeyArn", "nothing", "the ARN of a customer KMS key of its own", "")
	p.Require(len(a.AccessPoints) > 0, "AccessPoints", "none", "at least one", "")
	paths := map[string]string{}
	for _, k := range sortedKeys(a.AccessPoints) {
		ap, field := a.AccessPoints[k], "AccessPoints."+k
		p.Require(shortName.MatchString(k), field, k, "a name of lower case letters, digits and single hyphens", "")
		p.Require(efsPathPattern.MatchString(ap.Path), field+".Path", ap.Path, "an absolute path of 1 to 4 parts, such as /forgejo", "")
		p.Require(paths[ap.Path] == "", field+".Path", ap.Path, "a path of its own ("+paths[ap.Path]+" has it)", "")
		p.Require(ap.UID >= 1 && ap.GID >= 1, field+".UID and GID", fmt.Sprintf("%d and %d", ap.UID, ap.GID), "1 or more: git calls root's files dubious", "")
		p.Require(permissionsPattern.MatchString(ap.Permissions), field+".Permissions", ap.Permissions, "octal digits such as 0750", "")
		paths[ap.Path] = k
	}
	p.Require(slices.Contains(efsAges, a.InfrequentDays), "InfrequentDays", a.InfrequentDays, fmt.Sprint("one of ", efsAges), "")
	p.Require(slices.Contains(efsAges, a.ArchiveDays) && a.ArchiveDays > a.InfrequentDays, "ArchiveDays", a.ArchiveDays, fmt.Sprint("one of ", efsAges, ", later than InfrequentDays"), "")
	return p.Err()
}

// NewEfsRepoStore registers the file system, its mount targets, access points and policies.
func NewEfsRepoStore(ctx *pulumi.Context, name string, in *EfsRepoStoreArgs, opts ...pulumi.ResourceOption) (*EfsRepoStore, error) {
	args := in.withDefaults()
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &EfsRepoStore{AccessPointIDs: map[string]pulumi.StringOutput{}, AccessPointArns: map[string]pulumi.StringOutput{}}
	if err := ctx.RegisterComponentResourceV2(EfsRepoStoreType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	fs, err := efs.NewFileSystem(ctx, name+"-files", &efs.FileSystemArgs{
		Encrypted: pulumi.Bool(true), KmsKeyId: args.KmsKeyArn.ToStringOutput().ToStringPtrOutput(),
		PerformanceMode: pulumi.String("generalPurpose"),
		// Bursting and provisioned throughput make git over NFS time out under load.
		ThroughputMode: pulumi.String("elastic"),
		LifecyclePolicies: efs.FileSystemLifecyclePolicyArray{
			&efs.FileSystemLifecyclePolicyArgs{TransitionToIa: pulumi.String(efsAfter(args.InfrequentDays))},
			&efs.FileSystemLifecyclePolicyArgs{TransitionToArchive: pulumi.String(efsAfter(args.ArchiveDays))},
			// What is read again is likely to be read often: it pays to move it back.
			&efs.FileSystemLifecyclePolicyArgs{TransitionToPrimaryStorageClass: pulumi.String("AFTER_1_ACCESS")},
		},
		Tags: args.Tags.Pulumi("Name", name),
	}, base.Stateful(args.Disposable, pulumi.Parent(c))...)
	if err != nil {
		return nil, err
	}
	c.FileSystemID, c.FileSystemArn = fs.ID().ToStringOutput(), fs.Arn
	if err := c.guard(ctx, name, args); err != nil {
		return nil, err
	}
	if err := c.accessPoints(ctx, name, args); err != nil {
		return nil, err
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"fileSystemId": c.FileSystemID, "securityGroupId": c.SecurityGroupID, "accessPointIds": stringMap(c.AccessPointIDs),
	})
}

// Volume is the task volume of an access point, under the name that mounts refer to.
func (c *EfsRepoStore) Volume(name, accessPoint string) EfsVolume {
	return EfsVolume{
		Name: name, FileSystemID: c.FileSystemID, FileSystemArn: c.FileSystemArn,
		AccessPointID: c.AccessPointIDs[accessPoint], AccessPointArn: c.AccessPointArns[accessPoint], Ready: c.ready,
	}
}

// Connection is how a service gets to the file system.
func (c *EfsRepoStore) Connection() Connection {
	return Connection{Name: "files", SecurityGroupID: c.SecurityGroupID, Port: 2049}
}

func (a *EfsRepoStoreArgs) withDefaults() *EfsRepoStoreArgs {
	args := *a
	setDefault(&args.InfrequentDays, 30)
	setDefault(&args.ArchiveDays, 90)
	args.AccessPoints = map[string]EfsAccessPoint{}
	for k, ap := range a.AccessPoints {
		if ap.UID == 0 && ap.GID == 0 {
			ap.UID, ap.GID = 1000, 1000
		}
		setDefault(&ap.Permissions, "0750")
		args.AccessPoints[k] = ap
	}
	return &args
}

// guard registers what stands before the file system: mount targets behind a closed security group,
// the policy and the backups.
func (c *EfsRepoStore) guard(ctx *pulumi.Context, name string, args *EfsRepoStoreArgs) error {
	group, err := closedGroup(ctx, name+"-sg", "EFS: NFS from the services that mount it", args.VpcID, args.Tags, c)
	if err != nil {
		return err
	}
	c.SecurityGroupID = group.ID().ToStringOutput()
	for _, s := range args.Subnets {
		mount, err := efs.NewMountTarget(ctx, name+"-mount-"+s.Letter, &efs.MountTargetArgs{
			FileSystemId: c.FileSystemID, SubnetId: s.ID, SecurityGroups: pulumi.StringArray{c.SecurityGroupID},
		}, pulumi.Parent(c))
		if err != nil {
			return err
		}
		c.MountTargets = append(c.MountTargets, mount)
	}
	// With a policy in place, nobody gets in without IAM. What IAM allows is narrowed further here:
	// only over TLS, only through an access point, never as root but through DataSync's.
	clients := []string{"elasticfilesystem:ClientMount", "elasticfilesystem:ClientRootAccess", "elasticfilesystem:ClientWrite"}
	neverRoot := Statement{
		Sid: "NeverAsRoot", Deny: true, Everyone: true, Actions: []string{"elasticfilesystem:ClientRootAccess"}, Resources: arns(c.FileSystemArn),
	}
	if args.Synced {
		point, err := efs.NewAccessPoint(ctx, name+"-access-datasync", &efs.AccessPointArgs{
			FileSystemId: c.FileSystemID, Tags: args.Tags.Pulumi("Name", name+"-access-datasync"),
			// No user of its own: then the owners of files are copied as they are.
			RootDirectory: &efs.AccessPointRootDirectoryArgs{Path: pulumi.String("/")},
		}, pulumi.Parent(c))
		if err != nil {
			return err
		}
		c.SyncAccessPointArn = point.Arn
		neverRoot.Sid, neverRoot.Conditions = "NeverAsRootButDataSync", condition("StringNotEquals", "elasticfilesystem:AccessPointArn", point.Arn)
	}
	doc, err := PolicyDocument(Statement{
		Sid: "TlsOnly", Deny: true, Everyone: true, Actions: clients, Resources: arns(c.FileSystemArn),
		Conditions: condition("Bool", "aws:SecureTransport", pulumi.String("false")),
	}, Statement{
		Sid: "AccessPointsOnly", Deny: true, Everyone: true, Actions: clients, Resources: arns(c.FileSystemArn),
		Conditions: condition("Null", "elasticfilesystem:AccessPointArn", pulumi.String("true")),
	}, neverRoot)
	if err != nil {
		return err
	}
	policy, err := efs.NewFileSystemPolicy(ctx, name+"-policy", &efs.FileSystemPolicyArgs{FileSystemId: c.FileSystemID, Policy: doc}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	c.ready = append(slices.Clone(c.MountTargets), policy)
	_, err = efs.NewBackupPolicy(ctx, name+"-backup", &efs.BackupPolicyArgs{
		FileSystemId: c.FileSystemID, BackupPolicy: &efs.BackupPolicyBackupPolicyArgs{Status: pulumi.String("ENABLED")},
	}, pulumi.Parent(c))
	return err
}

func (c *EfsRepoStore) accessPoints(ctx *pulumi.Context, name string, args *EfsRepoStoreArgs) error {
	for _, k := range sortedKeys(args.AccessPoints) {
		ap, child := args.AccessPoints[k], name+"-access-"+k
		point, err := efs.NewAccessPoint(ctx, child, &efs.AccessPointArgs{
			FileSystemId: c.FileSystemID,
			PosixUser:    &efs.AccessPointPosixUserArgs{Uid: pulumi.Int(ap.UID), Gid: pulumi.Int(ap.GID)},
			RootDirectory: &efs.AccessPointRootDirectoryArgs{
				Path:         pulumi.String(ap.Path),
				CreationInfo: &efs.AccessPointRootDirectoryCreationInfoArgs{OwnerUid: pulumi.Int(ap.UID), OwnerGid: pulumi.Int(ap.GID), Permissions: pulumi.String(ap.Permissions)},
			},
			Tags: args.Tags.Pulumi("Name", child),
		}, pulumi.Parent(c))
		if err != nil {
			return err
		}
		c.AccessPointIDs[k], c.AccessPointArns[k] = point.ID().ToStringOutput(), point.Arn
	}
	return nil
}

func efsAfter(days int) string {
	if days == 1 {
		return "AFTER_1_DAY"
	}
	return fmt.Sprintf("AFTER_%d_DAYS", days)
}
