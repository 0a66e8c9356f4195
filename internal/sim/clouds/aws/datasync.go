package aws

import (
	"regexp"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const (
	efsLocationToken  = "aws:datasync/efsLocation:EfsLocation"
	s3LocationToken   = "aws:datasync/s3Location:S3Location"
	dataSyncTaskToken = "aws:datasync/task:Task"
)

func dataSyncTypes() []cloud.Type {
	return []cloud.Type{efsLocationType(), s3LocationType(), dataSyncTaskType()}
}

func invalidSync(op, format string, args ...any) error {
	return refuse("DataSync", op, "InvalidRequestException", format, args...)
}

func location(c *cloud.Call, uri string) error {
	c.ID = arn("datasync", c.Scope, "location/loc-"+c.Gen.Hex("location", 17))
	c.Out["arn"], c.Out["uri"] = c.ID, uri
	return nil
}

func efsLocationType() cloud.Type {
	return cloud.Type{Token: efsLocationToken, Create: func(c *cloud.Call) error {
		const op = "CreateLocationEfs"
		fs := c.Find("aws:efs/fileSystem:FileSystem", c.In.String("efsFileSystemArn"))
		if fs == nil {
			return invalidSync(op, "Invalid parameter: the file system %s does not exist", c.In.String("efsFileSystemArn"))
		}
		subnet := arnPart(c.In.String("ec2Config.subnetArn"), 5)
		if c.Find("aws:ec2/subnet:Subnet", strings.TrimPrefix(subnet, "subnet/")) == nil {
			return invalidSync(op, "Invalid parameter: the subnet %s does not exist", c.In.String("ec2Config.subnetArn"))
		}
		mounted := false
		for _, m := range c.All("aws:efs/mountTarget:MountTarget") {
			mounted = mounted || m.Out.String("fileSystemId") == fs.ID
		}
		if !mounted {
			return invalidSync(op, "Unable to create location: the file system %s has no mount target for DataSync to use", fs.ID)
		}
		if c.In.String("accessPointArn") != "" && c.In.String("inTransitEncryption") != "TLS1_2" {
			return invalidSync(op, "Invalid parameter: an access point or an IAM role needs inTransitEncryption TLS1_2")
		}
		sub := strings.Trim(c.In.String("subdirectory"), "/")
		return location(c, "efs://"+c.Scope+"."+fs.ID+"/"+sub)
	}}
}

func s3LocationType() cloud.Type {
	return cloud.Type{Token: s3LocationToken, Create: func(c *cloud.Call) error {
		const op = "CreateLocationS3"
		bucket, role := arnPart(c.In.String("s3BucketArn"), 5), c.In.String("s3Config.bucketAccessRoleArn")
		switch {
		case findBucket(c.World, bucket) == nil:
			return invalidSync(op, "DataSync location access test failed: could not perform s3:HeadBucket on bucket %s. Access denied or the bucket does not exist", bucket)
		case !roleARN(c.World, role):
			return invalidSync(op, "Unable to assume role. Reason: Access denied when calling sts:AssumeRole (%s)", role)
		case !trusts(c.World, role, "datasync.amazonaws.com"):
			return invalidSync(op, "DataSync location access test failed: unable to assume role %s: its trust policy must name datasync.amazonaws.com", role)
		}
		computed(c, "s3StorageClass", "STANDARD")
		return location(c, "s3://"+bucket+"/"+strings.Trim(c.In.String("subdirectory"), "/"))
	}}
}

var hourly = regexp.MustCompile(`^rate\(([0-9]+) minutes?\)$`)

func dataSyncTaskType() cloud.Type {
	return written(cloud.Type{Token: dataSyncTaskToken}, func(c *cloud.Call) error {
		op := operation(c, "CreateTask", "UpdateTask")
		for _, p := range []string{"sourceLocationArn", "destinationLocationArn"} {
			ref := c.In.String(p)
			if c.Find(efsLocationToken, ref) == nil && c.Find(s3LocationToken, ref) == nil {
				return invalidSync(op, "Location %s is not found. (%s)", ref, p)
			}
		}
		if e := c.In.String("schedule.scheduleExpression"); e != "" {
			if why := scheduleProblem(e); why != "" || strings.HasPrefix(e, "at(") || hourly.MatchString(e) {
				return invalidSync(op, "Invalid schedule expression %s: cron(…) or rate(…) of an hour or more. %s", e, why)
			}
		}
		if l := c.In.String("cloudwatchLogGroupArn"); l != "" && c.Find(logGroupToken, strings.TrimSuffix(l, ":*")) == nil {
			return invalidSync(op, "The log group %s does not exist in %s", l, c.Scope)
		}
		if o := c.In.Object("options"); o.String("verifyMode") == "POINT_IN_TIME_CONSISTENT" && c.In.String("taskMode") == "ENHANCED" {
			return invalidSync(op, "Invalid option: an ENHANCED task verifies ONLY_FILES_TRANSFERRED")
		}
		return nil
	}, func(c *cloud.Call) error {
		c.ID = arn("datasync", c.Scope, "task/task-"+c.Gen.Hex("task", 17))
		c.Out["arn"] = c.ID
		computed(c, "taskMode", "BASIC")
		return nil
	})
}
