package aws

import (
	"regexp"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

var (
	permissions = regexp.MustCompile(`^[0-7]{3,4}$`)
	efsPath     = regexp.MustCompile(`^(/|(/[^$#<>;` + "`" + `|&?{}^*/\n]+){1,4})$`)
)

func accessPoint() cloud.Type {
	return cloud.Type{
		Token: accessPointType,
		Create: func(c *cloud.Call) error {
			const op = "CreateAccessPoint"
			fs := c.Find(fileSystemType, c.In.String("fileSystemId"))
			if fs == nil {
				return efs(op, "FileSystemNotFound", "File system '%s' does not exist.", c.In.String("fileSystemId"))
			}
			if err := posix(c, op); err != nil {
				return err
			}
			c.ID = ec2ID(c.Gen, "fsap")
			c.Out["arn"] = arn("elasticfilesystem", c.Scope, "access-point/"+c.ID)
			c.Out["fileSystemArn"], c.Out["ownerId"] = fs.Out["arn"], accountID
			computed(c, "rootDirectory", cloud.Object{"path": "/"})
			return nil
		},
		Takes: cloud.Durations{Create: seconds(5), Delete: seconds(5)},
	}
}

func posix(c *cloud.Call, op string) error {
	const limit = 4294967295
	for _, path := range []string{"posixUser.uid", "posixUser.gid", "rootDirectory.creationInfo.ownerUid", "rootDirectory.creationInfo.ownerGid"} {
		if v := c.In.Float(path); v < 0 || v > limit {
			return efs(op, "BadRequest", "Value %v at '%s' failed to satisfy constraint: must be between 0 and %d", v, path, limit)
		}
	}
	if n := len(c.In.List("posixUser.secondaryGids")); n > 16 {
		return efs(op, "BadRequest", "At most 16 secondary group ids can be given, got %d.", n)
	}
	if p := c.In.String("rootDirectory.creationInfo.permissions"); c.In.Has("rootDirectory.creationInfo") && !permissions.MatchString(p) {
		return efs(op, "BadRequest", "Value '%s' at 'rootDirectory.creationInfo.permissions' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[0-7]{3,4}$", p)
	}
	path := c.In.String("rootDirectory.path")
	if path != "" && (len(path) > 100 || !efsPath.MatchString(path)) {
		return efs(op, "BadRequest", "Value '%s' at 'rootDirectory.path' is no absolute path of at most four directories and 100 characters.", path)
	}
	if path != "" && path != "/" && !c.In.Has("rootDirectory.creationInfo") {
		c.Warn("access point %s has no creationInfo: mounting fails unless %s exists in the file system already", c.Name, path)
	}
	return nil
}
