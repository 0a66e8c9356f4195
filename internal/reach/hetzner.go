package reach

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// fromHetzner lists what gets past a server's firewall to its public addresses. Docker opens the ports
// that containers publish past any firewall on the server itself; only Hetzner's stands before it.
func fromHetzner(n nodes) []Reachable {
	var out []Reachable
	for _, server := range n.of("hcloud:index/server:Server") {
		for _, family := range []Family{IPv4, IPv6} {
			if publicNet(server, family) {
				out = append(out, n.past(server, family)...)
			}
		}
	}
	return out
}

// publicNet says whether the server has a public address; it does unless told otherwise.
func publicNet(server *node, family Family) bool {
	nets := objects(server.Inputs["publicNets"])
	return len(nets) == 0 || slices.ContainsFunc(nets, func(net map[string]any) bool {
		v, said := net[string(family)+"Enabled"]
		return !said || truth(v)
	})
}

// past lists what the firewalls of a server let through. What no container publishes is the server's.
func (n nodes) past(server *node, family Family) []Reachable {
	path := []string{"internet"}
	lets := flows{}
	walls := n.firewalls(server)
	if len(walls) == 0 {
		lets = anything()
		path = append(path, "no firewall")
	}
	for _, wall := range walls {
		open := firewallLets(wall, family)
		if len(open) > 0 {
			path = append(path, label("firewall", wall))
		}
		lets = append(lets, open...)
	}
	path = append(path, label("server", server))
	var out []Reachable
	published := n.published(server, family)
	for _, f := range lets.tidy() {
		r := Reachable{URN: server.URN, Type: server.Type, Name: server.Name, Family: family, Protocol: f.protocol, Ports: f.ports, Path: path}
		for _, p := range published {
			hop := label("container", p.by)
			if len((flows{f}).meet(flows{p.flow})) > 0 && !slices.Contains(r.Path, hop) {
				r.Path = append(slices.Clone(r.Path), hop)
			}
		}
		out = append(out, r)
	}
	return out
}

// firewalls of a server: those it names, and those that are attached to it or select it.
func (n nodes) firewalls(server *node) []*node {
	ids := server.texts("firewallIds")
	for _, at := range n.of("hcloud:index/firewallAttachment:FirewallAttachment") {
		if slices.Contains(at.texts("serverIds"), server.ID) || slices.ContainsFunc(at.texts("labelSelectors"), server.selected) {
			ids = append(ids, at.text("firewallId"))
		}
	}
	var out []*node
	for _, wall := range n.of("hcloud:index/firewall:Firewall") {
		applied := slices.ContainsFunc(objects(wall.all["applyTos"]), func(to map[string]any) bool {
			one := &node{all: to}
			return one.text("server") == server.ID || server.selected(one.text("labelSelector"))
		})
		if applied || slices.Contains(ids, wall.ID) {
			out = append(out, wall)
		}
	}
	return out
}

// selected says whether a label selector (key, key=value, joined by commas) picks the server.
func (n *node) selected(selector string) bool {
	if selector == "" {
		return false
	}
	labels, _ := n.all["labels"].(map[string]any)
	for _, one := range strings.Split(selector, ",") {
		key, want, hasValue := strings.Cut(strings.ReplaceAll(one, "==", "="), "=")
		if v, ok := labels[strings.TrimSpace(key)]; !ok || hasValue && v != strings.TrimSpace(want) {
			return false
		}
	}
	return true
}

func firewallLets(wall *node, family Family) flows {
	var out flows
	for _, r := range objects(wall.all["rules"]) {
		one := &node{all: r}
		wide := slices.ContainsFunc(one.texts("sourceIps"), func(cidr string) bool {
			got, ok := world(cidr)
			return ok && got == family
		})
		if one.text("direction") != "in" || !wide {
			continue
		}
		from, to, isRange := strings.Cut(one.text("port"), "-")
		a, _ := strconv.Atoi(from) // "any" is 0
		b := a
		if isRange {
			b, _ = strconv.Atoi(to)
		}
		out = append(out, parse(one.text("protocol"), a, b)...)
	}
	return out.tidy()
}

// publication is a port that a container publishes on its host.
type publication struct {
	by *node
	flow
}

// published lists what the containers of a server publish on its public address of a family.
func (n nodes) published(server *node, family Family) []publication {
	var out []publication
	for _, c := range n.of("docker:index/container:Container") {
		if !n.runsOn(c, server) {
			continue
		}
		if c.text("networkMode") == "host" {
			for _, f := range anything() {
				out = append(out, publication{c, f})
			}
		}
		for _, p := range objects(c.all["ports"]) {
			one := &node{all: p}
			protocol, port := one.text("protocol"), number(p["external"])
			if protocol == "" {
				protocol = "tcp"
			}
			if ip := one.text("ip"); port > 0 && (ip == "" || ip == map[Family]string{IPv4: "0.0.0.0", IPv6: "::"}[family] || ip == server.text(string(family)+"Address")) {
				out = append(out, publication{c, flow{protocol, Ports{port, port}}})
			}
		}
	}
	return out
}

// runsOn says whether a container is on the server: its provider speaks to one of the server's
// addresses. With a single server there is no question.
func (n nodes) runsOn(container, server *node) bool {
	if len(n.of("hcloud:index/server:Server")) == 1 {
		return true
	}
	urn := container.Provider
	if i := strings.LastIndex(urn, "::"); i >= 0 {
		urn = urn[:i]
	}
	provider := n.byURN[urn]
	if provider == nil {
		return true
	}
	host, err := url.Parse(provider.text("host"))
	return err != nil || host.Hostname() == "" || host.Hostname() == server.text("ipv4Address") || host.Hostname() == server.text("ipv6Address") ||
		slices.ContainsFunc(objects(server.all["networks"]), func(net map[string]any) bool { return net["ip"] == host.Hostname() })
}
