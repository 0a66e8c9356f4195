package aws

import (
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

const far = "us-east-1"

func twoRegions(t *testing.T) (here, there *simtest.Sim) {
	here = edgeSim(t, "eu-west-1")
	return here, here.With("aws", props{"region": far})
}

// farSubnets is a network in the other region, with the database subnet group "far".
func farSubnets(there *simtest.Sim) {
	vpc := there.Must(vpcType, "far", props{"cidrBlock": "10.50.0.0/16"})
	var ids []string
	for i, zone := range []string{far + "a", far + "b"} {
		ids = append(ids, there.Must(subnetType, zone, props{"vpcId": vpc.ID, "cidrBlock": "10.50." + string(rune('0'+i)) + ".0/24", "availabilityZone": zone}).ID)
	}
	there.Must(dbSubnetGroupType, "far", props{"name": "far", "subnetIds": ids})
}

// grown is a cluster that became the first member of a global database, and one that follows it.
func grown(t *testing.T, here, there *simtest.Sim) (source, global, second *cloud.Resource) {
	t.Helper()
	n := aPlant(here)
	alone := with(n.aurora(here), props{"databaseName": "morphee"})
	own := props{"manageMasterUserPassword": nil, "masterPassword": "correct-horse-battery"}
	source = here.Must(dbClusterType, "source", alone)
	here.Must(clusterInstanceType, "one", props{"clusterIdentifier": source.ID, "engine": "aurora-postgresql", "instanceClass": "db.serverless"})
	asked := props{"globalClusterIdentifier": "world", "sourceDbClusterIdentifier": source.Out["arn"], "forceDestroy": true}
	here.Refuses(globalClusterType, "managed", asked, "Managing master user passwords with Secrets Manager isn't supported")
	source = updates(t, here, source, own)
	global = here.Must(globalClusterType, "world", asked)
	refusedUpdate(t, here, source, props{"manageMasterUserPassword": true, "masterPassword": nil}, "isn't supported for DB clusters that are part of an Aurora global database")
	farSubnets(there)
	second = there.Must(dbClusterType, "second", props{"clusterIdentifier": "second", "engine": "aurora-postgresql", "engineVersion": source.Out["engineVersionActual"], "dbSubnetGroupName": "far",
		"globalClusterIdentifier": "world", "storageEncrypted": true, "kmsKeyId": there.Must(keyToken, "far", props{}).Out["arn"], "skipFinalSnapshot": true,
		"serverlessv2ScalingConfiguration": props{"minCapacity": 0.5, "maxCapacity": 8}})
	return source, global, second
}

// follower is a cluster that can join the global database "world", whose primary is in the other region.
func (n plant) follower(s *simtest.Sim) props {
	there := s.With("aws", props{"region": far})
	farSubnets(there)
	s.Must(globalClusterType, "world", props{"globalClusterIdentifier": "world", "engine": "aurora-postgresql", "engineVersion": "15.10"})
	alone := n.aurora(s)
	capacity := alone["serverlessv2ScalingConfiguration"]
	primary := there.Must(dbClusterType, "primary", props{"clusterIdentifier": "primary", "engine": "aurora-postgresql", "engineVersion": "15.10", "dbSubnetGroupName": "far",
		"globalClusterIdentifier": "world", "masterUsername": "morphee", "masterPassword": "correct-horse-battery", "skipFinalSnapshot": true, "serverlessv2ScalingConfiguration": capacity})
	there.Must(clusterInstanceType, "one", props{"clusterIdentifier": primary.ID, "engine": "aurora-postgresql", "instanceClass": "db.serverless"})
	return with(alone, props{"globalClusterIdentifier": "world", "masterUsername": nil, "manageMasterUserPassword": nil, "storageEncrypted": nil})
}

func live(s *simtest.Sim, r *cloud.Resource) *cloud.Resource {
	return s.World.Find(r.Scope, r.Type, r.ID)
}

func TestGlobalDatabaseOfAnExistingCluster(t *testing.T) {
	here, there := twoRegions(t)
	source, global, second := grown(t, here, there)
	if g := live(here, source).Out.String("globalClusterIdentifier"); g != "world" {
		t.Errorf("the source is in %q", g)
	}
	if from := second.Out.String("replicationSourceIdentifier"); from != source.Out.String("arn") || second.Out.String("endpoint") != "" {
		t.Errorf("the second follows %q and answers writers at %q", from, second.Out.String("endpoint"))
	}
	// What the provider reads back would change, or replace, what nobody changed.
	if _, err := here.Read(source); err != nil {
		t.Fatal(err)
	}
	if in := live(here, source).In; in.String("globalClusterIdentifier") != "world" {
		t.Errorf("the provider reads %v back", in["globalClusterIdentifier"])
	}
	if _, err := here.Read(global); err != nil {
		t.Fatal(err)
	}
	now := live(here, global)
	if now.In.String("databaseName") != "morphee" || len(now.Out.List("globalClusterMembers")) != 2 {
		t.Errorf("the provider reads back %v, and the members %v", now.In["databaseName"], now.Out["globalClusterMembers"])
	}
	replaced(t, here, now, props{"databaseName": nil}, "databaseName")
	deletes(t, here, updates(t, here, live(here, now), props{"deletionProtection": false}))
	if c := live(there, second); c.Out.String("globalClusterIdentifier") != "" || c.Out.String("endpoint") == "" {
		t.Errorf("the second is no cluster of its own: %v", c.Out)
	}
}

func TestTheWriterCannotLeaveAlone(t *testing.T) {
	here, there := twoRegions(t)
	source, _, second := grown(t, here, there)
	for _, i := range here.World.All("eu-west-1", clusterInstanceType) {
		deletes(t, here, i)
	}
	source = updates(t, here, live(here, source), props{"deletionProtection": false, "skipFinalSnapshot": true})
	refusedDelete(t, here, source, "while it has secondary clusters")
	deletes(t, there, second)
	deletes(t, here, live(here, source))
}

func TestSwitchover(t *testing.T) {
	here, there := twoRegions(t)
	if err := Switchover(here.World, far); err == nil || !strings.Contains(err.Error(), "0 Aurora global databases") {
		t.Errorf("without a global database: %v", err)
	}
	source, _, second := grown(t, here, there)
	writer := source.Out.String("endpoint")
	for region, want := range map[string]string{
		"us-west-2": "has no DB cluster in region us-west-2",
		"eu-west-1": "is the primary DB cluster of world already",
		far:         "has no DB instance",
	} {
		if err := Switchover(here.World, region); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("switching to %s: got %v, want %q", region, err, want)
		}
	}
	one := there.Must(clusterInstanceType, "two", props{"clusterIdentifier": second.ID, "engine": "aurora-postgresql", "instanceClass": "db.serverless"})
	if one.Out.Bool("writer") {
		t.Error("an instance of a secondary cluster writes")
	}
	if err := Switchover(here.World, far); err != nil {
		t.Fatal(err)
	}
	if c := live(there, second); c.Out.String("endpoint") == "" || c.Out.String("replicationSourceIdentifier") != "" || !live(there, one).Out.Bool("writer") {
		t.Errorf("the new writer: %v", c.Out)
	}
	if c := live(here, source); c.Out.String("endpoint") != "" || c.Out.String("replicationSourceIdentifier") != second.Out.String("arn") {
		t.Errorf("the old writer: %v", c.Out)
	}
	if err := Switchover(here.World, "eu-west-1"); err != nil {
		t.Fatal(err)
	}
	if now := live(here, source).Out.String("endpoint"); now != writer {
		t.Errorf("back again, writers go to %q, and went to %q", now, writer)
	}
}

// A minor version goes to those that follow first, and to the cluster that writes last.
func TestAMinorUpgradeOfAGlobalDatabase(t *testing.T) {
	here, there := twoRegions(t)
	source, global, second := grown(t, here, there)
	two := there.Must(clusterInstanceType, "two", props{"clusterIdentifier": second.ID, "engine": "aurora-postgresql", "instanceClass": "db.serverless"})
	const first = "Please upgrade global replicas first before upgrading the primary member"
	refusedUpdate(t, here, live(here, source), props{"engineVersion": "15.12"}, first)
	second = updates(t, there, live(there, second), props{"engineVersion": "15.12"})
	if v := live(there, two).Out.String("engineVersionActual"); v != "15.12" {
		t.Errorf("an instance of a cluster with 15.12 runs %s", v)
	}
	if v := live(here, global).Out.String("engineVersionActual"); v != "15.10" {
		t.Errorf("the global database runs %s before its primary does", v)
	}
	if err := Switchover(here.World, far); err == nil || !strings.Contains(err.Error(), "needs the same engine version") {
		t.Errorf("a switchover in the middle of an upgrade: %v", err)
	}
	refusedUpdate(t, here, live(here, source), props{"engineVersion": "15.13"}, first)
	source = updates(t, here, live(here, source), props{"engineVersion": "15.12"})
	if v := live(here, global).Out.String("engineVersionActual"); v != "15.12" {
		t.Errorf("the global database runs %s", v)
	}
	// After a switchover the other one is the last.
	if err := Switchover(here.World, far); err != nil {
		t.Fatal(err)
	}
	refusedUpdate(t, there, live(there, second), props{"engineVersion": "15.13"}, first)
	updates(t, here, live(here, source), props{"engineVersion": "15.13"})
	updates(t, there, live(there, second), props{"engineVersion": "15.13"})
	// What the provider makes of a change of the global database: every member's.
	if err := Release(here.World, "aurora-postgresql", "15.14"); err != nil {
		t.Fatal(err)
	}
	updates(t, here, live(here, global), props{"engineVersion": "15.14"})
	for _, r := range []*cloud.Resource{live(here, source), live(there, second), live(there, two), live(here, global)} {
		if v := r.Out.String("engineVersionActual"); v != "15.14" {
			t.Errorf("%s %s runs %s", r.Type, r.ID, v)
		}
	}
}

// By AWS's own tools, as the runbook does it.
func TestUpgrade(t *testing.T) {
	here, there := twoRegions(t)
	refused := func(region, version, want string) {
		t.Helper()
		if err := Upgrade(here.World, region, version); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("upgrading %s to %s: got %v, want %q", region, version, err, want)
		}
	}
	refused("eu-west-1", "15.12", "0 Aurora clusters in eu-west-1")
	source, _, second := grown(t, here, there)
	refused("eu-west-1", "15", "is no minor version of aurora-postgresql 15")
	refused("eu-west-1", "16.4", "is no minor version of aurora-postgresql 15")
	refused("eu-west-1", "15.4", "Cannot upgrade aurora-postgresql from 15.10 to 15.4")
	refused("eu-west-1", "15.40", "Please upgrade global replicas first")
	for _, region := range []string{far, "eu-west-1"} {
		if err := Upgrade(here.World, region, "15.40"); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range []*cloud.Resource{live(here, source), live(there, second)} {
		if r.Out.String("engineVersionActual") != "15.40" || r.In.String("engineVersion") != "15.40" {
			t.Errorf("%s runs %s, and a refresh reads %s", r.ID, r.Out["engineVersionActual"], r.In["engineVersion"])
		}
	}
	if err := Release(here.World, "aurora-postgresql", "15.39"); err == nil || !strings.Contains(err.Error(), "name a newer minor") {
		t.Errorf("releasing what is old: %v", err)
	}
}

func TestCopiesOfFileSystems(t *testing.T) {
	here, there := twoRegions(t)
	fs := here.Must(fileSystemType, "repos", props{"encrypted": true, "throughputMode": "elastic"})
	key := there.Must(keyToken, "files", props{})
	to := props{"sourceFileSystemId": fs.ID, "destination": props{"region": far, "kmsKeyId": key.Out["arn"]}}
	here.Refuses(efsReplicationType, "key", with(to, props{"destination": props{"region": far, "kmsKeyId": here.Must(keyToken, "near", props{}).Out["arn"]}}), "cannot be used in region")
	here.Refuses(efsReplicationType, "nothing", with(to, props{"sourceFileSystemId": "fs-0123456789abcdef0"}), "does not exist")
	r := here.Must(efsReplicationType, "copy", to)
	here.Refuses(efsReplicationType, "second", with(to, props{"destination": props{"region": "us-west-2"}}), "already part of a replication")
	id := r.Out.String("destination.fileSystemId")
	made := here.World.Find(far, fileSystemType, id)
	if made == nil || made.Out.String("kmsKeyId") != key.Out.String("arn") || made.Out.String("throughputMode") != "elastic" || made.Out.String("protection.replicationOverwrite") != "REPLICATING" {
		t.Fatalf("the copy is %v", made)
	}
	there.Refuses(efsReplicationType, "chain", props{"sourceFileSystemId": id, "destination": props{"region": "us-west-2"}}, "already part of a replication")
	farSubnets(there)
	subnet := there.World.All(far, subnetType)[0]
	there.Must(mountTargetType, "copy", props{"fileSystemId": id, "subnetId": subnet.ID})
	adopted := *made // as one that was imported into a stack
	adopted.URN = fs.URN
	refusedDelete(t, there, &adopted, "FileSystemInUse")
	// Without its replication, a copy in use is written to.
	deletes(t, here, r)
	if c := live(there, made); c == nil || c.Out.String("protection.replicationOverwrite") != "ENABLED" {
		t.Errorf("after the replication the copy is %v", c)
	}
	back := there.Must(efsReplicationType, "back", props{"sourceFileSystemId": id, "destination": props{"region": "eu-west-1"}})
	there.Refuses(efsReplicationType, "onto", props{"sourceFileSystemId": id, "destination": props{"region": "eu-west-1", "fileSystemId": fs.ID}}, "already part of a replication")
	// One that nobody uses stays at AWS, and belongs to nobody.
	deletes(t, there, back)
	left := back.Out.String("destination.fileSystemId")
	if here.World.Find("eu-west-1", fileSystemType, left) != nil || here.World.Find("eu-west-1", remnant("efs-file-system"), left) == nil {
		t.Error("a copy that nobody uses is kept by AWS, outside of any stack")
	}
}

func TestReplicationOverAnExistingFileSystem(t *testing.T) {
	here, there := twoRegions(t)
	fs := here.Must(fileSystemType, "repos", props{"encrypted": true})
	closed := there.Must(fileSystemType, "closed", props{"encrypted": true})
	open := there.Must(fileSystemType, "open", props{"encrypted": true, "protection": props{"replicationOverwrite": "DISABLED"}})
	onto := func(id string) props {
		return props{"sourceFileSystemId": fs.ID, "destination": props{"region": far, "fileSystemId": id}}
	}
	here.Refuses(efsReplicationType, "closed", onto(closed.ID), "overwrite protection enabled")
	here.Must(efsReplicationType, "open", onto(open.ID))
	if p := live(there, open).Out.String("protection.replicationOverwrite"); p != "REPLICATING" {
		t.Errorf("the destination is %s", p)
	}
}

func TestCopiesOfSecrets(t *testing.T) {
	here, there := twoRegions(t)
	key := there.Must(keyToken, "far", props{})
	copies := props{"replicas": []any{props{"region": far, "kmsKeyId": key.Out["arn"]}}}
	here.Refuses(secretToken, "same", props{"name": "s", "replicas": []any{props{"region": "eu-west-1"}}}, "Invalid replica region")
	here.Refuses(secretToken, "key", props{"name": "s", "replicas": []any{props{"region": far, "kmsKeyId": here.Must(keyToken, "near", props{}).Out["arn"]}}}, "not in the replica's region")
	there.Must(secretToken, "taken", props{"name": "taken"})
	here.Refuses(secretToken, "taken", with(props{"name": "taken"}, copies), "already exists in us-east-1")
	s := here.Must(secretToken, "s", props{"name": "s"})
	id := strings.Replace(s.ID, "eu-west-1", far, 1)
	s = updates(t, here, s, copies)
	if here.World.Find(far, secretToken, id) == nil || here.World.Find(far, secretToken, id).Out.String("kmsKeyId") != key.Out.String("arn") {
		t.Errorf("there is no copy %s", id)
	}
	s = updates(t, here, s, props{"replicas": []any{}})
	if here.World.Find(far, secretToken, id) != nil {
		t.Error("the copy is still there")
	}
	s = updates(t, here, s, copies)
	deletes(t, here, s)
	if here.World.Find(far, secretToken, id) != nil {
		t.Error("the copy outlives the secret")
	}
}

func TestAReplicaKeyThatWaitsForItsDeletion(t *testing.T) {
	here, there := twoRegions(t)
	single := here.Must(keyToken, "single", props{})
	there.Refuses(replicaToken, "single", props{"primaryKeyArn": single.Out["arn"]}, "not a multi-Region primary key")
	primary := here.Must(keyToken, "mrk", props{"multiRegion": true})
	here.Refuses(replicaToken, "here", props{"primaryKeyArn": primary.Out["arn"]}, "must differ from the primary key's region")
	replica := there.Must(replicaToken, "copy", props{"primaryKeyArn": primary.Out["arn"]})
	if replica.ID != primary.ID {
		t.Errorf("the replica is %s, the key %s", replica.ID, primary.ID)
	}
	there.Refuses(replicaToken, "again", props{"primaryKeyArn": primary.Out["arn"]}, "AlreadyExists")
	deletes(t, there, replica)
	there.Refuses(replicaToken, "back", props{"primaryKeyArn": primary.Out["arn"]}, "pending deletion there")
}
