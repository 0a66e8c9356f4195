package aws

import (
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// taskStarts refuses a service whose tasks could never start: ECS takes the request, every task
// fails, and the deployment ends in a rollback or a timeout. The simulator gives the reason that the
// stopped tasks would give.
func taskStarts(c *cloud.Call, def *cloud.Resource) error {
	for _, key := range []string{"executionRoleArn", "taskRoleArn"} {
		role := def.In.String(key)
		if role == "" {
			continue
		}
		if !roleARN(c.World, role) || !trusts(c.World, role, "ecs-tasks.amazonaws.com") {
			return stopped(c, "ECS was unable to assume the role '%s' that was provided for this task. Please verify that the role being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role.", role)
		}
	}
	list, _ := containers(def.Out)
	for _, o := range list {
		for _, s := range o.Objects("secrets") {
			if missing := missingSecret(c, s.String("valueFrom")); missing != "" {
				return stopped(c, "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret %s from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret.", missing)
			}
		}
		options := o.Object("logConfiguration").Object("options")
		if group := options.String("awslogs-group"); group != "" && options.String("awslogs-create-group") != "true" &&
			byProperty(c.World.All(options.String("awslogs-region"), "aws:cloudwatch/logGroup:LogGroup"), "name", group) == nil {
			return stopped(c, "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist. (%s)", group)
		}
	}
	return mounts(c, def)
}

func stopped(c *cloud.Call, format string, args ...any) error {
	code, _, _ := strings.Cut(format, ":")
	if code == format || strings.Contains(code, " ") {
		code = "ServiceDeploymentFailed"
	}
	name := c.In.String("name")
	args = append([]any{name, name}, args...)
	return cloud.Refuse(code, "waiting for ECS Service (%s) to reach a steady state: (service %s) was unable to start tasks: "+format, args...)
}

// missingSecret returns the secret that a container refers to when it does not exist. Passwords that
// RDS manages are no resources of a program, and parameters given by name are left alone.
func missingSecret(c *cloud.Call, ref string) string {
	if !isARN(ref, "secretsmanager") || strings.Contains(ref, ":secret:rds!") || arnPart(ref, 4) != accountID {
		return ""
	}
	// A reference may go on with a JSON key, a version stage and a version id.
	parts := strings.SplitN(ref, ":", 8)
	base := strings.Join(parts[:min(7, len(parts))], ":")
	for _, s := range c.World.All(arnPart(ref, 3), "aws:secretsmanager/secret:Secret") {
		if s.ID == base || s.Out.String("arn") == base {
			return ""
		}
	}
	return base
}

// mounts refuses EFS volumes that the service's tasks could not mount.
func mounts(c *cloud.Call, def *cloud.Resource) error {
	subnets := place(c.World, c.Scope, c.In.Strings("networkConfiguration.subnets"))
	for _, v := range def.In.Objects("volumes") {
		id := v.String("efsVolumeConfiguration.fileSystemId")
		if id == "" {
			continue
		}
		if point := v.String("efsVolumeConfiguration.authorizationConfig.accessPointId"); point != "" {
			if p := c.Find(accessPointType, point); p == nil || p.Out.String("fileSystemId") != id {
				return stopped(c, "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: mount.nfs4: access denied by server while mounting 127.0.0.1:/ (access point %s of %s does not exist)", point, id)
			}
		}
		zones := map[string]bool{}
		for _, m := range c.All(mountTargetType) {
			if s := c.Find(subnetType, m.Out.String("subnetId")); s != nil && m.Out.String("fileSystemId") == id && len(subnets.vpcs) == 1 && s.Out.String("vpcId") == subnets.vpcs[0] {
				zones[s.Out.String("availabilityZone")] = true
			}
		}
		for _, s := range subnets.subnets {
			if zone := s.Out.String("availabilityZone"); !zones[zone] {
				return stopped(c, "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: Failed to resolve \"%s.efs.%s.amazonaws.com\" - check that your file system ID is correct, and ensure that the VPC has an EFS mount target for this file system ID (none in %s).", id, c.Scope, zone)
			}
		}
	}
	return nil
}
