package aws

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/recorder"
)

func hidden(s string) pulumi.StringOutput {
	return pulumi.ToSecret(pulumi.String(s)).(pulumi.StringOutput)
}

func backupsArgs() *AwsBackupsArgs {
	return &AwsBackupsArgs{
		AccountID: pulumi.String(testAccount), Region: testRegion, KmsKeyArn: keyArn("backups"),
		DatabaseArn: pulumi.String("arn:aws:rds:db"), FileSystemArn: pulumi.String("arn:aws:efs:fs"), Tags: testTags,
	}
}

// exportArgs are an export of the databases and files made with the other components.
func exportArgs(ctx *pulumi.Context, name string) (*BackupExport, error) {
	cluster, err := NewEcsCluster(ctx, name+"-cluster", &EcsClusterArgs{Tags: testTags})
	if err != nil {
		return nil, err
	}
	store, err := NewEfsRepoStore(ctx, name+"-store", &EfsRepoStoreArgs{
		VpcID: pulumi.String("vpc"), KmsKeyArn: keyArn("files"), Tags: testTags,
		Subnets:      []ZoneSubnet{{Zone: "eu-central-1a", Letter: "a", ID: out("s-a")}, {Zone: "eu-central-1b", Letter: "b", ID: out("s-b")}},
		AccessPoints: map[string]EfsAccessPoint{"forgejo": {Path: "/forgejo"}, "files": {Path: "/files"}},
	})
	if err != nil {
		return nil, err
	}
	return &BackupExport{
		Task: EcsServiceArgs{
			Cluster: cluster, VpcID: pulumi.String("vpc"), SubnetIDs: pulumi.ToStringArray([]string{"s-a", "s-b"}), LogKmsKeyArn: keyArn("logs"), AccountID: pulumi.String(testAccount),
		},
		Image: pulumi.String("ghcr.io/morphee-app/backup:1.0.0"), Store: store, GitAccessPoints: []string{"forgejo"}, FilesAccessPoints: []string{"files"}, Excludes: map[string][]string{"forgejo": {"./tmp", "./log"}},
		Bucket: pulumi.String("morphee-backups"), Endpoint: pulumi.String("https://r2.example"), Region: pulumi.String("auto"),
		AccessKeyID: hidden("key-id-of-the-bucket"), SecretAccessKey: hidden("key-of-the-bucket"), EncryptionKey: hidden("the-key-that-encrypts-every-copy"),
		WebhookURL: hidden("https://hooks.example/with-a-key"), SecretsKmsKeyArn: keyArn("secrets"),
	}, nil
}

func TestAwsBackupsTwice(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		args := backupsArgs()
		args.VaultLock, args.FileCopyArn = true, pulumi.String("arn:aws:efs:copy")
		if _, err := NewAwsBackups(ctx, "a", args); err != nil {
			return err
		}
		args = backupsArgs()
		args.Disposable, args.FileSystemArn = true, nil
		_, err := NewAwsBackups(ctx, "b", args)
		return err
	})
	recorder.ExpectCounts(t, list, map[string]int{
		AwsBackupsType: 2, "aws:backup/vault:Vault": 2, "aws:backup/vaultPolicy:VaultPolicy": 1, "aws:backup/vaultLockConfiguration:VaultLockConfiguration": 1,
		"aws:backup/plan:Plan": 3, "aws:backup/selection:Selection": 4, "aws:iam/role:Role": 2, "aws:iam/rolePolicyAttachment:RolePolicyAttachment": 4,
	})
	vault := recorder.Must(t, list, "aws:backup/vault:Vault", "a-vault")
	if key, _ := vault.Input("kmsKeyArn").(string); !vault.Protect || vault.Input("forceDestroy") != false || !strings.HasSuffix(key, "key/backups") {
		t.Errorf("vault: protect %v, key %s", vault.Protect, key)
	}
	if b := recorder.Must(t, list, "aws:backup/vault:Vault", "b-vault"); b.Protect || b.Input("forceDestroy") != true {
		t.Error("a disposable vault could not be deleted")
	}
	keep := policyOf(t, recorder.Must(t, list, "aws:backup/vaultPolicy:VaultPolicy", "a-vault-policy"), "policy")[0]
	if actions, _ := json.Marshal(keep.Action); keep.Effect != "Deny" || !strings.Contains(string(actions), "backup:DeleteRecoveryPoint") {
		t.Errorf("recovery points can be deleted early: %+v", keep)
	}
	recorder.Expect(t, recorder.Must(t, list, "aws:backup/vaultLockConfiguration:VaultLockConfiguration", "a-vault-lock"), map[string]any{"minRetentionDays": 14, "changeableForDays": nil})
	for what, days := range map[string]int{"database": 30, "files": 14} {
		recorder.Expect(t, recorder.Must(t, list, "aws:backup/plan:Plan", "a-"+what+"-plan"), map[string]any{
			"rules.0.lifecycle.deleteAfter": days, "rules.0.schedule": "cron(0 3 * * ? *)", "rules.0.enableContinuousBackup": nil,
		})
	}
	recorder.Expect(t, recorder.Must(t, list, "aws:backup/selection:Selection", "a-files-selection"), map[string]any{"resources.0": "arn:aws:efs:fs"})
	// Beside the first one, under the same plan.
	recorder.Expect(t, recorder.Must(t, list, "aws:backup/selection:Selection", "a-files-copy-selection"), map[string]any{"resources.0": "arn:aws:efs:copy", "resources.1": nil})
	trust := policyOf(t, recorder.Must(t, list, "aws:iam/role:Role", "a-role"), "assumeRolePolicy")[0]
	if trust.Condition["StringEquals"]["aws:SourceAccount"] == nil {
		t.Errorf("another account could use the role: %+v", trust)
	}
}

func TestExportOutOfAws(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		for _, name := range []string{"a", "b"} {
			export, err := exportArgs(ctx, name)
			if err != nil {
				return err
			}
			args := backupsArgs()
			args.Export = export
			if _, err := NewAwsBackups(ctx, name, args); err != nil {
				return err
			}
		}
		return nil
	})
	n := recorder.Count(list)
	for typ, want := range map[string]int{
		ScheduledTaskType: 2, "aws:scheduler/schedule:Schedule": 2, "aws:scheduler/scheduleGroup:ScheduleGroup": 2, "aws:ecs/taskDefinition:TaskDefinition": 2,
		"aws:secretsmanager/secret:Secret": 8, "aws:ecs/service:Service": 0,
	} {
		if n[typ] != want {
			t.Errorf("%d of %s, want %d", n[typ], typ, want)
		}
	}
	recorder.Expect(t, recorder.Must(t, list, "aws:scheduler/schedule:Schedule", "a-export-schedule"), map[string]any{
		"scheduleExpression": "cron(15 3 * * ? *)", "scheduleExpressionTimezone": "UTC", "target.ecsParameters.launchType": "FARGATE",
		"target.ecsParameters.networkConfiguration.assignPublicIp": false, "target.ecsParameters.networkConfiguration.subnets.0": "s-a",
		"target.retryPolicy.maximumRetryAttempts": 3,
	})
	task := recorder.Must(t, list, "aws:ecs/taskDefinition:TaskDefinition", "a-export-task")
	text, _ := task.Input("containerDefinitions").(string)
	for _, secret := range []string{"key-id-of-the-bucket", "key-of-the-bucket", "the-key-that-encrypts", "with-a-key"} {
		if strings.Contains(text, secret) {
			t.Errorf("the task definition shows %s", secret)
		}
	}
	var containers []struct {
		Name                   string
		ReadonlyRootFilesystem bool
		User                   string
		MountPoints            []struct {
			ContainerPath string
			ReadOnly      bool
		}
		Secrets     []struct{ Name string }
		Environment []struct{ Name, Value string }
	}
	if err := json.Unmarshal([]byte(text), &containers); err != nil {
		t.Fatal(err)
	}
	last := containers[len(containers)-1]
	if last.Name != "export" || !last.ReadonlyRootFilesystem || last.User != "1000:1000" || len(last.Secrets) != 4 {
		t.Errorf("the export's container: %+v", last)
	}
	for _, m := range last.MountPoints {
		if strings.HasPrefix(m.ContainerPath, "/sources/") && !m.ReadOnly {
			t.Errorf("the export may write to %s", m.ContainerPath)
		}
	}
	env := map[string]string{}
	for _, e := range last.Environment {
		env[e.Name] = e.Value
	}
	if env["GIT_SOURCES"] != "forgejo" || env["EXCLUDES"] != "forgejo:./tmp\nforgejo:./log" || env["FILES_SOURCES"] != "files" || env["REMOTE_PATH"] != "morphee-backups" || env["POSTGRES_DAYS"] != "30" || env["GIT_DAYS"] != "14" {
		t.Errorf("the export is told %v", env)
	}
	// Whoever starts the task may start only this one, and hand over only its roles.
	policy := policyOf(t, recorder.Must(t, list, "aws:iam/rolePolicy:RolePolicy", "a-export-starter-policy"), "policy")
	if s := statement(t, policy, "RunTask"); s.Condition["ArnEquals"]["ecs:cluster"] == nil {
		t.Errorf("the scheduler may run the task anywhere: %+v", s)
	}
	if s := statement(t, policy, "HandOverRoles"); s.Condition["StringEquals"]["iam:PassedToService"] == nil {
		t.Errorf("the scheduler may hand roles to anyone: %+v", s)
	}
	for _, s := range policyOf(t, recorder.Must(t, list, "aws:iam/rolePolicy:RolePolicy", "a-export-role-policy"), "policy") {
		if b, _ := json.Marshal(s.Action); strings.Contains(string(b), "ClientWrite") {
			t.Errorf("the export may write to the file system: %+v", s)
		}
	}
}

func TestAwsBackupsRefuse(t *testing.T) {
	for field, spoil := range map[string]func(*AwsBackupsArgs){
		"KmsKeyArn":    func(a *AwsBackupsArgs) { a.KmsKeyArn = nil },
		"DatabaseArn":  func(a *AwsBackupsArgs) { a.DatabaseArn, a.FileSystemArn = nil, nil },
		"FileCopyArn":  func(a *AwsBackupsArgs) { a.FileSystemArn, a.FileCopyArn = nil, pulumi.String("arn:aws:efs:copy") },
		"DatabaseDays": func(a *AwsBackupsArgs) { a.DatabaseDays = 4000 },
		"FilesDays":    func(a *AwsBackupsArgs) { a.FilesDays = -1 },
		"Cron":         func(a *AwsBackupsArgs) { a.Cron = "15 3 * * *" },
		"Export.Image": func(a *AwsBackupsArgs) { a.Export = &BackupExport{} },
		"Region":       func(a *AwsBackupsArgs) { a.Region = "europe" },
	} {
		recorder.Refuses(t, field, func(ctx *pulumi.Context) error {
			args := backupsArgs()
			spoil(args)
			_, err := NewAwsBackups(ctx, "a", args)
			return err
		})
	}
}
