package aws

import (
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// RegistryReplicationType is the type token of RegistryReplication.
const RegistryReplicationType = "morphee:aws:RegistryReplication"

// RegistryReplicationArgs say where images go after they are pushed.
type RegistryReplicationArgs struct {
	// AccountID of the account, whose registries they are; required.
	AccountID pulumi.StringInput
	// Namespace whose repositories are replicated, as in "morphee-prod/backend"; required. A region has
	// one setting for all of its registry: a second stack in the account and region needs its own account.
	Namespace string
	// Regions to replicate to, 1 to 25, each once.
	Regions []string
	// After are the repositories there: one that is not there yet would be made by ECR, without the
	// customer key and with tags that can be moved.
	After []pulumi.Resource
}

// RegistryReplication copies every image pushed to one region to others.
type RegistryReplication struct{ pulumi.ResourceState }

// NewRegistryReplication registers the setting, in the region of the provider that it is given.
func NewRegistryReplication(ctx *pulumi.Context, name string, args *RegistryReplicationArgs, opts ...pulumi.ResourceOption) (*RegistryReplication, error) {
	p := base.Check("RegistryReplication", name)
	p.Require(args.AccountID != nil, "AccountID", "nothing", "the account's 12 digits", "")
	p.Require(ecrNamespace.MatchString(args.Namespace), "Namespace", args.Namespace, "lower case letters, digits and single separators", "")
	p.Require(len(args.Regions) >= 1 && len(args.Regions) <= 25, "Regions", len(args.Regions), "1 to 25", "")
	for i, r := range args.Regions {
		p.Require(regionPattern.MatchString(r) && !slices.Contains(args.Regions[:i], r), "Regions", r, "an AWS region, each once", "")
	}
	if err := p.Err(); err != nil {
		return nil, err
	}
	c := &RegistryReplication{}
	if err := ctx.RegisterComponentResourceV2(RegistryReplicationType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	var destinations ecr.ReplicationConfigurationReplicationConfigurationRuleDestinationArray
	for _, r := range args.Regions {
		destinations = append(destinations, &ecr.ReplicationConfigurationReplicationConfigurationRuleDestinationArgs{Region: pulumi.String(r), RegistryId: args.AccountID})
	}
	_, err := ecr.NewReplicationConfiguration(ctx, name+"-replication", &ecr.ReplicationConfigurationArgs{
		ReplicationConfiguration: &ecr.ReplicationConfigurationReplicationConfigurationArgs{
			Rules: ecr.ReplicationConfigurationReplicationConfigurationRuleArray{&ecr.ReplicationConfigurationReplicationConfigurationRuleArgs{
				Destinations: destinations,
				RepositoryFilters: ecr.ReplicationConfigurationReplicationConfigurationRuleRepositoryFilterArray{
					&ecr.ReplicationConfigurationReplicationConfigurationRuleRepositoryFilterArgs{Filter: pulumi.String(args.Namespace + "/"), FilterType: pulumi.String("PREFIX_MATCH")},
				},
			}},
		},
	}, pulumi.Parent(c), pulumi.DependsOn(args.After))
	if err != nil {
		return nil, err
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{})
}
