package reach

import (
	"slices"
	"strings"
)

// end is something in a VPC that answers.
type end struct {
	node    *node
	kind    string
	subnets []string
	groups  []string
	listens flows             // what it listens to; anything when that is not known
	public  map[Family]bool   // whether it has a public address
	bare    bool              // it has no security groups because it does not use them
	on      map[string]string // "tcp 443" -> the last hop, where that is known
}

func fromAWS(n nodes) []Reachable {
	a := newAWS(n)
	var out []Reachable
	for _, e := range slices.Concat(a.balancers(), a.tasks(), a.databases(), a.machines(), a.others()) {
		for _, family := range []Family{IPv4, IPv6} {
			if e.public[family] {
				out = append(out, a.reach(e, family)...)
			}
		}
	}
	return out
}

func (a *awsNet) reach(e end, family Family) []Reachable {
	w, ok := a.into(e.subnets, family)
	if !ok {
		return nil
	}
	if len(e.groups) == 0 && !e.bare {
		e.groups = a.defaultGroups(e.subnets)
	}
	w = a.through(w, e.groups, family)
	var out []Reachable
	for _, f := range w.lets.meet(e.listens) {
		r := Reachable{URN: e.node.URN, Type: e.node.Type, Name: e.node.Name, Family: family, Protocol: f.protocol, Ports: f.ports}
		r.Path = append(slices.Clone(w.path), label(e.kind, e.node))
		if hop := e.on[f.protocol+" "+f.ports.String()]; hop != "" {
			r.Path = append(r.Path, hop)
		}
		out = append(out, r)
	}
	return out
}

// defaultGroups are those of the subnets' VPC, which is what things get that name none.
func (a *awsNet) defaultGroups(subnets []string) []string {
	for _, id := range subnets {
		if s := a.find(subnetType, id); s != nil {
			for _, g := range a.of(defaultGroupType) {
				if g.text("vpcId") == s.text("vpcId") {
					return []string{g.ID}
				}
			}
		}
	}
	return []string{"the VPC's default"} // which lets in only itself
}

func (a *awsNet) balancers() []end {
	var out []end
	for _, lb := range a.of("aws:lb/loadBalancer:LoadBalancer", "aws:alb/loadBalancer:LoadBalancer") {
		if lb.is("internal") {
			continue
		}
		e := end{node: lb, kind: "load balancer", subnets: lb.texts("subnets"), groups: lb.texts("securityGroups"), on: map[string]string{}}
		for _, m := range objects(lb.all["subnetMappings"]) {
			e.subnets = append(e.subnets, (&node{all: m}).text("subnetId"))
		}
		kind := lb.text("loadBalancerType")
		e.bare = kind == "network" || kind == "gateway"
		e.public = map[Family]bool{IPv4: !strings.Contains(lb.text("ipAddressType"), "without-public-ipv4"), IPv6: strings.HasPrefix(lb.text("ipAddressType"), "dualstack")}
		for _, l := range a.of("aws:lb/listener:Listener", "aws:alb/listener:Listener") {
			if l.text("loadBalancerArn") != lb.ID {
				continue
			}
			port := Ports{number(l.all["port"]), number(l.all["port"])}
			for _, protocol := range transports(l.text("protocol")) {
				e.listens = append(e.listens, flow{protocol, port})
				e.on[protocol+" "+port.String()] = label("listener", l)
			}
		}
		e.listens = slices.Clone(e.listens)
		out = append(out, e)
	}
	return out
}

// transports of a listener's protocol: HTTP and TLS run over TCP.
func transports(protocol string) []string {
	switch strings.ToUpper(protocol) {
	case "UDP", "QUIC":
		return []string{"udp"}
	case "TCP_UDP", "TCP_QUIC":
		return []string{"tcp", "udp"}
	}
	return []string{"tcp"}
}

// tasks are containers on ECS: services, and what is started by the clock or by an event. A container
// may listen to more than its definition says, so that the security group decides.
func (a *awsNet) tasks() []end {
	var out []end
	add := func(n *node, kind, path string) {
		for _, net := range objects(get(n.all, path)) {
			one := &node{all: net}
			out = append(out, end{
				node: n, kind: kind, subnets: one.texts("subnets"), groups: one.texts("securityGroups"), listens: anything(),
				public: map[Family]bool{IPv4: truth(net["assignPublicIp"]) || net["assignPublicIp"] == "ENABLED", IPv6: true},
			})
		}
	}
	for _, s := range a.of("aws:ecs/service:Service", "aws:ecs/taskSet:TaskSet") {
		add(s, "service", "networkConfiguration")
	}
	for _, s := range a.of("aws:scheduler/schedule:Schedule") {
		add(s, "scheduled task", "target.ecsParameters.networkConfiguration")
	}
	for _, s := range a.of("aws:cloudwatch/eventTarget:EventTarget") {
		add(s, "event task", "ecsTarget.networkConfiguration")
	}
	return out
}

// databases have a public address only when they ask for one; caches and file systems never do, but
// an IPv6 address is public by itself.
func (a *awsNet) databases() []end {
	group := func(token, name string) []string {
		for _, g := range a.of(token) {
			if g.ID == name || g.text("name") == name {
				return g.texts("subnetIds")
			}
		}
		return nil
	}
	port := func(n *node, otherwise int) flows {
		p := number(n.all["port"])
		if p == 0 {
			p = otherwise
		}
		return flows{{"tcp", Ports{p, p}}}
	}
	dual := func(n *node) bool {
		return strings.EqualFold(n.text("networkType"), "dual") || strings.HasPrefix(n.text("networkType"), "dual_")
	}
	const rdsGroup, cacheGroup = "aws:rds/subnetGroup:SubnetGroup", "aws:elasticache/subnetGroup:SubnetGroup"
	var out []end
	for _, db := range a.of("aws:rds/instance:Instance") {
		public := db.is("publiclyAccessible")
		out = append(out, end{node: db, kind: "database", subnets: group(rdsGroup, db.text("dbSubnetGroupName")), groups: db.texts("vpcSecurityGroupIds"),
			listens: port(db, 5432), public: map[Family]bool{IPv4: public, IPv6: public && dual(db)}})
	}
	for _, db := range a.of("aws:rds/clusterInstance:ClusterInstance") {
		for _, c := range a.of("aws:rds/cluster:Cluster") {
			if c.ID != db.text("clusterIdentifier") {
				continue
			}
			public := db.is("publiclyAccessible")
			out = append(out, end{node: db, kind: "database", subnets: group(rdsGroup, c.text("dbSubnetGroupName")), groups: c.texts("vpcSecurityGroupIds"),
				listens: port(c, 5432), public: map[Family]bool{IPv4: public, IPv6: public && dual(c)}})
		}
	}
	for _, c := range a.of("aws:elasticache/replicationGroup:ReplicationGroup", "aws:elasticache/cluster:Cluster") {
		out = append(out, end{node: c, kind: "cache", subnets: group(cacheGroup, c.text("subnetGroupName")), groups: c.texts("securityGroupIds"),
			listens: port(c, 6379), public: map[Family]bool{IPv6: dual(c) || c.text("networkType") == "ipv6"}})
	}
	for _, m := range a.of("aws:efs/mountTarget:MountTarget") {
		kind := m.text("ipAddressType")
		out = append(out, end{node: m, kind: "mount target", subnets: []string{m.text("subnetId")}, groups: m.texts("securityGroups"),
			listens: flows{{"tcp", Ports{2049, 2049}}}, public: map[Family]bool{IPv6: kind == "DUAL_STACK" || kind == "IPV6_ONLY"}})
	}
	return out
}

// machines are EC2 instances and network interfaces. An address on an interface is its instance's.
func (a *awsNet) machines() []end {
	elastic := map[string]bool{}
	for _, ip := range a.of("aws:ec2/eip:Eip") {
		elastic[ip.text("networkInterface")], elastic[ip.text("instance")] = true, true
	}
	for _, as := range a.of("aws:ec2/eipAssociation:EipAssociation") {
		elastic[as.text("networkInterfaceId")], elastic[as.text("instanceId")] = true, true
	}
	var out []end
	held := map[string]*node{}
	for _, i := range a.of("aws:ec2/instance:Instance") {
		for _, in := range slices.Concat(objects(i.all["networkInterfaces"]), objects(i.all["primaryNetworkInterface"])) {
			held[(&node{all: in}).text("networkInterfaceId")] = i
		}
		subnet := a.find(subnetType, i.text("subnetId"))
		if subnet == nil {
			continue
		}
		given := i.Inputs["associatePublicIpAddress"]
		public := truth(given) || given == nil && subnet.is("mapPublicIpOnLaunch") || elastic[i.ID]
		out = append(out, end{node: i, kind: "instance", subnets: []string{subnet.ID}, groups: i.texts("vpcSecurityGroupIds"), listens: anything(),
			public: map[Family]bool{IPv4: public, IPv6: len(i.texts("ipv6Addresses")) > 0 || number(i.all["ipv6AddressCount"]) > 0 || subnet.is("assignIpv6AddressOnCreation")}})
	}
	for _, eni := range a.of(interfaceType) {
		e := end{node: eni, kind: "network interface", subnets: []string{eni.text("subnetId")}, groups: eni.texts("securityGroups"), listens: anything()}
		subnet := a.find(subnetType, eni.text("subnetId"))
		e.public = map[Family]bool{IPv4: elastic[eni.ID], IPv6: len(eni.texts("ipv6Addresses")) > 0 || number(eni.all["ipv6AddressCount"]) > 0 ||
			subnet != nil && subnet.is("assignIpv6AddressOnCreation")}
		if i := held[eni.ID]; i != nil {
			e.node, e.kind = i, "instance"
		}
		out = append(out, e)
	}
	return out
}

// known are the types whose publiclyAccessible is looked at in full above.
var known = []string{"aws:rds/instance:Instance", "aws:rds/clusterInstance:ClusterInstance"}

// others are whatever else says of itself that it is public: the rules that guard it are not known
// here, and so it is listed, wherever it is.
func (a *awsNet) others() []end {
	var out []end
	for token, list := range a.byType {
		for _, n := range list {
			if !strings.HasPrefix(token, "aws:") || slices.Contains(known, token) || !n.is("publiclyAccessible") {
				continue
			}
			subnets := n.texts("subnetIds")
			if len(subnets) == 0 {
				for _, s := range a.of(subnetType) {
					subnets = append(subnets, s.ID)
				}
			}
			out = append(out, end{node: n, kind: "service", subnets: subnets, bare: true, listens: anything(), public: map[Family]bool{IPv4: true}})
		}
	}
	return out
}
