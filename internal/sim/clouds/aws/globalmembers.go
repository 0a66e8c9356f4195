package aws

import (
	"errors"
	"fmt"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// managedInGlobal refuses a password that RDS manages: it does so in one region only.
func managedInGlobal(op string) error {
	return rds(op, "InvalidParameterCombination", "Managing master user passwords with Secrets Manager isn't supported for DB clusters that are part of an Aurora global database.")
}

// change puts a changed copy of a resource into the world.
func change(w *cloud.World, r *cloud.Resource, edit func(out cloud.Object)) {
	changed := *r
	changed.Out = r.Out.Clone()
	edit(changed.Out)
	w.Put(&changed)
}

// join makes an existing cluster the first member of a global one.
func join(c *cloud.Call, source *cloud.Resource, id string) {
	c.Out["databaseName"] = source.Out.Get("databaseName")
	change(c.World, source, func(out cloud.Object) { out["globalClusterIdentifier"] = id })
}

// dissolve makes every member a cluster of its own, as the provider does to delete a global cluster.
func dissolve(c *cloud.Call) {
	for _, m := range globalMembers(c, c.In.String("globalClusterIdentifier")) {
		change(c.World, m, func(out cloud.Object) {
			out["globalClusterIdentifier"], out["replicationSourceIdentifier"] = "", ""
			out["endpoint"] = writerEndpoint(m)
		})
	}
}

// writerEndpoint is the name of the cluster's writer, which it has whether it answers or not.
func writerEndpoint(cluster *cloud.Resource) string {
	region := cluster.Scope
	return fmt.Sprintf("%s.cluster-c%s", cluster.Out.String("clusterIdentifier"), dbHost(region)[1:])
}

// readGlobal reads what AWS knows of a global cluster. The provider reads the name of the source's
// database back into the inputs, where it would replace the global cluster if nobody ignored it.
func readGlobal(c *cloud.Call) error {
	members := []any{}
	for _, m := range globalMembers(c, c.In.String("globalClusterIdentifier")) {
		members = append(members, cloud.Object{"dbClusterArn": m.Out.String("arn"), "isWriter": m.Out.String("endpoint") != ""})
	}
	c.Out["globalClusterMembers"] = members
	if name := c.Out.String("databaseName"); name != "" {
		c.In["databaseName"] = name
	}
	return nil
}

// readClusterDB reads back into the inputs what a global database made of the cluster.
func readClusterDB(c *cloud.Call) error {
	for _, p := range []string{"globalClusterIdentifier", "replicationSourceIdentifier"} {
		if v := c.Out.String(p); v != "" {
			c.In[p] = v
		} else {
			delete(c.In, p)
		}
	}
	return nil
}

// leaveGlobal refuses to take the cluster that writes out of a global database that others follow.
// Any other is taken out by the provider before it is deleted.
func leaveGlobal(c *cloud.Call, op string) error {
	id := c.Out.String("globalClusterIdentifier")
	if id == "" || c.Out.String("endpoint") == "" {
		return nil
	}
	if others := globalMembers(c, id); len(others) > 0 {
		return rds(op, "InvalidDBClusterStateFault", "The primary cluster %s cannot be removed from the global cluster %s while it has secondary clusters (%s).", c.ID, id, others[0].Out.String("arn"))
	}
	return nil
}

// Switchover moves the writer of the world's global database to the region, as
// "aws rds switchover-global-cluster" does: the two clusters change places, both keep their data, and
// every other one follows the new writer.
func Switchover(w *cloud.World, region string) error {
	const op = "SwitchoverGlobalCluster"
	w.Lock()
	defer w.Unlock()
	globals := w.All("", globalClusterType)
	if len(globals) != 1 {
		return fmt.Errorf("the simulated clouds have %d Aurora global databases, and a switchover needs exactly one: bring up a stack of phase 4 first", len(globals))
	}
	id := globals[0].Out.String("globalClusterIdentifier")
	var old, next *cloud.Resource
	var all []*cloud.Resource
	for _, r := range w.All("", dbClusterType) {
		if r.Out.String("globalClusterIdentifier") != id {
			continue
		}
		all = append(all, r)
		if r.Out.String("endpoint") != "" {
			old = r
		}
		if r.Scope == region {
			next = r
		}
	}
	switch {
	case next == nil:
		return rds(op, "DBClusterNotFoundFault", "Global cluster %s has no DB cluster in region %s.", id, region)
	case old == nil:
		return errors.New("the global database has no writer")
	case old == next:
		return rds(op, "InvalidGlobalClusterStateFault", "The DB cluster %s is the primary DB cluster of %s already.", next.ID, id)
	case next.Out.String("engineVersionActual") != old.Out.String("engineVersionActual"):
		return rds(op, "InvalidDBClusterStateFault", "The target DB cluster %s runs %s and the primary DB cluster %s runs %s: a switchover needs the same engine version.", next.ID, next.Out.String("engineVersionActual"), old.ID, old.Out.String("engineVersionActual"))
	case len(instancesOf(w, next)) == 0:
		return rds(op, "InvalidDBClusterStateFault", "The target DB cluster %s has no DB instance.", next.ID)
	}
	for _, r := range all {
		change(w, r, func(out cloud.Object) {
			out["endpoint"], out["replicationSourceIdentifier"] = "", next.Out.String("arn")
			if r == next {
				out["endpoint"], out["replicationSourceIdentifier"] = writerEndpoint(next), ""
			}
		})
		for i, one := range instancesOf(w, r) {
			change(w, one, func(out cloud.Object) { out["writer"] = r == next && i == 0 })
		}
	}
	return nil
}

func instancesOf(w *cloud.World, cluster *cloud.Resource) []*cloud.Resource {
	var out []*cloud.Resource
	for _, i := range w.All(cluster.Scope, clusterInstanceType) {
		if i.Out.String("clusterIdentifier") == cluster.ID {
			out = append(out, i)
		}
	}
	return out
}
