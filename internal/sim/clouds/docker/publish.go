package docker

import (
	"fmt"
	"net/netip"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// binding is one published port.
type binding struct {
	ip       string
	port     int
	protocol string
}

// clashes tells whether both can not be bound at once.
func (b binding) clashes(o binding) bool {
	if b.port != o.port || b.protocol != o.protocol {
		return false
	}
	return b.ip == o.ip || wildcard(b.ip, o.ip) || wildcard(o.ip, b.ip)
}

// wildcard tells whether the first address stands for all of its family, the second included; no address
// stands for both families.
func wildcard(all, one string) bool {
	if all == "" {
		return true
	}
	a, err := netip.ParseAddr(all)
	if err != nil || !a.IsUnspecified() {
		return false
	}
	b, err := netip.ParseAddr(one)
	return err != nil || a.Is4() == b.Is4()
}

func bindings(o cloud.Object) []binding {
	var out []binding
	for _, p := range o.Objects("ports") {
		b := binding{ip: p.String("ip"), port: p.Int("external"), protocol: p.String("protocol")}
		if !p.Has("ip") {
			b.ip = "0.0.0.0"
		}
		if b.protocol == "" {
			b.protocol = "tcp"
		}
		if b.port != 0 {
			out = append(out, b)
		}
	}
	return out
}

// publish refuses ports of the host that are taken. Containers that are not started hold none.
func publish(c *cloud.Call) error {
	for _, p := range c.In.Objects("ports") {
		for _, property := range []string{"internal", "external"} {
			if n := p.Int(property); p.Has(property) && (n < 0 || n > 65535 || n == 0 && property == "internal") {
				return create("invalid port specification: %s port %d is not from 1 to 65535", property, n)
			}
		}
		if ip := p.String("ip"); ip != "" {
			if _, err := netip.ParseAddr(ip); err != nil {
				return create("invalid IP address: %s", ip)
			}
		}
	}
	if c.In.Has("start") && !c.In.Bool("start") {
		return nil
	}
	var taken []holder
	for _, r := range c.All(containerType) {
		if !r.Out.Has("start") || r.Out.Bool("start") {
			for _, b := range bindings(r.Out) {
				taken = append(taken, holder{b, "container " + r.Out.String("name")})
			}
		}
	}
	if e, _ := parseHost(c.Config.String("host")); e.scheme == "ssh" {
		taken = append(taken, holder{binding{"", e.port, "tcp"}, "the host's SSH server"})
	}
	for _, b := range bindings(c.In) {
		for _, t := range taken {
			if b.clashes(t.binding) {
				return cloud.Refuse("", "Unable to start container: driver failed programming external connectivity on endpoint %s: Bind for %s:%d failed: port is already allocated (%s/%d by %s)",
					c.In.String("name"), b.ip, b.port, b.protocol, b.port, t.who)
			}
		}
		taken = append(taken, holder{b, "this container itself"})
	}
	return dynamicPorts(c)
}

type holder struct {
	binding
	who string
}

// dynamicPorts gives ports without a number one above 32767, as the daemon does.
func dynamicPorts(c *cloud.Call) error {
	ports := c.Out.Clone().Objects("ports")
	if len(ports) == 0 {
		return nil
	}
	var out []any
	for i, p := range ports {
		if p.Int("external") == 0 {
			p["external"] = float64(c.Gen.Number(fmt.Sprintf("port/%d", i), 32768, 60999))
		}
		out = append(out, p)
	}
	c.Out["ports"] = out
	return nil
}
