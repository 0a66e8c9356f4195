package aws

import (
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// GlobalDatabaseType is the type token of GlobalDatabase.
const GlobalDatabaseType = "morphee:aws:GlobalDatabase"

// GlobalDatabaseArgs are the decisions about an Aurora global database.
type GlobalDatabaseArgs struct {
	// Source is the cluster that it begins with, which is not changed by becoming a member; required.
	// It stays the same for ever, whichever member writes.
	Source *AuroraOrRds
	// Disposable leaves the global database unprotected; throw-away stacks only.
	Disposable bool
	Tags       base.Tags
}

// GlobalDatabase ties Aurora clusters of several regions together: one writes, the others follow
// within a second or so. Which one writes is changed at AWS, by a switchover, never here.
type GlobalDatabase struct {
	pulumi.ResourceState
	// Identifier that members in other regions join with, known once the source is a member.
	Identifier pulumi.StringOutput
	// WriterHost leads to whichever member writes.
	WriterHost pulumi.StringOutput
}

// NewGlobalDatabase makes the source's cluster the first member of a global database.
func NewGlobalDatabase(ctx *pulumi.Context, name string, args *GlobalDatabaseArgs, opts ...pulumi.ResourceOption) (*GlobalDatabase, error) {
	p := base.Check("GlobalDatabase", name)
	p.Require(args.Source != nil && args.Source.Engine == EngineAurora, "Source", "none, or one of RDS", "an Aurora cluster: RDS has no global database", "morphee:aws.database.engine")
	p.Require(args.Source == nil || args.Source.args.Global != nil, "Source", "a cluster whose password AWS manages", "one with Global set: AWS manages no passwords in a global database", "")
	if err := p.Err(); err != nil {
		return nil, err
	}
	c := &GlobalDatabase{}
	if err := ctx.RegisterComponentResourceV2(GlobalDatabaseType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	global, err := rds.NewGlobalCluster(ctx, name+"-global", &rds.GlobalClusterArgs{
		GlobalClusterIdentifier: pulumi.Sprintf("%s-global", args.Source.Identifier), SourceDbClusterIdentifier: args.Source.Arn,
		DeletionProtection: base.CloudProtection(args.Disposable),
		// When it goes, its members become clusters of their own: no data goes with it.
		ForceDestroy: pulumi.Bool(true),
		Tags:         args.Tags.Pulumi("Name", name),
	}, base.Stateful(args.Disposable, pulumi.Parent(c),
		// A cluster that nobody serves cannot be copied from.
		pulumi.DependsOn(args.Source.members),
		// What AWS takes over from the source, or from whichever member writes by then: a difference in
		// any of them would replace the global database and cut its members loose.
		pulumi.IgnoreChanges([]string{"databaseName", "engine", "engineVersion", "sourceDbClusterIdentifier", "storageEncrypted"}))...)
	if err != nil {
		return nil, err
	}
	c.Identifier, c.WriterHost = global.ID().ToStringOutput(), global.Endpoint
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"identifier": c.Identifier, "writerHost": c.WriterHost})
}

// GlobalMember is what is different about a cluster of a global database.
type GlobalMember struct {
	// Identifier of the global database, for a cluster that joins as a secondary one; nil for the
	// source. Only read when the cluster is first made.
	Identifier pulumi.StringInput
	// EngineVersion that the source really runs (its EngineVersionActual, a minor such as "15.8"), for a
	// secondary cluster; nil for the source. AWS refuses a cluster with any other, and a major alone is
	// whatever is the newest minor on that day. Only read when the cluster is first made: AWS upgrades no
	// member by itself, and a deployment, which goes from the source to the others, would upgrade them in
	// the order that AWS refuses.
	EngineVersion pulumi.StringInput
	// MasterPassword of the source's master user, 8 to 128 characters without space, ', ", @ and /; a
	// Pulumi secret. AWS manages no passwords in a global database. Secondary clusters have the source's.
	MasterPassword pulumi.StringInput
	// MasterSecretArn holds {"username", "password"} in the cluster's region; required.
	// MasterSecretKmsKeyArn is its key.
	MasterSecretArn       pulumi.StringOutput
	MasterSecretKmsKeyArn pulumi.StringInput
}

func (a *AuroraOrRdsArgs) validateGlobal(p *base.Problems) {
	g := a.Global
	if g == nil {
		return
	}
	p.Require(a.Engine == EngineAurora, "Global", a.Engine, "none with engine rds", "morphee:aws.database.engine")
	p.Require((g.Identifier == nil) != (g.MasterPassword == nil), "Global.Identifier and Global.MasterPassword", "both or neither", "a password for the source, an identifier for a secondary cluster", "")
	p.Require((g.Identifier == nil) == (g.EngineVersion == nil), "Global.EngineVersion", "one of Identifier and EngineVersion", "both for a secondary cluster, which has to run what the source runs; neither for the source", "")
	p.Require(g.MasterSecretArn.OutputState != nil, "Global.MasterSecretArn", "nothing", "a secret in the cluster's region", "")
	p.Require(a.MinACU == nil || *a.MinACU > 0, "MinACU", 0, "0.5 or more in a global database: none of its members may pause", "morphee:aws.database.minAcu")
	p.Require(g.Identifier == nil || a.RestoreFromSnapshot == "", "RestoreFromSnapshot", a.RestoreFromSnapshot, "none for a secondary cluster: it has the source's data", "")
}

// apply changes the arguments of a cluster to those of a member. A secondary cluster has no user,
// password or database of its own.
func (g *GlobalMember) apply(a *rds.ClusterArgs) {
	if g == nil {
		return
	}
	a.ManageMasterUserPassword, a.MasterUserSecretKmsKeyId = nil, nil
	if g.Identifier == nil {
		a.MasterPassword = pulumi.ToSecret(g.MasterPassword.ToStringOutput()).(pulumi.StringOutput).ToStringPtrOutput()
		return
	}
	a.GlobalClusterIdentifier = g.Identifier.ToStringOutput().ToStringPtrOutput()
	a.EngineVersion = g.EngineVersion.ToStringOutput().ToStringPtrOutput()
	a.DatabaseName, a.MasterUsername, a.SnapshotIdentifier = nil, nil, nil
}

// writerOf is the name to write to of the cluster that this is the name to read from. AWS tells it
// only of the cluster that writes, but every cluster has it, and keeps it: what is built on it does
// not change when the writer does.
func writerOf(reader pulumi.StringOutput) pulumi.StringOutput {
	return reader.ApplyT(func(host string) string { return strings.Replace(host, ".cluster-ro-", ".cluster-", 1) }).(pulumi.StringOutput)
}
