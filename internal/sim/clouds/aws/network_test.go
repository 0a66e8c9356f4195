package aws

import (
	"fmt"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

func TestNetworkRefusals(t *testing.T) {
	subnetIn := func(s *simtest.Sim, n plant) props {
		return props{"vpcId": n.vpc.ID, "cidrBlock": "10.20.64.0/24", "availabilityZone": "eu-west-1c"}
	}
	nat := func(s *simtest.Sim, n plant) props {
		return props{"subnetId": n.public[0], "allocationId": s.Must(eipType, "nat", props{"domain": "vpc"}).ID}
	}
	toInternet := func(s *simtest.Sim, n plant) props {
		return props{"routeTableId": n.table, "destinationCidrBlock": "0.0.0.0/0", "gatewayId": n.igw.ID}
	}
	machine := func(s *simtest.Sim, n plant) props {
		return props{"ami": "ami-0123456789abcdef0", "instanceType": "t4g.nano", "subnetId": n.public[0], "vpcSecurityGroupIds": []string{n.group}, "sourceDestCheck": false}
	}
	runRefusals(t, []refusal{
		{"VPC too large", vpcType, "between 16 and 28", fixedInputs(props{"cidrBlock": "10.0.0.0/16"}, props{"cidrBlock": "10.0.0.0/8"})},
		{"VPC with host bits", vpcType, `did you mean "10.0.0.0/16"`, fixedInputs(props{"cidrBlock": "10.0.0.0/16"}, props{"cidrBlock": "10.0.0.5/16"})},
		{"VPC without a block", vpcType, "MissingParameter", fixedInputs(props{"cidrBlock": "10.0.0.0/16"}, props{"cidrBlock": nil})},
		{"host names without resolver", vpcType, "InvalidParameterValue", fixedInputs(props{"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": true}, props{"enableDnsSupport": false})},
		{"subnet of no VPC", subnetType, "InvalidVpcID.NotFound", plus(subnetIn, props{"vpcId": "vpc-0123456789abcdef0"})},
		{"subnet outside its VPC", subnetType, "InvalidSubnet.Range: The CIDR '10.21.0.0/24' is invalid.", plus(subnetIn, props{"cidrBlock": "10.21.0.0/24"})},
		{"subnet larger than its VPC", subnetType, "InvalidSubnet.Range", plus(subnetIn, props{"cidrBlock": "10.16.0.0/12"})},
		{"subnet too small", subnetType, "InvalidSubnet.Range", plus(subnetIn, props{"cidrBlock": "10.20.64.0/29"})},
		{"subnets overlap", subnetType, "InvalidSubnet.Conflict", plus(subnetIn, props{"cidrBlock": "10.20.0.128/25"})},
		{"zone of another region", subnetType, "Value (us-east-1a) for parameter availabilityZone is invalid", plus(subnetIn, props{"availabilityZone": "us-east-1a"})},
		{"zone that does not exist", subnetType, "eu-west-1a, eu-west-1b, eu-west-1c", plus(subnetIn, props{"availabilityZone": "eu-west-1d"})},
		{"zone id that does not exist", subnetType, "availabilityZoneId", plus(subnetIn, props{"availabilityZone": nil, "availabilityZoneId": "use1-az1"})},
		{"second internet gateway", internetGatewayType, "already has an internet gateway attached", on(func(s *simtest.Sim, n plant) (props, props) {
			third := s.Must(vpcType, "third", props{"cidrBlock": "10.40.0.0/16"})
			return props{"vpcId": third.ID}, props{"vpcId": n.vpc.ID}
		})},
		{"NAT gateway without address", natGatewayType, "MissingParameter", plus(nat, props{"allocationId": nil})},
		{"NAT gateway with an unknown address", natGatewayType, "InvalidAllocationID.NotFound", plus(nat, props{"allocationId": "eipalloc-0123456789abcdef0"})},
		{"NAT gateway in no subnet", natGatewayType, "InvalidSubnetID.NotFound", plus(nat, props{"subnetId": "subnet-0123456789abcdef0"})},
		{"private NAT gateway with address", natGatewayType, "must not be specified for a private NAT gateway", plus(nat, props{"connectivityType": "private"})},
		{"NAT gateway where there is no internet gateway", natGatewayType, "Gateway.NotAttached", on(func(s *simtest.Sim, n plant) (props, props) {
			third := s.Must(vpcType, "third", props{"cidrBlock": "10.40.0.0/16"})
			alone := s.Must(subnetType, "alone", props{"vpcId": third.ID, "cidrBlock": "10.40.0.0/24"})
			return nat(s, n), props{"subnetId": alone.ID}
		})},
		{"address used twice", natGatewayType, "Resource.AlreadyAssociated", on(func(s *simtest.Sim, n plant) (props, props) {
			used := n.natGateway(s).In["allocationId"]
			e := s.Must(eipType, "second", props{"domain": "vpc"})
			return props{"subnetId": n.public[1], "allocationId": e.ID}, props{"allocationId": used}
		})},
		{"route in no table", routeType, "InvalidRouteTableID.NotFound", plus(toInternet, props{"routeTableId": "rtb-0123456789abcdef0"})},
		{"route to no gateway", routeType, "InvalidInternetGatewayID.NotFound", plus(toInternet, props{"gatewayId": "igw-0123456789abcdef0"})},
		{"route to another network's gateway", routeType, "belong to different networks", on(func(s *simtest.Sim, n plant) (props, props) {
			table := s.Must(routeTableType, "other", props{"vpcId": n.other})
			return toInternet(s, n), props{"routeTableId": table.ID}
		})},
		{"route to no NAT gateway", routeType, "InvalidNatGatewayID.NotFound", on(func(s *simtest.Sim, n plant) (props, props) {
			return props{"routeTableId": n.table, "destinationCidrBlock": "0.0.0.0/0", "natGatewayId": n.natGateway(s).ID}, props{"natGatewayId": "nat-0123456789abcdef0"}
		})},
		{"route to no interface", routeType, "InvalidNetworkInterfaceID.NotFound", on(func(s *simtest.Sim, n plant) (props, props) {
			i := s.Must(instanceType, "nat", machine(s, n))
			return props{"routeTableId": n.table, "destinationCidrBlock": "0.0.0.0/0", "networkInterfaceId": i.Out["primaryNetworkInterfaceId"]}, props{"networkInterfaceId": "eni-0123456789abcdef0"}
		})},
		{"route twice", routeType, "RouteAlreadyExists", on(func(s *simtest.Sim, n plant) (props, props) {
			s.Must(routeType, "first", toInternet(s, n))
			return with(toInternet(s, n), props{"destinationCidrBlock": "192.0.2.0/24"}), props{"destinationCidrBlock": "0.0.0.0/0"}
		})},
		{"route over the local one", routeType, "equal to or more specific", plus(toInternet, props{"destinationCidrBlock": "10.20.0.0/16"})},
		{"route with host bits", routeType, "did you mean", plus(toInternet, props{"destinationCidrBlock": "192.0.2.1/24"})},
		{"inline routes clash", routeTableType, "RouteAlreadyExists", on(func(s *simtest.Sim, n plant) (props, props) {
			one := props{"cidrBlock": "0.0.0.0/0", "gatewayId": n.igw.ID}
			return props{"vpcId": n.vpc.ID, "routes": []any{one}}, props{"routes": []any{one, props{"cidrBlock": "0.0.0.0/0", "natGatewayId": n.natGateway(s).ID}}}
		})},
		{"subnet in two tables", associationType, "Resource.AlreadyAssociated", on(func(s *simtest.Sim, n plant) (props, props) {
			s.Must(associationType, "first", props{"routeTableId": n.table, "subnetId": n.public[0]})
			return props{"routeTableId": n.table, "subnetId": n.public[1]}, props{"subnetId": n.public[0]}
		})},
		{"table of another network", associationType, "belong to different networks", on(func(s *simtest.Sim, n plant) (props, props) {
			return props{"routeTableId": n.table, "subnetId": n.public[0]}, props{"subnetId": n.otherSubnets[0]}
		})},
		{"image id malformed", instanceType, "InvalidAMIID.Malformed", plus(machine, props{"ami": "debian-12"})},
		{"instance type unknown", instanceType, "Invalid value 't9.nano' for InstanceType", plus(machine, props{"instanceType": "t9.nano"})},
		{"instance size unknown", instanceType, "InstanceType", plus(machine, props{"instanceType": "m7g.nano"})},
		{"instance with a foreign group", instanceType, "InvalidGroup.NotFound", on(func(s *simtest.Sim, n plant) (props, props) {
			return machine(s, n), props{"vpcSecurityGroupIds": []string{n.otherGroup}}
		})},
		{"instance without subnet", instanceType, "VPCIdNotSpecified", plus(machine, props{"subnetId": nil})},
		{"instance profile unknown", instanceType, "Invalid IAM Instance Profile name", plus(machine, props{"iamInstanceProfile": "nobody"})},
		{"key pair unknown", instanceType, "InvalidKeyPair.NotFound", plus(machine, props{"keyName": "nobody"})},
		{"address outside the subnet", instanceType, "does not fall within the subnet's address range", plus(machine, props{"privateIp": "10.20.9.9"})},
		{"address that AWS keeps", instanceType, "does not fall within", plus(machine, props{"privateIp": "10.20.0.2"})},
		{"address taken", instanceType, "InvalidIPAddress.InUse", on(func(s *simtest.Sim, n plant) (props, props) {
			first := s.Must(instanceType, "first", machine(s, n))
			return machine(s, n), props{"privateIp": first.Out["privateIp"]}
		})},
		{"interface in a foreign group", networkInterfaceType, "InvalidGroup.NotFound", on(func(s *simtest.Sim, n plant) (props, props) {
			return props{"subnetId": n.public[0], "securityGroups": []string{n.group}}, props{"securityGroups": []string{n.otherGroup}}
		})},
		{"template name", launchTemplateType, "InvalidLaunchTemplateName.MalformedException", fixedInputs(props{"name": "nat-instance"}, props{"name": "nat instance"})},
		{"peering of overlapping networks", peeringType, "overlapping CIDR range", on(func(s *simtest.Sim, n plant) (props, props) {
			same := s.Must(vpcType, "same", props{"cidrBlock": "10.20.0.0/16"})
			return props{"vpcId": n.vpc.ID, "peerVpcId": n.other, "autoAccept": true}, props{"peerVpcId": same.ID}
		})},
	})
}

func TestNetworkQuotas(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	for i := range 5 {
		s.Must(vpcType, fmt.Sprint("vpc", i), props{"cidrBlock": fmt.Sprintf("10.%d.0.0/16", i)})
		s.Must(eipType, fmt.Sprint("eip", i), props{"domain": "vpc"})
	}
	s.Refuses(vpcType, "sixth", props{"cidrBlock": "10.9.0.0/16"}, "VpcLimitExceeded")
	s.Refuses(eipType, "sixth", props{"domain": "vpc"}, "AddressLimitExceeded")
	// A quota is a region's.
	there := s.With("aws", props{"region": "us-east-1"})
	there.Must(vpcType, "first", props{"cidrBlock": "10.9.0.0/16"})
	there.Must(eipType, "first", props{"domain": "vpc"})
}

func TestNetworkOutputs(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	n := aPlant(s)
	nat := n.natGateway(s)
	i := s.Must(instanceType, "i", props{"ami": "ami-0123456789abcdef0", "instanceType": "t4g.nano", "subnetId": n.public[0], "associatePublicIpAddress": true})
	e := s.World.Find("eu-west-1", eipType, nat.Out.String("allocationId"))
	sub := s.World.Find("eu-west-1", subnetType, n.public[1])
	for _, c := range []struct{ what, got, form string }{
		{"VPC id", n.vpc.ID, `^vpc-0[0-9a-f]{16}$`},
		{"VPC ARN", n.vpc.Out.String("arn"), `^arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-0[0-9a-f]{16}$`},
		{"default group", n.vpc.Out.String("defaultSecurityGroupId"), `^sg-0[0-9a-f]{16}$`},
		{"main table", n.vpc.Out.String("mainRouteTableId"), `^rtb-0[0-9a-f]{16}$`},
		{"zone id", sub.Out.String("availabilityZoneId"), `^euw1-az2$`},
		{"NAT address", nat.Out.String("privateIp"), `^10\.20\.0\.\d+$`},
		{"NAT public address", nat.Out.String("publicIp"), `^` + strings.ReplaceAll(e.Out.String("publicIp"), ".", `\.`) + `$`},
		{"public name", e.Out.String("publicDns"), `^ec2-(203-0-113|198-51-100)-\d+\.eu-west-1\.compute\.amazonaws\.com$`},
		{"private name", i.Out.String("privateDns"), `^ip-10-20-0-\d+\.eu-west-1\.compute\.internal$`},
		{"instance id", i.ID, `^i-0[0-9a-f]{16}$`},
		{"interface", i.Out.String("primaryNetworkInterfaceId"), `^eni-0[0-9a-f]{16}$`},
	} {
		matches(t, c.what, c.got, c.form)
	}
	if i.Out.String("privateIp") == nat.Out.String("privateIp") {
		t.Error("two things have one address")
	}
}

func TestNetworkDeleteOrder(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	n := aPlant(s)
	nat := n.natGateway(s)
	sub := s.World.Find("eu-west-1", subnetType, n.public[0])
	e := s.World.Find("eu-west-1", eipType, nat.Out.String("allocationId"))
	refusedDelete(t, s, n.vpc, "DependencyViolation")
	refusedDelete(t, s, sub, "DependencyViolation")
	refusedDelete(t, s, n.igw, "has some mapped public address(es)")
	refusedDelete(t, s, e, "InvalidIPAddress.InUse")
	deletes(t, s, nat)
	deletes(t, s, sub)
	deletes(t, s, n.igw)
	deletes(t, s, e)
	protected := s.Must(instanceType, "i", props{"ami": "ami-0123456789abcdef0", "instanceType": "t4g.nano", "subnetId": n.public[1], "disableApiTermination": true})
	refusedDelete(t, s, protected, "OperationNotPermitted")
	deletes(t, s, updates(t, s, protected, props{"disableApiTermination": false}))
}

func TestEmptyVpcGoes(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	v := s.Must(vpcType, "v", props{"cidrBlock": "10.0.0.0/16"})
	s.Must(defaultGroupType, "v", props{"vpcId": v.ID})
	deletes(t, s, v)
}

func TestNetworkReplaces(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	n := aPlant(s)
	i := s.Must(instanceType, "i", props{"ami": "ami-0123456789abcdef0", "instanceType": "t4g.nano", "subnetId": n.public[0], "userData": "a"})
	replaced(t, s, i, props{"userData": "b"}, "")
	replaced(t, s, i, props{"userData": "b", "userDataReplaceOnChange": true}, "userData")
	replaced(t, s, i, props{"instanceType": "t4g.micro"}, "")
	replaced(t, s, n.vpc, props{"instanceTenancy": "dedicated"}, "instanceTenancy")
	replaced(t, s, n.vpc, props{"tags": props{"a": "b"}}, "")
}

func TestWarnsOfNothingWhenGatewaysChange(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	n := aPlant(s)
	r := s.Must(routeType, "out", props{"routeTableId": n.table, "destinationCidrBlock": "0.0.0.0/0", "gatewayId": n.igw.ID})
	nat := n.natGateway(s)
	if got := updates(t, s, r, props{"gatewayId": nil, "natGatewayId": nat.ID}); got.ID != r.ID || got.Out.String("natGatewayId") != nat.ID {
		t.Errorf("the route did not move to the NAT gateway in place: %v", got.Out)
	}
}

func TestNatInstanceKeepsItsInterface(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	n := aPlant(s)
	eni := s.Must(networkInterfaceType, "nat", props{"subnetId": n.public[0], "securityGroups": []string{n.group}, "sourceDestCheck": false})
	address := s.Must(eipType, "nat", props{"domain": "vpc", "networkInterface": eni.ID})
	template := s.Must(launchTemplateType, "nat", props{"name": "nat", "imageId": "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"})
	machine := props{"instanceType": "t4g.nano", "launchTemplate": props{"id": template.ID, "version": "$Latest"},
		"networkInterfaces": []any{props{"deviceIndex": 0, "networkInterfaceId": eni.ID}}}
	s.Refuses(instanceType, "lost", with(machine, props{"launchTemplate": props{"id": "lt-0123456789abcdef0", "version": "$Latest"}}), "InvalidLaunchTemplateId.NotFound")
	i := s.Must(instanceType, "nat", machine)
	matches(t, "image", i.Out.String("ami"), `^ami-0[0-9a-f]{16}$`)
	if i.Out["primaryNetworkInterfaceId"] != eni.ID || i.Out["privateIp"] != eni.Out["privateIp"] {
		t.Errorf("the instance has interface %v and address %v", i.Out["primaryNetworkInterfaceId"], i.Out["privateIp"])
	}
	s.Must(routeType, "out", props{"routeTableId": n.table, "destinationCidrBlock": "0.0.0.0/0", "networkInterfaceId": eni.ID})
	s.Refuses(instanceType, "second", machine, "InvalidNetworkInterface.InUse")
	refusedDelete(t, s, eni, "is currently in use")
	refusedDelete(t, s, n.igw, "has some mapped public address(es)")
	deletes(t, s, i)
	s.Must(instanceType, "second", machine)
	if address.Out.String("associationId") == "" {
		t.Error("the address is not associated")
	}
}
