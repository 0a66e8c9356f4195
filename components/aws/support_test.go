package aws

import (
	"encoding/json"
	"strings"
	"testing"

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

// register runs the program and fails the test when it fails or leaves orphans.
func register(t *testing.T, program func(ctx *pulumi.Context) error) []recorder.Resource {
	t.Helper()
	list, err := (&recorder.Recorder{Outputs: recorder.Computed, Calls: recorder.RunningAsAsked}).Run(program)
	if err != nil {
		t.Fatal(err)
	}
	if orphans := recorder.Orphans(list); len(orphans) > 0 {
		t.Errorf("not below a component: %v", orphans)
	}
	return list
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

// inPreview runs the program as a preview.
func inPreview(program func(ctx *pulumi.Context) error, mocks pulumi.MockResourceMonitor) error {
	return pulumi.RunErr(program, pulumi.WithMocks(recorder.Project, recorder.Stack, mocks), func(i *pulumi.RunInfo) { i.DryRun = true })
}
