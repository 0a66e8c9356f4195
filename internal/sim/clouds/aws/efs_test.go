package aws

import (
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

func TestFileSystemRefusals(t *testing.T) {
	elastic := func(change props) func(*simtest.Sim) (props, props) {
		policies := []any{props{"transitionToIa": "AFTER_30_DAYS"}, props{"transitionToArchive": "AFTER_90_DAYS"}}
		return fixedInputs(props{"encrypted": true, "throughputMode": "elastic", "lifecyclePolicies": policies}, change)
	}
	mount := func(f func(s *simtest.Sim, n plant, id string) (props, props)) func(*simtest.Sim) (props, props) {
		return on(func(s *simtest.Sim, n plant) (props, props) {
			fs := s.Must(fileSystemType, "repos", props{"encrypted": true})
			good, mistake := f(s, n, fs.ID)
			return with(props{"fileSystemId": fs.ID, "subnetId": n.private[0], "securityGroups": []string{n.group}}, good), mistake
		})
	}
	point := func(mistake props) func(*simtest.Sim) (props, props) {
		return func(s *simtest.Sim) (props, props) {
			fs := s.Must(fileSystemType, "repos", props{"encrypted": true})
			return props{"fileSystemId": fs.ID, "posixUser": props{"uid": 1000, "gid": 1000},
				"rootDirectory": props{"path": "/repos", "creationInfo": props{"ownerUid": 1000, "ownerGid": 1000, "permissions": "0750"}}}, mistake
		}
	}
	attached := func(good, mistake props) func(*simtest.Sim) (props, props) {
		return func(s *simtest.Sim) (props, props) {
			fs := s.Must(fileSystemType, "repos", props{"encrypted": true})
			return with(props{"fileSystemId": fs.ID}, good), mistake
		}
	}
	tls := func(principal string) string {
		return allow(`{"Effect":"Deny"` + principal + `,"Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`)
	}
	runRefusals(t, []refusal{
		{"archive before infrequent access", fileSystemType, "TransitionToArchive must be later", elastic(props{"lifecyclePolicies": []any{props{"transitionToIa": "AFTER_30_DAYS"}, props{"transitionToArchive": "AFTER_14_DAYS"}}})},
		{"archive without elastic throughput", fileSystemType, "only supported for file systems using Elastic Throughput", elastic(props{"throughputMode": "bursting"})},
		{"archive after a time that is not offered", fileSystemType, "Invalid value 'AFTER_45_DAYS'", elastic(props{"lifecyclePolicies": []any{props{"transitionToArchive": "AFTER_45_DAYS"}}})},
		{"two transitions in one policy", fileSystemType, "malformed", elastic(props{"lifecyclePolicies": []any{props{"transitionToIa": "AFTER_30_DAYS", "transitionToArchive": "AFTER_90_DAYS"}}})},
		{"elastic with max I/O", fileSystemType, "not supported for file systems using Max I/O", elastic(props{"performanceMode": "maxIO"})},
		{"provisioned without a rate", fileSystemType, "must be set when", elastic(props{"throughputMode": "provisioned"})},
		{"rate that is not provisioned", fileSystemType, "can only be set when", elastic(props{"provisionedThroughputInMibps": 10})},
		{"key of another region", fileSystemType, "KMS key cannot be used", func(s *simtest.Sim) (props, props) {
			near := s.Must(keyToken, "near", props{})
			far := s.With("aws", props{"region": "us-east-1"}).Must(keyToken, "far", props{})
			return props{"encrypted": true, "kmsKeyId": near.Out["arn"]}, props{"kmsKeyId": far.Out["arn"]}
		}},
		{"key but not encrypted", fileSystemType, "only be specified for encrypted", func(s *simtest.Sim) (props, props) {
			return props{"encrypted": true, "kmsKeyId": s.Must(keyToken, "near", props{}).Out["arn"]}, props{"encrypted": false}
		}},
		{"creation token taken", fileSystemType, "FileSystemAlreadyExists", func(s *simtest.Sim) (props, props) {
			s.Must(fileSystemType, "first", props{"creationToken": "repos"})
			return props{"creationToken": "files"}, props{"creationToken": "repos"}
		}},
		{"mount target of no file system", mountTargetType, "FileSystemNotFound", mount(func(s *simtest.Sim, n plant, id string) (props, props) {
			return nil, props{"fileSystemId": "fs-0123456789abcdef0"}
		})},
		{"two mount targets in a zone", mountTargetType, "mount target already exists in this AZ", mount(func(s *simtest.Sim, n plant, id string) (props, props) {
			s.Must(mountTargetType, "a", props{"fileSystemId": id, "subnetId": n.private[0]})
			return props{"subnetId": n.private[1]}, props{"subnetId": n.public[0]}
		})},
		{"mount targets in two networks", mountTargetType, "not in the same VPC as existing mount targets", mount(func(s *simtest.Sim, n plant, id string) (props, props) {
			s.Must(mountTargetType, "a", props{"fileSystemId": id, "subnetId": n.private[0]})
			return props{"subnetId": n.private[1]}, props{"subnetId": n.otherSubnets[1], "securityGroups": nil}
		})},
		{"mount target with a foreign group", mountTargetType, "SecurityGroupNotFound", mount(func(s *simtest.Sim, n plant, id string) (props, props) {
			return nil, props{"securityGroups": []string{n.otherGroup}}
		})},
		{"mount target outside its subnet", mountTargetType, "not in the address range", mount(func(s *simtest.Sim, n plant, id string) (props, props) {
			return nil, props{"ipAddress": "10.99.0.1"}
		})},
		{"access point of no file system", accessPointType, "FileSystemNotFound", point(props{"fileSystemId": "fs-0123456789abcdef0"})},
		{"access point permissions", accessPointType, "[0-7]{3,4}", point(props{"rootDirectory": props{"path": "/repos", "creationInfo": props{"ownerUid": 1000, "ownerGid": 1000, "permissions": "rwx"}}})},
		{"access point path", accessPointType, "no absolute path", point(props{"rootDirectory": props{"path": "repos"}})},
		{"access point too deep", accessPointType, "at most four directories", point(props{"rootDirectory": props{"path": "/a/b/c/d/e"}})},
		{"access point uid", accessPointType, "failed to satisfy constraint", point(props{"posixUser": props{"uid": -1, "gid": 1000}})},
		{"backup of no file system", efsBackupType, "FileSystemNotFound", attached(props{"backupPolicy": props{"status": "ENABLED"}}, props{"fileSystemId": "fs-0123456789abcdef0"})},
		{"policy without principal", fileSystemPolicy, "InvalidPolicyException", attached(props{"policy": tls(`,"Principal":{"AWS":"*"}`)}, props{"policy": tls("")})},
		{"policy that is no JSON", fileSystemPolicy, "invalid JSON policy", attached(props{"policy": tls(`,"Principal":{"AWS":"*"}`)}, props{"policy": "{"})},
		{"replica in no region", efsReplicationType, "is not supported", func(s *simtest.Sim) (props, props) {
			fs := s.Must(fileSystemType, "repos", props{"encrypted": true})
			return props{"sourceFileSystemId": fs.ID, "destination": props{"region": "eu-central-1"}}, props{"destination": props{"region": "eu-central-9"}}
		}},
		{"replica of a replica's source", efsReplicationType, "ReplicationAlreadyExists", func(s *simtest.Sim) (props, props) {
			fs, taken := s.Must(fileSystemType, "repos", props{}), s.Must(fileSystemType, "taken", props{})
			s.Must(efsReplicationType, "first", props{"sourceFileSystemId": taken.ID, "destination": props{"region": "eu-central-1"}})
			return props{"sourceFileSystemId": fs.ID, "destination": props{"region": "eu-central-1"}}, props{"sourceFileSystemId": taken.ID}
		}},
		{"replica onto a protected file system", efsReplicationType, "overwrite protection", func(s *simtest.Sim) (props, props) {
			fs := s.Must(fileSystemType, "repos", props{})
			there := s.With("aws", props{"region": "eu-central-1"})
			open := there.Must(fileSystemType, "open", props{"protection": props{"replicationOverwrite": "DISABLED"}})
			shut := there.Must(fileSystemType, "shut", props{})
			use := func(id string) props {
				return props{"sourceFileSystemId": fs.ID, "destination": props{"region": "eu-central-1", "fileSystemId": id}}
			}
			return use(open.ID), use(shut.ID)
		}},
	})
}

func TestFileSystemLife(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	n := aPlant(s)
	fs := s.Must(fileSystemType, "repos", props{"encrypted": true})
	m := s.Must(mountTargetType, "a", props{"fileSystemId": fs.ID, "subnetId": n.private[0]})
	p := s.Must(accessPointType, "p", props{"fileSystemId": fs.ID})
	matches(t, "file system", fs.ID, `^fs-0[0-9a-f]{16}$`)
	matches(t, "name", fs.Out.String("dnsName"), `^fs-0[0-9a-f]{16}\.efs\.eu-west-1\.amazonaws\.com$`)
	matches(t, "mount target", m.ID, `^fsmt-0[0-9a-f]{16}$`)
	matches(t, "address", m.Out.String("ipAddress"), `^10\.20\.(1[6-9]|2\d|3[01])\.\d+$`)
	matches(t, "access point", p.Out.String("arn"), `^arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/fsap-0[0-9a-f]{16}$`)
	refusedDelete(t, s, fs, "FileSystemInUse: Cannot delete file system "+fs.ID+" because it has mount targets")
	r := s.Must(efsReplicationType, "r", props{"sourceFileSystemId": fs.ID, "destination": props{"region": "eu-central-1"}})
	matches(t, "replica", r.Out.String("destination.fileSystemId"), `^fs-0[0-9a-f]{16}$`)
	deletes(t, s, m)
	refusedDelete(t, s, fs, "replication configuration")
	deletes(t, s, r)
	deletes(t, s, fs)
}
