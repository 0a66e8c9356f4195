// Package phases composes the components into what a stack has at each phase of its growth. There
// is one file for each phase, and nothing of any provider: a phase only says which components
// there are, and how they are wired.
package phases

import (
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
	"github.com/morphee-app/morphee-infra/components/cloudflare"
	"github.com/morphee-app/morphee-infra/components/secrets"
	"github.com/morphee-app/morphee-infra/internal/config"
)

// Input is what a phase is composed from.
type Input struct {
	// Config is complete and valid.
	Config config.Config
	// Project and Stack are Pulumi's names.
	Project, Stack string
	// Secret turns a configured secret into a Pulumi secret.
	Secret func(config.Secret) pulumi.StringOutput
}

// Tags are the governance tags of the stack.
func (in Input) Tags() base.Tags {
	return base.Tags{
		Project: in.Project, Stack: in.Stack, Phase: in.Config.Phase, Owner: in.Config.Owner,
		Extra: maps.Clone(in.Config.Tags),
	}
}

// secret is the configured secret, or nil when it is not set.
func (in Input) secret(s config.Secret) pulumi.StringInput {
	if !s.IsSet() {
		return nil
	}
	return in.Secret(s)
}

// secretMap turns a map of configured secrets.
func (in Input) secretMap(m map[string]config.Secret) map[string]pulumi.StringInput {
	out := map[string]pulumi.StringInput{}
	for k, s := range m {
		out[k] = in.Secret(s)
	}
	return out
}

// sharedSecrets are those of the product, under the same name at every phase, so that they go
// along from platform to platform.
func sharedSecrets(ctx *pulumi.Context, in Input) (*secrets.Shared, error) {
	return secrets.NewShared(ctx, "shared", &secrets.SharedArgs{Disposable: in.Config.Disposable})
}

// publicNames are what people use. They are the same records on every platform, wherever they lead.
func publicNames(ctx *pulumi.Context, in Input, zoneID pulumi.StringInput, names []cloudflare.PublicName, after []pulumi.Resource) (*cloudflare.PublicNames, error) {
	return cloudflare.NewPublicNames(ctx, "names", &cloudflare.PublicNamesArgs{
		ZoneID: zoneID, ZoneName: in.Config.DNS.Zone, Names: names, TTLSeconds: in.Config.DNS.TTLSeconds, After: after, Tags: in.Tags(),
	})
}

// inOrder takes the steps of a composition, each of which builds on those before it.
func inOrder(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// backupBucket is one of Cloudflare R2's, which keeps what is backed up as long as the configuration
// says. Its key works from the sources only; nil is from anywhere.
func backupBucket(ctx *pulumi.Context, in Input, c config.Config, logical, name string, sources pulumi.StringArrayInput) (*cloudflare.BackupBucket, error) {
	return cloudflare.NewBackupBucket(ctx, logical, &cloudflare.BackupBucketArgs{
		AccountID: c.CloudflareAccountID, BucketName: name, Location: c.Backups.LocationHint,
		PostgresRetentionDays: c.Backups.Retention.PostgresDays, GitRetentionDays: c.Backups.Retention.GitDays, FilesRetentionDays: c.Backups.Retention.FilesDays,
		UploaderSources: sources, Tags: in.Tags(), Disposable: c.Disposable,
	})
}
