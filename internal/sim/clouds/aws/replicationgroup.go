package aws

import (
	"fmt"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func replicationGroup() cloud.Type {
	return cloud.Type{
		Token:  replicationGroupType,
		Check:  checkReplicationGroup,
		Create: createReplicationGroup,
		Update: func(c *cloud.Call) error {
			if err := replicationRules(c, "ModifyReplicationGroup"); err != nil {
				return err
			}
			fillMembers(c)
			return nil
		},
		Replaces: func(old, new cloud.Object) []string {
			var out []string
			if old.String("engine") == "valkey" && new.String("engine") == "redis" {
				out = append(out, "engine")
			}
			a, b := old.String("engineVersion"), new.String("engineVersion")
			if a != "" && b != "" && old.String("engine") == new.String("engine") && newer(dotted(a), dotted(b)) {
				out = append(out, "engineVersion")
			}
			if b == "" {
				b = "7.1"
			}
			if old.Bool("transitEncryptionEnabled") != new.Bool("transitEncryptionEnabled") && new.Has("transitEncryptionEnabled") && newer("7.0.5", dotted(b)) && b != "7.0" {
				out = append(out, "transitEncryptionEnabled")
			}
			return out
		},
		Recomputed: map[string][]string{
			"engineVersion": {"engineVersionActual"}, "numCacheClusters": {"memberClusters"}, "numNodeGroups": {"memberClusters"}, "replicasPerNodeGroup": {"memberClusters"},
		},
		Takes: cloud.Durations{Create: minutes(8), Update: minutes(8), Delete: minutes(6)},
	}
}

// dotted writes "6.x" as a version that compares.
func dotted(version string) string { return strings.ReplaceAll(version, "x", "2") }

// checkReplicationGroup holds what the provider refuses in its plan.
func checkReplicationGroup(c *cloud.CheckCall) {
	checkCacheID(c, "replicationGroupId")
	nodes, failover := c.In.Int("numCacheClusters"), c.In.Bool("automaticFailoverEnabled")
	if failover && c.In.Known("numCacheClusters") && nodes < 2 {
		c.Fail("numCacheClusters", "\"num_cache_clusters\": must be at least 2 if automatic_failover_enabled is true, got %d", nodes)
	}
	if c.In.Bool("multiAzEnabled") && !failover && c.In.Known("multiAzEnabled") && !cloud.IsUnknown(c.In["automaticFailoverEnabled"]) {
		c.Fail("automaticFailoverEnabled", "automatic_failover_enabled must be true if multi_az_enabled is true")
	}
	if token := c.In.String("authToken"); token != "" {
		// The value is a secret: the reason never shows it.
		if len(token) < 16 || len(token) > 128 {
			c.Fail("authToken", "\"auth_token\" must contain from 16 to 128 alphanumeric characters or symbols (excluding @, \", and /), got %d", len(token))
		} else if !tokenForm.MatchString(token) {
			c.Fail("authToken", "only alphanumeric characters or symbols !, &, #, $, ^, <, >, - are allowed in \"auth_token\"")
		}
	}
	if id := c.In.String("kmsKeyId"); id != "" && !isARN(id, "kms") {
		c.Fail("kmsKeyId", "\"kms_key_id\" is an invalid ARN: arn: invalid prefix: %q", id)
	}
}

func createReplicationGroup(c *cloud.Call) error {
	const op = "CreateReplicationGroup"
	id := strings.ToLower(c.In.String("replicationGroupId"))
	if byProperty(c.All(replicationGroupType), "replicationGroupId", id) != nil {
		return cache(op, "ReplicationGroupAlreadyExists", "Replication group %s already exists", id)
	}
	if err := replicationRules(c, op); err != nil {
		return err
	}
	c.ID, c.Out["replicationGroupId"] = id, id
	c.Out["arn"] = arn("elasticache", c.Scope, "replicationgroup:"+id)
	host, clustered := cacheHost(c), clusterMode(c.In)
	tls := c.In.Bool("transitEncryptionEnabled")
	c.Out["clusterEnabled"], c.Out["configurationEndpointAddress"] = clustered, ""
	c.Out["primaryEndpointAddress"], c.Out["readerEndpointAddress"] = "", ""
	switch {
	case clustered && tls:
		c.Out["configurationEndpointAddress"] = "clustercfg." + id + "." + host
	case clustered:
		c.Out["configurationEndpointAddress"] = id + "." + strings.Replace(host, ".", ".clustercfg.", 1)
	case tls:
		c.Out["primaryEndpointAddress"], c.Out["readerEndpointAddress"] = "master."+id+"."+host, "replica."+id+"."+host
	default:
		c.Out["primaryEndpointAddress"] = id + "." + strings.Replace(host, ".", ".ng.0001.", 1)
		c.Out["readerEndpointAddress"] = id + "-ro." + strings.Replace(host, ".", ".ng.0001.", 1)
	}
	computed(c, "port", 6379)
	computed(c, "atRestEncryptionEnabled", c.In.String("engine") == "valkey")
	computed(c, "transitEncryptionEnabled", false)
	computed(c, "networkType", "ipv4")
	computed(c, "ipDiscovery", "ipv4")
	computed(c, "autoMinorVersionUpgrade", true)
	computed(c, "dataTieringEnabled", strings.HasPrefix(c.In.String("nodeType"), "cache.r6gd."))
	computed(c, "clusterMode", map[bool]string{true: "enabled", false: "disabled"}[clustered])
	computed(c, "parameterGroupName", "default."+cacheFamily(c.In.String("engine"), c.Out.String("engineVersionActual"))+map[bool]string{true: ".cluster.on"}[clustered])
	computed(c, "maintenanceWindow", "sun:05:00-sun:06:00")
	computed(c, "snapshotWindow", "02:00-03:00")
	if tls {
		computed(c, "transitEncryptionMode", "required")
	}
	fillMembers(c)
	return nil
}

// clusterMode tells whether the group is sharded.
func clusterMode(o cloud.Object) bool {
	return o.Int("numNodeGroups") > 1 || o.String("clusterMode") == "enabled" || strings.HasSuffix(o.String("parameterGroupName"), ".cluster.on")
}

func nodes(o cloud.Object) (shards, perShard int) {
	if n := o.Int("numCacheClusters"); n > 0 {
		return 1, n
	}
	return max(1, o.Int("numNodeGroups")), 1 + o.Int("replicasPerNodeGroup")
}

func fillMembers(c *cloud.Call) {
	shards, perShard := nodes(c.In)
	var members []string
	for s := range shards {
		for n := range perShard {
			if clusterMode(c.In) {
				members = append(members, fmt.Sprintf("%s-%04d-%03d", c.ID, s+1, n+1))
			} else {
				members = append(members, fmt.Sprintf("%s-%03d", c.ID, n+1))
			}
		}
	}
	c.Out["memberClusters"] = cloud.Plain(members)
	computed(c, "numCacheClusters", shards*perShard)
	computed(c, "numNodeGroups", shards)
	computed(c, "replicasPerNodeGroup", perShard-1)
}

// replicationRules refuses what no replication group can be, new or changed.
func replicationRules(c *cloud.Call, op string) error {
	engine, class := orText(c.In.String("engine"), "redis"), c.In.String("nodeType")
	if g := c.In.String("globalReplicationGroupId"); g != "" {
		return cachePlace(c, op)
	}
	version := cacheVersion(engine, c.In.String("engineVersion"))
	combination := func(format string, args ...any) error {
		return cache(op, "InvalidParameterCombinationException", format, args...)
	}
	shards, perShard := nodes(c.In)
	switch {
	case version == "":
		return cache(op, "InvalidParameterValueException", "Invalid version '%s' for engine %s", c.In.String("engineVersion"), engine)
	case !cacheClass.MatchString(class):
		return cache(op, "InvalidParameterValueException", "Invalid Cache Node Type: %s", class)
	case (strings.HasPrefix(class, "cache.t1.") || strings.HasPrefix(class, "cache.m1.")) && (c.In.Bool("automaticFailoverEnabled") || newer(version, "4.0.10")):
		return combination("The node type %s does not support automatic failover or engine version %s.", class, version)
	case c.In.Bool("automaticFailoverEnabled") && perShard < 2 && shards < 2:
		return combination("Automatic failover is not supported for a replication group with fewer than 2 nodes.")
	case clusterMode(c.In) && !c.In.Bool("automaticFailoverEnabled"):
		return combination("Redis with cluster mode enabled cannot be created with auto failover turned off.")
	case perShard > 6:
		return cache(op, "NodeGroupQuotaExceeded", "A node group can have at most 5 replicas, got %d.", perShard-1)
	case c.In.Has("authToken") && !c.In.Bool("transitEncryptionEnabled"):
		return combination("To enable AUTH, transit encryption must be enabled.")
	case len(c.In.List("userGroupIds")) > 0 && !c.In.Bool("transitEncryptionEnabled"):
		return combination("Transit encryption must be enabled for user group based access control.")
	case c.In.Has("kmsKeyId") && !c.In.Bool("atRestEncryptionEnabled"):
		return combination("KMS key id can only be specified when encryption at rest is enabled.")
	case c.In.Bool("dataTieringEnabled") && !strings.HasPrefix(class, "cache.r6gd."):
		return combination("Data tiering is only supported on r6gd nodes, got %s.", class)
	case engine == "valkey" && c.In.Get("atRestEncryptionEnabled") == false:
		c.Warn("replication group %s keeps its data unencrypted", c.Name)
	}
	if azs := c.In.List("preferredCacheClusterAzs"); len(azs) > 0 && len(azs) != shards*perShard {
		return combination("The number of preferred Availability Zones (%d) must match the number of nodes (%d).", len(azs), shards*perShard)
	}
	if reason := keyUsable(c, c.In.String("kmsKeyId")); reason != "" {
		return cache(op, "InvalidParameterValueException", "KMS key cannot be used: %s", reason)
	}
	for _, id := range c.In.Strings("userGroupIds") {
		if byProperty(c.All(cacheUserGroupType), "userGroupId", id) == nil {
			return cache(op, "UserGroupNotFoundFault", "UserGroup %s not found.", id)
		}
	}
	if err := cacheParametersFit(c, op, engine, version); err != nil {
		return err
	}
	if err := cacheLogs(c, op, version); err != nil {
		return err
	}
	c.Out["engineVersionActual"] = version + map[bool]string{true: ".0"}[strings.Count(version, ".") == 1]
	return cachePlace(c, op)
}
