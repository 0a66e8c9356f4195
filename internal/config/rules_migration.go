package config

import (
	"fmt"
	"strings"
)

// migration checks the steps of the move to AWS: each is refused until what it stands on is there.
func (r rules) migration() {
	m := r.Migration
	if m.From == 0 || r.Phase != 3 {
		r.noMigration()
		return
	}
	if r.broken("migration") {
		return
	}
	r.traffic()
	r.copied()
	r.trial()
	r.retire()
	if r.ForgejoMoved() && r.Moving() && !r.broken("forgejo.server") {
		r.wrong("forgejo.server.cutover", true, "keeps the repositories' backups in a bucket of their own, which the move does not read", "false during a migration",
			"first bring Forgejo back to the first server, the way that it went (docs/managed-parts.md)")
	}
	if !r.Backups.Enabled && r.Moving() && !r.broken("backups.enabled") {
		r.wrong("backups.enabled", false, "leaves nothing to bring to AWS: the data goes through the backups' bucket", "true during a migration", "leave the key out")
	}
	if r.DNS.TTLSeconds > 60 && r.d.set["dns.ttlSeconds"] && !r.broken("dns.ttlSeconds") {
		r.wrong("dns.ttlSeconds", r.DNS.TTLSeconds, "lets resolvers remember where a name led before", "60 during a migration", "leave the key out until the server is retired")
	}
	for _, h := range r.publicHosts() {
		if h.name == r.DNS.Zone && !r.broken(h.path) {
			r.wrong(h.path, h.name, "is the zone itself, whose record other tools may hold", "a name below the zone during a migration", "")
		}
	}
}

// noMigration refuses keys that would say nothing.
func (r rules) noMigration() {
	for _, k := range []string{"from", "writes", "names", "awsWeight", "copy", "trial", "retire.state", "retire.backupVerified", "retire.confirm"} {
		path := "migration." + k
		if !r.d.set[path] || r.broken(path) || k == "from" && r.Migration.From == 0 {
			continue
		}
		mend := "leave the key out"
		if r.Phase == 3 {
			mend = "set migration.from to the phase of the server that is still there, or leave the key out"
		}
		r.wrong(path, nil, "has no effect", "only with phase: 3 and migration.from", mend)
	}
}

// traffic follows the data: nobody is sent where what they write is thrown away.
func (r rules) traffic() {
	m := r.Migration
	if m.AWSWeight > 0 && !m.Weighted() {
		r.wrong("migration.awsWeight", m.AWSWeight, "has no effect while the names lead straight to the server", "0 with migration.names: server", "first set migration.names to weighted, with a weight of 0, and deploy that")
	}
	if m.AWSWeight > 0 && !m.OnAWS() {
		r.wrong("migration.awsWeight", m.AWSWeight, "sends people to AWS while the server's data counts", "0 with migration.writes: "+m.Writes,
			"first move the data: writes: server-frozen, the last copy, then writes: aws (docs/migrate)")
	}
}

// copied wants the copy named that AWS's data began with. Once the server is gone there is nothing left
// that it could be missing from.
func (r rules) copied() {
	m := r.Migration
	if m.OnAWS() && m.Copy == "" && m.Retire.State != StateRetired && !r.broken("migration.copy") {
		r.missing("migration.copy", "without a copy of the server's data AWS would begin with empty databases",
			"freeze the server first (writes: server-frozen), bring its last copy in (ops/runbooks/move-data.md), and write down the stamp of it")
	}
}

// trial keeps trials to the time in which nobody can have been sent to AWS.
func (r rules) trial() {
	m := r.Migration
	if !m.Trial {
		return
	}
	switch {
	case m.Writes != WritesServer:
		r.wrong("migration.trial", true, "has no effect: only while the server's data counts is what is written on AWS thrown away", "false with migration.writes: "+m.Writes, "leave the key out")
	case m.Weighted():
		r.wrong("migration.trial", true, "lets people write on AWS whose resolvers were given its address, and throws it away", "false with migration.names: weighted", "leave the key out")
	case m.Copy != "":
		r.wrong("migration.trial", true, "lets people write on AWS who may still remember its address, and throws it away", "false with migration.copy",
			"leave migration.trial out; to try AWS out once more, deploy that first, and then take migration.copy out")
	}
}

// retire refuses to take the server away while anybody is sent there, before its last backup was
// restored once, and with anything unconfirmed.
func (r rules) retire() {
	m := r.Migration
	if m.Retire.State == StateNone {
		return
	}
	if m.AWSWeight < 100 {
		r.wrong("migration.awsWeight", m.AWSWeight, "still sends traffic to the server that is to be retired", "100 before it is retired", "set it to 100, and wait 48 hours for those who remember the old addresses")
	}
	if m.Writes != WritesAWS {
		r.wrong("migration.writes", m.Writes, "leaves the data that counts on the server that is to be retired", "aws before it is retired", "")
	}
	if m.Retire.BackupVerified == "" {
		r.missing("migration.retire.backupVerified", "the server's last backup is all that will be left of it",
			"restore it somewhere (ops/runbooks/restore.md), look at what is in it, and write down the day")
	}
	missing, unknown := r.unconfirmed()
	if len(missing) > 0 {
		var lines []string
		for _, t := range missing {
			lines = append(lines, fmt.Sprintf("%s (%s)", t.Name, t.What))
		}
		r.missing("migration.retire.confirm", "nobody has confirmed that these may go: "+strings.Join(lines, "; "), "add "+thingNames(missing)+" to the list")
	}
	for _, name := range unknown {
		r.wrong("migration.retire.confirm", name, "is no stateful thing of this server", thingNames(r.ServerThings()), "leave it out")
	}
}
