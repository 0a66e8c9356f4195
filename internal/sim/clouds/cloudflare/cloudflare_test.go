package cloudflare_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds/cloudflare"
	"github.com/morphee-app/morphee-infra/internal/sim/provider"
	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

type props = simtest.Props

const (
	apiToken = "cloudflare:index/apiToken:ApiToken"
	bucket   = "cloudflare:index/r2Bucket:R2Bucket"
	record   = "cloudflare:index/record:Record"
	zone     = "cloudflare:index/zone:Zone"

	account  = "0123456789abcdef0123456789abcdef"
	zoneID   = "fedcba9876543210fedcba9876543210"
	itemRead = "6a018a9f2fc74eb6b293b0c548f38b39"
)

// start is an account with two zones.
func start(t *testing.T) *simtest.Sim {
	t.Helper()
	return simtest.New(t, cloudflare.Package(cloudflare.Zone{ID: zoneID, Name: "older.org"}, cloudflare.Zone{ID: account, Name: "older.net"}))
}

func with(base, more props) props { return simtest.Merge(base, more) }

func a(more props) props {
	return with(props{"zoneId": zoneID, "name": "www", "type": "A", "content": "198.51.100.1"}, more)
}

func cname(content string) props { return props{"type": "CNAME", "content": content} }

func policies(more props) props {
	return props{"name": "t", "policies": []any{with(props{"permissionGroups": []string{itemRead}, "resources": props{"com.cloudflare.api.account." + account: "*"}}, more)}}
}

// Every line is refused as it is and accepted with the correction in good.
func TestRefusals(t *testing.T) {
	tests := []struct {
		rule, token string
		bad, good   props
		want        string
	}{
		{"zone id", record, a(props{"zoneId": "morphee.app"}), props{"zoneId": zoneID}, "(7003)"},
		{"zone of the account", record, a(props{"zoneId": strings.Repeat("a", 32)}), props{"zoneId": zoneID}, "(1001)"},
		{"record type", record, a(props{"type": "ALIAS"}), props{"type": "A"}, "expected one of A, AAAA"},
		{"A content", record, a(props{"content": "2001:db8::1"}), props{"content": "198.51.100.7"}, "must be a valid IPv4 address"},
		{"AAAA content", record, a(props{"type": "AAAA"}), props{"content": "2001:db8::1"}, "must be a valid IPv6 address"},
		{"CNAME content", record, a(cname("198.51.100.1")), props{"content": "target.example.org"}, "must be a hostname"},
		{"CNAME to itself", record, a(cname("WWW.older.org.")), props{"content": "web"}, "cannot reference itself"},
		{"TXT content", record, a(props{"type": "TXT", "content": strings.Repeat("x", 2049)}), props{"content": "v=spf1 -all"}, "1 to 2048 characters"},
		{"MX priority", record, a(props{"type": "MX", "content": "mx.example.org"}), props{"priority": 10}, "priority is a required field"},
		{"structured types", record, a(props{"type": "SRV"}), props{"content": nil, "data": props{"service": "_x", "proto": "_tcp", "name": "www", "priority": 1, "weight": 1, "port": 1, "target": "a.b"}}, "need data"},
		{"least TTL", record, a(props{"ttl": 59}), props{"ttl": 60}, "Invalid TTL"},
		{"most TTL", record, a(props{"ttl": 86401}), props{"ttl": 1}, "Invalid TTL"},
		{"TTL of a proxied record", record, a(props{"proxied": true, "ttl": 300}), props{"ttl": 1}, "must be set to 1"},
		{"proxied types", record, a(props{"type": "TXT", "content": "x", "proxied": true}), props{"proxied": false}, "cannot be proxied"},
		{"proxied targets", record, a(props{"proxied": true, "content": "10.0.0.1"}), props{"content": "198.51.100.2"}, "not allowed for a proxied record"},
		{"comment length", record, a(props{"comment": strings.Repeat("x", 501)}), props{"comment": "x"}, "at most 500"},
		{"identical record", record, a(props{"name": "taken"}), props{"content": "198.51.100.2"}, "81058"},
		{"identical record, overwritten", record, a(props{"name": "taken"}), props{"allowOverwrite": true}, "81058"},
		{"identical record in another zone", record, a(props{"name": "taken"}), props{"zoneId": account}, "81058"},
		{"CNAME beside an address", record, a(with(cname("a.example.org"), props{"name": "taken"})), props{"name": "free"}, "81053"},
		{"address beside a CNAME", record, a(props{"name": "alias"}), props{"name": "free"}, "81053"},
		{"address in a delegated name", record, a(props{"name": "aws"}), props{"name": "www.aws"}, "81055"},

		{"account id", bucket, props{"accountId": "me", "name": "backups"}, props{"accountId": account}, "(7003)"},
		{"bucket name alphabet", bucket, props{"accountId": account, "name": "Backups"}, props{"name": "backups"}, "bucket name is not valid"},
		{"bucket name least length", bucket, props{"accountId": account, "name": "ab"}, props{"name": "abc"}, "bucket name is not valid"},
		{"bucket name most length", bucket, props{"accountId": account, "name": strings.Repeat("x", 64)}, props{"name": strings.Repeat("x", 63)}, "bucket name is not valid"},
		{"bucket name unique", bucket, props{"accountId": account, "name": "first"}, props{"name": "second"}, "already exists, and you own it"},
		{"bucket location", bucket, props{"accountId": account, "name": "b-1", "location": "EU"}, props{"location": "weur"}, "expected one of WNAM"},

		{"policy effect", apiToken, policies(props{"effect": "maybe"}), policies(props{"effect": "deny"}), "expected allow or deny"},
		{"policy groups", apiToken, policies(props{"permissionGroups": []string{}}), policies(nil), "at least one is required"},
		{"policy group id", apiToken, policies(props{"permissionGroups": []string{"R2 Read"}}), policies(nil), "is not an id of 32"},
		{"policy resources", apiToken, policies(props{"resources": props{}}), policies(nil), "at least one is required"},
		{"policy resource name", apiToken, policies(props{"resources": props{"my-bucket": "*"}}), policies(props{"resources": props{"com.cloudflare.edge.r2.bucket." + account + "_default_backups": "*"}}), "Invalid resource name"},
		{"policy resource value", apiToken, policies(props{"resources": props{"com.cloudflare.api.account." + account: ""}}), policies(nil), "needs a value"},
		{"token name", apiToken, with(policies(nil), props{"name": strings.Repeat("x", 121)}), props{"name": "x"}, "1 to 120"},
		{"token times", apiToken, with(policies(nil), props{"expiresOn": "tomorrow"}), props{"expiresOn": "2030-01-01T00:00:00Z"}, "is not a time"},
		{"token sources", apiToken, with(policies(nil), props{"condition": props{"requestIp": props{"ins": []string{"home"}}}}), props{"condition": props{"requestIp": props{"ins": []string{"192.0.2.0/24", "192.0.2.1"}}}}, "neither an address nor a CIDR range"},

		{"zone account", zone, props{"accountId": "me", "zone": "example.org"}, props{"accountId": account}, "(7003)"},
		{"zone name", zone, props{"accountId": account, "zone": "example"}, props{"zone": "example.org"}, "is not a registered domain"},
		{"zone type", zone, props{"accountId": account, "zone": "example.org", "type": "half"}, props{"type": "full"}, "expected one of full"},
		{"zone unique", zone, props{"accountId": account, "zone": "first.org"}, props{"zone": "second.org"}, "already exists"},
		{"zone older than the stack", zone, props{"accountId": account, "zone": "older.org"}, props{"zone": "second.org"}, "already exists"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			s := start(t)
			s.Must(record, "taken", a(props{"name": "taken"}))
			s.Must(record, "alias", a(with(cname("b.example.org"), props{"name": "alias"})))
			s.Must(record, "ns", a(props{"name": "aws", "type": "NS", "content": "ns.example.org"}))
			s.Must(bucket, "first", props{"accountId": account, "name": "first"})
			s.Must(zone, "first", props{"accountId": account, "zone": "first.org"})
			s.Refuses(test.token, "x", test.bad, test.want)
			s.Must(test.token, "x", with(test.bad, test.good))
		})
	}
}

func TestHostNames(t *testing.T) {
	s := start(t)
	out, err := s.Invoke("cloudflare:index/getZone:getZone", props{"name": "morphee.app", "accountId": account})
	if err != nil || !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(out.String("zoneId")) {
		t.Fatalf("lookup: %v %v", out, err)
	}
	in := func(more props) props { return a(with(props{"zoneId": out["zoneId"]}, more)) }
	for name, want := range map[string]string{"@": "morphee.app", "api": "api.morphee.app", "git.morphee.app": "git.morphee.app", "*.dev": "*.dev.morphee.app"} {
		r := s.Must(record, name, in(props{"name": name}))
		if r.Out["hostname"] != want || r.Out.Int("ttl") != 1 || r.Out["proxiable"] != true || r.Out["value"] != r.Out["content"] {
			t.Errorf("%s becomes %v, want %s", name, r.Out, want)
		}
	}
	// The short and the full form are one name.
	s.Refuses(record, "twice", in(props{"name": "api.morphee.app"}), "81058")
	z := s.Must(zone, "z", props{"accountId": account, "zone": "made.org"})
	if r := s.Must(record, "made", a(props{"zoneId": z.ID})); r.Out["hostname"] != "www.made.org" {
		t.Errorf("in a zone resource: %v", r.Out["hostname"])
	}
	if again, err := s.Invoke("cloudflare:index/getZone:getZone", props{"name": "made.org"}); err != nil || again["zoneId"] != z.ID || len(z.Out.List("nameServers")) != 2 {
		t.Errorf("looking up a zone resource: %v %v", again, err)
	}
	if _, err := s.Invoke("cloudflare:index/getZone:getZone", props{"name": "no zone"}); err == nil || !strings.Contains(err.Error(), "is not a domain name") {
		t.Errorf("nonsense is looked up: %v", err)
	}
	if _, err := s.Invoke("cloudflare:index/getZone:getZone", props{"zoneId": "x"}); err == nil || !strings.Contains(err.Error(), "7003") {
		t.Errorf("a wrong id is looked up: %v", err)
	}
	if _, err := s.Invoke("cloudflare:index/getZone:getZone", props{}); err == nil {
		t.Error("nothing is looked up")
	}
}

// A zone that the program brings by its id has a name, as one that it looks up.
func TestZoneKnownByID(t *testing.T) {
	s := start(t)
	for name, want := range map[string]string{"@": "older.org", "api": "api.older.org", "git.older.org": "git.older.org"} {
		if r := s.Must(record, name, a(props{"name": name})); r.Out["hostname"] != want {
			t.Errorf("%s becomes %v, want %s", name, r.Out["hostname"], want)
		}
	}
	for _, by := range []props{{"zoneId": zoneID}, {"name": "Older.org"}} {
		if z, err := s.Invoke("cloudflare:index/getZone:getZone", by); err != nil || z["zoneId"] != zoneID || z["name"] != "older.org" || z["status"] != "active" {
			t.Errorf("looking it up by %v: %v %v", by, z, err)
		}
	}
	if _, err := s.Invoke("cloudflare:index/getZone:getZone", props{"zoneId": strings.Repeat("a", 32)}); err == nil || !strings.Contains(err.Error(), "1001") {
		t.Errorf("a zone of somebody else's is looked up: %v", err)
	}
	// The world keeps a zone as it was first made known.
	if _, err := provider.New(s.World, cloudflare.Package(cloudflare.Zone{ID: zoneID, Name: "other.org"})); err != nil {
		t.Fatal(err)
	}
	if r := s.Must(record, "later", a(props{"name": "later"})); r.Out["hostname"] != "later.older.org" {
		t.Errorf("the zone was renamed: %v", r.Out["hostname"])
	}
}

func TestRecordUpdate(t *testing.T) {
	s := start(t)
	s.Must(record, "one", a(nil))
	r := s.Must(record, "two", a(props{"content": "198.51.100.2"}))
	if _, err := s.Update(r, a(nil)); err == nil || !strings.Contains(err.Error(), "81058") {
		t.Errorf("an update to an identical record: %v", err)
	}
	if r, err := s.Update(r, a(props{"content": "198.51.100.3", "ttl": 300})); err != nil || r.Out["value"] != "198.51.100.3" {
		t.Errorf("an update: %v", err)
	}
	if d := s.Diff(r, a(props{"name": "WWW.", "content": "198.51.100.2"})); len(d.ReplaceKeys) > 0 {
		t.Errorf("another spelling of the name replaces %v", d.ReplaceKeys)
	}
}

func TestBucketsMustBeEmpty(t *testing.T) {
	s := start(t)
	p := props{"accountId": account, "name": "backups", "location": "WEUR"}
	r := s.Must(bucket, "b", p)
	if d := s.Diff(r, with(p, props{"location": "weur"})); len(d.ChangedKeys) > 0 {
		t.Errorf("letter case changes %v", d.ChangedKeys)
	}
	full := *r
	full.Out = r.Out.Clone()
	full.Out["simObjects"] = 3.0
	s.World.Put(&full)
	if err := s.Delete(r); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("a bucket with objects is deleted: %v", err)
	}
	s.World.Put(r)
	object := &cloud.Resource{Type: "aws:s3/bucketObjectv2:BucketObjectv2", ID: "o", Scope: "r2:" + account, Out: cloud.Object{"bucket": "backups"}}
	s.World.Put(object)
	if err := s.Delete(r); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("a bucket with an object is deleted: %v", err)
	}
	s.World.Remove(object.Scope, object.Type, object.ID)
	if err := s.Delete(r); err != nil {
		t.Errorf("an empty bucket is not deleted: %v", err)
	}
}

func TestTokens(t *testing.T) {
	s := start(t)
	r := s.Must(apiToken, "t", policies(nil))
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{40}$`).MatchString(r.Out.String("value")) || !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(r.ID) || r.Out["status"] != "active" {
		t.Errorf("token %s has other forms than Cloudflare's", r.ID)
	}
	if !strings.Contains(strings.Join(r.Secret, ","), "value") {
		t.Errorf("secret are %v", r.Secret)
	}
	value := r.Out["value"]
	if r, err := s.Update(r, with(policies(nil), props{"name": "other"})); err != nil || r.Out["value"] != value {
		t.Errorf("an update changes the value: %v", err)
	}
	groups, err := s.Invoke("cloudflare:index/getApiTokenPermissionGroups:getApiTokenPermissionGroups", props{})
	if err != nil || groups.Object("r2")["Workers R2 Storage Bucket Item Read"] != itemRead || groups.Object("zone")["DNS Write"] != "4755a26eedb94da69e1066d98aa820be" ||
		groups.Object("permissions")["Workers R2 Storage Write"] != groups.Object("account")["Workers R2 Storage Write"] {
		t.Errorf("permission groups: %v %v", groups, err)
	}
	if ranges, err := s.Invoke("cloudflare:index/getIpRanges:getIpRanges", props{}); err != nil || len(ranges.List("cidrBlocks")) != 22 {
		t.Errorf("ranges: %v %v", ranges, err)
	}
}
