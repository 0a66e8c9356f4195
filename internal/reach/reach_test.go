package reach

import (
	"slices"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/deployment"
)

type in = map[string]any

func res(token, name string, inputs in) deployment.Resource {
	return deployment.Resource{URN: "urn:pulumi:s::p::" + token + "::" + name, Type: token, Name: name, ID: name, Custom: true, Inputs: inputs}
}

func rule(group, cidr string, port float64) deployment.Resource {
	return res("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", group+cidr, in{
		"securityGroupId": group, "cidrIpv4": cidr, "ipProtocol": "tcp", "fromPort": port, "toPort": port,
	})
}

// vpc is a network with a public and a private subnet, written as roughly as the clouds allow: routes
// inside the table, a main route table, the default network ACL.
func vpc(more ...deployment.Resource) []deployment.Resource {
	return append([]deployment.Resource{
		res("aws:ec2/vpc:Vpc", "vpc", in{"cidrBlock": "10.0.0.0/16"}),
		res("aws:ec2/internetGateway:InternetGateway", "igw-1", in{"vpcId": "vpc"}),
		res("aws:ec2/subnet:Subnet", "public", in{"vpcId": "vpc", "mapPublicIpOnLaunch": true}),
		res("aws:ec2/subnet:Subnet", "private", in{"vpcId": "vpc"}),
		res("aws:ec2/defaultRouteTable:DefaultRouteTable", "main", in{"vpcId": "vpc", "routes": []any{in{"cidrBlock": "0.0.0.0/0", "gatewayId": "igw-1"}}}),
		res("aws:ec2/routeTable:RouteTable", "inside", in{"vpcId": "vpc", "routes": []any{in{"cidrBlock": "0.0.0.0/0", "natGatewayId": "nat-1"}}}),
		res("aws:ec2/routeTableAssociation:RouteTableAssociation", "a", in{"subnetId": "private", "routeTableId": "inside"}),
		res("aws:ec2/securityGroup:SecurityGroup", "web", in{"vpcId": "vpc", "ingress": []any{
			in{"protocol": "tcp", "fromPort": 443.0, "toPort": 444.0, "cidrBlocks": []any{"0.0.0.0/0"}},
			in{"protocol": "-1", "fromPort": 0.0, "toPort": 0.0, "securityGroups": []any{"other"}},
			in{"protocol": "-1", "fromPort": 0.0, "toPort": 0.0, "cidrBlocks": []any{"10.0.0.0/8"}},
		}}),
		res("aws:ec2/securityGroup:SecurityGroup", "closed", in{"vpcId": "vpc"}),
	}, more...)
}

func instance(extra in) deployment.Resource {
	all := in{"subnetId": "public", "vpcSecurityGroupIds": []any{"web"}}
	for k, v := range extra {
		all[k] = v
	}
	return res("aws:ec2/instance:Instance", "box", all)
}

func TestWaysIn(t *testing.T) {
	const box = "aws:ec2/instance:Instance box "
	nic := res("aws:ec2/networkInterface:NetworkInterface", "nic", in{"subnetId": "public", "securityGroups": []any{"web"}})
	address := res("aws:ec2/eip:Eip", "ip", in{"networkInterface": "nic"})
	balancer := func(kind string, groups []any) deployment.Resource {
		return res("aws:lb/loadBalancer:LoadBalancer", "lb", in{"loadBalancerType": kind, "internal": false, "subnets": []any{"public"}, "securityGroups": groups})
	}
	listener := func(protocol string, port float64) deployment.Resource {
		return res("aws:lb/listener:Listener", protocol, in{"loadBalancerArn": "lb", "protocol": protocol, "port": port})
	}
	acl := func(rules ...any) deployment.Resource {
		return res("aws:ec2/networkAcl:NetworkAcl", "acl", in{"vpcId": "vpc", "subnetIds": []any{"public"}, "ingress": rules})
	}
	for _, c := range []struct {
		name string
		list []deployment.Resource
		want []string
	}{
		{"the subnet gives an address", vpc(instance(nil)), []string{box + "tcp 443-444 ipv4"}},
		{"the instance refuses one", vpc(instance(in{"associatePublicIpAddress": false})), nil},
		{"an elastic address all the same", vpc(instance(in{"associatePublicIpAddress": false}), res("aws:ec2/eip:Eip", "ip", in{"instance": "box"})), []string{box + "tcp 443-444 ipv4"}},
		{"a private subnet", vpc(instance(in{"subnetId": "private", "associatePublicIpAddress": true})), nil},
		{"a closed group", vpc(instance(in{"vpcSecurityGroupIds": []any{"closed"}})), nil},
		{"no group is the default one", vpc(instance(in{"vpcSecurityGroupIds": []any{}})), nil},
		{"an open default group", vpc(instance(in{"vpcSecurityGroupIds": []any{}}), res("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "d", in{"vpcId": "vpc",
			"ingress": []any{in{"protocol": "-1", "cidrBlocks": []any{"0.0.0.0/0"}}}})), []string{box + "icmp ipv4", box + "tcp 1-65535 ipv4", box + "udp 1-65535 ipv4"}},
		{"two groups add up", vpc(instance(in{"vpcSecurityGroupIds": []any{"web", "closed"}}), rule("closed", "0.0.0.0/0", 445)), []string{box + "tcp 443-445 ipv4"}},
		{"an old-style rule", vpc(instance(in{"vpcSecurityGroupIds": []any{"closed"}}), res("aws:ec2/securityGroupRule:SecurityGroupRule", "r",
			in{"type": "ingress", "securityGroupId": "closed", "protocol": "udp", "fromPort": 53.0, "toPort": 53.0, "cidrBlocks": []any{"0.0.0.0/0"}})), []string{box + "udp 53 ipv4"}},
		{"an old-style rule outwards", vpc(instance(in{"vpcSecurityGroupIds": []any{"closed"}}), res("aws:ec2/securityGroupRule:SecurityGroupRule", "r",
			in{"type": "egress", "securityGroupId": "closed", "protocol": "udp", "fromPort": 53.0, "toPort": 53.0, "cidrBlocks": []any{"0.0.0.0/0"}})), nil},
		{"a list of addresses", vpc(instance(in{"vpcSecurityGroupIds": []any{"closed"}}), res("aws:ec2/managedPrefixList:ManagedPrefixList", "l", in{"entries": []any{in{"cidr": "0.0.0.0/0"}}}),
			res("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "r", in{"securityGroupId": "closed", "prefixListId": "l", "ipProtocol": "tcp", "fromPort": 22.0, "toPort": 22.0})), []string{box + "tcp 22 ipv4"}},
		{"an interface without an instance", vpc(nic, address), []string{"aws:ec2/networkInterface:NetworkInterface nic tcp 443-444 ipv4"}},
		{"an interface of an instance", vpc(nic, address, res("aws:ec2/instance:Instance", "box", in{"networkInterfaces": []any{in{"networkInterfaceId": "nic"}}})), []string{box + "tcp 443-444 ipv4"}},
		{"an interface without an address", vpc(nic), nil},
		{"a network balancer without groups", vpc(balancer("network", nil), listener("TCP_UDP", 53)), []string{"aws:lb/loadBalancer:LoadBalancer lb tcp 53 ipv4", "aws:lb/loadBalancer:LoadBalancer lb udp 53 ipv4"}},
		{"an application balancer", vpc(balancer("application", []any{"web"}), listener("HTTPS", 443), listener("HTTP", 80)), []string{"aws:lb/loadBalancer:LoadBalancer lb tcp 443 ipv4"}},
		{"an ACL that shuts one port", vpc(instance(nil), acl(in{"ruleNo": 1.0, "action": "deny", "protocol": "6", "cidrBlock": "0.0.0.0/0", "fromPort": 443.0, "toPort": 443.0},
			in{"ruleNo": 2.0, "action": "allow", "protocol": "-1", "cidrBlock": "0.0.0.0/0"})), []string{box + "tcp 444 ipv4"}},
		{"an ACL that shuts it too late", vpc(instance(nil), acl(in{"ruleNo": 3.0, "action": "deny", "protocol": "6", "cidrBlock": "0.0.0.0/0", "fromPort": 443.0, "toPort": 443.0},
			in{"ruleNo": 2.0, "action": "allow", "protocol": "-1", "cidrBlock": "0.0.0.0/0"})), []string{box + "tcp 443-444 ipv4"}},
		{"an empty ACL", vpc(instance(nil), acl()), nil},
		{"an ACL rule beside it", vpc(instance(nil), acl(), res("aws:ec2/networkAclRule:NetworkAclRule", "r", in{"networkAclId": "acl", "ruleNumber": 5.0, "ruleAction": "allow",
			"protocol": "tcp", "cidrBlock": "0.0.0.0/0", "fromPort": 444.0, "toPort": 444.0})), []string{box + "tcp 444 ipv4"}},
		{"something else that says it is public", vpc(res("aws:mq/broker:Broker", "mq", in{"publiclyAccessible": true})),
			[]string{"aws:mq/broker:Broker mq icmp ipv4", "aws:mq/broker:Broker mq tcp 1-65535 ipv4", "aws:mq/broker:Broker mq udp 1-65535 ipv4"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, r := range FromInternet(c.list) {
				got = append(got, r.String())
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestThePathNamesEveryHop(t *testing.T) {
	got := FromInternet(vpc(instance(nil)))[0].Path
	want := []string{"internet", "internet gateway igw-1", "subnet public", "security group web", "instance box"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Two servers each have what their own firewall lets in, and a container belongs to the one that its
// provider speaks to.
func TestTwoServers(t *testing.T) {
	const server = "hcloud:index/server:Server"
	wall := func(name, port string) deployment.Resource {
		return res("hcloud:index/firewall:Firewall", name, in{"rules": []any{
			in{"direction": "in", "protocol": "tcp", "port": port, "sourceIps": []any{"0.0.0.0/0"}},
			in{"direction": "out", "protocol": "tcp", "port": "1-65535", "sourceIps": []any{"0.0.0.0/0"}},
		}})
	}
	a := res(server, "a", in{"firewallIds": []any{"wa"}, "publicNets": []any{in{"ipv4Enabled": true, "ipv6Enabled": false}}})
	b := res(server, "b", in{"labels": in{"role": "db"}})
	inside := res(server, "inside", in{"publicNets": []any{in{"ipv4Enabled": false, "ipv6Enabled": false}}})
	a.Outputs, b.Outputs = in{"ipv4Address": "192.0.2.1"}, in{"ipv4Address": "192.0.2.2"}
	selecting := wall("wb", "5000-5001")
	selecting.Inputs["applyTos"] = []any{in{"labelSelector": "role=db"}}
	docker := res("pulumi:providers:docker", "docker", in{"host": "ssh://x@192.0.2.1:22"})
	web := res("docker:index/container:Container", "web", in{"ports": []any{in{"external": 80.0}}})
	web.Provider = docker.URN + "::" + docker.ID
	got := FromInternet([]deployment.Resource{a, b, inside, wall("wa", "80"), selecting, docker, web})
	if len(got) != 2 || got[0].String() != server+" a tcp 80 ipv4" || got[1].String() != server+" b tcp 5000-5001 ipv4" {
		t.Fatalf("%v", got)
	}
	if !slices.Contains(got[0].Path, "container web") || slices.Contains(got[1].Path, "container web") {
		t.Errorf("paths: %q and %q", got[0].Path, got[1].Path)
	}
}

func TestFlows(t *testing.T) {
	tcp := func(from, to int) flows { return flows{{"tcp", Ports{from, to}}} }
	if got := tcp(1, 100).without(tcp(40, 50)); !slices.Equal(got, flows{{"tcp", Ports{1, 39}}, {"tcp", Ports{51, 100}}}) {
		t.Errorf("without: %v", got)
	}
	if got := append(tcp(1, 10), tcp(11, 20)...).tidy(); !slices.Equal(got, tcp(1, 20)) {
		t.Errorf("tidy: %v", got)
	}
	if got := anything().meet(parse("17", 5, 6)); !slices.Equal(got, flows{{"udp", Ports{5, 6}}}) {
		t.Errorf("meet: %v", got)
	}
	for cidr, want := range map[string]bool{"0.0.0.0/0": true, "128.0.0.0/1": true, "10.0.0.0/8": false, "203.0.113.7/32": false, "::/0": true, "2000::/3": true, "2a01::/16": false, "": false} {
		if _, got := world(cidr); got != want {
			t.Errorf("world(%q) is %v", cidr, got)
		}
	}
}
