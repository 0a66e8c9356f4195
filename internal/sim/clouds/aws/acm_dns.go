package aws

import (
	"fmt"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const (
	cloudflareRecordToken = "cloudflare:index/record:Record"
	cloudflareZoneToken   = "cloudflare:index/zone:Zone"
)

// dnsEqual compares two domain names as DNS does.
func dnsEqual(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}

// proofMissing tells why the public DNS of the simulated world does not answer with the CNAME, or "".
func proofMissing(w *cloud.World, name, value string) string {
	found := ""
	for _, r := range w.All("", recordToken) {
		if r.Out.String("type") != "CNAME" || !dnsEqual(r.Out.String("fqdn"), name) {
			continue
		}
		zone := anywhere(w, zoneToken, r.Out.String("zoneId"))
		if zone != nil && len(zone.Out.Objects("vpcs")) > 0 {
			found = fmt.Sprintf("the record %s is in a private zone, which ACM cannot see", strings.TrimSuffix(name, "."))
			continue
		}
		for _, v := range r.Out.Strings("records") {
			if dnsEqual(v, value) {
				return ""
			}
			found = fmt.Sprintf("the record %s points to %s, ACM wants %s", strings.TrimSuffix(name, "."), v, value)
		}
	}
	for _, r := range w.All("", cloudflareRecordToken) {
		if r.Out.String("type") != "CNAME" || !dnsEqual(cloudflareName(w, r), name) {
			continue
		}
		content := r.Out.String("content")
		if content == "" {
			content = r.Out.String("value")
		}
		switch {
		case r.Out.Bool("proxied"):
			found = fmt.Sprintf("the record %s is proxied by Cloudflare, so that ACM does not see the CNAME: set proxied to false", strings.TrimSuffix(name, "."))
		case !dnsEqual(content, value):
			found = fmt.Sprintf("the record %s points to %s, ACM wants %s", strings.TrimSuffix(name, "."), content, value)
		default:
			return ""
		}
	}
	if found != "" {
		return found
	}
	return fmt.Sprintf("no CNAME %s in any zone; create it, and make the validation depend on it", strings.TrimSuffix(name, "."))
}

// cloudflareName is the full name of a Cloudflare record, which may be written relative to its zone.
func cloudflareName(w *cloud.World, r *cloud.Resource) string {
	if h := r.Out.String("hostname"); h != "" {
		return h
	}
	name := r.Out.String("name")
	for _, z := range w.All("", cloudflareZoneToken) {
		domain := z.Out.String("zone")
		if z.ID != r.Out.String("zoneId") || domain == "" {
			continue
		}
		if name == "@" {
			return domain
		}
		if !dnsEqual(name, domain) && !strings.HasSuffix(name, "."+domain) {
			return name + "." + domain
		}
	}
	return name
}
