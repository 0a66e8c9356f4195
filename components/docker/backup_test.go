package docker

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/recorder"
)

func backupArgs(p *Platform) *BackupJobArgs {
	return &BackupJobArgs{
		Platform: p, Image: "registry.example/backup:1.0.0", Limits: testLimits, Schedule: "03:05",
		Databases: []string{"morphee", "auth", "forgejo"}, PostgresHost: pulumi.String("morphee-postgres"), PostgresPassword: pulumi.String(canary + "-postgres"),
		Sources: []BackupSource{
			{Name: "memory", Kind: BackupGit, Volume: pulumi.String("backend-memory")},
			{Name: "files", Kind: BackupFiles, Volume: pulumi.String("backend-files")},
			{Name: "forgejo", Kind: BackupGit, Volume: pulumi.String("forgejo-data"), Excludes: []string{"./tmp", "./log"}},
		},
		EncryptionKey: pulumi.String(canary + "-key"),
		Remote: BackupRemote{
			Endpoint: pulumi.String("https://r2.example"), Region: pulumi.String("auto"), Bucket: pulumi.String("bucket"),
			AccessKeyID: pulumi.String(canary + "-id"), SecretAccessKey: pulumi.String(canary + "-secret"),
		},
		WebhookURL: pulumi.String("https://hook.example/" + canary),
	}
}

func TestBackupJobTwice(t *testing.T) {
	list := record(t, func(ctx *pulumi.Context) error {
		p, err := testPlatform(ctx, "platform", ProxyTraefik)
		if err != nil {
			return err
		}
		if _, err := NewBackupJob(ctx, "backup", backupArgs(p), pulumi.Parent(p)); err != nil {
			return err
		}
		second := backupArgs(p)
		second.ContainerName, second.WebhookURL, second.Remote.Prefix, second.Schedule = "second", nil, "morphee/dev", "00:00"
		second.LocalRetentionDays, second.PostgresRetentionDays, second.GitRetentionDays, second.FilesRetentionDays = 3, 60, 20, 10
		_, err = NewBackupJob(ctx, "second", second, pulumi.Parent(p))
		return err
	})
	count := recorder.Count(list)
	for typ, want := range map[string]int{BackupJobType: 2, ServiceType: 2, containerType: 4, volumeType: 4, imageType: 2, passwordType: 0} {
		if count[typ] != want {
			t.Errorf("%d %s, want %d", count[typ], typ, want)
		}
	}
	for _, o := range recorder.Orphans(list) {
		if !strings.HasPrefix(o, "pulumi:providers:") {
			t.Errorf("%s has no component above it", o)
		}
	}
	for _, r := range list {
		for k, v := range r.Inputs {
			if strings.Contains(recorder.PlainText(v), canary) {
				t.Errorf("%s %s: %s holds a secret in plain", r.Type, r.Name, k)
			}
		}
	}

	c := container(t, list, "backup-service-container")
	env := fmt.Sprint(c.Input("envs"))
	for _, want := range []string{
		"SCHEDULE=5 3 * * *", "DATABASES=morphee auth forgejo", "GIT_SOURCES=memory forgejo", "FILES_SOURCES=files",
		"EXCLUDES=forgejo:./tmp|forgejo:./log", "PGHOST=morphee-postgres", "PGPORT=5432", "PGUSER=postgres", "REMOTE_PATH=bucket", "REMOTE_REGION=auto",
		"REMOTE_ENDPOINT=https://r2.example", "REMOTE_PROVIDER=Cloudflare", "REMOTE_TYPE=s3", "MAX_AGE_HOURS=26", "NAME=morphee-test",
		"LOCAL_DAYS=7", "POSTGRES_DAYS=30", "GIT_DAYS=14", "FILES_DAYS=14",
	} {
		if !slices.Contains(asList(c.Input("envs")), any(want)) {
			t.Errorf("the environment lacks %q: %s", want, env)
		}
	}
	for path, want := range map[string]any{
		"readOnly": true, "privileged": false, "user": "0:0", "capabilities.drops.0": "ALL", "capabilities.adds.0": "CAP_DAC_OVERRIDE", "capabilities.adds.1": nil,
		"healthcheck.tests.1": "backup-health", "ports": nil, "restart": "unless-stopped",
	} {
		if got := c.Input(path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	if n := len(asList(c.Input("networksAdvanced"))); n != 2 {
		t.Errorf("on %d networks, want PostgreSQL's and the one that leads out", n)
	}
	mounts := map[string]bool{}
	for _, v := range asList(c.Input("volumes")) {
		m := v.(map[string]any)
		mounts[fmt.Sprint(m["containerPath"])] = m["readOnly"] == true
	}
	for path, readOnly := range map[string]bool{"/backups": false, "/sources/memory": true, "/sources/files": true, "/sources/forgejo": true, "/run/secrets": true} {
		if got, ok := mounts[path]; !ok || got != readOnly {
			t.Errorf("%s is mounted: %v, read-only: %v", path, ok, got)
		}
	}
	uploads := func(name string) string {
		return fmt.Sprint(container(t, list, name+"-service-secrets-loader").Input("uploads"))
	}
	for _, file := range []string{"encryption_key", "postgres_password", "remote_access_key_id", "remote_secret_access_key", "webhook_url"} {
		if !strings.Contains(uploads("backup"), "/run/secrets/"+file) {
			t.Errorf("no file %s", file)
		}
	}
	if strings.Contains(uploads("second"), "webhook_url") {
		t.Error("a webhook nobody asked for")
	}
	second := asList(container(t, list, "second-service-container").Input("envs"))
	for _, want := range []string{"REMOTE_PATH=bucket/morphee/dev", "SCHEDULE=0 0 * * *", "LOCAL_DAYS=3", "POSTGRES_DAYS=60", "GIT_DAYS=20", "FILES_DAYS=10"} {
		if !slices.Contains(second, any(want)) {
			t.Errorf("the second environment lacks %q: %v", want, second)
		}
	}
	data, err := recorder.Find(list, volumeType, "backup-data")
	if err != nil || !data.Protect {
		t.Errorf("the local copies are not protected: %v", err)
	}
}

func container(t *testing.T, list []recorder.Resource, name string) recorder.Resource {
	t.Helper()
	r := recorder.Must(t, list, containerType, name)
	return r
}

func TestBackupJobPaused(t *testing.T) {
	list := record(t, func(ctx *pulumi.Context) error {
		p, err := testPlatform(ctx, "platform", ProxyTraefik)
		if err != nil {
			return err
		}
		a := backupArgs(p)
		a.Paused = true
		_, err = NewBackupJob(ctx, "backup", a, pulumi.Parent(p))
		return err
	})
	c := container(t, list, "backup-service-container")
	if !slices.Contains(asList(c.Input("envs")), any("SCHEDULE=never")) || c.Input("healthcheck.tests.1") != "backup-health" {
		t.Errorf("a paused backup runs all the same: %v", c.Input("envs"))
	}
}

func TestBackupJobRefuses(t *testing.T) {
	for want, change := range map[string]func(*BackupJobArgs){
		`Platform: got`:                       func(a *BackupJobArgs) { a.Platform = nil },
		`Schedule: got "25:00"`:               func(a *BackupJobArgs) { a.Schedule = "25:00" },
		`Paused: got with Stopped`:            func(a *BackupJobArgs) { a.Paused, a.Stopped = true, true },
		`Databases: got none`:                 func(a *BackupJobArgs) { a.Databases = nil },
		`Databases[1]: got "morphee"`:         func(a *BackupJobArgs) { a.Databases = []string{"morphee", "morphee"} },
		`Databases[0]: got "a b"`:             func(a *BackupJobArgs) { a.Databases = []string{"a b"} },
		`Databases[0]: got "globals"`:         func(a *BackupJobArgs) { a.Databases = []string{"globals"} },
		`Sources[1]: got "memory"`:            func(a *BackupJobArgs) { a.Sources[1].Name = "memory" },
		`Sources[0]: got "../x"`:              func(a *BackupJobArgs) { a.Sources[0].Name = "../x" },
		`Sources[0]: got kind "mail"`:         func(a *BackupJobArgs) { a.Sources[0].Kind = "mail" },
		`Sources[0]: got "memory" without`:    func(a *BackupJobArgs) { a.Sources[0].Volume = nil },
		`Sources[2]: got exclude "tmp"`:       func(a *BackupJobArgs) { a.Sources[2].Excludes = []string{"tmp"} },
		`EncryptionKey: got nothing`:          func(a *BackupJobArgs) { a.EncryptionKey = nil },
		`PostgresHost: got nothing`:           func(a *BackupJobArgs) { a.PostgresHost = nil },
		`PostgresPassword: got nothing`:       func(a *BackupJobArgs) { a.PostgresPassword = nil },
		`PostgresPort: got -1`:                func(a *BackupJobArgs) { a.PostgresPort = -1 },
		`Remote.Bucket: got nothing`:          func(a *BackupJobArgs) { a.Remote.Bucket = nil },
		`Remote.Region: got nothing`:          func(a *BackupJobArgs) { a.Remote.Region = nil },
		`Remote.AccessKeyID: got nothing`:     func(a *BackupJobArgs) { a.Remote.AccessKeyID = nil },
		`Remote.SecretAccessKey: got nothing`: func(a *BackupJobArgs) { a.Remote.SecretAccessKey = nil },
		`Remote.Endpoint: got nothing`:        func(a *BackupJobArgs) { a.Remote.Endpoint = nil },
		`Remote.Provider: got "FTP"`:          func(a *BackupJobArgs) { a.Remote.Provider = "FTP" },
		`Remote.Prefix: got "/x/"`:            func(a *BackupJobArgs) { a.Remote.Prefix = "/x/" },
		`LocalRetentionDays: got 91`:          func(a *BackupJobArgs) { a.LocalRetentionDays = 91 },
		`PostgresRetentionDays: got -1`:       func(a *BackupJobArgs) { a.PostgresRetentionDays = -1 },
		`GitRetentionDays: got -1`:            func(a *BackupJobArgs) { a.GitRetentionDays = -1 },
		`FilesRetentionDays: got 4000`:        func(a *BackupJobArgs) { a.FilesRetentionDays = 4000 },
	} {
		list, err := recorder.Run(func(ctx *pulumi.Context) error {
			p, err := testPlatform(ctx, "platform", ProxyTraefik)
			if err != nil {
				return err
			}
			a := backupArgs(p)
			change(a)
			_, err = NewBackupJob(ctx, "backup", a)
			return err
		})
		if err == nil || !strings.Contains(err.Error(), `BackupJob "backup": `+want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
		if n := recorder.Count(list)[BackupJobType]; n != 0 {
			t.Errorf("%s: registered all the same", want)
		}
	}
}
