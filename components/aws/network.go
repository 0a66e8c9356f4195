package aws

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// NetworkType is the type token of Network.
const NetworkType = "morphee:aws:Network"

// NatMode says how private subnets reach the internet.
type NatMode string

// The ways out, cheapest first.
const (
	NatNone     NatMode = "none"     // no way out: only VPC endpoints
	NatInstance NatMode = "instance" // one small instance: cheapest, no failover
	NatSingle   NatMode = "single"   // one managed gateway: a zone's failure cuts all off
	NatPerZone  NatMode = "perZone"  // one managed gateway per zone: no shared failure, most expensive
)

// NetworkArgs are the decisions about a region's network.
type NetworkArgs struct {
	// Region such as "eu-central-1"; required. Changing it replaces everything.
	Region string
	// RegionIndex picks the region's slot of the address plan, 0 to 63; every region of a stack has
	// its own. Changing it replaces the network.
	RegionIndex int
	// Zones are full names, such as "eu-central-1a"; 2 to 6 of letters a to h, each once. Default:
	// the region's letters a and b. Adding one moves nothing.
	Zones []string
	// IsolatedTier adds one subnet per zone without any way to the internet. Default false. Adding
	// it moves nothing.
	IsolatedTier bool
	// Nat is how private subnets reach the internet; default NatSingle. Changing it replaces routes
	// only; the public address that others see changes.
	Nat NatMode
	// NatInstanceType for NatInstance; default "t4g.nano" (ARM). Changing it restarts the instance.
	NatInstanceType string
	// Endpoints are the interface endpoints to have, by the service's short name such as "ecr.api".
	// Default none. Needed where Nat is none. Each costs by the hour and zone.
	Endpoints []string
	// FlowLogRetentionDays as CloudWatch allows them; default 90.
	FlowLogRetentionDays int
	// LogKmsKeyArn encrypts the flow logs; required.
	LogKmsKeyArn pulumi.StringInput
	// AccountID of the account; required. Part of the flow logs' trust policy.
	AccountID pulumi.StringInput
	Tags      base.Tags
}

// ZoneSubnet is one subnet in one zone.
type ZoneSubnet struct {
	Zone   string // full name
	Letter string // the zone's letter, stable part of logical names
	Cidr   string
	ID     pulumi.StringOutput
}

// Network is a VPC with public and private subnets, its ways out, endpoints and flow logs.
type Network struct {
	pulumi.ResourceState
	VpcID pulumi.StringOutput
	// VpcCidr is the region's whole address block.
	VpcCidr string
	// Public, Private and Isolated (empty unless asked for) subnets, sorted by zone.
	Public, Private, Isolated []ZoneSubnet
	// PublicSubnetIDs, PrivateSubnetIDs, IsolatedSubnetIDs are the same as lists of ids.
	PublicSubnetIDs, PrivateSubnetIDs, IsolatedSubnetIDs pulumi.StringArrayOutput
	// S3PrefixListID is the prefix list of the S3 gateway endpoint, for egress rules.
	S3PrefixListID pulumi.StringOutput
	// EndpointSecurityGroupID guards the interface endpoints; nil when there are none.
	EndpointSecurityGroupID pulumi.StringPtrOutput
	// NatPublicIPs are the addresses that others see, by zone; empty without NAT.
	NatPublicIPs pulumi.StringArrayOutput
	hasEndpoints bool
	// ready are the routes and endpoints that a task in a private subnet needs to start.
	ready []pulumi.Resource
}
