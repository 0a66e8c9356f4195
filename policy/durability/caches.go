package durability

import (
	"strings"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

var cacheTypes = []string{tRedis}

var caches = []rule.Rule{{
	ID: "cache-encrypted-at-rest", Level: rule.Mandatory, Refs: []string{"T0045", "C29", "N-AEC3"}, Types: cacheTypes,
	Title:  "Caches are encrypted at rest",
	Reason: "Sessions and queues are in them.",
	Mend:   "Set atRestEncryptionEnabled.",
	Check:  func(c *rule.Check) { c.True("atRestEncryptionEnabled", "the cache is not encrypted at rest") },
}, {
	ID: "cache-customer-key", Level: rule.Advisory, Refs: []string{"C191"}, Types: cacheTypes,
	Title:  "Caches are encrypted with a key of ours",
	Reason: "Who may use the key decides a second time who may read.",
	Mend:   "Set kmsKeyId.",
	Check:  func(c *rule.Check) { c.Set("kmsKeyId", "the cache is encrypted with AWS's own key") },
}, {
	ID: "cache-encrypted-in-transit", Level: rule.Mandatory, Refs: []string{"T0051", "C30", "N-AEC3"},
	Types:  []string{tRedis, "aws:elasticache/cluster:Cluster"},
	Title:  "Caches take connections over TLS only",
	Reason: "The password crosses the network with every connection.",
	Mend:   "Set transitEncryptionEnabled, and transitEncryptionMode required.",
	Check: func(c *rule.Check) {
		if c.Type != tRedis && c.In("engine").Text() == "memcached" {
			return
		}
		if c.Type != tRedis && !c.In("replicationGroupId").Absent() {
			return // as its group
		}
		c.True("transitEncryptionEnabled", "connections are in plain text")
		c.OneOf("transitEncryptionMode", "connections may be in plain text", "", "required")
	},
}, {
	ID: "cache-password", Level: rule.Mandatory, Refs: []string{"C31", "N-AEC6"}, Types: cacheTypes,
	Title:  "Caches ask for a password",
	Reason: "Without one, whatever gets an address in the subnet reads every session.",
	Mend:   "Set authToken (or userGroupIds).",
	Check: func(c *rule.Check) {
		token, groups := c.In("authToken"), c.In("userGroupIds")
		switch {
		case !token.Absent() && !token.Unknown(), token.Unknown() && token.Secret(), len(groups.List()) > 0:
		case token.Unknown() || groups.Unknown():
			c.Undecided(token)
		default:
			c.Violate("the cache asks for no password")
		}
	},
}, {
	ID: "cache-snapshots-decided", Level: rule.Mandatory, Refs: []string{"T0050", "C134"}, Types: cacheTypes,
	Title:  "It is written down whether a cache has snapshots",
	Reason: "None are kept because Redis is ephemeral here; left out, nobody would have decided that.",
	Mend:   "Set snapshotRetentionLimit, 0 included.",
	Check: func(c *rule.Check) {
		c.Want(c.In("snapshotRetentionLimit"), func(v rule.Value) bool { return !v.Absent() }, "nobody has decided on snapshots")
	},
}, {
	ID: "cache-keeps-no-data", Level: rule.Mandatory, Types: []string{"aws:elasticache/parameterGroup:ParameterGroup"},
	Title:  "A cache drops what is old instead of refusing what is new",
	Reason: "With noeviction a full cache fails every write; that it drops something is what a cache is for.",
	Mend:   "Set maxmemory-policy to volatile-lru or another that evicts.",
	Check: func(c *rule.Check) {
		c.Each(c.In("parameters"), func(p rule.Value) {
			if p.At("name").Text() == "maxmemory-policy" {
				c.Want(p.At("value"), func(v rule.Value) bool { return strings.Contains(v.Text(), "-") }, "a full cache refuses writes")
			}
		})
	},
}}
