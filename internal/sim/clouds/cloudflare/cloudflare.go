// Package cloudflare is what the simulator knows of Cloudflare beyond the schema: DNS records, R2
// buckets, API tokens and zones, with the API's own error codes.
//
// There is one simulated account, whatever the credentials. A zone that the program looks up by name
// and that no Zone resource made is taken to exist in it: public zones are older than the stacks that
// put records into them. Of a zone that a program only knows by its id, Package has to be told.
package cloudflare

import (
	"regexp"
	"strings"
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

// scope is the one account.
const scope = "account"

// Zone is a zone that the account has before any stack.
type Zone struct {
	ID   string // 32 hexadecimal digits
	Name string // such as "morphee.app"
}

// existing is the zone as the world has it.
func (z Zone) existing() cloud.Resource {
	name := strings.ToLower(z.Name)
	return cloud.Resource{Type: zoneType, ID: z.ID, Scope: scope, Out: cloud.Object{"zone": name, "status": "active"}}
}

// Package is the simulated cloudflare provider, of an account that has the zones.
func Package(has ...Zone) cloud.Package {
	var existing []cloud.Resource
	for _, z := range has {
		existing = append(existing, z.existing())
	}
	seen := &zones{names: map[string]string{}}
	return cloud.Package{
		Name:      "cloudflare",
		Types:     []cloud.Type{apiToken(), r2Bucket(), record(seen), zone()},
		Scope:     func(cloud.Object) string { return scope },
		Existing:  existing,
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

// name is the zone's name. An id that the account has no zone of is refused, as the API does.
func (z *zones) name(w *cloud.World, id string) (string, error) {
	if err := route("zones", id); err != nil {
		return "", err
	}
	if r := w.Find(scope, zoneType, id); r != nil {
		return r.Out.String("zone"), nil
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if name := z.names[id]; name != "" {
		return name, nil
	}
	return "", cloud.Refuse("1001", "Invalid zone identifier: the account has no zone %s", id)
}

var hex32 = regexp.MustCompile(`^[0-9a-f]{32}$`)

// route refuses an id that is not one, as the API does.
func route(path, id string) error {
	if hex32.MatchString(id) {
		return nil
	}
	return cloud.Refuse("7003", "Could not route to /client/v4/%s/%s, perhaps your object identifier is invalid? Ids have 32 hexadecimal digits", path, id)
}
