package aws

import (
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

// plant is a network as programs have it: two public and two private subnets in two zones, and a
// second network that nothing of the first may be mixed with.
type plant struct {
	vpc, igw            *cloud.Resource
	public, private     []string
	group, client       string // security groups
	other, otherGroup   string // another VPC and its group
	otherSubnets        []string
	table               string // a route table of the first VPC
	taskRole, execution string
}

func aPlant(s *simtest.Sim) plant {
	var n plant
	n.vpc = s.Must(vpcType, "main", props{"cidrBlock": "10.20.0.0/16", "enableDnsHostnames": true})
	n.igw = s.Must(internetGatewayType, "main", props{"vpcId": n.vpc.ID})
	subnets := func(vpc, prefix string, blocks ...string) (ids []string) {
		for i, b := range blocks {
			zone := "eu-west-1" + string(rune('a'+i))
			ids = append(ids, s.Must(subnetType, prefix+zone, props{"vpcId": vpc, "cidrBlock": b, "availabilityZone": zone}).ID)
		}
		return ids
	}
	n.public = subnets(n.vpc.ID, "public", "10.20.0.0/24", "10.20.1.0/24")
	n.private = subnets(n.vpc.ID, "private", "10.20.16.0/20", "10.20.32.0/20")
	n.other = s.Must(vpcType, "other", props{"cidrBlock": "10.30.0.0/16"}).ID
	s.Must(internetGatewayType, "other", props{"vpcId": n.other})
	n.otherSubnets = subnets(n.other, "other", "10.30.0.0/24", "10.30.1.0/24")
	n.group = s.Must(securityGroupType, "app", props{"vpcId": n.vpc.ID, "name": "app"}).ID
	n.client = s.Must(securityGroupType, "client", props{"vpcId": n.vpc.ID, "name": "client"}).ID
	n.otherGroup = s.Must(securityGroupType, "other", props{"vpcId": n.other, "name": "app"}).ID
	n.table = s.Must(routeTableType, "main", props{"vpcId": n.vpc.ID}).ID
	n.taskRole = aRole(s, "task", "ecs-tasks.amazonaws.com").Out.String("arn")
	n.execution = aRole(s, "execution", "ecs-tasks.amazonaws.com").Out.String("arn")
	return n
}

// on gives a row of a table the plant.
func on(f func(s *simtest.Sim, n plant) (good, mistake props)) func(*simtest.Sim) (props, props) {
	return func(s *simtest.Sim) (props, props) { return f(s, aPlant(s)) }
}

// plus is on for rows that differ from a common good by fixed values.
func plus(good func(s *simtest.Sim, n plant) props, mistake props) func(*simtest.Sim) (props, props) {
	return on(func(s *simtest.Sim, n plant) (props, props) { return good(s, n), mistake })
}

func (n plant) natGateway(s *simtest.Sim) *cloud.Resource {
	e := s.Must(eipType, "nat", props{"domain": "vpc"})
	return s.Must(natGatewayType, "nat", props{"subnetId": n.public[0], "allocationId": e.ID})
}

// certificate is an issued one for the domain.
func certificate(s *simtest.Sim, domain string) string {
	c := s.Must(certificateToken, domain, props{"domainName": domain, "validationMethod": "DNS"})
	c.Out["status"] = "ISSUED"
	return c.Out.String("arn")
}

func (n plant) balancer(s *simtest.Sim, name string) *cloud.Resource {
	return s.Must(loadBalancerType, name, props{"name": name, "subnets": n.public, "securityGroups": []string{n.group}})
}

func (n plant) targets(s *simtest.Sim, name string, more props) *cloud.Resource {
	return s.Must(targetGroupType, name, with(props{"name": name, "port": 8000, "protocol": "HTTP", "vpcId": n.vpc.ID, "targetType": "ip"}, more))
}

func forward(group *cloud.Resource) []any {
	return []any{props{"type": "forward", "targetGroupArn": group.ID}}
}

func (n plant) listener(s *simtest.Sim, lb *cloud.Resource, group *cloud.Resource) *cloud.Resource {
	return s.Must(listenerType, "http"+lb.Out.String("name"), props{"loadBalancerArn": lb.ID, "port": 80, "protocol": "HTTP", "defaultActions": forward(group)})
}

// refusedDelete asserts that the resource cannot go yet, and that it is still there.
func refusedDelete(t *testing.T, s *simtest.Sim, r *cloud.Resource, want string) {
	t.Helper()
	err := s.Delete(r)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("deleting %s %s: got %v, want a refusal with %q", r.Type, r.ID, err, want)
	}
	if s.World.Find(r.Scope, r.Type, r.ID) == nil {
		t.Errorf("%s %s was refused and is gone", r.Type, r.ID)
	}
}

// deletes asserts that the resource can go.
func deletes(t *testing.T, s *simtest.Sim, r *cloud.Resource) {
	t.Helper()
	if err := s.Delete(r); err != nil {
		t.Errorf("deleting %s %s: %v", r.Type, r.ID, err)
	}
}

// refusedUpdate asserts that the change is refused.
func refusedUpdate(t *testing.T, s *simtest.Sim, r *cloud.Resource, change props, want string) {
	t.Helper()
	if _, err := s.Update(r, with(plainProps(r), change)); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("updating %s with %v: got %v, want a refusal with %q", r.Type, change, err, want)
	}
}

// updates asserts that the change is taken, and returns the resource after it.
func updates(t *testing.T, s *simtest.Sim, r *cloud.Resource, change props) *cloud.Resource {
	t.Helper()
	out, err := s.Update(r, with(plainProps(r), change))
	if err != nil {
		t.Fatalf("updating %s with %v: %v", r.Type, change, err)
	}
	return out
}

func plainProps(r *cloud.Resource) props {
	out := props{}
	for k, v := range r.In {
		out[k] = v
	}
	return out
}
