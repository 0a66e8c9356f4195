package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func (r rules) sshAccess() {
	if len(r.SSH.AuthorizedKeys) == 0 && !r.broken("ssh.authorizedKeys") {
		r.missing("ssh.authorizedKeys", "nobody could reach the server", "list one public key or more")
	}
	if len(r.SSH.AllowedSources) == 0 && !r.broken("ssh.allowedSources") {
		r.missing("ssh.allowedSources", "the firewall would let nobody in", "list the ranges of your offices and runners")
	}
	seen := map[string]int{}
	for i, key := range r.SSH.AuthorizedKeys {
		path := fmt.Sprintf("ssh.authorizedKeys[%d]", i)
		parts := strings.Fields(key) // kind, key, comment
		if len(parts) < 2 || r.broken(path) {
			continue
		}
		if other, twice := seen[parts[1]]; twice {
			r.wrong(path, nil, fmt.Sprintf("is the same key as ssh.authorizedKeys[%d]", other), "every key once", "leave one of the two out")
		}
		seen[parts[1]] = i
	}
	for i, s := range r.SSH.AllowedSources {
		path := fmt.Sprintf("ssh.allowedSources[%d]", i)
		p, ok := cidr(s)
		if wide := ok && (p.Addr().Is4() && p.Bits() < 8 || p.Addr().Is6() && p.Bits() < 16); wide && !r.SSH.AllowAnySource {
			r.wrong(path, s, "opens SSH to the whole internet, or nearly", "ranges of /8 or narrower (IPv6: /16)", "or set ssh.allowAnySource to true if you must")
		}
	}
	if p := r.SSH.Port; (p == 80 || p == 443) && !r.broken("ssh.port") {
		r.wrong("ssh.port", p, "is the web's", "a port other than 80 and 443", "")
	}
}

func (r rules) placement() {
	s := r.Server
	if r.broken("server.type", "server.location") {
		return
	}
	offered := ServerTypes[s.Type].Locations
	if !slices.Contains(offered, s.Location) {
		r.wrong("server.location", s.Location, "does not offer "+r.d.show("server.type", s.Type), strings.Join(offered, ", "), "change the location or the type")
	}
	for i, location := range s.FallbackLocations {
		path := fmt.Sprintf("server.fallbackLocations[%d]", i)
		switch {
		case location == s.Location:
			r.wrong(path, location, "is server.location itself", "another location", "")
		case Locations[location] != "" && !slices.Contains(offered, location):
			r.wrong(path, location, "does not offer "+r.d.show("server.type", s.Type), strings.Join(offered, ", "), "")
		}
	}
}

// Coolify's own containers (its application, database, cache and proxy) need this much.
const coolifyMemoryMiB = 1024

// NamedLimits is one service's limits.
type NamedLimits struct {
	Service string
	Limits
}

// ServerServices are the limits of the services that the stack's phase runs on the server, in
// the order of the configuration.
func (c Config) ServerServices() []NamedLimits {
	l := c.Limits
	var out []NamedLimits
	add := func(service string, limits Limits) { out = append(out, NamedLimits{service, limits}) }
	if c.ReverseProxy != "coolify" {
		add("traefik", l.Traefik)
	}
	add("frontend", l.Frontend)
	serves := !c.Moving() || !c.Migration.OnAWS()
	replicas := func(service string, n int, limits Limits) {
		for i := 1; i <= n && serves; i++ {
			name := service
			if i > 1 {
				name = fmt.Sprintf("%s-%d", service, i)
			}
			add(name, limits)
		}
	}
	replicas("backend", c.Backend.Replicas, l.Backend)
	if c.Relays() {
		add("relay", l.Relay)
	}
	add("redis", l.Redis)
	if c.Redis.Sentinel {
		add("redis-replica", l.Redis)
		for n := 1; n <= 3; n++ {
			add(fmt.Sprintf("redis-sentinel-%d", n), l.Sentinel)
		}
	}
	if c.Database.KeepContainer {
		add("postgres", l.Postgres)
	}
	replicas("gotrue", c.Auth.Replicas, l.GoTrue)
	if c.Forgejo.Enabled && !c.ForgejoMoved() && serves {
		out = append(out, NamedLimits{"forgejo", l.Forgejo})
	}
	if c.Backups.Enabled {
		out = append(out, NamedLimits{"backup", l.Backup})
	}
	return out
}

// leastMemoryMiB is what a service needs to start at all.
var leastMemoryMiB = map[string]int{"postgres": 512, "forgejo": 256, "backup": 64}

// leastSharedPids is what the kernel has to allow each container of PostgreSQL and Redis. Their images
// run as the same user id, over whose containers it counts together: 100 connections, the servers' own
// processes and threads, the Sentinels and the health checks are some 180. Whoever is allowed less is
// refused a new process as soon as the others are busy, for its health check first.
const leastSharedPids = 256

// ContainerMemoryMiB is what all containers of the project together may use on the server.
func (c Config) ContainerMemoryMiB() int {
	room := ServerTypes[c.Server.Type].MemoryMiB - c.Server.ReservedMemoryMiB
	if c.ReverseProxy == "coolify" {
		room -= coolifyMemoryMiB
	}
	return room
}

// capacity refuses limits that the server could not honour all at once.
func (r rules) capacity() {
	t, ok := ServerTypes[r.Server.Type]
	if !ok || r.broken("server.type", "limits", "server.reservedMemoryMiB", "backend.replicas") {
		return
	}
	memory, cpus := 0, 0.0
	for _, s := range r.ServerServices() {
		memory += s.MemoryMiB
		cpus += s.CPUs
	}
	if room := r.ContainerMemoryMiB(); memory > room {
		r.wrong("limits", nil, fmt.Sprintf("add up to %d MiB of memory", memory),
			fmt.Sprintf("%d MiB: %s has %d MiB and %d are reserved", room, r.d.show("server.type", r.Server.Type), t.MemoryMiB, t.MemoryMiB-room), "lower some, or choose a larger server.type")
	}
	if cpus > float64(t.CPUs)+1e-9 {
		r.wrong("limits", nil, "add up to "+trim(cpus)+" CPUs", fmt.Sprintf("%d CPUs, which %s has", t.CPUs, r.d.show("server.type", r.Server.Type)), "lower some, or choose a larger server.type")
	}
	if redis := r.Limits.Redis.MemoryMiB; r.Alarms.RedisMemoryMB >= redis*4/5 && !r.broken("alarms.redisMemoryMB") {
		r.wrong("alarms.redisMemoryMB", r.Alarms.RedisMemoryMB, "is never reached: Redis drops data before", "less than four fifths of limits.redis.memoryMiB, which is "+r.d.show("limits.redis.memoryMiB", redis), "")
	}
	for _, s := range r.ServerServices() {
		if least := leastMemoryMiB[s.Service]; s.MemoryMiB < least {
			r.wrong("limits."+s.Service+".memoryMiB", s.MemoryMiB, "is too small", fmt.Sprintf("%d MiB or more", least), "the service does not start with less")
		}
	}
	for _, s := range []struct {
		name  string
		runs  bool
		limit int
	}{
		{"redis", true, r.Limits.Redis.Pids}, {"sentinel", r.Redis.Sentinel, r.Limits.Sentinel.Pids}, {"postgres", r.Database.KeepContainer, r.Limits.Postgres.Pids},
	} {
		if s.runs && s.limit < leastSharedPids {
			r.wrong("limits."+s.name+".pids", s.limit, "is too small", fmt.Sprintf("%d or more", leastSharedPids), "PostgreSQL's and Redis's containers run as one user id, over which the kernel counts together")
		}
	}
}

// versions holds the pairs that are known not to work together.
func (r rules) versions() {
	for _, m := range []struct{ path, image, major, name string }{
		{"images.postgres", r.Images.Postgres, "15", "PostgreSQL"}, {"images.redis", r.Images.Redis, "7", "Redis"}} {
		if tag := ImageTag(m.image); !r.broken(m.path) && !strings.HasPrefix(strings.TrimPrefix(tag, "v"), m.major+".") {
			r.wrong(m.path, m.image, "is not "+m.name+" "+m.major, "a tag such as "+m.major+".x", "another major version is a migration of the data")
		}
	}
	if r.broken("server.dockerVersion", "images.traefik") || r.ReverseProxy != "traefik" {
		return
	}
	if v := versionOf(r.Server.DockerVersion); v[0] >= 29 {
		if t := versionOf(ImageTag(r.Images.Traefik)); t[0] == 3 && (t[1] < 6 || t[1] == 6 && t[2] < 1) || t[0] == 2 && (t[1] < 11 || t[1] == 11 && t[2] < 31) {
			r.wrong("images.traefik", r.Images.Traefik, "cannot talk to Docker 29", "traefik:v3.6.1 or newer", "change it together with server.dockerVersion")
		}
	}
}

// versionOf reads the three leading numbers of v3.6.7-alpine and the like.
func versionOf(s string) (out [3]int) {
	for i, part := range strings.SplitN(strings.TrimPrefix(s, "v"), ".", 3) {
		digits := part
		if end := strings.IndexFunc(part, func(c rune) bool { return c < '0' || c > '9' }); end >= 0 {
			digits = part[:end]
		}
		out[i], _ = strconv.Atoi(digits)
	}
	return out
}
