package aws

import (
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

func (n plant) redis(s *simtest.Sim) props {
	g := s.Must(cacheSubnetType, "cache", props{"name": "cache", "subnetIds": n.private})
	return props{"replicationGroupId": "morphee", "description": "Sessions and queues", "engine": "redis", "engineVersion": "7.1", "nodeType": "cache.t4g.micro",
		"numCacheClusters": 2, "automaticFailoverEnabled": true, "multiAzEnabled": true, "subnetGroupName": g.ID, "securityGroupIds": []string{n.group},
		"transitEncryptionEnabled": true, "atRestEncryptionEnabled": true, "authToken": "correct-horse-battery-staple"}
}

func TestCacheRefusals(t *testing.T) {
	redis := func(mistake props) func(*simtest.Sim) (props, props) {
		return plus(func(s *simtest.Sim, n plant) props { return n.redis(s) }, mistake)
	}
	both := func(good, mistake props) func(*simtest.Sim) (props, props) {
		return on(func(s *simtest.Sim, n plant) (props, props) { return with(n.redis(s), good), mistake })
	}
	user := props{"userId": "app", "userName": "app", "engine": "REDIS", "accessString": "on ~* +@all", "passwords": []string{"correct-horse-battery"}}
	runRefusals(t, []refusal{
		{"AUTH in the clear", replicationGroupType, "To enable AUTH, transit encryption must be enabled", redis(props{"transitEncryptionEnabled": false})},
		{"token too short", replicationGroupType, "from 16 to 128", redis(props{"authToken": "short"})},
		{"token with a slash", replicationGroupType, "only alphanumeric characters or symbols", redis(props{"authToken": "correct/horse/battery"})},
		{"failover with one node", replicationGroupType, "must be at least 2 if automatic_failover_enabled", redis(props{"numCacheClusters": 1})},
		{"zones without failover", replicationGroupType, "automatic_failover_enabled must be true", redis(props{"automaticFailoverEnabled": false})},
		{"node type of RDS", replicationGroupType, "Invalid Cache Node Type: db.t4g.micro", redis(props{"nodeType": "db.t4g.micro"})},
		{"node type that does not exist", replicationGroupType, "Invalid Cache Node Type", redis(props{"nodeType": "cache.t9.micro"})},
		{"node type too old", replicationGroupType, "does not support automatic failover", redis(props{"nodeType": "cache.t1.micro"})},
		{"identifier of 41", replicationGroupType, "at most 40", both(props{"replicationGroupId": strings.Repeat("a", 40)}, props{"replicationGroupId": strings.Repeat("a", 41)})},
		{"identifier with underscore", replicationGroupType, "alphanumeric characters and hyphens", redis(props{"replicationGroupId": "my_cache"})},
		{"cache version", replicationGroupType, "Invalid version '7.9' for engine redis", redis(props{"engineVersion": "7.9"})},
		{"no cache subnet group", replicationGroupType, "CacheSubnetGroupNotFoundFault", redis(props{"subnetGroupName": "nobody"})},
		{"cache group of another VPC", replicationGroupType, "the cache subnet group cache is in", on(func(s *simtest.Sim, n plant) (props, props) {
			return n.redis(s), props{"securityGroupIds": []string{n.otherGroup}}
		})},
		{"zones in one zone", replicationGroupType, "Multi-AZ needs subnets in at least 2", on(func(s *simtest.Sim, n plant) (props, props) {
			s.Must(cacheSubnetType, "one", props{"name": "one", "subnetIds": n.private[:1]})
			return n.redis(s), props{"subnetGroupName": "one"}
		})},
		{"cache parameters of another version", replicationGroupType, "Expected a parameter group of family redis7 but found one of family redis6.x", on(func(s *simtest.Sim, n plant) (props, props) {
			s.Must(cacheParametersType, "r7", props{"name": "r7", "family": "redis7"})
			s.Must(cacheParametersType, "r6", props{"name": "r6", "family": "redis6.x"})
			return with(n.redis(s), props{"parameterGroupName": "r7"}), props{"parameterGroupName": "r6"}
		})},
		{"cache parameters of nothing", replicationGroupType, "CacheParameterGroupNotFound", redis(props{"parameterGroupName": "nobody"})},
		{"cache key without encryption", replicationGroupType, "only be specified when encryption at rest", on(func(s *simtest.Sim, n plant) (props, props) {
			return with(n.redis(s), props{"kmsKeyId": s.Must(keyToken, "k", props{}).Out["arn"]}), props{"atRestEncryptionEnabled": false}
		})},
		{"shards without failover", replicationGroupType, "cannot be created with auto failover turned off", both(props{"numCacheClusters": nil, "numNodeGroups": 2, "replicasPerNodeGroup": 1}, props{"automaticFailoverEnabled": false, "multiAzEnabled": false})},
		{"too many replicas", replicationGroupType, "NodeGroupQuotaExceeded", redis(props{"numCacheClusters": 7})},
		{"zones for other nodes", replicationGroupType, "must match the number of nodes", both(props{"preferredCacheClusterAzs": []string{"eu-west-1a", "eu-west-1b"}}, props{"preferredCacheClusterAzs": []string{"eu-west-1a"}})},
		{"data tiering", replicationGroupType, "only supported on r6gd", redis(props{"dataTieringEnabled": true})},
		{"cache logs to no group", replicationGroupType, "Destination /nobody does not exist", on(func(s *simtest.Sim, n plant) (props, props) {
			s.Must(logGroupToken, "slow", props{"name": "/morphee/slow"})
			to := func(name string) props {
				return props{"logDeliveryConfigurations": []any{props{"destination": name, "destinationType": "cloudwatch-logs", "logFormat": "json", "logType": "slow-log"}}}
			}
			return with(n.redis(s), to("/morphee/slow")), to("/nobody")
		})},
		{"cache taken", replicationGroupType, "ReplicationGroupAlreadyExists", on(func(s *simtest.Sim, n plant) (props, props) {
			good := n.redis(s)
			s.Must(replicationGroupType, "first", with(good, props{"replicationGroupId": "taken"}))
			return good, props{"replicationGroupId": "taken"}
		})},
		{"cache subnets of nothing", cacheSubnetType, "InvalidSubnet", on(func(s *simtest.Sim, n plant) (props, props) {
			return props{"subnetIds": n.private}, props{"subnetIds": []string{"subnet-0123456789abcdef0"}}
		})},
		{"cache subnets of two networks", cacheSubnetType, "InvalidSubnet", on(func(s *simtest.Sim, n plant) (props, props) {
			return props{"subnetIds": n.private}, props{"subnetIds": []string{n.private[0], n.otherSubnets[0]}}
		})},
		{"cache family", cacheParametersType, "is not a valid parameter group family", fixedInputs(props{"family": "redis7"}, props{"family": "redis7.1"})},
		{"eviction policy", cacheParametersType, "expects one of", fixedInputs(props{"family": "redis7", "parameters": []any{props{"name": "maxmemory-policy", "value": "noeviction"}}}, props{"parameters": []any{props{"name": "maxmemory-policy", "value": "never"}}})},
		{"user with a short password", cacheUserType, "between 16 and 128", fixedInputs(user, props{"passwords": []string{"short"}})},
		{"user without password", cacheUserType, "A password or no-password-required must be specified", fixedInputs(user, props{"passwords": nil})},
		{"access string", cacheUserType, "must begin with on or off", fixedInputs(user, props{"accessString": "~* +@all"})},
		{"user group without default", cacheUserGroupType, "DefaultUserRequired", func(s *simtest.Sim) (props, props) {
			s.Must(cacheUserType, "app", user)
			return props{"userGroupId": "g", "engine": "REDIS", "userIds": []string{"default", "app"}}, props{"userIds": []string{"app"}}
		}},
		{"user group of nobody", cacheUserGroupType, "UserNotFound", fixedInputs(props{"userGroupId": "g", "engine": "REDIS", "userIds": []string{"default"}}, props{"userIds": []string{"default", "nobody"}})},
		{"redis cluster of two nodes", cacheClusterType, "does not support num_cache_nodes > 1", on(func(s *simtest.Sim, n plant) (props, props) {
			s.Must(cacheSubnetType, "cache", props{"name": "cache", "subnetIds": n.private})
			return props{"clusterId": "one", "engine": "redis", "nodeType": "cache.t4g.micro", "numCacheNodes": 1, "subnetGroupName": "cache"}, props{"numCacheNodes": 2}
		})},
	})
}

func TestCacheLife(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	n := aPlant(s)
	r := s.Must(replicationGroupType, "r", n.redis(s))
	subnets := s.World.Find("eu-west-1", cacheSubnetType, "cache")
	matches(t, "primary", r.Out.String("primaryEndpointAddress"), `^master\.morphee\.[0-9a-z]{6}\.euw1\.cache\.amazonaws\.com$`)
	matches(t, "reader", r.Out.String("readerEndpointAddress"), `^replica\.morphee\.[0-9a-z]{6}\.euw1\.cache\.amazonaws\.com$`)
	matches(t, "members", strings.Join(r.Out.Strings("memberClusters"), ","), `^morphee-001,morphee-002$`)
	matches(t, "ARN", r.Out.String("arn"), `^arn:aws:elasticache:eu-west-1:123456789012:replicationgroup:morphee$`)
	refusedDelete(t, s, subnets, "CacheSubnetGroupInUse")
	replaced(t, s, r, props{"nodeType": "cache.t4g.small"}, "")
	replaced(t, s, r, props{"engineVersion": "7.0"}, "engineVersion")
	replaced(t, s, r, props{"engine": "valkey", "engineVersion": "7.2"}, "")
	replaced(t, s, r, props{"atRestEncryptionEnabled": false}, "atRestEncryptionEnabled")
	r = updates(t, s, r, props{"numCacheClusters": 3})
	matches(t, "members", strings.Join(r.Out.Strings("memberClusters"), ","), `^morphee-001,morphee-002,morphee-003$`)
	deletes(t, s, r)
	deletes(t, s, subnets)
}
