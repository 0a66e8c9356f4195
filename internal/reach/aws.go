package reach

import (
	"slices"
	"strings"
)

// The types that make a network on AWS.
const (
	subnetType       = "aws:ec2/subnet:Subnet"
	securityType     = "aws:ec2/securityGroup:SecurityGroup"
	defaultGroupType = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
	interfaceType    = "aws:ec2/networkInterface:NetworkInterface"
)

// awsNet answers what the routes and rules of the VPCs let in.
type awsNet struct {
	nodes
	table map[string]*node            // route table of each subnet
	acl   map[string]*node            // network ACL of each subnet
	out   map[string]map[Family]*node // route table id -> family -> internet gateway
	let   map[string]map[Family]flows // security group id -> what it lets in from the world
}

func newAWS(n nodes) *awsNet {
	a := &awsNet{n, map[string]*node{}, map[string]*node{}, map[string]map[Family]*node{}, map[string]map[Family]flows{}}
	a.routes()
	a.tables()
	a.rules()
	return a
}

// routes finds the route tables that lead to an internet gateway.
func (a *awsNet) routes() {
	add := func(table, gateway, cidr4, cidr6 string) {
		if !strings.HasPrefix(gateway, "igw-") {
			return
		}
		igw := a.find("aws:ec2/internetGateway:InternetGateway", gateway)
		if igw == nil {
			igw = &node{}
			igw.Name = gateway
		}
		if a.out[table] == nil {
			a.out[table] = map[Family]*node{}
		}
		// Any route to the gateway counts: who asks from there is answered.
		if cidr4 != "" {
			a.out[table][IPv4] = igw
		}
		if cidr6 != "" {
			a.out[table][IPv6] = igw
		}
	}
	for _, r := range a.of("aws:ec2/route:Route") {
		add(r.text("routeTableId"), r.text("gatewayId"), r.text("destinationCidrBlock"), r.text("destinationIpv6CidrBlock"))
	}
	for _, t := range a.of("aws:ec2/routeTable:RouteTable", "aws:ec2/defaultRouteTable:DefaultRouteTable") {
		for _, r := range objects(t.all["routes"]) {
			one := &node{all: r}
			add(t.ID, one.text("gatewayId"), one.text("cidrBlock"), one.text("ipv6CidrBlock"))
		}
	}
}

// tables finds the route table and the network ACL of each subnet: its own, or else its VPC's.
func (a *awsNet) tables() {
	mainTable := map[string]*node{}
	for _, t := range a.of("aws:ec2/defaultRouteTable:DefaultRouteTable") {
		mainTable[t.text("vpcId")] = t
	}
	for _, m := range a.of("aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation") {
		mainTable[m.text("vpcId")] = a.find("aws:ec2/routeTable:RouteTable", m.text("routeTableId"))
	}
	for _, s := range a.of(subnetType) {
		a.table[s.ID] = mainTable[s.text("vpcId")]
	}
	for _, r := range a.of("aws:ec2/routeTableAssociation:RouteTableAssociation") {
		for _, kind := range []string{"aws:ec2/routeTable:RouteTable", "aws:ec2/defaultRouteTable:DefaultRouteTable"} {
			if t := a.find(kind, r.text("routeTableId")); t != nil && r.text("subnetId") != "" {
				a.table[r.text("subnetId")] = t
			}
		}
	}
	vpcACL := map[string]*node{}
	for _, d := range a.of("aws:ec2/defaultNetworkAcl:DefaultNetworkAcl") {
		vpcACL[d.text("vpcId")] = d
	}
	for _, s := range a.of(subnetType) {
		a.acl[s.ID] = vpcACL[s.text("vpcId")]
	}
	for _, acl := range a.of("aws:ec2/networkAcl:NetworkAcl", "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl") {
		for _, id := range texts(acl.all["subnetIds"]) {
			a.acl[id] = acl
		}
	}
	for _, as := range a.of("aws:ec2/networkAclAssociation:NetworkAclAssociation") {
		a.acl[as.text("subnetId")] = a.find("aws:ec2/networkAcl:NetworkAcl", as.text("networkAclId"))
	}
}

// rules collects what each security group lets in from the world, from rules inside it and beside it.
func (a *awsNet) rules() {
	for _, g := range a.of(securityType, defaultGroupType) {
		for _, r := range objects(g.all["ingress"]) {
			a.letIn(g.ID, &node{all: r})
		}
	}
	for _, r := range a.of("aws:ec2/securityGroupRule:SecurityGroupRule") {
		if r.text("type") == "ingress" {
			a.letIn(r.text("securityGroupId"), r)
		}
	}
	for _, r := range a.of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule") {
		a.letIn(r.text("securityGroupId"), r)
	}
}

// letIn adds one rule, in any of the three forms that rules have.
func (a *awsNet) letIn(group string, r *node) {
	protocol := r.text("protocol")
	if p := r.text("ipProtocol"); p != "" {
		protocol = p
	}
	from := slices.Concat(r.texts("cidrBlocks"), r.texts("ipv6CidrBlocks"), []string{r.text("cidrIpv4"), r.text("cidrIpv6")})
	for _, list := range append(r.texts("prefixListIds"), r.text("prefixListId")) {
		if l := a.find("aws:ec2/managedPrefixList:ManagedPrefixList", list); l != nil {
			for _, e := range objects(l.all["entries"]) {
				from = append(from, (&node{all: e}).text("cidr"))
			}
		}
	}
	for _, cidr := range from {
		if family, ok := world(cidr); ok {
			if a.let[group] == nil {
				a.let[group] = map[Family]flows{}
			}
			add := parse(protocol, number(r.all["fromPort"]), number(r.all["toPort"]))
			a.let[group][family] = append(a.let[group][family], add...).tidy()
		}
	}
}

// aclLets is what a subnet's network ACL lets in. Without one of its own, all of it.
func (a *awsNet) aclLets(subnet string, family Family) flows {
	acl := a.acl[subnet]
	if acl == nil {
		return anything()
	}
	rules := objects(acl.all["ingress"])
	for _, r := range a.of("aws:ec2/networkAclRule:NetworkAclRule") {
		if r.text("networkAclId") == acl.ID && !r.is("egress") {
			rules = append(rules, r.all)
		}
	}
	order := func(r map[string]any) int { return max(number(r["ruleNo"]), number(r["ruleNumber"])) }
	slices.SortStableFunc(rules, func(x, y map[string]any) int { return order(x) - order(y) })
	var open, shut flows
	for _, one := range rules {
		r := &node{all: one}
		for _, cidr := range []string{r.text("cidrBlock"), r.text("ipv6CidrBlock")} {
			got, wide := world(cidr)
			if !wide || got != family {
				continue
			}
			is := parse(r.text("protocol"), number(one["fromPort"]), number(one["toPort"]))
			if action := r.text("action") + r.text("ruleAction"); strings.EqualFold(action, "allow") {
				open = append(open, is.without(shut)...)
			} else {
				shut = append(shut, is...)
			}
		}
	}
	return open.tidy()
}

// way is how one of the subnets is reached from the internet, and what gets that far.
type way struct {
	path []string
	lets flows
}

// into says whether the internet gets into any of the subnets over a family, and with what.
func (a *awsNet) into(subnets []string, family Family) (way, bool) {
	var best way
	found := false
	for _, id := range subnets {
		s, table := a.find(subnetType, id), a.table[id]
		if s == nil || table == nil || a.out[table.ID][family] == nil {
			continue
		}
		if family == IPv6 && s.text("ipv6CidrBlock") == "" {
			continue
		}
		w := way{[]string{"internet", label("internet gateway", a.out[table.ID][family]), label("subnet", s)}, a.aclLets(id, family)}
		if acl := a.acl[id]; acl != nil {
			w.path = append(w.path, label("network ACL", acl))
		}
		if !found {
			best, found = w, true
			continue
		}
		best.lets = append(best.lets, w.lets...).tidy()
	}
	return best, found
}

// through adds the security groups to the way. What has none is open.
func (a *awsNet) through(w way, groups []string, family Family) way {
	if len(groups) == 0 {
		return w
	}
	var lets flows
	path := slices.Clone(w.path)
	for _, id := range groups {
		if open := a.let[id][family]; len(open) > 0 {
			lets = append(lets, open...)
			name := id
			for _, kind := range []string{securityType, defaultGroupType} {
				if g := a.find(kind, id); g != nil {
					name = g.Name
				}
			}
			path = append(path, "security group "+name)
		}
	}
	return way{path, w.lets.meet(lets.tidy())}
}
