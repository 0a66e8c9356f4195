package aws

import (
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
	DrainSeconds int
	// Priority of the rule, 1 to 50000, each once. It is given rather than counted, so that adding a
	// host moves no other.
	Priority int
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
	// Targets by the name of the host rule.
	Targets map[string]*ServiceTarget
	// Ssh is the target of the network load balancer, nil without one; SshDnsName and SshZoneID are
	// its address.
	Ssh                   *ServiceTarget
	SshDnsName, SshZoneID pulumi.StringOutput
}
