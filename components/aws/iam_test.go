package aws

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/recorder"
)

func TestPolicyDocumentRefuses(t *testing.T) {
	arn := arns(pulumi.String("arn:aws:s3:::x"))
	star := arns(pulumi.String("*"))
	for name, c := range map[string]struct {
		mentions string
		list     []Statement
	}{
		"nothing":                    {"Statements", nil},
		"no id":                      {"Sid", []Statement{{Actions: []string{"s3:GetObject"}, Resources: arn}}},
		"id with a hyphen":           {"Sid", []Statement{{Sid: "a-b", Actions: []string{"s3:GetObject"}, Resources: arn}}},
		"same id twice":              {"each id once", []Statement{{Sid: "A", Actions: []string{"s3:GetObject"}, Resources: arn}, {Sid: "A", Actions: []string{"s3:PutObject"}, Resources: arn}}},
		"no action":                  {"Actions", []Statement{{Sid: "A", Resources: arn}}},
		"wrong action":               {"Actions", []Statement{{Sid: "A", Actions: []string{"GetObject"}, Resources: arn}}},
		"wildcard resource":          {"Reason", []Statement{{Sid: "A", Actions: []string{"s3:GetObject"}, Resources: star}}},
		"wildcard among resources":   {"Reason", []Statement{{Sid: "A", Actions: []string{"s3:GetObject"}, Resources: append(arn, star...)}}},
		"wildcard action":            {"Reason", []Statement{{Sid: "A", Actions: []string{"s3:Get*"}, Resources: arn}}},
		"everyone":                   {"Reason", []Statement{{Sid: "A", Everyone: true, Actions: []string{"s3:GetObject"}, Resources: arn}}},
		"reason of spaces":           {"Reason", []Statement{{Sid: "A", Actions: []string{"s3:GetObject"}, Resources: star, Reason: "  "}}},
		"resource that is not there": {"Resources", []Statement{{Sid: "A", Actions: []string{"s3:GetObject"}, Resources: arns(nil)}}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := PolicyDocument(c.list...)
			wantError(t, err, c.mentions)
		})
	}
}

func TestPolicyDocumentRenders(t *testing.T) {
	done := make(chan string, 1)
	if err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		doc, err := PolicyDocument(
			Statement{Sid: "Find", Actions: []string{"ecr:GetAuthorizationToken"}, Resources: arns(pulumi.String("*")), Reason: "it has no resource-level permissions"},
			Statement{Sid: "No", Deny: true, Everyone: true, Actions: []string{"s3:*"}, Resources: arns(pulumi.String("*")), Conditions: condition("Bool", "aws:SecureTransport", pulumi.String("false"))},
			Statement{Sid: "Assume", Actions: []string{"sts:AssumeRole"}, Services: []string{"ecs-tasks.amazonaws.com"}, Principals: arns(pulumi.String("arn:x")), Federated: arns(pulumi.String("arn:y"))},
		)
		if err != nil {
			return err
		}
		doc.ApplyT(func(s string) string { done <- s; return s })
		return nil
	}, pulumi.WithMocks("p", "s", &recorder.Recorder{})); err != nil {
		t.Fatal(err)
	}
	want := `{"Statement":[` +
		`{"Action":["ecr:GetAuthorizationToken"],"Effect":"Allow","Resource":["*"],"Sid":"FindBecauseItHasNoResourceLevelPermissions"},` +
		`{"Action":["s3:*"],"Condition":{"Bool":{"aws:SecureTransport":["false"]}},"Effect":"Deny","Principal":"*","Resource":["*"],"Sid":"No"},` +
		`{"Action":["sts:AssumeRole"],"Effect":"Allow","Principal":{"AWS":["arn:x"],"Federated":["arn:y"],"Service":["ecs-tasks.amazonaws.com"]},"Sid":"Assume"}` +
		`],"Version":"2012-10-17"}`
	if got := <-done; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
