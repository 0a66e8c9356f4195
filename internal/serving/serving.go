// Package serving says who answers under a public name in a simulated world, by going the way that a
// client goes: the record at Cloudflare, the zone in Route 53 with its weights and health checks, the
// server's firewall, its proxy and the container behind it, or the load balancer, its rule and the
// service behind that, or the distribution and its bucket.
//
// It believes nothing that it cannot follow. What it does not know (a routing policy, a function in a
// proxy's rule, a target outside of the world) does not answer, and the answer says so.
//
// What a service needs in turn (its database, Redis) is not followed.
package serving

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/morphee-app/morphee-infra/internal/reach"
	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// Platforms that a target is on.
const (
	Server = "server"
	AWS    = "aws"
)

// Target is where some of a name's clients are led to.
type Target struct {
	Platform string  `json:"platform"` // Server or AWS; "" when the way ends before either
	Place    string  `json:"place"`    // the server's name, the region, or cloudfront
	Family   string  `json:"family"`   // ipv4 or ipv6
	Share    float64 `json:"share"`    // 0 to 1 of the clients of the family

	// Why it does not answer; "" when it does.
	Why string `json:"why,omitempty"`
	// Out says that it gets no clients because a health check or the cloud found it dead. Share is then
	// what it would get, and does not count.
	Out bool `json:"out,omitempty"`
	// ReadOnly targets answer reading requests and refuse writing ones.
	ReadOnly bool `json:"readOnly,omitempty"`
	// Via is the server that passes requests on to a target on another platform; "" when clients come
	// straight to it.
	Via string `json:"via,omitempty"`
	// Path is the way to it, hop by hop.
	Path []string `json:"path"`

	through []string      // URNs of the machines, containers and services on the way
	answers []string      // what resolvers remember for a while: names and addresses
	notice  time.Duration // how long a health check takes to notice that it is dead; 0 without one
}

// Answers tells whether clients that are led here are served.
func (t Target) Answers() bool { return t.Why == "" }

// Answer is what clients of a name get.
type Answer struct {
	Host    string   `json:"host"`
	Targets []Target `json:"targets"`
	// Lost is the share of the clients, 0 to 1, that get no answer: of the family that loses most.
	Lost float64 `json:"lost"`
}

// Served tells whether every client gets an answer.
func (a Answer) Served() bool { return a.Lost == 0 && len(a.Targets) > 0 }

// Why lists the reasons of what does not answer, each once.
func (a Answer) Why() []string {
	var out []string
	for _, t := range a.Targets {
		if !t.Answers() && !t.Out && t.Share > 0 && !slices.Contains(out, t.Why) {
			out = append(out, t.Why)
		}
	}
	return out
}

// String is the answer in one line, for errors and tests.
func (a Answer) String() string {
	if a.Served() {
		var parts []string
		for _, t := range a.Main() {
			parts = append(parts, fmt.Sprintf("%.0f%% %s", 100*t.Share, strings.Join(t.Path, " -> ")))
		}
		return a.Host + ": " + strings.Join(parts, "; ")
	}
	return fmt.Sprintf("%s: %.0f%% of the clients get no answer: %s", a.Host, 100*a.Lost, strings.Join(a.Why(), "; "))
}

// Main lists the targets that get clients, of the family that most clients use: IPv4 where there is one.
func (a Answer) Main() []Target {
	for _, family := range []reach.Family{reach.IPv4, reach.IPv6} {
		var out []Target
		for _, t := range a.Targets {
			if t.Family == string(family) && !t.Out && t.Share > 0 {
				out = append(out, t)
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// All says of each name who answers it in the world as it is.
func All(w *cloud.World, hosts []string) []Answer {
	var c Checker
	out := make([]Answer, len(hosts))
	for i, host := range hosts {
		out[i] = c.Of(w, host)
	}
	return out
}

// Checker answers for one world. Between two questions it may be told with Touch what changed; what it
// knows of networks is kept until then.
type Checker struct{ open map[string]bool }

// Touch tells the checker that a resource of the type changed, and returns whether that can change any
// answer.
func (c *Checker) Touch(token string) bool {
	if network(token) {
		c.open = nil
	}
	return network(token) || slices.Contains(relevant, token)
}

// relevant are the types that decide who answers, beside those of networks.
var relevant = []string{
	cloudflareRecord, zoneType, recordType, healthCheckType, containerType, ruleType, targetGroupType, serviceType,
	certificateType, distributionType, "aws:s3/bucketV2:BucketV2", "aws:s3/bucket:Bucket", bucketPolicyType,
}

// Of says who answers under the host, which is a full name without a dot at its end. The world must not
// change meanwhile.
func (c *Checker) Of(w *cloud.World, host string) Answer {
	a := c.from(w, host, host)
	if len(a.Targets) == 0 {
		a.Lost = 1
		a.Targets = []Target{{Family: string(reach.IPv4), Share: 1, Why: host + " has no address", Path: []string{host}}}
	}
	return a
}

// from is Of for a client that has come as far as a name or address, which it remembers from before. Of a
// family in which that has no address there is no target.
func (c *Checker) from(w *cloud.World, host, known string) Answer {
	if c.open == nil {
		c.open = openToAll(w)
	}
	a := Answer{Host: host}
	for _, family := range []reach.Family{reach.IPv4, reach.IPv6} {
		v := &view{world: w, open: c.open, host: host, family: family, method: "GET", path: "/"}
		targets := v.start(known)
		v.method = "POST"
		writes := v.start(known)
		lost := 0.0
		for i, t := range targets {
			t.Family = string(family)
			t.ReadOnly = t.Answers() && i < len(writes) && !writes[i].Answers()
			if !t.Answers() && !t.Out {
				lost += t.Share
			}
			a.Targets = append(a.Targets, t)
		}
		a.Lost = max(a.Lost, lost)
	}
	return a
}

func (v *view) start(known string) []Target {
	ip, err := netip.ParseAddr(known)
	if err != nil {
		return v.follow(known, way{share: 1})
	}
	if ip.Is4() != (v.family == reach.IPv4) {
		return nil
	}
	return v.address(known, way{share: 1})
}

// view is a request that is being followed.
type view struct {
	world    *cloud.World
	open     map[string]bool // see openToAll
	host     string
	family   reach.Family
	method   string
	path     string
	depth    int
	checking []string // health checks that are being judged
}

// way is how far a request has come.
type way struct {
	share   float64
	hops    []string
	through []string
	answers []string
	via     string
	notice  time.Duration
}

// to adds a hop.
func (y way) to(hop string, urns ...string) way {
	y.hops = append(slices.Clone(y.hops), hop)
	y.through = append(slices.Clone(y.through), urns...)
	return y
}

// answered adds what resolvers remember.
func (y way) answered(what string) way {
	y.answers = append(slices.Clone(y.answers), what)
	return y
}

// part is a share of what comes this way.
func (y way) part(share float64) way {
	y.share *= share
	return y
}

// dead ends the way: nobody answers.
func (y way) dead(platform, place, format string, args ...any) []Target {
	t := y.end(platform, place)
	t.Why = fmt.Sprintf(format, args...)
	return []Target{t}
}

// end ends the way where somebody answers.
func (y way) end(platform, place string) Target {
	return Target{
		Platform: platform, Place: place, Share: y.share, Via: y.via, Path: y.hops,
		through: y.through, answers: y.answers, notice: y.notice,
	}
}

// named is a resource's name in the program, or its id for what no program made.
func named(r *cloud.Resource) string {
	if i := strings.LastIndex(r.URN, "::"); i >= 0 {
		return r.URN[i+2:]
	}
	return r.ID
}
