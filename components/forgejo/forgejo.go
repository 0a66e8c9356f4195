// Package forgejo has Forgejo, the git server: one component with two homes.
//
// What it is (settings, database, credentials) is said once, in ServiceArgs; where it runs is a
// Home: DockerHome on the server of phases 1 and 2, EcsHome on AWS. Inputs and outputs are the
// same, so what uses Forgejo does not know where it is.
package forgejo

import (
	"regexp"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// ServiceType is the type token of ForgejoService.
const ServiceType = "morphee:forgejo:ForgejoService"

// ServiceArgs are the arguments of NewForgejoService.
type ServiceArgs struct {
	// Settings hold wherever Forgejo runs.
	Settings Settings
	// Database is there before Forgejo starts.
	Database Database
	// Credentials are Forgejo's own secrets; a second home of the same installation is given the
	// same ones.
	Credentials *Credentials
	// Home is where it runs: a *DockerHome or an *EcsHome. Changing it moves nothing: it is
	// another installation.
	Home Home
	// Tags for everything taggable.
	Tags base.Tags
	// Disposable leaves data unprotected; for throw-away stacks only.
	Disposable bool
}

// Home is where Forgejo runs. deploy creates the resources, all of them children of the
// component, named name+"-x", and says how Forgejo is reached.
type Home interface {
	// validate records what is wrong with the home's own arguments.
	validate(p *base.Problems)
	// deploy runs after validation.
	deploy(ctx *pulumi.Context, name string, c *ForgejoService, args *ServiceArgs) (Placement, error)
}

// Placement is what a home answers.
type Placement struct {
	// InternalURL is how services beside it reach Forgejo, without a slash at the end.
	InternalURL pulumi.StringOutput
	// APIToken is the administrator's token for the API; a secret.
	APIToken pulumi.StringOutput
	// Data is the name or id of what holds the data: a Docker volume or a file system.
	Data pulumi.StringOutput
	// Ready becomes known when Forgejo answers and the administrator exists.
	Ready pulumi.Resource
}

// ForgejoService is a running Forgejo with its administrator.
type ForgejoService struct {
	pulumi.ResourceState

	// InternalURL is how services beside it reach Forgejo.
	InternalURL pulumi.StringOutput
	// PublicURL is how people and their git reach Forgejo.
	PublicURL pulumi.StringOutput
	// AdminUser is the administrator's name.
	AdminUser pulumi.StringOutput
	// AdminPassword is the administrator's password; a secret.
	AdminPassword pulumi.StringOutput
	// APIToken is the administrator's token for the API and git; a secret.
	APIToken pulumi.StringOutput
	// WebhookSecret signs the webhooks that the backend registers; a secret.
	WebhookSecret pulumi.StringOutput
	// Data is what holds the repositories: a Docker volume's name or a file system's id.
	Data pulumi.StringOutput
	// Ready is the last resource of the home; depend on it to use Forgejo.
	Ready pulumi.Resource
}

// NewForgejoService runs Forgejo at args.Home.
func NewForgejoService(ctx *pulumi.Context, name string, args *ServiceArgs, opts ...pulumi.ResourceOption) (*ForgejoService, error) {
	if err := args.validateAll(name); err != nil {
		return nil, err
	}
	c := &ForgejoService{}
	if err := ctx.RegisterComponentResourceV2(ServiceType, name, nil, c, opts...); err != nil {
		return nil, err
	}
	at, err := args.Home.deploy(ctx, name, c, args)
	if err != nil {
		return nil, err
	}
	c.InternalURL = at.InternalURL
	c.PublicURL = pulumi.Sprintf("https://%s", args.Settings.Domain)
	c.AdminUser = pulumi.String(args.Settings.AdminUser).ToStringOutput()
	c.AdminPassword = args.Credentials.AdminPassword
	c.APIToken = pulumi.ToSecret(at.APIToken).(pulumi.StringOutput)
	c.WebhookSecret = args.Credentials.WebhookSecret
	c.Data, c.Ready = at.Data, at.Ready
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"internalUrl":   c.InternalURL,
		"publicUrl":     c.PublicURL,
		"adminUser":     c.AdminUser,
		"adminPassword": c.AdminPassword,
		"apiToken":      c.APIToken,
		"webhookSecret": c.WebhookSecret,
		"data":          c.Data,
	})
}

var (
	userPattern = regexp.MustCompile(`^[a-z][a-z0-9-]{1,38}[a-z0-9]$`)
	dbPattern   = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)
	// loginPattern is a role, with the project that a pooler of many projects wants to know.
	loginPattern = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}(\.[a-z0-9]{1,40})?$`)
	hostPattern  = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)
	mailPattern  = regexp.MustCompile(`^[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+$`)
)

func (a *ServiceArgs) validateAll(name string) error {
	p := base.Check("ForgejoService", name)
	s, db := a.Settings, a.Database
	p.Require(strings.Contains(s.Image, "-rootless"), "Settings.Image", s.Image, "an image of the rootless variant, such as codeberg.org/forgejo/forgejo:13.0.2-rootless: both homes run Forgejo as user 1000", "morphee:images.forgejo")
	p.Require(hostPattern.MatchString(s.Domain), "Settings.Domain", s.Domain, "a host name", "morphee:hosts.git")
	p.Require(s.SSHPort >= 0 && s.SSHPort <= 65535, "Settings.SSHPort", s.SSHPort, "0 to 65535", "morphee:forgejo.sshPort")
	p.Require(userPattern.MatchString(s.AdminUser) && s.AdminUser != "admin", "Settings.AdminUser", s.AdminUser, "3 to 40 small letters, digits and dashes, and not admin, which Forgejo reserves", "morphee:forgejo.adminUser")
	p.Require(mailPattern.MatchString(s.AdminEmail), "Settings.AdminEmail", s.AdminEmail, "a mail address", "morphee:forgejo.adminEmail")
	p.Require(s.MaxUploadMiB >= 1 && s.MaxUploadMiB <= 4096, "Settings.MaxUploadMiB", s.MaxUploadMiB, "1 to 4096", "morphee:forgejo.maxUploadMiB")
	p.Require(s.GitTimeoutSeconds >= 60 && s.GitTimeoutSeconds <= 7200, "Settings.GitTimeoutSeconds", s.GitTimeoutSeconds, "60 to 7200", "morphee:forgejo.gitTimeoutSeconds")
	p.Require(!s.WebhooksInside || len(s.WebhookHosts) > 0, "Settings.WebhookHosts", "none", "at least one with WebhooksInside: without any, Forgejo allows everything public", "")
	for _, h := range s.WebhookHosts {
		p.Require(hostPattern.MatchString(h), "Settings.WebhookHosts", h, "host names", "")
	}
	p.Require(s.Limits.MemoryMiB >= 256, "Settings.Limits.MemoryMiB", s.Limits.MemoryMiB, "256 or more: Forgejo needs 200 MiB under load", "morphee:limits.forgejo.memoryMiB")
	p.Require(s.Limits.CPUs >= 0.1, "Settings.Limits.CPUs", s.Limits.CPUs, "0.1 or more", "morphee:limits.forgejo.cpus")
	p.Require(db.Host != nil, "Database.Host", db.Host, "a host", "")
	p.Require(db.Port >= 1 && db.Port <= 65535, "Database.Port", db.Port, "1 to 65535", "")
	p.Require(dbPattern.MatchString(db.Name), "Database.Name", db.Name, "a PostgreSQL name of small letters, digits and underscores", "morphee:forgejo.database")
	p.Require(loginPattern.MatchString(db.User), "Database.User", db.User, "a PostgreSQL name of small letters, digits and underscores", "")
	p.Require(db.Password != nil, "Database.Password", "nothing", "a secret", "")
	switch db.SSLMode {
	case "disable", "require", "verify-full":
	default:
		p.Add("Database.SSLMode", db.SSLMode, "disable, require or verify-full", "")
	}
	p.Require(a.Credentials != nil, "Credentials", "nothing", "those of NewCredentials", "")
	if a.Home == nil {
		p.Add("Home", "nothing", "a DockerHome or an EcsHome", "")
	} else {
		a.Home.validate(p)
	}
	return p.Err()
}
