package aws

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// RedisCacheType is the type token of RedisCache.
const RedisCacheType = "morphee:aws:RedisCache"

// RedisCacheArgs are the decisions about the cache. It is ephemeral: nothing in it is backed up.
type RedisCacheArgs struct {
	// VpcID and SubnetIDs (private, 2 or more zones); required.
	VpcID     pulumi.StringInput
	SubnetIDs pulumi.StringArrayInput
	// NodeType; default "cache.t4g.micro". Changed in place.
	NodeType string
	// Nodes 1 to 6: a primary and its replicas, with failover from 2 on; default 1.
	Nodes int
	// EngineVersion of Redis 7; default "7.1".
	EngineVersion string
	// AuthToken that clients present: 16 to 128 printable characters without space, @, " and /;
	// a Pulumi secret; required.
	AuthToken pulumi.StringInput
	// KmsKeyArn encrypts what is on disk; required. Changing it replaces the cache.
	KmsKeyArn pulumi.StringInput
	// LogKmsKeyArn encrypts the slow and engine logs; required. LogRetentionDays default 30.
	LogKmsKeyArn     pulumi.StringInput
	LogRetentionDays int
	// EvictionPolicy when memory is full; default "volatile-lru": queues and sessions without a
	// time to live are not dropped.
	EvictionPolicy string
	// MaintenanceWindow (UTC); default "sun:05:00-sun:06:00".
	MaintenanceWindow string
	Tags              base.Tags
}

// RedisCache is a Redis replication group: TLS, AUTH, encrypted at rest.
type RedisCache struct {
	pulumi.ResourceState
	Host            pulumi.StringOutput
	Port            int
	SecurityGroupID pulumi.StringOutput
	// ReplicationGroupID, and the ids of its nodes, for alarms.
	ReplicationGroupID pulumi.StringOutput
	NodeIDs            pulumi.StringArrayOutput
}
