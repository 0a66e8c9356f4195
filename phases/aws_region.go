package phases

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/aws"
	"github.com/morphee-app/morphee-infra/components/forgejo"
	"github.com/morphee-app/morphee-infra/components/secrets"
	"github.com/morphee-app/morphee-infra/internal/config"
)

// region is the platform in one AWS region, while it is being composed. The steps fill it in, each
// from what those before it made.
type region struct {
	ctx *pulumi.Context
	in  Input
	cfg config.Config

	product   *secrets.Shared
	providers *aws.Providers
	zoneID    pulumi.StringOutput // of the Cloudflare zone
	key       map[aws.KeyPurpose]pulumi.StringOutput
	globalKey pulumi.StringOutput // of what alarms in us-east-1 are told to
	vpc       *aws.Network
	images    *aws.ContainerRegistry
	store     *aws.EfsRepoStore
	postgres  *aws.AuroraOrRds
	redis     *aws.RedisCache
	generated *aws.Credentials
	values    *aws.Secrets
	alb       *aws.PublicAlb
	ecs       *aws.EcsCluster
	git       *forgejo.EcsHome // nil without Forgejo
	gitReady  pulumi.Resource
	gitURL    pulumi.StringOutput
	gotrue    *aws.EcsService
	app       *aws.EcsService
	frontend  *aws.StaticSite
	edge      *aws.EdgeDns
	safe      *aws.AwsBackups

	outputs pulumi.Map
}

func newRegion(ctx *pulumi.Context, in Input) *region {
	return &region{ctx: ctx, in: in, cfg: in.Config, outputs: pulumi.Map{}}
}

func (r *region) compose(steps ...func() error) (pulumi.Map, error) {
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return r.outputs, nil
}

// here is the option of every component of the region: its provider, never a default one.
func (r *region) here() pulumi.ResourceOption { return pulumi.Providers(r.providers.Regional) }

func (r *region) shared() (err error) {
	r.product, err = sharedSecrets(r.ctx, r.in)
	return err
}

func (r *region) account() (err error) {
	c := r.cfg
	r.providers, err = aws.NewProviders(r.ctx, "aws", &aws.ProvidersArgs{Region: c.AWS.Region, AccountID: c.AWS.AccountID})
	if err != nil {
		return err
	}
	r.zoneID = aws.CloudflareZoneID(r.ctx, c.DNS.ZoneID, c.CloudflareAccountID, c.DNS.Zone)
	return nil
}

// keys are one customer key for each kind of data, and one in us-east-1 for the topic there.
func (r *region) keys() error {
	c := r.cfg
	keys, err := aws.NewKeys(r.ctx, "aws-keys", &aws.KeysArgs{
		Region: c.AWS.Region, AccountID: r.providers.AccountID, Disposable: c.Disposable, Tags: r.in.Tags(),
		Purposes: []aws.KeyPurpose{aws.KeyFiles, aws.KeyDatabase, aws.KeySecrets, aws.KeyLogs, aws.KeyCache, aws.KeyImages, aws.KeyAlarms, aws.KeyBackups},
	}, r.here())
	if err != nil {
		return err
	}
	r.key = keys.Arns
	global, err := aws.NewKeys(r.ctx, "aws-global-keys", &aws.KeysArgs{
		Region: aws.GlobalRegion, AccountID: r.providers.AccountID, Disposable: c.Disposable, Tags: r.in.Tags(),
		Purposes: []aws.KeyPurpose{aws.KeyAlarms},
	}, pulumi.Providers(r.providers.UsEast1))
	if err != nil {
		return err
	}
	r.globalKey = global.Arns[aws.KeyAlarms]
	return nil
}

var natModes = map[string]aws.NatMode{"none": aws.NatNone, "instance": aws.NatInstance, "single": aws.NatSingle, "per-zone": aws.NatPerZone}

func (r *region) network() (err error) {
	c := r.cfg.AWS
	r.vpc, err = aws.NewNetwork(r.ctx, "aws-network", &aws.NetworkArgs{
		Region: c.Region, RegionIndex: c.RegionIndex, Zones: c.ZoneNames, Nat: natModes[c.NAT], NatInstanceType: c.NATInstanceType,
		Endpoints: c.InterfaceEndpoints, FlowLogRetentionDays: c.FlowLogRetentionDays,
		LogKmsKeyArn: r.key[aws.KeyLogs], AccountID: r.providers.AccountID, Tags: r.in.Tags(),
	}, r.here())
	return err
}

// registry holds the images that the build pipeline makes, and, by choice, a cache of public ones.
func (r *region) registry() (err error) {
	c := r.cfg
	args := &aws.ContainerRegistryArgs{
		Namespace: r.in.Project + "-" + r.in.Stack, Repositories: []string{"backend", "backup"},
		KmsKeyArn: r.key[aws.KeyImages], KeepImages: c.AWS.Registry.KeepImages, Disposable: c.Disposable, Tags: r.in.Tags(),
		PullThrough: aws.PublicUpstreams(r.in.Project+"-"+r.in.Stack, c.AWS.Registry.PullThrough...),
	}
	if r.images, err = aws.NewContainerRegistry(r.ctx, "aws-registry", args, r.here()); err != nil {
		return err
	}
	r.outputs["backendRepository"], r.outputs["backupRepository"] = r.images.RepositoryUrls["backend"], r.images.RepositoryUrls["backup"]
	return nil
}

// image is the configured image, through the cache where the registry keeps one of its origin.
func (r *region) image(reference string) pulumi.StringInput {
	return r.images.Image(reference, r.providers.AccountID, r.cfg.AWS.Region)
}

// task is what every task of the region has in common: where it runs, how it gets out, what its
// logs are kept with.
func (r *region) task() aws.EcsServiceArgs {
	c := r.cfg.AWS
	t := aws.EcsServiceArgs{
		Cluster: r.ecs, Region: c.Region, AccountID: r.providers.AccountID, VpcID: r.vpc.VpcID, SubnetIDs: r.vpc.PrivateSubnetIDs,
		Connections: r.vpc.EndpointConnection(), SecretKmsKeyArns: []pulumi.StringInput{r.key[aws.KeySecrets]},
		LogKmsKeyArn: r.key[aws.KeyLogs], LogRetentionDays: c.LogRetentionDays, Ready: r.vpc.Ready(), Tags: r.in.Tags(),
		PullThroughArns: r.images.PullThroughArns(r.providers.AccountID, c.Region),
	}
	for _, name := range []string{"backend", "backup"} {
		t.RepositoryArns = append(t.RepositoryArns, r.images.RepositoryArns[name])
	}
	if c.NAT == "none" {
		t.InternetPorts, t.S3PrefixListID = []int{}, r.vpc.S3PrefixListID
	}
	return t
}

// gitSSH is the public name for git over SSH. The HTTPS load balancer has the git server's name, and
// does not speak SSH.
func (r *region) gitSSH() string {
	if !r.cfg.Forgejo.Enabled || !r.cfg.AWS.Forgejo.SSHLoadBalancer {
		return ""
	}
	return "ssh." + r.cfg.Hosts.Git
}

// contentSecurityPolicy of the web application: it talks to the API, with WebSockets, and to sign-in.
func contentSecurityPolicy(h config.Hosts) string {
	return strings.Join([]string{
		"default-src 'self'", "connect-src 'self' https://" + h.API + " wss://" + h.API + " https://" + h.Auth,
		"img-src 'self' data: blob: https://" + h.API, "style-src 'self' 'unsafe-inline'", "font-src 'self' data:",
		"object-src 'none'", "base-uri 'self'", "form-action 'self'", "frame-ancestors 'none'",
	}, "; ")
}
