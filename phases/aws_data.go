package phases

import (
	"fmt"
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/aws"
)

// Access points of the file system: what the server has as Docker volumes, under the same names, so
// that a backup of one can be restored on the other.
const (
	pointForgejo = "forgejo" // repositories
	pointMemory  = "memory"  // the backend's git memory
	pointFiles   = "files"   // uploaded files
)

func accessPoints() map[string]aws.EfsAccessPoint {
	return map[string]aws.EfsAccessPoint{pointMemory: {Path: "/memory"}, pointFiles: {Path: "/files"}, pointForgejo: {Path: "/forgejo"}}
}

func (r *region) files() (err error) {
	c := r.cfg
	r.store, err = aws.NewEfsRepoStore(r.ctx, r.name("files"), &aws.EfsRepoStoreArgs{
		VpcID: r.vpc.VpcID, Subnets: r.vpc.Private, KmsKeyArn: r.key[aws.KeyFiles], AccessPoints: accessPoints(), Synced: c.AWS.DataSync(),
		InfrequentDays: c.AWS.FileSystem.InfrequentAfterDays, ArchiveDays: c.AWS.FileSystem.ArchiveAfterDays,
		Disposable: c.Disposable, Tags: r.in.Tags(),
	}, r.here())
	return err
}

func (r *region) database() (err error) {
	c, d := r.cfg, r.cfg.AWS.Database
	args := &aws.AuroraOrRdsArgs{
		Engine: aws.Engine(d.Engine), EngineVersion: d.EngineVersion,
		VpcID: r.vpc.VpcID, SubnetIDs: r.vpc.PrivateSubnetIDs, AccountID: r.providers.AccountID, Region: c.AWS.Region,
		KmsKeyArn: r.key[aws.KeyDatabase], SecretKmsKeyArn: r.key[aws.KeySecrets], LogKmsKeyArn: r.key[aws.KeyLogs], LogRetentionDays: c.AWS.LogRetentionDays,
		DatabaseName: d.Name, BackupRetentionDays: d.BackupRetentionDays, BackupWindow: d.BackupWindow, MaintenanceWindow: d.MaintenanceWindow,
		RestoreFromSnapshot: d.RestoreFromSnapshot, Global: r.all.member(r), ApplyImmediately: d.ApplyImmediately, Disposable: c.Disposable, Tags: r.in.Tags(),
	}
	switch args.Engine {
	case aws.EngineRds:
		args.InstanceClass, args.MultiZone, args.StorageGiB, args.MaxStorageGiB = d.InstanceClass, d.MultiAZ, d.StorageGiB, d.MaxStorageGiB
	case aws.EngineAurora:
		args.MinACU, args.MaxACU, args.Readers, args.AutoPauseSeconds = &d.MinACU, d.MaxACU, d.Readers, d.AutoPauseSeconds
	}
	if r.postgres, err = aws.NewAuroraOrRds(r.ctx, r.name("database"), args, r.here()); err != nil {
		return err
	}
	if r.writes() {
		r.outputs["databaseHost"] = r.postgres.Host
	}
	return nil
}

// cache is Redis, and the passwords that the parts of the platform share, its own among them.
func (r *region) cache() (err error) {
	c := r.cfg
	args := &aws.CredentialsArgs{Passwords: []string{"cache"}, Disposable: c.Disposable}
	if r.isHome() { // the others are the same in every region
		args.Passwords, args.SSHHostKey = append(args.Passwords, "gotrue-database"), r.gitSSH() != ""
	}
	r.generated, err = aws.NewCredentials(r.ctx, r.name("credentials"), args)
	if err != nil {
		return err
	}
	r.redis, err = aws.NewRedisCache(r.ctx, r.name("cache"), &aws.RedisCacheArgs{
		VpcID: r.vpc.VpcID, SubnetIDs: r.vpc.PrivateSubnetIDs, NodeType: c.AWS.Cache.NodeType, Nodes: c.AWS.Cache.Replicas + 1,
		EngineVersion: c.AWS.Cache.EngineVersion, AuthToken: r.generated.Passwords["cache"], KmsKeyArn: r.key[aws.KeyCache],
		LogKmsKeyArn: r.key[aws.KeyLogs], LogRetentionDays: c.AWS.LogRetentionDays, MaintenanceWindow: c.AWS.Cache.MaintenanceWindow, Tags: r.in.Tags(),
	}, r.here())
	return err
}

// secretValues are what the backend and sign-in read from Secrets Manager. The backend has no
// database password: it signs in to PostgreSQL with its role in IAM.
func (r *region) secretValues() (err error) {
	c := r.cfg
	backend := pulumi.StringMap{
		"REDIS_URL":         r.redisURL(),
		"GOTRUE_JWT_SECRET": r.product.JWTSecret,
	}
	for k, v := range r.in.secretMap(c.Backend.Secrets) {
		if _, taken := backend[k]; taken {
			return fmt.Errorf("morphee:backend.secrets: %s is set by the platform; choose another name", k)
		}
		backend[k] = v
	}
	auth := pulumi.StringMap{
		"DATABASE_PASSWORD": r.generated.Passwords["gotrue-database"],
		"DATABASE_URL":      r.authDatabaseURL(),
		"GOTRUE_JWT_SECRET": r.product.JWTSecret,
	}
	if c.Auth.SMTP.Host != "" {
		auth["GOTRUE_SMTP_PASS"] = r.in.secret(c.Auth.SMTP.Password)
	}
	r.values, err = aws.NewSecrets(r.ctx, r.name("secrets"), &aws.SecretsArgs{
		KmsKeyArn: r.key[aws.KeySecrets], Replicas: r.all.replicas(), Disposable: c.Disposable, Tags: r.in.Tags(),
		Secrets: map[string]aws.SecretSpec{
			"backend": {Description: "Backend: Redis, token signing, its own secrets", Value: secretJSON(backend)},
			"auth":    {Description: "Sign-in: database, token signing, mail", Value: secretJSON(auth)},
		},
	}, r.here())
	return err
}

func (r *region) redisURL() pulumi.StringOutput {
	return pulumi.Sprintf("rediss://:%s@%s:%d/0", r.generated.Passwords["cache"], r.redis.Host, r.redis.Port)
}

func (r *region) authDatabaseURL() pulumi.StringOutput {
	password := r.home.generated.Passwords["gotrue-database"]
	return pulumi.Sprintf("postgres://%s:%s@%s:%d/%s?sslmode=require", authDatabase.Owner, password, r.postgres.Host, r.postgres.Port, authDatabase.Name)
}

func secretJSON(m pulumi.StringMap) pulumi.StringOutput {
	return pulumi.ToSecret(pulumi.JSONMarshal(m)).(pulumi.StringOutput)
}

// secretRefs are the secrets that a service of the region reads, under their own names. A region
// other than the first reads its copies of the first one's secrets, and its own of what is local.
func (r *region) secretRefs(secret string, keys []string, local ...string) map[string]aws.SecretRef {
	if r.isHome() {
		return picked(r.values.Arns[secret], append(keys, local...)...)
	}
	refs := picked(r.all.copyOf(r, r.home.values.Arns[secret]), keys...)
	for k, ref := range refs {
		ref.KmsKeyArn = r.all.keys[r.cfg.AWS.Region].Arn
		refs[k] = ref
	}
	maps.Copy(refs, picked(r.values.Arns["local"], local...))
	return refs
}

// picked are keys of a secret that is a JSON object, under their own names.
func picked(arn pulumi.StringInput, keys ...string) map[string]aws.SecretRef {
	out := map[string]aws.SecretRef{}
	for _, k := range keys {
		out[k] = aws.SecretRef{Arn: arn, JSONKey: k}
	}
	return out
}
