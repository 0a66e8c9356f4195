package config

import (
	"fmt"
	"slices"
	"strings"
)

// regionKeys only mean something with several regions.
var regionKeys = []string{"regions", "writePrimary", "freezeWrites", "primaryHost", "fileReplica", "fileReplication", "fileSyncHours", "fileSystemId"}

// regions checks what several regions need of each other.
func (r rules) regions() {
	a := r.AWS
	if r.Phase < 4 {
		for _, k := range regionKeys {
			if path := "aws." + k; r.d.set[path] && !r.broken(path) {
				r.wrong(path, nil, "has no effect before phase 4", "only with phase: 4", "leave the key out, or set phase to 4")
			}
		}
		return
	}
	if r.broken("aws.regions") {
		return
	}
	if len(a.Active()) == 0 {
		r.missing("aws.regions", "phase 4 is several regions", "list at least one more, such as {name: us-east-1, index: 1}; or set phase to 3")
		return
	}
	r.eachRegion()
	r.globalDatabase()
	r.writePrimary()
	r.fileSync()
	r.primaryHost()
	if len(r.Alarms.Emails) == 0 && !r.broken("alarms.emails") {
		r.missing("alarms.emails", "alarms.topicArn is in one region, and the others need somebody to tell", "list a mail address")
	}
}

func (r rules) eachRegion() {
	names := map[string]string{r.AWS.Region: "aws.region"}
	indices := map[int]string{r.AWS.RegionIndex: "aws.regionIndex"}
	for i, g := range r.AWS.Regions {
		path := fmt.Sprintf("aws.regions[%d]", i)
		if other := names[g.Name]; other != "" {
			r.wrong(path+".name", g.Name, "is "+other+" too", "each region once", "")
		}
		if other := indices[g.Index]; other != "" {
			r.wrong(path+".index", g.Index, "is the place of "+other+", and two networks would overlap", "a number of its own, never used again", "")
		}
		names[g.Name], indices[g.Index] = path+".name", path+".index"
		if zones := ZonesOf(g.Name); g.Zones > len(zones) {
			r.wrong(path+".zones", g.Zones, "is more than "+g.Name+" has", fmt.Sprintf("2 to %d there", len(zones)), "")
		}
		if g.State != StateActive && !r.broken(path+".state") && (g.Name == r.AWS.WritePrimary || g.Name == r.AWS.FileReplica) {
			r.wrong(path+".state", g.State, "would take away the region that writes, or the one with the copy of the files", "active while aws.writePrimary or aws.fileReplica is "+g.Name, "move that first")
		}
	}
	if r.AWS.NAT == "none" && !r.broken("aws.nat") {
		r.wrong("aws.nat", "none", "leaves no way to the write primary in another region", "instance, single or per-zone with several regions", "instance is the cheapest")
	}
}

// globalDatabase is Aurora's: RDS has none.
func (r rules) globalDatabase() {
	if db := r.AWS.Database; db.Engine != "aurora" && !r.broken("aws.database.engine") {
		r.wrong("aws.database.engine", db.Engine, "has no global database: a cluster that spans regions is Aurora's", "aurora in phase 4",
			"first move the data to Aurora in phase 3: restore a snapshot of the RDS instance into a stack with engine: aurora and restoreFromSnapshot, then set phase to 4")
	}
}

func (r rules) writePrimary() {
	a := r.AWS
	all := []string{a.Region}
	for _, g := range a.Active() {
		all = append(all, g.Name)
	}
	if !slices.Contains(all, a.WritePrimary) && !r.broken("aws.writePrimary") {
		r.wrong("aws.writePrimary", a.WritePrimary, "is not a region of the stack", strings.Join(all, ", "), "")
	}
	if !slices.Contains(all[1:], a.FileReplica) && !r.broken("aws.fileReplica") {
		r.wrong("aws.fileReplica", a.FileReplica, "is not one of aws.regions", strings.Join(all[1:], ", "), "")
		return
	}
	if a.WritePrimary == a.Region || r.broken("aws.writePrimary") || !slices.Contains(all, a.WritePrimary) {
		return
	}
	if a.WritePrimary != a.FileReplica {
		r.wrong("aws.writePrimary", a.WritePrimary, "has no copy of the git repositories", a.Region+" or aws.fileReplica, which is "+a.FileReplica, "")
		return
	}
	if a.DataSync() || r.broken("aws.fileReplication") {
		return // its copy is a file system that may be written to at any time
	}
	for i, g := range a.Regions {
		if g.Name == a.WritePrimary && g.FileSystemID == "" {
			r.missing(fmt.Sprintf("aws.regions[%d].fileSystemId", i), "the write primary needs the replica as its own file system",
				"copy it from the stack's output replicaFileSystemId and deploy that first (ops/runbooks/switch-write-primary.md)")
		}
	}
}

// fileSync checks what only DataSync has, and what only EFS's own replication has.
func (r rules) fileSync() {
	a := r.AWS
	if r.broken("aws.fileReplication") {
		return
	}
	if !a.DataSync() {
		if r.d.set["aws.fileSyncHours"] && !r.broken("aws.fileSyncHours") {
			r.wrong("aws.fileSyncHours", nil, "has no effect with aws.fileReplication: efs", "only with fileReplication: datasync", "leave the key out: EFS replicates all the time")
		}
		return
	}
	// A file system that took over from EFS's replication would be left, and an empty one written to.
	const why, allowed, mend = "names a copy that EFS's replication made, and DataSync would begin another beside it", "only with fileReplication: efs", "keep fileReplication: efs on this stack"
	if a.FileSystemID != "" {
		r.wrong("aws.fileSystemId", a.FileSystemID, why, allowed, mend)
	}
	for i, g := range a.Regions {
		if g.FileSystemID != "" {
			r.wrong(fmt.Sprintf("aws.regions[%d].fileSystemId", i), g.FileSystemID, why, allowed, mend)
		}
	}
}

func (r rules) primaryHost() {
	h := r.AWS.PrimaryHost
	if r.broken("aws.primaryHost", "hosts", "domain", "dns.zone") {
		return
	}
	if !within(h, r.DNS.Zone) {
		r.wrong("aws.primaryHost", h, "is outside the zone "+r.d.show("dns.zone", r.DNS.Zone), "a name within the zone", "")
	}
	if slices.ContainsFunc(r.publicHosts(), func(other host) bool { return other.name == h }) {
		r.wrong("aws.primaryHost", h, "is the name of another service too", "a name of its own", "")
	}
}
