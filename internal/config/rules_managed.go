package config

import (
	"fmt"
	"slices"
	"strings"
)

// managed holds the rules of phase 2: which database, how many replicas, what is on which server.
func (r rules) managed() {
	if r.ServerPhase() < 2 {
		r.notBeforePhase2()
	}
	if r.ServerPhase() > 0 {
		r.databaseChoice()
		r.ownServers()
	}
}

// notBeforePhase2 refuses what only phase 2 has. A database server and one for Forgejo may be there
// in phase 1, unused: that is the way back from phase 2, which keeps what holds data.
func (r rules) notBeforePhase2() {
	for _, k := range []struct {
		path string
		set  bool
		want string
	}{
		{"database.provider", r.ServerPhase() == 0 && r.Database.Provider != "container", "container in phase 0"},
		{"database.cutover", r.Database.Cutover, "false in phases 0 and 1"},
		{"database.keepContainer", !r.Database.KeepContainer, "true in phases 0 and 1"},
		{"redis.sentinel", r.Redis.Sentinel, "false in phases 0 and 1"},
		{"forgejo.server.enabled", r.ServerPhase() == 0 && r.Forgejo.Server.Enabled, "false in phase 0"},
		{"forgejo.server.cutover", r.Forgejo.Server.Cutover, "false in phases 0 and 1"},
	} {
		if k.set && r.d.set[k.path] && !r.broken(k.path) {
			r.wrong(k.path, nil, fmt.Sprintf("does not go with phase %d", r.ServerPhase()), k.want, "leave the key out, or set phase to 2")
		}
	}
}

func (r rules) databaseChoice() {
	db := r.Database
	if r.broken("database.provider", "database.cutover") {
		return
	}
	if db.Cutover && db.Provider == "container" {
		r.wrong("database.cutover", true, "has nothing to go to", "false with database.provider: container", "choose another provider, or leave the key out")
	}
	if !db.KeepContainer && !db.Cutover && !r.broken("database.keepContainer") {
		r.wrong("database.keepContainer", false, "would leave the services without a database", "true until database.cutover is true", "a stack that never had the container sets both")
	}
	if db.IsExternal() {
		r.externalDatabase()
	}
	if db.Provider != "hetzner" {
		return
	}
	if days := db.Hetzner.RetentionDays; days < 30 && !r.Disposable && !r.broken("database.hetzner.retentionDays") {
		r.wrong("database.hetzner.retentionDays", days, "is shorter than the promised retention", "30 days or more", "only a disposable stack may keep less")
	}
	if !r.Backups.Enabled && !r.broken("backups.enabled") {
		r.wrong("backups.enabled", false, "leaves the database's archive without a bucket", "true with database.provider: hetzner", "leave the key out")
	}
	r.offered("database.hetzner.serverType", db.Hetzner.ServerType)
	// A tenth of a connection's share of the memory is what one costs at rest.
	if m := ServerTypes[db.Hetzner.ServerType].MemoryMiB; m > 0 && db.Hetzner.MaxConnections*10 > m && !r.broken("database.hetzner") {
		r.wrong("database.hetzner.maxConnections", db.Hetzner.MaxConnections, "is more than the server's memory carries",
			fmt.Sprintf("%d or fewer on %s", m/10, r.d.show("database.hetzner.serverType", db.Hetzner.ServerType)), "let the pooler do the waiting")
	}
}

func (r rules) externalDatabase() {
	e, why := r.Database.External, "database.provider is "+r.Database.Provider
	for _, k := range []struct {
		key, mend string
		there     bool
	}{
		{"host", "copy it from the project's connection settings", e.Host != ""},
		{"role", "copy it from the project's connection settings", e.Role != ""},
		{"password", fmt.Sprintf("set it with: pulumi config set --secret --path '%s:database.external.password'", Namespace), e.Password.IsSet()},
	} {
		if path := "database.external." + k.key; !k.there && !r.broken(path) {
			r.missing(path, why, k.mend)
		}
	}
	if r.Database.Provider == "supabase" && e.TLSMode == "verify-full" && e.CACertificate == "" && !r.broken("database.external.caCertificate", "database.external.tlsMode") {
		r.missing("database.external.caCertificate", "Supabase's certificates are signed by its own authority", "copy it from the project's database settings (SSL configuration)")
	}
	if r.Database.Provider == "supabase" && strings.HasSuffix(e.Host, ".pooler.supabase.com") && !strings.Contains(e.Role, ".") && e.Role != "" && !r.broken("database.external") {
		r.wrong("database.external.role", e.Role, "does not name the project", "ROLE.PROJECT-REFERENCE on Supabase's pooler", "it is in the project's connection settings")
	}
	if strings.Contains(e.Host, "-pooler.") && r.Database.Provider == "neon" && !r.broken("database.external.host") {
		r.wrong("database.external.host", e.Host, "is Neon's pooler, which cannot make databases and breaks prepared statements", "the direct host, without -pooler", "")
	}
	if e.Port == 6543 && !r.broken("database.external.port") {
		r.wrong("database.external.port", e.Port, "is the pooler in transaction mode, which breaks prepared statements", "5432", "")
	}
}

func (r rules) ownServers() {
	s := r.Forgejo.Server
	if s.Cutover && !s.Enabled && !r.broken("forgejo.server") {
		r.wrong("forgejo.server.cutover", true, "has no server to go to", "false while forgejo.server.enabled is false", "")
	}
	if !s.Enabled || r.broken("forgejo.server") {
		return
	}
	if s.Cutover && r.Database.InUse() == "container" && !r.broken("database") {
		r.wrong("forgejo.server.cutover", true, "would leave Forgejo without its database: the container is reached from its own host only", "false until database.cutover is true", "move the database first")
	}
	if !r.Forgejo.Enabled {
		r.wrong("forgejo.server.enabled", true, "has nothing to run", "false while forgejo.enabled is false", "")
	}
	if r.AcmeEmail == "" && !r.broken("acmeEmail") && r.ReverseProxy != "traefik" {
		r.missing("acmeEmail", "Forgejo's own server has a Traefik of its own, and Let's Encrypt must know whom to warn", "set it to a mail address that people read")
	}
	r.offered("forgejo.server.serverType", s.ServerType)
	need := r.Limits.Traefik.MemoryMiB + r.Limits.Forgejo.MemoryMiB + r.Limits.Backup.MemoryMiB
	if room := r.GitContainerMemoryMiB(); need > room && !r.broken("limits") {
		r.wrong("forgejo.server.serverType", s.ServerType, fmt.Sprintf("has room for %d MiB of containers", room),
			fmt.Sprintf("%d MiB, which the limits of traefik, forgejo and backup add up to", need), "choose a larger type, or lower the limits")
	}
}

// offered refuses a server type that the stack's location does not have.
func (r rules) offered(path, serverType string) {
	t, ok := ServerTypes[serverType]
	if ok && !r.broken(path, "server.location") && !slices.Contains(t.Locations, r.Server.Location) {
		r.wrong(path, serverType, "is not offered at "+r.d.show("server.location", r.Server.Location), strings.Join(t.Locations, ", "), "choose another type")
	}
}
