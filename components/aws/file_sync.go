package aws

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/datasync"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// FileSyncType is the type token of FileSync.
const FileSyncType = "morphee:aws:FileSync"

// FileSyncArgs are the decisions about how one file system is kept like another.
type FileSyncArgs struct {
	// From is read and To is made like it; required, one of them in Region. Exchanging them replaces
	// the task, the old one first, and no file system.
	From, To *FileLocation
	// Region of the task and its log, that of the component's provider, and AccountID; required.
	Region    string
	AccountID pulumi.StringInput
	// EveryHours between two runs, 1 to 24 h; default 1, which is the least that DataSync has.
	EveryHours int
	// Paused takes the schedule away: the task then runs when somebody starts it, and at no other time.
	Paused bool
	// LogKmsKeyArn encrypts the log; required. LogRetentionDays: a number of days that CloudWatch has;
	// default 30.
	LogKmsKeyArn     pulumi.StringInput
	LogRetentionDays int
	Tags             base.Tags
}

// FileSync is a DataSync task that makes one file system like another: what is new or changed is copied
// with its owner, permissions and times, and what is gone is deleted.
type FileSync struct {
	pulumi.ResourceState
	TaskArn pulumi.StringOutput
	// Task must exist before whatever writes to From. Where From was To before, the task that would
	// write over it is then gone.
	Task pulumi.Resource
}

func (a *FileSyncArgs) validate(name string) error {
	p := base.Check("FileSync", name)
	p.Require(a.From != nil && a.To != nil && a.From != a.To, "From and To", "fewer than two", "two locations", "")
	p.Require(regionPattern.MatchString(a.Region), "Region", a.Region, "an AWS region such as us-east-1", "")
	p.Require(a.From == nil || a.To == nil || a.From.region == a.Region || a.To.region == a.Region, "Region", a.Region, "the region of one of the locations: DataSync copies from or to where it is", "")
	p.Require(a.AccountID != nil, "AccountID", "nothing", "the account's 12 digits", "")
	p.Require(a.EveryHours >= 1 && a.EveryHours <= 24, "EveryHours", a.EveryHours, "1 to 24", "morphee:aws.fileSyncHours")
	p.Require(a.LogKmsKeyArn != nil, "LogKmsKeyArn", "nothing", "a customer key for the log", "")
	requireRetention(p, "LogRetentionDays", a.LogRetentionDays)
	return p.Err()
}

// NewFileSync registers the task and its log.
func NewFileSync(ctx *pulumi.Context, name string, in *FileSyncArgs, opts ...pulumi.ResourceOption) (*FileSync, error) {
	args := *in
	setDefault(&args.EveryHours, 1)
	setDefault(&args.LogRetentionDays, 30)
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &FileSync{}
	if err := ctx.RegisterComponentResourceV2(FileSyncType, name, pulumi.Map{}, c, opts...); err != nil {
		return nil, err
	}
	log, may, err := c.log(ctx, name, &args)
	if err != nil {
		return nil, err
	}
	task := &datasync.TaskArgs{
		SourceLocationArn: args.From.Arn, DestinationLocationArn: args.To.Arn, CloudwatchLogGroupArn: log.Arn.ToStringPtrOutput(),
		Options: &datasync.TaskOptionsArgs{
			Uid: pulumi.String("INT_VALUE"), Gid: pulumi.String("INT_VALUE"), PosixPermissions: pulumi.String("PRESERVE"),
			Mtime: pulumi.String("PRESERVE"), Atime: pulumi.String("BEST_EFFORT"), PreserveDevices: pulumi.String("NONE"),
			PreserveDeletedFiles: pulumi.String("REMOVE"), OverwriteMode: pulumi.String("ALWAYS"), TransferMode: pulumi.String("CHANGED"),
			// The rest of the files may be written to while a run verifies, and would be reported as different.
			VerifyMode:   pulumi.String("ONLY_FILES_TRANSFERRED"),
			TaskQueueing: pulumi.String("ENABLED"), LogLevel: pulumi.String("BASIC"),
		},
		Tags: args.Tags.Pulumi("Name", name),
	}
	if !args.Paused {
		task.Schedule = &datasync.TaskScheduleArgs{ScheduleExpression: pulumi.String(everyHours(args.EveryHours))}
	}
	made, err := datasync.NewTask(ctx, name+"-task", task, pulumi.Parent(c), pulumi.DependsOn([]pulumi.Resource{may}),
		// Two tasks in opposite directions must never be there at once. A task holds nothing.
		pulumi.DeleteBeforeReplace(true))
	if err != nil {
		return nil, err
	}
	c.TaskArn, c.Task = made.Arn, made
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"taskArn": c.TaskArn})
}

// log registers the log, and what lets DataSync write to it, which must exist before the task.
func (c *FileSync) log(ctx *pulumi.Context, name string, args *FileSyncArgs) (*cloudwatch.LogGroup, pulumi.Resource, error) {
	group, err := encryptedLogs(ctx, name+"-logs", nil, args.LogRetentionDays, args.LogKmsKeyArn, args.Tags, c)
	if err != nil {
		return nil, nil, err
	}
	doc, err := PolicyDocument(Statement{
		Sid: "DataSync", Services: []string{"datasync.amazonaws.com"}, Actions: []string{"logs:CreateLogStream", "logs:PutLogEvents"},
		Resources: arns(pulumi.Sprintf("%s:*", group.Arn)),
		// Against the confused deputy: only for tasks of this account.
		Conditions: map[string]map[string][]pulumi.StringInput{
			"StringEquals": {"aws:SourceAccount": arns(args.AccountID)},
			"ArnLike":      {"aws:SourceArn": arns(pulumi.Sprintf("arn:aws:datasync:%s:%s:task/*", args.Region, args.AccountID))},
		},
	})
	if err != nil {
		return nil, nil, err
	}
	policy, err := cloudwatch.NewLogResourcePolicy(ctx, name+"-logs-policy", &cloudwatch.LogResourcePolicyArgs{
		// An account has one of a name in a region.
		PolicyName: pulumi.String(fmt.Sprintf("%s-%s-%s", args.Tags.Project, args.Tags.Stack, name)), PolicyDocument: doc,
	}, pulumi.Parent(c))
	return group, policy, err
}

// everyHours is the schedule as DataSync writes it.
func everyHours(n int) string {
	if n == 1 {
		return "rate(1 hour)"
	}
	return fmt.Sprintf("rate(%d hours)", n)
}
