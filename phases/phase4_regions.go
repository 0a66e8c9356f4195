package phases

import (
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/aws"
	"github.com/morphee-app/morphee-infra/internal/config"
	"github.com/morphee-app/morphee-infra/internal/leaving"
)

// regions are the regions of phase 4 together, and what ties them. All of its methods that a step of
// phase 3 calls take a nil one for the only region there is.
type regions struct {
	home *region
	each []*region // home first

	keys     map[string]*aws.ReplicaKey // of the shared key, by region
	shared   pulumi.StringOutput        // the shared key in the first region
	password pulumi.StringOutput        // of the database's master user
	masters  *aws.Secrets
	db       *aws.GlobalDatabase
	sync     *aws.FileSync // of the files; nil where EFS replicates them
}

func newRegions(ctx *pulumi.Context, in Input) *regions {
	a := &regions{home: newRegion(ctx, in), keys: map[string]*aws.ReplicaKey{}}
	a.home.all = a
	a.each = []*region{a.home}
	for _, g := range in.Config.AWS.Active() {
		r := newRegion(ctx, in)
		r.cfg, r.prefix, r.home, r.all = inRegion(in.Config, g), leaving.Prefix(g.Name), a.home, a
		a.each = append(a.each, r)
	}
	return a
}

// inRegion is the configuration as it is for one of the further regions.
func inRegion(c config.Config, g config.AWSRegion) config.Config {
	c.AWS.Region, c.AWS.RegionIndex, c.AWS.Zones, c.AWS.ZoneNames = g.Name, g.Index, g.Zones, config.ZonesOf(g.Name)[:g.Zones]
	c.AWS.NAT, c.AWS.Database.Readers, c.AWS.Cache.Replicas = g.NAT, g.DatabaseInstances-1, g.CacheReplicas
	c.AWS.Backend.Tasks = g.BackendTasks
	c.AWS.Backend.Autoscaling.MaxTasks = max(c.AWS.Backend.Autoscaling.MaxTasks, g.BackendTasks)
	c.AWS.FileSystemID = g.FileSystemID
	// A region that is given up is unprotected, as a throw-away stack is.
	c.Disposable = c.Disposable || g.State != config.StateActive
	return c
}

func (a *regions) everywhere(step func(*region) error) func() error { return inTurn(a, step, 0) }
func (a *regions) elsewhere(step func(*region) error) func() error  { return inTurn(a, step, 1) }

func inTurn(a *regions, step func(*region) error, from int) func() error {
	return func() error {
		for _, r := range a.each[from:] {
			if err := step(r); err != nil {
				return err
			}
		}
		return nil
	}
}

func (a *regions) in(name string) *region {
	for _, r := range a.each {
		if r.cfg.AWS.Region == name {
			return r
		}
	}
	return nil
}

// known are the names of the further regions, those that are retired among them.
func (a *regions) known() []string {
	if a == nil {
		return nil
	}
	var out []string
	for _, g := range a.home.cfg.AWS.Regions {
		out = append(out, g.Name)
	}
	return out
}

// others are the names of the further regions that are there.
func (a *regions) others() []string {
	var out []string
	for _, r := range a.each[1:] {
		out = append(out, r.cfg.AWS.Region)
	}
	return out
}

// writer is the region that writes: the only one where there is one.
func (a *regions) writer(only *region) *region {
	if a == nil {
		return only
	}
	return a.in(a.home.cfg.AWS.WritePrimary)
}

// every region, or the only one.
func (a *regions) every(only *region) []*region {
	if a == nil {
		return []*region{only}
	}
	return a.each
}

// nearest is the target with a record for every region, of which a client gets the nearest that is
// well. A region that is given up gets no clients.
func (a *regions) nearest(t aws.EdgeTarget) aws.EdgeTarget {
	if a == nil {
		return t
	}
	t.AliasName, t.AliasZoneID = nil, nil
	for _, r := range a.each {
		if a.retiring(r) {
			continue
		}
		t.Regions = append(t.Regions, aws.EdgeRegion{
			Region: r.cfg.AWS.Region, AliasName: r.alb.DnsName, AliasZoneID: r.alb.ZoneID, CheckPath: r.cfg.Backend.HealthPath,
		})
	}
	return t
}

func (a *regions) retiring(r *region) bool {
	for _, g := range a.home.cfg.AWS.Regions {
		if g.Name == r.cfg.AWS.Region {
			return g.State != config.StateActive
		}
	}
	return false
}

// tasks is how many tasks run in the region of a service that writes: none but in the region that
// does. Where there is one region, it is left as it is.
func (a *regions) tasks(r *region, n int) *int {
	if a == nil {
		return nil
	}
	if !r.writes() || r.cfg.AWS.FreezeWrites {
		n = 0
	}
	return &n
}

// settings tell the backend what it may do where it is. What it may not write it sends on to the
// region that may.
func (a *regions) settings(r *region, env map[string]pulumi.StringInput) {
	c := r.cfg.AWS
	mode := map[string]string{"WRITE_MODE": "primary", "DATABASE_READ_ONLY": "false"}
	switch {
	case c.FreezeWrites:
		mode = frozen
	case !r.writes():
		mode = map[string]string{"WRITE_MODE": "forward", "DATABASE_READ_ONLY": "true", "WRITE_FORWARD_URL": "https://" + c.PrimaryHost}
	}
	maps.Copy(env, texts(mode))
}

func (a *regions) outputs() pulumi.Map {
	out := pulumi.Map{}
	for _, r := range a.each {
		maps.Copy(out, r.outputs)
	}
	out["writePrimary"] = pulumi.String(a.home.cfg.AWS.WritePrimary)
	out["globalDatabaseId"] = a.db.Identifier
	return out
}
