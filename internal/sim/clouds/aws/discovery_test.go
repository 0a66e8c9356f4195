package aws

import (
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

func TestDiscoveryRefusals(t *testing.T) {
	records := func(policy string, kinds ...string) props {
		list := []any{}
		for _, k := range kinds {
			list = append(list, props{"type": k, "ttl": 10})
		}
		return props{"dnsRecords": list, "routingPolicy": policy}
	}
	service := func(change func(id string) props) func(*simtest.Sim) (props, props) {
		return on(func(s *simtest.Sim, n plant) (props, props) {
			ns := s.Must(privateNamespaceType, "ns", props{"name": "morphee.internal", "vpc": n.vpc.ID})
			good := func(name string) props {
				return props{"name": name, "dnsConfig": with(records("MULTIVALUE", "A"), props{"namespaceId": ns.ID})}
			}
			s.Must(discoveryServiceType, "taken", good("taken"))
			return good("forgejo"), change(ns.ID)
		})
	}
	runRefusals(t, []refusal{
		{"namespace of no network", privateNamespaceType, "does not exist in region", on(func(s *simtest.Sim, n plant) (props, props) {
			return props{"name": "morphee.internal", "vpc": n.vpc.ID}, props{"vpc": "vpc-0123456789abcdef0"}
		})},
		{"namespace twice", privateNamespaceType, "ConflictingDomainExists", on(func(s *simtest.Sim, n plant) (props, props) {
			s.Must(privateNamespaceType, "first", props{"name": "taken.internal", "vpc": n.vpc.ID})
			return props{"name": "morphee.internal", "vpc": n.vpc.ID}, props{"name": "taken.internal"}
		})},
		{"service in no namespace", discoveryServiceType, "NamespaceNotFound", service(func(string) props {
			return props{"dnsConfig": with(records("MULTIVALUE", "A"), props{"namespaceId": "ns-nobody"})}
		})},
		{"discovered name taken", discoveryServiceType, "ServiceAlreadyExists", service(func(string) props { return props{"name": "taken"} })},
		{"public health check in private", discoveryServiceType, "not supported in private DNS namespaces", service(func(string) props {
			return props{"healthCheckConfig": props{"type": "HTTP"}}
		})},
		{"alias with addresses", discoveryServiceType, "CNAME records cannot be combined", service(func(id string) props {
			return props{"dnsConfig": with(records("WEIGHTED", "A", "CNAME"), props{"namespaceId": id})}
		})},
	})
}

func TestDiscoveryDeleteOrder(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	k := aStack(s, nil)
	ns := s.Must(privateNamespaceType, "ns", props{"name": "morphee.internal", "vpc": k.vpc.ID})
	reg := s.Must(discoveryServiceType, "app", props{"name": "app", "dnsConfig": props{"namespaceId": ns.ID, "dnsRecords": []any{props{"type": "A", "ttl": 10}}}})
	s.Refuses(ecsServiceType, "wrong", with(k.service, props{"serviceRegistries": props{"registryArn": "arn:aws:servicediscovery:eu-west-1:123456789012:service/srv-nobody"}}), "Unable to find the service registry")
	svc := s.Must(ecsServiceType, "app", with(k.service, props{"serviceRegistries": props{"registryArn": reg.Out["arn"]}}))
	refusedDelete(t, s, ns, "ResourceInUse")
	refusedDelete(t, s, reg, "ResourceInUse")
	deletes(t, s, svc)
	deletes(t, s, reg)
	deletes(t, s, ns)
}
