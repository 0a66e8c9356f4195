package forgejo

import (
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Settings are the decisions about a Forgejo installation that hold wherever it runs.
type Settings struct {
	// Image is the pinned image, in the rootless variant ("…:13.0.2-rootless"): it runs as user
	// 1000 on both homes, so that the files of one can be moved to the other. Replaces the container.
	Image string
	// Domain is the public name, such as git.morphee.app. Clone URLs are made from it.
	Domain string
	// SSHPort is the public port for git over SSH; 0 (default) offers git over HTTPS only.
	SSHPort int
	// AdminUser is the administrator made at first start; "admin" is reserved by Forgejo.
	// Changing it makes another administrator and leaves the old one.
	AdminUser string
	// AdminEmail is the administrator's mail address.
	AdminEmail string
	// MaxUploadMiB is the largest file accepted through the web and the API, in MiB, 1 to 4096.
	MaxUploadMiB int
	// GitTimeoutSeconds bounds one git operation (clone, push, migrate), in seconds, 60 to 7200.
	GitTimeoutSeconds int
	// WebhookHosts may be called by webhooks although they are private, such as "backend".
	WebhookHosts []string
	// WebhooksInside lets webhooks call WebhookHosts and nothing public: for a copy of a Forgejo that is
	// running elsewhere. It needs at least one of WebhookHosts. Default false.
	WebhooksInside bool
	// Limits bound the container. 512 MiB and 0.5 CPUs on the Docker host.
	Limits Limits
}

// Limits bound the container or task.
type Limits struct {
	MemoryMiB int     // MiB, 256 or more
	CPUs      float64 // cores, 0.1 or more
	Pids      int     // processes and threads, 64 or more; Docker only
}

// Database is the PostgreSQL database that Forgejo finds there before its first start, owned by
// its own role.
type Database struct {
	// Host is the server's name without port, and Port its port.
	Host pulumi.StringInput
	Port int
	// Name is the database, User the role that owns it.
	Name, User string
	// Password of the role; a secret.
	Password pulumi.StringInput
	// SSLMode is disable on the host's internal network, require or verify-full elsewhere.
	SSLMode string
}

// port is the port that Forgejo's HTTP server listens on, and sshPort that of its SSH server.
const (
	port    = 3000
	sshPort = 2222
	// dataPath is where the data volume is, wherever Forgejo runs: repositories in
	// git/repositories, LFS objects in git/lfs, everything else in data.
	dataPath = "/data"
)

// RepositoriesPath is where the repositories are inside the data volume.
const RepositoriesPath = "git/repositories"

// secretSetting is a setting whose value is a secret. Docker hands it over as a file named by
// Env+"__FILE", ECS as the variable Env from Secrets Manager.
type secretSetting struct {
	Env   string // FORGEJO__section__KEY
	File  string // name of the file
	Value pulumi.StringOutput
}

// environment returns the settings that are no secrets, as Forgejo's image reads them:
// FORGEJO__section__KEY. Its start script feeds these lines to a shell, so no value may hold a
// space or a character that a shell would interpret (validate checks).
func environment(args *ServiceArgs) map[string]pulumi.StringInput {
	s, db := args.Settings, args.Database
	plain := map[string]string{
		// Where things are. The image's own place is /var/lib/gitea.
		"GITEA_WORK_DIR": dataPath,
		"GITEA_CUSTOM":   dataPath + "/custom",
		"GITEA_APP_INI":  dataPath + "/custom/conf/app.ini",
		"HOME":           dataPath + "/git",

		"FORGEJO__database__DB_TYPE":  "postgres",
		"FORGEJO__database__NAME":     db.Name,
		"FORGEJO__database__USER":     db.User,
		"FORGEJO__database__SSL_MODE": db.SSLMode,

		"FORGEJO__server__DOMAIN":           s.Domain,
		"FORGEJO__server__ROOT_URL":         "https://" + s.Domain + "/",
		"FORGEJO__server__SSH_DOMAIN":       s.Domain,
		"FORGEJO__server__HTTP_PORT":        strconv.Itoa(port),
		"FORGEJO__server__LFS_START_SERVER": "true",
		"FORGEJO__server__APP_DATA_PATH":    dataPath + "/data",
		"FORGEJO__server__OFFLINE_MODE":     "true", // no avatars or scripts from elsewhere
		"FORGEJO__lfs__PATH":                dataPath + "/git/lfs",

		"FORGEJO__service__DISABLE_REGISTRATION": "true",
		"FORGEJO__service__REQUIRE_SIGNIN_VIEW":  "true",
		"FORGEJO__openid__ENABLE_OPENID_SIGNIN":  "false",
		"FORGEJO__openid__ENABLE_OPENID_SIGNUP":  "false",

		"FORGEJO__repository__ROOT":                        dataPath + "/" + RepositoriesPath,
		"FORGEJO__repository__DEFAULT_BRANCH":              "main",
		"FORGEJO__repository__DEFAULT_PRIVATE":             "private",
		"FORGEJO__repository_0X2E_upload__FILE_MAX_SIZE":   strconv.Itoa(s.MaxUploadMiB),
		"FORGEJO__repository_0X2E_upload__TEMP_PATH":       dataPath + "/tmp/uploads",
		"FORGEJO__repository_0X2E_local__LOCAL_COPY_PATH":  dataPath + "/tmp/local-repo",
		"FORGEJO__git_0X2E_timeout__DEFAULT":               strconv.Itoa(s.GitTimeoutSeconds),
		"FORGEJO__git_0X2E_timeout__MIGRATE":               strconv.Itoa(s.GitTimeoutSeconds),
		"FORGEJO__git_0X2E_timeout__MIRROR":                strconv.Itoa(s.GitTimeoutSeconds),
		"FORGEJO__git_0X2E_timeout__CLONE":                 strconv.Itoa(s.GitTimeoutSeconds),
		"FORGEJO__git_0X2E_timeout__PULL":                  strconv.Itoa(s.GitTimeoutSeconds),
		"FORGEJO__git_0X2E_timeout__GC":                    strconv.Itoa(s.GitTimeoutSeconds),
		"FORGEJO__actions__ENABLED":                        "false", // runs nobody's code
		"FORGEJO__migrations__ALLOW_LOCALNETWORKS":         "false",
		"FORGEJO__webhook__ALLOWED_HOST_LIST":              webhookHosts(s),
		"FORGEJO__security__INSTALL_LOCK":                  "true", // the web installer never opens
		"FORGEJO__security__DISABLE_GIT_HOOKS":             "true",
		"FORGEJO__security__REVERSE_PROXY_LIMIT":           "1",
		"FORGEJO__security__REVERSE_PROXY_TRUSTED_PROXIES": "127.0.0.0/8,::1/128,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16",
		"FORGEJO__session__COOKIE_SECURE":                  "true",
		"FORGEJO__log__MODE":                               "console",
		"FORGEJO__log__LEVEL":                              "Info",
		"FORGEJO__cron_0X2E_update_checker__ENABLED":       "false",
		"FORGEJO__service__DEFAULT_USER_VISIBILITY":        "private",
		"FORGEJO__service__DEFAULT_ORG_VISIBILITY":         "private",
		"FORGEJO__server__DISABLE_SSH":                     "true",
		"FORGEJO__server__START_SSH_SERVER":                "false",
	}
	if s.SSHPort > 0 {
		plain["FORGEJO__server__DISABLE_SSH"] = "false"
		plain["FORGEJO__server__START_SSH_SERVER"] = "true"
		plain["FORGEJO__server__SSH_PORT"] = strconv.Itoa(s.SSHPort)
		plain["FORGEJO__server__SSH_LISTEN_PORT"] = strconv.Itoa(sshPort)
	}
	env := map[string]pulumi.StringInput{
		"FORGEJO__database__HOST": pulumi.Sprintf("%s:%d", db.Host, db.Port),
	}
	for k, v := range plain {
		env[k] = pulumi.String(v)
	}
	return env
}

// secretSettings returns the settings that are secrets, sorted by variable.
func secretSettings(args *ServiceArgs) []secretSetting {
	c := args.Credentials
	return []secretSetting{
		{"FORGEJO__database__PASSWD", "db_password", pulumi.ToSecret(args.Database.Password).(pulumi.StringOutput)},
		{"FORGEJO__oauth2__JWT_SECRET", "oauth2_jwt_secret", c.OAuth2JWTSecret},
		{"FORGEJO__security__INTERNAL_TOKEN", "internal_token", c.InternalToken},
		{"FORGEJO__security__SECRET_KEY", "secret_key", c.SecretKey},
		{"FORGEJO__server__LFS_JWT_SECRET", "lfs_jwt_secret", c.LFSJWTSecret},
	}
}

// webhookHosts is what webhooks may call: everything public, and the private hosts named. An empty list
// would be the default to Forgejo, which is everything public.
func webhookHosts(s Settings) string {
	list := s.WebhookHosts
	if !s.WebhooksInside {
		list = append([]string{"external"}, list...)
	}
	return strings.Join(list, ",")
}
