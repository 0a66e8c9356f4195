package durability

import (
	"github.com/morphee-app/morphee-infra/internal/stateful"
	"github.com/morphee-app/morphee-infra/policy/rule"
)

var protection = []rule.Rule{{
	ID: "stateful-protected", Level: rule.Mandatory, Types: stateful.Types(),
	Title:  "Everything that holds data is protected in Pulumi",
	Reason: "The engine then refuses to delete or replace it, whoever asks, until a reviewed change lifts the protection.",
	Mend:   "Make the resource with the options of base.Stateful.",
	Check: unlessLeaving(func(c *rule.Check) {
		if !c.Protect && stateful.Resource(c.Type, c.Inputs) {
			c.Violate("the resource is not protected")
		}
	}),
}, {
	ID: "hetzner-delete-protection", Level: rule.Mandatory,
	Types:  []string{"hcloud:index/server:Server", "hcloud:index/volume:Volume", "hcloud:index/primaryIp:PrimaryIp", "hcloud:index/floatingIp:FloatingIp"},
	Title:  "Servers, volumes and addresses at Hetzner are protected against deletion there",
	Reason: "Pulumi's protection can be bypassed on the command line, and does not hold in Hetzner's console.",
	Mend:   "Set deleteProtection with base.CloudProtection.",
	Check:  unlessLeaving(func(c *rule.Check) { c.True("deleteProtection", "it can be deleted at Hetzner") }),
}, {
	ID: "hetzner-rebuild-protection", Level: rule.Mandatory, Types: []string{"hcloud:index/server:Server"},
	Title:  "Servers are protected against being rebuilt",
	Reason: "A rebuild wipes the server's disk with one click.",
	Mend:   "Set rebuildProtection with base.CloudProtection.",
	Check:  unlessLeaving(func(c *rule.Check) { c.True("rebuildProtection", "it can be rebuilt at Hetzner") }),
}, {
	ID: "hetzner-address-kept", Level: rule.Mandatory, Types: []string{"hcloud:index/primaryIp:PrimaryIp"},
	Title:  "The public addresses outlive the server",
	Reason: "They are in DNS records and in firewalls of others.",
	Mend:   "Set autoDelete to false.",
	Check:  unlessLeaving(func(c *rule.Check) { c.False("autoDelete", "the address goes with the server") }),
}, {
	ID: "hetzner-backups", Level: rule.Advisory, Types: []string{"hcloud:index/server:Server"},
	Title:  "Hetzner backs up the server's disk",
	Reason: "The disk holds nothing that cannot be rebuilt, but a restored one is faster.",
	Mend:   "Set backups.",
	Check:  unlessLeaving(func(c *rule.Check) { c.True("backups", "the server's disk is not backed up") }),
}, {
	ID: "database-deletion-protection", Level: rule.Mandatory, Refs: []string{"T0177", "T0343", "C139", "C293"}, Types: []string{tInstance, tCluster},
	Title:  "Databases are protected against deletion in AWS",
	Reason: "Pulumi's protection does not hold in the console.",
	Mend:   "Set deletionProtection with base.CloudProtection.",
	Check:  unlessLeaving(func(c *rule.Check) { c.True("deletionProtection", "the database can be deleted") }),
}, {
	ID: "database-final-snapshot", Level: rule.Mandatory, Types: []string{tInstance, tCluster},
	Title:  "A database that is deleted leaves a last snapshot and its backups",
	Reason: "The day it is deleted by mistake, this is what is left.",
	Mend:   "Set skipFinalSnapshot to false with a finalSnapshotIdentifier, and deleteAutomatedBackups to false.",
	Check: unlessLeaving(func(c *rule.Check) {
		c.False("skipFinalSnapshot", "no last snapshot is made")
		c.Want(c.In("deleteAutomatedBackups"), func(v rule.Value) bool { return !v.Absent() && !v.True() }, "the automated backups go with the database")
	}),
}, {
	ID: "no-force-destroy", Level: rule.Mandatory,
	Types:  []string{tBucketV2, tBucket, tVault, "aws:ecr/repository:Repository", "aws:route53/zone:Zone", "aws:iam/user:User"},
	Title:  "Buckets, vaults, repositories and zones are not deleted with what is in them",
	Reason: "Being empty is the last thing that stands between a mistake and the data.",
	Mend:   "Leave forceDestroy and forceDelete false.",
	Check: unlessLeaving(func(c *rule.Check) {
		c.False("forceDestroy", "it is deleted with what is in it")
		c.False("forceDelete", "it is deleted with what is in it")
	}),
}, {
	ID: "secret-recovery-window", Level: rule.Mandatory, Types: []string{"aws:secretsmanager/secret:Secret"},
	Title:    "A deleted secret can be had back for a while",
	Reason:   "Whatever was encrypted or signed with it is lost together with it.",
	Mend:     "Leave recoveryWindowInDays at 30, or set 7 or more.",
	Settings: []rule.Setting{{Name: "days", Default: 7.0, Min: 7, Description: "least days in which a deleted secret can be had back"}},
	Check: unlessLeaving(func(c *rule.Check) {
		c.Want(c.In("recoveryWindowInDays"), func(v rule.Value) bool {
			n, ok := v.Number()
			return v.Absent() || ok && n >= c.Number("days")
		}, "the secret is gone at once")
	}),
}, {
	ID: "key-deletion-window", Level: rule.Mandatory, Types: []string{"aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey"},
	Title:    "The deletion of a key can be called off for a while",
	Reason:   "What it encrypted is lost with the key, backups included.",
	Mend:     "Leave deletionWindowInDays at 30.",
	Settings: []rule.Setting{{Name: "days", Default: 14.0, Min: 7, Description: "least days before a key is gone"}},
	Check: unlessLeaving(func(c *rule.Check) {
		c.Want(c.In("deletionWindowInDays"), func(v rule.Value) bool {
			n, ok := v.Number()
			return v.Absent() || ok && n >= c.Number("days")
		}, "the key is gone soon")
	}),
}}
