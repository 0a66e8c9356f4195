package durability

import (
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

var both = []string{tInstance, tCluster}

// replica says whether an instance takes its storage from another one.
func replica(c *rule.Check) bool { return !c.In("replicateSourceDb").Absent() }

var databases = []rule.Rule{{
	ID: "database-encrypted", Level: rule.Mandatory, Refs: []string{"T0080", "C16", "C96", "C140"},
	Types:  []string{tInstance, tCluster, "aws:rds/globalCluster:GlobalCluster"},
	Title:  "Databases are encrypted",
	Reason: "It cannot be switched on later without moving the data.",
	Mend:   "Set storageEncrypted.",
	Check: func(c *rule.Check) {
		if c.Type == "aws:rds/globalCluster:GlobalCluster" && !c.In("sourceDbClusterIdentifier").Absent() {
			return // as its source
		}
		c.True("storageEncrypted", "the storage is not encrypted")
	},
}, {
	ID: "database-customer-key", Level: rule.Mandatory, Refs: []string{"T0079", "C327"}, Types: both,
	Title:  "Databases are encrypted with a key of ours",
	Reason: "Who may use the key decides a second time who may read the data and restore its snapshots.",
	Mend:   "Set kmsKeyId.",
	Check: func(c *rule.Check) {
		if !replica(c) {
			c.Set("kmsKeyId", "the storage is encrypted with AWS's own key")
		}
	},
}, {
	ID: "database-backup-retention", Level: rule.Mandatory, Refs: []string{"T0077", "C133"}, Types: both,
	Title:    "Databases can be restored to any point of the last 30 days",
	Reason:   "Damage is often found weeks later.",
	Mend:     "Set backupRetentionPeriod to 30 or more.",
	Settings: []rule.Setting{{Name: "days", Default: 30.0, Min: 1, Description: "least days of automated backups"}},
	Check: unlessLeaving(func(c *rule.Check) {
		if !replica(c) {
			c.AtLeast("backupRetentionPeriod", c.Number("days"), "backups are not kept long enough")
		}
	}),
}, {
	ID: "database-iam-auth", Level: rule.Mandatory, Refs: []string{"T0176", "C161", "C162"}, Types: both,
	Title:  "Services can sign in to the database with their role",
	Reason: "A token for 15 minutes instead of a password that lasts.",
	Mend:   "Set iamDatabaseAuthenticationEnabled.",
	Check:  func(c *rule.Check) { c.True("iamDatabaseAuthenticationEnabled", "only passwords can sign in") },
}, {
	ID: "database-logs", Level: rule.Mandatory, Refs: []string{"C129", "C324"}, Types: both,
	Title:  "The database's log goes to CloudWatch",
	Reason: "On the instance it is gone after three days, and with the instance.",
	Mend:   "Add postgresql to enabledCloudwatchLogsExports.",
	Check: func(c *rule.Check) {
		v := c.In("enabledCloudwatchLogsExports")
		if v.HoldsUnknown() {
			c.Undecided(v)
		} else if !slices.Contains(v.Texts(), "postgresql") {
			c.Violate("the PostgreSQL log is not exported")
		}
	},
}, {
	ID: "database-ssl-forced", Level: rule.Mandatory, Refs: []string{"C2_69"},
	Title:  "Databases take connections over TLS only",
	Reason: "One client that forgot it would send passwords and data in plain.",
	Mend:   "Set rds.force_ssl to 1 in the parameter group of the instance or cluster.",
	Graph:  sslForced,
}, {
	ID: "database-copies-tags", Level: rule.Mandatory, Refs: []string{"C313", "C2_60"}, Types: both,
	Title:  "Snapshots carry the database's tags",
	Reason: "A snapshot without an owner is kept for ever, or deleted too early.",
	Mend:   "Set copyTagsToSnapshot.",
	Check:  func(c *rule.Check) { c.True("copyTagsToSnapshot", "snapshots have no tags") },
}, {
	ID: "database-multi-zone", Level: rule.Mandatory, Refs: []string{"C157"},
	Title:    "In production the database has a standby in another zone",
	Reason:   "The source document asks for recovery in five minutes; restoring from a backup takes longer.",
	Mend:     "Set multiAz, or add a reader to the Aurora cluster.",
	Settings: []rule.Setting{{Name: "stacks", Default: []string{"prod", "prod-*", "*-prod", "production"}, Description: "names of stacks that are production"}},
	Graph:    multiZone,
}, {
	ID: "database-storage-grows", Level: rule.Advisory, Types: []string{tInstance},
	Title:  "The database's storage grows by itself",
	Reason: "A full disk stops the database.",
	Mend:   "Set maxAllocatedStorage above allocatedStorage.",
	Check: func(c *rule.Check) {
		have, _ := c.In("allocatedStorage").Number()
		c.AtLeast("maxAllocatedStorage", have+1, "the storage cannot grow")
	},
}}

// sslForced follows each database to its parameter group: TLS is forced there or nowhere.
func sslForced(g *rule.Graph) {
	for t, by := range map[string][2]string{
		tInstance: {"parameterGroupName", "aws:rds/parameterGroup:ParameterGroup"},
		tCluster:  {"dbClusterParameterGroupName", "aws:rds/clusterParameterGroup:ClusterParameterGroup"},
	} {
		for _, db := range g.Of(t) {
			if engine := db.Get("engine"); engine.Text() != "" && !strings.Contains(engine.Text(), "postgres") {
				continue
			}
			g.Looked(db)
			ref := g.Refs(db, by[0], by[1])
			if ref.Unknown {
				g.Undecided(db, by[0])
				continue
			}
			forced, unknown := false, false
			for _, group := range ref.Found {
				parameters := group.Get("parameters")
				unknown = unknown || parameters.HoldsUnknown()
				for _, p := range parameters.List() {
					forced = forced || p.At("name").Text() == "rds.force_ssl" && p.At("value").Text() == "1"
				}
			}
			switch {
			case forced:
			case unknown:
				g.Undecided(db, "parameters")
			default:
				g.Violate(db, "its parameter group does not force TLS")
			}
		}
	}
}

func multiZone(g *rule.Graph) {
	if !slices.ContainsFunc(g.Strings("stacks"), func(p string) bool { return rule.Glob(p, g.Options().Stack) }) {
		return
	}
	for _, db := range g.Of(tInstance) {
		g.Looked(db)
		switch v := db.Get("multiAz"); {
		case !db.In("replicateSourceDb").Absent() || v.True():
		case v.Unknown():
			g.Undecided(db, "multiAz")
		default:
			g.Violate(db, "the database has no standby in another zone")
		}
	}
	for _, c := range g.Of(tCluster) {
		g.Looked(c)
		members, maybe := g.Referring(c, "clusterIdentifier", tMember)
		switch {
		case len(members) >= 2:
		case len(members)+len(maybe) >= 2:
			g.Undecided(c, "members")
		default:
			g.Violate(c, "the cluster has %d instance: there is none to take over", len(members))
		}
	}
}
