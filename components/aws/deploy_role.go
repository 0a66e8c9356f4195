package aws

import (
	"regexp"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// DeployRoleType is the type token of DeployRole.
const DeployRoleType = "morphee:aws:DeployRole"

// githubIssuer signs the tokens that workflows present.
const githubIssuer = "token.actions.githubusercontent.com"

// DeployRoleArgs say which workflow may release, and what a release touches. What is left out, a
// release may not touch.
type DeployRoleArgs struct {
	// Repository as owner/name; required.
	Repository string
	// Environment of the repository that a job must run in, or Branch that it must run for; exactly
	// one. An environment can ask for approval, and is the better pin.
	Environment, Branch string
	// ProviderArn of the account's OIDC provider for GitHub, when it has one; nil makes it. An
	// account can have only one.
	ProviderArn pulumi.StringInput
	// SessionMinutes is the longest that a job keeps the role, 60 to 720; default 60.
	SessionMinutes int
	// RepositoryArns are the image repositories that a release pushes to.
	RepositoryArns []pulumi.StringInput
	// SiteBucketArn and DistributionArn are the site's; both or neither.
	SiteBucketArn, DistributionArn pulumi.StringInput
	// ServiceArns are the ECS services that a release rolls; PassRoleArns are the roles of their
	// tasks, which whoever registers a task definition hands to ECS.
	ServiceArns, PassRoleArns []pulumi.StringInput
	Tags                      base.Tags
}

// DeployRole is the role that a GitHub workflow takes, without a stored key, to release: push
// images, publish the site, roll the services. It can change neither network, data nor IAM.
type DeployRole struct {
	pulumi.ResourceState
	Arn         pulumi.StringOutput
	ProviderArn pulumi.StringOutput
	// Subject is the only one that the role trusts.
	Subject string
}

var (
	githubRepository = regexp.MustCompile(`^[A-Za-z0-9](-?[A-Za-z0-9]){0,38}/[A-Za-z0-9._-]{1,100}$`)
	// No star: the subject is compared as it is, and a pattern would match nothing.
	githubPlain = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$`)
)

func (a *DeployRoleArgs) validate(name string) error {
	p := base.Check("DeployRole", name)
	p.Require(githubRepository.MatchString(a.Repository), "Repository", a.Repository, "owner/name", "morphee:github.repository")
	p.Require((a.Environment == "") != (a.Branch == ""), "Environment", a.Environment+" and branch "+a.Branch, "exactly one of Environment and Branch", "morphee:github.environment")
	for field, v := range map[string]string{"Environment": a.Environment, "Branch": a.Branch} {
		p.Require(v == "" || githubPlain.MatchString(v), field, v, "a plain name without wildcards", "")
	}
	p.Require(a.SessionMinutes >= 60 && a.SessionMinutes <= 720, "SessionMinutes", a.SessionMinutes, "60 to 720", "")
	p.Require((a.SiteBucketArn == nil) == (a.DistributionArn == nil), "SiteBucketArn", "one of the two", "SiteBucketArn and DistributionArn together", "")
	p.Require((len(a.ServiceArns) == 0) == (len(a.PassRoleArns) == 0), "PassRoleArns", len(a.PassRoleArns), "the roles of the services' tasks, exactly when there are services", "")
	p.Require(len(a.RepositoryArns) > 0 || a.SiteBucketArn != nil || len(a.ServiceArns) > 0, "RepositoryArns", "nothing", "something to release", "")
	return p.Err()
}

// NewDeployRole registers the role, its policy and, unless there is one, the OIDC provider.
func NewDeployRole(ctx *pulumi.Context, name string, in *DeployRoleArgs, opts ...pulumi.ResourceOption) (*DeployRole, error) {
	args := *in
	setDefault(&args.SessionMinutes, 60)
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &DeployRole{Subject: "repo:" + args.Repository + ":environment:" + args.Environment}
	if args.Branch != "" {
		c.Subject = "repo:" + args.Repository + ":ref:refs/heads/" + args.Branch
	}
	if err := ctx.RegisterComponentResourceV2(DeployRoleType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	if err := c.provider(ctx, name+"-github", &args); err != nil {
		return nil, err
	}
	trust, err := PolicyDocument(Statement{
		Sid: "GitHubWorkflow", Actions: []string{"sts:AssumeRoleWithWebIdentity"}, Federated: arns(c.ProviderArn),
		Conditions: map[string]map[string][]pulumi.StringInput{"StringEquals": {
			githubIssuer + ":aud": arns(pulumi.String("sts.amazonaws.com")),
			githubIssuer + ":sub": arns(pulumi.String(c.Subject)),
		}},
	})
	if err != nil {
		return nil, err
	}
	role, err := iam.NewRole(ctx, name, &iam.RoleArgs{
		Description:      pulumi.String("Releases from " + c.Subject),
		AssumeRolePolicy: trust, MaxSessionDuration: pulumi.Int(args.SessionMinutes * 60),
		Tags: args.Tags.Pulumi("Name", name),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, err
	}
	policy, err := PolicyDocument(args.statements()...)
	if err != nil {
		return nil, err
	}
	if _, err := iam.NewRolePolicy(ctx, name+"-policy", &iam.RolePolicyArgs{Role: role.ID(), Policy: policy}, pulumi.Parent(c)); err != nil {
		return nil, err
	}
	c.Arn = role.Arn
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"arn": c.Arn, "providerArn": c.ProviderArn, "subject": pulumi.String(c.Subject)})
}

func (c *DeployRole) provider(ctx *pulumi.Context, name string, args *DeployRoleArgs) error {
	if args.ProviderArn != nil {
		c.ProviderArn = args.ProviderArn.ToStringOutput()
		return nil
	}
	// No thumbprints: AWS trusts GitHub's certificate authority by itself, and ignores them.
	p, err := iam.NewOpenIdConnectProvider(ctx, name, &iam.OpenIdConnectProviderArgs{
		Url: pulumi.String("https://" + githubIssuer), ClientIdLists: texts("sts.amazonaws.com"), Tags: args.Tags.Pulumi("Name", name),
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	c.ProviderArn = p.Arn
	return nil
}

// statements are what a release may do.
func (a *DeployRoleArgs) statements() []Statement {
	all := arns(pulumi.String("*"))
	var out []Statement
	if len(a.RepositoryArns) > 0 {
		out = append(out, Statement{
			Sid: "RegistryLogin", Actions: []string{"ecr:GetAuthorizationToken"}, Resources: all, Reason: "the registry login has no resource",
		}, Statement{
			Sid: "PushImages", Resources: a.RepositoryArns, Actions: []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload",
				"ecr:DescribeImages", "ecr:DescribeImageScanFindings", "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"},
		})
	}
	if a.SiteBucketArn != nil {
		out = append(out,
			Statement{Sid: "ListSite", Actions: []string{"s3:ListBucket"}, Resources: arns(a.SiteBucketArn)},
			// Overwritten and deleted files stay as old versions, which this role cannot delete.
			Statement{Sid: "PublishSite", Actions: []string{"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}, Resources: arns(pulumi.Sprintf("%s/*", a.SiteBucketArn))},
			Statement{Sid: "RefreshSite", Actions: []string{"cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"}, Resources: arns(a.DistributionArn)})
	}
	if len(a.ServiceArns) > 0 {
		out = append(out,
			Statement{Sid: "RollServices", Actions: []string{"ecs:DescribeServices", "ecs:UpdateService"}, Resources: a.ServiceArns},
			Statement{Sid: "TaskDefinitions", Actions: []string{"ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition"}, Resources: all, Reason: "AWS checks these calls against no resource"},
			Statement{Sid: "HandRolesToTasks", Actions: []string{"iam:PassRole"}, Resources: a.PassRoleArns,
				Conditions: condition("StringEquals", "iam:PassedToService", pulumi.String("ecs-tasks.amazonaws.com"))})
	}
	return out
}
