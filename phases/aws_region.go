package phases

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/aws"
	"github.com/morphee-app/morphee-infra/components/cloudflare"
	"github.com/morphee-app/morphee-infra/components/forgejo"
	"github.com/morphee-app/morphee-infra/components/secrets"
	"github.com/morphee-app/morphee-infra/internal/config"
)

// region is the platform in one AWS region, while it is being composed. The steps fill it in, each
// from what those before it made.
type region struct {
	ctx *pulumi.Context
	in  Input
	cfg config.Config // as it is for this region

	// prefix of the names of its components: "aws" in the first region, which phase 3 has alone.
	prefix string
	// home is the first region: what the regions share was made there. Its own, in the first one.
	home *region
	all  *regions // nil in phase 3
	// beside is the server while both platforms are there; else nil.
	beside *server

	product   *secrets.Shared
	providers *aws.Providers
	zoneID    pulumi.StringOutput // of the Cloudflare zone
	key       map[aws.KeyPurpose]pulumi.StringOutput
	globalKey pulumi.StringOutput // of what alarms in us-east-1 are told to
	vpc       *aws.Network
	images    *aws.ContainerRegistry
	store     *aws.EfsRepoStore
	// original is the first region's own file system once the region has a copy instead; else nil. It is
	// kept, and backed up, until somebody retires it.
	original  *aws.EfsRepoStore
	postgres  *aws.AuroraOrRds
	redis     *aws.RedisCache
	generated *aws.Credentials
	values    *aws.Secrets
	certified *aws.Certificate
	alb       *aws.PublicAlb
	ecs       *aws.EcsCluster
	gitSecret *forgejo.Credentials
	git       *forgejo.EcsHome // nil without Forgejo
	gitReady  pulumi.Resource
	gitURL    pulumi.StringOutput
	gotrue    *aws.EcsService
	app       *aws.EcsService
	frontend  *aws.StaticSite
	edge      *aws.EdgeDns
	safe      *aws.AwsBackups
	bucket    *cloudflare.BackupBucket

	outputs pulumi.Map
}

func newRegion(ctx *pulumi.Context, in Input) *region {
	r := &region{ctx: ctx, in: in, cfg: in.Config, prefix: platformAws, outputs: pulumi.Map{}}
	r.home = r
	return r
}

// name of a component of the region.
func (r *region) name(part string) string { return r.prefix + "-" + part }

// isHome says whether this is the first region.
func (r *region) isHome() bool { return r.home == r }

// writes says whether this is the region that writes; the only one always does.
func (r *region) writes() bool { return r.cfg.AWS.WritePrimary == r.cfg.AWS.Region }

func (r *region) compose(steps ...func() error) (pulumi.Map, error) {
	return r.outputs, inOrder(steps...)
}

// here is the option of every component of the region: its provider, never a default one.
func (r *region) here() pulumi.ResourceOption {
	return pulumi.Providers(r.providers.In(r.cfg.AWS.Region))
}

func (r *region) shared() (err error) {
	r.product, err = sharedSecrets(r.ctx, r.in)
	return err
}

func (r *region) account() (err error) {
	c := r.cfg
	r.providers, err = aws.NewProviders(r.ctx, "aws", &aws.ProvidersArgs{Region: c.AWS.Region, AccountID: c.AWS.AccountID, Others: r.all.known()})
	if err != nil {
		return err
	}
	r.zoneID = aws.CloudflareZoneID(r.ctx, c.DNS.ZoneID, c.CloudflareAccountID, c.DNS.Zone)
	return nil
}

// keys are one customer key for each kind of data, and one in us-east-1 for the topic there.
func (r *region) keys() error {
	c := r.cfg
	keys, err := aws.NewKeys(r.ctx, r.name("keys"), &aws.KeysArgs{
		Region: c.AWS.Region, AccountID: r.providers.AccountID, Disposable: c.Disposable, Tags: r.in.Tags(),
		Purposes: []aws.KeyPurpose{aws.KeyFiles, aws.KeyDatabase, aws.KeySecrets, aws.KeyLogs, aws.KeyCache, aws.KeyImages, aws.KeyAlarms, aws.KeyBackups},
	}, r.here())
	if err != nil {
		return err
	}
	r.key = keys.Arns
	if !r.isHome() {
		return nil
	}
	global, err := aws.NewKeys(r.ctx, r.name("global-keys"), &aws.KeysArgs{
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
	r.vpc, err = aws.NewNetwork(r.ctx, r.name("network"), &aws.NetworkArgs{
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
	if r.images, err = aws.NewContainerRegistry(r.ctx, r.name("registry"), args, r.here()); err != nil {
		return err
	}
	if !r.isHome() {
		return nil // images are pushed in the first region
	}
	r.outputs["backendRepository"], r.outputs["backupRepository"] = r.images.RepositoryUrls["backend"], r.images.RepositoryUrls["backup"]
	return nil
}

// image is the configured image, through the cache where the registry keeps one of its origin.
func (r *region) image(reference string) pulumi.StringInput {
	const registry = ".dkr.ecr."
	here := strings.Replace(reference, registry+r.home.cfg.AWS.Region+".", registry+r.cfg.AWS.Region+".", 1)
	return r.images.Image(here, r.providers.AccountID, r.cfg.AWS.Region)
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
	if r.store != nil {
		t.Ready = slices.Concat(t.Ready, r.all.beforeWrites())
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
