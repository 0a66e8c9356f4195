package aws

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
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
	NatSingle   NatMode = "single"   // one managed gateway: its zone's failure cuts all off
	NatPerZone  NatMode = "perZone"  // one managed gateway per zone: no shared failure, most expensive
)

var natModes = []NatMode{NatNone, NatInstance, NatSingle, NatPerZone}

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
	// Nat is how private subnets reach the internet; default NatSingle. Changing it replaces routes'
	// targets only; the public address that others see changes.
	Nat NatMode
	// NatInstanceType for NatInstance; default "t4g.nano", an ARM type. Changing it restarts the
	// instance.
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
	EndpointSecurityGroupID *pulumi.StringOutput
	// NatPublicIPs are the addresses that others see, by zone; empty without NAT.
	NatPublicIPs pulumi.StringArrayOutput

	tags               base.Tags
	ready, publicReady []pulumi.Resource
}

var (
	endpointName = regexp.MustCompile(`^[a-z0-9]+([.-][a-z0-9]+)*$`)
	armInstance  = regexp.MustCompile(`^[a-z]+[0-9]+g[a-z]*\.[a-z0-9]+$`)
)

func (a *NetworkArgs) validate(name string) error {
	p := base.Check("Network", name)
	p.Require(regionPattern.MatchString(a.Region), "Region", a.Region, "an AWS region such as eu-central-1", "")
	p.Require(a.RegionIndex >= 0 && a.RegionIndex < MaxRegions, "RegionIndex", a.RegionIndex, fmt.Sprintf("0 to %d", MaxRegions-1), "")
	a.Zones = zonesOf(p, a.Region, a.Zones)
	p.Require(slices.Contains(natModes, a.Nat), "Nat", a.Nat, fmt.Sprint("one of ", natModes), "")
	p.Require(armInstance.MatchString(a.NatInstanceType), "NatInstanceType", a.NatInstanceType, "an ARM instance type such as t4g.nano", "")
	seen := map[string]bool{}
	for _, e := range a.Endpoints {
		p.Require(endpointName.MatchString(e) && e != "s3", "Endpoints", e, "a service with an interface endpoint, such as ecr.api (s3 has its gateway endpoint always)", "")
		p.Require(!seen[e], "Endpoints", e, "each service once", "")
		seen[e] = true
	}
	requireRetention(p, "FlowLogRetentionDays", a.FlowLogRetentionDays)
	p.Require(a.LogKmsKeyArn != nil, "LogKmsKeyArn", "nothing", "the ARN of a customer KMS key", "")
	p.Require(a.AccountID != nil, "AccountID", "nothing", "the account's 12 digits", "")
	return p.Err()
}

// NewNetwork registers the network.
func NewNetwork(ctx *pulumi.Context, name string, in *NetworkArgs, opts ...pulumi.ResourceOption) (*Network, error) {
	args := *in
	setDefault(&args.Nat, NatSingle)
	setDefault(&args.NatInstanceType, "t4g.nano")
	setDefault(&args.FlowLogRetentionDays, 90)
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &Network{tags: args.Tags}
	if err := ctx.RegisterComponentResourceV2(NetworkType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	plan := AddressPlan{RegionIndex: args.RegionIndex}
	block, err := plan.Vpc()
	if err != nil {
		return nil, err
	}
	c.VpcCidr = block.String()
	vpc, err := ec2.NewVpc(ctx, name+"-vpc", &ec2.VpcArgs{
		CidrBlock: pulumi.String(c.VpcCidr), EnableDnsSupport: pulumi.Bool(true), EnableDnsHostnames: pulumi.Bool(true),
		Tags: args.Tags.Pulumi("Name", name+"-vpc"),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, err
	}
	c.VpcID = vpc.ID().ToStringOutput()
	// Adopted only to be emptied: whatever is started without a group of its own can talk to nobody.
	if _, err := ec2.NewDefaultSecurityGroup(ctx, name+"-default", &ec2.DefaultSecurityGroupArgs{
		VpcId: vpc.ID(), Ingress: ec2.DefaultSecurityGroupIngressArray{}, Egress: ec2.DefaultSecurityGroupEgressArray{},
		Tags: args.Tags.Pulumi("Name", name+"-default-closed"),
	}, pulumi.Parent(c)); err != nil {
		return nil, err
	}
	n := &networkBuilder{ctx: ctx, name: name, args: &args, c: c, plan: plan}
	for _, step := range []func() error{n.subnets, n.routes, n.acl, n.endpoints, n.flowLogs} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"vpcId": c.VpcID, "vpcCidr": pulumi.String(c.VpcCidr), "natPublicIps": c.NatPublicIPs,
		"publicSubnetIds": c.PublicSubnetIDs, "privateSubnetIds": c.PrivateSubnetIDs, "isolatedSubnetIds": c.IsolatedSubnetIDs,
	})
}

// PublicReady is what must exist before anything with a public address: the way out. It is also what
// must stay until that is gone, as a gateway with mapped addresses cannot be detached.
func (c *Network) PublicReady() []pulumi.Resource { return c.publicReady }

// Ready is what must exist before a task in a private subnet can fetch its image and secrets.
func (c *Network) Ready() []pulumi.Resource { return c.ready }

// EndpointConnection is how a service gets to the interface endpoints; none without any.
func (c *Network) EndpointConnection() []Connection {
	if c.EndpointSecurityGroupID == nil {
		return nil
	}
	return []Connection{{Name: "endpoints", SecurityGroupID: *c.EndpointSecurityGroupID, Port: 443}}
}

// networkBuilder carries what the steps of NewNetwork hand to each other.
type networkBuilder struct {
	ctx  *pulumi.Context
	name string
	args *NetworkArgs
	c    *Network
	plan AddressPlan

	publicTable   *ec2.RouteTable
	privateTables map[string]*ec2.RouteTable // by zone letter
	isolatedTable *ec2.RouteTable
	natTarget     map[string]func(*ec2.RouteArgs) // by zone letter: the way out of its private subnet
}
