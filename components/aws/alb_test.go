package aws

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/recorder"
)

func albArgs(change func(*PublicAlbArgs)) *PublicAlbArgs {
	args := &PublicAlbArgs{
		AccountID: pulumi.String(testAccount), Region: testRegion, VpcID: pulumi.String("vpc-1"), SubnetIDs: pulumi.ToStringArray([]string{"subnet-a", "subnet-b"}),
		CertificateArn: pulumi.String("arn:aws:acm:cert"), Tags: testTags,
		Hosts: map[string]AlbHost{
			"api": {Hosts: []string{"api.morphee.app"}, Port: 8000, HealthPath: "/health", StickySeconds: 86400, Priority: 10},
			"git": {Hosts: []string{"git.morphee.app"}, Port: 3000, HealthPath: "/api/healthz", Priority: 20},
		},
	}
	if change != nil {
		change(args)
	}
	return args
}

func TestPublicAlbTwice(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		if _, err := NewPublicAlb(ctx, "web", albArgs(nil)); err != nil {
			return err
		}
		_, err := NewPublicAlb(ctx, "other", albArgs(func(a *PublicAlbArgs) {
			a.Ssh, a.Disposable = &SshNlb{TargetPort: 2222, SourceCidrs: []string{"203.0.113.0/24"}}, true
		}))
		return err
	})
	recorder.ExpectCounts(t, list, map[string]int{
		PublicAlbType: 2, "aws:lb/loadBalancer:LoadBalancer": 3, "aws:lb/listener:Listener": 5, "aws:lb/listenerRule:ListenerRule": 4, "aws:lb/targetGroup:TargetGroup": 5,
		"aws:ec2/securityGroup:SecurityGroup": 3, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": 5,
		"aws:s3/bucketV2:BucketV2": 2, "aws:s3/bucketPolicy:BucketPolicy": 2, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": 2, "aws:s3/bucketOwnershipControls:BucketOwnershipControls": 2,
		"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": 2, "aws:s3/bucketVersioningV2:BucketVersioningV2": 2,
		"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2": 2,
	})
	wantSeparateRules(t, list)
	if got := publicSources(list); !slices.Equal(got, []int{80, 80, 443, 443}) {
		t.Errorf("open to everyone: %v", got)
	}
	recorder.Expect(t, recorder.Must(t, list, "aws:lb/loadBalancer:LoadBalancer", "web"), map[string]any{
		"internal": false, "dropInvalidHeaderFields": true, "desyncMitigationMode": "strictest", "enableDeletionProtection": true, "idleTimeout": 3600,
		"accessLogs.enabled": true, "accessLogs.bucket": "web-logs-1234567", "name": nil, "subnets.1": "subnet-b", "securityGroups.0": "web-sg-id",
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:lb/listener:Listener", "web-http"), map[string]any{
		"port": 80, "protocol": "HTTP", "defaultActions.0.type": "redirect", "defaultActions.0.redirect.protocol": "HTTPS", "defaultActions.0.redirect.statusCode": "HTTP_301",
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:lb/listener:Listener", "web-https"), map[string]any{
		"port": 443, "protocol": "HTTPS", "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06", "certificateArn": "arn:aws:acm:cert",
		"defaultActions.0.type": "fixed-response", "defaultActions.0.fixedResponse.statusCode": "404",
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:lb/listenerRule:ListenerRule", "web-api-rule"), map[string]any{
		"priority": 10, "conditions.0.hostHeader.values.0": "api.morphee.app", "actions.0.type": "forward", "actions.0.targetGroupArn": "arn:aws:web-api", "listenerArn": "arn:aws:web-https",
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:lb/targetGroup:TargetGroup", "web-api"), map[string]any{
		"targetType": "ip", "port": 8000, "healthCheck.path": "/health", "stickiness.enabled": true, "stickiness.cookieDuration": 86400, "deregistrationDelay": 30,
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:lb/targetGroup:TargetGroup", "web-git"), map[string]any{"stickiness.enabled": false, "stickiness.type": "lb_cookie"})
	recorder.Expect(t, recorder.Must(t, list, "aws:lb/loadBalancer:LoadBalancer", "other-ssh"), map[string]any{
		"loadBalancerType": "network", "enableDeletionProtection": false, "enableCrossZoneLoadBalancing": true, "securityGroups.0": "other-ssh-sg-id",
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:lb/listener:Listener", "other-ssh-listener"), map[string]any{"port": 22, "protocol": "TCP"})
	recorder.Expect(t, recorder.Must(t, list, "aws:lb/targetGroup:TargetGroup", "other-ssh-tg"), map[string]any{"port": 2222, "protocol": "TCP", "preserveClientIp": "false"})
	recorder.Expect(t, recorder.Must(t, list, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "other-ssh-sg-in-203-0-113-0-24"), map[string]any{"fromPort": 22, "toPort": 22, "cidrIpv4": "203.0.113.0/24"})
	if !recorder.Must(t, list, "aws:s3/bucketV2:BucketV2", "web-logs").Protect || recorder.Must(t, list, "aws:s3/bucketV2:BucketV2", "other-logs").Protect {
		t.Error("the log bucket is protected unless the stack is disposable")
	}
	logs := policyOf(t, recorder.Must(t, list, "aws:s3/bucketPolicy:BucketPolicy", "web-logs-policy"), "policy")
	if got := fmt.Sprint(statement(t, logs, "ApplicationLoadBalancer").Resource); got != "[arn:aws:web-logs/alb/AWSLogs/123456789012/*]" {
		t.Error(got)
	}
	if statement(t, logs, "TlsOnly").Effect != "Deny" || len(logs) != 2 {
		t.Errorf("bucket policy: %v", logs)
	}
}

// The load balancer is made after the policy that lets it write its logs: AWS checks.
func TestPublicAlbLogsFirst(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		_, err := NewPublicAlb(ctx, "web", albArgs(nil))
		return err
	})
	policy := recorder.Must(t, list, "aws:s3/bucketPolicy:BucketPolicy", "web-logs-policy")
	if deps := recorder.Must(t, list, "aws:lb/loadBalancer:LoadBalancer", "web").Dependencies; !slices.Contains(deps, policy.URN()) {
		t.Errorf("depends on %v, not on %s", deps, policy.URN())
	}
}

func TestPublicAlbTargets(t *testing.T) {
	var alb *PublicAlb
	list := register(t, func(ctx *pulumi.Context) (err error) {
		alb, err = NewPublicAlb(ctx, "web", albArgs(func(a *PublicAlbArgs) { a.Ssh = &SshNlb{TargetPort: 2222} }))
		return err
	})
	if alb.Targets["api"].Port != 8000 || alb.Targets["git"].Port != 3000 || alb.Ssh.Port != 2222 || !alb.Targets["api"].scalable || alb.Ssh.scalable {
		t.Errorf("targets %+v, ssh %+v", alb.Targets, alb.Ssh)
	}
	if got := publicSources(list); !slices.Equal(got, []int{22, 80, 443}) {
		t.Errorf("open to everyone: %v", got)
	}
	if n := len(policyOf(t, recorder.Must(t, list, "aws:s3/bucketPolicy:BucketPolicy", "web-logs-policy"), "policy")); n != 4 {
		t.Errorf("%d statements in the bucket policy, want 4 with a network load balancer", n)
	}
}

func TestPublicAlbRefuses(t *testing.T) {
	host := func(change func(*AlbHost)) func(*PublicAlbArgs) {
		return func(a *PublicAlbArgs) {
			h := a.Hosts["api"]
			change(&h)
			a.Hosts["api"] = h
		}
	}
	for field, change := range map[string]func(*PublicAlbArgs){
		"Region: got x":              func(a *PublicAlbArgs) { a.Region = "x" },
		"AccountID":                  func(a *PublicAlbArgs) { a.AccountID = nil },
		"VpcID":                      func(a *PublicAlbArgs) { a.VpcID = nil },
		"SubnetIDs":                  func(a *PublicAlbArgs) { a.SubnetIDs = nil },
		"CertificateArn":             func(a *PublicAlbArgs) { a.CertificateArn = nil },
		"IdleTimeoutSeconds: got 30": func(a *PublicAlbArgs) { a.IdleTimeoutSeconds = 30 },
		"AccessLogDays: got -1":      func(a *PublicAlbArgs) { a.AccessLogDays = -1 },
		"Hosts: got none":            func(a *PublicAlbArgs) { a.Hosts = nil },
		"Hosts.ssh": func(a *PublicAlbArgs) {
			a.Hosts["ssh"] = AlbHost{Hosts: []string{"x.morphee.app"}, Port: 1, Priority: 1}
		},
		"at most 24 characters (it has 25)": func(a *PublicAlbArgs) {
			a.Hosts["abcdefghijklmnopqrstu"] = AlbHost{Hosts: []string{"x.morphee.app"}, Port: 1, Priority: 1}
		},
		"Hosts.api.Hosts: got 0":           host(func(h *AlbHost) { h.Hosts = nil }),
		"Hosts.api.Hosts: got API":         host(func(h *AlbHost) { h.Hosts = []string{"API"} }),
		"a host of one rule only":          host(func(h *AlbHost) { h.Hosts = []string{"git.morphee.app"} }),
		"Hosts.api.Port: got 0":            host(func(h *AlbHost) { h.Port = 0 }),
		"Hosts.api.HealthPath: got health": host(func(h *AlbHost) { h.HealthPath = "health" }),
		"Hosts.api.StickySeconds":          host(func(h *AlbHost) { h.StickySeconds = 604801 }),
		"Hosts.api.DrainSeconds":           host(func(h *AlbHost) { d := 3601; h.DrainSeconds = &d }),
		"Hosts.api.Priority: got 0":        host(func(h *AlbHost) { h.Priority = 0 }),
		"a priority of one rule only":      host(func(h *AlbHost) { h.Priority = 20 }),
		"Ssh.ListenPort":                   func(a *PublicAlbArgs) { a.Ssh = &SshNlb{ListenPort: 70000, TargetPort: 22} },
		"Ssh.TargetPort: got 0":            func(a *PublicAlbArgs) { a.Ssh = &SshNlb{} },
		"Ssh.SourceCidrs: got 10.0.0.1/8":  func(a *PublicAlbArgs) { a.Ssh = &SshNlb{TargetPort: 22, SourceCidrs: []string{"10.0.0.1/8"}} },
	} {
		t.Run(field, func(t *testing.T) {
			recorder.Refuses(t, field, func(ctx *pulumi.Context) error {
				_, err := NewPublicAlb(ctx, "web", albArgs(change))
				return err
			})
		})
	}
	for _, name := range []string{"internal-web", "Web", "web-", strings.Repeat("w", 25)} {
		recorder.Refuses(t, "name: got "+name, func(ctx *pulumi.Context) error {
			_, err := NewPublicAlb(ctx, name, albArgs(nil))
			return err
		})
	}
}

func TestCertificateTwice(t *testing.T) {
	args := &CertificateArgs{Domains: []string{"morphee.app", "*.morphee.app", "api.morphee.app"}, CloudflareZoneID: pulumi.String("zone"), Tags: testTags}
	list := register(t, func(ctx *pulumi.Context) error {
		if _, err := NewCertificate(ctx, "one", args); err != nil {
			return err
		}
		_, err := NewCertificate(ctx, "two", args)
		return err
	})
	recorder.ExpectCounts(t, list, map[string]int{
		CertificateType: 2, "aws:acm/certificate:Certificate": 2, "aws:acm/certificateValidation:CertificateValidation": 2,
		"cloudflare:index/record:Record": 4, // the wildcard is proved with the name it is under
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:acm/certificate:Certificate", "one-certificate"), map[string]any{"domainName": "morphee.app", "validationMethod": "DNS", "subjectAlternativeNames.0": "*.morphee.app"})
	recorder.Expect(t, recorder.Must(t, list, "cloudflare:index/record:Record", "one-proof-api-morphee-app"), map[string]any{
		"zoneId": "zone", "name": "_x.api.morphee.app", "type": "CNAME", "content": "_y.api.morphee.app.acm-validations.aws", "proxied": false,
	})
}

func TestCertificateWithoutProof(t *testing.T) {
	_, err := recorder.Run(func(ctx *pulumi.Context) error {
		_, err := NewCertificate(ctx, "one", &CertificateArgs{Domains: []string{"morphee.app"}, CloudflareZoneID: pulumi.String("zone")})
		return err
	})
	wantError(t, err, "no DNS record to prove morphee.app")
}

func TestCertificateRefuses(t *testing.T) {
	zone := pulumi.String("z")
	for field, args := range map[string]*CertificateArgs{
		"Domains: got 0":           {CloudflareZoneID: zone},
		"Domains: got Morphee.app": {CloudflareZoneID: zone, Domains: []string{"Morphee.app"}},
		"each name once":           {CloudflareZoneID: zone, Domains: []string{"morphee.app", "morphee.app"}},
		"at most 64 characters":    {CloudflareZoneID: zone, Domains: []string{strings.Repeat("a", 60) + ".morphee.app"}},
		"CloudflareZoneID":         {Domains: []string{"morphee.app"}},
	} {
		t.Run(field, func(t *testing.T) {
			recorder.Refuses(t, field, func(ctx *pulumi.Context) error {
				_, err := NewCertificate(ctx, "one", args)
				return err
			})
		})
	}
}
