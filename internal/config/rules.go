package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// check holds the rules that look at more than one key. Rules of a platform are checked when the
// phase uses it, so that a stack need not fill in what it does not have.
func check(c *Config, d *decoder) {
	r := rules{c, d}
	r.required()
	r.names()
	r.tags()
	r.backend()
	r.mail()
	r.forgejo()
	r.backups()
	r.networks()
	known := r.phaseKnown()
	if known {
		r.migration()
	}
	if known && c.UsesServer() {
		r.sshAccess()
		r.placement()
		r.capacity()
		r.managed()
		r.versions()
	}
	if known && c.UsesAWS() {
		r.zones()
		r.egress()
		r.database()
		r.tasks()
		r.storage()
		r.alarms()
		r.regions()
	}
}

type rules struct {
	*Config
	d *decoder
}

// wrong reports a key whose value does not go with the others.
func (r rules) wrong(path string, value any, problem, allowed, mend string) {
	p := Problem{Problem: problem, Allowed: allowed, Mend: mend}
	if value != nil {
		p.Value = r.d.show(path, value)
	}
	r.d.problem(path, p)
}

func (r rules) missing(path, why, mend string) {
	r.d.problem(path, Problem{Problem: "is missing: " + why, Mend: mend})
}

// broken says whether a key already has a problem, or a value nobody could read, so that a rule
// must not judge by what is only its default.
func (r rules) broken(paths ...string) bool {
	for _, path := range paths {
		if r.d.under(r.d.sealed, path) {
			return true
		}
		for _, p := range r.d.errs {
			if strings.HasPrefix(p.Key, Namespace+":"+path) {
				return true
			}
		}
	}
	return false
}

// phaseKnown says whether there is a phase to judge by; without one, the rest would only add noise.
func (r rules) phaseKnown() bool { return r.d.set["phase"] && !r.broken("phase") }

func (r rules) required() {
	absent := func(path, value string) bool { return value == "" && !r.broken(path) }
	if !r.d.set["phase"] {
		r.missing("phase", "it says what the stack is made of", "set it to 0, 1, 2, 3 or 4")
	}
	if absent("owner", r.Owner) {
		r.missing("owner", "somebody must answer for the stack", "set it to a team or person")
	}
	if r.phaseKnown() && r.UsesServer() && absent("acmeEmail", r.AcmeEmail) && r.ReverseProxy == "traefik" {
		r.missing("acmeEmail", "Let's Encrypt must know whom to warn", "set it to a mail address that people read")
	}
	if absent("cloudflareAccountId", r.CloudflareAccountID) {
		const mend = "copy it from the overview page of the account"
		switch {
		case r.Backups.Enabled:
			r.missing("cloudflareAccountId", "the backup bucket is in this account", mend)
		case r.DNS.Manage && r.DNS.ZoneID == "":
			r.missing("cloudflareAccountId", "the zone is looked up in this account", mend+", or set dns.zoneId")
		}
	}
	if r.Registry.Host != "" || r.Registry.Username != "" || r.Registry.Password.IsSet() {
		r.together("registry", "a private registry needs all three", map[string]bool{
			"host": r.Registry.Host != "", "username": r.Registry.Username != "", "password": r.Registry.Password.IsSet()})
	}
}

func (r rules) together(path, why string, present map[string]bool) {
	for _, k := range slices.Sorted(maps.Keys(present)) {
		if present[k] || r.broken(path+"."+k) {
			continue
		}
		mend := "set it, or leave out the others"
		if k == "password" {
			mend = fmt.Sprintf("set it with: pulumi config set --secret --path '%s:%s.%s'", Namespace, path, k)
		}
		r.missing(path+"."+k, why, mend)
	}
}

// host is a name and its key.
type host struct{ path, name string }

// publicHosts are the public names of all services, of one that is off too: it may be turned on later.
func (r rules) publicHosts() []host {
	return []host{{"hosts.api", r.Hosts.API}, {"hosts.app", r.Hosts.App}, {"hosts.auth", r.Hosts.Auth}, {"hosts.git", r.Hosts.Git}}
}

func (r rules) names() {
	hosts := r.publicHosts()
	if r.UsesServer() {
		hosts = append(hosts, host{"hosts.server", r.Hosts.Server}, host{"hosts.gitServer", r.Hosts.GitServer})
	}
	seen := map[string]string{}
	for _, h := range hosts {
		if other := seen[h.name]; other != "" && !r.broken(h.path) {
			r.wrong(h.path, h.name, "is the name of "+other+" too", "", "give each service its own name")
		}
		seen[h.name] = h.path
		if r.DNS.Manage && !r.broken(h.path, "domain", "dns.zone") && !within(h.name, r.DNS.Zone) {
			r.wrong(h.path, h.name, "is outside the zone "+r.d.show("dns.zone", r.DNS.Zone), "names within the zone", "change it, or dns.zone, or set dns.manage to false")
		}
	}
	if !r.broken("aws.subZone", "dns.zone", "domain") && (!within(r.AWS.SubZone, r.DNS.Zone) || r.AWS.SubZone == r.DNS.Zone) {
		r.wrong("aws.subZone", r.AWS.SubZone, "is not below the zone "+r.d.show("dns.zone", r.DNS.Zone), "a name one or more labels below the zone", "")
	}
	if r.phaseKnown() && r.UsesAWS() && !r.DNS.Manage && !r.broken("dns.manage") {
		r.wrong("dns.manage", false, "leaves the certificates without validation", "true on AWS", "leave the key out")
	}
	if r.DNS.Proxied && r.Forgejo.SSHPort != 0 {
		r.wrong("dns.proxied", true, "leaves git over SSH unreachable: Cloudflare's proxy only carries HTTP", "false while forgejo.sshPort is set", "set one of the two back")
	}
}

func within(name, zone string) bool { return name == zone || strings.HasSuffix(name, "."+zone) }

func (r rules) tags() {
	reserved := []string{"project", "stack", "phase", "owner", "name"}
	for _, k := range slices.Sorted(maps.Keys(r.Tags)) {
		path := join("tags", k)
		if slices.Contains(reserved, strings.ToLower(k)) {
			r.wrong(path, nil, "is a tag that the project sets itself", "any name but "+strings.Join(reserved, ", "), "choose another name")
		} else if formats["tag-value"].check(k) != "" || strings.HasPrefix(strings.ToLower(k), "aws") {
			r.wrong(path, nil, "is not a valid tag name", "a name of "+formats["tag-value"].want+", not starting with aws", "choose another name")
		}
		if v := r.Tags[k]; !r.broken(path) && formats["tag-value"].check(v) != "" {
			r.wrong(path, v, "is not a tag's value", formats["tag-value"].want, "")
		}
	}
}

// secretWords in a variable's name say that its value does not belong among the plain ones.
var secretWords = []string{"PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY", "PRIVATE_KEY", "CREDENTIAL", "DSN"}

func (r rules) backend() {
	for _, k := range slices.Sorted(maps.Keys(r.Backend.Environment)) {
		path := join("backend.environment", k)
		if _, both := r.Backend.Secrets[k]; both {
			r.wrong(path, nil, "is also a secret", "each name once", "leave one of the two out")
		}
		for _, w := range secretWords {
			if strings.Contains(k, w) {
				r.wrong(path, nil, "looks like a secret by its name", "settings that anybody may read",
					fmt.Sprintf("set it with: pulumi config set --secret --path '%s:backend.secrets.%s'", Namespace, k))
				break
			}
		}
	}
}

func (r rules) mail() {
	m := r.Auth.SMTP
	if m.Host != "" || m.Username != "" || m.Password.IsSet() {
		r.together("auth.smtp", "the mail server needs all three", map[string]bool{
			"host": m.Host != "", "username": m.Username != "", "password": m.Password.IsSet()})
	}
}

func (r rules) forgejo() {
	switch {
	case !r.phaseKnown():
	case r.Forgejo.Enabled && r.Phase == 0:
		r.wrong("forgejo.enabled", true, "does not go with phase 0", "true from phase 1 on", "leave the key out, or set phase to 1")
	case !r.Forgejo.Enabled && r.Phase >= 1 && !r.Disposable:
		r.wrong("forgejo.enabled", false, "would take the git server away", "true from phase 1 on", "leave the key out")
	}
	if image := r.Images.Forgejo; !r.broken("images.forgejo") && !strings.Contains(ImageTag(image), "rootless") {
		r.wrong("images.forgejo", image, "is not the rootless variant", "a tag such as 13.0.3-rootless", "both platforms run Forgejo as user 1000")
	}
	if p := r.Forgejo.SSHPort; r.UsesServer() && p != 0 && (p == 80 || p == 443 || p == r.SSH.Port) {
		r.wrong("forgejo.sshPort", p, "is taken on the server", "a port other than 80, 443 and ssh.port", "222 is usual")
	}
}

func (r rules) backups() {
	switch {
	case !r.phaseKnown():
	case r.Backups.Enabled && r.Phase == 0:
		r.wrong("backups.enabled", true, "does not go with phase 0", "true from phase 1 on", "leave the key out, or set phase to 1")
	case !r.Backups.Enabled && r.Phase >= 1 && !r.Disposable:
		r.wrong("backups.enabled", false, "would leave the data with no copy", "false only in a disposable stack", "leave the key out")
	}
	if !r.Disposable {
		least := []struct {
			path       string
			days, want int
		}{{"backups.retention.postgresDays", r.Backups.Retention.PostgresDays, 30},
			{"backups.retention.gitDays", r.Backups.Retention.GitDays, 14},
			{"backups.retention.filesDays", r.Backups.Retention.FilesDays, 14},
			{"backups.retention.localDays", r.Backups.Retention.LocalDays, 7}}
		for _, l := range least {
			if l.days < l.want && !r.broken(l.path) {
				r.wrong(l.path, l.days, "is shorter than the promised retention", fmt.Sprintf("%d days or more", l.want), "only a disposable stack may keep less")
			}
		}
	}
	// The restart is by the server's clock. In another zone it is another hour of UTC in summer and in
	// winter, and which depends on a database of zones that is not here: that is for people to see to.
	inUTC := slices.Contains([]string{"UTC", "Etc/UTC"}, r.Server.Timezone)
	start := r.Backups.Daily().minute
	reboot, set := minutes(r.Server.RebootTime)
	if r.UsesServer() && r.Backups.Enabled && set && inUTC && !r.broken("backups.schedule", "server.rebootTime", "server.timezone") && (reboot-start+1440)%1440 < 60 {
		r.wrong("server.rebootTime", r.Server.RebootTime, "is in the hour that the backup needs", "a time an hour or more after backups.schedule", "move one of the two")
	}
}

// awsPlan is the block of the address plan of the AWS regions.
const awsPlan = "10.64.0.0/10"

// networks compares address ranges even where only one platform is up: during a migration both are.
func (r rules) networks() {
	s := r.Server
	if r.broken("server.networkCidr", "server.subnetCidr") {
		return
	}
	if !inside(s.SubnetCIDR, s.NetworkCIDR) {
		r.wrong("server.subnetCidr", s.SubnetCIDR, "is outside the network "+r.d.show("server.networkCidr", s.NetworkCIDR), "a range inside server.networkCidr", "")
	}
	taken := []struct{ cidr, by string }{{"172.16.0.0/12", "Docker takes for its networks"}, {"192.168.0.0/16", "Docker takes for its networks"},
		{awsPlan, "the AWS regions are in, and the two must be able to talk"}}
	for _, t := range taken {
		if overlap(s.NetworkCIDR, t.cidr) {
			r.wrong("server.networkCidr", s.NetworkCIDR, "overlaps "+t.cidr+", which "+t.by, "a range within 10.0.0.0/10", "")
		}
	}
}
