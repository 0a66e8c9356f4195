// Package leaving says which resources a stack's configuration gives up: those of a region that is
// retiring or retired (morphee:aws.regions[].state), and those of the server that the move to AWS has
// confirmed (morphee:migration.retire). They need no protection any more, and once they are
// retired they may be deleted.
package leaving

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/config"
)

// Set is what a stack gives up. The zero Set is nothing.
type Set struct {
	stems []stem
}

// stem is a logical name that stands for itself and for every name that goes on with a dash.
type stem struct {
	name   string
	state  string // "" stays
	reason string
}

// shared are names that begin like the server's things, and belong to both platforms.
var shared = []string{"forgejo-credentials"}

// New reads what a stack gives up from its configuration, values by full key ("morphee:aws"), objects as
// JSON. What cannot be read gives nothing up.
func New(values map[string]string) Set {
	var s Set
	var aws struct {
		Regions []struct{ Name, State string }
	}
	if json.Unmarshal([]byte(values["morphee:aws"]), &aws) == nil {
		for _, r := range aws.Regions {
			s.add(Prefix(r.Name), r.State, fmt.Sprintf("%s: morphee:aws.regions, %s", r.State, r.Name))
		}
	}
	var migration struct {
		Retire struct {
			State   string
			Confirm []string
		}
	}
	if json.Unmarshal([]byte(values["morphee:migration"]), &migration) == nil {
		for _, name := range migration.Retire.Confirm {
			s.add(name, migration.Retire.State, migration.Retire.State+": morphee:migration.retire.confirm")
		}
	}
	for _, name := range shared {
		s.stems = append(s.stems, stem{name: name})
	}
	return s
}

func (s *Set) add(name, state, reason string) {
	if name != "" && (state == config.StateRetiring || state == config.StateRetired) {
		s.stems = append(s.stems, stem{name, state, reason})
	}
}

// of is the longest name that covers a resource's: database-archive is not part of database.
func (s Set) of(name string) stem {
	var best stem
	for _, one := range s.stems {
		if len(one.name) > len(best.name) && (name == one.name || strings.HasPrefix(name, one.name+"-")) {
			best = one
		}
	}
	return best
}

// Retiring says whether the resource of that logical name needs no protection any more.
func (s Set) Retiring(name string) bool { return s.of(name).state != "" }

// Retired says whether the resource of that logical name may be deleted.
func (s Set) Retired(name string) bool { return s.of(name).state == config.StateRetired }

// Reason is where the configuration gives the resource of that logical name up, such as
// "retired: morphee:migration.retire.confirm"; "" where it does not.
func (s Set) Reason(name string) string { return s.of(name).reason }

// Prefix is what the names of everything in a further region of AWS begin with, before a dash: aws-usw2
// for us-west-2. AWS shortens the names of regions so in the ids of its zones; names of load balancers
// have little room. It is "" for what is no region's name.
func Prefix(region string) string {
	parts := strings.Split(region, "-")
	if len(parts) != 3 || shorter[parts[1]] == "" {
		return ""
	}
	return "aws-" + parts[0] + shorter[parts[1]] + parts[2]
}

var shorter = map[string]string{
	"central": "c", "east": "e", "north": "n", "northeast": "ne", "northwest": "nw", "south": "s", "southeast": "se", "southwest": "sw", "west": "w",
}
