// Package durability is the policy pack about data: it is encrypted, protected, and backed up.
package durability

import (
	"slices"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

// Pack has the rules, sorted by family.
var Pack = rule.Pack{
	Name: "morphee-durability", Title: "Durability: data is encrypted, protected, and backed up",
	Rules: slices.Concat(steps, protection, databases, aurora, caches, files, buckets, backups),
}

// unlessLeaving leaves alone what is thrown away or given up.
func unlessLeaving(check func(*rule.Check)) func(*rule.Check) {
	return func(c *rule.Check) {
		if !c.Options().Leaving(c.Name) {
			check(c)
		}
	}
}

const (
	tInstance = "aws:rds/instance:Instance"
	tCluster  = "aws:rds/cluster:Cluster"
	tMember   = "aws:rds/clusterInstance:ClusterInstance"
	tEfs      = "aws:efs/fileSystem:FileSystem"
	tAccess   = "aws:efs/accessPoint:AccessPoint"
	tLocation = "aws:datasync/efsLocation:EfsLocation"
	tBucketV2 = "aws:s3/bucketV2:BucketV2"
	tBucket   = "aws:s3/bucket:Bucket"
	tR2       = "cloudflare:index/r2Bucket:R2Bucket"
	tVault    = "aws:backup/vault:Vault"
	tPlan     = "aws:backup/plan:Plan"
	tSelect   = "aws:backup/selection:Selection"
	tRedis    = "aws:elasticache/replicationGroup:ReplicationGroup"
)
