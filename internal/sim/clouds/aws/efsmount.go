package aws

import "github.com/morphee-app/morphee-infra/internal/sim/cloud"

func mountTarget() cloud.Type {
	return cloud.Type{
		Token:  mountTargetType,
		Create: createMountTarget,
		Update: func(c *cloud.Call) error {
			s := c.Find(subnetType, c.In.String("subnetId"))
			return mountGroups(c, "ModifyMountTargetSecurityGroups", s)
		},
		Takes: cloud.Durations{Create: seconds(90), Update: seconds(2), Delete: seconds(15)},
	}
}

func createMountTarget(c *cloud.Call) error {
	const op = "CreateMountTarget"
	id := c.In.String("fileSystemId")
	fs := c.Find(fileSystemType, id)
	if fs == nil {
		return efs(op, "FileSystemNotFound", "File system '%s' does not exist.", id)
	}
	s := c.Find(subnetType, c.In.String("subnetId"))
	if s == nil {
		return efs(op, "SubnetNotFound", "The subnet ID '%s' does not exist", c.In.String("subnetId"))
	}
	zone := s.Out.String("availabilityZone")
	if only := fs.Out.String("availabilityZoneName"); only != "" && only != zone {
		return efs(op, "AvailabilityZonesMismatch", "The Availability Zone of the mount target's subnet must match the file system's (%s, not %s).", only, zone)
	}
	for _, m := range c.All(mountTargetType) {
		other := c.Find(subnetType, m.Out.String("subnetId"))
		if m.Out.String("fileSystemId") != id || other == nil {
			continue
		}
		if other.Out.String("vpcId") != s.Out.String("vpcId") {
			return efs(op, "MountTargetConflict", "requested subnet for new mount target is not in the same VPC as existing mount targets")
		}
		if other.Out.String("availabilityZone") == zone {
			return efs(op, "MountTargetConflict", "mount target already exists in this AZ")
		}
	}
	if err := mountGroups(c, op, s); err != nil {
		return err
	}
	if want := c.In.String("ipAddress"); want != "" && !usableAddress(want, s) {
		return efs(op, "BadRequest", "The IP address %s is not in the address range of subnet %s.", want, s.ID)
	} else if want != "" && addressTaken(c, want, s.ID) {
		return efs(op, "IpAddressInUse", "The IP address %s is already in use in subnet %s.", want, s.ID)
	}
	computed(c, "ipAddress", freeAddress(c, "mount", s))
	if c.Out.String("ipAddress") == "" {
		return efs(op, "NoFreeAddressesInSubnet", "The specified subnet does not have enough free addresses.")
	}
	c.ID = ec2ID(c.Gen, "fsmt")
	c.Out["fileSystemArn"], c.Out["dnsName"], c.Out["ownerId"] = fs.Out["arn"], fs.Out["dnsName"], accountID
	c.Out["availabilityZoneName"], c.Out["availabilityZoneId"] = zone, zoneID(zone)
	c.Out["mountTargetDnsName"] = zone + "." + fs.Out.String("dnsName")
	c.Out["networkInterfaceId"] = ec2ID(c.Gen, "eni")
	if !c.In.Has("securityGroups") {
		c.Out["securityGroups"] = defaultGroup(c, s.Out.String("vpcId"))
	}
	return nil
}

func mountGroups(c *cloud.Call, op string, s *cloud.Resource) error {
	groups := c.In.Strings("securityGroups")
	if len(groups) > 5 {
		return efs(op, "SecurityGroupLimitExceeded", "At most 5 security groups can be given.")
	}
	if s == nil {
		return nil
	}
	if g, _ := misplacedGroup(c.World, c.Scope, groups, s.Out.String("vpcId")); g != "" {
		return efs(op, "SecurityGroupNotFound", "One of the specified security groups does not exist in the subnet's VPC: %s is not in %s", g, s.Out.String("vpcId"))
	}
	return nil
}
