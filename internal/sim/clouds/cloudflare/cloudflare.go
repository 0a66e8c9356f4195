// Package cloudflare is what the simulator knows of Cloudflare beyond the schema: DNS records, R2
// buckets, API tokens and zones, with the API's own error codes.
//
// There is one simulated account, whatever the credentials. A zone that the program looks up by name
// and that no Zone resource made is taken to exist in it: public zones are older than the stacks that
// put records into them.
package cloudflare

import (
	"regexp"
	"sync"
	"time"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// The types with rules of their own.
const (
	apiTokenType = "cloudflare:index/apiToken:ApiToken"
	r2BucketType = "cloudflare:index/r2Bucket:R2Bucket"
	recordType   = "cloudflare:index/record:Record"
	zoneType     = "cloudflare:index/zone:Zone"
)

// Package is the simulated cloudflare provider.
func Package() cloud.Package {
	seen := &zones{names: map[string]string{}}
	return cloud.Package{
		Name:      "cloudflare",
		Types:     []cloud.Type{apiToken(), r2Bucket(), record(seen), zone()},
		Scope:     func(cloud.Object) string { return "account" },
		Functions: functions(seen),
		Takes:     cloud.Durations{Create: time.Second, Update: time.Second, Delete: time.Second},
	}
}

// zones remembers the names behind the ids that lookups gave out, for as long as the provider lives.
type zones struct {
	mu    sync.Mutex
	names map[string]string
}

func (z *zones) add(id, name string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.names[id] = name
}

// name is the zone's name, or "" for an id that the program brought itself.
func (z *zones) name(w *cloud.World, id string) string {
	for _, r := range w.All("", zoneType) {
		if r.ID == id {
			return r.Out.String("zone")
		}
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.names[id]
}

var hex32 = regexp.MustCompile(`^[0-9a-f]{32}$`)

// route refuses an id that is not one, as the API does.
func route(path, id string) error {
	if hex32.MatchString(id) {
		return nil
	}
	return cloud.Refuse("7003", "Could not route to /client/v4/%s/%s, perhaps your object identifier is invalid? Ids have 32 hexadecimal digits", path, id)
}
