package durability

import "github.com/morphee-app/morphee-infra/policy/rule"

var files = []rule.Rule{{
	ID: "efs-encrypted", Level: rule.Mandatory, Refs: []string{"T0037", "C42"}, Types: []string{tEfs},
	Title:  "File systems are encrypted",
	Reason: "It cannot be switched on later without moving the data.",
	Mend:   "Set encrypted.",
	Check:  func(c *rule.Check) { c.True("encrypted", "the file system is not encrypted") },
}, {
	ID: "efs-customer-key", Level: rule.Mandatory, Refs: []string{"C184"}, Types: []string{tEfs},
	Title:  "File systems are encrypted with a key of ours",
	Reason: "Who may use the key decides a second time who may read the data and restore its backups.",
	Mend:   "Set kmsKeyId.",
	Check:  func(c *rule.Check) { c.Set("kmsKeyId", "the file system is encrypted with AWS's own key") },
}, {
	ID: "efs-access-point-root", Level: rule.Mandatory, Refs: []string{"C329"}, Types: []string{tAccess},
	Title:  "An access point shows one folder, not the whole file system",
	Reason: "A service sees nothing but its own files then.",
	Mend:   "Set rootDirectory.path.",
	Check: func(c *rule.Check) {
		c.Want(c.In("rootDirectory.path"), func(v rule.Value) bool { return v.Text() != "" && v.Text() != "/" }, "the access point shows everything")
	},
}, {
	ID: "efs-access-point-user", Level: rule.Mandatory, Refs: []string{"C330"}, Types: []string{tAccess},
	Title:  "An access point acts as one user, who is not root",
	Reason: "Files of another owner make git stop with 'dubious ownership', and root could change everybody's.",
	Mend:   "Set posixUser with the container's user and group, and rootDirectory.creationInfo with the same.",
	Check: func(c *rule.Check) {
		user := func(v rule.Value) bool { n, ok := v.Number(); return ok && n > 0 }
		c.Want(c.In("posixUser.uid"), user, "the access point acts as nobody or root")
		c.Want(c.In("rootDirectory.creationInfo.ownerUid"), user, "the folder would belong to nobody or root")
	},
}, {
	ID: "efs-backup-policy", Level: rule.Mandatory, Refs: []string{"C2_18"},
	Title:  "File systems are backed up by AWS",
	Reason: "A second backup that nobody has to remember.",
	Mend:   "Add a BackupPolicy with status ENABLED.",
	Graph: func(g *rule.Graph) {
		for _, fs := range g.Of(tEfs) {
			g.Needs(fs, "fileSystemId", "AWS does not back the file system up", func(r *rule.Resource) rule.Value {
				if v := r.Get("backupPolicy.status"); v.Unknown() {
					return v
				}
				return rule.Of(r.Get("backupPolicy.status").Text() == "ENABLED")
			}, "aws:efs/backupPolicy:BackupPolicy")
		}
	},
}, {
	ID: "efs-policy", Level: rule.Mandatory,
	Title:  "A file system's own policy refuses connections without TLS",
	Reason: "Without a policy, whatever reaches a mount target may mount everything.",
	Mend:   "Add a FileSystemPolicy that denies when aws:SecureTransport is false.",
	Graph: func(g *rule.Graph) {
		for _, fs := range g.Of(tEfs) {
			g.Needs(fs, "fileSystemId", "nothing refuses mounts without TLS", func(r *rule.Resource) rule.Value { return refusesPlain(r.Get("policy")) },
				"aws:efs/fileSystemPolicy:FileSystemPolicy")
		}
	},
}, {
	ID: "efs-elastic-throughput", Level: rule.Advisory, Types: []string{tEfs},
	Title:  "File systems with repositories have elastic throughput",
	Reason: "Bursting runs out of credits, and git over NFS times out.",
	Mend:   "Set throughputMode to elastic.",
	Check:  func(c *rule.Check) { c.OneOf("throughputMode", "throughput runs out", "elastic") },
}}

// refusesPlain says whether a resource policy denies what is not over TLS.
func refusesPlain(policy rule.Value) rule.Value {
	list, known := rule.Statements(policy)
	if !known {
		return policy
	}
	for _, s := range list {
		if s.At("Effect").Text() == "Deny" && s.At("Condition.Bool").Key("aws:SecureTransport").List() != nil &&
			s.At("Condition.Bool").Key("aws:SecureTransport").List()[0].Text() == "false" {
			return rule.Of(true)
		}
	}
	return rule.Of(false)
}
