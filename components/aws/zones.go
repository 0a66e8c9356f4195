package aws

import (
	"regexp"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/components/base"
)

// regionPattern is the form of a region of the commercial partition.
var regionPattern = regexp.MustCompile(`^(af|ap|ca|eu|il|me|mx|sa|us)-(central|east|north|northeast|northwest|south|southeast|southwest|west)-[1-9]$`)

// zonesOf returns the zones sorted, the region's first two where none are given, and records what is
// wrong with them.
func zonesOf(p *base.Problems, region string, zones []string) []string {
	if len(zones) == 0 {
		zones = []string{region + "a", region + "b"}
	}
	zones = slices.Sorted(slices.Values(zones))
	p.Require(len(zones) >= 2 && len(zones) <= 6, "Zones", len(zones), "2 to 6 zones", "")
	p.Require(len(slices.Compact(slices.Clone(zones))) == len(zones), "Zones", strings.Join(zones, " "), "each zone once", "")
	for _, z := range zones {
		letter, ok := strings.CutPrefix(z, region)
		p.Require(ok && len(letter) == 1 && letter[0] >= 'a' && letter[0] < 'a'+MaxZones, "Zones", z, "the region and a letter a to h, such as "+region+"a", "")
	}
	return zones
}

// zoneLetter is the stable part of a zone's name.
func zoneLetter(zone string) string { return zone[len(zone)-1:] }
