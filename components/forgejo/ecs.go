package forgejo

import (
	_ "embed"
	"maps"
	"slices"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/aws"
	"github.com/morphee-app/morphee-infra/components/base"
)

//go:embed ecs_prepare.sh
var prepareScript string

//go:embed ecs_token.sh
var tokenScript string

// EcsHome runs Forgejo on ECS: one task, never two, with its files on EFS and its queue, cache and
// sessions in Redis.
type EcsHome struct {
	// Where it runs: Cluster, AccountID, Region, VpcID, SubnetIDs, InternetPorts, S3PrefixListID,
	// Connections to interface endpoints, RepositoryArns and PullThroughArns of the images,
	// LogKmsKeyArn, LogRetentionDays, Exec and Ready. The rest of it is Forgejo's.
	Where aws.EcsServiceArgs
	// Store has an access point named AccessPoint, of user and group 1000.
	Store       *aws.EfsRepoStore
	AccessPoint string
	// Image is where Settings.Image is pulled from, such as a cache of its registry; default there.
	Image pulumi.StringInput
	// Server is the PostgreSQL in which Settings.Database is made before the first start, with the
	// psql of PsqlImage.
	Server    *aws.AuroraOrRds
	PsqlImage pulumi.StringInput
	// Cache, and the token it wants; a secret.
	Cache     *aws.RedisCache
	CacheAuth pulumi.StringInput
	// Target is the HTTPS load balancer's rule for the public name, with port 3000 and the health
	// path HealthPath.
	Target *aws.ServiceTarget
	// SSH is the load balancer for git over SSH, nil for none; SSHDomain is its name, and SSHHostKey
	// the server's private key in OpenSSH form, the same whatever file system is mounted; a secret.
	SSH        *aws.ServiceTarget
	SSHDomain  string
	SSHHostKey pulumi.StringInput

	// SecretsKmsKeyArn encrypts the secrets; required.
	SecretsKmsKeyArn pulumi.StringInput
	// DiscoveryName under the cluster's namespace; default "forgejo".
	DiscoveryName string

	// Service, APITokenArn and WebhookSecretArn are there after NewForgejoService: the service, and
	// the secrets that the backend is given.
	Service                       *aws.EcsService
	APITokenArn, WebhookSecretArn pulumi.StringOutput
}

const (
	// HealthPath answers without signing in, and fails when database or cache do.
	HealthPath = "/api/healthz"
	// HTTPPort and SSHContainerPort are where the container listens.
	HTTPPort         = port
	SSHContainerPort = sshPort

	ecsUser  = "1000:1000" // of the rootless image and of the access point
	psqlUser = "999:999"   // any but root: psql owns no files

	// fargateStop is the longest that Fargate waits for a task to end, for git pushes under way.
	fargateStop = 120
)

func (h *EcsHome) validate(p *base.Problems) {
	for field, missing := range map[string]bool{
		"Where.Cluster": h.Where.Cluster == nil,
		"Store":         h.Store == nil, "AccessPoint": h.AccessPoint == "", "Server": h.Server == nil, "PsqlImage": h.PsqlImage == nil,
		"Cache": h.Cache == nil, "CacheAuth": h.CacheAuth == nil, "Target": h.Target == nil,
		"SecretsKmsKeyArn": h.SecretsKmsKeyArn == nil,
	} {
		p.Require(!missing, "EcsHome."+field, "nothing", "a value", "")
	}
	p.Require((h.SSH == nil) == (h.SSHDomain == ""), "EcsHome.SSHDomain", h.SSHDomain, "a name of its own, exactly with SSH: the HTTPS load balancer does not speak it", "")
	p.Require(h.SSH == nil || h.SSHHostKey != nil, "EcsHome.SSHHostKey", "nothing", "a key, with SSH", "")
	p.Require(h.Target == nil || h.Target.Port == HTTPPort, "EcsHome.Target", "another port", "port "+strconv.Itoa(HTTPPort), "")
}

func (h *EcsHome) deploy(ctx *pulumi.Context, name string, c *ForgejoService, args *ServiceArgs) (Placement, error) {
	token, err := newAPIToken(ctx, name+"-api-token", args.Disposable, c)
	if err != nil {
		return Placement{}, err
	}
	secrets, err := h.secrets(ctx, name+"-secrets", c, args, token)
	if err != nil {
		return Placement{}, err
	}
	containers, err := h.containers(args, secrets)
	if err != nil {
		return Placement{}, err
	}
	targets := []aws.ServiceLoadBalancer{{Target: h.Target, Container: "forgejo"}}
	if h.SSH != nil {
		targets = append(targets, aws.ServiceLoadBalancer{Target: h.SSH, Container: "forgejo"})
	}
	discovery := h.DiscoveryName
	if discovery == "" && h.Where.Cluster.Namespace != "" {
		discovery = "forgejo"
	}
	where := h.Where
	where.CPUUnits, where.MemoryMiB = int(args.Settings.Limits.CPUs*1024), args.Settings.Limits.MemoryMiB
	where.Containers, where.Volumes = containers, []aws.EfsVolume{h.Store.Volume("data", h.AccessPoint)}
	where.SecretKmsKeyArns = []pulumi.StringInput{h.SecretsKmsKeyArn}
	// Two tasks on one file system damage it: the old one ends before the new one starts.
	where.SingleWriter, where.LoadBalancers, where.GraceSeconds, where.DiscoveryName = true, targets, 300, discovery
	where.Connections = append(slices.Clone(where.Connections), h.Server.Connection(), h.Cache.Connection(), h.Store.Connection())
	where.Tags = args.Tags
	service, err := aws.NewEcsService(ctx, name+"-service", &where, pulumi.Parent(c))
	if err != nil {
		return Placement{}, err
	}
	h.Service, h.APITokenArn, h.WebhookSecretArn = service, secrets.Arns["api-token"], secrets.Arns["webhook-secret"]
	internal := pulumi.Sprintf("https://%s", args.Settings.Domain)
	if service.DiscoveryHost != "" {
		internal = pulumi.Sprintf("http://%s:%d", service.DiscoveryHost, HTTPPort)
	}
	return Placement{InternalURL: internal, APIToken: token.value, Data: h.Store.FileSystemID, Ready: service}, nil
}

// Connection is how a service beside Forgejo reaches it, once it is deployed.
func (h *EcsHome) Connection() aws.Connection {
	return aws.Connection{Name: "forgejo", SecurityGroupID: h.Service.SecurityGroupID, Port: HTTPPort}
}

// secrets puts everything secret into Secrets Manager: what only Forgejo reads in two secrets, and
// the two that the backend reads as well on their own.
func (h *EcsHome) secrets(ctx *pulumi.Context, name string, c *ForgejoService, args *ServiceArgs, token *apiToken) (*aws.Secrets, error) {
	settings := pulumi.StringMap{}
	for _, s := range secretSettings(args) {
		settings[s.Env] = s.Value
	}
	// A database of its own for each use: flushing the cache must not lose the queue.
	for i, env := range redisSettings {
		settings[env] = pulumi.Sprintf("rediss://:%s@%s:%d/%d", h.CacheAuth, h.Cache.Host, h.Cache.Port, i+1)
	}
	setup := pulumi.StringMap{
		"ADMIN_PASSWORD": args.Credentials.AdminPassword,
		"TOKEN_HASH":     token.hash, "TOKEN_SALT": token.salt, "TOKEN_LAST_EIGHT": token.lastEight,
	}
	if h.SSHHostKey != nil {
		setup["SSH_HOST_KEY"] = h.SSHHostKey
	}
	secret := func(m pulumi.StringMap) pulumi.StringOutput {
		return pulumi.ToSecret(pulumi.JSONMarshal(m)).(pulumi.StringOutput)
	}
	return aws.NewSecrets(ctx, name, &aws.SecretsArgs{
		KmsKeyArn: h.SecretsKmsKeyArn, Disposable: args.Disposable, Tags: args.Tags,
		Secrets: map[string]aws.SecretSpec{
			"settings":       {Description: "Forgejo: database password, keys, Redis", Value: secret(settings)},
			"setup":          {Description: "Forgejo: administrator's password, API token's hash, SSH host key", Value: secret(setup)},
			"api-token":      {Description: "Forgejo: the administrator's API token, for the backend", Value: token.value},
			"webhook-secret": {Description: "Forgejo: signs webhooks (HMAC-SHA256)", Value: args.Credentials.WebhookSecret},
		},
	}, pulumi.Parent(c))
}

// redisSettings are the settings that name a Redis database, each its own.
var redisSettings = []string{"FORGEJO__queue__CONN_STR", "FORGEJO__cache__HOST", "FORGEJO__session__PROVIDER_CONFIG"}

// containers of the task. Before Forgejo: its database, its schema and administrator, the
// administrator's token. Each does nothing that was done before.
func (h *EcsHome) containers(args *ServiceArgs, secrets *aws.Secrets) ([]aws.Container, error) {
	settings, setup := secrets.Arns["settings"], secrets.Arns["setup"]
	pick := func(arn pulumi.StringInput, keys ...string) map[string]aws.SecretRef {
		m := map[string]aws.SecretRef{}
		for _, k := range keys {
			m[k] = aws.SecretRef{Arn: arn, JSONKey: k}
		}
		return m
	}
	bootstrap, err := aws.DatabaseBootstrap(aws.DatabaseBootstrapArgs{
		Database: h.Server, Image: h.PsqlImage, Name: args.Database.Name, Role: args.Database.User,
		PasswordArn: settings, PasswordJSONKey: "FORGEJO__database__PASSWD",
	})
	if err != nil {
		return nil, err
	}
	env := h.environment(args)
	hidden := redisSettings
	for _, s := range secretSettings(args) {
		hidden = append(hidden[:len(hidden):len(hidden)], s.Env)
	}
	image := h.Image
	if image == nil {
		image = pulumi.String(args.Settings.Image)
	}
	common := aws.Container{
		// The image's start script makes its own folders, where Forgejo's data is not.
		Image: image, User: ecsUser, Scratch: []string{"/tmp", "/etc/gitea", "/var/lib/gitea"},
		Mounts: []aws.Mount{{Volume: "data", Path: dataPath}},
	}

	prepare := common
	prepare.Name, prepare.Init = "prepare", true
	prepare.Command = []string{"sh", "-c", prepareScript}
	prepare.Environment = maps.Clone(env)
	prepare.Environment["ADMIN_USER"], prepare.Environment["ADMIN_EMAIL"] = pulumi.String(args.Settings.AdminUser), pulumi.String(args.Settings.AdminEmail)
	prepare.Secrets = pick(settings, hidden...)
	maps.Copy(prepare.Secrets, pick(setup, "ADMIN_PASSWORD"))
	if h.SSHHostKey != nil {
		maps.Copy(prepare.Secrets, pick(setup, "SSH_HOST_KEY"))
	}

	token := aws.Container{
		Name: "token", Image: h.PsqlImage, User: psqlUser, Init: true, EntryPoint: []string{"sh", "-c"}, Command: []string{tokenScript},
		Environment: map[string]pulumi.StringInput{
			"PGHOST": args.Database.Host, "PGPORT": pulumi.String(strconv.Itoa(args.Database.Port)), "PGSSLMODE": pulumi.String("require"),
			"PGDATABASE": pulumi.String(args.Database.Name), "PGUSER": pulumi.String(args.Database.User),
			"ADMIN_USER": pulumi.String(args.Settings.AdminUser), "TOKEN_SCOPE": pulumi.String(apiScopes),
		},
		Secrets: pick(setup, "TOKEN_HASH", "TOKEN_SALT", "TOKEN_LAST_EIGHT"),
	}
	token.Secrets["PGPASSWORD"] = aws.SecretRef{Arn: settings, JSONKey: "FORGEJO__database__PASSWD"}

	server := common
	server.Name, server.Ports, server.Environment = "forgejo", []int{HTTPPort}, env
	server.Secrets = pick(settings, hidden...)
	server.Secrets["API_TOKEN"] = aws.SecretRef{Arn: secrets.Arns["api-token"]}
	server.StopSeconds = fargateStop
	if h.SSH != nil {
		server.Ports = append(server.Ports, SSHContainerPort)
	}
	// It is healthy when the backend's token works, not just when it listens: a token that a new
	// version does not know fails the deployment, which is then rolled back.
	server.Health = &aws.ContainerHealth{
		Command: []string{"CMD-SHELL", `printf 'Authorization: token %s' "$API_TOKEN" | curl -fsS -o /dev/null -H @- http://127.0.0.1:` + strconv.Itoa(HTTPPort) + `/api/v1/user`},
		// Longer than the checks of a container that only computes: EFS may answer slowly.
		IntervalSeconds: 30, TimeoutSeconds: 10, Retries: 5, StartSeconds: 120,
	}
	return []aws.Container{bootstrap, prepare, token, server}, nil
}

// environment is Forgejo's, with what differs on ECS.
func (h *EcsHome) environment(args *ServiceArgs) map[string]pulumi.StringInput {
	env := environment(args)
	for k, v := range map[string]string{
		// LevelDB and bleve lock files, which NFS does not keep: everything of that kind is elsewhere.
		"FORGEJO__queue__TYPE":                 "redis",
		"FORGEJO__cache__ADAPTER":              "redis",
		"FORGEJO__session__PROVIDER":           "redis",
		"FORGEJO__indexer__ISSUE_INDEXER_TYPE": "db",
	} {
		env[k] = pulumi.String(v)
	}
	ssh := "false"
	if h.SSH != nil {
		ssh = "true"
		env["FORGEJO__server__SSH_DOMAIN"] = pulumi.String(h.SSHDomain)
		env["FORGEJO__server__SSH_PORT"] = pulumi.String("22")
		env["FORGEJO__server__SSH_LISTEN_PORT"] = pulumi.String(strconv.Itoa(SSHContainerPort))
		env["FORGEJO__server__SSH_SERVER_HOST_KEYS"] = pulumi.String("ssh/host_key")
	}
	env["FORGEJO__server__START_SSH_SERVER"] = pulumi.String(ssh)
	env["FORGEJO__server__DISABLE_SSH"] = pulumi.String(map[string]string{"true": "false", "false": "true"}[ssh])
	return env
}
