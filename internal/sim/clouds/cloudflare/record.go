package cloudflare

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

var recordTypes = strings.Fields("A AAAA CAA CERT CNAME DNSKEY DS HTTPS LOC MX NAPTR NS OPENPGPKEY PTR SMIMEA SRV SSHFP SVCB TLSA TXT URI")

// needData are the types that are written as data, not as content.
var needData = []string{"CAA", "CERT", "DNSKEY", "DS", "HTTPS", "LOC", "NAPTR", "SMIMEA", "SRV", "SSHFP", "SVCB", "TLSA", "URI"}

func record(seen *zones) cloud.Type {
	return cloud.Type{
		Token: recordType,
		Check: func(c *cloud.CheckCall) {
			if t := c.In.String("type"); c.In.Known("type") && !slices.Contains(recordTypes, t) {
				c.Fail("type", "got %q, expected one of %s", t, strings.Join(recordTypes, ", "))
			}
			if c.In.Known("proxied") && c.In.Known("type") && c.In.Bool("proxied") && !proxiable(c.In.String("type")) {
				c.Fail("proxied", "type %s cannot be proxied, only A, AAAA and CNAME can", c.In.String("type"))
			}
			if c.In.Known("ttl") && c.In.Bool("proxied") && c.In.Int("ttl") != 1 {
				c.Fail("ttl", "must be set to 1 when proxied is true, got %d", c.In.Int("ttl"))
			}
			if n := len(c.In.String("comment")); n > 500 {
				c.Fail("comment", "%d characters, at most 500 are allowed (100 in a Free zone)", n)
			}
		},
		Create: func(c *cloud.Call) error {
			if err := settle(c, seen); err != nil {
				return err
			}
			c.ID = c.Gen.Hex("id", 32)
			c.Out["createdOn"], c.Out["modifiedOn"] = c.Gen.Time(), c.Gen.Time()
			return nil
		},
		Update: func(c *cloud.Call) error { return settle(c, seen) },
		// The API gives names back in lower case and without a dot at the end.
		Same: func(property string, old, new any) bool {
			a, b := cloud.Text(old), cloud.Text(new)
			return (property == "name" || property == "content") && strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, ".")) && a != "" && !strings.ContainsAny(a, " \"")
		},
	}
}

func proxiable(typ string) bool { return typ == "A" || typ == "AAAA" || typ == "CNAME" }

// hostnameIn is the full name of a record: the API takes full names and names relative to the zone.
func hostnameIn(zone, name string) string {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	switch {
	case name == "@" || name == zone:
		return zone
	case strings.HasSuffix(name, "."+zone):
		return name
	}
	return name + "." + zone
}

// settle checks the record and sets its outputs.
func settle(c *cloud.Call, seen *zones) error {
	zone, err := seen.name(c.World, c.In.String("zoneId"))
	if err != nil {
		return err
	}
	typ, content := c.In.String("type"), c.In.String("content")
	if content == "" {
		content = c.In.String("value")
	}
	c.Out["hostname"] = hostnameIn(zone, c.In.String("name"))
	if err := validContent(c, typ, content); err != nil {
		return err
	}
	ttl := c.In.Int("ttl")
	if !c.In.Has("ttl") {
		ttl = 1
	}
	if ttl != 1 && (ttl < 60 || ttl > 86400) {
		return cloud.Refuse("9021", "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic; got %d (30 and more only in Enterprise zones)", ttl)
	}
	if (typ == "MX" || typ == "URI") && !c.In.Has("priority") && !c.In.Has("data") {
		return cloud.Refuse("9104", "priority is a required field for %s records", typ)
	}
	c.Out["ttl"], c.Out["proxiable"], c.Out["metadata"] = float64(ttl), proxiable(typ), cloud.Object{}
	if !c.In.Has("data") {
		c.Out["content"], c.Out["value"] = content, content
	} else {
		c.Out["content"] = dataContent(c.In.Object("data"))
		c.Out["value"] = c.Out["content"]
	}
	return unique(c)
}

// dataContent is the text form of structured data.
func dataContent(d cloud.Object) string {
	var parts []string
	for _, p := range []string{"flags", "priority", "weight", "port", "tag", "target", "value", "keyTag", "algorithm", "digestType", "digest", "usage", "selector", "matchingType", "certificate", "fingerprint"} {
		if d.Has(p) {
			parts = append(parts, d.String(p))
		}
	}
	return strings.Join(parts, " ")
}

var hostname = regexp.MustCompile(`^([a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?\.)*[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?\.?$`)

func validContent(c *cloud.Call, typ, content string) error {
	a, err := netip.ParseAddr(content)
	switch typ {
	case "A":
		if err != nil || !a.Is4() {
			return cloud.Refuse("9005", "Content for A record must be a valid IPv4 address, got %q", content)
		}
	case "AAAA":
		if err != nil || !a.Is6() {
			return cloud.Refuse("9006", "Content for AAAA record must be a valid IPv6 address, got %q", content)
		}
	case "CNAME", "NS", "MX", "PTR":
		if !c.In.Has("data") && (err == nil || !hostname.MatchString(content)) {
			return cloud.Refuse("9007", "Content for %s record is invalid: must be a hostname, got %q", typ, content)
		}
		if typ == "CNAME" && strings.EqualFold(strings.TrimSuffix(content, "."), c.Out.String("hostname")) {
			return cloud.Refuse("9039", "CNAME content cannot reference itself")
		}
		return nil
	case "TXT":
		if content == "" || len(content) > 2048 {
			return cloud.Refuse("9009", "Content for TXT record must have 1 to 2048 characters, got %d", len(content))
		}
		return nil
	default:
		if slices.Contains(needData, typ) && !c.In.Has("data") && typ != "CAA" {
			return cloud.Refuse("9101", "%s records need data, not content", typ)
		}
		return nil
	}
	if c.In.Bool("proxied") && (a.IsPrivate() || a.IsLoopback() || a.IsUnspecified() || a.IsLinkLocalUnicast()) {
		return cloud.Refuse("9003", "Target %s is not allowed for a proxied record", a)
	}
	return nil
}

// unique refuses a second identical record, and a CNAME beside addresses of the same name.
func unique(c *cloud.Call) error {
	typ := c.In.String("type")
	for _, other := range c.All(recordType) {
		if other.Out.String("zoneId") != c.In.String("zoneId") || other.Out.String("hostname") != c.Out.String("hostname") {
			continue
		}
		t := other.Out.String("type")
		switch {
		case t == typ && strings.EqualFold(other.Out.String("content"), c.Out.String("content")):
			if c.In.Bool("allowOverwrite") && c.Old == nil {
				continue
			}
			return cloud.Refuse("81058", "An identical record already exists: %s %s %s", typ, c.Out.String("hostname"), c.Out.String("content"))
		case proxiable(t) && proxiable(typ) && (t == "CNAME" || typ == "CNAME"):
			return cloud.Refuse("81053", "An A, AAAA, or CNAME record with that host already exists: %s has a %s record, so that there can be no %s", c.Out.String("hostname"), t, typ)
		case (t == "NS") != (typ == "NS") && proxiable(t) != proxiable(typ) && (t == "NS" || typ == "NS"):
			return cloud.Refuse("81055", "An NS record with that host already exists beside %s: a delegated name has no records of its own", c.Out.String("hostname"))
		}
	}
	return nil
}
