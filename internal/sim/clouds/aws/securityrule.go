package aws

import (
	"fmt"
	"hash/crc32"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// rule is one permission of a security group, as EC2 keeps it: one source each.
type rule struct {
	direction, protocol, source string
	from, to                    int
}

func (r rule) String() string {
	if r.protocol == "-1" {
		return fmt.Sprintf("peer: %s, ALL, ALLOW", r.source)
	}
	return fmt.Sprintf("peer: %s, %s, from port: %d, to port: %d, ALLOW", r.source, strings.ToUpper(r.protocol), r.from, r.to)
}

const ruleQuota = 60 // rules per security group and direction

var (
	ruleText  = regexp.MustCompile(`^[0-9A-Za-z_ .:/()#,@\[\]+=&;{}!$*-]{0,255}$`)
	protocols = map[string]string{"all": "-1", "6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
)

// protocol writes a protocol the way EC2 does, or "" for one that does not exist.
func protocol(s string) string {
	s = strings.ToLower(s)
	if known, ok := protocols[s]; ok {
		return known
	}
	if slices.Contains([]string{"-1", "tcp", "udp", "icmp", "icmpv6"}, s) {
		return s
	}
	if n, err := strconv.Atoi(s); err == nil && n >= 0 && n <= 255 {
		return s
	}
	return ""
}

func checkRuleText(c *cloud.CheckCall, property, s string) {
	if !ruleText.MatchString(s) {
		c.Fail(property, "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set: a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*, got %q", s)
	}
}

// checkRule holds the provider's own checks of one rule at a path.
func checkRule(c *cloud.CheckCall, at string, r cloud.Object, protocolKey string, single bool) {
	checkRuleText(c, at+"description", r.String("description"))
	for _, key := range []string{"cidrIpv4", "cidrIpv6"} {
		checkCIDR(c, at+key, r[key])
	}
	for _, key := range []string{"cidrBlocks", "ipv6CidrBlocks"} {
		for i, v := range r.List(key) {
			checkCIDR(c, fmt.Sprintf("%s%s[%d]", at, key, i), v)
		}
	}
	if protocol(r.String(protocolKey)) != "-1" || !r.Known(protocolKey) {
		return
	}
	switch {
	case single && (r.Has("fromPort") && r.Int("fromPort") != -1 || r.Has("toPort") && r.Int("toPort") != -1):
		c.Fail(at+"fromPort", "no ports may be given with the ALL \"-1\" protocol: leave fromPort and toPort out")
	case !single && (r.Int("fromPort") != 0 || r.Int("toPort") != 0):
		c.Fail(at+"fromPort", "from_port (%d) and to_port (%d) must both be 0 to use the 'ALL' \"-1\" protocol!", r.Int("fromPort"), r.Int("toPort"))
	}
}

func checkGroupRules(c *cloud.CheckCall) {
	for _, direction := range []string{"ingress", "egress"} {
		for i, r := range c.In.Objects(direction) {
			checkRule(c, fmt.Sprintf("%s[%d].", direction, i), r, "protocol", false)
		}
	}
}

// rulesOf splits a rule resource or inline rule into EC2's permissions.
func rulesOf(direction, protocolKey, group string, r cloud.Object) []rule {
	sources := slices.Concat(r.Strings("cidrBlocks"), r.Strings("ipv6CidrBlocks"), r.Strings("prefixListIds"), r.Strings("securityGroups"))
	for _, key := range []string{"cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId", "sourceSecurityGroupId"} {
		if v := r.String(key); v != "" {
			sources = append(sources, v)
		}
	}
	if r.Bool("self") {
		sources = append(sources, group)
	}
	var out []rule
	for _, s := range sources {
		one := rule{direction: direction, protocol: protocol(r.String(protocolKey)), source: s, from: r.Int("fromPort"), to: r.Int("toPort")}
		if one.protocol == "-1" {
			one.from, one.to = 0, 0
		}
		out = append(out, one)
	}
	return out
}

// rulesOfGroup lists the permissions that a group has by now, but those of the called resource.
func rulesOfGroup(c *cloud.Call, group, direction string) []rule {
	var out []rule
	for _, r := range c.All(securityRuleType) {
		if r.Out.String("securityGroupId") == group && r.Out.String("type") == direction {
			out = append(out, rulesOf(direction, "protocol", group, r.Out)...)
		}
	}
	typ := map[string]string{"ingress": ingressRuleType, "egress": egressRuleType}[direction]
	for _, r := range c.All(typ) {
		if r.Out.String("securityGroupId") == group {
			out = append(out, rulesOf(direction, "ipProtocol", group, r.Out)...)
		}
	}
	if g := c.Find(securityGroupType, group); g != nil && c.Type != securityGroupType {
		for _, r := range g.In.Objects(direction) {
			out = append(out, rulesOf(direction, "protocol", group, r)...)
		}
	}
	return out
}

// addRules refuses what AuthorizeSecurityGroupIngress and Egress refuse.
func addRules(c *cloud.Call, group, direction string, have, added []rule) error {
	op := "AuthorizeSecurityGroup" + strings.ToUpper(direction[:1]) + direction[1:]
	for _, r := range added {
		if err := portRange(op, r); err != nil {
			return err
		}
		if strings.HasPrefix(r.source, "sg-") {
			vpc, at := groupVPC(c.World, c.Scope, group), groupVPC(c.World, c.Scope, r.source)
			if r.source != group && at == "" {
				return ec2(op, "InvalidGroup.NotFound", "The security group '%s' does not exist", r.source)
			}
			if r.source != group && at != vpc && !peered(c, vpc, at) {
				return ec2(op, "InvalidGroup.NotFound", "You have specified two resources that belong to different networks.")
			}
		}
		if slices.Contains(have, r) {
			return ec2(op, "InvalidPermission.Duplicate", "the specified rule \"%s\" already exists", r)
		}
		if have = append(have, r); len(have) > ruleQuota {
			return ec2(op, "RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached.")
		}
	}
	return nil
}

func peered(c *cloud.Call, a, b string) bool {
	return slices.ContainsFunc(c.Everywhere(peeringType), func(p *cloud.Resource) bool {
		x, y := p.Out.String("vpcId"), p.Out.String("peerVpcId")
		return x == a && y == b || x == b && y == a
	})
}

func portRange(op string, r rule) error {
	switch r.protocol {
	case "":
		return ec2(op, "InvalidParameterValue", "Invalid value for IP protocol. Unknown protocol.")
	case "tcp", "udp":
		if r.from < 0 || r.to > 65535 || r.from > r.to {
			return ec2(op, "InvalidParameterValue", "Invalid %s port range (%d:%d)", strings.ToUpper(r.protocol), r.from, r.to)
		}
	case "icmp", "icmpv6":
		if r.from < -1 || r.from > 255 || r.to < -1 || r.to > 255 {
			return ec2(op, "InvalidParameterValue", "ICMP code (%d) out of range", r.to)
		}
	}
	return nil
}

// checkInlineRules checks the rules that are written into the group itself.
func checkInlineRules(c *cloud.Call) error {
	for _, direction := range []string{"ingress", "egress"} {
		var added []rule
		for _, r := range c.In.Objects(direction) {
			added = append(added, rulesOf(direction, "protocol", c.ID, r)...)
		}
		have := rulesOfGroup(c, c.ID, direction)
		if len(added) > 0 && len(have) > 0 {
			c.Warn("security group %s has %s rules inline and as resources: each update takes the other's away; use one form", c.ID, direction)
		}
		if err := addRules(c, c.ID, direction, nil, added); err != nil {
			return err
		}
	}
	return nil
}

func securityGroupRule() cloud.Type {
	return cloud.Type{
		Token: securityRuleType,
		Check: func(c *cloud.CheckCall) { checkRule(c, "", c.In, "protocol", false) },
		Create: func(c *cloud.Call) error {
			group, direction := c.In.String("securityGroupId"), c.In.String("type")
			if groupVPC(c.World, c.Scope, group) == "" {
				return ec2("DescribeSecurityGroups", "InvalidGroup.NotFound", "The security group '%s' does not exist", group)
			}
			added := rulesOf(direction, "protocol", group, c.In)
			if err := addRules(c, group, direction, rulesOfGroup(c, group, direction), added); err != nil {
				return err
			}
			c.ID = fmt.Sprintf("sgrule-%d", crc32.ChecksumIEEE([]byte(fmt.Sprint(group, added))))
			c.Out["securityGroupRuleId"] = ""
			if len(added) == 1 {
				c.Out["securityGroupRuleId"] = ec2ID(c.Gen, "sgr")
			}
			return nil
		},
		Takes: cloud.Durations{Create: seconds(1), Update: seconds(1), Delete: seconds(1)},
	}
}

// groupRule is the newer form of a rule: one source, an id and tags of its own.
func groupRule(token, direction string) cloud.Type {
	apply := func(c *cloud.Call) error {
		group := c.In.String("securityGroupId")
		op := "AuthorizeSecurityGroup" + strings.ToUpper(direction[:1]) + direction[1:]
		if groupVPC(c.World, c.Scope, group) == "" {
			return ec2(op, "InvalidGroup.NotFound", "The security group '%s' does not exist", group)
		}
		if p := protocol(c.In.String("ipProtocol")); (p == "tcp" || p == "udp") && !(c.In.Has("fromPort") && c.In.Has("toPort")) {
			return ec2(op, "InvalidParameterValue", "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
		}
		return addRules(c, group, direction, rulesOfGroup(c, group, direction), rulesOf(direction, "ipProtocol", group, c.In))
	}
	return cloud.Type{
		Token: token,
		Check: func(c *cloud.CheckCall) {
			checkRule(c, "", c.In, "ipProtocol", true)
			n := 0
			for _, key := range []string{"cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"} {
				if c.In.Has(key) {
					n++
				}
			}
			if n != 1 {
				c.Fail("cidrIpv4", "Invalid Attribute Combination: exactly one of cidrIpv4, cidrIpv6, prefixListId, referencedSecurityGroupId must be set, got %d", n)
			}
		},
		Create: func(c *cloud.Call) error {
			if err := apply(c); err != nil {
				return err
			}
			c.ID = ec2ID(c.Gen, "sgr")
			c.Out["securityGroupRuleId"] = c.ID
			c.Out["arn"] = arn("ec2", c.Scope, "security-group-rule/"+c.ID)
			return nil
		},
		Update: apply,
		Takes:  cloud.Durations{Create: seconds(1), Update: seconds(1), Delete: seconds(1)},
	}
}
