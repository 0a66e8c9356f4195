package docker

import (
	"github.com/pulumi/pulumi-docker/sdk/v4/go/docker"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// NewDataVolume creates a named volume for data that nobody can rebuild. It is protected in
// Pulumi; Docker has no protection of its own, so the backup is the second line.
//
// Labels are ignored once the volume is there: Docker can only change them by replacing the
// volume, and no tag is worth the data.
func (p *Platform) NewDataVolume(ctx *pulumi.Context, logical, name string, parent pulumi.Resource) (*docker.Volume, error) {
	return docker.NewVolume(ctx, logical, &docker.VolumeArgs{
		Name:   pulumi.String(name),
		Driver: pulumi.String("local"),
		Labels: volumeLabels(p.labels(nil)),
	}, base.Stateful(p.disposable, pulumi.Parent(parent), pulumi.IgnoreChanges([]string{"labels"}))...)
}
