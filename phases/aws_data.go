package phases

import (
	"fmt"

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

func (r *region) files() (err error) {
	c := r.cfg
	points := map[string]aws.EfsAccessPoint{pointMemory: {Path: "/memory"}, pointFiles: {Path: "/files"}, pointForgejo: {Path: "/forgejo"}}
	r.store, err = aws.NewEfsRepoStore(r.ctx, "aws-files", &aws.EfsRepoStoreArgs{
		VpcID: r.vpc.VpcID, Subnets: r.vpc.Private, KmsKeyArn: r.key[aws.KeyFiles], AccessPoints: points,
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
		RestoreFromSnapshot: d.RestoreFromSnapshot, ApplyImmediately: d.ApplyImmediately, Disposable: c.Disposable, Tags: r.in.Tags(),
	}
	switch args.Engine {
	case aws.EngineRds:
		args.InstanceClass, args.MultiZone, args.StorageGiB, args.MaxStorageGiB = d.InstanceClass, d.MultiAZ, d.StorageGiB, d.MaxStorageGiB
	case aws.EngineAurora:
		args.MinACU, args.MaxACU, args.Readers, args.AutoPauseSeconds = &d.MinACU, d.MaxACU, d.Readers, d.AutoPauseSeconds
	}
	if r.postgres, err = aws.NewAuroraOrRds(r.ctx, "aws-database", args, r.here()); err != nil {
		return err
	}
	r.outputs["databaseHost"] = r.postgres.Host
	return nil
}

// cache is Redis, and the passwords that the parts of the platform share, its own among them.
func (r *region) cache() (err error) {
	c := r.cfg
	r.generated, err = aws.NewCredentials(r.ctx, "aws-credentials", &aws.CredentialsArgs{
		Passwords: []string{"cache", "gotrue-database"}, SSHHostKey: r.gitSSH() != "", Disposable: c.Disposable,
	})
	if err != nil {
		return err
	}
	r.redis, err = aws.NewRedisCache(r.ctx, "aws-cache", &aws.RedisCacheArgs{
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
		"REDIS_URL":         pulumi.Sprintf("rediss://:%s@%s:%d/0", r.generated.Passwords["cache"], r.redis.Host, r.redis.Port),
		"GOTRUE_JWT_SECRET": r.product.JWTSecret,
	}
	for k, v := range r.in.secretMap(c.Backend.Secrets) {
		if _, taken := backend[k]; taken {
			return fmt.Errorf("morphee:backend.secrets: %s is set by the platform; choose another name", k)
		}
		backend[k] = v
	}
	password := r.generated.Passwords["gotrue-database"]
	auth := pulumi.StringMap{
		"DATABASE_PASSWORD": password,
		"DATABASE_URL":      pulumi.Sprintf("postgres://%s:%s@%s:%d/%s?sslmode=require", authDatabase.Owner, password, r.postgres.Host, r.postgres.Port, authDatabase.Name),
		"GOTRUE_JWT_SECRET": r.product.JWTSecret,
	}
	if c.Auth.SMTP.Host != "" {
		auth["GOTRUE_SMTP_PASS"] = r.in.secret(c.Auth.SMTP.Password)
	}
	secret := func(m pulumi.StringMap) pulumi.StringOutput {
		return pulumi.ToSecret(pulumi.JSONMarshal(m)).(pulumi.StringOutput)
	}
	r.values, err = aws.NewSecrets(r.ctx, "aws-secrets", &aws.SecretsArgs{
		KmsKeyArn: r.key[aws.KeySecrets], Disposable: c.Disposable, Tags: r.in.Tags(),
		Secrets: map[string]aws.SecretSpec{
			"backend": {Description: "Backend: Redis, token signing, its own secrets", Value: secret(backend)},
			"auth":    {Description: "Sign-in: database, token signing, mail", Value: secret(auth)},
		},
	}, r.here())
	return err
}

// picked are keys of a secret that is a JSON object, under their own names.
func picked(arn pulumi.StringInput, keys ...string) map[string]aws.SecretRef {
	out := map[string]aws.SecretRef{}
	for _, k := range keys {
		out[k] = aws.SecretRef{Arn: arn, JSONKey: k}
	}
	return out
}
