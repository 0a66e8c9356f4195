package aws

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
	"github.com/morphee-app/morphee-infra/internal/recorder"
)

const (
	testRegion  = "eu-central-1"
	testAccount = "123456789012"
)

var testTags = base.Tags{Project: "morphee", Stack: "test", Phase: 3, Owner: "platform"}

func keyArn(name string) pulumi.StringInput {
	return pulumi.String("arn:aws:kms:" + testRegion + ":" + testAccount + ":key/" + name)
}

// awsOutputs are the computed outputs that components read.
func awsOutputs(typ, name string, inputs resource.PropertyMap) resource.PropertyMap {
	out := resource.PropertyMap{"arn": resource.NewProperty("arn:aws:" + name)}
	text := func(k, v string) { out[resource.PropertyKey(k)] = resource.NewProperty(v) }
	switch typ {
	case "aws:ecs/cluster:Cluster", "aws:ecs/service:Service", "aws:cloudwatch/logGroup:LogGroup", "aws:iam/role:Role":
		text("name", name+"-1234567")
	case "aws:lb/loadBalancer:LoadBalancer":
		text("arnSuffix", "app/"+name+"/0123")
		text("dnsName", name+".elb.amazonaws.com")
		text("zoneId", "Z1")
	case "aws:lb/targetGroup:TargetGroup":
		text("arnSuffix", "targetgroup/"+name+"/4567")
	case "aws:s3/bucketV2:BucketV2":
		text("bucket", name+"-1234567")
	case "aws:ec2/eip:Eip":
		text("publicIp", "198.51.100.1")
	case "aws:ec2/vpcEndpoint:VpcEndpoint":
		text("prefixListId", "pl-1")
	case "random:index/randomId:RandomId":
		text("hex", "deadbeef")
	case "aws:rds/instance:Instance", "aws:rds/cluster:Cluster":
		text("address", "db.example")
		text("endpoint", "writer.example")
		text("readerEndpoint", "reader.example")
		text("resourceId", "db-RES")
		text("clusterResourceId", "cluster-RES")
		out["masterUserSecrets"] = resource.NewProperty([]resource.PropertyValue{resource.NewProperty(resource.PropertyMap{"secretArn": resource.NewProperty("arn:aws:secretsmanager:master")})})
	case "aws:elasticache/replicationGroup:ReplicationGroup":
		text("primaryEndpointAddress", "redis.example")
	case "aws:acm/certificate:Certificate":
		var options []resource.PropertyValue
		names := []string{inputs["domainName"].StringValue()}
		for _, v := range inputs["subjectAlternativeNames"].ArrayValue() {
			names = append(names, v.StringValue())
		}
		slices.Reverse(names) // ACM's order is its own
		for _, n := range names {
			options = append(options, resource.NewProperty(resource.PropertyMap{
				"domainName": resource.NewProperty(n), "resourceRecordName": resource.NewProperty("_x." + strings.TrimPrefix(n, "*.") + "."),
				"resourceRecordType": resource.NewProperty("CNAME"), "resourceRecordValue": resource.NewProperty("_y." + n + ".acm-validations.aws."),
			}))
		}
		out["domainValidationOptions"] = resource.NewProperty(options)
	case "cloudflare:index/record:Record":
		text("hostname", "proof.example")
	}
	return out
}

// register runs the program and fails the test when it fails or leaves orphans.
func register(t *testing.T, program func(ctx *pulumi.Context) error) []recorder.Resource {
	t.Helper()
	list, err := (&recorder.Recorder{Outputs: awsOutputs, Calls: runningAsAsked}).Run(program)
	if err != nil {
		t.Fatal(err)
	}
	if orphans := recorder.Orphans(list); len(orphans) > 0 {
		t.Errorf("not below a component: %v", orphans)
	}
	return list
}

// runningAsAsked answers the question which task definition a service runs: the one asked for.
func runningAsAsked(_ string, args resource.PropertyMap) (resource.PropertyMap, error) {
	service := strings.TrimSuffix(args["serviceName"].StringValue(), "-service-1234567")
	return resource.PropertyMap{"taskDefinition": resource.NewProperty("arn:aws:" + service + "-task")}, nil
}

func find(t *testing.T, list []recorder.Resource, typ, name string) recorder.Resource {
	t.Helper()
	r, err := recorder.Find(list, typ, name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wantInputs compares inputs at dotted paths.
func wantInputs(t *testing.T, r recorder.Resource, want map[string]any) {
	t.Helper()
	for _, path := range slices.Sorted(maps.Keys(want)) {
		w := want[path]
		if i, isInt := w.(int); isInt {
			w = float64(i)
		}
		if got := r.Input(path); got != w {
			t.Errorf("%s %s: %s = %v, want %v", r.Type, r.Name, path, got, w)
		}
	}
}

// wantCounts compares how many of each type were registered, exactly.
func wantCounts(t *testing.T, list []recorder.Resource, want map[string]int) {
	t.Helper()
	got := recorder.Count(list)
	for _, typ := range slices.Sorted(maps.Keys(got)) {
		if got[typ] != want[typ] {
			t.Errorf("%d of %s, want %d", got[typ], typ, want[typ])
		}
	}
	for _, typ := range slices.Sorted(maps.Keys(want)) {
		if got[typ] == 0 {
			t.Errorf("none of %s, want %d", typ, want[typ])
		}
	}
}

type policyStatement struct {
	Sid, Effect string
	Principal   any
	Action      any
	Resource    any
	Condition   map[string]map[string]any
}

func policyOf(t *testing.T, r recorder.Resource, input string) []policyStatement {
	t.Helper()
	var doc struct{ Statement []policyStatement }
	text, _ := r.Input(input).(string)
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatalf("%s: %v in %q", r.Name, err, text)
	}
	return doc.Statement
}

func statement(t *testing.T, list []policyStatement, sid string) policyStatement {
	t.Helper()
	for _, s := range list {
		if s.Sid == sid {
			return s
		}
	}
	t.Fatalf("no statement %s in %v", sid, list)
	return policyStatement{}
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one about %v", parts)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q does not mention %q", err, p)
		}
	}
}

// refuses runs the program, wants an error that names the field, and nothing registered.
func refuses(t *testing.T, field string, program func(ctx *pulumi.Context) error) {
	t.Helper()
	list, err := recorder.Run(program)
	wantError(t, err, field)
	for _, r := range list {
		if r.Type != "pulumi:pulumi:Stack" {
			t.Errorf("registered %s before refusing", r.Name)
		}
	}
}

// inPreview runs the program as a preview.
func inPreview(program func(ctx *pulumi.Context) error, mocks pulumi.MockResourceMonitor) error {
	return pulumi.RunErr(program, pulumi.WithMocks(recorder.Project, recorder.Stack, mocks), func(i *pulumi.RunInfo) { i.DryRun = true })
}
