package aws

import (
	"regexp"
	"slices"

	awsprovider "github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// ProvidersType is the type token of Providers.
const ProvidersType = "morphee:aws:Providers"

// GlobalRegion is where AWS keeps what is global: CloudFront's certificates, and some metrics.
const GlobalRegion = "us-east-1"

// ProvidersArgs say where a stack is on AWS.
type ProvidersArgs struct {
	// Region of everything that is not global; required. Changing it replaces everything.
	Region string
	// AccountID, 12 digits: with credentials for another account nothing is done. Empty takes the
	// account that the credentials are for.
	AccountID string
	// Others are further regions, each once, none of them Region. Adding one touches no other.
	Others []string
}

// Providers are the AWS providers of a stack: one for each region that it touches. Nothing is left to
// a default provider, whose region would come from whoever happens to run the deployment.
type Providers struct {
	pulumi.ResourceState
	// Regional is for everything; UsEast1 for what AWS only has there.
	Regional, UsEast1 *awsprovider.Provider
	// Others are the providers of the further regions, by region.
	Others map[string]*awsprovider.Provider
	// AccountID of the account.
	AccountID pulumi.StringOutput

	region string
}

// In is the provider of the stack's region, or of one of the further ones.
func (c *Providers) In(region string) *awsprovider.Provider {
	if region == c.region {
		return c.Regional
	}
	return c.Others[region]
}

var accountPattern = regexp.MustCompile(`^[0-9]{12}$`)

// NewProviders registers the providers.
func NewProviders(ctx *pulumi.Context, name string, args *ProvidersArgs, opts ...pulumi.ResourceOption) (*Providers, error) {
	p := base.Check("Providers", name)
	p.Require(regionPattern.MatchString(args.Region), "Region", args.Region, "an AWS region such as eu-central-1", "morphee:aws.region")
	p.Require(args.AccountID == "" || accountPattern.MatchString(args.AccountID), "AccountID", args.AccountID, "12 digits", "morphee:aws.accountId")
	for i, r := range args.Others {
		p.Require(regionPattern.MatchString(r) && r != args.Region && !slices.Contains(args.Others[:i], r), "Others", r, "an AWS region, each once, other than "+args.Region, "morphee:aws.regions")
	}
	if err := p.Err(); err != nil {
		return nil, err
	}
	c := &Providers{region: args.Region, Others: map[string]*awsprovider.Provider{}}
	if err := ctx.RegisterComponentResourceV2(ProvidersType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	var err error
	if c.Regional, err = c.provider(ctx, name+"-regional", args.Region, args.AccountID); err != nil {
		return nil, err
	}
	if c.UsEast1, err = c.provider(ctx, name+"-us-east-1", GlobalRegion, args.AccountID); err != nil {
		return nil, err
	}
	for _, r := range args.Others {
		if c.Others[r], err = c.provider(ctx, name+"-region-"+r, r, args.AccountID); err != nil {
			return nil, err
		}
	}
	if args.AccountID != "" {
		c.AccountID = pulumi.String(args.AccountID).ToStringOutput()
	} else {
		who := awsprovider.GetCallerIdentityOutput(ctx, awsprovider.GetCallerIdentityOutputArgs{}, pulumi.Provider(c.Regional))
		c.AccountID = who.AccountId()
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"accountId": c.AccountID})
}

func (c *Providers) provider(ctx *pulumi.Context, name, region, account string) (*awsprovider.Provider, error) {
	args := &awsprovider.ProviderArgs{Region: pulumi.String(region)}
	if account != "" {
		args.AllowedAccountIds = pulumi.ToStringArray([]string{account})
	}
	return awsprovider.NewProvider(ctx, name, args, pulumi.Parent(c))
}
