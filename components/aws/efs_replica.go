package aws

import (
	"regexp"

	awsprovider "github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/efs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// EfsReplicaType is the type token of the replica of an EfsRepoStore.
const EfsReplicaType = "morphee:aws:EfsReplica"

// EfsReplicaArgs are the decisions about the copy of a file system in another region.
type EfsReplicaArgs struct {
	// SourceFileSystemID is replicated, by the provider of its region; required while the copy follows.
	// A file system is replicated to one region only.
	SourceFileSystemID pulumi.StringInput
	SourceProvider     *awsprovider.Provider
	// FileSystemID of the copy once it has taken over: then there is no replication, and it is written
	// to. Setting it ends the replication, and nothing else.
	FileSystemID string
	// Region and AccountID of the copy; required.
	Region    string
	AccountID pulumi.StringInput
	// VpcID and Subnets of the copy's region (private, one per zone), and the customer key there that
	// encrypts the copy; required. Changing the key ends the replication and begins another.
	VpcID     pulumi.StringInput
	Subnets   []ZoneSubnet
	KmsKeyArn pulumi.StringInput
	// AccessPoints as the source has them: EFS does not replicate those.
	AccessPoints map[string]EfsAccessPoint
	Tags         base.Tags
}

var fileSystemID = regexp.MustCompile(`^fs-[0-9a-f]{8,40}$`)

// NewEfsReplica registers the replication and what stands before the copy. The copy itself is made by
// the replication, and belongs to it: one that the stack had made would be reported as REPLICATING,
// which no deployment can set, and every refresh would break. So nothing that a stack does can delete
// a copy; without its replication it stays as a file system of its own, to be deleted by hand.
func NewEfsReplica(ctx *pulumi.Context, name string, in *EfsReplicaArgs, opts ...pulumi.ResourceOption) (*EfsRepoStore, error) {
	args := *in
	like := (&EfsRepoStoreArgs{VpcID: args.VpcID, Subnets: args.Subnets, KmsKeyArn: args.KmsKeyArn, AccessPoints: args.AccessPoints, Tags: args.Tags}).withDefaults()
	if err := like.validate(name); err != nil {
		return nil, err
	}
	p := base.Check("EfsReplica", name)
	p.Require(regionPattern.MatchString(args.Region), "Region", args.Region, "an AWS region such as us-east-1", "")
	p.Require(args.AccountID != nil, "AccountID", "nothing", "the account's 12 digits", "")
	p.Require(args.FileSystemID == "" || fileSystemID.MatchString(args.FileSystemID), "FileSystemID", args.FileSystemID, "an id such as fs-0123456789abcdef0", "")
	p.Require(args.FileSystemID != "" || args.SourceFileSystemID != nil && args.SourceProvider != nil, "SourceFileSystemID and SourceProvider", "nothing", "the file system to follow, unless FileSystemID is set", "")
	if err := p.Err(); err != nil {
		return nil, err
	}
	c := &EfsRepoStore{AccessPointIDs: map[string]pulumi.StringOutput{}, AccessPointArns: map[string]pulumi.StringOutput{}}
	if err := ctx.RegisterComponentResourceV2(EfsReplicaType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	c.FileSystemID = pulumi.String(args.FileSystemID).ToStringOutput()
	if args.FileSystemID == "" {
		replication, err := efs.NewReplicationConfiguration(ctx, name+"-replication", &efs.ReplicationConfigurationArgs{
			SourceFileSystemId: args.SourceFileSystemID,
			Destination: &efs.ReplicationConfigurationDestinationArgs{
				Region: pulumi.String(args.Region), KmsKeyId: args.KmsKeyArn.ToStringOutput().ToStringPtrOutput(),
			},
		}, pulumi.Parent(c), pulumi.Provider(args.SourceProvider))
		if err != nil {
			return nil, err
		}
		c.FileSystemID = replication.Destination.FileSystemId().Elem()
	}
	c.FileSystemArn = pulumi.Sprintf("arn:aws:elasticfilesystem:%s:%s:file-system/%s", args.Region, args.AccountID, c.FileSystemID)
	if err := c.guard(ctx, name, like); err != nil {
		return nil, err
	}
	if err := c.accessPoints(ctx, name, like); err != nil {
		return nil, err
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"fileSystemId": c.FileSystemID, "securityGroupId": c.SecurityGroupID, "accessPointIds": stringMap(c.AccessPointIDs),
	})
}
