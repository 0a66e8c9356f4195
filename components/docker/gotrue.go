package docker

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// GoTrueType is the type token of GoTrue.
const GoTrueType = "morphee:docker:GoTrue"

const (
	goTrueHost = "gotrue"
	goTruePort = 9999
)

// GoTruePoolSize is how many connections to the database one container of sign-in opens at most.
const GoTruePoolSize = 10

// SMTP is a mail server.
type SMTP struct {
	Host     string // empty: no mail is sent, and addresses count as confirmed
	Port     int    // submission port, with STARTTLS
	Username string
	Password pulumi.StringInput // a secret
	Sender   string             // address that mails come from
}

// GoTrueArgs are the arguments of NewGoTrue.
type GoTrueArgs struct {
	// Platform is the host's common part.
	Platform *Platform
	// Image is pinned.
	Image string
	// Limits bound each container.
	Limits Limits
	// Replicas is how many containers run it, 1 (default) to 4. Two or more are served together, and
	// replaced one at a time; see newReplicas.
	Replicas int
	// Host is the public name, such as auth.morphee.app.
	Host string
	// AppHost is the web application's public name, where people are sent back to.
	AppHost string
	// SignupEnabled lets people sign up by themselves.
	SignupEnabled bool
	// TokenLifetimeSeconds is the life of an access token, 300 to 86400.
	TokenLifetimeSeconds int
	// SMTP is the mail server for confirmations and password resets.
	SMTP SMTP
	// DatabaseURL of a database whose owner's search path is the schema auth; a secret.
	DatabaseURL pulumi.StringInput
	// DatabaseServer is where DatabaseURL leads when it leaves the host; default nil.
	DatabaseServer *ManagedServer
	// JWTSecret signs the access tokens; 32 characters or more, a secret.
	JWTSecret pulumi.StringInput
	// Database is there before GoTrue starts.
	Database pulumi.Resource
}

// GoTrue is the sign-in service.
type GoTrue struct {
	pulumi.ResourceState

	// InternalURL is how services on the host reach it.
	InternalURL pulumi.StringOutput
	// PublicURL is how browsers reach it.
	PublicURL pulumi.StringOutput
	// Service is the container; with replicas, the one that comes up last.
	Service *Service
}

// NewGoTrue runs the service. It migrates its database by itself.
func NewGoTrue(ctx *pulumi.Context, name string, args *GoTrueArgs, opts ...pulumi.ResourceOption) (*GoTrue, error) {
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &GoTrue{}
	if err := ctx.RegisterComponentResourceV2(GoTrueType, name, nil, c, opts...); err != nil {
		return nil, err
	}
	var err error
	c.Service, err = newReplicas(ctx, name, ServiceArgs{
		Platform:      args.Platform,
		ContainerName: goTrueHost,
		Image:         args.Image,
		Limits:        args.Limits,
		Command:       []string{"auth", "-c", FilePath("gotrue.env")},
		Env:           plainEnv(args.environment()),
		Files:         args.files(),
		TmpfsMiB:      map[string]int{"/tmp": 8},
		User:          "1000",
		Healthcheck: Healthcheck{
			Test:     []string{"CMD", "wget", "-q", "--spider", fmt.Sprintf("http://127.0.0.1:%d/health", goTruePort)},
			Interval: 10 * time.Second, Timeout: 5 * time.Second, StartPeriod: 30 * time.Second, Retries: 3,
		},
		Edge: true, Data: true,
		Route: &Route{Name: goTrueHost, Host: args.Host, Port: goTruePort},
		After: []pulumi.Resource{args.Database},
	}, args.Replicas, "/health", c)
	if err != nil {
		return nil, err
	}
	c.InternalURL = pulumi.Sprintf("http://%s:%d", goTrueHost, goTruePort)
	c.PublicURL = pulumi.Sprintf("https://%s", args.Host)
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"internalUrl": c.InternalURL, "publicUrl": c.PublicURL,
	})
}

func (a *GoTrueArgs) environment() map[string]string {
	env := map[string]string{
		"API_EXTERNAL_URL":              "https://" + a.Host,
		"DB_NAMESPACE":                  "auth",
		"GOTRUE_API_HOST":               "0.0.0.0",
		"GOTRUE_API_PORT":               strconv.Itoa(goTruePort),
		"PORT":                          strconv.Itoa(goTruePort),
		"GOTRUE_DB_DRIVER":              "postgres",
		"GOTRUE_DB_MAX_POOL_SIZE":       strconv.Itoa(GoTruePoolSize),
		"GOTRUE_DISABLE_SIGNUP":         strconv.FormatBool(!a.SignupEnabled),
		"GOTRUE_EXTERNAL_EMAIL_ENABLED": "true",
		"GOTRUE_JWT_ADMIN_ROLES":        "service_role",
		"GOTRUE_JWT_AUD":                "authenticated",
		"GOTRUE_JWT_DEFAULT_GROUP_NAME": "authenticated",
		"GOTRUE_JWT_EXP":                strconv.Itoa(a.TokenLifetimeSeconds),
		"GOTRUE_LOG_LEVEL":              "info",
		"GOTRUE_MAILER_AUTOCONFIRM":     strconv.FormatBool(a.SMTP.Host == ""),
		"GOTRUE_RATE_LIMIT_HEADER":      "X-Real-Ip",
		"GOTRUE_SITE_URL":               "https://" + a.AppHost,
		"GOTRUE_URI_ALLOW_LIST":         "https://" + a.AppHost + "/**",
	}
	if a.DatabaseServer != nil {
		maps.Copy(env, a.DatabaseServer.Env())
	}
	if a.SMTP.Host != "" {
		env["GOTRUE_SMTP_HOST"] = a.SMTP.Host
		env["GOTRUE_SMTP_PORT"] = strconv.Itoa(a.SMTP.Port)
		env["GOTRUE_SMTP_USER"] = a.SMTP.Username
		env["GOTRUE_SMTP_ADMIN_EMAIL"] = a.SMTP.Sender
		env["GOTRUE_SMTP_SENDER_NAME"] = "Morphee"
	}
	return env
}

func (a *GoTrueArgs) files() []File {
	files := []File{{Name: "gotrue.env", Content: a.secrets()}}
	if a.DatabaseServer != nil {
		files = append(files, a.DatabaseServer.Files()...)
	}
	return files
}

// secrets is the file that GoTrue reads as further environment, quoted so that any value is kept
// as it is.
func (a *GoTrueArgs) secrets() pulumi.StringInput {
	if a.SMTP.Host == "" {
		return pulumi.Sprintf("GOTRUE_DB_DATABASE_URL='%s'\nGOTRUE_JWT_SECRET='%s'\n", a.DatabaseURL, a.JWTSecret)
	}
	return pulumi.Sprintf("GOTRUE_DB_DATABASE_URL='%s'\nGOTRUE_JWT_SECRET='%s'\nGOTRUE_SMTP_PASS='%s'\n",
		a.DatabaseURL, a.JWTSecret, a.SMTP.Password)
}

func (a *GoTrueArgs) validate(name string) error {
	p := base.Check("GoTrue", name)
	p.Require(a.Platform != nil, "Platform", a.Platform, "the host's platform", "")
	p.Require(a.Host != "" && !strings.Contains(a.Host, "/"), "Host", a.Host, "a host name", "morphee:hosts.auth")
	p.Require(a.AppHost != "" && !strings.Contains(a.AppHost, "/"), "AppHost", a.AppHost, "a host name", "morphee:hosts.app")
	p.Require(a.TokenLifetimeSeconds >= 300 && a.TokenLifetimeSeconds <= 86400, "TokenLifetimeSeconds", a.TokenLifetimeSeconds, "300 to 86400", "morphee:auth.tokenLifetimeSeconds")
	p.Require(a.DatabaseURL != nil && a.Database != nil, "Database", "nothing", "a database", "")
	p.Require(a.JWTSecret != nil, "JWTSecret", "nothing", "a secret", "")
	p.Require(a.SMTP.Host == "" || a.SMTP.Password != nil, "SMTP.Password", "nothing", "a secret", "morphee:auth.smtp.password")
	return p.Err()
}
