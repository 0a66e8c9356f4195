package aws

import (
	_ "embed" // the script
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

//go:embed backup_import.sh
var importScript string

// BackupImport brings one copy from the export's bucket into AWS: a task, started by hand, that
// restores the databases and writes the files, each as an exact copy. Run again it goes on where it was
// interrupted, and then changes nothing. The services must not be running meanwhile.
type BackupImport struct {
	// Databases are what the copy's databases are called here; each must be one of the export's.
	// Default: the export's names.
	Databases map[string]string
	// ScratchGiB holds the largest part of a copy, and with FilesBucket all uploaded files too, 21 to
	// 200; default 0, Fargate's own 20.
	ScratchGiB int
	// FilesBucket gets the uploaded files, instead of their access point: for backends that keep them
	// there. Of it, FilesPrefix (required with it) becomes an exact copy. FilesKmsKeyArn is the
	// bucket's customer key; nil for none.
	FilesBucket    pulumi.StringInput
	FilesPrefix    string
	FilesKmsKeyArn pulumi.StringInput
}

var filesPrefixPattern = regexp.MustCompile(`^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$`)

func (i *BackupImport) validate(p *base.Problems, e *BackupExport) {
	if e == nil {
		p.Require(false, "Import", "no Export", "an Export, whose bucket the copies are in", "morphee:backups.enabled")
		return
	}
	for _, name := range sortedKeys(i.Databases) {
		target := i.Databases[name]
		p.Require(sqlName.MatchString(name) && slices.Contains(e.Databases, target), "Import.Databases."+name, target, "a database's name in the copy, and one of the export's databases", "")
	}
	p.Require(i.ScratchGiB == 0 || i.ScratchGiB >= 21 && i.ScratchGiB <= 200, "Import.ScratchGiB", i.ScratchGiB, "0, or 21 to 200", "")
	p.Require((i.FilesBucket == nil) == (i.FilesPrefix == ""), "Import.FilesPrefix", i.FilesPrefix, "a path, exactly with a FilesBucket", "")
	if i.FilesBucket != nil {
		p.Require(filesPrefixPattern.MatchString(i.FilesPrefix), "Import.FilesPrefix", i.FilesPrefix, "a path without slashes at its ends", "")
		p.Require(len(e.FilesAccessPoints) == 1, "Import.FilesBucket", e.FilesAccessPoints, "one access point with uploaded files", "")
	}
}

// bringIn registers the task.
func (c *AwsBackups) bringIn(ctx *pulumi.Context, name string, args *AwsBackupsArgs, secrets *Secrets) error {
	i, e := args.Import, args.Export
	points := e.sources()
	if i.FilesBucket != nil {
		points = e.GitAccessPoints
	}
	task := e.task(args, i.container(e, secrets, points, args.Region), points, false)
	task.EphemeralGiB = i.ScratchGiB
	task.TaskStatements = append(slices.Clone(task.TaskStatements), i.statements(args.Region)...)
	var err error
	if c.Import, err = NewOneOffTask(ctx, name, &task, "STAMP", pulumi.Parent(c)); err != nil {
		return err
	}
	c.ImportCommand = c.Import.Command
	return nil
}

func (i *BackupImport) container(e *BackupExport, secrets *Secrets, points []string, region string) Container {
	c := e.tool("import", importScript, secrets)
	// What is told when it is started takes the place of the command, and is the program's arguments.
	c.EntryPoint, c.Command = append(c.EntryPoint, c.Command[0], "import"), []string{"list"}
	for k, v := range map[string]string{
		"TARGETS_DIR": "/targets", "DATABASES": i.databases(e), "GIT_SOURCES": strings.Join(e.GitAccessPoints, " "), "FILES_SOURCES": strings.Join(e.FilesAccessPoints, " "),
	} {
		c.Environment[k] = pulumi.String(v)
	}
	if i.FilesBucket != nil {
		c.Environment["FILES_TO"], c.Environment["AWS_REGION"] = pulumi.Sprintf("s3:%s/%s", i.FilesBucket, i.FilesPrefix), pulumi.String(region)
	}
	for _, point := range points {
		c.Mounts = append(c.Mounts, Mount{Volume: point, Path: "/targets/" + point})
	}
	return c
}

// databases are as the program reads them: NAME, or NAME=TARGET.
func (i *BackupImport) databases(e *BackupExport) string {
	if len(i.Databases) == 0 {
		return strings.Join(e.Databases, " ")
	}
	var list []string
	for _, name := range sortedKeys(i.Databases) {
		list = append(list, name+"="+i.Databases[name])
	}
	return strings.Join(list, " ")
}

// statements let the task write uploaded files to their bucket.
func (i *BackupImport) statements(region string) []Statement {
	if i.FilesBucket == nil {
		return nil
	}
	list := []Statement{{
		Sid: "ListFiles", Actions: []string{"s3:ListBucket"}, Resources: arns(pulumi.Sprintf("arn:aws:s3:::%s", i.FilesBucket)),
		Conditions: condition("StringLike", "s3:prefix", pulumi.String(i.FilesPrefix+"/*")),
	}, {
		Sid: "WriteFiles", Actions: []string{"s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"},
		Resources: arns(pulumi.Sprintf("arn:aws:s3:::%s/%s/*", i.FilesBucket, i.FilesPrefix)),
	}}
	if i.FilesKmsKeyArn != nil {
		list = append(list, Statement{
			Sid: "EncryptFiles", Actions: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resources: arns(i.FilesKmsKeyArn),
			Conditions: condition("StringEquals", "kms:ViaService", pulumi.String("s3."+region+".amazonaws.com")),
		})
	}
	return list
}
