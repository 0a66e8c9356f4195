package aws

import (
	"fmt"
	"hash/crc32"
	"net/netip"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// destinations are the properties that say where a route leads to: in Route, and inline.
var destinations = []string{"destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId", "cidrBlock", "ipv6CidrBlock"}

func destination(r cloud.Object) string {
	for _, key := range destinations {
		if v := r.String(key); v != "" {
			if p := block(v); p.IsValid() {
				return p.Masked().String()
			}
			return v
		}
	}
	return ""
}

// tableVPC returns the VPC of a route table, a VPC's main table included; "" when there is none such.
func tableVPC(c *cloud.Call, id string) string {
	if t := c.Find(routeTableType, id); t != nil {
		return t.Out.String("vpcId")
	}
	if v := byProperty(c.All(vpcType), "mainRouteTableId", id); v != nil {
		return v.ID
	}
	return ""
}

// checkRoute refuses what CreateRoute refuses of one route in a table of the VPC.
func checkRoute(c *cloud.Call, r cloud.Object, table, vpc string) error {
	const op = "CreateRoute"
	if err := routeTarget(c, r, table, vpc); err != nil {
		return err
	}
	v := c.Find(vpcType, vpc)
	to, err := netip.ParsePrefix(destination(r))
	if err != nil || v == nil {
		return nil
	}
	if local := block(v.Out.String("cidrBlock")); inside(to, local) && (to == local || r.String("gatewayId") != "" || r.String("vpcPeeringConnectionId") != "") {
		return ec2(op, "InvalidParameterValue", "The destination CIDR block %s is equal to or more specific than one of this VPC's CIDR blocks. This route can target only an interface or an instance.", to)
	}
	return nil
}

func routeTarget(c *cloud.Call, r cloud.Object, table, vpc string) error {
	const op = "CreateRoute"
	foreign := func(kind, id string) error {
		return ec2(op, "InvalidParameterValue", "route table %s and %s %s belong to different networks", table, kind, id)
	}
	if id := r.String("gatewayId"); id != "" && id != "local" {
		if strings.HasPrefix(id, "vpce-") {
			return ec2(op, "InvalidParameterValue", "Cannot create or replace a prefix list route targeting a VPC endpoint %s; associate the route table with the endpoint instead.", id)
		}
		g := c.Find(internetGatewayType, id)
		if g == nil {
			return ec2(op, "InvalidInternetGatewayID.NotFound", "The internetGateway ID '%s' does not exist", id)
		}
		if g.Out.String("vpcId") != vpc {
			return foreign("network gateway", id)
		}
	}
	if id := r.String("natGatewayId"); id != "" {
		n := c.Find(natGatewayType, id)
		if n == nil {
			return ec2(op, "InvalidNatGatewayID.NotFound", "The natGateway ID '%s' does not exist", id)
		}
		if s := c.Find(subnetType, n.Out.String("subnetId")); s == nil || s.Out.String("vpcId") != vpc {
			return foreign("NAT gateway", id)
		}
	}
	if id := r.String("networkInterfaceId"); id != "" {
		at := interfaceVPC(c, id)
		if at == "" {
			return ec2(op, "InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '%s' does not exist", id)
		}
		if at != vpc {
			return foreign("interface", id)
		}
		if i := byProperty(c.All(instanceType), "primaryNetworkInterfaceId", id); i != nil && i.In.Has("sourceDestCheck") && i.Out.Bool("sourceDestCheck") {
			c.Warn("route table %s sends traffic to instance %s, which drops it: its source/destination check is on", table, i.ID)
		}
	}
	if id := r.String("vpcPeeringConnectionId"); id != "" {
		found := false
		for _, p := range c.Everywhere(peeringType) {
			found = found || p.ID == id && (p.Out.String("vpcId") == vpc || p.Out.String("peerVpcId") == vpc)
		}
		if !found {
			return ec2(op, "InvalidVpcPeeringConnectionID.NotFound", "The vpcPeeringConnection ID '%s' does not exist", id)
		}
	}
	if id := r.String("vpcEndpointId"); id != "" && c.Find(vpcEndpointType, id) == nil {
		return ec2(op, "InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '%s' does not exist", id)
	}
	return nil
}

// routesOf lists the destinations that a table already has: inline and of other Route resources.
func routesOf(c *cloud.Call, table string) map[string]bool {
	out := map[string]bool{}
	for _, r := range c.All(routeType) {
		if r.Out.String("routeTableId") == table {
			out[destination(r.Out)] = true
		}
	}
	if t := c.Find(routeTableType, table); t != nil && c.Type != routeTableType {
		for _, r := range t.In.Objects("routes") {
			out[destination(r)] = true
		}
	}
	return out
}

func route() cloud.Type {
	return cloud.Type{
		Token: routeType,
		Check: func(c *cloud.CheckCall) {
			checkCIDR(c, "destinationCidrBlock", c.In["destinationCidrBlock"])
			checkCIDR(c, "destinationIpv6CidrBlock", c.In["destinationIpv6CidrBlock"])
		},
		Create: func(c *cloud.Call) error {
			table, to := c.In.String("routeTableId"), destination(c.In)
			vpc := tableVPC(c, table)
			if vpc == "" {
				return ec2("CreateRoute", "InvalidRouteTableID.NotFound", "The routeTable ID '%s' does not exist", table)
			}
			if routesOf(c, table)[to] {
				return ec2("CreateRoute", "RouteAlreadyExists", "The route identified by %s already exists.", to)
			}
			if err := checkRoute(c, c.In, table, vpc); err != nil {
				return err
			}
			c.ID = fmt.Sprintf("r-%s%d", table, crc32.ChecksumIEEE([]byte(to)))
			c.Out["state"], c.Out["origin"] = "active", "CreateRoute"
			routeInstance(c)
			return nil
		},
		Update: func(c *cloud.Call) error {
			table := c.In.String("routeTableId")
			routeInstance(c)
			return checkRoute(c, c.In, table, tableVPC(c, table))
		},
		Recomputed: map[string][]string{"networkInterfaceId": {"instanceId", "instanceOwnerId"}},
		Takes:      cloud.Durations{Create: seconds(1), Update: seconds(1), Delete: seconds(1)},
	}
}

// routeInstance fills in whose interface a route leads to.
func routeInstance(c *cloud.Call) {
	c.Out["instanceId"], c.Out["instanceOwnerId"] = "", ""
	computed(c, "networkInterfaceId", "")
	if i := byProperty(c.All(instanceType), "primaryNetworkInterfaceId", c.In.String("networkInterfaceId")); i != nil {
		c.Out["instanceId"], c.Out["instanceOwnerId"] = i.ID, accountID
	}
}

func routeTable() cloud.Type {
	inline := func(c *cloud.Call) error {
		seen := routesOf(c, c.ID)
		for _, r := range c.In.Objects("routes") {
			if to := destination(r); seen[to] {
				return ec2("CreateRoute", "RouteAlreadyExists", "The route identified by %s already exists.", to)
			} else {
				seen[to] = true
			}
			if err := checkRoute(c, r, c.ID, c.In.String("vpcId")); err != nil {
				return err
			}
		}
		return nil
	}
	return cloud.Type{
		Token: routeTableType,
		Check: func(c *cloud.CheckCall) {
			for i, r := range c.In.Objects("routes") {
				checkCIDR(c, fmt.Sprintf("routes[%d].cidrBlock", i), r["cidrBlock"])
				checkCIDR(c, fmt.Sprintf("routes[%d].ipv6CidrBlock", i), r["ipv6CidrBlock"])
			}
		},
		Create: func(c *cloud.Call) error {
			if c.Find(vpcType, c.In.String("vpcId")) == nil {
				return ec2("CreateRouteTable", "InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", c.In.String("vpcId"))
			}
			c.ID = ec2ID(c.Gen, "rtb")
			c.Out["arn"] = arn("ec2", c.Scope, "route-table/"+c.ID)
			c.Out["ownerId"] = accountID
			computed(c, "routes", []any{})
			computed(c, "propagatingVgws", []any{})
			return inline(c)
		},
		Update: inline,
		Takes:  cloud.Durations{Create: seconds(1), Update: seconds(1), Delete: seconds(1)},
	}
}

func routeTableAssociation() cloud.Type {
	check := func(c *cloud.Call) error {
		const op = "AssociateRouteTable"
		table := c.In.String("routeTableId")
		vpc := tableVPC(c, table)
		if vpc == "" {
			return ec2(op, "InvalidRouteTableID.NotFound", "The routeTable ID '%s' does not exist", table)
		}
		if id := c.In.String("subnetId"); id != "" {
			s := c.Find(subnetType, id)
			if s == nil {
				return ec2(op, "InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist", id)
			}
			if s.Out.String("vpcId") != vpc {
				return ec2(op, "InvalidParameterValue", "Route table %s and subnet %s belong to different networks", table, id)
			}
		}
		if id := c.In.String("gatewayId"); id != "" && c.Find(internetGatewayType, id) == nil {
			return ec2(op, "InvalidGatewayID.NotFound", "The gateway ID '%s' does not exist", id)
		}
		if c.Clash("subnetId") != nil || c.Clash("gatewayId") != nil {
			return ec2(op, "Resource.AlreadyAssociated", "the specified association for route table %s conflicts with an existing association", table)
		}
		return nil
	}
	return cloud.Type{
		Token: associationType,
		Create: func(c *cloud.Call) error {
			c.ID = ec2ID(c.Gen, "rtbassoc")
			return check(c)
		},
		Update: check,
		Takes:  cloud.Durations{Create: seconds(1), Update: seconds(1), Delete: seconds(1)},
	}
}
