package phases

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Phase4 is the platform on AWS, in several regions. The first is the one of phase 3, under the same
// names: what phase 4 has more is added to it. Every region has all of the platform, so that any can
// serve; one writes.
func Phase4(ctx *pulumi.Context, in Input) (pulumi.Map, error) {
	a := newRegions(ctx, in)
	first, others := a.home, a.each[1:]
	if _, err := first.compose(first.shared, first.account, first.keys, a.sharedKeys); err != nil {
		return nil, err
	}
	for _, r := range others {
		r.product, r.providers, r.zoneID = first.product, first.providers, first.zoneID
		if _, err := r.compose(r.keys); err != nil {
			return nil, err
		}
	}
	steps := []func() error{
		a.everywhere((*region).network), a.everywhere((*region).registry), a.images,
		first.files, a.files,
		a.master, first.database, a.database, a.elsewhere((*region).database),
		a.everywhere((*region).cache), first.secretValues, a.elsewhere((*region).localSecrets),
		a.everywhere((*region).entrance), a.everywhere((*region).cluster), a.everywhere((*region).forgejo),
		a.everywhere((*region).signIn), a.everywhere((*region).backend),
		first.site, first.names, first.publicNames, a.everywhere((*region).backups), first.deployRole, a.everywhere((*region).alarms),
	}
	if _, err := first.compose(steps...); err != nil {
		return nil, err
	}
	return a.outputs(), nil
}
