package config

import (
	"maps"
	"slices"
	"strings"
)

// ServerType is what a Hetzner server type offers.
type ServerType struct {
	CPUs      int
	MemoryMiB int
	DiskGB    int
	Arch      string   // x86 or arm
	Locations []string // where it is offered
}

var (
	europe     = []string{"fsn1", "hel1", "nbg1"}
	everywhere = []string{"ash", "fsn1", "hel1", "hil", "nbg1", "sin"}
)

// ServerTypes are Hetzner's server types by name. Whether one is in stock at a location is not
// known beforehand: that is what server.fallbackLocations is for.
var ServerTypes = map[string]ServerType{
	"cx22": {2, 4096, 40, "x86", europe}, "cx32": {4, 8192, 80, "x86", europe},
	"cx42": {8, 16384, 160, "x86", europe}, "cx52": {16, 32768, 320, "x86", europe},
	"cx23": {2, 4096, 40, "x86", europe}, "cx33": {4, 8192, 80, "x86", europe},
	"cx43": {8, 16384, 160, "x86", europe}, "cx53": {16, 32768, 320, "x86", europe},
	"cpx11": {2, 2048, 40, "x86", everywhere}, "cpx21": {3, 4096, 80, "x86", everywhere},
	"cpx31": {4, 8192, 160, "x86", everywhere}, "cpx41": {8, 16384, 240, "x86", everywhere},
	"cpx51": {16, 32768, 360, "x86", everywhere},
	"cpx22": {2, 4096, 80, "x86", europe}, "cpx32": {4, 8192, 160, "x86", europe},
	"cpx42": {8, 16384, 320, "x86", europe}, "cpx52": {12, 24576, 480, "x86", europe},
	"cpx62": {16, 32768, 640, "x86", europe},
	"cax11": {2, 4096, 40, "arm", europe}, "cax21": {4, 8192, 80, "arm", europe},
	"cax31": {8, 16384, 160, "arm", europe}, "cax41": {16, 32768, 320, "arm", europe},
	"ccx13": {2, 8192, 80, "x86", everywhere}, "ccx23": {4, 16384, 160, "x86", everywhere},
	"ccx33": {8, 32768, 240, "x86", everywhere}, "ccx43": {16, 65536, 360, "x86", everywhere},
	"ccx53": {32, 131072, 600, "x86", everywhere}, "ccx63": {48, 196608, 960, "x86", everywhere},
}

// OutOfSale are server types that nobody can order any more. They stay among ServerTypes because servers
// of them still run.
var OutOfSale = []string{"cx22", "cx32", "cx42", "cx52"}

// forSale are the others, in order.
func forSale() []string {
	return slices.DeleteFunc(names(ServerTypes), func(name string) bool { return slices.Contains(OutOfSale, name) })
}

// Locations are Hetzner's locations and the network zone each is in.
var Locations = map[string]string{
	"fsn1": "eu-central", "nbg1": "eu-central", "hel1": "eu-central",
	"ash": "us-east", "hil": "us-west", "sin": "ap-southeast",
}

// NetworkZone is the network zone of the server's location.
func (s Server) NetworkZone() string { return Locations[s.Location] }

// regionZones are the letters of the availability zones that every account has in a region.
var regionZones = map[string]string{
	"us-east-1": "abcdef", "us-east-2": "abc", "us-west-1": "ac", "us-west-2": "abcd",
	"ca-central-1": "abd", "sa-east-1": "abc",
	"eu-west-1": "abc", "eu-west-2": "abc", "eu-west-3": "abc",
	"eu-central-1": "abc", "eu-central-2": "abc", "eu-north-1": "abc", "eu-south-1": "abc", "eu-south-2": "abc",
	"ap-northeast-1": "acd", "ap-northeast-2": "abcd", "ap-northeast-3": "abc",
	"ap-southeast-1": "abc", "ap-southeast-2": "abc", "ap-southeast-3": "abc", "ap-south-1": "abc",
	"me-central-1": "abc", "il-central-1": "abc", "af-south-1": "abc",
}

// ZonesOf returns the names of a region's availability zones.
func ZonesOf(region string) []string {
	var out []string
	for _, letter := range strings.Split(regionZones[region], "") {
		out = append(out, region+letter)
	}
	return out
}

// fargateMemory is, per size of CPU, the least and the most memory and the step between, in MiB.
// 256 units are special: 512, 1024 or 2048.
var fargateMemory = map[int][3]int{
	256: {512, 2048, 512}, 512: {1024, 4096, 1024}, 1024: {2048, 8192, 1024}, 2048: {4096, 16384, 1024},
	4096: {8192, 30720, 1024}, 8192: {16384, 61440, 4096}, 16384: {32768, 122880, 8192},
}

// fargatePair says whether Fargate offers the pair of CPU units and memory.
func fargatePair(cpu, memory int) bool {
	m, ok := fargateMemory[cpu]
	if !ok || memory < m[0] || memory > m[1] || cpu == 256 && memory == 1536 {
		return false
	}
	return (memory-m[0])%m[2] == 0
}

// logRetention are the retention times that CloudWatch Logs knows.
var logRetention = []string{"1", "3", "5", "7", "14", "30", "60", "90", "120", "150", "180", "365", "400", "545", "731", "1096", "1827", "2192", "2557", "2922", "3288", "3653"}

func names[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
