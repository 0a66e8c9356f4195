package aws

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// ContainerRegistryType is the type token of ContainerRegistry.
const ContainerRegistryType = "morphee:aws:ContainerRegistry"

// ContainerRegistryArgs are the decisions about a set of image repositories.
type ContainerRegistryArgs struct {
	// Namespace is put before every repository, as in "morphee-prod/backend". Lower case letters,
	// digits, hyphens; required. Changing it replaces the repositories.
	Namespace string
	// Repositories are their names without the namespace; at least one, no duplicates. Removing one
	// removes its images.
	Repositories []string
	// KmsKeyArn is the customer key that encrypts the images; required. Changing it replaces the
	// repositories.
	KmsKeyArn pulumi.StringInput
	// KeepImages is how many tagged images a repository keeps, 5 to 1000; default 50. Enough to roll
	// back, not so many that storage grows for ever.
	KeepImages int
	// UntaggedDays is how long an image without a tag is kept, 1 to 365; default 7.
	UntaggedDays int
	// PullThrough are upstream registries whose images are pulled through ECR, so that tasks without
	// a way to the internet can start. None by default.
	PullThrough []PullThrough
	// Disposable leaves the repositories unprotected and lets them be deleted with images in them.
	Disposable bool
	Tags       base.Tags
}

// PullThrough is one upstream registry cached in ECR.
type PullThrough struct {
	// Prefix of the cached repositories, 2 to 30 characters, such as "ecr-public". Replaces the rule.
	Prefix string
	// UpstreamUrl is the registry, without a scheme, such as "public.ecr.aws". Replaces the rule.
	UpstreamUrl string
	// CredentialArn is a Secrets Manager secret, named ecr-pullthroughcache/…, with the registry's
	// user and token; needed for Docker Hub and GitHub, nil for public.ecr.aws and quay.io.
	CredentialArn pulumi.StringPtrInput
}

// ContainerRegistry is a set of ECR repositories: immutable tags, scanned on push, encrypted with a
// customer key, pruned.
type ContainerRegistry struct {
	pulumi.ResourceState
	// RepositoryUrls and RepositoryArns are by the repository's name without the namespace.
	RepositoryUrls map[string]pulumi.StringOutput
	RepositoryArns map[string]pulumi.StringOutput

	pullThrough []PullThrough
}

var (
	ecrNamespace  = regexp.MustCompile(`^[a-z0-9]+([-_.][a-z0-9]+)*$`)
	ecrRepository = regexp.MustCompile(`^[a-z0-9]+([-_./][a-z0-9]+)*$`)
	registryHost  = regexp.MustCompile(`^[a-z0-9.-]+\.[a-z]{2,}$`)
)

func (a *ContainerRegistryArgs) validate(name string) error {
	p := base.Check("ContainerRegistry", name)
	p.Require(ecrNamespace.MatchString(a.Namespace), "Namespace", a.Namespace, "lower case letters, digits and single separators", "")
	p.Require(len(a.Repositories) > 0, "Repositories", "none", "at least one", "")
	seen := map[string]bool{}
	for _, r := range a.Repositories {
		p.Require(ecrRepository.MatchString(r) && len(a.Namespace)+1+len(r) <= 256, "Repositories", r, "lower case letters, digits and single separators, 256 characters with the namespace", "")
		p.Require(!seen[r], "Repositories", r, "each name once", "")
		seen[r] = true
	}
	p.Require(a.KmsKeyArn != nil, "KmsKeyArn", "nothing", "the ARN of a customer KMS key", "")
	p.Require(a.KeepImages >= 5 && a.KeepImages <= 1000, "KeepImages", a.KeepImages, "5 to 1000", "")
	p.Require(a.UntaggedDays >= 1 && a.UntaggedDays <= 365, "UntaggedDays", a.UntaggedDays, "1 to 365", "")
	prefixes := map[string]bool{}
	for _, t := range a.PullThrough {
		p.Require(ecrNamespace.MatchString(t.Prefix) && len(t.Prefix) >= 2 && len(t.Prefix) <= 30, "PullThrough.Prefix", t.Prefix, "2 to 30 lower case letters, digits and single separators", "")
		p.Require(registryHost.MatchString(t.UpstreamUrl), "PullThrough.UpstreamUrl", t.UpstreamUrl, "a registry's host name without a scheme", "")
		p.Require(!prefixes[t.Prefix], "PullThrough.Prefix", t.Prefix, "each prefix once", "")
		prefixes[t.Prefix] = true
	}
	return p.Err()
}

// NewContainerRegistry registers the repositories, their lifecycle policies and pull-through rules.
func NewContainerRegistry(ctx *pulumi.Context, name string, in *ContainerRegistryArgs, opts ...pulumi.ResourceOption) (*ContainerRegistry, error) {
	args := *in
	setDefault(&args.KeepImages, 50)
	setDefault(&args.UntaggedDays, 7)
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &ContainerRegistry{RepositoryUrls: map[string]pulumi.StringOutput{}, RepositoryArns: map[string]pulumi.StringOutput{}, pullThrough: args.PullThrough}
	if err := ctx.RegisterComponentResourceV2(ContainerRegistryType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	for _, repository := range slices.Sorted(slices.Values(args.Repositories)) {
		if err := c.addRepository(ctx, name, repository, &args); err != nil {
			return nil, err
		}
	}
	for _, t := range args.PullThrough {
		if _, err := ecr.NewPullThroughCacheRule(ctx, name+"-pull-"+t.Prefix, &ecr.PullThroughCacheRuleArgs{
			EcrRepositoryPrefix: pulumi.String(t.Prefix), UpstreamRegistryUrl: pulumi.String(t.UpstreamUrl), CredentialArn: t.CredentialArn,
		}, pulumi.Parent(c)); err != nil {
			return nil, err
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"repositoryUrls": stringMap(c.RepositoryUrls), "repositoryArns": stringMap(c.RepositoryArns),
	})
}

func (c *ContainerRegistry) addRepository(ctx *pulumi.Context, name, repository string, args *ContainerRegistryArgs) error {
	full := args.Namespace + "/" + repository
	repo, err := ecr.NewRepository(ctx, name+"-"+repository, &ecr.RepositoryArgs{
		// Named, not generated: the build pipeline pushes to it by name before the first deployment.
		Name:               pulumi.String(full),
		ImageTagMutability: pulumi.String("IMMUTABLE"),
		ImageScanningConfiguration: &ecr.RepositoryImageScanningConfigurationArgs{
			ScanOnPush: pulumi.Bool(true),
		},
		EncryptionConfigurations: ecr.RepositoryEncryptionConfigurationArray{&ecr.RepositoryEncryptionConfigurationArgs{
			EncryptionType: pulumi.String("KMS"), KmsKey: args.KmsKeyArn,
		}},
		ForceDelete: pulumi.Bool(args.Disposable),
		Tags:        args.Tags.Pulumi("Name", full),
	}, base.Stateful(args.Disposable, pulumi.Parent(c))...)
	if err != nil {
		return err
	}
	policy, err := imageLifecycle(args.UntaggedDays, args.KeepImages)
	if err != nil {
		return err
	}
	if _, err := ecr.NewLifecyclePolicy(ctx, name+"-"+repository+"-lifecycle", &ecr.LifecyclePolicyArgs{
		Repository: repo.Name, Policy: pulumi.String(policy),
	}, pulumi.Parent(c)); err != nil {
		return err
	}
	c.RepositoryUrls[repository], c.RepositoryArns[repository] = repo.RepositoryUrl, repo.Arn
	return nil
}

// imageLifecycle drops what no tag points to, then everything but the newest images.
func imageLifecycle(untaggedDays, keep int) (string, error) {
	expire := map[string]string{"type": "expire"}
	rules := []map[string]any{
		{"rulePriority": 1, "description": "untagged images", "action": expire, "selection": map[string]any{
			"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": untaggedDays,
		}},
		// AWS wants the rule about any image to come last.
		{"rulePriority": 2, "description": "all but the newest images", "action": expire, "selection": map[string]any{
			"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": keep,
		}},
	}
	b, err := json.Marshal(map[string]any{"rules": rules})
	return string(b), err
}

// setDefault replaces a decision that was left out. A wrong value is never replaced: validate
// refuses it.
func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func stringMap(m map[string]pulumi.StringOutput) pulumi.StringMap {
	out := pulumi.StringMap{}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out[k] = m[k]
	}
	return out
}
