package aws

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/safety"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/policy/rule"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// losing is a change of the configuration that would lose data.
type losing struct {
	name, stack string
	from, to    []any
	lost        []string // TYPE::NAME of some of what would be lost
	says        []string
}

const (
	volume = "hcloud:index/volume:Volume::vps-data"
	files  = "aws:efs/fileSystem:FileSystem::aws-files-files"
)

func losingChanges() []losing {
	return []losing{
		{
			name: "rds-to-aurora", stack: "prod", to: aurora, lost: []string{instance},
			says: []string{"the database engine changes from rds to aurora", "migration", "restoreFromSnapshot"},
		},
		{
			name: "aurora-to-rds", stack: "phase3-aurora", to: []any{"aws.database", map[string]any{"engine": "rds"}},
			lost: []string{"aws:rds/cluster:Cluster::aws-database-cluster"}, says: []string{"the database engine changes from aurora to rds"},
		},
		{
			name: "region", stack: "prod", to: []any{"aws.region", "eu-central-1"}, lost: []string{instance, files, "aws:kms/key:Key::aws-keys-database"},
			says: []string{"region of the provider aws-regional changes from eu-west-1 to eu-central-1", "nothing moves between regions"},
		},
		{
			name: "address-range", stack: "prod", to: []any{"aws.regionIndex", 3}, lost: []string{"aws:ec2/vpc:Vpc::aws-network-vpc"},
			says: []string{"morphee:aws.regionIndex", "from 10.64.0.0/16 to 10.67.0.0/16"},
		},
		{
			name: "database-name", stack: "prod", to: []any{"aws.database.name", "product"}, lost: []string{instance},
			says: []string{"dbName of aws-database-instance changes from morphee to product (morphee:aws.database.name)"},
		},
		{
			name: "smaller-disk", stack: "prod", from: []any{"aws.database.storageGiB", 60}, to: []any{"aws.database.storageGiB", 20}, lost: []string{instance},
			says: []string{"allocatedStorage of aws-database-instance changes from 60 to 20", "RDS never shrinks a disk"},
		},
		{
			name: "sub-zone", stack: "prod", to: []any{"aws.subZone", "edge.morphee.app"}, lost: []string{"aws:route53/zone:Zone::aws-dns-zone"},
			says: []string{"name of aws-dns-zone changes from aws.morphee.app to edge.morphee.app (morphee:aws.subZone)"},
		},
		{
			name: "domain", stack: "prod", to: []any{"domain", "example.com"}, lost: []string{"aws:route53/zone:Zone::aws-dns-zone"},
			says: []string{"from aws.morphee.app to aws.example.com"},
		},
		{
			name: "backup-bucket", stack: "prod", to: []any{"backups.bucket", "other-backups"}, lost: []string{"cloudflare:index/r2Bucket:R2Bucket::backups-bucket"},
			says: []string{"morphee:backups.bucket", "copy the objects"},
		},
		{
			name: "location", stack: "dev", to: []any{"server.location", "hel1", "server.fallbackLocations", []string{"nbg1"}},
			lost: []string{"hcloud:index/server:Server::*", volume}, says: []string{"from nbg1 to hel1 (morphee:server.location)", "cannot move"},
		},
		{
			name: "smaller-volume", stack: "dev", to: []any{"server.volumeSizeGiB", 20}, lost: []string{volume},
			says: []string{"from 40 to 20 (morphee:server.volumeSizeGiB)", "only grows"},
		},
		{
			name: "back-to-phase-0", stack: "dev", to: []any{"phase", 0}, lost: []string{"docker:index/volume:Volume::*forgejo*"},
		},
		{
			name: "disposable-at-once", stack: "prod", to: append([]any{"disposable", true}, aurora...), lost: []string{instance},
			says: []string{"the database engine changes"},
		},
	}
}

func TestChangesThatWouldLoseDataAreRefused(t *testing.T) {
	for _, row := range losingChanges() {
		t.Run(row.name, func(t *testing.T) {
			loaded := rig.Load(t, rig.Shipped(t)[row.stack])
			base := set(t, loaded.Stack, row.from...)
			store := rig.NewStore(t)
			rig.Run(t, store, sim.Up, base, sim.Options{})
			before := read(t, store, base)
			changed := set(t, base, row.to...)
			disposable := changed.Config["morphee:disposable"] == "true"
			r, err := rig.Try(store, sim.Up, changed, sim.Options{Guard: safety.Guard(safety.Options{Disposable: disposable})})
			refused(t, row, r, err)
			if read(t, store, base) != before {
				t.Error("the refused up changed the state or the world")
			}
			if r := rig.Run(t, store, sim.Preview, base, sim.Options{}); r.Changes.Any() {
				t.Errorf("after the refusal the stack is not what it was:%s", rig.Describe(r.Resources))
			}
		})
	}
}

func refused(t *testing.T, row losing, r *sim.Result, err error) {
	t.Helper()
	refusal := new(safety.Refusal)
	if !errors.Is(err, sim.ErrRefused) || !errors.As(err, &refusal) || !r.Refused {
		t.Fatalf("not refused with an explanation: %v\n%s", err, strings.Join(r.Errors, "\n"))
	}
	t.Log(strings.Join(r.Errors, "\n"))
	for _, want := range row.lost {
		if !slices.ContainsFunc(refusal.Losses, func(l safety.Loss) bool { return rule.Glob(want, l.Type+"::"+l.Name) }) {
			t.Errorf("%s is not among the losses", want)
		}
	}
	for _, want := range append(row.says, "why:", "lost:", "mend:") {
		if !strings.Contains(strings.Join(r.Errors, "\n"), want) {
			t.Errorf("no %q in the explanation", want)
		}
	}
}

// The configuration has no say in which key encrypts the data; a mistake in the program might.
func TestAnotherEncryptionKeyIsRefused(t *testing.T) {
	program := func(key string) pulumi.RunFunc {
		return func(ctx *pulumi.Context) error { return databaseWithKey(ctx, key) }
	}
	store, stack := rig.NewStore(t), sim.Stack{Project: "morphee", Name: "keys"}
	stack.Program = program("a")
	rig.Run(t, store, sim.Up, stack, sim.Options{})
	stack.Program = program("b")
	r, err := rig.Try(store, sim.Up, stack, sim.Options{Guard: safety.Guard(safety.Options{})})
	refused(t, losing{lost: []string{instance}, says: []string{"kmsKeyId of aws-database-instance changes from arn:aws:kms:", "copy a snapshot with the new key"}}, r, err)
}

// databaseWithKey is a database on the least that it can stand on, with two keys to choose from.
func databaseWithKey(ctx *pulumi.Context, key string) error {
	type bare struct {
		pulumi.CustomResourceState
		Arn  pulumi.StringOutput `pulumi:"arn"`
		Name pulumi.StringOutput `pulumi:"name"`
	}
	cloud := &struct{ pulumi.ProviderResourceState }{}
	if err := ctx.RegisterResource("pulumi:providers:aws", "aws", pulumi.Map{"region": pulumi.String("eu-west-1")}, cloud); err != nil {
		return err
	}
	var failed error
	add := func(token, name string, in pulumi.Map, opts ...pulumi.ResourceOption) *bare {
		r := &bare{}
		if err := ctx.RegisterResource(token, name, in, r, append(opts, pulumi.Provider(cloud))...); err != nil {
			failed = errors.Join(failed, err)
		}
		return r
	}
	keys := map[string]*bare{"a": add("aws:kms/key:Key", "a", pulumi.Map{}), "b": add("aws:kms/key:Key", "b", pulumi.Map{})}
	vpc := add("aws:ec2/vpc:Vpc", "vpc", pulumi.Map{"cidrBlock": pulumi.String("10.0.0.0/16")})
	var subnets pulumi.Array
	for i, zone := range []string{"eu-west-1a", "eu-west-1b"} {
		subnets = append(subnets, add("aws:ec2/subnet:Subnet", zone, pulumi.Map{
			"vpcId": vpc.ID(), "availabilityZone": pulumi.String(zone), "cidrBlock": pulumi.Sprintf("10.0.%d.0/24", i),
		}).ID())
	}
	group := add("aws:rds/subnetGroup:SubnetGroup", "group", pulumi.Map{"subnetIds": subnets})
	add("aws:rds/instance:Instance", "aws-database-instance", pulumi.Map{
		"engine": pulumi.String("postgres"), "engineVersion": pulumi.String("15"), "instanceClass": pulumi.String("db.t4g.small"),
		"allocatedStorage": pulumi.Int(20), "username": pulumi.String("morphee"), "manageMasterUserPassword": pulumi.Bool(true),
		"storageEncrypted": pulumi.Bool(true), "kmsKeyId": keys[key].Arn, "skipFinalSnapshot": pulumi.Bool(true), "dbSubnetGroupName": group.Name,
	}, pulumi.Protect(true))
	return failed
}

// What a disposable stack has not protected may go: that is what it is for.
func TestADisposableStackMayLoseItsData(t *testing.T) {
	stack := set(t, rig.Load(t, rig.Shipped(t)["prod"]).Stack, "disposable", true)
	store, guard := rig.NewStore(t), safety.Guard(safety.Options{Disposable: true})
	rig.Run(t, store, sim.Up, stack, sim.Options{Guard: guard})
	r := rig.Run(t, store, sim.Up, set(t, stack, aurora...), sim.Options{Guard: guard})
	if !slices.ContainsFunc(r.Resources, func(c sim.ResourceChange) bool { return c.Op == "delete" && rule.Glob(instance, c.Type+"::"+c.Name) }) {
		t.Errorf("the engine was not changed:%s", rig.Describe(r.Resources))
	}
}

// read is all that is kept of the stack.
func read(t *testing.T, store sim.Store, stack sim.Stack) string {
	t.Helper()
	var all string
	for _, name := range []string{"state.json", "world.json"} {
		data, err := os.ReadFile(filepath.Join(store.Dir, stack.Name, name))
		if err != nil {
			t.Fatal(err)
		}
		all += string(data)
	}
	return all
}
