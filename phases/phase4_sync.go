package phases

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/aws"
)

// syncedFiles are two file systems, of which DataSync makes the one that is not written to like the
// other. Both may be written to at any time, so that changing the write primary turns the copying
// round, and makes no file system. While writes are frozen the task runs only when somebody starts it:
// once more, and then not over what the new write primary gets.
func (a *regions) syncedFiles(first, second *region) error {
	if err := second.files(); err != nil {
		return err
	}
	ends := make([]*aws.FileLocation, 2)
	for i, r := range []*region{first, second} {
		var err error
		ends[i], err = aws.NewFileLocation(r.ctx, r.name("file-location"), &aws.FileLocationArgs{
			Store: r.store, Region: r.cfg.AWS.Region, AccountID: r.providers.AccountID,
			VpcID: r.vpc.VpcID, Subnet: r.vpc.Private[0], Tags: r.in.Tags(),
		}, r.here())
		if err != nil {
			return err
		}
	}
	from, to := first, second
	if !first.writes() {
		from, to = second, first
		slices.Reverse(ends)
	}
	c := first.cfg.AWS
	// The task stays in the first region whichever way it copies: one of its ends is always there.
	sync, err := aws.NewFileSync(first.ctx, "aws-file-sync", &aws.FileSyncArgs{
		From: ends[0], To: ends[1], Region: c.Region, AccountID: first.providers.AccountID, EveryHours: c.FileSyncHours, Paused: c.FreezeWrites,
		LogKmsKeyArn: first.key[aws.KeyLogs], LogRetentionDays: c.LogRetentionDays, Tags: first.in.Tags(),
	}, first.here())
	if err != nil {
		return err
	}
	a.sync = sync
	first.outputs["fileSystemId"], first.outputs["replicaFileSystemId"] = from.store.FileSystemID, to.store.FileSystemID
	first.outputs["fileSyncTaskArn"] = sync.TaskArn
	return nil
}

// beforeWrites is what must exist before anything writes to the files of a region: the task that copies
// from it, since until then there may be one that copies over it.
func (a *regions) beforeWrites() []pulumi.Resource {
	if a == nil || a.sync == nil {
		return nil
	}
	return []pulumi.Resource{a.sync.Task}
}

// syncTask is what to watch for runs that fail; nil where EFS replicates the files.
func (a *regions) syncTask() pulumi.StringInput {
	if a == nil || a.sync == nil {
		return nil
	}
	return a.sync.TaskArn
}
