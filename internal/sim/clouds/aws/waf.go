package aws

import (
	"net/netip"
	"regexp"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const (
	webACLToken            = "aws:wafv2/webAcl:WebAcl"
	ipSetToken             = "aws:wafv2/ipSet:IpSet"
	webACLAssociationToken = "aws:wafv2/webAclAssociation:WebAclAssociation"
)

func wafTypes() []cloud.Type { return []cloud.Type{webACLType(), ipSetType(), webACLAssociationType()} }

var wafName = regexp.MustCompile(`^[0-9A-Za-z_-]{1,128}$`)

// wafCreate is what web ACLs and address sets have in common.
func wafCreate(kind, noun string) func(c *cloud.Call) error {
	return func(c *cloud.Call) error {
		name, scope := c.In.String("name"), c.In.String("scope")
		if !wafName.MatchString(name) {
			return refuse("WAFV2", "Create"+kind, "WAFInvalidParameterException", "Error reason: The parameter contains formatting that is not valid., field: NAME, parameter: %s", name)
		}
		if scope == "CLOUDFRONT" && c.Scope != "us-east-1" {
			return refuse("WAFV2", "Create"+kind, "WAFInvalidParameterException", "Error reason: The scope is not valid., field: SCOPE_VALUE, parameter: CLOUDFRONT (made in us-east-1 only, this is %s)", c.Scope)
		}
		for _, r := range c.All(c.Type) {
			if r.Out.String("name") == name && r.Out.String("scope") == scope {
				return refuse("WAFV2", "Create"+kind, "WAFDuplicateItemException", "AWS WAF couldn't perform the operation because some resource in your request is a duplicate of an existing one. (%s)", name)
			}
		}
		c.ID = c.Gen.UUID(kind)
		where := "regional"
		if scope == "CLOUDFRONT" {
			where = "global"
		}
		c.Out["arn"], c.Out["lockToken"] = arn("wafv2", c.Scope, where+"/"+noun+"/"+name+"/"+c.ID), c.Gen.UUID("lock")
		computed(c, "namePrefix", "")
		return nil
	}
}

func webACLType() cloud.Type {
	return written(cloud.Type{
		Token: webACLToken,
		InUse: []cloud.Ref{
			{Type: webACLAssociationToken, Path: "webAclArn", By: "arn", Error: aclInUse},
			{Type: distributionToken, Path: "webAclId", By: "arn", Error: aclInUse},
		},
	}, func(c *cloud.Call) error {
		names, priorities := map[string]bool{}, map[int]bool{}
		for _, r := range c.In.Objects("rules") {
			if names[r.String("name")] || priorities[r.Int("priority")] {
				return refuse("WAFV2", operation(c, "CreateWebACL", "UpdateWebACL"), "WAFInvalidParameterException", "Error reason: rule names and priorities must be unique, field: RULE, parameter: %s", r.String("name"))
			}
			names[r.String("name")], priorities[r.Int("priority")] = true, true
		}
		if boolCount(c.In.Has("defaultAction.allow"), c.In.Has("defaultAction.block")) != 1 {
			return refuse("WAFV2", operation(c, "CreateWebACL", "UpdateWebACL"), "WAFInvalidParameterException", "Error reason: You have used none or multiple values for a field that requires exactly one value., field: DEFAULT_ACTION")
		}
		c.Out["capacity"] = float64(len(c.In.Objects("rules")))
		return nil
	}, wafCreate("WebACL", "webacl"))
}

func aclInUse(self, by *cloud.Resource) error {
	return refuse("WAFV2", "DeleteWebACL", "WAFAssociatedItemException", "AWS WAF couldn't perform the operation because your resource is being used by another resource or it's associated with another resource. (%s)", by.ID)
}

func ipSetType() cloud.Type {
	return written(cloud.Type{Token: ipSetToken}, func(c *cloud.Call) error {
		for _, a := range c.In.Strings("addresses") {
			p, err := netip.ParsePrefix(a)
			if err != nil || p.Bits() == 0 || p.Addr().Is4() != (c.In.String("ipAddressVersion") == "IPV4") {
				return refuse("WAFV2", operation(c, "CreateIPSet", "UpdateIPSet"), "WAFInvalidParameterException", "Error reason: The parameter contains formatting that is not valid., field: IP_ADDRESS, parameter: %s (CIDR of the set's version, not /0)", a)
			}
		}
		return nil
	}, wafCreate("IPSet", "ipset"))
}

func webACLAssociationType() cloud.Type {
	return cloud.Type{Token: webACLAssociationToken, Create: func(c *cloud.Call) error {
		acl, target := c.In.String("webAclArn"), c.In.String("resourceArn")
		r := anywhere(c.World, webACLToken, acl)
		switch {
		case r == nil:
			return refuse("WAFV2", "AssociateWebACL", "WAFNonexistentItemException", "AWS WAF couldn't perform the operation because your resource doesn't exist. (%s)", acl)
		case r.Out.String("scope") == "CLOUDFRONT" || isARN(target, "cloudfront"):
			return refuse("WAFV2", "AssociateWebACL", "WAFInvalidParameterException", "Error reason: The ARN isn't valid. A distribution names its web ACL itself (webAclId)., field: RESOURCE_ARN, parameter: %s", target)
		case !strings.Contains(target, "loadbalancer/app/") && isARN(target, "elasticloadbalancing"):
			return refuse("WAFV2", "AssociateWebACL", "WAFInvalidParameterException", "Error reason: only application load balancers take a web ACL., field: RESOURCE_ARN, parameter: %s", target)
		case isARN(target, "elasticloadbalancing") && c.Find("aws:lb/loadBalancer:LoadBalancer", target) == nil:
			return refuse("WAFV2", "AssociateWebACL", "WAFNonexistentItemException", "AWS WAF couldn't perform the operation because your resource doesn't exist. (%s)", target)
		}
		if other := byProperty(c.All(c.Type), "resourceArn", target); other != nil {
			return refuse("WAFV2", "AssociateWebACL", "WAFAssociatedItemException", "%s has a web ACL already", target)
		}
		c.ID = acl + "," + target
		return nil
	}, Takes: cloud.Durations{Create: seconds(15), Delete: seconds(5)}}
}
