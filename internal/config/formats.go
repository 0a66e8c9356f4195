package config

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// format is a named kind of text. check returns what is wanted when the text is not of the kind,
// and "" when it is.
type format struct {
	name  string   // "is not …"
	want  string   // what is allowed
	words []string // the valid texts, where they can be listed, for suggestions
	valid func(string) bool
}

func (f format) check(s string) string {
	if f.valid(s) {
		return ""
	}
	return f.want
}

func pattern(name, want, expr string) format {
	re := regexp.MustCompile(`^(?:` + expr + `)$`)
	return format{name: name, want: want, valid: re.MatchString}
}

func oneOf(name, want string, words []string) format {
	return format{name: name, want: want, words: words, valid: func(s string) bool { return slices.Contains(words, s) }}
}

const (
	label  = `[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?`
	clock  = `(?:[01][0-9]|2[0-3]):[0-5][0-9]`
	day    = `(?:mon|tue|wed|thu|fri|sat|sun)`
	imgRef = `[a-z0-9][a-z0-9.-]*(?::[0-9]+)?(?:/[a-z0-9][a-z0-9._-]*)*`
)

var formats = map[string]format{
	"policy-rule":  pattern("a policy's id", "the id of one rule, as in docs/policies.md", `[a-z][a-z0-9]*(?:-[a-z0-9]+)+`),
	"pattern":      pattern("a resource's name", "a name without spaces, in which * stands for any text", `\S{1,500}`),
	"reason":       {name: "a reason", want: "three words or more", valid: func(s string) bool { return len(strings.Fields(s)) >= 3 }},
	"day":          {name: "a day", want: "a day such as 2027-01-31, in quotes", valid: func(s string) bool { _, err := time.Parse(time.DateOnly, s); return err == nil }},
	"stamp":        {name: "a copy's stamp", want: "the time at which the copy was begun, in UTC, such as 20270131T031500Z", valid: func(s string) bool { _, err := time.Parse("20060102T150405Z", s); return err == nil }},
	"hostname":     {name: "a host name", want: "lower-case labels with dots, such as git.morphee.app", valid: isHostname},
	"email":        {name: "a mail address", want: "a mail address, such as ops@morphee.app", valid: isEmail},
	"https-url":    {name: "an https URL", want: "a URL that starts with https://", valid: isHTTPS},
	"path":         pattern("a URL path", "a path that starts with /", `/[A-Za-z0-9._~/-]*`),
	"name":         pattern("a name", "letters, digits, dots, hyphens and underscores, at most 63", `[A-Za-z0-9][A-Za-z0-9._-]{0,62}`),
	"tag-value":    pattern("a tag's value", "1 to 63 letters, digits, dots, hyphens and underscores (what every cloud takes)", `[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?`),
	"env-name":     pattern("the name of a variable", "capital letters, digits and underscores, such as LOG_LEVEL", `[A-Z][A-Z0-9_]{0,127}`),
	"unix-user":    pattern("a user name", "lower-case letters, digits, hyphens and underscores, at most 32, and not root", `[a-z_][a-z0-9_-]{0,31}`).except("root"),
	"forgejo-user": pattern("a user name that Forgejo takes", "3 to 40 lower-case letters, digits and hyphens, a letter first; admin and user are reserved", `[a-z][a-z0-9-]{1,38}[a-z0-9]`).except("admin", "user", "api", "assets", "org", "explore"),
	"postgres-name": pattern("a PostgreSQL name", "lower-case letters, digits and underscores, at most 63, and none of PostgreSQL's own", `[a-z_][a-z0-9_]{0,62}`).
		except("postgres", "template0", "template1", "rdsadmin", "user", "table"),
	"postgres-database": pattern("a PostgreSQL database", "lower-case letters, digits, underscores and hyphens, at most 63", `[a-z_][a-z0-9_-]{0,62}`),
	"postgres-login":    pattern("a PostgreSQL role", "lower-case letters, digits and underscores; on Supabase's pooler a dot and the project's reference follow", `[a-z_][a-z0-9_]{0,62}(?:\.[a-z0-9]{1,40})?`),
	"pem-certificate":   {name: "a certificate", want: "one or more certificates in PEM, and no key", valid: isCertificate},
	"hex32":             pattern("a Cloudflare id", "32 hexadecimal digits", `[0-9a-f]{32}`),
	"aws-account":       pattern("an AWS account id", "12 digits, in quotes", `[0-9]{12}`),
	"aws-region":        oneOf("an AWS region", strings.Join(names(regionZones), ", "), names(regionZones)),
	"aws-zone":          pattern("an availability zone", "a region and a letter, such as eu-west-1a", `[a-z]{2}-[a-z]+-[0-9][a-f]`),
	"file-system":       pattern("a file system's id", "fs- and hexadecimal digits, such as fs-0123456789abcdef0", `fs-[0-9a-f]{8,40}`),
	"sns-arn":           pattern("an SNS topic's ARN", "arn:aws:sns:REGION:ACCOUNT:TOPIC", `arn:aws:sns:[a-z]{2}-[a-z]+-[0-9]:[0-9]{12}:[A-Za-z0-9_-]{1,256}`),
	"snapshot":          pattern("a snapshot", "a snapshot's name or ARN", `(?:arn:aws:rds:[a-z0-9-]+:[0-9]{12}:(?:cluster-)?snapshot:)?(?:rds:)?[A-Za-z][A-Za-z0-9-]{0,254}`),
	"db-class":          pattern("a database instance class", "a Graviton class, such as db.t4g.micro, db.t4g.small, db.t4g.medium or db.r7g.large", `db\.(?:t4g|m6g|m7g|m8g|r6g|r7g|r8g)\.(?:micro|small|medium|large|xlarge|2xlarge|4xlarge|8xlarge|12xlarge|16xlarge)`).like("db.t4g.micro", "db.t4g.small", "db.t4g.medium", "db.t4g.large"),
	"cache-type":        pattern("a cache node type", "a Graviton type, such as cache.t4g.micro or cache.t4g.small", `cache\.(?:t4g|m6g|m7g|r6g|r7g)\.(?:micro|small|medium|large|xlarge|2xlarge|4xlarge|8xlarge|12xlarge|16xlarge)`).like("cache.t4g.micro", "cache.t4g.small", "cache.t4g.medium"),
	"postgres15":        pattern("a version of PostgreSQL 15", "15, or 15.4 and newer, in quotes", `15(?:\.(?:[4-9]|[1-9][0-9]))?`),
	"log-retention":     oneOf("a retention that CloudWatch Logs knows", strings.Join(logRetention, ", "), logRetention),
	"bucket":            pattern("a bucket name", "3 to 63 lower-case letters, digits and hyphens", `[a-z0-9][a-z0-9-]{1,61}[a-z0-9]`),
	"github-repo":       pattern("a GitHub repository", "owner/name", `[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}`),
	"version":           pattern("a version", "a full version, such as 28.5.2", `[0-9]+\.[0-9]+\.[0-9]+(?:-[a-z0-9.]+)?`),
	"timezone":          pattern("a time zone", "a name of the time zone database, such as Etc/UTC or Europe/Paris", `(?:UTC|[A-Z][A-Za-z]+/[A-Za-z0-9_+/-]+)`),
	"time":              pattern("a time of day", "HH:MM, in quotes", clock),
	"window":            {name: "a daily window", want: "hh:mm-hh:mm in UTC, 30 minutes to 24 hours", valid: isWindow},
	"weekly-window":     pattern("a weekly window", "ddd:hh:mm-ddd:hh:mm in UTC, such as sun:04:30-sun:05:30", day+`:`+clock+`-`+day+`:`+clock),
	"schedule":          {name: "a schedule", want: "a time of day such as 03:15, or the same as cron fields, 15 3 * * *: once every day", valid: func(s string) bool { _, err := ParseSchedule(s); return err == nil }},
	"server-type":       oneOf("a Hetzner server type", strings.Join(forSale(), ", ")+"; for a server that has it already also "+strings.Join(OutOfSale, ", ")+", which are out of sale", names(ServerTypes)).like(forSale()...),
	"location":          oneOf("a Hetzner location", strings.Join(names(Locations), ", "), names(Locations)),
	"image":             {name: "a pinned image", want: "name:version, or name:version@sha256:…, never latest", valid: isPinnedImage},
	"ssh-public-key":    {name: "an SSH public key", want: "a line of an authorized_keys file: ssh-ed25519, ecdsa-sha2-… or ssh-rsa, the key, a comment", valid: isSSHKey},
	"cidr":              {name: "an address range", want: "an address and a prefix length with no bits beyond it, such as 198.51.100.7/32", valid: func(s string) bool { _, ok := cidr(s); return ok }},
	"cidr4":             {name: "an IPv4 address range", want: "an IPv4 address and a prefix length with no bits beyond it, such as 198.51.100.7/32", valid: func(s string) bool { p, ok := cidr(s); return ok && p.Addr().Is4() }},
	"network-cidr":      {name: "a private address range", want: "a range within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16, /8 to /24", valid: func(s string) bool { return isPrivate(s, 8, 24) }},
	"subnet-cidr":       {name: "a private address range", want: "a range within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16, /8 to /28", valid: func(s string) bool { return isPrivate(s, 8, 28) }},
}

func (f format) except(words ...string) format {
	valid := f.valid
	f.valid = func(s string) bool { return valid(s) && !slices.Contains(words, strings.ToLower(s)) }
	return f
}

func (f format) like(words ...string) format {
	f.words = words
	return f
}

var hostnameRE = regexp.MustCompile(`^` + label + `(?:\.` + label + `)+$`)

func isHostname(s string) bool { return len(s) <= 253 && hostnameRE.MatchString(s) }

func isEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s {
		return false
	}
	_, host, _ := strings.Cut(s[strings.LastIndex(s, "@"):], "@")
	return isHostname(strings.ToLower(host))
}

func isHTTPS(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Hostname() != ""
}

func isWindow(s string) bool {
	from, to, ok := strings.Cut(s, "-")
	a, okA := minutes(from)
	b, okB := minutes(to)
	return ok && okA && okB && (b-a+24*60)%(24*60) >= 30
}

// minutes is a time of day as minutes since midnight.
func minutes(s string) (int, bool) {
	h, m, ok := strings.Cut(s, ":")
	if !ok || len(h) != 2 || len(m) != 2 {
		return 0, false
	}
	hours, err1 := strconv.Atoi(h)
	mins, err2 := strconv.Atoi(m)
	return hours*60 + mins, err1 == nil && err2 == nil && hours >= 0 && hours < 24 && mins >= 0 && mins < 60
}

var imageRE = regexp.MustCompile(`^` + imgRef + `:([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})(?:@sha256:[0-9a-f]{64})?$`)

// isPinnedImage wants a tag with a version in it: latest, stable or main move.
func isPinnedImage(s string) bool {
	m := imageRE.FindStringSubmatch(s)
	return m != nil && strings.ContainsAny(m[1], "0123456789") && !strings.HasPrefix(m[1], "latest")
}

// ImageTag is the tag of an image reference.
func ImageTag(image string) string {
	image, _, _ = strings.Cut(image, "@")
	return image[strings.LastIndex(image, ":")+1:]
}

// isSSHKey checks that the middle of the line is a key of the kind that it says.
func isSSHKey(s string) bool {
	parts := strings.Fields(s)
	if len(parts) < 2 || strings.ContainsAny(s, "\r\n") {
		return false
	}
	kinds := []string{"ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
		"sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"}
	blob, err := base64.StdEncoding.DecodeString(parts[1])
	if err != nil || len(blob) < 4 || !slices.Contains(kinds, parts[0]) {
		return false
	}
	n := binary.BigEndian.Uint32(blob)
	return int64(n) < int64(len(blob)-4) && string(blob[4:4+n]) == parts[0]
}

// isCertificate takes PEM with certificates in it and nothing else: a key would be a mistake that
// must not go on to a container's plain settings.
func isCertificate(s string) bool {
	rest, n := []byte(s), 0
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return n > 0 && strings.TrimSpace(string(rest)) == ""
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil || block.Type != "CERTIFICATE" {
			return false
		}
		n++
	}
}

// cidr parses a range whose address has no bits beyond the prefix.
func cidr(s string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(s)
	return p, err == nil && p == p.Masked()
}

func isPrivate(s string, shortest, longest int) bool {
	p, ok := cidr(s)
	return ok && p.Addr().Is4() && p.Addr().IsPrivate() && p.Bits() >= shortest && p.Bits() <= longest
}

func overlap(a, b string) bool {
	x, okX := cidr(a)
	y, okY := cidr(b)
	return okX && okY && x.Overlaps(y)
}

func inside(inner, outer string) bool {
	x, okX := cidr(inner)
	y, okY := cidr(outer)
	return okX && okY && y.Bits() <= x.Bits() && y.Contains(x.Addr())
}
