package walks

import (
	"pgregory.net/rapid"

	"github.com/morphee-app/morphee-infra/internal/config"
)

// stackName is the name of every walk's stack.
const stackName = "walk"

// ladder is the kind of walk that goes on from the server to AWS.
const ladder = "ladder"

// kinds are what a walk begins with. Small stacks are walked most: a step costs what the stack has of
// resources, and the server's phases have a tenth of the last one's.
var kinds = []struct {
	name   string
	weight int
	start  func(t *rapid.T) settings
}{
	{"phase 0", 66, func(t *rapid.T) settings { return server(t, 0, "cpx31", "cpx32", "cax31", "ccx23", "cx33") }},
	{"phase 1", 13, func(t *rapid.T) settings { return server(t, 1, "cpx31", "cpx42", "cax31", "ccx33") }},
	{"coolify", 8, func(t *rapid.T) settings { return server(t, 1, "cpx41", "ccx33").with("reverseProxy", "coolify") }},
	{"phase 2", 9, phase2},
	{ladder, 1, func(t *rapid.T) settings { return server(t, 2, "cpx42").with("database", databaseOf("hetzner")) }},
	{"phase 3", 2, phase3},
	{"phase 4", 1, func(t *rapid.T) settings {
		s := phase3(t).with("aws.database", settings{"engine": "aurora"})
		return growTo4(t, s, config.Config{})
	}},
}

// start draws a walk's first configuration: a base, then some options, each kept when the whole is
// still valid.
func start(t *rapid.T) (string, settings) {
	total := 0
	for _, k := range kinds {
		total += k.weight
	}
	at := rapid.IntRange(0, total-1).Draw(t, "kind")
	for _, k := range kinds {
		if at -= k.weight; at >= 0 {
			continue
		}
		s := k.start(t)
		if _, err := s.parse(); err != nil {
			t.Fatalf("the base configuration is wrong: %v\n%s", err, s.yaml())
		}
		for range rapid.IntRange(0, 8).Draw(t, "options") {
			if next, ok := vary(t, s); ok {
				s = next
			}
		}
		return k.name, s
	}
	panic("unreachable: the weights add up")
}

// vary changes one option; ok is false when the configuration refuses the result.
func vary(t *rapid.T, s settings) (next settings, ok bool) {
	c, err := s.parse()
	if err != nil {
		t.Fatal(err)
	}
	var list []option
	for _, o := range allOptions {
		if o.when(c) {
			list = append(list, o)
		}
	}
	o := rapid.SampledFrom(list).Draw(t, "option")
	next = s.with(o.path, o.draw(t, c))
	_, err = next.parse()
	return next, err == nil
}

var allOptions = append(append(commonOptions(), serverOptions()...), awsOptions()...)

func common(phase int) settings {
	return settings{"phase": phase, "owner": "platform", "acmeEmail": "ops@morphee.app",
		"cloudflareAccountId": "0123456789abcdef0123456789abcdef", "alarms": settings{"emails": []any{"ops@morphee.app"}}}
}

// server is a stack on a server. What cannot be changed later is drawn here.
func server(t *rapid.T, phase int, types ...string) settings {
	typ := rapid.SampledFrom(types).Draw(t, "server")
	return common(phase).sets(
		"server.type", typ,
		"server.location", rapid.SampledFrom(config.ServerTypes[typ].Locations).Draw(t, "location"),
		"server.volumeSizeGiB", rapid.SampledFrom([]int{40, 60, 100}).Draw(t, "volume"),
		"server.ipv6", rapid.Bool().Draw(t, "ipv6"),
		"server.networkCidr", rapid.SampledFrom([]any{nil, "10.20.0.0/16"}).Draw(t, "network"),
		"domain", rapid.SampledFrom([]any{nil, "example.com"}).Draw(t, "domain"),
		"dns.zoneId", zone(t),
		"hosts.api", rapid.SampledFrom([]any{nil, "service.morphee.app"}).Draw(t, "api"),
		"ssh.port", rapid.SampledFrom([]any{nil, 2200}).Draw(t, "ssh"),
		"ssh.allowedSources", []any{"198.51.100.0/24"}, "ssh.authorizedKeys", []any{sshKey + "ops@morphee.app"},
	).consistent()
}

// consistent settles what does not go together.
func (s settings) consistent() settings {
	if network, _ := s["server"].(settings)["networkCidr"].(string); network != "" {
		s = s.with("server.subnetCidr", "10.20.1.0/24")
	}
	if s["domain"] != nil {
		s = s.with("hosts", nil)
	}
	return s
}

// phase2 is every way of it: the database's provider before or after its cutover, a stack that never had
// the container, Forgejo on a server of its own.
func phase2(t *rapid.T) settings {
	s := server(t, 2, "cpx42", "cpx51", "ccx43", "cax41")
	provider := rapid.SampledFrom(databases).Draw(t, "database")
	db := databaseOf(provider)
	if provider != "container" && rapid.Bool().Draw(t, "cutover") {
		db = db.with("cutover", true)
		if rapid.IntRange(0, 3).Draw(t, "keep") == 0 {
			db = db.with("keepContainer", false)
		}
	}
	s = s.with("database", db)
	if provider == "hetzner" {
		s = s.with("database.hetzner.serverType", smallAt(s))
	}
	if rapid.IntRange(0, 3).Draw(t, "git server") == 0 {
		s = s.with("forgejo.server", settings{"enabled": true, "serverType": smallAt(s), "cutover": db["cutover"] == true && rapid.Bool().Draw(t, "git cutover")})
	}
	return s
}

// smallAt is a small server type that the location has.
func smallAt(s settings) string {
	location := s["server"].(settings)["location"].(string)
	if contains(config.ServerTypes["cpx22"].Locations, location) {
		return "cpx22"
	}
	return "cpx21"
}

// phase3 is AWS in one region.
func phase3(t *rapid.T) settings {
	db := settings{"engine": rapid.SampledFrom([]string{"rds", "aurora"}).Draw(t, "engine")}
	return common(3).sets("aws.region", "eu-west-1", "aws.nat", rapid.SampledFrom([]string{"instance", "single", "per-zone"}).Draw(t, "nat"),
		"aws.zones", rapid.IntRange(2, 3).Draw(t, "zones"), "aws.database", db,
		"aws.regionIndex", rapid.SampledFrom([]any{nil, 5}).Draw(t, "index"), "dns.zoneId", zone(t))
}

// zone is the id of the zone at Cloudflare, or nothing: it is looked up then.
func zone(t *rapid.T) any {
	return rapid.SampledFrom([]any{nil, "fedcba9876543210fedcba9876543210"}).Draw(t, "zone")
}
