package serving

import (
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

type object = cloud.Object

// made is a small world for one test.
type made struct {
	*cloud.World
	t *testing.T
}

func (m made) put(scope, token, id, name string, out object) *cloud.Resource {
	r := &cloud.Resource{Type: token, ID: id, Scope: scope, URN: "urn:pulumi:s::p::" + token + "::" + name, In: out.Clone(), Out: out}
	m.Put(r)
	return r
}

// find is the resource with a name.
func (m made) find(name string) *cloud.Resource {
	m.t.Helper()
	for _, r := range m.All("", "") {
		if named(r) == name {
			return r
		}
	}
	m.t.Fatalf("there is no %s", name)
	return nil
}

// set changes a property of a resource in place.
func (m made) set(name, property string, v any) {
	m.t.Helper()
	r := m.find(name)
	changed := *r
	changed.In, changed.Out = r.In.Clone(), r.Out.Clone()
	changed.In[property], changed.Out[property] = cloud.Plain(v), cloud.Plain(v)
	m.Put(&changed)
}

func (m made) remove(name string) {
	m.t.Helper()
	r := m.find(name)
	m.Remove(r.Scope, r.Type, r.ID)
}

func (m made) of(host string) Answer {
	var c Checker
	return c.Of(m.World, host)
}

const (
	host   = "api.example.org"
	serves = "203.0.113.10"
)

func list(v ...any) []any { return v }

func labels(pairs ...string) []any {
	var out []any
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, object{"label": pairs[i], "value": pairs[i+1]})
	}
	return out
}

func (m made) record(name, typ, content string) {
	m.put("account", cloudflareRecord, name+typ+content, "dns-"+name+"-"+typ, object{"hostname": name, "type": typ, "content": content})
}

// container puts one on the server.
func (m made) container(name string, more object) {
	out := object{"name": name, "start": true, "wait": true, "healthcheck": object{"tests": list("CMD", "true")},
		"networksAdvanced": list(object{"name": "edge"})}
	for k, v := range more {
		out[k] = v
	}
	m.put("host "+serves, containerType, "id of "+name, name, out)
}

func routed(rule, port string, more ...string) object {
	return object{"labels": labels(append([]string{"traefik.enable", "true", "traefik.http.routers.r.rule", rule,
		"traefik.http.routers.r.entrypoints", "websecure", "traefik.http.routers.r.service", "s",
		"traefik.http.services.s.loadbalancer.server.port", port}, more...)...)}
}

// server is a world with one server that serves host.
func server(t *testing.T) made {
	m := made{cloud.NewWorld("test"), t}
	m.record(host, "CNAME", "vps.example.org")
	m.record("vps.example.org", "A", serves)
	m.put("project", "hcloud:index/firewall:Firewall", "7", "wall", object{"rules": list(
		object{"direction": "in", "protocol": "tcp", "port": "443", "sourceIps": list("0.0.0.0/0", "::/0")})})
	m.put("project", serverType, "1", "vps", object{"ipv4Address": serves, "ipv6Address": "2001:db8::1", "status": "running", "firewallIds": list(7.0)})
	m.container("traefik", object{
		"ports":   list(object{"external": 443.0, "internal": 443.0, "ip": "0.0.0.0", "protocol": "tcp"}),
		"command": list("--providers.docker=true", "--entrypoints.websecure.address=:443", "--providers.docker.network=edge"),
	})
	m.container("backend", routed("Host(`api.example.org`)", "8000"))
	return m
}

// aws adds a load balancer with a service behind it, and a zone in Route 53.
func (m made) aws() made {
	const region = "eu-west-1"
	m.put(region, "aws:ec2/internetGateway:InternetGateway", "igw-1", "igw", object{"vpcId": "vpc-1"})
	m.put(region, "aws:ec2/subnet:Subnet", "subnet-1", "public", object{"vpcId": "vpc-1"})
	m.put(region, "aws:ec2/routeTable:RouteTable", "rtb-1", "table", object{"vpcId": "vpc-1"})
	m.put(region, "aws:ec2/route:Route", "r-1", "route", object{"routeTableId": "rtb-1", "gatewayId": "igw-1", "destinationCidrBlock": "0.0.0.0/0"})
	m.put(region, "aws:ec2/routeTableAssociation:RouteTableAssociation", "a-1", "association", object{"routeTableId": "rtb-1", "subnetId": "subnet-1"})
	m.put(region, "aws:ec2/securityGroup:SecurityGroup", "sg-lb", "lb-sg", object{"vpcId": "vpc-1"})
	m.put(region, ingressType, "sgr-1", "https-in", object{"securityGroupId": "sg-lb", "ipProtocol": "tcp", "fromPort": 443.0, "toPort": 443.0, "cidrIpv4": "0.0.0.0/0"})
	m.put(region, ingressType, "sgr-2", "task-in", object{"securityGroupId": "sg-task", "ipProtocol": "tcp", "fromPort": 8000.0, "toPort": 8000.0, "referencedSecurityGroupId": "sg-lb"})
	m.put(region, balancerType, "arn:lb", "alb", object{"dnsName": "alb.eu-west-1.elb.amazonaws.com", "subnets": list("subnet-1"),
		"securityGroups": list("sg-lb"), "loadBalancerType": "application", "ipAddressType": "ipv4"})
	m.put(region, certificateType, "arn:cert", "certificate", object{"status": "ISSUED", "domainName": host, "subjectAlternativeNames": list("eu.aws.example.org")})
	m.put(region, listenerType, "arn:l", "https", object{"loadBalancerArn": "arn:lb", "port": 443.0, "protocol": "HTTPS", "certificateArn": "arn:cert",
		"defaultActions": list(object{"type": "fixed-response", "fixedResponse": object{"statusCode": "404"}})})
	m.put(region, ruleType, "arn:r", "rule", object{"listenerArn": "arn:l", "priority": 10.0,
		"conditions": list(object{"hostHeader": object{"values": list(host, "eu.aws.example.org")}}),
		"actions":    list(object{"type": "forward", "targetGroupArn": "arn:tg"})})
	m.put(region, targetGroupType, "arn:tg", "group", object{})
	m.put(region, taskType, "arn:task", "task", object{})
	m.put(region, serviceType, "arn:s", "service", object{"desiredCount": 2.0, "deploymentMinimumHealthyPercent": 100.0, "waitForSteadyState": true, "taskDefinition": "arn:task",
		"networkConfiguration": object{"securityGroups": list("sg-task")},
		"loadBalancers":        list(object{"targetGroupArn": "arn:tg", "containerPort": 8000.0})})
	m.put(region, zoneType, "Z1", "zone", object{"name": "aws.example.org", "nameServers": list("ns-1.awsdns.com")})
	m.record("aws.example.org", "NS", "ns-1.awsdns.com")
	m.set("dns-"+host+"-CNAME", "content", "api.aws.example.org")
	return m
}

// weighted adds a record in the zone: to the load balancer when ip is "".
func (m made) weighted(id string, weight float64, ip string, more object) {
	out := object{"zoneId": "Z1", "fqdn": "api.aws.example.org", "type": "A", "setIdentifier": id,
		"weightedRoutingPolicies": list(object{"weight": weight})}
	if ip == "" {
		out["aliases"] = list(object{"name": "alb.eu-west-1.elb.amazonaws.com", "zoneId": "Z32", "evaluateTargetHealth": false})
	} else {
		out["records"] = list(ip)
	}
	for k, v := range more {
		out[k] = v
	}
	m.put("eu-west-1", recordType, "api-"+id, "record-"+id, out)
}

// both is a world with both platforms, at these weights.
func both(t *testing.T, onServer, onAWS float64) made {
	m := server(t).aws()
	m.weighted("vps", onServer, serves, nil)
	m.weighted("aws", onAWS, "", nil)
	return m
}

// expect holds an answer against what is lost, and why.
func expect(t *testing.T, a Answer, lost float64, why string) {
	t.Helper()
	if a.Lost != lost || !strings.Contains(strings.Join(a.Why(), "; "), why) {
		t.Errorf("%v, want %.0f%% lost because of %q", a, 100*lost, why)
	}
}
