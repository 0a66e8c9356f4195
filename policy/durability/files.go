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
	ID: "efs-access-point-root", Level: rule.Mandatory, Refs: []string{"C329"},
	Title:  "An access point shows one folder, not the whole file system, except to DataSync",
	Reason: "A service sees nothing but its own files then.",
	Mend:   "Set rootDirectory.path.",
	Graph: servicePoints(func(g *rule.Graph, r *rule.Resource) {
		wanted(g, r, r.In("rootDirectory.path"), func(v rule.Value) bool { return v.Text() != "" && v.Text() != "/" }, "the access point shows everything")
	}),
}, {
	ID: "efs-access-point-user", Level: rule.Mandatory, Refs: []string{"C330"},
	Title:  "An access point acts as one user, who is not root, except for DataSync",
	Reason: "Files of another owner make git stop with 'dubious ownership', and root could change everybody's.",
	Mend:   "Set posixUser with the container's user and group, and rootDirectory.creationInfo with the same.",
	Graph: servicePoints(func(g *rule.Graph, r *rule.Resource) {
		user := func(v rule.Value) bool { n, ok := v.Number(); return ok && n > 0 }
		wanted(g, r, r.In("posixUser.uid"), user, "the access point acts as nobody or root")
		wanted(g, r, r.In("rootDirectory.creationInfo.ownerUid"), user, "the folder would belong to nobody or root")
	}),
}, {
	ID: "datasync-in-transit", Level: rule.Mandatory, Types: []string{tLocation},
	Title:  "DataSync enters file systems over TLS, with a role, through an access point",
	Reason: "NFS itself is in plain text, and believes whoever asks.",
	Mend:   "Set inTransitEncryption to TLS1_2, fileSystemAccessRoleArn and accessPointArn.",
	Check: func(c *rule.Check) {
		c.OneOf("inTransitEncryption", "files cross the network in plain", "TLS1_2")
		c.Set("fileSystemAccessRoleArn", "the mount does not say who it is")
		c.Set("accessPointArn", "the file system cannot tell DataSync from others")
	},
}, {
	ID: "datasync-logged", Level: rule.Mandatory, Types: []string{"aws:datasync/task:Task"},
	Title:  "DataSync says what it could not copy",
	Reason: "A copy that lacks files looks like one that does not.",
	Mend:   "Set cloudwatchLogGroupArn, and options.logLevel to BASIC or TRANSFER.",
	Check: func(c *rule.Check) {
		c.Set("cloudwatchLogGroupArn", "nothing is logged")
		c.OneOf("options.logLevel", "nothing is logged", "BASIC", "TRANSFER")
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

// servicePoints looks at the access points of services: all but those that a DataSync location uses and
// no task mounts. DataSync copies the files of everybody, with their owners.
func servicePoints(look func(*rule.Graph, *rule.Resource)) func(*rule.Graph) {
	return func(g *rule.Graph) {
		for _, r := range g.Of(tAccess) {
			g.Looked(r)
			sync, maybe := g.Referring(r, "accessPointArn", tLocation)
			switch {
			case len(sync) > 0 && !mounted(g, r):
			case len(maybe) > 0:
				g.Undecided(r, "accessPointArn")
			default:
				look(g, r)
			}
		}
	}
}

// mounted says whether a task mounts a file system through the access point.
func mounted(g *rule.Graph, point *rule.Resource) bool {
	for _, task := range g.Of("aws:ecs/taskDefinition:TaskDefinition") {
		for _, v := range task.Get("volumes").List() {
			if id := v.At("efsVolumeConfiguration.authorizationConfig.accessPointId").Text(); id != "" && id == point.ID {
				return true
			}
		}
	}
	return false
}

// wanted reports a violation unless the value is good, and nothing is decided while it is unknown.
func wanted(g *rule.Graph, r *rule.Resource, v rule.Value, good func(rule.Value) bool, why string) {
	switch {
	case v.Unknown():
		g.Undecided(r, v.Path())
	case !good(v):
		g.Violate(r, "%s: %s is %s", why, v.Path(), v.Show())
	}
}

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
