package phases

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/aws"
	"github.com/morphee-app/morphee-infra/components/forgejo"
	"github.com/morphee-app/morphee-infra/internal/config"
)

const goTruePort = 9999

// appUser is whom the images of backend and sign-in run as.
const appUser = "1000:1000"

// entrance is the public load balancer with its certificate: one rule for each public name.
func (r *region) entrance() error {
	c := r.cfg
	hosts := map[string]aws.AlbHost{
		"api":  {Hosts: []string{c.Hosts.API}, Port: c.Backend.Port, HealthPath: c.Backend.HealthPath, HealthCodes: "200", DrainSeconds: &c.AWS.LoadBalancer.DrainSeconds, Priority: 10},
		"auth": {Hosts: []string{c.Hosts.Auth}, Port: goTruePort, HealthPath: "/health", HealthCodes: "200", Priority: 30, WritePaths: authWrites},
	}
	if r.all != nil {
		api := hosts["api"]
		api.Hosts = append(api.Hosts, c.AWS.PrimaryHost, aws.EdgeRegionHost(c.Hosts.API, c.DNS.Zone, c.AWS.SubZone, c.AWS.Region))
		hosts["api"] = api
	}
	domains := c.ServiceNames()
	if c.Forgejo.Enabled {
		hosts["git"] = aws.AlbHost{Hosts: []string{c.Hosts.Git}, Port: forgejo.HTTPPort, HealthPath: forgejo.HealthPath, HealthCodes: "200", DrainSeconds: &c.AWS.LoadBalancer.DrainSeconds, Priority: 20, Git: true}
	}
	if r.all != nil {
		domains = append(domains, c.AWS.PrimaryHost)
	}
	proof := &aws.CertificateArgs{Domains: domains, CloudflareZoneID: r.zoneID, Tags: r.in.Tags()}
	if !r.isHome() {
		proof.ProvedBy = r.home.certified
	}
	certificate, err := aws.NewCertificate(r.ctx, r.name("certificate"), proof, r.here())
	if err != nil {
		return err
	}
	r.certified = certificate
	args := &aws.PublicAlbArgs{
		AccountID: r.providers.AccountID, Region: c.AWS.Region, VpcID: r.vpc.VpcID, SubnetIDs: r.vpc.PublicSubnetIDs, Ready: r.vpc.PublicReady(),
		CertificateArn: certificate.Arn, Hosts: hosts, IdleTimeoutSeconds: c.AWS.LoadBalancer.IdleTimeoutSeconds,
		AccessLogDays: c.AWS.LoadBalancer.AccessLogRetentionDays, Disposable: c.Disposable, Tags: r.in.Tags(),
		FreezeWrites: r.refusesWrites(),
	}
	if r.gitSSH() != "" {
		args.Ssh = &aws.SshNlb{TargetPort: forgejo.SSHContainerPort, SourceCidrs: c.AWS.Forgejo.SSHAllowedSources}
	}
	r.alb, err = aws.NewPublicAlb(r.ctx, r.name("alb"), args, r.here())
	return err
}

func (r *region) cluster() (err error) {
	c := r.cfg.AWS
	r.ecs, err = aws.NewEcsCluster(r.ctx, r.name("cluster"), &aws.EcsClusterArgs{
		VpcID: r.vpc.VpcID, Namespace: "morphee.internal", ExecLogs: c.Backend.Exec || c.GoTrue.Exec || c.Forgejo.Exec,
		LogRetentionDays: c.LogRetentionDays, LogKmsKeyArn: r.key[aws.KeyLogs], Tags: r.in.Tags(),
	}, r.here())
	return err
}

// forgejo is the same service as on the server, at home on ECS.
func (r *region) forgejo() error {
	c := r.cfg
	if !c.Forgejo.Enabled || r.store == nil { // without a copy of the repositories it could never run
		return nil
	}
	credentials, err := r.gitCredentials()
	if err != nil {
		return err
	}
	settings := forgejoSettings(c)
	settings.Limits = forgejo.Limits{MemoryMiB: c.AWS.Forgejo.MemoryMiB, CPUs: float64(c.AWS.Forgejo.CPUUnits) / 1024}
	settings.WebhookHosts, settings.WebhooksInside = []string{"backend." + r.ecs.Namespace}, !r.callsOut()
	where := r.task()
	if r.beside != nil && c.Migration.Writes == config.WritesAWSFrozen {
		// The task is replaced when writing is refused, and not before: that ends pushes under way, which
		// would else be acknowledged after the copy was made.
		where.Ready = append(where.Ready[:len(where.Ready):len(where.Ready)], r.alb.Frozen...)
	}
	where.Exec = c.AWS.Forgejo.Exec
	where.DesiredCount = r.tasks(1)
	home := &forgejo.EcsHome{
		Where: where, Store: r.store, AccessPoint: pointForgejo, Server: r.postgres, PsqlImage: r.image(c.Images.Postgres), Image: r.image(settings.Image),
		Cache: r.redis, CacheAuth: r.generated.Passwords["cache"], Target: r.alb.Targets["git"], SecretsKmsKeyArn: r.key[aws.KeySecrets],
	}
	if r.gitSSH() != "" {
		home.SSH, home.SSHDomain, home.SSHHostKey = r.alb.Ssh, r.gitSSH(), r.home.generated.SSHHostKey
	}
	if r.gitSSH() != "" && r.isHome() {
		r.outputs["gitSshHostKey"] = r.generated.SSHPublicKey
	}
	service, err := forgejo.NewForgejoService(r.ctx, r.name("forgejo"), &forgejo.ServiceArgs{
		Settings: settings,
		Database: forgejo.Database{
			Host: r.postgres.Host, Port: r.postgres.Port, Name: c.Forgejo.Database, User: c.Forgejo.Database,
			Password: credentials.DatabasePassword, SSLMode: "require",
		},
		Credentials: credentials, Home: home, Tags: r.in.Tags(), Disposable: c.Disposable,
	}, r.here())
	if err != nil {
		return err
	}
	r.git, r.gitReady, r.gitURL = home, service.Ready, service.InternalURL
	if !r.writes() {
		return nil
	}
	r.outputs["gitUrl"] = service.PublicURL
	r.outputs["forgejoAdminUser"] = service.AdminUser
	r.outputs["forgejoAdminPassword"] = service.AdminPassword
	return nil
}

// gitCredentials are Forgejo's, the same in every region that it can run in.
func (r *region) gitCredentials() (*forgejo.Credentials, error) {
	if r.home.gitSecret != nil {
		return r.home.gitSecret, nil
	}
	made, err := forgejo.NewCredentials(r.ctx, "forgejo-credentials", &forgejo.CredentialsArgs{Disposable: r.home.cfg.Disposable})
	r.home.gitSecret = made
	return made, err
}

// signIn is GoTrue. Its database is made before it starts; its tables it makes itself.
func (r *region) signIn() error {
	c := r.cfg
	keys := []string{"DATABASE_PASSWORD", "GOTRUE_JWT_SECRET"}
	if c.Auth.SMTP.Host != "" {
		keys = append(keys, "GOTRUE_SMTP_PASS")
	}
	auth := r.secretRefs("auth", keys, "DATABASE_URL")
	password := auth["DATABASE_PASSWORD"] // for the container that makes the role alone
	delete(auth, "DATABASE_PASSWORD")
	database, err := aws.DatabaseBootstrap(aws.DatabaseBootstrapArgs{
		Database: r.postgres, Image: r.image(c.Images.Postgres), Name: authDatabase.Name, Role: authDatabase.Owner,
		PasswordArn: password.Arn, PasswordJSONKey: password.JSONKey, PasswordKmsKeyArn: password.KmsKeyArn, Schemas: []string{authDatabase.Schema},
	})
	if err != nil {
		return err
	}
	gotrue := aws.Container{
		Name: "gotrue", Image: r.image(c.Images.GoTrue), User: appUser, Ports: []int{goTruePort},
		Environment: texts(goTrueSettings(c)), Secrets: auth,
		Health: &aws.ContainerHealth{
			Command: []string{"CMD-SHELL", fmt.Sprintf("wget -q --spider http://127.0.0.1:%d/health", goTruePort)}, IntervalSeconds: 10, StartSeconds: 30,
		},
	}
	args := r.service(c.AWS.GoTrue)
	if tasks := r.tasks(c.AWS.GoTrue.Tasks); tasks != nil && *tasks == 0 {
		stop(&args)
	}
	args.Containers = []aws.Container{database, gotrue}
	args.Connections = append(args.Connections, r.postgres.Connection())
	args.LoadBalancers, args.DiscoveryName = []aws.ServiceLoadBalancer{{Target: r.alb.Targets["auth"], Container: "gotrue"}}, "gotrue"
	if c.Auth.SMTP.Host != "" {
		args.InternetPorts = []int{443, c.Auth.SMTP.Port}
	}
	if r.gotrue, err = aws.NewEcsService(r.ctx, r.name("gotrue"), &args, r.here()); err != nil {
		return err
	}
	if !r.writes() {
		return nil
	}
	r.outputs["authUrl"] = pulumi.Sprintf("https://%s", c.Hosts.Auth)
	return nil
}

// backend is the product's API. It signs in to PostgreSQL with its task's role.
func (r *region) backend() error {
	c := r.cfg
	name := c.AWS.Database.Name
	database, err := aws.DatabaseBootstrap(aws.DatabaseBootstrapArgs{
		Database: r.postgres, Image: r.image(c.Images.Postgres), Name: name, Role: appDatabase.Owner,
	})
	if err != nil {
		return err
	}
	app := aws.Container{
		Name: "backend", Image: r.image(c.Images.Backend), User: appUser, Ports: []int{c.Backend.Port}, Scratch: []string{"/tmp"},
		Environment: r.backendSettings(name), Secrets: r.secretRefs("backend", append(sortedNames(c.Backend.Secrets), "GOTRUE_JWT_SECRET"), "REDIS_URL"),
		Health: &aws.ContainerHealth{Command: []string{"CMD", "python", "-c",
			fmt.Sprintf("import urllib.request; urllib.request.urlopen('http://127.0.0.1:%d%s', timeout=4)", c.Backend.Port, c.Backend.HealthPath)}, IntervalSeconds: 10, StartSeconds: 60},
	}
	args := r.service(c.AWS.Backend)
	if r.beside != nil { // in phase 4 it may read while nothing may be written
		if tasks := r.tasks(c.AWS.Backend.Tasks); tasks != nil && *tasks == 0 {
			stop(&args)
		}
	}
	args.Connections = append(args.Connections, r.postgres.Connection(), r.redis.Connection())
	if r.store != nil {
		app.Mounts = []aws.Mount{{Volume: pointMemory, Path: "/data/memory"}, {Volume: pointFiles, Path: "/data/files"}}
		args.Volumes = []aws.EfsVolume{r.store.Volume(pointMemory, pointMemory), r.store.Volume(pointFiles, pointFiles)}
		args.Connections = append(args.Connections, r.store.Connection())
	}
	args.Connections = append(args.Connections, aws.Connection{Name: "gotrue", SecurityGroupID: r.gotrue.SecurityGroupID, Port: goTruePort})
	if r.git != nil && r.writes() {
		app.Environment["FORGEJO_URL"] = r.gitURL
		app.Secrets["FORGEJO_TOKEN"] = aws.SecretRef{Arn: r.git.APITokenArn}
		app.Secrets["FORGEJO_WEBHOOK_SECRET"] = aws.SecretRef{Arn: r.git.WebhookSecretArn}
		args.Connections = append(args.Connections, r.git.Connection())
		args.Ready = append(args.Ready[:len(args.Ready):len(args.Ready)], r.gitReady)
	}
	args.Containers = []aws.Container{app}
	if r.writes() {
		args.Containers = []aws.Container{database, app}
	}
	args.TaskStatements = []aws.Statement{r.postgres.ConnectStatement(appDatabase.Owner)}
	args.LoadBalancers, args.DiscoveryName = []aws.ServiceLoadBalancer{{Target: r.alb.Targets["api"], Container: "backend"}}, "backend"
	if r.app, err = aws.NewEcsService(r.ctx, r.name("backend"), &args, r.here()); err != nil {
		return err
	}
	if !r.writes() {
		return nil
	}
	r.outputs["apiUrl"] = pulumi.Sprintf("https://%s", c.Hosts.API)
	return nil
}

// backendSettings are the backend's, under the names that it has on the server too.
func (r *region) backendSettings(database string) map[string]pulumi.StringInput {
	c := r.cfg
	env := texts(c.Backend.Environment)
	for k, v := range texts(map[string]string{
		"PORT": strconv.Itoa(c.Backend.Port), "PUBLIC_URL": "https://" + c.Hosts.API, "CORS_ORIGINS": "https://" + c.Hosts.App,
		"AWS_REGION": c.AWS.Region,
		// The password is a token that AWS signs, fetched for each connection.
		"DATABASE_AUTH": "iam",
	}) {
		env[k] = v
	}
	if r.store != nil {
		env["MEMORY_PATH"], env["FILES_PATH"] = pulumi.String("/data/memory"), pulumi.String("/data/files")
	}
	if r.all != nil {
		r.all.settings(r, env)
	}
	if r.beside != nil && c.Migration.Frozen() {
		maps.Copy(env, texts(frozen))
	}
	if !r.writes() {
		env["GOTRUE_URL"] = pulumi.Sprintf("https://%s", c.Hosts.Auth)
		env["DATABASE_URL"] = pulumi.Sprintf("postgres://%s@%s:%d/%s?sslmode=require", appDatabase.Owner, r.postgres.ReaderHost, r.postgres.Port, database)
		return env
	}
	env["GOTRUE_URL"] = pulumi.Sprintf("http://%s:%d", r.gotrue.DiscoveryHost, goTruePort)
	env["DATABASE_URL"] = pulumi.Sprintf("postgres://%s@%s:%d/%s?sslmode=require", appDatabase.Owner, r.postgres.Host, r.postgres.Port, database)
	return env
}

// service is a service of the size that the configuration says.
func (r *region) service(s config.Service) aws.EcsServiceArgs {
	args := r.task()
	args.CPUUnits, args.MemoryMiB, args.DesiredCount, args.Exec = s.CPUUnits, s.MemoryMiB, &s.Tasks, s.Exec
	if s.SpotWeight > 0 {
		args.OnDemandBase, args.OnDemandWeight, args.SpotWeight = 1, 100-s.SpotWeight, s.SpotWeight
	}
	if a := s.Autoscaling; a.Enabled {
		args.Scaling = &aws.ServiceScaling{
			MinTasks: s.Tasks, MaxTasks: a.MaxTasks, CPUPercent: a.CPUPercent, MemoryPercent: a.MemoryPercent, RequestsPerTask: a.RequestsPerMinute,
		}
	}
	return args
}

// stop lets no task of a service run, whether it scales or not.
func stop(args *aws.EcsServiceArgs) {
	args.DesiredCount = new(int)
	if args.Scaling != nil {
		args.Scaling = &aws.ServiceScaling{}
	}
}

// goTrueSettings are sign-in's own, as on the server.
func goTrueSettings(c config.Config) map[string]string {
	env := map[string]string{
		"API_EXTERNAL_URL": "https://" + c.Hosts.Auth, "DB_NAMESPACE": authDatabase.Schema,
		"GOTRUE_API_HOST": "0.0.0.0", "GOTRUE_API_PORT": strconv.Itoa(goTruePort), "PORT": strconv.Itoa(goTruePort),
		"GOTRUE_DB_DRIVER": "postgres", "GOTRUE_DB_MAX_POOL_SIZE": "10",
		"GOTRUE_DISABLE_SIGNUP": strconv.FormatBool(!c.Auth.SignupEnabled), "GOTRUE_EXTERNAL_EMAIL_ENABLED": "true",
		"GOTRUE_JWT_ADMIN_ROLES": "service_role", "GOTRUE_JWT_AUD": "authenticated", "GOTRUE_JWT_DEFAULT_GROUP_NAME": "authenticated",
		"GOTRUE_JWT_EXP": strconv.Itoa(c.Auth.TokenLifetimeSeconds), "GOTRUE_LOG_LEVEL": "info",
		"GOTRUE_MAILER_AUTOCONFIRM": strconv.FormatBool(c.Auth.SMTP.Host == ""), "GOTRUE_RATE_LIMIT_HEADER": "X-Forwarded-For",
		"GOTRUE_SITE_URL": "https://" + c.Hosts.App, "GOTRUE_URI_ALLOW_LIST": "https://" + c.Hosts.App + "/**",
	}
	if smtp := c.Auth.SMTP; smtp.Host != "" {
		env["GOTRUE_SMTP_HOST"], env["GOTRUE_SMTP_PORT"], env["GOTRUE_SMTP_USER"] = smtp.Host, strconv.Itoa(smtp.Port), smtp.Username
		env["GOTRUE_SMTP_ADMIN_EMAIL"], env["GOTRUE_SMTP_SENDER_NAME"] = smtp.Sender, "Morphee"
	}
	return env
}

func texts(m map[string]string) map[string]pulumi.StringInput {
	out := map[string]pulumi.StringInput{}
	for k, v := range m {
		out[k] = pulumi.String(v)
	}
	return out
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
