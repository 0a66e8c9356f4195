package aws

import (
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func flowLog() cloud.Type {
	return cloud.Type{
		Token:  flowLogType,
		Create: createFlowLog,
		Takes:  cloud.Durations{Create: seconds(2), Delete: seconds(1)},
	}
}

func createFlowLog(c *cloud.Call) error {
	const op = "CreateFlowLogs"
	for key, typ := range map[string]string{"vpcId": vpcType, "subnetId": subnetType} {
		if id := c.In.String(key); id != "" && c.Find(typ, id) == nil {
			return ec2(op, strings.Replace("Invalid"+strings.ToUpper(key[:1])+key[1:]+".NotFound", "IdId", "Id", 1), "The %s '%s' does not exist", strings.TrimSuffix(key, "Id"), id)
		}
	}
	kind := c.In.String("logDestinationType")
	if kind == "" {
		kind = "cloud-watch-logs"
	}
	if c.In.Has("destinationOptions") && kind != "s3" {
		return ec2(op, "InvalidParameter", "DestinationOptions can only be specified if LogDestinationType is s3")
	}
	var err error
	switch kind {
	case "cloud-watch-logs":
		err = flowLogGroup(c, op)
	case "s3":
		err = flowLogBucket(c, op)
	}
	if err != nil {
		return err
	}
	for _, other := range c.All(flowLogType) {
		same := true
		for _, key := range []string{"vpcId", "subnetId", "eniId", "trafficType", "logDestination", "logGroupName"} {
			same = same && other.In.String(key) == c.In.String(key)
		}
		if same {
			return ec2(op, "FlowLogAlreadyExists", "Error. There is an existing Flow Log with the same configuration and log destination.")
		}
	}
	c.ID = ec2ID(c.Gen, "fl")
	c.Out["arn"] = arn("ec2", c.Scope, "vpc-flow-log/"+c.ID)
	computed(c, "logFormat", "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}")
	if name := c.In.String("logGroupName"); name != "" {
		computed(c, "logDestination", arn("logs", c.Scope, "log-group:"+name))
	} else if kind == "cloud-watch-logs" {
		computed(c, "logGroupName", strings.TrimPrefix(arnPart(c.In.String("logDestination"), 5), "log-group:"))
	}
	return nil
}

func flowLogGroup(c *cloud.Call, op string) error {
	role := c.In.String("iamRoleArn")
	if role == "" {
		return ec2(op, "InvalidParameter", "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs")
	}
	if !roleARN(c.World, role) || !trusts(c.World, role, "vpc-flow-logs.amazonaws.com") {
		return ec2(op, "InvalidParameter", "Access Denied for DeliverLogsPermissionArn: %s. Check that the role exists and trusts vpc-flow-logs.amazonaws.com", role)
	}
	name := c.In.String("logGroupName")
	if destination := c.In.String("logDestination"); destination != "" {
		name = strings.TrimSuffix(strings.TrimPrefix(arnPart(destination, 5), "log-group:"), ":*")
		if !isARN(destination, "logs") || arnPart(destination, 3) != c.Scope || !strings.HasPrefix(arnPart(destination, 5), "log-group:") {
			return ec2(op, "InvalidParameter", "LogDestination: %s is not a log group of this region", destination)
		}
	}
	if name == "" {
		return ec2(op, "InvalidParameter", "LogGroupName can't be empty if LogDestination is not given")
	}
	if destination := c.In.String("logDestination"); destination != "" && !logGroupExists(c, name) {
		return ec2(op, "InvalidParameter", "LogDestination: %s does not exist", name)
	}
	return nil
}

func flowLogBucket(c *cloud.Call, op string) error {
	destination := c.In.String("logDestination")
	if !isARN(destination, "s3") {
		return ec2(op, "InvalidParameter", "LogDestination: %s is not the ARN of an S3 bucket", destination)
	}
	if c.In.Has("iamRoleArn") {
		return ec2(op, "InvalidParameter", "DeliverLogsPermissionArn is not applicable for s3 Delivery")
	}
	name, _, _ := strings.Cut(arnPart(destination, 5), "/")
	if bucket(c, name) == nil {
		return ec2(op, "InvalidParameter", "LogDestination: %s does not exist", name)
	}
	return nil
}

// bucket finds an S3 bucket by name, in any region.
func bucket(c *cloud.Call, name string) *cloud.Resource {
	for _, typ := range []string{"aws:s3/bucketV2:BucketV2", "aws:s3/bucket:Bucket"} {
		if b := byProperty(c.Everywhere(typ), "bucket", name); b != nil {
			return b
		}
	}
	return nil
}

// logGroupExists tells whether the region has a log group of that name.
func logGroupExists(c *cloud.Call, name string) bool {
	return byProperty(c.All("aws:cloudwatch/logGroup:LogGroup"), "name", name) != nil
}
