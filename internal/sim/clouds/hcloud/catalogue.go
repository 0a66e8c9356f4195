package hcloud

import (
	"slices"
	"strings"
)

// Hetzner's catalogue as of 2026. CX of the second generation are gone from the API. Of CPX, the second
// generation has replaced the first in Europe; the first goes on in the United States and Singapore.

type location struct {
	id                  int
	zone, datacenter    string
	city, country       string
	description         string
	ipv4                []string // the first two bytes of addresses there
	ipv6                string   // the first three groups of networks there
	latitude, longitude float64
}

var locations = map[string]location{
	"fsn1": {1, "eu-central", "fsn1-dc14", "Falkenstein", "DE", "Falkenstein DC Park 1", []string{"49.12", "78.46", "128.140", "138.201", "159.69", "188.245"}, "2a01:4f8:c012", 50.47612, 12.370071},
	"nbg1": {2, "eu-central", "nbg1-dc3", "Nuremberg", "DE", "Nuremberg DC Park 1", []string{"49.13", "78.47", "91.99", "116.203", "157.180", "162.55"}, "2a01:4f8:1c1b", 49.452102, 11.076665},
	"hel1": {3, "eu-central", "hel1-dc2", "Helsinki", "FI", "Helsinki DC Park 1", []string{"37.27", "65.21", "65.108", "65.109", "95.217", "135.181"}, "2a01:4f9:c010", 60.169855, 24.938379},
	"ash":  {4, "us-east", "ash-dc1", "Ashburn, VA", "US", "Ashburn DC Park 1", []string{"5.161", "178.156"}, "2a01:4ff:f0", 39.045821, -77.487073},
	"hil":  {5, "us-west", "hil-dc1", "Hillsboro, OR", "US", "Hillsboro DC Park 1", []string{"5.78"}, "2a01:4ff:1f0", 45.54222, -122.951924},
	"sin":  {6, "ap-southeast", "sin-dc1", "Singapore", "SG", "Singapore DC Park 1", []string{"5.223"}, "2a01:4ff:2f0", 1.283333, 103.833333},
}

// locationNames in Hetzner's own order.
var locationNames = []string{"fsn1", "nbg1", "hel1", "ash", "hil", "sin"}

var zones = []string{"ap-southeast", "eu-central", "us-east", "us-west"}

func locationOfDatacenter(name string) (string, bool) {
	for _, n := range locationNames {
		if locations[n].datacenter == name {
			return n, true
		}
	}
	return "", false
}

// size is a server type.
type size struct {
	id, cores, memoryGB, diskGB int
	architecture                string
	cpu                         string   // shared or dedicated
	locations                   []string // where it is sold
}

var europe = locationNames[:3]

// sizes are the server types. One without locations is out of sale: a server that has it goes on, but none
// is created with it or changed to it. The first CPX generation counts as orderable everywhere, with a warning
// where it is withdrawn: the platform's server is one, in Europe, and stays what it is.
var sizes = map[string]size{
	"cx23": {114, 2, 4, 40, "x86", "shared", europe}, "cx33": {115, 4, 8, 80, "x86", "shared", europe},
	"cx43": {116, 8, 16, 160, "x86", "shared", europe}, "cx53": {117, 16, 32, 320, "x86", "shared", europe},
	"cx22": {104, 2, 4, 40, "x86", "shared", nil}, "cx32": {105, 4, 8, 80, "x86", "shared", nil},
	"cx42": {106, 8, 16, 160, "x86", "shared", nil}, "cx52": {107, 16, 32, 320, "x86", "shared", nil},
	"cax11": {45, 2, 4, 40, "arm", "shared", europe}, "cax21": {93, 4, 8, 80, "arm", "shared", europe},
	"cax31": {94, 8, 16, 160, "arm", "shared", europe}, "cax41": {95, 16, 32, 320, "arm", "shared", europe},
	"cpx11": {22, 2, 2, 40, "x86", "shared", locationNames}, "cpx21": {23, 3, 4, 80, "x86", "shared", locationNames},
	"cpx31": {24, 4, 8, 160, "x86", "shared", locationNames}, "cpx41": {25, 8, 16, 240, "x86", "shared", locationNames},
	"cpx51": {26, 16, 32, 360, "x86", "shared", locationNames},
	"cpx12": {118, 1, 2, 40, "x86", "shared", europe}, "cpx22": {119, 2, 4, 80, "x86", "shared", europe},
	"cpx32": {120, 4, 8, 160, "x86", "shared", europe}, "cpx42": {121, 8, 16, 320, "x86", "shared", europe},
	"cpx52": {122, 12, 24, 480, "x86", "shared", europe}, "cpx62": {123, 16, 32, 640, "x86", "shared", europe},
	"ccx13": {96, 2, 8, 80, "x86", "dedicated", locationNames}, "ccx23": {97, 4, 16, 160, "x86", "dedicated", locationNames},
	"ccx33": {98, 8, 32, 240, "x86", "dedicated", locationNames}, "ccx43": {99, 16, 64, 360, "x86", "dedicated", locationNames},
	"ccx53": {100, 32, 128, 600, "x86", "dedicated", locationNames}, "ccx63": {101, 48, 192, 960, "x86", "dedicated", locationNames},
}

// withdrawn tells whether the type takes no new orders at the location, though servers of it go on.
func withdrawn(name, at string) bool {
	return slices.Contains([]string{"cpx11", "cpx21", "cpx31", "cpx41", "cpx51"}, name) && slices.Contains(europe, at)
}

// sold names the types that take new orders at the location, in order.
func sold(at string) []string {
	var out []string
	for name, s := range sizes {
		if slices.Contains(s.locations, at) && !withdrawn(name, at) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// alternatives names the types of the location with the same cores and architecture.
func alternatives(want size, at string) string {
	return strings.Join(slices.DeleteFunc(sold(at), func(name string) bool {
		return sizes[name].cores != want.cores || sizes[name].architecture != want.architecture
	}), ", ")
}

// notSold says why a type cannot be ordered anywhere, and what can be; "" for one that can. Where the
// location is not known or does not exist, it is the first of Hetzner's.
func notSold(name, at string) string {
	s, known := sizes[name]
	if len(s.locations) > 0 {
		return ""
	}
	if _, ok := locations[at]; !ok {
		at = locationNames[0]
	}
	why := "Hetzner has no server type " + name
	if known {
		why = "Hetzner no longer sells server type " + name + ": a server that has it keeps it, but none can be created with it or changed to it"
	}
	return why + "; " + at + " has " + strings.Join(sold(at), ", ")
}

// images are the system images and apps; true marks a deprecated one. All exist for both architectures
// but those in onlyX86.
var images = map[string]bool{
	"ubuntu-22.04": false, "ubuntu-24.04": false, "ubuntu-26.04": false, "debian-11": true, "debian-12": false, "debian-13": false,
	"fedora-42": false, "fedora-43": false, "rocky-8": false, "rocky-9": false, "rocky-10": false,
	"alma-8": false, "alma-9": false, "alma-10": false, "centos-stream-9": false, "centos-stream-10": false,
	"opensuse-15": false, "opensuse-16": false,
	"docker-ce": false, "coolify": false, "gitlab": false, "go": false, "lamp": false, "nextcloud": false,
	"prometheus-grafana": false, "ruby": false, "wireguard": false, "wordpress": false,
}

var onlyX86 = []string{"gitlab"}
