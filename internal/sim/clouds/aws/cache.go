package aws

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// cacheTypes are ElastiCache.
func cacheTypes() []cloud.Type {
	return []cloud.Type{replicationGroup(), cacheCluster(), cacheSubnetGroup(), cacheParameters(), cacheUser(), cacheUserGroup()}
}

// cache is an error of the ElastiCache API.
func cache(operation, code, format string, args ...any) error {
	status := 400
	if strings.Contains(code, "NotFound") {
		status = 404
	}
	return refuseStatus(status, "ElastiCache", operation, code, format, args...)
}

var (
	cacheID    = regexp.MustCompile(`^[a-z][0-9a-z-]*$`)
	cacheClass = regexp.MustCompile(`^cache\.(t2\.(micro|small|medium)|t3\.(micro|small|medium)|t4g\.(micro|small|medium)|(m4|m5|m6g|m7g|r4|r5|r6g|r6gd|r7g|c7gn)\.(large|\d{0,2}xlarge)|t1\.micro|m1\.(small|medium|large|xlarge))$`)
	tokenForm  = regexp.MustCompile(`^[!&#$^<>\-0-9A-Za-z]+$`)
	cacheMinor = map[string][]string{
		"redis": {"7.1", "7.0", "6.2", "6.0", "5.0.6", "5.0.5", "5.0.4", "5.0.3", "5.0.0", "4.0.10"}, "valkey": {"7.2", "8.0", "8.1", "8.2"},
		"memcached": {"1.6.22", "1.6.17", "1.6.12", "1.6.6", "1.5.16"},
	}
)

// cacheVersion resolves an engine version; "" is one that ElastiCache does not offer.
func cacheVersion(engine, version string) string {
	known := cacheMinor[engine]
	switch {
	case version == "" && len(known) > 0:
		return map[string]string{"redis": "7.1", "valkey": "8.0", "memcached": "1.6.22"}[engine]
	case version == "6.x":
		return "6.2"
	case slices.Contains(known, version):
		return version
	}
	return ""
}

// cacheFamily is the parameter group family of a version.
func cacheFamily(engine, version string) string {
	major, _, _ := strings.Cut(version, ".")
	switch {
	case engine == "memcached":
		return "memcached" + strings.Join(strings.Split(version, ".")[:2], ".")
	case engine == "redis" && major == "6":
		return "redis6.x"
	case engine == "redis" && (major == "5" || major == "4"):
		return "redis" + major + ".0"
	}
	return engine + major
}

// checkCacheID holds the provider's checks of identifiers.
func checkCacheID(c *cloud.CheckCall, key string) {
	v := strings.ToLower(c.In.String(key))
	switch {
	case v == "":
	case !cacheID.MatchString(v):
		c.Fail(key, "must contain only alphanumeric characters and hyphens and begin with a letter: %q", v)
	case strings.Contains(v, "--"):
		c.Fail(key, "cannot contain two consecutive hyphens: %q", v)
	case strings.HasSuffix(v, "-"):
		c.Fail(key, "cannot end with a hyphen: %q", v)
	}
}

// cachePlace refuses a subnet group and security groups that do not go together.
func cachePlace(c *cloud.Call, op string) error {
	name := c.In.String("subnetGroupName")
	if name == "" {
		return cache(op, "InvalidParameterCombinationException", "No default VPC: specify a cache subnet group.")
	}
	g := byProperty(c.All(cacheSubnetType), "name", strings.ToLower(name))
	if g == nil {
		return cache(op, "CacheSubnetGroupNotFoundFault", "Cache Subnet Group %s does not exist.", name)
	}
	if group, at := misplacedGroup(c.World, c.Scope, c.In.Strings("securityGroupIds"), g.Out.String("vpcId")); group != "" {
		if at == "" {
			return cache(op, "InvalidParameterValueException", "Some security group Ids are invalid: %s", group)
		}
		return cache(op, "InvalidParameterValueException", "Security group %s is in %s, the cache subnet group %s is in %s", group, at, name, g.Out.String("vpcId"))
	}
	if zones := place(c.World, c.Scope, g.Out.Strings("subnetIds")).zones; c.In.Bool("multiAzEnabled") && len(zones) < 2 {
		return cache(op, "InvalidParameterCombinationException", "Multi-AZ needs subnets in at least 2 Availability Zones; the cache subnet group %s covers %s", name, list(zones))
	}
	return nil
}

// cacheParametersFit refuses a parameter group that does not exist or is for another version.
func cacheParametersFit(c *cloud.Call, op, engine, version string) error {
	name := c.In.String("parameterGroupName")
	if name == "" {
		return nil
	}
	family := cacheFamily(engine, version)
	given := ""
	if g := byProperty(c.All(cacheParametersType), "name", name); g != nil {
		given = g.Out.String("family")
	} else if rest, ok := strings.CutPrefix(name, "default."); ok {
		given = strings.TrimSuffix(rest, ".cluster.on")
	} else {
		return cache(op, "CacheParameterGroupNotFound", "CacheParameterGroup %s not found.", name)
	}
	if given != family {
		return cache(op, "InvalidParameterCombinationException", "Expected a parameter group of family %s but found one of family %s", family, given)
	}
	return nil
}

// cacheLogs refuses log destinations that do not exist.
func cacheLogs(c *cloud.Call, op, version string) error {
	for _, l := range c.In.Objects("logDeliveryConfigurations") {
		if l.String("destinationType") == "cloudwatch-logs" && !logGroupExists(c, l.String("destination")) {
			return cache(op, "InvalidParameterValueException", "Destination %s does not exist.", l.String("destination"))
		}
		if l.String("logType") == "engine-log" && newer("6.2", version) {
			return cache(op, "InvalidParameterCombinationException", "Engine log is supported from version 6.2 on, got %s.", version)
		}
	}
	return nil
}

// cacheHost is the domain of a cache in a region.
func cacheHost(c *cloud.Call) string {
	g := cloud.Gen{Seed: "elasticache" + c.Scope}
	return g.Pick("host", lower, 6) + "." + regions[c.Scope].short + ".cache.amazonaws.com"
}

func cacheSubnetGroup() cloud.Type {
	inUse := func(self, by *cloud.Resource) error {
		return cache("DeleteCacheSubnetGroup", "CacheSubnetGroupInUse", "Cache subnet group %s is currently in use by a cache cluster.", self.Out.String("name"))
	}
	return written(cloud.Type{
		Token: cacheSubnetType,
		InUse: []cloud.Ref{
			{Type: replicationGroupType, Path: "subnetGroupName", By: "name", Error: inUse}, {Type: cacheClusterType, Path: "subnetGroupName", By: "name", Error: inUse},
		},
		Takes: cloud.Durations{Create: seconds(2), Update: seconds(2), Delete: seconds(1)},
	}, func(c *cloud.Call) error {
		op := operation(c, "CreateCacheSubnetGroup", "ModifyCacheSubnetGroup")
		p := place(c.World, c.Scope, c.In.Strings("subnetIds"))
		switch {
		case len(p.missing) > 0:
			return cache(op, "InvalidSubnet", "Some input subnets in :[%s] are invalid.", list(p.missing))
		case len(p.vpcs) != 1:
			return cache(op, "InvalidSubnet", "The subnets of a cache subnet group must be in one VPC.")
		}
		c.Out["vpcId"] = p.vpcs[0]
		return nil
	}, func(c *cloud.Call) error {
		name := strings.ToLower(c.In.String("name"))
		if byProperty(c.All(cacheSubnetType), "name", name) != nil {
			return cache("CreateCacheSubnetGroup", "CacheSubnetGroupAlreadyExists", "Cache subnet group %s already exists.", name)
		}
		if !regexp.MustCompile(`^[0-9a-z-]{1,255}$`).MatchString(name) || name == "default" {
			return cache("CreateCacheSubnetGroup", "InvalidParameterValueException", "The parameter CacheSubnetGroupName must contain only letters, digits and hyphens: %s", name)
		}
		c.ID, c.Out["name"] = name, name
		c.Out["arn"] = arn("elasticache", c.Scope, "subnetgroup:"+name)
		return nil
	})
}

var cacheFamilies = []string{"redis4.0", "redis5.0", "redis6.x", "redis7", "valkey7", "valkey8", "memcached1.4", "memcached1.5", "memcached1.6"}

// cacheValues are the values that some well-known parameters take.
var cacheValues = map[string][]string{
	"maxmemory-policy": {"volatile-lru", "allkeys-lru", "volatile-lfu", "allkeys-lfu", "volatile-random", "allkeys-random", "volatile-ttl", "noeviction"},
	"appendonly":       {"yes", "no"}, "activedefrag": {"yes", "no"}, "cluster-enabled": {"yes", "no"}, "lazyfree-lazy-eviction": {"yes", "no"},
}

func cacheParameters() cloud.Type {
	inUse := func(self, by *cloud.Resource) error {
		return cache("DeleteCacheParameterGroup", "InvalidCacheParameterGroupState", "One or more cache clusters are still members of this parameter group %s, so the group cannot be deleted", self.Out.String("name"))
	}
	return written(cloud.Type{
		Token: cacheParametersType,
		InUse: []cloud.Ref{
			{Type: replicationGroupType, Path: "parameterGroupName", By: "name", Error: inUse}, {Type: cacheClusterType, Path: "parameterGroupName", By: "name", Error: inUse},
		},
	}, func(c *cloud.Call) error {
		const op = "ModifyCacheParameterGroup"
		for _, p := range c.In.Objects("parameters") {
			name, value := p.String("name"), p.String("value")
			if !regexp.MustCompile(`^[a-z][a-z0-9_-]*$`).MatchString(name) {
				return cache(op, "InvalidParameterValueException", "The parameter %s cannot be found.", name)
			}
			if known := cacheValues[name]; known != nil && !slices.Contains(known, value) {
				return cache(op, "InvalidParameterValueException", "The parameter %s has value %s but expects one of %s.", name, value, list(known))
			}
			if name == "databases" || name == "timeout" {
				if n, err := strconv.Atoi(value); err != nil || n < 0 {
					return cache(op, "InvalidParameterValueException", "The parameter %s has value %s but expects a whole number.", name, value)
				}
			}
		}
		return nil
	}, func(c *cloud.Call) error {
		const op = "CreateCacheParameterGroup"
		name := strings.ToLower(c.In.String("name"))
		if f := c.In.String("family"); !slices.Contains(cacheFamilies, f) {
			return cache(op, "InvalidParameterValueException", "CacheParameterGroupFamily %s is not a valid parameter group family.", f)
		}
		if byProperty(c.All(cacheParametersType), "name", name) != nil {
			return cache(op, "CacheParameterGroupAlreadyExists", "Parameter group %s already exists", name)
		}
		c.ID, c.Out["name"] = name, name
		c.Out["arn"] = arn("elasticache", c.Scope, "parametergroup:"+name)
		return nil
	})
}

func cacheCluster() cloud.Type {
	return written(cloud.Type{
		Token: cacheClusterType,
		Check: func(c *cloud.CheckCall) {
			checkCacheID(c, "clusterId")
			if c.In.String("engine") == "redis" && c.In.Int("numCacheNodes") > 1 {
				c.Fail("numCacheNodes", "engine \"redis\" does not support num_cache_nodes > 1")
			}
			if c.In.String("azMode") == "cross-az" && c.In.Int("numCacheNodes") == 1 {
				c.Fail("azMode", "az_mode \"cross-az\" is not supported with num_cache_nodes = 1")
			}
		},
		Replaces: func(old, new cloud.Object) []string {
			var out []string
			if old.String("engine") == "memcached" && !cloud.Equal(old.Get("nodeType"), new.Get("nodeType")) {
				out = append(out, "nodeType")
			}
			if newer(old.String("engineVersion"), new.String("engineVersion")) && new.Known("engineVersion") {
				out = append(out, "engineVersion")
			}
			return out
		},
		Takes: cloud.Durations{Create: minutes(6), Update: minutes(6), Delete: minutes(5)},
	}, func(c *cloud.Call) error {
		op := operation(c, "CreateCacheCluster", "ModifyCacheCluster")
		if group := c.In.String("replicationGroupId"); group != "" {
			if byProperty(c.All(replicationGroupType), "replicationGroupId", group) == nil {
				return cache(op, "ReplicationGroupNotFoundFault", "Replication group %s not found", group)
			}
			return nil
		}
		engine := c.In.String("engine")
		version := cacheVersion(engine, c.In.String("engineVersion"))
		switch {
		case version == "":
			return cache(op, "InvalidParameterValueException", "Invalid version '%s' for engine %s", c.In.String("engineVersion"), engine)
		case !cacheClass.MatchString(c.In.String("nodeType")):
			return cache(op, "InvalidParameterValueException", "Invalid Cache Node Type: %s", c.In.String("nodeType"))
		}
		if err := cacheParametersFit(c, op, engine, version); err != nil {
			return err
		}
		c.Out["engineVersionActual"] = version
		return cachePlace(c, op)
	}, func(c *cloud.Call) error {
		id := strings.ToLower(c.In.String("clusterId"))
		if byProperty(c.All(cacheClusterType), "clusterId", id) != nil {
			return cache("CreateCacheCluster", "CacheClusterAlreadyExists", "Cache cluster already exists")
		}
		c.ID = id
		c.Out["arn"] = arn("elasticache", c.Scope, "cluster:"+id)
		port := map[string]int{"memcached": 11211}[c.In.String("engine")]
		if port == 0 {
			port = 6379
		}
		computed(c, "port", port)
		computed(c, "numCacheNodes", 1)
		var nodes []any
		for i := range c.Out.Int("numCacheNodes") {
			node := fmt.Sprintf("%04d", i+1)
			nodes = append(nodes, cloud.Object{"id": node, "address": fmt.Sprintf("%s.%s", id, strings.Replace(cacheHost(c), ".", "."+node+".", 1)), "port": c.Out["port"], "availabilityZone": c.Out.String("availabilityZone")})
		}
		c.Out["cacheNodes"] = nodes
		return nil
	})
}
