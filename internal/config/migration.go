package config

import (
	"slices"
	"strings"
)

// Migration is the move from the server to AWS. Both platforms are in one stack while it lasts, and
// every step is a change of one or two of these keys: see docs/migrate.
type Migration struct {
	// Phase of the server that is still there beside AWS; 0 is none. Only with phase 3.
	From int `key:"from" default:"0" enum:"0|1|2"`
	// Whose data counts. Two databases are never both written: whichever platform does not count
	// passes on what it is asked. server-frozen and aws-frozen refuse everything that writes, for as
	// long as the last copy takes.
	Writes string `key:"writes" default:"server" enum:"server|server-frozen|aws-frozen|aws" replaces:"the containers of the services, or their tasks"`
	// Where the public names lead: straight to the server, or into the zone at Route 53, where
	// weights say how much goes where. A switch is one update of each record.
	Names string `key:"names" default:"server" enum:"server|weighted"`
	// Share of the traffic that AWS gets, the server getting the rest.
	AWSWeight int `key:"awsWeight" default:"0" unit:"%" min:"0" max:"100"`
	// Stamp of the copy that was brought in last, while nothing could be written: into AWS before writes
	// becomes aws, or into the server before it becomes server again.
	Copy string `key:"copy" required:"while AWS's data counts, and on the way back" format:"stamp" example:"20270131T031500Z"`
	// Lets people write on AWS although the server's data counts, to try AWS out before anybody is sent
	// there: what they write is thrown away.
	Trial bool `key:"trial" default:"false"`
	// The end of the server.
	Retire Retire `key:"retire"`
}

// Retire takes the server away, in two steps.
type Retire struct {
	// retiring lifts the protection of what is confirmed; retired takes it away. After that the whole
	// of migration can go.
	State string `key:"state" default:"none" enum:"none|retiring|retired"`
	// Day on which somebody restored the server's last backup and found it complete.
	BackupVerified string `key:"backupVerified" required:"to retire" format:"day" example:"'2027-01-31'"`
	// The stateful things of the server that may go, every one by name.
	Confirm []string `key:"confirm" required:"to retire: all of them" max:"40" format:"name" example:"[vps, postgres, backend, forgejo]"`
}

// What `migration.writes` can be.
const (
	WritesServer       = "server"
	WritesServerFrozen = "server-frozen"
	WritesAWSFrozen    = "aws-frozen"
	WritesAWS          = "aws"
)

// The states of what can be given up: the server at the end of a move, and a further region of AWS.
const (
	StateNone     = "none"     // the server stays
	StateActive   = "active"   // the region serves
	StateRetiring = "retiring" // the protection is lifted
	StateRetired  = "retired"  // it is taken away
)

// OnAWS says whether AWS's data counts.
func (m Migration) OnAWS() bool { return m.Writes == WritesAWS || m.Writes == WritesAWSFrozen }

// Frozen says whether nothing may be written for now.
func (m Migration) Frozen() bool {
	return m.Writes == WritesServerFrozen || m.Writes == WritesAWSFrozen
}

// Weighted says whether the public names lead into the zone at Route 53.
func (m Migration) Weighted() bool { return m.Names == "weighted" }

// Moving says whether both platforms are there.
func (c Config) Moving() bool {
	return c.Migration.From > 0 && c.Migration.Retire.State != StateRetired
}

// Relays says whether a relay on the server answers in place of the services there, or refuses what
// writes.
func (c Config) Relays() bool { return c.Moving() && c.Migration.Writes != WritesServer }

// ServerPhase is the phase of the server: the stack's own, or during a move that of the server which
// is still there; -1 where there is none.
func (c Config) ServerPhase() int {
	switch {
	case c.Phase <= 2:
		return c.Phase
	case c.Moving():
		return c.Migration.From
	default:
		return -1
	}
}

// ServerThing is a component of the server that holds something which nobody can make again.
type ServerThing struct {
	Name string // of the component; all its resources' names begin with it
	What string // is in it
}

// ServerThings are what has to be confirmed before the server goes, in the order of the
// configuration. What both platforms share (the product's secrets, Forgejo's credentials, the bucket of
// the daily backups) is not among them: it stays.
func (c Config) ServerThings() []ServerThing {
	out := []ServerThing{{"vps", "the server, its addresses and its volume"}}
	add := func(there bool, name, what string) {
		if there {
			out = append(out, ServerThing{name, what})
		}
	}
	add(c.ReverseProxy != "coolify", "traefik", "certificates")
	add(c.Database.KeepContainer, "postgres", "the database of phases 0 and 1")
	add(c.Database.KeepContainer, "databases", "passwords of its roles")
	add(true, "redis", "Redis")
	add(true, "backend", "git memory and uploaded files")
	add(true, "forgejo", "repositories")
	add(c.Backups.Enabled, "backup", "copies of the last days on the server")
	add(c.Database.Provider != "container", "managed-databases", "passwords of the roles of phase 2")
	add(c.Database.Provider == "hetzner", "database", "the database server of phase 2")
	add(c.Database.Provider == "hetzner", "database-archive", "the bucket with its archive")
	if c.Forgejo.Server.Enabled {
		add(true, "git-vps", "the git server, its addresses and its volume")
		add(true, "git-traefik", "its certificates")
		add(true, "git-forgejo", "its repositories")
		add(c.Backups.Enabled, "git-backup", "copies of the last days on it")
		add(c.Backups.Enabled, "git-backups", "the bucket of its backups")
	}
	return out
}

// unconfirmed are the things that nobody confirmed, and confirmed names that are no thing.
func (c Config) unconfirmed() (missing []ServerThing, unknown []string) {
	things := c.ServerThings()
	for _, t := range things {
		if !slices.Contains(c.Migration.Retire.Confirm, t.Name) {
			missing = append(missing, t)
		}
	}
	for _, name := range c.Migration.Retire.Confirm {
		if !slices.ContainsFunc(things, func(t ServerThing) bool { return t.Name == name }) {
			unknown = append(unknown, name)
		}
	}
	return missing, unknown
}

func thingNames(things []ServerThing) string {
	var out []string
	for _, t := range things {
		out = append(out, t.Name)
	}
	return strings.Join(out, ", ")
}
