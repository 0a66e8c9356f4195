package aws

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/reach"
	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

const (
	balancer = "aws:lb/loadBalancer:LoadBalancer "
	server   = "hcloud:index/server:Server vps-server "
)

// entrances are what may be reached from the internet, and nothing else.
func entrances(stack *rehearsal.Stack) []string {
	c := stack.Config
	if c.Phase >= 3 {
		prefixes := []string{"aws-"}
		for _, r := range c.AWS.Regions {
			part := strings.Split(r.Name, "-") // us-east-1 is use1 in names
			prefixes = append(prefixes, "aws-"+part[0]+part[1][:1]+part[2]+"-")
		}
		var out []string
		for _, prefix := range prefixes {
			out = append(out, balancer+prefix+"alb tcp 443 ipv4", balancer+prefix+"alb tcp 80 ipv4")
			if c.AWS.Forgejo.SSHLoadBalancer {
				out = append(out, balancer+prefix+"alb-ssh tcp 22 ipv4")
			}
		}
		return out
	}
	var out []string
	for _, family := range []string{"ipv4", "ipv6"} {
		if family == "ipv6" && !c.Server.IPv6 {
			continue
		}
		for _, what := range []string{"tcp 80 ", "tcp 443 ", "icmp "} {
			out = append(out, server+what+family)
		}
		if c.Forgejo.SSHPort > 0 {
			out = append(out, fmt.Sprintf("%stcp %d %s", server, c.Forgejo.SSHPort, family))
		}
	}
	return out
}

func found(resources []deployment.Resource) []string {
	var out []string
	for _, r := range reach.FromInternet(resources) {
		out = append(out, r.String())
	}
	slices.Sort(out)
	return out
}

// No task, database, cache or mount target is reachable from the internet: only the entrances are.
func TestWhatTheInternetReaches(t *testing.T) {
	rig.Each(t, func(t *testing.T, stack *rehearsal.Stack) {
		if stack.Config.Phase == 2 {
			t.Skip("entrances says nothing of this phase")
		}
		for _, asked := range []bool{false, true} {
			store, s := rig.NewStore(t), stack.Stack
			if asked && stack.Config.Phase < 3 {
				s = set(t, s, "forgejo.sshPort", 222)
				stack.Config.Forgejo.SSHPort = 222
				if stack.Config.Phase == 0 {
					continue
				}
			} else if asked {
				s = set(t, s, "aws.forgejo.sshLoadBalancer", true)
				stack.Config.AWS.Forgejo.SSHLoadBalancer = true
			}
			rig.Run(t, store, sim.Up, s, sim.Options{})
			all := rig.Resources(t, store, s)
			got, want := found(all), entrances(stack)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("reachable (git over SSH asked for: %v):\n  %s\nwant:\n  %s", asked, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
			}
			for _, r := range reach.FromInternet(all) {
				t.Logf("%s: %s", r, strings.Join(r.Path, " > "))
				if len(r.Path) < 3 || r.Path[0] != "internet" {
					t.Errorf("%s has the path %v", r, r.Path)
				}
			}
		}
	})
}

// Every mistake that opens something is seen; what only looks like one is not.
func TestMistakesAreSeen(t *testing.T) {
	deployed := func(name string) []deployment.Resource {
		store, stack := rig.NewStore(t), rig.Load(t, rig.Shipped(t)[name]).Stack
		rig.Run(t, store, sim.Up, stack, sim.Options{})
		return rig.Resources(t, store, stack)
	}
	prod, aurora, dev := deployed("prod"), deployed("phase3-aurora"), deployed("dev")
	for _, c := range []struct {
		name   string
		of     []deployment.Resource
		mutate func(m *mistaken)
		opens  []string
	}{
		{"a database in public subnets", prod, func(m *mistaken) {
			m.in("aws:rds/subnetGroup:SubnetGroup", "aws-database-subnets")["subnetIds"] = m.subnets("public")
			m.in("aws:rds/instance:Instance", "aws-database-instance")["publiclyAccessible"] = true
			m.open("aws-database-sg", 5432)
		}, []string{"aws:rds/instance:Instance aws-database-instance tcp 5432 ipv4"}},
		{"the same, but not public", prod, func(m *mistaken) {
			m.in("aws:rds/subnetGroup:SubnetGroup", "aws-database-subnets")["subnetIds"] = m.subnets("public")
			m.open("aws-database-sg", 5432)
		}, nil},
		{"public, but with no way in", prod, func(m *mistaken) {
			m.in("aws:rds/instance:Instance", "aws-database-instance")["publiclyAccessible"] = true
			m.open("aws-database-sg", 5432)
		}, nil},
		{"public, but closed", prod, func(m *mistaken) {
			m.in("aws:rds/subnetGroup:SubnetGroup", "aws-database-subnets")["subnetIds"] = m.subnets("public")
			m.in("aws:rds/instance:Instance", "aws-database-instance")["publiclyAccessible"] = true
		}, nil},
		{"an Aurora reader in public subnets", aurora, func(m *mistaken) {
			m.in("aws:rds/subnetGroup:SubnetGroup", "aws-database-subnets")["subnetIds"] = m.subnets("public")
			m.in("aws:rds/clusterInstance:ClusterInstance", "aws-database-instance-2")["publiclyAccessible"] = true
			m.open("aws-database-sg", 5432)
		}, []string{"aws:rds/clusterInstance:ClusterInstance aws-database-instance-2 tcp 5432 ipv4"}},
		{"a task with a public address", prod, func(m *mistaken) {
			net := m.in("aws:ecs/service:Service", "aws-backend-service")["networkConfiguration"].(map[string]any)
			net["assignPublicIp"], net["subnets"] = true, m.subnets("public")
			m.open("aws-backend-sg", 8000)
		}, []string{"aws:ecs/service:Service aws-backend-service tcp 8000 ipv4"}},
		{"the private subnets made public", prod, func(m *mistaken) {
			for _, r := range m.list {
				if r.Type == "aws:ec2/route:Route" && strings.Contains(r.Name, "private") {
					delete(r.Inputs, "natGatewayId")
					r.Inputs["gatewayId"] = m.find("aws:ec2/internetGateway:InternetGateway", "aws-network-igw").ID
				}
			}
			m.in("aws:ecs/service:Service", "aws-backend-service")["networkConfiguration"].(map[string]any)["assignPublicIp"] = true
			m.open("aws-backend-sg", 8000)
			m.open("aws-backend-sg", 40000)
		}, []string{"aws:ecs/service:Service aws-backend-service tcp 40000 ipv4"}}, // the network ACL still keeps 8000 out
		{"the network ACL opened as well", prod, func(m *mistaken) {
			for _, r := range m.list {
				if r.Type == "aws:ec2/route:Route" && strings.Contains(r.Name, "private") {
					r.Inputs["gatewayId"] = m.find("aws:ec2/internetGateway:InternetGateway", "aws-network-igw").ID
				}
			}
			m.in("aws:ec2/networkAcl:NetworkAcl", "aws-network-private-acl")["ingress"] = []any{
				map[string]any{"ruleNo": 50.0, "action": "deny", "protocol": "tcp", "cidrBlock": "0.0.0.0/0", "fromPort": 9000.0, "toPort": 9000.0},
				map[string]any{"ruleNo": 90.0, "action": "allow", "protocol": "-1", "cidrBlock": "0.0.0.0/0", "fromPort": 0.0, "toPort": 0.0},
			}
			m.in("aws:ecs/service:Service", "aws-backend-service")["networkConfiguration"].(map[string]any)["assignPublicIp"] = true
			m.open("aws-backend-sg", 8000)
			m.open("aws-backend-sg", 9000)
		}, []string{"aws:ecs/service:Service aws-backend-service tcp 8000 ipv4"}},
		{"a scheduled task with a public address", prod, func(m *mistaken) {
			net := m.in("aws:scheduler/schedule:Schedule", "aws-backups-export-schedule")["target"].(map[string]any)["ecsParameters"].(map[string]any)["networkConfiguration"].(map[string]any)
			net["assignPublicIp"], net["subnets"] = true, m.subnets("public")
			m.open("aws-backups-export-sg", 22)
		}, []string{"aws:scheduler/schedule:Schedule aws-backups-export-schedule tcp 22 ipv4"}},
		{"a second listener", prod, func(m *mistaken) {
			m.listener(8443)
			m.open("aws-alb-sg", 8443)
		}, []string{balancer + "aws-alb tcp 8443 ipv4"}},
		{"a second listener that the security group keeps closed", prod, func(m *mistaken) { m.listener(8443) }, nil},
		{"a port that nothing listens to", prod, func(m *mistaken) { m.open("aws-alb-sg", 8443) }, nil},
		{"an IPv6 entrance", prod, func(m *mistaken) {
			m.in("aws:lb/loadBalancer:LoadBalancer", "aws-alb")["ipAddressType"] = "dualstack"
			for _, r := range m.list {
				if r.Type == "aws:ec2/subnet:Subnet" {
					r.Inputs["ipv6CidrBlock"] = "2a05:d018::/64"
				}
			}
			route := m.add("aws:ec2/route:Route", "v6")
			route["routeTableId"] = m.find("aws:ec2/routeTable:RouteTable", "aws-network-public-routes").ID
			route["destinationIpv6CidrBlock"], route["gatewayId"] = "::/0", m.find("aws:ec2/internetGateway:InternetGateway", "aws-network-igw").ID
			rule := m.add("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "v6")
			rule["securityGroupId"], rule["cidrIpv6"] = m.find("aws:ec2/securityGroup:SecurityGroup", "aws-alb-sg").ID, "::/0"
			rule["ipProtocol"], rule["fromPort"], rule["toPort"] = "tcp", 443.0, 443.0
		}, []string{balancer + "aws-alb tcp 443 ipv6"}},
		{"a published port behind the firewall", dev, func(m *mistaken) { m.publish(5432) }, nil},
		{"a published port and a hole in the firewall", dev, func(m *mistaken) { m.publish(5432); m.hole("5432") }, []string{server + "tcp 5432 ipv4"}},
		{"SSH from everywhere", dev, func(m *mistaken) { m.hole("22") }, []string{server + "tcp 22 ipv4"}},
		{"two halves of the internet", dev, func(m *mistaken) { m.hole("22", "0.0.0.0/1", "128.0.0.0/1") }, []string{server + "tcp 22 ipv4"}},
		{"a range of somebody", dev, func(m *mistaken) { m.hole("22", "203.0.0.0/8") }, nil},
		{"no firewall", dev, func(m *mistaken) { delete(m.in("hcloud:index/server:Server", "vps-server"), "firewallIds") },
			[]string{server + "tcp 1-65535 ipv4", server + "tcp 1-65535 ipv6", server + "udp 1-65535 ipv4", server + "udp 1-65535 ipv6"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := found(c.of)
			m := copied(t, c.of)
			c.mutate(m)
			var opened []string
			for _, r := range found(m.list) {
				if !slices.Contains(before, r) {
					opened = append(opened, r)
				}
			}
			slices.Sort(c.opens)
			if !slices.Equal(opened, c.opens) {
				t.Errorf("opened:\n  %s\nwant:\n  %s", strings.Join(opened, "\n  "), strings.Join(c.opens, "\n  "))
			}
		})
	}
}

// mistaken is a copy of a deployment with a mistake in it.
type mistaken struct {
	t    *testing.T
	list []deployment.Resource
}

func copied(t *testing.T, list []deployment.Resource) *mistaken {
	m := &mistaken{t: t}
	for _, r := range list {
		r.Inputs, r.Outputs = clone(r.Inputs).(map[string]any), map[string]any(maps.Clone(r.Outputs))
		for k := range r.Inputs {
			delete(r.Outputs, k) // an output follows its input
		}
		delete(r.Outputs, "publiclyAccessible")
		m.list = append(m.list, r)
	}
	return m
}

func clone(v any) any { return deployment.Map(v, clone) }

func (m *mistaken) find(token, name string) *deployment.Resource {
	m.t.Helper()
	for i := range m.list {
		if m.list[i].Type == token && m.list[i].Name == name {
			return &m.list[i]
		}
	}
	m.t.Fatalf("there is no %s %s", token, name)
	return nil
}

func (m *mistaken) in(token, name string) map[string]any {
	m.t.Helper()
	return m.find(token, name).Inputs
}

func (m *mistaken) add(token, name string) map[string]any {
	in := map[string]any{}
	m.list = append(m.list, deployment.Resource{URN: "urn:pulumi:s::p::" + token + "::" + name, Type: token, Name: name, ID: name, Custom: true, Inputs: in})
	return in
}

func (m *mistaken) subnets(tier string) []any {
	var out []any
	for _, r := range m.list {
		if r.Type == "aws:ec2/subnet:Subnet" && strings.Contains(r.Name, tier) {
			out = append(out, r.ID)
		}
	}
	return out
}

// open lets the world in to a security group.
func (m *mistaken) open(group string, port float64) {
	rule := m.add("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", fmt.Sprintf("%s-%v", group, port))
	rule["securityGroupId"], rule["cidrIpv4"] = m.find("aws:ec2/securityGroup:SecurityGroup", group).ID, "0.0.0.0/0"
	rule["ipProtocol"], rule["fromPort"], rule["toPort"] = "tcp", port, port
}

func (m *mistaken) listener(port float64) {
	l := m.add("aws:lb/listener:Listener", "second")
	l["loadBalancerArn"], l["port"], l["protocol"] = m.find("aws:lb/loadBalancer:LoadBalancer", "aws-alb").ID, port, "HTTPS"
}

func (m *mistaken) publish(port float64) {
	for _, r := range m.list {
		if r.Type == "docker:index/container:Container" && strings.Contains(r.Name, "postgres") {
			r.Inputs["ports"] = []any{map[string]any{"internal": 5432.0, "external": port}}
			return
		}
	}
	m.t.Fatal("there is no container of PostgreSQL")
}

func (m *mistaken) hole(port string, from ...any) {
	if len(from) == 0 {
		from = []any{"0.0.0.0/0"}
	}
	wall := m.in("hcloud:index/firewall:Firewall", "vps-firewall")
	wall["rules"] = append(wall["rules"].([]any), map[string]any{"direction": "in", "protocol": "tcp", "port": port, "sourceIps": from})
}
