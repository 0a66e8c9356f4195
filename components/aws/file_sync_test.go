package aws

import (
	"fmt"
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/recorder"
)

const (
	efsLocation  = "aws:datasync/efsLocation:EfsLocation"
	dataSyncTask = "aws:datasync/task:Task"
)

// fileEnds are two file systems that DataSync may enter, in two regions.
func fileEnds(ctx *pulumi.Context, name string) (here, there *FileLocation, err error) {
	for i, region := range []string{testRegion, "us-east-1"} {
		store, err := NewEfsRepoStore(ctx, fmt.Sprintf("%s-store%d", name, i+1), efsArgs(func(a *EfsRepoStoreArgs) { a.Synced = true }))
		if err != nil {
			return nil, nil, err
		}
		end, err := NewFileLocation(ctx, fmt.Sprintf("%s-end%d", name, i+1), &FileLocationArgs{
			Store: store, Region: region, AccountID: pulumi.String(testAccount), VpcID: pulumi.String("vpc-1"), Subnet: testSubnets("ab")[0], Tags: testTags,
		})
		if err != nil {
			return nil, nil, err
		}
		here, there = there, end
	}
	return here, there, nil
}

func fileSyncArgs(from, to *FileLocation, change func(*FileSyncArgs)) *FileSyncArgs {
	args := &FileSyncArgs{From: from, To: to, Region: testRegion, AccountID: pulumi.String(testAccount), LogKmsKeyArn: keyArn("logs"), Tags: testTags}
	if change != nil {
		change(args)
	}
	return args
}

func TestFileSyncTwice(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		here, there, err := fileEnds(ctx, "one")
		if err != nil {
			return err
		}
		if _, err := NewFileSync(ctx, "one", fileSyncArgs(here, there, nil)); err != nil {
			return err
		}
		if here, there, err = fileEnds(ctx, "two"); err != nil {
			return err
		}
		_, err = NewFileSync(ctx, "two", fileSyncArgs(there, here, func(a *FileSyncArgs) { a.Paused, a.EveryHours, a.LogRetentionDays = true, 6, 90 }))
		return err
	})
	recorder.ExpectCounts(t, list, map[string]int{
		FileSyncType: 2, dataSyncTask: 2, "aws:cloudwatch/logGroup:LogGroup": 2, "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": 2,
		FileLocationType: 4, efsLocation: 4, "aws:iam/role:Role": 4, "aws:iam/rolePolicy:RolePolicy": 4,
		"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": 4, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": 4, "aws:ec2/securityGroup:SecurityGroup": 8,
		EfsRepoStoreType: 4, "aws:efs/fileSystem:FileSystem": 4, "aws:efs/mountTarget:MountTarget": 8, "aws:efs/accessPoint:AccessPoint": 8,
		"aws:efs/fileSystemPolicy:FileSystemPolicy": 4, "aws:efs/backupPolicy:BackupPolicy": 4,
	})
	wantSeparateRules(t, list)

	task := recorder.Must(t, list, dataSyncTask, "one-task")
	recorder.Expect(t, task, map[string]any{
		"sourceLocationArn": "arn:aws:one-end1-location", "destinationLocationArn": "arn:aws:one-end2-location", "cloudwatchLogGroupArn": "arn:aws:one-logs",
		"schedule.scheduleExpression": "rate(1 hour)", "options.uid": "INT_VALUE", "options.gid": "INT_VALUE", "options.posixPermissions": "PRESERVE",
		"options.mtime": "PRESERVE", "options.preserveDeletedFiles": "REMOVE", "options.verifyMode": "ONLY_FILES_TRANSFERRED", "options.logLevel": "BASIC", "tags.project": "morphee",
	})
	if !task.DeleteBeforeReplace {
		t.Error("two tasks in opposite directions could be there at once")
	}
	if !slices.Contains(task.Dependencies, recorder.Must(t, list, "aws:cloudwatch/logResourcePolicy:LogResourcePolicy", "one-logs-policy").URN()) {
		t.Error("the task must wait until DataSync may write its log")
	}
	recorder.Expect(t, recorder.Must(t, list, dataSyncTask, "two-task"), map[string]any{
		"sourceLocationArn": "arn:aws:two-end2-location", "destinationLocationArn": "arn:aws:two-end1-location", "schedule": nil,
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:cloudwatch/logGroup:LogGroup", "one-logs"), map[string]any{"retentionInDays": 30, "kmsKeyId": "arn:aws:kms:eu-central-1:123456789012:key/logs"})
	recorder.Expect(t, recorder.Must(t, list, "aws:cloudwatch/logGroup:LogGroup", "two-logs"), map[string]any{"retentionInDays": 90})
	logs := recorder.Must(t, list, "aws:cloudwatch/logResourcePolicy:LogResourcePolicy", "one-logs-policy")
	recorder.Expect(t, logs, map[string]any{"policyName": "morphee-test-one"})
	may := statement(t, policyOf(t, logs, "policyDocument"), "DataSync")
	if got := fmt.Sprint(may.Principal, may.Resource, may.Condition); got != "map[Service:[datasync.amazonaws.com]] [arn:aws:one-logs:*] map[ArnLike:map[aws:SourceArn:[arn:aws:datasync:eu-central-1:123456789012:task/*]] StringEquals:map[aws:SourceAccount:[123456789012]]]" {
		t.Error(got)
	}
}

func TestFileLocationEntersAsItself(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		_, _, err := fileEnds(ctx, "x")
		return err
	})
	location := recorder.Must(t, list, efsLocation, "x-end2-location")
	recorder.Expect(t, location, map[string]any{
		"efsFileSystemArn": "arn:aws:x-store2-files", "accessPointArn": "arn:aws:x-store2-access-datasync", "fileSystemAccessRoleArn": "arn:aws:x-end2-role",
		"inTransitEncryption": "TLS1_2", "ec2Config.securityGroupArns.0": "arn:aws:x-end2-sg", "ec2Config.subnetArn": "arn:aws:ec2:us-east-1:123456789012:subnet/subnet-a",
	})
	for typ, name := range map[string]string{"aws:efs/mountTarget:MountTarget": "x-store2-mount-a", "aws:efs/fileSystemPolicy:FileSystemPolicy": "x-store2-policy", "aws:iam/rolePolicy:RolePolicy": "x-end2-role-policy"} {
		if !slices.Contains(location.Dependencies, recorder.Must(t, list, typ, name).URN()) {
			t.Errorf("the location must wait for %s", name)
		}
	}
	recorder.Expect(t, recorder.Must(t, list, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "x-end2-nfs-in"), map[string]any{
		"securityGroupId": "x-store2-sg-id", "referencedSecurityGroupId": "x-end2-sg-id", "fromPort": 2049, "toPort": 2049,
	})
	files := statement(t, policyOf(t, recorder.Must(t, list, "aws:iam/rolePolicy:RolePolicy", "x-end2-role-policy"), "policy"), "Files")
	if got := fmt.Sprint(files.Resource, files.Condition); got != "[arn:aws:x-store2-files] map[StringEquals:map[elasticfilesystem:AccessPointArn:[arn:aws:x-store2-access-datasync]]]" {
		t.Error(got)
	}
	point := recorder.Must(t, list, "aws:efs/accessPoint:AccessPoint", "x-store2-access-datasync")
	recorder.Expect(t, point, map[string]any{"rootDirectory.path": "/", "posixUser": nil, "rootDirectory.creationInfo": nil})
	// Nobody else is root, and without DataSync nobody is.
	root := statement(t, policyOf(t, recorder.Must(t, list, "aws:efs/fileSystemPolicy:FileSystemPolicy", "x-store2-policy"), "policy"), "NeverAsRootButDataSync")
	if got := fmt.Sprint(root.Effect, root.Condition); got != "Denymap[StringNotEquals:map[elasticfilesystem:AccessPointArn:[arn:aws:x-store2-access-datasync]]]" {
		t.Error(got)
	}
	alone := register(t, func(ctx *pulumi.Context) error {
		_, err := NewEfsRepoStore(ctx, "y", efsArgs(nil))
		return err
	})
	if root := statement(t, policyOf(t, recorder.Must(t, alone, "aws:efs/fileSystemPolicy:FileSystemPolicy", "y-policy"), "policy"), "NeverAsRoot"); root.Condition != nil {
		t.Errorf("without DataSync somebody may be root: %v", root.Condition)
	}
}

func TestFileSyncRefuses(t *testing.T) {
	here, there := &FileLocation{region: testRegion}, &FileLocation{region: "us-east-1"}
	for want, change := range map[string]func(*FileSyncArgs){
		"From and To: got fewer than two": func(a *FileSyncArgs) { a.To = nil },
		"two locations":                   func(a *FileSyncArgs) { a.To = a.From },
		"the region of one of":            func(a *FileSyncArgs) { a.Region = "us-west-2" },
		"Region: got x":                   func(a *FileSyncArgs) { a.Region = "x" },
		"AccountID":                       func(a *FileSyncArgs) { a.AccountID = nil },
		"EveryHours: got 25":              func(a *FileSyncArgs) { a.EveryHours = 25 },
		"EveryHours: got -1":              func(a *FileSyncArgs) { a.EveryHours = -1 },
		"LogKmsKeyArn":                    func(a *FileSyncArgs) { a.LogKmsKeyArn = nil },
		"LogRetentionDays: got 31":        func(a *FileSyncArgs) { a.LogRetentionDays = 31 },
	} {
		recorder.Refuses(t, want, func(ctx *pulumi.Context) error {
			_, err := NewFileSync(ctx, "sync", fileSyncArgs(here, there, change))
			return err
		})
	}
	for want, change := range map[string]func(*FileLocationArgs){
		"an EfsRepoStore made with Synced": func(a *FileLocationArgs) { a.Store = &EfsRepoStore{} },
		"Store: got none":                  func(a *FileLocationArgs) { a.Store = nil },
		"Region: got x":                    func(a *FileLocationArgs) { a.Region = "x" },
		"AccountID":                        func(a *FileLocationArgs) { a.AccountID = nil },
		"VpcID":                            func(a *FileLocationArgs) { a.VpcID = nil },
		"Subnet: got nothing":              func(a *FileLocationArgs) { a.Subnet = ZoneSubnet{} },
	} {
		recorder.Refuses(t, want, func(ctx *pulumi.Context) error {
			args := &FileLocationArgs{Store: &EfsRepoStore{SyncAccessPointArn: pulumi.String("arn").ToStringOutput()}, Region: testRegion, AccountID: pulumi.String(testAccount), VpcID: pulumi.String("vpc-1"), Subnet: testSubnets("ab")[0]}
			change(args)
			_, err := NewFileLocation(ctx, "end", args)
			return err
		})
	}
}

func TestFileSyncFailuresAreTold(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		_, err := NewAlarms(ctx, "a", &AlarmsArgs{
			AccountID: pulumi.String(testAccount), Region: testRegion, TopicArn: pulumi.String("arn:topic"), Tags: testTags, FileSyncTaskArn: pulumi.String("arn:task"),
		})
		return err
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:cloudwatch/eventRule:EventRule", "a-file-sync-failed"), map[string]any{
		"eventPattern": `{"detail":{"State":["ERROR"]},"detail-type":["DataSync Task Execution State Change"],"resources":[{"prefix":"arn:task/"}],"source":["aws.datasync"]}`,
	})
	recorder.Expect(t, recorder.Must(t, list, "aws:cloudwatch/eventTarget:EventTarget", "a-file-sync-failed-tell"), map[string]any{"arn": "arn:topic"})
}
