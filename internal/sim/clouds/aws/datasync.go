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
		// A location is in the region of its file system: its subnet and groups are.
		fs := c.Find(fileSystemType, c.In.String("efsFileSystemArn"))
		if fs == nil {
			return invalidSync(op, "Invalid parameter: the file system %s does not exist in %s", c.In.String("efsFileSystemArn"), c.Scope)
		}
		if err := syncNetwork(c, op, fs); err != nil {
			return err
		}
		role, point := c.In.String("fileSystemAccessRoleArn"), c.In.String("accessPointArn")
		switch {
		case point+role != "" && c.In.String("inTransitEncryption") != "TLS1_2":
			return invalidSync(op, "Invalid parameter: an access point or an IAM role needs inTransitEncryption TLS1_2")
		case role != "" && !roleARN(c.World, role), role != "" && !trusts(c.World, role, "datasync.amazonaws.com"):
			return invalidSync(op, "Unable to assume role %s: it must exist, and its trust policy must name datasync.amazonaws.com", role)
		}
		if point != "" {
			if p := c.Find(accessPointType, point); p == nil || p.Out.String("fileSystemId") != fs.ID {
				return invalidSync(op, "Invalid parameter: the access point %s is not one of the file system %s", point, fs.ID)
			}
		}
		sub := strings.Trim(c.In.String("subdirectory"), "/")
		return location(c, "efs://"+c.Scope+"."+fs.ID+"/"+sub)
	}}
}

// syncNetwork refuses a subnet from which DataSync cannot get to a mount target, and groups that are
// not there.
func syncNetwork(c *cloud.Call, op string, fs *cloud.Resource) error {
	ref := c.In.String("ec2Config.subnetArn")
	subnet := c.Find(subnetType, strings.TrimPrefix(arnPart(ref, 5), "subnet/"))
	if subnet == nil || arnPart(ref, 3) != c.Scope {
		return invalidSync(op, "Invalid parameter: the subnet %s does not exist in %s", ref, c.Scope)
	}
	mounts, near := 0, false
	for _, m := range c.All(mountTargetType) {
		if m.Out.String("fileSystemId") != fs.ID {
			continue
		}
		mounts++
		if at := c.Find(subnetType, m.Out.String("subnetId")); at != nil {
			near = near || at.Out.String("vpcId") == subnet.Out.String("vpcId") && at.Out.String("availabilityZone") == subnet.Out.String("availabilityZone")
		}
	}
	switch {
	case mounts == 0:
		return invalidSync(op, "Unable to create location: the file system %s has no mount target for DataSync to use", fs.ID)
	case !near:
		return invalidSync(op, "Invalid parameter: the subnet %s is not in the VPC and the Availability Zone of a mount target of %s", subnet.ID, fs.ID)
	}
	for _, g := range textList(c.In.Get("ec2Config.securityGroupArns")) {
		if c.Find(securityGroupType, strings.TrimPrefix(arnPart(g, 5), "security-group/")) == nil {
			return invalidSync(op, "Invalid parameter: the security group %s does not exist in %s", g, c.Scope)
		}
	}
	return nil
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
		here := false
		for _, p := range []string{"sourceLocationArn", "destinationLocationArn"} {
			ref := c.In.String(p)
			region := arnPart(ref, 3)
			here = here || region == c.Scope
			l := c.World.Find(region, efsLocationToken, ref)
			if l == nil && c.World.Find(region, s3LocationToken, ref) == nil {
				return invalidSync(op, "Location %s is not found. (%s)", ref, p)
			}
			if l != nil && !syncMay(c.World, l) {
				return invalidSync(op, "DataSync location access test failed: could not mount %s: the policy of the file system denies DataSync's access as root", l.Out.String("uri"))
			}
		}
		if !here {
			return invalidSync(op, "Invalid parameter: one of the two locations must be in %s, where the task is", c.Scope)
		}
		if c.In.String("sourceLocationArn") == c.In.String("destinationLocationArn") {
			return invalidSync(op, "Invalid parameter: source and destination are the same location")
		}
		if e := c.In.String("schedule.scheduleExpression"); e != "" {
			if why := scheduleProblem(e); why != "" || strings.HasPrefix(e, "at(") || hourly.MatchString(e) {
				return invalidSync(op, "Invalid schedule expression %s: cron(…) or rate(…) of an hour or more. %s", e, why)
			}
		}
		if l := c.In.String("cloudwatchLogGroupArn"); l != "" {
			if c.Find(logGroupToken, strings.TrimSuffix(l, ":*")) == nil {
				return invalidSync(op, "The log group %s does not exist in %s", l, c.Scope)
			}
			if c.In.String("options.logLevel") != "OFF" && !mayLog(c, "datasync.amazonaws.com", l, arn("datasync", c.Scope, "task/task-0")) {
				c.Warn("no resource policy of CloudWatch Logs lets DataSync write to %s: the task runs without a log", l)
			}
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

// syncMay tells whether the policy of a location's file system leaves DataSync its access, which is
// that of root. What the policy does not deny, the role's own policy allows.
func syncMay(w *cloud.World, location *cloud.Resource) bool {
	fs := w.Find(location.Scope, fileSystemType, location.Out.String("efsFileSystemArn"))
	if fs == nil {
		return true
	}
	context := map[string]string{"aws:SecureTransport": "false"}
	if location.Out.String("inTransitEncryption") == "TLS1_2" {
		context["aws:SecureTransport"] = "true"
	}
	if p := location.Out.String("accessPointArn"); p != "" {
		context["elasticfilesystem:AccessPointArn"] = p
	}
	for _, p := range w.All(location.Scope, fileSystemPolicy) {
		doc, err := parsePolicy(p.Out.Get("policy"))
		if err != nil || p.Out.String("fileSystemId") != fs.ID {
			continue
		}
		for _, s := range doc.Statements {
			for _, action := range []string{"ClientMount", "ClientRootAccess", "ClientWrite"} {
				if s.Effect == "Deny" && s.applies(accessRequest{kind: "AWS", principal: location.Out.String("fileSystemAccessRoleArn"), action: "elasticfilesystem:" + action, context: context}) {
					return false
				}
			}
		}
	}
	return true
}
