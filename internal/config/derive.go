package config

import "slices"

// derive fills what is absent from other values. What it does is said in the derived tags.
func derive(c *Config, d *decoder) {
	text := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	text(&c.Hosts.App, "app."+c.Domain)
	text(&c.Hosts.API, "api."+c.Domain)
	text(&c.Hosts.Git, "git."+c.Domain)
	text(&c.Hosts.Auth, "auth."+c.Domain)
	text(&c.Hosts.Server, "vps."+c.Domain)
	text(&c.Hosts.GitServer, "git-vps."+c.Domain)
	text(&c.DNS.Zone, c.Domain)
	text(&c.AWS.SubZone, "aws."+c.Domain)
	text(&c.AWS.WritePrimary, c.AWS.Region)
	text(&c.AWS.PrimaryHost, "api-primary."+c.Domain)
	if active := c.AWS.Active(); len(active) > 0 {
		text(&c.AWS.FileReplica, active[0].Name)
	}
	text(&c.Auth.SMTP.Sender, "no-reply@"+c.Domain)
	text(&c.Forgejo.AdminEmail, "forgejo@"+c.Domain)
	if !d.set["forgejo.enabled"] {
		c.Forgejo.Enabled = c.Phase >= 1
	}
	if !d.set["backups.enabled"] {
		c.Backups.Enabled = c.Phase >= 1
	}
	deriveManaged(c, d)
	if c.Moving() && !d.set["dns.ttlSeconds"] {
		c.DNS.TTLSeconds = 60
	}
	if !d.set["budget.monthlyUsd"] && c.Phase >= 0 && c.Phase <= 4 {
		c.Budget.MonthlyUSD = []int{25, 25, 120, 400, 1400}[c.Phase]
	}
	if !d.set["server.fallbackLocations"] {
		c.Server.FallbackLocations = nearby(c.Server)
	}
	if zones := ZonesOf(c.AWS.Region); !d.set["aws.zoneNames"] && c.AWS.Zones >= 0 && c.AWS.Zones <= len(zones) {
		c.AWS.ZoneNames = zones[:c.AWS.Zones]
	}
}

// nearby are the other locations in the network zone of the server's that offer its type.
func nearby(s Server) []string {
	var out []string
	for _, location := range names(Locations) {
		if location != s.Location && Locations[location] == s.NetworkZone() &&
			slices.Contains(ServerTypes[s.Type].Locations, location) {
			out = append(out, location)
		}
	}
	return out
}

// deriveManaged fills in what phase 2 has and the phases before it do not.
func deriveManaged(c *Config, d *decoder) {
	// Also of a server that is retired: what has to be confirmed depends on what it had.
	managed := c.Phase == 2 || c.Phase == 3 && c.Migration.From == 2
	if !d.set["database.provider"] {
		c.Database.Provider = "container"
		if managed {
			c.Database.Provider = "hetzner"
		}
	}
	if c.Database.External.Database == "" {
		c.Database.External.Database = "postgres"
		if c.Database.Provider == "neon" {
			c.Database.External.Database = "neondb"
		}
	}
	for path, replicas := range map[string]*int{"backend.replicas": &c.Backend.Replicas, "auth.replicas": &c.Auth.Replicas} {
		switch {
		case d.set[path]:
		case managed:
			*replicas = 2
		default:
			*replicas = 1
		}
	}
	if !d.set["redis.sentinel"] {
		c.Redis.Sentinel = managed
	}
	if c.Database.Hetzner.ArchiveBucket == "" {
		c.Database.Hetzner.ArchiveBucket = c.Backups.Bucket + "-pitr"
	}
	if c.Forgejo.Server.BackupBucket == "" {
		c.Forgejo.Server.BackupBucket = c.Backups.Bucket + "-git"
	}
}
