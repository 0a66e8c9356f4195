package aws

import (
	"fmt"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// primaryLast refuses to upgrade the cluster that writes in a global database before those that follow
// it. These may be ahead of it for as long as an upgrade takes.
func primaryLast(w *cloud.World, op string, cluster *cloud.Resource, version string) error {
	id := cluster.Out.String("globalClusterIdentifier")
	if id == "" || cluster.Out.String("endpoint") == "" {
		return nil
	}
	for _, m := range w.All("", dbClusterType) {
		if m.Out.String("globalClusterIdentifier") == id && m.Out.String("endpoint") == "" && newer(version, m.Out.String("engineVersionActual")) {
			return rds(op, "InvalidParameterValue", "Cannot upgrade DB cluster '%s' to engine version %s as global replica(s) are running lower version. Please upgrade global replicas first before upgrading the primary member.", cluster.ID, version)
		}
	}
	return nil
}

// runs tells the instances of a cluster what it runs now, and its global database if it is the one that
// writes there.
func runs(w *cloud.World, cluster *cloud.Resource, version string) {
	for _, i := range instancesOf(w, cluster) {
		putVersion(w, i, version)
	}
	id := cluster.Out.String("globalClusterIdentifier")
	if id == "" || cluster.Out.String("endpoint") == "" {
		return
	}
	for _, g := range w.All("", globalClusterType) {
		if g.Out.String("globalClusterIdentifier") == id {
			putVersion(w, g, version)
		}
	}
}

// putVersion is what the provider reads back of a resource that runs another version: a major that was
// asked for stays what it is, since any minor of it is one.
func putVersion(w *cloud.World, r *cloud.Resource, version string) {
	changed := *r
	changed.In, changed.Out = r.In.Clone(), r.Out.Clone()
	for _, o := range []cloud.Object{changed.In, changed.Out} {
		if asked := o.String("engineVersion"); asked != "" && !strings.HasPrefix(version, asked+".") {
			o["engineVersion"] = version
		}
	}
	changed.Out["engineVersionActual"] = version
	w.Put(&changed)
}

// Upgrade gives the world's Aurora cluster in the region another minor version, as
// "aws rds modify-db-cluster --engine-version … --apply-immediately" does, or AWS itself where it may. A
// version that is newer than any that RDS offers is taken for one that it released since.
func Upgrade(w *cloud.World, region, version string) error {
	const op = "ModifyDBCluster"
	w.Lock()
	defer w.Unlock()
	clusters := w.All(region, dbClusterType)
	if len(clusters) != 1 {
		return fmt.Errorf("the simulated clouds have %d Aurora clusters in %s, and an upgrade needs exactly one: bring up a stack with Aurora first, and name one of its regions", len(clusters), region)
	}
	cluster := clusters[0]
	engine, was := cluster.Out.String("engine"), cluster.Out.String("engineVersionActual")
	before, _ := splitVersion(engine, was)
	major, minor := splitVersion(engine, version)
	switch {
	case minor < 0 || major != before:
		return fmt.Errorf("%s is no minor version of %s %s: name one, such as %s.%d", version, engine, before, before, engines[engine][before][1])
	case newer(was, version):
		return rds(op, "InvalidParameterCombination", "Cannot upgrade %s from %s to %s", engine, was, version)
	}
	if err := primaryLast(w, op, cluster, version); err != nil {
		return err
	}
	if newer(version, actualVersion(w, engine, major)) {
		if err := release(w, engine, version); err != nil {
			return err
		}
	}
	putVersion(w, cluster, version)
	runs(w, cluster, version)
	return nil
}
