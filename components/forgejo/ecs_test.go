package forgejo

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/aws"
	"github.com/morphee-app/morphee-infra/components/base"
	"github.com/morphee-app/morphee-infra/internal/recorder"
)

var ecsTags = base.Tags{Project: "morphee", Stack: "test", Phase: 3, Owner: "platform"}

const ecsRegion, ecsAccount = "eu-central-1", "123456789012"

func ecsKey(name string) pulumi.StringInput { return pulumi.String("arn:aws:kms:key/" + name) }

// onEcs registers the parts of the platform that Forgejo needs, and Forgejo.
func onEcs(ctx *pulumi.Context, name string, ssh bool, change func(*ServiceArgs, *EcsHome)) (*ForgejoService, error) {
	account := pulumi.String(ecsAccount)
	cluster, err := aws.NewEcsCluster(ctx, name+"-cluster", &aws.EcsClusterArgs{VpcID: pulumi.String("vpc"), Namespace: "morphee.internal", Tags: ecsTags})
	if err != nil {
		return nil, err
	}
	subnets := pulumi.ToStringArray([]string{"s-a", "s-b"})
	store, err := aws.NewEfsRepoStore(ctx, name+"-store", &aws.EfsRepoStoreArgs{
		VpcID: pulumi.String("vpc"), KmsKeyArn: ecsKey("files"), AccessPoints: map[string]aws.EfsAccessPoint{"forgejo": {Path: "/forgejo"}}, Tags: ecsTags,
		Subnets: []aws.ZoneSubnet{{Zone: "eu-central-1a", Letter: "a", ID: pulumi.String("s-a").ToStringOutput()}, {Zone: "eu-central-1b", Letter: "b", ID: pulumi.String("s-b").ToStringOutput()}},
	})
	if err != nil {
		return nil, err
	}
	server, err := aws.NewAuroraOrRds(ctx, name+"-database", &aws.AuroraOrRdsArgs{
		Engine: aws.EngineRds, VpcID: pulumi.String("vpc"), SubnetIDs: subnets, KmsKeyArn: ecsKey("database"), SecretKmsKeyArn: ecsKey("secrets"), LogKmsKeyArn: ecsKey("logs"),
		AccountID: account, Region: ecsRegion, Tags: ecsTags,
	})
	if err != nil {
		return nil, err
	}
	hidden := pulumi.ToSecret(pulumi.String("CANARYcacheauthtoken")).(pulumi.StringOutput)
	cache, err := aws.NewRedisCache(ctx, name+"-cache", &aws.RedisCacheArgs{
		VpcID: pulumi.String("vpc"), SubnetIDs: subnets, AuthToken: hidden, KmsKeyArn: ecsKey("cache"), LogKmsKeyArn: ecsKey("logs"), Tags: ecsTags,
	})
	if err != nil {
		return nil, err
	}
	albArgs := &aws.PublicAlbArgs{
		AccountID: account, Region: ecsRegion, VpcID: pulumi.String("vpc"), SubnetIDs: subnets, CertificateArn: pulumi.String("arn:aws:acm:certificate"), Tags: ecsTags,
		Hosts: map[string]aws.AlbHost{"git": {Hosts: []string{"git.morphee.app"}, Port: HTTPPort, HealthPath: HealthPath, Priority: 20}},
	}
	if ssh {
		albArgs.Ssh = &aws.SshNlb{TargetPort: SSHContainerPort}
	}
	alb, err := aws.NewPublicAlb(ctx, name+"-alb", albArgs)
	if err != nil {
		return nil, err
	}
	credentials, err := NewCredentials(ctx, name+"-credentials", &CredentialsArgs{})
	if err != nil {
		return nil, err
	}
	home := &EcsHome{
		Where: aws.EcsServiceArgs{Cluster: cluster, AccountID: account, Region: ecsRegion, VpcID: pulumi.String("vpc"), SubnetIDs: subnets, LogKmsKeyArn: ecsKey("logs")},
		Store: store, AccessPoint: "forgejo", Server: server, PsqlImage: pulumi.String("postgres:15.14-bookworm"), Cache: cache, CacheAuth: hidden,
		Target: alb.Targets["git"], SecretsKmsKeyArn: ecsKey("secrets"),
	}
	if ssh {
		home.SSH, home.SSHDomain = alb.Ssh, "ssh.git.morphee.app"
		home.SSHHostKey = pulumi.ToSecret(pulumi.String("CANARYhostkey")).(pulumi.StringOutput)
	}
	args := &ServiceArgs{
		Settings: Settings{
			Image: "codeberg.org/forgejo/forgejo:13.0.2-rootless", Domain: "git.morphee.app", AdminUser: "morphee-admin", AdminEmail: "forgejo@morphee.app",
			MaxUploadMiB: 50, GitTimeoutSeconds: 600, Limits: Limits{MemoryMiB: 1024, CPUs: 0.5},
		},
		Database:    Database{Host: server.Host, Port: server.Port, Name: "forgejo", User: "forgejo", Password: credentials.DatabasePassword, SSLMode: "require"},
		Credentials: credentials, Home: home, Tags: ecsTags,
	}
	if change != nil {
		change(args, home)
	}
	return NewForgejoService(ctx, name, args)
}

func recordOnEcs(t *testing.T, program pulumi.RunFunc) []recorder.Resource {
	t.Helper()
	list, err := (&recorder.Recorder{Outputs: recorder.Computed, Calls: recorder.RunningAsAsked}).Run(program)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

type ecsContainer struct {
	Name, Image, User      string
	Essential              bool
	ReadonlyRootFilesystem bool
	Command, EntryPoint    []string
	Environment            []struct{ Name, Value string }
	Secrets                []struct{ Name, ValueFrom string }
	MountPoints            []struct{ SourceVolume, ContainerPath string }
	DependsOn              []struct{ ContainerName, Condition string }
	HealthCheck            struct{ Command []string }
}

func ecsContainers(t *testing.T, list []recorder.Resource, task string) []ecsContainer {
	t.Helper()
	r := recorder.Must(t, list, "aws:ecs/taskDefinition:TaskDefinition", task)
	var out []ecsContainer
	definitions, _ := r.Input("containerDefinitions").(string)
	if err := json.Unmarshal([]byte(definitions), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestForgejoOnEcsTwice(t *testing.T) {
	var first *ForgejoService
	list := recordOnEcs(t, func(ctx *pulumi.Context) (err error) {
		if first, err = onEcs(ctx, "a", false, nil); err != nil {
			return err
		}
		_, err = onEcs(ctx, "b", true, nil)
		return err
	})
	if orphans := recorder.Orphans(list); len(orphans) > 0 {
		t.Errorf("orphans: %v", orphans)
	}
	n := recorder.Count(list)
	for typ, want := range map[string]int{
		ServiceType: 2, CredentialsType: 2, "aws:ecs/service:Service": 2, "aws:ecs/taskDefinition:TaskDefinition": 2,
		"aws:secretsmanager/secret:Secret": 8, "aws:secretsmanager/secretVersion:SecretVersion": 8,
		// Each: seven credentials, the token and its salt.
		"random:index/randomPassword:RandomPassword": 18,
	} {
		if n[typ] != want {
			t.Errorf("%d of %s, want %d", n[typ], typ, want)
		}
	}
	service := recorder.Must(t, list, "aws:ecs/service:Service", "a-service-service")
	for k, want := range map[string]any{
		"desiredCount": 1.0, "deploymentMinimumHealthyPercent": 0.0, "deploymentMaximumPercent": 100.0, "networkConfiguration.assignPublicIp": false,
		"loadBalancers.0.containerPort": 3000.0, "healthCheckGracePeriodSeconds": 300.0,
	} {
		if got := service.Input(k); got != want {
			t.Errorf("%s is %v, want %v", k, got, want)
		}
	}
	for _, r := range list {
		for k, v := range r.Inputs {
			if plainly(v) {
				t.Errorf("%s %s: %s holds a secret in plain", r.Type, r.Name, k)
			}
		}
	}
	if first.InternalURL == (pulumi.StringOutput{}) || first.APIToken == (pulumi.StringOutput{}) || first.Ready == nil {
		t.Error("the service does not say how it is reached")
	}
}

// plainly tells whether a secret is readable in the value.
func plainly(v resource.PropertyValue) bool {
	switch {
	case v.IsSecret(), v.IsOutput() && v.OutputValue().Secret:
		return false
	case v.IsOutput():
		return plainly(v.OutputValue().Element)
	case v.IsString():
		return strings.Contains(v.StringValue(), "CANARY")
	case v.IsArray():
		return slices.ContainsFunc(v.ArrayValue(), plainly)
	case v.IsObject():
		for _, e := range v.ObjectValue() {
			if plainly(e) {
				return true
			}
		}
	}
	return false
}

func TestWhatRunsBeforeForgejo(t *testing.T) {
	list := recordOnEcs(t, func(ctx *pulumi.Context) error {
		_, err := onEcs(ctx, "a", true, nil)
		return err
	})
	containers := ecsContainers(t, list, "a-service-task")
	at := map[string]int{}
	for i, c := range containers {
		at[c.Name] = i
		scratch := strings.HasSuffix(c.Name, "-scratch")
		if strings.HasPrefix(c.User, "0:") != scratch || c.Essential != (c.Name == "forgejo") || !c.ReadonlyRootFilesystem {
			t.Errorf("%s: user %s, essential %v, read-only %v", c.Name, c.User, c.Essential, c.ReadonlyRootFilesystem)
		}
	}
	if !(at["prepare"] < at["token"] && at["token"] < at["forgejo"]) || !strings.Contains(containers[0].Name, "forgejo") {
		t.Errorf("database, prepare, token, forgejo come in the order %v", at)
	}
	server := containers[at["forgejo"]]
	waits := map[string]string{}
	for _, d := range server.DependsOn {
		waits[d.ContainerName] = d.Condition
	}
	if waits["prepare"] != "SUCCESS" || waits["token"] != "SUCCESS" {
		t.Errorf("Forgejo starts after %v", waits)
	}
	if h := strings.Join(server.HealthCheck.Command, " "); !strings.Contains(h, "/api/v1/user") || strings.Contains(h, "CANARY") {
		t.Errorf("Forgejo is healthy when %q", h)
	}
	env := map[string]string{}
	for _, e := range server.Environment {
		env[e.Name] = e.Value
	}
	for k, want := range map[string]string{
		"FORGEJO__queue__TYPE": "redis", "FORGEJO__cache__ADAPTER": "redis", "FORGEJO__session__PROVIDER": "redis", "FORGEJO__indexer__ISSUE_INDEXER_TYPE": "db",
		"FORGEJO__server__START_SSH_SERVER": "true", "FORGEJO__server__SSH_DOMAIN": "ssh.git.morphee.app", "FORGEJO__server__SSH_PORT": "22",
		"FORGEJO__git_0X2E_timeout__DEFAULT": "600", "FORGEJO__database__HOST": "db.example:5432",
	} {
		if env[k] != want {
			t.Errorf("%s is %q, want %q", k, env[k], want)
		}
	}
	given := func(c ecsContainer) (names []string) {
		for _, s := range c.Secrets {
			names = append(names, s.Name)
		}
		return names
	}
	for _, k := range append(redisSettings[:3:3], "FORGEJO__security__SECRET_KEY", "FORGEJO__database__PASSWD") {
		if !slices.Contains(given(server), k) {
			t.Errorf("Forgejo is not given %s", k)
		}
	}
	// The administrator's password, and the host key, are for the container that sets things up.
	for _, k := range []string{"ADMIN_PASSWORD", "SSH_HOST_KEY", "TOKEN_HASH"} {
		if slices.Contains(given(server), k) {
			t.Errorf("Forgejo itself is given %s", k)
		}
	}
	if !slices.Contains(given(containers[at["prepare"]]), "SSH_HOST_KEY") {
		t.Error("nothing writes the SSH host key")
	}
}

func TestForgejoOnEcsRefuses(t *testing.T) {
	for want, change := range map[string]func(*ServiceArgs, *EcsHome){
		"EcsHome.Store":      func(_ *ServiceArgs, h *EcsHome) { h.Store = nil },
		"EcsHome.CacheAuth":  func(_ *ServiceArgs, h *EcsHome) { h.CacheAuth = nil },
		"EcsHome.SSHDomain":  func(_ *ServiceArgs, h *EcsHome) { h.SSHDomain = "ssh.git.morphee.app" },
		"EcsHome.SSHHostKey": func(_ *ServiceArgs, h *EcsHome) { h.SSH, h.SSHDomain = h.Target, "ssh.git.morphee.app" },
		"EcsHome.Target":     func(_ *ServiceArgs, h *EcsHome) { h.Target = &aws.ServiceTarget{Port: 80} },
		"Settings.Image":     func(a *ServiceArgs, _ *EcsHome) { a.Settings.Image = "codeberg.org/forgejo/forgejo:13" },
		"Fargate":            func(a *ServiceArgs, _ *EcsHome) { a.Settings.Limits.MemoryMiB = 300 },
	} {
		_, err := (&recorder.Recorder{Outputs: recorder.Computed}).Run(func(ctx *pulumi.Context) error {
			_, err := onEcs(ctx, "a", false, change)
			return err
		})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error about %s, got %v", want, err)
		}
	}
}

// The value of a token and its hash, salt and end, as Forgejo's own tests have them.
func TestTokenHashIsForgejos(t *testing.T) {
	got, err := tokenHash("d2c6c1ba3890b309189a8e618c72a162e4efbf36", "QuSiZr1byZ")
	if err != nil {
		t.Fatal(err)
	}
	if want := "2b3668e11cb82d3af8c6e4524fc7841297668f5008d1626f0ad3417e9fa39af84c268248b78c481daa7e5dc437784003494f"; got != want {
		t.Errorf("the hash is %s, want %s", got, want)
	}
}

func TestScriptsAreShell(t *testing.T) {
	for name, script := range map[string]string{"prepare": prepareScript, "token": tokenScript} {
		sh := exec.Command("sh", "-n")
		sh.Stdin = strings.NewReader(script)
		if out, err := sh.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
}
