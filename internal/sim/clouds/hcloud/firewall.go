package hcloud

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func firewallRules() cloud.Type {
	apply := func(c *cloud.Call) error {
		if err := uniqueName(c, "firewall"); err != nil {
			return err
		}
		for _, to := range c.In.Objects("applyTos") {
			if id := to.String("server"); id != "" && id != "0" && c.Find(serverType, id) == nil {
				return notFound("server", id)
			}
		}
		c.Out.Default("labels", cloud.Object{})
		c.Out.Default("applyTos", []any{})
		return nil
	}
	return cloud.Type{
		Token: firewallType,
		Check: func(c *cloud.CheckCall) {
			checkLabels(c)
			rules := c.In.Objects("rules")
			if len(rules) > 50 {
				c.Fail("rules", "%d rules, at most 50 are allowed in one firewall", len(rules))
			}
			for i, r := range rules {
				checkRule(c, fmt.Sprintf("rules[%d]", i), r)
			}
		},
		Create: func(c *cloud.Call) error {
			if err := apply(c); err != nil {
				return err
			}
			number(c, 1_500_000, 2_999_999)
			return nil
		},
		Update: apply,
		InUse: []cloud.Ref{
			{Type: serverType, Path: "firewallIds", Error: inUse("firewall")},
			{Type: firewallAttachmentType, Path: "firewallId", Error: inUse("firewall")},
		},
	}
}

func checkRule(c *cloud.CheckCall, at string, r cloud.Object) {
	protocol, direction := r.String("protocol"), r.String("direction")
	if r.Known("protocol") && !slices.Contains([]string{"tcp", "udp", "icmp", "gre", "esp"}, protocol) {
		c.Fail(at+".protocol", "got %q, expected one of tcp, udp, icmp, gre, esp", protocol)
	}
	if r.Known("direction") && direction != "in" && direction != "out" {
		c.Fail(at+".direction", "got %q, expected in or out", direction)
	}
	switch needs := protocol == "tcp" || protocol == "udp"; {
	case needs && !r.Has("port"):
		c.Fail(at+".port", "a port is required for %s: a number, a range such as \"80-85\", or \"any\"", protocol)
	case !needs && r.Known("protocol") && r.String("port") != "":
		c.Fail(at+".port", "no port is allowed for %s", protocol)
	case needs && r.Known("port"):
		if _, _, ok := portRange(r.String("port")); !ok {
			c.Fail(at+".port", "got %q, expected a number from 1 to 65535, a range such as \"80-85\", or \"any\"", r.String("port"))
		}
	}
	property, empty := "sourceIps", "destinationIps"
	if direction == "out" {
		property, empty = empty, property
	}
	if r.Known("direction") {
		if len(r.List(property)) == 0 && !cloud.IsUnknown(r[property]) {
			c.Fail(at+"."+property, "at least one range is required for direction %q", direction)
		}
		if len(r.List(empty)) > 0 {
			c.Fail(at+"."+empty, "not allowed for direction %q", direction)
		}
	}
	if n := len(r.List(property)); n > 100 {
		c.Fail(at+"."+property, "%d ranges, at most 100 are allowed in one rule", n)
	}
	for _, s := range slices.Concat(r.Strings("sourceIps"), r.Strings("destinationIps")) {
		if _, reason := parseRange(s); reason != "" {
			c.Fail(at+"."+property, "%s", reason)
		}
	}
	if len(r.String("description")) > 255 {
		c.Fail(at+".description", "at most 255 characters are allowed")
	}
}

// portRange reads the port of a rule.
func portRange(s string) (low, high int, ok bool) {
	if s == "any" {
		return 1, 65535, true
	}
	a, b, isRange := strings.Cut(s, "-")
	low, err := strconv.Atoi(a)
	if high = low; isRange && err == nil {
		high, err = strconv.Atoi(b)
	}
	return low, high, err == nil && low >= 1 && low <= high && high <= 65535
}

func firewallAttachment() cloud.Type {
	attach := func(c *cloud.Call) error {
		if _, err := find(c, "firewall", firewallType, "firewallId"); err != nil {
			return err
		}
		for _, id := range c.In.List("serverIds") {
			if c.Find(serverType, cloud.Text(id)) == nil {
				return notFound("server", cloud.Text(id))
			}
		}
		c.ID = c.In.String("firewallId")
		return nil
	}
	return cloud.Type{
		Token: firewallAttachmentType,
		Check: func(c *cloud.CheckCall) {
			if !c.In.Has("serverIds") && !c.In.Has("labelSelectors") {
				c.Fail("serverIds", "at least one of serverIds and labelSelectors must be set")
			}
		},
		Create: func(c *cloud.Call) error {
			if err := attach(c); err != nil {
				return err
			}
			if other := c.World.Find(c.Scope, c.Type, c.ID); other != nil {
				return cloud.Refuse("firewall_already_applied", "firewall %s already has an attachment: put all its servers and label selectors into one", c.ID)
			}
			return nil
		},
		Update: attach,
	}
}

// firewallsOf returns the firewalls that are applied to the server in any way.
func firewallsOf(w *cloud.World, s *cloud.Resource) []*cloud.Resource {
	ids := map[string]bool{}
	for _, id := range s.Out.List("firewallIds") {
		ids[cloud.Text(id)] = true
	}
	labels := s.Out.Object("labels")
	for _, a := range w.All(s.Scope, firewallAttachmentType) {
		for _, id := range a.Out.List("serverIds") {
			if cloud.Text(id) == s.ID {
				ids[a.Out.String("firewallId")] = true
			}
		}
		for _, selector := range a.Out.Strings("labelSelectors") {
			if selects(selector, labels) {
				ids[a.Out.String("firewallId")] = true
			}
		}
	}
	var out []*cloud.Resource
	for _, f := range w.All(s.Scope, firewallType) {
		applied := ids[f.ID]
		for _, to := range f.Out.Objects("applyTos") {
			applied = applied || to.String("server") == s.ID || selects(to.String("labelSelector"), labels)
		}
		if applied {
			out = append(out, f)
		}
	}
	return out
}

// opens tells whether a firewall lets TCP to the port in, from anywhere at all.
func opens(f *cloud.Resource, port int) bool {
	for _, r := range f.Out.Objects("rules") {
		low, high, ok := portRange(r.String("port"))
		if ok && r.String("direction") == "in" && r.String("protocol") == "tcp" && low <= port && port <= high && anySource(r) {
			return true
		}
	}
	return false
}

func anySource(r cloud.Object) bool {
	return slices.ContainsFunc(r.Strings("sourceIps"), func(s string) bool { _, err := netip.ParsePrefix(s); return err == nil })
}

// selects tells whether a label selector matches the labels: "k", "!k", "k=v", "k==v", "k!=v",
// "k in (a,b)", "k notin (a,b)", combined with commas.
func selects(selector string, labels cloud.Object) bool {
	if selector = strings.TrimSpace(selector); selector == "" {
		return false
	}
	for _, term := range splitTerms(selector) {
		if !selectsTerm(strings.TrimSpace(term), labels) {
			return false
		}
	}
	return true
}

// splitTerms splits at the commas that are not in parentheses.
func splitTerms(s string) []string {
	var out []string
	depth, start := 0, 0
	for i, r := range s {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				out, start = append(out, s[start:i]), i+1
			}
		}
	}
	return append(out, s[start:])
}

func selectsTerm(term string, labels cloud.Object) bool {
	if k, list, ok := strings.Cut(term, " notin "); ok {
		return !inList(list, labels.String(strings.TrimSpace(k)))
	}
	if k, list, ok := strings.Cut(term, " in "); ok {
		return inList(list, labels.String(strings.TrimSpace(k)))
	}
	label := func(k string) any { return labels[strings.TrimSpace(k)] }
	if k, v, ok := strings.Cut(term, "!="); ok {
		return cloud.Text(label(k)) != strings.TrimSpace(v)
	}
	if k, v, ok := strings.Cut(term, "="); ok {
		return label(k) != nil && cloud.Text(label(k)) == strings.TrimSpace(strings.TrimPrefix(v, "="))
	}
	if k, ok := strings.CutPrefix(term, "!"); ok {
		return label(k) == nil
	}
	return label(term) != nil
}

func inList(list, value string) bool {
	for _, v := range strings.Split(strings.Trim(strings.TrimSpace(list), "()"), ",") {
		if strings.TrimSpace(v) == value {
			return true
		}
	}
	return false
}
