package hygiene

import (
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

// taggable are the types that take tags as a map.
var taggable = strings.Fields(`
aws:acm/certificate:Certificate aws:backup/plan:Plan aws:backup/vault:Vault aws:cloudfront/distribution:Distribution
aws:cloudwatch/compositeAlarm:CompositeAlarm aws:cloudwatch/eventRule:EventRule aws:cloudwatch/logGroup:LogGroup
aws:cloudwatch/metricAlarm:MetricAlarm aws:datasync/efsLocation:EfsLocation aws:datasync/task:Task aws:ec2/defaultSecurityGroup:DefaultSecurityGroup aws:ec2/eip:Eip aws:ec2/flowLog:FlowLog
aws:ec2/instance:Instance aws:ec2/internetGateway:InternetGateway aws:ec2/launchTemplate:LaunchTemplate aws:ec2/natGateway:NatGateway
aws:ec2/networkAcl:NetworkAcl aws:ec2/networkInterface:NetworkInterface aws:ec2/routeTable:RouteTable aws:ec2/securityGroup:SecurityGroup
aws:ec2/subnet:Subnet aws:ec2/vpc:Vpc aws:ec2/vpcEndpoint:VpcEndpoint aws:ecr/repository:Repository aws:ecs/cluster:Cluster
aws:ecs/service:Service aws:ecs/taskDefinition:TaskDefinition aws:efs/accessPoint:AccessPoint aws:efs/fileSystem:FileSystem
aws:elasticache/parameterGroup:ParameterGroup aws:elasticache/replicationGroup:ReplicationGroup aws:elasticache/subnetGroup:SubnetGroup
aws:iam/instanceProfile:InstanceProfile aws:iam/openIdConnectProvider:OpenIdConnectProvider aws:iam/policy:Policy aws:iam/role:Role
aws:kms/key:Key aws:kms/replicaKey:ReplicaKey aws:lb/listener:Listener aws:lb/listenerRule:ListenerRule aws:lb/loadBalancer:LoadBalancer
aws:lb/targetGroup:TargetGroup aws:rds/cluster:Cluster aws:rds/clusterInstance:ClusterInstance aws:rds/clusterParameterGroup:ClusterParameterGroup
aws:rds/instance:Instance aws:rds/parameterGroup:ParameterGroup aws:rds/proxy:Proxy aws:rds/subnetGroup:SubnetGroup
aws:route53/healthCheck:HealthCheck aws:route53/zone:Zone aws:s3/bucket:Bucket aws:s3/bucketV2:BucketV2 aws:scheduler/scheduleGroup:ScheduleGroup
aws:secretsmanager/secret:Secret aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace aws:servicediscovery/service:Service
aws:sns/topic:Topic aws:ssm/parameter:Parameter aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule
hcloud:index/firewall:Firewall hcloud:index/floatingIp:FloatingIp hcloud:index/network:Network hcloud:index/primaryIp:PrimaryIp
hcloud:index/server:Server hcloud:index/sshKey:SshKey hcloud:index/volume:Volume
docker:index/container:Container docker:index/network:Network docker:index/volume:Volume`)

var governance = []rule.Rule{{
	ID: "governance-tags", Level: rule.Mandatory, Types: taggable,
	Title:  "Everything that takes tags says its project, stack, phase and owner",
	Reason: "Who pays, who answers, and what may be deleted is read off the tags.",
	Mend:   "Tag it with base.Tags.",
	Settings: []rule.Setting{{Name: "tags", Default: []string{"project", "stack", "phase", "owner"}, Description: "tags that must be there"},
		{Name: "labels", Default: []string{"project", "stack", "owner"}, Description: "labels that must be there on Docker's things; they cannot change with the phase without a replacement"}},
	Check: func(c *rule.Check) {
		want, v := c.Strings("tags"), c.In("tags")
		if !strings.HasPrefix(c.Type, "aws:") {
			v = c.In("labels")
		}
		if strings.HasPrefix(c.Type, "docker:") {
			want = c.Strings("labels")
		}
		if v.Unknown() {
			c.Undecided(v)
			return
		}
		have := map[string]rule.Value{}
		for _, k := range v.Keys() {
			have[k] = v.Key(k)
		}
		for _, e := range v.List() {
			have[e.At("label").Text()] = e.At("value")
		}
		for _, k := range want {
			if t, ok := have[k]; ok && t.Unknown() {
				c.Undecided(t)
			} else if !ok || t.Text() == "" {
				c.Violate("the tag %s is missing", k)
			}
		}
	},
}, {
	ID: "allowed-regions", Level: rule.Mandatory, Types: []string{"pulumi:providers:aws"},
	Title:  "AWS is used in permitted regions only",
	Reason: "Data of our users stays where we said it does; and nobody looks for servers in a region that we do not use.",
	Mend:   "Change morphee:aws.region, or the setting.",
	Settings: []rule.Setting{{Name: "regions", Default: []string{"eu-*", "us-east-1", "us-west-2"},
		Description: "regions, * stands for any text; us-east-1 is where CloudFront's certificates and billing live"}},
	Check: func(c *rule.Check) {
		v := c.In("region")
		if v.Absent() {
			return // from the environment, which the configuration does not allow
		}
		c.Want(v, func(v rule.Value) bool {
			return slices.ContainsFunc(c.Strings("regions"), func(p string) bool { return rule.Glob(p, v.Text()) })
		}, "the region is not permitted")
	},
}, {
	ID: "allowed-locations", Level: rule.Mandatory,
	Types:  []string{"hcloud:index/server:Server", "hcloud:index/volume:Volume", "hcloud:index/primaryIp:PrimaryIp", "cloudflare:index/r2Bucket:R2Bucket"},
	Title:  "Servers, volumes and backups are in permitted locations only",
	Reason: "Data of our users stays where we said it does.",
	Mend:   "Change morphee:server.location or morphee:backups.locationHint, or the setting.",
	Settings: []rule.Setting{{Name: "hetzner", Default: []string{"fsn1", "nbg1", "hel1"}, Description: "Hetzner's locations"},
		{Name: "cloudflare", Default: []string{"weur", "eeur", "enam", "wnam"}, Description: "R2's locations"}},
	Check: func(c *rule.Check) {
		setting := "hetzner"
		if strings.HasPrefix(c.Type, "cloudflare:") {
			setting = "cloudflare"
		}
		c.Want(c.In("location"), func(v rule.Value) bool {
			return v.Absent() || slices.Contains(c.Strings(setting), strings.ToLower(v.Text()))
		}, "the location is not permitted")
	},
}, {
	ID: "monthly-cost", Level: rule.Mandatory,
	Title:    "The stack costs no more a month than its phase's budget",
	Reason:   "A change that costs more is a decision, not a side effect.",
	Mend:     "Choose smaller, or raise morphee:budget.monthlyUsd.",
	Settings: []rule.Setting{{Name: "budgets", Default: []string{"25", "25", "120", "400", "1400"}, Description: "USD a month by phase, when morphee:budget.monthlyUsd does not say"}},
	Graph: func(g *rule.Graph) {
		cost := g.Options().MonthlyUSD
		if cost == nil {
			return // there is no cost report
		}
		budget, ok := g.Options().Nested("budget", "monthlyUsd").Number()
		if !ok {
			phase, known := rule.Of(g.Options().Value("phase")).Number()
			list := g.Strings("budgets")
			if !known || int(phase) >= len(list) {
				g.UndecidedStack("phase")
				return
			}
			budget, _ = rule.Of(list[int(phase)]).Number()
		}
		g.LookedStack()
		if *cost > budget {
			g.ViolateStack("the stack costs %.2f USD a month, the budget is %.0f", *cost, budget)
		}
	},
}}
