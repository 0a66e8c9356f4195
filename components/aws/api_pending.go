package aws

import (
	"errors"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

var errPending = errors.New("not built yet")

// NewEcsCluster …
func NewEcsCluster(ctx *pulumi.Context, name string, in *EcsClusterArgs, opts ...pulumi.ResourceOption) (*EcsCluster, error) {
	return nil, errPending
}

// NewEcsService …
func NewEcsService(ctx *pulumi.Context, name string, in *EcsServiceArgs, opts ...pulumi.ResourceOption) (*EcsService, error) {
	return nil, errPending
}

// NewEfsRepoStore …
func NewEfsRepoStore(ctx *pulumi.Context, name string, in *EfsRepoStoreArgs, opts ...pulumi.ResourceOption) (*EfsRepoStore, error) {
	return nil, errPending
}

// Volume is the task volume of an access point.
func (c *EfsRepoStore) Volume(name, accessPoint string) EfsVolume { return EfsVolume{} }

// Connection is how a service gets to the file system.
func (c *EfsRepoStore) Connection() Connection { return Connection{} }

// NewAuroraOrRds …
func NewAuroraOrRds(ctx *pulumi.Context, name string, in *AuroraOrRdsArgs, opts ...pulumi.ResourceOption) (*AuroraOrRds, error) {
	return nil, errPending
}

// Connection is how a service gets to the database.
func (c *AuroraOrRds) Connection() Connection { return Connection{} }

// ConnectStatement lets a task log in as a database role with IAM.
func (c *AuroraOrRds) ConnectStatement(role string) Statement { return Statement{} }

// DatabaseBootstrap is an init container that makes a role and its database, again and again without
// harm.
func DatabaseBootstrap(args DatabaseBootstrapArgs) (Container, error) {
	return Container{}, errPending
}

// NewRedisCache …
func NewRedisCache(ctx *pulumi.Context, name string, in *RedisCacheArgs, opts ...pulumi.ResourceOption) (*RedisCache, error) {
	return nil, errPending
}

// Connection is how a service gets to the cache.
func (c *RedisCache) Connection() Connection { return Connection{} }
