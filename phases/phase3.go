package phases

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Phase3 is the platform on AWS, in one region.
func Phase3(ctx *pulumi.Context, in Input) (pulumi.Map, error) {
	a := newRegion(ctx, in)
	return a.compose(
		a.shared, a.account, a.keys, a.network,
		a.registry, a.files, a.database, a.cache, a.secretValues,
		a.entrance, a.cluster, a.forgejo, a.signIn, a.backend,
		a.site, a.names, a.publicNames, a.backups, a.deployRole, a.alarms,
	)
}
