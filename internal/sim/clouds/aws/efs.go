package aws

import (
	"slices"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// fileSystemTypes are EFS.
func fileSystemTypes() []cloud.Type {
	return []cloud.Type{fileSystem(), mountTarget(), accessPoint(), efsBackup(), efsPolicy(), efsReplication()}
}

// efs is an error of the EFS API.
func efs(operation, code, format string, args ...any) error {
	status := map[string]int{"FileSystemNotFound": 404, "AccessPointNotFound": 404, "FileSystemInUse": 409, "MountTargetConflict": 409,
		"IpAddressInUse": 409, "FileSystemAlreadyExists": 409, "ReplicationAlreadyExists": 409, "AccessPointAlreadyExists": 409}[code]
	if status == 0 {
		status = 400
	}
	return refuseStatus(status, "EFS", operation, code, format, args...)
}

var archiveAfter = []string{"AFTER_1_DAY", "AFTER_7_DAYS", "AFTER_14_DAYS", "AFTER_30_DAYS", "AFTER_60_DAYS", "AFTER_90_DAYS", "AFTER_180_DAYS", "AFTER_270_DAYS", "AFTER_365_DAYS"}

func fileSystem() cloud.Type {
	inUse := func(self, by *cloud.Resource) error {
		return efs("DeleteFileSystem", "FileSystemInUse", "Cannot delete file system %s because it has mount targets.", self.ID)
	}
	return written(cloud.Type{
		Token: fileSystemType,
		Check: func(c *cloud.CheckCall) {
			mode := c.In.String("throughputMode")
			if mode == "provisioned" && !c.In.Has("provisionedThroughputInMibps") {
				c.Fail("provisionedThroughputInMibps", "\"provisioned_throughput_in_mibps\" must be set when \"throughput_mode\" is \"provisioned\"")
			}
			if mode != "provisioned" && c.In.Float("provisionedThroughputInMibps") > 0 {
				c.Fail("provisionedThroughputInMibps", "\"provisioned_throughput_in_mibps\" can only be set when \"throughput_mode\" is \"provisioned\", not %q", mode)
			}
			if id := c.In.String("kmsKeyId"); id != "" && !isARN(id, "kms") {
				c.Fail("kmsKeyId", "\"kms_key_id\" (%s) is an invalid ARN: arn: invalid prefix", id)
			}
		},
		Delete: func(c *cloud.Call) error {
			for _, r := range c.Everywhere(efsReplicationType) {
				if r.Out.String("sourceFileSystemId") == c.ID || r.Out.String("destination.fileSystemId") == c.ID {
					return efs("DeleteFileSystem", "FileSystemInUse", "Cannot delete file system %s because it is part of a replication configuration.", c.ID)
				}
			}
			return nil
		},
		InUse: []cloud.Ref{{Type: mountTargetType, Path: "fileSystemId", Error: inUse}},
		Takes: cloud.Durations{Create: seconds(10), Update: seconds(10), Delete: seconds(10)},
	}, func(c *cloud.Call) error {
		op := operation(c, "CreateFileSystem", "UpdateFileSystem")
		mode, performance := c.In.String("throughputMode"), c.In.String("performanceMode")
		switch {
		case mode == "elastic" && performance == "maxIO":
			return efs(op, "BadRequest", "Elastic Throughput mode is not supported for file systems using Max I/O performance mode.")
		case c.In.Has("availabilityZoneName") && performance == "maxIO":
			return efs(op, "BadRequest", "One Zone file systems do not support Max I/O performance mode.")
		case c.In.Has("kmsKeyId") && c.In.Get("encrypted") == false:
			return efs(op, "BadRequest", "KmsKeyId can only be specified for encrypted file systems.")
		}
		if zone := c.In.String("availabilityZoneName"); zone != "" && !slices.Contains(zoneNames(c.Scope), zone) {
			return efs(op, "BadRequest", "Availability Zone %s is not in region %s.", zone, c.Scope)
		}
		if reason := keyUsable(c, c.In.String("kmsKeyId")); reason != "" {
			return efs(op, "BadRequest", "The KMS key cannot be used: %s", reason)
		}
		return lifecycle(c)
	}, func(c *cloud.Call) error {
		if c.Clash("creationToken") != nil {
			return efs("CreateFileSystem", "FileSystemAlreadyExists", "File system '%s' already exists with creation token '%s'", c.Clash("creationToken").ID, c.In.String("creationToken"))
		}
		c.ID = ec2ID(c.Gen, "fs")
		c.Out["arn"] = arn("elasticfilesystem", c.Scope, "file-system/"+c.ID)
		c.Out["dnsName"] = c.ID + ".efs." + c.Scope + ".amazonaws.com"
		c.Out["ownerId"], c.Out["name"] = accountID, c.In.String("tags.Name")
		c.Out["numberOfMountTargets"] = 0.0
		c.Out["sizeInBytes"] = []any{cloud.Object{"value": 6144.0, "valueInIa": 0.0, "valueInStandard": 6144.0}}
		c.Out["availabilityZoneId"] = zoneID(c.In.String("availabilityZoneName"))
		computed(c, "availabilityZoneName", "")
		computed(c, "performanceMode", "generalPurpose")
		computed(c, "encrypted", c.In.Has("kmsKeyId"))
		if c.Out.Bool("encrypted") {
			computed(c, "kmsKeyId", arn("kms", c.Scope, "key/"+requestID("aws/elasticfilesystem", c.Scope)))
		}
		computed(c, "protection", cloud.Object{"replicationOverwrite": "ENABLED"})
		return nil
	})
}

// lifecycle refuses lifecycle policies that EFS does not take.
func lifecycle(c *cloud.Call) error {
	const op = "PutLifecycleConfiguration"
	days := map[string]int{}
	for _, p := range c.In.Objects("lifecyclePolicies") {
		set := 0
		for i, key := range []string{"transitionToIa", "transitionToArchive", "transitionToPrimaryStorageClass"} {
			v := p.String(key)
			if v == "" {
				continue
			}
			set++
			if known := slices.Index(archiveAfter, v); i < 2 && known < 0 {
				return efs(op, "BadRequest", "Invalid value '%s' for %s. Valid values are %s.", v, key, list(archiveAfter))
			} else if _, twice := days[key]; twice {
				return efs(op, "BadRequest", "%s is given more than once.", key)
			} else {
				days[key] = known
			}
		}
		if set != 1 {
			return efs(op, "BadRequest", "One or more LifecyclePolicy objects specified are malformed: each needs exactly one transition, got %d.", set)
		}
	}
	archive, hasArchive := days["transitionToArchive"]
	if ia, hasIA := days["transitionToIa"]; hasArchive && hasIA && archive <= ia {
		return efs(op, "BadRequest", "TransitionToArchive must be later than TransitionToIA.")
	}
	if hasArchive && c.In.String("throughputMode") != "elastic" {
		return efs(op, "BadRequest", "Archive storage class is only supported for file systems using Elastic Throughput mode.")
	}
	return nil
}

func efsBackup() cloud.Type {
	return attachedToFileSystem(cloud.Type{Token: efsBackupType}, "PutBackupPolicy", func(c *cloud.Call, fs *cloud.Resource) error {
		if fs.Out.String("availabilityZoneName") != "" && c.In.String("backupPolicy.status") == "DISABLED" {
			c.Warn("file system %s is in one zone and has no backups", fs.ID)
		}
		return nil
	})
}

func efsPolicy() cloud.Type {
	return attachedToFileSystem(cloud.Type{
		Token: fileSystemPolicy,
		Check: func(c *cloud.CheckCall) { checkJSON(c, "policy") },
	}, "PutFileSystemPolicy", func(c *cloud.Call, fs *cloud.Resource) error {
		doc, err := parsePolicy(c.In.Get("policy"))
		if err != nil {
			return efs("PutFileSystemPolicy", "InvalidPolicyException", "Policy is invalid: %v", err)
		}
		for _, s := range doc.Statements {
			if !s.HasPrincipal && !s.HasNotPrincipal {
				return efs("PutFileSystemPolicy", "InvalidPolicyException", "Policy contains a statement without a Principal.")
			}
			for _, r := range s.Resources {
				if r != "*" && r != fs.Out.String("arn") {
					return efs("PutFileSystemPolicy", "InvalidPolicyException", "Policy contains a resource that is not this file system: %s", r)
				}
			}
			for _, a := range s.Actions {
				if a != "*" && !globMatch("elasticfilesystem:*", a) {
					return efs("PutFileSystemPolicy", "InvalidPolicyException", "Policy contains an action that is not one of EFS: %s", a)
				}
			}
		}
		return nil
	})
}

// attachedToFileSystem makes a type whose resources are settings of a file system and have its id.
func attachedToFileSystem(t cloud.Type, op string, rule func(*cloud.Call, *cloud.Resource) error) cloud.Type {
	return written(t, func(c *cloud.Call) error {
		id := c.In.String("fileSystemId")
		fs := c.Find(fileSystemType, id)
		if fs == nil {
			return efs(op, "FileSystemNotFound", "File system '%s' does not exist.", id)
		}
		return rule(c, fs)
	}, func(c *cloud.Call) error {
		c.ID = c.In.String("fileSystemId")
		return nil
	})
}
