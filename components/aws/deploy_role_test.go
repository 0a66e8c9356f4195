package aws

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/recorder"
)

func deployArgs() *DeployRoleArgs {
	return &DeployRoleArgs{
		Repository: "morphee-app/morphee-infra", Environment: "production", Tags: testTags,
		RepositoryArns: arns(pulumi.String("arn:aws:ecr:backend")), SiteBucketArn: pulumi.String("arn:aws:s3:::site"), DistributionArn: pulumi.String("arn:aws:cloudfront:d"),
		ServiceArns: arns(pulumi.String("arn:aws:ecs:service")), PassRoleArns: arns(pulumi.String("arn:aws:iam:role")),
	}
}

func TestDeployRoleTwice(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		if _, err := NewDeployRole(ctx, "a", deployArgs()); err != nil {
			return err
		}
		_, err := NewDeployRole(ctx, "b", &DeployRoleArgs{
			Repository: "morphee-app/app", Branch: "main", ProviderArn: pulumi.String("arn:aws:iam::1:oidc-provider/github"), Tags: testTags,
			RepositoryArns: arns(pulumi.String("arn:aws:ecr:backend")),
		})
		return err
	})
	recorder.ExpectCounts(t, list, map[string]int{
		DeployRoleType: 2, "aws:iam/openIdConnectProvider:OpenIdConnectProvider": 1, "aws:iam/role:Role": 2, "aws:iam/rolePolicy:RolePolicy": 2,
	})
	for role, subject := range map[string]string{"a": "repo:morphee-app/morphee-infra:environment:production", "b": "repo:morphee-app/app:ref:refs/heads/main"} {
		trust := policyOf(t, recorder.Must(t, list, "aws:iam/role:Role", role), "assumeRolePolicy")
		condition, _ := json.Marshal(trust[0].Condition)
		if len(trust) != 1 || len(trust[0].Condition) != 1 || trust[0].Condition["StringEquals"] == nil || !strings.Contains(string(condition), `"`+subject+`"`) ||
			!strings.Contains(string(condition), "sts.amazonaws.com") {
			t.Errorf("%s is not pinned to %s: %s", role, subject, condition)
		}
	}
	policy := policyOf(t, recorder.Must(t, list, "aws:iam/rolePolicy:RolePolicy", "a-policy"), "policy")
	for _, s := range policy {
		resources, _ := json.Marshal(s.Resource)
		if strings.Contains(string(resources), `"*"`) && !strings.Contains(s.Sid, "Because") {
			t.Errorf("%s is for every resource, and does not say why", s.Sid)
		}
		actions, _ := json.Marshal(s.Action)
		for _, never := range []string{"*", "iam:Create", "iam:Put", "iam:Attach", "s3:DeleteObjectVersion", "rds:", "kms:", "secretsmanager:"} {
			if strings.Contains(string(actions), never) {
				t.Errorf("a release may %s: %s", never, actions)
			}
		}
	}
	if s := statement(t, policy, "HandRolesToTasks"); s.Condition["StringEquals"]["iam:PassedToService"] == nil {
		t.Errorf("roles may be handed to anyone: %+v", s)
	}
	if n := len(policyOf(t, recorder.Must(t, list, "aws:iam/rolePolicy:RolePolicy", "b-policy"), "policy")); n != 2 {
		t.Errorf("a role for images has %d statements, want 2", n)
	}
}

func TestDeployRoleRefuses(t *testing.T) {
	for field, spoil := range map[string]func(*DeployRoleArgs){
		"Repository":     func(a *DeployRoleArgs) { a.Repository = "morphee-app/*" },
		"exactly one":    func(a *DeployRoleArgs) { a.Branch = "main" },
		"Environment":    func(a *DeployRoleArgs) { a.Environment = "prod*" },
		"SessionMinutes": func(a *DeployRoleArgs) { a.SessionMinutes = 10 },
		"SiteBucketArn":  func(a *DeployRoleArgs) { a.DistributionArn = nil },
		"PassRoleArns":   func(a *DeployRoleArgs) { a.PassRoleArns = nil },
		"something to":   func(a *DeployRoleArgs) { *a = DeployRoleArgs{Repository: a.Repository, Environment: a.Environment} },
	} {
		recorder.Refuses(t, field, func(ctx *pulumi.Context) error {
			args := deployArgs()
			spoil(args)
			_, err := NewDeployRole(ctx, "a", args)
			return err
		})
	}
}
