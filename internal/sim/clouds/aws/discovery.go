package aws

import (
	"regexp"
	"slices"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// discoveryTypes are Cloud Map.
func discoveryTypes() []cloud.Type {
	return []cloud.Type{privateNamespace(), httpNamespace(), discoveryService()}
}

// discovery is an error of the Cloud Map API.
func discovery(operation, code, format string, args ...any) error {
	return refuse("ServiceDiscovery", operation, code, format, args...)
}

var (
	namespaceName = regexp.MustCompile(`^[0-9A-Za-z._-]{1,253}$`)
	serviceLabel  = regexp.MustCompile(`^[0-9A-Za-z_]([0-9A-Za-z_-]*[0-9A-Za-z_])?(\.[0-9A-Za-z_]([0-9A-Za-z_-]*[0-9A-Za-z_])?)*$`)
)

func checkNamespace(c *cloud.CheckCall) {
	if name := c.In.String("name"); name != "" && !namespaceName.MatchString(name) {
		c.Fail("name", "only alphanumeric characters, underscores, periods and hyphens allowed in \"name\", at most 253: %q", name)
	}
}

func namespaceInUse(self, by *cloud.Resource) error {
	return discovery("DeleteNamespace", "ResourceInUse", "Namespace has associated services.")
}

func privateNamespace() cloud.Type {
	return cloud.Type{
		Token: privateNamespaceType,
		Check: checkNamespace,
		Create: func(c *cloud.Call) error {
			const op = "CreatePrivateDnsNamespace"
			vpc, name := c.In.String("vpc"), c.In.String("name")
			v := c.Find(vpcType, vpc)
			if v == nil {
				return discovery(op, "InvalidInput", "The VPC %s does not exist in region %s.", vpc, c.Scope)
			}
			for _, other := range c.All(privateNamespaceType) {
				if other.Out.String("name") == name && other.Out.String("vpc") == vpc {
					return discovery(op, "ConflictingDomainExists", "The VPC %s already has a hosted zone with the name %s", vpc, name)
				}
			}
			if !v.Out.Bool("enableDnsHostnames") || !v.Out.Bool("enableDnsSupport") {
				c.Warn("namespace %s: names resolve only when enableDnsHostnames and enableDnsSupport of %s are on", name, vpc)
			}
			c.ID = "ns-" + c.Gen.Pick("namespace", lower, 16)
			c.Out["arn"] = arn("servicediscovery", c.Scope, "namespace/"+c.ID)
			c.Out["hostedZone"] = "Z" + c.Gen.Pick("zone", upper, 20)
			return nil
		},
		InUse: []cloud.Ref{
			{Type: discoveryServiceType, Path: "namespaceId", Error: namespaceInUse}, {Type: discoveryServiceType, Path: "dnsConfig.namespaceId", Error: namespaceInUse},
		},
		Takes: cloud.Durations{Create: seconds(45), Update: seconds(30), Delete: seconds(60)},
	}
}

func httpNamespace() cloud.Type {
	return cloud.Type{
		Token: httpNamespaceType,
		Check: checkNamespace,
		Create: func(c *cloud.Call) error {
			if c.Clash("name") != nil {
				return discovery("CreateHttpNamespace", "NamespaceAlreadyExists", "The namespace %s already exists.", c.In.String("name"))
			}
			c.ID = "ns-" + c.Gen.Pick("namespace", lower, 16)
			c.Out["arn"] = arn("servicediscovery", c.Scope, "namespace/"+c.ID)
			c.Out["httpName"] = c.In.String("name")
			return nil
		},
		InUse: []cloud.Ref{{Type: discoveryServiceType, Path: "namespaceId", Error: namespaceInUse}},
		Takes: cloud.Durations{Create: seconds(5), Delete: seconds(5)},
	}
}

func discoveryService() cloud.Type {
	return written(cloud.Type{
		Token: discoveryServiceType,
		InUse: []cloud.Ref{{Type: ecsServiceType, Path: "serviceRegistries.registryArn", By: "arn", Error: func(self, by *cloud.Resource) error {
			return discovery("DeleteService", "ResourceInUse", "Service contains registered instances; delete the instances before deleting the service")
		}}},
		Takes: cloud.Durations{Create: seconds(2), Update: seconds(5), Delete: seconds(2)},
	}, checkDiscovery, func(c *cloud.Call) error {
		c.ID = "srv-" + c.Gen.Pick("service", lower, 16)
		c.Out["arn"] = arn("servicediscovery", c.Scope, "service/"+c.ID)
		computed(c, "namespaceId", c.In.String("dnsConfig.namespaceId"))
		computed(c, "type", map[bool]string{true: "DNS_HTTP", false: "HTTP"}[c.In.Has("dnsConfig")])
		return nil
	})
}

func checkDiscovery(c *cloud.Call) error {
	op := operation(c, "CreateService", "UpdateService")
	id := orText(c.In.String("dnsConfig.namespaceId"), c.In.String("namespaceId"))
	private := c.Find(privateNamespaceType, id)
	if private == nil && c.Find(httpNamespaceType, id) == nil {
		return discovery(op, "NamespaceNotFound", "The namespace %s could not be found.", id)
	}
	name := c.In.String("name")
	if len(name) > 127 || !serviceLabel.MatchString(name) {
		return discovery(op, "InvalidInput", "The service name '%s' is invalid.", name)
	}
	for _, other := range c.All(discoveryServiceType) {
		if other.Out.String("name") == name && other.Out.String("namespaceId") == id {
			return discovery(op, "ServiceAlreadyExists", "Service already exists.")
		}
	}
	if private != nil && c.In.Has("healthCheckConfig") {
		return discovery(op, "InvalidInput", "Route 53 health checks are not supported in private DNS namespaces; use a custom health check.")
	}
	if private == nil && c.In.Has("dnsConfig") {
		return discovery(op, "InvalidInput", "DNS records cannot be created in an HTTP namespace.")
	}
	return discoveryRecords(op, c.In.Object("dnsConfig"))
}

func discoveryRecords(op string, config cloud.Object) error {
	var kinds []string
	for _, r := range config.Objects("dnsRecords") {
		kind := r.String("type")
		if !slices.Contains([]string{"A", "AAAA", "SRV", "CNAME"}, kind) || slices.Contains(kinds, kind) {
			return discovery(op, "InvalidInput", "Invalid DNS record type: %s", kind)
		}
		kinds = append(kinds, kind)
		if ttl := r.Int("ttl"); ttl < 0 || ttl > 2147483647 {
			return discovery(op, "InvalidInput", "Invalid TTL: %d", ttl)
		}
	}
	if slices.Contains(kinds, "CNAME") && (len(kinds) > 1 || config.String("routingPolicy") != "WEIGHTED") {
		return discovery(op, "InvalidInput", "CNAME records cannot be combined with other records and need the WEIGHTED routing policy.")
	}
	return nil
}
