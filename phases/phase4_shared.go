package phases

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/aws"
	"github.com/morphee-app/morphee-infra/internal/config"
	"github.com/morphee-app/morphee-infra/internal/leaving"
)

// sharedKeys are one key for secrets that every region reads, with a copy in each. Everything else is
// encrypted with keys of its own region: those of the first region stay as phase 3 made them, since
// making a key a multi-region one replaces it.
func (a *regions) sharedKeys() error {
	r := a.home
	keys, err := aws.NewKeys(r.ctx, "aws-shared-keys", &aws.KeysArgs{
		Region: r.cfg.AWS.Region, AccountID: r.providers.AccountID, MultiRegion: true, Purposes: []aws.KeyPurpose{aws.KeySecrets},
		Disposable: r.cfg.Disposable, Tags: r.in.Tags(),
	}, r.here())
	if err != nil {
		return err
	}
	a.shared = keys.Arns[aws.KeySecrets]
	// A key that waits for its deletion cannot come back, so that a retired region keeps its copy.
	for _, g := range r.cfg.AWS.Regions {
		if a.keys[g.Name], err = aws.NewReplicaKey(r.ctx, leaving.Prefix(g.Name)+"-shared-key", &aws.ReplicaKeyArgs{
			PrimaryKeyArn: a.shared, Purpose: aws.KeySecrets, Region: g.Name, AccountID: r.providers.AccountID,
			Disposable: r.cfg.Disposable || g.State != config.StateActive, Tags: r.in.Tags(),
		}, pulumi.Providers(r.providers.In(g.Name))); err != nil {
			return err
		}
	}
	return nil
}

// replicas are where the first region's secrets are copied to.
func (a *regions) replicas() []aws.SecretReplica {
	if a == nil {
		return nil
	}
	var out []aws.SecretReplica
	for _, name := range a.others() {
		out = append(out, aws.SecretReplica{Region: name, KmsKeyArn: a.keys[name].Arn})
	}
	return out
}

// copyOf is a region's copy of one of the first region's secrets.
func (a *regions) copyOf(r *region, arn pulumi.StringOutput) pulumi.StringOutput {
	if r.isHome() {
		return arn
	}
	return aws.SecretReplicaArn(arn, r.cfg.AWS.Region)
}

// images are copied to every region as they are pushed.
func (a *regions) images() error {
	r := a.home
	var after []pulumi.Resource
	for _, other := range a.each[1:] {
		after = append(after, other.images)
	}
	_, err := aws.NewRegistryReplication(r.ctx, "aws-registry-replication", &aws.RegistryReplicationArgs{
		AccountID: r.providers.AccountID, Namespace: r.in.Project + "-" + r.in.Stack, Regions: a.others(), After: after,
	}, r.here())
	return err
}

// files are replicated from the region that writes to one other: EFS has one copy of a file system.
// Whichever of the two does not write has the copy, which is read only. A region with neither asks
// the one that writes for files too. DataSync is the other way, by choice.
func (a *regions) files() error {
	first, second := a.home, a.in(a.home.cfg.AWS.FileReplica)
	if first.cfg.AWS.DataSync() {
		return a.syncedFiles(first, second)
	}
	var err error
	// The first region's own file system stays as it is, also when the region has a copy by now.
	original := first.store
	if !first.writes() || first.cfg.AWS.FileSystemID != "" {
		from := second
		if first.writes() { // it has taken over: nothing is followed any more
			from = nil
		}
		if from != nil {
			// Known by its id, since the replication that made it is gone.
			if second.store, err = second.replica(nil); err != nil {
				return err
			}
		}
		if first.store, err = first.replica(from); err != nil {
			return err
		}
		first.original = original
	}
	if second.store == nil {
		if second.store, err = second.replica(first); err != nil {
			return err
		}
	}
	first.outputs["fileSystemId"] = original.FileSystemID
	copied := second
	if !first.writes() {
		copied = first
	}
	first.outputs["replicaFileSystemId"] = copied.store.FileSystemID
	return nil
}

// replica is the region's copy of the file system of another, or what has been one.
func (r *region) replica(from *region) (*aws.EfsRepoStore, error) {
	name := r.name("files")
	if r.isHome() {
		name = r.name("files-replica")
	}
	args := &aws.EfsReplicaArgs{
		FileSystemID: r.cfg.AWS.FileSystemID, Region: r.cfg.AWS.Region, AccountID: r.providers.AccountID,
		VpcID: r.vpc.VpcID, Subnets: r.vpc.Private, KmsKeyArn: r.key[aws.KeyFiles], AccessPoints: accessPoints(), Tags: r.in.Tags(),
	}
	if from != nil && args.FileSystemID == "" {
		args.SourceFileSystemID, args.SourceProvider = from.store.FileSystemID, r.providers.In(from.cfg.AWS.Region)
	}
	return aws.NewEfsReplica(r.ctx, name, args, r.here())
}

// master is the password of the database's master user, which AWS manages in one region only.
func (a *regions) master() error {
	r := a.home
	made, err := aws.NewCredentials(r.ctx, "aws-global-credentials", &aws.CredentialsArgs{Passwords: []string{"master"}, Disposable: r.cfg.Disposable})
	if err != nil {
		return err
	}
	a.password = made.Passwords["master"]
	a.masters, err = aws.NewSecrets(r.ctx, "aws-global-secrets", &aws.SecretsArgs{
		KmsKeyArn: a.shared, Replicas: a.replicas(), Disposable: r.cfg.Disposable, Tags: r.in.Tags(),
		Secrets: map[string]aws.SecretSpec{"master": {
			Description: "PostgreSQL: master user",
			Value:       secretJSON(pulumi.StringMap{"username": pulumi.String(aws.DefaultMasterUsername), "password": a.password}),
		}},
	}, r.here())
	return err
}

// member is the region's cluster as one of the global database's; nil where there is none.
func (a *regions) member(r *region) *aws.GlobalMember {
	if a == nil {
		return nil
	}
	m := &aws.GlobalMember{MasterSecretArn: a.copyOf(r, a.masters.Arns["master"]), MasterSecretKmsKeyArn: a.shared}
	if r.isHome() {
		m.MasterPassword = a.password
		return m
	}
	m.Identifier, m.EngineVersion, m.MasterSecretKmsKeyArn = a.db.Identifier, a.home.postgres.EngineVersionActual, a.keys[r.cfg.AWS.Region].Arn
	return m
}

func (a *regions) database() (err error) {
	r := a.home
	a.db, err = aws.NewGlobalDatabase(r.ctx, "aws-global-database", &aws.GlobalDatabaseArgs{
		Source: r.postgres, Disposable: r.cfg.Disposable, Tags: r.in.Tags(),
	}, r.here())
	return err
}

// localSecrets are those whose values are different in each region.
func (r *region) localSecrets() (err error) {
	r.values, err = aws.NewSecrets(r.ctx, r.name("secrets"), &aws.SecretsArgs{
		KmsKeyArn: r.key[aws.KeySecrets], Disposable: r.cfg.Disposable, Tags: r.in.Tags(),
		Secrets: map[string]aws.SecretSpec{"local": {
			Description: "Redis and sign-in's database in this region",
			Value:       secretJSON(pulumi.StringMap{"REDIS_URL": r.redisURL(), "DATABASE_URL": r.authDatabaseURL()}),
		}},
	}, r.here())
	return err
}
