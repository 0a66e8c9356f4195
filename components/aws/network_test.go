package aws

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/recorder"
)

func networkArgs(change func(*NetworkArgs)) *NetworkArgs {
	args := &NetworkArgs{Region: testRegion, LogKmsKeyArn: keyArn("logs"), AccountID: pulumi.String(testAccount), Tags: testTags}
	if change != nil {
		change(args)
	}
	return args
}

// networks registers one network for each change.
func networks(t *testing.T, changes ...func(*NetworkArgs)) []recorder.Resource {
	t.Helper()
	return register(t, func(ctx *pulumi.Context) error {
		for i, change := range changes {
			if _, err := NewNetwork(ctx, fmt.Sprintf("net%d", i+1), networkArgs(change)); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestNetworkTwice(t *testing.T) {
	list := networks(t, nil, func(a *NetworkArgs) { a.RegionIndex = 1 })
	recorder.ExpectCounts(t, list, map[string]int{
		NetworkType: 2, "aws:ec2/vpc:Vpc": 2, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": 2, "aws:ec2/subnet:Subnet": 8,
		"aws:ec2/internetGateway:InternetGateway": 2, "aws:ec2/routeTable:RouteTable": 6, "aws:ec2/routeTableAssociation:RouteTableAssociation": 8, "aws:ec2/route:Route": 6,
		"aws:ec2/eip:Eip": 2, "aws:ec2/natGateway:NatGateway": 2, "aws:ec2/networkAcl:NetworkAcl": 2, "aws:ec2/vpcEndpoint:VpcEndpoint": 2, "aws:ec2/flowLog:FlowLog": 2,
		"aws:cloudwatch/logGroup:LogGroup": 2, "aws:iam/role:Role": 2, "aws:iam/rolePolicy:RolePolicy": 2,
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:ec2/vpc:Vpc", "net2-vpc"), map[string]any{"cidrBlock": "10.65.0.0/16", "enableDnsHostnames": true, "tags.owner": "platform", "tags.phase": "3"})
	recorder.Expect(t, recorder.Must(t, list, "aws:ec2/subnet:Subnet", "net1-public-a"), map[string]any{"cidrBlock": "10.64.128.0/21", "availabilityZone": "eu-central-1a", "mapPublicIpOnLaunch": false})
	recorder.Expect(t, recorder.Must(t, list, "aws:ec2/subnet:Subnet", "net1-private-b"), map[string]any{"cidrBlock": "10.64.16.0/20", "availabilityZone": "eu-central-1b", "mapPublicIpOnLaunch": false})
	closed := recorder.Must(t, list, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "net1-default")
	for _, direction := range []string{"ingress", "egress"} {
		if rules, ok := closed.Input(direction).([]any); !ok || len(rules) != 0 {
			t.Errorf("default security group: %s is %v, want an empty list", direction, closed.Input(direction))
		}
	}
	recorder.Expect(t, recorder.Must(t, list, "aws:cloudwatch/logGroup:LogGroup", "net1-flow-logs"), map[string]any{"retentionInDays": 90, "kmsKeyId": "arn:aws:kms:eu-central-1:123456789012:key/logs"})
	recorder.Expect(t, recorder.Must(t, list, "aws:ec2/flowLog:FlowLog", "net1-flow-log"), map[string]any{"trafficType": "ALL", "vpcId": "net1-vpc-id", "logDestination": "arn:aws:net1-flow-logs"})
	recorder.Expect(t, recorder.Must(t, list, "aws:ec2/vpcEndpoint:VpcEndpoint", "net1-endpoint-s3"), map[string]any{
		"serviceName": "com.amazonaws.eu-central-1.s3", "vpcEndpointType": "Gateway", "routeTableIds.0": "net1-public-routes-id", "routeTableIds.1": "net1-private-a-routes-id", "routeTableIds.2": "net1-private-b-routes-id",
	})
	acl := recorder.Must(t, list, "aws:ec2/networkAcl:NetworkAcl", "net1-private-acl")
	recorder.Expect(t, acl, map[string]any{
		"ingress.0.cidrBlock": "10.64.0.0/16", "ingress.1.cidrBlock": "0.0.0.0/0", "ingress.1.fromPort": 32768, "ingress.1.protocol": "tcp",
		"subnetIds.0": "net1-private-a-id", "subnetIds.1": "net1-private-b-id",
	})
	trust := policyOf(t, recorder.Must(t, list, "aws:iam/role:Role", "net1-flow-logs-role"), "assumeRolePolicy")
	if got := fmt.Sprint(statement(t, trust, "Assume").Condition["StringEquals"]["aws:SourceAccount"]); got != "["+testAccount+"]" {
		t.Errorf("flow log role can be taken for %s", got)
	}
}

// No private or isolated subnet has a route to the internet gateway, in any mode, and none shares a
// route table with a public one.
func TestNetworkPrivateRoutes(t *testing.T) {
	for _, mode := range natModes {
		t.Run(string(mode), func(t *testing.T) {
			list := networks(t, func(a *NetworkArgs) { a.Nat, a.IsolatedTier = mode, true })
			tables := map[string]string{} // table -> tier
			for _, r := range list {
				if r.Type == "aws:ec2/routeTableAssociation:RouteTableAssociation" {
					tier := strings.Split(r.Input("subnetId").(string), "-")[1]
					table := r.Input("routeTableId").(string)
					if tables[table] != "" && tables[table] != tier {
						t.Errorf("%s is of both %s and %s subnets", table, tables[table], tier)
					}
					tables[table] = tier
				}
			}
			targets := 0
			for _, r := range list {
				if r.Type != "aws:ec2/route:Route" {
					continue
				}
				tier := tables[r.Input("routeTableId").(string)]
				if gateway := r.Input("gatewayId"); gateway != nil && tier != "public" {
					t.Errorf("%s: a %s table has a route to %v", r.Name, tier, gateway)
				}
				if tier == "isolated" {
					t.Errorf("%s: isolated subnets have a route", r.Name)
				}
				if tier == "private" && (r.Input("natGatewayId") != nil) != (r.Input("networkInterfaceId") != nil) {
					targets++
				}
			}
			if want := map[NatMode]int{NatNone: 0, NatInstance: 2, NatSingle: 2, NatPerZone: 2}[mode]; targets != want {
				t.Errorf("%d private default routes, want %d", targets, want)
			}
		})
	}
}

func TestNetworkNat(t *testing.T) {
	for _, c := range []struct {
		mode                   NatMode
		gateways, eips, routes int
		target, first, third   string
	}{
		{NatNone, 0, 0, 1, "", "", ""},
		{NatInstance, 0, 1, 4, "networkInterfaceId", "net1-nat-instance-interface-id", "net1-nat-instance-interface-id"},
		{NatSingle, 1, 1, 4, "natGatewayId", "net1-nat-a-id", "net1-nat-a-id"},
		{NatPerZone, 3, 3, 4, "natGatewayId", "net1-nat-a-id", "net1-nat-c-id"},
	} {
		t.Run(string(c.mode), func(t *testing.T) {
			list := networks(t, func(a *NetworkArgs) {
				a.Nat, a.Zones = c.mode, []string{"eu-central-1c", "eu-central-1a", "eu-central-1b"}
			})
			n := recorder.Count(list)
			if n["aws:ec2/natGateway:NatGateway"] != c.gateways || n["aws:ec2/eip:Eip"] != c.eips || n["aws:ec2/route:Route"] != c.routes {
				t.Errorf("%d gateways, %d addresses, %d routes", n["aws:ec2/natGateway:NatGateway"], n["aws:ec2/eip:Eip"], n["aws:ec2/route:Route"])
			}
			if c.target == "" {
				return
			}
			recorder.Expect(t, recorder.Must(t, list, "aws:ec2/route:Route", "net1-private-a-out"), map[string]any{c.target: c.first})
			recorder.Expect(t, recorder.Must(t, list, "aws:ec2/route:Route", "net1-private-c-out"), map[string]any{c.target: c.third})
		})
	}
	list := networks(t, func(a *NetworkArgs) { a.Nat = NatInstance })
	recorder.Expect(t, recorder.Must(t, list, "aws:ec2/networkInterface:NetworkInterface", "net1-nat-instance-interface"), map[string]any{"sourceDestCheck": false, "subnetId": "net1-public-a-id"})
	recorder.Expect(t, recorder.Must(t, list, "aws:ec2/launchTemplate:LaunchTemplate", "net1-nat-instance-template"), map[string]any{
		"metadataOptions.httpTokens": "required", "blockDeviceMappings.0.ebs.encrypted": "true", "imageId": natInstanceImage,
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "net1-nat-instance-sg-vpc-in"), map[string]any{"cidrIpv4": "10.64.0.0/16"})
	if r := recorder.Must(t, list, "aws:ec2/instance:Instance", "net1-nat-instance"); !r.DeleteBeforeReplace {
		t.Error("the NAT instance must go before the next one takes its network interface")
	}
}

// Whatever is changed here, everything that was there keeps its name and all inputs that would
// replace it.
func TestNetworkChangesMoveNothing(t *testing.T) {
	replacing := map[string][]string{
		"aws:ec2/vpc:Vpc":                                     {"cidrBlock"},
		"aws:ec2/subnet:Subnet":                               {"cidrBlock", "availabilityZone", "vpcId"},
		"aws:ec2/routeTable:RouteTable":                       {"vpcId"},
		"aws:ec2/routeTableAssociation:RouteTableAssociation": {"subnetId"},
		"aws:ec2/vpcEndpoint:VpcEndpoint":                     {"serviceName", "vpcId"},
		"aws:ec2/networkAcl:NetworkAcl":                       {"vpcId"},
		"aws:ec2/flowLog:FlowLog":                             {"vpcId", "logDestination", "iamRoleArn", "maxAggregationInterval"},
		"aws:ec2/internetGateway:InternetGateway":             nil,
		"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup":   {"vpcId"},
		"aws:cloudwatch/logGroup:LogGroup":                    {"name"},
	}
	before := networks(t, nil)
	for name, change := range map[string]func(*NetworkArgs){
		"a third zone":     func(a *NetworkArgs) { a.Zones = []string{"eu-central-1a", "eu-central-1b", "eu-central-1c"} },
		"zones reordered":  func(a *NetworkArgs) { a.Zones = []string{"eu-central-1b", "eu-central-1a"} },
		"an isolated tier": func(a *NetworkArgs) { a.IsolatedTier = true },
		"nat none":         func(a *NetworkArgs) { a.Nat = NatNone },
		"nat instance":     func(a *NetworkArgs) { a.Nat = NatInstance },
		"nat per zone":     func(a *NetworkArgs) { a.Nat = NatPerZone },
		"endpoints":        func(a *NetworkArgs) { a.Endpoints = []string{"ecr.api", "ecr.dkr"} },
		"retention":        func(a *NetworkArgs) { a.FlowLogRetentionDays = 365 },
	} {
		t.Run(name, func(t *testing.T) {
			after := networks(t, change)
			for _, old := range before {
				properties, kept := replacing[old.Type]
				if !kept {
					continue // routes' targets and NAT itself may change
				}
				now, err := recorder.Find(after, old.Type, old.Name)
				if err != nil {
					t.Error(err)
					continue
				}
				for _, p := range properties {
					if now.Input(p) != old.Input(p) {
						t.Errorf("%s: %s goes from %v to %v", old.Name, p, old.Input(p), now.Input(p))
					}
				}
			}
		})
	}
}

func TestNetworkEndpoints(t *testing.T) {
	var connection []Connection
	list := register(t, func(ctx *pulumi.Context) error {
		n, err := NewNetwork(ctx, "net1", networkArgs(func(a *NetworkArgs) { a.Nat, a.Endpoints = NatNone, []string{"logs", "ecr.api"} }))
		if err == nil {
			connection = n.EndpointConnection()
		}
		return err
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:ec2/vpcEndpoint:VpcEndpoint", "net1-endpoint-ecr-api"), map[string]any{
		"serviceName": "com.amazonaws.eu-central-1.ecr.api", "vpcEndpointType": "Interface", "privateDnsEnabled": true,
		"securityGroupIds.0": "net1-endpoints-sg-id", "subnetIds.0": "net1-private-a-id", "subnetIds.1": "net1-private-b-id",
	})
	if n := recorder.Count(list); n["aws:ec2/vpcEndpoint:VpcEndpoint"] != 3 || n["aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"] != 0 {
		t.Errorf("%v: want three endpoints, closed until a client opens its own way", n)
	}
	if len(connection) != 1 || connection[0].Port != 443 {
		t.Errorf("connection to the endpoints: %v", connection)
	}
}

func TestNetworkRefuses(t *testing.T) {
	for field, change := range map[string]func(*NetworkArgs){
		"Region: got":         func(a *NetworkArgs) { a.Region = "eu-central" },
		"RegionIndex: got 64": func(a *NetworkArgs) { a.RegionIndex = 64 },
		"RegionIndex: got -1": func(a *NetworkArgs) { a.RegionIndex = -1 },
		"Zones: got 1":        func(a *NetworkArgs) { a.Zones = []string{"eu-central-1a"} },
		"Zones: got 7": func(a *NetworkArgs) {
			a.Zones = strings.Fields("eu-central-1a eu-central-1b eu-central-1c eu-central-1d eu-central-1e eu-central-1f eu-central-1g")
		},
		"each zone once":               func(a *NetworkArgs) { a.Zones = []string{"eu-central-1a", "eu-central-1a"} },
		"Zones: got us-east-1a":        func(a *NetworkArgs) { a.Zones = []string{"eu-central-1b", "us-east-1a"} },
		"Zones: got eu-central-1z":     func(a *NetworkArgs) { a.Zones = []string{"eu-central-1b", "eu-central-1z"} },
		"Nat: got both":                func(a *NetworkArgs) { a.Nat = "both" },
		"NatInstanceType: got t3.nano": func(a *NetworkArgs) { a.NatInstanceType = "t3.nano" },
		"Endpoints: got s3":            func(a *NetworkArgs) { a.Endpoints = []string{"s3"} },
		"Endpoints: got ECR":           func(a *NetworkArgs) { a.Endpoints = []string{"ECR"} },
		"each service once":            func(a *NetworkArgs) { a.Endpoints = []string{"sts", "sts"} },
		"FlowLogRetentionDays: got 31": func(a *NetworkArgs) { a.FlowLogRetentionDays = 31 },
		"LogKmsKeyArn":                 func(a *NetworkArgs) { a.LogKmsKeyArn = nil },
		"AccountID":                    func(a *NetworkArgs) { a.AccountID = nil },
	} {
		t.Run(field, func(t *testing.T) {
			recorder.Refuses(t, field, func(ctx *pulumi.Context) error {
				_, err := NewNetwork(ctx, "net", networkArgs(change))
				return err
			})
		})
	}
}

// Every ingress or egress rule says what it is for, and no group has rules inside it.
func wantSeparateRules(t *testing.T, list []recorder.Resource) {
	t.Helper()
	for _, r := range list {
		switch {
		case r.Type == "aws:ec2/securityGroup:SecurityGroup":
			if r.Input("ingress") != nil || r.Input("egress") != nil || r.Input("description") == nil {
				t.Errorf("%s: want a description, and rules apart from the group", r.Name)
			}
		case strings.HasPrefix(r.Type, "aws:vpc/securityGroup"):
			if s, _ := r.Input("description").(string); strings.TrimSpace(s) == "" {
				t.Errorf("%s: no description", r.Name)
			}
		}
	}
}

// publicSources lists the ports that rules open to everyone.
func publicSources(list []recorder.Resource) []int {
	var ports []int
	for _, r := range list {
		if r.Type == "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule" && r.Input("cidrIpv4") == anywhere {
			ports = append(ports, int(r.Input("fromPort").(float64)))
		}
	}
	slices.Sort(ports)
	return ports
}
