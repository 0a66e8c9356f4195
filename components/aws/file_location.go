package aws

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/datasync"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// FileLocationType is the type token of FileLocation.
const FileLocationType = "morphee:aws:FileLocation"

// FileLocationArgs are the decisions about how DataSync gets to a file system.
type FileLocationArgs struct {
	// Store is the file system, made with Synced, in the region of the component's provider; required.
	Store *EfsRepoStore
	// Region and AccountID of the file system; required.
	Region    string
	AccountID pulumi.StringInput
	// VpcID of the file system, and a Subnet in a zone with one of its mount targets, where DataSync
	// puts its network interfaces; required. Changing them replaces the location, not the files.
	VpcID  pulumi.StringInput
	Subnet ZoneSubnet
	Tags   base.Tags
}

// FileLocation is a file system as one end of a FileSync. DataSync mounts it over TLS, with a role of
// its own, through the access point that shows everything, and can reach nothing else.
type FileLocation struct {
	pulumi.ResourceState
	// Arn of the location, which is in the region of its file system.
	Arn pulumi.StringOutput

	region string
}

func (a *FileLocationArgs) validate(name string) error {
	p := base.Check("FileLocation", name)
	p.Require(a.Store != nil && a.Store.SyncAccessPointArn.OutputState != nil, "Store", "none that DataSync may enter", "an EfsRepoStore made with Synced", "")
	p.Require(regionPattern.MatchString(a.Region), "Region", a.Region, "an AWS region such as us-east-1", "")
	p.Require(a.AccountID != nil, "AccountID", "nothing", "the account's 12 digits", "")
	p.Require(a.VpcID != nil, "VpcID", "nothing", "the VPC of the file system", "")
	p.Require(a.Subnet.ID.OutputState != nil, "Subnet", "nothing", "a private subnet in a zone with a mount target", "")
	return p.Err()
}

// NewFileLocation registers the location, its role and its security group.
func NewFileLocation(ctx *pulumi.Context, name string, args *FileLocationArgs, opts ...pulumi.ResourceOption) (*FileLocation, error) {
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &FileLocation{region: args.Region}
	if err := ctx.RegisterComponentResourceV2(FileLocationType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	group, err := closedGroup(ctx, name+"-sg", "DataSync: NFS to the file system", args.VpcID, args.Tags, c)
	if err != nil {
		return nil, err
	}
	ready, err := connect(ctx, name+"-nfs", "DataSync to the file system", group.ID(), args.Store.SecurityGroupID, 2049, args.Tags, c)
	if err != nil {
		return nil, err
	}
	// Writing too: which end is written to changes with the write primary.
	role, made, err := serviceRole(ctx, name+"-role", "datasync.amazonaws.com", "What DataSync may do with the files of "+name, args.AccountID, []Statement{{
		Sid: "Files", Actions: []string{"elasticfilesystem:ClientMount", "elasticfilesystem:ClientRootAccess", "elasticfilesystem:ClientWrite"},
		Resources:  arns(args.Store.FileSystemArn),
		Conditions: condition("StringEquals", "elasticfilesystem:AccessPointArn", args.Store.SyncAccessPointArn),
	}}, args.Tags, c)
	if err != nil {
		return nil, err
	}
	ready = append(append(ready, made...), args.Store.ready...)
	location, err := datasync.NewEfsLocation(ctx, name+"-location", &datasync.EfsLocationArgs{
		EfsFileSystemArn: args.Store.FileSystemArn, AccessPointArn: args.Store.SyncAccessPointArn, FileSystemAccessRoleArn: role.Arn,
		InTransitEncryption: pulumi.String("TLS1_2"),
		Ec2Config: &datasync.EfsLocationEc2ConfigArgs{
			SecurityGroupArns: pulumi.StringArray{group.Arn},
			SubnetArn:         pulumi.Sprintf("arn:aws:ec2:%s:%s:subnet/%s", args.Region, args.AccountID, args.Subnet.ID),
		},
		Tags: args.Tags.Pulumi("Name", name),
	}, pulumi.Parent(c), pulumi.DependsOn(ready))
	if err != nil {
		return nil, err
	}
	c.Arn = location.Arn
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"arn": c.Arn})
}
