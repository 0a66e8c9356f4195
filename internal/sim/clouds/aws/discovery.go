package aws

import (
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// discoveryTypes are Cloud Map, as far as there are facts of it.
func discoveryTypes() []cloud.Type {
	return []cloud.Type{
		{Token: privateNamespaceType, Create: func(c *cloud.Call) error {
			if c.Find(vpcType, c.In.String("vpc")) == nil {
				return refuse("ServiceDiscovery", "CreatePrivateDnsNamespace", "InvalidInput", "The VPC %s does not exist", c.In.String("vpc"))
			}
			c.ID = "ns-" + strings.ToLower(fixed(16, "ns", c.In.String("name")))
			c.Out["arn"], c.Out["hostedZone"] = arn("servicediscovery", c.Scope, "namespace/"+c.ID), "Z"+strings.ToUpper(fixed(13, "zone", c.ID))
			return nil
		}, Takes: cloud.Durations{Create: minutes(1), Delete: minutes(1)}},
		{Token: discoveryServiceType, Create: func(c *cloud.Call) error {
			ns := c.In.String("dnsConfig.namespaceId")
			if c.Find(privateNamespaceType, ns) == nil {
				return refuse("ServiceDiscovery", "CreateService", "NamespaceNotFound", "Namespace %s not found", ns)
			}
			c.ID = "srv-" + strings.ToLower(fixed(16, "srv", ns, c.In.String("name")))
			c.Out["arn"] = arn("servicediscovery", c.Scope, "service/"+c.ID)
			computed(c, "namespaceId", ns)
			computed(c, "type", "DNS")
			return nil
		}, Takes: cloud.Durations{Create: seconds(2), Delete: seconds(2)}},
	}
}
