// Package reach walks the network of a deployment and lists what can be reached from the whole
// internet: over routes, network ACLs, security groups and firewalls, to what has a public address
// and listens.
//
// It looks at the networks that the deployment itself makes. What a cloud serves at its own edge
// (CloudFront, S3, the registries) has no address in them and is not listed.
//
// Where the deployment does not say enough, it errs on the side of listing too much. The way back is
// taken for open: a rule that only drops answers hides nothing here.
package reach

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/deployment"
)

// Family is a version of the internet protocol.
type Family string

// The families.
const (
	IPv4 Family = "ipv4"
	IPv6 Family = "ipv6"
)

// Reachable is something that the whole internet can send to.
type Reachable struct {
	URN, Type, Name string
	Family          Family
	Protocol        string // tcp, udp, icmp, or all
	Ports           Ports  // From 0 where the protocol has none
	Path            []string
}

// String is the reachable without its path: "aws:lb/loadBalancer:LoadBalancer aws-alb tcp 443 ipv4".
func (r Reachable) String() string {
	out := r.Type + " " + r.Name + " " + r.Protocol
	if text := r.Ports.String(); text != "" {
		out += " " + text
	}
	return out + " " + string(r.Family)
}

// FromInternet lists what 0.0.0.0/0 and ::/0 can reach, sorted, each with one way there.
func FromInternet(resources []deployment.Resource) []Reachable {
	all := index(resources)
	out := append(fromAWS(all), fromHetzner(all)...)
	slices.SortFunc(out, func(a, b Reachable) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Family, b.Family),
			cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Ports.From, b.Ports.From), cmp.Compare(a.URN, b.URN))
	})
	return slices.CompactFunc(out, func(a, b Reachable) bool {
		return a.URN == b.URN && a.Family == b.Family && a.Protocol == b.Protocol && a.Ports == b.Ports
	})
}

// node is a resource with what was put in over what the cloud made of it.
type node struct {
	deployment.Resource
	all map[string]any
}

// nodes are the resources, by type and by id.
type nodes struct {
	byType map[string][]*node
	byID   map[string]*node // type \0 id
	byURN  map[string]*node
}

func index(resources []deployment.Resource) nodes {
	n := nodes{map[string][]*node{}, map[string]*node{}, map[string]*node{}}
	for _, r := range resources {
		one := &node{r, map[string]any{}}
		for _, half := range []map[string]any{r.Outputs, r.Inputs} {
			for k, v := range half {
				one.all[k] = deployment.Plain(v)
			}
		}
		n.byType[r.Type] = append(n.byType[r.Type], one)
		n.byID[r.Type+"\x00"+r.ID] = one
		n.byURN[r.URN] = one
	}
	return n
}

// of lists the resources of the types.
func (n nodes) of(types ...string) []*node {
	var out []*node
	for _, t := range types {
		out = append(out, n.byType[t]...)
	}
	return out
}

func (n nodes) find(token, id string) *node { return n.byID[token+"\x00"+id] }

// get follows a dotted path through objects; the first element stands for a list.
func get(v any, path string) any {
	for _, part := range strings.Split(path, ".") {
		if list, ok := v.([]any); ok {
			if len(list) == 0 {
				return nil
			}
			v = list[0]
		}
		m, _ := v.(map[string]any)
		v = m[part]
	}
	return v
}

func (n *node) text(path string) string {
	switch v := get(n.all, path).(type) {
	case string:
		return v
	case float64:
		return fmt.Sprintf("%.0f", v)
	}
	return ""
}

func (n *node) is(path string) bool { return truth(get(n.all, path)) }

// truth reads a boolean, which some inputs have as text.
func truth(v any) bool { return v == true || v == "true" }

func (n *node) texts(path string) []string { return texts(get(n.all, path)) }

// texts are the elements of a list as text, numbers included.
func texts(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, e := range list {
		switch e := e.(type) {
		case string:
			out = append(out, e)
		case float64:
			out = append(out, fmt.Sprintf("%.0f", e))
		}
	}
	return out
}

// objects are the elements of a list that are objects; a single object counts as a list of one.
func objects(v any) []map[string]any {
	if m, ok := v.(map[string]any); ok {
		return []map[string]any{m}
	}
	list, _ := v.([]any)
	var out []map[string]any
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// label names a resource in a path: "load balancer aws-alb".
func label(kind string, n *node) string { return kind + " " + n.Name }
