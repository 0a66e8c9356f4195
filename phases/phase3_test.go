package phases

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/config"
	"github.com/morphee-app/morphee-infra/internal/recorder"
)

// awsConfig is a valid configuration of phase 3, with the extra keys laid over it.
func awsConfig(t *testing.T, extra map[string]any) config.Config {
	t.Helper()
	values := map[string]any{
		"phase": 3, "owner": "platform", "cloudflareAccountId": "0123456789abcdef0123456789abcdef",
		"aws":     map[string]any{"accountId": "123456789012"},
		"dns":     map[string]any{"zoneId": "0123456789abcdef0123456789abcdef"},
		"alarms":  map[string]any{"emails": []any{"ops@morphee.app"}},
		"github":  map[string]any{"repository": "morphee-app/morphee-infra"},
		"auth":    map[string]any{"smtp": map[string]any{"host": "smtp.example.com", "username": "u", "password": config.Hidden{Value: "CANARYsmtp"}}},
		"backups": map[string]any{"alertWebhook": config.Hidden{Value: "https://example.com/CANARY"}},
		"backend": map[string]any{"secrets": map[string]any{"STRIPE_KEY": config.Hidden{Value: "CANARYstripe"}}, "environment": map[string]any{"LOG_LEVEL": "debug"}},
	}
	maps.Copy(values, extra)
	c, err := config.Parse(values)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// recordAws composes phase 3, with secrets that are all called CANARY and what AWS computes.
func recordAws(t *testing.T, c config.Config) ([]recorder.Resource, pulumi.Map) {
	t.Helper()
	return recordPhase(t, Phase3, c)
}

// computed is what the clouds compute, and what a platform reads of it besides.
func computed(typ, name string, in resource.PropertyMap) resource.PropertyMap {
	out := recorder.Computed(typ, name, in)
	if out == nil {
		out = resource.PropertyMap{}
	}
	text := resource.NewStringProperty
	switch typ {
	case "tls:index/privateKey:PrivateKey":
		out["privateKeyOpenssh"], out["publicKeyOpenssh"] = text(recorder.Canary+name), text("ssh-ed25519 AAAA")
	case "aws:s3/bucketV2:BucketV2":
		out["bucketRegionalDomainName"], out["bucketDomainName"] = text(name+".s3"), text(name+".s3")
	case "aws:ecr/repository:Repository":
		out["repositoryUrl"] = text("ecr.example/" + name)
	case "aws:cloudfront/distribution:Distribution":
		out["domainName"], out["hostedZoneId"] = text("d1.cloudfront.net"), text("Z2")
	case "aws:route53/zone:Zone":
		out["zoneId"] = text("Z9")
		out["nameServers"] = resource.NewArrayProperty([]resource.PropertyValue{text("a"), text("b"), text("c"), text("d")})
	}
	if _, named := in["name"]; strings.HasPrefix(typ, "aws:") && !named && out["name"].IsNull() {
		out["name"] = text(name + "-1234567")
	}
	return out
}

// asked answers the program's questions: ids at Cloudflare, and which task definition a service runs.
func asked(token string, args resource.PropertyMap) (resource.PropertyMap, error) {
	if name, ok := args["serviceName"]; ok {
		service := strings.TrimSuffix(name.StringValue(), "-service-1234567")
		return resource.PropertyMap{"taskDefinition": resource.NewStringProperty("arn:aws:" + service + "-task")}, nil
	}
	ids := resource.NewObjectProperty(resource.PropertyMap{
		"Workers R2 Storage Bucket Item Read": resource.NewStringProperty("r"), "Workers R2 Storage Bucket Item Write": resource.NewStringProperty("w"),
		"Workers R2 Storage Write": resource.NewStringProperty("a"),
	})
	return resource.PropertyMap{"r2": ids, "account": ids, "zoneId": resource.NewStringProperty("zone"), "accountId": resource.NewStringProperty("123456789012")}, nil
}

var awsVariants = map[string]map[string]any{
	"rds": nil,
	"aurora": {"aws": map[string]any{"accountId": "123456789012", "database": map[string]any{"engine": "aurora", "readers": 1},
		"backend": map[string]any{"tasks": 2, "cpuUnits": 512, "memoryMiB": 1024, "spotWeight": 50, "autoscaling": map[string]any{"enabled": true}}}},
	"six zones, SSH": {"aws": map[string]any{"zones": 6, "region": "us-east-1", "nat": "per-zone", "forgejo": map[string]any{"sshLoadBalancer": true}, "cache": map[string]any{"replicas": 1}}},
	"no way out": {
		"aws":     map[string]any{"nat": "none", "interfaceEndpoints": []any{"ecr.api", "ecr.dkr", "logs", "secretsmanager", "kms", "elasticfilesystem"}, "registry": map[string]any{"pullThrough": []any{"public.ecr.aws"}}},
		"backups": map[string]any{"enabled": false}, "auth": map[string]any{}, "disposable": true, "forgejo": map[string]any{"enabled": false},
		"images": map[string]any{"backend": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/morphee/backend:1.0.0"},
	},
}

// Whatever the configuration: everything is below a component, at a provider that was named, nothing
// secret is in plain, and what holds data is protected unless the stack is disposable.
func TestPhase3Everywhere(t *testing.T) {
	for name, extra := range awsVariants {
		t.Run(name, func(t *testing.T) {
			c := awsConfig(t, extra)
			list, _ := recordAws(t, c)
			if orphans := recorder.Orphans(list); len(orphans) > 0 {
				t.Errorf("orphans: %v", orphans)
			}
			for _, r := range list {
				for k, v := range r.Inputs {
					if strings.Contains(recorder.PlainText(v), "CANARY") {
						t.Errorf("%s %s: %s holds a secret in plain", r.Type, r.Name, k)
					}
				}
				if strings.HasPrefix(r.Type, "aws:") && !strings.Contains(r.Provider, "pulumi:providers:aws::") {
					t.Errorf("%s %s has no provider of its own: %q", r.Type, r.Name, r.Provider)
				}
				// The webhook may be taken out of the configuration again.
				if want := !c.Disposable && !strings.HasSuffix(r.Name, "-webhook-url"); stateful[r.Type] && r.Protect != want {
					t.Errorf("%s %s: protect is %v, want %v, in a stack whose disposable is %v", r.Type, r.Name, r.Protect, want, c.Disposable)
				}
			}
		})
	}
}

// stateful are the types that hold what nobody can rebuild.
var stateful = map[string]bool{
	"aws:rds/instance:Instance": true, "aws:rds/cluster:Cluster": true, "aws:efs/fileSystem:FileSystem": true, "aws:kms/key:Key": true, "aws:s3/bucketV2:BucketV2": true,
	"aws:secretsmanager/secret:Secret": true, "aws:backup/vault:Vault": true, "aws:ecr/repository:Repository": true, "aws:route53/zone:Zone": true,
	"cloudflare:index/r2Bucket:R2Bucket": true, "random:index/randomPassword:RandomPassword": true, "tls:index/privateKey:PrivateKey": true,
}

func TestPhase3(t *testing.T) {
	list, outputs := recordAws(t, awsConfig(t, nil))
	n := recorder.Count(list)
	for typ, want := range map[string]int{
		"pulumi:providers:aws": 3, // the region, us-east-1, and R2's
		"aws:ec2/vpc:Vpc":      1, "aws:ec2/subnet:Subnet": 4, "aws:ec2/natGateway:NatGateway": 1,
		"aws:rds/instance:Instance": 1, "aws:elasticache/replicationGroup:ReplicationGroup": 1, "aws:efs/fileSystem:FileSystem": 1, "aws:efs/accessPoint:AccessPoint": 3,
		"aws:ecs/cluster:Cluster": 1, "aws:ecs/service:Service": 3, "aws:ecs/taskDefinition:TaskDefinition": 4, "aws:scheduler/schedule:Schedule": 1,
		"aws:lb/loadBalancer:LoadBalancer": 1, "aws:lb/targetGroup:TargetGroup": 3, "aws:lb/listenerRule:ListenerRule": 3,
		"aws:cloudfront/distribution:Distribution": 1, "aws:acm/certificate:Certificate": 2, "aws:ecr/repository:Repository": 2,
		"aws:route53/zone:Zone": 1, "aws:backup/plan:Plan": 2, "aws:iam/openIdConnectProvider:OpenIdConnectProvider": 1, "aws:budgets/budget:Budget": 1,
		"cloudflare:index/r2Bucket:R2Bucket": 1, "morphee:forgejo:ForgejoService": 1, "aws:kms/key:Key": 9,
	} {
		if n[typ] != want {
			t.Errorf("%d of %s, want %d", n[typ], typ, want)
		}
	}
	checkOutputs(t, outputs, "alarmTopicArn", "apiUrl", "appUrl", "authUrl", "backendRepository", "backupBucket", "backupEncryptionKey", "backupRepository", "dashboard",
		"databaseHost", "deployRoleArn", "distributionId", "forgejoAdminPassword", "forgejoAdminUser", "gitUrl", "siteBucket", "subZoneNameServers")
	for name, lines := range map[string]int{"aws-backend": 2, "aws-gotrue": 1, "aws-forgejo-service": 1} {
		service, err := recorder.Find(list, "aws:ecs/service:Service", name+"-service")
		if err != nil {
			t.Fatal(err)
		}
		if service.Input("desiredCount") != float64(lines) || service.Input("networkConfiguration.assignPublicIp") != false || service.Input("deploymentCircuitBreaker.rollback") != true {
			t.Errorf("%s runs %v tasks, public address %v", name, service.Input("desiredCount"), service.Input("networkConfiguration.assignPublicIp"))
		}
	}
	for _, r := range list {
		if typ := r.Type; strings.HasPrefix(typ, "aws:iam/rolePolicy:") {
			checkWildcards(t, r)
		}
	}
}

// checkWildcards refuses an IAM policy that allows every resource without saying why.
func checkWildcards(t *testing.T, r recorder.Resource) {
	t.Helper()
	var doc struct {
		Statement []struct {
			Sid, Effect      string
			Resource, Action any
		}
	}
	text, _ := r.Input("policy").(string)
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatalf("%s: %v", r.Name, err)
	}
	for _, s := range doc.Statement {
		all := fmt.Sprint(s.Resource)
		if s.Effect == "Allow" && (all == "*" || all == "[*]" || strings.Contains(fmt.Sprint(s.Action), "*")) && !strings.Contains(s.Sid, "Because") {
			t.Errorf("%s: %s allows %v on %v and does not say why", r.Name, s.Sid, s.Action, s.Resource)
		}
	}
}

// container is the named container of a task definition.
func container(t *testing.T, list []recorder.Resource, task, name string) (env map[string]string, secrets []string) {
	t.Helper()
	r, err := recorder.Find(list, "aws:ecs/taskDefinition:TaskDefinition", task)
	if err != nil {
		t.Fatal(err)
	}
	var all []struct {
		Name        string
		Environment []struct{ Name, Value string }
		Secrets     []struct{ Name, ValueFrom string }
	}
	text, _ := r.Input("containerDefinitions").(string)
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Name == name {
			env = map[string]string{}
			for _, e := range c.Environment {
				env[e.Name] = e.Value
			}
			for _, s := range c.Secrets {
				secrets = append(secrets, s.Name)
			}
			return env, secrets
		}
	}
	t.Fatalf("%s has no container %s", task, name)
	return nil, nil
}

func TestWhatTheServicesAreTold(t *testing.T) {
	list, _ := recordAws(t, awsConfig(t, nil))
	env, secrets := container(t, list, "aws-backend-task", "backend")
	for k, want := range map[string]string{
		"DATABASE_URL": "postgres://morphee@db.example:5432/morphee?sslmode=require", "DATABASE_AUTH": "iam", "LOG_LEVEL": "debug",
		"FORGEJO_URL": "http://forgejo.morphee.internal:3000", "GOTRUE_URL": "http://gotrue.morphee.internal:9999", "CORS_ORIGINS": "https://app.morphee.app",
	} {
		if env[k] != want {
			t.Errorf("the backend's %s is %q, want %q", k, env[k], want)
		}
	}
	if want := []string{"FORGEJO_TOKEN", "FORGEJO_WEBHOOK_SECRET", "GOTRUE_JWT_SECRET", "REDIS_URL", "STRIPE_KEY"}; !slices.Equal(secrets, want) {
		t.Errorf("the backend is given %v, want %v", secrets, want)
	}
	role, err := recorder.Find(list, "aws:iam/rolePolicy:RolePolicy", "aws-backend-role-policy")
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := role.Input("policy").(string); !strings.Contains(text, "rds-db:connect") {
		t.Errorf("the backend's role may not sign in to PostgreSQL: %s", text)
	}
	if _, secrets = container(t, list, "aws-gotrue-task", "gotrue"); !slices.Equal(secrets, []string{"DATABASE_URL", "GOTRUE_JWT_SECRET", "GOTRUE_SMTP_PASS"}) {
		t.Errorf("sign-in is given %v", secrets)
	}
	env, _ = container(t, list, "aws-forgejo-service-task", "forgejo")
	for k, want := range map[string]string{
		"FORGEJO__queue__TYPE": "redis", "FORGEJO__cache__ADAPTER": "redis", "FORGEJO__session__PROVIDER": "redis", "FORGEJO__database__SSL_MODE": "require",
		"FORGEJO__service__DISABLE_REGISTRATION": "true", "FORGEJO__service__REQUIRE_SIGNIN_VIEW": "true", "FORGEJO__server__DISABLE_SSH": "true",
	} {
		if env[k] != want {
			t.Errorf("Forgejo's %s is %q, want %q", k, env[k], want)
		}
	}
}

// The same composition twice is the same list: nothing depends on the order of maps.
func TestPhase3IsDeterministic(t *testing.T) {
	c := awsConfig(t, nil)
	first, _ := recordAws(t, c)
	again, _ := recordAws(t, c)
	if len(first) != len(again) {
		t.Fatalf("%d and %d resources", len(first), len(again))
	}
	for i := range first {
		if first[i].URN() != again[i].URN() || !first[i].Inputs.DeepEquals(again[i].Inputs) {
			t.Errorf("%s differs from one run to the next", first[i].URN())
		}
	}
}
