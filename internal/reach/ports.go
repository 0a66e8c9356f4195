package reach

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Ports is a range of ports, both ends in it.
type Ports struct{ From, To int }

// every is all ports of a protocol that has ports.
var every = Ports{1, 65535}

func (p Ports) String() string {
	switch {
	case p.From == 0 && p.To == 0:
		return ""
	case p.From == p.To:
		return strconv.Itoa(p.From)
	}
	return fmt.Sprintf("%d-%d", p.From, p.To)
}

func (p Ports) meet(q Ports) (Ports, bool) {
	r := Ports{max(p.From, q.From), min(p.To, q.To)}
	return r, r.From <= r.To
}

// flow is a protocol with its ports.
type flow struct {
	protocol string
	ports    Ports
}

// flows is a set of them.
type flows []flow

// anything is every protocol on every port.
func anything() flows {
	return flows{{"tcp", every}, {"udp", every}, {"icmp", Ports{}}}
}

// parse reads a rule's protocol, by name, number, -1 or "all", and its ports.
func parse(protocol string, from, to int) flows {
	switch strings.ToLower(protocol) {
	case "-1", "all", "any", "":
		return anything()
	case "6", "tcp":
		protocol = "tcp"
	case "17", "udp":
		protocol = "udp"
	case "1", "icmp", "58", "icmpv6", "ipv6-icmp":
		return flows{{"icmp", Ports{}}}
	default:
		return flows{{strings.ToLower(protocol), Ports{}}} // a protocol without ports: esp, gre
	}
	if from <= 0 && (to <= 0 || to >= 65535) {
		return flows{{protocol, every}}
	}
	return flows{{protocol, Ports{max(from, 1), max(from, to)}}}
}

// meet is what is in both.
func (a flows) meet(b flows) flows {
	var out flows
	for _, x := range a {
		for _, y := range b {
			if x.protocol != y.protocol {
				continue
			}
			if ports, ok := x.ports.meet(y.ports); ok {
				out = append(out, flow{x.protocol, ports})
			}
		}
	}
	return out.tidy()
}

// without is a less b.
func (a flows) without(b flows) flows {
	out := slices.Clone(a)
	for _, y := range b {
		var next flows
		for _, x := range out {
			common, ok := x.ports.meet(y.ports)
			if x.protocol != y.protocol || !ok {
				next = append(next, x)
				continue
			}
			if x.ports.From < common.From {
				next = append(next, flow{x.protocol, Ports{x.ports.From, common.From - 1}})
			}
			if x.ports.To > common.To {
				next = append(next, flow{x.protocol, Ports{common.To + 1, x.ports.To}})
			}
		}
		out = next
	}
	return out
}

// tidy sorts, and joins ranges that meet.
func (a flows) tidy() flows {
	slices.SortFunc(a, func(x, y flow) int {
		if c := strings.Compare(x.protocol, y.protocol); c != 0 {
			return c
		}
		return x.ports.From - y.ports.From
	})
	var out flows
	for _, x := range a {
		if n := len(out); n > 0 && out[n-1].protocol == x.protocol && x.ports.From <= out[n-1].ports.To+1 {
			out[n-1].ports.To = max(out[n-1].ports.To, x.ports.To)
			continue
		}
		out = append(out, x)
	}
	return out
}

// world says which family an address range opens to the whole internet. A range wider than any
// organisation's (IPv4 wider than /8, IPv6 wider than /16) is taken for the whole: two halves are one.
func world(cidr string) (Family, bool) {
	p, err := netip.ParsePrefix(cidr)
	switch {
	case err != nil:
		return "", false
	case p.Addr().Is4():
		return IPv4, p.Bits() < 8
	default:
		return IPv6, p.Bits() < 16
	}
}

// number reads a port that may be text.
func number(v any) int {
	switch v := v.(type) {
	case float64:
		return int(v)
	case string:
		n, _ := strconv.Atoi(v)
		return n
	}
	return 0
}
