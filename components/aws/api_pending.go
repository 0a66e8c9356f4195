package aws

import (
	"errors"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

var errPending = errors.New("not built yet")

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
