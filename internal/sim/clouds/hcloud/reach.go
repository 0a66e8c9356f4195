package hcloud

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// Host is what a server offers to what runs on it.
type Host struct {
	Server          *cloud.Resource
	Cores, MemoryMB int
}

// Machine returns the server with that public address, or nil. It looks in every project.
func Machine(w *cloud.World, address string) *cloud.Resource {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return nil
	}
	for _, s := range w.All("", serverType) {
		if owns(s, a.String()) {
			return s
		}
	}
	// A floating IP leads to the server it is assigned to.
	for _, f := range w.All("", floatingIPType) {
		if id := f.Out.String("serverId"); id != "0" && owns(f, a.String()) {
			return w.Find(f.Scope, serverType, id)
		}
	}
	return nil
}

// Reach tells whether a TCP connection to the host (an address or a name) can be made, and what is
// there. Hosts that no simulation can know of are taken to be reachable, with a nil Host: the local
// one, private addresses, the addresses reserved for documentation, and names that are not in the
// simulated DNS. Any other address must be a simulated server's.
func Reach(w *cloud.World, host string, port int) (*Host, error) {
	address := resolve(w, host)
	a, err := netip.ParseAddr(address)
	if err != nil || unknowable(a) {
		return nil, nil
	}
	s := Machine(w, address)
	if s == nil {
		return nil, fmt.Errorf("dial tcp %s: connect: no route to host (no simulated server has this address)", net.JoinHostPort(address, strconv.Itoa(port)))
	}
	if status := s.Out.String("status"); status != "running" {
		return nil, fmt.Errorf("dial tcp %s: connect: connection timed out (server %s is %s)", net.JoinHostPort(address, strconv.Itoa(port)), s.ID, status)
	}
	if walls := firewallsOf(w, s); len(walls) > 0 {
		open := false
		for _, f := range walls {
			open = open || opens(f, port)
		}
		if !open {
			return nil, fmt.Errorf("dial tcp %s: connect: connection timed out (no firewall of server %s lets TCP port %d in)", net.JoinHostPort(address, strconv.Itoa(port)), s.ID, port)
		}
	}
	size := sizes[s.Out.String("serverType")]
	return &Host{Server: s, Cores: size.cores, MemoryMB: size.memoryGB * 1024}, nil
}

var documentation = []netip.Prefix{
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("2001:db8::/32"),
}

func unknowable(a netip.Addr) bool {
	for _, p := range documentation {
		if p.Contains(a) {
			return true
		}
	}
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()
}

// resolve follows a name through the simulated DNS records of Cloudflare.
func resolve(w *cloud.World, host string) string {
	host = strings.Trim(host, "[]")
	for range 8 {
		next := ""
		for _, r := range w.All("", "cloudflare:index/record:Record") {
			t := r.Out.String("type")
			if strings.EqualFold(r.Out.String("hostname"), host) && !r.Out.Bool("proxied") && (t == "A" || t == "AAAA" || t == "CNAME") {
				next = r.Out.String("content")
				break
			}
		}
		if next == "" {
			return host
		}
		host = strings.TrimSuffix(next, ".")
	}
	return host
}
