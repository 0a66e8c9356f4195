package durability

import (
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

var backups = []rule.Rule{{
	ID: "backup-bucket", Level: rule.Mandatory,
	Title:  "From phase 1 on, backups leave the platform for a bucket at another provider",
	Reason: "A backup beside the data is lost with it: by fire, by a deleted account, by one wrong command.",
	Mend:   "Leave morphee:backups.enabled as it is.",
	Graph: func(g *rule.Graph) {
		if g.Options().Disposable() || !holdsData(g) || phase(g) == 0 {
			return
		}
		if b := backupBucket(g); b != nil {
			g.Looked(b)
		} else {
			g.ViolateStack("the stack holds data, and there is no bucket for backups at another provider")
		}
	},
}, {
	ID: "backup-retention", Level: rule.Mandatory,
	Title:  "Backups are kept long enough: PostgreSQL 30 days, git 14, files 14",
	Reason: "The source document promises it.",
	Mend:   "Leave morphee:backups.retention as it is, or raise it.",
	Settings: []rule.Setting{{Name: "postgres", Default: 30.0, Min: 1, Description: "least days of database dumps"},
		{Name: "git", Default: 14.0, Min: 1, Description: "least days of repositories"}, {Name: "files", Default: 14.0, Min: 1, Description: "least days of files"}},
	Graph: backupRetention,
}, {
	ID: "backup-job", Level: rule.Mandatory,
	Title:  "Something makes the backups, every day",
	Reason: "A bucket does not fill itself.",
	Mend:   "Leave morphee:backups.enabled as it is.",
	Graph:  backupJob,
}, {
	ID: "backup-plan", Level: rule.Mandatory,
	Title:    "On AWS, each database and file system is in a daily backup plan",
	Reason:   "AWS Backup keeps its copies in a vault of their own, which deleting the database does not empty.",
	Mend:     "Select the database and the file system in a plan with 30 and 14 days.",
	Settings: []rule.Setting{{Name: "database", Default: 30.0, Min: 1, Description: "least days of database backups"}, {Name: "files", Default: 14.0, Min: 1, Description: "least days of file backups"}},
	Graph:    backupPlan,
}, {
	ID: "backup-vault-key", Level: rule.Mandatory, Refs: []string{"C166"}, Types: []string{tVault},
	Title:  "Backup vaults are encrypted with a key of ours",
	Reason: "Who may use the key decides a second time who may restore.",
	Mend:   "Set kmsKeyArn.",
	Check:  func(c *rule.Check) { c.Set("kmsKeyArn", "the vault is encrypted with AWS's own key") },
}, {
	ID: "backup-vault-locked", Level: rule.Mandatory,
	Title:  "Recovery points go when they expire, not before",
	Reason: "Whoever can delete the data must not be able to delete its backups with the same rights.",
	Mend:   "Add a vault policy that denies backup:DeleteRecoveryPoint, or a vault lock.",
	Graph: func(g *rule.Graph) {
		for _, v := range g.Of(tVault) {
			if g.Options().Leaving(v.Name) {
				continue
			}
			g.Needs(v, "backupVaultName", "recovery points can be deleted before they expire", func(r *rule.Resource) rule.Value {
				if strings.Contains(r.Type, "LockConfiguration") {
					return rule.Of(true)
				}
				list, known := rule.Statements(r.Get("policy"))
				if !known {
					return r.Get("policy")
				}
				for _, s := range list {
					if !s.Allows() && slices.Contains(s.Actions(), "backup:DeleteRecoveryPoint") {
						return rule.Of(true)
					}
				}
				return rule.Of(false)
			}, "aws:backup/vaultPolicy:VaultPolicy", "aws:backup/vaultLockConfiguration:VaultLockConfiguration")
		}
	},
}, {
	ID: "backup-key-narrow", Level: rule.Mandatory, Types: []string{"cloudflare:index/apiToken:ApiToken"},
	Title:  "A key that works from machines is for one bucket",
	Reason: "The server's key is the one most likely to be stolen; it must not reach other buckets.",
	Mend:   "Name the bucket in the token's resources. A token for the whole account stays with Pulumi (its name ends in -admin).",
	Check: func(c *rule.Check) {
		if strings.HasSuffix(c.Name, "-admin") {
			return
		}
		c.Each(c.In("policies"), func(p rule.Value) {
			if p.At("resources").Unknown() {
				c.Undecided(p.At("resources"))
				return
			}
			for _, k := range p.At("resources").Keys() {
				if strings.HasPrefix(k, "com.cloudflare.api.account.") {
					c.Violate("the token is for the whole account")
				}
			}
		})
	},
}}

func holdsData(g *rule.Graph) bool {
	return len(g.Of(tInstance, tCluster, tEfs, "hcloud:index/volume:Volume", rule.DockerVolume)) > 0
}

// phase is the stack's, from its configuration or from the tags that everything carries; -1 when
// nothing says it.
func phase(g *rule.Graph) int {
	text := g.Options().Value("phase")
	for _, r := range g.All() {
		if text != "" {
			break
		}
		text = r.Get("tags.phase").Text() + r.In("labels").Key("phase").Text()
	}
	if len(text) == 1 && text >= "0" && text <= "9" {
		return int(text[0] - '0')
	}
	return -1
}

// backupBucket is the bucket at another provider.
func backupBucket(g *rule.Graph) *rule.Resource {
	for _, b := range g.Of(tR2) {
		if strings.Contains(b.Get("name").Text(), "backup") || strings.Contains(b.Name, "backup") {
			return b
		}
	}
	return nil
}

func backupRetention(g *rule.Graph) {
	b := backupBucket(g)
	if b == nil || g.Options().Leaving(b.Name) {
		return
	}
	g.Looked(b)
	configurations, maybe := g.Referring(b, "bucket", tLifecycle)
	if len(configurations) == 0 {
		if len(maybe) > 0 {
			g.Undecided(b, "rules")
		}
		return // s3-lifecycle says so
	}
	for _, c := range configurations {
		for _, r := range c.Get("rules").List() {
			if r.At("status").Text() != "Enabled" || r.At("expiration").Absent() {
				continue
			}
			prefix := strings.Trim(r.At("filter.prefix").Text(), "/")
			days := r.At("expiration.days")
			if days.Unknown() || r.At("filter.prefix").Unknown() {
				g.Undecided(b, days.Path())
				continue
			}
			least := 0.0
			switch prefix {
			case "postgres", "git", "files":
				least = g.Number(prefix)
			case "":
				least = max(g.Number("postgres"), g.Number("git"), g.Number("files"))
			}
			if n, _ := days.Number(); n < least {
				g.Violate(b, "what is under %q is deleted after %.0f days, %.0f are promised", prefix, n, least)
			}
		}
	}
}

func backupJob(g *rule.Graph) {
	if b := backupBucket(g); b == nil || g.Options().Leaving(b.Name) {
		return
	}
	for _, r := range g.Of(rule.DockerContainer, "aws:scheduler/schedule:Schedule", "aws:cloudwatch/eventRule:EventRule") {
		if !strings.Contains(r.Name, "backup") && !strings.Contains(r.Get("name").Text(), "backup") || rule.Idle(r) {
			continue
		}
		if state := r.Get("state").Text(); state == "DISABLED" {
			continue
		}
		g.Looked(r)
		return
	}
	g.ViolateStack("there is a bucket for backups, and nothing makes any")
}

func backupPlan(g *rule.Graph) {
	for t, setting := range map[string]string{tInstance: "database", tCluster: "database", tEfs: "files"} {
		for _, r := range g.Of(t) {
			if !r.In("replicateSourceDb").Absent() || g.Options().Leaving(r.Name) {
				continue
			}
			g.Needs(r, "resources", "no backup plan keeps it for as long as is promised", func(selection *rule.Resource) rule.Value {
				ref := g.Refs(selection, "planId", tPlan)
				if ref.Unknown {
					return rule.Of(rule.Unknown{})
				}
				for _, p := range ref.Found {
					for _, v := range p.Get("rules").List() {
						days, ok := v.At("lifecycle.deleteAfter").Number()
						if v.At("lifecycle.deleteAfter").Unknown() {
							return v.At("lifecycle.deleteAfter")
						}
						if v.At("lifecycle.deleteAfter").Absent() || ok && days >= g.Number(setting) {
							return rule.Of(true)
						}
					}
				}
				return rule.Of(false)
			}, tSelect)
		}
	}
}
