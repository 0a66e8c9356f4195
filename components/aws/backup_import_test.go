package aws

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/recorder"
)

// importedBackups are backups with an export and an import, of a database too.
func importedBackups(ctx *pulumi.Context, name string) (*AwsBackupsArgs, error) {
	export, err := exportArgs(ctx, name)
	if err != nil {
		return nil, err
	}
	export.Database, err = NewAuroraOrRds(ctx, name+"-database", databaseArgs(EngineRds, nil))
	if err != nil {
		return nil, err
	}
	export.Databases = []string{"app", "auth", "forgejo"}
	args := backupsArgs()
	args.Export, args.Import = export, &BackupImport{Databases: map[string]string{"morphee": "app", "auth": "auth", "forgejo": "forgejo"}}
	return args, nil
}

func TestImportIntoAws(t *testing.T) {
	commands := make(chan string, 4)
	list := register(t, func(ctx *pulumi.Context) error {
		for _, name := range []string{"a", "b"} {
			args, err := importedBackups(ctx, name)
			if err != nil {
				return err
			}
			if name == "b" {
				args.Import = &BackupImport{FilesBucket: pulumi.String("uploads"), FilesPrefix: "app/files", FilesKmsKeyArn: keyArn("uploads"), ScratchGiB: 50}
			}
			made, err := NewAwsBackups(ctx, name, args)
			if err != nil {
				return err
			}
			for _, c := range []pulumi.StringOutput{made.ImportCommand, made.ExportCommand} {
				c.ApplyT(func(text string) string { commands <- text; return text })
			}
		}
		return nil
	})
	n := recorder.Count(list)
	for typ, want := range map[string]int{
		OneOffTaskType: 2, ScheduledTaskType: 2, "aws:scheduler/schedule:Schedule": 2, "aws:ecs/taskDefinition:TaskDefinition": 4, "aws:ecs/service:Service": 0,
		"aws:secretsmanager/secret:Secret": 8, // those of the export
	} {
		if n[typ] != want {
			t.Errorf("%d of %s, want %d", n[typ], typ, want)
		}
	}
	a, b := importContainer(t, list, "a"), importContainer(t, list, "b")
	for _, c := range []importedContainer{a, b} {
		if c.Name != "import" || !c.ReadonlyRootFilesystem || c.User != "1000:1000" || !slices.Equal(c.Command, []string{"list"}) || !strings.HasSuffix(c.EntryPoint[2], "exec import \"$@\"\n") || c.env("PGUSER") != "morphee_admin" || c.env("PGSSLMODE") != "require" {
			t.Errorf("the import's container: %+v", c)
		}
		for _, secret := range []string{"key-id-of-the-bucket", "key-of-the-bucket", "the-key-that-encrypts", "with-a-key"} {
			if strings.Contains(c.text, secret) {
				t.Errorf("the task definition shows %s", secret)
			}
		}
		if names := c.secrets(); names != "FILE_encryption_key FILE_postgres_password FILE_remote_access_key_id FILE_remote_secret_access_key" {
			t.Errorf("the import is handed %s", names)
		}
	}
	if a.env("DATABASES") != "auth=auth forgejo=forgejo morphee=app" || a.env("FILES_TO") != "" || a.targets() != "/targets/files /targets/forgejo" {
		t.Errorf("the import is told %+v", a)
	}
	if b.env("DATABASES") != "app auth forgejo" || b.env("FILES_TO") != "s3:uploads/app/files" || b.env("FILES_SOURCES") != "files" || b.targets() != "/targets/forgejo" {
		t.Errorf("the import into a bucket is told %+v", b)
	}
	importRights(t, list)
	importCommands(t, commands)
}

type importedContainer struct {
	text                   string
	Name, User             string
	ReadonlyRootFilesystem bool
	EntryPoint, Command    []string
	MountPoints            []struct {
		ContainerPath string
		ReadOnly      bool
	}
	Secrets     []struct{ Name string }
	Environment []struct{ Name, Value string }
}

func importContainer(t *testing.T, list []recorder.Resource, name string) importedContainer {
	t.Helper()
	text, _ := recorder.Must(t, list, "aws:ecs/taskDefinition:TaskDefinition", name+"-import-task").Input("containerDefinitions").(string)
	var all []importedContainer
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	c := all[len(all)-1]
	c.text = text
	return c
}

func (c importedContainer) env(name string) string {
	for _, e := range c.Environment {
		if e.Name == name {
			return e.Value
		}
	}
	return ""
}

func (c importedContainer) secrets() string {
	var names []string
	for _, s := range c.Secrets {
		names = append(names, s.Name)
	}
	return strings.Join(names, " ")
}

// targets are the writable mounts below /targets.
func (c importedContainer) targets() string {
	var paths []string
	for _, m := range c.MountPoints {
		if strings.HasPrefix(m.ContainerPath, "/targets") && !m.ReadOnly {
			paths = append(paths, m.ContainerPath)
		}
	}
	slices.Sort(paths)
	return strings.Join(paths, " ")
}

// importRights are what the tasks may do: write where they import to, and nowhere else.
func importRights(t *testing.T, list []recorder.Resource) {
	t.Helper()
	a := policyOf(t, recorder.Must(t, list, "aws:iam/rolePolicy:RolePolicy", "a-import-role-policy"), "policy")
	for _, sid := range []string{"MountForgejo", "MountFiles"} {
		if text, _ := json.Marshal(statement(t, a, sid)); !strings.Contains(string(text), "ClientWrite") || !strings.Contains(string(text), "AccessPointArn") {
			t.Errorf("the import's rights: %s", text)
		}
	}
	text, _ := json.Marshal(policyOf(t, recorder.Must(t, list, "aws:iam/rolePolicy:RolePolicy", "b-import-role-policy"), "policy"))
	for _, want := range []string{`"arn:aws:s3:::uploads/app/files/*"`, `"s3:prefix":["app/files/*"]`, "key/uploads", "s3:PutObject", "MountForgejo"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the rights of an import into a bucket lack %s: %s", want, text)
		}
	}
	if strings.Contains(string(text), "MountFiles") {
		t.Errorf("an import into a bucket may write to the file system's files: %s", text)
	}
	for _, to := range []string{"database", "files"} {
		recorder.Must(t, list, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "a-import-sg-"+to+"-in")
	}
}

// importCommands are ready to be run: quoted for a shell, with what the network needs.
func importCommands(t *testing.T, commands chan string) {
	t.Helper()
	if len(commands) != 4 {
		t.Fatalf("%d commands, want 4", len(commands))
	}
	imports := 0
	for range 4 {
		command := <-commands
		out, err := exec.Command("sh", "-c", `aws() { printf '%s\n' "$@"; }; `+command).Output()
		if err != nil {
			t.Fatalf("%s: %v", command, err)
		}
		words := strings.Split(strings.TrimSpace(string(out)), "\n")
		value := func(option string) string {
			if i := slices.Index(words, option); i >= 0 && i+1 < len(words) {
				return words[i+1]
			}
			return ""
		}
		if network := value("--network-configuration"); !strings.HasPrefix(network, "awsvpcConfiguration={subnets=[s-a,s-b],securityGroups=[") || !strings.HasSuffix(network, "-sg-id],assignPublicIp=DISABLED}") {
			t.Errorf("the network is %s", network)
		}
		if !strings.HasPrefix(value("--cluster"), "arn:aws:") || value("--region") != testRegion || !strings.HasPrefix(value("--task-definition"), "morphee-test-") {
			t.Errorf("the command is %s", command)
		}
		if text := value("--overrides"); text != "" {
			imports++
			var overrides struct {
				ContainerOverrides []struct {
					Name    string
					Command []string
				}
			}
			if err := json.Unmarshal([]byte(text), &overrides); err != nil || overrides.ContainerOverrides[0].Name != "import" || overrides.ContainerOverrides[0].Command[0] != "STAMP" {
				t.Errorf("the overrides are %s: %v", text, err)
			}
		}
	}
	if imports != 2 {
		t.Errorf("%d commands of imports, want 2", imports)
	}
}

// What a task is told when it is started are the program's arguments; its secrets are files.
func TestImportScript(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "import"), []byte("#!/bin/sh\nenv\nprintf '<%s>' \"$@\"\ncat $SECRETS_DIR/encryption_key\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	run := exec.Command("bash", "-c", secretsScript+importScript, "import", "20260220T031500Z", "--older")
	run.Env = []string{"PATH=" + dir + ":/usr/bin:/bin", "SECRETS_DIR=" + dir, "FILE_encryption_key=the key"}
	out, err := run.CombinedOutput()
	if text := string(out); err != nil || !strings.Contains(text, "<20260220T031500Z><--older>the key") || strings.Contains(text, "FILE_") {
		t.Errorf("%v: %s", err, text)
	}
}

func TestImportRefuses(t *testing.T) {
	for field, spoil := range map[string]func(*AwsBackupsArgs){
		"Import: got no Export":           func(a *AwsBackupsArgs) { a.Export = nil },
		"Import.Databases.morphee: got x": func(a *AwsBackupsArgs) { a.Import.Databases["morphee"] = "x" },
		"Import.Databases.a b":            func(a *AwsBackupsArgs) { a.Import.Databases["a b"] = "app" },
		"Import.ScratchGiB: got 20":       func(a *AwsBackupsArgs) { a.Import.ScratchGiB = 20 },
		"Import.FilesPrefix":              func(a *AwsBackupsArgs) { a.Import.FilesBucket = pulumi.String("uploads") },
		"Import.FilesPrefix: got /x/": func(a *AwsBackupsArgs) {
			a.Import.FilesBucket, a.Import.FilesPrefix = pulumi.String("uploads"), "/x/"
		},
		"Import.FilesBucket": func(a *AwsBackupsArgs) {
			a.Import.FilesBucket, a.Import.FilesPrefix, a.Export.FilesAccessPoints = pulumi.String("uploads"), "x", nil
		},
	} {
		list, err := (&recorder.Recorder{Outputs: recorder.Computed}).Run(func(ctx *pulumi.Context) error {
			args, err := importedBackups(ctx, "a")
			if err != nil {
				return err
			}
			spoil(args)
			_, err = NewAwsBackups(ctx, "a", args)
			return err
		})
		wantError(t, err, field)
		if n := recorder.Count(list)[AwsBackupsType]; n != 0 {
			t.Errorf("%s: registered all the same", field)
		}
	}
}
