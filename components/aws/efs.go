package aws

import (
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
	// MountTargets must exist before a task that mounts the file system.
	MountTargets []pulumi.Resource
}
