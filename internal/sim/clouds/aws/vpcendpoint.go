package aws

import (
	"fmt"
	"hash/crc32"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// endpointServices are the services of AWS that have interface endpoints, by the end of their name.
var endpointServices = strings.Fields(`access-analyzer account acm-pca airflow.api application-autoscaling aps aps-workspaces
athena autoscaling backup batch bedrock bedrock-runtime cloudformation cloudhsmv2 cloudtrail codebuild codecommit config
dynamodb ebs ec2 ec2messages ecr.api ecr.dkr ecs ecs-agent ecs-telemetry elasticache elasticfilesystem elasticloadbalancing
email-smtp events execute-api fis git-codecommit glue grafana guardduty-data identitystore imagebuilder inspector2
kinesis-firehose kinesis-streams kms lambda logs monitoring notebook pipes ram rds rds-data redshift-data rekognition s3
sagemaker.api sagemaker.runtime scheduler secretsmanager securityhub servicecatalog servicediscovery data-servicediscovery
sns sqs ssm ssm-contacts ssm-incidents ssmmessages states sts sync-states synthetics transfer textract trustedadvisor
xray elasticfilesystem-fips kms-fips guardduty`)

var gatewayServices = []string{"s3", "dynamodb"}

// endpointService returns the end of an AWS service name in the region, or "" when there is none.
func endpointService(region, name string) string {
	short, ok := strings.CutPrefix(name, "com.amazonaws."+region+".")
	if !ok || !slices.Contains(endpointServices, short) {
		return ""
	}
	return short
}

func vpcEndpoint() cloud.Type {
	return cloud.Type{
		Token:  vpcEndpointType,
		Check:  func(c *cloud.CheckCall) { checkJSON(c, "policy") },
		Create: createEndpoint,
		Update: func(c *cloud.Call) error { return checkEndpoint(c, "ModifyVpcEndpoint") },
		InUse: []cloud.Ref{{Type: routeType, Path: "vpcEndpointId", Error: func(self, by *cloud.Resource) error {
			return ec2("DeleteVpcEndpoints", "InvalidParameter", "Endpoint must be removed from route table before deletion")
		}}},
		Recomputed: map[string][]string{"subnetIds": {"networkInterfaceIds", "dnsEntries"}},
		Takes:      cloud.Durations{Create: minutes(1.5), Update: seconds(30), Delete: minutes(1)},
	}
}

func createEndpoint(c *cloud.Call) error {
	c.ID = ec2ID(c.Gen, "vpce")
	if err := checkEndpoint(c, "CreateVpcEndpoint"); err != nil {
		return err
	}
	short := endpointService(c.Scope, c.In.String("serviceName"))
	c.Out["arn"] = arn("ec2", c.Scope, "vpc-endpoint/"+c.ID)
	c.Out["ownerId"], c.Out["state"], c.Out["requesterManaged"] = accountID, "available", false
	c.Out["prefixListId"], c.Out["cidrBlocks"] = "", []any{}
	c.Out["dnsEntries"], c.Out["networkInterfaceIds"] = []any{}, []any{}
	computed(c, "ipAddressType", "ipv4")
	computed(c, "policy", `{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}`)
	for _, key := range []string{"routeTableIds", "subnetIds", "securityGroupIds"} {
		computed(c, key, []any{})
	}
	if c.In.String("vpcEndpointType") != "Interface" {
		c.Out["prefixListId"] = prefixList(c.Scope, short)
		c.Out["cidrBlocks"] = cloud.Plain([]string{"3.5.64.0/21", "52.218.0.0/17"})
		return nil
	}
	if !c.In.Has("securityGroupIds") {
		c.Out["securityGroupIds"] = defaultGroup(c, c.In.String("vpcId"))
	}
	var nics []string
	suffix := c.Gen.Pick("dns", "abcdefghijklmnopqrstuvwxyz0123456789", 8)
	host := fmt.Sprintf("%s-%s.%s.%s.vpce.amazonaws.com", c.ID, suffix, short, c.Scope)
	entries := []any{cloud.Object{"dnsName": host, "hostedZoneId": "Z" + strings.ToUpper(fixed(13, "vpce", c.Scope))}}
	for _, id := range c.In.Strings("subnetIds") {
		nics = append(nics, "eni-0"+c.Gen.Hex("eni"+id, 16))
	}
	if c.In.Bool("privateDnsEnabled") {
		entries = append(entries, cloud.Object{"dnsName": privateDNS(short, c.Scope), "hostedZoneId": "Z" + strings.ToUpper(c.Gen.Hex("zone", 20))})
	}
	c.Out["networkInterfaceIds"], c.Out["dnsEntries"] = cloud.Plain(nics), entries
	return nil
}

func checkEndpoint(c *cloud.Call, op string) error {
	name, kind, vpc := c.In.String("serviceName"), c.In.String("vpcEndpointType"), c.In.String("vpcId")
	v := c.Find(vpcType, vpc)
	if v == nil {
		return ec2(op, "InvalidVpcId.NotFound", "The Vpc Id %s does not exist", vpc)
	}
	short := endpointService(c.Scope, name)
	if short == "" && strings.HasPrefix(name, "com.amazonaws.") && !strings.HasPrefix(name, "com.amazonaws.vpce.") {
		return ec2(op, "InvalidServiceName", "The Vpc Endpoint Service '%s' does not exist", name)
	}
	if kind == "Interface" {
		return checkInterfaceEndpoint(c, op, v, short)
	}
	if kind == "GatewayLoadBalancer" {
		return nil
	}
	if !slices.Contains(gatewayServices, short) {
		return ec2(op, "InvalidParameter", "Endpoint type (Gateway) does not match available service types ([Interface]).")
	}
	for _, key := range []string{"subnetIds", "securityGroupIds"} {
		if len(c.In.Strings(key)) > 0 {
			return ec2(op, "InvalidParameter", "%s is not supported for Gateway endpoints.", key)
		}
	}
	for _, table := range c.In.Strings("routeTableIds") {
		if err := gatewayTable(c, op, vpc, table, prefixList(c.Scope, short)); err != nil {
			return err
		}
	}
	return nil
}

// gatewayTable refuses a route table that a gateway endpoint cannot be in.
func gatewayTable(c *cloud.Call, op, vpc, table, list string) error {
	switch at := tableVPC(c, table); {
	case at == "":
		return ec2(op, "InvalidRouteTableId.NotFound", "The routeTable ID '%s' does not exist", table)
	case at != vpc:
		return ec2(op, "InvalidParameter", "Route table %s does not belong to vpc %s", table, vpc)
	}
	for _, e := range c.All(vpcEndpointType) {
		if e.Out.String("prefixListId") == list && list != "" && slices.Contains(e.Out.Strings("routeTableIds"), table) {
			return ec2(op, "RouteAlreadyExists", "route table %s already has a route with destination-prefix-list-id %s", table, list)
		}
	}
	return nil
}

func checkInterfaceEndpoint(c *cloud.Call, op string, v *cloud.Resource, short string) error {
	if len(c.In.Strings("routeTableIds")) > 0 {
		return ec2(op, "InvalidParameter", "Route table IDs are only supported for Gateway type VPC Endpoint.")
	}
	p := place(c.World, c.Scope, c.In.Strings("subnetIds"))
	if len(p.missing) > 0 {
		return ec2(op, "InvalidSubnetId.NotFound", "The subnet ID '%s' does not exist", p.missing[0])
	}
	for _, s := range p.subnets {
		if s.Out.String("vpcId") != v.ID {
			return ec2(op, "InvalidParameter", "Subnet %s does not belong to vpc %s", s.ID, v.ID)
		}
	}
	if p.sharing != "" {
		return ec2(op, "DuplicateSubnetsInSameZone", "Found another VPC endpoint subnet in the availability zone of %s. VPC endpoint subnets should be in different availability zones supported by the VPC endpoint service.", p.sharing)
	}
	if g, _ := misplacedGroup(c.World, c.Scope, c.In.Strings("securityGroupIds"), v.ID); g != "" {
		return ec2(op, "InvalidSecurityGroupId.NotFound", "The security group '%s' does not exist in VPC '%s'", g, v.ID)
	}
	if !c.In.Bool("privateDnsEnabled") {
		return nil
	}
	if !v.Out.Bool("enableDnsHostnames") || !v.Out.Bool("enableDnsSupport") {
		return ec2(op, "InvalidParameter", "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for %s", v.ID)
	}
	for _, e := range c.All(vpcEndpointType) {
		if e.Out.String("vpcId") == v.ID && e.Out.String("serviceName") == c.In.String("serviceName") && e.Out.Bool("privateDnsEnabled") {
			return ec2(op, "InvalidParameter", "private-dns-enabled cannot be set because there is already a conflicting DNS domain for %s in the VPC %s", privateDNS(short, c.Scope), v.ID)
		}
	}
	return nil
}

// privateDNS is the public name of a service, which its endpoint takes over inside the VPC.
func privateDNS(short, region string) string {
	switch short {
	case "ecr.api":
		return "api.ecr." + region + ".amazonaws.com"
	case "ecr.dkr":
		return "*.dkr.ecr." + region + ".amazonaws.com"
	}
	return short + "." + region + ".amazonaws.com"
}

// prefixList is AWS's list of a gateway service's addresses in the region.
func prefixList(region, short string) string {
	if r := regions[region]; r != nil && short == "s3" && r.s3List != "" {
		return r.s3List
	}
	return "pl-" + fixed(8, short, region)
}

func endpointRouteTable() cloud.Type {
	return cloud.Type{
		Token: endpointRouteType,
		Create: func(c *cloud.Call) error {
			const op = "ModifyVpcEndpoint"
			id, table := c.In.String("vpcEndpointId"), c.In.String("routeTableId")
			e := c.Find(vpcEndpointType, id)
			if e == nil {
				return ec2(op, "InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '%s' does not exist", id)
			}
			if e.Out.String("vpcEndpointType") == "Interface" {
				return ec2(op, "InvalidParameter", "Route table IDs are only supported for Gateway type VPC Endpoint.")
			}
			for _, a := range c.All(endpointRouteType) {
				if a.Out.String("vpcEndpointId") == id && a.Out.String("routeTableId") == table {
					return ec2(op, "RouteAlreadyExists", "route table %s already has a route with destination-prefix-list-id %s", table, e.Out.String("prefixListId"))
				}
			}
			c.ID = fmt.Sprintf("a-%s%d", id, crc32.ChecksumIEEE([]byte(table)))
			return gatewayTable(c, op, e.Out.String("vpcId"), table, e.Out.String("prefixListId"))
		},
	}
}
