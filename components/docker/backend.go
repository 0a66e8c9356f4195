package docker

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// BackendType is the type token of Backend.
const BackendType = "morphee:docker:Backend"

// ForgejoLink is how the backend uses Forgejo.
type ForgejoLink struct {
	// URL is how the backend reaches it.
	URL pulumi.StringInput
	// Token for the API and git, and WebhookSecret to verify webhooks with; secrets.
	Token, WebhookSecret pulumi.StringInput
	// Ready is there when Forgejo answers.
	Ready pulumi.Resource
}

// BackendArgs are the arguments of NewBackend.
type BackendArgs struct {
	// Platform is the host's common part.
	Platform *Platform
	// Image is pinned, holds Python, runs as user 1000, and owns /data/memory and /data/files.
	Image string
	// Limits bound the container.
	Limits Limits
	// Host is the public name, such as api.morphee.app.
	Host string
	// Port that the container listens on, 1 to 65535.
	Port int
	// HealthPath answers 200 when the backend can serve.
	HealthPath string
	// AppHost is the web application's public name, whose pages may call the API.
	AppHost string
	// Replicas is how many containers run it, 1 (default) to 4. Two or more are served together,
	// and replaced one at a time; see newReplicas.
	Replicas int
	// DatabaseURL and RedisURL; secrets.
	DatabaseURL, RedisURL pulumi.StringInput
	// DatabaseServer is where DatabaseURL leads when it leaves the host; default nil.
	DatabaseServer *ManagedServer
	// AuthURL is how the backend reaches sign-in, and JWTSecret what it verifies tokens with.
	AuthURL, JWTSecret pulumi.StringInput
	// Forgejo, from phase 1 on.
	Forgejo *ForgejoLink
	// Environment holds further plain settings.
	Environment map[string]string
	// Secrets are further ones by variable: NAME reaches the container as a file, named by
	// NAME_FILE.
	Secrets map[string]pulumi.StringInput
	// After are what must be up before.
	After []pulumi.Resource
	// Stopped keeps the data volumes and nothing else: another platform serves.
	Stopped bool
}

// Backend is the product's API.
type Backend struct {
	pulumi.ResourceState

	// PublicURL is how browsers reach it.
	PublicURL pulumi.StringOutput
	// MemoryVolume and FilesVolume are the names of its data volumes.
	MemoryVolume, FilesVolume pulumi.StringOutput
	// Service is the container; with replicas, the one that comes up last. Nil when stopped.
	Service *Service
}

// NewBackend runs the backend.
func NewBackend(ctx *pulumi.Context, name string, args *BackendArgs, opts ...pulumi.ResourceOption) (*Backend, error) {
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &Backend{}
	if err := ctx.RegisterComponentResourceV2(BackendType, name, nil, c, opts...); err != nil {
		return nil, err
	}
	memory, err := args.Platform.NewDataVolume(ctx, name+"-memory", "backend-memory", c)
	if err != nil {
		return nil, err
	}
	files, err := args.Platform.NewDataVolume(ctx, name+"-files", "backend-files", c)
	if err != nil {
		return nil, err
	}
	c.PublicURL = pulumi.Sprintf("https://%s", args.Host)
	c.MemoryVolume, c.FilesVolume = memory.Name, files.Name
	if !args.Stopped {
		if c.Service, err = newReplicas(ctx, name, args.service(memory.Name, files.Name), args.Replicas, args.HealthPath, c); err != nil {
			return nil, err
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"publicUrl": c.PublicURL, "memoryVolume": c.MemoryVolume, "filesVolume": c.FilesVolume,
	})
}

// service is one container of the backend.
func (a *BackendArgs) service(memory, files pulumi.StringInput) ServiceArgs {
	env, secrets := a.settings()
	after := a.After
	if a.Forgejo != nil {
		after = append(after[:len(after):len(after)], a.Forgejo.Ready)
	}
	return ServiceArgs{
		Platform:      a.Platform,
		ContainerName: backendHost,
		Image:         a.Image,
		Limits:        a.Limits,
		Env:           env,
		Files:         secrets,
		Mounts: []Mount{
			{Volume: memory, Path: "/data/memory"},
			{Volume: files, Path: "/data/files"},
		},
		TmpfsMiB: map[string]int{"/tmp": 128},
		User:     "1000:1000",
		Init:     true,
		Healthcheck: Healthcheck{
			Test: []string{"CMD", "python", "-c", fmt.Sprintf(
				"import urllib.request; urllib.request.urlopen('http://127.0.0.1:%d%s', timeout=4)", a.Port, a.HealthPath)},
			Interval: 10 * time.Second, Timeout: 5 * time.Second, StartPeriod: 60 * time.Second, Retries: 3,
		},
		Edge: true, Data: true,
		Route: &Route{Name: backendHost, Host: a.Host, Port: a.Port},
		After: after,
	}
}

// settings are the environment, in which a secret NAME is only named, by NAME_FILE, and the
// secrets' files.
func (a *BackendArgs) settings() (map[string]pulumi.StringInput, []File) {
	env := plainEnv(a.Environment)
	for k, v := range plainEnv(map[string]string{
		"PORT":         strconv.Itoa(a.Port),
		"PUBLIC_URL":   "https://" + a.Host,
		"CORS_ORIGINS": "https://" + a.AppHost,
		"MEMORY_PATH":  "/data/memory",
		"FILES_PATH":   "/data/files",
	}) {
		env[k] = v
	}
	env["GOTRUE_URL"] = a.AuthURL
	secrets := map[string]pulumi.StringInput{
		"DATABASE_URL": a.DatabaseURL, "REDIS_URL": a.RedisURL, "GOTRUE_JWT_SECRET": a.JWTSecret,
	}
	if f := a.Forgejo; f != nil {
		env["FORGEJO_URL"] = f.URL
		secrets["FORGEJO_TOKEN"] = f.Token
		secrets["FORGEJO_WEBHOOK_SECRET"] = f.WebhookSecret
	}
	for k, v := range a.Secrets {
		secrets[k] = v
	}
	var files []File
	if s := a.DatabaseServer; s != nil {
		files = s.Files()
		for k, v := range plainEnv(s.Env()) {
			env[k] = v
		}
	}
	for _, k := range sortedKeys(secrets) {
		file := strings.ToLower(k)
		env[k+"_FILE"] = pulumi.String(FilePath(file))
		files = append(files, File{Name: file, Content: pulumi.ToSecret(secrets[k]).(pulumi.StringOutput)})
	}
	return env, files
}

func (a *BackendArgs) validate(name string) error {
	p := base.Check("Backend", name)
	p.Require(a.Platform != nil, "Platform", a.Platform, "the host's platform", "")
	p.Require(a.Host != "", "Host", a.Host, "a host name", "morphee:hosts.api")
	p.Require(a.Replicas >= 0 && a.Replicas <= maxReplicas, "Replicas", a.Replicas, "1 to 4", "morphee:backend.replicas")
	p.Require(a.AppHost != "", "AppHost", a.AppHost, "a host name", "morphee:hosts.app")
	p.Require(a.Port >= 1 && a.Port <= 65535, "Port", a.Port, "1 to 65535", "morphee:backend.port")
	p.Require(strings.HasPrefix(a.HealthPath, "/") && !strings.ContainsAny(a.HealthPath, "'\"\\ "), "HealthPath", a.HealthPath, "a path without quotes or spaces", "morphee:backend.healthPath")
	p.Require(a.Stopped || a.DatabaseURL != nil && a.RedisURL != nil && a.AuthURL != nil && a.JWTSecret != nil, "DatabaseURL, RedisURL, AuthURL, JWTSecret", "something missing", "all of them", "")
	if f := a.Forgejo; f != nil {
		p.Require(f.URL != nil && f.Token != nil && f.WebhookSecret != nil && f.Ready != nil, "Forgejo", "something missing", "URL, Token, WebhookSecret and Ready", "")
	}
	for _, k := range sortedKeys(a.Secrets) {
		p.Require(a.Secrets[k] != nil, "Secrets", k, "a value", "morphee:backend.secrets")
		_, plain := a.Environment[k+"_FILE"]
		p.Require(!plain, "Environment", k+"_FILE", "not the file of a secret", "morphee:backend.environment")
	}
	return p.Err()
}
