package safety

import (
	"fmt"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim"
)

// plan is all that is planned, by URN: one change explains another.
type plan struct{ changes map[string]sim.ResourceChange }

// keep is the cause where nothing more is known.
var keep = Cause{
	Text: "it is no longer part of the stack",
	Mend: "put back what was taken out of the configuration; to give it up for good, keep a copy of what is in it, " +
		"lift the protection by a change of its own, then take it out",
}

// engines are the types that hold the product's database, by the configuration's word for them.
var engines = map[string]string{"aws:rds/instance:Instance": "rds", "aws:rds/cluster:Cluster": "aurora"}

func (p plan) deleted(c sim.ResourceChange) Cause {
	if from := engines[c.Type]; from != "" {
		for _, other := range p.changes {
			if to := engines[other.Type]; other.Op == "create" && to != "" && to != from {
				return Cause{
					Text: fmt.Sprintf("the database engine changes from %s to %s (morphee:aws.database.engine)", from, to),
					Mend: "put the engine back; an engine is changed by a migration: take a snapshot, start the new database from it " +
						"(morphee:aws.database.restoreFromSnapshot) in a stack of its own, move the traffic there, and retire the old one last",
				}
			}
		}
	}
	from, to := cloudOf(c.Type), ""
	for _, other := range p.changes {
		if at := cloudOf(other.Type); other.Op == "create" && (at == "aws" || at == "hetzner") && at != from {
			to = at
		}
	}
	if (from == "aws" || from == "hetzner") && to != "" {
		return Cause{
			Text: fmt.Sprintf("the stack would leave %s for %s in one step (morphee:phase)", from, to),
			Mend: "put the phase back; a platform is left in steps: both up, the data copied, the traffic moved, and only then the old one retired (docs/migrate)",
		}
	}
	if from == "hetzner" {
		return Cause{
			Text: "the server, or something on it, is no longer part of the stack (morphee:phase, morphee:migration)",
			Mend: keep.Mend + "; the whole server is given up beside AWS in two steps, by morphee:migration.retire (docs/migrate)",
		}
	}
	return keep
}

// cloudOf is where a type is: what a server carries is the server's.
func cloudOf(token string) string {
	pkg, _, _ := strings.Cut(token, ":")
	if pkg == "hcloud" || pkg == "docker" {
		return "hetzner"
	}
	return pkg
}

// replaced names the property that forces a replacement, with its value before and after.
func (p plan) replaced(c sim.ResourceChange) Cause {
	if slices.Contains(c.Replaces, "provider") {
		if cause, ok := p.moved(c); ok {
			return cause
		}
	}
	var texts []string
	mend := ""
	for _, path := range c.Replaces {
		text := path + " of " + c.Name + " changes" + values(c, path)
		r := rules[c.Type+"."+top(path)]
		if r.key != "" {
			text += " (" + r.key + ")"
		}
		texts = append(texts, text)
		if mend == "" {
			mend = r.mend
		}
	}
	if len(texts) == 0 {
		texts = []string{c.Name + " is to be replaced"}
	}
	if mend == "" {
		mend = "put the value back; to have it changed, make a new one next to it, copy what is in the old one over, and retire that last"
	}
	return Cause{Text: strings.Join(texts, "; "), Mend: mend}
}

// moved explains a replacement that comes from the provider's own: another region.
func (p plan) moved(c sim.ResourceChange) (Cause, bool) {
	for _, other := range p.changes {
		if strings.HasPrefix(other.Type, "pulumi:providers:") && providerOf(other.Type) == c.Provider && slices.Contains(other.Replaces, "region") {
			return Cause{
				Text: fmt.Sprintf("region of the provider %s changes%s (morphee:aws.region)", other.Name, values(other, "region")),
				Mend: "put the region back; nothing moves between regions: bring up a second stack in the new region, from a snapshot " +
					"of the database and a copy of the files, move the traffic there, and retire this one last",
			}, true
		}
	}
	return Cause{}, false
}

func providerOf(token string) string { return strings.TrimPrefix(token, "pulumi:providers:") }

// rule is what is known of a property whose change loses data.
type rule struct{ key, mend string }

const (
	serverMend = "put the location back; a server and its volume cannot move: bring up a second stack in the new location, " +
		"restore the latest backup there, move the records, and retire this one last"
	bucketMend = "put the value back; a bucket cannot be renamed or moved: make the new one, copy the objects, and retire the old one " +
		"when the retention of what is in it has run out"
)

var rules = map[string]rule{
	"hcloud:index/server:Server.location": {"morphee:server.location", serverMend},
	"hcloud:index/volume:Volume.location": {"morphee:server.location", serverMend},
	"hcloud:index/volume:Volume.size":     {"morphee:server.volumeSizeGiB", "put the size back: a volume only grows; for a smaller one, restore a backup on a new stack"},
	"aws:rds/instance:Instance.allocatedStorage": {"morphee:aws.database.storageGiB",
		"put the size back: RDS never shrinks a disk; for a smaller one, dump the database and restore it in a new one"},
	"aws:rds/instance:Instance.dbName":     {"morphee:aws.database.name", "put the name back; another database is made with SQL, next to the first"},
	"aws:rds/cluster:Cluster.databaseName": {"morphee:aws.database.name", "put the name back; another database is made with SQL, next to the first"},
	"aws:rds/instance:Instance.kmsKeyId":   {"", keyMend},
	"aws:rds/cluster:Cluster.kmsKeyId":     {"", keyMend},
	"aws:efs/fileSystem:FileSystem.kmsKeyId": {"", "put the key back: a file system's key cannot be changed; for another key, make a second file system, " +
		"copy the files, and retire the old one last"},
	"aws:route53/zone:Zone.name": {"morphee:aws.subZone", "put the domain back; for another one, bring it up next to the old one and retire that when nobody uses it"},
	"aws:ec2/vpc:Vpc.cidrBlock": {"morphee:aws.regionIndex", "put the address range back; a network cannot be renumbered with a database in it: " +
		"bring up a second stack with the new range and move there"},
	"cloudflare:index/r2Bucket:R2Bucket.name":      {"morphee:backups.bucket", bucketMend},
	"cloudflare:index/r2Bucket:R2Bucket.location":  {"morphee:backups.locationHint", bucketMend},
	"cloudflare:index/r2Bucket:R2Bucket.accountId": {"morphee:cloudflareAccountId", bucketMend},
}

const keyMend = "put the key back: a database's key cannot be changed in place; copy a snapshot with the new key and start a new database from it"

// sizes are the properties that only grow: the cloud refuses less, half-way through the deployment.
var sizes = map[string]string{"hcloud:index/volume:Volume": "size", "aws:rds/instance:Instance": "allocatedStorage", "aws:ebs/volume:Volume": "size"}

func shrunk(c sim.ResourceChange) (Cause, bool) {
	property := sizes[c.Type]
	before, ok1 := c.Before[property].(float64)
	after, ok2 := c.After[property].(float64)
	if !ok1 || !ok2 || after >= before {
		return Cause{}, false
	}
	c.Replaces = []string{property}
	return plan{}.replaced(c), true
}

// values shows a property before and after.
func values(c sim.ResourceChange, path string) string {
	before, after := c.Before[top(path)], c.After[top(path)]
	if top(path) != path || c.Before == nil || c.After == nil {
		return ""
	}
	show := func(v any) string {
		text := fmt.Sprint(v)
		switch {
		case v == nil, text == "":
			return "nothing"
		case len(text) > 80:
			return text[:77] + "..."
		}
		return text
	}
	return " from " + show(before) + " to " + show(after)
}

func top(path string) string {
	if i := strings.IndexAny(path, ".["); i >= 0 {
		return path[:i]
	}
	return path
}
