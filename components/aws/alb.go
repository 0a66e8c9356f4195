package aws

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// PublicAlbType is the type token of PublicAlb.
const PublicAlbType = "morphee:aws:PublicAlb"

// AlbHost is one rule of the HTTPS listener and the target group it sends to.
type AlbHost struct {
	// Hosts are the host headers, such as "api.morphee.app"; 1 to 5.
	Hosts []string
	// Port the containers listen on. Changing it replaces the target group.
	Port int
	// HealthPath answers 2xx-3xx when the container is fit; default "/". HealthCodes default "200-399".
	HealthPath, HealthCodes string
	// StickySeconds keeps a client (its WebSocket's reconnects included) on one task by cookie, 0 to
	// 604800; 0 is off.
	StickySeconds int
	// DrainSeconds a task that leaves may finish its requests, 0 to 3600; default 30.
	DrainSeconds *int
	// Priority of the rule, 1 to 50000, each once. It is given rather than counted, so that adding a
	// host moves no other.
	Priority int
	// Git says that it is the git server: with FreezeWrites cloning and fetching go on.
	Git bool
	// WritePaths are paths on which even a GET writes, such as /verify of the sign-in, each exact; 0
	// to 3. FreezeWrites refuses them with any method.
	WritePaths []string
}

// SshNlb is the optional network load balancer for git over SSH (an ALB speaks HTTP only).
type SshNlb struct {
	// ListenPort at the load balancer; default 22.
	ListenPort int
	// TargetPort of the container's SSH server; required. Changing it replaces the target group.
	TargetPort int
	// SourceCidrs that may connect; default everyone.
	SourceCidrs []string
}

// PublicAlbArgs are the decisions about the public load balancer.
type PublicAlbArgs struct {
	// AccountID and Region of the account; required. Part of the log bucket's policy.
	AccountID pulumi.StringInput
	Region    string
	// VpcID and SubnetIDs (public, 2 or more zones); required. Changing the VPC replaces the load
	// balancer; adding a subnet does not.
	VpcID     pulumi.StringInput
	SubnetIDs pulumi.StringArrayInput
	// CertificateArn for HTTPS; required. In the load balancer's own region.
	CertificateArn pulumi.StringInput
	// Hosts by a short stable name, 1 to 16 characters, such as "api"; at least one.
	Hosts map[string]AlbHost
	// IdleTimeoutSeconds before a silent connection is closed, 60 to 4000; default 3600, for
	// WebSockets.
	IdleTimeoutSeconds int
	// AccessLogDays that access logs are kept, 1 to 3650; default 90.
	AccessLogDays int
	// FreezeWrites answers requests that write with 503, at every host: POST, PUT, PATCH and DELETE, the
	// beginning of a git push, and WritePaths. It closes Ssh. Everything else is served as before. Default off. It adds
	// and removes rules only.
	FreezeWrites bool
	// Ready must exist before a load balancer, and outlives it: Network.PublicReady.
	Ready []pulumi.Resource
	// Ssh adds a network load balancer for git over SSH; nil for none.
	Ssh *SshNlb
	// Disposable leaves the load balancer and the log bucket unprotected; throw-away stacks only.
	Disposable bool
	Tags       base.Tags
}

// ServiceTarget is a target group that an EcsService can register its tasks in.
type ServiceTarget struct {
	TargetGroupArn pulumi.StringOutput
	// SecurityGroupID of the load balancer; the only source the service's port is opened to.
	SecurityGroupID pulumi.StringOutput
	// Port the tasks listen on.
	Port int
	// ResourceLabel for scaling on requests per target: app/…/targetgroup/…; unset for SSH.
	ResourceLabel pulumi.StringOutput
	// ArnSuffix of the target group, the dimension of its metrics.
	ArnSuffix pulumi.StringOutput
	scalable  bool // on requests
	// listener or rule: ECS refuses a target group that no listener sends to.
	listener pulumi.Resource
}

// PublicAlb is the public load balancer: HTTPS with a redirect, host rules, 404 for the rest.
type PublicAlb struct {
	pulumi.ResourceState
	Arn, ArnSuffix, DnsName, ZoneID, SecurityGroupID pulumi.StringOutput
	// HttpsListenerArn for further rules.
	HttpsListenerArn pulumi.StringOutput
	LogBucket        pulumi.StringOutput
	// Frozen are the rules that refuse what writes; none without FreezeWrites. Depend on them to do what
	// must not happen before.
	Frozen []pulumi.Resource
	// Targets by the name of the host rule.
	Targets map[string]*ServiceTarget
	// Ssh is the target of the network load balancer, nil without one; SshDnsName and SshZoneID are
	// its address.
	Ssh                   *ServiceTarget
	SshDnsName, SshZoneID pulumi.StringOutput
}

func (a *PublicAlbArgs) validate(name string) error {
	p := base.Check("PublicAlb", name)
	p.Require(regionPattern.MatchString(a.Region), "Region", a.Region, "an AWS region such as eu-central-1", "")
	p.Require(a.AccountID != nil, "AccountID", "nothing", "the account's 12 digits", "")
	p.Require(a.VpcID != nil, "VpcID", "nothing", "the VPC of the public subnets", "")
	p.Require(a.SubnetIDs != nil, "SubnetIDs", "nothing", "public subnets in 2 or more zones", "")
	p.Require(a.CertificateArn != nil, "CertificateArn", "nothing", "a certificate in the load balancer's region", "")
	p.Require(a.IdleTimeoutSeconds >= 60 && a.IdleTimeoutSeconds <= 4000, "IdleTimeoutSeconds", a.IdleTimeoutSeconds, "60 to 4000", "")
	p.Require(a.AccessLogDays >= 1 && a.AccessLogDays <= 3650, "AccessLogDays", a.AccessLogDays, "1 to 3650", "")
	requireLbName(p, name)
	p.Require(len(a.Hosts) > 0, "Hosts", "none", "at least one", "")
	priorities, hosts := map[int]string{}, map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(a.Hosts)) {
		h := a.Hosts[k]
		field := "Hosts." + k
		p.Require(shortName.MatchString(k) && k != "ssh", field, k, "a name of lower case letters, digits and single hyphens, other than ssh", "")
		requireLbName(p, name+"-"+k)
		p.Require(len(h.Hosts) >= 1 && len(h.Hosts) <= 5, field+".Hosts", len(h.Hosts), "1 to 5", "")
		for _, d := range h.Hosts {
			p.Require(domainName.MatchString(d), field+".Hosts", d, "a host name in lower case", "")
			p.Require(hosts[d] == "", field+".Hosts", d, "a host of one rule only (it is in "+hosts[d]+" too)", "")
			hosts[d] = k
		}
		p.Require(h.Port >= 1 && h.Port <= 65535, field+".Port", h.Port, "1 to 65535", "")
		p.Require(strings.HasPrefix(h.HealthPath, "/") && len(h.HealthPath) <= 1024, field+".HealthPath", h.HealthPath, "a path that begins with /", "")
		p.Require(h.StickySeconds >= 0 && h.StickySeconds <= 604800, field+".StickySeconds", h.StickySeconds, "0 to 604800", "")
		p.Require(*h.DrainSeconds >= 0 && *h.DrainSeconds <= 3600, field+".DrainSeconds", *h.DrainSeconds, "0 to 3600", "")
		p.Require(h.Priority >= 1 && h.Priority <= 50000, field+".Priority", h.Priority, "1 to 50000", "")
		p.Require(priorities[h.Priority] == "", field+".Priority", h.Priority, "a priority of one rule only ("+priorities[h.Priority]+" has it too)", "")
		priorities[h.Priority] = k
	}
	a.validateFreeze(p)
	if s := a.Ssh; s != nil {
		requireLbName(p, name+"-ssh-tg")
		p.Require(s.ListenPort >= 1 && s.ListenPort <= 65535, "Ssh.ListenPort", s.ListenPort, "1 to 65535", "")
		p.Require(s.TargetPort >= 1 && s.TargetPort <= 65535, "Ssh.TargetPort", s.TargetPort, "1 to 65535", "")
		for _, c := range s.SourceCidrs {
			prefix, err := netip.ParsePrefix(c)
			p.Require(err == nil && prefix.Addr().Is4() && prefix.Masked() == prefix, "Ssh.SourceCidrs", c, "an IPv4 network such as 203.0.113.0/24", "")
		}
	}
	return p.Err()
}

// requireLbName keeps generated names of load balancers and target groups, "<name>-<7 digits>",
// within the 32 characters that AWS allows.
func requireLbName(p *base.Problems, name string) {
	p.Require(len(name) <= 24, "name", name, fmt.Sprintf("at most 24 characters (it has %d): AWS allows 32 for load balancers and target groups, 8 of them generated", len(name)), "")
	p.Require(shortName.MatchString(name) && !strings.HasPrefix(name, "internal-"), "name", name, "lower case letters, digits and single hyphens, not beginning with internal-", "")
}

// NewPublicAlb registers the load balancer, its listeners, rules and target groups, and its logs.
func NewPublicAlb(ctx *pulumi.Context, name string, in *PublicAlbArgs, opts ...pulumi.ResourceOption) (*PublicAlb, error) {
	args := in.withDefaults()
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &PublicAlb{Targets: map[string]*ServiceTarget{}}
	if err := ctx.RegisterComponentResourceV2(PublicAlbType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	logs, err := c.logs(ctx, name, args)
	if err != nil {
		return nil, err
	}
	alb, err := c.loadBalancer(ctx, name, args, logs)
	if err != nil {
		return nil, err
	}
	https, err := c.listeners(ctx, name, args, alb)
	if err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(args.Hosts)) {
		if err := c.host(ctx, name+"-"+key, key, args, alb, https); err != nil {
			return nil, err
		}
	}
	if args.FreezeWrites {
		if err := c.freeze(ctx, name, args, https); err != nil {
			return nil, err
		}
	}
	out := pulumi.Map{"arn": c.Arn, "dnsName": c.DnsName, "zoneId": c.ZoneID, "logBucket": c.LogBucket}
	if args.Ssh != nil {
		if err := c.ssh(ctx, name+"-ssh", args, logs); err != nil {
			return nil, err
		}
		out["sshDnsName"] = c.SshDnsName
	}
	return c, ctx.RegisterResourceOutputs(c, out)
}

func (a *PublicAlbArgs) withDefaults() *PublicAlbArgs {
	args := *a
	setDefault(&args.IdleTimeoutSeconds, 3600)
	setDefault(&args.AccessLogDays, 90)
	args.Hosts = map[string]AlbHost{}
	for k, h := range a.Hosts {
		setDefault(&h.HealthPath, "/")
		setDefault(&h.HealthCodes, "200-399")
		if h.DrainSeconds == nil {
			thirty := 30
			h.DrainSeconds = &thirty
		}
		args.Hosts[k] = h
	}
	if a.Ssh != nil {
		ssh := *a.Ssh
		setDefault(&ssh.ListenPort, 22)
		if len(ssh.SourceCidrs) == 0 {
			ssh.SourceCidrs = []string{anywhere}
		}
		args.Ssh = &ssh
	}
	return &args
}

func (c *PublicAlb) loadBalancer(ctx *pulumi.Context, name string, args *PublicAlbArgs, logs *albLogs) (*lb.LoadBalancer, error) {
	group, err := closedGroup(ctx, name+"-sg", "Public load balancer: HTTP and HTTPS from everyone, on to the services", args.VpcID, args.Tags, c)
	if err != nil {
		return nil, err
	}
	for _, port := range []int{80, 443} {
		if _, err := openIn(ctx, fmt.Sprintf("%s-sg-%d-in", name, port), fmt.Sprintf("Port %d from everyone", port), group.ID(), anywhere, port, args.Tags, c); err != nil {
			return nil, err
		}
	}
	alb, err := lb.NewLoadBalancer(ctx, name, &lb.LoadBalancerArgs{
		LoadBalancerType: pulumi.String("application"), Internal: pulumi.Bool(false), IpAddressType: pulumi.String("ipv4"),
		Subnets: args.SubnetIDs, SecurityGroups: pulumi.StringArray{group.ID()},
		DropInvalidHeaderFields: pulumi.Bool(true), DesyncMitigationMode: pulumi.String("strictest"), XffHeaderProcessingMode: pulumi.String("append"),
		EnableDeletionProtection: base.CloudProtection(args.Disposable), EnableHttp2: pulumi.Bool(true), PreserveHostHeader: pulumi.Bool(true),
		IdleTimeout: pulumi.Int(args.IdleTimeoutSeconds),
		AccessLogs:  &lb.LoadBalancerAccessLogsArgs{Enabled: pulumi.Bool(true), Bucket: logs.bucket.Bucket, Prefix: pulumi.String("alb")},
		Tags:        args.Tags.Pulumi("Name", name),
	}, base.Stateful(args.Disposable, pulumi.Parent(c), pulumi.DependsOn(append(slices.Clone(args.Ready), logs.ready...)))...)
	if err != nil {
		return nil, err
	}
	c.Arn, c.ArnSuffix, c.DnsName, c.ZoneID, c.SecurityGroupID = alb.Arn, alb.ArnSuffix, alb.DnsName, alb.ZoneId, group.ID().ToStringOutput()
	return alb, nil
}

func (c *PublicAlb) listeners(ctx *pulumi.Context, name string, args *PublicAlbArgs, alb *lb.LoadBalancer) (*lb.Listener, error) {
	if _, err := lb.NewListener(ctx, name+"-http", &lb.ListenerArgs{
		LoadBalancerArn: alb.Arn, Port: pulumi.Int(80), Protocol: pulumi.String("HTTP"),
		DefaultActions: lb.ListenerDefaultActionArray{&lb.ListenerDefaultActionArgs{
			Type: pulumi.String("redirect"),
			Redirect: &lb.ListenerDefaultActionRedirectArgs{
				Protocol: pulumi.String("HTTPS"), Port: pulumi.String("443"), StatusCode: pulumi.String("HTTP_301"),
			},
		}},
		Tags: args.Tags.Pulumi("Name", name+"-http"),
	}, pulumi.Parent(c)); err != nil {
		return nil, err
	}
	https, err := lb.NewListener(ctx, name+"-https", &lb.ListenerArgs{
		LoadBalancerArn: alb.Arn, Port: pulumi.Int(443), Protocol: pulumi.String("HTTPS"),
		// TLS 1.3 and 1.2 with forward secrecy only.
		SslPolicy: pulumi.String("ELBSecurityPolicy-TLS13-1-2-2021-06"), CertificateArn: args.CertificateArn.ToStringOutput().ToStringPtrOutput(),
		DefaultActions: lb.ListenerDefaultActionArray{&lb.ListenerDefaultActionArgs{
			Type: pulumi.String("fixed-response"),
			FixedResponse: &lb.ListenerDefaultActionFixedResponseArgs{
				ContentType: pulumi.String("text/plain"), MessageBody: pulumi.String("Not found"), StatusCode: pulumi.String("404"),
			},
		}},
		Tags: args.Tags.Pulumi("Name", name+"-https"),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, err
	}
	c.HttpsListenerArn = https.Arn
	return https, nil
}

func (c *PublicAlb) host(ctx *pulumi.Context, child, key string, args *PublicAlbArgs, alb *lb.LoadBalancer, https *lb.Listener) error {
	h := args.Hosts[key]
	group, err := lb.NewTargetGroup(ctx, child, &lb.TargetGroupArgs{
		TargetType: pulumi.String("ip"), Protocol: pulumi.String("HTTP"), Port: pulumi.Int(h.Port), VpcId: args.VpcID.ToStringOutput().ToStringPtrOutput(),
		DeregistrationDelay: pulumi.Int(*h.DrainSeconds), LoadBalancingAlgorithmType: pulumi.String("least_outstanding_requests"),
		HealthCheck: &lb.TargetGroupHealthCheckArgs{
			Enabled: pulumi.Bool(true), Path: pulumi.String(h.HealthPath), Matcher: pulumi.String(h.HealthCodes), Protocol: pulumi.String("HTTP"), Port: pulumi.String("traffic-port"),
			Interval: pulumi.Int(15), Timeout: pulumi.Int(5), HealthyThreshold: pulumi.Int(2), UnhealthyThreshold: pulumi.Int(3),
		},
		Stickiness: &lb.TargetGroupStickinessArgs{
			Type: pulumi.String("lb_cookie"), Enabled: pulumi.Bool(h.StickySeconds > 0), CookieDuration: pulumi.Int(max(h.StickySeconds, 1)),
		},
		Tags: args.Tags.Pulumi("Name", child),
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	rule, err := lb.NewListenerRule(ctx, child+"-rule", &lb.ListenerRuleArgs{
		ListenerArn: https.Arn, Priority: pulumi.Int(h.Priority),
		Conditions: lb.ListenerRuleConditionArray{&lb.ListenerRuleConditionArgs{
			HostHeader: &lb.ListenerRuleConditionHostHeaderArgs{Values: pulumi.ToStringArray(h.Hosts)},
		}},
		Actions: lb.ListenerRuleActionArray{&lb.ListenerRuleActionArgs{Type: pulumi.String("forward"), TargetGroupArn: group.Arn}},
		Tags:    args.Tags.Pulumi("Name", child+"-rule"),
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	c.Targets[key] = &ServiceTarget{
		TargetGroupArn: group.Arn, SecurityGroupID: c.SecurityGroupID, Port: h.Port, ArnSuffix: group.ArnSuffix,
		ResourceLabel: pulumi.Sprintf("%s/%s", alb.ArnSuffix, group.ArnSuffix), scalable: true, listener: rule,
	}
	return nil
}
