package aws

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/stateful"
	"github.com/morphee-app/morphee-infra/policy/rule"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// changing is a change of the configuration that a stack with data on it has to survive.
type changing struct {
	name string
	from []any // on top of prod: path, value, path, value, …
	to   []any // on top of from
	// wants are the changes that are the point of it. The golden file of the row has all of them.
	wants []string
	// replaces are the only resources that may be replaced, as TYPE::NAME with * for any text.
	replaces []string
	// deletes are the only resources that may go.
	deletes []string
}

const (
	anyTask    = "aws:ecs/taskDefinition:TaskDefinition::*"
	instance   = "aws:rds/instance:Instance::aws-database-instance"
	backendSvc = "aws:ecs/service:Service::aws-backend-service"
)

var aurora = []any{"aws.database", map[string]any{"engine": "aurora", "minAcu": 0.5, "maxAcu": 4}}

func changes() []changing {
	rows := []changing{
		{
			name: "zones-2-to-3", to: []any{"aws.zones", 3},
			wants: []string{
				"create aws:ec2/subnet:Subnet::aws-network-public-c", "create aws:ec2/subnet:Subnet::aws-network-private-c",
				"create aws:efs/mountTarget:MountTarget::aws-files-mount-c",
				"update aws:lb/loadBalancer:LoadBalancer::aws-alb [subnets]", "update aws:rds/subnetGroup:SubnetGroup::aws-database-subnets [subnetIds]",
				"update " + backendSvc + " [networkConfiguration.subnets]",
			},
		},
		{
			name: "zones-3-to-4", from: []any{"aws.region", "us-east-1", "aws.zones", 3}, to: []any{"aws.zones", 4},
			wants: []string{"create aws:ec2/subnet:Subnet::aws-network-private-d", "create aws:efs/mountTarget:MountTarget::aws-files-mount-d"},
		},
		{
			name: "more-tasks", to: []any{"aws.backend.tasks", 4, "aws.gotrue.tasks", 3},
			wants: []string{"update aws:appautoscaling/target:Target::aws-backend-scaling [minCapacity]", "update aws:ecs/service:Service::aws-gotrue-service [desiredCount]"},
		},
		{
			name: "larger-tasks", to: []any{"aws.backend.cpuUnits", 1024, "aws.backend.memoryMiB", 2048},
			wants:    []string{"replace aws:ecs/taskDefinition:TaskDefinition::aws-backend-task because of cpu memory"},
			replaces: []string{anyTask},
		},
		{
			name: "more-tasks-at-most", to: []any{"aws.backend.autoscaling.maxTasks", 10},
			wants: []string{"update aws:appautoscaling/target:Target::aws-backend-scaling [maxCapacity]"},
		},
		{
			name: "multi-zone-on", from: []any{"aws.database.multiAz", false}, to: []any{"aws.database.multiAz", true},
			wants: []string{"update " + instance + " [multiAz]"},
		},
		{
			name: "instance-class", to: []any{"aws.database.instanceClass", "db.t4g.medium"},
			wants: []string{"update " + instance + " [instanceClass]"},
		},
		{
			name: "storage-limit", to: []any{"aws.database.maxStorageGiB", 400},
			wants: []string{"update " + instance + " [maxAllocatedStorage]"},
		},
		{
			name: "storage", to: []any{"aws.database.storageGiB", 60},
			wants: []string{"update " + instance + " [allocatedStorage]"},
		},
		{
			name: "aurora-reader", from: aurora, to: []any{"aws.database.readers", 1},
			wants: []string{"create aws:rds/clusterInstance:ClusterInstance::aws-database-instance-2"},
		},
		{
			name: "aurora-capacity", from: aurora, to: []any{"aws.database.maxAcu", 16},
			wants: []string{"update aws:rds/cluster:Cluster::aws-database-cluster [serverlessv2ScalingConfiguration.maxCapacity]"},
		},
		{
			name: "backup-retention", to: []any{"aws.database.backupRetentionDays", 35, "aws.backups.databaseDays", 60, "aws.backups.filesDays", 60},
			wants: []string{"update " + instance + " [backupRetentionPeriod]"},
		},
		{
			name: "log-retention", to: []any{"aws.logRetentionDays", 90, "aws.flowLogRetentionDays", 60},
			wants: []string{"update aws:cloudwatch/logGroup:LogGroup::aws-backend-logs [retentionInDays]"},
		},
		{
			name: "images", to: []any{"images.backend", "ghcr.io/morphee-app/backend:1.1.0", "images.forgejo", "codeberg.org/forgejo/forgejo:13.0.4-rootless",
				"images.gotrue", "supabase/gotrue:v2.187.0"},
			wants:    []string{"update " + backendSvc + " [taskDefinition]"},
			replaces: []string{anyTask},
		},
		{
			name: "alarm-thresholds", to: []any{"alarms.cpuPercent", 70, "alarms.databaseConnections", 60, "alarms.latencyP95Milliseconds", 800},
			wants: []string{"update aws:cloudwatch/metricAlarm:MetricAlarm::aws-alarms-database-1-cpu [alarmDescription threshold]"},
		},
		{
			name: "owner-tag", to: []any{"owner", "product"},
			wants: []string{"update " + instance + " [tags]", "update aws:ec2/vpc:Vpc::aws-network-vpc [tags]"},
		},
		{
			name: "git-over-ssh", to: []any{"aws.forgejo.sshLoadBalancer", true},
			wants:    []string{"create aws:lb/loadBalancer:LoadBalancer::aws-alb-ssh", "create tls:index/privateKey:PrivateKey::aws-credentials-ssh-host-key"},
			replaces: []string{anyTask, "aws:secretsmanager/secretVersion:SecretVersion::aws-forgejo-secrets-setup-value"},
		},
		{
			name: "cache-node-type", to: []any{"aws.cache.nodeType", "cache.t4g.small"},
			wants: []string{"update aws:elasticache/replicationGroup:ReplicationGroup::aws-cache-redis [nodeType]"},
		},
		{
			name: "cache-replica", to: []any{"aws.cache.replicas", 1},
			wants: []string{"update aws:elasticache/replicationGroup:ReplicationGroup::aws-cache-redis [automaticFailoverEnabled multiAzEnabled numCacheClusters]"},
		},
		{
			name: "interface-endpoints", to: []any{"aws.interfaceEndpoints", []string{"ecr.api", "ecr.dkr", "logs", "secretsmanager"}},
			wants: []string{"create aws:ec2/vpcEndpoint:VpcEndpoint::aws-network-endpoint-logs"},
		},
	}
	modes := []string{"none", "instance", "single", "per-zone"}
	for _, from := range modes {
		for _, to := range modes {
			if from == to {
				continue
			}
			rows = append(rows, natChange(from, to))
		}
	}
	return rows
}

// natChange is a change of the way out. What leads out is what it is about: that holds nothing, and
// the subnets and their route tables stay.
func natChange(from, to string) changing {
	row := changing{name: "nat-" + from + "-to-" + to, from: []any{"aws.nat", from}, to: []any{"aws.nat", to}}
	if from == "none" || to == "none" {
		// Without a way out tasks reach AWS through endpoints, and there is no export to R2, which only
		// a disposable stack may do without.
		row.from = append(row.from, "disposable", true, "aws.interfaceEndpoints", []string{"ecr.api", "ecr.dkr", "kms", "logs", "secretsmanager"}, "backups.enabled", false)
	}
	row.deletes = map[string][]string{
		"instance": {
			"aws:ec2/*::aws-network-nat-instance*", "aws:iam/*::aws-network-nat-instance-*", "aws:vpc/securityGroup*Rule:*::aws-network-nat-instance-sg-*",
		},
		"single":   {"aws:ec2/natGateway:NatGateway::aws-network-nat-a", "aws:ec2/eip:Eip::aws-network-nat-a-ip"},
		"per-zone": {"aws:ec2/natGateway:NatGateway::aws-network-nat-*", "aws:ec2/eip:Eip::aws-network-nat-*-ip"},
	}[from]
	if to == "none" {
		row.deletes = append(row.deletes, "aws:ec2/route:Route::aws-network-private-*-out", "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule::*-sg-internet*")
	}
	if from == "none" {
		row.deletes = append(row.deletes, "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule::*-sg-s3*")
	}
	return row
}

func TestChangesThatKeepEverything(t *testing.T) {
	prod := rig.Load(t, rig.Shipped(t)["prod"]).Stack
	for _, row := range changes() {
		t.Run(row.name, func(t *testing.T) {
			base := set(t, prod, row.from...)
			store := rig.NewStore(t)
			rig.Run(t, store, sim.Up, base, sim.Options{})
			changed := set(t, base, row.to...)
			r := rig.Run(t, store, sim.Up, changed, sim.Options{})
			var lines []string
			for _, c := range r.Resources {
				lines = append(lines, line(c))
				ok := true
				switch c.Op {
				case "replace":
					ok = matches(row.replaces, c)
				case "delete":
					ok = matches(row.deletes, c)
				}
				if !ok || (c.Op == "replace" || c.Op == "delete") && (stateful.Is(c.Type) || network(c.Type) && !matches(row.deletes, c)) {
					t.Errorf("not allowed: %s", line(c))
				}
			}
			slices.Sort(lines)
			for _, want := range row.wants {
				if !slices.Contains(lines, want) {
					t.Errorf("missing: %s", want)
				}
			}
			t.Logf("%v changes:\n%s", row.to, strings.Join(lines, "\n"))
			rig.Golden(t, 3, "changes/"+row.name+".txt", strings.Join(lines, "\n")+"\n")
			if r := rig.Run(t, store, sim.Preview, changed, sim.Options{}); r.Changes.Any() {
				t.Errorf("not converged:%s", rig.Describe(r.Resources))
			}
		})
	}
}

// network says whether a type is the network that everything stands in: replacing it moves addresses
// or cuts connections.
func network(token string) bool {
	switch token {
	case "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:ec2/routeTable:RouteTable", "aws:ec2/routeTableAssociation:RouteTableAssociation",
		"aws:ec2/internetGateway:InternetGateway", "aws:ec2/networkAcl:NetworkAcl", "aws:ec2/natGateway:NatGateway", "aws:ec2/eip:Eip",
		"aws:ec2/securityGroup:SecurityGroup", "aws:lb/loadBalancer:LoadBalancer", "aws:lb/listener:Listener", "aws:lb/targetGroup:TargetGroup",
		"aws:efs/mountTarget:MountTarget", "aws:rds/subnetGroup:SubnetGroup", "aws:elasticache/subnetGroup:SubnetGroup",
		"aws:elasticache/replicationGroup:ReplicationGroup", "aws:cloudfront/distribution:Distribution":
		return true
	}
	return false
}

// line is a change as the golden files have it: "update TYPE::NAME [what differs]".
func line(c sim.ResourceChange) string {
	s := c.Op + " " + c.Type + "::" + c.Name
	switch {
	case c.Op == "replace":
		s += " because of " + strings.Join(c.Replaces, " ")
	case c.Op == "update":
		s += " [" + strings.Join(c.Diff, " ") + "]"
	}
	return s
}

func matches(patterns []string, c sim.ResourceChange) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return rule.Glob(p, c.Type+"::"+c.Name) })
}

// set returns the stack with values of its configuration changed, by path: set(t, stack, "aws.zones", 3).
func set(t testing.TB, stack sim.Stack, pairs ...any) sim.Stack {
	t.Helper()
	for i := 0; i+1 < len(pairs); i += 2 {
		path := strings.Split(pairs[i].(string), ".")
		key := "morphee:" + path[0]
		if len(path) == 1 {
			stack = rig.With(stack, key, fmt.Sprint(pairs[i+1]))
			continue
		}
		tree := map[string]any{}
		if text := stack.Config[key]; text != "" {
			if err := json.Unmarshal([]byte(text), &tree); err != nil {
				t.Fatalf("%s: %v", key, err)
			}
		}
		at := tree
		for _, part := range path[1 : len(path)-1] {
			next, ok := at[part].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[part] = next
			}
			at = next
		}
		at[path[len(path)-1]] = pairs[i+1]
		text, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		stack = rig.With(stack, key, string(text))
	}
	return stack
}
