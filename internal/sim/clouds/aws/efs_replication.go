package aws

import (
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// efsReplication is the replication of a file system to one other. The destination is a file system
// like any other, but read only, and made by EFS unless one is named.
func efsReplication() cloud.Type {
	return cloud.Type{
		Token:  efsReplicationType,
		Create: createReplication,
		Delete: func(c *cloud.Call) error {
			// The copy stays, and may be written to from now on.
			region, id := c.Out.String("destination.region"), c.Out.String("destination.fileSystemId")
			fs := c.World.Find(region, fileSystemType, id)
			switch {
			case fs == nil:
			case fs.URN == "" && !mounted(c.World, region, id):
				c.World.Remove(region, fileSystemType, id)
				c.World.Put(&cloud.Resource{Type: remnant("efs-file-system"), ID: id, Scope: region, Out: fs.Out})
				c.Warn("the copy %s in %s stays, as a file system that no stack knows and that costs money: delete it by hand when its data is not needed", id, region)
			default:
				overwrite(c.World, fs, "ENABLED")
			}
			return nil
		},
		Takes: cloud.Durations{Create: minutes(10), Delete: minutes(10)},
	}
}

func mounted(w *cloud.World, region, id string) bool {
	return byProperty(w.All(region, mountTargetType), "fileSystemId", id) != nil
}

// overwrite sets whether a file system may be written to by a replication only.
func overwrite(w *cloud.World, fs *cloud.Resource, protection string) {
	changed := *fs
	changed.Out = fs.Out.Clone()
	changed.Out["protection"] = cloud.Object{"replicationOverwrite": protection}
	w.Put(&changed)
}

func createReplication(c *cloud.Call) error {
	const op = "CreateReplicationConfiguration"
	id := c.In.String("sourceFileSystemId")
	fs := c.Find(fileSystemType, id)
	if fs == nil {
		return efs(op, "FileSystemNotFound", "File system '%s' does not exist.", id)
	}
	for _, r := range c.Everywhere(efsReplicationType) {
		if r.Out.String("sourceFileSystemId") == id || r.Out.String("destination.fileSystemId") == id {
			return efs(op, "ReplicationAlreadyExists", "File system '%s' is already part of a replication configuration.", id)
		}
	}
	d := c.In.Object("destination").Clone()
	region := orText(d.String("region"), c.Scope)
	if regions[region] == nil {
		return efs(op, "ValidationException", "Region %s is not supported.", region)
	}
	if key := d.String("kmsKeyId"); isARN(key, "kms") && arnPart(key, 3) != region || key != "" && !awsKey(key) && findKey(c.World, region, key) == nil {
		return efs(op, "ValidationException", "The KMS key %s cannot be used in region %s.", key, region)
	}
	target := d.String("fileSystemId")
	if target == "" {
		target = "fs-0" + c.Gen.Hex("replica", 16)
		c.World.Put(replicaOf(fs, target, region, d))
	} else if err := overwritable(c, op, region, target, id); err != nil {
		return err
	} else {
		overwrite(c.World, c.World.Find(region, fileSystemType, target), "REPLICATING")
	}
	d["fileSystemId"], d["region"], d["status"] = target, region, "ENABLED"
	c.Out["destination"] = d
	c.ID = id
	c.Out["creationTime"] = c.Gen.Time()
	c.Out["sourceFileSystemArn"], c.Out["originalSourceFileSystemArn"] = fs.Out["arn"], fs.Out["arn"]
	c.Out["sourceFileSystemRegion"] = c.Scope
	return nil
}

// replicaOf is the file system that EFS makes as the destination: like the source, without its
// lifecycle policies and tags.
func replicaOf(source *cloud.Resource, id, region string, destination cloud.Object) *cloud.Resource {
	key := destination.String("kmsKeyId")
	if key == "" {
		key = arn("kms", region, "key/"+requestID("aws/elasticfilesystem", region))
	}
	in := cloud.Object{"encrypted": true, "kmsKeyId": key, "performanceMode": source.Out.Get("performanceMode"), "throughputMode": source.Out.Get("throughputMode"),
		"protection": cloud.Object{"replicationOverwrite": "REPLICATING"}}
	out := in.Clone()
	out["arn"], out["dnsName"] = arn("elasticfilesystem", region, "file-system/"+id), id+".efs."+region+".amazonaws.com"
	out["ownerId"], out["name"], out["numberOfMountTargets"], out["sizeInBytes"] = accountID, "", 0.0, source.Out.Get("sizeInBytes")
	out["creationToken"], out["availabilityZoneName"], out["availabilityZoneId"] = strings.TrimPrefix(id, "fs-"), "", ""
	return &cloud.Resource{Type: fileSystemType, ID: id, Scope: region, In: in, Out: out}
}

// overwritable refuses an existing destination that replication may not overwrite.
func overwritable(c *cloud.Call, op, region, target, source string) error {
	fs := c.World.Find(region, fileSystemType, target)
	switch {
	case fs == nil:
		return efs(op, "FileSystemNotFound", "File system '%s' does not exist.", target)
	case target == source:
		return efs(op, "ValidationException", "Source and destination file system must differ.")
	case fs.Out.String("protection.replicationOverwrite") != "DISABLED":
		return efs(op, "ConflictException", "The destination file system %s has replication overwrite protection enabled.", target)
	}
	return nil
}
