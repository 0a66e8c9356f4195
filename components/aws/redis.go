package aws

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/elasticache"
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

var (
	cacheNodeType  = regexp.MustCompile(`^cache\.[a-z0-9]+\.[a-z0-9]+$`)
	redisVersion   = regexp.MustCompile(`^7\.[0-9]$`)
	windowPattern  = regexp.MustCompile(`^(mon|tue|wed|thu|fri|sat|sun):[0-2][0-9]:[0-5][0-9]-(mon|tue|wed|thu|fri|sat|sun):[0-2][0-9]:[0-5][0-9]$`)
	authToken      = regexp.MustCompile(`^[!#$%&'()*+,.:;<=>?\[\]^_` + "`" + `{|}~\\A-Za-z0-9-]{16,128}$`)
	evictionPolicy = []string{"allkeys-lfu", "allkeys-lru", "allkeys-random", "noeviction", "volatile-lfu", "volatile-lru", "volatile-random", "volatile-ttl"}
)

func (a *RedisCacheArgs) validate(name string) error {
	p := base.Check("RedisCache", name)
	p.Require(shortName.MatchString(name) && len(name) <= 26, "name", name, "at most 26 lower case letters, digits and single hyphens: AWS allows 40 with what is added to it", "")
	p.Require(a.VpcID != nil, "VpcID", "nothing", "the VPC of the private subnets", "")
	p.Require(a.SubnetIDs != nil, "SubnetIDs", "nothing", "private subnets in 2 or more zones", "")
	p.Require(cacheNodeType.MatchString(a.NodeType), "NodeType", a.NodeType, "a node type such as cache.t4g.micro", "")
	p.Require(a.Nodes >= 1 && a.Nodes <= 6, "Nodes", a.Nodes, "1 to 6", "")
	p.Require(redisVersion.MatchString(a.EngineVersion), "EngineVersion", a.EngineVersion, "a version of Redis 7, such as 7.1", "")
	p.Require(a.AuthToken != nil, "AuthToken", "nothing", "a secret of 16 to 128 characters", "")
	if token, plain := a.AuthToken.(pulumi.String); plain {
		p.Require(authToken.MatchString(string(token)), "AuthToken", "a value that AWS refuses (not shown)", `16 to 128 printable characters without space, @, " and /`, "")
	}
	p.Require(a.KmsKeyArn != nil, "KmsKeyArn", "nothing", "the ARN of a customer KMS key", "")
	p.Require(a.LogKmsKeyArn != nil, "LogKmsKeyArn", "nothing", "the ARN of a customer KMS key", "")
	requireRetention(p, "LogRetentionDays", a.LogRetentionDays)
	p.Require(slices.Contains(evictionPolicy, a.EvictionPolicy), "EvictionPolicy", a.EvictionPolicy, fmt.Sprint("one of ", evictionPolicy), "")
	p.Require(windowPattern.MatchString(a.MaintenanceWindow), "MaintenanceWindow", a.MaintenanceWindow, "such as sun:05:00-sun:06:00", "")
	return p.Err()
}

// NewRedisCache registers the cache.
func NewRedisCache(ctx *pulumi.Context, name string, in *RedisCacheArgs, opts ...pulumi.ResourceOption) (*RedisCache, error) {
	args := *in
	setDefault(&args.NodeType, "cache.t4g.micro")
	setDefault(&args.Nodes, 1)
	setDefault(&args.EngineVersion, "7.1")
	setDefault(&args.LogRetentionDays, 30)
	setDefault(&args.EvictionPolicy, "volatile-lru")
	setDefault(&args.MaintenanceWindow, "sun:05:00-sun:06:00")
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &RedisCache{Port: 6379}
	if err := ctx.RegisterComponentResourceV2(RedisCacheType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	group, err := closedGroup(ctx, name+"-sg", "Redis: from the services that use it", args.VpcID, args.Tags, c)
	if err != nil {
		return nil, err
	}
	subnets, err := elasticache.NewSubnetGroup(ctx, name+"-subnets", &elasticache.SubnetGroupArgs{
		Description: pulumi.String("Private subnets"), SubnetIds: args.SubnetIDs, Tags: args.Tags.Pulumi("Name", name+"-subnets"),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, err
	}
	parameters, err := elasticache.NewParameterGroup(ctx, name+"-parameters", &elasticache.ParameterGroupArgs{
		Family: pulumi.String("redis7"), Description: pulumi.String("Redis 7 of " + name),
		Parameters: elasticache.ParameterGroupParameterArray{
			&elasticache.ParameterGroupParameterArgs{Name: pulumi.String("maxmemory-policy"), Value: pulumi.String(args.EvictionPolicy)},
		},
		Tags: args.Tags.Pulumi("Name", name+"-parameters"),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, err
	}
	logs, err := encryptedLogs(ctx, name+"-logs", nil, args.LogRetentionDays, args.LogKmsKeyArn, args.Tags, c)
	if err != nil {
		return nil, err
	}
	deliver := func(kind string) elasticache.ReplicationGroupLogDeliveryConfigurationInput {
		return &elasticache.ReplicationGroupLogDeliveryConfigurationArgs{
			Destination: logs.Name, DestinationType: pulumi.String("cloudwatch-logs"), LogFormat: pulumi.String("json"), LogType: pulumi.String(kind),
		}
	}
	redis, err := elasticache.NewReplicationGroup(ctx, name+"-redis", &elasticache.ReplicationGroupArgs{
		Description: pulumi.String("Redis of " + name), Engine: pulumi.String("redis"), EngineVersion: pulumi.String(args.EngineVersion),
		NodeType: pulumi.String(args.NodeType), NumCacheClusters: pulumi.Int(args.Nodes), Port: pulumi.Int(c.Port),
		AutomaticFailoverEnabled: pulumi.Bool(args.Nodes > 1), MultiAzEnabled: pulumi.Bool(args.Nodes > 1),
		AtRestEncryptionEnabled: pulumi.Bool(true), KmsKeyId: args.KmsKeyArn.ToStringOutput().ToStringPtrOutput(),
		TransitEncryptionEnabled: pulumi.Bool(true), TransitEncryptionMode: pulumi.String("required"),
		AuthToken: pulumi.ToSecret(args.AuthToken.ToStringOutput()).(pulumi.StringOutput).ToStringPtrOutput(),
		// Rotating keeps the old token valid until the next change: clients move over one by one.
		AuthTokenUpdateStrategy: pulumi.String("ROTATE"),
		SubnetGroupName:         subnets.Name, SecurityGroupIds: pulumi.StringArray{group.ID()}, ParameterGroupName: parameters.Name,
		SnapshotRetentionLimit:  pulumi.Int(0), // ephemeral: nothing to restore
		AutoMinorVersionUpgrade: pulumi.Bool(true), MaintenanceWindow: pulumi.String(args.MaintenanceWindow), ApplyImmediately: pulumi.Bool(true),
		LogDeliveryConfigurations: elasticache.ReplicationGroupLogDeliveryConfigurationArray{deliver("engine-log"), deliver("slow-log")},
		Tags:                      args.Tags.Pulumi("Name", name),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, err
	}
	c.Host, c.SecurityGroupID = redis.PrimaryEndpointAddress, group.ID().ToStringOutput()
	c.ReplicationGroupID, c.NodeIDs = redis.ID().ToStringOutput(), redis.MemberClusters
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"host": c.Host, "port": pulumi.Int(c.Port), "securityGroupId": c.SecurityGroupID, "replicationGroupId": c.ReplicationGroupID,
	})
}

// Connection is how a service gets to the cache.
func (c *RedisCache) Connection() Connection {
	return Connection{Name: "redis", SecurityGroupID: c.SecurityGroupID, Port: c.Port}
}
