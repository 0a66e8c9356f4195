package aws

import (
	"fmt"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// list writes values as AWS's messages do.
func list(values []string) string { return strings.Join(values, ", ") }

func internetGateway() cloud.Type {
	attach := func(c *cloud.Call) error {
		id := c.In.String("vpcId")
		if id == "" {
			return nil
		}
		if c.Find(vpcType, id) == nil {
			return ec2("AttachInternetGateway", "InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", id)
		}
		if byProperty(c.All(internetGatewayType), "vpcId", id) != nil {
			return ec2("AttachInternetGateway", "InvalidParameterValue", "Network %s already has an internet gateway attached", id)
		}
		return nil
	}
	detach := func(c *cloud.Call, vpc string) error {
		for _, n := range c.All(natGatewayType) {
			if s := c.Find(subnetType, n.Out.String("subnetId")); s != nil && s.Out.String("vpcId") == vpc && n.Out.String("connectivityType") != "private" {
				return mapped(vpc)
			}
		}
		for _, lb := range c.All(loadBalancerType) {
			if lb.Out.String("vpcId") == vpc && !lb.Out.Bool("internal") {
				return mapped(vpc)
			}
		}
		for _, e := range c.All(eipType) {
			if id := e.Out.String("networkInterface"); id != "" && interfaceVPC(c, id) == vpc {
				return mapped(vpc)
			}
		}
		for _, i := range c.All(instanceType) {
			if i.Out.String("publicIp") != "" && interfaceVPC(c, i.Out.String("primaryNetworkInterfaceId")) == vpc {
				return mapped(vpc)
			}
		}
		return nil
	}
	return cloud.Type{
		Token: internetGatewayType,
		Create: func(c *cloud.Call) error {
			if err := attach(c); err != nil {
				return err
			}
			if len(c.All(internetGatewayType)) >= vpcQuota {
				return ec2("CreateInternetGateway", "InternetGatewayLimitExceeded", "The maximum number of internet gateways has been reached.")
			}
			c.ID = ec2ID(c.Gen, "igw")
			c.Out["arn"] = arn("ec2", c.Scope, "internet-gateway/"+c.ID)
			c.Out["ownerId"] = accountID
			computed(c, "vpcId", "")
			return nil
		},
		Update: func(c *cloud.Call) error {
			if was := c.Old.String("vpcId"); was != "" && was != c.In.String("vpcId") {
				if err := detach(c, was); err != nil {
					return err
				}
			}
			return attach(c)
		},
		Delete: func(c *cloud.Call) error { return detach(c, c.Old.String("vpcId")) },
		Takes:  cloud.Durations{Create: seconds(1), Delete: seconds(20)},
	}
}

// mapped is the refusal to cut off public addresses.
func mapped(vpc string) error {
	return ec2("DetachInternetGateway", "DependencyViolation", "Network %s has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.", vpc)
}

func eip() cloud.Type {
	associate := func(c *cloud.Call) error {
		if id := c.In.String("instance"); id != "" && c.Find(instanceType, id) == nil {
			return ec2("AssociateAddress", "InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", id)
		}
		if id := c.In.String("networkInterface"); id != "" && !interfaceExists(c, id) {
			return ec2("AssociateAddress", "InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '%s' does not exist", id)
		}
		return nil
	}
	return cloud.Type{
		Token: eipType,
		Create: func(c *cloud.Call) error {
			if len(c.All(eipType)) >= eipQuota {
				return ec2("AllocateAddress", "AddressLimitExceeded", "The maximum number of addresses has been reached.")
			}
			if err := associate(c); err != nil {
				return err
			}
			c.ID = ec2ID(c.Gen, "eipalloc")
			address := publicAddress(c)
			c.Out["allocationId"], c.Out["publicIp"] = c.ID, address
			c.Out["publicDns"] = "ec2-" + strings.ReplaceAll(address, ".", "-") + "." + computeDomain(c.Scope)
			c.Out["arn"] = arn("ec2", c.Scope, "elastic-ip/"+c.ID)
			c.Out["associationId"], c.Out["privateIp"], c.Out["privateDns"] = "", "", ""
			c.Out["carrierIp"], c.Out["customerOwnedIp"], c.Out["ptrRecord"] = "", "", ""
			computed(c, "domain", "vpc")
			computed(c, "vpc", true)
			computed(c, "instance", "")
			computed(c, "networkInterface", "")
			computed(c, "networkBorderGroup", c.Scope)
			computed(c, "publicIpv4Pool", "amazon")
			if c.In.Has("instance") || c.In.Has("networkInterface") {
				c.Out["associationId"] = ec2ID(c.Gen, "eipassoc")
			}
			return nil
		},
		Update: associate,
		InUse: []cloud.Ref{
			{Type: natGatewayType, Path: "allocationId", Error: addressInUse}, {Type: natGatewayType, Path: "secondaryAllocationIds", Error: addressInUse},
			{Type: loadBalancerType, Path: "subnetMappings.*.allocationId", Error: addressInUse},
		},
		Takes: cloud.Durations{Create: seconds(1), Delete: seconds(2)},
	}
}

func addressInUse(self, by *cloud.Resource) error {
	return ec2("ReleaseAddress", "InvalidIPAddress.InUse", "Address %s is in use (%s %s).", self.Out.String("publicIp"), by.Type, by.ID)
}

// publicAddress picks a free address of the blocks that are set aside for documentation: nothing of
// the simulator can ever be taken for, or reach, a real host.
func publicAddress(c *cloud.Call) string {
	start := c.Gen.Number("public", 0, 507)
	for i := range 508 {
		n := (start + i) % 508
		a := fmt.Sprintf("%s.%d", []string{"203.0.113", "198.51.100"}[n/254], n%254+1)
		if byProperty(c.Everywhere(eipType), "publicIp", a) == nil {
			return a
		}
	}
	return "203.0.113.255"
}

func computeDomain(region string) string {
	if region == "us-east-1" {
		return "compute-1.amazonaws.com"
	}
	return region + ".compute.amazonaws.com"
}

// privateName is the default host name of an address in a VPC.
func privateName(region, address string) string {
	domain := region + ".compute.internal"
	if region == "us-east-1" {
		domain = "ec2.internal"
	}
	return "ip-" + strings.ReplaceAll(address, ".", "-") + "." + domain
}

func natGateway() cloud.Type {
	return cloud.Type{
		Token:  natGatewayType,
		Create: createNAT,
		Takes:  cloud.Durations{Create: minutes(2), Delete: minutes(1)},
	}
}

func createNAT(c *cloud.Call) error {
	s := c.Find(subnetType, c.In.String("subnetId"))
	if s == nil {
		return ec2("CreateNatGateway", "InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist", c.In.String("subnetId"))
	}
	allocation, private := c.In.String("allocationId"), c.In.String("connectivityType") == "private"
	switch {
	case private && allocation != "":
		return ec2("CreateNatGateway", "InvalidParameter", "An AllocationId must not be specified for a private NAT gateway.")
	case !private && allocation == "":
		return ec2("CreateNatGateway", "MissingParameter", "The request must include the AllocationId parameter. Add the required parameter and retry the request.")
	}
	zone, count := s.Out.String("availabilityZone"), 0
	for _, n := range c.All(natGatewayType) {
		if other := c.Find(subnetType, n.Out.String("subnetId")); other != nil && other.Out.String("availabilityZone") == zone {
			count++
		}
		if allocation != "" && n.Out.String("allocationId") == allocation {
			return ec2("CreateNatGateway", "Resource.AlreadyAssociated", "Elastic IP address [%s] is already associated", allocation)
		}
	}
	if count >= natQuota {
		return ec2("CreateNatGateway", "NatGatewayLimitExceeded", "Performing this operation would exceed the limit of %d NAT gateways", natQuota)
	}
	c.ID = ec2ID(c.Gen, "nat")
	c.Out["associationId"], c.Out["publicIp"] = "", ""
	if !private {
		address := c.Find(eipType, allocation)
		if address == nil {
			return ec2("CreateNatGateway", "InvalidAllocationID.NotFound", "The allocation ID '%s' does not exist", allocation)
		}
		if vpc := s.Out.String("vpcId"); !hasInternetGateway(c.World, c.Scope, vpc) {
			return cloud.Refuse("Gateway.NotAttached", "waiting for EC2 NAT Gateway (%s) create: unexpected state 'failed', wanted target 'available'. last error: Gateway.NotAttached: Network %s has no Internet gateway attached", c.ID, vpc)
		}
		c.Out["publicIp"] = address.Out["publicIp"]
		c.Out["associationId"] = ec2ID(c.Gen, "eipassoc")
	}
	if want := c.In.String("privateIp"); want != "" && (!usableAddress(want, s) || addressTaken(c, want, s.ID)) {
		return ec2("CreateNatGateway", "InvalidParameterValue", "Value (%s) for parameter privateIpAddress is invalid. Address is not available in the subnet.", want)
	}
	computed(c, "privateIp", freeAddress(c, "nat", s))
	if c.Out.String("privateIp") == "" {
		return ec2("CreateNatGateway", "InsufficientFreeAddressesInSubnet", "The specified subnet does not have enough free addresses to satisfy the request.")
	}
	c.Out["networkInterfaceId"] = ec2ID(c.Gen, "eni")
	computed(c, "secondaryPrivateIpAddressCount", 0)
	computed(c, "secondaryPrivateIpAddresses", []string{})
	return nil
}

func peering() cloud.Type {
	return cloud.Type{
		Token: peeringType,
		Create: func(c *cloud.Call) error {
			v := c.Find(vpcType, c.In.String("vpcId"))
			if v == nil {
				return ec2("CreateVpcPeeringConnection", "InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", c.In.String("vpcId"))
			}
			region := c.In.String("peerRegion")
			if region != "" && c.In.Bool("autoAccept") && region != c.Scope {
				return cloud.Refuse("InvalidParameterCombination", "`peer_region` cannot be set whilst `auto_accept` is `true` when creating an EC2 VPC Peering Connection")
			}
			if region == "" {
				region = c.Scope
			}
			c.ID = ec2ID(c.Gen, "pcx")
			peer := c.World.Find(region, vpcType, c.In.String("peerVpcId"))
			if peer == nil || block(peer.Out.String("cidrBlock")).Overlaps(block(v.Out.String("cidrBlock"))) {
				return cloud.Refuse("failed", "waiting for EC2 VPC Peering Connection (%s) create: unexpected state 'failed', wanted target 'active, pending-acceptance'. last error: failed: failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range", c.ID)
			}
			c.Out["acceptStatus"] = "pending-acceptance"
			if c.In.Bool("autoAccept") {
				c.Out["acceptStatus"] = "active"
			}
			computed(c, "peerOwnerId", accountID)
			computed(c, "peerRegion", region)
			return nil
		},
		Takes: cloud.Durations{Create: seconds(5)},
	}
}
