package isolation

import (
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/policy/rule"
	"github.com/morphee-app/morphee-infra/policy/ruletest"
)

const network = `
aws:ec2/vpc:Vpc vpc {"cidrBlock":"10.0.0.0/16"}
aws:ec2/internetGateway:InternetGateway igw {"vpcId":"id:vpc"}
aws:ec2/subnet:Subnet pub {"vpcId":"id:vpc","tags":{"tier":"public"}}
aws:ec2/subnet:Subnet priv {"vpcId":"id:vpc","tags":{"tier":"private"}}
aws:ec2/routeTable:RouteTable rt {"vpcId":"id:vpc"}
aws:ec2/natGateway:NatGateway nat {"subnetId":"id:pub"}
aws:ec2/routeTableAssociation:RouteTableAssociation rta {"routeTableId":"id:rt","subnetId":"id:priv"}
`

const balancer = `
aws:ec2/securityGroup:SecurityGroup lbsg {"description":"lb"}
aws:lb/loadBalancer:LoadBalancer alb {"loadBalancerType":"application","securityGroups":["id:lbsg"]}
`

// pass is the answer where leaving something out, or not knowing it, is fine.
const (
	pass         = rule.Pass
	undetermined = rule.Undetermined
)

func TestRules(t *testing.T) {
	firewall := `hcloud:index/firewall:Firewall fw {"rules":[{"direction":"in","protocol":"tcp","port":"22","sourceIps":["198.51.100.0/24"]},
		{"direction":"in","protocol":"tcp","port":"443","sourceIps":["0.0.0.0/0"]},{"direction":"in","protocol":"icmp","sourceIps":["::/0"]}]}`
	firewall = oneLine(firewall)
	container := `docker:index/container:Container c {"name":"app","networksAdvanced":[{"name":"data"}],"networkMode":"bridge","ports":[],"publishAllPorts":false}`
	public := `{"Version":"2012-10-17","Statement":[{"Sid":"All","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}]}`
	narrow := `{\"Statement\":[{\"Sid\":\"Cdn\",\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"cloudfront.amazonaws.com\"},\"Action\":\"s3:GetObject\",\"Resource\":\"x\"},{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"*\"}]}`
	ruletest.Run(t, Pack, []ruletest.Case{
		{Rule: "subnet-no-public-ip", World: `aws:ec2/subnet:Subnet s {"mapPublicIpOnLaunch":false}`, At: "s mapPublicIpOnLaunch", Bad: true, Absent: pass},

		{Rule: "private-subnet-no-internet-route", Form: "separate route", World: network + `aws:ec2/route:Route out {"routeTableId":"id:rt","destinationCidrBlock":"0.0.0.0/0","gatewayId":"id:other"}`,
			At: "out gatewayId", Bad: "id:igw", Absent: pass, Unknown: pass},
		{Rule: "private-subnet-no-internet-route", Form: "inline route", World: network + `aws:ec2/routeTable:RouteTable rt2 {"routes":[{"cidrBlock":"0.0.0.0/0","gatewayId":"id:vgw"}]}
			aws:ec2/subnet:Subnet p2 {"vpcId":"id:vpc","tags":{"tier":"isolated"}}
			aws:ec2/routeTableAssociation:RouteTableAssociation rta2 {"routeTableId":"id:rt2","subnetId":"id:p2"}`,
			At: "rt2 routes.0.gatewayId", Bad: "id:igw", Absent: pass},
		{Rule: "private-subnet-no-internet-route", Form: "main route table", World: network + `aws:ec2/subnet:Subnet p2 {"vpcId":"id:vpc","tags":{"tier":"private"}}
			aws:ec2/routeTable:RouteTable main {"vpcId":"id:vpc","routes":[{"cidrBlock":"0.0.0.0/0","gatewayId":"id:vgw"}]}
			aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation mrta {"vpcId":"id:vpc","routeTableId":"id:main"}`,
			At: "main routes.0.gatewayId", Bad: "id:igw", Absent: pass},

		{Rule: "tasks-in-private-subnets", Form: "service", World: network + `aws:ecs/service:Service svc {"networkConfiguration":{"subnets":["id:priv"]}}`,
			At: "svc networkConfiguration.subnets", Bad: []any{"id:pub"}, BadToo: []any{[]any{"id:priv", "id:pub"}}, Absent: pass},
		{Rule: "tasks-in-private-subnets", Form: "schedule", World: network + `aws:scheduler/schedule:Schedule sch {"target":{"ecsParameters":{"networkConfiguration":{"subnets":["id:priv"]}}}}`,
			At: "sch target.ecsParameters.networkConfiguration.subnets.0", Bad: "id:pub", Absent: pass},
		{Rule: "tasks-in-private-subnets", Form: "untagged", World: `
			aws:ec2/internetGateway:InternetGateway igw {}
			aws:ec2/subnet:Subnet a {}
			aws:ec2/subnet:Subnet b {}
			aws:ec2/routeTable:RouteTable rt {"routes":[{"gatewayId":"id:igw"}]}
			aws:ec2/routeTableAssociation:RouteTableAssociation rta {"routeTableId":"id:rt","subnetId":"id:b"}
			aws:ecs/service:Service svc {"networkConfiguration":{"subnets":["id:a"]}}`,
			At: "svc networkConfiguration.subnets.0", Bad: "id:b", Absent: pass},
		{Rule: "data-in-private-subnets", Form: "database", World: network + `aws:rds/subnetGroup:SubnetGroup g {"subnetIds":["id:priv"]}`, At: "g subnetIds.0", Bad: "id:pub", Absent: pass},
		{Rule: "data-in-private-subnets", Form: "cache", World: network + `aws:elasticache/subnetGroup:SubnetGroup g {"subnetIds":["id:priv"]}`, At: "g subnetIds", Bad: []any{"id:pub"}, Absent: pass},
		{Rule: "data-in-private-subnets", Form: "files", World: network + `aws:efs/mountTarget:MountTarget g {"subnetId":"id:priv"}`, At: "g subnetId", Bad: "id:pub", Absent: pass},
		{Rule: "task-no-public-ip", Form: "service", World: `aws:ecs/service:Service s {"networkConfiguration":{"assignPublicIp":false}}`, At: "s networkConfiguration.assignPublicIp", Bad: true, Absent: pass},
		{Rule: "task-no-public-ip", Form: "event", World: `aws:cloudwatch/eventTarget:EventTarget s {"ecsTarget":{"networkConfiguration":{"assignPublicIp":false}}}`, At: "s ecsTarget.networkConfiguration.assignPublicIp", Bad: true, Absent: pass},
		{Rule: "public-address-only-for-nat", Form: "instance", World: `aws:ec2/instance:Instance i {"associatePublicIpAddress":false}`, At: "i associatePublicIpAddress", Bad: true, Absent: pass},
		{Rule: "public-address-only-for-nat", Form: "template", World: `aws:ec2/launchTemplate:LaunchTemplate i {"networkInterfaces":[{"associatePublicIpAddress":"false"}]}`, At: "i networkInterfaces.0.associatePublicIpAddress", Bad: "true", Absent: pass},

		{Rule: "default-security-group-closed", World: `aws:ec2/vpc:Vpc v {}
			aws:ec2/defaultSecurityGroup:DefaultSecurityGroup d {"vpcId":"id:v","ingress":[],"egress":[]}`, At: "d ingress", Bad: []any{map[string]any{"fromPort": 0.0}}, Absent: pass},
		{Rule: "default-security-group-closed", Form: "missing", World: `aws:ec2/vpc:Vpc v {}
			aws:ec2/defaultSecurityGroup:DefaultSecurityGroup d {"vpcId":"id:v"}`, At: "d"},

		{Rule: "no-open-ingress", Form: "inline", World: balancer + `aws:ec2/securityGroup:SecurityGroup g {"ingress":[{"fromPort":5432,"toPort":5432,"protocol":"tcp","cidrBlocks":["203.0.113.0/24"]}]}`,
			At: "g ingress.0.cidrBlocks.0", Bad: "0.0.0.0/0", BadToo: []any{"0.0.0.0/1", "::/0"}, Absent: pass},
		{Rule: "no-open-ingress", Form: "separate rule", World: balancer + `aws:ec2/securityGroupRule:SecurityGroupRule r {"type":"ingress","securityGroupId":"id:lbsg","fromPort":443,"toPort":443,"protocol":"tcp","cidrBlocks":["0.0.0.0/0"]}`,
			At: "r fromPort", Bad: 1.0, Absent: rule.Violation},
		{Rule: "no-open-ingress", Form: "separate ingress rule", World: balancer + `aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule r {"securityGroupId":"id:lbsg","fromPort":80,"toPort":80,"ipProtocol":"tcp","cidrIpv6":"::/0"}`,
			At: "r toPort", Bad: 90.0},
		{Rule: "no-open-ingress", Form: "group of something else too", World: balancer + `aws:ec2/securityGroup:SecurityGroup own {}
			aws:ecs/service:Service svc {"networkConfiguration":{"securityGroups":["id:own"]}}
			aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule r {"securityGroupId":"id:lbsg","fromPort":443,"toPort":443,"ipProtocol":"tcp","cidrIpv4":"0.0.0.0/0"}`,
			At: "svc networkConfiguration.securityGroups.0", Bad: "id:lbsg", Absent: pass, Unknown: pass},
		{Rule: "no-open-ingress", Form: "network balancer", World: `aws:ec2/securityGroup:SecurityGroup g {}
			aws:lb/loadBalancer:LoadBalancer nlb {"loadBalancerType":"network","securityGroups":["id:g"]}
			aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule r {"securityGroupId":"id:g","fromPort":22,"toPort":22,"ipProtocol":"tcp","cidrIpv4":"0.0.0.0/0"}`,
			At: "nlb loadBalancerType", Bad: "application", Unknown: rule.Violation},
		{Rule: "ingress-by-reference", Form: "separate", World: balancer + `aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule r {"securityGroupId":"id:lbsg","cidrIpv4":"203.0.113.0/24"}`,
			At: "r cidrIpv4", Bad: "10.0.0.0/16", Absent: pass},
		{Rule: "ingress-by-reference", Form: "inline", World: `aws:ec2/securityGroup:SecurityGroup g {"ingress":[{"cidrBlocks":["203.0.113.0/24"]}]}`,
			At: "g ingress.0.cidrBlocks", Bad: []any{"172.16.0.0/12"}, Absent: pass},
		{Rule: "ingress-by-reference", Form: "NAT", World: `aws:ec2/securityGroup:SecurityGroup g {}
			aws:ec2/networkInterface:NetworkInterface nat {"securityGroups":["id:g"],"sourceDestCheck":false}
			aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule r {"securityGroupId":"id:g","cidrIpv4":"10.0.0.0/16"}`,
			At: "nat sourceDestCheck", Bad: true, Unknown: rule.Violation},
		{Rule: "security-group-description", Form: "group", World: `aws:ec2/securityGroup:SecurityGroup g {"description":"Redis"}`, At: "g description", Bad: "Managed by Pulumi", BadToo: []any{""}},
		{Rule: "security-group-description", Form: "inline rule", World: `aws:ec2/securityGroup:SecurityGroup g {"description":"Redis","ingress":[{"description":"from the backend"}]}`, At: "g ingress.0.description", Bad: ""},
		{Rule: "security-group-description", Form: "separate rule", World: `aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule g {"description":"Redis"}`, At: "g description", Bad: ""},
		{Rule: "vpc-flow-logs", World: `aws:ec2/vpc:Vpc v {}
			aws:ec2/flowLog:FlowLog f {"vpcId":"id:v","trafficType":"ALL"}`, At: "f trafficType", Bad: "REJECT"},
		{Rule: "vpc-flow-logs", Form: "missing", World: `aws:ec2/vpc:Vpc v {}
			aws:ec2/flowLog:FlowLog f {"vpcId":"id:v","trafficType":"ALL"}`, At: "f"},
		{Rule: "network-acl-no-admin-ports", Form: "inline", World: `aws:ec2/networkAcl:NetworkAcl a {"ingress":[{"action":"allow","protocol":"tcp","cidrBlock":"0.0.0.0/0","fromPort":32768,"toPort":65535}]}`,
			At: "a ingress.0.fromPort", Bad: 22.0},
		{Rule: "network-acl-no-admin-ports", Form: "separate", World: `aws:ec2/networkAclRule:NetworkAclRule a {"ruleAction":"allow","protocol":"tcp","cidrBlock":"10.0.0.0/8","fromPort":0,"toPort":65535}`,
			At: "a cidrBlock", Bad: "0.0.0.0/0", Absent: pass},
		{Rule: "endpoint-group", World: `aws:ec2/vpcEndpoint:VpcEndpoint e {"vpcEndpointType":"Interface","securityGroupIds":["id:g"]}`, At: "e securityGroupIds", Bad: []any{}},

		{Rule: "lb-tls-policy", World: `aws:lb/listener:Listener l {"protocol":"HTTPS","sslPolicy":"ELBSecurityPolicy-TLS13-1-2-2021-06"}`, At: "l sslPolicy", Bad: "ELBSecurityPolicy-2016-08", BadToo: []any{"ELBSecurityPolicy-TLS13-1-0-2021-06"}},
		{Rule: "lb-http-redirects", World: `aws:lb/listener:Listener l {"protocol":"HTTP","defaultActions":[{"type":"redirect","redirect":{"protocol":"HTTPS"}}]}`, At: "l defaultActions.0.redirect.protocol", Bad: "HTTP"},
		{Rule: "lb-access-logs", World: `aws:lb/loadBalancer:LoadBalancer l {"accessLogs":{"enabled":true}}`, At: "l accessLogs.enabled", Bad: false},
		{Rule: "lb-drop-invalid-headers", World: `aws:lb/loadBalancer:LoadBalancer l {"dropInvalidHeaderFields":true}`, At: "l dropInvalidHeaderFields", Bad: false},
		{Rule: "lb-desync-mode", World: `aws:lb/loadBalancer:LoadBalancer l {"desyncMitigationMode":"strictest"}`, At: "l desyncMitigationMode", Bad: "monitor", Absent: pass},
		{Rule: "lb-deletion-protection", World: `aws:lb/loadBalancer:LoadBalancer l {"enableDeletionProtection":true}`, At: "l enableDeletionProtection", Bad: false},

		{Rule: "cloudfront-https-only", Form: "default", World: cdnWorld, At: "d defaultCacheBehavior.viewerProtocolPolicy", Bad: "allow-all"},
		{Rule: "cloudfront-https-only", Form: "ordered", World: cdnWorld, At: "d orderedCacheBehaviors.0.viewerProtocolPolicy", Bad: "allow-all"},
		{Rule: "cloudfront-tls-2021", World: cdnWorld, At: "d viewerCertificate.minimumProtocolVersion", Bad: "TLSv1.1_2016"},
		{Rule: "cloudfront-origin-access-control", World: cdnWorld, At: "d origins.0.originAccessControlId", Bad: ""},
		{Rule: "cloudfront-origin-https", World: cdnWorld, At: "d origins.1.customOriginConfig.originProtocolPolicy", Bad: "match-viewer"},
		{Rule: "cloudfront-logs", World: cdnWorld, At: "d loggingConfig.bucket", Bad: ""},
		{Rule: "cloudfront-certificate-us-east-1", World: cdnWorld, At: "d viewerCertificate.acmCertificateArn", Bad: "arn:aws:acm:eu-west-1:1:certificate/x", Absent: pass},
		{Rule: "cloudfront-security-headers", World: cdnWorld, At: "d defaultCacheBehavior.responseHeadersPolicyId", Bad: ""},

		{Rule: "database-not-public", Form: "instance", World: `aws:rds/instance:Instance d {"publiclyAccessible":false}`, At: "d publiclyAccessible", Bad: true, Absent: pass},
		{Rule: "database-not-public", Form: "member", World: `aws:rds/clusterInstance:ClusterInstance d {"publiclyAccessible":false}`, At: "d publiclyAccessible", Bad: true, Absent: pass},
		{Rule: "s3-block-public-access", World: bucketWorld, At: "block blockPublicPolicy", Bad: false},
		{Rule: "s3-block-public-access", Form: "missing", World: bucketWorld, At: "block"},
		{Rule: "s3-no-public-acl", Form: "separate", World: `aws:s3/bucketAclV2:BucketAclV2 a {"acl":"private"}`, At: "a acl", Bad: "public-read", BadToo: []any{"public-read-write", "authenticated-read"}, Absent: pass},
		{Rule: "s3-no-public-acl", Form: "inline", World: `aws:s3/bucket:Bucket a {"acl":"private"}`, At: "a acl", Bad: "public-read", Absent: pass},
		{Rule: "s3-policy-not-public", Form: "separate", World: `aws:s3/bucketPolicy:BucketPolicy p {"policy":"` + narrow + `"}`, At: "p policy", Bad: public, Absent: pass},
		{Rule: "s3-policy-not-public", Form: "inline", World: `aws:s3/bucket:Bucket p {"policy":"` + narrow + `"}`, At: "p policy", Bad: public, Absent: pass},
		{Rule: "ecr-not-public", World: `aws:ecr/repositoryPolicy:RepositoryPolicy p {"policy":"` + narrow + `"}`, At: "p policy", Bad: public, Absent: pass},
		{Rule: "resource-policy-not-public", Form: "separate", World: `aws:sns/topicPolicy:TopicPolicy p {"policy":"` + narrow + `"}`, At: "p policy", Bad: public, Absent: pass},
		{Rule: "resource-policy-not-public", Form: "inline", World: `aws:sns/topic:Topic p {"policy":"` + narrow + `"}`, At: "p policy", Bad: public, Absent: pass},

		{Rule: "hetzner-firewall", Form: "of the server", World: `hcloud:index/firewall:Firewall fw {}
			hcloud:index/server:Server s {"firewallIds":["id:fw"]}`, At: "s firewallIds", Bad: []any{}},
		{Rule: "hetzner-firewall", Form: "attached", World: `hcloud:index/server:Server s {}
			hcloud:index/firewallAttachment:FirewallAttachment a {"firewallId":"id:fw","serverIds":["id:s"]}`, At: "a serverIds", Bad: []any{}},
		{Rule: "hetzner-firewall", Form: "applied", World: `hcloud:index/server:Server s {}
			hcloud:index/firewall:Firewall fw {"applyTos":[{"server":"id:s"}]}`, At: "fw applyTos.0.server", Bad: "id:other"},
		{Rule: "hetzner-ssh-sources", World: firewall, At: "fw rules.0.sourceIps.0", Bad: "0.0.0.0/0", BadToo: []any{"::/0"}, Absent: pass},
		{Rule: "hetzner-ssh-sources", Form: "another port", World: firewall, At: "fw rules.0.port", Bad: "20-30", Absent: pass, Good: []any{"22"},
			Options: rule.Options{Config: map[string]string{"morphee:ssh": `{"port":2222}`}}, Add: `hcloud:index/firewall:Firewall f2 {"rules":[{"direction":"in","protocol":"tcp","port":"2222","sourceIps":["0.0.0.0/0"]}]}`},
		{Rule: "hetzner-open-ports", World: firewall, At: "fw rules.1.port", Bad: "5432", BadToo: []any{"3000"}, Good: []any{"80", "3022"}, Absent: pass,
			Options: rule.Options{Config: map[string]string{"morphee:forgejo": `{"sshPort":3022}`}}},

		{Rule: "docker-only-proxy-publishes", World: container, At: "c ports", Bad: []any{map[string]any{"internal": 3000.0, "external": 3000.0}}, Absent: pass},
		{Rule: "docker-only-proxy-publishes", Form: "git over SSH", World: `docker:index/container:Container c {"name":"forgejo","ports":[{"internal":2222,"external":222}]}`, At: "c ports.0.internal", Bad: 3000.0, Unknown: rule.Violation},
		{Rule: "docker-proxy-web-only", World: `docker:index/container:Container c {"name":"traefik","ports":[{"internal":443,"external":443}]}`, At: "c ports.0.external", Bad: 8080.0},
		{Rule: "docker-no-publish-all", World: container, At: "c publishAllPorts", Bad: true, Absent: pass},
		{Rule: "docker-no-host-namespaces", World: container, At: "c networkMode", Bad: "host", Absent: pass},
		{Rule: "docker-own-networks", World: container, At: "c networksAdvanced", Bad: []any{}},
		{Rule: "docker-data-internal", World: `docker:index/network:Network n {"name":"data","internal":true}
			docker:index/network:Network e {"name":"edge","internal":false}
			docker:index/container:Container c {"name":"postgres","networksAdvanced":[{"name":"data"}]}`, At: "c networksAdvanced.0.name", Bad: "edge"},
	})
}

const cdnWorld = `aws:cloudfront/distribution:Distribution d {"defaultCacheBehavior":{"viewerProtocolPolicy":"https-only","responseHeadersPolicyId":"p"},"orderedCacheBehaviors":[{"viewerProtocolPolicy":"redirect-to-https","responseHeadersPolicyId":"p"}],"origins":[{"originAccessControlId":"oac"},{"customOriginConfig":{"originProtocolPolicy":"https-only"}}],"loggingConfig":{"bucket":"logs"},"viewerCertificate":{"minimumProtocolVersion":"TLSv1.2_2021","acmCertificateArn":"arn:aws:acm:us-east-1:1:certificate/x"}}`

const bucketWorld = `aws:s3/bucketV2:BucketV2 b {}
aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock block {"bucket":"id:b","blockPublicAcls":true,"blockPublicPolicy":true,"ignorePublicAcls":true,"restrictPublicBuckets":true}`

// oneLine joins the lines of a resource.
func oneLine(text string) string { return strings.ReplaceAll(text, "\n", " ") }
